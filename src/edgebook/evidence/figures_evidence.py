"""Pictures of the evidence: what each learner adds to R a week, and how an arm follows an edge that moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.evidence.known_switch import REGAINED, ROLLING_WEEKS, WITHIN_WEEKS
from edgebook.figures.figures import INK, SOFT, Bitmap, canvas, colour, line_colours, png, styled
from edgebook.figures.figures_axes import legend_above, titled

if TYPE_CHECKING:
    from collections.abc import Mapping

CURVES = {"full_loop": "full loop", "steps": "steps of ±0.01", "equal": "equal", "log_odds_fast": "log-odds, fast"}


def evidence_pictures(found: Mapping[str, Any]) -> dict[str, Bitmap]:
    """All figures, by the name of their file."""
    return {"learners": learners_picture(found), "switch": switch_picture(found)}


def captions(found: Mapping[str, Any]) -> dict[str, str]:
    """What each figure shows, by the name of its file."""
    several = max((row["markets"] for row in found["rows"]), default=0)
    return {
        "learners": "R a week that each learner adds to the full loop over its frozen twin, with 95 % intervals: over "
        f"{several} markets each of known truth, over weeks on the real ones.",
        "switch": "Share of what an arm told the heads has over the frozen policy in mean R of the most confident 5 %, "
        f"over {ROLLING_WEEKS} weeks and all switching markets. The edge moves at the dotted line; the bar is "
        f"{REGAINED:.0%} within {WITHIN_WEEKS} weeks.",
    }


@styled
def learners_picture(found: Mapping[str, Any]) -> Bitmap:
    """Draw the gains in R a week, one panel a market."""
    markets = list(dict.fromkeys(row["market"] for row in found["rows"]))
    names = list(dict.fromkeys(f"{row['learner']}: {row['value']}" for row in found["rows"]))
    figure, axes = canvas(height_in=0.6 + 0.19 * len(names), columns=max(len(markets), 1), share_y=True)
    for ax, market in zip(axes, markets, strict=False):
        rows = [row for row in found["rows"] if row["market"] == market]
        height = np.array([-names.index(f"{row['learner']}: {row['value']}") for row in rows], dtype=np.float64)
        value, low, high = (
            np.array([row[f"r_week_gain{end}"] for row in rows], dtype=np.float64) for end in ("", "_low", "_high")
        )
        ax.hlines(height, low, high, color=SOFT, linewidth=1.2)
        ax.plot(value, height, "o", color=colour("champion"), markersize=3.5)
        ax.axvline(0.0, color=INK, linewidth=0.8)
        ax.set_yticks([-float(i) for i in range(len(names))], names, fontsize=7)
        ax.set_xlabel("R a week")
        titled(ax, market.replace("_", " "))
    return png(figure, caption=captions(found)["learners"])


@styled
def switch_picture(found: Mapping[str, Any]) -> Bitmap:
    """Draw the rolling share of the oracle's advantage."""
    switch = found["studies"]["switch"]
    figure, (ax,) = canvas(height_in=3.2)
    shown = [name for name in CURVES if name in switch["curves"]]
    for name, shade in zip(shown, line_colours(shown), strict=True):
        share = np.array([np.nan if x is None else x for x in switch["curves"][name]], dtype=np.float64)
        ax.plot(np.arange(1, len(share) + 1), np.clip(share, -1.0, 2.0), color=shade, label=CURVES[name])
    ax.axhline(REGAINED, color=INK, linewidth=0.8, linestyle="--")
    ax.axvline(switch["week"], color=SOFT, linewidth=0.8, linestyle=":")
    ax.set_xlabel("weeks from genesis")
    ax.set_ylabel("share of the advantage")
    legend_above(ax)
    titled(ax, "After the edge has moved from D to H", legend_rows=1)
    return png(figure, caption=captions(found)["switch"])
