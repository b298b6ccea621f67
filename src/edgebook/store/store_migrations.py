"""The tables of a store, made or brought to what this Edgebook writes, within the transaction that then writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect

from edgebook.errors import DataError
from edgebook.store import migrations
from edgebook.store.migrations.first_tables import TABLES as UNVERSIONED

if TYPE_CHECKING:
    from sqlalchemy import Connection

VERSION_TABLE = "edgebook_version"
NEWEST = "0002"
"""The revision that `store_tables` describes."""


def upgrade_tables(connection: Connection, *, schema: str | None, history: str) -> None:
    """Make the tables, or bring them to the newest revision; nothing is done when they are.

    Parameters
    ----------
    connection : Connection
        In a transaction, which holds what keeps other exports out; names without a schema mean `schema` there.
    schema : str, optional
        Where the tables are; None for a SQLite file.
    history : str
        The history that rows from before revisions are given: the one that is exported.

    Raises
    ------
    DataError
        A newer Edgebook made the tables, or tables of these names are somebody else's.
    """
    there = set(inspect(connection).get_table_names(schema=schema))
    current = None
    if VERSION_TABLE in there:
        current = connection.exec_driver_sql(f"select version_num from {VERSION_TABLE}").scalar()
    if current == NEWEST:
        return
    if current is None and there & UNVERSIONED.keys():
        _check_ours(connection, schema=schema, there=there)
        current = "0001"
    _run(connection.execution_options(history=history), current=current)


def _check_ours(connection: Connection, *, schema: str | None, there: set[str]) -> None:
    """Refuse tables that have our names and other columns: a desk's own, say."""
    for table, columns in UNVERSIONED.items():
        found = inspect(connection).get_columns(table, schema=schema) if table in there else []
        if [column["name"] for column in found] != columns.split():
            raise DataError(
                f"its table {table} was not made by Edgebook, and is left as it is; export to a file or database of "
                "its own"
            )


def _run(connection: Connection, *, current: str | None) -> None:
    """Run the revisions after `current`, oldest first."""
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    folder = str(Path(migrations.__file__).parent)
    script = ScriptDirectory(folder, version_locations=[folder])
    steps = list(script.walk_revisions())[::-1]
    names = [step.revision for step in steps]
    if current is not None and current not in names:
        raise DataError(
            f"its tables are of revision {current}, made by a newer Edgebook; this one knows revision {NEWEST} and "
            "earlier: update Edgebook"
        )
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    with Operations.context(context):
        for step in steps[names.index(current) + 1 if current else 0 :]:
            step.module.upgrade()
        context.stamp(script, "head")
