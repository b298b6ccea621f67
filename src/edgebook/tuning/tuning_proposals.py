"""What a study proposes: recipes in the order in which the free slot of a challenger is offered to them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edgebook.settings.params import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.settings.recipes import Recipe


def proposals(
    champion: Recipe,
    *,
    tuned: Recipe | None,
    kept: Sequence[str] | None,
    head: Mapping[str, Any] | None,
    as_of: str,
) -> list[dict[str, Any]]:
    """Recipes that differ from the champion in one thing each: its settings, its indicators, a single head.

    Parameters
    ----------
    champion : Recipe
    tuned : Recipe or None
        The best of the search, where it may be proposed.
    kept : sequence of str or None
        Indicators that the importance run in force keeps; None for all of them.
    head : mapping or None
        Head and level whose improvement is shown (`edgebook.tuning.tuning_heads.Alternatives.chosen`).
    as_of : str

    Returns
    -------
    list of mapping
        origin ("tuning", "selection", "head B"), title, settings.

    Examples
    --------
    >>> from edgebook.settings.recipes import Recipe
    >>> head = {"head": "B", "level": 300.0}
    >>> queue = proposals(
    ...     Recipe(exit_plan="tp2.0_sl1.5_t24"), tuned=None, kept=["rsi_14"], head=head, as_of="2018-07-02"
    ... )
    >>> [(row["origin"], row["title"]) for row in queue]
    [('selection', 'selected indicators 2018-07-02'), ('head B', 'head B: shrinkage 300')]
    >>> queue[1]["settings"]["head_shrinkage"]
    {'B': 300.0}
    """
    queue: list[tuple[str, Recipe]] = []
    if champion.refit_weeks == 0:
        champion = replace(champion, refit_weeks=1)  # what never refits could follow neither a keep-list nor a penalty
    if tuned is not None:
        queue.append(("tuning", tuned))
    if kept and champion.features == "all":
        queue.append(("selection", replace(champion, features="selected", title=f"selected indicators {as_of}")))
    if head is not None:
        letter, level = head["head"], head["level"]
        other = replace(
            champion,
            head_shrinkage=champion.head_shrinkage | {letter: level},
            title=f"head {letter}: shrinkage {level:g}",
        )
        queue.append((f"head {letter}", other))
    return [{"origin": origin, "title": recipe.title, "settings": plain(recipe.settings())} for origin, recipe in queue]


def searched(recipe: Recipe, *, kept: Sequence[str] | None) -> Recipe:
    """The recipe with the indicators that its fits may use now: how its trials are scored.

    Parameters
    ----------
    recipe : Recipe
    kept : sequence of str or None
        Indicators that the importance run in force keeps; None for all of them.
    """
    if recipe.features == "all" or not kept:
        return recipe
    allowed = [name for name in kept if recipe.indicators is None or name in recipe.indicators]
    return replace(recipe, indicators=tuple(allowed))
