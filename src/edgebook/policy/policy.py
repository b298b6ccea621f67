"""A policy: a recipe plus what it has learned by a date. It scores candidates, and it can be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.policy import consensus as pool
from edgebook.policy.heads import Head, evidence
from edgebook.policy.indicator_weights import multipliers
from edgebook.policy.market import REGIMES, SIDES
from edgebook.policy.pattern_effects import effect_of
from edgebook.policy.record import AWAKE, DIGITS
from edgebook.settings.recipes import HEAD_LETTERS
from edgebook.statistics.calibration import log_odds, probability
from edgebook.statistics.thresholds import Threshold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgebook.policy.market import Market


SPREAD = (0.0, 0.25, 0.5, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99, 1.0)
"""Quantiles at which a policy remembers the confidence that it gives."""


@dataclass(frozen=True)
class Policy:
    """What an arm does with a candidate.

    Parameters
    ----------
    recipe : str
        Name of the recipe.
    learned : str
        The Monday up to which it has learned: with the recipe's name, its version.
    fitted : str
        The Monday at which its heads were fitted.
    exit_plan : str
    min_heads_agree : int
    heads : mapping of str to Head
        By letter.
    slopes : ndarray, shape (heads, 2)
        Calibration of each head's evidence, long and short.
    weights : ndarray, shape (regimes, heads)
    consensus_slope : ndarray, shape (2,)
    base : ndarray, shape (regimes, 2)
        Win rate of all candidates.
    thresholds : mapping of str to Threshold
        By regime.
    spread : ndarray, shape (regimes, points)
        Confidence that it gives recent candidates at the quantiles `SPREAD`: what is high and what is low for it.
    strategy : str
        Learning strategy of its head weights: the recipe's, or the one that led when the recipe follows the best.
    regimes : str
        Labels of the bars that it goes by, as in `Recipe.regimes`.
    indicator_weights : mapping of str to ndarray, shape (regimes,)
        What each indicator's share of its head's evidence counts; empty where all count as fitted.
    pattern_effects : mapping of str to ndarray, shape (regimes,)
        What each pattern adds to the consensus, in log-odds; empty where patterns are not heard.
    """

    recipe: str
    learned: str
    fitted: str
    exit_plan: str
    min_heads_agree: int
    heads: dict[str, Head]
    slopes: NDArray[np.float64]
    weights: NDArray[np.float64]
    consensus_slope: NDArray[np.float64]
    base: NDArray[np.float64]
    thresholds: dict[str, Threshold]
    spread: NDArray[np.float64]
    strategy: str = "by_regime"
    regimes: str = "rule"
    indicator_weights: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    pattern_effects: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Recipe and week, e.g. ``r1@2019-07-01``."""
        return f"{self.recipe}@{self.learned}"

    def to_json(self) -> dict[str, Any]:
        """Return the policy as plain mappings, what a reviewer looks for first."""
        letters = tuple(HEAD_LETTERS)
        return {
            "recipe": self.recipe,
            "learned": self.learned,
            "fitted": self.fitted,
            "exit_plan": self.exit_plan,
            "min_heads_agree": self.min_heads_agree,
            "strategy": self.strategy,
            "regimes": self.regimes,
            "thresholds": {name: threshold.to_json() for name, threshold in self.thresholds.items()},
            "head_weights": {
                regime: dict(zip(letters, row.tolist(), strict=True))
                for regime, row in zip(REGIMES, self.weights, strict=True)
            },
            "head_slopes": {
                letter: dict(zip(SIDES, row.tolist(), strict=True))
                for letter, row in zip(letters, self.slopes, strict=True)
            },
            "consensus_slope": dict(zip(SIDES, self.consensus_slope.tolist(), strict=True)),
            "base_win_rate": {
                regime: dict(zip(SIDES, row.tolist(), strict=True))
                for regime, row in zip(REGIMES, self.base, strict=True)
            },
            "confidence_spread": {regime: row.tolist() for regime, row in zip(REGIMES, self.spread, strict=True)},
            "pattern_effects": _by_regime(self.pattern_effects),
            "indicator_weights": _by_regime(self.indicator_weights),
            "head_columns": ["mean", "scale", "value_long", "value_short", "vote_long", "vote_short"],
            "heads": {letter: head.to_json() for letter, head in self.heads.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Policy:
        """Rebuild what `to_json` wrote; scores are the same to the last bit."""

        def matrix(rows: Mapping[str, Mapping[str, float]]) -> NDArray[np.float64]:
            return np.array([list(row.values()) for row in rows.values()], dtype=np.float64)

        return cls(
            recipe=data["recipe"],
            learned=data["learned"],
            fitted=data["fitted"],
            exit_plan=data["exit_plan"],
            min_heads_agree=data["min_heads_agree"],
            heads={letter: Head.from_json(head) for letter, head in data["heads"].items()},
            slopes=matrix(data["head_slopes"]),
            weights=matrix(data["head_weights"]),
            consensus_slope=np.array(list(data["consensus_slope"].values()), dtype=np.float64),
            base=matrix(data["base_win_rate"]),
            thresholds={name: Threshold.from_json(row) for name, row in data["thresholds"].items()},
            spread=np.array(list(data["confidence_spread"].values()), dtype=np.float64),
            strategy=data["strategy"],
            regimes=data["regimes"],
            indicator_weights=_of_names(data["indicator_weights"]),
            pattern_effects=_of_names(data["pattern_effects"]),
        )


@dataclass(frozen=True)
class Scores:
    """What a policy says of candidates, known at their decision bar; column 0 of a side axis is long, 1 short.

    Parameters
    ----------
    raw : ndarray, shape (n, heads, 2)
        Raw evidence, nan where a head abstains for want of data.
    heads : ndarray, shape (n, heads, 2)
        Calibrated evidence, log-odds relative to the base rate; 0 is an abstention.
    consensus, confidence : ndarray, shape (n, 2)
        Pooled evidence with the pattern's effect, and the probability of a win.
    effect, expected : ndarray, shape (n, 2)
        What the pattern adds to the consensus, and the probability without it.
    agree : ndarray of int64, shape (n, 2)
        Heads that favour the side.
    threshold : ndarray, shape (n,)
    certified : ndarray of bool, shape (n,)
    """

    raw: NDArray[np.float64]
    heads: NDArray[np.float64]
    consensus: NDArray[np.float64]
    confidence: NDArray[np.float64]
    effect: NDArray[np.float64]
    expected: NDArray[np.float64]
    agree: NDArray[np.int64]
    threshold: NDArray[np.float64]
    certified: NDArray[np.bool_]


def score(policy: Policy, market: Market, *, rows: NDArray[np.int64]) -> Scores:
    """Score the candidates of some bars.

    Parameters
    ----------
    policy : Policy
    market : Market
    rows : ndarray of int64, shape (n,)
        Bars; only their own indicators, votes and regime are read.
    """
    market = market.labelled(policy.regimes).knowing(name for head in policy.heads.values() for name in head.indicators)
    column = {name: i for i, name in enumerate(market.indicators)}
    regime = market.regime[rows].astype(np.int64)
    raw = np.full((len(rows), len(HEAD_LETTERS), 2), np.nan)
    for letter, head in policy.heads.items():
        chosen = np.array([column[name] for name in head.indicators])
        values, votes = market.values[np.ix_(rows, chosen)], market.votes[np.ix_(rows, chosen)]
        weights = multipliers(policy.indicator_weights, head.indicators)
        raw[:, HEAD_LETTERS.index(letter)] = evidence(
            head, values, votes=votes, weights=None if weights is None else weights[regime]
        )
    calibrated = np.round(np.nan_to_num(raw) * policy.slopes, DIGITS)
    pooled = pool.pooled(calibrated, policy.weights[regime], strategy=policy.strategy)
    effect = effect_of(policy.pattern_effects, market.tag_names, tag=market.tag[rows], regime=regime[:, None])
    consensus = np.round(pooled + effect, DIGITS)
    base = log_odds(policy.base[regime])
    thresholds = [policy.thresholds[name] for name in REGIMES]
    return Scores(
        raw=raw,
        heads=calibrated,
        consensus=consensus,
        confidence=probability(base + policy.consensus_slope * consensus),
        effect=effect,
        expected=probability(base + policy.consensus_slope * pooled),
        agree=(calibrated >= AWAKE).sum(axis=1),
        threshold=np.array([t.value for t in thresholds])[regime],
        certified=np.array([t.certified for t in thresholds])[regime],
    )


def _by_regime(table: Mapping[str, NDArray[np.float64]]) -> dict[str, dict[str, float]]:
    """Values by name, then regime, as a reviewer reads them."""
    return {name: dict(zip(REGIMES, row.tolist(), strict=True)) for name, row in table.items()}


def _of_names(data: Mapping[str, Mapping[str, float]]) -> dict[str, NDArray[np.float64]]:
    return {name: np.array(list(row.values()), dtype=np.float64) for name, row in data.items()}
