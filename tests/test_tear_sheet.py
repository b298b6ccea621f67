"""The tear sheet: daily returns worked by hand, figures of five days, months, windows, words, pictures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebook.analyses import tear_sheet, tear_sheet_days
from edgebook.analyses.learning_curve import history_events
from edgebook.analyses.outcome_analysis import book_days
from edgebook.analyses.tear_sheet_days import (
    buy_and_hold,
    by_month,
    daily_returns,
    on_trading_days,
    rolling,
    trading_days,
)
from edgebook.figures import figures_tear_sheet
from edgebook.reports import tear_sheet_readings, tear_sheet_tables
from edgebook.seals.week import Week
from edgebook.settings.loading import load_params
from edgebook.statistics.drawdowns import drawdown, redrawn
from edgebook.statistics.metrics import book_metrics

NO_EVENTS = pd.DataFrame(columns=["week", "kind", "recipe", "text", "change"])
YEAR = 365.0


def days(values, *, start="2018-04-02", columns=("account",)) -> pd.DataFrame:
    index = pd.date_range(start, periods=len(values), freq="D", tz="UTC")
    return pd.DataFrame(np.asarray(values, dtype=float).reshape(len(values), -1), index=index, columns=list(columns))


def bars_of(closes: dict[str, dict[str, float]]) -> pd.DataFrame:
    """pair -> {close time: price}."""
    rows = [
        (pair, "1d", pd.Timestamp(at, tz="UTC"), price) for pair, one in closes.items() for at, price in one.items()
    ]
    return pd.DataFrame(rows, columns=["pair", "timeframe", "date", "close"])


@pytest.fixture(scope="module")
def week(small) -> Week:
    return Week(load_params(small.params).run, small)


def random_days(count: int, *, seed: int = 5, columns=("account", "frozen", "buy_and_hold")) -> pd.DataFrame:
    return days(np.random.default_rng(seed).normal(0.001, 0.02, (count, len(columns))), columns=columns)


# --- daily returns


def test_buying_and_holding_by_hand():
    """A doubles and stays, B falls by a half and comes back; half the money in each, 1 % lost at the purchase."""
    bars = bars_of(
        {
            "A": {"2018-04-02": 10, "2018-04-03": 20, "2018-04-04": 20},
            "B": {"2018-04-02": 8, "2018-04-03": 4, "2018-04-04": 8},
        }
    )
    at = pd.date_range("2018-04-02", periods=2, freq="D", tz="UTC")
    found = buy_and_hold(bars, days=at, side_cost=0.01)
    first = (2 + 0.5) / 2 / 1.01
    assert found.tolist() == pytest.approx([first - 1, (2 + 1) / 2 / 1.01 / first - 1])


def test_a_pair_that_is_listed_later_is_not_bought_and_one_that_stops_keeps_its_last_price():
    bars = bars_of(
        {
            "A": {"2018-04-02": 10, "2018-04-03": 11},
            "late": {"2018-04-03": 5, "2018-04-04": 50},
        }
    )
    at = pd.date_range("2018-04-02", periods=2, freq="D", tz="UTC")
    assert buy_and_hold(bars, days=at, side_cost=0.0).tolist() == pytest.approx([0.1, 0.0])
    early = pd.date_range("2018-03-20", periods=3, freq="D", tz="UTC")
    assert buy_and_hold(bars, days=early, side_cost=0.01).tolist() == [0, 0, 0]


def test_a_day_holds_what_was_known_at_its_end(week):
    """Disturb every close after one midnight: the days before it stay, the day after it moves."""
    at = pd.DatetimeIndex(daily_returns(week).index)
    cut = at[20] + pd.Timedelta("1D")
    before = buy_and_hold(week.bars, days=at, side_cost=0.001)
    later = week.bars["date"] > cut
    moved = week.bars.assign(close=week.bars["close"].where(~later, week.bars["close"] * 1.1))
    after = buy_and_hold(moved, days=at, side_cost=0.001)
    assert (before.iloc[:21] == after.iloc[:21]).all()
    assert after.iloc[21] == pytest.approx((1 + before.iloc[21]) * 1.1 - 1)


def test_the_account_is_the_accounts_own_days_whoever_was_champion(week):
    found = daily_returns(week)
    account = week.days[week.days["arm"] == "account"].set_index("date")["return_ratio"]
    assert found["account"].tolist() == account.round(9).tolist()
    assert list(found.columns) == ["account", "frozen", "buy_and_hold"]
    assert found["frozen"].tolist() == week.days[week.days["arm"] == "r2"]["return_ratio"].round(9).tolist()
    assert len(found) == 7 * (len(week.weeks) - 1)


def test_days_without_trading_go_into_the_next_that_has_some():
    """Friday to Tuesday, shut at the weekend; what a book made on Saturday is in Monday's return."""
    returns = days([0.01, 0.02, 0.0, 0.03, -0.01], start="2018-04-06")
    bars = bars_of({"A": {"2018-04-06 21:00": 1, "2018-04-09 21:00": 1, "2018-04-11": 1}})
    found = on_trading_days(returns, traded=trading_days(bars))
    assert [f"{day:%a}" for day in found.index] == ["Fri", "Mon", "Tue"]
    assert found["account"].tolist() == pytest.approx([0.01, 1.02 * 1.03 - 1, -0.01])
    assert on_trading_days(returns, traded=pd.DatetimeIndex(returns.index)) is returns


