"""The rules of params.yaml that types cannot say, one function a section."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from edgebook.errors import SettingsError
from edgebook.settings.bar_database import Database, check_database
from edgebook.settings.bar_feed import Feed, check_feed
from edgebook.settings.bar_files import Files, check_files
from edgebook.settings.desk_outcomes import Outcomes, check_outcomes
from edgebook.settings.desk_section import Desk, check_desk
from edgebook.settings.params import AbTest, Bars, Candidates, Drift, Gate, Learning, Params, Run, Sizing, Tuning
from edgebook.settings.recipes import HEAD_LETTERS, Recipe
from edgebook.settings.sections import join
from edgebook.settings.timeframes import TIMEFRAMES
from edgebook.settings.universe import check_universe

if TYPE_CHECKING:
    from edgebook.settings.sections import Rules

LEAST_WARMUP_WEEKS = 8
"""Weeks that must at least be scored before a history's first seal."""


def _require(condition: bool, where: str, rule: str) -> None:
    if not condition:
        raise SettingsError(f"{where}: {rule}")


def monday(text: str, where: str) -> datetime.date:
    """Read a date that must be a Monday.

    Raises
    ------
    SettingsError
        It is not a date, or not a Monday; the message names the nearest one before it.
    """
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{where}: {text!r} is not a date like 2019-07-01") from error
    if day.weekday() != 0:
        before = day - datetime.timedelta(days=day.weekday())
        raise SettingsError(
            f"{where}: {text} is a {day:%A}; weeks end on a Monday 00:00 UTC, the one before is {before}"
        )
    return day


def _check_run(run: Run, where: str) -> None:
    as_of = monday(run.as_of, join(where, "as_of"))
    previous = monday(run.previous, join(where, "previous"))
    genesis = monday(run.genesis, join(where, "genesis"))
    week = datetime.timedelta(days=7)
    _require(previous == as_of - week, join(where, "previous"), f"must be the Monday before as_of, {as_of - week}")
    _require(genesis < as_of, join(where, "genesis"), f"{genesis} must lie before as_of {as_of}")
    _require(
        bool(run.history) and run.history.replace("_", "").replace("-", "").isalnum(),
        join(where, "history"),
        f"{run.history!r} must be letters, digits, _ and - (it names a folder)",
    )


def _check_bars(bars: Bars, where: str) -> None:
    _require(len(bars.timeframes) > 0, join(where, "timeframes"), "name at least one")
    for timeframe in bars.timeframes:
        known = ", ".join(TIMEFRAMES)
        _require(timeframe in TIMEFRAMES, join(where, "timeframes"), f"{timeframe!r} is not one of {known}")
    check_universe(bars.universe, file=bars.universe_file, holidays=bars.holidays, where=where)


def _check_candidates(grid: Candidates, where: str) -> None:
    for name in ("take_profit_atr", "stop_loss_atr", "time_limit_bars"):
        values = getattr(grid, name)
        _require(len(values) > 0, join(where, name), "name at least one value")
        _require(all(v > 0 for v in values), join(where, name), f"must be above 0, is {list(values)}")
    for name in ("fee_bps", "slippage_bps", "short_financing_bps_per_day"):
        _require(getattr(grid, name) >= 0, join(where, name), f"must not be negative, is {getattr(grid, name)}")


def _check_recipe(recipe: Recipe, where: str) -> None:
    _require(recipe.train_weeks >= 4, join(where, "train_weeks"), f"must be at least 4, is {recipe.train_weeks}")
    _require(recipe.refit_weeks >= 0, join(where, "refit_weeks"), "must be 0 (never) or a number of weeks")
    _require(recipe.shrinkage > 0, join(where, "shrinkage"), f"must be above 0, is {recipe.shrinkage}")
    _require(
        0.5 <= recipe.signal_quantile < 1,
        join(where, "signal_quantile"),
        f"must be in [0.5, 1), is {recipe.signal_quantile}",
    )
    _require(0 <= recipe.min_heads_agree <= 9, join(where, "min_heads_agree"), "must be 0 to 9")
    _require(recipe.half_life_weeks > 0, join(where, "half_life_weeks"), "must be above 0")
    for letter in recipe.head_shrinkage:
        _require(letter in HEAD_LETTERS, join(where, "head_shrinkage"), f"{letter!r} is not a head; heads are A to I")


def _check_sizing(sizing: Sizing, where: str) -> None:
    _require(sizing.start_capital > 0, join(where, "start_capital"), "must be above 0")
    _require(0 < sizing.risk_per_trade <= 0.05, join(where, "risk_per_trade"), "must be in (0, 0.05]")
    _require(sizing.max_positions >= 1, join(where, "max_positions"), "must be at least 1")
    _require(
        sizing.max_total_risk >= sizing.risk_per_trade,
        join(where, "max_total_risk"),
        "must hold at least one risk_per_trade",
    )


