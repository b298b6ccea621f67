"""freqtrade's trades: its database, read-only, and the result of a backtest, as JSON or zipped.

What freqtrade counts otherwise, and what is made of it:

- A profit ratio is a share of the margin, the entry fee included. Here it is a share of the notional at entry: divided
  by the leverage, times ``1 + fee_open`` for a long and ``1 - fee_open`` for a short. Funding is in it.
- Of several entries or exits (position adjustment, partial exits) the rates are the averages over all filled orders,
  weighted by amount; the trade is open from its first entry to its last exit, its profit the whole of it.
- The risk at entry is the initial stop. One that moved later is not a stop at entry: `trailing_stop_loss` is a time
  exit at its actual profit, under its own word, as are exit signals, forced exits and words of the strategy.
  `stop_loss`, `stoploss_on_exchange` while the stop stood where it was, and `liquidation` are stops, `roi` is a target.
- A target moves with time and is not stored: it is the rate reached where a trade closed by it, else missing.
- A backtest dates an exit at a target or stop by the opening of its candle. It was known when the candle closed, so
  the candle's length is added, that of the detail timeframe where one was used.
"""

from __future__ import annotations

import io
import json
import sqlite3
import time
import zipfile
import zlib
from contextlib import closing
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from edgebook.errors import DataError
from edgebook.trade_files import imports_rows as rows
from edgebook.trade_files import imports_values as values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LARGEST_JSON = 256 * 1024**2
_SECONDS = 60
_SQLITE = b"SQLite format 3\x00"
_INSIDE_A_CANDLE = {"roi", "stop_loss", "trailing_stop_loss", "stoploss_on_exchange", "liquidation"}
_TRADES = {
    "id": "id", "pair": "pair", "is_open": "is_open", "is_short": "is_short", "leverage": "leverage",
    "timeframe": "timeframe", "fee_open": "fee_open", "fee_close": "fee_close", "open_rate": "open_rate",
    "close_rate": "close_rate", "close_profit": "profit_ratio", "open_date": "open_date", "close_date": "close_date",
    "stop_loss": "stop_loss_abs", "initial_stop_loss": "initial_stop_loss_abs", "exit_reason": "exit_reason",
    "sell_reason": "exit_reason", "enter_tag": "enter_tag", "buy_tag": "enter_tag",
}  # fmt: skip
_REQUIRED = ("id", "pair", "is_open", "open_rate", "close_rate", "close_profit", "open_date", "close_date", "fee_open")
_ORDERS = ("ft_trade_id", "ft_order_side", "filled", "average", "price", "ft_fee_base")


def read_freqtrade(file: Path, *, timeframe: str | None, shown: str) -> rows.Found:
    """Read the trades of a freqtrade database or backtest result.

    Parameters
    ----------
    file : Path
        SQLite, JSON, or the zip that `freqtrade backtesting` leaves. Nothing is written, and nothing unpacked to disk.
    timeframe : str or None
        For trades of which the file does not say it.
    shown : str
        How messages name the file.

    Returns
    -------
    Found

    Raises
    ------
    DataError
        The file is none of these, damaged, or larger than what is read.
    """
    with file.open("rb") as opened:
        head = opened.read(len(_SQLITE))
    if head == _SQLITE:
        raws: Iterator[tuple[str, Any]] = iter(_database(file, shown=shown))
        read: Callable[[Any], dict[str, Any]] = partial(_trade, declared=timeframe)
    elif head[:4] == b"PK\x03\x04":
        raws, read = _backtest(_unzipped(file, shown=shown), shown=shown), partial(_backtested, declared=timeframe)
    elif head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        if file.stat().st_size > LARGEST_JSON:
            raise DataError(f"{shown}: {file.stat().st_size:,} bytes; at most {LARGEST_JSON:,} of JSON are read")
        raws, read = _backtest(file.read_bytes(), shown=shown), partial(_backtested, declared=timeframe)
    else:
        raise DataError(f"{shown}: neither a SQLite database nor a backtest's JSON or zip; give freqtrade's own")
    return rows.collect(raws, read, shown=shown, tool="freqtrade")


