"""Which two things that agree with a side win together, and whether they win more than their parts say.

Two questions, two families of tests. The *lift* of a pair asks whether candidates with which both agree win more often
than others: where a part wins, its pairs do. The *interaction* asks for more than that: the win rate where both agree,
less what the candidates with one of them alone let expect.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.analyses.outcome_lifts import Closed, Effects, badges, contrast, raw_rates, shrink_effects
from edgebook.statistics.cells import BETTER, DECIMALS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MIN_CANDIDATES = 100
"""A pair is tested when both agree on so many candidates, each without the other does, and neither does."""
LIFT, INTERACTION = "lift", "interaction"


def pair_table(closed: Closed, agrees: NDArray[np.bool_], *, names: Sequence[str]) -> pd.DataFrame:
    """Lift and interaction of every pair.

    Parameters
    ----------
    closed : Closed
        All candidates that have closed, traded or not.
    agrees : ndarray of bool, shape (n, names)
        Whether an indicator's vote, or a head's evidence, was on the candidate's side.
    names : sequence of str

    Returns
    -------
    DataFrame
        One row a pair, in the order of the names: first, second; n (candidates with which both agree) with
        n_effective, win_rate with its interval, mean_r; lift over the candidates of the same symbol, timeframe and
        side, and shrunk_lift, each with `_low` and `_high`; expected_win_rate (what the parts say), interaction (what
        comes on top) and shrunk_interaction, with theirs; for both questions `_q_value` over all pairs of the table
        (NaN where not tested) and `_badge`.

    Notes
    -----
    With y the result less the mean of its stratum and m the mean of y where both (11), one (10, 01) or neither (00)
    agrees, ``lift = m11`` less the mean of all, and ``interaction = m11 - m10 - m01 + m00``. Everything follows from
    the weekly sums ``X'X`` and ``X' diag(y) X`` of the agreement matrix X. Shrinking: a part's lift toward 0, a pair's
    toward the mean of its parts', an interaction toward 0 (`outcome_lifts.shrink_effects`). Simulated in
    tests/test_outcome_pairs.py, the table of two by two against a plain loop.
    """
    single, lifts, interactions, n = _effects(closed, agrees)
    count = len(names)
    first, second = np.triu_indices(count, k=1)
    part = shrink_effects(single, toward=np.zeros(count), toward_error2=np.zeros(count), independent=count)
    lift = shrink_effects(
        lifts,
        toward=(part.value[first] + part.value[second]) / 2,
        toward_error2=(part.error2[first] + part.error2[second]) / 4,
        independent=count,
    )
    zero = np.zeros(len(first))
    joint = shrink_effects(interactions, toward=zero, toward_error2=zero, independent=count)
    wins = _both(agrees, closed.won.astype(np.float64))[first, second]
    r_sum = _both(agrees, closed.r_multiple)[first, second]
    raw = raw_rates(closed, n=n, wins=wins, r_sum=r_sum, error=lifts.error)
    found = pd.DataFrame(
        {"first": np.array(names, dtype=object)[first], "second": np.array(names, dtype=object)[second]}
        | raw
        | lifts.bands(LIFT)
        | lift.bands("shrunk_lift")
        | {"lift_q_value": lifts.q_value, "lift_badge": badges(lifts.value, q_value=lifts.q_value)}
        | {"expected_win_rate": raw["win_rate"] - interactions.value}
        | interactions.bands(INTERACTION)
        | joint.bands("shrunk_interaction")
        | {"interaction_q_value": interactions.q_value}
        | {"interaction_badge": badges(interactions.value, q_value=interactions.q_value)}
    )
    return found.round(DECIMALS).astype({"n": int})


def single_table(closed: Closed, agrees: NDArray[np.bool_], *, names: Sequence[str]) -> pd.DataFrame:
    """Lift of each part alone, as `pair_table` has it for two.

    Parameters
    ----------
    closed, agrees, names
        As there.

    Returns
    -------
    DataFrame
        One row a name: name, n, n_effective, win_rate with its interval, mean_r, lift and shrunk_lift with theirs.
    """
    single, *_ = _effects(closed, agrees)
    part = shrink_effects(
        single, toward=np.zeros(len(names)), toward_error2=np.zeros(len(names)), independent=len(names)
    )
    of_each = agrees.astype(np.float64)
    raw = raw_rates(
        closed,
        n=of_each.sum(axis=0),
        wins=closed.won @ of_each,
        r_sum=closed.r_multiple @ of_each,
        error=single.error,
    )
    found = pd.DataFrame({"name": list(names)} | raw | single.bands(LIFT) | part.bands("shrunk_lift"))
    return found.round(DECIMALS).astype({"n": int})


def leading_pairs(pairs: pd.DataFrame, *, by: str, top: int, each: int = 2) -> pd.DataFrame:
    """Pairs at both ends after shrinking, none of the parts more often than a few times.

    Parameters
    ----------
    pairs : DataFrame
        As `pair_table` gives them.
    by : {"lift", "interaction"}
        What is ranked.
    top : int
        How many at each end; those tested only.
    each : int
        How often one name may appear at an end: twins would fill it.

    Returns
    -------
    DataFrame
        Best first, index from 0.
    """
    ranked = pairs[pairs[f"{by}_q_value"].notna()].sort_values(
        [f"shrunk_{by}", by, "first", "second"], ascending=[False, False, True, True]
    )
    best = _thinned(ranked, top=top, each=each)
    worst = _thinned(ranked.drop(best.index)[::-1], top=top, each=each)
    return pd.concat([best, worst[::-1]], ignore_index=True)


def _thinned(ranked: pd.DataFrame, *, top: int, each: int) -> pd.DataFrame:
    """Return the first rows in which no name comes too often."""
    seen: dict[str, int] = {}
    chosen: list[int] = []
    for row, first, second in zip(ranked.index, ranked["first"], ranked["second"], strict=True):
        if len(chosen) == top:
            break
        if max(seen.get(first, 0), seen.get(second, 0)) < each:
            chosen.append(row)
            seen[first], seen[second] = seen.get(first, 0) + 1, seen.get(second, 0) + 1
    return ranked.loc[chosen]


def survivors(pairs: pd.DataFrame, *, by: str) -> tuple[int, int, int]:
    """Pairs that do better and worse at a false-discovery rate of 10 %, and pairs tested."""
    badge = pairs[f"{by}_badge"]
    better = int((badge == BETTER).sum())
    return better, int((badge != "").sum()) - better, int(pairs[f"{by}_q_value"].notna().sum())


def _both(agrees: NDArray[np.bool_], values: Floats) -> Floats:
    """Sum of the values over the candidates with which both of two agree, shape (names, names)."""
    total = np.zeros((agrees.shape[1],) * 2)
    for begin in range(0, len(agrees), 4096):
        part = agrees[begin : begin + 4096].astype(np.float64)
        total += part.T @ (part * values[begin : begin + 4096, None])
    return total


def _effects(closed: Closed, agrees: NDArray[np.bool_]) -> tuple[Effects, Effects, Effects, Floats]:
    """Lift of each part, lift and interaction of each pair, and candidates with which both agree."""
    order = np.argsort(closed.week, kind="stable")
    starts = np.unique(closed.week[order], return_index=True)[1]
    agrees, rest = agrees[order], closed.rest[order]
    parts = [slice(a, b) for a, b in pairwise([*starts.tolist(), len(order)])]
    square = (-1, agrees.shape[1], agrees.shape[1])
    size = np.array([_both(agrees[part], np.ones(len(rest[part]))) for part in parts]).reshape(square)
    result = np.array([_both(agrees[part], rest[part]) for part in parts]).reshape(square)
    n = np.array([len(rest[part]) for part in parts], dtype=np.float64)[:, None]
    total = np.array([rest[part].sum() for part in parts])[:, None]
    one, one_result = np.einsum("wii->wi", size), np.einsum("wii->wi", result)
    first, second = np.triu_indices(agrees.shape[1], k=1)

    def cells(whole: Floats, single: Floats, pair: Floats) -> tuple[Floats, ...]:
        both = pair[:, first, second]
        alone, other = single[:, first] - both, single[:, second] - both
        return both, alone, other, whole - alone - other - both

    table = list(zip(cells(n, one, size), cells(total, one_result, result), strict=True))
    everything = (n, total)
    single_lift = contrast(closed, [(one, one_result), everything], signs=(1, -1), min_candidates=MIN_CANDIDATES)
    lift = contrast(closed, [table[0], everything], signs=(1, -1), min_candidates=MIN_CANDIDATES)
    joint = contrast(closed, table, signs=(1, -1, -1, 1), min_candidates=MIN_CANDIDATES)
    return single_lift, lift, joint, table[0][0].sum(axis=0)
