"""What the combinations say in words: computed from their numbers, the undecided case too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.reports.cell_readings import SURVIVES
from edgebook.analyses.outcome_pairs import INTERACTION, LIFT, leading_pairs, survivors
from edgebook.pages.report import formatted, interval, prose

if TYPE_CHECKING:
    from typing import Literal

    import pandas as pd

    from edgebook.pages.display import Prose
    from edgebook.analyses.outcome_candidates import Candidates


def candidates_reading(found: Candidates) -> Prose:
    """Say which candidates are asked.

    Parameters
    ----------
    found : Candidates
    """
    closed = found.closed
    if not len(closed.won):
        return prose("No candidate has closed yet.")
    weeks = len(np.unique(closed.week))
    return prose(
        f"{len(closed.won):,} candidates of {weeks:,} weeks have closed, both sides of every bar; "
        f"{formatted(float(closed.won.mean()), 'percent')} won, at {formatted(float(closed.r_multiple.mean()), 'r')} "
        "each after costs."
    )


def pairs_reading(pairs: pd.DataFrame, *, by: Literal["lift", "interaction"], of: str = "indicators") -> Prose:
    """Say how many pairs survive the correction, and name the first at each end.

    Parameters
    ----------
    pairs : DataFrame
        As `outcome_pairs.pair_table` gives them.
    by : {"lift", "interaction"}
        The question.
    of : str
        What the parts are.
    """
    better, worse, tested = survivors(pairs, by=by)
    asks = "wins more or less than its parts say" if by == INTERACTION else "wins more or less often than the others"
    if not better + worse:
        said = [f"No pair of {of} {asks} at a false-discovery rate of {SURVIVES} (0 of {tested:,} tested)."]
        if tested:
            nearest = pairs.sort_values([f"{by}_q_value", "first", "second"]).iloc[0]
            said.append(f"The nearest: {_pair(nearest, by)} That is what the first of {tested:,} looks like by chance.")
        return prose(*said)
    noun = "than their parts say" if by == INTERACTION else "often than the others"
    said = [
        f"Pairs of {of} that win more {noun}: {better:,}, less: {worse:,}, at a false-discovery rate of {SURVIVES} "
        f"({better + worse:,} of {tested:,} tested; a tenth of them may be chance)."
    ]
    leading = leading_pairs(pairs, by=by, top=1)
    marked = leading[leading[f"{by}_badge"] != ""]
    said += [_pair(row, by) for _, row in marked.iterrows()]
    earning = int(((pairs[f"{by}_badge"] == "better") & (pairs["mean_r"] > 0)).sum())
    if better:
        said.append(
            f"{earning:,} of the {better:,} made money after costs as they stand: a mean R above 0, neither shrunk nor "
            "tested."
        )
    return prose(*said)


def groups_reading(cells: pd.DataFrame, *, kind: str) -> Prose:
    """Say which groups of candidates stand apart from the larger group that they lie in.

    Parameters
    ----------
    cells : DataFrame
        As `outcome_candidates.pattern_cells` or `head_set_cells` gives them.
    kind : str
        What a row is.
    """
    if cells.empty:
        return prose(f"No candidate to sort by {kind}.")
    tested = cells[cells["tested"]]
    badges = tested[tested["badge"] != ""].sort_values(["q_value", "name"])
    raw = interval(cells["win_rate"].min(), cells["win_rate"].max(), "percent")
    shrunk = interval(cells["shrunk_lift"].min(), cells["shrunk_lift"].max(), "points")
    spread = f"Raw win rates run from {raw}, lifts after shrinking from {shrunk}."
    counted = f"({len(badges):,} of {len(tested):,} tested, {len(cells):,} in all)"
    if badges.empty:
        return prose(f"{spread} No combination survives {SURVIVES} {counted}.")
    named = "; ".join(
        f"**{row['name']}** ({row['badge']}: {formatted(row['shrunk_lift'], 'points')} after shrinking, 95 % "
        f"{interval(row['shrunk_lift_low'], row['shrunk_lift_high'], 'points')}, n = {int(row['n']):,})"
        for _, row in badges.head(5).iterrows()
    )
    more = f" and {len(badges) - 5:,} more" if len(badges) > 5 else ""
    return prose(f"{spread} Apart from the rest of the group that they lie in at {SURVIVES}: {named}{more} {counted}.")


def _pair(row: pd.Series, by: str) -> str:
    """One pair in words."""
    name = f"**{row['first']} + {row['second']}**"
    rate = f"{formatted(row['win_rate'], 'percent')} of {int(row['n']):,} won"
    against = f"where its parts say {formatted(row['expected_win_rate'], 'percent')}" if by == INTERACTION else "raw"
    shrunk = formatted(row[f"shrunk_{by}"], "points")
    band = interval(row[f"shrunk_{by}_low"], row[f"shrunk_{by}_high"], "points")
    word = "interaction" if by != LIFT else "lift"
    return (
        f"{name}: {rate} ({against}); {word} {shrunk} after shrinking (95 % {band}), mean R "
        f"{formatted(row['mean_r'], 'r')}, q {_equals(row[f'{by}_q_value'])}."
    )


def _equals(q_value: float) -> str:
    """Write "= 0.034" or "< 0.001"."""
    text = formatted(q_value, "p")
    return f"< {text[1:]}" if text.startswith("<") else f"= {text}"
