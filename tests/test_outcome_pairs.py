"""Combinations: against a plain loop, on noise, and on markets whose truth is known."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from edgebook.analyses.outcome_groups import group_table
from edgebook.analyses.outcome_lifts import Closed
from edgebook.analyses.outcome_pairs import leading_pairs, pair_table, single_table, survivors
from edgebook.bars.synthetic import make_market
from edgebook.errors import DataError
from edgebook.figures import figures_combinations
from edgebook.indicators import CATALOGUE, compute_indicators
from edgebook.outcomes.candidates import label_candidates
from edgebook.outcomes.outcomes import known_outcomes
from edgebook.patterns import find_patterns
from edgebook.reports import outcome_combination_readings as readings
from edgebook.reports import outcome_combination_tables as tables
from edgebook.settings.exit_plans import Costs, exit_plan_grid
from edgebook.statistics.intervals import weeks_since_epoch

HEAD = {indicator.name: indicator.head for indicator in CATALOGUE}
NAMES = tuple("abcdefghij")


def noise(seed, *, n=12_000, weeks=60, parts=None, together=0.0):
    """Ten things that agree half of the time, in spells; weeks share their luck; `parts` add to the chance of a win.

    `together` is what the first and the second add when both agree, beyond their parts.
    """
    rng = np.random.default_rng(seed)
    week = np.sort(rng.integers(0, weeks, n))
    agrees = rng.random((n, 10)) < rng.uniform(0.2, 0.8, (weeks, 10))[week]
    chance = 0.45 + 0.05 * rng.standard_normal(weeks)[week]
    for name, lift in (parts or {}).items():
        chance = chance + lift * agrees[:, name]
    won = rng.random(n) < chance + together * (agrees[:, 0] & agrees[:, 1])
    stratum = rng.integers(0, 4, n)
    return Closed(won=won, r_multiple=np.where(won, 1.2, -1.0), week=week, stratum=stratum), agrees


def plain_pair(closed, one, other):
    """Lift, interaction and their errors of one pair, candidate by candidate."""
    y = closed.won - np.array([closed.won[closed.stratum == s].mean() for s in closed.stratum])
    cells = [one & other, one & ~other, ~one & other, ~one & ~other]

    def error(influence):
        weeks = sorted(set(closed.week))
        sums = {w: influence[closed.week == w].sum() for w in weeks}
        shared = sum(sums[w] * sums[w + 1] for w in weeks if w + 1 in sums)
        total = (sum(s**2 for s in sums.values()) + max(0.0, shared)) * len(weeks) / (len(weeks) - 1)
        return max(total, y.var() / min(cell.sum() for cell in used)) ** 0.5

    used = cells[:1]
    lift = y[cells[0]].mean()
    lift_error = error(cells[0] * (y - lift) / cells[0].sum() - (y - y.mean()) / len(y))
    used = cells
    means = [y[cell].mean() for cell in cells]
    joint = means[0] - means[1] - means[2] + means[3]
    influence = sum(
        sign * cell * (y - mean) / cell.sum() for cell, mean, sign in zip(cells, means, (1, -1, -1, 1), strict=True)
    )
    return lift, lift_error, joint, error(influence)


def test_a_pair_agrees_with_a_plain_loop():
    closed, agrees = noise(3, n=900, weeks=20, parts={0: 0.1})
    closed = replace(closed, week=np.where(closed.week > 9, closed.week + 5, closed.week))  # a gap: no neighbours
    found = pair_table(closed, agrees, names=NAMES).iloc[0]
    lift, lift_error, joint, joint_error = plain_pair(closed, agrees[:, 0], agrees[:, 1])
    both = agrees[:, 0] & agrees[:, 1]
    assert (found["first"], found["second"], found["n"]) == ("a", "b", both.sum())
    assert found["win_rate"] == pytest.approx(closed.won[both].mean(), abs=1e-6)
    assert found["mean_r"] == pytest.approx(closed.r_multiple[both].mean(), abs=1e-6)
    sizes = np.bincount(closed.week[both])
    half = stats.t.ppf(0.975, both.sum() ** 2 / (sizes**2).sum() - 1) * lift_error
    assert [found["lift"], found["lift_low"]] == pytest.approx([lift, lift - half], abs=2e-6)
    assert found["interaction"] == pytest.approx(joint, abs=1e-6)
    assert found["expected_win_rate"] == pytest.approx(found["win_rate"] - joint, abs=2e-6)
    # The smallest of the four cells says how many weeks the interaction rests on.
    spread = [
        cell.sum() ** 2 / (np.bincount(closed.week[cell]) ** 2).sum()
        for cell in (both, agrees[:, 0] & ~agrees[:, 1], ~agrees[:, 0] & agrees[:, 1], ~(agrees[:, 0] | agrees[:, 1]))
    ]
    width = (found["interaction_high"] - found["interaction_low"]) / 2
    assert width == pytest.approx(stats.t.ppf(0.975, min(spread) - 1) * joint_error, abs=2e-6)


def test_noise_earns_no_badge_more_often_than_one_market_in_ten():
    tables = [pair_table(*noise(seed), names=NAMES) for seed in range(40)]
    for question in ("lift", "interaction"):
        false = sum((table[f"{question}_badge"] != "").any() for table in tables)
        assert stats.binom.cdf(false - 1, 40, 0.10) < 0.99, question
        covered = np.mean([(t[f"{question}_low"] <= 0) & (t[f"{question}_high"] >= 0) for t in tables])
        assert covered > 0.92, question


def test_shrinking_noise_pays():
    table = pair_table(*noise(1), names=NAMES)
    for question in ("lift", "interaction"):
        raw, shrunk = (np.sqrt((table[column] ** 2).mean()) for column in (question, f"shrunk_{question}"))
        assert shrunk < raw / 3, question


def test_parts_that_add_win_together_and_do_not_interact():
    table = pair_table(*noise(5, parts={2: 0.12, 7: 0.12}), names=NAMES)
    best = leading_pairs(table, by="lift", top=1).iloc[0]
    assert (best["first"], best["second"], best["lift_badge"]) == ("c", "h", "better")
    assert survivors(table, by="interaction")[:2] == (0, 0)
    own = table.set_index(["first", "second"]).loc[("c", "h")]
    assert own["expected_win_rate"] == pytest.approx(own["win_rate"], abs=0.04)
    alone = single_table(*noise(5, parts={2: 0.12, 7: 0.12}), names=NAMES).set_index("name")
    assert set(alone["shrunk_lift"].nlargest(2).index) == {"c", "h"}


def test_a_pair_that_wins_only_together_is_found_by_its_interaction():
    table = pair_table(*noise(6, together=0.2), names=NAMES)
    better = table[table["interaction_badge"] == "better"]
    assert better[["first", "second"]].to_numpy().tolist() == [["a", "b"]]
    found = better.iloc[0]
    assert found["interaction_low"] < 0.2 < found["interaction_high"]
    assert 0 < found["shrunk_interaction"] < found["interaction"]


def test_what_is_tested_depends_on_the_votes_alone():
    closed, agrees = noise(7)
    agrees[:, 4] = False  # never agrees
    agrees[:, 5] = closed.week < 5  # agrees in five weeks only
    first = pair_table(closed, agrees, names=NAMES)
    other = pair_table(replace(closed, won=~closed.won), agrees, names=NAMES)
    silent = first["first"].isin(["e", "f"]) | first["second"].isin(["e", "f"])
    assert first.loc[silent, "lift_q_value"].isna().all()
    assert first.loc[~silent, "lift_q_value"].notna().all()
    assert (first["lift_q_value"].isna() == other["lift_q_value"].isna()).all()
    assert first.loc[silent, "n"].min() == 0


def test_no_name_fills_the_list():
    table = pair_table(*noise(8, parts={0: 0.2}), names=NAMES)
    leading = leading_pairs(table, by="lift", top=4, each=2)
    best = leading.head(4)
    assert (best["first"] == "a").sum() + (best["second"] == "a").sum() == 2
    assert len(leading) == 8
    assert not leading.duplicated(["first", "second"]).any()


def test_combinations_are_shown_without_gaps_and_said_in_words() -> None:
    closed, agrees = noise(9)
    pairs, alone = (make(closed, agrees, names=tuple("ABCDEFGHIJ")) for make in (pair_table, single_table))
    cells = group_table(*groups(3), groupings=NESTED)
    cells = cells.assign(name=cells["pattern"].str.cat([cells["regime"], cells["symbol"]], sep=" · "))
    shown = [
        figures_combinations.pairs_picture(pairs, by="interaction"),
        figures_combinations.heads_picture(alone, pairs),
        tables.pairs_table(pairs, by="lift"),
        tables.pairs_table(pairs, by="interaction"),
        tables.groups_table(cells, kind="pattern, regime and symbol"),
        readings.pairs_reading(pairs, by="lift"),
        readings.groups_reading(cells, kind="pattern"),
    ]
    assert all("nan" not in repr(one).lower() for one in shown)
    none = repr(readings.pairs_reading(pairs, by="interaction"))
    assert none.startswith(
        "No pair of indicators wins more or less than its parts say at a false-discovery rate of 10 % (0 of 45 tested)."
    )
    assert "That is what the first of 45 looks like by chance." in none
    assert "No combination survives 10 % (0 of 108 tested, 108 in all)" in repr(
        readings.groups_reading(cells, kind="pattern")
    )
    found = repr(readings.pairs_reading(pair_table(*noise(6, together=0.2), names=NAMES), by="interaction"))
    assert found.startswith("Pairs of indicators that win more than their parts say: 1, less: 0")
    assert "**a + b**" in found


def test_before_anything_has_closed_there_is_nothing_to_say() -> None:
    whole = np.zeros(0, np.int64)
    closed = Closed(won=whole.astype(bool), r_multiple=whole.astype(float), week=whole, stratum=whole)
    pairs = pair_table(closed, np.zeros((0, 10), bool), names=tuple("ABCDEFGHIJ"))
    alone = single_table(closed, np.zeros((0, 10), bool), names=tuple("ABCDEFGHIJ"))
    assert len(pairs) == 45 and pairs["n"].max() == 0
    labels = groups(1)[1].iloc[:0]
    cells = group_table(closed, labels, groupings=NESTED).assign(name="")
    for shown in (
        figures_combinations.pairs_picture(pairs, by="lift"),
        figures_combinations.heads_picture(alone, pairs),
        tables.pairs_table(pairs, by="lift"),
        tables.groups_table(cells, kind="pattern"),
        readings.pairs_reading(pairs, by="lift"),
        readings.groups_reading(cells, kind="pattern"),
    ):
        assert "nan" not in repr(shown).lower()


# Nested groups.


def groups(seed, *, n=20_000, weeks=60, lift=0.0):
    rng = np.random.default_rng(seed)
    week = np.sort(rng.integers(0, weeks, n))
    labels = pd.DataFrame(
        {
            "pattern": rng.choice([f"p{i:02d}" for i in range(12)], n),
            "regime": rng.choice(["bull", "bear", "range"], n),
            "symbol": rng.choice(list("ABC"), n),
        }
    )
    # The luck of a week differs from pattern to pattern, so that one design effect for all would not do.
    luck = rng.standard_normal((weeks, 12)) * np.linspace(0.0, 0.15, 12)
    chance = 0.45 + luck[week, labels["pattern"].str[1:].astype(int)]
    planted = (labels["pattern"] == "p01") & (labels["regime"] == "bear")
    won = rng.random(n) < chance + lift * planted
    closed = Closed(won=won, r_multiple=np.where(won, 1.2, -1.0), week=week, stratum=np.zeros(n, np.int64))
    return closed, labels


NESTED = [["pattern"], ["pattern", "regime"], ["pattern", "regime", "symbol"]]


def test_groups_of_noise_earn_no_badge_more_often_than_one_market_in_ten():
    tables = [group_table(*groups(seed), groupings=NESTED) for seed in range(40)]
    false = sum((table["badge"] != "").any() for table in tables)
    assert stats.binom.cdf(false - 1, 40, 0.10) < 0.99
    raw, shrunk = (np.mean([(table[c] ** 2).mean() for table in tables]) for c in ("lift", "shrunk_lift"))
    assert shrunk < raw / 3


def test_a_planted_group_is_found_and_lifts_its_symbols():
    closed, labels = groups(2, lift=0.25)
    by_regime = group_table(closed, labels, groupings=NESTED[:2]).set_index(["pattern", "regime"])
    assert by_regime["badge"].to_dict()[("p01", "bear")] == "better"
    assert by_regime.loc[("p01", "bear"), "n"] == ((labels["pattern"] == "p01") & (labels["regime"] == "bear")).sum()
    whole = group_table(closed, labels, groupings=NESTED)
    assert len(whole) == 108
    assert (whole["n"].sum(), whole["tested"].all()) == (len(labels), True)
    mine = (whole["pattern"] == "p01") & (whole["regime"] == "bear")
    assert (whole.loc[mine, "badge"] == "").all()  # one effect, one badge: its symbols do not differ from each other
    assert whole.loc[mine, "shrunk_lift"].min() > whole.loc[~mine, "shrunk_lift"].max()


def test_a_group_that_always_lost_is_not_certain():
    closed, labels = groups(4)
    few = np.flatnonzero(labels["pattern"] == "p05")[::40]  # over all the weeks
    labels["pattern"] = labels["pattern"].mask(labels["pattern"] == "p05", "p04")
    labels.loc[few, "pattern"] = "p05"
    won = closed.won.copy()
    won[few] = False
    table = group_table(replace(closed, won=won), labels, groupings=NESTED[:1]).set_index("pattern")
    assert table.loc["p05", "lift_high"] - table.loc["p05", "lift_low"] > 0.3  # the sums by week alone say 0.05
    assert table.loc["p05", "n_effective"] <= len(few) < 50


def test_groupings_that_do_not_nest_are_refused():
    with pytest.raises(DataError, match=r"grouping \['regime'\] does not contain \['pattern'\]"):
        group_table(*groups(1), groupings=[["pattern"], ["regime"]])


# Markets whose truth is known.


@functools.cache
def market(kind, seed, *, weeks=40):
    """Closed candidates of a market, votes that agreed, and true signals of the heads that did."""
    planted = {"heads": ("D", "F", "H"), "edge": 0.1, "edge_starts": "2017-01-30"} if kind == "planted" else {}
    made = make_market(kind=kind, pairs=2, weeks=weeks, seed=seed, **planted)
    votes = compute_indicators(made.bars, find_patterns(made.bars))[1]
    plans = exit_plan_grid(take_profit_atr=[2.0], stop_loss_atr=[1.5], time_limit_bars=[24])
    labelled = label_candidates(made.bars, plans, costs=Costs(7.5, 2.5, 1.0), atr_bars=14)
    outcomes = known_outcomes(next(iter(labelled.values())))
    joined = outcomes.merge(votes, on=["pair", "timeframe", "date"]).merge(made.signals, on=["pair", "date"])
    side = np.where(joined["is_short"], -1, 1)[:, None]
    closed = Closed(
        won=(joined["profit_ratio"] > 0).to_numpy(),
        r_multiple=joined["r_multiple"].to_numpy(),
        week=weeks_since_epoch(joined["date"]),
        stratum=joined.groupby(["pair", "is_short"]).ngroup().to_numpy().astype(np.int64),
    )
    heads = [name for name in made.signals.columns if name in set("ABCDEFHI")]
    return closed, joined[list(HEAD)].to_numpy() * side > 0, joined[heads].to_numpy() * side > 0.3, heads


def test_on_a_market_without_an_edge_hardly_a_pair_survives():
    # Over 40 markets of 60 weeks and 40 of 26: see docs/decisions.md.
    for seed in (1, 2):
        closed, votes, *_ = market("no_edge", seed)
        table = pair_table(closed, votes, names=tuple(HEAD))
        assert len(table) == 2346
        assert (table["lift_badge"] != "").sum() <= 2
        assert (table["interaction_badge"] != "").sum() <= 2


def test_the_pairs_that_win_are_those_of_the_heads_with_the_edge():
    closed, votes, *_ = market("planted", 1)
    table = pair_table(closed, votes, names=tuple(HEAD))
    better, _, tested = survivors(table, by="lift")
    assert better > 100 and tested > 1900
    best = leading_pairs(table, by="lift", top=5, each=5).head(5)
    heads = [HEAD[first] + HEAD[second] for first, second in zip(best["first"], best["second"], strict=True)]
    assert sum(set(pair) <= set("DFH") for pair in heads) >= 3, heads
    assert all(set(pair) & set("DFH") for pair in heads)
    # The drift of the market adds up, so that few pairs win more than their parts say.
    assert sum(survivors(table, by="interaction")[:2]) < better / 10


def test_the_sets_of_heads_that_win_are_those_with_the_edge():
    closed, _, agrees, heads = market("planted", 1)
    pairs = pair_table(closed, agrees, names=heads).sort_values("shrunk_lift", ascending=False)
    assert {frozenset(pair) for pair in pairs[["first", "second"]].head(3).to_numpy()} == {
        frozenset("DF"), frozenset("DH"), frozenset("FH"),
    }  # fmt: skip
    assert (pairs.head(3)["lift_badge"] == "better").all()
    planted = [i for i, head in enumerate(heads) if head in "DFH"]
    sets = ["".join(head for head, on in zip("DFH", row, strict=True) if on) or "none" for row in agrees[:, planted]]
    table = group_table(closed, pd.DataFrame({"head_set": sets}), groupings=[["head_set"]]).set_index("head_set")
    assert table["shrunk_lift"].idxmax() == "DFH"
    assert table["shrunk_lift"].idxmin() == "none"
    assert (table["badge"]["DFH"], table["badge"]["none"]) == ("better", "worse")
    closed, _, agrees, heads = market("no_edge", 1)
    assert sum(survivors(pair_table(closed, agrees, names=heads), by="lift")[:2]) <= 1
