"""Entries of recipes.json: a recipe with its part in a history, written when it is admitted and read ever after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgebook.settings.loading import section
from edgebook.settings.params import plain
from edgebook.settings.recipes import Recipe

if TYPE_CHECKING:
    from collections.abc import Mapping


def registered(recipe: Recipe, *, role: str, origin: str, since: str) -> dict[str, Any]:
    """A recipe's entry in recipes.json."""
    return {
        "role": role,
        "title": recipe.title,
        "origin": origin,
        "since": since,
        "until": None,
        "settings": plain(recipe.settings()),
    }


def known_recipe(entry: Mapping[str, Any], name: str) -> Recipe:
    """The recipe that an entry of recipes.json describes."""
    return section(Recipe, dict(entry["settings"]) | {"title": entry["title"]}, where=f"recipes.json: {name}")
