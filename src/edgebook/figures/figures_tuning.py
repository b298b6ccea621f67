"""Pictures of the tuning report, from a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.figures.figures import FAINT, SOFT, Picture, canvas, colour, picture, styled
from edgebook.figures.figures_axes import end_labels, legend_above, nothing_yet, percent_axis, time_axis, times, titled
from edgebook.figures.figures_rates import draw_bars, rows_height_in
from edgebook.figures.figures_search import draw_history, draw_slice
from edgebook.pages.report import formatted
from edgebook.statistics.deflated import overfitting
from edgebook.tuning.tuning_study import SETTINGS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from edgebook.tuning.tuning_study import Study

_UNIT = "Sharpe ratio a day"


def history_picture(study: Study | None) -> Picture:
    """Draw every trial in order, pre-registered and adaptive ones apart, with the default's line."""
    figure, (ax,) = canvas()
    title = "Every trial, and the best so far"
    if study is None:
        nothing_yet(ax, title=title)
        return picture(figure, caption="No study has been run yet.")
    trials = study.searched
    draw_history(trials, ax=ax, unit=f"objective: {_UNIT}", default=study.head["default"]["value"], title=title)
    floor = _floor(trials["value"])
    ax.set_ylim(bottom=floor)
    below = int((trials["value"] < floor).sum())
    counts = trials["kind"].value_counts(sort=False)
    caption = f"n = {len(trials)} trials: " + ", ".join(f"{n} {kind}" for kind, n in counts.items()) + ". "
    caption += "Sobol points were fixed before any outcome was seen, TPE points follow what was found."
    if below:
        caption += f" {below} with far too few trades lie below the picture."
    return picture(figure, caption=caption)


def importance_picture(study: Study | None) -> Picture:
    """Draw the share of the objective's variance between the levels of each setting, over what chance gives."""
    found = [] if study is None else study.head["importance"]
    shown = pd.DataFrame(
        {
            "label": [row["setting"] for row in found],
            "value": [row["share"] for row in found],
            "null_low": [0.0 for _ in found],
            "null_high": [row["null"] for row in found],
            "kept": [row["share"] > row["null"] for row in found],
        }
    )
    figure, (ax,) = canvas(height_in=rows_height_in(max(3, len(shown))))
    title = "How much a setting matters"
    draw_bars(
        shown, ax=ax, title=title, unit="share of the objective's variance", null_label="95 % of permutations",
        percent=True,
    )  # fmt: skip
    n = 0 if study is None else study.head["budget"]["sobol"]
    return picture(
        figure,
        caption=f"Main effects over the n = {n} Sobol points alone; adaptive trials would overstate the levels that "
        "they return to. Bold and blue: above what 95 % of permuted settings reach.",
    )


def slices_picture(study: Study | None) -> Picture:
    """Draw the objective of every trial against each setting."""
    figure, axes = canvas(height_in=4.2, ratios=(1, 1), columns=4, share_y=True)
    if study is None:
        for ax, name in zip(axes, (*SETTINGS, ""), strict=True):
            nothing_yet(ax, title=name)
        return picture(figure, caption="No study has been run yet.")
    trials = study.searched
    values = trials["value"].to_numpy(np.float64)
    floor = _floor(trials["value"])
    for number, (ax, name) in enumerate(zip(axes, SETTINGS, strict=False)):
        levels = study.head["space"][name]
        place = np.searchsorted(np.array(levels), trials[name].to_numpy(np.float64))
        draw_slice(
            place + np.linspace(-0.25, 0.25, len(place)),
            np.maximum(values, floor),
            ax=ax,
            name=name,
            unit=_UNIT if number % 4 == 0 else "",
            chosen=float(levels.index(study.head["best"]["settings"][name])),
        )
        ax.set_xticks(range(len(levels)), [f"{level:g}" for level in levels])
        ax.set_xlim(-0.5, len(levels) - 0.5)
    for ax in axes[len(SETTINGS) :]:
        ax.set_axis_off()
    caption = f"n = {len(values)} trials, each level's from left to right in order, later ones darker; the line is the "
    caption += "best trial's level."
    if (values < floor).any():
        caption += f" {int((values < floor).sum())} with far too few trades stand at the lower edge."
    return picture(figure, caption=caption)


