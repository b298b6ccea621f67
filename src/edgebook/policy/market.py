"""What the loop sees of a market: aligned arrays, one row a bar, in the order in which bars became known.

The stages before leave tables; the loop reads them once, here, and from then on slices by time. Nothing in this module
chooses what is known: each array carries the time at which its rows became known, and the callers cut by it.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.bars.bars import TIMEFRAMES
from edgebook.errors import DataError
from edgebook.files import tables
from edgebook.policy.loaded_plans import load_plans
from edgebook.policy.market_tags import PATTERN_BARS, latest_tags
from edgebook.policy.plan_outcomes import (
    DAY_MS,
    NEVER,
    REASONS,
    REGIMES,
    SIDES,
    WEEK_MS,
    PlanOutcomes,
    Plans,
    bar_key,
    codes_of,
    iso,
    milliseconds,
    to_ms,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.paths import Paths

__all__ = [
    "DAY_MS",
    "NEVER",
    "PATTERN_BARS",
    "REASONS",
    "REGIMES",
    "SIDES",
    "WEEK_MS",
    "Market",
    "PlanOutcomes",
    "Plans",
    "iso",
    "load_market",
    "milliseconds",
]

LABELS = {"rule": "regime", "hmm": "regime_hmm", "desk": "regime_desk"}
"""Column of data/regimes.parquet that holds the labels a recipe asks for by name."""


@dataclass(frozen=True)
class Market:
    """Bars, indicators, regimes and outcomes as arrays sorted by (date, pair, timeframe).

    Parameters
    ----------
    pairs, timeframes, indicators, tag_names : tuple of str
        What the codes in the arrays stand for; `indicators` names the columns of `values` and `votes`.
    date : ndarray of int64, shape (bars,)
        Close time of the bar in milliseconds UTC: the row's indicators, regime and tag are known then.
    pair, timeframe, regime : ndarray of int8, shape (bars,)
    close : ndarray of float64, shape (bars,)
    values : ndarray of float32, shape (bars, indicators)
    votes : ndarray of int8, shape (bars, indicators)
    tag : ndarray of int16, shape (bars, 2)
        The latest pattern in favour of each side, index into `tag_names`; 0 is "none".
    plans : mapping of str to PlanOutcomes
        By name of the exit plan: what is learned from. Where the desk took a candidate, its own outcome.
    regimes : mapping of str to ndarray of int8, shape (bars,)
        Labels by the names that a recipe gives them, of `LABELS`; `regime` is one of them.
    engine : mapping of str to PlanOutcomes, optional
        Simulated outcomes of all candidates, where `plans` holds recorded ones.
    snapshots : tuple of str
        Dates of the desk's snapshots that `plans` has outcomes of.
    """

    pairs: tuple[str, ...]
    timeframes: tuple[str, ...]
    indicators: tuple[str, ...]
    tag_names: tuple[str, ...]
    date: NDArray[np.int64]
    pair: NDArray[np.int8]
    timeframe: NDArray[np.int8]
    regime: NDArray[np.int8]
    close: NDArray[np.float64]
    values: NDArray[np.float32]
    votes: NDArray[np.int8]
    tag: NDArray[np.int16]
    bars_digest_rows: NDArray[np.void] = field(repr=False)
    plans: Mapping[str, PlanOutcomes] = field(default_factory=dict)
    engine: Mapping[str, PlanOutcomes] | None = field(default=None, repr=False)
    snapshots: tuple[str, ...] = ()
    regimes: Mapping[str, NDArray[np.int8]] = field(default_factory=dict, repr=False)
    _labelled: dict[str, Market] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def simulated(self) -> Mapping[str, PlanOutcomes]:
        """Outcomes by exit plan as the engine fills them: what books trade and what the gate compares arms on.

        Every arm is filled alike there: a champion with the desk's fills against a challenger with simulated ones would
        be no fair trial.
        """
        return self.plans if self.engine is None else self.engine

    @cached_property
    def marks(self) -> dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """Close times and closes of each pair at its finest timeframe, for marking positions."""
        by_pair = {}
        for code, pair in enumerate(self.pairs):
            mine = self.pair == code
            if not mine.any():
                continue  # not listed yet
            rows = np.flatnonzero(mine & (self.timeframe == self.timeframe[mine].min()))
            by_pair[pair] = (self.date[rows], self.close[rows])
        return by_pair

    def labelled(self, by: str) -> Market:
        """Return this market under other labels of its bars; nothing is copied, and the answer is kept.

        Parameters
        ----------
        by : str
            One of `LABELS`, as in `Recipe.regimes`. A market that was built without `regimes` has those of the rule.

        Raises
        ------
        DataError
            The table of regimes has no such labels.
        """
        wanted = self.regimes.get(by, self.regime if by == "rule" and not self.regimes else None)
        if wanted is None:
            raise DataError(
                f"data/regimes.parquet: a recipe asks for the regimes of {by!r}, the table has those of "
                f"{', '.join(self.regimes) or 'rule'}; run `edgebook run regime_segmentation`"
            )
        if wanted is self.regime:
            return self
        if by not in self._labelled:
            self._labelled[by] = replace(self, regime=wanted)
        return self._labelled[by]

    def knowing(self, names: Iterable[str]) -> Market:
        """Return this market with columns among `names` that it lacks, a desk's that is declared no longer: missing."""
        more = tuple(sorted(set(names).difference(self.indicators)))
        if not more:
            return self
        values = np.full((len(self.date), len(more)), np.nan, np.float32)
        votes = np.hstack([self.votes, np.zeros(values.shape, np.int8)])
        return replace(self, indicators=(*self.indicators, *more), values=np.hstack([self.values, values]), votes=votes)

    def decided(self, *, since: int, until: int) -> slice:
        """Rows decided in [since, until), milliseconds UTC."""
        return slice(*np.searchsorted(self.date, [since, until], side="left"))

    def row(self, pair: str, timeframe: str, *, date: int) -> int:
        """Return the row of one bar.

        Raises
        ------
        DataError
            There is no such bar: the data changed under an open position.
        """
        low, high = np.searchsorted(self.date, [date, date + 1], side="left")
        if pair in self.pairs and timeframe in self.timeframes:
            here = np.arange(low, high)
            hit = here[
                (self.pair[low:high] == self.pairs.index(pair))
                & (self.timeframe[low:high] == self.timeframes.index(timeframe))
            ]
            if hit.size:
                return int(hit[0])
        moment = pd.Timestamp(date, unit="ms", tz="UTC")
        raise DataError(
            f"bars: {pair} {timeframe} {moment}: the history has a position or a scored candidate on this bar, "
            "but it is not in the data; restore the data or start a new history"
        )

    def fingerprint(self, *, since: int, until: int, before: str) -> str:
        """Digest of the bars decided in [since, until), chained to the digest `before`."""
        digest = hashlib.sha256(before.encode())
        digest.update(self.bars_digest_rows[self.decided(since=since, until=until)].tobytes())
        return digest.hexdigest()[:16]


