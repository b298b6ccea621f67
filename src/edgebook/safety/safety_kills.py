"""Commands that are killed with all their processes at random moments, and started again until they end.

Each is run once undisturbed. Then the repository is put back and the command started again and again; at a moment that
a seeded generator draws, every process of its session gets SIGKILL. After each kill every file that counts must be what
it was before or what it is in the end, and when the command has come to its end, every byte must be that of the
undisturbed run.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from edgebook.errors import DataError
from edgebook.files.whole_files import write_whole
from edgebook.safety.safety_desk import lay_out_desk
from edgebook.safety.safety_market import DAY, WEEK, environment, lay_out, small_settings
from edgebook.safety.safety_state import put_back, state_of, torn_in
from edgebook.settings.loading import load_params

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from edgebook.paths import Paths

SEED = 6
KILLS = {"backfill": 8, "export": 8, "daily": 8, "dvc repro": 12, "advance": 4, "data fetch": 10}
"""How often each command is killed: fifty times in all."""
QUICK = {"daily": 2, "export": 2}
KILLS_IN_A_ROW, LONG_IN_A_ROW = 4, 12
"""After so many the command may come to its end, and is compared; until then each start goes on from what is there."""
DESK_COMMAND = "data fetch"
LONG = ("dvc repro", "advance")
"""A run of many stages goes on where it was killed: it is killed often on its way."""
MOST_SECONDS = 1800.0
PREPARE = """
import sys
from pathlib import Path
from edgebook.files import tables
from edgebook.settings.loading import load_params
from edgebook.settings.params import plain
from edgebook.settings.settings_yaml import read_mapping
from edgebook.paths import Paths
from edgebook.regimes.regime_hmm import label_bars
from edgebook.stages.stages import MODULE_STAGES
paths = Paths(Path(sys.argv[1]))
for stage in ("bars", "indicators", "candidates", "outcomes"):
    MODULE_STAGES[stage](read_mapping(paths.params), paths)
