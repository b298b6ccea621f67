"""Patterns: chart formations and candlesticks, each known only once its confirming bar has closed."""

from __future__ import annotations

from edgebook.patterns.candlesticks import CANDLESTICKS, ONE_BAR, UNDECIDED
from edgebook.patterns.finding import CHART_PATTERNS, find_patterns

__all__ = ["CANDLESTICKS", "CHART_PATTERNS", "ONE_BAR", "UNDECIDED", "find_patterns"]
