"""Weights of voters that overlap: results regressed on what was said, with the past fading.

Counting hits takes each voter by itself. Voters that say the same thing are then heard twice, and one that is right
only because a neighbour is keeps its weight. A regression of the results on all that was said sees what each of them
adds. It is kept as sums that fade with age, so that every closed outcome moves the weights and none is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.settings.rounding import rounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

DIGITS = 4


@dataclass(frozen=True)
class StackRecord:
    """Sums of the regression, by group of voters that are heard together.

    Parameters
    ----------
    groups : mapping of str to tuple of str
        Voters of each group, by name.
    gram : mapping of str to ndarray, shape (k, k)
        Sum of ``p (1 - p) x x'`` over closed candidates, x what the voters said and p the base rate.
    cross : mapping of str to ndarray, shape (k,)
        Sum of ``(won - p) x``.
    """

    groups: Mapping[str, tuple[str, ...]]
    gram: Mapping[str, NDArray[np.float64]]
    cross: Mapping[str, NDArray[np.float64]]

    @classmethod
    def empty(cls, groups: Mapping[str, tuple[str, ...]]) -> StackRecord:
        """Nothing seen yet."""
        sizes = {name: len(voters) for name, voters in groups.items()}
        return cls(
            dict(groups), {n: np.zeros((k, k)) for n, k in sizes.items()}, {n: np.zeros(k) for n, k in sizes.items()}
        )

    def to_json(self) -> dict[str, Any]:
        """Return voters, cross products and the lower half of the Gram matrix of each group."""
        return {
            name: {
                "voters": list(voters),
                "cross": self.cross[name].tolist(),
                "gram": [row[: i + 1].tolist() for i, row in enumerate(self.gram[name])],
            }
            for name, voters in self.groups.items()
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> StackRecord:
        """Rebuild what `to_json` wrote."""
        empty = cls.empty({name: tuple(group["voters"]) for name, group in data.items()})
        for name, group in data.items():
            gram = empty.gram[name]
            for i, row in enumerate(group["gram"]):
                gram[i, : i + 1] = gram[: i + 1, i] = row
            empty.cross[name][:] = group["cross"]
        return empty


def update_stack(
    record: StackRecord,
    said: Mapping[str, NDArray[np.float64]],
    *,
    won: NDArray[np.bool_],
    base: NDArray[np.float64],
    weight: NDArray[np.float64],
    keep: float,
) -> StackRecord:
    """Return the record with more closed outcomes.

    Parameters
    ----------
    record : StackRecord
    said : mapping of str to ndarray, shape (n, k)
        Evidence of each group's voters for the side of the candidate, in log-odds, given when it was decided.
    won : ndarray of bool, shape (n,)
    base : ndarray of float64, shape (n,)
        Share of candidates of the regime and side that won before.
    weight : ndarray of float64, shape (n,)
        Outcomes that do not overlap that each candidate stands for.
    keep : float
        What the past still counts.
    """
    information, surprise = weight * base * (1 - base), weight * (won - base)
    gram = {n: _rounded(record.gram[n] * keep + (x * information[:, None]).T @ x) for n, x in said.items()}
    cross = {n: _rounded(record.cross[n] * keep + surprise @ x) for n, x in said.items()}
    return StackRecord(record.groups, {**record.gram, **gram}, {**record.cross, **cross})


def stack_weights(record: StackRecord, *, prior: float, strength: float, largest: float) -> dict[str, float]:
    """What each voter's evidence counts, by name.

    Parameters
    ----------
    record : StackRecord
    prior : float
        Weight that is believed without data.
    strength : float
        Weight of that belief, as information at evidence of one.
    largest : float
        No voter counts more.

    Notes
    -----
    Stacking (Wolpert 1992; Breiman 1996 for weights that are not negative): one Newton step from the base rate of the
    logistic regression of the result on the evidence, with a normal prior, ``min (w - c)' (G + s I) (w - c)`` over
    ``w >= 0`` with ``c = (G + s I)^-1 (b + s prior)``.

    Examples
    --------
    Twins share the weight that one of them alone would have; a voter that is wrong gets none.

    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=(4000, 3)); x[:, 1] = x[:, 0]
    >>> won = rng.random(4000) < 1 / (1 + np.exp(-0.8 * x[:, 0] + 0.5 * x[:, 2]))
    >>> empty = StackRecord.empty({"g": ("one", "twin", "wrong")})
    >>> seen = update_stack(empty, {"g": x}, won=won, base=np.full(4000, 0.5), weight=np.ones(4000), keep=1.0)
    >>> {name: round(w, 1) for name, w in stack_weights(seen, prior=0.3, strength=2.0, largest=3.0).items()}
    {'one': 0.3, 'twin': 0.3, 'wrong': 0.0}
    """
    from scipy.optimize import nnls

    found: dict[str, float] = {}
    for name, voters in record.groups.items():
        if not voters:
            continue
        matrix = record.gram[name] + strength * np.eye(len(voters))
        root = np.linalg.cholesky(matrix)
        weights, _ = nnls(root.T, np.linalg.solve(root, record.cross[name] + strength * prior))
        found |= dict(zip(voters, np.round(np.minimum(weights, largest), DIGITS).tolist(), strict=True))
    return found


def _rounded(array: NDArray[np.float64]) -> NDArray[np.float64]:
    return rounded(array, DIGITS)
