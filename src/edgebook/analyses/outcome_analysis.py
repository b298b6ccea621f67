"""What became of the signals: the numbers behind the outcome report, one function a table.

Every function takes the ledger as known at one time (`edgebook.statistics.metrics` has its columns) and returns a frame
of plain numbers, each rate with its n and its 95 % interval. `edgebook.reports.outcome_tables` and
`edgebook.figures.figures_outcomes` show them, `edgebook.reports.outcome_readings` puts them into words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.errors import DataError
from edgebook.statistics import intervals
from edgebook.statistics.drawdowns import drawdown
from edgebook.statistics.metrics import DECIMALS, book_metrics, closed_trades, trade_metrics

if TYPE_CHECKING:
    from edgebook.statistics.intervals import Interval

EXIT_REASONS = ("take_profit", "stop_loss", "time_exit")
SETS = ("all signals", "certified", "paper")


def book_days(days: pd.DataFrame, *, arm: str) -> pd.DataFrame:
    """Daily rows of one arm's book, in order of time.

    Parameters
    ----------
    days : DataFrame
        Of all arms: date, arm, equity (at the day's end), return_ratio.
    arm : str
        Name of a recipe.

    Returns
    -------
    DataFrame
        The same columns, index from 0, and `drawdown`: share of the highest equity so far that is lost.

    Raises
    ------
    DataError
        No day of that arm.
    """
    own = days[days["arm"] == arm].sort_values("date", ignore_index=True)
    if own.empty:
        known = ", ".join(sorted(days["arm"].unique())) or "none"
        raise DataError(f"days: no day of arm {arm}; arms there: {known}")
    lost = drawdown(np.cumprod(1 + own["return_ratio"].to_numpy(dtype=np.float64)))
    return own.assign(drawdown=np.round(lost, DECIMALS))


def all_metrics(trades: pd.DataFrame, daily: pd.DataFrame, *, periods_per_year: float) -> pd.DataFrame:
    """Every metric of the signals and of the book that traded them.

    Parameters
    ----------
    trades : DataFrame
        Ledger rows.
    daily : DataFrame
        As `book_days` gives it; its days are the window.
    periods_per_year : float
        Trading days a year of the market.

    Returns
    -------
    DataFrame
        Rows of `metrics.trade_metrics`, then of `metrics.book_metrics`.
    """
    parts = [
        trade_metrics(trades, days=len(daily)).assign(per="signal"),
        book_metrics(daily, periods_per_year=periods_per_year).assign(per="day"),
    ]
    return pd.concat(parts, ignore_index=True)


def certified_and_paper(trades: pd.DataFrame) -> pd.DataFrame:
    """Compare signals above a certified threshold with those of paper mode.

    Parameters
    ----------
    trades : DataFrame
        Ledger rows with `certified`.

    Returns
    -------
    DataFrame
        One row each for all, certified and paper signals: signals, n (closed), win_rate, break_even_win_rate,
        avg_profit, expectancy and profit_factor with their ends (`win_rate_low`, `win_rate_high`, …).
    """
    certified = trades["certified"].astype(bool)
    rows = []
    for name, part in zip(SETS, (trades, trades[certified], trades[~certified]), strict=True):
        found = trade_metrics(part, days=1).set_index("metric")
        row: dict[str, object] = {"set": name, "signals": len(part), "n": int(found["n"]["win_rate"])}
        for metric in ("win_rate", "break_even_win_rate", "avg_profit_per_trade", "expectancy", "profit_factor"):
            for end, suffix in (("value", ""), ("low", "_low"), ("high", "_high")):
                row[metric + suffix] = found[end][metric]
        rows.append(row)
    return pd.DataFrame(rows)


def exit_reasons(trades: pd.DataFrame) -> pd.DataFrame:
    """How signals closed, and what each way of closing made.

    Parameters
    ----------
    trades : DataFrame
        Ledger rows; open ones are left out.

    Returns
    -------
    DataFrame
        One row a reason: exit_reason, n, share, mean_r (with `_low`, `_high`), win_rate, avg_profit, total_r,
        bars_held (median).
    """
    closed = closed_trades(trades)
    clusters = intervals.clusters_of(closed["open_date"])
    rows = []
    for reason in EXIT_REASONS:
        mine = (closed["exit_reason"] == reason).to_numpy(dtype=bool)
        part, r = closed[mine], closed["r_multiple"].to_numpy(dtype=np.float64)[mine]
        rows.append(
            {
                "exit_reason": reason,
                "n": len(part),
                **_spread("share", intervals.rate_interval(mine, clusters=clusters)),
                **_spread("mean_r", intervals.mean_interval(r, clusters=clusters[mine])),
                "win_rate": float((part["profit_ratio"] > 0).mean()),
                "avg_profit": float(part["profit_ratio"].mean()),
                "total_r": float(part["r_multiple"].sum()),
                "bars_held": float(part["bars_held"].median()) if len(part) else np.nan,
            }
        )
    return _rounded(pd.DataFrame(rows))


def r_distribution(trades: pd.DataFrame, *, width: float = 0.25) -> pd.DataFrame:
    """Count closed signals by the R that they made.

    Parameters
    ----------
    trades : DataFrame
        Ledger rows; open ones are left out.
    width : float
        Of a bin, in R. Zero is an edge, so that no bin mixes wins and losses.

    Returns
    -------
    DataFrame
        One row a bin, lowest first, empty ones between included: r_from, r_to, n, share (with `_low`, `_high`).
    """
    closed = closed_trades(trades)
    r = closed["r_multiple"].to_numpy(dtype=np.float64)
    if r.size == 0:
        return pd.DataFrame(columns=["r_from", "r_to", "n", "share", "share_low", "share_high"])
    clusters = intervals.clusters_of(closed["open_date"])
    bins = np.floor(np.round(r / width, DECIMALS)).astype(np.int64)
    rows = [
        {
            "r_from": bin_ * width,
            "r_to": (bin_ + 1) * width,
            "n": int((bins == bin_).sum()),
            **_spread("share", intervals.rate_interval(bins == bin_, clusters=clusters)),
        }
        for bin_ in range(int(bins.min()), int(bins.max()) + 1)
    ]
    return _rounded(pd.DataFrame(rows))


def excursions(trades: pd.DataFrame) -> pd.DataFrame:
    """How far wins and losses went against and for the signal before they closed.

    Parameters
    ----------
    trades : DataFrame
        Ledger rows with `mae` and `mfe` in R, before costs.

    Returns
    -------
    DataFrame
        Rows "wins" and "losses": n, median_mae, median_mfe, bars_held (median), and the share (with `_low`, `_high`)
        that was at some time 1 R ahead.
    """
    closed = closed_trades(trades)
    clusters = intervals.clusters_of(closed["open_date"])
    rows = []
    for name, mine in (("wins", closed["profit_ratio"] > 0), ("losses", closed["profit_ratio"] < 0)):
        part = closed[mine]
        ahead = (part["mfe"] >= 1).to_numpy(dtype=bool)
        rows.append(
            {
                "outcome": name,
                "n": len(part),
                "median_mae": float(part["mae"].median()) if len(part) else np.nan,
                "median_mfe": float(part["mfe"].median()) if len(part) else np.nan,
                "bars_held": float(part["bars_held"].median()) if len(part) else np.nan,
                **_spread("one_r_ahead", intervals.rate_interval(ahead, clusters=clusters[mine.to_numpy(dtype=bool)])),
            }
        )
    return _rounded(pd.DataFrame(rows))


def confidence_bins(trades: pd.DataFrame, *, bins: int = 5) -> pd.DataFrame:
    """Compare the confidence that was stated with how often it came true.

    Parameters
    ----------
    trades : DataFrame
        Ledger rows with `confidence`; open ones are left out.
    bins : int
        Groups of equal size by confidence.

    Returns
    -------
    DataFrame
        One row a group, least confident first: confidence (mean), n, win_rate (with `_low`, `_high`).
    """
    closed = closed_trades(trades)
    if closed.empty:
        return pd.DataFrame(columns=["confidence", "n", "win_rate", "win_rate_low", "win_rate_high"])
    order = closed["confidence"].rank(method="first").to_numpy(dtype=np.float64)
    group = np.minimum((order - 1) * min(bins, len(closed)) // len(closed), bins - 1)
    clusters = intervals.clusters_of(closed["open_date"])
    won = (closed["profit_ratio"] > 0).to_numpy(dtype=bool)
    rows = [
        {
            "confidence": float(closed["confidence"].to_numpy(dtype=np.float64)[group == g].mean()),
            "n": int((group == g).sum()),
            **_spread("win_rate", intervals.rate_interval(won[group == g], clusters=clusters[group == g])),
        }
        for g in np.unique(group)
    ]
    return _rounded(pd.DataFrame(rows))


def worst_drawdowns(daily: pd.DataFrame, *, top: int = 5) -> pd.DataFrame:
    """List the deepest stretches of the book below its highest equity.

    Parameters
    ----------
    daily : DataFrame
        As `book_days` gives it.
    top : int
        How many at most.

    Returns
    -------
    DataFrame
        Deepest first: since (first day under water), deepest_on, recovered_on (NaT while it lasts), depth, days (under
        water).
    """
    lost = daily["drawdown"].to_numpy(dtype=np.float64)
    under = lost > 0
    edges = np.flatnonzero(np.diff(np.concatenate([[0], under.astype(np.int8), [0]])))
    rows = []
    for first, after in zip(edges[::2], edges[1::2], strict=True):
        bottom = first + int(np.argmax(lost[first:after]))
        recovered = daily["date"].iloc[after] if after < len(daily) else pd.NaT
        rows.append(
            (daily["date"].iloc[first], daily["date"].iloc[bottom], recovered, float(lost[bottom]), int(after - first))
        )
    columns = ["since", "deepest_on", "recovered_on", "depth", "days"]
    found = pd.DataFrame(rows, columns=columns).sort_values(["depth", "since"], ascending=[False, True])
    return found.head(top).reset_index(drop=True)


def _spread(name: str, found: Interval) -> dict[str, float]:
    """Value and both ends, as three columns."""
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Round, so that the last bit of a sum never shows."""
    return frame.round(DECIMALS)
