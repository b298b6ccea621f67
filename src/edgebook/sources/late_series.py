"""Which series have fallen silent: a week must not be run as if they had nothing to say.

What is usual for a series is told by its own past: how far it lagged behind the market's last bar when its next bar
came. Nights, weekends and holidays that it shares with the market are no lag at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Dates = Mapping[tuple[str, str], NDArray[np.int64]]

USUAL_WEEKS = 26
"""So far back a lag counts as usual, if there were `USUAL_TIMES` as long: an outage is none after it is over."""

USUAL_TIMES = 3

ENDED_MS = 10 * 86_400_000
"""After so long a silence a series has ended: as long as positions in it wait to be settled (`silent_series`)."""

_DAY_MS = 86_400_000


@dataclass(frozen=True)
class Late:
    """A series that has said nothing for longer than is usual for it.

    Parameters
    ----------
    pair, timeframe : str
    last : Timestamp
        UTC; close of its last bar.
    ended : bool
        It has been silent for ten days: positions in it are settled at its last close, and nobody waits for it.
    """

    pair: str
    timeframe: str
    last: pd.Timestamp
    ended: bool

    def __str__(self) -> str:
        return f"{self.pair} {self.timeframe} since {self.last:%Y-%m-%d %H:%M}"


def late_series(dates: Dates, *, at: pd.Timestamp) -> list[Late]:
    """Series that are silent at a time, by the bars around it.

    Parameters
    ----------
    dates : mapping of (pair, timeframe) to ndarray of int64
        Closes of their bars in milliseconds UTC, ascending; half a year of them is enough.
    at : Timestamp
        UTC, a week's or a day's end.

    Returns
    -------
    list of Late
        By pair and timeframe. A series that has a bar after `at` was not silent, and one that has none before it has
        not begun.
    """
    moment = at.value // 1_000_000
    spoken = [own[own <= moment] for own in dates.values()]
    spoken = [own for own in spoken if own.size]
    if not spoken:
        return []
    market = np.unique(np.concatenate(spoken))
    found = []
    for (pair, timeframe), own in sorted(dates.items()):
        past = own[own <= moment]
        if not past.size or own[-1] > moment:
            continue
        lag = int(market[-1] - past[-1])
        if lag > _usual_lag(past, market):
            last = pd.Timestamp(int(past[-1]), unit="ms", tz="UTC").as_unit("ms")
            found.append(Late(pair, timeframe, last, lag > ENDED_MS))
    return found


def waited_for(late: Sequence[Late], *, silent: Sequence[str]) -> list[Late]:
    """Those for which a week has to wait: neither ended nor among the pairs that may be silent."""
    return [one for one in late if not one.ended and one.pair not in silent]


def told(late: Sequence[Late], *, most: int = 3) -> str:
    """Name the first few of several series."""
    more = f" and {len(late) - most} more" if len(late) > most else ""
    return ", ".join(map(str, late[:most])) + more


def _usual_lag(own: NDArray[np.int64], market: NDArray[np.int64]) -> int:
    """Longest lag behind the market that a series has had a few times, milliseconds."""
    lately = own[own > own[-1] - USUAL_WEEKS * 7 * _DAY_MS]
    if lately.size < 2:
        return 0
    before = market[np.searchsorted(market, lately[1:], side="left") - 1]
    lags = np.sort(before - lately[:-1])
    return int(lags[-min(USUAL_TIMES, lags.size)])
