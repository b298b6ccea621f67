"""Stages read what they declare, write what the loop reads, and seal the same week as a backfill does."""

from __future__ import annotations

import ast
import inspect
import json
import shutil
import subprocess
from dataclasses import replace

import pandas as pd
import pytest

from edgebook.errors import DataError, SealError, SettingsError
from edgebook.files import tables
from edgebook.importance.importance_run import importance_in_force, write_importance
from edgebook.loop.history import backfill
from edgebook.paths import Paths, repository
from edgebook.seals.seals import read_seal, sealed_weeks
from edgebook.seals.week import Week
from edgebook.settings.loading import load_params
from edgebook.settings.params import plain
from edgebook.settings.sections import join
from edgebook.settings.settings_yaml import read_mapping
from edgebook.stages import stages
from edgebook.stages.stages import MODULE_STAGES, REPORTS, decision_line, declared, report_header, run_stage
from small_market import LAST, copy_history, seal_bytes, small_bars

NEXT = "2018-06-04"


@pytest.fixture
def mine(small, tmp_path) -> Paths:
    return copy_history(small, tmp_path / "mine")


def set_week(paths: Paths, as_of: str, previous: str) -> None:
    text = paths.params.read_text(encoding="utf-8")
    params = load_params(paths.params)
    text = text.replace(
        f'as_of: "{params.run.as_of}", previous: "{params.run.previous}"', f'as_of: "{as_of}", previous: "{previous}"'
    )
    paths.params.write_text(text, encoding="utf-8")


def with_importance(paths: Paths) -> None:
    """What the importance stage of the coming week leaves."""
    params = load_params(paths.params)
    week, settings = Week(params.run, paths), plain(params.importance)
    write_importance(importance_in_force(week, importance=settings, exit_plan="tp2.0_sl1.5_t12"), paths=paths)


# --- tables


@pytest.mark.parametrize("file", ["params.yaml", "examples/params.yaml"])
def test_settings_that_are_shipped_have_every_section_that_a_stage_declares(file):
    """DVC asks for them by name, and takes no default."""
    stages = read_mapping(repository() / "dvc.yaml")["stages"].values()
    asked = {name for stage in stages for name in stage.get("params", [])}
    assert asked <= set(read_mapping(repository() / file))
    load_params(repository() / file)


def test_module_stages_make_the_tables_that_the_loop_reads(small, tmp_path):
    """The four first stages by their commands give, cut at the week, what the small market was built of."""
    paths = Paths(tmp_path)
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(small.root / name, tmp_path)
    said = [run_stage(stage, paths=paths) for stage in ("bars", "indicators", "candidates", "outcomes")]
    assert "bars of 2 pairs" in said[0]
    assert "69 indicators" in said[1]
    bars = small_bars()
    known = bars[bars["date"] <= pd.Timestamp(LAST, tz="UTC")].reset_index(drop=True)
    pd.testing.assert_frame_equal(tables.read(paths.bars), known, check_exact=True)
    for name in ("indicators", "votes"):
        whole = tables.read(getattr(small, name))
        early = whole[whole["date"] <= pd.Timestamp(LAST, tz="UTC")].reset_index(drop=True)
        pd.testing.assert_frame_equal(tables.read(getattr(paths, name)), early, check_exact=True)
    for place in paths.outcomes.glob("*.parquet"):
        whole = tables.read(small.outcomes / place.name)
        early = whole[whole["known_at"] <= pd.Timestamp(LAST, tz="UTC")].reset_index(drop=True)
        pd.testing.assert_frame_equal(tables.read(place), early, check_exact=True)
    assert {p.name for p in paths.candidates.iterdir()} == {p.name for p in small.candidates.iterdir()}


def test_plans_that_left_the_grid_leave_their_folder(small, tmp_path):
    paths = copy_history(small, tmp_path / "copy", links=False)
    text = paths.params.read_text(encoding="utf-8")
    text = text.replace("take_profit_atr: [2.0, 3.0]", "take_profit_atr: [2.0]")
    text = text.replace("exit_plan: tp3.0_sl1.5_t12", "exit_plan: tp2.0_sl1.5_t12")
    paths.params.write_text(text, encoding="utf-8")
    run_stage("candidates", paths=paths)
    run_stage("outcomes", paths=paths)
    for folder in (paths.candidates, paths.outcomes):
        assert [p.name for p in folder.iterdir()] == ["tp2.0_sl1.5_t12.parquet"]


