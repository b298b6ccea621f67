"""The loop on a desk's own outcomes: books untouched, the gap measured, mistakes said in a line."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from desk_history import CHANGES, SECOND, at, connected, taken_candidates, told
from edgebook.analyses import outcome_recorded
from edgebook.errors import DataError
from edgebook.loop.history import backfill
from edgebook.outcomes.recorded import read_recorded
from edgebook.outcomes.recorded_snapshot import take
from edgebook.paths import Paths
from edgebook.policy.market import NEVER, load_market
from edgebook.reports.outcome_recorded_readings import NOTHING, findings_table, recorded_reading, traded_table
from edgebook.running.data_fetch import fetch_first
from edgebook.seals.week import Week
from edgebook.settings.loading import load_params
from edgebook.settings.params import Run
from edgebook.stages.stages import run_stage
from small_desk import desk_trades, write_database
from small_market import GENESIS, PLAN, seal_bytes, write_settings


@pytest.fixture(scope="module")
def taken(small) -> pd.DataFrame:
    return taken_candidates(small)


@pytest.fixture(scope="module")
def taught(small, taken, tmp_path_factory) -> Paths:
    """A history of one seal, before which the desk's SQLite database was read and the stage `outcomes` run."""
    root = tmp_path_factory.mktemp("taught")
    paths = connected(small, root)
    params = load_params(paths.params)
    write_database(told(taken, until=GENESIS), path=root / "desk.sqlite")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMALL_DESK", f"sqlite:///{root / 'desk.sqlite'}")
        assert "rows" in take(params, paths, until=GENESIS)
        assert "of them recorded" in run_stage("outcomes", paths=paths)
        backfill(params, paths, until=GENESIS)
    return paths


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


def test_facts_teach_and_the_books_stay_simulated(small, taught):
    market = load_market(taught, as_of=GENESIS)
    learned, engine = market.plans[PLAN], market.simulated[PLAN]
    assert (learned.r_multiple != engine.r_multiple)[learned.known_at != NEVER].sum() > 100
    alone = load_market(small, as_of=GENESIS)
    assert alone.simulated is alone.plans
    for name in ("r_multiple", "known_at", "close_rate", "uniqueness"):
        np.testing.assert_array_equal(getattr(engine, name), getattr(alone.plans[PLAN], name))
    np.testing.assert_array_equal(learned.uniqueness, engine.uniqueness)
    ours, theirs = seal_bytes(taught), seal_bytes(small, until=GENESIS)
    first = f"models/main/{GENESIS}/"
    assert ours[f"{first}state/r1.json"] != theirs[f"{first}state/r1.json"]
    assert ours[f"{first}state/r3.json"] == theirs[f"{first}state/r3.json"], "the desk does not trade its plan"


def week_of(paths: Paths) -> Week:
    return Week(Run(history="main", as_of=GENESIS, previous="2018-03-26", genesis=GENESIS), paths)


def test_the_gap_is_the_slippage_that_was_put_in(taught):
    """Of the pair that fills badly 10 bps of slippage a side, of the other 2; 2.5 in the model, and the same fee."""
    found = outcome_recorded.recorded_of(week_of(taught), outcomes={"source": "files"})
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


def test_the_report_says_it_in_words_and_in_private_shows_no_trade(small, taught):
    week = week_of(taught)
    found = outcome_recorded.recorded_of(week, outcomes={"source": "files"})
    assert "cost more than the model's" in str(recorded_reading(found))
    hidden = outcome_recorded.recorded_of(week, outcomes={"source": "files", "private": True})
    shown = "".join(str(part(hidden)) for part in (recorded_reading, traded_table, findings_table))
    names = [*found.pairs["signal_id"], *read_recorded(taught.recorded)["signal_id"]]
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
    write_settings(paths, changes=CHANGES)
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


def test_the_seal_is_json_that_names_the_snapshot(taught):
    head = json.loads((taught.seal(history="main", as_of=GENESIS) / "seal.json").read_text())
    assert head["recorded"] == GENESIS
