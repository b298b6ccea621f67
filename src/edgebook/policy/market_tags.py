"""The pattern that a candidate is tagged with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.policy.plan_outcomes import bar_key, codes_of, to_ms

if TYPE_CHECKING:
    from numpy.typing import NDArray

PATTERN_BARS = 3
"""A pattern tags the candidates of its own bar and of the two after it."""


def latest_tags(bars: pd.DataFrame, patterns: pd.DataFrame) -> tuple[NDArray[np.int16], tuple[str, ...]]:
    """Latest pattern in favour of each side, chart patterns before candlesticks.

    Parameters
    ----------
    bars : DataFrame
        In table order.
    patterns : DataFrame
        One row a pattern, dated by its confirming bar.

    Returns
    -------
    tag : ndarray of int16, shape (bars, 2)
        Index into the names, for long and short.
    names : tuple of str
        "none", then the patterns that there are, sorted.
    """
    names = ("none", *sorted(patterns["pattern"].unique()))
    tag = np.zeros((len(bars), 2), np.int16)
    if patterns.empty:
        return tag, names
    key = bar_key(bars)
    known = sorted(bars["pair"].str.cat(bars["timeframe"], sep="\x00").unique())
    codes = pd.Index(known).get_indexer(patterns["pair"].str.cat(patterns["timeframe"], sep="\x00"))
    rows = np.searchsorted(key, codes.astype(np.int64) * (1 << 46) + to_ms(patterns["date"]))
    name = codes_of(patterns["pattern"], names).astype(np.int16)
    side = (patterns["direction"].to_numpy() < 0).astype(np.int64)
    chart = patterns["kind"].to_numpy() == "chart"
    series_end = np.r_[np.flatnonzero(np.diff(key >> 46)) + 1, len(key)]
    stop = series_end[np.searchsorted(series_end, rows, side="right")]
    for kind in (~chart, chart):  # later writes win: a chart pattern over a candlestick, a newer one over an older
        for delay in reversed(range(PATTERN_BARS)):
            at = rows[kind] + delay
            inside = at < stop[kind]
            tag[at[inside], side[kind][inside]] = name[kind][inside]
    return tag, names
