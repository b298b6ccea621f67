"""Routing: a hash of the name decides, the account follows it, seals record it, and the gate's books do not move."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from edgebook.arms.book import Book, Order, trade_orders
from edgebook.importance.importance_run import read_importance
from edgebook.loop.history import inputs_of, seal_week
from edgebook.loop.loop import learn_week
from edgebook.loop.rederive import rederive
from edgebook.loop.routing import account_orders, draw, route, signals_to_trade, unrouted
from edgebook.loop.week_rows import account_rows, ledger_rows
from edgebook.policy.market import WEEK_MS, Market, load_market, milliseconds
from edgebook.policy.signals import Signals
from edgebook.seals.seals import Seal, read_seal, seal_files, sealed_weeks
from edgebook.settings.loading import load_params
from edgebook.settings.params import AbTest, Params
from small_market import BAR_MS, GENESIS, LAST, PLAN, coin_market, copy_history, seal_bytes, write_settings

NEXT, AFTER = "2018-06-04", "2018-06-11"
HALF = AbTest(routing="randomised", share=0.5, salt="edgebook")
NAMES = [f"{pair}_1h_2018{month:02d}{day:02d}T{hour:02d}00_{side}" for pair in ("BTC-USD", "ETH-USD")
         for month in range(1, 13) for day in range(1, 29) for hour in range(0, 24, 4)
         for side in ("long", "short")]  # fmt: skip


# --- the hash


@pytest.mark.parametrize(
    ("salt", "name", "hex_digits"),
    [
        ("edgebook", "BTC-USD_1h_20180402T0500_long", "e844382297031"),
        ("edgebook", "ETH-USD_4h_20190107T0000_short", "50be87bfa3e6e"),
        ("", "BTC-USD_1h_20180402T0500_long", "685316f80c2ef"),
    ],
)
def test_known_vectors(salt, name, hex_digits):
    """For a live system in another language: ``printf 'salt:name' | sha256sum | cut -c-13``."""
    assert draw(name, salt=salt) == int(hex_digits, 16) / 2**52


@pytest.mark.parametrize("salt", ["edgebook", "b", ""])
def test_draws_are_uniform_and_sides_and_hours_do_not_hang_together(salt):
    draws = np.array([draw(name, salt=salt) for name in NAMES])
    counts = np.histogram(draws, bins=20, range=(0, 1))[0]
    assert stats.chisquare(counts).pvalue > 0.001
    low = draws < 0.5
    for lag in (1, 2, 12):  # the other side, the next bar, the next day
        both = np.histogram2d(low[lag:], low[:-lag], bins=2)[0]
        assert stats.chi2_contingency(both).pvalue > 0.001


def test_another_salt_draws_anew():
    one, other = ([draw(name, salt=salt) for name in NAMES] for salt in ("a", "b"))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.04


@given(st.text(min_size=1), st.floats(0.01, 0.98))
def test_a_larger_share_keeps_whom_a_smaller_one_had(name, share):
    if route(name, salt="s", share=share) == "B":
        assert route(name, salt="s", share=share + 0.01) == "B"


def test_the_share_is_kept():
    for share in (0.1, 0.5, 0.8):
        hits = sum(route(name, salt="edgebook", share=share) == "B" for name in NAMES)
        assert stats.binomtest(hits, len(NAMES), share).pvalue > 0.001


# --- the account's queue


def given_signals(market: Market, rows, *, recipe: str, side: int = 0) -> Signals:
    n = len(rows)
    return Signals(
        row=np.array(rows, np.int64), side=np.full(n, side, np.int64), at=np.arange(n),
        policy=SimpleNamespace(recipe=recipe, version=f"{recipe}@2018-04-02", exit_plan=PLAN), scores=None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def coins() -> Market:
    return coin_market(1, bars=60)


def names_of(orders):
    return [(o.signals.policy.recipe, int(o.signals.row[o.number]), int(o.signals.side[o.number])) for o in orders]


@pytest.mark.parametrize(("routing", "challenger"), [("paired", True), ("randomised", False)])
def test_paired_or_without_a_challenger_the_account_takes_the_champions_signals_as_they_are(coins, routing, challenger):
    own = given_signals(coins, [4, 9, 7], recipe="r1")
    other = given_signals(coins, [5], recipe="r3") if challenger else None
    orders = account_orders(own, other, market=coins, ab_test=replace(HALF, routing=routing))
    assert names_of(orders) == [("r1", 4, 0), ("r1", 9, 0), ("r1", 7, 0)]
    assert {o.ab_test_version for o in orders} == {""}


def test_a_signal_of_both_arms_goes_to_one_of_them_and_no_other_is_lost_twice(coins):
    rows = list(range(100))
    both = account_orders(
        given_signals(coins, rows, recipe="r1"), given_signals(coins, rows, recipe="r3"), market=coins, ab_test=HALF
    )
    assert sorted(row for _, row, _ in names_of(both)) == rows
    assert {(o.signals.policy.recipe, o.ab_test_version) for o in both} == {("r1", "A:r1"), ("r3", "B:r3")}
    moments = [int(coins.date[row]) for _, row, _ in names_of(both)]
    assert moments == sorted(moments)


def test_signals_of_one_arm_alone_are_taken_only_where_they_are_routed_to_it(coins):
    rows = list(range(100))
    own, other = given_signals(coins, rows, recipe="r1"), given_signals(coins, [], recipe="r3")
    taken = {row for _, row, _ in names_of(account_orders(own, other, market=coins, ab_test=HALF))}
    assert 30 < len(taken) < 70
    mirrored = account_orders(other, own, market=coins, ab_test=HALF)
    assert {row for _, row, _ in names_of(mirrored)} == set(rows) - taken


def test_arms_that_enter_together_take_turns_each_in_its_own_order(coins):
    """All candidates at one moment, 30 rows of equal date: A's first, B's first, A's second and so on."""
    market = replace(coins, date=np.full(len(coins.date), coins.date[0]) + 0)
    moment = {PLAN: replace(coins.plans[PLAN], open_ms=np.full_like(coins.plans[PLAN].open_ms, coins.date[0]))}
    market = replace(market, plans=moment, pairs=tuple(f"P{i}/USD" for i in range(120)), pair=np.arange(120) % 120)
    own = given_signals(market, list(range(0, 60)), recipe="r1")
    other = given_signals(market, list(range(119, 59, -1)), recipe="r3", side=1)
    orders = names_of(account_orders(own, other, market=market, ab_test=HALF))
    for recipe, rows in (("r1", sorted), ("r3", lambda x: sorted(x, reverse=True))):
        mine = [row for name, row, _ in orders if name == recipe]
        assert mine == rows(mine)
    recipes = [name for name, _, _ in orders]
    shorter = 2 * min(recipes.count("r1"), recipes.count("r3"))
    pairs = [set(recipes[i : i + 2]) for i in range(0, shorter, 2)]
    assert pairs == [{"r1", "r3"}] * len(pairs)
    assert {recipes[i] for i in range(0, shorter, 2)} == {"r1", "r3"}  # neither is always first


