"""How often each way of deciding promotes falsely when it is looked at every week for a year.

The weeks of the trial are drawn anew, and on each day a coin decides which arm is called the challenger: the arms keep
their spread, their tails and their likeness, and neither is better on any day, whatever went before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.analyses.ab_trials import Comparison, Settings, rounded, trades_of
from edgebook.analyses.second_opinions import METHODS, MIN_WEEKS, boundary_constant
from edgebook.arms.gate import bet
from edgebook.statistics import intervals

if TYPE_CHECKING:
    from numpy.typing import NDArray

GATE, WIN_RATE = "the gate", "higher win rate"
PATHS, LOOKS = 400, 52
LEAST_WEEKS = 8
LAGS = 6


@dataclass(frozen=True)
class Weeks:
    """What each week of a trial brought both arms; axis 1 of the last dimension is challenger, champion.

    Parameters
    ----------
    returns : ndarray, shape (weeks, 7, 2)
        Net daily returns.
    differences : ndarray, shape (weeks, 7, 2)
        Paired daily differences that the gate bets on.
    signals, wins : ndarray, shape (weeks, 7, 2)
        Closed signals by day of entry.
    """

    returns: NDArray[np.float64]
    differences: NDArray[np.float64]
    signals: NDArray[np.float64]
    wins: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.returns)


def weeks_of(found: Comparison, trades: pd.DataFrame) -> Weeks:
    """The whole weeks of a trial.

    Parameters
    ----------
    found : Comparison
    trades : DataFrame
        Trades of every arm's own book, column `arm`.
    """
    whole = len(found.days) // 7
    counts = np.zeros((2, 2, whole * 7))
    for arm, name in enumerate((found.arm, found.against)):
        closed = trades_of(found, trades, arm=name)
        at = (closed["open_date"] - pd.Timestamp(found.since, tz="UTC")).dt.days.to_numpy(dtype=np.int64)
        won = (closed["profit_ratio"] > 0).to_numpy(dtype=np.float64)
        counts[0, arm] = np.bincount(at, minlength=whole * 7)[: whole * 7]
        counts[1, arm] = np.bincount(at, weights=won, minlength=whole * 7)[: whole * 7]
    days = found.days.iloc[: whole * 7]
    signals, wins = (count.T.reshape(whole, 7, 2) for count in counts)
    return Weeks(
        returns=days[["arm_return", "against_return"]].to_numpy(dtype=np.float64).reshape(whole, 7, 2),
        differences=found.differences[: whole * 7].reshape(whole, 7, 2),
        signals=signals,
        wins=wins,
    )


def false_promotions(
    weeks: Weeks, *, bar: float, settings: Settings, paths: int = PATHS, looks: int = LOOKS, seed: int = 22
) -> pd.DataFrame:
    """Share of paths without an edge in which each method ever promotes.

    Parameters
    ----------
    weeks : Weeks
    bar : float
        Wealth that promotes.
    settings : Settings
    paths, looks, seed : int
        Size of the simulation; a look a week, from the fourth on.

    Returns
    -------
    DataFrame
        One row a method, the gate first: method, n (paths), share with `_low` and `_high` (Wilson). Missing with fewer
        than `LEAST_WEEKS` weeks to draw from.

    Notes
    -----
    The Sharpe ratio's bootstrap is stood in for by its own error with Newey and West's variance: thousands of
    bootstraps would take minutes.
    """
    methods = [GATE, *METHODS, WIN_RATE]
    if len(weeks) < LEAST_WEEKS:
        return pd.DataFrame({"method": methods, "n": 0, "share": np.nan, "share_low": np.nan, "share_high": np.nan})
    rng = np.random.default_rng(seed)
    at = rng.integers(0, len(weeks), (paths, looks))
    swapped = rng.random((paths, looks, 7, 1)) < 0.5
    differences = weeks.differences[at] * np.where(swapped, -1.0, 1.0)
    returns, signals, wins = (
        np.where(swapped, part[at][..., ::-1], part[at]) for part in (weeks.returns, weeks.signals, weeks.wins)
    )
    t, look = _running_t(differences[..., 0].sum(axis=2)), np.arange(1, looks + 1)
    student = np.array([intervals.student(max(k - 1, 1)) for k in range(1, looks + 1)])
    boundary = boundary_constant(looks) * np.sqrt(looks / look)
    start = settings.begin_trial(bar=bar)
    z, ahead = _running_proportions(signals.sum(axis=2), wins.sum(axis=2))
    found = {
        GATE: np.array(
            [bet(start, path, gate=settings.gate)[1].max() >= bar for path in differences.reshape(paths, -1, 2)]
        ),
        METHODS[0]: _ever(t > student),
        METHODS[1]: _ever(_running_sharpe(returns.reshape(paths, -1, 2)) > intervals.student(np.inf)),
        METHODS[2]: _ever(t > boundary),
        METHODS[3]: _ever(z > intervals.student(np.inf)),
        WIN_RATE: _ever(ahead),
    }
    rows = []
    for method in methods:
        share = float(found[method].mean())
        low, high = intervals.wilson(share, n=paths)
        rows.append({"method": method, "n": paths, "share": share, "share_low": low, "share_high": high})
    return rounded(pd.DataFrame(rows))


def _ever(promotes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each path is promoted at any look from the fourth on."""
    return np.asarray(promotes[:, MIN_WEEKS - 1 :].any(axis=1))


