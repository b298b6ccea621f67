"""Markets in which no rule can earn: nothing in them says where the price goes next, and volatility still clusters."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from edgebook.bars.bars import check_bars
from edgebook.bars.synthetic import make_market
from edgebook.errors import DataError, SettingsError
from edgebook.evidence.null_markets import random_walk, shuffled_bars, stochastic_volatility
from edgebook.evidence.null_moves import drift_free, hourly_moves, volatility_strata
from edgebook.evidence.null_paths import LEVELS, brownian_extremes, halving_extremes
from edgebook.evidence.null_stress import block_shuffled_bars, block_sign_flipped_bars
from edgebook.outcomes.candidates import label_candidates
from edgebook.settings.exit_plans import Costs, ExitPlan
from edgebook.sources.sources import load_bars

START = "2018-01-01"
FREE = Costs(0, 0, 0)
KINDS = ["random_walk", "stochastic_volatility", "shuffled_bars"]
STRESS = ["block_shuffled_bars", "block_sign_flipped_bars"]


@cache
def real() -> pd.DataFrame:
    return load_bars(source="crypto", timeframes=["1h"], as_of="2019-09-30")


@cache
def market(kind: str, *, seed: int = 3, weeks: int = 60, pairs: int = 5) -> pd.DataFrame:
    size: dict[str, Any] = {"seed": seed, "weeks": weeks, "start": START}
    if kind in ("random_walk", "stochastic_volatility"):
        return (random_walk if kind == "random_walk" else stochastic_volatility)(pairs=pairs, **size)
    made = {each.__name__: each for each in (shuffled_bars, block_shuffled_bars, block_sign_flipped_bars)}
    return made[kind](real(), **size)


def log_returns(bars: pd.DataFrame) -> pd.DataFrame:
    closes = bars.pivot(index="date", columns="pair", values="close")
    return np.log(closes).diff().iloc[1:]


def mean_autocorrelation(table: pd.DataFrame, *, lag: int) -> float:
    return float(np.mean([table[pair].autocorr(lag) for pair in table]))


def mean_correlation(table: pd.DataFrame) -> float:
    matrix = table.corr().to_numpy()
    return float(matrix[np.triu_indices_from(matrix, 1)].mean())


@pytest.mark.parametrize("kind", [*KINDS, *STRESS])
def test_bars_keep_the_contract(kind: str) -> None:
    bars = market(kind)
    check_bars(bars, source=kind)
    assert bars["date"].max() == pd.Timestamp("2019-02-25", tz="UTC")
    assert bars["date"].min() == pd.Timestamp("2018-01-01 01:00", tz="UTC")
    if kind not in STRESS:
        assert len(bars) == 5 * 60 * 168


@pytest.mark.parametrize("kind", [*KINDS, *STRESS])
def test_the_seed_says_all(kind: str) -> None:
    again = market.__wrapped__(kind)
    pd.testing.assert_frame_equal(market(kind), again)
    assert not market(kind, seed=4)["close"].equals(market(kind)["close"])


@pytest.mark.parametrize("kind", [*KINDS, *STRESS])
def test_more_weeks_do_not_change_the_past(kind: str) -> None:
    short = market(kind, weeks=9)
    longer = market(kind)
    pd.testing.assert_frame_equal(short, longer[longer["date"] <= short["date"].max()].reset_index(drop=True))


def test_more_pairs_do_not_change_the_others() -> None:
    few, more = market("random_walk", pairs=2, weeks=4), market("random_walk", pairs=3, weeks=4)
    pd.testing.assert_frame_equal(few, more[more["pair"] != "S03/USD"])


def test_coarser_bars_are_made_of_the_hours() -> None:
    bars = random_walk(pairs=1, weeks=2, seed=1, start=START, timeframes=("1d", "1h"))
    hourly, daily = (bars[bars["timeframe"] == each] for each in ("1h", "1d"))
    check_bars(bars, source="random walk")
    assert len(daily) == 14
    np.testing.assert_array_equal(daily["high"], hourly["high"].to_numpy().reshape(14, 24).max(axis=1))


def test_a_random_walk_is_what_it_says() -> None:
    returns = log_returns(market("random_walk", weeks=120))
    assert returns.std().to_numpy() == pytest.approx(0.008, rel=0.02)
    assert mean_correlation(returns) == pytest.approx(0.4, abs=0.02)
    assert returns.kurt().abs().max() < 0.15
    bars = market("random_walk", weeks=120)
    # A Brownian motion's range is on average sqrt(8 / pi) of its standard deviation (Feller 1951).
    assert np.log(bars["high"] / bars["low"]).mean() == pytest.approx(0.008 * np.sqrt(8 / np.pi), rel=0.01)


def test_shuffled_bars_keep_sizes_joint_shocks_and_clusters() -> None:
    was, now = log_returns(real()), log_returns(market("shuffled_bars", weeks=104))
    assert now.std().to_numpy() == pytest.approx(was.std().to_numpy(), rel=0.15)
    assert now.kurt().min() > 5
    assert mean_correlation(now) == pytest.approx(mean_correlation(was), abs=0.05)
    for lag in (1, 6, 24):
        assert mean_autocorrelation(now.abs(), lag=lag) > 0.55 * mean_autocorrelation(was.abs(), lag=lag) > 0.1
        assert abs(mean_autocorrelation(now, lag=lag)) < 0.015


def test_within_each_stratum_and_pair_the_mean_factor_is_one() -> None:
    moves = hourly_moves(real())
    stratum = volatility_strata(moves, strata=20, smooth_hours=6)
    for factors in (moves.gap, moves.close):
        fair = pd.DataFrame(drift_free(factors, stratum)).groupby(stratum).mean().to_numpy()
        np.testing.assert_allclose(fair, 1.0, atol=1e-12)
    was = pd.DataFrame(moves.close).groupby(stratum).mean().to_numpy()
    assert np.abs(was - 1.0).max() > 1e-4, "the real strata drift, so taking it away matters"
    assert np.bincount(stratum).min() >= len(moves) // 20


@pytest.mark.parametrize("kind", KINDS)
def test_past_bars_do_not_tell_the_next_move(kind: str) -> None:
    """AUC, out of sample, of a logistic regression on past moves, ranges and volume, on the side of the next bar."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.preprocessing import StandardScaler

    areas = []
    for seed in (3, 4):
        parts = []
        for _, own in market(kind, seed=seed).groupby("pair"):
            log = np.log(own[["open", "high", "low", "close", "volume"]].reset_index(drop=True))
            move = log["close"].diff()
            seen = {f"move{lag}": move.rolling(lag).sum() for lag in (1, 2, 5, 20, 60)}
            seen |= {"place": log["close"] - log["low"], "range": log["high"] - log["low"], "volume": log["volume"]}
            seen |= {"reversal": -(log["close"] - log["close"].rolling(20).mean()) / move.rolling(60).std()}
            seen |= {"calm": move.rolling(6).std() / move.rolling(60).std()}
            parts.append(
                pd.DataFrame(seen).assign(rises=move.shift(-1) > 0, late=own.index - own.index[0] > 5040).iloc[60:-1]
            )
        table = pd.concat(parts)
        early, late = table[~table["late"]], table[table["late"]]
        scale = StandardScaler().fit(early.drop(columns=["rises", "late"]))
        first, then = (scale.transform(each.drop(columns=["rises", "late"])) for each in (early, late))
        model = LogisticRegression().fit(first, early["rises"])
        areas.append(roc_auc_score(late["rises"], model.predict_proba(then)[:, 1]))
    # Five pairs, correlated by up to 0.65, of 5040 hours: a standard error of 0.007 for the mean of two markets.
    assert np.mean(areas) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_simple_rules_earn_nothing_on_the_next_bar(kind: str) -> None:
    """Follow or fade the last hour, the last day, a volume spike, turbulence: gain a bar, over its standard error."""
    for rule in ("hour", "day", "volume", "turbulence"):
        gains = []
        bars = market(kind)
        closes, volumes = (bars.pivot(index="date", columns="pair", values=each) for each in ("close", "volume"))
        following = closes.pct_change().shift(-1)
        hour, day = closes.pct_change(), closes.pct_change(24)
        side = {
            "hour": np.sign(hour),
            "day": np.sign(day),
            "volume": np.sign(hour).where(volumes > 2 * volumes.rolling(168).median(), 0.0),
            "turbulence": (hour.rolling(6).std() > hour.rolling(168).std()).astype(float),
        }[rule]
        gains = (side * following / hour.rolling(48).std()).iloc[170:-1].mean(axis=1)
        assert abs(gains.mean() / gains.std() * np.sqrt(len(gains))) < 3.5, rule


