"""Folders of CSV files in the shape that vendors deliver other markets in: FX, stocks with sessions, minute crypto.

The prices are drawn, the shapes are real: FX has no volume and is shut from Friday to Sunday evening in New York;
stocks trade in New York's hours, with its holidays, half days and clock changes, and one that lists late and one that
is delisted; minute crypto never sleeps, and misses a bar here and there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEW_YORK = "America/New_York"
HOLIDAYS = {  # of the exchange in New York
    "2018-01-01", "2018-01-15", "2018-02-19", "2018-03-30", "2018-05-28", "2018-07-04", "2018-09-03", "2018-11-22",
    "2018-12-05", "2018-12-25", "2019-01-01", "2019-01-21", "2019-02-18", "2019-04-19", "2019-05-27", "2019-07-04",
}  # fmt: skip
HALF_DAYS = {"2018-07-03", "2018-11-23", "2018-12-24", "2019-07-03"}
SHUT = ("2018-10-01", "2018-10-05")
"""A week without a session, such as the first of October in Shanghai."""


def fx_folder(folder: Path, *, weeks: int, seed: int = 1, start: str = "2018-01-01") -> list[str]:
    """Hourly FX without a volume column, from Sunday 17:00 to Friday 17:00 in New York."""
    local = _hours(start, weeks)
    opened = local - _HOUR
    hour = opened.day_of_week * 24 + opened.hour
    holiday = np.isin(opened.strftime("%m-%d"), ["12-25", "01-01"])
    closes = local[((hour < 4 * 24 + 17) | (hour >= 6 * 24 + 17)) & ~holiday].tz_convert("UTC")
    pairs = {"EUR-USD": (1.2, 5), "GBP-USD": (1.4, 5), "USD-JPY": (110.0, 3)}
    for number, (pair, (price, digits)) in enumerate(pairs.items()):
        bars = _walk(closes, seed=seed + number, price=price, hourly=0.0009, digits=digits).drop(columns="volume")
        _save(bars, folder / f"{pair}_1h.csv")
    return [pair.replace("-", "/") for pair in pairs]


def stock_folder(
    folder: Path, *, weeks: int, seed: int = 1, start: str = "2018-01-01", symbols: int = 4, daily_only: bool = False
) -> list[str]:
    """Stocks, hourly bars of the session in New York and daily ones, stamped with their close.

    The second lists a third of the way in, the third is delisted at two thirds.
    """
    closes, day = _sessions(start, weeks)
    last = int(day[-1]) + 1
    names = [f"S{number:03d}" for number in range(symbols)]
    for number, name in enumerate(names):
        kept = np.ones(len(closes), bool)
        if number == 1:
            kept = day >= last // 3
        if number == 2:
            kept = day < 2 * last // 3
        bars = _walk(closes[kept], seed=seed + number, price=40.0 + 15 * number % 300, hourly=0.006, digits=2)
        if not daily_only:
            _save(bars, folder / f"{name}_1h.csv")
        daily = bars.groupby(day[kept]).agg({"date": "last", "open": "first", "high": "max", "low": "min",
                                             "close": "last", "volume": "sum"})  # fmt: skip
        _save(daily, folder / f"{name}_1d.csv")
    return names


def minute_folder(folder: Path, *, weeks: int, seed: int = 1, start: str = "2019-01-07") -> list[str]:
    """Two coins by the minute, around the clock, a bar missing now and then."""
    begin = pd.Timestamp(start, tz="UTC")
    closes = pd.date_range(begin + pd.Timedelta(minutes=1), begin + pd.Timedelta(weeks=weeks), freq="min")
    rng = np.random.default_rng(seed)
    pairs = {"BTC-USDT": (4000.0, 2), "ETH-USDT": (150.0, 2)}
    for number, (pair, (price, digits)) in enumerate(pairs.items()):
        kept = closes[(rng.random(len(closes)) > 0.0005) | (closes == closes[-1])]
        bars = _walk(kept, seed=seed + number, price=price, hourly=0.008 / np.sqrt(60), digits=digits)
        _save(bars, folder / f"{pair}_1m.csv")
    return [pair.replace("-", "/") for pair in pairs]


_HOUR = pd.Timedelta(hours=1)


def _hours(start: str, weeks: int) -> pd.DatetimeIndex:
    """Every full hour of some weeks of UTC, in New York's time."""
    begin = pd.Timestamp(start, tz="UTC")
    return pd.date_range(begin + _HOUR, begin + pd.Timedelta(weeks=weeks), freq="h").tz_convert(NEW_YORK)


def _sessions(start: str, weeks: int) -> tuple[pd.DatetimeIndex, NDArray[np.int64]]:
    """Closes of hourly bars in UTC, 10:30 to 15:30 and 16:00 in New York or 13:00 on a half day; number of the day."""
    days = pd.date_range(start, periods=weeks * 7, freq="D")
    shut = days.isin(pd.DatetimeIndex(sorted(HOLIDAYS))) | days.isin(pd.date_range(*SHUT)) | (days.day_of_week >= 5)
    days = days[~shut]
    half = days.isin(pd.DatetimeIndex(sorted(HALF_DAYS)))
    hours = np.r_[np.arange(10.5, 16.0), 13.0, 16.0]
    there = np.where(half[:, None], hours <= 13.0, hours != 13.0)
    stamps = (days.values[:, None] + (hours * 60).astype("timedelta64[m]"))[there]
    day = np.repeat(np.arange(len(days)), there.sum(axis=1))
    order = np.argsort(stamps, kind="stable")
    return pd.DatetimeIndex(stamps[order]).tz_localize(NEW_YORK).tz_convert("UTC"), day[order]


def _walk(closes: pd.DatetimeIndex, *, seed: int, price: float, hourly: float, digits: int) -> pd.DataFrame:
    """Bars of a random walk whose volatility comes in waves and whose moves have fat tails."""
    rng = np.random.default_rng(seed)
    n, steps = len(closes), 4
    wave = np.exp(0.5 * np.cumsum(rng.normal(0, 0.02, n)) - 0.25 * np.linspace(0, 1, n))
    wave = np.clip(wave / np.median(wave), 0.4, 2.5)
    moves = rng.standard_t(5, (n, steps)) * (hourly / np.sqrt(steps) / np.sqrt(5 / 3)) * wave[:, None]
    path = price * np.exp(np.cumsum(moves.ravel()) - np.linspace(0, 0.02, n * steps)).reshape(n, steps)
    open_ = np.r_[price, path[:-1, -1]]
    gap = np.r_[False, np.diff(closes.asi8) > 1.5 * np.median(np.diff(closes.asi8))]
    open_ = open_ * np.exp(np.where(gap, rng.normal(0, hourly, n), 0.0))
    around = np.column_stack([open_, path])
    bars = pd.DataFrame({"date": closes, "open": open_, "high": around.max(axis=1), "low": around.min(axis=1),
                         "close": path[:, -1]})  # fmt: skip
    bars = bars.round(dict.fromkeys(["open", "high", "low", "close"], digits))
    bars["volume"] = np.round(1000 * wave * rng.gamma(2.0, 0.5, n), 1)
    return bars


def _save(bars: pd.DataFrame, path: Path) -> None:
    """Write a file as `data/raw/README.md` asks for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stamps = np.datetime_as_string(pd.DatetimeIndex(bars["date"]).tz_convert(None).to_numpy(), unit="s")
    bars.assign(date=np.char.add(stamps, "Z")).to_csv(path, index=False)
