"""Bars of your own: a folder of CSV or Parquet files as desks have them.

Each file goes one way: bytes (`folder_bytes`), table (`folder_contents`), which column is what (`folder_columns`),
stamps (`folder_dates`, `folder_clocks`), numbers (`folder_values`), pair and timeframe (`folder_names`), repairs
(`folder_repair`). What params.yaml declares in `bars.files` wins over what is recognised; where neither tells, the file
is refused.
"""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import pandas as pd

from edgebook import paths
from edgebook.bars.bars import COLUMNS, check_bars
from edgebook.errors import DataError
from edgebook.folder.folder_contents import ending
from edgebook.folder.folder_file import FileRead, read_file
from edgebook.folder.folder_repair import repaired
from edgebook.folder.folder_splits import adjusted, read_factors
from edgebook.folder.folder_values import scaled
from edgebook.settings.bar_files import Files
from edgebook.settings.universe import UNIVERSE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_FILES = 20_000

Key = tuple[str, str]
"""Pair and timeframe."""


def folder_bars(
    folder: str | Path, *, files: Files | None = None, as_of: pd.Timestamp | None = None
) -> list[pd.DataFrame]:
    """All bars of a folder, one table a pair and timeframe.

    Parameters
    ----------
    folder : str or Path
        Taken from the repository's top when relative. What files may look like is in data/raw/README.md and
        docs/howto/use-your-own-bars.md; files of other endings, and those whose name begins with a dot, are left
        alone.
    files : Files, optional
        What params.yaml declares of them.
    as_of : Timestamp, optional
        UTC. Splits of `files.split_factors` up to here are known; all of them by default.

    Returns
    -------
    list of DataFrame
        Tables of `COLUMNS`, sorted by pair and timeframe.

    Raises
    ------
    DataError
        A file cannot be read or breaks the contract: file, row (the first below the header is 1), rule, remedy.
    """
    declared = files or Files()
    reads = list(read_files(folder, files=declared))
    for read in reads:
        if read.error is not None:
            raise read.error
    series = gathered(reads)
    factors = split_factors(declared)
    tables = [finished(series[key], files=declared)[0] for key in sorted(series)]
    return tables if factors is None else [adjusted(bars, factors, as_of=as_of) for bars in tables]


def bar_files(folder: str | Path, *, files: Files) -> list[Path]:
    """Files of bars in a folder and those below it, in the order of their paths.

    Raises
    ------
    DataError
        There are none, or more than `MOST_FILES`.
    """
    place = paths.repository() / folder
    factors = None if files.split_factors is None else paths.repository() / files.split_factors
    found = sorted(
        path
        for path in place.rglob("*")
        if ending(path.name) and path != factors and path.name != UNIVERSE_NAME
        and not any(part.startswith(".") for part in path.relative_to(place).parts)
    )  # fmt: skip
    if not found:
        raise DataError(f"{folder}: no bars there; add files named like BTC-USD_1h.csv")
    if len(found) > MOST_FILES:
        raise DataError(f"{folder}: {len(found):,} files; at most {MOST_FILES:,} are read, put a symbol in one file")
    return found


def read_files(folder: str | Path, *, files: Files) -> Iterator[FileRead]:
    """Read every file of a folder; one that is refused carries its error.

    Raises
    ------
    DataError
        There are no files.
    """
    place = paths.repository() / folder
    for path in bar_files(folder, files=files):
        below = path.relative_to(place)
        yield read_file(path, below=PurePath(below), shown=_shown(Path(folder) / below), files=files)


def gathered(reads: list[FileRead]) -> dict[Key, list[tuple[FileRead, int]]]:
    """Which file, and which series of it, holds each pair and timeframe; several where each has a date in its name.

    Raises
    ------
    DataError
        Two files hold the same series, and nothing says that they are parts of it.
    """
    series: dict[Key, list[tuple[FileRead, int]]] = {}
    for read in reads:
        for i, key in enumerate(read.keys):
            others = series.setdefault(key, [])
            if others and not (read.part and others[0][0].part):
                other = others[0][0]
                same = PurePath(read.shown).parent / read.stem == PurePath(other.shown).parent / other.stem
                words = "as CSV and as Parquet" if same else f"and in {other.shown}"
                raise DataError(f"{read.shown}: {key[0]} {key[1]} is there {words}; keep one of the two files")
            others.append((read, i))
    return series


def finished(parts: list[tuple[FileRead, int]], *, files: Files) -> tuple[pd.DataFrame, dict[str, int]]:
    """One series: its parts in the order of time, scaled, repaired, and held to the contract.

    Returns
    -------
    bars : DataFrame
        Columns `COLUMNS`.
    done : dict
        Rows that each repair moved or dropped.

    Raises
    ------
    DataError
        A row breaks the contract.
    """
    pieces = sorted((read.series[i] for read, i in parts), key=lambda bars: bars["date"].iloc[0])
    shown = parts[0][0].shown
    if len(parts) > 1:
        names = {id(read.series[i]): read.shown for read, i in parts}
        for piece in pieces:
            checked, _ = repaired(scaled(piece, scales=files.price_scale), repair=files.repair)
            check_bars(checked[COLUMNS], source=names[id(piece)], rows=checked["row"].to_numpy())
        shown = f"{shown} and {len(parts) - 1} more files"
    whole = pd.concat(pieces, ignore_index=True) if len(pieces) > 1 else pieces[0]
    bars, done = repaired(scaled(whole, scales=files.price_scale), repair=files.repair)
    check_bars(bars[COLUMNS], source=shown, rows=bars["row"].to_numpy())
    return bars[COLUMNS].reset_index(drop=True), done


def split_factors(files: Files) -> pd.DataFrame | None:
    """The splits that are declared, None where there is no file of them."""
    if files.split_factors is None:
        return None
    place = paths.repository() / files.split_factors
    return read_factors(place, shown=files.split_factors, timezone=files.timezone)


def _shown(path: Path) -> str:
    """A path in a message: from the repository's top, one line, without what a terminal would obey."""
    if path.is_relative_to(paths.repository()):
        path = path.relative_to(paths.repository())
    return "".join(sign if sign.isprintable() else "?" for sign in str(path))
