"""Page ``reports/index.html``: every week of a history, its trends, its champions, and what happened when.

No script: pictures are SVG that stretches, words beside them are words of the page, and everything that is marked in a
picture stands in a table, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from edgebook.dashboard.all_weeks import MARKED, Estimate, WeekRow
from edgebook.figures.trend_lines import Series, Trend, across, date_ticks, trend
from edgebook.files.formats import MISSING, Format, formatted, interval
from edgebook.summary.summary_numbers import WINDOW_WEEKS
from edgebook.summary.summary_verdict import written_wealth

if TYPE_CHECKING:
    from collections.abc import Sequence

GLYPHS = {"promoted": "▲", "rolled back": "▼", "pinned": "◆", "retired": "✕"}
NEAREST = 1.4
"""Percent of the axis that marks of one row keep from each other; nearer ones are drawn as one."""
FLOOR, CEILING = 0.01, 1e6
"""Wealth is drawn between these."""
FIRST_WEEKS = 6
"""Weeks whose intervals have no say in the axis of a longer history."""
ROOM_FOR_A_NAME = 5.0
"""Percent of the axis that a stretch needs to carry its recipe's name."""


class Stretch(NamedTuple):
    """Weeks in a row under one recipe: where it begins and how long it is, in percent, and who."""

    at: float
    width: float
    name: str
    title: str
    shade: int


class Mark(NamedTuple):
    """Something that happened: where, in percent, which kind, and what in words."""

    at: float
    kind: str
    glyph: str
    title: str


class Panel(NamedTuple):
    """One picture with its caption, key and the text that stands for it."""

    title: str
    caption: str
    text: str
    picture: Trend
    key: tuple[tuple[str, str], ...] = ()


def all_weeks_page(rows: Sequence[WeekRow], *, market: str, history: str, verdict: str = "") -> str:
    """Page over all weeks.

    Parameters
    ----------
    rows : sequence of WeekRow
        In any order.
    market, history : str
        Names.
    verdict : str
        Of the last week, in a line; by default its decision.

    Returns
    -------
    str
        One page: its own CSS, no script, no address outside the reports.
    """
    import jinja2

    from edgebook.pages.report_index import TEMPLATES, stylesheet

    ordered = sorted(rows, key=lambda row: row.as_of)
    loader = jinja2.FileSystemLoader(TEMPLATES)
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("weeks.html.j2").render(
        css=stylesheet() + (TEMPLATES / "weeks.css").read_text(encoding="utf-8"),
        market=market,
        history=history,
        weeks=WINDOW_WEEKS,
        verdict=verdict or (ordered[-1].decision if ordered else ""),
        first=ordered[0] if ordered else None,
        last=ordered[-1] if ordered else None,
        table=[_cells(row) for row in reversed(ordered)],
        panels=_panels(ordered) if len(ordered) > 1 else [],
        dates=date_ticks([row.as_of for row in ordered]),
        champions=_stretches([row.champion for row in ordered], weeks=[row.as_of for row in ordered]),
        challengers=_stretches([row.challenger for row in ordered], weeks=[row.as_of for row in ordered]),
        marks=_marks(ordered),
        rules=_rules(ordered),
        alarms=_alarms(ordered),
        alarms_total=sum(row.alarms for row in ordered),
        events=[(row.as_of, event, row.address) for row in reversed(ordered) for event in row.events],
        glyphs=GLYPHS,
    )


def _cells(row: WeekRow) -> dict[str, Any]:
    """One line of the table, as written."""
    alarms = f"{row.alarms} drift alarm{'s' if row.alarms > 1 else ''}" if row.alarms else ""
    trial = next((one for one in row.wealth if one.kind == "promotion"), None)
    return {
        "week": row,
        "alarms": alarms,
        "win_rate": formatted(row.win_rate.value, "percent"),
        "band": interval(row.win_rate.low, row.win_rate.high, "percent"),
        "expectancy": formatted(row.expectancy.value, "r"),
        "wealth": f"{written_wealth(trial.value)} of {trial.bar:g}" if trial else MISSING,
        "equity": formatted(row.equity, "money"),
    }


