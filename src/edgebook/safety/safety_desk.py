"""A repository whose bars and outcomes come from a desk's SQLite, in which `edgebook data fetch` is killed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.safety.safety_market import DAY, lay_out, small_settings
from edgebook.settings.bar_database import Database
from edgebook.settings.desk_outcomes import DeskDatabase, Outcomes

if TYPE_CHECKING:
    from pathlib import Path

    from edgebook.paths import Paths

PAIRS = ("BTC/USD", "ETH/USD")
MINUTES = 150 * 24 * 60
"""Of each pair: more than one part of received bars is kept on the way."""
TRADES = 3000
CREDENTIAL = "DESK_DATABASE"


def lay_out_desk(folder: Path, *, database: Path, paths: Paths) -> None:
    """Make a repository that receives minutes and outcomes of a database, and that database.

    Parameters
    ----------
    folder : Path
        New.
    database : Path
        The SQLite file, outside it.
    paths : Paths
        Of the repository whose stages are taken.
    """
    small = small_settings(paths)
    source = replace(
        small,
        bars=replace(
            small.bars, source="database", timeframes=("1m",), database=Database(url=CREDENTIAL, timeframe="1m")
        ),
        outcomes=Outcomes(source="database", database=DeskDatabase(url=CREDENTIAL, tp_sl_hits=""), timeframe="1m"),
    )
    lay_out(folder, params=source, paths=paths)
    (folder / ".env").write_text(f"{CREDENTIAL}=sqlite:///{database}\n", encoding="utf-8")
    (folder / ".env").chmod(0o600)
    database.unlink(missing_ok=True)
    bars = pd.concat([desk_bars(pair) for pair in PAIRS], ignore_index=True)
    with closing(sqlite3.connect(database)) as connection:
        bars.to_sql("bars", connection, index=False)
        desk_trades().to_sql("signal_outcomes", connection, index=False)


def desk_bars(pair: str) -> pd.DataFrame:
    """Minutes up to `DAY`, as the desk keeps them."""
    date = pd.date_range(end=DAY, periods=MINUTES, freq="min")
    close = np.round(100 + np.sin(np.arange(MINUTES) / 997.0) * 5 + PAIRS.index(pair), 4)
    rows = {"pair": pair, "date": date.strftime("%Y-%m-%d %H:%M:%S"), "open": close, "high": close, "low": close}
    return pd.DataFrame({**rows, "close": close, "volume": 1.0})


def desk_trades() -> pd.DataFrame:
    """Closed trades up to `DAY`, each of an hour and at its target."""
    opened = pd.date_range(end=DAY, periods=TRADES + 2, freq="h")[:TRADES]
    return pd.DataFrame(
        {
            "signal_id": [f"T{number:05d}" for number in range(TRADES)],
            "pair": PAIRS[0],
            "is_short": 0,
            "open_date": opened.strftime("%Y-%m-%d %H:%M:%S"),
            "close_date": (opened + pd.Timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S"),
            "open_rate": 100.0,
            "close_rate": 102.0,
            "take_profit_abs": 102.0,
            "stop_loss_abs": 99.0,
            "fee_open": 0.001,
            "fee_close": 0.001,
            "profit_ratio": 0.017972,
            "exit_reason": "take_profit",
        }
    )
