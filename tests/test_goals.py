"""The scoreboard: one rule for verdicts, gains with their intervals against oracles, random policies that are fair."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebook.analyses.goal_values import manual_interventions, rate_gain, regime_profit
from edgebook.analyses.goals import scoreboard, verdict
from edgebook.analyses.random_policies import draw_policies
from edgebook.analyses.tracks import Track
from edgebook.policy.market import REGIMES
from edgebook.statistics import intervals
from edgebook.statistics.intervals import Interval

START = pd.Timestamp("2018-04-02", tz="UTC")
AT = pd.Timestamp("2019-04-01", tz="UTC")
MONDAYS = [f"{START + pd.Timedelta(days=7 * week):%Y-%m-%d}" for week in range(53)]
GOALS = {
    "win_rate_gain": 0.05, "false_signal_cut": 0.2, "win_rate": 0.7, "profit_factor": 2.0, "sharpe_ratio": 2.0,
    "max_drawdown": 0.15, "random_percentile": 95.0, "random_policies": 200, "seed": 17,
}  # fmt: skip


def made_up_trades(won, *, weeks, seed=1, spacing=1, regime="ranging"):
    """Signals spread over weeks; winners make 1.27 R, losers lose 1.07."""
    rng = np.random.default_rng(seed)
    won = np.asarray(won, dtype=bool)
    week = np.sort(rng.integers(0, weeks, won.size)) * spacing
    opened = pd.Series(START + pd.to_timedelta(week * 168 + rng.integers(0, 160, won.size), unit="h"))
    opened = opened.astype("datetime64[ms, UTC]")
    r = np.where(won, 1.27, -1.07)
    return pd.DataFrame(
        {
            "signal_id": [f"s{seed}{i:05d}" for i in range(won.size)], "pair": "BTC/USD", "timeframe": "1h",
            "is_short": rng.random(won.size) < 0.5, "date": opened, "open_date": opened,
            "close_date": opened + pd.Timedelta(hours=3), "open_rate": 100.0, "take_profit_abs": 102.0,
            "stop_loss_abs": 98.5, "fee_open": 0.001, "fee_close": 0.001, "profit_ratio": r * 0.015, "r_multiple": r,
            "regime": regime, "exit_plan": "p", "status": "closed",
        }
    )  # fmt: skip


def made_up_days(returns):
    days = pd.date_range(START, periods=len(returns), freq="D", unit="ms")
    return pd.DataFrame({"date": days, "equity": 1e5 * np.cumprod(1 + np.asarray(returns)), "return_ratio": returns})


def made_up_candidates(weeks=52, *, each=40, seed=2, r=None):
    """Candidates of every week, both sides, two timeframes, known three hours later."""
    rng = np.random.default_rng(seed)
    count = weeks * each
    week = np.repeat(np.arange(weeks), each)
    date = pd.Series(START + pd.to_timedelta(week * 168 + rng.integers(0, 160, count), unit="h"))
    return pd.DataFrame(
        {
            "date": date.astype("datetime64[ms, UTC]"), "timeframe": rng.choice(["1h", "4h"], count),
            "is_short": rng.random(count) < 0.5, "r_multiple": rng.normal(0, 1, count) if r is None else r,
            "known_at": (date + pd.Timedelta(hours=3)).astype("datetime64[ms, UTC]"), "exit_plan": "p",
            "signal_id": [f"c{i:06d}" for i in range(count)],
        }
    )  # fmt: skip


def as_trades(candidates):
    return candidates.assign(close_date=candidates["known_at"], open_date=candidates["date"])


def board(*, trades, returns, weeks, heads=(), frozen=None, certified=False, threshold_high=0.1):
    shown = {"account": Track("account", "", trades, made_up_days(returns))}
    if frozen is not None:
        shown["frozen"] = Track("frozen", "", frozen, made_up_days(returns))
    thresholds = pd.DataFrame(
        {"regime": REGIMES, "certified": certified, "high": threshold_high, "weeks": weeks, "value": 0.5}
    )
    outcomes = {"p": made_up_candidates()}
    chance = {null: draw_policies(trades, outcomes, null=null, policies=50, seed=1, at=AT) for null in ("mix", "sides")}
    found = scoreboard(
        shown, chance, known=pd.DataFrame({"indicator_known": [True] * 4}), thresholds=thresholds, heads=heads,
        goals=GOALS, weeks=MONDAYS[: weeks + 1], periods_per_year=365,
    )  # fmt: skip
    return found.set_index("goal")


def quiet(days):
    return np.random.default_rng(9).normal(0.0005, 0.004, days)


# --- verdicts ---


@pytest.mark.parametrize(
    ("low", "high", "better", "said"),
    [
        (0.70, 0.80, True, "met"), (0.60, 0.69, True, "not met"), (0.60, 0.80, True, "too early"),
        (0.60, 0.69, False, "met"), (0.70, 0.80, False, "not met"), (0.60, 0.70, False, "too early"),
        (np.nan, np.nan, True, "too early"), (np.nan, 0.1, True, "too early"),
    ],
)  # fmt: skip
def test_the_whole_interval_decides(low, high, better, said):
    assert verdict(Interval(0.65, low, high, 9, 9.0), goal=0.7, higher_is_better=better) == said


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_goal_that_lies_in_the_interval_is_never_decided(value, below, above):
    found = Interval(value, value - below, value + above, 9, 9.0)
    if below > 1e-9 and above > 1e-9:
        assert verdict(found, goal=value) == "too early"


def test_a_drawdown_that_has_happened_is_not_met_however_early():
    returns = np.concatenate([quiet(10), [-0.2], quiet(10)])
    found = board(trades=made_up_trades(np.ones(20), weeks=3), returns=returns, weeks=3)
    assert found["verdict"]["Largest drawdown"] == "not met"
    assert found["value"]["Largest drawdown"] >= 0.15


def test_before_the_eighth_week_everything_that_is_estimated_is_too_early():
    found = board(trades=made_up_trades(np.zeros(60), weeks=7), returns=quiet(49), weeks=7, threshold_high=-0.1)
    late = board(trades=made_up_trades(np.zeros(60), weeks=8), returns=quiet(56), weeks=8, threshold_high=-0.1)
    assert set(found["verdict"].drop("Manual interventions")) == {"too early"}
    assert late["verdict"]["Win rate"] == "not met"
    assert late["verdict"]["Certified thresholds"] == "not met"


def test_a_gain_over_the_start_needs_eight_weeks_of_its_own():
    trades = made_up_trades(np.r_[np.zeros(80), np.ones(80)], weeks=16)
    early = board(trades=trades[trades["open_date"] < MONDAYS[15]], returns=quiet(105), weeks=15)
    late = board(trades=trades, returns=quiet(112), weeks=16)
    assert early["verdict"]["Win rate gained: latest 7 weeks against the first 8"] == "too early"
    assert late["verdict"]["Win rate gained: latest 8 weeks against the first 8"] == "met"


def test_interventions_are_pins_and_approved_promotions():
    def heads(*kinds):
        return [{"events": [{"kind": kind, "recipe": recipe}]} for kind, recipe in kinds]

    assert manual_interventions(heads(("promoted", "r3"), ("rolled back", "r1"))) == 0
    assert manual_interventions(heads(("recommended", "r3"), ("promoted", "r3"))) == 1
    assert manual_interventions(heads(("pinned", "r1"), ("recommended", "r3"), ("promoted", "r4"))) == 1
    trades = made_up_trades(np.ones(90), weeks=9)
    assert board(trades=trades, returns=quiet(63), weeks=9)["verdict"]["Manual interventions"] == "met"
    touched = board(trades=trades, returns=quiet(63), weeks=9, heads=heads(("pinned", "r1")))
    assert touched["verdict"]["Manual interventions"] == "not met"


def test_every_goal_of_the_settings_is_held():
    found = board(trades=made_up_trades(np.ones(90), weeks=9), returns=quiet(63), weeks=9, certified=True)
    for word in ("Win rate gained", "False signals cut", "indicators", "thresholds", "Profit factor", "Sharpe",
                 "drawdown", "interventions", "every regime", "random policies"):  # fmt: skip
        assert any(word in goal for goal in found.index), word
    assert found["verdict"]["Certified thresholds"] == "met"
    assert found["verdict"]["Best indicators known"] == "met"


# --- gains ---


def test_the_gain_is_the_difference_of_the_rates():
    now = made_up_trades([True] * 60 + [False] * 40, weeks=20)
    start = made_up_trades([True] * 30 + [False] * 70, weeks=20, seed=2)
    assert rate_gain(now, start, kind="win_rate").value == pytest.approx(0.3)
    assert rate_gain(now, start, kind="false_signal_cut").value == pytest.approx(1 - 0.4 / 0.7)


def test_the_error_of_the_gain_is_that_of_a_clustered_regression():
    from statsmodels.api import OLS, add_constant

    rng = np.random.default_rng(3)
    now = made_up_trades(rng.random(200) < 0.55, weeks=20, spacing=2)
    start = made_up_trades(rng.random(150) < 0.45, weeks=20, spacing=2, seed=4)
    both = pd.concat([now, start])
    clusters = intervals.clusters_of(both["open_date"])
    hit = (both["profit_ratio"] > 0).to_numpy(float)
    fit = OLS(hit, add_constant(np.r_[np.ones(200), np.zeros(150)])).fit(
        cov_type="cluster", cov_kwds={"groups": clusters}
    )
    found = rate_gain(now, start, kind="win_rate")
    error = np.sqrt(348 / 349) * fit.bse[1]  # statsmodels also multiplies by (n - 1) / (n - k)
    _, freedom = intervals.clustered_error(hit, clusters=clusters)
    assert found.value == pytest.approx(fit.params[1])
    assert (found.high - found.low) / 2 == pytest.approx(error * intervals.student(freedom), rel=1e-6)


def test_the_same_signals_gain_nothing_for_certain():
    trades = made_up_trades(np.random.default_rng(5).random(100) < 0.5, weeks=12)
    found = rate_gain(trades, trades, kind="win_rate")
    assert (found.value, found.low, found.high) == pytest.approx((0, 0, 0), abs=1e-12)


def test_a_cut_ends_in_order_and_an_empty_set_is_undefined():
    now = made_up_trades([True] * 70 + [False] * 30, weeks=20)
    start = made_up_trades([True] * 40 + [False] * 60, weeks=20, seed=2)
    found = rate_gain(now, start, kind="false_signal_cut")
    assert found.low < found.value < found.high < 1
    assert np.isnan(rate_gain(now, start.iloc[:0], kind="win_rate").value)
    assert np.isnan(rate_gain(now[now["profit_ratio"] > 0], start, kind="false_signal_cut").value)


def test_regimes_by_hand():
    trades = pd.concat(
        [made_up_trades([True, True, False], weeks=3), made_up_trades([False], weeks=1, seed=2, regime="volatile")]
    )
    found = regime_profit(trades).set_index("regime")
    assert found["n"].to_dict() == {"trending_bullish": 0, "trending_bearish": 0, "ranging": 3, "volatile": 1}
    assert found["total_r"]["ranging"] == pytest.approx(2 * 1.27 - 1.07)
    assert found["mean_r"]["volatile"] == pytest.approx(-1.07)
    assert np.isnan(found["mean_r"]["trending_bullish"])


# --- random policies ---


def test_every_policy_makes_as_many_signals_as_the_account():
    candidates = made_up_candidates(r=np.ones(52 * 40))
    trades = as_trades(candidates.sample(150, random_state=1))
    for null in ("mix", "sides"):
        found = draw_policies(trades, {"p": candidates}, null=null, policies=30, seed=1, at=AT)
        assert (found.weekly_r.sum(axis=1) == 150).all()
        assert found.percentile.value == 50
        per_week = found.own_r
        assert (found.weekly_r == per_week).all()


def test_a_policy_given_the_accounts_sides_makes_as_many_shorts():
    candidates = made_up_candidates()
    candidates["r_multiple"] = np.where(candidates["is_short"], 1.0, 0.0)
    trades = as_trades(candidates.sample(120, random_state=2))
    sides = draw_policies(trades, {"p": candidates}, null="sides", policies=30, seed=1, at=AT)
    mix = draw_policies(trades, {"p": candidates}, null="mix", policies=30, seed=1, at=AT)
    shorts = trades["is_short"].sum()
    assert (sides.weekly_r == sides.own_r).all()
    assert (mix.weekly_r.sum(axis=1) == shorts).all()  # over the whole history, not in each week
    assert not (mix.weekly_r == mix.own_r).all()


def test_no_candidate_is_drawn_twice_by_one_policy():
    candidates = made_up_candidates(weeks=1, each=12)
    trades = as_trades(candidates)
    found = draw_policies(trades, {"p": candidates}, null="sides", policies=40, seed=1, at=AT)
    assert found.weekly_r[:, 0] == pytest.approx(np.full(40, candidates["r_multiple"].sum()))


def test_an_account_that_is_random_itself_lies_anywhere():
    candidates = made_up_candidates()
    percentiles = []
    for seed in range(24):
        trades = as_trades(candidates.sample(100, random_state=seed))
        found = draw_policies(trades, {"p": candidates}, null="mix", policies=100, seed=seed, at=AT)
        percentiles.append(found.percentile.value)
    assert np.mean(percentiles) == pytest.approx(50, abs=15)
    assert np.mean(np.array(percentiles) >= 95) <= 0.15


def test_an_account_that_knows_is_above_the_95th():
    candidates = made_up_candidates()
    rng = np.random.default_rng(6)
    wise = candidates.sort_values("r_multiple", ascending=False).head(1200).sample(150, random_state=rng.integers(9))
    found = draw_policies(as_trades(wise), {"p": candidates}, null="sides", policies=200, seed=1, at=AT)
    assert found.percentile.low > 95
    assert verdict(found.percentile, goal=95) == "met"


def test_draws_are_the_same_for_the_same_seed_and_know_nothing_of_later_outcomes():
    candidates = made_up_candidates(weeks=20)
    trades = as_trades(candidates[candidates["known_at"] < MONDAYS[10]].sample(60, random_state=3))
    at = pd.Timestamp(MONDAYS[10], tz="UTC")
    poisoned = candidates.assign(r_multiple=candidates["r_multiple"].where(candidates["known_at"] <= at, 1e6))
    first, again, third = (
        draw_policies(trades, {"p": frame}, null="mix", policies=50, seed=4, at=at)
        for frame in (candidates, candidates, poisoned)
    )
    assert np.array_equal(first.weekly_r, again.weekly_r)
    assert np.array_equal(first.weekly_r, third.weekly_r)
    other = draw_policies(trades, {"p": candidates}, null="mix", policies=50, seed=5, at=at)
    assert not np.array_equal(first.weekly_r, other.weekly_r)


def test_without_a_signal_there_is_no_percentile():
    candidates = made_up_candidates(weeks=3)
    found = draw_policies(as_trades(candidates.iloc[:0]), {"p": candidates}, null="mix", policies=20, seed=1, at=AT)
    assert np.isnan(found.percentile.value)
    assert found.n == 0
