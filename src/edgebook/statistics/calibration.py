"""How far evidence may be believed: calibration from scores that were given before the outcome was known.

Every week each candidate is scored by a policy fixed before the week began; when its outcome closes, the score and
the result go into a table of bins. The slope of that table, shrunk, is what a unit of evidence is worth. Nothing is
ever calibrated on scores of rows that a model was fitted to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

EVIDENCE_EDGE = 1.5
EVIDENCE_BINS = 31
CENTRES = np.round(np.linspace(-EVIDENCE_EDGE, EVIDENCE_EDGE, EVIDENCE_BINS), 4)
_SQUARES = CENTRES**2


def bin_of(evidence: NDArray[np.float64]) -> NDArray[np.int64]:
    """Bin number of each evidence; what lies outside the range goes to the outermost bins.

    Examples
    --------
    >>> bin_of(np.array([-9.0, 0.0, 0.06])).tolist()
    [0, 15, 16]
    """
    width = 2 * EVIDENCE_EDGE / (EVIDENCE_BINS - 1)
    number = np.floor((np.nan_to_num(evidence) + EVIDENCE_EDGE) / width + 0.5).astype(np.int64)
    clipped: NDArray[np.int64] = np.clip(number, 0, EVIDENCE_BINS - 1)
    return clipped


def slope(counts: NDArray[np.float64], *, prior: float, strength: float) -> float:
    """What a unit of evidence is worth in log-odds.

    Parameters
    ----------
    counts : ndarray, shape (bins, 2)
        Effective losses and wins of each bin of evidence, discounted by age.
    prior : float
        Slope that is believed without data.
    strength : float
        Weight of that belief, as the information of so many effective outcomes at unit evidence.

    Returns
    -------
    float
        In [0, 2], rounded to four digits. Zero: the evidence says nothing, or the wrong thing.

    Notes
    -----
    Platt's (1999) recalibration with a normal prior on the slope and a free intercept, by Newton's method on the bins.

    Examples
    --------
    Evidence that means what it says has slope 1; without data the prior stands.

    >>> share = 1 / (1 + np.exp(-CENTRES))
    >>> slope(np.c_[1e4 * (1 - share), 1e4 * share], prior=0.5, strength=5.0)
    1.0
    >>> slope(np.zeros((EVIDENCE_BINS, 2)), prior=0.5, strength=5.0)
    0.5
    """
    total = counts.sum(axis=1)
    if total.sum() <= 0:
        return prior
    wins = counts[:, 1]
    penalty = strength * 0.25
    level, gain = 0.0, prior
    for _ in range(25):
        share = 1.0 / (1.0 + np.exp(-(level + gain * CENTRES)))
        residual = wins - total * share
        curvature = total * share * (1 - share)
        up, along = float(residual.sum()), float(residual @ CENTRES) - penalty * (gain - prior)
        flat, cross = float(curvature.sum()) + 1e-9, float(curvature @ CENTRES)
        steep = float(curvature @ _SQUARES) + penalty
        # Two unknowns: solved by hand, many times faster than by a library, and a week asks for hundreds.
        size = flat * steep - cross * cross
        rise = min(max((steep * up - cross * along) / size, -1.0), 1.0)
        turn = min(max((flat * along - cross * up) / size, -1.0), 1.0)
        level, gain = level + rise, gain + turn
        if max(abs(rise), abs(turn)) < 1e-10:
            break
    return float(np.round(np.clip(gain, 0.0, 2.0), 4)) + 0.0


def log_odds(share: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Log-odds of a share, kept away from 0 and 1."""
    clipped = np.clip(share, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))


def probability(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share that belongs to log-odds, rounded to four digits."""
    return np.asarray(np.round(1.0 / (1.0 + np.exp(-odds)), 4))
