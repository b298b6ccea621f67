"""Weights of the indicators beside the evidence for them: what is in force, and what the votes would suggest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.importance.contributions import OVERALL
from edgebook.indicators import CATALOGUE, head_of
from edgebook.policy.indicator_weights import ANCHOR, LARGEST
from edgebook.policy.plan_outcomes import REGIMES

if TYPE_CHECKING:
    from edgebook.policy.policy import Policy
    from edgebook.seals.week import Week

DECIMALS = 4


def weights_in_force(week: Week) -> pd.DataFrame:
    """Weights of the indicators in the champion's policy that is in force in a week.

    Parameters
    ----------
    week : Week
        Its own seal is not read: the policy is that of the seal before.

    Returns
    -------
    DataFrame
        As `policy_weights` gives it; no row before the first seal.
    """
    before = replace(week, run=replace(week.run, as_of=week.run.previous))
    if not before.weeks:
        return pd.DataFrame({"indicator": [], "regime": [], "current_weight": []}).astype({"current_weight": float})
    return policy_weights(before.seal.arms[before.champion].policy)


def policy_weights(policy: Policy) -> pd.DataFrame:
    """Weights of the indicators in a policy, overall and by regime.

    Parameters
    ----------
    policy : Policy

    Returns
    -------
    DataFrame
        One row an indicator and scope ("overall", the mean over regimes, then `REGIMES`): indicator, regime,
        current_weight. 1 counts as fitted; NaN where no head uses the indicator.
    """
    used = {name for head in policy.heads.values() for name in head.indicators}
    one = np.ones(len(REGIMES))
    rows = []
    ours = [indicator.name for indicator in CATALOGUE]
    for name in (*ours, *sorted(used.difference(ours))):
        own = policy.indicator_weights.get(name, one) if name in used else one * np.nan
        for scope, weight in zip((OVERALL, *REGIMES), (float(np.mean(own)), *own), strict=True):
            rows.append((name, scope, float(weight)))
    return pd.DataFrame(rows, columns=["indicator", "regime", "current_weight"]).round(DECIMALS)


def with_weights(contributions: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Put the weight in force and the suggested one beside each indicator's contribution.

    Parameters
    ----------
    contributions : DataFrame
        As `contributions.vote_contributions` gives them.
    current : DataFrame
        As `policy_weights` gives it.

    Returns
    -------
    DataFrame
        The same rows with head (letter), current_weight and suggested_weight.

    Notes
    -----
    Suggested: ``(w + 0.05) / mean of (w + 0.05) over the indicators of the head``, at most 3, with w the optimal weight
    in the scope: the scale of the weights in force, on which 1 counts as fitted. Those are learned from what each
    indicator said within its head, this one from its textbook vote, so that the two need not agree.
    """
    found = contributions.merge(current, on=["indicator", "regime"], how="left", validate="one_to_one")
    found = found.assign(head=found["indicator"].map(head_of))
    anchored = found["optimal_weight"] + ANCHOR
    relative = anchored / anchored.groupby([found["regime"], found["head"]]).transform("mean")
    return found.assign(suggested_weight=relative.clip(upper=LARGEST).round(DECIMALS))
