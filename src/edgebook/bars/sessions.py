"""When a market trades, told by its bars: around the clock, five days a week, or from Sunday to Friday evening."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.settings.timeframes import TIMEFRAMES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from numpy.typing import NDArray

AROUND_THE_CLOCK, SUNDAY_EVENINGS, SESSIONS = 365, 313, 252
"""Days a year on which bars close: of a market that never sleeps; of one from Sunday evening to Friday evening, such as
FX; of an exchange with sessions from Monday to Friday."""

_SATURDAY, _SUNDAY = 5, 6
_DAY_MS, _HOUR_MS, _MINUTE_MS = 86_400_000, 3_600_000, 60_000
_MONDAY_DAYS = 3  # 1970-01-01 was a Thursday
_STRAY = 0.01
_RECENT_DAYS = 20


@dataclass(frozen=True)
class Sessions:
    """Days on which a market has traded.

    Parameters
    ----------
    weekdays : ndarray of int64, shape (7,)
        Bars that lie in each weekday, UTC, Monday first.
    days : ndarray of int64, shape (d,)
        Days since 1970 in which a bar closed, ascending; a close at midnight ends the day before.
    ends_ms : ndarray of int64, shape (d,)
        Last close of each, milliseconds UTC.
    holidays : frozenset of int
        Days, since 1970, that are declared to have no session.
    """

    weekdays: NDArray[np.int64]
    days: NDArray[np.int64]
    ends_ms: NDArray[np.int64]
    holidays: frozenset[int] = frozenset()

    @classmethod
    def of(cls, series: Iterable[tuple[str, NDArray[np.int64]]], *, holidays: Collection[str] = ()) -> Sessions:
        """Gather the days of a market.

        Parameters
        ----------
        series : iterable of (str, ndarray of int64)
            Timeframe and closes, milliseconds UTC, of each series.
        holidays : collection of str
            Dates like "2019-04-19".
        """
        weekdays = np.zeros(7, np.int64)
        ends: dict[int, int] = {}
        for timeframe, close_ms in series:
            # By its middle: a bar from Friday evening to midnight does not lie in Saturday.
            middle = (close_ms - TIMEFRAMES[timeframe] * _MINUTE_MS // 2) // _DAY_MS
            weekdays += np.bincount((middle + _MONDAY_DAYS) % 7, minlength=7)
            day = (close_ms - 1) // _DAY_MS
            last = np.flatnonzero(np.r_[day[1:] != day[:-1], True])
            for one, at in zip(day[last].tolist(), close_ms[last].tolist(), strict=True):
                ends[one] = max(at, ends.get(one, at))
        days = np.array(sorted(ends), np.int64)
        declared = frozenset(int(pd.Timestamp(date).value // 1_000_000 // _DAY_MS) for date in holidays)
        return cls(weekdays, days, np.array([ends[day] for day in days.tolist()], np.int64), declared)

    def trades_on(self, weekday: int) -> bool:
        """Whether bars lie in a weekday, Monday 0; a stray one among a hundred of another day does not count."""
        return bool(self.weekdays[weekday] > _STRAY * self.weekdays.max(initial=0))

    @property
    def ends_before_weekends(self) -> bool:
        """Whether nothing is traded from Friday's close to Monday, UTC."""
        return not (self.trades_on(_SATURDAY) or self.trades_on(_SUNDAY))

    @property
    def days_per_year(self) -> int:
        """Days a year on which bars close."""
        if self.trades_on(_SATURDAY):
            return AROUND_THE_CLOCK
        return SUNDAY_EVENINGS if self.trades_on(_SUNDAY) else SESSIONS

    def told_until(self, last_ms: int) -> int:
        """Time up to which nothing more can come after a close.

        Parameters
        ----------
        last_ms : int
            A close, milliseconds UTC.

        Returns
        -------
        int
            Milliseconds UTC: `last_ms` itself while the market goes on or its session may; else the midnight at which
            the next session's day begins. Only what was known by `last_ms` and the declared holidays is used.

        Notes
        -----
        A session is over at a close not earlier than an hour before the usual last close of the twenty trading days
        before it (the hour is that of a change of clocks). After a half day, or before a holiday that is not declared,
        the next session's first bar shows that the one before was over.
        """
        if not self.ends_before_weekends or not self.days.size:
            return last_ms
        day = (last_ms - 1) // _DAY_MS
        place = int(np.searchsorted(self.days, day))
        before = slice(max(place - _RECENT_DAYS, 0), place)
        usual = np.median((self.ends_ms - self.days * _DAY_MS)[before]) if place else float(_DAY_MS)
        if last_ms - day * _DAY_MS < usual - _HOUR_MS:
            return last_ms
        following = day + 1
        while (following + _MONDAY_DAYS) % 7 in (_SATURDAY, _SUNDAY) or following in self.holidays:
            following += 1
        return int(following * _DAY_MS) if following > day + 1 else last_ms

    def perhaps_closed(self, last_ms: int, *, until_ms: int) -> list[str]:
        """Days between a close and a time on which a market of sessions had none: missing, or holidays.

        Parameters
        ----------
        last_ms, until_ms : int
            Milliseconds UTC.

        Returns
        -------
        list of str
            Dates of Mondays to Fridays that are not declared as holidays; empty for a market that does not end before
            weekends.
        """
        if not self.ends_before_weekends or not self.days.size:
            return []
        between = range((last_ms - 1) // _DAY_MS + 1, until_ms // _DAY_MS)
        weekdays = [day for day in between if (day + _MONDAY_DAYS) % 7 < _SATURDAY and day not in self.holidays]
        return [f"{pd.Timestamp(day * _DAY_MS, unit='ms'):%Y-%m-%d}" for day in weekdays]


def days_per_year(bars: pd.DataFrame) -> int:
    """Return the days a year on which a market trades, to put daily numbers on a yearly scale.

    Parameters
    ----------
    bars : DataFrame
        Columns timeframe, date (UTC close), of any pairs, in any order.

    Returns
    -------
    int
        365 where bars lie in Saturdays; 313 where they lie in Sundays but not in Saturdays, as in FX, whose Sunday
        evening is a day of its own here; else 252.
    """
    return sessions_of(bars).days_per_year


def sessions_of(bars: pd.DataFrame, *, holidays: Collection[str] = ()) -> Sessions:
    """Return the days on which a table of bars has any.

    Parameters
    ----------
    bars : DataFrame
        Columns timeframe, date (UTC close), of any pairs, in any order.
    holidays : collection of str
        Dates declared to have no session.
    """
    close_ms = pd.DatetimeIndex(bars["date"]).as_unit("ms").asi8
    timeframe = bars["timeframe"].to_numpy(object)
    series = ((str(one), np.sort(close_ms[timeframe == one])) for one in pd.unique(timeframe))
    return Sessions.of(series, holidays=holidays)
