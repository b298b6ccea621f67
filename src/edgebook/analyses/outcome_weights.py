"""What the policies made of the outcomes: weights of heads and effects of patterns, in force and learned since.

In force is what the champion's policy held when the week began; suggested is what its record says at the week's end,
for a recipe that learns nothing too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.indicators import HEADS
from edgebook.policy import consensus
from edgebook.policy.pattern_effects import pattern_effects
from edgebook.policy.plan_outcomes import REGIMES
from edgebook.settings.recipes import HEAD_LETTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgebook.arms.arms import Arm
    from edgebook.policy.policy import Policy
    from edgebook.seals.week import Week

DECIMALS = 4
OFF = "off"


def arms_of_week(week: Week) -> tuple[Policy, Arm]:
    """The champion's policy in force during a week, and its arm as it was sealed at the end.

    Parameters
    ----------
    week : Week
        Of its first seal, both are of that seal.
    """
    arm = week.seal.arms[week.champion]
    before = week.seals[-2].arms if len(week.weeks) > 1 else {}
    return before.get(week.champion, arm).policy, arm


def head_weights(policy: Policy, arm: Arm) -> pd.DataFrame:
    """Weight of each head by regime, in force and suggested.

    Parameters
    ----------
    policy : Policy
        In force.
    arm : Arm
        Its record suggests.

    Returns
    -------
    DataFrame
        One row a regime and head: regime, head (letter and title), current_weight, suggested_weight: as the strategy
        in force reads the record, by regime where the recipe weighs all alike.
    """
    strategy = "by_regime" if arm.policy.strategy == "equal" else arm.policy.strategy
    suggested = consensus.head_weights(arm.record, strategy=strategy)
    return pd.DataFrame(
        {
            "regime": np.repeat(REGIMES, len(HEAD_LETTERS)),
            "head": [f"{letter} {HEADS[letter]}" for letter in HEAD_LETTERS] * len(REGIMES),
            "current_weight": policy.weights.ravel(),
            "suggested_weight": suggested.ravel(),
        }
    ).round(DECIMALS)


def effects_of_patterns(policy: Policy, arm: Arm) -> pd.DataFrame:
    """Effect of each pattern on the consensus by regime, in force and learned since, in log-odds.

    Parameters
    ----------
    policy : Policy
        In force.
    arm : Arm
        Its record holds what was learned.

    Returns
    -------
    DataFrame
        Index: pattern. Columns: effect_in_force and effect_learned, each the four regimes of `REGIMES` in one text,
        "+0.02 / 0.00 / −0.01 / +0.05"; "off" where the policy does not hear patterns.
    """
    learned = pattern_effects(arm.record.patterns)
    names = sorted(learned.keys() | policy.pattern_effects.keys())
    return pd.DataFrame(
        {
            "effect_in_force": [
                _text(policy.pattern_effects, name) if policy.pattern_effects else OFF for name in names
            ],
            "effect_learned": [_text(learned, name) for name in names],
        },
        index=pd.Index(names, name="pattern", dtype=object),
    )


def heads_by_regime(cells: pd.DataFrame, weights: pd.DataFrame) -> pd.DataFrame:
    """Put what the signals of each head made beside its weight, regime by regime.

    Parameters
    ----------
    cells : DataFrame
        As `outcome_cells.report_cells` gives them.
    weights : DataFrame
        As `head_weights` gives it.

    Returns
    -------
    DataFrame
        One row a regime and head, in the order of `weights`: its columns, then signals_contributed (closed ones with
        which it agreed), win_rate_when_agreed (raw) with `_low` and `_high`, shrunk_win_rate with `_low` and `_high`,
        q_value and badge; no signal is n 0 and missing rates.
    """
    own = cells[cells["kind"] == "head × regime"].rename(
        columns={
            "n": "signals_contributed",
            "win_rate": "win_rate_when_agreed",
            "win_rate_low": "win_rate_when_agreed_low",
            "win_rate_high": "win_rate_when_agreed_high",
        }
    )
    rates = [f"{rate}{end}" for rate in ("win_rate_when_agreed", "shrunk_win_rate") for end in ("", "_low", "_high")]
    columns = ["regime", "head", "signals_contributed", *rates, "q_value", "badge"]
    found = weights.merge(own[columns], on=["regime", "head"], how="left", validate="one_to_one")
    return found.assign(
        signals_contributed=found["signals_contributed"].fillna(0).astype(int), badge=found["badge"].fillna("")
    )


def _text(effects: Mapping[str, NDArray[np.float64]], name: str) -> str:
    """Four log-odds in one text."""
    from edgebook.files.formats import formatted

    own = effects.get(name, np.zeros(len(REGIMES)))
    return " / ".join(formatted(float(value), "signed") for value in own)
