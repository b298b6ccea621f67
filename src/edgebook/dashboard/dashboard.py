"""The dashboard of a week: one page that says what changed, whether to believe it, and what to do.

Everything but the explorer is written here, so that it reads without a script. The explorer's script only filters,
sorts and shows what the document holds: no statistic is computed in the browser. The page is a value (text) and asks
for nothing outside itself.
"""

from __future__ import annotations

import json
import math
import re
from itertools import groupby
from typing import TYPE_CHECKING, Any

from edgebook.dashboard.dashboard_text import document_text
from edgebook.files.formats import MISSING, formatted, interval
from edgebook.pages.report_index import TEMPLATES, Link, stylesheet
from edgebook.summary.summary_numbers import CLOSE_TO_EVEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import jinja2

    from edgebook.figures.figures import Picture

SCRIPTS = (
    "format",
    "elements",
    "data",
    "select",
    "state",
    "table",
    "cells",
    "trades",
    "chart",
    "trade",
    "controls",
    "explorer",
    "theme",
)
"""Parts of the script, in order: pages/templates/dashboard_<name>.js."""
STRIP = ("win_rate", "expectancy", "profit_factor", "sharpe_ratio", "max_drawdown", "equity")
"""Metrics of the account on the first screen."""
OF_DAYS = ("sharpe_ratio", "max_drawdown")
"""Those whose n counts days; the others count signals."""
PLACES = {
    "gate": ("wealth",),
    "equity": ("equity",),
    "importance": ("importance", "importance_drift"),
    "learning": ("thresholds", "weights", "indicator_weights"),
}
"""Where each picture stands; others come with the thresholds and weights."""


def dashboard_page(
    document: Mapping[str, Any], *, pictures: Mapping[str, Picture] | None = None, links: Sequence[Link] = ()
) -> str:
    """Page ``reports/<as_of>/index.html``.

    Parameters
    ----------
    document : mapping
        As `dashboard_document.dashboard_document` gives it: every number that the page shows, JSON values only.
    pictures : mapping of str to Picture, optional
        Name to a picture with `svg` and `words`, in the order in which they are shown.
    links : sequence of Link
        The reports of the week.

    Returns
    -------
    str
        One self-contained page. The same document gives the same bytes.
    """
    shots = _placed(pictures or {})
    gate = dict(document.get("gate") or {})
    gate["trials"] = [{**one, "meter": _meter(one["wealth"], one["bar"])} for one in gate.get("trials", [])]
    key = document.get("key", [])
    named = {one["name"]: one for one in key}
    even = named.get("break_even_win_rate")
    shown = {
        "head": document["head"],
        "verdict": document["verdict"],
        "alarms": document.get("alarms", []),
        "alarms_before": document.get("alarms_before", []),
        "strip": [
            {**named[name], "beside": _beside(name, named), "counts": "days" if name in OF_DAYS else "signals"}
            for name in STRIP
            if name in named
        ],
        "close_to_even": CLOSE_TO_EVEN,
        "key": key,
        "scoreboard": document.get("scoreboard", []),
        "tally": _tally(document.get("scoreboard", [])),
        "changes": document.get("changes", []),
        "table": [(name, list(rows)) for name, rows in groupby(document.get("table", []), key=_window)],
        "positions": document.get("positions", []),
        "champion": document.get("champion", {}),
        "gate": gate,
        "shots": shots,
        "notes": list((document.get("notes") or {}).values()),
        "even_words": f"the account's break-even, {even['text']}" if even and even["value"] is not None else "50 %",
        "links": links,
        "data": document_text(document),
        "script": script(),
        "css": css(),
    }
    shown["contents"] = _contents(shown)
    return _environment().get_template("dashboard.html.j2").render(shown)


def css() -> str:
    """Return the page's style: that of every page, and its own."""
    return stylesheet() + (TEMPLATES / "dashboard.css").read_text(encoding="utf-8")


def script() -> str:
    """Return the page's script: its parts in one function of their own, so that no name of theirs is global."""
    parts = [_short((TEMPLATES / f"dashboard_{name}.js").read_text(encoding="utf-8")) for name in SCRIPTS]
    return "(() => {\n'use strict';\n" + "\n".join(parts) + "})();\n"


def _short(text: str) -> str:
    """Leave out what only a reader of the source needs: indents, and comments that stand on lines of their own."""
    return re.sub(r"(?m)^\s+", "", re.sub(r"(?ms)^\s*/\*.*?\*/\s*?\n", "", text))


