"""Colours and what they mean, on light paper and on dark, and their names as variables of the pages.

A colour stands for one meaning everywhere. Figures are drawn in the light ones; a page on dark paper sets the variables
to the dark ones. Letters take a darker, or on dark paper a lighter, shade of the same colour where it would be too pale
to read.
"""

from __future__ import annotations

from functools import cache

INK, SOFT, FAINT, HAIR, WASH = "#1b2430", "#566070", "#8a94a0", "#e4e4df", "#f3f2ee"

PAPER = "#ffffff"

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

PALE = "#9dbad6"
"""Of a state between having a meaning and none: in, but not on evidence."""

DARK = {
    "#17456e": "#6fb0e8",
    "#d9822b": "#ee9d3f",
    "#66727f": "#98a4b1",
    "#b4bbc3": "#6b7682",
    "#1f9e89": "#43cdb4",
    "#c8553d": "#e8775c",
    "#b9c0c8": "#727d88",
    "#7b4f9d": "#b48ad6",
    "#2a78b5": "#57a4e0",
    "#d07a4b": "#e0935f",
    "#9aa5b1": "#8792a0",
    "#332288": "#8b7fe8",
    "#88ccee": "#88ccee",
    "#44aa99": "#52bfad",
    "#117733": "#3fae66",
    "#999933": "#b3b34a",
    "#ddcc77": "#ddcc77",
    "#cc6677": "#e07f90",
    "#882255": "#d1649b",
    "#aa4499": "#cf74c0",
    "#7a8794": "#8f9ba8",
    "#9dbad6": "#3f6287",
}
"""Each colour as it is on dark paper."""

DARK_PAPER = "#161b22"

PAGE_LIGHT = {
    "paper": PAPER,
    "ground": "#f5f4f0",
    "ink": INK,
    "soft": SOFT,
    "faint": "#626c7a",
    "line": FAINT,
    "rule": "#dcdad3",
    "hair": HAIR,
    "stripe": "#f7f6f2",
    "accent": "#17456e",
    "accent-wash": "#eef3f8",
    "good": "#1d6b5c",
    "good-wash": "#e4f1ed",
    "bad": "#a2401f",
    "bad-wash": "#f9e9e2",
    "wait": "#6a5a1f",
    "wait-wash": "#f5efd9",
    "code": "#f7f6f2",
    "bar": "#d5e1ed",
}
"""What the pages are made of besides the colours that mean something."""

PAGE_DARK = {
    "paper": DARK_PAPER,
    "ground": "#0f1318",
    "ink": "#e3e6ea",
    "soft": "#a5afbb",
    "faint": "#929ca9",
    "line": "#76818e",
    "rule": "#303843",
    "hair": "#2b333d",
    "stripe": "#1d242c",
    "accent": "#8fbce6",
    "accent-wash": "#1b2733",
    "good": "#7cccb5",
    "good-wash": "#17302a",
    "bad": "#f0a183",
    "bad-wash": "#3a221a",
    "wait": "#dcc878",
    "wait-wash": "#322c16",
    "code": "#1b2129",
    "bar": "#29405a",
}

_KINDS = {
    "arm": ("champion", "challenger", "frozen", "baseline", "no_learning"),
    "regime": ("trending_bullish", "trending_bearish", "ranging", "volatile"),
    "side": ("long", "short"),
    "result": ("win", "loss"),
    "exit": ("take_profit", "stop_loss", "time_exit"),
}

_PAGE = {INK: "--ink", SOFT: "--soft", FAINT: "--line", HAIR: "--hair", WASH: "--stripe", PAPER: "--paper"}
"""Variables that the pages set themselves, for text and tables too."""


def words(name: str) -> str:
    """Write a name of a column or a class as a reader says it: ``trending_bullish`` is "trending bullish"."""
    return HEADS.get(name, name.replace("_", " "))


def variable_of(meaning: str) -> str:
    """Name of the variable that holds the colour of a meaning.

    Examples
    --------
    >>> variable_of("trending_bullish"), variable_of("HEAD_A"), variable_of("stop_loss")
    ('--regime-trending-bullish', '--head-a', '--exit-stop-loss')
    """
    if meaning.startswith("HEAD_"):
        return meaning.lower().replace("_", "-").join(("--", ""))
    kind = next(kind for kind, names in _KINDS.items() if meaning in names)
    return f"--{kind}-{meaning.replace('_', '-')}"


