"""Indicators: the catalogue, what their values know, and what they equal."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebook.bars.bars import resample
from edgebook.errors import DataError
from edgebook.indicators import CATALOGUE, HEADS, PARAMETERS, compute_indicators, family, indicators_page, trend
from edgebook.indicators.formations import MEMBERS
from edgebook.indicators.market import of_leader, of_others, rank_among
from edgebook.patterns import CANDLESTICKS, CHART_PATTERNS, UNDECIDED, find_patterns

KEY = ["pair", "timeframe", "date"]
PRICES = ["open", "high", "low", "close"]
NAMES = [indicator.name for indicator in CATALOGUE]


def walk(pair, n, *, seed, shared=0.0):
    """Random hourly bars of one pair; `shared` returns are those of the whole market."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0, 0.008, n) * (1 + 4 * (np.arange(n) % 150 > 140)) + shared))
    opening = np.r_[close[:1], close[:-1]] * np.exp(rng.normal(0, 0.001, n))
    high = np.maximum(opening, close) * np.exp(np.abs(rng.normal(0, 0.004, n)))
    low = np.minimum(opening, close) * np.exp(-np.abs(rng.normal(0, 0.004, n)))
    dates = pd.date_range("2024-01-01 01:00", periods=n, freq="h", tz="UTC").as_unit("ms")
    columns = {"pair": pair, "timeframe": "1h", "date": dates, "open": opening, "high": high, "low": low}
    frame = pd.DataFrame(columns | {"close": close, "volume": np.round(rng.lognormal(3, 1, n), 3)})
    return frame.astype({"pair": "str", "timeframe": "str"})


def market():
    """Three pairs at 1h and 4h: one has gaps, one starts late, one bar has no range and one no volume."""
    shared = np.random.default_rng(0).normal(0, 0.008, 620)
    first, second = (walk(pair, 620, seed=seed, shared=shared) for pair, seed in (("AAA/USD", 1), ("BBB/USD", 2)))
    third = walk("CCC/USD", 400, seed=3, shared=shared[220:])
    second = second.drop(index=[40, 41, 42, 300, 301, 500]).reset_index(drop=True)
    third["date"] += pd.Timedelta(hours=220)
    first.loc[150, PRICES] = first.loc[150, "close"]
    first.loc[200:204, "volume"] = 0.0
    hourly = pd.concat([first, second, third], ignore_index=True)
    coarse = resample(hourly, timeframe="4h", bar_minutes=60)
    return pd.concat([hourly, coarse]).sort_values(KEY, ignore_index=True)


BARS = market()
VALUES, VOTES = compute_indicators(BARS, find_patterns(BARS))


def series(bars, values, pair="AAA/USD", timeframe="1h"):
    """Bars and values of one pair and timeframe."""
    mine = (bars["pair"] == pair) & (bars["timeframe"] == timeframe)
    return bars[mine].reset_index(drop=True), values[mine].reset_index(drop=True)


def test_the_catalogue_has_sixty_nine_indicators_in_nine_families():
    assert len(CATALOGUE) == 69
    assert len(set(NAMES)) == 69
    assert set(Counter(indicator.head for indicator in CATALOGUE)) == set(HEADS) == set("ABCDEFGHI")
    assert all(6 <= len(family(head)) <= 9 for head in HEADS)
    assert [name for head in HEADS for name in family(head)] == NAMES
    assert all(indicator.title and indicator.value and indicator.vote and indicator.source for indicator in CATALOGUE)
    with pytest.raises(KeyError, match="no such head"):
        family("J")


def test_the_page_is_written_from_the_catalogue():
    committed = Path(__file__).parents[1] / "docs" / "indicators.md"
    assert committed.read_text(encoding="utf-8") == indicators_page(), "write it anew with indicators_page()"


def test_tables_are_aligned_with_the_bars():
    for frame, kind in ((VALUES, np.float32), (VOTES, np.int8)):
        assert list(frame.columns) == KEY + NAMES
        assert set(frame[NAMES].dtypes) == {np.dtype(kind)}
        pd.testing.assert_frame_equal(frame[KEY], BARS[KEY])
    assert set(np.unique(VOTES[NAMES])) == {-1, 0, 1}
    assert not np.isinf(VALUES[NAMES]).to_numpy().any()
    assert (VOTES[NAMES].to_numpy()[VALUES[NAMES].isna().to_numpy()] == 0).all()


