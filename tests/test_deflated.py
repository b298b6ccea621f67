"""Deflated Sharpe ratio and probability of overfitting: the published example, plain loops, known truths."""

from __future__ import annotations

import doctest
import math
from itertools import combinations
from statistics import NormalDist, mean, stdev

import numpy as np
import pytest

from edgebook.statistics import deflated
from edgebook.statistics.deflated import (
    deflated_sharpe,
    effective_trials,
    expected_maximum_sharpe,
    overfitting,
    probabilistic_sharpe,
    sharpe_ratio,
)


def test_examples_of_the_docstrings_hold() -> None:
    assert doctest.testmod(deflated).failed == 0


def test_published_example() -> None:
    """Bailey and Lopez de Prado (2014), "A numerical example": 5 years, 100 trials, annualised Sharpe ratio 2.5."""
    benchmark = expected_maximum_sharpe(0.5 / 250, trials=100)
    given = {"periods": 1250, "skewness": -3.0, "kurtosis": 10.0}
    assert benchmark == pytest.approx(0.1132, abs=5e-5)
    assert probabilistic_sharpe(2.5 / math.sqrt(250), benchmark=benchmark, **given) == pytest.approx(0.9004, abs=5e-4)
    # The same with 46 trials passes the 95 % that 100 trials miss, as the paper says.
    fewer = expected_maximum_sharpe(0.5 / 250, trials=46)
    assert probabilistic_sharpe(2.5 / math.sqrt(250), benchmark=fewer, **given) == pytest.approx(0.9505, abs=5e-4)


def test_deflated_sharpe_equals_hand_arithmetic() -> None:
    rng = np.random.default_rng(3)
    returns = rng.standard_t(5, 120) * 0.9 + 0.15
    trials = np.append(rng.normal(0, 0.07, 39), sharpe_ratio(returns))
    found = deflated_sharpe(returns, sharpe_ratios=trials)

    values, ratios = returns.tolist(), trials.tolist()
    n, centre = len(values), mean(values)
    spread = math.sqrt(sum((x - centre) ** 2 for x in values) / n)
    skew = sum(((x - centre) / spread) ** 3 for x in values) / n
    tail = sum(((x - centre) / spread) ** 4 for x in values) / n
    sharpe = centre / stdev(values)
    normal, gamma = NormalDist(), 0.5772156649015329
    benchmark = stdev(ratios) * (
        (1 - gamma) * normal.inv_cdf(1 - 1 / 40) + gamma * normal.inv_cdf(1 - 1 / (40 * math.e))
    )
    z = (sharpe - benchmark) * math.sqrt(n - 1) / math.sqrt(1 - skew * sharpe + (tail - 1) / 4 * sharpe**2)
    assert found.sharpe == pytest.approx(sharpe)
    assert found.benchmark == pytest.approx(benchmark)
    assert found.probability == pytest.approx(normal.cdf(z))
    assert (found.trials, found.periods) == (40, 120)


def test_benchmark_is_the_mean_maximum_of_worthless_trials() -> None:
    draws = np.random.default_rng(4).normal(0, 0.1, (20_000, 60))
    assert expected_maximum_sharpe(0.01, trials=60) == pytest.approx(draws.max(axis=1).mean(), rel=0.02)


def test_more_trials_of_the_same_spread_deflate_more() -> None:
    returns = np.random.default_rng(5).normal(0.1, 1, 200)
    few = deflated_sharpe(returns, sharpe_ratios=np.tile([-0.05, 0.05], 5))
    many = deflated_sharpe(returns, sharpe_ratios=np.tile([-0.05, 0.05], 500))
    assert many.probability < few.probability


def test_what_does_not_vary_is_not_judged() -> None:
    nothing = deflated_sharpe(np.zeros(30), sharpe_ratios=np.zeros(5))
    assert nothing.sharpe == 0 and math.isnan(nothing.probability)
    assert math.isnan(overfitting(np.zeros((40, 1))).probability)


def brute_force_logits(returns: np.ndarray, *, blocks: int) -> list[float]:
    """Combinatorially symmetric cross-validation as Bailey et al. (2017) write it down, one half at a time.

    Their steps: cut the matrix into S submatrices; for each choice of S/2 of them join those in order of time into
    the training set and the others into the test set; best by training, its rank in the test, the logit of that.
    """
    rows, trials = returns.shape
    parts = np.array_split(np.arange(rows), blocks)
    found = []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = [day for i in chosen for day in parts[i].tolist()]
        outside = [day for i in range(blocks) if i not in chosen for day in parts[i].tolist()]
        training = [mean(returns[inside, k]) / stdev(returns[inside, k]) for k in range(trials)]
        test = [mean(returns[outside, k]) / stdev(returns[outside, k]) for k in range(trials)]
        best = training.index(max(training))
        relative = sorted(test).index(test[best]) + 1
        relative = relative / (trials + 1)
        found.append(math.log(relative / (1 - relative)))
    return found


@pytest.mark.parametrize(("blocks", "trials"), [(4, 7), (6, 8), (8, 5)])
def test_overfitting_is_symmetric_cross_validation_done_by_hand(blocks: int, trials: int) -> None:
    returns = np.random.default_rng(6).normal(0, 1, (61, trials))
    logits = brute_force_logits(returns, blocks=blocks)
    found = overfitting(returns, blocks=blocks)
    assert len(logits) == math.comb(blocks, blocks // 2)
    np.testing.assert_allclose(found.logits, logits, atol=2e-6)
    at_median = sum(abs(logit) < 1e-9 for logit in logits)
    assert found.probability == pytest.approx((sum(x < -1e-9 for x in logits) + at_median / 2) / len(logits))


def test_equal_trials_share_their_rank() -> None:
    one = np.random.default_rng(8).normal(0, 1, 60)
    found = overfitting(np.column_stack([one, one, one]))
    assert found.probability == 0.5 and (found.logits == 0).all()


def test_overfitting_is_a_coin_flip_without_edge_and_never_with_a_clear_one() -> None:
    rng = np.random.default_rng(7)
    worthless = [overfitting(rng.normal(0, 1, (160, 30)), blocks=8).probability for _ in range(40)]
    assert mean(worthless) == pytest.approx(0.5, abs=0.1)
    clear = rng.normal(0, 1, (160, 30))
    clear[:, 11] += 1.5
    assert overfitting(clear).probability == 0.0


def test_effective_trials_count_what_moves_apart() -> None:
    rng = np.random.default_rng(9)
    apart = rng.normal(0, 1, (4000, 12))
    assert effective_trials(apart) == pytest.approx(12, rel=0.02)
    assert effective_trials(np.repeat(apart[:, :3], 4, axis=1)) == pytest.approx(3, rel=0.02)
    assert effective_trials(np.repeat(apart[:, :1], 5, axis=1)) == pytest.approx(1)
    assert math.isnan(effective_trials(np.zeros((10, 3))))