# --- newest signals


def newest(recipe: str, names, *, confidence=0.6, is_signal=True):
    return [
        {"signal_id": name, "date": "2019-06-30T23:00:00Z", "is_signal": is_signal, "confidence": confidence,
         "model_version": f"{recipe}@2019-07-01"}
        for name in names
    ]  # fmt: skip


def test_of_newest_signals_a_live_system_takes_those_that_the_account_will():
    names = NAMES[:40]
    champion, challenger = newest("r1", names), newest("r3", names, confidence=0.4)
    taken = signals_to_trade(champion, challenger, ab_test=HALF)
    assert sorted(row["signal_id"] for row in taken) == sorted(names)
    for row in taken:
        letter = route(row["signal_id"], salt=HALF.salt, share=HALF.share)
        assert row["ab_test_version"] == {"A": "A:r1", "B": "B:r3"}[letter]
        assert row["model_version"] == {"A": "r1@2019-07-01", "B": "r3@2019-07-01"}[letter]
    assert {row["ab_test_version"] for row in taken[:2]} == {"A:r1", "B:r3"}
    paired = signals_to_trade(champion, challenger, ab_test=AbTest())
    assert [row["signal_id"] for row in paired] == names
    assert {row["ab_test_version"] for row in paired} == {"paired:r1"} == {unrouted("r1@2019-07-01")}
    assert signals_to_trade(newest("r1", names, is_signal=False), None, ab_test=HALF) == []


# --- in the loop


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
def learn(small, params, market) -> Callable[..., Seal]:
    def run(seal: Seal, *, as_of: str = NEXT, ab_test: AbTest) -> Seal:
        inputs = inputs_of(replace(params, ab_test=ab_test), small, as_of=as_of, market=market)
        return learn_week(seal, inputs, as_of=as_of)

    return run


@pytest.fixture(scope="module")
def paired(learn, last) -> Seal:
    return learn(last, ab_test=AbTest())


@pytest.fixture(scope="module")
def routed(learn, last) -> Seal:
    return learn(last, ab_test=HALF)


def fresh(seal: Seal, since: str = LAST) -> pd.DataFrame:
    return seal.ledger[seal.ledger["open_date"] >= pd.Timestamp(since, tz="UTC").isoformat()]


