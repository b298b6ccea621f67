"""What Yahoo's chart answers, in its own format, from bars that are known."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from curl_cffi.requests import Session

if TYPE_CHECKING:
    from wire import Server

MINUTES = {"1m": 1, "5m": 5, "15m": 15, "1h": 60, "1d": 1440}


def session_to(server: Server) -> Session:
    """A session as yfinance makes one, for which every host of Yahoo is this server."""

    class Here(Session):
        def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            path = url.split("/", 3)[3] if url.count("/") > 2 else ""
            return super().request(method, f"{server.address}/{path}", *args, **kwargs)

    return Here(impersonate="chrome", proxies={})


@dataclass
class Share:
    """A symbol: its exchange's zone and hours, its days and prices, what it paid.

    `days` holds open, high, low, close, volume by the date of the session; bars within a session repeat its prices
    by their place in it.
    """

    zone: str
    opens: str
    closes: str
    days: dict[pd.Timestamp, tuple[float, float, float, float, int]]
    kind: str = "EQUITY"
    dividends: dict[pd.Timestamp, float] = field(default_factory=dict)

    def session(self, day: pd.Timestamp) -> tuple[pd.Timestamp, pd.Timestamp]:
        """Open and close of a day's session."""
        opens, closes = (pd.Timestamp(f"{day:%Y-%m-%d} {time}", tz=self.zone) for time in (self.opens, self.closes))
        return opens, closes if closes > opens else closes + pd.Timedelta(days=1)

    def bars(self, interval: str) -> list[tuple[pd.Timestamp, tuple[float, float, float, float, int]]]:
        """Open time and values of every bar."""
        if interval == "1d":
            return [(self.session(day)[0], values) for day, values in self.days.items()]
        made = []
        for day, (opened, high, low, closed, volume) in self.days.items():
            begins, ends = self.session(day)
            at, n = begins, 0
            while at < ends:
                n += 1
                nth = min(round(closed + n / 100, 2), high)
                made.append((at, (opened, high, low, nth, volume + n)))
                at += pd.Timedelta(minutes=MINUTES[interval])
        return made

    def factor(self, day: pd.Timestamp) -> float:
        """What a close of a day is multiplied by for the dividends after it."""
        factor = 1.0
        for paid, amount in self.dividends.items():
            if day < paid:
                before = max(one for one in self.days if one < paid)
                factor *= 1 - amount / self.days[before][3]
        return factor


def random_days(first: str, last: str, *, seed: int = 1, price: float = 150.0) -> dict[pd.Timestamp, Any]:
    """Weekdays with prices of two decimals that wander."""
    draw, made = random.Random(seed), {}
    for day in pd.bdate_range(first, last):
        close = round(price * math.exp(draw.gauss(0, 0.01)), 2)
        high, low = round(max(price, close) + 1.0, 2), round(min(price, close) - 1.0, 2)
        made[day] = (price, high, low, close, draw.randrange(1000, 9000))
        price = close
    return made


class Yahoo:
    """The chart of some shares, as it stands at `now`."""

    def __init__(self, shares: dict[str, Share], *, now: str) -> None:
        self.shares, self.now = shares, pd.Timestamp(now, tz="UTC")

    def __call__(self, path: str, query: dict[str, str]) -> Any:
        if path == "/v1/test/getcrumb":
            return "a.crumb"
        if not path.startswith("/v8/finance/chart/"):
            return 404, "nothing here"
        share = self.shares.get(path.rsplit("/", 1)[1].replace("%3D", "="))
        if share is None:
            error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            return 404, {"chart": {"result": None, "error": error}}
        interval = query["interval"]
        end = pd.Timestamp(int(query.get("period2", self.now.timestamp())), unit="s", tz="UTC")
        begin = (
            pd.Timestamp(int(query["period1"]), unit="s", tz="UTC") if "period1" in query else end - pd.Timedelta("1D")
        )
        bars = [(at, values) for at, values in share.bars(interval) if begin <= at < end and at <= self.now]
        result = {"meta": self._meta(share, interval, bars), "indicators": {"quote": [{}]}}
        if bars:
            result["timestamp"] = [int(at.timestamp()) for at, _ in bars]
            result["events"] = self._events(share, begin, end)
            result["indicators"] = self._indicators(share, interval, bars)
        return {"chart": {"result": [result], "error": None}}

    def _indicators(self, share: Share, interval: str, bars: list[Any]) -> dict[str, Any]:
        names = ("open", "high", "low", "close")
        quote = {name: [_float32(values[i]) for _, values in bars] for i, name in enumerate(names)}
        indicators = {"quote": [{**quote, "volume": [values[4] for _, values in bars]}]}
        if interval == "1d":
            closes = zip(bars, quote["close"], strict=True)
            adjusted = [_float32(c * share.factor(at.tz_localize(None).normalize())) for (at, _), c in closes]
            indicators["adjclose"] = [{"adjclose": adjusted}]
        return indicators

    def _events(self, share: Share, begin: pd.Timestamp, end: pd.Timestamp) -> dict[str, Any]:
        paid = {share.session(day)[0]: amount for day, amount in share.dividends.items()}
        within = {int(at.timestamp()): amount for at, amount in paid.items() if begin <= at < end}
        return {"dividends": {str(at): {"amount": amount, "date": at} for at, amount in within.items()}}

    def _meta(self, share: Share, interval: str, bars: list[Any]) -> dict[str, Any]:
        offset = int(self.now.tz_convert(share.zone).utcoffset().total_seconds())
        days = sorted({at.tz_localize(None).normalize() for at, _ in bars})
        periods = [[self._period(share, day)] for day in days]
        today = self._period(share, self.now.tz_convert(share.zone).tz_localize(None).normalize())
        return {
            "currency": "USD", "symbol": "X", "exchangeName": "X", "instrumentType": share.kind, "priceHint": 2,
            "firstTradeDate": int(min(share.days).timestamp()), "regularMarketTime": int(self.now.timestamp()),
            "gmtoffset": offset, "timezone": "X", "exchangeTimezoneName": share.zone, "dataGranularity": interval,
            "currentTradingPeriod": {name: dict(today) for name in ("pre", "regular", "post")}, "range": "",
            "validRanges": ["1d", "max"], **({"tradingPeriods": periods} if interval != "1d" else {}),
        }  # fmt: skip

    def _period(self, share: Share, day: pd.Timestamp) -> dict[str, Any]:
        begins, ends = share.session(day)
        return {"timezone": "X", "start": int(begins.timestamp()), "end": int(ends.timestamp()), "gmtoffset": 0}


def _float32(value: float) -> float:
    return float(np.float32(value))
