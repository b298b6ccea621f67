"""Why a candidate was a signal, or was none: from the indicators through the heads to the threshold, and what came."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.errors import DataError
from edgebook.loop.history import policy_of
from edgebook.policy.heads import shares
from edgebook.policy.indicator_weights import multipliers
from edgebook.policy.market import NEVER, REASONS, REGIMES, SIDES, iso, milliseconds
from edgebook.policy.policy import score
from edgebook.policy.vote_strategies import STACKED
from edgebook.running.live import head_votes, threshold_rule
from edgebook.settings.recipes import HEAD_LETTERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.policy.market import Market
    from edgebook.policy.policy import Policy, Scores
    from edgebook.seals.seals import Seal
    from edgebook.seals.week import Week

OUTCOME = ("status", "exit_reason", "close_date", "bars_held", "profit_ratio", "r_multiple", "mae", "mfe", "profit_abs")


def explain_signal(week: Week, name: str, *, market: Market | None = None) -> dict[str, Any]:
    """Why a candidate was a signal or none, and what became of it.

    Parameters
    ----------
    week : Week
    name : str
        A signal_id: of the ledger, or of any candidate decided since genesis.
    market : Market, optional
        Newer tables than those of the seal, where there are.

    Returns
    -------
    dict
        What was said (regime, pattern and its effect, consensus, confidence, threshold and who set it), the heads with
        their indicators, what became of it, and what each other arm said and did.

    Raises
    ------
    DataError
        There is no such candidate, or no policy of the history had been learned when it was decided.
    """
    market = week.arrays if market is None else market
    ledger = week.ledger
    hits = ledger[ledger["signal_id"] == name] if len(ledger) else ledger
    trade = {str(k): v for k, v in hits.iloc[0].items()} if len(hits) else None
    row, side = _candidate(name, market, week=week)
    moment = milliseconds(trade["open_date"]) if trade else int(market.date[row])
    seal = _seal_before(week, entered=iso(moment))
    policy = policy_of(week.paths, week.history, str(trade["model_version"])) if trade else _champion(seal)
    market = market.labelled(policy.regimes)
    scores = score(policy, market, rows=np.array([row]))
    code = int(market.regime[row])
    return {
        "signal_id": name,
        "policy": policy.version,
        "is_signal": _is_signal(policy, scores, side=side),
        "pair": market.pairs[market.pair[row]],
        "timeframe": market.timeframes[market.timeframe[row]],
        "date": iso(int(market.date[row])),
        "side": SIDES[side],
        "regime": REGIMES[code],
        "base_win_rate": float(policy.base[code, side]),
        "pattern": market.tag_names[market.tag[row, side]],
        "pattern_effect": float(scores.effect[0, side]),
        "confidence_without_pattern": float(scores.expected[0, side]),
        "consensus": float(scores.consensus[0, side]),
        "confidence": float(scores.confidence[0, side]),
        "threshold": float(scores.threshold[0]),
        "certified": bool(scores.certified[0]),
        "rule": threshold_rule(policy, REGIMES[code]),
        "min_heads_agree": policy.min_heads_agree,
        "strategy": policy.strategy,
        "heads": explained_heads(policy, scores, side=side, regime=code),
        "indicators": explained_indicators(policy, market, row=row, side=side),
        "ab_test_version": str(trade["ab_test_version"]) if trade else None,
        "outcome": _of_trade(trade) if trade else _of_candidate(policy, market, row=row, side=side),
        "arms": [
            {
                "arm": arm,
                "model_version": one.policy.version,
                **_what_it_said(one.policy, market, row=row, side=side),
                "took_it": _took_it(week, name, arm=arm),
            }
            for arm, one in seal.arms.items()
        ],
    }


def explained_heads(policy: Policy, scores: Scores, *, side: int, regime: int) -> list[dict[str, Any]]:
    """Evidence, weight and vote of each head, and how far it moved the consensus.

    Parameters
    ----------
    policy : Policy
    scores : Scores
        Of one bar.
    side, regime : int

    Returns
    -------
    list of dict
        `moved` of all heads adds up to the consensus without the pattern.
    """
    rows = head_votes(policy, scores.heads[0, :, side], regime=regime)
    if policy.strategy == STACKED:  # a regression is summed, votes are averaged (`consensus.pooled`)
        return [row | {"moved": round(row["weight"] * row["evidence"], 4) + 0.0} for row in rows]
    awake = [row for row in rows if row["vote"]]
    total = sum(row["weight"] for row in awake)
    spread = np.sqrt(len(awake))  # as `consensus.combine` pools them
    return [
        row
        | {"moved": round(row["weight"] * row["evidence"] / total * spread, 4) if row["vote"] and total > 0 else 0.0}
        for row in rows
    ]


def explained_indicators(policy: Policy, market: Market, *, row: int, side: int) -> list[dict[str, Any]]:
    """Value, vote and contribution of each indicator that a head of the policy reads.

    Parameters
    ----------
    policy : Policy
    market : Market
    row, side : int

    Returns
    -------
    list of dict
        `contribution` is in the head's calibrated log-odds; those of a head and its intercept add up to its evidence.
    """
    market = market.knowing(name for head in policy.heads.values() for name in head.indicators)
    column = {name: i for i, name in enumerate(market.indicators)}
    found = []
    for letter, head in policy.heads.items():
        chosen = np.array([column[name] for name in head.indicators])
        values, votes = market.values[[row]][:, chosen], market.votes[[row]][:, chosen]
        table = multipliers(policy.indicator_weights, head.indicators)
        weights = np.ones(len(chosen)) if table is None else table[market.regime[row]]
        slope = policy.slopes[HEAD_LETTERS.index(letter), side]
        parts = shares(head, values, votes=votes)[0, :, side] * weights * slope
        found += [
            {
                "indicator": name,
                "head": letter,
                "value": None if np.isnan(values[0, k]) else round(float(values[0, k]), 5),
                "vote": int(votes[0, k]),
                "weight": round(float(weights[k]), 4),
                "contribution": round(float(parts[k]), 4) + 0.0,
            }
            for k, name in enumerate(head.indicators)
        ]
    return found


def _candidate(name: str, market: Market, *, week: Week) -> tuple[int, int]:
    """Row and side that a signal_id names."""
    spelled, _, side = name.rpartition("_")
    for code in np.flatnonzero([spelled.startswith(f"{pair.replace('/', '-')}_") for pair in market.pairs]):
        timeframe, _, stamp = spelled[len(market.pairs[code]) + 1 :].partition("_")
        moment = pd.to_datetime(stamp, format="%Y%m%dT%H%M", errors="coerce")
        if side in SIDES and isinstance(moment, pd.Timestamp) and not pd.isna(moment):
            with suppress(DataError):
                date = moment.value // 1_000_000
                return market.row(market.pairs[code], timeframe, date=date), SIDES.index(side)
    raise DataError(
        f"{name}: not in the ledger of {week.history} up to {week.as_of}, and no candidate of its bars; ids stand in "
        "data/ledger, and `edgebook signals` prints those of now"
    )


def _seal_before(week: Week, *, entered: str) -> Seal:
    """The seal whose policies decided on a candidate."""
    before = [seal for seal in week.seals if f"{seal.as_of}T00:00:00Z" <= entered]
    if not before:
        raise DataError(
            f"{entered} is before {week.genesis}, when {week.history} began: no policy had been learned; "
            "choose a later candidate"
        )
    return before[-1]


def _champion(seal: Seal) -> Policy:
    return seal.arms[seal.champion].policy


def _is_signal(policy: Policy, scores: Scores, *, side: int) -> bool:
    """Whether a policy takes a candidate, room in the book apart."""
    return bool(
        scores.confidence[0, side] >= scores.threshold[0]
        and scores.consensus[0, side] > 0
        and scores.agree[0, side] >= policy.min_heads_agree
    )


def _what_it_said(policy: Policy, market: Market, *, row: int, side: int) -> dict[str, Any]:
    """Confidence and threshold of an arm."""
    scores: Scores = score(policy, market, rows=np.array([row]))
    return {
        "confidence": float(scores.confidence[0, side]),
        "threshold": float(scores.threshold[0]),
        "is_signal": _is_signal(policy, scores, side=side),
    }


def _took_it(week: Week, name: str, *, arm: str) -> bool:
    """Whether an arm's own book has the trade."""
    shadow = week.shadow
    return bool(len(shadow) and ((shadow["signal_id"] == name) & (shadow["arm"] == arm)).any())


