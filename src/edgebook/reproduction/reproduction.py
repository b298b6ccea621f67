"""Reproducibility as a figure: run everything again with one thing changed, and count the bytes that differ.

Each run is a process of its own, from bars to reports on the committed small market. The settings that choose kernels
stand in for other processors: the same code paths, on one machine.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgebook.errors import DataError
from edgebook.paths import Paths
from edgebook.reproduction.reproduction_compare import Comparison, compare
from edgebook.reproduction.reproduction_run import CONTROL, OUTPUTS
from edgebook.reproduction.reproduction_variations import FIRST, Variation, environment_of, variations
from edgebook.settings.loading import load_params
from edgebook.settings.params import Params, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edgebook.reproduction.reproduction_run import Scope

WEEKS, QUICK_WEEKS = 6, 2
"""Weeks after genesis that are sealed; the last is the first in which a tuning study is due."""
PROGRAM = (
    "import sys; from pathlib import Path; from edgebook.reproduction.reproduction_run import run; "
    "run(Path(sys.argv[1]), scope=sys.argv[2])"
)
NEEDED = ("dvc.yaml", "notebooks", "docs/evidence/ablation.json")
ARITHMETIC = ("matrix products", "array functions", "scalar functions")


def small_piece(paths: Paths, *, quick: bool = False) -> Params:
    """Settings of what is run: the committed small market, some weeks of it, importance and tuning included.

    Parameters
    ----------
    paths : Paths
        Of the repository that has data/sample.
    quick : bool
        The fewest weeks in which a study is due.
    """
    import datetime

    sample = load_params(paths.root / "data" / "sample" / "params.yaml")
    weeks = QUICK_WEEKS if quick else WEEKS
    genesis = datetime.date.fromisoformat(sample.run.genesis)
    as_of, previous = (genesis + datetime.timedelta(weeks=n) for n in (weeks, weeks - 1))
    run = replace(sample.run, as_of=as_of.isoformat(), previous=previous.isoformat())
    tuning = replace(sample.tuning, every_weeks=min(weeks, sample.tuning.every_weeks), workers=1)
    return replace(sample, run=run, tuning=tuning)


def measure(
    params: Params,
    paths: Paths,
    *,
    quick: bool = False,
    tell: Callable[[int, int], None] | None = None,
    scope: Scope | None = None,
) -> dict[str, Any]:
    """Run the piece once, then again under each variation, and compare every file that it writes.

    Parameters
    ----------
    params : Params
        Settings of the piece, from `small_piece`; with those of a large market each run takes as long as `make`.
    paths : Paths
        Of the repository: its notebooks and dvc.yaml are run, its cache holds the runs while they last. Folders of
        runs that differ are kept there.
    quick : bool
        Three variations without notebooks, else all.
    tell : callable, optional
        Called with the number of runs done and their total.
    scope : {"everything", "tables and seals"}, optional
        In place of what each variation has; by default its own, and no notebooks when `quick`.

    Returns
    -------
    dict
        JSON-able: quick, code (digest of the source that ran), market, weeks, first (its environment), rows. A row
        has variation, environment, scope, files, bytes, files_differ, bytes_differ, first_differing, explained and
        control (bytes that differ outside the product, by what was computed).

    Raises
    ------
    DataError
        A run failed.
    """
    from edgebook.audit.source_digest import source_digest

    planned = variations(quick=quick)
    if quick or scope:
        planned = [replace(variation, scope=scope or "tables and seals") for variation in planned]
    cache = paths.evidence_cache / "reproduction"
    shutil.rmtree(cache, ignore_errors=True)
    here, first = cache / "run", cache / "first"
    whole: Scope = "everything" if any(v.scope == "everything" for v in planned) else "tables and seals"
    _lay_out(here, params=params, paths=paths)
    _run(here, variation=None, scope=whole)
    for part in ("data", "models", "reports", CONTROL):
        if (here / part).exists():
            shutil.copytree(here / part, first / part)
    rows = []
    for number, variation in enumerate(planned, start=1):
        if tell is not None:
            tell(number, len(planned) + 1)
        folder = (
            cache / "a folder of another name, with spaces and more letters" / "run" if variation.elsewhere else here
        )
        if not variation.in_place:
            shutil.rmtree(folder, ignore_errors=True)
            _lay_out(folder, params=_with_workers(params, variation.workers), paths=paths)
        _run(folder, variation=variation, scope=variation.scope)
        found = compare(first, folder, parts=OUTPUTS[variation.scope])
        rows.append(_row(variation, found, control=compare(first, folder, parts=(CONTROL,))))
        if found.differing:
            shutil.copytree(folder, cache / "differing" / variation.name)
    if tell is not None:
        tell(len(planned) + 1, len(planned) + 1)
    for place in cache.iterdir():
        if not (cache / "differing").exists():
            shutil.rmtree(place)
    return {
        "quick": quick,
        "code": source_digest("reproduction.reproduction_run"),
        "market": {
            "source": params.bars.source,
            "pairs": params.bars.synthetic.pairs,
            "timeframes": list(params.bars.timeframes),
        },
        "weeks": [params.run.genesis, params.run.as_of],
        "first": FIRST,
        "rows": rows,
    }


def _lay_out(folder: Path, *, params: Params, paths: Paths) -> None:
    """Make a folder like a repository, with nothing in it that a run writes."""
    import json

    for name in NEEDED:
        source, target = paths.root / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.exists():
            shutil.copy(source, target)
    settings = json.dumps(plain(params), indent=1)  # YAML 1.2 reads JSON
    (folder / "params.yaml").write_text(settings + "\n", encoding="utf-8")


def _with_workers(params: Params, workers: int) -> Params:
    return replace(params, tuning=replace(params.tuning, workers=workers))


def _run(folder: Path, *, variation: Variation | None, scope: Scope) -> None:
    """Run the piece in a process whose environment says what is varied."""
    source = Path(__file__).resolve().parents[2]  # the code that measures is the code that runs
    environment = environment_of(variation) | {"EDGEBOOK_ROOT": str(folder), "PYTHONPATH": str(source)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), scope], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
        name = variation.name if variation else "the first run"
        raise DataError(
            f"reproduction: {name}: failed ({last}); the folder is kept under scratch/evidence/reproduction"
        )


def _row(variation: Variation, found: Comparison, *, control: Comparison) -> dict[str, Any]:
    """One variation, as it is kept."""
    return {
        "variation": variation.name,
        "environment": dict(variation.environment),
        "scope": variation.scope,
        "files": found.files,
        "bytes": found.bytes_compared,
        "files_differ": len(found.differing),
        "bytes_differ": found.bytes_differ,
        "first_differing": found.first,
        "explained": list(found.explained),
        "control": {name.removeprefix(f"{CONTROL}/"): count for name, count in control.differing.items()},
    }


def reproduction_section(found: Mapping[str, Any]) -> str:
    """The study as a section of a page.

    Parameters
    ----------
    found : mapping
        From `measure`, or read from its JSON.

    Returns
    -------
    str
        Markdown: a sentence, the table, and how to read it.
    """
    rows = found["rows"]
    differ, compared = sum(row["bytes_differ"] for row in rows), sum(row["bytes"] for row in rows)
    lines = [
        f"**{differ:,} of {compared:,} bytes differ** between a first run and {len(rows)} others, each with one thing "
        f"changed (n = {sum(row['files'] for row in rows):,} files compared).",
        f"What runs is everything from bars to reports on the small market ({found['market']['pairs']} pairs, "
        f"{' and '.join(found['market']['timeframes'])}, sealed weekly from {found['weeks'][0]} to "
        f"{found['weeks'][1]}, a feature selection and a tuning study among them): tables, seals, ledgers"
        + (", and executed notebooks, pages and figures where the scope is everything" if _any_reports(rows) else "")
        + ". The first run is on this processor's own kernels, with "
        + ", ".join(f"`{name}={value}`" for name, value in found["first"].items())
        + ".",
        "\n".join(
            [
                "| changed | scope | files | bytes | bytes that differ | files that differ | unrounded arithmetic | "
                "what else changed |",
                "|---|---|---:|---:|---:|---:|---:|---|",
                *(_line(row) for row in rows),
            ]
        ),
        "Unrounded arithmetic is the control: bytes that the same setting changes in matrix products and solutions, in "
        "NumPy's functions of arrays and in the C library's of single numbers, computed in the same process and not "
        "rounded. Where it is above 0 and no byte of a file differs, the last bits did change and rounding kept them "
        "out; where it and the last column show nothing, this machine could not vary that. Settings: "
        + "; ".join(
            f"{row['variation']}: {', '.join(f'`{n}={v}`' for n, v in row['environment'].items())}"
            for row in rows
            if row["environment"]
        )
        + ".",
    ]
    found_apart = [f"- {row['variation']}: {what}" for row in rows for what in row["explained"]]
    return "\n\n".join([*lines, *(["\n".join(found_apart)] if found_apart else [])])


def _any_reports(rows: list[dict[str, Any]]) -> bool:
    return any(row["scope"] == "everything" for row in rows)


def _line(row: Mapping[str, Any]) -> str:
    control = row["control"]
    arithmetic = sum(control.get(name, 0) for name in ARITHMETIC)
    others = ", ".join(name for name in control if name not in ARITHMETIC) or "nothing"
    first = f", first `{row['first_differing']}`" if row["first_differing"] else ""
    return (
        f"| {row['variation']} | {row['scope']} | {row['files']:,} | {row['bytes']:,} | {row['bytes_differ']:,} | "
        f"{row['files_differ']:,}{first} | {arithmetic:,} | {others} |"
    )
