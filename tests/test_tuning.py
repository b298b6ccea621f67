"""Tuning sees only what was known, on points that were fixed in advance, and gives the same study every time."""

from __future__ import annotations

import doctest
import json
from collections.abc import Iterator
from dataclasses import replace
from math import gcd
from typing import Any

import numpy as np
import pytest

from edgebook.arms.book import Book, trade_week
from edgebook.errors import DataError, SettingsError
from edgebook.policy.heads import fit_heads
from edgebook.policy.learned_policy import make_policy
from edgebook.policy.market import DAY_MS, NEVER, WEEK_MS, Market, PlanOutcomes, milliseconds
from edgebook.policy.policy import score
from edgebook.policy.record import Record
from edgebook.policy.signals import find_signals, week_rows
from edgebook.policy.vote_strategies import OWN
from edgebook.settings.loading import section
from edgebook.settings.params import Sizing, Tuning
from edgebook.settings.recipes import HEAD_LETTERS, Recipe
from edgebook.tuning import tuning, tuning_space, tuning_study, tuning_trials
from edgebook.tuning.tuning import study_of_week, tune
from edgebook.tuning.tuning_book import daily_r
from edgebook.tuning.tuning_folds import HOUR_MS, schedule, thinning
from edgebook.tuning.tuning_importance import importance
from edgebook.tuning.tuning_space import SELECTION, search_space, sobol_points
from edgebook.tuning.tuning_study import Study
from edgebook.tuning.tuning_trials import Bench, choose, score_steps

FIRST, GENESIS, AS_OF = "2019-01-07", "2019-08-05", "2019-11-04"
PLANS = ("tp1.5_sl1.0_t12", "tp1.5_sl1.0_t24", "tp3.0_sl1.0_t12", "tp3.0_sl1.0_t24")
FAMILIES: dict[str, tuple[str, ...]] = {letter: () for letter in HEAD_LETTERS} | {"A": ("a1", "a2"), "B": ("b1",)}
SIZING = Sizing(
    start_capital=1e5, risk_per_trade=1e-6, max_positions=4, max_positions_per_pair=2, max_total_risk=3e-6,
    max_leverage=3.0,
)  # fmt: skip
RECIPE = Recipe(exit_plan=PLANS[0], train_weeks=26, shrinkage=30.0, signal_quantile=0.9, min_heads_agree=1)
SETTINGS = Tuning(
    every_weeks=13, trials=3, sobol=8, rows=4000, folds=2, holdout_weeks=4, embargo_hours=24, seed=5
)  # fmt: skip


def make_market(seed: int, *, edge: float = 0.0, favoured: str = "", pairs: int = 2, weeks: int = 46) -> Market:
    """4-hour bars; win or loss is a coin that `edge` ties to indicator a1, and plan `favoured` earns 1 R more."""
    rng = np.random.default_rng(seed)
    bars = weeks * 42
    n = bars * pairs
    date = np.repeat(milliseconds(FIRST) + np.arange(1, bars + 1) * 4 * HOUR_MS, pairs)
    values = rng.normal(size=(n, 3)).astype(np.float32)
    held = rng.integers(1, 12, (n, 2))
    coin = rng.random((n, 2))
    close = np.full(n, 100.0)
    plans = {}
    for name in PLANS:
        reach = float(name[2:5])
        win = coin < 1 / (1 + reach) + edge * np.column_stack([values[:, 0], -values[:, 0]])
        r_multiple = np.where(win, reach, -1.0) - 0.05 + (name == favoured)
        plans[name] = outcomes_of(date, held=held, r_multiple=r_multiple)
    return Market(
        pairs=tuple(f"P{i}/USD" for i in range(pairs)),
        timeframes=("4h",),
        indicators=("a1", "a2", "b1"),
        tag_names=("none",),
        date=date,
        pair=np.tile(np.arange(pairs), bars).astype(np.int8),
        timeframe=np.zeros(n, np.int8),
        regime=rng.integers(0, 4, n).astype(np.int8),
        close=close,
        values=values,
        votes=np.sign(values).astype(np.int8),
        tag=np.zeros((n, 2), np.int16),
        bars_digest_rows=np.zeros(n, "V8"),
        plans=plans,
    )


