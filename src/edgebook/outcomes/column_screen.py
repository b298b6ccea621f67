"""A screen for columns that know the future: rank correlation with what became of the bar's own candidates.

A column that was computed with later bars in view correlates with their outcomes far beyond what any honest column
does. The screen asks each column four ways, as it is, as its change over a bar, as the change of that, and as its
distance from the close, so that a price of tomorrow is found too, and an average that ends tomorrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.stats import rankdata

from edgebook.files.tables import KEY
from edgebook.outcomes.candidates import label_candidates
from edgebook.settings.exit_plans import Costs, ExitPlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

BOUND_MOVE, BOUND_OUTCOME = 0.2, 0.2
"""Rank correlation with the move of the entry bar, and with the outcome, from which on a column is refused."""
ERRORS = 4.0
"""Standard errors that the correlation must lie beyond its bound by: a short history refuses nothing by chance."""
LEAST_ROWS = 100
PLAN = ExitPlan(take_profit_atr=2.0, stop_loss_atr=1.5, time_limit_bars=24)
_VIEWS = ("value", "change over a bar", "change of its change", "distance from the close")
_AHEAD = ("the move of the entry bar", "the outcome")


class Ahead(NamedTuple):
    """What the bars after each bar did; nan where they have not closed."""

    move: NDArray[np.float64]
    outcome: NDArray[np.float64]


@dataclass(frozen=True)
class Screened:
    """How far a column goes with what came after.

    Parameters
    ----------
    name : str
    correlation : float
        The largest in size, relative to its bound.
    error : float
        Its standard error.
    bound : float
    view, ahead, where : str
        Which way the column was asked, with what, and on which pair and timeframe ("all" for all of them together).
    """

    name: str
    correlation: float
    error: float
    bound: float
    view: str
    ahead: str
    where: str

    @property
    def leaks(self) -> bool:
        """Whether no honest column does so."""
        return abs(self.correlation) - ERRORS * self.error > self.bound

    def __str__(self) -> str:
        """Say it in words."""
        return (
            f"{self.name}: rank correlation {self.correlation:+.2f} ± {self.error:.2f} of its {self.view} with "
            f"{self.ahead} ({self.where}); the bound is {self.bound}"
        )


def what_came(bars: pd.DataFrame) -> Ahead:
    """What became of each bar's candidates: the entry bar's move, and R of the long less R of the short one."""
    labelled = label_candidates(bars, [PLAN], costs=Costs(0.0, 0.0, 0.0))[PLAN.name]
    sides = [labelled.loc[labelled["is_short"] == short, [*KEY, "r_multiple"]] for short in (False, True)]
    both = sides[0].merge(sides[1], on=KEY, suffixes=("_long", "_short"), validate="one_to_one")
    both = bars[KEY].merge(both, on=KEY, how="left", validate="one_to_one")
    outcome = (both["r_multiple_long"] - both["r_multiple_short"]).to_numpy(np.float64)
    close = np.log(bars["close"].to_numpy(np.float64))
    series = _series(bars)
    move = np.append(np.where(series[1:] == series[:-1], np.diff(close), np.nan), np.nan)
    return Ahead(move, outcome)


def screen(values: Mapping[str, NDArray[np.float32]], bars: pd.DataFrame, *, ahead: Ahead) -> list[Screened]:
    """Ask each column how far it goes with what came after.

    Parameters
    ----------
    values : mapping of str to ndarray, shape (bars,)
        By name, row-aligned with the bars; nan where missing.
    bars : DataFrame
        Sorted by key.
    ahead : Ahead
        As `what_came` gives it for these bars.

    Returns
    -------
    list of Screened
        One a column that has `LEAST_ROWS` values, in order.

    Notes
    -----
    Spearman's correlation within each pair and timeframe, and its mean over all of them weighted by rows. The error
    counts an outcome as a sixth of one that does not overlap, 24-bar trades of which most end earlier: measured on
    noise, the spread was smaller (docs/decisions.md). Only a column's direction is looked at: one that knows tomorrow's
    volatility and not its direction passes.
    """
    series = _series(bars)
    starts = np.flatnonzero(np.r_[True, np.diff(series) != 0])
    stops = np.r_[starts[1:], len(bars)]
    names = bars[["pair", "timeframe"]].iloc[starts].agg(" ".join, axis=1).tolist()
    close = bars["close"].to_numpy(np.float64)
    found = []
    for name, column in values.items():
        told: list[Screened] = []
        views = _views(column.astype(np.float64), close, series)
        for view, own in zip(_VIEWS, views, strict=True):
            for what, after, bound, overlap in zip(_AHEAD, ahead, (BOUND_MOVE, BOUND_OUTCOME), (1.0, 6.0), strict=True):
                parts = [_rank_correlation(own[a:b], after[a:b]) for a, b in zip(starts, stops, strict=True)]
                known = [(where, r, n) for where, (r, n) in zip(names, parts, strict=True) if n >= LEAST_ROWS]
                if not known:
                    continue
                total = sum(n for _, _, n in known)
                mean = sum(r * n for _, r, n in known) / total
                for where, r, n in [("all", mean, total), *known]:
                    told.append(Screened(name, round(r, 6), round((overlap / n) ** 0.5, 6), bound, view, what, where))
        if told:
            found.append(max(told, key=lambda one: (abs(one.correlation) - ERRORS * one.error) / one.bound))
    return found


def _views(
    column: NDArray[np.float64], close: NDArray[np.float64], series: NDArray[np.int64]
) -> list[NDArray[np.float64]]:
    """The ways in which a column is asked, in the order of `_VIEWS`."""
    same = series[1:] == series[:-1]
    change = np.r_[np.nan, np.where(same, np.diff(column), np.nan)]
    bend = np.r_[np.nan, np.where(same, np.diff(change), np.nan)]
    return [column, change, bend, column / close]


def _rank_correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[float, int]:
    """Spearman's correlation of what both know, and how many rows that are."""
    known = np.isfinite(one) & np.isfinite(other)
    n = int(known.sum())
    if n < LEAST_ROWS:
        return 0.0, 0
    a, b = rankdata(one[known]), rankdata(other[known])
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return (float(a @ b) / size if size > 0 else 0.0), n


def _series(bars: pd.DataFrame) -> NDArray[np.int64]:
    """Number of the pair and timeframe of each bar, ascending."""
    return np.asarray(bars.groupby(["pair", "timeframe"], sort=False).ngroup().to_numpy(np.int64))
