"""Intervals: peers where they exist, coverage by simulation where trades overlap."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.api import OLS
from statsmodels.stats.proportion import proportion_confint

from edgebook.statistics import intervals, ratios


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 400), share=st.floats(0, 1))
def test_wilson_agrees_with_statsmodels(n, share):
    hits = round(share * n)
    assert intervals.wilson(hits / n, n=n) == pytest.approx(proportion_confint(hits, n, method="wilson"), abs=1e-12)


def test_wilson_of_nothing_is_undefined():
    assert np.isnan(intervals.wilson(0.5, n=0)).all()


def test_a_week_runs_from_monday_to_monday():
    dates = pd.Series(pd.to_datetime(["2019-01-06 23:59", "2019-01-07 00:00", "2019-01-13 23:00"], utc=True))
    sunday, monday, next_sunday = intervals.weeks_since_epoch(dates)
    assert monday == sunday + 1 and next_sunday == monday


def test_few_weeks_are_clustered_by_day():
    three_days = pd.Series(pd.date_range("2019-01-07", periods=3, tz="UTC"))
    assert np.diff(intervals.clusters_of(three_days)).tolist() == [1, 1]
    eight_weeks = pd.Series(pd.date_range("2019-01-07", periods=56, tz="UTC"))
    assert np.unique(intervals.clusters_of(eight_weeks)).size == 8


def test_clustered_error_agrees_with_statsmodels_when_neighbours_share_nothing():
    rng = np.random.default_rng(5)
    clusters = np.repeat(np.arange(0, 40, 2), 15)  # every other week: no neighbours
    values = rng.normal(size=300) + rng.normal(size=40)[clusters]
    peer = OLS(values, np.ones(300)).fit(cov_type="cluster", cov_kwds={"groups": clusters})
    error, freedom = intervals.clustered_error(values - values.mean(), clusters=clusters)
    assert freedom == 19
    assert error == pytest.approx(float(peer.bse[0]) * np.sqrt((300 - 1) / (300 - 1)), rel=1e-9)


def test_neighbouring_weeks_that_move_together_widen_the_interval():
    values = np.array([1.0, 1.0, -1.0, -1.0])
    together, _ = intervals.clustered_error(values, clusters=np.array([0, 1, 5, 6]))
    apart, _ = intervals.clustered_error(values, clusters=np.array([0, 2, 4, 6]))
    # By hand: sums 1, 1, -1, -1; squares 4; neighbours 1 + 1 = 2; G/(G-1) = 4/3; n = 4.
    assert apart == pytest.approx(np.sqrt(4 * 4 / 3) / 4)
    assert together == pytest.approx(np.sqrt(6 * 4 / 3) / 4)


def test_ten_copies_of_one_trade_a_week_are_worth_one():
    week = np.repeat(np.arange(0, 60, 2), 10)
    hits = np.repeat(np.arange(30) % 2 == 0, 10)
    found = intervals.rate_interval(hits, clusters=week)
    assert found.n == 300
    assert found.n_effective == pytest.approx(29.0)  # 30 weeks, less one for the estimated mean
    assert found.high - found.low > 0.33


def test_a_rate_of_one_still_has_an_interval():
    found = intervals.rate_interval(np.ones(12, dtype=bool), clusters=np.repeat(np.arange(4), 3))
    assert (found.value, found.high, found.n_effective) == (1.0, 1.0, 4.0)
    assert found.low < 0.5


def test_nothing_gives_an_undefined_interval_and_no_warning():
    nothing, weeks = np.empty(0), np.empty(0, dtype=np.int64)
    for found in (
        intervals.rate_interval(nothing.astype(bool), clusters=weeks),
        intervals.mean_interval(nothing, clusters=weeks),
        ratios.daily_ratio_interval(nothing, periods_per_year=365),
    ):
        assert found.n == 0 and np.isnan([found.value, found.low, found.high]).all()


def test_one_cluster_gives_a_mean_without_an_interval():
    found = intervals.mean_interval(np.array([1.0, 2.0]), clusters=np.array([3, 3]))
    assert found.value == 1.5 and np.isnan([found.low, found.high]).all()


def test_a_ratio_that_its_trades_do_not_bound_has_no_ends():
    few = intervals.smooth_interval(1.2, influence=np.array([0.9, -0.9]), clusters=np.array([1, 2]), log=True)
    assert few.value == 1.2
    assert np.isnan([few.low, few.high]).all()
    many = np.tile([0.9, -0.9], 20)
    bounded = intervals.smooth_interval(1.2, influence=many, clusters=np.arange(40) // 2 * 2, log=True)
    assert bounded.low <= 1.2 <= bounded.high
    plain = intervals.smooth_interval(1.2, influence=np.array([0.9, -0.9]), clusters=np.array([1, 2]))
    assert np.isfinite([plain.low, plain.high]).all()


def overlapping_trades(rng, *, weeks):
    """Hourly returns, and trades of 24 hours on them at uneven rates: they overlap within and across weeks."""
    hours = weeks * 168
    path = np.concatenate([[0.0], np.cumsum(rng.normal(size=hours + 24))])
    busy = rng.gamma(1.0, 1.0, size=weeks) * 8
    entry = np.concatenate([w * 168 + rng.integers(168, size=rng.poisson(busy[w])) for w in range(weeks)])
    return entry // 168, path[entry + 24] - path[entry]


def test_intervals_cover_the_truth_for_trades_that_overlap():
    rng = np.random.default_rng(11)
    covered, naive, means, runs = 0, 0, 0, 600
    for _ in range(runs):
        weeks, moves = overlapping_trades(rng, weeks=40)
        rate = intervals.rate_interval(moves > 0, clusters=weeks)
        low, high = intervals.wilson(rate.value, n=rate.n)
        mean = intervals.mean_interval(moves, clusters=weeks)
        covered += rate.low <= 0.5 <= rate.high
        naive += low <= 0.5 <= high
        means += mean.low <= 0 <= mean.high
    assert 0.925 <= covered / runs <= 0.985
    assert 0.92 <= means / runs <= 0.985
    assert naive / runs < 0.80  # the same trades taken as independent


def test_sharpe_interval_covers_the_truth_for_skewed_and_for_autocorrelated_returns():
    rng = np.random.default_rng(12)
    hit = {"skewed": 0, "smooth": 0}
    runs, days = 500, 400
    for _ in range(runs):
        skewed = -(rng.exponential(size=days) - 1) + 0.1  # mean 0.1, deviation 1, skewness -2
        found = ratios.daily_ratio_interval(skewed, periods_per_year=1)
        hit["skewed"] += found.low <= 0.1 <= found.high
        noise = rng.normal(size=days + 1)
        smooth = (noise[1:] + 0.4 * noise[:-1]) / np.sqrt(1.16) + 0.05
        found = ratios.daily_ratio_interval(smooth, periods_per_year=1)
        hit["smooth"] += found.low <= 0.05 <= found.high
    assert 0.92 <= hit["skewed"] / runs <= 0.98
    assert 0.92 <= hit["smooth"] / runs <= 0.98


def test_influence_values_give_mertens_variance():
    values = np.random.default_rng(3).gamma(2.0, size=5000) - 1.8
    ratio, influence = ratios.ratio_influence(values)
    z = (values - values.mean()) / values.std()
    skew, kurtosis = np.mean(z**3), np.mean(z**4)
    mertens = 1 + ratio**2 / 2 - ratio * skew + ratio**2 * (kurtosis - 3) / 4
    assert np.mean(influence**2) == pytest.approx(mertens, rel=1e-3)
    assert np.mean(influence) == pytest.approx(0.0, abs=1e-12)


def test_sharpe_is_annualised_by_what_is_passed():
    returns = np.random.default_rng(1).normal(0.001, 0.01, size=100)
    year, day = (ratios.daily_ratio_interval(returns, periods_per_year=p) for p in (365, 1))
    assert year.value == pytest.approx(day.value * np.sqrt(365))
    assert day.value == pytest.approx(returns.mean() / returns.std(ddof=1))
