"""Index pages over the reports, of a week and of all weeks, and the summary in Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from edgebook.display import MISSING, formatted, interval
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


@dataclass(frozen=True)
class WeekRow:
    """One week of the index over all: rates as fractions, equity in account currency at the week's end.

    `win_rate` and its ends cover the window named in the page's note; None where there is no trade. `address` is
    relative to ``reports/``, "" for a week that has a seal and no reports.
    """

    as_of: str
    champion: str
    decision: str
    signals: int
    win_rate: float | None
    win_rate_low: float | None
    win_rate_high: float | None
    equity: float
    address: str = ""
    tone: Literal["good", "bad", "wait", "plain"] = "plain"


def week_index(week: WeekPage) -> str:
    """Page ``reports/<as_of>/index.html``: the decision, key metrics with intervals, what changed, the reports."""
    return _environment().get_template("week.html.j2").render(week=week, css=stylesheet())


def all_index(weeks: Sequence[WeekRow], *, market: str, history: str, note: str) -> str:
    """Page ``reports/index.html``: every week of the history, the last one first.

    Parameters
    ----------
    weeks : sequence of WeekRow
        In any order.
    market, history : str
        Names.
    note : str
        What the win rate and its interval cover.

    Returns
    -------
    str
        The page, with the equity path as a line above the table.
    """
    ordered = sorted(weeks, key=lambda week: week.as_of)
    rows = [
        {
            "week": week,
            "win_rate": MISSING if week.win_rate is None else formatted(week.win_rate, "percent"),
            "band": interval(week.win_rate_low, week.win_rate_high, "percent"),
            "equity": formatted(week.equity, "money"),
        }
        for week in reversed(ordered)
    ]
    line = _path([week.equity for week in ordered])
    template = _environment().get_template("weeks.html.j2")
    return template.render(rows=rows, market=market, history=history, note=note, line=line, css=stylesheet())


def _path(values: Sequence[float], *, width: int = 1000, height: int = 120) -> dict[str, Any]:
    """Points of an SVG polyline through `values`, and the height of the first one."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    span = (high - low) or 1.0
    step = width / max(1, len(values) - 1)
    heights = [round(height - 6 - (value - low) / span * (height - 12), 1) for value in values]
    points = " ".join(f"{round(i * step, 1)},{y}" for i, y in enumerate(heights))
    return {"points": points, "start": heights[0] if heights else 0, "width": width, "height": height}


def _environment() -> jinja2.Environment:
    import jinja2

    loader = jinja2.FileSystemLoader(TEMPLATES)
    return jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)


def summary_markdown(lines: Sequence[str], *, title: str) -> str:
    """Text of ``summary.md``, also the words of the pull request: a title and one line a finding.

    Examples
    --------
    >>> print(summary_markdown(["Kept r1: wealth 1.3 of 80."], title="Week to 2019-07-01"), end="")
    # Week to 2019-07-01
    <BLANKLINE>
    - Kept r1: wealth 1.3 of 80.
    """
    return "\n".join([f"# {title}", "", *(f"- {' '.join(line.split())}" for line in lines)]) + "\n"
