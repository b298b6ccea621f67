"""From the stamp of a bar to its close in UTC: whose clock wrote it, and which end of the bar it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.bars.bars import TIMEFRAMES
from edgebook.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.folder.folder_dates import Stamps
    from edgebook.settings.bar_files import Files


def closes(
    stamps: Stamps, *, timeframe: str, stamp: str, utc: bool, files: Files, shown: str, rows: NDArray[np.int64]
) -> pd.Series:
    """Closes of the bars, in UTC.

    Parameters
    ----------
    stamps : Stamps
    timeframe : str
        Of these rows.
    stamp : {"open", "close"}
        Which end of the bar a stamp names; dates without a time are days, whatever it says.
    utc : bool
        Stamps that do not say their offset are in UTC.
    files : Files
        Its `timezone` is that of the others.
    shown : str
        How errors name the file.
    rows : ndarray of int64
        Row in the file of each stamp, counted from 1 below the header.

    Returns
    -------
    Series
        Of ``datetime64[ms, UTC]``.

    Notes
    -----
    A day without a time closes at the midnight that follows, in the declared zone, else in UTC: after New York's
    close and before its next open. A stamp of the open is moved on by the timeframe; a day's by a day of its clock, so
    that a change of clocks does not shift it. Closes written as the last second or millisecond are the next minute.

    Raises
    ------
    DataError
        A stamp that the zone's clock skipped, or showed twice where the rows do not tell which.
    """
    minutes = TIMEFRAMES[timeframe]
    length = pd.Timedelta(minutes=minutes)
    at = stamps.at
    if stamps.zoned or utc or (stamps.days and files.timezone is None):
        closed = (at + length if stamps.days or stamp == "open" else at).dt.tz_localize("UTC")
    elif stamps.days or (stamp == "open" and minutes == TIMEFRAMES["1d"]):
        closed = _localised(at + length, zone=str(files.timezone), days=True, shown=shown, rows=rows)
    else:
        closed = _localised(at, zone=str(files.timezone), days=False, shown=shown, rows=rows)
        closed = closed + length if stamp == "open" else closed
    if not stamps.days and stamp == "close":
        late = closed.dt.second >= 59
        closed = closed.where(~late, closed.dt.ceil("min"))
    stamped: pd.Series = closed.dt.as_unit("ms")
    return stamped


def _localised(at: pd.Series, *, zone: str, days: bool, shown: str, rows: NDArray[np.int64]) -> pd.Series:
    """Stamps of a zone's clock in UTC."""
    if days:  # midnights: one that the clock skipped is the moment it went on, one that it showed twice the later
        found: pd.Series = at.dt.tz_localize(zone, ambiguous=np.zeros(len(at), bool), nonexistent="shift_forward")
        found = found.dt.tz_convert("UTC")
        return found
    local = at.dt.tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward")
    skipped = local.notna() & (local.dt.tz_localize(None) != at)
    if skipped.any():
        i = int(skipped.to_numpy().argmax())
        raise DataError(
            f"{shown}: row {rows[i]}: {at.iloc[i]:%Y-%m-%d %H:%M} was skipped by the clock of {zone} that night;"
            " correct bars.files.timezone, or write the stamps in UTC"
        )
    if local.isna().any():
        try:
            local = at.dt.tz_localize(zone, ambiguous="infer", nonexistent="shift_forward")
        except ValueError as error:
            i = int(local.isna().to_numpy().argmax())
            raise DataError(
                f"{shown}: row {rows[i]}: {at.iloc[i]:%Y-%m-%d %H:%M} was shown twice by the clock of {zone} that"
                " night, and the rows do not tell which it is; write the stamps with their offset, or in UTC"
            ) from error
    in_utc: pd.Series = local.dt.tz_convert("UTC")
    return in_utc
