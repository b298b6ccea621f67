"""When a history may begin: how much of a market must lie before its first seal."""

from __future__ import annotations

import pandas as pd

from edgebook.errors import SettingsError
from edgebook.settings.settings_rules import LEAST_WARMUP_WEEKS

FIT_WEEKS = 4
"""Weeks to fit on before the first that is scored."""

_WEEK, _LATE = pd.Timedelta(weeks=1), pd.Timedelta(days=2)


def check_genesis(at: str, *, first: pd.Timestamp, warmup_weeks: int) -> None:
    """Hold `run.genesis` to the data.

    Parameters
    ----------
    at : str
        A Monday.
    first : Timestamp
        UTC. Close of the market's first bar.
    warmup_weeks : int
        Weeks that are scored before it.

    Raises
    ------
    SettingsError
        Too little lies before it; the line names the first Monday before which enough does, and the shorter warm-up
        that would fit where one is allowed.

    Notes
    -----
    A week that begins on a Tuesday, after a holiday, is a whole week.
    """
    needed = warmup_weeks + FIT_WEEKS
    weeks = (pd.Timestamp(at, tz="UTC") - first + _LATE) // _WEEK
    if weeks < needed:
        earliest = (first - _LATE + needed * _WEEK).normalize()
        earliest += pd.Timedelta(days=-earliest.day_of_week % 7)
        while (earliest - first + _LATE) // _WEEK < needed:
            earliest += _WEEK
        fewer = weeks - FIT_WEEKS
        or_else = f", or learning.warmup_weeks: {fewer}" if fewer >= LEAST_WARMUP_WEEKS else ""
        raise SettingsError(
            f"params.yaml: run.genesis: {at} lies {weeks} weeks after the first bar; learning.warmup_weeks and"
            f" {FIT_WEEKS} more make {needed}; choose {earliest:%Y-%m-%d} or a later Monday{or_else}"
        )
