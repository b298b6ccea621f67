"""The champion in live use: what it says of the newest bar is what the tables say, from the last bars alone."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edgebook
from edgebook.bars.synthetic import make_market
from edgebook.errors import DataError, SealError
from edgebook.indicators import compute_indicators
from edgebook.outcomes.desk_columns import joined_columns, with_patterns
from edgebook.outcomes.recorded_columns import given_columns
from edgebook.patterns import find_patterns
from edgebook.policy.market import Market, build_market, milliseconds
from edgebook.policy.market_tags import latest_tags
from edgebook.regimes.newest_regime import newest_regime
from edgebook.regimes.regime_hmm import hmm_settings, segment_hmm
from edgebook.regimes.regimes import REGIMES, segment
from edgebook.running import live_bars
from edgebook.running.live_bars import extended, newest_market, windows_of
from edgebook.running.live_columns import newest_columns, with_newest
from edgebook.running.snapshot import signals_now
from edgebook.settings.desk_section import Desk
from edgebook.settings.loading import load_params
from edgebook.settings.params import AbTest, Pin
from small_market import GENESIS, LAST

RULE = {
    "trend_bars": 72, "trend_z_enter": 1.0, "trend_z_exit": 0.4, "volatility_bars": 48, "volatility_window_bars": 600,
    "volatility_enter": 0.9, "volatility_exit": 0.75, "min_bars": 12,
}  # fmt: skip
LENGTH = live_bars.WINDOW_BARS + 500


@cache
def long_market() -> tuple[pd.DataFrame, Market]:
    """Nineteen weeks of hourly bars, more than a window holds, and their tables."""
    bars = make_market(kind="no_edge", pairs=3, weeks=19, seed=3, timeframes=("1h", "4h")).bars
    patterns = find_patterns(bars)
    values, votes = compute_indicators(bars, patterns)
    regimes = segment(bars, **RULE)
    return bars, build_market(bars, values, votes=votes, regimes=regimes, patterns=patterns)


def differing(end: pd.Timestamp, *, loaded_hours_before: int) -> list[str]:
    """What the newest bars at a time differ in from the tables: nothing, it is hoped."""
    bars, whole = long_market()
    loaded = end - pd.Timedelta(hours=loaded_hours_before)
    known = windows_of(bars[bars["date"] <= loaded], length_bars=LENGTH)
    windows = extended(known, bars[(bars["date"] > loaded) & (bars["date"] <= end)], length_bars=LENGTH)
    market, rows = newest_market(windows, list(windows), regimes=RULE)
    wrong = []
    for (pair, timeframe), row in rows.items():
        there = whole.row(pair, timeframe, date=int(market.date[row]))
        for name in ("values", "votes"):
            mine, theirs = getattr(market, name)[row], getattr(whole, name)[there]
            odd = ~((mine == theirs) | (np.isnan(mine) & np.isnan(theirs)))
            wrong += [f"{pair} {timeframe} {whole.indicators[k]}" for k in np.flatnonzero(odd)]
        if market.regime[row] != whole.regime[there]:
            wrong.append(f"{pair} {timeframe} regime")
        said = [market.tag_names[code] for code in market.tag[row]]
        if said != [whole.tag_names[code] for code in whole.tag[there]]:
            wrong.append(f"{pair} {timeframe} pattern")
        assert market.close[row] == whole.close[there]
    return wrong


@pytest.mark.parametrize("hours", [1, 5, 167])
@pytest.mark.parametrize("end", ["2017-12-31 00:00", "2018-01-25 13:00", "2018-02-10 08:00"])
def test_the_newest_bar_has_the_numbers_of_the_tables(end, hours):
    first = long_market()[0]["date"].iloc[0]
    end = first + (pd.Timestamp(end) - pd.Timestamp("2017-10-01"))
    assert differing(end, loaded_hours_before=hours) == []


def test_a_window_that_is_too_short_would_be_noticed(monkeypatch):
    monkeypatch.setattr(live_bars, "WINDOW_BARS", 300)
    end = long_market()[0]["date"].iloc[0] + pd.Timedelta(days=116)
    assert len(differing(end, loaded_hours_before=5)) > 5


@pytest.mark.parametrize("seed", range(4))
def test_a_desks_patterns_tag_the_newest_bar_as_they_tag_it_in_the_tables(seed):
    """Of the bar itself and of the two before it, known in time and a minute late, beside ours and instead of them."""
    rng = np.random.default_rng(seed)
    whole, _ = long_market()
    bars = whole[whole["date"] <= whole["date"].iloc[0] + pd.Timedelta(days=100, hours=int(rng.integers(24)))]
    desk = Desk(patterns="mine")
    told = bars.groupby(["pair", "timeframe"]).tail(8)[["pair", "timeframe", "date"]]
    said = ["", "+alpha", "-zulu", "+alpha -beta", "+zulu -alpha"]
    told = told.assign(
        mine=rng.choice(said, len(told), p=[0.6, 0.1, 0.1, 0.1, 0.1]),
        known_at=told["date"] + pd.to_timedelta(rng.integers(0, 2, len(told)), unit="min"),
    )
    there = joined_columns(bars.reset_index(drop=True), desk, given_columns(told, desk, units={}))
    tags, names = latest_tags(bars, with_patterns(find_patterns(bars), there))
    windows = windows_of(bars, length_bars=LENGTH)
    found, rows = newest_columns(told, windows=windows, asked=list(windows), desk=desk, units={})
    market, order = newest_market(windows, list(windows), regimes=RULE, patterns=found.patterns)
    assert with_newest(market, found, rows=rows).values.shape == market.values.shape
    last = bars.reset_index(drop=True).groupby(["pair", "timeframe"]).indices
    table = {key: [names[code] for code in tags[last[key][-1]]] for key in order}
    assert {key: [market.tag_names[code] for code in market.tag[row]] for key, row in order.items()} == table
    assert any(name.startswith("desk_") for both in table.values() for name in both)


def test_the_models_regime_of_the_newest_bar_is_that_of_the_tables():
    bars, _ = long_market()
    settings = RULE | {"hmm_window_bars": 600, "hmm_refit_weeks": 1, "hmm_switch_margin": 0.1}
    table = segment_hmm(bars, **hmm_settings(settings))
    end = bars["date"].iloc[0] + pd.Timedelta(days=117, hours=5)
    windows = windows_of(bars[bars["date"] <= end], length_bars=LENGTH)
    market, rows = newest_market(windows, list(windows), regimes=settings, labels=["hmm"])
    assert len(rows) == 6
    for (pair, timeframe), row in rows.items():
        mine = (table["pair"] == pair) & (table["timeframe"] == timeframe) & (table["date"] <= end)
        assert REGIMES[market.labelled("hmm").regime[row]] == table.loc[mine, "regime"].iloc[-1]


@given(seed=st.integers(0, 10_000), n=st.integers(30, 260), before=st.integers(0, 200))
def test_a_regime_from_a_window_is_that_of_all_bars_or_none(seed, n, before):
    settings = RULE | {"trend_bars": 8, "volatility_bars": 6, "volatility_window_bars": 40, "min_bars": 4}
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01 * (1 + (np.arange(n + before) // 50) % 3))))
    dates = pd.date_range("2019-01-07", periods=n + before, freq="h", tz="UTC").as_unit("ms")
    bars = pd.DataFrame({"pair": "X", "timeframe": "1h", "date": dates, "close": close})
    truth = segment(bars, **settings)["regime"].iloc[-1]
    found = newest_regime(close[before:], whole=before == 0, **settings)
    assert found is None or REGIMES[found] == truth
    assert found is not None or before > 0
    if n >= 200:
        assert found is not None, "a window of that length has forgotten what lay before"


# --- the public names


@pytest.fixture(scope="module")
def champion(small) -> edgebook.Champion:
    return edgebook.load_champion(str(small.root))


def test_loaded_once_it_says_what_the_command_says(champion, small):
    _, said = signals_now(load_params(small.params), small)
    assert champion.version == f"r1@{LAST}"
    assert champion.signals() == said
    assert champion.signals(pair="S02/USD") == [row for row in said if row["pair"] == "S02/USD"]


def test_fed_bar_by_bar_it_says_what_the_tables_say_later(champion, small):
    from edgebook.files import tables
    from edgebook.policy.market import load_market
    from edgebook.running.live import newest_signals

    bars, market = tables.read(small.bars), load_market(small)
    end = pd.Timestamp("2018-05-30 16:00", tz="UTC")
    fresh = bars[(bars["date"] > pd.Timestamp("2018-05-20", tz="UTC")) & (bars["date"] <= end)]
    rows = champion.signals(fresh, pair="S01/USD", equity=10_000.0)
    assert [row["timeframe"] for row in rows] == ["1d", "4h"]
    for row in rows:
        there = market.row("S01/USD", row["timeframe"], date=milliseconds(row["date"]))
        (later,) = newest_signals(
            champion.policy, market, rows=np.array([there]), atr=np.ones(1), sizing=champion.params.sizing, equity=1e4
        )
        apart = ("as_of", "is_signal", "stop_loss_abs", "take_profit_abs", "stake", "units", "act", "ab_test_version")
        assert {k: v for k, v in row.items() if k not in apart} == {k: v for k, v in later.items() if k not in apart}
        assert row["as_of"] == "2018-05-30T16:00:00Z"


def test_asking_changes_nothing(champion, small):
    from edgebook.files import tables

    bars = tables.read(small.bars)
    fresh = bars[bars["date"] > pd.Timestamp("2018-06-01", tz="UTC")]
    before = fresh.copy()
    with pytest.raises(DataError, match=r"the tables end at 2018-05-28 00:00 and the bars given begin at 2018-06-0"):
        champion.signals(fresh)
    whole = bars[bars["date"] > pd.Timestamp(LAST, tz="UTC")]
    first = champion.signals(whole.sample(frac=1, random_state=1))
    assert champion.signals(whole) == first
    assert champion.signals()[0]["date"] == f"{LAST}T00:00:00Z"
    pd.testing.assert_frame_equal(fresh, before)


def test_a_bar_that_breaks_the_contract_is_one_line(champion, small):
    from edgebook.files import tables

    bars = tables.read(small.bars)
    fresh = bars[bars["date"] > pd.Timestamp(LAST, tz="UTC")].head(3)
    with pytest.raises(DataError, match="column 'volume' is missing"):
        champion.signals(fresh.drop(columns="volume"))
    with pytest.raises(DataError, match=r"row 2 .*: high .* is below"):
        champion.signals(fresh.assign(high=[*fresh["high"][:1], 0.001, *fresh["high"][2:]]))
    with pytest.raises(DataError, match=r"none of DOGE; the champion knows S01/USD, S02/USD"):
        champion.signals(pair="DOGE")


def test_without_the_past_of_a_series_the_regime_is_not_guessed():
    bars, _ = long_market()
    own = bars[(bars["pair"] == bars["pair"].iloc[0]) & (bars["timeframe"] == "1h")].iloc[-400:]
    windows = {key: replace(one, whole=False) for key, one in windows_of(own, length_bars=LENGTH).items()}
    with pytest.raises(DataError, match="400 bars do not tell the regime of the newest one"):
        newest_market(windows, list(windows), regimes=RULE)


def test_a_pin_is_in_force_and_routing_is_recorded(champion, small):
    week = edgebook.open_week(
        {"history": "main", "as_of": LAST, "previous": "2018-05-21", "genesis": GENESIS}, root=str(small.root)
    )
    from edgebook.running.live import policies_in_force

    assert {row["ab_test_version"] for row in champion.signals()} <= {"", "paired:r1"}
    other = replace(champion, params=replace(champion.params, ab_test=AbTest(routing="randomised")))
    assert {row["ab_test_version"] for row in other.signals()} <= {"", "A:r1", "B:r3"}
    pin = Pin(week="2018-06-04", version="r2", reason="")
    assert [one and one.version for one in policies_in_force(week, pins=[pin])] == [f"r2@{GENESIS}", None]


def test_an_unknown_history_or_name_is_told(small):
    with pytest.raises(SealError, match="models/what_if: no week is sealed yet"):
        edgebook.load_champion(str(small.root), history="what_if")
    with pytest.raises(AttributeError, match="no attribute 'champion_of'; it has Champion, load_champion, open_week"):
        _ = edgebook.champion_of
