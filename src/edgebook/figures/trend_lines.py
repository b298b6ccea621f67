"""Lines over weeks as small SVG that stretches: made for a page of many weeks, on a desk and on a phone.

The picture has no letters: a page sets the words of the axes beside it, so that they keep their size when the picture
is stretched to the width there is. Strokes keep their width, too (``vector-effect``). Coordinates are whole tenths on a
plane of 1000 by 100, which keeps five hundred weeks within a few kilobytes a line.
"""

from __future__ import annotations

import datetime
import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WIDTH, HEIGHT = 1000.0, 100.0
MOST_TICKS = 6
EDGE = 6
"""Percent from its ends within which a date is written inwards."""
LETTER = 2.3
"""Percent of the axis that a letter takes on a phone, the gap to the next word included."""
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)


class Tick(NamedTuple):
    """A word on an axis: where, in percent of it from the left or the top, and what."""

    at: float
    text: str


class Line(NamedTuple):
    """A stroke: points of a polyline, and what it is (a class of the page's CSS)."""

    points: str
    kind: str


@dataclass(frozen=True)
class Trend:
    """One picture: strokes, bands and levels inside, ticks for the page to write beside it.

    Parameters
    ----------
    lines : tuple of Line
        Drawn in order.
    bands : tuple of str
        Points of polygons, behind the lines.
    ticks : tuple of Tick
        Of the vertical axis.
    """

    lines: tuple[Line, ...]
    bands: tuple[str, ...] = ()
    ticks: tuple[Tick, ...] = field(default=())


class Series(NamedTuple):
    """Values of a line, one a week, None where there is none; what it is; and the ends of its interval."""

    values: Sequence[float | None]
    kind: str
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()


def trend(
    series: Sequence[Series],
    *,
    write: Callable[[float], str],
    log: bool = False,
    within: tuple[float, float] | None = None,
) -> Trend:
    """Draw lines on one scale.

    Parameters
    ----------
    series : sequence of Series
        All of the same length; later ones on top.
    write : callable
        How the axis writes a value.
    log : bool
        Whether the axis is logarithmic: values must then be above 0.
    within : (float, float), optional
        What the axis spans at most: lines leave the picture at its edge.

    Returns
    -------
    Trend

    Examples
    --------
    >>> picture = trend([Series([1.0, 3.0, 2.0], "book")], write="{:.0f}".format)
    >>> picture.lines[0].points, [tick.text for tick in picture.ticks]
    ('0,95 500,5 1000,50', ['1', '2', '3'])
    """
    scale: Callable[[float], float] = math.log10 if log else float
    seen = [scale(v) for one in series for part in (one.values, one.low, one.high) for v in part if v is not None]
    low, high = min(seen, default=0.0), max(seen, default=1.0)
    if within is not None:
        low, high = max(low, scale(within[0])), min(high, scale(within[1]))
    if not high > low:
        low, high = low - 0.5, low + 0.5

    def height(value: float) -> float:
        share = (min(max(scale(value), low), high) - low) / (high - low)
        return HEIGHT - 5 - share * (HEIGHT - 10)

    lines = tuple(Line(points, one.kind) for one in series for points in _runs(one.values, height=height))
    bands = tuple(points for one in series for points in _bands(one.low, one.high, height=height))
    marks = _decades(low, high) if log else _round_numbers(low, high)
    return Trend(lines, bands, tuple(Tick(round(height(mark), 1), write(mark)) for mark in marks))


def across(position: int, *, weeks: int) -> float:
    """How far from the left a week stands, in percent.

    Parameters
    ----------
    position : int
        From 0.
    weeks : int
        How many there are.
    """
    return round(100 * position / max(1, weeks - 1), 2)


def date_ticks(mondays: Sequence[str]) -> list[Tick]:
    """Dates along the axis, `MOST_TICKS` at most: first weeks of months or of years.

    Parameters
    ----------
    mondays : sequence of str
        Every week in order, ISO dates.

    Examples
    --------
    >>> [tick.text for tick in date_ticks(["2018-04-02", "2018-04-09", "2018-04-16"])]
    ['2018-04-02', '2018-04-09', '2018-04-16']
    """
    if len(mondays) <= MOST_TICKS // 2:
        return [Tick(across(i, weeks=len(mondays)), week) for i, week in enumerate(mondays)]
    dates = [datetime.date.fromisoformat(week) for week in mondays]
    firsts = [0] + [i for i in range(1, len(dates)) if dates[i].month != dates[i - 1].month]
    ticks: list[Tick] = []
    for step in _MONTH_STEPS:
        chosen = [i for i in firsts[1:] if (dates[i].year * 12 + dates[i].month - 1) % step == 0]
        how = "%Y" if step >= 12 else "%b %Y"
        ticks = [Tick(across(i, weeks=len(mondays)), dates[i].strftime(how)) for i in chosen]
        if not _apart(ticks) and _apart(ticks[:-1]):
            ticks.pop()  # one that stands inwards at the end is in the way of the one before it
        if len(ticks) <= MOST_TICKS and _apart(ticks):
            break
    return ticks if len(ticks) > 1 else [Tick(0.0, mondays[0]), Tick(100.0, mondays[-1])]


def _apart(ticks: Sequence[Tick]) -> bool:
    """Whether no date runs into the next one on a phone; at the ends of the axis they stand inside it."""
    ends = []
    for at, text in ticks:
        wide = LETTER * len(text)
        begin = at if at < EDGE else at - wide if at > 100 - EDGE else at - wide / 2
        ends.append((begin, begin + wide))
    return all(a[1] < b[0] for a, b in itertools.pairwise(ends))


def _runs(values: Sequence[float | None], *, height: Callable[[float], float]) -> list[str]:
    """Points of the stretches without a gap; a lone week is drawn as a short dash."""
    runs: list[list[tuple[float, float]]] = [[]]
    for i, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((_x(i, len(values)), height(value)))
    return [_points(run if len(run) > 1 else [run[0], (run[0][0] + 2, run[0][1])]) for run in runs if run]


def _bands(low: Sequence[float | None], high: Sequence[float | None], *, height: Callable[[float], float]) -> list[str]:
    found: list[str] = []
    upper: list[tuple[float, float]] = []
    lower: list[tuple[float, float]] = []
    for i, (a, b) in enumerate([*zip(low, high, strict=True), (None, None)]):
        if a is not None and b is not None:
            x = _x(i, len(low))
            lower.append((x, height(a)))
            upper.append((x, height(b)))
            continue
        if len(upper) > 1:
            found.append(_points([*upper, *reversed(lower)]))
        upper, lower = [], []
    return found


def _x(position: int, weeks: int) -> float:
    return WIDTH * position / max(1, weeks - 1)


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_short(x)},{_short(y)}" for x, y in points)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _round_numbers(low: float, high: float) -> list[float]:
    """Two to four round values within a span."""
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    marks = [round(number * step, 10) for number in range(first, math.floor(high / step + 1e-9) + 1)]
    return marks if len(marks) <= 4 else marks[(len(marks) - 1) % 2 :: 2]


def _decades(low: float, high: float) -> list[float]:
    """Powers of ten within a span of logarithms, four at most; 1 among them where it is in the span."""
    powers = [p for p in range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)]
    step = max(1, math.ceil(len(powers) / 4))
    return [10.0**power for power in powers if power % step == 0]
