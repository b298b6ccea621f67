"""Candidates and what would have become of them: every closed bar, both sides, every exit plan.

A candidate is decided at the close of a bar and entered at the open of the next bar of the same pair and timeframe.
Target and stop stand at multiples of the ATR known at the decision; whichever is touched first ends the trade, or the
close of the last bar that the time limit allows. Nothing is filtered: rejected candidates are labelled as well, so
that a threshold can be judged without having been tried.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.bars.bars import TIMEFRAMES
from edgebook.errors import DataError, SettingsError
from edgebook.outcomes.barriers import REASONS, Grid, Rates, Resolved, Series, resolve, room_for
from edgebook.outcomes.silent_series import close_silent
from edgebook.settings.exit_plans import Costs, ExitPlan, exit_plan_grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Costs", "ExitPlan", "exit_plan_grid", "label_candidates"]

THREADS = 2
# A barrier nearer to the entry than this share of the price is no barrier: the market stood still.
SMALLEST_STOP = 1e-6


def label_candidates(
    bars: pd.DataFrame, plans: Sequence[ExitPlan], *, costs: Costs, atr_bars: int = 14
) -> dict[str, pd.DataFrame]:
    """Outcome of every candidate under each exit plan, as far as the bars tell it.

    Parameters
    ----------
    bars : DataFrame
        The bars table: pair, timeframe, date (UTC bar close), open, high, low, close; sorted by the first three.
    plans : sequence of ExitPlan
        Distinct plans; all are settled in the same pass.
    costs : Costs
        Taken off every profit.
    atr_bars : int
        Period of Wilder's ATR, known at the decision bar.

    Returns
    -------
    dict of str to DataFrame
        For each plan's name a table with one row a candidate, sorted by pair, timeframe, date, is_short:

        - pair, timeframe, date: the decision bar; date is its close, when the candidate is known.
        - is_short: False, then True.
        - open_date, open_rate: open of the entry bar. Its time is the entry bar's close less one timeframe, which is
          `date` itself unless bars are missing between the two.
        - take_profit_abs, stop_loss_abs: barriers as prices, to nine significant digits of the entry price.
        - close_date, close_rate: close time of the exit bar (the moment within a bar is not known), and the fill.
          Missing in an open row.
        - exit_reason: take_profit, stop_loss or time_exit; "open" where the bars end before the trade does.
        - bars_held: bars from entry to exit, both counted; of an open row, so far.
        - profit_ratio: net profit as a share of the notional at entry. Missing in an open row, as is `r_multiple`.
        - r_multiple: net profit over the risk taken at entry, the distance to the stop.
        - mae, mfe: worst and best excursion in R, before costs, ``mae <= 0 <= mfe``; of an open row, so far.
        - ambiguous: target and stop both lay inside the exit bar, and the order of the two is not known.

    Raises
    ------
    DataError
        The bars are not sorted by pair, timeframe and date, or a time repeats.
    SettingsError
        No plan, a plan twice, or `atr_bars` below 2.

    Notes
    -----
    A row needs an ATR, so none of the first `atr_bars` bars of a series has one; and it needs an entry, so the last
    bar of a series is a candidate only once the next one is known. A bar whose ATR is a millionth of the price or
    less (a market that stood still) has no risk to measure by and is left out too.

    Rules, with s = +1 for long, -1 for short:

    - A barrier is touched when the bar's range reaches it, equality included, from the entry bar on.
    - Stop before target where one bar touches both.
    - A stop fills at its price, or at the open of a bar that opens beyond it; a target fills at its price, also when
      the bar opens beyond it (the better price is not counted on).
    - A time exit fills at the close of bar number `time_limit_bars`, the entry bar being number 1.
    - A series that ends while others go on is closed ten days later at its last close
      (`edgebook.outcomes.silent_series`).
    - ``profit_ratio = s * (close_rate / open_rate - 1) - c * (1 + close_rate / open_rate) - f * days`` with c the fee
      and slippage of one side and, for shorts, f the financing a day and days from `open_date` to `close_date`.
    - ``r_multiple = profit_ratio * open_rate / abs(open_rate - stop_loss_abs)``.
    - Excursions take the full range of the bars before the exit bar and, of the exit bar, what is known to have come
      before the exit: its open and the fill. A stopped trade's `mae` is therefore its fill, and the exit bar's other
      end is never credited. A time exit takes the whole exit bar.

    Ratios are rounded to six decimals, so that every processor saves the same bytes. Agrees with backtesting.py where
    the rules are the same (``tests/test_candidates.py``; differences in ``docs/engines.md``).

    References
    ----------
    Wilder (1978), *New Concepts in Technical Trading Systems*, for the ATR. Lopez de Prado (2018), *Advances in
    Financial Machine Learning*, chapter 3, for the three barriers.
    """
    names = [plan.name for plan in plans]
    if not plans or len(set(names)) < len(names):
        raise SettingsError(f"exit plans: {', '.join(names) or 'none given'}; give at least one, and each once")
    if atr_bars < 2:
        raise SettingsError(f"candidates: atr_bars is {atr_bars}; an ATR needs 2 bars or more")
    grid = _grid(plans)
    series, firsts = _series(bars, atr_bars=atr_bars)
    decisions = [_decisions(one, smallest_stop_atr=grid.stop_loss_atr[0]) for one in series]
    rows = np.concatenate([[0], np.cumsum([2 * each.size for each in decisions])]).astype(np.int64)
    out = room_for(
        rows=int(rows[-1]), targets=grid.take_profit_atr.size, stops=grid.stop_loss_atr.size, plans=len(plans)
    )
    rates = Rates((costs.fee_bps + costs.slippage_bps) / 1e4, costs.short_financing_bps_per_day / 1e4)
    with ThreadPoolExecutor(THREADS) as threads:
        jobs = [
            threads.submit(resolve, one, decided, grid, rates, int(first), out)
            for one, decided, first in zip(series, decisions, rows[:-1], strict=True)
        ]
        for job in jobs:
            job.result()
    close_silent(series, decisions, rows=rows, grid=grid, rates=rates, out=out)
    entries = _entries(bars, series, decisions=decisions, firsts=firsts)
    return {name: _table(entries, out, grid=grid, plan=place) for place, name in enumerate(names)}


def _grid(plans: Sequence[ExitPlan]) -> Grid:
    """Plans as arrays, multiples sorted and distinct."""
    targets, plan_target = np.unique([plan.take_profit_atr for plan in plans], return_inverse=True)
    stops, plan_stop = np.unique([plan.stop_loss_atr for plan in plans], return_inverse=True)
    limits = np.array([plan.time_limit_bars for plan in plans], np.int64)
    return Grid(targets, stops, plan_target.astype(np.int64), plan_stop.astype(np.int64), limits)


def _series(bars: pd.DataFrame, *, atr_bars: int) -> tuple[list[Series], list[int]]:
    """Arrays of each pair and timeframe in turn, and the row of `bars` at which each begins."""
    import talib

    close_ms = bars["date"].dt.as_unit("ms").astype("int64").to_numpy()
    prices = {name: bars[name].to_numpy(np.float64) for name in ("open", "high", "low", "close")}
    series, firsts = [], []
    for timeframe, first, last in _stretches(bars, close_ms):
        part = slice(first, last)
        one = {name: np.ascontiguousarray(values[part]) for name, values in prices.items()}
        atr = np.full(last - first, np.nan)
        if last - first > atr_bars:
            atr = talib.ATR(one["high"], one["low"], one["close"], timeperiod=atr_bars)
        closes = close_ms[part].copy()
        width_ms = TIMEFRAMES[timeframe] * 60_000
        # A gap leaves the entry bar's open later than the decision; a changed clock never makes it earlier.
        opens = np.maximum(closes - width_ms, np.concatenate([closes[:1] - width_ms, closes[:-1]]))
        series.append(Series(**one, open_ms=opens, close_ms=closes, atr=atr))
        firsts.append(first)
    return series, firsts


def _stretches(bars: pd.DataFrame, close_ms: np.ndarray[Any, np.dtype[np.int64]]) -> Iterator[tuple[str, int, int]]:
    """Timeframe, first row and end of each pair and timeframe; refuses bars out of order."""
    pair, timeframe = bars["pair"].to_numpy(object), bars["timeframe"].to_numpy(object)
    new = (pair[1:] != pair[:-1]) | (timeframe[1:] != timeframe[:-1])
    late = np.flatnonzero(~new & (close_ms[1:] <= close_ms[:-1]))
    if late.size:
        raise DataError(f"bars: row {late[0] + 1} does not come after the row before it; sort by date, each once")
    edges = [0, *(np.flatnonzero(new) + 1).tolist(), len(bars)] if len(bars) else [0]
    keys = [(pair[first], timeframe[first]) for first in edges[:-1]]
    if keys != sorted(set(keys)):
        raise DataError("bars: pairs and timeframes are out of order; sort by pair, timeframe and date")
    for first, last in pairwise(edges):
        yield timeframe[first], first, last


def _decisions(one: Series, *, smallest_stop_atr: float) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Bars that make a candidate: an ATR that leaves room for a stop, and a next bar to enter at."""
    risk = one.atr[:-1] * smallest_stop_atr
    return np.flatnonzero(risk > SMALLEST_STOP * one.open[1:]).astype(np.int64)


