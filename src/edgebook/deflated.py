"""How good the best of many trials looks by chance: the deflated Sharpe ratio, and the probability of overfitting.

Sharpe ratios here are those of one period (a day), never annualised.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats


@dataclass(frozen=True)
class Deflated:
    """A Sharpe ratio beside the one that the best of so many worthless trials would be expected to reach.

    Parameters
    ----------
    sharpe : float
        Of the chosen trial, a period.
    benchmark : float
        Expected maximum over the trials, were all worthless, a period.
    probability : float
        That the true Sharpe ratio is above the benchmark; NaN where it cannot be said.
    trials : int
        Raw number: every trial that was run, also those that were the same.
    periods : int
    """

    sharpe: float
    benchmark: float
    probability: float
    trials: int
    periods: int


def sharpe_ratio(returns: NDArray[np.float64]) -> float:
    """Mean over standard deviation (n - 1) of a period's returns; 0 where they do not vary.

    Examples
    --------
    >>> round(sharpe_ratio(np.array([1.0, 2.0, 3.0])), 6)
    2.0
    """
    deviation = float(np.std(returns, ddof=1)) if returns.size > 1 else 0.0
    return float(np.mean(returns)) / deviation if deviation > 1e-12 else 0.0


def expected_maximum_sharpe(variance: float, *, trials: int) -> float:
    """Sharpe ratio that the best of `trials` worthless ones is expected to reach.

    Parameters
    ----------
    variance : float
        Of the trials' Sharpe ratios.
    trials : int
        Taken as independent; the raw number overstates them, so that the benchmark errs on the strict side.

    Notes
    -----
    ``sqrt(V) ((1 - g) z(1 - 1/N) + g z(1 - 1/(N e)))`` with g Euler's constant and z the normal quantile.

    References
    ----------
    Bailey and Lopez de Prado (2014), The deflated Sharpe ratio, Journal of Portfolio Management 40, equation 1.

    Examples
    --------
    The paper's example: 100 trials whose annualised Sharpe ratios have variance 1/2, in days.

    >>> round(expected_maximum_sharpe(0.5 / 250, trials=100), 4)
    0.1132
    """
    if trials < 2:
        return 0.0
    high = (1 - np.euler_gamma) * stats.norm.ppf(1 - 1 / trials)
    higher = np.euler_gamma * stats.norm.ppf(1 - 1 / (trials * np.e))
    return float(np.sqrt(variance) * (high + higher))


def probabilistic_sharpe(sharpe: float, *, benchmark: float, periods: int, skewness: float, kurtosis: float) -> float:
    """Probability that the true Sharpe ratio is above a benchmark.

    Parameters
    ----------
    sharpe, benchmark : float
        A period.
    periods : int
    skewness, kurtosis : float
        Of the returns; the kurtosis of a normal distribution is 3.

    Returns
    -------
    float
        NaN where the returns are so skewed that the formula has no variance, or there are fewer than two.

    References
    ----------
    Bailey and Lopez de Prado (2012), The Sharpe ratio efficient frontier, Journal of Risk 15.

    Examples
    --------
    The example of Bailey and Lopez de Prado (2014): the text says 0.9004.

    >>> round(probabilistic_sharpe(2.5 / 250**0.5, benchmark=0.1132, periods=1250, skewness=-3, kurtosis=10), 3)
    0.9
    """
    variance = 1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2
    if periods < 2 or not variance > 0:
        return float("nan")
    return float(stats.norm.cdf((sharpe - benchmark) * np.sqrt((periods - 1) / variance)))


def deflated_sharpe(returns: NDArray[np.float64], *, sharpe_ratios: NDArray[np.float64]) -> Deflated:
    """Deflate the Sharpe ratio of the trial that was chosen for it.

    Parameters
    ----------
    returns : ndarray, shape (periods,)
        Of the chosen trial, net, in order of time, no period left out.
    sharpe_ratios : ndarray, shape (trials,)
        Of every trial that was run, the chosen one included.

    Notes
    -----
    Agrees with the example of the paper (tests/test_deflated.py). Periods are taken as independent.
    """
    sharpe = sharpe_ratio(returns)
    variance = float(np.var(sharpe_ratios, ddof=1)) if sharpe_ratios.size > 1 else 0.0
    benchmark = expected_maximum_sharpe(variance, trials=int(sharpe_ratios.size))
    spread = float(np.std(returns))
    probability = float("nan")
    if spread > 1e-12:
        standard = (returns - np.mean(returns)) / spread
        probability = probabilistic_sharpe(
            sharpe,
            benchmark=benchmark,
            periods=int(returns.size),
            skewness=float(np.mean(standard**3)),
            kurtosis=float(np.mean(standard**4)),
        )
    return Deflated(sharpe, benchmark, probability, int(sharpe_ratios.size), int(returns.size))


def overfitting_probability(returns: NDArray[np.float64], *, blocks: int = 8) -> float:
    """Probability that the trial that is best in one half of the time is below the median in the other.

    Parameters
    ----------
    returns : ndarray, shape (periods, trials)
        Net; equal series may be there several times.
    blocks : int
        Even; the periods are cut into so many, and every half of them is once the half in which one chooses.

    Returns
    -------
    float
        In [0, 1]; one half is what choosing among worthless trials gives. NaN with fewer than two trials.

    Notes
    -----
    Combinatorially symmetric cross-validation on Sharpe ratios; ties share their rank.

    References
    ----------
    Bailey, Borwein, Lopez de Prado and Zhu (2017), The probability of backtest overfitting, Journal of Computational
    Finance 20, section 2.
    """
    if returns.ndim != 2 or returns.shape[1] < 2 or returns.shape[0] < 2 * blocks:
        return float("nan")
    parts = np.array_split(returns, blocks)
    length = np.array([len(part) for part in parts], dtype=np.float64)
    sums = np.array([part.sum(axis=0) for part in parts])
    squares = np.array([(part**2).sum(axis=0) for part in parts])
    below = 0.0
    halves = list(combinations(range(blocks), blocks // 2))
    for chosen in halves:
        inside = np.isin(np.arange(blocks), chosen)
        best = int(np.argmax(_pooled_sharpe(length[inside], sums[inside], squares[inside])))
        outside = _pooled_sharpe(length[~inside], sums[~inside], squares[~inside])
        rank = stats.rankdata(outside)[best] / (len(outside) + 1)
        below += 1.0 if rank < 0.5 else 0.5 if rank == 0.5 else 0.0
    return below / len(halves)


def _pooled_sharpe(
    length: NDArray[np.float64], sums: NDArray[np.float64], squares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sharpe ratio of each trial over some blocks, from its sums."""
    n = length.sum()
    mean = sums.sum(axis=0) / n
    variance = np.maximum(squares.sum(axis=0) / n - mean**2, 0.0)
    ratio = np.divide(mean, np.sqrt(variance), out=np.zeros_like(mean), where=variance > 1e-12)
    return np.asarray(np.round(ratio, 9))