def test_paired_rows_say_so_with_their_recipe(paired, last):
    assert set(paired.ledger["ab_test_version"]) == {"paired:r1"}
    assert set(last.ledger["ab_test_version"]) == {"paired:r1"}
    assert paired.shadow["ab_test_version"].isna().all()


def test_the_routed_account_trades_both_arms_by_the_hash(routed):
    rows = fresh(routed)
    assert set(rows["ab_test_version"]) == {"A:r1", "B:r3"}
    for _, row in rows.iterrows():
        letter = route(row["signal_id"], salt=HALF.salt, share=HALF.share)
        assert row["ab_test_version"] == {"A": "A:r1", "B": "B:r3"}[letter]
        assert row["model_version"] == {"A": f"r1@{LAST}", "B": f"r3@{LAST}"}[letter]
        assert row["exit_plan"] == {"A": "tp2.0_sl1.5_t12", "B": "tp3.0_sl1.5_t12"}[letter]
    assert set(routed.ledger.drop(rows.index)["ab_test_version"]) <= {"paired:r1"}


def test_the_gate_and_both_books_are_those_of_the_paired_week(routed, paired):
    """Only the account and what follows from it differ."""
    one, other = seal_files(routed), seal_files(paired)
    of_account = {"account.json", "days.csv", "seal.json", "drift.json"}
    assert "account.json" in {name for name in one if one[name] != other[name]} <= of_account
    arms = [seal.days[seal.days["arm"] != "account"].reset_index(drop=True) for seal in (routed, paired)]
    pd.testing.assert_frame_equal(*arms)
    assert routed.head["decision"] == paired.head["decision"]


def test_an_open_position_keeps_its_arm_until_it_closes(coins, params):
    """Two signals on the last bar of the week, one routed; both close in the next week, which routes nothing."""
    since = milliseconds(GENESIS)
    late = [80, 81]  # both pairs, on Sunday at 20:00
    scores = SimpleNamespace(
        heads=np.full((2, 9, 2), 0.1), confidence=np.full((2, 2), 0.6), threshold=np.full(2, 0.5),
        certified=np.zeros(2, bool),
    )  # fmt: skip
    signals = replace(given_signals(coins, late, recipe="r1"), scores=scores)
    market = replace(coins, plans={PLAN: replace(coins.plans[PLAN], known_at=coins.plans[PLAN].known_at + 30 * BAR_MS)})
    how = {"market": market, "sizing": params.sizing, "cost": 0.001}
    start = Book(100_000.0, 100_000.0)
    entered = trade_orders(
        start, [Order(signals, 0, "A:r1"), Order(signals, 1)], **how, since=since, until=since + WEEK_MS
    )
    assert len(entered.book.positions) == 2
    after = trade_orders(entered.book, [], **how, since=since + WEEK_MS, until=since + 2 * WEEK_MS)
    for week, status in ((entered, "open"), (after, "closed")):
        rows = account_rows(week, since=since if week is entered else since + WEEK_MS)
        assert rows["status"].tolist() == [status] * 2
        assert sorted(rows["ab_test_version"]) == ["A:r1", "paired:r1"]
        assert ledger_rows(week, since=since)["ab_test_version"].isna().sum() == 1


def test_the_setting_is_sealed_with_the_week(routed, paired):
    assert routed.head["settings"]["ab_test"] == {"routing": "randomised", "share": 0.5, "salt": "edgebook"}
    assert paired.head["settings"]["ab_test"]["routing"] == "paired"
    assert routed.head["fingerprints"]["parameters"] != paired.head["fingerprints"]["parameters"]


def test_a_history_whose_routing_changed_on_the_way_can_be_derived_again(small, params, market, tmp_path, monkeypatch):
    """A paired week, a routed one, a paired one; the settings of today are others again."""
    found = read_importance(small.seal(history="main", as_of=GENESIS) / "keep.json")
    monkeypatch.setattr("edgebook.loop.history.importance_in_force", lambda *week, **settings: found)
    paths = copy_history(small, tmp_path / "copy")
    for week in sealed_weeks(paths, "main")[2:]:
        shutil.rmtree(paths.seal(history="main", as_of=week))
        paths.ledger(history="main", as_of=week).unlink()
    before = seal_bytes(paths)
    seal = read_seal(paths, history="main", as_of="2018-04-09")
    for as_of, ab_test in (("2018-04-16", HALF), ("2018-04-23", AbTest())):
        given = replace(params, ab_test=ab_test)
        seal = seal_week(given, paths, as_of=as_of, market=market, previous=seal)
    assert {"A:r1", "B:r3"} <= set(read_seal(paths, history="main", as_of="2018-04-16").ledger["ab_test_version"])
    assert seal_bytes(paths, until="2018-04-09") == before
    today = write_settings(paths, changes={"{routing: paired}": "{routing: randomised, share: 0.9}"})
    assert rederive(today, paths) == []
