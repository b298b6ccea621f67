"""Tables of the importance report, from a run of `importance_run`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from edgebook.importance.contributions import OVERALL
from edgebook.importance.importance_decisions import decisions_frame, runs_frame
from edgebook.importance.importance_weights import with_weights
from edgebook.indicators import HEADS as HEAD_NAMES
from edgebook.indicators import head_of
from edgebook.regimes.regimes import REGIMES
from edgebook.pages.report import table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.pages.display import Format, Table

_CONTRIBUTION_FORMATS: Final[dict[str, Format]] = {
    "contribution_to_wins": "percent",
    "contribution_to_losses": "percent",
    "difference": "points",
    "importance_score": "points",
    "optimal_weight": "number3",
    "current_weight": "number",
    "suggested_weight": "number",
    "q_value": "p",
}
_CONTRIBUTIONS: Final = [
    "contribution_to_wins", "contribution_to_losses", "difference", "low", "high", "q_value", "importance_score",
    "optimal_weight",
]  # fmt: skip
_SHOWN = "shown", "not shown"
_DECISION_TONES: Final = {"kept": "good", "brought back": "good", "dropped": "bad", "still out": "plain"}
_KEPT_TONES: Final = {"yes": "good", "in part": "wait", "no": "plain"}


def clusters_frame(found: Mapping[str, Any]) -> pd.DataFrame:
    """Return the clusters of a run with their evidence, the smallest p-value first."""
    clusters = pd.DataFrame(found["clusters"])
    clusters["n_members"] = clusters["members"].map(len)
    best = clusters[["p", "tree_p"]].astype(float).min(axis=1).round(9)
    order = clusters.assign(best=best, first=clusters["p"].astype(float)).sort_values(["best", "first", "name"])
    return clusters.loc[order.index].reset_index(drop=True)


def contributions_frame(found: Mapping[str, Any]) -> pd.DataFrame:
    """Return the contributions of a run, one row an indicator and scope."""
    frame = pd.DataFrame(found["contributions"])
    numbers = [column for column in frame.columns if column not in ("indicator", "regime")]
    return frame.astype(dict.fromkeys(numbers, float)).astype({"n": int})


def members_table(found: Mapping[str, Any]) -> Table:
    """Which indicators say the same: clusters of more than one, the largest first; the rest in a line."""
    clusters = clusters_frame(found).sort_values(["n_members", "name"], ascending=[False, True])
    shared = clusters[clusters["n_members"] > 1]
    alone = clusters.loc[clusters["n_members"] == 1, "name"].tolist()
    rows = pd.DataFrame(
        {
            "cluster": shared["name"].to_numpy(),
            "n": shared["n_members"].to_numpy(),
            "members": [", ".join(members) for members in shared["members"]],
        }
    )
    return table(
        rows,
        caption="Indicators that say the same",
        note=f"A cluster bears the name of its medoid. Alone in theirs: {', '.join(alone) or 'none'}.",
    )


def evidence_table(found: Mapping[str, Any]) -> Table:
    """Evidence for every cluster: the linear test, the forest against its null, the verdict."""
    rows = clusters_frame(found).rename(columns={"name": "cluster", "n_members": "n", "tree_p": "forest_p"})
    decisions = decisions_frame(found)
    decided = decisions[decisions["at"] == found["at"]].set_index("cluster")
    rows["decision"], rows["since"] = (rows["cluster"].map(decided[name]) for name in ("decision", "since"))
    columns = [
        "cluster", "n", "r_per_unit", "r_low", "r_high", "z", "p", "q", "gain", "null_q95", "forest_p", "evidence",
        "decision", "since",
    ]  # fmt: skip
    rows = rows[columns]
    rows = rows.astype(dict.fromkeys(columns[2:-3], float))
    rows["gain"], rows["null_q95"] = rows["gain"] * 1e4, rows["null_q95"] * 1e4
    return table(
        rows,
        caption="Does a cluster tell long from short? Evidence, the strongest first",
        note=(
            f"R per unit: R of long less R of short that goes with one standard deviation of the cluster's signal, "
            f"mean over n = {found['days']:,} days; z with a Newey-West error of {found['hac_lags']} lags; q after "
            f"Benjamini and Hochberg. Gain: variance that a forest explains by the cluster, in 1/10,000, and the 95 % "
            f"point of {found['shifts']} circular shifts; forest p is family-wise. A cluster survives at q or forest p "
            f"of at most {found['false_discovery_rate'] / 2:.0%}, half of the error rate each. n: members. Since: the "
            "run from which on most of its members have been in, or out."
        ),
        formats={"r_per_unit": "r", "p": "p", "q": "p", "forest_p": "p"},
        labels={"r_per_unit": "R per unit", "null_q95": "Null 95 %", "forest_p": "Forest p"},
        intervals={"r_per_unit": ("r_low", "r_high")},
        pills={"decision": _DECISION_TONES},  # type: ignore[dict-item]
    )


def runs_table(found: Mapping[str, Any]) -> Table:
    """Every run so far: how many clusters were kept, dropped, brought back."""
    return table(
        runs_frame(found),
        caption="Every run so far, in clusters",
        note="On evidence: passed one of the two tests. Clusters are formed anew at each run; one was in before when "
        "at least half of its members were. Where nothing passes nothing is dropped, and all come back.",
        labels={"at": "Run of", "indicators": "Indicators kept"},
    )


def changes_table(found: Mapping[str, Any], *, top: int = 15) -> Table:
    """Clusters that were dropped or brought back, the latest first, with the evidence of that day."""
    frame = decisions_frame(found)
    changed = frame[frame["decision"].isin(["dropped", "brought back"])].assign(
        best=lambda rows: rows[["p", "forest_p"]].min(axis=1)
    )
    rows = changed.sort_values(["at", "decision", "best", "cluster"], ascending=[False, True, True, True]).head(top)
    columns = ["at", "cluster", "decision", "why", "n", "r_per_unit", "r_low", "r_high", "z", "q", "forest_p"]
    return table(
        rows[columns].reset_index(drop=True),
        caption=f"Dropped and brought back: the latest {len(rows)} of {len(changed)} changes",
        note="R per unit, z, q and forest p as in the table above, as they stood at that run. n: members. The record "
        "of all runs is carried from seal to seal in keep.json.",
        formats={"r_per_unit": "r", "q": "p", "forest_p": "p"},
        labels={"at": "Run of", "r_per_unit": "R per unit", "forest_p": "Forest p"},
        intervals={"r_per_unit": ("r_low", "r_high")},
        pills={"decision": _DECISION_TONES},  # type: ignore[dict-item]
    )


def permutation_table(found: Mapping[str, Any], *, top: int = 10) -> Table:
    """Permutation importance of the clusters at the top, with the band of its null."""
    rows = pd.DataFrame(found["permutation"])
    verdict = {cluster["name"]: cluster["kept"] for cluster in found["clusters"]}
    rows["above_null"] = rows["importance"] > rows["null_high"]
    rows["kept"] = rows["cluster"].map(verdict)
    for column in ("importance", "low", "high", "null_low", "null_high"):
        rows[column] *= 1e4
    return table(
        rows.loc[: top - 1, ["cluster", "importance", "low", "high", "null_low", "null_high", "above_null", "kept"]],
        caption=f"Permutation importance: the {min(top, len(rows))} largest of {len(rows)} clusters (no decision)",
        note="R² lost out of sample when the cluster is shuffled, in 1/10,000; low and high are the range over folds.",
        labels={"null_low": "Null 2.5 %", "null_high": "Null 97.5 %", "above_null": "Above the null"},
        pills={"kept": _KEPT_TONES},  # type: ignore[dict-item]
    )


def contributions_table(found: Mapping[str, Any], weights: pd.DataFrame) -> Table:
    """Every indicator over all regimes: contribution, score, weight in force and suggested.

    Parameters
    ----------
    found : mapping
        A run.
    weights : DataFrame
        As `importance_weights.weights_in_force` gives them.
    """
    frame = with_weights(contributions_frame(found), weights)
    rows = _ranked(frame[frame["regime"] == OVERALL])
    columns = ["indicator", "head", *_CONTRIBUTIONS, "current_weight", "suggested_weight", "n"]
    return table(
        rows[columns].reset_index(drop=True),
        caption=f"Votes on wins and on losses, all {len(rows)} indicators over {found['bars']:,} bars",
        note=(
            "Share of winning and of losing candidates (both sides of every bar) whose side the textbook vote agreed "
            "with; their difference with its interval over week clusters, q over all indicators; importance score is "
            "the difference, shrunk. Current weight: mean over regimes in the policy in force, 1 counts as fitted, n/a "
            "before the first policy or where no head uses the indicator. Suggested: the log-odds of the vote being "
            "right, relative within the head. n: candidates on which it voted."
        ),
        formats=_CONTRIBUTION_FORMATS,
        labels={"q_value": "q"},
        intervals={"difference": ("low", "high")},
    )


def regime_contributions_table(found: Mapping[str, Any], weights: pd.DataFrame, *, top: int = 4) -> Table:
    """Contribution to wins and losses by regime: the best indicators of each, and whether they are shown to be good.

    Parameters
    ----------
    found : mapping
        A run.
    weights : DataFrame
        As `importance_weights.weights_in_force` gives them.
    top : int
        Indicators a regime.
    """
    ranked = _ranked(with_weights(contributions_frame(found), weights))
    rows = pd.concat([ranked[ranked["regime"] == regime].head(top) for regime in REGIMES], ignore_index=True)
    good = (rows["q_value"] <= found["false_discovery_rate"]) & (rows["difference"] > 0)
    rows["it_is"] = good.map({True: _SHOWN[0], False: _SHOWN[1]})
    columns = ["regime", "indicator", "it_is", *_CONTRIBUTIONS, "current_weight", "suggested_weight", "n"]
    return table(
        rows[columns],
        caption=f"The best indicators of each regime: the {top} highest scores",
        note=(
            "As above; a regime's score leans on the indicator's overall score as far as the data ask for it. Shown: "
            f"with the winners at a false-discovery rate of {found['false_discovery_rate']:.0%} over all indicators "
            f"and regimes ({len(ranked[ranked['regime'] != OVERALL])}); otherwise a lead to watch."
        ),
        formats=_CONTRIBUTION_FORMATS,
        labels={"q_value": "q"},
        intervals={"difference": ("low", "high")},
        pills={"it_is": {_SHOWN[0]: "good", _SHOWN[1]: "wait"}},
    )


def _ranked(frame: pd.DataFrame) -> pd.DataFrame:
    """Highest score first."""
    return frame.sort_values(["importance_score", "difference", "indicator"], ascending=[False, False, True])


def heads_table(found: Mapping[str, Any]) -> Table:
    """What is kept and dropped, head by head."""
    dropped = found["dropped"]
    rows = []
    for head, name in HEAD_NAMES.items():
        stays = [indicator for indicator in found["kept"] if head_of(indicator) == head]
        goes = [indicator for indicator in dropped if head_of(indicator) == head]
        rows.append(
            {
                "head": f"{head} {name}",
                "kept": f"{len(stays)} of {len(stays) + len(goes)}",
                "why": "its best, not to be empty" if head in found["heads_kept_from_empty"] else "evidence",
                "kept_indicators": ", ".join(stays) or "none",
                "dropped": ", ".join(goes) or "none",
            }
        )
    frame = pd.DataFrame(rows)
    if not dropped:
        frame = frame.drop(columns=["why", "dropped"])
    return table(frame, caption="Kept and dropped, by head")
