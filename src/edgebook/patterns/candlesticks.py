"""Candlesticks: TA-Lib's sixty-one, under their plain names.

TA-Lib dates each by its last bar, so none looks ahead. Two of them first announce a formation and confirm it up to
three bars later: hikkake and modified hikkake. Only the confirmation (±200) counts here. The seven of `PENETRATION`
ask how far a close must reach into an earlier body; they keep TA-Lib's default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# TA-Lib's function, by the name that a table shows.
CANDLESTICKS: dict[str, str] = {
    "abandoned_baby": "CDLABANDONEDBABY",
    "advance_block": "CDLADVANCEBLOCK",
    "belt_hold": "CDLBELTHOLD",
    "breakaway": "CDLBREAKAWAY",
    "closing_marubozu": "CDLCLOSINGMARUBOZU",
    "concealing_baby_swallow": "CDLCONCEALBABYSWALL",
    "counterattack": "CDLCOUNTERATTACK",
    "dark_cloud_cover": "CDLDARKCLOUDCOVER",
    "doji": "CDLDOJI",
    "doji_star": "CDLDOJISTAR",
    "dragonfly_doji": "CDLDRAGONFLYDOJI",
    "engulfing": "CDLENGULFING",
    "evening_doji_star": "CDLEVENINGDOJISTAR",
    "evening_star": "CDLEVENINGSTAR",
    "gap_side_by_side_white": "CDLGAPSIDESIDEWHITE",
    "gravestone_doji": "CDLGRAVESTONEDOJI",
    "hammer": "CDLHAMMER",
    "hanging_man": "CDLHANGINGMAN",
    "harami": "CDLHARAMI",
    "harami_cross": "CDLHARAMICROSS",
    "high_wave": "CDLHIGHWAVE",
    "hikkake": "CDLHIKKAKE",
    "hikkake_modified": "CDLHIKKAKEMOD",
    "homing_pigeon": "CDLHOMINGPIGEON",
    "identical_three_crows": "CDLIDENTICAL3CROWS",
    "in_neck": "CDLINNECK",
    "inverted_hammer": "CDLINVERTEDHAMMER",
    "kicking": "CDLKICKING",
    "kicking_by_length": "CDLKICKINGBYLENGTH",
    "ladder_bottom": "CDLLADDERBOTTOM",
    "long_legged_doji": "CDLLONGLEGGEDDOJI",
    "long_line": "CDLLONGLINE",
    "marubozu": "CDLMARUBOZU",
    "mat_hold": "CDLMATHOLD",
    "matching_low": "CDLMATCHINGLOW",
    "morning_doji_star": "CDLMORNINGDOJISTAR",
    "morning_star": "CDLMORNINGSTAR",
    "on_neck": "CDLONNECK",
    "piercing": "CDLPIERCING",
    "rickshaw_man": "CDLRICKSHAWMAN",
    "rise_fall_three_methods": "CDLRISEFALL3METHODS",
    "separating_lines": "CDLSEPARATINGLINES",
    "shooting_star": "CDLSHOOTINGSTAR",
    "short_line": "CDLSHORTLINE",
    "spinning_top": "CDLSPINNINGTOP",
    "stalled_pattern": "CDLSTALLEDPATTERN",
    "stick_sandwich": "CDLSTICKSANDWICH",
    "takuri": "CDLTAKURI",
    "tasuki_gap": "CDLTASUKIGAP",
    "three_black_crows": "CDL3BLACKCROWS",
    "three_inside": "CDL3INSIDE",
    "three_line_strike": "CDL3LINESTRIKE",
    "three_outside": "CDL3OUTSIDE",
    "three_stars_in_south": "CDL3STARSINSOUTH",
    "three_white_soldiers": "CDL3WHITESOLDIERS",
    "thrusting": "CDLTHRUSTING",
    "tristar": "CDLTRISTAR",
    "two_crows": "CDL2CROWS",
    "unique_three_river": "CDLUNIQUE3RIVER",
    "upside_gap_two_crows": "CDLUPSIDEGAP2CROWS",
    "xside_gap_three_methods": "CDLXSIDEGAP3METHODS",
}
PENETRATION = (
    "abandoned_baby",
    "dark_cloud_cover",
    "evening_doji_star",
    "evening_star",
    "mat_hold",
    "morning_doji_star",
    "morning_star",
)
CONFIRMED_LATER = ("hikkake", "hikkake_modified")
# One bar says it; the others need the bars before as well.
ONE_BAR = (
    "belt_hold",
    "closing_marubozu",
    "doji",
    "dragonfly_doji",
    "gravestone_doji",
    "hammer",
    "hanging_man",
    "high_wave",
    "inverted_hammer",
    "long_legged_doji",
    "long_line",
    "marubozu",
    "rickshaw_man",
    "shooting_star",
    "short_line",
    "spinning_top",
    "takuri",
)
# Names of indecision: TA-Lib's sign is the colour of the body or a constant, not a forecast.
UNDECIDED = ("doji", "high_wave", "long_legged_doji", "rickshaw_man", "short_line", "spinning_top")
# TA-Lib signs it +100 as it does every doji; the books read it as bearish (Nison 1991).
_TURNED = ("gravestone_doji",)


def find_candlesticks(bars: NDArray[np.float64]) -> dict[str, NDArray[np.int8]]:
    """Find the candlesticks of one series.

    Parameters
    ----------
    bars : ndarray, shape (4, n)
        Open, high, low, close of one pair and timeframe, oldest first.

    Returns
    -------
    dict of str to ndarray of int8, each of shape (n,)
        +1 bullish, -1 bearish, 0 not there; keyed by the names of `CANDLESTICKS`. Row t depends on bars up to t.
    """
    import talib

    directions = {}
    for name, function in CANDLESTICKS.items():
        strength = getattr(talib, function)(*bars)
        if name in CONFIRMED_LATER:
            strength = np.where(np.abs(strength) == 200, strength, 0)
        direction = np.sign(strength).astype(np.int8)
        directions[name] = -direction if name in _TURNED else direction
    return directions
