"""What stands in for the world of `live_system.py`: a clone to work in, a market told bar by bar, people who correct.

A real system needs none of it: its repository is the one that you cloned, its bars come from its own feed.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from broker import FEE

from edgebook.bars.synthetic import make_market

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[1]
STARTS, BAR = "2018-04-16", pd.Timedelta(hours=4)
"""The Monday on which the system goes live, and how often a bar closes."""


def lay_out(root: Path) -> Path:
    """Clone Edgebook, give it the settings of the example, and a database with the past in it."""
    subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(root)], check=True)
    shutil.copy(Path(__file__).with_name("params.yaml"), root)
    desk = root.resolve() / "desk.sqlite"
    (root / ".env").write_text(f"DESK_DATABASE=sqlite:///{desk}\n", encoding="utf-8")
    (root / ".env").chmod(0o600)
    with (root / ".git" / "info" / "exclude").open("a", encoding="utf-8") as ignored:
        ignored.write("/desk.sqlite*\n")
    tell(desk, until=pd.Timestamp(STARTS, tz="UTC"))
    return desk


def clock(desk: Path, *, days: float) -> Iterator[pd.Timestamp]:
    """Yield each time at which a bar closes, its bars being in the database by then, and no later ones."""
    start = pd.Timestamp(STARTS, tz="UTC")
    for now in pd.date_range(start + BAR, start + pd.Timedelta(days=days), freq=BAR):
        tell(desk, until=now)
        yield now


def tell(desk: Path, *, until: pd.Timestamp) -> None:
    """Put the bars that have closed by a time into the table `bars`."""
    bars = _market()
    with closing(sqlite3.connect(desk)) as base, base:
        base.execute(
            "create table if not exists bars (pair, timeframe, date, open, high, low, close, volume, "
            "primary key (pair, timeframe, date))"
        )
        since = base.execute("select coalesce(max(date), '') from bars").fetchone()[0]
        rows = bars[(bars["date"] > since) & (bars["date"] <= spelled(until))]
        base.executemany("insert into bars values (?, ?, ?, ?, ?, ?, ?, ?)", rows.itertuples(index=False, name=None))


def correct(base: sqlite3.Connection, now: pd.Timestamp) -> None:
    """Correct the first closed trade: its last fee was twice what was thought."""
    base.execute(
        "update signal_outcomes set fee_close = 2 * fee_close, profit_ratio = profit_ratio - fee_close, "
        "recorded_at = ? where signal_id = (select signal_id from signal_outcomes where status = 'closed' "
        "order by close_date, signal_id limit 1)",
        [spelled(now)],
    )


def book_late(base: sqlite3.Connection, now: pd.Timestamp) -> None:
    """Write down a trade that somebody made by hand on Monday."""
    opened = f"{STARTS}T12:00:00Z"
    sql = "select * from bars where pair = 'S02/USD' and timeframe = '4h' and date > ? order by date limit 4"
    first, *_, last = base.execute(sql, [opened]).fetchall()
    growth = last["close"] / first["open"]
    row = {
        "signal_id": "by hand 1", "pair": "S02/USD", "timeframe": "4h", "is_short": False, "open_date": opened,
        "close_date": last["date"], "open_rate": first["open"], "close_rate": last["close"], "fee_open": FEE,
        "fee_close": FEE, "profit_ratio": growth - 1 - FEE * (1 + growth), "exit_reason": "time_exit",
        "exit_plan": "tp2.0_sl1.5_t12", "enter_tag": "by hand", "status": "closed", "recorded_at": spelled(now),
    }  # fmt: skip
    base.execute(f"insert into signal_outcomes ({', '.join(row)}) values ({', '.join(':' + n for n in row)})", row)


def spelled(time: pd.Timestamp) -> str:
    """A time as the desk writes it, so that text sorts by time."""
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


_drawn: list[pd.DataFrame] = []


def _market() -> pd.DataFrame:
    """Three pairs, eighteen weeks, an edge in three heads; drawn once."""
    if not _drawn:
        bars = make_market(
            kind="planted", pairs=3, weeks=18, seed=5, heads=("D", "F", "H"), edge=0.15, edge_starts="2018-04-02",
            start="2018-01-01", timeframes=("4h", "1d"),
        ).bars  # fmt: skip
        _drawn.append(bars.assign(date=bars["date"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")))
    return _drawn[0]
