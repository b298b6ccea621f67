"""Which indicators to keep: the decision, its evidence, and the date it was taken.

A cluster stays when its mean signal goes with the outcome (`importance_clusters.linear_test`) or when a forest gains
more from it than from shifted outcomes (`circular_shift.tree_test`). The two tests share the error rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.errors import DataError, SettingsError
from edgebook.importance.circular_shift import TreeTest, tree_test
from edgebook.importance.importance_clusters import (
    Clusters,
    LinearTest,
    benjamini_hochberg,
    cluster_indicators,
    linear_test,
)
from edgebook.importance.importance_rows import ImportanceRows, importance_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Evidence:
    """All that a keep-list rests on.

    Parameters
    ----------
    rows : ImportanceRows
        Bars with outcomes known at `at`.
    clusters : Clusters
        The partition of the indicators.
    linear : LinearTest
        HAC z-test of each cluster's mean signal.
    q_value : ndarray, shape (clusters,)
        Benjamini-Hochberg adjusted p-values of the linear test.
    tree : TreeTest
        Forest gain against shifted outcomes.
    at : Timestamp
        UTC; nothing later was used.
    false_discovery_rate : float
        For both tests together; each is judged at half of it.
    """

    rows: ImportanceRows
    clusters: Clusters
    linear: LinearTest
    q_value: NDArray[np.float64]
    tree: TreeTest
    at: pd.Timestamp
    false_discovery_rate: float

    @property
    def by_line(self) -> NDArray[np.bool_]:
        """Clusters that the linear test keeps."""
        return np.asarray(np.nan_to_num(self.q_value, nan=1.0) <= self.false_discovery_rate / 2)

    @property
    def by_forest(self) -> NDArray[np.bool_]:
        """Clusters that the forest keeps."""
        return np.asarray(self.tree.p_value <= self.false_discovery_rate / 2)

    @property
    def survives(self) -> NDArray[np.bool_]:
        """Clusters that either test keeps."""
        return self.by_line | self.by_forest


def gather_evidence(
    indicators: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    at: pd.Timestamp,
    false_discovery_rate: float,
    shifts: int,
    rows: int,
    seed: int,
) -> Evidence:
    """Cluster the indicators and test every cluster on what was known at a time.

    Parameters
    ----------
    indicators : DataFrame
        pair, timeframe, date (UTC close), and one column an indicator, known at `date`.
    outcomes : DataFrame
        One exit plan: pair, timeframe, date, is_short, r_multiple, known_at (UTC).
    at : Timestamp
        UTC; outcomes known later do not enter.
    false_discovery_rate : float
        Expected share of false ones among the clusters that survive, in (0, 1).
    shifts : int
        Circular shifts of the null; at least ``2 / false_discovery_rate - 1``, or the forest could never speak.
    rows : int
        Bars that the forest sees; the linear test sees all.
    seed : int
        Of the forest and its shifts.

    Returns
    -------
    Evidence

    Raises
    ------
    DataError
        No outcome, or too few weeks of them, are known.
    SettingsError
        The rate or the number of shifts is impossible.

    Notes
    -----
    The linear test is corrected over clusters by Benjamini and Hochberg at half the rate, the forest's by maxT at the
    other half; together the expected share of false discoveries is at most the rate. At a rate of 10 % on simulated
    markets of a year (8 clusters, 19 shifts): without an edge 2 of 320 clusters survived, in 5 % of the markets; lines
    of 0.06 standard deviations a bar were found in 0.83 (fast signal) and 1.00 (slow), with 3 % false discoveries.
    """
    if not 0 < false_discovery_rate < 1:
        raise SettingsError(f"importance.false_discovery_rate: {false_discovery_rate} must lie between 0 and 1")
    least = int(np.ceil(round(2 / false_discovery_rate - 1, 9)))
    if shifts < least:
        raise SettingsError(
            f"importance.shifts: {shifts} can show nothing at a rate of {false_discovery_rate}; give at least {least}"
        )
    measured = importance_rows(indicators, outcomes, at=at)
    clusters = cluster_indicators(measured)
    linear = linear_test(measured, clusters)
    return Evidence(
        rows=measured,
        clusters=clusters,
        linear=linear,
        q_value=benjamini_hochberg(linear.p_value),
        tree=tree_test(measured, clusters, n_shifts=shifts, max_rows=rows, seed=seed),
        at=at,
        false_discovery_rate=false_discovery_rate,
    )


def keep_list(evidence: Evidence, *, heads: Mapping[str, str]) -> dict[str, Any]:
    """Decide which indicators to keep.

    Parameters
    ----------
    evidence : Evidence
        The tests.
    heads : mapping of str to str
        Letter of the head that each indicator belongs to.

    Returns
    -------
    dict
        JSON-able. `at`, `kept` and `dropped` (indicator names in catalogue order), `reading` (the decision in a
        sentence), what was measured, and `clusters`: name, members, r_per_unit with its 95 % interval, z, p, q, gain
        with the null's 5 and 95 % points, tree_p, evidence ("line", "forest", "both" or "none") and kept ("yes", "in
        part", "no").

    Raises
    ------
    DataError
        An indicator has no head.

    Notes
    -----
    The rule: clusters that survive are kept whole, the others dropped. Two exceptions. Where nothing survives nothing
    is dropped, for there is no evidence to tell the indicators apart. And no head is left empty: one that would be
    keeps its members of its best cluster, the one with the smallest p-value of the two tests (then the largest |z|).
    """
    clusters, names = evidence.clusters, evidence.rows.names
    missing = [name for name in names if name not in heads]
    if missing:
        raise DataError(f"indicators: {missing[0]}: belongs to no head; add it to the catalogue")
    survives = evidence.survives
    kept = survives[clusters.member_of].copy()
    rescued: list[str] = []
    if not survives.any():
        kept[:] = True
    else:
        best = _rank(evidence)
        for head in sorted(set(heads.values())):
            own = np.array([heads[name] == head for name in names])
            if own.any() and not kept[own].any():
                favourite = min(clusters.member_of[own], key=lambda cluster: best[cluster])
                kept[own & (clusters.member_of == favourite)] = True
                rescued.append(head)
    return {
        "at": f"{evidence.at:%Y-%m-%d}",
        "kept": [name for name, stays in zip(names, kept, strict=True) if stays],
        "dropped": [name for name, stays in zip(names, kept, strict=True) if not stays],
        "reading": _reading(evidence, kept, rescued),
        "heads_kept_from_empty": rescued,
        "false_discovery_rate": evidence.false_discovery_rate,
        "days": evidence.linear.days,
        "bars": len(evidence.rows.edge_r),
        "forest_rows": evidence.tree.rows,
        "shifts": len(evidence.tree.null),
        "hac_lags": evidence.linear.lags,
        "clusters": [_entry(evidence, cluster, kept) for cluster in range(len(clusters.names))],
    }


def _rank(evidence: Evidence) -> NDArray[np.int64]:
    """Place of each cluster, the best first: smallest p-value, then largest |z|."""
    p = np.fmin(np.nan_to_num(evidence.linear.p_value, nan=1.0), evidence.tree.p_value)
    strength = np.abs(np.nan_to_num(evidence.linear.z))
    order = np.lexsort((-np.round(strength, 6), np.round(p, 9)))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return place


def _entry(evidence: Evidence, cluster: int, kept: NDArray[np.bool_]) -> dict[str, Any]:
    """One cluster with its evidence, rounded so that every processor writes the same."""
    members = np.flatnonzero(evidence.clusters.member_of == cluster)
    stays = int(kept[members].sum())
    line, forest = bool(evidence.by_line[cluster]), bool(evidence.by_forest[cluster])
    return {
        "name": evidence.clusters.names[cluster],
        "members": [evidence.rows.names[member] for member in members],
        "r_per_unit": _rounded(evidence.linear.mean[cluster], 5),
        "r_low": _rounded(evidence.linear.low[cluster], 5),
        "r_high": _rounded(evidence.linear.high[cluster], 5),
        "z": _rounded(evidence.linear.z[cluster], 4),
        "p": _rounded(evidence.linear.p_value[cluster], 6),
        "q": _rounded(evidence.q_value[cluster], 6),
        "gain": _rounded(evidence.tree.gain[cluster], 7),
        "null_q05": _rounded(np.quantile(evidence.tree.null[:, cluster], 0.05), 7),
        "null_q95": _rounded(np.quantile(evidence.tree.null[:, cluster], 0.95), 7),
        "tree_p": _rounded(evidence.tree.p_value[cluster], 6),
        "evidence": "both" if line and forest else "line" if line else "forest" if forest else "none",
        "kept": "yes" if stays == len(members) else "in part" if stays else "no",
    }


def _rounded(value: float, places: int) -> float | None:
    """Plain number for JSON; None where undefined."""
    return round(float(value), places) + 0.0 if np.isfinite(value) else None


def _reading(evidence: Evidence, kept: NDArray[np.bool_], rescued: list[str]) -> str:
    """Say the decision in words."""
    count, found = len(evidence.clusters.names), int(evidence.survives.sum())
    basis = (
        f"{len(kept)} indicators fall into {count} clusters; {found} of {count} survive at a false discovery rate of "
        f"{evidence.false_discovery_rate:.0%} over {evidence.linear.days} days"
    )
    if found == 0:
        return f"{basis}. There is no evidence to tell the indicators apart, so all {len(kept)} are kept."
    if kept.all():
        return f"{basis}; all indicators are kept."
    tail = ""
    if rescued:
        noun, verb = ("head", "keeps its") if len(rescued) == 1 else ("heads", "keep their")
        tail = f" {noun.capitalize()} {', '.join(rescued)} would be empty and {verb} best cluster."
    return f"{basis}: {int(kept.sum())} indicators are kept, {int((~kept).sum())} dropped.{tail}"
