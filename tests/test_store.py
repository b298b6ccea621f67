"""The exported store: the same rows however often it is exported, and the last good ones when that goes wrong."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sqlalchemy import event
from sqlalchemy.engine import Engine

from edgebook.errors import DataError
from edgebook.store import SIGNAL_OUTCOMES, export_store

OPEN = {"close_date": None, "close_rate": None, "profit_ratio": None, "r_multiple": None, "exit_reason": None}


def trade(number=1, *, status="closed", exit_reason="take_profit", **changes):
    """A long of one hour that reached its target of 102 from 100, or what the changes make of it."""
    row = {
        "signal_id": f"BTC-USD_1h_201901{number:02d}T0500_long",
        "pair": "BTC/USD",
        "timeframe": "1h",
        "is_short": False,
        "date": f"2019-01-{number:02d}T05:00:00Z",
        "open_date": f"2019-01-{number:02d}T05:00:00Z",
        "close_date": f"2019-01-{number:02d}T06:00:00Z",
        "open_rate": 100.0,
        "close_rate": 102.0,
        "fee_open": 0.001,
        "fee_close": 0.001,
        "take_profit_abs": 102.0,
        "stop_loss_abs": 98.5,
        "stake": 5000.25,
        "profit_ratio": 0.01798,
        "r_multiple": 1.198667,
        "exit_reason": exit_reason,
        "bars_held": 1,
        "mae": -0.2,
        "mfe": 1.333333,
        "enter_tag": "breakout",
        "regime": "ranging",
        "confidence": 0.61,
        "threshold": 0.58,
        "certified": False,
        "heads_agreed": "ABC",
        "head_scores": "A:0.0512;B:0.0311",
        "exit_plan": "tp2.0_sl1.5_t24",
        "model_version": "r1@2019-01-07",
        "ab_test_version": "champion",
        "status": status,
    }
    return row | (OPEN if status == "open" else {}) | changes


def stop(number, **changes):
    return trade(
        number, exit_reason="stop_loss", close_rate=97.0, profit_ratio=-0.03197, r_multiple=-2.131333, **changes
    )


def ledger(*rows):
    return pd.DataFrame(rows)


def rows(path, table):
    with sqlite3.connect(path) as connection:
        return pd.read_sql_query(f"select * from {table} order by signal_id", connection)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "exports" / "main.sqlite"


def test_numbers_are_stored_as_they_are_and_dates_as_text_in_utc(path):
    odd = 0.1 + 0.2
    export_store(ledger(trade(close_rate=odd)), path=path)
    (row,) = rows(path, "signal_outcomes").to_dict("records")
    expected = trade(close_rate=odd)
    assert {name: row[name] for name in expected} == expected
    export_store(ledger(trade(open_date=pd.Timestamp("2019-01-01 07:00", tz="Europe/Paris"))), path=path)
    assert rows(path, "signal_outcomes")["open_date"].tolist() == ["2019-01-01T06:00:00Z"]


def test_a_hit_has_its_barrier_and_its_fill(path):
    timed = trade(3, exit_reason="time_exit", close_rate=100.5)
    assert export_store(ledger(trade(1), stop(2), timed, trade(4, status="open")), path=path) == 4
    hits = rows(path, "tp_sl_hits")
    assert hits[["signal_id", "hit", "hit_date", "barrier_abs", "hit_rate"]].values.tolist() == [
        ["BTC-USD_1h_20190101T0500_long", "take_profit", "2019-01-01T06:00:00Z", 102.0, 102.0],
        ["BTC-USD_1h_20190102T0500_long", "stop_loss", "2019-01-02T06:00:00Z", 98.5, 97.0],  # gapped through
    ]
    assert len(rows(path, "signal_outcomes")) == 4


def test_exporting_again_changes_no_row(path):
    trades = ledger(trade(1), stop(2), trade(3, status="open"))
    export_store(trades, path=path)
    before = [rows(path, table) for table in ("signal_outcomes", "tp_sl_hits")]
    export_store(trades[::-1], path=path)
    for table, then in zip(("signal_outcomes", "tp_sl_hits"), before, strict=True):
        assert_frame_equal(rows(path, table), then)


def test_an_open_signal_becomes_closed_and_stays_so(path):
    export_store(ledger(trade(1, status="open")), path=path)
    assert rows(path, "signal_outcomes")[["status", "close_rate"]].isna().values.tolist() == [[False, True]]
    assert rows(path, "tp_sl_hits").empty
    export_store(ledger(trade(1)), path=path)
    export_store(ledger(trade(1, status="open")), path=path)  # an older week, exported late
    assert rows(path, "signal_outcomes")[["status", "close_rate"]].values.tolist() == [["closed", 102.0]]
    assert len(rows(path, "tp_sl_hits")) == 1


@pytest.mark.parametrize("first", [0, 1])
def test_of_a_signal_that_stands_twice_in_a_ledger_the_closed_row_counts(path, first):
    twice = [trade(1, status="open"), trade(1)]
    assert export_store(ledger(twice[first], twice[1 - first]), path=path) == 1
    assert rows(path, "signal_outcomes")["status"].tolist() == ["closed"]


def test_a_corrected_exit_takes_its_hit_along(path):
    export_store(ledger(trade(1), stop(2)), path=path)
    export_store(ledger(trade(1, exit_reason="time_exit")), path=path)
    assert rows(path, "signal_outcomes")["exit_reason"].tolist() == ["time_exit", "stop_loss"]
    assert rows(path, "tp_sl_hits")["hit"].tolist() == ["stop_loss"]


def test_an_empty_ledger_makes_an_empty_store(path):
    assert export_store(ledger(trade())[:0], path=path) == 0
    assert rows(path, "signal_outcomes").empty
    assert rows(path, "tp_sl_hits").empty


def test_a_ledger_is_not_changed_and_reads_the_same_from_csv(path, tmp_path):
    trades = ledger(trade(1), stop(2), trade(3, status="open"))
    before = trades.copy(deep=True)
    export_store(trades, path=path)
    assert_frame_equal(trades, before)
    trades.to_csv(tmp_path / "week.csv", index=False)
    export_store(pd.read_csv(tmp_path / "week.csv"), path=tmp_path / "again.sqlite")
    assert_frame_equal(rows(path, "signal_outcomes"), rows(tmp_path / "again.sqlite", "signal_outcomes"))


def test_the_store_knows_every_ledger_column():
    seals = pytest.importorskip("edgebook.seals")
    assert set(seals.LEDGER_COLUMNS) == {column.name for column in SIGNAL_OUTCOMES.columns}


# When it goes wrong ---------------------------------------------------------------------------------------------------


def test_a_ledger_without_what_every_trade_has_is_refused(path):
    with pytest.raises(DataError, match=r"^ledger: no column stop_loss_abs; the store needs signal_id, "):
        export_store(ledger(trade()).drop(columns="stop_loss_abs"), path=path)
    with pytest.raises(DataError, match=r"^ledger: row 1: open_rate is missing; every trade has one"):
        export_store(ledger(trade(1), trade(2, open_rate=None)), path=path)
    with pytest.raises(DataError, match=r"^ledger: row 0: status is 'shut'; it is open or closed"):
        export_store(ledger(trade(status="shut")), path=path)
    with pytest.raises(DataError, match=r"^ledger: row 1: a closed trade without close_rate"):
        export_store(ledger(trade(1), trade(2, close_rate=None)), path=path)
    assert not path.exists()


def test_a_full_disk_gives_one_line_and_leaves_the_last_good_rows(path):
    export_store(ledger(trade(1)), path=path)
    before = rows(path, "signal_outcomes")

    def fill(connection, _record):
        connection.execute("pragma max_page_count = 8")

    event.listen(Engine, "connect", fill)
    try:
        with pytest.raises(DataError, match=r"database or disk is full\); the last good rows are kept$") as error:
            export_store(ledger(*(trade(1, signal_id=f"s{i}", head_scores="x" * 500) for i in range(500))), path=path)
    finally:
        event.remove(Engine, "connect", fill)
    assert len(str(error.value).splitlines()) == 1
    assert_frame_equal(rows(path, "signal_outcomes"), before)
    assert export_store(ledger(trade(2)), path=path) == 1


def test_a_file_that_is_no_store_is_refused_and_left_alone(path):
    path.parent.mkdir()
    path.write_text("not a database, but long enough to be looked at " * 20)
    before = path.read_bytes()
    with pytest.raises(DataError, match=r"main\.sqlite: could not be written \(file is not a database\)"):
        export_store(ledger(trade()), path=path)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_gives_one_line(tmp_path):
    (tmp_path / "exports").write_text("a file")
    with pytest.raises(DataError, match=r"main\.sqlite: could not be written \(File exists\)"):
        export_store(ledger(trade()), path=tmp_path / "exports" / "main.sqlite")


KILLED = """
import os, signal, sys
from pathlib import Path
import pandas as pd
from sqlalchemy import event
from sqlalchemy.engine import Engine
from edgebook.store import export_store

event.listen(Engine, "commit", lambda connection: os.kill(os.getpid(), signal.SIGKILL))
trades = pd.read_csv(sys.argv[1])
# More pages than SQLite keeps in memory, so that the file itself is half written when the kill comes.
event.listen(Engine, "connect", lambda connection, record: connection.execute("pragma cache_size = 4"))
export_store(trades, path=Path(sys.argv[2]))
"""


def test_a_killed_export_leaves_the_last_good_rows(path, tmp_path):
    export_store(ledger(trade(1, status="open"), stop(2)), path=path)
    before = [rows(path, table) for table in ("signal_outcomes", "tp_sl_hits")]
    more = ledger(trade(1), *(trade(3, signal_id=f"s{i}", head_scores="x" * 200) for i in range(300)))
    more.to_csv(tmp_path / "more.csv", index=False)
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "more.csv", path], check=False, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    assert path.with_name("main.sqlite-journal").exists()  # killed in the middle indeed
    for table, then in zip(("signal_outcomes", "tp_sl_hits"), before, strict=True):
        assert_frame_equal(rows(path, table), then)
    assert export_store(more, path=path) == 301
    assert len(rows(path, "signal_outcomes")) == 302
