"""Bars of a live feed, put behind those that the tables know, and the numbers of the newest one.

Nothing here is another formula for an indicator: the stage's own functions run on the last bars alone. What remembers
all bars (averages that decay, swings, stops that trail) has forgotten where it began by then; a test holds values,
votes, patterns and regimes equal to those of the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.bars.bars import COLUMNS, TIMEFRAMES, check_bars
from edgebook.errors import DataError
from edgebook.outcomes.desk_columns import DESK_PATTERN
from edgebook.policy.market import PATTERN_BARS, REGIMES, Market
from edgebook.policy.plan_outcomes import code_type, to_ms
from edgebook.regimes.newest_regime import newest_regime
from edgebook.regimes.regime_hmm import hmm_settings, rule_settings

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

Key = tuple[str, str]
"""Pair and timeframe."""
WINDOW_BARS = 1_600
"""Bars from which the newest one's indicators are computed. With 1,200 the values and votes of 250 newest bars of the
crypto sample were all those of the tables; with 800 the RSI of 56 bars was not."""
SLOT_DAYS = 22
"""Days that the finest timeframes need beside: twenty bars of the same time of day (`same_hour_return_20`), and some
that are missing."""
REGIME_SLACK_BARS = 500
"""Bars beyond the longest window of a regime's numbers, over which every earlier state comes to the same label."""


@dataclass(frozen=True)
class Window:
    """Last bars of one pair and timeframe, oldest first.

    Parameters
    ----------
    prices : ndarray of float64, shape (4, n)
        Open, high, low, close.
    volume : ndarray of float64, shape (n,)
    closed_ms : ndarray of int64, shape (n,)
        When each closed, in milliseconds UTC.
    whole : bool
        The first of them is the first that there is.
    """

    prices: NDArray[np.float64]
    volume: NDArray[np.float64]
    closed_ms: NDArray[np.int64]
    whole: bool

    def last(self, bars: int) -> Window:
        """Return its last bars, all of them where there are fewer."""
        whole = self.whole and self.volume.size <= bars
        prices = np.ascontiguousarray(self.prices[:, -bars:])
        return Window(prices, self.volume[-bars:], self.closed_ms[-bars:], whole)

    def then(self, later: Window) -> Window:
        """Return these bars and later ones behind them."""
        return Window(
            np.concatenate([self.prices, later.prices], axis=1),
            np.concatenate([self.volume, later.volume]),
            np.concatenate([self.closed_ms, later.closed_ms]),
            self.whole,
        )


