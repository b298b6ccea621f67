"""Settings that changed since last week, as `dvc params diff` names them, from what the two weeks sealed.

A seal keeps the settings that its week was learned by: sizing, gate, costs, A/B test, drift and recipes by value, those
of an importance run and of a tuning study with their results, and everything that the loop reads as one fingerprint.
Nothing is asked of git, so that the same seals give the same text anywhere.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from edgebook.importance.importance_run import SEALED_NAME
from edgebook.loop.proposals import STUDY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.seals.seals import Seal

MISSING = "none"
_IMPORTANCE = {"false_discovery_rate": "importance.false_discovery_rate", "shifts": "importance.shifts"}
_TUNING = {"tpe": "tuning.trials", "sobol": "tuning.sobol", "seed": "tuning.seed", "batch": "tuning.batch"}


class Change(NamedTuple):
    """One setting, by its path in params.yaml, before and now."""

    key: str
    before: str
    now: str


def settings_changes(previous: Seal, seal: Seal) -> list[Change]:
    """Settings whose sealed values differ between two weeks, by key.

    Parameters
    ----------
    previous, seal : Seal
        Of two weeks, the earlier first.

    Returns
    -------
    list of Change
        Values as JSON. A recipe that a person wrote is one row, with its origin for a value, as its settings never
        change; one that the tuning proposed is not a setting.
    """
    before, now = sealed_settings(previous), sealed_settings(seal)
    # An importance run or a study is sealed when it is due; where only one week has one, nothing was set anew.
    common = {key for key in before.keys() | now.keys() if not key.startswith(("importance.", "tuning."))}
    common |= before.keys() & now.keys()
    return [
        Change(key, before.get(key, MISSING), now.get(key, MISSING))
        for key in sorted(common)
        if before.get(key) != now.get(key)
    ]


def unnamed_change(previous: Seal, seal: Seal) -> bool:
    """Whether the fingerprint of the loop's settings moved by something that seals keep no value of.

    That is a setting of `learning` other than pins and approvals. The fingerprint covers no proposals, no importance
    and no tuning.
    """
    moved = previous.head["fingerprints"]["parameters"] != seal.head["fingerprints"]["parameters"]
    elsewhere = ("importance.", "tuning.", "recipes.")
    return moved and all(change.key.startswith(elsewhere) for change in settings_changes(previous, seal))


def sealed_settings(seal: Seal) -> dict[str, str]:
    """Every setting whose value a seal keeps, by its path in params.yaml, as JSON."""
    settings = dict(seal.head["settings"])
    cost = settings.pop("cost")
    found = _flat(settings)
    found["candidates: fee_bps + slippage_bps"] = _json(round(float(cost) * 1e4, 6))
    for name, entry in seal.recipes.items():
        if entry["origin"] in ("genesis", "proposed by hand"):
            found[f"recipes.{name}"] = str(entry["origin"])  # its settings never change
    for attachment, keys, part in ((SEALED_NAME, _IMPORTANCE, None), (STUDY, _TUNING, "budget")):
        if attachment in seal.attachments:
            document = json.loads(seal.attachments[attachment])
            values: Mapping[str, Any] = document.get(part, {}) if part else document
            found |= {name: _json(values[key]) for key, name in keys.items() if key in values}
    return found


def _flat(settings: Mapping[str, Any], *, before: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in settings.items():
        path = f"{before}{key}"
        found |= _flat(value, before=f"{path}.") if isinstance(value, dict) else {path: _json(value)}
    return found


def _json(value: object) -> str:
    """Write a value alike whether it was a whole number or a float with nothing behind the point."""
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    return json.dumps(whole, sort_keys=True)
