"""The exported store: the same rows however often it is exported, and the last good ones when that goes wrong."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from pandas.testing import assert_frame_equal
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine

from edgebook.errors import DataError, SettingsError
from edgebook.paths import Paths
from edgebook.store import migrations
from edgebook.store.migrations.first_tables import TABLES
from edgebook.store.store import export_database, export_ledger, export_store
from edgebook.store.store_migrations import NEWEST, VERSION_TABLE
from edgebook.store.store_tables import SCHEMA, SIGNAL_OUTCOMES

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
    export_store(ledger(trade(close_rate=odd)), path=path, history="main")
    (row,) = rows(path, "signal_outcomes").to_dict("records")
    expected = trade(close_rate=odd)
    assert {name: row[name] for name in expected} == expected
    export_store(
        ledger(trade(open_date=pd.Timestamp("2019-01-01 07:00", tz="Europe/Paris"))), path=path, history="main"
    )
    assert rows(path, "signal_outcomes")["open_date"].tolist() == ["2019-01-01T06:00:00Z"]


def test_a_hit_has_its_barrier_and_its_fill(path):
    timed = trade(3, exit_reason="time_exit", close_rate=100.5)
    assert export_store(ledger(trade(1), stop(2), timed, trade(4, status="open")), path=path, history="main") == 4
    hits = rows(path, "tp_sl_hits")
    assert hits[["signal_id", "hit", "hit_date", "barrier_abs", "hit_rate"]].values.tolist() == [
        ["BTC-USD_1h_20190101T0500_long", "take_profit", "2019-01-01T06:00:00Z", 102.0, 102.0],
        ["BTC-USD_1h_20190102T0500_long", "stop_loss", "2019-01-02T06:00:00Z", 98.5, 97.0],  # gapped through
    ]
    assert len(rows(path, "signal_outcomes")) == 4


def test_exporting_again_changes_no_row(path):
    trades = ledger(trade(1), stop(2), trade(3, status="open"))
    export_store(trades, path=path, history="main")
    before = [rows(path, table) for table in ("signal_outcomes", "tp_sl_hits")]
    export_store(trades[::-1], path=path, history="main")
    for table, then in zip(("signal_outcomes", "tp_sl_hits"), before, strict=True):
        assert_frame_equal(rows(path, table), then)


def test_an_open_signal_becomes_closed_and_stays_so(path):
    export_store(ledger(trade(1, status="open")), path=path, history="main")
    assert rows(path, "signal_outcomes")[["status", "close_rate"]].isna().values.tolist() == [[False, True]]
    assert rows(path, "tp_sl_hits").empty
    export_store(ledger(trade(1)), path=path, history="main")
    export_store(ledger(trade(1, status="open")), path=path, history="main")  # an older week, exported late
    assert rows(path, "signal_outcomes")[["status", "close_rate"]].values.tolist() == [["closed", 102.0]]
    assert len(rows(path, "tp_sl_hits")) == 1


@pytest.mark.parametrize("first", [0, 1])
def test_of_a_signal_that_stands_twice_in_a_ledger_the_closed_row_counts(path, first):
    twice = [trade(1, status="open"), trade(1)]
    assert export_store(ledger(twice[first], twice[1 - first]), path=path, history="main") == 1
    assert rows(path, "signal_outcomes")["status"].tolist() == ["closed"]


def test_a_corrected_exit_takes_its_hit_along(path):
    export_store(ledger(trade(1), stop(2)), path=path, history="main")
    export_store(ledger(trade(1, exit_reason="time_exit")), path=path, history="main")
    assert rows(path, "signal_outcomes")["exit_reason"].tolist() == ["time_exit", "stop_loss"]
    assert rows(path, "tp_sl_hits")["hit"].tolist() == ["stop_loss"]


def test_an_empty_ledger_makes_an_empty_store(path):
    assert export_store(ledger(trade())[:0], path=path, history="main") == 0
    assert rows(path, "signal_outcomes").empty
    assert rows(path, "tp_sl_hits").empty


def test_a_ledger_is_not_changed_and_reads_the_same_from_csv(path, tmp_path):
    trades = ledger(trade(1), stop(2), trade(3, status="open"))
    before = trades.copy(deep=True)
    export_store(trades, path=path, history="main")
    assert_frame_equal(trades, before)
    trades.to_csv(tmp_path / "week.csv", index=False)
    export_store(pd.read_csv(tmp_path / "week.csv"), path=tmp_path / "again.sqlite", history="main")
    assert_frame_equal(rows(path, "signal_outcomes"), rows(tmp_path / "again.sqlite", "signal_outcomes"))


def test_the_store_knows_every_ledger_column():
    seals = pytest.importorskip("edgebook.seals.seals")
    assert {"history", *seals.LEDGER_COLUMNS} == {column.name for column in SIGNAL_OUTCOMES.columns}


def test_histories_share_signal_ids_and_not_rows(path):
    export_store(ledger(trade(1)), path=path, history="main")
    export_store(ledger(stop(1)), path=path, history="other")
    assert rows(path, "signal_outcomes")[["history", "exit_reason"]].values.tolist() == [
        ["main", "take_profit"],
        ["other", "stop_loss"],
    ]
    assert len(rows(path, "tp_sl_hits")) == 2


def test_exporting_again_writes_nothing(path):
    trades = ledger(trade(1), stop(2), trade(3, status="open"))
    export_store(trades, path=path, history="main")
    before = path.read_bytes()[:100]  # the header counts the transactions that changed something
    export_store(trades, path=path, history="main")
    assert path.read_bytes()[:100] == before


# Revisions ------------------------------------------------------------------------------------------------------------


def old_store(path, *trades, drop=()):
    """A store as Edgebook wrote it before stores had revisions: text and numbers by signal_id, no history."""
    path.parent.mkdir(exist_ok=True)
    frame = ledger(*trades).drop(columns=list(drop))
    with sqlite3.connect(path) as connection:
        names = ", ".join(f"{name}{' primary key' if name == 'signal_id' else ''}" for name in frame)
        connection.execute(f"create table signal_outcomes ({names})")
        connection.executemany(
            f"insert into signal_outcomes values ({', '.join('?' * len(frame.columns))})", frame.astype(object).values
        )
        connection.execute(f"create table tp_sl_hits ({', '.join(TABLES['tp_sl_hits'].split())})")
        connection.execute(
            "insert into tp_sl_hits select signal_id, pair, timeframe, is_short, exit_reason, close_date, "
            "take_profit_abs, close_rate, bars_held, profit_ratio, r_multiple from signal_outcomes"
        )
    return frame


def test_a_store_from_before_revisions_keeps_its_rows(path):
    before = old_store(path, trade(1), trade(2))
    assert export_store(ledger(stop(2), trade(3, status="open")), path=path, history="night") == 2
    after = rows(path, "signal_outcomes")
    assert after["history"].tolist() == ["night"] * 3
    assert after[["signal_id", "status"]].values[0].tolist() == before[["signal_id", "status"]].values[0].tolist()
    assert after["exit_reason"].tolist()[:2] == ["take_profit", "stop_loss"]
    assert rows(path, "tp_sl_hits")["hit"].tolist() == ["take_profit", "stop_loss"]
    with sqlite3.connect(path) as connection:
        assert connection.execute("select version_num from edgebook_version").fetchall() == [(NEWEST,)]
        tables = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
    assert tables == {"signal_outcomes", "tp_sl_hits", "edgebook_version"}


def test_revisions_make_the_tables_that_the_store_writes(path):
    export_store(ledger(trade(1)), path=path, history="main")
    with create_engine(f"sqlite:///{path}").connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, SCHEMA) == []
    folder = str(Path(migrations.__file__).parent)
    assert ScriptDirectory(folder, version_locations=[folder]).get_heads() == [NEWEST]


def test_a_newer_store_is_refused_by_an_older_edgebook(path):
    export_store(ledger(trade(1)), path=path, history="main")
    with sqlite3.connect(path) as connection:
        connection.execute("update edgebook_version set version_num = '0099'")
    before = path.read_bytes()
    with pytest.raises(DataError, match=r"main\.sqlite: its tables are of revision 0099, made by a newer Edgebook"):
        export_store(ledger(trade(2)), path=path, history="main")
    assert path.read_bytes() == before


def test_somebody_elses_tables_of_the_same_name_are_left_alone(path):
    old_store(path, trade(1), drop=["certified"])
    before = path.read_bytes()
    with pytest.raises(DataError, match=r"main\.sqlite: its table signal_outcomes was not made by Edgebook"):
        export_store(ledger(trade(2)), path=path, history="main")
    assert path.read_bytes() == before


# Where to -------------------------------------------------------------------------------------------------------------


def test_a_database_is_named_by_its_credential(path, tmp_path, monkeypatch):
    monkeypatch.setenv("DESK_STORE", "sqlite:///mine.sqlite")
    paths = Paths(tmp_path)
    assert export_ledger(ledger(trade(1)), paths=paths, history="main", database="DESK_STORE") == (1, "DESK_STORE")
    assert len(rows(tmp_path / "mine.sqlite", "signal_outcomes")) == 1
    assert export_ledger(ledger(trade(1)), paths=paths, history="main") == (1, "edgebook.sqlite")


def test_an_address_is_refused_and_its_password_not_said(tmp_path):
    address = "postgresql://desk:hunter22@db/desk"
    for place in ({"file": address}, {"database": address}):
        with pytest.raises(SettingsError) as error:
            export_ledger(ledger(trade(1)), paths=Paths(tmp_path), history="main", **place)
        assert "hunter22" not in str(error.value)
        assert len(str(error.value).splitlines()) == 1


def test_a_server_that_is_not_there_is_told_in_one_line_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("DESK_STORE", "postgresql://desk:hunter22@127.0.0.1:1/desk")
    with pytest.raises(DataError, match=r"^DESK_STORE: could not be written \(connection failed: ") as error:
        export_database(ledger(trade(1)), name="DESK_STORE", root=tmp_path, history="main")
    assert "hunter22" not in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert error.value.__cause__ is None


def test_another_kind_of_database_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("DESK_STORE", "mysql+mysqldb://desk:hunter22@127.0.0.1:1/desk")
    with pytest.raises(SettingsError, match=r"^DESK_STORE: mysql"):
        export_database(ledger(trade(1)), name="DESK_STORE", root=tmp_path, history="main")


# When it goes wrong ---------------------------------------------------------------------------------------------------


def test_a_ledger_without_what_every_trade_has_is_refused(path):
    with pytest.raises(DataError, match=r"^ledger: no column stop_loss_abs; the store needs signal_id, "):
        export_store(ledger(trade()).drop(columns="stop_loss_abs"), path=path, history="main")
    with pytest.raises(DataError, match=r"^ledger: row 1: open_rate is missing; every trade has one"):
        export_store(ledger(trade(1), trade(2, open_rate=None)), path=path, history="main")
    with pytest.raises(DataError, match=r"^ledger: row 0: status is 'shut'; it is open or closed"):
        export_store(ledger(trade(status="shut")), path=path, history="main")
    with pytest.raises(DataError, match=r"^ledger: column stake: .*; correct the value"):
        export_store(ledger(trade(1), trade(2, stake="much")), path=path, history="main")
    with pytest.raises(DataError, match=r"^ledger: row 1: a closed trade without close_rate"):
        export_store(ledger(trade(1), trade(2, close_rate=None)), path=path, history="main")
    assert not path.exists()


def test_a_full_disk_gives_one_line_and_leaves_the_last_good_rows(path):
    export_store(ledger(trade(1)), path=path, history="main")
    before = rows(path, "signal_outcomes")

    def fill(connection, _record):
        connection.execute("pragma max_page_count = 8")

    event.listen(Engine, "connect", fill)
    try:
        with pytest.raises(DataError, match=r"database or disk is full\); the last good rows are kept$") as error:
            export_store(
                ledger(*(trade(1, signal_id=f"s{i}", head_scores="x" * 500) for i in range(500))),
                path=path,
                history="main",
            )
    finally:
        event.remove(Engine, "connect", fill)
    assert len(str(error.value).splitlines()) == 1
    assert_frame_equal(rows(path, "signal_outcomes"), before)
    assert export_store(ledger(trade(2)), path=path, history="main") == 1


def test_a_file_that_is_no_store_is_refused_and_left_alone(path):
    path.parent.mkdir()
    path.write_text("not a database, but long enough to be looked at " * 20)
    before = path.read_bytes()
    with pytest.raises(DataError, match=r"main\.sqlite: could not be written \(file is not a database\)"):
        export_store(ledger(trade()), path=path, history="main")
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_gives_one_line(tmp_path):
    (tmp_path / "exports").write_text("a file")
    with pytest.raises(DataError, match=r"main\.sqlite: could not be written \(File exists\)"):
        export_store(ledger(trade()), path=tmp_path / "exports" / "main.sqlite", history="main")


KILLED = """
import os, signal, sys
from pathlib import Path
import pandas as pd
from sqlalchemy import event
from sqlalchemy.engine import Engine
from edgebook.store.store import export_store

event.listen(Engine, "commit", lambda connection: os.kill(os.getpid(), signal.SIGKILL))
trades = pd.read_csv(sys.argv[1])
# More pages than SQLite keeps in memory, so that the file itself is half written when the kill comes.
event.listen(Engine, "connect", lambda connection, record: connection.execute("pragma cache_size = 4"))
export_store(trades, path=Path(sys.argv[2]), history="main")
"""


def test_a_killed_export_leaves_the_last_good_rows(path, tmp_path):
    export_store(ledger(trade(1, status="open"), stop(2)), path=path, history="main")
    before = [rows(path, table) for table in ("signal_outcomes", "tp_sl_hits")]
    more = ledger(trade(1), *(trade(3, signal_id=f"s{i}", head_scores="x" * 200) for i in range(300)))
    more.to_csv(tmp_path / "more.csv", index=False)
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "more.csv", path], check=False, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    assert path.with_name("main.sqlite-journal").exists()  # killed in the middle indeed
    for table, then in zip(("signal_outcomes", "tp_sl_hits"), before, strict=True):
        assert_frame_equal(rows(path, table), then)
    assert export_store(more, path=path, history="main") == 301
    assert len(rows(path, "signal_outcomes")) == 302
