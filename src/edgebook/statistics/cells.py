"""Cells: win rate and R multiple of small groups of trades, shrunk, tested, and corrected for their number.

The best of 640 cells of pure noise won every time. So a cell is shown shrunk toward the larger group it lies in, and
wears a badge only when it survives a false-discovery rate of 10 % over all cells of the report.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.errors import DataError
from edgebook.statistics import intervals, shrinkage

if TYPE_CHECKING:
    from collections.abc import Sequence

FALSE_DISCOVERY_RATE = 0.10
MIN_EFFECTIVE = 10.0
DECIMALS = 6
BETTER, WORSE = "better", "worse"
COLUMNS = [
    "n", "n_effective",
    "win_rate", "win_rate_low", "win_rate_high",
    "shrunk_win_rate", "shrunk_win_rate_low", "shrunk_win_rate_high", "win_rate_p_value",
    "mean_r", "rest_r", "shrunk_r", "shrunk_r_low", "shrunk_r_high", "p_value",
]  # fmt: skip


def cell_table(
    trades: pd.DataFrame, *, groupings: Sequence[Sequence[str]], members: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Shrunk win rate and R multiple of each cell.

    Parameters
    ----------
    trades : DataFrame
        Closed trades, unique index: open_date (UTC), profit_ratio, r_multiple, and the columns of `groupings`.
    groupings : sequence of sequences of str
        Coarse to fine, each containing the one before, as in ``[["enter_tag"], ["enter_tag", "regime"], ["enter_tag",
        "regime", "pair"]]``. All trades together are always the top; the cells are the groups of the last.
    members : DataFrame, optional
        For groups that overlap (heads, indicators): one row a trade and group, column `trade` (index of `trades`) and
        the columns of `groupings`. By default each trade lies in one group, read from `trades`.

    Returns
    -------
    DataFrame
        One row a cell, sorted by its columns, then `COLUMNS`. Raw win rates have Wilson's interval at `n_effective`;
        shrunk ones that of the posterior. `p_value` tests the mean R (an exit plan can buy any win rate), and
        `win_rate_p_value` the win rate, each against the trades of its parent outside the cell (their mean R is
        `rest_r`), so that one effect does not light up every cell inside it.

    Raises
    ------
    DataError
        A grouping does not contain the one before it.

    Notes
    -----
    Method: `edgebook.statistics.shrinkage`. Trades of one week count as `intervals.clusters_of` says.
    """
    for coarse, fine in itertools.pairwise(groupings):
        if not set(coarse) <= set(fine):
            raise DataError(f"cell_table: grouping {list(fine)} does not contain {list(coarse)}; nest them")
    keys = list(groupings[-1])
    if members is None:
        members = trades[keys].assign(trade=trades.index)
    if members.empty:
        return pd.DataFrame(columns=[*keys, *COLUMNS])
    trade = trades.index.get_indexer(pd.Index(members["trade"]))
    levels = [
        np.asarray(members.groupby(list(columns), sort=True, dropna=False).ngroup(), dtype=np.int64)
        for columns in groupings
    ]
    clusters = intervals.clusters_of(trades["open_date"])
    wins = np.asarray(trades["profit_ratio"] > 0, dtype=np.float64)
    risk = trades["r_multiple"].to_numpy(dtype=np.float64)
    rate = shrinkage.shrink(
        wins[trade], levels=levels, trade=trade, all_values=wins, all_clusters=clusters, kind="rate"
    )
    mean = shrinkage.shrink(
        risk[trade], levels=levels, trade=trade, all_values=risk, all_clusters=clusters, kind="mean"
    )
    n_effective = np.minimum(rate.groups.n_effective, mean.groups.n_effective)
    edges = [intervals.wilson(float(p), n=float(n)) for p, n in zip(rate.groups.mean, n_effective, strict=True)]
    numbers = [
        rate.groups.n, n_effective,
        rate.groups.mean, np.array([low for low, _ in edges]), np.array([high for _, high in edges]),
        rate.value, rate.low, rate.high, rate.p_value,
        mean.groups.mean, mean.rest, mean.value, mean.low, mean.high, mean.p_value,
    ]  # fmt: skip
    found = pd.DataFrame(dict(zip(COLUMNS, numbers, strict=True))).round(DECIMALS)
    names = members[keys].groupby(keys, sort=True, dropna=False).first().index.to_frame(index=False)
    return pd.concat([names, found.astype({"n": int})], axis=1)


def award_badges(cells: pd.DataFrame, *, rate: float = FALSE_DISCOVERY_RATE) -> pd.DataFrame:
    """Badge the cells whose R differs from the rest of their parent, at a false-discovery rate over all rows given.

    Parameters
    ----------
    cells : DataFrame
        Rows of one or several `cell_table`: n_effective, p_value, mean_r, rest_r. Pass all the cells that a reader
        will see in one call: they are one family.
    rate : float
        Expected share of false badges among badges.

    Returns
    -------
    DataFrame
        The same rows with `tested` (at least 10 effective trades, and others to compare with), `q_value` and `badge`:
        "better", "worse" or "".

    Notes
    -----
    Benjamini and Hochberg's step-up from statsmodels. Which cells are tested depends on their number of trades only,
    never on what the trades made. Cells of nested or overlapping groups are positively dependent, for which the rate
    holds (Benjamini and Yekutieli 2001).

    References
    ----------
    Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57, 289-300; Benjamini and Yekutieli
    (2001), Annals of Statistics 29, 1165-1188.
    """
    from statsmodels.stats.multitest import multipletests

    tested = ((cells["n_effective"] >= MIN_EFFECTIVE) & cells["p_value"].notna()).to_numpy(dtype=bool)
    q_value = np.full(len(cells), np.nan)
    if tested.any():
        q_value[tested] = multipletests(cells["p_value"].to_numpy(dtype=float)[tested], method="fdr_bh")[1]
    side = np.where(cells["mean_r"] > cells["rest_r"], BETTER, WORSE)
    badge = pd.Series(np.where(np.nan_to_num(q_value, nan=1.0) <= rate, side, ""), index=cells.index, dtype=str)
    return cells.assign(tested=tested, q_value=np.round(q_value, DECIMALS), badge=badge)
