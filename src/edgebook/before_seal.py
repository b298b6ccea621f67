"""What a stage that runs before this week's seal may know of its history: the seals before this week.

The week's own seal is written last. A stage before it that read the seal of its own week would see nothing on a first
run and something on a second, and the same inputs would not give the same bytes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edgebook.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from edgebook.week import Week


def week_before(week: Week) -> Week:
    """Return the week before, with the same tables."""
    return replace(week, run=replace(week.run, as_of=week.run.previous))


def ledger_before(week: Week) -> pd.DataFrame | None:
    """Trades as known a week ago; None when no week was sealed by then."""
    earlier = week_before(week)
    return earlier.ledger if earlier.weeks else None


def plan_in_force(week: Week) -> str:
    """Name of the champion's exit plan a week ago; the first of the grid when no week was sealed by then.

    Raises
    ------
    DataError
        There are no outcomes either.
    """
    earlier = week_before(week)
    if earlier.weeks:
        return earlier.champion_plan
    plans = sorted(path.stem for path in week.paths.outcomes.glob("*.parquet"))
    if not plans:
        raise DataError(f"{week.paths.outcomes}: no outcomes; `dvc repro outcomes` makes them")
    return plans[0]
