"""Outcomes of real candidates: backtesting.py run beside them, vectorbt as recorded."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edgebook.paths import repository
from peers import cases, outcomes, page
from peers.compared import Compared


@pytest.fixture(scope="module")
def found() -> list[Compared]:
    return outcomes.compare_outcomes()


def test_every_candidate_ends_as_both_peers_say(found):
    assert [row for row in found if row.difference > row.allowed] == []
    assert {row.peer for row in found} == {"backtesting", "vectorbt"}


def test_no_candidate_is_left_out(found):
    rows = cases.outcome_cases().rows
    assert {row.cases for row in found} == {len(rows), int((rows["exit_reason"] != "open").sum())}
    assert len(rows) >= 1000


def test_every_rule_of_an_exit_is_met_often_enough():
    met = outcomes.met()
    assert {name: count for name, count in met.items() if count < 25} == {}


def test_only_a_target_gapped_through_differs_and_there_it_does(found):
    by_rule = [row for row in found if row.rule]
    assert {row.apart for row in by_rule} == {outcomes.met()["targets gapped through"]}
    assert all(row.apart_by > 1e-3 for row in by_rule)


@pytest.mark.parametrize("peer", ["backtesting", "vectorbt"])
def test_an_outcome_one_bar_late_is_noticed(peer):
    """What the comparison is for: shift one exit, and it fails."""
    theirs = outcomes.answered()[peer].copy()
    late = int(np.flatnonzero((~theirs["is_open"]).to_numpy())[7])
    theirs.iloc[late, theirs.columns.get_loc("bars_held")] += 1
    rows = outcomes._compare(cases.outcome_cases(), theirs, peer, "")
    assert [row.quantity for row in rows if row.difference > row.allowed] == ["bars held"]


def test_the_page_says_what_was_found(found):
    saved = json.loads((repository() / "docs/evidence/peers.json").read_text(encoding="utf-8"))
    assert saved["outcomes"] == [page.saved(row) for row in found]
    assert (repository() / "docs/evidence/peers.md").read_text(encoding="utf-8") == page.peers_section(saved)
