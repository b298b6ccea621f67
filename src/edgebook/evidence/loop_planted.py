"""Runs on markets with a planted edge: how soon the refit is promoted, what that brought, and what came after.

The champion of these runs is the frozen first policy, its challenger the weekly refit, the only arm that can know of an
edge that begins at genesis. Twins of both, which are never promoted, say what either brings in every week of the year.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.evidence.known_switch import SWITCH_WEEK
from edgebook.evidence.loop_books import FROZEN, NEWEST, REFIT, earned, lead, loop_r
from edgebook.evidence.loop_counts import GATE, mean_over, rate_a_year, ratio_over, share, weeks_until
from edgebook.evidence.naive_rules import RULES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Runs = Sequence[Mapping[str, Any]]

YEAR_WEEKS = 52
GAIN_POINTS, LEAST_SHARE, LEAST_RUNS = 5.0, 0.8, 10
NEAR_POINTS = (3.0, 7.0)
"""Runs whose own gain lies between are the second reading of the bar."""
EDGES_OF_BINS = (0.0, 2.0, 4.0, 6.0, 8.0)
MOVES, DIES = "switching", "dying"
HOLDS, MOVED, DEAD = "the edge holds", "the edge has moved", "the edge is dead"


def kind_of(run: Mapping[str, Any]) -> str:
    """Name of the kind of planted market: its edge where it stays, else what becomes of it."""
    market = run["market"]
    if market["kind"] == "planted":
        return f"edge {market['edge']:g}"
    return MOVES if market["then"] else DIES


def kinds_of(runs: Runs) -> dict[str, list[Mapping[str, Any]]]:
    """Runs by kind: edges that stay, the smallest first, then those that move and those that die."""
    ordered = sorted(runs, key=lambda run: (kind_of(run) == DIES, kind_of(run) == MOVES, run["market"]["edge"]))
    found: dict[str, list[Mapping[str, Any]]] = {}
    for run in ordered:
        found.setdefault(kind_of(run), []).append(run)
    return found


def gain_points(run: Mapping[str, Any]) -> float:
    """Win rate of the newest model always in force less that of the frozen policy over the year, in points."""
    rates = [run["arms"][arm]["wins"] / max(run["arms"][arm]["trades"], 1) for arm in (NEWEST, FROZEN)]
    return round(100 * float(rates[0] - rates[1]), 6)


def promoted_week(run: Mapping[str, Any]) -> int | None:
    """Week after which the gate promoted the refit, within a year; None for never."""
    weeks = [row["week"] for row in run["promoted"] if row["recipe"] == REFIT and row["week"] <= YEAR_WEEKS]
    return min(weeks, default=None)


def power(runs: Runs) -> dict[str, Any]:
    """How often and how soon the gate promotes an edge, by its size.

    Parameters
    ----------
    runs : sequence of mapping
        On planted markets of any kind.

    Returns
    -------
    dict
        edges: one row a kind of market (kind, stays, edge, gain: points of win rate over runs, error: of one run's
        gain, by the trades of both books; trades_week of the newest model, k of n promoted with interval; median,
        first_quarter and third_quarter in weeks; curve: share promoted by each week). nearest: the row that the bar
        is read at, status. own: all runs of edges that stay and whose own gain is near the bar's, the same numbers and
        status. bins: share promoted by the run's own gain.
    """
    kinds = kinds_of(runs)
    edges = [_edge(kind, own) for kind, own in kinds.items()]
    staying = [run for kind, own in kinds.items() if kind not in (MOVES, DIES) for run in own]
    rows = [row for row in edges if row["stays"]]
    nearest = min(rows, key=lambda row: abs(row["gain"]["mean"] - GAIN_POINTS), default=None)
    low, high = NEAR_POINTS
    near = _edge("own gain", [run for run in staying if low <= gain_points(run) <= high])
    return {
        "bar": {"points": GAIN_POINTS, "share": LEAST_SHARE, "runs": LEAST_RUNS, "near": list(NEAR_POINTS)},
        "edges": edges,
        "nearest": None if nearest is None else {"kind": nearest["kind"], "status": _status(nearest)},
        "own": near | {"status": _status(near)},
        "bins": _bins(staying),
    }


def planted_rules(runs: Runs) -> list[dict[str, Any]]:
    """What the gate and each naive rule would have done with the refit, and what that brought.

    Returns
    -------
    list of dict
        One row a kind: kind, runs and `rules`: by name k of n with interval, median (weeks), and `r`: R a year more
        than with the frozen policy, with interval.

    Notes
    -----
    A rule looks for as long as the gate's trial of the refit goes on, which ends when the gate promotes. A promotion
    holds from its week to the end of the run: the paired R of the rest of the trial, then that of the twins. What the
    gate brought counts its rollbacks.
    """
    rows = []
    for kind, own in kinds_of(runs).items():
        weeks: dict[str, list[int | None]] = {GATE: [promoted_week(run) for run in own]}
        brought = {GATE: [loop_r(run) - earned(run, FROZEN, since=0, until=run["weeks"]) for run in own]}
        for rule in RULES:
            trials = [_first_trial(run) for run in own]
            weeks[rule] = [None if trial is None else trial["rules"][rule] for trial in trials]
            brought[rule] = [_rule_r(run, rule) for run in own]
        rules = {
            name: share([week is not None for week in weeks[name]])
            | {"median": weeks_until(weeks[name])["median"], "r": mean_over(brought[name])}
            for name in weeks
        }
        rows.append({"kind": kind, "runs": len(own), "rules": rules})
    return rows


def after_rows(runs: Runs) -> list[dict[str, Any]]:
    """Rollbacks after the gate promoted the refit, by what had become of the edge.

    Returns
    -------
    list of dict
        state, promotions that were watched in it, and `rollbacks`: k a year of watch with the exact interval. A
        rollback while the edge holds is false, after its death it is right; after a move the refit still learns where
        the edge went.
    """
    rows = []
    for state, begins in ((HOLDS, None), (MOVED, SWITCH_WEEK), (DEAD, SWITCH_WEEK)):
        watched, weeks, fallen = 0, 0.0, 0
        for run in runs:
            kind = kind_of(run)
            changes = SWITCH_WEEK if kind in (MOVES, DIES) else np.inf
            if begins is not None and kind != (MOVES if state == MOVED else DIES):
                continue
            low, high = (0.0, changes) if begins is None else (float(begins), np.inf)
            for since, until in _watches(run):
                inside = min(until, high) - max(since, low)
                watched += inside > 0
                weeks += max(inside, 0.0)
            fallen += sum(low < row["week"] <= high for row in run["rolled_back"])
        rows.append({"state": state, "watched": watched, "rollbacks": rate_a_year(fallen, years=weeks / YEAR_WEEKS)})
    return rows


def baseline_rows(runs: Runs) -> list[dict[str, Any]]:
    """R a week of the frozen policy, of the loop, of the newest model always in force and of the oracle.

    Returns
    -------
    list of dict
        One row a kind: kind, runs, `arms` (R a week by name, mean over runs with interval; the oracle over the runs
        that have one), gain (R a year of the newest over the frozen policy), regret (R a year of the newest over the
        loop), kept (share of that gain that the loop has) and better (whether the newest is shown to be better).
    """
    rows = []
    for kind, own in kinds_of(runs).items():
        years = [run["weeks"] / YEAR_WEEKS for run in own]
        total = {
            arm: np.array([earned(run, arm, since=0, until=run["weeks"]) for run in own]) for arm in (FROZEN, NEWEST)
        }
        total["loop"] = np.array([loop_r(run) for run in own])
        arms = {
            arm: mean_over([float(r) / run["weeks"] for r, run in zip(total[arm], own, strict=True)])
            for arm in (FROZEN, "loop", NEWEST)
        }
        oracle = [run["oracle_r_week"] for run in own if run.get("oracle_r_week") is not None]
        gain = mean_over(((total[NEWEST] - total[FROZEN]) / years).tolist())
        rows.append(
            {
                "kind": kind,
                "runs": len(own),
                "arms": arms | {"oracle": mean_over(oracle)},
                "gain": gain,
                "regret": mean_over(((total[NEWEST] - total["loop"]) / years).tolist()),
                "kept": ratio_over((total["loop"] - total[FROZEN]).tolist(), (total[NEWEST] - total[FROZEN]).tolist()),
                "better": gain["low"] is not None and gain["low"] > 0,
            }
        )
    return rows


def _edge(kind: str, runs: Runs) -> dict[str, Any]:
    """Power on some runs."""
    weeks = [promoted_week(run) for run in runs]
    by = [sum(week is not None and week <= look for week in weeks) for look in range(YEAR_WEEKS + 1)]
    return {
        "kind": kind,
        "stays": kind not in (MOVES, DIES),
        "edge": runs[0]["market"]["edge"] if runs else None,
        "gain": mean_over([gain_points(run) for run in runs]),
        "error": float(np.mean([_gain_error(run) for run in runs])) if runs else None,
        "trades_week": mean_over([run["arms"][NEWEST]["trades"] / run["arms"][NEWEST]["weeks"] for run in runs]),
        **share([week is not None for week in weeks]),
        **weeks_until(weeks),
        "curve": [count / len(runs) for count in by] if runs else [],
    }


def _status(row: Mapping[str, Any]) -> str:
    """Whether the bar is met at a row; it is not tested where the gain is far from the bar's."""
    if row["n"] < LEAST_RUNS:
        return "not yet"
    if not NEAR_POINTS[0] <= row["gain"]["mean"] <= NEAR_POINTS[1]:
        return "not tested"
    return "met" if row["k"] >= LEAST_SHARE * row["n"] else "not met"


