"""A day at a time: what it says, that it agrees with the week, and that it leaves the week's bytes alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest

from edgebook.errors import BusyError, SettingsError, WeekError
from edgebook.files import tables
from edgebook.files.lock import only_one
from edgebook.loop.history import backfill
from edgebook.paths import Paths
from edgebook.running import daily
from edgebook.running.daily import day_line, days_done, run_daily
from edgebook.running.snapshot import newest_tables, positions_now, signals_now
from edgebook.seals.seals import read_seal
from edgebook.settings.loading import load_params
from small_market import LAST, copy_history, seal_bytes

NEXT = "2018-06-04"
DAYS = [f"2018-05-{day}" for day in (29, 30, 31)] + [f"2018-06-0{day}" for day in (1, 2, 3, 4)]


def everything_but_days(paths: Paths) -> dict[str, bytes]:
    """Every file that a daily run must not touch, the linked tables included."""
    found = {}
    for place in sorted(paths.root.iterdir()):
        for file in sorted([place, *place.rglob("*"), *(f for link in place.glob("*") for f in link.rglob("*"))]):
            if file.is_file() and "daily" not in file.parts:
                found[file.relative_to(paths.root).as_posix()] = file.read_bytes()
    return found


@pytest.fixture(scope="module")
def lived(small, tmp_path_factory) -> tuple[Paths, list[dict], dict[str, bytes]]:
    """Seven days, one call each, on a repository of one's own; and its files as they were before."""
    paths = copy_history(small, tmp_path_factory.mktemp("daily") / "mine")
    before = everything_but_days(paths)
    documents = [run_daily(load_params(paths.params), paths)[-1] for _ in DAYS]
    return paths, documents, before


def test_seven_days_touch_nothing_else_and_come_in_order(lived):
    paths, documents, before = lived
    assert {"params.yaml", "data/bars.parquet", "models/main/2018-05-28/seal.json"} <= before.keys()
    assert [one["date"] for one in documents] == DAYS
    assert everything_but_days(paths) == before
    assert days_done(paths, read_seal(paths, history="main", as_of=LAST)) == DAYS


def test_the_seventh_day_is_the_week(lived, small, tmp_path):
    """The same seal with days and without, and the account of the seventh day is that of the week."""
    paths, documents, _ = lived
    alone = copy_history(small, tmp_path / "alone")
    for one in (paths, alone):
        backfill(load_params(one.params), one, until=NEXT)
    assert seal_bytes(paths) == seal_bytes(alone)
    seal, last = read_seal(alone, history="main", as_of=NEXT), documents[-1]
    assert last["account"] == seal.account.to_json()
    closed = seal.ledger[seal.ledger["status"] == "closed"]
    assert [row["signal_id"] for row in last["closed"]] == closed["signal_id"].tolist()
    assert [row["r_multiple"] for row in last["closed"]] == closed["r_multiple"].tolist()
    assert {row["arm"]: row["wealth"] for row in last["gate"]} == {
        trial.arm: pytest.approx(trial.wealth(book_share=0.7), abs=1e-5) for trial in seal.trials
    }
    weights = seal.arms["r1"].policy.weights
    for name, (_, then) in last["learned"]["head_weights"].items():
        regime, letter = name.split()
        row = ["trending_bullish", "trending_bearish", "ranging", "volatile"].index(regime)
        assert weights[row, "ABCDEFGHI".index(letter)] == then


def test_each_day_adds_to_the_one_before(lived):
    _, documents, _ = lived
    for before, after in pairwise(documents):
        ids = [row["signal_id"] for row in after["closed"]]
        assert ids[: len(before["closed"])] == [row["signal_id"] for row in before["closed"]]
        assert len(after["closed_today"]) == len(after["closed"]) - len(before["closed"])
        assert after["learned"]["outcomes"] >= before["learned"]["outcomes"]
        assert after["bars_until"] == f"{after['date']}T00:00:00Z"
    growth = 1.0
    for one in documents:
        growth *= 1 + one["return_today"]
    assert growth - 1 == pytest.approx(documents[-1]["return_since_seal"], abs=1e-6)
    assert any(row["entered"] for one in documents for row in one["signals"])


