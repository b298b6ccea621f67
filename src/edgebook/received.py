"""Bars as they were received: dated parts that are only ever added to, and what was known of them at any time.

A source that is no file (a database, an exchange) may say something else tomorrow. What it said is kept in
``data/received``, one Parquet part a receipt, and no part is written twice. A bar that comes again with other values is
a revision: one more row. When the data complete a week, a part closes the market up to its Monday (`close`): what comes
after that part, be it a revision, a symbol that joins or a hole that is filled, is read from the next week on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.bars import COLUMNS, PRICES
from edgebook.received_parts import Part, add_part, holding, list_parts, read_part, rounded_up
from edgebook.tables import KEY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_VALUES = [*PRICES, "volume"]
_SAME_RATIO = 1e-9
_NEVER = np.iinfo(np.int64).min
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
        Columns `COLUMNS`, each key once, any order; checked by the caller (`edgebook.bars.check_bars`).
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
        mark = {"pair": [""], "timeframe": [""], "date": [up_to.as_unit("ms")]} | {name: [np.nan] for name in _VALUES}
        add_part(pd.DataFrame(mark), folder=folder, known_at=rounded_up(known_at))
    return True


def differing(bars: pd.DataFrame, *, folder: Path) -> pd.DataFrame:
    """Rows that are not in the folder as they are, with `close_before`; sorted by pair, timeframe, date."""
    table = bars[COLUMNS].sort_values(KEY, ignore_index=True)
    if table.empty or not list_parts(folder):
        return table.assign(close_before=np.nan)
    stored = _read(folder, pairs=sorted(table["pair"].unique()), since=table["date"].min(), until=table["date"].max())
    newest = stored.rows[stored.last_of_each]
    series = pd.MultiIndex.from_frame(table[["pair", "timeframe"]])
    names = pd.MultiIndex.from_tuples(stored.names, names=["pair", "timeframe"]) if stored.names else series[:0]
    key = _key(names.get_indexer(series), _ms(table["date"]))
    at = np.searchsorted(stored.key[stored.last_of_each], key)
    at = np.minimum(at, max(len(newest) - 1, 0))
    there = stored.key[stored.last_of_each][at] == key if len(newest) else np.zeros(len(table), np.bool_)
    same = there.copy()
    before = np.full(len(table), np.nan)
    for name in _VALUES:
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
    stored = _read(folder, parts=_parts_known(folder, at=at), until=at)
    picked = stored.rows[stored.last_of_each]
    code = stored.code[picked]
    starts = np.r_[0, np.flatnonzero(np.diff(code)) + 1] if len(code) else np.array([], np.int64)
    made = {}
    dates = pd.to_datetime(stored.date_ms[picked], unit="ms", utc=True).as_unit("ms")
    values = {name: stored.columns[name][picked] for name in _VALUES}
    for start, stop in zip(starts, np.r_[starts[1:], len(code)], strict=True):
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
    stored = _read(folder, since=since, values=False)
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
    stored = _read(folder, values=False)
    again = np.ones(len(stored.rows), np.bool_)
    again[stored.first_of_each] = False
    closed = stored.closed_ms[stored.rows]
    late = stored.date_ms[stored.rows] <= closed
    found = np.unique(closed[(again | late) & (closed != _NEVER)])
    return [pd.Timestamp(int(time) + _WEEK_MS, unit="ms", tz="UTC").as_unit("ms") for time in found]


def closed_up_to(folder: Path) -> pd.Timestamp | None:
    """Monday up to which the market was last closed; None where it never was."""
    closed = _closed(list_parts(folder))
    return None if closed == _NEVER else pd.Timestamp(closed, unit="ms", tz="UTC").as_unit("ms")


@dataclass(frozen=True)
class _Stored:
    """Rows of parts in the order of their receipt, and their order by key.

    `rows` sorts by series, date and receipt; `key` goes with it, `first_of_each` and `last_of_each` are places in it.
    `closed_ms` is up to when the market had been closed before a row came.
    """

    names: list[tuple[str, str]]
    code: NDArray[np.int64]
    date_ms: NDArray[np.int64]
    closed_ms: NDArray[np.int64]
    columns: dict[str, NDArray[np.float64]]
    rows: NDArray[np.int64]
    key: NDArray[np.int64]
    first_of_each: NDArray[np.int64]
    last_of_each: NDArray[np.int64]


def _parts_known(folder: Path, *, at: pd.Timestamp) -> list[Part]:
    """Parts up to the first that closes the market up to a time."""
    parts = list_parts(folder)
    moment = at.value // 1_000_000
    closing = next((number for number, part in enumerate(parts) if part.closed_ms >= moment), len(parts))
    return parts[:closing]


def _read(
    folder: Path,
    *,
    parts: Sequence[Part] | None = None,
    pairs: Sequence[str] | None = None,
    since: pd.Timestamp | None = None,
    until: pd.Timestamp | None = None,
    values: bool = True,
) -> _Stored:
    """Rows of some pairs and dates from parts, all by default, and the order in which `_Stored` holds them."""
    wanted = _VALUES if values else []
    codes: dict[tuple[str, str], int] = {}
    pieces: dict[str, list[NDArray[np.float64]]] = {name: [] for name in wanted}
    code, date, closed_before = ([np.array([], np.int64)] for _ in range(3))
    closed = _NEVER
    for part in list_parts(folder) if parts is None else parts:
        table = read_part(part, columns=[*KEY, *wanted], pairs=pairs, since=since, until=until)
        if len(table):
            code.append(_codes(table, codes))
            date.append(table["date"].cast("int64").to_numpy())
            closed_before.append(np.full(len(table), closed))
            for name in wanted:
                pieces[name].append(table[name].to_numpy())
        closed = max(closed, part.closed_ms)
    all_code, all_date = np.concatenate(code), np.concatenate(date)
    key = _key(all_code, all_date)
    rows = np.argsort(key, kind="stable")
    key = key[rows]
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else rows
    return _Stored(
        names=list(codes),
        code=all_code,
        date_ms=all_date,
        closed_ms=np.concatenate(closed_before),
        columns={name: np.concatenate(found) if found else np.array([]) for name, found in pieces.items()},
        rows=rows,
        key=key,
        first_of_each=first,
        last_of_each=np.r_[first[1:] - 1, len(key) - 1] if len(first) else first,
    )


def _codes(table: object, codes: dict[tuple[str, str], int]) -> NDArray[np.int64]:
    """Give each series of a part its number; a new one gets the next."""
    indices, known = [], []
    for name in ("pair", "timeframe"):
        encoded = table[name].combine_chunks().dictionary_encode()  # type: ignore[index]
        indices.append(encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64))
        known.append(encoded.dictionary.to_pylist())
    width = len(known[1])
    both = indices[0] * width + indices[1]
    numbers = np.zeros(len(known[0]) * width, np.int64)
    for one in np.flatnonzero(np.bincount(both, minlength=len(numbers))).tolist():
        numbers[one] = codes.setdefault((known[0][one // width], known[1][one % width]), len(codes))
    return numbers[both]


def _key(code: NDArray[np.int64], date_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number that ascends with the series' number and the date, dates before 1970 included."""
    return np.asarray(code, np.int64) * (1 << 46) + (date_ms + (1 << 45))


def _ms(dates: pd.Series) -> NDArray[np.int64]:
    """UTC dates as milliseconds since 1970."""
    milliseconds: NDArray[np.int64] = dates.dt.tz_localize(None).to_numpy(dtype="datetime64[ms]").astype(np.int64)
    return milliseconds


def _closed(parts: Sequence[Part]) -> int:
    """Milliseconds UTC up to which the market was closed."""
    return max((part.closed_ms for part in parts), default=_NEVER)
