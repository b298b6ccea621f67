"""Cells of the dashboard: the outcome report's as they are, and every crossing of pattern, regime, symbol, timeframe.

Badges are awarded to the report's cells alone, which are one family of hypotheses. The other crossings are groups of
the same signals seen once more: they are shrunk in the same way and shown without a q-value, since testing them too
would either weaken every badge of the report or award some outside of any correction.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.analyses.outcome_cells import KINDS, report_cells
from edgebook.dashboard.dashboard_numbers import numbers, row_text, rows_of
from edgebook.dashboard.dashboard_pairs import KEY as PAIR
from edgebook.dashboard.dashboard_pairs import pair_cells
from edgebook.pages.figures_palette import words
from edgebook.statistics.cells import BETTER, WORSE, cell_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgebook.dashboard.dashboard_dimensions import Signals

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

ALL = "all"
CROSSED = ("pattern", "regime", "symbol", "timeframe")
SHRUNK = [
    "n", "n_effective", "win_rate", "win_rate_low", "win_rate_high", "shrunk_win_rate", "shrunk_win_rate_low",
    "shrunk_win_rate_high", "profit_factor", "mean_r", "shrunk_r", "shrunk_r_low", "shrunk_r_high", "q_value", "badge",
]  # fmt: skip
COLUMNS = [
    "kind", "values", "n", "n_effective", "win_rate", "win_low", "win_high", "shrunk", "shrunk_low", "shrunk_high",
    "profit_factor", "mean_r", "shrunk_r", "shrunk_r_low", "shrunk_r_high", "q", "badge",
]  # fmt: skip
"""Of a cell in the document, in this order."""
SETS = ("head_set",)
"""One dimension by name, but a crossing of all heads: hundreds of cells of a signal or two."""
BYTES = 115_000
"""Of all cells written as text, before compression: a quarter of that after it."""
DECIMALS = dict.fromkeys(SHRUNK, 3) | {"n_effective": 1, "profit_factor": 2}
"""Rounded once, to what is shown: 48.0 %, -0.023 R, 1.06. Rounded twice, one in twenty would be shown wrongly."""


@dataclass(frozen=True)
class Cells:
    """Every cell, before any is left out.

    Parameters
    ----------
    kinds : tuple of (name, dimensions, report)
        Name of each kind, the dimensions that it crosses, and whether its cells are the report's.
    table : DataFrame
        One row a cell: kind (number), values (a tuple of numbers), then `SHRUNK`.
    """

    kinds: tuple[tuple[str, tuple[str, ...], bool], ...]
    table: pd.DataFrame


def dashboard_cells(
    signals: Signals,
    ledger: pd.DataFrame,
    votes: pd.DataFrame,
    *,
    whole: pd.DataFrame | None = None,
    pairs: Sequence[tuple[str, str]] = (),
) -> Cells:
    """All cells of the dashboard.

    Parameters
    ----------
    signals : Signals
        As `dashboard_dimensions.described_signals` gives them.
    ledger, votes : DataFrame
        What they came from.
    whole : DataFrame, optional
        The account's metrics (metric, value, low, high, n), for the cell of all signals.
    pairs : sequence of (str, str)
        Indicators of which a cell each is wanted that both agreed.

    Returns
    -------
    Cells
        The cell of all signals, the report's (`outcome_cells.report_cells`), then the other crossings.

    Notes
    -----
    Profit factor: net gains over net losses of the cell's signals; missing without at least one win and one loss.
    """
    kinds: list[tuple[str, tuple[str, ...], bool]] = [(ALL, (), True)]
    if not signals.closed:
        return Cells(tuple(kinds), pd.DataFrame(columns=["kind", "values", *SHRUNK]))
    profit = signals.rows["profit_ratio"].to_numpy(dtype=np.float64)[: signals.closed]
    parts = [_all(signals, profit, whole=whole)]
    found = report_cells(ledger, votes)
    for name, groupings in KINDS.items():
        dimensions = tuple(key for key in groupings[-1] if key != "heads")
        own = found[found["kind"] == name]
        place = np.stack([_placed(own[key], signals.values[key]) for key in dimensions], axis=1)
        factor = _factors(signals, dimensions, place, profit=profit)
        parts.append(_part(own.assign(profit_factor=factor), place, kind=len(kinds)))
        kinds.append((name, dimensions, True))
    coded = _coded(signals)
    known = {dimensions for _, dimensions, _ in kinds}
    for size in range(2, len(CROSSED)):
        for crossed in itertools.combinations(CROSSED, size):
            if crossed in known:
                continue
            groupings = [list(crossed[:depth]) for depth in range(1, size + 1)]
            own = cell_table(coded, groupings=groupings)
            place = own[list(crossed)].to_numpy(dtype=np.int64)
            factor = _factors(signals, crossed, place, profit=profit)
            parts.append(_part(own.assign(profit_factor=factor, q_value=np.nan, badge=""), place, kind=len(kinds)))
            kinds.append((" × ".join(crossed), crossed, False))
    if pairs:
        own, both = pair_cells(signals, pairs)
        place = own[[PAIR]].to_numpy(dtype=np.int64)
        factor = _ratio(*(both.T @ one for one in _gain_and_loss(profit)))[place[:, 0]]
        parts.append(_part(own.assign(profit_factor=factor, q_value=np.nan, badge=""), place, kind=len(kinds)))
        kinds.append(("pair of indicators", (PAIR,), False))
    return Cells(tuple(kinds), pd.concat(parts, ignore_index=True))


def cells_document(cells: Cells, *, most_bytes: int = BYTES) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Kinds and cells as the document has them, as many as the bytes allow.

    Parameters
    ----------
    cells : Cells
    most_bytes : int
        What is too much is left out: the cells of the fewest signals first, of several dimensions, without a badge.

    Returns
    -------
    kinds : list of dict
        name, dimensions, report, total and shown (cells).
    cells : dict
        columns and rows, by kind, then by their values' numbers; most_left_out, the most signals in a cell that is
        left out, None where none is.
    """
    table = cells.table.sort_values(["kind", "values"], kind="stable", ignore_index=True) if len(cells.table) else None
    rows = _rows(table) if table is not None else []
    kept = _kept(cells, table, rows, most_bytes=most_bytes) if table is not None else np.zeros(0, dtype=bool)
    kind = np.array([row[0] for row in rows], dtype=np.int64)
    total = np.bincount(kind, minlength=len(cells.kinds)).tolist()
    shown = np.bincount(kind[kept], minlength=len(cells.kinds)).tolist()
    kinds = [
        {"name": name, "dimensions": list(dimensions), "report": report, "total": total[i], "shown": shown[i]}
        for i, (name, dimensions, report) in enumerate(cells.kinds)
    ]
    stays = kept.tolist()
    left = max((row[2] for row, keep in zip(rows, stays, strict=True) if not keep), default=None)
    shown_rows = [row for row, keep in zip(rows, stays, strict=True) if keep]
    return kinds, {"columns": COLUMNS, "most_left_out": left, "rows": shown_rows}


