"""What importance is measured on: bars whose outcomes are known on both sides, indicators as ranks.

An indicator is worth something when it tells long from short, so a bar's outcome is one number here: R of the long
candidate less R of the short one. What both sides share (a fee that weighs more when the range is small) cancels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.errors import DataError
from edgebook.files.tables import KEY
from edgebook.outcomes.outcomes import observed_outcomes

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAY_MS = 86_400_000


@dataclass(frozen=True)
class ImportanceRows:
    """Bars with known outcomes on both sides, sorted by pair, timeframe, date.

    Parameters
    ----------
    names : tuple of str
        The indicators, in the order of the columns of `ranks`.
    ranks : ndarray of float32, shape (n, k)
        Each indicator as its rank within its pair and timeframe, scaled to mean 0 and variance 1; 0 where missing.
    edge_r : ndarray of float64, shape (n,)
        R of the long candidate less R of the short one, less its mean within pair and timeframe.
    date_ms, known_at_ms : ndarray of int64, shape (n,)
        Milliseconds UTC of the decision, and of when the later of the two outcomes became known.
    series : ndarray of int64, shape (n,)
        Number of the pair and timeframe, ascending.
    """

    names: tuple[str, ...]
    ranks: NDArray[np.float32]
    edge_r: NDArray[np.float64]
    date_ms: NDArray[np.int64]
    known_at_ms: NDArray[np.int64]
    series: NDArray[np.int64]


def importance_rows(indicators: pd.DataFrame, outcomes: pd.DataFrame, *, at: pd.Timestamp) -> ImportanceRows:
    """Join indicators to what was known of their bars' outcomes at a time.

    Parameters
    ----------
    indicators : DataFrame
        pair, timeframe, date (UTC close), and one column an indicator, known at `date`.
    outcomes : DataFrame
        One exit plan: pair, timeframe, date, is_short, r_multiple, known_at (UTC); any order.
    at : Timestamp
        UTC. Outcomes with ``known_at > at`` do not enter, nor do bars so late that a slow outcome could not be known:
        the last bars would otherwise be there for their quick outcomes only.

    Returns
    -------
    ImportanceRows

    Raises
    ------
    DataError
        No bar is left.
    """
    names = tuple(column for column in indicators.columns if column not in KEY)
    known = observed_outcomes(outcomes, at=at)
    if known.empty:
        raise DataError(f"outcomes: none is known at {at:%Y-%m-%d}; choose a later week")
    slowest = (known["known_at"] - known["date"]).groupby(known["timeframe"], observed=True).max()
    known = known[known["date"] + known["timeframe"].map(slowest) <= at]
    sides = known[[*KEY, "r_multiple", "known_at"]]
    short = known["is_short"].to_numpy(bool)
    both = sides[~short].merge(sides[short], on=KEY, suffixes=("_long", "_short"), validate="one_to_one")
    joined = indicators.merge(both, on=KEY, validate="one_to_one").sort_values(KEY, kind="stable", ignore_index=True)
    if joined.empty:
        raise DataError(f"outcomes: none is known on both sides of a bar at {at:%Y-%m-%d}; choose a later week")
    series = joined.groupby(["pair", "timeframe"], sort=False, observed=True).ngroup().to_numpy().astype(np.int64)
    edge = (joined["r_multiple_long"] - joined["r_multiple_short"]).to_numpy(np.float64, copy=True)
    values = joined[list(names)]
    ranks = np.zeros((len(joined), len(names)), dtype=np.float32)
    for rows in np.split(np.arange(len(joined)), np.flatnonzero(np.diff(series)) + 1):
        ranks[rows] = scaled_ranks(values.iloc[rows])
        edge[rows] -= np.round(edge[rows].mean(), 9)
    return ImportanceRows(
        names=names,
        ranks=ranks,
        edge_r=edge,
        date_ms=_milliseconds(joined["date"]),
        known_at_ms=np.maximum(_milliseconds(joined["known_at_long"]), _milliseconds(joined["known_at_short"])),
        series=series,
    )


def scaled_ranks(values: pd.DataFrame) -> NDArray[np.float32]:
    """Ranks of each column at mean 0 and variance 1; 0 where missing, and all 0 where the column is constant.

    Examples
    --------
    >>> scaled_ranks(pd.DataFrame({"x": [7.0, None, 9.0], "flat": [1.0, 1.0, 1.0]})).tolist()
    [[-1.2247449159622192, 0.0], [0.0, 0.0], [1.2247449159622192, 0.0]]
    """
    ranks = values.rank()
    centred = (ranks - ranks.mean()).fillna(0.0).to_numpy(np.float64)
    spread = np.sqrt(np.mean(centred**2, axis=0))
    scaled = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
    return np.asarray(scaled, dtype=np.float32)


def _milliseconds(dates: pd.Series) -> NDArray[np.int64]:
    return pd.DatetimeIndex(dates).as_unit("ms").asi8
