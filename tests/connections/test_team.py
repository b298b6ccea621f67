"""A desk that shares its work: trades that never reach git, a remote of DVC, weeks that come late or lie unmerged."""

from __future__ import annotations

import hashlib
import re
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from edgebook.errors import SealError
from edgebook.files import tables
from edgebook.files.private_data import add_again, make_private, make_public, seen_by_git
from edgebook.loop.history import backfill
from edgebook.outcomes.candidates import label_candidates
from edgebook.paths import Paths, repository
from edgebook.running.data_fetch import fetch
from edgebook.running.next_week import set_next_week
from edgebook.running.settings_file import set_week
from edgebook.running.weekly import run_weekly
from edgebook.safety.safety_market import WEEK, environment, lay_out, small_settings
from edgebook.seals.seals import read_seal, sealed_weeks
from edgebook.settings.loading import load_params
from edgebook.sources.sources import load_bars
from edgebook.stages.stages import run_stage
from edgebook.summary.summary_state import late_told

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from small_desk import desk_trades
from small_market import fold_small_history, seal_bytes, small_bars

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

PLAN = "tp2.0_sl1.5_t12"
PRIVATE = """
  source: database
  private: true
  exit_plan: tp2.0_sl1.5_t12
  database: {url: DESK_DATABASE}
"""


