"""Weights of indicators within their head, learned from the outcomes that close every day.

A head is fitted to a year. An indicator of it that has stopped telling winners from losers, or does so in one regime
only, should count less before the year has forgotten it. What an indicator *said* of a candidate is its own share of
the head's evidence; its weight multiplies that share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.policy.plan_outcomes import REGIMES
from edgebook.policy.stacking import stack_weights
from edgebook.policy.vote_strategies import STACKED, strategy_weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edgebook.policy.heads import Head
    from edgebook.policy.stacking import StackRecord
    from edgebook.policy.vote_strategies import VoteRecord

SAID = 0.005
"""A share of evidence nearer to zero than this, in log-odds, is no vote."""
ANCHOR = 0.05
"""Weight, in log-odds, that every indicator is believed to have before it has voted."""
LARGEST = 3.0
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_LETTERS = np.frombuffer(_ALPHABET.encode("ascii"), dtype=np.uint8)
_NUMBER = np.zeros(128, np.int64)
_NUMBER[_LETTERS] = np.arange(64)
_MIDDLE, _STEPS = 2048, 1000
STACK_PRIOR, STACK_STRENGTH = 1.0, 5.0
"""Stacked: without data everything counts as it was fitted, with the weight of five units of information."""


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


def as_text(shares: NDArray[np.float64]) -> list[str]:
    """Write shares as one word a candidate, two letters an indicator, to a thousandth.

    Examples
    --------
    >>> as_text(np.array([[0.0, 0.5, -0.001]]))
    [':gAn0f_']
    """
    codes = np.round(in_thousandths(shares) * _STEPS).astype(np.int64) + _MIDDLE
    letters = np.stack([_LETTERS[codes // 64], _LETTERS[codes % 64]], axis=2)
    text, width = letters.tobytes().decode("ascii"), 2 * shares.shape[1]
    return [":" + text[start : start + width] for start in range(0, len(text), width)]


def in_thousandths(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares as `as_text` keeps them: what is learned from is what is written, whether or not it had to wait."""
    steps = np.clip(np.round(shares * _STEPS), -_MIDDLE, _MIDDLE - 1)
    return np.asarray(steps / _STEPS + 0.0)


def from_text(words: Sequence[str], *, indicators: int) -> NDArray[np.float64]:
    """Read what `as_text` wrote, shape (n, indicators)."""
    letters = np.frombuffer("".join(word[1:] for word in words).encode("ascii"), dtype=np.uint8)
    pairs = _NUMBER[letters].reshape(len(words), indicators, 2)
    shares: NDArray[np.float64] = (pairs[..., 0] * 64 + pairs[..., 1] - _MIDDLE) / _STEPS
    return shares


def indicator_weights(
    votes: VoteRecord, stack: StackRecord, *, strategy: str, indicators: Sequence[str], heads: Mapping[str, Head]
) -> dict[str, NDArray[np.float64]]:
    """Multiplier of every fitted indicator's share of evidence, by regime.

    Parameters
    ----------
    votes : VoteRecord
        Of the indicators, in the order of `indicators`.
    stack : StackRecord
        Of the indicators, by head.
    strategy : str
        One of `edgebook.policy.vote_strategies.STRATEGIES`.
    indicators : sequence of str
    heads : mapping of str to Head

    Returns
    -------
    dict of str to ndarray, shape (regimes,)
        Empty for "equal": everything counts as it was fitted.

    Notes
    -----
    "stacked" counts an indicator by what it adds to the others of its head (`edgebook.policy.stacking`), alike in all
    regimes. From votes: ``m = (w + ANCHOR) / mean over the head of (w + ANCHOR)``, at most `LARGEST`: relative within
    the head, so that its evidence keeps its scale and the calibration of the head stays what it was. How far the head
    as a whole is to be believed is learned by that calibration and by the head's own weight.
    """
    if strategy == "equal":
        return {}
    if strategy == STACKED:
        found = stack_weights(stack, prior=STACK_PRIOR, strength=STACK_STRENGTH, largest=LARGEST)
        used = [name for head in heads.values() for name in head.indicators]
        return {name: np.full(len(REGIMES), found.get(name, 1.0)) for name in used}
    place = {name: i for i, name in enumerate(indicators)}
    weights = strategy_weights(votes, strategy) + ANCHOR
    relative_to_head: dict[str, NDArray[np.float64]] = {}
    for head in heads.values():
        mine = weights[:, [place[name] for name in head.indicators]]
        relative = np.round(np.minimum(mine / mine.mean(axis=1, keepdims=True), LARGEST), 4)
        relative_to_head |= dict(zip(head.indicators, relative.T, strict=True))
    return relative_to_head


def multipliers(weights: Mapping[str, NDArray[np.float64]], names: Sequence[str]) -> NDArray[np.float64] | None:
    """Weights of some indicators, shape (regimes, k); None where everything counts as fitted."""
    if not weights:
        return None
    one = np.ones(len(REGIMES))
    return np.stack([weights.get(name, one) for name in names], axis=1)
