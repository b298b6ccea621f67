"""The regime of every bar by a hidden Markov model, fitted on the past and read forward: the rule's alternative.

Four Gaussian states see what the rule judges, the trend's z-score and the logarithm of volatility. On a fixed calendar
the model is fitted again to a window of past bars alone; between two fits each bar adds itself to the filtered
probabilities of the states. States are named by a rule, and a name is left only for one that is likelier by a margin.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numba import njit

from edgebook.errors import SettingsError
from edgebook.regimes.regime_hmm_em import STAY_BARS, GaussianHmm, filtered, fit_hmm, smoothed
from edgebook.regimes.regimes import group_starts, positive_closes, segment
from edgebook.regimes.regimes_kernels import (
    BEARISH,
    BULLISH,
    RANGING,
    REGIMES,
    VOLATILE,
    root_mean_squares,
    trend_scores,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

STATES: Final = 4
WARM_UP_SHARE: Final = 1 / 8
"""Of the window: bars that must be known before the first fit."""
RULE_SETTINGS: Final = (
    "trend_bars", "trend_z_enter", "trend_z_exit", "volatility_bars", "volatility_window_bars", "volatility_enter",
    "volatility_exit", "min_bars",
)  # fmt: skip
HMM_SETTINGS: Final = ("trend_bars", "volatility_bars", "hmm_window_bars", "hmm_refit_weeks", "hmm_switch_margin")
_WEEK_MS: Final = 7 * 86_400_000
_FIRST_MONDAY_MS: Final = 4 * 86_400_000  # 1970-01-05
_LEAST_VOLATILITY: Final = 1e-6


def rule_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those settings of the section `regimes` that `segment` takes."""
    return {name: settings[name] for name in RULE_SETTINGS}


def hmm_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those settings of the section `regimes` that `segment_hmm` takes."""
    return {name: settings[name] for name in HMM_SETTINGS}


def label_bars(bars: pd.DataFrame, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Label every bar both ways: the table data/regimes.parquet.

    Parameters
    ----------
    bars : DataFrame
        As `segment` takes them.
    settings : mapping
        Section `regimes` of params.yaml.

    Returns
    -------
    DataFrame
        Columns of `segment`, untouched, then `regime_hmm` and `hmm_probability` of `segment_hmm`.
    """
    rule = segment(bars, **rule_settings(settings))
    hmm = segment_hmm(bars, **hmm_settings(settings))
    return rule.assign(regime_hmm=hmm["regime"].array, hmm_probability=hmm["probability"].array)


