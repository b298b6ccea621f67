"""Bars of your own: a folder with one CSV or Parquet file a symbol and timeframe."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook import paths
from edgebook.bars import COLUMNS, FINER, PRICES, TIMEFRAMES, check_bars
from edgebook.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_VALUES = ["date", *PRICES, "volume"]
_NAME = re.compile(rf"(?P<symbol>[^_/]+)_(?P<timeframe>{'|'.join([*FINER, *TIMEFRAMES])})\.(csv|parquet)")
_OFFSET = r"(?:Z|[+-]\d\d:?\d\d)$"


def folder_bars(folder: str | Path) -> list[pd.DataFrame]:
    """All bars of a folder, file by file.

    Parameters
    ----------
    folder : str or Path
        Taken from the repository's top when relative. Files are named like ``BTC-USD_1h.csv`` or
        ``AAPL_1d.parquet``: the pair with "-" for "/", and the timeframe: 1h, 4h, 1d, or finer (1m, 5m, 15m, 30m) to
        be resampled. Columns date, open, high, low, close, volume in any order, more are ignored; `date` is the close
        of the bar with its offset from UTC ("2019-01-07T01:00:00Z"). Files that are neither CSV nor Parquet are left
        alone.

    Returns
    -------
    list of DataFrame
        One table of `COLUMNS` a file, sorted by pair and timeframe.

    Raises
    ------
    DataError
        A file cannot be read or breaks the contract: file, row (the first below the header is 1), rule, remedy.
    """
    place = paths.repository() / folder
    files = sorted(path for path in place.glob("*") if path.suffix in (".csv", ".parquet"))
    if not files:
        raise DataError(f"{folder}: no bars there; add files named like BTC-USD_1h.csv")
    tables: dict[tuple[str, str], pd.DataFrame] = {}
    for path in files:
        shown = str(Path(folder) / path.name)
        named = _NAME.fullmatch(path.name)
        if named is None:
            raise DataError(
                f"{shown}: the name does not say pair and timeframe; name it like BTC-USD_1h.csv"
                f" (timeframes {', '.join([*FINER, *TIMEFRAMES])})"
            )
        key = (named["symbol"].replace("-", "/"), named["timeframe"])
        if key in tables:
            raise DataError(f"{shown}: {key[0]} {key[1]} is there as CSV and as Parquet; keep one of the two files")
        values = _read_csv(path, shown=shown) if path.suffix == ".csv" else _read_parquet(path, shown=shown)
        tables[key] = values.assign(pair=key[0], timeframe=key[1])[COLUMNS]
        check_bars(tables[key], source=shown)
    return [tables[key] for key in sorted(tables)]


def _read_csv(path: Path, *, shown: str) -> pd.DataFrame:
    """Read the columns of one CSV file, naming the first cell that is not what it should be."""
    import pyarrow as pa
    from pyarrow import csv

    try:
        table = csv.read_csv(
            path,
            read_options=csv.ReadOptions(use_threads=False),  # else the parser does not tell the row
            convert_options=csv.ConvertOptions(column_types=dict.fromkeys(_VALUES, pa.string())),
        )
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{shown}: {_parser_message(error)}; correct the file") from error
    _check_columns(table, shown=shown)
    columns: dict[str, Any] = {"date": _csv_dates(table["date"].to_pandas(), shown=shown)}
    for name in [*PRICES, "volume"]:
        columns[name] = _csv_numbers(table[name], name=name, shown=shown)
    return pd.DataFrame(columns)


def _parser_message(error: Exception) -> str:
    """Say what the CSV parser said, with the row counted below the header."""
    text = str(error).splitlines()[0].removeprefix("CSV parse error: ")
    return re.sub(r"Row #(\d+)", lambda found: f"row {int(found[1]) - 1}", text)


def _check_columns(table: pa.Table, *, shown: str) -> None:
    """Raise unless the six columns are there."""
    missing = [name for name in _VALUES if name not in table.column_names]
    if missing:
        raise DataError(f"{shown}: column {missing[0]!r} is missing (it has {', '.join(table.column_names)}); add it")


def _csv_dates(texts: pd.Series, *, shown: str) -> pd.Series:
    """Read dates that carry their offset from UTC."""
    texts = texts.fillna("").str.strip()
    naive = ~texts.str.contains(_OFFSET, regex=True)
    if naive.any():
        row = int(naive.to_numpy().argmax())
        raise DataError(
            f"{shown}: row {row + 1}: date {texts[row]!r} has no offset from UTC;"
            " write the bar's close like 2019-01-07T01:00:00Z"
        )
    dates = pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce")
    if dates.isna().any():
        row = int(dates.isna().to_numpy().argmax())
        raise DataError(
            f"{shown}: row {row + 1}: date {texts[row]!r} is not a date;"
            " write the bar's close like 2019-01-07T01:00:00Z"
        )
    return dates.dt.as_unit("ms")


def _csv_numbers(texts: pa.ChunkedArray, *, name: str, shown: str) -> pd.Series:
    """Read numbers, each to the nearest float."""
    import pyarrow as pa

    try:
        numbers: pd.Series = texts.cast(pa.float64()).to_pandas()
    except pa.ArrowInvalid as error:
        values = texts.to_pandas().fillna("").str.strip()
        wrong = pd.to_numeric(values, errors="coerce").isna()
        row = int(wrong.to_numpy().argmax())
        raise DataError(
            f"{shown}: row {row + 1}: {name} {values[row]!r} is not a number; correct or drop the row"
        ) from error
    return numbers


def _read_parquet(path: Path, *, shown: str) -> pd.DataFrame:
    """Read the columns of one Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{shown}: not a readable Parquet file ({str(error).splitlines()[0]}); write it again"
        ) from error
    _check_columns(table, shown=shown)
    kind = table["date"].type
    if not pa.types.is_timestamp(kind) or kind.tz is None:
        raise DataError(f"{shown}: column 'date' is {kind}, without an offset from UTC; write timestamps in UTC")
    for name in [*PRICES, "volume"]:
        kind = table[name].type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise DataError(f"{shown}: column {name!r} is {kind}, not a number; write it as float64")
    frame: pd.DataFrame = table.select(_VALUES).to_pandas(ignore_metadata=True)
    dates = frame["date"].dt.tz_convert("UTC").dt.as_unit("ms")
    return frame.astype(dict.fromkeys([*PRICES, "volume"], "float64")).assign(date=dates)