def window_of(timeframe: str) -> int:
    """Bars from which the newest one's indicators are computed."""
    return max(WINDOW_BARS, SLOT_DAYS * 1440 // TIMEFRAMES[timeframe])


def windows_of(bars: pd.DataFrame, *, length_bars: int) -> dict[Key, Window]:
    """Last bars of every series of a table, in its order.

    Parameters
    ----------
    bars : DataFrame
        Columns `edgebook.bars.bars.COLUMNS`, sorted by pair, timeframe, date; a series begins with its first row.
    length_bars : int
        Of each series.
    """
    pair, timeframe = bars["pair"].to_numpy(object), bars["timeframe"].to_numpy(object)
    prices = bars[["open", "high", "low", "close"]].to_numpy(np.float64).T
    volume, closed_ms = bars["volume"].to_numpy(np.float64), to_ms(bars["date"])
    edges = np.flatnonzero((pair[1:] != pair[:-1]) | (timeframe[1:] != timeframe[:-1])) + 1
    found = {}
    for first, stop in pairwise([0, *edges.tolist(), len(bars)]):
        own = Window(prices[:, first:stop], volume[first:stop], closed_ms[first:stop], whole=True)
        found[str(pair[first]), str(timeframe[first])] = own.last(length_bars)
    return found


def extended(known: Mapping[Key, Window], fresh: pd.DataFrame, *, length_bars: int) -> dict[Key, Window]:
    """Windows with newer bars behind the known ones.

    Parameters
    ----------
    known : mapping of (pair, timeframe) to Window
        As of when the champion was loaded.
    fresh : DataFrame
        Columns `edgebook.bars.bars.COLUMNS`; those that are known already are passed over.
    length_bars : int
        Bars that a window keeps.

    Raises
    ------
    DataError
        A bar breaks the contract of bars, or bars are missing between the known and the fresh ones.
    """
    missing = [name for name in COLUMNS if name not in fresh]
    if missing:
        raise DataError(f"bars: column {missing[0]!r} is missing; a bar has {', '.join(COLUMNS)}")
    if fresh.empty:
        return dict(known)
    fresh = fresh[COLUMNS].sort_values(["pair", "timeframe", "date"], ignore_index=True)
    if str(fresh["date"].dtype) != "datetime64[ms, UTC]":
        fresh = fresh.assign(date=pd.to_datetime(fresh["date"], utc=True).astype("datetime64[ms, UTC]"))
    check_bars(fresh, source="bars")
    windows = dict(known)
    for key, own in windows_of(fresh, length_bars=length_bars).items():
        before = known.get(key)
        if before is None or own.volume.size >= length_bars:
            windows[key] = own
            continue
        later = np.flatnonzero(own.closed_ms > before.closed_ms[-1])
        if later.size:
            _check_joint(before.closed_ms, own.closed_ms, key=key)
            windows[key] = before.then(own.last(later.size)).last(length_bars)
    return {key: windows[key] for key in sorted(windows)}


def newest_market(
    windows: Mapping[Key, Window],
    asked: Collection[Key],
    *,
    regimes: Mapping[str, Any],
    labels: Collection[str] = ("rule",),
    patterns: pd.DataFrame | None = None,
) -> tuple[Market, dict[Key, int]]:
    """The newest bars of some series as a `Market` without outcomes, and the row of each.

    Parameters
    ----------
    windows : mapping of (pair, timeframe) to Window
        All series: those that are not asked for are the market around them.
    asked : collection of (pair, timeframe)
    regimes : mapping
        Section `regimes` of params.yaml.
    labels : collection of {"rule", "hmm", "desk"}
        Those that the policies go by; a desk's are the rule's until `live_columns` puts them in.
    patterns : DataFrame, optional
        A desk's patterns at the last bars, rows as in data/patterns.parquet.

    Raises
    ------
    DataError
        A series is too short to know its regime.
    """
    from edgebook.indicators import CATALOGUE, context
    from edgebook.indicators.computing import fill_series
    from edgebook.indicators.formations import MEMBERS
    from edgebook.indicators.series import series_of
    from edgebook.patterns.finding import pattern_directions

    keys = [key for key in sorted(windows) if _matters(key, asked)]
    short = {key: windows[key].last(window_of(key[1])) for key in keys}
    series = [
        series_of(one.prices, one.volume, closed_ms=one.closed_ms, minutes=TIMEFRAMES[timeframe])
        for (_, timeframe), one in short.items()
    ]
    around = context.values(series, [pair for pair, _ in keys])
    order = sorted(asked, key=lambda key: (short[key].closed_ms[-1], key[0], TIMEFRAMES[key[1]]))
    values = np.empty((len(order), len(CATALOGUE)), np.float32)
    votes = np.empty((len(order), len(CATALOGUE)), np.int8)
    tags: list[tuple[str, str]] = []
    for i, key in enumerate(order):
        k, own = keys.index(key), short[key]
        found = pattern_directions(own.prices, own.volume)
        events = {
            name: np.asarray(np.sum([d for n, d in found if n in members], axis=0), np.float64)
            for name, members in MEMBERS.items()
        }
        whole_values = np.empty((len(CATALOGUE), series[k].size), np.float32)
        whole_votes = np.zeros((len(CATALOGUE), series[k].size), np.int8)
        fill_series(series[k], events, around[k], whole_values, whole_votes)
        values[i], votes[i] = whole_values[:, -1], whole_votes[:, -1]
        tags.append(_newest_tags([*found, *_of_desk(patterns, key, closed_ms=own.closed_ms)]))
    pairs = tuple(sorted({pair for pair, _ in order}))
    timeframes = tuple(sorted({timeframe for _, timeframe in order}, key=TIMEFRAMES.__getitem__))
    names = ("none", *sorted({name for both in tags for name in both} - {"none"}))
    named = {
        by: np.array([_regime(windows[key], key=key, by=by, regimes=regimes) for key in order], np.int8)
        for by in sorted(labels)
    }
    market = Market(
        pairs=pairs,
        timeframes=timeframes,
        indicators=tuple(one.name for one in CATALOGUE),
        tag_names=names,
        date=np.array([short[key].closed_ms[-1] for key in order]),
        pair=np.array([pairs.index(pair) for pair, _ in order], code_type(pairs)),
        timeframe=np.array([timeframes.index(timeframe) for _, timeframe in order], np.int8),
        regime=named.get("rule", next(iter(named.values()))),
        close=np.array([short[key].prices[3, -1] for key in order]),
        values=values,
        votes=votes,
        tag=np.array([[names.index(name) for name in both] for both in tags], np.int16),
        bars_digest_rows=np.zeros(len(order), "V8"),
        regimes=named,
    )
    return market, {key: row for row, key in enumerate(order)}


def _matters(key: Key, asked: Collection[Key]) -> bool:
    """A series is the market of another at its timeframe; a pair's own other timeframes matter too."""
    return any(key[0] == pair or key[1] == timeframe for pair, timeframe in asked)


def _of_desk(
    patterns: pd.DataFrame | None, key: Key, *, closed_ms: NDArray[np.int64]
) -> list[tuple[str, NDArray[np.int8]]]:
    """Direction of each of a desk's patterns at the last bars of a series."""
    if patterns is None:
        return []
    own = patterns[(patterns["pair"] == key[0]) & (patterns["timeframe"] == key[1])]
    last = closed_ms[-PATTERN_BARS:]
    found = []
    for name, rows in own.groupby("pattern", sort=True):
        said = dict(zip(to_ms(rows["date"]).tolist(), rows["direction"].tolist(), strict=True))
        found.append((str(name), np.array([said.get(at, 0) for at in last.tolist()], np.int8)))
    return found


def _newest_tags(found: Sequence[tuple[str, NDArray[np.int8]]]) -> tuple[str, str]:
    """Latest pattern in favour of each side at the last bar: as `market.build_market` tags a bar."""
    from edgebook.patterns import CHART_PATTERNS

    tags = ["none", "none"]
    by_name = sorted(found, key=lambda one: one[0])
    of_chart = {name for name, _ in by_name if name in CHART_PATTERNS or name.startswith(DESK_PATTERN)}
    for chart in (False, True):  # later writes win
        for delay in reversed(range(PATTERN_BARS)):
            for name, direction in by_name:
                if (name in of_chart) is chart and direction.size > delay and direction[-1 - delay]:
                    tags[int(direction[-1 - delay] < 0)] = name
    return tags[0], tags[1]


def _regime(window: Window, *, key: Key, by: str, regimes: Mapping[str, Any]) -> int:
    """Code of the newest bar's label."""
    if by == "hmm":
        from edgebook.regimes.regime_hmm_newest import newest_hmm_regime

        settings = hmm_settings(regimes)
        code = newest_hmm_regime(window.prices[3], window.closed_ms, whole=window.whole, **settings)
    else:
        code = newest_regime(window.prices[3], whole=window.whole, **rule_settings(regimes))
    if code is None:
        raise DataError(
            f"bars: {' '.join(key)}: {window.volume.size} bars do not tell the regime of the newest one, which depends "
            f"on those before ({', '.join(REGIMES)}); give more of them, or a series that the tables know"
        )
    return code


def _check_joint(known_ms: NDArray[np.int64], fresh_ms: NDArray[np.int64], *, key: Key) -> None:
    """Refuse a hole between the known bars and the fresh ones that is longer than any among the known."""
    if fresh_ms[0] - known_ms[-1] > np.diff(known_ms).max(initial=0):
        last, first = (pd.Timestamp(int(ms), unit="ms") for ms in (known_ms[-1], fresh_ms[0]))
        raise DataError(
            f"bars: {' '.join(key)}: the tables end at {last:%Y-%m-%d %H:%M} and the bars given begin at "
            f"{first:%Y-%m-%d %H:%M}; give those between too"
        )
