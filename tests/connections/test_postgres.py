"""The exported store in a real PostgreSQL: whatever happens to the connection, every signal is there once."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import numpy as np
import pandas as pd
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event
from sqlalchemy.engine import Engine

from edgebook.cli import main
from edgebook.errors import DataError
from edgebook.files.databases import open_database
from edgebook.paths import repository
from edgebook.store import store
from edgebook.store.store import export_database
from edgebook.store.store_migrations import VERSION_TABLE
from edgebook.store.store_tables import SCHEMA

RESULT = {"take_profit": (102.0, 0.018, 1.2), "stop_loss": (97.0, -0.032, -2.13), "time_exit": (100.5, 0.003, 0.2)}


def trades(number, *, status="closed", exit_reason="take_profit", first=0, **changes):
    """Longs from 100 with a target of 102 and a stop of 98.5, alike but for their names."""
    closed = status == "closed"
    close_rate, profit_ratio, r_multiple = RESULT[exit_reason] if closed else (None, None, None)
    row = {
        "pair": "BTC/USD",
        "timeframe": "1h",
        "is_short": False,
        "open_date": "2019-01-01T05:00:00Z",
        "close_date": "2019-01-01T06:00:00Z" if closed else None,
        "open_rate": 100.0,
        "close_rate": close_rate,
        "take_profit_abs": 102.0,
        "stop_loss_abs": 98.5,
        "profit_ratio": profit_ratio,
        "r_multiple": r_multiple,
        "exit_reason": exit_reason if closed else None,
        "bars_held": 1 if closed else None,
        "enter_tag": "breakout",
        "status": status,
    }
    names = [f"s{place:07d}" for place in range(first, first + number)]
    return pd.DataFrame({"signal_id": names} | {key: [value] * number for key, value in (row | changes).items()})


@pytest.fixture
def export(database, tmp_path):
    def run(ledger, *, history="main", name="DESK_DATABASE"):
        return export_database(ledger, name=name, root=tmp_path, history=history)

    return run


@pytest.fixture
def ask(postgres, database):
    """Answer to a question in SQL, its tables found without a schema."""

    def answer(question, *parameters):
        with psycopg.connect(postgres.url(database), options="-c search_path=edgebook", autocommit=True) as connection:
            cursor = connection.execute(question, parameters or None)
            return cursor.fetchall() if cursor.description else []

    return answer


@pytest.fixture
def end_sessions(postgres, database):
    """End the exports' sessions as an administrator would, and say how many there were."""

    def end():
        return len(
            postgres.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where application_name = 'edgebook' and datname = %s",
                database,
            )
        )

    return end


def counts(ask):
    """Signals, different ones, and hits."""
    ((signals, different),) = ask("select count(*), count(distinct signal_id) from signal_outcomes")
    return signals, different, ask("select count(*) from tp_sl_hits")[0][0]


# What is in the tables ------------------------------------------------------------------------------------------------


def test_values_arrive_as_they_are(export, ask):
    odd = 'a "quoted", \\N \\. text\nof\ttwo lines; é'
    ledger = trades(3, exit_reason="stop_loss").assign(
        close_rate=0.1 + 0.2, stake=[1e300, np.inf, None], regime=[odd, "", None], certified=[True, None, False]
    )
    assert export(ledger) == 3
    rows = ask(
        "select signal_id, open_date at time zone 'UTC', close_rate, stake, regime, certified, bars_held, history "
        "from signal_outcomes order by signal_id"
    )
    at = pd.Timestamp("2019-01-01 05:00").to_pydatetime()
    assert rows == [
        ("s0000000", at, 0.1 + 0.2, 1e300, odd, True, 1, "main"),
        ("s0000001", at, 0.1 + 0.2, np.inf, "", None, 1, "main"),
        ("s0000002", at, 0.1 + 0.2, None, None, False, 1, "main"),
    ]
    assert ask("select hit, barrier_abs, hit_rate from tp_sl_hits limit 1") == [("stop_loss", 98.5, 0.1 + 0.2)]


def test_an_open_signal_becomes_closed_and_stays_so(export, ask):
    export(trades(2, status="open"))
    assert counts(ask) == (2, 2, 0)
    export(trades(2))
    export(trades(2, status="open"))  # an older week, exported late
    assert ask("select status, close_rate from signal_outcomes") == [("closed", 102.0)] * 2
    export(trades(1, exit_reason="time_exit"))  # a correction takes its hit along
    assert counts(ask) == (2, 2, 1)
    export(trades(2, exit_reason="stop_loss"), history="other")
    assert ask("select history, hit from tp_sl_hits order by 1, 2") == [
        ("main", "take_profit"), ("other", "stop_loss"), ("other", "stop_loss"),
    ]  # fmt: skip


