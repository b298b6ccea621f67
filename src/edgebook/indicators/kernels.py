"""Compiled loops for what TA-Lib does not compute; each goes through the bars once, forwards."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def supertrend_line(high: Any, low: Any, close: Any, atr: Any, multiple: float) -> Any:
    """Line that trails the middle of the bar by `multiple` ATR and changes side when the close crosses it.

    Returns an array of the same length, NaN while the ATR warms up.
    """
    n = close.size
    line = np.full(n, np.nan)
    rising = True
    upper = lower = np.nan
    for t in range(n):
        if np.isnan(atr[t]):
            continue
        middle = (high[t] + low[t]) / 2.0
        above, below = middle + multiple * atr[t], middle - multiple * atr[t]
        if np.isnan(upper):
            upper, lower = above, below
        else:
            # A band only tightens, unless the close before was already beyond it.
            upper = above if above < upper or close[t - 1] > upper else upper
            lower = below if below > lower or close[t - 1] < lower else lower
            if rising and close[t] < lower:
                rising = False
            elif not rising and close[t] > upper:
                rising = True
        line[t] = lower if rising else upper
    return line


@njit(cache=True, nogil=True)
def decayed_sum(events: Any, half_life: float) -> Any:
    """Sum of all events so far, each halved every `half_life` bars."""
    keep = 0.5 ** (1.0 / half_life)
    total = np.empty(events.size)
    running = 0.0
    for t in range(events.size):
        running = running * keep + events[t]
        total[t] = running
    return total


@njit(cache=True, nogil=True)
def last_swings(at: Any, price: Any, swing_side: Any, known: Any, n: int) -> Any:
    """Last known swing high, last known swing low, and side of the later of the two, at each of `n` bars.

    Returns an array of shape (3, n); NaN (side 0) before there is one.
    """
    last = np.full((3, n), np.nan)
    top = bottom = np.nan
    later = 0
    j = 0
    for t in range(n):
        while j < at.size and known[j] <= t:
            if swing_side[j] > 0:
                top = price[j]
            else:
                bottom = price[j]
            later = swing_side[j]
            j += 1
        last[0, t], last[1, t], last[2, t] = top, bottom, later
    return last


@njit(cache=True, nogil=True)
def pivot_of_last_period(high: Any, low: Any, close: Any, period: Any) -> Any:
    """Mean of high, low and close of the last whole period before each bar's own.

    `period` numbers the day or week in which each bar closed. NaN in the first one.
    """
    n = close.size
    pivot = np.full(n, np.nan)
    last = np.nan
    top, bottom = high[0], low[0]
    for t in range(n):
        if t > 0 and period[t] != period[t - 1]:
            last = (top + bottom + close[t - 1]) / 3.0
            top, bottom = high[t], low[t]
        top, bottom = max(top, high[t]), min(bottom, low[t])
        pivot[t] = last
    return pivot


@njit(cache=True, nogil=True)
def slot_strength(returns: Any, own_slot: Any, slots: int, bars: int, least: int) -> Any:
    """Mean over standard error of the last `bars` returns in the slot of the bar to come.

    Which slot that is, the market taught: the one that came after this bar's slot the last time. So nights and
    weekends need no calendar. 0 with fewer than `least` returns in the slot; NaN until any slot has as many.
    """
    n = returns.size
    strength = np.full(n, np.nan)
    ring = np.zeros((slots, bars))
    seen = np.zeros(slots, np.int64)
    most = 0
    follows = np.full(slots, -1)
    for t in range(n):
        slot = own_slot[t]
        if t > 0:
            follows[own_slot[t - 1]] = slot
        if not np.isnan(returns[t]):
            ring[slot, seen[slot] % bars] = returns[t]
            seen[slot] += 1
            most = max(most, seen[slot])
        if most < least:
            continue
        strength[t] = 0.0
        slot = follows[slot]
        count = min(seen[slot], bars) if slot >= 0 else 0
        if count >= least:
            mean = ring[slot, :count].sum() / count
            variance = ((ring[slot, :count] - mean) ** 2).sum() / (count - 1)
            if variance > 0.0:
                strength[t] = mean / np.sqrt(variance / count)
    return strength


@njit(cache=True, nogil=True)
def mean_of_others(table: Any) -> Any:
    """Mean of each row's other known entries; 0 where there are none, NaN where the entry itself is missing."""
    times, symbols = table.shape
    found = np.full((times, symbols), np.nan)
    for t in range(times):
        for k in range(symbols):
            if np.isnan(table[t, k]):
                continue
            # Added one by one, not "all less own": that would leave a rounding error which looks like a small move.
            total, count = 0.0, 0
            for other in range(symbols):
                if other != k and not np.isnan(table[t, other]):
                    total += table[t, other]
                    count += 1
            found[t, k] = total / count if count > 0 else 0.0
    return found


@njit(cache=True, nogil=True)
def ranks_in_rows(table: Any) -> Any:
    """Rank of each entry among the known ones of its row, from -1 to 1; ties share, alone is 0, missing is NaN."""
    times, symbols = table.shape
    found = np.full((times, symbols), np.nan)
    for t in range(times):
        known = np.sort(table[t][~np.isnan(table[t])])
        rivals = max(known.size - 1, 1)
        for k in range(symbols):
            if not np.isnan(table[t, k]):
                below = np.searchsorted(known, table[t, k], side="left")
                over = known.size - np.searchsorted(known, table[t, k], side="right")
                found[t, k] = (below - over) / rivals
    return found
