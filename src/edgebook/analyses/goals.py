"""The scoreboard: what the system is held against, each goal with its value, its 95 % interval, n, and a verdict.

One rule decides: a goal is *met* when the whole interval reaches it, *not met* when none of it does, and until then it
is *too early* to say; so it is before `MIN_WEEKS` weeks, whatever the interval. Where something is simply counted
(interventions, a drawdown that has happened) the count decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd

from edgebook.analyses.goal_values import Gain, manual_interventions, rate_gain, regime_profit
from edgebook.analyses.learning_curve import week_number
from edgebook.analyses.tracks import ACCOUNT, FROZEN
from edgebook.settings.loading import section
from edgebook.settings.params import Goals
from edgebook.statistics.cells import MIN_EFFECTIVE
from edgebook.statistics.intervals import UNDEFINED, Interval
from edgebook.statistics.metrics import book_metrics, closed_trades, trade_metrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.analyses.random_policies import RandomPolicies
    from edgebook.analyses.tracks import Track

Verdict = Literal["met", "not met", "too early"]
MET: Final = "met"
NOT_MET: Final = "not met"
TOO_EARLY: Final = "too early"
MIN_WEEKS = 8
START_WEEKS, NOW_WEEKS = 8, 26
"""The start of a history, and its last half-year; they never overlap."""
COLUMNS = ["goal", "target", "value", "low", "high", "how", "n", "n_against", "unit", "verdict"]
COUNTED = ("Manual interventions", "Largest drawdown")
"""Goals on which a count decides, however early."""


def verdict(found: Interval, *, goal: float, higher_is_better: bool = True) -> Verdict:
    """Hold an interval against a goal.

    Parameters
    ----------
    found : Interval
    goal : float
        Reached when equalled.
    higher_is_better : bool
        False when the value must stay under the goal.

    Examples
    --------
    >>> verdict(Interval(0.62, 0.55, 0.69, 80, 60.0), goal=0.7), verdict(Interval(0.62, 0.5, 0.74, 80, 60.0), goal=0.7)
    ('not met', 'too early')
    """
    if not (np.isfinite(found.low) and np.isfinite(found.high)):
        return TOO_EARLY
    if higher_is_better:
        return MET if found.low >= goal else NOT_MET if found.high < goal else TOO_EARLY
    return MET if found.high < goal else NOT_MET if found.low >= goal else TOO_EARLY


def scoreboard(
    tracks: Mapping[str, Track],
    chance: Mapping[str, RandomPolicies],
    *,
    known: pd.DataFrame,
    thresholds: pd.DataFrame,
    heads: Sequence[Mapping[str, Any]],
    goals: Mapping[str, Any],
    weeks: Sequence[str],
    periods_per_year: float,
) -> pd.DataFrame:
    """Every goal with value, interval, n and verdict.

    Parameters
    ----------
    tracks : mapping of str to Track
        `account`, and `frozen` where there is one.
    chance : mapping of str to RandomPolicies
        Both nulls of `random_policies`.
    known, thresholds : DataFrame
        As `policy_history.best_of_regimes` and `threshold_evidence` give them.
    heads : sequence of mapping
        seal.json of every week.
    goals : mapping
        Section `goals` of params.yaml.
    weeks : sequence of str
        Sealed Mondays.
    periods_per_year : float
        Trading days a year of the market.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`: target in words, value and ends in the unit that `how` formats, n in `unit` (of the other
        set in n_against, where two are compared).
    """
    held = section(Goals, goals, where="params.yaml: goals")
    account = tracks[ACCOUNT]
    trades = account.trades
    found = trade_metrics(trades, days=max(len(account.days), 1)).set_index("metric")
    book = book_metrics(account.days, periods_per_year=periods_per_year).set_index("metric")
    rows = _gains(tracks, weeks=weeks, goals=held)
    rows.append(_known("Best indicators known", known["indicator_known"].eq(True)))
    rows.append(_certified(thresholds))
    rows += [
        _row("Win rate", f"at least {_percent(held.win_rate)}", _metric(found, "win_rate"), goal=held.win_rate),
        _row("Profit factor", f"at least {held.profit_factor:g}", _metric(found, "profit_factor"),
             goal=held.profit_factor, how="number"),
        _row("Sharpe ratio, annual", f"above {held.sharpe_ratio:g}", _metric(book, "sharpe_ratio"),
             goal=held.sharpe_ratio, how="number", unit="days"),
        _drawdown(_metric(book, "max_drawdown"), goal=held.max_drawdown),
        _untouched(manual_interventions(heads), weeks=len(weeks) - 1),
        _every_regime(regime_profit(trades)),
    ]  # fmt: skip
    for null, said in (("mix", "with sides of their own"), ("sides", "with the account's sides")):
        target = f"at least {held.random_percentile:g}"
        rows.append(
            _row(f"Percentile among random policies {said}", target, chance[null].percentile,
                 goal=held.random_percentile, how="percentile")
        )  # fmt: skip
    board = pd.DataFrame(rows).reindex(columns=COLUMNS)
    if len(weeks) - 1 < MIN_WEEKS:
        happened = board["goal"].isin(COUNTED) & (board["verdict"] != MET)
        untouched = board["goal"] == COUNTED[0]
        board["verdict"] = board["verdict"].where(happened | untouched, TOO_EARLY)
    return board


def _gains(tracks: Mapping[str, Track], *, weeks: Sequence[str], goals: Goals) -> list[dict[str, object]]:
    """Win rate and false signals against the start and against the frozen policy."""
    trades, count = tracks[ACCOUNT].trades, len(weeks) - 1
    number = week_number(trades["open_date"], genesis=weeks[0])
    now = trades[number > max(START_WEEKS, count - NOW_WEEKS)]
    start = trades[number <= START_WEEKS]
    lately = min(NOW_WEEKS, max(count - START_WEEKS, 0))
    said_lately = f"latest {lately} weeks" if lately > 1 else "latest week" if lately else "later weeks"
    against = {f"{said_lately} against the first {START_WEEKS}": (now, start)}
    if FROZEN in tracks:
        against["same weeks, against the frozen first policy"] = (trades, tracks[FROZEN].trades)
    rows = []
    points, cut = f"at least +{goals.win_rate_gain * 100:g} pp", f"at least {_percent(goals.false_signal_cut)}"
    kinds: tuple[tuple[Gain, str, str, float, str], ...] = (
        ("win_rate", "Win rate gained", points, goals.win_rate_gain, "points"),
        ("false_signal_cut", "False signals cut", cut, goals.false_signal_cut, "percent"),
    )
    for kind, label, target, goal, how in kinds:
        for said, (mine, other) in against.items():
            gain = rate_gain(mine, other, kind=kind)
            row = _row(f"{label}: {said}", target, gain, goal=goal, how=how)
            sizes = {"n": len(closed_trades(mine)), "n_against": len(closed_trades(other))}
            young = {"verdict": TOO_EARLY} if mine is now and lately < MIN_WEEKS else {}
            rows.append(row | sizes | young)
    return rows


def _row(
    goal_name: str, target: str, found: Interval, *, goal: float, how: str = "percent", unit: str = "signals"
) -> dict[str, object]:
    """One row of a goal that an interval decides."""
    return {
        "goal": goal_name,
        "target": target,
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "how": how,
        "n": found.n,
        "unit": unit,
        "verdict": verdict(found, goal=goal),
    }


def _counted(goal_name: str, target: str, *, value: float, n: int, unit: str, decided: Verdict) -> dict[str, object]:
    """One row of a goal that is counted."""
    ends = {"value": value, "low": np.nan, "high": np.nan}
    return {"goal": goal_name, "target": target, **ends, "how": "integer", "n": n, "unit": unit, "verdict": decided}


def _known(name: str, shown: pd.Series[Any]) -> dict[str, object]:
    """In how many regimes something is known; what is not known yet may still be."""
    decided: Verdict = MET if shown.all() else TOO_EARLY
    return _counted(name, "in each regime", value=int(shown.sum()), n=len(shown), unit="regimes", decided=decided)


def _certified(thresholds: pd.DataFrame) -> dict[str, object]:
    """In how many regimes a threshold is certified; not met where its candidates are shown to lose."""
    row = _known("Certified thresholds", thresholds["certified"])
    losing = bool(((thresholds["high"] < 0) & (thresholds["weeks"] >= MIN_WEEKS)).any())
    return row | {"verdict": NOT_MET if losing and row["verdict"] != MET else row["verdict"]}


def _drawdown(found: Interval, *, goal: float) -> dict[str, object]:
    """A drawdown that has happened decides; one that has not may still come."""
    row = _row(COUNTED[1], f"under {_percent(goal)}", found, goal=goal, unit="days")
    decided = NOT_MET if found.value >= goal else verdict(found, goal=goal, higher_is_better=False)
    return row | {"verdict": decided}


def _untouched(count: int, *, weeks: int) -> dict[str, object]:
    """No manual intervention: counted, and too early before there was a week to intervene in."""
    decided: Verdict = TOO_EARLY if weeks == 0 else NOT_MET if count else MET
    return _counted(COUNTED[0], "none", value=count, n=weeks, unit="weeks", decided=decided)


def _every_regime(profits: pd.DataFrame) -> dict[str, object]:
    """Profit in every regime: the least profitable one decides."""
    n, unit = int(profits["n"].sum()), "signals"
    seen = profits.dropna(subset=["mean_r"])
    if seen.empty:
        return _row("Profit in every regime", "above 0 R in each", UNDEFINED, goal=0.0, how="r")
    least = seen.sort_values("mean_r").iloc[0]
    enough = profits["n_effective"] >= MIN_EFFECTIVE
    losing, gaining = bool((enough & (profits["high"] < 0)).any()), bool((enough & (profits["low"] > 0)).all())
    found = Interval(float(least["mean_r"]), float(least["low"]), float(least["high"]), n, np.nan)
    name = f"Profit in every regime; least in {str(least['regime']).replace('_', ' ')}"
    decided = MET if gaining else NOT_MET if losing else TOO_EARLY
    return _row(name, "above 0 R in each", found, goal=0.0, how="r", unit=unit) | {"verdict": decided}


def _metric(found: pd.DataFrame, name: str) -> Interval:
    value, low, high = (float(found[end][name]) for end in ("value", "low", "high"))
    return Interval(value, low, high, int(found["n"][name]), np.nan)


def _percent(share: float) -> str:
    return f"{share * 100:g} %"
