"""Trials as the seals have them: which arm, against which, day by day, and how it ended.

A trial's paired daily scores are those that the gate bet on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.arms.gate import Trial, promotion_bar
from edgebook.settings.loading import section
from edgebook.settings.params import AbTest, Gate, Learning, Sizing
from edgebook.statistics import intervals
from edgebook.statistics.metrics import DECIMALS, closed_trades

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgebook.arms.gate import Kind
    from edgebook.seals.week import Week

ON_TRIAL, WAITING = "on trial", "waits for approval"
HYPOTHESES = {"book_difference": "books", "candidate_difference": "all candidates"}
DAY_COLUMNS = ["date", "arm_return", "against_return", *HYPOTHESES, "wealth"]


@dataclass(frozen=True)
class Settings:
    """The sections of params.yaml that the report reads, checked.

    Parameters
    ----------
    gate : Gate
    learning : Learning
    sizing : Sizing
    ab_test : AbTest
    """

    gate: Gate
    learning: Learning
    sizing: Sizing
    ab_test: AbTest

    @property
    def bar(self) -> float:
        """Wealth that promotes."""
        return promotion_bar(self.gate)

    def begin_trial(self, kind: Kind = "promotion", *, bar: float | None = None) -> Trial:
        """Begin a comparison of nobody in particular, as the gate would: as long, at the first challenger's bar."""
        planned = 7 * self.learning.trial_weeks if kind == "promotion" else 0
        at = self.bar if bar is None else bar
        return Trial.begin(kind, arm="", against="", since="", bar=at, planned_days=planned)


@dataclass(frozen=True)
class Comparison:
    """One trial, day by day; without a trial, no day and no name.

    Parameters
    ----------
    kind : {"promotion", "baseline", "rollback"}
    arm, against : str
        Names of recipes; the evidence is for `arm`.
    since, until : str
        Mondays; days from the first to the one before the last.
    bar : float
        Wealth at which it decides.
    outcome : str
        `ON_TRIAL`, `WAITING`, or how it ended.
    days : DataFrame
        One row a day under `DAY_COLUMNS`: net returns of both books, differences of the scores, wealth as sealed.
    """

    kind: Kind
    arm: str
    against: str
    since: str
    until: str
    bar: float
    outcome: str
    days: pd.DataFrame = field(repr=False)

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.outcome in (ON_TRIAL, WAITING)

    @property
    def differences(self) -> NDArray[np.float64]:
        """Paired daily differences, shape (days, 2): books in R, all candidates in usual days' stakes."""
        return self.days[list(HYPOTHESES)].to_numpy(dtype=np.float64)

    @property
    def clusters(self) -> NDArray[np.int64]:
        """Week of each day; with few weeks, the day."""
        return intervals.clusters_of(self.days["date"])

    @property
    def wealth(self) -> float:
        """Wealth at the end; 1 before the first day."""
        return float(self.days["wealth"].iloc[-1]) if len(self.days) else 1.0


def settings_of(
    *,
    gate: Mapping[str, Any],
    learning: Mapping[str, Any],
    sizing: Mapping[str, Any],
    ab_test: Mapping[str, Any],
) -> Settings:
    """Check the notebook's sections.

    Parameters
    ----------
    gate, learning, sizing, ab_test : mapping
        As in params.yaml.

    Raises
    ------
    SettingsError
        A key is unknown, missing, or its value impossible.
    """
    return Settings(
        gate=section(Gate, gate, where="params.yaml: gate"),
        learning=section(Learning, learning, where="params.yaml: learning"),
        sizing=section(Sizing, sizing, where="params.yaml: sizing"),
        ab_test=section(AbTest, ab_test, where="params.yaml: ab_test"),
    )


def comparisons(week: Week, *, kind: Kind) -> list[Comparison]:
    """Every trial of a kind up to this week: those that are over in their order, then those that go on.

    Parameters
    ----------
    week : Week
    kind : {"promotion", "baseline", "rollback"}
    """
    head = week.seal.head
    waits = head["decision"]["action"] == "recommend"
    rows = [(row, str(row["until"]), str(row["outcome"])) for row in head["over"] if row["kind"] == kind]
    for trial in week.seal.trials:
        if trial.kind == kind:
            outcome = WAITING if waits and kind == "promotion" else ON_TRIAL
            rows.append((trial.to_json(), week.seal.as_of, outcome))
    return [
        Comparison(
            kind=kind,
            arm=str(row["arm"]),
            against=str(row["against"]),
            since=str(row["since"]),
            until=until,
            bar=float(row["bar"]),
            outcome=outcome,
            days=_days(week, row, until=until),
        )
        for row, until, outcome in rows
    ]


