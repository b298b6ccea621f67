"""What the cells of the outcome report say in words: what worked, what did not, and when neither can be said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgebook.statistics.cells import BETTER, FALSE_DISCOVERY_RATE, WORSE
from edgebook.analyses.outcome_cells import KINDS
from edgebook.pages.report import formatted, interval, prose

if TYPE_CHECKING:
    import pandas as pd

    from edgebook.pages.display import Prose

SURVIVES = f"{FALSE_DISCOVERY_RATE * 100:.0f} %"


def cells_reading(own: pd.DataFrame, *, kind: str) -> Prose:
    """Say what one kind of cell shows, beside what its raw rates would have claimed.

    Parameters
    ----------
    own : DataFrame
        All cells of the kind, as `outcome_cells.cells_of` gives them.
    kind : str
        What a row is.
    """
    if own.empty:
        return prose(f"No closed signal to sort by {kind}.")
    if len(own) == 1:
        return prose(f"One {kind} alone: there is nothing to compare it with.")
    badges = own[own["badge"] != ""]
    raw = interval(own["win_rate"].min(), own["win_rate"].max(), "percent")
    shrunk = interval(own["shrunk_win_rate"].min(), own["shrunk_win_rate"].max(), "percent")
    spread = f"Raw win rates run from {raw}, shrunk ones from {shrunk}."
    counted = f"({len(badges)} of {int(own['tested'].sum())} tested, {len(own)} in all)"
    if badges.empty:
        return prose(f"{spread} None differs from the other signals at a false-discovery rate of {SURVIVES} {counted}.")
    named = ", ".join(f"{row['name']} ({row['badge']})" for _, row in badges.iterrows())
    return prose(f"{spread} Apart from the other signals at a false-discovery rate of {SURVIVES}: {named} {counted}.")


def what_worked(cells: pd.DataFrame) -> Prose:
    """Name the cells that did better and worse, after the correction for their number.

    Parameters
    ----------
    cells : DataFrame
        All cells of the report, as `outcome_cells.report_cells` gives them.
    """
    tested = cells[cells["tested"]]
    better, worse = (_ranked(tested[tested["badge"] == badge]) for badge in (BETTER, WORSE))
    if better.empty and worse.empty:
        said = [f"**Undecided.** No cell survives {SURVIVES} (0 of {len(tested)} tested, {len(cells)} in all)."]
        if len(tested):
            nearest = tested.sort_values(["q_value", "p_value", "kind", "name"]).iloc[0]
            said.append(f"The nearest: {_cell(nearest)} That is what the best of {len(tested)} looks like by chance.")
        return prose(*said)
    none = f"none of {len(tested)} tested cells survives {SURVIVES} on this side"
    return prose(
        "**What worked**" + (f": {none}." if better.empty else ""),
        _listed(better),
        "**What did not**" + (f": {none}." if worse.empty else ""),
        _listed(worse),
    )


def _ranked(cells: pd.DataFrame, *, top: int = 8) -> pd.DataFrame:
    """Plain kinds before crossed ones, then the surest first."""
    order = {kind: rank for rank, kind in enumerate(KINDS)}
    ranked = cells.assign(rank=cells["kind"].map(order)).sort_values(["rank", "q_value", "p_value", "name"])
    return ranked.head(top).drop(columns="rank")


def _listed(cells: pd.DataFrame) -> str:
    """One line of Markdown a cell."""
    return "\n".join(f"- {_cell(row)}" for _, row in cells.iterrows())


def _cell(row: pd.Series) -> str:
    """One cell in words."""
    groupings = KINDS[str(row["kind"])]
    others = "the others" if len(groupings) == 1 else f"the rest of its {' and '.join(groupings[-2])}"
    band = interval(row["shrunk_r_low"], row["shrunk_r_high"], "r")
    return (
        f"**{row['name']}** ({row['kind']}): {formatted(row['shrunk_r'], 'r')} a signal after shrinking (95 % {band}), "
        f"{others} {formatted(row['rest_r'], 'r')}; raw win rate {formatted(row['win_rate'], 'percent')} of "
        f"{int(row['n']):,}; q = {formatted(row['q_value'], 'p')}."
    )
