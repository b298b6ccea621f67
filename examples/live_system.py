"""A complete trading system around Edgebook, on a replayed market. examples/README.md says how to run it, and why.

At each bar's close: fill and exit, write down what happened, run Edgebook when its time has come, ask for signals.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pandas as pd
from replayed_market import STARTS, clock, lay_out, spelled

import edgebook

FEE, SLIPPAGE = 0.00075, 0.0010
"""This broker's, a side and a share of the notional. params.yaml expects 2.5 bps of slippage; here it is 10."""
MAX_POSITIONS, MAX_TOTAL_RISK = 6, 0.03
"""Edgebook sizes a position; how many there may be is the caller's to say."""
TABLES = """
create table if not exists signal_outcomes (
    signal_id text primary key, pair text, timeframe text, is_short integer, date text, open_date text, close_date text,
    open_rate real, close_rate real, take_profit_abs real, stop_loss_abs real, fee_open real, fee_close real,
    profit_ratio real, exit_reason text, enter_tag text, status text, recorded_at text,
    units real, risk real, bars_left integer, ab_test_version text, model_version text);
create table if not exists tp_sl_hits (signal_id text primary key, hit text, hit_date text, hit_rate real);
"""
"""The documented schema (data/recorded/README.md); the last line of `signal_outcomes` is the desk's own business."""


class Desk:
    """A trading system: its database, the champion that it asks, and the orders of the last close."""

    def __init__(self, root: Path, *, database: Path) -> None:
        self.root, self.orders = root, []
        self.base = sqlite3.connect(database, isolation_level=None)  # every row is there at once, or not at all
        self.base.row_factory = sqlite3.Row
        self.base.executescript(TABLES)

    def edgebook(self, *words: str) -> str:
        """Run a command as cron would; the last line is what it says."""
        told = os.environ | {"EDGEBOOK_ROOT": str(self.root)}
        done = subprocess.run(["edgebook", *words], env=told, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"edgebook {' '.join(words)}: {done.stderr[-2000:]}")
        line = (done.stdout.strip().splitlines() or [""])[-1]
        print(f"  edgebook {' '.join(words)}\n    {line}")
        return line

    def load(self) -> None:
        """Take the policy in force: at the start, after each week, after a rollback."""
        self.champion = edgebook.load_champion(str(self.root))
        print(f"  champion {self.champion.version}")

    def on_bar(self, now: pd.Timestamp) -> None:
        """What happens each time bars close."""
        for bar in self.base.execute("select * from bars where date = ?", [spelled(now)]).fetchall():
            self.fill(bar)
            self.manage(bar)
        if now == now.normalize():
            day = f"{now:%Y-%m-%d}"
            if now.day_of_week == 0:
                self.edgebook("weekly")
                self.load()
            else:
                self.edgebook("daily", "--date", day)
        self.orders = [row for row in self.ask() if row["act"] and row["date"] == spelled(now)]

    def ask(self) -> list[dict]:
        """Signals on the bars since the champion was loaded, of all pairs."""
        sql = "select * from bars where date > ? order by pair, timeframe, date"
        bars = pd.read_sql(sql, self.base, params=[f"{self.champion.as_of}T00:00:00Z"], parse_dates=["date"])
        return self.champion.signals(bars) if len(bars) else []

    def fill(self, bar: sqlite3.Row) -> None:
        """Orders of the last close, at this bar's open and a little worse; stop and target stand around the fill."""
        for order in self.orders:
            if (order["pair"], order["timeframe"]) != (bar["pair"], bar["timeframe"]) or not self.room(order):
                continue
            sign, reference = (-1 if order["side"] == "short" else 1), order["entry_reference"]
            rate = bar["open"] * (1 + sign * SLIPPAGE)
            stop, target = (rate + order[name] - reference for name in ("stop_loss_abs", "take_profit_abs"))
            opened = order["date"]  # the close of one bar is the open of the next
            row = {
                "signal_id": order["signal_id"], "pair": bar["pair"], "timeframe": bar["timeframe"],
                "is_short": sign < 0, "date": opened, "open_date": opened, "open_rate": rate,
                "take_profit_abs": target, "stop_loss_abs": stop, "fee_open": FEE, "enter_tag": order["pattern"],
                "status": "open", "recorded_at": opened, "units": order["units"],
                "risk": order["units"] * abs(rate - stop) / self.champion.equity,
                "bars_left": order["time_limit_bars"], "ab_test_version": order["ab_test_version"],
                "model_version": order["model_version"],
            }  # fmt: skip
            marks = ", ".join(f":{name}" for name in row)
            self.base.execute(f"insert into signal_outcomes ({', '.join(row)}) values ({marks})", row)

    def room(self, order: dict) -> bool:
        """The caller's caps: one position a pair and timeframe, so many in all, so much risk in all."""
        held = self.base.execute("select * from signal_outcomes where status = 'open'").fetchall()
        same = [row for row in held if (row["pair"], row["timeframe"]) == (order["pair"], order["timeframe"])]
        return not same and len(held) < MAX_POSITIONS and sum(row["risk"] for row in held) < MAX_TOTAL_RISK

    def manage(self, bar: sqlite3.Row) -> None:
        """Stop before target where a bar holds both, a gap at the open, the time limit at the close."""
        held = "select * from signal_outcomes where status = 'open' and pair = ? and timeframe = ?"
        for row in self.base.execute(held, [bar["pair"], bar["timeframe"]]).fetchall():
            sign, stop, target = (-1 if row["is_short"] else 1), row["stop_loss_abs"], row["take_profit_abs"]
            worst, best = (bar["high"], bar["low"]) if sign < 0 else (bar["low"], bar["high"])
            left = row["bars_left"] - 1
            if sign * (worst - stop) <= 0:
                self.close(row, "stop_loss", sign * min(sign * bar["open"], sign * stop), at=bar["date"])
            elif sign * (best - target) >= 0:
                self.close(row, "take_profit", target, at=bar["date"])
            elif left == 0:
                self.close(row, "time_exit", bar["close"], at=bar["date"])
            else:
                update = "update signal_outcomes set bars_left = ? where signal_id = ?"
                self.base.execute(update, [left, row["signal_id"]])

    def close(self, row: sqlite3.Row, reason: str, rate: float, *, at: str) -> None:
        """Write the outcome, and the hit of a barrier, in one transaction."""
        sign = -1 if row["is_short"] else 1
        fill = rate * (1 - sign * SLIPPAGE)
        growth = fill / row["open_rate"]
        profit = sign * (growth - 1) - FEE * (1 + growth)
        with self.base:
            self.base.execute("begin")
            self.base.execute(
                "update signal_outcomes set status = 'closed', close_date = ?, close_rate = ?, fee_close = ?, "
                "profit_ratio = ?, exit_reason = ?, recorded_at = ? where signal_id = ?",
                [at, fill, FEE, profit, reason, at, row["signal_id"]],
            )
            if reason != "time_exit":
                self.base.execute("insert into tp_sl_hits values (?, ?, ?, ?)", [row["signal_id"], reason, at, fill])


