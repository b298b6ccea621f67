"""CUSUM (Page 1954): evidence that a stream of daily sums has fallen short of its promise, added up and never below 0.

A stream learns its own scale from its past, weeks and days apart, so that outcomes which overlap do not count twice.

References
----------
Page, E. S. (1954). Continuous inspection schemes. Biometrika 41, 100-115.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgebook.arms.drift_limits import SCALE_HALF_LIFE_WEEKS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEEP = float(0.5 ** (1 / SCALE_HALF_LIFE_WEEKS))
DIGITS = 6


@dataclass(frozen=True)
class Scale:
    """How much a stream moves by itself, learned from its own past.

    Parameters
    ----------
    age_weeks : int
        Since its first outcome.
    count : float
        Effective outcomes, discounted by age.
    by_day, by_block : float
        Sum of squared days, and of squared blocks of two weeks, halved; discounted by age. Outcomes that overlap come
        in over several days: the blocks see that.
    last : float
        Sum of the last week.
    """

    age_weeks: int = 0
    count: float = 0.0
    by_day: float = 0.0
    by_block: float = 0.0
    last: float = 0.0

    @property
    def count_per_week(self) -> float:
        """Effective outcomes of a usual week."""
        if self.age_weeks == 0:
            return 0.0
        return self.count * (1 - KEEP) / (1 - float(KEEP**self.age_weeks))

    @property
    def variance(self) -> float:
        """Of one effective outcome, all that days and weeks have in common counted in."""
        return max(self.by_day, self.by_block) / self.count if self.count > 0 else 0.0


@dataclass(frozen=True)
class Walk:
    """A CUSUM since it last left zero.

    Parameters
    ----------
    level : float
        Log likelihood ratio of a fall against none, at least 0.
    since : str
        Day on which it left zero, the likeliest beginning of a fall; "" at zero.
    count, promised, shortfall : float
        Effective outcomes since then, their promised sum, and what they fell short of it.
    """

    level: float = 0.0
    since: str = ""
    count: float = 0.0
    promised: float = 0.0
    shortfall: float = 0.0


@dataclass(frozen=True)
class Day:
    """What a day brought to a stream: date, sum of outcome minus promise, effective outcomes, sum of promises."""

    date: str
    value: float
    count: float
    promised: float


@dataclass(frozen=True)
class Stream:
    """One stream: what it is like, and where its CUSUM stands."""

    scale: Scale = field(default_factory=Scale)
    walk: Walk = field(default_factory=Walk)


def update(walk: Walk, day: Day, *, fall: float, variance: float) -> Walk:
    """Return the CUSUM after one more day.

    Parameters
    ----------
    walk : Walk
    day : Day
    fall : float
        Smallest fall worth an alarm, a share of wins.
    variance : float
        Of one effective outcome, known before the day.

    Notes
    -----
    ``level = max(0, level + fall / variance * (-value - fall / 2 * count))``: the log likelihood ratio of normal sums
    whose mean has fallen by `fall` an outcome against sums that come as promised.

    Examples
    --------
    Forty outcomes of variance 1/4, eight wins short:

    >>> update(Walk(), Day("2019-01-07", -8.0, 40.0, 20.0), fall=0.1, variance=0.25)
    Walk(level=2.4, since='2019-01-07', count=40.0, promised=20.0, shortfall=8.0)
    """
    level = round(walk.level + fall / variance * (-day.value - fall / 2 * day.count), DIGITS)
    if level <= 0:
        return Walk()
    return Walk(
        level,
        walk.since or day.date,
        round(walk.count + day.count, DIGITS),
        round(walk.promised + day.promised, DIGITS),
        round(walk.shortfall - day.value, DIGITS),
    )


def learn_scale(scale: Scale, rows: NDArray[np.float64]) -> Scale:
    """Return the scale after one more week.

    Parameters
    ----------
    scale : Scale
    rows : ndarray, shape (7, 3)
        By day: outcome minus promise, effective outcomes, promise.
    """
    value, count = rows[:, 0], float(rows[:, 1].sum())
    total = float(value.sum())
    return Scale(
        age_weeks=scale.age_weeks + 1,
        count=round(scale.count * KEEP + count, DIGITS),
        by_day=round(scale.by_day * KEEP + float((value**2).sum()), DIGITS),
        by_block=round(scale.by_block * KEEP + (total + scale.last) ** 2 / 2, DIGITS),
        last=round(total, DIGITS),
    )
