"""Every learner beside its frozen twin: what each would have said, what it cost, and what the record makes of it."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from edgebook.arms.arms import Arm, ArmWeek, Rules, run_week, start_arm
from edgebook.policy.experts import CONSTANT, EXPERTS, regret_bound, update_beliefs
from edgebook.policy.learned_policy import make_policy
from edgebook.policy.learners import (
    FROZEN_INDICATORS,
    FROZEN_PATTERNS,
    IN_FORCE,
    LEARNER_COLUMNS,
    LEARNERS,
    TOP_SHARE,
    learn,
    twins,
)
from edgebook.policy.market import WEEK_MS, Market, milliseconds
from edgebook.policy.observed import Observed
from edgebook.policy.policy import score
from edgebook.policy.record import Record, update_record
from edgebook.policy.threshold_rules import update_manager
from edgebook.policy.vote_strategies import STRATEGIES
from edgebook.settings.params import Gate, Learning, Sizing
from edgebook.settings.recipes import HEAD_LETTERS, Recipe
from edgebook.statistics.calibration import bin_of
from small_market import GENESIS, PLAN, coin_market

FAMILIES = {letter: () for letter in HEAD_LETTERS} | {"A": ("a1", "a2"), "B": ("b1",)}
RULES = Rules(
    sizing=Sizing(
        start_capital=1e5, risk_per_trade=0.005, max_positions=6, max_positions_per_pair=2, max_total_risk=0.02,
        max_leverage=3.0,
    ),
    learning=Learning(warmup_weeks=6, trial_weeks=26, certify_alpha=0.05, approval="automatic"),
    gate=Gate(
        alpha_per_year=0.05, admissions_per_year=4, book_share=0.7, max_gain_r=12.0, max_loss_r=18.0, rollback_bar=4.0,
        rollback_weeks=26,
    ),
    cost=0.0,
    families=FAMILIES,
)  # fmt: skip
MONDAY = milliseconds(GENESIS) + 6 * WEEK_MS
PLAIN = Recipe(exit_plan=PLAN, min_heads_agree=1, shrinkage=20.0)
FULL = replace(PLAIN, indicator_weights="stacked", head_weights="meta", patterns="effectiveness", thresholds="bandit")
BREAKOUT, HAMMER = 1, 2


@cache
def market(seed: int = 1, edge: float = 0.15, *, weeks: int = 10, patterns: float = 0.0) -> Market:
    """A coin that a1 bends; a breakout wins more often than the coin by `patterns`, a hammer less often."""
    plain = coin_market(seed, bars=42 * weeks, edge=edge)
    rng = np.random.default_rng(seed)
    tag = rng.choice(3, size=plain.tag.shape, p=[0.6, 0.2, 0.2]).astype(np.int16)
    plan = plain.plans[PLAN]
    won = plan.profit_ratio > 0
    luck = rng.random(tag.shape)
    won = np.where(
        (tag == BREAKOUT) & (luck < patterns), True, np.where((tag == HAMMER) & (luck < patterns), False, won)
    )
    r_multiple = np.where(won, 1.0, -1.0)
    plan = replace(plan, profit_ratio=0.01 * r_multiple, r_multiple=r_multiple)
    return replace(plain, tag_names=("none", "breakout", "hammer"), tag=tag, plans={PLAN: plan})


def start(recipe: Recipe, on: Market, rules: Rules = RULES) -> Arm:
    return start_arm("r1", recipe, on, at=MONDAY, rules=rules)


def fold(recipe: Recipe, on: Market, *, weeks: int, rules: Rules = RULES) -> list[ArmWeek]:
    arm, found = start(recipe, on, rules), []
    for number in range(1, weeks + 1):
        found.append(run_week(arm, recipe, on, until=MONDAY + number * WEEK_MS, rules=rules))
        arm = found[-1].arm
    return found


@cache
def begun() -> Arm:
    return start(FULL, market())


@cache
def first() -> ArmWeek:
    return run_week(begun(), FULL, market(), until=MONDAY + WEEK_MS, rules=RULES)


def learned(seen: Observed, *, record: Record | None = None) -> tuple[Record, list[dict[str, Any]]]:
    arm = begun()
    return learn(record or arm.record, seen, policy=arm.policy, market=market(), recipe=FULL)


def text(record: Record) -> str:
    return json.dumps(record.to_json())


def picked(seen: Observed, at: Any) -> Observed:
    def of(part: Any) -> Any:
        return {name: each[at] for name, each in part.items()} if isinstance(part, dict) else part[at]

    parts = {f.name: getattr(seen, f.name) for f in fields(Observed)}
    return Observed(**{name: None if part is None else of(part) for name, part in parts.items()})


def decided_now(seen: Observed, *, on: Market | None = None) -> Any:
    """Candidates that were decided in the first week; the others had waited for their outcome."""
    return (on or market()).date[seen.row] >= MONDAY


def asked(arm: Arm, seen: Observed, **changed: Any) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """What an arm's learners say of candidates when they are asked now, by name: consensus and probability."""
    given: dict[str, Any] = {name: getattr(seen, name) for name in ("raw", "fitted", "effect", "regime", "side")}
    return twins(arm.record, arm.policy, **{**given, "patterns": True, **changed})


