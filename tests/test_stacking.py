"""Weights by a fading regression: they agree with least squares, with a Newton step, and see what overlaps."""

from __future__ import annotations

import doctest
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import nnls
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from edgebook.policy import stacking
from edgebook.policy.stacking import StackRecord, stack_weights, update_stack
from edgebook.settings.rounding import rounded

NAMES = ("one", "two", "three", "four")
GROUPS = {"g": NAMES}


def drawn(seed: int, weights: tuple[float, ...], *, n: int = 4000, size: float = 0.5, base: float = 0.5) -> Any:
    """What voters said, and results whose log-odds are the base rate's and `weights` of what was said."""
    rng = np.random.default_rng(seed)
    said = rng.normal(0, size, (n, len(weights)))
    odds = np.log(base / (1 - base)) + said @ np.array(weights)
    return said, rng.random(n) < 1 / (1 + np.exp(-odds))


def stack(said: np.ndarray, won: np.ndarray, *, base: float | np.ndarray = 0.5, weight: Any = 1.0) -> StackRecord:
    n, names = len(won), NAMES[: said.shape[1]]
    return update_stack(
        StackRecord.empty({"g": names}),
        {"g": said},
        won=won,
        base=np.broadcast_to(base, n).astype(np.float64),
        weight=np.broadcast_to(weight, n).astype(np.float64),
        keep=1.0,
    )


def read(record: StackRecord, *, prior: float = 0.0, strength: float = 0.0, largest: float = 99.0) -> np.ndarray:
    found = stack_weights(record, prior=prior, strength=strength, largest=largest)
    return np.array([found[name] for names in record.groups.values() for name in names])


# --- what it agrees with


@pytest.mark.parametrize("truth", [(1.0, 0.5, 0.2, 0.8), (1.0, -0.7, 0.0, 0.3)])
def test_without_a_prior_it_is_weighted_least_squares_with_weights_that_are_not_negative(truth):
    said, won = drawn(1, truth)
    rng = np.random.default_rng(2)
    base, weight = rng.uniform(0.3, 0.7, len(won)), rng.uniform(0.1, 1.0, len(won))
    information = base * (1 - base)
    root = np.sqrt(weight * information)
    expected, _ = nnls(said * root[:, None], (won - base) / information * root)
    assert read(stack(said, won, base=base, weight=weight)) == pytest.approx(expected, abs=2e-3)


def test_it_is_one_newton_step_of_the_penalised_logistic_regression():
    said, won = drawn(3, (0.9, 0.6, 0.4, 0.2))
    weight, strength = np.random.default_rng(4).uniform(0.1, 1.0, len(won)), 3.0
    model = LogisticRegression(C=1 / strength, fit_intercept=False, solver="newton-cholesky", max_iter=1)
    with pytest.warns(ConvergenceWarning):
        model.fit(said, won, sample_weight=weight)
    assert (model.coef_ > 0).all()
    assert read(stack(said, won, weight=weight), strength=strength) == pytest.approx(model.coef_[0], abs=2e-3)


@settings(max_examples=40)
@given(
    arrays(np.float64, (30, 4), elements=st.floats(-2, 2).map(lambda x: round(x, 3))),
    arrays(np.bool_, 30),
    st.floats(0.0, 1.5),
    st.floats(0.5, 20.0),
)
def test_no_small_move_is_better(said, won, prior, strength):
    """The conditions of Karush, Kuhn and Tucker, from the sums and the result alone."""
    record = stack(said, won)
    weights = read(record, prior=prior, strength=strength)
    slope = (record.gram["g"] + strength * np.eye(4)) @ weights - record.cross["g"] - strength * prior
    assert (weights >= 0).all()
    scale = 1e-4 * (np.abs(record.gram["g"]).sum() + strength)
    assert (slope >= -scale).all()
    assert np.abs(slope[weights > 1e-3]).max(initial=0.0) <= scale


# --- what it sees


