"""First touch of target, stop or time limit: one compiled pass over a series settles the whole grid of exit plans.

`resolve` scans forward once from each decision bar. `edgebook.outcomes.barriers_plain` says the same, one candidate and
one plan at a time, in Python that can be read as the rule; a test holds the two equal to the last bit. The rules are
told in `edgebook.outcomes.candidates.label_candidates` and in ``docs/engines.md``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

OPEN, TAKE_PROFIT, STOP_LOSS, TIME_EXIT = 0, 1, 2, 3
REASONS = ("open", "take_profit", "stop_loss", "time_exit")
NEVER = np.iinfo(np.int64).max
NOT_A_TIME = np.iinfo(np.int64).min
MILLISECONDS_PER_DAY = 86_400_000.0

# Ratios are kept to six decimals: what is saved is what is used, on every processor.
RATIO_SCALE = 1e6


class Series(NamedTuple):
    """Bars of one pair and timeframe as arrays, oldest first; times are milliseconds since 1970, UTC."""

    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    open_ms: np.ndarray
    close_ms: np.ndarray
    atr: np.ndarray


class Grid(NamedTuple):
    """Exit plans as arrays: sorted multiples of the ATR, and for each plan its places among them and its limit."""

    take_profit_atr: np.ndarray
    stop_loss_atr: np.ndarray
    plan_target: np.ndarray
    plan_stop: np.ndarray
    time_limit_bars: np.ndarray


class Rates(NamedTuple):
    """What trading costs, as shares of notional: each side, and a short position a day."""

    cost_ratio: float
    short_ratio_per_day: float


class Touches(NamedTuple):
    """What one scan leaves, by side (long, short) and multiple; extremes are by bar since the entry, inclusive."""

    target: np.ndarray
    stop: np.ndarray
    target_bar: np.ndarray
    stop_bar: np.ndarray
    highest: np.ndarray
    lowest: np.ndarray


class Resolved(NamedTuple):
    """Where `resolve` writes: rows are candidates, bar by bar, long before short.

    `targets` is (take-profit multiples, rows), `stops` (stop multiples, rows); the others are (plans, rows).
    """

    targets: np.ndarray
    stops: np.ndarray
    reason: np.ndarray
    close_ms: np.ndarray
    close_rate: np.ndarray
    bars_held: np.ndarray
    profit_ratio: np.ndarray
    r_multiple: np.ndarray
    mae: np.ndarray
    mfe: np.ndarray
    ambiguous: np.ndarray


def room_for(*, rows: int, targets: int, stops: int, plans: int) -> Resolved:
    """Arrays of the right shapes and types for `rows` candidates.

    Parameters
    ----------
    rows : int
        Candidates: two a decision bar.
    targets, stops : int
        Distinct multiples in the grid.
    plans : int
        Exit plans.

    Returns
    -------
    Resolved
        Not initialised.
    """
    table = (plans, rows)
    return Resolved(
        targets=np.empty((targets, rows)),
        stops=np.empty((stops, rows)),
        reason=np.empty(table, np.int8),
        close_ms=np.empty(table, np.int64),
        close_rate=np.empty(table),
        bars_held=np.empty(table, np.int16),
        profit_ratio=np.empty(table),
        r_multiple=np.empty(table),
        mae=np.empty(table),
        mfe=np.empty(table),
        ambiguous=np.empty(table, np.bool_),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _price_scale(price: float) -> float:
    """Power of ten by which a barrier near `price` is rounded to nine significant digits."""
    scale = 1e8
    while price * scale < 1e8 and scale < 1e22:
        scale *= 10.0
    while price * scale >= 1e9 and scale > 1.0:
        scale /= 10.0
    return scale


@njit(cache=True, nogil=True, error_model="numpy")
def _six_decimals(ratio: float) -> float:
    """Round a ratio as it is saved; adding 0 makes a plain zero of a negative one."""
    rounded: float = np.rint(ratio * RATIO_SCALE) / RATIO_SCALE + 0.0
    return rounded


@njit(cache=True, nogil=True, error_model="numpy")
def _set_barriers(open_rate: float, atr: float, grid: Grid, touch: Touches) -> None:
    """Put targets and stops of both sides around the entry, untouched."""
    scale = _price_scale(open_rate)
    for k in range(grid.take_profit_atr.size):
        reach = grid.take_profit_atr[k] * atr
        touch.target[0, k] = np.rint((open_rate + reach) * scale) / scale
        touch.target[1, k] = np.rint((open_rate - reach) * scale) / scale
        touch.target_bar[0, k] = touch.target_bar[1, k] = NEVER
    for k in range(grid.stop_loss_atr.size):
        reach = grid.stop_loss_atr[k] * atr
        touch.stop[0, k] = np.rint((open_rate - reach) * scale) / scale
        touch.stop[1, k] = np.rint((open_rate + reach) * scale) / scale
        touch.stop_bar[0, k] = touch.stop_bar[1, k] = NEVER


@njit(cache=True, nogil=True, error_model="numpy")
def _scan(series: Series, entry: int, bars_ahead: int, touch: Touches) -> None:
    """Walk forward until every plan is settled; note first touches and running extremes."""
    target, stop, target_bar, stop_bar = touch.target, touch.stop, touch.target_bar, touch.stop_bar
    n_targets, n_stops = target.shape[1], stop.shape[1]
    highest = lowest = series.open[entry]
    long_targets = long_stops = short_targets = short_stops = 0
    for j in range(bars_ahead):
        high = series.high[entry + j]
        low = series.low[entry + j]
        highest = max(highest, high)
        lowest = min(lowest, low)
        touch.highest[j] = highest
        touch.lowest[j] = lowest
        while long_targets < n_targets and high >= target[0, long_targets]:
            target_bar[0, long_targets] = j
            long_targets += 1
        while short_stops < n_stops and high >= stop[1, short_stops]:
            stop_bar[1, short_stops] = j
            short_stops += 1
        while long_stops < n_stops and low <= stop[0, long_stops]:
            stop_bar[0, long_stops] = j
            long_stops += 1
        while short_targets < n_targets and low <= target[1, short_targets]:
            target_bar[1, short_targets] = j
            short_targets += 1
        if (long_targets == n_targets or long_stops == n_stops) and (
            short_targets == n_targets or short_stops == n_stops
        ):
            return


@njit(cache=True, nogil=True, error_model="numpy")
def resolve(series: Series, decisions: np.ndarray, grid: Grid, rates: Rates, first_row: int, out: Resolved) -> None:
    """Settle both sides of every decision bar under every exit plan, in one forward scan a bar.

    Parameters
    ----------
    series : Series
        One pair and timeframe, n bars.
    decisions : ndarray of int64
        Bars with a usable ATR and a next bar, ascending.
    grid : Grid
        The exit plans.
    rates : Rates
        What trading costs.
    first_row : int
        Row of `out` that takes the first candidate.
    out : Resolved
        Written in place from `first_row` on, two rows a decision bar.

    Notes
    -----
    A scan keeps the running extremes of high and low and, for each distinct multiple, the bar that first touched it;
    multiples are sorted, so one pointer a barrier is enough. It ends once both sides have touched all their stops or
    all their targets, or at the longest limit. Each plan is then a look-up. No fast-math: sums and products are
    taken in the order written, so that every processor gives the same bits.
    """
    n = series.close.size
    n_plans = grid.time_limit_bars.size
    # Loops over scalars throughout: array expressions would double the time that a fresh clone takes to compile this.
    longest = 0
    for plan in range(n_plans):
        longest = max(longest, grid.time_limit_bars[plan])
    touch = Touches(
        np.empty((2, grid.take_profit_atr.size)),
        np.empty((2, grid.stop_loss_atr.size)),
        np.empty((2, grid.take_profit_atr.size), np.int64),
        np.empty((2, grid.stop_loss_atr.size), np.int64),
        np.empty(longest),
        np.empty(longest),
    )
    for place in range(decisions.size):
        entry = decisions[place] + 1
        open_rate = series.open[entry]
        bars_ahead = min(longest, n - entry)
        _set_barriers(open_rate, series.atr[entry - 1], grid, touch)
        _scan(series, entry, bars_ahead, touch)
        for side in range(2):
            sign = 1.0 - 2.0 * side
            row = first_row + 2 * place + side
            for k in range(grid.take_profit_atr.size):
                out.targets[k, row] = touch.target[side, k]
            for k in range(grid.stop_loss_atr.size):
                out.stops[k, row] = touch.stop[side, k]
            for plan in range(n_plans):
                target = touch.target[side, grid.plan_target[plan]]
                stop = touch.stop[side, grid.plan_stop[plan]]
                target_bar = touch.target_bar[side, grid.plan_target[plan]]
                stop_bar = touch.stop_bar[side, grid.plan_stop[plan]]
                limit = grid.time_limit_bars[plan]
                last = min(target_bar, stop_bar)
                best = worst = 0.0
                ambiguous = False
                if last < limit:
                    # Of the exit bar, only its open is known to come before the exit.
                    exit_open = series.open[entry + last]
                    if last > 0:
                        up, down = touch.highest[last - 1] - open_rate, touch.lowest[last - 1] - open_rate
                        best = max(up if side == 0 else -down, sign * (exit_open - open_rate))
                        worst = min(down if side == 0 else -up, sign * (exit_open - open_rate))
                    if stop_bar <= target_bar:
                        gapped = sign * (exit_open - stop) <= 0.0
                        reason, rate = STOP_LOSS, exit_open if gapped else stop
                        ambiguous = stop_bar == target_bar and not gapped
                        worst = sign * (rate - open_rate)
                    else:
                        reason, rate = TAKE_PROFIT, target
                        best = sign * (rate - open_rate)
                else:
                    reason, rate, last = OPEN, np.nan, bars_ahead - 1
                    if limit <= bars_ahead:
                        reason, rate, last = TIME_EXIT, series.close[entry + limit - 1], limit - 1
                    up, down = touch.highest[last] - open_rate, touch.lowest[last] - open_rate
                    best, worst = (up, down) if side == 0 else (-down, -up)

                risk = abs(open_rate - stop)
                out.reason[plan, row] = reason
                out.bars_held[plan, row] = last + 1
                out.close_rate[plan, row] = rate
                out.ambiguous[plan, row] = ambiguous
                out.mae[plan, row] = _six_decimals(worst / risk)
                out.mfe[plan, row] = _six_decimals(best / risk)
                close_ms = series.close_ms[entry + last]
                growth = rate / open_rate
                profit = sign * (growth - 1.0) - rates.cost_ratio * (1.0 + growth)
                if side == 1:
                    days = (close_ms - series.open_ms[entry]) / MILLISECONDS_PER_DAY
                    profit -= rates.short_ratio_per_day * days
                out.close_ms[plan, row] = NOT_A_TIME if reason == OPEN else close_ms
                out.profit_ratio[plan, row] = _six_decimals(profit)
                out.r_multiple[plan, row] = _six_decimals(profit * open_rate / risk)
