"""An arm: a recipe that runs. Its policy scores the week, its book trades it, its record learns from what closed.

Champion, challenger and baselines are all arms and go through the same functions; only the gate tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.arms.book import Book, BookWeek, trade_week
from edgebook.arms.column_changes import pending_columns, with_columns
from edgebook.arms.day_scores import book_score, candidate_score
from edgebook.arms.pending import no_pending, observe, pending_from
from edgebook.policy.candidate_marks import marked_r
from edgebook.policy.heads import fit_heads
from edgebook.policy.learned_policy import make_policy
from edgebook.policy.learners import learn
from edgebook.policy.market import DAY_MS, WEEK_MS, Market, iso, milliseconds
from edgebook.policy.observed import Observed
from edgebook.policy.policy import Policy, score
from edgebook.policy.record import Record
from edgebook.policy.signals import Signals, entering_rows, find_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from edgebook.policy.heads import Head
    from edgebook.settings.params import Gate, Learning, Sizing
    from edgebook.settings.recipes import Recipe

WARMUP_REFIT_WEEKS = 4
"""Between fits while an arm warms up: its record is what counts there, and it changes little by the week."""
FIT_EVERY = 5
"""Heads are fitted on every fifth bar: neighbouring labels overlap almost wholly, and a fit takes a fifth of the time.
Five shares no factor with the hours of a week, so that over time every hour of every weekday is seen.
"""


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
    kept : tuple of str, optional
        Indicators that the importance run in force kept; None for all of them.
    fit : callable
        `fit_heads`, or what answers as it does: many arms on one market may share their fits.
    """

    sizing: Sizing
    learning: Learning
    gate: Gate
    cost: float
    families: Mapping[str, Sequence[str]]
    kept: tuple[str, ...] | None = None
    fit: Callable[..., dict[str, Head]] = field(default=fit_heads, repr=False)


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
    seen : Observed
        Candidates whose outcomes closed in the week.
    learners : list of dict
        What each learner was worth on them (`edgebook.policy.learners.learn`); empty for an arm that learns nothing.
    """

    arm: Arm
    signals: Signals
    book: BookWeek
    scores: NDArray[np.float64]
    seen: Observed = field(repr=False)
    learners: list[dict[str, Any]] = field(repr=False)


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
    market = market.labelled(recipe.regimes)
    begin = at - rules.learning.warmup_weeks * WEEK_MS
    record, pending, expected = Record.empty(market.indicators, rules.families), no_pending(), 0.0
    policy: Policy | None = None
    # What an importance run kept, it kept by the outcomes of these weeks: they are scored as if there had been none.
    blind = replace(rules, kept=None)
    for number in range(rules.learning.warmup_weeks):
        since = begin + number * WEEK_MS
        if policy is None or number % WARMUP_REFIT_WEEKS == 0:
            policy = _fit(name, recipe, market, record=record, at=since, rules=blind)
        else:
            policy = _refresh(policy, record, market, recipe=recipe, at=since, rules=blind)
        rows = entering_rows(market, market.plans[recipe.exit_plan], since=since, until=since + WEEK_MS)
        scores = score(policy, market, rows=rows)
        scored = pending_from(scores, market, rows=rows, policy=policy, record=record, until=since + WEEK_MS)
        seen, pending, whole = observe(
            pending, scored, market, exit_plan=recipe.exit_plan, since=since, at=since + WEEK_MS
        )
        record, _ = learn(record, seen, policy=policy, market=market, recipe=recipe)
        expected = _expected_stake(expected, whole, at=since + WEEK_MS)
    if book is None:
        book = Book(rules.sizing.start_capital, rules.sizing.start_capital)
    policy = _fit(name, recipe, market, record=record, at=at, rules=rules)
    return Arm(name, policy, record, book, pending, expected)


def run_week(
    arm: Arm, recipe: Recipe, market: Market, *, until: int, rules: Rules, since: int | None = None
) -> ArmWeek:
    """Score, trade and learn one week, or the first days of one.

    Parameters
    ----------
    arm : Arm
        At the week's beginning; its policy has seen nothing of the week.
    recipe : Recipe
    market : Market
    until : int
        Milliseconds UTC, the Monday at which the week ends; or, with `since`, a midnight within it.
    rules : Rules
    since : int, optional
        The Monday at which the week began.
    """
    since = until - WEEK_MS if since is None else since
    market = market.labelled(recipe.regimes).knowing(arm.record.names)
    arm = _with_columns(arm, market.indicators)
    rows = entering_rows(market, market.plans[recipe.exit_plan], since=since, until=until)
    signals = find_signals(arm.policy, market, rows=rows, until=until)
    week = trade_week(arm.book, signals, market=market, sizing=rules.sizing, cost=rules.cost, since=since, until=until)
    scored = pending_from(signals.scores, market, rows=rows, policy=arm.policy, record=arm.record, until=until)
    seen, pending, whole = observe(arm.pending, scored, market, exit_plan=recipe.exit_plan, since=since, at=until)
    moments = np.arange(since, until + 1, DAY_MS)
    row, side = whole["row"].to_numpy(np.int64), whole["is_short"].to_numpy(np.int64)
    value = marked_r(market, market.simulated[recipe.exit_plan], row=row, side=side, moments=moments)
    earned = (whole["stake"].to_numpy() * whole["weight"].to_numpy()) @ np.diff(value, axis=1)
    returns = np.array([row["return_ratio"] for row in week.days])
    scores = np.column_stack(
        [
            book_score(returns, risk_per_trade=rules.sizing.risk_per_trade, gate=rules.gate),
            candidate_score(earned, expected_stake=arm.expected_stake),
        ]
    )
    record, policy = arm.record, arm.policy
    learners: list[dict[str, Any]] = []
    if recipe.refit_weeks > 0:
        record, learners = learn(arm.record, seen, policy=policy, market=market, recipe=recipe)
        age_weeks = (until - milliseconds(policy.fitted)) // WEEK_MS
        if age_weeks >= recipe.refit_weeks:
            policy = _fit(arm.name, recipe, market, record=record, at=until, rules=rules)
        else:
            policy = _refresh(policy, record, market, recipe=recipe, at=until, rules=rules)
    expected = _expected_stake(arm.expected_stake, whole, at=until)
    after = Arm(arm.name, policy, record, week.book, pending, expected)
    return ArmWeek(after, signals, week, scores, seen, learners)


def _with_columns(arm: Arm, names: tuple[str, ...]) -> Arm:
    """An arm that has learned of all columns of a market; new ones have said nothing yet."""
    before = arm.record.names
    if before == names:
        return arm
    pending = pending_columns(arm.pending, before=before, names=names)
    return replace(arm, record=with_columns(arm.record, names), pending=pending)


def _fit(name: str, recipe: Recipe, market: Market, *, record: Record, at: int, rules: Rules) -> Policy:
    """A policy with heads fitted on what was known at `at`."""
    heads = rules.fit(
        market,
        market.plans[recipe.exit_plan],
        recipe=_selected(recipe, rules.kept),
        families=rules.families,
        since=at - recipe.train_weeks * WEEK_MS,
        at=at,
        every=FIT_EVERY,
    )
    alpha = rules.learning.certify_alpha
    return make_policy(heads, record, market, recipe=recipe, name=name, learned=at, fitted=iso(at)[:10], alpha=alpha)


def _selected(recipe: Recipe, kept: tuple[str, ...] | None) -> Recipe:
    """The recipe with the indicators that its fits may use now."""
    if recipe.features == "all" or kept is None:
        return recipe
    allowed = kept if recipe.indicators is None else tuple(name for name in kept if name in recipe.indicators)
    return replace(recipe, indicators=allowed)


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


def _expected_stake(before: float, whole: pd.DataFrame, *, at: int) -> float:
    """Effective stakes that close on a day, the last weeks counting most."""
    closed = whole[whole["known_at"] <= at]
    today = float((closed["stake"].abs() * closed["weight"]).sum()) / 7
    return round(today if before == 0 else 0.8 * before + 0.2 * today, 6)