def by_name(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["learner"]: row for row in rows}


# --- the rows


def test_there_is_a_row_for_every_learner_with_the_columns_of_the_seal():
    rows = first().learners
    assert [row["learner"] for row in rows] == [*STRATEGIES, FROZEN_INDICATORS, FROZEN_PATTERNS, CONSTANT, IN_FORCE]
    assert all({"date", "arm", *row} == {*LEARNER_COLUMNS} for row in rows)
    n, effective = len(first().seen.won), float(first().seen.weight.sum())
    assert all(row["n"] == n and row["n_effective"] == pytest.approx(effective) for row in rows)
    assert [row["learner"] for row in rows if row["in_force"]] == [begun().policy.strategy, IN_FORCE]
    beliefs = {row["learner"]: row["belief"] for row in rows if row["belief"] is not None}
    assert beliefs == begun().record.beliefs.shares  # as they were when the week began


@pytest.mark.parametrize(
    ("recipe", "frozen"),
    [
        (PLAIN, set()),
        (replace(PLAIN, indicator_weights="stacked"), {FROZEN_INDICATORS}),
        (replace(PLAIN, patterns="effectiveness"), {FROZEN_PATTERNS}),
        (FULL, {FROZEN_INDICATORS, FROZEN_PATTERNS}),
    ],
    ids=["nothing", "indicators", "patterns", "both"],
)
def test_only_what_an_arm_learns_has_a_frozen_twin(recipe, frozen):
    (week,) = fold(recipe, market(), weeks=1)
    assert {row["learner"] for row in week.learners} == {*EXPERTS, IN_FORCE} | frozen


def test_losses_and_the_top_by_a_plain_loop():
    seen = first().seen
    stated = {**seen.stated, IN_FORCE: seen.confidence, CONSTANT: seen.base}
    assert {*stated} == {*by_name(first().learners)}
    for name, said in stated.items():
        total = 0.0
        for p, won, weight in zip(said, seen.won, seen.weight, strict=True):
            total -= weight * np.log(p if won else 1 - p)
        assert by_name(first().learners)[name]["log_loss"] == pytest.approx(total / seen.weight.sum(), abs=1e-4)
    row = by_name(first().learners)[IN_FORCE]
    ranked = sorted(range(len(seen.won)), key=lambda i: (-seen.confidence[i], i))
    top = ranked[: row["top_n"]]
    assert row["top_n"] == int(np.ceil(TOP_SHARE * len(seen.won)))
    assert row["top_r"] == pytest.approx(np.mean([seen.r_multiple[i] for i in top]), abs=1e-6)
    constant = by_name(first().learners)[CONSTANT]
    assert (constant["top_n"], constant["top_r"]) == (0, None)  # it prefers nothing


def test_the_strategy_in_force_says_what_the_arm_said():
    """By whatever policy decided, this week's or an older one; a follower of the best may have changed strategy."""
    (week,) = fold(replace(FULL, head_weights="stacked"), market(), weeks=1)
    seen, strategy = week.seen, "stacked"
    assert 10 < decided_now(seen).sum() < len(seen.row)
    np.testing.assert_allclose(seen.told[strategy], seen.consensus, atol=2e-4)
    np.testing.assert_allclose(seen.stated[strategy], seen.confidence, atol=2e-4)
    rows = by_name(week.learners)
    assert rows[strategy]["log_loss"] == pytest.approx(rows[IN_FORCE]["log_loss"], abs=1e-4)
    now, leads = decided_now(first().seen), begun().policy.strategy
    np.testing.assert_allclose(first().seen.told[leads][now], first().seen.consensus[now], atol=2e-4)


