"""Columns of a desk's own: dated snapshots, each written once, read back as what was known first and when.

A snapshot ``data/recorded/columns-<YYYY-MM-DD>.csv`` (or ``.parquet``) speaks up to midnight UTC of its date. The first
one that has a column brings its past with it; a later one speaks of the days since, and what it says of days before
them counts from its own date: a week that is over reads the same whatever comes later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.errors import DataError
from edgebook.files.tables import KEY
from edgebook.settings.timeframes import TIMEFRAMES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edgebook.settings.desk_section import Desk

_NAME = re.compile(r"columns-(\d{4}-\d{2}-\d{2})(?:-(\d+))?\.(csv|parquet)")
_LARGEST_BYTES = 500_000_000
_SAME = 1e-9
"""Two versions of a value that differ by no more, relatively, are the same."""


@dataclass(frozen=True)
class Column:
    """What a desk's column said, as known first.

    Parameters
    ----------
    name : str
    rows : DataFrame
        pair, timeframe, date (UTC close of the bar that the value is about), known_at (UTC), value; one row a bar.
    repainted : int
        Values that came again different for the same bar.
    first : str
        Where the first of them is, in words; empty where there is none.
    unit : float
        Power of ten that the column's numbers are told in, of its first snapshot; 1 for texts.
    """

    name: str
    rows: pd.DataFrame
    repainted: int
    first: str
    unit: float = 1.0


def column_files(folder: Path) -> list[tuple[str, Path]]:
    """Date and file of every snapshot, in order.

    Raises
    ------
    DataError
        A snapshot is there twice, as CSV and as Parquet, or its name holds no date.
    """
    found: dict[tuple[str, int], Path] = {}
    for file in sorted(folder.glob("columns-*")):
        match = _NAME.fullmatch(file.name)
        if match is None or _moment(match[1]) is None:
            raise DataError(f"data/recorded/{file.name}: no snapshot; name it columns-2019-07-01.csv or .parquet")
        key = (match[1], int(match[2] or 1))
        if key in found:
            raise DataError(f"data/recorded/{file.name}: {found[key].name} is the same snapshot; keep one of the two")
        found[key] = file
    return [(key[0], found[key]) for key in sorted(found)]


def read_columns(folder: Path, desk: Desk) -> list[Column]:
    """All declared columns, each value as it was known first.

    Parameters
    ----------
    folder : Path
        ``data/recorded``.
    desk : Desk

    Returns
    -------
    list of Column
        In the order of `Desk.columns`.

    Raises
    ------
    DataError
        A file is no snapshot, a value is known before its bar closed or after the file's own date, or no file has a
        column that is declared.
    """
    files = column_files(folder)
    parts: dict[str, list[tuple[str, pd.DataFrame]]] = {name: [] for name in desk.columns}
    for date, file in files:
        frame = _snapshot(file, desk, date=date)
        for name in desk.columns:
            if name in frame:
                parts[name].append((date, frame[[*KEY, "known_at", name]].rename(columns={name: "value"})))
    missing = [name for name, told in parts.items() if not told]
    if missing:
        raise DataError(
            f"params.yaml: desk: {missing[0]}: no file data/recorded/columns-<date> has such a column; put one there, "
            "or take the column out"
        )
    return [_column(name, told, number=name in desk.numbers) for name, told in parts.items()]


def given_columns(frame: pd.DataFrame, desk: Desk, *, units: Mapping[str, float]) -> list[Column]:
    """Columns that a live system hands over.

    Parameters
    ----------
    frame : DataFrame
        pair, timeframe, date, `known_at` where there is one (else the bar's close), and some of the declared columns.
    desk : Desk
    units : mapping of str to float
        Units of the columns in the files, by name.

    Raises
    ------
    DataError
        As `read_columns`.
    """
    known = desk.known_at if "known_at" in frame else "close"
    told = _checked(frame, desk, where="columns", known_at="column" if known == "snapshot" else known, stamp=None)
    names = [name for name in desk.columns if name in told]
    parts = {name: told[[*KEY, "known_at", name]].rename(columns={name: "value"}) for name in names}
    return [
        Column(name, part[part["value"].notna()].reset_index(drop=True), 0, "", units.get(name, 1.0))
        for name, part in parts.items()
    ]


def _snapshot(file: Path, desk: Desk, *, date: str) -> pd.DataFrame:
    """One file, checked: key, known_at as the desk declares it, and those of the columns that it has."""
    where = f"data/recorded/{file.name}"
    stamp = pd.Timestamp(date, tz="UTC")
    return _checked(_raw(file, where=where), desk, where=where, known_at=desk.known_at, stamp=stamp)


def _checked(frame: pd.DataFrame, desk: Desk, *, where: str, known_at: str, stamp: pd.Timestamp | None) -> pd.DataFrame:
    """Rows of one table; `stamp` is the moment up to which it speaks."""
    needed = [*KEY, "known_at"] if known_at == "column" else KEY
    for name in needed:
        if name not in frame:
            more = "; or declare desk.known_at: snapshot (known at the file's date) or close" * (name == "known_at")
            raise DataError(f"{where}: column {name} is missing; add it{more}")
    out = pd.DataFrame({name: frame[name].astype("str") for name in ("pair", "timeframe")})
    odd = ~out["timeframe"].isin(list(TIMEFRAMES))
    if odd.any():
        raise DataError(f"{where}: row {_row(odd)}: timeframe {out['timeframe'][odd].iloc[0]!r:.40} is none of ours")
    out["date"] = _dates(frame["date"], where=where, name="date")
    if known_at == "column":
        out["known_at"] = _dates(frame["known_at"], where=where, name="known_at")
    else:
        out["known_at"] = out["date"] if known_at == "close" or stamp is None else stamp
    out["known_at"] = out["known_at"].astype("datetime64[ms, UTC]")
    early = out["known_at"] < out["date"]
    late = out["known_at"] > (out["known_at"].max() if stamp is None else stamp)
    there = [name for name in desk.columns if name in frame]
    if early.any():
        known, closed = (f"{out[name][early].iloc[0]:%Y-%m-%d %H:%M}" for name in ("known_at", "date"))
        raise DataError(
            f"{where}: row {_row(early)}: {', '.join(there)}: known at {known}, before the bar closed at {closed}: a "
            "value of the future; correct the file"
        )
    if late.any():
        raise DataError(
            f"{where}: row {_row(late)}: known at {out['known_at'][late].iloc[0]:%Y-%m-%d %H:%M}, after the file's own "
            f"date; name the file by the midnight up to which it speaks"
        )
    twice = out.duplicated(KEY)
    if twice.any():
        raise DataError(f"{where}: row {_row(twice)}: the bar is there twice; keep one row a bar")
    for name in there:
        out[name] = _numbers(frame[name], where=where) if name in desk.numbers else _texts(frame[name])
    return out


def _raw(file: Path, *, where: str) -> pd.DataFrame:
    """What a file holds; texts as they are."""
    if file.stat().st_size > _LARGEST_BYTES:
        raise DataError(f"{where}: larger than {_LARGEST_BYTES // 1_000_000} MB; split it by date")
    try:
        if file.suffix == ".parquet":
            return pd.read_parquet(file)
        return pd.read_csv(file, dtype="str", keep_default_na=False, encoding="utf-8-sig", on_bad_lines="error")
    except Exception as error:  # what pandas and pyarrow raise on a damaged file is many kinds
        detail = " ".join(str(error).split())[:120]
        raise DataError(f"{where}: not readable ({detail}); put the file there again") from None


def _dates(given: pd.Series, *, where: str, name: str) -> pd.Series:
    """Moments in UTC; those without a zone are UTC."""
    try:
        text = given.replace("", None) if given.dtype == object or str(given.dtype).startswith("str") else given
        dates = pd.to_datetime(text, utc=True, format="ISO8601").astype("datetime64[ms, UTC]")
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(f"{where}: {name}: {' '.join(str(error).split())[:100]}; write 2019-07-01T05:00:00Z") from None
    if dates.isna().any():
        raise DataError(f"{where}: row {_row(dates.isna())}: {name} is empty; every value has one")
    return dates


def _numbers(given: pd.Series, *, where: str) -> pd.Series:
    """Floats, missing where empty; infinite ones are refused."""
    found = pd.to_numeric(given.replace("", None), errors="coerce").astype("float64")
    empty = given.isna() | given.astype("str").str.strip().str.lower().isin(["", "nan", "none", "na"])
    odd = (found.isna() & ~empty) | np.isinf(found)
    if odd.any():
        raise DataError(
            f"{where}: row {_row(odd)}: {given.name} is {str(given[odd].iloc[0])!r:.40}, no number; leave it empty "
            "where there is none"
        )
    return found


def _texts(given: pd.Series) -> pd.Series:
    """Texts, missing where empty."""
    text = given.astype("str").str.strip()
    return text.mask(given.isna() | text.isin(["", "nan", "None", "<NA>"]))


def _column(name: str, told: list[tuple[str, pd.DataFrame]], *, number: bool) -> Column:
    """Put snapshots together: the first known value of a bar stays in force."""
    dates = sorted({date for date, _ in told})
    parts = []
    for order, (date, frame) in enumerate(told):
        own = frame[frame["value"].notna()]
        earlier = [other for other in dates if other < date]
        if earlier:
            stamp = pd.Timestamp(date, tz="UTC")
            told_before = max(pd.Timestamp(earlier[-1], tz="UTC"), _week_before(stamp))
            own = own.assign(known_at=own["known_at"].where(own["known_at"] > told_before, stamp))
        parts.append(own.assign(order=order, snapshot=date))
    rows = pd.concat(parts, ignore_index=True).sort_values([*KEY, "order"], kind="stable", ignore_index=True)
    again = rows.duplicated(KEY)
    in_force = rows["value"].where(~again).ffill()
    if number:
        value, before = rows["value"].to_numpy(np.float64), in_force.to_numpy(np.float64)
        other = np.abs(value - before) > _SAME * np.maximum(np.abs(value), np.abs(before))
    else:
        other = (rows["value"] != in_force).to_numpy(bool)
    repainted = rows[again.to_numpy(bool) & other]
    first = ""
    if len(repainted):
        one = repainted.sort_values(["order", *KEY], kind="stable").iloc[0]
        was = in_force.loc[one.name]
        first = (
            f"{one['pair']} {one['timeframe']} {one['date']:%Y-%m-%d %H:%M}: {was} at first, {one['value']} in the "
            f"snapshot of {one['snapshot']}"
        )
    kept = rows.loc[~again, [*KEY, "known_at", "value"]].reset_index(drop=True)
    unit = _unit(told[0][1]["value"]) if number else 1.0
    return Column(name, kept, len(repainted), first, unit)


def _unit(first: pd.Series) -> float:
    """Power of ten that brings a column between a hundredth and a thousand; 1 where it lies there already.

    Heads round what they learn to five decimals: a rate of 0.000001 would be rounded away.
    """
    size = np.abs(first.to_numpy(np.float64))
    size = size[np.isfinite(size) & (size > 0)]
    middle = float(np.median(size)) if size.size else 1.0
    return 1.0 if 0.01 <= middle <= 1000 else float(10.0 ** int(np.floor(np.log10(middle))))


def _week_before(stamp: pd.Timestamp) -> pd.Timestamp:
    """Last Monday 00:00 UTC that lies before a midnight: where the week that ends there, or is under way, began."""
    return stamp - pd.Timedelta(days=(stamp.weekday() - 1) % 7 + 1)


def _moment(date: str) -> pd.Timestamp | None:
    try:
        return pd.Timestamp(date, tz="UTC")
    except ValueError:
        return None


def _row(flagged: pd.Series) -> int:
    """Line of the first flagged row, the header being line 1."""
    return int(np.argmax(flagged.to_numpy(bool))) + 2
