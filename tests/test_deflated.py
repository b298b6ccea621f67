"""Deflated Sharpe ratio and probability of overfitting: the published example, plain loops, known truths."""

from __future__ import annotations

import doctest
import math
from itertools import combinations
from statistics import NormalDist, mean, stdev

import numpy as np
import pytest

from edgebook import deflated
from edgebook.deflated import (
    deflated_sharpe,
    expected_maximum_sharpe,
    overfitting_probability,
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
    assert math.isnan(overfitting_probability(np.zeros((40, 1))))


def test_overfitting_probability_equals_a_plain_loop() -> None:
    returns = np.random.default_rng(6).normal(0, 1, (61, 7))
    parts = np.array_split(np.arange(61), 4)
    below = []
    for chosen in combinations(range(4), 2):
        inside = np.concatenate([parts[i] for i in chosen])
        outside = np.concatenate([parts[i] for i in range(4) if i not in chosen])
        ratio_in = [returns[inside, k].mean() / returns[inside, k].std() for k in range(7)]
        ratio_out = [returns[outside, k].mean() / returns[outside, k].std() for k in range(7)]
        best = ratio_out[int(np.argmax(ratio_in))]
        rank = sum(r <= best for r in ratio_out) / 8
        below.append(1.0 if rank < 0.5 else 0.5 if rank == 0.5 else 0.0)
    assert overfitting_probability(returns, blocks=4) == pytest.approx(mean(below))


def test_overfitting_is_a_coin_flip_without_edge_and_never_with_a_clear_one() -> None:
    rng = np.random.default_rng(7)
    worthless = [overfitting_probability(rng.normal(0, 1, (160, 30))) for _ in range(40)]
    assert mean(worthless) == pytest.approx(0.5, abs=0.1)
    clear = rng.normal(0, 1, (160, 30))
    clear[:, 11] += 1.5
    assert overfitting_probability(clear) == 0.0
