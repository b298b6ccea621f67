"""Tables with those columns of a desk's alone that a week was sealed with, in a folder of their own."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edgebook.arms.column_changes import PATTERNS, REGIMES
from edgebook.files import tables
from edgebook.indicators import is_desk
from edgebook.outcomes.desk_columns import REGIME_COLUMN
from edgebook.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd


@contextmanager
def tables_with(paths: Paths, columns: Sequence[str] | None) -> Iterator[Paths]:
    """Give tables that know nothing of other columns of the desk's.

    Parameters
    ----------
    paths : Paths
    columns : sequence of str or None
        As `column_changes.inputs_read` tells them; None for all that there are.

    Yields
    ------
    Paths
        The same where nothing has to go; else a folder that is gone afterwards: tables without the other columns, and
        links to everything else.
    """
    slim = {} if columns is None else _slim(paths, set(columns))
    if not slim:
        yield paths
        return
    with tempfile.TemporaryDirectory(prefix="edgebook-") as folder:
        into = Paths(Path(folder))
        (into.root / "data").mkdir()
        for name in ("models", "data/ledger"):  # seals are written through the links
            (paths.root / name).mkdir(parents=True, exist_ok=True)
        own = {getattr(into, name) for name in slim}
        for place in [paths.root / "models", *sorted((paths.root / "data").iterdir())]:
            target = into.root / place.relative_to(paths.root)
            if target not in own:
                target.symlink_to(os.path.realpath(place), target_is_directory=place.is_dir())
        for name, frame in slim.items():
            tables.write(frame, getattr(into, name))
        yield into


def _slim(paths: Paths, columns: set[str]) -> dict[str, pd.DataFrame]:
    """Tables that have more of the desk's than they should, without it."""
    from pyarrow.parquet import read_schema

    slim = {}
    for name in ("indicators", "votes"):
        names = read_schema(getattr(paths, name)).names
        kept = [one for one in names if not is_desk(one) or one in columns]
        if kept != names:
            slim[name] = tables.read(getattr(paths, name), columns=kept)
    patterns = tables.read(paths.patterns)
    theirs = patterns["pattern"].str.startswith("desk_")
    if PATTERNS not in columns and theirs.any():
        slim["patterns"] = patterns[~theirs].reset_index(drop=True)
    if REGIMES not in columns and REGIME_COLUMN in read_schema(paths.regimes).names:
        slim["regimes"] = tables.read(paths.regimes).drop(columns=REGIME_COLUMN)
    return slim
