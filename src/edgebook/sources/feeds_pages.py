"""One page of bars: what a server sent, turned into bars that are wanted, closed, in order, and possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.bars.bars import COLUMNS, PRICES, TIMEFRAMES
from edgebook.sources.feeds_patience import Trouble, in_few_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgebook.settings.bar_feed import Feed

_LAST_MS = 4e12  # year 2096: no bar closes later, and seconds or microseconds are not taken for milliseconds


@dataclass(frozen=True)
class Wanted:
    """One series, and the bars that are wanted of it.

    Parameters
    ----------
    pair, timeframe : str
    after : Timestamp
        UTC; bars that close later are wanted.
    known : bool
        Whether there are bars of it already.
    """

    pair: str
    timeframe: str
    after: pd.Timestamp
    known: bool

    @property
    def length(self) -> pd.Timedelta:
        """Length of a bar."""
        return pd.Timedelta(minutes=TIMEFRAMES[self.timeframe])


def page_of(
    rows: Sequence[Sequence[Any]] | pd.DataFrame, *, wanted: Wanted, closed_by: pd.Timestamp, feed: Feed
) -> tuple[pd.DataFrame, int]:
    """Turn what a server sent into bars: sorted, each once, wanted and closed.

    Parameters
    ----------
    rows : sequence of sequences, or DataFrame
        Close (milliseconds UTC), open, high, low, close, volume; any order.
    wanted : Wanted
    closed_by : Timestamp
        UTC. Bars that close later are left out.
    feed : Feed
        Whether a bar that cannot be is refused or left out.

    Returns
    -------
    bars : DataFrame
        Columns `COLUMNS`; of a bar that was sent twice the later row.
    left_out : int
        Bars that could not be.

    Raises
    ------
    Trouble
        The rows are no bars, or one of them cannot be and is not to be left out.
    """
    try:
        numbers = np.array([[float("nan" if v is None else v) for v in row[:6]] for row in _listed(rows)])
        numbers = numbers.reshape(len(numbers), 6)
    except (TypeError, ValueError, KeyError) as error:
        raise Trouble(f"sent half an answer ({in_few_words(error)})") from error
    if not (np.abs(numbers[:, 0]) < _LAST_MS).all():
        raise Trouble("sent half an answer (a bar without a date)")
    stamp = numbers[:, 0].astype(np.int64)
    inside = (stamp > wanted.after.value // 1_000_000) & (stamp <= closed_by.value // 1_000_000)
    numbers, stamp = numbers[inside], stamp[inside]
    wrong = _impossible(numbers)
    if wrong.any() and feed.impossible == "refuse":
        at = int(wrong.argmax())
        when = pd.Timestamp(int(stamp[at]), unit="ms")
        sent = ", ".join(f"{value:g}" for value in numbers[at, 1:5])
        raise Trouble(
            f"sent a bar that cannot be ({when:%Y-%m-%d %H:%M}: open, high, low, close {sent};"
            " bars.feed.impossible: leave_out goes on without such bars)",
            tries=3,
        )
    numbers, stamp = numbers[~wrong], stamp[~wrong]
    last_of_each = len(stamp) - 1 - np.unique(stamp[::-1], return_index=True)[1]
    numbers = numbers[last_of_each]
    bars = pd.DataFrame(numbers[:, 1:], columns=[*PRICES, "volume"])
    bars["volume"] = bars["volume"].fillna(0.0)
    bars["date"] = pd.to_datetime(stamp[last_of_each], unit="ms", utc=True).as_unit("ms")
    return bars.assign(pair=wanted.pair, timeframe=wanted.timeframe)[COLUMNS], int(wrong.sum())


def _impossible(numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Rows that break the contract of a bar; a missing volume is none."""
    prices, volume = numbers[:, 1:5], numbers[:, 5]
    finite = np.isfinite(prices).all(axis=1) & ~np.isinf(volume)
    with np.errstate(invalid="ignore"):
        ordered = (prices[:, 1] >= prices.max(axis=1)) & (prices[:, 2] <= prices.min(axis=1))
        possible: NDArray[np.bool_] = finite & ordered & (prices > 0).all(axis=1) & ~(volume < 0)
    return ~possible


def _listed(rows: Sequence[Sequence[Any]] | pd.DataFrame) -> Sequence[Sequence[Any]]:
    return rows.to_numpy().tolist() if isinstance(rows, pd.DataFrame) else rows
