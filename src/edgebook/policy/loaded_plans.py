"""Outcomes by exit plan as the loop reads them: what is learned from, and what the engine says of every candidate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypedDict

import pandas as pd

from edgebook.files import tables
from edgebook.outcomes.outcomes import as_known, known_outcomes
from edgebook.policy.plan_outcomes import PlanOutcomes, Plans, plan_outcomes

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgebook.paths import Paths


class LoadedPlans(TypedDict):
    """Fields of a `Market`."""

    plans: Plans
    engine: Plans | None
    snapshots: tuple[str, ...]


def load_plans(
    paths: Paths, bars: pd.DataFrame, *, order: NDArray[np.int64], key: NDArray[np.int64], limit: int | None
) -> LoadedPlans:
    """Read the outcomes of every exit plan when they are first asked for.

    Parameters
    ----------
    paths : Paths
    bars : DataFrame
        Keys of the bars, in table order.
    order, key : ndarray of int64
        See `plan_outcomes.plan_outcomes`.
    limit : int, optional
        Milliseconds UTC: what became known later is left out, and of each outcome the version of that time is read.

    Returns
    -------
    LoadedPlans
        Without recorded outcomes `engine` is None: what is learned from is what the engine says.
    """
    names = sorted(path.stem for path in paths.candidates.glob("*.parquet"))
    recorded = {name for name in names if has_recorded(paths.outcomes / f"{name}.parquet")}
    at = None if limit is None else pd.Timestamp(limit, unit="ms", tz="UTC")

    def spread(plan: str, outcomes: pd.DataFrame, candidates: pd.DataFrame) -> PlanOutcomes:
        return plan_outcomes(bars, candidates, outcomes=outcomes, order=order, key=key, limit=limit)

    def simulate(plan: str) -> PlanOutcomes:
        candidates = tables.read(paths.candidates / f"{plan}.parquet")
        return spread(plan, known_outcomes(candidates), candidates)

    def load(plan: str) -> PlanOutcomes:
        candidates = tables.read(paths.candidates / f"{plan}.parquet")
        return spread(plan, tables.read(paths.outcomes / f"{plan}.parquet"), candidates)

    if not recorded:
        return {"plans": Plans(names, load), "engine": None, "snapshots": ()}
    engine = Plans(names, simulate)

    def learned(plan: str) -> PlanOutcomes:
        if plan not in recorded:
            return engine[plan]
        candidates = tables.read(paths.candidates / f"{plan}.parquet")
        known = as_known(tables.read(paths.outcomes / f"{plan}.parquet"), at=at)
        # What a candidate counts for is settled by the engine's labels of the first weeks, whoever took them.
        return replace(spread(plan, known, candidates), uniqueness=engine[plan].uniqueness)

    dates = [tables.read(paths.outcomes / f"{name}.parquet", columns=["snapshot"])["snapshot"] for name in recorded]
    told = sorted({f"{date:%Y-%m-%d}" for column in dates for date in column.dropna().unique()})
    first, later = told[:1], told[1:]
    return {
        "plans": Plans(names, learned),
        "engine": engine,
        "snapshots": (*first, *(date for date in later if at is None or pd.Timestamp(date, tz="UTC") <= at)),
    }


def has_recorded(table: Path) -> bool:
    """Whether a table of outcomes holds recorded ones, by its columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return table.exists() and "revised_at" in pq.read_schema(table).names
    except (pa.ArrowException, OSError):
        return False  # who reads it says what is wrong with it


def revised_outcomes(paths: Paths) -> list[str]:
    """Mondays from which on the past of some outcome reads otherwise, ascending."""
    found: set[str] = set()
    for table in paths.outcomes.glob("*.parquet"):
        if has_recorded(table):
            dates = tables.read(table, columns=["revised_at"])["revised_at"].dropna().unique()
            found |= {f"{date + pd.Timedelta(days=-date.weekday() % 7):%Y-%m-%d}" for date in dates}
    return sorted(found)


def newest_read(snapshots: tuple[str, ...], *, as_of: str) -> dict[str, str]:
    """The newest of the desk's snapshots that a week learned from, under `recorded`; nothing where none was."""
    known = [date for date in snapshots if date <= as_of] or list(snapshots[:1])
    return {"recorded": known[-1]} if known else {}
