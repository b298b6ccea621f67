"""One file of bars: read, and divided into its pairs and timeframes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pandas as pd

from edgebook.bars.bars import COLUMNS
from edgebook.errors import DataError
from edgebook.folder.folder_clocks import closes
from edgebook.folder.folder_contents import Read, ending, read_table
from edgebook.folder.folder_dates import Stamps, read_stamps, refuse_naive
from edgebook.folder.folder_names import Named, named, safe_pair, timeframe_of
from edgebook.folder.folder_values import read_values
from edgebook.settings.bar_files import FILE_TIMEFRAMES

if TYPE_CHECKING:
    from pathlib import Path, PurePath

    from numpy.typing import NDArray

    from edgebook.settings.bar_files import Files

_OPEN_BY_NAME = ("freqtrade", "binance", "dukascopy", "metatrader")


@dataclass(frozen=True)
class FileRead:
    """A file, read or refused.

    Parameters
    ----------
    shown : str
        Its path, as messages name it.
    stem : str
        Its name without endings.
    keys : list of (str, str)
        Pair and timeframe of each of its series.
    series : list of DataFrame
        `COLUMNS` and `row`, the row in the file; in its order, not checked.
    part : bool
        Its name has a date: it may be one of several files of its series.
    reading : dict
        How it was read: `dialect`, `stamps` (open, close or day), `because`, `dates`, `unused`.
    error : DataError or None
        Why it is refused.
    """

    shown: str
    stem: str
    keys: list[tuple[str, str]] = field(default_factory=list)
    series: list[pd.DataFrame] = field(default_factory=list)
    part: bool = False
    reading: dict[str, str] = field(default_factory=dict)
    error: DataError | None = None


def read_file(path: Path, *, below: PurePath, shown: str, files: Files) -> FileRead:
    """Read one file.

    Parameters
    ----------
    path : Path
        Where it is.
    below : PurePath
        Its path in the folder of bars, whose sub-folders may name pair and timeframe.
    shown : str
        How errors name it.
    files : Files
        What is declared.
    """
    stem = below.name[: -len(ending(below.name) or "")]
    name = named(below, stem=stem)
    try:
        read = read_table(path, files=files, shown=shown)
        if len(read.table) == 0:
            raise DataError(f"{shown}: no bars at all; add rows or take the file away")
        keys, series, reading = _divided(read, name=name, files=files, shown=shown)
    except DataError as error:
        return FileRead(shown, stem, part=name.part, error=error)
    return FileRead(shown, stem, keys, series, name.part, reading)


def _divided(
    read: Read, *, name: Named, files: Files, shown: str
) -> tuple[list[tuple[str, str]], list[pd.DataFrame], dict[str, str]]:
    """The series of a table, and how it was read."""
    columns = read.columns
    time = columns.by_field.get("time")
    dates = read.table[columns.by_field["date"]]
    times = None if time is None else read.table[time]
    stamps = read_stamps(dates, times, files=files, text=read.text, shown=shown)
    pairs = _pairs(read, name=name, files=files, shown=shown)
    timeframes = _timeframes(read, stamps, name=name, files=files, shown=shown)
    values = pd.DataFrame(read_values(read, files=files, shown=shown))
    values["row"] = np.arange(1, len(values) + 1)
    keys, series, reading = [], [], {}
    for key, at in _groups(pairs, timeframes, length=len(values)):
        own = Stamps(stamps.at.iloc[at].reset_index(drop=True), stamps.zoned, stamps.days and key[1] == "1d", "")
        if not (own.zoned or own.days or columns.utc) and files.timezone is None:
            refuse_naive(dates.slice(int(at[0]), 1), text=read.text, shown=shown)
        end, because = _stamp(read, own, name=name, files=files, shown=shown)
        bars = values.iloc[at].reset_index(drop=True)
        closed = closes(
            own, timeframe=key[1], stamp=end, utc=columns.utc, files=files, shown=shown, rows=bars["row"].to_numpy()
        )
        bars = bars.assign(pair=key[0], timeframe=key[1], date=closed)
        keys.append(key)
        series.append(bars[[*COLUMNS, "row"]])
        unused = "adj close" if "adjusted_close" in columns.by_field and files.adjusted_close == "ignore" else ""
        reading = {
            "dialect": name.dialect if columns.strict and name.dialect else columns.dialect or name.dialect,
            "stamps": "day" if own.days else end,
            "because": because,
            "dates": stamps.spelled,
            "unused": unused,
        }
    return keys, series, reading


def _pairs(read: Read, *, name: Named, files: Files, shown: str) -> NDArray[np.object_] | str:
    """Pair of each row, or of all: a column's, else the name's."""
    column = read.columns.by_field.get("pair")
    strict = name.dialect == "strict" and "pair" not in files.columns
    if column is not None and not strict:
        found = read.table[column].cast("string").to_pandas().fillna("").str.strip()
        safe = {symbol: safe_pair(symbol, shown=shown, renamed=files.pairs) for symbol in found.unique()}
        return safe[found.iloc[0]] if len(safe) == 1 else found.map(safe).to_numpy(dtype=object)
    if name.symbol is None or name.pair is None:
        _refuse_name(shown)
    symbol = str(name.symbol)
    return safe_pair(files.pairs.get(symbol, str(name.pair)), shown=shown, renamed=files.pairs)


def _timeframes(read: Read, stamps: Stamps, *, name: Named, files: Files, shown: str) -> NDArray[np.object_] | str:
    """Timeframe of each row, or of all: declared, a column's, the name's, or days where there is no time."""
    if files.timeframe is not None:
        return files.timeframe
    column = read.columns.by_field.get("timeframe")
    if column is not None and not (name.dialect == "strict" and "timeframe" not in files.columns):
        found = read.table[column].cast("string").to_pandas().fillna("").str.strip()
        words = {word: timeframe_of(word) for word in found.unique()}
        for word, timeframe in words.items():
            if timeframe is None:
                row = int((found == word).to_numpy().argmax())
                raise DataError(
                    f"{shown}: row {row + 1}: timeframe {word[:20]!r} is not one of {', '.join(FILE_TIMEFRAMES)};"
                    " drop such rows, or set bars.files.timeframe"
                )
        only = next(iter(words.values()))
        return str(only) if len(words) == 1 else found.map(words).to_numpy(dtype=object)
    if name.timeframe is not None:
        return name.timeframe
    if stamps.days and len(stamps.at) > 1:
        return "1d"
    _refuse_name(shown)


def _refuse_name(shown: str) -> NoReturn:
    """Refuse a file of which nothing says whose bars it holds."""
    raise DataError(
        f"{shown}: the name does not say pair and timeframe; name it like BTC-USD_1h.csv"
        f" (timeframes {', '.join(FILE_TIMEFRAMES)}), or set bars.files.timeframe and, for a column of symbols,"
        " bars.files.columns.pair"
    )


def _groups(
    pairs: NDArray[np.object_] | str, timeframes: NDArray[np.object_] | str, *, length: int
) -> list[tuple[tuple[str, str], NDArray[np.int64]]]:
    """Rows of each pair and timeframe, in the order of the file."""
    if isinstance(pairs, str) and isinstance(timeframes, str):
        return [((pairs, timeframes), np.arange(length))]
    frame = pd.DataFrame({"pair": pairs, "timeframe": timeframes}, index=range(length))
    found: dict[tuple[str, str], NDArray[np.int64]] = frame.groupby(["pair", "timeframe"], sort=True).indices  # type: ignore[assignment]
    return [(key, np.sort(at)) for key, at in found.items()]


def _stamp(read: Read, stamps: Stamps, *, name: Named, files: Files, shown: str) -> tuple[str, str]:
    """Which end of a bar the stamps name, and why that is said."""
    columns = read.columns
    if stamps.days:
        return "open", "a date without a time is the whole day"
    if files.stamp != "recognised":
        return files.stamp, "declared in bars.files.stamp"
    if name.dialect in _OPEN_BY_NAME:
        return "open", f"files named as by {name.dialect} stamp the open"
    if columns.strict and stamps.zoned and name.dialect == "strict":
        return "close", "the form of data/raw/README.md"
    if columns.stamp:
        why = f"columns as of {columns.dialect}" if columns.dialect else f"column {columns.by_field['date']!r}"
        return columns.stamp, f"{why} stamp the {columns.stamp}"
    raise DataError(
        f"{shown}: nothing says whether {columns.by_field['date']!r} is a bar's open or its close; set"
        " bars.files.stamp: open or close"
    )
