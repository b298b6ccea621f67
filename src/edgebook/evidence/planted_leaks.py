"""Leaks on purpose: the pipeline with one deliberately wrong part, to show that the audit finds it and names it.

Each is a mistake that is made in earnest, as small as it can be written. None of this is used by anything but the
audit of the audit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.audit.audit_layers import BARS, FITTED_HEADS, HEAD_SCORES, HMM, INDICATORS, OUTCOMES
from edgebook.bars.bars import TIMEFRAMES, resample
from edgebook.indicators import compute_indicators
from edgebook.loop.pipeline import HONEST, Pipeline
from edgebook.outcomes.candidates import label_candidates
from edgebook.outcomes.recorded_versions import Facts, with_recorded
from edgebook.policy.heads import Head, fit_heads
from edgebook.policy.market import WEEK_MS
from edgebook.policy.plan_outcomes import to_ms
from edgebook.policy.policy import Policy, Scores, score
from edgebook.regimes.regime_hmm import by_regime, fit_blocks, fits_of, fitted, held_labels, hmm_features, label_bars
from edgebook.regimes.regime_hmm_em import smoothed
from edgebook.regimes.regimes import group_starts, positive_closes
from edgebook.regimes.regimes_kernels import RANGING, REGIMES
from edgebook.settings.exit_plans import Costs, ExitPlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgebook.policy.market import Market

    Tables = tuple[pd.DataFrame, pd.DataFrame]

_FIRST_MONDAY_MS = 4 * 86_400_000
_CENTRED_BARS = 20
_LABEL = ExitPlan.parse("tp2.0_sl1.5_t12")


@dataclass(frozen=True, kw_only=True)
class Leak:
    """A mistake, and where the audit has to find it.

    Parameters
    ----------
    name, what : str
    layer : str
        The first layer that must differ (`edgebook.audit.audit_found.LAYERS`).
    column : str
        That the first difference must name: the beginning of its name.
    pipeline : Pipeline
    """

    name: str
    what: str
    layer: str
    column: str
    pipeline: Pipeline


def centred_window(bars: pd.DataFrame, patterns: pd.DataFrame) -> Tables:
    """`compute_indicators` with a z-score whose window lies around the bar, half of it ahead."""
    values, votes = compute_indicators(bars, patterns)
    close = np.log(bars["close"].to_numpy(np.float64))
    found = np.full(len(bars), np.nan)
    window = np.full(_CENTRED_BARS, 1.0 / _CENTRED_BARS)
    for rows in _series(bars):
        mean = np.convolve(close[rows], window, mode="same")
        spread = np.sqrt(np.maximum(np.convolve(close[rows] ** 2, window, mode="same") - mean**2, 1e-12))
        found[rows] = (close[rows] - mean) / spread
    return _with(values, "zscore_50", found), votes


def label_as_feature(bars: pd.DataFrame, patterns: pd.DataFrame) -> Tables:
    """`compute_indicators` with what would become of a long entered now in the place of an indicator."""
    values, votes = compute_indicators(bars, patterns)
    labelled = label_candidates(bars, [_LABEL], costs=Costs(0.0, 0.0, 0.0))[_LABEL.name]
    long = labelled.loc[~labelled["is_short"], ["pair", "timeframe", "date", "r_multiple"]]
    joined = bars[["pair", "timeframe", "date"]].merge(long, how="left", on=["pair", "timeframe", "date"])
    return _with(values, "rsi_14", joined["r_multiple"].to_numpy(np.float64)), votes


def same_day_join(bars: pd.DataFrame, patterns: pd.DataFrame) -> Tables:
    """`compute_indicators` with the move of the coarsest bar in which each finer bar lies, before it has closed."""
    values, votes = compute_indicators(bars, patterns)
    close, closed = bars["close"].to_numpy(np.float64), to_ms(bars["date"])
    found = values["higher_timeframe_trend"].to_numpy(np.float64).copy()
    series = {(bars["pair"].iloc[rows[0]], bars["timeframe"].iloc[rows[0]]): rows for rows in _series(bars)}
    for (pair, timeframe), rows in series.items():
        coarsest = max((t for p, t in series if p == pair), key=TIMEFRAMES.__getitem__)
        if coarsest != timeframe:
            coarse = series[pair, coarsest]
            place = np.searchsorted(closed[coarse], closed[rows], side="left")  # the bar that closes then or later
            there = place < len(coarse)
            move = close[coarse[np.minimum(place, len(coarse) - 1)]] / close[rows] - 1.0
            found[rows] = np.where(there, move, np.nan)
    return _with(values, "higher_timeframe_trend", found), votes


def stamped_at_open(
    bars: pd.DataFrame, *, timeframe: str, bar_minutes: int, end: pd.Timestamp | None = None
) -> pd.DataFrame:
    """`resample` with the wrong edge: a coarse bar bears the time at which it opened, and is known then."""
    coarse = resample(bars, timeframe=timeframe, bar_minutes=bar_minutes, end=end)
    opened = coarse["date"] - pd.Timedelta(minutes=TIMEFRAMES[timeframe])
    return coarse.assign(date=opened.astype("datetime64[ms, UTC]"))


def smoothed_regimes(bars: pd.DataFrame, settings: Mapping[str, Any]) -> pd.DataFrame:
    """`label_bars` with smoothed probabilities, forward and backward, where filtered ones belong."""
    table = label_bars(bars, settings)
    starts, close = group_starts(bars), positive_closes(bars)
    block = fit_blocks(to_ms(bars["date"]), hmm_refit_weeks=settings["hmm_refit_weeks"])
    label, sure = np.full(len(bars), RANGING, np.int8), np.full(len(bars), np.nan)
    for first, stop in pairwise(starts):
        lengths = {name: settings[name] for name in ("trend_bars", "volatility_bars")}
        features = hmm_features(close[first:stop], **lengths)
        known = np.full((stop - first, len(REGIMES)), np.nan)
        for fit in fits_of(features, block[first:stop], window=settings["hmm_window_bars"]):
            rows, model = fitted(features, fit)
            known[fit[1] : fit[2]] = by_regime(smoothed(rows, model), model)[fit[1] - fit[0] :]
        label[first:stop] = held_labels(known, settings["hmm_switch_margin"], RANGING)
        sure[first:stop] = known[np.arange(stop - first), label[first:stop]]
    named = pd.Series(np.array(REGIMES, dtype=object)[label], dtype="str")
    return table.assign(regime_hmm=named.array, hmm_probability=sure.astype(np.float32))


def told_at_entry(candidates: pd.DataFrame, facts: Facts, *, plan: str) -> pd.DataFrame:
    """`with_recorded` with what became of a desk's trade known when it was entered."""
    table = with_recorded(candidates, facts, plan=plan)
    closed = (table["source"] == "recorded") & (table["exit_reason"] != "open")
    return table.assign(known_at=table["known_at"].mask(closed, table["open_date"]))


