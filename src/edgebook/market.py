"""What the loop sees of a market: aligned arrays, one row a bar, in the order in which bars became known.

The stages before leave tables; the loop reads them once, here, and from then on slices by time. Nothing in this module
chooses what is known: each array carries the time at which its rows became known, and the callers cut by it.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook import tables
from edgebook.bars import TIMEFRAMES
from edgebook.errors import DataError
from edgebook.plan_outcomes import (
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
    plan_outcomes,
    to_ms,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.paths import Paths

__all__ = [
    "DAY_MS",
    "NEVER",
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

PATTERN_BARS = 3
"""A pattern tags the candidates of its own bar and of the two after it."""

LABELS = {"rule": "regime", "hmm": "regime_hmm"}
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
        By name of the exit plan.
    regimes : mapping of str to ndarray of int8, shape (bars,)
        Labels by the names that a recipe gives them, "rule" and "hmm"; `regime` is one of them.
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
    regimes: Mapping[str, NDArray[np.int8]] = field(default_factory=dict, repr=False)
    _labelled: dict[str, Market] = field(default_factory=dict, init=False, repr=False, compare=False)

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
            "rule" or "hmm", as in `Recipe.regimes`. A market that was built without `regimes` has those of the rule.

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

    def load(plan: str) -> PlanOutcomes:
        candidates = tables.read(paths.candidates / f"{plan}.parquet")
        outcomes = tables.read(paths.outcomes / f"{plan}.parquet")
        return plan_outcomes(frame, candidates, outcomes=outcomes, order=order, key=key, limit=limit)

    names = sorted(path.stem for path in paths.candidates.glob("*.parquet"))
    return replace(market, plans=Plans(names, load))


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
    tag, tag_names = _tags(bars, patterns)
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


def _tags(bars: pd.DataFrame, patterns: pd.DataFrame) -> tuple[NDArray[np.int16], tuple[str, ...]]:
    """Latest pattern in favour of each side, chart patterns before candlesticks."""
    names = ("none", *sorted(patterns["pattern"].unique()))
    tag = np.zeros((len(bars), 2), np.int16)
    if patterns.empty:
        return tag, names
    key = bar_key(bars)
    known = sorted(bars["pair"].str.cat(bars["timeframe"], sep="\x00").unique())
    codes = pd.Index(known).get_indexer(patterns["pair"].str.cat(patterns["timeframe"], sep="\x00"))
    rows = np.searchsorted(key, codes.astype(np.int64) * (1 << 46) + to_ms(patterns["date"]))
    name = codes_of(patterns["pattern"], names).astype(np.int16)
    side = (patterns["direction"].to_numpy() < 0).astype(np.int64)
    chart = patterns["kind"].to_numpy() == "chart"
    series_end = np.r_[np.flatnonzero(np.diff(key >> 46)) + 1, len(key)]
    stop = series_end[np.searchsorted(series_end, rows, side="right")]
    for kind in (~chart, chart):  # later writes win: a chart pattern over a candlestick, a newer one over an older
        for delay in reversed(range(PATTERN_BARS)):
            at = rows[kind] + delay
            inside = at < stop[kind]
            tag[at[inside], side[kind][inside]] = name[kind][inside]
    return tag, names