def segment_hmm(
    bars: pd.DataFrame,
    *,
    trend_bars: int,
    volatility_bars: int,
    hmm_window_bars: int,
    hmm_refit_weeks: int,
    hmm_switch_margin: float,
    hindsight: bool = False,
) -> pd.DataFrame:
    """Label every bar with the state that a hidden Markov model, fitted earlier, finds likeliest.

    Parameters
    ----------
    bars : DataFrame
        Columns pair, timeframe, date (UTC close time) and close; sorted by pair, timeframe, date.
    trend_bars, volatility_bars : int
        Lengths in bars of the two features, as in `segment`.
    hmm_window_bars : int
        A fit sees at most so many bars before its Monday; an eighth of it is the warm-up.
    hmm_refit_weeks : int
        Weeks between two fits, counted from 1970-01-05, so that a longer history has the same Mondays.
    hmm_switch_margin : float
        The label changes to another only when that is likelier by this much; 0 to below 1.
    hindsight : bool
        Also tell what the same fits say by smoothed probabilities, which see the bars up to the next fit: to show what
        that fakes, never to trade.

    Returns
    -------
    DataFrame
        Row-aligned with `bars`: pair, timeframe, date, regime (one of `REGIMES`, "ranging" in the warm-up) and
        probability (float32, of that regime at that bar; missing in the warm-up). With `hindsight` also
        regime_smoothed.

    Raises
    ------
    DataError
        The bars are not sorted, or a close is not positive and finite.
    SettingsError
        A length or the margin is impossible.

    Notes
    -----
    Features are the rule's own because returns themselves, with or without their size, gave states of volatility
    alone and the worst accuracy on simulated truth (docs/decisions.md). They overlap from bar to bar, so the
    probabilities are surer of themselves than they should be: `probability` ranks bars, it is not calibrated. A fit
    starts from the same split of its own window each time, draws nothing at random, and is rounded before it is used.
    Filtered probabilities agree with a sum over all paths, and with a plain loop (tests/test_regime_hmm.py).

    References
    ----------
    Hamilton 1989, Econometrica 57(2), section 4 (the filter); Rabiner 1989, Proc. IEEE 77(2) (the fit).
    """
    _check(
        hmm_window_bars=hmm_window_bars, hmm_refit_weeks=hmm_refit_weeks, hmm_switch_margin=hmm_switch_margin,
        longest=max(trend_bars, volatility_bars),
    )  # fmt: skip
    starts = group_starts(bars)
    close = positive_closes(bars)
    block = fit_blocks(pd.DatetimeIndex(bars["date"]).as_unit("ms").asi8, hmm_refit_weeks=hmm_refit_weeks)
    label = np.full(len(bars), RANGING, dtype=np.int8)
    later = label.copy()
    probability = np.full(len(bars), np.nan)
    for first, stop in pairwise(starts):
        features = hmm_features(close[first:stop], trend_bars=trend_bars, volatility_bars=volatility_bars)
        by_name = np.full((stop - first, len(REGIMES)), np.nan)
        ahead = by_name.copy()
        for fit in fits_of(features, block[first:stop], window=hmm_window_bars):
            rows, model = fitted(features, fit)
            by_name[fit[1] : fit[2]] = by_regime(filtered(rows, model), model)[fit[1] - fit[0] :]
            if hindsight:
                ahead[fit[1] : fit[2]] = by_regime(smoothed(rows, model), model)[fit[1] - fit[0] :]
        label[first:stop] = held_labels(by_name, hmm_switch_margin, RANGING)
        later[first:stop] = held_labels(ahead, hmm_switch_margin, RANGING)
        probability[first:stop] = by_name[np.arange(stop - first), label[first:stop]]
    names = np.array(REGIMES, dtype=object)
    found = pd.DataFrame(
        {
            "pair": bars["pair"].to_numpy(),
            "timeframe": bars["timeframe"].to_numpy(),
            "date": bars["date"].array,
            "regime": names[label],
            "probability": probability.astype(np.float32),
        }
    ).astype({"pair": "str", "timeframe": "str", "regime": "str"})
    return found.assign(regime_smoothed=names[later]).astype({"regime_smoothed": "str"}) if hindsight else found


def hmm_features(close: NDArray[np.float64], *, trend_bars: int, volatility_bars: int) -> NDArray[np.float64]:
    """Trend z-score and log volatility of one series, rounded; shape (n, 2), missing in the warm-up."""
    returns = np.round(np.diff(np.log(close), prepend=np.nan), 10)
    volatility = np.maximum(root_mean_squares(returns, volatility_bars), _LEAST_VOLATILITY)
    return np.round(np.column_stack([trend_scores(returns, trend_bars), np.log(volatility)]), 6)


def fit_blocks(closed_ms: NDArray[np.int64], *, hmm_refit_weeks: int) -> NDArray[np.int64]:
    """Number of the stretch of weeks in which each bar closed, milliseconds UTC; Monday 00:00 ends a stretch."""
    found: NDArray[np.int64] = (closed_ms - 1 - _FIRST_MONDAY_MS) // (_WEEK_MS * hmm_refit_weeks)
    return found


def start_values(rows: NDArray[np.float64]) -> GaussianHmm:
    """Where a fit starts: the 15 % most volatile rows, and the rest split by trend at 30 and 70 %.

    Parameters
    ----------
    rows : ndarray, shape (n, 2)
        Standardised features.
    """
    wild = rows[:, 1] >= np.quantile(rows[:, 1], 0.85)
    low, high = np.quantile(rows[~wild, 0], [0.3, 0.7]) if (~wild).any() else (0.0, 0.0)
    group = np.where(wild, VOLATILE, np.where(rows[:, 0] >= high, BULLISH, np.where(rows[:, 0] <= low, BEARISH, 2)))
    mean, variance = np.zeros((STATES, 2)), np.ones((STATES, 2))
    for state in range(STATES):
        own = rows[group == state]
        if len(own):
            mean[state], variance[state] = own.mean(axis=0), own.var(axis=0) + 0.05
    move = np.full((STATES, STATES), 1 / STAY_BARS / (STATES - 1))
    np.fill_diagonal(move, 1 - 1 / STAY_BARS)
    return GaussianHmm(np.full(STATES, 1 / STATES), move, np.round(mean, 6), np.round(variance, 6))


