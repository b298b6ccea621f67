"""A desk's values joined to bars by the time at which they were known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.files.tables import KEY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.outcomes.recorded_columns import Column

DECIMALS = 5
LARGEST = 1e6
"""In units of the column: what lies beyond is brought here, so that one slip of a comma is no mean of its own."""


def rows_at(column: Column, bars: pd.DataFrame, *, carry_bars: int) -> NDArray[np.int64]:
    """Row of the column that counts at each bar.

    Parameters
    ----------
    column : Column
    bars : DataFrame
        pair, timeframe, date (UTC close); sorted by them.
    carry_bars : int
        For how many further bars a value counts where no newer one comes.

    Returns
    -------
    ndarray of int64, shape (bars,)
        -1 where nothing counts. A value counts at the first bar of its pair and timeframe that closes when it is known
        or later. Of several the one about the newest bar does, and none about an older bar follows it.
    """
    found = np.full(len(bars), -1, np.int64)
    rows = column.rows
    date, known = _ms(rows["date"]), _ms(rows["known_at"])
    closes = _ms(bars["date"])
    own: dict[Any, Any] = rows.groupby(["pair", "timeframe"], sort=False).indices
    series: dict[Any, Any] = bars.groupby(["pair", "timeframe"], sort=False).indices
    for key, at in series.items():
        mine = own.get(key)
        if mine is None:
            continue
        start, close = int(at[0]), closes[at]
        place = np.searchsorted(close, known[mine], side="left")
        mine, place = mine[place < close.size], place[place < close.size]
        newest = np.full(close.size, -1, np.int64)
        order = np.lexsort((date[mine], place))  # later writes win: the newest bar's value
        newest[place[order]] = mine[order]
        about = np.where(newest >= 0, date[newest], np.iinfo(np.int64).min)
        before = np.maximum.accumulate(np.r_[np.iinfo(np.int64).min, about[:-1]])
        newest[about <= before] = -1
        found[start : start + close.size] = _carried(newest, carry_bars)
    return found


def numbers_at(column: Column, bars: pd.DataFrame, *, carry_bars: int) -> NDArray[np.float32]:
    """Numbers of a column at each bar, in its unit, rounded as the catalogue's are; nan where nothing counts."""
    row = rows_at(column, bars, carry_bars=carry_bars)
    told = np.append(column.rows["value"].to_numpy(np.float64), np.nan) / column.unit
    return np.asarray(np.round(np.clip(told, -LARGEST, LARGEST), DECIMALS)[row] + 0.0, np.float32)


def texts_at(column: Column, bars: pd.DataFrame, *, carry_bars: int) -> NDArray[np.object_]:
    """Texts of a column at each bar; empty where nothing counts."""
    row = rows_at(column, bars, carry_bars=carry_bars)
    return np.append(column.rows["value"].to_numpy(object), "")[row]


def coverage(column: Column, bars: pd.DataFrame) -> dict[str, int]:
    """How many values there are, how many are about no bar of the market, and how many came after their bar's close.

    Returns
    -------
    dict of str to int
        `values`, `elsewhere`, `later`.
    """
    rows = column.rows
    last = bars["date"].max()
    joined = rows[rows["date"] <= last].merge(bars[KEY], on=KEY, how="left", indicator=True)
    return {
        "values": len(rows),
        "elsewhere": int((joined["_merge"] == "left_only").sum()),
        "later": int((rows["known_at"] > rows["date"]).sum()),
    }


def _carried(newest: NDArray[np.int64], bars: int) -> NDArray[np.int64]:
    """Each value goes on for some bars where nothing newer comes."""
    if bars == 0:
        return newest
    at = np.arange(newest.size)
    last = np.maximum.accumulate(np.where(newest >= 0, at, -1))
    return np.where((last >= 0) & (at - last <= bars), newest[last], -1)


def _ms(dates: pd.Series) -> NDArray[np.int64]:
    return np.asarray(pd.DatetimeIndex(dates).as_unit("ms").asi8)
