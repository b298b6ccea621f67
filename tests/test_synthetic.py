"""Markets with a known truth: what was planted is there, nothing else is."""

from __future__ import annotations

import doctest
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from edgebook.bars import synthetic, synthetic_paths
from edgebook.bars.bars import check_bars, resample, utc
from edgebook.bars.synthetic import Market, make_market
from edgebook.bars.synthetic_paths import HEADS
from edgebook.errors import SettingsError
from edgebook.settings.params import Synthetic
from edgebook.sources.sources import load_bars, source_end

START = "2017-01-02"
WEEKS = 120


@cache
def market(kind: Any, heads: tuple[str, ...] = ("A", "B", "F"), regime: Any = "all", seed: int = 7) -> Market:
    return make_market(
        kind=kind, pairs=4, weeks=WEEKS, seed=seed, heads=heads, edge=0.1, edge_starts="2018-02-26", regime=regime
    )


def following(made: Market, *, rows: slice = slice(None)) -> pd.DataFrame:
    """Signals beside the next bar's return in units of the volatility expected of it."""
    bars = made.bars.set_index(["pair", "date"])
    table = made.signals.set_index(["pair", "date"])
    parts = []
    for pair, signals in table.groupby("pair"):
        returns = np.log(bars.loc[pair, "close"] / bars.loc[pair, "open"])
        expected = returns.ewm(alpha=0.03).std().shift()
        then = (returns / expected).clip(-4, 4).shift(-1)
        parts.append(signals.loc[pair, list(HEADS)].assign(following=then).iloc[100:-1][rows])
    return pd.concat(parts)


def correlations(made: Market, *, rows: slice = slice(None)) -> pd.Series:
    """Correlation of each signal with the next bar's return."""
    table = following(made, rows=rows)
    return table[list(HEADS)].corrwith(table["following"])


def since(date: str) -> slice:
    """Rows from `date` on, in a table that begins 100 bars after START."""
    return slice(int((utc(date) - utc(START)) / pd.Timedelta(hours=1)) - 100, None)


@pytest.mark.parametrize("kind", ["no_edge", "planted", "switching"])
def test_bars_keep_the_contract_and_open_where_the_last_one_closed(kind: str) -> None:
    bars = market(kind).bars
    check_bars(bars, source=kind)
    for _, own in bars.groupby("pair"):
        np.testing.assert_array_equal(own["open"].to_numpy()[1:], own["close"].to_numpy()[:-1])
    assert (bars["volume"] > 0).all()
    assert bars["date"].iloc[0] == utc(START) + pd.Timedelta(hours=1)
    assert bars["date"].iloc[-1] == utc(START) + WEEKS * pd.Timedelta(days=7)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_market() -> None:
    again = make_market(kind="planted", pairs=4, weeks=WEEKS, seed=7, edge=0.1, edge_starts="2018-02-26")
    pd.testing.assert_frame_equal(again.bars, market("planted").bars, check_exact=True)
    other = make_market(kind="no_edge", pairs=1, weeks=1, seed=8).bars
    assert not np.allclose(other["close"], market("no_edge").bars["close"].iloc[:168])


def test_a_market_of_more_weeks_and_pairs_begins_with_that_of_fewer() -> None:
    few = make_market(kind="planted", pairs=2, weeks=20, seed=3, edge_starts="2017-02-06")
    many = make_market(kind="planted", pairs=3, weeks=26, seed=3, edge_starts="2017-02-06")
    for name in ("bars", "signals"):
        longer = getattr(many, name)
        shared = longer[(longer["pair"] < "S03") & (longer["date"] <= utc("2017-05-22"))].reset_index(drop=True)
        pd.testing.assert_frame_equal(getattr(few, name), shared, check_exact=True)