def badges_note(cells: Cells) -> str:
    """Say which cells were tested together, and why the others wear no badge."""
    report = [i for i, (_, _, own) in enumerate(cells.kinds) if own and i]
    own = cells.table[cells.table["kind"].isin(report)]
    tested, badged = int(own["q_value"].notna().sum()), int(own["badge"].isin([BETTER, WORSE]).sum())
    return (
        f"Badges are the outcome report's: {len(own):,} cells, of which {tested:,} have enough signals, are tested "
        f"together at a false-discovery rate of 10 %; {badged} survive{'s' if badged == 1 else ''}"
        f"{_where(own, cells)}. The crossings that the report does not have hold the same signals once more and are "
        "not tested: they are shrunk and wear no badge."
    )


def _where(own: pd.DataFrame, cells: Cells) -> str:
    """Groupings in which a badge is to be found."""
    kinds = own.loc[own["badge"].isin([BETTER, WORSE]), "kind"].unique().tolist()
    named = [" × ".join(words(name) for name in cells.kinds[int(kind)][1]) for kind in sorted(kinds)]
    return f" (grouped by {', by '.join(named)})" if named else ""


def _all(signals: Signals, profit: Floats, *, whole: pd.DataFrame | None) -> pd.DataFrame:
    """The cell of all signals, its numbers those of the account's metrics."""
    r = signals.rows["r_multiple"].to_numpy(dtype=np.float64)[: signals.closed]
    row: dict[str, Any] = dict.fromkeys(SHRUNK, np.nan)
    row |= {"n": signals.closed, "win_rate": float((profit > 0).mean()), "mean_r": float(r.mean()), "badge": ""}
    row["profit_factor"] = _factors(signals, (), np.zeros((1, 0), dtype=np.int64), profit=profit)[0]
    if whole is not None and len(whole):
        named = whole.set_index("metric")
        for end, suffix in (("value", ""), ("low", "_low"), ("high", "_high")):
            row[f"win_rate{suffix}"] = float(named[end]["win_rate"])
    return pd.DataFrame([row]).assign(kind=0, values=pd.Series([()], dtype=object))


def _part(own: pd.DataFrame, place: Ints, *, kind: int) -> pd.DataFrame:
    """Cells of one kind under the columns of all."""
    values = pd.Series([tuple(row) for row in place.tolist()], index=own.index, dtype=object)
    return own[SHRUNK].assign(kind=kind, values=values)


