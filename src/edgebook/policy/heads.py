"""Heads: one regularised model per family of indicators, for long and for short.

A head turns its family's indicators into *evidence*: log-odds that a candidate wins, relative to the rate at which all
candidates of that side won in the training window. Evidence is raw here; `edgebook.statistics.calibration` learns week
by week how far each head's evidence may be believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.settings.recipes import HEAD_LETTERS
from edgebook.settings.timeframes import TIMEFRAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edgebook.policy.market import Market, PlanOutcomes
    from edgebook.settings.recipes import Recipe

DIGITS = 5
CLIP_SD = 4.0
MIN_EFFECTIVE = 50.0
"""A side with fewer effective outcomes, or fewer than a tenth of it on either result, is not fitted."""


@dataclass(frozen=True)
class Head:
    """A fitted head.

    Parameters
    ----------
    indicators : tuple of str
        Columns it reads, values and textbook votes.
    mean, scale : ndarray, shape (k,)
        Of each value over the training window.
    intercept : ndarray, shape (2,)
        Long, short; relative to `base`.
    value_weights, vote_weights : ndarray, shape (k, 2)
        Log-odds per standard deviation of the value, and per vote.
    base : ndarray, shape (2,)
        Share of candidates that won in the window.
    """

    indicators: tuple[str, ...]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    intercept: NDArray[np.float64]
    value_weights: NDArray[np.float64]
    vote_weights: NDArray[np.float64]
    base: NDArray[np.float64]

    def to_json(self) -> dict[str, Any]:
        """Return the head as plain lists, in an order that reads well in a diff."""
        by_indicator = {
            name: [
                float(self.mean[i]),
                float(self.scale[i]),
                *map(float, self.value_weights[i]),
                *map(float, self.vote_weights[i]),
            ]
            for i, name in enumerate(self.indicators)
        }
        return {"base": self.base.tolist(), "intercept": self.intercept.tolist(), "indicators": by_indicator}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Head:
        """Rebuild what `to_json` wrote; scores are the same to the last bit."""
        rows = np.array(list(data["indicators"].values()), dtype=np.float64).reshape(-1, 6)
        return cls(
            indicators=tuple(data["indicators"]),
            mean=rows[:, 0],
            scale=rows[:, 1],
            intercept=np.array(data["intercept"], dtype=np.float64),
            value_weights=rows[:, 2:4],
            vote_weights=rows[:, 4:6],
            base=np.array(data["base"], dtype=np.float64),
        )


def fit_heads(
    market: Market,
    outcomes: PlanOutcomes,
    *,
    recipe: Recipe,
    families: Mapping[str, Sequence[str]],
    since: int,
    at: int,
    every: int = 1,
) -> dict[str, Head]:
    """Fit all heads on the outcomes known at `at`.

    Parameters
    ----------
    market : Market
    outcomes : PlanOutcomes
        Of the recipe's exit plan.
    recipe : Recipe
    families : mapping of str to sequence of str
        Indicators of each head, by letter.
    since, at : int
        Milliseconds UTC. Candidates decided in ``[since, at)`` whose outcome was known at or before `at` are used,
        and nothing else.
    every : int
        Use every n-th bar only.

    Returns
    -------
    dict of str to Head
        By letter; a head whose indicators are all dropped is missing.

    Notes
    -----
    Ridge-penalised logistic regression (scikit-learn, Newton's method run to convergence, so that rounded coefficients
    do not depend on the processor). Every outcome counts as the share of an outcome that does not overlap (mean
    uniqueness, Lopez de Prado 2018, section 4.4): one number for all, because a label's own uniqueness tells how it
    ended. A thinned fit counts each row `every` times, so that a penalty means the same in tuning and in the loop.
    """
    window = market.decided(since=since, until=at)
    rows = np.arange(window.start, window.stop)
    if every > 1:
        # By bar number within its own timeframe, so that every symbol and timeframe is thinned alike.
        rows = rows[_bar_number(market, rows) % every == 0]
    known = outcomes.known_at[rows] <= at
    rows, known = rows[known.any(axis=1)], known[known.any(axis=1)]
    weights = np.where(known, outcomes.uniqueness[rows] * every, 0.0)
    won = outcomes.profit_ratio[rows] > 0
    column = {name: i for i, name in enumerate(market.indicators)}
    heads = {}
    for letter in HEAD_LETTERS:
        names = [n for n in families[letter] if recipe.indicators is None or n in recipe.indicators]
        if not names:
            continue
        chosen = np.array([column[name] for name in names])
        values = market.values[np.ix_(rows, chosen)].astype(np.float64)
        votes = market.votes[np.ix_(rows, chosen)].astype(np.float64)
        penalty = recipe.head_shrinkage.get(letter, recipe.shrinkage)
        heads[letter] = _fit_head(tuple(names), values, votes=votes, won=won, weights=weights, penalty=penalty)
    return heads


def evidence(
    head: Head,
    values: NDArray[np.float32],
    *,
    votes: NDArray[np.int8],
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Raw log-odds of a win relative to the base rate.

    Parameters
    ----------
    head : Head
    values, votes : ndarray, shape (n, k)
        The head's own columns, known at the decision bar.
    weights : ndarray, shape (n, k), optional
        What each indicator's share counts in the regime of the bar; by default 1, as fitted.

    Returns
    -------
    ndarray of float64, shape (n, 2)
        Long, short; nan where more than half of the indicators are missing: the head abstains.
    """
    inputs, said = _standardised(values.astype(np.float64), head.mean, head.scale), votes.astype(np.float64)
    if weights is not None:
        inputs, said = inputs * weights, said * weights
    raw = head.intercept + inputs @ head.value_weights + said @ head.vote_weights
    raw[np.isnan(values).mean(axis=1) > 0.5] = np.nan
    rounded: NDArray[np.float64] = np.round(raw, 4)
    return rounded


