"""Every learner on every market: the study behind docs/evidence/learners.md.

What was measured is committed as docs/evidence/ablation.json; the page and its figures are made of that file alone.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from edgebook.evidence.loop_counts import rounded

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgebook.paths import Paths
    from edgebook.settings.params import Params
    from edgebook.settings.recipes import Recipe

WORKERS = 2


def measure(
    params: Params,
    paths: Paths,
    *,
    seeds: int,
    quick: bool = False,
    tell: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Run what has not been run yet and sum it up.

    Parameters
    ----------
    params : Params
        The champion among its recipes is the full loop.
    paths : Paths
        Markets and cells are kept under `Paths.evidence_cache`.
    seeds : int
        Markets of each kind of known truth.
    quick : bool
    tell : callable, optional
        Called with the number of cells done and their total.

    Returns
    -------
    dict
        JSON-able: quick, champion, recipe, code (digest of the source that ran), warmup_weeks, markets, arms, rows,
        studies.
    """
    from edgebook.audit.source_digest import source_digest
    from edgebook.evidence.ablation import benches, make_arm_rows, make_rows
    from edgebook.evidence.evidence_cells import CODE, run_benches
    from edgebook.evidence.known_truth import studies
    from edgebook.loop.history import rules_of

    champion, recipe = full_loop(params)
    planned = benches(recipe, seeds=seeds, quick=quick)
    cells = run_benches(planned, params=params, cache=paths.evidence_cache, workers=WORKERS, tell=tell)
    specs = {bench.spec.name: bench.spec for bench in reversed(planned)}
    markets = [
        {
            **asdict(replace(spec, seed=0)),
            "markets": len({seed for name, seed, _ in cells if name == spec.name}),
            "arms": len({arm for name, _, arm in cells if name == spec.name}),
        }
        for spec in reversed(list(specs.values()))
    ]
    found = {
        "quick": quick,
        "champion": champion,
        "recipe": recipe.settings(),
        "code": source_digest(*CODE),
        "warmup_weeks": params.learning.warmup_weeks,
        "markets": markets,
        "arms": make_arm_rows(cells),
        "rows": make_rows(cells, recipe),
        "studies": studies(cells, recipe, families=rules_of(params).families),
    }
    made: dict[str, Any] = rounded(found)
    return made


def full_loop(params: Params) -> tuple[str, Recipe]:
    """Name and recipe of the full loop: the champion's of params.yaml."""
    return next((name, recipe) for name, recipe in params.recipes.items() if recipe.role == "champion")


def write_learners(found: dict[str, Any], *, folder: Path) -> None:
    """Write what was measured, the figures and the page.

    Parameters
    ----------
    found : dict
        From `measure`.
    folder : Path
    """
    from edgebook.evidence.figures_evidence import evidence_pictures
    from edgebook.evidence.learners_page import learners_page

    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=1, allow_nan=False) + "\n"
    (folder / "ablation.json").write_text(text, encoding="utf-8", newline="\n")
    for name, picture in evidence_pictures(found).items():
        (folder / f"{name}.png").write_bytes(picture.data)
    (folder / "learners.md").write_text(learners_page(found), encoding="utf-8", newline="\n")
