"""Bars as they were received: dated parts that are only ever added to, and what was known of them at any time.

A source that is no file (a database, an exchange) may say something else tomorrow. What it said is kept in
``data/received``, one Parquet part a receipt, and no part is written twice. A bar that comes again with other values is
a revision: one more row. When the data complete a week, a part closes the market up to its Monday (`close`): what comes
after that part, be it a revision, a symbol that joins or a hole that is filled, is read from the next week on.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.bars.bars import COLUMNS
from edgebook.files.tables import KEY
from edgebook.sources.received_parts import NEVER, Part, add_part, holding, list_parts, read_part, rounded_up
from edgebook.sources.received_rows import VALUES, key_of, read_rows, to_ms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_SAME_RATIO = 1e-9
_WEEK_MS = 7 * 86_400_000


@dataclass(frozen=True)
class Receipt:
    """What one call of `append` added.

    Parameters
    ----------
    new, revised : int
        Rows of bars that were not there, and of bars that were there with other values.
    rows : DataFrame
        The rows that were added, with `close_before`: the newest close known before, missing for a new bar.
    """

    new: int
    revised: int
    rows: pd.DataFrame


def append(bars: pd.DataFrame, *, folder: Path, known_at: pd.Timestamp) -> Receipt:
    """Keep the bars that are new or changed, as one more part; write nothing when there are none.

    Parameters
    ----------
    bars : DataFrame
        Columns `COLUMNS`, each key once, any order; checked by the caller (`edgebook.bars.bars.check_bars`).
    folder : Path
        Made when missing.
    known_at : Timestamp
        UTC; when the bars were received, kept to the second, rounded up. It is never before the newest receipt that
        is there: clocks are set back, what was known is not.

    Returns
    -------
    Receipt

    Raises
    ------
    DataError
        A part is damaged, or the disk did not take the new one; the parts before are as they were.

    Notes
    -----
    Two processes may append at once: the comparison and the write happen under a lock of the folder, and a part takes
    the next free name, never one that is there. Values that differ by less than one part in a thousand million are
    the same: that is a vendor's arithmetic, not a correction.
    """
    with holding(folder):
        changed = differing(bars, folder=folder)
        revised = int(changed["close_before"].notna().sum())
        if len(changed):
            add_part(changed[COLUMNS], folder=folder, known_at=rounded_up(known_at))
    return Receipt(len(changed) - revised, revised, changed)


def close(folder: Path, *, up_to: pd.Timestamp, known_at: pd.Timestamp) -> bool:
    """Write down that the market is complete up to a time; return whether that was news.

    Parameters
    ----------
    folder : Path
    up_to : Timestamp
        UTC, a Monday that a week may be run to.
    known_at : Timestamp
        UTC.

    Notes
    -----
    What is received later does not change what was known of the time before `up_to` when its week was run.
    """
    with holding(folder):
        if _closed(list_parts(folder)) >= up_to.value // 1_000_000:
            return False
        mark = {"pair": [""], "timeframe": [""], "date": [up_to.as_unit("ms")]} | {name: [np.nan] for name in VALUES}
        add_part(pd.DataFrame(mark), folder=folder, known_at=rounded_up(known_at))
    return True


def differing(bars: pd.DataFrame, *, folder: Path) -> pd.DataFrame:
    """Rows that are not in the folder as they are, with `close_before`; sorted by pair, timeframe, date."""
    table = bars[COLUMNS].sort_values(KEY, ignore_index=True)
    if table.empty or not list_parts(folder):
        return table.assign(close_before=np.nan)
    stored = read_rows(
        folder, pairs=sorted(table["pair"].unique()), since=table["date"].min(), until=table["date"].max()
    )
    newest = stored.rows[stored.last_of_each]
    series = pd.MultiIndex.from_frame(table[["pair", "timeframe"]])
    names = pd.MultiIndex.from_tuples(stored.names, names=["pair", "timeframe"]) if stored.names else series[:0]
    key = key_of(names.get_indexer(series), to_ms(table["date"]))
    at = np.searchsorted(stored.key[stored.last_of_each], key)
    at = np.minimum(at, max(len(newest) - 1, 0))
    there = stored.key[stored.last_of_each][at] == key if len(newest) else np.zeros(len(table), np.bool_)
    same = there.copy()
    before = np.full(len(table), np.nan)
    for name in VALUES:
        old, now = stored.columns[name][newest[at[there]]], table[name].to_numpy()[there]
        same[there] &= np.abs(now - old) <= _SAME_RATIO * np.abs(old)
        if name == "close":
            before[there] = old
    return table.assign(close_before=before)[~same].reset_index(drop=True)


def as_known(folder: Path, *, at: pd.Timestamp) -> list[pd.DataFrame]:
    """Bars as they were known when the week to a time was run, series by series.

    Parameters
    ----------
    folder : Path
    at : Timestamp
        UTC.

    Returns
    -------
    list of DataFrame
        One table of `COLUMNS` a pair and timeframe, sorted by both: bars that closed by `at`, of each the newest row
        that had been received when the market was first closed up to `at` or beyond; while it is not, of all rows.

    Notes
    -----
    Once the market is closed up to `at`, no later receipt changes this. A first download brings the past with it: of
    weeks before it, nothing else was known. What a receipt revises, it revises together with the bars it adds: a week
    in which a share was split is read on one scale.
    """
    stored = read_rows(folder, parts=_parts_known(folder, at=at), until=at)
    picked = stored.rows[stored.last_of_each]
    code = stored.code[picked]
    edges = np.unique(np.r_[0, np.flatnonzero(np.diff(code)) + 1, len(code)])
    made = {}
    dates = pd.to_datetime(stored.date_ms[picked], unit="ms", utc=True).as_unit("ms")
    values = {name: stored.columns[name][picked] for name in VALUES}
    for start, stop in pairwise(edges):
        pair, timeframe = stored.names[code[start]]
        made[pair, timeframe] = pd.DataFrame(
            {"pair": pair, "timeframe": timeframe, "date": dates[start:stop]}
            | {name: column[start:stop] for name, column in values.items()}
        )
    return [made[name] for name in sorted(made)]


def last_received(folder: Path) -> dict[tuple[str, str], pd.Timestamp]:
    """Close of the last bar received, by pair and timeframe."""
    last: dict[tuple[str, str], pd.Timestamp] = {}
    for part in list_parts(folder):
        table = read_part(part, columns=["pair", "timeframe", "date"])
        newest = table.group_by(["pair", "timeframe"]).aggregate([("date", "max")])
        for pair, timeframe, date in zip(*(newest[name].to_pylist() for name in newest.column_names), strict=True):
            stamp = pd.Timestamp(date).as_unit("ms")
            if pair and stamp > last.get((pair, timeframe), stamp - pd.Timedelta(1, "ms")):
                last[pair, timeframe] = stamp
    return dict(sorted(last.items()))


def recent_dates(folder: Path, *, since: pd.Timestamp) -> dict[tuple[str, str], NDArray[np.int64]]:
    """Closes of the bars since a time, milliseconds UTC, ascending, by pair and timeframe; () where there are none."""
    stored = read_rows(folder, since=since, values=False)
    picked = stored.rows[stored.first_of_each]
    code, date = stored.code[picked], stored.date_ms[picked]
    return {name: date[code == number] for number, name in enumerate(stored.names)}


def revised_at(folder: Path) -> list[pd.Timestamp]:
    """Mondays from which on bars before them read otherwise than in the week before.

    Returns
    -------
    list of Timestamp
        UTC, ascending: `as_known` at one of them differs from `as_known` at the Monday before it in bars that closed
        before that one, revised or come late.
    """
    stored = read_rows(folder, values=False)
    again = np.ones(len(stored.rows), np.bool_)
    again[stored.first_of_each] = False
    closed = stored.closed_ms[stored.rows]
    late = stored.date_ms[stored.rows] <= closed
    found = np.unique(closed[(again | late) & (closed != NEVER)])
    return [pd.Timestamp(int(time) + _WEEK_MS, unit="ms", tz="UTC").as_unit("ms") for time in found]


def closed_up_to(folder: Path) -> pd.Timestamp | None:
    """Monday up to which the market was last closed; None where it never was."""
    closed = _closed(list_parts(folder))
    return None if closed == NEVER else pd.Timestamp(closed, unit="ms", tz="UTC").as_unit("ms")


def _parts_known(folder: Path, *, at: pd.Timestamp) -> list[Part]:
    """Parts up to the first that closes the market up to a time."""
    parts = list_parts(folder)
    moment = at.value // 1_000_000
    closing = next((number for number, part in enumerate(parts) if part.closed_ms >= moment), len(parts))
    return parts[:closing]


def _closed(parts: Sequence[Part]) -> int:
    """Milliseconds UTC up to which the market was closed."""
    return max((part.closed_ms for part in parts), default=NEVER)
