"""Rows of a desk's outcomes: which columns they have, which rules they keep, and how they are written down."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

COLUMNS = [
    "signal_id", "pair", "timeframe", "is_short", "date", "open_date", "close_date", "open_rate", "close_rate",
    "take_profit_abs", "stop_loss_abs", "fee_open", "fee_close", "profit_ratio", "exit_reason", "exit_word",
    "exit_plan", "enter_tag", "orders", "status", "known_at",
]  # fmt: skip
"""Columns of a snapshot, in order."""
GIVEN = COLUMNS[:-1]
"""What a desk, or an import, gives; `known_at` follows from it."""
NEEDED = ("signal_id", "pair", "is_short", "open_date", "open_rate", "status")
"""Without these a row is nothing; the others may be empty."""
CLOSING = ("close_date", "close_rate", "profit_ratio", "exit_reason")
"""What a closed row has as well. An open one has none of them."""
DATES = ("date", "open_date", "close_date", "known_at")
NUMBERS = (
    "open_rate", "close_rate", "take_profit_abs", "stop_loss_abs", "fee_open", "fee_close", "profit_ratio",
)  # fmt: skip
BOOLS = ("is_short",)
TEXTS = ("signal_id", "pair", "timeframe", "exit_reason", "exit_word", "exit_plan", "enter_tag", "orders", "status")
REASONS = ("take_profit", "stop_loss", "time_exit")
STATUSES = ("open", "closed", "deleted")

_DIGITS = 10
_LONGEST = 200
_LARGEST_WHOLE = 10**300
_EARLIEST, _LATEST = pd.Timestamp("1970-01-02", tz="UTC"), pd.Timestamp("2200-01-01", tz="UTC")


def cut_at(trades: pd.DataFrame, *, end: pd.Timestamp, held: AbstractSet[str] = frozenset()) -> pd.DataFrame:
    """Rows as they were known at a moment, checked.

    Parameters
    ----------
    trades : DataFrame
        Under `GIVEN`, and optionally `recorded_at`.
    end : Timestamp
        UTC.
    held : set of str
        Signals that were known before. Of a row that was recorded after `end` it is not known what it said before:
        that of a known signal is left out, that of another is open.

    Returns
    -------
    DataFrame
        `GIVEN`, sorted by signal_id, without rows opened at or after `end`, and with the closing columns emptied where
        they came at or after it; `fact_at` (UTC): when what the row says became known.

    Raises
    ------
    DataError
        A row breaks a rule.
    """
    rows = checked(trades)
    none = pd.Series(pd.NaT, index=rows.index, dtype="datetime64[ms, UTC]")
    rows["recorded_at"] = _dates(trades, "recorded_at") if "recorded_at" in trades.columns else none
    late = rows["recorded_at"] > end
    rows = rows[(rows["open_date"] < end) & ~(late & rows["signal_id"].isin(held))]
    late = rows["recorded_at"] > end
    still = (rows["status"] == "open") | ((rows["status"] == "closed") & ((rows["close_date"] > end) | late))
    rows = rows.assign(status=rows["status"].mask(still, "open"), recorded_at=rows["recorded_at"].mask(late, end))
    for name in (*CLOSING, "fee_close", "exit_word"):
        rows[name] = rows[name].mask(still, "") if name in TEXTS else rows[name].mask(still)
    rows["orders"] = rows["orders"].mask(still, rows["orders"].str.replace(r"\+\d+$", "+0", regex=True))
    fact = rows["close_date"].where(rows["status"] == "closed", rows["open_date"])
    fact = fact.where(~(rows["recorded_at"] > fact), rows["recorded_at"])
    fact = fact.where(rows["status"] != "deleted", end)
    return rows[GIVEN].assign(fact_at=fact).sort_values("signal_id", ignore_index=True)


def checked(trades: pd.DataFrame, *, table: str = "trades") -> pd.DataFrame:
    """Rows with every column of `GIVEN`, typed, each held to the rules.

    Raises
    ------
    DataError
        The first row that breaks a rule: table, signal_id, column, value and rule.
    """
    for name in NEEDED:
        if name not in trades.columns:
            raise DataError(f"{table}: no column {name}; a desk's outcomes need {', '.join(NEEDED)}")
    out: dict[str, Any] = {}
    for name in GIVEN:
        if name not in trades.columns:
            kind: Any = "datetime64[ms, UTC]" if name in DATES else np.float64 if name in NUMBERS else "str"
            out[name] = pd.Series(None if kind != "str" else "", index=trades.index, dtype=kind)
        elif name in DATES:
            out[name] = _dates(trades, name, table=table)
        elif name in NUMBERS:
            out[name] = _numbers(trades, name, table=table)
        elif name in BOOLS:
            out[name] = _bools(trades, name, table=table)
        else:
            out[name] = _texts(trades, name, table=table)
    rows = pd.DataFrame(out)
    _check(rows, table=table)
    return rows


def as_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows as a snapshot spells them: what does not differ here is the same row."""
    spelled = {}
    for name in rows.columns:
        column = rows[name]
        if name in DATES:
            values = column.dt.floor("s").dt.strftime("%Y-%m-%dT%H:%M:%SZ").fillna("")
        elif name in NUMBERS:
            values = pd.Series(
                ["" if v != v else format(v, f".{_DIGITS}g") for v in column.tolist()], index=rows.index, dtype="str"
            )
        elif name in BOOLS:
            values = column.map({True: "True", False: "False"})
        else:
            values = column
        spelled[name] = values.astype("str")
    return pd.DataFrame(spelled, index=rows.index)


