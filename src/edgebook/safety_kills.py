"""Commands that are killed with all their processes at random moments, and started again until they end.

Each is run once undisturbed. Then the repository is put back and the command started again and again; at a moment that
a seeded generator draws, every process of its session gets SIGKILL. After each kill every file that counts must be what
it was before or what it is in the end, and when the command has come to its end, every byte must be that of the
undisturbed run.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgebook.errors import DataError
from edgebook.params import load_params
from edgebook.paths import Paths
from edgebook.safety_market import DAY, WEEK, environment, lay_out, small_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SEED = 6
KILLS = {"backfill": 12, "export": 10, "daily": 12, "dvc repro": 8, "advance": 8}
"""How often each command is killed: fifty times in all."""
KILLS_IN_A_ROW = 12
"""After so many the command may come to its end, and is compared; until then each start goes on from what is there."""
QUICK = {"daily": 2, "export": 2}
PASSED_OVER = ("src", ".git", ".dvc", "notebooks", "scratch", "data/journals")
PREPARE = """
import sys
from pathlib import Path
from edgebook import tables
from edgebook.params import load_params, plain
from edgebook.settings_yaml import read_mapping
from edgebook.paths import Paths
from edgebook.regime_hmm import label_bars
from edgebook.stages import MODULE_STAGES
paths = Paths(Path(sys.argv[1]))
for stage in ("bars", "indicators", "candidates", "outcomes"):
    MODULE_STAGES[stage](read_mapping(paths.params), paths)
tables.write(label_bars(tables.read(paths.bars), plain(load_params(paths.params).regimes)), paths.regimes)
"""
NO_ROWS = b"BEGIN TRANSACTION;\nCOMMIT;"
"""A store that was made and not filled: as if it were not there."""
LONG_SECONDS, MOST_SECONDS = 60.0, 1800.0
"""A command that takes longer than the first goes on where it was killed: it is killed often on its way."""


@dataclass
class Disturbed:
    """What came of one command.

    Parameters
    ----------
    kills, ends : int
        How often it was killed, and how often it came to its end and was compared.
    torn : list of str
        Files that were neither old nor new after a kill.
    differing : list of str
        Files that were not those of the undisturbed run in the end.
    refused : int
        Starts after a kill that said in one line what to run instead.
    moments : list of float
        Seconds after the start at which it was killed.
    """

    kills: int = 0
    ends: int = 0
    refused: int = 0
    torn: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)


def measure(paths: Paths, *, quick: bool = False, tell: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """Kill every command as often as `KILLS` says.

    Parameters
    ----------
    paths : Paths
        Of the repository; the small one lies in its cache while this lasts.
    quick : bool
        Four kills of the short commands.
    tell : callable, optional
        Called with the number of kills done and their total.

    Returns
    -------
    dict
        JSON-able: quick, seed, code, and rows: command, kills, ends, files, bytes, torn, differing, refused, seconds
        (undisturbed), moments.

    Raises
    ------
    DataError
        A command failed undisturbed, or did not end after its kills.
    """
    from edgebook.source_digest import source_digest

    planned = QUICK if quick else KILLS
    cache = paths.evidence_cache / "kills"
    shutil.rmtree(cache, ignore_errors=True)
    folder, before = cache / "run", cache / "before"
    lay_out(folder, params=small_settings(paths), paths=paths)
    _prepared(folder)
    rng = random.Random(SEED)
    rows = []
    done = 0
    for command in KILLS:
        shutil.rmtree(before, ignore_errors=True)
        shutil.copytree(folder, before, symlinks=True)
        old = state_of(folder)
        began = time.monotonic()
        _ended(folder, command)
        seconds = time.monotonic() - began
        new = state_of(folder)
        if command in planned:
            found = disturb(
                folder, command, before=before, old=old, new=new, seconds=seconds, kills=planned[command], rng=rng,
                tell=partial(_told, tell, base=done, total=sum(planned.values())),
            )  # fmt: skip
            done += found.kills
            rows.append(
                {
                    "command": command,
                    "kills": found.kills,
                    "ends": found.ends,
                    "files": len(new),
                    "refused": found.refused,
                    "torn": sorted(set(found.torn)),
                    "differing": sorted(set(found.differing)),
                    "seconds": round(seconds, 1),
                    "moments": [round(moment, 2) for moment in found.moments],
                }
            )
    if not any(row["torn"] or row["differing"] for row in rows):
        shutil.rmtree(cache)
    return {"quick": quick, "seed": SEED, "code": source_digest("stages", "weekly", "daily", "store"), "rows": rows}


def disturb(
    folder: Path,
    command: str,
    *,
    before: Path,
    old: Mapping[str, str],
    new: Mapping[str, str],
    seconds: float,
    kills: int,
    rng: random.Random,
    tell: Callable[[int], None],
) -> Disturbed:
    """Kill one command so many times, and let it end after each few of them.

    Parameters
    ----------
    folder, before : Path
        The repository, and a copy of it as it was before the command.
    command : str
    old, new : mapping of str to str
        What `state_of` gave before and after the undisturbed run.
    seconds : float
        That it took undisturbed.
    kills : int
    rng : Random
    tell : callable
        Called with the number of kills done.
    """
    found = Disturbed()
    while found.kills < kills:
        put_back(before, folder)
        for _ in range(min(KILLS_IN_A_ROW, kills - found.kills)):
            moment = rng.uniform(0.01, 0.2) * seconds if seconds > LONG_SECONDS else rng.uniform(0.05, 1.0) * seconds
            if not killed_after(moment, words_for(folder, command), folder=folder):
                break
            found.kills += 1
            found.moments.append(moment)
            found.torn += torn_in(folder, old=old, new=new)
            tell(found.kills)
        found.refused += _ended(folder, command)
        found.ends += 1
        last = state_of(folder)
        found.differing += [name for name in {*last, *new} if last.get(name) != new.get(name)]
    return found


def killed_after(moment: float, words: Sequence[str], *, folder: Path) -> bool:
    """Start a command in a session of its own and kill all of it after a while; False when it was done before."""
    process = subprocess.Popen(
        words, cwd=folder, env=environment(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        process.wait(timeout=moment)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


def _prepared(folder: Path) -> None:
    """Make the tables that a backfill reads, by the functions of the stages."""
    done = subprocess.run(
        [sys.executable, "-c", PREPARE, str(folder)], env=environment(folder), capture_output=True, text=True
    )
    if done.returncode:
        raise DataError(f"kills: the tables were not made: {done.stderr.strip().splitlines()[-1]}")


def words_for(folder: Path, command: str) -> list[str]:
    """How a command is started now: `advance` only where params.yaml names the old week, as its own error says."""
    if command == "advance" and load_params(folder / "params.yaml").run.as_of != WEEK:
        command = "dvc repro"
    if command == "dvc repro":
        return [sys.executable, "-m", "dvc", "repro"]
    more = {"backfill": ["--until", WEEK], "daily": ["--date", DAY]}.get(command, [])  # the same again, not the next
    return [sys.executable, "-c", "from edgebook.cli import main; main()", command, *more]


def torn_in(folder: Path, *, old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Files that are neither what they were nor what they will be; dvc.lock grows by the stage, so it must be read."""
    return [
        name
        for name, digest in state_of(folder).items()
        if name != "dvc.lock" and digest not in (old.get(name), new.get(name))
    ]


