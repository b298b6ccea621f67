"""What an indicator is, and the nine heads that the families belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADS: dict[str, str] = {
    "A": "Trend Following",
    "B": "Mean Reversion",
    "C": "Momentum & Breakout",
    "D": "Volatility",
    "E": "Support & Resistance",
    "F": "Volume Flow",
    "G": "Chart Patterns",
    "H": "Cycle & Seasonality",
    "I": "Market Context",
}
"""Name of each head, by its letter."""


@dataclass(frozen=True)
class Indicator:
    """One indicator: a scale-free number at every bar, and the vote that its textbook would cast.

    Parameters
    ----------
    name : str
        Its column.
    head : str
        Letter of the family's head, a key of `HEADS`.
    title : str
        What traders call it.
    parameters : mapping of str to float
        Lengths in bars and levels, read by the code that computes value and vote; nothing else sets them.
    value : str
        The formula in words. ATR is Wilder's average true range of 14 bars.
    vote : str
        When the textbook says buy (+1) or sell (-1); else 0.
    source : str
        Book or paper of the rule: author, year.
    """

    name: str
    head: str
    title: str
    parameters: Mapping[str, float]
    value: str
    vote: str
    source: str
