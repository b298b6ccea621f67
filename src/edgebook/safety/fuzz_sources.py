"""Readers of what comes from elsewhere: dialects of a folder, trades of other tools, answers of a database."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.safety.fuzz_reader import Reader

if TYPE_CHECKING:
    from pathlib import Path

    from edgebook.trade_files.imports import Tool

BARS = (
    b"time;ticker;o;h;l;c;vol\n02.01.2018 01:00;X;100,5;102;99,5;101;12\n02.01.2018 02:00;X;101;103;100;102;11\n"
    b"02.01.2018 03:00;X;102;102,5;101;101,5;9\n"
)
FILES = {
    "columns": {"pair": "ticker", "open": "o", "high": "h", "low": "l", "close": "c", "volume": "vol"},
    "delimiter": "semicolon", "decimal": "comma", "date_format": "%d.%m.%Y %H:%M", "timezone": "Europe/Berlin",
    "stamp": "open", "timeframe": "1h", "pairs": {"X": "X/USD"}, "price_scale": {"X/USD": 0.01}, "repair": [],
}  # fmt: skip
TRADE = {
    "id": 1, "pair": "BTC/USDT", "is_short": 0, "is_open": 0, "exchange": "binance", "timeframe": 60,
    "open_date": "2018-01-01 01:00:00.000000", "close_date": "2018-01-01 05:00:00.000000", "open_rate": 100.0,
    "close_rate": 102.0, "fee_open": 0.001, "fee_close": 0.001, "stake_amount": 100.0, "amount": 1.0,
    "close_profit": 0.018, "exit_reason": "roi", "stop_loss": 95.0, "initial_stop_loss": 95.0, "leverage": 1.0,
    "enter_tag": "a",
}  # fmt: skip
BACKTESTED = {
    "pair": "BTC/USDT", "open_date": "2018-01-01 01:00:00+00:00", "close_date": "2018-01-01 05:00:00+00:00",
    "open_rate": 100.0, "close_rate": 102.0, "fee_open": 0.001, "fee_close": 0.001, "profit_ratio": 0.018,
    "exit_reason": "roi", "initial_stop_loss_abs": 95.0, "stop_loss_abs": 95.0, "is_open": False, "is_short": False,
    "leverage": 1.0, "enter_tag": "", "orders": [],
}  # fmt: skip
VECTORBT = (
    b"Exit Trade Id,Column,Size,Entry Timestamp,Avg Entry Price,Entry Fees,Exit Timestamp,Avg Exit Price,Exit Fees,PnL,"
    b"Return,Direction,Status,Position Id\n"
    b"0,BTC/USD,1,2018-01-01 03:00:00,100,0.1,2018-01-01 09:00:00,102,0.1,1.8,0.018,Long,Closed,0\n"
)
BACKTESTING = {
    "Size": [10], "EntryBar": [3], "ExitBar": [9], "EntryPrice": [100.0], "ExitPrice": [102.0], "SL": [99.0],
    "TP": [102.0], "PnL": [20.0], "ReturnPct": [0.02], "EntryTime": ["2018-01-01 03:00"],
    "ExitTime": ["2018-01-01 09:00"], "Tag": [""],
}  # fmt: skip
BAR_ROW = {
    "pair": "BTC/USD", "timeframe": "1h", "date": "2018-01-01 01:00:00", "open": 100.0, "high": 102.5, "low": 99.5,
    "close": 101.0, "volume": 12,
}  # fmt: skip
BAR_ROWS = [BAR_ROW, BAR_ROW | {"date": "2018-01-01 02:00:00"}]
OUTCOME_ROW = {
    "signal_id": "s1", "pair": "BTC/USD", "is_short": False, "open_date": "2018-01-01 01:00:00",
    "close_date": "2018-01-01 05:00:00", "open_rate": 100.0, "close_rate": "102", "take_profit_abs": 102,
    "stop_loss_abs": 99, "fee_open": 0.001, "fee_close": 0.001, "profit_ratio": 0.018, "exit_reason": "roi",
}  # fmt: skip
COLUMNS = (
    b"pair,timeframe,date,known_at,edge,shape\n"
    b"BTC/USD,1h,2018-01-01T01:00:00Z,2018-01-01T01:00:00Z,0.5,up\n"
    b"BTC/USD,1h,2018-01-01T02:00:00Z,2018-01-01T02:00:00Z,-0.5,\n"
)


def readers_of_sources(scratch: Path) -> list[Reader]:
    """All of them; `scratch` is an empty folder, in which valid files are made."""
    return [*_of_folder(), *_of_tools(scratch), *_of_databases(), *_of_desk(), *_of_settings()]


def _rows(text: bytes) -> pd.DataFrame:
    """What a driver might give: a list of rows as JSON, whatever the values."""
    from edgebook.errors import DataError

    try:
        rows: Any = json.loads(text)
        if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
            names = list(dict.fromkeys(name for row in rows for name in row))
            return pd.DataFrame({n: pd.Series([row.get(n) for row in rows], dtype=object) for n in names})
    except (ValueError, RecursionError):
        pass
    raise DataError("no driver answers so")


def _of_folder() -> list[Reader]:
    """A folder whose files and whose declarations are hostile, and what stands beside it."""
    from edgebook.errors import DataError
    from edgebook.folder.folder import folder_bars
    from edgebook.folder.folder_splits import read_factors
    from edgebook.settings.bar_files import Files, check_files
    from edgebook.settings.loading import section
    from edgebook.settings.universe import declared_universe

    def declared(root: Path) -> None:
        try:
            said = json.loads((root / "files.json").read_bytes())
        except (ValueError, RecursionError):
            raise DataError("params.yaml: is read by another reader") from None
        if not isinstance(said, dict):
            raise DataError("params.yaml: is read by another reader")
        files = section(Files, said, where="bars.files")
        check_files(files, "bars.files")
        folder_bars(root / "data" / "raw", files=files)

    return [
        Reader("a folder and its declarations", 500,
               {"files.json": json.dumps(FILES).encode(), "data/raw/desk.csv": BARS}, declared),
        Reader("split factors", 150, {"splits.csv": b"pair,date,factor\nAAPL,2020-08-31,4\nMSFT,2003-02-18,2\n"},
               lambda root: read_factors(root / "splits.csv", shown="splits.csv", timezone="America/New_York")),
        Reader("members of the universe", 300, {"universe.csv": b"pair,from,to\nAAPL,2018-01-01,\nX,,2019-06-30\n"},
               lambda root: declared_universe({}, file="universe.csv", root=root)),
    ]  # fmt: skip


def _of_tools(scratch: Path) -> list[Reader]:
    """Trades of freqtrade, vectorbt and backtesting.py."""
    from edgebook.trade_files.imports import read_trades

    def of(tool: Tool, name: str) -> Any:
        return lambda root: read_trades(root / name, tool=tool, pair="BTC/USD", timeframe="1h")

    desk = scratch / "desk.sqlite"
    with closing(sqlite3.connect(desk)) as base:
        pd.DataFrame([TRADE]).to_sql("trades", base, index=False)
        order = {"id": 1, "ft_trade_id": 1, "ft_order_side": "buy", "filled": 1.0, "average": 100.0, "price": 100.0}
        pd.DataFrame([order]).to_sql("orders", base, index=False)
        base.commit()
    result = json.dumps({"strategy": {"S": {"timeframe": "1h", "trades": [BACKTESTED]}}}).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("backtest-result-2018-01-01.json"), result)
    tables = {}
    vectorbt = pd.read_csv(io.BytesIO(VECTORBT))
    for name, frame in (("backtesting", pd.DataFrame(BACKTESTING)), ("vectorbt", vectorbt)):
        frame.to_parquet(scratch / f"{name}.parquet")
        tables[name] = (scratch / f"{name}.parquet").read_bytes()
    return [
        Reader("a freqtrade database", 300, {"trades.sqlite": desk.read_bytes()}, of("freqtrade", "trades.sqlite")),
        Reader("a freqtrade backtest", 500, {"result.json": result}, of("freqtrade", "result.json")),
        Reader("a freqtrade backtest, packed", 200, {"result.zip": packed.getvalue()}, of("freqtrade", "result.zip")),
        Reader("vectorbt's trades", 300, {"trades.csv": VECTORBT}, of("vectorbt", "trades.csv")),
        Reader("vectorbt's trades in Parquet", 150, {"t.parquet": tables["vectorbt"]}, of("vectorbt", "t.parquet")),
        Reader("backtesting.py's trades in Parquet", 150, {"t.parquet": tables["backtesting"]},
               of("backtesting", "t.parquet")),
    ]  # fmt: skip


def _of_databases() -> list[Reader]:
    """Answers of a database, of any types."""
    from edgebook.outcomes.recorded_mapping import desk_outcomes, with_profit
    from edgebook.outcomes.recorded_rows import checked
    from edgebook.settings.bar_database import Database
    from edgebook.settings.desk_outcomes import Outcomes
    from edgebook.sources.database_answer import bars_of_rows

    def bars(root: Path) -> None:
        bars_of_rows(_rows((root / "rows.json").read_bytes()), Database(), first_row=0, where="DESK_DATABASE")

    def outcomes(root: Path) -> None:
        settings = Outcomes(timeframe="1h")
        rows = desk_outcomes(_rows((root / "rows.json").read_bytes()), settings=settings, name="signal_outcomes")
        checked(with_profit(rows, settings=settings, name="signal_outcomes"), table="signal_outcomes")

    return [
        Reader(
            "a database's bars",
            600,
            {"rows.json": json.dumps(BAR_ROWS).encode()},
            bars,
        ),
        Reader("a database's outcomes", 600, {"rows.json": json.dumps([OUTCOME_ROW]).encode()}, outcomes),
    ]


def _of_desk() -> list[Reader]:
    """Columns of a desk's own."""
    from edgebook.outcomes.recorded_columns import read_columns
    from edgebook.settings.desk_section import Desk

    desk = Desk(indicators={"edge": "A"}, patterns="shape")
    return [
        Reader("columns of a desk", 500, {"data/recorded/columns-2018-01-02.csv": COLUMNS},
               lambda root: read_columns(root / "data" / "recorded", desk)),
    ]  # fmt: skip


def _of_settings() -> list[Reader]:
    """Credentials of a file."""
    from edgebook.files.credentials import credential

    content = b"# desk\nDESK_OF_HOSTILE_FILES='sqlite:///desk.db'\nOTHER=x\n"
    return [Reader(".env", 150, {".env": content}, lambda root: credential("DESK_OF_HOSTILE_FILES", root=root))]
