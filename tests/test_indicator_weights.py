"""What an indicator said is its share of its head's evidence; its weight multiplies that share and nothing else."""

from __future__ import annotations

import doctest
import io
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgebook.arms.arms import Arm, Rules, start_arm
from edgebook.policy import indicator_weights as weighing
from edgebook.policy.heads import Head, evidence, fit_heads, shares
from edgebook.policy.indicator_weights import LARGEST, SAID, as_text, favours, from_text, indicator_weights, multipliers
from edgebook.policy.market import WEEK_MS, milliseconds
from edgebook.policy.plan_outcomes import REGIMES
from edgebook.policy.stacking import StackRecord
from edgebook.policy.vote_strategies import STRATEGIES, VOTE_STRATEGIES, VoteRecord
from edgebook.settings.params import Gate, Learning, Sizing
from edgebook.settings.recipes import HEAD_LETTERS, Recipe
from small_market import GENESIS, PLAN, coin_market

INDICATORS = ("a1", "a2", "b1")
FAMILIES = {letter: () for letter in HEAD_LETTERS} | {"A": ("a1", "a2"), "B": ("b1",)}
RULES = Rules(
    sizing=Sizing(
        start_capital=1e5, risk_per_trade=0.005, max_positions=6, max_positions_per_pair=2, max_total_risk=0.02,
        max_leverage=3.0,
    ),
    learning=Learning(warmup_weeks=12, trial_weeks=26, certify_alpha=0.05, approval="automatic"),
    gate=Gate(
        alpha_per_year=0.05, admissions_per_year=4, book_share=0.7, max_gain_r=12.0, max_loss_r=18.0, rollback_bar=4.0,
        rollback_weeks=26,
    ),
    cost=0.0,
    families=FAMILIES,
)  # fmt: skip
LEARNED = tuple(name for name in STRATEGIES if name != "equal")


def some_heads(*, scale: float = 1.0) -> dict[str, Head]:
    rng = np.random.default_rng(1)

    def head(names: tuple[str, ...]) -> Head:
        k = len(names)
        parts = rng.normal(0, scale, (4, k, 2)).round(5)
        level = rng.normal(0, 0.1, 2).round(5)
        return Head(names, parts[0, :, 0], np.abs(parts[1, :, 0]) + 0.5, level, parts[2], parts[3], np.full(2, 0.5))

    return {"A": head(("a1", "a2")), "B": head(("b1",))}


HEADS = some_heads()
VALUES = arrays(np.float32, (7, 2), elements=st.floats(-4, 4, width=32) | st.just(np.nan))
VOTES = arrays(np.int8, (7, 2), elements=st.integers(-1, 1))


# --- shares of evidence


@settings(max_examples=40)
@given(VALUES, VOTES)
def test_shares_and_intercept_add_up_to_the_evidence(values, votes):
    head = HEADS["A"]
    parts, said = shares(head, values, votes=votes), evidence(head, values, votes=votes)
    assert np.isfinite(parts).all()
    awake = np.isfinite(said)
    assert (head.intercept + parts.sum(axis=1))[awake] == pytest.approx(said[awake], abs=2e-4)
    silent = np.isnan(values) & (votes == 0)
    assert not parts[silent].any()


@settings(max_examples=40)
@given(VALUES, VOTES)
def test_weights_of_one_leave_the_evidence_as_fitted(values, votes):
    head = HEADS["A"]
    one, plain = evidence(head, values, votes=votes, weights=np.ones((7, 2))), evidence(head, values, votes=votes)
    np.testing.assert_array_equal(one, plain)


@settings(max_examples=40)
@given(VALUES, VOTES, arrays(np.float64, (7, 2), elements=st.floats(0, LARGEST)))
def test_a_weight_multiplies_the_share_and_nothing_else(values, votes, weights):
    head = HEADS["A"]
    said = evidence(head, values, votes=votes, weights=weights)
    expected = head.intercept + (weights[..., None] * shares(head, values, votes=votes)).sum(axis=1)
    plain = evidence(head, values, votes=votes)
    np.testing.assert_array_equal(np.isnan(said), np.isnan(plain))  # who abstains is not the weights' business
    assert said[~np.isnan(said)] == pytest.approx(expected[~np.isnan(said)], abs=5e-4)


