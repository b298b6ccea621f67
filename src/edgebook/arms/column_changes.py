"""A history whose columns change: a desk's indicator that is new, or no longer declared, in what an arm has learned."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.indicators import head_of, is_desk
from edgebook.policy.indicator_weights import as_text, from_text
from edgebook.policy.loaded_plans import newest_read
from edgebook.policy.market import milliseconds
from edgebook.policy.stacking import StackRecord
from edgebook.policy.vote_strategies import VoteRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from edgebook.policy.market import Market
    from edgebook.policy.record import Record

PATTERNS, REGIMES = "patterns", "regimes"


def inputs_read(market: Market, *, as_of: str) -> dict[str, Any]:
    """What a week read of the desk, for its seal; nothing where there is nothing of the desk's.

    Parameters
    ----------
    market : Market
    as_of : str

    Returns
    -------
    dict
        `recorded`: the newest snapshot of outcomes. `desk`: columns of numbers by their names in our tables, then
        "patterns" and "regimes" where there are some.
    """
    found = [name for name in market.indicators if is_desk(name)]
    theirs = [code for code, name in enumerate(market.tag_names) if name.startswith("desk_")]
    if theirs and np.isin(market.tag[market.date <= milliseconds(as_of)], theirs).any():
        found.append(PATTERNS)
    if "desk" in market.regimes:
        found.append(REGIMES)
    return newest_read(market.snapshots, as_of=as_of) | ({"desk": found} if found else {})


def with_columns(record: Record, names: Sequence[str]) -> Record:
    """A record whose indicators are those of a market: what is new has said nothing yet.

    Parameters
    ----------
    record : Record
    names : sequence of str
        All that the record knows, and more; in the order of the market.
    """
    if tuple(names) == record.names:
        return record
    at = np.array([names.index(name) for name in record.names], np.int64)
    votes = VoteRecord.empty(len(names))
    votes.counts[:, :, at], votes.steps[:, at] = record.indicators.counts, record.indicators.steps
    stack, more = record.indicator_stack, [name for name in names if name not in record.names]
    grown = StackRecord.empty(
        {head: (*own, *(name for name in more if head_of(name) == head)) for head, own in stack.groups.items()}
    )
    for head, own in stack.groups.items():
        grown.gram[head][: len(own), : len(own)] = stack.gram[head]
        grown.cross[head][: len(own)] = stack.cross[head]
    return replace(record, indicators=votes, indicator_stack=grown, names=tuple(names))


def pending_columns(pending: pd.DataFrame, *, before: Sequence[str], names: Sequence[str]) -> pd.DataFrame:
    """Scores that wait for their outcomes, each indicator's share in the place that it has now.

    Parameters
    ----------
    pending : DataFrame
        Under `pending.PENDING_COLUMNS`.
    before, names : sequence of str
        Indicators when it was written, and now.
    """
    if tuple(before) == tuple(names) or pending.empty:
        return pending
    told = from_text(pending["shares"].tolist(), indicators=len(before))
    shares = np.zeros((len(pending), len(names)))
    shares[:, [names.index(name) for name in before]] = told
    return pending.assign(shares=as_text(shares))