def sharpe_picture(study: Study | None) -> Picture:
    """Draw the Sharpe ratios of all trials with the one that luck alone would be expected to reach."""
    figure, (ax,) = canvas(height_in=2.7)
    _draw_sharpe(study, ax=ax)
    n = 0 if study is None else study.head["deflated"]["trials"]
    days = 0 if study is None else study.head["deflated"]["days"]
    return picture(
        figure,
        caption=f"Sharpe ratios a day of n = {n} trials over {days} days of the folds. A best trial at the left of the "
        "dashed line is no better than the luckiest of as many worthless ones, were they independent.",
    )


def overfitting_picture(study: Study | None) -> Picture:
    """Draw how the trial that is best in one half of the days ranks in the other, over all ways to choose halves."""
    figure, (ax,) = canvas(height_in=2.7)
    _draw_overfitting(study, ax=ax)
    found = None if study is None else study.head["overfitting"]
    if found is None or found["probability"] is None:
        return picture(figure, caption="No study has been run yet, or it has too few days.")
    return picture(
        figure,
        caption=f"Logit of the relative rank, n = {found['ways']} ways to make halves of {found['blocks']} blocks of "
        f"days. Left of the line the best of one half is below the median of the other: "
        f"{formatted(found['probability'], 'percent')}, the probability of overfitting.",
    )


def grid_picture(study: Study | None) -> Picture:
    """Draw the best so far of the search and of the grid, trial by trial."""
    figure, (ax,) = canvas(height_in=2.9)
    title = "The best so far: search and grid"
    if study is None or not len(study.grid):
        nothing_yet(ax, title=title)
        return picture(figure, caption="No grid has been run beside a search yet.")
    _draw_race(study, ax=ax, title=title)
    return picture(
        figure,
        caption=f"n = {len(study.searched)} trials of the search, {len(study.grid)} of the grid, in the order of the "
        "ledger. The grid's order means nothing, its end does.",
    )


def heads_picture(study: Study | None) -> Picture:
    """Draw the improvement of every head at its best other penalty, with intervals that hold for all at once."""
    rows = [] if study is None else study.head["heads"]["rows"]
    best = {row["head"]: row for row in sorted(rows, key=lambda row: row["t"])}
    shown = pd.DataFrame(
        {
            "label": [f"HEAD_{row['head']} at {row['level']:g}" for row in best.values()],
            "value": [row["improvement"] * 1000 for row in best.values()],
            "low": [row["low"] * 1000 for row in best.values()],
            "high": [row["high"] * 1000 for row in best.values()],
            "kept": [row["low"] > 0 for row in best.values()],
        }
    )
    figure, (ax,) = canvas(height_in=rows_height_in(max(3, len(shown))))
    draw_bars(shown, ax=ax, title="Each head at its best other penalty", unit="less log loss, 1/1000 nat a candidate")
    weeks = 0 if study is None else study.head["heads"]["weeks"]
    return picture(
        figure,
        caption=f"n = {weeks} weeks of the folds, {len(rows)} alternatives; the intervals hold for all of them at once "
        "with 95 %. Bold and blue: better than the penalty in force.",
    )


def holdout_picture(study: Study | None) -> Picture:
    """Draw what best and default earned on the holdout, day by day."""
    figure, (ax,) = canvas(height_in=2.9)
    title = "On the sealed holdout"
    if study is None:
        nothing_yet(ax, title=title)
        return picture(figure, caption="No study has been run yet.")
    _draw_holdout(study, ax=ax, title=title)
    held = study.head["holdout"]
    return picture(
        figure,
        caption=f"Net R added up over n = {held['best']['days']} days ({held['best']['weeks']} weeks): "
        f"{held['best']['trades']:,} trades of the best, {held['default']['trades']:,} of the default.",
    )


