"""Tables of the regime report, from the frames of `regime_report`, `regime_truth` and `regime_performance`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import pandas as pd

from edgebook.figures.figures import words
from edgebook.pages.report import table

if TYPE_CHECKING:
    from edgebook.pages.display import Format, Table

_PERFORMANCE_FORMATS: Final[dict[str, Format]] = {
    "win_rate": "percent",
    "break_even_win_rate": "percent",
    "mean_r": "r",
    "against_rest": "r",
    "p": "p",
    "q": "p",
}
_PERFORMANCE_NOTE: Final = (
    "Intervals count weeks, not candidates. Against the rest: mean R less that of the same side in the other regimes; "
    "q corrects for the cells of this table (Benjamini-Hochberg)."
)

_MOST_SERIES = 40

_SHORT_HOURS = 10.0
"""A shorter spell is told in parts of an hour."""


def now_table(now: pd.DataFrame) -> Table:
    """Regime of every series at its last bar; of many, those that changed last."""
    note = "Trend z and volatility quantile are what the rule judges; bars: length of the spell so far."
    if len(now) > _MOST_SERIES:
        newest = now.sort_values("since", ascending=False, kind="stable").index[:_MOST_SERIES]
        note += f" The {_MOST_SERIES} of {len(now)} series that changed last; data/regimes.parquet has all."
        now = now.loc[newest]
    return table(
        _said(now),
        caption="The regime now",
        note=note,
        formats={"since": "hour", "trend_z": "signed", "volatility_quantile": "percent"},
    )


def shares_table(shares: pd.DataFrame) -> Table:
    """Share of bars in each regime."""
    return table(
        _said(shares),
        caption="How much of the time?",
        note="Bars of all pairs; pairs move together, so intervals count weeks. The warm-up counts as ranging.",
        formats={"share": "percent"},
        intervals={"share": ("low", "high")},
    )


def durations_table(durations: pd.DataFrame) -> Table:
    """Lengths of complete spells."""
    hours: Format = "number" if durations["median_hours"].min() < _SHORT_HOURS else "integer"
    return table(
        _said(durations),
        caption="How long does a regime last?",
        note="Complete spells; the interval of the median is between order statistics.",
        formats={"median_bars": "integer", "p10_bars": "integer", "p90_bars": "integer", "median_hours": hours},
        labels={"p10_bars": "10 % shorter than", "p90_bars": "10 % longer than"},
        intervals={"median_bars": ("low", "high")},
    )


def transitions_table(counts: pd.DataFrame) -> Table:
    """Which regime follows which: shares of each row, n at the end."""
    totals = counts.sum(axis=1)
    shown = counts.div(totals.where(totals > 0), axis=0).astype(float)
    shown.columns = pd.Index([words(str(name)) for name in counts.columns])
    shown.insert(0, "after", [words(str(name)) for name in counts.index])
    shown["n"] = totals.to_numpy()
    formats: dict[str, Format] = {str(name): "percent" for name in shown.columns[1:-1]}
    return table(
        shown.reset_index(drop=True),
        caption="When a regime ends, which one follows?",
        note="n: ended spells of all series.",
        formats=formats,
    )


def stability_table(stability: pd.DataFrame, *, short_bars: int) -> Table:
    """Switches a week and short spells, with and without hysteresis."""
    return table(
        stability,
        caption="Does the label flicker?",
        note=(
            f"Switches of one series a week; short: complete spells of fewer than {short_bars} bars. No hysteresis: "
            "the same rule with its exits at its entries and no least stay."
        ),
        formats={"short_spells": "percent"},
        labels={"n": "Spells n", "weeks": "Weeks n"},
        intervals={"switches_per_week": ("low", "high"), "short_spells": ("short_low", "short_high")},
        pills={"rule": {"in force": "good", "no hysteresis": "plain"}},
    )


def lag_table(lag: pd.DataFrame, *, behind: Literal["the truth", "hindsight"]) -> Table:
    """How soon the label follows the truth of a simulated market, or hindsight on real bars."""
    note = {
        "the truth": "Simulated markets of four states, spells of 150 bars on average.",
        "hindsight": "Hindsight: the same rule on windows centred on the bar; it sees half a window of the future.",
    }[behind]
    return table(
        _said(lag.drop(columns="balanced_accuracy", errors="ignore")),
        caption=f"How far is the label behind {behind}?",
        note=f"{note} Found: spells that the label reached before they ended; lag: from their start, of those found.",
        formats={"found": "percent", "lag_bars": "integer", "lag_p25": "integer", "lag_p75": "integer"},
        labels={"lag_bars": "Lag, median bars", "lag_p25": "25 %", "lag_p75": "75 %"},
        intervals={"found": ("low", "high")},
    )


def performance_table(performance: pd.DataFrame) -> Table:
    """What candidates made in each regime."""
    return table(
        _said(performance),
        caption="All candidates, by regime and side",
        note=_PERFORMANCE_NOTE,
        formats=_PERFORMANCE_FORMATS,
        labels={"mean_r": "Mean R"},
        intervals={"win_rate": ("win_low", "win_high"), "mean_r": ("low", "high")},
    )


def _said(frame: pd.DataFrame) -> pd.DataFrame:
    """Regimes as a reader says them."""
    return frame.assign(regime=[words(str(name)) for name in frame["regime"]])