def _panels(rows: Sequence[WeekRow]) -> list[Panel]:
    last = rows[-1]
    equity = [row.equity for row in rows]
    return [
        Panel(
            "Equity",
            f"of the account at the end of each week, net of costs: {formatted(last.equity, 'money')} now",
            _told("Equity", equity, rows, how="money"),
            trend([Series(equity, "account")], write=lambda v: formatted(v, "money")),
        ),
        Panel(
            "Win rate",
            f"of the {WINDOW_WEEKS} weeks up to each: {_now(last.win_rate, 'percent')}",
            _told("Win rate", [row.win_rate.value for row in rows], rows, how="percent"),
            trend(
                [_estimates(rows, "win_rate"), Series([row.break_even for row in rows], "level")],
                write=lambda v: formatted(v, "percent").replace(".0 %", " %"),
                within=_settled(rows, "win_rate"),
            ),
            (("account", "win rate, 95 % interval"), ("level", "win rate that breaks even")),
        ),
        Panel(
            "Expectancy",
            f"a trade, of the {WINDOW_WEEKS} weeks up to each: {_now(last.expectancy, 'r')}",
            _told("Expectancy", [row.expectancy.value for row in rows], rows, how="r"),
            trend(
                [_estimates(rows, "expectancy"), Series([0.0] * len(rows), "level")],
                write=lambda v: formatted(v, "r"),
                within=_settled(rows, "expectancy"),
            ),
            (("account", "expectancy, 95 % interval"), ("level", "zero")),
        ),
        _wealth_panel(rows),
    ]


def _wealth_panel(rows: Sequence[WeekRow]) -> Panel:
    """Evidence of each trial against its bar, on a logarithmic axis."""
    series = []
    for kind, shade in (("promotion", "challenger"), ("rollback", "against")):
        arms = list(dict.fromkeys(one.arm for row in rows for one in row.wealth if one.kind == kind))
        for arm in arms:
            found = [_of_trial(row, kind=kind, arm=arm) for row in rows]
            series.append(Series([None if one is None else max(one[0], FLOOR) for one in found], shade))
            series.append(Series([None if one is None else one[1] for one in found], f"{shade} level"))
    now = next((one for one in rows[-1].wealth if one.kind == "promotion"), None)
    said = f"{now.arm} stands at {written_wealth(now.value)}, {now.bar:g} promotes" if now else "no challenger now"
    key = [("challenger", "for the challenger"), ("challenger level", "promotes")]
    if any(one.kind == "rollback" for row in rows for one in row.wealth):
        key += [("against", "against the champion"), ("against level", "rolls back")]
    return Panel(
        "The gate's wealth",
        f"evidence of each trial, 1 at its beginning, logarithmic: {said}",
        _told("Wealth of the challenger", [_wealth_now(row) for row in rows], rows, how="number3"),
        trend(series, write=lambda v: f"{v:,.10g}", log=True, within=(FLOOR, CEILING)),
        tuple(key),
    )


def _of_trial(row: WeekRow, *, kind: str, arm: str) -> tuple[float, float] | None:
    return next(((one.value, one.bar) for one in row.wealth if (one.kind, one.arm) == (kind, arm)), None)


def _wealth_now(row: WeekRow) -> float | None:
    return next((one.value for one in row.wealth if one.kind == "promotion"), None)


def _estimates(rows: Sequence[WeekRow], name: str) -> Series:
    found: list[Estimate] = [getattr(row, name) for row in rows]
    return Series([e.value for e in found], "account", [e.low for e in found], [e.high for e in found])


