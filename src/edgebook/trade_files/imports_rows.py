"""Trades of another tool, each held to what a recorded outcome is; one that breaks a rule becomes a line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from edgebook.errors import DataError
from edgebook.trade_files.imports_values import MINUTES, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True)
class Found:
    """Trades of a file, and the rows that were refused.

    Parameters
    ----------
    trades : list of dict
        Canonical columns, one dict a trade, by `open_date`, then `signal_id`. Dates are in UTC.
    refused : list of str
        One line each: file, trade, column, value, rule.
    averaged : int
        Trades of several entries or exits, for which average rates stand.
    """

    trades: list[dict[str, Any]]
    refused: list[str]
    averaged: int


def collect(raws: Iterable[tuple[str, Any]], read: Callable[[Any], dict[str, Any]], *, shown: str, tool: str) -> Found:
    """Read every trade of a file; one that breaks a rule becomes a line.

    Parameters
    ----------
    raws : iterable of (str, object)
        What to call the trade in a message ("trade 7", "row 12"), and what the file has of it.
    read : callable
        Makes canonical columns of it, or raises `RefusedError`.
    shown : str
        How messages name the file.
    tool : str
        Begins the ids of trades that have none: ``freqtrade_BTC-USD_1h_20190101T030000_long``, by pair, timeframe,
        entry and side, so that a trade has the same id in every later file of the same desk. Of trades that share all
        four, the later ones in the file end in ``_2``, ``_3``.

    Returns
    -------
    Found
    """
    trades, refused, taken = [], [], set()
    averaged = 0
    for called, raw in raws:
        try:
            trade = checked(read(raw))
            own = trade.pop("own_id", "")
            if own and own in taken:
                raise RefusedError("signal_id", own, "another trade of the file has it")
        except DataError as error:
            refused.append(f"{shown}: {called}: {error}")
            continue
        averaged += trade.pop("averaged", False)
        named = own or (
            f"{tool}_{re.sub(r'[^A-Za-z0-9.]+', '-', trade['pair'])}_{trade['timeframe']}"
            f"_{trade['open_date']:%Y%m%dT%H%M%S}_{'short' if trade['is_short'] else 'long'}"
        )
        signal_id, again = named, 1
        while signal_id in taken:
            again += 1
            signal_id = f"{named}_{again}"
        taken.add(signal_id)
        trades.append({"signal_id": signal_id} | trade)
    return Found(sorted(trades, key=lambda t: (t["open_date"], t["signal_id"])), refused, averaged)


def checked(trade: dict[str, Any]) -> dict[str, Any]:
    """Hold a trade to what must be so of its values together.

    Parameters
    ----------
    trade : dict
        Canonical columns; each value is of its type already.

    Returns
    -------
    dict
        The same, with `date`, the close of the decision bar, where it was missing.

    Raises
    ------
    RefusedError
        A stop or target on the wrong side of the entry, a close before the entry, a closed trade without its close.
    """
    entry, sign = trade["open_rate"], -1 if trade["is_short"] else 1
    for name, side in (("stop_loss_abs", -1), ("take_profit_abs", 1)):
        level = trade[name]
        if level is not None and sign * side * (level - entry) <= 0:
            where = "below" if sign * side > 0 else "above"
            raise RefusedError(name, level, f"it lies {where} the entry at {entry:g} or on it, where it cannot be hit")
    if trade["status"] == "closed":
        for name in ("close_date", "close_rate", "profit_ratio"):
            if trade[name] is None:
                raise RefusedError(name, None, "a closed trade has one")
        if trade["close_date"] < trade["open_date"]:
            raise RefusedError("close_date", f"{trade['close_date']:%Y-%m-%d %H:%M:%S}", "it lies before the entry")
    else:
        trade = trade | dict.fromkeys(("close_date", "close_rate", "profit_ratio", "exit_reason", "exit_word"))
    if trade.get("date") is None:
        trade["date"] = floor_to(trade["open_date"], timeframe=trade["timeframe"])
    return trade


def floor_to(moment: datetime, *, timeframe: str) -> datetime:
    """Close of the last bar that had closed by a time, where bars are counted from midnight UTC.

    Examples
    --------
    >>> from datetime import UTC
    >>> floor_to(datetime(2019, 1, 1, 7, 0, 7, tzinfo=UTC), timeframe="4h").hour
    4
    """
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return day + (moment - day) // timedelta(minutes=MINUTES[timeframe]) * timedelta(minutes=MINUTES[timeframe])
