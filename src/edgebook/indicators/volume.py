"""Values and votes of head F, Volume Flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import talib

from edgebook.indicators.catalogue import PARAMETERS
from edgebook.indicators.series import (
    Series,
    change,
    outside,
    ratio,
    side,
    typical_price,
    where_still,
    where_traded,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.indicators.series import Floats, Votes


def values(series: Series) -> dict[str, Floats]:
    """Compute the values of the family at every bar, keyed by indicator; missing as long as nothing has been traded.

    A market that reports no volume (spot FX, say) has 0 at every bar: the family is not known there, and head F sleeps.
    """
    high, low, close, volume = series.high, series.low, series.close, series.volume
    p = PARAMETERS
    balance = p["obv_slope_20"]["bars"]
    flow = p["chaikin_money_flow_20"]["bars"]
    place = ratio((close - low) - (high - close), high - low, limit=1.0)
    oscillator = p["chaikin_oscillator_3_10"]
    spike = p["volume_zscore_20"]["bars"]
    money = p["money_flow_index_14"]["bars"]
    flowing = np.abs(change(typical_price(series), bars=1)) * volume
    force = p["force_index_13"]
    pushed = talib.EMA(change(close, bars=1) * volume, force["bars"])
    ease = p["ease_of_movement_14"]
    moved = ratio(change((high + low) / 2.0, bars=1), series.atr, limit=10.0)
    spread = ratio(high - low, series.atr, limit=10.0)
    traded = ratio(volume, talib.SMA(volume, ease["mean"]), limit=20.0)
    found = {
        "obv_slope_20": ratio(
            talib.LINEARREG_SLOPE(talib.OBV(close, volume), balance), talib.SMA(volume, balance), limit=2.0
        ),
        "chaikin_money_flow_20": ratio(talib.SUM(place * volume, flow), talib.SUM(volume, flow), limit=1.0),
        "money_flow_index_14": where_still(
            talib.MAX(flowing, money) == 0.0, talib.MFI(high, low, close, volume, money), neutral=50.0
        ),
        "chaikin_oscillator_3_10": ratio(
            talib.ADOSC(high, low, close, volume, oscillator["fast"], oscillator["slow"]),
            talib.SMA(volume, oscillator["mean"]),
            limit=10.0,
        ),
        "volume_zscore_20": ratio(volume - talib.SMA(volume, spike), talib.STDDEV(volume, spike), limit=8.0),
        "force_index_13": ratio(pushed, series.atr * talib.SMA(volume, force["mean"]), limit=5.0),
        "ease_of_movement_14": talib.SMA(ratio(moved * spread, traded, limit=20.0), ease["bars"]),
    }
    return {name: where_traded(series, column) for name, column in found.items()}


def votes(saved: Mapping[str, Floats], series: Series) -> dict[str, Votes]:
    """Textbook votes of the family, from its saved values."""
    p = PARAMETERS
    cast = {name: side(saved[name]) for name in ("chaikin_oscillator_3_10", "force_index_13", "ease_of_movement_14")}
    for name in ("obv_slope_20", "chaikin_money_flow_20"):
        cast[name] = outside(saved[name], low=-p[name]["level"], high=p[name]["level"])
    flow = p["money_flow_index_14"]
    cast["money_flow_index_14"] = -outside(saved["money_flow_index_14"], low=flow["low"], high=flow["high"])
    spike = saved["volume_zscore_20"] > p["volume_zscore_20"]["level"]
    cast["volume_zscore_20"] = np.where(spike, side(series.close - series.open), np.int8(0))
    return cast
