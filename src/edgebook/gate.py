"""The gate: evidence that survives being looked at every week.

Two books are compared by one paired number a day. A bettor with starting wealth 1 stakes, every day, a share of it
fixed by the past on the challenger being better; if the challenger is not, the wealth has no tendency to grow, and the
chance that it ever reaches ``1 / alpha`` is at most ``alpha`` (Ville's inequality), however often one looks and
whenever one stops. The challenger is promoted when it gets there.

The claim is about *bounded* daily scores, the same transform for both arms and fixed in advance: gains count up to
`max_gain_r` risks a day, losses up to the larger `max_loss_r`. Losses are bounded less tightly than gains because the
reverse would let a book pass that picks pennies and now and then loses a fortune.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgebook.params import Gate

BETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Shares of the largest admissible stake. Wealth is the average over them, so that none has to be guessed."""
CANDIDATE_GAIN, CANDIDATE_LOSS = 1.5, 3.0
TOP_SHARE = 0.2
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
        books, scores = np.exp(self.log_wealth).mean(axis=1)
        return float(np.round(book_share * books + (1 - book_share) * scores, 6))

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


def promotion_bar(gate: Gate) -> float:
    """Wealth that promotes: one over a challenger's share of the year's error.

    Examples
    --------
    >>> from edgebook.params import Gate
    >>> promotion_bar(Gate(alpha_per_year=0.05, admissions_per_year=4, book_share=0.7, max_gain_r=6.0,
    ...     max_loss_r=12.0, rollback_bar=4.0, rollback_weeks=26))
    80.0
    """
    return round(gate.admissions_per_year / gate.alpha_per_year, 6)


def book_score(return_ratio: NDArray[np.float64], *, risk_per_trade: float, gate: Gate) -> NDArray[np.float64]:
    """Bounded daily score of a book: its return in units of the risk of one trade.

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
        In [-max_loss_r, max_gain_r].
    """
    score: NDArray[np.float64] = np.clip(return_ratio / risk_per_trade, -gate.max_loss_r, gate.max_gain_r)
    return np.asarray(np.round(score, 6) + 0.0)


def candidate_stakes(rank: NDArray[np.float64]) -> NDArray[np.float64]:
    """Stakes on all candidates by the rank of their confidence: nothing below the top fifth, then rising to 1.

    Parameters
    ----------
    rank : ndarray
        Share of the arm's own recent candidates with less confidence, in [0, 1]. Ranks, not confidences, so that an
        overconfident twin with the same order gains nothing.
    """
    stakes: NDArray[np.float64] = np.clip((rank - (1 - TOP_SHARE)) / TOP_SHARE, 0.0, 1.0)
    return stakes


def candidate_score(earned: NDArray[np.float64], *, expected_stake: float) -> NDArray[np.float64]:
    """Bounded daily score of an arm's stakes on all candidates.

    Parameters
    ----------
    earned : ndarray, shape (days,)
        Sum over candidates that closed that day of stake x uniqueness x R.
    expected_stake : float
        Sum of stake x uniqueness of a usual day, known before the week began.
    """
    if expected_stake <= 0:
        return np.zeros_like(earned)
    return np.asarray(np.round(np.clip(earned / expected_stake, -CANDIDATE_LOSS, CANDIDATE_GAIN), 6) + 0.0)


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
    With scores in [-l, g] a difference lies above -(l + g), so a stake of up to ``1 / (l + g)`` of the wealth per unit
    cannot lose more than all. Each bet of the grid is a fixed share of that; their average is again a betting strategy
    (Waudby-Smith & Ramdas 2024, section 4.4; Robbins' mixtures). Both hypotheses are true when the challenger is no
    better, hence their weighted average is a supermartingale too.
    """
    bound = np.array([gate.max_gain_r + gate.max_loss_r, CANDIDATE_GAIN + CANDIDATE_LOSS])
    stakes = np.array(BETS)[None, :] / bound[:, None]
    log_wealth, path = trial.log_wealth, []
    for day in differences:
        log_wealth = np.round(log_wealth + np.log1p(stakes * day[:, None]), DIGITS)
        path.append(replace(trial, log_wealth=log_wealth).wealth(book_share=gate.book_share))
    return replace(trial, log_wealth=log_wealth + 0.0, days=trial.days + len(differences)), np.array(path)
