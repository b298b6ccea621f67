"""What an arm learns from: candidates whose outcome closed, with what was said of them when they were decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Observed:
    """Candidates whose outcomes closed in the week, with what was said of them when they were decided.

    Parameters
    ----------
    row, day : ndarray of int64, shape (n,)
        Decision bar, a row of the market; and the day of the week, from 0, on which the outcome became known.
    regime, side : ndarray of int, shape (n,)
    raw : ndarray of float64, shape (n, heads)
        Raw evidence of each head for this side, nan where it abstained.
    fitted : ndarray of float64, shape (n, heads), optional
        The same without indicator weights, for an arm that has them.
    shares : ndarray of float64, shape (n, indicators)
        Each indicator's part of its head's evidence, as fitted (`edgebook.policy.heads.shares`).
    consensus, confidence : ndarray of float64, shape (n,)
    expected, effect : ndarray of float64, shape (n,)
        Confidence without the pattern, and what the pattern added to the consensus.
    base : ndarray of float64, shape (n,)
        Share of candidates of the regime and side that had won.
    told, stated : mapping of str to ndarray of float64, shape (n,)
        Consensus and probability of every learner that ran beside the one in force (`edgebook.policy.learners`).
    rank : ndarray of float64, shape (n,)
        Share of the policy's recent candidates with less confidence.
    tag : ndarray of int64, shape (n,)
        Pattern, an index into the market's names; 0 is none.
    won : ndarray of bool, shape (n,)
    r_multiple, weight : ndarray of float64, shape (n,)
        Net R, and what a candidate counts in outcomes that do not overlap.
    """

    row: NDArray[np.int64]
    day: NDArray[np.int64]
    regime: NDArray[np.int64]
    side: NDArray[np.int64]
    raw: NDArray[np.float64]
    fitted: NDArray[np.float64] | None = None
    shares: NDArray[np.float64]
    consensus: NDArray[np.float64]
    confidence: NDArray[np.float64]
    expected: NDArray[np.float64]
    effect: NDArray[np.float64]
    base: NDArray[np.float64]
    told: Mapping[str, NDArray[np.float64]]
    stated: Mapping[str, NDArray[np.float64]]
    rank: NDArray[np.float64]
    tag: NDArray[np.int64]
    won: NDArray[np.bool_]
    r_multiple: NDArray[np.float64]
    weight: NDArray[np.float64]
