"""Weights of indicators within their head, learned from the outcomes that close every day.

A head is fitted to a year. An indicator of it that has stopped telling winners from losers, or does so in one regime
only, should count less before the year has forgotten it. What an indicator *said* of a candidate is its own share of
the head's evidence; its weight multiplies that share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.plan_outcomes import REGIMES
from edgebook.vote_strategies import VoteRecord, strategy_weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edgebook.heads import Head

SAID = 0.005
"""A share of evidence nearer to zero than this, in log-odds, is no vote."""
ANCHOR = 0.05
"""Weight, in log-odds, that every indicator is believed to have before it has voted."""
LARGEST = 3.0
_SIGNS = np.array(["n", ".", "y"])


def favours(shares: NDArray[np.float64]) -> NDArray[np.int8]:
    """What each indicator said: 1 for the candidate, -1 against it, 0 nothing.

    Parameters
    ----------
    shares : ndarray, shape (n, indicators)
        Each indicator's part of its head's evidence for the candidate's side, as fitted.

    Examples
    --------
    >>> favours(np.array([[0.2, -0.001, -0.03]])).tolist()
    [[1, 0, -1]]
    """
    return np.asarray(np.where(np.abs(shares) >= SAID, np.sign(shares), 0.0)).astype(np.int8)


def as_signs(said: NDArray[np.int8]) -> list[str]:
    """Write votes as one string a candidate, one letter an indicator: y for it, n against it, a point for silence.

    Examples
    --------
    >>> as_signs(np.array([[1, 0, -1]], dtype=np.int8))
    ['y.n']
    """
    return ["".join(row) for row in _SIGNS[said + 1]]


def from_signs(texts: Sequence[str], *, indicators: int) -> NDArray[np.int8]:
    """Read what `as_signs` wrote."""
    codes = np.frombuffer("".join(texts).encode("ascii"), dtype=np.uint8).reshape(len(texts), indicators)
    said: NDArray[np.int8] = np.where(codes == ord("y"), 1, np.where(codes == ord("n"), -1, 0)).astype(np.int8)
    return said


def indicator_weights(
    record: VoteRecord, *, strategy: str, indicators: Sequence[str], heads: Mapping[str, Head]
) -> dict[str, NDArray[np.float64]]:
    """Multiplier of every fitted indicator's share of evidence, by regime.

    Parameters
    ----------
    record : VoteRecord
        Of the indicators, in the order of `indicators`.
    strategy : str
        One of `edgebook.vote_strategies.STRATEGIES`.
    indicators : sequence of str
    heads : mapping of str to Head

    Returns
    -------
    dict of str to ndarray, shape (regimes,)
        Empty for "equal": everything counts as it was fitted.

    Notes
    -----
    ``m = (w + ANCHOR) / mean over the head of (w + ANCHOR)``, at most `LARGEST`: relative within the head, so that its
    evidence keeps its scale and the calibration of the head stays what it was. How far the head as a whole is to be
    believed is learned by that calibration and by the head's own weight.
    """
    if strategy == "equal":
        return {}
    place = {name: i for i, name in enumerate(indicators)}
    weights = strategy_weights(record, strategy) + ANCHOR
    found: dict[str, NDArray[np.float64]] = {}
    for head in heads.values():
        mine = weights[:, [place[name] for name in head.indicators]]
        relative = np.round(np.minimum(mine / mine.mean(axis=1, keepdims=True), LARGEST), 4)
        found |= dict(zip(head.indicators, relative.T, strict=True))
    return found


def multipliers(weights: Mapping[str, NDArray[np.float64]], names: Sequence[str]) -> NDArray[np.float64] | None:
    """Weights of some indicators, shape (regimes, k); None where everything counts as fitted."""
    if not weights:
        return None
    one = np.ones(len(REGIMES))
    return np.stack([weights.get(name, one) for name in names], axis=1)
