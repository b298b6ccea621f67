"""Figures of regimes: the price under them, how they follow each other, shares over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.figures.figures import INK, SOFT, colour, line_colours, styled, words
from edgebook.figures.figures_axes import end_labels, legend_above, nothing_yet, percent_axis, time_axis, times, titled
from edgebook.figures.figures_shades import draw_gaps, draw_shades
from edgebook.pages.figures_palette import PAPER

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

REGIMES = ("trending_bullish", "trending_bearish", "ranging", "volatile")


@styled
def draw_regime_price(bars: pd.DataFrame, *, ax: Axes, title: str, most: int = 2500) -> None:
    """Draw closes on a log scale, each step in the colour of the regime it ended in.

    Parameters
    ----------
    bars : DataFrame
        One row a bar in time order: ``date``, ``close``, ``regime``.
    ax : Axes
    title : str
    most : int
        Longer histories are thinned to every k-th bar; the regime is the one at the bar kept.
    """
    if not len(bars):
        return nothing_yet(ax, title=title)
    thin = bars.iloc[:: max(1, -(-len(bars) // most))]
    days, close = times(thin["date"]), thin["close"].to_numpy(dtype=float)
    regime = thin["regime"].to_numpy()
    share = bars["regime"].value_counts(normalize=True)
    for name in REGIMES:
        ends = np.flatnonzero(regime[1:] == name) + 1
        label = f"{words(name)} {share.get(name, 0.0) * 100:.0f} %"
        # a run of steps is one line from the bar before it, and missing points part the runs: one artist a regime
        start = np.flatnonzero(np.diff(ends, prepend=-2) != 1)
        x, y = (
            np.insert(days[ends], start, days[ends[start] - 1]),
            np.insert(close[ends], start, close[ends[start] - 1]),
        )
        gaps = start[1:] + np.arange(1, len(start))
        x, y = np.insert(x, gaps, x[gaps]), np.insert(y, gaps, np.nan)
        ax.plot(x, y, color=colour(name), linewidth=1.25, label=label, solid_capstyle="butt")
    ax.set_yscale("log")
    from matplotlib.ticker import LogLocator, NullFormatter

    wide = np.nanmax(close) > 4 * np.nanmin(close)
    subs = (1.0, 2.0, 5.0) if wide else (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0)
    ax.yaxis.set_major_locator(LogLocator(base=10, subs=subs))
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_ylabel("close (log scale)")
    time_axis(ax)
    titled(ax, title, legend_rows=1)
    legend_above(ax)
    for handle in ax.get_legend().legend_handles:  # type: ignore[union-attr]
        handle.set_linewidth(3)  # type: ignore[union-attr]


@styled
def draw_transitions(
    counts: pd.DataFrame,
    *,
    ax: Axes,
    title: str = "What follows what",
    down: str = "this bar",
    across: str = "next bar",
) -> None:
    """Draw a transition table: share of each row, its count below.

    Parameters
    ----------
    counts : DataFrame
        Square; row is the regime of a bar, column the regime of the next bar, values are counts. Or any two labels of
        the same bars.
    ax : Axes
    title : str
    down, across : str
        What rows and columns are.
    """
    numbers = counts.to_numpy(dtype=float)
    totals = numbers.sum(axis=1, keepdims=True)
    share = np.divide(numbers, totals, out=np.full_like(numbers, np.nan), where=totals > 0)
    draw_shades(np.sqrt(share), ax=ax, shade=colour("champion"), ceiling=1.0)
    for (row, column), value in np.ndenumerate(share):
        dark = np.sqrt(value) > 0.55 if np.isfinite(value) else False
        text = f"{value * 100:.1f} %" if np.isfinite(value) else "n/a"
        ax.text(
            column,
            row - 0.09,
            text,
            ha="center",
            va="center",
            fontsize=9,
            color=PAPER if dark else INK,
            weight="bold",
        )
        below = f"n {int(numbers[row, column]):,}"
        ax.text(column, row + 0.24, below, ha="center", va="center", fontsize=7, color=PAPER if dark else SOFT)
    ax.set_xticks(range(len(counts.columns)), [words(str(name)) for name in counts.columns])
    ax.set_yticks(range(len(counts.index)), [words(str(name)) for name in counts.index])
    ax.set_xlabel(across)
    ax.set_ylabel(down)
    ax.grid(False)
    draw_gaps(share.shape, ax=ax)
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(length=0)
    titled(ax, title)


@styled
def draw_shares(shares: pd.DataFrame, *, ax: Axes, title: str, unit: str = "share") -> None:
    """Draw shares that add up to one, stacked, named at the right.

    Parameters
    ----------
    shares : DataFrame
        One row a date, one column a part (regimes, heads, exit reasons), fractions of one.
    ax : Axes
    title, unit : str
    """
    if not len(shares):
        return nothing_yet(ax, title=title)
    days = times(shares.index)
    values = shares.to_numpy(dtype=float)
    shades = line_colours(list(shares.columns))
    ax.stackplot(days, values.T, colors=shades, linewidth=0.5, edgecolor=PAPER)
    tops = np.nancumsum(values[-1])
    ax.set_ylim(0, 1)
    ax.set_xlim(days[0], days[-1])
    percent_axis(ax.yaxis)
    ax.set_ylabel(unit)
    ax.grid(False)
    time_axis(ax)
    titled(ax, title)
    ends = {
        f"{words(name)} {last * 100:.0f} %": (top - last / 2, shade)
        for name, shade, last, top in zip(shares.columns, shades, values[-1], tops, strict=True)
    }
    end_labels(ax, ends=ends, size=7.5)
