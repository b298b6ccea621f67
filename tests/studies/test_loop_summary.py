"""The summary of the loop's runs, on runs made by hand whose numbers are worked out in place."""

from __future__ import annotations

import copy
import json

import pytest

from edgebook.evidence.evidence_markets import NULLS, STRESSES
from edgebook.evidence.figures_loops import loop_captions, loop_pictures
from edgebook.evidence.known_switch import SWITCH_WEEK
from edgebook.evidence.loop_books import curve, earned, loop_r, promotion_r, reigns
from edgebook.evidence.loop_counts import GATE, mean_over, most_allowed, rate_a_year, ratio_over, share, weeks_until
from edgebook.evidence.loop_page import loop_bars, loop_section
from edgebook.evidence.loop_planted import (
    DEAD,
    HOLDS,
    MOVED,
    after_rows,
    baseline_rows,
    gain_points,
    planted_rules,
    power,
)
from edgebook.evidence.loop_summary import false_promotions, null_rules, summarised
from edgebook.evidence.naive_rules import EAGER, NEWEST, PAIRED_T, PATIENT, TWO_RATES


def market(source="synthetic", *, kind="no_edge", edge=0.0, then=()):
    return {"name": source, "source": source, "kind": kind, "edge": edge, "then": list(then), "seed": 1, "weeks": 52}


def arm(r, *, weeks=52, trades=1000, wins=450):
    return {"weeks": float(weeks), "r_week": r / weeks, "trades": trades, "wins": wins}


def trial(*, weeks=52, r=(0.0, 0.0), outcome="retired", rules=None, r_after=None, name="r2", since=0):
    never = dict.fromkeys((EAGER, PATIENT, TWO_RATES, PAIRED_T, NEWEST))
    after = {NEWEST: r[0] - r[1], **(r_after or {})}
    return {
        "arm": name, "against": "r1", "since": since, "weeks": weeks, "outcome": outcome, "r": list(r),
        "rules": never | {NEWEST: 0} | (rules or {}), "r_after": after,
    }  # fmt: skip


def null_run(source="random_walk", *, promoted=None, trials=None, weeks=52):
    """The challenger loses 20 R in all, 5 of them in the trial where it is promoted; the champion gains 10, 4 of it."""
    over = 52 if promoted is None else promoted
    made = [trial(weeks=over, r=(-20.0, 10.0) if promoted is None else (-5.0, 4.0))]
    return {
        "market": market(source), "weeks": weeks, "admitted": [{"week": 0, "recipe": "r2"}],
        "promoted": [] if promoted is None else [{"week": promoted, "recipe": "r2", "against": "r1"}],
        "rolled_back": [], "watches": [], "trials": made if trials is None else trials,
        "arms": {"r1": arm(10.0), "r2": arm(-20.0)},
    }  # fmt: skip


def planted_run(*, promoted=None, back=None, edge=0.04, kind="planted", then=(), wins=500, oracle=104.0):
    """Refit: +6 R until the promotion, +52 in all; frozen: -10 until then, -26 in all; frozen wins 45 %."""
    over = 52 if promoted is None else promoted
    r = (52.0, -26.0) if promoted is None else (6.0, -10.0)
    made = trial(
        weeks=over, r=r, outcome="retired" if promoted is None else "promoted",
        rules={EAGER: 2, PAIRED_T: None}, r_after={EAGER: r[0] - r[1] - 1.0},
    )  # fmt: skip
    run = {
        "market": market(kind=kind, edge=edge, then=then), "weeks": 52, "admitted": [{"week": 0, "recipe": "r2"}],
        "promoted": [], "rolled_back": [], "watches": [], "trials": [made], "oracle_r_week": oracle / 52,
        "arms": {"r1": arm(-26.0), "r2": arm(52.0, wins=wins), "newest": arm(52.0, wins=wins), "frozen": arm(-26.0)},
    }  # fmt: skip
    if promoted is not None:
        watched = min(26, 52 - promoted) if back is None else back - promoted
        run["promoted"] = [{"week": promoted, "recipe": "r2", "against": "r1"}]
        run["watches"] = [{"arm": "r1", "against": "r2", "weeks": watched, "outcome": "on trial"}]
    if back is not None:
        run["rolled_back"] = [{"week": back, "recipe": "r1", "against": "r2"}]
    return run


def test_exact_limits_of_no_event_are_those_of_the_rule_of_three():
    found = share([False] * 200)
    assert found["upper"] == pytest.approx(1 - 0.05 ** (1 / 200), abs=1e-6)
    assert (found["k"], found["low"]) == (0, 0.0)
    assert found["high"] == pytest.approx(1 - 0.025 ** (1 / 200), abs=1e-4)


