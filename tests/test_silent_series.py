"""A symbol that is no longer quoted: its trades are closed, when that has become known and not before."""

import numpy as np
import pandas as pd
import pytest

from edgebook.outcomes.candidates import Costs, ExitPlan, label_candidates

PLAN = ExitPlan(50.0, 40.0, 200)
COSTS = Costs(fee_bps=5.0, slippage_bps=5.0, short_financing_bps_per_day=2.0)
DAYS = 60


def daily(pair, *, days, seed):
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, days)))
    opened = np.concatenate([[100.0], close[:-1]])
    date = pd.date_range("2019-01-01", periods=days, freq="D", tz="UTC").as_unit("ms")
    frame = {"open": opened, "high": np.maximum(opened, close) * 1.001, "low": np.minimum(opened, close) * 0.999}
    return pd.DataFrame({"pair": pair, "timeframe": "1d", "date": date, **frame, "close": close, "volume": 1.0})


def labelled(*, other_days):
    bars = pd.concat([daily("A/USD", days=DAYS, seed=1), daily("B/USD", days=other_days, seed=2)], ignore_index=True)
    table = label_candidates(bars, [PLAN], costs=COSTS)[PLAN.name]
    return bars, table[table["pair"] == "A/USD"].reset_index(drop=True)


def test_nine_days_of_silence_close_nothing():
    _, table = labelled(other_days=DAYS + 9)
    assert (table["exit_reason"] == "open").all()


def test_after_ten_days_what_is_open_is_closed_at_the_last_close():
    bars, table = labelled(other_days=DAYS + 10)
    last = bars[bars["pair"] == "A/USD"].iloc[-1]
    assert (table["exit_reason"] == "time_exit").all()
    assert (table["close_rate"] == last["close"]).all()
    assert (table["close_date"] == last["date"] + pd.Timedelta("10D")).all()


def test_profit_is_net_of_costs_and_financing():
    bars, table = labelled(other_days=DAYS + 30)
    last = bars[bars["pair"] == "A/USD"].iloc[-1]
    for row in table.iloc[[0, 1, 20, 21]].itertuples():
        growth = last["close"] / row.open_rate
        sign = -1 if row.is_short else 1
        days = (last["date"] - row.open_date) / pd.Timedelta("1D")
        net = sign * (growth - 1) - 0.001 * (1 + growth) - (0.0002 * days if row.is_short else 0.0)
        assert row.profit_ratio == pytest.approx(net, abs=1e-6)
        assert row.r_multiple == pytest.approx(net * row.open_rate / abs(row.open_rate - row.stop_loss_abs), abs=1e-6)


def test_more_silence_changes_nothing():
    _, soon = labelled(other_days=DAYS + 10)
    _, later = labelled(other_days=DAYS + 40)
    pd.testing.assert_frame_equal(soon, later)
