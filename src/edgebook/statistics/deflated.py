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


@dataclass(frozen=True)
class Overfitting:
    """How the trial that is best in one half of the time does in the other, over all ways to choose the halves.

    Parameters
    ----------
    probability : float
        Share of the ways in which it is below the median there; NaN where that cannot be said.
    logits : ndarray, shape (ways,)
        Log-odds of its relative rank there: below zero it is worse than the median.
    blocks : int
        The periods are cut into so many.
    """

    probability: float
    logits: NDArray[np.float64]
    blocks: int


def overfitting(returns: NDArray[np.float64], *, blocks: int = 16) -> Overfitting:
    """Probability that the trial that is best in one half of the time is below the median in the other.

    Parameters
    ----------
    returns : ndarray, shape (periods, trials)
        Net; equal series may be there several times.
    blocks : int
        Even; the periods are cut into so many, and every half of them is once the half in which one chooses.

    Returns
    -------
    Overfitting
        Its probability is one half where one chooses among worthless trials, NaN with fewer than two trials or with
        blocks of fewer than two periods.

    Notes
    -----
    Combinatorially symmetric cross-validation on Sharpe ratios. A relative rank is the rank among the trials over
    their number plus one, its logit the paper's lambda; ties share their rank, and a rank at the median counts half.
    Sixteen blocks, as in the paper, are 12,870 ways. The figure is a rough one: on a study of the crypto sample it was
    25 to 41 % for 8 to 16 blocks.

    References
    ----------
    Bailey, Borwein, Lopez de Prado and Zhu (2017), The probability of backtest overfitting, Journal of Computational
    Finance 20, section 2.

    Examples
    --------
    One trial that is better in every half is best and stays best.

    >>> returns = np.random.default_rng(1).normal(size=(120, 9))
    >>> returns[:, 4] += 2.0
    >>> overfitting(returns).probability
    0.0
    """
    if returns.ndim != 2 or returns.shape[1] < 2 or returns.shape[0] < 2 * blocks:
        return Overfitting(float("nan"), np.empty(0), blocks)
    parts = np.array_split(returns, blocks)
    length = np.array([len(part) for part in parts], dtype=np.float64)
    sums = np.array([part.sum(axis=0) for part in parts])
    squares = np.array([(part**2).sum(axis=0) for part in parts])
    inside = np.array([np.isin(np.arange(blocks), chosen) for chosen in combinations(range(blocks), blocks // 2)])
    best = _pooled_sharpe(inside, length, sums, squares=squares).argmax(axis=1)
    outside = _pooled_sharpe(~inside, length, sums, squares=squares)
    own = outside[np.arange(len(best)), best][:, None]
    rank = (outside < own).sum(axis=1) + ((outside == own).sum(axis=1) + 1) / 2
    relative = rank / (returns.shape[1] + 1)
    below = np.where(relative < 0.5, 1.0, np.where(relative == 0.5, 0.5, 0.0))
    return Overfitting(float(below.mean()), np.round(np.log(relative / (1 - relative)), 6) + 0.0, blocks)


def effective_trials(returns: NDArray[np.float64]) -> float:
    """How many uncorrelated trials would spread their variance as evenly as these: a description, not a correction.

    Parameters
    ----------
    returns : ndarray, shape (periods, trials)

    Returns
    -------
    float
        From 1, all trials move together, to their number; NaN where fewer than two of them vary.

    Notes
    -----
    Participation ratio of the eigenvalues of the correlation matrix, ``(sum l)**2 / sum l**2``. The best of correlated
    trials may still be as lucky as the best of many: nothing is deflated by this number.

    Examples
    --------
    >>> steps = np.eye(4)
    >>> round(effective_trials(np.hstack([steps, steps])), 2)
    3.0
    """
    varying = returns[:, returns.std(axis=0) > 1e-12]
    if varying.shape[1] < 2:
        return float("nan")
    correlation = np.corrcoef(varying, rowvar=False)
    return float(np.trace(correlation) ** 2 / (correlation**2).sum())


def _pooled_sharpe(
    chosen: NDArray[np.bool_], length: NDArray[np.float64], sums: NDArray[np.float64], *, squares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sharpe ratio of each trial over each choice of blocks, shape (ways, trials), from the sums of the blocks."""
    weight = chosen.astype(np.float64)
    n = (weight @ length)[:, None]
    mean = weight @ sums / n
    variance = np.maximum(weight @ squares / n - mean**2, 0.0)
    ratio = np.divide(mean, np.sqrt(variance), out=np.zeros_like(mean), where=variance > 1e-12)
    return np.asarray(np.round(ratio, 9))
