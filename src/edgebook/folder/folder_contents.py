"""The table in a file, column by column as it stands there: CSV, Parquet, Feather, or JSON as exchanges answer."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgebook.errors import DataError
from edgebook.folder.folder_bytes import LARGEST_BYTES, check_size, text_of
from edgebook.folder.folder_columns import Columns, check_complete, check_count, listed, recognise

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from edgebook.settings.bar_files import Files

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".parquet", ".feather", ".json")
"""Endings of the files that are read; others are left alone."""

_SIGNS = {"comma": ",", "semicolon": ";", "tab": "\t"}
_LONGEST_HEADER_BYTES = 1 << 20
_NUMBER_OR_DATE = re.compile(r"[\d\s.,:/+\-eTZ]*\d[\d\s.,:/+\-eTZ]*")
_EPOCH_CELL = re.compile(r"\d{9,}(\.0*)?")
_PRICES = ["open", "high", "low", "close", "volume"]


@dataclass(frozen=True)
class Read:
    """A file's table.

    Parameters
    ----------
    table : pyarrow.Table
        The columns that are needed; text where the file is text.
    columns : Columns
        Which of them is what.
    text : bool
        The cells are text.
    """

    table: pa.Table
    columns: Columns
    text: bool


def ending(name: str) -> str | None:
    """The ending of a file that is read, None of one that is left alone."""
    return max((end for end in SUFFIXES if name.lower().endswith(end)), key=len, default=None)


def read_table(path: Path, *, files: Files, shown: str) -> Read:
    """Read the columns of a file that bars need.

    Parameters
    ----------
    path : Path
        Its name has one of `SUFFIXES`.
    files : Files
        What is declared.
    shown : str
        How errors name the file.

    Raises
    ------
    DataError
        The file cannot be read, or a column is missing.
    """
    kind = ending(path.name)
    if kind in (".parquet", ".feather"):
        return _read_arrow(path, kind=kind, files=files, shown=shown)
    if kind == ".json":
        return _read_json(path, files=files, shown=shown)
    return _read_text(text_of(path, shown=shown), files=files, shown=shown)


def _read_text(raw: bytes, *, files: Files, shown: str) -> Read:
    """Read delimited text: first its first lines, then the columns that are needed."""
    import pyarrow as pa
    from pyarrow import csv

    skipped, first, second = _first_lines(raw, shown=shown)
    sign = _SIGNS.get(files.delimiter) or max(",;\t|", key=first.count)
    cells = _cells(first, sign)
    check_count(len(cells), shown=shown)
    headerless = bool(cells) and all(not cell or _NUMBER_OR_DATE.fullmatch(cell) for cell in cells)
    if headerless:
        names = [str(i + 1) for i in range(len(cells))]
        columns = _headerless(cells, names, files=files, shown=shown)
    else:
        names = cells
        skipped += 1
        if names[:1] == ["Price"] and second.startswith("Ticker"):  # three lines of header, as yfinance saves a table
            names, skipped = ["Datetime", *cells[1:]], skipped + 2
        columns = recognise(names, files=files, shown=shown)
    check_complete(columns, names, files=files, shown=shown)
    wanted = list(dict.fromkeys([*columns.by_field.values(), *columns.also.values()]))
    twice = [name for name in wanted if names.count(name) > 1]
    if twice:
        raise DataError(f"{shown}: column {listed(twice[:1])!r} is there twice; keep one of them")
    try:
        table = csv.read_csv(
            io.BytesIO(raw),
            read_options=csv.ReadOptions(use_threads=False, column_names=_distinct(names), skip_rows=skipped),
            parse_options=csv.ParseOptions(delimiter=sign),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.string()), include_columns=wanted, check_utf8=False
            ),
        )
    except pa.ArrowInvalid as error:
        if re.match("Empty CSV|Could not skip initial", str(error)):
            raise DataError(f"{shown}: no bars at all; add rows or take the file away") from error
        raise DataError(f"{shown}: {_parser_message(error, header=skipped)}; correct the file") from error
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{shown}: {_parser_message(error, header=skipped)}; correct the file") from error
    return Read(table, columns, text=True)


def _first_lines(raw: bytes, *, shown: str) -> tuple[int, str, str]:
    """Number of lines to pass over before the header, the header, and the line below."""
    head = raw[:_LONGEST_HEADER_BYTES].decode(errors="replace")
    lines = head.splitlines()
    skipped = 0
    while skipped < len(lines) and (not lines[skipped].strip() or lines[skipped].startswith(("#", "http"))):
        skipped += 1
    if skipped == len(lines):
        raise DataError(f"{shown}: no bars at all; add rows or take the file away")
    if len(lines) == 1 and len(raw) > _LONGEST_HEADER_BYTES:
        raise DataError(f"{shown}: the first line has more than a mebibyte; this is not a table of bars")
    return skipped, lines[skipped], lines[skipped + 1] if skipped + 1 < len(lines) else ""


def _cells(line: str, sign: str) -> list[str]:
    """Split a line of a header, which may be quoted."""
    import csv

    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=sign), [])]
    except csv.Error:
        return [cell.strip().strip('"') for cell in line.split(sign)]


def _distinct(names: list[str]) -> list[str]:
    """Names for the parser, which reads columns by name: those without one, or with one that was had, are numbered."""
    had: set[str] = set()
    distinct = []
    for i, name in enumerate(names):
        distinct.append(f"\0{i}" if not name or name in had else name)
        had.add(name)
    return distinct


def _headerless(cells: list[str], names: list[str], *, files: Files, shown: str) -> Columns:
    """Say what the columns of a file without a header are: declared, or by the shape of its first row."""
    if files.columns:
        return recognise(names, files=files, shown=shown)
    if len(cells) >= 7 and re.fullmatch(r"\d{1,2}:\d\d(:\d\d)?|\d{6}", cells[1]):
        found = dict(zip(["date", "time", *_PRICES], names, strict=False))
        return Columns(found, stamp="open", dialect="metatrader without a header")
    if len(cells) >= 5:
        found = dict(zip(["date", *_PRICES], names, strict=False))
        if files.volume == "none":
            found.pop("volume", None)
        if _EPOCH_CELL.fullmatch(cells[0]) and not re.fullmatch(r"(19|20)\d{6}(\d{4}|\d{6})?", cells[0]):
            dialect = "binance klines" if len(cells) == 12 else "exchange klines"
            return Columns(found, stamp="open", dialect=f"{dialect} without a header")
        return Columns(found, dialect="no header: date, open, high, low, close, volume")
    raise DataError(
        f"{shown}: no header, and {len(cells)} columns; add a header, or number them in bars.files.columns"
        ' like {date: "1", open: "2"}'
    )


def _parser_message(error: Exception, *, header: int) -> str:
    """Say what the CSV parser said, with the row counted below the header, on one line."""
    text = str(error).splitlines()[0].removeprefix("CSV parse error: ")[:200]
    text = re.sub(r"Row #(\d+)", lambda found: f"row {int(found[1]) - header}", text)
    return "".join(c if c.isprintable() else "?" for c in text)


def _read_arrow(path: Path, *, kind: str, files: Files, shown: str) -> Read:
    """Read the columns of a Parquet or Feather file, after a look at what it says of its size."""
    import pyarrow as pa
    import pyarrow.feather as feather
    import pyarrow.parquet as pq

    check_size(path, shown=shown)
    word = "Parquet" if kind == ".parquet" else "Feather"
    try:
        if kind == ".parquet":
            file = pq.ParquetFile(path)
            names = list(file.schema_arrow.names)
            check_count(len(names), shown=shown)
            unpacked = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
            if unpacked > LARGEST_BYTES or file.metadata.num_rows > LARGEST_BYTES // 16:
                raise DataError(
                    f"{shown}: {file.metadata.num_rows:,} rows, {unpacked >> 20:,} MiB unpacked; at most"
                    f" {LARGEST_BYTES >> 20:,} MiB are read, split the file by date"
                )
        else:
            with pa.memory_map(str(path)) as source:
                names = list(pa.ipc.open_file(source).schema.names)
        columns = recognise(names, files=files, shown=shown)
        check_complete(columns, names, files=files, shown=shown)
        wanted = list(dict.fromkeys([*columns.by_field.values(), *columns.also.values()]))
        table = file.read(columns=wanted) if kind == ".parquet" else feather.read_table(path, columns=wanted)
    except (pa.ArrowException, OSError, ValueError) as error:
        detail = " ".join(str(error).splitlines()[0].split())[:200] if str(error) else type(error).__name__
        raise DataError(f"{shown}: not a readable {word} file ({detail}); write it again") from error
    if len(table.column_names) != len(set(table.column_names)):
        raise DataError(f"{shown}: a column is there twice (it has {listed(names)}); keep one of them")
    return Read(table, columns, text=False)


def _read_json(path: Path, *, files: Files, shown: str) -> Read:
    """Read rows as exchanges and ccxt answer: ``[[milliseconds, open, high, low, close, volume], ...]``."""
    import pyarrow as pa

    raw = text_of(path, shown=shown)
    try:
        rows: Any = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{shown}: not JSON ({str(error)[:120]}); write it again") from error
    if not isinstance(rows, list) or not all(isinstance(row, list) and 6 <= len(row) <= 12 for row in rows):
        raise DataError(f"{shown}: not a list of rows [time, open, high, low, close, volume]; write it as CSV")
    if not rows:
        raise DataError(f"{shown}: no bars at all; add rows or take the file away")
    names = [str(i + 1) for i in range(6)]
    columns = _headerless([str(cell) for cell in rows[0][:6]], names, files=files, shown=shown)
    cells = {name: ["" if row[i] is None else str(row[i]) for row in rows] for i, name in enumerate(names)}
    return Read(pa.table({name: pa.array(column, pa.string()) for name, column in cells.items()}), columns, text=True)
