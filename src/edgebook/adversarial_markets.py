"""Books that would please a gate, made of the real labels on synthetic bars: a martingale, no costs, arms that guess.

Every arm has a confidence that knows nothing of what comes. Its book takes one risk a signal at the next open, one
position a pair at a time, and is marked to market at midnight; its score of all candidates stakes on the top fifth, as
the gate's does. Labels, exit plans and gap fills are those of `edgebook.candidates`.

Labels have a small mean of their own even on a martingale: a stop fills at its price where the path had gone further.
An arm that trades more would earn it more often (0.015 R a label at the plan below); it is measured over all candidates
and taken off every trade.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.adversarial_books import DAYS, WEEKS, Books
from edgebook.candidate_marks import open_profit
from edgebook.candidates import label_candidates
from edgebook.exit_plans import Costs, ExitPlan
from edgebook.gate import TOP_SHARE, candidate_stakes
from edgebook.plan_outcomes import DAY_MS, milliseconds
from edgebook.synthetic import make_market

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

PAIRS, YEARS_A_MARKET = 2, 16
START = "2017-01-16"
"""First day that counts; the two weeks before it give the ATR its start."""
PLAN, LONG_PLAN = ExitPlan(2.0, 1.5, 24), ExitPlan(3.0, 2.0, 72)
HOUR_MS = 3_600_000
MEMORY = 0.9
"""Of an arm's confidence, from bar to bar: signals come in runs, as those of real policies do."""
TOP = 1.645
"""Standardised confidence above which a candidate is in the top 5 %."""
GAP = 0.53
"""What is left of a price after a bar that opens 47 % lower, as deep as XRP fell within one on 2017-12-22 07:00."""
TWIN = 3.0
KINDS = ("another guess, as many trades", "overconfident twin", "trades half as often", "trades twice as often",
    "never trades", "overlapping trades", "gap of -47 % in one bar")  # fmt: skip


@dataclass(frozen=True)
class Labels:
    """Candidates of one plan as arrays; a row a decision bar, columns long and short.

    Parameters
    ----------
    entry_ms, close_ms : ndarray of int64, shape (bars,), (bars, 2)
        Milliseconds UTC.
    entry, risk : ndarray, shape (bars,), (bars, 2)
        Price, and distance to the stop as a share of it.
    r : ndarray, shape (bars, 2)
        Outcome, of a candidate that is settled.
    pair : ndarray of int64, shape (bars,)
    closes : ndarray, shape (pairs, hours)
        Hourly closes.
    first_ms : int
        When the first of them was known.
    longest_hours : int
        Time limit of the plan.
    """

    entry_ms: NDArray[np.int64]
    close_ms: NDArray[np.int64]
    entry: NDArray[np.float64]
    risk: NDArray[np.float64]
    r: NDArray[np.float64]
    pair: NDArray[np.int64]
    closes: NDArray[np.float64]
    first_ms: int
    longest_hours: int


@dataclass(frozen=True)
class Trades:
    """Candidates that are held: rows and sides of `Labels`, and what is staked on each."""

    row: NDArray[np.int64]
    side: NDArray[np.int64]
    stake: NDArray[np.float64]


