"""A pattern is worth what its candidates won beyond their confidence, and no more than the evidence carries."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import brentq

from edgebook.policy.pattern_effects import (
    LARGEST,
    PRIOR_INFORMATION,
    PatternRecord,
    effect_of,
    pattern_effects,
    update_patterns,
)
from edgebook.policy.plan_outcomes import REGIMES

TAGS = ("none", "breakout", "double_bottom", "hammer")
BREAKOUT, BOTTOM, HAMMER = 1, 2, 3


def closed(tag: Any, won: Any, *, expected: Any = 0.5, regime: Any = 0, weight: Any = 1.0) -> dict[str, Any]:
    n = len(won)
    return {
        "tag": np.broadcast_to(tag, n).astype(np.int64),
        "won": np.asarray(won, dtype=bool),
        "expected": np.broadcast_to(expected, n).astype(np.float64),
        "regime": np.broadcast_to(regime, n).astype(np.int64),
        "weight": np.broadcast_to(weight, n).astype(np.float64),
    }


def after(record: PatternRecord, day: dict[str, Any], *, days: float = 1.0) -> PatternRecord:
    return update_patterns(record, **day, tags=TAGS, half_life_weeks=13.0, days=days)


def effects(day: dict[str, Any]) -> dict[str, np.ndarray]:
    return pattern_effects(after(PatternRecord(), day))


# --- what it is worth


def test_sums_and_effect_by_hand():
    """Three of four won at a confidence of 0.4; each stands for half an outcome."""
    record = after(PatternRecord(), closed(BREAKOUT, [True, True, True, False], expected=0.4, regime=1, weight=0.5))
    assert record.sums["breakout"].tolist() == [[0, 0], [0.7, 0.48], [0, 0], [0, 0]]
    overall = 0.7 / (0.48 + PRIOR_INFORMATION)
    found = pattern_effects(record)["breakout"]
    assert found[0] == pytest.approx(overall, abs=1e-4)
    assert found[1] == pytest.approx((0.7 + PRIOR_INFORMATION * overall) / (0.48 + PRIOR_INFORMATION), abs=1e-4)


def test_more_wins_than_confidence_raise_and_fewer_lower():
    many, few = np.arange(400) % 5 < 3, np.arange(400) % 5 < 2
    found = effects(closed(np.repeat([BREAKOUT, BOTTOM], 400), np.r_[many, few]))
    assert (found["breakout"] > 0.2).all()
    assert (found["double_bottom"] < -0.2).all()


def test_a_pattern_whose_heads_are_confident_already_adds_nothing():
    won = np.arange(500) % 5 < 4
    assert effects(closed(HAMMER, won, expected=0.8))["hammer"].tolist() == [0.0] * 4
    assert (effects(closed(HAMMER, won, expected=0.5))["hammer"] > 0.5).all()
    assert (effects(closed(HAMMER, won, expected=0.9))["hammer"] < 0).all()


def test_with_much_evidence_it_is_the_offset_that_explains_the_wins():
    rng = np.random.default_rng(1)
    expected = rng.uniform(0.35, 0.6, 20_000)
    odds = np.log(expected / (1 - expected))
    won = rng.random(20_000) < 1 / (1 + np.exp(-odds - 0.2))
    offset = brentq(lambda x: (won - 1 / (1 + np.exp(-odds - x))).sum(), -1, 1)
    found = effects(closed(BREAKOUT, won, expected=expected, regime=3))["breakout"]
    assert found[3] == pytest.approx(offset, abs=0.01)


def test_a_regime_is_heard_for_itself_and_a_silent_one_by_the_others():
    won = np.r_[np.ones(300), np.arange(300) % 2]
    found = effects(closed(BREAKOUT, won, regime=np.repeat([0, 1], 300)))["breakout"]
    assert found[0] == LARGEST
    assert abs(found[1]) < 0.15
    assert found[1] < found[2] == found[3] < found[0]


def test_little_evidence_moves_little_however_lucky():
    assert 0 < effects(closed(BREAKOUT, [True] * 3))["breakout"].max() < 0.3


def test_on_coins_effects_are_far_nearer_to_nothing_than_the_raw_ones():
    rng = np.random.default_rng(2)
    shrunk, raw = [], []
    for _ in range(200):
        n = int(rng.integers(5, 80))
        expected, regime = rng.uniform(0.4, 0.6, n), rng.integers(0, 4, n)
        won = rng.random(n) < expected
        shrunk.append(effects(closed(BREAKOUT, won, expected=expected, regime=regime))["breakout"])
        surprise = np.bincount(regime, weights=won - expected, minlength=4)
        raw.append(surprise / np.maximum(np.bincount(regime, weights=expected * (1 - expected), minlength=4), 0.24))
    errors = np.sqrt(np.mean(np.square(shrunk))), np.sqrt(np.mean(np.square(raw)))
    assert errors[0] < 0.25 and errors[0] < errors[1] / 3
    assert abs(np.mean(shrunk)) < 0.03


days = st.integers(0, 15).flatmap(
    lambda n: st.builds(
        closed,
        arrays(np.int64, n, elements=st.integers(0, 3)),
        arrays(np.bool_, n),
        expected=arrays(np.float64, n, elements=st.sampled_from([0.25, 0.5, 0.75])),
        regime=arrays(np.int64, n, elements=st.integers(0, 3)),
        weight=arrays(np.float64, n, elements=st.integers(0, 4).map(lambda x: x / 4)),
    )
)


@settings(max_examples=40)
@given(days)
def test_effects_agree_with_a_plain_loop(day):
    found = effects(day)
    assert set(found) == {TAGS[tag] for tag in day["tag"] if tag}
    for name, effect in found.items():
        surprise, information = [0.0] * 4, [0.0] * 4
        for tag, won, p, regime, weight in zip(
            day["tag"], day["won"], day["expected"], day["regime"], day["weight"], strict=True
        ):
            if TAGS[tag] == name:
                surprise[regime] += weight * (won - p)
                information[regime] += weight * p * (1 - p)
        overall = sum(surprise) / (sum(information) + PRIOR_INFORMATION)
        for code in range(4):
            here = (surprise[code] + PRIOR_INFORMATION * overall) / (information[code] + PRIOR_INFORMATION)
            assert effect[code] == pytest.approx(min(max(here, -LARGEST), LARGEST), abs=2e-4)


# --- what is remembered


@pytest.mark.parametrize("steps", [1, 91])
def test_a_surprise_counts_half_after_its_half_life_and_a_later_one_more(steps):
    won = np.arange(640) % 8 < 5
    record = first = after(PatternRecord(), closed(BREAKOUT, won))
    for _ in range(steps):
        record = after(record, closed(0, []), days=91 / steps)
    assert record.sums["breakout"] == pytest.approx(first.sums["breakout"] / 2, abs=0.01)
    both = after(record, closed(BOTTOM, won))
    assert pattern_effects(both)["double_bottom"][2] > pattern_effects(both)["breakout"][2] > 0


def test_candidates_without_a_pattern_teach_nothing_here():
    assert after(PatternRecord(), closed(0, np.ones(50))).sums == {}


@settings(max_examples=30)
@given(st.lists(days, max_size=4))
def test_a_record_comes_back_from_json_and_goes_on_alike(past):
    record = PatternRecord()
    for day in past:
        text = json.dumps(record.to_json())
        back = PatternRecord.from_json(json.loads(text))
        assert json.dumps(back.to_json()) == text
        one, other = after(back, day), after(record, day)
        assert json.dumps(one.to_json()) == json.dumps(other.to_json())
        assert json.dumps(back.to_json()) == text  # the past did not change under the update
        record = one


@settings(max_examples=30)
@given(days, st.randoms(use_true_random=False))
def test_the_order_within_a_day_does_not_matter(day, shuffler):
    order = list(range(len(day["won"])))
    shuffler.shuffle(order)
    mixed = {name: array[order] for name, array in day.items()}
    one, other = (after(PatternRecord(), d).to_json() for d in (day, mixed))
    assert one == other


@settings(max_examples=30)
@given(st.lists(days, max_size=3))
def test_effects_are_bounded_and_numbers(past):
    record = PatternRecord()
    for day in past:
        record = after(record, day)
    for effect in pattern_effects(record).values():
        assert effect.shape == (len(REGIMES),)
        assert np.isfinite(effect).all() and (np.abs(effect) <= LARGEST).all()


# --- where it goes


def test_each_candidate_hears_its_own_pattern_in_its_own_regime():
    table = {"breakout": np.array([0.1, 0.2, 0.3, 0.4]), "hammer": np.full(4, -0.5)}
    tag = np.array([[BREAKOUT, 0], [HAMMER, BREAKOUT], [BOTTOM, 0]])
    found = effect_of(table, TAGS, tag=tag, regime=np.array([[2], [0], [1]]))
    assert found.tolist() == [[0.3, 0.0], [-0.5, 0.1], [0.0, 0.0]]
    assert not effect_of({}, TAGS, tag=tag, regime=np.array([[2], [0], [1]])).any()


def test_a_new_pattern_in_the_market_does_not_move_the_others():
    """Effects go by name: a code would change with the list."""
    table = {"breakout": np.array([0.1, 0.2, 0.3, 0.4])}
    more = ("none", "ascending_triangle", *TAGS[1:])
    one = effect_of(table, TAGS, tag=np.array([1]), regime=np.array([2]))
    other = effect_of(table, more, tag=np.array([2]), regime=np.array([2]))
    assert one.tolist() == other.tolist() == [0.3]
    record = after(PatternRecord(), closed(BREAKOUT, [True]))
    later = update_patterns(record, **closed(2, [True]), tags=more, half_life_weeks=13.0, days=0.0)
    assert later.sums["breakout"][0].tolist() == [1.0, 0.5]
