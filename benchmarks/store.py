"""Exporting outcomes: signals a second into PostgreSQL and SQLite, beside the two usual ways, in the same run.

    .venv/bin/python benchmarks/store.py

- export: `export_database` and `export_store`, checks, both tables, insert-or-update; first, then again.
- executemany: `insert ... on conflict` by psycopg, row by row in one pipeline, both tables, values ready as tuples.
- to_sql: `DataFrame.to_sql` in chunks of 1,000, plain inserts into one table without a key.

The server is a cluster of its own in a temporary folder (tests/connections/cluster.py), without fsync. Each figure is
the best of three, for other work on the machine only ever slows a run; ratios are of one run.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests" / "connections"))

from cluster import NO_SERVER, Cluster, find_programs  # noqa: E402

from edgebook.files.databases import open_database  # noqa: E402
from edgebook.store.store import export_database, export_store  # noqa: E402
from edgebook.store.store_tables import TP_SL_HITS, outcome_columns  # noqa: E402

ROWS, REPEATS = 30_000, 3


def made_ledger():
    """Signals as a ledger has them, every column filled; one in two closed at a barrier."""
    rng = np.random.default_rng(7)
    opened = pd.Timestamp("2019-01-01", tz="UTC") + pd.to_timedelta(np.arange(ROWS), unit="h")
    reasons = np.array(["take_profit", "stop_loss", "time_exit", "time_exit"])
    frame = {
        "signal_id": [f"BTC-USD_1h_{place:07d}_long" for place in range(ROWS)],
        "pair": "BTC/USD", "timeframe": "1h", "is_short": False, "date": opened, "open_date": opened,
        "close_date": opened + pd.Timedelta(hours=5), "take_profit_abs": 102.0, "stop_loss_abs": 98.5,
        "fee_open": 0.001, "fee_close": 0.001, "exit_reason": reasons[np.arange(ROWS) % 4], "bars_held": 5,
        "enter_tag": "breakout", "regime": "ranging", "certified": False, "heads_agreed": "ABC",
        "head_scores": "A:0.0512;B:0.0311", "exit_plan": "tp2.0_sl1.5_t24", "model_version": "r1@2019-01-07",
        "ab_test_version": "champion", "status": "closed",
    }  # fmt: skip
    numbers = (
        "open_rate",
        "close_rate",
        "stake",
        "profit_ratio",
        "r_multiple",
        "mae",
        "mfe",
        "confidence",
        "threshold",
    )
    return pd.DataFrame(frame | {name: rng.normal(100, 1, ROWS).round(6) for name in numbers})


def best(prepare, call):
    """Signals a second, at best."""
    fastest = float("inf")
    for _ in range(REPEATS):
        prepare()
        started = time.perf_counter()
        call()
        fastest = min(fastest, time.perf_counter() - started)
    return ROWS / fastest


def main():
    programs = find_programs()
    if programs is None:
        sys.exit(NO_SERVER)
    ledger = made_ledger()
    cluster = Cluster(programs)
    try:
        with tempfile.TemporaryDirectory() as folder:
            measure(ledger, cluster, file=Path(folder) / "store.sqlite")
    finally:
        cluster.remove()


def measure(ledger, cluster, *, file):
    database = cluster.new_database()
    os.environ["DESK_DATABASE"] = cluster.url(database)
    columns = outcome_columns(ledger, history="main")
    names = columns.column_names
    rows = list(zip(*(column.to_pylist() for column in columns.columns), strict=True))
    hit = {"hit": "exit_reason", "hit_date": "close_date", "barrier_abs": "take_profit_abs", "hit_rate": "close_rate"}
    at_barrier = [row for row in columns.to_pylist() if row["exit_reason"] != "time_exit"]
    hits = [tuple(row[hit.get(name, name)] for name in TP_SL_HITS.columns.keys()) for row in at_barrier]  # noqa: SIM118

    def empty():
        cluster.execute("drop schema if exists edgebook cascade", database=database)

    def export():
        export_database(ledger, name="DESK_DATABASE", root=file.parent, history="main")

    def tables():
        export_database(ledger[:0], name="DESK_DATABASE", root=file.parent, history="main")

    def upsert(table, names):
        others = ", ".join(f"{name} = excluded.{name}" for name in names[2:])
        return (
            f"insert into edgebook.{table} ({', '.join(names)}) values ({', '.join(['%s'] * len(names))}) "
            f"on conflict (history, signal_id) do update set {others}"
        )

    def executemany():
        with psycopg.connect(cluster.url(database)) as connection, connection.cursor() as cursor:
            cursor.executemany(upsert("signal_outcomes", names), rows)
            cursor.executemany(upsert("tp_sl_hits", TP_SL_HITS.columns.keys()), hits)

    def to_sql():
        with open_database("DESK_DATABASE", root=file.parent).begin() as connection:
            ledger.to_sql("plain", connection, schema="edgebook", index=False, chunksize=1000, if_exists="replace")

    def sqlite():
        export_store(ledger, path=file, history="main")

    found = {
        "PostgreSQL, export": best(lambda: (empty(), tables()), export),
        "PostgreSQL, the same again": best(lambda: None, export),
        "PostgreSQL, executemany": best(lambda: (empty(), tables()), executemany),
        "PostgreSQL, to_sql": best(lambda: (empty(), tables()), to_sql),
        "SQLite, export": best(lambda: file.unlink(missing_ok=True), sqlite),
        "SQLite, the same again": best(lambda: None, sqlite),
    }
    against = found["PostgreSQL, export"]
    for name, rate in found.items():
        print(f"{name:32} {rate:10,.0f} signals a second, {rate / against:5.2f} of the first")


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    main()
