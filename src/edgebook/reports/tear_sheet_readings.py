"""What the tear sheet says in words: computed from its numbers, the undecided and the empty case too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.figures.figures_tear_sheet import NAMES
from edgebook.analyses.outcome_analysis import worst_drawdowns
from edgebook.pages.report import callout, formatted, interval, prose
from edgebook.analyses.tear_sheet_days import BUY_AND_HOLD, window_days
from edgebook.reports.tear_sheet_tables import format_of
from edgebook.analyses.tracks import ACCOUNT, FROZEN

if TYPE_CHECKING:
    import pandas as pd

    from edgebook.pages.display import Callout, Prose
    from edgebook.seals.week import Week


def days_reading(week: Week, returns: pd.DataFrame, *, events: pd.DataFrame) -> Prose:
    """Say which days, whose, and when the champion changed.

    Parameters
    ----------
    week : Week
    returns : DataFrame
        As `tear_sheet_days.daily_returns` gives it.
    events : DataFrame
        As `learning_curve.history_events` gives it.
    """
    changes = events[events["change"]]
    listed = "; ".join(f"{row['week']:%Y-%m-%d} {row['recipe']} {row['kind']}" for _, row in changes.iterrows())
    frozen = "" if FROZEN in returns else " This history has no frozen baseline to stand beside it."
    pairs = week.bars["pair"].nunique()
    return prose(
        f"{len(returns):,} days, {returns.index[0]:%Y-%m-%d} to {returns.index[-1]:%Y-%m-%d}, of history "
        f"{week.history} ({week.market}, {pairs} pair{'s' * (pairs != 1)}, {week.periods_per_year} trading days a "
        f"year).{frozen}",
        f"Changes of champion: {listed or 'none'}. In force: {week.champion_version}.",
    )


def growth_reading(sheet: pd.DataFrame) -> Prose:
    """Say what 1 became, in each book.

    Parameters
    ----------
    sheet : DataFrame
        As `tear_sheet.sheet` gives it.
    """
    found = sheet.set_index("metric")
    others = "; ".join(
        f"{NAMES[name]} {formatted(found[name]['total_return'], 'signed_percent')} with a drawdown of "
        f"{formatted(found[name]['max_drawdown'], 'percent')}"
        for name in (FROZEN, BUY_AND_HOLD)
        if name in found
    )
    return prose(
        f"The account made {formatted(found['value']['total_return'], 'signed_percent')} with a deepest drawdown of "
        f"{formatted(found['value']['max_drawdown'], 'percent')}. Beside it: {others}."
    )


def sheet_reading(sheet: pd.DataFrame) -> Prose:
    """Say what the figures carry.

    Parameters
    ----------
    sheet : DataFrame
        As `tear_sheet.sheet` gives it.
    """
    found = sheet.set_index("metric")[["value", "low", "high"]].T
    if np.isnan(found["sharpe_ratio"]["value"]):
        return prose("No day has moved the account: there is nothing to put on a yearly scale yet.")
    said = []
    for metric, words in (("annualised_return", "The return a year"), ("sharpe_ratio", "The Sharpe ratio")):
        row, how = found[metric], format_of(metric)
        if np.isnan(row["low"]):
            said.append(f"{words} is {formatted(row['value'], how)}, of too few days for an interval.")
            continue
        side = "above 0" if row["low"] > 0 else "below 0" if row["high"] < 0 else "not to be told from 0"
        said.append(
            f"{words} is {formatted(row['value'], how)} (95 % {interval(row['low'], row['high'], how)}): {side}."
        )
    tail = found.loc["value"]
    said.append(
        f"One day in twenty lost at least {formatted(-tail['value_at_risk'], 'percent')}, and those days "
        f"{formatted(-tail['conditional_value_at_risk'], 'percent')} on average."
    )
    return prose(" ".join(said))


def months_reading(months: pd.DataFrame) -> Prose:
    """Say how many months gained, and how often the account led.

    Parameters
    ----------
    months : DataFrame
        As `tear_sheet_days.by_month` gives it.
    """
    ordered = months.sort_values([ACCOUNT, "month"])
    best, worst = ordered.iloc[-1], ordered.iloc[0]
    led = ", ".join(
        f"{NAMES[name]} in {int((months[ACCOUNT] > months[name]).sum())}"
        for name in (FROZEN, BUY_AND_HOLD)
        if name in months
    )
    return prose(
        f"{int((months[ACCOUNT] > 0).sum())} of {len(months)} months gained; best {best['month']:%Y-%m} "
        f"({formatted(best[ACCOUNT], 'signed_percent')}), worst {worst['month']:%Y-%m} "
        f"({formatted(worst[ACCOUNT], 'signed_percent')}). The account was ahead of {led}."
    )


def drawdowns_reading(daily: pd.DataFrame) -> Prose:
    """Say how deep, how long, and whether it still lasts.

    Parameters
    ----------
    daily : DataFrame
        As `outcome_analysis.book_days` gives it.
    """
    worst = worst_drawdowns(daily, top=len(daily))
    if worst.empty:
        return prose("The account has never ended a day below its highest equity.")
    lasting = worst[worst["recovered_on"].isna()]
    now = (
        f"The account is below its highest equity since {lasting['since'].iloc[0]:%Y-%m-%d}, by "
        f"{formatted(daily['drawdown'].iloc[-1], 'percent')} at the end."
        if len(lasting)
        else "The account ends at its highest equity."
    )
    under = int(worst["days"].sum())
    return prose(
        f"{len(worst)} drawdowns; {under:,} of {len(daily):,} days ended below the highest equity, the longest stretch "
        f"lasted {int(worst['days'].max()):,} days. {now}"
    )


def rolling_reading(rolling: pd.DataFrame, *, days: int, periods_per_year: float) -> Prose:
    """Say how the rolling ratio moved, and how often it could be told from 0.

    Parameters
    ----------
    rolling : DataFrame
        As `tear_sheet_days.rolling` gives it.
    days : int
        Of the history.
    periods_per_year : float
        Trading days a year of the market.
    """
    window = window_days(periods_per_year)
    if len(rolling) < 2:
        return prose(f"The window is {window} trading days and the history has {days}: nothing is drawn yet.")
    ratio = rolling[f"sharpe_{ACCOUNT}"]
    clear = int(((rolling["sharpe_low"] > 0) | (rolling["sharpe_high"] < 0)).sum())
    return prose(
        f"The Sharpe ratio of {window} days ran from {formatted(ratio.min(), 'signed')} to "
        f"{formatted(ratio.max(), 'signed')}; its interval left 0 out on {clear} of {len(rolling):,} days, where "
        f"about {round(0.05 * len(rolling))} would by chance, mostly next to each other. The volatility ran from "
        f"{formatted(rolling[f'volatility_{ACCOUNT}'].min(), 'percent')} to "
        f"{formatted(rolling[f'volatility_{ACCOUNT}'].max(), 'percent')} a year."
    )


def against_reading(against: pd.DataFrame) -> Prose:
    """Say whether the account moves with the market, and whether it made more than that.

    Parameters
    ----------
    against : DataFrame
        As `tear_sheet.against` gives it.
    """
    said = []
    for name, part in against.groupby("against", sort=False):
        row = part.set_index("metric")
        beta, alpha = row.loc["beta"], row.loc["alpha"]
        if np.isnan(beta["low"]):
            said.append(f"Too few days to say how the account moves beside {NAMES[str(name)]}.")
            continue
        with_it = "with" if beta["low"] > 0 else "against" if beta["high"] < 0 else "neither with nor against"
        more = "more than chance" if alpha["low"] > 0 else "a loss beyond chance" if alpha["high"] < 0 else "not shown"
        said.append(
            f"The account moves {with_it} {NAMES[str(name)]} (beta {formatted(beta['value'], 'number')}, 95 % "
            f"{interval(beta['low'], beta['high'], 'number')}); what it made beside that: "
            f"{formatted(alpha['value'], 'signed_percent')} a year "
            f"(95 % {interval(alpha['low'], alpha['high'], 'signed_percent')}), {more}."
        )
    return prose(*said)


def conclusion(sheet: pd.DataFrame, against: pd.DataFrame) -> Callout:
    """Put the sheet into three sentences.

    Parameters
    ----------
    sheet : DataFrame
        As `tear_sheet.sheet` gives it.
    against : DataFrame
        As `tear_sheet.against` gives it.
    """
    found = sheet.set_index("metric")[["value", "low", "high", "n"]].astype(float)
    ratio = found.T["sharpe_ratio"]
    if np.isnan(ratio["value"]):
        return callout("The account has not moved yet: there are no returns to judge.")
    verdict = (
        "The account has made money, more than chance at one look."
        if ratio["low"] > 0
        else "The account has lost money, more than chance at one look."
        if ratio["high"] < 0
        else "These days do not tell the account's return from 0."
    )
    alpha = against[(against["against"] == BUY_AND_HOLD) & (against["metric"] == "alpha")].iloc[0]
    return callout(
        verdict,
        f"Sharpe ratio {formatted(ratio['value'], 'number')} (95 % {interval(ratio['low'], ratio['high'], 'number')}), "
        f"{formatted(found['value']['annualised_return'], 'signed_percent')} a year at a volatility of "
        f"{formatted(found['value']['volatility'], 'percent')}, deepest drawdown "
        f"{formatted(found['value']['max_drawdown'], 'percent')}, over {int(ratio['n']):,} days. Beside buy and hold "
        f"it made {formatted(alpha['value'], 'signed_percent')} a year "
        f"(95 % {interval(alpha['low'], alpha['high'], 'signed_percent')}).",
    )
