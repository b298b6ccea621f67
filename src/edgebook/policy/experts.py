"""Learning strategies as experts: which way of weighing the heads has served best, and whether any has at all.

Each strategy gives every candidate a probability of its own, from the same heads and through a calibration of its own.
Fixed-Share shifts belief to those whose probabilities came true; a constant, the base rate, is among them and caps the
harm. The strategy that leads is the one that a recipe with head weights "meta" uses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.policy.vote_strategies import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

CONSTANT = "constant"
"""The base rate of regime and side: what is said when nothing is known."""
EXPERTS = (*STRATEGIES, CONSTANT)
SHIFT = 0.01
"""Share of belief that is spread anew every day: an expert may lead again after long trailing."""
MARGIN = 1.5
"""Belief in another strategy, relative to that in the one in force, at which it takes over."""
DIGITS = 6


@dataclass(frozen=True)
class Beliefs:
    """Belief in each expert.

    Parameters
    ----------
    shares : mapping of str to float
        By the names of `EXPERTS`; they add up to 1.
    leader : str
        Strategy in force for a recipe that follows the best.
    """

    shares: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(EXPERTS, round(1 / len(EXPERTS), DIGITS)))
    leader: str = "stacked"

    def to_json(self) -> dict[str, Any]:
        """Return the beliefs as a mapping."""
        return {"leader": self.leader, "shares": dict(self.shares)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Beliefs:
        """Rebuild what `to_json` wrote."""
        return cls(dict(data["shares"]), data["leader"])


def update_beliefs(beliefs: Beliefs, losses: Sequence[Mapping[str, float]]) -> Beliefs:
    """Return the beliefs after some days of closed outcomes.

    Parameters
    ----------
    beliefs : Beliefs
    losses : sequence of mapping of str to float
        One a day: log loss of each expert, summed over the day's candidates in outcomes that do not overlap.

    Notes
    -----
    Fixed-Share (Herbster & Warmuth 1998) on log loss with learning rate 1. The mixture of what the experts say of all
    outcomes of a day together, ``sum(share * likelihood of the day)``, loses over T days at most
    ``ln(K) + k ln(K / SHIFT) - (T - k - 1) ln(1 - SHIFT + SHIFT / K)`` more than the best sequence of K experts with k
    changes (`regret_bound`). No such bound holds for one expert, for the leader, or for a mixture of their
    probabilities candidate by candidate: outcomes of a day move together, and shares stand still while they do. The
    leader changes only to a strategy with `MARGIN` times its belief.

    Examples
    --------
    >>> good = {name: 9.0 for name in EXPERTS} | {"momentum": 5.0}
    >>> after = update_beliefs(Beliefs(), [good])
    >>> after.leader, round(after.shares["momentum"], 2)
    ('momentum', 0.88)
    """
    shares = np.array([beliefs.shares[name] for name in EXPERTS])
    for day in losses:
        loss = np.array([day[name] for name in EXPERTS])
        grown = shares * np.exp(-(loss - loss.min()))
        shares = (1 - SHIFT) * grown / grown.sum() + SHIFT / len(EXPERTS)
    shares = np.round(shares / shares.sum(), DIGITS)
    found = dict(zip(EXPERTS, shares.tolist(), strict=True))
    best = max(STRATEGIES, key=lambda name: found[name])
    leader = best if found[best] >= MARGIN * found[beliefs.leader] else beliefs.leader
    return Beliefs(found, leader)


def regret_bound(days: int, *, changes: int) -> float:
    """Log loss, in outcomes that do not overlap, that the mixture by shares can lose to the best sequence of experts.

    Parameters
    ----------
    days : int
    changes : int
        Times that the best expert changes.

    Notes
    -----
    Of the mixture over whole days that `update_beliefs` names. For whatever else follows the shares it is a yardstick
    that is measured against, not a promise.

    Examples
    --------
    Against the constant alone, over a year of days:

    >>> round(regret_bound(365, changes=0), 1)
    5.3
    """
    experts = len(EXPERTS)
    staying = (days - changes - 1) * -np.log(1 - SHIFT + SHIFT / experts)
    return float(np.log(experts) + changes * np.log(experts / SHIFT) + staying)


def log_losses(probability: NDArray[np.float64], won: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Log loss of each stated probability of a win."""
    clipped = np.clip(probability, 1e-4, 1 - 1e-4)
    return np.asarray(-np.log(np.where(won, clipped, 1 - clipped)))