def shares(head: Head, values: NDArray[np.float32], *, votes: NDArray[np.int8]) -> NDArray[np.float64]:
    """Each indicator's part of the raw evidence, as fitted.

    Parameters
    ----------
    head : Head
    values, votes : ndarray, shape (n, k)
        The head's own columns.

    Returns
    -------
    ndarray of float64, shape (n, k, 2)
        With the intercept they add up to `evidence`; 0 where the value is missing and there is no vote.
    """
    inputs = _standardised(values.astype(np.float64), head.mean, head.scale)[..., None]
    parts = inputs * head.value_weights + votes[..., None].astype(np.float64) * head.vote_weights
    return np.asarray(np.round(parts, 4))


def _fit_head(
    names: tuple[str, ...],
    values: NDArray[np.float64],
    *,
    votes: NDArray[np.float64],
    won: NDArray[np.bool_],
    weights: NDArray[np.float64],
    penalty: float,
) -> Head:
    from sklearn.linear_model import LogisticRegression

    k = len(names)
    with np.errstate(invalid="ignore"):
        present = ~np.isnan(values)
        count = np.maximum(present.sum(axis=0), 1)
        mean = np.round(np.where(present, values, 0.0).sum(axis=0) / count, DIGITS)
        spread = np.where(present, values - mean, 0.0)
        scale = np.round(np.sqrt((spread**2).sum(axis=0) / count), DIGITS)
    scale = np.where(scale > 0, scale, 1.0)
    inputs = np.hstack([_standardised(values, mean, scale), votes])
    intercept, coefficients, base = np.zeros(2), np.zeros((2 * k, 2)), np.full(2, 0.5)
    for side in (0, 1):
        used = weights[:, side] > 0
        weight, target = weights[used, side], won[used, side]
        total, wins = float(weight.sum()), float(weight[target].sum())
        if total > 0:
            base[side] = np.round(wins / total, DIGITS)
        if min(wins, total - wins) < MIN_EFFECTIVE / 10 or total < MIN_EFFECTIVE:
            continue
        model = LogisticRegression(C=1.0 / penalty, solver="newton-cholesky", tol=1e-8, max_iter=50)
        model.fit(inputs[used], target, sample_weight=weight)
        intercept[side] = model.intercept_[0] - np.log(base[side] / (1 - base[side]))
        coefficients[:, side] = model.coef_[0]
    coefficients = np.round(coefficients, DIGITS) + 0.0
    return Head(
        indicators=names,
        mean=mean,
        scale=scale,
        intercept=np.round(intercept, DIGITS) + 0.0,
        value_weights=coefficients[:k],
        vote_weights=coefficients[k:],
        base=base,
    )


def _standardised(
    values: NDArray[np.float64], mean: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Standard deviations from the mean, clipped, missing at the mean."""
    inputs = np.clip((values - mean) / scale, -CLIP_SD, CLIP_SD)
    return np.nan_to_num(inputs, nan=0.0)


def _bar_number(market: Market, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of the bar's close on its own timeframe's clock."""
    length = np.array([TIMEFRAMES[t] * 60_000 for t in market.timeframes])
    number: NDArray[np.int64] = market.date[rows] // length[market.timeframe[rows]]
    return number
