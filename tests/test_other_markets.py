"""Markets that are not hourly crypto: other timeframes, no volume, sessions, members that come and go, many pairs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from edgebook.bars.bars import COLUMNS, check_bars, resample, utc
from edgebook.bars.membership import members_only
from edgebook.bars.sessions import Sessions, days_per_year, sessions_of
from edgebook.errors import DataError, SettingsError, WeekError
from edgebook.indicators import compute_indicators, family
from edgebook.indicators.market import of_leader, of_others, rank_among
from edgebook.outcomes.candidates import label_candidates
from edgebook.patterns import find_patterns
from edgebook.policy.market import build_market, milliseconds
from edgebook.policy.plan_outcomes import codes_of
from edgebook.settings.exit_plans import Costs, ExitPlan
from edgebook.settings.timeframes import TIMEFRAMES
from edgebook.settings.universe import check_universe, declared_universe
from edgebook.sources.sources import bars_table
from edgebook.summary.summary_state import sleeping_heads


def walk(pair: str, timeframe: str, *, n: int, seed: int, start: str = "2019-01-07") -> pd.DataFrame:
    """Bars without a gap, with volume."""
    rng = np.random.default_rng(seed)
    length = pd.Timedelta(minutes=TIMEFRAMES[timeframe])
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.003, n)))
    opened = np.r_[100.0, close[:-1]]
    around = np.sort(np.column_stack([opened, close]), axis=1)
    return pd.DataFrame(
        {
            "pair": pair,
            "timeframe": timeframe,
            "date": (pd.date_range(start, periods=n, freq=length, tz="UTC") + length).as_unit("ms"),
            "open": opened,
            "high": around[:, 1] * 1.001,
            "low": around[:, 0] * 0.999,
            "close": close,
            "volume": rng.lognormal(3, 1, n),
        }
    )[COLUMNS].astype({"pair": "str", "timeframe": "str"})


def indicators(bars: pd.DataFrame) -> pd.DataFrame:
    return compute_indicators(bars, find_patterns(bars))[0]


def test_every_timeframe_has_indicators_alone_and_beside_a_coarser_one():
    for timeframe, minutes in TIMEFRAMES.items():
        bars = walk("AAA/USD", timeframe, n=250, seed=minutes)
        alone = indicators(bars).iloc[-1]
        assert alone[["higher_timeframe_trend", "hour_sine"]].notna().all(), timeframe
        if timeframe == "15m":
            coarse = resample(bars, timeframe="4h", bar_minutes=minutes)
            both = pd.concat([bars, coarse]).sort_values(["pair", "timeframe", "date"], ignore_index=True)
            assert len(indicators(both)) == len(bars) + len(coarse)


def test_without_volume_what_is_made_of_it_abstains_and_the_summary_says_so():
    bars = walk("EUR/USD", "1h", n=300, seed=2).assign(volume=0.0)
    values, votes = compute_indicators(bars, find_patterns(bars))
    made = [*family("F"), "vwap_distance_24"]
    assert values[made].isna().all(axis=None) and (votes[made] == 0).all(axis=None)
    assert values.drop(columns=made).iloc[-1, 3:].notna().sum() >= 55
    assert sleeping_heads(values) == ["Head F (Volume flow) sleeps: the bars have no volume."]
    assert sleeping_heads(indicators(walk("EUR/USD", "1h", n=300, seed=2))) == []


def test_volume_that_begins_later_changes_nothing_before():
    bars = walk("AAA/USD", "1h", n=300, seed=3)
    late = bars.assign(volume=bars["volume"].where(bars.index >= 200, 0.0))
    values = indicators(late)[list(family("F"))]
    assert values.iloc[:200].isna().all(axis=None) and values.iloc[-1].notna().all()


def test_a_pair_that_joins_later_does_not_change_the_past_of_the_others():
    old = [walk(pair, "1h", n=400, seed=k) for k, pair in enumerate(["BBB/USD", "CCC/USD"])]
    new = walk("AAA/USD", "1h", n=100, seed=9, start="2019-01-19 12:00")
    before, after = pd.concat(old, ignore_index=True), pd.concat([new, *old], ignore_index=True)
    joined = new["date"].iloc[0]
    columns = ["pair", "timeframe", "date"]
    first, second = indicators(before), indicators(after)
    second = second[second["pair"] != "AAA/USD"].reset_index(drop=True)
    known = (first["date"] < joined).to_numpy()
    pd.testing.assert_frame_equal(first[known], second[known])
    assert not first[~known].equals(second[~known])  # from then on the market around them is another
    prints = []
    for bars in (before, after):
        regimes = bars[columns].assign(regime="ranging")
        values, votes = compute_indicators(bars, find_patterns(bars))
        market = build_market(bars, values, votes=votes, regimes=regimes, patterns=find_patterns(bars))
        prints.append(market.fingerprint(since=0, until=milliseconds(joined), before=""))
    assert prints[0] == prints[1]


def test_three_hundred_pairs_keep_their_names():
    names = tuple(f"P{k:03d}" for k in range(300))
    codes = codes_of(pd.Series(names), names)
    assert codes.tolist() == list(range(300))


def test_the_market_around_many_symbols_is_what_a_plain_loop_says():
    rng = np.random.default_rng(4)
    table = np.where(rng.random((40, 200)) < 0.2, np.nan, np.round(rng.normal(size=(40, 200)), 1))
    turnover = np.where(np.isnan(table), np.nan, rng.random((40, 200)))
    others, leader, ranks = of_others(table), of_leader(table, turnover), rank_among(table)
    for t, k in ((0, 0), (7, 199), (23, 50), (39, 120)):
        row, rest = table[t], np.delete(table[t], k)
        if np.isnan(row[k]):
            assert np.isnan([others[t, k], leader[t, k], ranks[t, k]]).all()
            continue
        assert others[t, k] == pytest.approx(np.nanmean(rest), abs=1e-12)
        assert leader[t, k] == rest[np.nanargmax(np.delete(turnover[t], k))]
        rank = ((rest < row[k]).sum() - (rest > row[k]).sum()) / (~np.isnan(rest)).sum()
        assert ranks[t, k] == pytest.approx(rank)
    assert np.isnan(of_leader(np.ones((1, 2)), np.zeros((1, 2)))).all()  # nobody knows who leads


def closes(first: str, last: str, *, at: str = "21:00", weekdays: range = range(5)) -> pd.DataFrame:
    days = pd.date_range(first, last, freq="D", tz="UTC")
    dates = days[days.day_of_week.isin(list(weekdays))] + pd.Timedelta(f"{at}:00")
    return pd.DataFrame({"timeframe": "1h", "date": dates.as_unit("ms")})


@pytest.mark.parametrize(
    ("last", "holidays", "told"),
    [
        ("2019-04-12 20:00", (), "2019-04-15 00:00"),  # a Friday
        ("2019-04-12 16:00", (), "2019-04-12 16:00"),  # its session goes on
        ("2019-04-11 20:00", (), "2019-04-11 20:00"),  # a Thursday
        ("2019-04-18 20:00", (), "2019-04-18 20:00"),  # before Good Friday: nobody said so
        ("2019-04-18 20:00", ("2019-04-19",), "2019-04-22 00:00"),
        ("2019-05-24 20:00", ("2019-05-27",), "2019-05-28 00:00"),  # a Monday off
    ],
)
def test_a_week_is_complete_after_its_last_session(last, holidays, told):
    days = closes("2019-01-07", last[:10], at="20:00")
    sessions = sessions_of(days, holidays=holidays)
    assert pd.Timestamp(sessions.told_until(milliseconds(last)), unit="ms") == pd.Timestamp(told)


def test_a_week_that_lacks_one_session_asks_whether_that_was_a_holiday():
    bars = closes("2019-01-07", "2019-04-18", at="20:00").assign(
        pair="X", open=1.0, high=1.0, low=1.0, close=1.0, volume=1.0
    )

    def says(last: str, *, as_of: str) -> str:
        with pytest.raises(WeekError) as error:
            bars_table([bars[bars["date"] <= last]], source="folder", timeframes=["1h"], as_of=as_of)
        return str(error.value).partition("; ")[2]

    asked = "choose an earlier week, or add data; if the market was closed on 2019-04-19, name it in bars.holidays"
    assert says("2019-04-18 21:00Z", as_of="2019-04-22") == asked
    for last, as_of in (("2019-04-17 21:00Z", "2019-04-22"), ("2019-04-18 21:00Z", "2019-04-29")):
        assert says(last, as_of=as_of) == "choose an earlier week, or add data", "many days are missing: no holiday"


def test_fx_is_not_complete_on_friday_and_its_year_has_sundays():
    hours = pd.date_range("2019-01-06 23:00", "2019-03-01 22:00", freq="h", tz="UTC")
    opened = hours - pd.Timedelta(hours=1)
    at = opened.day_of_week * 24 + opened.hour
    fx = pd.DataFrame({"timeframe": "1h", "date": hours[(at < 4 * 24 + 22) | (at >= 6 * 24 + 22)].as_unit("ms")})
    assert days_per_year(fx) == 313
    friday = milliseconds("2019-03-01 22:00")
    assert sessions_of(fx).told_until(friday) == friday
    assert days_per_year(closes("2019-01-07", "2019-03-01")) == 252
    assert days_per_year(closes("2019-01-07", "2019-03-01", weekdays=range(7))) == 365
    assert Sessions.of(()).told_until(friday) == friday


def test_the_last_bar_of_a_session_may_be_short_and_no_other():
    day = pd.Timestamp("2019-01-07", tz="UTC")
    stamps = [day + pd.Timedelta(hours=h) for h in (15.5, 16.5, 17.5, 18.0, 39.5, 40.5)]
    bars = walk("AAA", "1h", n=6, seed=5).assign(date=pd.DatetimeIndex(stamps).as_unit("ms"))
    check_bars(bars, source="session")
    with pytest.raises(DataError, match=r"row 2 .*closes less than a 1h bar"):
        wrong = [day + pd.Timedelta(minutes=30 * k) for k in range(1, 7)]
        check_bars(bars.assign(date=pd.DatetimeIndex(wrong).as_unit("ms")), source="half hours")


def test_a_stop_that_the_night_gaps_through_fills_at_the_next_open():
    hours = [pd.Timedelta(hours=h) for h in (15.5, 16.5, 17.5, 18.5, 19.5, 20.5, 21)]
    days = [pd.Timestamp(f"2019-01-{day:02}", tz="UTC") for day in (7, 8)]
    dates = pd.DatetimeIndex([day + hour for day in days for hour in hours]).as_unit("ms")
    level = np.where(np.arange(14) < 7, 100.0, 90.0)  # ten dollars lower overnight
    bars = walk("AAA", "1h", n=14, seed=7).assign(date=dates, open=level, high=level + 1, low=level - 1, close=level)
    plan = ExitPlan(2.0, 1.0, 24)
    rows = label_candidates(bars, [plan], costs=Costs(0.0, 0.0, 0.0), atr_bars=2)[plan.name]
    evening = rows[rows["date"] == dates[3]].set_index("is_short")  # decided at 18:30, entered at 100, range 2
    long, short = evening.loc[False], evening.loc[True]
    assert (long["stop_loss_abs"], long["close_rate"], long["exit_reason"]) == (98.0, 90.0, "stop_loss")
    assert long["r_multiple"] == pytest.approx(-5.0) and long["bars_held"] == 4  # bars, not hours of the night
    assert long["close_date"] == dates[7] == pd.Timestamp("2019-01-08 15:30", tz="UTC")
    assert (short["take_profit_abs"], short["close_rate"], short["exit_reason"]) == (96.0, 96.0, "take_profit")


def test_a_member_has_bars_from_the_day_it_joins_to_the_day_it_leaves(tmp_path):
    series = [walk(pair, "1d", n=20, seed=6) for pair in ("AAA", "BBB", "CCC")]
    spells = {"AAA": {}, "BBB": {"from": "2019-01-10", "to": "2019-01-12"}}
    universe = declared_universe(spells, file=None, root=tmp_path)
    kept = members_only(series, universe, source="folder")
    assert [bars["pair"].iloc[0] for bars in kept] == ["AAA", "BBB"] and len(kept[0]) == 20
    assert kept[1]["date"].tolist() == [utc(f"2019-01-{day}") for day in (11, 12, 13)]
    (tmp_path / "universe.csv").write_text("pair,from,to\nBBB,,2019-01-08\nBBB,2019-01-10,\n")
    twice = declared_universe({}, file="universe.csv", root=tmp_path)
    assert len(members_only(series, twice, source="folder")[0]) == 20 - 1
    with pytest.raises(DataError, match=r"bars\.universe: folder has no pair 'BBC'; did you mean BBB\?"):
        members_only(series, {"BBC": []}, source="folder")
    assert declared_universe({}, file=None, root=tmp_path) is None


@pytest.mark.parametrize(
    ("universe", "file", "holidays", "said"),
    [
        ({"A": {"from": "2019-02-01", "to": "2019-01-01"}}, None, (), "leaves 2019-01-01, before it joins 2019-02-01"),
        ({"A": {"since": "2019-02-01"}}, None, (), r"universe\.A\.since: no such setting; known are from, to"),
        ({"A": {"from": "soon"}}, None, (), "'soon' is not a date"),
        ({}, "../universe.csv", (), r"must be a file universe\.csv in data/raw"),
        ({}, None, ("Good Friday",), r"holidays\[0\]: 'Good Friday' is not a date"),
    ],
)
def test_what_is_declared_of_members_and_holidays_is_checked(universe, file, holidays, said):
    with pytest.raises(SettingsError, match=said):
        check_universe(universe, file=file, holidays=holidays, where="params.yaml: bars")
