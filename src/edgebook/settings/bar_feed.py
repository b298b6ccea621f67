"""Settings of the sources `ccxt` and `yfinance`: which bars to ask whom for, and how patiently."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Literal

from edgebook.errors import SettingsError

FEED_TIMEFRAMES = ("1m", "5m", "15m", "30m", "1h", "4h", "1d")
"""Timeframes that a feed may be asked for."""

_ID = re.compile(r"[a-z][a-z0-9_]*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, kw_only=True)
class Feed:
    """Bars of an exchange (source `ccxt`) or of Yahoo (source `yfinance`)."""

    exchange: str = "binance"
    pairs: tuple[str, ...] = ()
    since: str = "2018-01-01"
    timeframe: str = "1h"
    adjusted: bool = False
    impossible: Literal["refuse", "leave_out"] = "refuse"
    timeout_seconds: float = 30.0
    retries: int = 6
    patience_seconds: float = 300.0
    api_key: str = ""
    secret: str = ""


def check_feed(feed: Feed, where: str) -> None:
    """Hold the settings to what their types cannot say.

    Raises
    ------
    SettingsError
        One line: setting, value, rule.
    """
    if not _ID.fullmatch(feed.exchange):
        raise SettingsError(f"{where}.exchange: {feed.exchange!r} is no name of ccxt; those are like binance, kraken")
    for pair in feed.pairs:
        if not pair or pair != pair.strip() or not pair.isprintable():
            raise SettingsError(f"{where}.pairs: {pair!r} is no symbol; write it like BTC/USDT or AAPL")
    twice = next((pair for i, pair in enumerate(feed.pairs) if pair in feed.pairs[:i]), None)
    if twice is not None:
        raise SettingsError(f"{where}.pairs: {twice} is there twice; name it once")
    try:
        datetime.date.fromisoformat(feed.since)
    except ValueError as error:
        raise SettingsError(f"{where}.since: {feed.since!r} is not a date like 2018-01-01") from error
    if feed.timeframe not in FEED_TIMEFRAMES:
        raise SettingsError(f"{where}.timeframe: {feed.timeframe!r} is not one of {', '.join(FEED_TIMEFRAMES)}")
    if not 0 < feed.timeout_seconds <= 600:
        raise SettingsError(f"{where}.timeout_seconds: must be in (0, 600], is {feed.timeout_seconds}")
    if not 0 <= feed.retries <= 50:
        raise SettingsError(f"{where}.retries: must be 0 to 50, is {feed.retries}")
    if not 0 < feed.patience_seconds <= 7200:
        raise SettingsError(f"{where}.patience_seconds: must be in (0, 7200], is {feed.patience_seconds}")
    for name in ("api_key", "secret"):
        value = getattr(feed, name)
        if value and not _NAME.fullmatch(value):
            raise SettingsError(
                f"{where}.{name}: must be the name of a credential, not the key; put the key into .env "
                "(EXCHANGE_KEY=...) and write EXCHANGE_KEY here"
            )
