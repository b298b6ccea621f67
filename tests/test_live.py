"""What the champion says now, what is open, why a signal was one, and what versions differ in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import talib

from edgebook.errors import DataError, SealError
from edgebook.history import backfill
from edgebook.live import explain_signal, newest_signals, open_positions, policy_in_force
from edgebook.market import REGIMES, milliseconds
from edgebook.params import Pin, load_params
from edgebook.paths import Paths
from edgebook.policy import score
from edgebook.versions import compare_versions, list_versions
from edgebook.week import Week
from small_market import GENESIS, LAST, copy_history, small_bars, write_settings


def week_at(paths: Paths, as_of: str = LAST) -> Week:
    return Week(replace(load_params(paths.params).run, as_of=as_of), paths)


@pytest.fixture(scope="module")
def week(small) -> Week:
    return week_at(small)


@pytest.fixture(scope="module")
def said(week) -> list[dict]:
    params = load_params(week.paths.params)
    return newest_signals(
        policy_in_force(week), week.arrays, bars=week.bars, atr_bars=14, sizing=params.sizing, equity=50_000.0
    )


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
        assert len(row["heads_agreed"]) == scores.agree[0, side]


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


def test_a_waiting_pin_is_in_force_at_once_and_an_old_one_not(week):
    def pin(version: str, on: str) -> Pin:
        return Pin(week=on, version=version, reason="")

    assert policy_in_force(week).version == f"r1@{LAST}"
    assert policy_in_force(week, pins=[pin("r2", "2018-06-04")]).version == f"r2@{GENESIS}"
    assert policy_in_force(week, pins=[pin("r1@2018-04-16", "2018-06-04")]).version == "r1@2018-04-16"
    assert policy_in_force(week, pins=[pin("r2", LAST)]).version == f"r1@{LAST}"


# --- what is open


def test_open_positions_are_the_accounts_with_profit_at_the_last_close(week):
    rows = open_positions(week)
    account = week.seal.account
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


def test_an_open_trade_is_explained_without_an_outcome(week):
    ledger = week.ledger
    name = ledger.loc[ledger["status"] == "open", "signal_id"].iloc[0]
    assert explain_signal(week, name)["outcome"] == {
        "status": "open", "exit_reason": None, "close_date": None, "profit_ratio": None, "r_multiple": None,
    }  # fmt: skip


def test_a_signal_that_never_was_is_one_line(week):
    with pytest.raises(DataError, match="BTC_1h_x: not in the ledger of main up to 2018-05-28"):
        explain_signal(week, "BTC_1h_x")


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


def test_a_version_compared_with_itself_differs_in_nothing(week):
    found = compare_versions(week, "r2", b=f"r2@{LAST}")
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
