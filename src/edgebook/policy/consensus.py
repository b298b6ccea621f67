"""The weighted consensus of the heads, and how its weights and calibration are read from the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.policy.plan_outcomes import REGIMES
from edgebook.policy.record import AWAKE, DIGITS, HEADS
from edgebook.policy.stacking import stack_weights
from edgebook.policy.vote_strategies import PRIOR_VOTES, REGIME_VOTES, STACKED, strategy_weights
from edgebook.settings.recipes import HEAD_LETTERS
from edgebook.statistics.calibration import EVIDENCE_BINS, slope

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.policy.record import Record

STACK_PRIOR, STACK_STRENGTH, LARGEST = 0.3, 2.0, 3.0
"""Stacked: without data each head counts a third, for their evidence overlaps, with two units of information."""
HEAD_PRIOR_SLOPE, CONSENSUS_PRIOR_SLOPE, PRIOR_STRENGTH = 0.5, 0.5, 20.0


def strategy_in_force(record: Record, strategy: str) -> str:
    """The strategy itself, or for "meta" the one that leads."""
    return record.beliefs.leader if strategy == "meta" else strategy


def head_weights(record: Record, *, strategy: str) -> NDArray[np.float64]:
    """Weight of each head in each regime, shape (regimes, heads), at least 0.

    Parameters
    ----------
    record : Record
    strategy : str
        One of `edgebook.policy.vote_strategies.STRATEGIES`, or "meta".

    Notes
    -----
    Stacked, a head that has said nothing while others spoke, such as volume flow where no bar has a volume, has no
    weight: what is believed of heads without data would make it the heaviest.
    """
    strategy = strategy_in_force(record, strategy)
    if strategy == STACKED:
        found = stack_weights(record.head_stack, prior=STACK_PRIOR, strength=STACK_STRENGTH, largest=LARGEST)
        heard = _heard(record)
        return np.tile([found[letter] * (letter in heard) for letter in HEAD_LETTERS], (len(REGIMES), 1))
    return strategy_weights(record.votes, strategy)


def _heard(record: Record) -> set[str]:
    """Heads that have said anything of a candidate that has closed; all while none has."""
    (voters,), (gram,) = record.head_stack.groups.values(), record.head_stack.gram.values()
    said = np.diag(gram) > 0
    return {letter for letter, own in zip(voters, said, strict=True) if own or not said.any()}


def pooled(evidence: NDArray[np.float64], weights: NDArray[np.float64], *, strategy: str) -> NDArray[np.float64]:
    """Consensus of calibrated evidence as a strategy pools it, shape (n, sides).

    Parameters
    ----------
    evidence : ndarray, shape (n, heads, sides)
    weights : ndarray, shape (n, heads)
        Of each row's regime.
    strategy : str
        Stacked weights are those of a regression and are summed; votes are averaged (`combine`).
    """
    if strategy != STACKED:
        return combine(evidence, weights)
    total: NDArray[np.float64] = np.zeros((len(evidence), evidence.shape[2]))
    for head in range(evidence.shape[1]):
        total += weights[:, head, None] * evidence[:, head]
    return np.asarray(np.round(total, DIGITS))


def head_slopes(bins: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a unit of each head's raw evidence is worth, shape (heads, 2), from its losses and wins by bin."""
    return np.array([[slope(side, prior=HEAD_PRIOR_SLOPE, strength=PRIOR_STRENGTH) for side in head] for head in bins])


def consensus_slopes(record: Record, learner: str) -> NDArray[np.float64]:
    """What a unit of a learner's consensus is worth, shape (2,)."""
    bins = record.consensus.get(learner, np.zeros((2, EVIDENCE_BINS, 2)))
    return np.array([slope(side, prior=CONSENSUS_PRIOR_SLOPE, strength=PRIOR_STRENGTH) for side in bins])


def base_rates(record: Record) -> NDArray[np.float64]:
    """Share of candidates that won, by regime and side, each regime shrunk to its side; shape (regimes, 2)."""
    lost, won = record.results[..., 0], record.results[..., 1]
    overall = (won.sum(axis=0) + PRIOR_VOTES) / (won.sum(axis=0) + lost.sum(axis=0) + 2 * PRIOR_VOTES)
    rates: NDArray[np.float64] = np.round((won + REGIME_VOTES * overall) / (won + lost + REGIME_VOTES), DIGITS)
    return rates


def combine(evidence: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted consensus of calibrated evidence.

    Parameters
    ----------
    evidence : ndarray, shape (n, heads, sides)
        Calibrated log-odds; abstentions are 0.
    weights : ndarray, shape (n, heads)
        Of each row's regime.

    Returns
    -------
    ndarray, shape (n, sides)
        Log-odds relative to the base rate, before the consensus' own calibration: the weighted mean, times the square
        root of the number of heads. Abstaining heads are skipped, not counted against.
    """
    total, summed, count = np.zeros((3, len(evidence), evidence.shape[2]))
    for head in range(evidence.shape[1]):  # several times faster than sums over a short middle axis
        awake = np.abs(evidence[:, head]) >= AWAKE
        weight = weights[:, head, None] * awake
        total += weight
        summed += weight * evidence[:, head]
        count += awake
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(total > 0, summed / total, 0.0)
    combined: NDArray[np.float64] = np.round(mean * np.sqrt(HEADS) * np.sqrt(count / evidence.shape[1]), DIGITS)
    return combined
