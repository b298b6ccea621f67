"""The regime of every bar: a rule on trend and volatility, with hysteresis, that looks at the past alone.

Two numbers describe a bar: how far the price has come over the last bars in units of its own noise (`trend_z`), and
where its volatility stands among its own recent past (`volatility_quantile`). High volatility is `volatile`; of the
rest a strong trend is `trending_bullish` or `trending_bearish`; all else, the warm-up too, is `ranging`. Each label is
harder to enter than to keep, and is kept for a least number of bars, so that it does not flicker.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numba import njit

from edgebook.errors import DataError, SettingsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

REGIMES: Final = ("trending_bullish", "trending_bearish", "ranging", "volatile")
BULLISH: Final = 0
BEARISH: Final = 1
RANGING: Final = 2
VOLATILE: Final = 3


def segment(
    bars: pd.DataFrame,
    *,
    trend_bars: int,
    trend_z_enter: float,
    trend_z_exit: float,
    volatility_bars: int,
    volatility_window_bars: int,
    volatility_enter: float,
    volatility_exit: float,
    min_bars: int,
) -> pd.DataFrame:
    """Label every bar with its regime, from bars up to and including it.

    Parameters
    ----------
    bars : DataFrame
        Columns pair, timeframe, date (UTC close time) and close; sorted by pair, timeframe, date.
    trend_bars : int
        Length in bars of the move that is judged, at least 2.
    trend_z_enter, trend_z_exit : float
        A trend begins when its z-score reaches the first and ends when it falls below the second; 0 <= exit <= enter.
    volatility_bars : int
        Length in bars over which volatility (root mean square log return) is measured, at least 2.
    volatility_window_bars : int
        Length in bars of the past among which the volatility is ranked; a quarter of it is the warm-up.
    volatility_enter, volatility_exit : float
        `volatile` begins when the quantile reaches the first and ends when it falls below the second; both in 0..1.
    min_bars : int
        A label stays for at least so many bars, at least 1.

    Returns
    -------
    DataFrame
        Row-aligned with `bars`: pair, timeframe, date, regime (one of `REGIMES`), trend_z and volatility_quantile
        (float32, missing while they warm up; a bar with a missing number is labelled as if it were 0).

    Raises
    ------
    DataError
        The bars are not sorted, or a close is not positive and finite.
    SettingsError
        A length or a bound is impossible.

    Notes
    -----
    With log returns r, ``trend_z = sum(r) / sqrt(sum(r²))`` over the last `trend_bars`: about standard normal for a
    driftless walk, whatever its scale, and never above ``sqrt(trend_bars)``. Volatility is compared with its own recent
    past by mid-rank, so that a market which is always wild is not always `volatile`. Sums run afresh over each window
    and are rounded before they are compared, so that a longer history, a split of it or another processor gives the
    same labels. Hysteresis and the least stay are recursions from the first bar. Agrees with a plain loop, and with the
    truth of a simulated switching market (tests/test_regimes.py).

    Examples
    --------
    >>> close = 100 * 1.01 ** np.r_[np.zeros(8), np.arange(8)]
    >>> bars = pd.DataFrame({"pair": "UP", "timeframe": "1h", "close": close,
    ...     "date": pd.date_range("2019-01-07", periods=16, freq="h", tz="UTC")})
    >>> segment(bars, trend_bars=4, trend_z_enter=1.5, trend_z_exit=0.5, volatility_bars=2, volatility_window_bars=64,
    ...     volatility_enter=0.9, volatility_exit=0.8, min_bars=1)["regime"].tolist()[8:12]
    ['ranging', 'ranging', 'ranging', 'trending_bullish']
    """
    _check_settings(
        lengths={"trend_bars": trend_bars, "volatility_bars": volatility_bars}
        | {"volatility_window_bars": volatility_window_bars, "min_bars": min_bars},
        bounds={"trend_z": (trend_z_enter, trend_z_exit), "volatility": (volatility_enter, volatility_exit)},
    )
    starts = _group_starts(bars)
    close = bars["close"].to_numpy(np.float64)
    bad = ~(np.isfinite(close) & (close > 0))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(f"bars: row {row}: close {close[row]} is not a positive number; correct or drop the row")

    trend_z = np.full(len(bars), np.nan)
    quantile = np.full(len(bars), np.nan)
    label = np.full(len(bars), RANGING, dtype=np.int8)
    for first, stop in pairwise(starts):
        returns = np.round(np.diff(np.log(close[first:stop]), prepend=np.nan), 10)
        trend_z[first:stop] = np.round(_trend_z(returns, trend_bars), 5)
        volatility = np.round(_volatility(returns, volatility_bars), 10)
        quantile[first:stop] = np.round(_trailing_quantile(volatility, volatility_window_bars), 5)
        label[first:stop] = label_regimes(
            trend_z[first:stop],
            quantile[first:stop],
            trend_z_enter=trend_z_enter,
            trend_z_exit=trend_z_exit,
            volatility_enter=volatility_enter,
            volatility_exit=volatility_exit,
            min_bars=min_bars,
        )
    return pd.DataFrame(
        {
            "pair": bars["pair"].to_numpy(),
            "timeframe": bars["timeframe"].to_numpy(),
            "date": bars["date"].array,
            "regime": np.array(REGIMES, dtype=object)[label],
            "trend_z": trend_z.astype(np.float32),
            "volatility_quantile": quantile.astype(np.float32),
        }
    ).astype({"pair": "str", "timeframe": "str", "regime": "str"})


def label_regimes(
    trend_z: NDArray[np.float64],
    volatility_quantile: NDArray[np.float64],
    *,
    trend_z_enter: float,
    trend_z_exit: float,
    volatility_enter: float,
    volatility_exit: float,
    min_bars: int,
) -> NDArray[np.int8]:
    """Labels of one series from its two numbers; arguments as in `segment`.

    Parameters
    ----------
    trend_z, volatility_quantile : ndarray, shape (n,)
        In time order; a missing number counts as 0.

    Returns
    -------
    ndarray of int8, shape (n,)
        Positions in `REGIMES`.
    """
    codes: NDArray[np.int8] = _label(
        trend_z, volatility_quantile, trend_z_enter, trend_z_exit, volatility_enter, volatility_exit, min_bars
    )
    return codes


def _check_settings(*, lengths: dict[str, int], bounds: dict[str, tuple[float, float]]) -> None:
    """Refuse lengths and bounds that cannot be."""
    for name, bars in lengths.items():
        least = 1 if name == "min_bars" else 2
        if bars < least:
            raise SettingsError(f"regimes.{name}: {bars} is below {least}; give a number of bars of at least {least}")
    for name, (enter, leave) in bounds.items():
        if not 0 <= leave <= enter:
            raise SettingsError(
                f"regimes.{name}_exit: {leave} must lie between 0 and {name}_enter ({enter}); lower the exit"
            )
    if bounds["volatility"][0] > 1:
        raise SettingsError(f"regimes.volatility_enter: {bounds['volatility'][0]} is a quantile; give at most 1")


def _group_starts(bars: pd.DataFrame) -> NDArray[np.int64]:
    """First row of each pair and timeframe, and the number of rows; the bars must be sorted."""
    codes = bars["pair"].astype("str").str.cat(bars["timeframe"].astype("str"), sep="\x00")
    first = codes.ne(codes.shift()).to_numpy(dtype=bool)
    backwards = ~(bars["date"].diff() > pd.Timedelta(0)).to_numpy(dtype=bool) & ~first
    if codes[first].duplicated().any() or backwards.any():
        row = int(np.flatnonzero(backwards)[0]) if backwards.any() else int(np.flatnonzero(first)[-1])
        raise DataError(f"bars: row {row}: rows are not sorted by pair, timeframe, date; sort them first")
    return np.append(np.flatnonzero(first), len(bars)).astype(np.int64)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _trend_z(returns: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Sum of the last returns over the root of their sum of squares; 0 where the price stood still."""
    z = np.full(returns.size, np.nan)
    for t in range(window, returns.size):
        total = 0.0
        squares = 0.0
        for s in range(t - window + 1, t + 1):
            total += returns[s]
            squares += returns[s] * returns[s]
        z[t] = total / math.sqrt(squares) if squares > 0 else 0.0
    return z


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _volatility(returns: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Root mean square of the last returns."""
    volatility = np.full(returns.size, np.nan)
    for t in range(window, returns.size):
        squares = 0.0
        for s in range(t - window + 1, t + 1):
            squares += returns[s] * returns[s]
        volatility[t] = math.sqrt(squares / window)
    return volatility


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _trailing_quantile(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Mid-rank of each value among the last `window` values, itself included; missing for the first quarter."""
    quantile = np.full(values.size, np.nan)
    known = 0  # values are missing at the start only
    for t in range(values.size):
        if math.isnan(values[t]):
            continue
        known += 1
        if 4 * known < window:
            continue
        depth = min(known, window)
        below = 0
        equal = 0
        for s in range(t - depth + 1, t + 1):
            below += values[s] < values[t]
            equal += values[s] == values[t]
        quantile[t] = (below + 0.5 * equal) / depth
    return quantile


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _label(
    trend_z: NDArray[np.float64],
    quantile: NDArray[np.float64],
    trend_enter: float,
    trend_exit: float,
    volatility_enter: float,
    volatility_exit: float,
    min_bars: int,
) -> NDArray[np.int8]:
    """Regime codes: two Schmitt triggers, volatility before trend, then the least stay."""
    label = np.empty(trend_z.size, dtype=np.int8)
    trend = 0
    wild = False
    held = RANGING
    age = min_bars  # the warm-up may end at any bar
    for t in range(trend_z.size):
        z = 0.0 if math.isnan(trend_z[t]) else trend_z[t]
        q = 0.0 if math.isnan(quantile[t]) else quantile[t]
        if z * trend < trend_exit:
            trend = 0
        if z >= trend_enter:
            trend = 1
        elif z <= -trend_enter:
            trend = -1
        wild = q >= volatility_enter or (wild and q >= volatility_exit)
        wanted = VOLATILE if wild else (BULLISH if trend > 0 else (BEARISH if trend < 0 else RANGING))
        if wanted != held and age >= min_bars:
            held = wanted
            age = 0
        age += 1
        label[t] = held
    return label