def _entries(
    bars: pd.DataFrame,
    series: list[Series],
    *,
    decisions: list[np.ndarray[Any, np.dtype[np.int64]]],
    firsts: list[int],
) -> pd.DataFrame:
    """Columns that all plans share: who, when decided, when and where entered."""
    if not series:
        decided = entry_ms = np.empty(0, np.int64)
        entry_rate = np.empty(0)
    else:
        decided = np.concatenate([first + each for first, each in zip(firsts, decisions, strict=True)])
        entry_ms = np.concatenate([one.open_ms[each + 1] for one, each in zip(series, decisions, strict=True)])
        entry_rate = np.concatenate([one.open[each + 1] for one, each in zip(series, decisions, strict=True)])
    entries = bars[["pair", "timeframe", "date"]].take(np.repeat(decided, 2)).reset_index(drop=True)
    return entries.assign(
        date=entries["date"].dt.as_unit("ms"),
        is_short=np.tile(np.array([False, True]), decided.size),
        open_date=_utc(np.repeat(entry_ms, 2)),
        open_rate=np.repeat(entry_rate, 2),
    )


def _table(entries: pd.DataFrame, out: Resolved, *, grid: Grid, plan: int) -> pd.DataFrame:
    """One plan's columns beside the shared ones."""
    return entries.assign(
        take_profit_abs=out.targets[grid.plan_target[plan]],
        stop_loss_abs=out.stops[grid.plan_stop[plan]],
        close_date=_utc(out.close_ms[plan]),
        close_rate=out.close_rate[plan],
        exit_reason=pd.array(REASONS, dtype="str").take(out.reason[plan]),
        bars_held=out.bars_held[plan],
        profit_ratio=out.profit_ratio[plan],
        r_multiple=out.r_multiple[plan],
        mae=out.mae[plan],
        mfe=out.mfe[plan],
        ambiguous=out.ambiguous[plan],
    )


def _utc(milliseconds: np.ndarray[Any, np.dtype[np.int64]]) -> pd.DatetimeIndex:
    """Turn milliseconds since 1970 into times; the kernel's mark for none is NumPy's."""
    return pd.DatetimeIndex(milliseconds.view("datetime64[ms]")).tz_localize("UTC")
