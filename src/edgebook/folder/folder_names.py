"""Pair and timeframe from the name of a file and of the folders it lies in; which names are safe."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgebook.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePath

_LONGEST = 40
_SAFE = re.compile(r"[A-Za-z0-9^][A-Za-z0-9^._/:=\- ]*")
_WORDS = {
    "1m": "m1 1min 1minute minute 1t",
    "5m": "m5 5min 5minute 5minutes 5t",
    "15m": "m15 15min 15minute 15minutes 15t",
    "30m": "m30 30min 30minute 30minutes 30t",
    "1h": "h1 60m 60min 60 1hour hour hourly 1hr h",
    "4h": "h4 240m 240min 240 4hour 4hours 4hr",
    "1d": "d1 1440 1day day daily d 1dy 24h",
}
TIMEFRAME_WORDS = {word: name for name, words in _WORDS.items() for word in [name, *words.split()]}
"""How files spell a timeframe, in lower case, and its name here. A month, ``1M``, is none of them."""

_TIMEFRAMES = "1m|5m|15m|30m|1h|4h|1d"
_DATES = r"\d{4}-?\d\d(?:-?\d\d(?:\d{4})?)?"


@dataclass(frozen=True)
class Named:
    """What a path says.

    Parameters
    ----------
    symbol : str or None
        As the file spells it.
    pair : str or None
        Its name here.
    timeframe : str or None
    dialect : str
        Whose way of naming files it is: "strict" is that of data/raw/README.md; "" is nobody's.
    part : bool
        The name has a date: one of several files of a series.
    """

    symbol: str | None
    pair: str | None
    timeframe: str | None
    dialect: str
    part: bool = False


_STRICT = re.compile(rf"(?P<symbol>[^_/]+)_(?P<timeframe>{_TIMEFRAMES})")
_FREQTRADE = re.compile(
    rf"(?P<base>[A-Za-z0-9.]+)_(?P<quote>[A-Za-z0-9]+)(?:_(?P<settle>[A-Za-z0-9]+))?-(?P<timeframe>{_TIMEFRAMES})"
    r"(?:-(?:spot|futures))?"
)
_BINANCE = re.compile(rf"(?P<symbol>[A-Z0-9]+)-(?P<timeframe>{_TIMEFRAMES})(?P<dates>-{_DATES})?")
_DUKASCOPY = re.compile(
    r"(?P<symbol>[A-Za-z0-9.]+)_Candlestick_(?P<n>\d+)_(?P<unit>M|Hour|D)_(?:BID|ASK)_(?P<dates>[\d.]+-[\d.]+)"
)
_METATRADER = re.compile(
    rf"(?P<symbol>[A-Za-z0-9.#^&-]+?)_?(?P<timeframe>M1|M5|M15|M30|H1|H4|D1|Daily)(?P<dates>_{_DATES}_{_DATES})?"
)
_METATRADER_4 = re.compile(r"(?P<symbol>[A-Z]{6})(?P<timeframe>1|5|15|30|60|240|1440)")
_VENUE = re.compile(r"(?P<venue>[A-Za-z]+)_(?P<symbol>[A-Za-z0-9]+)_(?P<timeframe>[A-Za-z0-9]+)")
_MINUTES = {"1": "1m", "5": "5m", "15": "15m", "30": "30m", "60": "1h", "240": "4h", "1440": "1d"}
_DUKASCOPY_UNITS = {"M": "m", "Hour": "h", "D": "d"}


def named(path: PurePath, *, stem: str) -> Named:
    """Read what the path of a file says of its bars.

    Parameters
    ----------
    path : PurePath
        Relative to the folder of bars.
    stem : str
        The file's name without its endings.

    Returns
    -------
    Named
        From the name where it says something, else from the sub-folders.
    """
    folders = path.parts[:-1]
    own = _from_stem(stem)
    words = [timeframe_of(part) for part in folders]
    timeframe = own.timeframe or next((word for word in reversed(words) if word), None)
    if own.symbol is not None and not _is_date(own.symbol):
        return Named(own.symbol, own.pair, timeframe, own.dialect, own.part)
    symbols = [part for part, word in zip(folders, words, strict=True) if not word]
    symbol = symbols[-1] if symbols else None
    pair = None if symbol is None else pair_of(symbol)
    return Named(symbol, pair, timeframe, own.dialect, part=own.symbol is not None)


def _from_stem(stem: str) -> Named:
    """Read a file's own name, dialect by dialect."""
    if timeframe_of(stem) is not None:
        return Named(None, None, timeframe_of(stem), "")
    if found := _STRICT.fullmatch(stem):
        return Named(found["symbol"], pair_of(found["symbol"]), found["timeframe"], "strict")
    if found := _FREQTRADE.fullmatch(stem):
        pair = f"{found['base']}/{found['quote']}" + (f":{found['settle']}" if found["settle"] else "")
        return Named(stem.rpartition("-")[0], pair, found["timeframe"], "freqtrade")
    if found := _BINANCE.fullmatch(stem):
        return Named(found["symbol"], found["symbol"], found["timeframe"], "binance", found["dates"] is not None)
    if found := _DUKASCOPY.fullmatch(stem):
        word = f"{found['n']}{_DUKASCOPY_UNITS[found['unit']]}"
        return Named(found["symbol"], found["symbol"], TIMEFRAME_WORDS.get(word), "dukascopy", True)
    if found := _METATRADER.fullmatch(stem):
        timeframe = TIMEFRAME_WORDS[found["timeframe"].lower()]
        return Named(found["symbol"], pair_of(found["symbol"]), timeframe, "metatrader", found["dates"] is not None)
    if found := _METATRADER_4.fullmatch(stem):
        return Named(found["symbol"], found["symbol"], _MINUTES[found["timeframe"]], "metatrader")
    if (found := _VENUE.fullmatch(stem)) and timeframe_of(found["timeframe"]) is not None:
        return Named(found["symbol"], found["symbol"], timeframe_of(found["timeframe"]), "venue")
    return Named(stem, pair_of(stem), None, "")