def test_a_bar_that_closes_at_midnight_belongs_to_the_day_that_it_ends():
    assert trading_days(bars_of({"A": {"2018-04-03": 1, "2018-04-03 04:00": 1}})).strftime("%d").tolist() == [
        "02",
        "03",
    ]


# --- months and windows


def test_months_by_hand():
    returns = days([0.1, -0.5, 0.2, 0.0], start="2018-04-29")
    found = by_month(returns)
    assert found["month"].dt.strftime("%Y-%m").tolist() == ["2018-04", "2018-05"]
    assert found["days"].tolist() == [2, 2]
    assert found["account"].tolist() == pytest.approx([1.1 * 0.5 - 1, 0.2])
    assert found["whole"].tolist() == [False, False]


def test_a_month_is_whole_when_all_its_days_are_there():
    assert by_month(random_days(61, columns=("account",)).set_axis(pd.date_range("2018-04-01", periods=61, tz="UTC")))[
        "whole"
    ].tolist() == [True, True]
    sessions = pd.bdate_range("2018-09-03", "2018-10-31", tz="UTC")  # Monday the third: the exchange was shut before
    found = by_month(pd.DataFrame({"account": 0.001}, index=sessions))
    assert found["whole"].tolist() == [True, True]


@given(st.lists(st.floats(-0.2, 0.2), min_size=1, max_size=120))
def test_months_compound_to_the_whole(values):
    returns = days(values)
    assert np.prod(1 + by_month(returns)["account"]) == pytest.approx(np.prod(1 + returns["account"]), rel=1e-6)


def test_a_window_looks_back_only_and_is_empty_before_it_is_full():
    returns = random_days(120)
    found = rolling(returns, periods_per_year=YEAR)
    assert found.index[0] == returns.index[90]
    assert len(found) == 30
    own = returns["account"].to_numpy()[20:111]
    row = found.iloc[20]
    assert row["sharpe_account"] == pytest.approx(own.mean() / own.std(ddof=1) * np.sqrt(365), abs=1e-6)
    assert row["volatility_account"] == pytest.approx(own.std(ddof=1) * np.sqrt(365), abs=1e-6)
    assert row["sharpe_low"] < row["sharpe_account"] < row["sharpe_high"]
    pd.testing.assert_frame_equal(rolling(returns.iloc[:110], periods_per_year=YEAR), found.iloc[:20], check_freq=False)
    assert rolling(returns.iloc[:90], periods_per_year=YEAR).empty


# --- figures