def _placed(names: pd.Series[Any], values: Sequence[str]) -> Ints:
    """Number of each name among the values of its dimension."""
    place = {name: i for i, name in enumerate(values)}
    return np.array([place[str(name)] for name in names], dtype=np.int64)


def _coded(signals: Signals) -> pd.DataFrame:
    """Closed signals with the crossed dimensions as numbers, which group faster than text."""
    rows = signals.rows.iloc[: signals.closed][["open_date", "profit_ratio", "r_multiple"]]
    return rows.assign(**{key: signals.codes[key][: signals.closed] for key in CROSSED})


def _factors(signals: Signals, dimensions: Sequence[str], place: Ints, *, profit: Floats) -> Floats:
    """Profit factor of each cell of a kind; NaN without a win and a loss."""
    return _ratio(*(_sums(signals, dimensions, place, weights=one) for one in _gain_and_loss(profit)))


def _gain_and_loss(profit: Floats) -> tuple[Floats, Floats]:
    return np.maximum(profit, 0.0), np.maximum(-profit, 0.0)


def _ratio(gain: Floats, loss: Floats) -> Floats:
    """Gains over losses, NaN without one of both."""
    return np.where((gain > 0) & (loss > 0), gain / np.where(loss > 0, loss, 1.0), np.nan)


def _sums(signals: Signals, dimensions: Sequence[str], place: Ints, *, weights: Floats) -> Floats:
    """Sum of one number a signal over the signals of each cell."""
    overlapping = [key for key in dimensions if key in ("head", "indicator")]
    others = [key for key in dimensions if key not in overlapping]
    shape = tuple(max(len(signals.values[key]), 1) for key in others)
    codes = [signals.codes[key][: signals.closed] for key in others]
    group = np.ravel_multi_index(codes, shape) if others else np.zeros(signals.closed, dtype=np.int64)
    at = [place[:, list(dimensions).index(key)] for key in others]
    cell = np.ravel_multi_index(at, shape) if others else np.zeros(len(place), dtype=np.int64)
    size = int(np.prod(shape)) if others else 1
    if not overlapping:
        return np.asarray(np.bincount(group, weights=weights, minlength=size)[cell])
    agreed = (signals.heads if overlapping == ["head"] else signals.indicators)[: signals.closed]
    sums = np.stack([np.bincount(group, weights=weights * column, minlength=size) for column in agreed.T], axis=1)
    return np.asarray(sums[cell, place[:, list(dimensions).index(overlapping[0])]])


def _rows(table: pd.DataFrame) -> list[list[Any]]:
    """Cells as rows of the document."""
    found = [table["kind"].tolist(), [list(one) for one in table["values"]], table["n"].astype(int).tolist()]
    for name in SHRUNK[1:-1]:
        found.append(numbers(table[name].to_numpy(dtype=np.float64), DECIMALS[name]))
    return rows_of(*found, table["badge"].astype(str).tolist())


def _kept(cells: Cells, table: pd.DataFrame, rows: list[list[Any]], *, most_bytes: int) -> NDArray[np.bool_]:
    """Which cells stay: single dimensions and badges, then the largest, at equal size the report's first."""
    size = np.array([len(row_text(row)) for row in rows], dtype=np.int64)
    alone = np.array([len(dimensions) <= 1 and dimensions != SETS for _, dimensions, _ in cells.kinds])[table["kind"]]
    report = np.array([own for _, _, own in cells.kinds])[table["kind"]]
    first = alone | (table["badge"] != "").to_numpy(dtype=bool)
    n = table["n"].to_numpy(dtype=np.int64)
    order = np.lexsort((np.arange(len(rows)), ~report, -n, ~first))
    kept = np.zeros(len(rows), dtype=bool)
    kept[order] = np.cumsum(size[order]) <= most_bytes
    return kept | first


def share_shown(kinds: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """How many cells there are, and how many are in the document."""
    return sum(kind["total"] for kind in kinds), sum(kind["shown"] for kind in kinds)


def cells_note(kinds: Sequence[dict[str, Any]], *, most_left_out: int | None) -> str:
    """Say how many cells are shown, and which are not.

    Parameters
    ----------
    kinds : sequence of dict
        As `cells_document` gives them.
    most_left_out : int, optional
        The most signals in a cell that is left out.
    """
    total, shown = share_shown(kinds)
    left = "" if most_left_out is None else f" The other {total - shown:,} hold at most {most_left_out} signals each."
    return (
        f"{shown:,} of {total:,} cells of closed signals.{left} n_effective, in the CSV, counts signals of one week "
        "together."
    )
