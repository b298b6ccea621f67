"""The evidence: what is compared with what, that a cell runs once, and that the page says what was measured."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from edgebook.audit.source_digest import source_digest
from edgebook.evidence import ablation, evidence_arms
from edgebook.evidence.ablation import ablation_rows, benches, gains, make_arm_rows, make_rows, verdict
from edgebook.evidence.evidence_arms import oracle_weeks, without_learners
from edgebook.evidence.evidence_cells import Bench, cell_file, run_bench, run_benches, shared_fits
from edgebook.evidence.evidence_learners import full_loop
from edgebook.evidence.evidence_markets import EvidenceMarket, MarketSpec, prepare_market
from edgebook.evidence.evidence_tables import evidence_reading, evidence_table
from edgebook.evidence.evidence_variants import FROZEN, FULL, LEARNERS, QUANTILE, REFIT, Variant, name_of, variants
from edgebook.evidence.evidence_weeks import measure_weeks
from edgebook.evidence.figures_evidence import evidence_pictures
from edgebook.evidence.known_truth import studies
from edgebook.evidence.learners_page import learners_page
from edgebook.evidence.loop_counts import rounded
from edgebook.loop.history import rules_of
from edgebook.paths import Paths
from edgebook.policy.market import WEEK_MS
from edgebook.settings.loading import load_params
from edgebook.settings.params import Params
from edgebook.settings.recipes import HEAD_LETTERS, Recipe

RECIPE = Recipe(exit_plan="tp2.0_sl1.5_t24", refit_weeks=2)
BRIEF = MarketSpec(name="planted", kind="planted", heads=("D", "H"), edge=0.2, seed=3, pairs=1, weeks=3)


@pytest.fixture(scope="module")
def params() -> Params:
    shipped = load_params(Paths.at().params)
    return replace(shipped, learning=replace(shipped.learning, warmup_weeks=4))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("evidence")


@pytest.fixture(scope="module")
def brief(params, cache) -> EvidenceMarket:
    return prepare_market(BRIEF, params, exit_plans=[RECIPE.exit_plan], cache=cache)


def weeks_of(book_r: list[float], *, log_loss: float = 70.0, trades: int = 10) -> pd.DataFrame:
    """Measured weeks of 100 candidates each."""
    n = len(book_r)
    return pd.DataFrame(
        {
            "week": [f"w{i}" for i in range(n)], "n": [100] * n, "n_effective": [10.0] * n, "log_loss": [log_loss] * n,
            "constant_loss": [69.0] * n, "top_n": [5] * n, "top_r": [1.0] * n, "signals": [20] * n,
            "signals_r": [2.0] * n, "trades": [trades] * n, "book_r": book_r, "certified": [0] * n,
            "strategy": ["equal"] * n, "leading": ["rsi"] * n,
        }
    )  # fmt: skip


# --- what is compared


def test_every_learner_has_every_value_and_a_frozen_twin():
    made = variants(RECIPE)
    for learner in LEARNERS:
        for value in (learner.frozen, *learner.values):
            arm = made[name_of(RECIPE, learner, value)]
            if value == QUANTILE:
                assert not arm.certify
            else:
                assert getattr(arm.recipe, learner.field) == value


def test_a_variant_differs_from_the_full_loop_in_one_field():
    for variant in variants(RECIPE).values():
        if "=" in variant.name and variant.certify:
            other = variant.recipe.settings()
            assert sum(other[name] != value for name, value in RECIPE.settings().items()) == 1


def test_refits_alone_learn_nothing_else():
    plain = without_learners(replace(RECIPE, head_weights="meta", patterns="effectiveness", regimes="hmm"))
    assert (plain.head_weights, plain.indicator_weights, plain.patterns) == ("equal", "equal", "off")
    assert (plain.features, plain.regimes, plain.refit_weeks) == ("all", "rule", RECIPE.refit_weeks)


def test_an_oracle_runs_only_where_there_is_a_truth():
    for bench in benches(RECIPE):
        if bench.spec.kind == "no_edge":
            assert not any(variant.needs_truth for variant in bench.variants)
        else:
            assert {"oracle", "told_the_heads"} <= {variant.name for variant in bench.variants}


def test_the_full_loop_is_the_champion_of_the_settings(params):
    name, recipe = full_loop(params)
    assert params.recipes[name] is recipe
    assert recipe.role == "champion"


# --- what is computed


def test_a_gain_is_paired_by_week_and_less_log_loss_is_a_gain():
    mine, twin = weeks_of([3.0, 5.0] * 10, log_loss=68.0), weeks_of([2.0, 4.0] * 10)
    found = gains([(mine, twin)])
    assert found["r_week_gain"] == found["r_week_gain_low"] == 1.0  # every week by one R: nothing is left to chance
    assert found["log_loss_gain"] == pytest.approx(0.02)


def test_over_markets_each_market_is_one_observation():
    """Three markets ahead by 1, 2 and 3 R a week: mean 2, error 1/sqrt(3), Student's t of two degrees 4.303."""
    pairs = [(weeks_of([float(k)] * 12), weeks_of([0.0] * 12)) for k in (1, 2, 3)]
    found = gains(pairs)
    assert found["r_week_gain"] == pytest.approx(2.0)
    assert found["r_week_gain_low"] == pytest.approx(2.0 - 4.303 / np.sqrt(3), abs=1e-3)
    assert found["r_week_gain_p"] == pytest.approx(0.0742, abs=1e-3)