def load_market(paths: Paths, *, as_of: str | None = None) -> Market:
    """Read the tables of the stages before into one `Market`.

    Parameters
    ----------
    paths : Paths
        Where the tables are.
    as_of : str, optional
        Cut everything known after this Monday. The tables are causal, so that a cut here equals tables made from
        bars that end there; by default nothing is cut.

    Raises
    ------
    DataError
        A table is missing, or two of them do not have the same rows.
    """
    bars = tables.read(paths.bars)
    values = tables.read(paths.indicators)
    votes = tables.read(paths.votes)
    regimes = tables.read(paths.regimes)
    for name, table in (("indicators", values), ("votes", votes), ("regimes", regimes)):
        if not table[tables.KEY].equals(bars[tables.KEY]):
            raise DataError(f"data/{name}.parquet: its rows are not those of data/bars.parquet; run `dvc repro`")
    limit = None if as_of is None else milliseconds(as_of)
    market = build_market(bars, values, votes=votes, regimes=regimes, patterns=tables.read(paths.patterns), limit=limit)
    order, key = _order_and_key(bars, market, limit)
    frame = bars[tables.KEY]
    return replace(market, **load_plans(paths, frame, order=order, key=key, limit=limit))


def build_market(
    bars: pd.DataFrame,
    values: pd.DataFrame,
    *,
    votes: pd.DataFrame,
    regimes: pd.DataFrame,
    patterns: pd.DataFrame,
    limit: int | None = None,
) -> Market:
    """Align the tables in one `Market` without outcomes.

    Parameters
    ----------
    bars, values, votes, regimes : DataFrame
        Row-aligned, sorted by (pair, timeframe, date). Regimes without the column `regime_hmm` are those of the rule.
    patterns : DataFrame
        One row a pattern, dated by its confirming bar.
    limit : int, optional
        Milliseconds UTC; bars that close after it are left out.
    """
    pairs = tuple(sorted(bars["pair"].unique()))
    timeframes = tuple(sorted(bars["timeframe"].unique(), key=TIMEFRAMES.__getitem__))
    names = tuple(column for column in values.columns if column not in tables.KEY)
    date = to_ms(bars["date"])
    pair = codes_of(bars["pair"], pairs)
    timeframe = codes_of(bars["timeframe"], timeframes)
    order = np.lexsort((timeframe, pair, date))
    if limit is not None:
        order = order[date[order] <= limit]
    tag, tag_names = latest_tags(bars, patterns)
    # Names enter by their checksum: a code would change when another pair is listed.
    names_of = {name: zlib.crc32(name.encode()) for name in {*bars["pair"], *bars["timeframe"]}}
    columns = [bars["pair"].map(names_of).to_numpy(np.int64), bars["timeframe"].map(names_of).to_numpy(np.int64), date]
    prices = [bars[name].to_numpy(np.float64) for name in ("open", "high", "low", "close", "volume")]
    digest = np.rec.fromarrays([*columns, *prices])
    labels = {by: codes_of(regimes[name], REGIMES)[order] for by, name in LABELS.items() if name in regimes.columns}
    return Market(
        pairs=pairs,
        timeframes=timeframes,
        indicators=names,
        tag_names=tag_names,
        date=date[order],
        pair=pair[order],
        timeframe=timeframe[order],
        regime=labels["rule"],
        close=bars["close"].to_numpy(np.float64)[order],
        values=np.ascontiguousarray(values[list(names)].to_numpy(np.float32)[order]),
        votes=np.ascontiguousarray(votes[list(names)].to_numpy(np.int8)[order]),
        tag=tag[order],
        bars_digest_rows=np.asarray(digest)[order],
        regimes=labels,
    )


def _order_and_key(
    bars: pd.DataFrame, market: Market, limit: int | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Market row to bar row, and a number that ascends with (pair, timeframe, date)."""
    date = to_ms(bars["date"])
    pair, timeframe = codes_of(bars["pair"], market.pairs), codes_of(bars["timeframe"], market.timeframes)
    order = np.lexsort((timeframe, pair, date))
    if limit is not None:
        order = order[date[order] <= limit]
    return order, bar_key(bars)
