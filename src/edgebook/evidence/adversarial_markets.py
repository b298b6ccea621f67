"""Books that would please a gate, made of the real labels on bars in which nothing can be known: arms that guess.

Each kind is a challenger beside a champion, both of `edgebook.evidence.adversarial_labels`, on a market of
`edgebook.evidence.null_markets.stochastic_volatility`, without costs. No rule is better than another there, before what
a label earns by itself: labelling counts a stop where one bar holds stop and target, which an arm that trades more pays
more often. It is measured over all candidates and taken off every trade where the arms trade unequally often.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.evidence.adversarial_books import DAYS, WEEKS, Books
from edgebook.evidence.adversarial_labels import (
    LOG_ODDS,
    START,
    WEEK_MS,
    YEARS_A_MARKET,
    Labels,
    Trades,
    candidate_days,
    guesses,
    labels_of,
    marked_days,
    signals_of,
    weekly_counts,
)
from edgebook.evidence.null_markets import stochastic_volatility
from edgebook.policy.plan_outcomes import DAY_MS, milliseconds
from edgebook.settings.exit_plans import ExitPlan

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

PAIRS = 2
PLAN, LONG_PLAN = ExitPlan(2.0, 1.5, 24), ExitPlan(3.0, 2.0, 72)
TOP = 1.645
"""Deviations of the log-odds above which a candidate is in the top 5 %."""
GAP = 0.53
"""What is left of a price after a bar that opens 47 % lower, as deep as XRP fell within one on 2017-12-22 07:00."""
TWIN = 3.0
KINDS = ("another guess, as many trades", "overconfident twin", "trades half as often", "trades twice as often",
    "never trades", "twin, a third as sure when calm", "twin, a third as sure every other month",
    "always long", "overlapping trades", "gap of -47 % in one bar")  # fmt: skip


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


def null_bars(seed: int, number: int) -> pd.DataFrame:
    """Bars of one market: two weeks, its years, and a week for the last labels to settle."""
    return stochastic_volatility(pairs=PAIRS, weeks=3 + YEARS_A_MARKET * WEEKS, seed=1000 * seed + number)


def calm(labels: Labels) -> NDArray[np.bool_]:
    """Whether each bar's stop is nearer than that of half of all bars; close on half the time."""
    return np.asarray(labels.risk[:, 0] < np.median(labels.risk[:, 0]))


def _one_market(seed: int, number: int) -> dict[str, Any]:
    """Days and weeks of every kind on one market; and the mean R of all its candidates."""
    rng = np.random.default_rng([seed, number])
    bars = null_bars(seed, number)
    labels = labels_of(bars, PLAN)
    found: dict[str, Any] = {"mean_r": float(labels.r.mean())}
    own, rival = guesses(labels, rng), guesses(labels, rng)
    champion, told = signals_of(labels, own, least=TOP), candidate_days(labels, own)

    def kind(name: str, log_odds: NDArray[np.float64], trades: Trades = champion) -> None:
        found[name] = _drawn(labels, trades, champion, candidates=candidate_days(labels, log_odds) - told)

    kind(KINDS[0], rival, signals_of(labels, rival, least=TOP))
    kind(KINDS[1], TWIN * own, signals_of(labels, own, least=TOP / TWIN))
    # The same log-odds, other thresholds.
    kind(KINDS[2], own, signals_of(labels, own, least=1.96))
    kind(KINDS[3], own, signals_of(labels, own, least=1.282))
    kind(KINDS[4], own, signals_of(labels, own, least=np.inf))
    month = (labels.entry_ms - milliseconds(START)) // (4 * WEEK_MS)
    kind(KINDS[5], np.where(calm(labels), own / TWIN, own))
    kind(KINDS[6], np.where(month % 2 == 0, own / TWIN, own))
    kind(KINDS[7], np.full(len(own), LOG_ODDS), signals_of(labels, np.abs(rival), least=TOP))
    long = labels_of(bars, LONG_PLAN)
    own, rival = guesses(long, rng), guesses(long, rng)
    candidates = candidate_days(long, rival) - candidate_days(long, own)
    both = [signals_of(long, one, least=TOP, alone=False) for one in (rival, own)]
    # Their days are a third as large for each trade: three days' labels of one move are held at once.
    found[KINDS[8]] = _drawn(long, both[0], both[1], candidates=candidates, stake=1 / 3)
    fallen = labels_of(with_gaps(bars, rng), PLAN)
    own, rival = guesses(fallen, rng), guesses(fallen, rng)
    candidates = candidate_days(fallen, rival) - candidate_days(fallen, own)
    both = [signals_of(fallen, one, least=TOP) for one in (rival, own)]
    found[KINDS[9]] = _drawn(fallen, both[0], both[1], candidates=candidates)
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
