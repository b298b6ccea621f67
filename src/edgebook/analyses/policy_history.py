"""What the champion's policies held from week to week, and what is known of each regime by now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from edgebook.importance.contributions import vote_contributions
from edgebook.policy.market import REGIMES
from edgebook.settings.recipes import HEAD_LETTERS
from edgebook.statistics import intervals
from edgebook.statistics.cells import FALSE_DISCOVERY_RATE
from edgebook.statistics.thresholds import GRID, STEP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgebook.seals.seals import Seal
    from edgebook.seals.week import Week
    from edgebook.statistics.thresholds import Threshold, ThresholdSums

DECIMALS = 6


def weights_over_time(seals: Sequence[Seal]) -> pd.DataFrame:
    """Head weights of the policy in force after each week.

    Parameters
    ----------
    seals : sequence of Seal
        In order.

    Returns
    -------
    DataFrame
        Index: the Monday from which the policy was in force, UTC. Columns: (regime, letter of the head).
    """
    columns = pd.MultiIndex.from_product([REGIMES, list(HEAD_LETTERS)], names=["regime", "head"])
    rows = [seal.arms[seal.champion].policy.weights.ravel() for seal in seals]
    return pd.DataFrame(np.array(rows), index=mondays(seals), columns=columns)


def thresholds_over_time(seals: Sequence[Seal]) -> pd.DataFrame:
    """Thresholds of the policy in force after each week.

    Parameters
    ----------
    seals : sequence of Seal
        In order.

    Returns
    -------
    DataFrame
        One row a week and regime: week (UTC), regime, value (a confidence), certified.
    """
    rows = [
        (week, regime, threshold.value, threshold.certified)
        for week, seal in zip(mondays(seals), seals, strict=True)
        for regime, threshold in seal.arms[seal.champion].policy.thresholds.items()
    ]
    return pd.DataFrame(rows, columns=["week", "regime", "value", "certified"])


def threshold_evidence(seals: Sequence[Seal]) -> pd.DataFrame:
    """Thresholds in force now, and what candidates at or above each have made, out of sample.

    Parameters
    ----------
    seals : sequence of Seal
        In order; the champion's record in the last holds the evidence.

    Returns
    -------
    DataFrame
        One row a regime: regime, value, certified, weeks_certified (of all seals), mean_r with low and high (net R a
        candidate, 95 % interval with weeks as clusters), n (candidates), weeks (with any). Traded or not, the warm-up
        before genesis included.
    """
    over_time = thresholds_over_time(seals)
    weeks_certified = over_time[over_time["certified"]].groupby("regime").size()
    arm = seals[-1].arms[seals[-1].champion]
    rows = []
    for regime, sums in zip(REGIMES, arm.record.thresholds, strict=True):
        threshold = arm.policy.thresholds[regime]
        rows.append(
            {
                "regime": regime,
                "value": threshold.value,
                "certified": threshold.certified,
                "weeks_certified": int(weeks_certified.get(regime, 0)),
                **_above(threshold, sums),
            }
        )
    return pd.DataFrame(rows).round(DECIMALS)


def indicator_evidence(week: Week) -> pd.DataFrame:
    """How much more often each indicator's textbook vote was with winners than with losers, by regime.

    Parameters
    ----------
    week : Week

    Returns
    -------
    DataFrame
        Rows of `contributions.vote_contributions` for the four regimes, over every candidate of the champion's exit
        plan that had closed, with q_value (over all rows) and shown (a positive difference at a false-discovery rate
        of 10 %).
    """
    found = vote_contributions(
        week.votes,
        week.outcomes(week.champion_plan),
        regimes=week.regimes,
        at=pd.Timestamp(week.as_of, tz="UTC"),
    )
    found = found[found["regime"].isin(REGIMES)].reset_index(drop=True)
    dated = week.regimes[week.regimes["date"] < pd.Timestamp(week.as_of, tz="UTC")]
    number = pd.Series(intervals.weeks_since_epoch(dated["date"]), index=dated.index)
    freedom = number.groupby(dated["regime"]).nunique().reindex(found["regime"]).fillna(1).to_numpy(dtype=float) - 1
    half_width = stats.t.ppf(0.5 + intervals.LEVEL / 2, np.where(freedom > 0, freedom, np.nan))
    error = (found["high"] - found["low"]).to_numpy(dtype=float) / 2 / half_width
    with np.errstate(invalid="ignore", divide="ignore"):
        p_value = 2 * stats.t.sf(np.abs(found["difference"].to_numpy(dtype=float)) / error, np.maximum(freedom, 1))
    q_value = np.round(false_discovery_q(np.where(error > 0, p_value, np.nan)), DECIMALS)
    shown = (q_value <= FALSE_DISCOVERY_RATE) & (found["difference"].to_numpy(dtype=float) > 0)
    return found.assign(q_value=q_value, shown=shown)


def best_of_regimes(rates: pd.DataFrame, indicators: pd.DataFrame, thresholds: pd.DataFrame) -> pd.DataFrame:
    """What is known of each regime: its best head, its best indicator, its threshold.

    Parameters
    ----------
    rates, indicators, thresholds : DataFrame
        As `head_record.head_hit_rates`, `indicator_evidence` and `threshold_evidence` give them.

    Returns
    -------
    DataFrame
        One row a regime: regime, heads (shown, counted), head (the highest shrunk hit rate) with head_rate, head_low,
        head_high, head_n, head_known; indicators (shown, counted), indicator (the highest importance score) with
        indicator_difference, indicator_low, indicator_high, indicator_n, indicator_known; threshold, certified.
    """
    rows = []
    for regime in REGIMES:
        row: dict[str, object] = {"regime": regime}
        own = rates[(rates["regime"] == regime) & rates["shrunk"].notna()]
        row["heads"] = int(own["shown"].sum())
        if len(own):
            best = own.sort_values(["shown", "shrunk", "head"], ascending=[False, False, True]).iloc[0]
            row |= {"head": best["head"], "head_rate": best["hit_rate"], "head_low": best["low"]}
            row |= {"head_high": best["high"], "head_n": best["n"], "head_known": bool(best["shown"])}
        votes = indicators[(indicators["regime"] == regime) & indicators["difference"].notna()]
        row["indicators"] = int(votes["shown"].sum())
        if len(votes):
            order = ["shown", "importance_score", "difference", "indicator"]
            lead = votes.sort_values(order, ascending=[False, False, False, True]).iloc[0]
            row |= {"indicator": lead["indicator"], "indicator_difference": lead["difference"]}
            row |= {"indicator_low": lead["low"], "indicator_high": lead["high"], "indicator_n": lead["n"]}
            row["indicator_known"] = bool(lead["shown"])
        threshold = thresholds[thresholds["regime"] == regime].iloc[0]
        rows.append(row | {"threshold": threshold["value"], "certified": bool(threshold["certified"])})
    columns = [
        "regime", "heads", "head", "head_rate", "head_low", "head_high", "head_n", "head_known", "indicators",
        "indicator", "indicator_difference", "indicator_low", "indicator_high", "indicator_n", "indicator_known",
        "threshold", "certified",
    ]  # fmt: skip
    return pd.DataFrame(rows).reindex(columns=columns)


def false_discovery_q(p_value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Benjamini and Hochberg's q of each p-value; missing ones are not counted.

    Examples
    --------
    >>> false_discovery_q(np.array([0.01, np.nan, 0.04])).tolist()
    [0.02, nan, 0.04]
    """
    q_value = np.full(p_value.shape, np.nan)
    known = np.flatnonzero(np.isfinite(p_value))
    if known.size:
        order = known[np.argsort(p_value[known], kind="stable")]
        stepped = p_value[order] * known.size / np.arange(1, known.size + 1)
        q_value[order] = np.minimum.accumulate(stepped[::-1])[::-1]
    return q_value


def _above(threshold: Threshold, sums: ThresholdSums) -> dict[str, float]:
    """Mean R of a regime's candidates at or above a threshold."""
    row = min(int(np.ceil(np.round(threshold.value / STEP, 6))), len(GRID) - 1)
    n, s, nn, ss, ns = sums.sums[row]
    weeks = int(sums.weeks[row])
    if n == 0:
        return {"mean_r": np.nan, "low": np.nan, "high": np.nan, "n": 0, "weeks": weeks}
    mean = s / n
    spread = max(ss - 2 * mean * ns + mean**2 * nn, 0.0)
    half = np.nan
    if weeks > 1:
        half = intervals.student(weeks - 1) * np.sqrt(spread * weeks / (weeks - 1)) / n
    return {"mean_r": mean, "low": mean - half, "high": mean + half, "n": int(n), "weeks": weeks}


def mondays(seals: Sequence[Seal]) -> pd.DatetimeIndex:
    """Return the Monday of each seal, from which its policies were in force, UTC."""
    return pd.DatetimeIndex(pd.to_datetime([seal.as_of for seal in seals], utc=True))
