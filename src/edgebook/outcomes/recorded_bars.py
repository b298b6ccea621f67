"""What the bars say of a desk's trades: how long they lasted, how far price went, when it touched target and stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.bars.bars import FINER, TIMEFRAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

PATH = (
    "bars_held", "mae", "mfe", "entry_low", "entry_high", "exit_low", "exit_high", "target_at", "stop_at", "exit_from",
    "exit_at", "all_low", "all_high",
)  # fmt: skip


def paths_of(joined: pd.DataFrame, bars: pd.DataFrame) -> pd.DataFrame:
    """Follow each trade over the bars of its series.

    Parameters
    ----------
    joined : DataFrame
        Rows of `recorded_join.Joined`.
    bars : DataFrame
        The canonical bars.

    Returns
    -------
    DataFrame
        On the index of `joined`:

        - bars_held: bars from entry to exit, both counted; of an open trade 0.
        - mae, mfe: worst and best excursion in R before costs, ``mae <= 0 <= mfe``, by the engine's own rule (of the
          exit bar its open and the fill, unless the exit is a time exit, which takes all of it).
        - entry_low, entry_high, exit_low, exit_high: range of the bars in which the trade was opened and closed; at the
          boundary of two bars the range of both.
        - target_at, stop_at: close (ms UTC) of the first bar from entry on that touched the barrier and had closed by
          the end of the exit bar; 0 for none.
        - all_low, all_high: range of all bars from entry to exit.
        - exit_from, exit_at: open and close (ms UTC) of the bar in which the trade was closed; 0 for an open one.

        Missing, or 0, where the bars do not cover the trade.
    """
    out = {name: np.full(len(joined), np.nan) for name in PATH}
    for name in ("bars_held", "target_at", "stop_at", "exit_from", "exit_at"):
        out[name][:] = 0
    series = bars.groupby(["pair", "timeframe"], sort=False).indices
    for key, found in joined.groupby(["pair", "timeframe"], sort=False).indices.items():
        place = np.asarray(found, dtype=np.intp)
        width_ms = (FINER | TIMEFRAMES)[joined["timeframe"].iloc[place[0]]] * 60_000
        _follow(joined.iloc[place], bars.iloc[series[key]], place=place, width_ms=width_ms, out=out)
    frame = pd.DataFrame(out, index=joined.index)
    for name in ("bars_held", "target_at", "stop_at", "exit_from", "exit_at"):
        frame[name] = frame[name].astype(np.int64)
    return frame


def _follow(
    trades: pd.DataFrame,
    bars: pd.DataFrame,
    *,
    place: NDArray[np.intp],
    width_ms: int,
    out: dict[str, NDArray[np.float64]],
) -> None:
    """Fill in the trades of one series."""
    close_ms = _ms(bars["date"])
    opened = np.maximum(close_ms - width_ms, np.concatenate([close_ms[:1] - width_ms, close_ms[:-1]]))
    prices = [bars[name].to_numpy(np.float64) for name in ("open", "high", "low")]
    entry_ms, exit_ms = _ms(trades["open_date"]), _ms(trades["close_date"])
    shut = trades["close_date"].notna().to_numpy()
    first = np.searchsorted(close_ms, entry_ms, side="right")
    last = np.searchsorted(close_ms, exit_ms, side="left")
    columns = [
        trades[name].to_numpy(np.float64)
        for name in ("open_rate", "close_rate", "take_profit_abs", "stop_loss_abs", "risk_ratio")
    ]
    whole = (trades["exit_reason"] == "time_exit").to_numpy()
    sign = np.where(trades["is_short"].to_numpy(bool), -1.0, 1.0)
    for number, at in enumerate(place):
        a, b = int(first[number]), int(last[number])
        if a >= len(close_ms):
            continue
        touching = slice(max(a - 1, 0), a + 1) if entry_ms[number] == opened[a] else slice(a, a + 1)
        out["entry_low"][at], out["entry_high"][at] = prices[2][touching].min(), prices[1][touching].max()
        if not shut[number] or b >= len(close_ms) or b < a - 1:
            continue
        b = max(a, b)  # opened and closed at the same moment: within the bar that began then
        touching = slice(b, b + 2) if exit_ms[number] == close_ms[b] else slice(b, b + 1)
        out["exit_low"][at], out["exit_high"][at] = prices[2][touching].min(), prices[1][touching].max()
        out["exit_from"][at], out["exit_at"][at] = opened[b], close_ms[b]
        out["all_low"][at] = min(out["entry_low"][at], out["exit_low"][at], prices[2][a : b + 1].min())
        out["all_high"][at] = max(out["entry_high"][at], out["exit_high"][at], prices[1][a : b + 1].max())
        out["bars_held"][at] = b - a + 1
        rate, fill, target, stop, risk = (column[number] for column in columns)
        open_, high, low = (column[a : b + 1] for column in prices)
        best, worst = (high, low) if sign[number] > 0 else (low, high)
        reached = np.flatnonzero(sign[number] * (best - target) >= 0)
        out["target_at"][at] = close_ms[a + reached[0]] if reached.size else 0
        reached = np.flatnonzero(sign[number] * (worst - stop) <= 0)
        out["stop_at"][at] = close_ms[a + reached[0]] if reached.size else 0
        ends = np.array([open_[-1], fill] if b > a else [fill])
        if whole[number]:
            ends = np.array([high[-1], low[-1], fill])
        seen = sign[number] * (np.concatenate([high[:-1], low[:-1], ends]) / rate - 1.0) / risk
        out["mae"][at], out["mfe"][at] = min(0.0, float(seen.min())), max(0.0, float(seen.max()))


def _ms(dates: pd.Series) -> NDArray[np.int64]:
    """Milliseconds since 1970, the smallest number where missing."""
    return pd.DatetimeIndex(dates).as_unit("ms").asi8
