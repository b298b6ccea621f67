"""Swing highs and lows, each with the bar at which it became known.

A swing high is the highest high of a rise, and nobody knows that it was one until the price has come back from it.
Here that is a close `retrace` average true ranges below it: the zigzag of the textbooks, with its hindsight written
down beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

RETRACE = 2.0


@dataclass(frozen=True)
class Swings:
    """Alternating swing highs and lows of one series of bars, in the order in which they became known.

    Parameters
    ----------
    at : ndarray of int64, shape (k,)
        Row of the extreme bar.
    price : ndarray of float64, shape (k,)
        High of a swing high, low of a swing low.
    side : ndarray of int8, shape (k,)
        +1 a swing high, -1 a swing low; the signs alternate.
    known : ndarray of int64, shape (k,)
        Row of the bar whose close confirmed the swing; always after `at`.
    """

    at: NDArray[np.int64]
    price: NDArray[np.float64]
    side: NDArray[np.int8]
    known: NDArray[np.int64]


def find_swings(bars: NDArray[np.float64], atr: NDArray[np.float64], *, retrace: float = RETRACE) -> Swings:
    """Find the swing highs and lows of one series.

    Parameters
    ----------
    bars : ndarray, shape (4, n)
        Open, high, low, close of one pair and timeframe, oldest first.
    atr : ndarray, shape (n,)
        Average true range at each bar, NaN while it warms up; in the price's unit.
    retrace : float
        How far a close has to come back from an extreme to confirm it, in average true ranges.

    Returns
    -------
    Swings
        A swing with ``known <= t`` was known at the close of bar `t`, a later one was not.

    Examples
    --------
    >>> rise_and_fall = np.array([1.0, 2.0, 3.0, 4.0, 3.0, 2.0, 1.0])
    >>> swings = find_swings(np.tile(rise_and_fall, (4, 1)), np.ones(7), retrace=2.0)
    >>> swings.at[-1], swings.price[-1], swings.known[-1]
    (np.int64(3), np.float64(4.0), np.int64(5))
    """
    at, price, side, known = _zigzag(bars[1], bars[2], bars[3], atr, retrace)
    return Swings(at=at, price=price, side=side, known=known)


@njit(cache=True, nogil=True)
def _zigzag(high: Any, low: Any, close: Any, atr: Any, retrace: float) -> Any:
    n = close.size
    at = np.empty(n, np.int64)
    price = np.empty(n, np.float64)
    side = np.empty(n, np.int8)
    known = np.empty(n, np.int64)
    count = 0
    leg = 0  # +1 rising (a top is sought), -1 falling (a bottom is sought), 0 not known yet
    top = bottom = -1
    for t in range(n):
        if not atr[t] > 0.0:
            continue
        if top < 0:
            top = bottom = t
            continue
        step = retrace * atr[t]
        if leg >= 0 and high[t] > high[top]:
            top = t
        if leg <= 0 and low[t] < low[bottom]:
            bottom = t
        # A bar that makes the extreme cannot confirm it: within a bar nobody knows what came first.
        if leg >= 0 and top < t and close[t] <= high[top] - step:
            at[count], price[count], side[count], known[count] = top, high[top], 1, t
            count += 1
            leg = -1
            bottom = top + 1 + int(np.argmin(low[top + 1 : t + 1]))
        elif leg <= 0 and bottom < t and close[t] >= low[bottom] + step:
            at[count], price[count], side[count], known[count] = bottom, low[bottom], -1, t
            count += 1
            leg = 1
            top = bottom + 1 + int(np.argmax(high[bottom + 1 : t + 1]))
    return at[:count].copy(), price[:count].copy(), side[:count].copy(), known[:count].copy()
