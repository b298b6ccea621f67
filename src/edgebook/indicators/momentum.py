"""Values and votes of head C, Momentum & Breakout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import talib

from edgebook.indicators.catalogue import PARAMETERS
from edgebook.indicators.kernels import decayed_sum
from edgebook.indicators.series import Series, before, change, outside, paced, ratio, side, where_still, without_range

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.indicators.series import Floats, Votes


def values(series: Series) -> dict[str, Floats]:
    """Compute the values of the family at every bar, keyed by indicator."""
    high, low, close = series.high, series.low, series.close
    p = PARAMETERS
    ultimate = p["ultimate_oscillator_7_14_28"]
    triple = close
    for _ in range(3):
        triple = talib.EMA(triple, p["trix_15"]["bars"])
    top, bottom = _channel(series, bars=int(p["donchian_position_20"]["bars"]))
    power = ratio(close - series.open, high - low, limit=1.0)
    return {
        "rate_of_change_12": paced(series, bars=int(p["rate_of_change_12"]["bars"])),
        "time_series_momentum_72": paced(series, bars=int(p["time_series_momentum_72"]["bars"])),
        "trix_15": ratio(change(triple, bars=1), series.atr, limit=2.0),
        "ultimate_oscillator_7_14_28": where_still(
            without_range(series, bars=ultimate["short"] + 1),
            talib.ULTOSC(high, low, close, ultimate["short"], ultimate["middle"], ultimate["long"]),
            neutral=50.0,
        ),
        "donchian_position_20": ratio(close - bottom, top - bottom, limit=3.0, empty=0.5),
        "channel_breakout_55": _breakouts(series),
        "true_strength_25_13": _true_strength(close),
        "balance_of_power_14": talib.SMA(power, p["balance_of_power_14"]["bars"]),
    }


def votes(saved: Mapping[str, Floats], series: Series) -> dict[str, Votes]:
    """Textbook votes of the family, from its saved values."""
    p = PARAMETERS
    cast = {name: side(saved[name]) for name in ("time_series_momentum_72", "trix_15", "true_strength_25_13")}
    for name in ("rate_of_change_12", "channel_breakout_55", "balance_of_power_14"):
        cast[name] = outside(saved[name], low=-p[name]["level"], high=p[name]["level"])
    ultimate = p["ultimate_oscillator_7_14_28"]
    cast["ultimate_oscillator_7_14_28"] = -outside(
        saved["ultimate_oscillator_7_14_28"], low=ultimate["low"], high=ultimate["high"]
    )
    cast["donchian_position_20"] = outside(saved["donchian_position_20"], low=0.0, high=1.0)
    return cast


def _channel(series: Series, *, bars: int) -> tuple[Floats, Floats]:
    """Highest high and lowest low of the `bars` bars before each bar."""
    return talib.MAX(before(series.high), bars), talib.MIN(before(series.low), bars)


def _breakouts(series: Series) -> Floats:
    """Closes outside the channel of the bars before, decayed and added; NaN while there is no channel."""
    breakout = PARAMETERS["channel_breakout_55"]
    top, bottom = _channel(series, bars=int(breakout["bars"]))
    beyond = (series.close > top).astype(np.float64) - (series.close < bottom)
    return np.where(np.isnan(top), np.nan, decayed_sum(beyond, breakout["half_life"]))


def _true_strength(close: Floats) -> Floats:
    """Twice smoothed change over twice smoothed absolute change, in percent."""
    strength = PARAMETERS["true_strength_25_13"]
    moved = change(close, bars=1)
    smooth = talib.EMA(talib.EMA(moved, strength["slow"]), strength["fast"])
    size = talib.EMA(talib.EMA(np.abs(moved), strength["slow"]), strength["fast"])
    return ratio(100.0 * smooth, size, limit=100.0)
