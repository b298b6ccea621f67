"""The scoreboard and the account's metrics, as the dashboard's document has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgebook.analyses import head_record, policy_history, random_policies
from edgebook.analyses.goals import scoreboard
from edgebook.analyses.tracks import ACCOUNT, FROZEN, Track, arm_track, frozen_recipe
from edgebook.dashboard.dashboard_numbers import number
from edgebook.files.formats import Format, formatted, interval
from edgebook.reports.learning_tables import goal_band, goal_count, goal_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from edgebook.seals.week import Week

FORMATS: dict[str, Format] = {
    "total_signals": "integer",
    "win_rate": "percent",
    "false_signal_rate": "percent",
    "break_even_win_rate": "percent",
    "plan_break_even_win_rate": "percent",
    "avg_profit_per_trade": "signed_percent",
    "expectancy": "r",
    "consecutive_wins": "integer",
    "consecutive_losses": "integer",
    "max_drawdown": "percent",
}
"""How a metric of the account is written; the others are plain numbers."""


def week_scoreboard(week: Week, *, goals: Mapping[str, Any]) -> pd.DataFrame:
    """The scoreboard of the learning review, from the same functions.

    Parameters
    ----------
    week : Week
    goals : mapping
        Section `goals` of params.yaml.

    Returns
    -------
    DataFrame
        As `goals.scoreboard` gives it.
    """
    days = week.days[week.days["arm"] == ACCOUNT].sort_values("date", ignore_index=True)
    tracks = {ACCOUNT: Track(ACCOUNT, "follows the champion", week.ledger, days)}
    frozen = frozen_recipe(week.seals)
    if frozen is not None:
        tracks[FROZEN] = arm_track(week, frozen)
    held = [seal.arms[seal.champion].policy for seal in week.seals[:-1]]
    thresholds = policy_history.threshold_evidence(week.seals)
    rates = head_record.head_hit_rates(week, held)
    known = policy_history.best_of_regimes(rates, policy_history.indicator_evidence(week), thresholds)
    return scoreboard(
        tracks,
        random_policies.chance_of(week, goals=goals),
        known=known,
        thresholds=thresholds,
        heads=week.heads,
        goals=goals,
        weeks=week.weeks,
        periods_per_year=week.book_days_per_year,
    )


def goal_rows(board: pd.DataFrame) -> list[dict[str, Any]]:
    """Every goal with its value, interval, n and state.

    Parameters
    ----------
    board : DataFrame
        As `goals.scoreboard` gives it.
    """
    return [
        {
            "goal": str(row["goal"]),
            "target": str(row["target"]),
            "value": number(row["value"]),
            "low": number(row["low"]),
            "high": number(row["high"]),
            "n": int(row["n"]),
            "n_against": None if row["n_against"] != row["n_against"] else int(row["n_against"]),
            "unit": str(row["unit"]),
            "format": str(row["how"]),
            "state": str(row["verdict"]),
            "text": goal_value(row),
            "interval": goal_band(row),
            "n_text": goal_count(row),
        }
        for _, row in board.iterrows()
    ]


def key_rows(metrics: pd.DataFrame, *, equity: float) -> list[dict[str, Any]]:
    """The account's metrics since genesis, and its equity.

    Parameters
    ----------
    metrics : DataFrame
        metric, value, low, high, n, unit.
    equity : float
        Account currency, at the end of the week.
    """
    rows = [
        _key(
            str(row["metric"]), row["value"], low=row["low"], high=row["high"], n=int(row["n"]), unit=str(row["unit"]),
            how=FORMATS.get(str(row["metric"]), "number"),
        )
        for row in metrics.to_dict("records")
    ]  # fmt: skip
    return [*rows, _key("equity", equity, low=None, high=None, n=None, unit="account currency", how="money")]


def _key(name: str, value: Any, *, low: Any, high: Any, n: int | None, unit: str, how: Format) -> dict[str, Any]:
    value, low, high = number(value), number(low), number(high)
    return {
        "name": name,
        "value": value,
        "low": low,
        "high": high,
        "n": n,
        "unit": unit,
        "format": how,
        "text": formatted(value, how),
        "interval": interval(low, high, how),
    }