def test_every_indicator_varies_and_every_vote_is_cast():
    hourly = VALUES["timeframe"] == "1h"
    assert (VALUES.loc[hourly, NAMES].nunique() > 1).all()
    assert (VALUES.loc[hourly, NAMES].isna().mean() < 0.5).all()
    assert (VOTES.loc[hourly, NAMES].nunique() > 1).all()


def test_inputs_are_not_changed():
    bars, patterns = BARS.copy(deep=True), find_patterns(BARS)
    kept = patterns.copy(deep=True)
    compute_indicators(bars, patterns)
    pd.testing.assert_frame_equal(bars, BARS)
    pd.testing.assert_frame_equal(patterns, kept)


def bits_agree(bars, t):
    """Raise unless what was computed by `t` is bit for bit what all bars give for the rows up to `t`."""
    known = bars["date"] <= t
    whole = compute_indicators(bars, find_patterns(bars))
    prefix = bars[known]
    for before, after in zip(compute_indicators(prefix, find_patterns(prefix)), whole, strict=True):
        expected = after[known].reset_index(drop=True)
        for name in NAMES:
            same = np.array_equal(before[name], expected[name], equal_nan=before[name].dtype.kind == "f")
            assert same, f"{name} before {t} changes with later bars"


@settings(max_examples=25, deadline=None)
@given(t=st.integers(0, 619))
def test_a_value_and_a_vote_depend_on_nothing_after_their_bar(t):
    bits_agree(BARS, BARS["date"].iloc[0] + pd.Timedelta(hours=t))


def test_the_prefix_test_catches_a_centred_window(monkeypatch):
    causal = trend.values

    def centred(one):
        values = causal(one)
        values["ema_distance_20"] = one.close - pd.Series(one.close).rolling(21, center=True).mean().to_numpy()
        return values

    monkeypatch.setattr(trend, "values", centred)
    with pytest.raises(AssertionError, match="ema_distance_20"):
        bits_agree(BARS, BARS["date"].iloc[0] + pd.Timedelta(hours=300))


def test_values_depend_on_no_unit():
    scaled = BARS.copy()
    scaled[PRICES] *= 1000.0
    scaled["volume"] *= 10.0
    values, votes = compute_indicators(scaled, find_patterns(scaled))
    gap = np.abs(values[NAMES].to_numpy(np.float64) - VALUES[NAMES].to_numpy(np.float64))
    size = np.maximum(np.abs(VALUES[NAMES].to_numpy(np.float64)), 1.0)
    np.testing.assert_array_equal(np.isnan(values[NAMES]), np.isnan(VALUES[NAMES]))
    # Round numbers are tenths of a power of ten, so they survive a thousand; they would not survive a factor of two.
    assert np.nanmax(gap / size) < 3e-5
    assert (votes[NAMES].to_numpy() != VOTES[NAMES].to_numpy()).mean() < 1e-3


@pytest.mark.parametrize("n", [0, 1, 2, 13, 34, 70])
def test_few_bars_are_warm_up_and_no_error(n):
    few = walk("AAA/USD", n, seed=4)
    values, votes = compute_indicators(few, find_patterns(few))
    assert len(values) == len(votes) == n
    assert values["range_position_120"].isna().all()
    assert (votes["range_position_120"] == 0).all()


@pytest.mark.parametrize("volume", [0.0, 5.0])
def test_a_market_that_stands_still_gives_finite_values_and_no_vote(volume):
    still = walk("AAA/USD", 400, seed=4)
    still[PRICES] = 50.0
    still["volume"] = volume
    # Without its dojis: a bar that is a single price is all of them at once.
    values, votes = compute_indicators(still, find_patterns(still).head(0))
    # It has no swing to measure from.
    swings = ["swing_high_distance", "swing_low_distance", "fibonacci_retracement"]
    unknown = swings + ([] if volume else [*family("F"), "vwap_distance_24"])
    assert np.isfinite(values[NAMES].drop(columns=unknown).iloc[300:].to_numpy()).all()
    assert values[unknown].isna().all(axis=None)
    calendar = ["hour_sine", "hour_cosine", "weekday_sine", "weekday_cosine"]
    assert (votes[NAMES].drop(columns=calendar) == 0).all(axis=None)


