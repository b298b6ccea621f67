"""The record of the heads' votes, the weights that follow from it, and the consensus under these weights."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgebook.policy import consensus
from edgebook.policy import record as remembered
from edgebook.policy.consensus import combine, head_weights
from edgebook.policy.market import REGIMES
from edgebook.policy.observed import Observed
from edgebook.policy.record import AWAKE, HEADS, Record, update_record
from edgebook.policy.vote_strategies import OWN, PRIOR_VOTES, STRATEGIES, VoteRecord

FOREVER = 1e9


def seen(raw: np.ndarray, won: np.ndarray, *, regime: np.ndarray | int = 2, side: np.ndarray | int = 0) -> Observed:
    """One week of candidates, each worth one outcome; the consensus is the first head's evidence."""
    n = len(won)
    full = np.full((n, HEADS), np.nan)
    full[:, : raw.shape[1]] = raw
    pooled = np.nan_to_num(full[:, 0])
    return Observed(
        row=np.arange(n),
        day=np.zeros(n, np.int64),
        shares=np.zeros((n, 0)),
        expected=np.round(1 / (1 + np.exp(-pooled)), 4),
        effect=np.zeros(n),
        base=np.full(n, 0.5),
        told={"by_regime": pooled},
        stated={},
        rank=np.zeros(n),
        tag=np.zeros(n, np.int64),
        regime=np.broadcast_to(regime, n).astype(np.int64),
        side=np.broadcast_to(side, n).astype(np.int64),
        raw=full,
        consensus=pooled,
        confidence=np.round(1 / (1 + np.exp(-pooled)), 4),
        won=np.asarray(won, dtype=bool),
        r_multiple=np.where(won, 1.0, -1.0),
        weight=np.ones(n),
    )


def voters(rng: np.random.Generator, won: np.ndarray, skill: tuple[float, ...]) -> np.ndarray:
    """Votes of heads that are right with the given chances."""
    right = rng.random((len(won), len(skill))) < skill
    return np.where(right == won[:, None], 0.3, -0.3)


# --- what votes are worth


def test_a_head_that_never_spoke_has_no_stacked_weight_and_before_any_outcome_all_are_believed() -> None:
    nothing = Record.empty(())
    assert (head_weights(nothing, strategy="stacked") == consensus.STACK_PRIOR).all()
    rng = np.random.default_rng(5)
    won = rng.random(400) < 0.5
    heard = voters(rng, won, (0.6,) * (HEADS - 1))
    record = update_record(nothing, seen(heard, won), half_life_weeks=FOREVER, slopes=np.ones((HEADS, 2)))
    found = head_weights(record, strategy="stacked")
    assert (found[:, -1] == 0).all()
    assert (found[:, 0] > 0).all()


def test_hits_and_misses_by_hand():
    raw = np.array([[0.5], [0.5], [-0.5], [0.01], [np.nan]])
    won = np.array([True, False, False, True, True])
    record = update_record(Record.empty(), seen(raw, won), half_life_weeks=FOREVER)
    # Three of five won: a win counts 5/6, a loss 5/4. Awake were the first three: hit, miss, hit.
    assert record.votes.counts[OWN, 2, 0].tolist() == pytest.approx([1.25, 5 / 6 + 1.25], abs=1e-4)
    assert record.votes.counts[OWN, :, 1:].sum() == 0
    assert record.results[2, 0].tolist() == [2.0, 3.0]
    assert record.weeks == 1


@pytest.mark.parametrize("win_rate", [0.3, 0.45, 0.62])
def test_a_head_that_always_says_no_gets_no_weight(win_rate):
    rng = np.random.default_rng(1)
    won = rng.random(4000) < win_rate
    record = update_record(Record.empty(), seen(np.full((4000, 1), -0.4), won), half_life_weeks=FOREVER)
    miss, hit = record.votes.counts[OWN, 2, 0]
    assert hit == pytest.approx(miss, rel=1e-3)
    assert head_weights(record, strategy="by_regime")[2, 0] == 0.0


def test_without_class_balance_that_head_would_get_weight(monkeypatch):
    monkeypatch.setattr(remembered, "_class_balance", lambda results: np.ones((2, 2)))
    won = np.random.default_rng(1).random(4000) < 0.45
    record = update_record(Record.empty(), seen(np.full((4000, 1), -0.4), won), half_life_weeks=FOREVER)
    assert head_weights(record, strategy="by_regime")[2, 0] > 0.1


