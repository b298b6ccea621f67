"""A repository of a desk's own on the small market, worked in by commands, as an analyst would type them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from edgebook.paths import Paths, repository
from small_market import LAST, SETTINGS

ROOT = repository()
DEFAULTS = "desk: {}\ndrift: {false_alarms_per_year: 1.0, smallest_fall: 0.1, smallest_count_per_week: 5.0}\n"
"""Sections that dvc.yaml names and the small market leaves to their defaults."""
EARLY, FIRST, NEXT = "2018-04-16", "2018-04-23", "2018-04-30"


def settings(outcomes: str, *, week: str = FIRST, before: str = EARLY, bars: str = "source: synthetic") -> str:
    """The small market in a week, with a desk or with bars of elsewhere."""
    text = SETTINGS.replace(f'as_of: "{LAST}", previous: "2018-05-21"', f'as_of: "{week}", previous: "{before}"')
    return f"{text.replace('source: synthetic', bars)}{DEFAULTS}{outcomes}"


def make_repository(root: Path, *, settings: str) -> Paths:
    """Lay out code, notebooks and stages, committed to git, with these settings and no data."""
    for name in ("src", "notebooks", ".dvc"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "cache", "tmp"))
    for name in ("dvc.yaml", ".gitignore", ".dvcignore"):
        shutil.copy(ROOT / name, root / name)
    (root / "docs" / "evidence").mkdir(parents=True)
    shutil.copy(ROOT / "docs" / "evidence" / "ablation.json", root / "docs" / "evidence")
    for name in ("raw", "received", "recorded"):
        (root / "data" / name).mkdir(parents=True)
    (root / "params.yaml").write_text(settings, encoding="utf-8")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "-c", "user.name=desk", "-c", "user.email=desk@example.org", "commit", "-qm", "A desk")
    return Paths(root)


def git(root: Path, *words: str) -> None:
    """One command of git in the repository."""
    subprocess.run(["git", *words], cwd=root, check=True, capture_output=True)


def run(root: Path, *words: str) -> str:
    """One command in the repository, as an analyst would type it; what it said."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    told = {"EDGEBOOK_ROOT": str(root), "PYTHONPATH": str(root / "src"), "PATH": path, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, cwd=root, env=os.environ | told, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout
