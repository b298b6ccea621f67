"""Every table that the loop reads, made of given bars by the functions of the stages, beside the tables in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgebook.files import tables
from edgebook.settings.params import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from edgebook.paths import Paths
    from edgebook.settings.exit_plans import ExitPlan
    from edgebook.settings.params import Params


def make_tables(
    params: Params, bars: pd.DataFrame, *, plans: Sequence[ExitPlan], into: Paths, recorded: Path, as_of: str
) -> None:
    """Make indicators, patterns, regimes, candidates and outcomes of bars.

    Parameters
    ----------
    params : Params
        Sections `candidates`, `regimes`, `outcomes` and `desk` are read.
    bars : DataFrame
        The canonical table.
    plans : sequence of ExitPlan
    into : Paths
        Where the tables go, the bars last: where they are, the others are too.
    recorded : Path
        Folder of the desk's snapshots.
    as_of : str
        Snapshots up to this date are read.
    """
    from edgebook.indicators import compute_indicators
    from edgebook.outcomes.candidates import label_candidates
    from edgebook.outcomes.desk_columns import desk_columns, with_numbers, with_patterns, with_regimes
    from edgebook.outcomes.recorded_outcomes import outcomes_of, read_known
    from edgebook.outcomes.recorded_versions import find_facts
    from edgebook.patterns import find_patterns
    from edgebook.regimes.regime_hmm import label_bars
    from edgebook.settings.exit_plans import Costs

    grid = params.candidates
    patterns = find_patterns(bars)
    values, votes = compute_indicators(bars, patterns)
    regimes = label_bars(bars, plain(params.regimes))
    desk = desk_columns(bars, params.desk, recorded=recorded, at=as_of)
    if desk is not None:
        patterns, regimes = with_patterns(patterns, desk), with_regimes(regimes, desk)
        values, votes = with_numbers(values, desk.values), with_numbers(votes, desk.votes)
    costs = Costs(grid.fee_bps, grid.slippage_bps, grid.short_financing_bps_per_day)
    labelled = label_candidates(bars, plans, costs=costs, atr_bars=grid.atr_bars)
    rows = read_known(recorded, settings=params.outcomes, as_of=as_of)
    fee = grid.fee_bps / 1e4
    facts = None if rows is None else find_facts(rows, labelled, bars=bars, settings=params.outcomes, fee=fee)
    for frame, file in (
        (patterns, into.patterns),
        (values, into.indicators),
        (votes, into.votes),
        (regimes, into.regimes),
    ):
        tables.write(frame, file)
    with tables.folder(into.candidates) as candidates, tables.folder(into.outcomes) as outcomes:
        for name, frame in labelled.items():
            tables.write(frame, candidates / f"{name}.parquet")
            tables.write(outcomes_of(frame, facts=facts, plan=name), outcomes / f"{name}.parquet")
    tables.write(bars, into.bars)
