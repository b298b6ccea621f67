"""Values and votes of head G, Chart Patterns: what the table of patterns says at every bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.indicators.catalogue import PARAMETERS
from edgebook.indicators.kernels import decayed_sum
from edgebook.indicators.series import outside
from edgebook.patterns import CANDLESTICKS, ONE_BAR, UNDECIDED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgebook.indicators.series import Floats, Series, Votes

MEMBERS: dict[str, tuple[str, ...]] = {
    "reversal_score": (
        "head_and_shoulders",
        "inverse_head_and_shoulders",
        "double_top",
        "double_bottom",
        "triple_top",
        "triple_bottom",
    ),
    "triangle_score": ("ascending_triangle", "descending_triangle", "symmetrical_triangle"),
    "flag_score": ("trend_continuation",),
    "range_break_score": ("breakout", "breakdown"),
    "level_score": ("support_bounce", "resistance_rejection"),
    "candle_score_one_bar": tuple(name for name in ONE_BAR if name not in UNDECIDED),
    "candle_score_many_bars": tuple(name for name in CANDLESTICKS if name not in ONE_BAR),
}
"""Patterns that count towards each indicator of the family. Names of indecision count towards none."""
_LIMIT = 5.0


def values(events: Mapping[str, NDArray[np.float64]]) -> dict[str, Floats]:
    """Compute the values of the family at every bar, keyed by indicator.

    Parameters
    ----------
    events : mapping of str to ndarray, each of shape (n,)
        Bullish less bearish patterns confirmed at each bar, by indicator.
    """
    return {
        name: np.clip(decayed_sum(events[name], PARAMETERS[name]["half_life"]), -_LIMIT, _LIMIT) for name in MEMBERS
    }


def votes(saved: Mapping[str, Floats], series: Series) -> dict[str, Votes]:
    """Textbook votes of the family, from its saved values."""
    p = PARAMETERS
    return {name: outside(saved[name], low=-p[name]["level"], high=p[name]["level"]) for name in MEMBERS}
