"""Clusters of indicators that say the same, and whether each cluster tells long from short.

Sixty-nine correlated numbers are perhaps thirty different ones. What is tested, kept or dropped is the cluster: within
it, importance would only be passed from twin to twin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.importance.importance_rows import ImportanceRows

DAY_MS = 86_400_000


@dataclass(frozen=True)
class Clusters:
    """A partition of the indicators.

    Parameters
    ----------
    names : tuple of str
        Each cluster's medoid: the member that agrees most with the others.
    member_of : ndarray of int64, shape (k,)
        Cluster of each indicator; clusters are numbered by their first member.
    sign : ndarray of float64, shape (k,)
        1 or -1: the direction in which a member agrees with its medoid.
    correlation : ndarray of float64, shape (k, k)
        Spearman's, between the indicators.
    """

    names: tuple[str, ...]
    member_of: NDArray[np.int64]
    sign: NDArray[np.float64]
    correlation: NDArray[np.float64]


@dataclass(frozen=True)
class LinearTest:
    """Whether each cluster's mean signal goes with the outcome.

    Parameters
    ----------
    mean, low, high : ndarray, shape (clusters,)
        Mean over days of signal times R difference (R per unit of signal) with its 95 % interval.
    z, p_value : ndarray, shape (clusters,)
        Mean over its HAC standard error, and the two-sided p-value. NaN where a cluster never moves.
    days, lags : int
        Days, and the lag at which the HAC kernel ends.
    """

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    z: NDArray[np.float64]
    p_value: NDArray[np.float64]
    days: int
    lags: int


def cluster_indicators(rows: ImportanceRows, *, correlation: float = 0.6) -> Clusters:
    """Group indicators by the absolute rank correlation between them.

    Parameters
    ----------
    rows : ImportanceRows
        Indicators as ranks.
    correlation : float
        Members of a cluster agree with each other at least so well on average, in 0..1.

    Returns
    -------
    Clusters

    Notes
    -----
    Average linkage on ``1 - |rho|``, cut at ``1 - correlation``. Correlations are rounded before they are compared,
    so that the last bits of a matrix product cannot move a cluster. Outcomes play no part.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    ranks = rows.ranks.astype(np.float64)
    rho = np.round(ranks.T @ ranks / len(ranks), 6)
    np.fill_diagonal(rho, 1.0)
    count = len(rows.names)
    if count == 1:
        return Clusters(names=rows.names, member_of=np.zeros(1, np.int64), sign=np.ones(1), correlation=rho)
    distance = np.round(1.0 - np.abs(rho), 6)
    tree = linkage(squareform((distance + distance.T) / 2, checks=False), method="average")
    found = fcluster(tree, t=1.0 - correlation, criterion="distance")
    _, first, labels = np.unique(found, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))
    member_of = order[labels].astype(np.int64)
    names, sign = [], np.ones(count)
    for cluster in range(len(first)):
        members = np.flatnonzero(member_of == cluster)
        closeness = np.abs(rho[np.ix_(members, members)]).sum(axis=1)
        medoid = members[int(np.argmax(np.round(closeness, 6)))]
        names.append(rows.names[medoid])
        sign[members] = np.where(rho[members, medoid] < 0, -1.0, 1.0)
    return Clusters(names=tuple(names), member_of=member_of, sign=sign, correlation=rho)


def cluster_signals(rows: ImportanceRows, clusters: Clusters) -> NDArray[np.float64]:
    """Mean of each cluster's members, each in the direction of the medoid, at variance 1.

    Returns
    -------
    ndarray of float64, shape (n, clusters)
        All 0 for a cluster that never moves.
    """
    count = len(clusters.names)
    weights = np.zeros((len(rows.names), count))
    weights[np.arange(len(rows.names)), clusters.member_of] = clusters.sign
    mean = rows.ranks.astype(np.float64) @ weights / np.abs(weights).sum(axis=0)
    spread = np.sqrt(np.mean(mean**2, axis=0))
    return np.asarray(np.divide(mean, spread, out=np.zeros_like(mean), where=spread > 0))


