"""Trades of other tools become recorded outcomes: freqtrade's own database and backtest, and tables worked by hand."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from edgebook.cli import cli
from edgebook.errors import DataError, EdgebookError, SettingsError
from edgebook.outcomes.recorded import read_recorded
from edgebook.paths import Paths
from edgebook.trade_files.exports import write_trades
from edgebook.trade_files.imports import RefusedTradesError, import_trades, read_trades, trades_frame

DESK = Path(__file__).parent / "peers" / "desk"
DATABASE, BACKTEST = DESK / "tradesv3.sqlite", DESK / "backtest-result-desk.zip"
SPOT = ["S01/USD", "S02/USD"]
# A long of 100 at 10 with a second entry of 100 at 8 and an exit of both at 9.9, fees 0.1 % a side, no leverage:
# paid 1000 + 800 = 1800, received 1980, fees 1.8 + 1.98; over 1800 that is 0.0979; freqtrade divides by 1801.8.
ORDERS = [
    {"amount": 100.0, "safe_price": 10.0, "ft_order_side": "buy", "ft_is_entry": True},
    {"amount": 100.0, "safe_price": 8.0, "ft_order_side": "buy", "ft_is_entry": True},
    {"amount": 200.0, "safe_price": 9.9, "ft_order_side": "sell", "ft_is_entry": False},
]
TRADE = {
    "pair": "BTC/USD", "open_date": "2019-01-01 04:00:00+00:00", "close_date": "2019-01-01 12:00:00+00:00",
    "open_rate": 9.0, "close_rate": 9.9, "fee_open": 0.001, "fee_close": 0.001, "is_open": False, "is_short": False,
    "leverage": 1.0, "profit_ratio": 176.22 / 1801.8, "exit_reason": "roi", "initial_stop_loss_abs": 7.0,
    "stop_loss_abs": 7.0, "enter_tag": "dip", "orders": ORDERS, "funding_fees": 0.0,
}  # fmt: skip
ONE = TRADE | {"orders": ORDERS[:1] + ORDERS[2:]}


def backtest(folder, *trades, name="result.json", **told):
    file = folder / name
    strategy = {"trades": list(trades), "timeframe": "4h", "timeframe_detail": ""} | told
    file.write_text(json.dumps({"strategy": {"Desk": strategy}}), encoding="utf-8")
    return file


def only(file, **options):
    found = read_trades(file, **({"tool": "freqtrade"} | options))
    assert found.refused == []
    (trade,) = found.trades
    return trade


def at(text):
    return pd.Timestamp(text, tz="UTC")


def test_a_database_of_freqtrade_is_read_trade_by_trade():
    before = DATABASE.read_bytes()
    frame = trades_frame(read_trades(DATABASE, tool="freqtrade"), known=SPOT)
    assert (DATABASE.read_bytes(), sorted(p.name for p in DESK.glob("*.sqlite*"))) == (before, [DATABASE.name])
    with closing(sqlite3.connect(DATABASE)) as base:
        theirs = pd.read_sql("select * from trades order by open_date, id", base)
        orders = pd.read_sql("select * from orders", base)
    assert len(frame) == len(theirs) > 40
    assert frame["pair"].tolist() == theirs["pair"].str.removesuffix(":USD").tolist()
    assert (frame["timeframe"] == "4h").all()
    assert frame["is_short"].tolist() == theirs["is_short"].astype(bool).tolist()
    assert 0 < frame["is_short"].sum() < len(frame)
    assert frame["stop_loss_abs"].tolist() == theirs["initial_stop_loss"].tolist()
    assert (frame["open_date"] - frame["date"]).dt.total_seconds().between(0, 4 * 3600, inclusive="left").all()
    # Profit is theirs in money, over what was bought (a short: sold) at entry: twice the stake, by leverage 2.
    opened_by = theirs.set_index("id")["is_short"].map({0: "buy", 1: "sell"})
    entries = orders[orders["ft_order_side"] == orders["ft_trade_id"].map(opened_by)]
    notional = (entries["filled"] * entries["average"]).groupby(entries["ft_trade_id"]).sum()
    assert frame["profit_ratio"].to_numpy() == pytest.approx(
        (theirs["realized_profit"] / theirs["id"].map(notional)).to_numpy(), abs=2e-6
    )
    # What prices and fees say of the average rates, up to half a day's funding of 0.001 % an hour.
    sign, growth = np.where(frame["is_short"], -1, 1), frame["close_rate"] / frame["open_rate"]
    implied = sign * (growth - 1) - frame["fee_open"] - frame["fee_close"] * growth
    assert (frame["profit_ratio"] - implied).abs().max() < 0.002


def test_the_desks_words_stay_beside_our_three_reasons():
    frame = trades_frame(read_trades(DATABASE, tool="freqtrade"))
    kinds = frame.groupby("exit_word")["exit_reason"].unique().map(list).to_dict()
    assert kinds == {
        "roi": ["take_profit"], "stop_loss": ["stop_loss"], "trailing_stop_loss": ["time_exit"],
        "exit_signal": ["time_exit"], "force_exit": ["time_exit"], "four_days": ["time_exit"],
    }  # fmt: skip


def test_a_backtest_dates_an_exit_inside_a_candle_by_its_close():
    """The dry run over the same candles left such trades within the candle that the backtest names by its opening."""
    found = read_trades(BACKTEST, tool="freqtrade")
    with zipfile.ZipFile(BACKTEST) as packed:
        (name,) = [n for n in packed.namelist() if n.endswith(".json") and "_config" not in n]
        theirs = json.loads(packed.read(name))["strategy"]["OneSide"]["trades"]
    known = {(trade["pair"], trade["open_date"]): trade["close_date"] for trade in found.trades}
    added = {}
    for raw in theirs:
        later = known[raw["pair"], at(raw["open_date"][:19])] - at(raw["close_date"][:19])
        added.setdefault(raw["exit_reason"], set()).add(later / pd.Timedelta("1h"))
    assert added == {
        "exit_signal": {0}, "four_days": {0}, "roi": {4}, "stop_loss": {4}, "trailing_stop_loss": {4},
    }  # fmt: skip


def test_several_orders_are_averaged(tmp_path):
    trade = only(backtest(tmp_path, TRADE))
    assert (trade["open_rate"], trade["close_rate"]) == (9.0, 9.9)
    assert trade["profit_ratio"] == round(176.22 / 1800, 6)
    assert trade["take_profit_abs"] is None, "a target of the average is no target that was set"
    assert trade["close_date"] == at("2019-01-01 16:00")
    assert trade["signal_id"] == "freqtrade_BTC-USD_4h_20190101T040000_long"


def test_profit_is_a_share_of_the_notional_not_of_the_margin(tmp_path):
    """A short of 100 from 10 to 9, leverage 5: 100 less fees of 1 and 0.9, over 1000; freqtrade: 5 times, over 999."""
    short = ONE | {
        "is_short": True, "leverage": 5.0, "open_rate": 10.0, "close_rate": 9.0, "profit_ratio": 98.1 / 999 * 5,
        "initial_stop_loss_abs": 11.0, "stop_loss_abs": 11.0, "orders": None,
    }  # fmt: skip
    trade = only(backtest(tmp_path, short))
    assert (trade["profit_ratio"], trade["take_profit_abs"], trade["stop_loss_abs"]) == (0.0981, 9.0, 11.0)


def test_a_detail_timeframe_dates_exits_finer(tmp_path):
    assert only(backtest(tmp_path, ONE, timeframe_detail="5m"))["close_date"] == at("2019-01-01 12:05")


@pytest.mark.parametrize(
    ("word", "stop", "kind"),
    [
        ("stoploss_on_exchange", 7.0, "stop_loss"), ("stoploss_on_exchange", 7.5, "time_exit"),
        ("liquidation", 7.0, "stop_loss"), ("emergency_exit", 7.0, "time_exit"), ("my_word", 7.0, "time_exit"),
    ],
)  # fmt: skip
def test_reasons(tmp_path, word, stop, kind):
    trade = only(backtest(tmp_path, ONE | {"exit_reason": word, "stop_loss_abs": stop}))
    assert (trade["exit_reason"], trade["exit_word"], trade["stop_loss_abs"]) == (kind, word, 7.0)


def test_an_open_trade_has_no_close(tmp_path):
    trade = only(backtest(tmp_path, ONE | {"is_open": True, "close_date": None, "close_rate": 9.5, "exit_reason": ""}))
    assert trade["status"] == "open"
    assert [trade[name] for name in ("close_date", "close_rate", "profit_ratio", "exit_reason")] == [None] * 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"pair": "<script>alert(1)</script>"}, "pair is '<script>alert(1)</script>'; the name of a pair has letters"),
        ({"pair": "../../etc/passwd"}, "pair is '../../etc/passwd'; the name of a pair has"),
        ({"pair": "=cmd()/USD"}, "pair is '=cmd()/USD'; the name of a pair has"),
        ({"pair": None}, "pair is ''; the name of a pair has"),
        ({"open_rate": 1e300, "orders": None}, "open_rate is 1e+300; give a number above 0 and below 1e+15"),
        ({"open_rate": float("nan"), "orders": None}, "open_rate is nan; every trade has one"),
        ({"open_rate": -1.0, "orders": None}, "open_rate is -1.0; give a number above 0"),
        ({"open_rate": "ten", "orders": None}, "open_rate is 'ten'; give a number"),
        ({"profit_ratio": None}, "profit_ratio is None; a closed trade has one"),
        ({"open_date": "1969-12-31 00:00:00"}, "open_date is '1969-12-31 00:00:00'; give a time from 1970 to 2200"),
        ({"open_date": "yesterday"}, "open_date is 'yesterday'; give a time like 2019-01-01 03:00:00"),
        ({"close_date": "2018-12-31 00:00:00"}, "close_date is '2018-12-31 04:00:00'; it lies before the entry"),
        ({"initial_stop_loss_abs": 9.5}, "stop_loss_abs is 9.5; it lies above the entry at 9 or on it"),
        ({"enter_tag": "<img src=x onerror=alert(1)>"}, "markup and control characters are not allowed"),
        ({"enter_tag": "=HYPERLINK(1)"}, "a spreadsheet would take it for a formula"),
        ({"exit_reason": "a\nb"}, "exit_reason is 'a\\nb'; markup and control"),
        ({"is_short": "maybe"}, "is_short is 'maybe'; give true or false"),
        ({"timeframe": "3h"}, "timeframe is '3h'; give 1m, 5m"),
        ({"orders": [7]}, "orders is 7; give objects"),
    ],
)  # fmt: skip
def test_a_refused_trade_is_one_line(tmp_path, change, said):
    found = read_trades(backtest(tmp_path, ONE, TRADE | change), tool="freqtrade")
    assert len(found.trades) == 1
    (line,) = found.refused
    assert line.startswith("result.json: trade 2: ")
    assert said in line
    assert "\n" not in line


def packed(**members):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in members.items():
            opened.writestr(name.replace("__", "/"), data)
    return made.getvalue()


def database(*statements):
    with closing(sqlite3.connect(":memory:")) as base:
        for statement in statements:
            base.execute(statement)
        base.commit()
        return base.serialize()


HOSTILE = {
    "empty": (b"", "neither a SQLite database"),
    "text": (b"hello", "neither a SQLite database"),
    "torn database": (DATABASE.read_bytes()[:5000], "could not be read as a SQLite database"),
    "header alone": (b"SQLite format 3\x00", "could not be read as a SQLite database"),
    "another database": (database("create table t (a)"), "no table trades"),
    "a view": (database("create view trades as select 1 as id"), "no table trades"),
    "another table": (database("create table trades (id, pair)"), "no column trades.is_open"),
    "torn json": (b'{"strategy": {', "not JSON"),
    "deep json": (b"[" * 100_000, "not JSON"),
    "NUL bytes": (b'{"strategy"\x00', "not JSON"),
    "latin": (b'{"strategy": "\xe9"}', "not JSON"),
    "a list": (b"[1]", "no key strategy"),
    "no trades": (b'{"strategy": {"A": {"trades": 1}}}', "strategy 'A' has no list of trades"),
    "torn zip": (BACKTEST.read_bytes()[:500], "could not be read as a zip"),
    "a way out": (packed(**{"..__..__x.json": "{}"}), "has '../../x.json' in it"),
    "no result": (packed(**{"a.txt": "{}"}), "0 results in it"),
    "two results": (packed(**{"a.json": "{}", "b.json": "{}"}), "2 results in it"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_file_of_freqtrade_is_one_line(kind, tmp_path):
    data, said = HOSTILE[kind]
    file = tmp_path / "given"
    file.write_bytes(data)
    with pytest.raises(EdgebookError) as caught:
        read_trades(file, tool="freqtrade")
    assert str(caught.value).startswith("given: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["given"]


def test_a_zip_bomb_is_not_unpacked(tmp_path, monkeypatch):
    from edgebook.trade_files import imports_freqtrade

    monkeypatch.setattr(imports_freqtrade, "LARGEST_JSON", 1000)
    file = tmp_path / "bomb.zip"
    file.write_bytes(packed(**{"a.json": b" " * 1_000_000}))
    with pytest.raises(DataError, match=r"^bomb.zip: 'a.json' unpacks to more than 1,000 bytes; not read$"):
        read_trades(file, tool="freqtrade")


BACKTESTING = """\
Size,EntryBar,ExitBar,EntryPrice,ExitPrice,SL,TP,PnL,Commission,ReturnPct,EntryTime,ExitTime,Duration,Tag
50,3,3,100.0,98.0,98.0,,-109.9,9.9,-0.02198,2019-01-01 03:00:00,2019-01-01 03:00:00,0 days,breakout
-25,3,4,200.0,190.0,210.0,190.0,240.25,9.75,0.04805,2019-01-01 04:00:00,2019-01-01 05:00:00,0 days 01:00:00,
10,5,9,100.0,103.0,101.0,,30.0,0.0,0.03,2019-01-01 05:00:00,2019-01-01 09:00:00,0 days 04:00:00,trail
"""


def test_backtesting_py(tmp_path):
    file = tmp_path / "trades.csv"
    file.write_text(BACKTESTING, encoding="utf-8")
    found = read_trades(file, tool="backtesting", pair="BTC/USD", timeframe="1h")
    assert found.refused == []
    long, short, moved = found.trades
    # 50 * (98 - 100) - 9.9 over 5000, the stop; the entry bar opened at 03:00 and closed at 04:00.
    assert (long["profit_ratio"], long["exit_reason"], long["fee_open"]) == (-0.02198, "stop_loss", 0.001)
    assert [long[name] for name in ("date", "open_date", "close_date")] == [
        at("2019-01-01 03:00"), at("2019-01-01 03:00"), at("2019-01-01 04:00"),
    ]  # fmt: skip
    assert (short["is_short"], short["profit_ratio"], short["exit_reason"]) == (True, 0.04805, "take_profit")
    assert (moved["stop_loss_abs"], moved["exit_reason"], moved["profit_ratio"]) == (None, "time_exit", 0.03)
    late = read_trades(file, tool="backtesting", pair="BTC/USD", timeframe="1h", stamps="close").trades[0]
    assert (late["open_date"], late["close_date"]) == (at("2019-01-01 02:00"), at("2019-01-01 03:00"))
    without = read_trades(file, tool="backtesting", timeframe="1h").refused
    assert without[0] == (
        "trades.csv: row 2: pair is None; the table has one symbol and not its name; give it with --pair"
    )


@pytest.mark.parametrize("kind", ["Timestamp", "Index"])
def test_vectorbt(tmp_path, kind):
    file = tmp_path / "trades.parquet"
    pd.DataFrame(
        {
            "Exit Trade Id": [0, 1], "Column": ["ETH/USD", "ETH/USD"], "Size": [25.0, 1.0],
            f"Entry {kind}": pd.to_datetime(["2019-01-01 04:00", "2019-01-01 06:00"]),
            "Avg Entry Price": [200.0, 190.0], "Entry Fees": [5.0, 0.19],
            f"Exit {kind}": pd.to_datetime(["2019-01-01 06:00", "2019-01-01 07:00"]), "Avg Exit Price": [190.0, 191.0],
            "Exit Fees": [4.75, 0.0], "PnL": [240.25, 0.81], "Return": [0.04805, 0.004], "Direction": ["Short", "Long"],
            "Status": ["Closed", "Open"], "Position Id": [0, 1],
        }
    ).to_parquet(file, index=False)  # fmt: skip
    found = read_trades(file, tool="vectorbt", timeframe="1h")
    assert found.refused == []
    short, still_open = found.trades
    assert (short["profit_ratio"], short["fee_open"], short["fee_close"]) == (0.04805, 0.001, 0.001)
    assert (short["open_date"], short["close_date"]) == (at("2019-01-01 05:00"), at("2019-01-01 07:00"))
    assert (short["exit_reason"], short["stop_loss_abs"]) == ("time_exit", None)
    assert (still_open["status"], still_open["close_rate"]) == ("open", None)


TABLES = {
    "empty": (b"", "empty; give a table of trades"),
    "wide": (",".join(f"c{i}" for i in range(10_000)).encode(), "10,000 columns; a table of trades has at most 500"),
    "NUL": (b"Size,\x00\n1,2\n", "has NUL bytes in it"),
    "latin": (b"Size,EntryPrice\n\xe9,2\n", "not UTF-8 text at byte 16"),
    "ragged": (b"Size,EntryPrice\n1\n", "row 2: 1 values for 2 columns"),
    "twice": (b"Size,Size\n1,2\n", "column 'Size' stands twice"),
    "other": (b"a,b\n1,2\n", "no column Size"),
    "torn Parquet": (b"PAR1abc", "could not be read as Parquet"),
    "quote": (b'Size,EntryPrice\n"1,2\n', "not a CSV table"),
}


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("tool", ["backtesting", "vectorbt"])
def test_what_is_no_table_is_one_line(kind, tool, tmp_path):
    data, said = TABLES[kind]
    file = tmp_path / "given.csv"
    file.write_bytes(data)
    with pytest.raises(DataError) as caught:
        read_trades(file, tool=tool, pair="BTC/USD", timeframe="1h")
    assert str(caught.value).startswith(f"given.csv: {said}")
    assert "\n" not in str(caught.value)


def test_a_later_copy_adds_what_happened_since(tmp_path):
    paths = Paths(tmp_path)
    early = import_trades(DATABASE, tool="freqtrade", paths=paths, until="2018-05-01", exit_plan="tp2.0_sl1.5_t12")
    late = import_trades(DATABASE, tool="freqtrade", paths=paths, exit_plan="tp2.0_sl1.5_t12")
    assert early["trades"] < late["trades"] == 52
    assert (early["until"], late["until"]) == ("2018-05-01", "2018-06-04")
    rows = read_recorded(paths.recorded)
    assert len(rows) == 52 + early["open"]
    assert set(rows["exit_plan"]) == {"tp2.0_sl1.5_t12"}
    again = import_trades(DATABASE, tool="freqtrade", paths=paths, exit_plan="tp2.0_sl1.5_t12")
    assert "nothing new" in again["added"]


def test_a_desk_may_call_its_trailing_stop_a_stop(tmp_path):
    paths, words = Paths(tmp_path), {"trailing_stop_loss": "stop_loss"}
    import_trades(BACKTEST, tool="freqtrade", paths=paths, exit_words=words)
    rows = read_recorded(paths.recorded)
    assert set(rows["exit_reason"][rows["exit_word"] == "trailing_stop_loss"]) == {"stop_loss"}
    assert set(rows["exit_reason"][rows["exit_word"] == "exit_signal"]) == {"time_exit"}


def test_one_refused_trade_stops_the_import_unless_it_is_skipped(tmp_path):
    paths, file = Paths(tmp_path), backtest(tmp_path, ONE, TRADE | {"pair": ""})
    with pytest.raises(RefusedTradesError, match=r"trade 2: pair is ''.*; 1 of 2 trades are refused and none was"):
        import_trades(file, tool="freqtrade", paths=paths)
    assert not paths.recorded.exists()
    said = import_trades(file, tool="freqtrade", paths=paths, skip_refused=True)
    assert (said["trades"], len(said["refused"])) == (1, 1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"until": "2018-05-01T05:00"}, "--until 2018-05-01T05:00: it is a midnight UTC"),
        ({"timeframe": "3h"}, "--timeframe '3h': give 1m"),
        ({"exit_plan": "wide"}, "exit plan: 'wide' is not a plan's name"),
    ],
)
def test_odd_options(tmp_path, options, said):
    with pytest.raises(SettingsError, match=said):
        import_trades(DATABASE, tool="freqtrade", paths=Paths(tmp_path), **options)


def test_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEBOOK_ROOT", str(tmp_path))
    done = CliRunner().invoke(cli, ["import", str(DATABASE), "--from", "freqtrade", "--until", "2018-05-01"])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        "tradesv3.sqlite: 20 trades up to 2018-05-01, 0 of them open",
        "20 of several entries or exits have average rates",
        "data/recorded/outcomes-2018-05-01.csv: 20 rows: 20 new, 0 changed, 0 deleted",
    ]
    told = CliRunner().invoke(cli, ["import", str(BACKTEST), "--from", "freqtrade", "--json"])
    assert json.loads(told.output)["trades"] == 25


BARS = pd.DataFrame(
    [
        {"pair": pair, "timeframe": "4h", "date": date}
        for pair in SPOT
        for date in pd.date_range("2018-02-01 04:00", periods=240, freq="4h", tz="UTC", unit="ms")
    ]
)
RATES = st.floats(1e-6, 1e6, allow_nan=False)


@st.composite
def ledger(draw):
    """Trades of the small market, of any rates, that obey what a ledger obeys."""
    trades = []
    for number in range(draw(st.integers(1, 6))):
        entry = float(f"{draw(RATES):.8g}")
        away, sign = draw(st.floats(0.001, 0.5)), draw(st.sampled_from([1, -1]))
        begins = at("2018-02-01") + pd.Timedelta(hours=4 * draw(st.integers(0, 200)))
        bars, fee = draw(st.integers(1, 20)), draw(st.sampled_from([0.0, 0.0005, 0.001]))
        profit = round(draw(st.floats(-0.5, 0.5)), 6)
        trades.append(
            {
                "signal_id": f"S01-USD_4h_{number}", "pair": draw(st.sampled_from(SPOT)), "timeframe": "4h",
                "is_short": sign < 0, "date": begins, "open_date": begins,
                "close_date": begins + pd.Timedelta(hours=4 * bars), "open_rate": entry,
                "close_rate": entry * (1 + sign * away / 2), "take_profit_abs": entry * (1 + sign * away),
                "stop_loss_abs": entry * (1 - sign * away), "fee_open": fee, "fee_close": fee, "profit_ratio": profit,
                "exit_reason": draw(st.sampled_from(["take_profit", "stop_loss", "time_exit"])), "bars_held": bars,
                "mae": -0.5, "mfe": 0.5, "enter_tag": draw(st.sampled_from(["none", "double_bottom"])),
                "stake": 1000.0, "exit_plan": "tp2.0_sl1.5_t12", "status": "closed",
            }
        )  # fmt: skip
    frame = pd.DataFrame(trades)
    if draw(st.booleans()):
        frame.loc[0, "status"] = "open"
        frame.loc[0, ["close_date", "close_rate", "profit_ratio", "exit_reason"]] = None
    return frame


@examples(max_examples=12)
@given(
    trades=ledger(),
    where=st.sampled_from(["freqtrade.json", "freqtrade.zip", "backtesting.csv", "vectorbt.csv", "vectorbt.parquet"]),
)
def test_what_is_exported_is_imported_again(tmp_path_factory, trades, where):
    tool, file = where.partition(".")[0], tmp_path_factory.mktemp("trip") / where
    number = write_trades(trades, tool=tool, file=file, bars=BARS)
    found = read_trades(file, tool=tool)
    assert found.refused == []
    kept = trades if tool != "backtesting" else trades[trades["status"] == "closed"]
    assert number == len(found.trades) == len(kept)
    given = kept.set_index("signal_id").to_dict("index")
    for trade in found.trades:
        wanted = given[trade["signal_id"]]
        for name in (
            "pair", "timeframe", "is_short", "date", "open_date", "enter_tag", "status", "exit_plan", "stop_loss_abs",
            "take_profit_abs", "open_rate", "close_rate", "close_date", "exit_reason", "profit_ratio",
        ):  # fmt: skip
            if pd.isna(wanted[name]):
                assert trade[name] is None, name
            else:
                assert trade[name] == wanted[name], name


def test_an_export_needs_an_ending_that_the_tool_reads(tmp_path):
    with pytest.raises(DataError, match=r"^x.txt: for freqtrade name a file that ends in .json or .zip$"):
        write_trades(pd.DataFrame(), tool="freqtrade", file=tmp_path / "x.txt")
