"""Desks of three kinds through the whole of `dvc repro`, one more week, and every week derived again.

A SQLite database, a PostgreSQL server that has the bars too, and a database that freqtrade itself made: each is
connected as the how-tos say, by commands alone, in a repository of its own.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from desk_repository import FIRST, NEXT, ROOT, make_repository, run, settings

from edgebook.files.databases import open_database
from edgebook.outcomes.candidates import label_candidates
from edgebook.outcomes.recorded import read_recorded, snapshots
from edgebook.seals.seals import read_head, sealed_weeks
from edgebook.settings.exit_plans import Costs, ExitPlan
from small_desk import COLUMNS, HITS, desk_trades, write_database
from small_market import GENESIS, LAST, PLAN, small_bars

if TYPE_CHECKING:
    from cluster import Cluster

    from edgebook.paths import Paths

pytestmark = pytest.mark.slow

FREQTRADE = ROOT / "tests" / "peers" / "desk" / "tradesv3.sqlite"
SLIPPAGE = 0.001


@dataclass(frozen=True)
class Desk:
    """A repository in which a desk was connected, one week reproduced, and the next one run."""

    paths: Paths
    week: str
    following: str
    trades: int
    """Closed trades that the desk had by the first of the two weeks."""
    said: dict[str, str]
    """What the commands said: repro, weekly, rederive."""


def their_trades() -> pd.DataFrame:
    """What the desk did until the bars end: every third candidate of the champion's plan, filled worse by 10 bps."""
    labelled = label_candidates(small_bars(), [ExitPlan.parse(PLAN)], costs=Costs(7.5, 2.5, 1.0))[PLAN]
    near = labelled[labelled["open_date"] >= pd.Timestamp("2018-02-05", tz="UTC")]
    return desk_trades(near[::3], slippage=SLIPPAGE, exit_plan=PLAN)


def later(trades: pd.DataFrame) -> pd.DataFrame:
    """The same a week on: one profit is corrected, one trade struck."""
    trades = trades.drop(index=7).reset_index(drop=True)
    trades.loc[11, "profit_ratio"] -= 0.002
    return trades


def known_by(trades: pd.DataFrame, week: str) -> int:
    """Trades that had closed by a Monday."""
    return int((trades["close_date"] <= pd.Timestamp(week, tz="UTC")).sum())


def finish(paths: Paths, *, week: str, following: str, trades: int, said: dict[str, str]) -> Desk:
    """Run the next week, and derive all of them again."""
    said["weekly"] = run(paths.root, "edgebook", "weekly")
    said["rederive"] = run(paths.root, "edgebook", "rederive")
    return Desk(paths, week, following, trades, said)


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk's SQLite, under the desk's own names."""
    root = tmp_path_factory.mktemp("sqlite")
    outcomes = f"""outcomes:
  source: database
  database:
    url: DESK_DATABASE
    tp_sl_hits: {HITS}
    columns: {COLUMNS}
    timezone: UTC
  exit_words: {{timeout: time_exit}}
  exit_plan: {PLAN}
"""
    paths = make_repository(root / "mine", settings=settings(outcomes))
    (paths.root / ".env").write_text(f"DESK_DATABASE=sqlite:///{root / 'desk.sqlite'}\n", encoding="utf-8")
    trades = their_trades()
    write_database(trades, path=root / "desk.sqlite")
    said = {"fetch": run(paths.root, "edgebook", "data", "fetch", "--until", FIRST)}
    said["repro"] = run(paths.root, "dvc", "repro")
    write_database(later(trades), path=root / "desk.sqlite")
    return finish(paths, week=FIRST, following=NEXT, trades=known_by(trades, FIRST), said=said)


@pytest.fixture(scope="module")
def postgresql(postgres: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk that keeps bars and outcomes in one PostgreSQL; a role that may only read is what Edgebook gets."""
    name = postgres.new_database()
    outcomes = f"outcomes: {{source: database, exit_plan: {PLAN}, database: {{url: DESK_DATABASE}}}}\n"
    bars = "source: database\n  database: {url: DESK_DATABASE, query: market.bars}"
    root = tmp_path_factory.mktemp("postgresql")
    paths = make_repository(root, settings=settings(outcomes, bars=bars))
    trades = their_trades()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DESK_DATABASE", postgres.url(name))
        engine = open_database("DESK_DATABASE", root=root)
        with engine.begin() as connection:
            connection.exec_driver_sql("create schema market")
            small_bars().to_sql("bars", connection, schema="market", index=False)
        keep(engine, trades)
        said = {"fetch": run(root, "edgebook", "data", "fetch", "--until", FIRST)}
        said["repro"] = run(root, "dvc", "repro")
        keep(engine, later(trades))
        desk = finish(paths, week=FIRST, following=NEXT, trades=known_by(trades, FIRST), said=said)
    for file in paths.root.rglob("*"):
        assert not file.is_file() or postgres.password.encode() not in file.read_bytes(), file
    return desk


