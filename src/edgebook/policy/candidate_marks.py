"""Marked to market: what an open position is worth, and what each candidate was at the end of every day, traded or not.

An outcome that is credited on the day it closes is known to come before it comes: labels of one move overlap and close
over several days, and a bettor who sees the first of them knows the sign of the next. Marked daily, as a book is, what
a day brings is news, and the gate's wealth on it has no tendency to grow without an edge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.policy.market import Market
    from edgebook.policy.plan_outcomes import PlanOutcomes

    Number = TypeVar("Number", float, NDArray[np.float64])


def last_close(market: Market, pair: str, *, at: int) -> float:
    """Last close of a pair known at a moment, in milliseconds UTC."""
    return float(last_closes(market, pair, at=np.array([at]))[0])


def last_closes(market: Market, pair: str, *, at: NDArray[np.int64]) -> NDArray[np.float64]:
    """Last close of a pair known at each moment, in milliseconds UTC; before its first bar, that of the first."""
    dates, closes = market.marks[pair]
    return closes[np.maximum(np.searchsorted(dates, at, side="right") - 1, 0)]


def open_profit(last: Number, *, entry: Number, sign: Number, cost: float) -> Number:
    """Profit of an open position as a share of its notional, its entry paid for and its exit not yet.

    Parameters
    ----------
    last, entry : float or ndarray
        Prices.
    sign : float or ndarray
        1 long, -1 short.
    cost : float
        Fee and slippage of a side, a share of the notional.

    Examples
    --------
    >>> round(open_profit(98.0, entry=100.0, sign=-1.0, cost=0.001), 6)
    0.019
    """
    return sign * (last / entry - 1.0) - cost


def marked_r(
    market: Market,
    outcomes: PlanOutcomes,
    *,
    row: NDArray[np.int64],
    side: NDArray[np.int64],
    moments: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Value of candidates in R at some moments, by what was known then, before costs.

    Parameters
    ----------
    market : Market
    outcomes : PlanOutcomes
        Of the exit plan.
    row, side : ndarray of int64, shape (n,)
        Decision bar, and 0 long or 1 short; each has an entry.
    moments : ndarray of int64, shape (m,)
        Milliseconds UTC, ascending.

    Returns
    -------
    ndarray of float64, shape (n, m)
        0 before the entry, R of the fill from its close on, and between them that of the move to the last close.

    Notes
    -----
    Costs are what a trade pays. A stake against a candidate would be paid what the candidate costs: one against
    everything, which knows nothing, then led every day, and was promoted in 289 of 300 years.
    """
    entry = outcomes.open_rate[row, side]
    risk = np.abs(entry - outcomes.stop_loss_abs[row, side]) / entry
    last = np.empty((len(row), len(moments)))
    for code, pair in enumerate(market.pairs):
        mine = market.pair[row] == code
        if mine.any():
            last[mine] = last_closes(market, pair, at=moments)
    sign = np.where(side == 1, -1.0, 1.0)[:, None]
    marked = open_profit(last, entry=entry[:, None], sign=sign, cost=0.0) / risk[:, None]
    closed = outcomes.known_at[row, side][:, None] <= moments
    entered = outcomes.open_ms[row, side][:, None] < moments
    fill = outcomes.close_rate[row, side]
    final = np.nan_to_num(open_profit(fill, entry=entry, sign=sign[:, 0], cost=0.0) / risk)[:, None]
    value = np.where(closed, final, np.where(entered, marked, 0.0)).astype(np.float64)
    return np.asarray(np.round(value, 6))
