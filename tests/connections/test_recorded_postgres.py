"""A desk's outcomes in PostgreSQL: read in a read-only transaction, mapped, kept, and learned from by the stage."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from edgebook.errors import DataError
from edgebook.files import tables
from edgebook.files.databases import open_database
from edgebook.outcomes.candidates import label_candidates
from edgebook.outcomes.recorded import read_recorded
from edgebook.outcomes.recorded_snapshot import take
from edgebook.paths import Paths
from edgebook.settings.exit_plans import Costs, ExitPlan
from edgebook.settings.loading import load_params
from edgebook.stages.stages import run_stage
from small_desk import desk_trades
from small_market import PLAN, small_bars, write_settings

DESK = """outcomes:
  source: database
  database:
    url: DESK_DATABASE
    signal_outcomes: desk.signal_outcomes
    tp_sl_hits: select signal_id, exit_reason as hit, close_date as hit_date, close_rate as hit_rate
      from desk.signal_outcomes where exit_reason in ('take_profit', 'stop_loss')
candidates:
"""


@pytest.fixture
def desk(database: str, tmp_path: Path) -> tuple[Paths, pd.DataFrame]:
    """Tables of the small market, and a desk's own in a schema of PostgreSQL: timestamptz, numeric, boolean."""
    paths = Paths(tmp_path)
    write_settings(paths, changes={"candidates:\n": DESK})
    labelled = label_candidates(small_bars(), [ExitPlan.parse(PLAN)], costs=Costs(7.5, 2.5, 1.0))[PLAN]
    tables.write(small_bars(), paths.bars)
    tables.write(labelled, paths.candidates / f"{PLAN}.parquet")
    near = labelled[
        labelled["open_date"].between(pd.Timestamp("2018-02-05", tz="UTC"), pd.Timestamp("2018-05-20", tz="UTC"))
    ]
    near = near[near["close_date"] < pd.Timestamp("2018-05-28", tz="UTC")]
    trades = desk_trades(near.sample(500, random_state=1), own_ids=True)
    with open_database("DESK_DATABASE", root=tmp_path).begin() as connection:
        connection.execute(text("create schema desk"))
        trades.drop(columns="exit_plan").to_sql("signal_outcomes", connection, schema="desk", index=False)
        connection.execute(text("alter table desk.signal_outcomes alter column profit_ratio type numeric(12, 8)"))
    return paths, trades


def test_a_snapshot_of_postgresql_becomes_outcomes_of_the_stage(desk):
    paths, _ = desk
    params = load_params(paths.params)
    assert "500 rows: 500 new" in take(params, paths, until="2018-05-28")
    assert "nothing new" in take(params, paths, until="2018-06-04")
    assert len(read_recorded(paths.recorded)) == 500
    assert "500 of them recorded" in run_stage("outcomes", paths=paths)
    known = tables.read(paths.outcomes / f"{PLAN}.parquet")
    assert (known["source"] == "recorded").sum() == 500


def test_a_change_while_it_is_read_is_in_the_next_snapshot(desk):
    paths, _ = desk
    params = load_params(paths.params)
    take(params, paths, until="2018-05-28")
    with open_database("DESK_DATABASE", root=paths.root).begin() as connection:
        name = "(select min(signal_id) from desk.signal_outcomes)"
        connection.execute(
            text(f"update desk.signal_outcomes set profit_ratio = profit_ratio - 0.001 where signal_id = {name}")
        )
        connection.execute(
            text("delete from desk.signal_outcomes where signal_id = (select max(signal_id) from desk.signal_outcomes)")
        )
    assert "2 rows: 0 new, 1 changed, 1 deleted" in take(params, paths, until="2018-06-04")


def test_nothing_can_be_written_through_the_setting(desk):
    paths, trades = desk
    text_ = paths.params.read_text().replace(
        "signal_outcomes: desk.signal_outcomes\n",
        "signal_outcomes: with gone as (delete from desk.signal_outcomes returning *) select * from gone\n",
    )
    paths.params.write_text(text_)
    with pytest.raises(DataError, match="read-only transaction"):
        take(load_params(paths.params), paths, until="2018-05-28")
    with open_database("DESK_DATABASE", root=paths.root).connect() as connection:
        assert connection.execute(text("select count(*) from desk.signal_outcomes")).scalar() == len(trades)
