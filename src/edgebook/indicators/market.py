"""All symbols of one timeframe side by side, one row a close time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgebook.indicators.series import Floats, Series


@dataclass(frozen=True)
class Market:
    """Where each symbol's bars lie among all close times.

    Parameters
    ----------
    times : int
        Number of different close times.
    rows : sequence of ndarray of int64
        For each symbol, the row of each of its bars.
    """

    times: int
    rows: Sequence[NDArray[np.int64]]

    @classmethod
    def of(cls, series: Sequence[Series]) -> Market:
        """Line up the close times of several symbols; they may start late and have gaps."""
        times = np.unique(np.concatenate([one.closed_ms for one in series]))
        return cls(times=times.size, rows=[np.searchsorted(times, one.closed_ms) for one in series])

    def spread(self, columns: Sequence[Floats]) -> Floats:
        """Table of shape (times, symbols) from one array a symbol; NaN where a symbol has no bar."""
        table = np.full((self.times, len(columns)), np.nan)
        for k, column in enumerate(columns):
            table[self.rows[k], k] = column
        return table


def of_others(table: Floats) -> Floats:
    """For each symbol the mean over the other ones that are known at the same close; 0 where there are none.

    NaN where the symbol itself is not known, so that a market warms up with its symbol.
    """
    known = ~np.isnan(table)
    filled = np.where(known, table, 0.0)
    total = np.zeros_like(table)
    count = np.zeros(table.shape)
    symbols = table.shape[1]
    # Added one by one, not "all less own": that would leave a rounding error which looks like a small move.
    for k in range(symbols):
        for other in range(symbols):
            if other != k:
                total[:, k] += filled[:, other]
                count[:, k] += known[:, other]
    return np.where(known, np.where(count > 0, total / np.maximum(count, 1.0), 0.0), np.nan)


def of_leader(table: Floats, turnover: Floats) -> Floats:
    """For each symbol the value of the other symbol with the largest turnover; 0 where no other is known.

    NaN where the symbol itself is not known.
    """
    known = ~np.isnan(table) & ~np.isnan(turnover)
    weight = np.where(known, turnover, -1.0)
    result = np.full(table.shape, np.nan)
    row = np.arange(table.shape[0])
    for k in range(table.shape[1]):
        rivals = weight.copy()
        rivals[:, k] = -1.0
        first = rivals.argmax(axis=1)
        value = np.where(rivals[row, first] >= 0.0, table[row, first], 0.0)
        result[:, k] = np.where(np.isnan(table[:, k]), np.nan, value)
    return result


def rank_among(table: Floats) -> Floats:
    """Rank of each symbol among those known at the same close, from -1 (lowest) to 1; ties share, alone is 0."""
    result = np.full(table.shape, np.nan)
    for k in range(table.shape[1]):
        own = table[:, [k]]
        below = (table < own).sum(axis=1)
        over = (table > own).sum(axis=1)
        rivals = (~np.isnan(table)).sum(axis=1) - 1
        rank = (below - over) / np.maximum(rivals, 1)
        result[:, k] = np.where(np.isnan(own[:, 0]), np.nan, rank)
    return result
