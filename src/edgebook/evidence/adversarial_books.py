"""Books that would please a gate without being better, made day by day: what each is truly worth is known.

A book here is what the gate sees of one: its R a day, and the signals and wins of each week for the rules that count
them. Books that come of the real labels on synthetic bars are in `edgebook.evidence.adversarial_markets`; these are the
ones that no market is needed for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

WEEKS = 78
"""A year of trial, and half a year in which a promotion may be rolled back."""
DAYS = 7 * WEEKS
WIN_R, LOSS_R = 1.14, 1.1
"""Mean R of wins and losses of the default market's books, net of costs."""
TRADES_A_DAY, LUCK_TRADES = 3.0, 1.5
MARKET_SHARE = 0.6
"""Of the variance of a book's luck, what it has in common with the other book."""
CANDIDATE_SPREAD = 0.8
"""Deviation of the difference of two arms' scores of all candidates: 0.6 on synthetic markets, 1.0 in a real year."""
PENNIES_R = 0.4
COUNTED_R = 18.0
"""What a day's lag counts at most, gate.max_loss_r of the default settings: the claim stops at larger crashes."""
QUARTER_DAYS = 91


@dataclass(frozen=True)
class Books:
    """Many simulated pairs of books; where there are two of a thing, challenger and champion.

    Parameters
    ----------
    r : ndarray, shape (paths, days, 2)
        R of each book a day, marked to market.
    candidates : ndarray, shape (paths, days)
        Difference of the scores of all candidates, in usual days' stakes.
    signals, wins : ndarray, shape (paths, weeks, 2)
        Closed in each week.
    expected_r : ndarray, shape (days,)
        True expected gain of the challenger's book over the champion's.
    beyond : bool
        Whether the raw difference has losses beyond what the gate counts, so that its claim does not cover the kind.
    """

    r: NDArray[np.float64] = field(repr=False)
    candidates: NDArray[np.float64] = field(repr=False)
    signals: NDArray[np.float64] = field(repr=False)
    wins: NDArray[np.float64] = field(repr=False)
    expected_r: NDArray[np.float64] = field(repr=False)
    beyond: bool = False

    def __len__(self) -> int:
        """Paths."""
        return len(self.r)

    @property
    def differences(self) -> NDArray[np.float64]:
        """Paired daily differences as the gate takes them, shape (paths, days, 2): books, all candidates."""
        return np.asarray(np.round(np.stack([self.r[..., 0] - self.r[..., 1], self.candidates], axis=2), 6), np.float64)

    @property
    def weekly_difference_r(self) -> NDArray[np.float64]:
        """Sum of the books' differences of each week, shape (paths, weeks)."""
        gap = self.r[..., 0] - self.r[..., 1]
        return np.asarray(gap.reshape(len(gap), -1, 7).sum(axis=2))


@dataclass(frozen=True)
class _Book:
    """R of each day, and signals and wins of each week, of many paths."""

    r: NDArray[np.float64]
    signals: NDArray[np.float64]
    wins: NDArray[np.float64]


def penny_picker(paths: int, seed: int, *, crash_r: float, idle: bool = False) -> Books:
    """Two fifths of a risk every day, and now and then a crash that costs exactly what they brought.

    Parameters
    ----------
    paths, seed : int
    crash_r : float
        Lost in a crash.
    idle : bool
        Whether the champion never trades, so that the pennies lie in the open; else it has a moving book without edge.
    """
    rng = np.random.default_rng([seed, 1])
    crash = rng.random((paths, DAYS)) < PENNIES_R / (PENNIES_R + crash_r)
    pennies = np.where(crash, -crash_r, PENNIES_R)
    one = _Book(pennies, np.full((paths, WEEKS), 7.0), _weekly(~crash))
    champion = _idle(paths) if idle else _book(rng, paths)
    found = _pair(one, champion, candidates=_noise(rng, paths))
    return replace(found, beyond=crash_r > COUNTED_R)


