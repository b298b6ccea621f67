"""Bars of the pairs that belong to the market, while they do."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import pandas as pd

from edgebook.errors import DataError
from edgebook.settings.timeframes import TIMEFRAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.settings.universe import Spell


def members_only(
    series: Sequence[pd.DataFrame], universe: Mapping[str, Sequence[Spell]], *, source: str
) -> list[pd.DataFrame]:
    """Bars of members, while they are members.

    Parameters
    ----------
    series : sequence of DataFrame
        One table a pair and timeframe, not empty, by date.
    universe : mapping of str to sequence of Spell
        A pair that is not named is no member.
    source : str
        For messages.

    Returns
    -------
    list of DataFrame
        Those that have any bar left.

    Raises
    ------
    DataError
        The source has no such pair, or no bar of any member.
    """
    there = sorted({str(bars["pair"].iloc[0]) for bars in series})
    for pair in universe:
        if pair not in there:
            near = difflib.get_close_matches(pair, there, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(there[:8])}"
            raise DataError(f"bars.universe: {source} has no pair {pair!r}; {hint}")
    kept = []
    for bars in series:
        opened = bars["date"] - pd.Timedelta(minutes=TIMEFRAMES[str(bars["timeframe"].iloc[0])])
        inside = pd.Series(False, index=bars.index)
        for spell in universe.get(str(bars["pair"].iloc[0]), ()):
            here = pd.Series(True, index=bars.index)
            if spell.since is not None:
                here &= opened >= pd.Timestamp(spell.since, tz="UTC")
            if spell.until is not None:
                here &= bars["date"] <= pd.Timestamp(spell.until, tz="UTC")
            inside |= here
        if inside.any():
            kept.append(bars[inside].reset_index(drop=True))
    if not kept:
        raise DataError(f"bars.universe: no pair of {source} has a bar while it is a member; correct the dates")
    return kept
