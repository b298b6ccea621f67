"""A snapshot of a desk's outcomes, taken from its own database, which is only read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.errors import DataError
from edgebook.files.databases import one_line, open_database
from edgebook.outcomes.recorded import append
from edgebook.outcomes.recorded_mapping import desk_outcomes, with_hits, with_profit

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from edgebook.paths import Paths
    from edgebook.settings.params import Params

_QUERY = re.compile(r"\s*(?:select|with)\s", re.IGNORECASE)


def take(params: Params, paths: Paths, *, until: str) -> str:
    """Take a snapshot of the desk's outcomes as they were at a midnight.

    Parameters
    ----------
    params : Params
        Section `outcomes`; another source than database has nothing to take.
    paths : Paths
        Snapshots go to ``data/recorded``.
    until : str
        Midnight UTC, ``2019-07-01``: what came later is left for the next snapshot.

    Returns
    -------
    str
        What was added, in one line; empty for another source.

    Raises
    ------
    DataError
        The database cannot be read, a column is missing, or a row breaks a rule. Nothing was added.
    SettingsError
        The credential is missing.

    Notes
    -----
    Both tables are read in one read-only transaction, so that they speak of the same moment. Columns that are mapped
    in neither table are left alone.
    """
    settings = params.outcomes
    if settings.source != "database":
        return ""
    database = settings.database
    engine = open_database(database.url, root=paths.root, read_only=True)
    try:
        with engine.connect() as connection:
            _one_moment(connection)
            outcomes = _read(connection, database.signal_outcomes, key="signal_outcomes")
            hits = _read(connection, database.tp_sl_hits, key="tp_sl_hits") if database.tp_sl_hits else None
    except DataError:
        raise
    except Exception as error:  # every driver has errors of its own
        raise DataError(f"{database.url}: the desk's outcomes could not be read ({one_line(error)})") from None
    finally:
        engine.dispose()
    name = _named(database.signal_outcomes, key="signal_outcomes")
    known = {*outcomes.columns, *(() if hits is None else hits.columns)}
    missing = [theirs for theirs in database.columns if theirs not in known]
    if missing:
        raise DataError(
            f"{name}: no column {missing[0]}, which params.yaml maps in outcomes.database.columns; it has "
            f"{', '.join(map(str, outcomes.columns[:20]))}"
        )
    rows = desk_outcomes(outcomes, settings=settings, name=name)
    if hits is not None:
        rows = with_hits(rows, hits, settings=settings, name=_named(database.tp_sl_hits, key="tp_sl_hits"))
    return append(with_profit(rows, settings=settings, name=name), paths=paths, until=until, complete=True)


def _one_moment(connection: Connection) -> None:
    """Begin a read-only transaction in which nothing moves."""
    backend = connection.dialect.name
    if backend == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    elif backend == "sqlite":
        connection.exec_driver_sql("BEGIN")


def _read(connection: Connection, table: str, *, key: str) -> pd.DataFrame:
    """A table, or the answer to a query, as plain Python values."""
    if _QUERY.match(table):
        query = table
    else:
        quote = connection.dialect.identifier_preparer.quote
        query = f"SELECT * FROM {'.'.join(quote(part) for part in table.split('.'))}"
    result = connection.exec_driver_sql(query)
    columns = list(result.keys())
    twice = [name for name in columns if columns.count(name) > 1]
    if twice:
        raise DataError(
            f"{_named(table, key=key)}: column {twice[0]} stands twice in its answer; name the columns in the query"
        )
    values: dict[str, list[Any]] = {name: [] for name in columns}
    for row in result:
        for name, value in zip(columns, row, strict=True):
            values[name].append(value)
    return pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in values.items()})


def _named(table: str, *, key: str) -> str:
    """How errors name a table, or the setting that holds a query."""
    return f"outcomes.database.{key}" if _QUERY.match(table) else table