def _of_trade(trade: dict[str, Any]) -> dict[str, Any]:
    """What became of a trade of the ledger."""
    if trade["status"] == "open":
        return dict.fromkeys(OUTCOME) | {"status": "open"}
    return {
        "status": "closed",
        "exit_reason": str(trade["exit_reason"]),
        "close_date": iso(milliseconds(trade["close_date"])),
        "bars_held": int(trade["bars_held"]),
        "profit_ratio": float(trade["profit_ratio"]),
        "r_multiple": float(trade["r_multiple"]),
        "mae": float(trade["mae"]),
        "mfe": float(trade["mfe"]),
        "profit_abs": round(float(trade["stake"]) * float(trade["profit_ratio"]), 2),
    }


def _of_candidate(policy: Policy, market: Market, *, row: int, side: int) -> dict[str, Any]:
    """What became, or would have become, of a candidate that the account did not take."""
    plan = market.plans[policy.exit_plan]
    known: NDArray[np.int64] = plan.known_at
    if known[row, side] == NEVER:
        return dict.fromkeys(OUTCOME) | {"status": "not taken"}
    return {
        "status": "not taken",
        "exit_reason": REASONS[plan.reason[row, side]],
        "close_date": iso(int(known[row, side])),
        "bars_held": int(plan.bars_held[row, side]),
        "profit_ratio": round(float(plan.profit_ratio[row, side]), 6),
        "r_multiple": round(float(plan.r_multiple[row, side]), 6),
        "mae": round(float(plan.mae[row, side]), 6),
        "mfe": round(float(plan.mfe[row, side]), 6),
        "profit_abs": None,
    }
