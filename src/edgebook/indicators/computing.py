"""From bars and patterns to the tables of values and votes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.bars.bars import check_timeframe
from edgebook.errors import DataError
from edgebook.indicators.catalogue import CATALOGUE, family

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from edgebook.indicators.series import Series

DECIMALS = 5
"""Values are rounded to this many decimals: differences between processors end well below it."""

_KEY = ["pair", "timeframe", "date"]
_COLUMN = {indicator.name: column for column, indicator in enumerate(CATALOGUE)}


def compute_indicators(bars: pd.DataFrame, patterns: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compute the sixty-nine indicators, and what each of their textbooks says, at every bar.

    Parameters
    ----------
    bars : DataFrame
        The canonical bars: pair, timeframe, date (UTC close time), open, high, low, close, volume, sorted by key.
    patterns : DataFrame
        What `edgebook.patterns.find_patterns` finds in the same bars.

    Returns
    -------
    values : DataFrame
        Key and one float32 column an indicator, row-aligned with `bars`, rounded to five decimals; NaN while an
        indicator warms up. Known at the row's date: row t depends on bars that closed by then.
    votes : DataFrame
        Key and one int8 column an indicator: +1 buy, -1 sell, 0 neither or not known yet.

    Raises
    ------
    DataError
        A pattern lies at no bar: `patterns` is not of these bars.
    SettingsError
        A timeframe is not one of `edgebook.bars.bars.TIMEFRAMES`.

    Notes
    -----
    TA-Lib computes wherever it has the function. Votes are cast on the rounded values, so that what is saved is what
    was voted on. Where there is nothing to measure (no range, no volume), a value takes its neutral
    middle.
    """
    # TA-Lib and the compiled loops load here, so that who only reads the catalogue does not wait for them.
    from edgebook.indicators import context, formations

    series, starts, pairs = _series(bars)
    around = context.values(series, pairs)
    values = np.empty((len(CATALOGUE), len(bars)), np.float32)
    votes = np.zeros((len(CATALOGUE), len(bars)), np.int8)
    events = _events(bars, patterns, members=formations.MEMBERS)

    def fill(k: int) -> None:
        stop = starts[k] + series[k].size
        there = {name: event[starts[k] : stop] for name, event in events.items()}
        fill_series(series[k], there, around[k], values[:, starts[k] : stop], votes[:, starts[k] : stop])

    # TA-Lib and the compiled loops release the interpreter; each symbol writes to rows of its own.
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(fill, range(len(series))))
    return _table(bars, values), _table(bars, votes)


def fill_series(
    series: Series,
    events: Mapping[str, NDArray[np.float64]],
    around: Mapping[str, NDArray[np.float64]],
    values: NDArray[np.float32],
    votes: NDArray[np.int8],
) -> None:
    """Write one series' values and votes into its part of the tables.

    Parameters
    ----------
    series : Series
    events : mapping of str to ndarray, shape (n,)
        Bullish less bearish patterns at each bar, by the indicator of head G that counts them.
    around : mapping of str to ndarray, shape (n,)
        Values of head I.
    values, votes : ndarray, shape (69, n)
        Written in place, in the order of the catalogue; votes come as zeros.
    """
    from edgebook.indicators import (
        context,
        formations,
        levels,
        momentum,
        reversion,
        seasonality,
        trend,
        volatility,
        volume,
    )

    families: list[Any] = [trend, reversion, momentum, volatility, levels, volume, seasonality]
    computed = [one.values(series) for one in families] + [formations.values(events), around]
    for part in computed:
        for name, column in part.items():
            values[_COLUMN[name]] = np.round(column, DECIMALS) + 0.0  # no negative zeros
    for one, head in zip([*families, formations, context], "ABCDEFHGI", strict=True):
        saved = {name: values[_COLUMN[name]].astype(np.float64) for name in family(head)}
        for name, column in one.votes(saved, series).items():
            votes[_COLUMN[name]] = np.where(np.isnan(saved[name]), 0, column)


def _series(bars: pd.DataFrame) -> tuple[list[Series], list[int], list[str]]:
    """Arrays, first row and pair of each pair and timeframe."""
    from edgebook.indicators.series import series_of
    from edgebook.patterns.finding import runs

    prices = np.ascontiguousarray(bars[["open", "high", "low", "close"]].to_numpy(np.float64).T)
    volume = bars["volume"].to_numpy(np.float64)
    closed_ms = _milliseconds(bars["date"])
    series, starts, pairs = [], [], []
    for start, stop in runs(bars):
        minutes = check_timeframe(str(bars["timeframe"].iloc[start]))
        own = np.ascontiguousarray(prices[:, start:stop]), volume[start:stop]
        series.append(series_of(*own, closed_ms=closed_ms[start:stop], minutes=minutes))
        starts.append(start)
        pairs.append(str(bars["pair"].iloc[start]))
    return series, starts, pairs


def _events(
    bars: pd.DataFrame, patterns: pd.DataFrame, *, members: Mapping[str, Iterable[str]]
) -> dict[str, NDArray[np.float64]]:
    """Bullish less bearish patterns confirmed at each bar, by the indicator that counts them."""
    row = _rows_of(patterns, bars)
    if (row < 0).any():
        first = patterns.iloc[int(np.argmax(row < 0))]
        raise DataError(
            f"patterns: {first['pattern']} of {first['pair']} {first['timeframe']} at {first['date']}: no such bar; "
            "find the patterns of these bars"
        )
    codes, names = pd.factorize(patterns["pattern"])
    direction = patterns["direction"].to_numpy(np.float64)
    events = {}
    for name, counted in members.items():
        mine = np.isin(np.asarray(names, dtype=object), list(counted))[codes] if len(names) else np.zeros(0, np.bool_)
        events[name] = np.bincount(row[mine], weights=direction[mine], minlength=len(bars)).astype(np.float64)
    return events


def _rows_of(patterns: pd.DataFrame, bars: pd.DataFrame) -> NDArray[np.int64]:
    """Row of the bar of each pattern; -1 where there is none. Both tables are sorted by key."""
    from edgebook.patterns.finding import runs

    row = np.full(len(patterns), -1, np.int64)
    if patterns.empty or bars.empty:
        return row
    bar_ms, pattern_ms = _milliseconds(bars["date"]), _milliseconds(patterns["date"])

    def span_key(table: pd.DataFrame, start: int) -> tuple[str, str]:
        return str(table["pair"].iloc[start]), str(table["timeframe"].iloc[start])

    spans = {span_key(bars, start): (start, stop) for start, stop in runs(bars)}
    for start, stop in runs(patterns):
        first, last = spans.get(span_key(patterns, start), (0, 0))
        place = np.searchsorted(bar_ms[first:last], pattern_ms[start:stop])
        found = place < last - first
        found[found] = bar_ms[first + place[found]] == pattern_ms[start:stop][found]
        row[start:stop] = np.where(found, first + place, -1)
    return row


def _milliseconds(dates: pd.Series[Any]) -> NDArray[np.int64]:
    """Milliseconds since 1970 UTC."""
    stamps: NDArray[np.int64] = (
        dates.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[ms]").view(np.int64)
    )
    return stamps


def _table(bars: pd.DataFrame, columns: NDArray[Any]) -> pd.DataFrame:
    """Key columns of the bars beside one column an indicator."""
    key = bars[_KEY].reset_index(drop=True)
    return pd.concat([key, pd.DataFrame(columns.T, columns=list(_COLUMN), copy=False)], axis=1)
