"""The command line on the committed sample: what it prints, what it writes down, and how it fails."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys

import pytest

from edgebook.cli import main
from edgebook.paths import repository
from edgebook.settings.loading import load_params
from edgebook.settings.settings_yaml import read_mapping

SAMPLE = repository() / "data" / "sample"
LAST = read_mapping(SAMPLE / "params.yaml")["run"]["as_of"]


@pytest.fixture
def edgebook(monkeypatch, capsys):
    """Call a command on a repository; returns exit status, output and errors."""

    def call(*words, root=SAMPLE):
        monkeypatch.setenv("EDGEBOOK_ROOT", str(root))
        monkeypatch.setattr(sys, "argv", ["edgebook", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return call


@pytest.fixture
def copy(tmp_path):
    """A copy of the sample, to be changed."""
    return shutil.copytree(SAMPLE, tmp_path / "sample")


def signal_ids() -> list[str]:
    ledger = (SAMPLE / "data" / "ledger" / "main" / f"{LAST}.csv").read_text(encoding="utf-8")
    return [line.split(",")[0] for line in ledger.splitlines()[1:]]


@pytest.mark.parametrize(
    ("words", "name"),
    [(["versions"], "week"), (["compare", "r1", "r2"], "a"), (["signals"], "pair"), (["positions"], "signal_id")],
    ids=str,
)
def test_what_is_said_to_a_person_is_said_to_a_program(edgebook, words, name):
    status, text, errors = edgebook(*words)
    assert (status, errors) == (0, "")
    status, data, errors = edgebook(*words, "--json")
    assert (status, errors) == (0, "")
    found = json.loads(data)
    rows = found if isinstance(found, list) else [found]
    assert len(rows) > 0
    assert {row[name] for row in rows if row[name] not in text} == set()


def test_doctor_finds_a_sound_repository_sound(edgebook, copy):
    shutil.copy(repository() / "requirements.lock", copy)
    status, text, errors = edgebook("doctor", root=copy)
    assert (status, errors) == (0, "")
    assert "WRONG" not in text
    checks = json.loads(edgebook("doctor", "--json", root=copy)[1])
    assert {check["ok"] for check in checks} == {True}
    assert {"python", "packages", "settings", "seals"} <= {check["check"] for check in checks}


def test_every_week_has_its_version(edgebook):
    _, text, _ = edgebook("versions", "--json")
    rows = json.loads(text)
    assert [row["week"] for row in rows] == sorted(path.name for path in (SAMPLE / "models" / "main").iterdir())
    assert rows[-1]["champion"] == f"r1@{LAST}"


def test_a_signal_is_explained(edgebook):
    wanted = signal_ids()[-1]
    status, text, _ = edgebook("explain", wanted)
    assert status == 0
    assert text.startswith(f"{wanted}  by r1@")
    assert "threshold" in text
    found = json.loads(edgebook("explain", wanted, "--json")[1])
    assert [head["head"] for head in found["heads"]] == list("ABCDEFGHI")


def test_a_signal_that_is_none_is_one_line(edgebook):
    status, text, errors = edgebook("explain", "BTC-USD_1h_20180101T0000_long")
    assert (status, text) == (1, "")
    assert errors.startswith("edgebook: ")
    assert errors.count("\n") == 1


def test_the_ledger_is_exported_once(edgebook, tmp_path):
    target = tmp_path / "ledger.sqlite"
    for _ in range(2):
        assert edgebook("export", "--to", str(target))[0] == 0
        with sqlite3.connect(target) as store:
            rows = store.execute("select count(*), count(distinct signal_id) from signal_outcomes").fetchone()
        store.close()
        assert rows[0] == rows[1] > 0


def test_a_rollback_is_written_down_with_its_reason(edgebook, copy):
    status, text, _ = edgebook("rollback", "r2", "--reason", "a look at the spreads", root=copy)
    assert status == 0
    assert text.startswith("r2 is in force")
    (pin,) = load_params(copy / "params.yaml").learning.pins
    assert (pin.version, pin.reason) == ("r2", "a look at the spreads")
    assert pin.week > LAST
    now = edgebook("signals", root=copy)[1].splitlines()[-1]
    assert now.startswith("r2@")


def test_a_rollback_to_nothing_changes_nothing(edgebook, copy):
    before = (copy / "params.yaml").read_bytes()
    status, _, errors = edgebook("rollback", "r9", "--reason", "x", root=copy)
    assert status == 1
    assert errors == "edgebook: r9: no such recipe in history main; `edgebook versions` lists them\n"
    assert (copy / "params.yaml").read_bytes() == before


def test_there_is_nothing_to_approve(edgebook, copy):
    before = (copy / "params.yaml").read_bytes()
    status, _, errors = edgebook("approve", root=copy)
    assert status == 1
    assert errors.startswith(f"edgebook: main {LAST}: nothing waits for approval")
    assert (copy / "params.yaml").read_bytes() == before


def test_a_week_that_the_data_do_not_complete_is_refused(edgebook, copy):
    before = (copy / "params.yaml").read_bytes()
    status, _, errors = edgebook("advance", root=copy)
    assert status == 1
    assert f"so {LAST} is the last that can be sealed" in errors
    assert (copy / "params.yaml").read_bytes() == before


def test_without_a_seal_the_remedy_is_said(edgebook, copy):
    shutil.rmtree(copy / "models")
    status, _, errors = edgebook("versions", root=copy)
    assert status == 1
    assert errors == "edgebook: models/main: no week is sealed yet; run `make` or `edgebook backfill`\n"


def test_a_corrupt_seal_is_named(edgebook, copy):
    damaged = copy / "models" / "main" / LAST / "seal.json"
    damaged.write_text(damaged.read_text(encoding="utf-8")[:-40], encoding="utf-8")
    status, _, errors = edgebook("positions", root=copy)
    assert status == 1
    assert f"models/main/{LAST}" in errors
    assert errors.count("\n") == 1
    status, text, _ = edgebook("doctor", root=copy)
    assert status == 1
    assert "WRONG" in text


def test_a_wrong_key_is_named(edgebook, copy):
    params = copy / "params.yaml"
    params.write_text(params.read_text(encoding="utf-8").replace("  trials:", "  trails:"), encoding="utf-8")
    status, _, errors = edgebook("signals", root=copy)
    assert (status, errors) == (1, "edgebook: params.yaml: tuning.trails: no such setting; did you mean trials?\n")


@pytest.mark.parametrize("words", [["fly"], ["explain"], ["rollback", "r1"], ["versions", "--jsn"]], ids=str)
def test_misuse_is_told_and_ends_with_2(edgebook, words):
    status, text, errors = edgebook(*words)
    assert (status, text) == (2, "")
    assert "Error: " in errors
