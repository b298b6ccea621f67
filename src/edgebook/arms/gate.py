"""The gate: evidence that survives being looked at every week.

Two books are compared by one paired number a day. A bettor with starting wealth 1 stakes, every day, a share of it
fixed by the past on the challenger being better; if the challenger is not, the wealth has no tendency to grow, and the
chance that it ever reaches ``1 / alpha`` is at most ``alpha`` (Ville's inequality), however often one looks and
whenever one stops. The challenger is promoted when it gets there. How much to stake is free, as long as it is fixed
before the day: this bettor stakes what would take the wealth to the bar by the end of the trial.

The claim is about the *bounded* paired difference, its bounds fixed in advance: a day on which the challenger leads
counts up to `max_gain_r` risks, a day on which it lags up to the larger `max_loss_r`. Lags are bounded less tightly
than leads because the reverse would let a book pass that picks pennies and now and then loses a fortune. It is the
difference that is bounded and not each book: cutting off the large gains of both books favours the one that trades
less. Measured against a champion without edge, a challenger that never traded was then promoted in 39 % of years;
with the difference bounded it is 0.9 % (docs/decisions.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgebook.settings.params import Gate

CANDIDATE_GAIN, CANDIDATE_LOSS = 2.0, 4.0
"""A day's lead and lag in the scores of all candidates count up to these many usual days' stakes.

Twice as far down as up: whoever bets that moves come back gains a little most days and loses much on a few, and bounds
of 2.5 and 3 cut off more of what he loses than of what he gains. Cubed, such stakes, which know nothing, were promoted
in 13 % of years, now in 2 to 3 % (docs/evidence.md).
"""
CAUTION = 0.8
"""Stake as a share of the one that is due when the missing growth were spread evenly over the days left.

