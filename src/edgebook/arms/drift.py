"""Drift: an alarm when outcomes fall short of what the policy in force had promised (CUSUM; Page 1954).

Each *stream* of outcomes (the trades, the most confident candidates, every head, every frequent pattern) is a daily sum
of what came minus what was promised before. Its CUSUM adds up the evidence for a fall of `smallest_fall` against none,
never below zero, and gives an alarm at its limit; then it starts again. The budget of false alarms a year is shared
evenly by the streams that are watched.

The state goes in and comes out; it travels in the seal as ``drift.json``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.arms.cusum import Day, Scale, Stream, Walk, learn_scale, update
from edgebook.arms.drift_limits import WARMUP_WEEKS, limit
from edgebook.arms.drift_streams import CANDIDATES, TRADES, Paid, week_values
from edgebook.policy.market import DAY_MS, WEEK_MS, iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from edgebook.policy.market import Market
    from edgebook.policy.observed import Observed
    from edgebook.policy.policy import Policy
    from edgebook.settings.params import Drift as Settings


@dataclass(frozen=True)
class Alarm:
    """A stream has reached its limit.

    Parameters
    ----------
    stream : str
        "trades", "candidates", "head A" or "pattern double_top".
    date, since : str
        Day of the alarm, and day from which on the stream fell short.
    count : float
        Effective outcomes in between; of "trades", trades.
    promised, observed : float
        Share of them that was promised to win (of a head: its votes to be right) and that did; of "trades", R a trade.
    limit : float
    """

    stream: str
    date: str
    since: str
    count: float
    promised: float
    observed: float
    limit: float


@dataclass(frozen=True)
class Drift:
    """The watch over one champion.

    Parameters
    ----------
    champion : str
        Name of the recipe.
    streams : mapping of str to Stream
    paid : Paid
        What wins and losses have paid, in R.
    """

    champion: str
    streams: Mapping[str, Stream] = field(default_factory=dict)
    paid: Paid = field(default_factory=Paid)

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain mappings."""
        return {
            "champion": self.champion,
            "paid": vars(self.paid) | {},
            "streams": {n: vars(s.scale) | {"walk": vars(s.walk) | {}} for n, s in sorted(self.streams.items())},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Drift:
        """Rebuild what `to_json` wrote."""
        streams = {
            name: Stream(Scale(**{k: v for k, v in row.items() if k != "walk"}), Walk(**row["walk"]))
            for name, row in data["streams"].items()
        }
        return cls(data["champion"], streams, Paid(**data["paid"]))


def watched(state: Drift, *, settings: Settings) -> dict[str, float]:
    """Streams that the coming week is watched on, and the limit of each.

    Parameters
    ----------
    state : Drift
        At the beginning of the week.
    settings : Settings
        Section `drift` of params.yaml.

    Returns
    -------
    dict of str to float
        Those old enough to know their scale, with enough outcomes a week. They share the false alarms evenly.
    """
    ready = {
        name: stream.scale
        for name, stream in sorted(state.streams.items())
        if stream.scale.age_weeks >= WARMUP_WEEKS
        and stream.scale.count_per_week >= settings.smallest_count_per_week
        and stream.scale.variance > 0
    }
    return {
        name: limit(
            settings.smallest_fall**2 * scale.count_per_week / scale.variance,
            alarms_per_year=settings.false_alarms_per_year / len(ready),
            chosen=name in (TRADES, CANDIDATES),
        )
        for name, scale in ready.items()
    }


def observe(
    state: Drift,
    seen: Observed,
    *,
    market: Market,
    policy: Policy,
    trades: pd.DataFrame,
    settings: Settings,
    until: int,
) -> tuple[Drift, list[Alarm]]:
    """One week of closed outcomes.

    Parameters
    ----------
    state : Drift
        At the beginning of the week.
    seen : Observed
        The champion's candidates that closed in the week.
    market : Market
        Names the patterns.
    policy : Policy
        The champion's, in force when the week began: it has seen none of these outcomes.
    trades : DataFrame
        Trades of its signals that closed in the week: close_date (UTC), confidence, r_multiple.
    settings : Settings
        Section `drift` of params.yaml.
    until : int
        Milliseconds UTC, the Monday at which the week ends.

    Returns
    -------
    Drift
        At the end of the week.
    list of Alarm
        By date, then stream.
    """
    since = until - WEEK_MS
    dates = [iso(since + day * DAY_MS)[:10] for day in range(7)]
    values = week_values(seen, market=market, policy=policy, trades=trades, paid=state.paid, since=since)
    limits = watched(state, settings=settings)
    streams, alarms = {}, []
    for name in sorted({*state.streams, *values}):
        stream = state.streams.get(name, Stream())
        rows = values.get(name, np.zeros((7, 3)))
        walk, variance = stream.walk, stream.scale.variance
        if name in limits:
            for date, row in zip(dates, rows.tolist(), strict=True):
                if row[1] == 0:
                    continue
                walk = update(walk, Day(date, *row), fall=settings.smallest_fall, variance=variance)
                if walk.level >= limits[name]:
                    unit = state.paid.span if name == TRADES else 1.0
                    alarms.append(_alarm(name, walk, date=date, unit=unit, limit=limits[name]))
                    walk = Walk()
        streams[name] = Stream(learn_scale(stream.scale, rows), walk)
    after = replace(state, streams=streams, paid=state.paid.update(seen))
    return after, sorted(alarms, key=lambda alarm: (alarm.date, alarm.stream))


def _alarm(name: str, walk: Walk, *, date: str, unit: float, limit: float) -> Alarm:
    promised = walk.promised / walk.count
    return Alarm(
        stream=name,
        date=date,
        since=walk.since,
        count=round(walk.count, 1),
        promised=round(unit * promised, 4),
        observed=round(unit * (promised - walk.shortfall / walk.count), 4),
        limit=limit,
    )