@pytest.mark.parametrize("kind", KINDS)
def test_candidates_without_costs_earn_nothing(kind: str) -> None:
    """Mean R of all longs, and of all shorts, lies within its interval of zero or below it."""
    plans = [ExitPlan(2.0, 1.5, 24), ExitPlan(3.0, 2.0, 24)]
    for short in (False, True):
        for plan in plans:
            weekly = pd.concat(
                [
                    table[(table["is_short"] == short) & table["r_multiple"].notna()]
                    .groupby(pd.Grouper(key="date", freq="7D"))["r_multiple"]
                    .mean()
                    for seed in (3, 4, 5)
                    for table in [label_candidates(market(kind, seed=seed), [plan], costs=FREE)[plan.name]]
                ]
            )
            assert weekly.mean() < 3.0 * weekly.std() / np.sqrt(len(weekly)), (short, plan.name)


def test_halved_paths_end_where_drawn_and_meet_barriers_fairly() -> None:
    """A path stopped at a barrier inside the bar is worth what it began with: the mean of 1, whatever the barrier."""
    rng = np.random.default_rng(1)
    ordered = np.sort(np.exp(0.02 * rng.standard_t(3, 500)))
    ordered /= ordered.mean()
    place = rng.integers(0, 500, 400_000)
    highs, lows = halving_extremes(
        ordered, np.array([0, 500]), np.zeros_like(place), place, rng.random((place.size, LEVELS))
    )
    closes = ordered[place]
    assert (lows <= np.minimum(closes, 1.0)).all()
    assert (highs >= np.maximum(closes, 1.0)).all()
    for barrier in (0.96, 0.98, 0.99, 1.01, 1.02, 1.05):
        met = lows <= barrier if barrier < 1 else highs >= barrier
        stopped = np.where(met, barrier, closes)
        assert stopped.mean() == pytest.approx(1.0, abs=4 * stopped.std() / np.sqrt(place.size))


