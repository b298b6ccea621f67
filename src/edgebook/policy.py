"""A policy: a recipe plus what it has learned by a date. It scores candidates, and it can be read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook import consensus as pool
from edgebook.calibration import log_odds, probability
from edgebook.heads import Head, evidence
from edgebook.market import REGIMES, SIDES, WEEK_MS, iso
from edgebook.recipes import HEAD_LETTERS
from edgebook.thresholds import Threshold, choose_threshold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgebook.market import Market
    from edgebook.recipes import Recipe


SPREAD = (0.0, 0.25, 0.5, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99, 1.0)
RECENT_WEEKS = 8
MIN_RECENT = 400
"""A regime with fewer recent candidates takes its spread from all regimes together."""


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
        Pooled evidence, and the probability of a win.
    agree : ndarray of int64, shape (n, 2)
        Heads that favour the side.
    threshold : ndarray, shape (n,)
    certified : ndarray of bool, shape (n,)
    """

    raw: NDArray[np.float64]
    heads: NDArray[np.float64]
    consensus: NDArray[np.float64]
    confidence: NDArray[np.float64]
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
    column = {name: i for i, name in enumerate(market.indicators)}
    raw = np.full((len(rows), len(HEAD_LETTERS), 2), np.nan)
    for letter, head in policy.heads.items():
        chosen = np.array([column[name] for name in head.indicators])
        values, votes = market.values[np.ix_(rows, chosen)], market.votes[np.ix_(rows, chosen)]
        raw[:, HEAD_LETTERS.index(letter)] = evidence(head, values, votes=votes)
    calibrated = np.round(np.nan_to_num(raw) * policy.slopes, pool.DIGITS)
    regime = market.regime[rows].astype(np.int64)
    pooled = pool.combine(calibrated, policy.weights[regime])
    confidence = probability(log_odds(policy.base[regime]) + policy.consensus_slope * pooled)
    thresholds = [policy.thresholds[name] for name in REGIMES]
    return Scores(
        raw=raw,
        heads=calibrated,
        consensus=pooled,
        confidence=confidence,
        agree=(calibrated >= pool.AWAKE).sum(axis=1),
        threshold=np.array([t.value for t in thresholds])[regime],
        certified=np.array([t.certified for t in thresholds])[regime],
    )


def make_policy(
    heads: dict[str, Head],
    record: pool.Record,
    market: Market,
    *,
    recipe: Recipe,
    name: str,
    learned: int,
    fitted: str,
    alpha: float,
) -> Policy:
    """Put fitted heads and a record together.

    Parameters
    ----------
    heads : mapping of str to Head
    record : Record
        What the arm remembers at `learned`.
    market : Market
        Its last weeks of bars before `learned` tell what is high and low for the new policy; no outcome is read.
    recipe : Recipe
    name : str
        The recipe's.
    learned : int
        Milliseconds UTC, a Monday.
    fitted : str
        Monday at which the heads were fitted.
    alpha : float
        Chance of certifying a worthless threshold at one look, split evenly over the regimes.
    """
    blank = Policy(
        recipe=name,
        learned=iso(learned)[:10],
        fitted=fitted,
        exit_plan=recipe.exit_plan,
        min_heads_agree=recipe.min_heads_agree,
        heads=heads,
        slopes=pool.head_slopes(record),
        weights=pool.head_weights(record, strategy=recipe.head_weights),
        consensus_slope=pool.consensus_slopes(record),
        base=pool.base_rates(record),
        thresholds={regime: Threshold(1.0, False, 0, None) for regime in REGIMES},
        spread=np.zeros((len(REGIMES), len(SPREAD))),
    )
    window = market.decided(since=learned - RECENT_WEEKS * WEEK_MS, until=learned)
    rows = np.arange(window.start, window.stop)
    confidence, regime = score(blank, market, rows=rows).confidence, market.regime[rows]
    recent = [confidence[regime == code].ravel() for code in range(len(REGIMES))]
    recent = [own if len(own) >= MIN_RECENT else confidence.ravel() for own in recent]
    return replace(
        blank,
        thresholds={
            regime: choose_threshold(sums, own, quantile=recipe.signal_quantile, alpha=alpha / len(REGIMES))
            for regime, sums, own in zip(REGIMES, record.thresholds, recent, strict=True)
        },
        spread=np.array(
            [np.round(np.quantile(own, SPREAD), 4) if len(own) else np.zeros(len(SPREAD)) for own in recent]
        ),
    )


def confidence_rank(
    policy: Policy, confidence: NDArray[np.float64], *, regime: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Where a confidence stands among those that the policy gives recent candidates of the regime.

    Parameters
    ----------
    policy : Policy
    confidence : ndarray, shape (n,)
    regime : ndarray of int64, shape (n,)

    Returns
    -------
    ndarray, shape (n,)
        In [0, 1], to four digits.
    """
    rank = np.zeros(len(confidence))
    for code, points in enumerate(policy.spread):
        here = regime == code
        rank[here] = np.interp(confidence[here], points, SPREAD)
    return np.asarray(np.round(rank, 4))
