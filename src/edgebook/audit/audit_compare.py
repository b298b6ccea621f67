"""Two versions of a table, a document or a file, compared value by value: how many, how many differ, and the first."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

MISSING = "missing"
THERE = "there"


@dataclass(frozen=True)
class Compared:
    """What a comparison found.

    Parameters
    ----------
    values : int
        That were compared.
    differing : int
        Of them; a row that only one side has counts once.
    key, column : str
        Where the first difference is, by date; empty where there is none.
    full, cut : str
        What stands there with all bars and with those up to the time.
    """

    values: int
    differing: int = 0
    key: str = ""
    column: str = ""
    full: str = ""
    cut: str = ""


def compare_rows(full: pd.DataFrame, cut: pd.DataFrame, *, key: Sequence[str]) -> Compared:
    """Compare two tables that should hold the same rows, to the last bit.

    Parameters
    ----------
    full, cut : DataFrame
        Made of all bars, of which the rows known at the time are left, and made of the bars up to then.
    key : sequence of str
        Columns that name a row; `date` is one of them.

    Returns
    -------
    Compared
        A missing value equals a missing value; 0.0 does not equal -0.0.
    """
    columns = [name for name in full.columns if name not in key]
    if list(full.columns) != list(cut.columns):
        name = str(next(f if f is not None else c for f, c in zip_longest(full, cut) if f != c))
        sides = [str(table[name].dtype) if name in table else MISSING for table in (full, cut)]
        return Compared(len(full) * len(columns), 1, "all rows", name, *sides)
    full, cut = full.reset_index(drop=True), cut.reset_index(drop=True)
    values = len(full) * len(columns)
    if len(full) != len(cut) or any(_unequal(full[name], cut[name]).any() for name in key):
        return _compare_keys(full, cut, key=key, values=values)
    unequal = {name: _unequal(full[name], cut[name]) for name in columns}
    differing = int(sum(mask.sum() for mask in unequal.values()))
    if not differing:
        return Compared(values)
    rows = np.flatnonzero(np.logical_or.reduce(list(unequal.values())))
    first = int(rows[np.argsort(pd.DatetimeIndex(full["date"]).asi8[rows], kind="stable")[0]])
    column = next(name for name in columns if unequal[name][first])
    return Compared(
        values, differing, _row_name(full, key, first), column, _text(full[column][first]), _text(cut[column][first])
    )


def compare_documents(full: Mapping[str, Any], cut: Mapping[str, Any]) -> Compared:
    """Compare two documents of nested mappings and lists; the first name on the way is the key, the rest the column."""
    left, right = dict(_leaves(full)), dict(_leaves(cut))
    paths = list(left) + [path for path in right if path not in left]
    wrong = [path for path in paths if not _same(left.get(path, MISSING), right.get(path, MISSING))]
    if not wrong:
        return Compared(len(paths))
    first = wrong[0]
    sides = [_text(side.get(first, MISSING)) for side in (left, right)]
    return Compared(len(paths), len(wrong), first[0], " ".join(first[1:]), *sides)


def compare_files(full: Mapping[str, bytes], cut: Mapping[str, bytes]) -> Compared:
    """Compare files by their bytes; the key is the file, the column its first line that differs."""
    names = sorted(full.keys() | cut.keys())
    wrong = [name for name in names if full.get(name) != cut.get(name)]
    if not wrong:
        return Compared(len(names))
    first = wrong[0]
    if first not in full or first not in cut:
        sides = [THERE if first in side else MISSING for side in (full, cut)]
        return Compared(len(names), len(wrong), first, "file", *sides)
    lines = [side[first].decode("utf-8", "replace").splitlines() for side in (full, cut)]
    number, (left, right) = next(
        (i, pair) for i, pair in enumerate(zip_longest(*lines, fillvalue=MISSING), start=1) if pair[0] != pair[1]
    )
    return Compared(len(names), len(wrong), first, f"line {number}", _shortened(left), _shortened(right))


def _compare_keys(full: pd.DataFrame, cut: pd.DataFrame, *, key: Sequence[str], values: int) -> Compared:
    """Name the first row that only one of two tables has."""
    names = [*key]
    both = full[names].merge(cut[names], how="outer", on=names, indicator="side")
    alone = both[both["side"] != "both"].sort_values(["date", *[n for n in names if n != "date"]], ignore_index=True)
    if alone.empty:
        return Compared(values, 1, _row_name(full, key, 0), "order of rows", THERE, THERE)
    only_full = str(alone["side"].iloc[0]) == "left_only"
    sides = (THERE, MISSING) if only_full else (MISSING, THERE)
    return Compared(values, len(alone), _row_name(alone, key, 0), "row", *sides)


def _unequal(full: pd.Series[Any], cut: pd.Series[Any]) -> NDArray[np.bool_]:
    """Whether each value has other bits; a missing one equals a missing one."""
    if full.dtype != cut.dtype:
        return np.ones(len(full), bool)
    if isinstance(full.dtype, pd.DatetimeTZDtype):
        return np.asarray(pd.DatetimeIndex(full).asi8 != pd.DatetimeIndex(cut).asi8)
    left, right = full.to_numpy(), cut.to_numpy()
    if left.dtype.kind == "f":
        bits = np.dtype(f"i{left.dtype.itemsize}")
        return np.asarray((left.view(bits) != right.view(bits)) & ~(np.isnan(left) & np.isnan(right)))
    unequal = left != right
    if left.dtype.kind == "O":
        unequal &= ~(full.isna().to_numpy() & cut.isna().to_numpy())
    return np.asarray(unequal, dtype=bool)


def _row_name(frame: pd.DataFrame, key: Sequence[str], row: int) -> str:
    """Key of a row as a person writes it."""
    words = []
    for name in key:
        value = frame[name].iloc[row]
        if isinstance(value, pd.Timestamp):
            words.append(f"{value:%Y-%m-%d %H:%M}")
        elif name == "is_short":
            words.append("short" if value else "long")
        else:
            words.append(str(value))
    return " ".join(words)


def _leaves(document: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value of a document and the names on the way to it."""
    if isinstance(document, dict):
        items = [(str(name), value) for name, value in document.items()]
    elif isinstance(document, list):
        items = [(str(number), value) for number, value in enumerate(document)]
    else:
        yield path, document
        return
    for name, value in items:
        yield from _leaves(value, (*path, name))


def _same(left: Any, right: Any) -> bool:
    return repr(left) == repr(right)


def _text(value: Any) -> str:
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, (float, np.floating)):
        return MISSING if np.isnan(value) else f"{value:.9g}"
    return MISSING if value is None or value is pd.NaT else str(value)


def _shortened(line: str) -> str:
    return line if len(line) <= 80 else line[:77] + "..."