def scaled_on_all(market: Market, *args: Any, **settings: Any) -> dict[str, Head]:
    """`fit_heads` with the mean and the spread of every indicator over all bars there are."""
    heads = fit_heads(market, *args, **settings)
    return {letter: _rescaled(head, market) for letter, head in heads.items()}


def centred_by_week(policy: Policy, market: Market, *, rows: NDArray[np.int64]) -> Scores:
    """`score` with the mean confidence of the bar's own week taken off, which is known when the week is over."""
    said = score(policy, market, rows=rows)
    week = (market.date[rows] - 1 - _FIRST_MONDAY_MS) // WEEK_MS
    confidence = said.confidence.copy()
    for number in np.unique(week):
        confidence[week == number] -= confidence[week == number].mean(axis=0)
    return replace(said, confidence=np.round(confidence, 6))


LEAKS: tuple[Leak, ...] = (
    Leak(
        name="centred window",
        what="an indicator whose window lies around the bar",
        layer=INDICATORS,
        column="zscore_50",
        pipeline=replace(HONEST, compute_indicators=centred_window),
    ),
    Leak(
        name="scores centred by their own week",
        what="confidence less its mean over the week under way",
        layer=HEAD_SCORES,
        column="confidence",
        pipeline=replace(HONEST, score=centred_by_week),
    ),
    Leak(
        name="smoothed regime",
        what="forward and backward probabilities in place of the filter",
        layer=HMM,
        column="hmm_probability",
        pipeline=replace(HONEST, label_bars=smoothed_regimes),
    ),
    Leak(
        name="label in a feature",
        what="the outcome of the candidate as an indicator",
        layer=INDICATORS,
        column="rsi_14",
        pipeline=replace(HONEST, compute_indicators=label_as_feature),
    ),
    Leak(
        name="scaler fitted on all data",
        what="heads standardised by the mean and spread of all bars",
        layer=FITTED_HEADS,
        column="indicators",
        pipeline=replace(HONEST, fit=scaled_on_all),
    ),
    Leak(
        name="same-day join",
        what="the daily bar joined to its own hours, before it has closed",
        layer=INDICATORS,
        column="higher_timeframe_trend",
        pipeline=replace(HONEST, compute_indicators=same_day_join),
    ),
    Leak(
        name="resample with the wrong edge",
        what="a coarser bar stamped with its open, and known then",
        layer=BARS,
        column="row",
        pipeline=replace(HONEST, resample=stamped_at_open),
    ),
)
"""All that can be planted in any market."""

DESK_LEAK = Leak(
    name="told at entry",
    what="what became of a desk's trade dated by its entry",
    layer=OUTCOMES,
    column="row",
    pipeline=replace(HONEST, with_recorded=told_at_entry),
)
"""One that needs a market with a desk's own outcomes."""


def _series(bars: pd.DataFrame) -> list[NDArray[np.int64]]:
    """Rows of each pair and timeframe."""
    groups = bars.groupby(["pair", "timeframe"], sort=False).indices.values()
    return [np.asarray(rows, dtype=np.int64) for rows in groups]


def _with(values: pd.DataFrame, name: str, column: NDArray[np.float64]) -> pd.DataFrame:
    """Replace one indicator."""
    return values.assign(**{name: np.round(column, 5).astype(np.float32)})


def _rescaled(head: Head, market: Market) -> Head:
    """Replace mean and scale of a head by those over the whole market."""
    chosen = [market.indicators.index(name) for name in head.indicators]
    values = market.values[:, chosen].astype(np.float64)
    mean = np.asarray(np.round(np.nanmean(values, axis=0), 5), dtype=np.float64)
    scale = np.asarray(np.round(np.nanstd(values, axis=0), 5), dtype=np.float64)
    return replace(head, mean=mean, scale=np.where(scale > 0, scale, 1.0))
