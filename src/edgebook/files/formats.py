"""How numbers are written in tables and sentences: one format a name, a true minus, ``n/a`` for what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

MISSING = "n/a"

Format = Literal[
    "text", "integer", "number", "number3", "number4", "signed", "percent", "signed_percent", "points",
    "bps", "cost_bps", "r", "money", "p", "date", "hour",
]  # fmt: skip


def _number(value: float, *, places: int, unit: str = "", sign: bool = False, scale: float = 1.0) -> str:
    """Format with thousands separators, a true minus, and no minus before a zero."""
    text = f"{value * scale:,.{places}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    elif text.startswith("-"):
        text = "−" + text[1:]
    elif sign:
        text = "+" + text
    return text + unit


_FORMATS: dict[str, Callable[[Any], str]] = {
    "text": str,
    "integer": lambda v: _number(v, places=0),
    "number": lambda v: _number(v, places=2),
    "number3": lambda v: _number(v, places=3),
    "number4": lambda v: _number(v, places=4),
    "signed": lambda v: _number(v, places=2, sign=True),
    "percent": lambda v: _number(v, places=1, unit=" %", scale=100),
    "signed_percent": lambda v: _number(v, places=1, unit=" %", sign=True, scale=100),
    "points": lambda v: _number(v, places=1, unit=" pp", sign=True, scale=100),
    "bps": lambda v: _number(v, places=1, unit=" bps", sign=True),
    "cost_bps": lambda v: _number(v, places=1, unit=" bps", sign=True),  # more of it is not better: no colour
    "r": lambda v: _number(v, places=2, unit=" R", sign=True),
    "money": lambda v: _number(v, places=0),
    "p": lambda v: "<0.001" if v < 0.001 else _number(v, places=3),
    "date": lambda v: f"{v:%Y-%m-%d}",
    "hour": lambda v: f"{v:%Y-%m-%d %H:%M}",
}
SIGNED = {"signed", "signed_percent", "points", "bps", "r"}


def formatted(value: Any, how: Format) -> str:
    """One value as the reports write it; ``n/a`` when it is missing or not finite.

    Examples
    --------
    >>> formatted(0.5432, "percent"), formatted(-0.004, "signed"), formatted(float("nan"), "r")
    ('54.3 %', '0.00', 'n/a')
    """
    import pandas as pd

    if value is None or value is pd.NaT or (isinstance(value, float) and not abs(value) < float("inf")):
        return MISSING
    return MISSING if value is pd.NA else _FORMATS[how](value)


def more_or_less(r: Any) -> str:
    """R a day that one arm made beyond another, in words.

    Examples
    --------
    >>> more_or_less(0.094), more_or_less(-0.21)
    ('0.09 R a day more', '0.21 R a day less')
    """
    return f"{formatted(abs(r), 'r').lstrip('+')} a day {'less' if r < 0 else 'more'}"


def interval(low: Any, high: Any, how: Format) -> str:
    """Two ends as the reports write them: ``50.1 to 58.4 %``, the unit once.

    Examples
    --------
    >>> interval(0.501, 0.584, "percent"), interval(-0.1, 0.2, "r")
    ('50.1 to 58.4 %', '−0.10 to +0.20 R')
    """
    first, last = formatted(low, how), formatted(high, how)
    if MISSING in (first, last):
        return MISSING
    number, _, unit = first.partition(" ")
    return f"{number} to {last}" if unit else f"{first} to {last}"
