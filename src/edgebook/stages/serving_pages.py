"""What `edgebook open` makes when it is asked for: a week's dashboard with all trades, and the bars around one.

The committed dashboard holds the newest trades only. Here the same functions make it of the whole ledger, once for as
long as seals, ledger and bars stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from edgebook.errors import WeekError
from edgebook.seals.seals import sealed_weeks

if TYPE_CHECKING:
    from edgebook.paths import Paths
    from edgebook.seals.week import Week
    from edgebook.settings.params import Params

KEPT = 3
"""Weeks whose dashboard stays in memory."""
Fingerprint = tuple[tuple[str, int, int], ...]


@dataclass
class LedgerPages:
    """Dashboards and bars of one history, made of its seals and kept while those do not change.

    Parameters
    ----------
    paths : Paths
    params : Params
        Section `run` names the history; any of its sealed weeks can be asked for.
    """

    paths: Paths
    params: Params
    _kept: dict[str, tuple[Fingerprint, str]] = field(default_factory=dict)
    _weeks: dict[str, tuple[Fingerprint, Week]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def page(self, week: str) -> str | None:
        """HTML of a week's dashboard with every trade; None for a week that is not sealed in this history.

        Parameters
        ----------
        week : str
            A Monday, ``2019-07-01``.
        """
        from edgebook.dashboard.week_dashboard import week_dashboard
        from edgebook.settings.params import plain
        from edgebook.summary.summary_text import gather_facts

        if week not in sealed_weeks(self.paths, self.params.run.history):
            return None
        with self._lock:  # two tabs of one week wait for one making
            now = self.fingerprint(week)
            before, text = self._kept.get(week, ((), ""))
            if before != now:
                tables = self._week(week, now)
                facts = gather_facts(tables, trial_weeks=self.params.learning.trial_weeks)
                goals = plain(self.params.goals)
                text = week_dashboard(tables, goals=goals, facts=facts, newest=None, served=True)
                self._kept.pop(week, None)
                self._kept = dict([*self._kept.items(), (week, (now, text))][-KEPT:])
        return text

    def bars(self, week: str, *, signal_id: str) -> dict[str, Any] | None:
        """Bars around one trade, at full precision; None if the week's ledger has no such signal.

        Parameters
        ----------
        week : str
            A Monday.
        signal_id : str
        """
        from edgebook.dashboard.dashboard_charts import bars_around

        if week not in sealed_weeks(self.paths, self.params.run.history):
            return None
        with self._lock:
            tables = self._week(week, self.fingerprint(week))
            ledger, bars = tables.ledger, tables.bars
        found = ledger[ledger["signal_id"] == signal_id]
        if found.empty:
            return None
        trade = {str(name): value for name, value in found.iloc[0].items()}
        own = bars[(bars["pair"] == trade["pair"]) & (bars["date"] <= f"{week}T00:00:00Z")]
        return bars_around(own, trade)

    def fingerprint(self, week: str) -> Fingerprint:
        """Name, time and size of every file that a dashboard is made of; another one means that it is made again."""
        history = self.params.run.history
        places = [self.paths.bars, self.paths.params]
        for sealed in sealed_weeks(self.paths, history):
            if sealed <= week:
                places += [
                    self.paths.seal(history=history, as_of=sealed) / "seal.json",
                    self.paths.ledger(history=history, as_of=sealed),
                ]
        found = []
        for place in places:
            if place.exists():
                state = place.stat()
                found.append((place.as_posix(), state.st_mtime_ns, state.st_size))
        return tuple(found)

    def _week(self, as_of: str, now: Fingerprint) -> Week:
        """The week's tables, read once; only the last one asked for is kept, they are large."""
        from dataclasses import replace

        from edgebook.seals.week import Week

        before, week = self._weeks.get(as_of, ((), None))
        if week is None or before != now:
            previous = (date.fromisoformat(as_of) - timedelta(days=7)).isoformat()
            week = Week(replace(self.params.run, as_of=as_of, previous=previous), self.paths)
            self._weeks = {as_of: (now, week)}
        return week


def week_to_open(paths: Paths, week: str | None) -> str:
    """Find the week whose dashboard is opened: the one that is asked for, or the newest that has reports.

    Parameters
    ----------
    paths : Paths
    week : str or None
        A Monday.

    Raises
    ------
    WeekError
        There are no reports yet, or none of that week.
    """
    there = sorted(page.parent.name for page in paths.reports.glob("*-*-*/index.html"))
    if not there:
        raise WeekError("reports: no week has reports yet; make them with `make`")
    if week is not None and week not in there:
        shown = ", ".join(there[-3:])
        raise WeekError(f"reports/{week}: no such reports; there are {'...' if len(there) > 3 else ''}{shown}")
    return week or there[-1]
