"""Outcomes of a desk as it recorded them: dated snapshots, each written once, read back with all their versions.

A snapshot ``data/recorded/outcomes-<YYYY-MM-DD>.csv`` speaks up to midnight UTC of its date and holds the rows that are
new or changed since the snapshots before it. Nothing is ever rewritten: a correction is a later row of the same
`signal_id`, and so is a row that vanished (status deleted). ``data/recorded/README.md`` describes every column.
"""

from __future__ import annotations

import csv
import datetime
import io
import os
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.errors import DataError, SettingsError
from edgebook.outcomes.recorded_rows import BOOLS, COLUMNS, DATES, NUMBERS, as_text, cut_at

if TYPE_CHECKING:
    from pathlib import Path

    from pandas._libs import NaTType

    from edgebook.paths import Paths

_NAME = re.compile(r"outcomes-(\d{4}-\d{2}-\d{2})(?:-(\d+))?\.csv")
_LARGEST_BYTES = 500_000_000


def append(trades: pd.DataFrame, *, paths: Paths, until: str, complete: bool = False) -> str:
    """Add what is new or changed among a desk's trades to the snapshots, as known at a midnight.

    Parameters
    ----------
    trades : DataFrame
        One row a signal, with `recorded_rows.GIVEN` (the columns of a snapshot without `known_at`; those that may be
        empty may be absent too) and optionally `recorded_at`: when the desk wrote the row. Dates are UTC.
    paths : Paths
    until : str
        Midnight UTC, ``2019-07-01``, up to which the rows speak: what was opened from then on is left out, what closed
        from then on is still open.
    complete : bool
        These are all rows of the desk: one that is in the snapshots and not here was deleted.

    Returns
    -------
    str
        What was added, in one line.

    Raises
    ------
    DataError
        A row breaks a rule (signal_id, column and rule are named), or a snapshot cannot be read or written.
    SettingsError
        `until` is no date.

    Notes
    -----
    `known_at` is when the row's fact became known: its close (an open row: its open), or `recorded_at` where that is
    later. What an earlier snapshot should have held and did not is known from the date of its own snapshot. A day whose
    week is sealed takes no further rows: they wait for the next snapshot.
    """
    try:
        end = pd.Timestamp(datetime.date.fromisoformat(until), tz="UTC")
    except ValueError:
        raise SettingsError(f"until: {until!r} is no date; write it like 2019-07-01") from None
    files = snapshots(paths.recorded)
    dates = [date for date, _ in files]
    if dates and dates[-1] > until:
        return f"data/recorded: a later snapshot, of {dates[-1]}, is there; nothing was added for {until}"
    before = read_recorded(paths.recorded)
    last = before.drop_duplicates("signal_id", keep="last").set_index("signal_id")
    rows = cut_at(trades, end=end, held=set(last.index[last["status"] != "deleted"]))
    text = as_text(rows.drop(columns="fact_at"))
    old = as_text(last.reset_index()[[c for c in COLUMNS if c != "known_at"]]).set_index("signal_id")
    known = old.reindex(text["signal_id"])
    compared = [c for c in text.columns if c != "signal_id"]
    same = (text[compared].to_numpy(object) == known[compared].to_numpy(object)).all(axis=1)
    earlier = [date for date in dates if date < until]
    fact_at = rows["fact_at"]
    if earlier:
        fact_at = fact_at.where(fact_at > pd.Timestamp(earlier[-1], tz="UTC"), end)
    fresh = text.assign(known_at=_iso(fact_at.dt.ceil("s")))[~same]
    gone = pd.DataFrame(columns=fresh.columns)
    if complete:
        vanished = old[(old["status"] != "deleted") & ~old.index.isin(trades["signal_id"].astype("str"))]
        gone = vanished.reset_index().assign(status="deleted", known_at=f"{until}T00:00:00Z")[list(fresh.columns)]
    out = pd.concat([part for part in (fresh, gone) if len(part)] or [fresh], ignore_index=True)
    if out.empty:
        return f"data/recorded: nothing new up to {until}; {len(rows):,} outcomes as before"
    if dates and _learned_by(paths, until):
        return f"data/recorded: a week that read {until} is sealed; {len(out):,} changes wait for the next snapshot"
    number = dates.count(until) + 1
    name = f"outcomes-{until}.csv" if number == 1 else f"outcomes-{until}-{number}.csv"
    _write(out.sort_values("signal_id", kind="stable")[COLUMNS], paths.recorded / name)
    first = (~fresh["signal_id"].isin(old.index)).sum()
    return (
        f"data/recorded/{name}: {len(out):,} rows: {first:,} new, {len(fresh) - first:,} changed, {len(gone):,} deleted"
    )


def snapshots(folder: Path) -> list[tuple[str, Path]]:
    """Date and file of every snapshot, in the order in which they were written."""
    found = [(match, file) for file in folder.glob("outcomes-*.csv") if (match := _NAME.fullmatch(file.name))]
    ordered = sorted(found, key=lambda item: (item[0][1], int(item[0][2] or 1)))
    return [(match[1], file) for match, file in ordered]