def test_learners_told_at_the_decision_what_record_and_policy_of_that_day_say():
    """And not what those of the week in which the outcome closed would have said."""
    seen, now = first().seen, decided_now(first().seen)
    then, later = asked(begun(), seen), asked(first().arm, seen)
    for said, today, after in zip((seen.told, seen.stated), then, later, strict=True):
        assert {*said} == {*LEARNERS} == {*today}
        for name in LEARNERS:
            np.testing.assert_allclose(said[name][now], today[name][now], atol=2e-4, err_msg=name)
            assert not np.allclose(said[name][now], after[name][now], atol=2e-4), name
        moved = [name for name in LEARNERS if not np.allclose(said[name][~now], today[name][~now], atol=2e-4)]
        assert {*moved} == {*LEARNERS}  # those that had waited were told by a policy before this one
    base = begun().policy.base[seen.regime, seen.side]
    np.testing.assert_array_equal(seen.base[now], base[now])
    assert not np.array_equal(seen.base[~now], base[~now])


def test_a_twin_differs_from_the_arm_in_one_part_alone():
    arm, seen, now = begun(), first().seen, decided_now(first().seen)
    np.testing.assert_allclose(seen.told[FROZEN_PATTERNS][now], (seen.consensus - seen.effect)[now], atol=2e-4)
    unweighed = replace(arm.policy, indicator_weights={}, slopes=consensus_of_fitted(arm.record))
    scores = score(unweighed, market(), rows=seen.row)
    expected = scores.consensus[np.arange(len(seen.row)), seen.side]
    np.testing.assert_allclose(seen.told[FROZEN_INDICATORS][now], expected[now], atol=2e-3)
    assert not np.allclose(seen.told[FROZEN_INDICATORS][now], seen.consensus[now], atol=2e-3)
    heard, _ = asked(arm, seen)
    unheard, _ = asked(arm, seen, effect=np.zeros_like(seen.effect))
    for name in (*STRATEGIES, FROZEN_INDICATORS):
        np.testing.assert_allclose(heard[name] - unheard[name], seen.effect, atol=2e-4)
    np.testing.assert_allclose(heard[FROZEN_PATTERNS], unheard[FROZEN_PATTERNS], atol=2e-4)


def consensus_of_fitted(record: Record) -> np.ndarray:
    from edgebook.policy.consensus import head_slopes

    return head_slopes(record.fitted_heads)


# --- the record


def test_learning_leaves_what_it_was_given_as_it_was():
    record, seen, policy = begun().record, first().seen, begun().policy
    before = text(record), json.dumps(policy.to_json())
    parts = {f.name: np.copy(getattr(seen, f.name)) for f in fields(Observed)}
    after, _ = learned(seen)
    assert text(after) != before[0]
    assert (text(record), json.dumps(policy.to_json())) == before
    for name, part in parts.items():
        np.testing.assert_array_equal(getattr(seen, name), part)


