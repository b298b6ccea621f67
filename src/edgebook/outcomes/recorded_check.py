"""A desk's outcomes held against themselves and against the bars: what cannot be, and what the bars did not see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

RATE_TOLERANCE = 0.001
"""A fill may lie this share outside its bar: feeds of two venues differ by as much."""
PROFIT_TOLERANCE = 0.002
"""A profit may differ by this from what rates and fees give: funding, rounding."""
PROFIT_CONTRADICTION = 0.02
"""From this on rates and profit do not belong to the same trade."""


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

    Notes
    -----
    The rate of several entries, or exits, is their average (`orders`): it is held against all the bars of the trade in
    place of its first or last one, and the stop that stood at the first entry is not expected to have stayed.
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
    opened, shut = rows["open_date"], rows["close_date"]
    after = (opened >= rows["snapshot"]).to_numpy() | (closed & (shut > rows["snapshot"]).to_numpy())
    entry_low, entry_high = paths["entry_low"].to_numpy(), paths["entry_high"].to_numpy()
    exit_low, exit_high = paths["exit_low"].to_numpy(), paths["exit_high"].to_numpy()
    entries, exits = orders_of(rows)
    several, parted = (entries > 1) & covered, (exits > 1) & covered
    all_low, all_high = paths["all_low"].to_numpy(), paths["all_high"].to_numpy()
    entry_low, entry_high = np.where(several, all_low, entry_low), np.where(several, all_high, entry_high)
    exit_low, exit_high = np.where(parted, all_low, exit_low), np.where(parted, all_high, exit_high)
    whole = (entries < 2) & (exits < 2)
    # freqtrade's target falls with time: the rate reached was no target before.
    moving = (rows["exit_word"] == "roi").to_numpy()
    open_yet = (entries > 1) & ~covered
    impossible: list[tuple[NDArray[np.bool_], Callable[[int], str]]] = [
        (
            closed & (shut < opened).to_numpy(),
            lambda i: f"it was closed at {shut.iloc[i]:%Y-%m-%d %H:%M:%S}, before it was opened",
        ),
        (after, lambda i: "it lies after the snapshot that tells of it"),
        (sign * (target - entry) <= 0, lambda i: f"its target {target[i]:g} is on the losing side of {entry[i]:g}"),
        (
            (sign * (entry - stop) <= 0) & ~closed,
            lambda i: f"its stop {stop[i]:g} is on the winning side of {entry[i]:g}",
        ),
        (hit_target & (gross < 0), lambda i: "it closed at its target, with a loss"),
        (
            beyond,
            lambda i: (
                f"its profit is {said[i]:+.2%}, its rates give {gross[i]:+.2%} before fees; is it leveraged, or in "
                "percent?"
            ),
        ),
    ]
    findings: list[tuple[NDArray[np.bool_], Callable[[int], str]]] = [
        (
            _outside(entry, entry_low, entry_high) & ~open_yet,
            lambda i: f"opened at {entry[i]:g}, {_bars(several[i])} went from {entry_low[i]:g} to {entry_high[i]:g}",
        ),
        (
            closed & _outside(fill, exit_low, exit_high),
            lambda i: f"closed at {fill[i]:g}, {_bars(parted[i])} went from {exit_low[i]:g} to {exit_high[i]:g}",
        ),
        (
            hit_target & covered & (target_at == 0) & ~np.isnan(target),
            lambda i: f"closed at its target {target[i]:g}, which the bars never touched",
        ),
        (
            hit_stop & covered & (stop_at == 0) & ~np.isnan(stop) & (entries < 2),
            lambda i: f"closed at its stop {stop[i]:g}, which the bars never touched",
        ),
        (
            hit_target & (target_at > 0) & (target_at <= exit_from) & whole & ~moving,
            lambda i: f"closed at its target later than the bars touched it, in the bar to {_minute(target_at[i])}",
        ),
        (
            hit_stop & (stop_at > 0) & (stop_at <= exit_from) & whole,
            lambda i: f"closed at its stop later than the bars touched it, in the bar to {_minute(stop_at[i])}",
        ),
        (
            closed & ~beyond & (off > PROFIT_TOLERANCE),
            lambda i: f"its profit is {said[i]:+.2%}, its rates and fees give {gross[i] - fees[i]:+.2%}",
        ),
    ]
    names = rows["signal_id"].to_numpy(object)
    found = [
        (rows.index[i], names[i], text(i), cannot_be)
        for group, cannot_be in ((impossible, True), (findings, False))
        for mask, text in group
        for i in np.flatnonzero(mask).tolist()
    ]
    return pd.DataFrame(found, columns=["number", "signal_id", "finding", "impossible"])


def contradicting(findings: pd.DataFrame) -> int:
    """How many outcomes contradict themselves, and are not learned from.

    Parameters
    ----------
    findings : DataFrame
        As `check_recorded` gives them.
    """
    return int(findings.loc[findings["impossible"].astype(bool), "signal_id"].nunique())


def orders_of(rows: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many entries and how many exits made each trade; 1 and 1 where it is not told."""
    told = (
        rows["orders"].where(rows["orders"] != "", "1+1").str.extract(r"^(\d+)\+(\d+)$")
    )  # two columns of no rows too
    return told[0].to_numpy(np.int64), told[1].to_numpy(np.int64)


def _outside(rate: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Rates outside the range of their bar; where there is no bar, none is."""
    return np.asarray((rate < low * (1.0 - RATE_TOLERANCE)) | (rate > high * (1.0 + RATE_TOLERANCE)))


def _bars(averaged: bool) -> str:
    """Which bars a rate was held against."""
    return "an average, and its bars" if averaged else "its bar"


def _minute(moment_ms: int) -> str:
    return f"{pd.Timestamp(int(moment_ms), unit='ms'):%Y-%m-%d %H:%M}"
