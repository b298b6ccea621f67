"""What the champion says of the newest bar, timed: promised is under 50 ms for one symbol once loaded.

It reads the tables and the last seal of this repository (`make` makes them), steps back a week, and then feeds the
champion the bars of that week as a live system would: those that have closed since it was loaded, of all pairs.
"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import replace

import pandas as pd

from edgebook import Champion, load_champion
from edgebook.bars.bars import TIMEFRAMES
from edgebook.errors import EdgebookError

CALLS = 25
WEEK_MS = 7 * 86_400_000


def milliseconds(champion: Champion, bars: pd.DataFrame, *, pair: str) -> tuple[float, float]:
    """Median of some calls by the clock and by the processor, after one that loads what is loaded late."""
    champion.signals(bars, pair=pair)
    clock, processor = [], []
    for _ in range(CALLS):
        begin, worked = time.perf_counter(), time.process_time()
        champion.signals(bars, pair=pair)
        clock.append(1000 * (time.perf_counter() - begin))
        processor.append(1000 * (time.process_time() - worked))
    return statistics.median(clock), statistics.median(processor)


def step_back(champion: Champion) -> tuple[Champion, pd.DataFrame]:
    """The champion as it was a week earlier, and the bars that have closed since."""
    cut = max(window.closed_ms[-1] for window in champion.known.values()) - WEEK_MS
    known, parts = {}, []
    for (pair, timeframe), window in champion.known.items():
        place = int((window.closed_ms <= cut).sum())
        prices, volume, closed_ms = window.prices[:, :place], window.volume[:place], window.closed_ms[:place]
        known[pair, timeframe] = replace(window, prices=prices, volume=volume, closed_ms=closed_ms)
        part = pd.DataFrame(window.prices[:, place:].T, columns=["open", "high", "low", "close"])
        date = pd.to_datetime(window.closed_ms[place:], unit="ms", utc=True).as_unit("ms")
        parts.append(part.assign(pair=pair, timeframe=timeframe, date=date, volume=window.volume[place:]))
    return replace(champion, known=known), pd.concat(parts, ignore_index=True)


def main() -> None:
    """Print the times."""
    begin = time.perf_counter()
    try:
        champion = load_champion()
    except EdgebookError as error:
        print(f"not timed: {error}")
        return
    print(f"{champion.version}: {len(champion.known)} series known, loaded in {time.perf_counter() - begin:.1f} s")
    champion, week = step_back(champion)
    pair = min(pair for pair, _ in champion.known)
    timeframes = sorted({timeframe for _, timeframe in champion.known}, key=TIMEFRAMES.__getitem__)
    first = week[week["date"] == week["date"].min()]
    for words, bars in (
        (f"newest {timeframes[0]} bar of {pair}, the first one since", first[first["timeframe"] == timeframes[0]]),
        (f"newest {timeframes[0]} bar of {pair}, a week of bars given", week[week["timeframe"] == timeframes[0]]),
        (f"newest bars of {pair}, {' and '.join(timeframes)}, a week of bars given", week),
    ):
        clock, processor = milliseconds(champion, bars, pair=pair)
        print(f"{words}: {clock:.1f} ms by the clock, {processor:.1f} ms of processor time (median of {CALLS})")


if __name__ == "__main__":
    sys.exit(main())
