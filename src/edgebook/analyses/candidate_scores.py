"""Every candidate's confidence as a policy gave it before the outcome, and what each learner adds to that.

Signals are few, candidates are many: whether a policy puts winners above losers shows on all of them, traded or not,
long before it shows in a book. Policies are read from the seals and score the week after, by the loop's own function.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from edgebook.analyses.learning_curve import MIN_ROLLING, ROLLING_WEEKS
from edgebook.analyses.policy_history import false_discovery_q
from edgebook.analyses.tracks import ACCOUNT, FROZEN, NO_LEARNING, frozen_recipe
from edgebook.policy.market import NEVER, milliseconds
from edgebook.policy.policy import score
from edgebook.policy.signals import week_rows
from edgebook.statistics import intervals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edgebook.policy.policy import Policy
    from edgebook.seals.week import Week

DECIMALS = 6
TOP_SHARE = 0.05
ABLATED = {
    ACCOUNT: "everything learned",
    "first_heads": "heads of the first fit",
    "equal_weights": "equal head weights",
    "first_weights": "first head weights",
    "first_calibration": "first calibration",
    FROZEN: "frozen first policy",
    NO_LEARNING: "textbook votes",
}
"""Policies compared on all candidates, and what they are."""


def ablated_policies(week: Week, textbook: Sequence[Policy]) -> dict[str, list[Policy | None]]:
    """Take one learner at a time out of the champion's policies.

    Parameters
    ----------
    week : Week
    textbook : sequence of Policy
        As `tracks.textbook_policies` gives them.

    Returns
    -------
    dict of str to list of Policy
        By the names of `ABLATED`, one a week of the history: in force when the week began. None where it did not run.
    """
    seals = week.seals[:-1]
    if not seals:
        return {name: [] for name in ABLATED}
    held = [seal.arms[seal.champion].policy for seal in seals]
    first, frozen = held[0], frozen_recipe(week.seals)
    return {
        ACCOUNT: [*held],
        "first_heads": [replace(policy, heads=first.heads) for policy in held],
        "equal_weights": [replace(policy, weights=np.ones_like(policy.weights)) for policy in held],
        "first_weights": [replace(policy, weights=first.weights) for policy in held],
        "first_calibration": [
            replace(policy, slopes=first.slopes, consensus_slope=first.consensus_slope, base=first.base)
            for policy in held
        ],
        FROZEN: [seal.arms[frozen].policy if frozen in seal.arms else None for seal in seals],
        NO_LEARNING: [*textbook],
    }


def scored_candidates(week: Week, policies: Sequence[Policy | None]) -> pd.DataFrame:
    """Score every candidate of every week with the policy of that week.

    Parameters
    ----------
    week : Week
    policies : sequence of Policy
        One a week of the history, in force when it began.

    Returns
    -------
    DataFrame
        One row a candidate whose outcome is known by now: number (of the week), confidence, won, r_multiple (net).
    """
    market = week.arrays
    parts = []
    for number, ((begin, end), policy) in enumerate(zip(pairwise(week.weeks), policies, strict=True), start=1):
        if policy is None:
            continue
        rows = week_rows(market, since=milliseconds(begin), until=milliseconds(end))
        plan = market.plans[policy.exit_plan]
        known = plan.known_at[rows] != NEVER
        parts.append(
            pd.DataFrame(
                {
                    "number": number,
                    "confidence": score(policy, market, rows=rows).confidence[known],
                    "won": plan.profit_ratio[rows][known] > 0,
                    "r_multiple": plan.r_multiple[rows][known],
                }
            )
        )
    empty = pd.DataFrame({"number": [0], "confidence": [0.0], "won": [False], "r_multiple": [0.0]}).iloc[:0]
    return pd.concat(parts, ignore_index=True) if parts else empty


def score_all(week: Week, policies: Mapping[str, Sequence[Policy | None]]) -> dict[str, pd.DataFrame]:
    """`scored_candidates` of each sequence of policies, by its name."""
    return {name: scored_candidates(week, held) for name, held in policies.items()}


def skill_of(scored: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """`weekly_skill` of each, by its name."""
    return {name: weekly_skill(frame) for name, frame in scored.items()}


def weekly_skill(scored: pd.DataFrame) -> pd.DataFrame:
    """How well confidence told winners from losers in each week.

    Parameters
    ----------
    scored : DataFrame
        As `scored_candidates` gives it.

    Returns
    -------
    DataFrame
        Index: number of the week. Columns: auc (chance that a winner had more confidence than a loser of its week;
        NaN when all won or all lost), top_r (mean net R of the week's most confident 5 %), n (candidates).
    """
    rows = {
        number: (
            auc(part["confidence"].to_numpy(dtype=np.float64), won=part["won"].to_numpy(dtype=bool)),
            _top_r(part["confidence"].to_numpy(dtype=np.float64), r=part["r_multiple"].to_numpy(dtype=np.float64)),
            len(part),
        )
        for number, part in scored.groupby("number", sort=True)
    }
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["auc", "top_r", "n"])
    return frame.rename_axis("number").round(DECIMALS)


def auc(confidence: NDArray[np.float64], *, won: NDArray[np.bool_]) -> float:
    """Chance that a winner has more confidence than a loser, ties counted half; NaN without both.

    Examples
    --------
    >>> auc(np.array([0.4, 0.5, 0.6]), won=np.array([False, False, True]))
    1.0
    """
    wins, losses = int(won.sum()), int((~won).sum())
    if not (wins and losses):
        return np.nan
    ranks = stats.rankdata(confidence)
    return float((ranks[won].sum() - wins * (wins + 1) / 2) / (wins * losses))


def ablation(skills: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Compare the champion's policies with their ablated twins, week by week.

    Parameters
    ----------
    skills : mapping of str to DataFrame
        `weekly_skill` of each of `ABLATED`.

    Returns
    -------
    DataFrame
        One row a policy: name, auc and top_r with their ends, gain (top_r of the account less that of the row, paired
        by week) with gain_low and gain_high, q_value (that the gain is 0, over the rows), weeks. Weeks are the units.
    """
    own = skills[ACCOUNT]
    rows, p_values = [], []
    for name, skill in skills.items():
        row: dict[str, object] = {"name": name, "weeks": len(skill)}
        for column in ("auc", "top_r"):
            row |= _spread(column, skill[column])
        both = (own["top_r"] - skill["top_r"]).dropna() if name != ACCOUNT else skill["top_r"].iloc[:0]
        row |= _spread("gain", both)
        rows.append(row)
        p_values.append(_p_value(both.to_numpy(dtype=np.float64)))
    frame = pd.DataFrame(rows)
    return frame.assign(q_value=false_discovery_q(np.array(p_values))).round(DECIMALS)


def rolling_auc(
    skills: Mapping[str, pd.DataFrame], *, weeks: Sequence[str], window_weeks: int = ROLLING_WEEKS
) -> dict[str, pd.DataFrame]:
    """Mean weekly AUC over the last weeks, with its 95 % interval.

    Parameters
    ----------
    skills : mapping of str to DataFrame
        `weekly_skill` by name.
    weeks : sequence of str
        Sealed Mondays.
    window_weeks : int
        Shorter at the beginning; missing under `learning_curve.MIN_ROLLING` weeks.

    Returns
    -------
    dict of str to DataFrame
        value, low and high: one row a week's end (UTC), one column a name.
    """
    index = pd.DatetimeIndex(pd.to_datetime(list(weeks[1:]), utc=True))
    found = {end: pd.DataFrame(np.nan, index=index, columns=list(skills)) for end in ("value", "low", "high")}
    for name, skill in skills.items():
        values = skill["auc"].dropna()
        for last in range(MIN_ROLLING, len(weeks)):
            part = values[(values.index > last - window_weeks) & (values.index <= last)].to_numpy(dtype=np.float64)
            mean = intervals.mean_interval(part, clusters=np.arange(part.size))
            for end in found:
                found[end].loc[index[last - 1], name] = getattr(mean, end)
    return {end: frame.round(DECIMALS) for end, frame in found.items()}


def calibrations(scored: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """`calibration` of the champion's policies, and of the frozen one where it ran."""
    return {name: calibration(scored[name]) for name in (ACCOUNT, FROZEN) if name == ACCOUNT or len(scored[name])}


def calibration(scored: pd.DataFrame, *, bins: int = 10) -> pd.DataFrame:
    """Compare stated confidence with how often candidates won.

    Parameters
    ----------
    scored : DataFrame
        As `scored_candidates` gives it.
    bins : int
        Groups of equal size by confidence.

    Returns
    -------
    DataFrame
        One row a group, least confident first: predicted (mean), observed with low and high (weeks as clusters), n.
    """
    columns = ["predicted", "observed", "low", "high", "n"]
    if scored.empty:
        return pd.DataFrame(columns=columns)
    confidence = scored["confidence"].to_numpy(dtype=np.float64)
    group = (stats.rankdata(confidence, method="ordinal") - 1) * bins // len(scored)
    clusters = scored["number"].to_numpy(dtype=np.int64)
    won = scored["won"].to_numpy(dtype=bool)
    rows = []
    for number in np.unique(group):
        mine = group == number
        rate = intervals.rate_interval(won[mine], clusters=clusters[mine])
        rows.append((float(confidence[mine].mean()), rate.value, rate.low, rate.high, rate.n))
    return pd.DataFrame(rows, columns=columns).round(DECIMALS)


def _top_r(confidence: NDArray[np.float64], *, r: NDArray[np.float64]) -> float:
    """Mean R of the most confident share; ties in the order given."""
    count = max(1, int(np.ceil(TOP_SHARE * confidence.size)))
    return float(r[np.argsort(-confidence, kind="stable")[:count]].mean())


def _spread(name: str, values: pd.Series[float]) -> dict[str, float]:
    """Mean over weeks and its ends."""
    known = np.asarray(values.dropna(), dtype=np.float64)
    found = intervals.mean_interval(known, clusters=np.arange(known.size))
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def _p_value(differences: NDArray[np.float64]) -> float:
    """Two-sided, that the mean of weekly differences is 0; NaN when they do not vary."""
    if differences.size < 2:
        return np.nan
    mean = float(differences.mean())
    residual = np.asarray(differences - mean, dtype=np.float64)
    error, freedom = intervals.clustered_error(residual, clusters=np.arange(differences.size))
    return float(2 * stats.t.sf(abs(mean) / error, freedom)) if error > 0 else np.nan