def test_twins_share_the_weight_that_one_of_them_has_alone():
    said, won = drawn(5, (0.8, 0.4))
    alone = read(stack(said, won))
    both = read(stack(np.column_stack([said[:, 0], said[:, 0], said[:, 1]]), won), strength=0.01)
    assert both[0] == pytest.approx(both[1], abs=1e-3)
    assert both[0] + both[1] == pytest.approx(alone[0], abs=0.01)
    assert both[2] == pytest.approx(alone[1], abs=0.01)


def test_one_that_is_right_only_because_of_a_neighbour_gets_nothing_though_its_votes_hit():
    said, won = drawn(6, (1.5, 0.0), n=20_000)
    echo = said[:, 0] + np.random.default_rng(7).normal(0, 0.5, len(won))
    assert ((echo > 0) == won).mean() > 0.55
    knows, repeats = read(stack(np.column_stack([said[:, 0], echo]), won))
    assert knows > 1.2 and repeats < 0.1


def test_who_is_wrong_is_not_heard_and_who_is_silent_is_believed_as_before():
    said, won = drawn(8, (0.8, -0.8, 0.0))
    said[:, 2] = 0.0
    right, wrong, silent = read(stack(said, won), prior=0.3, strength=2.0)
    assert right > 0.5 and wrong == 0.0 and silent == 0.3


def test_without_data_the_prior_stands_and_with_much_it_is_forgotten():
    assert read(StackRecord.empty(GROUPS), prior=0.3, strength=2.0).tolist() == [0.3] * 4
    assert read(StackRecord.empty(GROUPS), prior=5.0, strength=2.0, largest=3.0).tolist() == [3.0] * 4
    said, won = drawn(9, (0.6, 0.2, 0.4, 0.8), n=40_000)
    low, high = (read(stack(said, won), prior=prior, strength=2.0) for prior in (0.0, 1.0))
    assert low == pytest.approx(high, abs=0.01)
    assert low == pytest.approx([0.6, 0.2, 0.4, 0.8], abs=0.08)


def test_who_always_says_the_same_knows_nothing_where_the_base_rate_is_known():
    """Two of five win: who always says no is right in three of five, and has told nothing."""
    _, won = drawn(10, (0.0,), n=20_000, base=0.4)
    no = np.full((len(won), 1), -0.5)
    assert read(stack(no, won, base=won.mean()), strength=2.0)[0] < 0.01
    assert read(stack(no, won, base=0.5), strength=2.0)[0] > 0.5


def test_on_coins_every_weight_stays_near_nothing():
    for seed in range(10):
        said, won = drawn(seed, (0.0,) * 4)
        assert read(stack(said, won), prior=0.3, strength=2.0).max() < 0.25


# --- what it keeps


def test_the_past_fades_by_what_it_is_kept():
    said, won = drawn(11, (0.5,) * 4, n=200)
    record = stack(said, won)
    none: dict[str, Any] = {"won": won[:0], "base": np.empty(0), "weight": np.empty(0)}
    half = update_stack(record, {"g": said[:0]}, **none, keep=0.5)
    assert half.gram["g"] == pytest.approx(record.gram["g"] / 2, abs=1e-4)
    assert half.cross["g"] == pytest.approx(record.cross["g"] / 2, abs=1e-4)


def test_after_an_edge_has_moved_the_new_voter_takes_over():
    record, keep = StackRecord.empty({"g": NAMES[:2]}), 0.5 ** (1 / 13)
    for week in range(78):
        said, won = drawn(week, (0.8, 0.0) if week < 52 else (0.0, 0.8), n=150)
        told = {"won": won, "base": np.full(150, 0.5), "weight": np.full(150, 0.5)}
        record = update_stack(record, {"g": said}, **told, keep=keep)
        if week == 51:
            first = read(record, prior=0.3, strength=2.0)
    second = read(record, prior=0.3, strength=2.0)
    assert first[0] > first[1] + 0.4 and second[1] > second[0] + 0.2