def shown_trial(week: Week, *, kind: Kind = "promotion") -> Comparison:
    """The trial that the report shows: the one that goes on, or else the last one.

    Parameters
    ----------
    week : Week
    kind : {"promotion", "baseline", "rollback"}

    Returns
    -------
    Comparison
        Without a challenger so far, the baseline; without that too, or of another kind, no names and no days.
    """
    found = comparisons(week, kind=kind)
    if not found and kind == "promotion":
        found = comparisons(week, kind="baseline")
    if found:
        return found[-1]
    nothing = pd.DataFrame(columns=DAY_COLUMNS).astype(dict.fromkeys(DAY_COLUMNS[1:], np.float64))
    return Comparison(kind, "", "", week.as_of, week.as_of, np.nan, "none", nothing)


def every_trial(week: Week) -> pd.DataFrame:
    """Every challenger so far, every watch over a promotion, and the baselines.

    Parameters
    ----------
    week : Week

    Returns
    -------
    DataFrame
        One row a trial, by kind, then time: kind, recipe, title, against, since, until, n (days), difference (R a day,
        books) with `_low` and `_high`, wealth, bar, outcome.
    """
    rows: list[dict[str, object]] = []
    kinds: tuple[Kind, ...] = ("promotion", "rollback", "baseline")
    for kind in kinds:
        for found in comparisons(week, kind=kind):
            values = found.days["book_difference"].to_numpy(dtype=np.float64)
            rows.append(
                {
                    "kind": kind,
                    "recipe": found.arm,
                    "title": week.seal.recipes[found.arm]["title"],
                    "against": found.against,
                    "since": found.since,
                    "until": "" if found.running else found.until,
                    "n": len(values),
                    **banded("difference", intervals.mean_interval(values, clusters=found.clusters)),
                    "wealth": found.wealth,
                    "bar": found.bar,
                    "outcome": found.outcome,
                }
            )
    names = ["kind", "recipe", "title", "against", "since", "until", "n", "difference", "difference_low"]
    return rounded(pd.DataFrame(rows, columns=[*names, "difference_high", "wealth", "bar", "outcome"]))


def trades_of(found: Comparison, trades: pd.DataFrame, *, arm: str) -> pd.DataFrame:
    """Signals of one arm that were entered in the days of the trial and have closed in them.

    Parameters
    ----------
    found : Comparison
    trades : DataFrame
        Trades of every arm's own book, column `arm`.
    arm : str
    """
    since, until = (pd.Timestamp(day, tz="UTC") for day in (found.since, found.until))
    if "arm" not in trades or trades.empty:
        return closed_trades(trades)
    own = trades[(trades["arm"] == arm) & (trades["open_date"] >= since) & (trades["close_date"] <= until)]
    return closed_trades(own)


def _days(week: Week, row: Mapping[str, Any], *, until: str) -> pd.DataFrame:
    """Returns of both books and the evidence, one row a day of a trial."""
    since, end = (pd.Timestamp(day, tz="UTC") for day in (str(row["since"]), until))
    if week.gate.empty:
        return pd.DataFrame(columns=DAY_COLUMNS).astype(dict.fromkeys(DAY_COLUMNS[1:], np.float64))
    gate = week.gate[
        (week.gate["kind"] == row["kind"])
        & (week.gate["arm"] == row["arm"])
        & (week.gate["against"] == row["against"])
        & (week.gate["date"] >= since)
        & (week.gate["date"] < end)
    ]
    wide = week.days.pivot(index="date", columns="arm", values="return_ratio")
    both = wide.reindex(gate["date"], columns=[row["arm"], row["against"]])
    return pd.DataFrame(
        {
            "date": gate["date"].to_numpy(),
            "arm_return": both[row["arm"]].to_numpy(),
            "against_return": both[row["against"]].to_numpy(),
            **{name: gate[name].to_numpy(dtype=np.float64) for name in (*HYPOTHESES, "wealth")},
        },
    ).assign(date=lambda frame: pd.to_datetime(frame["date"], utc=True).astype("datetime64[ms, UTC]"))


def banded(name: str, found: intervals.Interval) -> dict[str, float]:
    """Columns of an estimate and its two ends.

    Parameters
    ----------
    name : str
    found : Interval
    """
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Round every float, so that the last bit of a sum never shows.

    Parameters
    ----------
    frame : DataFrame
    """
    numbers = [name for name in frame.columns if pd.api.types.is_float_dtype(frame[name])]
    return frame.assign(**{name: frame[name].round(DECIMALS) for name in numbers})