def test_heads_that_know_more_weigh_more_and_a_coin_next_to_nothing():
    rng = np.random.default_rng(2)
    won = rng.random(6000) < 0.45
    skill = (0.5, 0.52, 0.55, 0.6, 0.7)
    record = update_record(Record.empty(), seen(voters(rng, won, skill), won), half_life_weeks=FOREVER)
    weights = head_weights(record, strategy="by_regime")[2]
    assert weights[:5].tolist() == sorted(weights[:5])
    assert weights[0] < 0.03
    assert weights[3:5] == pytest.approx(np.log(np.array([0.6 / 0.4, 0.7 / 0.3])), abs=0.1)
    assert not weights[5:].any()


def test_weights_are_the_shrunk_log_odds_of_the_hit_rate():
    record = replace(Record.empty(), votes=VoteRecord.empty(HEADS))
    record.votes.counts[OWN, 0, 0], record.votes.counts[OWN, 1, 0] = [40.0, 60.0], [10.0, 30.0]
    overall = (90 + PRIOR_VOTES) / (140 + 2 * PRIOR_VOTES)
    in_first = (60 + 40 * overall) / (100 + 40)
    weights = head_weights(record, strategy="by_regime")
    assert weights[0, 0] == pytest.approx(np.log(in_first / (1 - in_first)), abs=1e-4)
    assert weights[2, 0] == pytest.approx(np.log(overall / (1 - overall)), abs=1e-4)
    assert weights[:, 1:].tolist() == np.zeros((4, HEADS - 1)).tolist()


def test_a_head_that_is_right_in_one_regime_weighs_more_there():
    rng = np.random.default_rng(3)
    won, regime = rng.random(4000) < 0.5, rng.integers(0, 2, 4000)
    raw = voters(rng, won, (0.5,))
    knows = regime == 1
    raw[knows] = voters(rng, won[knows], (0.7,))
    record = update_record(Record.empty(), seen(raw, won, regime=regime), half_life_weeks=FOREVER)
    weights = head_weights(record, strategy="by_regime")[:, 0]
    assert weights[1] > weights[0] + 0.4
    assert weights[0] < weights[2] < weights[1]


def test_abstentions_are_neither_hits_nor_misses():
    raw, won = np.array([[0.5], [np.nan], [AWAKE / 2], [0.0]]), np.array([True, False, False, False])
    record = update_record(Record.empty(), seen(raw, won), half_life_weeks=FOREVER)
    assert (record.votes.counts[OWN, 2, 0] > 0).tolist() == [False, True]
    assert record.heads[0].sum() == 3  # what was said, if only nothing, still calibrates


def test_a_vote_counts_half_after_its_half_life():
    record = first = update_record(Record.empty(), seen(np.array([[0.5]]), np.array([True])), half_life_weeks=4.0)
    nothing = seen(np.empty((0, 1)), np.empty(0, dtype=bool))
    for _ in range(4):
        record = update_record(record, nothing, half_life_weeks=4.0)
    assert record.votes.counts[OWN, 2, 0, 1] == pytest.approx(first.votes.counts[OWN, 2, 0, 1] / 2, abs=1e-3)
    assert record.results[2, 0, 1] == pytest.approx(first.results[2, 0, 1] / 2, abs=1e-3)
    assert record.weeks == 5


def test_steps_move_by_a_hundredth_a_vote_and_equal_never():
    raw, won = np.array([[0.5, 0.5], [0.5, -0.5]]), np.array([True, False])
    record = update_record(Record.empty(), seen(raw, won), half_life_weeks=FOREVER)
    steps = head_weights(record, strategy="steps")
    assert steps[2, :3].tolist() == [1.0, 1.02, 1.0]
    assert head_weights(record, strategy="equal").tolist() == np.ones((4, HEADS)).tolist()


# --- the record as a whole

weeks = st.integers(1, 25).flatmap(
    lambda n: st.builds(
        lambda raw, won, regime, side: seen(raw, won, regime=regime, side=side),
        arrays(np.float64, (n, HEADS), elements=st.floats(-3, 3).map(lambda x: round(x, 4)) | st.just(np.nan)),
        arrays(np.bool_, n),
        arrays(np.int64, n, elements=st.integers(0, 3)),
        arrays(np.int64, n, elements=st.integers(0, 1)),
    )
)


