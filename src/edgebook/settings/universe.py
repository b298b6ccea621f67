"""Which pairs belong to the market, and when: declared, so that survivorship is a choice that can be read.

A pair that is in an index today was perhaps not in it three years ago. Where params.yaml declares a universe, a pair
has bars only while it is a member: before it joins and after it leaves nothing of it is seen by anyone.
"""

from __future__ import annotations

import csv
import datetime
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from edgebook.errors import DataError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

UNIVERSE_NAME = "universe.csv"
"""Name of a file that declares the universe; it may lie among the files of bars."""

_COLUMNS = ("pair", "from", "to")


@dataclass(frozen=True)
class Spell:
    """A time for which a pair is a member.

    Parameters
    ----------
    since, until : date or None
        A bar belongs to it that opens at or after 00:00 UTC of `since` and closes by 00:00 UTC of `until`.
    """

    since: datetime.date | None
    until: datetime.date | None


def declared_universe(
    universe: Mapping[str, Mapping[str, str | None]], *, file: str | None, root: Path
) -> dict[str, list[Spell]] | None:
    """Members by pair, as params.yaml or its file declares them; None where nothing is declared.

    Parameters
    ----------
    universe : mapping of str to mapping
        ``{"AAPL": {"from": "2018-01-01", "to": "2019-06-30"}}``; either may be missing. `to` is the last day.
    file : str, optional
        CSV file below `root` with columns pair, from, to; a pair that joins twice has two rows.
    root : Path

    Raises
    ------
    SettingsError
        A date is none, or a pair leaves before it joins.
    DataError
        The file is not there or a row is broken: file, row, rule.
    """
    if file is None:
        if not universe:
            return None
        return {
            pair: [_spell(own.get("from"), own.get("to"), where=f"params.yaml: bars.universe.{pair}")]
            for pair, own in universe.items()
        }
    found: dict[str, list[Spell]] = {}
    try:
        with (root / file).open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.reader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        detail = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise DataError(f"{file}: cannot be read ({detail}); write a CSV file pair,from,to") from error
    if not rows or tuple(name.strip().lower() for name in rows[0]) != _COLUMNS:
        raise DataError(f"{file}: its first line must be pair,from,to; a row is AAPL,2018-01-01, (still a member)")
    for number, row in enumerate(rows[1:], start=1):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(_COLUMNS) or not row[0].strip():
            raise DataError(f"{file}: row {number}: must have a pair and two dates, either of which may be empty")
        pair, since, until = (cell.strip() or None for cell in row)
        found.setdefault(str(pair), []).append(_spell(since, until, where=f"{file}: row {number}"))
    return found


def check_universe(
    universe: Mapping[str, Mapping[str, str | None]], *, file: str | None, holidays: Sequence[str], where: str
) -> None:
    """Hold the settings `universe`, `universe_file` and `holidays` of section bars to their rules.

    Raises
    ------
    SettingsError
        One line: setting, value, rule.
    """
    for pair, own in universe.items():
        for name in own:
            if name not in _COLUMNS[1:]:
                raise SettingsError(f"{where}.universe.{pair}.{name}: no such setting; known are from, to")
        _spell(own.get("from"), own.get("to"), where=f"{where}.universe.{pair}")
    if file is not None:
        place = PurePosixPath(file)
        if place.parts[:2] != ("data", "raw") or ".." in place.parts or place.name != UNIVERSE_NAME:
            raise SettingsError(
                f"{where}.universe_file: {file!r} must be a file {UNIVERSE_NAME} in data/raw, a dependency of the stage"
            )
        if universe:
            raise SettingsError(f"{where}.universe_file: give the universe here or in {where}.universe, not in both")
    for number, date in enumerate(holidays):
        _day(date, where=f"{where}.holidays[{number}]")


def _spell(since: str | None, until: str | None, *, where: str) -> Spell:
    """Read two dates; the last day belongs to it to its end."""
    first = None if since is None else _day(since, where=f"{where}: from")
    last = None if until is None else _day(until, where=f"{where}: to") + datetime.timedelta(days=1)
    if first is not None and last is not None and last <= first:
        raise SettingsError(f"{where}: leaves {until}, before it joins {since}; correct one of the two")
    return Spell(first, last)


def _day(text: str, *, where: str) -> datetime.date:
    """Read a date."""
    try:
        day = datetime.date.fromisoformat(text)
        if not 1900 <= day.year <= 2200:
            raise ValueError
    except (ValueError, TypeError) as error:
        raise SettingsError(f"{where}: {str(text)[:40]!r} is not a date like 2019-07-01") from error
    return day