# --- history and learn


def test_learn_seals_the_week_that_a_backfill_seals(small, mine, tmp_path):
    """One function, two callers."""
    other = copy_history(small, tmp_path / "other")
    backfill(load_params(other.params), other, until=NEXT)
    set_week(mine, NEXT, LAST)
    with_importance(mine)
    assert run_stage("learn", paths=mine).startswith(f"sealed main {NEXT}: r1@{NEXT} stays; r3 has not shown enough")
    assert seal_bytes(mine) == seal_bytes(other)
    assert run_stage("learn", paths=mine).startswith(f"same seal again: main {NEXT}")
    assert seal_bytes(mine) == seal_bytes(other)


def test_a_sealed_week_stays_when_settings_have_changed_since(mine):
    set_week(mine, NEXT, LAST)
    with_importance(mine)
    run_stage("learn", paths=mine)
    before = seal_bytes(mine)
    text = mine.params.read_text(encoding="utf-8")
    mine.params.write_text(text.replace("risk_per_trade: 0.005", "risk_per_trade: 0.004"), encoding="utf-8")
    said = run_stage("learn", paths=mine)
    assert said.startswith(f"main {NEXT} was sealed before and stays as it was")
    assert seal_bytes(mine) == before


def test_history_is_filled_when_it_is_new_and_left_alone_when_it_is_there(mine):
    assert run_stage("history", paths=mine) == "main is sealed up to 2018-05-21, champion r1@2018-05-21"
    for week in sealed_weeks(mine, "main")[-3:]:
        shutil.rmtree(mine.seal(history="main", as_of=week))
        mine.ledger(history="main", as_of=week).unlink()
    assert run_stage("history", paths=mine) == "2 weeks of main sealed, up to 2018-05-21"
    assert sealed_weeks(mine, "main")[-1] == "2018-05-21"


def test_learn_refuses_what_is_missing_or_damaged(mine):
    set_week(mine, NEXT, LAST)
    with pytest.raises(DataError, match=r"data/importance.json: no such file; `dvc repro feature_importance` makes it"):
        run_stage("learn", paths=mine)
    mine.importance.write_text('{"at": ', encoding="utf-8")
    with pytest.raises(DataError, match=r"data/importance.json: not valid JSON"):
        run_stage("learn", paths=mine)
    with_importance(mine)
    mine.study.mkdir()
    (mine.study / "study.json").write_text("{", encoding="utf-8")
    (mine.study / "trials.csv").write_text("number\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"study/study.json: not valid JSON .*; restore it with `git checkout`"):
        run_stage("learn", paths=mine)
    shutil.rmtree(mine.study)
    file = mine.seal(history="main", as_of=LAST) / "state" / "r1.json"
    file.write_text(file.read_text(encoding="utf-8") + " ", encoding="utf-8")
    with pytest.raises(SealError, match=f"models/main/{LAST}/state/r1.json: is not what was sealed"):
        run_stage("learn", paths=mine)
    assert sealed_weeks(mine, "main")[-1] == LAST


# --- what a stage may read


def test_every_stage_of_dvc_yaml_can_be_run(small):
    assert {stage for stage in MODULE_STAGES} | set(REPORTS) == set(stages_of(small))


def stages_of(paths: Paths) -> dict[str, dict]:
    from edgebook.settings.settings_yaml import read_mapping

    return read_mapping(paths.root / "dvc.yaml")["stages"]


def test_a_stage_gets_the_sections_that_it_declares_and_no_others(small):
    for stage, entry in stages_of(small).items():
        assert list(declared(small, stage)) == entry.get("params", [])


@pytest.mark.parametrize("stage", sorted(MODULE_STAGES))
def test_a_module_stage_names_no_section_that_it_does_not_declare(small, stage):
    """Literal look-ups of a section in the stage's function."""
    tree = ast.parse(inspect.getsource(MODULE_STAGES[stage]))
    looked_up = {
        node.slice.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "given"
    }
    assert looked_up <= set(declared(small, stage))


def test_a_section_that_is_not_declared_is_refused(small):
    params = stages._params(declared(small, "learn"))
    assert params.sizing == load_params(small.params).sizing
    assert params.recipes == load_params(small.params).recipes
    with pytest.raises(SettingsError, match=r"dvc.yaml: a stage reads section goals of params.yaml without declar"):
        _ = params.goals


def test_learn_does_not_read_what_it_does_not_declare(mine, monkeypatch):
    """Run it with each undeclared section broken in the file: the check still names it, but nothing else reads it."""
    set_week(mine, NEXT, LAST)
    with_importance(mine)
    seen: list[str] = []
    real = stages._Declared.__getattr__
    monkeypatch.setattr(stages._Declared, "__getattr__", lambda self, name: (seen.append(name), real(self, name))[1])
    run_stage("learn", paths=mine)
    assert seen == []


def test_an_unknown_stage_is_one_line(small):
    with pytest.raises(SettingsError, match=r"^edgebook run lern: no such stage; stages are bars, indicators"):
        run_stage("lern", paths=small)


def test_settings_are_named_the_same_way_everywhere():
    assert join("params.yaml: tuning", "trials") == "params.yaml: tuning.trials"
    assert join("params.yaml", "tuning") == "params.yaml: tuning"


# --- words and headers


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        ({"action": "begin", "recipe": "r1"}, "the history begins with r1@2018-05-28"),
        ({"action": "no challenger"}, "r1@2018-05-28 stays; no challenger is on trial"),
        ({"action": "pin", "recipe": "r1", "reason": "spreads"}, "r1@2018-05-28 by hand: spreads"),
        ({"action": "keep"}, "r1@2018-05-28 stays; r3 has not shown enough yet (wealth 1.23, the bar is 80)"),
        ({"action": "promote"}, "r3 is promoted (wealth 1.23, the bar is 80)"),
        ({"action": "recommend"}, "r1@2018-05-28 stays until `edgebook approve`; the gate recommends r3 (wealth 1.23"),
        ({"action": "retire"}, "r1@2018-05-28 stays; r3 is retired (wealth 1.23, the bar is 80)"),
        ({"action": "roll back"}, "rolled back to r3 (wealth 1.23, the bar is 80)"),
    ],
)
def test_every_decision_has_its_sentence(small, decision, words):
    seal = read_seal(small, history="main", as_of=LAST)
    whole = {"recipe": "r3", "wealth": 1.234, "bar": 80.0} | decision
    assert decision_line(replace(seal, head=seal.head | {"decision": whole})).startswith(words)


