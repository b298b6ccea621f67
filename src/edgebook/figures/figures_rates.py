"""Figures of rates and values with their uncertainty: forest, bars against a null, R, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.figures.figures import FAINT, HAIR, INK, SOFT, WASH, colour, styled, words
from edgebook.figures.figures_axes import count_axis, legend_above, nothing_yet, percent_axis, titled
from edgebook.figures.figures_shades import draw_gaps, draw_shades
from edgebook.files.formats import formatted
from edgebook.pages.figures_palette import PAPER

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def rows_height_in(rows: int) -> float:
    """Height in inches of a figure with one line a row, as `draw_forest` and `draw_bars` want it."""
    return 0.95 + 0.235 * max(rows, 3)


@styled
def draw_forest(
    table: pd.DataFrame,
    *,
    ax: Axes,
    title: str,
    reference: float,
    reference_label: str,
    unit: str = "win rate",
    difference: bool = False,
) -> None:
    """Draw one rate a row with its interval and n, the highest on top, against the line that matters.

    Parameters
    ----------
    table : DataFrame
        Columns ``label``, ``rate``, ``low``, ``high`` (fractions), ``n``; ``badge`` (bool, optional) marks rows that
        survive false-discovery control, ``raw`` (optional) is the rate before shrinkage.
    ax : Axes
    title : str
    reference : float
        Break-even or overall rate, a fraction; 0 for differences.
    reference_label, unit : str
    difference : bool
        Whether rates are differences between rates, written with their sign and without the percent sign.
    """
    if not len(table):
        return nothing_yet(ax, title=title)
    rows = table.sort_values(["rate", "label"], ascending=[True, False]).reset_index(drop=True)
    badge = rows["badge"].to_numpy(dtype=bool) if "badge" in rows else np.zeros(len(rows), dtype=bool)
    heights = np.arange(len(rows))
    ax.axvline(reference, color=INK, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    rate, low, high = (rows[name].to_numpy(dtype=float) for name in ("rate", "low", "high"))
    shades = [colour("champion") if marked else colour("frozen") for marked in badge]
    ax.hlines(heights, low, high, colors=shades, linewidth=[2.2 if marked else 1.5 for marked in badge], zorder=2)
    ax.plot(rate[~badge], heights[~badge], "o", color=colour("frozen"), markersize=4.5, zorder=3)
    ax.plot(rate[badge], heights[badge], "D", color=colour("champion"), markersize=5.5, zorder=3)
    if "raw" in rows:
        ax.plot(rows["raw"], heights, "|", color=colour("challenger"), markersize=7, markeredgewidth=1.3, zorder=2)
    places = (36, 106, 146) if difference else (44, 94, 132)
    for y, r, a, b, n in zip(heights, rate, low, high, rows["n"], strict=True):
        numbers = (f"{r * 100:.1f} %", f"{a * 100:.0f} to {b * 100:.0f}", f"{n:,}")
        if difference:
            numbers = (
                f"{r * 100:+.1f}".replace("-", "−"),
                f"{a * 100:.1f} to {b * 100:.1f}".replace("-", "−"),
                f"{n:,}",
            )
        _at_right(ax, numbers, height=float(y), strong=bool(badge[y]), at=places)
    _at_right(ax, ("points" if difference else "rate", "95 %", "n"), height=None, strong=False, at=places)
    _row_axis(ax, labels=[words(str(label)) for label in rows["label"]], bold=badge)
    marker = reference_label if difference else f"{reference_label} {reference * 100:.1f} %"
    ax.annotate(
        marker, xy=(reference, 1), xycoords=("data", "axes fraction"),
        xytext=(0, 3), textcoords="offset points", ha="center", va="baseline", fontsize=8, color=SOFT,
    )  # fmt: skip
    if difference:
        ax.xaxis.set_major_formatter(lambda value, _: f"{value * 100:+.0f}".replace("-", "−").replace("+0", "0"))
    else:
        percent_axis(ax.xaxis)
    ax.set_xlabel(unit + ("; ◆ survives false-discovery control" if badge.any() else ""))
    titled(ax, title, legend_rows=1)


@styled
def draw_bars(
    table: pd.DataFrame, *, ax: Axes, title: str, unit: str, null_label: str = "", percent: bool = False
) -> None:
    """Draw one bar a row with its interval, over the band that chance alone would reach.

    Parameters
    ----------
    table : DataFrame
        Columns ``label``, ``value``; optional ``low``, ``high`` (interval), ``null_low``, ``null_high`` (range of the
        null), ``kept`` (bool: drawn in colour, the others in grey), ``n``. The largest value is on top.
    ax : Axes
    title, unit : str
    null_label : str
        What the grey band is, with its level.
    percent : bool
        Whether values are fractions to be written as percent.
    """
    if not len(table):
        return nothing_yet(ax, title=title)
    rows = table.sort_values(["value", "label"], ascending=[True, False]).reset_index(drop=True)
    heights = np.arange(len(rows))
    kept = rows["kept"].to_numpy(dtype=bool) if "kept" in rows else np.ones(len(rows), dtype=bool)
    values = rows["value"].to_numpy(dtype=float)
    if "null_high" in rows:
        low, high = rows["null_low"].to_numpy(dtype=float), rows["null_high"].to_numpy(dtype=float)
        ax.barh(heights, high - low, left=low, height=0.86, color=HAIR, zorder=1, label=null_label or "null")
    shades = [colour("champion") if one else colour("baseline") for one in kept]
    ax.barh(heights, values, height=0.46, color=shades, zorder=2)
    if "low" in rows:
        low, high = rows["low"].to_numpy(dtype=float), rows["high"].to_numpy(dtype=float)
        ax.hlines(heights, low, high, color=PAPER, linewidth=2.8, zorder=3)
        ax.hlines(heights, low, high, color=INK, linewidth=1.2, zorder=4)
    ax.axvline(0, color=FAINT, linewidth=0.8, zorder=3)
    labels = [words(str(label)) for label in rows["label"]]
    if "n" in rows:
        labels = [f"{label}  (n {n:,})" for label, n in zip(labels, rows["n"], strict=True)]
    _row_axis(ax, labels=labels, bold=kept & ("kept" in rows))
    if percent:
        percent_axis(ax.xaxis)
    ax.set_xlabel(unit)
    titled(ax, title, legend_rows=1 if "null_high" in rows else 0)
    if "null_high" in rows:
        legend_above(ax)


@styled
def draw_pair_matrix(lift: pd.DataFrame, *, n: np.ndarray, marked: np.ndarray, ax: Axes, title: str) -> None:
    """Draw differences of a rate for every pair as shades with the numbers written in, each with its n.

    Parameters
    ----------
    lift : DataFrame
        Square, symmetric; fractions; missing reads n/a.
    n : array, shape of `lift`
        Candidates.
    marked : array of bool, shape of `lift`
        Survives false-discovery control: written in bold.
    ax : Axes
    title : str
    """
    if not n.any():
        return nothing_yet(ax, title=title)
    numbers = lift.to_numpy(dtype=float) * 100
    ceiling = max(float(np.nanmax(np.abs(numbers), initial=0.0)), 1.0)
    draw_shades(numbers, ax=ax, shade=colour("champion"), below=colour("trending_bearish"), ceiling=ceiling)
    for (row, column), value in np.ndenumerate(numbers):
        tone = PAPER if abs(value) / ceiling > 0.6 else INK
        text = formatted(value / 100, "points").removesuffix(" pp") if n[row, column] else "n/a"
        weight = "bold" if marked[row, column] else "normal"
        ax.text(column, row - 0.12, text, ha="center", va="center", fontsize=8.5, color=tone, fontweight=weight)
        count = f"{n[row, column] / 1e3:.1f}k" if n[row, column] >= 1e3 else f"{n[row, column]:.0f}"
        ax.text(column, row + 0.25, count, ha="center", va="center", fontsize=6.5, color=tone)
    ax.set_xticks(range(lift.shape[1]), [str(name) for name in lift.columns])
    ax.set_yticks(range(lift.shape[0]), [words(str(name)) for name in lift.index])
    draw_gaps(lift.shape, ax=ax)
    ax.tick_params(length=0)
    ax.grid(False)
    ax.spines["bottom"].set_visible(False)
    titled(ax, title)


@styled
def draw_r_histogram(
    r_multiple: np.ndarray,
    *,
    ax: Axes,
    mean: tuple[float, float, float],
    title: str = "Profit per signal, in R",
    edge: float = 3.0,
) -> None:
    """Draw the distribution of R with the break-even line and the mean in its interval.

    Parameters
    ----------
    r_multiple : array, shape (n,)
        Net profit over the risk at entry; beyond ±`edge` it is counted in the outermost bars.
    ax : Axes
    mean : (float, float, float)
        Mean R and the ends of its 95 % interval.
    title : str
    edge : float
        In R.
    """
    r = np.asarray(r_multiple, dtype=float)
    if not len(r_multiple):
        return nothing_yet(ax, title=title)
    r = np.clip(r[np.isfinite(r)], -edge + 1e-9, edge - 1e-9)
    edges = np.linspace(-edge, edge, 49)
    counts, _ = np.histogram(r, bins=edges)
    middles, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    for name, side in (("loss", middles < 0), ("win", middles > 0)):
        label = f"{'losing' if name == 'loss' else 'winning'} ({int(counts[side].sum()):,})"
        ax.bar(middles[side], counts[side], width=width * 0.88, color=colour(name), label=label)
    ax.axvline(0, color=INK, linewidth=1)
    value, low, high = mean
    if np.isfinite(value):
        ax.axvspan(low, high, color=colour("champion"), alpha=0.16, linewidth=0, zorder=0)
        label = f"mean {value:+.2f} R, 95 % {low:+.2f} to {high:+.2f}".replace("-", "−")
        ax.axvline(value, color=colour("champion"), linewidth=1.4, linestyle=(0, (4, 2)), label=label)
    ax.set_xlim(-edge, edge)
    ax.set_xlabel("net profit in R (1 R = risk at entry); 0 is break-even after costs")
    ax.set_ylabel("signals")
    count_axis(ax.yaxis)
    titled(ax, title, legend_rows=1)
    legend_above(ax)


@styled
def draw_calibration(table: pd.DataFrame, *, ax: Axes, title: str = "Calibration: said and happened") -> None:
    """Draw how often signals won against the probability they were given, with the diagonal.

    Parameters
    ----------
    table : DataFrame
        One row a bin: ``predicted`` (mean), ``observed``, ``low``, ``high`` (95 %), ``n``.
    ax : Axes
    title : str
    """
    if not len(table):
        return nothing_yet(ax, title=title)
    ends = table[["predicted", "low", "high"]].to_numpy(dtype=float)
    low, high = np.nanmin(ends), np.nanmax(ends)
    pad = 0.06 * (high - low) or 0.05
    low, high = max(0.0, low - pad), min(1.0, high + pad)
    ax.plot([low, high], [low, high], color=SOFT, linewidth=1, linestyle=(0, (4, 3)), label="perfectly calibrated")
    ax.vlines(table["predicted"], table["low"], table["high"], color=colour("champion"), linewidth=1.4, alpha=0.6)
    n = table["n"].to_numpy(dtype=float)
    area = 14 + 60 * np.sqrt(n / max(n.max(), 1))
    ax.plot(table["predicted"], table["observed"], color=colour("champion"), linewidth=0.9, alpha=0.5)
    ax.scatter(table["predicted"], table["observed"], s=area, color=colour("champion"), zorder=3, label="observed")
    step = float(np.min(np.diff(np.sort(table["predicted"])))) if len(table) > 1 else 0.02
    ax.bar(
        table["predicted"], 0.11 * n / max(n.max(), 1), width=0.7 * step, color=colour("baseline"), alpha=0.8,
        transform=ax.get_xaxis_transform(), zorder=1, label=f"n of each bin, up to {int(n.max()):,}",
    )  # fmt: skip
    ax.set_xlim(low, high)
    ax.set_ylim(low, high)
    percent_axis(ax.xaxis)
    percent_axis(ax.yaxis)
    ax.set_xlabel("P(win) given")
    ax.set_ylabel("won, with 95 % interval")
    titled(ax, title)
    ax.legend(loc="upper left", borderaxespad=0.4, labelspacing=0.35)


def _at_right(
    ax: Axes, cells: tuple[str, str, str], *, height: float | None, strong: bool, at: tuple[int, int, int]
) -> None:
    """Write three numbers beside a row, or three headings above the rows, each right-aligned `at` so many points."""
    place, up = ((1, 1), 3) if height is None else ((1, height), 0)
    for text, points in zip(cells, at, strict=True):
        ax.annotate(
            text, xy=place, xycoords="axes fraction" if height is None else ("axes fraction", "data"),
            xytext=(points, up), textcoords="offset points", ha="right", fontsize=8,
            va="baseline" if height is None else "center_baseline", color=INK if strong else SOFT,
            fontweight="bold" if strong else "normal", annotation_clip=False,
        )  # fmt: skip


def _row_axis(ax: Axes, *, labels: list[str], bold: np.ndarray) -> None:
    """Name the rows, and stripe them so that the eye finds the number at the right."""
    ax.set_yticks(np.arange(len(labels)), labels)
    for text, strong in zip(ax.get_yticklabels(), bold, strict=True):
        text.set_fontweight("bold" if strong else "normal")
        text.set_color(INK)
    for y in range(0, len(labels), 2):
        ax.axhspan(y - 0.5, y + 0.5, color=WASH, zorder=0, linewidth=0)
    ax.set_ylim(-0.5, len(labels) - 0.5)
    ax.grid(False, axis="y")
    ax.grid(True, axis="x")