def _database(file: Path, *, shown: str) -> list[tuple[str, dict[str, Any]]]:
    """Rows of trades under the names of the backtest's JSON, each with its filled orders."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as base:
            base.row_factory = sqlite3.Row
            base.execute("pragma trusted_schema = off")
            ends = time.monotonic() + _SECONDS
            base.set_progress_handler(lambda: time.monotonic() > ends, 100_000)
            has = _columns(base, "trades")
            missing = [name for name in _REQUIRED if name not in has]
            if missing:
                what = "table trades" if not has else f"column trades.{missing[0]}"
                raise DataError(f"{shown}: no {what}; give the database of a freqtrade of 2021 or later")
            names = [name for name in _TRADES if name in has]
            found = {
                row["id"]: {_TRADES[name]: row[name] for name in names} | {"orders": []}
                for row in base.execute(f"select {', '.join(names)} from trades order by id")
            }
            if {"ft_trade_id", "ft_order_side", "filled"} <= (has := _columns(base, "orders")):
                names = [name for name in _ORDERS if name in has]
                for row in base.execute(f"select {', '.join(names)} from orders order by id"):
                    if row["ft_trade_id"] in found:
                        found[row["ft_trade_id"]]["orders"].append(dict(row))
    except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
        detail = " ".join(str(error).split())[:160]
        reason = "it takes more than a minute to read" if "interrupted" in detail else detail
        raise DataError(f"{shown}: could not be read as a SQLite database ({reason}); copy it again") from error
    return [(f"trade {number}", trade) for number, trade in found.items()]


def _columns(base: sqlite3.Connection, table: str) -> set[str]:
    """Columns of a plain table; none where there is no such table, or it is a view or virtual."""
    kind = base.execute("select type, sql from sqlite_master where name = ?", (table,)).fetchone()
    if kind is None or kind["type"] != "table" or str(kind["sql"]).lower().split()[1:2] == ["virtual"]:
        return set()
    return {row["name"] for row in base.execute(f"pragma table_info({table})")}


def _unzipped(file: Path, *, shown: str) -> bytes:
    """Return the backtest's JSON in a zip, read in memory up to a limit."""
    try:
        with zipfile.ZipFile(file) as packed:
            odd = next((m for m in packed.namelist() if "/" in m or "\\" in m or m.startswith(".")), None)
            if odd is not None:
                raise DataError(f"{shown}: has {odd[:60]!a} in it; a backtest's zip has no folders")
            named = [m for m in packed.infolist() if m.filename.endswith(".json") and "_config" not in m.filename]
            if len(named) != 1:
                raise DataError(f"{shown}: {len(named)} results in it; a backtest's zip has one beside _config")
            with packed.open(named[0]) as opened:
                text = opened.read(LARGEST_JSON + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, zlib.error) as error:
        raise DataError(f"{shown}: could not be read as a zip ({error}); copy it again") from error
    if len(text) > LARGEST_JSON:
        raise DataError(f"{shown}: {named[0].filename[:60]!a} unpacks to more than {LARGEST_JSON:,} bytes; not read")
    return text


