"""Values and votes of head I, Market Context: the higher timeframe, and the other symbols at the same close."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import talib

from edgebook.indicators.catalogue import PARAMETERS
from edgebook.indicators.market import Market, of_leader, of_others, rank_among
from edgebook.indicators.series import Series, change, outside, paced, ratio, relative_strength, side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.indicators.series import Floats, Votes

_ATR_LIMIT = 10.0
_STALE_BARS = 3


def values(series: Sequence[Series], pairs: Sequence[str]) -> list[dict[str, Floats]]:
    """Compute the values of the family for all series at once.

    Parameters
    ----------
    series : sequence of Series
        Every pair and timeframe of the market.
    pairs : sequence of str
        Pair of each.

    Returns
    -------
    list of dict
        For each series, values at its bars, keyed by indicator.

    Notes
    -----
    Only what had closed by a bar's own close is joined to it: the last higher-timeframe bar closed by then, and bars
    of other symbols with the same close time. A symbol that has no bar then is left out of the market for that bar;
    a symbol that is alone has a market that does not move.
    """
    found: list[dict[str, Floats]] = [{} for _ in series]
    for minutes in sorted({one.minutes for one in series}):
        members = [k for k, one in enumerate(series) if one.minutes == minutes]
        for k, market in zip(members, _among([series[k] for k in members]), strict=True):
            found[k] = market
    own: dict[str, list[Series]] = {}
    for pair, one in zip(pairs, series, strict=True):
        own.setdefault(pair, []).append(one)
    for k, one in enumerate(series):
        higher = sorted((other for other in own[pairs[k]] if other.minutes > one.minutes), key=lambda o: o.minutes)
        found[k] |= _higher_timeframe(one, higher)
    return found


def votes(saved: Mapping[str, Floats], series: Series) -> dict[str, Votes]:
    """Textbook votes of the family, from its saved values."""
    p = PARAMETERS
    names = ("leader_return_3", "market_return_24", "breadth_50", "relative_strength_rank_48", "beta_residual_48")
    cast = {name: outside(saved[name], low=-p[name]["level"], high=p[name]["level"]) for name in names}
    cast["beta_residual_48"] = -cast["beta_residual_48"]
    cast["higher_timeframe_trend"] = side(saved["higher_timeframe_trend"])
    strength = p["higher_timeframe_rsi"]
    cast["higher_timeframe_rsi"] = outside(saved["higher_timeframe_rsi"], low=strength["low"], high=strength["high"])
    bound = saved["market_correlation_48"] > p["market_correlation_48"]["level"]
    cast["market_correlation_48"] = np.where(bound, side(saved["market_return_24"]), np.int8(0))
    return cast


def _higher_timeframe(series: Series, higher: Sequence[Series]) -> dict[str, Floats]:
    """Trend and RSI of the next higher timeframe, by the last bar that had closed; else of longer lengths here."""
    trend, strength = PARAMETERS["higher_timeframe_trend"], PARAMETERS["higher_timeframe_rsi"]
    # From the last resort to the first choice, each laid over the one before where it is known.
    found = {
        "higher_timeframe_trend": _trend(series, int(trend["bars"] * trend["stretch"]), int(14 * trend["stretch"])),
        "higher_timeframe_rsi": relative_strength(series, bars=int(strength["bars"] * strength["stretch"])),
    }
    for other in reversed(higher):
        last = np.searchsorted(other.closed_ms, series.closed_ms, side="right") - 1
        fresh = (last >= 0) & (
            series.closed_ms - other.closed_ms[np.maximum(last, 0)] <= _STALE_BARS * other.minutes * 60_000
        )
        for name, theirs in (
            ("higher_timeframe_trend", _trend(other, int(trend["bars"]), 14)),
            ("higher_timeframe_rsi", relative_strength(other, bars=strength["bars"])),
        ):
            joined = np.where(fresh, theirs[np.maximum(last, 0)], np.nan)
            found[name] = np.where(np.isnan(joined), found[name], joined)
    return found


def _trend(series: Series, bars: int, atr_bars: int) -> Floats:
    """Close less its EMA, in ATR."""
    atr = talib.ATR(series.high, series.low, series.close, atr_bars)
    return ratio(series.close - talib.EMA(series.close, bars), atr, limit=_ATR_LIMIT)


def _among(series: Sequence[Series]) -> list[dict[str, Floats]]:
    """Compare the series of one timeframe at each close."""
    p = PARAMETERS
    market = Market.of(series)
    breadth = p["breadth_50"]["bars"]
    lead, rank = p["leader_return_3"], p["relative_strength_rank_48"]
    turnover = market.spread([talib.EMA(one.turnover, lead["turnover"]) for one in series])
    leader = of_leader(market.spread([paced(one, bars=int(lead["bars"])) for one in series]), turnover)
    moves = of_others(market.spread([paced(one, bars=int(p["market_return_24"]["bars"])) for one in series]))
    above = [_above(one, breadth) for one in series]
    share = np.nan_to_num(_mean(market.spread(above)))
    ranks = rank_among(market.spread([paced(one, bars=int(rank["bars"])) for one in series]))
    returns = [change(np.log(one.close), bars=1) for one in series]
    others = of_others(market.spread(returns))
    found = []
    for k in range(len(series)):
        rows = market.rows[k]
        residual, correlation = _against_market(returns[k], others[rows, k])
        warm = ~np.isnan(above[k])
        found.append(
            {
                "leader_return_3": leader[rows, k],
                "market_return_24": moves[rows, k],
                "breadth_50": np.where(warm, share[rows], np.nan),
                "relative_strength_rank_48": ranks[rows, k],
                "beta_residual_48": residual,
                "market_correlation_48": correlation,
            }
        )
    return found


def _above(series: Series, bars: float) -> Floats:
    """+1 above the EMA, -1 below, NaN while it warms up."""
    above: Floats = np.sign(series.close - talib.EMA(series.close, bars))
    return above


def _mean(table: Floats) -> Floats:
    """Mean of each row's known values, NaN where there are none."""
    known = ~np.isnan(table)
    count = known.sum(axis=1)
    total = np.where(known, table, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _against_market(returns: Floats, market: Floats) -> tuple[Floats, Floats]:
    """Standardised sum of what the market does not explain, and correlation with it."""
    residual, bound = PARAMETERS["beta_residual_48"], PARAMETERS["market_correlation_48"]
    window, bars = residual["window"], residual["bars"]
    # A first return is not known; it starts both at once.
    own, theirs = returns, np.where(np.isnan(returns), np.nan, np.nan_to_num(market))
    mean_own, mean_theirs = talib.SMA(own, window), talib.SMA(theirs, window)
    covariance = talib.SMA(own * theirs, window) - mean_own * mean_theirs
    beta = ratio(covariance, talib.VAR(theirs, window), limit=5.0)
    unexplained = own - beta * theirs
    spread = talib.STDDEV(unexplained, window) * float(np.sqrt(bars))
    return ratio(talib.SUM(unexplained, bars), spread, limit=8.0), np.clip(
        talib.CORREL(own, theirs, bound["bars"]), -1.0, 1.0
    )
