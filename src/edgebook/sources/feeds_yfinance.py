"""Bars of shares, funds, currencies and indices from Yahoo through yfinance: spans, sessions, and what errors mean."""

from __future__ import annotations

import atexit
import functools
import logging
import shutil
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.errors import SettingsError
from edgebook.sources.feeds_pages import page_of
from edgebook.sources.feeds_patience import GaveUpError, Trouble, in_few_words, patiently

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from edgebook.settings.bar_feed import Feed
    from edgebook.sources.feeds_pages import Wanted

SPANS = {"1m": (29, 7), "5m": (59, 59), "15m": (59, 59), "30m": (59, 59), "1h": (729, 120), "1d": (None, 3650)}
"""Days back from now that Yahoo has bars of a timeframe, and days that are asked for at once."""

LAG = pd.Timedelta(minutes=30)
"""A bar is taken so long after its close: of many exchanges Yahoo's prices come 15 to 20 minutes late."""

EARLY_OPENING = pd.Timedelta(hours=10)
"""East of UTC by so much (Sydney, Auckland) a session may open before midnight UTC: the one before closes earlier."""

_COLUMNS = ["Open", "High", "Low", "Close", "Volume"]
_DAY = pd.Timedelta(days=1)


def open_yahoo(feed: Feed, *, tell: Callable[[str], None]) -> Yahoo:
    """Set yfinance up: errors are raised, and what it remembers goes with the process.

    Parameters
    ----------
    feed : Feed
    tell : callable
        Told, in one line each, of waits and of what is not to be had.

    Raises
    ------
    SettingsError
        Yahoo has no bars of the timeframe.
    """
    import yfinance

    if feed.timeframe not in SPANS:
        raise SettingsError(
            f"params.yaml: bars.feed.timeframe: Yahoo has no bars of {feed.timeframe}; ask for 1h, of which coarser"
            f" ones are made (it has {', '.join(SPANS)})"
        )
    _own_memory()
    yfinance.config.debug.hide_exceptions = False
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)  # what it would log is told, in one line
    return Yahoo(feed, tell)


@dataclass(frozen=True)
class Yahoo:
    """Yahoo, ready; called with a series, it yields its pages."""

    feed: Feed
    tell: Callable[[str], None]

    def __call__(self, wanted: Wanted, *, until: pd.Timestamp) -> Iterator[pd.DataFrame]:
        """Yield a series' bars, the oldest first.

        Raises
        ------
        GaveUpError
            Yahoo does not have the symbol, or failed for too long.
        """
        name = f"Yahoo {wanted.pair}"
        closed_by = min(until, _now() - LAG)
        days_back, days_a_page = SPANS[wanted.timeframe]
        start = (wanted.after - wanted.length).floor("D")
        if days_back is not None and start < _now().normalize() - days_back * _DAY:
            start = _now().normalize() - days_back * _DAY
            self.tell(
                f"{name}: Yahoo has {wanted.timeframe} bars of the last {days_back + 1} days only; they begin"
                f" {start:%Y-%m-%d}" + (", and leave a gap" if wanted.known else "")
            )
        any_yet, confirmed, at = False, False, start
        while at < closed_by:
            end = min(at + days_a_page * _DAY, closed_by.ceil("D") + _DAY)
            page = functools.partial(self._page, wanted, start=at, end=end, closed_by=closed_by)
            try:
                bars, left_out = patiently(page, feed=self.feed, where=name, tell=self.tell, reset=_forget)
            except GaveUpError as error:
                if not (error.unlisted and wanted.known):
                    raise
                self.tell(f"{name}: is no longer listed; its bars that were received are kept")
                return
            if left_out:
                self.tell(f"{name}: {left_out} bars that cannot be are left out")
            if bars.empty and not confirmed:  # a server in trouble may say so: it has to say it twice
                confirmed = True
                continue
            if len(bars):
                any_yet = True
                yield bars
            confirmed, at = False, end
        if not any_yet and wanted.known:
            self.tell(f"{name}: has no bars since {wanted.after:%Y-%m-%d}; what was received is kept")
        elif not any_yet:
            raise GaveUpError(
                f"{name}: has no bars of {wanted.timeframe} since {start:%Y-%m-%d}; see whether it is spelled as Yahoo"
                " spells it (BRK-B, EURUSD=X, ^GSPC)",
                pair_only=True,
            )

    def _page(
        self, wanted: Wanted, *, start: pd.Timestamp, end: pd.Timestamp, closed_by: pd.Timestamp
    ) -> tuple[pd.DataFrame, int]:
        """Bars of some days."""
        import yfinance

        _forget()
        ticker = yfinance.Ticker(wanted.pair)
        try:
            answer = ticker.history(
                interval=wanted.timeframe,
                start=start.to_pydatetime(),
                end=end.to_pydatetime(),
                auto_adjust=self.feed.adjusted,
                actions=True,
                prepost=False,
                timeout=self.feed.timeout_seconds,
            )
            # A day on which only a dividend or a split is reported has no prices.
            answer = answer.dropna(subset=_COLUMNS[:4], how="all")
            closes = _closes(answer.index, wanted=wanted, kind=str(ticker.history_metadata.get("instrumentType")))
            rows = answer[_COLUMNS].astype("float64")
        except Exception as error:
            trouble = _trouble(error)
            if trouble is not None:
                raise trouble from error
            rows, closes = pd.DataFrame(columns=_COLUMNS, dtype="float64"), np.array([])
        rows[_COLUMNS[:4]] = _as_quoted(rows[_COLUMNS[:4]].to_numpy(), adjusted=self.feed.adjusted)
        rows.insert(0, "closes", closes)
        return page_of(rows, wanted=wanted, closed_by=closed_by, feed=self.feed)


