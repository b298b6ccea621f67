"""Bars of a hundred exchanges through ccxt: how it is opened, asked for a page, and what its errors mean."""

from __future__ import annotations

import difflib
import email.utils
import functools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.errors import SettingsError
from edgebook.files.credentials import credential
from edgebook.settings.bar_feed import FEED_TIMEFRAMES
from edgebook.sources.feeds_pages import page_of
from edgebook.sources.feeds_patience import GaveUpError, Trouble, in_few_words, patiently

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edgebook.settings.bar_feed import Feed
    from edgebook.sources.feeds_pages import Wanted

_MODEST_PAGE = 100
"""Bars in a page of an exchange of which ccxt does not know how many it gives."""


def open_exchange(feed: Feed, *, root: Path, tell: Callable[[str], None]) -> Exchange:
    """Open an exchange and learn what it trades.

    Parameters
    ----------
    feed : Feed
    root : Path
        The repository's top, for credentials.
    tell : callable
        Told, in one line each, of waits and of what is not to be had.

    Raises
    ------
    SettingsError
        There is no such exchange, or it has no bars of the timeframe.
    GaveUpError
        It cannot be reached.
    """
    import ccxt

    if feed.exchange not in ccxt.exchanges:
        near = difflib.get_close_matches(feed.exchange, ccxt.exchanges, n=1)
        hint = f"did you mean {near[0]}?" if near else "ccxt's documentation lists them"
        raise SettingsError(
            f"params.yaml: bars.feed.exchange: ccxt {ccxt.__version__} has no {feed.exchange!r}; {hint}"
        )
    keys = {"apiKey": feed.api_key, "secret": feed.secret}
    given = {name: credential(value, root=root) for name, value in keys.items() if value}
    timeout_ms = max(int(feed.timeout_seconds * 1000), 1)
    exchange = getattr(ccxt, feed.exchange)({"enableRateLimit": True, "timeout": timeout_ms, **given})
    exchange.requests_trust_env = True
    exchange.has["fetchCurrencies"] = False  # precisions and fees of withdrawals: nothing that bars need
    exchange.options["fetchMargins"] = False  # with a key, Binance's margin accounts would be asked for too
    exchange.on_rest_response = _whole
    _new_session(exchange)
    if not exchange.has.get("fetchOHLCV") or feed.timeframe not in (exchange.timeframes or {}):
        ours = [name for name in FEED_TIMEFRAMES if name in (exchange.timeframes or {})]
        has = f"it has {', '.join(ours)}" if ours and exchange.has.get("fetchOHLCV") else "ccxt gives no bars of it"
        raise SettingsError(f"params.yaml: bars.feed.timeframe: {feed.exchange} has no bars of {feed.timeframe}; {has}")
    opened = Exchange(exchange, feed, tell)
    opened.ask(opened.load_markets, where=feed.exchange)
    return opened


@dataclass(frozen=True)
class Exchange:
    """An exchange that is open; called with a series, it yields its pages."""

    exchange: Any
    feed: Feed
    tell: Callable[[str], None]

    def __call__(self, wanted: Wanted, *, until: pd.Timestamp) -> Iterator[pd.DataFrame]:
        """Yield a series' bars, the oldest first.

        Raises
        ------
        GaveUpError
            The exchange does not have the pair, or failed for too long.
        """
        name = f"{self.feed.exchange} {wanted.pair}"
        if not self._trades(wanted):
            return
        length = int(wanted.length / pd.Timedelta(1, "ms"))
        rows_a_page = self._rows_a_page(wanted.pair)
        after, confirmed, any_yet = wanted.after.value // 1_000_000, False, False
        while True:
            page = functools.partial(self._page, wanted, after=after, until=until, limit=rows_a_page)
            bars, left_out, closed_by = self.ask(page, where=name)
            if left_out:
                self.tell(f"{name}: {left_out} bars that cannot be are left out")
            bars = bars[bars["date"] > pd.Timestamp(after, unit="ms", tz="UTC")]
            if len(bars):
                if not any_yet and bars["date"].iloc[0] > wanted.after + 2 * wanted.length:
                    self.tell(_begins_late(name, bars["date"].iloc[0], wanted=wanted))
                yield bars
                any_yet, confirmed = True, False
                after = bars["date"].iloc[-1].value // 1_000_000
            elif not confirmed:  # an exchange in trouble may say so: it has to say it twice
                confirmed = True
                continue
            else:  # nothing in this page's span; one bar of overlap, as some count its end in and some do not
                after += (rows_a_page - 1) * length
                confirmed = False
            if after + length > min(until, closed_by).value // 1_000_000:
                break
        if not any_yet and not wanted.known:
            raise GaveUpError(
                f"{name}: has no bars of {wanted.timeframe} since {wanted.after:%Y-%m-%d}; take it out of "
                "bars.feed.pairs",
                pair_only=True,
            )

    def load_markets(self) -> None:
        """Learn what is traded."""
        if not self.exchange.load_markets():
            raise Trouble("lists nothing that is traded")

    def ask(self, call: Callable[[], Any], *, where: str) -> Any:
        """Call the exchange, patiently."""

        def named() -> Any:
            try:
                return call()
            except Trouble:
                raise
            except Exception as error:
                raise _trouble(error, self.exchange) from error

        return patiently(named, feed=self.feed, where=where, tell=self.tell, reset=lambda: _new_session(self.exchange))

    def _page(
        self, wanted: Wanted, *, after: int, until: pd.Timestamp, limit: int
    ) -> tuple[pd.DataFrame, int, pd.Timestamp]:
        """Bars that close later than `after`, how many were left out, and the time by which all have closed."""
        length = int(wanted.length / pd.Timedelta(1, "ms"))
        self.exchange.last_response_headers = None
        rows = self.exchange.fetch_ohlcv(wanted.pair, wanted.timeframe, since=after - length + 1, limit=limit)
        # The exchange's clock has a say: by one of ours that is fast its open bar would have closed.
        closed_by = min(until, _date_of(self.exchange.last_response_headers) or until)
        closing = [[row[0] + length, *row[1:]] for row in rows]
        return *page_of(closing, wanted=wanted, closed_by=closed_by, feed=self.feed), closed_by

    def _trades(self, wanted: Wanted) -> bool:
        """Whether the exchange has the pair; say so where it no longer does, raise where it never did."""
        market = self.exchange.markets.get(wanted.pair)
        name = f"{self.feed.exchange} {wanted.pair}"
        if market is None and wanted.known:
            self.tell(f"{name}: is no longer listed; its bars that were received are kept")
            return False
        if market is None:
            near = difflib.get_close_matches(wanted.pair, self.exchange.markets, n=1)
            hint = f"did you mean {near[0]}?" if near else "write it as the exchange does, like BTC/USDT"
            raise GaveUpError(f"{name}: no such symbol in bars.feed.pairs; {hint}", pair_only=True)
        if market.get("active") is False:
            self.tell(f"{name}: is not traded at present; the bars that the exchange still has are taken")
        return True

    def _rows_a_page(self, pair: str) -> int:
        """How many bars the exchange gives at once."""
        try:
            limit = self.exchange.feature_value(pair, "fetchOHLCV", "limit")
        except Exception:  # a table of ccxt that an exchange may lack or have in another shape
            limit = None
        return max(int(limit), 2) if isinstance(limit, (int, float)) and limit else _MODEST_PAGE