def test_the_compiled_pass_equals_plain_python() -> None:
    draws = synthetic._draws(2, bars=400, seed=5)
    active = np.ones((400, len(HEADS)))
    compiled = synthetic_paths.draw_bars(*draws, active, 0.1, 1)
    plain = synthetic_paths.draw_bars.py_func(*draws, active, 0.1, 1)
    for ours, theirs in zip(compiled, plain, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


def test_without_an_edge_no_signal_says_anything_of_the_next_bar() -> None:
    made = market("no_edge")
    assert made.truth.spells == ()
    assert (made.signals["drift"] == 0).all()
    assert correlations(made).abs().max() < 0.015  # 80,000 correlated rows: 4 standard errors


def test_without_an_edge_returns_are_fat_tailed_with_volatility_that_lasts() -> None:
    bars = market("no_edge").bars
    returns = np.log(bars["close"] / bars["open"]).where(bars["pair"] == "S01/USD").dropna()
    assert returns.kurt() > 3
    assert returns.abs().autocorr(24) > 0.1
    assert abs(returns.autocorr(1)) < 0.03


def test_signals_are_standardised_and_nearly_uncorrelated() -> None:
    signals = market("no_edge").signals
    table = signals.loc[signals["pair"] != "S01/USD", list(HEADS)]
    assert table.mean().abs().max() < 0.1
    assert table.std().between(0.9, 1.02).all()
    assert (table.corr() - np.eye(len(HEADS))).abs().to_numpy().max() < 0.06


@pytest.mark.parametrize("head", HEADS)
def test_an_edge_lies_in_the_head_it_was_planted_in_and_only_after_it_starts(head: str) -> None:
    made, without = market("planted", (head,)), market("no_edge")
    before = made.bars["date"] <= utc("2018-02-26")
    pd.testing.assert_frame_equal(made.bars[before], without.bars[before], check_exact=True)
    found = correlations(made, rows=since("2018-02-26"))
    assert found[head] == pytest.approx(0.1 if head != "I" else 0.075, abs=0.025)  # the first pair has no I
    assert found.drop(head).abs().max() < 0.055


def test_several_heads_hold_an_edge_together() -> None:
    table = following(market("planted"), rows=since("2018-02-26"))
    slopes = np.linalg.lstsq(table[list(HEADS)], table["following"])[0]
    found = pd.Series(slopes, index=list(HEADS))
    assert found[["A", "B", "F"]].between(0.075, 0.115).all()
    assert found.drop(["A", "B", "F"]).abs().max() < 0.02


def test_a_switching_edge_moves_from_one_set_of_heads_to_another() -> None:
    made = make_market(
        kind="switching",
        pairs=3,
        weeks=150,
        seed=2,
        heads=("F",),
        edge_starts="2017-07-03",
        switches=[("2018-07-02", ("D",)), ("2019-07-01", ("H",))],
    )
    assert [spell.heads for spell in made.truth.spells] == [("F",), ("D",), ("H",)]
    dates = [START, "2017-07-03", "2018-07-02", "2019-07-01", "2019-11-18"]
    found = [
        correlations(made, rows=slice(max(since(first).start, 0), since(last).start)) for first, last in pairwise(dates)
    ]
    assert found[0].abs().max() < 0.04
    assert [row.idxmax() for row in found[1:]] == ["F", "D", "H"]
    for row, head in zip(found[1:], "FDH", strict=True):
        assert row.drop(head).abs().max() < 0.05


def test_by_default_a_switching_edge_starts_half_way_and_moves_half_way_on() -> None:
    truth = make_market(kind="switching", pairs=1, weeks=8, seed=1).truth
    assert [(spell.starts, spell.ends, spell.heads) for spell in truth.spells] == [
        (utc("2017-01-30"), utc("2017-02-13"), ("A", "B", "F")),
        (utc("2017-02-13"), utc("2017-02-27"), ("D", "H", "I")),
    ]
    assert truth.heads(at=utc("2017-01-29")) == ()
    assert truth.heads(at=utc("2017-02-13")) == ("D", "H", "I")


def test_an_edge_can_be_kept_to_volatile_times() -> None:
    volatile, calm = (market("planted", ("F",), regime).signals for regime in ("volatile", "calm"))
    after = volatile["date"] > utc("2018-02-26")
    drifts = (volatile["drift"] != 0) & after, (calm["drift"] != 0) & after
    assert drifts[0][after].mean() == pytest.approx(0.2, abs=0.08)
    assert not (drifts[0] & drifts[1]).any()
    assert (drifts[0] | drifts[1])[after].mean() > 0.99


def test_trades_with_a_strong_signal_win_as_often_as_documented() -> None:
    # make_market's table: F at 0.1 wins 0.64 of its trades, and half of them without an edge.
    made = market("planted", ("F",))
    before, after = [], []
    for pair, bars in made.bars.groupby("pair"):
        flow = made.signals.loc[made.signals["pair"] == pair, "F"].to_numpy()
        high, low, close = (bars[name].to_numpy() for name in ("high", "low", "close"))
        spans = np.maximum(high[1:], close[:-1]) - np.minimum(low[1:], close[:-1])
        width = 1.5 * pd.Series(np.r_[np.nan, spans]).ewm(alpha=1 / 14).mean().to_numpy()
        starts = since("2018-02-26").start + 100
        for t in range(100, len(bars) - 25, 3):
            if abs(flow[t]) > 1:
                won = _wins(high, low, close, at=t, side=np.sign(flow[t]), width=width[t])
                (after if t >= starts else before).append(won)
    assert np.mean(before) == pytest.approx(0.5, abs=0.03)
    assert np.mean(after) == pytest.approx(0.64, abs=0.03)


def _wins(high: Any, low: Any, close: Any, *, at: int, side: float, width: float) -> bool:
    """A trade from the next open, the close at `at`: stop before target, 24 bars at most."""
    target, stop = close[at] + side * width, close[at] - side * width
    for t in range(at + 1, at + 25):
        if low[t] <= stop <= high[t] or (side > 0) == (high[t] < stop):
            return False
        if low[t] <= target <= high[t] or (side > 0) == (low[t] > target):
            return True
    return bool(side * (close[at + 24] - close[at]) > 0)


def test_coarser_bars_are_made_of_the_hours() -> None:
    both = make_market(kind="no_edge", pairs=2, weeks=2, seed=1, timeframes=["4h", "1h"]).bars
    check_bars(both, source="both")
    hours = both[both["timeframe"] == "1h"].reset_index(drop=True)
    coarse = both[both["timeframe"] == "4h"].reset_index(drop=True)
    pd.testing.assert_frame_equal(coarse, resample(hours, timeframe="4h", bar_minutes=60))


def test_the_source_synthetic_gives_the_market_of_its_settings() -> None:
    settings = Synthetic(kind="planted", pairs=2, weeks=6, seed=4)
    bars = load_bars(source="synthetic", timeframes=["1h", "4h"], as_of="2017-01-30", synthetic=settings)
    assert bars.groupby(["pair", "timeframe"])["date"].max().unique().tolist() == [utc("2017-01-30")]
    assert source_end(source="synthetic", synthetic=settings) == utc("2017-02-13")
    with pytest.raises(SettingsError, match=r"bars\.synthetic: is missing"):
        load_bars(source="synthetic", timeframes=["1h"], as_of="2017-01-30")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"heads": ["G"]}, "no edge can be planted in head 'G'; the heads are A, B, C, D, E, F, H, I"),
        ({"edge": -0.1}, "edge -0.1 is not between 0 and 0.5"),
        ({"pairs": 0}, "0 pairs over 4 weeks; take 1 to 99 pairs, 1 week or more"),
        ({"edge_starts": "2016-01-04"}, "put the dates in order between 2017-01-02 and 2017-01-30"),
        ({"edge_starts": "2017-01-30"}, "put the dates in order"),
        ({"kind": "switching", "switches": [("2017-01-09", ["D"])]}, "begins and switches on 2017-01-16, 2017-01-09"),
        ({"kind": "switching", "switches": [("2017-01-23", ["Z"])]}, "no edge can be planted in head 'Z'"),
        ({"start": "2017-01-03"}, "start 2017-01-03 is not a Monday"),
        ({"edge_starts": "2017-01-17"}, "2017-01-17 is not a Monday"),
    ],
)
def test_a_market_that_cannot_be_is_refused(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        make_market(**{"kind": "planted", "pairs": 1, "weeks": 4, "seed": 1} | changed)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_example_runs() -> None:
    assert doctest.testmod(synthetic).failed == 0
