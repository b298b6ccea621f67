"""What the signals of a trial earn, a day at a time, under the rules of the book."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from edgebook.arms.book import MIN_STAKE_SHARE
from edgebook.policy.market import DAY_MS, NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.policy.market import Market
    from edgebook.settings.params import Sizing

R_DIGITS = 2


class Outcome(NamedTuple):
    """What a trial earned: net R of each day, signals that found room in the book and have closed."""

    daily_r: NDArray[np.float64]
    trades: int


def daily_r(
    market: Market,
    plan_name: str,
    *,
    row: NDArray[np.int64],
    side: NDArray[np.int64],
    confidence: NDArray[np.float64],
    sizing: Sizing,
    since: int,
    until: int,
) -> Outcome:
    """Net R of each day of the signals that the book has room for.

    Parameters
    ----------
    market : Market
    plan_name : str
    row, side : ndarray, shape (n,)
        Signals, any order.
    confidence : ndarray, shape (n,)
        Orders signals of the same moment, as in the book.
    sizing : Sizing
    since, until : int
        Milliseconds UTC, midnights. What became known after `until` earns nothing, and holds its place.

    Returns
    -------
    Outcome
        In R of a full position, rounded to two digits; a position that the leverage cap made smaller counts as much
        less.
    """
    plan = market.simulated[plan_name]
    order = np.lexsort((side, market.timeframe[row], market.pair[row], -confidence, plan.open_ms[row, side]))
    row, side = row[order], side[order]
    known_at = np.where(plan.known_at[row, side] <= until, plan.known_at[row, side], NEVER)
    entry = plan.open_rate[row, side]
    share = _fill(
        plan.open_ms[row, side],
        known_at,
        market.pair[row].astype(np.int64),
        market.timeframe[row].astype(np.int64),
        np.abs(entry - plan.stop_loss_abs[row, side]) / entry,
        sizing.risk_per_trade,
        sizing.max_positions,
        sizing.max_positions_per_pair,
        sizing.max_total_risk,
        sizing.max_leverage,
    )
    taken = (share > 0) & (known_at < NEVER)
    earned = share[taken] * plan.r_multiple[row[taken], side[taken]]
    day = (known_at[taken] - 1 - since) // DAY_MS
    daily = np.bincount(day, weights=earned, minlength=(until - since) // DAY_MS).astype(np.float64)
    return Outcome(np.round(daily, R_DIGITS) + 0.0, int(taken.sum()))


@njit(cache=True, nogil=True)
def _fill(
    open_ms: NDArray[np.int64],
    known_at: NDArray[np.int64],
    pair: NDArray[np.int64],
    timeframe: NDArray[np.int64],
    distance: NDArray[np.float64],
    risk_per_trade: float,
    max_positions: int,
    max_positions_per_pair: int,
    max_total_risk: float,
    max_leverage: float,
) -> NDArray[np.float64]:
    """Share of its full size that each signal gets, in order of entry; the book's rules at constant cash."""
    share = np.zeros(open_ms.size)
    held = np.zeros(max_positions, np.int64)
    count = 0
    for i in range(open_ms.size):
        kept = 0
        for j in range(count):
            if known_at[held[j]] > open_ms[i]:
                held[kept] = held[j]
                kept += 1
        count = kept
        same_pair, same_series, at_risk, stakes = 0, False, 0.0, 0.0
        for j in range(count):
            other = held[j]
            if pair[other] == pair[i]:
                same_pair += 1
                same_series = same_series or timeframe[other] == timeframe[i]
            at_risk += share[other] * risk_per_trade
            stakes += share[other] * risk_per_trade / distance[other]
        if count >= max_positions or same_pair >= max_positions_per_pair or same_series:
            continue
        if at_risk + risk_per_trade > max_total_risk * (1 + 1e-9):
            continue
        size = min(1.0, (max_leverage - stakes) * distance[i] / risk_per_trade)
        if size < MIN_STAKE_SHARE:
            continue
        share[i] = size
        held[count] = i
        count += 1
    return share
