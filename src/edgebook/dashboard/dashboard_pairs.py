"""Pairs of indicators that agreed with a signal: those that the outcome report lists, with what their signals made.

Which pairs are listed is decided on all candidates, traded or not (`outcome_candidates`); their cells hold signals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.analyses.outcome_candidates import by_indicator, pairs_of
from edgebook.analyses.outcome_pairs import leading_pairs
from edgebook.statistics.cells import cell_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgebook.dashboard.dashboard_dimensions import Signals
    from edgebook.seals.week import Week

KEY = "indicator_pair"
TITLE = "Indicators that agreed, two together"
TOP = 8
"""Pairs at each end of the outcome report's tables, by lift and by interaction."""


def report_pairs(week: Week) -> list[tuple[str, str]]:
    """Pairs of indicators that the outcome report lists, by lift and by interaction, best first.

    Parameters
    ----------
    week : Week
    """
    found = pairs_of(by_indicator(week))
    listed = pd.concat([leading_pairs(found, by=by, top=TOP) for by in ("lift", "interaction")])
    return list(dict.fromkeys(zip(listed["first"].astype(str), listed["second"].astype(str), strict=True)))


def pairs_dimension(signals: Signals, pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Pairs as a dimension of the document: members says which two indicators each is.

    Parameters
    ----------
    signals : Signals
    pairs : sequence of (str, str)
    """
    place = {name: i for i, name in enumerate(signals.values["indicator"])}
    return {
        "key": KEY,
        "title": TITLE,
        "values": [f"{first} + {second}" for first, second in pairs],
        "members": [[place[first], place[second]] for first, second in pairs],
    }


def pair_cells(signals: Signals, pairs: Sequence[tuple[str, str]]) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Cells of the closed signals with which both of a pair agreed, shrunk toward all signals.

    Parameters
    ----------
    signals : Signals
    pairs : sequence of (str, str)

    Returns
    -------
    cells : DataFrame
        As `cells.cell_table` gives them, `indicator_pair` the number of the pair; none of a pair without a signal.
    both : ndarray of bool, shape (closed signals, pairs)
    """
    members = np.array(pairs_dimension(signals, pairs)["members"], dtype=np.int64).reshape(-1, 2)
    agreed = signals.indicators[: signals.closed]
    both = agreed[:, members[:, 0]] & agreed[:, members[:, 1]]
    trade, pair = np.nonzero(both)
    closed = signals.rows.iloc[: signals.closed][["open_date", "profit_ratio", "r_multiple"]]
    found = cell_table(closed, groupings=[[KEY]], members=pd.DataFrame({"trade": trade, KEY: pair}))
    return found, both
