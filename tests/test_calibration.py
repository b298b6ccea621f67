"""How far evidence may be believed: what a slope finds, and what it does without data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgebook.statistics.calibration import CENTRES, EVIDENCE_BINS, EVIDENCE_EDGE, bin_of, log_odds, probability, slope


def outcomes(*, true_slope: float, n: float = 1e4, level: float = 0.0) -> np.ndarray:
    """Expected losses and wins of each bin where a unit of evidence is worth `true_slope`."""
    share = 1 / (1 + np.exp(-(level + true_slope * CENTRES)))
    return np.c_[n * (1 - share), n * share]


@pytest.mark.parametrize("true_slope", [0.25, 0.5, 1.0, 1.6])
@pytest.mark.parametrize("level", [-0.5, 0.0, 0.4])
def test_with_much_data_the_slope_is_the_true_one(true_slope, level):
    assert slope(outcomes(true_slope=true_slope, level=level), prior=0.5, strength=20.0) == pytest.approx(
        true_slope, abs=2e-3
    )


def test_evidence_that_says_the_wrong_thing_is_not_believed():
    assert slope(outcomes(true_slope=-0.5), prior=0.5, strength=20.0) == 0.0


def test_belief_has_a_ceiling():
    assert slope(outcomes(true_slope=6.0), prior=0.5, strength=20.0) == 2.0


def test_little_data_move_the_prior_little():
    little, much = (slope(outcomes(true_slope=1.0, n=n), prior=0.5, strength=20.0) for n in (0.2, 50.0))
    assert 0.5 < little < 0.7 < much < 1.0


def test_where_nothing_ever_won_the_prior_stands():
    lost = np.zeros((EVIDENCE_BINS, 2))
    lost[[3, 20], 0] = 50.0
    assert slope(lost, prior=0.5, strength=20.0) == 0.5


def test_without_data_the_prior_stands():
    assert slope(np.zeros((EVIDENCE_BINS, 2)), prior=0.37, strength=20.0) == 0.37


@given(arrays(np.float64, (EVIDENCE_BINS, 2), elements=st.floats(0.5, 40)), st.floats(1.0, 50.0))
def test_slope_is_the_peak_of_the_penalised_likelihood(counts, strength):
    """Against a plain search over both parameters."""
    found = slope(counts, prior=0.5, strength=strength)
    assert 0 <= found <= 2
    if 0 < found < 2 and counts.sum() > 1:
        best = max((likelihood(counts, gain, strength), gain) for gain in (found - 0.05, found, found + 0.05))
        assert best[1] == found


def likelihood(counts: np.ndarray, gain: float, strength: float) -> float:
    levels = np.linspace(-6, 6, 1201)[:, None]
    odds = levels + gain * CENTRES
    each = -counts[:, 1] * np.logaddexp(0, -odds) - counts[:, 0] * np.logaddexp(0, odds)
    return float(each.sum(axis=1).max() - strength * 0.25 * (gain - 0.5) ** 2 / 2)


@given(arrays(np.float64, st.integers(0, 20), elements=st.floats(-1e9, 1e9) | st.just(np.nan)))
def test_every_evidence_has_the_bin_whose_centre_is_nearest(evidence):
    number = bin_of(evidence)
    inside = np.clip(np.nan_to_num(evidence), -EVIDENCE_EDGE, EVIDENCE_EDGE)
    width = CENTRES[1] - CENTRES[0]
    assert (np.abs(CENTRES[number] - inside) <= width / 2 + 1e-3).all()


@given(arrays(np.float64, 5, elements=st.floats(-8, 8)))
def test_probability_undoes_log_odds(odds):
    assert probability(odds) == pytest.approx(1 / (1 + np.exp(-odds)), abs=5.1e-5)
    share = 1 / (1 + np.exp(-odds))
    assert log_odds(share) == pytest.approx(odds, abs=1e-6)


def test_certainty_stays_finite():
    assert np.isfinite(log_odds(np.array([0.0, 1.0]))).all()
