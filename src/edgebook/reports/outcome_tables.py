"""Tables of the outcome report: the frames of `outcome_analysis` and `outcome_cells`, dressed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from edgebook.files.formats import MISSING
from edgebook.statistics.metrics import BOOK_METRICS, TRADE_METRICS
from edgebook.analyses.outcome_cells import pattern_table, regime_table
from edgebook.pages.report import formatted, interval, table

if TYPE_CHECKING:
    import pandas as pd

    from edgebook.pages.display import Format, Table

_FORMATS: dict[str, Format] = {
    "signals": "integer",
    "trades": "integer",
    "share of closed signals": "percent",
    "share of peak equity": "percent",
    "net return a trade": "bps",
    "R a trade": "r",
}
_BADGES: dict[str, dict[str, Literal["good", "bad", "wait", "plain"]]] = {"badge": {"better": "good", "worse": "bad"}}
_CELL_FORMATS: dict[str, Format] = {
    "win_rate": "percent", "shrunk_win_rate": "percent", "shrunk_r": "r", "avg_profit": "bps", "q_value": "p",
    "n_effective": "integer",
}  # fmt: skip
_CELL_LABELS = {
    "n_effective": "n effective",
    "win_rate": "Raw win rate",
    "shrunk_win_rate": "Shrunk win rate",
    "shrunk_r": "Shrunk R a trade",
    "q_value": "q",
}
_KIND_LABELS = {"head": {"n": "Signals contributed", "shrunk_win_rate": "Win rate when agreed (shrunk)"}}
_CELL_BANDS = {
    "win_rate": ("win_rate_low", "win_rate_high"),
    "shrunk_win_rate": ("shrunk_win_rate_low", "shrunk_win_rate_high"),
    "shrunk_r": ("shrunk_r_low", "shrunk_r_high"),
}
_CELL_COLUMNS = [
    "n", "n_effective",
    "win_rate", "win_rate_low", "win_rate_high",
    "shrunk_win_rate", "shrunk_win_rate_low", "shrunk_win_rate_high",
    "shrunk_r", "shrunk_r_low", "shrunk_r_high",
    "q_value", "badge",
]  # fmt: skip
CELL_NOTE = (
    "Raw rates have Wilson's interval at the effective number (signals of one week are not independent); shrunk values "
    "lean on all signals. A badge compares the R of a cell with the other signals and survives a false-discovery rate "
    "of 10 % over all cells of this report; q is n/a under 10 effective signals."
)

BEST_NOTE = (
    "Best: survives a false-discovery rate of 10 % over all cells of this report, against the rest of the same pattern "
    "or regime. Undecided: none does; ahead is then the highest after shrinking, a lead to watch, not a finding."
)


def metrics_table(metrics: pd.DataFrame) -> Table:
    """Show every metric with interval, n and unit; see docs/metrics.md.

    Parameters
    ----------
    metrics : DataFrame
        As `outcome_analysis.all_metrics` gives it.
    """
    scale = metrics["unit"].map(lambda unit: 1e4 if unit == "net return a trade" else 1.0)
    how = metrics["unit"].map(lambda unit: _FORMATS.get(unit, "number"))
    units = metrics["unit"].replace({"net return a trade": "net return a trade, basis points"})
    shown = metrics[["metric"]].assign(
        value=[formatted(float(v * s), h) for v, s, h in zip(metrics["value"], scale, how, strict=True)],
        band=[
            interval(float(a * s), float(b * s), h)
            for a, b, s, h in zip(metrics["low"], metrics["high"], scale, how, strict=True)
        ],
        n=metrics["n"],
        unit=units,
        per=metrics["per"],
    )
    return table(
        shown,
        caption=f"All {len(TRADE_METRICS) + len(BOOK_METRICS)} metrics, net of costs",
        note="n counts signals or days. A count or a longest run has no interval. Formulas: docs/metrics.md.",
        labels={"band": "95 % interval"},
    )


def certified_table(sets: pd.DataFrame) -> Table:
    """Show certified and paper signals apart.

    Parameters
    ----------
    sets : DataFrame
        As `outcome_analysis.certified_and_paper` gives it.
    """
    columns = ["set", "signals", "n", *_banded("win_rate"), "break_even_win_rate", *_banded("expectancy"),
               *_banded("profit_factor")]  # fmt: skip
    return table(
        sets[columns],
        caption="Signals above a certified threshold, and signals of paper mode",
        note="Signals include open ones; n counts closed ones.",
        formats={"win_rate": "percent", "break_even_win_rate": "percent", "expectancy": "r", "profit_factor": "number"},
        intervals=_bands("win_rate", "expectancy", "profit_factor"),
        labels={"break_even_win_rate": "Break-even"},
    )


def exits_table(exits: pd.DataFrame) -> Table:
    """Show exit reasons.

    Parameters
    ----------
    exits : DataFrame
        As `outcome_analysis.exit_reasons` gives it.
    """
    columns = ["exit_reason", "n", *_banded("share"), *_banded("mean_r"), "win_rate", "total_r", "bars_held"]
    return table(
        exits[columns],
        caption="How signals closed",
        formats={"share": "percent", "mean_r": "r", "win_rate": "percent", "total_r": "r", "bars_held": "number"},
        intervals=_bands("share", "mean_r"),
        labels={"mean_r": "Mean R", "total_r": "Sum of R", "bars_held": "Bars held (median)"},
    )


def excursions_table(found: pd.DataFrame) -> Table:
    """Show how far wins and losses went either way.

    Parameters
    ----------
    found : DataFrame
        As `outcome_analysis.excursions` gives it.
    """
    return table(
        found,
        caption="Furthest against (MAE) and for (MFE) the signal before it closed, in R before costs",
        formats={"median_mae": "r", "median_mfe": "r", "bars_held": "number", "one_r_ahead": "percent"},
        intervals=_bands("one_r_ahead"),
        labels={
            "median_mae": "MAE (median)",
            "median_mfe": "MFE (median)",
            "bars_held": "Bars held (median)",
            "one_r_ahead": "Was 1 R ahead",
        },
    )


def confidence_table(bins: pd.DataFrame) -> Table:
    """Show stated confidence beside the win rate.

    Parameters
    ----------
    bins : DataFrame
        As `outcome_analysis.confidence_bins` gives it.
    """
    return table(
        bins,
        caption="Signals in five groups by confidence",
        formats={"confidence": "percent", "win_rate": "percent"},
        intervals=_bands("win_rate"),
        labels={"confidence": "Mean confidence"},
    )


def distribution_table(bins: pd.DataFrame) -> Table:
    """Show how many signals made how much.

    Parameters
    ----------
    bins : DataFrame
        As `outcome_analysis.r_distribution` gives it.
    """
    return table(
        bins,
        caption="Closed signals by net R",
        formats={"r_from": "r", "r_to": "r", "share": "percent"},
        intervals=_bands("share"),
        labels={"r_from": "From", "r_to": "To (not included)"},
        bars=["n"],
    )


def drawdowns_table(worst: pd.DataFrame) -> Table:
    """Show the deepest drawdowns of the book.

    Parameters
    ----------
    worst : DataFrame
        As `outcome_analysis.worst_drawdowns` gives it.
    """
    return table(
        worst,
        caption="Deepest drawdowns of the book, at the day's end",
        formats={"depth": "percent"},
        note="A drawdown that still lasts has no recovery (n/a).",
    )


def cells_table(own: pd.DataFrame, *, kind: str) -> Table:
    """Show cells of one kind: raw, shrunk, badge.

    Parameters
    ----------
    own : DataFrame
        As `outcome_cells.cells_of` gives them.
    kind : str
        What a row is, in the report's words.
    """
    shown = own[["name", *_CELL_COLUMNS]]
    return table(
        shown.assign(badge=shown["badge"].replace("", "–")),
        caption=f"Closed signals by {kind}",
        note=CELL_NOTE,
        formats=_CELL_FORMATS,
        labels={"name": kind[:1].upper() + kind[1:], **_CELL_LABELS, **_KIND_LABELS.get(kind, {})},
        intervals=_CELL_BANDS,
        pills=_BADGES,
    )


def pattern_summary(
    cells: pd.DataFrame, trades: pd.DataFrame, *, effects: pd.DataFrame, largest: int | None = None
) -> Table:
    """Show each pattern's count, win rate, average profit, best regime and effect.

    Parameters
    ----------
    cells, trades : DataFrame
        As `outcome_cells.pattern_table` takes them.
    effects : DataFrame
        As `outcome_weights.effects_of_patterns` gives them.
    largest : int, optional
        Only the so many with the most signals.
    """
    found = pattern_table(cells, trades, largest=largest).join(effects, on="pattern")
    columns = ["name", "count", *_CELL_BANDS["shrunk_win_rate"], "shrunk_win_rate", "avg_profit", "best_in_regime",
               "effect_in_force", "effect_learned"]  # fmt: skip
    texts = found[["effect_in_force", "effect_learned"]].fillna(MISSING)
    return table(
        found.assign(avg_profit=found["avg_profit"] * 1e4, **texts)[columns],
        caption="Patterns: how many, how good, where best, what they add",
        note=f"{BEST_NOTE} Effect: log-odds that the pattern adds to the consensus in trending bullish / trending "
        "bearish / ranging / volatile, in force when the week began and as learned by its end from every candidate.",
        formats={"shrunk_win_rate": "percent", "avg_profit": "bps"},
        labels={"name": "Pattern", "shrunk_win_rate": "Win rate (shrunk)", "avg_profit": "Average profit (raw)"},
        intervals={"shrunk_win_rate": _CELL_BANDS["shrunk_win_rate"]},
    )


def regime_summary(cells: pd.DataFrame) -> Table:
    """Show which patterns, heads and indicators lead in each regime.

    Parameters
    ----------
    cells : DataFrame
        As `outcome_cells.report_cells` gives them.
    """
    found = regime_table(cells)
    columns = ["name", "n", *_CELL_BANDS["shrunk_win_rate"], "shrunk_win_rate"]
    return table(
        found[[*columns, "best_patterns", "best_heads", "best_indicators"]],
        caption="Regimes: what led in each",
        note=BEST_NOTE,
        formats={"shrunk_win_rate": "percent"},
        labels={"name": "Regime", "shrunk_win_rate": "Win rate (shrunk)"},
        intervals={"shrunk_win_rate": _CELL_BANDS["shrunk_win_rate"]},
    )


def _banded(name: str) -> list[str]:
    """A column and its two ends."""
    return [name, f"{name}_low", f"{name}_high"]


def _bands(*names: str) -> dict[str, tuple[str, str]]:
    """Ends of each column, as `table` wants them."""
    return {name: (f"{name}_low", f"{name}_high") for name in names}