def test_shares_of_a_fitted_head_favour_what_it_found():
    market = coin_market(1, edge=0.15)
    head = fit_heads(market, market.plans[PLAN], recipe=Recipe(exit_plan=PLAN), families=FAMILIES, since=0, at=2**62)[
        "A"
    ]
    said = favours(shares(head, market.values[:, :2], votes=market.votes[:, :2])[:, :, 0])
    clear = np.abs(market.values[:, 0]) > 0.5
    assert (said[clear, 0] == np.sign(market.values[clear, 0])).all()


# --- shares as text

any_shares = st.integers(0, 5).flatmap(
    lambda n: arrays(np.float64, (n, 4), elements=st.floats(-3, 3) | st.sampled_from([-1e9, 1e9, -2.048, 2.047, 0.0]))
)


@settings(max_examples=60)
@given(any_shares)
def test_shares_come_back_from_text_to_a_thousandth(parts):
    back = from_text(as_text(parts), indicators=4)
    assert back.shape == parts.shape
    assert back == pytest.approx(np.clip(parts, -2.048, 2.047), abs=0.0005 + 1e-9)
    assert as_text(back) == as_text(parts)


def test_every_thousandth_has_a_word_of_its_own():
    every = np.arange(-2048, 2048)[:, None] / 1000
    words = as_text(every)
    assert len(set(words)) == 4096
    np.testing.assert_array_equal(from_text(words, indicators=1), every)


def test_words_go_through_a_csv_unharmed():
    """No word may look like a number, a formula or a missing value, whatever the shares."""
    rng = np.random.default_rng(2)
    words = as_text(rng.uniform(-2, 2, (300, 1)).round(3))
    text = pd.DataFrame({"shares": words}).to_csv(index=False)
    assert pd.read_csv(io.StringIO(text))["shares"].tolist() == words
    assert all(word.startswith(":") for word in words)


def test_a_week_without_candidates_is_no_trouble():
    assert from_text(as_text(np.empty((0, 4))), indicators=4).shape == (0, 4)


def test_what_is_too_small_is_no_vote():
    said = favours(np.array([SAID, -SAID, SAID - 0.001, 0.0, -2.0]))
    assert said.tolist() == [1, -1, 0, 0, -1]
    assert said.dtype == np.int8


# --- weights


def weights_of(votes: VoteRecord, strategy: str, *, stack: StackRecord | None = None) -> dict[str, np.ndarray]:
    stack = stack or StackRecord.empty({letter: tuple(names) for letter, names in FAMILIES.items()})
    return indicator_weights(votes, stack, strategy=strategy, indicators=INDICATORS, heads=HEADS)


def test_equal_means_as_fitted():
    votes = VoteRecord.empty(3)
    votes.counts[:, :, 0] = [10.0, 90.0]
    assert weights_of(votes, "equal") == {}
    assert multipliers({}, ("a1", "a2")) is None


@pytest.mark.parametrize("strategy", LEARNED)
def test_without_outcomes_everything_counts_as_it_was_fitted(strategy):
    found = weights_of(VoteRecord.empty(3), strategy)
    assert set(found) == set(INDICATORS)
    assert all(weight.tolist() == [1.0] * len(REGIMES) for weight in found.values())


counts = arrays(np.float64, (3, len(REGIMES), 3, 2), elements=st.floats(0, 500))
steps = arrays(np.float64, (len(REGIMES), 3), elements=st.floats(0, 3))


@settings(max_examples=30)
@given(counts, steps, st.sampled_from([name for name in VOTE_STRATEGIES if name != "equal"]))
def test_weights_from_votes_are_relative_within_the_head(votes, moved, strategy):
    found = weights_of(VoteRecord(votes, moved), strategy)
    table = multipliers(found, ("a1", "a2"))
    assert table is not None and table.shape == (len(REGIMES), 2)
    assert (table >= 0).all() and (table <= LARGEST).all()
    assert table.mean(axis=1) == pytest.approx(np.ones(len(REGIMES)), abs=1e-3)  # two: none can reach the largest
    assert found["b1"].tolist() == [1.0] * len(REGIMES)  # alone in its head


