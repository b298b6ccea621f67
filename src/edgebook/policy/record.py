"""The record: what an arm remembers of its scores, from which all that it learns between two fits follows.

It is updated when outcomes close, with what was said before they did: hits and misses of indicators and heads by
regime, how often each level of evidence won, what patterns added, what thresholds would have earned, and how far each
learning strategy is to be believed. Weights, calibration, effects and thresholds of next week's policy are read from it
and from nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.policy.experts import Beliefs
from edgebook.policy.indicator_weights import favours
from edgebook.policy.pattern_effects import PatternRecord, update_patterns
from edgebook.policy.plan_outcomes import REGIMES, SIDES
from edgebook.policy.stacking import StackRecord, update_stack
from edgebook.policy.threshold_rules import ThresholdManager, update_manager
from edgebook.policy.vote_strategies import VoteRecord, update_votes
from edgebook.settings.recipes import HEAD_LETTERS
from edgebook.settings.rounding import rounded
from edgebook.statistics.calibration import EVIDENCE_BINS, bin_of
from edgebook.statistics.thresholds import ThresholdSums

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edgebook.policy.observed import Observed

HEADS = len(HEAD_LETTERS)
AWAKE = 0.02
"""Evidence nearer to zero than this, in log-odds, is an abstention: neither agreement nor a vote."""
DIGITS = 4


@dataclass(frozen=True)
class Record:
    """What an arm remembers of its scores, in effective outcomes, discounted by age.

    Parameters
    ----------
    votes : VoteRecord
        Of the heads.
    indicators : VoteRecord
        Of the indicators, in the order of `names`.
    names : tuple of str
    head_stack, indicator_stack : StackRecord
        Of the heads together, and of the indicators of each head.
    heads, fitted_heads : ndarray, shape (heads, 2, bins, 2)
        Losses and wins by side and bin of raw evidence, with and without indicator weights.
    consensus : mapping of str to ndarray, shape (2, bins, 2)
        The same for the consensus, by learner: each strategy's, and those of the frozen twins.
    results : ndarray, shape (regimes, 2, 2)
        Losses and wins by regime and side.
    patterns : PatternRecord
    thresholds : tuple of ThresholdSums
        By regime.
    manager : ThresholdManager
    beliefs : Beliefs
    weeks : int
        Weeks learned from.
    """

    votes: VoteRecord
    indicators: VoteRecord
    names: tuple[str, ...]
    head_stack: StackRecord
    indicator_stack: StackRecord
    heads: NDArray[np.float64]
    fitted_heads: NDArray[np.float64]
    consensus: Mapping[str, NDArray[np.float64]]
    results: NDArray[np.float64]
    patterns: PatternRecord
    thresholds: tuple[ThresholdSums, ...]
    manager: ThresholdManager
    beliefs: Beliefs
    weeks: int

    @classmethod
    def empty(cls, names: Sequence[str] = (), families: Mapping[str, Sequence[str]] | None = None) -> Record:
        """Nothing seen yet; `names` are those of the indicators, `families` those of each head."""
        return cls(
            votes=VoteRecord.empty(HEADS),
            indicators=VoteRecord.empty(len(names)),
            names=tuple(names),
            head_stack=StackRecord.empty({"heads": tuple(HEAD_LETTERS)}),
            indicator_stack=StackRecord.empty({letter: tuple(group) for letter, group in (families or {}).items()}),
            heads=np.zeros((HEADS, 2, EVIDENCE_BINS, 2)),
            fitted_heads=np.zeros((HEADS, 2, EVIDENCE_BINS, 2)),
            consensus={},
            results=np.zeros((len(REGIMES), 2, 2)),
            patterns=PatternRecord(),
            thresholds=tuple(ThresholdSums.empty() for _ in REGIMES),
            manager=ThresholdManager.empty(),
            beliefs=Beliefs(),
            weeks=0,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain lists, by name of regime, head and side."""
        letters = tuple(HEAD_LETTERS)
        return {
            "weeks": self.weeks,
            "beliefs": self.beliefs.to_json(),
            "votes": self.votes.to_json(letters),
            "indicators": self.indicators.to_json(self.names),
            "names": list(self.names),
            "head_stack": self.head_stack.to_json(),
            "indicator_stack": self.indicator_stack.to_json(),
            "patterns": self.patterns.to_json(),
            "results": _by_name(self.results, REGIMES, SIDES),
            "heads": _bins_to_json(self.heads),
            "fitted_heads": _bins_to_json(self.fitted_heads),
            "consensus": {name: _by_name(bins.reshape(2, -1), SIDES) for name, bins in self.consensus.items()},
            "manager": self.manager.to_json(),
            "thresholds": {name: sums.to_json() for name, sums in zip(REGIMES, self.thresholds, strict=True)},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        """Rebuild what `to_json` wrote."""
        names = tuple(data["names"])
        return cls(
            votes=VoteRecord.from_json(data["votes"], tuple(HEAD_LETTERS)),
            indicators=VoteRecord.from_json(data["indicators"], names),
            names=names,
            head_stack=StackRecord.from_json(data["head_stack"]),
            indicator_stack=StackRecord.from_json(data["indicator_stack"]),
            heads=_bins_from_json(data["heads"]),
            fitted_heads=_bins_from_json(data["fitted_heads"]),
            consensus={n: _from_names(rows).reshape(2, EVIDENCE_BINS, 2) for n, rows in data["consensus"].items()},
            results=_from_names(data["results"]),
            patterns=PatternRecord.from_json(data["patterns"]),
            thresholds=tuple(ThresholdSums.from_json(data["thresholds"][name]) for name in REGIMES),
            manager=ThresholdManager.from_json(data["manager"]),
            beliefs=Beliefs.from_json(data["beliefs"]),
            weeks=data["weeks"],
        )


def update_record(
    record: Record,
    seen: Observed,
    *,
    half_life_weeks: float,
    tags: Sequence[str] = ("none",),
    beliefs: Beliefs | None = None,
    slopes: NDArray[np.float64] | None = None,
) -> Record:
    """Return the record with one more week of closed outcomes.

    Parameters
    ----------
    record : Record
    seen : Observed
        Every candidate whose outcome closed in the week, chosen or not.
    half_life_weeks : float
        Age at which what was seen counts half.
    tags : sequence of str
        Names of the patterns that `seen.tag` points to.
    beliefs : Beliefs, optional
        In the learning strategies after the week; by default as before.
    slopes : ndarray, shape (heads, 2), optional
        Calibration of the heads in force, without which the regressions learn nothing.

    Notes
    -----
    Votes and regressions are taken day by day, in the order in which outcomes closed. A vote is a hit when an awake
    voter favoured a candidate that won or disfavoured one that lost. Wins and losses are weighted so that each makes up
    half of its side: where 45 % of candidates win, a voter that always says no would otherwise be right 55 % of the
    time and know nothing.
    """
    keep = 0.5 ** (1.0 / half_life_weeks)
    won = seen.won.astype(np.int64)
    results, votes, indicators, patterns = record.results, record.votes, record.indicators, record.patterns
    opinions = np.where(np.abs(np.nan_to_num(seen.raw)) >= AWAKE, np.sign(np.nan_to_num(seen.raw)), 0).astype(np.int8)
    said = favours(seen.shares)
    head_stack, indicator_stack = record.head_stack, record.indicator_stack
    evidence = None if slopes is None else np.round(np.nan_to_num(seen.raw) * slopes.T[seen.side], DIGITS)
    for day in range(7):
        at = seen.day == day
        results = results * keep ** (1 / 7)
        np.add.at(results, (seen.regime[at], seen.side[at], won[at]), seen.weight[at])
        balance = _class_balance(results)[seen.side[at], won[at]] * seen.weight[at]
        how = {"regime": seen.regime[at], "won": seen.won[at], "weight": balance, "half_life_weeks": half_life_weeks}
        votes = update_votes(votes, favours=opinions[at], **how)
        if record.names:
            indicators = update_votes(indicators, favours=said[at], **how)
        if evidence is not None:
            known = {"won": seen.won[at], "base": seen.base[at], "weight": seen.weight[at]}
            by_head = _by_group(seen.shares[at], names=record.names, groups=indicator_stack.groups)
            head_stack = update_stack(head_stack, {"heads": evidence[at]}, keep=keep ** (1 / 7), **known)
            indicator_stack = update_stack(indicator_stack, by_head, keep=keep ** (1 / 7), **known)
        patterns = update_patterns(
            patterns,
            tags=tags,
            tag=seen.tag[at],
            regime=seen.regime[at],
            won=seen.won[at],
            expected=seen.expected[at],
            weight=seen.weight[at],
            half_life_weeks=half_life_weeks,
        )
    consensus = {name: bins * keep for name, bins in record.consensus.items()}
    for name, told in seen.told.items():
        bins = consensus.setdefault(name, np.zeros((2, EVIDENCE_BINS, 2)))
        np.add.at(bins, (seen.side, bin_of(told), won), seen.weight)
    favoured = seen.consensus > 0
    return replace(
        record,
        votes=votes,
        indicators=indicators,
        head_stack=head_stack,
        indicator_stack=indicator_stack,
        heads=_update_bins(record.heads, seen, seen.raw, keep=keep),
        fitted_heads=record.fitted_heads
        if seen.fitted is None
        else _update_bins(record.fitted_heads, seen, seen.fitted, keep=keep),
        consensus={name: _rounded(bins) for name, bins in consensus.items()},
        results=_rounded(results),
        patterns=patterns,
        thresholds=tuple(
            sums.update(seen.confidence[seen.regime == i], seen.r_multiple[seen.regime == i])
            for i, sums in enumerate(record.thresholds)
        ),
        manager=update_manager(
            record.manager,
            regime=seen.regime[favoured],
            rank=seen.rank[favoured],
            r_multiple=seen.r_multiple[favoured],
            weight=seen.weight[favoured],
            half_life_weeks=half_life_weeks,
        ),
        beliefs=beliefs or record.beliefs,
        weeks=record.weeks + 1,
    )


def _by_group(
    shares: NDArray[np.float64], *, names: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> dict[str, NDArray[np.float64]]:
    """Columns of the indicators of each head."""
    place = {name: number for number, name in enumerate(names)}
    return {letter: shares[:, [place[name] for name in group]] for letter, group in groups.items()}


def _update_bins(
    bins: NDArray[np.float64], seen: Observed, raw: NDArray[np.float64], *, keep: float
) -> NDArray[np.float64]:
    """Losses and wins by bin of each head's evidence."""
    fresh = bins * keep
    for head in range(HEADS):
        present = ~np.isnan(raw[:, head])
        place = (seen.side[present], bin_of(raw[present, head]), seen.won[present].astype(np.int64))
        np.add.at(fresh[head], place, seen.weight[present])
    return _rounded(fresh)


def _class_balance(results: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight of a loss and a win of each side, so that each result makes up half of the side."""
    share = results.sum(axis=0)
    total = share.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(share > 0, total / (2 * share), 1.0)


def _rounded(array: NDArray[np.float64]) -> NDArray[np.float64]:
    return rounded(array, DIGITS)


def _bins_to_json(bins: NDArray[np.float64]) -> Any:
    return _by_name(bins.reshape(HEADS, 2, -1), tuple(HEAD_LETTERS), SIDES) if bins.any() else {}


def _bins_from_json(data: Any) -> NDArray[np.float64]:
    shape = (HEADS, 2, EVIDENCE_BINS, 2)
    return _from_names(data).reshape(shape) if data else np.zeros(shape)


def _by_name(array: NDArray[np.float64], *names: tuple[str, ...]) -> Any:
    if not names:
        return array.tolist()
    return {name: _by_name(part, *names[1:]) for name, part in zip(names[0], array, strict=True)}


def _from_names(data: Any) -> NDArray[np.float64]:
    if isinstance(data, dict):
        return np.array([_from_names(part) for part in data.values()])
    return np.array(data, dtype=np.float64)
