"""Pictures of the runs of the loop: false promotions by rule, promotions by week, R a week beside the baselines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.evidence.loop_counts import GATE
from edgebook.evidence.loop_words import mean, named, number, rate
from edgebook.figures.figures import FAINT, INK, SERIES, SOFT, Bitmap, canvas, colour, png, styled
from edgebook.figures.figures_axes import end_labels, legend_above, nothing_yet, percent_axis, titled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

POOLED_SHADE = INK
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
ARMS = {"frozen": "frozen", "loop": "champion", "newest": "challenger", "oracle": "volatile"}
"""Colour of each arm, by meaning; the oracle takes a colour that no other arm has."""


def loop_pictures(found: Mapping[str, Any]) -> dict[str, Bitmap]:
    """All figures, by the name of their file.

    Parameters
    ----------
    found : mapping
        From `edgebook.evidence.loop_summary.summarised`.
    """
    return {
        "loop_false": false_picture(found),
        "loop_power": power_picture(found),
        "loop_baselines": baselines_picture(found),
    }


def loop_captions(found: Mapping[str, Any]) -> dict[str, str]:
    """What each figure shows, by the name of its file: caption and alternative text.

    Parameters
    ----------
    found : mapping
        From `edgebook.evidence.loop_summary.summarised`.
    """
    wanted, power = found["wanted"]["rate"], found["power"]
    pooled = next(row for row in found["null_rules"] if row["kind"] == found["null"]["pooled"]["kind"])
    rules = "; ".join(f"{rule} {rate(row)}" for rule, row in pooled["rules"].items())
    shares = "; ".join(f"{named(row['kind'])} {row['k']} of {row['n']}" for row in power["edges"])
    arms = "; ".join(
        f"{named(row['kind'])} (n = {row['runs']}) "
        + ", ".join(f"{named(arm)} {number(of['mean'], digits=2)}" for arm, of in row["arms"].items())
        for row in found["baselines"]
    )
    return {
        "loop_false": "Share of runs of a year in which each rule promotes at least once although nothing is better, "
        f"with exact 95 % intervals, by kind of null market and pooled over n = {pooled['runs']} runs. The dashed line "
        f"is {wanted:.0%} a year. Pooled: {rules}.",
        "loop_power": "Share of runs in which the gate had promoted the weekly refit by each week, one line a market; "
        "the bars at the right are exact 95 % intervals at the end of the year, the dashed line is "
        f"{power['bar']['share']:.0%}. Promoted within the year: {shares or 'no run yet'}.",
        "loop_baselines": "R a week of the book over the year, mean over runs with 95 % intervals (Student's). "
        f"{arms or 'No run yet'}.",
    }


@styled
def false_picture(found: Mapping[str, Any]) -> Bitmap:
    """Draw the share of null runs with a promotion, a group a rule, a line a kind."""
    kinds = [row for row in found["null_rules"] if row["runs"] and not row["stress"]]
    rules = list(found["null_rules"][0]["rules"])
    title = "False promotions a year: the gate beside simpler rules"
    figure, (ax,) = canvas(height_in=1.2 + 0.105 * len(rules) * (len(kinds) + 2.0) if kinds else 2.4)
    if not kinds:
        nothing_yet(ax, title=title)
        return png(figure, caption=loop_captions(found)["loop_false"])
    pooled = found["null"]["pooled"]["kind"]
    shades = _shades([row["kind"] for row in kinds], pooled=pooled)
    for number_, row in enumerate(kinds):
        of = [row["rules"][rule] for rule in rules]
        y = -np.arange(len(rules)) * (len(kinds) + 2.0) - number_
        share, low, high = _ends(of)
        shade, marker = shades[row["kind"]]
        wide = row["kind"] == pooled
        ax.hlines(y, low, high, color=shade, linewidth=2.2 if wide else 1.3)
        label = f"{named(row['kind'])} (n = {row['runs']})"
        ax.plot(share, y, marker, color=shade, markersize=5.5 if wide else 4.2, label=label)
        if wide:
            for at, one in zip(y, of, strict=True):
                ax.annotate(
                    f"{one['k']} of {one['n']}", xy=(1, at), xycoords=("axes fraction", "data"), xytext=(6, 0),
                    textcoords="offset points", va="center", fontsize=8, color=INK,
                )  # fmt: skip
    middle = -np.arange(len(rules)) * (len(kinds) + 2.0) - (len(kinds) - 1) / 2
    ax.set_yticks(middle, rules, color=INK)
    ax.get_yticklabels()[rules.index(GATE)].set_fontweight("bold")
    ax.grid(visible=False, axis="y")
    for rule in range(len(rules) - 1):
        ax.axhline(middle[rule] - (len(kinds) + 2.0) / 2, color=FAINT, linewidth=0.4)
    _line_at(ax, found["wanted"]["rate"], label=f"{found['wanted']['rate']:.0%} a year")
    ax.set_xlim(-0.015, 1.015)
    percent_axis(ax.xaxis)
    ax.set_xlabel("runs of a year with at least one promotion; at the right, of all null runs")
    legend_above(ax, columns=2)
    titled(ax, title, legend_rows=-(-len(kinds) // 2))
    return png(figure, caption=loop_captions(found)["loop_false"])


@styled
def power_picture(found: Mapping[str, Any]) -> Bitmap:
    """Draw the share of runs promoted by each week, one curve an edge."""
    power = found["power"]
    rows = [row for row in power["edges"] if row["n"]]
    title = "Share of runs promoted, by week"
    figure, (ax,) = canvas(height_in=3.6)
    if not rows:
        nothing_yet(ax, title=title)
        return png(figure, caption=loop_captions(found)["loop_power"])
    ends = {}
    weeks = len(rows[0]["curve"]) - 1
    for number_, (row, shade) in enumerate(zip(rows, SERIES, strict=False)):
        dash = "-" if row["stays"] else (0, (4, 2)) if row["kind"] == "switching" else (0, (1, 1.5))
        ax.step(range(weeks + 1), row["curve"], where="post", color=shade, linestyle=dash)
        x, high = weeks + 1.0 + 1.1 * number_, row["curve"][-1]
        ax.vlines(x, row["low"], row["high"], color=shade, linewidth=1.3)
        ax.plot([x], [high], MARKERS[number_ % len(MARKERS)], color=shade, markersize=4.5)
        gain = f", {number(row['gain']['mean'], digits=1).replace('-', '−')} pp" if row["stays"] else ""
        ends[f"{row['kind']}{gain} (n = {row['n']})"] = (high, shade)
    ax.axhline(power["bar"]["share"], color=INK, linewidth=0.8, linestyle="--")
    ax.annotate(
        f"{power['bar']['share']:.0%} within a year", xy=(0, power["bar"]["share"]), xytext=(3, 3),
        textcoords="offset points", fontsize=8, color=SOFT,
    )  # fmt: skip
    ax.set_xlim(0, weeks + 1.6 + 1.1 * (len(rows) - 1))
    ax.set_xticks(range(0, weeks + 1, 4))
    ax.set_ylim(-0.02, 1.05)
    percent_axis(ax.yaxis)
    ax.set_ylabel("runs promoted")
    ax.set_xlabel("weeks since the edge began")
    end_labels(ax, ends=ends)
    titled(ax, title)
    return png(figure, caption=loop_captions(found)["loop_power"])


@styled
def baselines_picture(found: Mapping[str, Any]) -> Bitmap:
    """Draw R a week of every arm, a group a market."""
    rows = found["baselines"]
    title = "R a week: the gated loop beside its baselines"
    figure, (ax,) = canvas(height_in=1.1 + 0.62 * max(len(rows), 2))
    if not rows:
        nothing_yet(ax, title=title)
        return png(figure, caption=loop_captions(found)["loop_baselines"])
    step = len(ARMS) + 1.5
    for number_, (arm, meaning) in enumerate(ARMS.items()):
        of = [row["arms"][arm] for row in rows]
        y = -np.arange(len(rows)) * step - number_
        value, low, high = (
            np.array([np.nan if one[end] is None else one[end] for one in of], dtype=np.float64)
            for end in ("mean", "low", "high")
        )
        ax.hlines(y, low, high, color=colour(meaning), linewidth=1.5)
        ax.plot(value, y, MARKERS[number_], color=colour(meaning), markersize=5, label=named(arm))
        for at, one in zip(y, of, strict=True):
            if one["mean"] is not None:
                ax.annotate(
                    mean(one, digits=2).replace("-", "−"), xy=(1, at), xycoords=("axes fraction", "data"),
                    xytext=(6, 0), textcoords="offset points", va="center", fontsize=7, color=SOFT,
                )  # fmt: skip
    ax.margins(x=0.03)
    ax.axvline(0.0, color=INK, linewidth=0.8)
    middle = -np.arange(len(rows)) * step - (len(ARMS) - 1) / 2
    ax.set_yticks(middle, [f"{row['kind']}\n(n = {row['runs']})" for row in rows], color=INK)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    ax.set_xlabel("R a week of the book, mean over runs with 95 % interval")
    legend_above(ax)
    titled(ax, title, legend_rows=1)
    return png(figure, caption=loop_captions(found)["loop_baselines"])


def _shades(kinds: Sequence[str], *, pooled: str) -> dict[str, tuple[str, str]]:
    """Colour and marker of each kind, the pooled one black."""
    free = iter(zip(SERIES, MARKERS[1:], strict=False))
    return {kind: (POOLED_SHADE, "o") if kind == pooled else next(free) for kind in kinds}


def _ends(rows: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares and their intervals."""
    share = np.array([row["k"] / row["n"] for row in rows])
    return share, np.array([row["low"] for row in rows]), np.array([row["high"] for row in rows])


def _line_at(ax: Axes, value: float, *, label: str) -> None:
    """Draw the line that matters, named at its foot."""
    ax.axvline(value, color=INK, linewidth=0.8, linestyle="--")
    ax.annotate(
        label, xy=(value, 0), xycoords=("data", "axes fraction"), xytext=(4, 3), textcoords="offset points",
        fontsize=8, color=SOFT,
    )  # fmt: skip
