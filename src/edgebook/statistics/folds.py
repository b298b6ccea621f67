"""Folds that do not leak: purged, embargoed walk-forward and K-fold splits, and what overlapping labels are worth.

A candidate is decided at `date` and its outcome becomes known at `known_at`; between the two its label is still being
written. A training row whose label is written while a test label is would tell the model about the test: it is purged.
An embargo widens the gap, because neighbouring bars resemble each other even when their labels do not overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.errors import DataError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

GROUP = ["pair", "timeframe", "is_short"]


@dataclass(frozen=True)
class Fold:
    """One split into training and test rows.

    Parameters
    ----------
    train, test : ndarray of int64
        Row positions, ascending.
    test_start, test_end : Timestamp
        UTC: the first decision of the test, and when its last outcome became known.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    test_start: pd.Timestamp
    test_end: pd.Timestamp


def embargo_time(embargo_bars: int, *, timeframes: Sequence[str]) -> pd.Timedelta:
    """Length of `embargo_bars` bars of the longest of `timeframes` ("1h", "4h", "1d").

    Examples
    --------
    >>> embargo_time(6, timeframes=["1h", "4h"])
    Timedelta('1 days 00:00:00')
    """
    if embargo_bars < 0:
        raise SettingsError(f"embargo_bars: {embargo_bars} is negative; give 0 or more")
    return embargo_bars * max(pd.Timedelta(timeframe.replace("d", "D")) for timeframe in timeframes)


def walk_forward(
    dates: pd.Series, known_at: pd.Series, *, n_folds: int, embargo: pd.Timedelta, train_share: float = 0.5
) -> list[Fold]:
    """Split into tests that follow one another, each trained on what was known before it.

    Parameters
    ----------
    dates : Series of datetime64, UTC, shape (n,)
        When each candidate was decided, in any order.
    known_at : Series of datetime64, UTC, shape (n,)
        When its outcome became known, never before `dates`.
    n_folds : int
        Number of tests.
    embargo : Timedelta
        A training outcome must have been known this long before the first test decision. What is known when: at
        `test_start` the trader knows every row with ``known_at <= test_start``; the embargo gives up some of them.
    train_share : float
        Share of the rows that come before the first test, between 0 and 1.

    Returns
    -------
    list of Fold
        In time order. Rows decided at the same time are never parted. Tests together hold the last
        ``1 - train_share`` of the rows.

    Raises
    ------
    DataError
        An outcome is known before its decision, or not at all; or there are too few distinct dates.
    SettingsError
        A setting is impossible.

    Examples
    --------
    Twelve daily decisions, each known two days later. The first test begins on day 6: of the days before it, day 5 is
    purged because its outcome comes on day 7, day 4 is known just in time.

    >>> dates = pd.Series(pd.date_range("2019-01-01", periods=12, freq="D", tz="UTC"))
    >>> for fold in walk_forward(dates, dates + pd.Timedelta("2D"), n_folds=2, embargo=pd.Timedelta(0)):
    ...     print(fold.train, fold.test)
    [0 1 2 3 4] [6 7 8]
    [0 1 2 3 4 5 6 7] [ 9 10 11]

    An embargo of one day gives up one more:

    >>> walk_forward(dates, dates + pd.Timedelta("2D"), n_folds=2, embargo=pd.Timedelta("1D"))[0].train
    array([0, 1, 2, 3])
    """
    start, known = _times(dates, known_at)
    if not 0 < train_share < 1:
        raise SettingsError(f"train_share: {train_share} must lie between 0 and 1")
    gap = _milliseconds(embargo)
    return [
        _fold(start, known, train=known + gap <= start[test].min(), test=test)
        for test in _blocks(start, n_folds=n_folds, first_share=train_share, embargo=embargo)
    ]


