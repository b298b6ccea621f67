"""Figure of states over time: one row a thing, one column a date, one colour a state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgebook.figures.figures import INK, styled, words
from edgebook.figures.figures_axes import legend_above, nothing_yet, titled

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes


@styled
def draw_states(
    states: pd.DataFrame, *, ax: Axes, title: str, shades: Mapping[str, str], labels: Mapping[str, str]
) -> None:
    """Draw which state each row was in at each date.

    Parameters
    ----------
    states : DataFrame
        Rows and columns as they are to stand, top down and left to right; values are keys of `shades`.
    ax : Axes
    title : str
    shades, labels : mapping of str to str
        Colour of each state, and its words for the legend.
    """
    if states.empty:
        return nothing_yet(ax, title=title)
    rows, columns = states.shape
    for state, shade in shades.items():
        place = [(row, column) for row in range(rows) for column in range(columns) if states.iat[row, column] == state]
        place = place or [(-9, 0)]  # out of sight: a state that nothing was in has its colour in the legend
        ax.bar(
            [column for _, column in place], 0.84, bottom=[row - 0.42 for row, _ in place], width=0.94, color=shade,
            label=labels[state],
        )  # fmt: skip
    ax.set_xticks(range(columns), [str(name) for name in states.columns])
    ax.set_yticks(range(rows), [words(str(name)) for name in states.index])
    for text in ax.get_yticklabels():
        text.set_color(INK)
    ax.set_xlim(-0.55, columns - 0.45)
    ax.set_ylim(rows - 0.4, -0.6)
    ax.grid(False)
    ax.tick_params(length=0)
    ax.spines["bottom"].set_visible(False)
    titled(ax, title, legend_rows=1)
    legend_above(ax)