def _closes(index: pd.DatetimeIndex, *, wanted: Wanted, kind: str) -> NDArray[np.float64]:
    """Milliseconds UTC at which bars close.

    Notes
    -----
    Yahoo stamps a bar's open in the exchange's time. A session closes at the midnight UTC that follows its date, as
    in the sample of shares: after New York, London and Tokyo have closed. Where the next session may open before that
    (`EARLY_OPENING`), it closes at 20:00 UTC. A day of a currency closes at the midnight of its own zone, when the next
    begins. A bar within a session closes a whole bar after its open, the short one at the session's end too: late is
    safe, early is not.
    """
    if wanted.timeframe != "1d":
        closes = index.tz_convert("UTC").tz_localize(None) + wanted.length
    else:
        days = pd.DatetimeIndex([pd.Timestamp(day) for day in index.date]) + _DAY
        if kind in ("CURRENCY", "CRYPTOCURRENCY"):
            local = days.tz_localize(index.tz, ambiguous=True, nonexistent="shift_forward")
            closes = local.tz_convert("UTC").tz_localize(None)
        else:
            east = np.array([(at.utcoffset() or pd.Timedelta(0)) >= EARLY_OPENING for at in index], dtype=np.bool_)
            closes = days.where(~east, days - pd.Timedelta(hours=4))
    milliseconds: NDArray[np.float64] = closes.as_unit("ms").asi8.astype(np.float64)
    return milliseconds


def _as_quoted(prices: NDArray[np.float64], *, adjusted: bool) -> NDArray[np.float64]:
    """Prices without the noise of Yahoo's 32-bit floats: 150.2 comes as 150.1999969482422.

    Adjusted prices are products of such floats: six digits are what can be told of them from one day to the next.
    """
    flat = prices.ravel()
    if adjusted:
        quoted = [float(f"{value:.6g}") for value in flat]
    else:
        pairs = zip(flat, flat.astype(np.float32), strict=True)
        quoted = [float(str(short)) if float(short) == value else value for value, short in pairs]
    return np.array(quoted, dtype=np.float64).reshape(prices.shape)


def _trouble(error: Exception) -> Trouble | None:
    """What an error means, and whether it passes; None where the days asked for have no bars."""
    from yfinance import exceptions

    words = in_few_words(error)
    if isinstance(error, exceptions.YFRateLimitError):
        return Trouble("asks for fewer requests (rate limit)")
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, exceptions.YFTzMissingError) or status == 404:
        return Trouble(
            "knows no such symbol, or no longer; see whether it is spelled as Yahoo spells it (BRK-B, EURUSD=X, ^GSPC)",
            tries=2,
            unlisted=True,
        )
    if isinstance(error, exceptions.YFPricesMissingError):
        reason = error.yahoo_reason or ""
        if not reason or "exist" in reason or "delisted" in reason or "No data" in reason:
            return None
        return Trouble(f"sent no prices ({words})", tries=1 if "not available" in reason else None)
    if isinstance(error, exceptions.YFDataException):
        return Trouble("is in maintenance" if "DOWN" in words else f"failed ({words})")
    if isinstance(error, OSError):
        return Trouble(f"broke the connection or did not answer in time ({words})")
    return Trouble(f"sent half an answer ({words})")


@functools.cache
def _own_memory() -> None:
    """Give yfinance a folder for cookies and timezones: its own lies in the user's home, and outlives mistakes."""
    import yfinance

    folder = tempfile.mkdtemp(prefix="edgebook-yahoo-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    yfinance.set_tz_cache_location(folder)


def _forget() -> None:
    """Drop what yfinance remembers of answers: a broken one would be given again."""
    from yfinance.data import YfData

    YfData.cache_get.cache_clear()


def _now() -> pd.Timestamp:
    """Return the time."""
    return pd.Timestamp.now("UTC").as_unit("ms")
