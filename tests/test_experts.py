"""Belief goes to the strategy whose probabilities come true, and following it costs no more than it says."""

from __future__ import annotations

import doctest
import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgebook.policy import experts
from edgebook.policy.experts import CONSTANT, EXPERTS, MARGIN, SHIFT, Beliefs, log_losses, regret_bound, update_beliefs
from edgebook.policy.vote_strategies import STRATEGIES

K = len(EXPERTS)


def by_name(losses: np.ndarray) -> list[dict[str, float]]:
    return [dict(zip(EXPERTS, row.tolist(), strict=True)) for row in losses]


def shares_of(beliefs: Beliefs) -> np.ndarray:
    return np.array([beliefs.shares[name] for name in EXPERTS])


def followed(losses: np.ndarray) -> float:
    """Loss of the mixture of the experts by the shares of the day before, a week at a time."""
    beliefs, total = Beliefs(), 0.0
    for week in np.array_split(losses, range(7, len(losses), 7)):
        for day, loss in enumerate(week):
            before = update_beliefs(beliefs, by_name(week[:day]))
            total -= float(np.log(shares_of(before) @ np.exp(-loss)))
        beliefs = update_beliefs(beliefs, by_name(week))
    return total


def best_sequence(losses: np.ndarray, changes: int) -> float:
    """Least loss of any sequence of experts with at most so many changes, by dynamic programming."""
    least = np.full((changes + 1, K), np.inf)
    least[0] = losses[0]
    for row in losses[1:]:
        switched = np.vstack([np.full(K, np.inf), np.repeat(least[:-1].min(axis=1)[:, None], K, axis=1)])
        least = np.minimum(least, switched) + row
    return float(least.min())


# --- Fixed-Share


@settings(max_examples=40)
@given(arrays(np.float64, (7, K), elements=st.floats(0, 5)))
def test_shares_agree_with_a_plain_loop(losses):
    belief = [1 / K] * K
    for day in losses:
        grown = [b * np.exp(-loss) for b, loss in zip(belief, day, strict=True)]
        pool = sum(grown)
        belief = [(1 - SHIFT) * g / pool + SHIFT / K for g in grown]
    assert shares_of(update_beliefs(Beliefs(), by_name(losses))) == pytest.approx(belief, abs=2e-6)


def test_it_begins_with_no_preference():
    assert shares_of(Beliefs()) == pytest.approx(np.full(K, 1 / K), abs=1e-6)
    assert set(EXPERTS) == {*STRATEGIES, CONSTANT}
    assert Beliefs().leader in STRATEGIES


@pytest.mark.parametrize("kind", ["noise", "spikes", "turns"])
@pytest.mark.parametrize("seed", range(3))
def test_following_the_shares_costs_no_more_than_the_bound_over_the_best_sequence(kind, seed):
    rng = np.random.default_rng(seed)
    days = 84
    losses = rng.uniform(0, 3, (days, K))
    if kind == "spikes":
        losses = np.where(rng.random((days, K)) < 0.1, 8.0, 0.5)
    if kind == "turns":  # whoever leads today is punished tomorrow
        beliefs = Beliefs()
        for day in range(days):
            losses[day] = np.where(np.arange(K) == shares_of(beliefs).argmax(), 4.0, 1.0)
            beliefs = update_beliefs(beliefs, by_name(losses[day : day + 1]))
    mixture = followed(losses)
    for changes in (0, 1, 3, 10):
        assert mixture <= best_sequence(losses, changes) + regret_bound(days, changes=changes) + 1e-3
    assert mixture > best_sequence(losses, days - 1)  # there is something to lose to


def test_the_bound_is_nearly_reached_so_it_says_something():
    losses = np.full((200, K), 8.0)
    losses[:, 2] = 0.0
    assert followed(losses) == pytest.approx(regret_bound(200, changes=0), abs=0.02)


