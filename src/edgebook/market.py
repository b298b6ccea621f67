"""What the loop sees of a market: aligned arrays, one row a bar, in the order in which bars became known.

The stages before leave tables; the loop reads them once, here, and from then on slices by time. Nothing in this module
chooses what is known: each array carries the time at which its rows became known, and the callers cut by it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook import tables
from edgebook.errors import DataError
from edgebook.folds import uniqueness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from edgebook.paths import Paths

SIDES = ("long", "short")
REGIMES = ("trending_bullish", "trending_bearish", "ranging", "volatile")
REASONS = ("open", "take_profit", "stop_loss", "time_exit")
NEVER = np.iinfo(np.int64).max
WEEK_MS = 7 * 86_400_000
DAY_MS = 86_400_000
PATTERN_BARS = 3
"""A pattern tags the candidates of its own bar and of the two after it."""


@dataclass(frozen=True)
class PlanOutcomes:
    """Candidates of one exit plan, arrays of shape (bars, 2): column 0 is long, column 1 short.

    Parameters
    ----------
    open_ms : ndarray of int64
        When the position would be entered; NEVER where there is no entry bar or no ATR yet.
    known_at : ndarray of int64
        When the outcome became known; NEVER while it is open.
    uniqueness : ndarray of float64
        Average uniqueness of the label among those of its series and side, so that overlapping outcomes do not count
        several times. It depends on nothing after the label's close.
    open_rate, take_profit_abs, stop_loss_abs, close_rate, profit_ratio, r_multiple, mae, mfe : ndarray of float64
        See `edgebook.candidates`; nan where not known.
    bars_held, reason : ndarray
        `reason` indexes `REASONS`.
    """

    open_ms: NDArray[np.int64]
    known_at: NDArray[np.int64]
    uniqueness: NDArray[np.float64]
    open_rate: NDArray[np.float64]
    take_profit_abs: NDArray[np.float64]
    stop_loss_abs: NDArray[np.float64]
    close_rate: NDArray[np.float64]
    profit_ratio: NDArray[np.float64]
    r_multiple: NDArray[np.float64]
    mae: NDArray[np.float64]
    mfe: NDArray[np.float64]
    bars_held: NDArray[np.int16]
    reason: NDArray[np.int8]


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

    @cached_property
    def marks(self) -> dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """Close times and closes of each pair at its finest timeframe, for marking positions."""
        by_pair = {}
        for code, pair in enumerate(self.pairs):
            mine = self.pair == code
            rows = np.flatnonzero(mine & (self.timeframe == self.timeframe[mine].min()))
            by_pair[pair] = (self.date[rows], self.close[rows])
        return by_pair

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
            f"bars: {pair} {timeframe} {moment}: the history has a position opened on this bar, "
            "but it is not in the data; restore the data or start a new history"
        )

    def fingerprint(self, *, since: int, until: int, before: str) -> str:
        """Digest of the bars decided in [since, until), chained to the digest `before`."""
        digest = hashlib.sha256(before.encode())
        digest.update(self.bars_digest_rows[self.decided(since=since, until=until)].tobytes())
        return digest.hexdigest()[:16]


def milliseconds(moment: str | pd.Timestamp) -> int:
    """Milliseconds since 1970 of a date, UTC."""
    stamp = pd.Timestamp(moment)
    stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    return int(stamp.value // 1_000_000)


def iso(moment: int) -> str:
    """Milliseconds UTC as ISO text.

    Examples
    --------
    >>> iso(1522645200000)
    '2018-04-02T05:00:00Z'
    """
    return pd.Timestamp(moment, unit="ms").strftime("%Y-%m-%dT%H:%M:%SZ")


class Plans(Mapping[str, PlanOutcomes]):
    """Outcomes by exit plan, each read when it is first asked for.

    Parameters
    ----------
    names : sequence of str
        Exit plans that there are.
    load : callable
        From a plan's name to its outcomes.
    """

    def __init__(self, names: Sequence[str], load: Callable[[str], PlanOutcomes]) -> None:
        self._names, self._load = tuple(names), load
        self._read: dict[str, PlanOutcomes] = {}

    def __getitem__(self, plan: str) -> PlanOutcomes:
        if plan not in self._read:
            self._read[plan] = self._load(plan)
        return self._read[plan]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


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
        Row-aligned, sorted by (pair, timeframe, date).
    patterns : DataFrame
        One row a pattern, dated by its confirming bar.
    limit : int, optional
        Milliseconds UTC; bars that close after it are left out.
    """
    pairs = tuple(sorted(bars["pair"].unique()))
    timeframes = tuple(sorted(bars["timeframe"].unique(), key=pd.Timedelta))
    names = tuple(column for column in values.columns if column not in tables.KEY)
    date = _ms(bars["date"])
    pair = _codes(bars["pair"], pairs)
    timeframe = _codes(bars["timeframe"], timeframes)
    order = np.lexsort((timeframe, pair, date))
    if limit is not None:
        order = order[date[order] <= limit]
    tag, tag_names = _tags(bars, patterns)
    digest = bars[["open", "high", "low", "close", "volume"]].to_records(index=False)
    return Market(
        pairs=pairs,
        timeframes=timeframes,
        indicators=names,
        tag_names=tag_names,
        date=date[order],
        pair=pair[order],
        timeframe=timeframe[order],
        regime=_codes(regimes["regime"], REGIMES)[order],
        close=bars["close"].to_numpy(np.float64)[order],
        values=np.ascontiguousarray(values[list(names)].to_numpy(np.float32)[order]),
        votes=np.ascontiguousarray(votes[list(names)].to_numpy(np.int8)[order]),
        tag=tag[order],
        bars_digest_rows=np.asarray(digest)[order],
    )


