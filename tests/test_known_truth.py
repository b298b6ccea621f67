"""Markets of which the truth is known, through the whole loop: an edge is found and promoted, and no edge is not.

The markets are thin, so that a year takes seconds; more seeds of each run with the slow tests.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgebook.arms.arms import run_week, start_arm
from edgebook.bars.synthetic import make_market
from edgebook.evidence import ablation
from edgebook.evidence.evidence_cells import Bench, Cells, run_benches, runs_of
from edgebook.evidence.evidence_learners import full_loop
from edgebook.evidence.evidence_variants import FROZEN, FULL, variants
from edgebook.evidence.known_switch import SWITCH_WEEK, regained_share, switch_study, weeks_to_regain
from edgebook.evidence.known_truth import captured_study, certified_study, counted, leading_study, no_edge_study
from edgebook.loop.decisions import Inputs
from edgebook.loop.history import mondays, rules_of
from edgebook.loop.loop import begin_history, learn_week
from edgebook.paths import Paths
from edgebook.policy.market import WEEK_MS, Market, load_market, milliseconds
from edgebook.seals.seals import Seal
from edgebook.settings.loading import load_params
from edgebook.settings.params import Params
from edgebook.settings.recipes import HEAD_LETTERS, Recipe
from small_market import GENESIS, write_settings, write_tables

PLANTED = ("D", "F", "H")
"""The heads whose edges the indicators of other heads see least (`edgebook.bars.synthetic.make_market`)."""


def made(*, kind: str, pairs: int, weeks: int, seed: int, timeframe: str) -> tuple[Params, Market]:
    """Settings and arrays of a market whose edge, if it has one, begins at genesis, after the warm-up."""
    bars = make_market(
        kind=kind, pairs=pairs, weeks=13 + weeks, seed=seed, heads=PLANTED, edge=0.15, edge_starts=GENESIS,
        start="2018-01-01", timeframes=(timeframe,),
    ).bars  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        paths = Paths(Path(folder))
        params = write_settings(paths)
        write_tables(bars, params, paths=paths)
        market = load_market(paths)
        for plan in market.plans:
            assert market.plans[plan].open_ms.any()
    return params, market


def history(params: Params, market: Market, *, recipes: dict[str, Recipe], weeks: int) -> list[Seal]:
    """Fold weeks in memory."""
    inputs = Inputs(market=market, rules=rules_of(params), recipes=recipes, history="main", source="synthetic")
    seals = [begin_history(inputs, at=GENESIS)]
    last = np.datetime64(GENESIS) + np.timedelta64(7 * weeks, "D")
    for as_of in mondays(GENESIS, str(last))[1:]:
        seals.append(learn_week(seals[-1], inputs, as_of=as_of))
    return seals


def decisions(seals: Sequence[Seal]) -> set[str]:
    return {seal.head["decision"]["action"] for seal in seals}


# --- an edge is found


def heads_find_the_edge(seed: int) -> None:
    params, market = made(kind="planted", pairs=3, weeks=40, seed=seed, timeframe="1h")
    rules, start = rules_of(params), milliseconds(GENESIS)
    recipe = replace(params.recipes["r1"], refit_weeks=2, signal_quantile=0.95)
    arm = start_arm("r1", recipe, market, at=start, rules=rules)
    before = arm.policy.weights.mean(axis=0)
    for number in range(1, 41):
        arm = run_week(arm, recipe, market, until=start + number * WEEK_MS, rules=rules).arm
    weights = arm.policy.weights.mean(axis=0)
    top = {HEAD_LETTERS[i] for i in np.argsort(-weights)[:3]}
    assert top == set(PLANTED)
    assert before.max() < 0.25
    assert weights[[HEAD_LETTERS.index(h) for h in PLANTED]].min() > before.max()
    assert arm.book.equity > 200_000


def test_three_planted_heads_come_to_carry_the_top_weights():
    heads_find_the_edge(1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 9))
def test_three_planted_heads_come_to_carry_the_top_weights_more_seeds(seed):
    heads_find_the_edge(seed)


def test_an_edge_that_only_the_challenger_learns_is_promoted():
    """The champion stays as it was before the edge began; what refits against it is better, and gets through."""
    params, market = made(kind="planted", pairs=2, weeks=30, seed=1, timeframe="1h")
    recipes = {
        "r1": replace(params.recipes["r1"], refit_weeks=0, signal_quantile=0.95),
        "r2": replace(params.recipes["r1"], role="challenger", refit_weeks=2, signal_quantile=0.95),
    }
    seals = history(params, market, recipes=recipes, weeks=30)
    assert "promote" in decisions(seals)
    assert "roll back" not in decisions(seals)
    assert seals[-1].champion == "r2"


# --- no edge


def nothing_is_promoted(seed: int) -> None:
    """A year in which every slot of the error budget is used, each by a recipe that differs from the champion."""
    params, market = made(kind="no_edge", pairs=2, weeks=52, seed=seed, timeframe="4h")
    base = replace(params.recipes["r1"], refit_weeks=4)
    recipes = {
        "r1": base,
        "r2": replace(base, role="challenger", exit_plan="tp3.0_sl1.5_t12"),
        "r3": replace(base, role="proposal", shrinkage=20.0),
        "r4": replace(base, role="proposal", signal_quantile=0.8, min_heads_agree=1),
        "r5": replace(base, role="proposal", head_weights="equal"),
    }
    brisk = replace(params, learning=replace(params.learning, trial_weeks=13))
    seals = history(brisk, market, recipes=recipes, weeks=52)
    assert seals[-1].champion == "r1"
    assert not decisions(seals) & {"promote", "recommend", "roll back"}
    admitted = [row["recipe"] for row in seals[-1].head["admissions"] if row["week"] < "2019"]
    assert admitted[:3] == ["r2", "r3", "r4"]
    wealth = [seal.gate["wealth"].max() for seal in seals[1:] if len(seal.gate)]
    assert len(wealth) >= 45
    assert max(wealth) < 80


def test_without_an_edge_nothing_is_promoted_in_a_year():
    nothing_is_promoted(1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 13))
def test_without_an_edge_nothing_is_promoted_in_a_year_more_seeds(seed):
    nothing_is_promoted(seed)


def test_without_an_edge_no_head_is_trusted_much_and_hardly_a_threshold_is_certified():
    params, market = made(kind="no_edge", pairs=2, weeks=26, seed=1, timeframe="1h")
    rules, start = rules_of(params), milliseconds(GENESIS)
    recipe = replace(params.recipes["r1"], refit_weeks=4)
    arm = start_arm("r1", recipe, market, at=start, rules=rules)
    certified = looks = 0
    for number in range(1, 27):
        arm = run_week(arm, recipe, market, until=start + number * WEEK_MS, rules=rules).arm
        certified += sum(threshold.certified for threshold in arm.policy.thresholds.values())
        looks += len(arm.policy.thresholds)
    assert arm.policy.weights.mean() < 0.1
    assert certified <= 0.05 * looks


# --- the studies, worked by hand


def test_the_share_of_the_oracle_is_a_mean_over_markets_and_four_weeks():
    mine, best, frozen = np.ones((2, 6)), np.full((2, 6), 3.0), np.zeros((2, 6))
    mine[1] = 3.0
    assert regained_share(mine, best, frozen).tolist()[3:] == pytest.approx([2 / 3] * 3, abs=1e-4)
    assert np.isnan(regained_share(mine, frozen, frozen)).all()


def test_weeks_to_regain_are_counted_from_the_move_and_by_weeks_after_it_alone():
    share = np.full(52, 0.9)
    share[SWITCH_WEEK : SWITCH_WEEK + 9] = 0.1
    assert weeks_to_regain(share) == 10
    assert weeks_to_regain(np.full(52, 0.9)) == 4
    assert weeks_to_regain(np.full(52, 0.1)) is None


def test_exact_intervals_of_counts():
    """Clopper-Pearson: with no hit in 8, the upper end is 1 - 0.025 ** (1/8)."""
    assert counted([False] * 8) == {"k": 0, "n": 8, "low": 0.0, "high": round(1 - 0.025 ** (1 / 8), 4)}


# --- the studies on markets


def evidence(kind, folder: Path, *, seeds: Sequence[int], arms: Sequence[str], **brief: int) -> tuple[Recipe, Cells]:
    """Arms of the shipped full loop on markets of one kind."""
    params = load_params(Paths.at().params)
    _, recipe = full_loop(params)
    made = variants(recipe)
    planned = [Bench(replace(kind, seed=seed, **brief), tuple(made[name] for name in arms)) for seed in seeds]
    return recipe, run_benches(planned, params=params, cache=folder, workers=2 if len(seeds) > 1 else 1)


def test_the_full_loop_finds_what_the_frozen_first_policy_cannot(tmp_path):
    _, cells = evidence(ablation.PLANTED, tmp_path, seeds=[1], arms=[FULL, FROZEN], pairs=2, weeks=20)
    full, frozen = (runs_of(cells, "planted", name)[1] for name in (FULL, FROZEN))
    late = slice(-10, None)
    assert full["log_loss"][late].sum() < full["constant_loss"][late].sum()
    assert full["top_r"][late].sum() > frozen["top_r"][late].sum() + 5


@pytest.mark.slow
def test_the_full_loop_captures_half_of_the_oracles_gain(tmp_path):
    recipe, cells = evidence(
        ablation.PLANTED, tmp_path, seeds=range(1, 7), arms=[FULL, FROZEN, "oracle", "told_the_heads"]
    )
    found = captured_study(cells, market="planted")
    assert found["gain_low"] > 0
    assert found["oracle"]["share"] >= 0.5
    (heads, _) = [
        row for row in leading_study(cells, recipe, families=rules_of(load_params(Paths.at().params)).families)
        if row["strategy"] == recipe.head_weights
    ]  # fmt: skip
    assert heads["low"] > heads["chance"]


@pytest.mark.slow
def test_the_full_loop_follows_an_edge_that_moves(tmp_path):
    recipe, cells = evidence(
        ablation.SWITCHING, tmp_path, seeds=range(1, 7), arms=[FULL, FROZEN, "oracle", "told_the_heads"]
    )
    found = captured_study(cells, market="switching")
    assert found["gain_low"] > 0
    assert found["oracle"]["share"] >= 0.5
    rows = [
        row for row in switch_study(cells, recipe)["rows"]
        if (row["arm"], row["measure"], row["oracle"]) == (FULL, "top_r", "told_the_heads")
    ]  # fmt: skip
    assert rows[0]["weeks"] is not None
    assert rows[0]["weeks"] <= 12


@pytest.mark.slow
def test_without_an_edge_nothing_is_lost_by_learning_and_hardly_a_threshold_is_certified(tmp_path):
    _, cells = evidence(ablation.NO_EDGE, tmp_path, seeds=range(1, 13), arms=[FULL, FROZEN])
    (full,) = [row for row in no_edge_study(cells) if row["arm"] == FULL]
    assert full["excess"] <= full["bound"]
    assert certified_study(cells)["rate"] <= 0.05
    pairs = [(a, b) for a, b in zip(*(runs_of(cells, "no_edge", n).values() for n in (FULL, FROZEN)), strict=True)]
    assert ablation.gain_of(pairs, "r_week").low < 0 < ablation.gain_of(pairs, "r_week").high + 1