def labels_of(bars: pd.DataFrame, plan: ExitPlan) -> Labels:
    """Label every candidate of hourly bars without a gap in time, without costs.

    Parameters
    ----------
    bars : DataFrame
        All pairs over the same hours.
    plan : ExitPlan
    """
    table = label_candidates(bars, [plan], costs=Costs(0, 0, 0))[plan.name]
    table = table[(table["exit_reason"] != "open").to_numpy().reshape(-1, 2).all(axis=1).repeat(2)]
    two = {
        name: table[name].to_numpy(np.float64).reshape(-1, 2) for name in ("open_rate", "stop_loss_abs", "r_multiple")
    }
    codes, names = table["pair"].factorize(sort=True)
    entry = two["open_rate"][:, 0]
    return Labels(
        entry_ms=table["open_date"].dt.as_unit("ms").astype("int64").to_numpy()[::2],
        close_ms=table["close_date"].dt.as_unit("ms").astype("int64").to_numpy().reshape(-1, 2),
        entry=entry,
        risk=np.abs(entry[:, None] - two["stop_loss_abs"]) / entry[:, None],
        r=two["r_multiple"],
        pair=codes[::2].astype(np.int64),
        closes=bars["close"].to_numpy(np.float64).reshape(len(names), -1),
        first_ms=int(bars["date"].iloc[0].value // 1_000_000),
        longest_hours=plan.time_limit_bars,
    )


def guesses(labels: Labels, rng: np.random.Generator) -> NDArray[np.float64]:
    """Confidence of an arm that knows nothing, in standard deviations: above 0 for long, below for short."""
    from scipy.signal import lfilter

    noise = rng.standard_normal(len(labels.pair))
    return np.asarray(lfilter([np.sqrt(1 - MEMORY**2)], [1.0, -MEMORY], noise), np.float64)


def signals_of(labels: Labels, confidence: NDArray[np.float64], *, least: float, alone: bool = True) -> Trades:
    """Candidates at or above a threshold, one risk each.

    Parameters
    ----------
    labels : Labels
    confidence : ndarray, shape (bars,)
    least : float
        Threshold, in standard deviations.
    alone : bool
        Whether a pair has one position at a time.
    """
    row = np.flatnonzero(np.abs(confidence) >= least)
    side = (confidence[row] < 0).astype(np.int64)
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


def stakes_of(labels: Labels, confidence: NDArray[np.float64]) -> Trades:
    """All candidates with the stakes of the gate's second score, in usual days' stakes."""
    from scipy.stats import norm

    rank = norm.cdf(np.abs(confidence))
    row = np.flatnonzero(rank > 1 - TOP_SHARE)
    usual = 24 * len(labels.closes) * 2 * TOP_SHARE / 2  # candidates a day, each with a mean stake of a tenth
    return Trades(row, (confidence[row] < 0).astype(np.int64), candidate_stakes(rank[row]) / usual)


def marked_days(labels: Labels, trades: Trades, *, charge_r: float = 0.0) -> NDArray[np.float64]:
    """R of each day, marked to market at midnight, shape (days,).

    Parameters
    ----------
    labels : Labels
    trades : Trades
    charge_r : float
        Taken off each unit of stake at its entry.

    Notes
    -----
    Agrees with `edgebook.candidate_marks.marked_r` (tests/test_adversarial_books.py).
    """
    row, side = trades.row, trades.side
    start = milliseconds(START)
    length = YEARS_A_MARKET * DAYS
    entered, closed = labels.entry_ms[row], labels.close_ms[row, side]
    day = entered // DAY_MS - start // DAY_MS
    sign, total, before = np.where(side == 1, -1.0, 1.0), np.zeros(length + 1), np.full(len(row), charge_r)
    for after in range(labels.longest_hours // 24 + 2):
        midnight = (day + after + 1) * DAY_MS + start // DAY_MS * DAY_MS
        hour = np.clip((midnight - labels.first_ms) // HOUR_MS, 0, labels.closes.shape[1] - 1)
        last = labels.closes[labels.pair[row], hour]
        open_r = open_profit(last, entry=labels.entry[row], sign=sign, cost=0.0) / labels.risk[row, side]
        value = np.where(closed <= midnight, labels.r[row, side], open_r)
        at = np.where((day + after >= 0) & (day + after < length), day + after, length)
        total += np.bincount(at, weights=trades.stake * (value - before), minlength=length + 1)
        before = value
    return total[:length]


def weekly_counts(labels: Labels, trades: Trades) -> NDArray[np.float64]:
    """Signals and wins that closed in each week, shape (2, weeks)."""
    start, length = milliseconds(START), YEARS_A_MARKET * WEEKS
    week = (labels.close_ms[trades.row, trades.side] - 1 - start) // (7 * DAY_MS)
    week = np.where((week >= 0) & (week < length), week, length)
    won = (labels.r[trades.row, trades.side] > 0).astype(np.float64)
    return np.stack([np.bincount(week, weights=w, minlength=length + 1)[:length] for w in (np.ones(len(week)), won)])


def with_gaps(bars: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Let a pair of each simulated year open 47 % below its last close, for good, once in the year on trial."""
    names = ["open", "high", "low", "close"]
    prices = bars[names].to_numpy(np.float64, copy=True).reshape(PAIRS, -1, 4)
    for year in range(YEARS_A_MARKET):
        hour = 14 * 24 + year * DAYS * 24 + int(rng.integers(0, 364 * 24))
        prices[int(rng.integers(PAIRS)), hour:] *= GAP
    return bars.assign(**dict(zip(names, prices.reshape(-1, 4).T, strict=True)))


def market_books(paths: int, seed: int, *, tell: Callable[[int, int], None] | None = None) -> dict[str, Books]:
    """Books of every kind of `KINDS`.

    Parameters
    ----------
    paths : int
        Simulated years and a half; made in markets of `YEARS_A_MARKET` each.
    seed : int
    tell : callable, optional
        Given the markets done and the markets in all.

    Returns
    -------
    dict of str to Books
        Where the arms trade unequally often, what their trades are charged makes the challenger worse by two standard
        errors of the mean that is taken off; else neither is better, by symmetry.
    """
    markets = -(-paths // YEARS_A_MARKET)
    made = []
    for number in range(markets):
        made.append(_one_market(seed, number))
        if tell is not None:
            tell(number + 1, markets)
    means = np.array([one["mean_r"] for one in made])
    mean, error = float(means.mean()), float(means.std(ddof=1) / np.sqrt(markets)) if markets > 1 else 0.01
    return {kind: _assembled([one[kind] for one in made], paths=paths, mean_r=mean, error_r=error) for kind in KINDS}


def _one_market(seed: int, number: int) -> dict[str, Any]:
    """Days and weeks of every kind on one market; and the mean R of all its candidates."""
    rng = np.random.default_rng([seed, number])
    weeks = 2 + YEARS_A_MARKET * WEEKS + 1
    bars = make_market(kind="no_edge", pairs=PAIRS, weeks=weeks, seed=1000 * seed + number).bars
    labels = labels_of(bars, PLAN)
    own, rival = guesses(labels, rng), guesses(labels, rng)
    champion = signals_of(labels, own, least=TOP)
    quiet = np.zeros(YEARS_A_MARKET * DAYS)
    found: dict[str, Any] = {"mean_r": float(labels.r.mean())}
    candidates = marked_days(labels, stakes_of(labels, rival)) - marked_days(labels, stakes_of(labels, own))
    least = {KINDS[1]: TOP / TWIN, KINDS[2]: 1.96, KINDS[3]: 1.282, KINDS[4]: np.inf}
    found[KINDS[0]] = _drawn(labels, signals_of(labels, rival, least=TOP), champion, candidates=candidates)
    for kind, threshold in least.items():  # the same order of candidates: the second score cannot tell the arms apart
        found[kind] = _drawn(labels, signals_of(labels, own, least=threshold), champion, candidates=quiet)
    long = labels_of(bars, LONG_PLAN)
    own, rival = guesses(long, rng), guesses(long, rng)
    candidates = marked_days(long, stakes_of(long, rival)) - marked_days(long, stakes_of(long, own))
    both = [signals_of(long, one, least=TOP, alone=False) for one in (rival, own)]
    # Their days are a third as large for each trade: three days' labels of one move are held at once.
    found[KINDS[5]] = _drawn(long, both[0], both[1], candidates=candidates, stake=1 / 3)
    fallen = labels_of(with_gaps(bars, rng), PLAN)
    own, rival = guesses(fallen, rng), guesses(fallen, rng)
    candidates = marked_days(fallen, stakes_of(fallen, rival)) - marked_days(fallen, stakes_of(fallen, own))
    both = [signals_of(fallen, one, least=TOP) for one in (rival, own)]
    found[KINDS[6]] = _drawn(fallen, both[0], both[1], candidates=candidates)
    return found


def _drawn(
    labels: Labels, one: Trades, other: Trades, *, candidates: NDArray[np.float64], stake: float = 1.0
) -> dict[str, NDArray[np.float64]]:
    """Both arms of one kind on one market: R and entries a day, counts a week."""
    length, arms = YEARS_A_MARKET * DAYS, (one, other)
    days = [labels.entry_ms[arm.row] // DAY_MS - milliseconds(START) // DAY_MS for arm in arms]
    entries = [np.bincount(day[(day >= 0) & (day < length)], minlength=length) for day in days]
    return {
        "r": np.stack([stake * marked_days(labels, arm) for arm in arms], axis=1),
        "entries": np.stack(entries, axis=1).astype(np.float64),
        "counts": np.stack([weekly_counts(labels, arm) for arm in arms], axis=-1),
        "candidates": candidates,
    }


def _assembled(parts: list[dict[str, NDArray[np.float64]]], *, paths: int, mean_r: float, error_r: float) -> Books:
    """Paths of all markets, with what a label earns by itself taken off where it would favour an arm."""
    r = np.concatenate([part["r"].reshape(-1, DAYS, 2) for part in parts])[:paths]
    entries = np.concatenate([part["entries"].reshape(-1, DAYS, 2) for part in parts])[:paths]
    counts = np.concatenate([np.moveaxis(part["counts"].reshape(2, -1, WEEKS, 2), 0, -1) for part in parts])[:paths]
    candidates = np.concatenate([part["candidates"].reshape(-1, DAYS) for part in parts])[:paths]
    more = float(np.sign((entries[..., 0] - entries[..., 1]).mean()))
    unequal = abs(entries[..., 0].mean() / entries[..., 1].mean() - 1) > 0.25
    charged = mean_r + 2 * more * error_r if unequal else 0.0
    gain = np.full(DAYS, -2 * error_r * abs(float((entries[..., 0] - entries[..., 1]).mean())) if unequal else 0.0)
    return Books(r - charged * entries, candidates, counts[..., 0], counts[..., 1], gain)
