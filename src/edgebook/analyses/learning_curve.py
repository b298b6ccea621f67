"""The learning curve: strategies week by week, the paired difference between two, and how long until it would show.

A signal belongs to the week in which it was *entered*, because that week's policy chose it; it counts once it has
closed. Weeks are numbered from 1, the first after the first seal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from edgebook.analyses.tracks import ACCOUNT, FROZEN
from edgebook.statistics import intervals
from edgebook.statistics.intervals import Interval
from edgebook.statistics.metrics import break_even_win_rate, closed_trades, trade_metrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edgebook.analyses.tracks import Track

DECIMALS = 6
ROLLING_WEEKS = 12
MIN_ROLLING = 4
WINDOW_METRICS = ("signals_per_day", "win_rate", "avg_profit_per_trade", "expectancy")
MARKED = ("admitted", "retired", "recommended", "promoted", "confirmed", "rolled back", "pinned")
CHANGES = ("promoted", "rolled back", "pinned")
"""Events after which another champion is in force."""


@dataclass(frozen=True)
class Paired:
    """One strategy minus another, week by week, over the weeks in which both ran.

    Parameters
    ----------
    name, against : str
    weekly : Series
        Difference in R of the signals entered in the week; index is the week's end, UTC.
    mean : Interval
        R a week, with what neighbouring weeks share.
    spread : float
        Standard deviation of a week's difference as the interval sees it, in R; NaN with fewer than two weeks.
    """

    name: str
    against: str
    weekly: pd.Series[Any] = field(repr=False)
    mean: Interval
    spread: float


def week_number(dates: pd.Series[Any], *, genesis: str) -> NDArray[np.int64]:
    """Number of the week that each date lies in, 1 for the first after genesis."""
    first = pd.Timestamp(genesis, tz="UTC")
    if dates.empty:
        return np.zeros(0, dtype=np.int64)
    return np.asarray((dates - first) // pd.Timedelta("7D") + 1, dtype=np.int64)


def weekly(track: Track, *, weeks: Sequence[str]) -> pd.DataFrame:
    """What a strategy did in each week in which it ran.

    Parameters
    ----------
    track : Track
    weeks : sequence of str
        Sealed Mondays, the first seal's first.

    Returns
    -------
    DataFrame
        Index: the Monday on which the week ended, UTC. Columns: number (of the week), signals (entered), n (of them
        closed by now), wins, r (their sum), profit (change of the book's equity, account currency).
    """
    ran = week_number(track.days["date"], genesis=weeks[0])
    numbers = np.unique(ran)
    count = len(weeks)
    entered = week_number(track.trades["open_date"], genesis=weeks[0])
    closed = closed_trades(track.trades)
    when = week_number(closed["open_date"], genesis=weeks[0])
    r = np.bincount(when, weights=closed["r_multiple"], minlength=count)[numbers]
    ends = track.days.groupby(ran)["equity"].last().to_numpy(dtype=np.float64)
    begin = float(track.days["equity"].iloc[0] / (1 + track.days["return_ratio"].iloc[0])) if len(ends) else 0.0
    index = pd.DatetimeIndex(pd.to_datetime([weeks[number] for number in numbers], utc=True))
    return pd.DataFrame(
        {
            "number": numbers,
            "signals": np.bincount(entered, minlength=count)[numbers],
            "n": np.bincount(when, minlength=count)[numbers],
            "wins": np.bincount(when[closed["profit_ratio"] > 0], minlength=count)[numbers],
            "r": np.round(r, DECIMALS),
            "profit": np.round(np.diff(np.concatenate([[begin], ends])), 4),
        },
        index=index,
    )


def cumulative_r(tracks: Mapping[str, Track], *, weeks: Sequence[str]) -> pd.DataFrame:
    """Sum of R since genesis at each week's end, one column a strategy; the start (0 R) is its first row."""
    parts = {name: weekly(track, weeks=weeks)["r"].cumsum() for name, track in tracks.items()}
    start = pd.DataFrame(0.0, index=pd.DatetimeIndex([pd.Timestamp(weeks[0], tz="UTC")]), columns=list(parts))
    return pd.concat([start, pd.DataFrame(parts)]).round(DECIMALS)


def paired(track: Track, other: Track, *, weeks: Sequence[str]) -> Paired:
    """Difference in weekly R between two strategies.

    Parameters
    ----------
    track, other : Track
    weeks : sequence of str
        Sealed Mondays.
    """
    both = pd.concat([weekly(one, weeks=weeks)["r"] for one in (track, other)], axis=1, join="inner")
    difference = (both.iloc[:, 0] - both.iloc[:, 1]).round(DECIMALS)
    values = difference.to_numpy(dtype=np.float64)
    clusters = np.arange(values.size)
    mean = intervals.mean_interval(values, clusters=clusters)
    error, _ = intervals.clustered_error(values - mean.value, clusters=clusters) if values.size else (np.nan, 0.0)
    return Paired(track.name, other.name, difference, mean, float(error * np.sqrt(values.size)))


def against_others(tracks: Mapping[str, Track], *, weeks: Sequence[str]) -> dict[str, Paired]:
    """Account less each other strategy, by the other's name.

    Parameters
    ----------
    tracks : mapping of str to Track
        With `account`.
    weeks : sequence of str
        Sealed Mondays.
    """
    return {name: paired(tracks[ACCOUNT], other, weeks=weeks) for name, other in tracks.items() if name != ACCOUNT}


def cumulative_difference(found: Paired) -> pd.DataFrame:
    """Add up a paired difference, with a 95 % band at each single look.

    Returns
    -------
    DataFrame
        Index: week's end. Columns: value, low, high (R, NaN under `MIN_ROLLING` weeks). A band that leaves 0 at some
        look is no proof: the gate's wealth is what allows a look every week.
    """
    values = found.weekly.to_numpy(dtype=np.float64)
    rows = []
    for count in range(1, values.size + 1):
        mean = intervals.mean_interval(values[:count], clusters=np.arange(count))
        shown = count >= MIN_ROLLING
        rows.append([mean.value * count, *([mean.low * count, mean.high * count] if shown else [np.nan, np.nan])])
    frame = pd.DataFrame(rows, columns=["value", "low", "high"], index=found.weekly.index, dtype=float)
    return frame.round(DECIMALS)


def weeks_needed(found: Paired, *, power: float = 0.8) -> float:
    """Weeks after which a true difference as large as the seen one would show, by this spread.

    Parameters
    ----------
    found : Paired
    power : float
        Chance that the 95 % interval of one look then leaves 0.

    Returns
    -------
    float
        In all, not in addition; NaN when nothing is seen, or the difference points the other way.
    """
    if not (found.mean.value > 0 and found.spread > 0):
        return np.nan
    reach = float(stats.norm.ppf(0.975) + stats.norm.ppf(power))
    return float(np.ceil((reach * found.spread / found.mean.value) ** 2))


def rolling_win_rate(track: Track, *, weeks: Sequence[str], window_weeks: int = ROLLING_WEEKS) -> pd.DataFrame:
    """Win rate of the signals entered in the last weeks, at each week's end.

    Parameters
    ----------
    track : Track
    weeks : sequence of str
        Sealed Mondays.
    window_weeks : int
        Length of the window; shorter at the beginning, missing under `MIN_ROLLING` weeks.

    Returns
    -------
    DataFrame
        Index: week's end. Columns: value, low, high, n, break_even.
    """
    closed = closed_trades(track.trades)
    number = week_number(closed["open_date"], genesis=weeks[0])
    ran = weekly(track, weeks=weeks)["number"]
    rows = []
    for last in ran:
        part = closed[(number > last - window_weeks) & (number <= last)]
        if last < MIN_ROLLING or part.empty:
            rows.append((np.nan, np.nan, np.nan, len(part), np.nan))
            continue
        clusters = intervals.clusters_of(part["open_date"])
        profit = part["profit_ratio"].to_numpy(dtype=np.float64)
        rate = intervals.rate_interval(profit > 0, clusters=clusters)
        even = break_even_win_rate(profit, clusters=clusters).value
        rows.append((rate.value, rate.low, rate.high, rate.n, even))
    return pd.DataFrame(rows, columns=["value", "low", "high", "n", "break_even"], index=ran.index).round(DECIMALS)


def rolling_win_rates(tracks: Mapping[str, Track], *, weeks: Sequence[str]) -> dict[str, pd.DataFrame]:
    """`rolling_win_rate` of the account, and of the frozen policy where there is one."""
    return {name: rolling_win_rate(tracks[name], weeks=weeks) for name in (ACCOUNT, FROZEN) if name in tracks}


def windows(count: int) -> list[tuple[str, int, int]]:
    """Name the windows of the week table, with their first and last week; those not reached yet end beyond `count`.

    Examples
    --------
    >>> windows(5)
    [('week 1', 1, 1), ('to week 4', 1, 4), ('to week 12', 1, 12), ('all 5', 1, 5)]
    """
    early = [("week 1", 1, 1), ("to week 4", 1, 4), ("to week 12", 1, 12)]
    late = [(f"latest {size}", count - size + 1, count) for size in (12, 4) if count >= 2 * size]
    whole = [(f"all {count}", 1, count)] if count > 1 else []
    return [*early, *late, *whole]


def week_table(tracks: Mapping[str, Track], *, weeks: Sequence[str]) -> pd.DataFrame:
    """Account and frozen policy in the first week, by week 4, by week 12, lately, and over all weeks.

    Parameters
    ----------
    tracks : mapping of str to Track
        `account`, and `frozen` where there is one.
    weeks : sequence of str
        Sealed Mondays.

    Returns
    -------
    DataFrame
        One row a window and strategy: window, strategy, each of `WINDOW_METRICS` with `_low` and `_high`, n (closed),
        profit (change of equity, account currency). A window that is not reached yet has n = 0 and no values.
    """
    count = len(weeks) - 1
    rows = []
    for label, first, last in windows(count):
        for name in (name for name in (ACCOUNT, FROZEN) if name in tracks):
            row: dict[str, object] = {"window": label, "strategy": name}
            if last > count:
                rows.append(row | {"n": 0})
                continue
            number = week_number(tracks[name].trades["open_date"], genesis=weeks[0])
            part = tracks[name].trades[(number >= first) & (number <= last)]
            found = trade_metrics(part, days=7.0 * (last - first + 1)).set_index("metric")
            for metric in WINDOW_METRICS:
                row[metric] = found["value"][metric]
                row[f"{metric}_low"], row[f"{metric}_high"] = found["low"][metric], found["high"][metric]
            made = weekly(tracks[name], weeks=weeks)
            row["n"] = int(found["n"]["win_rate"])
            row["profit"] = float(made.loc[made["number"].between(first, last), "profit"].sum())
            rows.append(row)
    ends = [f"{metric}{end}" for metric in WINDOW_METRICS for end in ("", "_low", "_high")]
    return pd.DataFrame(rows).reindex(columns=["window", "strategy", "n", *ends, "profit"])


def history_events(heads: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """What happened to the recipes, in order.

    Parameters
    ----------
    heads : sequence of mapping
        seal.json of every week.

    Returns
    -------
    DataFrame
        week (UTC), kind (of `MARKED`), recipe, text, change (another champion is in force after it).
    """
    rows = [
        (pd.Timestamp(head["as_of"], tz="UTC"), event["kind"], event["recipe"], event["text"], event["kind"] in CHANGES)
        for head in heads
        for event in head["events"]
        if event["kind"] in MARKED
    ]
    return pd.DataFrame(rows, columns=["week", "kind", "recipe", "text", "change"])