def _check_learning(learning: Learning, where: str) -> None:
    _require(
        learning.warmup_weeks >= LEAST_WARMUP_WEEKS,
        join(where, "warmup_weeks"),
        f"must be at least {LEAST_WARMUP_WEEKS}",
    )
    _require(learning.trial_weeks >= 4, join(where, "trial_weeks"), "must be at least 4")
    _require(0 < learning.certify_alpha <= 0.2, join(where, "certify_alpha"), "must be in (0, 0.2]")
    for i, pin in enumerate(learning.pins):
        monday(pin.week, f"{where}.pins[{i}].week")
    for i, approval in enumerate(learning.approvals):
        monday(approval.week, f"{where}.approvals[{i}].week")


def _check_gate(gate: Gate, where: str) -> None:
    _require(0 < gate.alpha_per_year <= 0.2, join(where, "alpha_per_year"), "must be in (0, 0.2]")
    _require(gate.admissions_per_year >= 1, join(where, "admissions_per_year"), "must be at least 1")
    _require(0 < gate.book_share <= 1, join(where, "book_share"), "must be in (0, 1]")
    _require(
        gate.max_loss_r >= gate.max_gain_r > 0,
        join(where, "max_loss_r"),
        "must be at least max_gain_r: lags are bounded less tightly than leads, or a book that picks pennies passes",
    )


def _check_tuning(tuning: Tuning, where: str) -> None:
    _require(tuning.batch >= 1, join(where, "batch"), f"must be at least 1, is {tuning.batch}")
    _require(tuning.workers >= 0, join(where, "workers"), "must be 0 (one a core, up to four) or a number of processes")


def _check_ab_test(ab_test: AbTest, where: str) -> None:
    _require(
        0 < ab_test.share < 1,
        join(where, "share"),
        f"must lie between 0 and 1, is {ab_test.share}: each arm needs signals; with paired routing it is not used",
    )


def _check_drift(drift: Drift, where: str) -> None:
    _require(drift.false_alarms_per_year > 0, join(where, "false_alarms_per_year"), "must be above 0")
    _require(0 < drift.smallest_fall < 1, join(where, "smallest_fall"), "must be a share of wins in (0, 1)")
    _require(drift.smallest_count_per_week > 0, join(where, "smallest_count_per_week"), "must be above 0")


def _check_params(params: Params, where: str) -> None:
    champions = [name for name, recipe in params.recipes.items() if recipe.role == "champion"]
    challengers = [name for name, recipe in params.recipes.items() if recipe.role == "challenger"]
    _require(len(champions) == 1, f"{where}: recipes", f"exactly one has role champion at genesis, found {champions}")
    _require(
        len(challengers) <= 1, f"{where}: recipes", f"at most one has role challenger at genesis, found {challengers}"
    )
    grid = params.candidates
    plans = {
        f"tp{tp}_sl{sl}_t{t}" for tp in grid.take_profit_atr for sl in grid.stop_loss_atr for t in grid.time_limit_bars
    }
    declared = params.outcomes.exit_plan
    _require(
        declared is None or declared in plans,
        f"{where}: outcomes.exit_plan",
        f"{declared} is not in the grid of section candidates; the first of it is {min(plans)}",
    )
    for name, recipe in params.recipes.items():
        _require(
            recipe.regimes != "desk" or params.desk.regimes is not None,
            f"{where}: recipes.{name}.regimes",
            "desk: no column is declared; name the one that holds your regimes in desk.regimes",
        )
        if recipe.role == "proposal":
            _require(
                recipe.proposed is not None,
                f"{where}: recipes.{name}.proposed",
                "a proposal is dated; give the Monday from which on it may be admitted, the next run.as_of",
            )
            monday(str(recipe.proposed), f"{where}: recipes.{name}.proposed")
        _require(
            recipe.exit_plan in plans,
            f"{where}: recipes.{name}.exit_plan",
            f"{recipe.exit_plan} is not in the grid of section candidates; the first of it is {min(plans)}",
        )


RULES: Rules = {
    Run: _check_run,
    Bars: _check_bars,
    Files: check_files,
    Database: check_database,
    Feed: check_feed,
    Candidates: _check_candidates,
    Recipe: _check_recipe,
    Sizing: _check_sizing,
    Learning: _check_learning,
    Gate: _check_gate,
    Tuning: _check_tuning,
    AbTest: _check_ab_test,
    Drift: _check_drift,
    Outcomes: check_outcomes,
    Desk: check_desk,
    Params: _check_params,
}
"""By section, what its types cannot say."""
