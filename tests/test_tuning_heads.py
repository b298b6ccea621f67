"""A single head is judged by what it says of candidates it had not seen; nine heads are nine chances to be wrong."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from edgebook.policy.heads import evidence, fit_heads
from edgebook.policy.market import WEEK_MS, Market
from edgebook.settings.recipes import HEAD_LETTERS
from edgebook.tuning import tuning_heads
from edgebook.tuning.tuning_heads import compared, head_alternatives, weekly_losses
from edgebook.tuning.tuning_workers import Crew
from test_tuning import FAMILIES, RECIPE, bench_of, make_market, spoiled

LEVELS = [10.0, 30.0, 100.0, 300.0, 1000.0]
OWN = [100.0] * 9


@pytest.fixture(scope="module")
def market() -> Market:
    return make_market(1, edge=0.1)


def worthless(rng: np.random.Generator, *, weeks: int = 24) -> np.ndarray:
    """Losses at five levels of nine heads; levels of a head differ by multiples of one noise, as penalties do."""
    along = np.linspace(-1, 1, 5)[:, None, None]
    common = rng.normal(size=(1, weeks, 9)) * along + 0.2 * rng.normal(size=(5, weeks, 9))
    return np.asarray(0.69 + 0.001 * common)


def test_a_level_is_compared_with_the_heads_own_week_by_week() -> None:
    losses = np.full((2, 3, 9), np.nan)
    losses[0, :, 1], losses[1, :, 1] = [0.70, 0.69, 0.71], [0.69, 0.69, 0.68]
    found = compared(losses, levels=[100.0, 300.0], own=OWN, seed=1)
    [row] = found.rows
    better = np.array([0.01, 0.0, 0.03])
    error = better.std(ddof=1) / math.sqrt(3)
    assert (row["head"], row["level"], row["own"], found.weeks) == ("B", 300.0, 100.0, 3)
    assert row["improvement"] == pytest.approx(better.mean(), abs=1e-6)
    assert row["t"] == pytest.approx(better.mean() / error, abs=1e-3)
    assert found.critical is not None
    assert row["high"] - row["low"] == pytest.approx(2 * found.critical * error, rel=1e-2)


def test_of_nine_worthless_heads_one_is_proposed_in_five_of_a_hundred_studies_at_most() -> None:
    """Two-sided intervals: half of the five lie above zero."""
    rng = np.random.default_rng(2)
    found = [compared(worthless(rng), levels=LEVELS, own=OWN, seed=3) for _ in range(150)]
    assert 0 < sum(one.chosen is not None for one in found) <= 0.05 * 150
    assert sum(max(row["t"] for row in one.rows) > 2.07 for one in found) > 30  # at Student's point: what it is for


def test_a_head_that_is_better_at_another_level_is_found() -> None:
    rng = np.random.default_rng(4)
    found = 0
    for _ in range(20):
        losses = worthless(rng)
        losses[4, :, 2] -= 0.002
        row = compared(losses, levels=LEVELS, own=OWN, seed=5).chosen
        found += row is not None and (row["head"], row["level"]) == ("C", 1000.0)
    assert found >= 18


def test_the_loss_of_a_head_is_that_of_a_plain_loop(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first week of the first fold, at a slope that is given."""
    monkeypatch.setattr(tuning_heads, "slope", lambda counts, *, prior, strength: 0.7)
    bench = bench_of(market)
    since, plan = bench.times.fits[1], market.plans[RECIPE.exit_plan]
    known = since - bench.times.embargo
    recipe = replace(RECIPE, shrinkage=300.0)
    head = fit_heads(market, plan, recipe=recipe, families=FAMILIES, since=known - 26 * WEEK_MS, at=known)["B"]
    losses = []
    for i in np.flatnonzero((market.date >= since) & (market.date < since + WEEK_MS)):
        if market.date[i] // 3_600_000 % 5 == 0:
            raw = evidence(head, market.values[[i]][:, [2]], votes=market.votes[[i]][:, [2]])[0]
            for side in (0, 1):
                odds = math.log(head.base[side] / (1 - head.base[side])) + 0.7 * raw[side]
                p = 1 / (1 + math.exp(-odds))
                losses.append(-math.log(p if plan.profit_ratio[i, side] > 0 else 1 - p))
    found = weekly_losses(bench, 300.0)
    assert found.shape == (bench.times.test_weeks, 9) and len(losses) > 20
    assert found[0, 1] == pytest.approx(sum(losses) / len(losses), abs=1e-8)
    assert np.isnan(found[:, HEAD_LETTERS.index("I")]).all()  # a head without indicators


def test_heads_are_scored_without_the_holdout_and_on_labels_known_before(market: Market) -> None:
    bench = bench_of(market)
    before = weekly_losses(bench, 30.0)
    sealed = bench_of(spoiled(market, known_after=bench.times.holdout))
    np.testing.assert_array_equal(weekly_losses(sealed, 30.0), before)
    later = bench_of(spoiled(market, known_after=bench.times.fits[2]))
    first_fold = (bench.times.fits[2] - bench.times.fits[1]) // WEEK_MS
    changed = weekly_losses(later, 30.0)
    np.testing.assert_array_equal(changed[: first_fold - 1], before[: first_fold - 1])
    assert not np.array_equal(changed[first_fold:], before[first_fold:], equal_nan=True)


def test_every_head_is_compared_at_every_level_but_its_own(market: Market) -> None:
    recipe = replace(RECIPE, head_shrinkage={"B": 300.0})
    found = head_alternatives(Crew(bench_of(market)), recipe=recipe, seed=5)
    assert [(row["head"], row["level"]) for row in found.rows] == [
        ("A", 10.0), ("A", 100.0), ("A", 300.0), ("A", 1000.0), ("B", 10.0), ("B", 30.0), ("B", 100.0), ("B", 1000.0)
    ]  # fmt: skip
    assert found.weeks == bench_of(market).times.test_weeks
    assert all(row["low"] <= row["improvement"] <= row["high"] for row in found.rows)
