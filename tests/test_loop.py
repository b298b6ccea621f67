"""A week's decisions end to end: promotion, approval, retirement, rollback, pins and admissions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from edgebook.arms.gate import Trial
from edgebook.errors import SealError, SettingsError
from edgebook.loop.decisions import Inputs
from edgebook.loop.history import inputs_of, policy_of
from edgebook.loop.loop import begin_history, learn_week
from edgebook.paths import Paths
from edgebook.policy.market import Market, load_market
from edgebook.seals.seals import Seal, read_seal, seal_files
from edgebook.settings.loading import load_params
from edgebook.settings.params import Approval, Params, Pin, plain
from edgebook.settings.recipes import Recipe
from edgebook.statistics import thresholds
from small_market import GENESIS, LAST

WEEKS = ("2018-06-04", "2018-06-11", "2018-06-18")
NEXT = WEEKS[0]


@pytest.fixture(scope="module")
def params(small) -> Params:
    return load_params(small.params)


@pytest.fixture(scope="module")
def market(small) -> Market:
    return load_market(small)


@pytest.fixture(scope="module")
def last(small) -> Seal:
    return read_seal(small, history="main", as_of=LAST)


@pytest.fixture(scope="module")
def run(small, params, market) -> Callable[..., Seal]:
    """Learn one week after a seal; `learning`, `gate` and `recipes` stand in for params.yaml."""

    def learn(seal: Seal, *, as_of: str = NEXT, attachments: dict[str, str] | None = None, **changed: Any) -> Seal:
        inputs = given(small, params, market, as_of=as_of, attachments=attachments, **changed)
        return learn_week(seal, inputs, as_of=as_of)

    return learn


def given(
    small: Paths,
    params: Params,
    market: Market,
    *,
    as_of: str,
    learning: dict[str, Any] | None = None,
    gate: dict[str, Any] | None = None,
    recipes: dict[str, Recipe] | None = None,
    attachments: dict[str, str] | None = None,
) -> Inputs:
    changed = replace(
        params,
        learning=replace(params.learning, **(learning or {})),
        gate=replace(params.gate, **(gate or {})),
        recipes=params.recipes | (recipes or {}),
    )
    return inputs_of(changed, small, as_of=as_of, market=market, attachments=attachments)


def with_trial(seal: Seal, *, kind: str = "promotion", wealth: float, **changed: Any) -> Seal:
    """The seal with another wealth of one trial."""
    logs = np.full(2, np.log(wealth))
    trials = tuple(replace(t, log_wealth=logs, **changed) if t.kind == kind else t for t in seal.trials)
    return replace(seal, trials=trials)


def trial(seal: Seal, kind: str) -> Trial:
    (found,) = [t for t in seal.trials if t.kind == kind]
    return found


def events(seal: Seal) -> list[tuple[str, str]]:
    return [(e["kind"], e["recipe"]) for e in seal.head["events"]]


@pytest.fixture(scope="module")
def promoted(run, last) -> Seal:
    return run(with_trial(last, wealth=1000.0))


# --- the beginning


def test_genesis_starts_every_arm_warm_and_trades_nothing(small):
    seal = read_seal(small, history="main", as_of=GENESIS)
    assert seal.head["decision"] == {"action": "begin", "recipe": "r1"}
    assert seal.head["previous"] is None
    assert (seal.champion, seal.head["challenger"]) == ("r1", "r3")
    assert {(t.kind, t.arm, t.against, t.bar) for t in seal.trials} == {
        ("promotion", "r3", "r1", 40.0), ("baseline", "r1", "r2", 20.0),
    }  # fmt: skip
    assert len(seal.ledger) == len(seal.days) == len(seal.gate) == 0
    for arm in seal.arms.values():
        assert arm.book.equity == 100_000
        assert arm.record.weeks == 8
        assert arm.policy.learned == arm.policy.fitted == GENESIS


def test_proposals_do_not_run_from_genesis(small, params, market):
    recipe = replace(params.recipes["r3"], role="proposal", shrinkage=50.0)
    inputs = given(small, params, market, as_of=GENESIS, recipes={"r4": recipe})
    assert set(begin_history(inputs, at=GENESIS).arms) == {"r1", "r2", "r3"}


def test_data_that_begin_too_late_are_refused(small, params, market):
    with pytest.raises(SettingsError, match=r"run.genesis: 2018-03-12 lies 10 weeks after .* choose 2018-03-26 or"):
        begin_history(given(small, params, market, as_of="2018-03-12"), at="2018-03-12")


# --- an ordinary week


def test_a_week_keeps_the_champion_while_there_is_not_enough_evidence(run, last):
    seal = run(last)
    assert seal.head["decision"]["action"] == "keep"
    assert seal.head["decision"]["recipe"] == "r3"
    assert seal.head["previous"] == LAST
    assert seal.head["week"] == last.head["week"] + 1
    assert trial(seal, "promotion").days == trial(last, "promotion").days + 7
    assert len(seal.gate) == 14
    assert seal.gate["wealth"].iloc[6] == seal.head["decision"]["wealth"]


def test_arms_refit_by_their_own_schedule(run, last):
    seal = run(last)
    assert (seal.arms["r1"].policy.fitted, seal.arms["r1"].policy.learned) == (NEXT, NEXT)
    assert (seal.arms["r2"].policy.fitted, seal.arms["r2"].policy.learned) == (GENESIS, GENESIS)
    assert last.arms["r3"].policy.fitted == "2018-05-28"  # every two weeks
    assert (seal.arms["r3"].policy.fitted, seal.arms["r3"].policy.learned) == ("2018-05-28", NEXT)
    assert seal.arms["r2"].record.to_json() == last.arms["r2"].record.to_json()
    assert seal.arms["r1"].record.weeks == last.arms["r1"].record.weeks + 1


def test_the_account_is_the_champions_book_while_nothing_changed(run, last):
    seal = run(last)
    assert seal.account.to_json() == seal.arms["r1"].book.to_json()
    mine = seal.shadow[seal.shadow["arm"] == "r1"]
    assert mine["signal_id"].tolist() == seal.ledger["signal_id"].tolist()


def test_learning_a_week_leaves_the_seal_before_it_alone(run, last):
    before = (json.dumps(last.head), json.dumps(last.recipes), json.dumps(last.account.to_json()))
    run(with_trial(last, wealth=1000.0))
    assert (json.dumps(last.head), json.dumps(last.recipes), json.dumps(last.account.to_json())) == before


def test_every_trade_is_dated_in_its_week_and_by_a_policy_from_before_it(run, last):
    seal = run(last)
    closed, still = (seal.ledger[seal.ledger["status"] == s] for s in ("closed", "open"))
    assert len(closed) > 0
    assert closed["close_date"].between("2018-05-28T00:00:00Z", "2018-06-04T00:00:00Z").all()
    assert still["open_date"].between("2018-05-28T00:00:00Z", "2018-06-03T23:59:59Z").all()
    fresh = seal.ledger[seal.ledger["open_date"] >= "2018-05-28T00:00:00Z"]
    assert set(fresh["model_version"]) == {f"r1@{LAST}"}


def test_what_waits_for_its_outcome_is_kept_with_the_score_it_was_given(run, last):
    """Each candidate is in the pending scores until its outcome closes, and is learned from once."""
    seal = run(last)
    key = ["pair", "timeframe", "date", "is_short"]
    before, after = (s.arms["r1"].pending.set_index(key) for s in (last, seal))
    kept = before.index.intersection(after.index)
    pd.testing.assert_frame_equal(before.loc[kept], after.loc[kept], check_dtype=False)
    fresh = after.drop(kept).reset_index()
    assert (fresh["date"] >= pd.Timestamp("2018-05-28").value // 10**6).all()
    assert len(after) < 200


def test_a_week_out_of_turn_is_refused(run, last):
    with pytest.raises(SealError, match=f"models/main/{LAST}: is not the seal of the week before 2018-06-11"):
        run(last, as_of="2018-06-11")


def test_a_changed_recipe_is_refused_and_a_changed_title_is_not(run, last, params):
    changed = replace(params.recipes["r1"], shrinkage=7.0, train_weeks=9)
    with pytest.raises(SettingsError, match=r"recipes.r1: train_weeks, shrinkage differ from the recipe that history"):
        run(last, recipes={"r1": changed})
    assert run(last, recipes={"r1": replace(params.recipes["r1"], title="another")}).champion == "r1"


# --- promotion


def test_enough_wealth_promotes_and_watches_over_the_promotion(promoted, last):
    assert promoted.champion == "r3"
    assert promoted.head["decision"]["action"] == "promote"
    assert promoted.head["decision"]["wealth"] > 80
    assert promoted.head["champion_version"] == f"r3@{NEXT}"
    assert promoted.head["challenger"] is None
    assert ("promoted", "r3") in events(promoted)
    assert promoted.recipes["r3"]["role"] == "champion"
    assert promoted.recipes["r1"]["role"] == "former"
    watch = trial(promoted, "rollback")
    assert (watch.arm, watch.against, watch.bar, watch.days) == ("r1", "r3", 4.0, 0)
    learning = trial(promoted, "baseline")
    assert (learning.arm, learning.against, learning.since, learning.days) == ("r3", "r2", NEXT, 0)
    assert {(t["kind"], t["outcome"]) for t in promoted.head["over"]} == {
        ("promotion", "promoted"), ("baseline", "champion changed"),
    }  # fmt: skip
    assert set(promoted.arms) == {"r1", "r2", "r3"}


def test_the_account_goes_on_with_the_new_champions_signals(run, promoted):
    assert promoted.account.to_json() == promoted.arms["r1"].book.to_json()
    seal = run(promoted, as_of=WEEKS[1])
    fresh = seal.ledger[seal.ledger["open_date"] >= f"{NEXT}T00:00:00Z"]
    assert set(fresh["model_version"]) == {f"r3@{NEXT}"}
    account = seal.days[seal.days["arm"] == "account"]
    first = account["equity"].iloc[0] / (1 + account["return_ratio"].iloc[0])
    assert first == pytest.approx(promoted.account.equity, abs=0.01)


def test_wealth_that_touched_the_bar_on_any_day_has_crossed(run, last):
    near = [run(with_trial(last, wealth=w)) for w in (35.0, 39.5, 47.0)]
    for seal in near:
        path = seal.gate.loc[seal.gate["kind"] == "promotion", "wealth"]
        assert (seal.head["decision"]["action"] == "promote") is bool(path.max() >= 40)


def test_with_manual_approval_the_gate_recommends_until_a_person_approves(run, last):
    manual = {"approval": "manual"}
    seal = run(with_trial(last, wealth=1000.0), learning=manual)
    assert seal.champion == "r1"
    assert seal.head["decision"]["action"] == "recommend"
    assert ("recommended", "r3") in events(seal)
    assert trial(seal, "promotion").crossed == NEXT
    waiting = run(seal, as_of=WEEKS[1], learning=manual)
    assert waiting.head["decision"]["action"] == "recommend"
    assert events(waiting) == []
    too_old = manual | {"approvals": (Approval(week="2018-05-07", recipe="r3"),)}
    assert run(seal, as_of=WEEKS[1], learning=too_old).champion == "r1"
    another = manual | {"approvals": (Approval(week=WEEKS[1], recipe="r2"),)}
    assert run(seal, as_of=WEEKS[1], learning=another).champion == "r1"
    approved = manual | {"approvals": (Approval(week=WEEKS[1], recipe="r3"),)}
    seal = run(seal, as_of=WEEKS[1], learning=approved)
    assert seal.champion == "r3"
    assert seal.head["decision"]["action"] == "promote"


# --- retirement


def test_time_is_up(run, last, params):
    for days, action in ((26 * 7 - 14, "keep"), (26 * 7 - 7, "retire")):
        seal = run(with_trial(last, wealth=1.0, days=days))
        assert seal.head["decision"]["action"] == action
    assert ("retired", "r3") in events(seal)
    assert "r3" not in seal.arms
    assert (seal.recipes["r3"]["role"], seal.recipes["r3"]["until"]) == ("retired", NEXT)
    assert seal.head["challenger"] is None
    assert [t.kind for t in seal.trials] == ["baseline"]


def test_a_hopeless_challenger_is_retired_early_but_not_at_once(run, last):
    assert run(with_trial(last, wealth=0.01, days=28)).head["decision"]["action"] == "keep"
    seal = run(with_trial(last, wealth=0.01, days=56))
    assert seal.head["decision"]["action"] == "retire"
    assert "hopeless" in seal.head["events"][0]["text"]


def test_without_a_challenger_the_week_says_so(run, last):
    seal = run(with_trial(last, wealth=0.01, days=56))
    assert run(seal, as_of=WEEKS[1]).head["decision"] == {"action": "no challenger"}


# --- rollback


def test_a_promotion_that_went_wrong_is_rolled_back(run, promoted):
    seal = run(with_trial(promoted, kind="rollback", wealth=50.0), as_of=WEEKS[1])
    assert seal.champion == "r1"
    assert seal.head["decision"]["action"] == "roll back"
    assert ("rolled back", "r1") in events(seal)
    assert "r3" not in seal.arms
    assert (seal.recipes["r1"]["role"], seal.recipes["r3"]["role"]) == ("champion", "retired")
    assert [(t.kind, t.arm, t.against) for t in seal.trials] == [("baseline", "r1", "r2")]
    assert "rolled back" in {t["outcome"] for t in seal.head["over"]}


def test_a_promotion_that_holds_is_confirmed_and_the_old_champion_let_go(run, promoted):
    seal = run(with_trial(promoted, kind="rollback", wealth=1.0, days=26 * 7 - 7), as_of=WEEKS[1])
    assert seal.champion == "r3"
    assert ("confirmed", "r3") in events(seal)
    assert set(seal.arms) == {"r2", "r3"}
    assert seal.recipes["r1"]["role"] == "retired"
    assert [t.kind for t in seal.trials] == ["baseline"]


def test_a_rollback_retires_the_challenger_that_was_held_against_the_fallen(run, promoted, params):
    proposal = replace(params.recipes["r3"], role="proposal", shrinkage=50.0)
    seal = run(promoted, as_of=WEEKS[1], recipes={"r4": proposal})
    assert seal.head["challenger"] == "r4"
    seal = run(with_trial(seal, kind="rollback", wealth=50.0), as_of=WEEKS[2], recipes={"r4": proposal})
    assert seal.champion == "r1"
    assert seal.head["challenger"] is None
    assert set(seal.arms) == {"r1", "r2"}
    assert seal.recipes["r4"]["role"] == "retired"


# --- pins


def pinned(version: str, week: str = NEXT) -> dict[str, Any]:
    return {"pins": (Pin(week=week, version=version, reason="a look at the desk"),)}


def test_a_pin_to_a_recipe_makes_it_the_champion_and_it_goes_on_learning(run, last):
    seal = run(last, learning=pinned("r3"))
    assert seal.champion == "r3"
    assert seal.head["decision"] == {"action": "pin", "recipe": "r3", "reason": "a look at the desk"}
    assert set(seal.arms) == {"r2", "r3"}
    assert [(t.kind, t.arm, t.against) for t in seal.trials] == [("baseline", "r3", "r2")]
    assert run(seal, as_of=WEEKS[1]).arms["r3"].policy.learned == WEEKS[1]


def test_a_pin_to_a_version_brings_back_its_policy_and_keeps_it_as_it_was(run, last, small):
    seal = run(last, learning=pinned("r1@2018-04-16"))
    assert seal.champion == "r1-20180416"
    later = run(seal, as_of=WEEKS[1])
    old = policy_of(small, "main", "r1@2018-04-16").to_json()
    for one in (seal, later):
        assert one.arms["r1-20180416"].policy.to_json() == old | {"recipe": "r1-20180416"}
    assert "r1" not in later.arms
    fresh = later.ledger[later.ledger["open_date"] >= f"{NEXT}T00:00:00Z"]
    assert set(fresh["model_version"]) == {"r1-20180416@2018-04-16"}


def test_a_pin_to_a_baseline_or_to_the_champion_is_possible(run, last):
    seal = run(last, learning=pinned("r2"))
    assert (seal.champion, set(seal.arms), seal.trials) == ("r2", {"r2"}, ())
    assert run(seal, as_of=WEEKS[1]).head["decision"] == {"action": "no challenger"}
    same = run(last, learning=pinned("r1"))
    assert (same.champion, same.head["challenger"], set(same.arms)) == ("r1", "r3", {"r1", "r2", "r3"})


def test_a_retired_recipe_can_be_brought_back(run, last):
    seal = run(with_trial(last, wealth=0.01, days=56))
    seal = run(seal, as_of=WEEKS[1], learning=pinned("r3", WEEKS[1]))
    assert seal.champion == "r3"
    assert seal.recipes["r3"]["until"] is None
    assert seal.arms["r3"].policy.learned == WEEKS[1]


def test_a_pin_counts_in_its_week_only_and_comes_before_the_gate(run, last):
    assert run(last, learning=pinned("r3", WEEKS[1])).champion == "r1"
    crossed = with_trial(last, wealth=1000.0)
    assert run(crossed, learning=pinned("r1")).champion == "r1"
    assert run(run(crossed, learning=pinned("r1")), as_of=WEEKS[1]).champion == "r3"


def test_a_pin_to_what_is_not_there_is_one_line(run, last):
    with pytest.raises(SettingsError, match=r"learning.pins: r9 is not a recipe of this history"):
        run(last, learning=pinned("r9"))
    with pytest.raises(SealError, match="r1@2018-01-01: no such version"):
        run(last, learning=pinned("r1@2018-01-01"))


# --- admissions


@pytest.fixture(scope="module")
def vacant(run, last) -> Seal:
    """The challenger has just been retired."""
    return run(with_trial(last, wealth=0.01, days=56))


@pytest.fixture(scope="module")
def proposal(params) -> Recipe:
    return replace(params.recipes["r3"], role="proposal", title="by hand", shrinkage=50.0)


def study(recipe: Recipe | None, *, as_of: str) -> dict[str, str]:
    """A study's file, as far as an admission reads it."""
    queue = []
    if recipe is not None:
        queue = [{"origin": "tuning", "title": recipe.title, "settings": plain(recipe.settings())}]
    return {"study/study.json": json.dumps({"as_of": as_of, "recipe": {}, "proposals": queue})}


