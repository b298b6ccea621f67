"""What a repository holds at a moment: a digest of every file that counts, to compare before, after and in between."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PASSED_OVER = ("src", ".git", ".dvc", "notebooks", "scratch", "data/journals")
RECEIVED = "data/received"
NO_ROWS = b"BEGIN TRANSACTION;\nCOMMIT;"
"""A store that was made and not filled: as if it were not there."""
GROWING = ("dvc.lock", RECEIVED)
"""They grow by the piece, so that between the old and the new lies more: they must be readable then."""


def torn_in(folder: Path, *, old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Files that are neither what they were nor what they will be; of what grows by the piece, that it can be read."""
    return [
        name
        for name, digest in state_of(folder).items()
        if name not in GROWING and digest not in (old.get(name), new.get(name))
    ]


def state_of(folder: Path) -> dict[str, str]:
    """Digest of every file that counts, by its path: all but code, caches, and what git and DVC ignore as scratch."""
    found = {}
    parts = []
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if not file.is_file() or name.startswith(tuple(f"{part}/" for part in PASSED_OVER)):
            continue
        if any(part.startswith(".") and part.endswith(".tmp") for part in name.split("/")) or name == ".edgebook.lock":
            continue
        if name.endswith(("-journal", "-wal", "-shm")):
            continue
        if name.startswith(f"{RECEIVED}/") and file.suffix == ".parquet":
            parts.append(file)
            continue
        content = _rows_of(file) if file.suffix == ".sqlite" else file.read_bytes()
        if content == NO_ROWS:
            continue
        found[name] = hashlib.sha256(content).hexdigest()
    if parts:
        found[RECEIVED] = _received(parts)
    return found


def put_back(before: Path, folder: Path) -> None:
    """Give the repository the state before the command, its DVC cache included; code keeps what was compiled."""
    for place in folder.iterdir():
        if place.name != "src":
            shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
    for place in before.iterdir():
        if place.name == "src":
            continue
        if place.is_dir():
            shutil.copytree(place, folder / place.name, symlinks=True)
        else:
            shutil.copy2(place, folder / place.name)


def _rows_of(file: Path) -> bytes:
    """Rows of a SQLite file, as a reader sees them after a kill: its own bytes depend on its history."""
    with closing(sqlite3.connect(file)) as connection:
        return "\n".join(connection.iterdump()).encode()


def _received(parts: list[Path]) -> str:
    """Digest of every row of the received parts, a row that came twice counted twice; when it came is left out."""
    rows = pd.concat([pd.read_parquet(part) for part in parts], ignore_index=True).drop(columns="known_at")
    rows = rows.sort_values(list(rows.columns), ignore_index=True)
    return hashlib.sha256(pd.util.hash_pandas_object(rows).to_numpy().tobytes()).hexdigest()
