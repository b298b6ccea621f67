"""Real labels on synthetic bars as arrays, and what an arm earns that trades them or stakes on all of them.

An arm here is a log-odds for each decision bar, above 0 for long and below for short; what it is made of is the
caller's. Its book takes one risk a signal at the next open, one position a pair at a time, and is marked to market at
midnight. Its score of all candidates is that of the loop: `day_scores.candidate_stakes` on both sides of every bar,
paid per usual day's stake, which lags as `edgebook.arms.arms` lets it lag. Labels, exit plans and gap fills are those
of `edgebook.outcomes.candidates`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgebook.arms.day_scores import candidate_score, candidate_stakes
from edgebook.evidence.adversarial_books import DAYS, WEEKS
from edgebook.outcomes.candidates import label_candidates
from edgebook.policy.candidate_marks import open_profit
from edgebook.policy.plan_outcomes import DAY_MS, milliseconds
from edgebook.settings.exit_plans import Costs, ExitPlan

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

YEARS_A_MARKET = 4
START = "2017-01-16"
"""First day that counts; the two weeks before it give the ATR and the usual day's stake their start."""
HOUR_MS, WEEK_MS = 3_600_000, 7 * DAY_MS
MEMORY = 0.9
"""Of an arm's confidence, from bar to bar: signals come in runs, as those of real policies do."""
LOG_ODDS = 0.15
"""Deviation of an arm's log-odds: 0.16 to 0.18 of the default market's arms."""
NO_COSTS = Costs(0, 0, 0)


@dataclass(frozen=True)
class Labels:
    """Candidates of one plan as arrays; a row a decision bar, columns long and short.

    Parameters
    ----------
    entry_ms, close_ms : ndarray of int64, shape (bars,), (bars, 2)
        Milliseconds UTC.
    entry, risk : ndarray, shape (bars,), (bars, 2)
        Price, and distance to the stop as a share of it.
    r, gross : ndarray, shape (bars, 2)
        Outcome, of a candidate that is settled: after costs and before them.
    pair : ndarray of int64, shape (bars,)
    closes : ndarray, shape (pairs, hours)
        Hourly closes.
    first_ms : int
        When the first of them was known.
    longest_hours : int
        Time limit of the plan.
    cost : float
        Fee and slippage of a side, a share of the notional.
    """

    entry_ms: NDArray[np.int64]
    close_ms: NDArray[np.int64]
    entry: NDArray[np.float64]
    risk: NDArray[np.float64]
    r: NDArray[np.float64]
    gross: NDArray[np.float64]
    pair: NDArray[np.int64]
    closes: NDArray[np.float64]
    first_ms: int
    longest_hours: int
    cost: float = 0.0


@dataclass(frozen=True)
class Trades:
    """Candidates that are held: rows and sides of `Labels`, and what is staked on each."""

    row: NDArray[np.int64]
    side: NDArray[np.int64]
    stake: NDArray[np.float64]


