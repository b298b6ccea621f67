"""A threshold is certified where the evidence carries one, and hardly ever where there is nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from edgebook.statistics.thresholds import GRID, MIN_WEEKS, STARTS, STEP, Threshold, ThresholdSums, choose_threshold

ALPHA = 0.05


def history(rng: np.random.Generator, *, weeks: int, earns, n: int = 80, shared: float = 0.5) -> ThresholdSums:
    """Weeks of candidates whose R has mean `earns(confidence)`; outcomes of one week move together by `shared`."""
    sums = ThresholdSums.empty()
    for _ in range(weeks):
        confidence = np.clip(rng.normal(0.45, 0.08, n), 0, 1).round(4)
        r_multiple = earns(confidence) + shared * rng.normal() + rng.normal(0, 1.2, n)
        sums = sums.update(confidence, r_multiple)
    return sums


def recent(rng: np.random.Generator, n: int = 2000) -> np.ndarray:
    return np.clip(rng.normal(0.45, 0.08, n), 0, 1).round(4)


# --- certification


def test_a_planted_regime_is_certified_where_it_earns():
    rng = np.random.default_rng(1)
    sums = history(rng, weeks=52, earns=lambda c: np.where(c >= 0.55, 1.0, -0.5))
    chosen = choose_threshold(sums, recent(rng), quantile=0.95, alpha=ALPHA)
    assert chosen.certified
    assert 0.5 <= chosen.value <= 0.6
    assert chosen.mean_r > 0
    assert chosen.weeks == 52


def certified_without_an_edge(runs: int) -> int:
    """Certifications where nothing is to be found, though weeks differ."""
    found = 0
    for seed in range(runs):
        rng = np.random.default_rng([2, seed])
        sums = history(rng, weeks=30, earns=np.zeros_like, shared=0.8)
        found += choose_threshold(sums, recent(rng, 400), quantile=0.95, alpha=ALPHA).certified
    return found


def test_without_an_edge_at_most_five_in_a_hundred_are_certified():
    runs = 300
    assert certified_without_an_edge(runs) <= stats.binom.ppf(0.999, runs, ALPHA)


def test_candidates_taken_for_independent_would_break_that(monkeypatch):
    """The same data with every candidate a week of its own: what certification by weeks protects from."""
    monkeypatch.setattr(ThresholdSums, "update", _one_by_one)
    assert certified_without_an_edge(60) > stats.binom.ppf(0.999, 60, ALPHA)


def _one_by_one(sums: ThresholdSums, confidence: np.ndarray, r_multiple: np.ndarray) -> ThresholdSums:
    above = confidence[:, None] >= GRID[None, :]
    earned = np.where(above, r_multiple[:, None], 0.0)
    more = np.stack([x.sum(axis=0) for x in (above, earned, above, earned**2, earned)], axis=1)
    return ThresholdSums(sums.weeks + above.sum(axis=0), sums.sums + more)


def test_the_best_looking_threshold_on_noise_earns_something_most_of_the_time():
    """Why a test is needed: on no edge, some threshold has earned something."""
    rng = np.random.default_rng(3)
    lucky = 0
    for _ in range(40):
        n, s = history(rng, weeks=30, earns=np.zeros_like).sums.T[:2]
        lucky += bool((s[n >= 5] / n[n >= 5]).max() > 0.1)
    assert lucky >= 20


def test_a_losing_regime_is_not_certified():
    rng = np.random.default_rng(4)
    sums = history(rng, weeks=52, earns=lambda c: np.full_like(c, -0.3))
    assert not choose_threshold(sums, recent(rng), quantile=0.95, alpha=ALPHA).certified


def test_few_weeks_certify_nothing_however_good():
    rng = np.random.default_rng(5)
    for weeks, certified in ((MIN_WEEKS - 1, False), (MIN_WEEKS, True)):
        sums = history(rng, weeks=weeks, earns=lambda c: np.full_like(c, 2.0))
        assert choose_threshold(sums, recent(rng), quantile=0.95, alpha=ALPHA).certified is certified


def test_less_error_certifies_less():
    rng = np.random.default_rng(6)
    sums, now = history(rng, weeks=30, earns=lambda c: np.where(c >= 0.5, 0.45, 0.0)), recent(rng)
    chosen = [choose_threshold(sums, now, quantile=0.95, alpha=alpha) for alpha in (0.2, 0.05, 1e-9)]
    assert [c.certified for c in chosen] == [True, True, False]
    assert chosen[0].value <= chosen[1].value


def test_p_value_is_that_of_a_t_test_on_the_ratio_by_weeks():
    """Certified at just above the p-value of the first start, not certified at just below it."""
    rng = np.random.default_rng(7)
    weeks = [(np.full(m, 0.6), rng.normal(0.4, 1.0, m)) for m in rng.integers(3, 9, 20)]
    sums = ThresholdSums.empty()
    for confidence, r_multiple in weeks:
        sums = sums.update(confidence, r_multiple)
    n, s = np.array([len(r) for _, r in weeks]), np.array([r.sum() for _, r in weeks])
    mean = s.sum() / n.sum()
    error = np.sqrt(((s - mean * n) ** 2).sum() * 20 / 19) / n.sum()
    p_value = stats.t.sf(mean / error, 19)
    assert 0 < p_value < 0.2
    now = np.full(50, 0.6)
    for times, certified in ((1.02, True), (0.98, False)):
        chosen = choose_threshold(sums, now, quantile=0.95, alpha=p_value * times * len(STARTS))
        assert chosen.certified is certified


# --- the paper default


@given(st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]), st.integers(0, 1000))
def test_the_paper_default_lets_the_top_share_through(quantile, seed):
    now = recent(np.random.default_rng(seed))
    chosen = choose_threshold(ThresholdSums.empty(), now, quantile=quantile, alpha=ALPHA)
    assert not chosen.certified
    assert (now >= chosen.value).mean() == pytest.approx(1 - quantile, abs=0.02)


def test_the_paper_default_follows_what_the_policy_says_now():
    rng = np.random.default_rng(8)
    sums, now = history(rng, weeks=20, earns=np.zeros_like), recent(rng)
    louder = np.clip(now + 0.2, 0, 1)
    one, two = (choose_threshold(sums, c, quantile=0.9, alpha=ALPHA).value for c in (now, louder))
    assert two == pytest.approx(one + 0.2, abs=1e-9)


def test_without_candidates_nothing_gets_through():
    assert choose_threshold(ThresholdSums.empty(), np.empty(0), quantile=0.95, alpha=ALPHA) == Threshold(
        1.0, False, 0, None
    )


# --- the sums

share = st.floats(0, 1).map(lambda x: round(x, 4))
week = st.integers(0, 12).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, n, elements=share),
        arrays(np.float64, n, elements=st.floats(-3, 3).map(lambda x: round(x, 3))),
    )
)


@settings(max_examples=30)
@given(st.lists(week, max_size=4))
def test_sums_agree_with_a_plain_loop(past):
    sums = ThresholdSums.empty()
    for confidence, r_multiple in past:
        sums = sums.update(confidence, r_multiple)
    for row in range(0, len(GRID), 20):
        rows = [(np.floor(c / STEP + 1e-9) >= row, r) for c, r in past]
        n, s = np.array([a.sum() for a, _ in rows]), np.array([r[a].sum() for a, r in rows])
        assert sums.weeks[row] == (n > 0).sum()
        whole = [n.sum(), s.sum(), (n * n).sum(), (s * s).sum(), (n * s).sum()]
        assert sums.sums[row] == pytest.approx(whole, abs=0.01)


@settings(max_examples=30)
@given(st.lists(week, max_size=4))
def test_sums_come_back_from_json(past):
    sums = ThresholdSums.empty()
    for confidence, r_multiple in past:
        sums = sums.update(confidence, r_multiple)
        back = ThresholdSums.from_json(json.loads(json.dumps(sums.to_json())))
        np.testing.assert_array_equal(back.weeks, sums.weeks)
        np.testing.assert_array_equal(back.sums, sums.sums)
        sums = back


@given(share, st.booleans(), st.integers(0, 99), st.none() | st.floats(-3, 3))
def test_a_threshold_comes_back_from_json(value, certified, weeks, mean_r):
    threshold = Threshold(value, certified, weeks, mean_r)
    assert Threshold.from_json(json.loads(json.dumps(threshold.to_json()))) == threshold
