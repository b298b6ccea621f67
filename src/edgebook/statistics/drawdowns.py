"""How deep a book sank below its highest equity, and what its growth was worth against that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_DAYS = 10
DRAWS = 1000


def drawdown(growth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the highest equity so far that is lost, the start (1) counted as a peak.

    Parameters
    ----------
    growth : ndarray, shape (days, ...)
        Equity over starting equity, by day.

    Returns
    -------
    ndarray, same shape
        In [0, 1] while equity is positive.
    """
    peak = np.maximum(np.maximum.accumulate(growth, axis=0), 1.0)
    return np.asarray(1 - growth / peak)


def calmar_ratio(growth: NDArray[np.float64], *, periods_per_year: float) -> float:
    """Compound yearly growth over the deepest drawdown.

    Parameters
    ----------
    growth : ndarray, shape (days,)
        Equity over starting equity, by day.
    periods_per_year : float
        Trading days a year of the market.

    Returns
    -------
    float
        NaN when nothing was ever lost, or all was.
    """
    if growth.size == 0 or not growth[-1] > 0:
        return np.nan
    deepest = float(drawdown(growth).max(initial=0.0))
    yearly = float(growth[-1] ** (periods_per_year / growth.size)) - 1
    return yearly / deepest if deepest > 1e-12 else np.nan


def redrawn(
    returns: NDArray[np.float64], *, periods_per_year: float, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Redraw the same days many times, in circular blocks of `BLOCK_DAYS`.

    Parameters
    ----------
    returns : ndarray, shape (days,)
        Net daily returns, in order of time.
    periods_per_year : float
        Trading days a year of the market.
    seed : int
        Of the draws.

    Returns
    -------
    tuple of ndarray
        Deepest drawdown and Calmar ratio of each draw; empty with fewer than two blocks of days.

    References
    ----------
    Politis and Romano (1992), in Exploring the Limits of Bootstrap, 263-270.
    """
    days = returns.size
    if days < 2 * BLOCK_DAYS:
        return np.empty(0), np.empty(0)
    rng = np.random.default_rng(seed)
    starts = rng.integers(days, size=(-(-days // BLOCK_DAYS), DRAWS))
    rows = (starts[:, None, :] + np.arange(BLOCK_DAYS)[None, :, None]) % days
    growth = np.cumprod(1 + returns[rows.reshape(-1, DRAWS)[:days]], axis=0)
    deepest = drawdown(growth).max(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        calmar = (growth[-1] ** (periods_per_year / days) - 1) / deepest
    return deepest, calmar[np.isfinite(calmar)]
