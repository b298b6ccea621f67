"""Patterns: chart formations and candlesticks, each known only once its confirming bar has closed."""

from __future__ import annotations

from edgebook.patterns.candlesticks import CANDLESTICKS, CONFIRMED_LATER, ONE_BAR, PENETRATION, UNDECIDED
from edgebook.patterns.finding import CHART_PATTERNS, find_patterns

__all__ = [
    "CANDLESTICKS",
    "CHART_PATTERNS",
    "CONFIRMED_LATER",
    "ONE_BAR",
    "PENETRATION",
    "UNDECIDED",
    "find_patterns",
]
