"""Data that git must never have: folders that DVC tracks instead, and the guard that looks at what git has.

A folder below `data/` is private when DVC tracks it (`data/recorded.dvc`): git then has its digest, and a remote of
DVC its files. `outcomes.private` asks for it: with it nothing is taken from a desk before its folder is out of git.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from edgebook.errors import DataError, SettingsError
from edgebook.settings.settings_yaml import read_mapping

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgebook.paths import Paths

FOLDERS = ("recorded", "received", "raw")
"""Folders below `data/` that hold what a desk brings."""

OF_A_DESK = ("data/recorded", "data/outcomes", "data/daily", "export", "scratch", "reports/*/*.ipynb")
"""Where a desk's trades are, row by row: its snapshots, and what is made of them outside git."""

_OURS = ("README.md", ".gitignore")
_PAGE = "docs/howto/share-data.md"


def tracked_by_dvc(paths: Paths, name: str) -> bool:
    """Whether DVC tracks a folder below `data/`."""
    return (paths.root / "data" / f"{name}.dvc").is_file()


def seen_by_git(paths: Paths, places: Sequence[str]) -> list[str]:
    """Files that git has, has staged, or would take with ``git add -A``.

    Parameters
    ----------
    paths : Paths
    places : sequence of str
        Folders or patterns, from the repository's top.

    Returns
    -------
    list of str
        Paths from the top, without READMEs; empty where there is no git repository.
    """
    listed = _git(paths, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *places)
    found = {file for file in listed.split("\0") if file} if listed else set()
    return sorted(file for file in found if file.rpartition("/")[2] not in _OURS)


def refuse_seen(paths: Paths, *, private: bool) -> None:
    """Refuse to go on where git has a desk's trades, or would take them.

    Parameters
    ----------
    paths : Paths
    private : bool
        `outcomes.private`; without it nothing is looked at.

    Raises
    ------
    DataError
        A file is named, and what to do. A snapshot that is not there yet counts: it is refused before it is written.
    """
    if not private:
        return
    seen = seen_by_git(paths, OF_A_DESK)
    if seen:
        raise DataError(_told(paths, seen))
    if _git(paths, "rev-parse", "--git-dir") and not _ignores(paths, "data/recorded/outcomes-2000-01-01.csv"):
        raise DataError(
            "outcomes.private: git would take what comes into data/recorded; run `edgebook data private recorded` first"
        )


def refuse_file_in_sight(file: Path, *, paths: Paths, private: bool) -> None:
    """Refuse a file of trades that lies in the repository where git would take it.

    Raises
    ------
    DataError
        It does, and `outcomes.private` is set.
    """
    place = file.resolve()
    if not private or not place.is_relative_to(paths.root) or not _git(paths, "rev-parse", "--git-dir"):
        return
    name = place.relative_to(paths.root).as_posix()
    if not _ignores(paths, name):
        raise DataError(f"{name}: lies where git would take it, and outcomes.private is set; move it out of here first")


def privacy(paths: Paths, *, private: bool) -> list[tuple[str, bool, str]]:
    """Say of each folder whether git keeps out of it.

    Parameters
    ----------
    paths : Paths
    private : bool
        `outcomes.private`.

    Returns
    -------
    list of (folder, ok, detail)
        Only folders that are private, or should be.
    """
    rows = []
    for name in FOLDERS:
        tracked = tracked_by_dvc(paths, name)
        if not tracked and not (name == "recorded" and private):
            continue
        seen = seen_by_git(paths, OF_A_DESK if name == "recorded" else [f"data/{name}"])
        if seen:
            rows.append((f"data/{name}", False, _told(paths, seen)))
        elif not tracked and _git(paths, "rev-parse", "--git-dir") and not _ignores(paths, f"data/{name}/any.csv"):
            rows.append((f"data/{name}", False, f"git would take what comes; run `edgebook data private {name}`"))
        elif name == "recorded" and not private:
            rows.append((f"data/{name}", False, "reports show single trades; set outcomes.private: true"))
        else:
            rows.append((f"data/{name}", True, "tracked by DVC" if tracked else "ignored by git, not tracked by DVC"))
    return rows


def make_private(paths: Paths, names: Sequence[str]) -> list[str]:
    """Hand folders over from git to DVC.

    Parameters
    ----------
    paths : Paths
    names : sequence of str
        Of `FOLDERS`.

    Returns
    -------
    list of str
        What was done, a line each. Doing it again changes nothing.

    Raises
    ------
    DataError
        Git has a file of such a folder in its history, or there is no repository of git and DVC.
    """
    _check(paths, names)
    for name in names:
        _refuse_history(paths, f"data/{name}")
    lines = []
    for name in names:
        folder, again = f"data/{name}", tracked_by_dvc(paths, name)
        (paths.root / folder).mkdir(parents=True, exist_ok=True)
        ours = [file for file in (_git(paths, "ls-files", "-z", "--", folder) or "").split("\0") if file]
        if ours:  # the README: DVC takes a folder only where git has nothing of it
            _git(paths, "rm", "--quiet", "--cached", "--", *ours)
        _dvc(paths, "add", "--quiet", folder)
        done = "is private already" if again and not ours else "is tracked by DVC now; git ignores it"
        lines.append(f"{folder}: {done}. Commit {folder}.dvc and data/.gitignore; `dvc push` sends the files")
    return lines


