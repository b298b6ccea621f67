"""Rows of the catalogue, heads F to I: volume, patterns, the calendar and the rest of the market."""

from __future__ import annotations

from edgebook.indicators.indicator import Indicator

# fmt: off
VOLUME = (
    Indicator("obv_slope_20", "F", "Slope of on-balance volume", {"bars": 20, "level": 0.1},
              "Slope of the least-squares line through OBV, in mean volumes a bar",
              "+1 above `level`, -1 below -`level`", "Granville 1963"),
    Indicator("chaikin_money_flow_20", "F", "Chaikin money flow", {"bars": 20, "level": 0.1},
              "Volume weighted by the close's place in its bar, over volume, -1 to 1",
              "+1 above `level`, -1 below -`level`", "Chaikin 1982"),
    Indicator("money_flow_index_14", "F", "Money flow index", {"bars": 14, "low": 20, "high": 80},
              "RSI of typical price times volume, 0 to 100", "+1 below `low`, -1 above `high`",
              "Quong & Soudack 1989"),
    Indicator("chaikin_oscillator_3_10", "F", "Chaikin oscillator", {"fast": 3, "slow": 10, "mean": 20},
              "Fast less slow average of the accumulation line, in mean volumes", "+1 above 0, -1 below",
              "Chaikin 1982"),
    Indicator("volume_zscore_20", "F", "Volume spike", {"bars": 20, "level": 2},
              "Volume less its mean, in standard deviations", "Above `level`, the side of the bar's body",
              "Karpoff 1987"),
    Indicator("force_index_13", "F", "Force index", {"bars": 13, "mean": 20},
              "Average of change times volume, in ATR times mean volume", "+1 above 0, -1 below", "Elder 1993"),
    Indicator("ease_of_movement_14", "F", "Ease of movement", {"bars": 14, "mean": 20},
              "Mean of the middle's move times the range over the volume, in ATR and mean volumes",
              "+1 above 0, -1 below", "Arms 1996"),
)
_CHART = {"half_life": 24, "level": 0.5}
_CANDLES = {"half_life": 3, "level": 0.75}
_SCORE = "Bullish less bearish events up to this bar, decayed by their age in bars and added: "
_SCORE_VOTE = "+1 above `level`, -1 below -`level`"
FORMATIONS = (
    Indicator("reversal_score", "G", "Reversals", _CHART,
              _SCORE + "head and shoulders, double and triple tops and bottoms", _SCORE_VOTE, "Edwards & Magee 1948"),
    Indicator("triangle_score", "G", "Triangles", _CHART,
              _SCORE + "ascending, descending and symmetrical triangles", _SCORE_VOTE, "Edwards & Magee 1948"),
    Indicator("flag_score", "G", "Flags", _CHART,
              _SCORE + "trend continuation", _SCORE_VOTE, "Edwards & Magee 1948"),
    Indicator("range_break_score", "G", "Range breaks", _CHART,
              _SCORE + "breakouts and breakdowns", _SCORE_VOTE, "Bulkowski 2000"),
    Indicator("level_score", "G", "Bounces and rejections", _CHART,
              _SCORE + "support bounces and resistance rejections", _SCORE_VOTE, "Osler 2000"),
    Indicator("candle_score_one_bar", "G", "Candlesticks of one bar", _CANDLES,
              _SCORE + "hammer, marubozu and the like; names of indecision do not count", _SCORE_VOTE, "Nison 1991"),
    Indicator("candle_score_many_bars", "G", "Candlesticks of several bars", _CANDLES,
              _SCORE + "engulfing, stars and the like", _SCORE_VOTE, "Nison 1991"),
)
SEASONALITY = (
    Indicator("hilbert_lead", "H", "Lead of the cycle's sine", {"longest": 50},
              "Leading less plain sine of the dominant cycle's phase (Hilbert transform); 0 where no cycle of up to "
              "`longest` bars can be, as the price stands still",
              "+1 above 0, -1 below, in cycle mode only", "Ehlers 2001"),
    Indicator("dominant_cycle_period", "H", "Dominant cycle", {"shortest": 6, "longest": 50},
              "Period of the dominant cycle, in bars (Hilbert transform)",
              "In cycle mode, against the close's change over half a period; chosen", "Ehlers 2001"),
    Indicator("trend_mode", "H", "Trend or cycle", {},
              "1 in trend mode, 0 in cycle mode (Hilbert transform)",
              "In trend mode, the side of the close against the instantaneous trend line", "Ehlers 2001"),
    Indicator("hour_sine", "H", "Hour of day, sine", {"from_hour": 21, "to_hour": 23},
              "Sine of the UTC time of day at which the bar closes and the next one opens",
              "+1 from `from_hour` to before `to_hour` UTC on bars shorter than a day; chosen",
              "Vojtko & Javorská 2023"),
    Indicator("hour_cosine", "H", "Hour of day, cosine", {"from_hour": 3, "to_hour": 5},
              "Cosine of the same time of day",
              "-1 from `from_hour` to before `to_hour` UTC on bars shorter than a day; chosen",
              "Vojtko & Javorská 2023"),
    Indicator("weekday_sine", "H", "Day of week, sine", {"weekday": 0},
              "Sine of the UTC weekday of the bar (midnight ends the day before)", "-1 on Mondays", "French 1980"),
    Indicator("weekday_cosine", "H", "Day of week, cosine", {"weekday": 4},
              "Cosine of the same weekday", "+1 on Fridays", "Cross 1973"),
    Indicator("same_hour_return_20", "H", "Return of this hour", {"bars": 20, "least": 5, "level": 1.5},
              "Mean over standard error of the last returns of bars that opened at the time of day (on daily bars: the "
              "weekday) at which the next bar is due, by what came next the last time",
              "+1 above `level`, -1 below -`level`", "Heston, Korajczyk & Sadka 2010"),
)
CONTEXT = (
    Indicator("higher_timeframe_trend", "I", "Trend of the higher timeframe", {"bars": 20, "stretch": 4},
              "Close less EMA in ATR, at the last closed bar of the next higher timeframe; where there is none, of "
              "this one over `stretch` times the bars", "+1 above 0, -1 below", "Elder 1993 (triple screen)"),
    Indicator("higher_timeframe_rsi", "I", "RSI of the higher timeframe",
              {"bars": 14, "stretch": 4, "low": 40, "high": 60},
              "RSI at the last closed bar of the next higher timeframe; where there is none, of this one over "
              "`stretch` times the bars", "-1 below `low`, +1 above `high`", "Elder 1993; Brown 1999"),
    Indicator("leader_return_3", "I", "The leader's last move", {"bars": 3, "turnover": 240, "level": 0.5},
              "Change over the bars, in ATR times their root, of the other symbol with the largest turnover so far",
              "+1 above `level`, -1 below -`level`", "Lo & MacKinlay 1990"),
    Indicator("market_return_24", "I", "The market's move", {"bars": 24, "level": 0.5},
              "Mean over the other symbols of the change over the bars, in ATR times their root",
              "+1 above `level`, -1 below -`level`", "Gao, Han, Li & Zhou 2018"),
    Indicator("breadth_50", "I", "Breadth", {"bars": 50, "level": 0.5},
              "Share of symbols above their EMA, from -1 (none) to 1 (all)", "+1 above `level`, -1 below -`level`",
              "Zweig 1986"),
    Indicator("relative_strength_rank_48", "I", "Relative strength", {"bars": 48, "level": 0.5},
              "Rank among the symbols by change over the bars in ATR, from -1 (weakest) to 1 (strongest)",
              "+1 above `level`, -1 below -`level`", "Levy 1967; Jegadeesh & Titman 1993"),
    Indicator("beta_residual_48", "I", "Move that the market does not explain",
              {"bars": 48, "window": 96, "level": 1.25},
              "Sum over the bars of return less beta times the other symbols' mean return, in its standard deviations",
              "-1 above `level`, +1 below -`level`", "Avellaneda & Lee 2010"),
    Indicator("market_correlation_48", "I", "Correlation with the market", {"bars": 48, "level": 0.7},
              "Correlation of returns with the other symbols' mean return, -1 to 1",
              "Above `level`, the side of the market's move", "Pollet & Wilson 2010"),
)
