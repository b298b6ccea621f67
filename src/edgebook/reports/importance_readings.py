"""What the importance report says in words: computed from its numbers, the undecided case too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.importance.contributions import OVERALL
from edgebook.importance.importance_decisions import DECISIONS, decisions_frame, kept_by_run, runs_frame
from edgebook.reports.importance_tables import clusters_frame, contributions_frame
from edgebook.regimes.regimes import REGIMES
from edgebook.pages.report import callout, formatted, interval, prose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.pages.display import Callout, Prose


def window(found: Mapping[str, Any], *, as_of: str, every_weeks: int) -> Prose:
    """Say when it was measured, on what, and when the next run is due."""
    weeks = (pd.Timestamp(as_of) - pd.Timestamp(found["at"])).days // 7
    due = pd.Timestamp(found["at"]) + pd.Timedelta(weeks=every_weeks)
    basis = (
        f"Measured on {found['at']} on {found['bars']:,} bars of {found['days']:,} days, under exit plan "
        f"`{found['exit_plan']}`, with outcomes known by then."
    )
    if weeks == 0:
        return prose(basis, f"The next run is due on {due:%Y-%m-%d}.")
    noun = "week" if weeks == 1 else "weeks"
    return prose(
        basis, f"That is {weeks} {noun} ago: nothing was re-run this week. The next run is due on {due:%Y-%m-%d}."
    )


def clusters_reading(found: Mapping[str, Any]) -> Prose:
    """Say how many different things the indicators say."""
    clusters = clusters_frame(found)
    largest = clusters.sort_values(["n_members", "name"], ascending=[False, True]).iloc[0]
    total, alone = int(clusters["n_members"].sum()), int((clusters["n_members"] == 1).sum())
    return prose(
        f"{total} indicators say {len(clusters)} different things. The largest cluster, around `{largest['name']}`, "
        f"holds {largest['n_members']} of them; {alone} stand alone. Within a cluster importance would only be "
        "passed from twin to twin, so the cluster is what is tested."
    )


def line_reading(found: Mapping[str, Any]) -> Prose:
    """Say what the linear test shows."""
    clusters = clusters_frame(found)
    rate = found["false_discovery_rate"] / 2
    passed = clusters[clusters["evidence"].isin(["line", "both"])]
    raw = int((clusters["p"].astype(float) <= 0.05).sum())
    best = clusters.sort_values(["p", "name"]).iloc[0]
    head = (
        f"{raw} of {len(clusters)} clusters have a p-value of at most 5 % on their own, where "
        f"{0.05 * len(clusters):.1f} would by chance; {_survive(len(passed))} the correction at {rate:.0%}."
    )
    effect = (
        f"The strongest is `{best['name']}`: one standard deviation of its signal goes with "
        f"{formatted(best['r_per_unit'], 'r')} between long and short (95 % interval "
        f"{interval(best['r_low'], best['r_high'], 'r')}, z = {formatted(best['z'], 'number')}, q = "
        f"{formatted(best['q'], 'p')}, n = {found['days']:,} days)."
    )
    return prose(head, effect)


def forest_reading(found: Mapping[str, Any]) -> Prose:
    """Say what the forest finds beyond its null."""
    clusters = clusters_frame(found)
    passed = clusters.loc[clusters["evidence"].isin(["forest", "both"]), "name"].tolist()
    above = int((clusters["gain"].astype(float) > clusters["null_q95"].astype(float)).sum())
    names = f": {', '.join(f'`{name}`' for name in passed)}" if passed else ""
    return prose(
        f"{above} of {len(clusters)} clusters gain more than the 95 % point of their own {found['shifts']} shifts, "
        f"where {0.05 * len(clusters):.1f} would by chance; {_survive(len(passed))} the comparison "
        f"with the largest of each shift{names}."
    )


def permutation_reading(found: Mapping[str, Any]) -> Prose:
    """Say what the picture of permutation importance would have led to."""
    rows = pd.DataFrame(found["permutation"])
    mean = int((rows["importance"] > rows["importance"].mean()).sum())
    above = rows.loc[rows["importance"] > rows["null_high"], "cluster"].tolist()
    names = f" ({', '.join(f'`{name}`' for name in above)})" if above else ""
    r2, null = float(rows["r2"].iloc[0]), float(rows["null_r2"].iloc[0])
    skill = "It predicts" if r2 > 0 else "It does not predict"
    return prose(
        f"The forest's R² on unseen weeks is {r2 * 100:.2f} % (on shifted outcomes {null * 100:.2f} %). {skill} the "
        "outcome better than its mean does. ".replace("-", "−"),
        f"“Above the mean” would keep {mean} of {len(rows)} clusters whatever the data; {len(above)} "
        f"{'lies' if len(above) == 1 else 'lie'} above the band of the null{names}. This is a picture of one model, "
        "not evidence: the decision does not use it.",
    )


def contributions_reading(found: Mapping[str, Any]) -> Prose:
    """Say which votes were with the winners, overall and by regime."""
    frame = contributions_frame(found)
    overall = frame[frame["regime"] == OVERALL]
    clear = overall[(overall["low"] > 0) | (overall["high"] < 0)]
    with_winners = int((clear["difference"] > 0).sum())
    first = (
        f"{len(clear)} of {len(overall)} indicators have an interval that leaves out zero, {with_winners} of them on "
        f"the winners' side; {0.05 * len(overall):.1f} would by chance, and neighbours share their luck. After "
        f"shrinking the scores run from {formatted(float(overall['importance_score'].min()), 'points')} to "
        f"{formatted(float(overall['importance_score'].max()), 'points')}."
    )
    rate = found["false_discovery_rate"]
    by_regime = frame[frame["regime"] != OVERALL]
    known = by_regime[(by_regime["q_value"] <= rate) & (by_regime["difference"] > 0)]
    parts = []
    for regime in REGIMES:
        own = by_regime[by_regime["regime"] == regime].sort_values(
            ["importance_score", "difference", "indicator"], ascending=[False, False, True]
        )
        shown = own[own.index.isin(known.index)]
        best = (shown if len(shown) else own).iloc[0]
        name = f"`{best['indicator']}` ({formatted(float(best['importance_score']), 'points')})"
        more = f" and {len(shown) - 1} more" if len(shown) > 1 else ""
        said = f"{name}{more}" if len(shown) else "none"
        ahead = f", ahead: {name}" if not len(shown) and best["importance_score"] > 0 else ""
        parts.append(f"{regime.replace('_', ' ')}: {said}{ahead}")
    return prose(
        first,
        f"Shown to be with the winners of a regime at {rate:.0%}: {len(known)} of {len(by_regime)} indicators by "
        f"regime. {'; '.join(parts)}.",
    )


def decisions_reading(found: Mapping[str, Any]) -> Prose:
    """Say what the run dropped, kept and brought back, and what the runs before it did."""
    frame = decisions_frame(found)
    runs = runs_frame(found)
    last = frame[frame["at"] == found["at"]]
    parts = []
    for decision in DECISIONS:
        own = last[last["decision"] == decision].sort_values(["n", "cluster"], ascending=[False, True])
        named = ", ".join(f"`{name}`" for name in own["cluster"].head(4))
        more = f" and {len(own) - 4} more" if len(own) > 4 else ""
        parts.append(f"{decision} {len(own)}" + (f" ({named}{more})" if len(own) else ""))
    said = [f"{found['at']}: {'; '.join(parts)}."]
    if len(runs) == 1:
        return prose(*said, "It is the first run; before it all were in.")
    kept = kept_by_run(found["decisions"])
    always = set.intersection(*kept.values())
    never = {name for cluster in found["clusters"] for name in cluster["members"]} - set[str]().union(*kept.values())
    changes = int(runs["dropped"].iloc[1:].sum() + runs["brought_back"].iloc[1:].sum())
    said.append(
        f"Over {len(runs)} runs since {runs['at'].iloc[0]} {len(always)} indicators were kept every time, "
        f"{len(never)} never; clusters changed sides {changes} times after the first run. A choice that keeps "
        "changing rests on evidence that is near its bar."
    )
    return prose(*said)


def _survive(count: int) -> str:
    """Count and verb."""
    return f"{count} {'survives' if count == 1 else 'survive'}"


def conclusion(found: Mapping[str, Any]) -> Callout:
    """Say what is kept, what is dropped and why."""
    clusters = clusters_frame(found)
    survivors = clusters[clusters["evidence"] != "none"]
    named = [f"`{name}` ({evidence})" for name, evidence in zip(survivors["name"], survivors["evidence"], strict=True)]
    meaning = (
        "A cluster that is not kept has not been shown to be useless: it has not been shown to be useful. The list "
        "changes no policy by itself; a recipe that uses it has to win its trial."
    )
    return callout(found["reading"], f"Surviving clusters: {', '.join(named) or 'none'}.", meaning)
