"""Nested groups of all closed candidates: pattern by regime, timeframe and symbol; sets of heads that agreed.

`cells` does this for the trades of the ledger, few and far between. Candidates overlap by the thousand: on markets
without an edge its pooled design effect gave twice as many p-values under 5 % as it should, so that each group here has
an error of its own, from its sums by week.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.analyses.outcome_lifts import Closed, badges, contrast, raw_rates, shrink_effects
from edgebook.errors import DataError
from edgebook.statistics.cells import DECIMALS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MIN_CANDIDATES = 30
"""A group is tested when it has so many candidates, and the rest of the group it lies in has."""


def group_table(closed: Closed, labels: pd.DataFrame, *, groupings: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Shrunk lift of each group of the finest grouping, and whether it differs from the group it lies in.

    Parameters
    ----------
    closed : Closed
        All candidates that have closed, traded or not.
    labels : DataFrame
        Row-aligned with them: the columns of `groupings`.
    groupings : sequence of sequences of str
        Coarse to fine, each containing the one before; all candidates are the top.

    Returns
    -------
    DataFrame
        One row a group, sorted by its columns; n, n_effective, win_rate with its interval, mean_r; lift over the
        candidates of the same symbol, timeframe and side, and shrunk_lift (toward the group that it lies in), each
        with `_low` and `_high`; q_value (that the group does not differ from the rest of the one it lies in, over all
        rows; NaN where not tested) and badge.

    Raises
    ------
    DataError
        A grouping does not contain the one before it.

    Notes
    -----
    Errors by week clusters of each group (`outcome_lifts.contrast`). Simulated in tests/test_outcome_pairs.py: without
    an edge p-values under 5 % come 5 to 6 % of the time.
    """
    for coarse, fine in itertools.pairwise(groupings):
        if not set(coarse) <= set(fine):
            raise DataError(f"group_table: grouping {list(fine)} does not contain {list(coarse)}; nest them")
    keys = list(groupings[-1])
    week = np.unique(closed.week, return_inverse=True)[1]
    everything = _sums(closed, np.zeros(len(week), dtype=np.int64), week)
    member, inside = np.zeros(len(week), dtype=np.int64), everything
    value, error2 = np.zeros(1), np.zeros(1)
    for columns in groupings:
        above, outside = member, inside
        member = np.asarray(labels.groupby(list(columns), sort=True).ngroup(), dtype=np.int64)
        inside = _sums(closed, member, week)
        up = np.zeros(inside[0].shape[1], dtype=np.int64)
        up[member] = above
        others = outside[0][:, up] - inside[0], outside[1][:, up] - inside[1]
        lift = contrast(closed, [inside, everything], signs=(1, -1), min_candidates=MIN_CANDIDATES)
        apart = contrast(closed, [inside, others], signs=(1, -1), min_candidates=MIN_CANDIDATES)
        shrunk = shrink_effects(lift, toward=value[up], toward_error2=error2[up], independent=len(up))
        value, error2 = shrunk.value, shrunk.error2
    raw = raw_rates(
        closed,
        n=inside[0].sum(axis=0),
        wins=np.bincount(member, weights=closed.won).astype(np.float64),
        r_sum=np.bincount(member, weights=closed.r_multiple).astype(np.float64),
        error=lift.error,
    )
    names = labels[keys].groupby(keys, sort=True).first().index.to_frame(index=False)
    numbers = pd.DataFrame(raw | lift.bands("lift") | shrunk.bands("shrunk_lift") | {"q_value": apart.q_value})
    found = pd.concat([names, numbers.round(DECIMALS).astype({"n": int})], axis=1)
    return found.assign(tested=found["q_value"].notna(), badge=badges(apart.value, q_value=apart.q_value))


def _sums(closed: Closed, member: NDArray[np.int64], week: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Candidates of each group by week, and the sum of their results; shape (weeks, groups)."""
    shape = int(week.max(initial=-1)) + 1, int(member.max(initial=-1)) + 1
    place = week * shape[1] + member
    size = np.bincount(place, minlength=shape[0] * shape[1]).astype(np.float64)
    total = np.bincount(place, weights=closed.rest, minlength=size.size).astype(np.float64)
    return size.reshape(shape), total.reshape(shape)
