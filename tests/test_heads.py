"""A head learns from what was known, says how much it knows, and can be written down."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgebook.policy.heads import CLIP_SD, Head, evidence, fit_heads
from edgebook.policy.market import Market
from edgebook.settings.recipes import HEAD_LETTERS, Recipe
from small_market import BAR_MS, PLAN, coin_market

FAMILIES = {letter: () for letter in HEAD_LETTERS} | {"A": ("a1", "a2"), "B": ("b1",)}
RECIPE = Recipe(exit_plan=PLAN, shrinkage=20.0)


def fit(market: Market, *, at: int | None = None, since: int = 0, recipe: Recipe = RECIPE, every: int = 1):
    end = int(market.date[-1]) + 1 if at is None else at
    return fit_heads(
        market, market.plans[PLAN], recipe=recipe, families=FAMILIES, since=since, at=end, every=every
    )  # fmt: skip


def with_outcomes(market: Market, flipped: np.ndarray) -> Market:
    plan = market.plans[PLAN]
    profit = np.where(flipped, -plan.profit_ratio, plan.profit_ratio)
    return replace(market, plans={PLAN: replace(plan, profit_ratio=profit)})


def same(a: dict[str, Head], b: dict[str, Head]) -> bool:
    return json.dumps({k: h.to_json() for k, h in a.items()}) == json.dumps({k: h.to_json() for k, h in b.items()})


@pytest.fixture(scope="module")
def market() -> Market:
    return coin_market(1, edge=0.15)


def test_a_head_finds_the_planted_indicator_and_its_side(market):
    heads = fit(market)
    long, short = heads["A"].value_weights[0]
    assert long > 0.15
    assert short < -0.15
    assert np.abs(heads["A"].value_weights[1]).max() < 0.1
    said = evidence(heads["A"], market.values[:, :2], votes=market.votes[:, :2])
    won = market.plans[PLAN].profit_ratio > 0
    assert won[said[:, 0] > 0.3, 0].mean() > won[:, 0].mean() + 0.1


def test_a_head_without_an_edge_says_little():
    heads = fit(coin_market(2))
    assert max(np.abs(h.value_weights).max() for h in heads.values()) < 0.15


def test_coefficients_solve_the_penalised_likelihood(market):
    """First-order condition of the ridge logistic regression, from the data and nothing of the fit but its result."""
    head, plan = fit(market)["A"], market.plans[PLAN]
    known = plan.known_at <= market.date[-1] + 1
    values = np.clip((market.values[:, :2] - head.mean) / head.scale, -CLIP_SD, CLIP_SD)
    inputs = np.hstack([values, market.votes[:, :2]])
    for side in (0, 1):
        weight, won = plan.uniqueness[:, side] * known[:, side], plan.profit_ratio[:, side] > 0
        coefficients = np.r_[head.value_weights[:, side], head.vote_weights[:, side]]
        level = head.intercept[side] + np.log(head.base[side] / (1 - head.base[side]))
        residual = weight * (1 / (1 + np.exp(-(level + inputs @ coefficients))) - won)
        assert inputs.T @ residual + RECIPE.shrinkage * coefficients == pytest.approx(0, abs=0.02)
        assert residual.sum() == pytest.approx(0, abs=0.02)


def test_outcomes_that_were_not_known_do_not_enter(market):
    at = int(market.date[1000])
    unknown = market.plans[PLAN].known_at > at
    decided = market.date < at
    assert (unknown & decided[:, None]).any()
    assert same(fit(market, at=at), fit(with_outcomes(market, unknown), at=at))


def test_an_outcome_that_was_known_does_enter(market):
    at = int(market.date[1000])
    flipped = market.plans[PLAN].known_at == market.plans[PLAN].known_at[:900].min()
    assert flipped.any()
    assert not same(fit(market, at=at), fit(with_outcomes(market, flipped), at=at))


def test_outcomes_before_the_window_do_not_enter(market):
    since = int(market.date[600])
    before = np.repeat(market.date < since, 2).reshape(-1, 2)
    assert same(fit(market, since=since), fit(with_outcomes(market, before), since=since))
    assert not same(fit(market, since=since), fit(market))


def test_a_thinned_fit_reads_every_second_bar_and_counts_it_twice(market):
    odd = np.repeat(market.date // BAR_MS % 2 == 1, 2).reshape(-1, 2)
    thin = fit(market, every=2)
    assert same(thin, fit(with_outcomes(market, odd), every=2))
    assert not same(thin, fit(with_outcomes(market, ~odd), every=2))
    assert thin["A"].value_weights[0, 0] == pytest.approx(fit(market)["A"].value_weights[0, 0], abs=0.1)


def test_a_side_with_too_few_outcomes_is_not_fitted():
    few = coin_market(3, bars=45, pairs=1, edge=0.3)
    head = fit(few)["A"]
    assert not head.value_weights.any()
    assert not head.vote_weights.any()
    assert not head.intercept.any()
    assert 0 < head.base[0] < 1


def test_a_side_that_always_loses_is_not_fitted():
    lost = coin_market(4, win_rate=0.0)
    head = fit(lost)["A"]
    assert head.base.tolist() == [0.0, 0.0]
    assert not head.value_weights.any()


def test_more_shrinkage_says_less_and_for_one_head_alone(market):
    plain = fit(market)
    strong = fit(market, recipe=replace(RECIPE, shrinkage=500.0))
    assert abs(strong["A"].value_weights[0, 0]) < abs(plain["A"].value_weights[0, 0])
    one = fit(market, recipe=replace(RECIPE, head_shrinkage={"A": 500.0}))
    assert one["A"].to_json() == strong["A"].to_json()
    assert one["B"].to_json() == plain["B"].to_json()


def test_dropped_indicators_are_not_read_and_a_head_without_any_is_missing(market):
    heads = fit(market, recipe=replace(RECIPE, indicators=("a1",)))
    assert {letter: head.indicators for letter, head in heads.items()} == {"A": ("a1",)}


def test_a_constant_indicator_says_nothing(market):
    values = market.values.copy()
    values[:, 2] = 7.0
    head = fit(replace(market, values=values, votes=np.zeros_like(market.votes)))["B"]
    assert head.scale.tolist() == [1.0]
    assert not head.value_weights.any()


def test_a_head_abstains_where_more_than_half_of_its_indicators_are_missing(market):
    head = fit(market)["A"]
    values = np.array([[0.5, 0.5], [np.nan, 0.5], [np.nan, np.nan]], np.float32)
    said = evidence(head, values, votes=np.zeros((3, 2), np.int8))
    assert np.isfinite(said[:2]).all()
    assert np.isnan(said[2]).all()
    at_mean = evidence(head, np.array([[head.mean[0], 0.5]], np.float32), votes=np.zeros((1, 2), np.int8))
    assert said[1] == pytest.approx(at_mean[0], abs=2e-4)


def test_evidence_of_an_outlier_is_bounded(market):
    head = fit(market)["A"]
    far, farther = (np.array([[x, 0.0]], np.float32) for x in (50.0, 5e6))
    none = np.zeros((1, 2), np.int8)
    assert evidence(head, far, votes=none).tolist() == evidence(head, farther, votes=none).tolist()


numbers = st.floats(-5, 5, allow_nan=False).map(lambda x: round(x, 5))


@given(
    rows=arrays(np.float64, (3, 6), elements=numbers),
    level=arrays(np.float64, (2, 2), elements=numbers),
    values=arrays(np.float32, (7, 3), elements=st.floats(-100, 100, width=32) | st.just(np.nan)),
    votes=arrays(np.int8, (7, 3), elements=st.integers(-1, 1)),
)
def test_a_head_comes_back_from_json_with_the_same_evidence(rows, level, values, votes):
    head = Head(("a", "b", "c"), rows[:, 0], np.abs(rows[:, 1]) + 1e-5, level[0], rows[:, 2:4], rows[:, 4:], level[1])
    back = Head.from_json(json.loads(json.dumps(head.to_json())))
    assert back.indicators == head.indicators
    np.testing.assert_array_equal(evidence(back, values, votes=votes), evidence(head, values, votes=votes))
