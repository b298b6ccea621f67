"""What a page gets once its cells are rendered: a contents list, numbers of figures and tables, names apart."""

from __future__ import annotations

import html
import re
import unicodedata
from itertools import count

CONTENTS = "<!-- contents -->"
"""Where the contents list goes."""

_TABLE = '<figure class="table">\n<figcaption>'
_FIGURE = '<figure class="plot">'
_NUMBER = '<span class="number">Figure</span>'


def finished(page: str) -> str:
    """Return a rendered page with its contents list, numbered figures and tables, and no name twice.

    Parameters
    ----------
    page : str
        HTML; the place of the list is `CONTENTS`, headings below the first level stand in ``main``.

    Returns
    -------
    str
        Every ``h2`` and ``h3`` has an id and is linked from the list; every figure is ``figure-1``, ``figure-2``, …,
        and every table ``table-1``, …; a number and its unit stay on one line.
    """
    page, headings = _named(page)
    page = _unbroken(_numbered(_apart(page)))
    return page.replace(CONTENTS, contents_list(headings), 1)


def contents_list(headings: list[tuple[int, str, str]]) -> str:
    """Return the list of what is on the page, once to stand beside it and once to be folded above it.

    Parameters
    ----------
    headings : list of (int, str, str)
        Level, id and text as HTML.

    Returns
    -------
    str
        A ``nav``, or nothing for a page of fewer than two headings.
    """
    if len(headings) < 2:
        return ""
    lines = [
        f'<li{" class=" + chr(34) + "sub" + chr(34) if level > 2 else ""}><a href="#{name}">{text}</a></li>'
        for level, name, text in headings
    ]
    listed = "<ol>\n" + "\n".join(lines) + "\n</ol>"
    return (
        '<nav class="toc" aria-label="Contents">\n'
        f'<div class="beside"><p>Contents</p>\n{listed}\n</div>\n'
        f"<details><summary>Contents</summary>\n{listed}\n</details>\n</nav>"
    )


def slug(text: str) -> str:
    """Write a heading as a name for its place.

    Examples
    --------
    >>> slug("The decision, and why"), slug("R² lost"), slug("…")
    ('the-decision-and-why', 'r2-lost', 'part')
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or "part"


def _named(page: str) -> tuple[str, list[tuple[int, str, str]]]:
    """Give every heading an id; return the page and what is to be listed."""
    taken: dict[str, int] = {"report": 1}
    found: list[tuple[int, str, str]] = []

    def name(heading: re.Match[str]) -> str:
        level, inner = int(heading[1]), heading[2].strip()
        text = re.sub(r"<[^>]+>", "", inner)
        base = slug(html.unescape(text))
        taken[base] = taken.get(base, 0) + 1
        own = base if taken[base] == 1 else f"{base}-{taken[base]}"
        found.append((level, own, text))
        return f'<h{level} id="{own}">{inner}</h{level}>'

    return re.sub(r"<h([23])(?: [^>]*)?>(.*?)</h\1>", name, page, flags=re.DOTALL), found


def _numbered(page: str) -> str:
    """Number figures and tables in their order."""
    tables, figures = count(1), count(1)

    def table(_: re.Match[str]) -> str:
        number = next(tables)
        return f'<figure class="table" id="table-{number}">\n<figcaption><span class="number">Table {number}</span>'

    def figure(found: re.Match[str]) -> str:
        number = next(figures)
        opened = f'<figure class="plot" id="figure-{number}">{found[1]}'
        return f'{opened}<span class="number">Figure {number}</span>'

    page = re.sub(re.escape(_TABLE), table, page)
    return re.sub(f"{re.escape(_FIGURE)}(.*?){re.escape(_NUMBER)}", figure, page, flags=re.DOTALL)


def _apart(page: str) -> str:
    """Rename what is inside a picture that a page shows more than once: an id stands for one thing."""
    seen: dict[str, int] = {}

    def own(svg: re.Match[str]) -> str:
        prefix = re.search(r'aria-labelledby="(f[0-9a-f]{8})-t', svg[0])
        if prefix is None:
            return svg[0]
        seen[prefix[1]] = seen.get(prefix[1], 0) + 1
        times = seen[prefix[1]]
        return svg[0] if times == 1 else svg[0].replace(f"{prefix[1]}-", f"{prefix[1]}x{times}-")

    return re.sub(r"<svg\b.*?</svg>", own, page, flags=re.DOTALL)


def _unbroken(page: str) -> str:
    """Keep a number and its unit on one line, in what is read as sentences."""

    def kept(part: re.Match[str]) -> str:
        text = re.sub(r"(?<=\d) (?=(?:%|R|pp|bps)(?![\w]))", "\u00a0", part[0])
        return re.sub(r"\b(n) = (?=\d)", "\\1\u00a0=\u00a0", text)

    return re.sub(r"<(p|li|figcaption)\b[^>]*>.*?</\1>", kept, page, flags=re.DOTALL)
