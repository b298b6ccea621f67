"""A tiny broker: fills at the next open and a little worse, exits at stop, target or time limit, writes it all down.

What a real system has in its place is an exchange, and the code that writes down what the exchange says.
"""

from __future__ import annotations

import sqlite3

import pandas as pd

FEE, SLIPPAGE = 0.00075, 0.0010
"""A side, shares of the notional. params.yaml expects 2.5 bps of slippage; here it is 10."""
MAX_POSITIONS, MAX_TOTAL_RISK = 6, 0.03
"""Edgebook sizes a position; how many there may be is the caller's to say."""
TABLES = """
create table if not exists signal_outcomes (
    signal_id text primary key, pair text, timeframe text, is_short integer, date text, open_date text, close_date text,
    open_rate real, close_rate real, take_profit_abs real, stop_loss_abs real, fee_open real, fee_close real,
    profit_ratio real, exit_reason text, exit_plan text, enter_tag text, status text, recorded_at text,
    units real, risk real, leave_at text, ab_test_version text, model_version text);
create table if not exists tp_sl_hits (signal_id text primary key, hit text, hit_date text, hit_rate real);
"""
"""The schema of docs/integration.md; the last line of `signal_outcomes` is the desk's own business."""


def fill(base: sqlite3.Connection, order: dict, *, bar: sqlite3.Row, equity: float) -> None:
    """Enter at the open of the bar after the signal, if there is room; stop and target stand around the fill."""
    sign, reference = (-1 if order["side"] == "short" else 1), order["entry_reference"]
    rate = bar["open"] * (1 + sign * SLIPPAGE)
    stop, target = (rate + order[name] - reference for name in ("stop_loss_abs", "take_profit_abs"))
    held = base.execute("select pair, timeframe, risk from signal_outcomes where status = 'open'").fetchall()
    same = [row for row in held if (row["pair"], row["timeframe"]) == (order["pair"], order["timeframe"])]
    risk = order["units"] * abs(rate - stop) / equity
    if same or len(held) >= MAX_POSITIONS or sum(row["risk"] for row in held) + risk > MAX_TOTAL_RISK:
        return
    opened = pd.Timestamp(order["date"])  # the close of one bar is the open of the next
    row = {
        **{name: order[name] for name in ("signal_id", "pair", "timeframe", "date", "ab_test_version")},
        "is_short": sign < 0, "open_date": order["date"], "recorded_at": order["date"], "status": "open",
        "open_rate": rate, "take_profit_abs": target, "stop_loss_abs": stop, "fee_open": FEE,
        "enter_tag": order["pattern"], "units": order["units"], "risk": risk, "model_version": order["model_version"],
        "leave_at": f"{opened + order['time_limit_bars'] * pd.Timedelta(order['timeframe']):%Y-%m-%dT%H:%M:%SZ}",
    }  # fmt: skip
    base.execute(f"insert into signal_outcomes ({', '.join(row)}) values ({', '.join(':' + n for n in row)})", row)


def manage(base: sqlite3.Connection, bar: sqlite3.Row) -> None:
    """Leave what this bar ends: stop before target where it holds both, gaps at the open, time limits at the close."""
    held = "select * from signal_outcomes where status = 'open' and pair = ?"
    for row in base.execute(held, [bar["pair"]]).fetchall():
        sign, stop, target = (-1 if row["is_short"] else 1), row["stop_loss_abs"], row["take_profit_abs"]
        worst, best = (bar["high"], bar["low"]) if sign < 0 else (bar["low"], bar["high"])
        if sign * (worst - stop) <= 0:
            leave(base, row, "stop_loss", rate=sign * min(sign * bar["open"], sign * stop), at=bar["date"])
        elif sign * (best - target) >= 0:
            leave(base, row, "take_profit", rate=target, at=bar["date"])
        elif bar["date"] >= row["leave_at"]:
            leave(base, row, "time_exit", rate=bar["close"], at=bar["date"])


def leave(base: sqlite3.Connection, row: sqlite3.Row, reason: str, *, rate: float, at: str) -> None:
    """Write the outcome, and the hit of a barrier, in one transaction."""
    sign = -1 if row["is_short"] else 1
    close_rate = rate * (1 - sign * SLIPPAGE)
    growth = close_rate / row["open_rate"]
    profit = sign * (growth - 1) - FEE * (1 + growth)
    with base:
        base.execute("begin")
        base.execute(
            "update signal_outcomes set status = 'closed', close_date = ?, close_rate = ?, fee_close = ?, "
            "profit_ratio = ?, exit_reason = ?, recorded_at = ? where signal_id = ?",
            [at, close_rate, FEE, profit, reason, at, row["signal_id"]],
        )
        if reason != "time_exit":
            base.execute("insert into tp_sl_hits values (?, ?, ?, ?)", [row["signal_id"], reason, at, close_rate])
