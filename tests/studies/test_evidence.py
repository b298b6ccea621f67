"""The evidence: what is planned, that a run is kept, that the page says what was measured and cries where it must."""

import copy
import json
from dataclasses import replace

import pytest

from edgebook.evidence import evidence_loops
from edgebook.evidence.evidence import STUDIES, read_study
from edgebook.evidence.evidence_loop import FROZEN, NEWEST, settings_of
from edgebook.evidence.evidence_loops import null_spec, planned, planted_spec, run_file, run_loops
from edgebook.evidence.evidence_markets import NULLS
from edgebook.evidence.evidence_page import evidence_page, faults
from edgebook.paths import Paths, repository
from edgebook.settings.loading import load_params

KNOWN = {study: read_study(Paths.at().evidence, study) for study in STUDIES}


@pytest.fixture(scope="module")
def params():
    return load_params(repository() / "params.yaml")


# --- what is run


def test_two_hundred_null_markets_are_planned_and_fifty_of_each_kind():
    kinds = [spec.market.source for spec in planned() if spec.market.source in NULLS]
    assert len(kinds) >= 200
    assert all(kinds.count(kind) >= 50 for kind in NULLS)
    assert len({(spec.market.name, spec.market.seed) for spec in planned()}) == len(planned())


def test_null_markets_cost_nothing_so_that_no_challenger_is_better_by_trading_less(params):
    for spec in planned():
        grid = settings_of(spec, params).candidates
        costs = (grid.fee_bps, grid.slippage_bps, grid.short_financing_bps_per_day)
        assert (costs == (0, 0, 0)) is not spec.costs
        assert spec.costs is (spec.market.source == "synthetic")


def test_a_broken_off_run_has_some_of_every_kind():
    first = [spec.market.name for spec in planned()[:60]]
    assert {*NULLS, "edge 0.03", "edge 0.04", "edge 0.06", "switching", "dying"} <= set(first)


def test_champion_and_twin_are_the_same_recipe_and_the_gate_is_the_repositorys(params):
    given = settings_of(planted_spec(0.04, seed=1), params)
    frozen, refit = given.recipes["r1"].settings(), given.recipes["r2"].settings()
    assert given.recipes[FROZEN].settings() | {"title": ""} == frozen | {"title": ""}
    assert given.recipes[NEWEST].settings() | {"title": ""} == refit | {"title": ""}
    assert (frozen["refit_weeks"], refit["refit_weeks"]) == (0, 1)
    assert given.gate == params.gate


def test_a_run_that_is_kept_is_not_made_again(params, tmp_path, monkeypatch):
    specs = [null_spec("random_walk", seed=1), null_spec("random_walk", seed=2)]
    for number, spec in enumerate(specs):
        place = run_file(spec, params=params, cache=tmp_path)
        place.parent.mkdir(exist_ok=True)
        place.write_text(json.dumps({"number": number}))
    told = []
    found = run_loops(specs, params=params, cache=tmp_path, workers=1, tell=lambda *at: told.append(at))
    assert found == [{"number": 0}, {"number": 1}]
    assert told == [(2, 2)]


def test_other_settings_or_code_are_another_run(params, tmp_path, monkeypatch):
    spec = null_spec("random_walk", seed=1)
    place = run_file(spec, params=params, cache=tmp_path)
    wider = replace(params, gate=replace(params.gate, max_gain_r=11.0))
    assert run_file(spec, params=wider, cache=tmp_path) != place
    monkeypatch.setattr(evidence_loops, "source_digest", lambda *_: "another")
    assert run_file(spec, params=params, cache=tmp_path) != place


# --- what is said


def test_the_page_is_made_of_the_studies():
    """docs/evidence.md is never typed: `python -m edgebook.evidence --page` writes it."""
    page = (repository() / "docs" / "evidence.md").read_text(encoding="utf-8")
    assert page == evidence_page(KNOWN, folder="evidence")


def test_what_was_not_measured_is_said_to_be_missing():
    page = evidence_page(dict.fromkeys(STUDIES), folder=".")
    assert page.count("Not measured yet") == 6
    assert faults(dict.fromkeys(STUDIES)) == []


def test_no_study_that_is_committed_is_a_quick_one():
    for study in STUDIES:
        assert KNOWN[study] is not None, study
        assert not KNOWN[study].get("quick"), study


def test_what_was_measured_has_no_fault_and_one_would_be_named():
    assert faults(KNOWN) == []
    wrong = copy.deepcopy(KNOWN)
    wrong["audit"]["leaks"][0]["caught"] = False
    wrong["audit"]["honest"]["alarms"] = 2
    wrong["reproduction"]["rows"][0]["bytes_differ"] = 7
    wrong["loops"]["null"]["status"] = "not met"
    wrong["adversarial"]["pooled"]["the gate"]["low"] = 0.5
    said = " ".join(faults(wrong))
    assert wrong["audit"]["leaks"][0]["name"] in said
    assert "2 false alarms" in said
    assert "7 bytes differ" in said
    assert said.count("loops:") == said.count("adversarial:") == 1
