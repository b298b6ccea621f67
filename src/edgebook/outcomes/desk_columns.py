"""A desk's columns beside our own tables: indicators, votes, patterns and regimes, joined in time and screened."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.errors import DataError
from edgebook.files.tables import KEY
from edgebook.indicators import desk_name
from edgebook.outcomes.column_screen import screen, what_came
from edgebook.outcomes.column_values import coverage, numbers_at, texts_at
from edgebook.outcomes.recorded_columns import Column, read_columns
from edgebook.settings.desk_section import LABELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edgebook.outcomes.column_screen import Screened
    from edgebook.settings.desk_section import Desk

REGIME_COLUMN = "regime_desk"
"""Of data/regimes.parquet, where a desk brings its own labels."""
DESK_PATTERN = "desk_"
"""How the names of a desk's patterns begin in our tables; they count as chart patterns."""
_PATTERN = re.compile(r"([+-])([a-z][a-z0-9_]{0,39})")


@dataclass(frozen=True)
class DeskColumns:
    """What a desk brings to the bars of a market.

    Parameters
    ----------
    values : mapping of str to ndarray of float32, shape (bars,)
        By the name in our tables, by head and then as declared; nan where nothing was known.
    votes : mapping of str to ndarray of int8, shape (bars,)
        The sign of a column that is declared a vote; 0 for an indicator, which has no textbook.
    patterns : DataFrame
        Rows as in data/patterns.parquet; none where no column of patterns is declared.
    regimes : ndarray of str, shape (bars,) or None
        Labels of ours, empty where the desk says nothing; None where no column of regimes is declared.
    columns : tuple of Column
        What all of it was made of.
    """

    values: Mapping[str, NDArray[np.float32]]
    votes: Mapping[str, NDArray[np.int8]]
    patterns: pd.DataFrame
    regimes: NDArray[np.object_] | None
    columns: tuple[Column, ...]


def desk_columns(
    bars: pd.DataFrame, desk: Desk, *, recorded: Path, at: str | pd.Timestamp | None = None
) -> DeskColumns | None:
    """Join a desk's columns to the bars.

    Parameters
    ----------
    bars : DataFrame
        The canonical table.
    desk : Desk
    recorded : Path
        Folder of the snapshots.
    at : str or Timestamp, optional
        Only what was known by then.

    Returns
    -------
    DeskColumns or None
        None where nothing is declared.

    Raises
    ------
    DataError
        See `recorded_columns.read_columns`; or a pattern or a regime is none.
    """
    if not desk.columns:
        return None
    columns = read_columns(recorded, desk)
    if at is not None:
        moment = pd.Timestamp(at)
        moment = moment.tz_localize("UTC") if moment.tzinfo is None else moment
        columns = [
            replace(one, rows=one.rows[one.rows["known_at"] <= moment].reset_index(drop=True)) for one in columns
        ]
    return joined_columns(bars, desk, columns)


def joined_columns(bars: pd.DataFrame, desk: Desk, columns: Sequence[Column]) -> DeskColumns:
    """Join columns that were read to the bars; one that is not among them is missing everywhere."""
    empty = pd.DataFrame({name: pd.Series(dtype="str") for name in ("pair", "timeframe")}).assign(
        **{name: pd.Series(dtype="datetime64[ms, UTC]") for name in ("date", "known_at")},
        value=pd.Series(dtype="float64"),
    )
    by_name = {name: Column(name, empty, 0, "") for name in desk.columns} | {one.name: one for one in columns}
    named = {desk_name(column, head=head): column for column, head in _by_head(desk)}
    carry = desk.carry_bars
    values = {name: numbers_at(by_name[column], bars, carry_bars=carry) for name, column in named.items()}
    votes = {
        name: np.sign(np.nan_to_num(values[name])).astype(np.int8)
        if column in desk.votes
        else np.zeros(len(bars), np.int8)
        for name, column in named.items()
    }
    # A pattern is an event: it is there at the bar at which it became known, and nothing is carried on.
    patterns = _patterns(bars, None if desk.patterns is None else texts_at(by_name[desk.patterns], bars, carry_bars=0))
    regimes = None if desk.regimes is None else _regimes(by_name[desk.regimes], bars, desk)
    return DeskColumns(values, votes, patterns, regimes, tuple(columns))