def test_a_report_before_learn_knows_only_the_week_before(small):
    champions = {"regime_segmentation": "not asked here", "bayesian_tuning": "r1@2018-05-21", "ab_test": f"r1@{LAST}"}
    for stage, champion in champions.items():
        header = report_header(stage, declared(small, stage), paths=small)
        assert (header.champion, header.as_of, header.market) == (champion, LAST, "synthetic")


def test_fingerprints_of_a_report_follow_its_settings_and_the_bars(small, tmp_path):
    paths = copy_history(small, tmp_path / "copy", links=False)
    before = report_header("ab_test", declared(paths, "ab_test"), paths=paths)
    text = paths.params.read_text(encoding="utf-8")
    paths.params.write_text(text.replace("seed: 17", "seed: 18"), encoding="utf-8")
    assert report_header("ab_test", declared(paths, "ab_test"), paths=paths) == before
    paths.params.write_text(text.replace("rollback_bar: 4.0", "rollback_bar: 5.0"), encoding="utf-8")
    changed = report_header("ab_test", declared(paths, "ab_test"), paths=paths)
    assert changed.parameters_fingerprint != before.parameters_fingerprint
    assert changed.data_fingerprint == before.data_fingerprint
    tables.write(tables.read(paths.bars).iloc[:-1], paths.bars)
    cut = report_header("ab_test", declared(paths, "ab_test"), paths=paths)
    assert cut.data_fingerprint != before.data_fingerprint


# --- summary


