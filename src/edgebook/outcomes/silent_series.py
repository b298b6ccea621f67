"""Series that have ended: what is still open when a symbol is no longer quoted.

A share that is delisted, or a coin that is dropped, would leave positions open for ever: they would hold their room in
the book and never be learned from. Ten days after its last bar, while others go on, such a series is closed at its
last close, as a time exit that is known from then on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.outcomes.barriers import MILLISECONDS_PER_DAY, OPEN, RATIO_SCALE, TIME_EXIT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.outcomes.barriers import Grid, Rates, Resolved, Series

SILENT_MS = 10 * 86_400_000
"""Longer than any holiday of the sample markets (the exchange was closed for seven days in September 2001)."""


def close_silent(
    series: list[Series],
    decisions: list[NDArray[np.int64]],
    *,
    rows: NDArray[np.int64],
    grid: Grid,
    rates: Rates,
    out: Resolved,
) -> None:
    """Settle, in place, what is open in series that ended ten days before the others.

    Parameters
    ----------
    series : list of Series
    decisions : list of ndarray
        Decision bars of each series.
    rows : ndarray, shape (series + 1,)
        First row of each series in `out`, two rows a decision, long before short.
    grid : Grid
    rates : Rates
    out : Resolved
        What the compiled pass wrote; only open rows are changed.

    Notes
    -----
    The exit is at the last close, the time ten days after it, when the silence has become known. A series that falls
    silent for longer and comes back is settled by its later bars instead; no sample market has one.
    """
    if not series:
        return
    now = max(int(one.close_ms[-1]) for one in series)
    for one, decided, first, stop in zip(series, decisions, rows[:-1], rows[1:], strict=True):
        known_at = int(one.close_ms[-1]) + SILENT_MS
        if known_at > now or first == stop:
            continue
        entry, entry_ms = np.repeat(one.open[decided + 1], 2), np.repeat(one.open_ms[decided + 1], 2)
        sign = np.tile([1.0, -1.0], len(decided))
        growth = one.close[-1] / entry
        days = (int(one.close_ms[-1]) - entry_ms) / MILLISECONDS_PER_DAY
        profit = sign * (growth - 1.0) - rates.cost_ratio * (1.0 + growth)
        profit -= np.where(sign < 0, rates.short_ratio_per_day * days, 0.0)
        for plan in range(out.reason.shape[0]):
            mine = np.flatnonzero(out.reason[plan, first:stop] == OPEN)
            at = first + mine
            risk = np.abs(entry[mine] - out.stops[grid.plan_stop[plan], at])
            out.reason[plan, at] = TIME_EXIT
            out.close_ms[plan, at] = known_at
            out.close_rate[plan, at] = one.close[-1]
            out.profit_ratio[plan, at] = np.round(profit[mine] * RATIO_SCALE) / RATIO_SCALE
            out.r_multiple[plan, at] = np.round(profit[mine] * entry[mine] / risk * RATIO_SCALE) / RATIO_SCALE
