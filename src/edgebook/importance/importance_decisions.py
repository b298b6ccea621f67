"""The decisions on clusters over time: kept, dropped, brought back or still out, since when and on what evidence.

Clusters are formed anew at every run, so that their names and members move. What a cluster was before is read from its
members: it was in when at least half of the indicators that it holds now were kept then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEPT, DROPPED, BROUGHT_BACK, STILL_OUT = "kept", "dropped", "brought back", "still out"
DECISIONS: Final = (KEPT, DROPPED, BROUGHT_BACK, STILL_OUT)
ON_EVIDENCE: Final = ("line", "forest", "both")


def dated_decisions(
    found: Mapping[str, Any], *, earlier: Sequence[Mapping[str, Any]], heads: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Decisions of one run, after those of the runs before it.

    Parameters
    ----------
    found : mapping
        What `importance.keep_list` returns.
    earlier : sequence of mapping
        What this function returned at the last run; empty at the first, before which every indicator is in.
    heads : mapping of str to str
        Letter of the head that each indicator belongs to.

    Returns
    -------
    list of dict
        JSON-able: `earlier`, then one row a cluster: at, cluster, decision (of `DECISIONS`), since (date of the first
        run of the unbroken row of runs in which it was in, or out), why ("line", "forest", "both": the test that it
        passed; "no evidence"; "nothing survives", where all stay; "best of head A", which would be empty), kept and out
        (its members that stay and go), r_per_unit with r_low and r_high, z, p, q, forest_p.
    """
    runs = kept_by_run(earlier)
    stays = set(found["kept"])
    survived = any(cluster["evidence"] in ON_EVIDENCE for cluster in found["clusters"])
    rows = []
    for cluster in found["clusters"]:
        members = cluster["members"]
        kept = [name for name in members if name in stays]
        is_in = _mostly(members, stays)
        was_in = _mostly(members, next(reversed(runs.values()))) if runs else True
        since = found["at"]
        for at, then in reversed(runs.items()):
            if _mostly(members, then) != is_in:
                break
            since = at
        decision = (KEPT if was_in else BROUGHT_BACK) if is_in else (DROPPED if was_in else STILL_OUT)
        rows.append(
            {
                "at": found["at"],
                "cluster": cluster["name"],
                "decision": decision,
                "since": since,
                "why": _why(cluster, kept, survived=survived, heads=heads),
                "kept": kept,
                "out": [name for name in members if name not in stays],
                **{name: cluster[name] for name in ("r_per_unit", "r_low", "r_high", "z", "p", "q")},
                "forest_p": cluster["tree_p"],
            }
        )
    return [*map(dict, earlier), *rows]


def kept_by_run(decisions: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    """Indicators that each run kept, by its date, in order."""
    runs: dict[str, set[str]] = {}
    for row in decisions:
        runs.setdefault(row["at"], set()).update(row["kept"])
    return runs


def decisions_frame(found: Mapping[str, Any]) -> pd.DataFrame:
    """Decisions of all runs up to one, as a frame; n counts the cluster's members."""
    frame = pd.DataFrame(found["decisions"])
    numbers = ["r_per_unit", "r_low", "r_high", "z", "p", "q", "forest_p"]
    return frame.assign(n=frame["kept"].map(len) + frame["out"].map(len)).astype(dict.fromkeys(numbers, float))


def runs_frame(found: Mapping[str, Any]) -> pd.DataFrame:
    """Count the decisions of each run.

    Parameters
    ----------
    found : mapping
        A run as it is sealed.

    Returns
    -------
    DataFrame
        One row a run, in order of time: at, clusters, on_evidence (clusters that passed a test), kept, dropped,
        brought_back, still_out (clusters), indicators (kept).
    """
    frame = decisions_frame(found)
    rows = []
    for at, own in frame.groupby("at", sort=True):
        counts = {decision.replace(" ", "_"): int((own["decision"] == decision).sum()) for decision in DECISIONS}
        passed = int(own["why"].isin(ON_EVIDENCE).sum())
        indicators = int(own["kept"].map(len).sum())
        rows.append({"at": at, "clusters": len(own), "on_evidence": passed, **counts, "indicators": indicators})
    return pd.DataFrame(rows)


def timeline_frame(found: Mapping[str, Any]) -> pd.DataFrame:
    """Follow the clusters of the last run back through all runs.

    Parameters
    ----------
    found : mapping
        A run as it is sealed.

    Returns
    -------
    DataFrame
        Index: name of each cluster of the last run, those that are in first. Columns: dates of the runs. Values:
        "evidence" (in, at least half of its members in clusters that passed a test), "kept" (in for another reason) or
        "out".
    """
    frame = decisions_frame(found)
    last = frame[frame["at"] == frame["at"].max()]
    states: dict[str, list[str]] = {}
    for at, own in frame.groupby("at", sort=True):
        kept = {name for names in own["kept"] for name in names}
        proven = {name for names in own.loc[own["why"].isin(ON_EVIDENCE), "kept"] for name in names}
        states[str(at)] = [
            ("evidence" if _mostly(members, proven) else "kept") if _mostly(members, kept) else "out"
            for members in last["kept"] + last["out"]
        ]
    table = pd.DataFrame(states, index=last["cluster"].tolist())
    rank = {"evidence": 0, "kept": 1, "out": 2}
    order = table.map(rank.__getitem__).assign(name=table.index, n=-last["n"].to_numpy())
    return table.loc[order.sort_values([table.columns[-1], *table.columns[-2::-1], "n", "name"]).index]


def _mostly(members: Sequence[str], kept: set[str]) -> bool:
    """Whether at least half of some indicators are kept."""
    return 2 * sum(name in kept for name in members) >= len(members)


def _why(cluster: Mapping[str, Any], kept: Sequence[str], *, survived: bool, heads: Mapping[str, str]) -> str:
    """Reason for the decision."""
    if cluster["evidence"] in ON_EVIDENCE:
        return str(cluster["evidence"])
    if not survived:
        return "nothing survives"
    if not kept:
        return "no evidence"
    letters = ", ".join(sorted({heads[name] for name in kept}))
    return f"best of head {letters}" if len(letters) == 1 else f"best of heads {letters}"
