"""Markets in which no rule can earn, by construction, and stress markets that keep some of what real bars have.

A recipe is compared with another on these; where none can be better, each promotion is a false one. The market of
stochastic volatility with fat tails is `edgebook.synthetic.make_market` with ``kind="no_edge"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.errors import DataError, SettingsError
from edgebook.null_moves import HOURS_A_WEEK, Moves, bars_of_moves, drift_free, hourly_moves, volatility_strata
from edgebook.synthetic_truth import monday

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

HOURLY_VOLATILITY = 0.008
CORRELATION = 0.4  # of two pairs' steps
STEPS = 8  # a bar
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
    s = 0.8 % and mean ``-s**2 / 2``, so that the mean of the price's factor is 1 and the price is a martingale.
    Between two steps, y apart in logarithms, the highest point of the path is drawn from what a Brownian motion
    reaches there, ``(y + sqrt(y**2 - 2 * v * log(u))) / 2`` above the first with v the step's variance and u uniform,
    and the lowest likewise. A barrier inside a bar is therefore met at its own price, as labelling takes it to be;
    with the eight steps alone the path would jump over it, which flatters stops. Volume is independent noise.

    References
    ----------
    Glasserman (2003), *Monte Carlo Methods in Financial Engineering*, section 6.4, for the extremes.
    """
    if not 1 <= pairs <= 99 or weeks < 1:
        raise SettingsError(f"random walk: {pairs} pairs over {weeks} weeks; take 1 to 99 pairs, 1 week or more")
    begin = monday(start, what="start")
    n = weeks * HOURS_A_WEEK
    streams = [np.random.SeedSequence(seed, spawn_key=(number,)) for number in range(pairs + 1)]
    common = np.random.default_rng(streams[0]).standard_normal((n, STEPS))
    high, low, close, volume = (np.empty((n, pairs)) for _ in range(4))
    for p, stream in enumerate(streams[1:]):
        own, above, below, noise = (np.random.default_rng(each) for each in stream.spawn(4))
        shocks = np.sqrt(CORRELATION) * common + np.sqrt(1.0 - CORRELATION) * own.standard_normal((n, STEPS))
        variance = HOURLY_VOLATILITY**2 / STEPS
        steps = np.sqrt(variance) * shocks - 0.5 * variance
        ends = np.cumsum(steps, axis=1)
        reach = [np.sqrt(steps**2 - 2.0 * variance * np.log1p(-rng.random((n, STEPS)))) for rng in (above, below)]
        close[:, p] = np.exp(ends[:, -1])
        high[:, p] = np.exp((ends - steps + 0.5 * (steps + reach[0])).max(axis=1))
        low[:, p] = np.exp((ends - steps + 0.5 * (steps - reach[1])).min(axis=1))
        volume[:, p] = np.exp(0.3 * noise.standard_normal(n))
    names = tuple(f"S{number:02d}/USD" for number in range(1, pairs + 1))
    moves = Moves(names, np.arange(n), np.ones((n, pairs)), high, low, close, volume)
    return bars_of_moves(moves, hours=moves.hour, start=begin, weeks=weeks, timeframes=timeframes, first_price=100.0)


def shuffled_bars(
    bars: pd.DataFrame,
    *,
    seed: int,
    weeks: int,
    start: str,
    strata: int = STRATA,
    timeframes: Sequence[str] = ("1h",),
) -> pd.DataFrame:
    """Real bars shuffled within strata of volatility: real sizes, shapes and joint shocks, and nothing to be known.

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
       (`edgebook.null_moves.volatility_strata`).
    2. Within each stratum and pair the factor from open to close is divided by its mean, and so is the gap from one
       close to the next open (`edgebook.null_moves.drift_free`).
    3. The sequence of strata is put together from stretches of four real weeks, each beginning at a Monday: volatility
       clusters, and has its hours of day and days of week, as it really does.
    4. For each hour of the sequence one hour of its stratum is drawn, with replacement and for all pairs at once: high,
       low, close and volume. A second one gives the gap, so that the gap says nothing about the bar that follows.

    What depends on what: steps 1 to 3 do not look at what is drawn in step 4. Given the whole sequence of strata,
    future included, the draws are independent of each other, and each has mean 1 whatever its stratum. So the mean of
    the next factor given all bars up to now, or even given all volatility to come, is 1: the price is a martingale for
    everybody who sees past prices, volumes and volatility. Volatility can be forecast here, as in a real market; it
    says how far the price will go, and nothing about where to. What a trade gains before costs is therefore 0 on
    average for every rule of entry and every exit at an open or a close. An exit at a barrier inside a bar is as good
    as the path inside a real bar, which is not known and need not be a martingale; see ``docs/evidence.md`` for what
    that is worth.
    """
    begin, moves = _source(bars, weeks=weeks, start=start)
    if not 1 <= strata <= len(moves) // 50:
        raise SettingsError(
            f"shuffled bars: {strata} strata of {len(moves)} hours; take 1 to {len(moves) // 50}, 50 hours each or more"
        )
    stratum = volatility_strata(moves, strata=strata, smooth_hours=SMOOTH_HOURS)
    fair = drift_free(moves, stratum)
    blocks, bodies, gaps = (np.random.default_rng(each) for each in np.random.SeedSequence(seed).spawn(3))
    sequence = _strata_sequence(moves.hour, stratum, weeks=weeks, rng=blocks)
    order = np.argsort(stratum, kind="stable")
    firsts = np.searchsorted(stratum[order], np.arange(strata + 1))
    drawn, drawn_gaps = (
        order[firsts[sequence] + (rng.random(sequence.size) * np.diff(firsts)[sequence]).astype(np.int64)]
        for rng in (bodies, gaps)
    )
    shuffled = Moves(
        fair.pairs,
        np.arange(sequence.size),
        fair.gap[drawn_gaps],
        fair.high[drawn],
        fair.low[drawn],
        fair.close[drawn],
        fair.volume[drawn],
    )
    return bars_of_moves(shuffled, hours=shuffled.hour, start=begin, weeks=weeks, timeframes=timeframes)


