"""The exported store: a ledger in SQLite, for those who query trades with SQL.

An export and nothing else: no stage reads it, and DVC does not track it, for the bytes of a SQLite file depend on its
history. Exporting the same ledger again changes no row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    delete,
    or_,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError

from edgebook.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

SCHEMA = MetaData()

SIGNAL_OUTCOMES = Table(
    "signal_outcomes",
    SCHEMA,
    Column("signal_id", String, primary_key=True),
    Column("pair", String, nullable=False),
    Column("timeframe", String, nullable=False),
    Column("is_short", Boolean, nullable=False),
    Column("date", String),
    Column("open_date", String, nullable=False),
    Column("close_date", String),
    Column("open_rate", Float, nullable=False),
    Column("close_rate", Float),
    Column("fee_open", Float),
    Column("fee_close", Float),
    Column("take_profit_abs", Float, nullable=False),
    Column("stop_loss_abs", Float, nullable=False),
    Column("stake", Float),
    Column("profit_ratio", Float),
    Column("r_multiple", Float),
    Column("exit_reason", String),
    Column("bars_held", Integer),
    Column("mae", Float),
    Column("mfe", Float),
    Column("enter_tag", String),
    Column("regime", String),
    Column("confidence", Float),
    Column("threshold", Float),
    Column("certified", Boolean),
    Column("heads_agreed", String),
    Column("head_scores", String),
    Column("exit_plan", String),
    Column("model_version", String),
    Column("ab_test_version", String),
    Column("status", String, nullable=False),
)

TP_SL_HITS = Table(
    "tp_sl_hits",
    SCHEMA,
    Column("signal_id", String, ForeignKey("signal_outcomes.signal_id"), primary_key=True),
    Column("pair", String, nullable=False),
    Column("timeframe", String, nullable=False),
    Column("is_short", Boolean, nullable=False),
    Column("hit", String, nullable=False),
    Column("hit_date", String, nullable=False),
    Column("barrier_abs", Float, nullable=False),
    Column("hit_rate", Float, nullable=False),
    Column("bars_held", Integer),
    Column("profit_ratio", Float),
    Column("r_multiple", Float),
)

_TYPES = {Boolean: bool, Float: float, Integer: int, String: str}
_DATES = ("date", "open_date", "close_date")
_BARRIERS = {"take_profit": "take_profit_abs", "stop_loss": "stop_loss_abs"}


def export_store(ledger: pd.DataFrame, *, path: Path) -> int:
    """Bring the store up to date with a ledger.

    Parameters
    ----------
    ledger : DataFrame
        Rows of a history's ledger, of one week or of many, open and closed: the trade columns and `status`. Where a
        signal stands in it twice, its closed row counts. Columns that are absent, and a value that is missing, are
        stored as NULL; columns that the store does not know are left out.
    path : Path
        The SQLite file; made, with its folder, when missing.

    Returns
    -------
    int
        Signals exported.

    Raises
    ------
    DataError
        The ledger lacks a column or a value that every trade has, a status is neither open nor closed, or the file
        could not be written: then it holds what it held before.

    Notes
    -----
    `signal_outcomes` has one row a signal, under the ledger's own column names; `tp_sl_hits` one row a signal that
    closed at its target or stop, with the barrier (`barrier_abs`) and the fill (`hit_rate`; they differ where a stop
    was gapped through). Dates are ISO 8601 text in UTC, numbers are stored as they are.

    Both are written in one transaction, by insert-or-update on `signal_id`: a killed export leaves the store as it
    was. A signal that is closed in the store is not opened again by an older ledger; a closed row replaces a closed
    row. Give each history a file of its own, for they share signal ids.
    """
    rows = _rows(ledger)
    hits = [_hit(row) for row in rows if row["exit_reason"] in _BARRIERS]
    timed = [{"timed": row["signal_id"]} for row in rows if row["exit_reason"] == "time_exit"]
    engine = create_engine(f"sqlite:///{path}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with engine.begin() as connection:
            # Without this SQLite's driver would commit the new tables by themselves, apart from their rows.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            SCHEMA.create_all(connection)
            _upsert(connection, SIGNAL_OUTCOMES, rows)
            _upsert(connection, TP_SL_HITS, hits)
            if timed:
                connection.execute(delete(TP_SL_HITS).where(TP_SL_HITS.c.signal_id == bindparam("timed")), timed)
    except (DBAPIError, OSError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error.strerror or error
        raise DataError(f"{path}: could not be written ({reason}); the last good rows are kept") from error
    finally:
        engine.dispose()
    return len(rows)


def _rows(ledger: pd.DataFrame) -> list[dict[str, Any]]:
    """Ledger rows as the store takes them, one a signal, closed before open."""
    needed = [column.name for column in SIGNAL_OUTCOMES.columns if not column.nullable]
    for name in needed:
        if name not in ledger.columns:
            raise DataError(f"ledger: no column {name}; the store needs {', '.join(needed)}")
        if ledger[name].isna().any():
            raise DataError(
                f"ledger: row {int(ledger[name].isna().to_numpy().argmax())}: {name} is missing; every trade has one"
            )
    odd = ~ledger["status"].isin(["open", "closed"])
    if odd.any():
        row = int(odd.to_numpy().argmax())
        raise DataError(f"ledger: row {row}: status is {ledger['status'].iloc[row]!r}; it is open or closed")
    for name in ("close_date", "close_rate", "exit_reason"):
        lacking = (ledger["status"] == "closed") & (ledger[name].isna() if name in ledger.columns else True)
        if lacking.any():
            raise DataError(
                f"ledger: row {int(lacking.to_numpy().argmax())}: a closed trade without {name}; correct the row"
            )
    # "closed" sorts before "open", and the first row of a signal stays; of two closed rows, the later one.
    kept = ledger[::-1].sort_values("status", kind="stable").drop_duplicates("signal_id").sort_index(kind="stable")
    columns = {
        column.name: _values(kept[column.name], column=column) if column.name in kept else [None] * len(kept)
        for column in SIGNAL_OUTCOMES.columns
    }
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _values(series: pd.Series, *, column: Column[Any]) -> list[Any]:
    """Plain Python values of one column; None where there is none."""
    if column.name in _DATES:
        dates = pd.to_datetime(series, utc=True, format="ISO8601")
        return [None if pd.isna(date) else date.strftime("%Y-%m-%dT%H:%M:%SZ") for date in dates]
    kind = _TYPES[type(column.type)]
    return [None if pd.isna(value) else kind(value) for value in series]


def _hit(row: dict[str, Any]) -> dict[str, Any]:
    """The hit of a row that closed at a barrier."""
    shared = {column.name: row[column.name] for column in TP_SL_HITS.columns if column.name in row}
    return shared | {
        "hit": row["exit_reason"],
        "hit_date": row["close_date"],
        "barrier_abs": row[_BARRIERS[row["exit_reason"]]],
        "hit_rate": row["close_rate"],
    }


def _upsert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, or update those of the same signal; a closed signal stays closed."""
    if not rows:
        return
    new = insert(table)
    values = {column.name: new.excluded[column.name] for column in table.columns if not column.primary_key}
    stays = None
    if "status" in table.columns:
        stays = or_(table.c.status == "open", new.excluded["status"] == "closed")
    connection.execute(new.on_conflict_do_update(index_elements=["signal_id"], set_=values, where=stays), rows)
