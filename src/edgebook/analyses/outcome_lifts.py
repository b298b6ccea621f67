"""How much more often some candidates win than others: estimates, errors by week, shrinking.

Numbers in, numbers out. `outcome_pairs` asks it of pairs of things that agree, `outcome_groups` of nested groups. All
candidates that have closed enter, traded or not: tens of thousands that overlap, so the error of each estimate comes
from its own sums by week.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from edgebook.importance.importance_clusters import benjamini_hochberg
from edgebook.statistics.cells import BETTER, FALSE_DISCOVERY_RATE, WORSE
from edgebook.statistics.intervals import LEVEL, MIN_WEEKS, wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Closed:
    """Candidates that have closed, in any order.

    Parameters
    ----------
    won : ndarray of bool, shape (n,)
        Net profit above 0.
    r_multiple : ndarray of float64, shape (n,)
        Net.
    week : ndarray of int64, shape (n,)
        Week of the decision; neighbouring weeks differ by one.
    stratum : ndarray of int64, shape (n,)
        Number of the candidate's symbol, timeframe and side, from 0.
    """

    won: NDArray[np.bool_]
    r_multiple: Floats
    week: Ints
    stratum: Ints

    @property
    def rest(self) -> Floats:
        """Result (1 or 0) less the mean of the stratum, shape (n,)."""
        won = self.won.astype(np.float64)
        size = np.bincount(self.stratum)
        return np.asarray(won - (np.bincount(self.stratum, weights=won) / np.maximum(size, 1))[self.stratum])

    @property
    def spread(self) -> float:
        """Variance of one result within its stratum."""
        return float(np.mean(self.rest**2)) if self.won.size else 0.0


@dataclass(frozen=True)
class Effects:
    """Estimates with errors clustered by week, arrays of shape (k,); nan where they cannot be told.

    Parameters
    ----------
    value, error : ndarray
    freedom : ndarray
        Degrees of freedom: weeks of equal size that the smallest cell is worth, less one.
    tested : ndarray of bool
        Enough candidates and weeks, which depends on the cells alone and never on what they made.
    """

    value: Floats
    error: Floats
    freedom: Floats
    tested: NDArray[np.bool_]

    @property
    def q_value(self) -> Floats:
        """Student's t, two-sided, after Benjamini and Hochberg over all that are tested; nan for the others."""
        with np.errstate(invalid="ignore", divide="ignore"):
            p_value = 2 * stats.t.sf(np.abs(self.value / self.error), np.maximum(self.freedom, 1))
        return benjamini_hochberg(np.where(self.tested & (self.error > 0), p_value, np.nan))

    def bands(self, name: str) -> dict[str, Floats]:
        """Value and both ends of the 95 % interval (nan where not tested): `name`, `name_low` and `name_high`."""
        half = np.where(self.tested, stats.t.ppf(0.5 + LEVEL / 2, np.maximum(self.freedom, 1)) * self.error, np.nan)
        return {name: self.value, f"{name}_low": self.value - half, f"{name}_high": self.value + half}


@dataclass(frozen=True)
class Shrunk:
    """Empirical-Bayes means and their squared errors, arrays of shape (k,)."""

    value: Floats
    error2: Floats

    def bands(self, name: str) -> dict[str, Floats]:
        """Value and both ends of the 95 % interval, `name`, `name_low` and `name_high`."""
        half = float(stats.norm.ppf(0.5 + LEVEL / 2)) * np.sqrt(self.error2)
        return {name: self.value, f"{name}_low": self.value - half, f"{name}_high": self.value + half}


