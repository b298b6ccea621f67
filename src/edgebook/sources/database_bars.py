"""Bars out of any SQL database: read only, a piece at a time, and only what may have changed."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.errors import DataError, SettingsError
from edgebook.files.databases import one_line, open_database
from edgebook.settings.bar_database import BAR_COLUMNS, TABLE
from edgebook.sources.database_answer import bars_of_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from edgebook.settings.bar_database import Database

PIECE_ROWS = 50_000
_LAGGING = pd.Timedelta(days=10)
_BEGINNING = pd.Timestamp("1970-01-01", tz="UTC")


def database_bars(
    settings: Database, *, root: Path, since: pd.Timestamp | None = None, until: pd.Timestamp
) -> Iterator[pd.DataFrame]:
    """Read bars from a database.

    Parameters
    ----------
    settings : Database
        Section `bars.database`.
    root : Path
        The repository's top: of `.env`, and of a SQLite file with a relative path.
    since : Timestamp, optional
        UTC. A table is asked for bars after it only, and so is a query that has the parameter ``:since``. All by
        default.
    until : Timestamp
        UTC. Bars that close later are left out: they have not closed.

    Yields
    ------
    DataFrame
        Columns `COLUMNS`, `PIECE_ROWS` rows at most; `date` is the close in UTC.

    Raises
    ------
    SettingsError
        There is no such credential, or it is no address of a database.
    DataError
        The database cannot be reached or refuses the query, or a row breaks a rule. No message holds a password.

    Notes
    -----
    Nothing can be written: SQLite is opened with ``mode=ro``, PostgreSQL and MySQL are told that the transaction is
    read only before the query is sent, and every transaction is rolled back.
    """
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    where = f"bars.database: {settings.query if TABLE.fullmatch(settings.query) else 'query'}"
    if not settings.url:
        raise SettingsError("params.yaml: bars.database.url: is missing; name the credential that holds the address")
    engine = open_database(settings.url, root=root, read_only=True)
    number = 0
    try:
        with _reading(engine) as connection:
            sql, given = _statement(settings, connection, since=since)
            streaming = connection.execution_options(stream_results=True, max_row_buffer=PIECE_ROWS)
            with streaming.execute(text(sql), given) as answer:
                names = [str(name) for name in answer.keys()]  # noqa: SIM118  (a result, not a mapping)
                for piece in answer.partitions(PIECE_ROWS):
                    rows = pd.DataFrame([tuple(row) for row in piece], columns=names, dtype=object)
                    bars = bars_of_rows(rows, settings, first_row=number, where=where)
                    number += len(rows)
                    yield bars[bars["date"] <= until].reset_index(drop=True)
    except SQLAlchemyError as error:
        raise DataError(f"{where}: {settings.url} {_reason(error)}") from None
    finally:
        engine.dispose()


def newer_bars(
    settings: Database, *, root: Path, since: Mapping[tuple[str, str], pd.Timestamp] | None, until: pd.Timestamp
) -> Iterator[pd.DataFrame]:
    """Read bars from where each series stands; a series that is not named, or lags far behind, from its beginning.

    Parameters
    ----------
    settings, root, until
        As for `database_bars`.
    since : mapping of (pair, timeframe) to Timestamp, or None
        UTC. None asks for everything.

    Yields
    ------
    DataFrame
        As from `database_bars`. One question, after the time of the series that lags most, ten days at most, answers
        for most series; what turns up besides is read in a second one that has no limit.
    """
    if not since:
        yield from database_bars(settings, root=root, until=until)
        return
    newest = max(since.values())
    oldest = min(time for time in since.values() if time >= newest - _LAGGING)
    whole: set[tuple[str, str]] = set()
    for bars in database_bars(settings, root=root, since=oldest, until=until):
        names = pd.MultiIndex.from_frame(bars[["pair", "timeframe"]])
        whole |= {name for name in names.unique() if name not in since or since[name] < oldest}
        yield bars[~names.isin(list(whole))].reset_index(drop=True) if whole else bars
    if whole:
        for bars in database_bars(settings, root=root, until=until):
            names = pd.MultiIndex.from_frame(bars[["pair", "timeframe"]])
            yield bars[names.isin(list(whole))].reset_index(drop=True)


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    """Connect, forbid writing, and roll back whatever happens."""
    from sqlalchemy import text

    with engine.connect() as connection:
        kind = engine.dialect.name
        if kind == "postgresql":
            connection.execute(text("SET TRANSACTION READ ONLY"))
            connection.execute(text("SET LOCAL TIME ZONE 'UTC'"))
        elif kind in ("mysql", "mariadb"):
            connection.execute(text("SET SESSION TRANSACTION READ ONLY"))
            connection.rollback()
        elif kind == "sqlite":
            connection.execute(text("PRAGMA query_only = ON"))
        try:
            yield connection
        finally:
            connection.rollback()


def _statement(settings: Database, connection: Connection, *, since: pd.Timestamp | None) -> tuple[str, dict[str, Any]]:
    """Write the query and what its parameters are."""
    if not TABLE.fullmatch(settings.query):
        asks = re.search(r"(?<!:):since\b", settings.query) is not None
        bound = _bound(since or _BEGINNING, settings, kind=connection.engine.dialect.name)
        return settings.query.rstrip("; \n"), {"since": bound} if asks else {}
    quoted = connection.engine.dialect.identifier_preparer.quote
    table = ".".join(map(quoted, settings.query.split(".")))
    constant = {"pair": settings.pair, "timeframe": settings.timeframe}
    theirs = {
        name: settings.columns.get(name, name)
        for name in BAR_COLUMNS
        if (name in settings.columns or not constant.get(name)) and (name, settings.volume) != ("volume", "none")
    }
    chosen = ", ".join(map(quoted, dict.fromkeys(theirs.values())))
    order = ", ".join(quoted(theirs[name]) for name in ("pair", "timeframe", "date") if name in theirs)
    date, given = quoted(theirs["date"]), {}
    limit = None if since is None else _limit(connection, settings, table=table, date=date, since=since)
    if limit is not None:
        given = {"since": limit}
    return f"SELECT {chosen} FROM {table}{' WHERE ' + date + ' > :since' if given else ''} ORDER BY {order}", given


def _limit(connection: Connection, settings: Database, *, table: str, date: str, since: pd.Timestamp) -> Any:
    """Write a time as the column of dates is written; None where that cannot be told."""
    from sqlalchemy import text

    newest = connection.execute(text(f"SELECT MAX({date}) FROM {table}")).scalar()
    if isinstance(newest, datetime.datetime):
        moment = since.to_pydatetime()
        if newest.tzinfo is not None:
            return moment
        return moment.astimezone(zoneinfo.ZoneInfo(settings.timezone)).replace(tzinfo=None)
    if isinstance(newest, str) and re.match(r"\d{4}-\d\d-\d\d(?:[ T]|$)", newest):
        return f"{since - pd.Timedelta(days=1):%Y-%m-%d}"  # a day earlier: whatever offset stands behind it
    size = abs(float(newest)) if isinstance(newest, (int, float)) and newest else 0.0
    factor = next((f for limit, f in ((1e11, 1), (1e14, 1e3), (1e17, 1e6)) if size < limit), 1e9)
    return int(since.timestamp() * factor) if size else None


def _bound(since: pd.Timestamp, settings: Database, *, kind: str) -> Any:
    """Return the time that ``:since`` stands for in a query, as bars.database.since says."""
    if settings.since != "time":
        return int(since.timestamp() * (1 if settings.since == "seconds" else 1000))
    local = since.to_pydatetime().astimezone(zoneinfo.ZoneInfo(settings.timezone)).replace(tzinfo=None)
    return f"{local:%Y-%m-%d %H:%M:%S}" if kind == "sqlite" else local


def _reason(error: Exception) -> str:
    """What went wrong, in one line without a password, and what to do."""
    from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError

    said = one_line(error)[:200]
    if isinstance(error, ProgrammingError) or "no such" in said:
        return f"refused the query ({said}); correct bars.database.query and bars.database.columns"
    if isinstance(error, (OperationalError, InterfaceError)):
        return f"cannot be read ({said}); see that it runs and that the address is right, nothing has changed"
    return f"failed ({said})"
