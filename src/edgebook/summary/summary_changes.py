"""What changed in the policies since last week: recipes, thresholds, weights, indicators, the study in force."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.figures.figures import words
from edgebook.files.formats import formatted
from edgebook.importance.importance_run import SEALED_NAME
from edgebook.loop.proposals import STUDY
from edgebook.policy.market import REGIMES
from edgebook.settings.recipes import HEAD_LETTERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edgebook.policy.policy import Policy
    from edgebook.seals.seals import Seal

MOST = 5
"""Of the largest moves that are named."""
NAMED = 12
"""Indicators that a line names one by one; of more it gives the first and the count."""


def policy_changes(previous: Seal, seal: Seal) -> list[str]:
    """What differs between the policy in force last week and the one in force now, a sentence each.

    Parameters
    ----------
    previous, seal : Seal
        Of two weeks, the earlier first.

    Returns
    -------
    list of str
        Plain text; names of heads and indicators come from the catalogue. Never empty.
    """
    before, after = previous.arms[previous.champion].policy, seal.arms[seal.champion].policy
    lines = _recipes(previous, seal)
    if before.recipe != after.recipe:
        lines.append(f"Below, the policy of {after.recipe} is held against that of {before.recipe}.")
    lines += _thresholds(before, after) + _head_weights(before, after) + _indicator_weights(before, after)
    lines += _pattern_effects(before, after) + _fits(before, after)
    lines += importance_changes(previous.attachments, seal.attachments, selecting=_selecting(seal))
    lines += _study(previous, seal)
    return lines or ["Nothing: the policy is the one of last week, to the last digit."]


def importance_changes(previous: Mapping[str, str], now: Mapping[str, str], *, selecting: Sequence[str]) -> list[str]:
    """What the importance run of this week dropped and brought back; empty where none was due.

    Parameters
    ----------
    previous, now : mapping of str to str
        Attachments of two seals.
    selecting : sequence of str
        Running recipes that fit on what a run kept; the others use what they used before.
    """
    if SEALED_NAME not in now or now[SEALED_NAME] == previous.get(SEALED_NAME):
        return []
    run = json.loads(now[SEALED_NAME])
    whom = f" (heeded by {', '.join(selecting)})" if selecting else " (no running recipe heeds it)"
    if SEALED_NAME not in previous:
        return [f"First importance run: {len(run['kept'])} indicators kept, {len(run['dropped'])} dropped{whom}."]
    old = json.loads(previous[SEALED_NAME])
    dropped = [name for name in run["dropped"] if name in set(old["kept"])]
    back = [name for name in run["kept"] if name in set(old["dropped"])]
    total = len(run["kept"]) + len(run["dropped"])
    line = f"New importance run of {run['at']}: {len(run['kept'])} of {total} indicators kept{_on_evidence(run)}"
    if not dropped and not back:
        return [f"{line}, the same as before{whom}."]
    parts = [f"dropped {_listed(dropped)}" if dropped else "", f"brought back {_listed(back)}" if back else ""]
    return [f"{line}; {'; '.join(part for part in parts if part)}{whom}."]


def _on_evidence(run: Mapping[str, Any]) -> str:
    """How many clusters an importance run has evidence for; what is kept beside them only keeps heads from emptying."""
    clusters = run.get("clusters", [])
    if not clusters:
        return ""
    shown = sum(cluster["evidence"] != "none" for cluster in clusters)
    return f" ({shown} of {len(clusters)} clusters on evidence)"


def _selecting(seal: Seal) -> list[str]:
    return [name for name in seal.arms if seal.recipes[name]["settings"]["features"] == "selected"]


def _recipes(previous: Seal, seal: Seal) -> list[str]:
    """Recipes that are new, each by what it differs from the champion in; and those that have ended."""
    lines = []
    base = seal.recipes[seal.champion]["settings"]
    for name, entry in seal.recipes.items():
        if name not in previous.recipes:
            own = entry["settings"]
            differs = [f"{key} {_value(own[key])} (champion: {_value(base.get(key))})" for key in own
                       if own[key] != base.get(key)]  # fmt: skip
            said = "; ".join(differs) if differs else "the champion's settings"
            lines.append(f"Recipe {name} was added ({entry['origin']}): {said}.")
    ended = [n for n, e in seal.recipes.items() if e["until"] and not previous.recipes.get(n, {"until": "-"})["until"]]
    if ended:
        lines.append(f"Recipe{'s' if len(ended) > 1 else ''} {', '.join(ended)} ended.")
    return lines


def _thresholds(before: Policy, after: Policy) -> list[str]:
    """The largest moves of thresholds, and each certificate won or lost."""
    lines, moves = [], []
    for regime in REGIMES:
        old, new = before.thresholds[regime], after.thresholds[regime]
        if new.certified != old.certified:
            now = "is certified now" if new.certified else "is no longer certified"
            lines.append(f"The threshold in {words(regime)} {now}: {old.value:.3f} to {new.value:.3f}.")
        elif new.value != old.value:
            moves.append((abs(new.value - old.value), f"{words(regime)} {old.value:.3f} to {new.value:.3f}"))
    if moves:
        lines.append(f"Thresholds: {', '.join(text for _, text in _largest(moves))}.")
    return lines


def _head_weights(before: Policy, after: Policy) -> list[str]:
    if np.array_equal(before.weights, after.weights):
        return []
    names = [f"{letter} ({words(letter_name(letter))})" for letter in HEAD_LETTERS]
    return _moved("Head weights", names, before=before.weights.T, after=after.weights.T)


def letter_name(letter: str) -> str:
    """Name of a head by its letter, as figures call it.

    Examples
    --------
    >>> letter_name("A")
    'HEAD_A'
    """
    return f"HEAD_{letter}"


def _indicator_weights(before: Policy, after: Policy) -> list[str]:
    old, new = before.indicator_weights, after.indicator_weights
    names = sorted(old.keys() | new.keys())
    if not names:
        return []
    one = np.ones(len(REGIMES))  # as fitted
    return _moved(
        "Weights of indicators within their heads",
        names,
        before=np.array([old.get(name, one) for name in names]),
        after=np.array([new.get(name, one) for name in names]),
    )


def _pattern_effects(before: Policy, after: Policy) -> list[str]:
    old, new = before.pattern_effects, after.pattern_effects
    names = sorted(old.keys() | new.keys())
    if not names:
        return []
    none = np.zeros(len(REGIMES))
    return _moved(
        "Effects of patterns, in log-odds",
        [words(name) for name in names],
        before=np.array([old.get(name, none) for name in names]),
        after=np.array([new.get(name, none) for name in names]),
    )


def _moved(title: str, names: Sequence[str], *, before: NDArray[np.float64], after: NDArray[np.float64]) -> list[str]:
    """The largest moves of a table with a row a name and a column a regime; regimes that move alike are one."""
    moves = []
    for name, old, new in zip(names, before, after, strict=True):
        alike = len(set(old.tolist())) == 1 and len(set(new.tolist())) == 1
        places = [(0, "")] if alike else [(i, f" in {words(regime)}") for i, regime in enumerate(REGIMES)]
        moves += [
            (abs(float(new[i] - old[i])), f"{name}{where} {_two(old[i])} to {_two(new[i])}")
            for i, where in places
            if _two(old[i]) != _two(new[i])
        ]
    if not moves:
        return []
    chosen = _largest(moves)
    rest = f"; {len(moves) - len(chosen)} smaller moves" if len(moves) > len(chosen) else ""
    return [f"{title}: {', '.join(text for _, text in chosen)}{rest}."]


def _fits(before: Policy, after: Policy) -> list[str]:
    if after.fitted == before.fitted and after.recipe == before.recipe:
        return [f"The heads are those fitted on {after.fitted}."] if after.learned != after.fitted else []
    used = {name for head in after.heads.values() for name in head.indicators}
    line = f"The heads were fitted again on {after.fitted}"
    had = {name for head in before.heads.values() for name in head.indicators}
    left, came = sorted(had - used), sorted(used - had)
    parts = [f"without {_listed(left)}" if left else "", f"with {_listed(came)} anew" if came else ""]
    told = ", ".join(part for part in parts if part)
    return [f"{line}{', ' + told if told else ', on the same ' + formatted(len(used), 'integer') + ' indicators'}."]


def _study(previous: Seal, seal: Seal) -> list[str]:
    text = seal.attachments.get(STUDY)
    if text is None or text == previous.attachments.get(STUDY):
        return []
    study: dict[str, Any] = json.loads(text)
    proposals = [str(row["title"]) for row in study.get("proposals", [])]
    said = f"proposes {len(proposals)} recipe{'' if len(proposals) == 1 else 's'}" if proposals else "proposes nothing"
    return [f"New tuning study of {study['as_of']}: it {said}."]


def _two(value: float) -> str:
    return formatted(float(value), "number")


def _largest(moves: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    return sorted(moves, key=lambda move: (-round(move[0], 9), move[1]))[:MOST]


def _listed(names: Sequence[str]) -> str:
    if len(names) <= NAMED:
        return ", ".join(names)
    return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"{len(value)} indicators" if value else "none"
    return "all" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
