"""Naive rules: each promotes at the look it says, by the weeks before it alone; their cost; records out of seals."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from edgebook.analyses.ab_trials import comparisons, trades_of
from edgebook.evidence import naive_rules as rules
from edgebook.evidence.naive_rules import NEVER, TrialRecord, promotion_weeks, r_after, records_of, rule_weeks
from edgebook.seals.week import open_week
from small_market import LAST


def record(signals, wins, difference_r):
    signals, wins = np.array(signals, float), np.array(wins, float)
    return TrialRecord("r3", "r1", "2018-04-02", signals, wins, wins * 0, np.array(difference_r, float))


def drawn(seed, *, weeks=52, trials=200, peek=False):
    rng = np.random.default_rng(seed)
    signals = rng.poisson(25, (trials, weeks, 2)).astype(float)
    wins = rng.binomial(signals.astype(int), 0.5).astype(float)
    difference = rng.normal(0, 8, (trials, weeks))
    return signals, wins, np.sort(difference, axis=1)[:, ::-1] if peek else difference


# --- when


def test_win_rates_by_hand():
    found = promotion_weeks(record([[2, 2]] * 5, [[1, 1], [0, 1], [2, 1], [2, 0], [0, 2]], [0] * 5))
    assert found[rules.EAGER] == 4  # 1:1, 1:2, 3:3, 5:3
    assert found[rules.PATIENT] == 4
    assert found[rules.NEWEST] == 0


def test_the_patient_wait_for_the_fourth_week():
    found = promotion_weeks(record([[2, 2]] * 5, [[2, 0], [0, 2], [0, 1], [0, 0], [2, 0]], [0] * 5))
    assert (found[rules.EAGER], found[rules.PATIENT]) == (1, 5)


def test_a_champion_without_a_signal_has_no_win_rate_to_beat():
    found = promotion_weeks(record([[5, 0]] * 6, [[5, 0]] * 6, [0] * 6))
    assert found[rules.EAGER] is None
    assert found[rules.TWO_RATES] is None


def test_tests_agree_with_scipy_at_their_first_look_and_not_before():
    signals, wins, difference = drawn(1, trials=30)
    found = rule_weeks(signals, wins, difference_r=difference)
    for number in range(30):
        looks = [
            stats.ttest_1samp(difference[number, :k], 0, alternative="greater").pvalue < 0.05 for k in range(4, 53)
        ]
        assert found[rules.PAIRED_T][number] == (looks.index(True) + 4 if any(looks) else NEVER)


def test_two_rates_is_the_pooled_z_of_the_textbook():
    z, ahead = rules.two_rates(np.array([[[40.0, 50.0]]]), np.array([[[24.0, 20.0]]]))
    pooled = 44 / 90
    assert z[0, 0] == pytest.approx((0.6 - 0.4) / np.sqrt(pooled * (1 - pooled) * (1 / 40 + 1 / 50)))
    assert ahead[0, 0]


@given(st.integers(0, 200), st.integers(5, 51))
def test_no_rule_looks_at_later_weeks(seed, known):
    signals, wins, difference = drawn(seed, trials=1)
    whole = rule_weeks(signals, wins, difference_r=difference)
    early = rule_weeks(signals[:, :known], wins[:, :known], difference_r=difference[:, :known])
    for rule in rules.RULES:
        week = whole[rule][0]
        assert early[rule][0] == (week if week <= known else NEVER)


def test_a_rule_that_peeks_is_caught_by_that_check():
    """Weeks sorted by how they end: what the first half says depends on the second."""
    signals, wins, difference = drawn(3, peek=True)
    whole = rule_weeks(signals, wins, difference_r=difference)[rules.PAIRED_T]
    honest = rule_weeks(*drawn(3)[:2], difference_r=drawn(3)[2])[rules.PAIRED_T]
    assert (whole != NEVER).mean() > 0.95
    assert (honest != NEVER).mean() < 0.5


# --- how often, and what it costs


def test_weekly_looks_promote_equals_far_more_often_than_one_look_would():
    found = {rule: (weeks != NEVER).mean() for rule, weeks in _of_equals().items()}
    assert found[rules.NEWEST] == 1
    assert found[rules.EAGER] > 0.8
    assert found[rules.EAGER] >= found[rules.PATIENT] > 0.7
    assert 0.15 < found[rules.TWO_RATES] < 0.45
    assert 0.15 < found[rules.PAIRED_T] < 0.45


def _of_equals():
    signals, wins, difference = drawn(4, trials=600)
    return rule_weeks(signals, wins, difference_r=difference)


def test_what_a_promotion_brought_begins_with_the_week_after_it():
    difference = np.array([[1.0, 2.0, 3.0]] * 4)
    assert r_after(difference, np.array([0, 1, 3, NEVER])).tolist() == [6, 5, 0, 0]


# --- out of seals


def test_records_are_what_the_report_says_of_the_same_trials(small):
    run = {"history": "main", "as_of": LAST, "previous": "2018-05-21", "genesis": "2018-04-02"}
    week = open_week(run, root=str(small.root))
    for kind in ("promotion", "baseline"):
        [trial] = comparisons(week, kind=kind)
        [found] = records_of(small, "main", kind=kind)
        assert (found.arm, found.against, found.since) == (trial.arm, trial.against, trial.since)
        assert len(found) == len(trial.days) // 7 > 4
        np.testing.assert_allclose(
            found.difference_r, trial.days["book_difference"].to_numpy().reshape(-1, 7).sum(axis=1), atol=1e-5
        )
        np.testing.assert_allclose(found.r[:, 0] - found.r[:, 1], found.difference_r, atol=1e-5)
        assert found.wealth[-1] == trial.days["wealth"].iloc[-7:].max()
        for number, arm in enumerate((trial.arm, trial.against)):
            closed = trades_of(trial, week.shadow, arm=arm)
            assert found.signals[:, number].sum() == len(closed) > 0
            assert found.wins[:, number].sum() == (closed["profit_ratio"] > 0).sum()
        promotion_weeks(found)


def test_a_history_without_seals_has_no_record(tmp_path):
    from edgebook.paths import Paths

    assert records_of(Paths.at(tmp_path), "main") == []


def test_a_record_says_who_and_how_long_and_not_every_number():
    short = repr(record([[1, 1]], [[1, 0]], [1.0]))
    assert "r3" in short
    assert "array" not in short
    assert len(dataclasses.replace(record([[1, 1]] * 3, [[1, 0]] * 3, [1.0] * 3))) == 3
