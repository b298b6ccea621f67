"""Who sets a threshold where no certificate is asked for: a bandit, or a plain rule.

Both choose among quantiles of the policy's own recent confidence. Because every candidate is labelled, what each
quantile would have earned is known exactly once outcomes close, the ones not chosen too: nothing has to be tried to be
judged, and every decision can be held against its alternatives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.policy.plan_outcomes import REGIMES, WEEK_MS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

QUANTILES = (0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99)
PRIOR_WEEKS = 4.0
"""A quantile is believed to earn nothing with the weight of so many weeks."""
PRIOR_R = 1.0
"""Standard deviation of a week's R, in outcomes that do not overlap, before there are weeks to tell it from."""
START = 0.95
CROWDED = 1.5
"""The rule raises a threshold when more than so many times the share of candidates that it began with passed ..."""
HIGH, MIN_PASSED = 0.05, 10.0
"""... and lowers it when the win rate of at least so many was so far above the one that breaks even."""
DIGITS = 4


@dataclass(frozen=True)
class ThresholdManager:
    """What bandit and rule remember.

    Parameters
    ----------
    rewards : ndarray, shape (regimes, quantiles, 3)
        Weeks, and sums of a week's R and of its square over them, discounted by age.
    place : tuple of int
        By regime, the quantile that the rule stands at, an index into `QUANTILES`.
    """

    rewards: NDArray[np.float64]
    place: tuple[int, ...]

    @classmethod
    def empty(cls) -> ThresholdManager:
        """Nothing seen; the rule begins at `START`."""
        return cls(np.zeros((len(REGIMES), len(QUANTILES), 3)), (QUANTILES.index(START),) * len(REGIMES))

    def to_json(self) -> dict[str, Any]:
        """Return rewards and places by regime."""
        return {
            name: {"rewards": rows.tolist(), "place": place}
            for name, rows, place in zip(REGIMES, self.rewards, self.place, strict=True)
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ThresholdManager:
        """Rebuild what `to_json` wrote."""
        rewards = np.array([data[name]["rewards"] for name in REGIMES], dtype=np.float64)
        return cls(rewards, tuple(data[name]["place"] for name in REGIMES))


def update_manager(
    manager: ThresholdManager,
    *,
    regime: NDArray[np.int64],
    rank: NDArray[np.float64],
    r_multiple: NDArray[np.float64],
    weight: NDArray[np.float64],
    half_life_weeks: float,
) -> ThresholdManager:
    """Return the manager with one more week of closed outcomes.

    Parameters
    ----------
    manager : ThresholdManager
    regime : ndarray of int64, shape (n,)
        Of every candidate that closed in the week with evidence in its favour.
    rank : ndarray of float64, shape (n,)
        Share of the policy's recent candidates with less confidence, when it was decided.
    r_multiple, weight : ndarray of float64, shape (n,)
        Net R, and the outcomes that do not overlap that a candidate stands for.
    half_life_weeks : float
    """
    keep = 0.5 ** (1.0 / half_life_weeks)
    rewards, place = manager.rewards * keep, list(manager.place)
    for code in range(len(REGIMES)):
        here = regime == code
        if not here.any():
            continue
        passed = rank[here, None] >= np.array(QUANTILES)
        earned = (r_multiple[here] * weight[here]) @ passed
        rewards[code] += np.stack([np.ones_like(earned), earned, earned**2], axis=1)
        through = passed[:, place[code]]
        number = weight[here][through].sum()
        # Candidates with evidence in favour are about half of all: a quantile lets twice its share of them through.
        crowded = number > CROWDED * 2 * (1 - START) * weight[here].sum()
        if crowded:
            place[code] = min(place[code] + 1, len(QUANTILES) - 1)
        elif through.sum() >= MIN_PASSED and _win_rate_is_high(r_multiple[here][through], weight[here][through]):
            place[code] = max(place[code] - 1, 0)
    return ThresholdManager(np.round(rewards, DIGITS) + 0.0, tuple(place))


def _win_rate_is_high(r_multiple: NDArray[np.float64], weight: NDArray[np.float64]) -> bool:
    """Whether more were won than break even asks for, at the mean win and the mean loss of the week."""
    won = r_multiple > 0
    gained, lost = float((r_multiple * weight)[won].sum()), -float((r_multiple * weight)[~won].sum())
    wins, losses = float(weight[won].sum()), float(weight[~won].sum())
    if wins == 0 or losses == 0 or lost == 0:
        return wins > 0
    break_even = (lost / losses) / (gained / wins + lost / losses)
    return wins / (wins + losses) > break_even + HIGH


def bandit_quantile(manager: ThresholdManager, *, regime: int, at: int) -> float:
    """Quantile that Thompson sampling draws for a regime and week.

    Parameters
    ----------
    manager : ThresholdManager
    regime : int
    at : int
        Milliseconds UTC, the Monday on which the decision is taken: it seeds the draw, so that a week derived again
        draws the same.

    Notes
    -----
    Thompson (1933): the mean week of each quantile has a normal posterior, its variance that of the weeks seen, its
    prior no profit with the weight of `PRIOR_WEEKS`; one draw from each, and the largest is chosen. All quantiles learn
    from every week, since labelled candidates say what each would have earned.
    """
    weeks, total, squares = manager.rewards[regime].T
    count = weeks + PRIOR_WEEKS
    mean = total / count
    variance = (squares + PRIOR_WEEKS * PRIOR_R**2) / count - mean**2
    rng = np.random.default_rng([at // WEEK_MS, regime])
    drawn = mean + rng.standard_normal(len(QUANTILES)) * np.sqrt(np.maximum(variance, 0.0) / count)
    return QUANTILES[int(np.argmax(np.round(drawn, 6)))]


def rule_quantile(manager: ThresholdManager, *, regime: int) -> float:
    """Quantile at which the plain rule stands."""
    return QUANTILES[manager.place[regime]]
