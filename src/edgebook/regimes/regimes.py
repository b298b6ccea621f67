"""The regime of every bar: a rule on trend and volatility, with hysteresis, that looks at the past alone.

Two numbers describe a bar: how far the price has come over the last bars in units of its own noise (`trend_z`), and
where its volatility stands among its own recent past (`volatility_quantile`). High volatility is `volatile`; of the
rest a strong trend is `trending_bullish` or `trending_bearish`; all else, the warm-up too, is `ranging`. Each label is
harder to enter than to keep, and is kept for a least number of bars, so that it does not flicker.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.errors import DataError, SettingsError
from edgebook.regimes.regimes_kernels import (
    BEARISH,
    BULLISH,
    RANGING,
    REGIMES,
    VOLATILE,
    labels_from,
    root_mean_squares,
    trailing_ranks,
    trend_scores,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BEARISH", "BULLISH", "RANGING", "REGIMES", "VOLATILE", "label_regimes", "segment"]


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
    starts, close = group_starts(bars), positive_closes(bars)

    trend_z = np.full(len(bars), np.nan)
    quantile = np.full(len(bars), np.nan)
    label = np.full(len(bars), RANGING, dtype=np.int8)
    for first, stop in pairwise(starts):
        returns = np.round(np.diff(np.log(close[first:stop]), prepend=np.nan), 10)
        trend_z[first:stop] = np.round(trend_scores(returns, trend_bars), 5)
        volatility = np.round(root_mean_squares(returns, volatility_bars), 10)
        quantile[first:stop] = np.round(trailing_ranks(volatility, volatility_window_bars), 5)
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
    codes: NDArray[np.int8] = labels_from(
        trend_z,
        volatility_quantile,
        trend_z_enter,
        trend_z_exit,
        volatility_enter,
        volatility_exit,
        min_bars,
        (0, 0, RANGING, min_bars),  # the warm-up may end at any bar
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


def positive_closes(bars: pd.DataFrame) -> NDArray[np.float64]:
    """Closes as they are.

    Raises
    ------
    DataError
        A close is not positive and finite.
    """
    close = bars["close"].to_numpy(np.float64)
    bad = ~(np.isfinite(close) & (close > 0))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(f"bars: row {row}: close {close[row]} is not a positive number; correct or drop the row")
    return close


def group_starts(bars: pd.DataFrame) -> NDArray[np.int64]:
    """First row of each pair and timeframe, and the number of rows.

    Raises
    ------
    DataError
        The bars are not sorted by pair, timeframe, date.
    """
    codes = bars["pair"].astype("str").str.cat(bars["timeframe"].astype("str"), sep="\x00")
    first = codes.ne(codes.shift()).to_numpy(dtype=bool)
    backwards = ~(bars["date"].diff() > pd.Timedelta(0)).to_numpy(dtype=bool) & ~first
    if codes[first].duplicated().any() or backwards.any():
        row = int(np.flatnonzero(backwards)[0]) if backwards.any() else int(np.flatnonzero(first)[-1])
        raise DataError(f"bars: row {row}: rows are not sorted by pair, timeframe, date; sort them first")
    return np.append(np.flatnonzero(first), len(bars)).astype(np.int64)
