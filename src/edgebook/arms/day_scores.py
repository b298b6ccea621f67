"""What an arm's day counts for at the gate: the return of its book, and what its word on all candidates earned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.settings.params import Gate


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
        trades less, or pays less (`edgebook.policy.candidate_marks.marked_r`).

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
