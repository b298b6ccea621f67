"""Tables of the tear sheet, each number as its figure is usually written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from edgebook.statistics.drawdowns import BLOCK_DAYS
from edgebook.figures.figures_tear_sheet import NAMES
from edgebook.files.formats import formatted, interval
from edgebook.analyses.outcome_analysis import worst_drawdowns
from edgebook.pages.report import table
from edgebook.analyses.tear_sheet_days import BUY_AND_HOLD
from edgebook.analyses.tracks import ACCOUNT, FROZEN

if TYPE_CHECKING:
    from edgebook.pages.display import Format, Table

_FORMATS: dict[str, Format] = {
    "total_return": "signed_percent",
    "annualised_return": "signed_percent",
    "volatility": "percent",
    "max_drawdown": "percent",
    "longest_drawdown": "integer",
    "value_at_risk": "signed_percent",
    "conditional_value_at_risk": "signed_percent",
    "best_day": "signed_percent",
    "worst_day": "signed_percent",
    "best_month": "signed_percent",
    "worst_month": "signed_percent",
    "win_days": "percent",
    "win_months": "percent",
    "days_moved": "percent",
    "alpha": "signed_percent",
}
_SHORTER = {
    "volatility": "Volatility, a year",  # the bare word is a head, and would wear its colour
    "value_at_risk": "VaR 95 %, a day",
    "conditional_value_at_risk": "CVaR 95 %, a day",
    "kurtosis": "Excess kurtosis",
}
_BOOKS = (ACCOUNT, FROZEN, BUY_AND_HOLD)


def format_of(metric: str) -> Format:
    """How a figure of the tear sheet is written."""
    return _FORMATS.get(metric, "number")


def _named(metric: str) -> str:
    return _SHORTER.get(metric, metric.replace("_", " ").capitalize())


def sheet_table(sheet: pd.DataFrame, *, periods_per_year: float) -> Table:
    """Show every figure: the account with its interval, the others beside it.

    Parameters
    ----------
    sheet : DataFrame
        As `tear_sheet.sheet` gives it.
    periods_per_year : float
        Trading days a year of the market.
    """
    hows = [format_of(metric) for metric in sheet["metric"]]
    others = [name for name in (FROZEN, BUY_AND_HOLD) if name in sheet]
    ends = zip(sheet["low"], sheet["high"], hows, strict=True)
    shown = sheet[["metric"]].assign(
        metric=[_named(metric) for metric in sheet["metric"]],
        account=[formatted(value, how) for value, how in zip(sheet["value"], hows, strict=True)],
        band=[interval(low, high, how) for low, high, how in ends],
        n=sheet["n"],
        **{name: [formatted(v, how) for v, how in zip(sheet[name], hows, strict=True)] for name in others},
    )
    return table(
        shown,
        caption="Figures of the daily returns, net of costs",
        labels={"metric": "Figure", "band": "95 % interval", **{name: NAMES[name].capitalize() for name in _BOOKS}},
        note=f"{periods_per_year:.0f} trading days a year. Intervals are the account's: Sharpe and Sortino as in "
        f"docs/metrics.md, the others the central 95 % of 1,000 redraws of the same days in blocks of {BLOCK_DAYS}. "
        "Where volatility wanders for weeks, those of spread (volatility, VaR, CVaR) are too narrow (docs/metrics.md). "
        "n/a: an extreme of one path, or too few days. n: days, or months.",
    )


def against_table(against: pd.DataFrame) -> Table:
    """Show beta, alpha and correlation of the account against the other books.

    Parameters
    ----------
    against : DataFrame
        As `tear_sheet.against` gives it.
    """
    hows = [format_of(metric) for metric in against["metric"]]
    ends = zip(against["low"], against["high"], hows, strict=True)
    shown = against[["against", "metric"]].assign(
        against=[NAMES[name] for name in against["against"]],
        metric=[_named(metric) for metric in against["metric"]],
        value=[formatted(value, how) for value, how in zip(against["value"], hows, strict=True)],
        band=[interval(low, high, how) for low, high, how in ends],
        n=against["n"],
    )
    return table(
        shown,
        caption="The account against the other books, day by day",
        labels={"metric": "Figure", "band": "95 % interval", "n": "n (days)"},
        note="Intervals: redraws that keep the two returns of a day together.",
    )


def conventions_table(sheet: pd.DataFrame, against: pd.DataFrame) -> Table:
    """Show what each figure means here, for others mean something else by some of the names.

    Parameters
    ----------
    sheet, against : DataFrame
        As `tear_sheet.sheet` and `tear_sheet.against` give them.
    """
    both = pd.concat([sheet, against.drop_duplicates("metric")])[["metric", "convention"]]
    return table(
        both.assign(metric=[_named(metric) for metric in both["metric"]]),
        caption="Conventions",
        labels={"metric": "Figure"},
        note="Held against quantstats and empyrical-reloaded in docs/evidence/peers.md.",
    )


def months_table(months: pd.DataFrame) -> Table:
    """Show the return of each book in each calendar month.

    Parameters
    ----------
    months : DataFrame
        As `tear_sheet_days.by_month` gives it.
    """
    others = [name for name in _BOOKS if name in months]
    shown = months.assign(
        month=months["month"].dt.strftime("%b\u00a0%Y") + months["whole"].map({True: "", False: "\u00a0*"})
    )
    return table(
        shown[["month", "days", *others]],
        caption="Return of each calendar month, compounded, net of costs",
        formats=dict.fromkeys(others, "signed_percent"),
        labels={name: NAMES[name].capitalize() for name in _BOOKS},
        note="*: the history begins or ends inside the month.",
    )


def drawdowns_table(daily: pd.DataFrame) -> Table:
    """Show the five deepest drawdowns of the account.

    Parameters
    ----------
    daily : DataFrame
        As `outcome_analysis.book_days` gives it.
    """
    worst = worst_drawdowns(daily, top=5)
    shown = worst.rename(columns={"since": "begin", "deepest_on": "trough", "recovered_on": "recovery"})
    return table(
        shown[["begin", "trough", "recovery", "days", "depth"]],
        caption="The five deepest drawdowns of the account",
        formats={"depth": "percent"},
        labels={"days": "Days under water"},
        note="Begin: first day that ended below the highest equity. Recovery: first day that ended at or above it; n/a "
        "while it lasts.",
    )
