"""The exported store: a ledger in SQLite or PostgreSQL, for those who query trades with SQL.

An export and nothing else: no stage reads it, and neither git nor DVC tracks it. Exporting the same ledger again
changes no row.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from edgebook.errors import DataError, SettingsError
from edgebook.files.credentials import hidden
from edgebook.files.databases import one_line, open_database
from edgebook.store.store_merge import merge_incoming
from edgebook.store.store_migrations import upgrade_tables
from edgebook.store.store_tables import outcome_columns

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    import pyarrow as pa
    from sqlalchemy import Connection, Engine

    from edgebook.paths import Paths

POSTGRES_SCHEMA = "edgebook"
BATCH_ROWS = 100_000
"""Signals of one transaction in PostgreSQL: an ordinary ledger goes in whole or not at all."""
WAITS_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""How long to wait before each new try of a batch whose connection was lost."""
BUSY_SECONDS = 60
"""How long to wait for another export to be done."""

_LOCK = 0x45444745424F4F4B  # "EDGEBOOK": the key of the lock that exports take in turn
_CHUNK_ROWS = 10_000
# Sessions that the server ended or could not begin, and transactions that it asks to repeat.
_WORTH_ANOTHER_TRY = {"57P01", "57P02", "57P03", "40001", "40P01", "53300"}


def export_ledger(
    ledger: pd.DataFrame, *, paths: Paths, history: str, file: str | None = None, database: str | None = None
) -> tuple[int, str]:
    """Export a ledger to where a user says: a SQLite file, or a database by the name of its credential.

    Parameters
    ----------
    ledger : DataFrame
        As for `export_store`.
    paths : Paths
        Of the repository.
    history : str
        The ledger's.
    file : str, optional
        Another SQLite file than `paths.export`.
    database : str, optional
        Name of a credential; it comes before the files.

    Returns
    -------
    tuple of int and str
        Signals exported, and where to, as it may be shown.

    Raises
    ------
    SettingsError
        An address where a name or a file belongs, or as for `export_database`.
    DataError
        As for `export_store`.
    """
    if database:
        return export_database(ledger, name=database, root=paths.root, history=history), database
    if file and "://" in file:
        raise SettingsError(
            f"--to {hidden(file)}: an address on a command line stays in the shell's history; put it into an "
            "environment variable or a line NAME=address of .env, and say --database NAME"
        )
    path = Path(file) if file else paths.export
    return export_store(ledger, path=path, history=history), path.name


def export_store(ledger: pd.DataFrame, *, path: Path, history: str) -> int:
    """Bring a store in a SQLite file up to date with a ledger.

    Parameters
    ----------
    ledger : DataFrame
        Rows of a history's ledger, of one week or of many, open and closed: the trade columns and `status`. Where a
        signal stands in it twice, its closed row counts. Columns that are absent, and a value that is missing, are
        stored as NULL; columns that the store does not know are left out.
    path : Path
        The SQLite file; made, with its folder, when missing.
    history : str
        The ledger's. A store may hold several, which share signal ids.

    Returns
    -------
    int
        Signals exported.

    Raises
    ------
    DataError
        The ledger lacks a column or a value that every trade has, a status is neither open nor closed, the file is not
        a store or was made by a newer Edgebook, or it could not be written: then it holds what it held before.

    Notes
    -----
    `signal_outcomes` has one row a signal, under the ledger's own column names; `tp_sl_hits` one row a signal that
    closed at its target or stop, with the barrier (`barrier_abs`) and the fill (`hit_rate`; they differ where a stop
    was gapped through). Dates are ISO 8601 text in UTC, numbers are stored as they are.

    Both are written in one transaction, by insert-or-update on history and `signal_id`: a killed export leaves the
    store as it was. A signal that is closed in the store is not opened again by an older ledger; a closed row replaces
    a closed row. A file from before stores held histories is taken over by the first export, as that history.
    """
    columns = outcome_columns(ledger, history=history)
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_sqlite(engine, columns, history=history)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    except (DBAPIError, OSError, sqlite3.Error) as error:
        reason = (error.strerror or error) if isinstance(error, OSError) else one_line(error)
        raise DataError(f"{path}: could not be written ({reason}); the last good rows are kept") from error
    return len(columns)