def linear_test(rows: ImportanceRows, clusters: Clusters) -> LinearTest:
    """Test each cluster's mean signal against the outcome, day by day.

    Parameters
    ----------
    rows : ImportanceRows
        Bars with known outcomes.
    clusters : Clusters
        What is tested.

    Returns
    -------
    LinearTest

    Notes
    -----
    One number a day: the mean over its bars of signal times R difference. A day's bars, the symbols among them, share
    one market and count once; labels that overlap over days and slow indicators leave autocorrelation, for which the
    Newey-West error pays (`newey_west`).
    """
    products = cluster_signals(rows, clusters) * rows.edge_r[:, None]
    _, day, count = np.unique(rows.date_ms // DAY_MS, return_inverse=True, return_counts=True)
    daily = np.zeros((len(count), products.shape[1]))
    np.add.at(daily, day, products)
    daily /= count[:, None]
    lags = hac_lags(len(count))
    mean, error = newey_west(daily, lags=lags)
    z, p_value = hac_p_value(mean, error, days=len(count), lags=lags)
    half = _student(days=len(count), lags=lags).ppf(0.975) * error
    return LinearTest(mean=mean, low=mean - half, high=mean + half, z=z, p_value=p_value, days=len(count), lags=lags)


def hac_lags(days: int) -> int:
    """Lag at which the kernel ends, ``ceil(1.3 sqrt(days))``: long, for size before power (Lazarus et al. 2018)."""
    return min(math.ceil(1.3 * math.sqrt(days)), max(days - 1, 0))


def newey_west(values: NDArray[np.float64], *, lags: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean of each column and its Newey-West standard error.

    Parameters
    ----------
    values : ndarray, shape (days, columns)
        In time order.
    lags : int
        Bartlett weights ``1 - l / (lags + 1)`` for l up to `lags`.

    Returns
    -------
    tuple of ndarray, each of shape (columns,)

    Notes
    -----
    Agrees with statsmodels OLS ``cov_type="HAC", use_correction=False`` on a constant (tests/test_importance.py).

    References
    ----------
    Newey and West (1987), Econometrica 55, 703-708.
    """
    days = len(values)
    mean = values.mean(axis=0)
    rest = values - mean
    variance = np.mean(rest**2, axis=0)
    for lag in range(1, min(lags, days - 1) + 1):
        variance += 2 * (1 - lag / (lags + 1)) * np.sum(rest[lag:] * rest[:-lag], axis=0) / days
    return mean, np.sqrt(variance / days)


def hac_p_value(
    mean: NDArray[np.float64], error: NDArray[np.float64], *, days: int, lags: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ratio and two-sided p-value of a mean with a Newey-West error; NaN where the error is 0.

    Notes
    -----
    Student's t on ``1.5 days / lags`` degrees of freedom, those of the Bartlett kernel at this length: the normal
    distribution rejects too often when the error itself is a guess.

    References
    ----------
    Lazarus, Lewis, Stock and Watson (2018), Journal of Business and Economic Statistics 36, 541-559.
    """
    z = np.divide(mean, error, out=np.full(len(mean), np.nan), where=error > 1e-12)
    return z, np.asarray(2 * _student(days=days, lags=lags).sf(np.abs(z)))


def _student(*, days: int, lags: int) -> Any:
    """Student's t on the degrees of freedom that the kernel leaves."""
    from scipy import stats

    return stats.t(df=max(1.5 * days / max(lags, 1), 1.0))


def benjamini_hochberg(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjusted p-values: rejecting those at most q keeps the expected share of false ones at most q.

    Parameters
    ----------
    p_values : ndarray, shape (m,)
        A missing one is not tested, and stays missing.

    Returns
    -------
    ndarray, shape (m,)

    Notes
    -----
    Agrees with statsmodels ``multipletests(method="fdr_bh")`` (tests/test_importance.py).

    References
    ----------
    Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57, 289-300.
    """
    adjusted = np.full(len(p_values), np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    scaled = p_values[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return adjusted
