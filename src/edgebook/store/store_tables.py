"""Tables of the exported store, and a ledger as their columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import TIMESTAMP, Boolean, Column, Float, ForeignKeyConstraint, Integer, MetaData, String, Table

from edgebook.errors import DataError

SCHEMA = MetaData()


def _moment(name: str, *, nullable: bool = True) -> Column[Any]:
    """A time: ISO 8601 text in SQLite, which has no type for it."""
    return Column(name, String().with_variant(TIMESTAMP(timezone=True), "postgresql"), nullable=nullable)


SIGNAL_OUTCOMES = Table(
    "signal_outcomes",
    SCHEMA,
    Column("history", String, primary_key=True),
    Column("signal_id", String, primary_key=True),
    Column("pair", String, nullable=False),
    Column("timeframe", String, nullable=False),
    Column("is_short", Boolean, nullable=False),
    _moment("date"),
    _moment("open_date", nullable=False),
    _moment("close_date"),
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
    Column("history", String, primary_key=True),
    Column("signal_id", String, primary_key=True),
    Column("pair", String, nullable=False),
    Column("timeframe", String, nullable=False),
    Column("is_short", Boolean, nullable=False),
    Column("hit", String, nullable=False),
    _moment("hit_date", nullable=False),
    Column("barrier_abs", Float, nullable=False),
    Column("hit_rate", Float, nullable=False),
    Column("bars_held", Integer),
    Column("profit_ratio", Float),
    Column("r_multiple", Float),
    ForeignKeyConstraint(["history", "signal_id"], ["signal_outcomes.history", "signal_outcomes.signal_id"]),
)

DATES = ("date", "open_date", "close_date")
BARRIERS = {"take_profit": "take_profit_abs", "stop_loss": "stop_loss_abs"}


def outcome_columns(ledger: pd.DataFrame, *, history: str) -> pa.Table:
    """A ledger as `SIGNAL_OUTCOMES` takes it, one row a signal, closed before open.

    Parameters
    ----------
    ledger : DataFrame
        The trade columns and `status`; other columns are left out, absent ones are empty.
    history : str
        The ledger's.

    Returns
    -------
    pyarrow.Table
        Columns of `SIGNAL_OUTCOMES`, in its order; times as ISO 8601 text in UTC. Of two rows of a signal the closed
        one stays, of two closed rows the later one. Rows in the ledger's order.

    Raises
    ------
    DataError
        A column or a value that every trade has is missing, a status is neither open nor closed, or a value is not of
        its column's kind.
    """
    needed = [column.name for column in SIGNAL_OUTCOMES.columns if not column.nullable and column.name != "history"]
    for name in needed:
        if name not in ledger.columns:
            raise DataError(f"ledger: no column {name}; the store needs {', '.join(needed)}")
        if ledger[name].isna().any():
            raise DataError(f"ledger: row {_first(ledger[name].isna())}: {name} is missing; every trade has one")
    odd = ~ledger["status"].isin(["open", "closed"])
    if odd.any():
        status = ledger["status"].iloc[_first(odd)]
        raise DataError(f"ledger: row {_first(odd)}: status is {status!r}; it is open or closed")
    for name in ("close_date", "close_rate", "exit_reason"):
        lacking = (ledger["status"] == "closed") & (ledger[name].isna() if name in ledger.columns else True)
        if lacking.any():
            raise DataError(f"ledger: row {_first(lacking)}: a closed trade without {name}; correct the row")
    # "closed" sorts before "open", and the first row of a signal stays; of two closed rows, the later one.
    places = pd.DataFrame({"signal_id": ledger["signal_id"].to_numpy(), "status": ledger["status"].to_numpy()})[::-1]
    places = places.sort_values("status", kind="stable").drop_duplicates("signal_id")
    kept = ledger.iloc[np.sort(places.index.to_numpy())]
    columns = {
        column.name: _values(kept[column.name], column=column) if column.name in kept else pa.nulls(len(kept))
        for column in SIGNAL_OUTCOMES.columns
        if column.name != "history"
    }
    return pa.table({"history": pa.array([history] * len(kept), pa.string())} | columns)


def _first(mask: pd.Series) -> int:
    """Row of the first True."""
    return int(mask.to_numpy().argmax())


def _values(series: pd.Series, *, column: Column[Any]) -> pa.Array:
    """Values of one column, null where there is none."""
    name, kind = column.name, type(column.type)
    try:
        if name in DATES:
            dates = pd.to_datetime(series, utc=True, format="ISO8601").dt.tz_localize(None).to_numpy()
            text = np.datetime_as_string(dates.astype("datetime64[s]"))
            return pa.array(np.char.add(text, "Z"), pa.string(), mask=np.isnat(dates))
        if kind is Float:
            return pa.array(
                pd.to_numeric(series).to_numpy(dtype=float, na_value=np.nan), pa.float64(), from_pandas=True
            )
        if kind is Integer:
            whole = pd.to_numeric(series).astype("Int64")
            return pa.array(whole, pa.int64(), from_pandas=True)
        if kind is Boolean:
            return pa.array(series.astype("boolean"), pa.bool_(), from_pandas=True)
        words = series if series.dtype == "str" else series.map(str, na_action="ignore")
        return pa.array(words, pa.string(), from_pandas=True)
    except (ValueError, TypeError, OverflowError, pa.ArrowException) as error:
        why = str(error).splitlines()[0] if str(error) else "not readable"
        raise DataError(f"ledger: column {name}: {why}; correct the value") from None