def run(root: Path, *words: str, fails: bool = False) -> str:
    """One command in a repository, as an analyst would type it; both streams of what it says."""
    done = subprocess.run(
        words, cwd=root, env=environment(root), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert (done.returncode != 0) == fails, f"{' '.join(words)}\n{done.stdout[-3000:]}"
    return done.stdout


def commit(root: Path, message: str) -> None:
    run(root, "git", "add", "-A")
    run(root, "git", "-c", "user.name=desk", "-c", "user.email=desk@example.org", "commit", "-qm", message)


def save(frame: pd.DataFrame, name: str, *, file: Path) -> None:
    """A table of the desk's own database."""
    shown = frame.copy()
    for column in shown.select_dtypes("datetimetz"):
        shown[column] = shown[column].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    with sqlite3.connect(file) as base:
        shown.to_sql(name, base, index=False, if_exists="replace")
    base.close()


def planted(bars: pd.DataFrame, *, until: str, n: int) -> pd.DataFrame:
    """Trades whose names and numbers are found nowhere else, of candidates that had closed by a Monday."""
    params = small_settings(Paths(repository()))
    grid = params.candidates
    plans, costs = grid.plans, grid.costs
    table = label_candidates(bars, plans, costs=costs, atr_bars=grid.atr_bars)[PLAN]
    closed = table[(table["exit_reason"] != "open") & (table["close_date"] <= pd.Timestamp(until, tz="UTC"))]
    rng = np.random.default_rng(7)
    rows = closed.iloc[np.sort(rng.choice(len(closed), n, replace=False))]
    trades = desk_trades(rows, slippage=rng.uniform(1e-4, 2e-3, n))
    return trades.assign(signal_id=[f"ZEBRA{place:04d}" for place in range(n)])


def traces(trades: pd.DataFrame, outcomes: pd.DataFrame) -> set[bytes]:
    """Text that would give a trade away: names, fills, profits and R, as written in full and as rounded."""
    found = {name.encode() for name in trades["signal_id"]}
    for frame, names in (
        (trades, ("open_rate", "close_rate", "profit_ratio")),
        (outcomes, ("open_rate", "close_rate", "profit_ratio", "r_multiple")),
    ):
        for name in names:
            for value in frame[name].dropna():
                spelled = {repr(float(value)), f"{value:.6f}", f"{value:.8g}", f"{value:.7g}"}
                found |= {text.lstrip("-").encode() for text in spelled if len(text.strip("-0.").replace(".", "")) > 5}
    return found


def blobs(root: Path) -> dict[str, bytes]:
    """Everything that git has, of all commits, by name."""
    listed = run(root, "git", "cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)")
    names = [line.split()[1] for line in listed.splitlines() if line.startswith("blob")]
    return {
        name: subprocess.run(["git", "cat-file", "blob", name], cwd=root, capture_output=True, check=True).stdout
        for name in names
    }


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> tuple[Paths, pd.DataFrame]:
    """A repository in private mode whose bars and trades come out of a database, a week run and committed."""
    top = tmp_path_factory.mktemp("team")
    base = top / "desk.sqlite"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DESK", f"sqlite:///{base}")
        paths = Paths(top / "repo")
        paths.root.mkdir()
        params = small_settings(Paths(repository()))
        bars = load_bars(
            source="synthetic", timeframes=params.bars.timeframes, as_of=WEEK, synthetic=params.bars.synthetic
        )
        trades = planted(bars, until=WEEK, n=60)
        save(bars, "bars", file=base)
        lay_out(
            paths.root,
            params=replace(
                params,
                bars=replace(params.bars, source="database", database=replace(params.bars.database, url="DESK")),
                outcomes=replace(
                    params.outcomes,
                    source="database",
                    private=True,
                    exit_plan=PLAN,
                    database=replace(params.outcomes.database, url="DESK", tp_sl_hits=""),
                ),
            ),
            paths=Paths(repository()),
        )
        whole = "notebooks/outcome_analysis.ipynb"  # which was cut before the part that speaks of the desk
        shutil.copy(repository() / whole, paths.root / whole)
        commit(paths.root, "A desk")

        save(trades.iloc[:40], "signal_outcomes", file=base)
        said = run(paths.root, "edgebook", "data", "fetch", "--until", "2018-04-09", fails=True)
        assert "git would take what comes into data/recorded; run `edgebook data private recorded` first" in said
        assert not list(paths.recorded.glob("*.csv"))
        run(paths.root, "edgebook", "data", "private", "recorded", "received")
        run(paths.root, "dvc", "remote", "add", "-d", "desk", str(top / "remote"))
        run(paths.root, "edgebook", "data", "fetch", "--until", "2018-04-09")
        first = (paths.root / "data" / "recorded.dvc").read_bytes()

        save(trades, "signal_outcomes", file=base)
        said = run(paths.root, "edgebook", "data", "fetch", "--until", WEEK)
        assert " new, " in said, said
        assert (paths.root / "data" / "recorded.dvc").read_bytes() != first
        run(paths.root, "dvc", "repro")
        commit(paths.root, f"Week to {WEEK}")
        run(paths.root, "dvc", "push", "-q")
        yield paths, trades


def test_no_trade_is_in_any_blob_of_git(desk):
    paths, trades = desk
    outcomes = tables.read(paths.outcomes / f"{PLAN}.parquet")
    recorded = outcomes[outcomes["source"] == "recorded"]
    assert recorded["open_rate"].nunique() == len(trades) == 60
    wanted = re.compile(b"|".join(sorted(map(re.escape, traces(trades, recorded)))))
    found = {name: wanted.search(text) for name, text in blobs(paths.root).items()}
    assert {name: match[0] for name, match in found.items() if match} == {}
    snapshot = b"".join(file.read_bytes() for file in paths.recorded.glob("*.csv"))
    assert len(set(wanted.findall(snapshot))) > 3 * len(trades), "the search finds what is there"
    page = (paths.reports / WEEK / "outcome_analysis.html").read_text(encoding="utf-8")
    assert "Private mode: counts and means are of whole tens of trades" in page
    listed = run(paths.root, "git", "ls-files", "data")
    assert "data/recorded.dvc" in listed
    assert "data/received.dvc" in listed
    assert "data/recorded/" not in listed


def test_a_colleague_pulls_the_same_bytes_and_has_nothing_to_do(desk, tmp_path):
    paths, _ = desk
    theirs = tmp_path / "theirs"
    run(paths.root, "git", "clone", "-q", str(paths.root), str(theirs))
    run(theirs, "dvc", "pull", "-q")
    for name in ("recorded", "received"):
        ours = {file.name: file.read_bytes() for file in (paths.root / "data" / name).iterdir()}
        assert {file.name: file.read_bytes() for file in (theirs / "data" / name).iterdir()} == ours
    said = run(theirs, "dvc", "repro")
    assert "up to date" in said
    assert "Running stage" not in said
    assert run(theirs, "git", "status", "--porcelain") == ""


def snapshot(root: Path, date: str) -> None:
    (root / "data" / "recorded" / f"outcomes-{date}.csv").write_text(f"a snapshot of {date}\n", encoding="utf-8")


def test_a_folder_goes_to_dvc_and_back_and_two_branches_of_it_unite(tmp_path):
    """As share-data.md and unmerged-weeks.md say: private, again, a colleague's snapshot and ours, and undone."""
    root, theirs = tmp_path / "ours", tmp_path / "theirs"
    (root / "data" / "recorded").mkdir(parents=True)
    (root / "data" / "recorded" / "README.md").write_text("Snapshots.\n", encoding="utf-8")
    shutil.copy(repository() / ".gitattributes", root)
    run(root, "git", "init", "-q", "-b", "main")
    run(root, "dvc", "init", "-q")
    run(root, "dvc", "remote", "add", "-q", "-d", "desk", str(tmp_path / "remote"))
    commit(root, "Begin")
    snapshot(root, "2018-04-02")
    assert "is tracked by DVC now" in make_private(Paths(root), ["recorded"])[0]
    commit(root, "Private")
    assert "is private already" in make_private(Paths(root), ["recorded"])[0]
    assert run(root, "git", "status", "--porcelain") == ""
    run(root, "dvc", "push", "-q")

    run(root, "git", "clone", "-q", str(root), str(theirs))
    run(theirs, "dvc", "pull", "-q")
    for place, date in ((root, "2018-04-09"), (theirs, "2018-04-10")):
        snapshot(place, date)
        assert add_again(Paths(place)) == ""
        commit(place, f"Snapshot of {date}")
    run(theirs, "dvc", "push", "-q")
    driver = "dvc git-hook merge-driver --ancestor %O --our %A --their %B"
    run(root, "git", "config", "merge.dvc.driver", driver)
    run(root, "git", "fetch", "-q", str(theirs), "main:theirs")
    run(root, "dvc", "fetch", "-q", "--all-branches")
    run(root, "git", "-c", "user.name=desk", "-c", "user.email=desk@example.org", "merge", "-q", "--no-edit", "theirs")
    run(root, "dvc", "checkout", "-q")
    names = {file.name for file in (root / "data" / "recorded").iterdir()}
    assert names == {"README.md", *(f"outcomes-2018-04-{day}.csv" for day in ("02", "09", "10"))}

    assert "is git's again" in make_public(Paths(root), ["recorded"])[0]
    assert "data/recorded/outcomes-2018-04-10.csv" in seen_by_git(Paths(root), ["data/recorded"])
    assert "is not private" in make_public(Paths(root), ["recorded"])[0]


# --- weeks that lie unmerged


TABLES = ("bars.parquet", "indicators.parquet", "votes.parquet", "patterns.parquet", "regimes.parquet")
FOURTH = """\
  r4: {role: proposal, proposed: "2018-06-11", title: four heads, exit_plan: tp2.0_sl1.5_t12, min_heads_agree: 4}
sizing:"""


@pytest.fixture(scope="module")
def origin(tmp_path_factory) -> Path:
    """A small history in git, whose data go three weeks further than its seals."""
    paths = fold_small_history(tmp_path_factory.mktemp("origin"))
    for name in (".gitattributes", "data/.gitignore"):
        shutil.copy(repository() / name, paths.root / name)
    report(paths.root)
    set_week(paths.params, as_of="2018-05-28", previous="2018-05-21")  # written as every later week will write it
    run(paths.root, "git", "init", "-q", "-b", "main")
    commit(paths.root, "A history")
    return paths.root


def report(root: Path) -> None:
    """Stands for the stages after `learn`: what they rewrite each week, in their places, told by settings and seals."""
    weeks = sealed_weeks(Paths(root), "main")
    told = hashlib.sha256((root / "params.yaml").read_bytes()).hexdigest()
    summary = f"reports/{weeks[-1]}/summary.md"
    (root / summary).parent.mkdir(parents=True, exist_ok=True)
    for name in ("reports/index.html", "reports/metrics.json", summary):
        (root / name).write_text(f"main, week to {weeks[-1]}\n{told}\n{weeks}\n", encoding="utf-8")
    lock = f"  summary:\n    cmd: edgebook run summary\n    outs:\n    - path: {summary}\n      md5: {told[:32]}\n"
    (root / "dvc.lock").write_text(f"schema: '2.0'\nstages:\n{lock}", encoding="utf-8")


def clone(origin: Path, root: Path) -> Path:
    """A colleague's clone; the tables, which DVC would pull, are linked."""
    run(origin, "git", "clone", "-q", str(origin), str(root))
    run(root, "git", "config", "user.name", "colleague")
    run(root, "git", "config", "user.email", "colleague@example.org")
    for name in (*TABLES, "candidates", "outcomes"):
        (root / "data" / name).symlink_to(origin / "data" / name)
    return root


def weekly(root: Path) -> str:
    """The next week, set, sealed and committed."""
    paths = Paths(root)
    following, _ = set_next_week(load_params(paths.params), paths)
    backfill(load_params(paths.params), paths, until=following)
    report(root)
    commit(root, f"Week to {following}")
    return following


def change(root: Path, old: str, new: str) -> None:
    """Main moves on: a setting is changed, the reports are made again, and both are committed."""
    text = (root / "params.yaml").read_text(encoding="utf-8")
    assert old in text
    (root / "params.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    load_params(root / "params.yaml")
    report(root)
    commit(root, "Main moved on")


def conflicts(root: Path) -> list[str]:
    return run(root, "git", "diff", "--name-only", "--diff-filter=U").split()


def test_two_who_seal_the_same_week_from_the_same_inputs_have_the_same_bytes(origin, tmp_path):
    mine, theirs = clone(origin, tmp_path / "mine"), clone(origin, tmp_path / "theirs")
    assert weekly(mine) == weekly(theirs) == "2018-06-04"
    run(mine, "git", "pull", "-q", "--no-rebase", "--no-edit", str(theirs), "main")
    assert seal_bytes(Paths(mine)) == seal_bytes(Paths(theirs))
    assert run(mine, "git", "status", "--porcelain") == ""


def test_weeks_that_lay_unmerged_are_kept_and_mains_changes_count_from_the_next(origin, tmp_path):
    """The page's first way: `git merge main`, our lock and pages, then the next week."""
    root = clone(origin, tmp_path / "mine")
    run(root, "git", "switch", "-q", "-c", "weeks")
    assert [weekly(root), weekly(root)] == ["2018-06-04", "2018-06-11"]
    sealed = seal_bytes(Paths(root))
    run(root, "git", "switch", "-q", "main")
    change(root, "sizing:", FOURTH)
    change(root, "risk_per_trade: 0.005", "risk_per_trade: 0.004")
    run(root, "git", "switch", "-q", "weeks")

    run(root, "git", "merge", "main", fails=True)
    assert conflicts(root) == ["dvc.lock", "reports/index.html", "reports/metrics.json"]
    assert "<<<<<<<" not in (root / "dvc.lock").read_text(encoding="utf-8")
    run(root, "git", "checkout", "--ours", "dvc.lock", "reports")
    commit(root, "Main, and the weeks that lay")
    params = load_params(root / "params.yaml")
    assert (params.run.as_of, "r4" in params.recipes) == ("2018-06-11", True)
    assert seal_bytes(Paths(root)) == sealed
    assert weekly(root) == "2018-06-18"
    assert {name: text for name, text in seal_bytes(Paths(root)).items() if name in sealed} == sealed
    alone = clone(origin, tmp_path / "alone")
    assert [weekly(alone), weekly(alone), weekly(alone)][-1] == "2018-06-18"
    without = seal_bytes(Paths(alone))
    assert {name: without[name] for name in sealed} == sealed
    assert without["models/main/2018-06-18/seal.json"] != seal_bytes(Paths(root))["models/main/2018-06-18/seal.json"]


def test_weeks_may_be_made_again_on_main_and_the_branch_be_dropped(origin, tmp_path):
    """The page's second way: a new branch of main, `edgebook weekly` until there is nothing to do."""
    root = clone(origin, tmp_path / "mine")
    run(root, "git", "switch", "-q", "-c", "weeks")
    weekly(root)
    dropped = seal_bytes(Paths(root))
    run(root, "git", "switch", "-q", "main")
    change(root, "risk_per_trade: 0.005", "risk_per_trade: 0.004")
    run(root, "git", "switch", "-q", "-c", "weeks-again")
    assert sealed_weeks(Paths(root), "main")[-1] == "2018-05-28"
    assert [weekly(root), weekly(root)] == ["2018-06-04", "2018-06-11"]
    again = seal_bytes(Paths(root))
    assert dropped.keys() <= again.keys()
    assert again["models/main/2018-06-04/seal.json"] != dropped["models/main/2018-06-04/seal.json"]
    assert again["models/main/2018-05-28/seal.json"] == dropped["models/main/2018-05-28/seal.json"]


def test_two_seals_of_one_week_are_never_mixed(origin, tmp_path):
    """Other inputs, other bytes: git asks, one side is taken whole, and a mix of both is refused by its digests."""
    mine, theirs = clone(origin, tmp_path / "mine"), clone(origin, tmp_path / "theirs")
    change(theirs, "risk_per_trade: 0.005", "risk_per_trade: 0.004")
    week = weekly(mine)
    assert weekly(theirs) == week
    run(mine, "git", "pull", "-q", "--no-rebase", str(theirs), "main", fails=True)
    torn = conflicts(mine)
    assert f"models/main/{week}/seal.json" in torn
    ours = read_seal(Paths(mine), history="main", as_of=week)  # the files of our side stand there, without marks
    run(mine, "git", "checkout", "--theirs", f"models/main/{week}/days.csv")
    with pytest.raises(SealError, match=f"{week}.*days.csv"):
        read_seal(Paths(mine), history="main", as_of=week)
    run(mine, "git", "checkout", "--theirs", "models", "data/ledger", "dvc.lock", "reports")
    taken = read_seal(Paths(mine), history="main", as_of=week)
    assert taken.head != ours.head
    assert seal_bytes(Paths(mine)) == seal_bytes(Paths(theirs))


# --- bars that come late


LATE = pd.Timestamp("2018-06-03 00:00", tz="UTC")
"""A day before the week ends that follows the small history."""


@pytest.fixture
def waiting(origin, tmp_path, monkeypatch) -> tuple[Paths, Callable[[pd.DataFrame], str]]:
    """The small history, whose bars now come from a database; and what `edgebook weekly` says when it holds some."""
    monkeypatch.setenv("DESK", f"sqlite:///{tmp_path / 'desk.sqlite'}")
    root = clone(origin, tmp_path / "mine")
    source = "source: database\n  database: {url: DESK}"
    change(root, "source: synthetic", source)

    def say(bars: pd.DataFrame) -> str:
        save(bars, "bars", file=tmp_path / "desk.sqlite")
        return str(run_weekly(Paths(root), lock=0)["line"])

    return Paths(root), say


def until(monday: str) -> pd.DataFrame:
    return small_bars()[lambda bars: bars["date"] <= pd.Timestamp(monday, tz="UTC")]


def test_a_symbol_without_its_last_day_holds_the_week_until_it_comes(waiting, monkeypatch):
    paths, say = waiting
    bars = until("2018-06-04")
    said = say(bars[(bars["date"] <= LATE) | (bars["pair"] == "S01/USD")])
    assert "nothing to do, the data do not complete the week to 2018-06-04" in said
    assert "S02/USD 4h since 2018-06-03 00:00" in said
    assert load_params(paths.params).run.as_of == "2018-05-28"
    ran = []
    monkeypatch.setattr("edgebook.running.weekly.repro", lambda *_, following, **__: ran.append(following))
    monkeypatch.setattr("edgebook.running.weekly._told", lambda *_, week, **__: {"line": week})
    assert say(bars).startswith("2018-06-04; database: 7 new bars")
    assert ran == ["2018-06-04"]


def test_a_market_that_is_a_day_late_holds_the_week(waiting):
    _, say = waiting
    said = say(until("2018-06-03"))
    assert "nothing to do, the data do not complete the week to 2018-06-04" in said
    assert "the data of database end at 2018-06-03 00:00 UTC; the week to 2018-06-04 is not complete" in said


def test_a_week_that_need_not_wait_says_who_was_late(waiting):
    """`bars.silent` lets the week run; the stage, summary and dashboard name the series."""
    paths, _ = waiting
    change(paths.root, "database: {url: DESK}", "database: {url: DESK}\n  silent: [S02/USD]")
    bars = until("2018-06-04")
    save(bars[(bars["date"] <= LATE) | (bars["pair"] == "S01/USD")], "bars", file=paths.root.parent / "desk.sqlite")
    params = load_params(paths.params)
    assert "late: S02/USD 1d since 2018-06-03 00:00, S02/USD 4h since 2018-06-03 00:00" in fetch(params, paths)["line"]
    set_next_week(params, paths)
    (paths.root / "data" / "bars.parquet").unlink()  # it is the other tests' too
    assert "LATE, and accepted: S02/USD 1d since 2018-06-03" in run_stage("bars", paths=paths)
    (told,) = late_told(tables.read(paths.bars), as_of="2018-06-04")
    assert "S02/USD 4h since 2018-06-03 00:00" in told
    assert late_told(until("2018-06-04"), as_of="2018-06-04") == []


def test_weeks_that_were_missed_are_caught_up_one_a_call_with_the_same_bytes(waiting, origin, tmp_path, monkeypatch):
    """Nobody ran it for two weeks: two calls, and the seals that two Mondays would have made."""
    paths, say = waiting

    def seal(paths: Paths, *, following: str, **_: object) -> None:
        backfill(load_params(paths.params), paths, until=following)
        report(paths.root)

    monkeypatch.setattr("edgebook.running.weekly.repro", seal)
    assert "the week after is complete too, run it again" in say(until("2018-06-11"))
    assert "sealed" in say(until("2018-06-11"))
    assert "nothing to do" in say(until("2018-06-11"))
    assert sealed_weeks(paths, "main")[-2:] == ["2018-06-04", "2018-06-11"]
    prompt = Paths(clone(origin, tmp_path / "prompt"))
    change(prompt.root, "source: synthetic", "source: database\n  database: {url: DESK}")
    for week in ("2018-06-04", "2018-06-11"):
        save(until(week), "bars", file=tmp_path / "desk.sqlite")
        run_weekly(prompt, lock=0)
        assert sealed_weeks(prompt, "main")[-1] == week
    assert seal_bytes(prompt) == seal_bytes(paths)