def make_public(paths: Paths, names: Sequence[str]) -> list[str]:
    """Hand folders back to git: the reverse of `make_private`; no file of the folder is touched.

    Raises
    ------
    DataError
        There is no repository of git and DVC.
    """
    _check(paths, names)
    lines = []
    for name in names:
        folder = f"data/{name}"
        if not tracked_by_dvc(paths, name):
            lines.append(f"{folder}: is not private")
            continue
        _dvc(paths, "remove", "--quiet", f"{folder}.dvc")
        lines.append(f"{folder}: is git's again; `git add {folder}` takes all of it")
    return lines


def add_again(paths: Paths, names: Sequence[str] = ("received", "recorded")) -> str:
    """Tell DVC of what has come into private folders, so that `dvc push` sends it.

    Parameters
    ----------
    paths : Paths
    names : sequence of str

    Returns
    -------
    str
        What could not be told, in one line; empty where all is well. The files themselves are in place.
    """
    for name in names:
        if tracked_by_dvc(paths, name) and _is_stale(paths, name):
            try:
                _dvc(paths, "add", "--quiet", f"data/{name}")
            except DataError as error:
                return f"{error}; what came is in place, run `dvc add data/{name}` later"
    return ""


def _is_stale(paths: Paths, name: str) -> bool:
    """Whether the folder holds other than what DVC was told; files are only ever added, so their sizes tell."""
    told = read_mapping(paths.root / "data" / f"{name}.dvc")["outs"][0]
    sizes = [file.stat().st_size for file in (paths.root / "data" / name).rglob("*") if file.is_file()]
    return (len(sizes), sum(sizes)) != (told.get("nfiles"), told.get("size"))


def _check(paths: Paths, names: Sequence[str]) -> None:
    for name in names:
        if name not in FOLDERS:
            raise SettingsError(f"edgebook data private {name}: no such folder; give {', '.join(FOLDERS)}")
    if not _git(paths, "rev-parse", "--git-dir"):
        raise DataError("no git repository here: nothing can reach it; `git init` comes first")
    if not (paths.root / ".dvc").is_dir():
        raise DataError("DVC is not started here; `dvc init` comes first")


def _refuse_history(paths: Paths, folder: str) -> None:
    """Refuse where a commit of any branch has a file of the folder."""
    but = [f":(exclude){folder}/{name}" for name in _OURS]
    said = _git(paths, "log", "--all", "--format=%h", "--name-only", "--max-count=1", "--", folder, *but) or ""
    lines = [line for line in said.splitlines() if line]
    if lines:
        raise DataError(
            f"{folder}: git has {lines[-1]} in its history (commit {lines[0]}), and so has every clone; to ignore the "
            f"folder now would leave it there. {_PAGE} says how to take it out"
        )
    staged = (_git(paths, "ls-files", "-z", "--", folder, *but) or "").split("\0")[0]
    if staged:
        raise DataError(f"{staged}: is staged in git; run `git rm --cached {staged}` first")


def _told(paths: Paths, seen: Sequence[str]) -> str:
    """What git has, or would take, that it should not, in one line."""
    first, more = seen[0], f" and {len(seen) - 1} more" if len(seen) > 1 else ""
    if _git(paths, "ls-files", "-z", "--", first):
        return (
            f"{first}{more}: private, and git tracks it; `git rm --cached {first}`, and if it was ever committed see "
            f"{_PAGE}"
        )
    name = first.split("/")[1] if first.startswith("data/") else ""
    done = f"run `edgebook data private {name}`" if name in FOLDERS else "add it to .gitignore"
    return f"{first}{more}: private, and git does not ignore it; {done}"


def _ignores(paths: Paths, file: str) -> bool:
    return bool(_git(paths, "check-ignore", "--", file))


def _git(paths: Paths, *words: str) -> str | None:
    """What git says; None where it fails, or where there is none."""
    try:
        done = subprocess.run(["git", *words], cwd=paths.root, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def _dvc(paths: Paths, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *words], cwd=paths.root, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["it gave no reason"]
        raise DataError(f"dvc {' '.join(words)}: {lines[0].removeprefix('ERROR: ').strip()}")