Between 0.7 and 1.0 the same edges are promoted; the larger, the sooner and the less surely (docs/decisions.md).
"""
LARGEST_STAKE = 0.95
"""Of the wealth, the most that a single day may take."""
USUAL_SPREAD = (3.0, 0.7)
SPREAD_DAYS = 28
"""Deviation of a day's difference, books (R) and candidates (usual days' stakes), that counts as so many days seen."""
ALWAYS_LEFT_DAYS = {"baseline": 364, "rollback": 91}
"""Comparisons without an end are bet on as if so many days were left, every day, and losses are not chased."""
LAST_DAYS = 7
"""A trial in its last week is bet on as if a week were left: stakes stay within reason."""

HYPOTHESES = ("books", "candidates")

Kind = Literal["promotion", "baseline", "rollback"]


@dataclass(frozen=True)
class Trial:
    """One comparison, and the wealth of the bettor who backs `arm` against `against`.

    Parameters
    ----------
    kind : {"promotion", "baseline", "rollback"}
        Whether it decides on the challenger, shows what learning is worth, or watches over a promotion.
    arm, against : str
        Names of recipes.
    since : str
        Monday of its beginning; what happened before does not count.
    bar : float
        Wealth at which it decides.
    planned_days : int
        Days after which it ends; 0 for one without an end.
    days : int
        Seen so far.
    log_wealth : ndarray, shape (2,)
        Of the bettors on the books and on the scores of all candidates.
    squares : ndarray, shape (2,)
        Sum of the squared bounded differences: what the spread is known by.
    crossed : str or None
        Monday on which the wealth first stood at the bar.
    """

    kind: Kind
    arm: str
    against: str
    since: str
    bar: float
    planned_days: int
    days: int
    log_wealth: NDArray[np.float64]
    squares: NDArray[np.float64]
    crossed: str | None = None

    @classmethod
    def begin(cls, kind: Kind, *, arm: str, against: str, since: str, bar: float, planned_days: int = 0) -> Trial:
        """Wealth 1, no day seen."""
        return cls(kind, arm, against, since, bar, planned_days, 0, np.zeros(2), np.zeros(2))

    def wealth(self, *, book_share: float) -> float:
        """Wealth of both hypotheses together, each by its share of the error."""
        return float(_mixed(self.log_wealth, book_share=book_share))

    def to_json(self) -> dict[str, Any]:
        """Return the trial as a mapping."""
        return {
            "kind": self.kind,
            "arm": self.arm,
            "against": self.against,
            "since": self.since,
            "bar": self.bar,
            "planned_days": self.planned_days,
            "days": self.days,
            "log_wealth": dict(zip(HYPOTHESES, self.log_wealth.tolist(), strict=True)),
            "squares": dict(zip(HYPOTHESES, self.squares.tolist(), strict=True)),
            "crossed": self.crossed,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Trial:
        """Rebuild what `to_json` wrote."""
        pairs = {k: np.array([data[k][name] for name in HYPOTHESES], np.float64) for k in ("log_wealth", "squares")}
        return cls(**{**data, **pairs})


def error_share(gate: Gate, *, number: int) -> float:
    """Chance of a false promotion that a calendar year's challenger is allowed.

    The first gets half of the year's error, each next one half of what is left, the last what is left: a trial lasts
    up to a year, so that most years see one or two, and an even split would leave the rest unused.

    Parameters
    ----------
    gate : Gate
    number : int
        Which of the year, from 1.

    Examples
    --------
    >>> from edgebook.settings.params import Gate
    >>> gate = Gate(alpha_per_year=0.05, admissions_per_year=4, book_share=0.7, max_gain_r=12.0, max_loss_r=18.0,
    ...     rollback_bar=4.0, rollback_weeks=26)
    >>> [error_share(gate, number=number) for number in (1, 2, 3, 4)]
    [0.025, 0.0125, 0.00625, 0.00625]
    """
    halvings = min(number, gate.admissions_per_year - 1)
    return float(round(gate.alpha_per_year / 2**halvings, 8))


def promotion_bar(gate: Gate, *, number: int = 1) -> float:
    """Wealth that promotes: one over a challenger's share of the year's error.

    Parameters
    ----------
    gate : Gate
    number : int
        Which challenger of the calendar year, from 1.

    Examples
    --------
    >>> from edgebook.settings.params import Gate
    >>> gate = Gate(alpha_per_year=0.05, admissions_per_year=4, book_share=0.7, max_gain_r=12.0, max_loss_r=18.0,
    ...     rollback_bar=4.0, rollback_weeks=26)
    >>> promotion_bar(gate), promotion_bar(gate, number=2)
    (40.0, 80.0)
    """
    return round(1 / error_share(gate, number=number), 6)


def challenge(gate: Gate, *, number: int, weeks: int) -> Trial:
    """Return the trial, of nobody yet, that a calendar year's challenger of that number goes through."""
    bar = promotion_bar(gate, number=number)
    return Trial.begin("promotion", arm="", against="", since="", bar=bar, planned_days=7 * weeks)


def baseline_bar(gate: Gate) -> float:
    """Wealth that shows the champion better than a baseline: a claim of its own, at the year's error; none is promoted.

    Parameters
    ----------
    gate : Gate
    """
    return round(1 / gate.alpha_per_year, 6)


def bounded(differences: NDArray[np.float64], *, gate: Gate) -> NDArray[np.float64]:
    """What of the paired differences counts.

    Parameters
    ----------
    differences : ndarray, shape (days, 2)
        Score of `arm` minus score of `against`, for the books and for all candidates.
    gate : Gate

    Returns
    -------
    ndarray, shape (days, 2)
        In [-max_loss_r, max_gain_r] and [-CANDIDATE_LOSS, CANDIDATE_GAIN].
    """
    return np.clip(differences, [-gate.max_loss_r, -CANDIDATE_LOSS], [gate.max_gain_r, CANDIDATE_GAIN])


