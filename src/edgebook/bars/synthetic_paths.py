"""The compiled pass that draws the bars of a synthetic market, and the signals on which an edge may hang.

Everything random is drawn beforehand; the pass is plain arithmetic, bar by bar, so a market of more weeks begins with
the market of fewer. Prices are rounded as they are made, which keeps the last bits of a processor's exponential from
growing into another market.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEADS = ("A", "B", "C", "D", "E", "F", "H", "I")
"""Heads in which an edge can be planted, in the order of the kernel's signals."""

_A, _B, _C, _D, _E, _F, _H, _I = range(8)

BURN_IN_BARS = 240
STEPS = 8  # a bar's path, from which its high and low come
CORRELATION = 0.4  # of two pairs' shocks
HOURLY_VOLATILITY = 0.008
FLOW_MEMORY = 0.97  # a bar; half of it is left after 23
VOLATILITY_MEMORY = 0.99
VOLATILITY_SPREAD = 0.5  # standard deviation of log volatility
VOLATILE_ABOVE = 0.84  # standard deviations of log volatility: a fifth of the time
_FLOW_IN_VOLUME = 0.6
_SIGNAL_LIMIT = 2.0
_Z_LIMIT = 4.0
_FIRST_LAG, _LAST_LAG = 20, 60  # of head A, in bars
_Z_BARS = 20  # head B
_BREAK_BARS = 48  # head C
_LEVEL_FROM, _LEVEL_TO = 5, 77  # head E
_LEAD_BARS = 6  # head I
_LEAD_SHARE = 0.38  # of the first pair's returns that a pair's own explain: CORRELATION less what fat tails take

# Moments of the raw signals on markets without an edge (see Notes of edgebook.bars.synthetic): what of C is A and B,
# what of E is A, B and C, then the spread of what is left, and the mean of D.
_C_ON_A, _C_ON_B, _C_SPREAD = 0.622, -0.954, 1.035
_E_ON_A, _E_ON_B, _E_ON_C, _E_SPREAD = -0.128, 0.231, -0.054, 0.318
_D_MEAN, _D_SPREAD = -0.176, 0.403


