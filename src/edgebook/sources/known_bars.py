"""The bars that params.yaml names: where they lie, up to when they are complete, and who is late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from edgebook.errors import DataError, WeekError
from edgebook.folder.folder import split_factors
from edgebook.settings.universe import declared_universe
from edgebook.sources.late_series import USUAL_WEEKS, Late, late_series, told, waited_for
from edgebook.sources.received import last_received, recent_dates, revised_at
from edgebook.sources.sources import RECEIVED, complete_up_to, load_bars, source_end

if TYPE_CHECKING:
    from pathlib import Path

    from edgebook.settings.params import Bars
    from edgebook.sources.late_series import Dates

RECEIVED_FOLDER = "data/received"
"""Below the repository's top: a dependency of the stage `bars`."""


def place_of(bars: Bars, *, root: Path) -> Path:
    """Folder in which the bars lie: the received parts, or the files of source `folder`."""
    return root / (RECEIVED_FOLDER if bars.source in RECEIVED else bars.folder)


def bars_as_of(bars: Bars, *, root: Path, as_of: str) -> pd.DataFrame:
    """Load the bars of the section, as known at a time; see `load_bars`."""
    return load_bars(
        source=bars.source,
        timeframes=bars.timeframes,
        as_of=as_of,
        folder=place_of(bars, root=root),
        files=bars.files,
        synthetic=bars.synthetic,
        universe=declared_universe(bars.universe, file=bars.universe_file, root=root),
        holidays=bars.holidays,
    )


def end_of(bars: Bars, *, root: Path) -> pd.Timestamp:
    """Return the time up to which the bars are complete.

    Parameters
    ----------
    bars : Bars
    root : Path

    Returns
    -------
    Timestamp
        UTC. Of received bars it is the last bar of the series that is waited for longest, where there is one: the
        last bar of all of them would hide who is silent.

    Raises
    ------
    DataError
        Nothing has been received yet.
    """
    place = place_of(bars, root=root)
    if bars.source not in RECEIVED:
        return source_end(
            source=bars.source, folder=place, files=bars.files, synthetic=bars.synthetic, holidays=bars.holidays
        )
    dates = _recent(place)
    end = complete_up_to(dates, holidays=bars.holidays)
    waited = [] if bars.late == "accept" else waited_for(late_series(dates, at=end), silent=bars.silent)
    return min([end, *(one.last for one in waited)])


def silent_at(bars: Bars, *, root: Path, at: str) -> list[Late]:
    """Series that are silent at a time, UTC; only received bars are looked at."""
    if bars.source not in RECEIVED:
        return []
    return late_series(_recent(place_of(bars, root=root)), at=pd.Timestamp(at, tz="UTC"))


def late_at(bars: Bars, *, root: Path, at: str) -> list[Late]:
    """Series that are silent at a week's or a day's end and need not be waited for.

    Parameters
    ----------
    bars : Bars
    root : Path
    at : str
        A date, 00:00 UTC.

    Returns
    -------
    list of Late
        Those that have ended or may be silent.

    Raises
    ------
    WeekError
        A series is late for which the week has to wait; it is named, and what can be done.
    """
    late = silent_at(bars, root=root, at=at)
    if bars.late == "accept":
        return late
    waited, never = waited_for(late, silent=bars.silent), _never_received(bars, root=root)
    if waited or never:
        missing = " and ".join(filter(None, [told(waited), ", ".join(never)]))
        raise WeekError(
            f"the bars to {at} are not complete: no bars of {missing}; run `edgebook data fetch` when the source has "
            "them, or name the pair in bars.silent (bars.late: accept takes all as they are)"
        )
    return late


def late_words(late: list[Late]) -> str:
    """What a stage says of series that are silent; empty where there are none."""
    silent, ended = [one for one in late if not one.ended], [one for one in late if one.ended]
    words = [f"; LATE, and accepted: {told(silent)}"] if silent else []
    return "".join([*words, f"; ended: {told(ended)}"] if ended else words)


def revised_mondays(bars: Bars, *, root: Path) -> list[str]:
    """Mondays from which on bars before them read otherwise than in the week before.

    Received bars can be revised; those of a folder are divided by a split from its date on.
    """
    if bars.source == "folder":
        factors = split_factors(bars.files)
        dates = [] if factors is None else list(factors["date"])
        return sorted(
            {f"{date.ceil('D') + pd.Timedelta(days=-date.ceil('D').day_of_week % 7):%Y-%m-%d}" for date in dates}
        )
    if bars.source not in RECEIVED:
        return []
    return [f"{moment:%Y-%m-%d}" for moment in revised_at(place_of(bars, root=root))]


def _never_received(bars: Bars, *, root: Path) -> list[str]:
    """Pairs that params.yaml asks an exchange for and of which no bar ever came."""
    if bars.source not in ("ccxt", "yfinance"):
        return []
    there = {pair for pair, _ in last_received(place_of(bars, root=root))}
    return [pair for pair in bars.feed.pairs if pair not in there and pair not in bars.silent]


def _recent(place: Path) -> Dates:
    """Closes of the last half year, and the last close of series that ended before."""
    last = last_received(place)
    if not last:
        raise DataError("data/received: no bars received yet; run `edgebook data fetch`")
    since = max(last.values()) - pd.Timedelta(weeks=2 * USUAL_WEEKS)
    dates = dict(recent_dates(place, since=since))
    return {series: dates[series] for series in last if series in dates}
