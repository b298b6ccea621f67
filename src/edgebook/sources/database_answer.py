"""Rows of a database as bars: NULLs, decimals, texts and clocks without an offset, each told by its row."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.bars.bars import COLUMNS, FINER, PRICES, TIMEFRAMES, check_bars
from edgebook.errors import DataError
from edgebook.files.tables import KEY

if TYPE_CHECKING:
    from edgebook.settings.bar_database import Database

_LENGTHS = FINER | TIMEFRAMES
_DAY_MINUTES = 1440
_FIX = "; correct it in the database, or leave it out in bars.database.query"
_LARGEST_WHOLE = 10**300
_FIRST_YEAR, _LAST_YEAR = 1900, 2200


def bars_of_rows(rows: pd.DataFrame, settings: Database, *, first_row: int, where: str) -> pd.DataFrame:
    """Bars of a piece of an answer, held to the contract of `check_bars`.

    Parameters
    ----------
    rows : DataFrame
        Objects as the driver gave them; the columns are those of the answer.
    settings : Database
    first_row : int
        How many rows of the answer came before, to name a row in an error.
    where : str
        What an error calls the answer.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, in the order of the answer; `date` is the close in UTC.

    Raises
    ------
    DataError
        A column is missing, or a row breaks a rule: row, value, rule, remedy.
    """
    found: dict[str, Any] = {}
    for name in ("pair", "timeframe"):
        given = _column(rows, name, settings=settings, where=where)
        text = given.astype("string").str.strip()
        _refuse(text.isna() | (text == ""), given, name=name, rule="is missing", first_row=first_row, where=where)
        found[name] = text.astype(str)
    known = found["timeframe"].isin(list(_LENGTHS))
    rule = f"is no timeframe; those are {', '.join(_LENGTHS)}"
    _refuse(~known, found["timeframe"], name="timeframe", rule=rule, first_row=first_row, where=where)
    minutes = found["timeframe"].map(_LENGTHS).to_numpy(np.int64)
    given = _column(rows, "date", settings=settings, where=where)
    found["date"] = _dates(given, minutes, settings=settings, first_row=first_row, where=where)
    found["volume"] = np.zeros(len(rows))
    for name in [*PRICES, *(["volume"] if settings.volume == "required" else [])]:
        given = _column(rows, name, settings=settings, where=where)
        _refuse(given.isna(), given, name=name, rule="is missing", first_row=first_row, where=where)
        number = pd.to_numeric(given.map(_plain), errors="coerce").astype("float64")
        _refuse(number.isna(), given, name=name, rule="is not a number", first_row=first_row, where=where)
        found[name] = number
    bars = pd.DataFrame(found)[COLUMNS]
    _check(bars, first_row=first_row, where=where)
    return bars


def _column(rows: pd.DataFrame, name: str, *, settings: Database, where: str) -> pd.Series:
    """Column of the answer that holds a part of a bar, or what the settings say of every row."""
    theirs = settings.columns.get(name, name)
    if theirs in rows.columns:
        column: pd.Series = rows[theirs]
        return column
    constant = {"pair": settings.pair, "timeframe": settings.timeframe}.get(name, "")
    if constant:
        return pd.Series([constant] * len(rows), dtype=object)
    instead = {"pair": "bars.database.pair", "timeframe": "bars.database.timeframe"}
    more = f", or set {instead.get(name, 'bars.database.volume: none')}" if name in (*instead, "volume") else ""
    raise DataError(
        f"{where}: no column {theirs!r} (it has {', '.join(map(str, rows.columns))}); name it in "
        f"bars.database.columns.{name}{more}"
    )


def _dates(
    given: pd.Series, minutes: np.ndarray[Any, np.dtype[np.int64]], *, settings: Database, first_row: int, where: str
) -> pd.Series:
    """Closes in UTC."""
    refuse = partial(_refuse, name="date", first_row=first_row, where=where)
    refuse(given.isna(), given, rule="is missing")
    plain = given.map(_plain)
    if plain.map(lambda value: isinstance(value, (int, float)) and not isinstance(value, bool)).all():
        stamps, is_local = _epoch(plain.astype("float64")), np.zeros(len(plain), np.bool_)
        refuse(stamps.isna(), given, rule="is no number of seconds or milliseconds since 1970")
    else:
        read = plain.map(_stamp)
        refuse(read.isna(), given, rule="is not a date like 2019-07-01 00:00:00")
        is_local = read.map(lambda stamp: stamp.tzinfo is None).to_numpy(np.bool_)
        stamps = pd.to_datetime(read.map(lambda s: s.tz_localize("UTC") if s.tzinfo is None else s), utc=True)
    stamps = stamps.dt.as_unit("ms")
    opens = settings.stamp == "open"
    length = pd.Series(pd.to_timedelta(minutes, unit="min").as_unit("ms"), index=stamps.index)
    if is_local.any():
        wall = stamps[is_local].dt.tz_localize(None)
        # A day is a day on the clock, also when clocks change.
        days = minutes[is_local] == _DAY_MINUTES
        wall = wall + (length[is_local].where(days, pd.Timedelta(0)) if opens else pd.Timedelta(0))
        exact = wall.dt.tz_localize(settings.timezone, ambiguous="NaT", nonexistent="NaT")
        wrong = pd.Series(False, index=stamps.index)
        wrong[exact.index[exact.isna()]] = True
        rule = f"is no single moment in {settings.timezone}, where clocks change; store it in UTC"
        refuse(wrong, given, rule=rule)
        stamps = stamps.copy()
        stamps[is_local] = exact.dt.tz_convert("UTC").dt.as_unit("ms")
        if opens:
            stamps[is_local] += length[is_local].where(~days, pd.Timedelta(0))
    if opens:
        stamps = stamps.where(is_local, stamps + length)
    closes: pd.Series = stamps.dt.as_unit("ms")
    return closes


def _epoch(numbers: pd.Series) -> pd.Series:
    """Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size."""
    size = np.abs(numbers).max()
    factor = next((f for limit, f in ((1e11, 1e3), (1e14, 1.0), (1e17, 1e-3)) if size < limit), 1e-6)
    stamps: pd.Series = pd.to_datetime((numbers * factor).round(), unit="ms", utc=True, errors="coerce")
    return stamps


def _plain(value: Any) -> Any:
    """Decimals as floats, texts without blanks, whole numbers beyond all floats as text, the rest as it is."""
    if isinstance(value, int) and abs(value) > _LARGEST_WHOLE:
        return "a number of many digits"
    if isinstance(value, (str, bytes)):
        return (value.decode("utf-8", "replace") if isinstance(value, bytes) else value).strip()
    return float(value) if type(value).__name__ == "Decimal" else value


def _stamp(value: Any) -> pd.Timestamp | None:
    """Read one date; None where it is none."""
    if isinstance(value, str) and not re.match(r"\d{4}-\d\d-\d\d", value):
        return None
    try:
        stamp = pd.Timestamp(value)
        return None if pd.isna(stamp) or not _FIRST_YEAR <= stamp.year <= _LAST_YEAR else stamp
    except (ValueError, TypeError, OverflowError):
        return None


def _refuse(wrong: pd.Series, given: pd.Series, *, name: str, rule: str, first_row: int, where: str) -> None:
    """Raise for the first row that breaks a rule."""
    mask = wrong.to_numpy(dtype=np.bool_)
    if mask.any():
        row = int(mask.argmax())
        value = "" if rule == "is missing" else f" {str(given.iloc[row])[:40]!r}"
        raise DataError(f"{where}: row {first_row + row + 1}: {name}{value} {rule}{_FIX}")


def _check(bars: pd.DataFrame, *, first_row: int, where: str) -> None:
    """Hold bars to the contract, and name the row of the answer."""
    order = bars.reset_index(drop=True).sort_values(KEY, kind="stable")
    try:
        check_bars(order.reset_index(drop=True), source=where)
    except DataError as error:
        at = re.search(r": row (\d+) \(", str(error))
        if at is None:
            raise
        row = order.index[int(at[1]) - 1]
        own = "" if bars["pair"].iloc[0] != bars["pair"].iloc[-1] else f"{bars['pair'].iloc[row]} "
        named = f": row {first_row + int(row) + 1} ({own}"
        raise DataError(str(error).replace(at[0], named, 1)) from None
