"""A figure as SVG for a page: letters stay letters, colours are the page's variables, and the bytes are few.

matplotlib writes for a printer: a prolog, a stylesheet for the whole document, six decimals, an id on everything. Here
the same drawing is written for a page that holds many: no id but those referred to, and those of its own; two decimals;
styles that neighbours share written once.
"""

from __future__ import annotations

import hashlib
import re
from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from edgebook.pages.figures_palette import ink_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SVG = "http://www.w3.org/2000/svg"
_LINK = "{http://www.w3.org/1999/xlink}href"
FONTS = "'DejaVu Sans',Verdana,sans-serif"
"""The first comes with matplotlib, which measures with it; the second is as wide."""

SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "edgebook", "path.simplify_threshold": 0.25}
"""Of matplotlib: letters stay letters, names are the same in every run, a bend of a quarter of a point is no bend."""

_DEFAULTS = {"stroke-linejoin": "round", "stroke-linecap": "butt", "opacity": "1", "stroke-opacity": "1"}
_DASH = re.compile(r"-?\d+\.?\d*(?:e[+-]?\d+)?")


def drawn(figure: Figure) -> str:
    """Return what matplotlib writes of `figure`, as it is."""
    import io

    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return file.getvalue()


def neat(svg: str, *, title: str, description: str) -> str:
    """Rewrite a drawing of matplotlib for a page.

    Parameters
    ----------
    svg : str
        From `drawn`.
    title, description : str
        Plain text: name of the figure, and what it shows in a sentence or two.

    Returns
    -------
    str
        One ``<svg>`` element on one line. Its ids start with a digest of the drawing and its words.
    """
    ElementTree.register_namespace("", SVG)
    root = ElementTree.fromstring(svg)
    inner = ElementTree.Element("svg")
    clips: dict[str, ElementTree.Element] = {}
    for child in root:
        inner.extend(_kept(child, clips=clips))
    _clear_paper(inner)
    _share_styles(inner)
    width, height = (float(part) for part in root.attrib["viewBox"].split()[2:])
    prefix = "f" + hashlib.sha256(f"{ElementTree.tostring(inner)!r}{title}{description}".encode()).hexdigest()[:8]
    _name(inner, clips=clips, prefix=prefix)
    whole = ElementTree.Element(
        "svg",
        {
            "xmlns": SVG,
            "viewBox": f"0 0 {_short(width)} {_short(height)}",
            "width": _short(width * 4 / 3),
            "height": _short(height * 4 / 3),
            "role": "img",
            "aria-labelledby": f"{prefix}-t {prefix}-d",
            "style": f"font-family:{FONTS};stroke-linejoin:round",
        },
    )
    for tag, text in (("title", title), ("desc", description)):
        ElementTree.SubElement(whole, tag, {"id": f"{prefix}-{tag[0]}"}).text = text
    whole.extend(inner)
    return ElementTree.tostring(whole, encoding="unicode")


def _kept(element: ElementTree.Element, *, clips: dict[str, ElementTree.Element]) -> list[ElementTree.Element]:
    """Return an element without what a page does not need; a group that says nothing gives way to what it holds."""
    tag = element.tag.rpartition("}")[2]
    if tag in ("metadata", "style", "title"):
        return []
    if tag == "clipPath":
        clips[element.attrib["id"]] = element
    inside = [one for child in element for one in _kept(child, clips=clips)]
    new = ElementTree.Element(tag, _attributes(element, tag=tag))
    new.text = element.text if tag == "text" else None
    new.extend(inside)
    if tag == "path" and new.attrib.get("style") == "fill:none":
        return []
    if tag == "clipPath":
        clips[element.attrib["id"]] = new
        return []
    if tag == "defs":
        marks = [one for one in inside if "id" in one.attrib]
        new[:] = marks
        return [new] if marks else []
    return [new] if tag != "g" or new.attrib else inside


def _attributes(element: ElementTree.Element, *, tag: str) -> dict[str, str]:
    new: dict[str, str] = {}
    for name, value in element.attrib.items():
        if name == "id":
            if tag == "path" and value.startswith(("m", "C")) and len(value) > 10:  # a mark, used by its name
                new["id"] = value
            elif value.startswith("cells"):  # shades side by side: no seam between them
                new["shape-rendering"] = "crispEdges"
        elif name == _LINK:
            new["href"] = value
        elif name == "style":
            new |= {"style": style} if (style := _style(value, tag=tag)) else {}
        elif name == "d":
            new["d"] = _path(value)
        elif name == "transform":
            shift = re.sub(r"rotate\(-?0(\.0*)? [^)]*\)|translate\(0 0\)", "", value).strip()
            new |= {"transform": _rounded(shift)} if shift else {}
        elif name in ("x", "y", "width", "height"):
            new[name] = _short(float(value))
        elif name == "clip-path":
            new[name] = value
    return new


