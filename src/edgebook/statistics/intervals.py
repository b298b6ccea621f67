"""95 % intervals for rates, means and ratios of trades that overlap in time.

Trades of one week share the market of that week: ten longs open through one crash are one piece of evidence, not ten.
Every interval here therefore counts *clusters* (weeks from Monday 00:00 UTC, or days when there are few weeks), adds
half of what neighbouring clusters share (a trade may run over Sunday night), and uses Student's t on the number of
clusters less one, busy and quiet weeks weighed. An estimate enters by its *influence values*: what each trade adds to
the estimate's error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

LEVEL = 0.95
MIN_WEEKS = 8
MOST_FOLD = 100.0
"""A ratio whose interval reaches further than this many times the estimate is not bounded by its trades at all."""
_Z = float(stats.norm.ppf(0.5 + LEVEL / 2))
_WEEK_DAYS = 7
_FIRST_MONDAY_DAY = 4  # 1970-01-05, in days since 1970-01-01


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval; NaN where undefined.

    Parameters
    ----------
    value, low, high : float
        In the unit of the estimate.
    n : int
        Observations (trades or days) behind it.
    n_effective : float
        How many independent observations they are worth; never above `n`.
    """

    value: float
    low: float
    high: float
    n: int
    n_effective: float


UNDEFINED = Interval(value=np.nan, low=np.nan, high=np.nan, n=0, n_effective=0.0)


def days_since_epoch(dates: pd.Series) -> NDArray[np.int64]:
    """Return the UTC day of each date, counted from 1970-01-01, shape (n,)."""
    return dates.to_numpy(dtype="datetime64[ns]").astype("datetime64[D]").astype(np.int64)


def weeks_since_epoch(dates: pd.Series) -> NDArray[np.int64]:
    """Return the ISO week of each date (Monday 00:00 UTC to the next), counted from 1970-01-05, shape (n,)."""
    return (days_since_epoch(dates) - _FIRST_MONDAY_DAY) // _WEEK_DAYS


def clusters_of(dates: pd.Series) -> NDArray[np.int64]:
    """Cluster of each trade: its week of entry, or its day when the trades lie in fewer than 8 weeks.

    Parameters
    ----------
    dates : Series of datetime64, UTC
        Entries of the trades, any order, none missing.

    Returns
    -------
    ndarray of int64, shape (n,)
        Numbers that differ by one for neighbouring weeks (days).
    """
    weeks = weeks_since_epoch(dates)
    return weeks if np.unique(weeks).size >= MIN_WEEKS else days_since_epoch(dates)


def wilson(rate: float, *, n: float) -> tuple[float, float]:
    """Wilson's 95 % score interval of a rate.

    Parameters
    ----------
    rate : float
        Observed share, in [0, 1].
    n : float
        Observations it rests on; an effective number need not be whole.

    Returns
    -------
    tuple of float
        Low and high, in [0, 1]; NaN when `n` is not above 0.

    Notes
    -----
    Agrees with ``statsmodels.stats.proportion.proportion_confint(method="wilson")`` (tests/test_intervals.py).

    References
    ----------
    Wilson (1927), Journal of the American Statistical Association 22, 209-212.

    Examples
    --------
    >>> [round(edge, 3) for edge in wilson(0.6, n=10)]
    [0.313, 0.832]
    """
    if not n > 0:
        return np.nan, np.nan
    weight = _Z**2 / n
    centre = (rate + weight / 2) / (1 + weight)
    half = np.sqrt(weight * (rate * (1 - rate) + weight / 4)) / (1 + weight)
    return float(max(0.0, centre - half)), float(min(1.0, centre + half))


def clustered_error(influence: NDArray[np.float64], *, clusters: NDArray[np.int64]) -> tuple[float, float]:
    """Cluster-robust standard error of an estimate, and the degrees of freedom it has.

    Parameters
    ----------
    influence : ndarray, shape (n,)
        Influence value of each trade, mean 0: the estimate's error is about their mean.
    clusters : ndarray of int, shape (n,)
        As `clusters_of` gives them.

    Returns
    -------
    tuple
        Standard error (NaN with fewer than two clusters) and degrees of freedom: the number of clusters of equal size
        that would weigh as much, ``n^2 / sum n_g^2``, less one and at least one; 0 with fewer than two clusters.

    Notes
    -----
    With s_g the sum of influence values in cluster g, ``var = G/(G-1) (sum s_g^2 + sum s_g s_{g+1}) / n^2``: the
    second sum runs over neighbours in time at Bartlett's weight 1/2, and is dropped when negative, so that it can only
    widen. Without it, the variance is that of statsmodels OLS ``cov_type="cluster"`` up to its factor
    (n-1)/(n-k) (tests/test_intervals.py).

    References
    ----------
    Liang and Zeger (1986), Biometrika 73; Driscoll and Kraay (1998), Review of Economics and Statistics 80.
    """
    labels, member = np.unique(clusters, return_inverse=True)
    count = labels.size
    if count < 2:
        return np.nan, 0.0
    sums = np.bincount(member, weights=influence, minlength=count)
    shared = float(np.sum((sums[1:] * sums[:-1])[np.diff(labels) == 1]))
    total = float(np.sum(sums**2)) + max(0.0, shared)
    size = np.bincount(member)
    equal = influence.size**2 / float(np.sum(size**2))
    return float(np.sqrt(total * count / (count - 1)) / influence.size), max(equal - 1, 1.0)


