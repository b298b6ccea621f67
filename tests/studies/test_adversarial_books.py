"""Adversarial books: their truth is what they say, and the evidence on them can tell a gate that fails."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import edgebook.evidence.adversarial_evidence as evidence
from edgebook.arms.arms import _expected_stake
from edgebook.arms.gate import promotion_bar
from edgebook.evidence import adversarial_books as books
from edgebook.evidence import adversarial_labels as labels_module
from edgebook.evidence import adversarial_markets as markets
from edgebook.evidence import adversarial_stakes as stakes
from edgebook.evidence.adversarial_after import in_a_row, quarter_row, rollback_rows, rollback_weeks
from edgebook.evidence.adversarial_books import DAYS, WEEKS
from edgebook.evidence.adversarial_evidence import GATE, kind_row, measure, pooled
from edgebook.evidence.adversarial_page import adversarial_section
from edgebook.evidence.naive_rules import RULES
from edgebook.evidence.null_markets import random_walk
from edgebook.evidence.power_curves import crossing_weeks, median_weeks, power_curves
from edgebook.policy.candidate_marks import marked_r
from edgebook.policy.plan_outcomes import DAY_MS, milliseconds
from edgebook.settings.exit_plans import Costs, ExitPlan
from edgebook.settings.params import Gate

GATE_SETTINGS = Gate(
    alpha_per_year=0.05,
    admissions_per_year=4,
    book_share=0.5,
    max_gain_r=12.0,
    max_loss_r=18.0,
    rollback_bar=4.0,
    rollback_weeks=26,
)
BAR = promotion_bar(GATE_SETTINGS)
YEARS = 24
EQUALS = {name: make for name, make in books.STYLISED.items() if "25 R" not in name and "60 R" not in name}


def promoted(differences, bar=BAR):
    return crossing_weeks(differences[:, :364], gate=GATE_SETTINGS, bar=bar) >= 0


def most_allowed(paths, share=1 / BAR):
    """Promotions that a gate which keeps its word exceeds once in a thousand runs of this test."""
    return stats.binom.ppf(0.999, paths, share)


@pytest.fixture(scope="module")
def made():
    return markets.market_books(YEARS, 5)


# --- the truth of the books


@pytest.mark.parametrize("kind", list(books.STYLISED | books.CONTROLS | books.WORSE))
def test_the_mean_of_many_years_is_the_gain_that_was_stated(kind):
    found = (books.STYLISED | books.CONTROLS | books.WORSE)[kind](200, 1)
    gap = found.weekly_difference_r.mean(axis=1)
    error = gap.std(ddof=1) / np.sqrt(len(gap))
    assert abs(gap.mean() - 7 * found.expected_r.mean()) < 4 * error
    assert found.differences.shape == (200, DAYS, 2)
    assert found.wins.shape == found.signals.shape == (200, WEEKS, 2)
    assert (found.wins <= found.signals).all()


def test_the_same_seed_makes_the_same_books():
    one, other, third = (books.heavy_tails(5, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.differences, other.differences)
    assert (one.differences != third.differences).any()


def test_books_of_arms_that_trade_unequally_often_do(made):
    rate = {kind: found.signals[..., 0].sum() / found.signals[..., 1].sum() for kind, found in made.items()}
    assert rate["never trades"] == 0
    assert 0.4 < rate["trades half as often"] < 0.7
    assert 1.5 < rate["trades twice as often"] < 2.2
    assert rate["overconfident twin"] > 3
    assert 0.9 < rate["overlapping trades"] < 1.1


def test_the_second_score_does_not_tell_twins_apart(made):
    """Up to the last digit of the usual day's stake."""
    assert np.abs(made["overconfident twin"].candidates).max() < 1e-4
    assert made["another guess, as many trades"].candidates.std() > 0.5


@pytest.mark.parametrize("kind", ["twin, a third as sure when calm", "twin, a third as sure every other month"])
def test_an_uneven_twin_trades_the_same_and_stakes_otherwise(made, kind):
    assert not made[kind].differences[..., 0].any()
    assert 0.1 < made[kind].candidates.std() < made["another guess, as many trades"].candidates.std()


def test_who_is_always_long_has_the_market_on_its_side_as_often_as_against_it(made):
    days = made["always long"].candidates.mean(axis=1)
    assert abs(days.mean()) < 4 * days.std(ddof=1) / np.sqrt(len(days))


def test_the_gap_costs_what_a_stop_that_gaps_through_costs(made):
    """47 % of the price over a stop that is a hundredth or two away, and it may hit either arm."""
    gap = made["gap of -47 % in one bar"].differences[..., 0]
    calm = made["another guess, as many trades"].differences[..., 0]
    assert gap.min() < -18
    assert np.abs(calm).max() < 18


def test_no_arm_is_charged_for_the_mean_of_labels_where_both_trade_alike(made):
    assert not made["overlapping trades"].expected_r.any()
    assert (made["never trades"].expected_r < 0).all()
    assert made["never trades"].expected_r[0] > -0.2


