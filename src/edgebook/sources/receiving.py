"""A source that is no file, asked for what is new: bars go into the received parts as they come.

What came is kept every so often, so that a download that breaks goes on where it stopped. The last week of every series
is asked for again. Where it comes with other values right from its beginning, nobody knows how far back the change
goes (a split, a change of vendor): then the whole series is asked for, and enters as one part, whole or not at all.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from edgebook.bars.bars import COLUMNS
from edgebook.errors import DataError
from edgebook.files.tables import KEY
from edgebook.sources.received import append, differing, last_received

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    Series = tuple[str, str]
    Ask = Callable[[Mapping[Series, pd.Timestamp] | None], Iterable[pd.DataFrame]]

OVERLAP = pd.Timedelta(days=7)
"""Asked for again behind the last bar received: what a vendor corrects, it mostly corrects soon."""

KEPT_ROWS, KEPT_SECONDS = 200_000, 20.0


@dataclass
class Receiving:
    """What a receipt has brought so far.

    Parameters
    ----------
    new, revised : int
        Bars.
    series : set of (pair, timeframe)
        That had anything to add.
    restated : dict of (pair, timeframe) to str
        Series that came with another past, and what is known of the change.
    """

    new: int = 0
    revised: int = 0
    series: set[Series] = field(default_factory=set)
    restated: dict[Series, str] = field(default_factory=dict)


def receive(
    ask: Ask,
    *,
    folder: Path,
    clock: Callable[[], pd.Timestamp],
    tell: Callable[[Receiving], None] | None = None,
) -> Receiving:
    """Ask a source for bars and keep what is new.

    Parameters
    ----------
    ask : callable
        Given the time after which bars are wanted, by pair and timeframe (a series that is not in it is wanted from
        its beginning; None stands for everything), it yields bars (columns `COLUMNS`, checked) in the order of their
        dates within a series.
    folder : Path
        Of the received parts.
    clock : callable
        What time it is, UTC: each part is known from when it is kept.
    tell : callable, optional
        Called whenever something was kept.

    Returns
    -------
    Receiving

    Raises
    ------
    DataError
        From `ask`, or from the disk. What had come by then is kept.
    """
    before = last_received(folder)
    since = {series: last - OVERLAP for series, last in before.items()}
    told = Receiving()
    keep = _Keeping(folder, clock, before=before, told=told, tell=tell or (lambda _: None))
    try:
        for bars in ask(since or None):
            keep.take(bars)
    except BaseException:
        with suppress(DataError):  # what broke the download is what is told
            keep.flush()
        raise
    keep.flush()
    if keep.asked_again:
        wanted = set(keep.asked_again)
        pieces = [_of_series(bars, wanted) for bars in ask({s: t for s, t in since.items() if s not in wanted} or None)]
        keep.whole(pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame(columns=COLUMNS))
    return told


@dataclass
class _Keeping:
    """The rows that wait to be kept, and the series that have to be asked for again."""

    folder: Path
    clock: Callable[[], pd.Timestamp]
    before: Mapping[Series, pd.Timestamp]
    told: Receiving
    tell: Callable[[Receiving], None]
    asked_again: set[Series] = field(default_factory=set)
    _looked_at: set[Series] = field(default_factory=set)
    _waiting: list[pd.DataFrame] = field(default_factory=list)
    _rows: int = 0
    _since: float = field(default_factory=time.monotonic)

    def take(self, bars: pd.DataFrame) -> None:
        """Take bars; keep them when there are many, or the last time is a while ago."""
        if bars.empty:
            return
        self._waiting.append(bars[COLUMNS])
        self._rows += len(bars)
        if self._rows >= KEPT_ROWS or time.monotonic() - self._since > KEPT_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Keep what waits, but for series whose past has changed."""
        if not self._waiting:
            return
        rows = _once(self._waiting)
        self._waiting, self._rows, self._since = [], 0, time.monotonic()
        self._look_for_another_past(rows)
        rows = _without_series(rows, self.asked_again)
        if len(rows):
            self._append(rows)

    def whole(self, rows: pd.DataFrame) -> None:
        """Keep series that were asked for again, as one part."""
        if len(rows):
            self._append(_once([rows]), restated=True)

    def _look_for_another_past(self, rows: pd.DataFrame) -> None:
        """Mark the series whose first bar that was there already came with other values."""
        first = rows.groupby(["pair", "timeframe"], sort=False)["date"].min()
        firsts = dict(zip(first.index.tolist(), first, strict=True))
        fresh = {series: date for series, date in firsts.items() if series not in self._looked_at}
        mine = {s: date for s, date in fresh.items() if s in self.before and date <= self.before[s]}
        self._looked_at |= set(firsts)
        if not mine:
            return
        edge = pd.DataFrame([(*s, date) for s, date in mine.items()], columns=KEY).astype({"date": rows["date"].dtype})
        changed = differing(rows.merge(edge, on=KEY), folder=self.folder)
        for row in changed[changed["close_before"].notna()].itertuples():
            self.asked_again.add((str(row.pair), str(row.timeframe)))

    def _append(self, rows: pd.DataFrame, *, restated: bool = False) -> None:
        receipt = append(rows, folder=self.folder, known_at=self.clock())
        self.told.new += receipt.new
        self.told.revised += receipt.revised
        for _, own in receipt.rows.groupby(["pair", "timeframe"], sort=True):
            series = (str(own["pair"].iloc[0]), str(own["timeframe"].iloc[0]))
            self.told.series.add(series)
            if restated and own["close_before"].notna().any():
                self.told.restated[series] = _change(own)
        self.tell(self.told)


def _change(own: pd.DataFrame) -> str:
    """What became of a series' past, in a few words."""
    again = own[own["close_before"].notna()]
    ratio = (again["close"] / again["close_before"]).round(6)
    usual = ratio.mode().iloc[0]
    share = float((ratio.sub(usual).abs() <= 2e-3 * abs(usual)).mean())
    many = f"{len(again):,} bars from {again['date'].min():%Y-%m-%d} to {again['date'].max():%Y-%m-%d}"
    if share > 0.9 and abs(usual - 1) > 1e-3:
        return f"{many} times {usual:g}, as after a split"
    return many


def _once(pieces: list[pd.DataFrame]) -> pd.DataFrame:
    """Rows of several pieces, sorted; of a bar that came twice the later one."""
    rows = pd.concat(pieces, ignore_index=True) if len(pieces) > 1 else pieces[0]
    return rows.sort_values(KEY, kind="stable").drop_duplicates(KEY, keep="last", ignore_index=True)


def _of_series(bars: pd.DataFrame, wanted: set[Series]) -> pd.DataFrame:
    return bars[_is_of(bars, wanted)]


def _without_series(bars: pd.DataFrame, unwanted: set[Series]) -> pd.DataFrame:
    return bars[~_is_of(bars, unwanted)].reset_index(drop=True) if unwanted else bars


def _is_of(bars: pd.DataFrame, wanted: set[Series]) -> pd.Series:
    """Whether each bar is of one of some series."""
    names = pd.MultiIndex.from_frame(bars[["pair", "timeframe"]])
    return pd.Series(names.isin(list(wanted)), index=bars.index)
