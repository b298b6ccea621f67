"""The tear sheet's figures: what is usually asked of daily returns, by conventions that are stated.

Sharpe, Sortino, Calmar and drawdown are `metrics.book_metrics`; the rest is here. Each is held against quantstats and
empyrical-reloaded (tests/test_peers_tear_sheet.py); `docs/metrics.md` has the formulas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.analyses.tear_sheet_days import by_month
from edgebook.analyses.tracks import ACCOUNT
from edgebook.statistics.drawdowns import BLOCK_DAYS, DRAWS, drawdown
from edgebook.statistics.metrics import DECIMALS, book_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

    Figure = Callable[[NDArray[np.float64]], NDArray[np.float64]]
    """Days down the rows, redraws across the columns; one number a column."""

TAIL = 0.05
SHEET: dict[str, str] = {
    "total_return": "compounded, of the starting equity",
    "annualised_return": "compounded, a year",
    "volatility": "standard deviation (n − 1) of a day · √days a year",
    "sharpe_ratio": "mean / standard deviation (n − 1), annualised, no risk-free rate",
    "sortino_ratio": "mean / root mean square of losses over all days, annualised",
    "calmar_ratio": "annualised return / deepest drawdown",
    "max_drawdown": "share of the highest equity so far, at a day's end",
    "longest_drawdown": "trading days below the highest equity, in a row",
    "value_at_risk": "5 % quantile of the days as they were",
    "conditional_value_at_risk": "mean of the days at or below it",
    "skew": "of a day, corrected for bias",
    "kurtosis": "of a day, excess over 3, corrected for bias",
    "best_day": "one day",
    "worst_day": "one day",
    "best_month": "one calendar month, compounded",
    "worst_month": "one calendar month, compounded",
    "win_days": "share of the days that moved the equity",
    "win_months": "share of the months that moved the equity",
    "days_moved": "share of all days",
}
"""Figures of one book, in order, and their convention."""
AGAINST: dict[str, str] = {
    "beta": "covariance / variance of the other, days paired",
    "alpha": "mean day less beta times the other's, times days a year; not compounded",
    "correlation": "Pearson's, days paired",
}
"""Figures of the account against another book."""


def sheet(returns: pd.DataFrame, *, periods_per_year: float, seed: int = 0) -> pd.DataFrame:
    """Every figure of every book, the account's with its interval.

    Parameters
    ----------
    returns : DataFrame
        As `tear_sheet_days.daily_returns` gives it; the account is the first column.
    periods_per_year : float
        Trading days a year of the market.
    seed : int
        Of the redraws.

    Returns
    -------
    DataFrame
        Rows in the order of `SHEET`: metric, value, low, high (of the account), n (days or months), then a column for
        each other book, then convention. Undefined is NaN.
    """
    columns = {str(name): book_figures(returns[name], periods_per_year=periods_per_year, seed=seed) for name in returns}
    found = columns.pop(ACCOUNT)
    for name, other in columns.items():
        found[name] = other["value"]
    return found.assign(convention=list(SHEET.values()))


def against(returns: pd.DataFrame, *, periods_per_year: float, seed: int = 0) -> pd.DataFrame:
    """Beta, alpha and correlation of the account against each other book.

    Parameters
    ----------
    returns : DataFrame
        As `tear_sheet_days.daily_returns` gives it.
    periods_per_year : float
        Trading days a year of the market.
    seed : int
        Of the redraws, which keep the two returns of a day together.

    Returns
    -------
    DataFrame
        One row a book and figure: against, metric, value, low, high, n (days), convention.
    """
    own = returns[ACCOUNT].to_numpy(dtype=float)
    places = redraw(len(own), seed=seed)
    rows: list[tuple[Any, ...]] = []
    for name in returns.columns.drop(ACCOUNT):
        other = returns[name].to_numpy(dtype=float)
        found = paired_figures(own[:, None], other[:, None], periods_per_year=periods_per_year)
        redrawn = paired_figures(own[places], other[places], periods_per_year=periods_per_year)
        for metric, convention in AGAINST.items():
            low, high = _ends(redrawn[metric])
            rows.append((name, metric, float(found[metric][0]), low, high, len(own), convention))
    frame = pd.DataFrame(rows, columns=["against", "metric", "value", "low", "high", "n", "convention"])
    return frame.round({"value": DECIMALS, "low": DECIMALS, "high": DECIMALS})


def book_figures(returns: pd.Series[Any], *, periods_per_year: float, seed: int = 0) -> pd.DataFrame:
    """Figures of one book's daily returns.

    Parameters
    ----------
    returns : Series
        Net returns by day (UTC), in order, no trading day left out.
    periods_per_year : float
        Trading days a year of the market.
    seed : int
        Of the redraws.

    Returns
    -------
    DataFrame
        metric, value, low, high, n, in the order of `SHEET`.

    Notes
    -----
    Sharpe and Sortino have the interval of `metrics.book_metrics`. Figures with a distribution have the central 95 %
    of 1,000 redraws of the same days in circular blocks of 10, none under 20 days; how often that
    covers the truth is in docs/metrics.md. Extremes of one path (best, worst, longest) have none.
    """
    values = returns.to_numpy(dtype=float)
    growth = np.cumprod(1 + values)
    books = book_metrics(pd.DataFrame({"equity": growth, "return_ratio": values}), periods_per_year=periods_per_year)
    months = by_month(returns.to_frame("book"))["book"].to_numpy(dtype=float)
    days, none = len(values), (np.nan, np.nan)
    found: dict[Hashable, tuple[float, float, float, int]] = {
        row["metric"]: (row["value"], row["low"], row["high"], row["n"]) for row in books.to_dict("records")
    }
    places = redraw(days, seed=seed)
    for name, figure in _redrawn_figures(periods_per_year).items():
        found[name] = (float(figure(values[:, None])[0]) if days else np.nan, *_ends(figure(values[places])), days)
    for name, part in (("day", values), ("month", months)):
        found[f"best_{name}"] = (part.max() if part.size else np.nan, *none, part.size)
        found[f"worst_{name}"] = (part.min() if part.size else np.nan, *none, part.size)
    moved = int((values != 0).sum())
    found["win_days"] = (*found["win_days"][:3], moved)
    found["longest_drawdown"] = (longest_under_water(growth), *none, days)
    moved = int((months != 0).sum())
    found["win_months"] = ((months > 0).sum() / moved if moved else np.nan, *none, moved)
    rows = [(name, *found[name]) for name in SHEET]
    frame = pd.DataFrame(rows, columns=["metric", "value", "low", "high", "n"])
    return frame.round({"value": DECIMALS, "low": DECIMALS, "high": DECIMALS})


def _redrawn_figures(periods_per_year: float) -> dict[str, Figure]:
    """Figures of a column of days."""
    return {
        "total_return": lambda r: np.prod(1 + r, axis=0) - 1,
        "annualised_return": lambda r: np.prod(1 + r, axis=0) ** (periods_per_year / len(r)) - 1,
        "volatility": lambda r: _deviation(r) * np.sqrt(periods_per_year),
        "value_at_risk": value_at_risk,
        "conditional_value_at_risk": conditional_value_at_risk,
        "skew": lambda r: moments(r)[0],
        "kurtosis": lambda r: moments(r)[1],
        "win_days": win_share,
        "days_moved": lambda r: (r != 0).mean(axis=0),
    }


def paired_figures(
    own: NDArray[np.float64], other: NDArray[np.float64], *, periods_per_year: float
) -> dict[str, NDArray[np.float64]]:
    """Beta, alpha (a year, not compounded) and correlation, column by column.

    Parameters
    ----------
    own, other : ndarray, shape (days, columns)
        Returns of the same days.
    periods_per_year : float
        Trading days a year of the market.

    Returns
    -------
    dict of ndarray, shape (columns,)
        By the names of `AGAINST`; NaN where one of them does not vary.
    """
    mine, theirs = own - own.mean(axis=0), other - other.mean(axis=0)
    shared, square = (mine * theirs).sum(axis=0), (theirs**2).sum(axis=0)
    still = (square < 1e-20) | ((mine**2).sum(axis=0) < 1e-20)
    with np.errstate(divide="ignore", invalid="ignore"):
        beta = np.where(still, np.nan, shared / square)
        correlation = np.where(still, np.nan, shared / np.sqrt(square * (mine**2).sum(axis=0)))
    alpha = (own.mean(axis=0) - beta * other.mean(axis=0)) * periods_per_year
    return {"beta": beta, "alpha": alpha, "correlation": correlation}


def redraw(days: int, *, seed: int) -> NDArray[np.int64]:
    """Rows of 1,000 redraws of the days in circular blocks of 10, as `drawdowns.redrawn` draws them.

    Parameters
    ----------
    days : int
    seed : int

    Returns
    -------
    ndarray, shape (days, 1000)
        No column with fewer than two blocks of days.

    References
    ----------
    Politis and Romano (1992), in Exploring the Limits of Bootstrap, 263-270.
    """
    if days < 2 * BLOCK_DAYS:
        return np.empty((days, 0), dtype=np.int64)
    starts = np.random.default_rng(seed).integers(days, size=(-(-days // BLOCK_DAYS), DRAWS))
    rows = (starts[:, None, :] + np.arange(BLOCK_DAYS)[None, :, None]) % days
    return rows.reshape(-1, DRAWS)[:days]


def value_at_risk(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return of a day that 5 % of the days fall short of: the quantile of the days as they were, of each column."""
    return np.asarray(np.quantile(returns, TAIL, axis=0))


