"""The hidden Markov model once more, in plain loops over logarithms: what the compiled passes are held against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from edgebook.regimes.regime_hmm_em import PRIOR_BARS, PRIOR_VARIANCE, GaussianHmm, stay_credit

if TYPE_CHECKING:
    from numpy.typing import NDArray


def log_forward(rows: NDArray[np.float64], model: GaussianHmm) -> NDArray[np.float64]:
    """Log of P(rows up to t, state at t); shape (n, states)."""
    density = _log_density(rows, model)
    with np.errstate(divide="ignore"):
        start, move = np.log(model.start), np.log(model.move)
    found = np.empty_like(density)
    found[0] = start + density[0]
    for t in range(1, len(rows)):
        found[t] = density[t] + logsumexp(found[t - 1][:, None] + move, axis=0)
    return found


def log_backward(rows: NDArray[np.float64], model: GaussianHmm) -> NDArray[np.float64]:
    """Log of P(rows after t given the state at t); shape (n, states)."""
    density = _log_density(rows, model)
    with np.errstate(divide="ignore"):
        move = np.log(model.move)
    found = np.zeros_like(density)
    for t in range(len(rows) - 2, -1, -1):
        found[t] = logsumexp(move + density[t + 1] + found[t + 1], axis=1)
    return found


def filtered_plain(rows: NDArray[np.float64], model: GaussianHmm) -> NDArray[np.float64]:
    """As `regime_hmm_em.filtered`."""
    return _normalised(log_forward(rows, model))


def smoothed_plain(rows: NDArray[np.float64], model: GaussianHmm) -> NDArray[np.float64]:
    """As `regime_hmm_em.smoothed`."""
    return _normalised(log_forward(rows, model) + log_backward(rows, model))


def step_plain(rows: NDArray[np.float64], model: GaussianHmm) -> GaussianHmm:
    """One step of expectation and maximisation, as `regime_hmm_em.fit_hmm` takes it, not rounded."""
    alpha, beta, density = log_forward(rows, model), log_backward(rows, model), _log_density(rows, model)
    total = float(logsumexp(alpha[-1]))
    share = np.exp(alpha + beta - total)
    moved = stay_credit(len(model.start))
    for t in range(1, len(rows)):
        with np.errstate(divide="ignore"):
            joint = alpha[t - 1][:, None] + np.log(model.move) + density[t] + beta[t] - total
        moved = moved + np.exp(joint)
    count = share.sum(axis=0)
    mean = share.T @ rows / count[:, None]
    spread = np.stack([share[:, k] @ (rows - mean[k]) ** 2 for k in range(len(count))])
    return GaussianHmm(
        start=share[0],
        move=moved / moved.sum(axis=1, keepdims=True),
        mean=mean,
        variance=(spread + PRIOR_BARS * PRIOR_VARIANCE) / (count[:, None] + PRIOR_BARS),
        iterations=1,
        log_likelihood=total,
    )


def _log_density(rows: NDArray[np.float64], model: GaussianHmm) -> NDArray[np.float64]:
    gap = rows[:, None, :] - model.mean
    found: NDArray[np.float64] = -0.5 * (np.log(2 * np.pi * model.variance) + gap**2 / model.variance).sum(axis=2)
    return found


def _normalised(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.exp(logs - logsumexp(logs, axis=1, keepdims=True))
    return found
