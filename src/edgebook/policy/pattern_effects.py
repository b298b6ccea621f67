"""Effectiveness of patterns by regime: what a pattern says beyond the consensus, learned from closed outcomes.

A pattern that wins often while the heads were confident anyway adds nothing. Its effect is therefore measured against
the confidence that the candidate had without it: more wins than that raise the consensus the next time, fewer lower it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.policy.plan_outcomes import REGIMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

PRIOR_INFORMATION = 10.0
"""Of no effect: the information of 40 outcomes that do not overlap."""
LARGEST = 1.0
DIGITS = 4


@dataclass(frozen=True)
class PatternRecord:
    """Surprise and information of every pattern, discounted by age.

    Parameters
    ----------
    sums : mapping of str to ndarray, shape (regimes, 2)
        By pattern: sum of ``won - p`` and of ``p (1 - p)`` over its candidates, in effective outcomes, with p the
        confidence without the pattern.
    """

    sums: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the sums as plain lists, by pattern."""
        return {name: self.sums[name].tolist() for name in sorted(self.sums)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PatternRecord:
        """Rebuild what `to_json` wrote."""
        return cls({name: np.array(rows, dtype=np.float64) for name, rows in data.items()})


def update_patterns(
    record: PatternRecord,
    *,
    tags: Sequence[str],
    tag: NDArray[np.int64],
    regime: NDArray[np.int64],
    won: NDArray[np.bool_],
    expected: NDArray[np.float64],
    weight: NDArray[np.float64],
    half_life_weeks: float,
    days: float = 1.0,
) -> PatternRecord:
    """Return the record with the outcomes that closed on one more day.

    Parameters
    ----------
    record : PatternRecord
    tags : sequence of str
        Names of the patterns; the first stands for none and is not learned.
    tag, regime : ndarray of int64, shape (n,)
        Of each candidate that closed, chosen or not.
    won : ndarray of bool, shape (n,)
    expected : ndarray of float64, shape (n,)
        Confidence without the pattern, given when the candidate was decided.
    weight : ndarray of float64, shape (n,)
    half_life_weeks, days : float
        Age at which an outcome counts half, and days that have passed.
    """
    keep = 0.5 ** (days / 7.0 / half_life_weeks)
    sums = {name: np.round(rows * keep, DIGITS) + 0.0 for name, rows in record.sums.items()}
    for code in np.unique(tag[tag > 0]):
        mine = tag == code
        fresh = np.zeros((len(REGIMES), 2))
        np.add.at(fresh[:, 0], regime[mine], (won[mine] - expected[mine]) * weight[mine])
        np.add.at(fresh[:, 1], regime[mine], expected[mine] * (1 - expected[mine]) * weight[mine])
        name = tags[code]
        sums[name] = np.round(sums.get(name, np.zeros_like(fresh)) + fresh, DIGITS) + 0.0
    return PatternRecord(sums)


def pattern_effects(record: PatternRecord) -> dict[str, NDArray[np.float64]]:
    """Log-odds that each pattern adds to the consensus, by regime.

    Parameters
    ----------
    record : PatternRecord

    Returns
    -------
    dict of str to ndarray, shape (regimes,)
        Above 0: candidates with the pattern won more often than their confidence said.

    Notes
    -----
    One step of Newton's method for the log-odds of the pattern as an offset, ``sum(won - p) / sum(p (1 - p))``, shrunk
    to 0 over all regimes and within a regime to all of them, each by `PRIOR_INFORMATION`.
    """
    found = {}
    for name in sorted(record.sums):
        surprise, information = record.sums[name].T
        overall = surprise.sum() / (information.sum() + PRIOR_INFORMATION)
        by_regime = (surprise + PRIOR_INFORMATION * overall) / (information + PRIOR_INFORMATION)
        found[name] = np.round(np.clip(by_regime, -LARGEST, LARGEST), DIGITS) + 0.0
    return found


def effect_of(
    effects: Mapping[str, NDArray[np.float64]],
    tags: Sequence[str],
    *,
    tag: NDArray[np.integer],
    regime: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Effect of each candidate's pattern in its regime, in the shape of `tag`; 0 where there is none."""
    none = np.zeros(len(REGIMES))
    table = np.stack([effects.get(name, none) if code else none for code, name in enumerate(tags)])
    return np.asarray(table[tag, regime])
