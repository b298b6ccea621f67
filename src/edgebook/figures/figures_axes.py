"""What the drawing modules share: titles, legends, axes of time and percent, names at the ends of lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgebook.pages.figures_palette import FAINT, readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes


def titled(ax: Axes, title: str, *, legend_rows: int = 0) -> None:
    """Set the title at the left, with room below it for `legend_rows` rows of a legend."""
    ax.set_title(title, loc="left", pad=8 + 13 * legend_rows)


def legend_above(ax: Axes, *, columns: int = 6) -> None:
    """Put the legend between title and plot, in one row where it fits."""
    legend = ax.legend(loc="lower left", bbox_to_anchor=(-0.004, 1.012), ncols=columns)
    legend.set_in_layout(False)  # a long one must not squeeze the plot; the title keeps its room


def nothing_yet(ax: Axes, *, title: str) -> None:
    """Say that there is nothing to draw: an early week, no trade, no trial."""
    ax.set_axis_off()
    titled(ax, title)
    ax.text(0.5, 0.5, "nothing to show yet (n = 0)", transform=ax.transAxes, ha="center", va="center", color=FAINT)


def percent_axis(axis: Any, *, places: int = 0) -> None:
    """Write fractions on an axis as percent, with more places where two ticks would read alike."""

    def text(value: float, _: Any) -> str:
        shown = told_apart([float(at) * 100 for at in axis.get_majorticklocs()], places=places)
        return f"{value * 100:.{shown}f} %".replace("-", "−")

    axis.set_major_formatter(text)


def named_dates(dates: pd.Index[Any]) -> list[str]:
    """Return the month of each date, or its day where two would read alike.

    Examples
    --------
    >>> import pandas as pd
    >>> named_dates(pd.DatetimeIndex(["2018-04-02", "2018-05-28"]))
    ['Apr 2018', 'May 2018']
    >>> named_dates(pd.DatetimeIndex(["2018-04-02", "2018-04-16"]))
    ['2 Apr 2018', '16 Apr 2018']
    """
    months = [f"{date:%b %Y}" for date in dates]
    return months if len(set(months)) == len(months) else [f"{date.day} {date:%b %Y}" for date in dates]


def told_apart(ticks: Sequence[float], *, places: int) -> int:
    """Return the places, at least `places`, with which ticks that would read alike are written as they are.

    Examples
    --------
    >>> told_apart([35.0, 37.5, 40.0], places=0), told_apart([43.0, 43.5, 44.0], places=0)
    (0, 1)
    >>> told_apart([0.0, 0.25, 0.5], places=0)
    2
    """
    if len({f"{tick:.{places}f}" for tick in ticks}) == len(ticks):
        return places
    return next(
        (more for more in range(places + 1, 3) if all(abs(tick - round(tick, more)) < 1e-6 for tick in ticks)), 3
    )


def count_axis(axis: Any) -> None:
    """Put ticks at whole numbers: there is no half a trade."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))


def time_axis(ax: Axes, *, most: int = 8) -> None:
    """Write dates as short as they can be."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=most, tz="UTC")
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz="UTC"))


def times(index: pd.Index | pd.Series) -> np.ndarray:
    """Dates, UTC or naive, as matplotlib takes them."""
    import pandas as pd

    dates = pd.DatetimeIndex(index)
    return (dates.tz_convert(None) if dates.tz is not None else dates).to_numpy()


def spread(heights: Sequence[float], *, gap: float) -> list[float]:
    """Move labels apart, keeping their order, so that neighbours stand at least `gap` from each other.

    Examples
    --------
    >>> spread([1.0, 1.1, 5.0], gap=1.0)
    [0.55, 1.55, 5.0]
    """
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    groups: list[tuple[float, list[int]]] = []  # centre, members from low to high
    for i in order:
        centre, members = float(heights[i]), [i]
        while groups and centre - gap * (len(members) - 1) / 2 < groups[-1][0] + gap * (len(groups[-1][1]) + 1) / 2:
            before, below = groups.pop()
            centre = (centre * len(members) + before * len(below)) / (len(members) + len(below))
            members = below + members
        groups.append((centre, members))
    placed = [0.0] * len(heights)
    for centre, members in groups:
        for rank, i in enumerate(members):
            placed[i] = centre + gap * (rank - (len(members) - 1) / 2)
    return placed


def end_labels(ax: Axes, *, ends: dict[str, tuple[float, str]], size: float = 8) -> None:
    """Name lines at their right ends: label to (height in data, colour); labels that collide move apart."""
    import numpy as np

    low, high = ax.get_ylim()
    log = ax.get_yscale() == "log"
    scale = np.log10 if log else np.asarray
    floor, span = float(scale(low)), float(scale(high) - scale(low)) or 1.0
    heights = [(float(scale(height)) - floor) / span for height, _ in ends.values()]
    inches = ax.get_figure().get_size_inches()[1] * ax.get_position().height  # type: ignore[union-attr]
    gap = size * 1.35 / 72 / inches
    for (label, (_, shade)), y in zip(ends.items(), spread(heights, gap=gap), strict=True):
        ax.annotate(
            label, xy=(1, y), xycoords="axes fraction", xytext=(5, 0), textcoords="offset points",
            va="center", ha="left", color=readable(shade), fontsize=size, fontweight="bold", annotation_clip=False,
        )  # fmt: skip
