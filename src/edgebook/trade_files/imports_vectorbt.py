"""vectorbt's trades: ``portfolio.trades.records_readable``, saved as a table, of versions 0.1 to 1.x and of PRO.

Column is the pair where it is a name; a number or a combination of parameters is not, and the pair is declared. Fees
are sums of money there, shares of their notional here; profit is PnL over the notional at entry. There is neither stop
nor exit reason: every exit is a time exit, and the risk is unknown. An open trade is marked to the last close there and
has no exit here. vectorbt fills at the close of a signal's bar, so that is when a trade entered.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from edgebook.trade_files import imports_rows as rows
from edgebook.trade_files import imports_values as values
from edgebook.trade_files.imports_files import picked, read_table, require

if TYPE_CHECKING:
    from pathlib import Path

    from edgebook.trade_files.imports_backtesting import Stamps

_ENTERED = ["Entry Timestamp", "Entry Index", "Entry Date"]
_LEFT = ["Exit Timestamp", "Exit Index", "Exit Date"]
_ENTRY, _EXIT = ["Avg Entry Price", "Entry Price"], ["Avg Exit Price", "Exit Price"]
_NEEDED = [["Size"], _ENTERED, _LEFT, _ENTRY, _EXIT, ["Direction"], ["Status"], ["PnL"]]


def read_vectorbt(file: Path, *, pair: str | None, timeframe: str | None, stamps: Stamps, shown: str) -> rows.Found:
    """Read a table of vectorbt's trades.

    Parameters
    ----------
    file : Path
        CSV or Parquet.
    pair : str or None
        Of all trades, where Column is not a name.
    timeframe : str or None
        Of all trades; not needed for an export of Edgebook.
    stamps : {"open", "close", "exact"}
        What the index of the prices was: entries and exits are at the close of their bar. An export of Edgebook says
        that its times are exact.
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
    require(raws, _NEEDED, shown=shown, what="the table trades.records_readable of vectorbt")
    return rows.collect(
        raws, partial(_trade, pair=pair, timeframe=timeframe, stamps=stamps), shown=shown, tool="vectorbt"
    )


def _trade(row: dict[str, Any], *, pair: str | None, timeframe: str | None, stamps: Stamps) -> dict[str, Any]:
    """Canonical columns of one row."""
    is_short = _one_of(row.get("Direction"), "Direction", {"long": False, "short": True})
    is_open = _one_of(row.get("Status"), "Status", {"open": True, "closed": False})
    size = values.needed(row.get("Size"), "Size")
    entry_name, entry_value = picked(row, _ENTRY)
    exit_name, exit_value = picked(row, _EXIT)
    entry = values.needed(entry_value, entry_name)
    leave = None if is_open else values.number(exit_value, exit_name)
    begun_name, begun = picked(row, _ENTERED)
    ended_name, ended = picked(row, _LEFT)
    own_id = values.id_of(row.get("signal_id"), "signal_id")
    name = values.timeframe_name(row.get("timeframe"), "timeframe", declared=timeframe)
    later = timedelta(minutes=0 if own_id or stamps != "open" else values.MINUTES[name])
    begins, ends = values.needed_moment(begun, begun_name), None if is_open else values.moment(ended, ended_name)
    profit = values.number(row.get("PnL"), "PnL", low=-values.LARGEST)
    said = values.word(row.get("exit_reason"), "exit_reason")
    return {
        "own_id": own_id,
        "exit_plan": values.word(row.get("exit_plan"), "exit_plan") if own_id else "",
        "pair": values.pair_name(_pair(row.get("Column"), pair), "Column"),
        "timeframe": name,
        "is_short": is_short,
        "date": values.moment(row.get("date"), "date") if own_id else None,
        "open_date": begins + later,
        "close_date": None if ends is None else ends + later,
        "open_rate": entry,
        "close_rate": leave,
        "take_profit_abs": values.number(row.get("take_profit_abs"), "take_profit_abs"),
        "stop_loss_abs": values.number(row.get("stop_loss_abs"), "stop_loss_abs"),
        "fee_open": _fee(row, "fee_open", "Entry Fees", notional=size * entry),
        "fee_close": None if leave is None else _fee(row, "fee_close", "Exit Fees", notional=size * leave),
        "profit_ratio": None if leave is None or profit is None else round(profit / (size * entry), 6),
        "exit_reason": said if said in ("take_profit", "stop_loss") else "time_exit",
        "exit_word": values.word(row.get("exit_word"), "exit_word") or said,
        "enter_tag": values.word(row.get("enter_tag"), "enter_tag"),
        "status": "open" if is_open else "closed",
    }


def _fee(row: dict[str, Any], own: str, theirs: str, *, notional: float) -> float | None:
    """Share of a notional: Edgebook's own column, else the sum of money over it."""
    share = values.number(row.get(own), own, low=-0.5, high=0.5)
    paid = values.number(row.get(theirs), theirs, low=-values.LARGEST)
    if share is not None or paid is None:
        return share
    return values.number(paid / notional, theirs, low=-0.5, high=0.5)


def _one_of(value: Any, column: str, known: dict[str, bool]) -> bool:
    """Read a word of two."""
    found = known.get(str(value).strip().lower())
    if found is None:
        raise values.RefusedError(column, value, f"give {' or '.join(word.capitalize() for word in known)}")
    return found


def _pair(column: Any, pair: str | None) -> Any:
    """Return the declared pair, else Column where that is a name."""
    if pair is None and (column in (None, "") or re.fullmatch(r"[\d.()\[\], ']*", str(column))):
        raise values.RefusedError("Column", column, "it is not the name of a pair; give it with --pair")
    return column if pair is None else pair
