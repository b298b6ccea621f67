"""What a stage that runs before this week's seal may know of its history: the seals before this week.

The week's own seal is written last. A stage before it that read the seal of its own week would see nothing on a first
run and something on a second, and the same inputs would not give the same bytes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edgebook.errors import DataError

if TYPE_CHECKING:
    from edgebook.paths import Paths
    from edgebook.seals.week import Week


def plan_in_force(week: Week) -> str:
    """Name of the champion's exit plan a week ago; the grid's middle one when no week was sealed by then."""
    earlier = replace(week, run=replace(week.run, as_of=week.run.previous))
    return earlier.champion_plan if earlier.weeks else middle_plan(week.paths)


def middle_plan(paths: Paths) -> str:
    """Exit plan in the middle of the grid, by name: one that no seal has a say in.

    Raises
    ------
    DataError
        There are no outcomes yet.
    """
    plans = sorted(path.stem for path in paths.outcomes.glob("*.parquet"))
    if not plans:
        raise DataError(f"{paths.outcomes}: no outcomes; `dvc repro outcomes` makes them")
    return plans[len(plans) // 2]
