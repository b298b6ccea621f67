"""When rules that people use would have promoted, and what that cost: the record of a trial, looked at every week.

Each rule sees what the gate sees, week by week, and promotes for good at the first look that pleases it. "Always the
newest" does not look at all: it replaces the old model on the day the new one is made, as FreqAI of freqtrade and the
rolling retraining of qlib do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.seals.seal_text import read_csv
from edgebook.seals.seals import read_head, sealed_weeks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edgebook.arms.gate import Kind
    from edgebook.paths import Paths

NEVER = -1
LEVEL = 0.05
"""One-sided, of the two tests: chosen by who promotes whenever p is below 5 % and the challenger is ahead."""
MIN_WEEKS = 4
"""First look of the tests, and of the patient half of those who compare win rates."""
EAGER, PATIENT, TWO_RATES, PAIRED_T, NEWEST = (
    "higher win rate, from week 1",
    "higher win rate, from week 4",
    "weekly two-proportion z",
    "weekly paired t",
    "always the newest",
)
RULES = (EAGER, PATIENT, TWO_RATES, PAIRED_T, NEWEST)


@dataclass(frozen=True)
class TrialRecord:
    """What each whole week of one trial brought; the last axis is challenger, champion.

    Parameters
    ----------
    arm, against : str
        Names of recipes.
    since : str
        Monday of its beginning.
    signals, wins : ndarray, shape (weeks, 2)
        Closed in the week, of signals entered since the trial began; a win has a net profit.
    r : ndarray, shape (weeks, 2)
        Daily scores of the books, summed: net R, marked to market.
    difference_r : ndarray, shape (weeks,)
        Paired difference of the books, in R, as the gate was given it.
    outcome : str
        How the gate ended the trial; "on trial" while it goes on.
    wealth : ndarray, shape (weeks,)
        Highest wealth of the week; NaN where no gate was asked.
    """

    arm: str
    against: str
    since: str
    signals: NDArray[np.float64] = field(repr=False)
    wins: NDArray[np.float64] = field(repr=False)
    r: NDArray[np.float64] = field(repr=False)
    difference_r: NDArray[np.float64] = field(repr=False)
    outcome: str = "on trial"
    wealth: NDArray[np.float64] = field(default_factory=lambda: np.empty(0), repr=False)

    def __len__(self) -> int:
        """Weeks."""
        return len(self.difference_r)


def promotion_weeks(record: TrialRecord) -> dict[str, int | None]:
    """Weeks after which each rule promotes the challenger of one trial.

    Parameters
    ----------
    record : TrialRecord

    Returns
    -------
    dict of str to int or None
        By name of `RULES`: whole weeks seen, 0 at admission; None for never.

    Examples
    --------
    >>> signals = np.full((5, 2), 10.0)
    >>> wins = np.array([[5, 6], [6, 5], [7, 4], [5, 5], [5, 5]], dtype=float)
    >>> difference = np.array([-1.0, 1.0, 2.0, 0.0, 0.0])
    >>> record = TrialRecord("r3", "r1", "2018-04-02", signals, wins, wins, difference)
    >>> list(promotion_weeks(record).values())
    [3, 4, None, None, 0]
    """
    found = rule_weeks(record.signals[None], record.wins[None], difference_r=record.difference_r[None])
    return {rule: None if weeks[0] == NEVER else int(weeks[0]) for rule, weeks in found.items()}


def rule_weeks(
    signals: NDArray[np.float64], wins: NDArray[np.float64], *, difference_r: NDArray[np.float64]
) -> dict[str, NDArray[np.int64]]:
    """Weeks after which each rule promotes, of many trials of the same length at once.

    Parameters
    ----------
    signals, wins : ndarray, shape (trials, weeks, 2)
        As in `TrialRecord`.
    difference_r : ndarray, shape (trials, weeks)

    Returns
    -------
    dict of str to ndarray of int64, shape (trials,)
        By name of `RULES`: whole weeks seen, 0 at admission; `NEVER` for never.

    Notes
    -----
    A look sees the weeks up to it and no others. The two tests have known false alarms at one look only.
    """
    from scipy import stats

    z, ahead = two_rates(signals, wins)
    t, look = running_t(difference_r), np.arange(1, difference_r.shape[1] + 1)
    limit = stats.t.ppf(1 - LEVEL, np.maximum(look - 1, 1))
    return {
        EAGER: first_look(ahead, least_weeks=1),
        PATIENT: first_look(ahead, least_weeks=MIN_WEEKS),
        TWO_RATES: first_look(z > stats.norm.ppf(1 - LEVEL), least_weeks=MIN_WEEKS),
        PAIRED_T: first_look(t > limit, least_weeks=MIN_WEEKS),
        NEWEST: np.zeros(len(signals), np.int64),
    }


def two_rates(signals: NDArray[np.float64], wins: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Pooled z of two win rates after each week, and whether the challenger's is higher.

    Parameters
    ----------
    signals, wins : ndarray, shape (trials, weeks, 2)

    Returns
    -------
    ndarray, ndarray of bool, shape (trials, weeks)
        0 and False while either arm has no closed signal.
    """
    n, won = np.cumsum(signals, axis=1), np.cumsum(wins, axis=1)
    known = (n > 0).all(axis=2)
    least = np.maximum(n, 1)
    gap = won[..., 0] / least[..., 0] - won[..., 1] / least[..., 1]
    pooled = won.sum(axis=2) / np.maximum(n.sum(axis=2), 1)
    error = np.sqrt(pooled * (1 - pooled) * (1 / least).sum(axis=2))
    z = np.divide(gap, error, out=np.zeros_like(gap), where=known & (error > 0))
    return z, known & (gap > 1e-12)


