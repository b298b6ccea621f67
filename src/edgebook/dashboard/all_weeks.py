"""Every week of a history in a row each, from the seals alone: what the page over all weeks shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from edgebook.arms.drift_words import KIND as DRIFT
from edgebook.arms.drift_words import alarms_of
from edgebook.seals.seal_lines import book_share
from edgebook.statistics.intervals import clusters_of, mean_interval, rate_interval
from edgebook.statistics.metrics import break_even_win_rate
from edgebook.summary.summary_numbers import WINDOW_WEEKS, window_trades

if TYPE_CHECKING:
    from edgebook.seals.seals import Seal
    from edgebook.seals.week import Week

MARKED = ("promoted", "rolled back", "pinned", "retired")
"""Kinds of events that the picture marks."""


class Estimate(NamedTuple):
    """A value with its 95 % interval; None where it is not known."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


UNKNOWN = Estimate()


class Wealth(NamedTuple):
    """Evidence of one trial at the end of a week: for a challenger ("promotion") or against a champion ("rollback")."""

    kind: str
    arm: str
    value: float
    bar: float


class Event(NamedTuple):
    """What happened to a recipe."""

    kind: str
    recipe: str
    text: str


@dataclass(frozen=True)
class WeekRow:
    """One week of the page over all.

    Parameters
    ----------
    as_of : str
        The Monday at which it ended.
    champion, version, challenger : str
        Recipe and version in force, and the recipe on trial, "" where there is none.
    decision : str
        In a few words.
    tone : {"good", "bad", "wait", "plain"}
    signals : int
        That closed in the week.
    equity : float
        At its end, account currency.
    win_rate, expectancy : Estimate
        Of signals that closed in the `WINDOW_WEEKS` weeks up to it; a fraction, and R.
    break_even : float or None
        Win rate at which those would have made nothing.
    wealth : tuple of Wealth
    events : tuple of Event
        Alarms of the drift watch excepted.
    alarms : int
    address : str
        Of its reports, relative to ``reports/``; "" for a week that has a seal and no reports.
    """

    as_of: str
    champion: str
    version: str
    decision: str
    signals: int
    equity: float
    challenger: str = ""
    tone: Literal["good", "bad", "wait", "plain"] = "plain"
    win_rate: Estimate = UNKNOWN
    expectancy: Estimate = UNKNOWN
    break_even: float | None = None
    wealth: tuple[Wealth, ...] = ()
    events: tuple[Event, ...] = ()
    alarms: int = 0
    address: str = ""


def all_weeks(week: Week) -> list[WeekRow]:
    """One row a sealed week, in order.

    Parameters
    ----------
    week : Week
        The last; its own page counts as written.
    """
    return [
        _row(week.seals[max(0, number + 1 - WINDOW_WEEKS) : number + 1], address=_address(week, seal.as_of))
        for number, seal in enumerate(week.seals)
    ]


def decision_words(seal: Seal) -> tuple[str, Literal["good", "bad", "wait", "plain"]]:
    """The decision in a few words, and its tone."""
    decision = seal.head["decision"]
    action, recipe = decision["action"], str(decision.get("recipe", ""))
    words: dict[str, tuple[str, Literal["good", "bad", "wait", "plain"]]] = {
        "begin": ("history begins", "plain"),
        "keep": ("keep", "plain"),
        "no challenger": ("keep, no challenger", "plain"),
        "retire": (f"retire {recipe}", "plain"),
        "promote": (f"promote {recipe}", "good"),
        "recommend": (f"{recipe} awaits approval", "wait"),
        "pin": (f"{recipe} set by hand", "wait"),
        "roll back": (f"roll back to {recipe}", "bad"),
    }
    return words[action]


def _row(recent: list[Seal], *, address: str) -> WeekRow:
    """Row of the last of some weeks, rates over all of them."""
    seal = recent[-1]
    trades = window_trades(recent)
    rate, mean, even = UNKNOWN, UNKNOWN, None
    if len(trades):
        profit = trades["profit_ratio"].to_numpy(np.float64)
        clusters = clusters_of(trades["open_date"])
        found = rate_interval(profit > 0, clusters=clusters)
        earned = mean_interval(trades["r_multiple"].to_numpy(np.float64), clusters=clusters)
        rate = Estimate(*(_known(x) for x in (found.value, found.low, found.high)))
        mean = Estimate(*(_known(x) for x in (earned.value, earned.low, earned.high)))
        even = _known(break_even_win_rate(profit, clusters=clusters).value)
    said, tone = decision_words(seal)
    share = book_share(seal)
    wealth = [
        Wealth(trial.kind, trial.arm, trial.wealth(book_share=share), trial.bar)
        for trial in seal.trials
        if trial.kind != "baseline"
    ]
    wealth += [
        Wealth(row["kind"], row["arm"], float(row["wealth"]), float(row["bar"]))
        for row in seal.head["over"]
        if row["kind"] != "baseline" and row["until"] == seal.as_of
    ]
    return WeekRow(
        as_of=seal.as_of,
        champion=seal.champion,
        version=str(seal.head["champion_version"]),
        challenger=str(seal.head["challenger"] or ""),
        decision=said,
        tone=tone,
        signals=int((seal.ledger["status"] == "closed").sum()) if len(seal.ledger) else 0,
        equity=seal.account.equity,
        win_rate=rate,
        expectancy=mean,
        break_even=even,
        wealth=tuple(wealth),
        events=tuple(Event(e["kind"], str(e["recipe"]), str(e["text"])) for e in seal.head["events"]
                     if e["kind"] != DRIFT),
        alarms=len(alarms_of(seal.head)),
        address=address,
    )  # fmt: skip


def _address(week: Week, as_of: str) -> str:
    there = as_of == week.as_of or (week.paths.report(as_of=as_of) / "index.html").exists()
    return f"{as_of}/index.html" if there else ""


def _known(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None
