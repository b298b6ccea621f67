"""The tear sheet's figures against quantstats and empyrical-reloaded, as recorded."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from scipy import stats

from edgebook.analyses.outcome_analysis import worst_drawdowns
from edgebook.analyses.tear_sheet import against, book_figures
from edgebook.analyses.tear_sheet_days import by_month, rolling
from edgebook.statistics.drawdowns import drawdown
from peers import cases
from peers.compared import ROUNDING, Compared, largest, recorded_version
from peers.figures import theirs

FIGURES = (
    "total_return", "annualised_return", "volatility", "skew", "kurtosis", "best_day", "worst_day", "best_month",
    "worst_month", "win_days", "win_months", "conditional_value_at_risk",
)  # fmt: skip
BOTH = ("annualised_return", "volatility", "value_at_risk", "conditional_value_at_risk")
NORMAL = (
    "a normal distribution's quantile there, the days' own here; ours is made normal: mean − 1.645 · volatility / √365"
)
COMPOUNDED = "compounded there, (1 + alpha / 365)^365 − 1, a plain multiple of the day's here; ours is compounded"
WORST = 3
MONTH_EXACT = 1e-9


def compare_sheets() -> list[Compared]:
    """Figures, figures against the market, drawdowns, months, rolling windows."""
    return [*_figures(), *_risk(), *_against(), *_drawdowns(), _months(), *_rolling()]


@cache
def ours() -> pd.DataFrame:
    """Figures of every case, a case a row."""
    returns = cases.daily_cases()
    found = {name: book_figures(returns[name].dropna(), periods_per_year=cases.YEAR) for name in returns}
    return pd.DataFrame({name: table.set_index("metric")["value"] for name, table in found.items()}).T


def _row(quantity: str, where: str, peer: str, count: int, difference: float, **by_design: object) -> Compared:
    allowed = float(by_design.pop("allowed", ROUNDING))  # type: ignore[arg-type]
    return Compared(quantity, where, peer, recorded_version(peer), count, difference, allowed, **by_design)  # type: ignore[arg-type]


def _figures() -> list[Compared]:
    rows = []
    for peer, names in (("quantstats", FIGURES), ("empyrical-reloaded", BOTH)):
        for name in names:
            asked = theirs(peer, name).loc[ours().index]
            rows.append(_row(name, "tear_sheet.book_figures", peer, len(asked), largest(ours()[name], asked)))
    return rows


def _risk() -> list[Compared]:
    asked = theirs("quantstats", "value_at_risk").loc[ours().index]
    means = pd.Series({name: float(column.mean()) for name, column in cases.daily_cases().items()})
    normal = means + stats.norm.ppf(0.05) * ours()["volatility"] / np.sqrt(cases.YEAR)
    return [
        _row(
            "value_at_risk", "tear_sheet.book_figures", "quantstats", len(asked), largest(normal, asked),
            rule=NORMAL, apart=len(asked), apart_by=largest(ours()["value_at_risk"], asked),
        )
    ]  # fmt: skip


def _against() -> list[Compared]:
    returns = cases.daily_cases()
    found = {}
    for case in returns:
        if case.startswith("even"):
            continue
        pair = returns[[case, f"even {case.split()[-1]}"]].dropna().set_axis(["account", "buy_and_hold"], axis=1)
        found[case] = against(pair, periods_per_year=cases.YEAR).set_index("metric")["value"]
    table = pd.DataFrame(found).T
    rows = []
    for peer in ("quantstats", "empyrical-reloaded"):
        asked = theirs(peer, "beta").loc[table.index]
        rows.append(_row("beta", "tear_sheet.against", peer, len(table), largest(table["beta"], asked)))
    rows.append(
        _row(
            "alpha", "tear_sheet.against", "quantstats", len(table),
            largest(table["alpha"], theirs("quantstats", "alpha").loc[table.index]),
        )
    )  # fmt: skip
    asked = theirs("empyrical-reloaded", "alpha").loc[table.index]
    compounded = (1 + table["alpha"] / cases.YEAR) ** cases.YEAR - 1
    rows.append(
        _row(
            "alpha", "tear_sheet.against", "empyrical-reloaded", len(table), largest(compounded, asked),
            rule=COMPOUNDED, apart=len(table), apart_by=largest(table["alpha"], asked), allowed=5e-6,
        )
    )  # fmt: skip
    return rows


def _drawdowns() -> list[Compared]:
    parts: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in ("depth", "days", "date")}
    for case, returns in cases.daily_cases().items():
        one = returns.dropna()
        lost = np.round(drawdown(np.cumprod(1 + one.to_numpy())), 6)
        worst = worst_drawdowns(pd.DataFrame({"date": one.index, "drawdown": lost}), top=WORST)
        for place, row in enumerate(worst.to_dict("records"), start=1):
            last = one.index[one.index.get_loc(row["since"]) + row["days"] - 1]
            dated = {"begin": row["since"], "trough": row["deepest_on"], "last": last}
            for name, at in dated.items():
                parts["date"][0].append(at.timestamp() / 86_400)
                parts["date"][1].append(theirs("quantstats", f"drawdown {place} {name}")[case])
            for name in ("depth", "days"):
                parts[name][0].append(row[name])
                parts[name][1].append(theirs("quantstats", f"drawdown {place} {name}")[case])
    names = {
        "depth": "depth of the deepest drawdowns", "days": "days under water of the deepest drawdowns",
        "date": "begin, trough and last day of the deepest drawdowns",
    }  # fmt: skip
    return [
        _row(
            names[name], "outcome_analysis.worst_drawdowns", "quantstats", len(mine), largest(mine, asked),
            allowed=ROUNDING if name == "depth" else 0.0,
        )
        for name, (mine, asked) in parts.items()
    ]  # fmt: skip


def _months() -> Compared:
    mine: list[float] = []
    asked: list[float] = []
    for case, returns in cases.daily_cases().items():
        for row in by_month(returns.dropna().to_frame("book")).to_dict("records"):
            mine.append(row["book"])
            asked.append(theirs("quantstats", f"month {row['month']:%Y-%m}")[case])
    return _row(
        "return of a calendar month", "tear_sheet_days.by_month", "quantstats", len(mine), largest(mine, asked),
        allowed=MONTH_EXACT,
    )  # fmt: skip


def _rolling() -> list[Compared]:
    mine: dict[str, list[float]] = {"sharpe": [], "volatility": []}
    asked: dict[str, list[float]] = {"sharpe": [], "volatility": []}
    for case, returns in cases.daily_cases().items():
        found = rolling(returns.dropna().to_frame("account"), periods_per_year=cases.YEAR)
        for name in mine:
            column = found[f"{name}_account"]
            summary = {"least": column.min(), "most": column.max(), "newest": column.iloc[-1], "mean": column.mean()}
            for which, value in summary.items():
                mine[name].append(float(value))
                asked[name].append(theirs("quantstats", f"rolling {name} {which}")[case])
    titles = {"sharpe": "Sharpe ratio of 91 days, rolling", "volatility": "volatility of 91 days, rolling"}
    return [
        _row(title, "tear_sheet_days.rolling", "quantstats", len(mine[name]), largest(mine[name], asked[name]))
        for name, title in titles.items()
    ]