def _running_t(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Student's t of the first k values of each row, for every k; 0 where it is not defined."""
    k = np.arange(1, values.shape[1] + 1)
    total, squares = np.cumsum(values, axis=1), np.cumsum(values**2, axis=1)
    variance = (squares - total**2 / k) / np.maximum(k - 1, 1)
    error = np.sqrt(np.maximum(variance, 0) / k)
    return np.asarray(np.divide(total / k, error, out=np.zeros_like(total), where=error > 1e-12))


def _running_proportions(
    signals: NDArray[np.float64], wins: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Pooled z of two win rates after each week, and whether the challenger's is higher."""
    n, won = np.cumsum(signals, axis=1), np.cumsum(wins, axis=1)
    rate = np.divide(won, n, out=np.full_like(won, np.nan), where=n > 0)
    pooled = won.sum(axis=2) / np.maximum(n.sum(axis=2), 1)
    inverse = np.divide(1, n, out=np.full_like(n, np.nan), where=n > 0).sum(axis=2)
    error = np.sqrt(pooled * (1 - pooled) * inverse)
    gap = rate[..., 0] - rate[..., 1]
    z = np.divide(gap, error, out=np.zeros_like(gap), where=error > 0)
    return np.nan_to_num(z), np.nan_to_num(gap) > 0


def _running_sharpe(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Z of the difference of two Sharpe ratios after each week, shape (paths, weeks)."""
    paths, days, _ = returns.shape
    z = np.zeros((paths, days // 7))
    for look in range(MIN_WEEKS - 1, days // 7):
        seen = returns[:, : 7 * (look + 1)]
        n = seen.shape[1]
        deviation = np.maximum(seen.std(axis=1, ddof=1), 1e-12)
        ratio = seen.mean(axis=1) / deviation
        centred = (seen - seen.mean(axis=1, keepdims=True)) / deviation[:, None, :]
        influence = centred - ratio[:, None, :] / 2 * (centred**2 - 1)
        pull = influence[..., 0] - influence[..., 1]
        variance = (pull**2).sum(axis=1)
        for lag in range(1, LAGS + 1):
            variance = variance + 2 * (1 - lag / (LAGS + 1)) * (pull[:, lag:] * pull[:, :-lag]).sum(axis=1)
        error = np.sqrt(np.maximum(variance, 1e-24)) / n
        z[:, look] = (ratio[:, 0] - ratio[:, 1]) / error
    return z
