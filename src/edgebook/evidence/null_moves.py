"""Moves of single hours taken out of real bars, drift-free by stratum of volatility, and bars put together from moves.

All that is done to a real price here is to divide, multiply and compare, and means are exact sums: every processor
makes the same market.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numba import njit

from edgebook.bars.bars import COLUMNS, PRICES, resample
from edgebook.bars.synthetic_truth import monday
from edgebook.errors import DataError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

HOURS_A_WEEK = 168
FIRST_PRICE = 1000.0
_HOUR = pd.Timedelta(hours=1)
_HOUR_MS = 3_600_000
_FIRST_MONDAY_HOUR = 96  # 1970-01-05 00:00 UTC
_LEVEL_HOURS = 168
_LEVEL_NEEDS_HOURS = 24


@dataclass(frozen=True)
class Moves:
    """What each hour did to each pair, as factors.

    Parameters
    ----------
    pairs : tuple of str
        The columns.
    hour : ndarray of int64, shape (hours,)
        Opening of the bar, in hours since Monday 1970-01-05 00:00 UTC; ascending. Hours in which a pair has no bar
        are left out for all.
    gap : ndarray, shape (hours, pairs)
        Open over the close of the row above.
    high, low, close : ndarray, shape (hours, pairs)
        Over the open.
    volume : ndarray, shape (hours, pairs)
        Over the pair's median volume of the week that ends with the bar.
    """

    pairs: tuple[str, ...]
    hour: NDArray[np.int64]
    gap: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]

    def __len__(self) -> int:
        """Hours."""
        return len(self.hour)


def hourly_moves(bars: pd.DataFrame) -> Moves:
    """Take the moves out of hourly bars.

    Parameters
    ----------
    bars : DataFrame
        The bars table, timeframe "1h" only; two weeks or more.

    Returns
    -------
    Moves
        Of the hours in which every pair has a bar, but for the first day, before which no level of volume is known.

    Raises
    ------
    DataError
        There is another timeframe, or too few hours are common to all pairs.
    """
    if set(bars["timeframe"]) != {"1h"}:
        raise DataError(f"bars: timeframes {sorted(set(bars['timeframe']))}; give hourly bars only")
    wide = bars.pivot(index="date", columns="pair", values=[*PRICES, "volume"]).dropna()
    if len(wide) < 2 * HOURS_A_WEEK:
        raise DataError(f"bars: {len(wide)} hours in which every pair has a bar; give 336 or more")
    level = wide["volume"].rolling(_LEVEL_HOURS, min_periods=_LEVEL_NEEDS_HOURS).median()
    relative = (wide["volume"] / level.clip(lower=1e-9)).to_numpy()
    prices = {name: wide[name].to_numpy() for name in PRICES}
    kept = slice(_LEVEL_NEEDS_HOURS, None)
    opened = prices["open"][kept]
    closes = pd.DatetimeIndex(wide.index).as_unit("ms").asi8
    return Moves(
        pairs=tuple(wide["close"].columns),
        hour=(closes[kept] // _HOUR_MS - 1 - _FIRST_MONDAY_HOUR).astype(np.int64),
        gap=opened / prices["close"][_LEVEL_NEEDS_HOURS - 1 : -1],
        high=prices["high"][kept] / opened,
        low=prices["low"][kept] / opened,
        close=prices["close"][kept] / opened,
        volume=relative[kept],
    )


def source_moves(bars: pd.DataFrame, *, weeks: int, start: str) -> tuple[pd.Timestamp, Moves]:
    """Read where a market made of real moves begins, and what it is made of.

    Parameters
    ----------
    bars : DataFrame
        Real hourly bars.
    weeks : int
        Length of the market.
    start : str
        Monday 00:00 UTC.

    Returns
    -------
    begin : Timestamp
        `start`, UTC.
    moves : Moves
        From `hourly_moves`.

    Raises
    ------
    DataError, SettingsError
        The bars, the date or the length cannot be used.
    """
    if weeks < 1:
        raise SettingsError(f"shuffled bars: {weeks} weeks; take 1 week or more")
    return monday(start, what="start"), hourly_moves(bars)


def whole_weeks(hour: NDArray[np.int64], *, length: int) -> NDArray[np.int64]:
    """Weeks of the source with which a stretch of `length` whole weeks begins.

    Parameters
    ----------
    hour : ndarray of int64
        As in `Moves`.
    length : int
        Weeks.

    Returns
    -------
    ndarray of int64
        Weeks since Monday 1970-01-05.

    Raises
    ------
    DataError
        There is no such stretch.
    """
    first, end = -(-int(hour[0]) // HOURS_A_WEEK), int(hour[-1] + 1) // HOURS_A_WEEK
    if end - first < length:
        raise DataError(f"bars: {max(end - first, 0)} whole weeks from Monday to Monday; give {length} or more")
    return np.arange(first, end - length + 1)


def volatility_strata(moves: Moves, *, strata: int, smooth_hours: int) -> NDArray[np.int64]:
    """Sort the hours by how much the market as a whole moved.

    Parameters
    ----------
    moves : Moves
        Of real bars.
    strata : int
        How many, of equal size.
    smooth_hours : int
        Hours, the last one the hour itself, over which the range is averaged.

    Returns
    -------
    ndarray of int64, shape (hours,)
        From 0, the calmest, to ``strata - 1``.

    Notes
    -----
    The measure is high less low over open, each pair's divided by its own mean, averaged over pairs and over the
    hours. It knows sizes only, no directions; and whatever it knows, a stratum's moves are made drift-free after it.
    """
    ranges = moves.high - moves.low
    market = (ranges / ranges.mean(axis=0)).mean(axis=1)
    smooth = pd.Series(market).rolling(smooth_hours, min_periods=1).mean().round(9)
    order = np.argsort(smooth.to_numpy(), kind="stable")
    found = np.empty(len(moves), np.int64)
    found[order] = np.arange(len(moves)) * strata // len(moves)
    return found


def drift_free(factors: NDArray[np.float64], stratum: NDArray[np.int64]) -> NDArray[np.float64]:
    """Divide factors of price by their mean over the stratum, pair by pair.

    Parameters
    ----------
    factors : ndarray, shape (hours, pairs)
        Of real bars.
    stratum : ndarray of int64, shape (hours,)
        From `volatility_strata`.

    Returns
    -------
    ndarray, shape (hours, pairs)
        In each stratum and pair the mean is 1, to the last bit of a sum.
    """
    fair = np.empty_like(factors)
    for one in range(int(stratum.max()) + 1):
        rows = np.flatnonzero(stratum == one)
        for column in range(factors.shape[1]):
            at = (rows, column)
            fair[at] = factors[at] / (math.fsum(factors[at]) / rows.size)
    return fair


def bars_of_moves(
    moves: Moves,
    *,
    hours: NDArray[np.int64],
    start: pd.Timestamp,
    weeks: int,
    timeframes: Sequence[str] = ("1h",),
    first_price: float = FIRST_PRICE,
) -> pd.DataFrame:
    """Put bars together from moves, one after the other.

    Parameters
    ----------
    moves : Moves
        In the order in which they are to happen; `hour` is not looked at.
    hours : ndarray of int64, shape (hours,)
        Opening of each bar, in hours since `start`; ascending.
    start : Timestamp
        Monday, UTC.
    weeks : int
        Length; up to its end a coarser bar may close.
    timeframes : sequence of str
        "1h" and what is to be made of it.
    first_price : float
        What every pair begins at.

    Returns
    -------
    DataFrame
        The bars table; prices and volume to six decimals.
    """
    dates = pd.DatetimeIndex(start.tz_localize(None) + (hours + 1) * _HOUR).as_unit("ms").tz_localize("UTC")
    end = start + weeks * HOURS_A_WEEK * _HOUR
    tables = []
    for column, pair in sorted(enumerate(moves.pairs), key=lambda each: each[1]):
        own = (values[:, column] for values in (moves.gap, moves.high, moves.low, moves.close))
        prices = _chained(*(np.ascontiguousarray(each) for each in own), first_price)
        hourly = pd.DataFrame(prices, columns=PRICES).assign(
            pair=pair, timeframe="1h", date=dates, volume=np.round(1000.0 * moves.volume[:, column], 6)
        )[COLUMNS]
        tables += [
            hourly if timeframe == "1h" else resample(hourly, timeframe=timeframe, bar_minutes=60, end=end)
            for timeframe in sorted(set(timeframes))
        ]
    return pd.concat(tables, ignore_index=True)


@njit(cache=True, nogil=True)
def _chained(
    gap: NDArray[np.float64],
    high: NDArray[np.float64],
    low: NDArray[np.float64],
    close: NDArray[np.float64],
    first_price: float,
) -> NDArray[np.float64]:
    """Open, high, low, close of each bar; rounded as they are made, so that no bit of noise can grow."""
    prices = np.empty((gap.size, 4))
    last = first_price
    for t in range(gap.size):
        opened = max(np.rint(last * gap[t] * 1e6) / 1e6, 1e-6)
        closed = max(np.rint(opened * close[t] * 1e6) / 1e6, 1e-6)
        prices[t, 0] = opened
        prices[t, 1] = max(np.rint(opened * high[t] * 1e6) / 1e6, opened, closed)
        prices[t, 2] = max(min(np.rint(opened * low[t] * 1e6) / 1e6, opened, closed), 1e-6)
        prices[t, 3] = closed
        last = closed
    return prices
