"""Parts of received bars on disk: named by when they came, written once, read with their checksums."""

from __future__ import annotations

import datetime
import fcntl
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.bars.bars import COLUMNS
from edgebook.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

_NAME = re.compile(r"bars-(\d{8}T\d{6}Z)-(\d{3,})(?:-closed-(\d{8}))?\.parquet")
_STAMP = "%Y%m%dT%H%M%SZ"
_ROWS_OF_A_GROUP = 65_536
NEVER = int(np.iinfo(np.int64).min)
"""Closing time of a part that closes nothing."""


@dataclass(frozen=True)
class Part:
    """One file of received bars.

    Parameters
    ----------
    file : Path
    known_ms : int
        When it came, milliseconds UTC: of every row in it.
    number : int
        Counts the parts of one second.
    closed_ms : int
        Time up to which it closes the market, milliseconds UTC; the smallest number there is for a part of bars.
    """

    file: Path
    known_ms: int
    number: int
    closed_ms: int


def list_parts(folder: Path) -> list[Part]:
    """Parts of a folder in the order of their receipt.

    Raises
    ------
    DataError
        A Parquet file has another name than a part.
    """
    found = []
    for file in folder.glob("*.parquet"):
        if file.name.startswith("."):
            continue
        named = _NAME.fullmatch(file.name)
        try:
            known = datetime.datetime.strptime(named[1] if named else "", _STAMP)
            closed = datetime.datetime.strptime(named[3], "%Y%m%d") if named and named[3] else None
        except ValueError:
            raise DataError(
                f"data/received/{file.name}: not the name of a part (bars-20190701T001000Z-000.parquet); move it away"
            ) from None
        assert named is not None
        found.append(Part(file, _ms(known), int(named[2]), NEVER if closed is None else _ms(closed)))
    return sorted(found, key=lambda part: (part.known_ms, part.number))


def read_part(
    part: Part,
    *,
    columns: Sequence[str],
    pairs: Sequence[str] | None = None,
    since: pd.Timestamp | None = None,
    until: pd.Timestamp | None = None,
) -> pa.Table:
    """Bars of a part, of some pairs and dates.

    Parameters
    ----------
    part : Part
    columns : sequence of str
    pairs : sequence of str, optional
        Sorted; all by default.
    since, until : Timestamp, optional
        UTC; bars that close from one to the other, both included.

    Raises
    ------
    DataError
        The file is damaged: cut off, changed, or not a part at all. The message names it.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if part.closed_ms != NEVER:
        return _schema().empty_table().select(list(columns))
    terms = []
    if pairs is not None:
        terms += [pc.field("pair") >= pairs[0], pc.field("pair") <= pairs[-1], pc.field("pair").isin(list(pairs))]
    if since is not None:
        terms.append(pc.field("date") >= _scalar(since))
    if until is not None:
        terms.append(pc.field("date") <= _scalar(until))
    wanted = None
    for term in terms:
        wanted = term if wanted is None else wanted & term
    try:
        found: pa.Table = pq.read_table(
            part.file,
            columns=list(columns),
            filters=wanted,
            page_checksum_verification=True,
            use_threads=False,
            memory_map=False,
            partitioning=None,
        )
        return found.cast(pa.schema([_schema().field(name) for name in columns]))
    except (pa.ArrowException, OSError, KeyError) as error:
        detail = (str(error).splitlines() or ["?"])[0][:120]
        raise DataError(
            f"data/received/{part.file.name}: damaged ({detail}); restore it from git, DVC or a copy, received bars "
            "cannot be made again"
        ) from error


def add_part(rows: pd.DataFrame, *, folder: Path, known_at: pd.Timestamp) -> Part:
    """Write one part under the next free name, whole or not at all.

    Parameters
    ----------
    rows : DataFrame
        Columns `COLUMNS`, sorted. A single row without a pair closes the market up to its date.
    folder : Path
        Locked by the caller (`holding`).
    known_at : Timestamp
        UTC, whole seconds; later where a newer part is there.

    Raises
    ------
    DataError
        The disk did not take it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = list_parts(folder)
    known = max(_ms(known_at.tz_convert(None).to_pydatetime()), parts[-1].known_ms if parts else NEVER)
    number = parts[-1].number + 1 if parts and parts[-1].known_ms == known else 0
    closes = rows["date"].iloc[0] if rows["pair"].iloc[0] == "" else None
    moment = pd.Timestamp(known, unit="ms", tz="UTC").as_unit("ms")
    table = pa.Table.from_pandas(rows[COLUMNS].assign(known_at=moment), schema=_schema(), preserve_index=False)
    scratch = folder / f".bars.{os.getpid()}.tmp"
    ending = "" if closes is None else f"-closed-{closes:%Y%m%d}"
    place = folder / f"bars-{moment:{_STAMP}}-{number:03}{ending}.parquet"
    try:
        with scratch.open("wb") as file:
            pq.write_table(
                table.replace_schema_metadata(None),
                file,
                compression="zstd",
                compression_level=3,
                use_dictionary=["pair", "timeframe"],
                write_statistics=["pair", "timeframe", "date"],
                write_page_checksum=True,
                row_group_size=_ROWS_OF_A_GROUP,
            )
            file.flush()
            os.fsync(file.fileno())
        if place.exists():  # nobody else writes while the folder is held; a copy put there by hand is left alone
            raise FileExistsError(17, "a part of this name is there already")
        scratch.replace(place)
        _sync(folder)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise DataError(
            f"data/received/{place.name}: could not be written ({error.strerror or error}); what was received before "
            "is kept, run `edgebook data fetch` again"
        ) from error
    return Part(place, known, number, NEVER if closes is None else _ms(closes.tz_convert(None).to_pydatetime()))


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Hold a folder of parts, so that one process at a time adds to it; another waits.

    Raises
    ------
    DataError
        The folder cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise DataError(f"{folder.name}: no such folder to write to ({error.strerror}); make it writable") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def rounded_up(moment: pd.Timestamp) -> pd.Timestamp:
    """Return a time at the next whole second, UTC: what came by then was known then."""
    return moment.tz_convert("UTC").ceil("s").as_unit("ms")


def _schema() -> pa.Schema:
    """Columns of a part."""
    import pyarrow as pa

    stamp = pa.timestamp("ms", tz="UTC")
    kinds: dict[str, Any] = {"pair": pa.string(), "timeframe": pa.string(), "date": stamp}
    kinds |= {name: pa.float64() for name in COLUMNS[3:]} | {"known_at": stamp}
    return pa.schema(list(kinds.items()))


def _scalar(moment: pd.Timestamp) -> pa.Scalar:
    """Return a time as the dates of a part are."""
    import pyarrow as pa

    return pa.scalar(moment.as_unit("ms").value // 1_000_000, pa.timestamp("ms", tz="UTC"))


def _ms(moment: datetime.datetime) -> int:
    """Milliseconds since 1970 of a time in UTC that does not say so."""
    return int(moment.replace(tzinfo=datetime.UTC).timestamp()) * 1000


def _sync(folder: Path) -> None:
    """Make the new name last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