@pytest.mark.parametrize("seed", [4, 7, 10, 11])
def test_a_price_that_comes_to_rest_has_no_more_range_than_moves(seed):
    """Running sums of what is no longer there may end a hair below zero, of which there is no root."""
    rests = walk("AAA/USD", 300, seed=seed)
    rests.loc[200:, PRICES] = rests["close"].iloc[199]
    values, _ = compute_indicators(rests, find_patterns(rests).head(0))
    assert np.isfinite(values["garman_klass_ratio_20"].iloc[20:]).all()
    assert (values["garman_klass_ratio_20"].iloc[20:] >= 0).all()


def test_patterns_of_other_bars_are_refused():
    patterns = find_patterns(BARS)
    with pytest.raises(DataError, match="no such bar"):
        compute_indicators(BARS[BARS["pair"] != "BBB/USD"], patterns)


def test_daily_bars_have_no_hour_and_a_weekly_pivot():
    daily = walk("AAA/USD", 300, seed=6)
    daily["timeframe"] = pd.array(["1d"] * 300, dtype="str")
    daily["date"] = pd.date_range("2024-01-02", periods=300, freq="D", tz="UTC").as_unit("ms")
    values, votes = compute_indicators(daily, find_patterns(daily))
    assert (votes[["hour_sine", "hour_cosine"]] == 0).all(axis=None)
    # 2024-01-01 was a Monday: the bars that close on the 2nd to the 8th at midnight are the first week's seven.
    assert values["pivot_distance"].iloc[:14].isna().all()  # no week before, then no ATR
    week = daily.iloc[7:14]
    pivot = (week["high"].max() + week["low"].min() + week["close"].iloc[-1]) / 3.0
    expected = (daily["close"] - pivot) / atr_of(daily)
    np.testing.assert_allclose(values["pivot_distance"].iloc[14:21], expected.iloc[14:21], atol=2e-5)


# Plain pandas twins.


def atr_of(bars):
    """Wilder's average true range: the mean of fourteen, then a fourteenth of each new one."""
    before = bars["close"].shift(1)
    spread = pd.concat(
        [bars["high"] - bars["low"], (bars["high"] - before).abs(), (bars["low"] - before).abs()], axis=1
    )
    true_range = spread.max(axis=1).to_numpy()
    atr = np.full(len(bars), np.nan)
    atr[14] = true_range[1:15].mean()
    for t in range(15, len(bars)):
        atr[t] = (13 * atr[t - 1] + true_range[t]) / 14
    return pd.Series(atr)


def ema_of(values, bars):
    """Exponential average that starts from the mean of its first bars."""
    seeded = values.astype(float).copy()
    seeded.iloc[: bars - 1] = np.nan
    seeded.iloc[bars - 1] = values.iloc[:bars].mean()
    return seeded.ewm(span=bars, adjust=False, ignore_na=True).mean()


def rsi_of(close):
    """Wilder's relative strength index of fourteen bars, bar by bar."""
    moved = np.diff(close)
    up, down = moved[:14].clip(min=0).mean(), (-moved[:14]).clip(min=0).mean()
    rsi = np.full(len(close), np.nan)
    for t in range(14, len(close)):
        if t > 14:
            up = (13 * up + max(moved[t - 1], 0)) / 14
            down = (13 * down + max(-moved[t - 1], 0)) / 14
        rsi[t] = 100 * up / (up + down)
    return pd.Series(rsi)


def channel_of(bars):
    """Place of the close in the channel of the twenty bars before."""
    top, bottom = bars["high"].shift(1).rolling(20).max(), bars["low"].shift(1).rolling(20).min()
    return ((bars["close"] - bottom) / (top - bottom)).clip(-3, 3)


