"""How soon a label follows the truth: on a simulated market whose truth is known, and on real bars in hindsight."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.regimes.regime_hmm import rule_settings
from edgebook.regimes.regimes import BEARISH, BULLISH, RANGING, REGIMES, VOLATILE, label_regimes, segment
from edgebook.statistics.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_LEAST_SPELL = 24


def switching_market(
    *, bars: int, seed: int, stay_bars: int = 150, rough: bool = False
) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Hourly closes of a market that switches between four states, and the state of every bar.

    Parameters
    ----------
    bars : int
        Length.
    seed : int
        Of the market.
    stay_bars : int
        Mean length of a spell, none below 24.
    rough : bool
        The noise has the tails of Student's t with four degrees of freedom, and its level wanders: the logarithm with a
        standard deviation of 0.4 and a memory of 1,500 bars. A clean market has Gaussian noise of one level.

    Returns
    -------
    DataFrame, ndarray of int64
        Bars as `segment` takes them, and positions in `REGIMES`. A trend drifts by 0.2 of the noise a bar, a volatile
        spell has 2.5 times the noise; the odds of the next state are 25, 25, 35 and 15 %.
    """
    rng = np.random.default_rng(seed)
    truth = np.empty(bars, dtype=np.int64)
    at, state = 0, RANGING
    while at < bars:
        length = _LEAST_SPELL + int(rng.geometric(1 / (stay_bars - _LEAST_SPELL)))
        truth[at : at + length] = state
        at += length
        odds = np.where(np.arange(4) == state, 0.0, [0.25, 0.25, 0.35, 0.15])
        state = int(rng.choice(4, p=odds / odds.sum()))
    drift = np.array([0.2, -0.2, 0.0, 0.0])[truth]
    noise = np.array([1.0, 1.0, 1.0, 2.5])[truth]
    shocks = rng.standard_normal(bars)
    level = np.ones(bars)
    if rough:
        shocks = shocks * np.sqrt(2 / rng.chisquare(4, bars))  # unit variance
        level = _wandering(rng, bars=bars, memory_bars=1_500, spread=0.4)
    close = np.round(100 * np.exp(np.cumsum(0.008 * level * (drift + noise * shocks))), 6)
    dates = pd.date_range("2017-01-02", periods=bars, freq="h", tz="UTC").as_unit("ms")
    return pd.DataFrame({"pair": "simulated", "timeframe": "1h", "date": dates, "close": close}), truth


def _wandering(rng: np.random.Generator, *, bars: int, memory_bars: int, spread: float) -> NDArray[np.float64]:
    """Exponential of a stationary first-order autoregression."""
    keep = 1 - 1 / memory_bars
    steps = spread * rng.standard_normal(bars) * np.sqrt(1 - keep**2)
    logs = np.empty(bars)
    logs[0] = spread * rng.standard_normal()
    for t in range(1, bars):
        logs[t] = keep * logs[t - 1] + steps[t]
    return np.exp(logs)


def regime_codes(regimes: pd.Series) -> NDArray[np.int64]:
    """Positions of names in `REGIMES`."""
    return np.asarray(pd.Categorical(regimes, categories=list(REGIMES)).codes, dtype=np.int64)


def balanced_accuracy(truth: NDArray[np.int64], label: NDArray[np.int64]) -> float:
    """Mean over the states that occur of the share of their bars that bear their label; 0.25 by chance."""
    return float(np.mean([(label[truth == state] == state).mean() for state in np.unique(truth)]))


def simulated_lag(settings: Mapping[str, Any], *, bars: int = 12_000, seeds: int = 4) -> pd.DataFrame:
    """Lag of the rule on markets whose truth is known.

    Parameters
    ----------
    settings : mapping
        Section `regimes` of params.yaml; those of the rule count.
    bars, seeds : int
        Length and number of the markets.

    Returns
    -------
    DataFrame
        As `lag_by_regime`, over all markets, and `balanced_accuracy` (the same in each row).
    """
    truths, labels = [], []
    for seed in range(seeds):
        market, truth = switching_market(bars=bars, seed=seed)
        truths.append(truth)
        labels.append(regime_codes(segment(market, **rule_settings(settings))["regime"]))
    table = lag_by_regime(truths, labels)
    accuracy = balanced_accuracy(np.concatenate(truths), np.concatenate(labels))
    return table.assign(balanced_accuracy=round(accuracy, 4))


