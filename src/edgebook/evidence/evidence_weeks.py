"""What a week of an arm is measured by: stated probabilities, the candidates it would choose, and its book."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.policy.experts import log_losses
from edgebook.policy.market import NEVER, WEEK_MS, iso
from edgebook.policy.signals import entering_rows
from edgebook.settings.recipes import HEAD_LETTERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgebook.arms.arms import ArmWeek
    from edgebook.evidence.evidence_markets import EvidenceMarket
    from edgebook.policy.policy import Policy

LEADING = 5
TOP_SHARE = 0.05
"""Of a week's candidates: those in which a policy has most confidence."""
WEIGHTS = tuple(f"weight_{letter}" for letter in HEAD_LETTERS)


def measure_weeks(known: EvidenceMarket, weeks: Iterable[ArmWeek]) -> pd.DataFrame:
    """Measure an arm week by week.

    Parameters
    ----------
    known : EvidenceMarket
    weeks : iterable of ArmWeek
        From genesis on.

    Returns
    -------
    DataFrame
        One row a week. Of the candidates entered in it, scored by the policy in force, their outcomes known by the
        end of the data: `n` (`n_effective` that do not overlap), sums `log_loss` and `constant_loss` (the base rate of
        regime and side in force, stated for each), `top_n` and `top_r` (number and summed R of the `TOP_SHARE` with
        most confidence). `signals` and `signals_r`: candidates that the policy chose, before there was room or not,
        and their summed R. Of the book: `trades` that closed in the week and their summed R `book_r`. Of the policy:
        regimes with a `certified` threshold, `strategy` of the head weights, the head weights, mean over the regimes,
        and the `leading` indicators (see `leading_indicators`).
    """
    rows = [_measure(known, week, since=since) for since, week in zip(known.mondays, weeks, strict=True)]
    return pd.DataFrame(rows)


def _measure(known: EvidenceMarket, week: ArmWeek, *, since: int) -> dict[str, Any]:
    policy, scores = week.signals.policy, week.signals.scores
    market = known.market.labelled(policy.regimes)
    plan = market.plans[policy.exit_plan]
    rows = entering_rows(market, plan, since=since, until=since + WEEK_MS)
    at, side = np.nonzero(plan.known_at[rows] != NEVER)
    row, confidence = rows[at], scores.confidence[at, side]
    won, r_multiple = plan.profit_ratio[row, side] > 0, plan.r_multiple[row, side]
    base = policy.base[market.regime[row], side]
    top = np.argsort(-confidence, kind="stable")[: int(np.ceil(TOP_SHARE * len(row)))]
    chosen = plan.r_multiple[week.signals.row, week.signals.side]
    chosen = chosen[~np.isnan(chosen)]
    return {
        "week": iso(since)[:10],
        "n": len(row),
        "n_effective": float(plan.uniqueness[row, side].sum()),
        "log_loss": float(log_losses(confidence, won).sum()),
        "constant_loss": float(log_losses(base, won).sum()),
        "top_n": len(top),
        "top_r": float(r_multiple[top].sum()),
        "signals": len(chosen),
        "signals_r": float(chosen.sum()),
        "trades": len(week.book.closed),
        "book_r": float(sum(trade["r_multiple"] for trade in week.book.closed)),
        "certified": sum(threshold.certified for threshold in policy.thresholds.values()),
        "strategy": policy.strategy,
        **dict(zip(WEIGHTS, policy.weights.mean(axis=0).tolist(), strict=True)),
        "leading": ";".join(leading_indicators(policy)),
    }


def leading_indicators(policy: Policy) -> list[str]:
    """The `LEADING` indicators that move the consensus most, first the one that moves it most of all.

    Notes
    -----
    What one standard deviation of the value, and a vote, add to the consensus: the head's coefficients, times what
    the indicator counts within its head, the head's calibration and the head's weight; mean over sides and regimes.
    """
    pull: dict[str, float] = {}
    for letter, head in policy.heads.items():
        number = HEAD_LETTERS.index(letter)
        slopes, weight = policy.slopes[number], float(policy.weights[:, number].mean())
        size = (np.abs(head.value_weights) + np.abs(head.vote_weights)) @ slopes / 2 * weight
        for name, own in zip(head.indicators, size.tolist(), strict=True):
            counts = policy.indicator_weights.get(name)
            pull[name] = own * (1.0 if counts is None else float(counts.mean()))
    return sorted(pull, key=lambda name: (-round(pull[name], 6), name))[:LEADING]