def timeframe_of(word: str) -> str | None:
    """The timeframe that a word spells, None for any other word; ``1M`` is a month."""
    return None if word.strip() in ("1M", "M") else TIMEFRAME_WORDS.get(word.strip().lower())


def pair_of(symbol: str) -> str:
    """Name of a pair that a file's name spells, ``BTC-USD`` for BTC/USD."""
    return symbol.replace("-", "/")


def _is_date(text: str) -> bool:
    """Whether a name is a date, as where each month of a symbol has a file."""
    return re.fullmatch(rf"{_DATES}|\d{{4}}", text) is not None


def safe_pair(pair: str, *, shown: str, renamed: Mapping[str, str] | None = None) -> str:
    """Hold the name of a pair to what is safe in a file, a page, a table and a shell.

    Parameters
    ----------
    pair : str
    shown : str
        How the error names where the pair comes from.
    renamed : mapping of str to str, optional
        `bars.files.pairs`: names that the files have, and those that they are to have.

    Returns
    -------
    str
        The name.

    Raises
    ------
    DataError
        It is empty or longer than 40 characters, begins otherwise than with a letter, a digit or ``^``, or has
        others than letters, digits, spaces and ``^ . _ / : = -``, or ``..``, ``//``, a slash or space at its end.
    """
    pair = (renamed or {}).get(pair, pair)
    fault = None
    if not pair or len(pair) > _LONGEST:
        fault = f"has {len(pair)} characters; 1 to {_LONGEST} are allowed"
    elif not _SAFE.fullmatch(pair):
        odd = next((sign for sign in pair if not re.fullmatch(r"[A-Za-z0-9^._/:=\- ]", sign)), pair[0])
        fault = f"has {odd!a} in it" if odd != pair[0] else f"begins with {odd!a}"
    elif ".." in pair or "//" in pair or pair[-1] in "/ .":
        fault = "has '..' or '//' in it, or ends with a slash, a space or a dot"
    if fault is None:
        return pair
    raise DataError(
        f"{shown}: the symbol {pair[:_LONGEST]!a} {fault}, which is not safe in a file name, a page or a table;"
        " rename it, or give it a name in bars.files.pairs"
    )
