"""A history that learns from a desk, on bars that are revised on the way: the same bytes again, and no look-ahead."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from desk_history import CHANGES, SECOND, at, taken_candidates, told
from edgebook.audit.audit import audit
from edgebook.evidence.planted_leaks import DESK_LEAK
from edgebook.loop.history import backfill
from edgebook.loop.rederive import rederive
from edgebook.loop.remaking import remake_tables
from edgebook.outcomes.recorded import append, read_recorded
from edgebook.outcomes.recorded_outcomes import recorded_facts, write_outcomes
from edgebook.outcomes.recorded_snapshot import take
from edgebook.paths import Paths
from edgebook.policy.loaded_plans import revised_outcomes
from edgebook.seals.seals import read_head
from edgebook.settings.params import Params
from edgebook.sources.known_bars import RECEIVED_FOLDER, bars_as_of, revised_mondays
from edgebook.sources.received import append as receive
from edgebook.sources.received import close
from small_desk import write_database
from small_market import GENESIS, copy_history, seal_bytes, small_bars, write_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

THIRD = "2018-04-16"
"""The bars end here; the last seal is of the week before."""
SEED = 6
"""The first time that it draws lies in the first week."""


@pytest.fixture(scope="module")
def taken(small) -> pd.DataFrame:
    return taken_candidates(small)


def settings(paths: Paths, week: str) -> Params:
    """params.yaml of a week of a desk whose bars are received too."""
    received = {"source: synthetic": "source: database\n  database: {url: DESK_BARS}"}
    params = write_settings(paths, changes=CHANGES | received)
    return replace(params, run=replace(params.run, as_of=week))


def receive_until(week: str, paths: Paths) -> None:
    """What a source says at a Monday: from the second week on all of one pair at half its price, a split."""
    moment = at(week)
    bars = small_bars()
    said = bars[bars["date"] <= moment].reset_index(drop=True)
    halved = (said["pair"] == "S02/USD") & (week >= SECOND)
    for name in ("open", "high", "low", "close"):
        said[name] = said[name].where(~halved, said[name] / 2)
    folder, known_at = paths.root / RECEIVED_FOLDER, moment + pd.Timedelta(minutes=10)
    receive(said, folder=folder, known_at=known_at)
    close(folder, up_to=moment, known_at=known_at)


def tables_of(paths: Paths, week: str) -> Params:
    """Every table as the stages leave it in a week."""
    params = settings(paths, week)
    bars = bars_as_of(params.bars, root=paths.root, as_of=week)
    remake_tables(params, bars, plans=params.candidates.plans, into=paths, recorded=paths.recorded, as_of=week)
    return params


@pytest.fixture(scope="module")
def by_the_week(taken, tmp_path_factory) -> Iterator[tuple[Params, Paths]]:
    """Two seals; before each, bars are received and the desk's SQLite database is read. The third week is under way."""
    paths = Paths(tmp_path_factory.mktemp("weeks"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMALL_DESK", f"sqlite:///{paths.root / 'desk.sqlite'}")
        for week in (GENESIS, SECOND):
            receive_until(week, paths)
            write_database(told(taken, until=week), path=paths.root / "desk.sqlite")
            assert "rows" in take(settings(paths, week), paths, until=week)
            backfill(tables_of(paths, week), paths, until=week)
    receive_until(THIRD, paths)
    return tables_of(paths, THIRD), paths


def test_a_history_is_the_same_in_one_go_week_by_week_and_derived_again(by_the_week, tmp_path):
    """With facts that came late, corrections, deletions, trades held open over the Monday, and a split."""
    params, paths = by_the_week
    rows = read_recorded(paths.recorded)
    assert {"open", "closed", "deleted"} == set(rows["status"])
    assert revised_outcomes(paths) == revised_mondays(params.bars, root=paths.root) == [SECOND]
    once = Paths(tmp_path)
    for folder in (paths.recorded, paths.root / RECEIVED_FOLDER):
        shutil.copytree(folder, once.root / folder.relative_to(paths.root))
    backfill(tables_of(once, THIRD), once, until=SECOND)
    assert seal_bytes(once) == seal_bytes(paths)
    assert rederive(params, paths) == []
    heads = [read_head(paths, history="main", as_of=week) for week in (GENESIS, SECOND)]
    assert [head["recorded"] for head in heads] == [GENESIS, SECOND]


def test_the_audit_of_an_honest_desk_finds_nothing_and_gives_its_seals_again(by_the_week):
    """Late facts, corrections, a struck trade and a split are no look-ahead: each time reads what was told by then."""
    params, paths = by_the_week
    found = audit(params, paths, times=2, seed=SEED)
    assert found.times[0] < SECOND < found.times[1]
    assert [str(leak) for leak in found.leaks] == []
    assert found.unreproduced == ()


def test_what_the_desk_said_later_would_be_found(by_the_week, monkeypatch):
    """The audit can fail: its newest versions, where those in force belong."""
    params, paths = by_the_week
    monkeypatch.setattr("edgebook.audit.audit.in_force", lambda tables, **_: tables)
    found = audit(params, paths, times=2, seed=SEED, weeks=0)
    assert found.leaks[0].name == DESK_LEAK.layer
    assert found.leaks[0].at == found.times[0]


# --- a desk that is connected to a history, and brings its past


@pytest.fixture(scope="module")
def late(small, taken, tmp_path_factory) -> tuple[Params, Paths]:
    """A desk is connected to a history of one week, and the second learns from it."""
    paths = copy_history(small, tmp_path_factory.mktemp("late"))
    for week in sorted(paths.history("main").iterdir()):
        if week.name > GENESIS:
            shutil.rmtree(week)
    for file in (paths.root / "data" / "ledger" / "main").glob("*.csv"):
        if file.stem > GENESIS:
            file.unlink()
    (paths.root / "data" / "outcomes").unlink()
    params = write_settings(paths, changes={"candidates:\n": "outcomes: {source: files}\ncandidates:\n"})
    append(told(taken, until=GENESIS), paths=paths, until=SECOND)
    facts = recorded_facts(paths, recorded=paths.recorded, settings=params.outcomes, fee=0.00075, as_of=SECOND)
    write_outcomes(paths, facts=facts)
    backfill(params, paths, until=SECOND)
    return params, paths


def test_weeks_that_were_sealed_without_facts_are_derived_again_without_them(late):
    params, paths = late
    heads = [read_head(paths, history="main", as_of=week) for week in (GENESIS, SECOND)]
    assert [head.get("recorded") for head in heads] == [None, SECOND]
    assert rederive(params, paths) == []


def test_a_past_that_the_desk_brings_is_no_look_ahead(late):
    params, paths = late
    found = audit(params, paths, times=1, seed=SEED)
    assert found.times[0] < SECOND
    assert [str(leak) for leak in found.leaks] == []
    assert found.unreproduced == ()


def test_a_trade_whose_end_is_known_at_its_entry_is_found_by_name(late):
    params, paths = late
    found = audit(params, paths, times=1, seed=SEED, weeks=0, pipeline=DESK_LEAK.pipeline)
    first = found.leaks[0]
    assert (first.name, first.column) == (DESK_LEAK.layer, DESK_LEAK.column)
    assert (first.full, first.cut) == ("there", "missing")
    assert first.at == found.times[0] < SECOND
