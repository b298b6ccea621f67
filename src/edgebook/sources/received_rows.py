"""Rows of received parts as arrays, and their order by series and date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgebook.bars.bars import PRICES
from edgebook.files.tables import KEY
from edgebook.sources.received_parts import NEVER, Part, list_parts, read_part

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

VALUES = [*PRICES, "volume"]


@dataclass(frozen=True)
class Stored:
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


def read_rows(
    folder: Path,
    *,
    parts: Sequence[Part] | None = None,
    pairs: Sequence[str] | None = None,
    since: pd.Timestamp | None = None,
    until: pd.Timestamp | None = None,
    values: bool = True,
) -> Stored:
    """Rows of some pairs and dates from parts, all by default, and the order in which `Stored` holds them."""
    wanted = VALUES if values else []
    codes: dict[tuple[str, str], int] = {}
    pieces: dict[str, list[NDArray[np.float64]]] = {name: [] for name in wanted}
    code, date, closed_before = ([np.array([], np.int64)] for _ in range(3))
    closed = NEVER
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
    key = key_of(all_code, all_date)
    rows = np.argsort(key, kind="stable")
    key = key[rows]
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else rows
    return Stored(
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


def _codes(table: pa.Table, codes: dict[tuple[str, str], int]) -> NDArray[np.int64]:
    """Give each series of a part its number; a new one gets the next."""
    indices, known = [], []
    for name in ("pair", "timeframe"):
        encoded = table[name].combine_chunks().dictionary_encode()
        indices.append(encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64))
        known.append(encoded.dictionary.to_pylist())
    width = len(known[1])
    both = indices[0] * width + indices[1]
    numbers = np.zeros(len(known[0]) * width, np.int64)
    for one in np.flatnonzero(np.bincount(both, minlength=len(numbers))).tolist():
        numbers[one] = codes.setdefault((known[0][one // width], known[1][one % width]), len(codes))
    each: NDArray[np.int64] = numbers[both]
    return each


def key_of(code: NDArray[np.int64], date_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number that ascends with the series' number and the date, dates before 1970 included."""
    return np.asarray(code, np.int64) * (1 << 46) + (date_ms + (1 << 45))


def to_ms(dates: pd.Series) -> NDArray[np.int64]:
    """UTC dates as milliseconds since 1970."""
    milliseconds: NDArray[np.int64] = dates.dt.tz_localize(None).to_numpy(dtype="datetime64[ms]").astype(np.int64)
    return milliseconds
