"""Pictures of the tuning report, from a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.figures import FAINT, SOFT, Picture, canvas, colour, png, styled
from edgebook.figures_axes import end_labels, legend_above, nothing_yet, time_axis, times, titled
from edgebook.figures_rates import draw_bars, rows_height_in
from edgebook.figures_search import draw_history, draw_slice
from edgebook.report import formatted
from edgebook.tuning_study import SETTINGS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from edgebook.tuning_study import Study

_UNIT = "Sharpe ratio a day"


def history_picture(study: Study | None) -> Picture:
    """Draw every trial in order, pre-registered and adaptive ones apart, with the default's line."""
    figure, (ax,) = canvas()
    title = "Every trial, and the best so far"
    if study is None:
        nothing_yet(ax, title=title)
        return png(figure, caption="No study has been run yet.")
    trials = study.trials
    draw_history(trials, ax=ax, unit=f"objective: {_UNIT}", default=study.head["default"]["value"], title=title)
    floor = _floor(trials["value"])
    ax.set_ylim(bottom=floor)
    below = int((trials["value"] < floor).sum())
    counts = trials["kind"].value_counts(sort=False)
    caption = f"n = {len(trials)} trials: " + ", ".join(f"{n} {kind}" for kind, n in counts.items()) + ". "
    caption += "Sobol points were fixed before any outcome was seen, TPE points follow what was found."
    if below:
        caption += f" {below} with far too few trades lie below the picture."
    return png(figure, caption=caption)


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
    return png(
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
        return png(figure, caption="No study has been run yet.")
    values = study.trials["value"].to_numpy(np.float64)
    floor = _floor(study.trials["value"])
    for number, (ax, name) in enumerate(zip(axes, SETTINGS, strict=False)):
        levels = study.head["space"][name]
        place = np.searchsorted(np.array(levels), study.trials[name].to_numpy(np.float64))
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
    return png(figure, caption=caption)


def sharpe_picture(study: Study | None) -> Picture:
    """Draw the Sharpe ratios of all trials with the one that luck alone would be expected to reach."""
    figure, (ax,) = canvas(height_in=2.7)
    _draw_sharpe(study, ax=ax)
    n = 0 if study is None else study.head["deflated"]["trials"]
    days = 0 if study is None else study.head["deflated"]["days"]
    return png(
        figure,
        caption=f"Sharpe ratios a day of n = {n} trials over {days} days of the folds. A best trial at the left of the "
        "dashed line is no better than the luckiest of as many worthless ones, were they independent.",
    )


def holdout_picture(study: Study | None) -> Picture:
    """Draw what best and default earned on the holdout, day by day."""
    figure, (ax,) = canvas(height_in=2.9)
    title = "On the sealed holdout"
    if study is None:
        nothing_yet(ax, title=title)
        return png(figure, caption="No study has been run yet.")
    _draw_holdout(study, ax=ax, title=title)
    held = study.head["holdout"]
    return png(
        figure,
        caption=f"Net R added up over n = {held['best']['days']} days ({held['best']['weeks']} weeks): "
        f"{held['best']['trades']:,} trades of the best, {held['default']['trades']:,} of the default.",
    )


@styled
def _draw_sharpe(study: Study | None, *, ax: Axes) -> None:
    title = "What luck alone would reach"
    if study is None:
        return nothing_yet(ax, title=title)
    ratios = study.trials["sharpe"].to_numpy(np.float64)
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
