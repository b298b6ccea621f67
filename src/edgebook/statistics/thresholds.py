"""Confidence thresholds by regime: certified where the evidence carries one, else a paper default.

A threshold is *certified* for a regime when candidates at or above it are shown to earn a positive mean R, with a
stated chance of being wrong (Learn-then-Test). All candidates count, traded or not, those too that too few heads agree
on to be signals, each with the confidence that was given before its outcome; weeks are the independent unit, because
outcomes of one week move together. A regime without a certified threshold trades the top share of its candidates on
paper, and says so everywhere.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

STEP = 0.005
GRID = np.round(np.arange(0.0, 1.0 + STEP / 2, STEP), 4)
STARTS = (0.99, 0.975, 0.95, 0.9)
"""Quantiles of confidence at which the tests start; the error is split evenly between them."""
MIN_WEEKS = 12
SUMS = 5


@dataclass(frozen=True)
class Threshold:
    """The confidence from which candidates of a regime become signals.

    Parameters
    ----------
    value : float
        A confidence, in [0, 1].
    certified : bool
        True when a positive mean R at or above `value` was shown.
    weeks : int
        Weeks with a candidate at or above `value`.
    mean_r : float or None
        Mean R of those candidates so far, before they are chosen by room in the book.
    rule : {"certified", "quantile", "bandit", "rule"}
        Who set it: the certificate, the recipe's quantile for want of one, the bandit or the plain rule.
    quantile : float or None
        Share of the regime's recent candidates below it, where a quantile was chosen.
    """

    value: float
    certified: bool
    weeks: int
    mean_r: float | None
    rule: str = "quantile"
    quantile: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the threshold as a mapping."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Threshold:
        """Rebuild what `to_json` wrote."""
        return cls(**data)


@dataclass(frozen=True)
class ThresholdSums:
    """What a regime's past scores and outcomes leave behind: enough to test every threshold, without the rows.

    Parameters
    ----------
    weeks : ndarray, shape (grid,)
        Number of weeks with a candidate at or above each threshold.
    sums : ndarray, shape (grid, 5)
        Over weeks: n, s, n², s², n·s, with n the week's number of candidates at or above the threshold and s the sum of
        their R.
    """

    weeks: NDArray[np.float64]
    sums: NDArray[np.float64]

    @classmethod
    def empty(cls) -> ThresholdSums:
        """Nothing seen yet."""
        return cls(np.zeros(len(GRID)), np.zeros((len(GRID), SUMS)))

    def update(self, confidence: NDArray[np.float64], r_multiple: NDArray[np.float64]) -> ThresholdSums:
        """Return the sums with one more week of closed outcomes.

        Parameters
        ----------
        confidence : ndarray, shape (n,)
            Given before the outcomes were known.
        r_multiple : ndarray, shape (n,)
            Net outcomes.
        """
        number = np.floor(confidence / STEP + 1e-9).astype(np.int64)
        count = np.bincount(number, minlength=len(GRID)).astype(np.float64)
        earned = np.bincount(number, weights=r_multiple, minlength=len(GRID))
        n, s = np.cumsum(count[::-1])[::-1], np.cumsum(earned[::-1])[::-1]
        sums = self.sums + np.stack([n, s, n * n, s * s, n * s], axis=1)
        return ThresholdSums(self.weeks + (n > 0), np.round(sums, 3) + 0.0)

    def to_json(self) -> dict[str, Any]:
        """Return the rows of the grid that were ever reached."""
        if not self.weeks.any():
            return {"first": 0, "rows": []}
        # Rows below the lowest confidence ever given are all alike: the first of the kept rows stands for them.
        first = int(np.flatnonzero((self.sums == self.sums[0]).all(axis=1) & (self.weeks == self.weeks[0]))[-1])
        last = int(np.flatnonzero(self.weeks > 0)[-1]) + 1
        return {"first": first, "rows": np.column_stack([self.weeks, self.sums])[first:last].tolist()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ThresholdSums:
        """Rebuild what `to_json` wrote."""
        empty = cls.empty()
        rows = np.array(data["rows"], dtype=np.float64).reshape(-1, SUMS + 1)
        first, last = data["first"], data["first"] + len(rows)
        if len(rows):
            empty.weeks[first:last], empty.sums[first:last] = rows[:, 0], rows[:, 1:]
            empty.weeks[:first], empty.sums[:first] = rows[0, 0], rows[0, 1:]
        return empty


def choose_threshold(seen: ThresholdSums, recent: NDArray[np.float64], *, quantile: float, alpha: float) -> Threshold:
    """Lowest threshold that is certified, or the paper default.

    Parameters
    ----------
    seen : ThresholdSums
        Past scores and outcomes of one regime.
    recent : ndarray, shape (n,)
        Confidence that the policy gives the regime's recent candidates, known now; their outcomes are not used.
    quantile : float
        The paper default lets the top ``1 - quantile`` of them through.
    alpha : float
        Chance of certifying a threshold whose candidates earn nothing, for this regime at this look.

    Notes
    -----
    Learn-then-Test with fixed sequences from several starts (Angelopoulos et al. 2021, section 3.2): from each start
    thresholds are tested downwards at ``alpha / len(STARTS)`` until one fails. The p-value is that of a one-sided t
    test of the ratio of sums over weeks, weeks being the clusters. Starts are quantiles of confidence alone; outcomes
    do not enter their choice. The paper default is a quantile of what the policy says *now*: calibration moves from
    week to week, and a quantile of old scores would let through nothing in one week and everything in the next.
    """
    if len(recent) == 0:
        return Threshold(1.0, False, 0, None)
    rows = certified_rows(seen, recent, alpha=alpha)
    if rows.any():
        row = int(np.flatnonzero(rows)[0])
        return _threshold(seen, row, value=float(GRID[row]), certified=True, rule="certified", quantile=None)
    return threshold_at(seen, recent, quantile=quantile, rule="quantile", certified=rows)


def threshold_at(
    seen: ThresholdSums, recent: NDArray[np.float64], *, quantile: float, rule: str, certified: NDArray[np.bool_]
) -> Threshold:
    """Threshold at a quantile of recent confidence, certified where the certificate covers it.

    Parameters
    ----------
    seen : ThresholdSums
    recent : ndarray, shape (n,)
        Confidence that the policy gives the regime's recent candidates.
    quantile : float
    rule : str
        Who chose the quantile.
    certified : ndarray of bool, shape (grid,)
        As `certified_rows` gives it.
    """
    if len(recent) == 0:
        return Threshold(1.0, False, 0, None, rule, quantile)
    value = float(np.quantile(recent, quantile, method="higher"))
    row = _row(value)
    if certified[row]:
        value = float(GRID[row])  # the step of the grid at or above it is what was certified
    return _threshold(seen, row, value=value, certified=bool(certified[row]), rule=rule, quantile=quantile)


def certified_rows(seen: ThresholdSums, recent: NDArray[np.float64], *, alpha: float) -> NDArray[np.bool_]:
    """Thresholds of the grid that are certified, all at once with chance `alpha` of one that earns nothing.

    Parameters
    ----------
    seen : ThresholdSums
    recent : ndarray, shape (n,)
        Confidence that the policy gives the regime's recent candidates.
    alpha : float

    Returns
    -------
    ndarray of bool, shape (grid,)
        Every threshold that was tested and passed before the first of its sequence failed.
    """
    from scipy.stats import t as student

    found = np.zeros(len(GRID), dtype=bool)
    if len(recent) == 0:
        return found
    n, s, nn, ss, ns = seen.sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = s / n
        residual = np.maximum(ss - 2 * mean * ns + mean**2 * nn, 0.0)
        error = np.sqrt(residual * seen.weeks / np.maximum(seen.weeks - 1, 1)) / n
        p_value = student.sf(mean / error, np.maximum(seen.weeks - 1, 1))
    p_value = np.where((seen.weeks >= MIN_WEEKS) & np.isfinite(p_value), p_value, 1.0)
    for start in np.quantile(recent, STARTS):
        at = _row(start)
        while at >= 0 and p_value[at] <= alpha / len(STARTS):
            found[at] = True
            at -= 1
    return found


def _threshold(
    seen: ThresholdSums, row: int, *, value: float, certified: bool, rule: str, quantile: float | None
) -> Threshold:
    """A threshold with what candidates at or above it have earned."""
    n, s = seen.sums[row, 0], seen.sums[row, 1]
    earned = None if n == 0 else float(np.round(s / n, 4))
    return Threshold(value, certified, int(seen.weeks[row]), earned, rule, quantile)


def _row(confidence: float) -> int:
    """Row of the grid at or just above a confidence."""
    return min(int(np.ceil(np.round(confidence / STEP, 6))), len(GRID) - 1)