@njit(cache=True, nogil=True)
def draw_bars(
    shocks: NDArray[np.float64],
    common: NDArray[np.float64],
    tails: NDArray[np.float64],
    volatility: NDArray[np.float64],
    flow: NDArray[np.float64],
    volume_noise: NDArray[np.float64],
    active: NDArray[np.float64],
    edge: float,
    regime: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Draw all bars of all pairs.

    Parameters
    ----------
    shocks : ndarray, shape (pairs, bars, STEPS)
        Standard normal, a pair's own.
    common : ndarray, shape (bars, STEPS)
        Standard normal, shared by the pairs.
    tails : ndarray, shape (pairs, bars)
        Scale of a bar's shocks, mean square 1: what makes returns fat-tailed.
    volatility : ndarray, shape (pairs, bars)
        Standardised log volatility, known before its bar.
    flow : ndarray, shape (pairs, bars)
        Latent order flow, standardised.
    volume_noise : ndarray, shape (pairs, bars)
        Standard normal.
    active : ndarray, shape (bars, len(HEADS))
        1 where the head's signal moves the bar's drift, else 0. The first bar opens at midnight UTC.
    edge : float
        Drift a bar, in units of its volatility, for a signal of 1.
    regime : int
        0: always; 1: only while volatility is high; -1: only while it is not.

    Returns
    -------
    bars : ndarray, shape (pairs, bars, 5)
        Open, high, low, close, volume.
    signals : ndarray, shape (pairs, bars, len(HEADS))
        Known at the bar's close, they move the next bar.
    drift : ndarray, shape (pairs, bars)
        Of the bar, in units of its volatility.
    """
    pairs, n, steps = shocks.shape
    bars = np.empty((pairs, n, 5))
    signals = np.zeros((pairs, n, len(HEADS)))
    drift = np.zeros((pairs, n))
    returns = np.zeros((pairs, n))  # log return over the volatility expected of it
    breakout = np.zeros(pairs)
    spread = np.full(pairs, HOURLY_VOLATILITY**2)
    quick = np.full(pairs, HOURLY_VOLATILITY**2)
    slow = np.full(pairs, HOURLY_VOLATILITY**2)
    own, shared = math.sqrt(1.0 - CORRELATION), math.sqrt(CORRELATION)
    for t in range(n):
        for p in range(pairs):
            state = volatility[p, t]
            allowed = regime == 0 or (regime == 1) == (state > VOLATILE_ABOVE)
            if t > 0 and allowed:
                for h in range(len(HEADS)):
                    drift[p, t] += edge * active[t, h] * signals[p, t - 1, h]
            scale = HOURLY_VOLATILITY * math.exp(VOLATILITY_SPREAD * state)
            opened = bars[p, t - 1, 3] if t > 0 else 100.0
            price, high, low = opened, opened, opened
            for i in range(steps):
                shock = tails[p, t] * (own * shocks[p, t, i] + shared * common[t, i])
                step = scale * (drift[p, t] / steps + shock / math.sqrt(steps))
                price *= 1.0 + min(max(step, -0.2), 0.2)
                high, low = max(high, price), min(low, price)
            closed = _rounded(price)
            bars[p, t, 0] = opened
            bars[p, t, 1] = max(_rounded(high), opened, closed)
            bars[p, t, 2] = min(_rounded(low), opened, closed)
            bars[p, t, 3] = closed
            change = math.log(closed / opened)
            z = min(max(change / math.sqrt(spread[p]), -_Z_LIMIT), _Z_LIMIT)
            returns[p, t] = z
            spread[p] = 0.97 * spread[p] + 0.03 * change * change
            quick[p] = 0.85 * quick[p] + 0.15 * change * change
            slow[p] = 0.99 * slow[p] + 0.01 * change * change
            side = 1.0 if closed > opened else -1.0
            log_volume = 0.5 * state + 0.3 * abs(z) + 0.3 * volume_noise[p, t] + _FLOW_IN_VOLUME * flow[p, t] * side
            bars[p, t, 4] = _rounded(1000.0 * math.exp(log_volume))
        for p in range(pairs):
            breakout[p] = 0.9 * breakout[p] + _break(bars[p], t)
            a, b = _trend(returns[p], t), _reversion(returns[p], t)
            c = (breakout[p] - _C_ON_A * a - _C_ON_B * b) / _C_SPREAD
            width = bars[p, t, 3] * math.sqrt(spread[p])
            e = (_levels(bars[p], t, width) - _E_ON_A * a - _E_ON_B * b - _E_ON_C * c) / _E_SPREAD
            signals[p, t, _A] = _limited(a)
            signals[p, t, _B] = _limited(b)
            signals[p, t, _C] = _limited(c)
            signals[p, t, _D] = -_limited((0.5 * math.log(quick[p] / slow[p]) - _D_MEAN) / _D_SPREAD)
            signals[p, t, _E] = _limited(e)
            signals[p, t, _F] = _limited(flow[p, t])
            signals[p, t, _H] = math.sqrt(2.0) * math.sin(2.0 * math.pi * ((t + 1) % 24 + 0.5) / 24.0)
            if p > 0:
                signals[p, t, _I] = _limited(_lead(returns[0], returns[p], t))
    return bars, signals, drift


@njit(cache=True, nogil=True)
def _rounded(value: float) -> float:
    return float(np.rint(value * 1e6) / 1e6)


@njit(cache=True, nogil=True)
def _limited(signal: float) -> float:
    return min(max(signal, -_SIGNAL_LIMIT), _SIGNAL_LIMIT)


@njit(cache=True, nogil=True)
def _trend(returns: NDArray[np.float64], t: int) -> float:
    """Returns of 21 to 60 bars ago: the older slope, which the z-score of 20 bars does not hold."""
    total = 0.0
    for i in range(max(t - _LAST_LAG + 1, 0), max(t - _FIRST_LAG + 1, 0)):
        total += returns[i]
    return total / math.sqrt(_LAST_LAG - _FIRST_LAG)


@njit(cache=True, nogil=True)
def _reversion(returns: NDArray[np.float64], t: int) -> float:
    """Minus the distance from the mean of 20 bars, in its own standard deviation."""
    total, square = 0.0, 0.0
    for lag in range(_Z_BARS - 1):
        weight = (_Z_BARS - 1.0 - lag) / _Z_BARS
        square += weight * weight
        if t >= lag:
            total += weight * returns[t - lag]
    return -total / math.sqrt(square)


@njit(cache=True, nogil=True)
def _break(bars: NDArray[np.float64], t: int) -> float:
    """1 for a close above the highs of the 48 bars before, -1 below their lows."""
    high, low = -np.inf, np.inf
    for i in range(max(t - _BREAK_BARS, 0), t):
        high, low = max(high, bars[i, 1]), min(low, bars[i, 2])
    return 1.0 if bars[t, 3] > high else (-1.0 if bars[t, 3] < low else 0.0)


@njit(cache=True, nogil=True)
def _levels(bars: NDArray[np.float64], t: int, width: float) -> float:
    """Near 1 at the low of the three days before the last five hours, near -1 at their high, 0 between and beyond."""
    high, low = -np.inf, np.inf
    for i in range(max(t - _LEVEL_TO + 1, 0), max(t - _LEVEL_FROM + 1, 0)):
        high, low = max(high, bars[i, 1]), min(low, bars[i, 2])
    if high < low:
        return 0.0
    above, below = (bars[t, 3] - low) / width, (high - bars[t, 3]) / width
    return math.exp(-0.5 * above * above) - math.exp(-0.5 * below * below)


@njit(cache=True, nogil=True)
def _lead(first: NDArray[np.float64], own: NDArray[np.float64], t: int) -> float:
    """What the first pair did in the last six bars and this one did not."""
    total = 0.0
    for i in range(max(t - _LEAD_BARS + 1, 0), t + 1):
        total += first[i] - _LEAD_SHARE * own[i]
    return total / math.sqrt(_LEAD_BARS * (1.0 - _LEAD_SHARE**2))
