"""Values and votes of head B, Mean Reversion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import talib

from edgebook.indicators.catalogue import PARAMETERS
from edgebook.indicators.series import Series, outside, paced, ratio, relative_strength, where_still, without_range

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.indicators.series import Floats, Votes


def values(series: Series) -> dict[str, Floats]:
    """Compute the values of the family at every bar, keyed by indicator."""
    high, low, close = series.high, series.low, series.close
    p = PARAMETERS
    slow = p["stochastic_k_14_3"]
    band = p["bollinger_percent_b_20"]
    upper, _, lower = talib.BBANDS(close, band["bars"], band["deviations"], band["deviations"])
    z = p["zscore_50"]["bars"]
    williams = p["williams_r_14"]["bars"]
    return {
        "rsi_14": relative_strength(series, bars=p["rsi_14"]["bars"]),
        "rsi_2": relative_strength(series, bars=p["rsi_2"]["bars"]),
        "stochastic_k_14_3": where_still(
            without_range(series, bars=slow["bars"]),
            talib.STOCH(high, low, close, slow["bars"], slow["slowing"])[0],
            neutral=50.0,
        ),
        "bollinger_percent_b_20": ratio(close - lower, upper - lower, limit=3.0, empty=0.5),
        "cci_20": np.clip(talib.CCI(high, low, close, p["cci_20"]["bars"]), -500.0, 500.0),
        "williams_r_14": where_still(
            without_range(series, bars=williams), talib.WILLR(high, low, close, williams), neutral=-50.0
        ),
        "zscore_50": ratio(close - talib.SMA(close, z), talib.STDDEV(close, z), limit=8.0),
        "return_reversal_5": paced(series, bars=int(p["return_reversal_5"]["bars"])),
    }


def votes(saved: Mapping[str, Floats], series: Series) -> dict[str, Votes]:
    """Textbook votes of the family, from its saved values: buy what is low, sell what is high."""
    names = (
        "rsi_14",
        "rsi_2",
        "stochastic_k_14_3",
        "bollinger_percent_b_20",
        "cci_20",
        "williams_r_14",
        "zscore_50",
        "return_reversal_5",
    )
    p = PARAMETERS
    return {name: -outside(saved[name], low=p[name]["low"], high=p[name]["high"]) for name in names}
