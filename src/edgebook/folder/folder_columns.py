"""Which column of a file is what, in the dialects that desks have; a declared column wins."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgebook.bars.bars import PRICES
from edgebook.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.settings.bar_files import Files

MOST_COLUMNS = 1_000
STRICT = ["date", *PRICES, "volume"]
"""The names of data/raw/README.md, letter by letter."""

_OPEN_STAMPS = ("open time", "opentime", "time open", "timeopen", "bar open", "period start", "window start", "begin")
_CLOSE_STAMPS = ("close time", "closetime", "time close", "timeclose", "bar close", "period end", "window end", "end")
_EPOCHS = ("unix", "unix timestamp", "unix time", "epoch", "ts")
_DATES = ("datetime", "date time", "timestamp", "gmt time", "local time", "date", "time", "t", "day", "dt")
_NAMES: dict[str, tuple[str, ...]] = {
    "open": ("open", "o", "open price", "px open", "first"),
    "high": ("high", "h", "high price", "px high", "max", "hi"),
    "low": ("low", "l", "low price", "px low", "min", "lo"),
    "close": ("close", "c", "close price", "px last", "last", "close/last", "price"),
    "adjusted_close": ("adj close", "adjclose", "adjusted close", "close adj"),
    "volume": ("volume", "vol", "vol.", "v", "base volume", "volumefrom", "real volume"),
    "pair": ("pair", "symbol", "ticker", "instrument", "tic", "product id", "market"),
    "timeframe": ("timeframe", "time frame", "interval", "resolution", "per", "tf", "granularity"),
}
_MORE = ("adjusted_close", "pair", "timeframe")
_TICKS = ("tickvol", "tick volume", "tick vol")
_MONEY = re.compile(r"volume[ _(]+(usdt|usdc|busd|usd|eur|gbp|jpy|chf|krw|tusd|dai)\)?")


@dataclass(frozen=True)
class Columns:
    """Where the fields of a bar stand in a file.

    Parameters
    ----------
    by_field : mapping of str to str
        Name of the column of each field of `edgebook.settings.bar_files.FIELDS` that the file has.
    stamp : {"open", "close", ""}
        Which end of a bar the names of the columns say that a stamp is; empty where they do not.
    utc : bool
        The name of the column of dates says UTC.
    strict : bool
        The file has the six columns of data/raw/README.md.
    dialect : str
        Whose columns they are, for `edgebook data check`.
    """

    by_field: Mapping[str, str]
    stamp: str = ""
    utc: bool = False
    strict: bool = False
    dialect: str = ""
    also: Mapping[str, str] = field(default_factory=dict)


def recognise(names: Sequence[str], *, files: Files, shown: str) -> Columns:
    """Find the columns of a file that has a header.

    Parameters
    ----------
    names : sequence of str
        As the file has them.
    files : Files
        What is declared.
    shown : str
        How errors name the file.

    Raises
    ------
    DataError
        A field has no column, or two: the columns that are there, and the key to set.
    """
    check_count(len(names), shown=shown)
    strict = all(names.count(name) == 1 for name in STRICT) and not files.columns
    plain = [_plain(name) for name in names]
    found: dict[str, str] = {}
    for name, column in files.columns.items():
        found[name] = _declared(column, names, plain, name=name, shown=shown)
    if strict:
        found = {name: names[plain.index(word)] for name in _MORE for word in _NAMES[name] if plain.count(word) == 1}
        return Columns(found | {name: name for name in STRICT}, strict=True, dialect="edgebook")
    stamp, utc = ("", False)
    if "date" not in found:
        stamp, utc = _find_stamps(names, plain, found)
    for name in (*PRICES, *_MORE):
        own = None if name in found else _only(name, _NAMES[name], names, plain, shown=shown)
        if own is not None:
            found[name] = own
    also: dict[str, str] = {}
    if "volume" not in found and files.volume == "required":
        also = _find_volume(names, plain, found, shown=shown)
    dialect, says = _dialect(plain)
    return Columns(found, stamp=stamp or says, utc=utc, dialect=dialect, also=also)


def check_complete(columns: Columns, names: Sequence[str], *, files: Files, shown: str) -> None:
    """Raise unless every field that a bar needs has a column."""
    needed = STRICT if files.volume == "required" else STRICT[:-1]
    missing = [name for name in needed if name not in columns.by_field]
    if missing:
        remedy = "add it, or name it in bars.files.columns"
        if missing[0] == "volume":
            remedy = "add it, name it in bars.files.columns, or set bars.files.volume: none"
        raise DataError(f"{shown}: column {missing[0]!r} is missing (it has {listed(names)}); {remedy}")


def check_count(number: int, *, shown: str) -> None:
    """Raise where a file has more columns than any table of bars."""
    if number > MOST_COLUMNS:
        raise DataError(f"{shown}: {number:,} columns; at most {MOST_COLUMNS:,} are read, keep those of the bars")


def listed(names: Sequence[str]) -> str:
    """Name columns in a message: the first dozen, without what a terminal would obey."""
    spelled = ["".join(c if c.isprintable() else "?" for c in name[:30]) for name in names[:12]]
    return ", ".join(spelled) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _plain(name: str) -> str:
    """Bring a name to lower case, without signs around it."""
    return re.sub(r"[\s_\-]+", " ", name.strip().strip("\"'<>").strip().lower())


def _without_zone(name: str) -> tuple[str, bool]:
    """Take the mention of UTC from a column's name; returns whether there was one."""
    bare = re.sub(r"\s*[(\[]?\b(utc|gmt)\b[)\]]?\s*", " ", name).strip()
    return (bare or "date", True) if bare != name else (name, False)


