"""Tables of the combinations: pairs of indicators or heads, sets of heads, patterns in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from edgebook.analyses.outcome_pairs import INTERACTION, leading_pairs
from edgebook.pages.report import table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from edgebook.pages.display import Format, Table

_FORMATS: Mapping[str, Format] = {
    "n_effective": "integer", "win_rate": "percent", "expected_win_rate": "percent", "mean_r": "r", "lift": "points",
    "shrunk_lift": "points", "interaction": "points", "shrunk_interaction": "points", "lift_q_value": "p",
    "interaction_q_value": "p", "q_value": "p",
}  # fmt: skip
_LABELS = {
    "n_effective": "n effective",
    "win_rate": "Raw win rate",
    "expected_win_rate": "Parts say",
    "mean_r": "Mean R",
    "lift": "Raw lift",
    "shrunk_lift": "Shrunk lift",
    "interaction": "Raw interaction",
    "shrunk_interaction": "Shrunk interaction",
    "lift_q_value": "q",
    "interaction_q_value": "q",
    "q_value": "q",
    "lift_badge": "Badge",
    "interaction_badge": "Badge",
}
_TONES: dict[str, Literal["good", "bad", "wait", "plain"]] = {"better": "good", "worse": "bad"}
LIFT_NOTE = (
    "All labelled candidates, traded or not. Lift: win rate over the candidates of the same symbol, timeframe and side."
)


def pairs_table(pairs: pd.DataFrame, *, by: Literal["lift", "interaction"], top: int = 8) -> Table:
    """Show the pairs at both ends.

    Parameters
    ----------
    pairs : DataFrame
        As `outcome_pairs.pair_table` gives them.
    by : {"lift", "interaction"}
        The question.
    top : int
        How many at each end, no name more than twice.
    """
    own = leading_pairs(pairs, by=by, top=top)
    rates = ["win_rate", "win_rate_low", "win_rate_high"] + (["expected_win_rate"] if by == INTERACTION else [])
    columns = ["n", "n_effective", *rates, "mean_r", *_ends(by), *_ends(f"shrunk_{by}"), f"{by}_q_value", f"{by}_badge"]
    note = (
        f"{LIFT_NOTE} Intervals and q count weeks; q after Benjamini and Hochberg over all pairs that are tested."
        if by != INTERACTION
        else "Parts say: the win rate with the first alone plus that with the second alone less that with neither. "
        "Interaction: what comes on top of it; a pair of two good parts has a lift without one."
    )
    return _dressed(
        own[columns],
        first=own["first"] + " + " + own["second"],
        label="Both agree",
        caption=(
            f"Pairs that win more, and less, than their parts say: the {top} at each end of {len(pairs):,}"
            if by == INTERACTION
            else f"Pairs that win more, and less, often than others: the {top} at each end of {len(pairs):,}"
        ),
        note=note,
    )


def groups_table(cells: pd.DataFrame, *, kind: str, top: int = 8) -> Table:
    """Show the groups at both ends after shrinking.

    Parameters
    ----------
    cells : DataFrame
        As `outcome_candidates.pattern_cells` or `head_set_cells` gives them.
    kind : str
        What a row is, in the report's words.
    top : int
        How many at each end.
    """
    own, tested = leading_groups(cells, top=top), int(cells["tested"].sum())
    shown = (
        f"{len(own)} of {tested:,} tested, {len(cells):,} in all"
        if tested
        else f"{len(own)} of {len(cells):,}, none tested"
    )
    columns = [
        "n",
        "n_effective",
        *_ends("win_rate"),
        "mean_r",
        *_ends("lift"),
        *_ends("shrunk_lift"),
        "q_value",
        "badge",
    ]
    return _dressed(
        own[columns],
        first=own["name"],
        label=kind[:1].upper() + kind[1:],
        caption=f"All candidates by {kind}: {shown}",
        note=f"{LIFT_NOTE} Shrunk toward the larger group that it lies in; q asks whether it differs from the rest of "
        "that group, over all groups that are tested: 30 candidates and 8 weeks. Shown: those at both ends, and where "
        "none is tested the largest.",
    )


def leading_groups(cells: pd.DataFrame, *, top: int) -> pd.DataFrame:
    """Return the groups at both ends after shrinking, of those that are tested; the largest ones where none is."""
    ranked = cells.sort_values(["shrunk_lift", "n", "name"], ascending=[False, False, True], ignore_index=True)
    if not cells["tested"].any():
        return ranked.sort_values(["n", "name"], ascending=[False, True], ignore_index=True).head(2 * top)
    ranked = ranked[ranked["tested"]]
    return ranked if len(ranked) <= 2 * top else pd.concat([ranked.head(top), ranked.tail(top)], ignore_index=True)


def _dressed(own: pd.DataFrame, *, first: pd.Series, label: str, caption: str, note: str) -> Table:
    """Rows with raw beside shrunk."""
    names = [name for name in own.columns if f"{name}_low" in own.columns]
    badge = next(name for name in own.columns if name.endswith("badge"))
    shown = own.assign(**{badge: own[badge].replace("", "–")})
    shown.insert(0, "name", first.to_numpy(dtype=object))
    return table(
        shown,
        caption=caption,
        note=note,
        formats={name: how for name, how in _FORMATS.items() if name in shown},
        labels={"name": label, **{name: word for name, word in _LABELS.items() if name in shown}},
        intervals={name: (f"{name}_low", f"{name}_high") for name in names},
        pills={badge: _TONES},
    )


def _ends(name: str) -> list[str]:
    """A column and its two ends."""
    return [name, f"{name}_low", f"{name}_high"]