def running_t(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Student's t of the first k values of each row, for every k; 0 where it is not defined.

    Parameters
    ----------
    values : ndarray, shape (trials, weeks)
    """
    k = np.arange(1, values.shape[1] + 1)
    total, squares = np.cumsum(values, axis=1), np.cumsum(values**2, axis=1)
    variance = (squares - total**2 / k) / np.maximum(k - 1, 1)
    error = np.sqrt(np.maximum(variance, 0) / k)
    return np.asarray(np.divide(total / k, error, out=np.zeros_like(total), where=error > 1e-9))


def first_look(promotes: NDArray[np.bool_], *, least_weeks: int) -> NDArray[np.int64]:
    """Whole weeks seen at the first look that promotes, `NEVER` without one.

    Parameters
    ----------
    promotes : ndarray of bool, shape (trials, weeks)
    least_weeks : int
        Looks before it do not count.

    Examples
    --------
    >>> first_look(np.array([[True, False, True], [False, False, False]]), least_weeks=2).tolist()
    [3, -1]
    """
    counted = promotes[:, least_weeks - 1 :]
    if not counted.shape[1]:
        return np.full(len(promotes), NEVER)
    return np.where(counted.any(axis=1), counted.argmax(axis=1) + least_weeks, NEVER)


def r_after(difference_r: NDArray[np.float64], weeks: NDArray[np.int64]) -> NDArray[np.float64]:
    """What promoting brought: R of the promoted arm less the champion's over the rest of each trial.

    Parameters
    ----------
    difference_r : ndarray, shape (trials, weeks)
    weeks : ndarray of int64, shape (trials,)
        Whole weeks seen at the promotion; `NEVER` brings nothing.

    Examples
    --------
    >>> r_after(np.array([[1.0, -2.0, -3.0], [4.0, 4.0, 4.0]]), np.array([1, NEVER])).tolist()
    [-5.0, 0.0]
    """
    from_here = np.arange(difference_r.shape[1]) >= weeks[:, None]
    return np.asarray(np.where(from_here & (weeks != NEVER)[:, None], difference_r, 0.0).sum(axis=1))


def records_of(paths: Paths, history: str, *, kind: Kind = "promotion") -> list[TrialRecord]:
    """Every trial of a history, week by week, from its seals.

    Parameters
    ----------
    paths : Paths
    history : str
    kind : {"promotion", "baseline", "rollback"}

    Returns
    -------
    list of TrialRecord
        Those that are over first, in their order; without a whole week there is none.

    Notes
    -----
    Only gate.csv, days.csv and shadow.csv of each seal are read, and not held to their digests.
    """
    weeks = sealed_weeks(paths, history)
    if not weeks:
        return []
    head = read_head(paths, history=history, as_of=weeks[-1])
    over = [row for row in head["over"] if row["kind"] == kind]
    going = [row | {"until": weeks[-1], "outcome": "on trial"} for row in head["trials"] if row["kind"] == kind]
    if not over + going:
        return []
    folders = [paths.seal(history=history, as_of=week) for week in weeks[1:]]
    gate, days, shadow = (
        _stacked([read_csv((folder / f"{name}.csv").read_text(encoding="utf-8")) for folder in folders])
        for name in ("gate", "days", "shadow")
    )
    found = [_record(row, gate, days=days, shadow=shadow) for row in over + going]
    return [record for record in found if len(record)]


def _record(row: Mapping[str, object], gate: pd.DataFrame, *, days: pd.DataFrame, shadow: pd.DataFrame) -> TrialRecord:
    """One trial out of the tables of all weeks; dates are ISO text, which sorts as time does."""
    since, until, arms = str(row["since"]), str(row["until"]), (str(row["arm"]), str(row["against"]))
    monday = pd.Timestamp(since)
    own = gate[(gate["kind"] == row["kind"]) & (gate["arm"] == arms[0]) & (gate["against"] == arms[1])]
    own = own[(own["date"] >= since) & (own["date"] < until)]
    weeks = len(own) // 7
    own = own.iloc[: 7 * weeks]
    closed = shadow[(shadow["status"] == "closed") & (shadow["open_date"] >= since)]
    counts, r = np.zeros((2, weeks, 2)), np.zeros((weeks, 2))
    for number, name in enumerate(arms):
        trades = closed[closed["arm"] == name]
        # Exits are stamped with the close of their bar: midnight belongs to the day that it ends.
        at = pd.to_datetime(trades["close_date"]).dt.tz_localize(None) - pd.Timedelta(milliseconds=1) - monday
        week = (at // pd.Timedelta(days=7)).to_numpy(np.int64)
        inside = week < weeks
        won = (trades["profit_ratio"] > 0).to_numpy(np.float64)[inside]
        counts[0, :, number] = np.bincount(week[inside], minlength=weeks)
        counts[1, :, number] = np.bincount(week[inside], weights=won, minlength=weeks)
        scores = days[days["arm"] == name].set_index("date")["book_score"]
        r[:, number] = scores.reindex(own["date"]).fillna(0.0).to_numpy(np.float64).reshape(weeks, 7).sum(axis=1)
    by_week = own[["book_difference", "wealth"]].to_numpy(np.float64).reshape(weeks, 7, 2)
    return TrialRecord(
        arm=arms[0],
        against=arms[1],
        since=since,
        signals=counts[0],
        wins=counts[1],
        r=np.round(r, 6),
        difference_r=np.round(by_week[..., 0].sum(axis=1), 6),
        outcome=str(row["outcome"]),
        wealth=by_week[..., 1].max(axis=1) if weeks else np.empty(0),
    )


def _stacked(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Rows of all weeks, the empty ones left out so that they do not blur the types."""
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else frames[-1]
