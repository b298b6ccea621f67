"""Markets in which no rule can earn, by construction.

A recipe is compared with another on these; where none can be better, each promotion is a false one.
`edgebook.bars.synthetic.make_market` with ``kind="no_edge"`` looks like one of them and is not quite: its price is a
martingale, but its path jumps in eight steps a bar, and a stop that is jumped over fills at its own, better price.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.bars.synthetic_paths import CORRELATION, HOURLY_VOLATILITY, STEPS, VOLATILITY_MEMORY, VOLATILITY_SPREAD
from edgebook.bars.synthetic_truth import monday
from edgebook.errors import SettingsError
from edgebook.evidence.null_moves import (
    HOURS_A_WEEK,
    Moves,
    bars_of_moves,
    drift_free,
    source_moves,
    volatility_strata,
    whole_weeks,
)
from edgebook.evidence.null_paths import LEVELS, brownian_extremes, halving_extremes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

TAIL_FREEDOM = 5
LARGEST_TAIL = 4.0
STRATA = 20
SMOOTH_HOURS = 6
BLOCK_WEEKS = 4  # of the sequence of strata


def random_walk(
    *, pairs: int, weeks: int, seed: int, start: str = "2017-01-02", timeframes: Sequence[str] = ("1h",)
) -> pd.DataFrame:
    """Geometric Brownian motion without drift: the plainest market in which nothing can be known.

    Parameters
    ----------
    pairs : int
        They are named S01/USD, S02/USD, …; their steps are correlated by 0.4.
    weeks : int
        Length of the market.
    seed : int
        A market of more weeks begins with that of fewer, and one of more pairs holds that of fewer, bit by bit.
    start : str
        Monday 00:00 UTC at which the first bar opens.
    timeframes : sequence of str
        "1h" is drawn, coarser ones are made of it.

    Returns
    -------
    DataFrame
        The bars table. The last bar closes at the Monday on which the market ends.

    Raises
    ------
    SettingsError
        A date or size that cannot be.

    Notes
    -----
    A bar opens at the close before and takes eight Gaussian steps; its log return has standard deviation
    s = 0.8 % and mean ``-s**2 / 2``, so that the mean of the price's factor is 1 and the price is a martingale. High
    and low are those of the continuous path through the eight points
    (`edgebook.evidence.null_paths.brownian_extremes`): a barrier is met at its own price, as labelling takes it to be.
    Volume is independent noise.
    """
    return _walks(pairs=pairs, weeks=weeks, seed=seed, start=start, timeframes=timeframes, moving=False)


def stochastic_volatility(
    *, pairs: int, weeks: int, seed: int, start: str = "2017-01-02", timeframes: Sequence[str] = ("1h",)
) -> pd.DataFrame:
    """Random walk of which the volatility clusters and the returns have fat tails: no drift, ever.

    Parameters
    ----------
    pairs, weeks, seed, start, timeframes
        As for `random_walk`.

    Returns
    -------
    DataFrame
        The bars table, as from `random_walk`.

    Raises
    ------
    SettingsError
        As `random_walk`.

    Notes
    -----
    As `random_walk`, with volatility and tails of `edgebook.bars.synthetic.make_market`: volatility is a
    log-autoregression (half-life 69 bars, 0.8 % an hour at its median), shared by half between the pairs; a bar's
    shocks share a scale that makes its return Student-t with 5 degrees of freedom. Both are drawn apart from the
    shocks, and the mean of a factor is 1 given both. Volume grows with volatility and with the size of the return.
    """
    return _walks(pairs=pairs, weeks=weeks, seed=seed, start=start, timeframes=timeframes, moving=True)


def _walks(*, pairs: int, weeks: int, seed: int, start: str, timeframes: Sequence[str], moving: bool) -> pd.DataFrame:
    """Random walks; `moving` for volatility that is not constant."""
    if not 1 <= pairs <= 99 or weeks < 1:
        raise SettingsError(f"random walk: {pairs} pairs over {weeks} weeks; take 1 to 99 pairs, 1 week or more")
    begin = monday(start, what="start")
    n = weeks * HOURS_A_WEEK
    root, *own = [np.random.SeedSequence(seed, spawn_key=(number,)) for number in range(pairs + 1)]
    market_shocks, market_states = [np.random.default_rng(each) for each in root.spawn(2)]
    common = market_shocks.standard_normal((n, STEPS))
    market = _autoregression(market_states.standard_normal(n)) if moving else np.zeros(n)
    factors = [np.empty((n, pairs)) for _ in range(4)]
    for p, stream in enumerate(own):
        shock, above, below, noise, lone, tail = [np.random.default_rng(each) for each in stream.spawn(6)]
        shocks = np.sqrt(CORRELATION) * common + np.sqrt(1.0 - CORRELATION) * shock.standard_normal((n, STEPS))
        state, scale = np.zeros(n), np.ones(n)
        if moving:
            state = np.sqrt(0.5) * (market + _autoregression(lone.standard_normal(n)))
            squares = (tail.standard_normal((n, TAIL_FREEDOM)) ** 2).sum(axis=1)
            scale = np.minimum(np.sqrt((TAIL_FREEDOM - 2) / squares), LARGEST_TAIL)
        variance = (HOURLY_VOLATILITY * np.exp(VOLATILITY_SPREAD * state) * scale) ** 2 / STEPS
        steps = np.sqrt(variance)[:, None] * shocks - 0.5 * variance[:, None]
        move = steps.sum(axis=1)
        size = np.abs(move) / (HOURLY_VOLATILITY * np.exp(VOLATILITY_SPREAD * state)) if moving else np.zeros(n)
        extremes = brownian_extremes(steps, variance, above=above.random((n, STEPS)), below=below.random((n, STEPS)))
        log_volume = VOLATILITY_SPREAD * state + 0.3 * np.minimum(size, 4.0) + 0.3 * noise.standard_normal(n)
        for factor, log in zip(factors, (*extremes, move, log_volume), strict=True):
            factor[:, p] = np.exp(log)
    names = tuple(f"S{number:02d}/USD" for number in range(1, pairs + 1))
    moves = Moves(names, np.arange(n), np.ones((n, pairs)), *factors)
    return bars_of_moves(moves, hours=moves.hour, start=begin, weeks=weeks, timeframes=timeframes, first_price=100.0)


def _autoregression(shocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a stationary series of mean 0 and variance 1 that keeps `VOLATILITY_MEMORY` of itself a bar."""
    from scipy.signal import lfilter

    fresh = (1.0 - VOLATILITY_MEMORY**2) ** 0.5
    first = np.zeros_like(shocks)
    first[0] = 1.0 - fresh
    values: NDArray[np.float64] = lfilter([1.0], [1.0, -VOLATILITY_MEMORY], shocks * (fresh + first))
    return values