def test_nobody_is_counted_as_nothing_known():
    assert share([]) == {"k": 0, "n": 0, "low": 0.0, "high": 1.0, "upper": 1.0}
    assert mean_over([])["mean"] is None
    assert rate_a_year(0, years=0.0)["rate"] is None
    assert weeks_until([]) == {"first_quarter": None, "median": None, "third_quarter": None}
    assert ratio_over([], [])["share"] is None


def test_most_allowed_leaves_at_most_a_fortieth_above_it():
    from math import comb

    def above(k):
        return sum(comb(50, i) * 0.05**i * 0.95 ** (50 - i) for i in range(k + 1, 51))

    k = most_allowed(50, rate=0.05)
    assert above(k) <= 0.025 < above(k - 1)


def test_mean_of_two_runs_has_the_interval_of_students_t():
    found = mean_over([0.0, 2.0])  # standard error 1, one degree of freedom: 12.706
    assert found["mean"] == 1.0
    assert found["high"] - found["mean"] == pytest.approx(12.7062, abs=1e-3)
    assert mean_over([3.0]) == {"n": 1, "mean": 3.0, "low": None, "high": None}


def test_a_share_of_sums_is_exact_where_all_runs_agree():
    found = ratio_over([1.0, 2.0, 3.0], [2.0, 4.0, 6.0])
    assert (found["share"], found["low"], found["high"]) == (0.5, 0.5, 0.5)
    assert ratio_over([1.0], [-1.0])["share"] is None


def test_a_run_never_promoted_is_later_than_any_week():
    assert weeks_until([10, None, None, None])["first_quarter"] == 10.0
    assert weeks_until([10, None, None, None])["median"] is None


def test_books_are_known_where_a_trial_ended():
    run = planted_run(promoted=10)
    weeks, r = curve(run, "newest")
    assert weeks.tolist() == [0.0, 10.0, 52.0]
    assert r.tolist() == pytest.approx([0.0, 6.0, 52.0])
    assert earned(run, "frozen", since=10, until=52) == pytest.approx(-16.0)


def test_a_later_trial_goes_on_where_the_one_before_it_ended():
    trials = [trial(weeks=20, r=(1.0, 2.0)), trial(name="r3", since=20, weeks=30, r=(5.0, 7.0))]
    run = {"trials": trials, "arms": {"r1": arm(12.0), "r3": arm(5.0, weeks=30)}}
    weeks, r = curve(run, "r1")
    assert dict(zip(weeks.tolist(), r.tolist(), strict=True)) == pytest.approx(
        {0.0: 0.0, 20.0: 2.0, 50.0: 9.0, 52.0: 12.0}
    )
    assert curve(run, "r3")[0].tolist() == [20.0, 50.0]


def test_the_loop_earns_what_its_champion_of_the_week_does():
    assert loop_r(planted_run()) == pytest.approx(-26.0)
    assert loop_r(planted_run(promoted=10)) == pytest.approx(-10.0 + 46.0)


def test_after_a_rollback_the_loop_earns_the_old_champions_mean_again():
    run = planted_run(promoted=10, back=31)
    run["arms"]["r2"] = arm(9.0, weeks=31)  # 3 R from the promotion until it was closed
    assert reigns(run) == [("r1", 0, 10), ("r2", 10, 31), ("r1", 31, 52)]
    assert loop_r(run) == pytest.approx(-10.0 + 3.0 - 16.0 * 21 / 42)


def test_what_a_false_promotion_brought_is_counted_while_both_ran():
    run = null_run(promoted=26)
    run["arms"]["r1"] = arm(8.0, weeks=40)  # 4 R in the 14 weeks after the promotion, then closed
    assert promotion_r(run) == pytest.approx(-15.0 * 14 / 26 - 4.0)
    assert promotion_r(null_run()) == 0.0


def test_a_run_that_promotes_twice_is_one_false_promotion_of_a_year():
    twice = null_run(promoted=5)
    twice["promoted"].append({"week": 30, "recipe": "r3", "against": "r2"})
    found = false_promotions([twice, null_run(), null_run("shuffled")])
    first = found["kinds"][NULLS.index("random_walk")]
    assert (first["k"], first["n"], first["promotions"]) == (1, 2, 2)
    assert (found["pooled"]["k"], found["pooled"]["n"], found["pooled"]["years"]) == (1, 3, 3.0)