def money_flow_of(bars):
    """Chaikin money flow of twenty bars."""
    spread = bars["high"] - bars["low"]
    place = ((2 * bars["close"] - bars["low"] - bars["high"]) / spread.where(spread > 0)).fillna(0.0)
    return (place * bars["volume"]).rolling(20).sum() / bars["volume"].rolling(20).sum()


TWINS = {
    "ema_distance_20": lambda bars: (bars["close"] - ema_of(bars["close"], 20)) / atr_of(bars),
    "sma_cross_20_50": lambda bars: (
        (bars["close"].rolling(20).mean() - bars["close"].rolling(50).mean()) / atr_of(bars)
    ),
    "rsi_14": lambda bars: rsi_of(bars["close"].to_numpy()),
    "zscore_50": lambda bars: (
        (bars["close"] - bars["close"].rolling(50).mean()) / bars["close"].rolling(50).std(ddof=0)
    ),
    "rate_of_change_12": lambda bars: bars["close"].diff(12) / (atr_of(bars) * np.sqrt(12)),
    "donchian_position_20": channel_of,
    "atr_percent_14": lambda bars: 100 * atr_of(bars) / bars["close"],
    "chaikin_money_flow_20": money_flow_of,
    "hour_sine": lambda bars: np.sin(2 * np.pi * bars["date"].dt.hour / 24),
    "weekday_cosine": lambda bars: np.cos(2 * np.pi * (bars["date"] - pd.Timedelta(minutes=1)).dt.day_of_week / 7),
}


@pytest.mark.parametrize("name", TWINS)
def test_a_value_equals_its_plain_twin(name):
    bars, values = series(BARS, VALUES)
    twin = TWINS[name](bars)
    np.testing.assert_allclose(values[name], twin, rtol=2e-5, atol=2e-5)


def test_the_return_of_this_hour_is_that_of_the_bar_to_come():
    bars, values = series(BARS, VALUES)
    moved = np.log(bars["close"]).diff().to_numpy()
    t = 500
    # The bar to come closes an hour later: so did the ones 24, 48, ... hours before it.
    same = moved[np.arange(t + 1 - 24, 0, -24)][:20]
    expected = same.mean() / (same.std(ddof=1) / np.sqrt(len(same)))
    assert len(same) == 20
    np.testing.assert_allclose(values["same_hour_return_20"].iloc[t], expected, atol=2e-5)


def test_after_a_friday_a_stock_waits_for_its_monday():
    days = pd.bdate_range("2024-01-01", periods=100, tz="UTC")
    stock = walk("AAA/USD", 100, seed=8).assign(date=(days + pd.Timedelta(days=1)).as_unit("ms"), timeframe="1d")
    stock["timeframe"] = stock["timeframe"].astype("str")
    values, votes = compute_indicators(stock, find_patterns(stock))
    moved = np.log(stock["close"]).diff().to_numpy()
    mondays = moved[np.arange(95, 0, -5)]
    expected = mondays.mean() / (mondays.std(ddof=1) / np.sqrt(len(mondays)))
    assert days[99].day_name() == "Friday"
    np.testing.assert_allclose(values["same_hour_return_20"].iloc[99], expected, atol=2e-5)
    assert votes["weekday_cosine"].tolist() == (days.day_of_week == 4).astype(int).tolist()


def test_the_higher_timeframe_is_its_last_closed_bar():
    bars, values = series(BARS, VALUES)
    coarse, _ = series(BARS, VALUES, timeframe="4h")
    coarse = coarse.assign(trend=(coarse["close"] - ema_of(coarse["close"], 20)) / atr_of(coarse))
    joined = pd.merge_asof(bars, coarse[["date", "trend"]], on="date")["trend"]
    known = joined.notna()
    assert known.sum() > 500
    np.testing.assert_allclose(values.loc[known, "higher_timeframe_trend"], joined[known], rtol=2e-5, atol=2e-5)


