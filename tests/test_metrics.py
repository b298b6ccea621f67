"""Metrics: worked by hand on a handful of trades; the page documents each and nothing else."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from edgebook.errors import DataError
from edgebook.statistics import drawdowns, metrics

DOCS = Path(__file__).parents[1] / "docs" / "metrics.md"


def trades(profits, *, risk=0.02):
    """One long a day at 100, target 103, stop 98, fees of 0.1 % a side."""
    n = len(profits)
    opened = pd.date_range("2019-01-07", periods=n, freq="D", tz="UTC", unit="ms")
    return pd.DataFrame(
        {
            "signal_id": [f"s{i}" for i in range(n)],
            "pair": "BTC/USD",
            "open_date": opened,
            "close_date": opened + pd.Timedelta(hours=5),
            "open_rate": 100.0,
            "fee_open": 0.001,
            "fee_close": 0.001,
            "take_profit_abs": 103.0,
            "stop_loss_abs": 98.0,
            "profit_ratio": np.array(profits, dtype=float),
            "r_multiple": np.array(profits, dtype=float) / risk,
        }
    )


def values(frame):
    return frame.set_index("metric")["value"]


def test_trade_metrics_of_five_trades_by_hand():
    found = metrics.trade_metrics(trades([0.03, -0.02, -0.02, 0.03, 0.03]), days=10)
    value = values(found)
    assert value["total_signals"] == 5
    assert value["signals_per_day"] == 0.5
    assert value["win_rate"] == 0.6
    assert value["false_signal_rate"] == 0.4
    assert value["break_even_win_rate"] == pytest.approx(0.4)  # 2 / (3 + 2)
    assert value["plan_break_even_win_rate"] == pytest.approx(0.44)  # (2 % + 0.2 %) / (2.8 % + 2.2 %)
    assert value["avg_profit_per_trade"] == pytest.approx(0.01)
    assert value["profit_factor"] == pytest.approx(2.25)  # 9 / 4
    assert value["expectancy"] == pytest.approx(0.5)  # (3 * 1.5 - 2) / 5
    # R: 1.5, -1, -1, 1.5, 1.5: squares about 0.5 sum to 7.5, so the deviation is sqrt(7.5 / 4).
    assert value["sqn"] == pytest.approx(np.sqrt(5) * 0.5 / np.sqrt(7.5 / 4), abs=1e-6)
    assert value["consecutive_wins"] == 2
    assert value["consecutive_losses"] == 2


def test_every_interval_holds_its_value():
    rng = np.random.default_rng(2)
    frame = trades(rng.choice([0.03, -0.02], size=200))
    daily = pd.DataFrame({"arm": "champion", "return_ratio": rng.normal(0.001, 0.01, 300)})
    for found in (
        metrics.trade_metrics(frame, days=200),
        metrics.book_metrics(daily, periods_per_year=365),
    ):
        inside = found.dropna(subset=["low"])
        assert len(inside) >= 4
        assert ((inside["low"] <= inside["value"]) & (inside["value"] <= inside["high"])).all()


def test_open_signals_count_but_have_no_rate():
    frame = trades([0.03, -0.02, 0.01])
    frame.loc[2, ["close_date", "profit_ratio", "r_multiple"]] = [pd.NaT, np.nan, np.nan]
    found = metrics.trade_metrics(frame, days=3).set_index("metric")
    assert found.loc["total_signals", "value"] == 3
    assert found.loc["win_rate", ["value", "n"]].tolist() == [0.5, 2]


def test_a_trade_at_exactly_nothing_is_neither_win_nor_false_and_ends_a_run():
    value = values(metrics.trade_metrics(trades([0.01, 0.0, 0.01, -0.01]), days=4))
    assert (value["win_rate"], value["false_signal_rate"], value["consecutive_wins"]) == (0.5, 0.25, 1)


def test_runs_follow_the_order_of_closing_not_of_entry():
    frame = trades([0.01, -0.01, 0.01])
    frame.loc[1, "close_date"] = frame.loc[2, "close_date"] + pd.Timedelta(days=1)
    assert values(metrics.trade_metrics(frame, days=3))["consecutive_wins"] == 2


@pytest.mark.parametrize("profits", [[], [0.01], [0.01, 0.02]])
def test_undefined_is_missing_never_a_sentinel(profits):
    value = values(metrics.trade_metrics(trades(profits), days=7))
    assert np.isnan(value[["break_even_win_rate", "profit_factor"]].astype(float)).all()
    assert not np.isinf(value.astype(float)).any()
    assert np.isnan(value["win_rate"]) == (len(profits) == 0)


def test_no_days_is_refused():
    with pytest.raises(DataError, match="days is 0, must be above 0"):
        metrics.trade_metrics(trades([0.01]), days=0)


def test_inputs_are_not_changed():
    frame = trades([0.03, -0.02, 0.01])[::-1]
    before = frame.copy()
    metrics.trade_metrics(frame, days=3)
    pd.testing.assert_frame_equal(frame, before)


def test_drawdown_counts_the_start_as_a_peak():
    daily = pd.DataFrame({"return_ratio": [-0.1, 0.2, -0.5]})
    value = values(metrics.book_metrics(daily, periods_per_year=365))
    assert value["max_drawdown"] == pytest.approx(0.5)
    assert drawdowns.drawdown(np.array([0.9, 1.08, 0.54])).tolist() == pytest.approx([0.1, 0.0, 0.5])


def test_book_metrics_of_a_year_by_hand():
    returns = np.tile([0.02, -0.01], 50)
    value = values(metrics.book_metrics(pd.DataFrame({"return_ratio": returns}), periods_per_year=100))
    assert value["sharpe_ratio"] == pytest.approx(0.005 / returns.std(ddof=1) * 10, abs=1e-6)
    assert value["sortino_ratio"] == pytest.approx(0.005 / np.sqrt(0.0001 / 2) * 10, abs=1e-6)
    assert value["max_drawdown"] == pytest.approx(0.01)
    assert value["calmar_ratio"] == pytest.approx(((1.02 * 0.99) ** 50 - 1) / 0.01, abs=1e-5)


def test_a_book_that_never_moves_has_no_ratio():
    value = values(metrics.book_metrics(pd.DataFrame({"return_ratio": np.zeros(50)}), periods_per_year=365))
    assert np.isnan(value[["sharpe_ratio", "sortino_ratio", "calmar_ratio"]]).all()
    assert value["max_drawdown"] == 0.0


def test_a_book_without_days_has_no_numbers():
    empty = pd.DataFrame({"return_ratio": np.empty(0)})
    assert metrics.book_metrics(empty, periods_per_year=365)["value"].isna().all()


def test_two_arms_at_once_are_refused():
    daily = pd.DataFrame({"arm": ["r1", "r2"], "return_ratio": [0.0, 0.0]})
    with pytest.raises(DataError, match="arms r1, r2"):
        metrics.book_metrics(daily, periods_per_year=365)


def test_drawdown_range_depends_on_the_seed_alone():
    daily = pd.DataFrame({"return_ratio": np.random.default_rng(0).normal(size=100) / 100})
    first, again = (metrics.book_metrics(daily, periods_per_year=365, seed=4) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    other = metrics.book_metrics(daily, periods_per_year=365, seed=5)
    assert (first["low"] != other["low"]).any()


def test_the_page_documents_each_metric_with_its_unit_and_nothing_else():
    ours = DOCS.read_text(encoding="utf-8").split("## Per day, of the tear sheet")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", ours, flags=re.MULTILINE)
    assert dict(rows) == {**metrics.TRADE_METRICS, **metrics.BOOK_METRICS}
    assert [name for name, _ in rows] == [*metrics.TRADE_METRICS, *metrics.BOOK_METRICS]
