"""The rule beside the hidden Markov model: accuracy and lag on known truths, stability, agreement, outcomes.

A third labelling is here as a warning: the same model smoothed, which looks ahead. It is never written to a table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from edgebook.analyses.regime_performance import outcomes_by_regime
from edgebook.analyses.regime_report import switching
from edgebook.analyses.regime_truth import balanced_accuracy, lag_by_regime, regime_codes, switching_market
from edgebook.files.tables import KEY
from edgebook.regimes.regime_hmm import hmm_settings, rule_settings, segment_hmm
from edgebook.regimes.regimes import BEARISH, BULLISH, REGIMES, VOLATILE, segment
from edgebook.settings.loading import section
from edgebook.settings.params import Regimes, plain
from edgebook.statistics.intervals import clusters_of, mean_interval, rate_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

RULE: Final = "rule"
HMM: Final = "hidden Markov"
SMOOTHED: Final = "smoothed, looks ahead"
_FIRST_SEED: Final = 100  # markets that no choice was made on


def labellings(bars: pd.DataFrame, labelled: pd.DataFrame, *, settings: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Every bar that the model has labelled, under three labellings.

    Parameters
    ----------
    bars : DataFrame
        That `labelled` labels.
    labelled : DataFrame
        As `regime_hmm.label_bars` returns it.
    settings : mapping
        Section `regimes` of params.yaml.

    Returns
    -------
    dict of str to DataFrame
        By `RULE`, `HMM` and `SMOOTHED`: pair, timeframe, date, regime; the same rows, without the model's warm-up.
    """
    known = labelled["hmm_probability"].notna().to_numpy(bool)
    ahead = segment_hmm(bars, **hmm_settings(_complete(settings)), hindsight=True)
    columns = {RULE: labelled["regime"], HMM: labelled["regime_hmm"], SMOOTHED: ahead["regime_smoothed"]}
    return {
        name: labelled.loc[known, KEY].assign(regime=column[known]).reset_index(drop=True)
        for name, column in columns.items()
    }


def on_known_truth(settings: Mapping[str, Any], *, bars: int = 12_000, markets: int = 8) -> pd.DataFrame:
    """Accuracy, lag and switches on simulated markets whose truth is known.

    Parameters
    ----------
    settings : mapping
        Section `regimes` of params.yaml.
    bars, markets : int
        Length, and number of each kind; none of them was looked at when a setting was chosen.

    Returns
    -------
    DataFrame
        One row a kind ("clean": Gaussian noise of one level; "rough": fat tails, a level that wanders) and labelling:
        balanced_accuracy with low and high, against_rule (paired by market) with against_low and against_high,
        switches_per_week, trends_found (share of true trends reached before they ended), trend_lag_bars,
        volatile_found, volatile_lag_bars, n (markets), trends and volatile_spells (their numbers). Bars before the
        model's first label are left out for all.
    """
    full = _complete(settings)
    rows = []
    for kind in ("clean", "rough"):
        truths: list[NDArray[np.int64]] = []
        labels: dict[str, list[NDArray[np.int64]]] = {RULE: [], HMM: [], SMOOTHED: []}
        for seed in range(_FIRST_SEED, _FIRST_SEED + markets):
            market, truth = switching_market(bars=bars, seed=seed, rough=kind == "rough")
            model = segment_hmm(market, **hmm_settings(full), hindsight=True)
            known = model["probability"].notna().to_numpy(bool)
            truths.append(truth[known])
            rule = segment(market, **rule_settings(full))["regime"]
            for name, found in ((RULE, rule), (HMM, model["regime"]), (SMOOTHED, model["regime_smoothed"])):
                labels[name].append(regime_codes(found)[known])
        scores = {
            name: np.array([balanced_accuracy(t, own) for t, own in zip(truths, found, strict=True)])
            for name, found in labels.items()
        }
        rows += [
            {"market": kind, "labelling": name} | _against_truth(truths, own, scores[name], scores[RULE])
            for name, own in labels.items()
        ]
    return pd.DataFrame(rows).round(4)