def test_figures_of_five_days_by_hand():
    found = tear_sheet.book_figures(days([0.1, -0.1, 0.0, 0.05, -0.02])["account"], periods_per_year=YEAR)
    value = found.set_index("metric")["value"]
    total = 1.1 * 0.9 * 1.05 * 0.98
    assert value["total_return"] == pytest.approx(total - 1, abs=1e-6)
    assert value["annualised_return"] == pytest.approx(total ** (365 / 5) - 1, abs=1e-6)
    assert value["win_days"] == 0.5  # two of the four that moved
    assert value["days_moved"] == 0.8
    assert (value["best_day"], value["worst_day"]) == (0.1, -0.1)
    assert value["longest_drawdown"] == 4  # never back at 1.1
    assert value["max_drawdown"] == 0.1
    assert value["value_at_risk"] == pytest.approx(-0.1 + 0.2 * 0.08)  # a fifth of the way from the worst to the next
    assert value["conditional_value_at_risk"] == -0.1
    assert list(value.index) == list(tear_sheet.SHEET)
    assert found.set_index("metric")["low"].isna().sum() == len(found) - 2  # only Sharpe and Sortino, at five days


def test_a_sheet_holds_the_numbers_of_the_outcome_report(week):
    found = tear_sheet.sheet(daily_returns(week), periods_per_year=YEAR).set_index("metric")
    daily = book_days(week.days, arm="account")
    expected = book_metrics(daily, periods_per_year=YEAR).set_index("metric")
    for end in ("value", "low", "high", "n"):
        assert found.loc[expected.index, end].tolist() == pytest.approx(expected[end].tolist(), abs=2e-6), end


def test_redraws_are_those_of_the_drawdowns():
    values = random_days(60)["account"].to_numpy()
    rows = tear_sheet.redraw(60, seed=3)
    deepest, _ = redrawn(values, periods_per_year=YEAR, seed=3)
    assert (drawdown(np.cumprod(1 + values[rows], axis=0)).max(axis=0) == deepest).all()
    assert tear_sheet.redraw(19, seed=3).shape == (19, 0)


def test_beta_alpha_and_correlation_of_a_mixture_are_its_parts():
    market = np.random.default_rng(7).normal(0.0, 0.03, 400)
    noise = np.random.default_rng(8).normal(0.0, 0.01, 400)
    returns = days(np.column_stack([0.0004 + 0.5 * market + noise, market]), columns=("account", "buy_and_hold"))
    found = tear_sheet.against(returns, periods_per_year=YEAR).set_index("metric")
    assert found["low"]["beta"] < 0.5 < found["high"]["beta"]
    assert found["low"]["alpha"] < 0.0004 * 365 < found["high"]["alpha"]
    assert found["value"]["correlation"] == pytest.approx(np.corrcoef(returns.T.to_numpy())[0, 1], abs=1e-6)
    assert found["high"]["beta"] - found["low"]["beta"] < 0.12


def test_moments_are_those_of_pandas():
    values = random_days(50)["account"]
    skew, kurtosis = tear_sheet.moments(values.to_numpy()[:, None])
    assert skew[0] == pytest.approx(values.skew())
    assert kurtosis[0] == pytest.approx(values.kurt())


def test_a_book_that_never_moved_has_no_ratio_and_says_so():
    still = days(np.zeros((40, 2)), columns=("account", "buy_and_hold"))
    found = tear_sheet.sheet(still, periods_per_year=YEAR).set_index("metric")
    assert found["value"][["sharpe_ratio", "sortino_ratio", "calmar_ratio", "skew", "win_days"]].isna().all()
    assert found["value"][["total_return", "volatility", "longest_drawdown"]].tolist() == [0, 0, 0]
    against = tear_sheet.against(still, periods_per_year=YEAR)
    assert against["value"].isna().all()
    said = tear_sheet_readings.conclusion(found.reset_index(), against)
    assert said.text.startswith("The account has not moved yet")
    assert "nothing to put on a yearly scale" in tear_sheet_readings.sheet_reading(found.reset_index()).text
    assert "Too few days to say" in tear_sheet_readings.against_reading(against).text
    assert "n/a" in repr(tear_sheet_tables.sheet_table(found.reset_index(), periods_per_year=YEAR))
    assert figures_tear_sheet.distribution_picture(still, found.reset_index()).words.endswith("moved the equity.")


