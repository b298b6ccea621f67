"""What is ablated: every learner of a recipe, each value it may take, and the value at which it is frozen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from edgebook.evidence.evidence_arms import ORACLE, TOLD, without_learners
from edgebook.settings.recipes import Strategy

if TYPE_CHECKING:
    from edgebook.settings.recipes import Recipe

FULL, FROZEN, REFIT = "full_loop", "frozen_first_policy", "refit_only"
QUANTILE = "quantile"
"""Thresholds without a certificate: the recipe's quantile in every regime, nothing learned."""
STRATEGIES = tuple(name for name in get_args(Strategy) if name != "equal")


@dataclass(frozen=True)
class Learner:
    """One part of the loop that can be switched.

    Parameters
    ----------
    field : str
        Of the recipe.
    title : str
        For tables.
    frozen : str
        Value at which it learns nothing.
    values : tuple of str
        At which it learns, the baseline first.
    """

    field: str
    title: str
    frozen: str
    values: tuple[str, ...]


HEAD_WEIGHTS = Learner("head_weights", "head weights", "equal", STRATEGIES)
LEARNERS = (
    HEAD_WEIGHTS,
    Learner("indicator_weights", "indicator weights", "equal", STRATEGIES),
    Learner("patterns", "pattern effectiveness", "off", ("effectiveness",)),
    Learner("thresholds", "thresholds", QUANTILE, ("rule", "certified", "bandit")),
    Learner("features", "features", "all", ("selected",)),
    Learner("regimes", "regimes", "rule", ("hmm",)),
)


@dataclass(frozen=True)
class Variant:
    """One arm of the evidence.

    Parameters
    ----------
    name : str
    recipe : Recipe
    arm : {"recipe", "oracle", "told_the_heads"}
        How it runs.
    certify : bool
        False: no threshold is ever certified.
    """

    name: str
    recipe: Recipe
    arm: Literal["recipe", "oracle", "told_the_heads"] = "recipe"
    certify: bool = True

    @property
    def needs_truth(self) -> bool:
        """Whether it runs only where the truth is known."""
        return self.arm != "recipe"


def value_of(recipe: Recipe, learner: Learner) -> str:
    """Value of a learner in a recipe."""
    return str(getattr(recipe, learner.field))


def name_of(recipe: Recipe, learner: Learner, value: str) -> str:
    """Name of the variant in which one learner has another value; the full loop where the recipe has it anyway."""
    return FULL if value_of(recipe, learner) == value else f"{learner.field}={value}"


def variants(recipe: Recipe) -> dict[str, Variant]:
    """Every arm that the evidence runs for a recipe, by name.

    Parameters
    ----------
    recipe : Recipe
        The full loop.

    Returns
    -------
    dict of str to Variant
        The full loop, the frozen first policy, weekly refits with every learner frozen, each learner at each of its
        values in the full loop, and the two oracles.

    Examples
    --------
    >>> from edgebook.settings.recipes import Recipe
    >>> made = variants(Recipe(exit_plan="tp2.0_sl1.5_t24", head_weights="steps"))
    >>> "head_weights=steps" in made, "head_weights=equal" in made
    (False, True)
    """
    refit = Variant(REFIT, replace(without_learners(recipe), thresholds="certified"), certify=False)
    made = [Variant(FULL, recipe), Variant(FROZEN, replace(recipe, refit_weeks=0)), refit]
    for learner in LEARNERS:
        for value in (learner.frozen, *learner.values):
            name = name_of(recipe, learner, value)
            if name == FULL:
                continue
            if value == QUANTILE:
                made.append(Variant(name, replace(recipe, thresholds="certified"), certify=False))
            else:
                changed: dict[str, Any] = {learner.field: value}
                made.append(Variant(name, replace(recipe, **changed)))
    made += [Variant(TOLD, recipe, arm="told_the_heads"), Variant(ORACLE, recipe, arm="oracle")]
    return {variant.name: variant for variant in made}
