"""The randomised test by hand, its false promotions under weekly looks, and the sample size that routing asks for."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from edgebook.analyses import ab_routed, ab_sample_size, power
from edgebook.analyses.ab_trials import Comparison, Settings
from edgebook.loop.routing import route
from edgebook.paths import Paths
from edgebook.settings.loading import load_params
from edgebook.settings.params import AbTest, plain

PARAMS = load_params(Paths.at().root / "params.yaml")
SETTINGS = Settings(PARAMS.gate, PARAMS.learning, PARAMS.sizing, PARAMS.ab_test)
MONDAY = pd.Timestamp("2018-04-02", tz="UTC")


def trial(*, weeks=20, kind="promotion", arm="r3", against="r1"):
    days = pd.DataFrame({"date": pd.date_range(MONDAY, periods=7 * weeks, unit="ms")})
    until = str((MONDAY + pd.Timedelta(days=7 * weeks)).date())
    days = days.assign(arm_return=0.0, against_return=0.0, book_difference=0.0, candidate_difference=0.0, wealth=1.0)
    return Comparison(kind, arm, against, "2018-04-02", until, 80.0, "on trial", days)


def signals_of(rows):
    """Rows of (day, letter, R, closed) as `routed_signals` gives them, half of all sent to B."""
    frame = pd.DataFrame(rows, columns=["day", "letter", "r_multiple", "closed"])
    return frame.assign(
        signal_id=[f"s{i}" for i in range(len(frame))],
        day=MONDAY + pd.to_timedelta(frame["day"], unit="D"),
        share=0.5,
        won=frame["r_multiple"] > 0,
    )


def ledger_row(name, *, entered, version, r=1.0, status="closed"):
    opened = pd.Timestamp(entered, tz="UTC")
    known = {"close_date": opened, "r_multiple": r, "profit_ratio": 0.01 * r} if status == "closed" else {}
    return {"signal_id": name, "open_date": opened, "ab_test_version": version, "status": status} | known


def week_with(rows, *, shares):
    heads = [{"as_of": as_of, "settings": {"ab_test": plain(AbTest(share=q))}} for as_of, q in shares.items()]
    return SimpleNamespace(ledger=pd.DataFrame(rows), heads=heads)


# --- what is read


def test_signals_of_the_trials_arms_are_read_with_the_share_of_their_week():
    rows = [
        ledger_row("a", entered="2018-04-03 04:00", version="A:r1", r=-1.0),
        ledger_row("b", entered="2018-04-08 20:00", version="B:r3", r=2.0),
        ledger_row("c", entered="2018-04-09 00:00", version="B:r3", status="open"),
        ledger_row("paired", entered="2018-04-03", version="paired:r1"),
        ledger_row("of another trial", entered="2018-04-03", version="B:r2"),
        ledger_row("before", entered="2018-04-01", version="A:r1"),
    ]
    found = ab_routed.routed_signals(week_with(rows, shares={"2018-04-09": 0.2, "2018-04-16": 0.7}), trial())
    assert found["signal_id"].tolist() == ["a", "b", "c"]
    assert found["letter"].tolist() == ["A", "B", "B"]
    assert found["share"].tolist() == [0.2, 0.2, 0.7]
    assert found["closed"].tolist() == [True, True, False]
    assert found["won"].tolist() == [False, True, False]


def test_a_seal_from_before_routing_was_paired():
    week = SimpleNamespace(heads=[{"as_of": "2018-04-09", "settings": {"sizing": {}}}])
    assert ab_routed.routing_of_weeks(week) == {"2018-04-09": AbTest()}


@pytest.mark.parametrize("found", [trial(), trial(kind="baseline")])
def test_without_routed_signals_nothing_is_said(found):
    week = week_with([ledger_row("a", entered="2018-04-03", version="paired:r1")], shares={"2018-04-09": 0.5})
    signals = ab_routed.routed_signals(week, found)
    days = ab_routed.routed_days(signals, settings=SETTINGS)
    test = ab_routed.randomised_test(signals, days, settings=SETTINGS)
    assert len(signals) == len(days) == 0
    assert test["method"].tolist() == list(ab_routed.TESTS)
    assert test[["estimate", "statistic"]].isna().all(axis=None)
    assert not test["promotes"].any()


# --- days and wealth by hand


def test_days_by_hand():
    """Half to each: a signal of B counts twice its R, one of A twice its R against it, and the account half of that."""
    signals = signals_of([(0, "B", 2.0, True), (0, "A", 1.0, True), (2, "A", -1.0, True), (3, "B", 9.0, True)])
    days = ab_routed.routed_days(signals, settings=SETTINGS)
    assert days["n_a"].tolist() == [1, 0, 1, 0]
    assert days["n_b"].tolist() == [1, 0, 0, 1]
    assert days["difference"].tolist() == [2.0, 0.0, 2.0, 18.0]
    assert days["score"].tolist() == [1.0, 0.0, 1.0, 9.0]
    wealth, squares, by_hand = 1.0, 0.0, []
    for day, score in enumerate((1.0, 0.0, 1.0, 9.0)):
        spread = np.sqrt((28 * 3.0**2 + squares) / (28 + day))
        wealth *= 1 + 0.8 * np.sqrt(2 * np.log(SETTINGS.bar / wealth) / (364 - day)) / spread * score
        squares += score**2
        by_hand.append(wealth)
    assert days["wealth"].tolist() == pytest.approx(by_hand, abs=1e-5)


def test_an_open_signal_keeps_its_day_and_all_after_it_waiting():
    signals = signals_of([(0, "B", 2.0, True), (1, "A", np.nan, False), (1, "B", 1.0, True), (2, "B", 1.0, True)])
    assert len(ab_routed.routed_days(signals, settings=SETTINGS)) == 1


def test_a_share_other_than_half_is_weighed_back():
    """B has a fifth: its signals count five times, those of A one and a quarter times."""
    signals = signals_of([(0, "B", 1.0, True), (0, "A", 1.0, True)]).assign(share=0.2)
    day = ab_routed.routed_days(signals, settings=SETTINGS).iloc[0]
    assert day["difference"] == pytest.approx(5 - 1.25)
    assert day["score"] == pytest.approx(2 * 0.2 * 0.8 * (5 - 1.25))


def test_over_all_draws_the_difference_is_that_of_the_arms():
    """Four signals, two of B's own, one of A's own, one of both: the mean over all sixteen draws."""
    of_b, of_a, q = [1.0, -0.5, 2.0, 0.0], [0.0, 0.0, 1.5, -1.0], 0.3
    mean = 0.0
    for number in range(16):
        to_b = [(number >> i) & 1 for i in range(4)]
        rows = [(0, "B", b, True) if z else (0, "A", a, True) for z, a, b in zip(to_b, of_a, of_b, strict=True)]
        chance = np.prod([q if z else 1 - q for z in to_b])
        days = ab_routed.routed_days(signals_of(rows).assign(share=q), settings=SETTINGS)
        mean += chance * days["difference"].iloc[0]
    assert mean == pytest.approx(sum(of_b) - sum(of_a), abs=1e-5)


def test_welch_agrees_with_scipy():
    rng = np.random.default_rng(3)
    first, second = rng.normal(0.2, 1.3, 60), rng.normal(0, 0.9, 85)
    found, t, limit = ab_routed.welch(first, second)
    peer = stats.ttest_ind(first, second, equal_var=False)
    assert t == pytest.approx(peer.statistic)
    assert (found.low, found.high) == pytest.approx(tuple(peer.confidence_interval(0.95)))
    assert limit == pytest.approx(stats.t.ppf(0.975, peer.df))


def test_few_signals_get_no_second_opinion():
    signals = signals_of([(d, "AB"[d % 2], 1.0, True) for d in range(14)])
    test = ab_routed.randomised_test(signals, ab_routed.routed_days(signals, settings=SETTINGS), settings=SETTINGS)
    assert np.isfinite(test["statistic"].iloc[0])
    assert test["statistic"].iloc[1:].isna().all()


# --- calibration


def made_up_signals(seed, *, weeks=52, a_day=4, mean=0.0, edge=0.0, share=0.5):
    """A year of signals that share their day's market and end at target or stop, routed by the hash of their names.

    All earn `mean` R more, `edge` R more when the challenger acts on them.
    """
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(7 * weeks), rng.poisson(a_day, 7 * weeks))
    market = rng.normal(0, 0.8, 7 * weeks)[day]
    r = np.where(market + rng.normal(0, 1, len(day)) > 0.25, 1.3, -1.05) + mean
    names = [f"P{seed}_1h_{i}_long" for i in range(len(day))]
    letter = np.array([route(name, salt="edgebook", share=share) for name in names])
    frame = signals_of(list(zip(day, letter, r + edge * (letter == "B"), np.ones(len(day), bool), strict=True)))
    return frame.assign(share=share, won=frame["r_multiple"] > 0)


YEARS = 240


@pytest.mark.parametrize(("share", "mean"), [(0.5, 0.0), (0.25, -0.3)])
def test_without_a_difference_it_promotes_no_more_often_than_it_says(share, mean):
    """A look every day of a year: a bar of 20 may be reached in 5 % of years, by Ville's inequality."""
    years = [made_up_signals(seed, share=share, mean=mean) for seed in range(YEARS)]
    peaks = np.array([ab_routed.routed_days(year, settings=SETTINGS)["wealth"].max() for year in years])
    for bar in (20, SETTINGS.bar):
        assert (peaks >= bar).sum() <= stats.binom.ppf(0.999, YEARS, 1 / bar)


