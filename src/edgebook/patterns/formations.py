"""Chart patterns: formations of swings, dated by the close that breaks them out.

Every formation has a mirror image (a double top is a double bottom upside down), so the kernel knows the bullish
ones only and reads the bars twice: as they are, and with their sign turned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from edgebook.patterns.swings import Swings

if TYPE_CHECKING:
    from numpy.typing import NDArray

BULLISH = (
    "inverse_head_and_shoulders",
    "double_bottom",
    "triple_bottom",
    "ascending_triangle",
    "symmetrical_triangle",
    "trend_continuation",
    "breakout",
    "support_bounce",
)
BEARISH = (
    "head_and_shoulders",
    "double_top",
    "triple_top",
    "descending_triangle",
    "symmetrical_triangle",
    "trend_continuation",
    "breakdown",
    "resistance_rejection",
)
_HEAD_AND_SHOULDERS, _DOUBLE, _TRIPLE, _LEVEL_TRIANGLE, _SYMMETRICAL, _FLAG, _BREAKOUT, _BOUNCE = range(8)
_ARMED_BY_SWINGS = 5  # the first five wait for a line to break, the others look at the bars themselves

# Lengths in average true ranges (atr) or bars; the words for them are in `CHART_PATTERNS`.
_LEVEL_ATR = 1.0  # two extremes this close are one level
_SLOPE_ATR = 1.0  # two extremes this far apart are a slope
_DEPTH_ATR = 3.0  # a formation is at least this high
_TRIPLE_ATR = 1.5  # three extremes this close are one level
_FALL_ATR = 2.0  # what comes before two lows is a fall when it starts this far above the line
_HEAD_OVER, _TILT, _LOPSIDED = 0.2, 0.4, 3.0  # head over shoulders and tilt in shares of the height; ratio of halves
_RUNAWAY_ATR = 2.0  # a close this far past the line is no longer the break
_MIN_SPAN, _MAX_SPAN, _MAX_WAIT = 10, 160, 60
_RANGE_BARS, _RANGE_ATR, _RANGE_EDGE_AGE, _RANGE_REST = 40, 6.0, 4, 20
_POLE_BARS, _POLE_ATR, _FLAG_MIN, _FLAG_MAX, _FLAG_KEEP = 16, 5.0, 6, 20, 0.5
_LEVEL_MEMORY, _LEVEL_BARS, _TOUCH_ATR, _LEAVE_ATR, _BOUNCE_REST = 6, 300, 0.4, 0.4, 24


def find_formations(
    bars: NDArray[np.float64], swings: Swings, *, atr: NDArray[np.float64], busy: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Find the chart patterns of one series.

    Parameters
    ----------
    bars : ndarray, shape (4, n)
        Open, high, low, close of one pair and timeframe, oldest first.
    swings : Swings
        Of the same bars.
    atr : ndarray, shape (n,)
        Average true range at each bar, NaN while it warms up.
    busy : ndarray of bool, shape (n,)
        Whether a bar's volume is at least its recent mean: a range is broken on volume or not at all.

    Returns
    -------
    tuple of ndarray of bool, each of shape (n, 8)
        Where each of `BULLISH`, and of `BEARISH`, was confirmed. Row t depends on bars up to t.
    """
    side = swings.side.astype(np.int64)
    rising = _scan(bars[0], bars[1], bars[2], bars[3], atr, busy, swings.at, swings.price, side, swings.known)
    turned = -bars
    falling = _scan(
        turned[0], turned[2], turned[1], turned[3], atr, busy, swings.at, -swings.price, -side, swings.known
    )
    return rising, falling


