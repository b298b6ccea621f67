"""What the champion says of the newest bar, timed: promised is under 50 ms for one symbol once loaded.

It reads the tables and the last seal of this repository (`make` makes them), steps back a week, and then feeds the
champion the bars of that week as a live system would: those that have closed since it was loaded, of all pairs.
"""

from __future__ import annotations

import statistics
import sys
import time

import pandas as pd

from edgebook import Champion, load_champion
from edgebook.errors import EdgebookError

CALLS = 25


def milliseconds(champion: Champion, bars: pd.DataFrame, *, pair: str) -> tuple[float, float]:
    """Median and slowest of some calls, after one that loads what is loaded late."""
    champion.signals(bars, pair=pair)
    taken = []
    for _ in range(CALLS):
        begin = time.perf_counter()
        champion.signals(bars, pair=pair)
        taken.append(1000 * (time.perf_counter() - begin))
    return statistics.median(taken), max(taken)


def bars_of(champion: Champion, *, last: int) -> pd.DataFrame:
    """Newest bars of every series that the champion knows, as a feed would hand them over."""
    parts = []
    for (pair, timeframe), window in champion.known.items():
        part = pd.DataFrame(window.prices[:, -last:].T, columns=["open", "high", "low", "close"])
        date = pd.to_datetime(window.closed_ms[-last:], unit="ms", utc=True).as_unit("ms")
        parts.append(part.assign(pair=pair, timeframe=timeframe, date=date, volume=window.volume[-last:]))
    return pd.concat(parts, ignore_index=True)


def main() -> None:
    """Print the times."""
    begin = time.perf_counter()
    try:
        champion = load_champion()
    except EdgebookError as error:
        print(f"not timed: {error}")
        return
    print(f"{champion.version}: {len(champion.known)} series known, loaded in {time.perf_counter() - begin:.1f} s")
    pair = min(pair for pair, _ in champion.known)
    finest = min(timeframe for name, timeframe in champion.known if name == pair)
    for words, last, timeframes in (
        (f"newest bar of {pair} {finest}, one bar of each series given", 1, [finest]),
        (f"both timeframes of {pair}, a week of bars given", 168, None),
        (f"both timeframes of {pair}, 2,200 bars of each series given", 2200, None),
    ):
        bars = bars_of(champion, last=last)
        if timeframes is not None:
            bars = bars[bars["timeframe"].isin(timeframes)]
        middle, slowest = milliseconds(champion, bars, pair=pair)
        print(f"{words}: {middle:.1f} ms, slowest of {CALLS} {slowest:.1f} ms")


if __name__ == "__main__":
    sys.exit(main())
