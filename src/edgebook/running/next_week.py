"""What a person decides about the next week, recorded in params.yaml: to run it, to approve a promotion, to go back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from edgebook.errors import SealError, WeekError
from edgebook.running.data_fetch import close_weeks
from edgebook.running.dvc_lock import check_lock
from edgebook.running.settings_file import add_entry, next_monday, restore, set_week
from edgebook.seals.seals import sealed_weeks
from edgebook.sources.known_bars import end_of, late_at

if TYPE_CHECKING:
    from edgebook.paths import Paths
    from edgebook.seals.week import Week
    from edgebook.settings.params import Params

_STANDARD_ERROR = 2


def set_next_week(params: Params, paths: Paths) -> tuple[str, str]:
    """Set the next Monday in params.yaml.

    Parameters
    ----------
    params : Params
        As they stand in params.yaml.
    paths : Paths

    Returns
    -------
    following : str
        The Monday that `run.as_of` is now.
    before : str
        The text of params.yaml as it was.

    Raises
    ------
    WeekError
        The week before is not sealed, the data do not complete the next one, or dvc.lock is torn.
    """
    check_lock(paths)
    now, following = params.run.as_of, next_monday(params.run.as_of)
    if now not in sealed_weeks(paths, params.run.history):
        raise WeekError(f"params.yaml: run.as_of {now} is not sealed yet; run `dvc repro` first")
    if any(paths.report(as_of=now).glob("*.html")) and not is_finished(params, paths):
        raise WeekError(f"params.yaml: the run of {now} was broken off after its seal; run `dvc repro` first")
    missing = why_incomplete(params, paths)
    if missing:
        raise WeekError(f"{missing}, so {now} is the last that can be sealed")
    close_weeks(params, paths, until=pd.Timestamp(following, tz="UTC"))
    return following, set_week(paths.params, as_of=following, previous=now)


def why_incomplete(params: Params, paths: Paths) -> str:
    """What the week after `run.as_of` lacks, in one line; empty when it can be run."""
    bars, following = params.bars, next_monday(params.run.as_of)
    try:
        late_at(bars, root=paths.root, at=following)
    except WeekError as error:
        return str(error)
    end = end_of(bars, root=paths.root)
    if f"{end:%Y-%m-%d %H:%M}" >= following:
        return ""
    return f"the data of {bars.source} end at {end:%Y-%m-%d %H:%M} UTC; the week to {following} is not complete"


def next_is_complete(params: Params, paths: Paths) -> bool:
    """Whether the data reach the end of the week after `run.as_of`, and nobody has to be waited for."""
    return not why_incomplete(params, paths)


def is_finished(params: Params, paths: Paths) -> bool:
    """Whether the week that params.yaml names is sealed, has its summary, and DVC has put that down.

    The summary is what every run writes last; dvc.lock, which git tracks too, names it a moment later.
    """
    run = params.run
    summary = paths.report(as_of=run.as_of) / "summary.md"
    # Reports lie by week: the summary may be that of another history.
    told = summary.exists() and f"{run.history}, week to {run.as_of}" in summary.read_text(encoding="utf-8")
    return told and run.as_of in sealed_weeks(paths, run.history) and _locked(paths, as_of=run.as_of)


def repro(paths: Paths, *, following: str, before: str | None, lock: int, quiet: bool = False) -> None:
    """Run every stage that the week concerns.

    Parameters
    ----------
    paths : Paths
    following : str
        The week, for the error.
    before : str or None
        Text that params.yaml gets back when a stage fails or the run is stopped; None leaves it as it is.
    lock : int
        Descriptor of the lock, which DVC holds as long as it runs.
    quiet : bool
        Send what the stages print to standard error.

    Raises
    ------
    WeekError
        A stage failed, or dvc.lock is torn.
    """
    check_lock(paths)
    beside = str(Path(sys.executable).parent)  # dvc calls `edgebook`, that of this very environment
    environment = {**os.environ, "PATH": os.pathsep.join([beside, os.environ.get("PATH", "")])}
    words = [sys.executable, "-m", "dvc", "repro"]
    done = None
    try:
        done = subprocess.run(
            words,
            cwd=paths.root,
            env=environment,
            check=False,
            pass_fds=(lock,),
            stdout=_STANDARD_ERROR if quiet else None,
        )
    finally:
        if before is not None and (done is None or done.returncode != 0):
            restore(paths.params, before)
    if done.returncode != 0:
        kept = "params.yaml is back as it was, " if before is not None else ""
        raise WeekError(f"dvc repro failed in the week to {following}; {kept}earlier seals are intact")


def _locked(paths: Paths, *, as_of: str) -> bool:
    """Whether dvc.lock names the summary of a week; where there is none, nobody counts on it."""
    lock = paths.root / "dvc.lock"
    return not lock.exists() or f"path: reports/{as_of}/summary.md\n" in lock.read_text(encoding="utf-8")


def approve_recommended(week: Week) -> str:
    """Record that the recommended promotion is approved; returns the recipe.

    Parameters
    ----------
    week : Week
        The last that is sealed.

    Raises
    ------
    SealError
        The gate recommends nothing.
    """
    decision = week.seal.head["decision"]
    if decision["action"] != "recommend":
        raise SealError(
            f"{week.history} {week.as_of}: nothing waits for approval; the decision was '{decision['action']}'"
        )
    entry = {"week": next_monday(week.as_of), "recipe": str(decision["recipe"]), "history": week.history}
    add_entry(week.paths.params, "approvals", entry=entry)
    return entry["recipe"]


def pin_version(week: Week, version: str, *, reason: str) -> str:
    """Record a rollback by hand; returns the week from which it holds.

    Parameters
    ----------
    week : Week
        The last that is sealed.
    version : str
        A recipe, or recipe@week.
    reason : str

    Raises
    ------
    SealError
        The history has no such version.
    """
    from edgebook.loop.history import policy_of

    if "@" in version:
        policy_of(week.paths, week.history, version)
    elif version not in week.seal.recipes:
        raise SealError(f"{version}: no such recipe in history {week.history}; `edgebook versions` lists them")
    following = next_monday(week.as_of)
    entry = {"week": following, "version": version, "reason": reason, "history": week.history}
    add_entry(week.paths.params, "pins", entry=entry)
    return following
