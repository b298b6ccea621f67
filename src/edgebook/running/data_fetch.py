"""What is new at a source that is no file: received, told in one line, and the weeks that it completes closed."""

from __future__ import annotations

import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from edgebook.errors import DataError, SettingsError, WeekError
from edgebook.files.private_data import add_again, refuse_seen
from edgebook.sources.known_bars import RECEIVED_FOLDER, end_of, late_at, place_of, silent_at
from edgebook.sources.late_series import told as told_of
from edgebook.sources.received import close, closed_up_to, last_received
from edgebook.sources.receiving import Receiving, receive
from edgebook.sources.sources import RECEIVED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from edgebook.paths import Paths
    from edgebook.settings.params import Params

_WEEK = pd.Timedelta(days=7)


def fetch(
    params: Params,
    paths: Paths,
    *,
    until: str | None = None,
    outcomes_until: str | None = None,
    tell: Callable[[Receiving], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Receive what is new: bars, and then the desk's outcomes, where params.yaml asks for them.

    Parameters
    ----------
    params : Params
    paths : Paths
        Below whose top `data/received` and `data/recorded` lie.
    until : str, optional
        A date or a time, UTC; only bars that closed by then are taken. Now by default.
    outcomes_until : str, optional
        The same for the desk's outcomes; by default `until`.
    tell : callable, optional
        Called whenever bars were kept.
    say : callable, optional
        Told, in a line, what an exchange lets us wait for.

    Returns
    -------
    dict
        source, new, revised, series, restated (what is known of each series that came with another past), up_to (of
        the last bar, None where there is none), closed (the Monday up to which weeks can be run), outcomes (a line, or
        nothing), and `line`.

    Raises
    ------
    DataError
        The source cannot be reached, or a row breaks a rule; what was received before is kept. Or git would take a
        private snapshot.
    SettingsError
        The source is not declared well enough.
    """
    bars, now = params.bars, pd.Timestamp.now("UTC")
    limit = min(_moment(until), now) if until is not None else now
    if bars.source not in RECEIVED:
        told: dict[str, Any] = dict.fromkeys(("new", "revised", "series"), 0)
        told |= {"source": bars.source, "restated": {}, "up_to": None, "closed": None}
        line = f"{bars.source}: nothing to receive, its bars are read where they are"
    else:
        place = place_of(bars, root=paths.root)
        had = last_received(place)
        ask = partial(_ask, params, paths, until=limit, say=say)
        found = receive(ask, folder=place, clock=lambda: pd.Timestamp.now("UTC"), tell=tell)
        last = last_received(place)
        if not last:
            raise DataError(
                f"{bars.source}: it has no bars up to {limit:%Y-%m-%d %H:%M} UTC; correct params.yaml, section bars"
            )
        closed = close_weeks(params, paths, until=limit)
        up_to = max(last.values())
        told = {
            "source": bars.source,
            "new": found.new,
            "revised": found.revised,
            "series": len(last),
            "restated": {f"{pair} {timeframe}": words for (pair, timeframe), words in sorted(found.restated.items())},
            "up_to": f"{up_to:%Y-%m-%d %H:%M}",
            "closed": closed,
        }
        joined = [" ".join(series) for series in last if had and series not in had]
        late = [one for one in silent_at(bars, root=paths.root, at=str(told["up_to"])) if not one.ended]
        line = _line(told, joined=joined) + (f"; late: {told_of(late)}" if late else "")
    until_desk = limit if outcomes_until is None else min(_moment(outcomes_until, option="--date"), limit)
    outcomes = _outcomes(params, paths, until=until_desk)
    words = [line, outcomes, add_again(paths)]
    return {**told, "outcomes": outcomes, "line": "; ".join(filter(None, words))}


def fetch_first(params: Params, paths: Paths, *, at: str | None = None) -> str:
    """Receive what is new before a day or a week is looked at; empty where there is nothing to receive.

    Parameters
    ----------
    params : Params
    paths : Paths
    at : str, optional
        The midnight UTC that is going to be looked at, 2019-07-01. The snapshot of the desk's outcomes speaks up to it,
        so that a week that is run on a Wednesday still reads what its Monday knew. Now by default, and at the latest.
    """
    asks = params.bars.source in RECEIVED or params.outcomes.source == "database"
    return str(fetch(params, paths, outcomes_until=at)["line"]) if asks else ""


def close_weeks(params: Params, paths: Paths, *, until: pd.Timestamp) -> str | None:
    """Close the market up to the last Monday for which nobody has to be waited for.

    Parameters
    ----------
    params : Params
    paths : Paths
    until : Timestamp
        UTC.

    Returns
    -------
    str or None
        Monday up to which it is closed now; None where it never was.
    """
    bars = params.bars
    if bars.source not in RECEIVED:
        return None
    place = place_of(bars, root=paths.root)
    before = closed_up_to(place)
    end = min(end_of(bars, root=paths.root), until)
    monday = (end.normalize() - pd.Timedelta(days=end.day_of_week)).as_unit("ms")
    while before is None or monday > before:
        try:
            late_at(bars, root=paths.root, at=f"{monday:%Y-%m-%d}")
        except WeekError:
            if before is None:
                return None
            monday -= _WEEK
            continue
        close(place, up_to=monday, known_at=pd.Timestamp.now("UTC"))
        return f"{monday:%Y-%m-%d}"
    return f"{before:%Y-%m-%d}"


def _ask(
    params: Params,
    paths: Paths,
    since: Mapping[tuple[str, str], pd.Timestamp] | None,
    *,
    until: pd.Timestamp,
    say: Callable[[str], None] | None,
) -> Iterable[pd.DataFrame]:
    """Ask the source of the section for bars."""
    if params.bars.source == "database":
        from edgebook.sources.database_bars import newer_bars

        return newer_bars(params.bars.database, root=paths.root, since=since, until=until)
    from edgebook.sources.feeds import fetch_bars

    source: Literal["ccxt", "yfinance"] = "ccxt" if params.bars.source == "ccxt" else "yfinance"
    return fetch_bars(params.bars.feed, source=source, root=paths.root, since=since, until=until, tell=say)


def _outcomes(params: Params, paths: Paths, *, until: pd.Timestamp) -> str:
    """Take a snapshot of the desk's outcomes where the settings ask for it; what was done, in a line."""
    if params.outcomes.source != "database":
        return ""
    from edgebook.outcomes.recorded_snapshot import take

    refuse_seen(paths, private=params.outcomes.private)
    return take(params, paths, until=f"{until:%Y-%m-%d}")


def _line(told: Mapping[str, Any], *, joined: list[str]) -> str:
    """What was received, in one line."""
    of = f"of {told['series']} series, up to {told['up_to']} UTC"
    if told["new"] or told["revised"]:
        words = [f"{told['source']}: {told['new']:,} new bars, {told['revised']:,} revised, {of}, in {RECEIVED_FOLDER}"]
    else:
        words = [f"{told['source']}: nothing new {of}"]
    words += [f"{series}: another past, {change}" for series, change in told["restated"].items()]
    if joined:
        more = f" and {len(joined) - 3} more" if len(joined) > 3 else ""
        words.append(f"joined: {', '.join(joined[:3])}{more}")
    return "; ".join(words)


def _moment(text: str, *, option: str = "--until") -> pd.Timestamp:
    """Read the date of an option."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{option}: {text!r} is no date; write it like 2019-07-01") from None
    stamp = pd.Timestamp(moment)
    return (stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")).as_unit("ms")
