"""The gate: evidence that survives being looked at every week.

Two books are compared by one paired number a day. A bettor with starting wealth 1 stakes, every day, a share of it
fixed by the past on the challenger being better; if the challenger is not, the wealth has no tendency to grow, and the
chance that it ever reaches ``1 / alpha`` is at most ``alpha`` (Ville's inequality), however often one looks and
whenever one stops. The challenger is promoted when it gets there.

The claim is about the *bounded* paired difference, its bounds fixed in advance: a day on which the challenger leads
counts up to `max_gain_r` risks, a day on which it lags up to the larger `max_loss_r`. Lags are bounded less tightly
than leads because the reverse would let a book pass that picks pennies and now and then loses a fortune. It is the
difference that is bounded and not each book: cutting off the large gains of both books favours the one that trades
less. Measured against a champion without edge, a challenger that never traded was then promoted in 39 % of years at
the bets below; with the difference bounded it is 0.9 % (docs/decisions.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgebook.params import Gate

BETS = (0.5, 0.9)
"""Shares of the largest admissible stake on the books; wealth is the average over them.

The bound is about seven standard deviations of a difference, so that an edge which can show within two years asks for
at least half the stake. Smaller bets stay at wealth 1 and only dilute: with seven bets from 0.01 to 0.8 an edge of half
a risk a day was promoted within a year in 35 %, with these two in 67 % (docs/decisions.md).
"""
CANDIDATE_BETS = (0.75, 0.95)
CANDIDATE_GAIN, CANDIDATE_LOSS = 2.0, 4.0
"""A day's lead and lag in the scores of all candidates count up to these many usual days' stakes.

Twice as far down as up: whoever bets that moves come back gains a little most days and loses much on a few, and bounds
of 2.5 and 3 cut off more of what he loses than of what he gains. Cubed, such stakes, which know nothing, were promoted
in 13 % of years, now in 2 to 3 % (docs/evidence.md). The bets are larger for the wider bound.
"""
DIGITS = 8

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
    days : int
    log_wealth : ndarray, shape (2, bets)
        Of each bet, for the books and for the scores of all candidates.
    crossed : str or None
        Monday on which the wealth first stood at the bar.
    """

    kind: Kind
    arm: str
    against: str
    since: str
    bar: float
    days: int
    log_wealth: NDArray[np.float64]
    crossed: str | None = None

    @classmethod
    def begin(cls, kind: Kind, *, arm: str, against: str, since: str, bar: float) -> Trial:
        """Wealth 1, no day seen."""
        return cls(kind, arm, against, since, bar, 0, np.zeros((2, len(BETS))))

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
            "days": self.days,
            "log_wealth": {"books": self.log_wealth[0].tolist(), "candidates": self.log_wealth[1].tolist()},
            "crossed": self.crossed,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Trial:
        """Rebuild what `to_json` wrote."""
        wealth = np.array([data["log_wealth"]["books"], data["log_wealth"]["candidates"]], dtype=np.float64)
        return cls(**{**data, "log_wealth": wealth})


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
    >>> from edgebook.params import Gate
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
    >>> from edgebook.params import Gate
    >>> gate = Gate(alpha_per_year=0.05, admissions_per_year=4, book_share=0.7, max_gain_r=12.0, max_loss_r=18.0,
    ...     rollback_bar=4.0, rollback_weeks=26)
    >>> promotion_bar(gate), promotion_bar(gate, number=2)
    (40.0, 80.0)
    """
    return round(1 / error_share(gate, number=number), 6)


def baseline_bar(gate: Gate) -> float:
    """Wealth that shows the champion better than a baseline: a claim of its own, at the year's error; none is promoted.

    Parameters
    ----------
    gate : Gate
    """
    return round(1 / gate.alpha_per_year, 6)


def book_score(return_ratio: NDArray[np.float64], *, risk_per_trade: float, gate: Gate) -> NDArray[np.float64]:
    """Daily score of a book: its return in units of the risk of one trade.

    Parameters
    ----------
    return_ratio : ndarray, shape (days,)
        Daily net returns of equity.
    risk_per_trade : float
        Share of equity that one trade risks.
    gate : Gate

    Returns
    -------
    ndarray, shape (days,)
        Within max_gain_r + max_loss_r of 0, wide enough to leave every real day alone.
    """
    wide = gate.max_gain_r + gate.max_loss_r
    score: NDArray[np.float64] = np.clip(return_ratio / risk_per_trade, -wide, wide)
    return np.asarray(np.round(score, 6) + 0.0)


def candidate_stakes(consensus: NDArray[np.float64]) -> NDArray[np.float64]:
    """Stakes on all candidates: for or against each, in proportion to what the arm says of it.

    Parameters
    ----------
    consensus : ndarray
        Log-odds of a win beyond the base rate of regime and side, as the arm's heads agreed on them.

    Returns
    -------
    ndarray
        Below 0 is a stake against the candidate. They are paid out per usual day's stake (`candidate_score`), so that
        an overconfident twin, whose log-odds are a multiple, gains nothing; before costs, so that neither does one who
        trades less, or pays less (`edgebook.candidate_marks.marked_r`).

    Notes
    -----
    Stakes in proportion to the expected gain see the most of an edge per unit of risk (Kelly 1956). Stakes that rose
    over the top fifth of ranks saw less: see docs/decisions.md.
    """
    return np.asarray(np.round(consensus, 4) + 0.0)


def candidate_score(earned: NDArray[np.float64], *, expected_stake: float) -> NDArray[np.float64]:
    """Daily score of an arm's stakes on all candidates.

    Parameters
    ----------
    earned : ndarray, shape (days,)
        Sum over open candidates of stake x uniqueness x the day's change of their value in R, marked to market.
    expected_stake : float
        Sum of stake x uniqueness of a usual day, without signs, known before the week began.
    """
    if expected_stake <= 0:
        return np.zeros_like(earned)
    return np.asarray(np.round(earned / expected_stake, 6) + 0.0)


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
    A bounded difference lies above -l, so a stake of up to ``1 / l`` of the wealth per unit cannot lose more than all.
    Each bet of the grid is a fixed share of that; their average is again a betting strategy (Waudby-Smith & Ramdas
    2024, section 4.4; Robbins' mixtures). Both hypotheses are true when the challenger is no better, hence their
    weighted average is a supermartingale too. How often it promotes falsely, and how long an edge takes, is measured in
    tests/test_gate.py and in every A/B report.
    """
    largest = np.array([gate.max_loss_r, CANDIDATE_LOSS])
    stakes = np.array([BETS, CANDIDATE_BETS]) / largest[:, None]
    # Rounded day by day: a trial is then the same, to the last digit, however its days are parted into weeks.
    growth = np.round(np.log1p(stakes * bounded(differences, gate=gate)[:, :, None]), DIGITS)
    path = np.round(trial.log_wealth + np.cumsum(growth, axis=0), DIGITS)
    last = path[-1] + 0.0 if len(path) else trial.log_wealth
    return replace(trial, log_wealth=last, days=trial.days + len(path)), _mixed(path, book_share=gate.book_share)


def _mixed(log_wealth: NDArray[np.float64], *, book_share: float) -> NDArray[np.float64]:
    """Wealth over all bets and both hypotheses, from shape (..., 2, bets)."""
    each = np.exp(log_wealth).mean(axis=-1)
    return np.asarray(np.round(book_share * each[..., 0] + (1 - book_share) * each[..., 1], 6))
