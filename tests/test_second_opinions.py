"""Second opinions against their peers, and what looking every week does to them."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from edgebook.analyses import repeated_looks, second_opinions
from edgebook.analyses.ab_trials import Settings
from edgebook.paths import Paths
from edgebook.settings.loading import load_params

PARAMS = load_params(Paths.at().root / "params.yaml")
SETTINGS = Settings(PARAMS.gate, PARAMS.learning, PARAMS.sizing, PARAMS.ab_test)


def paired_returns(rng, days, *, edge=0.0):
    """Daily returns of two books that share their market."""
    common = rng.standard_t(5, days) * 0.01
    return np.column_stack([common + rng.normal(edge, 0.006, days), common + rng.normal(0, 0.006, days)])


def test_paired_t_agrees_with_scipy():
    weekly = np.random.default_rng(1).normal(0.5, 2, 26)
    found, t = second_opinions.paired_t(weekly)
    peer = stats.ttest_1samp(weekly, 0)
    assert t == pytest.approx(peer.statistic)
    assert (found.low, found.high) == pytest.approx(tuple(peer.confidence_interval(0.95)))


@pytest.mark.parametrize(("won", "n"), [((300, 280), (600, 640)), ((3, 9), (12, 11))])
def test_two_proportions_agree_with_statsmodels(won, n):
    arms = [np.arange(size) < hits for hits, size in zip(won, n, strict=True)]
    found, z = second_opinions.two_proportions(*arms)
    assert z == pytest.approx(proportions_ztest(won, n)[0])
    band = confint_proportions_2indep(won[0], n[0], won[1], n[1], method="newcomb")
    assert (found.low, found.high) == pytest.approx(band, abs=1e-6)


@pytest.mark.parametrize(("looks", "constant"), [(2, 1.977), (5, 2.040), (10, 2.087), (20, 2.126)])
def test_boundary_agrees_with_jennison_and_turnbull(looks, constant):
    """Table 2.3 of their book, two-sided 5 %."""
    assert second_opinions.boundary_constant(looks) == pytest.approx(constant, abs=0.01)


def test_boundary_is_crossed_as_often_as_planned():
    looks = 26
    walk = np.cumsum(np.random.default_rng(2).normal(0, 1, (20_000, looks)), axis=1)
    crossed = (walk >= second_opinions.boundary_constant(looks) * np.sqrt(looks)).any(axis=1).mean()
    assert crossed == pytest.approx(0.025, abs=0.004)


def test_boundary_asks_for_more_in_the_beginning_and_the_repeated_interval_is_wider():
    weekly = np.random.default_rng(3).normal(1, 2, 26)
    limits = [second_opinions.o_brien_fleming(weekly[:k], looks=26)[2] for k in (4, 13, 26)]
    assert limits == sorted(limits, reverse=True)
    early, _, _ = second_opinions.o_brien_fleming(weekly[:13], looks=26)
    usual, _ = second_opinions.paired_t(weekly[:13])
    assert early.low < usual.low < usual.high < early.high


def test_sharpe_difference_by_definition_and_annualised():
    returns = paired_returns(np.random.default_rng(4), 182)
    found, p = second_opinions.sharpe_difference(returns, periods_per_year=365, seed=0, draws=199)
    ratios = returns.mean(axis=0) / returns.std(axis=0, ddof=1) * np.sqrt(365)
    assert found.value == pytest.approx(ratios[0] - ratios[1])
    assert found.low < found.value < found.high
    assert (p < 0.05) == (found.low > 0 or found.high < 0)
    assert 0 < p <= 1


def test_sharpe_difference_covers_the_truth_about_as_often_as_it_says():
    rng, covered = np.random.default_rng(5), 0
    for seed in range(150):
        found, _ = second_opinions.sharpe_difference(
            paired_returns(rng, 182), periods_per_year=365, seed=seed, draws=199
        )
        covered += found.low <= 0 <= found.high
    assert 0.88 <= covered / 150 <= 0.995


def test_sharpe_difference_finds_a_large_one():
    returns = paired_returns(np.random.default_rng(6), 364, edge=0.003)
    found, p = second_opinions.sharpe_difference(returns, periods_per_year=365, seed=0)
    assert found.low > 0
    assert p < 0.01


@pytest.mark.parametrize("days", [0, 21, 200])
def test_books_that_stand_still_or_too_few_days_are_undefined(days):
    still, p = second_opinions.sharpe_difference(np.zeros((days, 2)), periods_per_year=365, seed=0)
    assert np.isnan([still.value, still.low, still.high, p]).all()
    flat, t = second_opinions.paired_t(np.zeros(days // 7))
    assert np.isnan([flat.value, t]).all()


def test_weekly_sums_leave_out_an_unfinished_week():
    assert second_opinions.weekly_sums(np.arange(16.0)).tolist() == [21.0, 70.0]


def made_up_weeks(rng, weeks=60):
    returns = paired_returns(rng, 7 * weeks).reshape(weeks, 7, 2)
    gap = (returns[..., 0] - returns[..., 1]) / 0.005
    signals = rng.integers(1, 7, (weeks, 7, 2)).astype(float)
    return repeated_looks.Weeks(
        returns, np.stack([gap, 0.15 * gap], axis=2), signals, rng.binomial(signals.astype(int), 0.5).astype(float)
    )


def test_looking_every_week_breaks_all_tests_but_the_gate():
    weeks = made_up_weeks(np.random.default_rng(7))
    found = repeated_looks.false_promotions(weeks, bar=80.0, settings=SETTINGS, paths=400).set_index("method")["share"]
    assert found["the gate"] <= stats.binom.ppf(0.999, 400, 1 / 80) / 400
    assert 0.1 < found["weekly paired t"] < 0.3
    assert 0.1 < found["Ledoit–Wolf, Sharpe"] < 0.35
    assert found["O'Brien–Fleming"] < 0.08
    assert 0.05 < found["two-proportion z"] < 0.3
    assert found["higher win rate"] > 0.8


def test_running_statistics_equal_those_of_each_look():
    rng = np.random.default_rng(8)
    values = rng.normal(0.2, 1, (3, 20))
    running = repeated_looks._running_t(values)
    assert running[1, 11] == pytest.approx(stats.ttest_1samp(values[1, :12], 0).statistic)
    signals = rng.integers(10, 30, (3, 20, 2)).astype(float)
    wins = rng.binomial(signals.astype(int), 0.5).astype(float)
    z, ahead = repeated_looks._running_proportions(signals, wins)
    total, won = signals[2, :7].sum(axis=0), wins[2, :7].sum(axis=0)
    assert z[2, 6] == pytest.approx(proportions_ztest(won, total)[0])
    assert ahead[2, 6] == (won[0] / total[0] > won[1] / total[1])
    returns = paired_returns(rng, 84)[None]
    (first, pull), (second, push) = (second_opinions.ratio_influence(returns[0, :, arm]) for arm in (0, 1))
    expected = (first - second) / second_opinions.newey_west(pull - push)
    assert repeated_looks._running_sharpe(returns)[0, -1] == pytest.approx(expected, rel=0.02)


def test_too_few_weeks_are_not_simulated():
    few = made_up_weeks(np.random.default_rng(9), weeks=5)
    assert repeated_looks.false_promotions(few, bar=80.0, settings=SETTINGS)["share"].isna().all()
