"""Which markets the complete loop runs on, and their runs: each run once, kept, and gone on with after a break."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from edgebook.audit.source_digest import source_digest
from edgebook.evidence.evidence_loop import IMPORTANCE, TUNING, LoopSpec, run_loop, settings_of
from edgebook.evidence.evidence_markets import NULLS, STRESSES, MarketSpec
from edgebook.settings.params import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from edgebook.settings.params import Params

CODE = ("evidence.evidence_loop",)
NULL_SEEDS, OTHER_SEEDS = 67, 3
PAIRS, PLANTED_PAIRS = 3, 6
"""With six the champion trades as often as on the default market, some 25 times a week."""
EDGES = {0.03: 4, 0.04: 30, 0.06: 4}
"""Sizes of the planted edge, and how many markets of each."""
HEADS = ("D", "F", "H")
QUICK_WEEKS = 5


def planned(*, quick: bool = False) -> list[LoopSpec]:
    """Every run of the evidence, all kinds in turn: a broken-off run has some of each.

    Parameters
    ----------
    quick : bool
        One short run of each null kind and of a planted edge.
    """
    if quick:
        few = [null_spec(source, seed=1) for source in NULLS] + [planted_spec(max(EDGES), seed=1)]
        return [replace(spec, market=replace(spec.market, weeks=QUICK_WEEKS, pairs=2)) for spec in few]
    turns: list[tuple[float, int, LoopSpec]] = []

    def take(made: list[LoopSpec]) -> None:
        turns.extend(((number + 0.5) / len(made), len(turns) + number, spec) for number, spec in enumerate(made))

    for source in NULLS:
        take([null_spec(source, seed=seed) for seed in range(1, NULL_SEEDS + 1)])
    for edge, seeds in EDGES.items():
        take([planted_spec(edge, seed=seed) for seed in range(1, seeds + 1)])
    for then in (("H", "I", "F"), ()):
        take([planted_spec(0.06, seed=seed, then=then) for seed in range(1, OTHER_SEEDS + 1)])
    for source in STRESSES:
        take([null_spec(source, seed=seed) for seed in range(1, OTHER_SEEDS + 1)])
    return [spec for _, _, spec in sorted(turns, key=lambda turn: turn[:2])]


def null_spec(source: Any, *, seed: int) -> LoopSpec:
    """A market without an edge and without costs: nobody is better, and trading less saves nothing."""
    return LoopSpec(market=MarketSpec(name=source, source=source, seed=seed, pairs=PAIRS), costs=False)


def planted_spec(edge: float, *, seed: int, then: tuple[str, ...] | None = None) -> LoopSpec:
    """A market with an edge from genesis on, which may move or die half a year later."""
    name = f"edge {edge:g}" if then is None else "dying" if not then else "switching"
    return LoopSpec(
        market=MarketSpec(
            name=name, kind="planted" if then is None else "switching", heads=HEADS, then=then or (), edge=edge,
            seed=100 + seed, pairs=PLANTED_PAIRS,
        ),
        cast="frozen_champion",
    )  # fmt: skip


def run_loops(
    specs: Sequence[LoopSpec],
    *,
    params: Params,
    cache: Path,
    workers: int,
    tell: Callable[[int, int], None] | None = None,
) -> list[dict[str, Any]]:
    """Run what has not been run yet, and return all runs in the order of `specs`.

    Parameters
    ----------
    specs : sequence of LoopSpec
    params : Params
        Settings of the repository.
    cache : Path
        Folder outside git.
    workers : int
        Processes; the runs are the same for any number.
    tell : callable, optional
        Called with the number of runs done and their total.
    """
    places = [run_file(spec, params=params, cache=cache) for spec in specs]
    missing = [(spec, place) for spec, place in zip(specs, places, strict=True) if not place.exists()]
    done = len(specs) - len(missing)
    if tell is not None:
        tell(done, len(specs))
    with ProcessPoolExecutor(workers) as pool:
        waiting = [pool.submit(_run, spec, place, params=params) for spec, place in missing]
        for finished in as_completed(waiting):
            finished.result()
            done += 1
            if tell is not None:
                tell(done, len(specs))
    return [json.loads(place.read_text(encoding="utf-8")) for place in places]


def run_file(spec: LoopSpec, *, params: Params, cache: Path) -> Path:
    """Where a run is kept: under the digest of all that it is made of."""
    given = settings_of(spec, params)
    parts = ("candidates", "regimes", "recipes", "sizing", "learning", "gate", "importance", "tuning", "drift")
    made_of = {
        "spec": asdict(spec),
        "settings": {part: plain(getattr(given, part)) for part in parts},
        "sizes": [IMPORTANCE, TUNING],
        "code": source_digest(*CODE),
    }
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True, default=str).encode()).hexdigest()[:20]
    return cache / "loops" / f"{digest}.json"


def _run(spec: LoopSpec, place: Path, *, params: Params) -> None:
    """Run and keep one."""
    found = run_loop(spec, params)
    place.parent.mkdir(parents=True, exist_ok=True)
    scratch = place.with_suffix(".tmp")
    scratch.write_text(json.dumps(found, indent=1, default=float) + "\n", encoding="utf-8")
    scratch.replace(place)