def _style(text: str, *, tag: str) -> str:
    """Shorten a style: colours as variables, no defaults, sizes without the family that the whole picture has."""
    given = dict(part.strip().split(": ", 1) for part in text.split(";") if part.strip())
    given.pop("font-family", None)
    if tag == "path" and "opacity" in given and not (given.get("fill") != "none" and "stroke" in given):
        given["stroke-opacity" if given.get("fill") == "none" else "fill-opacity"] = given.pop("opacity")
    new = []
    for name, value in sorted(given.items()):
        if _DEFAULTS.get(name) == value or (name == "stroke-dashoffset" and float(value) == 0):
            continue
        if re.fullmatch(r"#[0-9a-f]{6}", value):
            value = ink_of(value, letters=tag == "text")
        elif name not in ("fill", "stroke", "text-anchor"):
            value = _rounded(value)
        new.append(f"{name}:{value}")
    return ";".join(new)


def _path(text: str) -> str:
    """Write a path relative to where it is, in hundredths: absolute points are rounded, so nothing adds up.

    Examples
    --------
    >>> _path("M 10 20 L 11.5 20 L 11.504 18.25 L 10 20 z")
    'M10 20h1.5v-1.75l-1.5 1.75z'
    """
    words = re.findall(r"[MLCQzZ]|[-+]?\d*\.?\d+(?:e[-+]?\d+)?", text)
    made: list[str] = []
    at = start = (0, 0)
    last, i = "", 0
    while i < len(words):
        kind = words[i]
        if kind in "zZ":
            made.append("z")
            at, last, i = start, "z", i + 1
            continue
        size = {"M": 2, "L": 2, "Q": 4, "C": 6}[kind]
        numbers = [round(float(word) * 100) for word in words[i + 1 : i + 1 + size]]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        i += 1 + size
        if kind == "M":
            at = start = points[0]
            made.append("M" + _joined(at))
            last = "M"
            continue
        steps = [part - base for point in points for part, base in zip(point, at, strict=True)]
        at = points[-1]
        if kind == "L":
            if steps == [0, 0] and last != "M":
                continue
            if steps[1] == 0:
                kind, steps = "H", steps[:1]
            elif steps[0] == 0:
                kind, steps = "V", steps[1:]
        letter = kind.lower()
        joined = _joined(steps)
        made.append(letter + joined if letter != last else joined if joined[0] == "-" else " " + joined)
        last = letter
    return "".join(made)


def _joined(hundredths: tuple[int, ...] | list[int]) -> str:
    """Numbers with a blank between them only where they would run together."""
    texts = [_short(number / 100) for number in hundredths]
    return "".join(text if not i or text[0] == "-" else " " + text for i, text in enumerate(texts))


def _short(number: float) -> str:
    """Two decimals at most, no idle zero, no negative zero."""
    text = f"{number:.2f}".rstrip("0").rstrip(".")
    text = "0" if text in ("-0", "") else text
    return re.sub(r"^(-?)0\.", r"\1.", text)


def _rounded(text: str) -> str:
    return _DASH.sub(lambda found: _short(float(found[0])), text)


def _clear_paper(inner: ElementTree.Element) -> None:
    """Let a page say what lies under the whole picture; where none does, as in JupyterLab, it is white paper."""
    first = inner[0]
    if first.attrib.get("d", "").startswith("M0 "):
        first.set("style", first.attrib["style"].replace("var(--paper,", "var(--figure,"))


def _share_styles(element: ElementTree.Element) -> None:
    """Put the style and the frame that three or more neighbours share on a group around them."""
    for child in element:
        if child.tag == "g":
            _share_styles(child)
    made: list[ElementTree.Element] = []

    def shared(child: ElementTree.Element) -> tuple[str, str, str]:
        style = child.attrib.get("style", "")
        own = child.tag in ("g", "defs") or re.search(r"(^|;)opacity", style)
        return (str(id(child)) if own else child.tag, style, child.attrib.get("clip-path", ""))

    for (_, style, clip), run in groupby(list(element), key=shared):
        members = list(run)
        if len(members) < 3 or not (style or clip):
            made += members
            continue
        group = ElementTree.Element("g", ({"style": style} if style else {}) | ({"clip-path": clip} if clip else {}))
        for member in members:
            member.attrib.pop("style", None)
            member.attrib.pop("clip-path", None)
        group.extend(members)
        made.append(group)
    element[:] = made


def _name(inner: ElementTree.Element, *, clips: dict[str, ElementTree.Element], prefix: str) -> None:
    """Give what is referred to a name that no other figure of the page has, in the order of first use."""
    names: dict[str, str] = {}
    used: dict[str, None] = {}
    for element in inner.iter():
        for attribute in ("href", "clip-path"):
            if (found := re.search(r"#([^)]+)", element.attrib.get(attribute, ""))) is not None:
                name = names.setdefault(found[1], f"{prefix}-{len(names)}")
                element.set(attribute, f"#{name}" if attribute == "href" else f"url(#{name})")
                if attribute == "clip-path":
                    used[found[1]] = None
    for marks in inner.iter("defs"):
        marks[:] = [mark for mark in marks if mark.attrib["id"] in names]
        for mark in marks:
            mark.set("id", names[mark.attrib["id"]])
    if used:
        frames = ElementTree.Element("defs")
        for old in used:
            clips[old].set("id", names[old])
            frames.append(clips[old])
        inner.insert(0, frames)
