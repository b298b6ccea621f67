"""Private mode: what git has or would take is named, histories are refused, and reports are of whole tens of trades."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebook.analyses.outcome_recorded import Recorded, gaps
from edgebook.errors import DataError, SettingsError
from edgebook.files.private_data import make_private, privacy, refuse_file_in_sight, refuse_seen, seen_by_git
from edgebook.paths import Paths, repository
from edgebook.reports.outcome_recorded_readings import recorded_reading

SNAPSHOT = "data/recorded/outcomes-2018-04-09.csv"


def git(root: Path, *words: str) -> None:
    whole = ["git", "-c", "user.name=desk", "-c", "user.email=desk@example.org", *words]
    subprocess.run(whole, cwd=root, check=True, capture_output=True)


@pytest.fixture
def paths(tmp_path) -> Paths:
    """A repository of git, DVC started, with a README where snapshots come."""
    (tmp_path / "data" / "recorded").mkdir(parents=True)
    (tmp_path / "data" / "recorded" / "README.md").write_text("Snapshots.\n", encoding="utf-8")
    (tmp_path / ".dvc").mkdir()
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "Begin")
    return Paths(tmp_path)


def write(paths: Paths, name: str) -> None:
    (paths.root / name).parent.mkdir(parents=True, exist_ok=True)
    (paths.root / name).write_text("ZEBRA0001,1.2345678\n", encoding="utf-8")


def ignore(paths: Paths, *patterns: str) -> None:
    (paths.root / ".gitignore").write_text("".join(f"{one}\n" for one in patterns), encoding="utf-8")


def test_a_snapshot_that_git_would_take_is_refused_before_it_is_there(paths):
    refuse_seen(paths, private=False)
    with pytest.raises(DataError, match="run `edgebook data private recorded` first"):
        refuse_seen(paths, private=True)
    ignore(paths, "/data/recorded/*.csv")
    refuse_seen(paths, private=True)
    assert privacy(paths, private=True) == [("data/recorded", True, "ignored by git, not tracked by DVC")]


@pytest.mark.parametrize("name", [SNAPSHOT, "data/outcomes/tp.parquet", "reports/2018-04-09/tear_sheet.ipynb"])
def test_what_git_would_take_or_has_is_named(paths, name):
    write(paths, name)
    assert seen_by_git(paths, [name]) == [name]
    with pytest.raises(DataError, match=f"{name}: private, and git does not ignore it"):
        refuse_seen(paths, private=True)
    ignore(paths, "/data/*/*", "*.ipynb")
    refuse_seen(paths, private=True)
    git(paths.root, "add", "--force", name)
    with pytest.raises(DataError, match=f"{name}: private, and git tracks it; `git rm --cached {name}`"):
        refuse_seen(paths, private=True)
    assert [ok for _, ok, _ in privacy(paths, private=True)] == [False]


def test_what_is_in_the_history_is_refused_until_it_is_taken_out(paths):
    write(paths, SNAPSHOT)
    git(paths.root, "add", "-A")
    with pytest.raises(DataError, match="is staged in git"):
        make_private(paths, ["recorded"])
    git(paths.root, "commit", "-qm", "Leak")
    git(paths.root, "rm", "-q", "--cached", SNAPSHOT)
    git(paths.root, "commit", "-qm", "Too late")
    with pytest.raises(DataError, match=r"data/recorded: git has data/recorded/outcomes-.* in its history \(commit"):
        make_private(paths, ["recorded"])
    with pytest.raises(SettingsError, match="give recorded, received, raw"):
        make_private(paths, ["ledger"])


def test_the_how_tos_commands_take_it_out_of_all_commits(paths, monkeypatch):
    page = (repository() / "docs" / "howto" / "share-data.md").read_text(encoding="utf-8")
    (commands,) = [block for block in re.findall(r"```\n(.*?)```", page, flags=re.DOTALL) if "filter-branch" in block]
    write(paths, SNAPSHOT)
    git(paths.root, "add", "-A")
    git(paths.root, "commit", "-qm", "Leak")
    git(paths.root, "branch", "another")
    environment = {**os.environ, "FILTER_BRANCH_SQUELCH_WARNING": "1"}
    subprocess.run(["bash", "-e", "-c", commands], cwd=paths.root, check=True, capture_output=True, env=environment)
    listed = subprocess.run(
        ["git", "cat-file", "--batch-all-objects", "--batch"], cwd=paths.root, check=True, capture_output=True
    )
    assert b"ZEBRA" not in listed.stdout
    assert b"Snapshots." in listed.stdout
    asked = []
    monkeypatch.setattr("edgebook.files.private_data._dvc", lambda _, *words: asked.append(words))
    make_private(paths, ["recorded"])
    assert asked == [("add", "--quiet", "data/recorded")]


def test_without_git_nothing_is_refused(tmp_path):
    paths = Paths(tmp_path)
    write(paths, SNAPSHOT)
    refuse_seen(paths, private=True)
    with pytest.raises(DataError, match="no git repository here"):
        make_private(paths, ["recorded"])


def test_a_file_of_trades_may_not_lie_in_sight_of_git(paths, tmp_path_factory):
    write(paths, "tradesv3.sqlite")
    file = paths.root / "tradesv3.sqlite"
    refuse_file_in_sight(file, paths=paths, private=False)
    with pytest.raises(DataError, match=r"tradesv3\.sqlite: lies where git would take it"):
        refuse_file_in_sight(file, paths=paths, private=True)
    ignore(paths, "*.sqlite")
    refuse_file_in_sight(file, paths=paths, private=True)
    refuse_file_in_sight(tmp_path_factory.mktemp("out") / "any.sqlite", paths=paths, private=True)


def recorded(r: list[float], regimes: list[str]) -> Recorded:
    """So many closed trades of a desk in private mode, one a day."""
    n = len(r)
    pairs = pd.DataFrame(
        {
            "signal_id": [f"T{place:03d}" for place in range(n)],
            "exit_plan": "p",
            "pair": "BTC/USD",
            "regime": regimes,
            "week": np.arange(n) // 7,
            "known_at": pd.date_range("2018-04-02", periods=n, freq="D", tz="UTC"),
            "recorded_r": r,
            "simulated_r": 0.0,
            "gap": r,
            "side_ratio": 0.0,
        }
    )
    empty = pd.DataFrame(columns=["signal_id"])
    return Recorded(pairs, {"account": 3}, empty, empty, empty, 0, True)


@settings(deadline=None, max_examples=6)
@given(st.lists(st.sampled_from(["ranging", "volatile"]), min_size=1, max_size=45))
def test_no_two_reports_differ_by_fewer_than_ten_trades(regimes):
    """Trade by trade, as weeks bring them: every cell is of whole tens, and stands still until ten more have come."""
    last: dict[str, tuple[int, float]] = {}
    for n in range(1, len(regimes) + 1):
        table = gaps(recorded([float(place) for place in range(n)], regimes[:n])).set_index("name")
        cells = {str(name): (int(row["n"]), float(row["recorded_r"])) for name, row in table.iterrows()}
        assert set(cells) <= {"all", "ranging", "volatile"}
        for name, (count, mean) in cells.items():
            assert count % 10 == 0
            assert count > 0
            before, was = last.get(name, (0, np.nan))
            assert count >= before + 10 or mean == was
        parts = sum(count for name, (count, _) in cells.items() if name != "all")
        assert cells.get("all", (0, 0.0))[0] == parts
        last = cells


def test_nine_trades_are_not_shown_and_counted_as_fewer_than_ten():
    found = recorded([0.5] * 9, ["ranging"] * 9)
    assert gaps(found).empty
    said = str(recorded_reading(found))
    assert "fewer than 10 closed outcomes" in said
    assert "account fewer than 10" in said
    assert "9" not in said.replace("95 %", "")
