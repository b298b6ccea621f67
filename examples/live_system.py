"""A complete trading system around Edgebook, on a replayed market. examples/README.md says how to run it, and why.

At each bar's close: fill and leave, write down what happened, run Edgebook when its time has come, ask for signals.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pandas as pd
from broker import TABLES, fill, manage
from replayed_market import BAR, STARTS, book_late, clock, correct, lay_out, spelled

import edgebook


class Desk:
    """A trading system: its database, the champion that it asks, and the orders of the last close."""

    def __init__(self, root: Path, *, database: Path) -> None:
        self.root, self.orders = root, []
        self.base = sqlite3.connect(database, isolation_level=None)  # what is written is there at once
        self.base.row_factory = sqlite3.Row
        self.base.executescript(TABLES)

    def edgebook(self, *words: str) -> None:
        """Run a command as cron would; its last line says what it did."""
        told = os.environ | {"EDGEBOOK_ROOT": str(self.root)}
        done = subprocess.run(["edgebook", *words], env=told, capture_output=True, text=True)
        if done.returncode:  # here one would be woken; the champion that is loaded goes on
            raise SystemExit(f"edgebook {' '.join(words)}: {done.stderr[-2000:]}")
        print(f"  edgebook {' '.join(words)}\n    {done.stdout.strip().splitlines()[-1]}", flush=True)

    def load(self) -> None:
        """Take the policy in force: at the start, after each week, after a rollback."""
        self.champion = edgebook.load_champion(str(self.root))
        print(f"  champion {self.champion.version}")

    def on_bar(self, now: pd.Timestamp) -> None:
        """What happens each time bars close."""
        self.trade(now)
        if now == now.normalize():
            if now.day_of_week == 0:
                self.edgebook("weekly")
                self.load()
            else:
                self.edgebook("daily", "--date", f"{now:%Y-%m-%d}")
        self.ask(now)

    def trade(self, now: pd.Timestamp) -> None:
        """Fill the orders of the last close in the bar that has ended, and leave what it ended."""
        bars = self.base.execute("select * from bars where date = ? and timeframe = '4h'", [spelled(now)]).fetchall()
        for bar in bars:
            for order in (one for one in self.orders if one["pair"] == bar["pair"]):
                fill(self.base, order, bar=bar, equity=self.champion.equity)
            manage(self.base, bar)

    def ask(self, now: pd.Timestamp) -> None:
        """Ask for signals on the bars since the champion was loaded, of all pairs; right after, on those it knows."""
        sql = "select * from bars where date > ? order by pair, timeframe, date"
        since = f"{self.champion.as_of}T00:00:00Z"
        bars = pd.read_sql(sql, self.base, params=[since], parse_dates=["date"])
        said = self.champion.signals(bars if len(bars) else None)
        self.orders = [row for row in said if row["act"] and row["date"] == spelled(now)]


def main(root: Path, *, days: float = 8) -> None:
    """Go live on a market of its own, in a new folder, for some days."""
    desk = Desk(root, database=lay_out(root))
    desk.edgebook("data", "fetch", "--until", STARTS)
    desk.edgebook("weekly")  # the history up to the day on which the system goes live
    desk.load()
    start = pd.Timestamp(STARTS, tz="UTC")
    for now in clock(root / "desk.sqlite", days=days):
        desk.on_bar(now)
        if now - start == 21 * BAR:  # Thursday noon: the broker's statement
            correct(desk.base, now)
        if now - start == 27 * BAR:  # Friday noon: somebody remembers a trade of Monday
            book_late(desk.base, now)
        if now - start == 33 * BAR:  # Saturday noon: a person steps in
            desk.edgebook("rollback", "r1@2018-04-09", "--reason", "spreads doubled on the venue")
            desk.load()
            desk.ask(now)  # what the old champion has said is not sent
    for row in desk.base.execute("select ab_test_version, status, count(*) from signal_outcomes group by 1, 2"):
        print("  trades:", *row)
    desk.edgebook("rederive")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
