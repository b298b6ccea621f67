"""Values and votes of head H, Cycle & Seasonality."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import talib

from edgebook.indicators.catalogue import PARAMETERS
from edgebook.indicators.kernels import slot_strength
from edgebook.indicators.series import Series, change, outside, side, where_still, without_range

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgebook.indicators.series import Floats, Votes

_MINUTE_MS, _HOUR_MS, _DAY_MS = 60_000, 3_600_000, 86_400_000
_DAY_MINUTES = 1440
_MONDAY_DAYS = 3  # 1970-01-01 was a Thursday


def values(series: Series) -> dict[str, Floats]:
    """Compute the values of the family at every bar, keyed by indicator."""
    sine, lead = talib.HT_SINE(series.close)
    mode = np.full(series.size, np.nan)
    lookback = 63  # HT_TRENDMODE gives integers, 0 while it warms up
    mode[lookback:] = talib.HT_TRENDMODE(series.close)[lookback:]
    hour = 2.0 * np.pi * (series.closed_ms % _DAY_MS) / _DAY_MS
    weekday = 2.0 * np.pi * _weekday(series.closed_ms) / 7.0
    return {
        "hilbert_lead": where_still(
            without_range(series, bars=PARAMETERS["hilbert_lead"]["longest"]), lead - sine, neutral=0.0
        ),
        "dominant_cycle_period": talib.HT_DCPERIOD(series.close),
        "trend_mode": mode,
        "hour_sine": np.sin(hour),
        "hour_cosine": np.cos(hour),
        "weekday_sine": np.sin(weekday),
        "weekday_cosine": np.cos(weekday),
        "same_hour_return_20": _slot_return(series),
    }


def votes(saved: Mapping[str, Floats], series: Series) -> dict[str, Votes]:
    """Textbook votes of the family, from its saved values, the clock and the close."""
    p = PARAMETERS
    cycling = saved["trend_mode"] == 0.0
    trending = saved["trend_mode"] == 1.0
    hour = series.closed_ms % _DAY_MS // _HOUR_MS
    weekday = _weekday(series.closed_ms)
    strong = p["same_hour_return_20"]["level"]
    none = np.int8(0)
    cast = {
        "hilbert_lead": np.where(cycling, side(saved["hilbert_lead"]), none),
        "dominant_cycle_period": np.where(cycling, -_half_cycle_move(saved["dominant_cycle_period"], series), none),
        "trend_mode": np.where(trending, side(series.close - talib.HT_TRENDLINE(series.close)), none),
        "weekday_sine": -(weekday == p["weekday_sine"]["weekday"]).astype(np.int8),
        "weekday_cosine": (weekday == p["weekday_cosine"]["weekday"]).astype(np.int8),
        "same_hour_return_20": outside(saved["same_hour_return_20"], low=-strong, high=strong),
    }
    for name, direction in (("hour_sine", 1), ("hour_cosine", -1)):
        inside = (hour >= p[name]["from_hour"]) & (hour < p[name]["to_hour"]) & (series.minutes < _DAY_MINUTES)
        cast[name] = direction * inside.astype(np.int8)
    return cast


def _weekday(closed_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    """Weekday on which each bar ends, Monday 0; midnight ends the day before."""
    return ((closed_ms - 1) // _DAY_MS + _MONDAY_DAYS) % 7


def _half_cycle_move(period: Floats, series: Series) -> Votes:
    """Side of the close's change over half of the dominant cycle."""
    cycle = PARAMETERS["dominant_cycle_period"]
    known = np.nan_to_num(period, nan=cycle["shortest"])
    half = np.clip(known, cycle["shortest"], cycle["longest"]).astype(np.int64) // 2
    now = np.arange(series.size)
    earlier = series.close[np.maximum(now - half, 0)]
    return np.where(np.isnan(period), np.int8(0), side(series.close - earlier))


def _slot_return(series: Series) -> Floats:
    """Mean over standard error of the last returns of bars that opened when the next bar is due."""
    slot = PARAMETERS["same_hour_return_20"]
    if series.minutes < _DAY_MINUTES:
        # Sessions need not start on the hour: a slot is the length of a bar, counted from midnight.
        length_ms = series.minutes * _MINUTE_MS
        own, slots = (series.closed_ms - length_ms) % _DAY_MS // length_ms, -(-_DAY_MINUTES // series.minutes)
    else:
        own, slots = _weekday(series.closed_ms), 7
    returns = change(np.log(series.close), bars=1)
    strength: Floats = slot_strength(returns, own, slots, int(slot["bars"]), int(slot["least"]))
    return np.clip(strength, -8.0, 8.0)