def test_welch_looked_at_every_week_promotes_far_more_often_than_it_says():
    falsely = 0
    for seed in range(120):
        year = made_up_signals(seed)
        day, r = (year["day"] - MONDAY).dt.days.to_numpy(), year["r_multiple"].to_numpy()
        of_b = (year["letter"] == "B").to_numpy()
        looks = [ab_routed.welch(r[of_b & (day < end)], r[~of_b & (day < end)]) for end in range(28, 365, 7)]
        falsely += any(t > limit for _, t, limit in looks)
    assert falsely / 120 > 0.06  # one-sided 2.5 % is what it says


def test_an_edge_is_found():
    found = [ab_routed.routed_days(made_up_signals(s, edge=0.45), settings=SETTINGS)["wealth"].max() for s in range(20)]
    assert np.mean(np.array(found) >= SETTINGS.bar) > 0.7


# --- sample sizes


def shadow_of(seed=1, *, weeks=20, likeness=0.9, a_day=4):
    """Trades of both arms' books: a share `likeness` of the champion's candidates is traded by the challenger too."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(7 * weeks), rng.poisson(a_day, 7 * weeks))
    market = rng.normal(0, 0.8, 7 * weeks)[day]
    rows = []
    for i, (d, m) in enumerate(zip(day, market, strict=True)):
        both = rng.random() < likeness
        for arm in ("r1", "r3"):
            if arm == "r1" or not both:
                r = 1.3 if m + rng.normal() > 0.25 else -1.05
            opened = MONDAY + pd.Timedelta(days=int(d))
            name = f"s{i}" if both else f"s{i}{arm}"
            rows.append(
                {"arm": arm, "signal_id": name, "open_date": opened, "close_date": opened + pd.Timedelta(hours=5),
                 "r_multiple": r, "profit_ratio": 0.01 * r, "status": "closed"}
            )  # fmt: skip
    return pd.DataFrame(rows)


def redrawn(flow, *, draws, seed=5):
    """Weekly differences of a routed account, coins thrown anew: a plain loop."""
    rng, q, rows = np.random.default_rng(seed), flow.share, flow.signals
    found = []
    for _ in range(draws):
        to_arm = rng.random(len(rows)) < q
        parts = np.where(to_arm, rows["arm_r"] / q, -rows["against_r"] / (1 - q))
        found.append(np.bincount(rows["day"] // 7, weights=parts, minlength=flow.weeks))
    return np.array(found)


@pytest.mark.parametrize("share", [0.5, 0.3])
def test_the_variance_of_routing_agrees_with_a_redraw_of_the_coins(share):
    flow = ab_sample_size.flow_of(trial(), shadow_of(likeness=0.5), share=share)
    paired, routed = ab_sample_size.variances(flow)
    drawn = redrawn(flow, draws=4000)
    assert drawn.mean(axis=0) == pytest.approx(flow.weekly(flow.signals["arm_r"] - flow.signals["against_r"]), abs=1.5)
    assert drawn.var(axis=0).mean() == pytest.approx(routed - paired, rel=0.05)


def test_the_more_alike_the_arms_the_more_routing_costs():
    flows = [ab_sample_size.flow_of(trial(), shadow_of(likeness=x), share=0.5) for x in (0.0, 0.5, 0.9)]
    costs = [ab_sample_size.cost_of_routing(flow) for flow in flows]
    assert [f.overlap for f in flows] == sorted(f.overlap for f in flows)
    assert costs[0].value < costs[1].value < costs[2].value
    assert costs[2].value > 5
    for cost in costs:
        assert 1 < cost.low < cost.value < cost.high


def test_sample_sizes_follow_the_variance_and_the_square_of_the_edge():
    found = trial()
    flow = ab_sample_size.flow_of(found, shadow_of(likeness=0.5), share=0.5)
    gap = np.random.default_rng(2).normal(0, 2, (140, 2))
    spread = power.Spread(gap - gap.mean(axis=0), 140)
    table = ab_sample_size.sample_sizes(
        flow, spread, worth_of_a_point=0.1, settings=SETTINGS, paths=60, weeks=104
    ).set_index("win_rate")
    paired, routed = ab_sample_size.variances(flow)
    edge = 7 * 100 * 0.05 * 0.1
    assert table.loc[0.05, "paired_weeks"] == pytest.approx((1.959964 + 0.841621) ** 2 * paired / edge**2, rel=1e-4)
    assert (table["routed_weeks"] / table["paired_weeks"]).to_numpy() == pytest.approx(routed / paired, rel=1e-3)
    assert table.loc[0.01, "paired_weeks"] == pytest.approx(25 * table.loc[0.05, "paired_weeks"], rel=1e-3)
    own, _, split = flow.per_week
    assert table["routed_signals"].to_numpy() == pytest.approx(table["routed_weeks"].to_numpy() * split, rel=1e-3)
    assert table["paired_signals"].to_numpy() == pytest.approx(table["paired_weeks"].to_numpy() * own, rel=1e-3)
    assert table["paired_gate"].is_monotonic_decreasing
    assert (table["routed_gate"] >= table["paired_gate"]).all()


def test_without_enough_days_or_trades_no_size_is_made_up():
    nothing = replace(trial(weeks=3), days=trial(weeks=3).days)
    spread = power.Spread(np.ones((10, 2)), 0)
    for found, trades in ((nothing, shadow_of(weeks=3)), (replace(trial(), arm=""), shadow_of())):
        flow = ab_sample_size.flow_of(found, trades, share=0.5)
        assert not flow.known
        assert np.isnan(ab_sample_size.cost_of_routing(flow).value)
        table = ab_sample_size.sample_sizes(flow, spread, worth_of_a_point=np.nan, settings=SETTINGS)
        assert table["edge_r"].tolist() == list(ab_sample_size.EDGES_R)
        assert table[["paired_weeks", "routed_weeks", "paired_gate", "routed_gate"]].isna().all(axis=None)
