"""What a tree model gains from each cluster, against the same with outcomes shifted in time.

A flexible model finds something in anything. How much it finds where there is nothing to find is measured, not
assumed: all outcomes are moved together along the calendar by a large random step, the end joined to the beginning.
Indicators and outcomes each keep their own past, their overlap and the ties between symbols; only the relation between
the two is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.errors import DataError, SettingsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.importance.importance_clusters import Clusters
    from edgebook.importance.importance_rows import ImportanceRows

HOUR_MS = 3_600_000
_TREES = 16
_DEPTH = 4


@dataclass(frozen=True)
class TreeTest:
    """Gain of each cluster and where it stands among the shifted ones.

    Parameters
    ----------
    gain : ndarray, shape (clusters,)
        Mean over trees of the variance of the outcome that splits on the cluster's members explain, in R².
    null : ndarray, shape (shifts, clusters)
        The same for each shift.
    p_value : ndarray, shape (clusters,)
        Family-wise: chance that, were there nothing anywhere, some cluster would stand out as far.
    rows : int
        Bars that each model saw.
    """

    gain: NDArray[np.float64]
    null: NDArray[np.float64]
    p_value: NDArray[np.float64]
    rows: int


def tree_test(rows: ImportanceRows, clusters: Clusters, *, n_shifts: int, max_rows: int, seed: int) -> TreeTest:
    """Test whether a forest gains more from a cluster than it does from shifted outcomes.

    Parameters
    ----------
    rows : ImportanceRows
        Bars with known outcomes.
    clusters : Clusters
        What is tested.
    n_shifts : int
        Number of shifts; the smallest p-value is ``1 / (n_shifts + 1)``.
    max_rows : int
        Bars drawn at random for the models, the same for every shift.
    seed : int
        Of the draw, the shifts and the trees.

    Returns
    -------
    TreeTest

    Notes
    -----
    Gains are standardised within their cluster over the real calendar and all shifts, so that a large cluster does not
    win by size, and compared with the largest of each shift (Westfall and Young 1993, maxT). Were there nothing to
    find, the real calendar would be one more shift: the p-value is then exact but for the seam. Extremely randomised
    trees (Geurts et al. 2006) on ranks; sizes of error and power in tests/test_importance.py, simulation only.
    """
    if n_shifts < 1:
        raise SettingsError(f"importance.shifts: {n_shifts} is below 1")
    rng = np.random.default_rng(seed)
    drawn = np.arange(len(rows.ranks))
    if len(drawn) > max_rows:
        drawn = np.sort(rng.choice(drawn, size=max_rows, replace=False))
    offsets = shift_offsets(rows, n_shifts=n_shifts, rng=rng)
    ranks = np.ascontiguousarray(rows.ranks[drawn])
    outcomes = [rows.edge_r[drawn], *(shifted_outcomes(rows, offset_ms=offset)[drawn] for offset in offsets)]
    per_indicator = np.array([forest_gain(ranks, outcome, seed=seed) for outcome in outcomes])
    count = len(clusters.names)
    gains = np.array([np.bincount(clusters.member_of, weights=row, minlength=count) for row in per_indicator])
    gains = np.round(gains / max(float(np.var(outcomes[0])), 1e-12), 9)
    return TreeTest(gain=gains[0], null=gains[1:], p_value=max_t_p_values(gains), rows=len(drawn))


def shift_offsets(rows: ImportanceRows, *, n_shifts: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Steps in milliseconds, whole hours, between a tenth and nine tenths of the calendar."""
    span = int(rows.date_ms.max() - rows.date_ms.min())
    low, high = span // 10 // HOUR_MS, span * 9 // 10 // HOUR_MS
    if high - low < n_shifts:
        raise DataError(f"outcomes: {span // HOUR_MS} hours are too few for {n_shifts} shifts; give more weeks")
    return rng.choice(np.arange(low, high), size=n_shifts, replace=False) * HOUR_MS


def shifted_outcomes(rows: ImportanceRows, *, offset_ms: int) -> NDArray[np.float64]:
    """Outcomes moved along the calendar, every pair and timeframe by the same step.

    Parameters
    ----------
    rows : ImportanceRows
        Sorted by series and date.
    offset_ms : int
        A bar takes the outcome of its series' bar so much later, or the last one before that; past the end the
        calendar begins again.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    start, end = int(rows.date_ms.min()), int(rows.date_ms.max())
    wanted = start + (rows.date_ms - start + offset_ms) % (end - start + 1)
    shifted = np.empty_like(rows.edge_r)
    for places in np.split(np.arange(len(wanted)), np.flatnonzero(np.diff(rows.series)) + 1):
        source = np.searchsorted(rows.date_ms[places], wanted[places], side="right") - 1
        shifted[places] = rows.edge_r[places[np.maximum(source, 0)]]
    return shifted


def forest_gain(ranks: NDArray[np.float32], outcome: NDArray[np.float64], *, seed: int) -> NDArray[np.float64]:
    """Variance explained by the splits on each column, mean over trees, shape (k,)."""
    forest = fitted_forest(ranks, outcome, seed=seed)
    gains = [tree.tree_.compute_feature_importances(normalize=False) for tree in forest.estimators_]
    return np.asarray(np.mean(gains, axis=0))


def fitted_forest(ranks: NDArray[np.float32], outcome: NDArray[np.float64], *, seed: int) -> Any:
    """Fit the forest of both pictures: shallow trees, a third of the columns a split, leaves of a hundredth of rows."""
    from sklearn.ensemble import ExtraTreesRegressor

    forest = ExtraTreesRegressor(
        n_estimators=_TREES,
        max_depth=_DEPTH,
        min_samples_leaf=max(len(ranks) // 100, 5),
        max_features=1 / 3,
        random_state=seed,
        n_jobs=2,  # threads, each tree with a seed of its own: the same forest as with one
    )
    return forest.fit(ranks, outcome).set_params(n_jobs=1)  # predictions add up in the order of the trees


def max_t_p_values(gains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Family-wise p-values of the first row among all rows.

    Parameters
    ----------
    gains : ndarray, shape (1 + shifts, clusters)
        The real calendar first.

    Returns
    -------
    ndarray, shape (clusters,)

    Examples
    --------
    >>> max_t_p_values(np.array([[9.0, 1.0], [1.0, 2.0], [2.0, 3.0], [3.0, 1.0]])).tolist()
    [0.25, 1.0]
    """
    spread = gains.std(axis=0)
    standard = np.divide(gains - gains.mean(axis=0), spread, out=np.zeros_like(gains), where=spread > 0)
    standard = np.round(standard, 9)
    largest = standard[1:].max(axis=1)
    return np.asarray((1 + (largest[:, None] >= standard[0]).sum(axis=0)) / len(gains))