def _settled(rows: Sequence[WeekRow], name: str) -> tuple[float, float] | None:
    """What the axis spans: all values, and intervals once they rest on a few weeks; the first ones are very wide."""
    if len(rows) <= 3 * FIRST_WEEKS:
        return None
    found: list[Estimate] = [getattr(row, name) for row in rows]
    settled = [v for e in found[FIRST_WEEKS:] for v in (e.low, e.high) if v is not None]
    seen = [e.value for e in found if e.value is not None] + settled
    return (min(seen), max(seen)) if seen else None


def _now(found: Estimate, how: Format) -> str:
    if found.value is None:
        return "nothing has closed"
    return f"{formatted(found.value, how)} now (95 % {interval(found.low, found.high, how)})"


def _told(name: str, values: Sequence[float | None], rows: Sequence[WeekRow], *, how: Format) -> str:
    """What a picture shows, for those who do not see it."""
    known = [(value, row.as_of) for value, row in zip(values, rows, strict=True) if value is not None]
    if not known:
        return f"{name} by week: nothing is known yet."
    low, high = min(known), max(known)
    return (
        f"{name} by week, {len(rows)} weeks: {formatted(known[0][0], how)} on {known[0][1]}, lowest "
        f"{formatted(low[0], how)} on {low[1]}, highest {formatted(high[0], how)} on {high[1]}, "
        f"{formatted(known[-1][0], how)} on {known[-1][1]}. Every week stands in the table below."
    )


def _stretches(names: Sequence[str], *, weeks: Sequence[str]) -> list[Stretch]:
    """Stretches of weeks under one name, each half a week to both sides; weeks without a name are left out."""
    found: list[Stretch] = []
    shades: dict[str, int] = {}
    begin = 0
    for i in range(1, len(names) + 1):
        if i < len(names) and names[i] == names[begin]:
            continue
        if names[begin]:
            start = max(0.0, across(begin, weeks=len(names)) - _half(len(names)))
            end = min(100.0, across(i - 1, weeks=len(names)) + _half(len(names)))
            until = "now" if i == len(names) else weeks[i]
            shade = shades.setdefault(names[begin], len(shades) % 4)
            room = end - start >= ROOM_FOR_A_NAME
            found.append(
                Stretch(
                    round(start, 2), round(end - start, 2), names[begin] if room else "",
                    f"{names[begin]}, {weeks[begin]} to {until}", shade,
                )
            )  # fmt: skip
        begin = i
    return found


def _half(weeks: int) -> float:
    return 50 / max(1, weeks - 1)


def _marks(rows: Sequence[WeekRow]) -> list[Mark]:
    """Changes of champion and retirements; of those that would touch, a change of champion stays."""
    found: list[Mark] = []
    order = {kind: place for place, kind in enumerate(MARKED)}
    marks = [
        Mark(across(i, weeks=len(rows)), event.kind, GLYPHS[event.kind], f"{row.as_of}: {event.recipe} {event.kind}")
        for i, row in enumerate(rows)
        for event in row.events
        if event.kind in GLYPHS
    ]
    for mark in sorted(marks, key=lambda mark: (order[mark.kind] > 2, mark.at)):
        near = next((i for i, other in enumerate(found) if abs(other.at - mark.at) < NEAREST), None)
        if near is None:
            found.append(mark)
        else:
            found[near] = found[near]._replace(title=f"{found[near].title}; {mark.title}")
    return sorted(found)


def _rules(rows: Sequence[WeekRow]) -> list[Mark]:
    """Changes of champion, as lines through every picture."""
    return [mark for mark in _marks(rows) if mark.kind != "retired"]


def _alarms(rows: Sequence[WeekRow]) -> list[Mark]:
    """Weeks with an alarm; neighbours that would touch are one mark."""
    found: list[Mark] = []
    for i, row in enumerate(rows):
        if not row.alarms:
            continue
        at = across(i, weeks=len(rows))
        said = f"{row.as_of}: {row.alarms}"
        if found and at - found[-1].at < NEAREST / 2:
            found[-1] = found[-1]._replace(title=f"{found[-1].title}; {said}")
        else:
            found.append(Mark(at, "alarm", "", said))
    return found
