"""The weighted consensus of the heads, and the record from which its weights are learned.

The *record* is what an arm remembers of its own scores: hits and misses of every head by regime, and how often each
level of evidence won. It is updated when outcomes close, with the scores that were given before they did. From the
record and nothing else come the head weights, the calibration and the thresholds of next week's policy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.calibration import EVIDENCE_BINS, bin_of, log_odds, slope
from edgebook.market import REGIMES, SIDES
from edgebook.recipes import HEAD_LETTERS
from edgebook.thresholds import ThresholdSums

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


HEADS = len(HEAD_LETTERS)
AWAKE = 0.02
"""Evidence nearer to zero than this, in log-odds, is an abstention: neither agreement nor a vote."""
PRIOR_VOTES = 20.0
REGIME_VOTES = 40.0
STEP = 0.01
HEAD_PRIOR_SLOPE, CONSENSUS_PRIOR_SLOPE, PRIOR_STRENGTH = 0.5, 0.5, 20.0
DIGITS = 4


@dataclass(frozen=True)
class Observed:
    """Candidates whose outcomes closed in the week, with the scores given when they were decided.

    Parameters
    ----------
    regime, side : ndarray of int, shape (n,)
    raw : ndarray of float64, shape (n, heads)
        Raw evidence of each head for this side, nan where it abstained.
    consensus, confidence : ndarray of float64, shape (n,)
    won : ndarray of bool, shape (n,)
    r_multiple, weight : ndarray of float64, shape (n,)
        Net R, and what a candidate counts in outcomes that do not overlap.
    """

    regime: NDArray[np.int64]
    side: NDArray[np.int64]
    raw: NDArray[np.float64]
    consensus: NDArray[np.float64]
    confidence: NDArray[np.float64]
    won: NDArray[np.bool_]
    r_multiple: NDArray[np.float64]
    weight: NDArray[np.float64]


@dataclass(frozen=True)
class Record:
    """What an arm remembers of its scores, in effective outcomes, discounted by age.

    Parameters
    ----------
    votes : ndarray, shape (regimes, heads, 2)
        Misses and hits of awake votes.
    steps : ndarray, shape (regimes, heads)
        Head weights of the strategy "steps".
    heads : ndarray, shape (heads, 2, bins, 2)
        Losses and wins by side and bin of raw evidence.
    consensus : ndarray, shape (2, bins, 2)
        The same for the consensus.
    results : ndarray, shape (regimes, 2, 2)
        Losses and wins by regime and side.
    thresholds : tuple of ThresholdSums
        By regime.
    weeks : int
        Weeks learned from.
    """

    votes: NDArray[np.float64]
    steps: NDArray[np.float64]
    heads: NDArray[np.float64]
    consensus: NDArray[np.float64]
    results: NDArray[np.float64]
    thresholds: tuple[ThresholdSums, ...]
    weeks: int

    @classmethod
    def empty(cls) -> Record:
        """Nothing seen yet."""
        return cls(
            votes=np.zeros((len(REGIMES), HEADS, 2)),
            steps=np.ones((len(REGIMES), HEADS)),
            heads=np.zeros((HEADS, 2, EVIDENCE_BINS, 2)),
            consensus=np.zeros((2, EVIDENCE_BINS, 2)),
            results=np.zeros((len(REGIMES), 2, 2)),
            thresholds=tuple(ThresholdSums.empty() for _ in REGIMES),
            weeks=0,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain lists, by name of regime, head and side."""
        return {
            "weeks": self.weeks,
            "votes": _by_name(self.votes, REGIMES, tuple(HEAD_LETTERS)),
            "steps": _by_name(self.steps, REGIMES),
            "results": _by_name(self.results, REGIMES, SIDES),
            "heads": _by_name(self.heads.reshape(HEADS, 2, -1), tuple(HEAD_LETTERS), SIDES),
            "consensus": _by_name(self.consensus.reshape(2, -1), SIDES),
            "thresholds": {name: sums.to_json() for name, sums in zip(REGIMES, self.thresholds, strict=True)},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        """Rebuild what `to_json` wrote."""
        return cls(
            votes=_from_names(data["votes"]),
            steps=_from_names(data["steps"]),
            heads=_from_names(data["heads"]).reshape(HEADS, 2, EVIDENCE_BINS, 2),
            consensus=_from_names(data["consensus"]).reshape(2, EVIDENCE_BINS, 2),
            results=_from_names(data["results"]),
            thresholds=tuple(ThresholdSums.from_json(data["thresholds"][name]) for name in REGIMES),
            weeks=data["weeks"],
        )


def update_record(record: Record, seen: Observed, *, half_life_weeks: float) -> Record:
    """Return the record with one more week of closed outcomes.

    Parameters
    ----------
    record : Record
    seen : Observed
        Every candidate whose outcome closed in the week, chosen or not.
    half_life_weeks : float
        Age at which what was seen counts half.

    Notes
    -----
    A vote is a hit when an awake head favoured a candidate that won or disfavoured one that lost. Wins and losses are
    weighted so that each makes up half of its side: where 45 % of candidates win, a head that always says no would
    otherwise be right 55 % of the time and know nothing.
    """
    keep = 0.5 ** (1.0 / half_life_weeks)
    results = record.results * keep
    np.add.at(results, (seen.regime, seen.side, seen.won.astype(np.int64)), seen.weight)
    balance = _class_balance(results)[seen.side, seen.won.astype(np.int64)] * seen.weight

    votes, heads = record.votes * keep, record.heads * keep
    steps = record.steps.copy()
    for head in range(HEADS):
        raw = seen.raw[:, head]
        awake = np.abs(np.nan_to_num(raw)) >= AWAKE
        hit: NDArray[np.bool_] = (raw[awake] > 0) == seen.won[awake]
        np.add.at(votes[:, head], (seen.regime[awake], hit.astype(np.int64)), balance[awake])
        np.add.at(steps[:, head], seen.regime[awake], STEP * np.where(hit, 1.0, -1.0) * balance[awake])
        present = ~np.isnan(raw)
        place = (seen.side[present], bin_of(raw[present]), seen.won[present].astype(np.int64))
        np.add.at(heads[head], place, seen.weight[present])
    consensus = record.consensus * keep
    np.add.at(consensus, (seen.side, bin_of(seen.consensus), seen.won.astype(np.int64)), seen.weight)
    thresholds = tuple(
        sums.update(seen.confidence[seen.regime == i], seen.r_multiple[seen.regime == i])
        for i, sums in enumerate(record.thresholds)
    )
    return replace(
        record,
        votes=_rounded(votes),
        steps=_rounded(np.clip(steps, 0.0, 3.0)),
        heads=_rounded(heads),
        consensus=_rounded(consensus),
        results=_rounded(results),
        thresholds=thresholds,
        weeks=record.weeks + 1,
    )


def head_weights(record: Record, *, strategy: str) -> NDArray[np.float64]:
    """Weight of each head in each regime.

    Parameters
    ----------
    record : Record
    strategy : {"log_odds", "equal", "steps"}

    Returns
    -------
    ndarray, shape (regimes, heads)
        At least 0; all zero in a regime means that no head has shown to know anything there.

    Notes
    -----
    Log-odds of the hit rate are the optimal weights of independent votes (Nitzan & Paroush 1982). The rate of a head
    is shrunk to one half by `PRIOR_VOTES` votes a result, and that of a head in a regime to the head's own by
    `REGIME_VOTES`.
    """
    if strategy == "equal":
        return np.ones_like(record.steps)
    if strategy == "steps":
        return record.steps
    miss, hit = record.votes[..., 0], record.votes[..., 1]
    overall = (hit.sum(axis=0) + PRIOR_VOTES) / (hit.sum(axis=0) + miss.sum(axis=0) + 2 * PRIOR_VOTES)
    by_regime: NDArray[np.float64] = (hit + REGIME_VOTES * overall) / (hit + miss + REGIME_VOTES)
    return np.asarray(np.round(np.maximum(0.0, log_odds(by_regime)), DIGITS), dtype=np.float64)


def head_slopes(record: Record) -> NDArray[np.float64]:
    """What a unit of each head's raw evidence is worth, shape (heads, 2)."""
    return np.array(
        [[slope(side, prior=HEAD_PRIOR_SLOPE, strength=PRIOR_STRENGTH) for side in head] for head in record.heads]
    )


def consensus_slopes(record: Record) -> NDArray[np.float64]:
    """What a unit of consensus is worth, shape (2,)."""
    return np.array([slope(side, prior=CONSENSUS_PRIOR_SLOPE, strength=PRIOR_STRENGTH) for side in record.consensus])


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
    evidence : ndarray, shape (n, heads, 2)
        Calibrated log-odds; abstentions are 0.
    weights : ndarray, shape (n, heads)
        Of each row's regime.

    Returns
    -------
    ndarray, shape (n, 2)
        Log-odds relative to the base rate, before the consensus' own calibration: the weighted mean, times the square
        root of the number of heads. Abstaining heads are skipped, not counted against.
    """
    total, summed, count = np.zeros((3, len(evidence), 2))
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


def _class_balance(results: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight of a loss and a win of each side, so that each result makes up half of the side."""
    share = results.sum(axis=0)
    total = share.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(share > 0, total / (2 * share), 1.0)


def _rounded(array: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.round(array, DIGITS) + 0.0


def _by_name(array: NDArray[np.float64], *names: tuple[str, ...]) -> Any:
    if not names:
        return array.tolist()
    return {name: _by_name(part, *names[1:]) for name, part in zip(names[0], array, strict=True)}


def _from_names(data: Any) -> NDArray[np.float64]:
    if isinstance(data, dict):
        return np.array([_from_names(part) for part in data.values()])
    return np.array(data, dtype=np.float64)
