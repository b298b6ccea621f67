"""A desk's tables under our column names: its words, clocks and conventions read as params.yaml says."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.errors import DataError
from edgebook.outcomes.recorded_rows import DATES, NUMBERS, REASONS, as_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.settings.desk_outcomes import Outcomes

SIDES = {
    "true": True, "t": True, "1": True, "short": True, "sell": True,
    "false": False, "f": False, "0": False, "long": False, "buy": False,
}  # fmt: skip
"""What a desk writes where we say is_short."""
WORDS = {
    "take_profit": "take_profit", "takeprofit": "take_profit", "target": "take_profit", "tp": "take_profit",
    "stop_loss": "stop_loss", "stoploss": "stop_loss", "stop": "stop_loss", "sl": "stop_loss",
    "time_exit": "time_exit",
}  # fmt: skip
"""Exit words that need no entry in outcomes.exit_words."""
STATES = {"open": "open", "true": "open", "1": "open", "closed": "closed", "false": "closed", "0": "closed",
          "deleted": "deleted"}  # fmt: skip
"""What a desk writes where we say status; a column is_open may be mapped to it."""

_MILLISECONDS_FROM = 1e11
_HIT_TIME = pd.Timedelta(hours=1)
_HIT_RATE = 0.01


def desk_outcomes(table: pd.DataFrame, *, settings: Outcomes, name: str) -> pd.DataFrame:
    """Rows of the desk's table of outcomes under our names.

    Parameters
    ----------
    table : DataFrame
        As the database gave it; values are plain Python ones.
    settings : Outcomes
    name : str
        How errors name the table.

    Returns
    -------
    DataFrame
        Columns of `recorded_rows.GIVEN`, as far as the desk has them, and `recorded_at`.

    Raises
    ------
    DataError
        A column is missing, or a value cannot be read; the row is named.
    """
    rows = _renamed(table, settings.database.columns, needed=("signal_id", "pair", "is_short"), name=name)
    rows["signal_id"] = rows["signal_id"].map(_text)
    ids = rows["signal_id"]
    rows["is_short"] = _worded(rows["is_short"], SIDES, ids=ids, name=name, of="is_short")
    for column in (*DATES[:-1], "recorded_at"):
        if column in rows:
            rows[column] = _dates(rows[column], timezone=settings.database.timezone, ids=ids, name=f"{name}: {column}")
    for column in NUMBERS:
        if column in rows:
            rows[column] = rows[column].map(lambda v: float(v) if isinstance(v, Decimal) else v)
    for column in ("take_profit_abs", "stop_loss_abs"):
        if column in rows:  # a desk without a target or a stop writes 0
            rows[column] = rows[column].map(lambda v: None if isinstance(v, (int, float)) and v == 0 else v)
    if "status" in rows:
        rows["status"] = _worded(rows["status"], STATES, ids=ids, name=name, of="status")
    elif "close_date" in rows:
        rows["status"] = np.where(rows["close_date"].notna(), "closed", "open")
    else:
        raise DataError(f"{name}: neither close_date nor status; map one of them in outcomes.database.columns")
    if "exit_reason" in rows:
        rows["exit_word"] = rows["exit_reason"].map(_text)
        rows["exit_reason"] = rows["exit_word"].map(lambda word: reason_of(word, settings.exit_words))
    return rows


def with_hits(rows: pd.DataFrame, table: pd.DataFrame, *, settings: Outcomes, name: str) -> pd.DataFrame:
    """Outcomes with what `tp_sl_hits` says of them: which barrier was hit, when and at what price.

    Raises
    ------
    DataError
        A hit is of no signal, stands twice, or does not agree with the outcome.

    Notes
    -----
    A hit gives what the outcome leaves empty. Where both speak they must agree: on the barrier, on the time within an
    hour, on the price within one percent.
    """
    hits = _renamed(table, settings.database.columns, needed=("signal_id", "hit"), name=name)
    hits["signal_id"] = hits["signal_id"].map(_text)
    ids = hits["signal_id"]
    if ids.duplicated().any():
        raise DataError(f"{name}: signal_id {ids[ids.duplicated()].iloc[0]!r} stands twice; a signal closes once")
    known = rows["signal_id"]
    if not ids.isin(known).all():
        raise DataError(
            f"{name}: signal_id {ids[~ids.isin(known)].iloc[0]!r} is not in {settings.database.signal_outcomes}"
        )
    hits["hit"] = hits["hit"].map(lambda word: reason_of(_text(word), settings.exit_words))
    odd = ~hits["hit"].isin(["take_profit", "stop_loss"])
    if odd.any():
        raise DataError(
            f"{name}: signal_id {ids[odd].iloc[0]!r}: hit is neither take_profit nor stop_loss; outcomes.exit_words "
            "says what a word means"
        )
    if "hit_date" in hits:
        hits["hit_date"] = _dates(
            hits["hit_date"], timezone=settings.database.timezone, ids=ids, name=f"{name}: hit_date"
        )
    if "hit_rate" in hits:
        hits["hit_rate"] = as_numbers(hits["hit_rate"])
    of = hits.set_index("signal_id").reindex(known)
    out = rows.copy()
    hit = of["hit"].set_axis(rows.index)
    told = hit.notna()
    said = out["exit_reason"] if "exit_reason" in out else pd.Series("", index=out.index)
    closed = out["status"] == "closed"
    _disagree(told & ~closed, rows, name=name, rule="has a hit, but its outcome is not closed")
    _disagree(told & (said != "") & (said != hit), rows, name=name, rule="hit another barrier than its outcome says")
    out["exit_reason"] = said.where(said != "", hit.fillna(""))
    for ours, theirs in (("close_date", "hit_date"), ("close_rate", "hit_rate")):
        if theirs not in of:
            continue
        value = of[theirs].set_axis(rows.index)
        if ours not in out:
            out[ours] = value
            continue
        own = out[ours] if ours == "close_date" else as_numbers(out[ours])
        far = (own - value).abs() > (_HIT_TIME if ours == "close_date" else _HIT_RATE * value)
        _disagree(told & far, rows, name=name, rule=f"{theirs} is not the {ours} of its outcome")
        out[ours] = own.where(own.notna(), value)
    return out


def with_profit(rows: pd.DataFrame, *, settings: Outcomes, name: str) -> pd.DataFrame:
    """Net profits: given, or from rates and fees where the desk has none, less the fees where they are gross.

    Raises
    ------
    DataError
        A closed row has no profit and no fees to tell it from.
    """
    out = rows.copy()
    number = {
        column: as_numbers(out[column]) if column in out else pd.Series(np.nan, index=out.index)
        for column in ("profit_ratio", "fee_open", "fee_close", "open_rate", "close_rate")
    }
    growth = number["close_rate"] / number["open_rate"]
    sign = np.where(out["is_short"].to_numpy(bool), -1.0, 1.0)
    fees = number["fee_open"] + number["fee_close"] * growth
    closed = out["status"] == "closed"
    from_rates = sign * (growth - 1.0) - fees
    given = number["profit_ratio"] - (fees if settings.profit == "gross" else 0.0)
    net = given.where(number["profit_ratio"].notna(), from_rates)
    lacking = closed & net.isna()
    if lacking.any():
        raise DataError(
            f"{name}: signal_id {out['signal_id'][lacking].iloc[0]!r}: profit_ratio cannot be told; a closed row needs "
            f"{'fee_open and fee_close' if settings.profit == 'gross' else 'it, or fee_open, fee_close and both rates'}"
        )
    out["profit_ratio"] = net.where(closed)
    return out


def reason_of(word: str, words: Mapping[str, str]) -> str:
    """Exit reason of a desk's word: of its own mapping, of our words, else a time exit; nothing for no word.

    Examples
    --------
    >>> [reason_of(word, {"roi": "take_profit"}) for word in ("roi", "SL", "exit_signal", "")]
    ['take_profit', 'stop_loss', 'time_exit', '']
    """
    if word == "":
        return ""
    return words.get(word) or WORDS.get(word.lower().replace(" ", "_").replace("-", "_"), REASONS[2])


def _renamed(table: pd.DataFrame, columns: Mapping[str, str], *, needed: tuple[str, ...], name: str) -> pd.DataFrame:
    """The columns that are ours, by mapping or by name."""
    mapped = {theirs: ours for theirs, ours in columns.items() if theirs in table.columns}
    taken = set(mapped.values())
    # A column that happens to have one of our names gives way to the one that is mapped to it.
    kept = table.drop(columns=[c for c in table.columns if c in taken and c not in mapped])
    rows = kept.rename(columns=mapped).reset_index(drop=True)
    for column in needed:
        if column not in rows.columns:
            have = ", ".join(map(str, table.columns[:20]))
            raise DataError(f"{name}: no column {column}; it has {have}; map one in outcomes.database.columns")
    return rows.astype(object)


def _dates(column: pd.Series, *, timezone: str, ids: pd.Series, name: str) -> pd.Series:
    """Dates in UTC, of datetimes, ISO text and numbers of seconds or milliseconds since 1970."""

    def read(value: Any) -> Any:
        if value is None or value is pd.NaT or (isinstance(value, float) and value != value) or value == "":
            return pd.NaT
        if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
            number = float(value)
            return pd.Timestamp(number, unit="ms" if abs(number) >= _MILLISECONDS_FROM else "s", tz="UTC")
        stamp = pd.Timestamp(value)
        if stamp.tzinfo is None:
            # Of an hour that comes twice in autumn the first is taken; one that never was moves forward.
            stamp = stamp.tz_localize(timezone, ambiguous=True, nonexistent="shift_forward")
        return stamp.tz_convert("UTC")

    found = []
    for signal, value in zip(ids.tolist(), column.tolist(), strict=True):
        try:
            found.append(read(value))
        except (ValueError, TypeError, OverflowError):
            raise DataError(
                f"{name}: signal_id {signal!r}: {str(value)[:60]!r} is no date; write 2019-07-01T05:00:00Z, or seconds "
                "or milliseconds since 1970"
            ) from None
    return pd.Series(pd.DatetimeIndex(found, dtype="datetime64[ns, UTC]").as_unit("ms"), index=column.index)


def _worded(column: pd.Series, words: Mapping[str, Any], *, ids: pd.Series, name: str, of: str) -> pd.Series:
    """Values by the words for them, in any case."""
    spelled = column.map(lambda v: _text(v).lower().removesuffix(".0"))
    odd = ~spelled.isin(list(words))
    if odd.any():
        raise DataError(
            f"{name}: signal_id {ids[odd].iloc[0]!r}: {of} {spelled[odd].iloc[0][:40]!r} is none of {', '.join(words)}"
        )
    return spelled.map(dict(words))


def _disagree(broken: pd.Series, rows: pd.DataFrame, *, name: str, rule: str) -> None:
    if broken.any():
        more = f" (and {int(broken.sum()) - 1:,} more)" if broken.sum() > 1 else ""
        raise DataError(f"{name}: signal_id {rows['signal_id'][broken].iloc[0]!r} {rule}{more}; correct the row")


def _text(value: Any) -> str:
    return (
        "" if value is None or value is pd.NaT or (isinstance(value, float) and value != value) else str(value).strip()
    )
