"""One look for every figure: the colours and what they mean, the canvas, and the picture that a notebook shows.

The drawing functions stand beside it, by subject: `figures_equity` (equity, drawdown, wealth, weeks), `figures_rates`
(rates with intervals, bars against their null, R, calibration), `figures_regimes` (price, transitions, shares) and
`figures_search` (trials, slices, clusters). Each takes numbers and an ``ax``, and returns nothing; what they share is
in `figures_axes`.

Nothing goes through pyplot: no global state, no window, no figure shown twice.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from edgebook.figures.figures_svg import SETTINGS, drawn, neat
from edgebook.pages.figures_palette import COLOURS, FAINT, HAIR, HEADS, INK, SERIES, SOFT, WASH, words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "COLOURS",
    "FAINT",
    "HAIR",
    "HEADS",
    "INK",
    "SERIES",
    "SOFT",
    "WASH",
    "Bitmap",
    "Picture",
    "canvas",
    "colour",
    "line_colours",
    "picture",
    "png",
    "styled",
    "words",
]

P = ParamSpec("P")
R = TypeVar("R")

STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters on every machine
    "font.size": 8.5,
    "text.color": INK,
    "text.hinting": "none",
    "text.parse_math": False,  # names come from data: a dollar sign is a dollar sign
    "axes.facecolor": "none",
    "axes.labelcolor": SOFT,
    "axes.labelsize": 8,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlepad": 9,
    "axes.xmargin": 0.01,
    "axes.unicode_minus": True,
    "grid.color": HAIR,
    "grid.linewidth": 0.7,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.size": 3,
    "xtick.major.width": 0.7,
    "xtick.minor.bottom": False,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "lines.solid_joinstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.labelcolor": SOFT,
    "legend.handlelength": 1.3,
    "legend.handletextpad": 0.5,
    "legend.columnspacing": 1.5,
    "legend.borderaxespad": 0.0,
    "figure.facecolor": "white",
    "date.autoformatter.month": "%b %Y",
    "timezone": "UTC",
} | SETTINGS
"""Settings laid over matplotlib's own defaults; a user's matplotlibrc has no say."""

WIDTH_IN, DOTS_PER_INCH = 7.8, 150


def colour(meaning: str) -> str:
    """Colour of an arm, a regime, a side, an exit reason or a head ("A" and "HEAD_A" alike).

    Raises
    ------
    KeyError
        Nothing of that name has a colour.
    """
    return COLOURS[meaning if meaning in COLOURS else f"HEAD_{meaning}"]


def line_colours(names: Sequence[str]) -> list[str]:
    """One colour a line: by meaning where the name has one, else the next of `SERIES`."""
    free = iter(SERIES * (1 + len(names) // len(SERIES)))
    return [COLOURS[name] if name in COLOURS else next(free) for name in names]


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function that makes artists, so that they are made under `STYLE`."""

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> R:
        import matplotlib

        with matplotlib.rc_context(dict(matplotlib.rcParamsDefault) | STYLE | {"backend": "agg"}):
            return draw(*args, **kwargs)

    return drawn


@styled
def canvas(
    *, height_in: float = 3.3, ratios: Sequence[float] = (1,), columns: int = 1, share_y: bool = False
) -> tuple[Figure, list[Axes]]:
    """Return a figure as wide as a report, and its axes row by row.

    Parameters
    ----------
    height_in : float
        Height in inches; the width is always 7.8.
    ratios : sequence of float
        One relative height a row. Rows of a single column share the time axis.
    columns : int
        Panels beside each other.
    share_y : bool
        Whether panels of a row have one scale.

    Returns
    -------
    Figure, list of Axes
        Left to right, then down.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    spacing = ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06, hspace=0.02, wspace=0.03)
    figure = Figure(figsize=(WIDTH_IN, height_in), dpi=DOTS_PER_INCH, layout=spacing)
    FigureCanvasAgg(figure)
    rows = len(ratios)
    grid = figure.subplots(
        rows,
        columns,
        sharex="col" if columns == 1 else False,
        sharey="row" if share_y else False,
        squeeze=False,
        gridspec_kw={"height_ratios": list(ratios)},
    )
    return figure, list(grid.ravel())


@dataclass(frozen=True)
class Picture:
    """A finished figure: SVG for the report, a fixed line of text for comparison.

    The first line of its text is the picture's description, the rest its caption.
    """

    svg: str
    words: str

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        """Return description and caption."""
        return self.words


@dataclass(frozen=True)
class Bitmap:
    """A finished figure as PNG, for the pages of ``docs``."""

    data: bytes
    words: str


@styled
def picture(figure: Figure, *, caption: str) -> Picture:
    """Turn a figure into the picture that a notebook shows.

    Parameters
    ----------
    figure : Figure
        From `canvas`, drawn on.
    caption : str
        What is seen, n, the kind of interval: computed.

    Returns
    -------
    Picture
        The same bytes for the same figure: no date, no software version, no random name.
    """
    figure.align_ylabels()
    named, said = _title(figure), " ".join(caption.split())
    return Picture(neat(drawn(figure), title=named, description=said), f"Figure: {named}\n{said}")


@styled
def png(figure: Figure, *, caption: str) -> Bitmap:
    """Turn a figure into a file for ``docs``, where no page gives it colours.

    Parameters
    ----------
    figure, caption
        As for `picture`.

    Returns
    -------
    Bitmap
        The same bytes for the same figure.
    """
    import io

    import numpy as np
    from PIL import Image

    figure.align_ylabels()
    figure.canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]
    image = Image.fromarray(np.ascontiguousarray(pixels))
    file = io.BytesIO()
    image.quantize(colors=64, dither=Image.Dither.NONE).save(file, format="PNG", optimize=True)
    return Bitmap(file.getvalue(), f"Figure: {_title(figure)}\n{' '.join(caption.split())}")


def _title(figure: Figure) -> str:
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    return "; ".join(dict.fromkeys(title for title in titles if title)) or "untitled"
