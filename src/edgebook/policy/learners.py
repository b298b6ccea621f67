"""Every learner beside its frozen twin, week by week: what an arm would have said with one part left as it was.

When a candidate is decided it is scored once more from what the heads say of it: by every learning strategy, by the
same arm without indicator weights and without patterns, and by the base rate alone. Each has a calibration of its own.
When the outcome closes, their losses move the beliefs of `edgebook.policy.experts`, and go into the seal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.policy import consensus as pool
from edgebook.policy.experts import CONSTANT, EXPERTS, log_losses, update_beliefs
from edgebook.policy.record import DIGITS, update_record
from edgebook.policy.vote_strategies import STRATEGIES
from edgebook.statistics.calibration import log_odds, probability

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.policy.market import Market
    from edgebook.policy.observed import Observed
    from edgebook.policy.policy import Policy
    from edgebook.policy.record import Record
    from edgebook.settings.recipes import Recipe

FROZEN_INDICATORS, FROZEN_PATTERNS = "indicators frozen", "patterns frozen"
"""The arm with all indicators as fitted, and the arm that hears no patterns."""
LEARNERS = (*STRATEGIES, FROZEN_INDICATORS, FROZEN_PATTERNS)
IN_FORCE = "in force"
TOP_SHARE = 0.05
LEARNER_COLUMNS = [
    "date", "arm", "learner", "in_force", "belief", "n", "n_effective", "log_loss", "top_n", "top_r"
]  # fmt: skip


def twins(
    record: Record,
    policy: Policy,
    *,
    raw: NDArray[np.float64],
    fitted: NDArray[np.float64] | None,
    effect: NDArray[np.float64],
    regime: NDArray[np.int64],
    side: NDArray[np.int64],
    patterns: bool,
) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
    """Consensus and probability of candidates by learner, at the time at which they are decided.

    Parameters
    ----------
    record : Record
        From which the policy was made.
    policy : Policy
        In force.
    raw : ndarray, shape (n, heads)
        What the heads say for the side, nan where they abstain.
    fitted : ndarray, shape (n, heads), or None
        The same without indicator weights.
    effect : ndarray, shape (n,)
        What patterns add to the consensus.
    regime, side : ndarray of int64, shape (n,)
    patterns : bool
        Whether the arm hears patterns.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        Consensus by strategy, and of the frozen twins of what the arm has.
    dict of str to ndarray, shape (n,)
        Probability of a win by the same names.

    Notes
    -----
    At the decision, not when the outcome closes: by then weights and base rates have seen what the market did
    meanwhile, to the neighbours and so to the candidate. Asked at the close, the base rate of daily shares, whose
    outcomes take up to five weeks, was better than anything said at the decision by a hundredth of log loss.
    """
    calibrated = _calibrated(raw, policy.slopes, side)
    told = {}
    for name in STRATEGIES:
        weights = pool.head_weights(record, strategy=name)[regime]
        told[name] = np.round(pool.pooled(calibrated, weights, strategy=name)[:, 0] + effect, DIGITS)
    if fitted is not None:
        plain = _calibrated(fitted, pool.head_slopes(record.fitted_heads), side)
        kept = pool.pooled(plain, policy.weights[regime], strategy=policy.strategy)[:, 0]
        told[FROZEN_INDICATORS] = np.round(kept + effect, DIGITS)
    if patterns:
        told[FROZEN_PATTERNS] = np.round(told[policy.strategy] - effect, DIGITS)
    base = log_odds(policy.base[regime, side])
    stated = {name: probability(base + pool.consensus_slopes(record, name)[side] * said) for name, said in told.items()}
    return told, stated


def learn(
    record: Record, seen: Observed, *, policy: Policy, market: Market, recipe: Recipe
) -> tuple[Record, list[dict[str, Any]]]:
    """One more week of closed outcomes, for the record and for the books on the learners.

    Parameters
    ----------
    record : Record
        At the week's beginning.
    seen : Observed
    policy : Policy
        In force in the week.
    market : Market
    recipe : Recipe

    Returns
    -------
    Record
    list of dict
        One row a learner under `LEARNER_COLUMNS`, without date and arm: log loss over all candidates that closed, and
        the mean net R of the 5 % of them in which it had most confidence.
    """
    stated = {**seen.stated, CONSTANT: seen.base, IN_FORCE: seen.confidence}
    loss = {name: log_losses(said, seen.won) for name, said in stated.items()}
    rows = [
        _row(name, stated[name], loss=loss[name], seen=seen)
        | {"in_force": name in (policy.strategy, IN_FORCE), "belief": record.beliefs.shares.get(name)}
        for name in stated
    ]
    days = [{name: float((loss[name] * seen.weight)[seen.day == day].sum()) for name in EXPERTS} for day in range(7)]
    after = update_record(
        record,
        seen,
        half_life_weeks=recipe.half_life_weeks,
        tags=market.tag_names,
        beliefs=update_beliefs(record.beliefs, days),
        slopes=policy.slopes,
    )
    return after, rows


def _calibrated(raw: NDArray[np.float64], slopes: NDArray[np.float64], side: NDArray[np.int64]) -> NDArray[np.float64]:
    """Calibrated evidence with a last axis of one side."""
    return np.asarray(np.round(np.nan_to_num(raw) * slopes.T[side], DIGITS))[..., None]


def _row(name: str, stated: NDArray[np.float64], *, loss: NDArray[np.float64], seen: Observed) -> dict[str, Any]:
    n = len(stated)
    effective = float(seen.weight.sum())
    top = np.argsort(-stated, kind="stable")[: int(np.ceil(TOP_SHARE * n))]
    informed = name != CONSTANT and n > 0
    return {
        "learner": name,
        "n": n,
        "n_effective": round(effective, 3),
        "log_loss": round(float((loss * seen.weight).sum()) / effective, 6) if effective > 0 else None,
        "top_n": len(top) if informed else 0,
        "top_r": round(float(seen.r_multiple[top].mean()), 6) if informed else None,
    }
