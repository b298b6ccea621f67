"""A repository with a small market, in which commands are killed: two pairs, bars of four hours and a day."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgebook.settings.loading import load_params
from edgebook.settings.params import plain

if TYPE_CHECKING:
    from edgebook.paths import Paths
    from edgebook.settings.params import Params

NEEDED = ("dvc.yaml", ".gitignore", ".dvcignore", "data/.gitignore", "notebooks", "docs/evidence/ablation.json")
WEEK, DAY = "2018-04-16", "2018-04-17"
"""The week that is run first, and the day after it."""
CELLS_OF_CODE = 6
"""A notebook is cut after so many, to save time: how it is run and swapped in does not depend on how long it is."""
BYTECODE = shutil.ignore_patterns("__pycache__")


def small_settings(paths: Paths) -> Params:
    """Settings of the committed sample, made smaller: every stage runs, each for a second or two.

    Parameters
    ----------
    paths : Paths
        Of the repository that has data/sample.
    """
    sample = load_params(paths.root / "data" / "sample" / "params.yaml")
    plans = {"r1": "tp2.0_sl1.5_t12", "r2": "tp2.0_sl1.5_t12", "r3": "tp3.0_sl1.5_t12"}
    return replace(
        sample,
        run=replace(sample.run, as_of=WEEK, previous="2018-04-09", genesis="2018-04-09"),
        bars=replace(
            sample.bars, timeframes=("4h", "1d"), synthetic=replace(sample.bars.synthetic, weeks=18)
        ),
        candidates=replace(sample.candidates, time_limit_bars=(12,)),
        regimes=replace(
            sample.regimes, trend_bars=24, volatility_bars=24, volatility_window_bars=200, hmm_window_bars=400
        ),
        recipes={name: replace(sample.recipes[name], exit_plan=plan) for name, plan in plans.items()},
        importance=replace(sample.importance, shifts=19, rows=400, permutations=1),
        tuning=replace(sample.tuning, every_weeks=0, workers=1),
        goals=replace(sample.goals, random_policies=20),
    )  # fmt: skip


def lay_out(folder: Path, *, params: Params, paths: Paths) -> None:
    """Make a repository of its own: code, notebooks, settings; git and DVC started, nothing run.

    Parameters
    ----------
    folder : Path
        New.
    params : Params
    paths : Paths
        Of the repository whose notebooks and stages are taken; the code is that which is running.
    """
    for name in NEEDED:
        source, target = paths.root / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=BYTECODE)
        else:
            shutil.copy(source, target)
    for notebook in (folder / "notebooks").glob("*.ipynb"):
        _cut(notebook)
    shutil.copytree(Path(__file__).parents[1], folder / "src" / "edgebook")  # with what is compiled
    for empty in ("data/raw", "data/recorded", "data/received"):
        (folder / empty).mkdir(parents=True, exist_ok=True)
        (folder / empty / "README.md").write_text("Nothing yet.\n", encoding="utf-8")
    (folder / "params.yaml").write_text(json.dumps(plain(params), indent=1) + "\n", encoding="utf-8")
    for words in (
        ["git", "init", "-q"],
        [sys.executable, "-m", "dvc", "init", "-q"],
        [sys.executable, "-m", "dvc", "config", "core.analytics", "false"],
        [sys.executable, "-m", "dvc", "config", "core.autostage", "false"],
    ):
        subprocess.run(words, cwd=folder, env=environment(folder), check=True, capture_output=True)


def _cut(notebook: Path) -> None:
    """Leave the beginning of a notebook."""
    made = json.loads(notebook.read_text(encoding="utf-8"))
    code = [place for place, cell in enumerate(made["cells"]) if cell["cell_type"] == "code"]
    made["cells"] = made["cells"][: code[CELLS_OF_CODE - 1] + 1]
    notebook.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


def environment(folder: Path) -> dict[str, str]:
    """What a command of the repository at `folder` starts with."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "DVC_"))}
    return inherited | {
        "EDGEBOOK_ROOT": str(folder),
        "PYTHONPATH": str(folder / "src"),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "DVC_NO_ANALYTICS": "1",
    }
