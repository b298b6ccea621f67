"""Cells: noise earns no badge, a planted cell does, and shrinking pays."""

import functools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from edgebook.errors import DataError
from edgebook.statistics import cells, shrinkage

START = pd.Timestamp("2018-01-01", tz="UTC")
NESTED = [["enter_tag"], ["enter_tag", "regime"], ["enter_tag", "regime", "pair", "timeframe"]]


def market(seed, *, n=2500, weeks=60, overlap=0.0, edge=0.0):
    """Coin flips of about one R; trades of one week share `overlap` of their luck; one cell may have an edge."""
    rng = np.random.default_rng(seed)
    hours = np.sort(rng.integers(0, weeks * 168, n))
    frame = pd.DataFrame(
        {
            "open_date": START + pd.to_timedelta(hours, unit="h"),
            "enter_tag": rng.choice([f"p{i:02d}" for i in range(16)], n),
            "regime": rng.choice(["bull", "bear", "range", "wild"], n),
            "pair": rng.choice(list("ABCDE"), n),
            "timeframe": rng.choice(["1h", "4h"], n),
        }
    )
    luck = np.sqrt(overlap) * rng.normal(size=weeks)[hours // 168] + np.sqrt(1 - overlap) * rng.normal(size=n)
    planted = (frame["enter_tag"] == "p03") & (frame["regime"] == "range")
    truth = 0.5 + edge * planted
    won = stats.norm.cdf(luck) > 1 - truth
    r_multiple = np.where(won, 0.95, -1.05)
    return frame.assign(r_multiple=r_multiple, profit_ratio=r_multiple / 50, truth=truth)


def report_cells(trades):
    """All cells of a report: three crossed levels and three plain groupings, badged as one family."""
    tables = [cells.cell_table(trades, groupings=NESTED[: depth + 1]) for depth in range(3)]
    tables += [cells.cell_table(trades, groupings=[[name]]) for name in ("regime", "pair", "timeframe")]
    return cells.award_badges(pd.concat(tables, ignore_index=True))


@functools.cache
def noise(overlap):
    """Cells of 30 datasets without any edge."""
    return [report_cells(market(seed, overlap=overlap)) for seed in range(30)]


@pytest.mark.parametrize("overlap", [0.0, 0.2])
def test_noise_rarely_earns_a_badge(overlap):
    badged = sum((found["badge"] != "").any() for found in noise(overlap))
    assert badged <= 5  # 10 % of 30 is 3; more than 5 has probability 0.07 at exactly 10 %


def test_p_values_that_ignored_the_overlap_would_badge_noise():
    badged = 0
    for seed in range(15):
        trades = market(seed, overlap=0.5, n=1500)
        regime = np.array(["bull", "bear", "range", "wild"])[(trades["open_date"] - START).dt.days // 7 % 4]
        trades = trades.assign(regime=regime)  # a regime holds whole weeks
        alone = trades.assign(open_date=START + pd.to_timedelta(np.arange(len(trades)) * 7, unit="D"))
        naive = cells.award_badges(cells.cell_table(alone, groupings=[["regime"]]))
        honest = cells.award_badges(cells.cell_table(trades, groupings=[["regime"]]))
        assert (honest["n_effective"] < naive["n_effective"]).all()
        assert (honest["badge"] == "").sum() >= (naive["badge"] == "").sum()
        badged += (naive["badge"] != "").any()
    assert badged >= 8


def test_shrunk_error_is_many_times_smaller_than_raw_on_noise():
    raw, shrunk = [], []
    for found in noise(0.0):
        finest = found[found["timeframe"].notna() & found["pair"].notna()]
        raw.append(((finest["win_rate"] - 0.5) ** 2).mean())
        shrunk.append(((finest["shrunk_win_rate"] - 0.5) ** 2).mean())
    assert np.sqrt(np.mean(raw) / np.mean(shrunk)) > 8


def test_raw_top_cells_of_noise_look_perfect_and_shrunk_ones_do_not():
    finest = noise(0.0)[0].dropna(subset=["pair", "enter_tag"])
    best = finest.nlargest(20, "win_rate")
    assert best["win_rate"].min() == 1.0
    assert best["shrunk_win_rate"].max() < 0.6


def test_a_planted_cell_is_found_and_named():
    found, strangers = 0, 0
    for seed in range(12):
        table = report_cells(market(seed, overlap=0.1, edge=0.4))
        badged = table[table["badge"] != ""]
        home = badged[(badged["enter_tag"] == "p03") & (badged["regime"] == "range")]
        found += (home["badge"] == "better").any()
        strangers += ((badged["enter_tag"] != "p03") & badged["enter_tag"].notna()).any()
    assert found >= 11
    assert strangers <= 3


def test_intervals_of_shrunk_rates_cover_the_truth_across_cells():
    covered = []
    for seed in range(8):
        trades = market(seed, overlap=0.1, edge=0.25)
        table = cells.cell_table(trades, groupings=NESTED[:2])
        truth = trades.groupby(NESTED[1])["truth"].mean().to_numpy()
        covered.append(((table["shrunk_win_rate_low"] <= truth) & (truth <= table["shrunk_win_rate_high"])).mean())
    assert np.mean(covered) > 0.93


def test_a_cell_is_shrunk_between_itself_and_its_parent():
    trades = market(3, edge=0.4)
    table = cells.cell_table(trades, groupings=NESTED[:2])
    parents = cells.cell_table(trades, groupings=NESTED[:1]).set_index("enter_tag")["shrunk_win_rate"]
    parent = table["enter_tag"].map(parents)
    low = np.minimum(table["win_rate"], parent) - 1e-6
    high = np.maximum(table["win_rate"], parent) + 1e-6
    assert table["shrunk_win_rate"].between(low, high).all()


def test_binomial_moments_by_a_plain_loop():
    rng = np.random.default_rng(9)
    member = np.repeat(np.arange(30), 40)
    values = (rng.random(1200) < rng.beta(12, 12, size=30)[member]).astype(float)
    alone = np.arange(1200)  # one trade a cluster: effective numbers are plain ones
    found = shrinkage.shrink(values, levels=[member], trade=alone, all_values=values, all_clusters=alone, kind="rate")
    mean = values.mean()
    excess = sum(40 * (values[member == g].mean() - mean) ** 2 / (mean * (1 - mean)) for g in range(30)) - 29
    phi = excess / (29 * 39)
    keep = 40 / (40 + 1 / phi - 1)
    expected = [mean + keep * (values[member == g].mean() - mean) for g in range(30)]
    assert found.value.tolist() == pytest.approx(expected)
    assert 1 / phi - 1 == pytest.approx(24, rel=0.6)  # the beta's own a + b


def test_rate_p_value_is_the_exact_binomial_tail_when_the_rest_is_large():
    values = np.concatenate([np.ones(9), np.zeros(3), np.tile([0.0, 1.0], 50_000)])
    member = np.concatenate([np.zeros(12, dtype=np.int64), np.ones(100_000, dtype=np.int64)])
    alone = np.arange(values.size)
    found = shrinkage.shrink(values, levels=[member], trade=alone, all_values=values, all_clusters=alone, kind="rate")
    assert found.p_value[0] == pytest.approx(2 * stats.binom.sf(8, 12, 0.5), rel=1e-3)


def test_groups_that_overlap_are_shrunk_toward_all_trades():
    trades = market(1, n=600)
    letters = pd.DataFrame({"trade": np.tile(trades.index, 2), "head": np.repeat(["A", "B"], 600)}).query(
        "head == 'A' or trade % 3 == 0"
    )
    table = cells.cell_table(trades, groupings=[["head"]], members=letters).set_index("head")
    assert table["n"].to_dict() == {"A": 600, "B": 200}
    assert np.isnan(table.loc["A", "p_value"])  # nothing outside it to compare with
    assert table.loc["A", "shrunk_win_rate"] == pytest.approx((trades["profit_ratio"] > 0).mean(), abs=1e-6)
    assert 0 < table.loc["B", "p_value"] <= 1


def test_cells_with_few_trades_are_shown_and_not_tested():
    trades = pd.concat([market(2, n=300), market(5, n=4).assign(enter_tag="rare")], ignore_index=True)
    found = cells.award_badges(cells.cell_table(trades, groupings=[["enter_tag"]])).set_index("enter_tag")
    assert found.loc["rare", ["n", "tested", "badge"]].tolist() == [4, False, ""]
    assert np.isnan(found.loc["rare", "q_value"])


def test_no_trades_give_no_cells():
    empty = market(0, n=10).iloc[:0]
    found = cells.award_badges(cells.cell_table(empty, groupings=[["enter_tag"]]))
    assert found.empty and "badge" in found


def test_one_group_of_all_trades_has_nothing_to_be_compared_with():
    found = cells.award_badges(cells.cell_table(market(0, n=50).assign(pair="A"), groupings=[["pair"]]))
    assert found["badge"].tolist() == [""] and np.isnan(found["p_value"]).all()


def test_groupings_that_do_not_nest_are_refused():
    with pytest.raises(DataError, match="does not contain"):
        cells.cell_table(market(0, n=50), groupings=[["pair"], ["regime"]])


def test_order_of_rows_does_not_matter():
    trades = market(4, n=400)
    shuffled = trades.sample(frac=1.0, random_state=1)
    pd.testing.assert_frame_equal(
        cells.cell_table(trades, groupings=NESTED), cells.cell_table(shuffled, groupings=NESTED)
    )
