"""Pictures of the tear sheet: growth and drawdown, months, the distribution of days, the rolling quarter."""

from __future__ import annotations

import numpy as np
import pandas as pd

from edgebook.analyses.tear_sheet_days import BUY_AND_HOLD, equity, window_days
from edgebook.analyses.tracks import ACCOUNT, FROZEN
from edgebook.figures.figures import FAINT, INK, SOFT, Picture, canvas, colour, picture, styled
from edgebook.figures.figures_axes import (
    count_axis,
    end_labels,
    legend_above,
    nothing_yet,
    percent_axis,
    time_axis,
    times,
    titled,
)
from edgebook.figures.figures_events import draw_events
from edgebook.files.formats import formatted
from edgebook.statistics.drawdowns import drawdown

SHADES = {ACCOUNT: colour("champion"), FROZEN: colour("frozen"), BUY_AND_HOLD: colour("baseline")}
NAMES = {ACCOUNT: "account", FROZEN: "frozen", BUY_AND_HOLD: "buy and hold"}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DEEPEST_SHADE = 0.6
"""Opacity of the month with the largest return either way: letters on it stay readable."""


@styled
def growth_picture(returns: pd.DataFrame, *, events: pd.DataFrame) -> Picture:
    """Draw the cumulative return of each book over how far it is below its highest equity.

    Parameters
    ----------
    returns : DataFrame
        As `tear_sheet_days.daily_returns` gives it.
    events : DataFrame
        As `learning_curve.history_events` gives it.
    """
    figure, (above, below) = canvas(height_in=5.0, ratios=(1.7, 1))
    worth = equity(returns)
    days, ends = times(worth.index), {}
    for name in reversed(worth.columns):
        values = worth[name].to_numpy(dtype=float)
        lost = -drawdown(values)
        width = 1.9 if name == ACCOUNT else 1.2
        above.plot(days, values - 1, color=SHADES[name], linewidth=width)
        below.plot(days, lost, color=SHADES[name], linewidth=width * 0.7)
        ends[f"{NAMES[name]} {formatted(values[-1] - 1, 'signed_percent')}"] = (values[-1] - 1, SHADES[name])
        if name == ACCOUNT:
            below.fill_between(days, lost, 0, color=SHADES[name], alpha=0.22, linewidth=0)
    above.axhline(0, color=FAINT, linewidth=0.8)
    for ax, unit in ((above, "cumulative return"), (below, "below the peak")):
        percent_axis(ax.yaxis)
        ax.set_ylabel(unit)
        time_axis(ax)
    below.set_ylim(top=0)
    low, high = above.get_ylim()
    above.set_ylim(bottom=low - 0.12 * (high - low))  # the words of the events stand there
    draw_events(events, ax=above, named=True)
    titled(above, "Cumulative return, and drawdown below the highest equity so far")
    end_labels(above, ends=ends)
    return picture(
        figure,
        caption=f"Net of costs, at each day's end, n = {len(returns):,} days. Buy and hold: equal money in each pair "
        "before the first day, bought once, never touched. Lines down: what happened to the recipes.",
    )


@styled
def months_picture(months: pd.DataFrame) -> Picture:
    """Draw the account's return of each calendar month, a year a row.

    Parameters
    ----------
    months : DataFrame
        As `tear_sheet_days.by_month` gives it.
    """
    from matplotlib.patches import Rectangle

    years = sorted(set(months["month"].dt.year))
    figure, (ax,) = canvas(height_in=1.0 + 0.42 * len(years))
    largest = float(months[ACCOUNT].abs().max()) or 1.0
    for _, row in months.iterrows():
        x, y, value = row["month"].month - 1, years.index(row["month"].year), float(row[ACCOUNT])
        shade = colour("win" if value > 0 else "loss")
        strength = DEEPEST_SHADE * abs(value) / largest
        ax.add_patch(Rectangle((x + 0.03, y + 0.05), 0.94, 0.9, facecolor=shade, alpha=strength, linewidth=0))
        said = formatted(value, "signed_percent").removesuffix(" %") + ("" if row["whole"] else " *")
        ax.text(x + 0.5, y + 0.5, said, ha="center", va="center", color=INK, fontsize=8)
    for y, year in enumerate(years):
        whole = float((1 + months.loc[months["month"].dt.year == year, ACCOUNT]).prod() - 1)
        said = formatted(whole, "signed_percent").removesuffix(" %")
        ax.text(12.5, y + 0.5, said, ha="center", va="center", color=INK, fontsize=8, fontweight="bold")
    ax.set_xlim(0, 13)
    ax.set_ylim(len(years), 0)
    ax.set_xticks(np.arange(13) + 0.5, [*MONTHS, "year"])
    ax.set_yticks(np.arange(len(years)) + 0.5, [str(year) for year in years])
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.grid(False)
    for side in ("top", "bottom"):
        ax.spines[side].set_visible(False)
    titled(ax, "Return of each calendar month, in %", legend_rows=1)
    return picture(
        figure,
        caption=f"Account, net of costs, compounded within the month (UTC), n = {len(months)} months. Blue gained, "
        "brown lost, stronger is more. *: the history begins or ends inside the month.",
    )


