"""The cases that are put to the peers: real bars with candidates, real daily returns, and trials over them.

All of it is computed from the crypto sample, whose package is pinned, so a recorded answer stays the answer to the
same question.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from edgebook.outcomes.candidates import label_candidates
from edgebook.settings.exit_plans import Costs, ExitPlan
from edgebook.sources.sources import load_bars

AS_OF = "2019-09-30"
PLANS = (ExitPlan(2.0, 1.5, 24), ExitPlan(1.0, 1.0, 12), ExitPlan(3.0, 1.0, 48))
# No financing of shorts: neither peer has any. tests/test_candidates.py works it out by hand.
COSTS = Costs(fee_bps=7.5, slippage_bps=2.5, short_financing_bps_per_day=0)
SIDE_COST = 0.001
KEY = ["plan", "pair", "timeframe", "date", "is_short"]
# Every so many candidates, and of those that hold both barriers in one bar every so many.
STRIDE, STRIDE_AMBIGUOUS = 701, 29
OPEN_AT_THE_END = 2
YEAR = 365
HALF_YEAR = 182
LOOKBACKS = (2, 3, 5, 8, 13, 21, 34, 55)


@dataclass(frozen=True)
class OutcomeCases:
    """Candidates as Edgebook labels them, and the bars that they stand in.

    Parameters
    ----------
    rows : DataFrame
        The columns of `label_candidates` and plan, decision (row in `bars` of the decision bar), last (row of the last
        bar that the time limit or the data allow), gap_stop, gap_target (the exit bar opens beyond the barrier).
    bars : DataFrame
        Both timeframes of all pairs, sorted by pair, timeframe, date.
    """

    rows: pd.DataFrame
    bars: pd.DataFrame


@cache
def outcome_cases() -> OutcomeCases:
    """Every 701st candidate of three plans, every one with a gap at its exit, some with both barriers in one bar."""
    bars = load_bars(source="crypto", timeframes=["1h", "4h"], as_of=AS_OF)
    place = pd.Series(np.arange(len(bars)), index=pd.MultiIndex.from_frame(bars[["pair", "timeframe", "date"]]))
    ends = bars.groupby(["pair", "timeframe"]).size().cumsum()
    opens = bars["open"].to_numpy()
    chosen = []
    for plan in PLANS:
        table = label_candidates(bars, [plan], costs=COSTS)[plan.name]
        at = place.loc[pd.MultiIndex.from_frame(table[["pair", "timeframe", "date"]])].to_numpy()
        end = ends.loc[pd.MultiIndex.from_frame(table[["pair", "timeframe"]])].to_numpy()
        rows = table.assign(
            plan=plan.name, decision=at, last=np.minimum(at + plan.time_limit_bars, end - 1),
        )  # fmt: skip
        side = np.where(rows["is_short"], -1, 1)
        exit_open = opens[at + rows["bars_held"].to_numpy()]
        stopped, hit = rows["exit_reason"] == "stop_loss", rows["exit_reason"] == "take_profit"
        rows["gap_stop"] = stopped & (side * (exit_open - rows["stop_loss_abs"]) < 0)
        rows["gap_target"] = hit & (side * (exit_open - rows["take_profit_abs"]) > 0)
        taken = rows["gap_stop"] | rows["gap_target"]
        taken |= np.arange(len(rows)) % STRIDE == 0
        taken |= rows["ambiguous"] & (rows["ambiguous"].cumsum() % STRIDE_AMBIGUOUS == 0)
        taken |= rows["decision"] >= end - 1 - OPEN_AT_THE_END
        chosen.append(rows[taken])
    return OutcomeCases(pd.concat(chosen, ignore_index=True), bars)


@cache
def daily_cases() -> pd.DataFrame:
    """Daily returns of the five pairs and of a fifth of each, over all days and half years; a column a case."""
    bars = load_bars(source="crypto", timeframes=["1d"], as_of=AS_OF)
    close = bars.pivot(index="date", columns="pair", values="close")
    returns = close.pct_change().iloc[1:]
    returns.columns = [name.split("/")[0] for name in returns.columns]
    returns["even"] = returns.mean(axis=1)
    parts = {"all": returns, "first": returns.iloc[:HALF_YEAR], "last": returns.iloc[-HALF_YEAR:]}
    return pd.concat({f"{name} {part}": frame[name] for part, frame in parts.items() for name in returns}, axis=1)


@cache
def trials() -> pd.DataFrame:
    """Daily returns of forty trend followers: five pairs, eight lengths, long above their past close, else short."""
    bars = load_bars(source="crypto", timeframes=["1d"], as_of=AS_OF)
    close = bars.pivot(index="date", columns="pair", values="close")
    side = {
        f"{pair.split('/')[0]} {n}": np.sign(close[pair] - close[pair].shift(n)).shift(1) * close[pair].pct_change()
        for pair in close
        for n in LOOKBACKS
    }
    return pd.DataFrame(side).iloc[max(LOOKBACKS) + 1 :]


def trade_cases() -> dict[str, pd.Series]:
    """Net returns of the closed candidates of each plan, in the order in which they closed."""
    rows = outcome_cases().rows
    closed = rows[rows["exit_reason"] != "open"].sort_values(["close_date", "pair", "timeframe", "date", "is_short"])
    return {plan: part["profit_ratio"].reset_index(drop=True) for plan, part in closed.groupby("plan")}
