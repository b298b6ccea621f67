"""The index of a week, and what every page of the reports shares: templates and stylesheet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgebook.figures_palette import palette_css

if TYPE_CHECKING:
    from collections.abc import Sequence

    import jinja2

TEMPLATES = Path(__file__).parent / "templates"


def stylesheet() -> str:
    """Return the CSS that every page carries in itself."""
    return palette_css() + (TEMPLATES / "edgebook.css").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Card:
    """One key figure of a week: its name, the value as shown, interval and n in small print."""

    name: str
    value: str
    detail: str = ""


@dataclass(frozen=True)
class Link:
    """A report of the week: title, relative address, its conclusion in one line."""

    title: str
    address: str
    line: str = ""


@dataclass(frozen=True)
class WeekPage:
    """What the index of a week shows.

    Parameters
    ----------
    as_of, market, history, champion : str
        As in `ReportHeader`.
    parameters_fingerprint, data_fingerprint : str
        As in `ReportHeader`.
    decision, reason : str
        The gate's word ("keep", "promote r4", …) as a sentence, and why.
    cards : sequence of Card
        Key metrics with their intervals.
    changes : sequence of str
        What changed since last week, a sentence each.
    reports : sequence of Link
        The week's reports.
    previous, following : str
        `as_of` of the neighbouring weeks, "" where there is none.
    """

    as_of: str
    market: str
    history: str
    champion: str
    parameters_fingerprint: str
    data_fingerprint: str
    decision: str
    reason: str
    cards: Sequence[Card]
    changes: Sequence[str]
    reports: Sequence[Link]
    previous: str = ""
    following: str = ""


def week_index(week: WeekPage) -> str:
    """Page ``reports/<as_of>/index.html``: the decision, key metrics with intervals, what changed, the reports."""
    return _environment().get_template("week.html.j2").render(week=week, css=stylesheet())


def _environment() -> jinja2.Environment:
    import jinja2

    loader = jinja2.FileSystemLoader(TEMPLATES)
    return jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
