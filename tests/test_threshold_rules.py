"""Bandit and rule: every quantile is judged by what it would have earned, and a week derived again decides alike."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgebook.policy.learned_policy import make_policy
from edgebook.policy.market import REGIMES, WEEK_MS, milliseconds
from edgebook.policy.policy import score
from edgebook.policy.record import Record
from edgebook.policy.threshold_rules import (
    MIN_PASSED,
    PRIOR_R,
    PRIOR_WEEKS,
    QUANTILES,
    START,
    ThresholdManager,
    bandit_quantile,
    rule_quantile,
    update_manager,
)
from edgebook.settings.recipes import Recipe
from edgebook.statistics.thresholds import ThresholdSums
from small_market import PLAN, coin_market

MONDAY = milliseconds("2018-06-04")
AT_START = QUANTILES.index(START)


def closed(rank: Any, r_multiple: Any, *, regime: Any = 0, weight: Any = 1.0) -> dict[str, Any]:
    n = len(np.atleast_1d(rank))
    return {
        "rank": np.broadcast_to(rank, n).astype(np.float64),
        "r_multiple": np.broadcast_to(r_multiple, n).astype(np.float64),
        "regime": np.broadcast_to(regime, n).astype(np.int64),
        "weight": np.broadcast_to(weight, n).astype(np.float64),
    }


def after(manager: ThresholdManager, week: dict[str, Any], *, half_life_weeks: float = 13.0) -> ThresholdManager:
    return update_manager(manager, **week, half_life_weeks=half_life_weeks)


def drawn(rng: np.random.Generator, earns: Any, *, n: int = 400) -> dict[str, Any]:
    """A week of candidates with evidence in favour, ranks over one half, whose mean R depends on their rank."""
    rank = rng.uniform(0.5, 1.0, n).round(4)
    return closed(rank, rng.normal(earns(rank), 1.0), regime=rng.integers(0, 4, n), weight=0.25)


def nothing(rank: np.ndarray) -> np.ndarray:
    return np.zeros(len(rank))


def draws(manager: ThresholdManager, *, regime: int = 0, weeks: int = 400) -> list[float]:
    return [bandit_quantile(manager, regime=regime, at=MONDAY + k * WEEK_MS) for k in range(weeks)]


# --- the bandit


@pytest.mark.parametrize("best", [0.8, 0.9, 0.95, 0.99])
def test_with_clear_evidence_the_bandit_settles_on_the_best_quantile(best):
    rng = np.random.default_rng(1)
    manager = ThresholdManager.empty()
    for _ in range(104):
        manager = after(manager, drawn(rng, lambda rank: np.where(rank >= best, 2.0, -2.0)), half_life_weeks=52.0)
    for regime in range(4):
        chosen = draws(manager, regime=regime, weeks=100)
        assert chosen.count(best) > 60
        assert np.mean([abs(QUANTILES.index(q) - QUANTILES.index(best)) <= 1 for q in chosen]) > 0.95


def test_without_evidence_it_explores_them_all():
    chosen = draws(ThresholdManager.empty(), weeks=700)
    for quantile in QUANTILES:
        assert chosen.count(quantile) == pytest.approx(100, abs=40)


def test_a_quantile_is_drawn_as_often_as_its_posterior_says_it_is_best():
    """Weeks by hand, one posterior a quantile, and a simulation of its own."""
    weeks = np.random.default_rng(6).normal([0.0, 0.2, 0.5, 0.3, 0.1, 0.0, 0.0], 1.5, (12, len(QUANTILES)))
    rewards = np.zeros((4, len(QUANTILES), 3))
    rewards[0] = np.stack([np.full(len(QUANTILES), 12.0), weeks.sum(axis=0), (weeks**2).sum(axis=0)], axis=1)
    manager = ThresholdManager(rewards, (AT_START,) * 4)
    n = 12 + PRIOR_WEEKS
    mean = weeks.sum(axis=0) / n
    error = np.sqrt(((weeks**2).sum(axis=0) + PRIOR_WEEKS * PRIOR_R**2) / n - mean**2) / np.sqrt(n)
    best = np.random.default_rng(7).normal(mean, error, (40_000, len(QUANTILES))).argmax(axis=1)
    expected = np.bincount(best, minlength=len(QUANTILES)) / 40_000
    chosen = draws(manager, weeks=2000)
    assert [chosen.count(q) / 2000 for q in QUANTILES] == pytest.approx(expected.tolist(), abs=0.04)


def test_the_same_week_draws_the_same_and_another_week_or_regime_for_itself():
    manager = ThresholdManager.empty()
    assert draws(manager) == draws(manager)
    assert draws(manager, regime=0) != draws(manager, regime=1)
    assert len(set(draws(manager, weeks=20))) > 3


def test_more_weeks_explore_less():
    def spread(weeks: int) -> int:
        rng, manager = np.random.default_rng(2), ThresholdManager.empty()
        for _ in range(weeks):
            manager = after(manager, drawn(rng, lambda rank: np.where(rank >= 0.9, 1.0, -1.0)), half_life_weeks=1e6)
        chosen = draws(manager)
        return len(chosen) - chosen.count(max(set(chosen), key=chosen.count))

    assert spread(0) > spread(10) > spread(200)


def test_where_nothing_earns_the_strictest_quantile_costs_least_and_is_chosen_most():
    rng, manager = np.random.default_rng(3), ThresholdManager.empty()
    for _ in range(104):
        manager = after(manager, drawn(rng, lambda rank: np.full(len(rank), -0.4)))
    assert draws(manager).count(0.99) > 200


def test_it_learns_from_quantiles_that_were_not_chosen():
    """By hand: 1 R at the very top, a loss of 1 R just under it, and half an outcome each."""
    manager = after(ThresholdManager.empty(), closed([0.995, 0.96, 0.5], [1.0, -1.0, 9.0], weight=0.5))
    earned = {0.8: 0.0, 0.85: 0.0, 0.9: 0.0, 0.925: 0.0, 0.95: 0.0, 0.975: 0.5, 0.99: 0.5}
    for place, quantile in enumerate(QUANTILES):
        total = earned[quantile]
        assert manager.rewards[0, place].tolist() == [1.0, total, total**2]
    assert not manager.rewards[1:].any()


def test_a_week_counts_half_after_its_half_life():
    manager = first = after(ThresholdManager.empty(), closed([0.995], [2.0]), half_life_weeks=4.0)
    for _ in range(4):
        manager = after(manager, closed([], []), half_life_weeks=4.0)
    assert manager.rewards == pytest.approx(first.rewards / 2, abs=2e-4)


# --- the rule


def crowd(*, passing: float, win_rate: float, n: int = 1000, win: float = 1.0) -> dict[str, Any]:
    """A week in which a share of the candidates passes the threshold at the start, and so many of those win."""
    through = np.arange(n) < passing * n
    wins = np.arange(n) < passing * win_rate * n
    return closed(np.where(through, 0.96, 0.6), np.where(wins, win, -1.0))


def moved(week: dict[str, Any]) -> int:
    manager = after(ThresholdManager.empty(), week)
    assert manager.place[1:] == (AT_START,) * 3  # the other regimes saw nothing
    return manager.place[0] - AT_START


@pytest.mark.parametrize(
    ("week", "steps"),
    [
        (crowd(passing=0.20, win_rate=0.40), 1),  # too many
        (crowd(passing=0.20, win_rate=0.90), 1),  # too many comes first
        (crowd(passing=0.10, win_rate=0.60), -1),  # won more than half at one to one
        (crowd(passing=0.10, win_rate=0.52), 0),  # hardly
        (crowd(passing=0.10, win_rate=0.40, win=3.0), -1),  # three to one breaks even at a quarter
        (crowd(passing=0.10, win_rate=0.60, win=0.5), 0),  # one to two breaks even at two thirds
        (crowd(passing=0.10, win_rate=1.00), -1),
        (crowd(passing=0.10, win_rate=0.00), 0),
        (crowd(passing=0.10, win_rate=1.00, n=90), 0),  # nine are too few to tell
    ],
)
def test_too_many_signals_raise_the_threshold_and_many_wins_lower_it(week, steps):
    assert moved(week) == steps


def test_the_rule_stops_at_both_ends():
    low = high = ThresholdManager.empty()
    for _ in range(len(QUANTILES) + 3):
        high = after(high, closed(np.full(100, 0.995), -1.0))
        low = after(low, closed(np.r_[np.full(10, 0.999), np.full(90, 0.5)], 1.0))
    assert rule_quantile(high, regime=0) == QUANTILES[-1]
    assert rule_quantile(low, regime=0) == QUANTILES[0]
    assert rule_quantile(low, regime=1) == START


def test_where_nothing_is_to_be_found_the_rule_does_not_climb_for_ever():
    rng, manager = np.random.default_rng(4), ThresholdManager.empty()
    places = []
    for _ in range(150):
        manager = after(manager, drawn(rng, nothing, n=800))
        places.append(manager.place)
    assert np.mean(np.array(places) == len(QUANTILES) - 1) < 0.2


def test_the_rule_needs_enough_signals_before_it_lowers():
    few, enough = int(MIN_PASSED) - 1, int(MIN_PASSED)
    for passed, steps in ((few, 0), (enough, -1)):
        rank = np.r_[np.full(passed, 0.96), np.full(300, 0.5)]
        assert moved(closed(rank, 1.0)) == steps


# --- what both remember

weeks = st.integers(0, 15).flatmap(
    lambda n: st.builds(
        closed,
        arrays(np.float64, n, elements=st.integers(0, 200).map(lambda x: x / 200)),
        arrays(np.float64, n, elements=st.integers(-8, 16).map(lambda x: x / 8)),
        regime=arrays(np.int64, n, elements=st.integers(0, 3)),
        weight=arrays(np.float64, n, elements=st.integers(1, 4).map(lambda x: x / 4)),
    )
)


@settings(max_examples=30)
@given(weeks)
def test_rewards_agree_with_a_plain_loop(week):
    manager = after(ThresholdManager.empty(), week)
    for regime in range(4):
        here = np.flatnonzero(week["regime"] == regime)
        for place, quantile in enumerate(QUANTILES):
            total = sum(week["r_multiple"][i] * week["weight"][i] for i in here if week["rank"][i] >= quantile)
            expected = [1.0, total, total**2] if len(here) else [0.0, 0.0, 0.0]
            assert manager.rewards[regime, place] == pytest.approx(expected, abs=1e-4)


@settings(max_examples=30)
@given(st.lists(weeks, max_size=4))
def test_a_manager_comes_back_from_json_and_goes_on_alike(past):
    manager = ThresholdManager.empty()
    for week in past:
        text = json.dumps(manager.to_json())
        back = ThresholdManager.from_json(json.loads(text))
        assert json.dumps(back.to_json()) == text
        one, other = after(back, week), after(manager, week)
        assert json.dumps(one.to_json()) == json.dumps(other.to_json())
        assert draws(one, weeks=5) == draws(other, weeks=5)
        assert json.dumps(back.to_json()) == text  # the past did not change under the update
        manager = one


@settings(max_examples=30)
@given(weeks, st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_matter(week, shuffler):
    order = list(range(len(week["rank"])))
    shuffler.shuffle(order)
    mixed = {name: array[order] for name, array in week.items()}
    assert after(ThresholdManager.empty(), mixed).to_json() == after(ThresholdManager.empty(), week).to_json()


# --- the policy that they make

MARKET = coin_market(1, bars=420)
AT = int(MARKET.date[0]) - 4 * 3_600_000 + 8 * WEEK_MS


def policy_of(thresholds: Any, record: Record, *, at: int = AT) -> Any:
    recipe = Recipe(exit_plan=PLAN, thresholds=thresholds, min_heads_agree=1)
    return make_policy({}, record, MARKET, recipe=recipe, name="r1", learned=at, fitted="2018-05-28", alpha=0.05)


def test_a_policy_takes_its_thresholds_from_the_manager_its_recipe_names():
    record = Record.empty()
    manager = replace(record.manager, place=(0, 1, 2, 3))
    record = replace(record, manager=manager)
    for code, regime in enumerate(REGIMES):
        by_bandit, by_rule, plain = (
            policy_of(name, record).thresholds[regime] for name in ("bandit", "rule", "certified")
        )
        assert (by_bandit.rule, by_bandit.quantile) == ("bandit", bandit_quantile(manager, regime=code, at=AT))
        assert (by_rule.rule, by_rule.quantile) == ("rule", QUANTILES[code])
        assert (plain.rule, plain.quantile) == ("quantile", 0.95)
        assert not (by_bandit.certified or by_rule.certified or plain.certified)


def test_the_bandit_decides_a_week_anew_and_the_same_week_alike():
    record = Record.empty()
    chosen = [policy_of("bandit", record, at=AT + k * WEEK_MS).thresholds["ranging"].quantile for k in (0, 0, 1, 2, 3)]
    assert chosen[0] == chosen[1]
    assert len(set(chosen)) > 1


def test_a_quantile_in_force_is_one_of_what_the_policy_says_now():
    record = replace(Record.empty(), manager=replace(ThresholdManager.empty(), place=(4, 4, 4, 4)))
    policy = policy_of("rule", record)
    rows = np.arange(*MARKET.decided(since=AT - 8 * WEEK_MS, until=AT).indices(10**9)[:2])
    said = score(policy, MARKET, rows=rows).confidence
    assert policy.thresholds["ranging"].value == pytest.approx(np.quantile(said, 0.95), abs=1e-4)


def test_what_a_manager_chose_may_still_be_certified():
    """The certificate covers the quantile: it says so, and the threshold is a step of the certificate's grid."""
    rng = np.random.default_rng(5)
    sums = ThresholdSums.empty()
    for _ in range(40):
        sums = sums.update(np.full(60, 0.5), rng.normal(1.0, 0.5, 60))
    policy = policy_of("rule", replace(Record.empty(), thresholds=(sums,) * 4))
    assert all(t.certified and t.rule == "rule" for t in policy.thresholds.values())
