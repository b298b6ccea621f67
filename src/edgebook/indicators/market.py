"""All symbols of one timeframe side by side, one row a close time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgebook.indicators.kernels import mean_of_others, ranks_in_rows

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
    others: Floats = mean_of_others(table)
    return others


def of_leader(table: Floats, turnover: Floats) -> Floats:
    """For each symbol the value of the other symbol with the largest turnover; 0 where no other is known.

    NaN where the symbol itself is not known, and where others are but none has any turnover: nobody knows who leads.
    """
    known = ~np.isnan(table) & ~np.isnan(turnover)
    weight = np.where(known, turnover, -1.0)
    row = np.arange(table.shape[0])
    first = weight.argmax(axis=1)
    behind = weight.copy()
    behind[row, first] = -1.0
    second = behind.argmax(axis=1)
    # Everyone follows the first; the first follows the second.
    leads = first[:, None] == np.arange(table.shape[1])
    turned = np.where(leads, behind[row, second][:, None], weight[row, first][:, None])
    move = np.where(leads, table[row, second][:, None], table[row, first][:, None])
    value = np.where(turned > 0.0, move, np.where(turned < 0.0, 0.0, np.nan))
    return np.where(np.isnan(table), np.nan, value)


def rank_among(table: Floats) -> Floats:
    """Rank of each symbol among those known at the same close, from -1 (lowest) to 1; ties share, alone is 0."""
    ranks: Floats = ranks_in_rows(table)
    return ranks
