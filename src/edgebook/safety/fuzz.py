"""Hostile files for every reader: each is read, or refused in one line; never a trace, a hang or a file elsewhere."""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgebook.errors import EdgebookError
from edgebook.paths import Paths
from edgebook.safety.fuzz_mutations import mutated
from edgebook.safety.fuzz_readers import readers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edgebook.safety.fuzz_reader import Reader

SEED = 6
MOST_SECONDS = 20.0
"""Of processor time, for one file."""
LONGEST_LINE = 2000


class Hang(BaseException):
    """A reader took longer than `MOST_SECONDS`."""


def measure(
    paths: Paths, *, quick: bool = False, tell: Callable[[int, int], None] | None = None, share: float = 1.0
) -> dict[str, Any]:
    """Give every reader its hostile files.

    Parameters
    ----------
    paths : Paths
        Of the repository that has data/sample.
    quick : bool
        One file in a hundred.
    tell : callable, optional
        Called with the number of files read and their total.
    share : float
        Of each reader's cases.

    Returns
    -------
    dict
        JSON-able: quick, seed, and rows: reader, cases, refused, accepted, crashes (what came instead of one line,
        with the number of the case), slowest (seconds of processor time).
    """
    share = 0.01 if quick else share
    rows = []
    with tempfile.TemporaryDirectory(prefix="edgebook-") as folder:
        outer = Path(folder)
        (outer / "made").mkdir()
        known = [r for r in readers(Paths(paths.root / "data" / "sample"), scratch=outer / "made") if r.files]
        shutil.rmtree(outer / "made")
        planned = {reader.name: max(2, round(reader.cases * share)) for reader in known}
        done = 0
        for reader in known:
            rows.append(fuzzed(reader, outer=outer, cases=planned[reader.name]))
            done += planned[reader.name]
            if tell is not None:
                tell(done, sum(planned.values()))
    return {"quick": quick, "seed": SEED, "rows": rows}


def fuzzed(reader: Reader, *, outer: Path, cases: int) -> dict[str, Any]:
    """Give one reader its files, in a folder of which nothing beside ``repo`` may appear.

    Parameters
    ----------
    reader : Reader
    outer : Path
        Empty.
    cases : int
    """
    root = outer / "repo"
    refused = accepted = 0
    crashes: list[str] = []
    slowest = 0.0
    for name, content in reader.files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    reader.read(root)  # what is valid must be read
    for case in range(cases):
        rng = random.Random(f"{SEED}/{reader.name}/{case}")
        name = rng.choice(sorted(reader.files))
        (root / name).write_bytes(mutated(reader.files[name], kind=reader.kind(name), rng=rng))
        began = time.process_time()
        try:
            with _watched():
                reader.read(root)
            accepted += 1
        except EdgebookError as error:
            refused += 1
            said = str(error)
            if "\n" in said or not said or len(said) > LONGEST_LINE:
                crashes.append(f"{case}: {name}: not one line: {said[:120]!r}")
        except (Exception, Hang) as error:
            crashes.append(f"{case}: {name}: {type(error).__name__}: {str(error)[:160]}")
        slowest = max(slowest, time.process_time() - began)
        beside = sorted(set(os.listdir(outer)) - {"repo"})  # noqa: PTH208
        if beside:
            crashes.append(f"{case}: {name}: wrote {beside[0]}")
        for put_back, content in reader.files.items():
            (root / put_back).write_bytes(content)
    shutil.rmtree(root)
    return {
        "reader": reader.name,
        "cases": cases,
        "refused": refused,
        "accepted": accepted,
        "crashes": crashes,
        "slowest": round(slowest, 2),
    }


@contextmanager
def _watched() -> Iterator[None]:
    """Stop a reader that takes too long."""

    def late(_number: int, _frame: object) -> None:
        raise Hang(f"more than {MOST_SECONDS:g} s")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
