"""Pictures of the outcome report: its frames, drawn with the functions of the `figures` modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.figures.figures import Picture, canvas, picture
from edgebook.figures.figures_equity import draw_drawdown, draw_equity
from edgebook.figures.figures_rates import draw_calibration, draw_forest, draw_r_histogram, rows_height_in
from edgebook.pages.report import formatted, interval
from edgebook.statistics.metrics import closed_trades

if TYPE_CHECKING:
    import pandas as pd


def equity_picture(daily: pd.DataFrame, *, goal: float | None = None) -> Picture:
    """Draw the book's equity over its drawdown.

    Parameters
    ----------
    daily : DataFrame
        As `outcome_analysis.book_days` gives it.
    goal : float, optional
        Drawdown not to be exceeded, a positive share.
    """
    figure, (above, below) = canvas(height_in=4.2, ratios=(2.2, 1))
    equity = daily.set_index("date")[["equity"]].rename(columns={"equity": "account"})
    start = float(daily["equity"].iloc[0] / (1 + daily["return_ratio"].iloc[0]))
    draw_equity(equity, ax=above, start=start, title="Equity and drawdown of the book")
    draw_drawdown(equity, ax=below, limit=goal)
    return picture(figure, caption=f"Net of costs, marked to market at each day's end, n = {len(daily):,} days.")


def distribution_picture(trades: pd.DataFrame, metrics: pd.DataFrame) -> Picture:
    """Draw the distribution of R with its mean.

    Parameters
    ----------
    trades : DataFrame
        Ledger rows; open ones are left out.
    metrics : DataFrame
        As `outcome_analysis.all_metrics` gives it.
    """
    r = closed_trades(trades)["r_multiple"].to_numpy(dtype=np.float64)
    found = metrics.set_index("metric")
    mean, low, high = (float(found[end]["expectancy"]) for end in ("value", "low", "high"))
    figure, (ax,) = canvas()
    draw_r_histogram(r, ax=ax, mean=(mean, low, high))
    return picture(figure, caption=f"n = {r.size:,} closed signals; the mean's interval counts weeks, not signals.")


def confidence_picture(bins: pd.DataFrame) -> Picture:
    """Draw the win rate against the confidence that was stated.

    Parameters
    ----------
    bins : DataFrame
        As `outcome_analysis.confidence_bins` gives it.
    """
    figure, (ax,) = canvas(height_in=3.6)
    if len(bins):
        shown = bins.rename(
            columns={
                "confidence": "predicted",
                "win_rate": "observed",
                "win_rate_low": "low",
                "win_rate_high": "high",
            }
        )
        draw_calibration(shown, ax=ax, title="Stated confidence and what happened")
    return picture(figure, caption=f"{len(bins)} groups of equal size, n = {int(bins['n'].sum()):,} closed signals.")


def cells_picture(own: pd.DataFrame, *, kind: str, metrics: pd.DataFrame) -> Picture:
    """Draw shrunk win rates of the cells of one kind against the break-even win rate.

    Parameters
    ----------
    own : DataFrame
        As `outcome_cells.cells_of` gives them.
    kind : str
        What a row is.
    metrics : DataFrame
        As `outcome_analysis.all_metrics` gives it.
    """
    break_even = float(metrics.set_index("metric")["value"]["break_even_win_rate"])
    shown = own.assign(
        label=own["name"],
        rate=own["shrunk_win_rate"],
        low=own["shrunk_win_rate_low"],
        high=own["shrunk_win_rate_high"],
        raw=own["win_rate"],
        badge=own["badge"] != "",
    )
    figure, (ax,) = canvas(height_in=rows_height_in(len(shown)))
    known = bool(np.isfinite(break_even))
    draw_forest(
        shown,
        ax=ax,
        title=f"Win rate by {kind}, shrunk",
        reference=break_even if known else 0.5,
        reference_label="break-even" if known else "even",
    )
    raw = interval(own["win_rate"].min(), own["win_rate"].max(), "percent")
    return picture(
        figure,
        caption=f"Dots: shrunk win rate with 95 % interval; ticks: raw win rate ({raw}). "
        f"{int(shown['badge'].sum())} of {len(shown)} survive a false-discovery rate of 10 %. "
        f"Break-even {formatted(break_even, 'percent')}.",
    )