def test_a_proposal_by_hand_takes_a_free_slot(run, vacant, proposal):
    seal = run(vacant, as_of=WEEKS[1], recipes={"wide": proposal})
    assert seal.head["challenger"] == "wide"
    assert ("admitted", "wide") in events(seal)
    assert seal.head["admissions"][-1] == {"week": WEEKS[1], "recipe": "wide"}
    assert seal.head["budget"]["admitted"] == 2
    assert seal.head["budget"]["alpha_spent"] == 0.0375
    assert trial(seal, "promotion").bar == 80
    fresh = trial(seal, "promotion")
    assert (fresh.arm, fresh.against, fresh.days, fresh.wealth(book_share=0.7)) == ("wide", "r1", 0, 1.0)
    assert seal.recipes["wide"]["role"] == "challenger"
    assert seal.arms["wide"].book.equity == 100_000
    assert seal.arms["wide"].record.weeks == 8


def test_a_proposal_is_certified_by_the_weeks_after_its_admission_alone(run, vacant, proposal, monkeypatch):
    """It was chosen by the weeks before, and they say nothing for it; here every test passes that is made at all."""
    monkeypatch.setattr(thresholds, "MIN_WEEKS", 2)
    easy = {"certify_alpha": 16.0}
    seal = run(vacant, as_of=WEEKS[1], recipes={"wide": proposal}, learning=easy)
    assert any(threshold.certified for threshold in seal.arms["r1"].policy.thresholds.values())
    arm = seal.arms["wide"]
    assert not any(threshold.certified for threshold in arm.policy.thresholds.values())
    assert not any(sums.weeks.any() for sums in arm.record.thresholds)
    later = run(seal, as_of=WEEKS[2], recipes={"wide": proposal}, learning=easy)
    assert max(sums.weeks.max() for sums in later.arms["wide"].record.thresholds) == 1


