"""Bars of an exchange (through ccxt) or of Yahoo (through yfinance), page by page.

Both libraries are extras. Bars are asked for from where each series stands, the oldest first, and each page is handed
on as soon as it is whole: who keeps it can go on from there after a download that broke.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Literal

import pandas as pd

from edgebook.bars.bars import check_bars
from edgebook.errors import DataError, SettingsError
from edgebook.sources.feeds_pages import Wanted
from edgebook.sources.feeds_patience import GaveUpError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from edgebook.settings.bar_feed import Feed

INSTALL = "run `make feeds`, or `pip install -r requirements-feeds.lock`"


def fetch_bars(
    feed: Feed,
    *,
    source: Literal["ccxt", "yfinance"],
    root: Path,
    since: Mapping[tuple[str, str], pd.Timestamp] | None,
    until: pd.Timestamp,
    tell: Callable[[str], None] | None = None,
) -> Iterator[pd.DataFrame]:
    """Ask for bars, series by series, the oldest first.

    Parameters
    ----------
    feed : Feed
        Section `bars.feed`.
    source : {"ccxt", "yfinance"}
        The library.
    root : Path
        The repository's top, for credentials.
    since : mapping of (pair, timeframe) to Timestamp, or None
        UTC; bars that close later are wanted. A series that is not named is wanted from ``feed.since``. The caller
        goes back a little behind the last bar it has, so that it sees what was corrected.
    until : Timestamp
        UTC. Bars that close later have not closed.
    tell : callable, optional
        Told, in one line each, of waits and of what the server does not have.

    Yields
    ------
    DataFrame
        Columns `COLUMNS`, checked, ascending, each bar once in all pages; `date` is the close in UTC.

    Raises
    ------
    SettingsError
        The library is not installed, or a setting cannot be what the server needs.
    DataError
        The server failed for longer than the feed is patient, or sent a bar that cannot be. Where the trouble is with
        one pair, the others are asked for first.
    """
    if not feed.pairs:
        raise SettingsError(f"params.yaml: bars.feed.pairs: is empty; name what to ask {source} for")
    if importlib.util.find_spec(source) is None:
        raise SettingsError(f"{source}: is not installed, and params.yaml's bars.source is {source}; {INSTALL}")
    pages: Callable[..., Iterator[pd.DataFrame]]
    if source == "ccxt":
        from edgebook.sources.feeds_ccxt import open_exchange

        pages = open_exchange(feed, root=root, tell=tell or _silent)
    else:
        from edgebook.sources.feeds_yfinance import open_yahoo

        pages = open_yahoo(feed, tell=tell or _silent)
    first = pd.Timestamp(feed.since, tz="UTC")
    failed: list[DataError] = []
    for pair in feed.pairs:
        last = (since or {}).get((pair, feed.timeframe))
        wanted = Wanted(pair, feed.timeframe, first if last is None else last, last is not None)
        seen = wanted.after
        try:
            for bars in pages(wanted, until=until):
                fresh = bars[bars["date"] > seen].reset_index(drop=True)
                if len(fresh):
                    check_bars(fresh, source=f"{source} {pair}")
                    seen = fresh["date"].iloc[-1]
                    yield fresh
        except GaveUpError as error:
            if not error.pair_only:
                raise
            failed.append(error)
    if failed:
        more = f" (and {len(failed) - 1} more pairs)" if len(failed) > 1 else ""
        raise DataError(f"{failed[0]}{more}")


def _silent(_: str) -> None:
    """Tell nobody."""
