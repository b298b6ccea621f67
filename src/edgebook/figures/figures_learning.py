"""Pictures of the learning review: curves with the history's events, weights and thresholds, the account and chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.analyses.candidate_scores import rolling_auc
from edgebook.analyses.learning_curve import MIN_ROLLING, ROLLING_WEEKS, cumulative_difference
from edgebook.analyses.tracks import ACCOUNT, FROZEN, NO_LEARNING
from edgebook.figures.figures import FAINT, INK, SOFT, Picture, canvas, colour, picture, styled, words
from edgebook.figures.figures_axes import (
    end_labels,
    legend_above,
    named_dates,
    nothing_yet,
    percent_axis,
    time_axis,
    times,
    titled,
)
from edgebook.figures.figures_equity import draw_weeks
from edgebook.figures.figures_events import draw_events
from edgebook.figures.figures_rates import draw_calibration
from edgebook.figures.figures_shades import draw_shades
from edgebook.pages.report import formatted, interval
from edgebook.policy.market import REGIMES
from edgebook.settings.recipes import HEAD_LETTERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.analyses.learning_curve import Paired
    from edgebook.analyses.random_policies import RandomPolicies

NULLS = {"mix": "sides of their own", "sides": "the account's sides"}


def curve_picture(curves: pd.DataFrame, differences: Mapping[str, Paired], *, events: pd.DataFrame) -> Picture:
    """Draw cumulative R of the strategies over the paired difference that says whether learning pays.

    Parameters
    ----------
    curves : DataFrame
        As `learning_curve.cumulative_r` gives it.
    differences : mapping of str to Paired
        As `learning_curve.against_others` gives them; the first is drawn.
    events : DataFrame
        As `learning_curve.history_events` gives it.
    """
    figure, (above, below) = canvas(height_in=5.2, ratios=(1.5, 1))
    weeks = len(curves) - 1
    title = "The learning curve: R made since the first week"
    if weeks < 1:
        nothing_yet(above, title=title)
        nothing_yet(below, title="")
        return picture(figure, caption="No week has passed since the first seal, n = 0 weeks.")
    draw_weeks(curves, ax=above, title=title, unit="cumulative R, net of costs", percent=False)
    above.axhline(0, color=FAINT, linewidth=0.8)
    draw_events(events, ax=above, named=True)
    against, found = next(iter(differences.items()))
    difference = cumulative_difference(found)
    name = f"account − {words(against)}"
    lines = difference[["value"]].rename(columns={"value": name})
    low, high = (difference[[end]].rename(columns={end: name}) for end in ("low", "high"))
    draw_weeks(lines, ax=below, title="", unit="difference, R", low=low, high=high, percent=False)
    below.axhline(0, color=INK, linewidth=0.9)
    draw_events(events, ax=below, named=False)
    return picture(
        figure,
        caption=f"Above: R of signals by week of entry, weeks n = {weeks}. Below: the account less the "
        f"{words(against)} policy, paired by week; band: 95 % interval at each single look, weeks as units. Lines "
        "down: the history's events.",
    )


def rolling_picture(
    rolling: Mapping[str, pd.DataFrame], *, events: pd.DataFrame, window_weeks: int = ROLLING_WEEKS
) -> Picture:
    """Draw the rolling win rate of each strategy with its interval, and the account's break-even.

    Parameters
    ----------
    rolling : mapping of str to DataFrame
        `learning_curve.rolling_win_rate` by strategy, the account first.
    events : DataFrame
        As `learning_curve.history_events` gives it.
    window_weeks : int
        That the rates look back over.
    """
    figure, (ax,) = canvas(height_in=3.5)
    values, low, high = (
        pd.DataFrame({name: frame[end] for name, frame in rolling.items()}) for end in ("value", "low", "high")
    )
    account = next(iter(rolling))
    even = rolling[account]["break_even"].rename("break even")
    title = f"Win rate of the last {window_weeks} weeks"
    draw_weeks(pd.concat([values, even], axis=1), ax=ax, title=title, unit="win rate", low=low, high=high)
    if values.notna().to_numpy().any():
        ax.lines[0].set(color=SOFT, linestyle=(0, (4, 3)), linewidth=1.2)
        for text in ax.texts:
            if text.get_text().startswith("break"):
                text.set_color(SOFT)
        draw_events(events, ax=ax, named=True)
    last = rolling[account].dropna(subset=["value"]).tail(1)
    said = f"{int(last['n'].iloc[0]):,} signals of the account in the last window" if len(last) else "n = 0"
    return picture(
        figure,
        caption=f"Bands: 95 % intervals, weeks as clusters; from week {MIN_ROLLING} on; {said}. Dashed: the win rate "
        "at which the account's wins and losses would cancel.",
    )


def skill_picture(skills: Mapping[str, pd.DataFrame], *, weeks: Sequence[str], events: pd.DataFrame) -> Picture:
    """Draw how well confidence tells winners from losers, over all candidates.

    Parameters
    ----------
    skills : mapping of str to DataFrame
        As `candidate_scores.skill_of` gives it; account, frozen and no learning are drawn.
    weeks : sequence of str
        Sealed Mondays.
    events : DataFrame
        As `learning_curve.history_events` gives it.
    """
    rolling = rolling_auc({name: skills[name] for name in (ACCOUNT, FROZEN, NO_LEARNING)}, weeks=weeks)
    figure, (ax,) = canvas(height_in=3.3)
    title = f"Winners told from losers: AUC of all candidates, last {ROLLING_WEEKS} weeks"
    known = rolling["value"].dropna(how="all").index
    shown = {end: frame.loc[known].dropna(axis=1, how="all") for end, frame in rolling.items()}
    own = [ACCOUNT] if len(known) else []
    draw_weeks(
        shown["value"], ax=ax, title=title, unit="AUC", low=shown["low"][own], high=shown["high"][own],
        reference=(0.5, "no skill"), percent=False,
    )  # fmt: skip
    if len(known):
        draw_events(events, ax=ax, named=False)
    return picture(
        figure,
        caption="Mean of the weekly AUC (chance that a winner had more confidence than a loser of its week); band: 95 "
        "% interval of the account's, weeks as units.",
    )


def calibration_picture(calibrated: Mapping[str, pd.DataFrame]) -> Picture:
    """Draw stated confidence against what happened, one panel a policy.

    Parameters
    ----------
    calibrated : mapping of str to DataFrame
        As `candidate_scores.calibrations` gives it.
    """
    figure, panels = canvas(height_in=3.6, columns=len(calibrated))
    for (name, frame), ax in zip(calibrated.items(), panels, strict=True):
        draw_calibration(frame, ax=ax, title=f"Confidence, {words(name)}")
    for ax in panels[1:]:
        ax.set_ylabel("")
    n = ", ".join(f"{int(frame['n'].sum()):,} of {words(name)}" for name, frame in calibrated.items())
    return picture(
        figure,
        caption=f"Every candidate, traded or not, in ten groups of equal size: n = {n}. Each was scored by a policy "
        "that had not seen it. Bars: 95 % intervals, weeks as clusters.",
    )


@styled
def weights_picture(weights: pd.DataFrame) -> Picture:
    """Draw the weight of every head over time, one panel a regime.

    Parameters
    ----------
    weights : DataFrame
        As `policy_history.weights_over_time` gives it.
    """
    figure, panels = canvas(height_in=5.0, columns=2, ratios=(1, 1))
    top = float(np.nanmax(weights.to_numpy(), initial=0.0)) or 1.0
    weeks = len(weights)
    for regime, ax in zip(REGIMES, panels, strict=True):
        values = weights[regime].to_numpy(dtype=float).T
        draw_shades(values, ax=ax, shade=colour("champion"), ceiling=top)
        ax.set_yticks(range(len(HEAD_LETTERS)), [words(f"HEAD_{letter}") for letter in HEAD_LETTERS], fontsize=7)
        ticks = sorted({0, (weeks - 1) // 2, weeks - 1})
        ax.set_xticks(ticks, named_dates(weights.index[ticks]), fontsize=7)
        for row, value in enumerate(values[:, -1]):
            ax.annotate(
                f"{value:.2f}", xy=(1, row), xycoords=("axes fraction", "data"), xytext=(4, 0),
                textcoords="offset points", va="center", fontsize=7, color=INK if value else FAINT,
            )  # fmt: skip
        ax.grid(False)
        ax.tick_params(length=0)
        ax.spines["bottom"].set_visible(False)
        titled(ax, words(regime).capitalize())
    for ax in panels[1::2]:
        ax.set_yticklabels(list(HEAD_LETTERS))
    return picture(
        figure,
        caption=f"Weight of each head in the policy in force, {weeks} seals; the number is today's. Darkest: "
        f"{top:.2f}. Where weights are log-odds of hit rates, 0 means that the head has not shown to know anything.",
    )


@styled
def thresholds_picture(thresholds: pd.DataFrame, *, events: pd.DataFrame) -> Picture:
    """Draw the threshold of each regime over time, thick where it is certified.

    Parameters
    ----------
    thresholds : DataFrame
        As `policy_history.thresholds_over_time` gives it.
    events : DataFrame
    """
    figure, (ax,) = canvas(height_in=3.3)
    wide = thresholds.pivot(index="week", columns="regime", values="value")
    sure = thresholds.pivot(index="week", columns="regime", values="certified")
    weeks = times(wide.index)
    ends = {}
    for regime in REGIMES:
        values, certified = wide[regime].to_numpy(dtype=float), sure[regime].to_numpy(dtype=bool)
        ax.plot(weeks, values, color=colour(regime), linewidth=1.2, marker="o", markersize=0 if len(values) > 1 else 4)
        ax.plot(
            weeks, np.where(certified, values, np.nan), color=colour(regime), linewidth=3.4, marker="o", markersize=3
        )
        mode = "certified" if certified[-1] else "paper"
        ends[f"{words(regime)} {values[-1] * 100:.0f} % ({mode})"] = (values[-1], colour(regime))
    percent_axis(ax.yaxis)
    ax.set_ylabel("confidence that makes a signal")
    time_axis(ax)
    draw_events(events, ax=ax, named=False)
    titled(ax, "Thresholds of the policy in force")
    end_labels(ax, ends=ends, size=7.5)
    count, whole = int(thresholds["certified"].sum()), len(thresholds)
    return picture(
        figure,
        caption=f"Thick: certified ({count} of {whole} regime-weeks). Thin: paper, a quantile of the policy's recent "
        "confidence, which moves as calibration moves.",
    )


@styled
def chance_picture(chance: Mapping[str, RandomPolicies]) -> Picture:
    """Draw what random policies made, and the account among them.

    Parameters
    ----------
    chance : mapping of str to RandomPolicies
        By null.
    """
    figure, panels = canvas(height_in=3.1, columns=2)
    said = []
    for (null, found), ax in zip(chance.items(), panels, strict=True):
        title = f"Random policies, {NULLS[null]}"
        if not found.n:
            nothing_yet(ax, title=title)
            continue
        made, own = found.weekly_r.sum(axis=1) / found.n, float(found.own_r.sum()) / found.n
        ax.hist(made, bins=30, color=colour("baseline"))
        goal = float(np.quantile(made, 0.95))
        ax.axvline(
            goal,
            color=SOFT,
            linewidth=1,
            linestyle=(0, (4, 3)),
            label=f"95th percentile {goal:+.3f} R".replace("-", "−"),
        )
        ax.axvline(own, color=colour("champion"), linewidth=2, label=f"account {own:+.3f} R".replace("-", "−"))
        ax.set_xlabel("mean net R of a signal")
        ax.set_ylabel("policies" if ax is panels[0] else "")
        titled(ax, title, legend_rows=1)
        legend_above(ax, columns=2)
        band = interval(found.percentile.low / 100, found.percentile.high / 100, "percent")
        said.append(f"with {NULLS[null]} the account beats {found.percentile.value:.1f} % (95 % {band})")
    draws, n = next((len(f.weekly_r), f.n) for f in chance.values())
    return picture(
        figure, caption=f"{draws:,} policies of {formatted(n, 'integer')} signals each; {'; '.join(said) or 'n/a'}."
    )
