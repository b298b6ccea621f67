"""What `edgebook data check` finds on bars worked out by hand, and the example folder that `data sample` writes."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from edgebook.bars.bars import COLUMNS, utc
from edgebook.cli import main
from edgebook.commands.cli_data_views import data_check
from edgebook.paths import Paths, repository
from edgebook.running.data_check import check_data
from edgebook.running.data_check_calendar import calendar_of, gaps
from edgebook.running.data_check_series import OUTLIER_TIMES, outliers
from edgebook.settings.bar_files import Files
from edgebook.settings.loading import load_params
from edgebook.settings.params import Synthetic
from edgebook.sources.sources import load_bars
from test_folder_dialects import OHLCV, put


def bars(closed: pd.DatetimeIndex, *, timeframe: str = "1h") -> pd.DataFrame:
    close = 100 + np.arange(len(closed)) % 7 / 10
    frame = pd.DataFrame({"pair": "X", "timeframe": timeframe, "date": closed.as_unit("ms"), "open": close})
    return frame.assign(high=close + 0.1, low=close - 0.1, close=close, volume=1.0)[COLUMNS]


def sessions(start: str, end: str) -> pd.DatetimeIndex:
    """Closes of the seven hours from 09:30 in New York, Monday to Friday."""
    days = pd.bdate_range(start, end, tz="America/New_York")
    return pd.DatetimeIndex([day + pd.Timedelta(hours=10.5 + h) for day in days for h in range(7)]).tz_convert("UTC")


def check(folder: Path, **declared: object) -> dict:
    whole = load_params(repository() / "params.yaml")
    market = replace(whole.bars, source="folder", timeframes=("1h",), folder=str(folder), files=Files(**declared))
    return check_data(replace(whole, bars=market, run=replace(whole.run, as_of="2019-01-07")), Paths(repository()))


def test_a_market_around_the_clock_has_a_gap_wherever_an_hour_is_missing() -> None:
    own = bars(pd.date_range("2019-01-01", periods=400, freq="1h", tz="UTC").delete([100, 200, 201]))
    calendar = calendar_of(own)
    assert calendar.words == "around the clock"
    assert gaps(own, calendar)["hours"].tolist() == [3.0, 2.0]


def test_nights_weekends_and_a_holiday_are_no_gaps_of_a_session_and_a_missing_hour_or_week_is() -> None:
    closed = sessions("2019-01-01", "2019-12-31")
    local = closed.tz_convert("America/New_York")
    holiday = local.normalize() == pd.Timestamp("2019-07-04", tz="America/New_York")
    calendar = calendar_of(bars(closed[~holiday]))
    assert calendar.words == "sessions, Mon to Fri from 09:30 America/New_York (a guess)"
    assert len(gaps(bars(closed[~holiday]), calendar)) == 0
    hour = local == pd.Timestamp("2019-05-07 12:30", tz="America/New_York")
    week = (local >= "2019-09-02") & (local < "2019-09-09")
    found = gaps(bars(closed[~holiday & ~hour & ~week]), calendar)
    assert found["after"].dt.strftime("%m-%d").tolist() == ["08-30", "05-07"]


def test_days_of_shares_are_sessions() -> None:
    own = bars(pd.bdate_range("2019-01-01", periods=200, tz="UTC") + pd.Timedelta(days=1), timeframe="1d")
    assert calendar_of(own).words == "sessions, Mon to Fri"
    assert len(gaps(own, calendar_of(own))) == 0


def test_a_tick_that_comes_back_is_an_outlier_and_a_move_that_stays_is_none() -> None:
    own = bars(pd.date_range("2019-01-01", periods=300, freq="1h", tz="UTC"))
    assert (outliers(own) < OUTLIER_TIMES).all()
    own.loc[100, "low"] = 50.0
    own.loc[200:, ["open", "high", "low", "close"]] *= 1.5
    assert np.flatnonzero(outliers(own) > OUTLIER_TIMES).tolist() == [100]


def test_every_refused_file_is_listed_worst_first_and_the_run_stops(tmp_path: Path) -> None:
    good = f"open time,{OHLCV}\n" + "".join(f"2019-01-06T{h:02}:00Z,1,1,1,1,{h % 2}\n" for h in range(24))
    put(tmp_path, "A-USD_1h.csv", good)
    put(tmp_path, "B-USD_1h.csv", good.replace("05:00Z,1,", "05:00Z,2,"))
    put(tmp_path, "C-USD_1h.csv", "nothing")
    found = check(tmp_path)
    stops = [row for row in found["findings"] if row["effect"] == "stops"]
    assert [row["where"] for row in stops] == [f"{tmp_path}/C-USD_1h.csv", f"{tmp_path}/B-USD_1h.csv"]
    assert found["findings"][:2] == stops
    assert found["stopped"] == 2
    says = {row["kind"]: row["says"] for row in found["findings"] if row["effect"] == "nothing"}
    assert "stamps are a bar's open (column 'open time' stamp the open)" in says["reading"]
    (row,) = found["series"]
    assert (row["n"], row["zero_volume"], row["first"], row["last"]) == (24, 12, "2019-01-06 01:00", "2019-01-07 00:00")


def test_what_a_repair_did_is_told(tmp_path: Path) -> None:
    good = f"open time,{OHLCV}\n" + "".join(f"2019-01-06T{h:02}:00Z,1,1,1,1,{h}\n" for h in range(24))
    put(tmp_path, "A-USD_1h.csv", good + good.splitlines()[-1] + "\n")
    found = check(tmp_path, repair=("duplicates",))
    assert found["stopped"] == 0
    assert found["findings"][0] == {
        "effect": "dropped", "kind": "duplicate", "where": "A/USD 1h", "says": "1 row that repeats another",
        "does": "dropped, as bars.files.repair says",
    }  # fmt: skip


def test_a_run_that_would_end_before_its_week_is_stopped(tmp_path: Path) -> None:
    put(tmp_path, "A-USD_1h.csv", f"open time,{OHLCV}\n2019-01-05T01:00Z,1,1,1,1,1\n")
    (row,) = [row for row in check(tmp_path)["findings"] if row["effect"] == "stops"]
    assert row["where"] == "run.as_of 2019-01-07"


def test_a_source_that_is_no_folder_is_looked_at_too() -> None:
    whole = load_params(repository() / "params.yaml")
    market = replace(whole.bars, source="synthetic", timeframes=("1h",), synthetic=Synthetic(weeks=3, pairs=2))
    run = replace(whole.run, as_of="2017-01-16")
    found = check_data(replace(whole, bars=market, run=run), Paths(repository()))
    rows = [(row["pair"], row["n"], row["gaps"]) for row in found["series"]]
    assert rows == [("S01/USD", 504, 0), ("S02/USD", 504, 0)]
    assert found["stopped"] == 0


def test_hundreds_of_series_are_a_screen(capsys: pytest.CaptureFixture[str]) -> None:
    one = {"timeframe": "1h", "first": "a", "last": "b", "n": 9, "gaps": 0, "longest_gap_hours": 0.0, "zero_volume": 0}
    one |= {"outliers": 0, "filled": 0, "suspected_splits": 0, "calendar": "around the clock"}
    finding = {"effect": "nothing", "kind": "gap", "says": "9 gaps", "does": "not filled"}
    rows = [one | {"pair": f"S{i:03}"} for i in range(500)]
    rows[321]["outliers"] = 7
    findings = [finding | {"where": row["pair"]} for row in rows]
    data_check({"source": "folder", "series": rows, "findings": findings, "stopped": 0})
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) < 45
    assert "S321" in printed
    assert "gap in 500 series, as S000: 9 gaps" in printed


def test_the_example_is_read_as_it_is_and_never_written_twice(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("EDGEBOOK_ROOT", str(tmp_path))

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["edgebook", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    assert call("data", "sample", "mine")[0] == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "mine").iterdir()}
    found = load_bars(source="folder", timeframes=["1h", "4h"], as_of="2019-07-01", folder=tmp_path / "mine")
    assert found["pair"].unique().tolist() == ["S01/USD", "S02/USD", "S03/USD"]
    assert found.groupby("pair")["date"].min().unique().tolist() == [utc("2017-10-02 01:00")]
    status, _, errors = call("data", "sample", "mine")
    assert (status, errors.count("\n")) == (1, 1)
    assert "name a folder without bars, nothing was written" in errors
    assert {path.name: path.read_bytes() for path in (tmp_path / "mine").iterdir()} == before


def test_a_holiday_ends_the_week_and_a_member_must_be_there_as_in_a_run(tmp_path: Path) -> None:
    closed = sessions("2018-01-02", "2019-04-18")
    write = bars(closed)[["date", "open", "high", "low", "close", "volume"]]
    write.assign(date=write["date"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_csv(tmp_path / "X_1h.csv", index=False)
    whole = load_params(repository() / "params.yaml")
    market = replace(whole.bars, source="folder", timeframes=("1h",), folder=str(tmp_path))
    params = replace(
        whole, bars=market, run=replace(whole.run, history="mine", as_of="2019-04-22", genesis="2018-05-21")
    )

    def says(**declared: object) -> list[str]:
        found = check_data(replace(params, bars=replace(market, **declared)), Paths(repository()))
        return [f"{row['where']}: {row['says']}" for row in found["findings"] if row["effect"] == "stops"]

    assert "the data of folder end at 2019-04-18 20:30 UTC" in says()[0]
    assert says(holidays=("2019-04-19",)) == []
    assert "folder has no pair 'Y'" in says(holidays=("2019-04-19",), universe={"Y": {}})[0]
    late = says(holidays=("2019-04-19",), universe={"X": {"from": "2018-02-14"}})
    assert "2018-05-21 lies 13 weeks after the first bar" in late[0] and "choose 2018-07-09 or a later" in late[0]
    assert late[0].endswith("Monday, or learning.warmup_weeks: 9")


def test_what_was_received_is_looked_at_where_it_lies(tmp_path: Path) -> None:
    whole = load_params(repository() / "params.yaml")
    own = bars(pd.date_range("2017-01-02 01:00", "2019-01-07", freq="1h", tz="UTC")).drop(columns=["timeframe", "pair"])
    parts = tmp_path / "data" / "received"
    parts.mkdir(parents=True)
    known = own.assign(pair="X", timeframe="1h", known_at=utc("2019-01-07"))
    known.to_parquet(parts / "bars-20190107T000000Z-000.parquet", index=False)
    params = replace(whole, bars=replace(whole.bars, source="ccxt", timeframes=("1h",)))
    found = check_data(replace(params, run=replace(whole.run, as_of="2019-01-07")), Paths(tmp_path))
    assert [row["n"] for row in found["series"]] == [len(own)] and found["stopped"] == 0