@cache
def variables() -> dict[str, str]:
    """Return the light colour of every variable: meanings first, then colours that have none.

    Returns
    -------
    dict of str to str
        Name of the variable to a colour such as ``#17456e``.
    """
    named = {variable_of(meaning): shade for meaning, shade in COLOURS.items()}
    rest = {f"--series-{i}": shade for i, shade in enumerate(SERIES, start=1) if shade not in COLOURS.values()}
    return named | rest | {"--pale": PALE}


def ink_of(shade: str, *, letters: bool) -> str:
    """Write a colour as a figure does: a variable with the light colour behind it.

    Parameters
    ----------
    shade : str
        Such as ``#17456e``, of the palette, or `readable` of one.
    letters : bool
        Whether it is for text.

    Returns
    -------
    str
        The colour itself when it is not of the palette.

    Examples
    --------
    >>> ink_of("#1b2430", letters=True), ink_of("#b4bbc3", letters=False)
    ('var(--ink,#1b2430)', 'var(--arm-baseline,#b4bbc3)')
    """
    shade = shade.lower()
    if shade == FAINT and letters:
        return f"var(--faint,{readable(FAINT)})"
    if shade in _PAGE:
        return f"var({_PAGE[shade]},{shade})"
    name = _names().get(shade) or _names_of_letters().get(shade)
    if name is None:
        return shade
    return f"var({name}-text,{readable(shade)})" if letters else f"var({name},{shade})"


def readable(shade: str, *, on: str = PAPER) -> str:
    """Return `shade`, darkened (or lightened on dark paper) until letters in it have a contrast of 4.5 to 1.

    Parameters
    ----------
    shade, on : str
        Such as ``#d9822b``.

    Examples
    --------
    >>> readable("#17456e"), readable("#d9822b"), round(contrast(readable("#d9822b"), "#ffffff"), 1)
    ('#17456e', '#a96522', 4.6)
    """
    towards = 0 if _luminance(on) > 0.5 else 255
    parts = _parts(shade)
    for step in range(101):
        mixed = "#" + "".join(f"{round(part + (towards - part) * step / 100):02x}" for part in parts)
        if contrast(mixed, on) >= 4.5:
            return mixed
    raise ValueError(f"nothing between {shade} and black or white can be read on {on}")


def contrast(one: str, other: str) -> float:
    """Contrast of two colours as WCAG 2 measures it, 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def palette_css() -> str:
    """Return all colours of the pages as rules of a stylesheet, for light paper, dark paper and print.

    Dark paper is what the reader's system asks for, or ``data-theme="dark"`` on the root element.
    """
    light, dark = _rules(dark=False), _rules(dark=True)
    return (
        f":root{{{light}}}\n"
        f'@media screen and (prefers-color-scheme:dark){{:root:not([data-theme="light"]){{{dark}}}}}\n'
        f'@media screen{{:root[data-theme="dark"]{{{dark}}}}}\n'
    )


def _rules(*, dark: bool) -> str:
    paper = DARK_PAPER if dark else PAPER
    shown = {name: DARK[shade] if dark else shade for name, shade in variables().items()}
    page = [f"--{name}:{shade}" for name, shade in (PAGE_DARK if dark else PAGE_LIGHT).items()]
    meant = [f"{name}:{shade};{name}-text:{readable(shade, on=paper)}" for name, shade in shown.items()]
    return ";".join([*page, *meant])


@cache
def _names() -> dict[str, str]:
    """Variable of each colour: the first meaning that has it."""
    return {shade: name for name, shade in reversed(variables().items())}


@cache
def _names_of_letters() -> dict[str, str]:
    return {readable(shade): name for shade, name in _names().items()}


def _parts(shade: str) -> tuple[int, ...]:
    return tuple(int(shade[i : i + 2], 16) for i in (1, 3, 5))


def _luminance(shade: str) -> float:
    parts = (part / 255 for part in _parts(shade))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