def test_exporting_again_writes_nothing(export, ask):
    ledger = pd.concat([trades(5), trades(5, first=5, status="open")])
    export(ledger)
    before = ask("select xmin, ctid, signal_id from signal_outcomes order by signal_id")
    export(ledger[::-1])
    assert ask("select xmin, ctid, signal_id from signal_outcomes order by signal_id") == before


def test_an_empty_ledger_makes_empty_tables_in_a_schema_of_their_own(export, ask, postgres, database, tmp_path):
    postgres.execute("create table signal_outcomes as select 1 as desk", database=database)
    assert export(trades(0)) == 0
    assert counts(ask) == (0, 0, 0)
    assert postgres.execute("select desk from public.signal_outcomes", database=database) == [(1,)]
    with open_database("DESK_DATABASE", root=tmp_path).connect() as connection:
        connection.exec_driver_sql("set search_path to edgebook")
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, SCHEMA) == []


def test_a_newer_store_and_somebody_elses_tables_are_refused(export, ask, postgres, database):
    postgres.execute("create schema edgebook", database=database)
    ask("create table signal_outcomes (signal_id text primary key, mine int)")
    with pytest.raises(DataError, match=r"^DESK_DATABASE: its table signal_outcomes was not made by Edgebook"):
        export(trades(1))
    ask("drop table signal_outcomes")
    export(trades(1))
    ask("update edgebook_version set version_num = '0099'")
    with pytest.raises(DataError, match=r"^DESK_DATABASE: its tables are of revision 0099, made by a newer Edgebook"):
        export(trades(2))
    assert counts(ask) == (1, 1, 1)


# Whatever happens -----------------------------------------------------------------------------------------------------


def test_writers_at_once_on_an_empty_database(export, ask, monkeypatch):
    monkeypatch.setattr(store, "BATCH_ROWS", 100)
    weeks = [trades(600, first=first, status=status) for first in (0, 300) for status in ("open", "closed")]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(export, weeks)) == [600] * 4
    assert counts(ask) == (900, 900, 900)
    assert ask("select distinct status from signal_outcomes") == [("closed",)]


class Accident:
    """Something that happens to an export, at a moment of it, for so many times."""

    def __init__(self, monkeypatch, happen, *, moment, times=1):
        self.left, self.happen, self.happened = times, happen, 0
        for name in ("_copy", "merge_incoming"):
            monkeypatch.setattr(store, name, self.around(getattr(store, name), before=moment == f"before {name}",
                                                         after=moment == f"after {name}"))  # fmt: skip

    def around(self, step, *, before, after):
        def run(*arguments):
            self.perhaps(before)
            step(*arguments)
            self.perhaps(after)

        return run

    def perhaps(self, now):
        if now and self.left:
            self.left -= 1
            self.happened += 1
            self.happen()


MOMENTS = ("before _copy", "after _copy", "after merge_incoming")


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_dropped_connection_in_the_middle_of_a_batch(
    export, ask, end_sessions, monkeypatch, caplog, postgres, moment
):
    monkeypatch.setattr(store, "BATCH_ROWS", 1000)
    monkeypatch.setattr(store, "WAITS_SECONDS", (0.01, 0.02, 0.03))
    accident = Accident(monkeypatch, end_sessions, moment=moment, times=3)
    with caplog.at_level(logging.WARNING):
        assert export(trades(2500)) == 2500
    assert accident.happened == 3
    assert caplog.text.count("trying again in") == 3
    assert postgres.password not in caplog.text
    assert counts(ask) == (2500, 2500, 2500)


def test_a_connection_lost_after_the_commit(export, ask, monkeypatch):
    """Whether a commit arrived cannot be known when its answer is lost; a second try finds the rows there."""
    monkeypatch.setattr(store, "WAITS_SECONDS", (0.01,))
    lost = []

    def lose(connection):
        if not lost and connection.dialect.name == "postgresql":
            lost.append(connection)
            connection.connection.driver_connection.commit()
            connection.connection.driver_connection.close()

    event.listen(Engine, "commit", lose)
    try:
        assert export(trades(100)) == 100
    finally:
        event.remove(Engine, "commit", lose)
    assert len(lost) == 1
    assert counts(ask) == (100, 100, 100)