def common_shocks(paths: int, seed: int) -> Books:
    """Both books ride the same moves of the market, the challenger twice as hard; nobody knows their sign."""
    rng = np.random.default_rng([seed, 2])
    jump = np.where(rng.random((paths, DAYS)) < 0.02, rng.choice([-6.0, 6.0], (paths, DAYS)), 0.0)
    factor = rng.standard_normal((paths, DAYS)) + jump
    exposure = np.repeat(rng.normal(0, 1, (paths, WEEKS)), 7, axis=1)  # of a week's positions, known before it
    books = []
    for weight in (2.0, 1.0):
        own = rng.standard_normal((paths, DAYS))
        moved = weight * exposure * factor
        signals = rng.poisson(weight * 2.0, (paths, DAYS)).astype(np.float64)
        wins = rng.binomial(signals.astype(np.int64), 1 / (1 + np.exp(-0.8 * exposure * factor)))
        books.append(_Book(moved + own, _weekly(signals), _weekly(wins)))
    candidates = 0.2 * exposure * factor + _noise(rng, paths)
    return _pair(books[0], books[1], candidates=candidates)


def heavy_tails(paths: int, seed: int) -> Books:
    """Two alike whose days have no fourth moment, gains and losses both far beyond the bounds."""
    rng = np.random.default_rng([seed, 3])
    books = [replace(book, r=1.2 * rng.standard_t(2.2, (paths, DAYS))) for book in _two_books(rng, paths)]
    return _pair(books[0], books[1], candidates=0.3 * rng.standard_t(2.2, (paths, DAYS)))


def volatility_clusters(paths: int, seed: int) -> Books:
    """Two alike whose days are calm or wild for months together."""
    rng = np.random.default_rng([seed, 4])
    memory = 0.5 ** (1 / 60)
    state = rng.standard_normal((paths, 1))
    steps = np.sqrt(1 - memory**2) * rng.standard_normal((paths, DAYS))
    level = np.empty((paths, DAYS))
    for day in range(DAYS):
        state[:, 0] = memory * state[:, 0] + steps[:, day]
        level[:, day] = np.exp(0.9 * state[:, 0] - 0.4)
    one, other = (replace(book, r=book.r * level) for book in _two_books(rng, paths))
    return _pair(one, other, candidates=_noise(rng, paths) * level)


def better(paths: int, seed: int, *, edge_r: float | NDArray[np.float64]) -> Books:
    """A challenger that is truly better (or worse), by so much a day; the control that a gate must let through.

    All of it is in the book: the scores of all candidates do not show it.

    Parameters
    ----------
    paths, seed : int
    edge_r : float or ndarray, shape (days,)
        R a day; it comes of a higher share of wins.
    """
    rng = np.random.default_rng([seed, 5])
    edge = np.broadcast_to(np.asarray(edge_r, np.float64), (DAYS,))
    one, other = _two_books(rng, paths, edge_r=edge)
    return _pair(one, other, candidates=_noise(rng, paths), expected_r=edge)


def better_for_a_quarter(paths: int, seed: int) -> Books:
    """A challenger that gains a risk a day for a quarter and then loses as much as half of it for good."""
    return better(paths, seed, edge_r=np.where(np.arange(DAYS) < QUARTER_DAYS, 1.0, -0.5))


def good_then_useless(paths: int, seed: int) -> tuple[Books, Books]:
    """Two challengers in a row: one with a real edge, and one that is the equal of the champion it meets.

    Returns
    -------
    Books, Books
        The second has a trial of its own, which begins when the first is over.
    """
    return better(paths, seed, edge_r=1.0), better(paths, seed + 1, edge_r=0.0)


STYLISED: dict[str, Callable[[int, int], Books]] = {
    "penny-picking, crash of 12 R": lambda paths, seed: penny_picker(paths, seed, crash_r=12.0),
    "penny-picking, crash of 12 R, idle champion": lambda paths, seed: penny_picker(
        paths, seed, crash_r=12.0, idle=True
    ),
    "penny-picking, crash of 25 R": lambda paths, seed: penny_picker(paths, seed, crash_r=25.0),
    "penny-picking, crash of 60 R": lambda paths, seed: penny_picker(paths, seed, crash_r=60.0),
    "penny-picking, crash of 60 R, idle champion": lambda paths, seed: penny_picker(
        paths, seed, crash_r=60.0, idle=True
    ),
    "common shocks, twice the exposure": common_shocks,
    "heavy tails": heavy_tails,
    "slow clusters of volatility": volatility_clusters,
}
"""Kinds without an edge, by the name that the evidence gives them."""
CONTROLS: dict[str, Callable[[int, int], Books]] = {
    "better by 0.5 R a day": lambda paths, seed: better(paths, seed, edge_r=0.5),
    "better by 1 R a day": lambda paths, seed: better(paths, seed, edge_r=1.0),
}
"""Challengers that are truly better."""
WORSE: dict[str, Callable[[int, int], Books]] = {
    "worse by 0.3 R a day": lambda paths, seed: better(paths, seed, edge_r=-0.3),
}
"""What promoting costs where the newest is not better."""