def test_without_a_higher_timeframe_longer_lengths_stand_in():
    hourly = walk("AAA/USD", 620, seed=1)
    values, _ = compute_indicators(hourly, find_patterns(hourly))
    assert values["higher_timeframe_trend"].notna().sum() == 620 - 79
    alone = ["market_return_24", "leader_return_3", "relative_strength_rank_48", "market_correlation_48"]
    assert (values[alone].iloc[60:] == 0.0).all(axis=None)


def test_relative_strength_ranks_what_has_a_bar_at_the_same_close():
    hourly = BARS[BARS["timeframe"] == "1h"]
    paced = {}
    for pair, bars in hourly.groupby("pair"):
        moved = bars["close"].reset_index(drop=True).diff(48) / atr_of(bars.reset_index(drop=True))
        paced[pair] = pd.Series(moved.to_numpy(), index=bars["date"])
    table = pd.DataFrame(paced)
    count = table.notna().sum(axis=1)
    rank = (2 * table.rank(axis=1).sub(1, axis=0)).div((count - 1).where(count > 1), axis=0) - 1
    rank = rank.where(count > 1, 0.0).where(table.notna())
    bars, values = series(BARS, VALUES, pair="BBB/USD")
    np.testing.assert_allclose(values["relative_strength_rank_48"], rank["BBB/USD"].reindex(bars["date"]), atol=2e-5)


def test_others_leader_and_rank_worked_by_hand():
    table = np.array([[1.0, 2.0, 6.0], [1.0, np.nan, 3.0], [np.nan, 4.0, np.nan]])
    np.testing.assert_allclose(of_others(table), [[4.0, 3.5, 1.5], [3.0, np.nan, 1.0], [np.nan, 0.0, np.nan]])
    turnover = np.array([[5.0, 9.0, 7.0], [5.0, np.nan, 7.0], [np.nan, 1.0, 2.0]])
    np.testing.assert_allclose(of_leader(table, turnover), [[2.0, 6.0, 2.0], [3.0, np.nan, 1.0], [np.nan, 0.0, np.nan]])
    np.testing.assert_allclose(rank_among(table), [[-1.0, 0.0, 1.0], [-1.0, np.nan, 1.0], [np.nan, 0.0, np.nan]])


def test_a_pattern_counts_at_its_bar_and_half_as_much_a_half_life_later():
    bars = walk("AAA/USD", 100, seed=9)
    events = bars[KEY].iloc[[10, 10]].assign(pattern=["double_top", "doji"], direction=np.int8([-1, 1]), kind="chart")
    values, votes = compute_indicators(bars, events)
    half_life = int(PARAMETERS["reversal_score"]["half_life"])
    assert values["reversal_score"].iloc[:10].eq(0.0).all()
    assert values["reversal_score"].iloc[10] == -1.0
    assert values["reversal_score"].iloc[10 + half_life] == -0.5
    assert votes["reversal_score"].iloc[8:12].tolist() == [0, 0, -1, -1]
    assert values["candle_score_one_bar"].eq(0.0).all()


def test_every_pattern_counts_towards_one_indicator_except_names_of_indecision():
    counted = Counter(name for members in MEMBERS.values() for name in members)
    assert set(counted.values()) == {1}
    assert set(counted) == (set(CHART_PATTERNS) | set(CANDLESTICKS)) - set(UNDECIDED)


@pytest.mark.parametrize(
    ("close", "nearest"), [(4367.0, 4400.0), (999.0, 1000.0), (1000.0, 1000.0), (0.2512, 0.25), (10.04, 10.0)]
)
def test_round_numbers_are_tenths_of_the_power_of_ten(close, nearest):
    bars = walk("AAA/USD", 60, seed=3)
    bars[PRICES] *= close / bars["close"].iloc[-1]
    bars.loc[59, "close"] = close
    bars.loc[59, ["high", "low"]] = [bars.loc[59, ["open", "close"]].max(), bars.loc[59, ["open", "close"]].min()]
    values, _ = compute_indicators(bars, find_patterns(bars))
    expected = np.clip((close - nearest) / atr_of(bars).iloc[-1], -5, 5)
    np.testing.assert_allclose(values["round_number_distance"].iloc[-1], expected, atol=2e-5)