def _declared(column: str, names: Sequence[str], plain: Sequence[str], *, name: str, shown: str) -> str:
    """Find a column that params.yaml names, by its letters, else by its words."""
    if column in names:
        return column
    same = [own for own, word in zip(names, plain, strict=True) if word == _plain(column)]
    if len(same) == 1:
        return same[0]
    raise DataError(
        f"{shown}: column {column!r}, which bars.files.columns.{name} names, is not there (it has {listed(names)})"
    )


def _only(name: str, words: Sequence[str], names: Sequence[str], plain: Sequence[str], *, shown: str) -> str | None:
    """The column of a field: the first of its words that a column has; none where no column has any."""
    for word in words:
        same = [own for own, spelled in zip(names, plain, strict=True) if spelled == word]
        if len(same) > 1:
            raise DataError(
                f"{shown}: columns {listed(same)} can each be {name!r}; say which in bars.files.columns.{name}"
            )
        if same:
            return same[0]
    return None


def _find_stamps(names: Sequence[str], plain: Sequence[str], found: dict[str, str]) -> tuple[str, bool]:
    """Find the columns of dates and times; returns which end of the bar they name, and whether they say UTC."""
    bare = [_without_zone(name) for name in plain]
    words = [word for word, _ in bare]
    if "date" in words and "time" in words:
        found["date"], found["time"] = names[words.index("date")], names[words.index("time")]
        return "", bare[words.index("date")][1] or bare[words.index("time")][1]
    for kind, group in (("open", _OPEN_STAMPS), ("close", _CLOSE_STAMPS), ("", _EPOCHS), ("", _DATES)):
        for word in group:
            at = plain.index(word) if word in plain else words.index(word) if word in words else None
            if at is not None:
                found["date"] = names[at]
                return kind, bare[at][1]
    return "", False


def _find_volume(names: Sequence[str], plain: Sequence[str], found: dict[str, str], *, shown: str) -> dict[str, str]:
    """Find the column of volume; returns one that stands in for it where it is nought throughout."""
    column = _only("volume", _NAMES["volume"], names, plain, shown=shown)
    ticks = _only("volume", _TICKS, names, plain, shown=shown)
    if column is None and ticks is None:
        named = [i for i, word in enumerate(plain) if re.match(r"volume\b", word)]
        base = [i for i in named if not _MONEY.fullmatch(plain[i])] or named
        if len(base) > 1:
            raise DataError(
                f"{shown}: columns {listed([names[i] for i in base])} can each be 'volume';"
                " say which in bars.files.columns.volume"
            )
        column = names[base[0]] if base else None
    chosen = column or ticks
    if chosen is not None:
        found["volume"] = chosen
    return {"volume": ticks} if column is not None and ticks is not None else {}


def _dialect(plain: Sequence[str]) -> tuple[str, str]:
    """Whose columns these are, and which end of a bar they stamp by that custom."""
    words = set(plain)
    if {"gmt time"} <= words or {"local time"} <= words:
        return "dukascopy", "open"
    if {"tickvol", "spread"} <= words or {"tickvol", "vol"} <= words:
        return "metatrader", "open"
    if words & {"adj close", "dividends", "stock splits"} and words & {"date", "datetime"}:
        return "yahoo", "open"
    if {"ticker", "per", "openint"} <= words:
        return "stooq", ""
    if {"unix", "symbol"} <= words and any(word.startswith("volume ") for word in words):
        return "cryptodatadownload", "open"
    if words & {"taker buy base asset volume", "taker buy volume", "quote asset volume", "number of trades"}:
        return "binance", "open"
    return "", ""
