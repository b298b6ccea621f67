"""backtesting.py's trades: ``stats["_trades"]``, saved as a table.

It runs one symbol and writes neither its name nor the timeframe: both are declared. The sign of Size is the side.
Profit is what the prices say less Commission, as a share of the notional at entry; older versions have no Commission,
their prices bear it, and the fees are then 0. There is no exit reason: an exit at SL or past it is a stop, one at TP or
past it a target, everything else a time exit. SL is where the stop stood last: one that lies past the entry was moved,
the risk at entry is unknown and an exit there a time exit, "moved_stop". Tables before 0.6 have neither SL nor TP.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from edgebook.trade_files import imports_rows as rows
from edgebook.trade_files import imports_values as values
from edgebook.trade_files.imports_files import picked, read_table, require

if TYPE_CHECKING:
    from pathlib import Path

Stamps = Literal["open", "close", "exact"]
"""What the times of a table are: the opening of the bar, its close, or the trade's own times."""

_NEEDED = [["Size"], ["EntryPrice"], ["ExitPrice"], ["EntryTime"], ["ExitTime"]]


def read_backtesting(file: Path, *, pair: str | None, timeframe: str | None, stamps: Stamps, shown: str) -> rows.Found:
    """Read a table of backtesting.py's trades.

    Parameters
    ----------
    file : Path
        CSV or Parquet.
    pair, timeframe : str or None
        Of all trades; not needed for an export of Edgebook.
    stamps : {"open", "close", "exact"}
        What the index of the prices was. A trade enters at the open of its bar; its exit is known at the close of its
        bar. An export of Edgebook says that its times are exact.
    shown : str
        How messages name the file.

    Returns
    -------
    Found

    Raises
    ------
    DataError
        The file is no such table.
    """
    raws = read_table(file, shown=shown)
    require(raws, _NEEDED, shown=shown, what='the table stats["_trades"] of backtesting.py')
    return rows.collect(
        raws, partial(_trade, pair=pair, timeframe=timeframe, stamps=stamps), shown=shown, tool="backtesting"
    )


def _trade(row: dict[str, Any], *, pair: str | None, timeframe: str | None, stamps: Stamps) -> dict[str, Any]:
    """Canonical columns of one row."""
    size = values.needed(row.get("Size"), "Size", low=-values.LARGEST)
    if size == 0:
        raise values.RefusedError("Size", row.get("Size"), "it is the units traded, negative for a short")
    is_short = size < 0
    entry, leave = values.needed(row.get("EntryPrice"), "EntryPrice"), values.number(row.get("ExitPrice"), "ExitPrice")
    stop, target = (values.number(row.get(name), name) for name in ("SL", "TP"))
    own_id = values.id_of(row.get("signal_id"), "signal_id")
    name = values.timeframe_name(row.get("timeframe"), "timeframe", declared=timeframe)
    bar = timedelta(minutes=values.MINUTES[name])
    begins, ends = (
        values.needed_moment(row.get("EntryTime"), "EntryTime"),
        values.moment(row.get("ExitTime"), "ExitTime"),
    )
    if not own_id and stamps == "open" and ends is not None:
        ends += bar
    if not own_id and stamps == "close":
        begins -= bar
    cost = values.number(row.get("Commission"), "Commission", low=-values.LARGEST) or 0.0
    profit, fee = None, None
    if leave is not None:
        profit = round(((leave - entry) * size - cost) / (abs(size) * entry), 6)
        fee = values.number(cost / (abs(size) * (entry + leave)), "Commission", low=-0.5, high=0.5)
    said = values.word(row.get("exit_reason"), "exit_reason")
    moved = stop is not None and (stop >= entry) != is_short
    kind = said if said in ("take_profit", "stop_loss", "time_exit") else _kind(leave, stop, target, is_short=is_short)
    if moved:  # what was at risk at entry is not known
        stop, kind, said = None, "time_exit", "moved_stop" if kind == "stop_loss" else said
    fees = [values.number(row.get(column), column, low=-0.5, high=0.5) for column in ("fee_open", "fee_close")]
    column, found = picked(row, ["pair", "Pair", "Symbol"])
    return {
        "own_id": own_id,
        "exit_plan": values.word(row.get("exit_plan"), "exit_plan") if own_id else "",
        "pair": values.pair_name(_declared(found, pair), column),
        "timeframe": name,
        "is_short": is_short,
        "date": values.moment(row.get("date"), "date") if own_id else None,
        "open_date": begins,
        "close_date": ends,
        "open_rate": entry,
        "close_rate": leave,
        "take_profit_abs": target,
        "stop_loss_abs": stop,
        "fee_open": fee if fees[0] is None else fees[0],
        "fee_close": fee if fees[1] is None else fees[1],
        "profit_ratio": profit,
        "exit_reason": kind,
        "exit_word": values.word(row.get("exit_word"), "exit_word") or said,
        "enter_tag": values.word(row.get("Tag"), "Tag"),
        "status": "open" if ends is None or leave is None else "closed",
    }


def _declared(found: Any, pair: str | None) -> Any:
    """Return the row's own pair, else the declared one."""
    if found in (None, "") and pair is None:
        raise values.RefusedError("pair", None, "the table has one symbol and not its name; give it with --pair")
    return pair if found in (None, "") else found


def _kind(leave: float | None, stop: float | None, target: float | None, *, is_short: bool) -> str:
    """What an exit was, by where it lies."""
    sign = -1 if is_short else 1
    if leave is not None and stop is not None and sign * (leave - stop) <= 0:
        return "stop_loss"
    if leave is not None and target is not None and sign * (leave - target) >= 0:
        return "take_profit"
    return "time_exit"
