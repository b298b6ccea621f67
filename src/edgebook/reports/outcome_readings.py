"""What the outcome report says in words: computed from its numbers, the undecided case too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.reports.cell_readings import SURVIVES
from edgebook.statistics.cells import BETTER
from edgebook.statistics.metrics import closed_trades
from edgebook.pages.report import callout, formatted, interval, prose

if TYPE_CHECKING:
    import pandas as pd

    from edgebook.pages.display import Callout, Format, Prose


def window(trades: pd.DataFrame, daily: pd.DataFrame) -> Prose:
    """Say which signals, which days, which versions.

    Parameters
    ----------
    trades : DataFrame
        Ledger rows.
    daily : DataFrame
        As `outcome_analysis.book_days` gives it.
    """
    closed = len(closed_trades(trades))
    first, last = daily["date"].iloc[0], daily["date"].iloc[-1]
    recipes = trades["model_version"].astype(str).str.split("@").str[0].value_counts().sort_index()
    by = ", ".join(f"{name} ({count:,})" for name, count in recipes.items()) or "none"
    symbols = ", ".join(sorted(trades["pair"].unique())) or "none"
    frames = ", ".join(sorted(trades["timeframe"].unique())) or "none"
    return prose(
        f"{len(trades):,} signals in {len(daily):,} days ({first:%Y-%m-%d} to {last:%Y-%m-%d}): {closed:,} closed, "
        f"{len(trades) - closed:,} still open.",
        f"Symbols: {symbols}. Timeframes: {frames}. Signals by recipe: {by}.",
    )


def metrics_reading(metrics: pd.DataFrame) -> Prose:
    """Say what the metrics carry, and what they do not.

    Parameters
    ----------
    metrics : DataFrame
        As `outcome_analysis.all_metrics` gives it.
    """
    m = metrics.set_index("metric")
    if not m["n"]["win_rate"]:
        return prose("No signal has closed yet: there is nothing to measure.")
    return prose(
        f"{_rate(m, 'win_rate')} of {m['n']['win_rate']:,} closed signals won; these wins and losses would break even "
        f"at {formatted(m['value']['break_even_win_rate'], 'percent')}, the plans as set at entry at "
        f"{formatted(m['value']['plan_break_even_win_rate'], 'percent')}. {_rate(m, 'false_signal_rate')} were false "
        "signals.",
        f"A signal made {_rate(m, 'expectancy', 'r')} on average: {_side_of_zero(m, 'expectancy')} The book's Sharpe "
        f"ratio is {_rate(m, 'sharpe_ratio', 'number')}: {_side_of_zero(m, 'sharpe_ratio')}",
    )


def certified_reading(sets: pd.DataFrame) -> Prose:
    """Say whether certified signals exist, and whether they did better.

    Parameters
    ----------
    sets : DataFrame
        As `outcome_analysis.certified_and_paper` gives it.
    """
    rows = sets.set_index("set")
    certified, paper = rows.loc["certified"], rows.loc["paper"]
    total = int(rows["signals"]["all signals"])
    if not certified["signals"]:
        return prose(
            f"No signal was certified: all {total:,} come from paper mode, where no threshold has been shown to earn."
        )
    if not (certified["n"] and paper["n"]):
        return prose(f"{int(certified['signals']):,} of {total:,} signals were certified; one of the sets is empty.")
    apart = certified["expectancy_low"] > paper["expectancy_high"] or (
        certified["expectancy_high"] < paper["expectancy_low"]
    )
    ahead = "more" if certified["expectancy"] > paper["expectancy"] else "less"
    verdict = f"they made {ahead}, and the intervals do not touch." if apart else "the intervals overlap: undecided."
    return prose(
        f"{int(certified['signals']):,} of {total:,} signals were certified. They made "
        f"{formatted(certified['expectancy'], 'r')} a signal, paper ones {formatted(paper['expectancy'], 'r')}: "
        f"{verdict}"
    )


def equity_reading(daily: pd.DataFrame, worst: pd.DataFrame) -> Prose:
    """Say what the book gained and how deep it sank.

    Parameters
    ----------
    daily, worst : DataFrame
        As `outcome_analysis.book_days` and `worst_drawdowns` give them.
    """
    growth = float(np.prod(1 + daily["return_ratio"].to_numpy(dtype=np.float64))) - 1
    said = f"The book ended {formatted(growth, 'signed_percent')} from where it began, after {len(daily):,} days."
    if worst.empty:
        return prose(said + " It was never below an earlier day's end.")
    deepest = worst.iloc[0]
    lasting = "and lasts still" if str(deepest["recovered_on"]) == "NaT" else f"for {deepest['days']:,} days"
    under = float((daily["drawdown"] > 0).mean())
    return prose(
        f"{said} Its deepest drawdown, {formatted(float(deepest['depth']), 'percent')}, began on "
        f"{deepest['since']:%Y-%m-%d} {lasting}; it was under water on {formatted(under, 'percent')} of days."
    )


def exits_reading(exits: pd.DataFrame) -> Prose:
    """Say how signals closed.

    Parameters
    ----------
    exits : DataFrame
        As `outcome_analysis.exit_reasons` gives it.
    """
    if not exits["n"].sum():
        return prose("No signal has closed yet.")
    said = [
        f"{formatted(row['share'], 'percent')} by {row['exit_reason'].replace('_', ' ')} "
        f"({formatted(row['mean_r'], 'r')} each)"
        for _, row in exits.iterrows()
    ]
    return prose(f"Of {exits['n'].sum():,} signals: {', '.join(said)}.")


def distribution_reading(trades: pd.DataFrame) -> Prose:
    """Say how R is spread, and what the tails weigh.

    Parameters
    ----------
    trades : DataFrame
        Ledger rows.
    """
    r = closed_trades(trades)["r_multiple"].to_numpy(dtype=np.float64)
    if r.size == 0:
        return prose("No signal has closed yet.")
    beyond = int((r < -1.25).sum())
    best = np.sort(r)[::-1][: max(1, r.size // 20)]
    return prose(
        f"The median signal made {formatted(float(np.median(r)), 'r')}, the mean one {formatted(float(r.mean()), 'r')} "
        f"(n = {r.size:,}). {beyond:,} lost more than 1.25 R, through gaps and costs. The best 5 % made "
        f"{formatted(float(best.sum()), 'r')} together, the rest {formatted(float(r.sum() - best.sum()), 'r')}."
    )


def excursions_reading(found: pd.DataFrame) -> Prose:
    """Say what losses had been worth.

    Parameters
    ----------
    found : DataFrame
        As `outcome_analysis.excursions` gives it.
    """
    losses = found.set_index("outcome").loc["losses"]
    if not losses["n"]:
        return prose("No signal has closed at a loss.")
    band = interval(losses["one_r_ahead_low"], losses["one_r_ahead_high"], "percent")
    return prose(
        f"{formatted(losses['one_r_ahead'], 'percent')} of {int(losses['n']):,} losses (95 % {band}) had at some time "
        "been 1 R ahead: what a nearer target could have kept, at the price of the wins that went further."
    )


def confidence_reading(bins: pd.DataFrame) -> Prose:
    """Say whether more confidence won more often.

    Parameters
    ----------
    bins : DataFrame
        As `outcome_analysis.confidence_bins` gives it.
    """
    if len(bins) < 2:
        return prose("Too few signals have closed to compare confidence with outcome.")
    least, most = bins.iloc[0], bins.iloc[-1]
    apart = most["win_rate_low"] > least["win_rate_high"] or most["win_rate_high"] < least["win_rate_low"]
    verdict = "the intervals do not touch" if apart else "the intervals overlap, so no difference is shown"
    inside = int(((bins["win_rate_low"] <= bins["confidence"]) & (bins["confidence"] <= bins["win_rate_high"])).sum())
    return prose(
        f"The most confident group won {formatted(most['win_rate'], 'percent')} (n = {int(most['n']):,}), the least "
        f"{formatted(least['win_rate'], 'percent')} (n = {int(least['n']):,}); {verdict}. The stated confidence lies "
        f"inside the interval in {inside} of {len(bins)} groups."
    )


def conclusion(metrics: pd.DataFrame, cells: pd.DataFrame) -> Callout:
    """Answer the report's question.

    Parameters
    ----------
    metrics, cells : DataFrame
        As `outcome_analysis.all_metrics` and `outcome_cells.report_cells` give them.
    """
    m = metrics.set_index("metric")
    if not m["n"]["win_rate"]:
        return callout("No signal has closed yet: there is no answer this week.")
    low, high = m["low"]["expectancy"], m["high"]["expectancy"]
    verdict = "The signals made money" if low > 0 else "The signals lost money" if high < 0 else "It is not decided yet"
    why = {True: "whose interval leaves 0 out", False: "whose interval holds 0"}[bool(low > 0 or high < 0)]
    gap = m["value"]["win_rate"] - m["value"]["break_even_win_rate"]
    badges = cells[cells["badge"] != ""]
    counts = f"{len(badges)} of {int(cells['tested'].sum())} tested cells"
    apart = f"No cell stands apart from the rest ({counts} survive {SURVIVES})."
    if len(badges):
        ahead = int((badges["badge"] == BETTER).sum())
        apart = (
            f"{counts} stand apart at {SURVIVES}: {ahead} better, {len(badges) - ahead} worse than the other signals."
        )
    return callout(
        f"{verdict}: {_rate(m, 'expectancy', 'r')} a signal over {m['n']['expectancy']:,} closed signals, {why}.",
        f"They won {_rate(m, 'win_rate')}, {formatted(gap, 'points')} from the break-even win rate; profit factor "
        f"{_rate(m, 'profit_factor', 'number')}; deepest drawdown of the book "
        f"{formatted(m['value']['max_drawdown'], 'percent')}.",
        apart,
    )


def _rate(metrics: pd.DataFrame, name: str, how: Format = "percent") -> str:
    """Value with its interval in brackets."""
    band = interval(metrics["low"][name], metrics["high"][name], how)
    return f"{formatted(metrics['value'][name], how)} (95 % {band})"


def _side_of_zero(metrics: pd.DataFrame, name: str) -> str:
    """Which side of 0 the interval is on, as a sentence's end."""
    low, high = metrics["low"][name], metrics["high"][name]
    if np.isnan(low) or np.isnan(high):
        return "too few to say on which side of 0."
    return "above 0." if low > 0 else "below 0." if high < 0 else "not to be told from 0."
