"""Indicators: sixty-nine scale-free numbers at every bar, each with the vote that its textbook would cast."""

from __future__ import annotations

from edgebook.indicators.catalogue import CATALOGUE, PARAMETERS, family
from edgebook.indicators.computing import compute_indicators
from edgebook.indicators.families import desk_name, families_of, head_of, is_desk
from edgebook.indicators.indicator import HEADS, Indicator
from edgebook.indicators.page import indicators_page

__all__ = [
    "CATALOGUE", "HEADS", "PARAMETERS", "Indicator", "compute_indicators", "desk_name", "families_of", "family",
    "head_of", "indicators_page", "is_desk",
]  # fmt: skip
