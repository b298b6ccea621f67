"""The account against chance: random policies that made as many signals, at the same times.

A random policy draws as many candidates from each week and timeframe as the account entered there, under the same
exit plan. Two nulls say what else it is given:

- ``mix``: the account's own longs and shorts in their order, but begun at another signal. Choosing the side, the symbol
  and the hour is skill; a standing tilt to one side, or staying with a side for days, is not. (Sides drawn one by one
  would spread a policy's bets, and make chance look narrower than it is.)
- ``sides``: the account's own number of longs and shorts in each week and timeframe. Only symbol and hour are skill.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import pandas as pd

from edgebook.settings.loading import section
from edgebook.settings.params import Goals
from edgebook.statistics.intervals import Interval, weeks_since_epoch, wilson
from edgebook.statistics.metrics import closed_trades

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgebook.seals.week import Week

Null = Literal["mix", "sides"]
RESAMPLES = 1000
MIN_WEEKS = 4


@dataclass(frozen=True)
class RandomPolicies:
    """What random policies made, and what the account made on the same number of signals.

    Parameters
    ----------
    null : {"mix", "sides"}
    weekly_r : ndarray, shape (policies, weeks)
        Sum of R of each policy's draws in each week in which the account entered signals.
    own_r : ndarray, shape (weeks,)
        The same of the account.
    n : int
        Signals of the account, and of every policy.
    percentile : Interval
        Share of policies that the account beats, in percent, ties half; 95 % by redrawing weeks, NaN under
        `MIN_WEEKS`.
    by_chance : tuple of float
        95 % Monte Carlo error of the percentile: what another set of draws might say.
    """

    null: Null
    weekly_r: NDArray[np.float64] = field(repr=False)
    own_r: NDArray[np.float64] = field(repr=False)
    n: int
    percentile: Interval
    by_chance: tuple[float, float]


def chance_of(week: Week, *, goals: Mapping[str, Any]) -> dict[str, RandomPolicies]:
    """Draw random policies beside the account's signals, under both nulls.

    Parameters
    ----------
    week : Week
    goals : mapping
        Section `goals` of params.yaml: how many to draw, and the seed.
    """
    held = section(Goals, goals, where="params.yaml: goals")
    plans = sorted({week.champion_plan, *week.ledger["exit_plan"].dropna()})
    outcomes = {plan: week.simulated(plan) for plan in plans}
    at = pd.Timestamp(week.as_of, tz="UTC")
    nulls: tuple[Null, Null] = ("mix", "sides")
    return {
        null: draw_policies(week.ledger, outcomes, null=null, policies=held.random_policies, seed=held.seed, at=at)
        for null in nulls
    }


def draw_policies(
    trades: pd.DataFrame,
    outcomes: Mapping[str, pd.DataFrame],
    *,
    null: Null,
    policies: int,
    seed: int,
    at: pd.Timestamp,
) -> RandomPolicies:
    """Draw random policies beside a set of signals.

    Parameters
    ----------
    trades : DataFrame
        Ledger rows; open ones are left out.
    outcomes : mapping of str to DataFrame
        By exit plan: timeframe, date, is_short, r_multiple, known_at of every candidate.
    null : {"mix", "sides"}
    policies : int
        How many to draw.
    seed : int
    at : Timestamp
        UTC; outcomes known later are not drawn.

    Returns
    -------
    RandomPolicies
    """
    closed = closed_trades(trades).sort_values(["date", "signal_id"], kind="stable", ignore_index=True)
    week = weeks_since_epoch(closed["date"])
    numbers = np.unique(week)
    weekly_r = np.zeros((policies, numbers.size))
    rng = np.random.default_rng(seed)
    shorts = closed["is_short"].to_numpy(dtype=bool)
    own = pd.DataFrame({"week": week, "plan": closed["exit_plan"], "timeframe": closed["timeframe"]})
    begun = (
        rng.integers(max(len(closed), 1), size=(policies, 1)) if null == "mix" else np.zeros((policies, 1), dtype=int)
    )
    shifted = shorts[(np.arange(len(closed)) + begun) % max(len(closed), 1)]
    pools = {plan: _pools(frame, at=at) for plan, frame in outcomes.items()}
    for key, part in own.groupby(["week", "plan", "timeframe"], sort=True):
        number, plan, timeframe = cast("tuple[int, str, str]", key)
        rows = part.index.to_numpy(dtype=np.int64)
        short = shifted[:, rows].sum(axis=1)
        column = int(np.searchsorted(numbers, number))
        for side, count in ((0, len(rows) - short), (1, short)):
            weekly_r[:, column] += _drawn_r(pools[plan][int(number), timeframe, side], count, rng=rng)
    weights = closed["r_multiple"].to_numpy(dtype=np.float64)
    own_r = np.bincount(np.searchsorted(numbers, week), weights=weights, minlength=numbers.size).astype(np.float64)
    percentile = _percentile(weekly_r, own_r, n=len(closed), rng=rng)
    low, high = wilson(percentile.value / 100, n=policies)
    return RandomPolicies(null, weekly_r, own_r, len(closed), percentile, (100 * low, 100 * high))


def _pools(frame: pd.DataFrame, *, at: pd.Timestamp) -> dict[tuple[int, str, int], NDArray[np.float64]]:
    """R of every known candidate by week, timeframe and side."""
    known = frame[frame["known_at"] <= at]
    week = pd.Series(weeks_since_epoch(known["date"]), index=known.index)
    pools: dict[tuple[int, str, int], NDArray[np.float64]] = _Pools()
    for key, r in known["r_multiple"].groupby([week, known["timeframe"], known["is_short"].astype(int)]):
        number, timeframe, side = cast("tuple[int, str, int]", key)
        pools[int(number), timeframe, int(side)] = r.to_numpy(dtype=np.float64)
    return pools


class _Pools(dict[tuple[int, str, int], "NDArray[np.float64]"]):
    """A cell without candidates of a side is empty: nothing can be drawn there, and 0 R is made."""

    def __missing__(self, key: tuple[int, str, int]) -> NDArray[np.float64]:
        return np.zeros(1)


def _drawn_r(pool: NDArray[np.float64], count: NDArray[np.int64], *, rng: np.random.Generator) -> NDArray[np.float64]:
    """Sum of R of `count` different candidates for each policy; with repeats where the pool has fewer."""
    policies, most = count.size, int(count.max(initial=0))
    if most == 0:
        return np.zeros(policies)
    if most > pool.size:
        drawn = pool[rng.integers(pool.size, size=(policies, most))]
    else:
        keys = rng.random((policies, pool.size), dtype=np.float32)
        least = np.argpartition(keys, most - 1, axis=1)[:, :most]
        order = np.argsort(np.take_along_axis(keys, least, axis=1), axis=1, kind="stable")
        drawn = pool[np.take_along_axis(least, order, axis=1)]
    sums = np.concatenate([np.zeros((policies, 1)), np.cumsum(drawn, axis=1)], axis=1)
    return np.asarray(sums[np.arange(policies), count])


def _percentile(
    weekly_r: NDArray[np.float64], own_r: NDArray[np.float64], *, n: int, rng: np.random.Generator
) -> Interval:
    """Share of policies beaten, in percent, with the interval that redrawn weeks give."""
    weeks = own_r.size
    if weeks == 0:
        return Interval(np.nan, np.nan, np.nan, 0, 0.0)
    value = float(_beaten(weekly_r.sum(axis=1), own_r.sum()))
    if weeks < MIN_WEEKS:
        return Interval(value, np.nan, np.nan, n, float(weeks))
    times = rng.multinomial(weeks, np.full(weeks, 1 / weeks), size=RESAMPLES).astype(np.float64)
    redrawn = _beaten(weekly_r @ times.T, times @ own_r)
    low, high = np.quantile(redrawn, [0.025, 0.975])
    return Interval(value, float(low), float(high), n, float(weeks))


def _beaten(made: NDArray[np.float64], own: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Percent of policies (axis 0) that made less than `own`, ties half."""
    made = np.round(made, 6)
    own = np.round(own, 6)
    return np.asarray(100 * ((made < own).mean(axis=0) + (made == own).mean(axis=0) / 2))
