"""Values and votes of head A, Trend Following."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import talib

from edgebook.indicators.catalogue import PARAMETERS
from edgebook.indicators.kernels import supertrend_line
from edgebook.indicators.series import Series, outside, ratio, side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.indicators.series import Floats, Votes

_ATR_LIMIT = 10.0


def values(series: Series) -> dict[str, Floats]:
    """Compute the values of the family at every bar, keyed by indicator; distances in ATR, at most ten."""
    high, low, close = series.high, series.low, series.close

    def in_atr(distance: Floats) -> Floats:
        return ratio(distance, series.atr, limit=_ATR_LIMIT)

    p = PARAMETERS
    ema = talib.EMA(close, p["ema_distance_20"]["bars"])
    cross = p["sma_cross_20_50"]
    macd = p["macd_histogram_12_26_9"]
    aroon = p["aroon_oscillator_25"]["bars"]
    di = p["di_difference_14"]["bars"]
    sar = p["parabolic_sar"]
    trail = p["supertrend_10_3"]
    trail_atr = talib.ATR(high, low, close, trail["bars"])
    slope = p["linear_regression_slope_20"]["bars"]
    return {
        "ema_distance_20": in_atr(close - ema),
        "sma_cross_20_50": in_atr(talib.SMA(close, cross["fast"]) - talib.SMA(close, cross["slow"])),
        "macd_histogram_12_26_9": in_atr(talib.MACD(close, macd["fast"], macd["slow"], macd["signal"])[2]),
        "adx_14": talib.ADX(high, low, close, p["adx_14"]["bars"]),
        "di_difference_14": talib.PLUS_DI(high, low, close, di) - talib.MINUS_DI(high, low, close, di),
        "aroon_oscillator_25": talib.AROONOSC(high, low, aroon),
        "parabolic_sar": in_atr(close - talib.SAR(high, low, sar["step"], sar["most"])),
        "supertrend_10_3": in_atr(close - supertrend_line(high, low, close, trail_atr, trail["multiple"])),
        "linear_regression_slope_20": in_atr(talib.LINEARREG_SLOPE(close, slope) * slope),
    }


def votes(saved: Mapping[str, Floats], series: Series) -> dict[str, Votes]:
    """Textbook votes of the family, from its saved values."""
    p = PARAMETERS
    strong = saved["adx_14"] > p["adx_14"]["trending"]
    level = p["aroon_oscillator_25"]["level"]
    slope = p["linear_regression_slope_20"]["level"]
    cast = {
        name: side(saved[name])
        for name in (
            "ema_distance_20",
            "sma_cross_20_50",
            "macd_histogram_12_26_9",
            "di_difference_14",
            "parabolic_sar",
            "supertrend_10_3",
        )
    }
    cast["adx_14"] = np.where(strong, side(saved["di_difference_14"]), np.int8(0))
    cast["aroon_oscillator_25"] = outside(saved["aroon_oscillator_25"], low=-level, high=level)
    cast["linear_regression_slope_20"] = outside(saved["linear_regression_slope_20"], low=-slope, high=slope)
    return cast
