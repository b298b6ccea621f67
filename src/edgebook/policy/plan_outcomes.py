"""Outcomes of one exit plan as arrays over the bars, and the codes in which bars are named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.errors import DataError
from edgebook.statistics.folds import uniqueness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

SIDES = ("long", "short")
REGIMES = ("trending_bullish", "trending_bearish", "ranging", "volatile")
REASONS = ("open", "take_profit", "stop_loss", "time_exit")
NEVER = np.iinfo(np.int64).max
WEEK_MS = 7 * 86_400_000
UNIQUENESS_WEEKS = 8
DAY_MS = 86_400_000
_INT8_NAMES = 127


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
        What a candidate counts, in outcomes that do not overlap: one number for all, see `_uniqueness`.
    open_rate, take_profit_abs, stop_loss_abs, close_rate, profit_ratio, r_multiple, mae, mfe : ndarray of float64
        See `edgebook.outcomes.candidates`; nan where not known.
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
    open_ms[place] = to_ms(candidates["open_date"])
    entry = {
        name: _spread(shape, place, candidates[name]) for name in ("open_rate", "take_profit_abs", "stop_loss_abs")
    }
    place = _places(outcomes, bars, key)
    known_at = np.full(shape, NEVER)
    known_at[place] = to_ms(outcomes["known_at"])
    result = {
        name: _spread(shape, place, outcomes[name])
        for name in ("close_rate", "profit_ratio", "r_multiple", "mae", "mfe")
    }
    held = np.zeros(shape, np.int16)
    held[place] = outcomes["bars_held"].to_numpy(np.int16)
    reason = np.zeros(shape, np.int8)
    reason[place] = codes_of(outcomes["exit_reason"], REASONS)
    weight = _uniqueness(bars, open_ms, held)
    hidden = np.zeros(shape, bool) if limit is None else known_at > limit
    known_at[hidden] = NEVER
    held[hidden], reason[hidden] = 0, 0
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


def bar_key(frame: pd.DataFrame) -> NDArray[np.int64]:
    """Number of each row's series and date that ascends as the canonical order does."""
    series = frame["pair"].str.cat(frame["timeframe"], sep="\x00")
    codes = pd.Categorical(series, categories=sorted(series.unique())).codes.astype(np.int64)
    return codes * (1 << 46) + to_ms(frame["date"])


def _places(frame: pd.DataFrame, bars: pd.DataFrame, key: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Bar row and side of each candidate."""
    series = frame["pair"].str.cat(frame["timeframe"], sep="\x00")
    known = sorted(bars["pair"].str.cat(bars["timeframe"], sep="\x00").unique())
    codes = pd.Index(known).get_indexer(pd.Index(series)).astype(np.int64)
    wanted = codes * (1 << 46) + to_ms(frame["date"])
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
    """One weight for every candidate: the mean uniqueness of the labels that the market's first weeks settled.

    A label's own uniqueness depends on how long it lasted, and so on how it ended: weighing single outcomes by it makes
    a trend follower look right on a random walk. The first weeks are known before any arm starts.
    """
    date = to_ms(bars["date"])
    early = date < date.min() + UNIQUENESS_WEEKS * WEEK_MS
    total, count = 0.0, 0
    for rows in bars.groupby(["pair", "timeframe"], sort=False).indices.values():
        for side in (0, 1):
            used = np.flatnonzero((open_ms[rows, side] != NEVER) & early[rows] & (held[rows, side] > 0))
            if used.size:
                shares = uniqueness(used + 1, used + held[rows[used], side].astype(np.int64))
                total, count = total + float(shares.sum()), count + len(shares)
    share = round(total / count, 3) if count else 1.0
    return np.where(open_ms != NEVER, share, np.nan)


def to_ms(dates: pd.Series[Any]) -> NDArray[np.int64]:
    """Milliseconds since 1970 of each date."""
    return pd.DatetimeIndex(dates).as_unit("ms").asi8


def codes_of(column: pd.Series[Any], names: tuple[str, ...]) -> NDArray[np.int8]:
    """Index of each entry in `names`."""
    codes = pd.Index(list(names)).get_indexer(pd.Index(column))
    if (codes < 0).any():
        unknown = column[codes < 0].iloc[0]
        raise DataError(f"a table holds {unknown!r} where only {', '.join(names[:6])} … are known; run `dvc repro`")
    return codes.astype(code_type(names))


def code_type(names: Sequence[str]) -> type[np.signedinteger[Any]]:
    """Smallest type that holds an index into `names`: a market may have hundreds of pairs."""
    return np.int8 if len(names) < _INT8_NAMES else np.int16
