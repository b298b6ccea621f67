"""Errors, bootstraps, corrections for many trials, folds and the forward filter against peers and plain loops."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edgebook.paths import repository
from peers import inference, page
from peers.compared import largest


@pytest.fixture(scope="module")
def found():
    return inference.compare_inference()


def test_statistics_equal_those_of_the_peers(found):
    assert [row for row in found if row.difference > row.allowed] == []


def test_all_that_was_asked_for_is_compared(found):
    assert {row.ours.split(".")[1] for row in found} == {
        "daily_ratio_interval", "newey_west", "redrawn", "sharpe_difference", "superior_trials",
        "expected_maximum_sharpe", "deflated_sharpe", "overfitting", "k_fold", "walk_forward", "filtered", "smoothed",
    }  # fmt: skip
    assert {"statsmodels", "arch", "ml4t-diagnostic", "hmmlearn"} <= {row.peer for row in found}


def test_what_differs_by_design_does_differ(found):
    by_rule = [row for row in found if row.apart]
    assert len(by_rule) == 3
    assert all(row.apart_by > 100 * row.allowed for row in by_rule)


def test_a_value_missing_on_one_side_is_the_largest_difference():
    assert largest([1.0, np.nan], [1.0, np.nan]) == 0
    assert largest([1.0, np.nan], [1.0, 2.0]) == np.inf
    assert largest([1.0], [1.0, 2.0]) == np.inf


def test_the_page_says_what_was_found(found):
    saved = json.loads((repository() / "docs/evidence/peers.json").read_text(encoding="utf-8"))
    assert saved["inference"] == [page.saved(row) for row in found]
