"""Undoing and waiting: rollback by pin, rollback after an edge has died, approval by hand and its end.

Each on disk: whatever is decided, the seals of earlier weeks stay as they are, byte for byte.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from edgebook.loop.history import inputs_of
from edgebook.loop.loop import learn_week
from edgebook.paths import Paths
from edgebook.policy.market import Market, load_market, milliseconds
from edgebook.seals.seals import Seal, read_seal, write_seal
from edgebook.settings.loading import load_params
from edgebook.settings.params import AbTest, Approval, Params, Pin
from small_market import END, LAST, copy_history, seal_bytes

NEXT, AFTER = "2018-06-04", "2018-06-11"
OTHER_PLAN, PLAN_OF_R3 = "tp2.0_sl1.5_t12", "tp3.0_sl1.5_t12"
MANUAL = {"approval": "manual"}
BAR = 1.6


@pytest.fixture(scope="module")
def params(small) -> Params:
    return load_params(small.params)


@pytest.fixture(scope="module")
def market(small) -> Market:
    return load_market(small)


@pytest.fixture
def mine(small, tmp_path) -> Paths:
    return copy_history(small, tmp_path / "mine")


@pytest.fixture
def seal_next(mine, params, market) -> Callable[..., Seal]:
    """Seal one more week on disk and hold every earlier file to its bytes."""

    def seal(previous: Seal, *, as_of: str, learning: dict | None = None, of: Market = market) -> Seal:
        before = seal_bytes(mine)
        changed = replace(params, learning=replace(params.learning, **(learning or {})), ab_test=AbTest())
        changed = replace(changed, gate=replace(params.gate, rollback_bar=BAR))  # two weeks of a small market
        inputs = inputs_of(changed, mine, as_of=as_of, market=of)
        assert write_seal(learn_week(previous, inputs, as_of=as_of), mine)
        after = seal_bytes(mine)
        assert {name: after[name] for name in before} == before
        assert len(after) > len(before)
        return read_seal(mine, history="main", as_of=as_of)

    return seal


def last_of(paths: Paths) -> Seal:
    return read_seal(paths, history="main", as_of=LAST)


def with_promotion(seal: Seal, *, wealth: float, **changed) -> Seal:
    """The seal with another wealth of the challenger's trial."""
    logs = np.full(2, np.log(wealth))
    trials = tuple(replace(t, log_wealth=logs, **changed) if t.kind == "promotion" else t for t in seal.trials)
    return replace(seal, trials=trials)


def decayed(market: Market, *, plan: str, since: str) -> Market:
    """The market in which every candidate of one exit plan is stopped with a gap from a Monday on; the past stays."""
    outcomes = market.plans[plan]
    late = (market.date >= milliseconds(since))[:, None] & (outcomes.r_multiple > 0)
    lost = replace(
        outcomes,
        r_multiple=np.where(late, -2.6, outcomes.r_multiple),
        profit_ratio=np.where(late, -0.05, outcomes.profit_ratio),
        close_rate=np.where(late, outcomes.stop_loss_abs, outcomes.close_rate),
    )
    return replace(market, plans={name: lost if name == plan else market.plans[name] for name in (plan, OTHER_PLAN)})


# --- rollback


def test_a_promotion_whose_edge_dies_is_rolled_back_and_the_past_stays(mine, seal_next, market):
    """r3 is promoted; from then on whatever its exit plan enters is stopped, while r1's plan goes on."""
    promoted = seal_next(with_promotion(last_of(mine), wealth=1000.0), as_of=NEXT)
    assert (promoted.champion, promoted.head["decision"]["action"]) == ("r3", "promote")
    dead = decayed(market, plan=PLAN_OF_R3, since=NEXT)
    seal, wealth = promoted, [1.0]
    for as_of in (AFTER, END):
        seal = seal_next(seal, as_of=as_of, of=dead)
        watch = seal.gate[seal.gate["kind"] == "rollback"]
        wealth += watch["wealth"].tolist()
        if seal.champion == "r1":
            break
    assert max(wealth) >= BAR
    assert (seal.champion, seal.head["decision"]["action"]) == ("r1", "roll back")
    text = next(e["text"] for e in seal.head["events"] if e["kind"] == "rolled back")
    assert text.startswith("r3 did worse than r1")
    assert (seal.recipes["r1"]["role"], seal.recipes["r3"]["role"]) == ("champion", "retired")
    kept = read_seal(mine, history="main", as_of=NEXT)
    assert (kept.champion, kept.head["decision"]["action"]) == ("r3", "promote")


