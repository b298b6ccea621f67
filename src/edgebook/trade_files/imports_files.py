"""A table of trades that a notebook saved, CSV or Parquet, as rows of plain values under its own column names."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from edgebook.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MOST_COLUMNS, MOST_ROWS = 500, 5_000_000
_LARGEST_CSV, _LARGEST_PARQUET = 512 * 1024**2, 1024**3


def read_table(file: Path, *, shown: str) -> list[tuple[str, dict[str, Any]]]:
    """Read every row of a table.

    Parameters
    ----------
    file : Path
        Parquet, by its first bytes, else CSV in UTF-8 with a header.
    shown : str
        How messages name the file.

    Returns
    -------
    list of (str, dict)
        What to call the row ("row 2" is the first below the header), and its values by column. Values of a CSV are
        text, "" where empty; of a Parquet plain Python values, None where missing.

    Raises
    ------
    DataError
        The file is not a table, is damaged, or is larger than what is read.
    """
    with file.open("rb") as opened:
        head = opened.read(4)
    return _parquet(file, shown=shown) if head == b"PAR1" else _csv(file, shown=shown)


def picked(row: dict[str, Any], names: Sequence[str]) -> tuple[str, Any]:
    """Return the first of several names that a row has, and its value; the first name and None where it has none."""
    for name in names:
        if name in row:
            return name, row[name]
    return names[0], None


def require(rows: list[tuple[str, dict[str, Any]]], needed: Sequence[Sequence[str]], *, shown: str, what: str) -> None:
    """Refuse a table without a column that all tables of its kind have.

    Raises
    ------
    DataError
        Names the column, and what the table should be.
    """
    for names in needed:
        if rows and not any(name in rows[0][1] for name in names):
            raise DataError(f"{shown}: no column {' or '.join(names)}; give {what}")


def _csv(file: Path, *, shown: str) -> list[tuple[str, dict[str, Any]]]:
    """Rows of a CSV file."""
    size = file.stat().st_size
    if size > _LARGEST_CSV:
        raise DataError(f"{shown}: {size:,} bytes; at most {_LARGEST_CSV:,} of CSV are read")
    found: list[tuple[str, dict[str, Any]]] = []
    try:
        text = file.read_bytes().decode("utf-8-sig")
        if "\0" in text:
            raise DataError(f"{shown}: has NUL bytes in it; give a CSV or Parquet table")
        lines = csv.reader(io.StringIO(text, newline=""), strict=True)
        names = next(lines, [])
        _check_names(names, shown=shown)
        for place, line in enumerate(lines, start=2):
            if line and len(line) != len(names):
                raise DataError(f"{shown}: row {place}: {len(line)} values for {len(names)} columns; correct the row")
            if line:
                found.append((f"row {place}", dict(zip(names, line, strict=True))))
    except UnicodeDecodeError as error:
        raise DataError(f"{shown}: not UTF-8 text at byte {error.start:,}; save it as UTF-8") from error
    except csv.Error as error:
        raise DataError(f"{shown}: not a CSV table ({error}); save it with a header and commas") from error
    return found


def _parquet(file: Path, *, shown: str) -> list[tuple[str, dict[str, Any]]]:
    """Rows of a Parquet file; an index that pandas saved is a column."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        opened = pq.ParquetFile(file)
        about = opened.metadata
        size = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
        if size > _LARGEST_PARQUET or about.num_rows > MOST_ROWS:
            raise DataError(
                f"{shown}: {about.num_rows:,} rows, {size:,} bytes unpacked; at most {MOST_ROWS:,} and"
                f" {_LARGEST_PARQUET:,} are read"
            )
        names = opened.schema_arrow.names
        _check_names(names, shown=shown)
        table = opened.read()
        columns = [[_plain(value) for value in _values(column)] for column in table.columns]
    except (pa.ArrowException, OSError, ValueError, OverflowError, KeyError) as error:
        raise DataError(
            f"{shown}: could not be read as Parquet ({str(error).splitlines()[0][:100]}); save it again"
        ) from error
    rows = zip(*columns, strict=True)
    return [(f"row {place}", dict(zip(names, row, strict=True))) for place, row in enumerate(rows, start=2)]


def _values(column: Any) -> list[Any]:
    """Python values of an Arrow column; times to the microsecond, durations as numbers."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        return list(column.cast(pa.timestamp("us", tz=column.type.tz), safe=False).to_pylist())
    if pa.types.is_duration(column.type):
        return list(column.cast(pa.int64()).to_pylist())
    return list(column.to_pylist())


def _plain(value: Any) -> Any:
    """A time in UTC; everything else as it is."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _check_names(names: Sequence[str], *, shown: str) -> None:
    """Refuse a header that is none."""
    if not names:
        raise DataError(f"{shown}: empty; give a table of trades")
    if len(names) > MOST_COLUMNS:
        raise DataError(f"{shown}: {len(names):,} columns; a table of trades has at most {MOST_COLUMNS}")
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise DataError(f"{shown}: column {twice[:60]!a} stands twice; keep one")
