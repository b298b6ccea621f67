"""The champion, how it came to be, and what it is made of, as the dashboard's document has it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from edgebook.analyses.learning_curve import CHANGES
from edgebook.analyses.policy_history import threshold_evidence
from edgebook.arms.drift_words import KIND as DRIFT
from edgebook.dashboard.dashboard_numbers import number
from edgebook.statistics.thresholds import MIN_WEEKS

if TYPE_CHECKING:
    from edgebook.seals.week import Week


def champion_document(week: Week) -> dict[str, Any]:
    """Version, settings, thresholds and lineage of the champion.

    Parameters
    ----------
    week : Week

    Returns
    -------
    dict
        version, recipe, title, since (Monday of its last promotion, or of the first seal); settings (name and value);
        thresholds (of the policy in force, with what candidates above each have made); lineage (every event of a
        recipe, oldest first) and champions (version in force after each week).
    """
    recipe = week.champion
    entry = week.seal.recipes[recipe]
    heads = week.heads
    since = heads[0]["as_of"]
    for before, head in pairwise(heads):
        if head["champion"] != before["champion"]:
            since = head["as_of"]
    return {
        "version": week.champion_version,
        "recipe": recipe,
        "title": str(entry["title"]),
        "since": str(since),
        "settings": [[str(name), _setting(value)] for name, value in entry["settings"].items()],
        "thresholds": [
            {
                "regime": str(row["regime"]),
                "value": number(row["value"], 4),
                "certified": bool(row["certified"]),
                "weeks_certified": int(row["weeks_certified"]),
                "mean_r": number(row["mean_r"]),
                "low": number(row["low"]),
                "high": number(row["high"]),
                "n": int(row["n"]),
                "weeks": int(row["weeks"]),
            }
            for row in threshold_evidence(week.seals).to_dict("records")
        ],
        "weeks_to_certify": MIN_WEEKS,
        "lineage": [
            {
                "as_of": str(head["as_of"]),
                "recipe": str(event["recipe"]),
                "event": str(event["kind"]),
                "text": str(event["text"]),
                "change": event["kind"] in CHANGES,
            }
            for head in heads
            for event in head["events"]
            if event["kind"] != DRIFT
        ],
        "champions": [{"as_of": str(head["as_of"]), "version": str(head["champion_version"])} for head in heads],
    }


def _setting(value: Any) -> Any:
    """A setting as JSON holds it: numbers, text and truth as they are, anything else as text."""
    return value if isinstance(value, bool | int | float | str) else str(value)