def contrast(
    closed: Closed, cells: Sequence[tuple[Floats, Floats]], *, signs: Sequence[int], min_candidates: int
) -> Effects:
    """Signed sum of cell means, with its error.

    Parameters
    ----------
    closed : Closed
    cells : sequence of (ndarray, ndarray), each of shape (weeks, k) or (weeks, 1)
        Candidates of each cell in each week that has any, ascending, and the sum of their results.
    signs : sequence of {1, -1}
        One a cell.
    min_candidates : int
        In each cell, to be tested; it must be worth 8 weeks of equal size besides.

    Returns
    -------
    Effects

    Notes
    -----
    With s_w the influence of week w, ``var = W/(W-1) (sum s_w² + max(0, sum s_w s_{w+1}))`` over W weeks: half of what
    neighbours share is added, as in `intervals.clustered_error`. It is at least that of independent candidates in the
    smallest cell: of forty that all lost the sums by week would say that nothing can vary.

    References
    ----------
    Liang and Zeger (1986), Biometrika 73, 13-22; Driscoll and Kraay (1998), Review of Economics and Statistics 80.
    """
    shape = np.broadcast_shapes(*(size.shape for size, _ in cells))
    weeks = np.unique(closed.week)
    value, influence = np.zeros(shape[1:]), np.zeros(shape)
    least = np.full(shape[1:], np.inf)
    freedom, tested = np.full(shape[1:], np.inf), np.ones(shape[1:], dtype=bool)
    with np.errstate(invalid="ignore", divide="ignore"):
        for (size, total), sign in zip(cells, signs, strict=True):
            n = size.sum(axis=0)
            mean = total.sum(axis=0) / n
            value = value + sign * mean
            influence += sign * (total - mean * size) / n
            least = np.fmin(least, n)
            worth = n**2 / (size**2).sum(axis=0)
            freedom = np.fmin(freedom, worth - 1)
            tested &= (n >= min_candidates) & (worth >= MIN_WEEKS)
        shared = (influence[1:] * influence[:-1])[np.diff(weeks) == 1].sum(axis=0)
        variance = ((influence**2).sum(axis=0) + np.maximum(shared, 0.0)) * len(weeks) / (len(weeks) - 1)
        error = np.sqrt(np.fmax(variance, closed.spread / least)) if len(weeks) > 1 else np.full(shape[1:], np.nan)
    return Effects(value=value, error=error, freedom=np.where(np.isfinite(freedom), freedom, 0.0), tested=tested)


def shrink_effects(found: Effects, *, toward: Floats, toward_error2: Floats, independent: int) -> Shrunk:
    """Empirical-Bayes means of estimates that scatter around known centres.

    Parameters
    ----------
    found : Effects
    toward, toward_error2 : ndarray, shape (k,)
        Centres, and their own squared errors. Where an estimate is not tested its centre stands; where none is, its
        error is not known (nan).
    independent : int
        How many of the estimates do not lean on each other: pairs that share parts are worth no more than the parts.

    Returns
    -------
    Shrunk

    Notes
    -----
    Each keeps ``tau² / (tau² + error²)`` of its distance, tau² by moments. The squared error is that with tau² plus
    one standard error of it, since tau² = 0 would claim that all are alike; the centre's comes on top
    (`edgebook.statistics.shrinkage` does the same for trades).

    References
    ----------
    Morris (1983), Journal of the American Statistical Association 78, 47-65.
    """
    known = found.tested & (found.error > 0)
    noise = np.where(known, found.error**2, 1.0)
    away = np.where(known, found.value - toward, 0.0)
    between = slack = 0.0
    if known.any():
        precision = 1 / noise[known]
        between = max(0.0, float(np.sum(precision * (away[known] ** 2 - noise[known])) / precision.sum()))
        slack = float(np.sqrt(2 / independent) * known.sum() / precision.sum())
    wide = between + slack
    keep = np.where(known, wide / (wide + noise), 0.0)
    own2 = np.where(known, keep * noise, wide if known.any() else np.nan)
    return Shrunk(value=toward + away * between / (between + noise), error2=own2 + (1 - keep) ** 2 * toward_error2)


def raw_rates(closed: Closed, *, n: Floats, wins: Floats, r_sum: Floats, error: Floats) -> dict[str, Floats]:
    """Columns n, n_effective, win_rate with Wilson's interval at it, and mean_r.

    Parameters
    ----------
    closed : Closed
    n, wins, r_sum : ndarray, shape (k,)
        Candidates, those that won, and the sum of their R.
    error : ndarray, shape (k,)
        Clustered error of the lift: from it the number of independent candidates that would have the same.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        n_effective = np.clip(np.where(error > 0, closed.spread / error**2, 0.0), 0.0, n)
        rate, mean_r = wins / n, r_sum / n
    edges = np.array([wilson(float(p), n=float(m)) for p, m in zip(rate, n_effective, strict=True)]).reshape(-1, 2)
    return {
        "n": n,
        "n_effective": n_effective,
        "win_rate": rate,
        "win_rate_low": edges[:, 0],
        "win_rate_high": edges[:, 1],
        "mean_r": mean_r,
    }


def badges(value: Floats, *, q_value: Floats) -> NDArray[np.object_]:
    """Mark what survives a false-discovery rate of 10 %: "better" above zero, "worse" below, "" for the rest."""
    return np.where(np.nan_to_num(q_value, nan=1.0) <= FALSE_DISCOVERY_RATE, np.where(value > 0, BETTER, WORSE), "")
