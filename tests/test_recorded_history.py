"""The loop on a desk's own outcomes: the same history however it came to be, books untouched, the gap measured."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from edgebook import outcome_recorded, tables
from edgebook.data_fetch import fetch_first
from edgebook.errors import DataError
from edgebook.history import backfill
from edgebook.loaded_plans import revised_outcomes
from edgebook.market import NEVER, load_market
from edgebook.outcome_recorded_readings import NOTHING, findings_table, recorded_reading, traded_table
from edgebook.params import Run, load_params
from edgebook.paths import Paths
from edgebook.recorded import append, read_recorded
from edgebook.recorded_snapshot import take
from edgebook.rederive import rederive
from edgebook.seals import read_head
from edgebook.stages import run_stage
from edgebook.week import Week
from small_desk import COLUMNS, HITS, desk_trades, write_database
from small_market import GENESIS, PLAN, copy_history, seal_bytes, write_settings

SECOND = "2018-04-09"
DESK = f"""outcomes:
  source: database
  database:
    url: SMALL_DESK
    tp_sl_hits: {HITS}
    columns: {COLUMNS}
"""
DECLARED = "    timezone: UTC\n  exit_words: {timeout: time_exit}\n"


def at(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def connected(small: Paths, root, *, settings: str = DESK + DECLARED) -> Paths:
    """Tables of the small market and no seals, with a desk in params.yaml; outcomes are a folder of its own."""
    paths = Paths(root)
    write_settings(paths, changes={"candidates:\n": f"{settings}candidates:\n"})
    (root / "data").mkdir()
    for name in ("bars", "indicators", "votes", "patterns", "regimes"):
        place = getattr(small, name)
        (root / "data" / place.name).symlink_to(place)
    (root / "data" / "candidates").symlink_to(small.candidates, target_is_directory=True)
    return paths


@pytest.fixture(scope="module")
def taken(small) -> pd.DataFrame:
    """Candidates of the champion's plan that the desk took, a third of all."""
    table = tables.read(small.candidates / f"{PLAN}.parquet")
    near = table[(table["open_date"] >= at("2018-02-05")) & (table["open_date"] < at(SECOND))]
    return near[np.random.default_rng(3).random(len(near)) < 0.3]


def told(taken: pd.DataFrame, *, until: str) -> pd.DataFrame:
    """The desk's table at a time: some rows come a week late, some are corrected then, some are gone."""
    trades = desk_trades(taken, slippage=np.where(taken["pair"] == "S01/USD", 0.001, 0.0002))
    name = trades["signal_id"].str
    if until == GENESIS:
        return trades[name[-1] != "3"]
    trades.loc[name[-2:] == "10", "profit_ratio"] -= 0.001
    return trades[name[-2:] != "20"]


@pytest.fixture(scope="module")
def by_the_week(small, taken, tmp_path_factory, request) -> Paths:
    """A history of two seals; before each the desk's SQLite database is read and the stage `outcomes` run."""
    root = tmp_path_factory.mktemp("weeks")
    paths = connected(small, root)
    patch = pytest.MonkeyPatch()
    request.addfinalizer(patch.undo)
    patch.setenv("SMALL_DESK", f"sqlite:///{root / 'desk.sqlite'}")
    for week in (GENESIS, SECOND):
        write_database(told(taken, until=week), path=root / "desk.sqlite")
        assert "rows" in take(load_params(paths.params), paths, until=week)
        if week == GENESIS:
            _outcomes(paths, week)
        else:
            dates = 'as_of: "2018-05-28", previous: "2018-05-21"'
            text = paths.params.read_text().replace(dates, f'as_of: "{SECOND}", previous: "{GENESIS}"')
            paths.params.write_text(text)
            assert "of them recorded" in run_stage("outcomes", paths=paths)
        backfill(load_params(paths.params), paths, until=week)
    return paths


def _outcomes(paths: Paths, week: str) -> None:
    from edgebook.recorded_outcomes import recorded_facts, write_outcomes

    settings = load_params(paths.params).outcomes
    write_outcomes(
        paths, facts=recorded_facts(paths, recorded=paths.recorded, settings=settings, fee=0.00075, as_of=week)
    )


