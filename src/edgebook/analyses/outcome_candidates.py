"""Every candidate that has closed, traded or not, and what agreed with it: indicators by vote, heads by evidence.

What the ledger holds was chosen by the policy. Which combinations win is asked of all candidates, which were labelled
whether or not anybody would have traded them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.analyses.outcome_groups import group_table
from edgebook.analyses.outcome_lifts import Closed
from edgebook.analyses.outcome_pairs import pair_table, single_table
from edgebook.policy.market import DAY_MS, REGIMES, milliseconds
from edgebook.policy.policy import score
from edgebook.policy.record import AWAKE
from edgebook.policy.signals import week_rows
from edgebook.settings.recipes import HEAD_LETTERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgebook.policy.market import Market
    from edgebook.seals.week import Week

_FIRST_MONDAY_DAY = 4  # 1970-01-05, in days since 1970-01-01


@dataclass(frozen=True)
class Candidates:
    """Closed candidates with what agreed with their side, row by row.

    Parameters
    ----------
    closed : Closed
    names : tuple of str
        Indicators, or letters of heads.
    agrees : ndarray of bool, shape (n, names)
    labels : DataFrame
        pattern (the latest in favour of the side, "none" without one), regime, timeframe, symbol.
    """

    closed: Closed
    names: tuple[str, ...]
    agrees: NDArray[np.bool_]
    labels: pd.DataFrame


def by_indicator(week: Week) -> Candidates:
    """All closed candidates of the champion's exit plan, and the indicators whose textbook vote was on their side.

    Parameters
    ----------
    week : Week
        Every bar of its market counts, those before the first week of the history too: votes are not learned.
    """
    market, until = week.arrays, milliseconds(week.as_of)
    row, side = np.nonzero(closed_candidates(market, plan=week.champion_plan, until=until))
    sign = np.where(side == 1, -1, 1).astype(np.int8)
    closed = _closed(market, row, side, plan=week.champion_plan)
    return Candidates(closed, market.indicators, market.votes[row] * sign[:, None] > 0, _labels(market, row, side))


def by_head(week: Week) -> Candidates:
    """All closed candidates of the history's weeks, and the heads whose evidence was in favour, out of sample.

    Parameters
    ----------
    week : Week
        Each of its weeks is scored by the champion's policy that was in force when it began.

    Notes
    -----
    A head agrees where its calibrated evidence is awake and in favour, as in `heads_agreed` of the ledger.
    """
    market, until = week.arrays, milliseconds(week.as_of)
    rows, sides, results = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], []
    agrees = [np.zeros((0, len(HEAD_LETTERS)), bool)]
    for (begin, end), seal in zip(pairwise(week.weeks), week.seals[:-1], strict=True):
        policy = seal.arms[seal.champion].policy
        own = week_rows(market, since=milliseconds(begin), until=milliseconds(end))
        at, side = np.nonzero(closed_candidates(market, plan=policy.exit_plan, until=until)[own])
        agrees.append(score(policy, market, rows=own).heads[at, :, side] >= AWAKE)
        rows.append(own[at])
        sides.append(side)
        results.append(_closed(market, own[at], side, plan=policy.exit_plan))
    whole = _together(results or [_closed(market, rows[0], sides[0], plan=week.champion_plan)])
    labels = _labels(market, np.concatenate(rows), np.concatenate(sides))
    return Candidates(whole, tuple(HEAD_LETTERS), np.concatenate(agrees), labels)


def pairs_of(found: Candidates) -> pd.DataFrame:
    """Lift and interaction of every pair of things that agreed, as `outcome_pairs.pair_table` gives them."""
    return pair_table(found.closed, found.agrees, names=found.names)


def singles_of(found: Candidates) -> pd.DataFrame:
    """Lift of every thing that agreed, as `outcome_pairs.single_table` gives it."""
    return single_table(found.closed, found.agrees, names=found.names)


def pattern_cells(found: Candidates) -> pd.DataFrame:
    """Pattern by regime, timeframe and symbol, as `outcome_groups.group_table` gives them; no pattern is none."""
    levels = ["pattern", "regime", "timeframe", "symbol"]
    cells = group_table(found.closed, found.labels, groupings=[levels[:1], levels[:2], levels])
    return cells.assign(name=cells[levels].astype(str).agg(" · ".join, axis=1))


def head_set_cells(found: Candidates) -> pd.DataFrame:
    """Sets of heads that agreed, each within those of as many heads, as `outcome_groups.group_table` gives them."""
    cells = group_table(found.closed, head_sets(found), groupings=[["heads"], ["heads", "head_set"]])
    return cells.assign(name=cells["head_set"])


def head_sets(found: Candidates) -> pd.DataFrame:
    """Label each candidate by the heads that agreed with it.

    Parameters
    ----------
    found : Candidates
        As `by_head` gives them.

    Returns
    -------
    DataFrame
        Row-aligned: heads (how many, "3 heads") and head_set (their letters, "ADF"; "none").
    """
    letters = np.array([1 << i for i in range(len(found.names))]) @ found.agrees.T.astype(np.int64)
    names = np.array(
        [
            "".join(name for i, name in enumerate(found.names) if code >> i & 1) or "none"
            for code in range(1 << len(found.names))
        ],
        dtype=object,
    )
    return pd.DataFrame({"heads": head_counts(found.agrees.sum(axis=1)), "head_set": names[letters]})


def head_counts(counts: NDArray[np.int64]) -> NDArray[np.object_]:
    """Say how many heads, in words that sort: "1 head", "2 heads".

    Examples
    --------
    >>> head_counts(np.array([0, 1, 3])).tolist()
    ['0 heads', '1 head', '3 heads']
    """
    words = np.array(
        [f"{count} head{'' if count == 1 else 's'}" for count in range(len(HEAD_LETTERS) + 1)], dtype=object
    )
    return np.asarray(words[counts])


def closed_candidates(market: Market, *, plan: str, until: int) -> NDArray[np.bool_]:
    """Candidates whose outcome is known, where a slow one would be known too.

    Parameters
    ----------
    market : Market
    plan : str
        Name of the exit plan.
    until : int
        Milliseconds UTC.

    Returns
    -------
    ndarray of bool, shape (bars, 2)
        Long, short. The last bars are left out: they would be there for their quick outcomes only.
    """
    known_at = market.plans[plan].known_at
    known = known_at <= until
    held = np.where(known, known_at - market.date[:, None], 0).max(axis=1, initial=0)
    slowest = np.zeros(len(market.timeframes), dtype=np.int64)
    np.maximum.at(slowest, market.timeframe, held)
    early = market.date + slowest[market.timeframe] <= until
    return np.asarray(known & early[:, None])


def _closed(market: Market, row: NDArray[np.int64], side: NDArray[np.int64], *, plan: str) -> Closed:
    """Results of some candidates."""
    outcomes = market.plans[plan]
    series = market.pair[row].astype(np.int64) * len(market.timeframes) + market.timeframe[row]
    return Closed(
        won=outcomes.profit_ratio[row, side] > 0,
        r_multiple=outcomes.r_multiple[row, side],
        week=(market.date[row] // DAY_MS - _FIRST_MONDAY_DAY) // 7,
        stratum=(list(market.plans).index(plan) * len(market.pairs) * len(market.timeframes) + series) * 2 + side,
    )


def _together(parts: Sequence[Closed]) -> Closed:
    """Results of several weeks as one."""
    return Closed(
        won=np.concatenate([part.won for part in parts]),
        r_multiple=np.concatenate([part.r_multiple for part in parts]),
        week=np.concatenate([part.week for part in parts]),
        stratum=np.concatenate([part.stratum for part in parts]),
    )


def _labels(market: Market, row: NDArray[np.int64], side: NDArray[np.int64]) -> pd.DataFrame:
    """Names of the groups that each candidate lies in."""
    named: list[tuple[str, tuple[str, ...], NDArray[np.integer[Any]]]] = [
        ("pattern", market.tag_names, market.tag[row, side]),
        ("regime", REGIMES, market.regime[row]),
        ("timeframe", market.timeframes, market.timeframe[row]),
        ("symbol", market.pairs, market.pair[row]),
    ]
    return pd.DataFrame(
        {name: pd.Categorical.from_codes(codes, categories=pd.Index(words)) for name, words, codes in named}
    )
