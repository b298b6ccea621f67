"""A desk's outcomes held against themselves and against the bars: what cannot be, and what the bars did not see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE_TOLERANCE = 0.001
"""A fill may lie this share outside its bar: feeds of two venues differ by as much."""
PROFIT_TOLERANCE = 0.002
"""A profit may differ by this from what rates and fees give: funding, rounding."""
PROFIT_CONTRADICTION = 0.02
"""From this on rates and profit do not belong to the same trade."""

_SECOND = pd.Timedelta(seconds=1)


def check_recorded(joined: pd.DataFrame, paths: pd.DataFrame, *, cost: float) -> pd.DataFrame:
    """Findings on recorded outcomes, one row each.

    Parameters
    ----------
    joined : DataFrame
        Rows of `recorded_join.Joined`.
    paths : DataFrame
        `recorded_bars.paths_of` of them.
    cost : float
        Fee of a side where the desk's rows have none, a share of the notional.

    Returns
    -------
    DataFrame
        number (index label of `joined`), signal_id, finding, impossible (the row contradicts itself, and is not
        learned from).
    """
    rows = joined
    closed = (rows["status"] == "closed").to_numpy()
    sign = np.where(rows["is_short"].to_numpy(bool), -1.0, 1.0)
    entry, fill = rows["open_rate"].to_numpy(np.float64), rows["close_rate"].to_numpy(np.float64)
    target, stop = rows["take_profit_abs"].to_numpy(np.float64), rows["stop_loss_abs"].to_numpy(np.float64)
    said = rows["profit_ratio"].to_numpy(np.float64)
    gross = sign * (fill / entry - 1.0)
    fees = rows["fee_open"].fillna(cost).to_numpy(np.float64) + rows["fee_close"].fillna(cost).to_numpy(
        np.float64
    ) * np.nan_to_num(fill / entry, nan=1.0)
    off = np.abs(said - (gross - fees))
    # A reading of profits in percent, or of another stake, is no matter of fees.
    beyond = closed & (off > PROFIT_CONTRADICTION + 0.05 * np.abs(gross))
    reason = rows["exit_reason"].to_numpy(object)
    hit_target, hit_stop = closed & (reason == "take_profit"), closed & (reason == "stop_loss")
    exit_at, exit_from = paths["exit_at"].to_numpy(), paths["exit_from"].to_numpy()
    target_at, stop_at = paths["target_at"].to_numpy(), paths["stop_at"].to_numpy()
    covered = exit_at > 0
    at_exit = {
        name: [f"{moment:%Y-%m-%d %H:%M}" for moment in pd.to_datetime(values, unit="ms")]
        for name, values in (("target", target_at), ("stop", stop_at))
    }
    impossible: list[tuple[NDArray[np.bool_], list[str]]] = [
        (
            closed & (rows["close_date"] < rows["open_date"]).to_numpy(),
            [f"it was closed at {c:%Y-%m-%d %H:%M:%S}, before it was opened" for c in rows["close_date"]],
        ),
        (
            (rows["open_date"] >= rows["snapshot"]).to_numpy()
            | (closed & (rows["close_date"] > rows["snapshot"]).to_numpy()),
            ["it lies after the snapshot that tells of it"] * len(rows),
        ),
        (
            sign * (target - entry) <= 0,
            [f"its target {t:g} is on the losing side of {e:g}" for t, e in _zip(target, entry)],
        ),
        (
            (sign * (entry - stop) <= 0) & ~closed,
            [f"its stop {s:g} is on the winning side of {e:g}" for s, e in _zip(stop, entry)],
        ),
        (hit_target & (gross < 0), ["it closed at its target, with a loss"] * len(rows)),
        (
            beyond,
            [
                f"its profit is {p:+.2%}, its rates give {g:+.2%} before fees; is it leveraged, or in percent?"
                for p, g in _zip(said, gross)
            ],
        ),
    ]
    low, high = 1.0 - RATE_TOLERANCE, 1.0 + RATE_TOLERANCE
    findings: list[tuple[NDArray[np.bool_], list[str]]] = [
        (
            _outside(entry, paths, "entry", low=low, high=high),
            [
                f"opened at {e:g}, its bar went from {a:g} to {b:g}"
                for e, a, b in _zip(entry, paths["entry_low"], paths["entry_high"])
            ],
        ),
        (
            closed & _outside(fill, paths, "exit", low=low, high=high),
            [
                f"closed at {f:g}, its bar went from {a:g} to {b:g}"
                for f, a, b in _zip(fill, paths["exit_low"], paths["exit_high"])
            ],
        ),
        (
            hit_target & covered & (target_at == 0),
            [f"closed at its target {t:g}, which the bars never touched" for t in target],
        ),
        (
            hit_stop & covered & (stop_at == 0),
            [f"closed at its stop {s:g}, which the bars never touched" for s in stop],
        ),
        (
            hit_target & (target_at > 0) & (target_at <= exit_from),
            [f"closed at its target later than the bars touched it, in the bar to {at}" for at in at_exit["target"]],
        ),
        (
            hit_stop & (stop_at > 0) & (stop_at <= exit_from),
            [f"closed at its stop later than the bars touched it, in the bar to {at}" for at in at_exit["stop"]],
        ),
        (
            closed & ~beyond & (off > PROFIT_TOLERANCE),
            [f"its profit is {p:+.2%}, its rates and fees give {g:+.2%}" for p, g in _zip(said, gross - fees)],
        ),
    ]
    parts = [
        pd.DataFrame(
            {
                "number": rows.index[mask],
                "signal_id": rows["signal_id"].to_numpy(object)[mask],
                "finding": np.array(texts, dtype=object)[mask] if len(texts) else [],
                "impossible": cannot_be,
            }
        )
        for group, cannot_be in ((impossible, True), (findings, False))
        for mask, texts in group
        if mask.any()
    ]
    columns = ["number", "signal_id", "finding", "impossible"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _outside(
    rate: NDArray[np.float64], paths: pd.DataFrame, which: str, *, low: float, high: float
) -> NDArray[np.bool_]:
    """Rates outside the range of their bar; where there is no bar, none is."""
    below = rate < paths[f"{which}_low"].to_numpy() * low
    above = rate > paths[f"{which}_high"].to_numpy() * high
    return np.asarray(below | above)


def _zip(*columns: object) -> list[tuple[float, ...]]:
    return list(zip(*(np.asarray(column, dtype=np.float64).tolist() for column in columns), strict=True))