@pytest.mark.parametrize("costs", [Costs(0, 0, 0), Costs(7.5, 2.5, 1.0)])
def test_days_are_marked_as_the_loop_marks_candidates(costs):
    labels = labels_module.labels_of(random_walk(pairs=2, weeks=8, seed=3), ExitPlan(3.0, 2.0, 72), costs=costs)
    hours = labels.first_ms + labels_module.HOUR_MS * np.arange(labels.closes.shape[1])
    market = SimpleNamespace(
        pairs=("S01/USD", "S02/USD"),
        pair=labels.pair,
        marks={"S01/USD": (hours, labels.closes[0]), "S02/USD": (hours, labels.closes[1])},
    )
    outcomes = SimpleNamespace(
        open_ms=np.repeat(labels.entry_ms[:, None], 2, axis=1),
        known_at=labels.close_ms,
        open_rate=np.repeat(labels.entry[:, None], 2, axis=1),
        stop_loss_abs=labels.entry[:, None] * (1 + labels.risk * np.array([-1, 1])),
        close_rate=labels.entry[:, None] * (1 + labels.gross * labels.risk * np.array([1, -1])),
    )
    first = milliseconds(labels_module.START)
    inside = np.flatnonzero((labels.entry_ms > first) & (labels.entry_ms < first + 30 * DAY_MS))
    rng = np.random.default_rng(1)
    row, side = rng.choice(inside, 300, replace=False), rng.integers(0, 2, 300)
    found = labels_module.marked_days(labels, labels_module.Trades(row, side, np.ones(300)), gross=True)[:40]
    moments = first + DAY_MS * np.arange(41)
    value = marked_r(market, outcomes, row=row, side=side, moments=moments)
    np.testing.assert_allclose(found, np.diff(value, axis=1).sum(axis=0), atol=1e-3)
    assert np.abs(found).max() > 1


def test_a_usual_day_is_what_the_loop_takes_for_one():
    labels = labels_module.labels_of(random_walk(pairs=1, weeks=9, seed=4), ExitPlan(2.0, 1.5, 24))
    stake = np.random.default_rng(1).normal(0, 0.1, len(labels.pair))
    trades = labels_module.Trades(np.arange(len(stake)), (stake < 0).astype(np.int64), stake)
    found = labels_module.usual_stakes(labels, trades)
    known_at, start = labels.close_ms[trades.row, trades.side], milliseconds(labels_module.START)
    usual, weight = 0.0, 0.25
    for week in range(-2, 5):
        at = start + (week + 1) * labels_module.WEEK_MS
        open_before = known_at > at - labels_module.WEEK_MS
        whole = pd.DataFrame({"known_at": known_at, "stake": stake, "weight": weight})[open_before]
        if week >= 0:
            assert found[week] == pytest.approx(usual / weight, rel=1e-4)
        usual = _expected_stake(usual, whole, at=at)
    assert usual > 0


def test_stakes_in_one_direction_and_the_opposite_cancel():
    labels = labels_module.labels_of(random_walk(pairs=1, weeks=9, seed=4), ExitPlan(2.0, 1.5, 24))
    own = labels_module.guesses(labels, np.random.default_rng(2))
    one, other = labels_module.candidate_days(labels, own), labels_module.candidate_days(labels, -own)
    np.testing.assert_allclose(one, -other, atol=1e-9)
    assert one[:35].std() > 0.1
    assert not labels_module.candidate_days(labels, 0 * own).any()


# --- stakes that would please the second score


@pytest.fixture(scope="module")
def pleasing():
    found = stakes.stake_differences(YEARS, 6)
    return {row["kind"]: row for row in stakes.stake_rows(found, gate=GATE_SETTINGS, bar=BAR, weeks=52)}


def test_no_stake_that_knows_nothing_has_a_mean_costs_or_not(pleasing):
    for kind, row in pleasing.items():
        if "edge" not in kind:
            # Counting the stop first where one bar holds both barriers leaves labels a mean of some thousandths.
            assert abs(row["mean"]) < 4 * row["mean_error"] + 0.002, kind
    assert pleasing["with costs: against everything"]["k"] <= most_allowed(YEARS)


def test_marked_after_costs_a_stake_against_everything_would_be_paid():
    charged = labels_module.labels_of(random_walk(pairs=1, weeks=9, seed=4), ExitPlan(2.0, 1.5, 24), costs=stakes.COSTS)
    rows = np.arange(len(charged.pair))
    against = labels_module.Trades(np.tile(rows, 2), np.repeat([0, 1], len(rows)), -np.ones(2 * len(rows)))
    days = 28
    net, gross = (labels_module.marked_days(charged, against, gross=before)[:days].sum() for before in (False, True))
    assert net > gross + 100


def test_what_is_cut_off_makes_a_mean_where_leads_are_small_and_lags_large(pleasing):
    cubed = pleasing["the same, log-odds by the cube of the move"]
    assert cubed["counted"] > cubed["mean"] + 0.02
    assert cubed["cut"] > 0.05


def test_a_twin_of_a_champion_with_an_edge_gains_little_by_uneven_stakes(pleasing):
    calm = pleasing["champion with an edge, twin a third as sure when calm"]
    assert calm["k"] <= most_allowed(YEARS)
    assert abs(calm["mean"]) < 0.02


