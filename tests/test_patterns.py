"""Patterns: each chart pattern on a path drawn by hand, and never before its bar."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebook.patterns import CANDLESTICKS, CHART_PATTERNS, ONE_BAR, UNDECIDED, find_patterns, finding
from edgebook.patterns.swings import Swings, find_swings

WICK = 0.25
MIRROR = {
    "head_and_shoulders": "inverse_head_and_shoulders",
    "double_top": "double_bottom",
    "triple_top": "triple_bottom",
    "descending_triangle": "ascending_triangle",
    "breakdown": "breakout",
    "resistance_rejection": "support_bounce",
    "symmetrical_triangle": "symmetrical_triangle",
    "trend_continuation": "trend_continuation",
}
MIRROR |= {bullish: bearish for bearish, bullish in MIRROR.items()}


def table(prices, volume=None, *, pair="AAA/USD", timeframe="1h"):
    """Canonical bars from an array of open, high, low, close."""
    n = prices.shape[1]
    dates = pd.date_range("2024-01-01 01:00", periods=n, freq="h", tz="UTC").as_unit("ms")
    key = {"pair": pd.array([pair] * n, dtype="str"), "timeframe": pd.array([timeframe] * n, dtype="str")}
    columns = dict(zip(["open", "high", "low", "close"], prices, strict=True))
    return pd.DataFrame(key | {"date": dates} | columns | {"volume": np.ones(n) if volume is None else volume})


def drawn(*turns, step=1.0):
    """Bars along straight lines from turn to turn: each opens at the last close and shows a quarter on both sides."""
    closes = [float(turns[0])]
    for turn in turns[1:]:
        way = np.sign(turn - closes[-1]) * step
        while closes[-1] != turn:
            closes.append(closes[-1] + way if abs(turn - closes[-1]) > step else float(turn))
    return bodies(closes)


def bodies(closes):
    """Bars that open at the close before, with a wick of a quarter on both sides."""
    close = np.array(closes, dtype=float)
    opening = np.r_[close[0], close[:-1]]
    return np.vstack([opening, np.maximum(opening, close) + WICK, np.minimum(opening, close) - WICK, close])


def upside_down(prices, *, about=256.0):
    """Flip the same path: highs become lows."""
    return about - prices[[0, 2, 1, 3]]


def rows_of(patterns, bars, name, direction):
    """Rows of the bars at which a pattern was confirmed."""
    mine = patterns[(patterns["pattern"] == name) & (patterns["direction"] == direction)]
    return np.flatnonzero(bars["date"].isin(mine["date"])).tolist()


def turn_row(turns, k):
    """Row of the k-th turn of a path drawn with steps of one."""
    return int(sum(abs(b - a) for a, b in pairwise(turns[: k + 1])))


# Path, and the row of the first close past the line, counted from the last turn before the break.
BEARISH_PATHS = {
    # Neckline: the low 117.75 between two highs of 130.25. 130, 129, ... 118 are 12 steps, 117 the 13th.
    "double_top": ((130, 100, 130, 118, 130, 95), 4, 13),
    "triple_top": ((130, 100, 130, 118, 130, 118, 130, 95), 6, 13),
    # Neckline 111.75 on both sides of the head at 130.25; from the shoulder at 120 the 9th step closes at 111.
    "head_and_shoulders": ((130, 100, 120, 112, 130, 112, 120, 95), 6, 9),
    # Lows of 99.75 under highs of 115.25 and 109.25; from 109 the 10th step closes at 99.
    "descending_triangle": ((90, 120, 100, 115, 100, 109, 90), 5, 10),
}


@pytest.mark.parametrize("name", BEARISH_PATHS)
@pytest.mark.parametrize("turned", [False, True], ids=["as drawn", "upside down"])
def test_a_formation_of_swings_is_confirmed_by_the_close_that_breaks_its_line(name, turned):
    turns, last_turn, steps = BEARISH_PATHS[name]
    bars = table(upside_down(drawn(*turns)) if turned else drawn(*turns))
    direction = 1 if turned else -1
    name = MIRROR[name] if turned else name
    assert rows_of(find_patterns(bars), bars, name, direction) == [turn_row(turns, last_turn) + steps]


@pytest.mark.parametrize("turned", [False, True], ids=["as drawn", "upside down"])
def test_a_symmetrical_triangle_is_confirmed_past_either_line(turned):
    turns = (130, 100, 130, 106, 126, 112, 140)
    prices = drawn(*turns)
    bars = table(upside_down(prices) if turned else prices)
    # Highs of 130.25 at row 60 and 126.25 at row 104: the line falls 4 in 44 rows. From 112 at row 118 the close
    # rises one a row: 112 + k is above 130.25 - 4/44 (58 + k) first at k = 12 (124 > 123.89; 123 is not > 123.98).
    assert rows_of(find_patterns(bars), bars, "symmetrical_triangle", -1 if turned else 1) == [118 + 12]


def test_three_tops_are_not_also_two():
    turns, _, _ = BEARISH_PATHS["triple_top"]
    bars = table(drawn(*turns))
    assert rows_of(find_patterns(bars), bars, "double_top", -1) == []


def flag(*, drift=-0.25):
    """Forty bars back and forth, a pole of eight bars, a flag of eight that drifts, and the break."""
    closes = [100.0 + (k % 2) for k in range(40)]
    closes += [closes[-1] + 2.0 * (k + 1) for k in range(8)]
    closes += [closes[-1] + drift * (k + 1) for k in range(8)]
    return [*closes, closes[-1] + 3.0, closes[-1] + 4.0]


@pytest.mark.parametrize("turned", [False, True], ids=["bull flag", "bear flag"])
def test_a_flag_is_confirmed_by_the_close_past_its_channel(turned):
    prices = bodies(flag())
    bars = table(upside_down(prices) if turned else prices)
    assert rows_of(find_patterns(bars), bars, "trend_continuation", -1 if turned else 1) == [56]


def test_a_flag_that_keeps_rising_is_none():
    bars = table(bodies(flag(drift=0.25)))
    assert rows_of(find_patterns(bars), bars, "trend_continuation", 1) == []


@pytest.mark.parametrize("turned", [False, True], ids=["breakout", "breakdown"])
def test_a_range_is_broken_by_the_first_close_outside_it_and_on_volume(turned):
    prices = bodies([*(100.0 + (k % 4 < 2) for k in range(60)), 104.0, 105.0])
    prices = upside_down(prices) if turned else prices
    name, direction = ("breakdown", -1) if turned else ("breakout", 1)
    bars = table(prices)
    assert rows_of(find_patterns(bars), bars, name, direction) == [60]
    quiet = np.ones(62)
    quiet[60:] = 0.5
    bars = table(prices, quiet)
    assert rows_of(find_patterns(bars), bars, name, direction) == []


@pytest.mark.parametrize("turned", [False, True], ids=["support_bounce", "resistance_rejection"])
def test_a_level_that_held_twice_is_confirmed_by_the_bar_that_leaves_it_a_third_time(turned):
    turns = (120, 100, 115, 100, 115, 100, 115)
    prices = drawn(*turns)
    bars = table(upside_down(prices) if turned else prices)
    name, direction = ("resistance_rejection", -1) if turned else ("support_bounce", 1)
    assert rows_of(find_patterns(bars), bars, name, direction) == [turn_row(turns, 5) + 1]


def walk(n=900, *, seed=5):
    """Random bars whose prices are eighths, so that sums and mirror images are exact."""
    rng = np.random.default_rng(seed)
    close = 1000.0 + np.cumsum(rng.integers(-12, 13, n)) / 8.0
    opening = np.r_[close[0], close[:-1]] + rng.integers(-2, 3, n) / 8.0
    high = np.maximum(opening, close) + rng.integers(0, 9, n) / 8.0
    low = np.minimum(opening, close) - rng.integers(0, 9, n) / 8.0
    return table(np.vstack([opening, high, low, close]), rng.integers(0, 50, n).astype(float))


WALK = walk()


def prefix_agrees(bars, whole, t):
    """Raise unless the patterns of the first bars are the first patterns of all bars."""
    prefix = bars[bars["date"] <= t]
    pd.testing.assert_frame_equal(find_patterns(prefix), whole[whole["date"] <= t].reset_index(drop=True))


@settings(max_examples=40, deadline=None)
@given(t=st.integers(0, len(WALK) - 1))
def test_a_pattern_depends_on_nothing_after_its_bar(t):
    prefix_agrees(WALK, WHOLE, WALK["date"].iloc[t])


WHOLE = find_patterns(WALK)


def test_the_prefix_test_catches_swings_known_at_their_extreme(monkeypatch):
    def hindsight(bars, atr):
        swings = find_swings(bars, atr)
        return Swings(at=swings.at, price=swings.price, side=swings.side, known=swings.at)

    monkeypatch.setattr(finding, "find_swings", hindsight)
    whole = find_patterns(WALK)
    with pytest.raises(AssertionError):
        for t in WALK["date"].iloc[::7]:
            prefix_agrees(WALK, whole, t)


def test_upside_down_every_chart_pattern_is_its_mirror_image():
    bars = walk(4000)
    flipped = bars.copy()
    prices = bars[["open", "high", "low", "close"]].to_numpy().T
    flipped[["open", "high", "low", "close"]] = upside_down(prices, about=4096.0).T
    there, here = (
        found[found["kind"] == "chart"].reset_index(drop=True) for found in map(find_patterns, (bars, flipped))
    )
    assert len(there) > 20
    mirrored = there.assign(pattern=there["pattern"].map(MIRROR).astype("str"), direction=-there["direction"])
    order = ["date", "pattern", "direction"]
    pd.testing.assert_frame_equal(
        mirrored.sort_values(order, ignore_index=True), here.sort_values(order, ignore_index=True)
    )


def test_on_a_random_walk_each_chart_pattern_is_there_and_rare():
    bars = walk(60_000, seed=11)
    count = find_patterns(bars)["pattern"].value_counts()
    for name in CHART_PATTERNS:
        assert 1 <= count.get(name, 0) <= 0.02 * len(bars), name


def test_the_table_is_canonical():
    both = pd.concat([WALK.assign(pair="BBB/USD"), WALK]).sort_values(["pair", "timeframe", "date"], ignore_index=True)
    both["pair"] = both["pair"].astype("str")
    before = both.copy(deep=True)
    patterns = find_patterns(both)
    pd.testing.assert_frame_equal(both, before)
    assert list(patterns.columns) == ["pair", "timeframe", "date", "pattern", "direction", "kind"]
    assert patterns["date"].dtype == both["date"].dtype
    assert patterns["direction"].dtype == np.int8
    assert set(patterns["direction"]) == {-1, 1}
    assert set(patterns["kind"]) == {"chart", "candlestick"}
    key = ["pair", "timeframe", "date", "pattern"]
    pd.testing.assert_frame_equal(patterns, patterns.sort_values(key, kind="stable", ignore_index=True))
    alone = patterns[patterns["pair"] == "BBB/USD"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone.drop(columns="pair"), WHOLE.drop(columns="pair"))


@pytest.mark.parametrize("n", [0, 1, 5, 15, 40])
def test_few_bars_have_few_patterns_and_no_error(n):
    patterns = find_patterns(WALK.head(n))
    assert (patterns["kind"] == "candlestick").all()


def test_a_market_that_stands_still_has_no_chart_pattern():
    still = table(np.full((4, 300), 50.0), np.zeros(300))
    assert not (find_patterns(still)["kind"] == "chart").any()


def test_every_candlestick_of_talib_has_one_plain_name():
    import talib

    assert sorted(CANDLESTICKS.values()) == sorted(talib.get_function_groups()["Pattern Recognition"])
    assert set(ONE_BAR) <= set(CANDLESTICKS)
    assert set(UNDECIDED) <= set(ONE_BAR)
    assert not set(CANDLESTICKS) & set(CHART_PATTERNS)


def test_an_engulfing_bar_has_the_direction_of_its_body():
    quiet = bodies([100.0 + (k % 2) for k in range(20)])
    # The bar before falls from 101 to 100; the last opens below its body and closes above it.
    last = np.array([[99.5], [102.0], [99.0], [101.5]])
    bars = table(np.hstack([quiet[:, :-1], last]))
    assert rows_of(find_patterns(bars), bars, "engulfing", 1)[-1] == 19


def test_a_gravestone_doji_is_bearish():
    quiet = bodies([100.0 + (k % 2) for k in range(20)])
    last = np.array([[101.0], [103.0], [101.0], [101.0]])
    bars = table(np.hstack([quiet, last]))
    assert rows_of(find_patterns(bars), bars, "gravestone_doji", -1) == [20]
