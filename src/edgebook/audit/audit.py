"""The look-ahead audit: bars are cut at random times, and all that was known by then must come out the same.

At each time every table is made again from the bars up to it, and compared, to the last bit, with what all bars give:
nothing that came later can have had a say. Seals are folded again with the bars up to their Monday. The audit is given
the pipeline that it walks; with a leak planted in it (`edgebook.evidence.planted_leaks`) it names the place.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.audit.audit_cut import bars_until, made_of_finer, tables_at
from edgebook.audit.audit_desk import in_force
from edgebook.audit.audit_found import LAYERS, Audit, added_up
from edgebook.audit.audit_layers import BARS, View, compare_bars, compare_learning, compare_tables, joined
from edgebook.audit.audit_seals import (
    RECORD,
    SEALS,
    THRESHOLDS,
    WEIGHTS,
    compare_seals,
    files_of,
    fold_again,
    weeks_before,
)
from edgebook.errors import SealError, SettingsError, WeekError
from edgebook.files import tables
from edgebook.loop.pipeline import HONEST
from edgebook.outcomes.recorded_outcomes import read_known
from edgebook.paths import Paths
from edgebook.policy.market import load_market
from edgebook.seals.seals import read_seal, sealed_weeks
from edgebook.sources.known_bars import bars_as_of, revised_mondays

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edgebook.audit.audit_compare import Compared
    from edgebook.audit.audit_cut import Series
    from edgebook.loop.pipeline import Pipeline
    from edgebook.settings.params import Params


def audit(
    params: Params,
    paths: Paths,
    *,
    times: int = 5,
    seed: int = 1,
    weeks: int = 1,
    pipeline: Pipeline = HONEST,
    tell: Callable[[int, int], None] | None = None,
) -> Audit:
    """Cut the bars at random times, make everything again, and compare.

    Parameters
    ----------
    params : Params
    paths : Paths
        A repository with bars and a history; nothing in it is changed.
    times : int
        How many cuts, drawn without replacement from the closes of bars since genesis.
    seed : int
        Of the draw.
    weeks : int
        Sealed weeks before each time that are folded again; 0 leaves the seals out.
    pipeline : Pipeline
        By default what the stages call.
    tell : callable, optional
        Called with the number of times done and of all of them.

    Returns
    -------
    Audit

    Raises
    ------
    SettingsError
        `times` is below 1, or `weeks` below 0.
    SealError
        There is no history.
    WeekError
        Fewer bars have closed since genesis than times are asked for.

    Notes
    -----
    Tables of the repository other than its bars are not read: all bars go through the pipeline too. Coarser bars that
    are made of finer ones are made again of the cut ones. Of a leak only those rows differ that lie within its reach of
    a cut, so more times find rarer leaks; a leak of any reach at every bar is found by the first.

    What became known later is no look-ahead where it is read from then on. So a time before a revision of the bars is
    audited on the bars as its week knew them, and of a desk's outcomes the versions are compared that were in force.
    """
    if times < 1 or weeks < 0:
        raise SettingsError(f"audit: {times} times and {weeks} weeks; give at least 1 time, and 0 weeks or more")
    history = params.run.history
    sealed = sealed_weeks(paths, history)
    if not sealed:
        raise SealError(f"models/{history}: there is no history to audit; `edgebook backfill` writes one")
    bars = tables.read(paths.bars)
    trades = read_known(paths.recorded, settings=params.outcomes, as_of=params.run.as_of)
    moments = _moments(bars, sealed=sealed, times=times, seed=seed)
    revised = [one for one in revised_mondays(params.bars, root=paths.root) if one <= params.run.as_of]
    found: list[tuple[pd.Timestamp, dict[str, Compared]]] = []
    unreproduced: set[str] = set()
    for epoch, together in groupby(moments, key=lambda at: sum(one <= f"{at:%Y-%m-%d}" for one in revised)):
        first, then = ["", *revised][epoch], [*revised, ""][epoch]
        known = _before_revision(params, paths, bars=bars, revised=then) if then else bars
        weeks_of = [week for week in sealed if week >= first]
        with tempfile.TemporaryDirectory(prefix="edgebook-") as folder:
            walk = _Walk(params, paths, Path(folder), known, made_of_finer(known), pipeline, weeks_of, trades)
            full = walk.tables(None, "full")
            view = View(full, load_market(full))
            for at in together:
                layers, other = walk.at(at, full=view, weeks=weeks)
                found.append((at, layers))
                unreproduced |= other
                if tell is not None:
                    tell(len(found), times)
    return Audit(
        tuple(f"{at:%Y-%m-%d %H:%M}" for at in moments),
        tuple(added_up(name, found) for name in LAYERS if weeks or name not in (THRESHOLDS, WEIGHTS, RECORD, SEALS)),
        tuple(sorted(unreproduced)),
        tuple(f"{at:%Y-%m-%d %H:%M}" for at, layers in found if any(one.differing for one in layers.values())),
    )


@dataclass(frozen=True)
class _Walk:
    """What stays the same from one time to the next."""

    params: Params
    paths: Paths
    folder: Path
    bars: pd.DataFrame
    made: Mapping[Series, str]
    pipeline: Pipeline
    sealed: Sequence[str]
    trades: pd.DataFrame | None

    def tables(self, at: pd.Timestamp | None, name: str) -> Paths:
        """Tables made of what was known at a time, or of all there is, in a folder of that name."""
        paths = Paths(self.folder / name)
        until = self.bars["date"].max() if at is None else at
        tables_at(
            bars_until(self.bars, until, made=self.made, pipeline=self.pipeline), self.params, paths=paths,
            pipeline=self.pipeline, recorded=self.paths.recorded, trades=self.trades, at=at,
        )  # fmt: skip
        return paths

    def at(self, at: pd.Timestamp, *, full: View, weeks: int) -> tuple[dict[str, Compared], set[str]]:
        """Every layer at one time, and Mondays whose seals are not reproduced from all bars either."""
        there = self.tables(at, "cut")
        try:
            told = in_force(full.paths, at=at, into=Paths(self.folder / "told"))
            if told is not full.paths:
                full = View(told, load_market(told))
            found = {BARS: compare_bars(full.paths, there, at=at)}
            if found[BARS].differing:
                return found, set()  # what is made of other bars is other
            found |= compare_tables(full.paths, there, at=at)
            known = weeks_before(f"{at:%Y-%m-%d}", self.sealed, count=max(weeks, 1))
            seal = read_seal(self.paths, history=self.params.run.history, as_of=known[-1])
            cut_view = View(there, load_market(there))
            for layer, one in compare_learning(full, cut_view, at=at, seal=seal, pipeline=self.pipeline).items():
                found[layer] = joined([found[layer], one]) if layer in found else one
            if not weeks:
                return found, set()
            seals, other = self._seals(known, full=full)
            return found | {n: joined([found[n], one]) if n in found else one for n, one in seals.items()}, other
        finally:
            for name in ("cut", "told"):
                shutil.rmtree(self.folder / name, ignore_errors=True)

    def _seals(self, weeks: Sequence[str], *, full: View) -> tuple[dict[str, Compared], set[str]]:
        """Fold some weeks with the bars up to the last of them, and with all bars."""
        history = self.params.run.history
        committed = {k: v for week in weeks for k, v in files_of(self.paths, week, history=history).items()}
        monday = self.tables(pd.Timestamp(weeks[-1], tz="UTC"), "monday")
        try:
            known = self._folded(weeks, tables=monday, as_of=weeks[-1])
            # The sealed bytes alone would not do: a loop that has learned to look ahead since they were sealed gives
            # them again where there is nothing ahead to see.
            whole = self._folded(weeks, tables=full.paths, as_of=None)
            other = {name[:10] for name in committed.keys() | whole.keys() if committed.get(name) != whole.get(name)}
            return compare_seals(whole, known), other
        finally:
            shutil.rmtree(self.folder / "monday", ignore_errors=True)

    def _folded(self, weeks: Sequence[str], *, tables: Paths, as_of: str | None) -> dict[str, bytes]:
        scratch = Paths(self.folder / "fold")
        try:
            return fold_again(
                self.params, weeks, tables=tables, sealed=self.paths, scratch=scratch, pipeline=self.pipeline,
                as_of=as_of,
            )  # fmt: skip
        finally:
            shutil.rmtree(scratch.root, ignore_errors=True)


def _before_revision(params: Params, paths: Paths, *, bars: pd.DataFrame, revised: str) -> pd.DataFrame:
    """Bars as they were known in the week before a revision of them, and behind these what came later."""
    monday = pd.Timestamp(revised, tz="UTC") - pd.Timedelta(weeks=1)
    known = bars_as_of(params.bars, root=paths.root, as_of=f"{monday:%Y-%m-%d}")
    whole = pd.concat([known, bars.loc[bars["date"] > monday, known.columns]], ignore_index=True)
    return whole.sort_values(tables.KEY, kind="stable", ignore_index=True)


def _moments(bars: pd.DataFrame, *, sealed: Sequence[str], times: int, seed: int) -> list[pd.Timestamp]:
    """Closes of bars at which to cut: since genesis, within a week of the last seal, and before the last bar."""
    first = pd.Timestamp(sealed[0], tz="UTC")
    end = min(pd.Timestamp(sealed[-1], tz="UTC") + pd.Timedelta(weeks=1), bars["date"].max())
    closes = pd.DatetimeIndex(bars["date"].unique()).sort_values()
    closes = closes[(closes >= first) & (closes < end)]
    if len(closes) < times:
        raise WeekError(
            f"audit: {times} times are asked for, and bars closed at {len(closes)} times from {sealed[0]} to "
            f"{end:%Y-%m-%d}; ask for fewer"
        )
    drawn = np.random.default_rng(seed).choice(len(closes), size=times, replace=False)
    return [closes[i] for i in np.sort(drawn)]
