"""Second opinions on a trial that never decide: what four usual tests say today.

Each is valid for one look that was planned. The gate is looked at every week: `repeated_looks` measures how often each
of them promotes falsely then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from edgebook.analyses.ab_trials import Comparison, banded, rounded, trades_of
from edgebook.statistics import intervals
from edgebook.statistics.intervals import Interval, wilson
from edgebook.statistics.ratios import ratio_influence

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL = 0.05
"""Two-sided; a challenger would be promoted on the upper half of it."""
BLOCK_DAYS = 7
DRAWS = 999
MIN_WEEKS = 4
METHODS = ("weekly paired t", "Ledoit–Wolf, Sharpe", "O'Brien–Fleming", "two-proportion z")


def opinions(
    found: Comparison, trades: pd.DataFrame, *, looks: int, periods_per_year: float, seed: int = 21
) -> pd.DataFrame:
    """Every second opinion on one trial.

    Parameters
    ----------
    found : Comparison
    trades : DataFrame
        Trades of every arm's own book, column `arm`.
    looks : int
        Weekly looks that a trial may take.
    periods_per_year : float
        Trading days a year of the market.
    seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        One row a method of `METHODS`: method, of (what the estimate is), n, unit (of n), estimate with `_low` and
        `_high`, statistic, limit, promotes (whether the challenger would be promoted today).
    """
    weekly = weekly_sums(found.days["book_difference"].to_numpy(dtype=np.float64))
    won = [
        (trades_of(found, trades, arm=name)["profit_ratio"] > 0).to_numpy(bool) for name in (found.arm, found.against)
    ]
    returns = found.days[["arm_return", "against_return"]].to_numpy(dtype=np.float64)
    gap, statistic = paired_t(weekly)
    sharpe, p = sharpe_difference(returns, periods_per_year=periods_per_year, seed=seed)
    boundary, z, limit = o_brien_fleming(weekly, looks=looks)
    rates, z_rates = two_proportions(won[0], won[1])
    student = intervals.student(len(weekly) - 1)
    rows = [
        ("R a week", "weeks", gap, statistic, student, statistic > student),
        ("Sharpe ratio, a year", "days", sharpe, p, LEVEL, p < LEVEL and sharpe.value > 0),
        ("R a week", "weeks", boundary, z, limit, z > limit),
        ("win rate", "signals", rates, z_rates, _normal(), z_rates > _normal()),
    ]
    table = [
        {
            "method": method,
            "of": of,
            "n": found_gap.n,
            "unit": unit,
            **banded("estimate", found_gap),
            "statistic": value,
            "limit": bound,
            "promotes": bool(promotes),
        }
        for method, (of, unit, found_gap, value, bound, promotes) in zip(METHODS, rows, strict=True)
    ]
    return rounded(pd.DataFrame(table))


def weekly_sums(daily: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of whole weeks of days, shape (days // 7,); trials begin on Mondays."""
    whole = daily[: len(daily) // 7 * 7]
    total: NDArray[np.float64] = whole.reshape(-1, 7).sum(axis=1)
    return total


def paired_t(weekly: NDArray[np.float64]) -> tuple[Interval, float]:
    """Student's t on the weekly sums of the paired difference.

    Parameters
    ----------
    weekly : ndarray, shape (weeks,)

    Returns
    -------
    Interval, float
        Mean with its 95 % interval, and t; NaN with fewer than `MIN_WEEKS` weeks.

    Notes
    -----
    Agrees with ``scipy.stats.ttest_1samp`` (tests/test_second_opinions.py).
    """
    n = len(weekly)
    if n < MIN_WEEKS or not np.std(weekly) > 0:
        return Interval(np.nan, np.nan, np.nan, n, float(n)), np.nan
    mean, error = float(np.mean(weekly)), float(np.std(weekly, ddof=1) / np.sqrt(n))
    half = intervals.student(n - 1) * error
    return Interval(mean, mean - half, mean + half, n, float(n)), mean / error


def sharpe_difference(
    returns: NDArray[np.float64], *, periods_per_year: float, seed: int, draws: int = DRAWS
) -> tuple[Interval, float]:
    """Difference of two Sharpe ratios by Ledoit and Wolf's studentised block bootstrap.

    Parameters
    ----------
    returns : ndarray, shape (days, 2)
        Net daily returns of challenger and champion.
    periods_per_year : float
    seed, draws : int
        Of the bootstrap.

    Returns
    -------
    Interval, float
        Annualised difference with its symmetric 95 % interval, and the two-sided p value; NaN with fewer than
        `MIN_WEEKS` weeks or a book that does not move.

    Notes
    -----
    Circular blocks of a week. The error of the estimate is Newey and West's over the influence values at six lags, that
    of a drawn sample the natural one of its blocks (their section 3.2.2). Coverage by simulation in
    tests/test_second_opinions.py.

    References
    ----------
    Ledoit and Wolf (2008), Journal of Empirical Finance 15, 850-859.
    """
    days = len(returns) // BLOCK_DAYS * BLOCK_DAYS
    nothing = Interval(np.nan, np.nan, np.nan, len(returns), float(len(returns)))
    if days < MIN_WEEKS * 7 or not (returns[:days].std(axis=0) > 0).all():
        return nothing, np.nan
    used, year = returns[:days], float(np.sqrt(periods_per_year))
    (first, pull), (second, push) = (ratio_influence(used[:, arm]) for arm in (0, 1))
    gap, error = first - second, newey_west(pull - push)
    if not error > 1e-12:
        return nothing, np.nan
    rng = np.random.default_rng(seed)
    start = rng.integers(0, days, (draws, days // BLOCK_DAYS, 1))
    drawn = used[(start + np.arange(BLOCK_DAYS)).reshape(draws, -1) % days]
    mean, deviation = drawn.mean(axis=1), drawn.std(axis=1, ddof=1)
    moves = (deviation > 0).all(axis=1)
    drawn, mean, deviation = drawn[moves], mean[moves], deviation[moves]
    ratio = mean / deviation
    centred = (drawn - mean[:, None, :]) / deviation[:, None, :]
    influence = centred - ratio[:, None, :] / 2 * (centred**2 - 1)
    blocks = (influence[..., 0] - influence[..., 1]).reshape(len(drawn), -1, BLOCK_DAYS).sum(axis=2)
    own_error = np.sqrt((blocks**2).sum(axis=1)) / days
    distance = np.abs(ratio[:, 0] - ratio[:, 1] - gap) / own_error
    half = float(np.quantile(distance, 1 - LEVEL)) * error
    p = (float((distance >= abs(gap) / error).sum()) + 1) / (len(distance) + 1)
    return Interval(gap * year, (gap - half) * year, (gap + half) * year, days, float(days)), p


def newey_west(influence: NDArray[np.float64], *, lags: int = BLOCK_DAYS - 1) -> float:
    """Standard error of a mean of influence values that hang together for some days.

    Parameters
    ----------
    influence : ndarray, shape (days,)
        Mean 0.
    lags : int

    References
    ----------
    Newey and West (1987), Econometrica 55, 703-708.
    """
    days = len(influence)
    plain = float(np.sum(influence**2))
    shared = sum(2 * (1 - k / (lags + 1)) * float(np.sum(influence[k:] * influence[:-k])) for k in range(1, lags + 1))
    return float(np.sqrt(max(plain + shared, 0.0)) / days)


def o_brien_fleming(weekly: NDArray[np.float64], *, looks: int) -> tuple[Interval, float, float]:
    """O'Brien and Fleming's boundary for weekly looks, with its repeated confidence interval.

    Parameters
    ----------
    weekly : ndarray, shape (weeks,)
        Sums of the paired difference.
    looks : int
        Planned looks; after them, the boundary of the last.

    Returns
    -------
    Interval, float, float
        Mean with its repeated interval, z today, and the z that promotes today.

    Notes
    -----
    Promotion at look k of K when ``z >= c sqrt(K / k)``, c from `boundary_constant`.

    References
    ----------
    O'Brien and Fleming (1979), Biometrics 35, 549-556; Jennison and Turnbull (2000), chapters 2 and 9.
    """
    n = len(weekly)
    limit = boundary_constant(looks) * float(np.sqrt(looks / min(max(n, 1), looks)))
    if n < MIN_WEEKS or not np.std(weekly) > 0:
        return Interval(np.nan, np.nan, np.nan, n, float(n)), np.nan, limit
    mean, error = float(np.mean(weekly)), float(np.std(weekly, ddof=1) / np.sqrt(n))
    return Interval(mean, mean - limit * error, mean + limit * error, n, float(n)), mean / error, limit


def boundary_constant(looks: int, *, level: float = LEVEL / 2) -> float:
    """Height c at which a random walk of `looks` steps reaches ``c sqrt(looks)`` with probability `level`.

    Parameters
    ----------
    looks : int
    level : float
        One-sided.

    Notes
    -----
    The density of the walk that has not crossed, step by step on a grid (Armitage, McPherson and Rowe 1969). Agrees
    with Jennison and Turnbull (2000), table 2.3, to 0.01 (tests/test_second_opinions.py).
    """
    step = 0.05 if looks < 30 else 0.1
    low, high = 1.5, 3.0
    for _ in range(12):
        height = (low + high) / 2
        if _crossing(height * np.sqrt(looks), looks=looks, step=step) > level:
            low = height
        else:
            high = height
    return float(round((low + high) / 2, 3))


def two_proportions(won: NDArray[np.bool_], against: NDArray[np.bool_]) -> tuple[Interval, float]:
    """Difference of two win rates as if all signals were independent.

    Parameters
    ----------
    won, against : ndarray of bool
        Closed signals of challenger and champion.

    Returns
    -------
    Interval, float
        Difference with Newcombe's 95 % interval, and the pooled z; NaN without a signal on either side.

    Notes
    -----
    Agrees with ``statsmodels.stats.proportion`` (tests/test_second_opinions.py). Signals of a week share its market, so
    that it says more than it knows: `outcome_analysis` counts weeks.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.
    """
    n = won.size + against.size
    if not (won.size and against.size):
        return Interval(np.nan, np.nan, np.nan, n, float(n)), np.nan
    first, second, pooled = float(won.mean()), float(against.mean()), float(np.concatenate([won, against]).mean())
    gap = first - second
    (low_a, high_a), (low_b, high_b) = wilson(first, n=won.size), wilson(second, n=against.size)
    low = gap - float(np.hypot(first - low_a, high_b - second))
    high = gap + float(np.hypot(high_a - first, second - low_b))
    error = float(np.sqrt(pooled * (1 - pooled) * (1 / won.size + 1 / against.size)))
    return Interval(gap, low, high, n, float(n)), gap / error if error > 0 else np.nan


def _crossing(height: float, *, looks: int, step: float) -> float:
    """Probability that a standard normal walk is ever at or above a height within some looks."""
    from scipy.signal import fftconvolve

    places = np.arange(-6 * np.sqrt(looks), height, step) + step / 2
    places = places[places < height]
    kernel = np.arange(-8, 8 + step / 2, step)
    weights = stats.norm.cdf(kernel + step / 2) - stats.norm.cdf(kernel - step / 2)
    density = stats.norm.cdf(places + step / 2) - stats.norm.cdf(places - step / 2)
    for _ in range(looks - 1):
        density = (
            fftconvolve(density, weights, mode="same")
            if len(density) >= len(weights)
            else np.convolve(density, weights, mode="full")[len(weights) // 2 : len(weights) // 2 + len(density)]
        )
    return 1 - float(density.sum())


def _normal() -> float:
    return float(stats.norm.ppf(1 - LEVEL / 2))