def read_recorded(folder: Path, *, at: str | pd.Timestamp | None = None) -> pd.DataFrame:
    """All versions of all recorded outcomes.

    Parameters
    ----------
    folder : Path
        ``data/recorded``; it need not exist.
    at : str or Timestamp, optional
        Only snapshots up to this date.

    Returns
    -------
    DataFrame
        `COLUMNS`, and `snapshot` and `before` (UTC): the date of the row's snapshot and of the one before it (missing
        for the first). Snapshot by snapshot, by signal_id within each; the last row of a signal_id is the one in force.

    Raises
    ------
    DataError
        A file is not a snapshot; it and the row are named.
    """
    files = snapshots(folder)
    if at is not None:
        moment = pd.Timestamp(at)
        limit = f"{moment:%Y-%m-%d}"
        files = [(date, file) for date, file in files if date <= limit]
    dates = [date for date, _ in files]
    parts = []
    for date, file in files:
        earlier = [other for other in dates if other < date]
        before = pd.Timestamp(earlier[-1], tz="UTC") if earlier else pd.NaT
        stamp = pd.Timestamp(date, tz="UTC")
        part = _read(file)
        parts.append(part.assign(snapshot=_column(stamp, part), before=_column(before, part)))
    if not parts:
        empty = _typed(pd.DataFrame({name: pd.Series(dtype="str") for name in COLUMNS}))
        return empty.assign(snapshot=_column(pd.NaT, empty), before=_column(pd.NaT, empty))
    return pd.concat(parts, ignore_index=True)


def _column(moment: pd.Timestamp | NaTType, frame: pd.DataFrame) -> pd.Series:
    """One moment in every row."""
    return pd.Series(moment, index=frame.index, dtype="datetime64[ms, UTC]")


def _read(file: Path) -> pd.DataFrame:
    """One snapshot, checked."""
    where = f"data/recorded/{file.name}"
    if file.stat().st_size > _LARGEST_BYTES:
        raise DataError(f"{where}: larger than {_LARGEST_BYTES // 1_000_000} MB; it is no snapshot, restore it")
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            lines = list(csv.reader(stream, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{where}: not readable ({' '.join(str(error).split())}); restore it with `git checkout`"
        ) from None
    if not lines or lines[0] != COLUMNS:
        raise DataError(f"{where}: row 1: columns are not {', '.join(COLUMNS)}; restore it with `git checkout`")
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(COLUMNS):
            raise DataError(f"{where}: row {number}: {len(line)} values for {len(COLUMNS)} columns; restore the file")
    try:
        return _typed(pd.DataFrame(lines[1:], columns=COLUMNS, dtype="str"))
    except (ValueError, OverflowError) as error:
        detail = " ".join(str(error).split())[:120]
        raise DataError(f"{where}: a value that is none of its column ({detail}); restore the file") from None


def _typed(text: pd.DataFrame) -> pd.DataFrame:
    """Text of a snapshot as dates, numbers and truth values."""
    out: dict[str, pd.Series] = {}
    for name in COLUMNS:
        if name in DATES:
            out[name] = pd.to_datetime(text[name].replace("", None), utc=True, format="%Y-%m-%dT%H:%M:%SZ").astype(
                "datetime64[ms, UTC]"
            )
        elif name in NUMBERS:
            numbers = np.array([float(value) if value else np.nan for value in text[name]], np.float64)
            if np.isinf(numbers).any():
                raise ValueError(f"{name} is infinite")
            out[name] = pd.Series(numbers, index=text.index)
        elif name in BOOLS:
            odd = ~text[name].isin(["True", "False"])
            if odd.any():
                raise ValueError(f"{name} is {text[name][odd].iloc[0]!r}, True or False are known")
            out[name] = text[name] == "True"
        else:
            out[name] = text[name].astype("str")
    return pd.DataFrame(out)


def _iso(dates: pd.Series) -> pd.Series:
    spelled: pd.Series = dates.dt.strftime("%Y-%m-%dT%H:%M:%SZ").fillna("").astype("str")
    return spelled


def _learned_by(paths: Paths, until: str) -> bool:
    """Whether any history has sealed a week, with recorded outcomes, that would have read a snapshot of this date."""
    seals = (seal for seal in (paths.root / "models").glob("*/*/seal.json") if seal.parent.name >= until)
    return any('"recorded"' in seal.read_text(encoding="utf-8", errors="replace") for seal in seals)


def _write(rows: pd.DataFrame, place: Path) -> None:
    """Write a snapshot whole or not at all, and only where there is none."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(rows.columns)
    writer.writerows(rows.itertuples(index=False, name=None))
    scratch = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("w", encoding="utf-8", newline="") as stream:
            stream.write(buffer.getvalue())
            stream.flush()
            os.fsync(stream.fileno())
        scratch.replace(place)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise DataError(
            f"data/recorded/{place.name}: could not be written ({error.strerror}); nothing was added"
        ) from error
