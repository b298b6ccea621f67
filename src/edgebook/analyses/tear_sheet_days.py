"""Daily returns of the account and of what it is held against, and what they make by month and by window.

A row carries the day on which its return was earned, and was known at that day's end (24:00 UTC). The account follows
the champion: a promotion or a rollback that a Monday's seal decides changes what it holds from that Monday on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.analyses.outcome_analysis import book_days
from edgebook.analyses.tracks import ACCOUNT, FROZEN, frozen_recipe
from edgebook.statistics.ratios import daily_ratio_interval

if TYPE_CHECKING:
    from edgebook.seals.week import Week

BUY_AND_HOLD = "buy_and_hold"
DECIMALS = 9
DAY = pd.Timedelta("1D")


def daily_returns(week: Week) -> pd.DataFrame:
    """Net daily returns of the account, of the frozen first policy, and of buying and holding every pair.

    Parameters
    ----------
    week : Week

    Returns
    -------
    DataFrame
        Index: the day, UTC. Columns: account, frozen (where the history has such an arm), buy_and_hold; shares of the
        equity at the day's begin. Days on which no pair had a bar are left out, as `periods_per_year` does not count
        them; what a book made on them is in the next day's return.
    """
    books = {ACCOUNT: book_days(week.days, arm=ACCOUNT)}
    frozen = frozen_recipe(week.seals)
    if frozen is not None:
        books[FROZEN] = book_days(week.days, arm=frozen)
    found = pd.DataFrame({name: days.set_index("date")["return_ratio"] for name, days in books.items()})
    cost = week.seals[0].head["settings"]["cost"]
    found[BUY_AND_HOLD] = buy_and_hold(week.bars, days=pd.DatetimeIndex(found.index), side_cost=float(cost))
    return on_trading_days(found.astype(float), traded=trading_days(week.bars)).round(DECIMALS)


def buy_and_hold(bars: pd.DataFrame, *, days: pd.DatetimeIndex, side_cost: float) -> pd.Series[Any]:
    """Daily return of equal money put into each pair before the first day, and never touched again.

    Parameters
    ----------
    bars : DataFrame
        pair, timeframe, date (UTC, at the bar's close), close. A pair without a bar before the first day is not bought.
    days : DatetimeIndex
        UTC midnights at which days begin, one after the other.
    side_cost : float
        Fee and slippage of the purchase, a share of its value; it weighs on the first day. Nothing is sold.

    Returns
    -------
    Series
        By day; 0 when no pair could be bought.
    """
    closes = bars.sort_values("date", kind="stable").pivot_table(
        index="date", columns="pair", values="close", aggfunc="last"
    )
    ends = days.append(days[-1:] + DAY) if len(days) else days
    prices = closes.reindex(closes.index.union(ends)).ffill().loc[ends]
    prices = prices.loc[:, prices.iloc[0].notna()]
    if prices.empty:
        return pd.Series(0.0, index=days)
    worth = (prices / prices.iloc[0]).mean(axis=1).to_numpy() / (1 + side_cost)
    worth[0] = 1.0
    return pd.Series(worth[1:] / worth[:-1] - 1, index=days)


def trading_days(bars: pd.DataFrame) -> pd.DatetimeIndex:
    """Days in which at least one bar closed; a bar that closes at midnight belongs to the day that it ends."""
    return pd.DatetimeIndex((bars["date"] - pd.Timedelta("1ms")).dt.floor("D").unique()).sort_values()


def on_trading_days(returns: pd.DataFrame, *, traded: pd.DatetimeIndex) -> pd.DataFrame:
    """Leave out days without trading; their returns compound into the next day that has some.

    Parameters
    ----------
    returns : DataFrame
        By day, UTC, in order.
    traded : DatetimeIndex
        As `trading_days` gives them.

    Returns
    -------
    DataFrame
        What is left after the last trading day goes to that one.
    """
    kept = pd.DatetimeIndex(returns.index.intersection(traded))
    if len(kept) in (0, len(returns)):
        return returns
    place = np.minimum(kept.searchsorted(pd.DatetimeIndex(returns.index)), len(kept) - 1)
    compounded = (1 + returns).groupby(place).prod() - 1
    return compounded.set_axis(kept, axis=0)


def equity(returns: pd.DataFrame) -> pd.DataFrame:
    """Worth of 1 put in before the first day; its first row is that start, a day before."""
    start = pd.DatetimeIndex(returns.index[:1]) - DAY
    return pd.concat([pd.DataFrame(1.0, index=start, columns=returns.columns), (1 + returns).cumprod()])


def by_month(returns: pd.DataFrame) -> pd.DataFrame:
    """Compounded returns of each calendar month (UTC).

    Parameters
    ----------
    returns : DataFrame
        As `daily_returns` gives it.

    Returns
    -------
    DataFrame
        month (its first day, UTC), days, whole (False where the history begins or ends inside it), then a column a
        book.
    """
    days = pd.DatetimeIndex(returns.index)
    month = days.tz_convert(None).to_period("M")
    found = (1 + returns).groupby(month).prod() - 1
    first = pd.PeriodIndex(found.index).to_timestamp().tz_localize("UTC")
    begins, ends = days.min(), days.max() + DAY
    # A month of sessions may begin on a weekend: four days are the longest that a market is shut.
    slack = pd.Timedelta("4D") if len(days) < (ends - begins) / DAY else pd.Timedelta(0)
    after = (pd.PeriodIndex(found.index) + 1).to_timestamp().tz_localize("UTC")
    whole = (begins <= first + slack) & (ends >= after - slack)
    counts = returns.groupby(month).size().to_numpy()
    head = pd.DataFrame({"month": first, "days": counts, "whole": whole})
    return pd.concat([head, found.reset_index(drop=True).round(DECIMALS)], axis=1)


def window_days(periods_per_year: float) -> int:
    """Trading days of a quarter: how far the rolling figures look back."""
    return round(periods_per_year / 4)


def rolling(returns: pd.DataFrame, *, periods_per_year: float) -> pd.DataFrame:
    """Sharpe ratio and volatility of the last quarter, at each day's end.

    Parameters
    ----------
    returns : DataFrame
        As `daily_returns` gives it.
    periods_per_year : float
        Trading days a year of the market.

    Returns
    -------
    DataFrame
        One row a day whose window is full, none before; index as in `returns`. Columns: sharpe_<book>,
        volatility_<book>, and sharpe_low, sharpe_high: the 95 % interval of the account's at that single look.
    """
    days = window_days(periods_per_year)
    year = np.sqrt(periods_per_year)
    spread = returns.rolling(days).std()
    ratio = (returns.rolling(days).mean() / spread.where(spread > 1e-12)) * year
    found = pd.concat([ratio.add_prefix("sharpe_"), (spread * year).add_prefix("volatility_")], axis=1).iloc[days - 1 :]
    own = returns[ACCOUNT].to_numpy(dtype=float)
    looks = [
        daily_ratio_interval(own[last - days : last], periods_per_year=periods_per_year)
        for last in range(days, len(own) + 1)
    ]
    ends = {"sharpe_low": [look.low for look in looks], "sharpe_high": [look.high for look in looks]}
    shown: pd.DataFrame = found.assign(**ends).astype(float)
    return shown.round(6)