def plan_outcomes(
    bars: pd.DataFrame,
    candidates: pd.DataFrame,
    *,
    outcomes: pd.DataFrame,
    order: NDArray[np.int64],
    key: NDArray[np.int64],
    limit: int | None,
) -> PlanOutcomes:
    """Spread the candidates and outcomes of one plan over the bars.

    Parameters
    ----------
    bars : DataFrame
        In table order.
    candidates : DataFrame
        Entries, the open ones too.
    outcomes : DataFrame
        Known outcomes, each with `known_at`.
    order : ndarray of int64
        Market row to bar row.
    key : ndarray of int64
        Ascending number of each bar in table order, see `_order_and_key`.
    limit : int, optional
        Milliseconds UTC; what became known after it is left out.
    """
    shape = (len(bars), 2)
    place = _places(candidates, bars, key)
    open_ms = np.full(shape, NEVER)
    open_ms[place] = _ms(candidates["open_date"])
    entry = {
        name: _spread(shape, place, candidates[name]) for name in ("open_rate", "take_profit_abs", "stop_loss_abs")
    }
    place = _places(outcomes, bars, key)
    known_at = np.full(shape, NEVER)
    known_at[place] = _ms(outcomes["known_at"])
    result = {
        name: _spread(shape, place, outcomes[name])
        for name in ("close_rate", "profit_ratio", "r_multiple", "mae", "mfe")
    }
    held = np.zeros(shape, np.int16)
    held[place] = outcomes["bars_held"].to_numpy(np.int16)
    reason = np.zeros(shape, np.int8)
    reason[place] = _codes(outcomes["exit_reason"], REASONS)
    weight = _uniqueness(bars, open_ms, held)
    hidden = np.zeros(shape, bool) if limit is None else known_at > limit
    known_at[hidden] = NEVER
    held[hidden], reason[hidden], weight[hidden] = 0, 0, np.nan
    for column in result.values():
        column[hidden] = np.nan
    if limit is not None:
        unseen = open_ms >= limit
        open_ms[unseen] = NEVER
        for column in entry.values():
            column[unseen] = np.nan
    return PlanOutcomes(
        open_ms=open_ms[order],
        known_at=known_at[order],
        uniqueness=weight[order],
        bars_held=held[order],
        reason=reason[order],
        **{name: column[order] for name, column in (entry | result).items()},
    )