def test_a_learner_that_changes_nothing_is_not_shown_to_do_anything():
    cells = {("crypto", 0, name): weeks_of([1.0, -1.0] * 6) for name in variants(RECIPE)}
    rows = make_rows(cells, RECIPE)
    assert {row["verdict"] for row in rows} == {"not shown"}
    assert {row["r_week_gain"] for row in rows} == {0.0}
    assert len(rows) == sum(len(learner.values) for learner in LEARNERS)


def test_a_learner_that_helps_in_every_market_is_said_to_help():
    rng = np.random.default_rng(1)
    cells = {}
    for seed in range(8):
        for name in variants(RECIPE):
            noise = rng.normal(0.0, 0.3, 12)
            cells["planted", seed, name] = weeks_of(list(noise + 2.0 * (name == "head_weights=meta")))
    rows = {(row["field"], row["value"]): row for row in make_rows(cells, RECIPE)}
    assert rows["head_weights", "meta"]["verdict"] == "helps R a week"
    assert rows["patterns", "effectiveness"]["verdict"] == "not shown"
    assert {row["arm"] for row in make_arm_rows(cells)} == {FROZEN, REFIT, FULL, "told_the_heads", "oracle"}


def test_a_verdict_needs_the_corrected_evidence():
    row = {"log_loss_gain": 0.01, "log_loss_gain_q": 0.2, "r_week_gain": -1.0, "r_week_gain_q": 0.01}
    assert verdict(row) == "hurts R a week"


# --- how it is run


def test_truth_is_known_at_the_close_and_moves_the_next_bar(brief):
    state, close = brief.truth(("D", "H")), brief.market.close
    after = brief.market.date >= BRIEF.at
    change = np.append(np.diff(np.log(close)), np.nan)
    ahead = np.corrcoef((state[:, 0] + state[:, 1])[after][:-1], change[after][:-1])[0, 1]
    assert ahead > 0.1
    before = np.corrcoef((state[:, 0] + state[:, 1])[~after][:-1], change[~after][:-1])[0, 1]
    assert abs(before) < 0.06


def test_arms_that_share_fits_get_the_same_heads(brief, params):
    rules = rules_of(params)
    fit = shared_fits()
    given = {"recipe": RECIPE, "families": rules.families, "since": 0, "at": BRIEF.at, "every": 5}
    outcomes = brief.market.plans[RECIPE.exit_plan]
    first = fit(brief.market, outcomes, **given)
    again = fit(brief.market, outcomes, **(given | {"recipe": replace(RECIPE, head_weights="equal")}))
    other = fit(brief.market, outcomes, **(given | {"recipe": replace(RECIPE, shrinkage=10.0)}))
    own = rules.fit(brief.market, outcomes, **given)
    assert again is first
    assert other is not first
    assert {k: h.to_json() for k, h in first.items()} == {k: h.to_json() for k, h in own.items()}


def test_a_cell_is_run_once_and_again_when_its_recipe_changes(params, cache, brief):
    bench = Bench(BRIEF, (Variant(FULL, RECIPE),))
    told = []
    cells = run_benches([bench], params=params, cache=cache, workers=1, tell=lambda *done: told.append(done))
    assert told == [(0, 1), (1, 1)]
    place = cell_file(BRIEF, bench.variants[0], params=params, cache=cache)
    place.write_text(place.read_text().replace("2018-07-02", "kept"))
    again = run_benches([bench], params=params, cache=cache, workers=1)
    assert again["planted", 3, FULL]["week"].tolist()[0] == "kept"
    pd.testing.assert_frame_equal(
        again["planted", 3, FULL].drop(columns="week"), cells["planted", 3, FULL].drop(columns="week")
    )
    assert not cell_file(BRIEF, Variant(FULL, replace(RECIPE, shrinkage=50.0)), params=params, cache=cache).exists()
    place.unlink()
    run_bench(bench, params=params, cache=cache)
    assert "2018-07-02" in place.read_text()