def test_a_challenger_admitted_as_the_run_ends_has_had_no_trial():
    run = null_run()
    run["admitted"].append({"week": 52, "recipe": "r3"})
    assert false_promotions([run])["pooled"]["admitted"] == 1


def null_runs(a_kind, *, false=0, of=NULLS[0]):
    """As many runs of each kind, some of the first with a promotion."""
    return [null_run(kind, promoted=9 if kind == of and i < false else None) for kind in NULLS for i in range(a_kind)]


@pytest.mark.parametrize(("false", "status"), [(0, "met"), (5, "met"), (6, "not met")])
def test_the_bar_is_the_pooled_upper_limit(false, status):
    """Of 213 runs, 5 promotions have a one-sided upper limit of 4.87 %, 6 one of 5.48 %."""
    found = false_promotions(null_runs(71, false=false))
    assert (found["pooled"]["k"], found["status"]) == (false, status)


def test_the_bar_holds_in_every_kind_too():
    """500 runs allow 16 in all, upper limit 4.8 %; but 16 of the first 100 are more than 5 % leaves likely."""
    runs = null_runs(100, false=16) + [null_run("shuffled") for _ in range(200)]
    found = false_promotions(runs)
    assert found["pooled"]["upper"] < 0.05
    assert [row["within"] for row in found["kinds"]] == [False, True, True]
    assert found["status"] == "not met"


@pytest.mark.parametrize("runs", [null_runs(66), null_runs(90)[:220], [null_run(weeks=13), *null_runs(71)]])
def test_nothing_is_judged_before_there_are_enough_runs_of_a_year(runs):
    """198 runs; 220 of which 40 of the last kind; one run of a quarter."""
    found = summarised(runs)
    assert found["null"]["status"] == "not yet"
    assert "not yet: " in loop_bars(found)[0]


def test_stress_markets_are_shown_and_not_pooled():
    found = false_promotions([null_run()], stress=[null_run(STRESSES[0], promoted=3)])
    assert found["pooled"]["k"] == 0
    assert [row["k"] for row in found["stress"]] == [1, 0]


def test_false_rollbacks_are_counted_by_the_year_of_watch():
    run = null_run(promoted=20)
    run["watches"] = [{"arm": "r1", "against": "r2", "weeks": 13, "outcome": "rolled back"}]
    run["rolled_back"] = [{"week": 33, "recipe": "r1", "against": "r2"}]
    row = false_promotions([run])["pooled"]
    assert (row["watches"], row["rollbacks"]["k"], row["rollbacks"]["rate"]) == (1, 1, 4.0)


def test_rules_are_counted_once_a_run_and_their_r_over_all_its_trials():
    first = trial(weeks=20, r=(1.0, 3.0), rules={EAGER: 2}, r_after={EAGER: -1.5})
    second = trial(weeks=32, r=(5.0, 1.0), rules={EAGER: 1}, r_after={EAGER: 4.0}, name="r3", since=20)
    rows = null_rules([null_run(trials=[first, second]), null_run(trials=[trial(r=(0.0, 6.0))])])
    pooled = next(row for row in rows if row["runs"] == 2 and row["kind"] not in NULLS)
    assert pooled["trials"] == 3
    assert (pooled["rules"][EAGER]["k"], pooled["rules"][EAGER]["n"]) == (1, 2)
    assert pooled["rules"][EAGER]["r"]["mean"] == pytest.approx((2.5 + 0.0) / 2)
    assert pooled["rules"][NEWEST]["r"]["mean"] == pytest.approx((-2.0 + 4.0 - 6.0) / 2)
    assert pooled["rules"][GATE]["r"]["mean"] == 0.0


def test_on_planted_markets_a_promotion_holds_to_the_end_of_the_year():
    """The refit leads by 16 R until week 10 and by 62 after it; the eager rule misses 1 R of the first."""
    rules = planted_rules([planted_run(promoted=10)])[0]["rules"]
    assert rules[GATE]["r"]["mean"] == pytest.approx(62.0)
    assert rules[NEWEST]["r"]["mean"] == pytest.approx(78.0)
    assert rules[EAGER]["r"]["mean"] == pytest.approx(77.0)
    assert rules[PAIRED_T]["r"]["mean"] == 0.0
    assert (rules[GATE]["median"], rules[EAGER]["median"], rules[PAIRED_T]["median"]) == (10.0, 2.0, None)