def k_fold(dates: pd.Series, known_at: pd.Series, *, n_folds: int, embargo: pd.Timedelta) -> list[Fold]:
    """Split into `n_folds` tests in time order, each trained on the rows before and after it that do not touch it.

    Parameters
    ----------
    dates, known_at : Series of datetime64, UTC, shape (n,)
        As in `walk_forward`.
    n_folds : int
        Number of tests, at least 2.
    embargo : Timedelta
        Least time from the end of a training label to the first test decision, and from the last test outcome to a
        training decision.

    Returns
    -------
    list of Fold
        In time order; every row is in one test. Errors and ties as in `walk_forward`.

    Notes
    -----
    A label is written over the bars after its decision up to `known_at`, the half-open interval (date, known_at]: a
    training label that ends with the bar at which the test begins does not overlap it. Lopez de Prado embargoes after
    the test only; here both sides are, since smooth indicators tie neighbours in both directions. A training row after
    the test has indicators computed from test bars; that is the price of K-fold, and why the loop walks forward.

    References
    ----------
    Lopez de Prado (2018), Advances in Financial Machine Learning, section 7.4.

    Examples
    --------
    >>> dates = pd.Series(pd.date_range("2019-01-01", periods=12, freq="D", tz="UTC"))
    >>> for fold in k_fold(dates, dates + pd.Timedelta("2D"), n_folds=3, embargo=pd.Timedelta(0)):
    ...     print(fold.train, fold.test)
    [ 5  6  7  8  9 10 11] [0 1 2 3]
    [ 0  1  2  9 10 11] [4 5 6 7]
    [0 1 2 3 4 5 6] [ 8  9 10 11]
    """
    start, known = _times(dates, known_at)
    if n_folds < 2:
        raise SettingsError(f"n_folds: {n_folds} leaves nothing to train on; give at least 2")
    gap = _milliseconds(embargo)
    folds = []
    for test in _blocks(start, n_folds=n_folds, first_share=0.0, embargo=embargo):
        before = known + gap <= start[test].min()
        after = start >= known[test].max() + gap
        folds.append(_fold(start, known, train=before | after, test=test))
    return folds


def uniqueness(first_bar: NDArray[np.int64], last_bar: NDArray[np.int64]) -> NDArray[np.float64]:
    """Average uniqueness of labels that share bars.

    Parameters
    ----------
    first_bar, last_bar : ndarray of int64, shape (n,)
        Positions of the first and the last bar over which a label is written, both included, in one market and side.

    Returns
    -------
    ndarray of float64, shape (n,)
        Mean over a label's bars of one over the number of labels written there: 1 alone, 1/k among k equal ones.

    Notes
    -----
    Two prefix sums, so linear in labels and bars; agrees with the double loop (tests/test_folds.py).

    Do not weigh single outcomes by it: it depends on how they end. After a rise the longs opened on the way up are
    stopped together where the rise breaks, so that each of these losses counts little, while those that reach their
    targets do so one after another. On a driftless walk that alone makes trend followers look right (the share of
    winners that a moving-average vote agrees with, less that of losers, is 0.033 instead of 0; on the crypto sample
    0.085 instead of 0.009). `shared_uniqueness` counts overlap without it.

    References
    ----------
    Lopez de Prado (2018), Advances in Financial Machine Learning, section 4.4.

    Examples
    --------
    >>> uniqueness(np.array([0, 1, 5]), np.array([1, 2, 6]))
    array([0.75, 0.75, 1.  ])
    """
    if first_bar.size == 0:
        return np.empty(0)
    low = int(first_bar.min())
    first, stop = first_bar - low, last_bar - low + 1
    if (stop <= first).any():
        row = int(np.flatnonzero(stop <= first)[0])
        raise DataError(f"label {row}: its last bar {last_bar[row]} comes before its first {first_bar[row]}")
    length = int(stop.max()) + 1
    concurrent = np.cumsum(np.bincount(first, minlength=length) - np.bincount(stop, minlength=length))
    share = np.divide(1.0, concurrent, out=np.zeros(length), where=concurrent > 0)
    total = np.concatenate([[0.0], np.cumsum(share)])
    mean: NDArray[np.float64] = (total[stop] - total[first]) / (stop - first)
    return mean


