"""Pictures of the A/B report: wealth and its bar, both books, what the gate does without an edge and with one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.analyses.power import weeks_to_bar
from edgebook.figures.figures import COLOURS, FAINT, INK, SOFT, Picture, canvas, picture, styled
from edgebook.figures.figures_axes import legend_above, nothing_yet, time_axis, times, titled
from edgebook.figures.figures_equity import ON_WHITE, draw_equity, draw_wealth
from edgebook.figures.figures_events import draw_events
from edgebook.figures.figures_rates import draw_bars
from edgebook.pages.report import formatted
from edgebook.statistics.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from edgebook.analyses.ab_trials import Comparison
    from edgebook.statistics.intervals import Interval

SHOWN_PATHS = 60


def wealth_picture(
    challengers: Sequence[Comparison],
    baselines: Sequence[Comparison],
    *,
    bar: float,
    events: pd.DataFrame | None = None,
) -> Picture:
    """Draw the wealth of every challenger over that of the pre-registered baselines.

    Parameters
    ----------
    challengers, baselines : sequence of Comparison
        In order of time.
    bar : float
        Wealth that promotes the first challenger of a year; each of those that came has its own.
    events : DataFrame, optional
        What happened to the recipes, as `learning_curve.history_events` gives it: marked where there is a trial.
    """
    figure, (above, below) = canvas(height_in=5.0, ratios=(1.25, 1))
    last = challengers[-1] if challengers else None
    bar = bar if last is None else last.bar
    title = "Evidence for the challenger"
    if last is not None:
        title += f", {last.arm} against {last.against}"
    draw_wealth(_side_by_side(challengers, baselines), ax=above, bar=bar, title=title)
    against = {one.against: None for one in baselines}
    draw_wealth(
        _side_by_side(baselines, challengers, by_rival=True), ax=below, bar=baselines[-1].bar if baselines else bar,
        title=f"What learning is worth: the champion against {', '.join(against) or 'a frozen twin'}",
        meaning="champion", bar_label="shown at",
    )  # fmt: skip
    ends = [f"{one.arm} {one.wealth:.3g} after {len(one.days)} days ({one.outcome})" for one in challengers[-3:]]
    shown = "; ".join(ends) or "no challenger yet"
    if events is not None and any(len(one.days) for one in (*challengers, *baselines)):
        draw_events(events, ax=above, named=False)  # its lines carry their names where they end
        draw_events(events, ax=below, named=True)
    return picture(figure, caption=f"Wealth 1 at admission, log scale, bar {bar:g}. {shown}.")


def books_picture(found: Comparison, *, risk_per_trade: float) -> Picture:
    """Draw both books over the trial, the paired difference day by day, and its sum.

    Parameters
    ----------
    found : Comparison
    risk_per_trade : float
        Share of equity that one trade risks.
    """
    figure, (top, middle, bottom) = canvas(height_in=5.6, ratios=(1.7, 1, 1))
    days = found.days
    names = ("frozen", "champion") if found.kind == "baseline" else ("champion", "challenger")
    equity = pd.DataFrame(
        {
            name: (1 + days[column]).cumprod().to_numpy()
            for name, column in zip(reversed(names), ("arm_return", "against_return"), strict=True)
        },
        index=pd.DatetimeIndex(days["date"]),
    )
    draw_equity(equity, ax=top, start=1.0, title=f"Both books since {found.since}, net of costs")
    difference = (days["arm_return"] - days["against_return"]).to_numpy(dtype=np.float64) / risk_per_trade
    draw_differences(difference, at=days["date"], ax=middle, below=bottom)
    total = formatted(float(difference.sum()), "r") if len(days) else "n/a"
    arms = f"{found.arm} less {found.against}" if found.arm else "No challenger yet"
    return picture(
        figure,
        caption=f"{arms}: {total} over {len(days)} paired days.",
    )


def regimes_picture(regimes: pd.DataFrame, found: Comparison) -> Picture:
    """Draw the difference of R a signal by regime of entry.

    Parameters
    ----------
    regimes : DataFrame
        As `ab_report.by_regime` gives it.
    found : Comparison
    """
    figure, (ax,) = canvas(height_in=2.5)
    known = regimes[regimes["difference"].notna()]
    shown = known.assign(
        label=known["regime"], value=known["difference"], low=known["difference_low"], high=known["difference_high"]
    )
    shown = shown.assign(n=known["n_arm"] + known["n_against"], kept=(shown["low"] > 0) | (shown["high"] < 0))
    title = f"{found.arm} less {found.against}, by regime of entry" if found.arm else "By regime of entry"
    draw_bars(shown, ax=ax, title=title, unit="difference of mean R a signal, with 95 % interval; n signals of both")
    own = shown[shown["regime"] != "all"]
    return picture(
        figure, caption=f"{int(own['kept'].sum())} of {len(own)} regimes have an interval that leaves 0 out."
    )


def sample_sizes_picture(sizes: pd.DataFrame, *, cost: Interval, weeks: int) -> Picture:
    """Draw the weeks that an edge takes, paired and routed.

    Parameters
    ----------
    sizes : DataFrame
        As `ab_sample_size.sample_sizes` gives it.
    cost : Interval
        Times the data, as `ab_sample_size.cost_of_routing` gives it.
    weeks : int
        Simulated.
    """
    figure, (ax,) = canvas(height_in=2.9)
    draw_sample_sizes(sizes, ax=ax)
    beyond = int(np.isinf(sizes[["paired_gate", "routed_gate"]].to_numpy()).sum())
    ratio = f"{cost.value:.1f} times (95 % {cost.low:.1f} to {cost.high:.1f})" if np.isfinite(cost.value) else "n/a"
    return picture(
        figure,
        caption=f"Weeks at 80 % power, both axes logarithmic. The planned lines lie {ratio} apart; {beyond} of "
        f"{2 * len(sizes)} points of the gate lie beyond the {weeks} weeks simulated.",
    )


def panels_picture(without: NDArray[np.float64], edge: NDArray[np.float64], *, bar: float, edge_r: float) -> Picture:
    """Draw simulated wealth without an edge beside wealth with one.

    Parameters
    ----------
    without, edge : ndarray, shape (paths, days)
        As `power.paths_of_wealth` gives them.
    bar : float
    edge_r : float
        Edge of the second, R a day.
    """
    figure, axes = canvas(height_in=3.1, columns=2, share_y=True)
    shares = []
    for ax, wealth, name in zip(axes, (without, edge), ("No edge", f"An edge of {edge_r:.2g} R a day"), strict=True):
        weeks = weeks_to_bar(wealth, bar=bar)
        share = float(np.mean(np.isfinite(weeks)))
        low, high = wilson(share, n=len(weeks))
        shares.append(
            f"{name[0].lower()}{name[1:]}: {formatted(share, 'percent')} (95 % {low * 100:.1f} to {high * 100:.1f})"
        )
        draw_paths(wealth, ax=ax, bar=bar, title=f"{name}: {np.isfinite(weeks).sum()} of {len(weeks)} promoted")
    axes[1].set_ylabel("")
    return picture(figure, caption=f"{len(without)} simulated challengers each, a look a day: {'; '.join(shares)}.")


@styled
def draw_differences(difference: NDArray[np.float64], *, at: pd.Series, ax: Axes, below: Axes) -> None:
    """Draw the paired difference of each day as a line from 0, and its running sum inside the range of chance.

    Parameters
    ----------
    difference : ndarray, shape (days,)
        In R.
    at : Series of datetime
    ax, below : Axes
        For the days, and for their sum.
    """
    for one, title in ((ax, "Paired daily difference"), (below, "Its sum")):
        if not len(difference):
            nothing_yet(one, title=title)
            continue
        one.axhline(0, color=FAINT, linewidth=0.8)
        time_axis(one)
        titled(one, title)
    if not len(difference):
        return
    days = times(at)
    shades = np.where(difference > 0, COLOURS["challenger"], COLOURS["champion"])
    ax.vlines(days, 0, difference, colors=shades, linewidth=max(0.8, min(2.0, 300 / len(difference))))
    ax.set_ylabel("R a day")
    spread = 1.96 * np.std(difference) * np.sqrt(np.arange(1, len(difference) + 1))
    below.fill_between(days, -spread, spread, color=COLOURS["baseline"], alpha=0.25, linewidth=0)
    below.plot(days, np.cumsum(difference), color=INK, linewidth=1.4)
    side = -1 if difference.sum() > 0 else 1
    below.annotate(
        "where 95 % of equal arms are on any one day", xy=(days[-1], side * spread[-1]), xytext=(-3, -side * 10),
        textcoords="offset points", ha="right", va="center", fontsize=7.5, color=SOFT,
    )  # fmt: skip
    below.set_ylabel("R")


@styled
def draw_sample_sizes(sizes: pd.DataFrame, *, ax: Axes) -> None:
    """Draw weeks against the edge: a line for one planned test, circles for the gate.

    Parameters
    ----------
    sizes : DataFrame
        As `ab_sample_size.sample_sizes` gives it.
    ax : Axes
    """
    title = "Weeks until an edge shows: paired books, and signals routed to one arm each"
    if not sizes["paired_weeks"].notna().any():
        return nothing_yet(ax, title=title)
    edge = sizes["edge_r"].to_numpy(dtype=np.float64)
    for way, meaning in (("paired", "champion"), ("routed", "challenger")):
        planned, gate = (sizes[f"{way}_{how}"].to_numpy(dtype=np.float64) for how in ("weeks", "gate"))
        ax.plot(edge, planned, color=COLOURS[meaning], marker=".", label=f"{way}, one planned test")
        known = np.isfinite(gate)
        ax.plot(
            edge[known], gate[known], color=COLOURS[meaning], marker="o", linestyle="none", markerfacecolor="none",
            label=f"{way}, the gate",
        )  # fmt: skip
    ax.set_xscale("log")
    ax.set_yscale("log")
    wins = sizes["win_rate"].to_numpy(dtype=np.float64)
    ticks = [
        f"{formatted(r, 'r')}" + (f"\n{formatted(p, 'points')}" if np.isfinite(p) else "")
        for r, p in zip(edge, wins, strict=True)
    ]
    ax.set_xticks(edge, ticks)
    ax.set_xticks([], minor=True)
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.yaxis.set_minor_formatter(lambda value, _: "")
    ax.set_xlabel("edge a day" + (", and as win rate" if np.isfinite(wins).all() else ""))
    ax.set_ylabel("weeks (log scale)")
    titled(ax, title, legend_rows=1)
    legend_above(ax, columns=4)


@styled
def draw_paths(wealth: NDArray[np.float64], *, ax: Axes, bar: float, title: str) -> None:
    """Draw simulated wealth over weeks, the promoted paths in colour.

    Parameters
    ----------
    wealth : ndarray, shape (paths, days)
    ax : Axes
    bar : float
    title : str
    """
    weeks = np.arange(1, wealth.shape[1] + 1) / 7
    for path in wealth[:SHOWN_PATHS]:
        high = np.flatnonzero(path >= bar)
        end = high[0] + 1 if len(high) else len(path)
        shade = COLOURS["challenger"] if len(high) else COLOURS["baseline"]
        shown = np.union1d(np.arange(6, end, 7), [0, end - 1])  # once a week, and the day of the promotion
        ax.plot(weeks[shown], path[shown], color=shade, linewidth=0.7, alpha=0.8, zorder=3 if len(high) else 2)
    ax.set_yscale("log")
    ax.set_ylim(0.005, bar * 2.5)
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.yaxis.set_minor_formatter(lambda value, _: "")
    ax.axhline(1, color=FAINT, linewidth=0.8)
    ax.axhline(bar, color=COLOURS["champion"], linewidth=1.1, linestyle=(0, (5, 3)))
    ax.annotate(
        f"promote at {bar:g}", xy=(0, bar), xycoords=("axes fraction", "data"), xytext=(4, 4),
        textcoords="offset points", color=COLOURS["champion"], fontsize=8, bbox=ON_WHITE,
    )  # fmt: skip
    ax.set_xlabel("weeks on trial")
    ax.set_ylabel("wealth (log scale)")
    titled(ax, title)


def _side_by_side(shown: Sequence[Comparison], others: Sequence[Comparison], *, by_rival: bool = False) -> pd.DataFrame:
    """Wealth of each trial as a column over all days of all trials."""
    dates = [one.days["date"] for one in (*shown, *others) if len(one.days)]
    index = pd.DatetimeIndex(sorted(set(pd.concat(dates)))) if dates else pd.DatetimeIndex([], tz="UTC")
    columns: dict[str, pd.Series] = {}
    for one in shown:
        name = f"{one.arm} / {one.against}" if by_rival else one.arm
        columns[name] = one.days.set_index("date")["wealth"].reindex(index)
    return pd.DataFrame(columns, index=index, dtype=np.float64)
