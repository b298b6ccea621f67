"""The complete loop on one market, from genesis through a year: what it promoted, and what others would have.

Histories are folded by `edgebook.loop.history.backfill`, as the weekly run's are: weights, thresholds, importance runs,
keep-lists, tuning studies, refits, gate, watch and all. The seals are read and thrown away; what is kept of a run is
one small mapping.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from edgebook.evidence.evidence_arms import oracle_weeks
from edgebook.evidence.evidence_cells import shared_fits
from edgebook.evidence.evidence_markets import GENESIS, MarketSpec, prepare_market
from edgebook.evidence.naive_rules import promotion_weeks, records_of
from edgebook.loop.history import backfill, rules_of
from edgebook.policy.market import WEEK_MS, milliseconds
from edgebook.seals.seal_text import read_csv
from edgebook.seals.seals import read_head, sealed_weeks
from edgebook.settings.params import Run

if TYPE_CHECKING:
    from edgebook.arms.gate import Kind
    from edgebook.evidence.evidence_markets import EvidenceMarket
    from edgebook.evidence.naive_rules import TrialRecord
    from edgebook.paths import Paths
    from edgebook.settings.params import Params
    from edgebook.settings.recipes import Recipe

HISTORY = "main"
NEWEST, FROZEN = "newest", "frozen"
"""Twins that are never promoted: what would have been with the newest model always in force, and with none after."""
TARGETS, STOPS, LIMIT = (2.0, 3.0), (1.5, 2.0), 24
IMPORTANCE = {"every_weeks": 30, "shifts": 19, "rows": 2000, "permutations": 1}
TUNING: dict[str, Any] = {"every_weeks": 20, "trials": 4, "sobol": 8, "rows": 6000, "grid": False, "workers": 1}
"""What an importance run and a study cost decides how many markets can be run; they are as small as can be."""
Cast = Literal["as_set", "frozen_champion"]
KINDS: tuple[Kind, Kind] = ("promotion", "rollback")


@dataclass(frozen=True, kw_only=True)
class LoopSpec:
    """One run of the loop.

    Parameters
    ----------
    market : MarketSpec
    cast : {"as_set", "frozen_champion"}
        Recipes: those of params.yaml, the challenger with every learner switched on; or the frozen policy as the
        champion and the weekly refit as its challenger, each with a twin that is never promoted.
    costs : bool
        Fees, slippage and financing of params.yaml, or none at all.
    """

    market: MarketSpec
    cast: Cast = "as_set"
    costs: bool = True


def run_loop(spec: LoopSpec, params: Params) -> dict[str, Any]:
    """Fold a year on a market, and say what happened.

    Parameters
    ----------
    spec : LoopSpec
    params : Params
        Of the repository.

    Returns
    -------
    dict
        JSON-able: market, cast, costs; admitted, promoted and rolled_back (lists), trials (list: what the gate and each
        rule made of them), arms (by name: R a week of the book, trades and wins) and, where the truth is known,
        oracle_r_week.
    """
    given = settings_of(spec, params)
    cache = Path(tempfile.mkdtemp(prefix="edgebook-"))
    try:
        plans = [f"tp{target}_sl{stop}_t{LIMIT}" for target in TARGETS for stop in STOPS]
        known = prepare_market(spec.market, given, exit_plans=plans, cache=cache)
        until = pd.Timestamp(spec.market.at + spec.market.weeks * WEEK_MS, unit="ms")
        fit = shared_fits()
        backfill(given, known.paths, until=f"{until:%Y-%m-%d}", fit=fit)
        found = {"market": asdict(spec.market), "cast": spec.cast, "costs": spec.costs} | told(known.paths)
        if spec.cast == "frozen_champion" and spec.market.kind != "no_edge":
            found["oracle_r_week"] = _oracle(known, given, cache=cache)
        return found
    finally:
        shutil.rmtree(cache, ignore_errors=True)


def settings_of(spec: LoopSpec, params: Params) -> Params:
    """Settings of a run: the repository's, with a smaller grid of exit plans and a smaller study.

    Parameters
    ----------
    spec : LoopSpec
    params : Params
    """
    champion = next(recipe for recipe in params.recipes.values() if recipe.role == "champion")
    grid = replace(params.candidates, take_profit_atr=TARGETS, stop_loss_atr=STOPS, time_limit_bars=(LIMIT,))
    if not spec.costs:
        grid = replace(grid, fee_bps=0.0, slippage_bps=0.0, short_financing_bps_per_day=0.0)
    return replace(
        params,
        run=Run(history=HISTORY, as_of=GENESIS, previous=GENESIS, genesis=spec.market.genesis),
        candidates=grid,
        learning=replace(params.learning, approval="automatic", pins=(), approvals=()),
        importance=replace(params.importance, **IMPORTANCE),
        # A frozen champion has its one challenger; that of a study would come too late for it to matter.
        tuning=replace(params.tuning, **(TUNING if spec.cast == "as_set" else TUNING | {"every_weeks": 0})),
        recipes=_recipes(spec, champion),
    )


def told(paths: Paths) -> dict[str, Any]:
    """What the seals of a finished history say.

    Parameters
    ----------
    paths : Paths
    """
    weeks = sealed_weeks(paths, HISTORY)
    heads = [read_head(paths, history=HISTORY, as_of=week) for week in weeks]
    last = heads[-1]
    decisions = [(number, head["decision"]) for number, head in enumerate(heads)]
    trials, watches = (records_of(paths, HISTORY, kind=kind) for kind in KINDS)
    return {
        "weeks": len(weeks) - 1,
        "admitted": [row | {"week": _week(row["week"], weeks)} for row in last["admissions"]],
        "promoted": [
            {"week": number, "recipe": made["recipe"], "against": heads[number - 1]["champion"], "bar": made["bar"]}
            for number, made in decisions
            if made["action"] == "promote"
        ],
        "rolled_back": [
            {"week": number, "recipe": made["recipe"], "against": heads[number - 1]["champion"]}
            for number, made in decisions
            if made["action"] == "roll back"
        ],
        "trials": [_trial(record, weeks) for record in trials],
        "watches": [{"arm": r.arm, "against": r.against, "weeks": len(r), "outcome": r.outcome} for r in watches],
        "arms": _arms(paths, weeks[1:]),
    }


def _recipes(spec: LoopSpec, champion: Recipe) -> dict[str, Recipe]:
    """Who runs."""
    frozen = replace(champion, refit_weeks=0, title="frozen first policy")
    if spec.cast == "frozen_champion":
        return {
            "r1": replace(frozen, role="champion"),
            "r2": replace(champion, role="challenger", title="refit every week"),
            NEWEST: replace(champion, role="baseline", title="refit every week, always in force"),
            FROZEN: replace(frozen, role="baseline"),
        }
    eager = replace(
        champion, role="challenger", title="every learner", exit_plan="tp3.0_sl2.0_t24", features="selected",
        patterns="effectiveness", thresholds="bandit",
    )  # fmt: skip
    return {"r1": champion, "r2": eager}


def _week(monday: str, weeks: list[str]) -> int:
    return (milliseconds(monday) - milliseconds(weeks[0])) // WEEK_MS


def _trial(record: TrialRecord, weeks: list[str]) -> dict[str, Any]:
    """One challenger: what the gate made of it, what each rule would have, and what that would have brought in R."""
    by_rule = promotion_weeks(record)
    later = {
        rule: float(record.difference_r[week:].sum()) for rule, week in by_rule.items() if week is not None
    }  # over the rest of the trial
    signals, wins = record.signals.sum(axis=0), record.wins.sum(axis=0)
    return {
        "arm": record.arm,
        "against": record.against,
        "since": _week(record.since, weeks),
        "weeks": len(record),
        "outcome": record.outcome,
        "peak": float(np.nanmax(record.wealth)) if len(record.wealth) else None,
        "signals": signals.tolist(),
        "wins": wins.tolist(),
        "r": record.r.sum(axis=0).tolist(),
        "rules": by_rule,
        "r_after": later,
    }


def _arms(paths: Paths, weeks: list[str]) -> dict[str, Any]:
    """Book of every arm that ran, and the account's."""
    days: list[pd.DataFrame] = []
    trades: list[pd.DataFrame] = []
    for week in weeks:
        folder = paths.seal(history=HISTORY, as_of=week)
        for name, into in (("days", days), ("shadow", trades)):
            frame = read_csv((folder / f"{name}.csv").read_text(encoding="utf-8"))
            if len(frame):
                into.append(frame)
    day = pd.concat(days)
    trade = pd.concat(trades) if trades else pd.DataFrame({"arm": [], "status": []})
    closed = trade[trade["status"] == "closed"]
    found = {}
    for arm, own in day.groupby("arm"):
        mine = closed[closed["arm"] == arm]
        found[str(arm)] = {
            "weeks": len(own) / 7,
            "r_week": float(own["book_score"].sum()) / (len(own) / 7) if "book_score" in own else None,
            "trades": len(mine),
            "wins": int((mine["profit_ratio"] > 0).sum()) if len(mine) else 0,
        }
    return found


def _oracle(known: EvidenceMarket, params: Params, *, cache: Path) -> float:
    """R a week of an arm that knows the true signals and their law."""
    champion = params.recipes["r2"]
    weeks = oracle_weeks(known, champion, rules=rules_of(params), params=params, cache=cache)
    return float(np.mean([week.scores[:, 0].sum() for week in weeks]))