def shared_uniqueness(outcomes: pd.DataFrame) -> NDArray[np.float64]:
    """Weights that make overlapping outcomes count as the independent ones that they are worth.

    Parameters
    ----------
    outcomes : DataFrame
        Columns pair, timeframe, is_short, date (decision) and close_date (the outcome's bar), any order.

    Returns
    -------
    ndarray of float64, shape (n,)
        Row-aligned, in (0, 1]: the mean `uniqueness` of the row's pair, timeframe and side, the same for all of them,
        because a weight that differs between outcomes would favour one kind of ending (see there). Bars are counted
        on the grid of the dates that occur in the group. It rests on every row given: pass what is known.

    Examples
    --------
    >>> hours = pd.date_range("2019-01-01", periods=4, freq="h", tz="UTC")
    >>> outcomes = pd.DataFrame({"pair": "A", "timeframe": "1h", "is_short": False, "date": hours[:2],
    ...     "close_date": hours[[2, 3]]})
    >>> shared_uniqueness(outcomes)
    array([0.75, 0.75])
    """
    start, close = _times(outcomes["date"], outcomes["close_date"])
    weights = np.ones(len(outcomes))
    for rows in outcomes.groupby(GROUP, sort=False, observed=True).indices.values():
        grid = np.unique(np.concatenate([start[rows], close[rows]]))
        first = np.searchsorted(grid, start[rows]) + 1
        last = np.maximum(np.searchsorted(grid, close[rows]), first)
        weights[rows] = uniqueness(first.astype(np.int64), last.astype(np.int64)).mean()
    return weights


def _times(dates: pd.Series, known_at: pd.Series) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Both as milliseconds, checked."""
    if len(dates) != len(known_at):
        raise DataError(f"{len(dates)} decision dates but {len(known_at)} dates of outcomes; give one for each")
    start = pd.DatetimeIndex(dates).as_unit("ms")
    known = pd.DatetimeIndex(known_at).as_unit("ms")
    wrong = np.asarray(start.isna()) | np.asarray(known.isna()) | np.asarray(known < start)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"outcomes: row {row}: decided {start[row]}, known {known[row]}; an outcome is known after its decision, "
            "drop the ones that are still open"
        )
    return start.asi8, known.asi8


def _milliseconds(span: pd.Timedelta) -> int:
    """Whole milliseconds of `span`."""
    if span < pd.Timedelta(0):
        raise SettingsError(f"embargo: {span} is negative; give 0 or more")
    return int(span // pd.Timedelta(milliseconds=1))


def _blocks(
    start: NDArray[np.int64], *, n_folds: int, first_share: float, embargo: pd.Timedelta
) -> list[NDArray[np.int64]]:
    """Rows of each test: equal shares of the rows after `first_share`, cut between distinct dates."""
    if n_folds < 1:
        raise SettingsError(f"n_folds: {n_folds} is below 1")
    moments, rank, count = np.unique(start, return_inverse=True, return_counts=True)
    shares = first_share + (1 - first_share) * np.arange(n_folds + 1) / n_folds
    # The cut nearest below each share of the rows; round first, so that 0.1 + 0.2 does not move a row.
    edges = np.searchsorted(np.cumsum(count), np.round(shares * len(start), 6), side="left") + (shares > 0)
    edges = np.minimum(edges, len(moments))
    edges[-1] = len(moments)
    if (np.diff(edges) < 1).any() or (first_share > 0 and edges[0] < 1):
        raise DataError(
            f"outcomes: {len(moments)} distinct dates are too few for {n_folds} folds (embargo {embargo}); "
            "ask for fewer folds or give more weeks"
        )
    return [np.flatnonzero((rank >= low) & (rank < high)).astype(np.int64) for low, high in pairwise(edges)]


def _fold(
    start: NDArray[np.int64], known: NDArray[np.int64], *, train: NDArray[np.bool_], test: NDArray[np.int64]
) -> Fold:
    """Put the pieces together; the test is never in its own training rows."""
    return Fold(
        train=np.setdiff1d(np.flatnonzero(train), test).astype(np.int64),
        test=test,
        test_start=pd.Timestamp(int(start[test].min()), unit="ms", tz="UTC"),
        test_end=pd.Timestamp(int(known[test].max()), unit="ms", tz="UTC"),
    )