def test_a_proposal_that_comes_later_changes_no_week_before_it(run, vacant, proposal):
    later = {"r9": replace(proposal, proposed=WEEKS[2])}
    before = run(vacant, as_of=WEEKS[1], recipes=later)
    assert seal_files(before) == seal_files(run(vacant, as_of=WEEKS[1]))
    assert run(before, as_of=WEEKS[2], recipes=later).head["challenger"] == "r9"


def test_a_proposal_waits_while_the_slot_is_taken(run, last, proposal):
    assert run(last, recipes={"r4": proposal}).head["challenger"] == "r3"


def test_a_slot_that_falls_free_is_filled_in_the_same_week(run, last, proposal):
    seal = run(with_trial(last, wealth=0.01, days=56), recipes={"r4": proposal})
    assert seal.head["decision"]["action"] == "retire"
    assert seal.head["challenger"] == "r4"


def test_a_tuned_proposal_gets_the_next_name_and_is_used_once(run, vacant, proposal):
    seal = run(vacant, as_of=WEEKS[1], attachments=study(proposal, as_of=NEXT))
    assert (seal.head["challenger"], seal.head["study_used"]) == ("r4", f"{NEXT}#1")
    assert seal.recipes["r4"]["origin"] == f"tuning of {NEXT}"
    again = run(with_trial(seal, wealth=0.01, days=56), as_of=WEEKS[2])
    assert again.head["challenger"] is None
    assert ("retired", "r4") in events(again)


