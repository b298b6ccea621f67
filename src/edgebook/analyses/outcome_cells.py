"""Which signals did better: cells of the ledger by pattern, regime, head, indicator, symbol, timeframe, side and hour.

All kinds of cells of a report are one family of hypotheses: badges are awarded over all of them together.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from edgebook.analyses.outcome_candidates import head_counts
from edgebook.statistics.cells import BETTER, award_badges, cell_table
from edgebook.statistics.metrics import closed_trades

KINDS: dict[str, list[list[str]]] = {
    "pattern": [["pattern"]],
    "regime": [["regime"]],
    "head": [["head"]],
    "head set": [["heads"], ["heads", "head_set"]],
    "indicator": [["indicator"]],
    "timeframe": [["timeframe"]],
    "symbol": [["symbol"]],
    "side": [["side"]],
    "hour": [["hour"]],
    "pattern × regime": [["pattern"], ["pattern", "regime"]],
    "head × regime": [["regime"], ["regime", "head"]],
    "indicator × regime": [["regime"], ["regime", "indicator"]],
    "pattern × regime × symbol × timeframe": [
        ["pattern"],
        ["pattern", "regime"],
        ["pattern", "regime", "symbol", "timeframe"],
    ],
}
"""Kind of cell to its nested groupings, coarse to fine."""
UNDECIDED = "undecided"
_ALIKE_R = 0.01


def report_cells(trades: pd.DataFrame, votes: pd.DataFrame) -> pd.DataFrame:
    """All cells of the outcome report, shrunk, tested and badged as one family.

    Parameters
    ----------
    trades : DataFrame
        Ledger rows: open_date, pair, timeframe, is_short, enter_tag, regime, heads_agreed, profit_ratio, r_multiple,
        and `date` (close of the decision bar) where it differs from `open_date`. Open rows are left out.
    votes : DataFrame
        Key and one column an indicator, -1, 0 or 1: `edgebook.paths` knows the table.

    Returns
    -------
    DataFrame
        One row a cell: kind (a key of `KINDS`), name, pattern, regime, head, heads and head_set (all that agreed),
        indicator, symbol, timeframe, side, hour (NaN where the kind does not use it), then the columns of
        `cells.award_badges`.

    Notes
    -----
    A head counts where it agreed with the signal, an indicator where its textbook vote on the decision bar was on the
    signal's side: both overlap, so a signal is in many of their cells.
    """
    closed = described(trades)
    heads = _agreed_heads(closed)
    agreeing = _agreeing_indicators(closed, votes)
    parts = []
    for kind, groupings in KINDS.items():
        members = heads if "head" in groupings[-1] else agreeing if "indicator" in groupings[-1] else None
        part = cell_table(closed, groupings=groupings, members=members)
        name = part[groupings[-1]].astype(str).agg(" · ".join, axis=1) if len(part) else pd.Series(dtype=str)
        parts.append(part.assign(kind=kind, name=name))
    filled = [part for part in parts if len(part)] or parts[:1]
    found = award_badges(pd.concat(filled, ignore_index=True))
    labels = list(dict.fromkeys(itertools.chain(*(groupings[-1] for groupings in KINDS.values()))))
    return found.reindex(columns=["kind", "name", *labels, *(c for c in found if c not in {"kind", "name", *labels})])


def described(trades: pd.DataFrame) -> pd.DataFrame:
    """Closed signals under the words of the report.

    Parameters
    ----------
    trades : DataFrame
        Ledger rows.

    Returns
    -------
    DataFrame
        Closed ones in order of closing, index from 0, with pattern, symbol, side ("long", "short"), hour (of entry,
        UTC), heads ("3 heads") and head_set ("ADF").
    """
    closed = closed_trades(trades)
    letters = closed["heads_agreed"].fillna("").astype(str)
    return closed.assign(
        heads=head_counts(np.asarray(letters.str.len(), dtype=np.int64)),
        head_set=letters.replace("", "none"),
        pattern=closed["enter_tag"].replace("", "none").fillna("none"),
        symbol=closed["pair"],
        side=np.where(closed["is_short"].to_numpy(dtype=bool), "short", "long"),
        hour=closed["open_date"].dt.strftime("%H:00"),
    )


def cells_of(cells: pd.DataFrame, *, kind: str, top: int | None = None, largest: int | None = None) -> pd.DataFrame:
    """Cells of one kind, best shrunk R first (hours by the clock).

    Parameters
    ----------
    cells : DataFrame
        As `report_cells` gives them.
    kind : str
        A key of `KINDS`.
    top : int, optional
        Keep so many from each end.
    largest : int, optional
        Keep the so many with the most signals.

    Returns
    -------
    DataFrame
        The same columns, index from 0.
    """
    own = cells[cells["kind"] == kind]
    if largest is not None:
        own = own.sort_values(["n", "name"], ascending=[False, True]).head(largest)
    if kind == "hour":
        return own.sort_values("hour", ignore_index=True)
    own = own.sort_values(["shrunk_r", "n", "name"], ascending=[False, False, True], ignore_index=True)
    if top is None or len(own) <= 2 * top:
        return own
    return pd.concat([own.head(top), own.tail(top)], ignore_index=True)


def pattern_table(cells: pd.DataFrame, trades: pd.DataFrame, *, largest: int | None = None) -> pd.DataFrame:
    """Add to each pattern its average net profit and the regime in which it did best.

    Parameters
    ----------
    cells : DataFrame
        As `report_cells` gives them.
    trades : DataFrame
        The ledger rows that they came from.
    largest : int, optional
        Keep the so many with the most signals.

    Returns
    -------
    DataFrame
        `cells_of` patterns with `count`, `avg_profit` and `best_in_regime`, as `best_of` says it.
    """
    own = cells_of(cells, kind="pattern", largest=largest)
    profit = described(trades).groupby("pattern")["profit_ratio"].mean().round(6)
    crossed = cells[cells["kind"] == "pattern × regime"]
    best = [best_of(crossed[crossed["pattern"] == name], column="regime") for name in own["pattern"]]
    return own.assign(count=own["n"], avg_profit=own["pattern"].map(profit), best_in_regime=best)


def regime_table(cells: pd.DataFrame) -> pd.DataFrame:
    """Add to each regime the patterns, heads and indicators that did best in it.

    Parameters
    ----------
    cells : DataFrame
        As `report_cells` gives them.

    Returns
    -------
    DataFrame
        `cells_of` regimes with `best_patterns`, `best_heads`, `best_indicators`, as `best_of` says them.
    """
    own = cells_of(cells, kind="regime")
    found = {}
    for column in ("pattern", "head", "indicator"):
        crossed = cells[cells["kind"] == f"{column} × regime"]
        found[f"best_{column}s"] = [
            best_of(crossed[crossed["regime"] == name], column=column) for name in own["regime"]
        ]
    return own.assign(**found)


def best_of(cells: pd.DataFrame, *, column: str, top: int = 3) -> str:
    """Name the cells that are proven better, or the one that is ahead, or say that they cannot be told apart.

    Parameters
    ----------
    cells : DataFrame
        Cells of one kind and one parent.
    column : str
        Holds their names.
    top : int
        How many proven ones at most.

    Returns
    -------
    str
        Names with the badge "better", highest shrunk R first; else "undecided", with the cell that is ahead when
        shrinking leaves it more than 0.01 R above the mean of all.
    """
    ranked = cells.sort_values(["shrunk_r", column], ascending=[False, True])
    proven = ranked.loc[ranked["badge"] == BETTER, column].head(top)
    if len(proven):
        return ", ".join(proven)
    if len(ranked) < 2 or not ranked["shrunk_r"].iloc[0] - ranked["shrunk_r"].mean() > _ALIKE_R:
        return UNDECIDED
    return f"{UNDECIDED} (ahead: {ranked[column].iloc[0]})"


def _agreed_heads(closed: pd.DataFrame) -> pd.DataFrame:
    """One row a signal and head that agreed: trade, head (letter and title), and what may be crossed with it."""
    from edgebook.indicators import HEADS

    letters = closed["heads_agreed"].fillna("").astype(str).map(list)
    long = closed.assign(trade=closed.index, head=letters)[["trade", "head", "regime"]].explode("head").dropna()
    return long.assign(head=long["head"].map(lambda letter: f"{letter} {HEADS.get(letter, '')}".strip()))


def _agreeing_indicators(closed: pd.DataFrame, votes: pd.DataFrame) -> pd.DataFrame:
    """One row a signal and indicator whose vote on the decision bar was on the signal's side."""
    key = ["pair", "timeframe", "date"]
    names = [name for name in votes.columns if name not in key]
    decided = closed["date"] if "date" in closed else closed["open_date"]
    left = closed[["pair", "timeframe"]].assign(date=decided.astype("datetime64[ms, UTC]"))
    right = votes.astype({"date": "datetime64[ms, UTC]"})
    joined = left.merge(right, on=key, how="left", validate="many_to_one")
    side = np.where(closed["is_short"].to_numpy(dtype=bool), -1.0, 1.0)
    trade, column = np.nonzero(joined[names].to_numpy(dtype=np.float64) * side[:, None] > 0)
    return pd.DataFrame(
        {
            "trade": closed.index.to_numpy()[trade],
            "indicator": np.array(names, dtype=object)[column],
            "regime": closed["regime"].to_numpy(dtype=object)[trade],
        }
    )
