"""Values and votes of head E, Support & Resistance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import talib

from edgebook.indicators.catalogue import PARAMETERS
from edgebook.indicators.kernels import last_swings, pivot_of_last_period
from edgebook.indicators.series import Series, outside, ratio, side, typical_price, where_traded
from edgebook.patterns.swings import find_swings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.indicators.series import Floats, Votes

_ATR_LIMIT = 20.0
_DAY_MS = 86_400_000
_DAY_MINUTES = 1440
_MONDAY_DAYS = 3  # 1970-01-01 was a Thursday
# As literals: a logarithm may differ in its last digit between processors, and 1000 must not fall under 999.
_POWERS_OF_TEN = np.array([float(f"1e{k}") for k in range(-12, 13)])


def values(series: Series) -> dict[str, Floats]:
    """Compute the values of the family at every bar, keyed by indicator; distances in ATR, at most twenty."""
    high, low, close = series.high, series.low, series.close
    p = PARAMETERS

    def in_atr(distance: Floats) -> Floats:
        return ratio(distance, series.atr, limit=_ATR_LIMIT)

    top, bottom, later = _swings(series)
    # From a top the way back goes down: measured from the later swing towards the earlier one.
    start, goal = np.where(later > 0, top, bottom), np.where(later > 0, bottom, top)
    span = int(p["range_position_120"]["bars"])
    highest, lowest = talib.MAX(high, span), talib.MIN(low, span)
    bars = int(p["vwap_distance_24"]["bars"])
    price = typical_price(series)
    volume = talib.SUM(series.volume, bars)
    weighted = np.where(
        volume > 0.0,
        talib.SUM(price * series.volume, bars) / np.where(volume > 0.0, volume, 1.0),
        talib.SMA(price, bars),
    )
    return {
        "pivot_distance": in_atr(close - pivot_of_last_period(high, low, close, _periods(series))),
        "swing_high_distance": in_atr(top - close),
        "swing_low_distance": in_atr(close - bottom),
        "fibonacci_retracement": ratio(close - start, goal - start, limit=3.0),
        "range_position_120": ratio(close - lowest, highest - lowest, limit=1.0, empty=0.5),
        "round_number_distance": ratio(_past_round_number(series.quoted), _quoted_atr(series), limit=5.0),
        "vwap_distance_24": where_traded(series, in_atr(close - weighted)),
    }


def votes(saved: Mapping[str, Floats], series: Series) -> dict[str, Votes]:
    """Textbook votes of the family, from its saved values."""
    p = PARAMETERS
    cast = {name: side(saved[name]) for name in ("pivot_distance", "vwap_distance_24")}
    room, near = saved["swing_high_distance"], p["swing_high_distance"]["near"]
    cast["swing_high_distance"] = (room < 0.0).astype(np.int8) - ((room >= 0.0) & (room <= near))
    room, near = saved["swing_low_distance"], p["swing_low_distance"]["near"]
    cast["swing_low_distance"] = ((room >= 0.0) & (room <= near)).astype(np.int8) - (room < 0.0)
    way, golden = saved["fibonacci_retracement"], p["fibonacci_retracement"]
    inside = (way >= golden["low"]) & (way <= golden["high"])
    cast["fibonacci_retracement"] = np.where(inside, _swings(series)[2], 0.0).astype(np.int8)
    place = p["range_position_120"]
    cast["range_position_120"] = outside(saved["range_position_120"], low=place["low"], high=place["high"])
    past = saved["round_number_distance"]
    cast["round_number_distance"] = np.where(np.abs(past) <= p["round_number_distance"]["near"], side(past), np.int8(0))
    return cast


def _swings(series: Series) -> Floats:
    """Last known swing high, swing low, and side of the later one."""
    prices = np.vstack([series.open, series.high, series.low, series.close])
    found = find_swings(prices, series.atr, retrace=PARAMETERS["swing_high_distance"]["retrace_atr"])
    last: Floats = last_swings(found.at, found.price, found.side, found.known, series.size)
    return last


def _periods(series: Series) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Number of the UTC day in which each bar closed (of the week, on daily bars); midnight ends the day before."""
    day = (series.closed_ms - 1) // _DAY_MS
    return day if series.minutes < _DAY_MINUTES else (day + _MONDAY_DAYS) // 7


def _past_round_number(quoted: Floats) -> Floats:
    """Quoted close less the nearest tenth of its power of ten."""
    power = _POWERS_OF_TEN[np.clip(np.searchsorted(_POWERS_OF_TEN, quoted, side="right") - 1, 0, None)]
    step = power / 10.0
    past: Floats = quoted - np.rint(quoted / step) * step
    return past


def _quoted_atr(series: Series) -> Floats:
    """ATR in the market's unit."""
    atr: Floats = series.atr * (series.quoted[0] / series.close[0])
    return atr