def block_shuffled_bars(
    bars: pd.DataFrame, *, seed: int, weeks: int, start: str, timeframes: Sequence[str] = ("1h",)
) -> pd.DataFrame:
    """Whole weeks of real moves in another order: a stress market, not a null one.

    Parameters
    ----------
    bars, seed, weeks, start, timeframes
        As for `shuffled_bars`.

    Returns
    -------
    DataFrame
        The bars table: the pairs of `bars`, each beginning at 1000. Hours that the real week lacks are lacking.

    Raises
    ------
    DataError, SettingsError
        As `shuffled_bars`.

    Notes
    -----
    Weeks are drawn for all pairs at once and without replacement until all have been used, then again. Within a week
    every autocorrelation is there, and so is any edge that lasts less than a week; drift too.
    """
    begin, moves = _source(bars, weeks=weeks, start=start)
    rng = np.random.default_rng(seed)
    available = _whole_weeks(moves.hour, length=1)
    rounds = -(-weeks // available.size)
    order = np.concatenate([rng.permutation(available) for _ in range(rounds)])[:weeks]
    return _weeks_of_moves(moves, order, flipped=np.zeros(weeks, np.bool_), begin=begin, timeframes=timeframes)


def block_sign_flipped_bars(
    bars: pd.DataFrame, *, seed: int, weeks: int, start: str, timeframes: Sequence[str] = ("1h",)
) -> pd.DataFrame:
    """Real weeks in their order, about half of them upside down: a stress market, not a null one.

    Parameters
    ----------
    bars, seed, weeks, start, timeframes
        As for `shuffled_bars`.

    Returns
    -------
    DataFrame
        The bars table, as from `block_shuffled_bars`.

    Raises
    ------
    DataError, SettingsError
        As `shuffled_bars`.

    Notes
    -----
    A coin a week, the same for all pairs, decides whether each logarithmic move of the week is negated, the high made
    of the low and the low of the high. Drift is gone on average, autocorrelation within a week is there. After the
    last real week the first one follows.
    """
    begin, moves = _source(bars, weeks=weeks, start=start)
    available = _whole_weeks(moves.hour, length=1)
    flipped = np.random.default_rng(seed).random(weeks) < 0.5
    return _weeks_of_moves(
        moves, available[np.arange(weeks) % available.size], flipped=flipped, begin=begin, timeframes=timeframes
    )


def _source(bars: pd.DataFrame, *, weeks: int, start: str) -> tuple[pd.Timestamp, Moves]:
    """Return the Monday to begin at, and the real moves."""
    if weeks < 1:
        raise SettingsError(f"shuffled bars: {weeks} weeks; take 1 week or more")
    return monday(start, what="start"), hourly_moves(bars)


def _whole_weeks(hour: NDArray[np.int64], *, length: int) -> NDArray[np.int64]:
    """Numbers, since 1970, of the weeks with which `length` weeks inside the source begin."""
    first, end = -(-int(hour[0]) // HOURS_A_WEEK), int(hour[-1] + 1) // HOURS_A_WEEK
    if end - first < length:
        raise DataError(f"bars: {max(end - first, 0)} whole weeks from Monday to Monday; give {length} or more")
    return np.arange(first, end - length + 1)


def _strata_sequence(
    hour: NDArray[np.int64], stratum: NDArray[np.int64], *, weeks: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Strata of `weeks` weeks, in stretches of the real sequence; an hour without bars takes that of the one before."""
    beginnings = _whole_weeks(hour, length=BLOCK_WEEKS)
    blocks = rng.random(-(-weeks // BLOCK_WEEKS))
    first = beginnings[(blocks * beginnings.size).astype(np.int64)] * HOURS_A_WEEK
    hours = (first[:, None] + np.arange(BLOCK_WEEKS * HOURS_A_WEEK)).ravel()[: weeks * HOURS_A_WEEK]
    return stratum[np.searchsorted(hour, hours, side="right") - 1]


def _weeks_of_moves(
    moves: Moves,
    order: NDArray[np.int64],
    *,
    flipped: NDArray[np.bool_],
    begin: pd.Timestamp,
    timeframes: Sequence[str],
) -> pd.DataFrame:
    """Bars of the given real weeks, one after the other, those of `flipped` upside down."""
    edges = np.searchsorted(moves.hour, np.stack([order, order + 1]) * HOURS_A_WEEK)
    rows = np.concatenate([np.arange(first, end) for first, end in edges.T])
    place = np.repeat(np.arange(order.size), edges[1] - edges[0])
    hours = place * HOURS_A_WEEK + moves.hour[rows] % HOURS_A_WEEK
    turned = flipped[place][:, None]
    gap, high, low, close = (each[rows] for each in (moves.gap, moves.high, moves.low, moves.close))
    chosen = Moves(
        moves.pairs,
        hours,
        np.where(turned, 1.0 / gap, gap),
        np.where(turned, 1.0 / low, high),
        np.where(turned, 1.0 / high, low),
        np.where(turned, 1.0 / close, close),
        moves.volume[rows],
    )
    return bars_of_moves(chosen, hours=hours, start=begin, weeks=order.size, timeframes=timeframes)