def rate_interval(hits: NDArray[np.bool_], *, clusters: NDArray[np.int64]) -> Interval:
    """Share of hits with an interval that counts clusters, not trades.

    Parameters
    ----------
    hits : ndarray of bool, shape (n,)
        One per closed trade.
    clusters : ndarray of int, shape (n,)
        As `clusters_of` gives them.

    Returns
    -------
    Interval
        `n_effective` is n divided by the design effect (clustered over binomial variance, at least 1). When all
        trades hit or all miss, that effect cannot be seen, and each cluster counts as one.

    Notes
    -----
    Wilson's interval at ``n_effective (z/t)^2``, t on those degrees of freedom (Korn and Graubard 1998): inside [0, 1],
    never empty at 0 or 1, right for few clusters. Coverage by simulation of overlapping trades in
    tests/test_intervals.py.

    References
    ----------
    Korn and Graubard (1998), Survey Methodology 24, 193-201.
    """
    if hits.size == 0:
        return UNDEFINED
    rate = float(np.mean(hits))
    error, freedom = clustered_error(hits.astype(np.float64) - rate, clusters=clusters)
    if freedom == 0 or rate in (0.0, 1.0):
        effective = float(np.unique(clusters).size)
    elif error == 0:  # every cluster has the same share
        effective = float(hits.size)
    else:
        effective = min(float(hits.size), rate * (1 - rate) / error**2)
    shrink = (_Z / student(freedom)) ** 2 if freedom > 0 else 1.0
    low, high = wilson(rate, n=effective * shrink)
    return Interval(value=rate, low=low, high=high, n=int(hits.size), n_effective=effective)


def mean_interval(values: NDArray[np.float64], *, clusters: NDArray[np.int64]) -> Interval:
    """Mean with a cluster-robust 95 % interval.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Finite; one per closed trade.
    clusters : ndarray of int, shape (n,)
        As `clusters_of` gives them.

    Returns
    -------
    Interval
        Low and high are NaN with fewer than two clusters.
    """
    if values.size == 0:
        return UNDEFINED
    mean = float(np.mean(values))
    return smooth_interval(mean, influence=values - mean, clusters=clusters)


def smooth_interval(
    value: float, *, influence: NDArray[np.float64], clusters: NDArray[np.int64], log: bool = False
) -> Interval:
    """Interval of any smooth statistic from its influence values (the delta method).

    Parameters
    ----------
    value : float
        The estimate.
    influence : ndarray, shape (n,)
        Mean 0. Of ``log(value)`` when `log` is set, else of `value`.
    clusters : ndarray of int, shape (n,)
        As `clusters_of` gives them.
    log : bool
        Build the interval on the log scale: for ratios that cannot be negative.

    Returns
    -------
    Interval
        `n_effective` is n times (independent over clustered variance), at most n. On the log scale the ends are NaN
        beyond `MOST_FOLD`: a handful of trades would give "1.2 (0.0 to 107,881)", which reads as if it were a bound.
    """
    if influence.size == 0:
        return UNDEFINED
    error, freedom = clustered_error(influence, clusters=clusters)
    independent = float(np.mean(influence**2)) / influence.size
    effective = float(influence.size)
    if freedom > 0 and error > 0:
        effective = min(effective, effective * independent / error**2)
    half = student(freedom) * error
    if log and not half <= np.log(MOST_FOLD):
        half = np.nan
    low, high = (value * np.exp(-half), value * np.exp(half)) if log else (value - half, value + half)
    return Interval(value=value, low=float(low), high=float(high), n=int(influence.size), n_effective=effective)


def student(freedom: float) -> float:
    """Return the two-sided 95 % point of Student's t; NaN without degrees of freedom."""
    return float(stats.t.ppf(0.5 + LEVEL / 2, freedom)) if freedom > 0 else np.nan
