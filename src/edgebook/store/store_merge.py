"""Rows of one export become rows of the store: the same statements in SQLite and in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgebook.store.store_tables import BARRIERS, SIGNAL_OUTCOMES, TP_SL_HITS

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table


def merge_incoming(connection: Connection) -> None:
    """Bring both tables up to date with `incoming`.

    Parameters
    ----------
    connection : Connection
        In a transaction, where `incoming` is a temporary table with the columns of `signal_outcomes`, one row a signal.

    Notes
    -----
    A row that is there already, as it is, is not touched: an export that changes nothing writes nothing.
    """
    differs = "is not" if connection.dialect.name == "sqlite" else "is distinct from"
    barrier = " ".join(f"when '{reason}' then {column}" for reason, column in BARRIERS.items())
    of_hit = {
        "hit": "exit_reason",
        "hit_date": "close_date",
        "barrier_abs": f"case exit_reason {barrier} end",
        "hit_rate": "close_rate",
    }
    reasons = ", ".join(f"'{reason}'" for reason in BARRIERS)
    statements = (
        # A closed signal stays closed.
        _upsert(
            SIGNAL_OUTCOMES,
            {column.name: column.name for column in SIGNAL_OUTCOMES.columns},
            rows="true",
            differs=differs,
        )
        + " and (signal_outcomes.status = 'open' or excluded.status = 'closed')",
        "delete from tp_sl_hits where (history, signal_id) in (select history, signal_id from incoming "
        f"where status = 'closed' and exit_reason not in ({reasons}))",
        _upsert(
            TP_SL_HITS,
            {name: of_hit.get(name, name) for name in [column.name for column in TP_SL_HITS.columns]},
            rows=f"status = 'closed' and exit_reason in ({reasons})",
            differs=differs,
        ),
    )
    for statement in statements:
        connection.exec_driver_sql(statement)


def _upsert(table: Table, values: dict[str, str], *, rows: str, differs: str) -> str:
    """Insert rows of `incoming`, or update those of the same signal that differ."""
    others = [column.name for column in table.columns if not column.primary_key]
    return (
        f"insert into {table.name} ({', '.join(values)}) select {', '.join(values.values())} from incoming "
        # In one order, so that other programs that lock rows in it wait instead of blocking each other.
        f"where {rows} order by history, signal_id on conflict (history, signal_id) do update set "
        + ", ".join(f"{name} = excluded.{name}" for name in others)
        + f" where ({' or '.join(f'{table.name}.{name} {differs} excluded.{name}' for name in others)})"
    )
