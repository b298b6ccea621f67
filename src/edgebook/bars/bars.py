"""Bars: their contract, coarser timeframes, and the cut at `as_of`.

A bar is stamped with its close in UTC and known only then. Everything downstream relies on what `check_bars` holds.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.errors import DataError, SettingsError
from edgebook.files.tables import KEY
from edgebook.settings.timeframes import TIMEFRAMES as TIMEFRAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FINER = {name: minutes for name, minutes in TIMEFRAMES.items() if minutes < 60}
"""Timeframes below an hour."""

PRICES = ["open", "high", "low", "close"]
COLUMNS = [*KEY, *PRICES, "volume"]

_CLOCK_CHANGE_MINUTES = 60
_LARGEST_PRICE, _LARGEST_VOLUME = 1e12, 1e18
_MINUTE_MS = 60_000

_DAY_MINUTES = 1440
_SHORT_DAY_MINUTES = 16 * 60


def utc(date: str | pd.Timestamp) -> pd.Timestamp:
    """Read a date as UTC.

    Parameters
    ----------
    date : str or Timestamp
        Without an offset it is taken as UTC, as `run.as_of` is written ("2019-07-01").

    Returns
    -------
    Timestamp
        In UTC, to the millisecond.

    Raises
    ------
    SettingsError
        The text is not a date.
    """
    try:
        stamp = pd.Timestamp(date)
        stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
        return stamp.as_unit("ms")
    except (ValueError, TypeError) as error:
        raise SettingsError(f"{date!r}: not a date; write it like '2019-07-01'") from error


def check_bars(frame: pd.DataFrame, *, source: str, rows: NDArray[np.int64] | None = None) -> None:
    """Hold a table of bars to the contract, and name the first row that breaks it.

    Parameters
    ----------
    frame : DataFrame
        Columns `COLUMNS`; sorted by pair, timeframe, date.
    source : str
        What the message calls the table: a file or a source.
    rows : ndarray of int64, shape (n,), optional
        What the message calls each row; 1, 2, … by default.

    Raises
    ------
    DataError
        The first violation, in one line: source, row (the first row below a header is 1) and its date, rule, remedy.

    Notes
    -----
    The rules: the columns are there and typed (text; ``datetime64[ms, UTC]``; float64); dates are present and
    ascending within a pair and timeframe, each at most once, and not closer together than the timeframe (less the
    hour that a change of clocks takes from a session's bars); numbers are finite, prices positive, volume not
    negative; neither is beyond what a double holds the products of (prices in 1e-12 to 1e12, volume to 1e18); high is
    the highest and low the lowest of the four prices.
    """
    # The last bar of a session may be shorter than its timeframe, and so may a day on which the exchange closes early.
    _check_types(frame, source=source)
    if frame.empty:
        raise DataError(f"{source}: no bars at all; add rows or take the file away")
    broken = list(_violations(frame))
    first = min((int(mask.argmax()) for mask, _ in broken if mask.any()), default=None)
    if first is None:
        return
    rule = next(rule for mask, rule in broken if mask[first])
    row = frame.iloc[first]
    stamp = "no date" if pd.isna(row["date"]) else f"{row['date']:%Y-%m-%d %H:%M}"
    several = frame["pair"].iloc[0] != frame["pair"].iloc[-1]
    where = f"{row['pair']} {stamp}" if several else stamp
    number = first + 1 if rows is None else rows[first]
    raise DataError(f"{source}: row {number} ({where}): {rule.format(**row)}")


def _check_types(frame: pd.DataFrame, *, source: str) -> None:
    """Raise unless the columns are there with the types that the contract names."""
    missing = [column for column in COLUMNS if column not in frame]
    if missing:
        raise DataError(
            f"{source}: column {missing[0]!r} is missing (it has {', '.join(map(str, frame.columns))}); add it"
        )
    for column in ("pair", "timeframe"):
        if not pd.api.types.is_string_dtype(frame[column]):
            raise DataError(f"{source}: column {column!r} is {frame[column].dtype}, not text; write it as text")
    if str(frame["date"].dtype) != "datetime64[ms, UTC]":
        raise DataError(f"{source}: column 'date' is {frame['date'].dtype}, not datetime64[ms, UTC]; convert it to UTC")
    for column in [*PRICES, "volume"]:
        if frame[column].dtype != np.float64:
            raise DataError(f"{source}: column {column!r} is {frame[column].dtype}, not float64; write plain numbers")
    unknown = set(frame["timeframe"].unique()) - set(TIMEFRAMES)
    if unknown:
        raise DataError(
            f"{source}: timeframe {min(map(str, unknown))!r} is unknown; the timeframes are {', '.join(TIMEFRAMES)}"
        )


def _violations(frame: pd.DataFrame) -> Iterator[tuple[NDArray[np.bool_], str]]:
    """Yield for each rule the rows that break it and what to say of such a row, in the order of telling."""
    fix = "; correct or drop the row"
    value = {name: frame[name].to_numpy() for name in [*PRICES, "volume"]}
    yield frame["date"].isna().to_numpy(), f"date is missing{fix}"
    yield from _order_violations(frame)
    for name, column in value.items():
        yield ~np.isfinite(column), f"{name} is {{{name}}}, not a finite number{fix}"
    for name in PRICES:
        yield value[name] <= 0, f"{name} {{{name}:.10g}} is not positive{fix}"
        size = np.abs(value[name])
        yield (size > _LARGEST_PRICE) | (size < 1 / _LARGEST_PRICE), f"{name} {{{name}:.10g}} is no price{fix}"
    yield value["volume"] < 0, f"volume {{volume:.10g}} is negative{fix}"
    yield value["volume"] > _LARGEST_VOLUME, f"volume {{volume:.10g}} is no volume{fix}"
    for name in ("open", "close", "low"):
        yield value["high"] < value[name], f"high {{high:.10g}} is below {name} {{{name}:.10g}}{fix}"
    for name in ("open", "close"):
        yield value["low"] > value[name], f"low {{low:.10g}} is above {name} {{{name}:.10g}}{fix}"


def _order_violations(frame: pd.DataFrame) -> Iterator[tuple[NDArray[np.bool_], str]]:
    """Yield what breaks the order of rows: series, then dates within a series."""
    pair, timeframe = (frame[name].to_numpy(dtype=object) for name in ("pair", "timeframe"))
    same = np.r_[False, (pair[1:] == pair[:-1]) & (timeframe[1:] == timeframe[:-1])]
    starts = np.flatnonzero(~same)
    names = [(pair[row], timeframe[row]) for row in starts]
    backwards = np.zeros(len(frame), dtype=np.bool_)
    backwards[starts[1:]] = [this <= above for above, this in pairwise(names)]
    yield backwards, "pair and timeframe come out of order; sort the rows by pair, timeframe, date"
    step = np.r_[0, np.diff(milliseconds_of(frame["date"]))] // _MINUTE_MS
    yield same & (step < 0), "date is before that of the row above; sort the rows by date"
    yield same & (step == 0), "date is there twice; keep one of the two rows"
    minutes = frame["timeframe"].map(TIMEFRAMES).to_numpy(dtype=np.int64)
    room = np.where(minutes > _CLOCK_CHANGE_MINUTES, minutes - _CLOCK_CHANGE_MINUTES, minutes)
    room = np.where(minutes == _DAY_MINUTES, _SHORT_DAY_MINUTES, room)
    then = np.r_[np.where(same[1:], step[1:], _DAY_MINUTES), _DAY_MINUTES]
    ends_session = (minutes < _DAY_MINUTES) & (then >= 2 * minutes)
    yield (
        same & (step < room) & ~ends_session,
        "closes less than a {timeframe} bar after the row above; drop the row, or name its real timeframe",
    )


def milliseconds_of(dates: pd.Series) -> NDArray[np.int64]:
    """UTC dates as milliseconds since 1970."""
    milliseconds: NDArray[np.int64] = dates.dt.tz_localize(None).to_numpy(dtype="datetime64[ms]").astype(np.int64)
    return milliseconds


def resample(bars: pd.DataFrame, *, timeframe: str, bar_minutes: int, end: pd.Timestamp | None = None) -> pd.DataFrame:
    """Bars of a coarser timeframe, complete ones only.

    Parameters
    ----------
    bars : DataFrame
        Columns pair, date (UTC close), open, high, low, close, volume; sorted by pair, date. One finer timeframe.
    timeframe : str
        A key of `TIMEFRAMES`.
    bar_minutes : int
        Length of the bars given.
    end : Timestamp, optional
        UTC; up to here the source has said all it will say. The last date over all pairs by default: where one
        pair has fallen silent, another shows that the time has passed.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, sorted by pair, date. Nothing in it was unknown at `end`: with bars up to t and ``end=t``
        it equals the table of all bars, cut at t.

    Raises
    ------
    SettingsError
        The timeframe is unknown or is no multiple of `bar_minutes`.

    Notes
    -----
    Intervals are anchored at 1970-01-01 00:00 UTC; the bar stamped c holds the source bars with a date in
    ``(c - timeframe, c]``. The bar is complete once ``c <= end``; the last, partial one never enters. An interval in
    which no source bar closed gives no bar. One that lost some of its source bars to a gap gives a bar of those it
    has: that is all that was known at its close. Volume is rounded to 6 decimals, below the unit of any venue.
    """
    minutes = check_timeframe(timeframe)
    if minutes % bar_minutes:
        raise SettingsError(f"timeframe {timeframe!r}: {minutes} minutes are no multiple of {bar_minutes}-minute bars")
    if bars.empty:
        return bars.assign(timeframe=timeframe)[COLUMNS]
    dates = milliseconds_of(bars["date"])
    length = minutes * _MINUTE_MS
    closes = -(-dates // length) * length
    pairs = bars["pair"].to_numpy(dtype=object)
    starts = np.flatnonzero(np.r_[True, (closes[1:] != closes[:-1]) | (pairs[1:] != pairs[:-1])])
    lasts = np.r_[starts[1:], len(bars)] - 1
    column = {name: bars[name].to_numpy(dtype=np.float64) for name in [*PRICES, "volume"]}
    stamped = pd.to_datetime(closes[starts], unit="ms", utc=True).as_unit("ms")
    coarse = pd.DataFrame(
        {
            "pair": bars["pair"].iloc[starts].array,
            "timeframe": timeframe,
            "date": stamped,
            "open": column["open"][starts],
            "high": np.maximum.reduceat(column["high"], starts),
            "low": np.minimum.reduceat(column["low"], starts),
            "close": column["close"][lasts],
            "volume": np.round(np.add.reduceat(column["volume"], starts), 6),
        }
    )
    known = bars["date"].max() if end is None else end
    return coarse[coarse["date"] <= known].reset_index(drop=True)


def check_timeframe(timeframe: str) -> int:
    """Return a timeframe's length in minutes.

    Parameters
    ----------
    timeframe : str
        A key of `TIMEFRAMES`.

    Returns
    -------
    int
        Minutes.

    Raises
    ------
    SettingsError
        There is no such timeframe.
    """
    if timeframe not in TIMEFRAMES:
        raise SettingsError(f"timeframe {timeframe!r} is unknown; the timeframes are {', '.join(TIMEFRAMES)}")
    return TIMEFRAMES[timeframe]


def cut(bars: pd.DataFrame, *, as_of: str | pd.Timestamp) -> pd.DataFrame:
    """Bars known at `as_of`.

    Parameters
    ----------
    bars : DataFrame
        With a column `date`: UTC close.
    as_of : str or Timestamp
        Without an offset it is UTC. A bar that closes at `as_of` is known, a later one is not.

    Returns
    -------
    DataFrame
        A new frame in the same order, index from 0.
    """
    return bars[bars["date"] <= utc(as_of)].reset_index(drop=True)
