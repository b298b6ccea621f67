"""Tables of the importance report, from a run of `importance_run`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from edgebook.contributions import OVERALL
from edgebook.indicators import CATALOGUE
from edgebook.indicators import HEADS as HEAD_NAMES
from edgebook.regimes import REGIMES
from edgebook.report import table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.display import Format, Table

_CONTRIBUTION_FORMATS: Final[dict[str, Format]] = {
    "contribution_to_wins": "percent",
    "contribution_to_losses": "percent",
    "difference": "points",
    "importance_score": "points",
    "optimal_weight": "number3",
}
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
    columns = [
        "cluster", "n", "r_per_unit", "r_low", "r_high", "z", "p", "q", "gain", "null_q95", "forest_p", "evidence",
        "kept",
    ]  # fmt: skip
    rows = rows[columns]
    rows = rows.astype(dict.fromkeys(columns[2:-2], float))
    rows["gain"], rows["null_q95"] = rows["gain"] * 1e4, rows["null_q95"] * 1e4
    return table(
        rows,
        caption="Does a cluster tell long from short? Evidence, the strongest first",
        note=(
            f"R per unit: R of long less R of short that goes with one standard deviation of the cluster's signal, "
            f"mean over n = {found['days']:,} days; z with a Newey-West error of {found['hac_lags']} lags; q after "
            f"Benjamini and Hochberg. Gain: variance that a forest explains by the cluster, in 1/10,000, and the 95 % "
            f"point of {found['shifts']} circular shifts; forest p is family-wise. A cluster survives at q or forest p "
            f"of at most {found['false_discovery_rate'] / 2:.0%}, half of the error rate each. n: members."
        ),
        formats={"r_per_unit": "r", "p": "p", "q": "p", "forest_p": "p"},
        labels={"r_per_unit": "R per unit", "null_q95": "Null 95 %", "forest_p": "Forest p"},
        intervals={"r_per_unit": ("r_low", "r_high")},
        pills={"kept": _KEPT_TONES},  # type: ignore[dict-item]
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


def contributions_table(found: Mapping[str, Any], *, top: int = 8) -> Table:
    """Contribution to wins and losses over all regimes: the indicators with the highest and the lowest scores."""
    frame = contributions_frame(found)
    rows = frame[frame["regime"] == OVERALL].sort_values(
        ["importance_score", "difference", "indicator"], ascending=[False, False, True]
    )
    if len(rows) > 2 * top:
        rows = pd.concat([rows.head(top), rows.tail(top)])
    return table(
        rows.drop(columns=["regime", "n_effective"]).reset_index(drop=True),
        caption=f"Votes on wins and on losses: the {top} highest and the {top} lowest scores of {found['bars']:,} bars",
        note=(
            "Share of winning and of losing candidates (both sides of every bar) whose side the textbook vote agreed "
            "with; their difference with its interval over week clusters; importance score is the difference, shrunk; "
            "optimal weight the log-odds of a vote being right. n: candidates on which it voted."
        ),
        formats=_CONTRIBUTION_FORMATS,
        intervals={"difference": ("low", "high")},
    )


def regime_contributions_table(found: Mapping[str, Any], *, top: int = 3) -> Table:
    """Contribution to wins and losses by regime: the best indicators of each."""
    frame = contributions_frame(found)
    ranked = frame.sort_values(["importance_score", "difference", "indicator"], ascending=[False, False, True])
    rows = pd.concat([ranked[ranked["regime"] == regime].head(top) for regime in REGIMES], ignore_index=True)
    columns = [
        "regime", "indicator", "contribution_to_wins", "contribution_to_losses", "difference", "low", "high",
        "importance_score", "optimal_weight", "n",
    ]  # fmt: skip
    return table(
        rows[columns],
        caption=f"Votes on wins and on losses by regime: the {top} highest scores of each",
        note="As above; a regime's score leans on the indicator's overall score as far as the data ask for it.",
        formats=_CONTRIBUTION_FORMATS,
        intervals={"difference": ("low", "high")},
    )


def heads_table(found: Mapping[str, Any]) -> Table:
    """What is kept and dropped, head by head."""
    kept, dropped = set(found["kept"]), set(found["dropped"])
    rows = []
    for head, name in HEAD_NAMES.items():
        own = [indicator.name for indicator in CATALOGUE if indicator.head == head]
        stays = [indicator for indicator in own if indicator in kept]
        goes = [indicator for indicator in own if indicator in dropped]
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
