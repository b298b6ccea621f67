"""Flaws of a file that may be repaired where params.yaml says so; otherwise they are refused, or left as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.bars.bars import PRICES

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd
    from numpy.typing import NDArray

_VALUES = ["date", *PRICES, "volume"]
_FRIDAY, _SUNDAY = 4, 6
_CLOSES_HOUR, _OPENS_HOUR = 22, 21


def repaired(bars: pd.DataFrame, *, repair: Collection[str]) -> tuple[pd.DataFrame, dict[str, int]]:
    """Repair one series as declared.

    Parameters
    ----------
    bars : DataFrame
        One pair and timeframe, in the order of its file.
    repair : collection of {"sort", "duplicates", "filled"}
        What may be repaired.

    Returns
    -------
    bars : DataFrame
        A new frame; its index is that of the rows that are left.
    done : dict
        Rows that each repair moved or dropped.
    """
    done: dict[str, int] = {}
    if "sort" in repair and not bars["date"].is_monotonic_increasing:
        done["sort"] = int((bars["date"].diff() < np.timedelta64(0)).sum())
        bars = bars.sort_values("date", kind="stable")
    if "duplicates" in repair:
        again = bars.duplicated(_VALUES).to_numpy()
        if again.any():
            done["duplicates"] = int(again.sum())
            bars = bars[~again]
    if "filled" in repair:
        filled = filled_bars(bars)
        if filled.any():
            done["filled"] = int(filled.sum())
            bars = bars[~filled]
    return bars, done


def filled_bars(bars: pd.DataFrame) -> NDArray[np.bool_]:
    """Flat bars without a trade that a vendor put where there was none.

    Parameters
    ----------
    bars : DataFrame
        One pair and timeframe, ascending.

    Returns
    -------
    ndarray of bool, shape (n,)
        True for a bar whose four prices are the close before and whose volume is nought. In a series that has no volume
        at all, flat bars are told from quiet ones only between Friday 22:00 and Sunday 21:00 UTC.

    Notes
    -----
    Each bar is judged by itself and the one before it, so that what is dropped does not depend on later bars.
    """
    if len(bars) == 0:
        return np.zeros(0, dtype=bool)
    close = bars["close"].to_numpy()
    before = np.r_[np.nan, close[:-1]]
    flat = np.ones(len(bars), dtype=bool)
    for name in PRICES:
        flat &= bars[name].to_numpy() == before
    volume = bars["volume"].to_numpy()
    quiet = volume == 0
    if quiet.all():
        dates = bars["date"].dt
        day, hour = dates.day_of_week.to_numpy(), dates.hour.to_numpy()
        quiet = (day == _FRIDAY + 1) | ((day == _FRIDAY) & (hour > _CLOSES_HOUR)) | (
            (day == _SUNDAY) & (hour <= _OPENS_HOUR))  # fmt: skip
    filled: NDArray[np.bool_] = flat & quiet
    return filled
