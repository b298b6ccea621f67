"""Importance: oracles for the tests, their error on no-edge markets, their power on planted ones, and the decision."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from edgebook.errors import DataError, SettingsError
from edgebook.importance.circular_shift import max_t_p_values, shift_offsets, shifted_outcomes, tree_test
from edgebook.importance.contributions import shrink_toward, vote_contributions
from edgebook.importance.importance import Evidence, gather_evidence, keep_list
from edgebook.importance.importance_clusters import (
    benjamini_hochberg,
    cluster_indicators,
    cluster_signals,
    hac_lags,
    newey_west,
)
from edgebook.importance.importance_rows import ImportanceRows, importance_rows
from edgebook.importance.importance_run import (
    SEALED_NAME,
    importance_due,
    importance_text,
    kept_in_force,
    read_importance,
    sealed_importance,
    write_importance,
)
from edgebook.importance.permutation import permutation_importance
from edgebook.paths import Paths

HOLD = 12
START = pd.Timestamp("2018-01-01", tz="UTC")
HEADS = {f"c{c}_{m}": "ABCD"[c // 2] for c in range(8) for m in range(3)}


def market(seed: int, *, weeks: int = 40, line: dict[int, float] | None = None, vee: dict[int, float] | None = None):
    """Three pairs, eight clusters of three indicators each, outcomes of twelve overlapping bars.

    Cluster c moves as an AR(1), the slower the higher c; its middle member points the other way. `line` plants a
    drift a bar of so many standard deviations times the cluster's signal, `vee` one times its distance from zero.
    """
    rng = np.random.default_rng(seed)
    bars = weeks * 168
    dates = pd.date_range(START, periods=bars, freq="h").as_unit("ms")
    shared = rng.standard_normal(bars + HOLD)
    speed = np.linspace(0.5, 0.97, 8)
    indicators, outcomes = [], []
    for pair in ("A", "B", "C"):
        signal = rng.standard_normal((bars, 8))
        for t in range(1, bars):
            signal[t] = speed * signal[t - 1] + np.sqrt(1 - speed**2) * signal[t]
        noise = 0.5 * rng.standard_normal((bars, 8, 3))
        members = signal[:, :, None] * np.array([1.0, -1.0, 1.0]) + noise
        columns = {f"c{c}_{m}": members[:, c, m].astype(np.float32) for c in range(8) for m in range(3)}
        key = {"pair": pair, "timeframe": "1h", "date": dates}
        indicators.append(pd.DataFrame(key | columns))
        returns = 0.6 * shared + 0.8 * rng.standard_normal(bars + HOLD)
        for cluster, strength in (line or {}).items():
            returns[1 : bars + 1] += strength * signal[:, cluster]
        for cluster, strength in (vee or {}).items():
            returns[1 : bars + 1] += strength * (np.abs(signal[:, cluster]) - 0.8)
        path = np.cumsum(returns)
        move = (path[HOLD : bars + HOLD] - path[:bars]) / np.sqrt(HOLD)
        for is_short in (False, True):
            r = np.clip((-1 if is_short else 1) * 1.2 * move, -1, 1.5) - 0.05
            result = {"is_short": is_short, "r_multiple": r, "profit_ratio": r / 100}
            known = dates + pd.Timedelta(hours=HOLD)
            outcomes.append(pd.DataFrame(key | result | {"close_date": known, "known_at": known}))
    return pd.concat(indicators, ignore_index=True), pd.concat(outcomes, ignore_index=True)


def evidence(seed: int, *, rows: int = 3_000, **planted: Any) -> Evidence:
    indicators, outcomes = market(seed, **planted)
    at = outcomes["known_at"].max()
    return gather_evidence(
        indicators, outcomes, at=at, false_discovery_rate=0.1, shifts=19, rows=rows, seed=seed
    )  # fmt: skip


# The data they are measured on.


def test_only_bars_known_on_both_sides_by_then_enter_and_none_for_being_quick() -> None:
    hours = [START + pd.Timedelta(hours=h) for h in range(8)]
    indicators = pd.DataFrame({"pair": "A", "timeframe": "1h", "date": hours[:6], "x": [3.0, 1.0, 2.0, 9.0, 8.0, 7.0]})
    rows = [  # date, side, hours to the outcome
        (0, False, 1), (0, True, 3), (1, False, 1), (1, True, 1), (2, False, 2), (2, True, 1), (3, False, 1),
        (4, False, 1), (4, True, 1),
    ]  # fmt: skip
    outcomes = pd.DataFrame(
        [("A", "1h", hours[d], s, float(10 * d + s), hours[min(d + h, 7)]) for d, s, h in rows],
        columns=["pair", "timeframe", "date", "is_short", "r_multiple", "known_at"],
    )
    measured = importance_rows(indicators, outcomes, at=hours[5])
    # Bar 3 has one side only. Bar 4 is known by hour 5, but a slow outcome (three hours) of it would not be.
    assert measured.date_ms.tolist() == [int(hours[d].timestamp() * 1000) for d in (0, 1, 2)]
    assert measured.known_at_ms.tolist() == [int(hours[d].timestamp() * 1000) for d in (3, 2, 4)]
    assert np.allclose(measured.edge_r, 0.0)  # long less short is -1 throughout, less its mean
    assert np.argsort(measured.ranks[:, 0]).tolist() == [1, 2, 0]
    with pytest.raises(DataError, match="none is known at 2018-01-01"):
        importance_rows(indicators, outcomes, at=START)


def test_outcomes_that_come_later_change_nothing() -> None:
    indicators, outcomes = market(3, weeks=6)
    at = START + pd.Timedelta(weeks=4)
    late = outcomes["known_at"] > at
    assert late.any()
    changed = outcomes.assign(r_multiple=outcomes["r_multiple"].mask(late, 99.0))
    for kept, other in zip(
        vars(importance_rows(indicators, outcomes, at=at)).values(),
        vars(importance_rows(indicators, changed, at=at)).values(),
        strict=True,
    ):
        np.testing.assert_array_equal(kept, other)


# Clusters and the linear test.


def test_clusters_are_the_planted_ones_and_their_members_point_the_same_way() -> None:
    measured = importance_rows(*market(0, weeks=6), at=START + pd.Timedelta(weeks=7))
    clusters = cluster_indicators(measured)
    assert clusters.member_of.tolist() == np.repeat(np.arange(8), 3).tolist()
    first = clusters.sign.reshape(8, 3)
    assert (first[:, 1] == -first[:, 0]).all()
    assert (first[:, 2] == first[:, 0]).all()
    signals = cluster_signals(measured, clusters)
    np.testing.assert_allclose(signals.std(axis=0), 1.0, atol=1e-9)
    rho = np.corrcoef(measured.ranks[:, 0], pd.Series(measured.ranks[:, 1]))[0, 1]
    assert clusters.correlation[0, 1] == pytest.approx(rho, abs=1e-5)


def test_newey_west_agrees_with_statsmodels() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import statsmodels.api as sm
    values = np.convolve(np.random.default_rng(4).standard_normal(400), np.ones(5), mode="valid")[:, None]
    mean, error = newey_west(values, lags=17)
    peer = sm.OLS(values[:, 0], np.ones(len(values))).fit(
        cov_type="HAC", cov_kwds={"maxlags": 17, "use_correction": False}
    )
    assert mean[0] == pytest.approx(peer.params[0], rel=1e-12)
    assert error[0] == pytest.approx(peer.bse[0], rel=1e-12)


def test_benjamini_hochberg_agrees_with_statsmodels_and_leaves_the_untested_out() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from statsmodels.stats.multitest import multipletests
    p = np.random.default_rng(1).uniform(size=30) ** 2
    np.testing.assert_allclose(benjamini_hochberg(p), multipletests(p, method="fdr_bh")[1], rtol=1e-12)
    holed = np.insert(p, 7, np.nan)
    assert np.isnan(benjamini_hochberg(holed)[7])
    np.testing.assert_array_equal(np.delete(benjamini_hochberg(holed), 7), benjamini_hochberg(p))


def test_hac_p_values_keep_their_size_under_overlap_and_persistence() -> None:
    # Products of a slow signal and overlapping outcomes, no relation: 2,000 columns of 250 days.
    rng = np.random.default_rng(8)
    days, columns = 250, 2_000
    slow = rng.standard_normal((days, columns))
    for t in range(1, days):
        slow[t] = 0.7 * slow[t - 1] + np.sqrt(1 - 0.49) * slow[t]
    draws = rng.standard_normal((days + 3, columns))
    overlapping = sum(draws[k : k + days] for k in range(4)) / 2
    products = slow * overlapping
    from edgebook.importance.importance_clusters import hac_p_value

    lags = hac_lags(days)
    _, p = hac_p_value(*newey_west(products, lags=lags), days=days, lags=lags)
    _, naive = hac_p_value(*newey_west(products, lags=0), days=days, lags=1)
    assert (p < 0.05).mean() < 0.07  # 0.055; without the lags 0.16
    assert (naive < 0.05).mean() > 0.12


# The circular shift.


def shift_rows(dates: list[list[int]], edges: list[list[float]]) -> ImportanceRows:
    """Rows of several series with hours as dates, and one indicator of no use."""
    hours = np.array([hour for own in dates for hour in own], dtype=np.int64) * 3_600_000
    return ImportanceRows(
        names=("x",),
        ranks=np.zeros((len(hours), 1), np.float32),
        edge_r=np.array([edge for own in edges for edge in own]),
        date_ms=hours,
        known_at_ms=hours,
        series=np.repeat(np.arange(len(dates)), [len(own) for own in dates]),
    )


def test_a_shift_moves_every_series_by_the_same_step_and_joins_end_to_beginning() -> None:
    rows = shift_rows([[0, 1, 2, 3, 4, 5], [0, 2, 4]], [[0, 1, 2, 3, 4, 5], [10, 12, 14]])
    # Two hours on; a bar without a twin takes the last one before it. The calendar is 5 hours and one tick long, so
    # that what runs past hour 5 lands a tick before the hour.
    moved = shifted_outcomes(rows, offset_ms=2 * 3_600_000)
    assert moved[:4].tolist() == [2, 3, 4, 5]
    assert moved[6:8].tolist() == [12, 14]
    assert set(moved[4:6]) <= {0, 1}
    assert shifted_outcomes(rows, offset_ms=0).tolist() == rows.edge_r.tolist()


def test_offsets_are_large_distinct_and_the_same_for_the_same_seed() -> None:
    rows = importance_rows(*market(1, weeks=5), at=START + pd.Timedelta(weeks=6))
    span = rows.date_ms.max() - rows.date_ms.min()
    draws = [shift_offsets(rows, n_shifts=19, rng=np.random.default_rng(2)) for _ in range(2)]
    assert (draws[0] == draws[1]).all()
    assert len(set(draws[0].tolist())) == 19
    assert draws[0].min() >= span // 10 - 3_600_000
    assert draws[0].max() <= span * 9 // 10
    with pytest.raises(DataError, match="too few for 19 shifts"):
        shift_offsets(shift_rows([[0, 1, 2]], [[0, 1, 2]]), n_shifts=19, rng=np.random.default_rng(2))


def test_max_t_p_values_by_hand_and_their_size() -> None:
    gains = np.array([[5.0, 1.0], [1.0, 3.0], [1.0, 2.0], [1.0, 2.0]])
    # First column: 5 stands out above all three shifts. Second: 1 is the smallest of all.
    assert max_t_p_values(gains).tolist() == [0.25, 1.0]
    rng = np.random.default_rng(6)
    hits = [max_t_p_values(rng.gamma(2.0, size=(20, 25))).min() <= 0.05 for _ in range(2_000)]
    assert np.mean(hits) == pytest.approx(0.05, abs=0.015)  # exact: the real row is one of twenty alike


# Error and power of the decision.


def test_on_markets_without_an_edge_almost_nothing_survives() -> None:
    # Over 40 markets of a year (forest of 6,000 rows): 2 of 320 clusters survived, in one market in twenty.
    found = [evidence(seed, weeks=26).survives for seed in range(4)]
    assert sum(one.sum() for one in found) <= 1


def test_planted_edges_are_found_and_little_else() -> None:
    # Over 40 markets of a year, lines of 0.06: found in 0.83 (fast signal) and 1.00 (slow), false discoveries 3 %.
    found = [evidence(100 + seed, line={2: 0.12, 5: -0.08}) for seed in range(3)]
    survives = np.array([one.survives for one in found])
    assert survives[:, 5].all()
    assert survives[:, 2].sum() >= 2
    assert np.delete(survives, [2, 5], axis=1).sum() <= 2
    z = np.array([one.linear.z[5] * one.clusters.sign[15] for one in found])
    assert (z < 0).all()  # the sign planted, in the direction of the first member


def test_the_forest_sees_a_relation_that_the_line_cannot() -> None:
    found = [evidence(seed, vee={6: 0.3}, rows=6_000) for seed in (7, 8, 9)]
    assert sum(bool(one.by_forest[6]) for one in found) >= 2
    assert not any(one.by_line[6] for one in found)
    assert sum(np.delete(one.by_forest, 6).sum() for one in found) == 0


def test_same_seed_same_evidence() -> None:
    first, second = (keep_list(evidence(2, weeks=6, rows=800), heads=HEADS) for _ in range(2))
    assert json.dumps(first) == json.dumps(second)


def selection(seeds: range) -> tuple[int, int, int, int]:
    """Useless and useful clusters that survive, useful ones planted, and markets, with two planted lines each."""
    false = found = 0
    for seed in seeds:
        survives = evidence(seed, line={2: 0.08, 5: -0.06}).survives
        found += int(survives[[2, 5]].sum())
        false += int(np.delete(survives, [2, 5]).sum())
    return false, found, 2 * len(seeds), len(seeds)


def test_useless_clusters_are_dropped_and_useful_ones_kept_in_one_market() -> None:
    false, found, planted, _ = selection(range(328, 329))
    assert found == planted
    assert false <= 1


@pytest.mark.slow
def test_useless_clusters_are_dropped_at_the_stated_rate() -> None:
    false, found, planted, _ = selection(range(300, 340))
    # Exact intervals (Clopper and Pearson): the share of false ones among those that survive must not lie above the
    # stated 10 %, and the power must reach a half.
    low = stats.binomtest(false, false + found).proportion_ci(0.95, method="exact").low
    assert low <= 0.10
    assert stats.binomtest(found, planted).proportion_ci(0.95, method="exact").low >= 0.5


# The decision.


def decided(survivors: dict[int, float], *, heads: dict[str, str] = HEADS) -> dict[str, Any]:
    """Keep-list where only the given clusters have a (small) linear p-value."""
    base = evidence(5, weeks=6, rows=800)
    p = np.linspace(0.5, 0.9, 8)
    for cluster, value in survivors.items():
        p[cluster] = value
    linear = replace(base.linear, p_value=p, z=np.linspace(2, 1, 8))
    calm = replace(base.tree, p_value=np.ones(8))
    return keep_list(replace(base, linear=linear, q_value=benjamini_hochberg(p), tree=calm), heads=heads)


def test_where_nothing_survives_nothing_is_dropped() -> None:
    found = decided({})
    assert len(found["kept"]) == 24
    assert found["dropped"] == []
    assert "0 of 8 survive" in found["reading"]
    assert "no evidence to tell the indicators apart" in found["reading"]


def test_survivors_stay_whole_and_no_head_is_left_empty() -> None:
    found = decided({1: 1e-5})
    # Head A holds clusters 0 and 1, B 2 and 3, and so on; the p-values of the rest rise with the number.
    assert found["heads_kept_from_empty"] == ["B", "C", "D"]
    kept = {cluster["name"][:2]: cluster["kept"] for cluster in found["clusters"]}
    assert kept == {"c0": "no", "c1": "yes", "c2": "yes", "c3": "no", "c4": "yes", "c5": "no", "c6": "yes", "c7": "no"}
    assert found["kept"] == [f"c{c}_{m}" for c in (1, 2, 4, 6) for m in range(3)]
    assert sorted(found["kept"] + found["dropped"]) == sorted(HEADS)
    assert "Heads B, C, D would be empty and keep their best cluster" in found["reading"]


def test_a_head_that_shares_a_dropped_cluster_keeps_its_own_members_of_it_only() -> None:
    found = decided({1: 1e-5}, heads=HEADS | {"c0_2": "E"})
    entry = next(cluster for cluster in found["clusters"] if cluster["name"].startswith("c0"))
    assert entry["kept"] == "in part"
    assert "c0_2" in found["kept"]
    assert "c0_0" in found["dropped"]


def test_a_keep_list_is_json_and_names_its_date_and_evidence() -> None:
    found = decided({3: 1e-5})
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["at"] == "2018-02-12"
    entry = found["clusters"][3]
    assert {"name", "members", "z", "p", "q", "gain", "null_q95", "tree_p", "evidence", "kept"} <= entry.keys()
    assert entry["evidence"] == "line"
    with pytest.raises(DataError, match="c0_1: belongs to no head"):
        decided({}, heads={name: head for name, head in HEADS.items() if name != "c0_1"})


def test_impossible_settings_are_refused_in_one_line() -> None:
    indicators, outcomes = market(0, weeks=2)
    settings: dict[str, Any] = {"at": START + pd.Timedelta(weeks=3), "rows": 100, "seed": 1}
    with pytest.raises(SettingsError, match=r"importance.shifts: 10 can show nothing at a rate of 0.1; .* at least 19"):
        gather_evidence(indicators, outcomes, false_discovery_rate=0.1, shifts=10, **settings)
    with pytest.raises(SettingsError, match=r"importance.false_discovery_rate: 0 must lie between 0 and 1"):
        gather_evidence(indicators, outcomes, false_discovery_rate=0, shifts=19, **settings)
    rows = importance_rows(indicators, outcomes, at=settings["at"])
    with pytest.raises(SettingsError, match=r"importance.shifts: 0 is below 1"):
        tree_test(rows, cluster_indicators(rows), n_shifts=0, max_rows=100, seed=1)


# The pictures beside it.


def permuted(seed: int, **planted: Any) -> pd.DataFrame:
    rows = importance_rows(*market(seed, weeks=20, **planted), at=START + pd.Timedelta(weeks=21))
    clusters = cluster_indicators(rows)
    return permutation_importance(
        rows, clusters, permutations=1, n_folds=2, embargo=pd.Timedelta("1D"), max_rows=3_000, n_nulls=2, seed=seed
    )


def test_permutation_importance_shows_a_planted_cluster_above_its_null() -> None:
    table = permuted(9, line={5: 0.2})
    best = table.iloc[0]
    assert best["cluster"].startswith("c5")
    assert best["importance"] > 3 * best["null_high"]
    assert best["r2"] > 2 * max(best["null_r2"], 0.0)
    assert (table["low"] <= table["importance"] + 1e-7).all()


def test_without_an_edge_something_is_still_above_the_mean() -> None:
    table = permuted(10)
    assert (table["importance"] > table["importance"].mean()).sum() >= 2  # why it decides nothing
    assert table["r2"].iloc[0] < 0.01


def votes_of(indicators: pd.DataFrame) -> pd.DataFrame:
    names = [column for column in indicators if column not in ("pair", "timeframe", "date")]
    return indicators[["pair", "timeframe", "date"]].assign(
        **{name: np.sign(np.round(indicators[name])).astype(np.int8) for name in names}
    )


def test_contributions_by_hand() -> None:
    hours = [START + pd.Timedelta(hours=h) for h in range(4)]
    key = {"pair": "A", "timeframe": "1h", "date": hours}
    votes = pd.DataFrame(key | {"x": np.array([1, 1, -1, 0], np.int8)})
    regimes = pd.DataFrame(key | {"regime": ["ranging", "ranging", "volatile", "volatile"]})
    wins = {False: [True, False, False, True], True: [False, True, False, False]}
    outcomes = pd.concat(
        pd.DataFrame(
            {"pair": "A", "timeframe": "1h", "date": hours, "is_short": side}
            | {"profit_ratio": np.where(won, 0.01, -0.01), "r_multiple": np.where(won, 1.0, -1.0)}
            | {"close_date": [hour + pd.Timedelta("1h") for hour in hours]}
            | {"known_at": [hour + pd.Timedelta("1h") for hour in hours]}
        )
        for side, won in wins.items()
    )
    table = vote_contributions(votes, outcomes, regimes=regimes, at=hours[3] + pd.Timedelta("1h")).set_index("regime")
    overall = table.loc["overall"]
    # Winners: long 0 (agreed), short 1 (opposed), long 3 (silent). Losers: short 0 (opposed), long 1 (agreed),
    # long 2 (opposed), short 2 (agreed), short 3 (silent).
    assert overall["contribution_to_wins"] == pytest.approx(1 / 3, abs=1e-6)
    assert overall["contribution_to_losses"] == pytest.approx(2 / 5, abs=1e-6)
    assert overall["difference"] == pytest.approx(1 / 3 - 2 / 5, abs=1e-6)
    assert overall["n"] == 6
    # Right three times in six: agreed and won (long 0), opposed and lost (short 0, long 2).
    assert overall["optimal_weight"] == 0.0
    assert table.loc["ranging", "contribution_to_wins"] == pytest.approx(1 / 2)
    assert table.loc["volatile", "contribution_to_wins"] == 0.0
    assert np.isnan(table.loc["trending_bullish", "contribution_to_wins"])
    assert table.loc["trending_bullish", "n"] == 0
    early = vote_contributions(votes, outcomes, regimes=regimes, at=hours[1])
    assert early.set_index("regime").loc["overall", "n"] == 2  # bar 0 alone was known


def test_contributions_keep_their_level_without_an_edge_and_rank_the_planted_first_with_one() -> None:
    covered = []
    for seed in range(6):
        indicators, outcomes = market(seed, weeks=26)
        regimes = indicators[["pair", "timeframe", "date"]].assign(regime="ranging")
        at = START + pd.Timedelta(weeks=27)
        table = vote_contributions(votes_of(indicators), outcomes, regimes=regimes, at=at)
        overall = table[table["regime"] == "overall"]
        covered.append((overall["low"] <= 0) & (overall["high"] >= 0))
        assert overall["importance_score"].abs().max() <= overall["difference"].abs().max()
    assert np.mean(covered) > 0.88  # 95 % nominal; 48 independent clusters of three
    indicators, outcomes = market(20, weeks=26, line={4: 0.1})
    table = vote_contributions(votes_of(indicators), outcomes, regimes=regimes, at=at)
    overall = table[table["regime"] == "overall"].sort_values("importance_score", ascending=False)
    assert set(overall["indicator"].head(2)) == {"c4_0", "c4_2"}
    assert overall["indicator"].iloc[-1] == "c4_1"  # it points the other way
    assert overall["optimal_weight"].iloc[0] > 0 == overall["optimal_weight"].iloc[-1]


def test_shrinking_moves_noise_more_than_evidence_and_missing_values_to_the_centre() -> None:
    value, error = np.array([3.0, -3.0, 3.0, np.nan]), np.array([1.0, 1.0, 10.0, 1.0])
    shrunk = shrink_toward(value, error=error, toward=np.full(4, 0.5))
    assert 0.5 < shrunk[2] < shrunk[0] < 3.0
    assert -3.0 < shrunk[1] < 0.5
    assert shrunk[3] == 0.5


# The run and its file.


def test_a_run_is_written_line_by_line_and_read_back(tmp_path: Path) -> None:
    found = decided({3: 1e-5}) | {"correlation": {"names": ["a", "b"], "rows": [[1.0, 0.5], [0.5, 1.0]]}}
    paths = Paths(tmp_path)
    write_importance(found, paths=paths)
    text = paths.importance.read_text(encoding="utf-8")
    assert text == importance_text(found)
    assert sum('"name": "c' in line for line in text.splitlines()) == 8
    assert read_importance(paths.importance) == found
    assert [path.name for path in paths.importance.parent.iterdir()] == ["importance.json"]
    paths.importance.write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="not valid JSON"):
        read_importance(paths.importance)
    paths.importance.write_text("[]", encoding="utf-8")
    with pytest.raises(DataError, match="is not an importance run"):
        read_importance(paths.importance)
    with pytest.raises(DataError, match="no such file"):
        read_importance(tmp_path / "nothing.json")


def test_what_a_seal_keeps_is_what_its_run_says_and_all_where_it_dropped_nothing() -> None:
    found = decided({1: 1e-5})
    assert kept_in_force({SEALED_NAME: importance_text(found)}) == tuple(found["kept"])
    assert kept_in_force({SEALED_NAME: importance_text(decided({}))}) is None  # all 24
    assert kept_in_force({"study/study.json": "{}"}) is None
    with pytest.raises(DataError, match=r"keep.json: is not an importance run"):
        kept_in_force({SEALED_NAME: "{}"})


def test_the_run_in_force_is_the_last_one_sealed_before_the_week(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    for week, measured in (("2018-04-02", "2018-04-02"), ("2018-04-09", None), ("2018-07-02", "2018-07-02")):
        folder = paths.seal(history="main", as_of=week)
        folder.mkdir(parents=True)
        (folder / "seal.json").write_text("{}", encoding="utf-8")
        if measured:
            (folder / SEALED_NAME).write_text(importance_text({"at": measured, "kept": [], "clusters": []}))
    last = sealed_importance(paths, history="main", before="2018-07-02")
    assert last is not None
    assert last["at"] == "2018-04-02"  # its own week is sealed last, and not looked at
    assert sealed_importance(paths, history="main", before="2018-07-09") == {
        "at": "2018-07-02",
        "kept": [],
        "clusters": [],
    }
    assert sealed_importance(paths, history="other", before="2018-07-09") is None
    assert importance_due(as_of="2018-07-02", last="2018-04-02", every_weeks=13)
    assert not importance_due(as_of="2018-06-25", last="2018-04-02", every_weeks=13)
    assert importance_due(as_of="2018-06-25", last=None, every_weeks=13)