def test_power_is_read_at_the_edge_whose_gain_is_nearest_to_five_points():
    """500 wins of 1,000 against 450 are 5 points; 480 are 3; 8 of 10 is the bar, and no more than that."""
    right = [planted_run(promoted=10 + i) for i in range(8)] + [planted_run() for _ in range(2)]
    small = [planted_run(edge=0.03, wins=480) for _ in range(10)]
    found = power(small + right)
    assert gain_points(right[0]) == pytest.approx(5.0)
    assert [row["kind"] for row in found["edges"]] == ["edge 0.03", "edge 0.04"]
    assert found["nearest"] == {"kind": "edge 0.04", "status": "met"}
    row = found["edges"][1]
    assert (row["k"], row["n"], row["median"], row["third_quarter"]) == (8, 10, 14.0, 17.0)
    assert [row["curve"][week] for week in (9, 10, 17, 52)] == [0.0, 0.1, 0.8, 0.8]
    assert power([*right[1:], planted_run()])["nearest"]["status"] == "not met"
    assert (found["own"]["k"], found["own"]["n"], found["own"]["status"]) == (8, 20, "not met")
    assert [(row["above"], row["k"], row["n"]) for row in found["bins"]] == [(2.0, 0, 10), (4.0, 8, 10)]


def test_an_edge_far_from_five_points_does_not_test_the_bar():
    found = power([planted_run(wins=460) for _ in range(20)])
    assert found["nearest"]["status"] == "not tested"
    assert power([planted_run()])["nearest"]["status"] == "not yet"
    assert power([])["nearest"] is None


def test_a_rollback_is_right_only_after_the_edge_has_died():
    assert SWITCH_WEEK == 26
    dead = planted_run(promoted=20, back=30, kind="switching", then=())
    moved = planted_run(promoted=30, back=33, kind="switching", then=("H",))
    holds = planted_run(promoted=39, back=52)
    rows = {row["state"]: row for row in after_rows([dead, moved, holds, planted_run()])}
    assert {state: (row["watched"], row["rollbacks"]["k"]) for state, row in rows.items()} == {
        HOLDS: (2, 1), MOVED: (1, 1), DEAD: (1, 1),
    }  # fmt: skip
    assert rows[HOLDS]["rollbacks"]["years"] == pytest.approx((13 + 6) / 52)
    assert rows[DEAD]["rollbacks"]["years"] == pytest.approx(4 / 52)
    assert rows[MOVED]["rollbacks"]["years"] == pytest.approx(3 / 52)


def test_regret_is_what_the_newest_brings_before_the_gate_has_seen_enough():
    row = baseline_rows([planted_run(promoted=10) for _ in range(3)])[0]
    assert {name: one["mean"] for name, one in row["arms"].items()} == pytest.approx(
        {"frozen": -0.5, "loop": 36 / 52, "newest": 1.0, "oracle": 2.0}
    )
    assert (row["gain"]["mean"], row["regret"]["mean"]) == pytest.approx((78.0, 16.0))
    assert row["kept"]["share"] == pytest.approx(62 / 78)
    assert row["better"]
    assert not baseline_rows([planted_run()])[0]["better"]  # one run has no interval


@pytest.fixture(scope="module")
def found():
    runs = [*null_runs(2, false=1), null_run(STRESSES[1])]
    runs += [planted_run(promoted=10 + i) for i in range(3)] + [planted_run(edge=0.03)]
    runs += [planted_run(promoted=20, back=30, kind="switching", then=())]
    return summarised(runs)


def test_the_summary_is_json_and_the_runs_are_left_alone(found):
    assert json.loads(json.dumps(found)) == found
    run = planted_run(promoted=10, back=31)
    before = copy.deepcopy(run)
    summarised([run])
    assert run == before


def test_the_page_says_every_number_that_it_judges_by(found):
    text = loop_section(found)
    assert "not yet: 6 of 200 runs" in text
    assert "| random walk | 2 | 2 | 2 | 1 | 50% [1%, 99%] |" in text
    assert "real bars, weeks' signs flipped (stress)" in text
    assert "| an edge that dies | 1 |" in text
    assert "nan" not in text
    assert "None" not in text


@pytest.mark.parametrize("runs", [[], [null_run()], [planted_run()]])
def test_page_and_pictures_stand_on_however_few_runs(runs):
    few = summarised(runs)
    text = loop_section(few)
    assert "None" not in text
    assert "nan" not in text
    assert set(loop_pictures(few)) == set(loop_captions(few))


def test_pictures_are_the_same_bytes_again_and_named_on_the_page(found):
    first, second = loop_pictures(found), loop_pictures(found)
    assert {name: one.data for name, one in first.items()} == {name: one.data for name, one in second.items()}
    for name, text in loop_captions(found).items():
        assert f"![{text}](evidence/{name}.png)" in loop_section(found)
        assert text.split(".")[0] in first[name].words
