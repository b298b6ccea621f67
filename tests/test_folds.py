"""Folds against a brute-force oracle, and weights against the double loop."""

from __future__ import annotations

import doctest
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebook.errors import DataError, SettingsError
from edgebook.outcomes.candidates import label_candidates
from edgebook.outcomes.outcomes import known_outcomes
from edgebook.settings.exit_plans import Costs, ExitPlan
from edgebook.statistics import folds
from edgebook.statistics.folds import Fold, embargo_time, k_fold, shared_uniqueness, uniqueness, walk_forward

HOUR = pd.Timedelta("1h")
START = pd.Timestamp("2019-01-07", tz="UTC")


def labels(decided: list[int], held: list[int]) -> tuple[pd.Series, pd.Series]:
    """Decision dates and dates of knowledge, both in hours from the start."""
    dates = pd.Series([START + h * HOUR for h in decided])
    known = pd.Series([START + (h + d) * HOUR for h, d in zip(decided, held, strict=True)])
    return dates, known


@st.composite
def label_sets(draw: st.DrawFn) -> tuple[list[int], list[int], int]:
    """Many rows at few hours, so that ties and touching labels are common."""
    n = draw(st.integers(12, 60))
    decided = draw(st.lists(st.integers(0, 40), min_size=n, max_size=n).filter(lambda d: len(set(d)) >= 12))
    held = draw(st.lists(st.integers(0, 12), min_size=n, max_size=n))
    return decided, held, draw(st.integers(0, 6))


def check_tests(split: list[Fold], decided: list[int]) -> None:
    """Tests are disjoint, in time order, and rows of one hour stay together."""
    hours = [sorted({decided[i] for i in fold.test}) for fold in split]
    assert all(hours)
    for earlier, later in pairwise(hours):
        assert earlier[-1] < later[0]
    for fold, own in zip(split, hours, strict=True):
        assert sorted(fold.test.tolist()) == [i for i, hour in enumerate(decided) if own[0] <= hour <= own[-1]]


@settings(max_examples=150, deadline=None)
@given(case=label_sets(), n_folds=st.integers(2, 4))
def test_k_fold_training_is_every_row_that_does_not_touch_the_test_or_its_embargo(
    case: tuple[list[int], list[int], int], n_folds: int
) -> None:
    decided, held, embargo = case
    try:
        split = k_fold(*labels(decided, held), n_folds=n_folds, embargo=embargo * HOUR)
    except DataError:
        assert len(decided) / n_folds < 2 * max(decided.count(hour) for hour in decided)  # one hour fills a fold
        return
    check_tests(split, decided)
    assert sorted(np.concatenate([fold.test for fold in split]).tolist()) == list(range(len(decided)))
    for fold in split:
        test = set(fold.test.tolist())
        # The hours that the test writes on, one by one, widened by the embargo.
        first, last = min(decided[i] for i in test), max(decided[i] + held[i] for i in test)
        forbidden = set(range(first - embargo + 1, last + embargo + 1))
        expected = []
        for i, (start, length) in enumerate(zip(decided, held, strict=True)):
            written = set(range(start + 1, start + length + 1))  # the hours after the decision, up to knowledge
            inside = first - embargo < start < last + embargo
            if i not in test and not inside and not (written & forbidden):
                expected.append(i)
        assert fold.train.tolist() == expected


@settings(max_examples=150, deadline=None)
@given(case=label_sets(), n_folds=st.integers(1, 4))
def test_walk_forward_training_is_what_was_known_an_embargo_before_the_test(
    case: tuple[list[int], list[int], int], n_folds: int
) -> None:
    decided, held, embargo = case
    try:
        split = walk_forward(*labels(decided, held), n_folds=n_folds, embargo=embargo * HOUR, train_share=0.5)
    except DataError:
        assert len(decided) / (2 * n_folds) < 2 * max(decided.count(hour) for hour in decided)
        return
    check_tests(split, decided)
    assert max(decided) == max(decided[i] for i in split[-1].test)
    for fold in split:
        first = min(decided[i] for i in fold.test)
        known = [i for i in range(len(decided)) if decided[i] + held[i] + embargo <= first and i not in fold.test]
        assert fold.train.tolist() == known
        assert fold.test_start == START + first * HOUR
        assert fold.test_end == START + max(decided[i] + held[i] for i in fold.test) * HOUR


