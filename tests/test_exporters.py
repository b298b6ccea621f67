"""Exporters: hand-made trades in the shapes of freqtrade, backtesting.py and vectorbt."""

from __future__ import annotations

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from edgebook.errors import DataError
from edgebook.trade_files.exporters import to_backtesting, to_freqtrade, to_vectorbt

STAKE = 5000.0
# A short of two hours from 200 to its target of 190, costs 0.001 a side, 24 bps of financing a day, so 2 bps:
# 0.05 - 0.001 * (1 + 0.95) - 0.0002 = 0.04785. Its worst price was 204, of a stop at 210.
SHORT = {
    "signal_id": "ETH-USD_1h_20190101T0400_short", "pair": "ETH/USD", "timeframe": "1h", "is_short": True,
    "open_date": "2019-01-01T04:00:00Z", "close_date": "2019-01-01T06:00:00Z", "open_rate": 200.0, "close_rate": 190.0,
    "fee_open": 0.001, "fee_close": 0.001, "take_profit_abs": 190.0, "stop_loss_abs": 210.0, "stake": STAKE,
    "profit_ratio": 0.04785, "r_multiple": 0.957, "exit_reason": "take_profit", "bars_held": 2, "mae": -0.4, "mfe": 1.0,
    "enter_tag": "breakdown", "status": "closed",
}  # fmt: skip
# A long of one hour, stopped through a gap at 97 with its stop at 98: -0.03 - 0.001 * 1.97 = -0.03197.
LONG = SHORT | {
    "signal_id": "BTC-USD_1h_20190101T0300_long", "pair": "BTC/USD", "is_short": False,
    "open_date": "2019-01-01T03:00:00Z", "close_date": "2019-01-01T04:00:00Z", "open_rate": 100.0, "close_rate": 97.0,
    "take_profit_abs": 103.0, "stop_loss_abs": 98.0, "profit_ratio": -0.03197, "exit_reason": "stop_loss",
    "bars_held": 1, "mae": -1.5, "mfe": 0.25, "enter_tag": "breakout",
}  # fmt: skip
STILL_OPEN = LONG | {
    "signal_id": "BTC-USD_1h_20190101T0500_long", "open_date": "2019-01-01T05:00:00Z", "close_date": None,
    "close_rate": None, "profit_ratio": None, "r_multiple": None, "exit_reason": None, "bars_held": None, "mae": None,
    "mfe": None, "status": "open",
}  # fmt: skip


def ledger():
    return pd.DataFrame([SHORT, LONG, STILL_OPEN])


def bars():
    closes = pd.date_range("2019-01-01 01:00", periods=8, freq="h", tz="UTC", unit="ms")
    btc = pd.DataFrame({"pair": "BTC/USD", "timeframe": "1h", "date": closes})
    # ETH lacks the bar from 02:00 to 03:00: its places are one lower after it.
    eth = btc.assign(pair="ETH/USD").drop(index=2)
    return pd.concat([btc, eth], ignore_index=True)


def test_freqtrade_shape():
    trades = to_freqtrade(ledger())
    # freqtrade/data/btanalysis/bt_fileutils.py, BT_DATA_COLUMNS.
    assert trades.columns.tolist() == [
        "pair", "stake_amount", "max_stake_amount", "amount", "open_date", "close_date", "open_rate", "close_rate",
        "fee_open", "fee_close", "trade_duration", "profit_ratio", "profit_abs", "exit_reason",
        "initial_stop_loss_abs", "initial_stop_loss_ratio", "stop_loss_abs", "stop_loss_ratio", "min_rate", "max_rate",
        "is_open", "enter_tag", "leverage", "is_short", "open_timestamp", "close_timestamp", "orders", "funding_fees",
    ]  # fmt: skip
    long, short, still_open = trades.to_dict("records")
    assert (long["amount"], long["profit_abs"], long["trade_duration"]) == (50.0, -0.03197 * STAKE, 60)
    assert (long["min_rate"], long["max_rate"]) == (97.0, 100.5)
    assert long["stop_loss_ratio"] == -0.02
    assert long["funding_fees"] == 0.0
    assert (short["min_rate"], short["max_rate"]) == (190.0, 204.0)
    assert short["funding_fees"] == pytest.approx(-0.0002 * STAKE)
    assert short["open_timestamp"] == 1546315200000  # 2019-01-01 04:00 UTC
    assert (short["is_open"], still_open["is_open"]) == (False, True)
    assert all(pd.isna(still_open[name]) for name in ("close_date", "close_rate", "profit_abs", "close_timestamp"))


