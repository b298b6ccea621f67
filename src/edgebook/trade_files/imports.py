"""Trades of other tools become recorded outcomes: a freqtrade database or backtest, backtesting.py's table, vectorbt's.

A file is read as a whole, every row held to the rules, and what is new or changed goes into the dated snapshots of
`edgebook.outcomes.recorded`. Importing a later copy of the same desk's file adds what happened since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd

from edgebook.bars.bars import utc
from edgebook.errors import DataError, SettingsError
from edgebook.files import tables
from edgebook.outcomes.recorded import append
from edgebook.settings.exit_plans import ExitPlan
from edgebook.trade_files.imports_backtesting import Stamps, read_backtesting
from edgebook.trade_files.imports_freqtrade import read_freqtrade
from edgebook.trade_files.imports_rows import Found
from edgebook.trade_files.imports_values import MINUTES, pair_name
from edgebook.trade_files.imports_vectorbt import read_vectorbt

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from edgebook.paths import Paths

Tool = Literal["freqtrade", "backtesting", "vectorbt"]
TOOLS: tuple[Tool, ...] = get_args(Tool)
"""Tools whose trades are read and written."""

_DATES = ["date", "open_date", "close_date"]


def import_trades(
    file: Path,
    *,
    tool: Tool,
    paths: Paths,
    until: str | None = None,
    timeframe: str | None = None,
    pair: str | None = None,
    exit_plan: str | None = None,
    stamps: Stamps = "open",
    exit_words: Mapping[str, str] | None = None,
    skip_refused: bool = False,
) -> dict[str, Any]:
    """Read a tool's trades and append what is new to the recorded outcomes.

    Parameters
    ----------
    file : Path
        What the tool left; it is only read.
    tool : {"freqtrade", "backtesting", "vectorbt"}
    paths : Paths
    until : str, optional
        Midnight UTC up to which the file speaks; by default the first one after all that it tells.
    timeframe, pair : str, optional
        Where the file does not say them.
    exit_plan : str, optional
        Plan under which the desk traded, ``tp2.0_sl1.5_t24``, where the file does not say it.
    stamps : {"open", "close", "exact"}
        What the times of a backtesting.py or vectorbt table are.
    exit_words : mapping of str to str, optional
        `outcomes.exit_words`: exit reasons of the desk's own words, where they are to be others.
    skip_refused : bool
        Import the other trades where some are refused.

    Returns
    -------
    dict
        `file`, `tool`, `trades`, `open`, `averaged`, `until`, `pairs_without_bars`, `refused` (one line each) and
        `added` (one line), for a page or a program.

    Raises
    ------
    DataError
        The file cannot be read or has no trades, or a row was refused; then nothing is added.
    SettingsError
        An option is not what it should be.
    """
    found = read_trades(file, tool=tool, timeframe=timeframe, pair=pair, stamps=stamps)
    if exit_plan is not None:
        ExitPlan.parse(exit_plan)
    if found.refused and not skip_refused:
        # All lines are told by the command; an error is one of them.
        raise RefusedTradesError(found.refused, of=len(found.refused) + len(found.trades))
    if not found.trades:
        raise DataError(f"{file.name}: no trades in it; nothing was added")
    bars = _pairs_of_bars(paths)
    frame = trades_frame(found, exit_plan=exit_plan or "", known=bars)
    said = frame["exit_word"].map(exit_words or {})
    frame["exit_reason"] = said.where(said.notna() & (frame["status"] == "closed"), frame["exit_reason"])
    end = _midnight(until) if until is not None else _first_midnight_after(frame)
    added = append(frame, paths=paths, until=end)
    midnight = utc(end)
    begun, ended = frame["open_date"] < midnight, frame["close_date"] <= midnight
    return {
        "file": file.name,
        "tool": tool,
        "trades": int(begun.sum()),
        "open": int((begun & ~ended).sum()),
        "averaged": found.averaged,
        "until": end,
        "pairs_without_bars": sorted(set(frame["pair"]) - set(bars)) if bars else [],
        "refused": found.refused,
        "added": added,
    }


class RefusedTradesError(DataError):
    """Trades of a file were refused, so that none was imported.

    Parameters
    ----------
    lines : list of str
        One a trade.
    of : int
        Trades in the file.
    """

    def __init__(self, lines: list[str], *, of: int) -> None:
        super().__init__(
            f"{lines[0]}; {len(lines):,} of {of:,} trades are refused and none was imported: correct them, or take the"
            " others with --skip-refused"
        )
        self.lines = lines


def read_trades(
    file: Path, *, tool: Tool, timeframe: str | None = None, pair: str | None = None, stamps: Stamps = "open"
) -> Found:
    """Read and check a tool's trades; nothing is written. Parameters as for `import_trades`.

    Returns
    -------
    Found

    Raises
    ------
    DataError
        The file is not there or cannot be read.
    SettingsError
        An unknown tool or timeframe, or a name that no pair can have.
    """
    if timeframe is not None and timeframe not in MINUTES:
        raise SettingsError(f"--timeframe {timeframe[:20]!a}: give {', '.join(MINUTES)}")
    if pair is not None:
        pair_name(pair, "--pair")
    if not file.is_file():
        raise DataError(
            f"{file.name}: {'a folder' if file.is_dir() else 'no such file'}; give the file that {tool} left"
        )
    try:
        if tool == "freqtrade":
            return read_freqtrade(file, timeframe=timeframe, shown=file.name)
        if tool == "backtesting":
            return read_backtesting(file, pair=pair, timeframe=timeframe, stamps=stamps, shown=file.name)
        if tool == "vectorbt":
            return read_vectorbt(file, pair=pair, timeframe=timeframe, stamps=stamps, shown=file.name)
    except (OSError, MemoryError) as error:
        raise DataError(f"{file.name}: could not be read ({getattr(error, 'strerror', '') or 'too large'})") from error
    raise SettingsError(f"--from {tool!r}: give {', '.join(TOOLS)}")


def trades_frame(found: Found, *, exit_plan: str = "", known: Collection[str] = ()) -> pd.DataFrame:
    """Trades as `edgebook.outcomes.recorded.append` takes them.

    Parameters
    ----------
    found : Found
    exit_plan : str
        Of trades of which the file does not say it.
    known : collection of str
        Pairs of the bars. A future that is not among them, BTC/USDT:USDT, is called BTC/USDT where that is.

    Returns
    -------
    DataFrame
        One row a trade, by `open_date`; dates in UTC.
    """
    trades = pd.DataFrame(found.trades)
    trades["exit_plan"] = trades["exit_plan"].where(trades["exit_plan"] != "", exit_plan)
    for name in _DATES:
        trades[name] = pd.to_datetime(trades[name], utc=True).astype("datetime64[ms, UTC]")
    spot = trades["pair"].str.partition(":")[0]
    return trades.assign(pair=trades["pair"].where(trades["pair"].isin(list(known)) | ~spot.isin(list(known)), spot))


def _pairs_of_bars(paths: Paths) -> list[str]:
    """Pairs of the bars that a run has left; none before the first run."""
    if not paths.bars.is_file():
        return []
    return sorted(tables.read(paths.bars, columns=["pair"])["pair"].unique())


def _midnight(until: str) -> str:
    """Read the date of a midnight UTC."""
    moment = utc(until)
    if moment != moment.normalize():
        raise SettingsError(f"--until {until}: it is a midnight UTC; write it like 2019-07-01")
    return f"{moment:%Y-%m-%d}"


def _first_midnight_after(frame: pd.DataFrame) -> str:
    """First midnight UTC at or after the last entry and the last exit."""
    last = max(frame["open_date"].max() + pd.Timedelta(milliseconds=1), frame["close_date"].max())
    return f"{last.ceil('D'):%Y-%m-%d}"
