"""What was said of a candidate when it was decided is what is learned from when it closes."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from edgebook.arms.arms import Arm, ArmWeek, Rules, run_week, start_arm
from edgebook.arms.pending import PENDING_COLUMNS, no_pending, observe, pending_from
from edgebook.policy.heads import evidence
from edgebook.policy.learners import LEARNERS
from edgebook.policy.market import DAY_MS, NEVER, WEEK_MS, Market, milliseconds
from edgebook.policy.observed import Observed
from edgebook.policy.policy import score
from edgebook.policy.record import Record
from edgebook.policy.signals import entering_rows
from edgebook.seals.seal_text import csv_text, read_csv
from edgebook.settings.params import Gate, Learning, Sizing
from edgebook.settings.recipes import HEAD_LETTERS, Recipe
from small_market import BAR_MS, GENESIS, PLAN, coin_market

FAMILIES = {letter: () for letter in HEAD_LETTERS} | {"A": ("a1", "a2"), "B": ("b1",)}
RULES = Rules(
    sizing=Sizing(
        start_capital=1e5, risk_per_trade=0.005, max_positions=6, max_positions_per_pair=2, max_total_risk=0.02,
        max_leverage=3.0,
    ),
    learning=Learning(warmup_weeks=5, trial_weeks=26, certify_alpha=0.05, approval="automatic"),
    gate=Gate(
        alpha_per_year=0.05, admissions_per_year=4, book_share=0.7, max_gain_r=12.0, max_loss_r=18.0, rollback_bar=4.0,
        rollback_weeks=26,
    ),
    cost=0.0,
    families=FAMILIES,
)  # fmt: skip
MONDAY = milliseconds(GENESIS) + 5 * WEEK_MS
PLAIN = Recipe(exit_plan=PLAN, min_heads_agree=1, shrinkage=20.0)
WEIGHED = replace(PLAIN, indicator_weights="stacked", patterns="effectiveness")
SAID = ("raw", "shares", "consensus", "confidence", "expected", "effect", "base", "rank", "regime", "fitted")


@cache
def market() -> Market:
    """A coin that a1 bends, on which every third bar has a pattern, and b1 is missing at times."""
    plain = coin_market(1, bars=420, edge=0.15)
    tag = np.zeros_like(plain.tag)
    tag[::3, 0], tag[1::3, 1] = 1, 2
    values, votes = plain.values.copy(), plain.votes.copy()
    values[::7, 2], votes[::7, 2] = np.nan, 0
    return replace(plain, tag_names=("none", "breakout", "hammer"), tag=tag, values=values, votes=votes)


@cache
def start(*, plain: bool = False) -> Arm:
    return start_arm("r1", PLAIN if plain else WEIGHED, market(), at=MONDAY, rules=RULES)


def week(arm: Arm, number: int = 1, *, recipe: Recipe = WEIGHED, on: Market | None = None, **given: Any) -> ArmWeek:
    return run_week(arm, recipe, on or market(), until=MONDAY + number * WEEK_MS, rules=RULES, **given)


@cache
def first() -> ArmWeek:
    return week(start())


def key(seen: Observed) -> list[tuple[int, int]]:
    return list(zip(seen.row.tolist(), seen.side.tolist(), strict=True))


def key_of(pending: pd.DataFrame, on: Market) -> list[tuple[int, int]]:
    return [
        (on.row(p, t, date=d), s)
        for p, t, d, s in zip(*(pending[c] for c in ("pair", "timeframe", "date", "is_short")), strict=True)
    ]


def before(seen: Observed) -> np.ndarray:
    """Candidates that were decided before the first week."""
    return np.asarray(market().date[seen.row] < MONDAY)


def same(one: Arm, other: Arm) -> bool:
    return written(one) == written(other)


def written(arm: Arm) -> tuple[str, str, str]:
    return json.dumps(arm.to_json()), json.dumps(arm.policy.to_json()), csv_text(arm.pending, PENDING_COLUMNS)


def said(seen: Observed) -> dict[str, np.ndarray]:
    """Everything that was written down of candidates when they were decided, learner by learner."""
    parts = {name: getattr(seen, name) for name in SAID if getattr(seen, name) is not None}
    told = {f"told/{name}": part for name, part in seen.told.items()}
    return parts | told | {f"stated/{name}": part for name, part in seen.stated.items()}


def upside_down(arm: Arm) -> Arm:
    """The arm with a policy that says the opposite, believes it twice, hears other heads and expects another market."""
    policy = arm.policy
    heads = {
        letter: replace(head, value_weights=-2 * head.value_weights, vote_weights=-2 * head.vote_weights)
        for letter, head in policy.heads.items()
    }
    turned = replace(
        policy,
        heads=heads,
        weights=policy.weights[:, ::-1],
        slopes=2 * policy.slopes,
        consensus_slope=2 * policy.consensus_slope,
        base=1 - policy.base,
        pattern_effects={name: -effect for name, effect in policy.pattern_effects.items()},
    )
    return replace(arm, policy=turned)


# --- nothing is lost, nothing is counted twice


def test_every_candidate_is_seen_once_when_it_closes_and_waits_until_then():
    plan = market().plans[PLAN]
    waiting = key_of(start().pending, market())
    entered = entering_rows(market(), plan, since=MONDAY, until=MONDAY + WEEK_MS)
    expected = {*waiting, *((row, side) for row in entered.tolist() for side in (0, 1))}
    seen, left = key(first().seen), key_of(first().arm.pending, market())
    assert len(seen) + len(left) == len(expected) == len(waiting) + 2 * len(entered)
    assert {*seen} | {*left} == expected
    known_at = {at: int(plan.known_at[at]) for at in expected}
    assert all(known_at[at] <= MONDAY + WEEK_MS for at in seen)
    assert all(known_at[at] > MONDAY + WEEK_MS for at in left)
    assert waiting and left


def test_the_day_is_the_one_that_ended_with_or_after_the_close():
    known_at = market().plans[PLAN].known_at[first().seen.row, first().seen.side]
    assert (first().seen.day == np.ceil((known_at - MONDAY) / DAY_MS) - 1).all()
    at_midnight = (known_at - MONDAY) % DAY_MS == 0
    assert at_midnight.any() and first().seen.day[at_midnight].max() == 6


def test_a_candidate_without_an_entry_is_not_waited_for():
    plan = market().plans[PLAN]
    open_ms = plan.open_ms.copy()
    rows = entering_rows(market(), plan, since=MONDAY, until=MONDAY + WEEK_MS)
    open_ms[rows[:10], 1] = NEVER
    without = week(start(), on=replace(market(), plans={PLAN: replace(plan, open_ms=open_ms)}))
    missing = {*key(first().seen), *key_of(first().arm.pending, market())} - {
        *key(without.seen), *key_of(without.arm.pending, market())
    }  # fmt: skip
    assert missing == {(row, 1) for row in rows[:10].tolist()}


def test_a_week_without_candidates_still_observes_what_waited():
    arm = start()
    none = entering_rows(market(), market().plans[PLAN], since=MONDAY, until=MONDAY)
    scores = score(arm.policy, market(), rows=none)
    scored = pending_from(scores, market(), rows=none, policy=arm.policy, record=arm.record, until=MONDAY)
    given: dict[str, Any] = {"exit_plan": PLAN, "since": MONDAY, "at": MONDAY + WEEK_MS}
    seen, left, _ = observe(arm.pending, scored, market(), **given)
    assert key(seen) == key_of(arm.pending, market()) and len(left) == 0
    nobody, left, _ = observe(no_pending(), scored, market(), **given)
    assert len(nobody.row) == len(left) == 0
    assert list(left.columns) == PENDING_COLUMNS


# --- what was said


def test_what_was_said_is_learned_from_and_not_what_a_new_policy_would_say():
    other = week(upside_down(start()))
    was, now = first().seen, other.seen
    assert key(was) == key(now) and 10 < before(was).sum() < len(was.row)
    for name, part in said(was).items():
        np.testing.assert_array_equal(said(now)[name][before(was)], part[before(was)], err_msg=name)
    learners = [f"{how}/{name}" for how in ("told", "stated") for name in LEARNERS]
    for name in ("raw", "shares", "base", "consensus", "fitted", *learners):
        assert not np.array_equal(said(now)[name][~before(was)], said(was)[name][~before(was)], equal_nan=True), name


def test_the_policy_of_the_week_in_which_a_candidate_closes_moves_neither_losses_nor_beliefs():
    """A week in which nothing new is decided: its policy and its record have no say in what the old ones cost."""
    arm, shut = start(), market().plans[PLAN].open_ms.copy()
    shut[market().date >= MONDAY] = NEVER
    on = replace(market(), plans={PLAN: replace(market().plans[PLAN], open_ms=shut)})
    turned, blank = upside_down(arm), Record.empty(market().indicators, FAMILIES)
    assert turned.policy.base[0, 0] != arm.policy.base[0, 0]
    forgetful = replace(turned, record=replace(blank, beliefs=arm.record.beliefs))
    straight, other, third = (week(a, on=on) for a in (arm, turned, forgetful))
    assert key(straight.seen) == key_of(arm.pending, market())
    assert straight.learners == other.learners == third.learners
    assert len({row["log_loss"] for row in straight.learners}) > 3  # they do not all say the same
    beliefs = [w.arm.record.beliefs.to_json() for w in (straight, other, third)]
    assert beliefs[0] == beliefs[1] == beliefs[2] != arm.record.beliefs.to_json()


def test_indicators_that_are_revised_after_a_decision_do_not_change_what_was_said():
    changed = market().date < MONDAY
    revised = replace(market(), values=np.where(changed[:, None], 9.0, market().values).astype(np.float32))
    then = week(start(), on=revised).seen
    for name, part in said(first().seen).items():
        np.testing.assert_array_equal(said(then)[name][before(then)], part[before(then)], err_msg=name)


def negated(texts: pd.Series) -> pd.Series:
    """Numbers of one word, each with the other sign; what is missing stays so."""
    return texts.map(lambda text: ";".join(f"{-float(part):.4f}" if part else "" for part in text.split(";")))


def against(texts: pd.Series) -> pd.Series:
    """Probabilities of one word, each of the opposite."""
    return texts.map(lambda text: ";".join(f"{1 - float(part):.4f}" if part else "" for part in text.split(";")))


@pytest.mark.parametrize(
    ("changes", "learned"),
    [
        ({"told": negated}, {"consensus"}),  # a learner is calibrated by what it told
        ({"stated": against}, {"beliefs"}),
        ({"base": lambda base: 1 - base}, {"head_stack", "indicator_stack", "beliefs"}),
        ({"expected": lambda expected: 1 - expected}, {"patterns"}),
        ({"fitted": negated}, {"fitted_heads"}),
        ({"shares": lambda shares: shares.map(lambda _: ":" + "gA" * 3)}, {"indicators", "indicator_stack"}),
        ({"consensus": np.negative, "rank": lambda rank: 1 - rank}, {"manager"}),
        ({"confidence": lambda confidence: 1 - confidence}, {"thresholds"}),
        ({"effect": lambda effect: effect + 1.0}, set()),  # it is in what was told
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else None,
)
def test_the_sealed_words_are_what_the_record_reads(changes, learned):
    pending, was = start().pending, first().arm.record.to_json()
    turned = pending.assign(**{column: turn(pending[column]) for column, turn in changes.items()})
    now = week(replace(start(), pending=turned)).arm.record.to_json()
    assert {part for part in was if now[part] != was[part]} == learned


def test_what_waits_through_a_seal_is_learned_from_alike():
    """Pending scores are written and read as CSV between any two weeks; the week after is the same to the byte."""
    arm = first().arm
    text = csv_text(arm.pending, PENDING_COLUMNS)
    back = replace(arm, pending=read_csv(text))
    assert csv_text(back.pending, PENDING_COLUMNS) == text
    assert same(week(back, 2).arm, week(arm, 2).arm)


def test_it_does_not_matter_whether_a_candidate_waited():
    """Seen within the week, or through the text of a seal in the middle of it."""
    arm, middle = start(), MONDAY + 3 * DAY_MS
    plan = market().plans[PLAN]
    given: dict[str, Any] = {"exit_plan": PLAN, "since": MONDAY}

    def scored(since: int, until: int) -> Any:
        rows = entering_rows(market(), plan, since=since, until=until)
        scores = score(arm.policy, market(), rows=rows)
        return pending_from(scores, market(), rows=rows, policy=arm.policy, record=arm.record, until=until)

    early, left, _ = observe(arm.pending, scored(MONDAY, middle), market(), **given, at=middle)
    waited = read_csv(csv_text(left, PENDING_COLUMNS))
    late, _, _ = observe(waited, scored(middle, MONDAY + WEEK_MS), market(), **given, at=MONDAY + WEEK_MS)
    whole = first().seen
    assert sorted(key(early) + key(late)) == sorted(key(whole))
    place = {at: i for i, at in enumerate(key(early) + key(late))}
    order = [place[at] for at in key(whole)]
    for name, part in said(whole).items():
        np.testing.assert_array_equal(np.concatenate([said(early)[name], said(late)[name]])[order], part, err_msg=name)
    for name in ("tag", "won", "r_multiple", "weight"):
        parts = np.concatenate([getattr(early, name), getattr(late, name)])[order]
        np.testing.assert_array_equal(parts, getattr(whole, name), err_msg=name)


def test_shares_and_fitted_evidence_are_those_of_the_policy_that_decided():
    seen, policy = first().seen, start().policy
    now = ~before(seen)
    row, side = seen.row[now], seen.side[now]
    assert seen.fitted is not None
    for letter, columns in (("A", [0, 1]), ("B", [2])):
        number, head = HEAD_LETTERS.index(letter), policy.heads[letter]
        values, votes = market().values[np.ix_(row, columns)], market().votes[np.ix_(row, columns)]
        plain = evidence(head, values, votes=votes)[np.arange(len(row)), side]
        np.testing.assert_allclose(seen.fitted[now, number], plain, atol=2e-4)
        total = head.intercept[side] + seen.shares[now][:, columns].sum(axis=1)
        awake = np.isfinite(plain)
        np.testing.assert_allclose(total[awake], plain[awake], atol=2e-3)
        assert not np.array_equal(seen.raw[now, number][awake], seen.fitted[now, number][awake])
    assert np.isnan(seen.raw[now, 1]).any()  # who abstained is remembered as one who did
    assert np.isnan(seen.raw[:, 2:]).all()


def test_an_arm_without_indicator_weights_writes_no_fitted_evidence_and_one_that_gets_them_has_both():
    arm = start(plain=True)
    assert arm.pending["fitted"].isna().all()
    plain = week(arm, recipe=PLAIN)
    assert plain.seen.fitted is None
    now_weighed = replace(arm, policy=replace(arm.policy, indicator_weights=start().policy.indicator_weights))
    mixed = week(now_weighed, recipe=PLAIN).seen
    assert mixed.fitted is not None
    old = before(mixed)
    np.testing.assert_array_equal(mixed.fitted[old], mixed.raw[old])
    assert not np.array_equal(np.nan_to_num(mixed.fitted[~old]), np.nan_to_num(mixed.raw[~old]))


def test_confidence_without_the_pattern_is_remembered_beside_what_the_pattern_did():
    seen = first().seen
    assert (seen.tag == market().tag[seen.row, seen.side]).all()
    assert not seen.effect[seen.tag == 0].any()
    np.testing.assert_array_equal(seen.confidence[seen.effect == 0], seen.expected[seen.effect == 0])
    slope = start().policy.consensus_slope[seen.side]
    assert ((seen.confidence >= seen.expected) | (seen.effect * slope < 0) | (seen.effect == 0)).all()
    assert (seen.effect != 0).any()
    assert ((seen.rank >= 0) & (seen.rank <= 1)).all()


# --- a part of a week


def test_seven_days_by_since_are_the_week():
    assert same(week(start(), since=MONDAY).arm, first().arm)


@pytest.mark.parametrize("days", [1, 3, 6])
def test_the_first_days_of_a_week_are_its_first_days(days):
    part = run_week(start(), WEIGHED, market(), until=MONDAY + days * DAY_MS, since=MONDAY, rules=RULES)
    whole = first()
    within = whole.seen.day < days
    assert sorted(key(part.seen)) == sorted(at for at, here in zip(key(whole.seen), within, strict=True) if here)
    place = {at: i for i, at in enumerate(key(whole.seen))}
    order = [place[at] for at in key(part.seen)]
    for name, one in said(part.seen).items():
        np.testing.assert_array_equal(one, said(whole.seen)[name][order], err_msg=name)
    for name in ("day", "won", "r_multiple"):
        np.testing.assert_array_equal(getattr(part.seen, name), getattr(whole.seen, name)[order], err_msg=name)
    assert len(part.scores) == days
    np.testing.assert_array_equal(part.scores, whole.scores[:days])
    entered = market().plans[PLAN].open_ms[part.signals.row, part.signals.side]
    assert set(zip(part.signals.row, part.signals.side, strict=True)) == {
        at
        for at in zip(whole.signals.row, whole.signals.side, strict=True)
        if market().plans[PLAN].open_ms[at] < MONDAY + days * DAY_MS
    }
    assert (entered < MONDAY + days * DAY_MS).all()


def test_the_first_days_of_a_week_know_nothing_of_the_rest():
    until = MONDAY + 3 * DAY_MS
    plan, late = market().plans[PLAN], market().date > until
    unknown = plan.known_at > until
    spoiled = replace(
        market(),
        values=np.where(late[:, None], -market().values, market().values),
        plans={
            PLAN: replace(
                plan,
                profit_ratio=np.where(unknown, -plan.profit_ratio, plan.profit_ratio),
                r_multiple=np.where(unknown, -plan.r_multiple, plan.r_multiple),
                known_at=np.where(unknown, plan.known_at + 5 * BAR_MS, plan.known_at),
            )
        },
    )
    one, other = (run_week(start(), WEIGHED, m, until=until, since=MONDAY, rules=RULES) for m in (spoiled, market()))
    assert json.dumps(one.arm.record.to_json()) == json.dumps(other.arm.record.to_json())
    assert written(one.arm)[2] == written(other.arm)[2]
    assert one.learners == other.learners


def test_no_pending_has_the_columns_of_what_waits_and_reads_back():
    empty = no_pending()
    assert list(empty.columns) == PENDING_COLUMNS and len(empty) == 0
    assert csv_text(read_csv(csv_text(empty, PENDING_COLUMNS)), PENDING_COLUMNS) == csv_text(empty, PENDING_COLUMNS)