def _begins_late(name: str, first: pd.Timestamp, *, wanted: Wanted) -> str:
    """Say that bars begin later than was asked for."""
    if wanted.known:
        return f"{name}: gives no bars between {wanted.after:%Y-%m-%d %H:%M} and {first:%Y-%m-%d %H:%M}: a gap"
    return f"{name}: its bars begin {first:%Y-%m-%d %H:%M}; older ones the exchange does not give"


def _trouble(error: Exception, exchange: Any) -> Trouble:
    """What an error of ccxt means, and whether it passes."""
    import ccxt

    words = in_few_words(error)
    wait = _retry_after(exchange.last_response_headers)
    if isinstance(error, ccxt.OnMaintenance):
        return Trouble("is in maintenance", wait_seconds=wait)
    if isinstance(error, (ccxt.RateLimitExceeded, ccxt.DDoSProtection)):
        return Trouble("asks for fewer requests (rate limit)", wait_seconds=wait)
    if isinstance(error, ccxt.RequestTimeout):
        return Trouble("did not answer in time", wait_seconds=wait)
    if isinstance(error, ccxt.ExchangeNotAvailable):
        return Trouble(f"is not available ({words})", wait_seconds=wait)
    if isinstance(error, (ccxt.BadSymbol, ccxt.BadRequest, ccxt.ArgumentsRequired, ccxt.NotSupported)):
        return Trouble(f"refused the request ({words}); correct bars.feed", tries=1)
    if isinstance(error, (ccxt.AuthenticationError, ccxt.InvalidProxySettings)):
        return Trouble(f"refused access ({words}); see bars.feed.api_key and the network's rules", tries=1)
    if isinstance(error, ccxt.BadResponse):
        return Trouble(words)
    if isinstance(error, ccxt.NetworkError):
        return Trouble(f"broke the connection ({words})", wait_seconds=wait)
    if isinstance(error, ccxt.BaseError):
        return Trouble(f"failed ({words})", wait_seconds=wait)
    if isinstance(error, OSError):
        return Trouble(f"broke the connection ({words})")
    return Trouble(f"sent half an answer ({words})")  # what ccxt's own parsing stumbles over: KeyError, TypeError


def _whole(status: int, _reason: str, _url: str, _method: str, _headers: Any, body: str, *_: Any) -> str:
    """Let an answer pass that is whole: of half a list of symbols ccxt would make an empty one."""
    import ccxt

    if status < 400:
        try:
            json.loads(body)
        except ValueError as error:
            raise ccxt.BadResponse(f"sent half an answer ({in_few_words(error)})") from error
    return body.strip()


def _retry_after(headers: Any) -> float:
    """Seconds that a Retry-After header asks for, 0 without one."""
    said = (headers or {}).get("Retry-After")
    if said is None:
        return 0.0
    try:
        return max(float(said), 0.0)
    except ValueError:
        at = _date(said)
        return 0.0 if at is None else max((at - pd.Timestamp.now("UTC")).total_seconds(), 0.0)


def _date_of(headers: Any) -> pd.Timestamp | None:
    """When an answer was sent, by the server's clock."""
    said = (headers or {}).get("Date")
    return None if said is None else _date(said)


def _date(text: str) -> pd.Timestamp | None:
    """Read a date as HTTP writes it."""
    try:
        at = pd.Timestamp(email.utils.parsedate_to_datetime(text))
    except (ValueError, TypeError):
        return None
    return at.tz_localize("UTC") if at.tzinfo is None else at.tz_convert("UTC")


def _new_session(exchange: Any) -> None:
    """Give ccxt fresh connections: a call that stalled keeps the ones it has."""
    import requests

    exchange.session = requests.Session()
    exchange.session.trust_env = True