@settings(max_examples=30)
@given(st.lists(st.floats(-0.3, 0.3), min_size=1, max_size=60), st.integers(0, 5))
def test_any_days_make_a_sheet(values, flat):
    returns = days(np.column_stack([values, np.roll(values, flat)]), columns=("account", "buy_and_hold"))
    found = tear_sheet.sheet(returns, periods_per_year=YEAR)
    against = tear_sheet.against(returns, periods_per_year=YEAR)
    value = found.set_index("metric")["value"]
    assert value["worst_day"] <= value["conditional_value_at_risk"] + 1e-6
    assert value["conditional_value_at_risk"] <= value["value_at_risk"] + 1e-6 <= value["best_day"] + 2e-6
    correlation = against.set_index("metric")["value"]["correlation"]
    assert np.isnan(correlation) or abs(correlation) <= 1
    assert tear_sheet_readings.conclusion(found, against).kind == "conclusion"


# --- words and pictures


def test_words_follow_the_interval():
    for shift, words in ((0.02, "made money"), (-0.02, "lost money"), (0.0, "do not tell")):
        returns = random_days(200) - 0.001 + shift
        found = tear_sheet.sheet(returns, periods_per_year=YEAR)
        said = tear_sheet_readings.conclusion(found, tear_sheet.against(returns, periods_per_year=YEAR)).text
        assert words in said.splitlines()[0]


def test_every_table_and_reading_of_a_real_week(week):
    returns, events = daily_returns(week), history_events(week.heads)
    found, against = (make(returns, periods_per_year=YEAR) for make in (tear_sheet.sheet, tear_sheet.against))
    daily, months = book_days(week.days, arm="account"), by_month(returns)
    assert "In force: r1@" in tear_sheet_readings.days_reading(week, returns, events=events).text
    total = found.set_index("metric")["value"]["total_return"]
    assert f"{abs(total) * 100:.1f} %" in tear_sheet_readings.growth_reading(found).text
    assert f"of {len(months)} months gained" in tear_sheet_readings.months_reading(months).text
    assert len(tear_sheet_tables.drawdowns_table(daily).plain.splitlines()) <= 3 + 5
    assert len(tear_sheet_tables.conventions_table(found, against).plain.splitlines()) == 3 + 19 + 3
    assert "Vol" not in tear_sheet_tables.months_table(months).plain
    short = tear_sheet_days.rolling(returns, periods_per_year=YEAR)
    assert "nothing is drawn yet" in tear_sheet_readings.rolling_reading(
        short, days=len(returns), periods_per_year=YEAR
    ).text  # fmt: skip


def test_a_drawdown_that_lasts_is_told():
    daily = days([0.1, -0.2, 0.05]).rename_axis("date").reset_index().rename(columns={"account": "return_ratio"})
    daily["drawdown"] = np.round(drawdown(np.cumprod(1 + daily["return_ratio"].to_numpy())), 6)
    said = tear_sheet_readings.drawdowns_reading(daily).text
    assert "below its highest equity since 2018-04-03, by 16.0 % at the end" in said


def test_the_same_picture_twice_and_numbers_that_are_drawn():
    returns = random_days(200)
    found, months = tear_sheet.sheet(returns, periods_per_year=YEAR), by_month(returns)
    looks = rolling(returns, periods_per_year=YEAR)

    def pictures():
        return [
            figures_tear_sheet.growth_picture(returns, events=NO_EVENTS),
            figures_tear_sheet.months_picture(months),
            figures_tear_sheet.distribution_picture(returns, found),
            figures_tear_sheet.rolling_picture(looks, periods_per_year=YEAR),
        ]

    first = pictures()
    assert [one.svg for one in pictures()] == [one.svg for one in first]
    value = months["account"].iloc[1]
    assert f"{value * 100:+.1f}".replace("-", "−") in first[1].svg
    assert "buy and hold" in first[0].svg
    assert all(len(one.svg) < 60_000 for one in first)
