"""One record of hits and misses, and what a cautious, an eager and a plain reader make of it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgebook.policy.plan_outcomes import REGIMES
from edgebook.policy.vote_strategies import (
    FAST,
    FAST_WEEKS,
    LARGEST,
    OWN,
    PRIOR_VOTES,
    REGIME_VOTES,
    SLOW,
    SLOW_WEEKS,
    STEP,
    STRATEGIES,
    VOTE_STRATEGIES,
    VoteRecord,
    strategy_weights,
    update_votes,
)

NAMES = ("one", "two", "three")
HALF_LIFE = 13.0
COUNTED = tuple(name for name in VOTE_STRATEGIES if name not in ("equal", "steps"))


def closed(favours: Any, won: Any, *, regime: Any = 0, weight: Any = 1.0) -> dict[str, Any]:
    """Outcomes of one day, as `update_votes` takes them."""
    n = len(won)
    return {
        "favours": np.asarray(favours, dtype=np.int8),
        "won": np.asarray(won, dtype=bool),
        "regime": np.broadcast_to(regime, n).astype(np.int64),
        "weight": np.broadcast_to(weight, n).astype(np.float64),
    }


def after(record: VoteRecord, day: dict[str, Any], *, days: float = 1.0) -> VoteRecord:
    return update_votes(record, **day, half_life_weeks=HALF_LIFE, days=days)


def nothing() -> dict[str, Any]:
    return closed(np.empty((0, 3)), np.empty(0))


def log_odds(share: float) -> float:
    return float(np.log(share / (1 - share)))


# --- what is remembered


def test_hits_and_misses_by_hand():
    """One favours two that won and lost; two disfavours both; three is silent."""
    day = closed([[1, -1, 0], [1, -1, 0]], [True, False], regime=[0, 2], weight=[1.0, 0.5])
    record = after(VoteRecord.empty(3), day)
    for pace in (SLOW, OWN, FAST):
        miss, hit = record.counts[pace, :, :, 0], record.counts[pace, :, :, 1]
        assert hit.tolist() == [[1, 0, 0], [0, 0, 0], [0, 0.5, 0], [0, 0, 0]]
        assert miss.tolist() == [[0, 1, 0], [0, 0, 0], [0.5, 0, 0], [0, 0, 0]]
    assert record.steps[0].tolist() == [1 + STEP, 1 - STEP, 1.0]
    assert record.steps[2].tolist() == [1 - STEP / 2, 1 + STEP / 2, 1.0]


@pytest.mark.parametrize(("pace", "weeks"), [(SLOW, SLOW_WEEKS), (OWN, HALF_LIFE), (FAST, FAST_WEEKS)])
def test_a_vote_counts_half_after_the_half_life_of_its_pace(pace, weeks):
    first = after(VoteRecord.empty(3), closed(np.ones((64, 3)), np.ones(64)))
    at_once = after(first, nothing(), days=7 * weeks)
    day_by_day = first
    for _ in range(int(7 * weeks)):
        day_by_day = after(day_by_day, nothing())
    assert at_once.counts[pace, 0, 0, 1] == 32.0
    assert day_by_day.counts[pace, 0, 0, 1] == pytest.approx(32.0, abs=0.03)
    assert day_by_day.steps.tolist() == first.steps.tolist()


def test_a_later_vote_has_faded_less():
    early = late = VoteRecord.empty(3)
    vote = closed([[1, 0, 0]], [True])
    for day in range(7):
        early = after(early, vote if day == 0 else nothing())
        late = after(late, vote if day == 6 else nothing())
    assert (late.counts[:, 0, 0, 1] == 1.0).all()
    assert (early.counts[:, 0, 0, 1] < 1.0).all()
    assert early.counts[FAST, 0, 0, 1] < early.counts[OWN, 0, 0, 1] < early.counts[SLOW, 0, 0, 1]


def test_step_weights_stay_within_their_bounds():
    record = VoteRecord.empty(3)
    for _ in range(5):
        record = after(record, closed(np.tile([1, -1, 0], (100, 1)), np.ones(100)))
    assert record.steps[0].tolist() == [LARGEST, 0.0, 1.0]


weights = st.integers(0, 16).map(lambda eighths: eighths / 8)  # sums of eighths are exact in any order
days = st.integers(0, 12).flatmap(
    lambda n: st.builds(
        closed,
        arrays(np.int8, (n, 3), elements=st.integers(-1, 1)),
        arrays(np.bool_, n),
        regime=arrays(np.int64, n, elements=st.integers(0, len(REGIMES) - 1)),
        weight=arrays(np.float64, n, elements=weights),
    )
)


@settings(max_examples=40)
@given(days, st.randoms(use_true_random=False))
def test_the_order_within_a_day_does_not_matter(day, shuffler):
    order = list(range(len(day["won"])))
    shuffler.shuffle(order)
    mixed = {name: array[order] for name, array in day.items()}
    one, other = (after(VoteRecord.empty(3), d).to_json(NAMES) for d in (day, mixed))
    assert one == other


@settings(max_examples=30)
@given(st.lists(days, max_size=4))
def test_a_record_comes_back_from_json_and_goes_on_alike(past):
    record = VoteRecord.empty(3)
    for day in past:
        text = json.dumps(record.to_json(NAMES))
        back = VoteRecord.from_json(json.loads(text), NAMES)
        assert json.dumps(back.to_json(NAMES)) == text
        one, other = after(back, day), after(record, day)
        assert json.dumps(one.to_json(NAMES)) == json.dumps(other.to_json(NAMES))
        record = one
        assert json.dumps(back.to_json(NAMES)) == text  # the past did not change under the update
        for strategy in VOTE_STRATEGIES:
            np.testing.assert_array_equal(strategy_weights(one, strategy), strategy_weights(other, strategy))


def test_votes_are_kept_by_name_so_that_another_order_finds_them():
    record = after(VoteRecord.empty(3), closed([[1, -1, 0]], [True]))
    written = record.to_json(NAMES)
    assert set(written) == {"one", "two"}  # three has never voted
    back = VoteRecord.from_json(written, ("three", "two", "new", "one"))
    np.testing.assert_array_equal(back.counts[:, :, 3], record.counts[:, :, 0])
    np.testing.assert_array_equal(back.steps[:, 1], record.steps[:, 1])
    assert not back.counts[:, :, [0, 2]].any()


@settings(max_examples=40)
@given(days)
def test_counts_agree_with_a_plain_loop(day):
    record = after(VoteRecord.empty(3), day)
    expected = np.zeros((len(REGIMES), 3, 2))
    for favours, won, regime, weight in zip(day["favours"], day["won"], day["regime"], day["weight"], strict=True):
        for voter, said in enumerate(favours):
            if said:
                expected[regime, voter, int((said > 0) == won)] += weight
    np.testing.assert_allclose(record.counts, np.broadcast_to(expected, record.counts.shape), atol=1e-9)


# --- what is read


@settings(max_examples=40)
@given(st.lists(days, max_size=3))
def test_weights_are_never_negative_and_always_numbers(past):
    record = VoteRecord.empty(3)
    for day in past:
        record = after(record, day)
    for strategy in VOTE_STRATEGIES:
        found = strategy_weights(record, strategy)
        assert found.shape == (len(REGIMES), 3)
        assert np.isfinite(found).all() and (found >= 0).all()


def test_who_has_not_voted_has_no_say_where_votes_are_counted_and_one_where_not():
    record = VoteRecord.empty(3)
    for strategy in COUNTED:
        assert not strategy_weights(record, strategy).any()
    for strategy in ("equal", "steps"):
        assert (strategy_weights(record, strategy) == 1).all()


def test_weights_are_shrunk_log_odds_by_hand():
    record = VoteRecord.empty(1)
    record.counts[SLOW, 0, 0], record.counts[SLOW, 3, 0] = [30.0, 50.0], [10.0, 30.0]
    record.counts[FAST, 0, 0], record.counts[FAST, 3, 0] = [2.0, 8.0], [1.0, 9.0]
    record.counts[OWN, 0, 0], record.counts[OWN, 3, 0] = [20.0, 20.0], [5.0, 35.0]
    slow = log_odds((80 + PRIOR_VOTES) / (120 + 2 * PRIOR_VOTES))
    fast = log_odds((17 + PRIOR_VOTES) / (20 + 2 * PRIOR_VOTES))
    for strategy, expected in (("log_odds_slow", slow), ("log_odds_fast", fast), ("momentum", 2 * fast - slow)):
        assert strategy_weights(record, strategy)[:, 0] == pytest.approx(np.full(4, expected), abs=1e-4)
    overall = (55 + PRIOR_VOTES) / (80 + 2 * PRIOR_VOTES)
    by_regime = strategy_weights(record, "by_regime")[:, 0]
    for code, (miss, hit) in enumerate([(20, 20), (0, 0), (0, 0), (5, 35)]):
        rate = (hit + REGIME_VOTES * overall) / (miss + hit + REGIME_VOTES)
        assert by_regime[code] == pytest.approx(log_odds(rate), abs=1e-4)


@pytest.mark.parametrize("strategy", [*COUNTED, "steps"])
def test_who_is_right_leads_a_coin_and_who_is_wrong_is_not_heard(strategy):
    rng = np.random.default_rng(1)
    record = VoteRecord.empty(3)
    for _ in range(400):
        won = rng.random(6) < 0.5
        right = rng.random((6, 3)) < (0.65, 0.5, 0.35)
        record = after(record, closed(np.where(right == won[:, None], 1, -1), won, regime=rng.integers(0, 4, 6)))
    right, coin, wrong = strategy_weights(record, strategy).mean(axis=0)
    assert right > coin + 0.2
    assert wrong < 0.05 * right


def weeks_until_the_new_one_leads(strategy: str) -> int:
    """A voter is right for a year, then falls silent in its skill, and another knows instead."""
    rng = np.random.default_rng(2)
    record = VoteRecord.empty(3)
    for week in range(104):
        skill = (0.65, 0.5, 0.5) if week < 52 else (0.5, 0.65, 0.5)
        for _ in range(7):
            won = rng.random(10) < 0.5
            favours = np.where((rng.random((10, 3)) < skill) == won[:, None], 1, -1)
            record = after(record, closed(favours, won, regime=rng.integers(0, 4, 10)))
        old, new = strategy_weights(record, strategy).mean(axis=0)[:2]
        if week >= 52 and new > old:
            return week - 52
    return 52


def test_after_an_edge_has_moved_the_eager_follow_first_and_steps_last():
    momentum, fast, own, slow, steps = map(
        weeks_until_the_new_one_leads, ("momentum", "log_odds_fast", "by_regime", "log_odds_slow", "steps")
    )
    assert momentum <= fast < own < slow <= 52
    assert fast <= 8 and own <= 26 and own < steps


def test_a_voter_that_is_right_in_one_regime_leads_there_only_by_regime():
    rng = np.random.default_rng(3)
    record = VoteRecord.empty(1)
    for _ in range(100):
        won, regime = rng.random(10) < 0.5, rng.integers(0, 2, 10)
        right = rng.random(10) < np.where(regime == 1, 0.7, 0.5)
        record = after(record, closed(np.where(right == won, 1, -1)[:, None], won, regime=regime))
    by_regime, slow = (strategy_weights(record, name)[:, 0] for name in ("by_regime", "log_odds_slow"))
    assert by_regime[1] > by_regime[2] + 0.1 > by_regime[0] + 0.2
    assert len(set(slow.tolist())) == 1


def test_every_strategy_has_a_name_of_its_own_and_stacking_is_not_among_those_that_count():
    assert len(set(STRATEGIES)) == len(STRATEGIES)
    assert set(STRATEGIES) - set(VOTE_STRATEGIES) == {"stacked"}
    with pytest.raises(KeyError):
        strategy_weights(VoteRecord.empty(1), "stacked")
