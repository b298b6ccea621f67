"""A database that freqtrade itself made goes through the whole of `dvc repro`: imported, learned from, reported."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from edgebook.paths import Paths, repository
from edgebook.recorded import read_recorded

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from small_market import GENESIS, LAST, PLAN, SETTINGS

FILES = """\
outcomes: {source: files}
drift: {false_alarms_per_year: 1.0, smallest_fall: 0.1, smallest_count_per_week: 5.0}
"""
"""The source, and a section that dvc.yaml names and the small market leaves to its defaults."""
ROOT = repository()
DATABASE = ROOT / "tests" / "peers" / "desk" / "tradesv3.sqlite"


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Paths:
    """A repository of its own on the small market, in which freqtrade's trades were imported and all stages run."""
    root = tmp_path_factory.mktemp("desk")
    for name in ("src", "notebooks", ".dvc"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "cache", "tmp"))
    for name in ("dvc.yaml", ".gitignore", ".dvcignore"):
        shutil.copy(ROOT / name, root / name)
    (root / "docs" / "evidence").mkdir(parents=True)
    shutil.copy(ROOT / "docs" / "evidence" / "ablation.json", root / "docs" / "evidence")
    for name in ("raw", "received", "recorded"):
        (root / "data" / name).mkdir(parents=True)
    (root / "params.yaml").write_text(SETTINGS + FILES, encoding="utf-8")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "-c", "user.name=desk", "-c", "user.email=desk@example.org", "commit", "-qm", "A desk")
    run(root, "edgebook", "run", "bars")  # so that a future is known to be the pair of the bars
    said = run(root, "edgebook", "import", str(DATABASE), "--from", "freqtrade", "--until", LAST, "--exit-plan", PLAN)
    assert "data/recorded/outcomes-2018-05-28.csv: 44 rows: 44 new" in said, said
    run(root, "dvc", "repro")
    return Paths(root)


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=root, check=True, capture_output=True)


def run(root: Path, *words: str) -> str:
    """One command in the repository, as an analyst would type it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    told = {"EDGEBOOK_ROOT": str(root), "PYTHONPATH": str(root / "src"), "PATH": path, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, cwd=root, env=os.environ | told, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def test_every_report_is_there(desk):
    pages = {page.name for page in (desk.reports / LAST).glob("*.html")}
    assert {"index.html", "outcome_analysis.html", "ab_test.html", "learning_review.html"} <= pages
    assert (desk.seal(history="main", as_of=LAST) / "seal.json").is_file()
    assert (desk.seal(history="main", as_of=GENESIS) / "seal.json").is_file()


def test_candidates_that_the_desk_took_have_its_outcome(desk):
    """Where they join is told by the table of outcomes: source recorded, and the profit is freqtrade's."""
    theirs = read_recorded(desk.recorded)
    joined = pd.concat([pd.read_parquet(file) for file in desk.outcomes.glob("*.parquet")])
    recorded = joined[joined["source"] == "recorded"]
    assert len(recorded) == len(theirs) == 44
    closed = recorded["profit_ratio"].dropna().round(6)
    assert set(closed) <= set(theirs["profit_ratio"].round(6))


def test_the_report_says_what_the_desks_fills_cost(desk):
    page = (desk.reports / LAST / "outcome_analysis.html").read_text(encoding="utf-8")
    assert "own fills" in page
    assert "No outcome is recorded" not in page


def test_nothing_is_left_to_do(desk):
    assert "up to date" in run(desk.root, "dvc", "repro")
