"""Files in the shapes of other tools: freqtrade's backtest result, backtesting.py's and vectorbt's tables of trades.

Each file has the tool's own columns, and after them what the tool has no column for and leaves alone: the signal's id,
its timeframe, stop and target. So `edgebook import` reads back the trades that were written.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.errors import DataError
from edgebook.trade_files.exporters import by_entry, to_backtesting, to_freqtrade, to_vectorbt

if TYPE_CHECKING:
    from pathlib import Path

    from edgebook.trade_files.imports import Tool

_SUFFIXES = {"freqtrade": (".json", ".zip"), "backtesting": (".csv", ".parquet"), "vectorbt": (".csv", ".parquet")}


def write_trades(ledger: pd.DataFrame, *, tool: Tool, file: Path, bars: pd.DataFrame | None = None) -> int:
    """Write a ledger as another tool's file.

    Parameters
    ----------
    ledger : DataFrame
        Ledger rows: the trade columns and `status`.
    tool : {"freqtrade", "backtesting", "vectorbt"}
    file : Path
        Its ending says the format: .json or .zip for freqtrade, .csv or .parquet for the tables.
    bars : DataFrame, optional
        The bars table, which backtesting.py's shape counts in.

    Returns
    -------
    int
        Trades written. backtesting.py's table has no open trades.

    Raises
    ------
    DataError
        The ending, the ledger or the disk does not fit.

    Notes
    -----
    freqtrade's file has a strategy for each timeframe, ``edgebook_1h``, and its profit ratios are as freqtrade counts
    them: over the notional with its entry fee. Its exits have their own times, not the opening of their candle.
    """
    if file.suffix not in _SUFFIXES[tool]:
        raise DataError(f"{file.name}: for {tool} name a file that ends in {' or '.join(_SUFFIXES[tool])}")
    if tool == "freqtrade":
        data, number = _freqtrade(ledger, file=file)
    else:
        table = _backtesting(ledger, bars=bars) if tool == "backtesting" else _vectorbt(ledger)
        data, number = _table(table, suffix=file.suffix), len(table)
    scratch = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_bytes(data)
        scratch.replace(file)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise DataError(f"{file.name}: could not be written ({error.strerror}); nothing was changed") from error
    return number


def _freqtrade(ledger: pd.DataFrame, *, file: Path) -> tuple[bytes, int]:
    """Return a backtest result, a strategy for each timeframe, and the number of trades."""
    own = by_entry(ledger)
    trades = to_freqtrade(ledger)
    trades["profit_ratio"] /= np.where(own["is_short"], 1 - own["fee_open"], 1 + own["fee_open"])
    for name in ("open_date", "close_date"):
        trades[name] = trades[name].dt.strftime("%Y-%m-%d %H:%M:%S+00:00")
    trades = trades.assign(
        signal_id=own["signal_id"], take_profit_abs=own["take_profit_abs"], date=_text(own, "date"),
        exit_plan=_plan(own),
    )  # fmt: skip
    rows = [{name: _plain(value) for name, value in row.items()} for row in trades.to_dict("records")]
    strategies: dict[str, Any] = {}
    for row, timeframe in zip(rows, own["timeframe"], strict=True):
        strategy = strategies.setdefault(
            f"edgebook_{timeframe}",
            {"trades": [], "locks": [], "timeframe": timeframe, "timeframe_detail": "", "dates": "exact"},
        )
        strategy["trades"].append(row)
    for name, strategy in strategies.items():
        strategy |= {"strategy_name": name, "total_trades": len(strategy["trades"])}
    text = json.dumps({"strategy": strategies, "strategy_comparison": []}, allow_nan=False).encode()
    if file.suffix == ".json":
        return text, len(rows)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as opened:
        # The same ledger gives the same bytes.
        opened.writestr(zipfile.ZipInfo(f"{file.stem}.json", (1980, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)
    return packed.getvalue(), len(rows)


def _backtesting(ledger: pd.DataFrame, *, bars: pd.DataFrame | None) -> pd.DataFrame:
    """Closed trades with their pair and what else the shape lacks."""
    if bars is None:
        raise DataError("ledger: backtesting.py counts bars; give the bars table of its run")
    own = by_entry(ledger)
    own = own[~own["is_open"]].reset_index(drop=True)
    return to_backtesting(ledger, bars=bars).assign(
        signal_id=own["signal_id"], pair=own["pair"], timeframe=own["timeframe"], date=_text(own, "date"),
        fee_open=own["fee_open"], fee_close=own["fee_close"], exit_reason=own["exit_reason"], exit_plan=_plan(own),
    )  # fmt: skip


def _vectorbt(ledger: pd.DataFrame) -> pd.DataFrame:
    """Trades with what the shape lacks."""
    own = by_entry(ledger)
    return to_vectorbt(ledger).assign(
        signal_id=own["signal_id"], timeframe=own["timeframe"], date=_text(own, "date"),
        stop_loss_abs=own["stop_loss_abs"], take_profit_abs=own["take_profit_abs"], fee_open=own["fee_open"],
        fee_close=own["fee_close"], exit_reason=own["exit_reason"].where(~own["is_open"]), enter_tag=own["enter_tag"],
        exit_plan=_plan(own),
    )  # fmt: skip


def _text(trades: pd.DataFrame, name: str) -> pd.Series:
    """Dates of a column that a ledger may lack, as ISO text."""
    if name not in trades.columns:
        return pd.Series("", index=trades.index, dtype="str")
    return pd.to_datetime(trades[name], utc=True, format="ISO8601").dt.strftime("%Y-%m-%dT%H:%M:%SZ").fillna("")


def _plan(trades: pd.DataFrame) -> pd.Series:
    """Exit plan of each trade, where a ledger says it."""
    return trades.get("exit_plan", pd.Series("", index=trades.index, dtype="str"))


def _table(table: pd.DataFrame, *, suffix: str) -> bytes:
    """Bytes of a CSV or Parquet table."""
    if suffix == ".csv":
        return table.to_csv(index=False, lineterminator="\n").encode()
    packed = io.BytesIO()
    table.to_parquet(packed, index=False)
    return packed.getvalue()


def _plain(value: Any) -> Any:
    """A value as JSON has it; None where there is none."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    return value.item() if isinstance(value, np.generic) else value
