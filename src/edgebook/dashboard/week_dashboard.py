"""The dashboard of a week, from seals and tables to the page: one function for the reports and `edgebook open`."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from edgebook.dashboard.dashboard import dashboard_page
from edgebook.dashboard.dashboard_document import dashboard_document
from edgebook.dashboard.dashboard_pictures import dashboard_pictures
from edgebook.dashboard.dashboard_trades import NEWEST
from edgebook.pages.report_index import Link
from edgebook.pages.report_names import QUESTIONS, REPORTS
from edgebook.summary.summary_metrics import account_metrics
from edgebook.summary.summary_text import gather_facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from edgebook.seals.week import Week
    from edgebook.summary.summary_text import Facts


def week_dashboard(
    week: Week,
    *,
    goals: Mapping[str, Any],
    metrics: pd.DataFrame | None = None,
    facts: Facts | None = None,
    newest: int | None = NEWEST,
    served: bool = False,
) -> str:
    """Page ``reports/<as_of>/index.html``.

    Parameters
    ----------
    week : Week
        Sealed.
    goals : mapping
        Section `goals` of params.yaml.
    metrics : DataFrame, optional
        As `account_metrics` gives them; computed when not given.
    facts : Facts, optional
        What summary.md says; gathered when not given.
    newest : int, optional
        Closed signals on the page; None for all.
    served : bool
        Whether a local server has the bars of every trade.

    Returns
    -------
    str
        It leads to the week before where that has a page, and to all weeks: a committed page is never rewritten, so it
        cannot know the week after.
    """
    document = dashboard_document(
        week,
        metrics=account_metrics(week) if metrics is None else metrics,
        goals=goals,
        facts=gather_facts(week) if facts is None else facts,
        previous=_previous(week),
        newest=newest,
        served=served,
    )
    pictures = dashboard_pictures(week, max_drawdown=float(goals["max_drawdown"]))
    links = [Link(title, f"{stage}.html", QUESTIONS[stage]) for stage, title in REPORTS.items()]
    return dashboard_page(document, pictures=pictures, links=links)


def _previous(week: Week) -> str | None:
    """The week before, where it has a page."""
    before = (datetime.date.fromisoformat(week.as_of) - datetime.timedelta(days=7)).isoformat()
    return before if (week.paths.report(as_of=before) / "index.html").exists() else None
