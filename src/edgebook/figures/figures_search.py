"""Figures of searches: trials of a study, slices through it, clusters of correlated indicators, tables of weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.figures.figures import FAINT, INK, SOFT, colour, styled, words
from edgebook.figures.figures_axes import legend_above, nothing_yet, titled
from edgebook.figures.figures_shades import draw_gaps, draw_shades
from edgebook.pages.figures_palette import PAPER

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes


@styled
def draw_history(
    trials: pd.DataFrame,
    *,
    ax: Axes,
    unit: str,
    default: float | None = None,
    title: str = "Every trial, and the best so far",
) -> None:
    """Draw the value of every trial in order, by how it was chosen, under the running best.

    Parameters
    ----------
    trials : DataFrame
        Columns ``number``, ``value`` (higher is better), ``kind`` (``sobol``, ``tpe``, ``grid``, …).
    ax : Axes
    unit : str
        Of the value.
    default : float, optional
        Value of the recipe in force: a dashed line.
    title : str
    """
    if not len(trials):
        return nothing_yet(ax, title=title)
    ordered = trials.sort_values("number")
    shades = dict(zip(dict.fromkeys(ordered["kind"]), ("#9aa5b1", "#d9822b", "#1f9e89", "#7b4f9d"), strict=False))
    for kind, shade in shades.items():
        part = ordered[ordered["kind"] == kind]
        ax.plot(part["number"], part["value"], "o", color=shade, markersize=2.8, label=f"{kind} ({len(part):,})")
    best = np.fmax.accumulate(ordered["value"].to_numpy(dtype=float))
    ax.step(ordered["number"], best, where="post", color=colour("champion"), label=f"best so far ({best[-1]:.3g})")
    if default is not None:
        ax.axhline(default, color=SOFT, linewidth=1, linestyle=(0, (4, 3)), label=f"recipe in force ({default:.3g})")
    ax.set_xlabel("trial")
    ax.set_ylabel(unit)
    titled(ax, title, legend_rows=1)
    legend_above(ax)


@styled
def draw_slice(
    values: np.ndarray,
    scores: np.ndarray,
    *,
    ax: Axes,
    name: str,
    unit: str,
    log: bool = False,
    chosen: float | None = None,
) -> None:
    """Draw the score of every trial against one setting.

    Parameters
    ----------
    values, scores : array, shape (trials,)
        The setting, and what came of it; in the order of the trials, which shades the points.
    ax : Axes
    name, unit : str
        The setting's name; the score's unit, "" on panels after the first.
    log : bool
        Whether the setting was searched on a log scale.
    chosen : float, optional
        The proposed value: a line.
    """
    for part, alpha in zip(np.array_split(np.arange(len(values)), 4), (0.25, 0.45, 0.7, 1.0), strict=True):
        ax.plot(values[part], scores[part], "o", color=colour("champion"), alpha=alpha, markersize=3, markeredgewidth=0)
    if chosen is not None:
        ax.axvline(chosen, color=colour("challenger"), linewidth=1.2)
    if log:
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.xaxis.set_minor_formatter(lambda value, _: "")
    ax.set_ylabel(unit)
    ax.set_title(words(name), loc="left", fontsize=8.5, pad=5)


@styled
def draw_clusters(
    correlation: pd.DataFrame, *, ax: Axes, clusters: Sequence[int], title: str, names: bool = True
) -> None:
    """Draw a matrix of correlations in the order of the clusters, each framed.

    Parameters
    ----------
    correlation : DataFrame
        Square, same names on both sides.
    ax : Axes
    clusters : sequence of int
        Cluster of each row; rows are reordered by it.
    title : str
    names : bool
        Whether each row is named.
    """
    from matplotlib.patches import Rectangle

    labels = np.asarray(clusters)
    order = np.argsort(labels, kind="stable")
    matrix = correlation.to_numpy(dtype=float)[np.ix_(order, order)]
    tones = {"shade": colour("champion"), "below": colour("trending_bearish")}
    draw_shades(matrix, ax=ax, ceiling=1.0, levels=7, **tones)
    start = 0
    for cluster in dict.fromkeys(labels[order]):
        size = int((labels == cluster).sum())
        if size > 1:
            ax.add_patch(Rectangle((start - 0.5, start - 0.5), size, size, fill=False, edgecolor=INK, linewidth=1))
        start += size
    if names:
        ax.set_yticks(range(len(order)), [words(str(correlation.index[i])) for i in order], fontsize=5.5)
    else:
        ax.set_yticks([])
    ax.set_xticks([])
    ax.grid(False)
    ax.spines["bottom"].set_visible(False)
    scale = ax.inset_axes((1.02, 0.3, 0.025, 0.4))
    draw_shades(np.arange(7, -8, -1)[:, None] / 7, ax=scale, ceiling=1.0, levels=7, **tones)
    scale.set_xticks([])
    scale.set_yticks([0, 3.5, 7, 10.5, 14], ["1", "0.5", "0", "−0.5", "−1"])
    scale.yaxis.tick_right()
    scale.set_ylabel("rank correlation")
    scale.yaxis.set_label_position("right")
    scale.grid(False)
    scale.spines["bottom"].set_visible(False)
    titled(ax, title)


@styled
def draw_matrix(
    values: pd.DataFrame, *, ax: Axes, title: str, unit: str, places: int = 2, top: float | None = None
) -> None:
    """Draw a table of non-negative values as shades with the numbers written in: weights by head and regime.

    Parameters
    ----------
    values : DataFrame
        Rows and columns as they are to stand; missing reads n/a.
    ax : Axes
    title, unit : str
    places : int
        Decimals.
    top : float, optional
        Value of the darkest shade; by default the largest.
    """
    numbers = values.to_numpy(dtype=float)
    ceiling = top or float(np.nanmax(numbers, initial=0.0)) or 1.0
    draw_shades(numbers, ax=ax, shade=colour("champion"), ceiling=ceiling)
    for (row, column), value in np.ndenumerate(numbers):
        known = np.isfinite(value)
        tone = (PAPER if value / ceiling > 0.6 else INK) if known else FAINT
        ax.text(
            column, row, f"{value:.{places}f}" if known else "n/a", ha="center", va="center", fontsize=8, color=tone
        )
    ax.set_xticks(range(values.shape[1]), [words(str(name)) for name in values.columns])
    ax.set_yticks(range(values.shape[0]), [words(str(name)) for name in values.index])
    draw_gaps(numbers.shape, ax=ax)
    ax.tick_params(length=0)
    ax.grid(False)
    ax.spines["bottom"].set_visible(False)
    ax.set_xlabel(unit)
    titled(ax, title)
