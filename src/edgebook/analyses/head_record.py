"""How often each head was right in each regime, out of sample: every vote by a policy that had not seen the outcome."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from edgebook.analyses.policy_history import false_discovery_q
from edgebook.importance.contributions import shrink_toward
from edgebook.policy.market import NEVER, REGIMES, milliseconds
from edgebook.policy.policy import score
from edgebook.policy.record import AWAKE
from edgebook.policy.signals import week_rows
from edgebook.settings.recipes import HEAD_LETTERS
from edgebook.statistics import intervals
from edgebook.statistics.cells import FALSE_DISCOVERY_RATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgebook.policy.market import Market
    from edgebook.policy.policy import Policy, Scores
    from edgebook.seals.week import Week

DECIMALS = 6


def head_hit_rates(week: Week, policies: Sequence[Policy]) -> pd.DataFrame:
    """Hit rate of every head in every regime, on all candidates that have closed, traded or not.

    Parameters
    ----------
    week : Week
    policies : sequence of Policy
        The champion's, one a week of the history, in force when it began.

    Returns
    -------
    DataFrame
        As `hit_rates` gives it, with weight: the head's in the policy of today.
    """
    market = week.arrays
    names = (len(week.weeks) - 1, len(REGIMES), len(HEAD_LETTERS), 2, 2)
    counts = np.zeros(names)
    for number, ((begin, end), policy) in enumerate(zip(pairwise(week.weeks), policies, strict=True)):
        rows = week_rows(market, since=milliseconds(begin), until=milliseconds(end))
        counts[number] = vote_counts(score(policy, market, rows=rows), policy, market=market, rows=rows)
    held = week.seal.arms[week.champion].policy
    return hit_rates(counts).assign(weight=held.weights.ravel())


def vote_counts(scores: Scores, policy: Policy, *, market: Market, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Votes of every head on the candidates of some bars that have closed.

    Parameters
    ----------
    scores : Scores
        Of `policy` on `rows`.
    policy : Policy
    market : Market
    rows : ndarray of int64, shape (n,)

    Returns
    -------
    ndarray of float64, shape (regimes, heads, 2, 2)
        By result (lost, won) and by miss or hit, as `hit_rates` takes them.
    """
    counts = np.zeros((len(REGIMES), len(HEAD_LETTERS), 2, 2))
    plan, regime = market.plans[policy.exit_plan], market.labelled(policy.regimes).regime[rows]
    raw, won = np.nan_to_num(scores.raw), plan.profit_ratio[rows] > 0
    awake = (np.abs(raw) >= AWAKE) & (plan.known_at[rows] != NEVER)[:, None, :]
    for result in (0, 1):
        of_result = awake & (won == bool(result))[:, None, :]
        for hit in (0, 1):
            kind = of_result & ((raw > 0) == bool(result == hit))
            np.add.at(counts[..., result, hit], regime, kind.sum(axis=2))
    return counts


def overall_hit_rates(counts: NDArray[np.float64]) -> list[intervals.Interval]:
    """Balanced hit rate of every head over all regimes, by letter, weeks as clusters.

    Parameters
    ----------
    counts : ndarray, shape (weeks, regimes, heads, 2, 2)
        As `vote_counts` gives them.
    """
    rate, error, weeks = _balanced(counts.sum(axis=1))
    half = [intervals.student(w - 1) * e for w, e in zip(weeks, error, strict=True)]
    votes = counts.sum(axis=(0, 1, 3, 4))
    return [
        intervals.Interval(float(r), float(max(r - h, 0.0)), float(min(r + h, 1.0)), int(n), float(w))
        for r, h, n, w in zip(rate, half, votes, weeks, strict=True)
    ]


def hit_rates(counts: NDArray[np.float64]) -> pd.DataFrame:
    """Balanced hit rates with week clusters, and which are more than chance.

    Parameters
    ----------
    counts : ndarray, shape (weeks, regimes, heads, 2, 2)
        Votes by result (lost, won) and by miss or hit. A hit is a vote for a candidate that won or against one that
        lost.

    Returns
    -------
    DataFrame
        One row a regime and head: regime, head, hit_rate with low and high (95 %, weeks as clusters), shrunk (toward
        the head's rate over all regimes), n (votes), weeks, q_value (that the rate is one half, over all rows) and
        shown (above one half at a false-discovery rate of 10 %).

    Notes
    -----
    ``(hits among winners / winners + hits among losers / losers) / 2``: a head that knows nothing is right half of the
    time, whatever share of candidates wins. Votes are not weighted by the uniqueness of their outcome, which would
    favour one kind of ending; that outcomes overlap is in the interval.
    """
    rate, error, weeks = _balanced(counts)
    whole, whole_error, _ = _balanced(counts.sum(axis=1))
    centre = shrink_toward(whole, error=whole_error, toward=np.full(whole.shape, 0.5))
    shrunk = np.array([shrink_toward(r, error=e, toward=centre) for r, e in zip(rate, error, strict=True)])
    freedom = np.where(weeks > 1, weeks - 1.0, np.nan)
    half = stats.t.ppf(0.5 + intervals.LEVEL / 2, freedom) * error
    with np.errstate(invalid="ignore", divide="ignore"):
        p_value = np.where(error > 0, 2 * stats.t.sf(np.abs(rate - 0.5) / error, freedom), np.nan)
    frame = pd.DataFrame(
        {
            "regime": np.repeat(REGIMES, len(HEAD_LETTERS)),
            "head": list(HEAD_LETTERS) * len(REGIMES),
            "hit_rate": rate.ravel(),
            "low": np.maximum(rate - half, 0.0).ravel(),
            "high": np.minimum(rate + half, 1.0).ravel(),
            "shrunk": np.where(np.isnan(rate), np.nan, shrunk).ravel(),
            "n": counts.sum(axis=(0, 3, 4)).ravel().astype(np.int64),
            "weeks": weeks.ravel(),
            "q_value": false_discovery_q(p_value.ravel()),
        }
    ).round(DECIMALS)
    return frame.assign(shown=(frame["q_value"] <= FALSE_DISCOVERY_RATE) & (frame["hit_rate"] > 0.5))


def _balanced(
    counts: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Mean of the hit rates among winners and losers, its clustered error, and the weeks that had votes."""
    votes, hits = counts.sum(axis=-1), counts[..., 1]
    total = votes.sum(axis=0)
    weeks = (votes.sum(axis=-1) > 0).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        by_result = np.where(total > 0, hits.sum(axis=0) / total, np.nan)
        influence = ((hits - np.nan_to_num(by_result) * votes) / total).sum(axis=-1) / 2
        shared = np.maximum((influence[1:] * influence[:-1]).sum(axis=0), 0.0)
        variance = ((influence**2).sum(axis=0) + shared) * weeks / (weeks - 1)
        error = np.where(weeks > 1, np.sqrt(variance), np.nan)
    return by_result.mean(axis=-1), error, weeks