def test_a_label_that_reaches_into_the_test_is_purged_and_one_that_ends_at_its_start_is_not() -> None:
    dates, known = labels(list(range(12)), [2] * 12)
    known[3] = dates[9]  # held long: known only after the second test of three has begun
    middle = k_fold(dates, known, n_folds=3, embargo=0 * HOUR)[1]
    assert middle.test.tolist() == [4, 5, 6, 7]
    assert middle.train.tolist() == [0, 1, 2, 9, 10, 11]  # 2 is known at hour 4; 3 reaches in; 8 starts before hour 9
    assert k_fold(dates, known, n_folds=3, embargo=1 * HOUR)[1].train.tolist() == [0, 1, 10, 11]


def test_a_model_that_copies_its_nearest_label_finds_nothing_across_purged_folds() -> None:
    # Overlapping sums of noise: neighbours share most of their label, so a copied neighbour looks like skill.
    rng = np.random.default_rng(5)
    noise = rng.standard_normal(12_000)
    reward = np.convolve(noise, np.ones(24), mode="valid")
    decided = list(range(len(reward)))
    dates, known = labels(decided, [24] * len(reward))

    def skill(split: list[tuple[np.ndarray, np.ndarray]]) -> float:
        guess, truth = [], []
        for train, test in split:
            place = np.clip(np.searchsorted(train, test), 1, len(train) - 1)
            nearest = np.where(test - train[place - 1] < train[place] - test, train[place - 1], train[place])
            guess.append(reward[nearest])
            truth.append(reward[test])
        return float(np.corrcoef(np.concatenate(guess), np.concatenate(truth))[0, 1])

    shuffled = np.array_split(rng.permutation(len(reward)), 5)
    leaking = [(np.setdiff1d(np.arange(len(reward)), part), np.sort(part)) for part in shuffled]
    honest = [(f.train, f.test) for f in k_fold(dates, known, n_folds=200, embargo=24 * HOUR)]
    assert skill(leaking) > 0.9
    assert abs(skill(honest)) < 0.15  # its standard error is 0.05


def test_order_of_rows_does_not_matter() -> None:
    decided, held = list(range(30)), [3] * 30
    mixed = np.random.default_rng(2).permutation(30)
    straight = k_fold(*labels(decided, held), n_folds=3, embargo=HOUR)
    shuffled = k_fold(*labels([decided[i] for i in mixed], [held[i] for i in mixed]), n_folds=3, embargo=HOUR)
    for a, b in zip(straight, shuffled, strict=True):
        assert sorted(mixed[b.train]) == a.train.tolist()
        assert sorted(mixed[b.test]) == a.test.tolist()


def test_bad_labels_and_settings_are_refused_in_one_line() -> None:
    dates, known = labels(list(range(12)), [2] * 12)
    with pytest.raises(DataError, match=r"row 4: decided .* an outcome is known after its decision"):
        k_fold(dates, known.mask(dates.index == 4, START - HOUR), n_folds=3, embargo=0 * HOUR)
    with pytest.raises(DataError, match=r"row 2: .* still open"):
        k_fold(dates, known.mask(dates.index == 2), n_folds=3, embargo=0 * HOUR)
    with pytest.raises(DataError, match="12 decision dates but 11 dates of outcomes"):
        k_fold(dates, known.iloc[1:], n_folds=3, embargo=0 * HOUR)
    with pytest.raises(DataError, match="too few for 40 folds"):
        walk_forward(dates, known, n_folds=40, embargo=0 * HOUR)
    with pytest.raises(SettingsError, match="n_folds: 1 leaves nothing to train on"):
        k_fold(dates, known, n_folds=1, embargo=0 * HOUR)
    with pytest.raises(SettingsError, match=r"n_folds: 0 is below 1"):
        walk_forward(dates, known, n_folds=0, embargo=0 * HOUR)
    with pytest.raises(SettingsError, match=r"embargo: .* is negative"):
        k_fold(dates, known, n_folds=3, embargo=-HOUR)
    with pytest.raises(SettingsError, match=r"train_share: 1.0"):
        walk_forward(dates, known, n_folds=3, embargo=0 * HOUR, train_share=1.0)
    with pytest.raises(SettingsError, match="embargo_bars: -1"):
        embargo_time(-1, timeframes=["1h"])


