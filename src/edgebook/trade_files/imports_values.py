"""Values of another tool's trades, each held to a rule: what is odd is refused by its column."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

from edgebook.bars.bars import FINER, TIMEFRAMES
from edgebook.errors import DataError
from edgebook.folder.folder_names import safe_pair

MINUTES = FINER | TIMEFRAMES
"""Length of a bar of each timeframe that may be traded, in minutes."""

EARLIEST, LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
LARGEST = 1e15
_LONGEST_WORD = 200
_SHOWN = 60


class RefusedError(DataError):
    """A value of a trade breaks a rule.

    Parameters
    ----------
    column : str
        As the file names it.
    value : object
        What stands there.
    rule : str
        What should.
    """

    def __init__(self, column: str, value: object, rule: str) -> None:
        shown = ascii(value)
        super().__init__(f"{column} is {shown if len(shown) <= _SHOWN else shown[:_SHOWN] + '…'}; {rule}")


def number(value: Any, column: str, *, low: float = 0.0, high: float = LARGEST) -> float | None:
    """Read a finite number between two bounds, neither of them itself; None where there is none.

    Raises
    ------
    RefusedError
        It is no number, not finite, or out of bounds.
    """
    if value is None or value == "" or value != value:
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        raise RefusedError(column, value, "give a number") from None
    if not math.isfinite(found) or not low < found < high:
        raise RefusedError(column, value, f"give a number above {low:g} and below {high:g}")
    return found


def needed(value: Any, column: str, *, low: float = 0.0, high: float = LARGEST) -> float:
    """Read a number that every trade has; as `number`."""
    found = number(value, column, low=low, high=high)
    if found is None:
        raise RefusedError(column, value, "every trade has one")
    return found


def moment(value: Any, column: str) -> datetime | None:
    """Read a time: ISO text, milliseconds since 1970, or a time; without an offset it is UTC.

    Raises
    ------
    RefusedError
        It is no time, or lies before 1970 or after 2200.
    """
    if value is None or value == "" or value != value:
        return None
    try:
        if isinstance(value, datetime):
            found = value
        elif isinstance(value, int | float):
            found = datetime.fromtimestamp(value / 1000, UTC)
        else:
            found = datetime.fromisoformat(str(value).strip())
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise RefusedError(column, value, "give a time like 2019-01-01 03:00:00") from None
    if not EARLIEST <= found < LATEST:
        raise RefusedError(column, value, "give a time from 1970 to 2200")
    return found.replace(microsecond=found.microsecond // 1000 * 1000)


def needed_moment(value: Any, column: str) -> datetime:
    """Read a time that every trade has; as `moment`."""
    found = moment(value, column)
    if found is None:
        raise RefusedError(column, value, "every trade has one")
    return found


def word(value: Any, column: str) -> str:
    """Read a tag or reason: what a page, a CSV file and a spreadsheet can show without harm; "" where there is none.

    Raises
    ------
    RefusedError
        It has markup or control characters, begins as a formula does, or is longer than 200 characters.
    """
    if value is None or value != value:
        return ""
    text = str(value).strip()
    if len(text) > _LONGEST_WORD:
        raise RefusedError(column, text, f"it has {len(text)} characters; at most {_LONGEST_WORD} are allowed")
    if not text.isprintable() or re.search(r"<\s*[A-Za-z/!?]|&[#\w]+;", text):
        raise RefusedError(column, text, "markup and control characters are not allowed")
    if text[:1] in ("=", "+", "-", "@"):
        raise RefusedError(column, text, "a spreadsheet would take it for a formula")
    return text


def pair_name(value: Any, column: str) -> str:
    """Read the name of a pair, safe in a file name, a page and a table.

    Raises
    ------
    RefusedError
        It is not.
    """
    text = "" if value is None else str(value)
    try:
        return safe_pair(text, shown=column)
    except DataError:
        raise RefusedError(
            column, text, "the name of a pair has letters, digits and . _ / : = - ^, at most 40"
        ) from None


def id_of(value: Any, column: str) -> str:
    """Read the id that an export of Edgebook gave; "" where there is none.

    Raises
    ------
    RefusedError
        It has other signs than those of an id.
    """
    if value is None or value == "" or value != value:
        return ""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}", str(value)):
        raise RefusedError(column, value, "an id has letters, digits and . _ : / @ -, at most 200")
    return str(value)


def timeframe_name(value: Any, column: str, *, declared: str | None) -> str:
    """Read a timeframe, a name or minutes; `declared` where the file has none.

    Raises
    ------
    RefusedError
        There is none, or none that Edgebook trades.
    """
    if value is None or value == "" or value != value:
        value = declared
    for name, minutes in MINUTES.items():
        if value == name or (isinstance(value, int | float) and value == minutes):
            return name
    if value is None:
        raise RefusedError(column, None, "the file has no timeframe; give it with --timeframe")
    raise RefusedError(column, value, f"give {', '.join(MINUTES)}")


def truth(value: Any, column: str) -> bool:
    """Read a yes or no: a truth value, 0 or 1, or those words.

    Raises
    ------
    RefusedError
        It is neither.
    """
    found = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}.get(str(value).lower())
    if found is None:
        raise RefusedError(column, value, "give true or false")
    return found


def rounded(value: float) -> float:
    """Twelve digits: what an average of rates is good for."""
    return float(f"{value:.12g}")
