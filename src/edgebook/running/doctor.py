"""Whether this machine, this environment and this history are as they should be."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from edgebook.errors import EdgebookError
from edgebook.settings.loading import load_params

if TYPE_CHECKING:
    from edgebook.paths import Paths

FREE_BYTES = 2 * 1024**3
KERNEL_SETTINGS = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "NUMBA_CPU_NAME")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str


def examine(paths: Paths) -> list[Check]:
    """Look at everything a run rests on; nothing is changed.

    Parameters
    ----------
    paths : Paths

    Returns
    -------
    list of Check
    """
    machine = [_python(), _packages(paths), _processor(), _disk(paths)]
    return [*machine, _settings(paths), *_private(paths), *_tables(paths), *_dvc(paths), _seals(paths)]


def _python() -> Check:
    return Check("python", sys.version_info >= (3, 11), f"{platform.python_version()}, needs 3.11 or newer")


def _packages(paths: Paths) -> Check:
    """Installed versions against the lock."""
    lock = paths.root / "requirements.lock"
    if not lock.exists():
        return Check("packages", False, "requirements.lock: no such file; restore it with `git checkout`")
    from packaging.requirements import Requirement

    entries = [Requirement(line.rstrip(" \\")) for line in lock.read_text().splitlines() if line[:1] not in ("", " ")]
    pins = [f"{e.name}{e.specifier}" for e in entries if e.marker is None or e.marker.evaluate()]
    wrong = []
    for pin in pins:
        name, _, wanted = pin.partition("==")
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "missing"
        if found != wanted:
            wrong.append(f"{name} {found}, locked {wanted}")
    detail = f"{len(pins)} as locked" if not wrong else f"{'; '.join(wrong[:4])}; `make` installs the lock"
    return Check("packages", not wrong, detail)


def _processor() -> Check:
    """Which kernels the numbers come from. Proved to give the same bytes: see docs/performance.md."""
    chosen = [f"{name}={os.environ[name]}" for name in KERNEL_SETTINGS if name in os.environ]
    return Check(
        "processor", True, f"{platform.machine()}, {os.cpu_count()} cores; {', '.join(chosen) or 'default kernels'}"
    )


def _disk(paths: Paths) -> Check:
    free = shutil.disk_usage(paths.root).free
    return Check("disk", free > FREE_BYTES, f"{free / 1024**3:.1f} GiB free, a run needs 2")


def _settings(paths: Paths) -> Check:
    try:
        params = load_params(paths.params)
    except EdgebookError as error:
        return Check("settings", False, str(error))
    return Check(
        "settings", True, f"history {params.run.history}, week to {params.run.as_of}, market {params.bars.source}"
    )


def _private(paths: Paths) -> list[Check]:
    """Whether git keeps out of what is private; nothing where nothing is."""
    from edgebook.files.private_data import privacy

    try:
        private = load_params(paths.params).outcomes.private
        found = privacy(paths, private=private)
    except EdgebookError:  # of params.yaml, and told by the check before
        return []
    return [Check("private", ok, f"{name}: {detail}") for name, ok, detail in found]


def _tables(paths: Paths) -> list[Check]:
    from edgebook.files import tables

    names = ("bars", "indicators", "votes", "patterns", "regimes")
    missing = [name for name in names if not getattr(paths, name).exists()]
    if missing:
        return [Check("tables", False, f"{', '.join(missing)} not made yet; run `dvc repro`")]
    try:
        rows = {name: len(tables.read(getattr(paths, name), columns=["date"])) for name in names}
    except EdgebookError as error:
        return [Check("tables", False, str(error))]
    aligned = rows["bars"] == rows["indicators"] == rows["votes"] == rows["regimes"]
    detail = f"{rows['bars']:,} bars" if aligned else f"tables have different lengths {rows}; run `dvc repro`"
    return [Check("tables", aligned, detail)]


def _dvc(paths: Paths) -> list[Check]:
    """Whether DVC can read what it has put down; nothing where it has put down nothing."""
    from edgebook.running.dvc_lock import check_lock

    try:
        check_lock(paths)
    except EdgebookError as error:
        return [Check("dvc.lock", False, str(error))]
    return [Check("dvc.lock", True, "whole")] if (paths.root / "dvc.lock").exists() else []


def _seals(paths: Paths) -> Check:
    from edgebook.seals.seals import read_seal, sealed_weeks

    try:
        history = load_params(paths.params).run.history
        weeks = sealed_weeks(paths, history)
        for week in weeks:
            read_seal(paths, history=history, as_of=week)
    except EdgebookError as error:
        return Check("seals", False, str(error))
    return Check("seals", bool(weeks), f"{len(weeks)} of {history} intact" if weeks else "none yet; run `make`")
