"""A desk that trades the candidates of a market and keeps its own books of them, as a table and as a database.

Its fills are those of the engine, worse by a known slippage; its names, clocks and words are its own.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.outcomes.outcomes import signal_ids

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FEE = 0.00075


def desk_trades(
    candidates: pd.DataFrame, *, slippage: np.ndarray | float = 0.0, own_ids: bool = False, exit_plan: str = ""
) -> pd.DataFrame:
    """What a desk records that takes these candidates: the engine's fills, both worse by `slippage`.

    `candidates` are rows of an exit plan's table; those that are open in it are open here.
    """
    rows = candidates.reset_index(drop=True)
    sign = np.where(rows["is_short"], -1.0, 1.0)
    entry = rows["open_rate"] * (1 + sign * slippage)
    fill = rows["close_rate"] * (1 - sign * slippage)
    profit = sign * (fill / entry - 1) - FEE * (1 + fill / entry)
    names = signal_ids(rows) if own_ids else pd.Series([f"T{i:05d}" for i in range(len(rows))], dtype="str")
    closed = rows["exit_reason"] != "open"
    return pd.DataFrame(
        {
            "signal_id": names,
            "pair": rows["pair"],
            "timeframe": rows["timeframe"],
            "is_short": rows["is_short"],
            "open_date": rows["open_date"] + pd.Timedelta(seconds=7),
            "close_date": rows["close_date"].where(closed),
            "open_rate": entry,
            "close_rate": fill,
            "take_profit_abs": rows["take_profit_abs"],
            "stop_loss_abs": rows["stop_loss_abs"],
            "fee_open": FEE,
            "fee_close": np.where(closed, FEE, np.nan),
            "profit_ratio": profit.where(closed),
            "exit_reason": rows["exit_reason"].where(closed, ""),
            "exit_plan": exit_plan,
            "status": np.where(closed, "closed", "open"),
        }
    )


def write_database(trades: pd.DataFrame, *, path: Path) -> None:
    """The desk's tables in SQLite, under its own names: sides as words, naive dates in UTC."""
    shown = pd.DataFrame(
        {
            "trade_uid": trades["signal_id"],
            "symbol": trades["pair"],
            "tf": trades["timeframe"],
            "side": np.where(trades["is_short"], "sell", "buy"),
            "opened": trades["open_date"].dt.strftime("%Y-%m-%d %H:%M:%S"),
            "closed": trades["close_date"].dt.strftime("%Y-%m-%d %H:%M:%S"),
            "entry": trades["open_rate"],
            "exit": trades["close_rate"],
            "target": trades["take_profit_abs"],
            "stop": trades["stop_loss_abs"],
            "fee_in": trades["fee_open"],
            "fee_out": trades["fee_close"],
            "pnl": trades["profit_ratio"],
            "why": trades["exit_reason"].map({"take_profit": "TP", "stop_loss": "SL", "time_exit": "timeout"}),
        }
    ).astype(object)
    shown = shown.where(shown.notna(), None)
    barrier = trades["exit_reason"].isin(["take_profit", "stop_loss"])
    hits = shown.loc[barrier, ["trade_uid", "why", "closed", "exit"]]
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as base:
        for name, frame in (("signal_outcomes", shown), ("tp_sl_hits", hits)):
            columns: Sequence[str] = list(frame.columns)
            base.execute(f"create table {name} ({', '.join(columns)})")
            marks = ", ".join("?" for _ in columns)
            base.executemany(f"insert into {name} values ({marks})", frame.itertuples(index=False, name=None))
    base.close()


COLUMNS = """{trade_uid: signal_id, symbol: pair, tf: timeframe, side: is_short, opened: open_date, closed: close_date,
    entry: open_rate, exit: close_rate, target: take_profit_abs, stop: stop_loss_abs, fee_in: fee_open,
    fee_out: fee_close, pnl: profit_ratio, why: exit_reason}"""
"""How params.yaml maps the names that `write_database` uses (`hit`, `hit_date`, `hit_rate` come by a query)."""
HITS = "select trade_uid, why as hit, closed as hit_date, exit as hit_rate from tp_sl_hits"
