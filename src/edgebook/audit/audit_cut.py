"""Tables as they were at a time: the bars are cut there, and what is made of bars is made of the cut ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from edgebook.audit.audit_desk import facts_told
from edgebook.bars.bars import TIMEFRAMES, resample
from edgebook.files import tables
from edgebook.loop.pipeline import Pipeline, make_tables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edgebook.outcomes.recorded_versions import Facts
    from edgebook.paths import Paths
    from edgebook.settings.params import Params

Series = tuple[str, str]
"""Pair and timeframe."""


def made_of_finer(bars: pd.DataFrame) -> dict[Series, str]:
    """Series whose bars are those of a finer series of the same pair put together, and the finer timeframe.

    Parameters
    ----------
    bars : DataFrame
        The canonical bars.

    Returns
    -------
    dict of (pair, timeframe) to str
        A series that came with bars of its own is not among them.
    """
    found = {}
    end = bars["date"].max()
    for pair, own in bars.groupby("pair", sort=True):
        finest, *coarser = sorted(own["timeframe"].unique(), key=TIMEFRAMES.__getitem__)
        finer = own[own["timeframe"] == finest]
        for timeframe in coarser:
            made = resample(finer, timeframe=timeframe, bar_minutes=TIMEFRAMES[finest], end=end)
            if made.equals(own.loc[own["timeframe"] == timeframe, made.columns].reset_index(drop=True)):
                found[str(pair), str(timeframe)] = str(finest)
    return found


def bars_until(bars: pd.DataFrame, at: pd.Timestamp, *, made: Mapping[Series, str], pipeline: Pipeline) -> pd.DataFrame:
    """Bars known at a time: the given ones are cut there, and what is made of them is made of the cut ones.

    Parameters
    ----------
    bars : DataFrame
        The canonical bars.
    at : Timestamp
        UTC; the last date of the bars for all of them.
    made : mapping of (pair, timeframe) to str
        As `made_of_finer` gives it.
    pipeline : Pipeline
    """
    known = bars[bars["date"] <= at]
    parts = []
    for (pair, timeframe), own in known.groupby(["pair", "timeframe"], sort=True):
        if (pair, timeframe) not in made:
            parts.append(own)
    given = {(part["pair"].iloc[0], part["timeframe"].iloc[0]): part for part in parts}
    for (pair, timeframe), finest in made.items():
        if (pair, finest) in given:
            length = TIMEFRAMES[finest]
            coarse = pipeline.resample(given[pair, finest], timeframe=timeframe, bar_minutes=length, end=at)
            parts.append(coarse[coarse["date"] <= at])
    whole = pd.concat([part[list(bars.columns)] for part in parts if len(part)], ignore_index=True)
    return whole.sort_values(tables.KEY, kind="stable", ignore_index=True)


def tables_at(
    bars: pd.DataFrame,
    params: Params,
    *,
    paths: Paths,
    pipeline: Pipeline,
    recorded: Path,
    trades: pd.DataFrame | None,
    at: pd.Timestamp | None,
) -> None:
    """Write all that the stages before the loop leave, made of these bars alone.

    Parameters
    ----------
    bars : DataFrame
        The canonical bars.
    params : Params
    paths : Paths
        Where the tables go.
    pipeline : Pipeline
    recorded : Path
        Folder of the desk's snapshots, whose columns are cut where the bars end.
    trades : DataFrame or None
        Outcomes that the desk recorded, as `recorded_outcomes.read_known` gives them.
    at : Timestamp or None
        UTC: what the desk had told by then is read; None for all.
    """

    def told(labelled: Mapping[str, pd.DataFrame]) -> Facts | None:
        return None if trades is None else facts_told(trades, labelled, bars=bars, params=params, at=at)

    columns = params.desk.columns
    desk = pipeline.desk_columns(bars, params.desk, recorded=recorded, at=bars["date"].max()) if columns else None
    make_tables(bars, params, plans=params.candidates.plans, into=paths, pipeline=pipeline, desk=desk, facts=told)
