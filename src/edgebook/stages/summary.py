"""What the week leaves to be read: the text of the pull request, metrics, the dashboard, the page over all weeks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from edgebook.dashboard.all_weeks import all_weeks
from edgebook.dashboard.all_weeks_page import all_weeks_page
from edgebook.dashboard.week_dashboard import week_dashboard
from edgebook.pages.report import replace_together
from edgebook.seals.week import open_week
from edgebook.summary.summary_metrics import account_metrics, metrics_document
from edgebook.summary.summary_text import gather_facts, summary_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.paths import Paths


def write_summary(
    run: Mapping[str, Any],
    paths: Paths,
    *,
    goals: Mapping[str, Any],
    trial_weeks: int | None = None,
    outcomes: Mapping[str, Any] | None = None,
) -> str:
    """Write summary.md, metrics.json, the dashboard and the page over all weeks, together or not at all.

    Parameters
    ----------
    run, goals : mapping
        Sections of params.yaml.
    paths : Paths
    trial_weeks : int, optional
        `learning.trial_weeks`, for what is left of a trial.
    outcomes : mapping, optional
        Section of params.yaml; a desk is spoken of where it names one.

    Returns
    -------
    str
        What it did, in one line.
    """
    week = open_week(run, root=str(paths.root))
    metrics = account_metrics(week)
    facts = gather_facts(week, trial_weeks=trial_weeks, outcomes=outcomes)
    folder = paths.report(as_of=week.as_of)
    numbers = json.dumps(metrics_document(week, metrics), indent=1, allow_nan=False) + "\n"
    every = all_weeks_page(all_weeks(week), market=week.market, history=week.history, verdict=facts.verdict.title)
    replace_together(
        {
            folder / "metrics.json": numbers,
            paths.reports / "metrics.json": numbers,
            folder / "index.html": week_dashboard(week, goals=goals, metrics=metrics, facts=facts),
            paths.reports / "index.html": every,
            folder / "summary.md": summary_text(week, facts),  # last: by it a later run knows that the week is finished
        }
    )
    return f"reports/{week.as_of}/summary.md, reports/{week.as_of}/index.html, reports/index.html"