@njit(cache=True, nogil=True)
def _scan(
    opening: Any, high: Any, low: Any, close: Any, atr: Any, busy: Any, at: Any, price: Any, side: Any, known: Any
) -> Any:
    n = close.size
    found = np.zeros((n, 8), np.bool_)
    armed = np.zeros(_ARMED_BY_SWINGS, np.bool_)
    line_at = np.zeros(_ARMED_BY_SWINGS)
    line_slope = np.zeros(_ARMED_BY_SWINGS)
    until = np.zeros(_ARMED_BY_SWINGS, np.int64)
    last_break = last_bounce = -n
    last_pole = -1
    swing = -1
    for t in range(n):
        a = atr[t]
        while swing + 1 < at.size and known[swing + 1] <= t:
            swing += 1
            if a > 0.0:
                _arm(swing, a, at, price, side, armed, line_at, line_slope, until)
        if not a > 0.0:
            continue
        for k in range(_ARMED_BY_SWINGS):
            line = line_at[k] + line_slope[k] * t
            if armed[k] and close[t] > line:
                found[t, k] = close[t] <= line + _RUNAWAY_ATR * a
                armed[k] = False
            elif t >= until[k]:
                armed[k] = False
        if t - last_break > _RANGE_REST and busy[t] and _leaves_range(t, a, high, low, close):
            found[t, _BREAKOUT] = True
            last_break = t
        pole = _flag_pole(t, a, high, low, close)
        if pole > last_pole:
            found[t, _FLAG] = True
            last_pole = pole
        if t - last_bounce > _BOUNCE_REST and _bounces(t, a, swing, opening, high, low, close, at, price, side):
            found[t, _BOUNCE] = True
            last_bounce = t
    return found


@njit(cache=True, nogil=True)
def _arm(
    j: int, a: float, at: Any, price: Any, side: Any, armed: Any, line_at: Any, line_slope: Any, until: Any
) -> None:
    """Decide which formations the swings up to `j` complete, and which line each has to break."""
    armed[:] = False
    if j < 3:
        return
    span = at[j] - at[j - 3]
    until[:] = at[j] + min(_MAX_WAIT, span)
    # A triangle between the last two highs and the last two lows, whichever came last.
    newer, older = (j - 1, j - 3) if side[j] < 0 else (j, j - 2)
    low_newer, low_older = (j, j - 2) if side[j] < 0 else (j - 1, j - 3)
    falls = (price[newer] - price[older]) / (at[newer] - at[older])
    rises = (price[low_newer] - price[low_older]) / (at[low_newer] - at[low_older])
    if (
        _MIN_SPAN <= span <= _MAX_SPAN
        and price[older] - price[newer] >= _SLOPE_ATR * a
        and price[low_newer] - price[low_older] >= _SLOPE_ATR * a
    ):
        armed[_SYMMETRICAL] = True
        line_slope[_SYMMETRICAL] = falls
        line_at[_SYMMETRICAL] = price[older] - falls * at[older]
        apex = (price[low_older] - rises * at[low_older] - line_at[_SYMMETRICAL]) / (falls - rises)
        until[_SYMMETRICAL] = min(until[_SYMMETRICAL], int(apex))
    if side[j] > 0:
        return
    neck, neck_before = price[j - 1], price[j - 3]
    level = abs(neck - neck_before) <= _LEVEL_ATR * a
    if level and _MIN_SPAN <= span <= _MAX_SPAN and price[j] - price[j - 2] >= _SLOPE_ATR * a:
        _wait(_LEVEL_TRIANGLE, max(neck, neck_before), armed, line_at, line_slope)
    # Two lows at one level after a fall, with no third one before them.
    twice = abs(price[j] - price[j - 2]) <= _LEVEL_ATR * a and at[j] - at[j - 2] >= _MIN_SPAN
    thrice_before = j >= 4 and abs(price[j - 4] - price[j - 2]) <= _LEVEL_ATR * a
    deep = neck - max(price[j], price[j - 2]) >= _DEPTH_ATR * a
    if twice and deep and not thrice_before and neck_before >= neck + _FALL_ATR * a:
        _wait(_DOUBLE, neck, armed, line_at, line_slope)
    if j < 5:
        return
    span = at[j] - at[j - 4]
    neck_high = max(neck, neck_before)
    after_fall = price[j - 5] >= neck_high + _SLOPE_ATR * a
    if not (after_fall and _MIN_SPAN <= span <= _MAX_SPAN):
        return
    until[_TRIPLE] = until[_HEAD_AND_SHOULDERS] = at[j] + min(_MAX_WAIT, span)
    lows = price[j - 4], price[j - 2], price[j]
    if max(lows) - min(lows) <= _TRIPLE_ATR * a and min(neck, neck_before) - max(lows) >= _DEPTH_ATR * a / 2:
        _wait(_TRIPLE, neck_high, armed, line_at, line_slope)
    slope = (neck - neck_before) / (at[j - 1] - at[j - 3])
    height = neck_before + slope * (at[j - 2] - at[j - 3]) - price[j - 2]
    left, right = at[j - 2] - at[j - 4], at[j] - at[j - 2]
    if (
        height >= _DEPTH_ATR * a
        and min(price[j - 4], price[j]) - price[j - 2] >= _HEAD_OVER * height
        and abs(price[j - 4] - price[j]) <= _TILT * height
        and abs(neck - neck_before) <= _TILT * height
        and max(left, right) <= _LOPSIDED * min(left, right)
    ):
        _wait(_HEAD_AND_SHOULDERS, neck, armed, line_at, line_slope)
        line_slope[_HEAD_AND_SHOULDERS] = slope
        line_at[_HEAD_AND_SHOULDERS] = neck - slope * at[j - 1]