def test_sessions_ended_at_any_time(export, ask, end_sessions, monkeypatch):
    monkeypatch.setattr(store, "BATCH_ROWS", 2000)
    monkeypatch.setattr(store, "WAITS_SECONDS", (0.05,) * 40)
    rng, done, ended = np.random.default_rng(3), threading.Event(), []

    def trouble():
        while not done.is_set() and sum(ended) < 15:
            time.sleep(rng.uniform(0, 0.2))
            ended.append(end_sessions())

    thread = threading.Thread(target=trouble)
    thread.start()
    try:
        assert export(trades(20_000)) == 20_000
    finally:
        done.set()
        thread.join()
    assert sum(ended) > 0
    assert counts(ask) == (20_000, 20_000, 20_000)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_server_that_restarts_during_an_export(export, ask, postgres, monkeypatch, mode):
    monkeypatch.setattr(store, "BATCH_ROWS", 1000)
    export(trades(10, status="open"))
    accident = Accident(monkeypatch, lambda: postgres.restart(mode), moment="after _copy")
    assert export(trades(3000)) == 3000
    assert accident.happened == 1
    assert counts(ask) == (3000, 3000, 3000)


def test_a_server_that_is_away_for_a_second(export, ask, postgres, monkeypatch):
    def away():
        postgres.stop("immediate")
        threading.Timer(1.0, postgres.start).start()

    accident = Accident(monkeypatch, away, moment="after merge_incoming")
    assert export(trades(100)) == 100
    assert accident.happened == 1
    assert counts(ask) == (100, 100, 100)


def test_it_gives_up_in_the_end_and_keeps_the_last_good_rows(export, ask, end_sessions, monkeypatch):
    export(trades(10))
    monkeypatch.setattr(store, "WAITS_SECONDS", (0.01, 0.01))
    accident = Accident(monkeypatch, end_sessions, moment="after _copy", times=99)
    with pytest.raises(DataError, match=r"^DESK_DATABASE: could not be written \(.*\); the last good rows are kept$"):
        export(trades(20))
    assert accident.happened == 3
    assert counts(ask) == (10, 10, 10)


KILLED = """
import os, signal, sys
from pathlib import Path
import pandas as pd
from edgebook.store import store

store.merge_incoming = lambda connection: os.kill(os.getpid(), signal.SIGKILL)
store.export_database(pd.read_csv(sys.argv[1]), name="DESK_DATABASE", root=Path(sys.argv[2]), history="main")
"""


def test_a_killed_export_leaves_the_last_good_rows_and_no_lock(export, ask, tmp_path):
    export(trades(10, status="open"))
    trades(20).to_csv(tmp_path / "week.csv", index=False)
    command = [sys.executable, "-c", KILLED, tmp_path / "week.csv", tmp_path]
    assert subprocess.run(command, check=False, env=os.environ).returncode == -signal.SIGKILL
    assert counts(ask) == (10, 10, 0)
    assert export(trades(20)) == 20
    assert counts(ask) == (20, 20, 20)


def test_a_million_outcomes(export, ask):
    ledger = trades(1_000_000, exit_reason="time_exit")
    hit = np.arange(len(ledger)) % 20 == 0
    ledger.loc[hit, "exit_reason"] = "take_profit"
    started = time.monotonic()
    assert export(ledger) == 1_000_000
    print(f"{1_000_000 / (time.monotonic() - started):,.0f} outcomes a second")
    assert counts(ask) == (1_000_000, 1_000_000, 50_000)
    assert export(ledger[:100_000]) == 100_000
    assert counts(ask) == (1_000_000, 1_000_000, 50_000)


# What is refused, in one line and without a password ------------------------------------------------------------------


def refusal(error, postgres):
    """The line that a user reads; what a traceback would show has no password either."""
    shown = "".join(traceback.format_exception(error.value))
    for password in (postgres.password, quote(postgres.password, safe="")):
        assert password not in shown
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


def test_a_wrong_password_and_a_missing_database(export, postgres, database, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("it was tried again"))
    monkeypatch.setenv("DESK_DATABASE", postgres.url(database, password="hunter22"))
    with pytest.raises(DataError, match="password authentication failed for user") as error:
        export(trades(1))
    assert "hunter22" not in refusal(error, postgres)
    monkeypatch.setenv("DESK_DATABASE", postgres.url("nowhere"))
    with pytest.raises(DataError, match='database "nowhere" does not exist') as error:
        export(trades(1))
    refusal(error, postgres)


