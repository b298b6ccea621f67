"""The arrays of one pair and timeframe, and the few operations that every family needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import talib

from edgebook.patterns.finding import average_true_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Votes = NDArray[np.int8]

_VOLUME_EXPONENT = 20


@dataclass(frozen=True)
class Series:
    """Bars of one pair and timeframe, oldest first.

    Parameters
    ----------
    open, high, low, close : ndarray of float64, shape (n,)
        Prices in a unit that brings the first close to between 0.5 and 1.
    volume : ndarray of float64, shape (n,)
        Volume in a unit that brings the first one that is not zero to about a million.
    quoted : ndarray of float64, shape (n,)
        The close as the market quotes it.
    turnover : ndarray of float64, shape (n,)
        Close times volume, in the market's units.
    closed_ms : ndarray of int64, shape (n,)
        When each bar closed, in milliseconds UTC.
    minutes : int
        Length of a bar.
    atr : ndarray of float64, shape (n,)
        Wilder's average true range of 14 bars, in the unit of the prices.

    Notes
    -----
    TA-Lib takes sums below 1e-14 for zero, whatever the unit. The units here are powers of two, so that changing to
    them changes no digit, and come from the first bar, which every later one knows.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    quoted: Floats
    turnover: Floats
    closed_ms: NDArray[np.int64]
    minutes: int
    atr: Floats

    @property
    def size(self) -> int:
        """Number of bars."""
        return self.close.size


def series_of(prices: Floats, volume: Floats, *, closed_ms: NDArray[np.int64], minutes: int) -> Series:
    """Take the bars of one pair and timeframe into the units of `Series`.

    Parameters
    ----------
    prices : ndarray of float64, shape (4, n)
        Open, high, low, close; at least one bar.
    volume : ndarray of float64, shape (n,)
        Not negative.
    closed_ms : ndarray of int64, shape (n,)
        Close times.
    minutes : int
        Length of a bar.

    Returns
    -------
    Series
        Its arrays are new.
    """
    scaled = np.ldexp(prices, -np.frexp(prices[3, 0])[1])
    traded = volume[volume > 0]
    exponent = _VOLUME_EXPONENT - int(np.frexp(traded[0])[1]) if traded.size else 0
    return Series(
        open=scaled[0],
        high=scaled[1],
        low=scaled[2],
        close=scaled[3],
        volume=np.ldexp(volume, exponent),
        quoted=prices[3].copy(),
        turnover=prices[3] * volume,
        closed_ms=closed_ms,
        minutes=minutes,
        atr=average_true_range(scaled),
    )


def ratio(above: Floats, below: Floats, *, limit: float, empty: float = 0.0) -> Floats:
    """Quotient of two arrays, held to ±`limit`; `empty` where the divisor is 0, NaN where either is NaN."""
    # Zero times the dividend is zero, and keeps its NaN.
    quotient = np.divide(above, below, out=above * 0.0 + empty, where=below != 0.0)
    return np.clip(quotient, -limit, limit)


def where_still(still: NDArray[np.bool_], values: Floats, *, neutral: float) -> Floats:
    """Put the neutral value where an oscillator has nothing to measure: TA-Lib says 0, which reads as oversold."""
    return np.where(still & ~np.isnan(values), neutral, values)


def where_traded(series: Series, values: Floats) -> Floats:
    """Values of what is made of volume; NaN up to the first bar with any, so that a market without it abstains."""
    return np.where(np.maximum.accumulate(series.volume) > 0.0, values, np.nan)


def without_range(series: Series, *, bars: float) -> NDArray[np.bool_]:
    """Whether the price did not move at all over the last `bars` bars."""
    still: NDArray[np.bool_] = talib.MAX(series.high, bars) == talib.MIN(series.low, bars)
    return still


def relative_strength(series: Series, *, bars: float) -> Floats:
    """Wilder's RSI of the closes, 0 to 100; 50 until the close first changes."""
    unmoved = np.maximum.accumulate(series.close) == np.minimum.accumulate(series.close)
    return where_still(unmoved, talib.RSI(series.close, bars), neutral=50.0)


def change(values: Floats, *, bars: int) -> Floats:
    """Value less the value `bars` bars ago; NaN where there is none."""
    moved = np.full(values.size, np.nan)
    moved[bars:] = values[bars:] - values[:-bars]
    return moved


def before(values: Floats) -> Floats:
    """Value of the bar before; NaN at the first."""
    earlier = np.full(values.size, np.nan)
    earlier[1:] = values[:-1]
    return earlier


def typical_price(series: Series) -> Floats:
    """Mean of high, low and close."""
    return (series.high + series.low + series.close) / 3.0


def paced(series: Series, *, bars: int) -> Floats:
    """Change of the close over `bars` bars, in ATR times the root of the bars."""
    return ratio(change(series.close, bars=bars), series.atr * float(np.sqrt(bars)), limit=10.0)


def outside(values: Floats, *, low: float, high: float) -> Votes:
    """+1 above `high`, -1 below `low`, else 0; 0 where the value is NaN."""
    return (values > high).astype(np.int8) - (values < low).astype(np.int8)


def side(values: Floats) -> Votes:
    """+1 above 0, -1 below, 0 at 0 and where the value is NaN."""
    return outside(values, low=0.0, high=0.0)