def conditional_value_at_risk(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the days at or below `value_at_risk`, of each column."""
    under = returns <= value_at_risk(returns)
    return np.asarray(np.where(under, returns, 0.0).sum(axis=0) / under.sum(axis=0))


def moments(returns: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Skewness and excess kurtosis of each column, corrected for bias (G1 and G2 of Joanes and Gill 1998)."""
    n = len(returns)
    if n < 4:
        nothing = np.full(returns.shape[1], np.nan)
        return nothing, nothing
    centred = returns - returns.mean(axis=0)
    second, third, fourth = ((centred**power).mean(axis=0) for power in (2, 3, 4))
    with np.errstate(divide="ignore", invalid="ignore"):
        second = np.where(second < 1e-20, np.nan, second)
        skew = third / second**1.5 * np.sqrt(n * (n - 1)) / (n - 2)
        excess = ((n + 1) * (fourth / second**2 - 3) + 6) * (n - 1) / ((n - 2) * (n - 3))
    return skew, excess


def win_share(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of gains among the days that moved the equity, of each column; NaN where none did."""
    moved = (returns != 0).sum(axis=0)
    return np.where(moved > 0, (returns > 0).sum(axis=0) / np.maximum(moved, 1), np.nan)


def longest_under_water(growth: NDArray[np.float64]) -> float:
    """Most days in a row below the highest equity so far."""
    edges = np.flatnonzero(
        np.diff(np.concatenate([[0], (np.round(drawdown(growth), DECIMALS) > 0).astype(np.int8), [0]]))
    )
    return float((edges[1::2] - edges[::2]).max(initial=0))


def _deviation(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation with n - 1."""
    return np.asarray(returns.std(axis=0, ddof=1)) if len(returns) > 1 else np.full(returns.shape[1], np.nan)


def _ends(redrawn: NDArray[np.float64]) -> tuple[float, float]:
    """Central 95 % of what redrawing gave."""
    known = redrawn[np.isfinite(redrawn)]
    if not known.size:
        return np.nan, np.nan
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)
