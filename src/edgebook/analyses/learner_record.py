"""What each learner was worth, week by week, as the seals recorded it: the arm, its frozen twins and the base rate.

The numbers are of candidates whose outcome closed, traded or not, each with the probability that was stated before.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.policy.experts import CONSTANT, EXPERTS
from edgebook.policy.learners import FROZEN_INDICATORS, FROZEN_PATTERNS, IN_FORCE
from edgebook.policy.market import NEVER, REGIMES, milliseconds
from edgebook.policy.policy import SPREAD, score
from edgebook.policy.signals import entering_rows
from edgebook.policy.threshold_rules import QUANTILES
from edgebook.policy.vote_strategies import STRATEGIES
from edgebook.statistics import intervals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.seals.seals import Seal
    from edgebook.seals.week import Week

DECIMALS = 6
WINDOW_WEEKS = 13
ORDER = (IN_FORCE, *STRATEGIES, FROZEN_INDICATORS, FROZEN_PATTERNS, CONSTANT)


def learner_weeks(week: Week) -> pd.DataFrame:
    """Weekly rows of the champion's learners, whoever was champion in the week.

    Parameters
    ----------
    week : Week

    Returns
    -------
    DataFrame
        date (UTC, the Monday on which the week ended), learner, in_force, belief, n, n_effective, log_loss, top_r.
        Empty before the first week.
    """
    held = {head["as_of"]: before["champion"] for before, head in pairwise(week.heads)}
    rows = week.learners
    if rows.empty:
        return rows
    champion = rows["date"].dt.strftime("%Y-%m-%d").map(held)
    kept: pd.DataFrame = rows[(rows["arm"] == champion) & rows["log_loss"].notna()]
    return kept.drop(columns="arm").reset_index(drop=True)


def learner_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Each learner over all weeks, beside the base rate and beside what was in force.

    Parameters
    ----------
    rows : DataFrame
        As `learner_weeks` gives it.

    Returns
    -------
    DataFrame
        In the order of `ORDER`: learner, weeks, n, log_loss; improvement with low and high (log loss below that of the
        base rate, in ten-thousandths an outcome; above 0 is better); top_r with low and high (mean net R of each week's
        most confident 5 %); behind with low and high (top_r of what was in force less the learner's); stability (share
        of weeks in which it beat the base rate); led_week (number of the first week in which belief in it was the
        greatest of all strategies); belief (now). Intervals are 95 %, weeks as units.
    """
    names = [name for name in ORDER if name in set(rows["learner"])]
    by_week = {name: rows[rows["learner"] == name].set_index("date") for name in names}
    led = leaders(rows)
    found = []
    for name in names:
        mine, base, force = by_week[name], by_week[CONSTANT], by_week[IN_FORCE]
        gain = (base["log_loss"] - mine["log_loss"]).dropna()
        weight = mine["n_effective"].reindex(gain.index).to_numpy(np.float64)
        better = _weighted(gain.to_numpy(np.float64) * 1e4, weight)
        top = mine["top_r"].astype(float).dropna()
        behind = (force["top_r"].astype(float) - mine["top_r"].astype(float)).dropna()
        first = led[led == name]
        belief = mine["belief"].astype(float).dropna()
        found.append(
            {
                "learner": name,
                "weeks": len(gain),
                "n": int(mine["n"].sum()),
                "log_loss": float(np.average(mine["log_loss"].to_numpy(np.float64), weights=mine["n_effective"])),
                **_ends("improvement", better),
                **_ends("top_r", _mean(top)),
                **_ends("behind", _mean(behind) if name != IN_FORCE else intervals.UNDEFINED),
                "stability": float((gain > 0).mean()) if name != CONSTANT and len(gain) else np.nan,
                "led_week": _weeks_between(rows["date"].min(), first.index[0]) if len(first) else np.nan,
                "belief": float(belief.iloc[-1]) if len(belief) else np.nan,
            }
        )
    return pd.DataFrame(found).round(DECIMALS)


def leaders(rows: pd.DataFrame) -> pd.Series:
    """Strategy in which belief was greatest at the beginning of each week; index: the Monday on which the week ended.

    Parameters
    ----------
    rows : DataFrame
        As `learner_weeks` gives it.
    """
    wide = beliefs(rows)[list(STRATEGIES)] if len(rows) else pd.DataFrame(columns=list(STRATEGIES))
    return wide.idxmax(axis=1)


def beliefs(rows: pd.DataFrame) -> pd.DataFrame:
    """Belief in each expert at the beginning of each week; index: the Monday on which it ended.

    Parameters
    ----------
    rows : DataFrame
        As `learner_weeks` gives it.
    """
    known = rows[rows["learner"].isin(EXPERTS)]
    wide = known.pivot(index="date", columns="learner", values="belief")
    return wide.reindex(columns=list(EXPERTS)).astype(float)


