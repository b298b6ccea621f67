"""Tables and pictures of the learners beside their frozen twins, of the strategies as experts, and of thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.policy.experts import CONSTANT, EXPERTS
from edgebook.figures.figures import Picture, canvas, colour, picture, styled, words
from edgebook.figures.figures_axes import named_dates, nothing_yet, titled
from edgebook.figures.figures_shades import draw_shades
from edgebook.analyses.learner_record import beliefs, leaders
from edgebook.policy.learners import FROZEN_INDICATORS, FROZEN_PATTERNS, IN_FORCE
from edgebook.pages.report import table
from edgebook.policy.threshold_rules import QUANTILES
from edgebook.policy.vote_strategies import STRATEGIES

if TYPE_CHECKING:
    import pandas as pd

    from edgebook.pages.display import Table

TITLES = {
    IN_FORCE: "in force",
    "equal": "equal weights",
    "steps": "±0.01 a vote",
    "log_odds_slow": "log-odds, slow",
    "log_odds_fast": "log-odds, fast",
    "momentum": "log-odds, momentum",
    "by_regime": "log-odds by regime",
    "stacked": "stacked",
    FROZEN_INDICATORS: "indicators frozen",
    FROZEN_PATTERNS: "patterns frozen",
    CONSTANT: "base rate",
}
"""Learners, as the reports call them."""


def learners_table(found: pd.DataFrame) -> Table:
    """Show every learner beside its frozen twin.

    Parameters
    ----------
    found : DataFrame
        As `learner_record.learner_table` gives it.
    """
    columns = ["learner", *_ends("improvement"), *_ends("top_r"), *_ends("behind")]
    weeks = int(found["weeks"].max()) if len(found) else 0
    n = int(found["n"].max()) if len(found) else 0
    return table(
        found.assign(learner=[_unbroken(TITLES[name]) for name in found["learner"]])[columns],
        caption=f"Each learner against the same loop with that part frozen, weeks n = {weeks:,}, candidates n = {n:,}",
        note="On every candidate whose outcome closed, with the probability stated before. Improvement: log loss below "
        "that of the base rate, in ten-thousandths an outcome. Top 5 %: mean net R of each week's most confident. In "
        "force ahead by: R of the top 5 % as it was in force less that of the row, paired by week. Equal weights: head "
        "weights frozen. The heads are the same throughout; each row has a calibration of its own.",
        formats={
            "improvement": "number", "top_r": "r", "behind": "r"},
        labels={
            "learner": "Learner",  "improvement": "Improvement", "top_r": "R of the top 5 %",
            "behind": "In force ahead by", "stability": "Stability",
        },
        intervals={name: (f"{name}_low", f"{name}_high") for name in ("improvement", "top_r", "behind")},
        strong=[0],
    )  # fmt: skip


def experts_table(found: pd.DataFrame) -> Table:
    """Show the learning strategies as experts.

    Parameters
    ----------
    found : DataFrame
        As `learner_record.learner_table` gives it.
    """
    rows = found[found["learner"].isin(EXPERTS)]
    shown = rows.assign(learner=[_unbroken(TITLES[name]) for name in rows["learner"]])
    return table(
        shown[["learner", "belief", *_ends("improvement"), *_ends("top_r"), "stability", "led_week"]],
        caption="Learning strategies as experts: what Fixed-Share believes, and why",
        note="Belief at the beginning of the last week. Improvement: log loss below the base rate's, in "
        "ten-thousandths an outcome. Stability: share of weeks with less loss than the base rate. First led: the "
        "week in which belief in it first was the greatest.",
        formats={
            "belief": "percent", "improvement": "number", "top_r": "r", "stability": "percent", "led_week": "integer"
        },
        labels={
            "learner": "Strategy", "belief": "Belief", "improvement": "Improvement", "top_r": "R of the top 5 %",
            "stability": "Stability", "led_week": "First led, week",
        },
        intervals={name: (f"{name}_low", f"{name}_high") for name in ("improvement", "top_r")},
        bars=["belief"],
    )  # fmt: skip


def regret_table(found: pd.DataFrame) -> Table:
    """Show what the thresholds earned beside the best they could have been.

    Parameters
    ----------
    found : DataFrame
        As `learner_record.threshold_regret` gives it.
    """
    columns = ["regime", "weeks", "chosen", *_ends("earned"), "best", "best_earned", "worst_earned", "regret"]
    best = [f"top {(1 - float(q)) * 100:.1f} %" for q in found["best"]]
    return table(
        found.assign(regime=found["regime"].map(words), best=best)[columns],
        caption="Threshold decisions, and what each alternative would have earned, R a week",
        note="Every candidate is labelled, so that the alternatives are exact: "
        f"{', '.join(f'top {(1 - q) * 100:g} %' for q in QUANTILES)} of the policy's own recent confidence. In "
        "outcomes that do not overlap; the book's room is not counted. Best: the fixed quantile that would have earned "
        "most, known only in hindsight.",
        formats={
            "chosen": "number", "earned": "r", "best_earned": "r", "worst_earned": "r", "regret": "r"
        },
        labels={
            "chosen": "Chosen a week", "earned": "Earned", "best": "Best in hindsight", "best_earned": "It earned",
            "worst_earned": "The worst", "regret": "Regret",
        },
        intervals={"earned": ("earned_low", "earned_high")},
        strong=[0],
    )  # fmt: skip


def decisions_table(decisions: pd.DataFrame, *, last: int = 3) -> Table:
    """Show the newest threshold decisions, one by one.

    Parameters
    ----------
    decisions : DataFrame
        As `learner_record.threshold_decisions` gives it.
    last : int
        Weeks shown.
    """
    weeks = sorted(decisions["week"].unique())[-last:]
    rows = decisions[decisions["week"].isin(weeks)]
    fixed = ["0.8", "0.9", "0.95", "0.99"]
    shown = rows.assign(
        regime=rows["regime"].map(words), certified=["certified" if sure else "paper" for sure in rows["certified"]]
    )
    return table(
        shown[["week", "regime", "rule", "value", "certified", "chosen", "earned", *fixed]],
        caption=f"The last {len(weeks)} weeks of threshold decisions, sum of net R in outcomes that do not overlap",
        note="Week: the Monday from which the threshold held. Rule: who set it. The four columns at the right: what "
        "other quantiles would have earned. All decisions stand in the policies of the seals.",
        formats={"value": "percent", "chosen": "number", "earned": "r", **dict.fromkeys(fixed, "r")},
        labels={"value": "Threshold", "chosen": "Chosen", "earned": "Earned",
                **{q: f"Top {(1 - float(q)) * 100:.0f} %" for q in fixed}},
        pills={"certified": {"certified": "good", "paper": "wait"}},
    )  # fmt: skip


def suggested_table(found: pd.DataFrame, *, strategy: str) -> Table:
    """Show head weights in force and suggested, by regime.

    Parameters
    ----------
    found : DataFrame
        As `learner_record.current_and_suggested` gives it.
    strategy : str
        Strategy in force.
    """
    shown = found.assign(regime=found["regime"].map(words), head=[words(f"HEAD_{h}") for h in found["head"]])
    return table(
        shown[["regime", "head", "in_force", *STRATEGIES]],
        caption="Head weights by regime: in force, and what each strategy suggests from the same votes",
        note=f"In force: {TITLES[strategy]}. A count of votes is averaged over the heads that are awake, a regression "
        "is summed: compare within a column.",
        formats=dict.fromkeys(["in_force", *STRATEGIES], "number"),
        labels={"in_force": "In force", **{name: TITLES[name] for name in STRATEGIES}},
        bars=["in_force"],
    )


@styled
def beliefs_picture(rows: pd.DataFrame) -> Picture:
    """Draw the belief in every strategy over time.

    Parameters
    ----------
    rows : DataFrame
        As `learner_record.learner_weeks` gives it.
    """
    figure, (ax,) = canvas(height_in=3.0)
    title = "Belief in each learning strategy"
    if rows.empty:
        nothing_yet(ax, title=title)
        return picture(figure, caption="No week has passed since the first seal, n = 0 weeks.")
    wide = beliefs(rows)
    names = list(EXPERTS)
    values = wide[names].to_numpy(dtype=float).T
    top = float(np.nanmax(values))
    draw_shades(values, ax=ax, shade=colour("champion"), ceiling=top)
    ax.set_yticks(range(len(names)), [TITLES[name] for name in names], fontsize=7.5)
    ticks = sorted({0, (len(wide) - 1) // 2, len(wide) - 1})
    ax.set_xticks(ticks, named_dates(wide.index[ticks]), fontsize=7.5)
    for row, value in enumerate(values[:, -1]):
        ax.annotate(f"{value * 100:.0f} %", (1.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=7.5)
    for side in ax.spines.values():
        side.set_visible(False)
    titled(ax, title)
    led = leaders(rows)
    changes = int((led != led.shift()).sum()) - 1
    return picture(
        figure,
        caption=f"Fixed-Share on daily log loss, {len(wide)} weeks; the number is today's. Darkest: {top * 100:.0f} %. "
        f"The strategy with the greatest belief changed {changes} times; with none ahead each would stand at "
        f"{100 / len(names):.0f} %.",
    )


def _unbroken(text: str) -> str:
    """Words that stay on one line."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _ends(name: str) -> list[str]:
    return [name, f"{name}_low", f"{name}_high"]
