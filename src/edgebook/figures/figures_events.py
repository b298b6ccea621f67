"""Marks on curves over time: what happened to the recipes of a history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgebook.figures.figures import FAINT, SOFT, colour, styled
from edgebook.figures.figures_axes import times
from edgebook.pages.figures_palette import PAPER

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@styled
def draw_events(events: pd.DataFrame, *, ax: Axes, named: bool) -> None:
    """Mark what happened to the recipes: a change of champion as a line, admissions and ends as a tick.

    Parameters
    ----------
    events : DataFrame
        As `learning_curve.history_events` gives it.
    ax : Axes
        With a time axis.
    named : bool
        Whether the marks carry their words.
    """
    from matplotlib.dates import date2num

    if events.empty:
        return
    low, high = ax.get_xlim()
    for number, (_, event) in enumerate(events.groupby("week", sort=True)):
        change = bool(event["change"].any())
        at = times(event["week"])[0]
        shade = colour("challenger") if change else FAINT
        ax.axvline(
            at, color=shade, linewidth=1.1 if change else 0.8, linestyle="-" if change else (0, (1, 2)), zorder=1
        )
        if named:
            text = ", ".join(f"{row['recipe']} {row['kind']}" for _, row in event.iterrows())
            # Near the right edge the words would run into the names of the lines.
            late = date2num(at) > low + 0.8 * (high - low)
            ax.annotate(
                text, xy=(at, 0), xycoords=("data", "axes fraction"), xytext=(-3 if late else 3, 3 + 9 * (number % 3)),
                textcoords="offset points", ha="right" if late else "left", fontsize=7, color=SOFT,
                bbox={"boxstyle": "square,pad=0.1", "facecolor": PAPER, "edgecolor": "none", "alpha": 0.85},
            )  # fmt: skip
