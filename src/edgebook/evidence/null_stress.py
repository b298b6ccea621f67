"""Stress markets: whole weeks of real moves, shuffled or turned upside down, with what structure a week has.

They are no null markets: what a real market lets a rule earn within a week is still there to be earned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.evidence.null_moves import HOURS_A_WEEK, Moves, bars_of_moves, source_moves, whole_weeks

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray


def block_shuffled_bars(
    bars: pd.DataFrame, *, seed: int, weeks: int, start: str, timeframes: Sequence[str] = ("1h",)
) -> pd.DataFrame:
    """Whole weeks of real moves in another order: a stress market, not a null one.

    Parameters
    ----------
    bars, seed, weeks, start, timeframes
        As for `edgebook.evidence.null_markets.shuffled_bars`.

    Returns
    -------
    DataFrame
        The bars table: the pairs of `bars`, each beginning at 1000. Hours that the real week lacks are lacking.

    Raises
    ------
    DataError, SettingsError
        As `edgebook.evidence.null_markets.shuffled_bars`.

    Notes
    -----
    Weeks are drawn for all pairs at once and without replacement until all have been used, then again. Within a week
    every autocorrelation is there, and so is any edge that lasts less than a week; drift too.
    """
    begin, moves = source_moves(bars, weeks=weeks, start=start)
    rng = np.random.default_rng(seed)
    available = whole_weeks(moves.hour, length=1)
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
        As for `edgebook.evidence.null_markets.shuffled_bars`.

    Returns
    -------
    DataFrame
        The bars table, as from `block_shuffled_bars`.

    Raises
    ------
    DataError, SettingsError
        As `edgebook.evidence.null_markets.shuffled_bars`.

    Notes
    -----
    A coin a week, the same for all pairs, decides whether each logarithmic move of the week is negated, the high made
    of the low and the low of the high. Drift is gone on average, autocorrelation within a week is there. After the
    last real week the first one follows.
    """
    begin, moves = source_moves(bars, weeks=weeks, start=start)
    available = whole_weeks(moves.hour, length=1)
    flipped = np.random.default_rng(seed).random(weeks) < 0.5
    return _weeks_of_moves(
        moves, available[np.arange(weeks) % available.size], flipped=flipped, begin=begin, timeframes=timeframes
    )


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
