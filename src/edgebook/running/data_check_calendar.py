"""When a market trades, as its bars tell: days of the week, hours of the day, and whose clock those follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.bars.bars import TIMEFRAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ZONES = (
    ("America/New_York", 570),
    ("Europe/London", 480),
    ("Europe/Berlin", 540),
    ("Asia/Tokyo", 540),
    ("Asia/Hong_Kong", 570),
    ("Asia/Shanghai", 570),
    ("Asia/Kolkata", 555),
    ("Australia/Sydney", 600),
    ("America/Sao_Paulo", 600),
)
_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000


@dataclass(frozen=True)
class Calendar:
    """When a series has bars.

    Parameters
    ----------
    days : tuple of int
        Days of the week with a bar in at least every other week, Monday 0, by the middle of the bar, UTC.
    around_the_clock : bool
        Bars open in at least 23 hours of the day; of bars of a day, that they come on seven days.
    words : str
        All of it for a person.
    """

    days: tuple[int, ...]
    around_the_clock: bool
    words: str


def calendar_of(bars: pd.DataFrame) -> Calendar:
    """Read the calendar of one pair and timeframe off its bars.

    Parameters
    ----------
    bars : DataFrame
        Columns of the contract; ascending dates.

    Notes
    -----
    The clock of a session is guessed: the zone in which the first bar of a day opens most often at the same minute,
    exchanges' own opening times first where several do. A guess serves the reader alone; nothing is computed with it.
    """
    minutes = TIMEFRAMES[bars["timeframe"].iloc[0]]
    opened = _milliseconds(bars["date"]) - minutes * 60_000
    middle = opened + minutes * 30_000
    week = (middle + 3 * _DAY_MS) // (7 * _DAY_MS)
    day = (middle // _DAY_MS + 3) % 7
    weeks = np.unique(week).size
    days = tuple(d for d in range(7) if np.unique(week[day == d]).size >= max(1, weeks / 2))
    spelled = _spelled(days)
    if minutes >= TIMEFRAMES["1d"]:
        clock = len(days) == 7
        return Calendar(days, clock, "every day" if clock else f"sessions, {spelled}")
    hours = np.bincount((opened // _HOUR_MS) % 24, minlength=24)
    seen = hours > 0.2 * hours.max()
    if seen.sum() >= (23 if minutes <= 60 else 24 * 60 // minutes):
        return Calendar(days, True, "around the clock" + ("" if len(days) == 7 else f", {spelled}"))
    return Calendar(days, False, f"sessions, {spelled}{_clock(opened, middle)}")


def _clock(opened: NDArray[np.int64], middle: NDArray[np.int64]) -> str:
    """When sessions begin, and by whose clock."""
    _, first = np.unique(middle // _DAY_MS, return_index=True)
    begins = pd.to_datetime(opened[first], unit="ms", utc=True)
    best: tuple[float, bool, str, int] | None = None
    for zone, usual in (*_ZONES, ("UTC", -1)):
        local = begins.tz_convert(zone)
        minutes, counts = np.unique(local.hour * 60 + local.minute, return_counts=True)
        at = int(minutes[counts.argmax()])
        found = (round(float(counts.max()) / len(begins), 2), at == usual, zone, at)
        if best is None or found[:2] > best[:2]:
            best = found
    if best is None or best[0] < 0.5:
        return ""
    zone = best[2] if best[1] else "UTC"
    at = best[3] if best[1] else int(begins[-1].hour * 60 + begins[-1].minute)
    return f" from {at // 60:02}:{at % 60:02} {zone}" + (" (a guess)" if best[1] else "")


def duration(hours: float) -> str:
    """Spell a length of time: minutes below an hour, days from two on."""
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:g} h" if hours < 48 else f"{hours / 24:.1f} days"


def gaps(bars: pd.DataFrame, calendar: Calendar) -> pd.DataFrame:
    """Times in which bars are missing.

    Parameters
    ----------
    bars : DataFrame
        One pair and timeframe, ascending.
    calendar : Calendar
        When it trades.

    Returns
    -------
    DataFrame
        Columns `after`, `until` (UTC closes of the bars around it) and `hours`, the longest first.

    Notes
    -----
    Around the clock on seven days every step above the timeframe is one. Elsewhere a step is none that is as long as
    one that comes in every other week (nights, weekends), nor one over a single day off; within a day, or over two and
    more of the days on which it trades, it is.
    """
    minutes = TIMEFRAMES[bars["timeframe"].iloc[0]]
    at = _milliseconds(bars["date"])
    step = np.diff(at)
    long = step > minutes * 60_000
    if not (calendar.around_the_clock and len(calendar.days) == 7) and long.any():
        weeks = max(1.0, (at[-1] - at[0]) / (7 * _DAY_MS))
        sizes, inverse, counts = np.unique(step, return_inverse=True, return_counts=True)
        usual = (counts >= max(2.0, weeks / 2))[inverse]
        if minutes >= TIMEFRAMES["1d"]:
            usual |= step <= (minutes + 60) * 60_000
        day = ((at - minutes * 30_000) // _DAY_MS).astype("datetime64[D]")
        mask = [d in calendar.days for d in range(7)]
        missing = np.busday_count(day[:-1] + 1, day[1:], weekmask=mask) if any(mask) else np.zeros(step.size)
        long &= ~usual & ((day[1:] == day[:-1]) | (missing >= 2))
        del sizes
    rows = np.flatnonzero(long)
    found = pd.DataFrame(
        {
            "after": bars["date"].to_numpy()[rows],
            "until": bars["date"].to_numpy()[rows + 1],
            "hours": step[rows] / _HOUR_MS,
        }
    )
    return found.sort_values("hours", ascending=False, kind="stable", ignore_index=True)


def _spelled(days: tuple[int, ...]) -> str:
    """Days of the week in words."""
    if days == (0, 1, 2, 3, 4, 6):
        return "Sun to Fri"
    if len(days) > 2 and days == tuple(range(days[0], days[-1] + 1)):
        return f"{_DAYS[days[0]]} to {_DAYS[days[-1]]}"
    return ", ".join(_DAYS[d] for d in days)


def _milliseconds(dates: pd.Series) -> NDArray[np.int64]:
    """UTC dates as milliseconds since 1970."""
    found: NDArray[np.int64] = dates.dt.tz_localize(None).to_numpy(dtype="datetime64[ms]").astype(np.int64)
    return found
