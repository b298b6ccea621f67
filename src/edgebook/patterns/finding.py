"""From bars to the table of patterns."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.patterns.candlesticks import CANDLESTICKS, find_candlesticks
from edgebook.patterns.formations import BEARISH, BULLISH, find_formations
from edgebook.patterns.swings import find_swings

if TYPE_CHECKING:
    from numpy.typing import NDArray

ATR_BARS = 14
_VOLUME_BARS = 20

# What each chart pattern is, in words. Its direction is +1 for the bullish break and -1 for the bearish one.
CHART_PATTERNS: dict[str, str] = {
    "head_and_shoulders": "After a rise, three swing highs, the middle one clearly the highest, the outer two alike; "
    "confirmed by the close below the line through the two lows between them",
    "inverse_head_and_shoulders": "The same upside down; confirmed by the close above the line through the two highs",
    "double_top": "After a rise, two swing highs within one ATR; confirmed by the close below the low between them",
    "double_bottom": "After a fall, two swing lows within one ATR; confirmed by the close above the high between them",
    "triple_top": "After a rise, three swing highs within 1.5 ATR; confirmed by the close below both lows between them",
    "triple_bottom": "After a fall, three swing lows within 1.5 ATR; confirmed by the close above both highs between",
    "ascending_triangle": "Two swing highs within one ATR over rising lows; confirmed by the close above both highs",
    "descending_triangle": "Two swing lows within one ATR under falling highs; confirmed by the close below both lows",
    "symmetrical_triangle": "Falling swing highs over rising swing lows; confirmed by the close past either line "
    "before they meet, in the direction of the break",
    "trend_continuation": "A flag: a move of five ATR within 16 bars, then 6 to 20 bars that drift against it and give "
    "back at most half; confirmed by the close past the flag's channel, in the direction of the move",
    "breakout": "The close above a range of 40 bars at most six ATR wide, on at least average volume",
    "breakdown": "The close below a range of 40 bars at most six ATR wide, on at least average volume",
    "support_bounce": "A bar that dips to a level of two or more swing lows that held, and closes clear above it",
    "resistance_rejection": "A bar that reaches a level of two or more swing highs that held, and closes clear below",
}
_NAMES = (*CHART_PATTERNS, *CANDLESTICKS)
_CODE = {name: code for code, name in enumerate(sorted(_NAMES))}


def find_patterns(bars: pd.DataFrame) -> pd.DataFrame:
    """Find the patterns of every pair and timeframe.

    Parameters
    ----------
    bars : DataFrame
        The canonical bars: pair, timeframe, date (UTC close time), open, high, low, close, volume, sorted by key.

    Returns
    -------
    DataFrame
        One row a pattern: pair, timeframe, date (close of the bar that confirmed it: not known before), pattern,
        direction (int8, +1 bullish, -1 bearish), kind ("chart" or "candlestick"); sorted by pair, timeframe, date
        and pattern.

    Notes
    -----
    Swings are confirmed by a close two average true ranges back from the extreme, and a formation of swings by the
    close that breaks its line, so a row never moves once it is there: see the prefix test in tests/test_patterns.py.
    The definitions follow the words of Edwards & Magee and of Lo, Mamaysky & Wang, with tolerances in ATR instead of
    percent, so that they mean the same on every symbol and timeframe.

    References
    ----------
    Edwards & Magee (1948), Technical Analysis of Stock Trends. Lo, Mamaysky & Wang (2000), Foundations of Technical
    Analysis, Journal of Finance 55(4). Nison (1991), Japanese Candlestick Charting Techniques.
    """
    prices = np.ascontiguousarray(bars[["open", "high", "low", "close"]].to_numpy(np.float64).T)
    volume = bars["volume"].to_numpy(np.float64)
    rows, codes, directions = [], [], []
    for start, stop in runs(bars):
        for name, direction in pattern_directions(np.ascontiguousarray(prices[:, start:stop]), volume[start:stop]):
            where = np.flatnonzero(direction)
            rows.append(where + start)
            codes.append(np.full(where.size, _CODE[name], np.int16))
            directions.append(direction[where])
    row = np.concatenate(rows) if rows else np.empty(0, np.int64)
    code = np.concatenate(codes) if codes else np.empty(0, np.int16)
    sign = np.concatenate(directions) if directions else np.empty(0, np.int8)
    order = np.lexsort((sign, code, row))
    row, code, sign = row[order], code[order], sign[order]
    names = pd.Series(sorted(_NAMES), dtype="str")
    kinds = pd.Series(["candlestick", "chart"], dtype="str")
    is_chart = np.array([name in CHART_PATTERNS for name in names])
    found = bars[["pair", "timeframe", "date"]].take(row).reset_index(drop=True)
    return found.assign(
        pattern=names.take(code).array,
        direction=sign.astype(np.int8),
        kind=kinds.take(is_chart[code].astype(np.int64)).array,
    )


def runs(bars: pd.DataFrame) -> list[tuple[int, int]]:
    """First row, and row after the last, of each pair and timeframe.

    Parameters
    ----------
    bars : DataFrame
        A table sorted by pair and timeframe.

    Returns
    -------
    list of tuple of int
        In the table's order.
    """
    if bars.empty:
        return []
    pair, timeframe = bars["pair"].array, bars["timeframe"].array
    changes = np.flatnonzero((pair[1:] != pair[:-1]) | (timeframe[1:] != timeframe[:-1])) + 1
    edges = [0, *changes.tolist(), len(bars)]
    return list(pairwise(edges))


def pattern_directions(prices: NDArray[np.float64], volume: NDArray[np.float64]) -> list[tuple[str, NDArray[np.int8]]]:
    """Direction of every pattern at every bar of one series.

    Parameters
    ----------
    prices : ndarray of float64, shape (4, n)
        Open, high, low, close.
    volume : ndarray of float64, shape (n,)

    Returns
    -------
    list of (str, ndarray of int8)
        Names, and +1 or -1 where the pattern was confirmed, else 0; a name may come twice, once a direction.
    """
    atr = average_true_range(prices)
    busy = volume >= _mean_before(volume, bars=_VOLUME_BARS)
    rising, falling = find_formations(prices, find_swings(prices, atr), atr=atr, busy=busy)
    chart = [(name, rising[:, k].astype(np.int8)) for k, name in enumerate(BULLISH)]
    chart += [(name, -falling[:, k].astype(np.int8)) for k, name in enumerate(BEARISH)]
    return chart + list(find_candlesticks(prices).items())


def average_true_range(prices: NDArray[np.float64], *, bars: int = ATR_BARS) -> NDArray[np.float64]:
    """Compute Wilder's average true range, as patterns and indicators measure every distance by it.

    Parameters
    ----------
    prices : ndarray of float64, shape (4, n)
        Open, high, low, close.
    bars : int
        Its length.

    Returns
    -------
    ndarray of float64, shape (n,)
        In the unit of the prices; NaN for the first `bars` bars.
    """
    import talib

    atr: NDArray[np.float64] = talib.ATR(prices[1], prices[2], prices[3], timeperiod=bars)
    return atr


def _mean_before(volume: NDArray[np.float64], *, bars: int) -> NDArray[np.float64]:
    """Mean volume of the `bars` bars before each bar; 0 where there are not so many."""
    mean = np.zeros(volume.size)
    total = np.concatenate([[0.0], np.cumsum(volume)])
    mean[bars:] = (total[bars:-1] - total[: -bars - 1]) / bars
    return mean