@styled
def distribution_picture(returns: pd.DataFrame, sheet: pd.DataFrame) -> Picture:
    """Draw the distribution of the account's days, and the normal one of the same mean and deviation.

    Parameters
    ----------
    returns : DataFrame
        As `tear_sheet_days.daily_returns` gives it.
    sheet : DataFrame
        As `tear_sheet.sheet` gives it.
    """
    from matplotlib.ticker import MaxNLocator
    from scipy.stats import norm

    figure, (ax,) = canvas(height_in=3.3)
    title = "Returns of a day"
    own = returns[ACCOUNT].to_numpy(dtype=float)
    values = own[own != 0]
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    if not spread > 0:
        nothing_yet(ax, title=title)
        return picture(figure, caption="No day has moved the equity.")
    edge = float(np.ceil(np.abs(values).max() / spread * 4)) / 4 * spread
    edges = np.linspace(-edge, edge, 2 * round(edge / spread * 4) + 1)
    counts, _ = np.histogram(values, bins=edges)
    middles, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    for name, side in (("loss", middles < 0), ("win", middles > 0)):
        ax.bar(middles[side], counts[side], width=width * 0.88, color=colour(name))
    grid = np.linspace(-edge, edge, 121)
    bell = norm.pdf(grid, values.mean(), spread) * width * len(values)
    ax.plot(grid, bell, color=SOFT, linewidth=1.1, label="normal, same mean and deviation")
    found = sheet.set_index("metric")["value"]
    for metric, dashes, label in (
        ("value_at_risk", (4, 2), "5 % of days fall short of"),
        ("conditional_value_at_risk", (1, 2), "and then make on average"),
    ):
        at = float(found[metric])
        ax.axvline(at, color=INK, linewidth=1.1, linestyle=(0, dashes), label=f"{label} {formatted(at, 'percent')}")
    ax.xaxis.set_major_locator(MaxNLocator(9, steps=[1, 2, 5, 10]))
    percent_axis(ax.xaxis, places=1 if edge < 0.04 else 0)
    ax.set_xlabel("net return of a day; bars are a quarter of a standard deviation wide")
    ax.set_ylabel("days")
    count_axis(ax.yaxis)
    titled(ax, title, legend_rows=1)
    legend_above(ax, columns=3)
    return picture(
        figure,
        caption=f"Account, n = {len(values):,} days that moved the equity; {len(own) - len(values):,} did not and are "
        f"not drawn. Of all: skew {formatted(found['skew'], 'signed')}, excess kurtosis "
        f"{formatted(found['kurtosis'], 'signed')}; a normal distribution has 0 and 0.",
    )


@styled
def rolling_picture(rolling: pd.DataFrame, *, periods_per_year: float) -> Picture:
    """Draw the Sharpe ratio of the last quarter with its interval, over the volatility.

    Parameters
    ----------
    rolling : DataFrame
        As `tear_sheet_days.rolling` gives it.
    periods_per_year : float
        Trading days a year of the market.
    """
    figure, (above, below) = canvas(height_in=4.6, ratios=(1.4, 1))
    window = window_days(periods_per_year)
    title = f"Sharpe ratio and volatility of the last {window} trading days"
    if len(rolling) < 2:
        nothing_yet(above, title=title)
        nothing_yet(below, title="")
        return picture(figure, caption=f"Fewer than two days have {window} days behind them.")
    days = times(rolling.index)
    above.fill_between(
        days, rolling["sharpe_low"], rolling["sharpe_high"], color=SHADES[ACCOUNT], alpha=0.16, linewidth=0
    )
    shown = [name for name in SHADES if f"sharpe_{name}" in rolling]
    for ax, figure_name in ((above, "sharpe"), (below, "volatility")):
        ends = {}
        for name in reversed(shown):
            values = rolling[f"{figure_name}_{name}"].to_numpy(dtype=float)
            ax.plot(days, values, color=SHADES[name], linewidth=1.8 if name == ACCOUNT else 1.1)
            if np.isfinite(values[-1]):
                said = formatted(values[-1], "signed" if ax is above else "percent")
                ends[f"{NAMES[name]} {said}"] = (values[-1], SHADES[name])
        end_labels(ax, ends=ends)
    above.axhline(0, color=INK, linewidth=0.9)
    above.set_ylabel("Sharpe ratio, a year")
    below.set_ylim(bottom=0)
    percent_axis(below.yaxis)
    below.set_ylabel("volatility, a year")
    time_axis(below)
    titled(above, title)
    return picture(
        figure,
        caption=f"Drawn from the first day with {window} days behind it, n = {len(rolling):,} days; neighbours share "
        "nearly all their days. Band: 95 % interval of the account's ratio at each single look.",
    )