# --- what the gate does with them


@pytest.mark.parametrize("kind", list(EQUALS))
def test_the_gate_keeps_its_word(kind):
    assert promoted(EQUALS[kind](300, 2).differences).sum() <= most_allowed(300)


def test_the_gate_keeps_its_word_on_books_of_real_labels(made):
    assert sum(promoted(found.differences).sum() for found in made.values()) <= most_allowed(YEARS * len(made))


def test_a_gate_that_bounds_each_book_and_not_the_difference_is_caught():
    found = books.penny_picker(300, 3, crash_r=60.0)
    each = np.clip(found.r[..., 0], -6, 6) - np.clip(found.r[..., 1], -6, 6)
    assert promoted(np.stack([each, found.candidates], axis=2)).sum() > most_allowed(300)


def test_a_gate_that_is_credited_at_the_end_of_its_week_by_the_best_day_is_caught():
    """Peeking: only the better half of each week's days is counted."""
    gap = books.volatility_clusters(100, 4).differences
    assert promoted(np.maximum(gap, 0)).sum() > most_allowed(100)


def test_a_better_challenger_is_promoted_and_an_equal_watch_rarely_rolls_it_back():
    better = books.CONTROLS["better by 1 R a day"](60, 5)
    assert promoted(better.differences).mean() > 0.7
    rows = rollback_rows({"better": better, "equal": books.better(200, 6, edge_r=0.0)}, gate=GATE_SETTINGS)
    assert rows[0]["k"] / rows[0]["n"] < 0.2
    assert rows[1]["k"] <= most_allowed(200, 1 / GATE_SETTINGS.rollback_bar)


def test_a_watch_rolls_back_what_turned_worse_and_would_not_if_it_slept():
    worse = books.better(60, 7, edge_r=-1.5)
    now = np.zeros(60, np.int64)
    assert (rollback_weeks(worse.differences, promoted=now, gate=GATE_SETTINGS) >= 0).mean() > 0.8
    asleep = dataclasses.replace(GATE_SETTINGS, rollback_weeks=0)
    assert (rollback_weeks(worse.differences, promoted=now, gate=asleep) < 0).all()


def test_nothing_carries_over_and_it_would_show():
    found = in_a_row(60, gate=GATE_SETTINGS, bar=BAR, weeks=52, seed=8)
    assert found["first"]["k"] > 40
    assert found["second"]["k"] <= most_allowed(60)
    assert found["carried"]["k"] > 40


def test_the_quarter_of_a_challenger_that_goes_bad_is_told():
    found = quarter_row(120, gate=GATE_SETTINGS, bar=BAR / 10, weeks=52, seed=9)
    assert found["promoted"]["k"] >= found["early"]["k"] > 0
    assert found["rolled_back"]["n"] == found["promoted"]["k"]
    assert found["r_watched"] > found["r_unwatched"]


def test_a_lower_bar_is_seen_to_promote_more_falsely():
    rows = [kind_row("equals", books.better(300, 10, edge_r=0.0), gate=GATE_SETTINGS, bar=b, weeks=52) for b in (80, 2)]
    strict, loose = (pooled([row])[GATE] for row in rows)
    assert strict["k"] <= most_allowed(300)
    assert loose["low"] > 1 / 80
    assert strict["upper"] < loose["upper"]


def test_the_curve_rises_with_the_edge_and_with_the_trades():
    rows = power_curves(GATE_SETTINGS, bar=BAR, paths=40)
    for trades in (10, 25, 50, 100):
        shares = [row["k"] for row in rows if row["trades_a_week"] == trades and not row["candidates"]]
        assert shares == sorted(shares)
    at_five = [row["k"] for row in rows if row["points"] == 0.05 and not row["candidates"]]
    assert at_five == sorted(at_five)
    assert at_five[-1] > at_five[0]
    both = [row["k"] for row in rows if row["points"] == 0.05 and row["candidates"]]
    assert all(whole >= alone for whole, alone in zip(both, at_five, strict=True))
    # What the candidates show does not depend on how often the books trade.
    assert both[0] > at_five[0]
    assert median_weeks(np.array([-1, -1, 4])) is None


def test_the_evidence_is_told_in_words_that_follow_it(monkeypatch):
    monkeypatch.setattr(evidence, "QUICK_YEARS", 8)
    steps = []
    learning = SimpleNamespace(trial_weeks=52)
    found = measure(GATE_SETTINGS, learning, quick=True, tell=lambda *step: steps.append(step))
    assert steps[-1][0] == steps[-1][1] == len(steps)
    assert found["allowed"] == 0.025
    assert list(found["pooled"]) == [GATE, *RULES]
    text = adversarial_section(found)
    assert "too few to show it kept" in text or "shows the limit kept" in text
    assert "quick run" in text
    assert "books and candidates" in text
    assert "against everything" in text
    broken = {**found, "pooled": found["pooled"] | {GATE: found["pooled"][GATE] | {"low": 0.2, "upper": 0.5}}}
    assert "the gate is wrong" in adversarial_section(broken)
