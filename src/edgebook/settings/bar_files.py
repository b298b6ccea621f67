"""How the files of source `folder` are to be read: what params.yaml may declare, and its rules."""

from __future__ import annotations

import datetime
import zoneinfo
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from edgebook.errors import SettingsError
from edgebook.settings.sections import join

FIELDS = ("date", "time", "open", "high", "low", "close", "volume", "pair", "timeframe", "adjusted_close")
"""What a column of a file can be declared to hold."""

FILE_TIMEFRAMES = ("1m", "5m", "15m", "30m", "1h", "4h", "1d")
"""Timeframes that a file may hold."""

ALL_PAIRS = "all"
"""In `price_scale`: every pair that is not named."""

Repair = Literal["sort", "duplicates", "filled"]


@dataclass(frozen=True, kw_only=True)
class Files:
    """What is declared of the files in `bars.folder`; what is not, is recognised. A declared setting wins."""

    columns: dict[str, str] = field(default_factory=dict)
    delimiter: Literal["recognised", "comma", "semicolon", "tab"] = "recognised"
    decimal: Literal["point", "comma"] = "point"
    date_format: str | None = None
    timezone: str | None = None
    stamp: Literal["recognised", "open", "close"] = "recognised"
    timeframe: str | None = None
    pairs: dict[str, str] = field(default_factory=dict)
    price_scale: dict[str, float] = field(default_factory=dict)
    volume: Literal["required", "none"] = "required"
    adjusted_close: Literal["ignore", "scale"] = "ignore"
    splits: Literal["refuse", "as_is"] = "refuse"
    split_factors: str | None = None
    repair: tuple[Repair, ...] = ()


def check_files(files: Files, where: str) -> None:
    """Hold the settings to what their types cannot say.

    Raises
    ------
    SettingsError
        One line: setting, value, rule.
    """
    for name in files.columns:
        if name not in FIELDS:
            raise SettingsError(f"{where}.columns: {name!r} is not one of {', '.join(FIELDS)}")
    if files.timezone is not None:
        _check_timezone(files.timezone, join(where, "timezone"))
    if files.timeframe is not None and files.timeframe not in FILE_TIMEFRAMES:
        raise SettingsError(f"{where}.timeframe: {files.timeframe!r} is not one of {', '.join(FILE_TIMEFRAMES)}")
    if files.date_format is not None:
        _check_date_format(files.date_format, join(where, "date_format"))
    for pair, scale in files.price_scale.items():
        if not 1e-12 <= scale <= 1e12:
            raise SettingsError(f"{where}.price_scale.{pair}: must be in [1e-12, 1e12], is {scale}")
    if files.split_factors is not None:
        place = PurePosixPath(files.split_factors)
        if place.is_absolute() or ".." in place.parts:
            raise SettingsError(f"{where}.split_factors: {files.split_factors!r} must be a path inside the repository")


def _check_timezone(name: str, where: str) -> None:
    """Raise unless the zone is one of the IANA database."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(f"{where}: {name!r} is no zone of the IANA list; write it like America/New_York") from error


def _check_date_format(spelled: str, where: str) -> None:
    """Raise unless a date written in the format is read back."""
    given = datetime.datetime(2019, 11, 23, 13, 45, tzinfo=datetime.UTC)
    try:
        found = datetime.datetime.strptime(given.strftime(spelled), spelled)
    except ValueError as error:
        raise SettingsError(f"{where}: {spelled!r} is no format of dates; write it like %d/%m/%Y %H:%M") from error
    if found.date() != given.date() and "%s" not in spelled:
        raise SettingsError(f"{where}: {spelled!r} does not say year, month and day; write it like %d/%m/%Y %H:%M")