def with_numbers(table: pd.DataFrame, columns: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """A table of indicators or votes with a desk's columns behind our own."""
    return pd.concat([table, pd.DataFrame(dict(columns), index=table.index)], axis=1) if columns else table


def with_patterns(patterns: pd.DataFrame, desk: DeskColumns | None) -> pd.DataFrame:
    """A table of patterns with a desk's in their places."""
    if desk is None or desk.patterns.empty:
        return patterns
    both = pd.concat([patterns, desk.patterns.astype(patterns.dtypes.to_dict())], ignore_index=True)
    return both.sort_values([*KEY, "pattern"], kind="stable", ignore_index=True)


def with_regimes(regimes: pd.DataFrame, desk: DeskColumns | None) -> pd.DataFrame:
    """A table of regimes with a desk's labels; where it says nothing, the rule's stands."""
    if desk is None or desk.regimes is None:
        return regimes
    said = desk.regimes != ""
    return regimes.assign(**{REGIME_COLUMN: regimes["regime"].where(~said, pd.Series(desk.regimes, dtype="str"))})


def screened(found: DeskColumns, bars: pd.DataFrame) -> list[Screened]:
    """How far each column goes with what came after; see `column_screen.screen`."""
    return screen(found.values, bars, ahead=what_came(bars)) if found.values else []


def leaking(told: Sequence[Screened], desk: Desk) -> list[Screened]:
    """Columns that go beyond their bound and are not trusted by name."""
    return [one for one in told if one.leaks and one.name.split("_", 2)[2] not in desk.trusted]


def refuse_leaks(told: Sequence[Screened], desk: Desk) -> None:
    """Refuse columns that no honest one is like, unless they are trusted by name.

    Raises
    ------
    DataError
        Names the first of them.
    """
    found = leaking(told, desk)
    if found:
        more = f" ({len(found) - 1} more)" if len(found) > 1 else ""
        raise DataError(
            f"data/recorded: column {found[0]}{more}: no honest column does so, it was made with later bars in view; "
            "correct it, or name it in desk.trusted"
        )


def told_lines(found: DeskColumns, told: Sequence[Screened], bars: pd.DataFrame) -> list[str]:
    """What a run says of a desk's columns, a line each."""
    by_name = {one.name.split("_", 2)[2]: one for one in told}
    lines = []
    for column in found.columns:
        count = coverage(column, bars)
        parts = [f"{count['values']:,} values"]
        if count["later"]:
            parts.append(f"{count['later']:,} known after their bar's close")
        if count["elsewhere"]:
            parts.append(f"{count['elsewhere']:,} about no bar of the market and not used")
        if column.repainted:
            parts.append(f"{column.repainted:,} came again different, the first stays in force ({column.first})")
        if column.name in by_name:
            one = by_name[column.name]
            parts.append(
                f"at most {one.correlation:+.2f} rank correlation with what came after (bound {one.bound}"
                + (", beyond it and trusted)" if one.leaks else ")")
            )
        lines.append(f"desk column {column.name}: {', '.join(parts)}")
    return lines


def _by_head(desk: Desk) -> list[tuple[str, str]]:
    """Columns of numbers with the letter of their head, head by head."""
    return sorted(desk.numbers.items(), key=lambda item: item[1])


def _patterns(bars: pd.DataFrame, texts: NDArray[np.object_] | None) -> pd.DataFrame:
    """One row a pattern; several of one bar stand beside each other, `+wedge -three_drives`."""
    rows: list[tuple[int, str, int]] = []
    for row in np.flatnonzero(texts != "") if texts is not None else ():
        signs: dict[str, int] = {}
        for word in str(texts[row]).split() if texts is not None else ():
            match = _PATTERN.fullmatch(word)
            if match is None or match[2] in signs:
                raise DataError(
                    f"data/recorded: {_place(bars, int(row))}: {word!r:.60} is no pattern; write +name or -name, small "
                    "letters, digits and _, each once a bar, with spaces between"
                )
            signs[match[2]] = 1 if match[1] == "+" else -1
        rows += [(int(row), f"{DESK_PATTERN}{name}", sign) for name, sign in sorted(signs.items())]
    found = bars[KEY].take([row for row, _, _ in rows]).reset_index(drop=True)
    return found.assign(
        pattern=pd.Series([name for _, name, _ in rows], dtype="str"),
        direction=np.array([sign for _, _, sign in rows], np.int8),
        kind=pd.Series(["chart"] * len(rows), dtype="str"),
    )


def _regimes(column: Column, bars: pd.DataFrame, desk: Desk) -> NDArray[np.object_]:
    """Labels of ours at each bar."""
    ours = {label: label for label in LABELS} | dict(desk.regime_labels)
    odd = sorted(set(column.rows["value"]) - ours.keys())
    if odd:
        raise DataError(
            f"data/recorded: column {column.name}: label {odd[0]!r:.60} is mapped to no regime; add it to "
            f"desk.regime_labels, ours are {', '.join(LABELS)}"
        )
    said = texts_at(column, bars, carry_bars=desk.carry_bars)
    return np.array([ours.get(label, "") for label in said], dtype=object)


def _place(bars: pd.DataFrame, row: int) -> str:
    one = bars.iloc[row]
    return f"{one['pair']} {one['timeframe']} {one['date']:%Y-%m-%d %H:%M}"