def state_of(folder: Path) -> dict[str, str]:
    """Digest of every file that counts, by its path: all but code, caches, and what git and DVC ignore as scratch."""
    found = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if not file.is_file() or name.startswith(tuple(f"{part}/" for part in PASSED_OVER)):
            continue
        if any(part.startswith(".") and part.endswith(".tmp") for part in name.split("/")) or name == ".edgebook.lock":
            continue
        if name.endswith(("-journal", "-wal", "-shm")):
            continue
        content = _rows_of(file) if file.suffix == ".sqlite" else file.read_bytes()
        if content == NO_ROWS:
            continue
        found[name] = hashlib.sha256(content).hexdigest()
    return found


def put_back(before: Path, folder: Path) -> None:
    """Give the repository the state before the command, its DVC cache included; code keeps what was compiled."""
    for place in folder.iterdir():
        if place.name != "src":
            shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
    for place in before.iterdir():
        if place.name == "src":
            continue
        if place.is_dir():
            shutil.copytree(place, folder / place.name, symlinks=True)
        else:
            shutil.copy2(place, folder / place.name)


def _told(tell: Callable[[int, int], None] | None, kills: int, *, base: int, total: int) -> None:
    """Pass the number of kills of all commands on."""
    if tell is not None:
        tell(base + kills, total)


def _ended(folder: Path, command: str) -> int:
    """Run a command to its end, as its own errors say; returns how often it said so."""
    for refused in range(3):
        done = subprocess.run(
            words_for(folder, command), cwd=folder, env=environment(folder), capture_output=True, text=True,
            timeout=MOST_SECONDS,
        )  # fmt: skip
        if done.returncode == 0:
            return refused
    last = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
    raise DataError(f"{command}: did not come to its end ({last}); the folder is kept under scratch/evidence/kills")


def _rows_of(file: Path) -> bytes:
    """Rows of a SQLite file, as a reader sees them after a kill: its own bytes depend on its history."""
    with closing(sqlite3.connect(file)) as connection:
        return "\n".join(connection.iterdump()).encode()