@settings(max_examples=15)
@given(st.lists(weeks, max_size=3))
def test_a_record_comes_back_from_json_and_goes_on_alike(past):
    record = Record.empty()
    for week in past:
        record = update_record(record, week, half_life_weeks=13.0)
        back = Record.from_json(json.loads(json.dumps(record.to_json())))
        assert back.to_json() == record.to_json()
        for strategy in (*STRATEGIES, "meta"):
            one, other = (head_weights(r, strategy=strategy) for r in (back, record))
            np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(consensus.head_slopes(back.heads), consensus.head_slopes(record.heads))
        record = back


@settings(max_examples=25)
@given(weeks, st.randoms(use_true_random=False))
def test_the_order_of_the_weeks_candidates_does_not_matter(week, shuffler):
    order = list(range(len(week.won)))
    shuffler.shuffle(order)
    arrays_of = {k: v[order] for k, v in vars(week).items() if isinstance(v, np.ndarray)}
    mixed = replace(week, **arrays_of, told={name: told[order] for name, told in week.told.items()})
    one, other = (update_record(Record.empty(), w, half_life_weeks=13.0).to_json() for w in (week, mixed))
    assert one["votes"] == other["votes"]
    assert one["heads"] == other["heads"]


@settings(max_examples=25)
@given(weeks)
def test_learning_does_not_change_what_was_remembered(week):
    before = update_record(Record.empty(), week, half_life_weeks=13.0)
    text = json.dumps(before.to_json())
    update_record(before, week, half_life_weeks=13.0)
    assert json.dumps(before.to_json()) == text


def test_base_rates_by_hand():
    record = replace(Record.empty(), results=np.zeros((4, 2, 2)))
    record.results[0, 0], record.results[1, 0] = [60.0, 40.0], [0.0, 20.0]
    overall = (60 + PRIOR_VOTES) / (120 + 2 * PRIOR_VOTES)
    rates = consensus.base_rates(record)
    assert rates.shape == (len(REGIMES), 2)
    assert rates[0, 0] == pytest.approx((40 + 40 * overall) / 140, abs=1e-4)
    assert rates[2].tolist() == [overall, 0.5]


# --- combining


def combined(evidence: list[float], weights: list[float]) -> float:
    """Both sides of one candidate; long has the evidence, short its opposite."""
    one = np.zeros((1, HEADS, 2))
    one[0, : len(evidence), 0], one[0, : len(evidence), 1] = evidence, np.negative(evidence)
    weight = np.zeros((1, HEADS))
    weight[0, : len(weights)] = weights
    long, short = combine(one, weight)[0]
    assert long == -short
    return float(long)


def test_consensus_by_hand():
    assert combined([0.4, -0.1], [3.0, 1.0]) == pytest.approx(0.275 * np.sqrt(2), abs=1e-4)


def test_an_abstaining_head_is_skipped_not_counted_against():
    assert combined([0.4, 0.0], [1.0, 5.0]) == combined([0.4], [1.0]) == 0.4
    assert combined([0.4, AWAKE / 2], [1.0, 5.0]) == 0.4


def test_heads_without_weight_have_no_say():
    assert combined([0.4, -3.0], [0.0, 0.0]) == 0.0
    assert combined([0.4, -3.0], [1.0, 0.0]) == pytest.approx(0.4 * np.sqrt(2), abs=1e-4)


said = arrays(np.float64, (4, HEADS, 2), elements=st.floats(-2, 2).map(lambda x: round(x, 4)))
trust = arrays(np.float64, (4, HEADS), elements=st.sampled_from([0.0, 0.1, 0.25, 1.0]))


@settings(max_examples=40)
@given(said, trust)
def test_combine_agrees_with_a_plain_loop(evidence, weights):
    found = combine(evidence, weights)
    for row in range(4):
        for side in (0, 1):
            awake = [h for h in range(HEADS) if abs(evidence[row, h, side]) >= AWAKE]
            total = sum(weights[row, h] for h in awake)
            mean = sum(weights[row, h] * evidence[row, h, side] for h in awake) / total if total else 0.0
            assert found[row, side] == pytest.approx(mean * np.sqrt(len(awake)), abs=1e-4)


@settings(max_examples=40)
@given(said, trust)
def test_only_the_proportions_of_the_weights_matter(evidence, weights):
    assert combine(evidence, weights) == pytest.approx(combine(evidence, 4 * weights), abs=1e-4)
