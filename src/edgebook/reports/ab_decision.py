"""The week's decision in words, and the conclusion of the A/B report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.files.formats import more_or_less
from edgebook.analyses.power import edge_in_a_year
from edgebook.pages.report import callout, formatted, interval, prose

if TYPE_CHECKING:
    import pandas as pd

    from edgebook.analyses.ab_trials import Comparison, Settings
    from edgebook.pages.display import Callout, Format, Prose
    from edgebook.seals.week import Week


def decision(week: Week, found: Comparison, evidence: pd.DataFrame, *, settings: Settings) -> Prose:
    """Say what was decided this week, and why.

    Parameters
    ----------
    week : Week
    found : Comparison
    evidence : DataFrame
        As `ab_report.evidence` gives it.
    settings : Settings
    """
    said = f"**Decision of {week.seal.as_of}: {_verdict(week, found, settings=settings)}**"
    if not len(found.days):
        return prose(said, "No paired day has been seen yet.")
    rows = evidence.set_index("hypothesis")
    books, candidates = rows.loc["books"], rows.loc["all candidates"]
    band = interval(books["mean_low"], books["mean_high"], "r")
    holds = "holds 0" if books["mean_low"] <= 0 <= books["mean_high"] else "leaves 0 out"
    peak = found.days.iloc[int(found.days["wealth"].to_numpy().argmax())]
    carries = "the books" if books["wealth"] > candidates["wealth"] else "the scores of all candidates"
    alone = (
        f"The books alone stand at {books['wealth']:.2f}, the scores of all candidates at {candidates['wealth']:.2f}"
    )
    stronger = f": what evidence there is comes from {carries}." if found.wealth > 1 else "."
    return prose(
        said,
        f"Over {len(found.days):,} paired days {found.arm}'s book made {more_or_less(rows['mean']['books'])} than "
        f"{found.against}'s (95 % {band}); the interval {holds}. Wealth ended at {found.wealth:.2f} and was highest on "
        f"{peak['date']:%Y-%m-%d}, at {peak['wealth']:.2f}; the bar is {found.bar:g}. {alone}{stronger}",
        _cut(evidence),
    )


def conclusion(
    week: Week, found: Comparison, evidence: pd.DataFrame, table: pd.DataFrame, *, settings: Settings
) -> Callout:
    """Answer the report's question.

    Parameters
    ----------
    week : Week
    found : Comparison
    evidence, table : DataFrame
        As `ab_report.evidence` and `power.power_table` give them.
    settings : Settings
    """
    verdict = _verdict(week, found, settings=settings)
    said = verdict[:1].upper() + verdict[1:]
    if not len(found.days):
        return callout(said, "There is no evidence yet, for or against.")
    books = evidence[evidence["hypothesis"] == "books"].iloc[0]
    edge = edge_in_a_year(table)
    seen = f"An edge of {formatted(edge, 'r')} a day would be promoted within a year in at least half of cases."
    return callout(
        said,
        f"{found.arm} against {found.against}: {_rate(books, 'mean')} over {len(found.days):,} paired days, wealth "
        f"{found.wealth:.2f} of {found.bar:g}.",
        seen if np.isfinite(edge) else "No edge of the size looked at would show within a year.",
    )


def _verdict(week: Week, found: Comparison, *, settings: Settings) -> str:
    """The week's decision as a clause."""
    made, champion = week.seal.head["decision"], week.champion
    action, recipe = made["action"], made.get("recipe", "")
    wealth, bar = made.get("wealth"), made.get("bar")
    reached = f"wealth {wealth:.2f}, bar {bar:g}" if wealth is not None else ""
    if action == "keep":
        left = max(0, settings.learning.trial_weeks - len(found.days) // 7)
        more = (
            f" Its evidence would have to grow {bar / wealth:,.1f}-fold; {left} weeks are left." if wealth > 0 else ""
        )
        return f"keep {champion}; not enough evidence for {recipe} ({reached}).{more}"
    if action == "no challenger":
        return f"keep {champion}; no challenger stands.{_last(found)}{_why_empty(week)}"
    simple = {
        "begin": f"the history begins with {champion}; nothing to decide yet.",
        "promote": f"promote {recipe} ({reached}).",
        "recommend": f"{recipe} reached the bar ({reached}); it waits for approval.",
        "retire": f"retire {recipe} and keep {champion} ({reached}){_unapproved(week)}.",
        "roll back": f"roll back to {recipe} ({reached}).",
        "pin": f"{recipe} was set by hand: {made.get('reason', '')}.",
    }
    return simple[action]


def _unapproved(week: Week) -> str:
    """Why a challenger was retired that had reached the bar."""
    texts = [e["text"] for e in week.seal.head["events"] if e["kind"] == "retired" and "approved" in e["text"]]
    return f": {texts[0]}" if texts else ""


def _last(found: Comparison) -> str:
    if found.kind != "promotion" or found.running or not found.arm:
        return ""
    ended = f"ended on {found.until} ({found.outcome}) at wealth {found.wealth:.2f} of {found.bar:g}"
    return f" The last, {found.arm}, {ended}."


def _why_empty(week: Week) -> str:
    """Why nobody stands in the slot, from the last event that says so."""
    for head in reversed(week.heads):
        for event in reversed(head["events"]):
            if event["kind"] in ("waiting", "not admitted"):
                return f" {event['text'][:1].upper()}{event['text'][1:]} ({head['as_of']})."
            if event["kind"] in ("admitted", "promoted", "rolled back", "pinned"):
                return " No proposal has come since."
    return " No proposal has come yet."


def _cut(evidence: pd.DataFrame) -> str:
    """What bounding the differences has cost."""
    rows = evidence[evidence["cut"].notna()]
    if not (rows["cut"] > 0).any():
        return "The bounds cut no day."
    cut = [f"{formatted(row['cut'], 'percent')} of days ({row['hypothesis']})" for _, row in rows.iterrows()]
    flips = rows[np.sign(rows["mean"]) * np.sign(rows["counted"]) < 0]["hypothesis"].tolist()
    turned = f" For {', '.join(flips)} it turns the sign of the mean: read the raw difference." if flips else ""
    return f"The bounds cut {' and '.join(cut)}.{turned}"


def _rate(row: pd.Series, name: str, how: Format = "r") -> str:
    """Value with its interval in brackets."""
    return f"{formatted(row[name], how)} a day (95 % {interval(row[f'{name}_low'], row[f'{name}_high'], how)})"