def test_one_that_knows_among_many_that_do_not_counts_no_more_than_the_largest():
    names = tuple(f"a{i}" for i in range(8))
    k = len(names)
    head = Head(names, np.zeros(k), np.ones(k), np.zeros(2), np.ones((k, 2)), np.zeros((k, 2)), np.full(2, 0.5))
    votes = VoteRecord.empty(k)
    votes.counts[:, :, 0] = [100.0, 400.0]
    found = indicator_weights(
        votes, StackRecord.empty({"A": names}), strategy="by_regime", indicators=names, heads={"A": head}
    )
    assert found["a0"].tolist() == [LARGEST] * 4
    assert 0 < found["a1"].max() < 0.5


def test_an_indicator_that_no_head_reads_has_no_weight_and_a_new_one_counts_as_fitted():
    votes = VoteRecord.empty(3)
    found = indicator_weights(
        votes, StackRecord.empty({"A": ("a1",)}), strategy="stacked", indicators=INDICATORS, heads={"A": HEADS["A"]}
    )
    assert set(found) == {"a1", "a2"}
    assert found["a2"].tolist() == [1.0] * 4
    table = multipliers(found, ("a1", "unheard"))
    assert table is not None and (table[:, 1] == 1).all()


# --- in the loop


@cache
def arm(edge: float, strategy: str, *, seed: int = 1) -> Arm:
    """After twelve weeks of a coin that a1 alone may bend."""
    market = coin_market(seed, edge=edge)
    at = milliseconds(GENESIS) + RULES.learning.warmup_weeks * WEEK_MS
    recipe = Recipe(exit_plan=PLAN, min_heads_agree=1, indicator_weights=strategy, shrinkage=20.0)
    return start_arm("r1", recipe, market, at=at, rules=RULES)


@pytest.mark.parametrize("strategy", LEARNED)
def test_the_indicator_with_the_edge_comes_to_lead_its_head(strategy):
    found = arm(0.15, strategy).policy.indicator_weights
    assert found["a1"].mean() > found["a2"].mean() + 0.15
    if strategy != "by_regime":
        assert (found["a1"] > found["a2"]).all()


def test_stacked_keeps_what_a_head_said_rightly_and_forgets_its_noise():
    for seed in (1, 2):
        found = arm(0.15, "stacked", seed=seed).policy.indicator_weights
        assert 0.7 < found["a1"][0] < 1.5
        assert found["a2"][0] < 0.95


def test_on_a_coin_no_weight_rises_far_above_what_was_fitted():
    rises = [arm(0.0, "stacked", seed=seed).policy.indicator_weights[n].max() for seed in range(3) for n in INDICATORS]
    assert max(rises) < 1.6 and np.mean(rises) < 1.05


def test_weights_change_what_a_policy_says_and_equal_ones_do_not():
    """The same history with and without: the heads are the same, their evidence is not."""
    from edgebook.policy.policy import score

    market, rows = coin_market(1, edge=0.15), np.arange(1500, 1600)
    with_weights, without = arm(0.15, "stacked").policy, arm(0.15, "equal").policy
    assert without.indicator_weights == {}
    assert {k: h.to_json() for k, h in with_weights.heads.items()} == {k: h.to_json() for k, h in without.heads.items()}
    one, other = (score(policy, market, rows=rows).raw[:, 0] for policy in (with_weights, without))
    assert not np.array_equal(one, other)
    table = multipliers(with_weights.indicator_weights, ("a1", "a2"))
    assert table is not None
    head = with_weights.heads["A"]
    parts = shares(head, market.values[rows][:, :2], votes=market.votes[rows][:, :2])
    expected = head.intercept + (table[market.regime[rows]][..., None] * parts).sum(axis=1)
    assert one == pytest.approx(expected, abs=5e-4)


def test_examples_of_the_docstrings_hold():
    found = doctest.testmod(weighing, extraglobs={"np": np})
    assert found.failed == 0 and found.attempted > 0