def outcomes_of(date: np.ndarray, *, held: np.ndarray, r_multiple: np.ndarray) -> PlanOutcomes:
    """A stop 1 % away; so much of the R multiple as profit."""
    shape = held.shape
    entry = np.full(shape, 100.0)
    known_at = date[:, None] + held * 4 * HOUR_MS
    side = np.array([1.0, -1.0])
    return PlanOutcomes(
        open_ms=np.repeat(date[:, None], 2, axis=1),
        known_at=known_at,
        uniqueness=np.full(shape, 0.25),
        open_rate=entry,
        take_profit_abs=entry * (1 + 0.02 * side),
        stop_loss_abs=entry * (1 - 0.01 * side),
        close_rate=entry * (1 + 0.01 * r_multiple * side),
        profit_ratio=0.01 * r_multiple,
        r_multiple=r_multiple,
        mae=np.minimum(r_multiple, 0),
        mfe=np.maximum(r_multiple, 0),
        bars_held=held.astype(np.int16),
        reason=np.ones(shape, np.int8),
    )


def run(market: Market, **changes: Any) -> Study:
    given: dict[str, Any] = {
        "recipe": RECIPE, "families": FAMILIES, "grid_plans": PLANS, "sizing": SIZING, "settings": SETTINGS,
        "as_of": AS_OF,
    }  # fmt: skip
    return tune(market, **given | changes)


def spoiled(market: Market, *, known_after: int) -> Market:
    """The same market with every outcome turned around that became known after a time."""
    plans = {}
    for name, plan in market.plans.items():
        late = plan.known_at > known_after
        plans[name] = replace(
            plan,
            profit_ratio=np.where(late, -plan.profit_ratio, plan.profit_ratio),
            r_multiple=np.where(late, -plan.r_multiple - 0.3, plan.r_multiple),
        )
    return replace(market, plans=plans)


def bench_of(market: Market) -> Bench:
    times = schedule(market, settings=SETTINGS, as_of=AS_OF)
    return Bench(market, RECIPE, FAMILIES, SIZING, times, 1)