@njit(cache=True, nogil=True)
def _wait(k: int, line: float, armed: Any, line_at: Any, line_slope: Any) -> None:
    """Wait for a close above a level line."""
    armed[k] = True
    line_at[k] = line
    line_slope[k] = 0.0


@njit(cache=True, nogil=True)
def _leaves_range(t: int, a: float, high: Any, low: Any, close: Any) -> bool:
    """Whether bar `t` is the first close above a narrow range whose upper edge is not brand new."""
    if t < _RANGE_BARS + 1:
        return False
    top = t - 1
    bottom = t - 1
    for i in range(t - _RANGE_BARS, t):
        if high[i] > high[top]:
            top = i
        if low[i] < low[bottom]:
            bottom = i
    return close[t] > high[top] and high[top] - low[bottom] <= _RANGE_ATR * a and t - top >= _RANGE_EDGE_AGE


@njit(cache=True, nogil=True)
def _flag_pole(t: int, a: float, high: Any, low: Any, close: Any) -> int:
    """Row of the pole's top when bar `t` closes above the channel of a flag that hangs from it, else -1."""
    if t < _FLAG_MAX + _POLE_BARS + 1:
        return -1
    top = t - _FLAG_MAX
    for i in range(t - _FLAG_MAX + 1, t):
        if high[i] >= high[top]:
            top = i
    bars_in_flag = t - 1 - top
    if bars_in_flag < _FLAG_MIN - 1 or top == t - _FLAG_MAX:
        return -1
    foot = top - 1
    for i in range(top - _POLE_BARS, top):
        if low[i] < low[foot]:
            foot = i
    pole = high[top] - low[foot]
    if pole < _POLE_ATR * a or bars_in_flag < (top - foot) / 3:
        return -1
    middle = (top + 1 + t - 1) / 2.0
    mean = 0.0
    for i in range(top + 1, t):
        if low[i] < high[top] - _FLAG_KEEP * pole:
            return -1
        mean += close[i]
    mean /= bars_in_flag
    up = across = 0.0
    for i in range(top + 1, t):
        up += (i - middle) * (close[i] - mean)
        across += (i - middle) ** 2
    slope = up / across
    if slope > 0.0:  # a flag hangs against its pole
        return -1
    ceiling = -np.inf
    for i in range(top + 1, t):
        ceiling = max(ceiling, high[i] - slope * i)
    return top if close[t] > ceiling + slope * t and close[t] > close[t - 1] else -1


@njit(cache=True, nogil=True)
def _bounces(
    t: int, a: float, swing: int, opening: Any, high: Any, low: Any, close: Any, at: Any, price: Any, side: Any
) -> bool:
    """Whether bar `t` dips to a level that held at least twice before, and closes clear of it."""
    if t < 1 or close[t] <= opening[t] or close[t] < low[t] + 0.6 * (high[t] - low[t]):
        return False
    seen = 0
    for j in range(swing, -1, -1):
        if side[j] > 0:
            continue
        seen += 1
        if seen > _LEVEL_MEMORY or t - at[j] > _LEVEL_BARS:
            break
        level = price[j]
        if not (abs(low[t] - level) <= _TOUCH_ATR * a and close[t] >= level + _LEAVE_ATR * a and close[t - 1] > level):
            continue
        for i in range(j - 2, max(j - 2 * _LEVEL_MEMORY, -1), -2):
            floor = min(level, price[i]) - _TOUCH_ATR * a
            near = abs(price[i] - level) <= _LEVEL_ATR * a / 2 and t - at[i] <= _LEVEL_BARS
            if near and close[at[i] : t].min() >= floor:
                return True
    return False