def labels_of(bars: pd.DataFrame, plan: ExitPlan, *, costs: Costs = NO_COSTS) -> Labels:
    """Label every candidate of hourly bars without a gap in time.

    Parameters
    ----------
    bars : DataFrame
        All pairs over the same hours.
    plan : ExitPlan
    costs : Costs
    """
    table = label_candidates(bars, [plan], costs=costs)[plan.name]
    table = table[(table["exit_reason"] != "open").to_numpy().reshape(-1, 2).all(axis=1).repeat(2)]
    two = {
        name: table[name].to_numpy(np.float64).reshape(-1, 2)
        for name in ("open_rate", "close_rate", "stop_loss_abs", "r_multiple")
    }
    codes, names = table["pair"].factorize(sort=True)
    entry = two["open_rate"][:, 0]
    risk = np.abs(entry[:, None] - two["stop_loss_abs"]) / entry[:, None]
    return Labels(
        entry_ms=table["open_date"].dt.as_unit("ms").astype("int64").to_numpy()[::2],
        close_ms=table["close_date"].dt.as_unit("ms").astype("int64").to_numpy().reshape(-1, 2),
        entry=entry,
        risk=risk,
        r=two["r_multiple"],
        gross=np.array([1.0, -1.0]) * (two["close_rate"] / entry[:, None] - 1) / risk,
        pair=codes[::2].astype(np.int64),
        closes=bars["close"].to_numpy(np.float64).reshape(len(names), -1),
        first_ms=int(bars["date"].iloc[0].value // 1_000_000),
        longest_hours=plan.time_limit_bars,
        cost=(costs.fee_bps + costs.slippage_bps) / 1e4,
    )


def guesses(labels: Labels, rng: np.random.Generator) -> NDArray[np.float64]:
    """Log-odds of an arm that knows nothing, as the gate rounds them, shape (bars,)."""
    from scipy.signal import lfilter

    noise = rng.standard_normal(len(labels.pair))
    found = lfilter([LOG_ODDS * np.sqrt(1 - MEMORY**2)], [1.0, -MEMORY], noise)
    return np.asarray(np.round(found, 4), np.float64)


def signals_of(labels: Labels, log_odds: NDArray[np.float64], *, least: float, alone: bool = True) -> Trades:
    """Candidates at or above a threshold, one risk each.

    Parameters
    ----------
    labels : Labels
    log_odds : ndarray, shape (bars,)
        Above 0 for long, below for short.
    least : float
        Threshold, in deviations of a guess.
    alone : bool
        Whether a pair has one position at a time.
    """
    row = np.flatnonzero(np.abs(log_odds) >= least * LOG_ODDS)
    side = (log_odds[row] < 0).astype(np.int64)
    if alone:
        kept, entry, exit_ = [], labels.entry_ms[row].tolist(), labels.close_ms[row, side].tolist()
        until, before = 0, -1
        for place, pair in enumerate(labels.pair[row].tolist()):
            if pair != before:
                until, before = 0, pair
            if entry[place] >= until:
                kept.append(place)
                until = exit_[place]
        row, side = row[kept], side[kept]
    return Trades(row, side, np.ones(len(row)))


def candidate_days(
    labels: Labels, log_odds: NDArray[np.float64], *, short: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Daily score of an arm's stakes on all candidates, as the loop makes it, shape (days,).

    Parameters
    ----------
    labels : Labels
    log_odds : ndarray, shape (bars,)
        Of the long candidate of each bar.
    short : ndarray, shape (bars,), optional
        Of the short one; by default the opposite.
    """
    both = np.stack([log_odds, -log_odds if short is None else short], axis=1)
    row, side = np.nonzero(both)
    trades = Trades(row, side, candidate_stakes(both[row, side]))
    expected = usual_stakes(labels, trades)
    earned = marked_days(labels, trades, gross=True).reshape(-1, 7)
    score = [candidate_score(week, expected_stake=usual) for week, usual in zip(earned, expected, strict=True)]
    return np.concatenate(score)


def usual_stakes(labels: Labels, trades: Trades) -> list[float]:
    """What an arm stakes on a usual day, as known before each week.

    Agrees with what `edgebook.arms.arms` carries from week to week (tests/studies/test_adversarial_books.py).
    """
    start, length = milliseconds(START), YEARS_A_MARKET * WEEKS
    # Known at the end of a week is what closed up to its last moment.
    week = (labels.close_ms[trades.row, trades.side] - 1 - start) // WEEK_MS + 2
    inside = (week >= 0) & (week < length + 2)
    closed = np.bincount(week[inside], weights=np.abs(trades.stake[inside]), minlength=length + 2) / 7
    found, usual = [], 0.0
    for today in closed.tolist():
        found.append(usual)
        usual = round(today if usual == 0 else 0.8 * usual + 0.2 * today, 6)
    return found[2:]


def marked_days(labels: Labels, trades: Trades, *, gross: bool = False) -> NDArray[np.float64]:
    """R of each day, marked to market at midnight, shape (days,).

    Parameters
    ----------
    labels : Labels
    trades : Trades
    gross : bool
        Before costs, as candidates are scored; else after them, as books are.

    Notes
    -----
    Before costs it agrees with `edgebook.policy.candidate_marks.marked_r` (tests/studies/test_adversarial_books.py).
    """
    row, side = trades.row, trades.side
    start = milliseconds(START)
    length = YEARS_A_MARKET * DAYS
    entered, closed = labels.entry_ms[row], labels.close_ms[row, side]
    cost, final = (0.0, labels.gross[row, side]) if gross else (labels.cost, labels.r[row, side])
    day = entered // DAY_MS - start // DAY_MS
    sign, total, before = np.where(side == 1, -1.0, 1.0), np.zeros(length + 1), np.zeros(len(row))
    for after in range(labels.longest_hours // 24 + 2):
        midnight = (day + after + 1) * DAY_MS + start // DAY_MS * DAY_MS
        hour = np.clip((midnight - labels.first_ms) // HOUR_MS, 0, labels.closes.shape[1] - 1)
        last = labels.closes[labels.pair[row], hour]
        open_r = open_profit(last, entry=labels.entry[row], sign=sign, cost=cost) / labels.risk[row, side]
        value = np.where(closed <= midnight, final, open_r)
        at = np.where((day + after >= 0) & (day + after < length), day + after, length)
        total += np.bincount(at, weights=trades.stake * (value - before), minlength=length + 1)
        before = value
    return total[:length]


def weekly_counts(labels: Labels, trades: Trades) -> NDArray[np.float64]:
    """Signals and wins that closed in each week, shape (2, weeks)."""
    start, length = milliseconds(START), YEARS_A_MARKET * WEEKS
    week = (labels.close_ms[trades.row, trades.side] - 1 - start) // WEEK_MS
    week = np.where((week >= 0) & (week < length), week, length)
    won = (labels.r[trades.row, trades.side] > 0).astype(np.float64)
    return np.stack([np.bincount(week, weights=w, minlength=length + 1)[:length] for w in (np.ones(len(week)), won)])
