"""The rule beside the hidden Markov model: small cases by hand, and the words at the edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from edgebook.analyses import regime_comparison
from edgebook.analyses.regime_comparison import HMM, RULE, SMOOTHED
from edgebook.analyses.regime_truth import switching_market
from edgebook.regimes.regime_hmm import label_bars
from edgebook.regimes.regimes import REGIMES
from edgebook.reports import regime_comparison_readings, regime_comparison_tables, regime_pictures

SETTINGS: dict[str, Any] = {
    "trend_bars": 24, "trend_z_enter": 1.0, "trend_z_exit": 0.2, "volatility_bars": 12, "volatility_window_bars": 400,
    "volatility_enter": 0.9, "volatility_exit": 0.7, "min_bars": 6, "hmm_window_bars": 600, "hmm_refit_weeks": 2,
    "hmm_switch_margin": 0.5,
}  # fmt: skip
B, S, R, V = REGIMES


def under(rule: list[str], model: list[str], ahead: list[str], *, timeframe: str = "1h") -> dict[str, pd.DataFrame]:
    """Three labellings of one pair, from Monday 2019-01-07 01:00."""
    dates = pd.date_range("2019-01-07 01:00", periods=len(rule), freq="h", tz="UTC").as_unit("ms")
    frame = pd.DataFrame({"pair": "A", "timeframe": timeframe, "date": dates})
    return {name: frame.assign(regime=own) for name, own in ((RULE, rule), (HMM, model), (SMOOTHED, ahead))}


def test_agreement_by_hand() -> None:
    labels = under([B, B, R, R, V, S], [B, S, R, R, R, S], [R] * 6)
    row = regime_comparison.agreement(labels).iloc[0]
    assert row["n"] == 6
    assert row["agree"] == pytest.approx(4 / 6, abs=1e-6)
    chance = (2 * 1 + 1 * 2 + 2 * 3 + 1 * 0) / 36
    assert row["by_chance"] == pytest.approx(chance, abs=1e-6)
    assert row["kappa"] == pytest.approx((4 / 6 - chance) / (1 - chance), abs=1e-6)
    assert row["opposite"] == pytest.approx(1 / 6, abs=1e-6)
    counts = regime_comparison.agreement_counts(labels)
    assert counts.loc[B].tolist() == [1, 1, 0, 0]
    assert counts.loc[V, R] == 1
    words = regime_comparison_readings.agreement_reading(regime_comparison.agreement(labels), counts).text
    assert "the rule says trending bullish and the model trending bearish (1 of 2 bars)" in words


def test_what_smoothing_changes_is_counted() -> None:
    labels = under([R] * 8, [R, R, R, R, B, B, B, R], [R, R, B, B, B, B, R, R])
    row = regime_comparison.looking_ahead(labels).iloc[0]
    assert row["bars_differing"] == 3
    assert row["differ"] == pytest.approx(3 / 8)
    assert row["spells"] == 2
    assert row["lag_bars"] == pytest.approx((2 + 1) / 2)


def test_the_three_labellings_have_the_same_bars_and_leave_the_warm_up_out() -> None:
    bars, _ = switching_market(bars=900, seed=3, stay_bars=60)
    table = label_bars(bars, SETTINGS)
    labels = regime_comparison.labellings(bars, table, settings=SETTINGS)
    assert {name: len(own) for name, own in labels.items()} == dict.fromkeys((RULE, HMM, SMOOTHED), 900 - 24 - 75)
    assert labels[RULE]["date"].iloc[0] == bars["date"].iloc[99]
    assert labels[HMM]["regime"].tolist() == table["regime_hmm"].iloc[99:].tolist()
    assert labels[HMM]["regime"].ne(labels[SMOOTHED]["regime"]).any()


def test_accuracy_is_paired_by_market() -> None:
    truth = regime_comparison.on_known_truth(SETTINGS, bars=2_000, markets=2).set_index(["market", "labelling"])
    assert (truth["against_rule"].xs(RULE, level=1) == 0).all()
    for kind in ("clean", "rough"):
        gain = truth.loc[(kind, HMM), "balanced_accuracy"] - truth.loc[(kind, RULE), "balanced_accuracy"]
        assert truth.loc[(kind, HMM), "against_rule"] == pytest.approx(gain, abs=2e-4)
        assert 0.25 < truth.loc[(kind, HMM), "balanced_accuracy"] < 0.75
    assert (truth["n"] == 2).all()


def test_outcomes_that_follow_a_label_separate_under_it_and_not_under_another() -> None:
    rng = np.random.default_rng(5)
    rule = [str(name) for name in np.repeat(rng.choice(REGIMES, 250), 16)]
    model = [str(name) for name in np.repeat(rng.choice(REGIMES, 250), 16)]
    labels = under(rule, model, model)
    edge = labels[RULE]["regime"].map({B: 0.3, S: -0.3}).fillna(0.0).to_numpy()
    parts = []
    for is_short, sign in ((False, 1), (True, -1)):
        r = np.where(rng.uniform(size=len(rule)) < 0.5 + sign * edge / 2, 1.0, -1.0)
        known = labels[RULE]["date"] + pd.Timedelta("6h")
        own = labels[RULE][["pair", "timeframe", "date"]]
        parts.append(own.assign(is_short=is_short, r_multiple=r, profit_ratio=r / 100, known_at=known))
    outcomes = pd.concat(parts, ignore_index=True)
    table = regime_comparison.outcomes_by_labelling(outcomes, labels, at="2020-01-06")
    found = regime_comparison.separation(table).set_index(["labelling", "side"])
    assert found.loc[(RULE, "long"), "best"] == B
    assert found.loc[(RULE, "short"), "best"] == S
    assert found.loc[(RULE, "long"), "spread_r"] > 3 * found.loc[(HMM, "long"), "spread_r"]
    assert found.loc[(RULE, "long"), "differ"] >= 2
    assert (found["n"] == len(rule)).all()
    words = regime_comparison_readings.separation_reading(found.reset_index()).text
    assert "Long: the regimes' means spread by 0.197 R under the rule and 0.028 R under the model" in words


def test_every_table_picture_and_sentence_of_a_short_history_is_there() -> None:
    bars, _ = switching_market(bars=900, seed=8)
    bars["volume"] = 1.0
    table = label_bars(bars, SETTINGS)
    labels = regime_comparison.labellings(bars, table, settings=SETTINGS)
    truth = regime_comparison.on_known_truth(SETTINGS, bars=1_500, markets=2)
    stability = regime_comparison.stability_of(labels, short_bars=24)
    agreement, counts = regime_comparison.agreement(labels), regime_comparison.agreement_counts(labels)
    ahead = regime_comparison.looking_ahead(labels)
    rows = bars[["pair", "timeframe", "date"]].assign(is_short=False, r_multiple=1.0, profit_ratio=0.01)
    outcomes = pd.concat([rows, rows.assign(is_short=True, r_multiple=-1.0, profit_ratio=-0.01)])
    made = regime_comparison.outcomes_by_labelling(outcomes.assign(known_at=outcomes["date"]), labels, at="2018-01-01")
    separation = regime_comparison.separation(made)
    shown = [
        regime_comparison_tables.truth_table(truth), regime_comparison_readings.truth_reading(truth),
        regime_comparison_tables.steadiness_table(stability, short_bars=24),
        regime_comparison_readings.steadiness_reading(stability), regime_comparison_tables.agreement_table(agreement),
        regime_comparison_readings.agreement_reading(agreement, counts),
        regime_comparison_tables.looking_ahead_table(ahead), regime_comparison_tables.separation_table(separation),
        regime_comparison_readings.looking_ahead_reading(ahead, separation),
        regime_comparison_readings.separation_reading(separation),
        regime_comparison_readings.verdict(truth, stability, separation),
    ]  # fmt: skip
    assert all("nan" not in repr(one).lower() for one in shown)
    pictures = [
        regime_pictures.labels_picture(bars, table, last_days=20), regime_pictures.agreement_picture(counts),
    ]  # fmt: skip
    assert all(one.svg.startswith("<svg") and len(one.svg) < 80_000 for one in pictures)


def test_a_history_shorter_than_the_warm_up_is_said_to_be() -> None:
    labels = {name: own.iloc[:0] for name, own in under([R], [R], [R]).items()}
    found = regime_comparison.agreement(labels)
    counts = regime_comparison.agreement_counts(labels)
    assert "no bar yet" in regime_comparison_readings.agreement_reading(found, counts).text
    ahead = regime_comparison.looking_ahead(labels)
    separation = pd.DataFrame(columns=["labelling", "side", "spread_r", "differ", "cells", "n"])
    assert "nothing to compare" in regime_comparison_readings.looking_ahead_reading(ahead, separation).text
    assert "too few" in regime_comparison_readings.separation_reading(separation).text