def test_brownian_extremes_meet_barriers_fairly() -> None:
    rng = np.random.default_rng(2)
    variance = np.full(300_000, 0.01**2 / 8)
    steps = 0.01 / np.sqrt(8) * rng.standard_normal((300_000, 8)) - variance[:, None] / 2
    highs, lows = brownian_extremes(steps, variance, above=rng.random(steps.shape), below=rng.random(steps.shape))
    closes = np.exp(steps.sum(axis=1))
    for barrier in (0.985, 0.995, 1.005, 1.015):
        met = lows <= np.log(barrier) if barrier < 1 else highs >= np.log(barrier)
        stopped = np.where(met, barrier, closes)
        assert stopped.mean() == pytest.approx(1.0, abs=4 * stopped.std() / np.sqrt(closes.size))
        jumped = np.exp(np.cumsum(steps, axis=1))
        touched = (jumped <= barrier).any(axis=1) if barrier < 1 else (jumped >= barrier).any(axis=1)
        wrong = np.where(touched, barrier, closes).mean() - 1.0
        assert (wrong > 1e-4) if barrier < 1 else (wrong < -1e-4), "eight jumps a bar flatter stops"


def test_sign_flips_turn_whole_weeks_over_for_all_pairs() -> None:
    was = log_returns(real())
    now = log_returns(block_sign_flipped_bars(real(), seed=1, weeks=13, start="2017-10-02"))
    both = was.index.intersection(now.index)
    was = was.loc[both].where(was.loc[both].abs() > 1e-3)
    week = (both - pd.Timedelta(hours=1)).tz_localize(None).to_period("W")
    signs = (now.loc[both] / was).groupby(week).median().round(2)
    assert set(np.unique(signs.to_numpy())) == {-1.0, 1.0}
    assert (signs.nunique(axis=1) == 1).all()


def test_shuffled_weeks_hold_the_moves_of_real_weeks_each_once() -> None:
    weeks = len(real()["date"].unique()) // 168 - 1
    now = log_returns(block_shuffled_bars(real(), seed=1, weeks=weeks, start=START))
    was = log_returns(real())
    for pair in was:
        assert now[pair].std() == pytest.approx(was[pair].std(), rel=0.05)
    assert mean_autocorrelation(now, lag=1) == pytest.approx(mean_autocorrelation(was, lag=1), abs=0.01)


def test_the_planted_edge_can_die() -> None:
    made = make_market(
        kind="switching", pairs=3, weeks=60, seed=5, heads=("H",), edge=0.2, edge_starts="2017-03-06",
        switches=[("2017-09-04", ())],
    )  # fmt: skip
    dead = made.signals["date"] > pd.Timestamp("2017-09-04", tz="UTC")
    alive = (made.signals["date"] > pd.Timestamp("2017-03-06", tz="UTC")) & ~dead
    assert (made.signals.loc[alive, "drift"].abs() > 0).mean() > 0.95
    assert (made.signals.loc[dead, "drift"] == 0).all()
    assert made.truth.heads(at=pd.Timestamp("2017-09-04", tz="UTC")) == ()


def test_what_cannot_be_made_is_said() -> None:
    with pytest.raises(SettingsError, match="random walk: 0 pairs"):
        random_walk(pairs=0, weeks=1, seed=1)
    with pytest.raises(SettingsError, match="is not a Monday"):
        random_walk(pairs=1, weeks=1, seed=1, start="2018-01-02")
    with pytest.raises(SettingsError, match="500 strata of"):
        shuffled_bars(real(), seed=1, weeks=1, start=START, strata=500)
    with pytest.raises(DataError, match="give hourly bars only"):
        shuffled_bars(real().assign(timeframe="4h"), seed=1, weeks=1, start=START)
    with pytest.raises(DataError, match="100 hours in which every pair has a bar"):
        shuffled_bars(real()[real()["date"] <= real()["date"].unique()[99]], seed=1, weeks=1, start=START)