def state_names(mean: NDArray[np.float64]) -> NDArray[np.int64]:
    """Position in `REGIMES` of each state.

    Parameters
    ----------
    mean : ndarray, shape (states, 2)
        Trend and log volatility of each state.

    Returns
    -------
    ndarray of int64, shape (states,)
        The most volatile state is `volatile`; of the rest the highest trend is `trending_bullish`, the lowest
        `trending_bearish`, any other `ranging`.

    Examples
    --------
    >>> state_names(np.array([[0.1, -1.0], [0.9, -0.2], [-0.2, 2.0], [-0.8, 0.1]])).tolist()
    [2, 0, 3, 1]
    """
    names = np.full(len(mean), RANGING, dtype=np.int64)
    wildest = int(np.argmax(mean[:, 1]))
    rest = [state for state in range(len(mean)) if state != wildest]
    names[wildest] = VOLATILE
    names[min(rest, key=lambda state: float(mean[state, 0]))] = BEARISH
    names[max(rest, key=lambda state: float(mean[state, 0]))] = BULLISH
    return names


def fits_of(features: NDArray[np.float64], block: NDArray[np.int64], *, window: int) -> list[tuple[int, int, int]]:
    """First row that a fit sees, the first that it labels (the end of what it sees), and the end of those.

    Parameters
    ----------
    features : ndarray, shape (n, 2)
        Missing at the start alone.
    block : ndarray of int64, shape (n,)
        Number of the stretch of weeks in which a bar closed; a new one asks for a new fit.
    window : int
        Most rows that a fit sees.
    """
    known = np.isfinite(features).all(axis=1)
    if not known.any():
        return []
    first = int(np.argmax(known))
    ready = first + int(np.ceil(window * WARM_UP_SHARE))
    if ready >= len(features):
        return []
    turns = np.flatnonzero(np.diff(block) != 0) + 1
    edges = [ready, *turns[turns > ready].tolist(), len(features)]
    return [(max(first, at - window), at, stop) for at, stop in pairwise(edges)]


def fitted(features: NDArray[np.float64], fit: tuple[int, int, int]) -> tuple[NDArray[np.float64], GaussianHmm]:
    """Standardised rows that one fit sees and labels, and its model; `fit` is one of `fits_of`."""
    first, at, stop = fit
    seen = features[first:at]
    centre, scale = np.round(seen.mean(axis=0), 6), np.round(np.maximum(seen.std(axis=0), 1e-3), 6)
    rows = (features[first:stop] - centre) / scale
    return rows, fit_hmm(rows[: at - first], start_values(rows[: at - first]))


def by_regime(by_state: NDArray[np.float64], model: GaussianHmm) -> NDArray[np.float64]:
    """Probabilities of the states, added by their names: columns in the order of `REGIMES`, rounded."""
    found = np.zeros((len(by_state), len(REGIMES)))
    for state, name in enumerate(state_names(model.mean)):
        found[:, name] += by_state[:, state]
    return np.round(found, 5)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def held_labels(probability: NDArray[np.float64], margin: float, held: int) -> NDArray[np.int8]:
    """Likeliest regime of each bar; the one before it, at first `held`, is kept unless another leads by the margin."""
    label = np.empty(len(probability), dtype=np.int8)
    for t in range(len(probability)):
        if not np.isnan(probability[t, 0]):
            best = held
            for k in range(probability.shape[1]):
                if probability[t, k] > probability[t, best]:
                    best = k
            if probability[t, best] >= probability[t, held] + margin:
                held = best
        label[t] = held
    return label


def _check(*, hmm_window_bars: int, hmm_refit_weeks: int, hmm_switch_margin: float, longest: int) -> None:
    """Refuse lengths and margins that cannot be."""
    if hmm_window_bars < 8 * longest:
        raise SettingsError(
            f"regimes.hmm_window_bars: {hmm_window_bars} is below {8 * longest}, eight times the longest feature; "
            "give more bars"
        )
    if hmm_refit_weeks < 1:
        raise SettingsError(f"regimes.hmm_refit_weeks: {hmm_refit_weeks} is below 1; give a number of weeks")
    if not 0 <= hmm_switch_margin < 1:
        raise SettingsError(f"regimes.hmm_switch_margin: {hmm_switch_margin} must be in [0, 1)")
