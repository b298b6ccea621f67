"""The same candidates traded by backtesting.py, all of them, overlapping or not."""

from __future__ import annotations

import warnings
from collections import defaultdict

import numpy as np
import pandas as pd

from peers import cases


def backtested() -> pd.DataFrame:
    """One row a candidate, in the order of `outcome_cases`: is_open, bars_held, exit_rate, profit_ratio.

    One run a pair and timeframe, hedging, one unit a trade. The bars of all candidates up to their time limits are put
    in a row. Two extra rows let the peer do what it has no order for: before an entry bar its open alone, where the
    order fills and from where on both barriers stand, so that they lie on their sides of the entry whatever the
    decision bar's close was; after the last bar of a time limit its close alone, at which a market order fills.
    """
    found = cases.outcome_cases()
    prices = found.bars[["open", "high", "low", "close"]].to_numpy()
    limits = {plan.name: plan.time_limit_bars for plan in cases.PLANS}
    rows = found.rows.assign(limit=found.rows["plan"].map(limits))
    parts = [_run(part, prices) for _, part in rows.groupby(["pair", "timeframe"], sort=False)]
    answer = pd.concat(parts).reindex(rows.index)
    return answer.assign(is_open=answer["exit_rate"].isna())


def _run(part: pd.DataFrame, prices: np.ndarray) -> pd.DataFrame:
    """Trade the candidates of one series; those that close."""
    from backtesting import Backtest, Strategy

    bars = sorted({bar for row in part.itertuples() for bar in range(row.decision, row.last + 1)})
    entry_bars = set(part["decision"] + 1)
    final = part["decision"] + part["limit"]
    final_bars = set(final[final == part["last"]])
    made, bar_of, last_row = [prices[bars[0]]], [bars[0]], {}  # the peer does not act on its first row
    for bar in bars:
        if bar in entry_bars:
            made.append(np.full(4, prices[bar, 0]))
            bar_of.append(bar)
        made.append(prices[bar])
        last_row[bar] = len(made) - 1
        bar_of.append(bar)
        if bar in final_bars:
            made.append(np.full(4, prices[bar, 3]))
            bar_of.append(bar)
    to_enter, to_leave = defaultdict(list), defaultdict(set)
    for row in part.itertuples():
        order_row = last_row[row.decision] + (row.decision in final_bars)
        to_enter[order_row].append(row)
        if row.decision + row.limit == row.last:
            to_leave[last_row[row.last]].add(row.Index)
    by_tag = {row.Index: row for row in part.itertuples()}

    class Replay(Strategy):
        def init(self):
            self.new = False

        def next(self):
            at = len(self.data) - 1
            if self.new:
                for trade in self.trades:
                    if trade.entry_bar == at:
                        row = by_tag[trade.tag]
                        trade.tp, trade.sl = row.take_profit_abs, row.stop_loss_abs
                self.new = False
            for row in to_enter.get(at, ()):
                (self.sell if row.is_short else self.buy)(size=1, tag=row.Index)
                self.new = True
            leaving = to_leave.get(at)
            if leaving:
                for trade in self.trades:
                    if trade.tag in leaving:
                        trade.close()

    index = pd.date_range("2000-01-01", periods=len(made), freq="min")
    frame = pd.DataFrame(np.array(made), columns=["Open", "High", "Low", "Close"], index=index)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "DatetimeIndex.dayofweek")  # the peer, under a newer pandas
        warnings.filterwarnings("ignore", "Some trades remain open")
        test = Backtest(frame, Replay, cash=1e9, commission=cases.SIDE_COST, hedging=True)
        trades = test.run()._trades.set_index("Tag")
    at = np.array(bar_of)
    return pd.DataFrame(
        {
            "bars_held": at[trades["ExitBar"]] - part.loc[trades.index, "decision"],
            "exit_rate": trades["ExitPrice"],
            "profit_ratio": trades["ReturnPct"],
            "entered": at[trades["EntryBar"]] - part.loc[trades.index, "decision"],
            "entry_rate": trades["EntryPrice"],
        }
    )
