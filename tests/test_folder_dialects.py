"""Files as desks have them: the same bars out of every dialect, and one line where nothing says what they are."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

from edgebook.bars.bars import COLUMNS, utc
from edgebook.errors import DataError
from edgebook.folder.folder import folder_bars
from edgebook.settings.bar_files import Files
from edgebook.settings.loading import section

CLOSES = ["2019-01-07 01:00", "2019-01-07 02:00"]
"""Closes of two hourly bars; the first opens at midnight."""
PRICES = [[10.0, 12.5, 9.5, 11.0, 3.0], [11.0, 11.5, 10.25, 10.5, 4.0]]

KLINE = (
    "1546819200000,10.0,12.5,9.5,11.0,3.0,1546822799999,33,7,1,11,0\n"
    "1546822800000,11,11.5,10.25,10.5,4,1546826399999,42,9,2,21,0\n"
)
ROWS = ("10,12.5,9.5,11,3", "11,11.5,10.25,10.5,4")


def table(first: str, second: str, *, header: str, sign: str = ",") -> str:
    return "".join(f"{line}\n" for line in (header, *(sign.join([s, *r.split(",")]) for s, r in zip(
        (first, second), ROWS, strict=True))))  # fmt: skip


OHLCV = "Open,High,Low,Close,Volume"
HOURS = {
    "the strict form": ("BTC-USD_1h.csv", table("2019-01-07T01:00:00Z", "2019-01-07T02:00:00Z",
        header="date,open,high,low,close,volume"), {}),
    "binance klines": ("BTCUSDT-1h-2019-01.csv", KLINE, {"pairs": {"BTCUSDT": "BTC/USD"}}),
    "binance klines in microseconds": ("BTCUSDT-1h-2019-01.csv", KLINE.replace("00000,", "00000000,").replace(
        "99999,", "99999999,"), {"pairs": {"BTCUSDT": "BTC/USD"}}),
    "binance with a header": ("BTC-USD_1h.csv", "open_time,open,high,low,close,volume,close_time\n" + "".join(
        ",".join(line.split(",")[:7]) + "\n" for line in KLINE.splitlines()), {}),
    "dukascopy": ("BTCUSD_Candlestick_1_Hour_BID_07.01.2019-08.01.2019.csv", table("07.01.2019 00:00:00.000",
        "07.01.2019 01:00:00.000", header=f"Gmt time,{OHLCV}"), {"pairs": {"BTCUSD": "BTC/USD"}}),
    "dukascopy, local time": ("BTC-USD_1h.csv", table("07.01.2019 02:00:00.000 GMT+0200",
        "07.01.2019 03:00:00.000 GMT+0200", header=f"Local time,{OHLCV}"), {}),
    "metatrader 5": ("BTCUSD_H1_201901070000_201901080000.csv",
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
        "2019.01.07\t02:00:00\t10\t12.5\t9.5\t11\t3\t0\t1\n2019.01.07\t03:00:00\t11\t11.5\t10.25\t10.5\t4\t0\t1\n",
        {"pairs": {"BTCUSD": "BTC/USD"}, "timezone": "Europe/Athens"}),
    "metatrader 4": ("BTCUSD60.csv", "2019.01.07,02:00,10,12.5,9.5,11,3\n2019.01.07,03:00,11,11.5,10.25,10.5,4\n",
        {"pairs": {"BTCUSD": "BTC/USD"}, "timezone": "Europe/Athens"}),
    "yahoo hours": ("BTC-USD_1h.csv", table("2019-01-06 19:00:00-05:00", "2019-01-06 20:00:00-05:00",
        header=f"Datetime,{OHLCV.replace('Close', 'Close,Adj Close')}").replace(",11,3", ",11,11,3").replace(
        ",10.5,4", ",10.5,10.5,4"), {}),
    "stooq": ("btc.v.csv", "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
        "BTC.V,60,20190107,010000,10,12.5,9.5,11,3,0\nBTC.V,60,20190107,20000,11,11.5,10.25,10.5,4,0\n",
        {"pairs": {"BTC.V": "BTC/USD"}, "timezone": "UTC", "stamp": "close"}),
    "cryptodatadownload": ("Binance_BTCUSD_1h.csv", "https://www.CryptoDataDownload.com\n"
        "unix,date,symbol,open,high,low,close,Volume BTC,Volume USD,tradecount\n"
        "1546822800,2019-01-07 01:00:00,BTC/USD,11,11.5,10.25,10.5,4,42,9\n"
        "1546819200,2019-01-07 00:00:00,BTC/USD,10,12.5,9.5,11,3,33,7\n", {"repair": ["sort"]}),
    "ccxt rows": ("BTC_USD-1h.json", json.dumps([[1546819200000, *PRICES[0]], [1546822800000, *PRICES[1]]]), {}),
    "kraken": ("1h/BTC-USD.csv", "1546819200,10,12.5,9.5,11,3,12\n1546822800,11,11.5,10.25,10.5,4,9\n", {}),
    "a column of symbols": ("hours.csv", table("BTC/USD,2019-01-07 01:00Z", "BTC/USD,2019-01-07 02:00Z",
        header=f"Ticker,close_time,{OHLCV}"), {"timeframe": "1h"}),
    "a column of timeframes": ("all.csv", table("BTC/USD,60m,2019-01-07 00:00Z", "BTC/USD,60m,2019-01-07 01:00Z",
        header=f"symbol,interval,open time,{OHLCV}"), {}),
    "sub-folders": ("BTC-USD/1H/2019-01.csv", table("2019-01-07 00:00:00 UTC", "2019-01-07 01:00:00 UTC",
        header=f"open_time,{OHLCV}"), {}),
    "semicolons and a decimal comma": ("BTC-USD_1h.csv", "Date;Open;High;Low;Close;Volume\n"
        "07/01/2019 01:00;10,0;12,5;9,5;11;3\n07/01/2019 02:00;11;11,5;10,25;10,5;4\n",
        {"decimal": "comma", "date_format": "%d/%m/%Y %H:%M", "timezone": "UTC", "stamp": "close"}),
    "single letters": ("BTC-USD_1h.csv", table("1546819200", "1546822800", header="t,o,h,l,c,v"), {"stamp": "open"}),
    "declared columns": ("BTC-USD_1h.csv", table("2019-01-07 00:00", "2019-01-07 01:00",
        header="Zeit,Erster,Hoch,Tief,Schluss,Menge"), {"timezone": "UTC", "stamp": "open", "columns": {"date": "zeit",
        "open": "Erster", "high": "Hoch", "low": "Tief", "close": "Schluss", "volume": "Menge"}}),
    "numbered columns": ("BTC-USD_1h.csv", "20190107 000000;3;10;12.5;9.5;11\n20190107 010000;4;11;11.5;10.25;10.5\n",
        {"timezone": "UTC", "stamp": "open", "columns": {"date": "1", "volume": "2", "open": "3", "high": "4",
        "low": "5", "close": "6"}}),
    "pipettes": ("BTC-USD_1h.csv", "open_time,open,high,low,close,volume\n"
        "2019-01-07T00:00Z,1000000,1250000,950000,1100000,3\n2019-01-07T01:00Z,1100000,1150000,1025000,1050000,4\n",
        {"price_scale": {"all": 1e-5}}),
}  # fmt: skip


def read(folder: Path, **declared: object) -> list[pd.DataFrame]:
    return folder_bars(folder, files=section(Files, declared, where="files"))


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refusal(folder: Path, **declared: object) -> str:
    with pytest.raises(DataError) as caught:
        read(folder, **declared)
    message = str(caught.value)
    assert "\n" not in message and message.isprintable()
    return message.replace(f"{folder}/", "")


@pytest.mark.parametrize("dialect", HOURS)
def test_the_same_bars_come_out_of_every_dialect(tmp_path: Path, dialect: str) -> None:
    name, text, declared = HOURS[dialect]
    put(tmp_path, name, text)
    (bars,) = read(tmp_path, **declared)
    assert bars[["pair", "timeframe"]].drop_duplicates().to_numpy().tolist() == [["BTC/USD", "1h"]]
    assert bars["date"].tolist() == [utc(close) for close in CLOSES]
    assert bars[COLUMNS[3:]].to_numpy().tolist() == PRICES


@pytest.mark.parametrize("coat", ["gz", "bom", "utf-16", "crlf", "quoted"])
def test_what_a_spreadsheet_or_a_packer_does_to_a_file_changes_nothing(tmp_path: Path, coat: str) -> None:
    text = HOURS["the strict form"][1]
    name, raw = {
        "gz": ("BTC-USD_1h.csv.gz", gzip.compress(text.encode())),
        "bom": ("BTC-USD_1h.csv", text.encode("utf-8-sig")),
        "utf-16": ("BTC-USD_1h.csv", text.encode("utf-16")),
        "crlf": ("BTC-USD_1h.csv", text.replace("\n", "\r\n").encode()),
        "quoted": ("BTC-USD_1h.csv", text.replace("date,", '"date",').replace("10,12.5", '"10","12.5"').encode()),
    }[coat]
    put(tmp_path, name, raw)
    (bars,) = read(tmp_path)
    assert bars[COLUMNS[3:]].to_numpy().tolist() == PRICES