@pytest.fixture(scope="module", autouse=True)
def small_levels() -> Iterator[None]:
    """Levels for a market of two heads and 84 bars a week."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(tuning_space.LEVELS, "min_heads_agree", (1, 2))
        patch.setitem(tuning_space.LEVELS, "signal_quantile", (0.7, 0.9))
        yield


@pytest.fixture(scope="module")
def market() -> Market:
    return make_market(1, edge=0.05)


@pytest.fixture(scope="module")
def study(market: Market) -> Study:
    return run(market)


def test_examples_of_the_docstrings_hold() -> None:
    for module in (tuning, tuning_space, tuning_study):
        assert doctest.testmod(module).failed == 0


def test_the_same_seed_gives_the_same_bytes(market: Market, study: Study) -> None:
    assert run(market).to_files() == study.to_files()


def test_sobol_points_are_fixed_before_any_outcome(study: Study) -> None:
    other = run(make_market(2))
    names = list(search_space(RECIPE, grid_plans=PLANS).levels)
    planned = sobol_points(search_space(RECIPE, grid_plans=PLANS), n=8, seed=5)
    for one in (study, other):
        rows = one.trials[one.trials["kind"] == "sobol"]
        assert rows[names].to_dict("records") == planned
    assert study.trials["value"].tolist() != other.trials["value"].tolist()
    assert study.trials["kind"].tolist() == ["default"] + ["sobol"] * 8 + ["tpe"] * 3


def test_sobol_points_are_even_and_share_heads_by_pairs() -> None:
    space = search_space(RECIPE, grid_plans=PLANS)
    points = sobol_points(space, n=128, seed=1)
    assert points != sobol_points(space, n=128, seed=2)
    for name, levels in space.levels.items():
        counts = [sum(point[name] == level for point in points) for level in levels]
        assert max(counts) - min(counts) <= 4, name
    for first, second in zip(points[::2], points[1::2], strict=True):
        assert {name for name in space.levels if first[name] != second[name]} <= set(SELECTION)


def test_no_step_uses_a_label_unknown_an_embargo_before_it(market: Market) -> None:
    """Turn every later label around, step by step: scores stay. Turn one earlier: they move."""
    bench = bench_of(market)
    fits = len(bench.times.fits)
    steps = score_steps(bench, RECIPE, n_fits=fits)
    assert [step.since for step in steps[2:]] == list(bench.times.fits[1:])
    for number, step in enumerate(steps[1:], start=1):
        known = step.since - bench.times.embargo
        later = score_steps(bench_of(spoiled(market, known_after=known)), RECIPE, n_fits=fits)[number]
        np.testing.assert_array_equal(later.confidence, step.confidence)
        np.testing.assert_array_equal(later.spread, step.spread)
        assert np.array_equal(later.agree, step.agree)
    before = score_steps(bench_of(spoiled(market, known_after=known - WEEK_MS)), RECIPE, n_fits=fits)[-1]
    assert not np.array_equal(before.confidence, steps[-1].confidence)


def test_folds_follow_one_another_and_training_ends_an_embargo_before(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def watched(*args: Any, **given: Any) -> Any:
        seen.append((given["since"], given["at"]))
        return fit_heads(*args, **given)

    monkeypatch.setattr(tuning_trials, "fit_heads", watched)
    bench = bench_of(market)
    bench.in_folds(search_space(RECIPE, grid_plans=PLANS).default)
    times, embargo = bench.times, 24 * HOUR_MS
    assert [at for _, at in seen] == [fit - embargo for fit in times.fits[:-1]]
    assert all(since >= times.first and at - since <= 26 * WEEK_MS for since, at in seen)
    plan = market.plans[RECIPE.exit_plan]
    for (since, at), (test_from, _) in zip(seen[1:], times.folds, strict=True):
        used = (market.date[:, None] >= since) & (market.date[:, None] < at) & (plan.known_at <= at)
        assert used.any() and (plan.known_at[used] + embargo <= test_from).all()
    assert [until for _, until in times.folds[:-1]] == [since for since, _ in times.folds[1:]]
    assert times.folds[-1][1] == times.holdout and times.holdout_weeks == 4


def test_what_became_known_after_as_of_changes_nothing(market: Market, study: Study) -> None:
    changed = spoiled(market, known_after=milliseconds(AS_OF))
    late = changed.date >= milliseconds(AS_OF)
    values = np.where(late[:, None], 9.0, changed.values).astype(np.float32)
    assert late.any() and run(replace(changed, values=values)).to_files() == study.to_files()


def test_the_holdout_is_sealed_until_best_and_default_are_fixed(market: Market, study: Study) -> None:
    changed = run(spoiled(market, known_after=schedule(market, settings=SETTINGS, as_of=AS_OF).holdout))
    assert changed.to_files()["study/trials.csv"] == study.to_files()["study/trials.csv"]
    assert changed.head["best"] == study.head["best"]
    assert changed.head["holdout"]["best"] != study.head["holdout"]["best"]


def test_signals_and_their_r_are_those_of_the_loops_own_book(market: Market) -> None:
    since = milliseconds("2019-09-02")
    recipe = replace(RECIPE, signal_quantile=0.8)
    plan = market.plans[recipe.exit_plan]
    heads = fit_heads(market, plan, recipe=recipe, families=FAMILIES, since=0, at=since)
    record = Record.empty()
    record.votes.counts[OWN] = [100.0, 140.0]
    policy = make_policy(heads, record, market, recipe=recipe, name="r1", learned=since, fitted="2019-09-02", alpha=0.0)
    rows = week_rows(market, since=since, until=since + WEEK_MS)
    scores = score(policy, market, rows=rows)
    signals = find_signals(policy, market, rows=rows, until=since + WEEK_MS)
    at, side = choose(scores.confidence, scores.agree, threshold=scores.threshold, min_heads_agree=1)
    assert set(zip(rows[at], side, strict=True)) == set(zip(signals.row, signals.side, strict=True))

    book = Book(SIZING.start_capital, SIZING.start_capital)
    week = trade_week(book, signals, market=market, sizing=SIZING, cost=0.0, since=since, until=since + WEEK_MS)
    found = daily_r(
        market, recipe.exit_plan, row=rows[at], side=side, confidence=scores.confidence[at, side], sizing=SIZING,
        since=since, until=since + WEEK_MS,
    )  # fmt: skip
    expected = np.zeros(7)
    for trade in week.closed:
        expected[(milliseconds(trade["close_date"]) - 1 - since) // DAY_MS] += trade["r_multiple"]
    assert found.trades == len(week.closed) > 5
    assert found.trades < len(signals.row) - 3  # the book had no room for some
    np.testing.assert_allclose(found.daily_r, expected, atol=0.006)


def test_a_position_that_leverage_made_smaller_earns_less() -> None:
    """Stops 1 % away and 2 % at risk: full size is 2 times equity; 3 leave room for one and a half of them."""
    market = make_market(3, weeks=2)
    sizing = replace(SIZING, risk_per_trade=0.02, max_total_risk=1.0, max_leverage=3.0)
    plan = market.plans[PLANS[0]]
    row, side = np.array([0, 1]), np.array([0, 0])
    since = milliseconds(FIRST)
    given: dict[str, Any] = {
        "confidence": np.array([0.6, 0.5]), "sizing": sizing, "since": since, "until": since + 2 * WEEK_MS
    }  # fmt: skip
    found = daily_r(market, PLANS[0], row=row, side=side, **given)
    assert found.trades == 2
    assert found.daily_r.sum() == pytest.approx(plan.r_multiple[0, 0] + 0.5 * plan.r_multiple[1, 0], abs=0.011)


def test_the_plan_that_earns_is_found_and_proposed() -> None:
    found = run(make_market(4, favoured=PLANS[3]), settings=replace(SETTINGS, sobol=32, trials=12))
    assert found.head["verdict"] == "proposed" and found.proposals[0]["origin"] == "tuning"
    recipe = section(Recipe, found.proposals[0]["settings"], where="study.json: proposal")
    assert recipe.exit_plan == PLANS[3] and found.proposals[0]["title"] == f"tuned {AS_OF}"
    assert recipe.half_life_weeks == RECIPE.half_life_weeks
    assert found.head["holdout"]["difference"]["low"] > 0
    assert found.head["deflated"]["trials"] == len(found.trials) == 45


def test_without_an_edge_the_best_is_not_better_on_the_holdout() -> None:
    quick = replace(SETTINGS, sobol=8, trials=3)
    differences = [run(make_market(seed), settings=quick).head["holdout"]["difference"] for seed in range(10, 15)]
    means = np.array([row["mean_r"] for row in differences])
    assert np.abs(means).max() > 0
    assert means.mean() / (means.std(ddof=1) / np.sqrt(means.size)) < 2.5
    assert sum(row["low"] > 0 for row in differences) <= 1


def test_ties_go_to_the_default_and_a_clear_holdout_can_only_forbid() -> None:
    flat = make_market(5)
    plans = {name: replace(plan, known_at=np.full_like(plan.known_at, NEVER)) for name, plan in flat.plans.items()}
    nothing = run(replace(flat, plans=plans))
    assert nothing.head["verdict"] == "default is best" and nothing.proposals == []
    assert nothing.head["best"]["number"] == 0
    assert tuning._verdict(3, {"high": -0.01}) == "holdout speaks against it"
    assert tuning._verdict(3, {"high": 0.01}) == tuning._verdict(3, {"high": None}) == "proposed"


def test_a_study_is_run_on_its_schedule_and_carried_between(market: Market, study: Study) -> None:
    given: dict[str, Any] = {
        "recipe": RECIPE, "families": FAMILIES, "sizing": SIZING, "settings": SETTINGS, "genesis": GENESIS
    }  # fmt: skip
    before = {"study/study.json": "as it was", "study/trials.csv": "too", "keep.json": "another's"}
    due = study_of_week(market, as_of=AS_OF, previous=before, **given)
    assert due == study.to_files()
    kept = {"study/study.json": "as it was", "study/trials.csv": "too"}
    assert study_of_week(market, as_of="2019-11-11", previous=before, **given) == kept
    assert study_of_week(market, as_of=GENESIS, previous={}, **given) == {}
    assert study_of_week(market, as_of="2019-02-11", previous={}, **given | {"genesis": "2018-11-12"}) == {}


def test_a_frozen_recipe_is_proposed_as_one_that_refits() -> None:
    frozen = replace(RECIPE, refit_weeks=0)
    space = search_space(frozen, grid_plans=PLANS)
    assert tuning_space.tuned_recipe(frozen, space.default, title="").refit_weeks == 1


def test_thinning_keeps_every_hour_and_the_budget(market: Market) -> None:
    times = schedule(market, settings=SETTINGS, as_of=AS_OF)
    for rows in (500, 1000, 2000, 4000, 10**9):
        every = thinning(market, times=times, train_weeks=52, rows=rows)
        assert gcd(every, 168) == 1
    windows = [market.decided(since=times.first, until=fit - times.embargo) for fit in times.fits[:-1]]
    total = 2 * sum(window.stop - window.start for window in windows)
    assert total / thinning(market, times=times, train_weeks=52, rows=1000) == pytest.approx(1000, rel=0.2)


def test_importance_finds_the_setting_that_matters_and_no_other() -> None:
    import pandas as pd

    space = search_space(RECIPE, grid_plans=PLANS)
    points = pd.DataFrame(sobol_points(space, n=128, seed=3))
    noise = np.random.default_rng(8).normal(0, 1, len(points))
    trials = points.assign(value=noise + 3.0 * (points["take_profit_atr"] > 2))
    rows = importance(trials, space=space, seed=1)
    assert rows[0]["setting"] == "take_profit_atr" and rows[0]["share"] > 0.5 and rows[0]["p_value"] == 0.001
    assert all(row["p_value"] > 0.01 for row in rows[1:])


def test_a_study_is_read_back_as_it_was(study: Study) -> None:
    files = study.to_files()
    again = Study.from_files(files)
    assert again.to_files() == files
    assert again.daily_r().shape == (study.head["best"]["days"], 12)
    sharpe = again.daily_r().mean(axis=0) / again.daily_r().std(axis=0, ddof=1)
    np.testing.assert_allclose(sharpe, again.trials["sharpe"], atol=1e-6)
    assert json.loads(files["study/study.json"])["as_of"] == AS_OF
    with pytest.raises(DataError, match="missing"):
        Study.from_files({"study/study.json": files["study/study.json"]})
    with pytest.raises(DataError, match="restore it with `git checkout`"):
        Study.from_files(files | {"study/study.json": "{"})
    with pytest.raises(DataError, match="another version"):
        Study.from_files(files | {"study/trials.csv": "number\n1\n"})


def test_what_cannot_be_tuned_is_refused_in_one_line(market: Market) -> None:
    with pytest.raises(SettingsError, match="weeks need 18"):
        run(market, as_of="2019-04-01")
    with pytest.raises(SettingsError, match="not in the grid"):
        run(market, grid_plans=PLANS[1:])
    with pytest.raises(SettingsError, match=r"tp3\.0_sl1\.0_t24 is missing"):
        run(market, grid_plans=PLANS[:3])
