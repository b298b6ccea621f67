"""Pictures of the importance report, from a run of `importance_run`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.importance.contributions import OVERALL
from edgebook.figures.figures import HAIR, Picture, canvas, colour, picture
from edgebook.pages.figures_palette import PALE
from edgebook.figures.figures_rates import draw_bars, rows_height_in
from edgebook.figures.figures_search import draw_clusters
from edgebook.figures.figures_states import draw_states
from edgebook.importance.importance_decisions import decisions_frame, timeline_frame
from edgebook.reports.importance_tables import clusters_frame, contributions_frame

if TYPE_CHECKING:
    from collections.abc import Mapping


def correlation_picture(found: Mapping[str, Any]) -> Picture:
    """Draw the rank correlations of all indicators, cluster by cluster."""
    names = found["correlation"]["names"]
    matrix = pd.DataFrame(found["correlation"]["rows"], index=names, columns=names)
    cluster_of = {member: i for i, cluster in enumerate(found["clusters"]) for member in cluster["members"]}
    figure, (ax,) = canvas(height_in=6.6)
    draw_clusters(matrix, ax=ax, clusters=[cluster_of[name] for name in names], title="Indicators that say the same")
    caption = f"{len(names)} indicators in {len(found['clusters'])} clusters (framed), n = {found['bars']:,} bars."
    return picture(figure, caption=caption)


def line_picture(found: Mapping[str, Any]) -> Picture:
    """Draw R per unit of each cluster's signal with its interval."""
    rows = clusters_frame(found).dropna(subset=["r_per_unit"])
    shown = pd.DataFrame(
        {
            "label": rows["name"],
            "value": rows["r_per_unit"].astype(float),
            "low": rows["r_low"].astype(float),
            "high": rows["r_high"].astype(float),
            "kept": rows["evidence"].isin(["line", "both"]),
        }
    )
    figure, (ax,) = canvas(height_in=rows_height_in(len(shown)))
    draw_bars(shown, ax=ax, title="What each cluster's signal goes with", unit="R of long less R of short, per unit")
    caption = (
        f"95 % intervals with Newey-West errors over n = {found['days']:,} days, one cluster at a time; bold and blue: "
        "survives the correction for all of them."
    )
    return picture(figure, caption=caption)


def forest_picture(found: Mapping[str, Any]) -> Picture:
    """Draw what a forest gains from each cluster over what it gains from shifted outcomes."""
    rows = clusters_frame(found)
    shown = pd.DataFrame(
        {
            "label": rows["name"],
            "value": rows["gain"].astype(float) * 100,
            "null_low": rows["null_q05"].astype(float) * 100,
            "null_high": rows["null_q95"].astype(float) * 100,
            "kept": rows["evidence"].isin(["forest", "both"]),
        }
    )
    figure, (ax,) = canvas(height_in=rows_height_in(len(shown)))
    label = f"5 to 95 % of {found['shifts']} circular shifts"
    draw_bars(shown, ax=ax, title="What a forest gains", unit="variance explained, %", null_label=label)
    caption = (
        f"In-sample gain on n = {found['forest_rows']:,} bars: above zero for anything, so the grey band is what to "
        "compare with; bold and blue: survives the comparison with the largest of each shift."
    )
    return picture(figure, caption=caption)


def permutation_picture(found: Mapping[str, Any], *, top: int = 20) -> Picture:
    """Draw permutation importance under purged folds over the band of its null."""
    rows = pd.DataFrame(found["permutation"]).head(top)
    shown = pd.DataFrame({"label": rows["cluster"], "value": rows["importance"] * 100})
    for column in ("low", "high", "null_low", "null_high"):
        shown[column] = rows[column] * 100
    shown["kept"] = rows["importance"] > rows["null_high"]
    figure, (ax,) = canvas(height_in=rows_height_in(len(shown)))
    draw_bars(
        shown, ax=ax, title="Permutation importance: a picture, not evidence", unit="R² lost when shuffled, % points",
        null_label="95 % of all clusters on shifted outcomes",
    )  # fmt: skip
    caption = (
        f"The {len(shown)} largest of {len(found['permutation'])} clusters; lines span the purged walk-forward folds; "
        "blue: above the band."
    )
    return picture(figure, caption=caption)


def contributions_picture(found: Mapping[str, Any], *, top: int = 12) -> Picture:
    """Draw how much more often votes agreed with winners than with losers."""
    frame = contributions_frame(found)
    rows = frame[frame["regime"] == OVERALL].sort_values(
        ["importance_score", "difference", "indicator"], ascending=[False, False, True]
    )
    if len(rows) > 2 * top:
        rows = pd.concat([rows.head(top), rows.tail(top)])
    shown = rows.rename(columns={"indicator": "label", "difference": "value"})[["label", "value", "low", "high"]]
    shown = shown.assign(kept=(shown["low"] > 0) | (shown["high"] < 0))
    figure, (ax,) = canvas(height_in=rows_height_in(len(shown)))
    unit = "agreement on wins less on losses"
    draw_bars(shown, ax=ax, title="Whose vote was with the winners?", unit=unit, percent=True)
    caption = (
        f"The {len(shown)} highest and lowest of {frame['indicator'].nunique()} indicators before shrinking; 95 % "
        "intervals over week clusters, one indicator at a time; blue: leaves out zero."
    )
    return picture(figure, caption=caption)


def decisions_picture(found: Mapping[str, Any]) -> Picture:
    """Draw when each cluster of the last run was in, on what, and when it was out."""
    states = timeline_frame(found)
    figure, (ax,) = canvas(height_in=rows_height_in(len(states)))
    draw_states(
        states, ax=ax, title="Clusters in and out, run by run",
        shades={"evidence": colour("champion"), "kept": PALE, "out": HAIR},
        labels={"evidence": "in, on evidence", "kept": "in, for another reason", "out": "out"},
    )  # fmt: skip
    members = int(decisions_frame(found).query("at == @found['at']")["n"].sum())
    caption = (
        f"The {len(states)} clusters of {found['at']} ({members} indicators) followed back over {states.shape[1]} "
        f"run{'s' if states.shape[1] > 1 else ''}; in: at least half of the members were kept. Another reason: nothing "
        "survived, so that all stayed, or the head would have been empty."
    )
    return picture(figure, caption=caption)