def export_database(ledger: pd.DataFrame, *, name: str, root: Path, history: str) -> int:
    """Bring a store in a database up to date with a ledger.

    Parameters
    ----------
    ledger : DataFrame
        As for `export_store`.
    name : str
        Of the credential that holds the database's address (`edgebook.files.credentials`): PostgreSQL, or a SQLite
        file.
    root : Path
        The repository's top.
    history : str
        The ledger's.

    Returns
    -------
    int
        Signals exported.

    Raises
    ------
    SettingsError
        No such credential, or not the address of such a database.
    DataError
        As for `export_store`; the name of the credential stands for the place, and no message holds a password.

    Notes
    -----
    In PostgreSQL the tables lie in a schema of their own, `edgebook`, made when missing; times are ``timestamptz``.

    Rows go in by COPY into a temporary table and from there by insert-or-update, a hundred thousand signals a
    transaction. Exports take turns, by a lock that the server gives back when its holder dies. When the connection is
    lost, or the server restarts, the transaction under way is tried again, up to five times within 16 seconds; what
    cannot be known (whether the last commit arrived) does not matter, for a row that is there already is not changed.
    A first connection that fails is not tried again.
    """
    columns = outcome_columns(ledger, history=history)
    engine = open_database(name, root=root)
    try:
        if engine.dialect.name == "sqlite":
            _write_sqlite(engine, columns, history=history)
        elif engine.dialect.name == "postgresql":
            _write_postgres(engine, columns, history=history, name=name)
        else:
            raise SettingsError(f"{name}: {engine.dialect.name}: the store is kept in PostgreSQL or SQLite; name one")
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    except (DBAPIError, engine.dialect.loaded_dbapi.Error) as error:
        if _state(error) == "55P03":
            said = f"another export has held the store for {BUSY_SECONDS} seconds; try again when it is done"
            raise DataError(f"{name}: {said}") from None
        # Not "from error": what a driver says stays out of tracebacks, where nobody blanks it.
        raise DataError(f"{name}: could not be written ({one_line(error)}); the last good rows are kept") from None
    return len(columns)


def _write_sqlite(engine: Engine, columns: pa.Table, *, history: str) -> None:
    """All rows in one transaction."""
    with engine.begin() as connection:
        # Without this SQLite's driver would commit the new tables by themselves, apart from their rows.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        upgrade_tables(connection, schema=None, history=history)
        connection.exec_driver_sql("create temporary table incoming as select * from signal_outcomes limit 0")
        names = columns.column_names
        insert = f"insert into temp.incoming ({', '.join(names)}) values ({', '.join('?' * len(names))})"
        for start in range(0, len(columns), _CHUNK_ROWS):
            chunk = columns.slice(start, _CHUNK_ROWS)
            rows = list(zip(*(column.to_pylist() for column in chunk.columns), strict=True))
            connection.exec_driver_sql(insert, rows)
        merge_incoming(connection)


def _write_postgres(engine: Engine, columns: pa.Table, *, history: str, name: str) -> None:
    """Rows batch by batch, each in a transaction of its own; an empty ledger makes the tables."""
    reached = False

    def write(batch: pa.Table) -> None:
        nonlocal reached
        with engine.begin() as connection:
            reached = True
            # Room for a batch in memory: the temporary table, its sorting, what is looked up in it.
            connection.exec_driver_sql("set local temp_buffers = '64MB'; set local work_mem = '64MB'")
            connection.exec_driver_sql(f"set local lock_timeout = '{BUSY_SECONDS}s'")
            connection.exec_driver_sql(f"select pg_advisory_xact_lock({_LOCK})")
            if not inspect(connection).has_schema(POSTGRES_SCHEMA):
                connection.exec_driver_sql(f"create schema {POSTGRES_SCHEMA}")
            connection.exec_driver_sql(f"set local search_path to {POSTGRES_SCHEMA}, pg_temp")
            upgrade_tables(connection, schema=POSTGRES_SCHEMA, history=history)
            _copy(connection, batch)
            merge_incoming(connection)

    for start in range(0, max(len(columns), 1), BATCH_ROWS):
        _persist(write, columns.slice(start, BATCH_ROWS), retried=lambda: reached, name=name)


def _persist(write: Callable[[pa.Table], None], batch: pa.Table, *, retried: Callable[[], bool], name: str) -> None:
    """Write a batch, again if its connection is lost, until the waits are used up."""
    for wait in (*WAITS_SECONDS, None):
        try:
            write(batch)
        except Exception as error:
            if wait is None or not retried() or not _lost(error):
                raise
            logging.getLogger(__name__).warning("%s: %s; trying again in %g s", name, one_line(error), wait)
            time.sleep(wait)
        else:
            return


def _copy(connection: Connection, batch: pa.Table) -> None:
    """Fill the temporary table `incoming`, which ends with the transaction."""
    from pyarrow import BufferOutputStream
    from pyarrow.csv import WriteOptions, write_csv

    connection.exec_driver_sql("create temporary table incoming (like signal_outcomes) on commit drop")
    # Text is quoted and NULL is not, so that an empty text stays one.
    options = WriteOptions(include_header=False, quoting_style="needed")
    driver: Any = connection.connection.driver_connection
    statement = f"copy incoming ({', '.join(batch.column_names)}) from stdin (format csv, encoding 'UTF8')"
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for start in range(0, len(batch), _CHUNK_ROWS):
            text = BufferOutputStream()
            write_csv(batch.slice(start, _CHUNK_ROWS), text, options)
            copy.write(text.getvalue())


def _state(error: BaseException) -> str | None:
    """PostgreSQL's code of an error; None where the server could not say any more."""
    inner = error.orig if isinstance(error, DBAPIError) else error
    return getattr(inner, "sqlstate", None)


def _lost(error: Exception) -> bool:
    """Whether a connection was lost, or the server asks to try again."""
    inner = error.orig if isinstance(error, DBAPIError) else error
    state = _state(error)
    if state is None:
        return type(inner).__module__.partition(".")[0] == "psycopg" and type(inner).__name__ in (
            "OperationalError",
            "ConnectionTimeout",
        )
    return state.startswith("08") or state in _WORTH_ANOTHER_TRY
