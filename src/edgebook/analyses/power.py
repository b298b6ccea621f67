"""How long an edge of a given size takes to show: the gate, run on the paired scores' own spread.

The observed paired days are centred and drawn anew in blocks of a week, so that the simulated arms differ by nothing
but chance; an edge is then added to every day, and `gate.bet` is asked when it would have promoted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.analyses.ab_trials import Comparison, Settings, rounded, trades_of
from edgebook.arms.gate import bet
from edgebook.statistics import intervals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

EDGES_R = (0.25, 0.75)
EDGES_WIN_RATE = (0.01, 0.02, 0.05, 0.1)
PATHS, WEEKS = 300, 52
BLOCK_DAYS = 7
MIN_DAYS = 56
MADE_UP = (2.6, 0.45)
"""Spread of a day's difference (R; usual days' stakes) that stands in while fewer than `MIN_DAYS` are observed."""


@dataclass(frozen=True)
class Spread:
    """Paired days without an edge, to draw from.

    Parameters
    ----------
    centred : ndarray, shape (days, 2)
        Differences of books and of all candidates, each less its mean.
    observed : int
        Days that they come from; 0 when they are made up.
    """

    centred: NDArray[np.float64]
    observed: int

    def draw(self, *, paths: int, days: int, seed: int) -> NDArray[np.float64]:
        """Paths of days in circular blocks of a week, shape (paths, days, 2)."""
        rng = np.random.default_rng(seed)
        blocks = -(-days // BLOCK_DAYS)
        start = rng.integers(0, len(self.centred), (paths, blocks, 1))
        at = (start + np.arange(BLOCK_DAYS)).reshape(paths, -1)[:, :days] % len(self.centred)
        drawn: NDArray[np.float64] = self.centred[at]
        return drawn


def spread_of(found: Comparison, *, fallback: Comparison | None = None) -> Spread:
    """The spread of the paired daily differences.

    Parameters
    ----------
    found : Comparison
    fallback : Comparison, optional
        Used when `found` has fewer than `MIN_DAYS` days: the baseline trial.
    """
    for one in (found, fallback):
        if one is not None and len(one.days) >= MIN_DAYS:
            values = one.differences
            return Spread(values - values.mean(axis=0), len(values))
    rng = np.random.default_rng(0)
    values = np.round(rng.standard_t(6, (700, 2)) * np.array(MADE_UP) / np.sqrt(1.5), 6)
    return Spread(values - values.mean(axis=0), 0)


def paths_of_wealth(
    spread: Spread,
    *,
    edge_r: float,
    settings: Settings,
    paths: int,
    weeks: int,
    seed: int,
    both: bool = False,
    bar: float | None = None,
) -> NDArray[np.float64]:
    """Wealth of simulated challengers of one edge.

    Parameters
    ----------
    spread : Spread
    edge_r : float
        Added to the books' difference every day, in R.
    settings : Settings
    paths, weeks, seed : int
        Never more weeks than a trial lasts.
    both : bool
        Whether the scores of all candidates gain alike: by the same multiple of their own deviation.
    bar : float, optional
        Wealth that promotes; by default that of a year's first challenger.

    Returns
    -------
    ndarray, shape (paths, days)
        Wealth at the end of each day.
    """
    deviation = spread.centred.std(axis=0)
    also = edge_r * deviation[1] / deviation[0] if both and deviation[0] > 0 else 0.0
    weeks = min(weeks, settings.learning.trial_weeks)
    drawn = spread.draw(paths=paths, days=7 * weeks, seed=seed) + np.array([edge_r, also])
    start = settings.begin_trial(bar=bar)
    return np.array([bet(start, path, gate=settings.gate)[1] for path in drawn])


def weeks_to_bar(wealth: NDArray[np.float64], *, bar: float) -> NDArray[np.float64]:
    """Weeks until each path first stands at the bar; infinite when it never does.

    Parameters
    ----------
    wealth : ndarray, shape (paths, days)
    bar : float

    Examples
    --------
    >>> weeks_to_bar(np.array([[1.0, 90.0, 2.0], [1.0, 1.0, 1.0]]), bar=80.0).tolist()
    [1.0, inf]
    """
    reached = wealth >= bar
    return np.where(reached.any(axis=1), reached.argmax(axis=1) // 7 + 1.0, np.inf)


def r_per_day(found: Comparison, trades: pd.DataFrame, *, win_rate: float) -> float:
    """What a higher win rate is worth in R a day, at the champion's trades a day and the size of its wins and losses.

    Parameters
    ----------
    found : Comparison
    trades : DataFrame
        Trades of every arm's own book, column `arm`.
    win_rate : float
        Gain in win rate, a fraction.

    Returns
    -------
    float
        NaN without a win and a loss.
    """
    closed = trades_of(found, trades, arm=found.against)
    r, won = closed["r_multiple"].to_numpy(dtype=np.float64), (closed["profit_ratio"] > 0).to_numpy(dtype=bool)
    if not (won.any() and (~won).any() and len(found.days)):
        return np.nan
    return float(win_rate * (r[won].mean() - r[~won].mean()) * len(r) / len(found.days))


def power_table(
    spread: Spread,
    *,
    worth_of_a_point: float,
    bar: float,
    settings: Settings,
    paths: int = PATHS,
    weeks: int = WEEKS,
    seed: int = 20,
) -> pd.DataFrame:
    """When an edge of each size would be promoted.

    Parameters
    ----------
    spread : Spread
    worth_of_a_point : float
        R a day that one percentage point of win rate is worth; NaN when unknown.
    bar : float
        Wealth that promotes.
    settings : Settings
    paths, weeks, seed : int
        Size of the simulation; the same paths are used for every edge.

    Returns
    -------
    DataFrame
        One row an edge, the smallest first, none on top: edge_r (a day), win_rate (gain, a fraction), sharpe (of the
        difference, a day), n (paths), half and full (share promoted within 26 and 52 weeks) with `_low` and `_high`,
        trial (share promoted within the weeks that a trial lasts),
        median (weeks; infinite beyond the simulated), median_both (when the scores of all candidates gain alike).
    """
    known = np.isfinite(worth_of_a_point) and worth_of_a_point > 0
    from_points = [points * 100 * worth_of_a_point for points in EDGES_WIN_RATE] if known else []
    deviation = float(spread.centred[:, 0].std())
    rows = []
    for edge in sorted({0.0, *EDGES_R, *from_points}):
        alone, both = (
            weeks_to_bar(
                paths_of_wealth(
                    spread, edge_r=edge, settings=settings, paths=paths, weeks=weeks, seed=seed, both=also, bar=bar
                ),
                bar=bar,
            )
            for also in (False, True)
        )
        rows.append(
            {
                "edge_r": edge,
                "win_rate": edge / worth_of_a_point / 100 if known else np.nan,
                "sharpe": edge / deviation if deviation > 0 else np.nan,
                "n": paths,
                **_share("half", alone <= 26),
                **_share("full", alone <= 52),
                "trial": float(np.mean(alone <= settings.learning.trial_weeks)),
                "median": float(np.median(alone)),
                "median_both": float(np.median(both)),
            }
        )
    return rounded(pd.DataFrame(rows))


def edge_in_a_year(table: pd.DataFrame, *, share: float = 0.5, within: str = "full") -> float:
    """Smallest edge of the table, in R a day, that is promoted in time in at least a share of the paths.

    Parameters
    ----------
    table : DataFrame
        As `power_table` gives it.
    share : float
    within : {"half", "full"}
        26 or 52 weeks.

    Returns
    -------
    float
        NaN when no edge of the table is.
    """
    enough = table.loc[table[within] >= share, "edge_r"]
    return float(enough.min()) if len(enough) else np.nan


def _share(name: str, hits: Sequence[bool] | NDArray[np.bool_]) -> dict[str, float]:
    """Share of simulated paths with Wilson's interval: the paths are independent."""
    share = float(np.mean(hits))
    low, high = intervals.wilson(share, n=len(hits))
    return {name: share, f"{name}_low": low, f"{name}_high": high}
