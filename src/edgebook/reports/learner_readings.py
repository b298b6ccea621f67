"""What the learners, the experts and the threshold decisions say in words, computed from their numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.policy.experts import CONSTANT, EXPERTS, MARGIN, regret_bound
from edgebook.reports.learner_tables import TITLES
from edgebook.policy.learners import FROZEN_INDICATORS, FROZEN_PATTERNS, IN_FORCE
from edgebook.pages.report import formatted, interval, prose
from edgebook.policy.vote_strategies import STRATEGIES

if TYPE_CHECKING:
    import pandas as pd

    from edgebook.pages.display import Prose
    from edgebook.settings.recipes import Recipe
    from edgebook.seals.seals import Seal

FROZEN_TWINS = {"equal": "head weights", FROZEN_INDICATORS: "indicator weights", FROZEN_PATTERNS: "pattern effects"}


def learners_reading(found: pd.DataFrame, *, recipe: Recipe) -> Prose:
    """Say which learners helped, which hurt, and of which neither is shown.

    Parameters
    ----------
    found : DataFrame
        As `learner_record.learner_table` gives it.
    recipe : Recipe
        In force.
    """
    if found.empty:
        return prose("No week has passed yet: nothing can be said of the learners.")
    rows = found.set_index("learner").to_dict("index")
    whole = rows[IN_FORCE]
    said = (
        f"As it was in force the loop's log loss was {_side(whole['improvement'])} the base rate's by "
        f"{abs(whole['improvement']):.1f} ten-thousandths (95 % "
        f"{interval(whole['improvement_low'], whole['improvement_high'], 'number')}; "
        f"{_verdict(whole['improvement_low'], whole['improvement_high'])}), and its most confident 5 % made "
        f"{formatted(whole['top_r'], 'r')} each."
    )
    twins = []
    for name, part in FROZEN_TWINS.items():
        if name not in rows or (name == "equal" and recipe.head_weights == "equal"):
            continue
        row = rows[name]
        change = whole["improvement"] - row["improvement"]
        twins.append(
            f"without **{part}** the log loss would have been {abs(change):.1f} ten-thousandths "
            f"{'higher' if change > 0 else 'lower'} and the top 5 % {formatted(abs(row['behind']), 'r')} "
            f"{'behind' if row['behind'] > 0 else 'ahead'} (95 % of the difference "
            f"{interval(row['behind_low'], row['behind_high'], 'r')}; "
            f"{_verdict(row['behind_low'], row['behind_high'])})"
        )
    off = [
        name
        for name, on in (
            ("indicator weights", recipe.indicator_weights != "equal"),
            ("pattern effects", recipe.patterns != "off"),
            ("feature selection", recipe.features != "all"),
        )
        if not on
    ]
    left = f" Off in this recipe: {', '.join(off)}." if off else ""
    return prose(said, f"{_sentence('; '.join(twins))}{left}")


def experts_reading(found: pd.DataFrame, *, seal: Seal, recipe: Recipe) -> Prose:
    """Say which strategy is in force, which one leads, and why.

    Parameters
    ----------
    found : DataFrame
        As `learner_record.learner_table` gives it.
    seal : Seal
        The last.
    recipe : Recipe
        In force.
    """
    arm = seal.arms[seal.champion]
    shares = arm.record.beliefs.shares
    best = max(STRATEGIES, key=lambda name: shares[name])
    rows = found.set_index("learner").to_dict("index")
    why = ""
    if best in rows:
        row = rows[best]
        why = (
            f", its log loss {_side(row['improvement'])} the base rate's by {abs(row['improvement']):.1f} "
            "ten-thousandths over all weeks; belief counts the last ones most"
        )
    bound = regret_bound(7 * max(arm.record.weeks, 1), changes=0)
    follows = (
        f"The recipe follows the leader, which changes when belief in another is {MARGIN:g} times its own: "
        f"**{TITLES[arm.policy.strategy]}** is in force."
        if recipe.head_weights == "meta"
        else f"The recipe names its strategy, **{TITLES[arm.policy.strategy]}**; following the leader is a recipe of "
        "its own (head_weights: meta)."
    )
    constant = shares[CONSTANT]
    said = (
        f"After the last week belief is greatest in **{TITLES[best]}** ({shares[best] * 100:.0f} %{why}). The base "
        f"rate, which knows nothing, holds {constant * 100:.0f} %"
        + (
            ": no strategy has shown to say more than it does"
            if constant >= max(shares[name] for name in EXPERTS)
            else ""
        )
        + "."
    )
    cost = (
        f"The mixture of the experts by these beliefs, over whole days, loses at most {bound:.1f} in log loss more "
        f"than the base rate over all {arm.record.weeks} weeks, in outcomes that do not overlap; following one of them "
        "is measured, not promised."
    )
    return prose(said, f"{follows} {cost}")


def regret_reading(found: pd.DataFrame, *, recipe: Recipe) -> Prose:
    """Say what threshold decisions earned and what better ones would have.

    Parameters
    ----------
    found : DataFrame
        As `learner_record.threshold_regret` gives it.
    recipe : Recipe
        In force.
    """
    rules = {"certified": "certificates, and a fixed quantile where there is none", "bandit": "Thompson sampling",
             "rule": "the plain rule"}  # fmt: skip
    if found.empty:
        return prose(f"Thresholds are set by {rules[recipe.thresholds]}. No decision has come to its end yet.")
    row = found.set_index("regime").to_dict("index")["all"]
    share = (1 - float(row["best"])) * 100
    return prose(
        f"Thresholds are set by **{rules[recipe.thresholds]}**. Over {int(row['weeks'])} weeks they let through "
        f"{formatted(row['earned'], 'r')} a week (95 % {interval(row['earned_low'], row['earned_high'], 'r')}). With "
        f"the top {share:g} % throughout, the best fixed choice in hindsight, it would have been "
        f"{formatted(row['best_earned'], 'r')}; with the worst, {formatted(row['worst_earned'], 'r')}."
    )


def _side(value: float) -> str:
    return "below" if value > 0 else "above"


def _verdict(low: float, high: float) -> str:
    if not (np.isfinite(low) and np.isfinite(high)):
        return "too early"
    return "shown" if low > 0 else ("it hurts" if high < 0 else "not shown")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else "Nothing is learned between fits in this recipe."