def test_backtesting_shape():
    trades = to_backtesting(ledger(), bars=bars())
    long, short = trades.to_dict("records")
    assert (long["Size"], long["EntryBar"], long["ExitBar"]) == (50.0, 3, 3)  # opens at 03:00: fourth bar of BTC
    assert (short["Size"], short["EntryBar"], short["ExitBar"]) == (-25.0, 3, 4)  # fourth bar of ETH
    assert (long["SL"], long["TP"], long["Tag"]) == (98.0, 103.0, "breakout")
    assert long["PnL"] == pytest.approx(50 * (97 - 100) - 0.001 * 50 * (100 + 97))
    assert short["Commission"] == pytest.approx(0.001 * 25 * (200 + 190) + 0.0002 * STAKE)
    assert short["Duration"] == pd.Timedelta("2h")


@pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofweek")  # the peer, under a newer pandas
def test_backtesting_shape_is_that_of_backtesting_py():
    from backtesting import Backtest, Strategy

    class Once(Strategy):
        def init(self):
            pass

        def next(self):
            if len(self.data) == 3:
                self.buy(size=50, sl=98)

    rows = [(100, 101, 99, 100)] * 3 + [(100, 100.5, 97.5, 98), (98, 99, 97, 98)]
    index = pd.date_range("2019-01-01 00:00", periods=5, freq="h", name="date")
    prices = pd.DataFrame(rows, columns=["Open", "High", "Low", "Close"], index=index, dtype=float)
    theirs = Backtest(prices, Once, cash=10_000, commission=0.001).run()._trades
    stopped = LONG | {"close_rate": 98.0, "profit_ratio": -0.02 - 0.001 * 1.98}
    ours = to_backtesting(pd.DataFrame([stopped]), bars=bars())
    assert ours.columns.tolist() == theirs.columns.tolist()
    same = ["Size", "EntryBar", "ExitBar", "EntryPrice", "ExitPrice", "SL", "PnL", "Commission", "ReturnPct"]
    assert_frame_equal(ours[same], theirs[same], check_dtype=False)


def test_vectorbt_shape():
    trades = to_vectorbt(ledger())
    assert trades.columns.tolist() == [
        "Exit Trade Id", "Column", "Size", "Entry Timestamp", "Avg Entry Price", "Entry Fees", "Exit Timestamp",
        "Avg Exit Price", "Exit Fees", "PnL", "Return", "Direction", "Status", "Position Id",
    ]  # fmt: skip
    assert trades["Direction"].tolist() == ["Long", "Short", "Long"]
    assert trades["Status"].tolist() == ["Closed", "Closed", "Open"]
    short = trades.iloc[1]
    assert (short["Column"], short["Size"], short["Entry Fees"]) == ("ETH/USD", 25.0, 5.0)
    assert short["Exit Fees"] == pytest.approx(0.001 * 25 * 190 + 0.0002 * STAKE)
    assert short["PnL"] == pytest.approx(25 * (200 - 190) - short["Entry Fees"] - short["Exit Fees"])
    assert short["Return"] == pytest.approx(short["PnL"] / STAKE)
    assert trades.iloc[2][["Exit Timestamp", "Avg Exit Price", "PnL", "Return"]].isna().all()


def test_without_a_stake_trades_are_of_notional_one():
    trades = to_freqtrade(ledger().drop(columns="stake"))
    assert trades["profit_abs"].tolist()[:2] == [-0.03197, 0.04785]


@pytest.mark.parametrize("export", [to_freqtrade, to_vectorbt, lambda frame: to_backtesting(frame, bars=bars())])
def test_any_ledger_exports_and_is_not_changed(export):
    trades = ledger()
    before = trades.copy(deep=True)
    export(trades)
    assert_frame_equal(trades, before)
    assert export(trades[:0]).empty
    with pytest.raises(DataError, match=r"^ledger: no column stop_loss_abs; an export needs signal_id, "):
        export(trades.drop(columns="stop_loss_abs"))


def test_a_trade_after_the_last_bar_is_refused():
    with pytest.raises(
        DataError, match=r"^ledger: ETH-USD_1h_20190101T0400_short was entered after the last bar given"
    ):
        to_backtesting(ledger(), bars=bars()[:8])