def keep(engine, trades: pd.DataFrame) -> None:
    """The desk's tables, as they stand."""
    hits = trades[trades["exit_reason"].isin(["take_profit", "stop_loss"])]
    hits = hits.assign(hit=hits["exit_reason"], hit_date=hits["close_date"], hit_rate=hits["close_rate"])
    with engine.begin() as connection:
        trades.to_sql("signal_outcomes", connection, index=False, if_exists="replace")
        hits[["signal_id", "hit", "hit_date", "hit_rate"]].to_sql(
            "tp_sl_hits", connection, index=False, if_exists="replace"
        )


@pytest.fixture(scope="module")
def freqtrade(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A freqtrade bot's database, imported each Monday."""
    before = "2018-05-21"
    text = settings("outcomes: {source: files}\n", week=LAST, before=before)
    paths = make_repository(tmp_path_factory.mktemp("freqtrade"), settings=text)
    run(paths.root, "edgebook", "run", "bars")  # so that a future is known to be the pair of the bars
    words = ("edgebook", "import", str(FREQTRADE), "--from", "freqtrade", "--exit-plan", PLAN)
    said = {"fetch": run(paths.root, *words, "--until", LAST)}
    said["repro"] = run(paths.root, "dvc", "repro")
    said["again"] = run(paths.root, *words, "--until", "2018-06-04")
    return finish(paths, week=LAST, following="2018-06-04", trades=0, said=said)


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "freqtrade"])
def desk(request: pytest.FixtureRequest) -> Desk:
    """Each of them in turn."""
    return request.getfixturevalue(request.param)


def test_every_report_of_both_weeks_is_there(desk):
    for week in (desk.week, desk.following):
        pages = {page.name for page in (desk.paths.reports / week).glob("*.html")}
        assert {"index.html", "outcome_analysis.html", "ab_test.html", "learning_review.html"} <= pages
    assert sealed_weeks(desk.paths, "main")[0] == GENESIS
    assert sealed_weeks(desk.paths, "main")[-2:] == [desk.week, desk.following]


def test_every_week_comes_again_from_the_snapshots_byte_for_byte(desk):
    weeks = len(sealed_weeks(desk.paths, "main"))
    assert f"{weeks} weeks derived again, every byte the same" in desk.said["rederive"]
    told = [date for date, _ in snapshots(desk.paths.recorded)]
    assert told == [desk.week, desk.following]
    for week in told:
        assert read_head(desk.paths, history="main", as_of=week)["recorded"] == week


def test_candidates_that_the_desk_took_have_its_outcome(desk):
    """The profit of each recorded outcome is one that the desk's rows tell."""
    theirs = read_recorded(desk.paths.recorded)
    joined = pd.concat([pd.read_parquet(file) for file in desk.paths.outcomes.glob("*.parquet")])
    recorded = joined[(joined["source"] == "recorded") & (joined["exit_reason"] != "open")]
    assert set(recorded["profit_ratio"].round(6)) <= set(theirs["profit_ratio"].round(6))
    assert len(recorded) >= max(desk.trades, 40)


def test_the_report_says_what_the_desks_fills_cost(desk):
    page = (desk.paths.reports / desk.following / "outcome_analysis.html").read_text(encoding="utf-8")
    assert "own fills" in page
    assert "Recorded less simulated" in page
    assert "No outcome is recorded" not in page


def test_nothing_is_left_to_do(desk):
    assert "up to date" in run(desk.paths.root, "dvc", "repro")


def test_a_correction_and_a_struck_trade_are_rows_of_the_second_snapshot(sqlite, postgresql):
    for one in (sqlite, postgresql):
        rows = read_recorded(one.paths.recorded)
        second = rows[rows["snapshot"] == pd.Timestamp(NEXT, tz="UTC")]
        assert (second["status"] == "deleted").sum() == 1
        assert (second["signal_id"].isin(["T00007", "T00012"])).sum() == 2


def test_both_databases_give_the_same_history(sqlite, postgresql):
    """Bars drawn or received, outcomes under whichever names: what was learned is the same."""

    def learned(one: Desk, week: str) -> dict[str, bytes]:
        place = one.paths.seal(history="main", as_of=week)
        return {file.name: file.read_bytes() for file in sorted((place / "policies").glob("*.json"))}

    for week in (GENESIS, FIRST, NEXT):
        assert learned(sqlite, week) == learned(postgresql, week) != {}
