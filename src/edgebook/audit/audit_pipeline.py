"""The way from bars to tables as one description, so that an audit can walk it twice, and with a part exchanged.

The honest pipeline is the functions that the stages call. A planted leak is the same description with one of them
replaced (`edgebook.evidence.planted_leaks`): nothing is patched, and the audit does not know which one it is given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from edgebook.audit.audit_desk import facts_told
from edgebook.bars.bars import TIMEFRAMES, resample
from edgebook.files import tables
from edgebook.indicators import compute_indicators
from edgebook.outcomes.candidates import label_candidates
from edgebook.outcomes.desk_columns import DeskColumns, desk_columns, with_numbers, with_patterns, with_regimes
from edgebook.outcomes.outcomes import known_outcomes
from edgebook.outcomes.recorded_versions import with_recorded
from edgebook.patterns import find_patterns
from edgebook.policy.heads import Head, fit_heads
from edgebook.policy.policy import Scores, score
from edgebook.regimes.regime_hmm import label_bars
from edgebook.settings.exit_plans import Costs, exit_plan_grid
from edgebook.settings.params import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from edgebook.paths import Paths
    from edgebook.settings.params import Params

Series = tuple[str, str]
"""Pair and timeframe."""


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """What makes tables of bars, policies of tables, and scores of policies.

    Parameters
    ----------
    resample, find_patterns, compute_indicators, desk_columns, label_bars, label_candidates, known_outcomes : callable
        As the functions of these names, in the order in which they are called.
    with_recorded : callable
        As `edgebook.outcomes.recorded_versions.with_recorded`; in the place of `known_outcomes` where a desk recorded
        outcomes.
    fit : callable
        As `edgebook.policy.heads.fit_heads`; the loop fits by it too.
    score : callable
        As `edgebook.policy.policy.score`.
    """

    resample: Callable[..., pd.DataFrame] = field(default=resample)
    find_patterns: Callable[[pd.DataFrame], pd.DataFrame] = field(default=find_patterns)
    compute_indicators: Callable[[pd.DataFrame, pd.DataFrame], tuple[pd.DataFrame, pd.DataFrame]] = field(
        default=compute_indicators
    )
    desk_columns: Callable[..., DeskColumns | None] = field(default=desk_columns)
    label_bars: Callable[..., pd.DataFrame] = field(default=label_bars)
    label_candidates: Callable[..., dict[str, pd.DataFrame]] = field(default=label_candidates)
    known_outcomes: Callable[[pd.DataFrame], pd.DataFrame] = field(default=known_outcomes)
    with_recorded: Callable[..., pd.DataFrame] = field(default=with_recorded)
    fit: Callable[..., dict[str, Head]] = field(default=fit_heads)
    score: Callable[..., Scores] = field(default=score)


HONEST = Pipeline()
"""What the stages and the loop call."""


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


def make_tables(
    bars: pd.DataFrame,
    params: Params,
    *,
    paths: Paths,
    pipeline: Pipeline,
    recorded: Path | None = None,
    trades: pd.DataFrame | None = None,
    at: pd.Timestamp | None = None,
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
    recorded : Path, optional
        Folder of the desk's snapshots, whose columns are cut where the bars end; by default there are none.
    trades : DataFrame, optional
        Outcomes that the desk recorded, as `recorded_outcomes.read_known` gives them.
    at : Timestamp, optional
        UTC: what the desk had told by then is read; by default all.
    """
    patterns = pipeline.find_patterns(bars)
    values, votes = pipeline.compute_indicators(bars, patterns)
    regimes = pipeline.label_bars(bars, plain(params.regimes))
    if recorded is not None and params.desk.columns:
        desk = pipeline.desk_columns(bars, params.desk, recorded=recorded, at=bars["date"].max())
        patterns, regimes = with_patterns(patterns, desk), with_regimes(regimes, desk)
        if desk is not None:
            values, votes = with_numbers(values, desk.values), with_numbers(votes, desk.votes)
    for frame, place in (
        (bars, paths.bars), (patterns, paths.patterns), (values, paths.indicators), (votes, paths.votes),
        (regimes, paths.regimes),
    ):  # fmt: skip
        tables.write(frame, place)
    grid = params.candidates
    plans = exit_plan_grid(
        take_profit_atr=grid.take_profit_atr, stop_loss_atr=grid.stop_loss_atr, time_limit_bars=grid.time_limit_bars
    )
    costs = Costs(grid.fee_bps, grid.slippage_bps, grid.short_financing_bps_per_day)
    labelled = pipeline.label_candidates(bars, plans, costs=costs, atr_bars=grid.atr_bars)
    facts = None if trades is None else facts_told(trades, labelled, bars=bars, params=params, at=at)
    for name, frame in labelled.items():
        tables.write(frame, paths.candidates / f"{name}.parquet")
        known = pipeline.known_outcomes(frame) if facts is None else pipeline.with_recorded(frame, facts, plan=name)
        tables.write(known, paths.outcomes / f"{name}.parquet")