def test_a_role_that_may_only_read(export, ask, postgres, database, monkeypatch):
    export(trades(1))
    role = f"reader_{database}"
    ask(f"create role {role} login password 'hunter22'")
    ask(f"grant usage on schema edgebook to {role}")
    ask(f"grant select on all tables in schema edgebook to {role}")
    address = f"postgresql://{role}:hunter22@127.0.0.1:{postgres.port}/{database}"
    monkeypatch.setenv("DESK_DATABASE", address)
    with pytest.raises(DataError, match=r"\(permission denied for table signal_outcomes\); the last good") as error:
        export(trades(2))
    assert "hunter22" not in refusal(error, postgres)
    monkeypatch.setenv("DESK_DATABASE", f"{address}?options=-c%20default_transaction_read_only%3Don")
    with pytest.raises(DataError, match=r"in a read-only transaction\)") as error:
        export(trades(2))
    assert counts(ask) == (1, 1, 1)


def test_a_full_disk(export, ask, postgres, monkeypatch):
    monkeypatch.setattr(store, "BATCH_ROWS", 10)
    export(trades(10))
    ask(
        "create function full_disk() returns trigger language plpgsql as $$ begin if new.signal_id > 's0000025' then "
        "raise sqlstate '53100' using message = 'could not extend file: No space left on device', "
        "hint = 'Check free disk space.'; end if; return new; end $$"
    )
    ask("create trigger full_disk before insert on signal_outcomes for each row execute function full_disk()")
    with pytest.raises(DataError, match=r"\(could not extend file: No space left on device\); the last good") as error:
        export(trades(40))
    refusal(error, postgres)
    assert counts(ask) == (20, 20, 20)  # batches are whole or not there
    ask("drop trigger full_disk on signal_outcomes")
    assert export(trades(40)) == 40
    assert counts(ask) == (40, 40, 40)


def test_text_that_the_server_cannot_hold(export, ask, postgres):
    export(trades(1))
    with pytest.raises(DataError, match=r"invalid byte sequence for encoding \"UTF8\": 0x00") as error:
        export(trades(2, enter_tag="a\0b"))
    refusal(error, postgres)
    assert counts(ask) == (1, 1, 1)


def test_an_export_that_never_ends_is_not_waited_for_for_ever(export, ask, postgres, database, monkeypatch):
    export(trades(1))
    monkeypatch.setattr(store, "BUSY_SECONDS", 1)
    with psycopg.connect(postgres.url(database)) as other:
        other.execute(f"select pg_advisory_xact_lock({store._LOCK})")
        with pytest.raises(DataError, match=r"another export has held the store for 1 seconds; try again") as error:
            export(trades(2))
    refusal(error, postgres)
    assert export(trades(2)) == 2


def test_the_command_shows_no_password_whatever_happens(postgres, database, monkeypatch, capfd):
    monkeypatch.setenv("EDGEBOOK_ROOT", str(repository() / "data" / "sample"))

    address = postgres.url(database)

    def edgebook(*words, address=address):
        monkeypatch.setenv("DESK_DATABASE", address)
        monkeypatch.setattr(sys, "argv", ["edgebook", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capfd.readouterr()
        return ended.value.code, printed.out + printed.err

    said = [
        edgebook("export", "--database", "DESK_DATABASE"),
        edgebook("export", "--database", "DESK_DATABASE"),
        edgebook("export", "--database", "NOWHERE"),
        edgebook("export", "--database", address),
        edgebook("export", "--to", address),
        edgebook("export", "--database", "DESK_DATABASE", address=postgres.url("nowhere")),
        edgebook("export", "--database", "DESK_DATABASE", address=address.replace(str(postgres.port), "1")),
        edgebook("export", "--database", "DESK_DATABASE", address=address.replace("postgresql", "postgers")),
        edgebook("export", "--database", "DESK_DATABASE", address=postgres.password),
    ]
    assert [code for code, _ in said] == [0, 0, 1, 1, 1, 1, 1, 1, 1]
    everything = "".join(text for _, text in said) + postgres.log
    for password in (postgres.password, quote(postgres.password, safe="")):
        assert password not in everything
    assert all(len(text.strip().splitlines()) == 1 for _, text in said), said
    number = postgres.execute("select count(*) from edgebook.signal_outcomes", database=database)[0][0]
    assert said[0] == said[1]
    assert said[0][1].startswith(f"{number:,} signals of ")
