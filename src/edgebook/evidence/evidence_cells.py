"""Cells of the evidence: one arm on one market, measured week by week, run once and kept.

A cell is known by what it is made of: market, recipe, settings and code. A run that is broken off goes on where it
stopped, and a change of code makes again what it touches.
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.audit.source_digest import source_digest
from edgebook.evidence.evidence_markets import MarketSpec, prepare_market
from edgebook.evidence.evidence_variants import Variant
from edgebook.settings.params import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from edgebook.arms.arms import Rules
    from edgebook.evidence.evidence_markets import EvidenceMarket
    from edgebook.policy.heads import Head
    from edgebook.policy.market import Market
    from edgebook.policy.plan_outcomes import PlanOutcomes
    from edgebook.settings.params import Params
    from edgebook.settings.recipes import Recipe

CODE = tuple(f"evidence.{name}" for name in ("evidence_cells", "evidence_arms", "evidence_weeks", "evidence_markets"))


@dataclass(frozen=True)
class Bench:
    """One market with the arms that run on it.

    Parameters
    ----------
    spec : MarketSpec
    variants : tuple of Variant
    """

    spec: MarketSpec
    variants: tuple[Variant, ...]


Cells = dict[tuple[str, int, str], pd.DataFrame]
"""Measured weeks by name of the market, its seed, and name of the variant."""


def run_benches(
    benches: Sequence[Bench],
    *,
    params: Params,
    cache: Path,
    workers: int,
    tell: Callable[[int, int], None] | None = None,
) -> Cells:
    """Run every cell that is not kept yet, and return them all.

    Parameters
    ----------
    benches : sequence of Bench
    params : Params
        Settings of the repository.
    cache : Path
        Folder outside git for markets and cells.
    workers : int
        Processes; each takes one market at a time, whose arms share the fits of their heads.
    tell : callable, optional
        Called with the number of cells done and their total.

    Returns
    -------
    dict
        See `Cells`; the same whatever the number of workers.
    """
    total = sum(len(bench.variants) for bench in benches)
    done = 0
    missing = []
    for bench in benches:
        left = tuple(v for v in bench.variants if not cell_file(bench.spec, v, params=params, cache=cache).exists())
        done += len(bench.variants) - len(left)
        if left:
            missing.append(replace(bench, variants=left))
    if tell is not None:
        tell(done, total)
    if workers > 1 and missing:
        with ProcessPoolExecutor(workers) as pool:
            waiting = {pool.submit(run_bench, bench, params=params, cache=cache): bench for bench in missing}
            for finished in as_completed(waiting):
                finished.result()
                done += len(waiting[finished].variants)
                if tell is not None:
                    tell(done, total)
    else:
        for bench in missing:
            run_bench(bench, params=params, cache=cache)
            done += len(bench.variants)
            if tell is not None:
                tell(done, total)
    return {
        (bench.spec.name, bench.spec.seed, variant.name): pd.read_csv(
            cell_file(bench.spec, variant, params=params, cache=cache)
        )
        for bench in benches
        for variant in bench.variants
    }


def run_bench(bench: Bench, *, params: Params, cache: Path) -> None:
    """Run the arms of one market and keep each cell as it is done."""
    from edgebook.loop.history import rules_of

    shared = replace(rules_of(params), fit=shared_fits())
    known = prepare_market(bench.spec, params, exit_plans=[bench.variants[0].recipe.exit_plan], cache=cache)
    for variant in bench.variants:
        learning = params.learning if variant.certify else replace(params.learning, certify_alpha=0.0)
        rules = replace(shared, learning=learning)
        measured = _measured(known, variant, rules=rules, params=params, cache=cache)
        place = cell_file(bench.spec, variant, params=params, cache=cache)
        place.parent.mkdir(parents=True, exist_ok=True)
        scratch = place.with_suffix(".tmp")
        measured.round(6).to_csv(scratch, index=False, lineterminator="\n")
        scratch.replace(place)


def cell_file(spec: MarketSpec, variant: Variant, *, params: Params, cache: Path) -> Path:
    """Where a cell is kept: under the digest of all that it is made of."""
    made_of = {
        "spec": asdict(spec),
        "recipe": plain(variant.recipe.settings()),
        "arm": [variant.arm, variant.certify],
        "settings": [plain(s) for s in (params.candidates, params.regimes, params.sizing, params.gate)],
        "learning": [params.learning.warmup_weeks, params.learning.certify_alpha],
        "importance": plain(params.importance) if variant.recipe.features == "selected" else None,
        "code": source_digest(*CODE),
    }
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True, default=str).encode()).hexdigest()[:20]
    return cache / "cells" / f"{digest}.csv"


def shared_fits() -> Callable[..., dict[str, Head]]:
    """`fit_heads` that remembers: two arms whose recipes fit alike on one market get the same heads.

    To be used on one market only: the market itself is not part of what is remembered.
    """
    from edgebook.policy.heads import fit_heads

    kept: dict[tuple[Any, ...], dict[str, Head]] = {}

    def fit(
        market: Market,
        outcomes: PlanOutcomes,
        *,
        recipe: Recipe,
        families: Mapping[str, Sequence[str]],
        since: int,
        at: int,
        every: int,
    ) -> dict[str, Head]:
        penalties = (recipe.shrinkage, *sorted(recipe.head_shrinkage.items()))
        key = (recipe.exit_plan, penalties, recipe.indicators, since, at, every)
        if key not in kept:
            kept[key] = fit_heads(market, outcomes, recipe=recipe, families=families, since=since, at=at, every=every)
        return kept[key]

    return fit


def _measured(known: EvidenceMarket, variant: Variant, *, rules: Rules, params: Params, cache: Path) -> pd.DataFrame:
    """Weeks of one arm."""
    from edgebook.evidence import evidence_arms as arms
    from edgebook.evidence.evidence_weeks import measure_weeks

    if variant.arm == arms.ORACLE:
        return measure_weeks(known, arms.oracle_weeks(known, variant.recipe, rules=rules, params=params, cache=cache))
    if variant.arm == arms.TOLD:
        return measure_weeks(known, arms.told_weeks(known, variant.recipe, rules=rules))
    return measure_weeks(known, arms.recipe_weeks(known, variant.recipe, rules=rules, params=params))


def runs_of(cells: Cells, market: str, variant: str) -> dict[int, pd.DataFrame]:
    """Measured weeks of one arm on one kind of market, by seed."""
    return {seed: frame for (name, seed, arm), frame in cells.items() if name == market and arm == variant}
