"""The tear sheet of real days against quantstats and empyrical-reloaded, as recorded."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from edgebook.analyses.tear_sheet import AGAINST, SHEET
from edgebook.paths import repository
from peers import page, sheets


@pytest.fixture(scope="module")
def found():
    return sheets.compare_sheets()


def test_figures_equal_those_of_the_peers_to_the_last_saved_digit(found):
    assert [row for row in found if row.difference > row.allowed] == []


def test_every_figure_that_quantstats_has_is_held_against_it(found):
    """Sharpe, Sortino, Calmar and drawdown are in tests/test_peers_metrics.py."""
    elsewhere = {"sharpe_ratio", "sortino_ratio", "calmar_ratio", "max_drawdown"}
    without = {"days_moved", "longest_drawdown", "correlation"}  # no peer, the drawdowns' days, and plain Pearson
    held = {row.quantity for row in found if row.peer == "quantstats"}
    assert set(SHEET) | set(AGAINST) <= held | elsewhere | without


def test_what_differs_by_design_does_differ(found):
    assert {row.quantity for row in found if row.apart} == {"value_at_risk", "alpha"}
    assert all(row.apart_by > 100 * row.allowed for row in found if row.apart)


def test_a_month_that_begins_a_day_early_is_noticed(monkeypatch):
    """What the comparison is for: shift the days by one, and months and drawdowns no longer agree."""
    moved = sheets.cases.daily_cases()
    moved = moved.set_axis(moved.index - pd.Timedelta("1D"), axis=0)
    monkeypatch.setattr(sheets.cases, "daily_cases", lambda: moved)
    wrong = {row.ours for row in [sheets._months(), *sheets._drawdowns()] if row.difference > row.allowed}
    assert wrong == {"tear_sheet_days.by_month", "outcome_analysis.worst_drawdowns"}


def test_the_page_says_what_was_found(found):
    saved = json.loads((repository() / "docs/evidence/peers.json").read_text(encoding="utf-8"))
    assert saved["tear sheet"] == [page.saved(row) for row in found]
