"""The pictures of the dashboard: equity, evidence, what the policy has learned, and what its indicators are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.analyses.ab_trials import comparisons
from edgebook.analyses.learning_curve import history_events
from edgebook.analyses.policy_history import mondays, thresholds_over_time, weights_over_time
from edgebook.analyses.tracks import ACCOUNT, FROZEN, frozen_recipe
from edgebook.arms.gate import promotion_bar
from edgebook.figures.figures import Picture, canvas, picture
from edgebook.figures.figures_equity import draw_drawdown, draw_equity, draw_weeks
from edgebook.figures.figures_events import draw_events
from edgebook.figures.figures_gate import wealth_picture
from edgebook.figures.figures_learning import thresholds_picture, weights_picture
from edgebook.files.formats import formatted
from edgebook.importance.importance_run import sealed_importance
from edgebook.reports.figures_importance import contributions_picture, decisions_picture
from edgebook.settings.loading import section
from edgebook.settings.params import Gate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.seals.seals import Seal
    from edgebook.seals.week import Week

MOST_INDICATORS = 6
"""Lines in the picture of the indicators' weights."""


def dashboard_pictures(week: Week, *, max_drawdown: float | None = None) -> dict[str, Picture]:
    """Every picture of the dashboard that the history has something to draw for, in the order of the page.

    Parameters
    ----------
    week : Week
        Sealed.
    max_drawdown : float, optional
        The goal for the worst drawdown, a positive share: a line.

    Returns
    -------
    dict of str to Picture
        Of equity, wealth, thresholds, weights, indicator_weights, importance and importance_drift.
    """
    events = history_events(week.heads)
    found: dict[str, Picture] = {}
    equity = equity_of_books(week)
    if len(equity):
        found["equity"] = equity_picture(equity, week, events=events, goal=max_drawdown)
        settings = section(Gate, week.seal.head["settings"]["gate"], where=f"seal.json of {week.as_of}: gate")
        found["wealth"] = wealth_picture(
            comparisons(week, kind="promotion"),
            comparisons(week, kind="baseline"),
            bar=promotion_bar(settings),
            events=events,
        )
    found["thresholds"] = thresholds_picture(thresholds_over_time(week.seals), events=events)
    found["weights"] = weights_picture(weights_over_time(week.seals))
    learned = indicator_weights_over_time(week.seals)
    if len(learned.columns):
        found["indicator_weights"] = indicator_weights_picture(learned, events=events)
    measured = _importance(week)
    if measured is not None:
        found["importance"] = contributions_picture(measured)
        found["importance_drift"] = decisions_picture(measured)
    return found


def equity_of_books(week: Week) -> pd.DataFrame:
    """Equity at each day's end of the account and of the books that run beside it.

    Parameters
    ----------
    week : Week

    Returns
    -------
    DataFrame
        Index: date, UTC. Columns account, challenger and frozen, those that there are; missing before an admission.
    """
    wide = week.days.pivot(index="date", columns="arm", values="equity")
    if ACCOUNT not in wide:
        return pd.DataFrame()
    roles = {ACCOUNT: ACCOUNT, week.seal.head["challenger"]: "challenger", frozen_recipe(week.seals): FROZEN}
    shown = {name: wide[arm] for arm, name in roles.items() if arm in wide and np.isfinite(wide[arm].iloc[-1])}
    return pd.DataFrame(shown)


def equity_picture(equity: pd.DataFrame, week: Week, *, events: pd.DataFrame, goal: float | None = None) -> Picture:
    """Draw the equity of the account and of the other books over their drawdowns.

    Parameters
    ----------
    equity : DataFrame
        As `equity_of_books` gives it.
    week : Week
    events : DataFrame
        As `learning_curve.history_events` gives it.
    goal : float, optional
        Drawdown not to be exceeded, a positive share.
    """
    figure, (above, below) = canvas(height_in=4.2, ratios=(2.2, 1))
    start = float(week.seal.head["settings"]["sizing"]["start_capital"])
    draw_equity(equity, ax=above, start=start, title="Equity of the account and of the books beside it")
    draw_events(events, ax=above, named=False)
    begun = equity.ffill().apply(lambda column: column.fillna(column.dropna().iloc[0]))
    draw_drawdown(begun, ax=below, limit=goal)
    beside = {"challenger": week.seal.head["challenger"], FROZEN: frozen_recipe(week.seals)}
    named = [f"{name} is {beside[name]}" for name in equity.columns if name in beside]
    return picture(
        figure,
        caption=f"Net of costs, marked to market at each day's end, n = {len(equity):,} days. The account follows the "
        f"champion{''.join(f'; {one}' for one in named)}.{_since_admission(equity, start=start)} Lines down: the "
        "history's events, solid where the champion changes.",
    )


def _since_admission(equity: pd.DataFrame, *, start: float) -> str:
    """What the account made over the days of a challenger that came later: their lines begin at different times."""
    if "challenger" not in equity or ACCOUNT not in equity:
        return ""
    held = equity["challenger"].notna().to_numpy()
    first = int(held.argmax())
    if first == 0:
        return ""
    account = float(equity[ACCOUNT].iloc[-1] / equity[ACCOUNT].iloc[first - 1]) - 1
    challenger = float(equity["challenger"].iloc[-1]) / start - 1
    return (
        f" Over the challenger's own {int(held.sum()):,} days: challenger {formatted(challenger, 'signed_percent')}, "
        f"account {formatted(account, 'signed_percent')}."
    )


def indicator_weights_over_time(seals: Sequence[Seal]) -> pd.DataFrame:
    """Weight of each indicator in the policy in force after each week, the mean over regimes.

    Parameters
    ----------
    seals : sequence of Seal
        In order.

    Returns
    -------
    DataFrame
        Index: the Monday from which the policy was in force, UTC. One column an indicator that any of the policies
        weighs; 1, which is as fitted, where one does not.
    """
    rows = [
        {name: float(np.mean(own)) for name, own in seal.arms[seal.champion].policy.indicator_weights.items()}
        for seal in seals
    ]
    names = sorted({name for row in rows for name in row})
    return pd.DataFrame(rows, index=mondays(seals), columns=names).fillna(1.0).round(4)


def indicator_weights_picture(weights: pd.DataFrame, *, events: pd.DataFrame) -> Picture:
    """Draw the indicators whose weights have moved most.

    Parameters
    ----------
    weights : DataFrame
        As `indicator_weights_over_time` gives it.
    events : DataFrame
    """
    moved = (weights.max() - weights.min()).rename("moved").rename_axis("indicator").reset_index()
    chosen = moved.sort_values(["moved", "indicator"], ascending=[False, True])["indicator"].head(MOST_INDICATORS)
    figure, (ax,) = canvas(height_in=3.2)
    draw_weeks(
        weights[list(chosen)], ax=ax, title="Indicators whose weight moved most", unit="weight, 1 is as fitted",
        reference=None, percent=False,
    )  # fmt: skip
    draw_events(events, ax=ax, named=False)
    return picture(
        figure,
        caption=f"Mean over regimes of the weight in the policy in force, {len(weights)} seals; {len(chosen)} of "
        f"{weights.shape[1]} weighed indicators.",
    )


def _importance(week: Week) -> Mapping[str, Any] | None:
    """The last run of the importance stage that a seal up to this week holds."""
    after = (pd.Timestamp(week.as_of) + pd.Timedelta(days=1)).strftime("%Y-%m-%d")
    return sealed_importance(week.paths, history=week.history, before=after)