@styled
def _draw_sharpe(study: Study | None, *, ax: Axes) -> None:
    title = "What luck alone would reach"
    if study is None:
        return nothing_yet(ax, title=title)
    ratios = study.searched["sharpe"].to_numpy(np.float64)
    found, default = study.head["deflated"], study.head["default"]["sharpe"]
    ax.hist(ratios, bins=30, color=colour("baseline"), label="trials")
    ax.axvline(default, color=SOFT, linewidth=1.4, label=f"default ({formatted(default, 'number3')})")
    ax.axvline(
        found["sharpe"],
        color=colour("challenger"),
        linewidth=1.8,
        label=f"best ({formatted(found['sharpe'], 'number3')})",
    )
    ax.axvline(
        found["benchmark"], color=colour("champion"), linewidth=1.4, linestyle=(0, (4, 3)),
        label=f"luckiest of {found['trials']} worthless ({found['benchmark']:.3f})",
    )  # fmt: skip
    ax.set_xlabel(_UNIT)
    ax.set_ylabel("trials")
    titled(ax, title, legend_rows=1)
    legend_above(ax)


@styled
def _draw_overfitting(study: Study | None, *, ax: Axes) -> None:
    title = "Best in one half, ranked in the other"
    logits = np.empty(0) if study is None else overfitting(study.daily_r()).logits
    if not len(logits):
        return nothing_yet(ax, title=title)
    edge = max(1.0, float(np.abs(logits).max()))
    bins = np.linspace(-edge, edge, 41)  # an even number of bars: the median lies between two
    counts, _ = np.histogram(logits, bins=bins)
    middle = (bins[1:] + bins[:-1]) / 2
    for below, shade, label in ((True, "challenger", "below the median"), (False, "baseline", "at or above it")):
        here = (middle < 0) == below
        ax.bar(middle[here], counts[here] / len(logits), width=bins[1] - bins[0], color=colour(shade), label=label)
    ax.axvline(0, color=SOFT, linewidth=1.2)
    ax.set_xlabel("logit of the relative rank in the other half (0: the median trial)")
    ax.set_ylabel("share of ways")
    percent_axis(ax.yaxis)
    titled(ax, title, legend_rows=1)
    legend_above(ax)


@styled
def _draw_race(study: Study, *, ax: Axes, title: str) -> None:
    ends = {}
    for name, trials, meaning in (("grid", study.grid, "champion"), ("search", study.searched, "challenger")):
        best = np.maximum.accumulate(trials["value"].to_numpy(np.float64))
        ax.step(np.arange(1, len(best) + 1), best, where="post", color=colour(meaning), linewidth=1.6)
        ends[f"{name} {best[-1]:.3f}"] = (float(best[-1]), colour(meaning))
    ax.axhline(study.head["default"]["value"], color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
    ax.set_xlabel("trials so far (dashed: the default)")
    ax.set_ylabel(f"objective: {_UNIT}")
    low = study.head["default"]["value"]
    ax.set_ylim(bottom=min(low, *(value for value, _ in ends.values())) - 0.05)
    titled(ax, title)
    end_labels(ax, ends=ends)


@styled
def _draw_holdout(study: Study, *, ax: Axes, title: str) -> None:
    held = study.head["holdout"]
    start = pd.Timestamp(study.head["schedule"]["holdout"][0], tz="UTC")
    ends = {}
    for name, shade in (("default", colour("champion")), ("best", colour("challenger"))):
        total = np.cumsum(held[name]["daily_r"])
        days = times(pd.date_range(start + pd.Timedelta(days=1), periods=len(total), freq="D"))
        ax.plot(days, total, color=shade, linewidth=1.8 if name == "best" else 1.4)
        ends[f"{name} {total[-1]:+.1f} R".replace("-", "−")] = (float(total[-1]), shade)
    ax.axhline(0, color=FAINT, linewidth=0.8)
    ax.set_ylabel("net R, added up")
    time_axis(ax)
    titled(ax, title)
    end_labels(ax, ends=ends)


def _floor(values: pd.Series) -> float:
    """Where the picture ends: trials that hardly trade lie far below all others, and would squeeze them."""
    high, low = float(values.max()), float(values.quantile(0.1))
    return max(float(values.min()), low - 0.5 * (high - low)) - 0.02
