"""The book by hand: size, fees, gaps, marks, caps, and that nothing is looked up before its time."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebook.arms.book import Book, BookWeek, trade_week
from edgebook.bars.bars import COLUMNS
from edgebook.files import tables
from edgebook.outcomes.candidates import label_candidates
from edgebook.outcomes.outcomes import known_outcomes
from edgebook.paths import Paths
from edgebook.policy.market import DAY_MS, WEEK_MS, Market, load_market, milliseconds
from edgebook.policy.signals import Signals
from edgebook.settings.exit_plans import Costs, ExitPlan
from edgebook.settings.params import Sizing
from small_market import PLAN, coin_market

MONDAY = "2018-04-02"
SINCE = milliseconds(MONDAY)
COST = 0.001
SIZING = Sizing(
    start_capital=100_000.0, risk_per_trade=0.005, max_positions=10, max_positions_per_pair=2, max_total_risk=0.03,
    max_leverage=3.0,
)  # fmt: skip
START = Book(100_000.0, 100_000.0)
QUIET = (100.0, 101.0, 99.0, 100.0)
"""A bar whose range is 2, so that the ATR is 2, a stop at 1.5 ATR lies 3 away and a target at 2 ATR 4 away."""


def hand_market(root, bars: dict[tuple[str, str], list[tuple[float, ...]]], *, plan: str = PLAN) -> Market:
    """Tables of bars given as open, high, low, close from Monday 00:00 on, by pair and timeframe."""
    frames = []
    for (pair, timeframe), rows in sorted(bars.items()):
        hours = {"1h": 1, "4h": 4}[timeframe]
        dates = pd.date_range(MONDAY, periods=len(rows) + 1, freq=f"{hours}h", tz="UTC")[1:].as_unit("ms")
        prices = pd.DataFrame(rows, columns=["open", "high", "low", "close"], dtype=float)
        frames.append(prices.assign(volume=1.0, pair=pair, timeframe=timeframe, date=dates))
    table = pd.concat(frames, ignore_index=True)[COLUMNS]
    paths, key = Paths(root), table[tables.KEY]
    patterns = pd.DataFrame({"pair": [], "timeframe": [], "date": [], "pattern": [], "direction": [], "kind": []})
    tables.write(table, paths.bars)
    tables.write(key.assign(a=np.float32(0)), paths.indicators)
    tables.write(key.assign(a=np.int8(0)), paths.votes)
    tables.write(key.assign(regime="ranging"), paths.regimes)
    tables.write(patterns.astype({"direction": "int8"}), paths.patterns)
    costs = Costs(fee_bps=7.5, slippage_bps=2.5, short_financing_bps_per_day=0.0)
    labelled = label_candidates(table, [ExitPlan.parse(plan)], costs=costs, atr_bars=2)[plan]
    tables.write(labelled, paths.candidates / f"{plan}.parquet")
    tables.write(known_outcomes(labelled), paths.outcomes / f"{plan}.parquet")
    return load_market(paths)


def signals_of(market: Market, chosen: list[tuple[int, int]], *, plan: str = PLAN) -> Signals:
    """Signals on the given rows and sides, in the order given."""
    n = len(chosen)
    scores = SimpleNamespace(
        heads=np.full((n, 9, 2), 0.1), confidence=np.full((n, 2), 0.6), threshold=np.full(n, 0.5),
        certified=np.zeros(n, bool),
    )  # fmt: skip
    return Signals(
        row=np.array([row for row, _ in chosen], np.int64),
        side=np.array([side for _, side in chosen], np.int64),
        at=np.arange(n),
        policy=SimpleNamespace(exit_plan=plan, version="r1@2018-04-02"),
        scores=scores,
    )


def week_of(market: Market, chosen: list[tuple[int, int]], *, book: Book = START, sizing: Sizing = SIZING) -> BookWeek:
    return trade_week(
        book, signals_of(market, chosen), market=market, sizing=sizing, cost=COST, since=SINCE, until=SINCE + WEEK_MS
    )


def row_of(market: Market, *, hour: int, pair: str = "A/USD", timeframe: str = "4h") -> int:
    """Row of the bar that closes so many hours after Monday 00:00."""
    return market.row(pair, timeframe, date=SINCE + hour * 3_600_000)


def one_pair(tmp_path, after: list[tuple[float, ...]]) -> Market:
    """Five quiet bars, then others: a candidate decided at 20:00 enters at the open of the sixth."""
    return hand_market(tmp_path, {("A/USD", "4h"): [QUIET] * 5 + after})


# --- one trade by hand


def test_a_target_by_hand(tmp_path):
    market = one_pair(tmp_path, [QUIET, (100.0, 105.0, 99.5, 104.5), QUIET])
    week = week_of(market, [(row_of(market, hour=20), 0)])
    (trade,) = week.closed
    # 500 at risk over a stop 3 % away; the target pays 4 %, less a tenth of a percent of both notionals.
    assert trade["stake"] == pytest.approx(500 / 0.03, abs=1e-3)
    assert trade["risk"] == pytest.approx(500, abs=1e-3)
    assert (trade["open_rate"], trade["close_rate"], trade["exit_reason"]) == (100.0, 104.0, "take_profit")
    assert trade["profit_ratio"] == pytest.approx(0.04 - 0.001 * 2.04, abs=1e-6)
    assert week.book.cash == pytest.approx(100_000 + 500 / 0.03 * (0.04 - 0.00204), abs=0.02)
    assert trade["open_date"] == "2018-04-02T20:00:00Z"
    assert trade["close_date"] == "2018-04-03T04:00:00Z"
    assert (trade["fee_open"], trade["fee_close"]) == (COST, COST)
    assert week.book.positions == ()


def test_a_stop_that_is_gapped_through_costs_more_than_its_risk(tmp_path):
    market = one_pair(tmp_path, [QUIET, (95.0, 96.0, 94.0, 95.0), QUIET])
    week = week_of(market, [(row_of(market, hour=20), 0)])
    (trade,) = week.closed
    loss = 500 / 0.03 * (-0.05 - 0.001 * 1.95)
    assert (trade["close_rate"], trade["exit_reason"]) == (95.0, "stop_loss")
    assert week.book.cash == pytest.approx(100_000 + loss, abs=0.02)
    assert loss < -1.7 * 500


def test_a_short_by_hand(tmp_path):
    market = one_pair(tmp_path, [QUIET, (100.0, 100.5, 95.0, 96.5), QUIET])
    week = week_of(market, [(row_of(market, hour=20), 1)])
    (trade,) = week.closed
    assert (trade["close_rate"], trade["exit_reason"]) == (96.0, "take_profit")
    assert week.book.cash == pytest.approx(100_000 + 500 / 0.03 * (0.04 - 0.001 * 1.96), abs=0.02)


def test_days_are_marked_at_the_last_close_with_the_entry_paid_for(tmp_path):
    up = (100.0, 102.5, 99.5, 102.0)
    calm = (102.0, 102.5, 101.5, 102.0)
    market = one_pair(tmp_path, [up, *[calm] * 6, (102.0, 104.5, 101.0, 103.0), calm])
    week = week_of(market, [(row_of(market, hour=20), 0)])
    stake = 500 / 0.03
    monday, tuesday, *rest = [day["equity"] for day in week.days]
    assert monday == pytest.approx(100_000 + stake * (0.02 - 0.001), abs=0.02)  # open, the price at 102
    assert tuesday == pytest.approx(100_000 + stake * (0.02 - 0.001), abs=0.02)
    assert rest == [week.book.cash] * 5  # closed at 104 on Wednesday 04:00
    assert week.book.cash == pytest.approx(100_000 + stake * (0.04 - 0.00204), abs=0.02)
    returns = [day["return_ratio"] for day in week.days]
    assert returns[0] == pytest.approx(monday / 100_000 - 1, abs=1e-7)
    assert np.prod(1 + np.array(returns)) == pytest.approx(week.book.equity / 100_000, abs=1e-6)
    assert [day["positions"] for day in week.days] == [1, 1, 0, 0, 0, 0, 0]
    assert week.days[0]["date"] == "2018-04-02"


def test_a_trade_that_the_bars_do_not_finish_stays_open(tmp_path):
    market = one_pair(tmp_path, [QUIET] * 3)
    week = week_of(market, [(row_of(market, hour=20), 0)])
    assert week.closed == []
    (position,) = week.book.positions
    assert week.book.cash == 100_000
    assert week.book.equity == pytest.approx(100_000 - position["stake"] * COST, abs=1e-3)
    assert "close_rate" not in position


def test_a_split_while_a_position_is_open_changes_its_prices_and_not_its_worth(tmp_path):
    """The past comes again at half the price: the book goes on as if nothing had been."""
    market = one_pair(tmp_path / "before", [QUIET] * 3)
    open_ = week_of(market, [(row_of(market, hour=20), 0)]).book
    halved = [tuple(price / 2 for price in QUIET)] * 8
    market = hand_market(tmp_path / "after", {("A/USD", "4h"): halved})
    week = trade_week(
        open_, signals_of(market, []), market=market, sizing=SIZING, cost=COST, since=SINCE + WEEK_MS,
        until=SINCE + 2 * WEEK_MS,
    )  # fmt: skip
    (before,), (position,) = open_.positions, week.book.positions
    assert [position[name] * 2 for name in ("open_rate", "take_profit_abs", "stop_loss_abs")] == [
        before[name] for name in ("open_rate", "take_profit_abs", "stop_loss_abs")
    ]
    assert [day["return_ratio"] for day in week.days] == [0.0] * 7


# --- caps


def many_pairs(tmp_path, number: int, *, after: tuple[tuple[float, ...], ...] = (QUIET,) * 4) -> Market:
    return hand_market(tmp_path, {(f"P{i:02d}/USD", "4h"): [QUIET] * 5 + list(after) for i in range(number)})


def all_at(market: Market, hour: int) -> list[tuple[int, int]]:
    return [(int(row), 0) for row in np.flatnonzero(market.date == SINCE + hour * 3_600_000)]


@pytest.mark.parametrize("most", [1, 3, 5])
def test_no_more_positions_than_allowed(tmp_path, most):
    market = many_pairs(tmp_path, 6)
    week = week_of(market, all_at(market, 20), sizing=replace(SIZING, max_positions=most))
    assert len(week.book.positions) == most
    assert [p["pair"] for p in week.book.positions] == [f"P{i:02d}/USD" for i in range(most)]  # in the order given


def test_no_more_risk_than_allowed(tmp_path):
    market = many_pairs(tmp_path, 6)
    week = week_of(market, all_at(market, 20), sizing=replace(SIZING, max_total_risk=0.012))
    assert len(week.book.positions) == 2
    whole = week_of(market, all_at(market, 20), sizing=replace(SIZING, max_total_risk=0.015))
    assert len(whole.book.positions) == 3


def test_one_position_a_pair_and_timeframe_and_no_more_than_allowed_a_pair(tmp_path):
    bars = {("A/USD", "4h"): [QUIET] * 9, ("A/USD", "1h"): [QUIET] * 36, ("B/USD", "4h"): [QUIET] * 9}
    market = hand_market(tmp_path, bars)
    four, next_four = row_of(market, hour=20), row_of(market, hour=24)
    one = row_of(market, hour=20, timeframe="1h")
    chosen = [(four, 0), (one, 0), (next_four, 0)]
    assert opened(week_of(market, chosen)) == [("1h", "2018-04-02T20:00:00Z"), ("4h", "2018-04-02T20:00:00Z")]
    only = week_of(market, chosen, sizing=replace(SIZING, max_positions_per_pair=1))
    assert opened(only) == [("4h", "2018-04-02T20:00:00Z")]


def opened(week: BookWeek) -> list[tuple[str, str]]:
    return sorted((t["timeframe"], t["open_date"]) for t in (*week.closed, *week.book.positions))


def test_leverage_cuts_a_position_to_what_is_left_or_drops_it(tmp_path):
    market = many_pairs(tmp_path, 3)
    # A stop 3 % away and 0.5 % of risk ask for a sixth of the capital each.
    fits = week_of(market, all_at(market, 20), sizing=replace(SIZING, max_leverage=0.45))
    assert [round(p["stake"]) for p in fits.book.positions] == [16667, 16667, 11667]
    assert [round(p["risk"]) for p in fits.book.positions] == [500, 500, 350]
    dropped = week_of(market, all_at(market, 20), sizing=replace(SIZING, max_leverage=0.4))
    assert [round(p["stake"]) for p in dropped.book.positions] == [16667, 16667]


def test_a_closed_position_makes_room_and_a_later_one_is_not_queued(tmp_path):
    market = one_pair(tmp_path, [QUIET, (100.0, 105.0, 99.5, 100.0), QUIET, QUIET, QUIET])
    entered, blocked, after = row_of(market, hour=20), row_of(market, hour=24), row_of(market, hour=28)
    week = week_of(market, [(entered, 0), (blocked, 0), (after, 0)])
    assert [t["open_date"] for t in week.closed] == ["2018-04-02T20:00:00Z"]
    assert [p["open_date"] for p in week.book.positions] == ["2018-04-03T04:00:00Z"]


def test_size_follows_the_capital(tmp_path):
    market = one_pair(tmp_path, [QUIET, (95.0, 96.0, 94.0, 95.0), QUIET])
    half = week_of(market, [(row_of(market, hour=20), 0)], book=Book(50_000.0, 50_000.0))
    assert half.closed[0]["stake"] == pytest.approx(250 / 0.03, abs=1e-3)


# --- time


def test_an_exit_is_not_looked_up_before_its_time(tmp_path):
    """What becomes known a week later changes nothing now, whatever it is."""
    market = one_pair(tmp_path, [QUIET] * 8)
    plan, row = market.plans[PLAN], row_of(market, hour=20)
    for known_at, closed in ((SINCE + WEEK_MS, 1), (SINCE + WEEK_MS + 1, 0)):
        later = plan.known_at.copy()
        later[row, 0] = known_at
        outcome = {name: np.where(np.arange(len(later))[:, None] == row, value, getattr(plan, name)) for name, value in
                   (("profit_ratio", 9.0), ("r_multiple", 99.0), ("close_rate", 500.0))}  # fmt: skip
        reason = np.where(np.arange(len(later))[:, None] == row, 1, plan.reason).astype(np.int8)
        told = replace(market, plans={PLAN: replace(plan, known_at=later, reason=reason, **outcome)})
        week = week_of(told, [(row, 0)])
        assert len(week.closed) == closed
        before = [day["equity"] for day in week.days][:6]
        assert before == [day["equity"] for day in week_of(market, [(row, 0)]).days][:6]


# --- over many weeks


def random_walk(seed: int) -> Market:
    market = coin_market(seed, bars=126, pairs=3)
    close = 100 + np.cumsum(np.random.default_rng(seed).normal(0, 0.2, len(market.date)))
    return replace(market, close=np.round(close, 4))


def run_weeks(market: Market, *, seed: int, sizing: Sizing, weeks: int = 3) -> tuple[Book, list[dict], list[dict]]:
    """Random signals, the book written down and read back after each week."""
    rng = np.random.default_rng(seed)
    book, closed, days = START, [], []
    for number in range(weeks):
        since = SINCE + number * WEEK_MS
        window = market.decided(since=since, until=since + WEEK_MS)
        rows = np.sort(rng.choice(np.arange(window.start, window.stop), 40, replace=False))
        chosen = [(int(row), int(rng.integers(0, 2))) for row in rows]
        signals = signals_of(market, chosen)
        week = trade_week(book, signals, market=market, sizing=sizing, cost=COST, since=since, until=since + WEEK_MS)
        book = Book.from_json(json.loads(json.dumps(week.book.to_json())))
        assert book == week.book
        closed += week.closed
        days += week.days
    return book, closed, days


sizings = st.builds(
    Sizing,
    start_capital=st.just(100_000.0),
    risk_per_trade=st.sampled_from([0.002, 0.005, 0.02]),
    max_positions=st.integers(1, 5),
    max_positions_per_pair=st.integers(1, 2),
    max_total_risk=st.sampled_from([0.02, 0.03]),
    max_leverage=st.sampled_from([0.5, 1.0, 3.0]),
)


@settings(max_examples=20)
@given(st.integers(0, 10_000), sizings)
def test_cash_moves_by_closed_profit_alone_and_equity_is_cash_plus_what_is_open(seed, sizing):
    market = random_walk(seed)
    book, closed, days = run_weeks(market, seed=seed, sizing=sizing)
    profit = sum(trade["stake"] * trade["profit_ratio"] for trade in closed)
    assert book.cash - START.cash == pytest.approx(profit, abs=1e-3)
    open_profit = 0.0
    for position in book.positions:
        dates, closes = market.marks[position["pair"]]
        last = closes[np.searchsorted(dates, SINCE + 3 * WEEK_MS, side="right") - 1]
        sign = -1 if position["is_short"] else 1
        open_profit += position["stake"] * (sign * (last / position["open_rate"] - 1) - COST)
    assert book.equity == pytest.approx(book.cash + open_profit, abs=1e-3)
    assert days[-1]["equity"] == book.equity
    assert np.prod([1 + day["return_ratio"] for day in days]) == pytest.approx(book.equity / 100_000, rel=1e-6)


@settings(max_examples=20)
@given(st.integers(0, 10_000), sizings)
def test_caps_hold_at_every_entry(seed, sizing):
    book, closed, _ = run_weeks(random_walk(seed), seed=seed, sizing=sizing)
    trades = [*closed, *book.positions]
    assert len({trade["signal_id"] for trade in trades}) == len(trades)
    for trade in trades:
        held = [t for t in trades if t["open_date"] <= trade["open_date"] < t.get("close_date", "9")]
        assert len(held) <= sizing.max_positions
        pair = [t for t in held if t["pair"] == trade["pair"]]
        assert len(pair) == 1
        cash = 100_000 + sum(t["stake"] * t["profit_ratio"] for t in closed if t["close_date"] <= trade["open_date"])
        assert sum(t["risk"] for t in held) <= sizing.max_total_risk * cash + 0.01
        assert sum(t["stake"] for t in held) <= sizing.max_leverage * cash + 0.01
        assert trade["risk"] <= sizing.risk_per_trade * cash + 0.01


def test_a_day_is_a_day_of_the_week():
    _, _, days = run_weeks(random_walk(1), seed=1, sizing=SIZING)
    expected = [str(pd.Timestamp(SINCE + i * DAY_MS, unit="ms").date()) for i in range(21)]
    assert [day["date"] for day in days] == expected
