"""What the runs of the complete loop show: false promotions, naive rules on the same trials, power, what came after.

A run counts once, whatever its length; a year is 52 weeks. Nothing is judged before there are enough runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgebook.evidence.evidence_markets import NULLS, STRESSES
from edgebook.evidence.loop_books import promotion_r
from edgebook.evidence.loop_counts import GATE, mean_over, most_allowed, rate_a_year, rounded, share
from edgebook.evidence.loop_planted import after_rows, baseline_rows, planted_rules, power
from edgebook.evidence.naive_rules import RULES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ALLOWED_A_YEAR = 0.05
WANTED_RUNS, WANTED_A_KIND = 200, 50
YEAR_WEEKS = 52
POOLED = "all null markets"


def summarised(runs: Sequence[Mapping[str, Any]], *, quick: bool = False) -> dict[str, Any]:
    """Sum up runs of the loop.

    Parameters
    ----------
    runs : sequence of mapping
        From `edgebook.evidence.evidence_loops.run_loops`: on null, stress and planted markets, in any order.
    quick : bool
        Written on the page.

    Returns
    -------
    dict
        JSON-able, floats rounded to six digits; None where a number is not defined or an interval has no end.
        `loop_page.loop_section` and `figures_loops.loop_pictures` show it: quick, runs, weeks (shortest and longest
        run), wanted, null (false promotions: status, kinds, pooled, stress), null_rules, planted_rules, power, after,
        baselines.
    """
    null = [run for run in runs if run["market"]["source"] in NULLS]
    stress = [run for run in runs if run["market"]["source"] in STRESSES]
    planted = [run for run in runs if run["market"]["kind"] in ("planted", "switching")]
    weeks = [run["weeks"] for run in runs]
    found: dict[str, Any] = rounded(
        {
            "quick": quick,
            "runs": len(runs),
            "weeks": [min(weeks, default=0), max(weeks, default=0)],
            "wanted": {"runs": WANTED_RUNS, "a_kind": WANTED_A_KIND, "rate": ALLOWED_A_YEAR},
            "null": false_promotions(null, stress=stress),
            "null_rules": null_rules(null, stress=stress),
            "planted_rules": planted_rules(planted),
            "power": power(planted),
            "after": after_rows(planted),
            "baselines": baseline_rows(planted),
        }
    )
    return found


def false_promotions(null: Sequence[Mapping[str, Any]], *, stress: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """How often the loop promoted where nothing is better, and whether that is within what is allowed.

    Parameters
    ----------
    null, stress : sequence of mapping
        Runs; every promotion on a null market is false, on a stress market it may not be.

    Returns
    -------
    dict
        status ("met", "not met" or "not yet"), kinds, pooled and stress. A row: kind, runs, years, admitted (in time
        for a week of trial), promotions (all), k of n runs with at least one, low and high (two-sided), upper
        (one-sided), allowed (largest count at 5 % a year), within; watches, rollbacks (k, a year of watch, with
        interval).
    """
    kinds = [_counts(kind, _of(null, kind)) for kind in NULLS]
    pooled = _counts(POOLED, null)
    enough = pooled["runs"] >= WANTED_RUNS and all(row["runs"] >= WANTED_A_KIND for row in kinds)
    whole = all(run["weeks"] >= YEAR_WEEKS for run in null)
    kept = pooled["upper"] <= ALLOWED_A_YEAR and all(row["within"] for row in kinds)
    return {
        "status": ("met" if kept else "not met") if enough and whole else "not yet",
        "whole_years": whole,
        "kinds": kinds,
        "pooled": pooled,
        "stress": [_counts(kind, _of(stress, kind)) for kind in STRESSES],
    }


def null_rules(null: Sequence[Mapping[str, Any]], *, stress: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """What the gate and each naive rule made of the same runs.

    Returns
    -------
    list of dict
        One row a kind, the pooled one last of the null markets: kind, stress (bool), runs, trials and `rules`: by name
        k of n runs in which the rule promotes at least once, with the exact interval, and `r`: what that brought, R a
        run with Student's interval.

    Notes
    -----
    A rule sees the trials that the gate held, each against the gate's champion and until the gate ended it. What a
    promotion brought is the promoted book less the champion's over the rest of its trial, summed over the trials of a
    run; for the gate, over the weeks after the promotion in which both ran.
    """
    groups = [(kind, False, _of(null, kind)) for kind in NULLS]
    groups += [(POOLED, False, list(null))]
    groups += [(kind, True, _of(stress, kind)) for kind in STRESSES]
    return [
        {
            "kind": kind,
            "stress": on_stress,
            "runs": len(runs),
            "trials": sum(len(run["trials"]) for run in runs),
            "rules": {
                GATE: share([bool(run["promoted"]) for run in runs]) | {"r": mean_over([promotion_r(r) for r in runs])}
            }
            | {rule: _rule(runs, rule) for rule in RULES},
        }
        for kind, on_stress, runs in groups
    ]


def _rule(runs: Sequence[Mapping[str, Any]], rule: str) -> dict[str, Any]:
    """One rule on the trials of some runs."""
    promoted = [any(trial["rules"][rule] is not None for trial in run["trials"]) for run in runs]
    brought = [sum(trial["r_after"].get(rule, 0.0) for trial in run["trials"]) for run in runs]
    return share(promoted) | {"r": mean_over(brought)}


def _counts(kind: str, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Promotions and rollbacks on some runs."""
    hits = share([bool(run["promoted"]) for run in runs])
    watches = [watch for run in runs for watch in run["watches"]]
    watched_years = sum(watch["weeks"] for watch in watches) / YEAR_WEEKS
    allowed = most_allowed(len(runs), rate=ALLOWED_A_YEAR) if runs else 0
    return {
        "kind": kind,
        "runs": len(runs),
        "years": sum(run["weeks"] for run in runs) / YEAR_WEEKS,
        "admitted": sum(row["week"] < run["weeks"] for run in runs for row in run["admitted"]),
        "promotions": sum(len(run["promoted"]) for run in runs),
        **hits,
        "allowed": allowed,
        "within": hits["k"] <= allowed,
        "watches": len(watches),
        "rollbacks": rate_a_year(sum(len(run["rolled_back"]) for run in runs), years=watched_years),
    }


def _of(runs: Sequence[Mapping[str, Any]], source: str) -> list[Mapping[str, Any]]:
    return [run for run in runs if run["market"]["source"] == source]
