"""Canonical tables on disk: sorted Parquet, the same bytes for the same rows.

Stages hand their tables to each other through this module alone, so that one place fixes the codec, the row order
and the way a file comes into being: written beside its place, then moved there in one step. A killed run leaves the
previous table whole.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from edgebook.errors import DataError
from edgebook.files.whole_files import scratch_of, whole_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

KEY = ["pair", "timeframe", "date"]


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write `frame` to `path` as Parquet, whole or not at all.

    Parameters
    ----------
    frame : DataFrame
        Rows in their canonical order; the index is dropped.
    path : Path
        Its folder is made when missing.

    Raises
    ------
    DataError
        The disk did not take the file; the previous one is still in place.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    scratch = path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = scratch_of(path)
        # A dictionary of prices or times is as long as the column: without one, half the time and smaller files.
        repeating = [
            f.name for f in table.schema if not (pa.types.is_floating(f.type) or pa.types.is_timestamp(f.type))
        ]
        pq.write_table(
            table, scratch, compression="zstd", compression_level=1, write_statistics=False, use_dictionary=repeating
        )
        scratch.replace(path)
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"{path}: could not be written ({reason}); the last good file is kept") from error
    finally:
        if scratch != path:
            with contextlib.suppress(OSError):
                scratch.unlink(missing_ok=True)


@contextlib.contextmanager
def folder(place: Path) -> Iterator[Path]:
    """Fill a folder of tables that takes the place of the last one when all of them are there.

    Parameters
    ----------
    place : Path
        What an earlier setting left there goes with the old folder.

    Yields
    ------
    Path
        Where to write the tables.

    Raises
    ------
    DataError
        The disk did not take the folder; the previous one is still in place.
    """
    try:
        with whole_folder(place) as scratch:
            yield scratch
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"{place}: could not be written ({reason}); the last good folder is kept") from error


def read(path: Path, *, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a table that `write` wrote.

    Parameters
    ----------
    path : Path
        A Parquet file.
    columns : sequence of str, optional
        Only these columns, in this order; all by default.

    Returns
    -------
    DataFrame
        Dates are ``datetime64[ms, UTC]``, the index counts from 0.

    Raises
    ------
    DataError
        The file is missing or is not a table.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.exists():
        raise DataError(f"{path}: no such table; `dvc repro` makes it")
    try:
        frame: pd.DataFrame = pq.read_table(path, columns=None if columns is None else list(columns)).to_pandas()
    except (pa.ArrowException, OSError) as error:
        detail = str(error).splitlines()[0]
        raise DataError(f"{path}: not a readable table ({detail}); delete it and run `dvc repro`") from error
    return frame
