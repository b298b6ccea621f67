"""What Binance, Kraken and Coinbase answer, each in its own format, from bars that are known."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

import ccxt
import pandas as pd

from edgebook.bars.bars import COLUMNS

if TYPE_CHECKING:
    import pytest
    from wire import Server

HOUR_MS = 3_600_000
Candles = dict[str, list[list[float]]]
"""By pair: open time (milliseconds), open, high, low, close, volume."""


def random_candles(*pairs: str, first: str, count: int, seed: int = 1) -> Candles:
    """Hourly candles that wander."""
    draw = random.Random(seed)
    start = pd.Timestamp(first, tz="UTC").value // 1_000_000
    made: Candles = {}
    for pair in pairs:
        price, made[pair] = 100.0, []
        for i in range(count):
            close = round(price * math.exp(draw.gauss(0, 0.01)), 2)
            high, low = round(max(price, close) + 0.5, 2), round(min(price, close) - 0.5, 2)
            made[pair].append([start + i * HOUR_MS, price, high, low, close, round(draw.uniform(1, 9), 4)])
            price = close
    return made


def as_bars(candles: Candles) -> pd.DataFrame:
    """The same as Edgebook has them: stamped at the close, sorted."""
    rows = [
        (pair, "1h", pd.Timestamp(int(at) + HOUR_MS, unit="ms", tz="UTC").as_unit("ms"), *values)
        for pair in sorted(candles)
        for at, *values in candles[pair]
    ]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"date": "datetime64[ms, UTC]"})


def send_here(monkeypatch: pytest.MonkeyPatch, name: str, server: Server) -> None:
    """Give an exchange of ccxt the address of a server, by its own table of addresses."""
    real = getattr(ccxt, name)

    class Here(real):  # type: ignore[misc,valid-type]
        def describe(self) -> Any:
            described = super().describe()
            described["urls"]["api"] = _here(described["urls"]["api"], server.address)
            described["rateLimit"] = 1
            return described

    monkeypatch.setattr(ccxt, name, Here)


def _here(urls: Any, address: str) -> Any:
    if isinstance(urls, dict):
        return {key: _here(value, address) for key, value in urls.items()}
    return address + "/" + urls.split("/", 3)[3] if urls.count("/") > 2 else address


class Binance:
    """Klines from `startTime` on, so many at most, and the candle that is still open."""

    def __init__(
        self, candles: Candles, *, interval: str = "1h", most: int = 300, delisted: tuple[str, ...] = ()
    ) -> None:
        self.candles, self.interval, self.most, self.delisted = candles, interval, most, delisted
        self.untidy = ""

    def __call__(self, path: str, query: dict[str, str]) -> Any:
        if path.endswith("/exchangeInfo"):
            return {"symbols": [self._symbol(pair) for pair in self.candles] if path.startswith("/api/v3") else []}
        assert path == "/api/v3/klines", path
        assert query["interval"] == self.interval
        rows = next((rows for pair, rows in self.candles.items() if pair.replace("/", "") == query["symbol"]), None)
        if rows is None:
            return 400, {"code": -1121, "msg": "Invalid symbol."}
        most = min(self.most, int(query["limit"]))
        page = [self._kline(row) for row in rows if row[0] >= int(query["startTime"])][:most]
        if self.untidy == "backwards":
            page = page[::-1]
        elif self.untidy == "shuffled":
            random.Random(len(page)).shuffle(page)
        elif self.untidy == "twice":
            page = [row for row in page for _ in range(2)]
        elif self.untidy == "from before":
            page = [self._kline(row) for row in rows if row[0] < int(query["startTime"])][-5:] + page
        return page

    def _symbol(self, pair: str) -> dict[str, Any]:
        base, quote = pair.split("/")
        status = "BREAK" if pair in self.delisted else "TRADING"
        return {
            "symbol": base + quote, "status": status, "baseAsset": base, "baseAssetPrecision": 8, "quoteAsset": quote,
            "quotePrecision": 8, "orderTypes": ["LIMIT"], "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": False, "filters": [], "permissions": ["SPOT"],
        }  # fmt: skip

    def _kline(self, row: list[float]) -> list[Any]:
        at, *prices, volume = row
        closes = int(at) + pd.Timedelta(self.interval) // pd.Timedelta(1, "ms") - 1
        return [int(at), *map(str, prices), str(volume), closes, "1.0", 9, "1.0", "1.0", "0"]


class Kraken:
    """The last 720 candles after `since` (seconds), within a table of tables; errors come with status 200."""

    def __init__(self, candles: Candles) -> None:
        self.candles = candles
        self.errors: list[str] = []

    def __call__(self, path: str, query: dict[str, str]) -> Any:
        if path == "/0/public/AssetPairs":
            return {"error": [], "result": {pair.replace("/", ""): self._pair(pair) for pair in self.candles}}
        assert path == "/0/public/OHLC", path
        if self.errors:
            return {"error": [self.errors.pop(0)]}
        name, rows = next((n, r) for n, r in self._named() if n == query["pair"])
        after = [row for row in rows if row[0] // 1000 > int(query["since"])][-720:]
        table = [[int(row[0]) // 1000, *map(str, row[1:5]), "0.0", str(row[5]), 3] for row in after]
        return {"error": [], "result": {name: table, "last": table[-1][0] if table else 0}}

    def _named(self) -> list[tuple[str, list[list[float]]]]:
        return [(pair.replace("/", ""), rows) for pair, rows in self.candles.items()]

    def _pair(self, pair: str) -> dict[str, Any]:
        base, quote = pair.split("/")
        return {
            "altname": base + quote, "wsname": pair, "aclass_base": "currency", "base": base,
            "aclass_quote": "currency", "quote": quote, "lot": "unit", "pair_decimals": 2, "lot_decimals": 8,
            "lot_multiplier": 1, "leverage_buy": [], "leverage_sell": [], "fees": [[0, 0.26]],
            "fees_maker": [[0, 0.16]], "ordermin": "0.01", "status": "online",
        }  # fmt: skip


class Coinbase:
    """Candles of a span (seconds), the newest first, 300 at most; nothing where the span lies before the first."""

    def __init__(self, candles: Candles) -> None:
        self.candles = candles

    def __call__(self, path: str, query: dict[str, str]) -> Any:
        products = "/api/v3/brokerage/market/products"
        if path == products:
            spot = "product_type" not in query
            return {"products": [self._product(pair) for pair in self.candles] if spot else []}
        name = path.removeprefix(f"{products}/").removesuffix("/candles")
        rows = next(rows for pair, rows in self.candles.items() if pair.replace("/", "-") == name)
        span = [row for row in rows if int(query["start"]) <= row[0] // 1000 < int(query["end"])][:300]
        names = ("start", "open", "high", "low", "close", "volume")
        given = [[str(int(row[0]) // 1000), *map(str, row[1:])] for row in span]
        return {"candles": [dict(zip(names, row, strict=True)) for row in reversed(given)]}

    def _product(self, pair: str) -> dict[str, Any]:
        base, quote = pair.split("/")
        return {
            "product_id": f"{base}-{quote}", "price": "1", "base_increment": "0.01", "quote_increment": "0.01",
            "quote_min_size": "1", "quote_max_size": "1", "base_min_size": "1", "base_max_size": "1",
            "status": "online", "trading_disabled": False, "product_type": "SPOT", "quote_currency_id": quote,
            "base_currency_id": base, "price_increment": "0.01",
        }  # fmt: skip
