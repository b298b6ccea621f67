"""How weights are learned from hits and misses: one record of votes, and six ways to read it.

A voter, an indicator or a head, favours a candidate, disfavours it or is silent. When the outcome closes its vote was a
hit or a miss. The record keeps both at three paces, so that a cautious and an eager reader see the same votes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edgebook.policy.plan_outcomes import REGIMES
from edgebook.settings.rounding import rounded
from edgebook.statistics.calibration import log_odds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

VOTE_STRATEGIES: Final = ("equal", "steps", "log_odds_slow", "log_odds_fast", "momentum", "by_regime")
STACKED: Final = "stacked"
"""The strategy that does not count votes: `edgebook.policy.stacking`."""
STRATEGIES: Final = (*VOTE_STRATEGIES, STACKED)
"""From nothing learned to the most adaptive; a recipe may name one of them, or "meta" for the one that leads."""
SLOW, OWN, FAST = range(3)
SLOW_WEEKS, FAST_WEEKS = 52.0, 4.0
"""Half-life of a vote at the conservative and at the aggressive pace; the recipe's own lies between."""
PRIOR_VOTES = 20.0
REGIME_VOTES = 40.0
STEP, LARGEST = 0.01, 3.0
DIGITS = 4


@dataclass(frozen=True)
class VoteRecord:
    """Hits and misses of some voters.

    Parameters
    ----------
    counts : ndarray, shape (paces, regimes, voters, 2)
        Misses and hits in effective outcomes, discounted by age at the slow, the recipe's own and the fast pace.
    steps : ndarray, shape (regimes, voters)
        Weights that move by `STEP` a vote.
    """

    counts: NDArray[np.float64]
    steps: NDArray[np.float64]

    @classmethod
    def empty(cls, voters: int) -> VoteRecord:
        """No vote seen, every step weight 1."""
        return cls(np.zeros((3, len(REGIMES), voters, 2)), np.ones((len(REGIMES), voters)))

    def to_json(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Return the record by name of the voter: for each regime misses and hits at three paces, and the step weight.

        A voter that has never voted is left out.
        """
        rows = np.concatenate(
            [self.counts.transpose(2, 1, 0, 3).reshape(len(names), len(REGIMES), 6), self.steps.T[..., None]], axis=2
        )
        voted = self.counts.any(axis=(0, 1, 3)) | (self.steps != 1).any(axis=0)
        return {name: row.tolist() for name, row, seen in zip(names, rows, voted, strict=True) if seen}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], names: tuple[str, ...]) -> VoteRecord:
        """Rebuild what `to_json` wrote, for voters in the order of `names`."""
        empty = cls.empty(len(names))
        for number, name in enumerate(names):
            if name in data:
                row = np.array(data[name], dtype=np.float64)
                empty.counts[:, :, number] = row[:, :6].reshape(len(REGIMES), 3, 2).transpose(1, 0, 2)
                empty.steps[:, number] = row[:, 6]
        return empty


def update_votes(
    record: VoteRecord,
    *,
    regime: NDArray[np.int64],
    favours: NDArray[np.int8],
    won: NDArray[np.bool_],
    weight: NDArray[np.float64],
    half_life_weeks: float,
    days: float = 1.0,
) -> VoteRecord:
    """Return the record with the outcomes that closed on one more day.

    Parameters
    ----------
    record : VoteRecord
    regime : ndarray of int64, shape (n,)
        Of each candidate that closed, chosen or not.
    favours : ndarray of int8, shape (n, voters)
        What each voter said when the candidate was decided: 1 for it, -1 against it, 0 nothing.
    won : ndarray of bool, shape (n,)
    weight : ndarray of float64, shape (n,)
        Outcomes that do not overlap that each candidate stands for, balanced between winners and losers.
    half_life_weeks : float
        Of the recipe's own pace.
    days : float
        Days that have passed.
    """
    voters = favours.shape[1]
    fresh = np.zeros((len(REGIMES), voters, 2))
    right, wrong = favours == np.where(won, 1, -1)[:, None], favours == np.where(won, -1, 1)[:, None]
    for code in range(len(REGIMES)):
        here = regime == code
        if here.any():
            fresh[code, :, 0] = weight[here] @ wrong[here]
            fresh[code, :, 1] = weight[here] @ right[here]
    keep = 0.5 ** (days / 7.0 / np.array([SLOW_WEEKS, half_life_weeks, FAST_WEEKS]))
    counts = record.counts * keep[:, None, None, None] + fresh
    steps = np.clip(record.steps + STEP * (fresh[..., 1] - fresh[..., 0]), 0.0, LARGEST)
    return VoteRecord(rounded(counts, DIGITS), rounded(steps, DIGITS))


def strategy_weights(record: VoteRecord, strategy: str) -> NDArray[np.float64]:
    """Weight of each voter in each regime, as one strategy reads the record.

    Parameters
    ----------
    record : VoteRecord
    strategy : str
        One of `VOTE_STRATEGIES`.

    Returns
    -------
    ndarray, shape (regimes, voters)
        At least 0. All zero in a regime: no voter has shown to know anything there.

    Notes
    -----
    Log-odds of the hit rate are the best weights of votes that err independently (Nitzan & Paroush 1982). A hit rate is
    shrunk to one half by `PRIOR_VOTES` votes a result. "log_odds_slow" and "log_odds_fast" read all regimes together at
    their pace; "momentum" takes the fast reading and adds what it has gained on the slow one; "by_regime" reads each
    regime at the recipe's pace, shrunk to all of them by `REGIME_VOTES`; "steps" is the baseline of ±0.01 a vote.
    """
    if strategy == "equal":
        return np.ones_like(record.steps)
    if strategy == "steps":
        return record.steps
    if strategy == "by_regime":
        miss, hit = record.counts[OWN, ..., 0], record.counts[OWN, ..., 1]
        overall = (hit.sum(axis=0) + PRIOR_VOTES) / (hit.sum(axis=0) + miss.sum(axis=0) + 2 * PRIOR_VOTES)
        odds = log_odds((hit + REGIME_VOTES * overall) / (hit + miss + REGIME_VOTES))
    else:
        slow, fast = _overall(record, SLOW), _overall(record, FAST)
        read = {"log_odds_slow": slow, "log_odds_fast": fast, "momentum": 2.0 * fast - slow}[strategy]
        odds = np.broadcast_to(read, record.steps.shape)
    return np.asarray(np.round(np.maximum(0.0, odds), DIGITS), dtype=np.float64)


def _overall(record: VoteRecord, pace: int) -> NDArray[np.float64]:
    """Log-odds of each voter's hit rate over all regimes."""
    miss, hit = record.counts[pace].sum(axis=0).T
    return np.asarray(log_odds((hit + PRIOR_VOTES) / (hit + miss + 2 * PRIOR_VOTES)))
