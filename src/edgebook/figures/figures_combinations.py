"""Pictures of the combinations: pairs with their intervals, heads against heads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.analyses.outcome_pairs import leading_pairs, survivors
from edgebook.figures.figures import Picture, canvas, picture
from edgebook.figures.figures_rates import draw_forest, draw_pair_matrix, rows_height_in
from edgebook.indicators import HEADS

if TYPE_CHECKING:
    from typing import Literal


def pairs_picture(pairs: pd.DataFrame, *, by: Literal["lift", "interaction"], top: int = 10) -> Picture:
    """Draw the pairs at both ends, shrunk, with raw values and intervals.

    Parameters
    ----------
    pairs : DataFrame
        As `outcome_pairs.pair_table` gives them.
    by : {"lift", "interaction"}
        The question.
    top : int
        How many at each end.
    """
    own = leading_pairs(pairs, by=by, top=top)
    shown = pd.DataFrame(
        {
            "label": own["first"] + " + " + own["second"],
            "rate": own[f"shrunk_{by}"],
            "low": own[f"shrunk_{by}_low"],
            "high": own[f"shrunk_{by}_high"],
            "raw": own[by],
            "n": own["n"],
            "badge": own[f"{by}_badge"] != "",
        }
    )
    more = "than their parts say" if by == "interaction" else "often than others"
    better, worse, tested = survivors(pairs, by=by)
    figure, (ax,) = canvas(height_in=rows_height_in(len(shown)))
    draw_forest(
        shown, ax=ax, title=f"Pairs that win more, and less, {more}", reference=0.0, reference_label="no difference",
        unit=f"{by} of the win rate, percentage points", difference=True,
    )  # fmt: skip
    caption = (
        f"Dots: shrunk {by} with 95 % interval; ticks: raw. The {len(own)} at the ends of {len(pairs):,} pairs, no "
        f"name more than twice at an end; {better + worse:,} of {tested:,} tested survive a false-discovery rate "
        "of 10 %."
    )
    return picture(figure, caption=caption)


def heads_picture(alone: pd.DataFrame, pairs: pd.DataFrame) -> Picture:
    """Draw heads against heads: the shrunk lift where both agreed, and how many candidates that were.

    Parameters
    ----------
    alone, pairs : DataFrame
        As `outcome_candidates.singles_of` and `pairs_of` give them for heads.
    """
    names = [f"{letter} {HEADS.get(letter, '')}".strip() for letter in alone["name"]]
    place = {letter: i for i, letter in enumerate(alone["name"])}
    lift = np.diag(alone["shrunk_lift"].to_numpy(dtype=float))
    n = np.diag(alone["n"].to_numpy(dtype=float))
    marked = np.zeros(lift.shape, dtype=bool)
    for first, second, value, count, badge in zip(
        pairs["first"], pairs["second"], pairs["shrunk_lift"], pairs["n"], pairs["lift_badge"], strict=True
    ):
        for a, b in ((place[first], place[second]), (place[second], place[first])):
            lift[a, b], n[a, b], marked[a, b] = value, count, badge != ""
    figure, (ax,) = canvas(height_in=5.2)
    draw_pair_matrix(
        pd.DataFrame(lift, index=names, columns=alone["name"].tolist()), n=n, marked=marked, ax=ax,
        title="Where two heads agreed: win rate over the other candidates",
    )  # fmt: skip
    better, worse, tested = survivors(pairs, by="lift")
    caption = (
        "Lift of the win rate in percentage points after shrinking, over candidates of the same symbol, timeframe and "
        "side, out of sample; below it n in thousands. On the diagonal: the head itself. Bold: survives a "
        f"false-discovery rate of 10 % ({better + worse} of {tested} pairs tested)."
    )
    return picture(figure, caption=caption)
