"""Every command on a history that can be changed: what it prints, what comes of it in the next week, how it fails."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edgebook import cli
from edgebook.files import tables
from edgebook.files.lock import only_one
from edgebook.importance.importance_run import read_importance
from edgebook.loop import history, rederive
from edgebook.loop.history import backfill, inputs_of
from edgebook.loop.loop import learn_week
from edgebook.paths import Paths, repository
from edgebook.policy.market import load_market
from edgebook.seals.seals import read_seal, sealed_weeks, write_seal
from edgebook.settings.loading import load_params
from small_market import END, GENESIS, LAST, copy_history, seal_bytes

Shell = Callable[..., SimpleNamespace]


@pytest.fixture
def shell(monkeypatch, capsys) -> Shell:
    """Type a command in a repository; returns exit code, output and errors."""

    def typed(paths: Paths, *words: str) -> SimpleNamespace:
        monkeypatch.setenv("EDGEBOOK_ROOT", str(paths.root))
        monkeypatch.setattr(sys, "argv", ["edgebook", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        said = capsys.readouterr()
        return SimpleNamespace(code=left.value.code, out=said.out, err=said.err)

    return typed


@pytest.fixture
def mine(small, tmp_path) -> Paths:
    return copy_history(small, tmp_path / "mine")


def change(paths: Paths, old: str, new: str) -> None:
    text = paths.params.read_text(encoding="utf-8")
    assert old in text
    paths.params.write_text(text.replace(old, new), encoding="utf-8")


def one_line(said: SimpleNamespace, pattern: str) -> None:
    """It failed, and said why in one line."""
    assert said.code == 1
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert re.match(rf"edgebook: {pattern}", said.err), said.err


def some_signal(paths: Paths, status: str) -> str:
    frames = [read_seal(paths, history="main", as_of=week).ledger for week in sealed_weeks(paths, "main")[1:]]
    rows = frames[-1] if status == "open" else frames[1]
    return str(rows.loc[rows["status"] == status, "signal_id"].iloc[0])


# --- reading


def test_versions(shell, small):
    said = shell(small, "versions")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].split() == ["week", "champion", "challenger", "decision", "wealth", "events"]
    assert lines[1].split()[:4] == [GENESIS, f"r1@{GENESIS}", "r3", "begin"]
    rows = json.loads(shell(small, "versions", "--json").out)
    assert [row["week"] for row in rows] == sealed_weeks(small, "main")
    assert rows[-1]["champion"] == f"r1@{LAST}"


def test_compare(shell, small):
    said = shell(small, "compare", "r1@2018-04-16", "r3")
    assert said.code == 0
    assert said.out.startswith(f"r1@2018-04-16  against  r3@{LAST}")
    assert "exit_plan    tp2.0_sl1.5_t12  tp3.0_sl1.5_t12" in said.out
    assert re.search(r"r3: \d+ trades, win rate \d+\.\d% \(\d+\.\d% to \d+\.\d%\), mean [+-]", said.out)
    assert "candidates that they chose in the 8 weeks to 2018-05-28" in said.out
    assert re.search(r"^I     \d+\.\d% \(.*%\)", said.out, re.MULTILINE)
    found = json.loads(shell(small, "compare", "r1@2018-04-16", "r3", "--json").out)
    assert found["settings"]["refit_weeks"] == [1, 2]
    assert found["outcomes"]["days"] == 56


def test_signals(shell, small):
    said = shell(small, "signals")
    assert said.code == 0
    assert said.out.endswith("on paper. No financial advice.\n")
    rows = json.loads(shell(small, "signals", "--json").out)
    assert len(rows) == 4
    assert said.out.count("SIGNAL") == sum(row["act"] for row in rows)
    assert f"bars up to {LAST}, the last seal" in said.out
    for row in rows:
        assert row["date"] == f"{LAST}T00:00:00Z"
        mark = "certified" if row["certified"] else "paper"
        assert f"{row['confidence']:.3f}" in said.out
        assert f"{row['threshold']:.3f} {mark}" in said.out


def test_positions(shell, small):
    rows = json.loads(shell(small, "positions", "--json").out)
    said = shell(small, "positions")
    assert said.code == 0
    assert said.out.splitlines()[-1].startswith(f"{len(rows)} open, ")
    for row in rows:
        assert row["signal_id"] in said.out


@pytest.mark.parametrize("status", ["closed", "open"])
def test_explain(shell, small, status):
    name = some_signal(small, status)
    said = shell(small, "explain", name)
    found = json.loads(shell(small, "explain", name, "--json").out)
    assert said.code == 0
    assert said.out.startswith(f"{name}  by {found['policy']}: a signal\n")
    assert (
        f"confidence  {found['confidence']:.3f}, threshold {found['threshold']:.3f} (paper), set by quantile"
        in said.out
    )
    assert ("still open" in said.out) is (status == "open")
    assert ("to the account" in said.out) is (status == "closed")
    assert found["outcome"]["status"] == status
    assert len(found["heads"]) == 9
    for row in [*found["heads"], *found["arms"]]:
        assert re.search(rf"^{row.get('head') or row['arm']} ", said.out, re.MULTILINE)


def test_a_signal_of_now_is_explained_before_it_is_in_the_ledger(shell, small):
    rows = json.loads(shell(small, "signals", "--json").out)
    for row in (rows[0], rows[-1]):
        found = json.loads(shell(small, "explain", row["signal_id"], "--json").out)
        assert found["confidence"] == row["confidence"]
        assert found["is_signal"] is row["is_signal"]
        assert found["policy"] == row["model_version"]
        assert "not known yet" in shell(small, "explain", row["signal_id"]).out


def test_export_twice_changes_no_row(shell, mine):
    counts = []
    for _ in range(2):
        said = shell(mine, "export")
        assert (said.code, said.err) == (0, "")
        with sqlite3.connect(mine.export) as store:
            counts.append(store.execute("select count(*), sum(profit_ratio) from signal_outcomes").fetchone())
        store.close()
    assert counts[0] == counts[1]
    assert said.out == f"{counts[0][0]} signals of main up to {LAST} in edgebook.sqlite\n"


def test_export_elsewhere(shell, mine, tmp_path):
    said = shell(mine, "export", "--to", str(tmp_path / "new" / "store.sqlite"))
    assert said.code == 0
    assert (tmp_path / "new" / "store.sqlite").exists()
    assert not mine.export.exists()


def test_doctor_looks_at_everything_and_finds_the_damage(shell, mine):
    shutil.copy(repository() / "requirements.lock", mine.root)
    rows = {row["check"]: row for row in json.loads(shell(mine, "doctor", "--json").out)}
    assert list(rows) == ["python", "packages", "processor", "disk", "settings", "tables", "seals"]
    for name in ("python", "processor", "settings", "tables", "seals"):
        assert rows[name]["ok"], rows[name]
    assert rows["seals"]["detail"] == "9 of main intact"
    victim = mine.seal(history="main", as_of="2018-04-23") / "days.csv"
    victim.write_text(victim.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    said = shell(mine, "doctor")
    assert said.code == 1
    assert re.search(r"^WRONG  seals +models/main/2018-04-23/days.csv: is not what was sealed", said.out, re.MULTILINE)
    change(mine, "trial_weeks", "trail_weeks")
    assert re.search(r"^WRONG  settings .*did you mean trial_weeks", shell(mine, "doctor").out, re.MULTILINE)


def test_help_teaches_every_command(shell, small):
    said = shell(small, "--help")
    assert said.code == 0
    for name, command in cli.cli.commands.items():
        assert re.search(rf"^  {name} +\S", said.out, re.MULTILINE)
        assert len(command.help or "") > 30


# --- folding


def test_backfill_says_what_it_did(shell, mine):
    said = shell(mine, "backfill", "--until", "2018-06-04")
    assert (said.code, said.out) == (0, "main: 1 weeks sealed, up to 2018-06-04\n")
    assert shell(mine, "backfill", "--until", "2018-06-04").out == "main: sealed up to 2018-06-04 already\n"
    one_line(shell(mine, "backfill", "--until", "2018-06-05"), "--until: 2018-06-05 is a Tuesday; weeks end on a Mon")
    one_line(shell(mine, "backfill", "--until", "2018-07-02"), r"data/bars.parquet: ends at 2018-06-18")


def test_rederive_says_whether_every_byte_is_the_same(shell, mine, monkeypatch):
    monkeypatch.setattr(rederive, "rederive", lambda *given, **told: [])
    said = shell(mine, "rederive")
    assert (said.code, said.out) == (0, "main: 9 weeks derived again, every byte the same\n")
    monkeypatch.undo()
    for week in sealed_weeks(mine, "main")[1:]:
        shutil.rmtree(mine.seal(history="main", as_of=week))
        mine.ledger(history="main", as_of=week).unlink()
    found = read_importance(mine.seal(history="main", as_of=GENESIS) / "keep.json")
    monkeypatch.setattr(history, "importance_in_force", lambda *week, **settings: found)
    change(mine, "certify_alpha: 0.05", "certify_alpha: 0.06")
    said = shell(mine, "rederive")
    assert (said.code, said.out) == (1, "")
    assert said.err.splitlines()[-1].endswith("was the history made by this code, these settings and these bars?")
    assert f"models/main/{GENESIS}/seal.json: differs" in said.err


# --- the next week


def test_advance_sets_the_next_week_and_keeps_comments(shell, mine):
    said = shell(mine, "advance", "--no-repro")
    assert (said.code, said.out) == (0, f"params.yaml: week {LAST} -> 2018-06-04\n")
    params = load_params(mine.params)
    assert (params.run.as_of, params.run.previous) == ("2018-06-04", LAST)
    assert "# what a person decides is written here" in mine.params.read_text(encoding="utf-8")
    one_line(shell(mine, "advance"), r"params.yaml: run.as_of 2018-06-04 is not sealed yet; run `dvc repro` first")


def test_a_stage_that_fails_puts_the_week_back(shell, mine, monkeypatch):
    before = mine.params.read_text(encoding="utf-8")
    seen = []

    def fail(words, **how):
        seen.append((words[1:], how["cwd"], load_params(mine.params).run.as_of))
        return SimpleNamespace(returncode=255)

    monkeypatch.setattr(subprocess, "run", fail)
    said = shell(mine, "advance")
    assert seen == [(["-m", "dvc", "repro"], mine.root, "2018-06-04")]
    assert said.code == 1
    assert said.err == (
        "edgebook: dvc repro failed in the week to 2018-06-04; "
        "params.yaml is back as it was, earlier seals are intact\n"
    )
    assert mine.params.read_text(encoding="utf-8") == before


def test_a_torn_dvc_lock_is_named_before_anything_is_changed(shell, mine):
    """DVC writes it in place, so that a kill can leave its beginning."""
    whole = (repository() / "dvc.lock").read_bytes()
    lock, before = mine.root / "dvc.lock", mine.params.read_bytes()
    for torn in (whole[: whole.index(b"cmd")], whole[: whole.index(b"hash") + 2], b"\xff" + whole):
        lock.write_bytes(torn)
        for command in ("advance", "weekly"):
            one_line(shell(mine, command), r"dvc.lock: is not whole, .* `git checkout -- dvc.lock`")
        assert mine.params.read_bytes() == before
    assert re.search(r"^WRONG  dvc.lock +dvc.lock: is not whole", shell(mine, "doctor").out, re.MULTILINE)
    lock.write_bytes(whole)
    assert re.search(r"^ok +dvc.lock +whole", shell(mine, "doctor").out, re.MULTILINE)


def test_when_the_data_end_one_line_says_so(shell, mine):
    backfill(load_params(mine.params), mine, until=END)
    change(mine, f'as_of: "{LAST}", previous: "2018-05-21"', f'as_of: "{END}", previous: "2018-06-11"')
    before = mine.params.read_bytes()
    one_line(
        shell(mine, "advance"),
        r"the data of synthetic end at 2018-06-18 00:00 UTC; the week to 2018-06-25 is not complete, so 2018-06-18",
    )
    assert mine.params.read_bytes() == before


def dvc(monkeypatch, paths: Paths, *, ends: int | type[BaseException] = 0) -> list[str]:
    """Put `dvc repro` on a stage: it seals the week that params.yaml names, and fails or is stopped where told."""
    seen = []

    def act(words, **how):
        assert words[1:] == ["-m", "dvc", "repro"]
        run = load_params(paths.params).run
        seen.append(run.as_of)
        if ends == 0:
            backfill(load_params(paths.params), paths, until=run.as_of)
            summary = paths.report(as_of=run.as_of) / "summary.md"
            summary.parent.mkdir(parents=True, exist_ok=True)
            summary.write_text(f"# main, week to {run.as_of}\n", encoding="utf-8")
        elif not isinstance(ends, int):
            raise ends
        return SimpleNamespace(returncode=ends)

    monkeypatch.setattr(subprocess, "run", act)
    return seen


def finished(paths: Paths, week: str = LAST) -> None:
    """Reports of a week, as a run leaves them last."""
    paths.report(as_of=week).mkdir(parents=True)
    (paths.report(as_of=week) / "summary.md").write_text(f"# main, week to {week}\n", encoding="utf-8")


def test_weekly_runs_one_week_a_call_until_there_is_nothing_to_do(shell, mine, monkeypatch):
    finished(mine)
    seen = dvc(monkeypatch, mine)
    lines = [shell(mine, "weekly") for _ in range(4)]
    assert seen == ["2018-06-04", "2018-06-11", "2018-06-18"]
    assert [said.code for said in lines] == [0, 0, 0, 0]
    assert {said.out.count("\n") for said in lines} == {1}
    assert re.match(r"main 2018-06-04 sealed: r1@2018-06-04 stays; r3 .* trades closed, \d+ open; rep", lines[0].out)
    assert "the week after is complete too" in lines[1].out
    assert "the week after" not in lines[2].out
    assert lines[3].out == "main 2018-06-18: nothing to do, the data do not complete the week to 2018-06-25\n"
    alone = json.loads(shell(mine, "weekly", "--json").out)
    assert (alone["done"], alone["alarms"]) == ("nothing", [])


def test_weekly_finishes_a_week_that_was_killed(shell, mine, monkeypatch):
    finished(mine)
    assert shell(mine, "advance", "--no-repro").code == 0  # the week is set, and the power goes
    seen = dvc(monkeypatch, mine)
    assert shell(mine, "weekly").out.startswith("main 2018-06-04 finished: ")
    assert seen == ["2018-06-04"]
    assert load_params(mine.params).run.as_of == "2018-06-04"


@pytest.mark.parametrize("other", [False, True])
def test_weekly_finishes_a_week_that_was_sealed_without_its_reports(shell, mine, monkeypatch, other):
    if other:
        finished(mine)
        summary = mine.report(as_of=LAST) / "summary.md"
        summary.write_text(f"# what_if, week to {LAST}\n", encoding="utf-8")
    seen = dvc(monkeypatch, mine)
    assert shell(mine, "weekly").out.startswith(f"main {LAST} finished: ")
    assert seen == [LAST]


@pytest.mark.parametrize("command", ["weekly", "advance"])
@pytest.mark.parametrize("ends", [255, KeyboardInterrupt])
def test_a_run_that_fails_or_is_stopped_puts_the_week_back_and_can_be_run_again(
    shell, mine, monkeypatch, command, ends
):
    finished(mine)
    before, seals = mine.params.read_bytes(), seal_bytes(mine)
    dvc(monkeypatch, mine, ends=ends)
    said = shell(mine, command)
    assert said.code == (1 if ends == 255 else 130)
    assert mine.params.read_bytes() == before
    assert seal_bytes(mine) == seals
    dvc(monkeypatch, mine)
    assert shell(mine, "weekly").out.startswith("main 2018-06-04 sealed: ")


def test_an_alarm_is_told_and_ends_with_3_if_asked(shell, mine, monkeypatch):
    recommended(mine)
    dvc(monkeypatch, mine)
    said = shell(mine, "weekly", "--alarm-exit")
    assert said.code == 3
    assert re.match(r"main 2018-06-04 finished: .*; ALARM: .+\n", said.out)
    (mine.report(as_of="2018-06-04") / "summary.md").unlink()
    assert shell(mine, "weekly").code == 0


def test_daily_says_what_happened_and_asks_for_the_week_when_it_is_over(shell, mine):
    said = shell(mine, "daily")
    assert (said.code, said.err) == (0, "")
    assert re.fullmatch(
        r"main 2018-05-29: \d+ signals, \d+ entered, \d+ closed \([+-]\d+\.\d\d R\), \d+ open, account [\d,]+ "
        r"\([+-]\d+\.\d\d% today\), [\d,]+ outcomes to learn from, in force from 2018-06-04\n",
        said.out,
    )
    found = json.loads(shell(mine, "daily", "--date", "2018-05-29", "--json", "--alarm-exit").out)
    assert (found["date"], found["seal"], found["alarms"]) == ("2018-05-29", LAST, [])
    assert shell(mine, "signals").out.splitlines()[-2] == (
        f"bars up to 2018-05-29, of the daily run; the last seal is {LAST}"
    )
    said = shell(mine, "daily", "--date", LAST, "--alarm-exit")
    assert (said.code, said.out) == (0, f"{LAST} is sealed already: nothing to do\n")
    one_line(shell(mine, "daily", "--date", "2018-06-05"), "the week to 2018-06-04 is over and not sealed yet; run `")


@pytest.mark.parametrize("command", ["daily", "weekly", "advance", "backfill", "data fetch"])
def test_one_at_a_time(shell, mine, command):
    before = mine.params.read_bytes()
    with only_one(mine.lock, doing="weekly"):
        one_line(shell(mine, *command.split()), r"\.edgebook\.lock: held by `edgebook weekly`, process \d+, since 20")
    assert mine.params.read_bytes() == before


# --- what a person decides


def recommended(paths: Paths) -> None:
    """Seal one more week, in which the gate recommends r3."""
    change(paths, "approval: automatic", "approval: manual")
    params, last = load_params(paths.params), read_seal(paths, history="main", as_of=LAST)
    rich = tuple(replace(t, log_wealth=np.full(2, 7.0)) for t in last.trials)
    inputs = inputs_of(params, paths, as_of="2018-06-04", market=load_market(paths, as_of="2018-06-04"))
    write_seal(learn_week(replace(last, trials=rich), inputs, as_of="2018-06-04"), paths)
    change(paths, f'as_of: "{LAST}", previous: "2018-05-21"', f'as_of: "2018-06-04", previous: "{LAST}"')


def test_approve_records_what_the_gate_recommends_and_the_next_week_promotes(shell, mine):
    one_line(shell(mine, "approve"), f"main {LAST}: nothing waits for approval; the decision was 'keep'")
    recommended(mine)
    said = shell(mine, "approve")
    assert (said.code, said.out) == (0, "r3 is approved; it takes over with `edgebook advance`\n")
    assert shell(mine, "approve").code == 0
    (approval,) = load_params(mine.params).learning.approvals
    assert (approval.week, approval.recipe, approval.history) == ("2018-06-11", "r3", "main")
    assert shell(mine, "backfill", "--until", "2018-06-11").code == 0
    change(mine, f'as_of: "2018-06-04", previous: "{LAST}"', 'as_of: "2018-06-11", previous: "2018-06-04"')
    assert json.loads(shell(mine, "versions", "--json").out)[-1]["champion"] == "r3@2018-06-11"


def test_rollback_is_in_force_for_signals_at_once_and_in_the_history_from_the_next_week(shell, mine):
    before = seal_bytes(mine)
    said = shell(mine, "rollback", "r1@2018-04-16", "--reason", 'it "lost": since then')
    assert (said.code, said.out) == (
        0,
        "r1@2018-04-16 is in force for `edgebook signals` now, and in main from the week to 2018-06-04\n",
    )
    assert {row["model_version"] for row in json.loads(shell(mine, "signals", "--json").out)} == {"r1@2018-04-16"}
    assert load_params(mine.params).learning.pins[0].reason == 'it "lost": since then'
    assert seal_bytes(mine) == before
    assert shell(mine, "backfill", "--until", "2018-06-04").code == 0
    assert read_seal(mine, history="main", as_of="2018-06-04").champion == "r1-20180416"


def test_rollback_to_what_is_not_there_changes_nothing(shell, mine):
    before = mine.params.read_bytes()
    one_line(shell(mine, "rollback", "r9", "--reason", "x"), "r9: no such recipe in history main; `edgebook versions`")
    one_line(shell(mine, "rollback", "r1@2017-01-02", "--reason", "x"), "r1@2017-01-02: no such version in history")
    assert mine.params.read_bytes() == before


# --- errors


@pytest.mark.parametrize(
    ("old", "new", "pattern"),
    [
        ("trial_weeks:", "trail_weeks:", r"params.yaml: learning.trail_weeks: no such setting; did you mean trial_w"),
        ("warmup_weeks: 8", "warmup_weeks: eight", r"params.yaml: learning.warmup_weeks: must be a whole number, is"),
        ('as_of: "2018-05-28"', "as_of: 2018-05-28", r'params.yaml: run.as_of: put the date in quotes: "2018-05-28"'),
        ('as_of: "2018-05-28"', 'as_of: "2018-05-29"', r"params.yaml: run.as_of: 2018-05-29 is a Tuesday"),
        ("role: baseline", "role: champion", r"params.yaml: recipes: exactly one has role champion"),
        ("run: {", "run: [", r"params.yaml: not valid YAML"),
    ],
)
@pytest.mark.parametrize("command", [["versions"], ["signals", "--json"], ["advance"], ["run", "learn"]])
def test_a_mistake_in_params_yaml_is_one_line(shell, mine, old, new, pattern, command):
    before = seal_bytes(mine)
    change(mine, old, new)
    one_line(shell(mine, *command), pattern)
    assert seal_bytes(mine) == before


@pytest.mark.parametrize("command", [["signals"], ["positions"], ["compare", "r1", "r2"], ["approve"]])
def test_a_corrupt_seal_is_one_line(shell, mine, command):
    file = mine.seal(history="main", as_of=LAST) / "policies" / "r1.json"
    file.write_text(file.read_text(encoding="utf-8").replace('"r1"', '"r2"', 1), encoding="utf-8")
    said = shell(mine, *command)
    one_line(said, rf"models/main/{LAST}/policies/r1.json: is not what was sealed; restore it with `git checkout -- ")


def test_a_truncated_head_is_one_line(shell, mine):
    file = mine.seal(history="main", as_of="2018-04-23") / "seal.json"
    file.write_bytes(file.read_bytes()[:100])
    one_line(shell(mine, "versions"), r"models/main/2018-04-23/seal.json: is damaged .*; restore it with `git checkout")


def test_a_repository_without_a_history_says_how_to_begin(shell, mine):
    shutil.rmtree(mine.root / "models")
    one_line(shell(mine, "versions"), r"models/main: no week is sealed yet; run `make` or `edgebook backfill`")


def test_missing_and_damaged_tables_are_one_line(shell, small, tmp_path):
    paths = copy_history(small, tmp_path / "copy", links=False)
    paths.votes.write_bytes(b"not a table")
    one_line(shell(paths, "positions"), r"\S*data/votes.parquet: not a readable table")
    paths.regimes.unlink()
    one_line(shell(paths, "signals"), r"\S*data/(votes|regimes).parquet: ")


def test_tables_that_do_not_fit_each_other_are_one_line(shell, small, tmp_path):
    paths = copy_history(small, tmp_path / "copy", links=False)
    table = tables.read(paths.regimes)
    tables.write(table.iloc[:-1], paths.regimes)
    one_line(shell(paths, "positions"), r"data/regimes.parquet: its rows are not those of data/bars.parquet")


def test_an_outcome_on_no_bar_is_one_line(shell, small, tmp_path):
    paths = copy_history(small, tmp_path / "copy", links=False)
    for place in paths.outcomes.glob("*.parquet"):
        table = tables.read(place)
        tables.write(table.assign(pair=table["pair"].where(table.index > 0, "NEW/USD")), place)
    one_line(shell(paths, "backfill", "--until", "2018-06-04"), r"data/candidates: has a candidate on a bar that")


def test_an_unknown_signal_or_stage_is_one_line(shell, small):
    one_line(shell(small, "explain", "nothing"), "nothing: not in the ledger of main")
    one_line(shell(small, "run", "lern"), r"edgebook run lern: no such stage; stages are bars, indicators")
    one_line(shell(small, "compare", "r1", "r9"), "r9: no such recipe in history main")


@pytest.mark.parametrize(
    "words", ["lern", "rollback r1", "compare r1", "versions --jsn", "run", "explain", "backfill x", "export --to"]
)
def test_misuse_exits_2(shell, small, words):
    said = shell(small, *words.split())
    assert said.code == 2
    assert said.out == ""
    assert "Error: " in said.err
    assert "Traceback" not in said.err


def test_a_full_disk_is_one_line_and_params_stay(shell, mine, monkeypatch):
    before, real = mine.params.read_bytes(), Path.write_text

    def full(self: Path, *args: object, **kwargs: object) -> int:
        if self.suffix == ".tmp":
            raise OSError(28, "No space left on device")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "write_text", full)
    one_line(shell(mine, "rollback", "r3", "--reason", "x"), r"params.yaml: could not be written \(No space left")
    one_line(shell(mine, "backfill", "--until", "2018-06-04"), r"models/main/2018-06-04: could not be written \(No sp")
    assert mine.params.read_bytes() == before
    assert seal_bytes(mine) == seal_bytes(mine, until=LAST)


def test_the_installed_command_fails_in_one_line_too(small, tmp_path):
    """The one run in a process of its own: entry point, exit code, no traceback."""
    paths = copy_history(small, tmp_path / "copy")
    change(paths, "trials: 0", "trails: 0")
    program = [sys.executable, "-c", "from edgebook.cli import main; main()", "versions"]
    done = subprocess.run(program, env={"EDGEBOOK_ROOT": str(paths.root)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "edgebook: params.yaml: tuning.trails: no such setting; did you mean trials?\n"
