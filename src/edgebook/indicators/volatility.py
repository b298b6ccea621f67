"""Values and votes of head D, Volatility."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import talib

from edgebook.indicators.catalogue import PARAMETERS
from edgebook.indicators.series import Series, before, change, outside, ratio, side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.indicators.series import Floats, Votes

_SQUEEZE_MEMORY = 5


def values(series: Series) -> dict[str, Floats]:
    """Compute the values of the family at every bar, keyed by indicator."""
    high, low, close = series.high, series.low, series.close
    p = PARAMETERS
    percent = np.clip(talib.NATR(high, low, close, p["atr_percent_14"]["bars"]), 0.0, 100.0)
    expansion = p["atr_ratio_7_28"]
    width = p["bollinger_width_20"]
    bandwidth = ratio(talib.STDDEV(close, width["bars"]), talib.SMA(close, width["bars"]), limit=10.0)
    squeeze = p["keltner_squeeze_20"]
    bollinger = squeeze["deviations"] * talib.STDDEV(close, squeeze["bars"])
    keltner = squeeze["ranges"] * talib.ATR(high, low, close, squeeze["bars"])
    unrest = p["volatility_of_volatility_20"]["bars"]
    returns = change(np.log(close), bars=1)
    squared = returns * returns
    share = p["downside_share_20"]["bars"]
    falls = talib.SUM(np.where(returns > 0.0, 0.0, squared), share)
    return {
        "atr_percent_14": percent,
        "atr_ratio_7_28": ratio(
            talib.ATR(high, low, close, expansion["fast"]), talib.ATR(high, low, close, expansion["slow"]), limit=5.0
        ),
        "bollinger_width_20": ratio(bandwidth, talib.SMA(bandwidth, width["mean"]), limit=10.0),
        "keltner_squeeze_20": ratio(bollinger, keltner, limit=5.0),
        "garman_klass_ratio_20": _range_to_closes(series, returns),
        "volatility_of_volatility_20": ratio(talib.STDDEV(percent, unrest), talib.SMA(percent, unrest), limit=5.0),
        "downside_share_20": np.clip(ratio(falls, talib.SUM(squared, share), limit=1.0, empty=0.5), 0.0, 1.0),
    }


def votes(saved: Mapping[str, Floats], series: Series) -> dict[str, Votes]:
    """Textbook votes of the family: volatility says when, the last move says which way."""
    p = PARAMETERS
    percent, calm = saved["atr_percent_14"], p["atr_percent_14"]
    usual = talib.SMA(percent, calm["mean"])
    cast = {"atr_percent_14": (percent < calm["calm"] * usual).astype(np.int8) - (percent > calm["wild"] * usual)}
    expansion = p["atr_ratio_7_28"]
    cast["atr_ratio_7_28"] = _with_move(
        series, saved["atr_ratio_7_28"] > expansion["level"], bars=int(expansion["fast"])
    )
    width = p["bollinger_width_20"]
    cast["bollinger_width_20"] = _with_move(
        series, saved["bollinger_width_20"] > width["level"], bars=int(width["bars"])
    )
    cast["keltner_squeeze_20"] = _after_squeeze(saved["keltner_squeeze_20"], series)
    spread = p["garman_klass_ratio_20"]
    band = outside(saved["garman_klass_ratio_20"], low=spread["low"], high=spread["high"])
    cast["garman_klass_ratio_20"] = -band * side(change(series.close, bars=int(spread["bars"])))
    restless = saved["volatility_of_volatility_20"] > p["volatility_of_volatility_20"]["level"]
    cast["volatility_of_volatility_20"] = -restless.astype(np.int8)
    share = p["downside_share_20"]
    cast["downside_share_20"] = outside(saved["downside_share_20"], low=share["low"], high=share["high"])
    return cast


def _range_to_closes(series: Series, returns: Floats) -> Floats:
    """Garman-Klass volatility over close-to-close volatility."""
    bars = PARAMETERS["garman_klass_ratio_20"]["bars"]
    spread = np.log(series.high / series.low)
    body = np.log(series.close / series.open)
    variance = np.maximum(0.5 * spread**2 - (2.0 * np.log(2.0) - 1.0) * body**2, 0.0)
    # A running sum may end a hair below zero once the price has come to rest.
    usual = np.maximum(talib.SMA(variance, bars), 0.0)
    return ratio(np.sqrt(usual), talib.STDDEV(returns, bars), limit=5.0)


def _with_move(series: Series, when: np.ndarray[tuple[int], np.dtype[np.bool_]], *, bars: int) -> Votes:
    """Side of the close's change over `bars` bars where `when` holds, else 0."""
    return np.where(when, side(change(series.close, bars=bars)), np.int8(0))


def _after_squeeze(width: Floats, series: Series) -> Votes:
    """Side of the close against its average at the first bars after a squeeze ended."""
    released = ((width > 1.0) & (before(width) <= 1.0)).astype(np.float64)
    recent = talib.MAX(released, _SQUEEZE_MEMORY) > 0.0
    average = talib.SMA(series.close, PARAMETERS["keltner_squeeze_20"]["bars"])
    return np.where(recent & (width > 1.0), side(series.close - average), np.int8(0))