def bet(trial: Trial, differences: NDArray[np.float64], *, gate: Gate) -> tuple[Trial, NDArray[np.float64]]:
    """Bet on each day of a week.

    Parameters
    ----------
    trial : Trial
    differences : ndarray, shape (days, 2)
        Score of `arm` minus score of `against`, for the books and for all candidates.
    gate : Gate

    Returns
    -------
    Trial
        After the week.
    ndarray, shape (days,)
        Wealth at the end of each day.

    Notes
    -----
    A bounded difference lies above -l, so a stake of up to ``1 / l`` of the wealth per unit cannot lose more than all,
    and any stake within that which is fixed by the past leaves the wealth a supermartingale (Waudby-Smith & Ramdas
    2024, section 4). With log wealth g still missing, n days left and a day's spread s, a constant stake of ``sqrt(2 g
    / n) / s`` is the one that reaches the bar on the weakest edge that can; it is set anew every day (Voracek & Orabona
    2025). So wealth that is behind is bet more boldly as the end draws near, and at the bar nothing is bet. Where there
    is no end, no more is staked than at wealth 1: a bettor who is behind must be able to wait. Both hypotheses are true
    when the challenger is no better, hence their weighted average is a supermartingale too. How often it promotes
    falsely, and how long an edge takes, is measured in tests/test_gate.py, in docs/evidence.md and in every A/B report.

    References
    ----------
    Waudby-Smith and Ramdas (2024), Journal of the Royal Statistical Society B 86, 1-27; Voracek and Orabona (2025),
    STaR-Bets: Sequential Target-Recalculating Bets for Tighter Confidence Intervals, NeurIPS.
    """
    counted = np.ascontiguousarray(bounded(differences, gate=gate))
    shares = np.array([gate.book_share, 1 - gate.book_share])
    path, squares = _bets(
        counted,
        trial.log_wealth,
        trial.squares,
        days=trial.days,
        # What one bettor would need to bring the whole to the bar, had the other nothing.
        aims=np.log(trial.bar) - np.log(shares, out=np.full(2, np.inf), where=shares > 0),
        left=_days_left(trial, days=len(counted)),
        largest=LARGEST_STAKE / np.array([gate.max_loss_r, CANDIDATE_LOSS]),
        chases=trial.kind == "promotion",
    )
    last = path[-1] if len(path) else trial.log_wealth
    after = replace(trial, log_wealth=last, squares=squares, days=trial.days + len(path))
    return after, _mixed(path, book_share=gate.book_share)


def _days_left(trial: Trial, *, days: int) -> NDArray[np.float64]:
    """Days left on each of the next days, that day included."""
    if trial.kind != "promotion":
        return np.full(days, float(ALWAYS_LEFT_DAYS[trial.kind]))
    seen = trial.days + np.arange(days)
    return np.maximum(trial.planned_days - seen, LAST_DAYS).astype(np.float64)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _bets(
    counted: NDArray[np.float64],
    log_wealth: NDArray[np.float64],
    squares: NDArray[np.float64],
    days: int,
    aims: NDArray[np.float64],
    left: NDArray[np.float64],
    largest: NDArray[np.float64],
    chases: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log wealth after each day, shape (days, 2), and the squares; rounded day by day.

    A trial is then the same, to the last digit, however its days are parted into weeks.
    """
    path = np.empty_like(counted)
    now, seen = log_wealth.copy(), squares.copy()
    for day in range(len(counted)):
        for one in range(2):
            difference = counted[day, one]
            missing = aims[one] - (now[one] if chases else max(now[one], 0.0))
            if missing > 0:
                spread = np.sqrt((SPREAD_DAYS * USUAL_SPREAD[one] ** 2 + seen[one]) / (SPREAD_DAYS + days + day))
                stake = min(CAUTION * np.sqrt(2 * missing / left[day]) / spread, largest[one])
                now[one] = np.round((now[one] + np.log1p(stake * difference)) * 1e8) / 1e8
            seen[one] = np.round((seen[one] + difference * difference) * 1e6) / 1e6
            path[day, one] = now[one]
    return path, seen


def _mixed(log_wealth: NDArray[np.float64], *, book_share: float) -> NDArray[np.float64]:
    """Wealth of both hypotheses together, from shape (..., 2)."""
    each = np.exp(log_wealth)
    return np.asarray(np.round(book_share * each[..., 0] + (1 - book_share) * each[..., 1], 6))
