"""From what an arm remembers to the policy of next week: weights, calibration, effects and thresholds read off."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edgebook.policy import consensus as pool
from edgebook.policy.indicator_weights import indicator_weights
from edgebook.policy.market import REGIMES, WEEK_MS, iso
from edgebook.policy.pattern_effects import pattern_effects
from edgebook.policy.policy import SPREAD, Policy, score
from edgebook.policy.threshold_rules import bandit_quantile, rule_quantile
from edgebook.statistics.thresholds import Threshold, certified_rows, choose_threshold, threshold_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.policy.heads import Head
    from edgebook.policy.market import Market
    from edgebook.policy.record import Record
    from edgebook.settings.recipes import Recipe

RECENT_WEEKS = 8
MIN_RECENT = 400
"""A regime with fewer recent candidates takes its spread from all regimes together."""


def make_policy(
    heads: dict[str, Head],
    record: Record,
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
    market = market.labelled(recipe.regimes)
    strategy = pool.strategy_in_force(record, recipe.head_weights)
    weighing = pool.strategy_in_force(record, recipe.indicator_weights)
    blank = Policy(
        recipe=name,
        learned=iso(learned)[:10],
        fitted=fitted,
        exit_plan=recipe.exit_plan,
        min_heads_agree=recipe.min_heads_agree,
        heads=heads,
        slopes=pool.head_slopes(record.heads),
        weights=pool.head_weights(record, strategy=strategy),
        consensus_slope=pool.consensus_slopes(record, strategy),
        base=pool.base_rates(record),
        thresholds={regime: Threshold(1.0, False, 0, None) for regime in REGIMES},
        spread=np.zeros((len(REGIMES), len(SPREAD))),
        strategy=strategy,
        regimes=recipe.regimes,
        indicator_weights=indicator_weights(
            record.indicators,
            record.indicator_stack,
            strategy=weighing,
            indicators=record.names,
            heads=heads,
        ),
        pattern_effects=pattern_effects(record.patterns) if recipe.patterns == "effectiveness" else {},
    )
    window = market.decided(since=learned - RECENT_WEEKS * WEEK_MS, until=learned)
    rows = np.arange(window.start, window.stop)
    confidence, regime = score(blank, market, rows=rows).confidence, market.regime[rows]
    recent = [confidence[regime == code].ravel() for code in range(len(REGIMES))]
    recent = [own if len(own) >= MIN_RECENT else confidence.ravel() for own in recent]
    return replace(
        blank,
        thresholds={
            regime: _threshold(record, own, code=code, recipe=recipe, at=learned, alpha=alpha / len(REGIMES))
            for code, (regime, own) in enumerate(zip(REGIMES, recent, strict=True))
        },
        spread=np.array(
            [np.round(np.quantile(own, SPREAD), 4) if len(own) else np.zeros(len(SPREAD)) for own in recent]
        ),
    )


def _threshold(
    record: Record, recent: NDArray[np.float64], *, code: int, recipe: Recipe, at: int, alpha: float
) -> Threshold:
    """Threshold of one regime by the recipe's rule."""
    seen = record.thresholds[code]
    if recipe.thresholds == "certified":
        return choose_threshold(seen, recent, quantile=recipe.signal_quantile, alpha=alpha)
    bandit = recipe.thresholds == "bandit"
    quantile = (
        bandit_quantile(record.manager, regime=code, at=at) if bandit else rule_quantile(record.manager, regime=code)
    )
    rows = certified_rows(seen, recent, alpha=alpha)
    return threshold_at(seen, recent, quantile=quantile, rule=recipe.thresholds, certified=rows)


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
