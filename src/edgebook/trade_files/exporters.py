"""A ledger in the shapes of other tools: freqtrade, backtesting.py and vectorbt.

New frames in another tool's columns, so that its reports and an analyst's notebooks read Edgebook's trades. Profits
are Edgebook's own, net of all costs; each function says where the tool would have counted otherwise.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from edgebook.errors import DataError


def to_freqtrade(ledger: pd.DataFrame) -> pd.DataFrame:
    """Trades as `freqtrade.data.btanalysis.load_backtest_data` returns them (freqtrade 2025.x).

    Parameters
    ----------
    ledger : DataFrame
        Ledger rows: the trade columns and `status`. `stake` is the notional at entry in account currency; where the
        ledger has none, 1.

    Returns
    -------
    DataFrame
        freqtrade's 28 columns, one row a trade, by `open_date`, open trades too (`is_open`; close columns missing).

    Raises
    ------
    DataError
        The ledger lacks a column.

    Notes
    -----
    - `exit_reason` keeps Edgebook's words; freqtrade calls take_profit "roi".
    - `profit_ratio` is a share of the notional at entry. freqtrade divides by the notional with its fee: ours over
      ``1 + fee_open`` for a long, over ``1 - fee_open`` for a short.
    - `fee_open` and `fee_close` hold fee and slippage. `funding_fees` is what `profit_abs` has beyond prices and
      those, as freqtrade signs it: negative where the position paid.
    - `min_rate` and `max_rate` are recovered from `mae` and `mfe`; `orders` is None, for the ledger has no orders.
    """
    trades = by_entry(ledger)
    sign = np.where(trades["is_short"], -1.0, 1.0)
    risk = (trades["open_rate"] - trades["stop_loss_abs"]).abs()
    worst = trades["open_rate"] + sign * trades["mae"] * risk
    best = trades["open_rate"] + sign * trades["mfe"] * risk
    stop_ratio = -(risk / trades["open_rate"]).round(6)
    minutes = (trades["close_date"] - trades["open_date"]).dt.total_seconds() / 60
    return pd.DataFrame(
        {
            "pair": trades["pair"],
            "stake_amount": trades["stake"],
            "max_stake_amount": trades["stake"],
            "amount": trades["stake"] / trades["open_rate"],
            "open_date": trades["open_date"],
            "close_date": trades["close_date"],
            "open_rate": trades["open_rate"],
            "close_rate": trades["close_rate"],
            "fee_open": trades["fee_open"],
            "fee_close": trades["fee_close"],
            "trade_duration": minutes.round().astype("Int64"),
            "profit_ratio": trades["profit_ratio"],
            "profit_abs": trades["profit_ratio"] * trades["stake"],
            "exit_reason": trades["exit_reason"].where(~trades["is_open"]),
            "initial_stop_loss_abs": trades["stop_loss_abs"],
            "initial_stop_loss_ratio": stop_ratio,
            "stop_loss_abs": trades["stop_loss_abs"],
            "stop_loss_ratio": stop_ratio,
            "min_rate": np.minimum(worst, best),
            "max_rate": np.maximum(worst, best),
            "is_open": trades["is_open"],
            "enter_tag": trades["enter_tag"],
            "leverage": 1.0,
            "is_short": trades["is_short"],
            "open_timestamp": _milliseconds(trades["open_date"]),
            "close_timestamp": _milliseconds(trades["close_date"]),
            "orders": None,
            "funding_fees": _financing(trades).fillna(0.0),
        }
    )


def to_backtesting(ledger: pd.DataFrame, *, bars: pd.DataFrame) -> pd.DataFrame:
    """Closed trades as backtesting.py 0.6 has them in ``stats["_trades"]``.

    Parameters
    ----------
    ledger : DataFrame
        Ledger rows: the trade columns, `timeframe` and `status`.
    bars : DataFrame
        The bars table that the trades were made on: EntryBar and ExitBar count its rows.

    Returns
    -------
    DataFrame
        backtesting.py's 14 columns, one row a closed trade, by EntryTime. Size is in units, negative for a short;
        Tag is `enter_tag`.

    Raises
    ------
    DataError
        The ledger lacks a column, or a trade was entered at a bar that `bars` does not have.

    Notes
    -----
    backtesting.py runs one symbol: bars are counted from 0 within a trade's own pair and timeframe, so select one of
    each before plotting. EntryTime and ExitTime are Edgebook's open of the entry bar and close of the exit bar.
    Commission holds fees, slippage and the financing of shorts; PnL and ReturnPct are net of it, as there.
    """
    trades = by_entry(ledger)
    trades = trades[~trades["is_open"]].reset_index(drop=True)
    entry_bar = _entry_bars(trades, bars=bars)
    sign = np.where(trades["is_short"], -1.0, 1.0)
    units = sign * trades["stake"] / trades["open_rate"]
    gross = units * (trades["close_rate"] - trades["open_rate"])
    profit = trades["profit_ratio"] * trades["stake"]
    return pd.DataFrame(
        {
            "Size": units,
            "EntryBar": entry_bar,
            "ExitBar": entry_bar + trades["bars_held"].astype("int64") - 1,
            "EntryPrice": trades["open_rate"],
            "ExitPrice": trades["close_rate"],
            "SL": trades["stop_loss_abs"],
            "TP": trades["take_profit_abs"],
            "PnL": profit,
            "Commission": gross - profit,
            "ReturnPct": trades["profit_ratio"],
            "EntryTime": trades["open_date"],
            "ExitTime": trades["close_date"],
            "Duration": trades["close_date"] - trades["open_date"],
            "Tag": trades["enter_tag"],
        }
    )


def to_vectorbt(ledger: pd.DataFrame) -> pd.DataFrame:
    """Trades as vectorbt 0.2x has them in ``portfolio.trades.records_readable``.

    Parameters
    ----------
    ledger : DataFrame
        Ledger rows: the trade columns and `status`.

    Returns
    -------
    DataFrame
        vectorbt's 14 columns, one row a trade, by entry, open trades too. Column is the pair.

    Raises
    ------
    DataError
        The ledger lacks a column.

    Notes
    -----
    vectorbt marks an open trade to the last close and gives that as its exit; here its exit, PnL and Return are
    missing. Exit Fees hold the financing of shorts as well, so that PnL is the price move less both fees, as there.
    """
    trades = by_entry(ledger)
    sign = np.where(trades["is_short"], -1.0, 1.0)
    size = trades["stake"] / trades["open_rate"]
    entry_fees = trades["fee_open"] * trades["stake"]
    profit = trades["profit_ratio"] * trades["stake"]
    gross = sign * size * (trades["close_rate"] - trades["open_rate"])
    number = np.arange(len(trades))
    return pd.DataFrame(
        {
            "Exit Trade Id": number,
            "Column": trades["pair"],
            "Size": size,
            "Entry Timestamp": trades["open_date"],
            "Avg Entry Price": trades["open_rate"],
            "Entry Fees": entry_fees,
            "Exit Timestamp": trades["close_date"],
            "Avg Exit Price": trades["close_rate"],
            "Exit Fees": gross - entry_fees - profit,
            "PnL": profit,
            "Return": trades["profit_ratio"],
            "Direction": np.where(trades["is_short"], "Short", "Long"),
            "Status": np.where(trades["is_open"], "Open", "Closed"),
            "Position Id": number,
        }
    )


_NEEDED = (
    "signal_id", "pair", "timeframe", "is_short", "open_date", "close_date", "open_rate", "close_rate", "fee_open",
    "fee_close", "take_profit_abs", "stop_loss_abs", "profit_ratio", "exit_reason", "bars_held", "mae", "mfe",
    "enter_tag", "status",
)  # fmt: skip


def by_entry(ledger: pd.DataFrame) -> pd.DataFrame:
    """Ledger rows in the order of every export.

    Parameters
    ----------
    ledger : DataFrame
        The trade columns and `status`.

    Returns
    -------
    DataFrame
        By `open_date`, then `signal_id`; dates as times, with `stake` and `is_open`.

    Raises
    ------
    DataError
        The ledger lacks a column.
    """
    missing = [name for name in _NEEDED if name not in ledger.columns]
    if missing:
        raise DataError(f"ledger: no column {missing[0]}; an export needs {', '.join(_NEEDED)}")
    trades = ledger.assign(
        open_date=_utc(ledger["open_date"]),
        close_date=_utc(ledger["close_date"]),
        is_short=ledger["is_short"].astype(bool),
        stake=ledger.get("stake", 1.0),
        is_open=ledger["status"] == "open",
    )
    return trades.sort_values(["open_date", "signal_id"], ignore_index=True)


def _utc(dates: pd.Series) -> pd.Series:
    """Times in UTC from times or ISO text."""
    return pd.to_datetime(dates, utc=True, format="ISO8601").dt.as_unit("ms")


def _milliseconds(dates: pd.Series) -> pd.Series:
    """Milliseconds since 1970, missing where there is no time."""
    return dates.astype("int64").astype("Int64").where(dates.notna())


def _financing(trades: pd.DataFrame) -> pd.Series:
    """What a closed short received for its time (negative: paid), in account currency; 0 for a long."""
    sign = np.where(trades["is_short"], -1.0, 1.0)
    growth = trades["close_rate"] / trades["open_rate"]
    fees = trades["fee_open"] + trades["fee_close"] * growth
    # Profit ratios are kept to six decimals: what is left below that is rounding.
    rest: pd.Series = (trades["profit_ratio"] - (sign * (growth - 1.0) - fees)).round(6) * trades["stake"]
    return rest.where(trades["is_short"], 0.0)


def _entry_bars(trades: pd.DataFrame, *, bars: pd.DataFrame) -> np.ndarray:
    """Place of each trade's entry bar in its own series: the first bar that closes after the entry."""
    places = np.zeros(len(trades), np.int64)
    series = dict(tuple(bars.groupby(["pair", "timeframe"])["date"]))
    for key, group in trades.groupby(["pair", "timeframe"]):
        dates = series.get(key, pd.Series([], dtype="datetime64[ms, UTC]"))
        found = dates.searchsorted(group["open_date"], side="right")
        if (found == len(dates)).any():
            late = group["signal_id"].iloc[int((found == len(dates)).argmax())]
            raise DataError(f"ledger: {late} was entered after the last bar given; give the bars of its run")
        places[group.index] = found
    return places
