"""What there is to say of one series of bars: its numbers, its flaws, and what a run does about each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.folder.folder_repair import filled_bars
from edgebook.folder.folder_splits import split_words, suspected_splits
from edgebook.running.data_check_calendar import calendar_of, duration, gaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.settings.bar_files import Files

EFFECTS = ("stops", "dropped", "used", "nothing")
"""What a finding does, the worst first: it stops the run, bars are dropped, bars are used as they are, or nothing."""

OUTLIER_TIMES = 20.0
"""A bar is an outlier where it reaches so many usual moves beyond both closes around it."""

_FEWEST = 20
_LAST_BARS = 200


@dataclass(frozen=True)
class Finding:
    """One line of `edgebook data check`.

    Parameters
    ----------
    effect : str
        One of `EFFECTS`.
    kind : str
        What it is about.
    where : str
        Pair and timeframe, or the file.
    says : str
        What was found.
    does : str
        What a run does about it, and the key to set for something else.
    """

    effect: str
    kind: str
    where: str
    says: str
    does: str

    def row(self) -> dict[str, str]:
        """As a program reads it."""
        return asdict(self)


def examine_series(
    bars: pd.DataFrame, *, source: str, files: Files, done: dict[str, int]
) -> tuple[dict[str, Any], list[Finding]]:
    """Look at one pair and timeframe.

    Parameters
    ----------
    bars : DataFrame
        Columns of the contract, as a run reads them.
    source : str
        Of params.yaml.
    files : Files
        What is declared of a folder's files.
    done : dict
        Rows that repairs moved or dropped.

    Returns
    -------
    row : dict
        Its numbers.
    findings : list of Finding
    """
    pair, timeframe = str(bars["pair"].iloc[0]), str(bars["timeframe"].iloc[0])
    where = f"{pair} {timeframe}"
    calendar = calendar_of(bars)
    missing = gaps(bars, calendar)
    quiet = int((bars["volume"] == 0).sum())
    reach = outliers(bars)
    spikes = reach > OUTLIER_TIMES
    filled = filled_bars(bars)
    jumps = suspected_splits(bars)
    row = {
        "pair": pair,
        "timeframe": timeframe,
        "first": f"{bars['date'].iloc[0]:%Y-%m-%d %H:%M}",
        "last": f"{bars['date'].iloc[-1]:%Y-%m-%d %H:%M}",
        "n": len(bars),
        "gaps": len(missing),
        "longest_gap_hours": float(missing["hours"].iloc[0]) if len(missing) else 0.0,
        "zero_volume": quiet,
        "outliers": int(spikes.sum()),
        "filled": int(filled.sum()),
        "suspected_splits": len(jumps),
        "calendar": calendar.words,
    }
    folder = source == "folder"
    found = [Finding(*line) for line in _repairs(where, done)]
    for jump in jumps:
        refused = folder and files.splits == "refuse"
        found.append(
            Finding(
                "stops" if refused else "used",
                "split",
                where,
                f"{jump.date:%Y-%m-%d %H:%M} opens at {jump.after:.6g} after {jump.before:.6g}, as after a split of"
                f" {split_words(jump.factor)}",
                "put it into bars.files.split_factors, or set bars.files.splits: as_is" if refused else "used as it is",
            )
        )
    if filled.any():
        at = bars["date"].iloc[int(filled.argmax())]
        remedy = "; bars.files.repair: [filled] drops them" if folder else ""
        words = f"{_count(int(filled.sum()), 'flat bar')} without a trade, the first {at:%Y-%m-%d %H:%M}"
        found.append(Finding("used", "filled", where, words, f"used as bars{remedy}"))
    if spikes.any():
        at = bars["date"].iloc[int(reach.argmax())]
        words = (
            f"{_count(int(spikes.sum()), 'bar')} reaching more than {OUTLIER_TIMES:.0f} usual moves beyond both closes"
            f" around; the worst {reach.max():.0f}, {at:%Y-%m-%d %H:%M}"
        )
        found.append(Finding("used", "outlier", where, words, "used as it is; correct or drop rows that are wrong"))
    if len(missing):
        hours, after = missing["hours"].iloc[0], missing["after"].iloc[0]
        words = f"{_count(len(missing), 'gap')}, the longest {duration(hours)} after {after:%Y-%m-%d %H:%M}"
        found.append(Finding("nothing", "gap", where, words, "not filled"))
    if quiet == len(bars):
        found.append(
            Finding("nothing", "volume", where, "no volume at all", "volume indicators abstain, head F sleeps")
        )
    elif quiet:
        found.append(Finding("nothing", "volume", where, f"{_count(quiet, 'bar')} without volume", "used as bars"))
    return row, found


def outliers(bars: pd.DataFrame) -> NDArray[np.float64]:
    """How far each bar reaches beyond both closes around it and comes back, as a bad tick does.

    Parameters
    ----------
    bars : DataFrame
        One pair and timeframe, ascending.

    Returns
    -------
    ndarray of float64, shape (n,)
        In usual moves; an outlier is what lies above `OUTLIER_TIMES`.

    Notes
    -----
    The usual move is the median of the absolute log return of closes that are not nought, of all bars or of the last
    200, whichever is larger: a few wrong bars do not move it, and wild times have a wilder measure. A bar reaches as
    far as its high lies above both the close before and the close after, or its low below both. A move that stays
    reaches nowhere.
    """
    n = len(bars)
    reach = np.zeros(n)
    if n < _FEWEST:
        return reach
    high, low, close = (np.log(bars[name].to_numpy()) for name in ("high", "low", "close"))
    moves = pd.Series(np.abs(np.diff(close)))
    moves = moves.where(moves > 0)
    if not moves.notna().any():
        return reach
    usual = moves.rolling(_LAST_BARS, min_periods=1).median().clip(lower=float(moves.median())).fillna(moves.median())
    above = high[1:-1] - np.maximum(close[:-2], close[2:])
    below = np.minimum(close[:-2], close[2:]) - low[1:-1]
    reach[1:-1] = np.maximum(np.maximum(above, below), 0) / usual.to_numpy()[:-1]
    return reach


def _repairs(where: str, done: dict[str, int]) -> list[tuple[str, str, str, str, str]]:
    """What repairs did to a series."""
    words = {
        "sort": ("used", "unsorted", "row out of order", "sorted, as bars.files.repair says"),
        "duplicates": ("dropped", "duplicate", "row that repeats another", "dropped, as bars.files.repair says"),
        "filled": ("dropped", "filled", "flat bar without a trade", "dropped, as bars.files.repair says"),
    }
    return [
        (effect, kind, where, _count(done[name], noun), does)
        for name, (effect, kind, noun, does) in words.items()
        if name in done
    ]


def _count(number: int, noun: str) -> str:
    """A number of things."""
    head, _, tail = noun.partition(" ")
    plural = f"{head}s {tail}".strip() if head in ("row", "bar", "gap") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
