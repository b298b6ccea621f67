"""The regimes' names, and the compiled loops that tell them apart; each goes through the bars once, forwards."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

REGIMES: Final = ("trending_bullish", "trending_bearish", "ranging", "volatile")
BULLISH: Final = 0
BEARISH: Final = 1
RANGING: Final = 2
VOLATILE: Final = 3


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def trend_scores(returns: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Sum of the last returns over the root of their sum of squares; 0 where the price stood still."""
    z = np.full(returns.size, np.nan)
    for t in range(window, returns.size):
        total = 0.0
        squares = 0.0
        for s in range(t - window + 1, t + 1):
            total += returns[s]
            squares += returns[s] * returns[s]
        z[t] = total / math.sqrt(squares) if squares > 0 else 0.0
    return z


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def root_mean_squares(returns: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Root mean square of the last returns."""
    volatility = np.full(returns.size, np.nan)
    for t in range(window, returns.size):
        squares = 0.0
        for s in range(t - window + 1, t + 1):
            squares += returns[s] * returns[s]
        volatility[t] = math.sqrt(squares / window)
    return volatility


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def trailing_ranks(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Mid-rank of each value among the last `window` values, itself included; missing for the first quarter."""
    quantile = np.full(values.size, np.nan)
    known = 0  # values are missing at the start only
    for t in range(values.size):
        if math.isnan(values[t]):
            continue
        known += 1
        if 4 * known < window:
            continue
        depth = min(known, window)
        below = 0
        equal = 0
        for s in range(t - depth + 1, t + 1):
            below += values[s] < values[t]
            equal += values[s] == values[t]
        quantile[t] = (below + 0.5 * equal) / depth
    return quantile


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def labels_from(
    trend_z: NDArray[np.float64],
    quantile: NDArray[np.float64],
    trend_enter: float,
    trend_exit: float,
    volatility_enter: float,
    volatility_exit: float,
    min_bars: int,
    start: tuple[int, int, int, int],
) -> NDArray[np.int8]:
    """Regime codes: two Schmitt triggers, volatility before trend, then the least stay."""
    label = np.empty(trend_z.size, dtype=np.int8)
    trend, was_wild, held, age = start
    wild = was_wild == 1
    for t in range(trend_z.size):
        z = 0.0 if math.isnan(trend_z[t]) else trend_z[t]
        q = 0.0 if math.isnan(quantile[t]) else quantile[t]
        if z * trend < trend_exit:
            trend = 0
        if z >= trend_enter:
            trend = 1
        elif z <= -trend_enter:
            trend = -1
        wild = q >= volatility_enter or (wild and q >= volatility_exit)
        wanted = VOLATILE if wild else (BULLISH if trend > 0 else (BEARISH if trend < 0 else RANGING))
        if wanted != held and age >= min_bars:
            held = wanted
            age = 0
        age += 1
        label[t] = held
    return label
