"""Permutation importance under purged folds: a picture of one model, shown with its null, and never the decision.

How much worse a forest predicts unseen weeks when one cluster is shuffled. A cluster that matters to the model can be
useless to the trader, and the largest of thirty useless ones always looks like something: hence the band beside it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.importance.circular_shift import fitted_forest, shift_offsets, shifted_outcomes
from edgebook.statistics.folds import Fold, walk_forward

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.importance.importance_clusters import Clusters
    from edgebook.importance.importance_rows import ImportanceRows


def permutation_importance(
    rows: ImportanceRows,
    clusters: Clusters,
    *,
    permutations: int,
    n_folds: int,
    embargo: pd.Timedelta,
    max_rows: int,
    n_nulls: int,
    seed: int,
) -> pd.DataFrame:
    """Loss of out-of-sample R² when a cluster is shuffled, beside the same on shifted outcomes.

    Parameters
    ----------
    rows : ImportanceRows
        Bars with known outcomes.
    clusters : Clusters
        What is shuffled together.
    permutations : int
        Shuffles of each cluster in each fold.
    n_folds : int
        Walk-forward tests over the last half of the rows.
    embargo : Timedelta
        A training outcome was known this long before the test began.
    max_rows : int
        Bars drawn at random.
    n_nulls : int
        Circular shifts of the outcomes on which all of it is done again.
    seed : int
        Of all draws.

    Returns
    -------
    DataFrame
        One row a cluster, most important first: cluster, importance (R² lost, mean over folds), low and high (range
        over folds), null_low and null_high (2.5 and 97.5 % points over all clusters and shifts), r2 (of the model,
        out of sample) and null_r2.

    Notes
    -----
    Breiman (2001) on clusters, so that a twin cannot stand in for the one that is shuffled. Some
    clusters are above the mean of any data, useless ones too; this is why it decides nothing here.
    """
    rng = np.random.default_rng(seed)
    drawn = np.arange(len(rows.ranks))
    if len(drawn) > max_rows:
        drawn = np.sort(rng.choice(drawn, size=max_rows, replace=False))
    dates = pd.Series(pd.to_datetime(rows.date_ms[drawn], unit="ms", utc=True))
    known_at = pd.Series(pd.to_datetime(rows.known_at_ms[drawn], unit="ms", utc=True))
    folds = walk_forward(dates, known_at, n_folds=n_folds, embargo=embargo)
    ranks = rows.ranks[drawn]
    real, r2 = _losses(ranks, rows.edge_r[drawn], clusters, folds=folds, permutations=permutations, seed=seed)
    nulls, null_r2 = [], []
    for offset in shift_offsets(rows, n_shifts=n_nulls, rng=rng):
        shifted = replace(rows, edge_r=shifted_outcomes(rows, offset_ms=int(offset)))
        lost, fit = _losses(ranks, shifted.edge_r[drawn], clusters, folds=folds, permutations=permutations, seed=seed)
        nulls.append(lost.mean(axis=0))
        null_r2.append(fit)
    band = np.quantile(np.concatenate(nulls), [0.025, 0.975])
    table = pd.DataFrame(
        {
            "cluster": clusters.names,
            "importance": real.mean(axis=0),
            "low": real.min(axis=0),
            "high": real.max(axis=0),
            "null_low": band[0],
            "null_high": band[1],
            "r2": r2,
            "null_r2": float(np.mean(null_r2)),
        }
    ).round(7)
    return table.sort_values(["importance", "cluster"], ascending=[False, True], ignore_index=True)


def _losses(
    ranks: NDArray[np.float32],
    outcome: NDArray[np.float64],
    clusters: Clusters,
    *,
    folds: list[Fold],
    permutations: int,
    seed: int,
) -> tuple[NDArray[np.float64], float]:
    """R² lost per fold and cluster, and the model's mean R² out of sample."""
    rng = np.random.default_rng(seed)
    lost = np.zeros((len(folds), len(clusters.names)))
    fits = []
    for place, fold in enumerate(folds):
        forest = fitted_forest(ranks[fold.train], outcome[fold.train], seed=seed)
        test, truth = ranks[fold.test], outcome[fold.test]
        scale = float(np.mean((truth - outcome[fold.train].mean()) ** 2))
        base = float(np.mean((truth - forest.predict(test)) ** 2))
        fits.append(1 - base / scale)
        for cluster in range(len(clusters.names)):
            columns = np.flatnonzero(clusters.member_of == cluster)
            for _ in range(permutations):
                shuffled = test.copy()
                shuffled[:, columns] = test[rng.permutation(len(test))][:, columns]
                error = float(np.mean((truth - forest.predict(shuffled)) ** 2))
                lost[place, cluster] += (error - base) / scale / permutations
    return lost, float(np.mean(fits))
