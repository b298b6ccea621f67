"""The dashboard of the committed sample, made by what the summary stage and `edgebook open` call."""

from __future__ import annotations

from functools import cache
from typing import Any

from edgebook.dashboard.dashboard import dashboard_page
from edgebook.dashboard.dashboard_document import dashboard_document
from edgebook.dashboard.dashboard_pictures import dashboard_pictures
from edgebook.pages.report_index import Link
from edgebook.pages.report_names import QUESTIONS, REPORTS
from edgebook.paths import Paths
from edgebook.seals.week import Week
from edgebook.settings.loading import load_params
from edgebook.settings.params import plain
from edgebook.stages.summary import account_metrics

SAMPLE = Paths.at("data/sample")


@cache
def sample_week() -> Week:
    """The last week of the committed sample."""
    return Week(load_params(SAMPLE.params).run, SAMPLE)


@cache
def _document() -> dict[str, Any]:
    goals = plain(load_params(SAMPLE.params).goals)
    week = sample_week()
    return dashboard_document(week, metrics=account_metrics(week), goals=goals)


@cache
def _pictures() -> dict[str, Any]:
    return dashboard_pictures(sample_week())


def sample_document() -> dict[str, Any]:
    """Its document, to be changed as one likes."""
    from copy import deepcopy

    return deepcopy(_document())


def sample_page(document: dict[str, Any] | None = None) -> str:
    """Its page, or that of a changed document."""
    links = [Link(title, f"{name}.html", QUESTIONS[name]) for name, title in REPORTS.items()]
    return dashboard_page(_document() if document is None else document, pictures=_pictures(), links=links)