def test_the_bound_is_of_whole_days_and_not_of_single_candidates():
    """Twelve outcomes a day, all won or all lost: shares stand still in a day, and what is said of each is lost twelve
    times."""
    beliefs, of_days, of_candidates, constant = Beliefs(), 0.0, 0.0, 0.0
    stated = np.where(np.array(EXPERTS) == "momentum", 0.6, 0.5)
    for day in range(84):
        won = np.full(12, day % 2 == 0)
        shares = shares_of(beliefs)
        losses = np.array([log_losses(np.full(12, p), won).sum() for p in stated])
        of_days -= np.log(shares @ np.exp(-losses))
        of_candidates += log_losses(np.full(12, shares @ stated), won).sum()
        constant += 12 * np.log(2)
        beliefs = update_beliefs(beliefs, by_name([losses]))
    bound = regret_bound(84, changes=0)
    assert of_days - constant <= bound < of_candidates - constant


def test_bounds_grow_with_days_and_changes():
    for one, other in pairwise([regret_bound(d, changes=c) for d, c in ((70, 0), (365, 0), (365, 1), (365, 5))]):
        assert one < other


def test_a_long_loser_leads_again_within_days_once_it_is_right():
    worse = dict.fromkeys(EXPERTS, 3.0)
    beliefs = update_beliefs(Beliefs(), [worse | {"by_regime": 2.0}] * 300)
    assert beliefs.leader == "by_regime"
    beliefs = update_beliefs(beliefs, [worse | {"momentum": 2.0}] * 21)
    assert beliefs.leader == "momentum"


def test_what_all_lose_alike_changes_little_and_draws_belief_together():
    skewed = update_beliefs(Beliefs(), [dict.fromkeys(EXPERTS, 5.0) | {"steps": 2.0}])
    after = update_beliefs(skewed, [dict.fromkeys(EXPERTS, 700.0)] * 7)
    assert after.leader == skewed.leader
    assert np.abs(shares_of(after) - 1 / K).max() < np.abs(shares_of(skewed) - 1 / K).max()
    assert np.abs(shares_of(after) - shares_of(skewed)).max() < 7 * SHIFT


@settings(max_examples=30)
@given(arrays(np.float64, (5, K), elements=st.floats(0, 2000)))
def test_shares_add_up_and_none_is_ever_lost(losses):
    after = shares_of(update_beliefs(Beliefs(), by_name(losses)))
    assert after.sum() == pytest.approx(1.0, abs=1e-5)
    assert (after >= 0.99 * SHIFT / K).all()


# --- the leader


def test_a_lead_must_be_clear_before_the_strategy_in_force_changes():
    start = Beliefs(leader="by_regime")
    level = dict.fromkeys(EXPERTS, 1.0)
    narrow = update_beliefs(start, [level | {"steps": 1.0 - 0.9 * np.log(MARGIN)}])
    assert narrow.shares["steps"] > narrow.shares["by_regime"] and narrow.leader == "by_regime"
    assert update_beliefs(start, [level | {"steps": 1.0 - 1.1 * np.log(MARGIN)}]).leader == "steps"


def test_the_constant_may_be_believed_most_but_never_leads():
    beliefs = update_beliefs(Beliefs(), [dict.fromkeys(EXPERTS, 4.0) | {CONSTANT: 0.0}] * 7)
    assert beliefs.shares[CONSTANT] > 0.9
    assert beliefs.leader in STRATEGIES


# --- the rest


@settings(max_examples=30)
@given(st.lists(arrays(np.float64, (7, K), elements=st.floats(0, 20)), max_size=3))
def test_beliefs_come_back_from_json_and_go_on_alike(weeks):
    beliefs = Beliefs()
    for losses in weeks:
        text = json.dumps(beliefs.to_json())
        back = Beliefs.from_json(json.loads(text))
        assert back == beliefs
        beliefs = update_beliefs(beliefs, by_name(losses))
        assert update_beliefs(back, by_name(losses)) == beliefs
        assert json.dumps(back.to_json()) == text  # the past did not change under the update


def test_log_loss_by_hand_and_bounded():
    stated, won = np.array([0.8, 0.8, 0.0, 1.0]), np.array([True, False, True, True])
    assert log_losses(stated, won) == pytest.approx([-np.log(0.8), -np.log(0.2), -np.log(1e-4), 1e-4], abs=1e-6)


def test_examples_of_the_docstrings_hold():
    found = doctest.testmod(experts)
    assert found.failed == 0 and found.attempted > 0
