"""Weeks that read the same past: a revision begins a new epoch, and each is folded on the market as it was known then.

Tables are causal, so that those of a later week, cut at an earlier one, are that week's own. A revised bar breaks this:
what is known of the past has changed. So the weeks before the revision get tables of the bars as they were known then.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from edgebook.loop.columns_as_sealed import tables_with
from edgebook.loop.remaking import remake_tables
from edgebook.paths import Paths
from edgebook.policy.loaded_plans import revised_outcomes
from edgebook.policy.market import Market, load_market
from edgebook.sources.known_bars import RECEIVED_FOLDER, bars_as_of, revised_mondays

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from edgebook.settings.params import Params


def epochs(weeks: Sequence[str], *, revised: Sequence[str]) -> list[list[str]]:
    """Group weeks by the past that they read.

    Parameters
    ----------
    weeks : sequence of str
        Mondays, ascending.
    revised : sequence of str
        Mondays from which on the past reads otherwise.

    Examples
    --------
    >>> epochs(["2019-06-17", "2019-06-24", "2019-07-01"], revised=["2019-06-24"])
    [['2019-06-17'], ['2019-06-24', '2019-07-01']]
    """
    groups: dict[int, list[str]] = {}
    for week in weeks:
        groups.setdefault(sum(monday <= week for monday in revised), []).append(week)
    return list(groups.values())


def markets_of(
    params: Params,
    paths: Paths,
    *,
    weeks: Sequence[str],
    unrecorded: Collection[str] = (),
    columns: Mapping[str, Sequence[str]] | None = None,
) -> Iterator[tuple[list[str], Paths, Market]]:
    """Yield the weeks of each epoch with the tables and the market that they are folded on.

    Parameters
    ----------
    params : Params
        The tables in place are of `run.as_of`.
    paths : Paths
        Where they and the seals are.
    weeks : sequence of str
        Mondays, ascending, not before the first bar.
    unrecorded : collection of str
        Mondays that were sealed before the desk's outcomes were known: they read simulated ones alone.

    columns : mapping of str to sequence of str, optional
        What of a desk's columns each week was sealed with, as `column_changes.inputs_read` tells it; by default all.

    Yields
    ------
    weeks : list of str
    paths : Paths
        Seals and ledger are the same folder for all; the tables are those in place, or made again in a folder that is
        gone when the next epoch is asked for.
    market : Market
        Cut at the last of the weeks.
    """
    revised = revised_mondays(params.bars, root=paths.root)
    for group in epochs(weeks, revised=revised):
        with ExitStack() as stack:
            # Weeks after the tables' own are refused elsewhere; those of another epoch need tables of their own.
            place = paths
            if any(group[-1] < monday <= params.run.as_of for monday in revised):
                scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="edgebook-"))
                place = _tables_as_known(params, paths, as_of=group[-1], scratch=Path(scratch))
            # The desk's outcomes have versions: nothing is made again, they are read as known at the Monday.
            for part in epochs(group, revised=revised_outcomes(place)):
                for own, desk in _by_columns(part, columns):
                    with tables_with(place, desk) as slim:
                        yield from _with_or_without(own, slim, unrecorded=unrecorded)


def _by_columns(
    weeks: Sequence[str], columns: Mapping[str, Sequence[str]] | None
) -> list[tuple[list[str], tuple[str, ...] | None]]:
    """Weeks in a row that were sealed with the same columns of a desk's, and those; None for all there are."""
    if columns is None:
        return [(list(weeks), None)]
    return [(list(own), desk) for desk, own in groupby(weeks, key=lambda week: tuple(columns.get(week, ())))]


def _with_or_without(
    weeks: list[str], place: Paths, *, unrecorded: Collection[str]
) -> Iterator[tuple[list[str], Paths, Market]]:
    """The weeks that read simulated outcomes alone, and those that read the desk's."""
    market = load_market(place, as_of=weeks[-1])
    before = [week for week in weeks if week in unrecorded]
    if before:
        yield before, place, replace(market, plans=market.simulated, engine=None, snapshots=())
    after = [week for week in weeks if week not in unrecorded]
    if after:
        yield after, place, market


def _tables_as_known(params: Params, paths: Paths, *, as_of: str, scratch: Path) -> Paths:
    """Make every table of the bars as known at a Monday, beside links to seals and ledger."""
    into = Paths(scratch)
    (scratch / "data").mkdir()
    for folder in (paths.root / "models", paths.root / "data" / "ledger", paths.recorded, paths.root / RECEIVED_FOLDER):
        folder.mkdir(parents=True, exist_ok=True)
        (scratch / folder.relative_to(paths.root)).symlink_to(os.path.realpath(folder), target_is_directory=True)
    bars = bars_as_of(params.bars, root=paths.root, as_of=as_of)
    remake_tables(params, bars, plans=params.candidates.plans, into=into, recorded=paths.recorded, as_of=as_of)
    return into