def test_the_same_weeks_without_the_decay_hold_the_promotion(mine, seal_next):
    """Shows that the test above can fail: it is the planted decay that is noticed."""
    seal = seal_next(with_promotion(last_of(mine), wealth=1000.0), as_of=NEXT)
    for as_of in (AFTER, END):
        seal = seal_next(seal, as_of=as_of)
    assert seal.champion == "r3"


@pytest.mark.parametrize(("version", "champion"), [("r1", "r1"), ("r1@2018-05-07", "r1-20180507")])
def test_a_rollback_by_pin_leaves_the_promotion_and_all_before_it_on_record(mine, seal_next, version, champion):
    promoted = seal_next(with_promotion(last_of(mine), wealth=1000.0), as_of=NEXT)
    pin = {"pins": (Pin(week=AFTER, version=version, reason="it lost since"),)}
    seal = seal_next(promoted, as_of=AFTER, learning=pin)
    assert (seal.champion, seal.head["decision"]["action"]) == (champion, "pin")
    assert read_seal(mine, history="main", as_of=NEXT).champion == "r3"
    later = seal_next(seal, as_of=END, learning=pin)
    fresh = later.ledger[later.ledger["open_date"] >= f"{AFTER}T00:00:00Z"]
    assert {v.partition("@")[0] for v in fresh["model_version"]} <= {champion}


# --- approval by hand


def test_nothing_changes_until_the_approval_is_recorded(mine, seal_next):
    seal = seal_next(with_promotion(last_of(mine), wealth=1000.0), as_of=NEXT, learning=MANUAL)
    assert (seal.champion, seal.head["decision"]["action"]) == ("r1", "recommend")
    waiting = seal_next(seal, as_of=AFTER, learning=MANUAL)
    assert (waiting.champion, waiting.head["challenger"]) == ("r1", "r3")
    assert waiting.head["decision"]["action"] == "recommend"
    assert set(waiting.arms) == set(seal.arms)
    fresh = waiting.ledger[waiting.ledger["open_date"] >= f"{NEXT}T00:00:00Z"]
    assert set(fresh["model_version"]) == {f"r1@{NEXT}"}
    approved = MANUAL | {"approvals": (Approval(week=END, recipe="r3"),)}
    final = seal_next(waiting, as_of=END, learning=approved)
    assert (final.champion, final.head["decision"]["action"]) == ("r3", "promote")


def test_a_recommendation_that_nobody_approves_ends_with_the_trial(mine, seal_next, params):
    """It had the last week of its trial to be approved; then its slot falls free."""
    weeks = params.learning.trial_weeks
    ripe = with_promotion(last_of(mine), wealth=1000.0, days=7 * (weeks - 1))
    seal = seal_next(ripe, as_of=NEXT, learning=MANUAL)
    assert seal.head["decision"]["action"] == "recommend"
    ended = seal_next(seal, as_of=AFTER, learning=MANUAL)
    assert ended.champion == "r1"
    assert ended.head["challenger"] is None
    assert ended.head["decision"]["action"] == "retire"
    (event,) = ended.head["events"]
    assert (event["kind"], event["recipe"]) == ("retired", "r3")
    assert event["text"] == f"recommended on {NEXT}, not approved by the end of its trial"
    assert "r3" not in ended.arms
    assert [(t["arm"], t["outcome"]) for t in ended.head["over"]] == [("r3", "retired")]


def test_an_approval_in_the_last_moment_counts_and_a_trial_that_goes_on_waits(mine, seal_next, params):
    weeks = params.learning.trial_weeks
    for days, learning, action in (
        (7 * (weeks - 1), MANUAL | {"approvals": (Approval(week=AFTER, recipe="r3"),)}, "promote"),
        (7 * (weeks - 3), MANUAL, "recommend"),
    ):
        seal = with_promotion(last_of(mine), wealth=1000.0, days=days)
        changed = replace(params, learning=replace(params.learning, **learning))
        for as_of in (NEXT, AFTER):
            inputs = inputs_of(changed, mine, as_of=as_of, market=load_market(mine, as_of=as_of))
            seal = learn_week(seal, inputs, as_of=as_of)
        assert seal.head["decision"]["action"] == action