def _order_and_key(
    bars: pd.DataFrame, market: Market, limit: int | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Market row to bar row, and a number that ascends with (pair, timeframe, date)."""
    date = _ms(bars["date"])
    pair, timeframe = _codes(bars["pair"], market.pairs), _codes(bars["timeframe"], market.timeframes)
    order = np.lexsort((timeframe, pair, date))
    if limit is not None:
        order = order[date[order] <= limit]
    return order, bar_key(bars)


def bar_key(frame: pd.DataFrame) -> NDArray[np.int64]:
    """Number of each row's series and date that ascends as the canonical order does."""
    series = frame["pair"].str.cat(frame["timeframe"], sep="\x00")
    codes = pd.Categorical(series, categories=sorted(series.unique())).codes.astype(np.int64)
    return codes * (1 << 46) + _ms(frame["date"])


def _places(frame: pd.DataFrame, bars: pd.DataFrame, key: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Bar row and side of each candidate."""
    series = frame["pair"].str.cat(frame["timeframe"], sep="\x00")
    known = sorted(bars["pair"].str.cat(bars["timeframe"], sep="\x00").unique())
    codes = pd.Categorical(series, categories=known).codes.astype(np.int64)
    wanted = codes * (1 << 46) + _ms(frame["date"])
    rows = np.searchsorted(key, wanted)
    if (codes < 0).any() or (rows >= len(key)).any() or (key[rows] != wanted).any():
        raise DataError(
            "data/candidates: has a candidate on a bar that data/bars.parquet does not hold; run `dvc repro`"
        )
    return rows, frame["is_short"].to_numpy(np.int64)


def _spread(
    shape: tuple[int, int], place: tuple[NDArray[Any], NDArray[Any]], column: pd.Series[Any]
) -> NDArray[np.float64]:
    spread = np.full(shape, np.nan)
    spread[place] = column.to_numpy(np.float64)
    return spread


def _uniqueness(bars: pd.DataFrame, open_ms: NDArray[np.int64], held: NDArray[np.int16]) -> NDArray[np.float64]:
    """Uniqueness of each label; an open one covers every bar since its entry, which is known while it is open."""
    weight = np.full(open_ms.shape, np.nan)
    for rows in bars.groupby(["pair", "timeframe"], sort=False).indices.values():
        last_bar = len(rows) - 1
        for side in (0, 1):
            entered = np.flatnonzero(open_ms[rows, side] != NEVER)
            bars_held = held[rows[entered], side].astype(np.int64)
            last = np.where(bars_held > 0, entered + bars_held, last_bar)
            weight[rows[entered], side] = np.round(uniqueness(entered + 1, np.maximum(last, entered + 1)), 6)
    return weight


def _tags(bars: pd.DataFrame, patterns: pd.DataFrame) -> tuple[NDArray[np.int16], tuple[str, ...]]:
    """Latest pattern in favour of each side, chart patterns before candlesticks."""
    names = ("none", *sorted(patterns["pattern"].unique()))
    tag = np.zeros((len(bars), 2), np.int16)
    if patterns.empty:
        return tag, names
    key = bar_key(bars)
    known = sorted(bars["pair"].str.cat(bars["timeframe"], sep="\x00").unique())
    codes = pd.Categorical(patterns["pair"].str.cat(patterns["timeframe"], sep="\x00"), categories=known).codes
    rows = np.searchsorted(key, codes.astype(np.int64) * (1 << 46) + _ms(patterns["date"]))
    name = _codes(patterns["pattern"], names).astype(np.int16)
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


def _ms(dates: pd.Series[Any]) -> NDArray[np.int64]:
    return pd.DatetimeIndex(dates).as_unit("ms").asi8


def _codes(column: pd.Series[Any], names: tuple[str, ...]) -> NDArray[np.int8]:
    codes = pd.Categorical(column, categories=list(names)).codes
    if (codes < 0).any():
        unknown = column[codes < 0].iloc[0]
        raise DataError(f"a table holds {unknown!r} where only {', '.join(names[:6])} … are known; run `dvc repro`")
    return codes.astype(np.int8 if len(names) < 127 else np.int16)
