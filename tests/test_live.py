"""What the champion says now, what is open, why a signal was one, and what versions differ in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import talib

from edgebook.analyses.compare_outcomes import with_head
from edgebook.errors import DataError, SealError
from edgebook.loop.history import backfill, policy_of
from edgebook.outcomes.outcomes import signal_id
from edgebook.paths import Paths
from edgebook.policy.market import REGIMES, milliseconds
from edgebook.policy.policy import score
from edgebook.running.explain import explain_signal
from edgebook.running.live import newest_ranges, newest_rows, newest_signals, open_positions, policy_in_force, routed
from edgebook.running.versions import compare_versions, list_versions
from edgebook.seals.week import Week
from edgebook.settings.loading import load_params
from edgebook.settings.params import AbTest, Pin
from small_market import GENESIS, LAST, copy_history, small_bars, write_settings


def week_at(paths: Paths, as_of: str = LAST) -> Week:
    return Week(replace(load_params(paths.params).run, as_of=as_of), paths)


@pytest.fixture(scope="module")
def week(small) -> Week:
    return week_at(small)


@pytest.fixture(scope="module")
def said(week) -> list[dict]:
    params = load_params(week.paths.params)
    policy, rows = policy_in_force(week), newest_rows(week.arrays)
    atr = newest_ranges(week.bars, week.arrays, atr_bars=14)
    return newest_signals(policy, week.arrays, rows=rows, atr=atr, sizing=params.sizing, equity=50_000.0)


# --- signals now


def test_one_answer_a_pair_and_timeframe_on_the_newest_bar(said):
    found = [(row["pair"], row["timeframe"], row["date"]) for row in said]
    monday = f"{LAST}T00:00:00Z"
    assert found == [(pair, tf, monday) for pair in ("S01/USD", "S02/USD") for tf in ("1d", "4h")]


def test_what_is_said_is_the_policys_score_of_that_bar(week, said):
    policy = policy_in_force(week)
    for row in said:
        number = week.arrays.row(row["pair"], row["timeframe"], date=milliseconds(row["date"]))
        scores = score(policy, week.arrays, rows=np.array([number]))
        side = ["long", "short"].index(row["side"])
        margin = scores.confidence[0] - scores.threshold[0]
        assert row["confidence"] == scores.confidence[0, side]
        assert row["is_signal"] or margin[side] == margin.max()
        assert row["is_signal"] is bool(margin[side] >= 0 and scores.agree[0, side] >= policy.min_heads_agree)
        assert row["regime"] in REGIMES
        assert row["model_version"] == f"r1@{LAST}"
        assert len(row["heads_agreed"]) == scores.agree[0, side] == sum(h["vote"] == 1 for h in row["heads"])
        assert [h["evidence"] for h in row["heads"]] == scores.heads[0, :, side].tolist()
        assert [h["weight"] for h in row["heads"]] == policy.weights[REGIMES.index(row["regime"])].tolist()
        assert row["rule"] == policy.thresholds[row["regime"]].rule
        assert row["as_of"] == row["date"]


def test_stop_target_and_stake_follow_the_exit_plan(said):
    bars = small_bars()
    for row in said:
        own = bars[(bars["pair"] == row["pair"]) & (bars["timeframe"] == row["timeframe"])]
        own = own[own["date"] <= pd.Timestamp(LAST, tz="UTC")]
        atr = talib.ATR(own["high"].to_numpy(), own["low"].to_numpy(), own["close"].to_numpy(), 14)[-1]
        close, sign = own["close"].iloc[-1], 1 if row["side"] == "long" else -1
        assert row["entry_reference"] == close
        assert row["take_profit_abs"] == pytest.approx(close + sign * 2.0 * atr)
        assert row["stop_loss_abs"] == pytest.approx(close - sign * 1.5 * atr)
        assert row["stake"] * 1.5 * atr / close == pytest.approx(0.005 * 50_000, abs=0.01)
        assert row["units"] * close == pytest.approx(row["stake"], abs=0.01)
        assert row["time_limit_bars"] == 12


def signal(name: str, version: str) -> dict:
    return {"signal_id": name, "model_version": version, "is_signal": True, "date": "2018-06-01", "confidence": 0.5}


def test_paired_signals_all_go_to_the_champion():
    rows = routed([signal("a", "r1@x"), signal("b", "r1@x") | {"is_signal": False}], None, ab_test=AbTest())
    assert [(row["act"], row["ab_test_version"]) for row in rows] == [(True, "paired:r1"), (False, "")]


def test_a_routed_signal_is_acted_on_by_one_arm_alone():
    names = [f"BTC-USD_1h_20180601T{hour:02d}00_long" for hour in range(24)]
    both = [[signal(name, version) for name in names] for version in ("r1@x", "r3@x")]
    rows = routed(*both, ab_test=AbTest(routing="randomised"))
    acting = [row for row in rows if row["act"]]
    assert sorted(row["signal_id"] for row in acting) == names
    assert {row["ab_test_version"] for row in acting} == {"A:r1", "B:r3"}
    assert [row["signal_id"] for row in rows[:24]] == names, "the champion's are all told"


def test_a_waiting_pin_is_in_force_at_once_and_an_old_one_not(week):
    def pin(version: str, on: str) -> Pin:
        return Pin(week=on, version=version, reason="")

    assert policy_in_force(week).version == f"r1@{LAST}"
    assert policy_in_force(week, pins=[pin("r2", "2018-06-04")]).version == f"r2@{GENESIS}"
    assert policy_in_force(week, pins=[pin("r1@2018-04-16", "2018-06-04")]).version == "r1@2018-04-16"
    assert policy_in_force(week, pins=[pin("r2", LAST)]).version == f"r1@{LAST}"


# --- what is open


def test_open_positions_are_the_accounts_with_profit_at_the_last_close(week):
    account = week.seal.account
    rows = open_positions(account, week.arrays, at=milliseconds(LAST))
    assert [r["signal_id"] for r in rows] == [p["signal_id"] for p in account.positions]
    assert len(rows) > 0
    assert account.cash + sum(r["profit_abs"] for r in rows) == pytest.approx(account.equity, abs=0.02 * len(rows))
    bars = small_bars()
    for row in rows:
        own = bars[(bars["pair"] == row["pair"]) & (bars["timeframe"] == "4h")]
        assert row["last_rate"] == own.loc[own["date"] <= pd.Timestamp(LAST, tz="UTC"), "close"].iloc[-1]


# --- why


def test_every_trade_of_the_ledger_is_explained_by_the_policy_that_made_it(week):
    ledger = week.ledger
    for trade in ledger.iloc[[0, len(ledger) // 2, -1]].itertuples():
        found = explain_signal(week, trade.signal_id)
        assert found["policy"] == trade.model_version
        assert found["confidence"] == trade.confidence
        assert found["threshold"] == trade.threshold
        assert found["regime"] == trade.regime
        assert found["pattern"] == trade.enter_tag
        told = dict(part.split(":") for part in trade.head_scores.split(";"))
        assert {h["head"]: f"{h['evidence']:.4f}" for h in found["heads"]} == told
        assert found["outcome"]["status"] == trade.status
    assert found["confidence"] >= found["threshold"]
    assert len(found["indicators"]) > 60


def test_contributions_add_up_to_evidence_and_evidence_to_consensus(week):
    trade = week.ledger.iloc[-1]
    found = explain_signal(week, trade["signal_id"])
    policy = policy_of(week.paths, "main", trade["model_version"])
    side = int(trade["is_short"])
    for head in found["heads"]:
        own = policy.heads.get(head["head"])
        parts = [i["contribution"] for i in found["indicators"] if i["head"] == head["head"]]
        start = own.intercept[side] * policy.slopes["ABCDEFGHI".index(head["head"]), side]
        assert sum(parts) + start == pytest.approx(head["evidence"], abs=0.001)
    assert sum(head["moved"] for head in found["heads"]) == pytest.approx(
        found["consensus"] - found["pattern_effect"], abs=0.001
    )


def test_each_arm_says_what_it_did(week):
    shadow = week.shadow
    for trade in week.ledger.iloc[[0, -1]].itertuples():
        arms = {row["arm"]: row for row in explain_signal(week, trade.signal_id)["arms"]}
        assert set(arms) == {"r1", "r2", "r3"}
        assert arms["r1"]["is_signal"]
        for name, row in arms.items():
            assert row["took_it"] is bool(((shadow["arm"] == name) & (shadow["signal_id"] == trade.signal_id)).any())


def test_an_open_trade_is_explained_without_an_outcome(week):
    ledger = week.ledger
    name = ledger.loc[ledger["status"] == "open", "signal_id"].iloc[0]
    outcome = explain_signal(week, name)["outcome"]
    assert outcome.pop("status") == "open"
    assert set(outcome.values()) == {None}


def test_a_candidate_that_was_no_signal_is_explained_with_what_it_would_have_become(week):
    market = week.arrays
    policy = week.seals[0].arms["r1"].policy
    plan = market.plans[policy.exit_plan]
    rows = np.arange(
        market.decided(since=milliseconds(GENESIS), until=milliseconds("2018-04-09")).start, len(market.date)
    )
    row = next(int(r) for r in rows if score(policy, market, rows=np.array([r])).consensus[0, 0] < 0)
    pair, timeframe = market.pairs[market.pair[row]], market.timeframes[market.timeframe[row]]
    moment = pd.Timestamp(int(market.date[row]), unit="ms")
    found = explain_signal(week, signal_id(pair=pair, timeframe=timeframe, date=moment, is_short=False))
    assert not found["is_signal"]
    assert found["policy"] == f"r1@{GENESIS}"
    assert found["outcome"]["status"] == "not taken"
    assert found["outcome"]["r_multiple"] == pytest.approx(plan.r_multiple[row, 0], abs=1e-6)


@pytest.mark.parametrize("name", ["BTC_1h_x", "S01-USD_4h_20180402T0500_long", "S01-USD_9h_20180402T0400_long"])
def test_a_signal_that_never_was_is_one_line(week, name):
    with pytest.raises(DataError, match=f"{name}: not in the ledger of main up to 2018-05-28, and no candidate"):
        explain_signal(week, name)


def test_before_genesis_there_was_no_policy(week):
    with pytest.raises(DataError, match="2018-03-01T00:00:00Z is before 2018-04-02, when main began"):
        explain_signal(week, "S01-USD_4h_20180301T0000_long")


# --- versions


def test_versions_tell_one_week_a_row(week):
    rows = list_versions(week)
    assert rows[0]["week"] == GENESIS
    assert rows[-1]["champion"] == f"r1@{LAST}"
    assert {r["challenger"] for r in rows} == {"r3"}
    assert rows[0]["events"] == ["r1 genesis", "r3 admitted"]
    assert rows[0]["wealth"] is None
    assert rows[-1]["wealth"] > 0


def test_comparing_two_weeks_of_one_recipe_shows_what_was_learned(week):
    found = compare_versions(week, "r1@2018-04-09", b="r1")
    assert (found["a"], found["b"]) == ("r1@2018-04-09", f"r1@{LAST}")
    assert found["settings"] == {}
    assert found["thresholds"]
    sizes = [abs(row["b"] - row["a"]) for row in found["coefficients"]]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 0


def test_comparing_two_recipes_shows_settings_and_outcomes(week):
    found = compare_versions(week, "r1", b="r3")
    assert found["settings"] == {"exit_plan": ["tp2.0_sl1.5_t12", "tp3.0_sl1.5_t12"], "refit_weeks": [1, 2]}
    outcomes = found["outcomes"]
    assert outcomes["days"] == 56
    shadow = week.shadow
    closed = shadow[(shadow["arm"] == "r3") & (shadow["status"] == "closed")]
    assert outcomes["r3"]["trades"] == len(closed)
    rate, low, high = outcomes["r3"]["win_rate"]
    assert low < rate < high
    assert rate == pytest.approx((closed["profit_ratio"] > 0).mean(), abs=1e-4)


def test_choices_are_those_of_a_plain_loop(week):
    market, found = week.arrays, compare_versions(week, "r1", b="r3")["choices"]
    chosen: dict[str, list[float]] = {"only_a": [], "both": [], "only_b": []}
    for seal, end in zip(week.seals, week.weeks[1:], strict=False):
        policies = [seal.arms[name].policy for name in ("r1", "r3")]
        plans = [market.plans[policy.exit_plan] for policy in policies]
        begin = milliseconds(seal.as_of)
        entered = (plans[0].open_ms[:, 0] >= begin) & (plans[0].open_ms[:, 0] < milliseconds(end))
        for row in np.flatnonzero(entered):
            said = [score(policy, market, rows=np.array([row])) for policy in policies]
            for side in (0, 1):
                takes = [
                    one.confidence[0, side] >= one.threshold[0]
                    and one.consensus[0, side] > 0
                    and one.agree[0, side] >= 2
                    for one in said
                ]
                if any(takes):
                    plan = plans[0] if takes[0] else plans[1]
                    name = "both" if all(takes) else "only_a" if takes[0] else "only_b"
                    if plan.known_at[row, side] <= milliseconds(LAST):
                        chosen[name].append(plan.r_multiple[row, side])
    assert found["weeks"] == {"n": 8, "first": "2018-04-09", "last": LAST}
    for name, earned in chosen.items():
        assert found["chosen"][name]["n"] == len(earned) > 0
        assert found["chosen"][name]["mean_r"][0] == pytest.approx(np.mean(earned), abs=1e-4)


def test_two_weeks_of_one_recipe_are_compared_as_they_stood_on_weeks_after_both(week):
    found = compare_versions(week, "r1@2018-04-09", b="r1@2018-04-30")["choices"]
    assert found["weeks"] == {"n": 4, "first": "2018-05-07", "last": LAST}
    assert [row["head"] for row in found["heads"]] == list("ABCDEFGHI")
    assert any(row["hit_rate_a"] != row["hit_rate_b"] for row in found["heads"])
    none = compare_versions(week, "r1@2018-04-09", b="r1")["choices"]
    assert none["weeks"] == {"n": 0, "first": None, "last": None}
    assert none["names"] == ["r1@2018-04-09", f"r1@{LAST}"]
    assert (none["chosen"], none["heads"]) == ({}, [])


def test_a_head_of_another_policy_moves_its_own_evidence_alone(week):
    first, last = week.seals[0].arms["r1"].policy, week.seals[-1].arms["r1"].policy
    rows = np.arange(1500, 1700)
    before, wanted = (score(policy, week.arrays, rows=rows).heads for policy in (first, last))
    for place, letter in enumerate("ABCDEFGHI"):
        mixed = score(with_head(first, letter, of=last), week.arrays, rows=rows).heads
        np.testing.assert_array_equal(mixed[:, place], wanted[:, place])
        np.testing.assert_array_equal(np.delete(mixed, place, axis=1), np.delete(before, place, axis=1))
    without = replace(last, heads={name: head for name, head in last.heads.items() if name != "C"})
    assert set(with_head(first, "C", of=without).heads) == set("ABDEFGHI")


def test_a_version_compared_with_itself_differs_in_nothing(week):
    found = compare_versions(week, "r2", b=f"r2@{LAST}")
    assert {row["moved"] for row in found["heads"]} == {0.0}
    same = compare_versions(week, f"r2@{GENESIS}", b=f"r2@{GENESIS}")["choices"]
    assert same["chosen"]["only_a"]["n"] == same["chosen"]["only_b"]["n"] == 0 < same["chosen"]["both"]["n"]
    assert {row["added"]["n"] + row["dropped"]["n"] for row in same["heads"]} == {0}
    assert found["settings"] == found["thresholds"] == {}
    assert not any(found["head_weights"].values())
    assert not any(row["a"] != row["b"] for row in found["coefficients"])


@pytest.mark.parametrize("name", ["r9", "r1@2017-01-02", "r9@2018-05-28"])
def test_an_unknown_version_is_one_line(week, name):
    with pytest.raises(SealError, match=f"{name}: no such"):
        compare_versions(week, name, b="r1")


# --- after a pin to a version, everything still answers


@pytest.fixture(scope="module")
def pinned(small, tmp_path_factory) -> Week:
    paths = copy_history(small, tmp_path_factory.mktemp("pinned") / "copy")
    pin = '[{week: "2018-06-04", version: "r1@2018-04-16", reason: "x"}]'
    params = write_settings(paths, changes={"pins: []": f"pins: {pin}"})
    backfill(params, paths, until="2018-06-18")
    return week_at(paths, "2018-06-18")


def test_trades_of_a_pinned_version_are_explained(pinned):
    ledger = pinned.ledger
    mine = ledger[ledger["model_version"] == "r1-20180416@2018-04-16"]
    assert len(mine) > 0
    found = explain_signal(pinned, mine["signal_id"].iloc[0])
    assert found["policy"] == "r1-20180416@2018-04-16"
    assert found["confidence"] == mine["confidence"].iloc[0]


def test_a_pinned_version_is_compared_under_both_its_names(pinned):
    found = compare_versions(pinned, "r1-20180416", b="r1@2018-04-16")
    assert found["thresholds"] == {}
    assert found["settings"] == {"refit_weeks": [0, 1]}
    assert policy_in_force(pinned).version == "r1-20180416@2018-04-16"


def test_a_pin_to_a_recipe_that_no_longer_runs_shows_its_last_policy(pinned):
    """r1 was retired by the pin; asked for again, it speaks as it last did until the loop starts it anew."""
    pins = [Pin(week="2018-06-25", version="r1", reason="")]
    assert policy_in_force(pinned, pins=pins).version == f"r1@{LAST}"
