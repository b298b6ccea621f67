"""How often the drift watch gives a false alarm, and how long it takes to notice an edge that has ended.

    .venv/bin/python benchmarks/drift_alarms.py no_edge 30
    .venv/bin/python benchmarks/drift_alarms.py ends 12 --edge 0.1

Markets of two pairs by the hour, seeds 1, 2, and so on; the champion of params.yaml, refitted every fourth week so that
a market takes half a minute. Without an edge it is watched for 104 weeks. The edge, in heads D, F and H, is there from
the third week on, before the warm-up, and ends after 40 weeks of history; 26 more are watched.
"""

from __future__ import annotations

import argparse
import datetime
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgebook.arms.arms import run_week, start_arm
from edgebook.arms.drift import Alarm, Drift, observe, watched
from edgebook.bars.synthetic import make_market
from edgebook.files import tables
from edgebook.indicators import compute_indicators
from edgebook.loop.drift_week import trades_of
from edgebook.loop.history import rules_of
from edgebook.outcomes.candidates import label_candidates
from edgebook.outcomes.outcomes import known_outcomes
from edgebook.paths import Paths, repository
from edgebook.patterns import find_patterns
from edgebook.policy.market import WEEK_MS, Market, load_market, milliseconds
from edgebook.regimes.regimes import segment
from edgebook.settings.exit_plans import Costs, exit_plan_grid
from edgebook.settings.loading import load_params
from edgebook.settings.params import Params, plain
from edgebook.settings.recipes import Recipe

START, GENESIS, END = "2018-01-01", "2018-06-18", "2019-03-25"
"""First bar, first week, and the Monday on which an edge ends, 40 weeks later."""
BEFORE_WEEKS, NO_EDGE_WEEKS, ENDS_WEEKS = 24, 104, 66


def made(kind: str, *, seed: int, edge: float, params: Params, recipe: Recipe) -> Market:
    """Arrays of one market."""
    weeks = BEFORE_WEEKS + (NO_EDGE_WEEKS if kind == "no_edge" else ENDS_WEEKS)
    truth = {"kind": "no_edge"}
    if kind == "ends":
        truth = {"kind": "switching", "edge": edge, "edge_starts": "2018-01-15", "switches": [(END, ())]}
    bars = make_market(pairs=2, weeks=weeks, seed=seed, heads=("D", "F", "H"), start=START, **truth).bars
    plan = {p.name: p for p in exit_plan_grid(
        take_profit_atr=params.candidates.take_profit_atr, stop_loss_atr=params.candidates.stop_loss_atr,
        time_limit_bars=params.candidates.time_limit_bars,
    )}[recipe.exit_plan]  # fmt: skip
    grid = params.candidates
    costs = Costs(grid.fee_bps, grid.slippage_bps, grid.short_financing_bps_per_day)
    patterns = find_patterns(bars)
    values, votes = compute_indicators(bars, patterns)
    rule = {name: value for name, value in plain(params.regimes).items() if not name.startswith("hmm_")}
    with tempfile.TemporaryDirectory() as folder:
        paths = Paths(Path(folder))
        for frame, place in (
            (bars, paths.bars), (patterns, paths.patterns), (values, paths.indicators), (votes, paths.votes),
            (segment(bars, **rule), paths.regimes),
        ):  # fmt: skip
            tables.write(frame, place)
        for name, frame in label_candidates(bars, [plan], costs=costs, atr_bars=grid.atr_bars).items():
            tables.write(frame, paths.candidates / f"{name}.parquet")
            tables.write(known_outcomes(frame), paths.outcomes / f"{name}.parquet")
        market = load_market(paths)
        assert market.plans[recipe.exit_plan].open_ms.any()
    return market


def watch(market: Market, *, weeks: int, params: Params, recipe: Recipe) -> tuple[list[Alarm], int]:
    """Alarms over the weeks, and how many of the weeks were watched."""
    rules, start = rules_of(params), milliseconds(GENESIS)
    arm = start_arm("r1", recipe, market, at=start, rules=rules)
    state, alarms, count = Drift("r1"), [], 0
    for number in range(1, weeks + 1):
        until = start + number * WEEK_MS
        count += bool(watched(state, settings=params.drift))
        week = run_week(arm, recipe, market, until=until, rules=rules)
        state, found = observe(
            state, week.seen, market=market, policy=arm.policy, trades=trades_of(week.book.closed, champion="r1"),
            settings=params.drift, until=until,
        )  # fmt: skip
        alarms += found
        arm = week.arm
    return alarms, count


def main() -> None:
    """Print a line a market, and what they come to."""
    given = argparse.ArgumentParser()
    given.add_argument("kind", choices=["no_edge", "ends"])
    given.add_argument("markets", type=int)
    given.add_argument("--edge", type=float, default=0.1)
    given = given.parse_args()
    params = load_params(repository() / "params.yaml")
    recipe = replace(params.recipes["r1"], refit_weeks=4)
    counts, years, delays = [], [], []
    for seed in range(1, given.markets + 1):
        market = made(given.kind, seed=seed, edge=given.edge, params=params, recipe=recipe)
        weeks = NO_EDGE_WEEKS if given.kind == "no_edge" else ENDS_WEEKS
        alarms, watched_weeks = watch(market, weeks=weeks, params=params, recipe=recipe)
        counts.append(len(alarms))
        years.append(watched_weeks * 7 / 365.25)
        after = [datetime.date.fromisoformat(alarm.date) for alarm in alarms if alarm.date >= END]
        sealed = min(after) - datetime.date.fromisoformat(END) if after else None
        delays.append(np.inf if sealed is None else sealed.days // 7 + 1)  # the week whose seal says so
        said = ", ".join(f"{alarm.stream} {alarm.date}" for alarm in alarms)
        print(f"seed {seed}: {watched_weeks} weeks watched, {len(alarms)} alarms: {said}", flush=True)
    if given.kind == "no_edge":
        rng = np.random.default_rng(0)
        drawn = rng.integers(0, len(counts), (5000, len(counts)))
        rates = np.array(counts)[drawn].sum(axis=1) / np.array(years)[drawn].sum(axis=1)
        low, high = np.quantile(rates, [0.025, 0.975])
        print(f"{sum(counts) / sum(years):.2f} false alarms a year (95 % {low:.2f} to {high:.2f}, markets redrawn)")
    else:
        print(f"weeks until the first alarm after the end: {delays}, median {np.median(delays):g}")


if __name__ == "__main__":
    main()