def test_summary_tells_the_week_and_writes_the_same_bytes_again(mine, monkeypatch):
    read, asked = tables.read, set()
    monkeypatch.setattr(tables, "read", lambda place, **more: asked.add(place) or read(place, **more))
    run_stage("summary", paths=mine)
    stated = stages_of(mine)["summary"]["deps"]
    names = {place.relative_to(mine.root).as_posix() for place in asked}
    assert names
    assert all(any(name == one or name.startswith(f"{one}/") for one in stated) for name in names), "all are declared"
    names = [f"{LAST}/summary.md", f"{LAST}/index.html", f"{LAST}/metrics.json", "metrics.json", "index.html"]
    first = {name: (mine.reports / name).read_bytes() for name in names}
    run_stage("summary", paths=mine)
    assert {name: (mine.reports / name).read_bytes() for name in names} == first
    seal = read_seal(mine, history="main", as_of=LAST)
    summary = first[f"{LAST}/summary.md"].decode().splitlines()
    assert summary[0] == "# Keep r1: r3 has not shown enough yet"
    assert summary[2].startswith(f"main, week to {LAST}; market synthetic, champion `r1@{LAST}`.")
    page = first[f"{LAST}/index.html"].decode()
    assert summary[0].removeprefix("# ") in page
    metrics = json.loads(first["metrics.json"])
    assert metrics["week"] == 8
    assert metrics["equity"] == seal.account.equity
    ledger = Week(load_params(mine.params).run, mine).ledger
    closed = ledger[ledger["status"] == "closed"]
    assert metrics["account"]["win_rate"]["value"] == pytest.approx((closed["profit_ratio"] > 0).mean(), abs=1e-4)
    assert metrics["account"]["win_rate"]["n"] == len(closed)
    assert f"{len(closed)}" in first["index.html"].decode()


def test_a_summary_of_the_first_week_says_that_nothing_was_traded(small, tmp_path):
    paths = copy_history(small, tmp_path / "copy")
    set_week(paths, "2018-04-09", "2018-04-02")
    given = declared(paths, "summary")
    from edgebook.stages.summary import write_summary

    first = given["run"] | {"as_of": "2018-04-09", "previous": "2018-04-02"}
    write_summary(first, paths, goals=given["goals"])
    assert json.loads((paths.reports / "metrics.json").read_text(encoding="utf-8"))["week"] == 1
    text = (paths.reports / "2018-04-09" / "summary.md").read_text(encoding="utf-8")
    assert text.startswith("# Keep r1: r3 has not shown enough yet\n")


def test_a_damaged_seal_leaves_the_last_reports_in_place(mine):
    run_stage("summary", paths=mine)
    before = {p: p.read_bytes() for p in mine.reports.rglob("*") if p.is_file()}
    file = mine.seal(history="main", as_of="2018-04-23") / "days.csv"
    file.write_text("date\n", encoding="utf-8")
    with pytest.raises(SealError, match=r"models/main/2018-04-23/days.csv: is not what was sealed"):
        run_stage("summary", paths=mine)
    assert {p: p.read_bytes() for p in mine.reports.rglob("*") if p.is_file()} == before


def test_a_missing_table_is_one_line(small, tmp_path):
    paths = copy_history(small, tmp_path / "copy", links=False)
    paths.bars.unlink()
    with pytest.raises(DataError, match=r"bars.parquet: no such table; `dvc repro` makes it"):
        run_stage("indicators", paths=paths)


def test_the_repositorys_own_dvc_yaml_names_the_same_sections_as_params():
    paths = Paths(repository())
    known = {field for field in load_params(paths.params).__dataclass_fields__}
    for entry in stages_of(paths).values():
        assert set(entry.get("params", [])) <= known


@pytest.mark.parametrize("as_of", ["2019-07-01", "2031-12-29"])
def test_what_dvc_keeps_is_ignored_by_git_and_what_git_keeps_is_not(tmp_path, as_of):
    """So that a run leaves nothing in `git status` but what belongs into the commit, this week and any other."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for name in (".gitignore", "data/.gitignore"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(repository() / name, tmp_path / name)
    kept: dict[bool, list[str]] = {True: [], False: []}
    for entry in stages_of(Paths(repository())).values():
        for out in [*entry.get("outs", []), *entry.get("metrics", [])]:
            ((path, how),) = out.items()
            kept[how.get("cache", True)].append(path.replace("${run.as_of}", as_of).replace("${run.history}", "main"))
    asked = "\n".join(kept[True] + kept[False])
    command = ["git", "-C", str(tmp_path), "check-ignore", "--stdin"]
    ignored = subprocess.run(command, input=asked, capture_output=True, text=True).stdout.splitlines()
    assert ignored == kept[True]
    assert f"reports/{as_of}/ab_test.ipynb" in kept[True]
    assert f"reports/{as_of}/ab_test.html" in kept[False]
