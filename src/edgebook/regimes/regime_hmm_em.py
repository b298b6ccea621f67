"""A hidden Markov model with Gaussian states: fitted by expectation and maximisation, read forward or smoothed.

Rows are the bars of one series in time order, already standardised; columns are its features, taken as independent
within a state. `filtered` is what was known at each bar; `smoothed` also uses the bars after it and is here to show
what that would fake. `regime_hmm_plain` says the same in plain loops over logarithms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

PRIOR_BARS: Final = 10.0
"""Bars of `PRIOR_VARIANCE` that each state is credited with: none collapses on a few bars."""
PRIOR_VARIANCE: Final = 0.25
STAY_BARS: Final = 100.0
"""Mean stay in a state at the start of a fit; each row of the transitions is credited with half as many bars."""


@dataclass(frozen=True)
class GaussianHmm:
    """Parameters of a fitted model.

    Parameters
    ----------
    start : ndarray, shape (states,)
        Probability of each state at the first row of the fit.
    move : ndarray, shape (states, states)
        Probability of the state at the next row (columns) after each state (rows).
    mean, variance : ndarray, shape (states, features)
        In standardised units.
    iterations : int
        That the fit took.
    log_likelihood : float
        Of the rows that were fitted, under the parameters before the last step.
    """

    start: NDArray[np.float64]
    move: NDArray[np.float64]
    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    iterations: int = 0
    log_likelihood: float = math.nan


def fit_hmm(
    rows: NDArray[np.float64], initial: GaussianHmm, *, iterations: int = 60, tolerance: float = 1e-5
) -> GaussianHmm:
    """Fit a model to all rows by Baum-Welch, from given parameters.

    Parameters
    ----------
    rows : ndarray, shape (n, features)
        Standardised features, none missing.
    initial : GaussianHmm
        Where to start; nothing is drawn at random.
    iterations : int
        At most so many.
    tolerance : float
        Stop when the log likelihood gains less than this a row.

    Returns
    -------
    GaussianHmm
        Rounded to six decimals: what is used is what could be written down.

    Notes
    -----
    Forward and backward passes are scaled row by row, densities relative to the largest of the row, so that neither
    long series nor far outliers underflow (Rabiner 1989, section V). Variances and stays lean on a weak prior.
    """
    start, move = initial.start.copy(), initial.move.copy()
    mean, variance = initial.mean.copy(), initial.variance.copy()
    credit = stay_credit(len(start))
    taken, likelihood = _baum_welch(rows, start, move, mean, variance, credit, iterations, tolerance)
    return GaussianHmm(
        np.round(start, 6), np.round(move, 6), np.round(mean, 6), np.round(variance, 6), taken, round(likelihood, 4)
    )


def stay_credit(states: int) -> NDArray[np.float64]:
    """Transitions that each pair of states is credited with before any is counted."""
    credit = np.full((states, states), 0.5)
    np.fill_diagonal(credit, STAY_BARS / 2)
    return credit


def filtered(rows: NDArray[np.float64], model: GaussianHmm) -> NDArray[np.float64]:
    """Probability of each state at each row, given that row and those before it.

    Parameters
    ----------
    rows : ndarray, shape (n, features)
    model : GaussianHmm

    Returns
    -------
    ndarray, shape (n, states)
        Rows add up to one.
    """
    probability: NDArray[np.float64] = _forward(rows, model.start, model.move, model.mean, model.variance)[0]
    return probability


def smoothed(rows: NDArray[np.float64], model: GaussianHmm) -> NDArray[np.float64]:
    """Probability of each state at each row, given all rows, those after it too: it looks ahead.

    Parameters
    ----------
    rows : ndarray, shape (n, features)
    model : GaussianHmm

    Returns
    -------
    ndarray, shape (n, states)
        For comparison alone; nothing is traded on it.
    """
    known, density, scale, _ = _forward(rows, model.start, model.move, model.mean, model.variance)
    probability: NDArray[np.float64] = _backward(known, density, scale, model.move)
    return probability


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _forward(
    rows: NDArray[np.float64],
    start: NDArray[np.float64],
    move: NDArray[np.float64],
    mean: NDArray[np.float64],
    variance: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """Filtered probabilities, densities relative to the largest of the row, scales, and the log likelihood."""
    n, features = rows.shape
    states = start.size
    known = np.empty((n, states))
    density = np.empty((n, states))
    scale = np.empty(n)
    normal = np.empty(states)
    for k in range(states):
        normal[k] = 0.0
        for d in range(features):
            normal[k] -= 0.5 * math.log(2 * math.pi * variance[k, d])
    total = 0.0
    for t in range(n):
        top = -np.inf
        for k in range(states):
            value = normal[k]
            for d in range(features):
                gap = rows[t, d] - mean[k, d]
                value -= 0.5 * gap * gap / variance[k, d]
            density[t, k] = value
            top = max(top, value)
        weight = 0.0
        for k in range(states):
            density[t, k] = math.exp(density[t, k] - top)
            before = 0.0
            if t == 0:
                before = start[k]
            else:
                for j in range(states):
                    before += known[t - 1, j] * move[j, k]
            known[t, k] = before * density[t, k]
            weight += known[t, k]
        if weight < 1e-300:  # a state that cannot be reached explains the row alone: start afresh
            for k in range(states):
                known[t, k] = 1.0 / states
            weight = 1e-300
        else:
            for k in range(states):
                known[t, k] /= weight
        scale[t] = weight
        total += math.log(weight) + top
    return known, density, scale, total


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _backward(
    known: NDArray[np.float64], density: NDArray[np.float64], scale: NDArray[np.float64], move: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Smoothed probabilities from the forward pass."""
    n, states = known.shape
    whole = np.empty((n, states))
    ahead = np.ones(states)
    before = np.empty(states)
    for t in range(n - 1, -1, -1):
        weight = 0.0
        for k in range(states):
            whole[t, k] = known[t, k] * ahead[k]
            weight += whole[t, k]
        for k in range(states):
            whole[t, k] /= weight
        for j in range(states):
            before[j] = 0.0
            for k in range(states):
                before[j] += move[j, k] * density[t, k] * ahead[k] / scale[t]
        for k in range(states):
            ahead[k] = before[k]
    return whole


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _baum_welch(
    rows: NDArray[np.float64],
    start: NDArray[np.float64],
    move: NDArray[np.float64],
    mean: NDArray[np.float64],
    variance: NDArray[np.float64],
    credit: NDArray[np.float64],
    iterations: int,
    tolerance: float,
) -> tuple[int, float]:
    """Improve the parameters in place; the number of iterations and the last log likelihood."""
    n, features = rows.shape
    states = start.size
    last = -np.inf
    taken = 0
    while taken < iterations:
        known, density, scale, likelihood = _forward(rows, start, move, mean, variance)
        if likelihood - last < tolerance * n and taken > 0:
            last = likelihood
            break
        last = likelihood
        taken += 1
        ahead = np.ones(states)
        before = np.empty(states)
        count = np.zeros(states)
        first = np.zeros((states, features))
        second = np.zeros((states, features))
        moved = credit.copy()
        for t in range(n - 1, -1, -1):
            weight = 0.0
            for k in range(states):
                weight += known[t, k] * ahead[k]
            for k in range(states):
                share = known[t, k] * ahead[k] / weight
                count[k] += share
                for d in range(features):
                    first[k, d] += share * rows[t, d]
                    second[k, d] += share * rows[t, d] * rows[t, d]
                if t == 0:
                    start[k] = share
            if t == 0:
                break
            for j in range(states):
                before[j] = 0.0
                for k in range(states):
                    step = move[j, k] * density[t, k] * ahead[k] / scale[t]
                    before[j] += step
                    moved[j, k] += known[t - 1, j] * step
            for k in range(states):
                ahead[k] = before[k]
        for k in range(states):
            row = 0.0
            for j in range(states):
                row += moved[k, j]
            for j in range(states):
                move[k, j] = moved[k, j] / row
            for d in range(features):
                if count[k] > 1e-6:
                    mean[k, d] = first[k, d] / count[k]
                spread = max(second[k, d] - count[k] * mean[k, d] * mean[k, d], 0.0)
                variance[k, d] = (spread + PRIOR_BARS * PRIOR_VARIANCE) / (count[k] + PRIOR_BARS)
    return taken, last