def hindsight_lag(regimes: pd.DataFrame, *, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Lag of the causal label behind the same rule on windows centred on the bar.

    Parameters
    ----------
    regimes : DataFrame
        As `segment` returns it.
    settings : mapping
        Section `regimes` of params.yaml; those of the rule count.

    Returns
    -------
    DataFrame
        As `lag_by_regime`, over all series.

    Notes
    -----
    The centred windows see half a window of the future, so this is a yardstick and nothing is traded on it. Warm-up
    and the last half window are left out.
    """
    truths, labels = [], []
    for _, own in regimes.groupby(["pair", "timeframe"], sort=False, observed=True):
        z, quantile = own["trend_z"].to_numpy(np.float64), own["volatility_quantile"].to_numpy(np.float64)
        centred = _label(
            _ahead(z, bars=settings["trend_bars"] // 2),
            _ahead(quantile, bars=settings["volatility_bars"] // 2),
            settings,
        )
        known = np.flatnonzero(np.isfinite(z) & np.isfinite(quantile))
        if len(known) > settings["trend_bars"]:
            inside = slice(known[0], len(own) - settings["trend_bars"] // 2)
            truths.append(centred[inside].astype(np.int64))
            labels.append(regime_codes(own["regime"])[inside])
    return lag_by_regime(truths, labels)


def lag_by_regime(truths: list[NDArray[np.int64]], labels: list[NDArray[np.int64]]) -> pd.DataFrame:
    """How many bars into a true spell the label first agrees.

    Parameters
    ----------
    truths, labels : list of ndarray of int
        One array a series, positions in `REGIMES`; the two of a series have equal length.

    Returns
    -------
    DataFrame
        One row a regime: regime, n (true spells that begin inside the series), found (share that the label reached
        before they ended, with low and high, Wilson), lag_bars, lag_p25 and lag_p75 (of those found).

    Examples
    --------
    >>> truth = np.array([2, 2, 0, 0, 0, 0, 2, 2])
    >>> label = np.array([2, 2, 2, 2, 0, 0, 0, 2])
    >>> lag_by_regime([truth], [label])[["regime", "n", "found", "lag_bars"]].iloc[[0, 2]].values.tolist()
    [['trending_bullish', 1, 1.0, 2.0], ['ranging', 1, 1.0, 1.0]]
    """
    lags: dict[int, list[float]] = {state: [] for state in (BULLISH, BEARISH, RANGING, VOLATILE)}
    for truth, label in zip(truths, labels, strict=True):
        edges = np.append(np.flatnonzero(np.diff(truth) != 0) + 1, len(truth))
        for start, stop in pairwise(edges):
            agreed = np.flatnonzero(label[start:stop] == truth[start])
            lags[int(truth[start])].append(float(agreed[0]) if agreed.size else np.nan)
    rows = []
    for state, found in lags.items():
        waits = np.array(found)
        reached = waits[np.isfinite(waits)]
        share = reached.size / waits.size if waits.size else np.nan
        low, high = wilson(share, n=waits.size)
        middle = np.quantile(reached, [0.5, 0.25, 0.75]) if reached.size else np.full(3, np.nan)
        rows.append((REGIMES[state], waits.size, share, low, high, *middle))
    columns = ["regime", "n", "found", "low", "high", "lag_bars", "lag_p25", "lag_p75"]
    return pd.DataFrame(rows, columns=columns).round(4)


def _label(
    trend_z: NDArray[np.float64], quantile: NDArray[np.float64], settings: Mapping[str, Any]
) -> NDArray[np.int8]:
    names = ("trend_z_enter", "trend_z_exit", "volatility_enter", "volatility_exit", "min_bars")
    return label_regimes(trend_z, quantile, **{name: settings[name] for name in names})


def _ahead(values: NDArray[np.float64], *, bars: int) -> NDArray[np.float64]:
    """Value that is known `bars` later; the last ones are missing."""
    return np.concatenate([values[bars:], np.full(min(bars, len(values)), np.nan)])