def stability_of(labels: Mapping[str, pd.DataFrame], *, short_bars: int) -> pd.DataFrame:
    """Switches a week and lengths of spells of each labelling, by timeframe.

    Parameters
    ----------
    labels : mapping of str to DataFrame
        As `labellings` gives them.
    short_bars : int
        A complete spell of fewer bars is short.

    Returns
    -------
    DataFrame
        timeframe, labelling, and the columns of `regime_report.switching`.
    """
    found = pd.concat(
        [switching(own, short_bars=short_bars).assign(labelling=name) for name, own in labels.items()],
        ignore_index=True,
    )
    length = found["timeframe"].map(pd.Timedelta)
    found = found.loc[length.sort_values(kind="stable").index].reset_index(drop=True)
    return found[["timeframe", "labelling", *[name for name in found if name not in ("timeframe", "labelling")]]]


def agreement_counts(labels: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Bars by the rule's regime (rows) and the model's (columns)."""
    counts = pd.crosstab(labels[RULE]["regime"], labels[HMM]["regime"])
    return counts.reindex(index=list(REGIMES), columns=list(REGIMES), fill_value=0)


def agreement(labels: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How often rule and model say the same, by timeframe.

    Returns
    -------
    DataFrame
        timeframe, agree with low and high (95 %, week clusters over all pairs), by_chance (what independent labels
        with the same shares would reach), kappa (the excess over chance, 1 at best; Cohen 1960), opposite (share of
        bars on which one says bullish and the other bearish), n (bars).
    """
    rule, model = labels[RULE], labels[HMM]
    rows = []
    for timeframe in sorted(rule["timeframe"].unique(), key=pd.Timedelta):
        own = (rule["timeframe"] == timeframe).to_numpy(bool)
        one, other = regime_codes(rule.loc[own, "regime"]), regime_codes(model.loc[own, "regime"])
        same = rate_interval(one == other, clusters=clusters_of(rule.loc[own, "date"]))
        chance = float(sum((one == state).mean() * (other == state).mean() for state in range(len(REGIMES))))
        trends = {BULLISH, BEARISH}
        opposite = float(np.mean((one != other) & np.isin(one, [*trends]) & np.isin(other, [*trends])))
        kappa = (same.value - chance) / (1 - chance) if chance < 1 else np.nan
        rows.append((timeframe, same.value, same.low, same.high, chance, kappa, opposite, same.n))
    columns = ["timeframe", "agree", "low", "high", "by_chance", "kappa", "opposite", "n"]
    return pd.DataFrame(rows, columns=columns).round(6)


def looking_ahead(labels: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How much the smoothed labels differ from the filtered ones, by timeframe.

    Returns
    -------
    DataFrame
        timeframe, n (bars), differ (share of bars) with low and high (95 %, week clusters), bars_differing, spells (of
        the smoothed label), lag_bars (median bars by which the filtered label reaches a spell that the smoothed one
        has begun).
    """
    filtered, ahead = labels[HMM], labels[SMOOTHED]
    rows = []
    for timeframe in sorted(filtered["timeframe"].unique(), key=pd.Timedelta):
        own = (filtered["timeframe"] == timeframe).to_numpy(bool)
        other = filtered.loc[own, "regime"].ne(ahead.loc[own, "regime"]).to_numpy(bool)
        found = rate_interval(other, clusters=clusters_of(filtered.loc[own, "date"]))
        truths, late = [], []
        for _, rows_of in filtered[own].groupby("pair", sort=False, observed=True):
            truths.append(regime_codes(ahead.loc[rows_of.index, "regime"]))
            late.append(regime_codes(rows_of["regime"]))
        lags = lag_by_regime(truths, late)
        spells = int(lags["n"].sum())
        lag = float((lags["lag_bars"] * lags["n"]).sum() / spells) if spells else np.nan
        rows.append((timeframe, found.n, found.value, found.low, found.high, int(other.sum()), spells, lag))
    columns = ["timeframe", "n", "differ", "low", "high", "bars_differing", "spells", "lag_bars"]
    return pd.DataFrame(rows, columns=columns).round(6)


def outcomes_by_labelling(outcomes: pd.DataFrame, labels: Mapping[str, pd.DataFrame], *, at: str) -> pd.DataFrame:
    """What candidates made by regime, under each labelling of the same bars.

    Parameters
    ----------
    outcomes : DataFrame
        One exit plan, as `regime_performance.outcomes_by_regime` takes it.
    labels : mapping of str to DataFrame
        As `labellings` gives them.
    at : str
        Midnight UTC of this day; outcomes known later do not enter.

    Returns
    -------
    DataFrame
        labelling, and the columns of `outcomes_by_regime`.
    """
    inside = outcomes.merge(labels[RULE][KEY], on=KEY, validate="many_to_one")
    parts = [outcomes_by_regime(inside, own, at=at).assign(labelling=name) for name, own in labels.items()]
    found = pd.concat(parts, ignore_index=True)
    return found[["labelling", *[name for name in found if name != "labelling"]]]


def separation(performance: pd.DataFrame) -> pd.DataFrame:
    """How far regimes tell outcomes apart, by labelling and side.

    Parameters
    ----------
    performance : DataFrame
        As `outcomes_by_labelling` returns it.

    Returns
    -------
    DataFrame
        labelling, side, best and worst (regimes by mean R), best_r with best_low and best_high, worst_r with worst_low
        and worst_high, spread_r (standard deviation of a candidate's regime mean, over candidates), differ (cells that
        differ from the rest at a false-discovery rate of 10 %), cells, n (candidates).
    """
    rows = []
    for (labelling, side), own in performance.groupby(["labelling", "side"], sort=False):
        known = own.dropna(subset=["mean_r"])
        if known.empty:
            continue
        ranked = known.sort_values("mean_r", ascending=False)
        top, low = ranked.iloc[0], ranked.iloc[-1]
        weight, mean = known["n"].to_numpy(np.float64), known["mean_r"].to_numpy(np.float64)
        spread = float(np.sqrt(np.average((mean - np.average(mean, weights=weight)) ** 2, weights=weight)))
        extremes = [one[name] for one in (top, low) for name in ("regime", "mean_r", "low", "high")]
        rows.append(
            (labelling, side, *extremes, spread, int((known["q"] <= 0.10).sum()), len(known), int(weight.sum()))
        )
    columns = [
        "labelling", "side", "best", "best_r", "best_low", "best_high", "worst", "worst_r", "worst_low", "worst_high",
        "spread_r", "differ", "cells", "n",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).round(6)


def _complete(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with the defaults of those that were not given."""
    complete: dict[str, Any] = plain(section(Regimes, settings, where="params.yaml: regimes"))
    return complete


def _against_truth(
    truths: list[NDArray[np.int64]],
    labels: list[NDArray[np.int64]],
    scores: NDArray[np.float64],
    of_rule: NDArray[np.float64],
) -> dict[str, float]:
    """One row of `on_known_truth`."""
    markets = np.arange(scores.size)
    accuracy, gain = mean_interval(scores, clusters=markets), mean_interval(scores - of_rule, clusters=markets)
    lags = lag_by_regime(truths, labels)
    trends, wild = lags.iloc[[BULLISH, BEARISH]], lags.iloc[VOLATILE]
    spells = int(trends["n"].sum())
    switches = sum(int(np.count_nonzero(np.diff(own))) for own in labels)
    return {
        "balanced_accuracy": accuracy.value,
        "low": accuracy.low,
        "high": accuracy.high,
        "against_rule": gain.value,
        "against_low": gain.low,
        "against_high": gain.high,
        "switches_per_week": switches * 168 / sum(len(own) for own in labels),
        "trends_found": float((trends["found"] * trends["n"]).sum()) / spells if spells else np.nan,
        "trend_lag_bars": float(trends["lag_bars"].mean()),
        "volatile_found": float(wild["found"]),
        "volatile_lag_bars": float(wild["lag_bars"]),
        "n": scores.size,
        "trends": spells,
        "volatile_spells": int(wild["n"]),
    }