def _pair(
    one: _Book,
    other: _Book,
    *,
    candidates: NDArray[np.float64],
    expected_r: NDArray[np.float64] | None = None,
) -> Books:
    """Challenger and champion side by side; equal in truth unless told otherwise."""
    both = (one, other)
    r, signals, wins = (np.stack([getattr(book, name) for book in both], axis=2) for name in ("r", "signals", "wins"))
    return Books(r, candidates, signals, wins, np.zeros(DAYS) if expected_r is None else expected_r)


def _two_books(rng: np.random.Generator, paths: int, *, edge_r: NDArray[np.float64] | None = None) -> list[_Book]:
    """Challenger and champion on the same market: their days are correlated by half, as recipes are on real bars."""
    market = rng.standard_normal((paths, DAYS))
    return [_book(rng, paths, market=market, edge_r=edge) for edge in (edge_r, None)]


def _book(
    rng: np.random.Generator,
    paths: int,
    *,
    market: NDArray[np.float64] | None = None,
    edge_r: NDArray[np.float64] | None = None,
) -> _Book:
    """A moving book: more trades on lucky days, whose wins and losses hang together; R less its exact mean a day."""
    luck = rng.standard_normal((paths, DAYS))
    if market is not None:
        luck = np.sqrt(MARKET_SHARE) * market + np.sqrt(1 - MARKET_SHARE) * luck
    rate, odds = _of_luck(luck)
    entries = rng.poisson(rate)
    gain = np.zeros(DAYS) if edge_r is None else edge_r / (_mean_trades() * (WIN_R + LOSS_R))
    wins = rng.binomial(entries, np.clip(1 / (1 + np.exp(-odds)) + gain, 0, 1))
    # The clip never binds for the edges used: what is added in wins is what was asked for in R.
    r = wins * WIN_R - (entries - wins) * LOSS_R - _mean_r()
    return _Book(r, _weekly(entries), _weekly(wins))


def _of_luck(luck: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Trades a day and log-odds of a win, given the day's luck."""
    return TRADES_A_DAY + LUCK_TRADES * np.maximum(luck, 0) ** 2, np.clip(1.2 * luck - 0.4, -1.9, 1.9)


def _by_quadrature(values: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> float:
    """Mean over a standard normal, by a fine midpoint rule."""
    at = np.arange(-9, 9, 1e-3) + 5e-4
    return float((values(at) * np.exp(-(at**2) / 2)).sum() * 1e-3 / np.sqrt(2 * np.pi))


def _mean_trades() -> float:
    return _by_quadrature(lambda luck: _of_luck(luck)[0])


def _mean_r() -> float:
    def of(luck: NDArray[np.float64]) -> NDArray[np.float64]:
        rate, odds = _of_luck(luck)
        share = 1 / (1 + np.exp(-odds))
        return rate * (share * WIN_R - (1 - share) * LOSS_R)

    return _by_quadrature(of)


def _idle(paths: int) -> _Book:
    """A book that never trades."""
    return _Book(np.zeros((paths, DAYS)), np.zeros((paths, WEEKS)), np.zeros((paths, WEEKS)))


def _noise(rng: np.random.Generator, paths: int) -> NDArray[np.float64]:
    """Difference of two arms' scores of all candidates without an edge."""
    return np.asarray(CANDIDATE_SPREAD / np.sqrt(1.5) * rng.standard_t(6, (paths, DAYS)), np.float64)


def _weekly(daily: NDArray[np.float64] | NDArray[np.bool_] | NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(daily.reshape(len(daily), -1, 7).sum(axis=2), np.float64)
