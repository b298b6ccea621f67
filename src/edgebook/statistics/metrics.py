"""The metrics of a set of signals and of a book, each with its n and its 95 % interval.

`docs/metrics.md` gives every formula, and says where freqtrade or quantstats mean something else by the same name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.errors import DataError
from edgebook.statistics import drawdowns, intervals, ratios
from edgebook.statistics.intervals import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRADE_METRICS = {
    "total_signals": "signals",
    "signals_per_day": "signals a day",
    "win_rate": "share of closed signals",
    "false_signal_rate": "share of closed signals",
    "break_even_win_rate": "share of closed signals",
    "plan_break_even_win_rate": "share of closed signals",
    "avg_profit_per_trade": "net return a trade",
    "profit_factor": "ratio",
    "expectancy": "R a trade",
    "sqn": "ratio",
    "consecutive_wins": "trades",
    "consecutive_losses": "trades",
}
BOOK_METRICS = {
    "sharpe_ratio": "ratio, annualised",
    "sortino_ratio": "ratio, annualised",
    "calmar_ratio": "ratio, annualised",
    "max_drawdown": "share of peak equity",
}
COLUMNS = ["metric", "value", "low", "high", "n", "unit"]
DECIMALS = 6


def closed_trades(trades: pd.DataFrame) -> pd.DataFrame:
    """Keep closed trades, in the order in which they closed (`close_date`, then `signal_id`).

    Parameters
    ----------
    trades : DataFrame
        Ledger rows as known at one time. A row is open while its `close_date` is missing.

    Returns
    -------
    DataFrame
        A new frame with the same columns, index from 0.
    """
    closed = trades[trades["close_date"].notna()]
    return closed.sort_values(["close_date", "signal_id"], kind="stable", ignore_index=True)


def trade_metrics(trades: pd.DataFrame, *, days: float) -> pd.DataFrame:
    """Metrics of a set of signals, as known at one time.

    Parameters
    ----------
    trades : DataFrame
        Ledger rows, closed and open: signal_id, pair, open_date, close_date, open_rate, fee_open, fee_close,
        take_profit_abs, stop_loss_abs, profit_ratio, r_multiple. Only the two counts use open ones.
    days : float
        Length of the window, days without a signal included.

    Returns
    -------
    DataFrame
        Rows in the order of `TRADE_METRICS`: metric, value, low, high, n, unit. Undefined is NaN.

    Raises
    ------
    DataError
        `days` is not above 0.
    """
    if not days > 0:
        raise DataError(f"trade_metrics: days is {days}, must be above 0; give the length of the window")
    closed = closed_trades(trades)
    profit = closed["profit_ratio"].to_numpy(dtype=np.float64)
    risk = closed["r_multiple"].to_numpy(dtype=np.float64)
    clusters = intervals.clusters_of(closed["open_date"])
    per_root_n, influence = ratios.ratio_influence(risk)
    root = np.sqrt(len(closed))
    return _frame(
        {
            "total_signals": _point(float(len(trades)), n=len(trades)),
            "signals_per_day": _signals_per_day(trades["open_date"], days=days),
            "win_rate": intervals.rate_interval(profit > 0, clusters=clusters),
            "false_signal_rate": intervals.rate_interval(profit < 0, clusters=clusters),
            "break_even_win_rate": break_even_win_rate(profit, clusters=clusters),
            "plan_break_even_win_rate": plan_break_even_win_rate(closed, clusters=clusters),
            "avg_profit_per_trade": intervals.mean_interval(profit, clusters=clusters),
            "profit_factor": profit_factor(profit, clusters=clusters),
            "expectancy": intervals.mean_interval(risk, clusters=clusters),
            "sqn": intervals.smooth_interval(per_root_n * root, influence=influence * root, clusters=clusters),
            "consecutive_wins": _point(longest_run(profit > 0), n=len(closed)),
            "consecutive_losses": _point(longest_run(profit < 0), n=len(closed)),
        },
        units=TRADE_METRICS,
    )


def book_metrics(daily: pd.DataFrame, *, periods_per_year: float, seed: int = 0) -> pd.DataFrame:
    """Metrics of one book, marked to market daily.

    Parameters
    ----------
    daily : DataFrame
        One row a day of one arm: date, equity (at the day's end), return_ratio (net, of the day). Ordered by date, no
        day left out.
    periods_per_year : float
        Trading days a year of the market: 365 for crypto, 252 for equities. Never guessed here.
    seed : int
        Of the block bootstrap behind the intervals of `max_drawdown` and `calmar_ratio`.

    Returns
    -------
    DataFrame
        Rows in the order of `BOOK_METRICS`: metric, value, low, high, n (days), unit. Undefined is NaN.

    Raises
    ------
    DataError
        `daily` holds several arms.
    """
    if "arm" in daily and daily["arm"].nunique() > 1:
        arms = ", ".join(sorted(daily["arm"].unique()))
        raise DataError(f"book_metrics: daily holds the arms {arms}; pass the days of one")
    returns = daily["return_ratio"].to_numpy(dtype=np.float64)
    growth = np.cumprod(1 + returns)
    deepest = float(drawdowns.drawdown(growth).max(initial=0.0))
    redrawn_drawdown, redrawn_calmar = drawdowns.redrawn(returns, periods_per_year=periods_per_year, seed=seed)
    return _frame(
        {
            "sharpe_ratio": ratios.daily_ratio_interval(returns, periods_per_year=periods_per_year),
            "sortino_ratio": ratios.daily_ratio_interval(returns, periods_per_year=periods_per_year, target=0.0),
            "calmar_ratio": _ranged(
                drawdowns.calmar_ratio(growth, periods_per_year=periods_per_year), redrawn_calmar, n=returns.size
            ),
            "max_drawdown": _ranged(deepest if returns.size else np.nan, redrawn_drawdown, n=returns.size),
        },
        units=BOOK_METRICS,
    )


def break_even_win_rate(profit: NDArray[np.float64], *, clusters: NDArray[np.int64]) -> Interval:
    """Win rate at which these wins and losses would cancel: ``L / (W + L)``, average loss L and average win W.

    Parameters
    ----------
    profit : ndarray, shape (n,)
        Net return of each closed trade.
    clusters : ndarray of int, shape (n,)
        As `intervals.clusters_of` gives them.

    Returns
    -------
    Interval
        NaN without at least one win and one loss. Built on the log of L / W.
    """
    gain, loss = np.maximum(profit, 0.0), np.maximum(-profit, 0.0)
    won, lost = profit > 0, profit < 0
    if not (won.any() and lost.any()):
        return _point(np.nan, n=profit.size)
    odds = float(loss.sum() / lost.sum() / (gain.sum() / won.sum()))
    per_win = gain / gain.sum() - won / won.sum()
    per_loss = loss / loss.sum() - lost / lost.sum()
    on_odds = intervals.smooth_interval(odds, influence=profit.size * (per_loss - per_win), clusters=clusters, log=True)
    return Interval(
        value=odds / (1 + odds),
        low=on_odds.low / (1 + on_odds.low),
        high=on_odds.high / (1 + on_odds.high),
        n=profit.size,
        n_effective=on_odds.n_effective,
    )


def plan_break_even_win_rate(trades: pd.DataFrame, *, clusters: NDArray[np.int64]) -> Interval:
    """Win rate at which the plans, as set at entry, would break even: ``risk / (reward + risk)``, both net of fees.

    Parameters
    ----------
    trades : DataFrame
        Closed trades: open_rate, take_profit_abs, stop_loss_abs, fee_open, fee_close (ratios of traded value).
    clusters : ndarray of int, shape (n,)
        As `intervals.clusters_of` gives them.

    Returns
    -------
    Interval
        From the average reward to the target and the average risk to the stop. Time exits, gaps through a stop and
        funding are not in a plan: the gap to `break_even_win_rate` is what they cost.
    """
    fee = trades["fee_open"] + trades["fee_close"]
    reward = ((trades["take_profit_abs"] / trades["open_rate"] - 1).abs() - fee).to_numpy(dtype=np.float64)
    risk = ((trades["stop_loss_abs"] / trades["open_rate"] - 1).abs() + fee).to_numpy(dtype=np.float64)
    if reward.size == 0 or not reward.mean() > 0:
        return _point(np.nan, n=reward.size)
    share = float(risk.mean() / (reward.mean() + risk.mean()))
    influence = ((1 - share) * risk - share * reward) / (reward.mean() + risk.mean())
    return intervals.smooth_interval(share, influence=influence, clusters=clusters)


def profit_factor(profit: NDArray[np.float64], *, clusters: NDArray[np.int64]) -> Interval:
    """Sum of net gains over sum of net losses, as a positive ratio.

    Parameters
    ----------
    profit : ndarray, shape (n,)
        Net return of each closed trade.
    clusters : ndarray of int, shape (n,)
        As `intervals.clusters_of` gives them.

    Returns
    -------
    Interval
        NaN without at least one win and one loss. Built on the log scale.
    """
    gain, loss = np.maximum(profit, 0.0), np.maximum(-profit, 0.0)
    if not (gain.any() and loss.any()):
        return _point(np.nan, n=profit.size)
    influence = gain / gain.mean() - loss / loss.mean()
    return intervals.smooth_interval(float(gain.sum() / loss.sum()), influence=influence, clusters=clusters, log=True)


def longest_run(hits: NDArray[np.bool_]) -> float:
    """Length of the longest unbroken run of hits; NaN when there is nothing to run over.

    Examples
    --------
    >>> longest_run(np.array([True, True, False, True]))
    2.0
    """
    if hits.size == 0:
        return np.nan
    edges = np.flatnonzero(np.diff(np.concatenate([[0], hits.astype(np.int8), [0]])))
    return float((edges[1::2] - edges[::2]).max(initial=0))


def _signals_per_day(opened: pd.Series, *, days: float) -> Interval:
    """Signals a day; the interval from how weekly counts vary, empty weeks included."""
    value, n = len(opened) / days, len(opened)
    weeks = int(np.ceil(days / 7))
    if n == 0 or weeks < 3:
        return _point(value, n=n)
    counts = np.zeros(weeks)
    busy = np.unique(intervals.weeks_since_epoch(opened), return_counts=True)[1][:weeks]
    counts[: busy.size] = busy
    half = intervals.student(weeks - 1) * counts.std(ddof=1) / np.sqrt(weeks) * weeks / days
    return Interval(value=value, low=max(0.0, value - half), high=value + half, n=n, n_effective=float(weeks))


def _ranged(value: float, redrawn: NDArray[np.float64], *, n: int) -> Interval:
    """Return `value` with the central 95 % of what redrawing gave."""
    if redrawn.size == 0 or np.isnan(value):
        return _point(value, n=n)
    low, high = np.quantile(redrawn, [0.025, 0.975])
    return Interval(value=value, low=float(low), high=float(high), n=n, n_effective=float(n))


def _point(value: float, *, n: int) -> Interval:
    """Return a value without an interval."""
    return Interval(value=value, low=np.nan, high=np.nan, n=n, n_effective=float(n))


def _frame(found: dict[str, Interval], *, units: dict[str, str]) -> pd.DataFrame:
    """One row a metric, rounded, so that the last bit of a sum never shows."""
    rows = [(name, e.value, e.low, e.high, e.n, units[name]) for name, e in found.items()]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.assign(**{name: frame[name].astype(float).round(DECIMALS) for name in ("value", "low", "high")})
