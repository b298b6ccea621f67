"""The A/B test in numbers: the evidence of a trial, both books, by regime, the error budget, approvals.

`ab_trials` finds the trial in the seals; `ab_tables` and `figures_gate` show these frames, `ab_readings` puts them into
words; `second_opinions` and `power` stand beside them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.analyses.ab_trials import (
    HYPOTHESES,
    WAITING,
    Comparison,
    Settings,
    banded,
    comparisons,
    rounded,
    shown_trial,
    trades_of,
)
from edgebook.arms.gate import bet, bounded, error_share
from edgebook.statistics import intervals
from edgebook.statistics.drawdowns import drawdown
from edgebook.statistics.ratios import daily_ratio_interval

if TYPE_CHECKING:
    from edgebook.seals.week import Week

REGIMES = ("trending_bullish", "trending_bearish", "ranging", "volatile")


def evidence(found: Comparison, *, settings: Settings) -> pd.DataFrame:
    """What each hypothesis has seen, and the wealth it made of it.

    Parameters
    ----------
    found : Comparison
    settings : Settings

    Returns
    -------
    DataFrame
        Rows books, all candidates, both together: hypothesis, share (of the error), n (days), mean (difference a day)
        with `_low` and `_high`, deviation, cut (share of days that count less than in full), counted (mean after
        that), wealth. The last row has n and wealth alone.

    Notes
    -----
    The wealth is bet anew on the sealed differences, through `gate.bet`.
    """
    share = settings.gate.book_share
    counted = bounded(found.differences, gate=settings.gate)
    after, _ = bet(settings.begin_trial(found.kind, bar=found.bar), found.differences, gate=settings.gate)
    rows: list[dict[str, object]] = []
    for column, (name, part) in enumerate(zip(HYPOTHESES, (share, 1 - share), strict=True)):
        values = found.days[name].to_numpy(dtype=np.float64)
        rows.append(
            {
                "hypothesis": HYPOTHESES[name],
                "share": part,
                "n": len(values),
                **banded("mean", intervals.mean_interval(values, clusters=found.clusters)),
                "deviation": float(np.std(values, ddof=1)) if len(values) > 1 else np.nan,
                "cut": float(np.mean(counted[:, column] != values)) if len(values) else np.nan,
                "counted": float(np.mean(counted[:, column])) if len(values) else np.nan,
                "wealth": float(np.exp(after.log_wealth[column])),
            }
        )
    rows.append({"hypothesis": "both together", "share": 1.0, "n": len(counted)})
    rows[-1]["wealth"] = after.wealth(book_share=share)
    return rounded(pd.DataFrame(rows))


def books(found: Comparison, trades: pd.DataFrame, *, periods_per_year: float, risk_per_trade: float) -> pd.DataFrame:
    """Both books over the days of the trial.

    Parameters
    ----------
    found : Comparison
    trades : DataFrame
        Trades of every arm's own book, column `arm`.
    periods_per_year : float
        Trading days a year of the market.
    risk_per_trade : float
        Share of equity that one trade risks.

    Returns
    -------
    DataFrame
        Rows champion and challenger (for a baseline: the arm it is compared with, and the arm): role, recipe, n (days),
        return_ratio, mean_r (a day) and sharpe_ratio with `_low` and `_high`, max_drawdown, signals (closed),
        win_rate with `_low` and `_high`.
    """
    rows = []
    for role, name, column in (
        ("against", found.against, "against_return"),
        ("arm", found.arm, "arm_return"),
    ):
        returns = found.days[column].to_numpy(dtype=np.float64)
        closed = trades_of(found, trades, arm=name)
        won = (closed["profit_ratio"] > 0).to_numpy(dtype=bool)
        growth = np.cumprod(1 + returns)
        rows.append(
            {
                "role": _role(found, role),
                "recipe": name,
                "n": len(returns),
                "return_ratio": float(growth[-1] - 1) if len(growth) else np.nan,
                **banded("mean_r", intervals.mean_interval(returns / risk_per_trade, clusters=found.clusters)),
                **banded("sharpe_ratio", daily_ratio_interval(returns, periods_per_year=periods_per_year)),
                "max_drawdown": float(drawdown(growth).max()) if len(growth) else np.nan,
                "signals": len(closed),
                **banded("win_rate", intervals.rate_interval(won, clusters=intervals.clusters_of(closed["open_date"]))),
            }
        )
    return rounded(pd.DataFrame(rows))


def by_regime(found: Comparison, trades: pd.DataFrame) -> pd.DataFrame:
    """Difference of R a signal between the arms, by the regime at entry.

    Parameters
    ----------
    found : Comparison
    trades : DataFrame
        Trades of every arm's own book, column `arm`.

    Returns
    -------
    DataFrame
        One row a regime and one for all: regime, n_arm, n_against (closed signals), arm_r, against_r (mean), n (weeks
        with a signal of either), difference with `_low` and `_high`.

    Notes
    -----
    Both arms' signals of one week are one cluster, so that what the market did to both cancels out.
    """
    arm, against = (trades_of(found, trades, arm=name) for name in (found.arm, found.against))
    rows: list[dict[str, object]] = []
    for regime in (*REGIMES, "all"):
        parts = [t if regime == "all" else t[t["regime"] == regime] for t in (arm, against)]
        r = [part["r_multiple"].to_numpy(dtype=np.float64) for part in parts]
        means = [float(x.mean()) if x.size else np.nan for x in r]
        dates = pd.concat([part["open_date"] for part in parts])
        total = len(dates)
        weeks = np.unique(intervals.weeks_since_epoch(dates)).size if total else 0
        gap = intervals.UNDEFINED
        if min(x.size for x in r) > 1:
            pulls = [sign * total / x.size * (x - x.mean()) for sign, x in zip((1, -1), r, strict=True)]
            gap = intervals.smooth_interval(
                means[0] - means[1], influence=np.concatenate(pulls), clusters=intervals.clusters_of(dates)
            )
        rows.append(
            {
                "regime": regime,
                "n_arm": r[0].size,
                "n_against": r[1].size,
                "arm_r": means[0],
                "against_r": means[1],
                "n": weeks,
                **banded("difference", gap),
            }
        )
    return rounded(pd.DataFrame(rows))


def error_budget(week: Week, *, settings: Settings) -> pd.DataFrame:
    """Error spent in each calendar year of the history: a challenger's share at its admission.

    Parameters
    ----------
    week : Week
    settings : Settings

    Returns
    -------
    DataFrame
        One row a year, this one last: year, n (challengers admitted), recipes, spent, allowed, left.
    """
    gate, admissions = settings.gate, week.seal.head["admissions"]
    rows = []
    for year in range(int(week.genesis[:4]), int(week.as_of[:4]) + 1):
        names = [row["recipe"] for row in admissions if row["week"][:4] == str(year)]
        spent = sum(error_share(gate, number=number + 1) for number in range(len(names)))
        rows.append(
            {
                "year": str(year),
                "n": len(names),
                "recipes": ", ".join(names) or "none",
                "spent": spent,
                "allowed": gate.alpha_per_year,
                "left": gate.alpha_per_year - spent,
            }
        )
    return rounded(pd.DataFrame(rows))


def approvals(week: Week, *, settings: Settings) -> pd.DataFrame:
    """Promotions that the gate recommended, and what a person said: waits, approved or lapsed.

    Parameters
    ----------
    week : Week
        Whose seals hold the recommendations.
    settings : Settings
        Its `learning.approvals`.

    Returns
    -------
    DataFrame
        One row a recommendation: week, recipe, n (days on trial), status.
    """
    waiting = shown_trial(week)
    rows = []
    for head in week.heads:
        for event in head["events"]:
            if event["kind"] != "recommended":
                continue
            name = event["recipe"]
            approved = any(a.recipe == name and a.week >= head["as_of"] for a in settings.learning.approvals)
            waits = waiting.outcome == WAITING and waiting.arm == name
            days = [len(c.days) for c in comparisons(week, kind="promotion") if c.arm == name]
            rows.append(
                {
                    "week": head["as_of"],
                    "recipe": name,
                    "n": days[-1] if days else 0,
                    "status": "waits" if waits else "approved" if approved else "lapsed",
                }
            )
    return pd.DataFrame(rows, columns=["week", "recipe", "n", "status"])


def _role(found: Comparison, side: str) -> str:
    """What the arms of a trial are called."""
    names = {"promotion": ("champion", "challenger"), "baseline": ("baseline", "champion")}
    return names.get(found.kind, ("champion", "former champion"))[side == "arm"]
