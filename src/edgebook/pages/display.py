"""What a notebook shows besides figures: tables, computed prose, the conclusion.

Each object carries static HTML for the report and the same words as plain text, so that a re-run can be compared word
by word. Nothing in it depends on the machine or the moment: no random ids, no addresses.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from edgebook.files.formats import MISSING, SIGNED, Format, formatted, interval
from edgebook.pages.figures_palette import COLOURS, variable_of, words

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import pandas as pd

SWATCHES = {
    said: variable_of(meaning)
    for meaning in COLOURS
    if meaning.startswith("HEAD_") or variable_of(meaning).startswith(("--regime", "--exit", "--side"))
    for said in (meaning, words(meaning), f"{meaning[-1]} {words(meaning).title()}")
}
"""Words in a table that have a colour in the figures, and carry it here."""

__all__ = ["MISSING", "Callout", "Format", "Prose", "Table", "callout", "formatted", "interval", "prose", "table"]


@dataclass(frozen=True)
class Table:
    """A finished table: `_repr_html_` for the report, `repr` for a terminal and for comparison."""

    page: str
    plain: str

    def _repr_html_(self) -> str:
        return self.page

    def __repr__(self) -> str:
        """Return the table as aligned text."""
        return self.plain


@dataclass(frozen=True)
class _Cell:
    """One cell: what it says and how it is dressed."""

    text: str
    kind: str = ""
    style: str = ""
    numeric: bool = False


def table(
    frame: pd.DataFrame,
    *,
    caption: str,
    note: str = "",
    formats: Mapping[str, Format] | None = None,
    labels: Mapping[str, str] | None = None,
    intervals: Mapping[str, tuple[str, str]] | None = None,
    pills: Mapping[str, Mapping[str, Literal["good", "bad", "wait", "plain"]]] | None = None,
    bars: Collection[str] = (),
    strong: Collection[int] = (),
) -> Table:
    """Dress a frame as a table of the report.

    Parameters
    ----------
    frame : DataFrame
        One row a line, in the order shown; the index is not shown.
    caption : str
        What the table says, above it; unit and window belong here.
    note : str, optional
        Small print below: method, n, corrections.
    formats : mapping, optional
        Column to format. By default integers, numbers (2 places), dates and text, by the column's type.
    labels : mapping, optional
        Column to heading. By default the name with blanks and a capital.
    intervals : mapping, optional
        Column to the names of its lower and upper ends, which leave the table as columns of their own and stand
        beside it as "95 % interval", in its format.
    pills : mapping, optional
        Column to a tone for each word it may hold: ``{"status": {"met": "good", "not met": "bad"}}``.
    bars : collection of str, optional
        Columns that get a bar behind the number, as long as its share of the column's largest.
    strong : collection of int, optional
        Row positions to set in bold.

    Returns
    -------
    Table
        Missing and infinite values read ``n/a``.

    Examples
    --------
    >>> import pandas as pd
    >>> rates = pd.DataFrame({"regime": ["ranging"], "win_rate": [0.52], "low": [0.48], "high": [0.56], "n": [1204]})
    >>> table(rates, caption="Win rate", formats={"win_rate": "percent"}, intervals={"win_rate": ("low", "high")})
    Win rate
    Regime   Win rate   95 % interval      n
    -------  --------  --------------  -----
    ranging    52.0 %  48.0 to 56.0 %  1,204
    """
    formats, labels, intervals, pills = formats or {}, labels or {}, intervals or {}, pills or {}
    ends = {end for pair in intervals.values() for end in pair}
    heads: list[_Cell] = []
    columns: list[list[_Cell]] = []
    for name in [str(column) for column in frame.columns if column not in ends]:
        how = formats.get(name) or _default_format(frame[name])
        cells = _column(frame[name], how=how, tones=pills.get(name), bar=name in bars)
        numeric = how != "text" or (name not in pills and _reads_as_numbers([cell.text for cell in cells]))
        heads.append(_Cell(labels.get(name, _heading(name)), numeric=numeric))
        columns.append(cells)
        if name in intervals:
            low, high = (frame[end] for end in intervals[name])
            heads.append(_Cell(labels.get(intervals[name][0], "95 % interval"), numeric=True))
            columns.append([_Cell(interval(a, b, how), "band", "", True) for a, b in zip(low, high, strict=True)])
    rows = list(zip(*columns, strict=True))
    return Table(_page(heads, rows, caption=caption, note=note, strong=strong), _plain(heads, rows, caption=caption))


def _default_format(column: pd.Series) -> Format:
    from pandas.api import types

    if types.is_bool_dtype(column):
        return "text"
    if types.is_integer_dtype(column):
        return "integer"
    if types.is_numeric_dtype(column):
        return "number"
    return "date" if types.is_datetime64_any_dtype(column) else "text"


def _reads_as_numbers(texts: Sequence[str]) -> bool:
    """Whether a column of text was numbers before it was written: ``+1.2 %``, ``50.1 to 58.4``."""
    number = r"[+−<>-]?[\d,]*\.?\d+"
    shape = re.compile(rf"{number}(?: (?:to|of) {number})?(?: ?[%R]| pp| bps)?")
    shown = [text for text in texts if text != MISSING]
    return bool(shown) and all(shape.fullmatch(text) for text in shown)


def _heading(name: str) -> str:
    return name if len(name) <= 2 else name[:1].upper() + name[1:].replace("_", " ")


def _column(column: pd.Series, *, how: Format, tones: Mapping[str, str] | None, bar: bool) -> list[_Cell]:
    from pandas.api import types

    values = list(column)
    if types.is_bool_dtype(column):
        return [_Cell("yes" if value is True or value == True else "–") for value in values]  # noqa: E712 numpy bools
    largest = max((abs(v) for v in values if isinstance(v, int | float) and abs(v) < float("inf")), default=0) or 1
    cells = []
    for value in values:
        text = formatted(value, how)
        kind, style = "", ""
        if text == MISSING:
            kind = "none"
        elif tones is not None:
            kind = f"pill {tones.get(text, 'plain')}"
        elif bar:
            kind, style = "bar", f"--w:{abs(value) / largest * 100:.1f}"
        elif how in SIGNED:
            kind = {"+": "pos", "−": "neg"}.get(text[0], "")
        cells.append(_Cell(text, kind, style, how != "text"))
    return cells


def _page(
    heads: Sequence[_Cell], rows: Sequence[Sequence[_Cell]], *, caption: str, note: str, strong: Collection[int]
) -> str:
    numeric = [head.numeric for head in heads]
    shown = html.escape(caption)
    lines = ['<figure class="table">', f"<figcaption><b>{shown}</b></figcaption>"]
    lines += [f'<div class="wide" tabindex="0" role="group" aria-label="{shown}">']
    size = "full crowded" if len(heads) > 9 else "full" if len(heads) > 5 else ""
    lines += [f"<table{_class(size)}>", "<thead><tr>"]
    for head in heads:
        lines.append(f'<th scope="col" class="{_side(head.numeric)}">{html.escape(head.text)}</th>')
    lines += ["</tr></thead>", "<tbody>"]
    long = ["" if n else _room([row[i].text for row in rows]) for i, n in enumerate(numeric)]
    for position, row in enumerate(rows):
        cells = [_td(cell, kind=long[i], numeric=numeric[i], first=not i) for i, cell in enumerate(row)]
        lines.append(('<tr class="strong">' if position in strong else "<tr>") + "".join(cells) + "</tr>")
    if not rows:
        lines.append(f'<tr><td class="none" colspan="{len(heads)}">none</td></tr>')
    lines += ["</tbody>", "</table>", "</div>"]
    if note:
        lines.append(f'<p class="note">{html.escape(note)}</p>')
    return "\n".join([*lines, "</figure>"])


def _side(numeric: bool) -> str:
    return "num" if numeric else "word"


def _room(texts: Sequence[str]) -> str:
    """Whether the words of a column stay on one line, or need room for several."""
    longest = max(map(len, texts), default=0)
    return "brief" if longest <= 28 else "long" if longest > 44 else "some"


def _td(cell: _Cell, *, kind: str, numeric: bool, first: bool) -> str:
    text = html.escape(cell.text)
    meaning = None if numeric else SWATCHES.get(cell.text)
    if meaning is not None:
        text = f'<span class="swatch" style="--of:var({meaning})"></span>{text}'
    if cell.kind.startswith("pill"):
        return f'<td class="word"><span class="{cell.kind}">{text}</span></td>'
    if first and not numeric:
        return f'<th scope="row"{_class(kind)}>{text}</th>'
    dress = f' style="{cell.style}"' if cell.style else ""
    return f"<td{_class('num' if numeric else kind, cell.kind)}{dress}>{text}</td>"


def _class(*kinds: str) -> str:
    given = " ".join(kind for kind in kinds if kind)
    return f' class="{given}"' if given else ""


def _plain(heads: Sequence[_Cell], rows: Sequence[Sequence[_Cell]], *, caption: str) -> str:
    texts = [[head.text for head in heads], *([cell.text for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in texts) for i in range(len(heads))]
    texts.insert(1, ["-" * width for width in widths])
    lines = []
    for row in texts:
        cells = [
            text.rjust(width) if head.numeric else text.ljust(width)
            for text, width, head in zip(row, widths, heads, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join([caption, *lines, *([] if rows else ["none"])])


@dataclass(frozen=True)
class Prose:
    """Computed Markdown: prose in the report, itself as text."""

    text: str

    def _repr_markdown_(self) -> str:
        return self.text

    def __repr__(self) -> str:
        """Return the Markdown."""
        return self.text


def prose(*paragraphs: str) -> Prose:
    """Show computed sentences as prose; each argument is a paragraph of Markdown."""
    return Prose("\n\n".join(paragraph for paragraph in paragraphs if paragraph))


@dataclass(frozen=True)
class Callout:
    """A boxed statement: `_repr_html_` for the report, `repr` for comparison."""

    text: str
    kind: str

    def _repr_html_(self) -> str:
        import mistune

        body = mistune.create_markdown(escape=True)(self.text)
        return f'<div class="callout {self.kind}"><span class="kind">{self.kind.capitalize()}</span>\n{body}</div>'

    def __repr__(self) -> str:
        """Return the kind and the Markdown."""
        return f"{self.kind.capitalize()}: {self.text}"


def callout(*paragraphs: str, kind: Literal["conclusion", "caution", "note"] = "conclusion") -> Callout:
    """Box what a hurried reader must not miss; the first paragraph is set large in a conclusion.

    Parameters
    ----------
    *paragraphs : str
        Markdown, computed.
    kind : {"conclusion", "caution", "note"}
        A conclusion ends a report; a caution says what the numbers cannot carry.
    """
    return Callout("\n\n".join(paragraph for paragraph in paragraphs if paragraph), kind)
