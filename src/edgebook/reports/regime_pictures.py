"""Pictures of the regime report: its frames, drawn with the functions of the `figures` modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.bars.bars import TIMEFRAMES
from edgebook.figures.figures import Picture, canvas, picture, words
from edgebook.figures.figures_rates import draw_bars, rows_height_in
from edgebook.figures.figures_regimes import draw_regime_price, draw_shares, draw_transitions
from edgebook.files.tables import KEY

if TYPE_CHECKING:
    from collections.abc import Mapping


def price_picture(bars: pd.DataFrame, regimes: pd.DataFrame, *, last_days: int | None = None) -> Picture:
    """Draw the price of the most traded symbol under its regimes.

    Parameters
    ----------
    bars, regimes : DataFrame
        Row-aligned.
    last_days : int, optional
        Only so many days, at the shortest timeframe; by default all, at the longest.
    """
    worth = (bars["close"] * bars["volume"]).groupby(bars["pair"], observed=True).sum()
    pair = str(worth.sort_index().idxmax())
    lengths = sorted(bars["timeframe"].unique(), key=TIMEFRAMES.__getitem__)
    timeframe = lengths[-1] if last_days is None else lengths[0]
    joined = bars[[*KEY, "close"]].assign(regime=regimes["regime"].to_numpy())
    own = joined[(joined["pair"] == pair) & (joined["timeframe"] == timeframe)]
    if last_days is not None:
        own = own[own["date"] > own["date"].max() - pd.Timedelta(days=last_days)]
    figure, (ax,) = canvas(height_in=3.6)
    title = f"{pair} at {timeframe}" + (f", the last {last_days} days" if last_days is not None else "")
    draw_regime_price(own, ax=ax, title=title)
    return picture(
        figure, caption=f"n = {len(own):,} bars to {own['date'].max():%Y-%m-%d}; each step in its regime's colour."
    )


def labels_picture(bars: pd.DataFrame, labelled: pd.DataFrame, *, last_days: int) -> Picture:
    """Draw the price of the most traded symbol under the rule and, below, under the model.

    Parameters
    ----------
    bars, labelled : DataFrame
        Row-aligned; labels as `regime_hmm.label_bars` returns them.
    last_days : int
        How many, at the shortest timeframe.
    """
    worth = (bars["close"] * bars["volume"]).groupby(bars["pair"], observed=True).sum()
    pair = str(worth.sort_index().idxmax())
    timeframe = min(bars["timeframe"].unique(), key=TIMEFRAMES.__getitem__)
    joined = bars[[*KEY, "close"]].assign(rule=labelled["regime"].to_numpy(), model=labelled["regime_hmm"].to_numpy())
    own = joined[(joined["pair"] == pair) & (joined["timeframe"] == timeframe)]
    own = own[own["date"] > own["date"].max() - pd.Timedelta(days=last_days)]
    figure, axes = canvas(height_in=5.6, ratios=(1, 1))
    for ax, column, by in zip(axes, ("rule", "model"), ("the rule", "the hidden Markov model"), strict=True):
        draw_regime_price(own.assign(regime=own[column]), ax=ax, title=f"{pair} at {timeframe}: {by}")
    same = float((own["rule"] == own["model"]).mean()) if len(own) else float("nan")
    return picture(
        figure, caption=f"n = {len(own):,} bars to {own['date'].max():%Y-%m-%d}; both agree on {same:.0%} of them."
    )


def agreement_picture(counts: pd.DataFrame) -> Picture:
    """Draw the rule's regimes against the model's."""
    figure, (ax,) = canvas(height_in=3.2)
    draw_transitions(counts, ax=ax, title="What the model calls the rule's regimes", down="rule", across="model")
    same = int(np.trace(counts.to_numpy()))
    return picture(
        figure, caption=f"n = {int(counts.to_numpy().sum()):,} bars, all series; shares of rows; {same:,} agree."
    )


def shares_picture(monthly: pd.DataFrame, *, series: int) -> Picture:
    """Draw shares of the regimes by month."""
    figure, (ax,) = canvas(height_in=3.0)
    if len(monthly) > 1:
        draw_shares(monthly, ax=ax, title="Regimes by month", unit="share of bars")
    else:
        ax.set_axis_off()
    return picture(
        figure, caption=f"All bars of {series} series, {len(monthly)} months; at the right the shares of the last."
    )


def transitions_picture(counts: pd.DataFrame) -> Picture:
    """Draw how regimes follow each other from bar to bar."""
    figure, (ax,) = canvas(height_in=3.2)
    draw_transitions(counts, ax=ax, title="From one bar to the next")
    return picture(figure, caption=f"n = {int(counts.to_numpy().sum()):,} pairs of bars, all series.")


def performance_picture(performance: pd.DataFrame, *, overall: Mapping[str, float]) -> Picture:
    """Draw mean R of the candidates by side and regime.

    Parameters
    ----------
    performance : DataFrame
        As `regime_performance.outcomes_by_regime` returns it.
    overall : mapping of str to float
        Mean R of each side over all regimes, for the caption.
    """
    known = performance.dropna(subset=["mean_r"])
    labels = [f"{words(str(r))}, {s}" for r, s in zip(known["regime"], known["side"], strict=True)]
    shown = pd.DataFrame(
        {
            "label": labels,
            "value": known["mean_r"].to_numpy(),
            "low": known["low"].to_numpy(),
            "high": known["high"].to_numpy(),
            "kept": (known["q"] <= 0.10).to_numpy(),
            "n": known["n"].to_numpy(),
        }
    )
    figure, (ax,) = canvas(height_in=rows_height_in(len(shown)))
    draw_bars(shown, ax=ax, title="What a candidate made, by regime and side", unit="mean R, net of costs")
    sides = ", ".join(f"{side} {value:+.3f} R".replace("-", "−") for side, value in overall.items())
    caption = (
        f"95 % intervals count weeks; blue: differs from the other regimes of its side at a false discovery rate of "
        f"10 %. Over all regimes: {sides}."
    )
    return picture(figure, caption=caption)


def side_means(performance: pd.DataFrame) -> dict[str, float]:
    """Mean R of each side over all regimes, from the cells."""
    known = performance.dropna(subset=["mean_r"])
    weighted = (known["mean_r"] * known["n"]).groupby(known["side"]).sum() / known.groupby("side")["n"].sum()
    return {str(side): float(value) for side, value in weighted.items()}