def _check(rows: pd.DataFrame, *, table: str) -> None:
    """Rules that hold between the columns of a row."""
    ids = rows["signal_id"]
    _refuse(ids == "", rows, "signal_id", table=table, rule="is empty; every row needs a name of its own")
    _refuse(ids.duplicated(), rows, "signal_id", table=table, rule="stands twice; each signal has one row")
    _refuse(rows["pair"] == "", rows, "pair", table=table, rule="is empty")
    closed = rows["status"] == "closed"
    _refuse(~rows["status"].isin(STATUSES), rows, "status", table=table, rule="is none of open, closed, deleted")
    _refuse(rows["open_date"].isna(), rows, "open_date", table=table, rule="is missing")
    _refuse(rows["open_rate"].isna(), rows, "open_rate", table=table, rule="is missing")
    for name in CLOSING[:-1]:
        _refuse(closed & rows[name].isna(), rows, name, table=table, rule="is missing in a closed row")
    odd = closed & ~rows["exit_reason"].isin(REASONS)
    _refuse(odd, rows, "exit_reason", table=table, rule=f"is none of {', '.join(REASONS)}")
    odd = ~rows["orders"].str.fullmatch(r"(\d{1,6}\+\d{1,6})?")
    _refuse(odd, rows, "orders", table=table, rule="is not like 2+1, two entries and one exit")
    for name in ("open_rate", "close_rate", "take_profit_abs", "stop_loss_abs"):
        _refuse(rows[name] <= 0, rows, name, table=table, rule="is a price, above 0")
    for name in DATES[:-1]:
        far = (rows[name] < _EARLIEST) | (rows[name] > _LATEST)
        _refuse(far, rows, name, table=table, rule="lies outside 1970 to 2200; is the unit of its numbers right?")
    _refuse(rows["profit_ratio"].abs() > 1e6, rows, "profit_ratio", table=table, rule="is a share of the stake")
    for name in ("fee_open", "fee_close"):
        odd = ~(rows[name].isna() | ((rows[name] > -1) & (rows[name] < 1)))
        _refuse(odd, rows, name, table=table, rule="is a share of the notional, not a sum of money")


def _refuse(broken: pd.Series, rows: pd.DataFrame, column: str, *, table: str, rule: str) -> None:
    if broken.any():
        place = int(np.flatnonzero(broken.to_numpy())[0])
        name, value = rows["signal_id"].iloc[place], rows[column].iloc[place]
        if isinstance(value, str):
            value = repr(value)
        more = int(broken.sum()) - 1
        others = f" (and {more:,} more rows)" if more else ""
        raise DataError(f"{table}: signal_id {name!r}: {column} {value} {rule}{others}; correct the row")


def _dates(trades: pd.DataFrame, name: str, *, table: str = "trades") -> pd.Series:
    column = trades[name]
    try:
        found = pd.to_datetime(column, utc=True, errors="coerce", format=None if _is_date(column) else "ISO8601")
        found = found.dt.as_unit("ms")
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(f"{table}: {name}: not dates ({' '.join(str(error).split())[:80]})") from None
    _refuse_unread(column, found.isna(), trades, name, table=table, rule="is not a date like 2019-07-01T05:00:00Z")
    return found


def _numbers(trades: pd.DataFrame, name: str, *, table: str) -> pd.Series:
    column = trades[name]
    found = as_numbers(column)
    found = found.where(np.isfinite(found))
    _refuse_unread(column, found.isna(), trades, name, table=table, rule="is not a finite number")
    # What is written is what is used.
    return pd.Series([float(format(v, f".{_DIGITS}g")) for v in found.tolist()], index=trades.index)


def as_numbers(column: pd.Series) -> pd.Series:
    """Numbers of a column of any values; NaN for what is none (a word, a list, 400 digits)."""
    plain = column.map(_number_or_text) if column.dtype == object else column
    return pd.to_numeric(plain, errors="coerce").astype(np.float64)


def _number_or_text(value: Any) -> Any:
    """A value that a number may be read from; every other as its text."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, int) and abs(value) > _LARGEST_WHOLE:
        return "a number of many digits"
    return value if value is None or isinstance(value, (bool, int, float, str, np.generic)) else str(value)


def _bools(trades: pd.DataFrame, name: str, *, table: str) -> pd.Series:
    column = trades[name]
    found = column.map(lambda v: bool(v) if isinstance(v, (bool, np.bool_, int, np.integer)) and v in (0, 1) else None)
    _refuse_unread(column, found.isna(), trades, name, table=table, rule="is not true or false", empty=False)
    return found.astype(bool)


def _texts(trades: pd.DataFrame, name: str, *, table: str) -> pd.Series:
    column = trades[name]
    found = column.map(lambda v: "" if np.ndim(v) == 0 and pd.isna(v) else str(v).strip()).astype("str")
    odd = found.map(lambda v: len(v) > _LONGEST or not v.isprintable())
    if odd.any():
        value = found[odd].iloc[0][:40]
        raise DataError(
            f"{table}: {name} {value!r}: a name is printable and at most {_LONGEST} characters long; correct the row"
        )
    return found


def _refuse_unread(
    column: pd.Series, unread: pd.Series, trades: pd.DataFrame, name: str, *, table: str, rule: str, empty: bool = True
) -> None:
    """Refuse what was there and could not be read."""
    there = ~column.isna() & (column.astype("str").str.strip() != "") if empty else pd.Series(True, index=column.index)
    odd = there & unread
    if odd.any():
        place = int(np.flatnonzero(odd.to_numpy())[0])
        raise DataError(
            f"{table}: signal_id {str(trades['signal_id'].iloc[place])[:_LONGEST]!r}: {name} "
            f"{str(column.iloc[place])[:60]!r} {rule}; correct the row"
        )


def _is_date(column: pd.Series) -> bool:
    return pd.api.types.is_datetime64_any_dtype(column)