def test_a_week_that_is_run_late_takes_the_snapshot_of_its_monday(small, taken, tmp_path, monkeypatch):
    """Whatever the clock says: what closed after the Monday is open in it, what was opened after is not there."""
    paths = connected(small, tmp_path)
    monkeypatch.setenv("SMALL_DESK", f"sqlite:///{tmp_path / 'desk.sqlite'}")
    write_database(desk_trades(taken), path=tmp_path / "desk.sqlite")
    assert f"data/recorded/outcomes-{GENESIS}.csv" in fetch_first(load_params(paths.params), paths, at=GENESIS)
    found = read_recorded(paths.recorded)
    assert set(found["status"]) == {"open", "closed"}
    assert found["open_date"].max() < at(GENESIS) < taken["open_date"].max()
    assert found["close_date"].max() <= at(GENESIS)
    assert "nothing new" in fetch_first(load_params(paths.params), paths, at=GENESIS)


def test_a_history_is_the_same_in_one_go_week_by_week_and_derived_again(small, by_the_week, tmp_path):
    """With facts that came late, corrections, deletions and trades held open over the Monday."""
    rows = read_recorded(by_the_week.recorded)
    assert {"open", "closed", "deleted"} == set(rows["status"])
    assert revised_outcomes(by_the_week) == [SECOND]
    once = connected(small, tmp_path / "once")
    shutil.copytree(by_the_week.recorded, once.recorded)
    _outcomes(once, SECOND)
    backfill(load_params(once.params), once, until=SECOND)
    assert seal_bytes(once) == seal_bytes(by_the_week)
    assert rederive(load_params(by_the_week.params), by_the_week) == []
    assert read_head(by_the_week, history="main", as_of=SECOND)["recorded"] == SECOND


def test_facts_teach_and_the_books_stay_simulated(small, by_the_week):
    market = load_market(by_the_week, as_of=SECOND)
    learned, engine = market.plans[PLAN], market.simulated[PLAN]
    assert (learned.r_multiple != engine.r_multiple)[learned.known_at != NEVER].sum() > 100
    alone = load_market(small, as_of=SECOND)
    assert alone.simulated is alone.plans
    for name in ("r_multiple", "known_at", "close_rate", "uniqueness"):
        np.testing.assert_array_equal(getattr(engine, name), getattr(alone.plans[PLAN], name))
    np.testing.assert_array_equal(learned.uniqueness, engine.uniqueness)
    ours, theirs = seal_bytes(by_the_week), seal_bytes(small, until=SECOND)
    first = f"models/main/{GENESIS}/"
    assert ours[f"{first}state/r1.json"] != theirs[f"{first}state/r1.json"]
    assert ours[f"{first}state/r3.json"] == theirs[f"{first}state/r3.json"], "the desk does not trade its plan"


def test_weeks_that_were_sealed_without_facts_are_derived_again_without_them(small, taken, tmp_path):
    """A desk is connected to a history of two weeks, and the third learns from it."""
    paths = copy_history(small, tmp_path / "late")
    for week in sorted(paths.history("main").iterdir()):
        if week.name > GENESIS:
            shutil.rmtree(week)
    for file in (paths.root / "data" / "ledger" / "main").glob("*.csv"):
        if file.stem > GENESIS:
            file.unlink()
    (paths.root / "data" / "outcomes").unlink()
    write_settings(paths, changes={"candidates:\n": "outcomes: {source: files}\ncandidates:\n"})
    append(told(taken, until=GENESIS), paths=paths, until=SECOND)
    _outcomes(paths, SECOND)
    params = load_params(paths.params)
    backfill(params, paths, until=SECOND)
    heads = [read_head(paths, history="main", as_of=week) for week in (GENESIS, SECOND)]
    assert [head.get("recorded") for head in heads] == [None, SECOND]
    assert rederive(params, paths) == []


