"""Who is next for the challenger's slot: proposals by hand, then what the tuning study proposes, in its order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from edgebook.settings.loading import section
from edgebook.settings.params import plain
from edgebook.settings.recipes import Recipe

if TYPE_CHECKING:
    from collections.abc import Mapping

STUDY = "study/study.json"


class Proposal(NamedTuple):
    """A recipe that asks for the slot.

    Parameters
    ----------
    name : str or None
        The one that params.yaml gives it; None for a study's, which gets the next free one.
    origin : str
    recipe : Recipe
    used : str or None
        What is to be remembered once it has had its turn: study and number; None for a proposal by hand.
    stale : bool
        It differs in one thing from a champion that is no longer in force.
    """

    name: str | None
    origin: str
    recipe: Recipe
    used: str | None
    stale: bool = False


def waiting(
    written: Mapping[str, Recipe],
    attachments: Mapping[str, str],
    *,
    known: Mapping[str, Mapping[str, object]],
    champion: str,
    used: str | None,
) -> list[Proposal]:
    """Proposals that have not had their turn, in order.

    Parameters
    ----------
    written : mapping of str to Recipe
        Those of params.yaml that may be admitted by now.
    attachments : mapping of str to str
        With the study in force, if there is one.
    known : mapping of str to mapping
        Settings of the history's recipes.
    champion : str
        Name of the recipe in force.
    used : str or None
        Study and number of the last of its proposals that had its turn, e.g. ``2018-07-02#1``.
    """
    queue = [
        Proposal(name, "proposed by hand", recipe, None)
        for name, recipe in written.items()
        if recipe.role == "proposal" and name not in known
    ]
    if STUDY not in attachments:
        return queue
    study = json.loads(attachments[STUDY])
    of_study, _, number = (used or "").partition("#")
    rows = study.get("proposals", [])
    turns = int(number or len(rows)) if of_study == study["as_of"] else 0
    outdated = study.get("recipe") != known[champion]
    for turn, row in enumerate(rows[turns:], start=turns + 1):
        origin = row["origin"]
        recipe = section(Recipe, row["settings"] | {"title": row["title"]}, where=f"study.json: proposal {turn}")
        queue.append(
            Proposal(
                None,
                f"{origin} of {study['as_of']}",
                recipe,
                f"{study['as_of']}#{turn}",
                stale=outdated and origin != "tuning",
            )
        )
    return queue


def refusal(proposal: Proposal, *, known: Mapping[str, Mapping[str, object]]) -> tuple[str, str] | None:
    """Why a proposal is not admitted, as recipe and words of the event; None where it is fresh."""
    same = next((name for name, settings in known.items() if settings == plain(proposal.recipe.settings())), None)
    if same is not None:
        return same, f"{proposal.origin}: the proposal is {same} again"
    if proposal.stale:
        return "proposal", f"{proposal.origin}: it differs in one thing from a champion that is no longer in force"
    return None
