"""A policy scores candidates by what it says in its JSON, and its signals are the candidates above its thresholds."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgebook.policy.heads import Head, fit_heads
from edgebook.policy.learned_policy import RECENT_WEEKS, confidence_rank, make_policy
from edgebook.policy.market import REGIMES, WEEK_MS, Market
from edgebook.policy.policy import SPREAD, Policy, score
from edgebook.policy.record import HEADS, Record
from edgebook.policy.signals import Signals, find_signals
from edgebook.settings.loading import section
from edgebook.settings.params import plain
from edgebook.settings.recipes import HEAD_LETTERS, Recipe
from edgebook.statistics.thresholds import Threshold
from small_market import PLAN, coin_market

INDICATORS = ("a1", "a2", "b1", "b2")
FAMILIES = {letter: () for letter in HEAD_LETTERS} | {"A": ("a1", "a2"), "B": ("b1", "b2")}
RECIPE = Recipe(exit_plan=PLAN, signal_quantile=0.8, min_heads_agree=1)
MARKET = coin_market(1, bars=420, edge=0.1, indicators=INDICATORS)
AT = int(MARKET.date[0]) - 4 * 3_600_000 + 8 * WEEK_MS


def learned(market: Market) -> Policy:
    """Fitted at `AT`; with nothing remembered, slopes and base rates are at their priors and all heads weigh alike."""
    heads = fit_heads(market, market.plans[PLAN], recipe=RECIPE, families=FAMILIES, since=0, at=AT)
    recipe = replace(RECIPE, head_weights="equal")
    return make_policy(
        heads, Record.empty(), market, recipe=recipe, name="r1", learned=AT, fitted="2018-05-28", alpha=0.05
    )


def rows_of(market: Market, since: int = 0, until: int = 2**62) -> np.ndarray:
    window = market.decided(since=since, until=until)
    return np.arange(window.start, window.stop)


@cache
def learned_once() -> Policy:
    return learned(MARKET)


@pytest.fixture
def policy() -> Policy:
    return learned_once()


def one_by_one(signals: Signals) -> list[tuple[int, int]]:
    return list(zip(signals.row.tolist(), signals.side.tolist(), strict=True))


# --- written down and read back

fours = st.floats(-2, 2).map(lambda x: round(x, 4))
shares = st.floats(0, 1).map(lambda x: round(x, 4))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    heads = {}
    for letter, names in (("A", ("a1", "a2")), ("B", ("b1", "b2"))):
        if letter == "B" and draw(st.booleans()):
            continue
        rows = draw(arrays(np.float64, (len(names), 6), elements=st.floats(-3, 3).map(lambda x: round(x, 5))))
        level = draw(arrays(np.float64, (2, 2), elements=fours))
        heads[letter] = Head(names, rows[:, 0], np.abs(rows[:, 1]) + 0.1, level[0], rows[:, 2:4], rows[:, 4:], level[1])
    return Policy(
        recipe=draw(st.sampled_from(["r1", "r12-20180423"])),
        learned="2018-05-28",
        fitted="2018-05-21",
        exit_plan=PLAN,
        min_heads_agree=draw(st.integers(0, 9)),
        heads=heads,
        slopes=draw(arrays(np.float64, (HEADS, 2), elements=shares)),
        weights=draw(arrays(np.float64, (4, HEADS), elements=shares)),
        consensus_slope=draw(arrays(np.float64, 2, elements=shares)),
        base=draw(arrays(np.float64, (4, 2), elements=shares)),
        thresholds={name: Threshold(draw(shares), draw(st.booleans()), 3, draw(st.none() | fours)) for name in REGIMES},
        spread=np.sort(draw(arrays(np.float64, (4, len(SPREAD)), elements=shares)), axis=1),
    )


@settings(max_examples=40)
@given(policies())
def test_a_policy_comes_back_from_json_with_the_same_scores_and_signals(policy):
    back = Policy.from_json(json.loads(json.dumps(policy.to_json())))
    assert back.to_json() == policy.to_json()
    assert back.version == policy.version
    rows = rows_of(MARKET)[:200]
    one, other = (score(p, MARKET, rows=rows) for p in (policy, back))
    for name in ("raw", "heads", "consensus", "confidence", "agree", "threshold", "certified"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    one, other = (find_signals(p, MARKET, rows=rows, until=2**62) for p in (policy, back))
    assert one_by_one(one) == one_by_one(other)


@settings(max_examples=40)
@given(
    st.builds(
        Recipe,
        role=st.sampled_from(["champion", "challenger", "baseline", "proposal"]),
        title=st.text(max_size=20),
        exit_plan=st.just(PLAN),
        train_weeks=st.integers(4, 200),
        refit_weeks=st.integers(0, 9),
        shrinkage=st.floats(0.1, 1e4),
        head_shrinkage=st.dictionaries(st.sampled_from(HEAD_LETTERS), st.floats(0.1, 1e3), max_size=3),
        indicators=st.none() | st.lists(st.sampled_from(INDICATORS), unique=True).map(tuple),
        head_weights=st.sampled_from(["by_regime", "equal", "steps"]),
        half_life_weeks=st.floats(0.5, 100),
        signal_quantile=st.floats(0.5, 0.999),
        min_heads_agree=st.integers(0, 9),
    )
)
def test_a_recipe_comes_back_from_json(recipe):
    written = json.loads(json.dumps(plain(recipe)))
    assert section(Recipe, written, where="recipes.json") == recipe


# --- scores


def test_a_policy_that_heard_nothing_says_the_base_rate(policy):
    deaf = replace(policy, weights=np.zeros((4, HEADS)), base=np.full((4, 2), 0.44))
    found = score(deaf, MARKET, rows=rows_of(MARKET))
    assert not found.consensus.any()
    assert (found.confidence == 0.44).all()


def test_confidence_rises_with_evidence_and_means_what_it_says(policy):
    later = rows_of(MARKET, AT)
    found, won = score(policy, MARKET, rows=later), MARKET.plans[PLAN].profit_ratio[later] > 0
    high = found.confidence[:, 0] > np.quantile(found.confidence[:, 0], 0.8)
    assert won[high, 0].mean() > won[~high, 0].mean() + 0.08
    assert found.confidence[high, 0].mean() == pytest.approx(won[high, 0].mean(), abs=0.12)


def test_a_head_without_data_abstains_and_the_others_speak(policy):
    values = MARKET.values.copy()
    values[:, 2:] = np.nan
    blind = replace(MARKET, values=values, votes=np.where(np.isnan(values), 0, MARKET.votes).astype(np.int8))
    found, whole = (score(policy, m, rows=rows_of(m)) for m in (blind, MARKET))
    assert np.isnan(found.raw[:, 1]).all()
    assert not found.heads[:, 1].any()
    np.testing.assert_array_equal(found.heads[:, 0], whole.heads[:, 0])
    assert found.agree.max() == 1


def test_scores_of_a_bar_depend_on_that_bar_alone(policy):
    rows = rows_of(MARKET)
    values = MARKET.values.copy()
    values[500] += 1.0
    moved = score(policy, replace(MARKET, values=values), rows=rows).heads != score(policy, MARKET, rows=rows).heads
    assert np.flatnonzero(moved.any(axis=(1, 2))).tolist() == [500]


# --- what it learned by a date


def test_a_policy_depends_on_nothing_that_came_after_it(policy):
    late = MARKET.date >= AT
    values = np.where(late[:, None], -MARKET.values, MARKET.values)
    plan = MARKET.plans[PLAN]
    unknown = plan.known_at > AT
    spoiled = replace(
        MARKET,
        values=values,
        plans={PLAN: replace(plan, profit_ratio=np.where(unknown, -plan.profit_ratio, plan.profit_ratio))},
    )
    assert learned(spoiled).to_json() == policy.to_json()


def test_high_and_low_are_measured_on_the_last_weeks_before_it(policy):
    rows = rows_of(MARKET, AT - RECENT_WEEKS * WEEK_MS, AT)
    confidence, regime = score(policy, MARKET, rows=rows).confidence, MARKET.regime[rows]
    for code in range(4):
        own = confidence[regime == code].ravel()
        own = own if len(own) >= 400 else confidence.ravel()
        np.testing.assert_allclose(policy.spread[code], np.quantile(own, SPREAD), atol=1e-4)
        assert (own >= policy.thresholds[REGIMES[code]].value).mean() == pytest.approx(0.2, abs=0.03)


@given(arrays(np.float64, 9, elements=shares), arrays(np.int64, 9, elements=st.integers(0, 3)))
def test_rank_is_a_share_and_keeps_the_order(confidence, regime):
    spread = np.linspace(0.2, 0.7, len(SPREAD)) + 0.05 * np.arange(4)[:, None]
    policy = replace(learned_once(), spread=spread)
    rank = confidence_rank(policy, confidence, regime=regime)
    assert ((rank >= 0) & (rank <= 1)).all()
    for code in range(4):
        here = np.argsort(confidence[regime == code])
        assert (np.diff(rank[regime == code][here]) >= 0).all()


# --- signals


def with_thresholds(policy: Policy, value: float) -> Policy:
    return replace(policy, thresholds={name: Threshold(value, False, 0, None) for name in REGIMES})


def test_signals_are_the_candidates_at_or_above_their_threshold(policy):
    rows = rows_of(MARKET, AT)
    found = find_signals(policy, MARKET, rows=rows, until=2**62)
    scores = score(policy, MARKET, rows=rows)
    expected = set()
    for at, row in enumerate(rows):
        margins = {
            side: scores.confidence[at, side] - policy.thresholds[REGIMES[MARKET.regime[row]]].value for side in (0, 1)
        }
        good = [side for side in (0, 1) if margins[side] >= 0 and scores.agree[at, side] >= 1]
        if good:
            expected.add((int(row), max(good, key=lambda side: (margins[side], -side))))
    assert set(one_by_one(found)) == expected
    assert len(expected) == len(found.row) > 20


def test_one_side_of_a_bar_at_most(policy):
    eager = replace(with_thresholds(policy, 0.0), min_heads_agree=0)
    found = find_signals(eager, MARKET, rows=rows_of(MARKET), until=2**62)
    favoured = (found.scores.consensus > 0).any(axis=1)
    assert len(found.row) == len(set(found.row.tolist())) == favoured.sum() > 0


def test_without_evidence_in_favour_there_is_no_signal_however_low_the_threshold(policy):
    ignorant = replace(with_thresholds(policy, 0.0), min_heads_agree=0, weights=np.zeros_like(policy.weights))
    assert len(find_signals(ignorant, MARKET, rows=rows_of(MARKET), until=2**62).row) == 0


def test_too_few_heads_behind_it_is_no_signal(policy):
    strict = replace(with_thresholds(policy, 0.0), min_heads_agree=3)
    found = find_signals(strict, MARKET, rows=rows_of(MARKET), until=2**62)
    assert len(found.row) == 0


def test_a_candidate_whose_entry_is_not_known_yet_is_no_signal(policy):
    until = int(MARKET.date[600])
    eager = replace(with_thresholds(policy, 0.0), min_heads_agree=0)
    found = find_signals(eager, MARKET, rows=rows_of(MARKET, 0, until + 1), until=until)
    assert MARKET.date[found.row].max() < until


def test_signals_come_by_entry_then_confidence(policy):
    found = find_signals(policy, MARKET, rows=rows_of(MARKET), until=2**62)
    entry = MARKET.plans[PLAN].open_ms[found.row, found.side]
    confidence = found.scores.confidence[found.at, found.side]
    assert (np.diff(entry) >= 0).all()
    assert (np.diff(confidence)[np.diff(entry) == 0] <= 0).all()