def week_of(paths: Paths) -> Week:
    return Week(Run(history="main", as_of=SECOND, previous=GENESIS, genesis=GENESIS), paths)


def test_the_gap_is_the_slippage_that_was_put_in(by_the_week):
    """Of the pair that fills badly 10 bps of slippage a side, of the other 2; 2.5 in the model, and the same fee."""
    found = outcome_recorded.recorded_of(week_of(by_the_week), outcomes={"source": "files"})
    # The desk pays no borrow; a correction took another 0.1 % off one row in a hundred.
    longs = found.pairs[found.pairs["signal_id"].str.endswith("_long") & (found.pairs["side_ratio"] < 0.00095)]
    table = outcome_recorded.gaps(replace(found, pairs=longs))
    assert set(table["group"]) == {"all", "regime", "pair"}
    by_pair = table[table["group"] == "pair"].set_index("name")
    for pair, truth in (("S01/USD", 7.5), ("S02/USD", -0.5)):
        row = by_pair.loc[pair]
        assert row["n"] > 30
        assert row["side_bps"] == pytest.approx(truth, abs=0.1)
        assert row["side_bps_low"] - 0.05 <= truth <= row["side_bps_high"] + 0.05
    assert by_pair.loc["S01/USD", "gap_high"] < 0 < by_pair.loc["S02/USD", "gap_low"]


def test_the_report_says_it_in_words_and_in_private_shows_no_trade(small, by_the_week):
    week = week_of(by_the_week)
    found = outcome_recorded.recorded_of(week, outcomes={"source": "files"})
    assert "cost more than the model's" in str(recorded_reading(found))
    hidden = outcome_recorded.recorded_of(week, outcomes={"source": "files", "private": True})
    shown = "".join(str(part(hidden)) for part in (recorded_reading, traded_table, findings_table))
    names = [*found.pairs["signal_id"], *read_recorded(by_the_week.recorded)["signal_id"]]
    assert not any(name in shown for name in names)
    nothing = outcome_recorded.recorded_of(week_of(small), outcomes={"source": "simulated"})
    assert str(recorded_reading(nothing)) == NOTHING
    assert str(traded_table(nothing)) == str(findings_table(nothing)) == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            "update tp_sl_hits set why = case why when 'SL' then 'TP' else 'SL' end where rowid = 1",
            "hit another barrier than its outcome says",
        ),
        ("update tp_sl_hits set closed = '2018-01-01 00:00:00' where rowid = 1", "hit_date is not the close_date"),
        ("insert into tp_sl_hits values ('T9', 'TP', '2018-03-01', 1)", "'T9' is not in signal_outcomes"),
        ("update signal_outcomes set side = 'sideways' where rowid = 1", "is_short 'sideways' is none of"),
        ("update signal_outcomes set opened = 'noon' where rowid = 1", "'noon' is no date"),
        ("alter table signal_outcomes rename column pnl to result", "no column pnl, which params.yaml maps"),
        ("drop table signal_outcomes", "could not be read (no such table: signal_outcomes)"),
    ],
)
def test_what_is_wrong_with_a_database_is_said_in_one_line_and_nothing_is_written(
    taken, tmp_path, monkeypatch, change, words
):
    import sqlite3

    place = tmp_path / "desk.sqlite"
    paths = Paths(tmp_path)
    write_settings(paths, changes={"candidates:\n": f"{DESK}{DECLARED}candidates:\n"})
    write_database(desk_trades(taken.head(20)), path=place)
    with sqlite3.connect(place) as base:
        base.execute(change)
    base.close()
    monkeypatch.setenv("SMALL_DESK", f"sqlite:///{place}")
    before = place.read_bytes()
    with pytest.raises(DataError) as caught:
        take(load_params(paths.params), paths, until=SECOND)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not paths.recorded.exists()
    assert place.read_bytes() == before


def test_the_seal_is_json_that_names_the_snapshot(by_the_week):
    head = json.loads((by_the_week.seal(history="main", as_of=GENESIS) / "seal.json").read_text())
    assert head["recorded"] == GENESIS