tables.write(label_bars(tables.read(paths.bars), plain(load_params(paths.params).regimes)), paths.regimes)
"""


@dataclass
class Disturbed:
    """What came of one command.

    Parameters
    ----------
    old, new : dict of str to str
        What `state_of` gave before and after the undisturbed run.
    seconds : float
        That it took undisturbed.
    kills, ends : int
        How often it was killed, and how often it came to its end and was compared.
    refused : int
        Starts after a kill that said in one line what to run instead.
    torn : list of str
        Files that were neither old nor new after a kill.
    differing : list of str
        Files that were not those of the undisturbed run in the end.
    moments : list of float
        Seconds after the start at which it was killed.
    """

    old: dict[str, str]
    new: dict[str, str]
    seconds: float
    kills: int = 0
    ends: int = 0
    refused: int = 0
    torn: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)


def measure(paths: Paths, *, quick: bool = False, tell: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """Kill every command as often as `KILLS` says; a measurement that is broken off goes on with the next kill.

    Parameters
    ----------
    paths : Paths
        Of the repository; the small ones lie in its cache while this lasts.
    quick : bool
        Four kills of the short commands.
    tell : callable, optional
        Called with the number of kills done and their total.

    Returns
    -------
    dict
        JSON-able: quick, seed, code, and rows: command, kills, ends, files, torn, differing, refused, seconds
        (undisturbed), moments.

    Raises
    ------
    DataError
        A command failed undisturbed, or did not end after its kills.
    """
    from edgebook.audit.source_digest import source_digest

    code = source_digest("stages.stages", "running.weekly", "running.daily", "store.store", "running.data_fetch")
    planned = QUICK if quick else KILLS
    cache = paths.evidence_cache / "kills"
    known = _Progress(cache, code=code)
    known.begin()
    rows: list[dict[str, Any]] = []
    for place, command in enumerate(KILLS):
        done = sum(row["kills"] for row in rows)
        found = _undisturbed(command, place, known=known, paths=paths)
        if command not in planned:
            continue
        while found.kills < planned[command]:
            most = min(LONG_IN_A_ROW if command in LONG else KILLS_IN_A_ROW, planned[command] - found.kills)
            put_back(known.before(place), known.folder)
            for _ in disturb(known.folder, command, found=found, most=most):
                known.keep(command, found)
                if tell is not None:
                    tell(done + found.kills, sum(planned.values()))
            known.keep(command, found)
        rows.append(_row(command, found))
    if not any(row["torn"] or row["differing"] for row in rows):
        shutil.rmtree(cache)
    return {"quick": quick, "seed": SEED, "code": code, "rows": rows}


def disturb(folder: Path, command: str, *, found: Disturbed, most: int) -> Iterator[None]:
    """Kill one command a few times, let it end, and compare; `found` grows, and is yielded to after each kill.

    Parameters
    ----------
    folder : Path
        The repository as it was before the command.
    command : str
    found : Disturbed
    most : int
        Kills before it may come to its end.
    """
    for _ in range(most):
        rng = random.Random(f"{SEED}/{command}/{found.kills}/{found.ends}")
        share = rng.uniform(0.01, 0.2) if command in LONG else rng.uniform(0.05, 0.9)
        moment = share * found.seconds
        if not killed_after(moment, words_for(folder, command), folder=folder):
            break
        found.kills += 1
        found.moments.append(moment)
        found.torn += torn_in(folder, old=found.old, new=found.new)
        yield
    found.refused += _ended(folder, command)
    found.ends += 1
    last = state_of(folder)
    found.differing += [name for name in {*last, *found.new} if last.get(name) != found.new.get(name)]


@dataclass
class _Progress:
    """What a measurement that was broken off has found, and the repositories it goes on from."""

    cache: Path
    code: str
    found: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.cache / "run"

    def before(self, place: int) -> Path:
        return self.cache / f"before-{place}"

    def begin(self) -> None:
        """Take up what was measured with this code, or begin anew."""
        file = self.cache / "progress.json"
        known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        if known.get("code") == self.code:
            self.found = known["found"]
        else:
            shutil.rmtree(self.cache, ignore_errors=True)

    def keep(self, command: str, found: Disturbed) -> None:
        """Write what is known by now."""
        self.found[command] = asdict(found)
        text = json.dumps({"code": self.code, "found": self.found}, indent=1)
        write_whole({self.cache / "progress.json": text})


def _undisturbed(command: str, place: int, *, known: _Progress, paths: Paths) -> Disturbed:
    """Run a command undisturbed, where that is not known yet; what was found of it so far."""
    if command in known.found:
        return Disturbed(**known.found[command])
    folder, before = known.folder, known.before(place)
    if place == 0 or command == DESK_COMMAND:
        shutil.rmtree(folder, ignore_errors=True)
        if command == DESK_COMMAND:
            lay_out_desk(folder, database=known.cache / "desk.db", paths=paths)
        else:
            lay_out(folder, params=small_settings(paths), paths=paths)
            _prepared(folder)
        _copied(folder, before)
    put_back(before, folder)
    old = state_of(folder)
    began = time.monotonic()
    _ended(folder, command)
    found = Disturbed(old, state_of(folder), time.monotonic() - began)
    _copied(folder, known.before(place + 1))
    known.keep(command, found)
    return found


def _row(command: str, found: Disturbed) -> dict[str, Any]:
    """What the page and its readers are told of a command."""
    return {
        "command": command,
        "kills": found.kills,
        "ends": found.ends,
        "files": len(found.new),
        "refused": found.refused,
        "torn": sorted(set(found.torn)),
        "differing": sorted(set(found.differing)),
        "seconds": round(found.seconds, 1),
        "moments": [round(moment, 2) for moment in found.moments],
    }


def _copied(folder: Path, place: Path) -> None:
    """Keep a repository as it is now, without its code."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder, place, symlinks=True, ignore=lambda top, _: ["src"] if top == str(folder) else [])


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
    more = {"backfill": ["--until", WEEK], "daily": ["--date", DAY], DESK_COMMAND: ["--until", DAY]}.get(command, [])
    return [sys.executable, "-c", "from edgebook.cli import main; main()", *command.split(), *more]


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
