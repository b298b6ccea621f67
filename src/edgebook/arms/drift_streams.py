"""What the drift watch looks at: a week's outcomes minus what the policy had promised, by stream and day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.policy.market import DAY_MS
from edgebook.policy.plan_outcomes import to_ms
from edgebook.policy.record import AWAKE
from edgebook.settings.recipes import HEAD_LETTERS
from edgebook.statistics.calibration import log_odds, probability

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.policy.market import Market
    from edgebook.policy.observed import Observed
    from edgebook.policy.policy import Policy

TRADES, CANDIDATES = "trades", "candidates"
TOP_SHARE = 0.2
DIGITS = 6


@dataclass(frozen=True)
class Paid:
    """What wins and losses have paid so far, over all candidates that closed.

    Parameters
    ----------
    won, lost : float
        Effective outcomes.
    gained, given : float
        Sums of their R, both at least 0 where costs are small.
    """

    won: float = 0.0
    lost: float = 0.0
    gained: float = 0.0
    given: float = 0.0

    @property
    def span(self) -> float:
        """Mean R of a win minus mean R of a loss: what a hundred points of win rate are worth. 0 while unknown."""
        return self.gained / self.won + self.given / self.lost if self.won and self.lost else 0.0

    def promised_r(self, confidence: NDArray[np.float64]) -> NDArray[np.float64]:
        """Net R that a probability of a win is worth."""
        return confidence * self.span - self.given / self.lost

    def update(self, seen: Observed) -> Paid:
        """Return the same with one more week."""
        earned = seen.weight * seen.r_multiple
        return Paid(
            won=round(self.won + float(seen.weight[seen.won].sum()), DIGITS),
            lost=round(self.lost + float(seen.weight[~seen.won].sum()), DIGITS),
            gained=round(self.gained + float(earned[seen.won].sum()), DIGITS),
            given=round(self.given - float(earned[~seen.won].sum()), DIGITS),
        )


def week_values(
    seen: Observed, *, market: Market, policy: Policy, trades: pd.DataFrame, paid: Paid, since: int
) -> dict[str, NDArray[np.float64]]:
    """Daily sums of every stream that had an outcome in the week.

    Parameters
    ----------
    seen : Observed
        Candidates that closed in the week.
    market : Market
        Names the patterns.
    policy : Policy
        In force when the week began: how far it believes each head.
    trades : DataFrame
        Trades that closed in the week: close_date, confidence, r_multiple.
    paid : Paid
        Known when the week began.
    since : int
        Milliseconds UTC, the Monday at which the week began.

    Returns
    -------
    dict of str to ndarray, shape (7, 3)
        By stream and day of close: outcome minus promise, effective outcomes, promise. "candidates" are the most
        confident fifth of all, "pattern X" the candidates that the pattern favours, both won minus confidence. "head
        X" are its awake votes, right minus the probability of being right by its own calibration. "trades" are R minus
        the R that their confidence promised, in units of `Paid.span`, so that all streams fall in points of win rate.
    """
    gap = seen.weight * (seen.won - seen.confidence)
    promised = seen.weight * seen.confidence
    top = (seen.rank > 1 - TOP_SHARE) & (seen.consensus > 0)
    found = {CANDIDATES: _daily(seen.day[top], gap[top], seen.weight[top], promised[top])}

    # What was said at the decision: the base rate of today has seen what the market did meanwhile.
    base = log_odds(seen.base)
    for number, letter in enumerate(HEAD_LETTERS):
        raw = np.nan_to_num(seen.raw[:, number])
        chance = probability(base + policy.slopes[number, seen.side] * raw)
        right = np.where(raw > 0, chance, 1 - chance)
        hit = (raw > 0) == seen.won
        awake = np.abs(raw) >= AWAKE
        weight = seen.weight[awake]
        found[f"head {letter}"] = _daily(seen.day[awake], weight * (hit - right)[awake], weight, weight * right[awake])

    place = seen.tag * 7 + seen.day
    days = 7 * len(market.tag_names)
    columns = (gap, seen.weight, promised)
    by_tag = np.stack([np.bincount(place, column, days).astype(np.float64) for column in columns], axis=1)
    for code, name in enumerate(market.tag_names[1:], start=1):
        found[f"pattern {name}"] = by_tag[7 * code : 7 * code + 7]

    if len(trades) and paid.span > 0:
        # A close at midnight ends the day before.
        moments = to_ms(pd.to_datetime(trades["close_date"], utc=True))
        closed: NDArray[np.int64] = np.clip((moments - 1 - since) // DAY_MS, 0, 6)
        promise = paid.promised_r(trades["confidence"].to_numpy(np.float64)) / paid.span
        got = trades["r_multiple"].to_numpy(np.float64) / paid.span
        found[TRADES] = _daily(closed, got - promise, np.ones(len(trades)), promise)
    return {name: np.round(rows, DIGITS) + 0.0 for name, rows in found.items() if rows[:, 1].any()}


def _daily(day: NDArray[np.int64], *columns: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.bincount(day, column, 7) for column in columns], axis=1)
