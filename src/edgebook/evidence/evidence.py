"""``python -m edgebook.evidence``: does the loop fool itself? Measure it, and write docs/evidence.md of it.

``make evidence`` calls it. Each study is one file of docs/evidence; the page is made of those files alone. What takes
long is kept outside git as it is measured, so that a run that was broken off goes on where it stopped.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from edgebook.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edgebook.settings.params import Params

    Tell = Callable[[int, int], None]

STUDIES = ("audit", "adversarial", "reproduction", "fuzz", "kills", "loops", "learners")
"""In the order in which they run: the shorter ones first."""
WORKERS = 2


def main(arguments: list[str]) -> int:
    """Run studies and write the page.

    Parameters
    ----------
    arguments : list of str
        Names of `STUDIES`, all when there is none; ``--quick`` runs a small part of each, in a folder of its own
        outside git; ``--seeds N`` runs the learners on N markets of each kind of known truth; ``--page`` measures
        nothing, and writes the page of what has been measured.

    Returns
    -------
    int
        What the process exits with: 1 when a study found what must not be.
    """
    from argparse import ArgumentParser

    from edgebook.evidence.ablation import SEEDS
    from edgebook.evidence.evidence_page import evidence_page, faults
    from edgebook.settings.loading import load_params

    parser = ArgumentParser(prog="python -m edgebook.evidence", description="Whether the loop fools itself.")
    parser.add_argument("studies", nargs="*", choices=[[], *STUDIES], help=f"of {', '.join(STUDIES)}; default: all")
    parser.add_argument("--quick", action="store_true", help="a small part of each, outside git")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="markets of each kind for the learners (%(default)s)")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page of what was measured")
    given = parser.parse_args(arguments)
    paths = Paths.at()
    params = load_params(paths.params)
    folder = paths.evidence_cache / "quick" if given.quick else paths.evidence
    for study in () if given.page else given.studies or STUDIES:
        with _bar(study) as tell:
            found = _measured(study, params, paths, quick=given.quick, seeds=given.seeds, tell=tell)
        _write(study, found, folder=folder)
        print(f"{study}: measured")
    known = {study: read_study(folder, study) for study in STUDIES}
    page = folder / "evidence.md" if given.quick else paths.evidence.with_suffix(".md")
    page.write_text(evidence_page(known, folder="." if given.quick else "evidence"), encoding="utf-8", newline="\n")
    wrong = faults(known)
    for line in wrong:
        print(f"evidence: {line}", file=sys.stderr)
    print(f"{page.relative_to(paths.root)}: {len([1 for found in known.values() if found])} studies")
    return 1 if wrong else 0


def read_study(folder: Path, study: str) -> dict[str, Any] | None:
    """What a study found, None where it has not been run.

    Parameters
    ----------
    folder : Path
    study : str
        Of `STUDIES`.
    """
    place = folder / _file(study)
    return dict(json.loads(place.read_text(encoding="utf-8"))) if place.exists() else None


def _file(study: str) -> str:
    return "ablation.json" if study == "learners" else f"{study}.json"


def _measured(study: str, params: Params, paths: Paths, *, quick: bool, seeds: int, tell: Tell) -> dict[str, Any]:
    """Run one study."""
    if study == "audit":
        from edgebook.evidence import audit_evidence

        return audit_evidence.measure(params, quick=quick, tell=tell)
    if study == "adversarial":
        from edgebook.evidence import adversarial_evidence

        return adversarial_evidence.measure(params.gate, params.learning, quick=quick, tell=tell)
    if study == "reproduction":
        from edgebook.reproduction import reproduction

        return reproduction.measure(reproduction.small_piece(paths, quick=quick), paths, quick=quick, tell=tell)
    if study == "fuzz":
        from edgebook.safety import fuzz

        return fuzz.measure(paths, quick=quick, tell=tell)
    if study == "kills":
        from edgebook.safety import safety_kills

        return safety_kills.measure(paths, quick=quick, tell=tell)
    if study == "loops":
        from edgebook.evidence.evidence_loops import planned, run_loops
        from edgebook.evidence.loop_summary import summarised

        specs = planned(quick=quick)
        runs = run_loops(specs, params=params, cache=paths.evidence_cache, workers=WORKERS, tell=tell)
        return summarised(runs, quick=quick)
    from edgebook.evidence import evidence_learners

    return evidence_learners.measure(params, paths, seeds=seeds, quick=quick, tell=tell)


def _write(study: str, found: dict[str, Any], *, folder: Path) -> None:
    """Keep what a study found, with its pictures."""
    if study == "learners":
        from edgebook.evidence.evidence_learners import write_learners

        write_learners(found, folder=folder)
        return
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=1, allow_nan=False) + "\n"
    (folder / _file(study)).write_text(text, encoding="utf-8", newline="\n")
    if study == "loops":
        from edgebook.evidence.figures_loops import loop_pictures

        for name, picture in loop_pictures(found).items():
            (folder / f"{name}.png").write_bytes(picture.data)


@contextmanager
def _bar(what: str) -> Iterator[Tell]:
    """Progress on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from tqdm import tqdm  # type: ignore[import-untyped]

    with tqdm(total=None, desc=what, unit="step", leave=False) as shown:

        def tell(done: int, total: int) -> None:
            shown.total, shown.n = total, done
            shown.refresh()

        yield tell