def threshold_decisions(week: Week) -> pd.DataFrame:
    """Every threshold decision, with what it earned and what each other quantile would have.

    Parameters
    ----------
    week : Week

    Returns
    -------
    DataFrame
        One row a week and regime in which candidates were entered: week (the Monday from which it held), regime, rule,
        value, certified, n (candidates with evidence in favour), chosen (those at or above the threshold), earned (sum
        of their net R), each in outcomes that do not overlap; and for each of `QUANTILES` a column with what that
        quantile of the policy's recent confidence would have earned. Exact, because every candidate is labelled; the
        book's room is not counted. Candidates still open are left out.
    """
    market, rows = week.arrays, []
    for before, after in pairwise(week.seals):
        policy = before.arms[before.champion].policy
        plan, seen = market.plans[policy.exit_plan], market.labelled(policy.regimes)
        entered = entering_rows(seen, plan, since=milliseconds(before.as_of), until=milliseconds(after.as_of))
        scores = score(policy, seen, rows=entered)
        regime = np.repeat(seen.regime[entered].astype(np.int64)[:, None], 2, axis=1)
        known = (plan.known_at[entered] != NEVER) & (scores.consensus > 0) & (scores.agree >= policy.min_heads_agree)
        worth = np.nan_to_num(plan.r_multiple[entered]) * plan.uniqueness[entered]
        for code, name in enumerate(REGIMES):
            here = known & (regime == code)
            if not here.any():
                continue
            threshold = policy.thresholds[name]
            others = np.interp(QUANTILES, SPREAD, policy.spread[code])
            confidence, earned, weight = scores.confidence[here], worth[here], plan.uniqueness[entered][here]
            rows.append(
                {
                    "week": before.as_of,
                    "regime": name,
                    "rule": threshold.rule,
                    "value": threshold.value,
                    "certified": threshold.certified,
                    "n": float(weight.sum()),
                    "chosen": float(weight[confidence >= threshold.value].sum()),
                    "earned": float(earned[confidence >= threshold.value].sum()),
                    **{
                        str(q): float(earned[confidence >= value].sum())
                        for q, value in zip(QUANTILES, others, strict=True)
                    },
                }
            )
    columns = ["week", "regime", "rule", "value", "certified", "n", "chosen", "earned", *map(str, QUANTILES)]
    return pd.DataFrame(rows, columns=columns).round(DECIMALS)


def threshold_regret(decisions: pd.DataFrame) -> pd.DataFrame:
    """What the thresholds of each regime earned over all weeks, beside the best and the worst fixed quantile.

    Parameters
    ----------
    decisions : DataFrame
        As `threshold_decisions` gives it.

    Returns
    -------
    DataFrame
        One row a regime and one for all: regime, weeks, chosen, earned with low and high (R a week, 95 %), best
        (quantile that would have earned most, in hindsight), best_earned, worst_earned (R a week), regret (best less
        earned, R a week).
    """
    parts = [("all", decisions), *((name, decisions[decisions["regime"] == name]) for name in REGIMES)]
    fixed = list(map(str, QUANTILES))
    found = []
    for name, part in parts:
        if part.empty:
            continue
        by_week = part.groupby("week")[["chosen", "earned", *fixed]].sum()
        each = by_week[fixed].mean()
        mean = _mean(by_week["earned"])
        found.append(
            {
                "regime": name,
                "weeks": len(by_week),
                "chosen": float(by_week["chosen"].mean()),
                **_ends("earned", mean),
                "best": str(each.idxmax()),
                "best_earned": float(each.max()),
                "worst_earned": float(each.min()),
                "regret": float(each.max() - mean.value),
            }
        )
    ends = ["earned", "earned_low", "earned_high"]
    columns = ["regime", "weeks", "chosen", *ends, "best", "best_earned", "worst_earned", "regret"]
    return pd.DataFrame(found, columns=columns).round(DECIMALS)


def current_and_suggested(seal: Seal) -> pd.DataFrame:
    """Head weights in force, and what every strategy would make of the same record.

    Parameters
    ----------
    seal : Seal

    Returns
    -------
    DataFrame
        One row a regime and head: regime, head, in_force, and a column a strategy of `STRATEGIES`.
    """
    from edgebook.policy.consensus import head_weights
    from edgebook.settings.recipes import HEAD_LETTERS

    arm = seal.arms[seal.champion]
    each = {name: head_weights(arm.record, strategy=name) for name in STRATEGIES}
    return pd.DataFrame(
        [
            {
                "regime": regime,
                "head": letter,
                "in_force": float(arm.policy.weights[i, j]),
                **{name: float(weights[i, j]) for name, weights in each.items()},
            }
            for i, regime in enumerate(REGIMES)
            for j, letter in enumerate(HEAD_LETTERS)
        ]
    )


def _weighted(values: NDArray[np.float64], weight: NDArray[np.float64]) -> intervals.Interval:
    """Weighted mean over weeks with its interval."""
    if len(values) == 0 or weight.sum() == 0:
        return intervals.UNDEFINED
    mean = float(np.average(values, weights=weight))
    influence = (values - mean) * weight / weight.mean()
    return intervals.smooth_interval(mean, influence=influence, clusters=np.arange(len(values)))


def _mean(values: pd.Series) -> intervals.Interval:
    return intervals.mean_interval(values.to_numpy(np.float64), clusters=np.arange(len(values)))


def _weeks_between(first: pd.Timestamp, later: pd.Timestamp) -> float:
    """Number of the week that ends at `later`, the one that ends at `first` being 1."""
    return (later - first) / pd.Timedelta(weeks=1) + 1.0


def _ends(name: str, found: intervals.Interval) -> dict[str, float]:
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
