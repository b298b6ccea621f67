"""An arm: a recipe that runs. Its policy scores the week, its book trades it, its record learns from what closed.

Champion, challenger and baselines are all arms and go through the same functions; only the gate tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.book import Book, BookWeek, trade_week
from edgebook.candidate_marks import marked_r
from edgebook.consensus import Observed, Record, update_record
from edgebook.gate import book_score, candidate_score, candidate_stakes
from edgebook.heads import fit_heads
from edgebook.market import DAY_MS, NEVER, WEEK_MS, Market, iso, milliseconds
from edgebook.policy import Policy, Scores, confidence_rank, make_policy, score
from edgebook.recipes import HEAD_LETTERS
from edgebook.signals import Signals, entering_rows, find_signals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edgebook.params import Gate, Learning, Sizing
    from edgebook.recipes import Recipe

WARMUP_REFIT_WEEKS = 4
"""Between fits while an arm warms up: its record is what counts there, and it changes little by the week."""
FIT_EVERY = 5
"""Heads are fitted on every fifth bar: neighbouring labels overlap almost wholly, and a fit takes a fifth of the time.
Five shares no factor with the hours of a week, so that over time every hour of every weekday is seen.
"""
PENDING_COLUMNS = [
    "pair", "timeframe", "date", "is_short", "regime", *HEAD_LETTERS, "consensus", "confidence", "stake"
]  # fmt: skip


@dataclass(frozen=True)
class Rules:
    """What every arm of a history shares.

    Parameters
    ----------
    sizing : Sizing
    learning : Learning
    gate : Gate
    cost : float
        Fee and slippage of a side, a share of the notional.
    families : mapping of str to sequence of str
        Indicators of each head, by letter.
    """

    sizing: Sizing
    learning: Learning
    gate: Gate
    cost: float
    families: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Arm:
    """A recipe's state at the end of a week.

    Parameters
    ----------
    name : str
        Of the recipe.
    policy : Policy
        In force next week.
    record : Record
    book : Book
    pending : DataFrame
        Scores of candidates whose outcomes are still open, under `PENDING_COLUMNS`.
    expected_stake : float
        Effective stakes on candidates that close on a usual day.
    """

    name: str
    policy: Policy
    record: Record
    book: Book
    pending: pd.DataFrame = field(repr=False)
    expected_stake: float

    def to_json(self) -> dict[str, Any]:
        """Return record and book; policy and pending scores have files of their own."""
        return {
            "recipe": self.name,
            "expected_stake": self.expected_stake,
            "book": self.book.to_json(),
            "record": self.record.to_json(),
        }


@dataclass(frozen=True)
class ArmWeek:
    """What a week did to an arm.

    Parameters
    ----------
    arm : Arm
        With next week's policy.
    signals : Signals
        Decided in the week.
    book : BookWeek
    scores : ndarray, shape (days, 2)
        Bounded daily scores of the book and of the stakes on all candidates.
    """

    arm: Arm
    signals: Signals
    book: BookWeek
    scores: NDArray[np.float64]


def start_arm(name: str, recipe: Recipe, market: Market, *, at: int, rules: Rules, book: Book | None = None) -> Arm:
    """Begin an arm at a date: score the weeks before it, each by a policy that had not seen it.

    Parameters
    ----------
    name : str
    recipe : Recipe
    market : Market
    at : int
        Milliseconds UTC, a Monday.
    rules : Rules
    book : Book, optional
        To begin with; by default the starting capital, no positions.
    """
    begin = at - rules.learning.warmup_weeks * WEEK_MS
    record, pending, expected = Record.empty(), _no_pending(), 0.0
    policy: Policy | None = None
    for number in range(rules.learning.warmup_weeks):
        since = begin + number * WEEK_MS
        if policy is None or number % WARMUP_REFIT_WEEKS == 0:
            policy = _fit(name, recipe, market, record=record, at=since, rules=rules)
        else:
            policy = _refresh(policy, record, market, recipe=recipe, at=since, rules=rules)
        rows = entering_rows(market, market.plans[recipe.exit_plan], since=since, until=since + WEEK_MS)
        scores = score(policy, market, rows=rows)
        scored = _pending_from(scores, market, rows=rows, policy=policy, until=since + WEEK_MS)
        seen, pending, whole = _observe(pending, scored, market, exit_plan=recipe.exit_plan, at=since + WEEK_MS)
        record = update_record(record, seen, half_life_weeks=recipe.half_life_weeks)
        expected = _expected_stake(expected, whole, at=since + WEEK_MS)
    if book is None:
        book = Book(rules.sizing.start_capital, rules.sizing.start_capital)
    policy = _fit(name, recipe, market, record=record, at=at, rules=rules)
    return Arm(name, policy, record, book, pending, expected)


def run_week(arm: Arm, recipe: Recipe, market: Market, *, until: int, rules: Rules) -> ArmWeek:
    """Score, trade and learn one week.

    Parameters
    ----------
    arm : Arm
        At the week's beginning; its policy has seen nothing of the week.
    recipe : Recipe
    market : Market
    until : int
        Milliseconds UTC, the Monday at which the week ends.
    rules : Rules
    """
    since = until - WEEK_MS
    rows = entering_rows(market, market.plans[recipe.exit_plan], since=since, until=until)
    signals = find_signals(arm.policy, market, rows=rows, until=until)
    week = trade_week(arm.book, signals, market=market, sizing=rules.sizing, cost=rules.cost, since=since, until=until)
    scored = _pending_from(signals.scores, market, rows=rows, policy=arm.policy, until=until)
    seen, pending, whole = _observe(arm.pending, scored, market, exit_plan=recipe.exit_plan, at=until)
    moments = np.arange(since, until + 1, DAY_MS)
    row, side = whole["row"].to_numpy(np.int64), whole["is_short"].to_numpy(np.int64)
    value = marked_r(market, market.plans[recipe.exit_plan], row=row, side=side, moments=moments, cost=rules.cost)
    earned = (whole["stake"].to_numpy() * whole["weight"].to_numpy()) @ np.diff(value, axis=1)
    returns = np.array([row["return_ratio"] for row in week.days])
    scores = np.column_stack(
        [
            book_score(returns, risk_per_trade=rules.sizing.risk_per_trade, gate=rules.gate),
            candidate_score(earned, expected_stake=arm.expected_stake),
        ]
    )
    record, policy = arm.record, arm.policy
    if recipe.refit_weeks > 0:
        record = update_record(arm.record, seen, half_life_weeks=recipe.half_life_weeks)
        age_weeks = (until - milliseconds(policy.fitted)) // WEEK_MS
        if age_weeks >= recipe.refit_weeks:
            policy = _fit(arm.name, recipe, market, record=record, at=until, rules=rules)
        else:
            policy = _refresh(policy, record, market, recipe=recipe, at=until, rules=rules)
    expected = _expected_stake(arm.expected_stake, whole, at=until)
    return ArmWeek(Arm(arm.name, policy, record, week.book, pending, expected), signals, week, scores)


def _fit(name: str, recipe: Recipe, market: Market, *, record: Record, at: int, rules: Rules) -> Policy:
    """A policy with heads fitted on what was known at `at`."""
    heads = fit_heads(
        market,
        market.plans[recipe.exit_plan],
        recipe=recipe,
        families=rules.families,
        since=at - recipe.train_weeks * WEEK_MS,
        at=at,
        every=FIT_EVERY,
    )
    alpha = rules.learning.certify_alpha
    return make_policy(heads, record, market, recipe=recipe, name=name, learned=at, fitted=iso(at)[:10], alpha=alpha)


def _refresh(policy: Policy, record: Record, market: Market, *, recipe: Recipe, at: int, rules: Rules) -> Policy:
    """The same heads with weights, calibration and thresholds of today."""
    return make_policy(
        policy.heads,
        record,
        market,
        recipe=recipe,
        name=policy.recipe,
        learned=at,
        fitted=policy.fitted,
        alpha=rules.learning.certify_alpha,
    )


def _pending_from(
    scores: Scores, market: Market, *, rows: NDArray[np.int64], policy: Policy, until: int
) -> pd.DataFrame:
    """Every candidate of the week that has an entry, with its scores."""
    at, side = np.nonzero(market.plans[policy.exit_plan].open_ms[rows] < min(until, NEVER))
    row = rows[at]
    regime = market.regime[row].astype(np.int64)
    confidence = scores.confidence[at, side]
    rank = confidence_rank(policy, confidence, regime=regime)
    frame = pd.DataFrame(
        {
            "pair": np.array(market.pairs, dtype=object)[market.pair[row]],
            "timeframe": np.array(market.timeframes, dtype=object)[market.timeframe[row]],
            "date": market.date[row],
            "is_short": side,
            "regime": regime,
            **{letter: scores.raw[at, i, side] for i, letter in enumerate(HEAD_LETTERS)},
            "consensus": scores.consensus[at, side],
            "confidence": confidence,
            "stake": np.round(candidate_stakes(rank) * (scores.consensus[at, side] > 0), 4),
        }
    )
    return frame.assign(row=row)


def _observe(
    pending: pd.DataFrame, scored: pd.DataFrame, market: Market, *, exit_plan: str, at: int
) -> tuple[Observed, pd.DataFrame, pd.DataFrame]:
    """Part what has closed by `at` from what is still open; the last of three is all of it, with `known_at`."""
    plan = market.plans[exit_plan]
    old = pending.assign(
        row=[
            market.row(p, t, date=d)
            for p, t, d in zip(pending["pair"], pending["timeframe"], pending["date"], strict=True)
        ]
    )
    whole = pd.concat([old, scored], ignore_index=True) if len(old) else scored.reset_index(drop=True)
    row, side = whole["row"].to_numpy(np.int64), whole["is_short"].to_numpy(np.int64)
    whole["known_at"] = plan.known_at[row, side]
    whole["weight"] = plan.uniqueness[row, side]
    done = whole["known_at"].to_numpy() <= at
    row, side, closed = row[done], side[done], whole[done]
    seen = Observed(
        regime=closed["regime"].to_numpy(np.int64),
        side=side,
        raw=closed[list(HEAD_LETTERS)].to_numpy(np.float64),
        consensus=closed["consensus"].to_numpy(np.float64),
        confidence=closed["confidence"].to_numpy(np.float64),
        won=plan.profit_ratio[row, side] > 0,
        r_multiple=np.round(plan.r_multiple[row, side], 6),
        weight=closed["weight"].to_numpy(np.float64),
    )
    return seen, whole.loc[~done, PENDING_COLUMNS].reset_index(drop=True), whole


def _expected_stake(before: float, whole: pd.DataFrame, *, at: int) -> float:
    """Effective stakes that close on a day, the last weeks counting most."""
    closed = whole[whole["known_at"] <= at]
    today = float((closed["stake"] * closed["weight"]).sum()) / 7
    return round(today if before == 0 else 0.8 * before + 0.2 * today, 6)


def _no_pending() -> pd.DataFrame:
    types = {name: np.float64 for name in PENDING_COLUMNS} | {"pair": object, "timeframe": object}
    types |= {"date": np.int64, "is_short": np.int64, "regime": np.int64}
    return pd.DataFrame({name: pd.Series(dtype=types[name]) for name in PENDING_COLUMNS})