weeks = st.integers(0, 12).flatmap(
    lambda n: st.fixed_dictionaries(
        {
            "said": arrays(np.float64, (n, 4), elements=st.integers(-16, 16).map(lambda x: x / 8)),
            "won": arrays(np.bool_, n),
            "base": arrays(np.float64, n, elements=st.sampled_from([0.25, 0.5])),
            "weight": arrays(np.float64, n, elements=st.integers(0, 4).map(lambda x: x / 4)),
        }
    )
)
TWO = {"g": ("one", "two"), "h": ("three", "four"), "empty": ()}


def learn(record: StackRecord, week: dict[str, Any], *, keep: float = 0.9) -> StackRecord:
    said = {"g": week["said"][:, :2], "h": week["said"][:, 2:], "empty": week["said"][:, :0]}
    return update_stack(record, said, won=week["won"], base=week["base"], weight=week["weight"], keep=keep)


@settings(max_examples=30)
@given(st.lists(weeks, max_size=4))
def test_a_record_comes_back_from_json_and_goes_on_alike(past):
    record = StackRecord.empty(TWO)
    for week in past:
        text = json.dumps(record.to_json())
        back = StackRecord.from_json(json.loads(text))
        assert json.dumps(back.to_json()) == text
        one, other = learn(back, week), learn(record, week)
        assert json.dumps(one.to_json()) == json.dumps(other.to_json())
        given_ = {"prior": 0.3, "strength": 2.0, "largest": 3.0}
        assert stack_weights(one, **given_) == stack_weights(other, **given_)
        assert json.dumps(back.to_json()) == text  # the past did not change under the update
        record = one


@settings(max_examples=30)
@given(weeks, st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_matter(week, shuffler):
    order = list(range(len(week["won"])))
    shuffler.shuffle(order)
    mixed = {name: array[order] for name, array in week.items()}
    one, other = (learn(StackRecord.empty(TWO), w).to_json() for w in (week, mixed))
    assert one == other


@settings(max_examples=30)
@given(weeks, weeks)
def test_two_lots_are_worth_what_they_are_worth_together(first, second):
    both = {name: np.concatenate([first[name], second[name]]) for name in first}
    apart = learn(learn(StackRecord.empty(TWO), first, keep=1.0), second, keep=1.0)
    together = learn(StackRecord.empty(TWO), both, keep=1.0)
    for name in TWO:
        assert apart.gram[name] == pytest.approx(together.gram[name], abs=2e-4)
        assert apart.cross[name] == pytest.approx(together.cross[name], abs=2e-4)


def test_groups_do_not_hear_each_other_and_one_without_voters_says_nothing():
    said, won = drawn(12, (0.8, 0.0))
    twice = np.column_stack([said, said])
    week = {"said": twice, "won": won, "base": np.full(len(won), 0.5), "weight": np.ones(len(won))}
    found = stack_weights(learn(StackRecord.empty(TWO), week), prior=0.0, strength=1.0, largest=3.0)
    assert set(found) == set(NAMES)
    assert found["one"] == found["three"] > 0.5  # a copy in another group takes nothing away


def test_examples_of_the_docstrings_hold():
    found = doctest.testmod(stacking, extraglobs={"np": np})
    assert found.failed == 0 and found.attempted > 0


def test_a_sum_on_the_edge_of_rounding_is_the_same_in_any_order_of_addition():
    rng = np.random.default_rng(3)
    values = np.round(rng.normal(0, 0.3, 4000), 4)
    weights = np.round(rng.random(4000), 1)
    sums = {float(rounded((values * weights)[rng.permutation(4000)].sum(), 4)) for _ in range(200)}
    halves = np.array([1494.5e-4, 1494.5e-4 * (1 - 2**-52), 1494.5e-4 * (1 + 2**-52)])
    assert len(sums) == 1
    assert len(set(rounded(halves, 4).tolist())) == 1
    assert len(set(np.round(halves, 4).tolist())) == 2  # what a plain rounding would say
