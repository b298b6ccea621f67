"""Every table that the loop reads, made of given bars and a desk's snapshots, beside the tables in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from edgebook.outcomes.recorded_versions import Facts
    from edgebook.paths import Paths
    from edgebook.settings.exit_plans import ExitPlan
    from edgebook.settings.params import Params


def remake_tables(
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
    from edgebook.loop.pipeline import make_tables
    from edgebook.outcomes.desk_columns import desk_columns
    from edgebook.outcomes.recorded_outcomes import read_known
    from edgebook.outcomes.recorded_versions import find_facts

    rows, fee = read_known(recorded, settings=params.outcomes, as_of=as_of), params.candidates.fee_bps / 1e4

    def told(labelled: Mapping[str, pd.DataFrame]) -> Facts | None:
        return None if rows is None else find_facts(rows, labelled, bars=bars, settings=params.outcomes, fee=fee)

    desk = desk_columns(bars, params.desk, recorded=recorded, at=as_of)
    make_tables(bars, params, plans=plans, into=into, desk=desk, facts=told)
