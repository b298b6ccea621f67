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

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL.Image import Image

P = ParamSpec("P")
R = TypeVar("R")

INK, SOFT, FAINT, HAIR, WASH = "#1b2430", "#566070", "#8a94a0", "#e4e4df", "#f3f2ee"

COLOURS = {
    # arms
    "champion": "#17456e",
    "challenger": "#d9822b",
    "frozen": "#66727f",
    "baseline": "#b4bbc3",
    "no_learning": "#b4bbc3",
    # regimes
    "trending_bullish": "#1f9e89",
    "trending_bearish": "#c8553d",
    "ranging": "#b9c0c8",
    "volatile": "#7b4f9d",
    # sides and results: never red against green
    "long": "#2a78b5",
    "short": "#d9822b",
    "win": "#2a78b5",
    "loss": "#d07a4b",
    "take_profit": "#2a78b5",
    "stop_loss": "#d07a4b",
    "time_exit": "#9aa5b1",
    # heads: Paul Tol's "muted" scheme
    "HEAD_A": "#332288",
    "HEAD_B": "#88ccee",
    "HEAD_C": "#44aa99",
    "HEAD_D": "#117733",
    "HEAD_E": "#999933",
    "HEAD_F": "#ddcc77",
    "HEAD_G": "#cc6677",
    "HEAD_H": "#882255",
    "HEAD_I": "#aa4499",
}
"""Colour of each meaning, told apart under the common kinds of colour blindness."""

HEADS = {
    "HEAD_A": "Trend following",
    "HEAD_B": "Mean reversion",
    "HEAD_C": "Momentum & breakout",
    "HEAD_D": "Volatility",
    "HEAD_E": "Support & resistance",
    "HEAD_F": "Volume flow",
    "HEAD_G": "Chart patterns",
    "HEAD_H": "Cycle & seasonality",
    "HEAD_I": "Market context",
}
"""What figures call the heads."""

SERIES = ("#17456e", "#d9822b", "#1f9e89", "#7b4f9d", "#7a8794", "#aa4499", "#999933", "#88ccee")
"""Colours, in order, of lines that have no meaning of their own."""

STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters on every machine
    "font.size": 8.5,
    "text.color": INK,
    "text.hinting": "none",
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
}
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


def words(name: str) -> str:
    """Write a name of a column or a class as a reader says it: ``trending_bullish`` is "trending bullish"."""
    return HEADS.get(name, name.replace("_", " "))


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
    """A finished figure: PNG for the report, a fixed line of text for comparison.

    The first line of its text is the picture's description, the rest its caption.
    """

    data: bytes
    words: str

    def _repr_png_(self) -> bytes:
        return self.data

    def __repr__(self) -> str:
        """Return description and caption."""
        return self.words


@styled
def png(figure: Figure, *, caption: str, colours: int = 32) -> Picture:
    """Turn a figure into the picture that a notebook shows.

    Parameters
    ----------
    figure : Figure
        From `canvas`, drawn on.
    caption : str
        What is seen, n, the kind of interval: computed.
    colours : int
        Size of the palette, 256 at most; 32 keep edges smooth at a third of the bytes of full colour.

    Returns
    -------
    Picture
        The same bytes for the same figure: no date, no software version, no random palette.
    """
    import io

    import numpy as np

    figure.align_ylabels()
    figure.canvas.draw()  # type: ignore[no-untyped-call]
    reduced = _reduced(np.asarray(figure.canvas.buffer_rgba())[..., :3], colours=colours)  # type: ignore[attr-defined]
    file = io.BytesIO()
    reduced.save(file, format="PNG", optimize=True)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    named = "; ".join(dict.fromkeys(title for title in titles if title)) or "untitled"
    return Picture(file.getvalue(), f"Figure: {named}\n{' '.join(caption.split())}")


def _reduced(pixels: np.ndarray, *, colours: int) -> Image:
    """Map an RGB image to a palette: colours that mean something stay, edges go to the nearest of the rest."""
    import numpy as np
    from PIL import Image

    from edgebook.figures_axes import readable

    image = Image.fromarray(np.ascontiguousarray(pixels))
    packed = pixels.astype(np.uint32) @ np.array([65536, 256, 1], dtype=np.uint32)
    found, where, count = np.unique(packed, return_inverse=True, return_counts=True)
    rgb = np.stack([found >> 16, found >> 8 & 255, found & 255], axis=1).astype(np.int64)
    named = (INK, SOFT, FAINT, *COLOURS.values(), *SERIES)
    meant = np.isin(found, [int(shade[1:], 16) for shade in (*named, *map(readable, named))])
    first = np.lexsort((found, -count, ~(meant & (count > 3))))  # a thin mark keeps its colour, however few its pixels
    common = np.argsort(-count, kind="stable")[: colours // 4]
    solid = rgb[np.unique(np.concatenate([first[: min(colours // 2, int((meant & (count > 3)).sum()))], common]))]
    rest = image.quantize(colors=colours - len(solid), method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    mixed = np.array(rest.getpalette(), dtype=np.int64).reshape(-1, 3)
    palette = np.concatenate([solid, mixed])[:colours]
    nearest = ((rgb[:, None, :] - palette[None, :, :]) ** 2).sum(axis=2).argmin(axis=1)
    reduced = Image.fromarray(nearest[where].reshape(pixels.shape[:2]).astype(np.uint8), mode="P")
    reduced.putpalette(palette.astype(np.uint8).tobytes())
    return reduced
