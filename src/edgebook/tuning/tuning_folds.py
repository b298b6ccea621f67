"""Which weeks of a study train, which test, and which stay sealed.

From the first bar to `as_of`: training, a warm-up that starts weights and thresholds, the folds, the holdout. Heads are
fitted at the beginning of the warm-up, of every fold and of the holdout, on outcomes that were known an embargo before.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING

from edgebook.errors import SettingsError
from edgebook.policy.market import WEEK_MS, iso, milliseconds

if TYPE_CHECKING:
    from edgebook.policy.market import Market
    from edgebook.settings.params import Tuning

HOUR_MS = 3_600_000
FOLD_WEEKS = 8
MIN_FOLD_WEEKS = 2
MIN_TRAIN_WEEKS = 8


@dataclass(frozen=True)
class Schedule:
    """Times of a study, milliseconds UTC, all Mondays.

    Parameters
    ----------
    first : int
        Monday at or before the first bar.
    fits : tuple of int
        Beginning of the warm-up, of each fold, and of the holdout: when heads are fitted.
    holdout : int
        Beginning of the holdout: nothing that became known after it enters the search.
    as_of : int
        Its end.
    embargo : int
        Milliseconds. What is fitted at a time uses outcomes known this long before it, and nothing later.
    """

    first: int
    fits: tuple[int, ...]
    holdout: int
    as_of: int
    embargo: int

    @property
    def folds(self) -> list[tuple[int, int]]:
        """Test window of each fold: from, until."""
        return list(zip(self.fits[1:-1], self.fits[2:], strict=True))

    @property
    def test_weeks(self) -> int:
        """Weeks of all folds together."""
        return (self.holdout - self.fits[1]) // WEEK_MS

    @property
    def holdout_weeks(self) -> int:
        """Weeks of the holdout."""
        return (self.as_of - self.holdout) // WEEK_MS

    def steps(self) -> list[tuple[int, int, int]]:
        """Scoring windows in order: from, until, and the fit whose heads score it.

        Weights, calibration and thresholds are renewed at the beginning of each. The warm-up has two, so that the
        consensus is calibrated on scores that weights learned before them gave; every fold, and the holdout, is one.
        """
        middle = self.fits[0] + (self.fits[1] - self.fits[0]) // WEEK_MS // 2 * WEEK_MS
        ends = (*self.fits[1:], self.as_of)
        later = [(since, until, n) for n, (since, until) in enumerate(zip(self.fits, ends, strict=True)) if n > 0]
        return [(self.fits[0], middle, 0), (middle, self.fits[1], 0), *later]


def schedule(market: Market, *, settings: Tuning, as_of: str) -> Schedule:
    """Lay out the folds of a study.

    Parameters
    ----------
    market : Market
        Only the date of its first bar is read.
    settings : Tuning
        `folds`, `holdout_weeks`, `embargo_hours`.
    as_of : str
        A Monday.

    Raises
    ------
    SettingsError
        There are too few weeks.
    """
    end = milliseconds(as_of)
    day_of_first = (int(market.date[0]) - milliseconds("1970-01-05")) // WEEK_MS * WEEK_MS + milliseconds("1970-01-05")
    holdout = end - settings.holdout_weeks * WEEK_MS
    weeks = (holdout - day_of_first) // WEEK_MS
    fold_weeks = min(FOLD_WEEKS, (weeks - MIN_TRAIN_WEEKS) // (settings.folds + 1))
    if fold_weeks < MIN_FOLD_WEEKS:
        needed = MIN_TRAIN_WEEKS + MIN_FOLD_WEEKS * (settings.folds + 1) + settings.holdout_weeks
        raise SettingsError(
            f"tuning: {iso(end)[:10]} lies {weeks + settings.holdout_weeks} weeks after the first bar; "
            f"{settings.folds} folds and a holdout of {settings.holdout_weeks} weeks need {needed}; "
            "ask for fewer folds or wait"
        )
    fits = tuple(holdout - (settings.folds + 1 - i) * fold_weeks * WEEK_MS for i in range(settings.folds + 2))
    return Schedule(day_of_first, fits, holdout, end, settings.embargo_hours * HOUR_MS)


def thinning(market: Market, *, times: Schedule, train_weeks: int, rows: int) -> int:
    """Every how many bars a fit reads one, so that the fits of a trial read about `rows` candidates together.

    Parameters
    ----------
    market : Market
    times : Schedule
    train_weeks : int
        The longest window of the search.
    rows : int
        The budget; a bar is two candidates, long and short.

    Returns
    -------
    int
        Without a factor in common with the 168 hours of a week, so that every hour and weekday stays in the sample.
    """
    windows = [
        market.decided(since=max(times.first, at - train_weeks * WEEK_MS), until=at - times.embargo)
        for at in times.fits[:-1]
    ]
    total = 2 * sum(window.stop - window.start for window in windows)
    every = max(1, round(int(total) / rows))
    while gcd(every, WEEK_MS // HOUR_MS) > 1:
        every += 1
    return every
