"""Picture of the drift watch: how near the streams came to their limit, week by week, and where they gave an alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgebook.arms.drift_words import kind_of
from edgebook.figures.figures import INK, Picture, canvas, picture
from edgebook.figures.figures_axes import nothing_yet, times
from edgebook.figures.figures_equity import draw_weeks

if TYPE_CHECKING:
    import pandas as pd

LINES = {
    "trades": "trades", "candidates": "most confident candidates", "head": "nearest head",
    "pattern": "nearest pattern",
}  # fmt: skip


def drift_picture(levels: pd.DataFrame, alarms: pd.DataFrame) -> Picture:
    """Draw the level of the trades, the candidates, and the nearest head and pattern as a share of their limits.

    Parameters
    ----------
    levels, alarms : DataFrame
        As `drift_report.drift_levels` and `drift_report.drift_alarms` give them.
    """
    figure, (ax,) = canvas(height_in=3.4)
    title = "How near the streams came to an alarm"
    if levels.empty:
        nothing_yet(ax, title=title)
        return picture(figure, caption="No stream is watched yet, n = 0 weeks.")
    share = levels.assign(share=levels["level"] / levels["limit"])
    nearest = share.groupby(["week", "kind"])["share"].max().unstack("kind")
    nearest = nearest[[kind for kind in LINES if kind in nearest.columns]].rename(columns=LINES)
    draw_weeks(nearest, ax=ax, title=title, unit="share of the limit", reference=(1.0, "limit"))
    if len(alarms):
        ax.plot(times(alarms["week"]), [1.0] * len(alarms), linestyle="", marker="v", color=INK, markersize=6, zorder=5)
    kinds = alarms["stream"].map(kind_of).value_counts(sort=False)
    told = ", ".join(f"{count} of {LINES[str(kind)].removeprefix('nearest ')}" for kind, count in sorted(kinds.items()))
    return picture(
        figure,
        caption=f"Level at the end of each week, {nearest.index.size} weeks, {levels['stream'].nunique()} streams; "
        f"after an alarm a stream starts again from 0. Triangles: weeks with an alarm, n = {len(alarms)}"
        + (f" ({told})." if told else "."),
    )
