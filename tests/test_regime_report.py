"""Numbers of the regime report: small markets by hand, known truths, and the words at the edges."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from edgebook.analyses import regime_performance, regime_report, regime_truth
from edgebook.errors import DataError, SettingsError
from edgebook.files import tables
from edgebook.paths import Paths
from edgebook.regimes.regimes import REGIMES, segment
from edgebook.reports import regime_pictures, regime_readings, regime_tables
from edgebook.seals.before_seal import middle_plan
from edgebook.seals.week import Week
from edgebook.settings.params import Run

RULE: dict[str, Any] = {
    "trend_bars": 72, "trend_z_enter": 1.0, "trend_z_exit": 0.2, "volatility_bars": 24, "volatility_window_bars": 1440,
    "volatility_enter": 0.9, "volatility_exit": 0.7, "min_bars": 12,
}  # fmt: skip
B, S, R, V = REGIMES


def labelled(*series: list[str], timeframe: str = "1h") -> pd.DataFrame:
    """Given regimes, one list a pair, from Monday 2019-01-07 01:00."""
    parts = []
    for number, own in enumerate(series):
        dates = pd.date_range("2019-01-07 01:00", periods=len(own), freq="h", tz="UTC").as_unit("ms")
        frame = pd.DataFrame({"pair": "ABC"[number], "timeframe": timeframe, "date": dates, "regime": own})
        parts.append(frame.assign(trend_z=np.float32(0.5), volatility_quantile=np.float32(0.5)))
    return pd.concat(parts, ignore_index=True)


def test_spells_by_hand() -> None:
    found = regime_report.spells(labelled([R, R, B, B, B, R, V], [B, B]))
    assert found["pair"].tolist() == ["A", "A", "A", "A", "B"]
    assert found["regime"].tolist() == [R, B, R, V, B]
    assert found["bars"].tolist() == [2, 3, 1, 1, 2]
    assert found["complete"].tolist() == [False, True, True, False, False]
    assert found["following"].tolist() == [B, R, V, "", ""]
    assert found["since"].iloc[1] == pd.Timestamp("2019-01-07 03:00", tz="UTC")


def test_the_regime_now_is_the_last_spell_of_every_series() -> None:
    now = regime_report.regimes_now(labelled([R, R, B, B], [B, V]))
    assert now[["pair", "regime", "bars"]].values.tolist() == [["A", B, 2], ["B", V, 1]]
    assert "1 trending bullish" in regime_readings.now_reading(now).text


def test_a_series_that_has_ended_has_no_regime_now() -> None:
    delisted = labelled([R] * 200, [B, V])
    now = regime_report.regimes_now(delisted)
    assert now["pair"].tolist() == ["A"]  # B has had no bar for eight days
    assert regime_report.regimes_now(delisted[delisted["date"] < "2019-01-14"])["pair"].tolist() == ["A", "B"]


def test_of_hundreds_of_series_those_that_changed_last_are_shown() -> None:
    now = pd.DataFrame({"pair": [f"P{k:03}" for k in range(500)], "timeframe": "1d", "regime": R, "bars": 1})
    now["since"] = pd.date_range("2018-01-01", periods=500, tz="UTC")
    shown = regime_tables.now_table(now.assign(trend_z=0.0, volatility_quantile=0.5))._repr_html_()
    assert "P499" in shown and "P459" not in shown and "40 of 500 series" in shown
    many = pd.DataFrame({"pair": now["pair"], "timeframe": "1d", "date": now["since"]})
    assert "500 symbols (P000 to P499)" in regime_readings.window(many, plan="p").text


def test_shares_are_of_bars_and_add_up() -> None:
    shares = regime_report.shares(labelled([R] * 6 + [B] * 2, [V] * 2))
    assert shares["regime"].tolist() == list(REGIMES)
    assert shares["share"].tolist() == [0.2, 0.0, 0.6, 0.2]
    assert (shares["n"] == 10).all()
    assert ((shares["low"] <= shares["share"]) & (shares["share"] <= shares["high"])).all()


def test_a_bar_that_closes_at_midnight_belongs_to_the_month_before() -> None:
    frame = labelled([R, V])
    frame["date"] = pd.to_datetime(["2019-02-01 00:00", "2019-02-01 01:00"], utc=True)
    monthly = regime_report.monthly_shares(frame)
    assert monthly.index.tolist() == [pd.Timestamp("2019-01-01"), pd.Timestamp("2019-02-01")]
    assert monthly[R].tolist() == [1.0, 0.0]
    np.testing.assert_allclose(monthly.sum(axis=1), 1.0)


def test_transitions_by_hand_do_not_cross_series() -> None:
    frame = labelled([R, R, B, R, V], [V, V])
    bars = regime_report.bar_transitions(frame)
    assert bars.loc[R].tolist() == [1, 0, 1, 1]
    assert bars.loc[V].tolist() == [0, 0, 0, 1]
    assert bars.to_numpy().sum() == 5
    spells = regime_report.spell_transitions(frame)
    assert spells.to_numpy().sum() == 3
    assert spells.loc[B, R] == 1
    assert spells.loc[V].sum() == 0
    assert "n/a" in repr(regime_tables.transitions_table(spells))  # a regime that never ended


def test_durations_leave_cut_spells_out() -> None:
    lengths = [3, 5, 7, 9, 11, 13, 15]
    own = [R] * 50 + [regime for length in lengths for regime in [B] * length + [R] * 2]
    found = regime_report.durations(labelled(own)).set_index("regime")
    assert found.loc[B, "n"] == 7
    assert found.loc[B, "median_bars"] == 9
    assert found.loc[B, ["low", "high"]].tolist() == [3, 15]  # seven values: lowest and highest hold it with 98 %
    assert found.loc[R, "n"] == 6  # neither the first nor the last
    assert np.isnan(found.loc[S, "median_bars"])
    assert "n/a" in repr(regime_tables.durations_table(found.reset_index()))


def test_how_long_a_spell_lasts_counts_the_nights_that_it_lies_over() -> None:
    frame = labelled([R, R, B, B, R])
    frame["date"] = pd.to_datetime([f"2019-01-07 {h}:00" for h in (15, 16, 20)] + ["2019-01-08 15:00"] * 2, utc=True)
    frame.loc[4, "date"] += pd.Timedelta("1h")
    found = regime_report.durations(frame).set_index("regime").loc[B]
    assert found[["median_bars", "median_hours"]].tolist() == [2, 20]


def test_spells_of_minutes_show_parts_of_an_hour_and_those_of_days_do_not() -> None:
    found = regime_report.durations(labelled([R] * 3 + [B] * 27 + [R] * 3))
    shown = repr(regime_tables.durations_table(found.assign(median_hours=found["median_bars"] / 60)))
    assert "0.45" in shown
    assert "27.00" not in repr(regime_tables.durations_table(found))


def test_the_interval_of_a_median_covers_it() -> None:
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(400):
        low, high = regime_report._median_interval(np.sort(rng.exponential(size=25)))
        hits += low <= np.log(2) <= high
    assert 0.93 < hits / 400 <= 1.0
    assert np.isnan(regime_report._median_interval(np.arange(5.0))[0])


def test_stability_counts_switches_of_one_series_a_week() -> None:
    bars, _ = regime_truth.switching_market(bars=8_000, seed=1)
    found = segment(bars, **RULE)
    table = regime_report.stability(bars, found, settings=RULE, short_bars=24).set_index("rule")
    switches = int((found["regime"] != found["regime"].shift()).sum()) - 1
    weeks = table.loc["in force", "weeks"]
    assert table.loc["in force", "switches_per_week"] * weeks == pytest.approx(switches, abs=0.01)
    assert table.loc["no hysteresis", "switches_per_week"] > 2 * table.loc["in force", "switches_per_week"]
    assert "less often than without" in regime_readings.stability_reading(table.reset_index()).text


def test_lag_by_hand() -> None:
    truth = np.array([2] * 4 + [0] * 4 + [3] * 4 + [0] * 2)
    label = np.array([2] * 6 + [0] * 4 + [3] * 2 + [2] * 2)
    found = regime_truth.lag_by_regime([truth], [label]).set_index("regime")
    assert found.loc[B, "n"] == 2
    assert found.loc[B, "found"] == 0.5  # the last spell is never reached
    assert found.loc[B, "lag_bars"] == 2
    assert found.loc[V, "lag_bars"] == 2
    assert found.loc[R, "n"] == 0  # it began before the series did
    assert np.isnan(found.loc[S, "found"])
    still = np.full(5, 2)
    assert regime_truth.lag_by_regime([still], [still])["n"].sum() == 0  # a market of one regime


def test_hindsight_of_a_sharp_turn_leads_the_label_by_half_a_window() -> None:
    # Up and down by the same step, then up alone: volatility never changes, the trend begins at bar 1,200.
    step = np.concatenate([np.tile([1.0, -1.0], 600), np.ones(400), np.tile([1.0, -1.0], 200)])
    close = 100 * np.exp(np.cumsum(0.006 * step))
    dates = pd.date_range("2019-01-07", periods=2_000, freq="h", tz="UTC").as_unit("ms")
    bars = pd.DataFrame({"pair": "A", "timeframe": "1h", "date": dates, "close": close})
    labels = segment(bars, **RULE)
    # The sum of 72 steps must reach their root, 8.5: after nine rises it is 8 (one fall is left over), after ten 10.
    assert np.flatnonzero(labels["regime"] == B)[0] == 1_209
    found = regime_truth.hindsight_lag(labels, settings=RULE).set_index("regime")
    assert found.loc[B, ["n", "found", "lag_bars"]].tolist() == [1, 1.0, 36]


def test_simulated_lag_states_the_accuracy_that_the_report_quotes() -> None:
    found = regime_truth.simulated_lag(RULE, bars=6_000, seeds=2)
    assert 0.5 < found["balanced_accuracy"].iloc[0] < 0.75
    assert (found["n"] > 5).all()


def candidates(regimes: pd.DataFrame, *, long_r: dict[str, float], seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    parts = []
    for is_short in (False, True):
        mean = np.zeros(len(regimes)) if is_short else regimes["regime"].map(long_r).fillna(0.0).to_numpy()
        r = np.where(rng.uniform(size=len(regimes)) < 0.5 + mean / 2, 1.0, -1.0)
        known = regimes["date"] + pd.Timedelta("6h")
        parts.append(
            regimes[["pair", "timeframe", "date"]].assign(
                is_short=is_short, r_multiple=r, profit_ratio=r / 100, known_at=known
            )
        )
    return pd.concat(parts, ignore_index=True)


def test_a_regime_with_an_edge_is_found_and_the_others_are_not_promoted_with_it() -> None:
    regimes = labelled((([R] * 40 + [B] * 20 + [V] * 15 + [S] * 25) * 60)[:5_000])
    found = regime_performance.outcomes_by_regime(
        candidates(regimes, long_r={V: 0.3}, seed=4), regimes, at="2020-01-06"
    ).set_index(["side", "regime"])
    assert found.loc[("long", V), "q"] < 0.001
    assert found.loc[("long", V), "against_rest"] == pytest.approx(0.3, abs=0.12)
    assert found.loc[("long", V), "low"] > 0
    assert found.loc[("short", V), "q"] > 0.10
    assert found.loc[("long", V), "break_even_win_rate"] == pytest.approx(0.5)
    assert (found["n"].groupby("side").sum() == 5_000).all()
    words = regime_readings.performance_reading(found.reset_index()).text
    assert "volatile long +0.28 R" in words


def test_without_an_edge_no_regime_differs() -> None:
    regimes = labelled((([R] * 40 + [B] * 20 + [V] * 15 + [S] * 25) * 60)[:5_000])
    hits = 0
    for seed in range(20):
        table = regime_performance.outcomes_by_regime(
            candidates(regimes, long_r={}, seed=seed), regimes, at="2020-01-06"
        )
        hits += bool((table["q"] <= 0.10).any())
    assert hits <= 5  # 10 % of markets nominal


def test_outcomes_known_later_do_not_count() -> None:
    regimes = labelled([R] * 200)
    early = regime_performance.outcomes_by_regime(candidates(regimes, long_r={}, seed=1), regimes, at="2019-01-08")
    assert early["n"].sum() == 2 * 18  # decided from 01:00 on, known six hours later, up to midnight
    assert "too few" in regime_readings.performance_reading(early).text  # nothing to compare ranging with


def test_the_week_is_labelled_and_written_only_when_asked(tmp_path: Path) -> None:
    bars, _ = regime_truth.switching_market(bars=500, seed=5)
    paths = Paths(tmp_path)
    tables.write(bars, paths.bars)
    week = Week(Run(history="main", as_of="2018-01-08", previous="2018-01-01", genesis="2018-01-01"), paths)
    found = regime_report.segment_week(week, regimes=RULE, write=False)
    assert not paths.regimes.exists()
    regime_report.segment_week(week, regimes=RULE, write=True)
    pd.testing.assert_frame_equal(tables.read(paths.regimes), found)
    with pytest.raises(SettingsError, match=r"regimes.trend_bar: no such setting; did you mean trend_bars"):
        regime_report.segment_week(week, regimes={"trend_bar": 3}, write=False)


def test_the_plan_of_the_report_is_the_middle_of_the_grid(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    with pytest.raises(DataError, match="no outcomes"):
        middle_plan(paths)
    paths.outcomes.mkdir(parents=True)
    for name in ("tp1.5_sl1.0_t24", "tp2.0_sl1.5_t24", "tp3.0_sl2.0_t24"):
        (paths.outcomes / f"{name}.parquet").touch()
    assert middle_plan(paths) == "tp2.0_sl1.5_t24"


def test_every_table_picture_and_sentence_of_a_short_history_is_there() -> None:
    bars, _ = regime_truth.switching_market(bars=900, seed=8)
    bars["volume"] = 1.0
    found = segment(bars, **RULE)
    now, shares = regime_report.regimes_now(found), regime_report.shares(found)
    durations, followed = regime_report.durations(found), regime_report.spell_transitions(found)
    stability = regime_report.stability(bars, found, settings=RULE, short_bars=24)
    simulated = regime_truth.simulated_lag(RULE, bars=3_000, seeds=1)
    hindsight = regime_truth.hindsight_lag(found, settings=RULE)
    performance = regime_performance.outcomes_by_regime(candidates(found, long_r={}, seed=2), found, at="2018-01-01")
    shown = [
        regime_readings.window(found, plan="tp2.0_sl1.5_t24"), regime_tables.now_table(now),
        regime_tables.shares_table(shares), regime_readings.shares_reading(shares),
        regime_tables.durations_table(durations), regime_readings.durations_reading(durations),
        regime_tables.transitions_table(followed), regime_readings.transitions_reading(followed),
        regime_tables.stability_table(stability, short_bars=24),
        regime_tables.lag_table(simulated, behind="the truth"), regime_tables.lag_table(hindsight, behind="hindsight"),
        regime_readings.lag_reading(simulated, hindsight), regime_tables.performance_table(performance),
        regime_readings.conclusion(shares, stability, simulated, performance),
    ]  # fmt: skip
    assert all("nan" not in repr(one).lower() for one in shown)
    pictures = [
        regime_pictures.price_picture(bars, found), regime_pictures.price_picture(bars, found, last_days=10),
        regime_pictures.shares_picture(regime_report.monthly_shares(found), series=1),
        regime_pictures.transitions_picture(regime_report.bar_transitions(found)),
        regime_pictures.performance_picture(performance, overall=regime_pictures.side_means(performance)),
    ]  # fmt: skip
    assert all(picture.svg.startswith("<svg") and len(picture.svg) < 80_000 for picture in pictures)


def test_the_worked_examples_run() -> None:
    for module in (regime_report, regime_truth):
        result = doctest.testmod(module)
        assert result.attempted > 0
        assert result.failed == 0