@settings(max_examples=150, deadline=None)
@given(
    bars=st.lists(st.tuples(st.integers(-5, 30), st.integers(0, 15)), min_size=1, max_size=40),
)
def test_uniqueness_agrees_with_the_double_loop(bars: list[tuple[int, int]]) -> None:
    spans = [range(first, first + extra + 1) for first, extra in bars]
    expected = [np.mean([1 / sum(bar in other for other in spans) for bar in span]) for span in spans]
    weights = uniqueness(np.array([s[0] for s in spans]), np.array([s[-1] for s in spans]))
    np.testing.assert_allclose(weights, expected, rtol=0, atol=1e-12)


def test_weights_are_shared_by_pair_timeframe_and_side() -> None:
    hours = [START + h * HOUR for h in range(12)]
    rows = [("A", "1h", False, 0, 2), ("A", "1h", False, 1, 4), ("A", "1h", True, 0, 2), ("B", "1h", False, 4, 5)]
    outcomes = pd.DataFrame(
        [(p, t, s, hours[a], hours[b]) for p, t, s, a, b in rows],
        columns=["pair", "timeframe", "is_short", "date", "close_date"],
    )
    # Dates 0, 1, 2, 4 are the grid of A's longs: bars {1, 2} and {2, 4}, one of them shared, so (1 + 1/2) / 2 each.
    assert shared_uniqueness(outcomes).tolist() == [0.75, 0.75, 1.0, 1.0]
    assert shared_uniqueness(outcomes.iloc[::-1]).tolist() == [1.0, 1.0, 0.75, 0.75]


def driftless(seed: int, *, bars: int = 20_000) -> pd.DataFrame:
    """Bars of a Gaussian walk, thirty steps each: nothing in it can be foreseen."""
    rng = np.random.default_rng(seed)
    inside = rng.standard_normal((bars, 30)).cumsum(axis=1) * 0.01 / np.sqrt(30)
    before = np.concatenate([[0.0], np.cumsum(inside[:, -1])[:-1]])
    path = np.column_stack([before, before[:, None] + inside])
    dates = pd.date_range("2017-01-02 01:00", periods=bars, freq="h", tz="UTC").as_unit("ms")
    prices = {"open": path[:, 0], "high": path.max(axis=1), "low": path.min(axis=1), "close": path[:, -1]}
    priced = {name: 100 * np.exp(value) for name, value in prices.items()}
    return pd.DataFrame({"pair": "A", "timeframe": "1h", "date": dates, **priced, "volume": 1.0})


def test_weighing_single_outcomes_by_uniqueness_would_make_a_trend_follower_look_right_on_noise() -> None:
    plan = ExitPlan(2.0, 1.5, 24)
    found = {"single": [], "shared": []}
    for seed in range(8):
        bars = driftless(seed)
        table = known_outcomes(label_candidates(bars, [plan], costs=Costs(0, 0, 0))[plan.name])
        vote = np.sign(bars["close"] - bars["close"].rolling(24).mean()).set_axis(bars["date"])
        table["vote"] = table["date"].map(vote)
        table = table[table["vote"].abs() > 0]
        agreed = (table["vote"] * np.where(table["is_short"], -1, 1) > 0).to_numpy()
        won = (table["profit_ratio"] > 0).to_numpy()
        single = np.empty(len(table))
        for _, rows in table.reset_index(drop=True).groupby("is_short"):
            place = np.searchsorted(bars["date"], rows["date"])
            single[rows.index] = uniqueness(place + 1, place + rows["bars_held"].to_numpy(np.int64))
        for name, weight in (("single", single), ("shared", shared_uniqueness(table))):
            wins, losses = (float(np.average(agreed[side], weights=weight[side])) for side in (won, ~won))
            found[name].append(wins - losses)
    # Measured over 8 walks: 0.033 with a standard error of 0.008, and 0.000 with one of 0.009.
    error = np.std(found["single"], ddof=1) / np.sqrt(8)
    assert np.mean(found["single"]) > 4 * error
    assert abs(np.mean(found["shared"])) < 3 * np.std(found["shared"], ddof=1) / np.sqrt(8)


def test_k_equal_labels_weigh_as_one() -> None:
    assert uniqueness(np.full(5, 3), np.full(5, 9)).sum() == pytest.approx(1.0)
    assert uniqueness(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)).size == 0
    with pytest.raises(DataError, match="label 1: its last bar 2 comes before its first 3"):
        uniqueness(np.array([0, 3]), np.array([1, 2]))


def test_the_worked_examples_run() -> None:
    result = doctest.testmod(folds)
    assert result.attempted >= 10
    assert result.failed == 0