def accidents(desk: Desk, now: pd.Timestamp, *, day: float) -> None:
    """What happens to a desk in a week: a correction, a trade that is booked late, a champion that is taken back."""
    if day == 3.5:  # the broker's statement: one fee was twice what was thought
        desk.base.execute(
            "update signal_outcomes set fee_close = 2 * fee_close, profit_ratio = profit_ratio - fee_close, "
            "recorded_at = ? where signal_id = (select signal_id from signal_outcomes where status = 'closed' "
            "order by close_date, signal_id limit 1)",
            [spelled(now)],
        )
    if day == 4.5:  # a trade of Monday that somebody made by hand
        sql = "select * from bars where pair = 'S02/USD' and timeframe = '4h' and date > ? order by date limit 4"
        first, *_, last = desk.base.execute(sql, [f"{STARTS}T12:00:00Z"]).fetchall()
        growth = last["close"] / first["open"]
        desk.base.execute(
            "insert into signal_outcomes (signal_id, pair, timeframe, is_short, open_date, close_date, open_rate, "
            "close_rate, fee_open, fee_close, profit_ratio, exit_reason, enter_tag, status, recorded_at) "
            "values ('by hand 1', 'S02/USD', '4h', 0, ?, ?, ?, ?, ?, ?, ?, 'time_exit', 'by hand', 'closed', ?)",
            [f"{STARTS}T12:00:00Z", last["date"], first["open"], last["close"], FEE, FEE,
             growth - 1 - FEE * (1 + growth), spelled(now)],
        )  # fmt: skip
    if day == 5.5:
        desk.edgebook("rollback", "r1@2018-04-09", "--reason", "spreads doubled on the venue")
        desk.load()


def main(root: Path, *, days: float = 8) -> Desk:
    """Go live on a market of its own, in a new folder, for some days."""
    desk = Desk(root, database=lay_out(root))
    desk.edgebook("data", "fetch", "--until", STARTS)
    desk.edgebook("weekly")  # the history up to the day on which the system goes live
    desk.load()
    for now in clock(root / "desk.sqlite", days=days):
        desk.on_bar(now)
        accidents(desk, now, day=(now - pd.Timestamp(STARTS, tz="UTC")) / pd.Timedelta(days=1))
    for row in desk.base.execute("select ab_test_version as arm, status, count(*) from signal_outcomes group by 1, 2"):
        print("  trades", *row)
    desk.edgebook("rederive")
    return desk


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
