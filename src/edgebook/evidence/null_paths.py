"""Paths inside a bar that are martingales too: how high and how low the price got on its way to the close.

Labelling fills a barrier at its own price wherever a bar's range holds it. That is fair only when the path is
continuous and drifts nowhere on its way, given what it has done so far; otherwise stops or targets are worth something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVELS = 20
"""Halvings for which a draw is needed: enough for a million hours in one stratum."""


def brownian_extremes(
    steps: NDArray[np.float64], variance: NDArray[np.float64], *, above: NDArray[np.float64], below: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Highest and lowest point of Brownian motions of which some points are known.

    Parameters
    ----------
    steps : ndarray, shape (bars, steps)
        Logarithmic moves, one after the other.
    variance : ndarray, shape (bars,)
        Of a step.
    above, below : ndarray, shape (bars, steps)
        Uniform in [0, 1).

    Returns
    -------
    high, low : ndarray, shape (bars,)
        Logarithms over the bar's open; ``low <= 0 <= high``.

    Notes
    -----
    Between two points y apart the highest is ``(y + sqrt(y**2 - 2 * v * log(u))) / 2`` above the first. High and low
    of one step are drawn independently, which they are not; no trade has both its barriers within an eighth of a bar.

    References
    ----------
    Glasserman (2003), *Monte Carlo Methods in Financial Engineering*, section 6.4.
    """
    begins = np.cumsum(steps, axis=1) - steps
    highest, lowest = (np.sqrt(steps**2 - 2.0 * variance[:, None] * np.log1p(-uniform)) for uniform in (above, below))
    return (begins + 0.5 * (steps + highest)).max(axis=1), (begins + 0.5 * (steps - lowest)).min(axis=1)


@njit(cache=True, nogil=True)
def halving_extremes(
    ordered: NDArray[np.float64],
    firsts: NDArray[np.int64],
    stratum: NDArray[np.int64],
    place: NDArray[np.int64],
    uniform: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Highest and lowest point of paths that end at values drawn from a list, each value with the same chance.

    Parameters
    ----------
    ordered : ndarray, shape (hours,)
        Factors of the close, stratum after stratum, ascending within each; the mean of a stratum is 1.
    firsts : ndarray of int64, shape (strata + 1,)
        Where each stratum begins in `ordered`.
    stratum : ndarray of int64, shape (bars,)
        Of each bar.
    place : ndarray of int64, shape (bars,)
        Which value of `ordered` the bar was given; uniformly drawn from its stratum.
    uniform : ndarray, shape (bars, LEVELS)
        Uniform in [0, 1).

    Returns
    -------
    high, low : ndarray, shape (bars,)
        Factors over the open, ``low <= 1 <= high``; the close lies between them.

    Notes
    -----
    The stratum's values are halved, the upper from the lower; from their common mean the price moves as a Brownian
    motion until it meets the mean of one half; then that half is halved, and so on until one value is left. Each
    value is reached with the same chance, and the whole path is a continuous martingale (Dubins). On the way from m
    up to u, with l not met, the lowest point lies below x with chance ``(u - m) (x - l) / ((u - x) (m - l))``, from
    which it is drawn; on the way down likewise.

    References
    ----------
    Dubins (1968), On a theorem of Skorohod, *Annals of Mathematical Statistics* 39.
    """
    total = np.zeros(ordered.size + 1)
    for i in range(ordered.size):
        total[i + 1] = total[i] + ordered[i] - 1.0
    highs, lows = np.empty(stratum.size), np.empty(stratum.size)
    for t in range(stratum.size):
        first, end = firsts[stratum[t]], firsts[stratum[t] + 1]
        at, high, low = 0.0, 0.0, 0.0
        level = 0
        while end - first > 1:
            middle = (first + end) // 2
            down = min((total[middle] - total[first]) / (middle - first), at)
            up = max((total[end] - total[middle]) / (end - middle), at)
            rises = place[t] >= middle
            rise, fall, u = up - at, at - down, uniform[t, level]
            if rise > 0.0 and fall > 0.0:
                if rises:
                    low = min(low, (rise * down + u * fall * up) / (rise + u * fall))
                else:
                    high = max(high, (fall * up + u * rise * down) / (fall + u * rise))
            at = up if rises else down
            high, low = max(high, at), min(low, at)
            if rises:
                first = middle
            else:
                end = middle
            level += 1
        highs[t], lows[t] = max(1.0 + high, ordered[place[t]]), min(1.0 + low, ordered[place[t]])
    return highs, lows