def test_the_oracle_sees_no_outcome_before_it_closes(params, cache, brief, monkeypatch):
    """Outcomes that close in the last week are turned round: the weeks before it do not move."""
    monkeypatch.setattr(evidence_arms, "LAW_WEEKS", 8)
    rules = rules_of(params)

    def measured(known: EvidenceMarket) -> pd.DataFrame:
        return measure_weeks(known, oracle_weeks(known, RECIPE, rules=rules, params=params, cache=cache))

    plan = brief.market.plans[RECIPE.exit_plan]
    last = brief.mondays[-1]
    late = plan.known_at > last
    other = replace(
        plan,
        profit_ratio=np.where(late, -plan.profit_ratio, plan.profit_ratio),
        r_multiple=np.where(late, -plan.r_multiple, plan.r_multiple),
    )
    turned = replace(brief, market=replace(brief.market, plans={RECIPE.exit_plan: other}))
    columns = ["certified", "strategy", "weight_A", "trades"]
    whole, changed = measured(brief), measured(turned)
    pd.testing.assert_frame_equal(whole[columns].iloc[:2], changed[columns].iloc[:2])
    assert whole["book_r"].tolist()[:2] == changed["book_r"].tolist()[:2]
    assert whole["book_r"].iloc[2] != changed["book_r"].iloc[2]


def test_weeks_begin_at_genesis(brief):
    assert brief.mondays[0] == BRIEF.at
    assert np.diff(brief.mondays).tolist() == [WEEK_MS] * 2


def test_code_that_a_module_imports_is_part_of_its_digest():
    assert source_digest("arms.arms") != source_digest("evidence.evidence_weeks")
    assert len(source_digest("evidence.evidence_cells", "arms.arms")) == 16


# --- what is said


def test_rows_that_were_never_measured_are_none(tmp_path):
    assert ablation_rows(tmp_path / "ablation.json") == []
    assert "not been measured" in repr(evidence_reading([]))


@pytest.mark.parametrize("place", sorted(Paths.at().evidence.glob("ablation.json")), ids=lambda place: place.name)
def test_the_page_is_made_of_what_was_measured(place):
    """docs/evidence/learners.md is never typed: after a change of words or numbers, `make ablation` writes it again."""
    found = json.loads(place.read_text(encoding="utf-8"))
    assert (place.parent / "learners.md").read_text(encoding="utf-8") == learners_page(found)
    assert ablation_rows(place) == found["rows"]
    assert {"planted", "switching", "no_edge", "crypto", "equities"} <= {row["market"] for row in found["rows"]}
    assert not found["quick"]


def test_every_market_of_the_evidence_has_words(params):
    named = {bench.spec.name for bench in benches(RECIPE)} | {b.spec.name for b in benches(RECIPE, quick=True)}
    assert named == set(ablation.MARKETS)


def test_page_and_pictures_can_be_made_of_any_run(params):
    """Arms of pure noise on two markets of each kind; a missing number is said to be none."""
    rng = np.random.default_rng(5)
    cells = {}
    for market, seeds in (("planted", (1, 2)), ("switching", (1, 2)), ("no_edge", (1, 2)), ("crypto", (0,))):
        for seed in seeds:
            for name, variant in variants(RECIPE).items():
                if market in ("planted", "switching") or not variant.needs_truth:
                    weights = {f"weight_{letter}": rng.random(52) for letter in HEAD_LETTERS}
                    cells[market, seed, name] = weeks_of(list(rng.normal(0.0, 3.0, 52))).assign(**weights)
    made = {
        "quick": False, "champion": "r1", "recipe": RECIPE.settings(), "code": "", "warmup_weeks": 16, "markets": [],
        "arms": make_arm_rows(cells), "rows": make_rows(cells, RECIPE),
        "studies": studies(cells, RECIPE, families=rules_of(params).families),
    }  # fmt: skip
    found = json.loads(json.dumps(rounded(made), allow_nan=False))
    page = learners_page(found)
    assert "nan" not in page.lower().split()
    assert all(f"### {market}" in page for market in ("planted", "switching", "no_edge", "crypto"))
    assert "log_odds_fast" in repr(evidence_table(found["rows"], market=found["rows"][0]["market"]))
    assert "On the real samples 0 of" in repr(evidence_reading(found["rows"]))
    assert {picture.data[:4] for picture in evidence_pictures(found).values()} == {b"\x89PNG"}
