"""Hierarchical empirical Bayes: small groups lean on the larger group they lie in, as far as the data ask for it.

Numbers in, numbers out; `edgebook.statistics.cells` puts the labels on. A *membership* is one trade in one group: a
trade lies in one pattern, but in the group of every head that agreed with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import special, stats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

Kind = Literal["rate", "mean"]
_FLOOR = 1e-9


@dataclass(frozen=True)
class Groups:
    """Groups of one level: how much is known of each.

    Parameters
    ----------
    n, mean : ndarray, shape (groups,)
        Memberships and their plain mean.
    n_effective : ndarray, shape (groups,)
        Independent memberships that they are worth (Kish's design effect).
    overlap : float
        Correlation of two trades of one group in one cluster, at least 0.
    """

    n: Floats
    mean: Floats
    n_effective: Floats
    overlap: float

    def take(self, rows: Ints) -> Groups:
        """Return the groups at `rows`, in that order."""
        return Groups(n=self.n[rows], mean=self.mean[rows], n_effective=self.n_effective[rows], overlap=self.overlap)


@dataclass(frozen=True)
class Shrunk:
    """Shrunk estimates of the finest level, one a group, with 95 % intervals.

    Parameters
    ----------
    groups : Groups
        The raw figures.
    parent : ndarray, shape (groups,)
        Shrunk value of the group that each lies in.
    value, low, high : ndarray, shape (groups,)
        Posterior mean and central 95 %.
    rest : ndarray, shape (groups,)
        Plain mean of the parent's trades outside the group; NaN when there are none.
    p_value : ndarray, shape (groups,)
        Two-sided, against those; NaN when there are none.
    """

    groups: Groups
    parent: Floats
    value: Floats
    low: Floats
    high: Floats
    rest: Floats
    p_value: Floats


def summarise(values: Floats, member: Ints, clusters: Ints, *, centre: float) -> Groups:
    """Count, mean and effective number of each group.

    Parameters
    ----------
    values : ndarray, shape (memberships,)
        Hit (0, 1) or R multiple.
    member : ndarray of int, shape (memberships,)
        Group of each, counted from 0, none empty.
    clusters : ndarray of int, shape (memberships,)
        Week (or day) of each.
    centre : float
        Mean over all trades.

    Returns
    -------
    Groups
        In the order of the group numbers.

    Notes
    -----
    The overlap is the mean product of two deviations of one group and one cluster, less that of one group and two
    clusters (which is what a true difference between groups adds to both), over the variance. With m the mean cluster
    size seen by a trade, ``n_effective = n / (1 + overlap (m - 1))`` (Kish 1965).

    References
    ----------
    Kish (1965), Survey Sampling, chapter 8.
    """
    n = np.bincount(member).astype(np.float64)
    rest = values - centre
    _, packs = np.unique(_paired(member, clusters), return_inverse=True)
    size = np.bincount(packs).astype(np.float64)
    owner = np.zeros(size.size, dtype=np.int64)
    owner[packs] = member
    squares = np.bincount(member, weights=rest**2)
    within = np.bincount(owner, weights=np.bincount(packs, weights=rest) ** 2) - squares
    across = np.bincount(member, weights=rest) ** 2 - squares - within
    size_squares = np.bincount(owner, weights=size**2)
    pairs_within, pairs_across = size_squares - n, n**2 - size_squares
    both = (pairs_within > 0) & (pairs_across > 0)
    if both.any():
        a, b = pairs_within[both], pairs_across[both]
        weight = a * b / (a + b)
        covariance = float(np.sum(weight * (within[both] / a - across[both] / b)) / weight.sum())
        overlap = float(np.clip(covariance / max(float(np.mean(rest**2)), _FLOOR), 0.0, 1.0))
    else:
        overlap = 1.0
    effective = n / (1 + overlap * (size_squares / n - 1))
    return Groups(n=n, mean=np.bincount(member, weights=values) / n, n_effective=effective, overlap=overlap)


def shrink(
    values: Floats, *, levels: Sequence[Ints], trade: Ints, all_values: Floats, all_clusters: Ints, kind: Kind
) -> Shrunk:
    """Shrink every group toward the group it lies in, from the whole set of trades downward.

    Parameters
    ----------
    values : ndarray, shape (memberships,)
        Value of each membership: 0 or 1 for a rate, R multiples for a mean.
    levels : sequence of ndarray of int, each of shape (memberships,)
        Group of each membership, coarse to fine, each level nested in the one before; numbers count from 0.
    trade : ndarray of int, shape (memberships,)
        Row of `all_values` that each membership is.
    all_values, all_clusters : ndarray, shape (trades,)
        All trades: the top of the tree.
    kind : "rate" or "mean"
        Beta-binomial, or normal-normal with the pooled variance of all trades.

    Returns
    -------
    Shrunk
        Of the finest level.

    Notes
    -----
    Between-group variance by moments, one number a level: with s the variance of one value, n_j effective numbers and
    N that of the parent, ``E[sum n_j (m_j - m)^2 / s] = sum (1 - n_j/N) (1 + phi (n_j - 1))`` for a rate (n_j for a
    mean), clipped at 0. A group then keeps ``n_j / (n_j + M)`` of itself, ``M = 1/phi - 1`` (``1/phi``). The interval
    carries the parent's error, ``(M / (n_j + M))^2``, and the error of phi: it takes phi plus one standard error, since
    phi = 0 would claim that all groups are alike. Simulated in tests/test_cells.py, with no peer to agree with.

    References
    ----------
    Efron and Morris (1975), Journal of the American Statistical Association 70, 311-319; Morris (1983), ibid. 78.
    """
    centre, spread = float(np.mean(all_values)), float(np.var(all_values))
    group = summarise(all_values, np.zeros(all_values.size, dtype=np.int64), all_clusters, centre=centre)
    above = np.zeros(values.size, dtype=np.int64)
    value = parent = group.mean
    error2 = np.full(1, spread) / group.n_effective
    raw_parent = group
    for member in levels:
        once = np.unique(_paired(member, trade), return_index=True)[1]
        own = summarise(values[once], member[once], all_clusters[trade[once]], centre=centre)
        up = np.zeros(own.n.size, dtype=np.int64)
        up[member] = above
        raw_parent, group = group.take(up), own
        parent, parent_error2 = value[up], error2[up]
        unit = np.maximum(parent * (1 - parent), _FLOOR) if kind == "rate" else np.full(up.size, max(spread, _FLOOR))
        phi, phi_error = _between(group, raw_parent, unit=unit, kind=kind)
        value, _ = _posterior(group, parent=parent, unit=unit, phi=phi, kind=kind)
        wide = min(phi + phi_error, 0.5)
        _, own2 = _posterior(group, parent=parent, unit=unit, phi=wide, kind=kind)
        keep = _keep(group.n_effective, phi=wide, kind=kind)
        error2 = own2 + (1 - keep) ** 2 * parent_error2
        above = member
    low, high = _edges(value, error2=error2, kind=kind)
    rest, p_value = _against_rest(group, raw_parent, values=all_values, kind=kind)
    return Shrunk(groups=group, parent=parent, value=value, low=low, high=high, rest=rest, p_value=p_value)


def _paired(first: Ints, second: Ints) -> Ints:
    """One number for each pair of numbers."""
    low = int(second.min(initial=0))
    return np.asarray(first * (int(second.max(initial=0)) - low + 1) + (second - low))


def _between(group: Groups, parent: Groups, *, unit: Floats, kind: Kind) -> tuple[float, float]:
    """Between-group variance in units of one value's variance, and its standard error were there none."""
    size = group.n_effective
    free = np.clip(1 - size / np.maximum(parent.n_effective, size), 0.0, 1.0)
    excess = float(np.sum(size * (group.mean - parent.mean) ** 2 / unit) - free.sum())
    reach = float(np.sum(free * (size - 1 if kind == "rate" else size)))
    if reach <= _FLOOR:
        return 0.0, 0.0
    return float(np.clip(excess / reach, 0.0, 0.5)), float(np.sqrt(2 * free.sum()) / reach)


def _keep(size: Floats, *, phi: float, kind: Kind) -> Floats:
    """Share of its own mean that each group keeps."""
    if phi <= 0:
        return np.zeros(size.size)
    return np.asarray(size / (size + (1 / phi - 1 if kind == "rate" else 1 / phi)))


def _posterior(group: Groups, *, parent: Floats, unit: Floats, phi: float, kind: Kind) -> tuple[Floats, Floats]:
    """Posterior mean and variance of each group, its parent taken as known."""
    keep = _keep(group.n_effective, phi=phi, kind=kind)
    value = parent + keep * (group.mean - parent)
    if kind == "rate":
        unit = np.maximum(value * (1 - value), _FLOOR)
        own2 = unit * keep / (group.n_effective + keep)
    else:
        own2 = unit * keep / group.n_effective
    return value, np.asarray(own2)


def _edges(value: Floats, *, error2: Floats, kind: Kind) -> tuple[Floats, Floats]:
    """Central 95 %: of the beta (rate) or normal (mean) distribution with these moments."""
    if kind == "mean":
        half = float(stats.norm.ppf(0.975)) * np.sqrt(error2)
        return value - half, value + half
    inside = np.clip(value, _FLOOR, 1 - _FLOOR)
    weight = np.maximum(inside * (1 - inside) / np.maximum(error2, _FLOOR) - 1, 2 * _FLOOR)
    a, b = inside * weight, (1 - inside) * weight
    return np.asarray(special.betaincinv(a, b, 0.025)), np.asarray(special.betaincinv(a, b, 0.975))


def _against_rest(group: Groups, parent: Groups, *, values: Floats, kind: Kind) -> tuple[Floats, Floats]:
    """Mean of the parent's trades outside each group, and the group's two-sided p-value against them.

    A rate by the binomial tail at effective numbers (Clopper and Pearson's, so conservative); a mean by the gamma tail
    with the skewness of one value (Pearson III), since R multiples are far from normal in groups of ten.
    """
    outside = parent.n - group.n
    known = outside > 0
    others = np.where(known, outside, 1.0)
    rest = np.where(known, (parent.n * parent.mean - group.n * group.mean) / others, np.nan)
    if kind == "rate":
        rest = np.clip(rest, 0.0, 1.0)
    n_rest = np.where(known, parent.n_effective * outside / parent.n, 1.0)
    size = np.where(known, 1 / (1 / group.n_effective + 1 / n_rest), np.nan)
    if kind == "rate":
        hits = group.mean * size
        upper = np.where(hits > 0, special.betainc(np.maximum(hits, _FLOOR), size - hits + 1, rest), 1.0)
        lower = np.where(size > hits, special.betainc(np.maximum(size - hits, _FLOOR), hits + 1, 1 - rest), 1.0)
    else:
        spread = max(float(np.std(values)), _FLOOR)
        z = (group.mean - rest) / spread * np.sqrt(size)
        skew = float(np.mean(((values - np.mean(values)) / spread) ** 3)) / np.sqrt(size)
        upper = stats.pearson3.sf(z, skew)
        lower = stats.pearson3.cdf(z, skew)
    return rest, np.asarray(np.where(known, np.minimum(1.0, 2 * np.minimum(upper, lower)), np.nan))