def _bins(runs: Runs) -> list[dict[str, Any]]:
    """Share promoted by the gain that each run itself had."""
    ends = [None, *EDGES_OF_BINS, None]
    gains = [gain_points(run) for run in runs]
    where = np.searchsorted(EDGES_OF_BINS, gains, side="right")
    rows = []
    for number in range(len(ends) - 1):
        own = [run for run, at in zip(runs, where, strict=True) if at == number]
        if own:
            rows.append(
                {
                    "above": ends[number],
                    "below": ends[number + 1],
                    "gain": float(np.mean([gain_points(run) for run in own])),
                    **share([promoted_week(run) is not None for run in own]),
                }
            )
    return rows


def _gain_error(run: Mapping[str, Any]) -> float:
    """Standard error of a run's gain in points, as if its trades were independent."""
    variance = 0.0
    for arm in (NEWEST, FROZEN):
        n = max(run["arms"][arm]["trades"], 1)
        rate = run["arms"][arm]["wins"] / n
        variance += rate * (1 - rate) / n
    return float(100 * np.sqrt(variance))


def _first_trial(run: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return next((trial for trial in run["trials"] if trial["arm"] == REFIT), None)


def _rule_r(run: Mapping[str, Any], rule: str) -> float:
    """What one rule's promotion of the refit brought until the end of the run."""
    trial = _first_trial(run)
    if trial is None or trial["rules"][rule] is None:
        return 0.0
    over = float(trial["since"] + trial["weeks"])
    return float(trial["r_after"].get(rule, 0.0)) + lead(run, since=over, until=run["weeks"])


def _watches(run: Mapping[str, Any]) -> list[tuple[float, float]]:
    """First and last week of the watch over each promotion."""
    found, free = [], list(run["watches"])
    for row in run["promoted"]:
        own = next((w for w in free if (w["arm"], w["against"]) == (row["against"], row["recipe"])), None)
        if own is not None:
            free.remove(own)
            found.append((float(row["week"]), float(row["week"] + own["weeks"])))
    return found
