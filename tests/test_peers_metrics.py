"""Metrics of real days and trades against quantstats and empyrical-reloaded, as recorded."""

from __future__ import annotations

import json

import pytest

from edgebook.paths import repository
from peers import figures, page


@pytest.fixture(scope="module")
def found():
    return figures.compare_figures()


def test_metrics_equal_those_of_the_peers_to_the_last_saved_digit(found):
    assert [row for row in found if row.difference > row.allowed] == []


def test_every_metric_of_a_book_is_held_against_both_peers(found):
    held = {(row.quantity, row.peer) for row in found if row.cases >= 18}
    assert {(name, peer) for name in figures.DAILY for peer in ("quantstats", "empyrical-reloaded")} <= held


def test_the_recorded_answers_are_those_of_the_locked_versions():
    lock = (repository() / "requirements-peers.lock").read_text(encoding="utf-8").splitlines()
    for package, version in figures.recorded("versions").itertuples(index=False):
        assert f"{package}=={version} \\" in lock, f"{package} {version}: run `make peers`"


def test_the_lock_of_the_peers_holds_hashes_and_no_address():
    text = (repository() / "requirements-peers.lock").read_text(encoding="utf-8")
    assert "://" not in text
    lines = text.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        assert line.startswith("    --hash=sha256:") or following.startswith("    --hash=sha256:"), line


def test_the_page_says_what_was_found(found):
    saved = json.loads((repository() / "docs/evidence/peers.json").read_text(encoding="utf-8"))
    assert saved["metrics"] == [page.saved(row) for row in found]
