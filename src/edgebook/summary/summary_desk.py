"""What a desk told in a week: its trades that closed, came late, changed or went, its fills, and what does not fit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.analyses.outcome_recorded import counted, recorded_of
from edgebook.outcomes.recorded_check import contradicting
from edgebook.outcomes.recorded_outcomes import read_known
from edgebook.reports.outcome_recorded_readings import fills_words
from edgebook.settings.desk_outcomes import Outcomes
from edgebook.settings.loading import section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.analyses.outcome_recorded import Recorded
    from edgebook.seals.week import Week

REPORT = "[outcome analysis](outcome_analysis.html#the-desk-s-own-fills)"


@dataclass(frozen=True)
class DeskWeek:
    """A week of a desk.

    Parameters
    ----------
    closed, late, corrected, gone : int
        Trades that became known in the week: closed in it; closed before it; known before with other values; known
        before and no longer in the desk's table.
    recorded : Recorded
        All up to the week.
    """

    closed: int
    late: int
    corrected: int
    gone: int
    recorded: Recorded

    @property
    def unlearned(self) -> int:
        """Trades that teach nothing: they join no candidate, or contradict themselves."""
        return len(self.recorded.unjoined) + contradicting(self.recorded.findings)


def desk_week(week: Week, *, outcomes: Mapping[str, Any]) -> DeskWeek | None:
    """What the desk told in a week; None without a desk.

    Parameters
    ----------
    week : Week
    outcomes : mapping
        Section `outcomes` of params.yaml.
    """
    settings = section(Outcomes, outcomes, where="params.yaml: outcomes")
    rows = read_known(week.paths.recorded, settings=settings, as_of=week.as_of)
    if rows is None:
        return None
    end = pd.Timestamp(week.as_of, tz="UTC")
    begin = end - pd.Timedelta(days=7)
    rows = rows[rows["known_at"] <= end]
    new = rows["known_at"] > begin
    is_closed = rows["status"] == "closed"
    before = set(rows.loc[~new & is_closed, "signal_id"])
    latest = rows[new].drop_duplicates("signal_id", keep="last")
    again = latest["signal_id"].isin(before)
    now_closed = latest["status"] == "closed"
    in_time = latest["close_date"] > begin
    return DeskWeek(
        closed=int((now_closed & ~again & in_time).sum()),
        late=int((now_closed & ~again & ~in_time).sum()),
        corrected=int((now_closed & again).sum()),
        gone=int(((latest["status"] == "deleted") & again).sum()),
        recorded=recorded_of(week, outcomes=outcomes),
    )


def desk_lines(desk: DeskWeek) -> list[str]:
    """Markdown: the week, what real fills cost, and what does not fit.

    Parameters
    ----------
    desk : DeskWeek
        In private mode trades are counted in tens.
    """
    recorded = desk.recorded
    count = partial(counted, private=recorded.private)
    beside = ((desk.late, "came late"), (desk.corrected, "changed"), (desk.gone, "gone from its table"))
    others = ", ".join(f"{count(n)} {words}" for n, words in beside if n)
    said = [
        f"Trades of the desk that closed this week: {count(desk.closed)}.",
        f"Of earlier weeks: {others}." if others else "",
        f"Open: {count(recorded.held)}. Learned from so far: {count(len(recorded.pairs))}.",
        fills_words(recorded),
    ]
    lines = [" ".join(filter(None, said))]
    if desk.unlearned or len(recorded.findings):
        lines.append(
            f"{count(desk.unlearned)} teach nothing, since they join no candidate or contradict themselves; "
            f"{count(recorded.findings['signal_id'].nunique())} do not fit the bars or themselves: {REPORT}."
        )
    return lines