def _placed(pictures: Mapping[str, Picture]) -> dict[str, list[tuple[str, dict[str, str]]]]:
    """Pictures by section, each with its title and caption."""
    found: dict[str, list[tuple[str, dict[str, str]]]] = {place: [] for place in PLACES}
    for name, picture in pictures.items():
        place = next((place for place, names in PLACES.items() if name in names), "learning")
        title, _, caption = picture.words.partition("\n")
        found[place].append(
            (name, {"svg": picture.svg, "title": title.removeprefix("Figure: "), "caption": caption})  # type: ignore[attr-defined]
        )
    return found


def _contents(shown: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Sections of the page that are there: id and name."""
    sections = [
        ("goals", "Goals", shown["scoreboard"]),
        ("changes", "Changes", True),
        ("positions", "Positions", True),
        ("champion", "Champion", True),
        ("equity", "Equity", True),
        ("explore-title", "Explorer", True),
        ("importance", "Importance", shown["shots"]["importance"]),
        ("learning", "Learning", shown["shots"]["learning"]),
        ("reports", "Reports", shown["links"]),
        ("how", "How to read", True),
    ]
    return [(name, title) for name, title, there in sections if there]


def _tally(scoreboard: Sequence[Mapping[str, Any]]) -> str:
    """How many goals are met, not met, and undecided, in a sentence."""
    count = [sum(one["state"] == state for one in scoreboard) for state in ("met", "not met")]
    return f"{count[0]} met, {count[1]} not met, {len(scoreboard) - sum(count)} too early to say."


def _meter(wealth: float | None, bar: float | None, *, width: int = 240) -> str:
    """Wealth on its way from a hundredth to its bar, on a log scale."""
    if not wealth or not bar or wealth <= 0 or bar <= 1:
        return ""
    low, high = math.log(0.01), math.log(bar) + 0.3

    def at(value: float) -> float:
        return round(3 + (min(max(math.log(value), low), high) - low) / (high - low) * (width - 6), 1)

    words = f"wealth {formatted(wealth, 'number')}, start 1, bar {formatted(bar, 'number')}, log scale"
    one, now, end = at(1.0), at(wealth), at(bar)
    return (
        f'<svg class="meter" viewBox="0 0 {width} 24" role="img" aria-label="{words}">'
        f'<line class="track" x1="3" x2="{width - 3}" y1="12" y2="12"/>'
        f'<line class="fill" x1="{one}" x2="{now}" y1="12" y2="12"/>'
        f'<line class="one" x1="{one}" x2="{one}" y1="5" y2="19"/>'
        f'<line class="bar" x1="{end}" x2="{end}" y1="3" y2="21"/></svg>'
    )


def _raw_number(value: Any) -> str:
    """Write a number for a machine: as JSON does, "" for none."""
    return "" if value is None else json.dumps(value)


def _at(minutes: int | None) -> str:
    """Minutes since 1970 as a reader writes them, UTC."""
    from datetime import UTC, datetime

    return MISSING if minutes is None else f"{datetime.fromtimestamp(minutes * 60, tz=UTC):%Y-%m-%d %H:%M}"


def _price(value: float | None) -> str:
    """Write a price with the places that its size asks for."""
    if value is None:
        return MISSING
    size = abs(value)
    return f"{value:,.{1 if size >= 1000 else 2 if size >= 100 else 4 if size >= 1 else 6}f}"


def _words(name: Any) -> str:
    """Write a name as a reader says it; what is no name of ours stays as it is."""
    return str(name).replace("_", " ")


def _count(value: Any) -> str:
    """Write a count; none is a dash."""
    return "–" if value is None else formatted(value, "integer")


def _window(row: Mapping[str, Any]) -> str:
    """What a measure covers: the week, 13 weeks, everything."""
    return str(row.get("window", ""))


def _beside(name: str, named: Mapping[str, Mapping[str, Any]]) -> str:
    """Say what a metric is read against."""
    even = named.get("break_even_win_rate")
    return f"break-even {even['text']}" if name == "win_rate" and even else ""


def _change(row: Mapping[str, Any]) -> str:
    """Write how far a measure moved: rates in points, everything with its sign."""
    value, how = row.get("change"), row.get("format", "number")
    if value is None:
        return MISSING
    text = formatted(value, "points" if how in ("percent", "signed_percent") else how)
    if not text.strip("+0., Rp"):
        return text.lstrip("+")
    return text if text[0] in "−+" or value <= 0 else f"+{text}"


def _environment() -> jinja2.Environment:
    import jinja2

    loader = jinja2.FileSystemLoader(TEMPLATES)
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "raw_number": _raw_number,
        "at": _at,
        "price": _price,
        "words": _words,
        "count": _count,
        "band": lambda row, how: interval(row["low"], row["high"], how),
        "change": _change,
        "formatted": formatted,
    }
    return environment
