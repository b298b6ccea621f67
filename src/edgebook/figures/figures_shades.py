"""Tables of values as shades of a colour that let the paper of the page shine through: they serve light and dark alike.

The shades are rectangles, one shape a level, and neighbours of a row on one level are one rectangle: a few kilobytes,
where an image would neither follow the colours of the page nor be sharp in print.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.pages.figures_palette import PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVELS = 16
"""Shades from nothing to the full colour."""


def draw_shades(
    values: np.ndarray, *, ax: Axes, shade: str, ceiling: float, below: str | None = None, levels: int = LEVELS
) -> None:
    """Draw a matrix as shades, the first row on top, each cell one unit wide and centred on its row and column.

    Parameters
    ----------
    values : array, shape (rows, columns)
        Missing ones are left out.
    ax : Axes
        Its limits are set.
    shade : str
        Colour of values above 0.
    ceiling : float
        Value that has the whole colour; greater ones too.
    below : str, optional
        Colour of values below 0; without it they are left out.
    levels : int
        Number of shades of each colour.
    """
    share = np.nan_to_num(np.asarray(values, dtype=float)) / (ceiling or 1.0)
    level = np.sign(share) * np.minimum(np.round(np.abs(share) * levels), levels)
    for colour, side in ((shade, 1), (below, -1)):
        if colour is None:
            continue
        for number in range(1, levels + 1):
            _add_cells(_runs(level == side * number), ax=ax, shade=colour, alpha=number / levels)
    rows, columns = share.shape
    ax.set_xlim(-0.5, columns - 0.5)
    ax.set_ylim(rows - 0.5, -0.5)


def draw_gaps(shape: tuple[int, int], *, ax: Axes) -> None:
    """Part the cells of `draw_shades` by the colour of the paper.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    ax : Axes
    """
    for y in np.arange(0.5, shape[0] - 1):
        ax.axhline(y, color=PAPER, linewidth=2)
    for x in np.arange(0.5, shape[1] - 1):
        ax.axvline(x, color=PAPER, linewidth=2)


def _runs(here: np.ndarray) -> list[tuple[int, int, int]]:
    """Row, first column and column after the last of every unbroken run of a row.

    Examples
    --------
    >>> _runs(np.array([[True, True, False, True]]))
    [(0, 0, 2), (0, 3, 4)]
    """
    padded = np.pad(here.astype(np.int8), ((0, 0), (1, 1)))
    change = np.diff(padded, axis=1)
    rows, starts = np.nonzero(change == 1)
    _, ends = np.nonzero(change == -1)
    return [(int(row), int(a), int(b)) for row, a, b in zip(rows, starts, ends, strict=True)]


def _add_cells(runs: list[tuple[int, int, int]], *, ax: Axes, shade: str, alpha: float) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    if not runs:
        return
    corners = [
        [(a - 0.5, row - 0.5), (b - 0.5, row - 0.5), (b - 0.5, row + 0.5), (a - 0.5, row + 0.5), (a - 0.5, row - 0.5)]
        for row, a, b in runs
    ]
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(runs)
    shape = Path(np.concatenate(corners), codes)
    cells = PathPatch(shape, facecolor=shade, alpha=alpha, edgecolor="none", linewidth=0, clip_on=False, gid="cells")
    ax.add_patch(cells)
