"""Bars around a signal: exact for one, and eight bits a price for the newest ones of the committed page.

A bar is dated by its close and known only then. A signal is decided at the close of a bar, and entered at the open of
the next: its entry bar is the first that closes after `open_date`, its exit bar the last that closes by `close_date`.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.dashboard.dashboard_numbers import MINUTE_MS, PRICE_DIGITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgebook.dashboard.dashboard_dimensions import Signals

BEFORE, AFTER = 12, 6
"""Bars that are shown before the entry bar and after the exit bar."""
NEWEST = 200
COLUMNS = ["start", "step", "low", "high", "entry", "exit", "gaps", "bars"]
"""Of a chart in the document, in this order."""
_PRICES = ("open", "high", "low", "close")
_TOP = 255


@dataclass(frozen=True)
class Series:
    """Bars of one symbol at one timeframe, by time.

    Parameters
    ----------
    at : ndarray of int64, shape (bars,)
        Close times, milliseconds UTC.
    prices : ndarray, shape (bars, 4)
        Open, high, low, close.
    """

    at: NDArray[np.int64]
    prices: NDArray[np.float64]


def bars_around(
    bars: pd.DataFrame, trade: Mapping[str, Any], *, before: int = BEFORE, after: int = AFTER
) -> dict[str, Any]:
    """Bars around one signal, as they are.

    Parameters
    ----------
    bars : DataFrame
        pair, timeframe, date (close time, UTC), open, high, low, close; in order of time within a series.
    trade : mapping
        A row of the ledger: signal_id, pair, timeframe, open_date, close_date (missing while it is open).
    before, after : int
        Bars before the entry bar and after the exit bar; an open signal is followed to the newest bar.

    Returns
    -------
    dict
        signal_id; step (minutes between bars where none is missing); minutes (close times since 1970 UTC), open, high,
        low and close, one item a bar; entry and exit (place of the entry and of the exit bar, None where there is none
        yet). Without bars of that series every list is empty.
    """
    own = bars[(bars["pair"] == trade["pair"]) & (bars["timeframe"] == trade["timeframe"])]
    series = _series(own)
    window = _window(series, opened=_stamp(trade["open_date"]), closed=_stamp(trade["close_date"]))
    first, last, entry, left = _cut(window, len(series.at), before=before, after=after)
    at, prices = series.at[first:last], series.prices[first:last]
    return {
        "signal_id": str(trade["signal_id"]),
        "step": _step(series),
        "minutes": (at // MINUTE_MS).tolist(),
        **{name: prices[:, i].tolist() for i, name in enumerate(_PRICES)},
        "entry": entry,
        "exit": left,
    }


def charts_document(
    signals: Signals,
    rows: NDArray[np.int64],
    bars: pd.DataFrame,
    *,
    newest: int = NEWEST,
    before: int = BEFORE,
    after: int = AFTER,
) -> dict[str, Any]:
    """Bars around the newest signals, each price one byte.

    Parameters
    ----------
    signals : Signals
    rows : ndarray of int64
        Signals that are shown (`dashboard_trades.shown_rows`).
    bars : DataFrame
        As in `bars_around`.
    newest : int
        The last of `rows` that get a chart.
    before, after : int
        As in `bars_around`.

    Returns
    -------
    dict
        columns (`COLUMNS`) and rows, one a signal in the order of `rows`, the last for its last; None without bars.
        start and step are minutes; gaps holds ``[i, minutes]`` where bar i closes so many minutes after the one before
        it and not `step`; bars holds high, low and close of each bar as base64 of bytes, ``low + byte / 255 * (high -
        low)``: within a five-hundredth of the range that the chart shows.
    """
    chosen = rows[max(0, len(rows) - newest) :]
    shown = signals.rows.iloc[chosen]
    needed = set(zip(shown["pair"], shown["timeframe"], strict=True))
    groups = bars.groupby(["pair", "timeframe"], sort=False).indices
    series = {key: _series(bars.iloc[groups[key]]) for key in needed if key in groups}
    times = {name: shown[name].to_numpy(dtype="datetime64[ms]") for name in ("open_date", "close_date")}
    charts = []
    for i, key in enumerate(zip(shown["pair"], shown["timeframe"], strict=True)):
        opened, closed = (None if np.isnat(at[i]) else int(at[i].astype(np.int64)) for at in times.values())
        drawn = key in series and opened is not None
        charts.append(_chart(series[key], opened=opened, closed=closed, before=before, after=after) if drawn else None)
    return {"columns": COLUMNS, "rows": charts}


def _chart(series: Series, *, opened: int | None, closed: int | None, before: int, after: int) -> list[Any] | None:
    """One row of the document."""
    window = _window(series, opened=opened, closed=closed)
    first, last, entry, left = _cut(window, len(series.at), before=before, after=after)
    if first == last:
        return None
    at = series.at[first:last] // MINUTE_MS
    shown = series.prices[first:last][:, [1, 2, 3]]
    low, high = (float(f"{edge:.{PRICE_DIGITS + 2}g}") for edge in (shown.min(), shown.max()))
    scale = (high - low) or 1.0
    packed = np.clip(np.rint((shown - low) / scale * _TOP), 0, _TOP).astype(np.uint8)
    step = _step(series)
    apart = np.diff(at)
    gaps = [[int(i) + 1, int(apart[i])] for i in np.flatnonzero(apart != step)]
    text = base64.b64encode(packed.tobytes()).decode("ascii")
    return [int(at[0]), step, low, high, entry, left, gaps, text]


def _series(bars: pd.DataFrame) -> Series:
    at = bars["date"].to_numpy(dtype="datetime64[ms]").astype(np.int64)
    return Series(at=at, prices=bars[list(_PRICES)].to_numpy(dtype=np.float64))


def _step(series: Series) -> int:
    """Minutes between bars where none is missing: the most common distance."""
    apart, count = np.unique(np.diff(series.at), return_counts=True)
    return int(apart[np.argmax(count)]) // MINUTE_MS if len(apart) else 0


def _window(series: Series, *, opened: int | None, closed: int | None) -> tuple[int, int | None]:
    """Place of the entry bar, and of the exit bar where there is one."""
    entry = int(np.searchsorted(series.at, opened if opened is not None else 0, side="right"))
    left = None if closed is None else max(entry, int(np.searchsorted(series.at, closed, side="right")) - 1)
    return entry, left


def _cut(
    window: tuple[int, int | None], count: int, *, before: int, after: int
) -> tuple[int, int, int | None, int | None]:
    """First bar, one past the last, and the places of entry and exit among them."""
    entry, left = window
    first = max(0, min(entry, count) - before)
    last = count if left is None else min(count, left + 1 + after)
    last = max(first, last)
    return first, last, entry - first if entry < last else None, None if left is None or left >= last else left - first


def _stamp(value: Any) -> int | None:
    """Milliseconds UTC of a date of the ledger, None where it is missing."""
    if value is None or value == "" or value != value:
        return None
    stamp = pd.Timestamp(value)
    stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp
    return round(stamp.timestamp() * 1000)
