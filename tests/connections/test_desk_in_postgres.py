"""A desk that keeps everything in one PostgreSQL: bars and outcomes come from it, what was learned goes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.files import tables
from edgebook.files.databases import open_database
from edgebook.loop.history import backfill
from edgebook.paths import Paths
from edgebook.regimes.regime_hmm import label_bars
from edgebook.running.data_fetch import fetch
from edgebook.seals.seals import sealed_weeks
from edgebook.seals.week import Week
from edgebook.settings.loading import load_params
from edgebook.settings.params import plain
from edgebook.stages.stages import run_stage
from edgebook.store.store import export_database
from small_market import GENESIS, PLAN, small_bars, write_settings

if TYPE_CHECKING:
    from pathlib import Path

WEEK = "2018-04-09"
CHANGES = {
    'as_of: "2018-05-28", previous: "2018-05-21"': f'as_of: "{WEEK}", previous: "{GENESIS}"',
    "source: synthetic": "source: database\n  database: {url: DESK_DATABASE, query: market.bars}",
}
WITH_OUTCOMES = CHANGES | {
    "ab_test: {routing: paired}": "ab_test: {routing: paired}\n"
    f"outcomes: {{source: database, exit_plan: {PLAN}, database: {{url: DESK_DATABASE}}}}"
}
SLIPPAGE = 0.001


def save(frame: pd.DataFrame, name: str, *, root: Path, schema: str = "public") -> None:
    """A table of the desk."""
    with open_database("DESK_DATABASE", root=root).begin() as connection:
        connection.exec_driver_sql(f"create schema if not exists {schema}")
        frame.to_sql(name, connection, schema=schema, index=False, if_exists="replace")


def desk_trades(candidates: pd.DataFrame) -> pd.DataFrame:
    """Every fifth candidate that closed by the week, filled a little worse at its exit than the engine says."""
    closed = candidates[
        (candidates["exit_reason"] != "open") & (candidates["close_date"] <= pd.Timestamp(WEEK, tz="UTC"))
    ]
    taken = closed[::5].reset_index(drop=True)
    sign = np.where(taken["is_short"], -1.0, 1.0)
    close_rate = taken["close_rate"] * (1 - sign * SLIPPAGE)
    fee = 0.001
    return pd.DataFrame(
        {
            "signal_id": [f"T{place:05d}" for place in range(len(taken))],
            **{name: taken[name] for name in ("pair", "timeframe", "is_short", "date", "open_date", "close_date")},
            **{name: taken[name] for name in ("open_rate", "take_profit_abs", "stop_loss_abs", "exit_reason")},
            "close_rate": close_rate,
            "fee_open": fee,
            "fee_close": fee,
            "profit_ratio": sign * (close_rate / taken["open_rate"] - 1) - fee * (1 + close_rate / taken["open_rate"]),
            "status": "closed",
        }
    )


def test_from_a_desks_tables_to_a_seal_and_back(postgres, database, tmp_path):
    paths = Paths(tmp_path / "mine")
    params = write_settings(paths, changes=CHANGES)
    save(small_bars(), "bars", root=paths.root, schema="market")
    fetch(params, paths, until=WEEK)
    for stage in ("bars", "indicators", "candidates"):
        run_stage(stage, paths=paths)
    known = small_bars()[lambda bars: bars["date"] <= pd.Timestamp(WEEK, tz="UTC")].reset_index(drop=True)
    pd.testing.assert_frame_equal(tables.read(paths.bars), known, check_exact=True)

    trades = desk_trades(tables.read(paths.candidates / f"{PLAN}.parquet"))
    assert len(trades) > 100
    save(trades, "signal_outcomes", root=paths.root)
    hits = trades[trades["exit_reason"] != "time_exit"]
    hits = hits.assign(hit=hits["exit_reason"], hit_date=hits["close_date"], hit_rate=hits["close_rate"])
    save(hits[["signal_id", "hit", "hit_date", "hit_rate"]], "tp_sl_hits", root=paths.root)
    write_settings(paths, changes=WITH_OUTCOMES)
    params = load_params(paths.params)
    assert fetch(params, paths, until=WEEK)["new"] == 0  # of bars: they are there already
    run_stage("outcomes", paths=paths)
    outcomes = tables.read(paths.outcomes / f"{PLAN}.parquet")
    assert (outcomes["source"] == "recorded").sum() == len(trades)

    tables.write(label_bars(tables.read(paths.bars), plain(params.regimes)), paths.regimes)
    backfill(params, paths, until=WEEK)
    assert sealed_weeks(paths, "main") == [GENESIS, WEEK]

    ledger = Week(params.run, paths).ledger
    number = export_database(ledger, name="DESK_DATABASE", root=paths.root, history="main")
    count = "select count(*) from {}"
    assert postgres.execute(count.format("edgebook.signal_outcomes"), database=database) == [(number,)]
    assert postgres.execute(count.format("public.signal_outcomes"), database=database) == [(len(trades),)]
    for file in paths.root.rglob("*"):
        assert not file.is_file() or postgres.password.encode() not in file.read_bytes(), file
