"""Strategies side by side: the account, the frozen first policy, no learning, and every recipe that ever ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from edgebook.analyses.learning_curve import paired, weekly
from edgebook.analyses.tracks import ACCOUNT, FROZEN, arm_track, frozen_recipe
from edgebook.statistics.metrics import book_metrics, trade_metrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.analyses.tracks import Track
    from edgebook.seals.week import Week

BANDED = ("win_rate", "expectancy", "sharpe_ratio", "max_drawdown")


def recipe_tracks(week: Week) -> dict[str, Track]:
    """Track of every recipe's own book, in order of admission; the frozen one, shown anyway, is left out.

    Parameters
    ----------
    week : Week
    """
    frozen = frozen_recipe(week.seals)
    ran = set(week.days["arm"].unique())
    return {name: arm_track(week, name) for name in week.seal.recipes if name in ran and name != frozen}


def compare_strategies(tracks: Mapping[str, Track], *, weeks: Sequence[str], periods_per_year: float) -> pd.DataFrame:
    """Each strategy over the weeks in which it ran, and against the frozen policy on the same weeks.

    Parameters
    ----------
    tracks : mapping of str to Track
        With `frozen`, where there is one, under that name.
    weeks : sequence of str
        Sealed Mondays.
    periods_per_year : float
        Trading days a year of the market.

    Returns
    -------
    DataFrame
        One row a strategy: strategy, title, weeks, n (closed signals), each of `BANDED` with `_low` and `_high`,
        total_r, profit (account currency), ahead (R a week more than the frozen policy, paired) with ahead_low and
        ahead_high.
    """
    rows = []
    for name, track in tracks.items():
        days = track.days
        found = pd.concat(
            [
                trade_metrics(track.trades, days=max(len(days), 1)),
                book_metrics(days, periods_per_year=periods_per_year),
            ]
        ).set_index("metric")
        made = weekly(track, weeks=weeks)
        row: dict[str, object] = {"strategy": name, "title": track.title, "weeks": len(made), "n": int(made["n"].sum())}
        for metric in BANDED:
            row[metric] = found["value"][metric]
            row[f"{metric}_low"], row[f"{metric}_high"] = found["low"][metric], found["high"][metric]
        row["total_r"], row["profit"] = float(made["r"].sum()), float(made["profit"].sum())
        if name != FROZEN and FROZEN in tracks:
            ahead = paired(track, tracks[FROZEN], weeks=weeks).mean
            row |= {"ahead": ahead.value, "ahead_low": ahead.low, "ahead_high": ahead.high}
        rows.append(row)
    banded = [f"{metric}{end}" for metric in BANDED for end in ("", "_low", "_high")]
    columns = ["strategy", "title", "weeks", "n", *banded, "total_r", "profit", "ahead", "ahead_low", "ahead_high"]
    return pd.DataFrame(rows).reindex(columns=columns).astype({"ahead": float, "ahead_low": float, "ahead_high": float})


def all_tracks(tracks: Mapping[str, Track], recipes: Mapping[str, Track]) -> dict[str, Track]:
    """Account first, then the other strategies, then the recipes that are not the account's only one.

    Parameters
    ----------
    tracks : mapping of str to Track
        As `tracks.strategy_tracks` gives them.
    recipes : mapping of str to Track
        As `recipe_tracks` gives them. One whose trades are all of the account's is not shown twice.
    """
    own = set(tracks[ACCOUNT].trades["signal_id"])
    others = {n: t for n, t in recipes.items() if not own or set(t.trades["signal_id"]) != own}
    return {**tracks, **others}
