"""Settings of the source `database`: where bars are, what their columns are called, what their stamps mean."""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass, field
from typing import Literal

from edgebook.errors import SettingsError

BAR_COLUMNS = ("pair", "timeframe", "date", "open", "high", "low", "close", "volume")
"""What a bar is made of, as `columns` names it."""

TABLE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?")
"""A table by its name, perhaps with its schema; anything else is a query."""

_NAME = re.compile(r"[A-Za-z_]\w*")
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database of bars, for the source `database`; `url` is the name of a credential, never the address itself."""

    url: str = ""
    query: str = "bars"
    columns: dict[str, str] = field(default_factory=dict)
    pair: str = ""
    timeframe: str = ""
    stamp: Literal["close", "open"] = "close"
    timezone: str = "UTC"
    since: Literal["time", "seconds", "milliseconds"] = "time"
    volume: Literal["required", "none"] = "required"


def check_database(database: Database, where: str) -> None:
    """Raise unless the settings can be used as they are."""
    if database.url and not _NAME.fullmatch(database.url):
        raise SettingsError(
            f"{where}.url: must be the name of a credential, not an address; put the address into .env "
            "(DESK_DATABASE=postgresql://...) and write DESK_DATABASE here"
        )
    for name in database.columns:
        if name not in BAR_COLUMNS:
            raise SettingsError(f"{where}.columns.{name}: no column of a bar; those are {', '.join(BAR_COLUMNS)}")
    known = ("1m", "5m", "15m", "30m", "1h", "4h", "1d")
    if database.timeframe and database.timeframe not in known:
        raise SettingsError(f"{where}.timeframe: {database.timeframe!r} is not one of {', '.join(known)}")
    try:
        zoneinfo.ZoneInfo(database.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(
            f"{where}.timezone: {database.timezone!r} is not a timezone; write it like America/New_York"
        ) from None
    if not TABLE.fullmatch(database.query):
        _check_query(database.query, where=f"{where}.query")


def _check_query(query: str, *, where: str) -> None:
    """Raise unless a query is one that reads."""
    bare = _COMMENT.sub(" ", query).strip()
    first = bare.split(maxsplit=1)[0].upper() if bare else ""
    if first not in ("SELECT", "WITH"):
        raise SettingsError(f"{where}: begins with {first or 'nothing'!r}; give a table's name, or one SELECT")
    if ";" in bare.rstrip("; \n"):
        raise SettingsError(f"{where}: has more than one statement; give one SELECT")