def test_a_day_twice_is_the_same_bytes_and_a_missed_one_is_caught_up(lived, small, tmp_path):
    paths, _, _ = lived
    mine = copy_history(small, tmp_path / "mine")
    params = load_params(mine.params)
    days = run_daily(params, mine, date=DAYS[2])
    assert [day["date"] for day in days] == DAYS[:3]
    assert "(3 days)" in day_line(days)
    for date in DAYS[:3]:
        place = mine.day(history="main", date=date)
        assert place.read_bytes() == paths.day(history="main", date=date).read_bytes()
    before = mine.day(history="main", date=DAYS[1]).read_bytes()
    run_daily(params, mine, date=DAYS[1])
    assert mine.day(history="main", date=DAYS[1]).read_bytes() == before
    mine.day(history="main", date=DAYS[1]).write_text("{", encoding="utf-8")
    assert [day["date"] for day in run_daily(params, mine)] == [DAYS[1], DAYS[3]]
    assert mine.day(history="main", date=DAYS[1]).read_bytes() == before


def test_a_sealed_day_is_nothing_to_do_and_one_after_the_week_asks_for_the_week(lived):
    paths, _, _ = lived
    params = load_params(paths.params)
    assert run_daily(params, paths, date=LAST) == []
    with pytest.raises(WeekError, match=f"the week to {NEXT} is over and not sealed yet; run `edgebook weekly`"):
        run_daily(params, paths)
    with pytest.raises(SettingsError, match="--date: 'soon' is no date"):
        run_daily(params, paths, date="soon")


def test_the_data_must_cover_the_day(small, monkeypatch):
    import pandas as pd

    monkeypatch.setattr(daily, "end_of", lambda bars, **where: pd.Timestamp("2018-05-28 20:00", tz="UTC"))
    with pytest.raises(WeekError, match=r"the data of synthetic end at 2018-05-28 20:00 UTC; the day to 2018-05-29"):
        run_daily(load_params(small.params), small)


def test_signals_and_positions_follow_the_newest_day(lived, small):
    paths, documents, _ = lived
    now = newest_tables(load_params(small.params), small)
    assert (now.as_of, now.of_daily_run) == (LAST, False)
    assert now.told == f"bars up to {LAST}, the last seal"
    params = load_params(paths.params)
    params = replace(params, run=replace(params.run, as_of=LAST))
    now, rows = signals_now(params, paths)
    assert now.told == f"bars up to {NEXT}, of the daily run; the last seal is {LAST}"
    assert {row["date"] for row in rows} == {f"{NEXT}T00:00:00Z"}
    assert {row["model_version"] for row in rows} == {f"r1@{LAST}"}
    _, open_ = positions_now(params, paths)
    assert open_ == documents[-1]["open"]


def test_days_of_another_history_do_not_count(lived, small, tmp_path):
    paths, _, _ = lived
    seal = read_seal(paths, history="main", as_of=LAST)
    other = replace(seal, head=seal.head | {"fingerprints": {"parameters": "x", "data": "y"}})
    assert days_done(paths, other) == []


def test_the_tables_are_those_of_the_stages_cut_at_the_day(lived, small):
    paths, _, _ = lived
    for name in ("bars", "indicators", "votes", "regimes"):
        mine, whole = tables.read(getattr(paths.daily("main"), name)), tables.read(getattr(small, name))
        known = whole[whole["date"] <= mine["date"].max()].reset_index(drop=True)
        assert mine[known.columns].equals(known), name


# --- one at a time


def test_the_second_run_is_told_who_holds_the_lock(tmp_path):
    with (
        only_one(tmp_path / ".lock", doing="weekly"),
        pytest.raises(
            BusyError, match=rf"\.lock: held by `edgebook weekly`, process {os.getpid()}, since \d{{4}}-.* UTC; wait"
        ),
        only_one(tmp_path / ".lock", doing="daily"),
    ):
        pass
    with only_one(tmp_path / ".lock", doing="daily"):
        pass


def test_a_dead_holder_holds_nothing(tmp_path):
    code = (
        "import os, pathlib, sys\nfrom edgebook.files.lock import only_one\n"
        "with only_one(pathlib.Path(sys.argv[1]), doing='daily'):\n    os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path / ".lock"], check=False).returncode == 9
    assert "process" in (tmp_path / ".lock").read_text(encoding="utf-8")
    with only_one(tmp_path / ".lock", doing="weekly"):
        pass


def test_a_child_that_goes_on_holds_the_lock_for_its_dead_parent(tmp_path):
    place = tmp_path / ".lock"
    with only_one(place, doing="weekly") as lock:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(lock,))
    with pytest.raises(BusyError), only_one(place, doing="daily"):
        pass
    child.communicate(b"\n")
    with only_one(place, doing="daily"):
        pass


def test_the_document_is_json_that_any_program_reads(lived):
    paths, documents, _ = lived
    text = paths.day(history="main", date=DAYS[0]).read_text(encoding="utf-8")
    assert json.loads(text) == documents[0]
    assert "NaN" not in text
