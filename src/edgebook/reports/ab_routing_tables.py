"""Tables of the A/B report on live routing: what it costs, and what the routed signals say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.analyses.ab_routed import TESTS
from edgebook.analyses.ab_sample_size import LEVEL, POWER
from edgebook.reports.ab_tables import weeks_text
from edgebook.pages.display import MISSING
from edgebook.pages.report import formatted, interval, table

if TYPE_CHECKING:
    from edgebook.analyses.ab_sample_size import Flow
    from edgebook.pages.display import Format, Table

UNITS: dict[str, Format] = {"R a day": "r", "R a signal": "r", "win rate": "points"}


def sample_sizes_table(found: pd.DataFrame, flow: Flow, *, weeks: int) -> Table:
    """Show what an edge takes in signals and weeks, paired and routed.

    Parameters
    ----------
    found : DataFrame
        As `ab_sample_size.sample_sizes` gives it.
    flow : Flow
    weeks : int
        Simulated; what lies beyond is written so.
    """
    shown = pd.DataFrame({"edge_r": found["edge_r"], "win_rate": found["win_rate"]})
    for way in ("paired", "routed"):
        shown[f"{way}_signals"] = [_count(value) for value in found[f"{way}_signals"]]
        shown[f"{way}_weeks"] = [_count(value) for value in found[f"{way}_weeks"]]
        shown[f"{way}_gate"] = [
            MISSING if np.isnan(value) else weeks_text(value, most=weeks) for value in found[f"{way}_gate"]
        ]
    arms = f"{flow.found.arm} and {flow.found.against}" if flow.found.arm else "two arms"
    return table(
        shown,
        caption=f"What an edge takes at {POWER * 100:.0f} % power: paired books, and routed signals",
        note=f"From the {len(flow.signals):,} candidates that {arms} traded in {flow.weeks} weeks. Signals and weeks: "
        f"one planned two-sided test at {LEVEL * 100:.0f} %; paired signals are the champion's. Gate: weeks within "
        f"which {POWER * 100:.0f} % of simulated challengers reach the bar on the books alone, looked at daily; an "
        "edge of an arm that has every signal.",
        formats={"edge_r": "r", "win_rate": "points"},
        labels={
            "edge_r": "Edge a day", "win_rate": "As win rate", "paired_signals": "Paired: signals",
            "paired_weeks": "weeks", "paired_gate": "by the gate", "routed_signals": "Routed: signals",
            "routed_weeks": "weeks", "routed_gate": "by the gate",
        },
    )  # fmt: skip


def randomised_table(found: pd.DataFrame) -> Table:
    """Show the randomised test and its second opinions.

    Parameters
    ----------
    found : DataFrame
        As `ab_routed.randomised_test` gives it.
    """
    rows = [
        {
            "method": row["method"],
            "of": row["of"],
            "n_a": row["n_a"],
            "n_b": row["n_b"],
            "estimate": formatted(row["estimate"], UNITS[row["of"]]),
            "band": interval(row["estimate_low"], row["estimate_high"], UNITS[row["of"]]),
            "test": _statistic(row),
            "today": ("promote" if row["promotes"] else "keep") if np.isfinite(row["statistic"]) else MISSING,
        }
        for _, row in found.iterrows()
    ]
    return table(
        pd.DataFrame(rows),
        caption="Routed signals: challenger (B) less champion (A)",
        note="R a day: had each arm had every signal, days of entry weighed back by the share that was routed. Only "
        "betting may be looked at every week; the gate reads none of these.",
        labels={"of": "Difference of", "n_a": "Signals A", "n_b": "Signals B", "band": "95 % interval", "test": "Test"},
        pills={"today": {"promote": "good", "keep": "plain"}},
        strong=[0],
    )


def _count(value: float) -> str:
    """Round up, to a hundred when there are thousands: more digits would be noise."""
    if not np.isfinite(value):
        return MISSING
    step = 100 if value >= 10_000 else 10 if value >= 1_000 else 1
    return f"{int(np.ceil(value / step) * step):,}"


def _statistic(row: pd.Series) -> str:
    """Statistic beside its limit, as text."""
    if not np.isfinite(row["statistic"]):
        return MISSING
    if row["method"] == TESTS[0]:
        return f"wealth {row['statistic']:.2f}, bar {row['limit']:g}"
    letter = "t" if row["method"] == TESTS[1] else "z"
    return f"{letter} {formatted(row['statistic'], 'number')}, limit {row['limit']:.2f}"