def test_a_study_without_a_proposal_admits_nobody(run, vacant):
    assert run(vacant, as_of=WEEKS[1], attachments=study(None, as_of=NEXT)).head["challenger"] is None


def test_a_proposal_that_is_known_already_is_not_admitted_and_keeps_nobody_waiting(run, vacant, params, proposal):
    known = replace(params.recipes["r3"], role="proposal")
    seal = run(vacant, as_of=WEEKS[1], recipes={"r7": known}, attachments=study(proposal, as_of=NEXT))
    assert ("not admitted", "r3") in events(seal)
    assert seal.head["challenger"] == "r8"  # r7 is a name that params.yaml uses
    tuned = run(vacant, as_of=WEEKS[1], attachments=study(known, as_of=NEXT))
    assert ("not admitted", "r3") in events(tuned)
    assert (tuned.head["challenger"], tuned.head["study_used"]) == (None, f"{NEXT}#1")


def test_when_the_years_error_is_spent_proposals_wait(run, vacant, proposal):
    spent = [{"week": f"2018-0{i}-01", "recipe": f"x{i}"} for i in range(1, 5)]
    seal = run(replace(vacant, head=vacant.head | {"admissions": spent}), as_of=WEEKS[1], recipes={"r4": proposal})
    assert seal.head["challenger"] is None
    assert ("waiting", "r4") in events(seal)
    assert seal.head["budget"]["alpha_spent"] == seal.head["budget"]["alpha_per_year"] == 0.05
    last_year = [row | {"week": row["week"].replace("2018", "2017")} for row in spent]
    seal = run(replace(vacant, head=vacant.head | {"admissions": last_year}), as_of=WEEKS[1], recipes={"r4": proposal})
    assert seal.head["challenger"] == "r4"