def _backtest(text: bytes, *, shown: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Trades of every strategy in a backtest's JSON, each with what its strategy says of all."""
    try:
        whole = json.loads(io.TextIOWrapper(io.BytesIO(text), encoding="utf-8-sig").read())
    except (ValueError, RecursionError) as error:
        raise DataError(f"{shown}: not JSON ({str(error)[:80]}); copy it again") from error
    strategies = whole.get("strategy") if isinstance(whole, dict) else None
    if not isinstance(strategies, dict):
        raise DataError(f"{shown}: no key strategy; give a backtest-result file of a freqtrade of 2020 or later")
    for name, strategy in strategies.items():
        trades = strategy.get("trades") if isinstance(strategy, dict) else None
        if not isinstance(trades, list):
            raise DataError(f"{shown}: strategy {name[:60]!a} has no list of trades; export with --export trades")
        told = {key: strategy.get(key) for key in ("timeframe", "timeframe_detail", "dates")}
        for place, trade in enumerate(trades, start=1):
            called = f"trade {place}" if len(strategies) == 1 else f"strategy {name[:60]!a}: trade {place}"
            yield called, {"trade": trade, "told": told}


def _backtested(raw: dict[str, Any], *, declared: str | None) -> dict[str, Any]:
    """One trade of a backtest, dated by when it was known."""
    trade, told = raw["trade"], raw["told"]
    if not isinstance(trade, dict):
        raise values.RefusedError("trade", trade, "give an object of freqtrade's columns")
    known = {"timeframe": told["timeframe"]} | trade
    # An empty tag is one that the old name holds.
    made = _trade(known | {"enter_tag": trade.get("enter_tag", trade.get("buy_tag"))}, declared=declared)
    if told["dates"] == "exact":  # Edgebook's own export
        made["own_id"] = values.id_of(trade.get("signal_id"), "signal_id")
        made["take_profit_abs"] = values.number(trade.get("take_profit_abs"), "take_profit_abs")
        made["date"] = values.moment(trade.get("date"), "date")
        made["exit_plan"] = values.word(trade.get("exit_plan"), "exit_plan")
    elif made["close_date"] is not None and made["exit_word"] in _INSIDE_A_CANDLE:
        length = values.timeframe_name(told["timeframe_detail"] or made["timeframe"], "timeframe_detail", declared=None)
        made["close_date"] += timedelta(minutes=values.MINUTES[length])
    return made


def _trade(raw: dict[str, Any], *, declared: str | None) -> dict[str, Any]:
    """Canonical columns of a trade under the names of the backtest's JSON."""
    is_short = values.truth(raw.get("is_short") or False, "is_short")
    is_open = values.truth(raw.get("is_open") or False, "is_open")
    reason = values.word(raw.get("exit_reason"), "exit_reason")
    leverage = values.number(raw.get("leverage"), "leverage", high=1001.0) or 1.0
    fee_open = values.number(raw.get("fee_open"), "fee_open", low=-0.1, high=0.5) or 0.0
    profit = values.number(raw.get("profit_ratio"), "profit_ratio", low=-1e6, high=1e6)
    stop = values.number(raw.get("initial_stop_loss_abs"), "initial_stop_loss_abs", low=-values.LARGEST) or None
    moved = values.number(raw.get("stop_loss_abs"), "stop_loss_abs", low=-values.LARGEST) not in (None, stop)
    entry = values.needed(raw.get("open_rate"), "open_rate")
    leave = values.number(raw.get("close_rate"), "close_rate")
    averages = _averages(raw.get("orders"), is_short=is_short)
    several = averages is not None
    orders = ""
    if averages is not None:
        entry, leave, orders = averages[0], averages[1] or leave, averages[2]
    kind = _kind(reason, moved=moved)
    with_fee = 1 - fee_open if is_short else 1 + fee_open
    return {
        "pair": values.pair_name(raw.get("pair"), "pair"),
        "timeframe": values.timeframe_name(raw.get("timeframe"), "timeframe", declared=declared),
        "is_short": is_short,
        "date": None,
        "open_date": values.needed_moment(raw.get("open_date"), "open_date"),
        "close_date": values.moment(raw.get("close_date"), "close_date"),
        "open_rate": entry,
        "close_rate": leave,
        "take_profit_abs": leave if kind == "take_profit" and not several and _ahead(entry, leave, is_short) else None,
        "stop_loss_abs": stop if stop is not None and stop > 0 else None,
        "fee_open": fee_open,
        "fee_close": values.number(raw.get("fee_close"), "fee_close", low=-0.1, high=0.5) or 0.0,
        "profit_ratio": None if profit is None else round(profit / leverage * with_fee, 6),
        "exit_reason": kind,
        "exit_word": reason,
        "enter_tag": values.word(raw.get("enter_tag"), "enter_tag"),
        "status": "open" if is_open else "closed",
        "exit_plan": "",
        "orders": orders,
        "averaged": several,
    }  # fmt: skip


def _ahead(entry: float, leave: float | None, is_short: bool) -> bool:
    """Whether an exit lies where a target can: freqtrade's may be a loss after a time."""
    return leave is not None and (leave < entry if is_short else leave > entry)


def _kind(reason: str, *, moved: bool) -> str:
    """One of Edgebook's three reasons for one of freqtrade's."""
    if reason in ("roi", "take_profit"):
        return "take_profit"
    if reason in ("stop_loss", "liquidation") or (reason == "stoploss_on_exchange" and not moved):
        return "stop_loss"
    return "time_exit"


def _averages(orders: Any, *, is_short: bool) -> tuple[float, float | None, str] | None:
    """Average rates of entry and exit and how many there were (2+1), where a trade has several of either; else None."""
    if not isinstance(orders, list):
        return None
    sums = {True: [0, 0.0, 0.0], False: [0, 0.0, 0.0]}
    for order in orders:
        if not isinstance(order, dict):
            raise values.RefusedError("orders", order, "give objects of freqtrade's columns")
        entered = order.get("ft_is_entry", order.get("ft_order_side") == ("sell" if is_short else "buy"))
        amount = values.number(order.get("filled", order.get("amount")), "orders.amount", low=-1e-12) or 0.0
        price = values.number(order.get("average") or order.get("price") or order.get("safe_price"), "orders.price")
        amount -= values.number(order.get("ft_fee_base"), "orders.ft_fee_base", low=-values.LARGEST) or 0.0
        if amount > 0 and price is not None:
            total = sums[bool(entered)]
            total[0], total[1], total[2] = total[0] + 1, total[1] + amount, total[2] + amount * price
    if (sums[True][0] < 2 and sums[False][0] < 2) or not sums[True][0]:
        return None
    entry, leave = (total[2] / total[1] if total[0] else None for total in (sums[True], sums[False]))
    assert entry is not None
    number = f"{sums[True][0]}+{sums[False][0]}"
    return values.rounded(entry), None if leave is None else values.rounded(leave), number
