"""The way from bars to the tables that the loop reads, as one description: walked again, or with a part exchanged.

The honest pipeline is the functions that the stages call. A planted leak is the same description with one of them
replaced (`edgebook.evidence.planted_leaks`): nothing is patched, and an audit does not know which one it is given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgebook.bars.bars import resample
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
from edgebook.settings.params import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from edgebook.outcomes.recorded_versions import Facts
    from edgebook.paths import Paths
    from edgebook.settings.exit_plans import ExitPlan
    from edgebook.settings.params import Params


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


def make_tables(
    bars: pd.DataFrame,
    params: Params,
    *,
    plans: Sequence[ExitPlan],
    into: Paths,
    pipeline: Pipeline = HONEST,
    desk: DeskColumns | None = None,
    facts: Callable[[Mapping[str, pd.DataFrame]], Facts | None] | None = None,
) -> None:
    """Make and write indicators, votes, patterns, regimes, candidates and outcomes, of these bars alone.

    Parameters
    ----------
    bars : DataFrame
        The canonical bars.
    params : Params
        Sections `candidates` and `regimes` are read.
    plans : sequence of ExitPlan
    into : Paths
        Where the tables go, the bars last: where they are, the others are too.
    pipeline : Pipeline, optional
    desk : DeskColumns, optional
        Columns that a desk brings.
    facts : callable, optional
        Given the candidates of each plan, what a desk told of them; None where it told nothing.
    """
    patterns = pipeline.find_patterns(bars)
    values, votes = pipeline.compute_indicators(bars, patterns)
    regimes = pipeline.label_bars(bars, plain(params.regimes))
    if desk is not None:
        patterns, regimes = with_patterns(patterns, desk), with_regimes(regimes, desk)
        values, votes = with_numbers(values, desk.values), with_numbers(votes, desk.votes)
    grid = params.candidates
    labelled = pipeline.label_candidates(bars, plans, costs=grid.costs, atr_bars=grid.atr_bars)
    told = None if facts is None else facts(labelled)
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
            known = pipeline.known_outcomes(frame) if told is None else pipeline.with_recorded(frame, told, plan=name)
            tables.write(known, outcomes / f"{name}.parquet")
    tables.write(bars, into.bars)
