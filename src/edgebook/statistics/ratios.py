"""Mean over deviation, with its 95 % interval: the ratios of Sharpe, Sortino and Van Tharp (SQN)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.statistics import intervals
from edgebook.statistics.intervals import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray


def ratio_influence(values: NDArray[np.float64], *, target: float | None = None) -> tuple[float, NDArray[np.float64]]:
    """Mean over deviation with its influence values: Sharpe's ratio, SQN / √n, or Sortino's ratio.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Returns or R multiples.
    target : float, optional
        When given, the deviation is the root mean square of what falls short of it (Sortino), and the mean is over it;
        when not, it is the standard deviation with n - 1.

    Returns
    -------
    tuple
        The ratio (NaN when the deviation is 0 or n < 2) and its influence values, shape (n,).

    Notes
    -----
    For ``S = m/d``, ``d^2 = mean(u)``: influence = ``(x - mean)/d - S/2 (u/d^2 - 1)``. Its plain variance is that of
    Mertens (2002): ``1 + S^2/2 - S skew + S^2 (kurtosis - 3)/4``.

    References
    ----------
    Lo (2002), Financial Analysts Journal 58, 36-52; Mertens (2002), working paper, University of Basel.
    """
    nothing = np.full(values.size, np.nan)
    if values.size < 2:
        return np.nan, nothing
    centred = values - np.mean(values)
    if target is None:
        squares, scale, mean = centred**2, values.size / (values.size - 1), float(np.mean(values))
    else:
        squares, scale, mean = np.minimum(values - target, 0.0) ** 2, 1.0, float(np.mean(values)) - target
    deviation = float(np.sqrt(np.mean(squares) * scale))
    if not deviation > 1e-12:
        return np.nan, nothing
    ratio = mean / deviation
    return ratio, centred / deviation - ratio / 2 * (squares / np.mean(squares) - 1)


def daily_ratio_interval(
    returns: NDArray[np.float64], *, periods_per_year: float, target: float | None = None
) -> Interval:
    """Annualised Sharpe (or Sortino) ratio of daily returns with its interval.

    Parameters
    ----------
    returns : ndarray, shape (days,)
        Net daily returns of the book, in order of time, no day left out.
    periods_per_year : float
        Trading days a year of the market: the ratio is multiplied by its root.
    target : float, optional
        Daily return that Sortino's ratio measures from; none gives Sharpe's ratio.

    Returns
    -------
    Interval
        NaN when returns do not vary or there are fewer than two.

    Notes
    -----
    Lo's (2002) general case: influence values with Newey and West's (1987) variance at
    ``floor(4 (T/100)^(2/9))`` lags, never below the variance without lags (Mertens 2002), Student's t on T - 1.
    Coverage by simulation in tests/test_intervals.py.

    References
    ----------
    Lo (2002), Financial Analysts Journal 58; Newey and West (1987), Econometrica 55.
    """
    ratio, influence = ratio_influence(returns, target=target)
    if np.isnan(ratio):
        return Interval(value=np.nan, low=np.nan, high=np.nan, n=int(returns.size), n_effective=np.nan)
    days = returns.size
    lags = min(int(4 * (days / 100) ** (2 / 9)), days - 1)
    plain = float(np.sum(influence**2))
    shared = sum(2 * (1 - k / (lags + 1)) * float(np.sum(influence[k:] * influence[:-k])) for k in range(1, lags + 1))
    spread = max(plain, plain + shared)
    variance = spread / (days * (days - 1))
    half = intervals.student(days - 1) * np.sqrt(variance)
    year = np.sqrt(periods_per_year)
    return Interval(
        value=float(ratio * year),
        low=float((ratio - half) * year),
        high=float((ratio + half) * year),
        n=int(days),
        n_effective=float(days * plain / spread) if spread > 0 else float(days),
    )
