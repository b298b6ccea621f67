"""Figures of books over time: equity, drawdown, the gate's wealth, and anything that has one value a week."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.figures.figures import FAINT, HAIR, SOFT, colour, line_colours, styled, words
from edgebook.figures.figures_axes import end_labels, nothing_yet, percent_axis, time_axis, times, titled
from edgebook.pages.figures_palette import PAPER

FORMER = ("#66727f", "#1f9e89", "#7b4f9d", "#999933", "#aa4499")
"""Colours, in order, of challengers that are no longer on trial."""

ON_WHITE = {"boxstyle": "square,pad=0.1", "facecolor": PAPER, "edgecolor": "none", "alpha": 0.85}
"""Behind words that stand on lines."""

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@styled
def draw_equity(
    equity: pd.DataFrame, *, ax: Axes, start: float, title: str = "Equity of the books, net of costs"
) -> None:
    """Draw the equity of each arm as a return on the starting capital.

    Parameters
    ----------
    equity : DataFrame
        One row a day (UTC index), one column an arm, account currency. The first column is drawn on top.
    ax : Axes
    start : float
        Starting capital, same currency.
    title : str
    """
    if not equity.notna().to_numpy().any():
        return nothing_yet(ax, title=title)
    days = times(equity.index)
    ends = {}
    for name, shade in reversed(list(zip(equity.columns, line_colours(list(equity.columns)), strict=True))):
        returns = equity[name].to_numpy(dtype=float) / start - 1
        first = name == equity.columns[0]
        ax.plot(days, returns, color=shade, linewidth=1.9 if first else 1.3, zorder=3 if first else 2)
        ends[f"{words(name)} {returns[-1] * 100:+.1f} %".replace("-", "−")] = (returns[-1], shade)
    ax.axhline(0, color=FAINT, linewidth=0.8)
    percent_axis(ax.yaxis)
    ax.set_ylabel("return on starting capital")
    time_axis(ax)
    titled(ax, title)
    end_labels(ax, ends=ends)


@styled
def draw_drawdown(equity: pd.DataFrame, *, ax: Axes, limit: float | None = None) -> None:
    """Draw how far each arm's book is below its own highest equity.

    Parameters
    ----------
    equity : DataFrame
        As in `draw_equity`; the first column is filled.
    ax : Axes
    limit : float, optional
        The goal for the worst drawdown, a positive fraction: a dashed line.
    """
    if not equity.notna().to_numpy().any():
        return nothing_yet(ax, title="")
    days = times(equity.index)
    for name, shade in reversed(list(zip(equity.columns, line_colours(list(equity.columns)), strict=True))):
        values = equity[name].to_numpy(dtype=float)
        depth = values / np.maximum.accumulate(values) - 1
        if name == equity.columns[0]:
            ax.fill_between(days, depth, 0, color=shade, alpha=0.22, linewidth=0)
        ax.plot(days, depth, color=shade, linewidth=1.1)
    if limit is not None:
        ax.axhline(-limit, color=colour("loss"), linewidth=1, linestyle=(0, (4, 3)))
        ax.annotate(
            f"goal: above −{limit * 100:.0f} %", xy=(0, -limit), xycoords=("axes fraction", "data"), xytext=(3, 3),
            textcoords="offset points", color=colour("loss"), fontsize=7.5, bbox=ON_WHITE,
        )  # fmt: skip
    ax.set_ylim(top=0)
    percent_axis(ax.yaxis)
    ax.set_ylabel("drawdown")
    time_axis(ax)


@styled
def draw_wealth(
    wealth: pd.DataFrame,
    *,
    ax: Axes,
    bar: float,
    rollback_bar: float | None = None,
    title: str = "Evidence for the challenger",
    meaning: str = "challenger",
    bar_label: str = "promote at",
) -> None:
    """Draw the gate's wealth on a log scale, and the bar it has to cross.

    Parameters
    ----------
    wealth : DataFrame
        One row a day, one column a challenger; 1 at admission, missing before it and after its end.
    ax : Axes
    bar : float
        Wealth at which a challenger is promoted.
    rollback_bar : float, optional
        Wealth of the opposite bet at which the champion is rolled back.
    title : str
    meaning : str
        Whose colour a trial that goes on has.
    bar_label : str
        What the bar says before its number.
    """
    if not wealth.notna().to_numpy().any():
        return nothing_yet(ax, title=title)
    days = times(wealth.index)
    former = iter(FORMER * (1 + wealth.shape[1] // len(FORMER)))
    ends = {}
    for name in wealth.columns:
        values = wealth[name].to_numpy(dtype=float)
        known = np.flatnonzero(np.isfinite(values))
        if not len(known):
            continue
        last = known[-1]
        on_trial = last == len(values) - 1
        shade = colour(meaning) if on_trial else next(former)
        ax.plot(days, values, color=shade, linewidth=1.8 if on_trial else 1.2, zorder=3)
        if on_trial:
            ends[f"{words(name)} {values[last]:.2g}"] = (values[last], shade)
        else:
            ax.plot(days[last], values[last], "o", color=shade, markersize=4, zorder=4)
            ax.annotate(
                words(name),
                xy=(days[last], values[last]),
                xytext=(4, 4),
                textcoords="offset points",
                color=shade,
                fontsize=7.5,
            )
    ax.set_yscale("log")
    seen = wealth.to_numpy(dtype=float)
    low = min(0.3, float(np.nanmin(seen)) / 1.5) if np.isfinite(seen).any() else 0.3
    ax.set_ylim(low, max(bar * 1.6, float(np.nanmax(seen)) * 1.5 if np.isfinite(seen).any() else 0))
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.yaxis.set_minor_formatter(lambda value, _: "")
    ax.axhline(1, color=FAINT, linewidth=0.8)
    bars = [(bar, f"{bar_label} {bar:g}", colour("champion"))]
    if rollback_bar is not None:
        bars.append((rollback_bar, f"rollback at {rollback_bar:g}", SOFT))
    for level, label, shade in bars:
        ax.axhline(level, color=shade, linewidth=1.1, linestyle=(0, (5, 3)))
        ax.annotate(
            label, xy=(0, level), xycoords=("axes fraction", "data"), xytext=(4, 4), textcoords="offset points",
            color=shade, fontsize=8, bbox=ON_WHITE,
        )  # fmt: skip
    ax.set_ylabel("wealth (1 at admission, log scale)")
    time_axis(ax)
    titled(ax, title)
    end_labels(ax, ends=ends)


@styled
def draw_weeks(
    values: pd.DataFrame,
    *,
    ax: Axes,
    title: str,
    unit: str,
    low: pd.DataFrame | None = None,
    high: pd.DataFrame | None = None,
    reference: tuple[float, str] | None = None,
    percent: bool = True,
) -> None:
    """Draw one line a column over the weeks, with its interval as a band.

    Parameters
    ----------
    values : DataFrame
        One row a week (UTC index), one column a line; missing where there is no value yet.
    ax : Axes
    title, unit : str
        The unit goes on the axis.
    low, high : DataFrame, optional
        Ends of the intervals, same index; columns that are not in them get no band.
    reference : (float, str), optional
        A level and its name: break-even, a goal.
    percent : bool
        Whether values are fractions to be written as percent.
    """
    if not values.notna().to_numpy().any():
        return nothing_yet(ax, title=title)
    weeks = times(values.index)
    ends = {}
    for name, shade in reversed(list(zip(values.columns, line_colours(list(values.columns)), strict=True))):
        line = values[name].to_numpy(dtype=float)
        if low is not None and high is not None and name in low.columns:
            ends_low, ends_high = low[name].to_numpy(dtype=float), high[name].to_numpy(dtype=float)
            ax.fill_between(weeks, ends_low, ends_high, color=shade, alpha=0.15, linewidth=0)
        ax.plot(weeks, line, color=shade, linewidth=1.9 if name == values.columns[0] else 1.4)
        known = np.flatnonzero(np.isfinite(line))
        if len(known):
            last = line[known[-1]]
            shown = f"{last * 100:.1f} %" if percent else f"{last:.2f}"
            ends[f"{words(name)} {shown}".replace("-", "−")] = (last, shade)
    if reference is not None:
        level, label = reference
        ax.axhline(level, color=SOFT, linewidth=1, linestyle=(0, (5, 3)))
        ends[label] = (level, SOFT)
    if percent:
        percent_axis(ax.yaxis)
    ax.set_ylabel(unit)
    ax.grid(True, axis="y", color=HAIR)
    time_axis(ax)
    titled(ax, title)
    end_labels(ax, ends=dict(reversed(list(ends.items()))))
