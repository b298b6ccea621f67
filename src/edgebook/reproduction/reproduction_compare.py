"""Two runs of the same thing, file by file: which bytes differ, where first, and what the difference is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EXPLAINED = 5
"""Files whose difference is put in words; more of them say the same again."""
EXCERPT = 60


@dataclass(frozen=True)
class Comparison:
    """What a comparison of two folders found.

    Parameters
    ----------
    files, bytes_compared : int
        A file that only one folder has counts, with all its bytes.
    differing : dict of str to int
        Bytes that differ, by file, those that differ alone: positions with another byte, and the length that one file
        has more.
    explained : tuple of str
        The first of them in words.
    """

    files: int
    bytes_compared: int
    differing: Mapping[str, int]
    explained: tuple[str, ...] = field(default=())

    @property
    def bytes_differ(self) -> int:
        """Bytes that differ, over all files."""
        return sum(self.differing.values())

    @property
    def first(self) -> str | None:
        """The first file that differs, by name."""
        return min(self.differing, default=None)


def files_below(root: Path, *, parts: tuple[str, ...]) -> dict[str, Path]:
    """Every file of some parts of a folder, hidden ones too, by its path below `root`.

    Parameters
    ----------
    root : Path
    parts : tuple of str
        Files and folders below `root`; one that is missing has no files.
    """
    found = {}
    for part in parts:
        place = root / part
        for file in [place] if place.is_file() else place.rglob("*"):
            if file.is_file():
                found[file.relative_to(root).as_posix()] = file
    return dict(sorted(found.items()))


def compare(first: Path, again: Path, *, parts: tuple[str, ...]) -> Comparison:
    """Compare some parts of two folders byte by byte.

    Parameters
    ----------
    first, again : Path
    parts : tuple of str
        Files and folders below both.
    """
    old, new = files_below(first, parts=parts), files_below(again, parts=parts)
    compared = 0
    differing: dict[str, int] = {}
    explained: list[str] = []
    for name in sorted(old.keys() | new.keys()):
        one = old[name].read_bytes() if name in old else None
        two = new[name].read_bytes() if name in new else None
        compared += max(len(one or b""), len(two or b""))
        if one == two:
            continue
        differing[name] = max(1, bytes_that_differ(one or b"", two or b""))
        if len(explained) < EXPLAINED:
            explained.append(f"{name}: {_explained(old.get(name), new.get(name))}")
    return Comparison(len(old.keys() | new.keys()), compared, differing, tuple(explained))


def bytes_that_differ(one: bytes, two: bytes) -> int:
    """Positions that hold another byte, and what the longer one has more.

    Examples
    --------
    >>> bytes_that_differ(b"0.25", b"0.35"), bytes_that_differ(b"0.25", b"0.2512")
    (1, 2)
    """
    short = min(len(one), len(two))
    here, there = np.frombuffer(one, np.uint8)[:short], np.frombuffer(two, np.uint8)[:short]
    return int(np.count_nonzero(here != there)) + max(len(one), len(two)) - short


def _explained(old: Path | None, new: Path | None) -> str:
    """Say what differs in one file."""
    if old is None or new is None:
        return "only the first run has it" if new is None else "the first run does not have it"
    return _table_difference(old, new) if old.suffix == ".parquet" else _text_difference(old, new)


def _table_difference(old: Path, new: Path) -> str:
    """Compare two tables by value: columns with another value, how many, and how far apart."""
    from edgebook.files import tables

    one, two = tables.read(old), tables.read(new)
    if list(one.columns) != list(two.columns) or len(one) != len(two):
        return f"{len(one)} rows of {len(one.columns)} columns, then {len(two)} rows of {len(two.columns)}"
    found = []
    for name in one.columns:
        a, b = one[name], two[name]
        apart = ~((a == b) | (a.isna() & b.isna())).to_numpy(bool)
        if apart.any():
            row = int(np.flatnonzero(apart)[0])
            found.append(
                f"{name} in {int(apart.sum())} of {len(one)} rows, row {row}: {a.iloc[row]!r}, {b.iloc[row]!r}"
            )
    return "; ".join(found[:EXPLAINED]) or "the same values, written otherwise"


def _text_difference(old: Path, new: Path) -> str:
    """Find the first line that differs."""
    one, two = (file.read_bytes().decode("utf-8", errors="replace").splitlines() for file in (old, new))
    for number, (a, b) in enumerate(zip(one, two, strict=False), start=1):
        if a != b:
            at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
            start = max(0, at - EXCERPT // 2)
            return f"line {number}: {a[start : start + EXCERPT]!r}, {b[start : start + EXCERPT]!r}"
    return f"{len(one)} lines, then {len(two)}"
