"""Tables of the rule beside the hidden Markov model, from the frames of `regime_comparison`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgebook.figures.figures import words
from edgebook.analyses.regime_comparison import SMOOTHED
from edgebook.pages.report import table

if TYPE_CHECKING:
    import pandas as pd

    from edgebook.pages.display import Table

_SMOOTHED_NOTE = f"“{SMOOTHED}” sees the bars up to the next fit: it shows what that fakes, and is used nowhere."


def truth_table(truth: pd.DataFrame) -> Table:
    """Accuracy and lag on known truths."""
    shown = truth.drop(columns=["volatile_spells", "trends"]).assign(
        market=[f"{kind}, {n} markets" for kind, n in zip(truth["market"], truth["n"], strict=True)]
    )
    spells = int(truth["trends"].sum() / 3), int(truth["volatile_spells"].sum() / 3)
    return table(
        shown.drop(columns="n"),
        caption="Which labelling knows the truth better?",
        note=(
            "Simulated markets on which no setting was chosen. Clean: Gaussian noise of one level; rough: fat tails, a "
            f"level that wanders. Intervals are over markets; {spells[0]} trends and {spells[1]} volatile spells. Lag: "
            f"median bars of those found. {_SMOOTHED_NOTE}"
        ),
        formats={
            "balanced_accuracy": "percent", "against_rule": "points", "trends_found": "percent",
            "volatile_found": "percent", "trend_lag_bars": "integer", "volatile_lag_bars": "integer",
        },
        labels={"against_rule": "Above the rule", "trend_lag_bars": "Lag, bars", "volatile_lag_bars": "Lag, bars"},
        intervals={"balanced_accuracy": ("low", "high"), "against_rule": ("against_low", "against_high")},
    )  # fmt: skip


def steadiness_table(stability: pd.DataFrame, *, short_bars: int) -> Table:
    """Switches and lengths of spells of each labelling."""
    return table(
        stability,
        caption="Which labelling is steadier?",
        note=f"Of one series; short: complete spells of fewer than {short_bars} bars. {_SMOOTHED_NOTE}",
        formats={"short_spells": "percent", "median_bars": "integer"},
        labels={"n": "Spells n", "weeks": "Weeks n"},
        intervals={
            "switches_per_week": ("low", "high"), "median_bars": ("median_low", "median_high"),
            "short_spells": ("short_low", "short_high"),
        },
    )  # fmt: skip


def agreement_table(agreement: pd.DataFrame) -> Table:
    """How often rule and model agree."""
    return table(
        agreement,
        caption="Do rule and model agree?",
        note=(
            "Of bars; intervals count weeks. By chance: independent labels with the same shares. Kappa: the excess "
            "over chance, 1 at best. Opposite: one says bullish, the other bearish."
        ),
        formats={"agree": "percent", "by_chance": "percent", "opposite": "percent"},
        intervals={"agree": ("low", "high")},
    )


def looking_ahead_table(counts: pd.DataFrame) -> Table:
    """How much the smoothed labels differ from the filtered ones."""
    return table(
        counts,
        caption="Filtered beside smoothed",
        note="Same fits, same margin; the smoothed label also sees the bars up to the next fit. Lag: median bars.",
        formats={"differ": "percent", "lag_bars": "integer"},
        labels={"n": "Bars n", "lag_bars": "Filtered later by, bars"},
        intervals={"differ": ("low", "high")},
    )


def separation_table(separation: pd.DataFrame) -> Table:
    """How far regimes tell outcomes apart."""
    shown = separation.assign(
        best=[words(str(name)) for name in separation["best"]],
        worst=[words(str(name)) for name in separation["worst"]],
        differ=[f"{k} of {n}" for k, n in zip(separation["differ"], separation["cells"], strict=True)],
    ).drop(columns="cells")
    return table(
        shown,
        caption="Under which labelling do outcomes differ more?",
        note=(
            "All candidates of bars that both have labelled, net of costs. Spread: standard deviation of the regimes' "
            "mean R over candidates; differ: cells that differ from the rest of their side at a false-discovery rate "
            f"of 10 %. {_SMOOTHED_NOTE}"
        ),
        formats={"best_r": "r", "worst_r": "r", "spread_r": "number3"},
        labels={"best_r": "Mean R", "worst_r": "Mean R", "spread_r": "Spread, R"},
        intervals={"best_r": ("best_low", "best_high"), "worst_r": ("worst_low", "worst_high")},
    )