def shuffled_bars(
    bars: pd.DataFrame,
    *,
    seed: int,
    weeks: int,
    start: str,
    strata: int = STRATA,
    timeframes: Sequence[str] = ("1h",),
) -> pd.DataFrame:
    """Real moves shuffled within strata of volatility: real sizes and joint shocks, and nothing to be known.

    Parameters
    ----------
    bars : DataFrame
        Real hourly bars, the bars table; a year or more.
    seed : int
        Of every draw. A market of more weeks begins with that of fewer.
    weeks : int
        Length of the market, which may be more than `bars` has.
    start : str
        Monday 00:00 UTC at which the first bar opens.
    strata : int
        Of volatility, of equal size.
    timeframes : sequence of str
        "1h" is drawn, coarser ones are made of it.

    Returns
    -------
    DataFrame
        The bars table: the pairs of `bars`, each beginning at 1000, without gaps in time.

    Raises
    ------
    DataError
        Other than hourly bars, or too few for blocks of four weeks or for the strata.
    SettingsError
        A date or size that cannot be.

    Notes
    -----
    1. Hours in which every pair has a bar are sorted into strata by the market's volatility
       (`edgebook.evidence.null_moves.volatility_strata`).
    2. Within each stratum and pair the factor from open to close is divided by its mean, and so is the gap from one
       close to the next open (`edgebook.evidence.null_moves.drift_free`).
    3. The sequence of strata is put together from stretches of four real weeks, each beginning at a Monday: volatility
       clusters, and has its hours of day and days of week, as it really does.
    4. For each hour of the sequence one hour of its stratum is drawn, with replacement and for all pairs at once: close
       and volume. A second one gives the gap, so that the gap says nothing about the bar that follows.
    5. High and low are those of a continuous martingale that ends at the close drawn
       (`edgebook.evidence.null_paths.halving_extremes`).

    What depends on what: steps 1 to 3 do not look at what is drawn in step 4. Given the whole sequence of strata,
    future included, the draws are independent of each other, and each has mean 1 whatever its stratum. So the mean of
    the next factor given all bars up to now, or even given all volatility to come, is 1: the price is a martingale for
    everybody who sees past prices, volumes and volatility. Volatility can be forecast here, as in a real market; it
    says how far the price will go, and nothing about where to. What a trade gains before costs is therefore 0 on
    average, whatever rule opened it and wherever it ends. Labelling takes a little from that: it counts a stop where
    one bar holds stop and target, and no better fill for a target that the open has jumped over.

    Why real highs and lows are not kept: the path inside a real bar is no martingale. With real highs and lows around
    the same drift-free closes, shorts gained 0.037 R and longs lost 0.046 R a candidate (plan tp2.0_sl1.5_t24, before
    costs, ± 0.014, 15 markets of 70 weeks): a rule that goes short would have been truly better.
    """
    begin, moves = source_moves(bars, weeks=weeks, start=start)
    if not 1 <= strata <= len(moves) // 50:
        raise SettingsError(
            f"shuffled bars: {strata} strata of {len(moves)} hours; take 1 to {len(moves) // 50}, 50 hours each or more"
        )
    stratum = volatility_strata(moves, strata=strata, smooth_hours=SMOOTH_HOURS)
    gap, close = (drift_free(factors, stratum) for factors in (moves.gap, moves.close))
    blocks, bodies, gaps, insides = (np.random.default_rng(each) for each in np.random.SeedSequence(seed).spawn(4))
    sequence = _strata_sequence(moves.hour, stratum, weeks=weeks, rng=blocks)
    order = np.argsort(stratum, kind="stable")
    firsts = np.searchsorted(stratum[order], np.arange(strata + 1))
    drawn, drawn_gaps = (
        order[firsts[sequence] + (rng.random(sequence.size) * np.diff(firsts)[sequence]).astype(np.int64)]
        for rng in (bodies, gaps)
    )
    uniform = insides.random((sequence.size, len(moves.pairs), LEVELS))
    high, low = (np.empty((sequence.size, len(moves.pairs))) for _ in range(2))
    for p in range(len(moves.pairs)):
        ascending = np.lexsort((close[:, p], stratum))
        place = np.empty_like(ascending)
        place[ascending] = np.arange(ascending.size)
        high[:, p], low[:, p] = halving_extremes(close[ascending, p], firsts, sequence, place[drawn], uniform[:, p])
    shuffled = Moves(
        moves.pairs, np.arange(sequence.size), gap[drawn_gaps], high, low, close[drawn], moves.volume[drawn]
    )
    return bars_of_moves(shuffled, hours=shuffled.hour, start=begin, weeks=weeks, timeframes=timeframes)


def _strata_sequence(
    hour: NDArray[np.int64], stratum: NDArray[np.int64], *, weeks: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Strata of `weeks` weeks, in stretches of the real sequence; an hour without bars takes that of the one before."""
    beginnings = whole_weeks(hour, length=BLOCK_WEEKS)
    blocks = rng.random(-(-weeks // BLOCK_WEEKS))
    first = beginnings[(blocks * beginnings.size).astype(np.int64)] * HOURS_A_WEEK
    hours = (first[:, None] + np.arange(BLOCK_WEEKS * HOURS_A_WEEK)).ravel()[: weeks * HOURS_A_WEEK]
    return stratum[np.searchsorted(hour, hours, side="right") - 1]