def test_nothing_carries_over_to_the_next_challenger(run, vacant, proposal):
    """A trial starts at wealth 1 on its admission, whatever the arms did before."""
    seal = run(run(vacant, as_of=WEEKS[1], recipes={"r4": proposal}), as_of=WEEKS[2], recipes={"r4": proposal})
    fresh = trial(seal, "promotion")
    assert (fresh.since, fresh.days) == (WEEKS[1], 7)
    rows = seal.gate[seal.gate["arm"] == "r4"]
    assert rows["date"].min() == WEEKS[1]


# --- evidence of the week


def test_gate_rows_are_the_differences_of_the_two_arms_scores(run, last):
    seal = run(last)
    scores = seal.days[seal.days["arm"] != "account"].set_index(["arm", "date"])
    for row in seal.gate.itertuples():
        apart = scores.loc[(row.arm, row.date)] - scores.loc[(row.against, row.date)]
        assert row.book_difference == pytest.approx(apart["book_score"], abs=1e-6)
        assert row.candidate_difference == pytest.approx(apart["candidate_score"], abs=1e-6)


def test_book_score_is_the_days_return_in_risks(run, last):
    days = run(last).days
    arms = days[days["arm"] != "account"]
    assert arms["book_score"].to_numpy() == pytest.approx(arms["return_ratio"].to_numpy() / 0.005, abs=1e-5)


def test_twins_never_part(run, last, small, params, market):
    """A challenger equal to the champion in all but name has differences of exactly zero, and wealth 1 for ever."""
    twin = replace(params.recipes["r1"], role="challenger", title="twin")
    inputs = given(small, params, market, as_of=GENESIS, recipes={"r3": twin})
    seal = begin_history(inputs, at=GENESIS)
    seal = learn_week(seal, given(small, params, market, as_of="2018-04-09", recipes={"r3": twin}), as_of="2018-04-09")
    rows = seal.gate[seal.gate["kind"] == "promotion"]
    assert (rows["book_difference"] == 0).all()
    assert (rows["candidate_difference"] == 0).all()
    assert (rows["wealth"] == 1).all()
