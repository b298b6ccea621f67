"""How soon the gate promotes an edge, by its size in win rate and by trades a week, under a stated spread of the days.

The A/B report answers the same for the trial that runs, on its own days (`edgebook.analyses.power`); here the days are
drawn, so that the curve can be read for a desk that trades more or less than the default market.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.arms.gate import Trial, bet
from edgebook.evidence.known_truth import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from edgebook.arms.gate import Kind
    from edgebook.settings.params import Gate

POINTS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1)
TRADES_A_WEEK = (10, 25, 50, 100)
WEEKS = 52
NEVER = -1
WIN_R, LOSS_R = 1.14, 1.1
"""Mean R of wins and losses of the default market's champion, net of costs."""
BOOK_SPREAD_R, AT_TRADES = 3.85, 25
"""Deviation of a book's day in R on the default market, at its trades a week; elsewhere by the root of the trades."""
LIKENESS = 0.7
"""Correlation of both books' days: 0.83 and 0.57 of the two challengers that the default market has seen."""
CANDIDATE_SPREAD, TOGETHER = 0.6, 0.44
"""Deviation of the difference in the scores of all candidates, and its correlation with that of the books: means of 16
years of weekly refits against a frozen policy on synthetic markets with an edge (0.42 to 1.03 and 0.28 to 0.65); 1.0
and 0.58 in the one real year."""
CANDIDATE_GAIN_PER_POINT = 0.025
"""Usual days' stakes a day that go with each percentage point that the signals gain in win rate: 0.128 with 5.1 points
and 0.082 with 3.3, the means of eight such years each; single years range from 0.00 to 0.22 a day."""
FREEDOM = 6


def paired_spread(paths: int, *, trades_a_week: float, seed: int) -> NDArray[np.float64]:
    """Paired days of two books without an edge, shape (paths, days, 2): books in R, all candidates.

    Parameters
    ----------
    paths : int
    trades_a_week : float
        Of each book.
    seed : int
    """
    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal((paths, 7 * WEEKS, 2))
    drawn[..., 1] = TOGETHER * drawn[..., 0] + np.sqrt(1 - TOGETHER**2) * drawn[..., 1]
    tail = np.sqrt((FREEDOM - 2) / rng.chisquare(FREEDOM, (paths, 7 * WEEKS, 1)))
    spread = BOOK_SPREAD_R * np.sqrt(2 * (1 - LIKENESS) * trades_a_week / AT_TRADES)
    return np.asarray(drawn * tail * np.array([spread, CANDIDATE_SPREAD]), np.float64)


def daily_gain(points: float, *, trades_a_week: float, candidates: bool) -> NDArray[np.float64]:
    """What a gain in win rate adds to each day, shape (2,): R of the books, usual days' stakes of all candidates.

    Examples
    --------
    >>> daily_gain(0.05, trades_a_week=25, candidates=True).round(3).tolist()
    [0.4, 0.125]
    """
    worth = points * (WIN_R + LOSS_R)
    return np.array([worth * trades_a_week / 7, 100 * points * CANDIDATE_GAIN_PER_POINT if candidates else 0.0])


def crossing_weeks(
    differences: NDArray[np.float64], *, gate: Gate, bar: float, kind: Kind = "promotion"
) -> NDArray[np.int64]:
    """Weeks after which each path has stood at the bar, `NEVER` for never.

    Parameters
    ----------
    differences : ndarray, shape (paths, days, 2)
        As the gate takes them; a trial for promotion is planned to last as long.
    gate : Gate
    bar : float
    kind : {"promotion", "baseline", "rollback"}
    """
    start = Trial.begin(kind, arm="", against="", since="", bar=bar, planned_days=differences.shape[1])
    weeks = np.full(len(differences), NEVER)
    for number, path in enumerate(differences):
        if not len(path):
            continue
        reached = bet(start, path, gate=gate)[1] >= bar
        if reached.any():
            weeks[number] = reached.argmax() // 7 + 1
    return weeks


def power_curves(
    gate: Gate, *, bar: float, paths: int, seed: int = 31, tell: Callable[[], None] | None = None
) -> list[dict[str, Any]]:
    """Share promoted within a year, and when.

    Parameters
    ----------
    gate : Gate
    bar : float
        Wealth that promotes.
    paths : int
        Simulated years of each cell; the same days serve every edge.
    seed : int
    tell : callable, optional
        Called after each number of trades.

    Returns
    -------
    list of dict
        One row an edge, trades a week and whether all candidates gain too: points, trades_a_week, candidates, gain_r (a
        day), sharpe (of the books' difference, a day), k of n with the exact interval, median (weeks; None if fewer
        than half are promoted).
    """
    rows = []
    for trades in TRADES_A_WEEK:
        days = paired_spread(paths, trades_a_week=trades, seed=seed)
        for points in POINTS:
            for candidates in (False, True) if points else (False,):
                gain = daily_gain(points, trades_a_week=trades, candidates=candidates)
                weeks = crossing_weeks(np.round(days + gain, 6), gate=gate, bar=bar)
                rows.append(
                    {
                        "points": points,
                        "trades_a_week": trades,
                        "candidates": candidates,
                        "gain_r": float(gain[0]),
                        "sharpe": float(gain[0] / days[..., 0].std()),
                        **counted((weeks != NEVER).tolist()),
                        "median": median_weeks(weeks),
                    }
                )
        if tell is not None:
            tell()
    return rows


def median_weeks(weeks: NDArray[np.int64]) -> float | None:
    """Weeks by which half of all paths have crossed; None when fewer ever do.

    Examples
    --------
    >>> median_weeks(np.array([3, 9, NEVER])), median_weeks(np.array([3, NEVER, NEVER]))
    (9.0, None)
    """
    middle = float(np.median(np.where(weeks == NEVER, np.inf, weeks.astype(np.float64))))
    return middle if np.isfinite(middle) else None