def numbers_of(record: str) -> list[float]:
    """Every number of a record's JSON, in order."""
    return [float(found) for found in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", record)]


@pytest.mark.parametrize("seed", range(3))
def test_the_order_in_which_candidates_come_does_not_matter(seed):
    order = np.random.default_rng(seed).permutation(len(first().seen.won))
    one, rows = learned(first().seen)
    other, mixed = learned(picked(first().seen, order))
    # Sums in another order differ in the last of their four digits, at most once a day.
    assert numbers_of(text(other)) == pytest.approx(numbers_of(text(one)), abs=7e-4)
    for row, again in zip(rows, mixed, strict=True):
        assert row["log_loss"] == pytest.approx(again["log_loss"], abs=2e-6)


def test_a_record_goes_through_a_seal_and_goes_on_alike():
    back = Record.from_json(json.loads(text(begun().record)))
    assert text(back) == text(begun().record)
    one, rows = learned(first().seen, record=back)
    assert text(one) == text(first().arm.record) and rows == first().learners
    again = run_week(replace(begun(), record=back), FULL, market(), until=MONDAY + WEEK_MS, rules=RULES)
    assert json.dumps(again.arm.policy.to_json()) == json.dumps(first().arm.policy.to_json())


def test_outcomes_of_later_days_have_faded_less():
    seen = first().seen
    early, late = (replace(seen, day=np.full_like(seen.day, day)) for day in (0, 6))
    one, other = (
        update_record(Record.empty(market().indicators), s, half_life_weeks=1.0, tags=market().tag_names)
        for s in (early, late)
    )
    names = tuple(HEAD_LETTERS)
    for letter in ("A", "B"):
        sums = [np.array(r.votes.to_json(names)[letter])[:, :6].sum() for r in (one, other)]
        assert sums[0] < 0.9 * sums[1]
    assert one.results.sum() == pytest.approx(other.results.sum() * 0.5 ** (6 / 7), rel=1e-3)


def test_thresholds_are_judged_by_candidates_with_evidence_in_their_favour():
    seen = first().seen
    for_it = picked(seen, seen.consensus > 0)
    assert 0 < len(for_it.won) < len(seen.won)
    expected = update_manager(
        begun().record.manager,
        regime=for_it.regime,
        rank=for_it.rank,
        r_multiple=for_it.r_multiple,
        weight=for_it.weight,
        half_life_weeks=FULL.half_life_weeks,
    )
    assert first().arm.record.manager.to_json() == expected.to_json()


@pytest.mark.parametrize("learner", LEARNERS)
def test_each_learner_is_calibrated_by_what_it_told_at_the_decision(learner):
    """By that alone, and no other learner by it: bins by a plain loop, and the others' as they were."""
    seen, before, after = first().seen, begun().record, first().arm.record
    expected = before.consensus[learner] * 0.5 ** (1 / FULL.half_life_weeks)
    for said, side, won, weight in zip(seen.told[learner], seen.side, seen.won, seen.weight, strict=True):
        expected[side, int(bin_of(said)), int(won)] += weight
    np.testing.assert_allclose(after.consensus[learner], expected, atol=2e-4)
    turned = learned(replace(seen, told={**seen.told, learner: -seen.told[learner]}))[0]
    assert {*turned.consensus} == {*LEARNERS}
    assert [n for n in LEARNERS if not np.array_equal(turned.consensus[n], after.consensus[n])] == [learner]
    elsewhere = learned(replace(seen, consensus=np.zeros_like(seen.consensus)))[0]
    np.testing.assert_array_equal(elsewhere.consensus[learner], after.consensus[learner])


def test_heads_and_patterns_are_calibrated_by_what_was_said_for_them():
    """Patterns by the confidence without them, the heads by their evidence, the frozen ones by it without weights."""
    seen, record = first().seen, first().arm.record
    louder = np.clip(seen.confidence + 0.2, 0, 1)
    assert learned(replace(seen, confidence=louder))[0].patterns.to_json() == record.patterns.to_json()
    assert learned(replace(seen, expected=louder))[0].patterns.to_json() != record.patterns.to_json()
    assert seen.fitted is not None
    twice = learned(replace(seen, raw=2 * seen.raw))[0]
    np.testing.assert_array_equal(twice.fitted_heads, record.fitted_heads)
    assert not np.array_equal(twice.heads, record.heads)
    halved = learned(replace(seen, fitted=seen.fitted / 2))[0]
    np.testing.assert_array_equal(halved.heads, record.heads)
    assert not np.array_equal(halved.fitted_heads, record.fitted_heads)


def test_beliefs_move_by_the_days_losses_of_what_each_strategy_stated():
    seen = first().seen
    stated = {**seen.stated, CONSTANT: seen.base}
    days: list[dict[str, float]] = []
    for day in range(7):
        loss = dict.fromkeys(EXPERTS, 0.0)
        for i in np.flatnonzero(seen.day == day):
            for name in EXPERTS:
                p = stated[name][i] if seen.won[i] else 1 - stated[name][i]
                loss[name] -= float(seen.weight[i] * np.log(p))
        days.append(loss)
    expected = update_beliefs(begun().record.beliefs, days)
    assert first().arm.record.beliefs.leader == expected.leader
    for name in EXPERTS:
        assert first().arm.record.beliefs.shares[name] == pytest.approx(expected.shares[name], abs=1e-5)


def test_base_rates_and_weights_of_the_closing_week_play_no_part_in_the_losses():
    """Policy and record turned upside down after the decision: every loss and every belief stays."""
    arm, seen = begun(), first().seen
    policy = replace(
        arm.policy,
        base=1 - arm.policy.base,
        weights=arm.policy.weights[:, ::-1],
        slopes=-arm.policy.slopes,
        consensus_slope=3 * arm.policy.consensus_slope,
        pattern_effects={name: -effect for name, effect in arm.policy.pattern_effects.items()},
    )
    forgotten = replace(Record.empty(market().indicators, FAMILIES), beliefs=arm.record.beliefs)
    turned = replace(arm, policy=policy, record=forgotten)
    for said, now in zip((seen.told, seen.stated), asked(turned, seen), strict=True):
        assert not any(np.allclose(said[name], now[name], atol=0.01) for name in LEARNERS)
    for record, in_force in ((arm.record, policy), (forgotten, arm.policy), (forgotten, policy)):
        after, rows = learn(record, seen, policy=in_force, market=market(), recipe=FULL)
        assert rows == first().learners
        assert after.beliefs.to_json() == first().arm.record.beliefs.to_json()


def test_a_learner_that_was_not_there_for_every_candidate_has_no_row_yet():
    """An arm that begins to hear patterns: those that waited were told without."""
    plain = start(replace(FULL, patterns="off"), market())
    deaf = run_week(plain, replace(FULL, patterns="off"), market(), until=MONDAY + WEEK_MS, rules=RULES)
    effects = {"breakout": np.full(4, 0.3), "hammer": np.full(4, -0.3)}
    hears = replace(deaf.arm, policy=replace(deaf.arm.policy, pattern_effects=effects))
    second = run_week(hears, FULL, market(), until=MONDAY + 2 * WEEK_MS, rules=RULES)
    third = run_week(second.arm, FULL, market(), until=MONDAY + 3 * WEEK_MS, rules=RULES)
    heard = [FROZEN_PATTERNS in by_name(week.learners) for week in (deaf, second, third)]
    assert heard == [False, False, True]
    assert [FROZEN_PATTERNS in week.arm.record.consensus for week in (deaf, second, third)] == heard


def test_a_week_in_which_nothing_closed_is_a_week():
    none = picked(first().seen, slice(0, 0))
    after, rows = learned(none)
    assert [row["learner"] for row in rows] == [row["learner"] for row in first().learners]
    assert after.weeks == begun().record.weeks + 1
    assert after.beliefs.leader == begun().record.beliefs.leader
    assert all(row["n"] == 0 and row["log_loss"] is None and row["top_r"] is None for row in rows)
    assert text(Record.from_json(json.loads(text(after)))) == text(after)


def test_a_week_in_which_nothing_closed_makes_no_twin_of_what_the_arm_has_not():
    arm, plan = start(PLAIN, market()), market().plans[PLAN]
    late = replace(plan, known_at=np.where(plan.known_at > MONDAY, plan.known_at + WEEK_MS, plan.known_at))
    quiet = run_week(arm, PLAIN, replace(market(), plans={PLAN: late}), until=MONDAY + WEEK_MS, rules=RULES)
    assert len(quiet.seen.won) == 0 and len(quiet.arm.pending) > 100
    assert {row["learner"] for row in quiet.learners} == {*EXPERTS, IN_FORCE}
    assert {*quiet.arm.record.consensus} == {*STRATEGIES}


def test_an_arm_that_is_never_refitted_learns_nothing():
    frozen = replace(FULL, refit_weeks=0)
    arm = start(frozen, market())
    week = run_week(arm, frozen, market(), until=MONDAY + WEEK_MS, rules=RULES)
    assert week.learners == [] and len(week.seen.won) > 100
    assert text(week.arm.record) == text(arm.record)
    assert week.arm.policy.to_json() == arm.policy.to_json()


# --- what it is good for


def mean_excess(weeks: list[ArmWeek]) -> dict[str, float]:
    """Log loss above the constant's, in outcomes that do not overlap, over all weeks."""
    total: dict[str, float] = {}
    for week in weeks:
        rows = by_name(week.learners)
        for name, row in rows.items():
            more = (row["log_loss"] - rows[CONSTANT]["log_loss"]) * row["n_effective"]
            total[name] = total.get(name, 0.0) + more
    return total


def test_where_there_is_nothing_to_learn_no_learner_costs_more_than_following_shares_may():
    """Eight weeks of coins, four markets: nats over all outcomes, against the bound of the beliefs themselves."""
    bound = regret_bound(8 * 7, changes=0)
    excess = [mean_excess(fold(FULL, market(seed, 0.0, weeks=14), weeks=8)) for seed in range(4)]
    for name in excess[0]:
        assert max(found[name] for found in excess) < bound, name
        assert np.mean([found[name] for found in excess]) < bound / 2, name


def test_where_there_is_an_edge_every_learner_beats_the_constant_and_is_believed():
    weeks = fold(FULL, market(weeks=14), weeks=8)
    excess = mean_excess(weeks)
    assert max(more for name, more in excess.items() if name != CONSTANT) < -15
    assert weeks[-1].arm.record.beliefs.shares[CONSTANT] < 0.01
    assert by_name(weeks[-1].learners)[IN_FORCE]["top_r"] > 0


def test_the_head_with_the_edge_comes_to_lead_the_consensus():
    for strategy in ("stacked", "by_regime", "log_odds_slow", "log_odds_fast", "steps"):
        policy = start(replace(PLAIN, head_weights=strategy), market()).policy
        assert policy.strategy == strategy
        knows, coin = policy.weights.mean(axis=0)[:2]
        assert knows > coin + 0.05, strategy


def test_an_arm_that_follows_the_best_uses_the_strategy_that_leads():
    arm = begun()
    assert arm.policy.strategy == arm.record.beliefs.leader
    beliefs = replace(arm.record.beliefs, leader="momentum")
    led = replace(arm, record=replace(arm.record, beliefs=beliefs))
    after = run_week(led, replace(FULL, refit_weeks=4), market(), until=MONDAY + WEEK_MS, rules=RULES)
    assert after.arm.policy.strategy == after.arm.record.beliefs.leader


@pytest.mark.parametrize("leader", ["equal", "by_regime", "stacked"])
def test_indicators_follow_the_leader_too_where_the_recipe_says_so(leader):
    record = begun().record
    led = replace(record, beliefs=replace(record.beliefs, leader=leader))
    given: dict[str, Any] = {"name": "r1", "learned": MONDAY, "fitted": "2018-05-14", "alpha": 0.05}
    one, other = (
        make_policy(begun().policy.heads, led, market(), recipe=replace(FULL, indicator_weights=weights), **given)
        for weights in ("meta", leader)
    )
    assert one.to_json() == other.to_json()
    assert bool(one.indicator_weights) == (leader != "equal")


def test_patterns_that_win_beyond_the_heads_raise_the_consensus_and_those_that_lose_lower_it():
    (week,) = fold(FULL, market(patterns=0.4), weeks=1)
    effects = week.arm.policy.pattern_effects
    assert (effects["breakout"] > 0.2).all() and (effects["hammer"] < -0.2).all()
    seen = week.seen
    assert (seen.effect[seen.tag == BREAKOUT] > 0).mean() > 0.95
    assert seen.confidence[seen.tag == BREAKOUT].mean() > seen.expected[seen.tag == BREAKOUT].mean() + 0.02
    rows = by_name(week.learners)
    assert rows[FROZEN_PATTERNS]["log_loss"] > rows[IN_FORCE]["log_loss"] + 0.005


def test_patterns_without_an_effect_of_their_own_stay_near_none():
    effects = first().arm.policy.pattern_effects
    assert max(np.abs(effect).max() for effect in effects.values()) < 0.4
    assert np.mean([effect.mean() for effect in effects.values()]) == pytest.approx(0.0, abs=0.15)
    assert start(PLAIN, market()).policy.pattern_effects == {}


# --- indicators that were selected


def test_a_recipe_of_selected_indicators_fits_what_the_last_run_kept():
    kept = replace(RULES, kept=("a1", "b1"))
    selected = replace(FULL, features="selected")

    def used(recipe: Recipe, rules: Rules) -> set[str]:
        (week,) = fold(recipe, market(), weeks=1, rules=rules)
        return {name for head in week.arm.policy.heads.values() for name in head.indicators}

    assert used(selected, kept) == {"a1", "b1"}
    assert used(FULL, kept) == used(selected, RULES) == {"a1", "a2", "b1"}
    assert used(replace(selected, indicators=("a1", "a2")), kept) == {"a1"}


def test_what_was_kept_takes_no_part_in_the_weeks_before_it_was():
    """The warm-up knows nothing of a selection that its own outcomes made; a dropped indicator then falls silent."""
    selected, kept = replace(FULL, features="selected"), replace(RULES, kept=("b1",))
    arm, whole = start(selected, market(), kept), start(selected, market())
    assert text(arm.record) == text(whole.record)
    assert set(arm.policy.heads) == {"B"} and set(whole.policy.heads) == {"A", "B"}
    week = run_week(arm, selected, market(), until=MONDAY + WEEK_MS, rules=kept)
    now = market().date[week.seen.row] >= MONDAY
    assert not week.seen.shares[now][:, :2].any() and np.isnan(week.seen.raw[now, 0]).all()
    assert set(week.arm.policy.indicator_weights) == {"b1"}
    back = run_week(week.arm, selected, market(), until=MONDAY + 2 * WEEK_MS, rules=RULES)
    assert set(back.arm.policy.heads) == {"A", "B"}  # brought back
