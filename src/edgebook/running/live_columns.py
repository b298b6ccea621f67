"""A desk's own columns at the newest bars, as a live system hands them over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.files.tables import KEY
from edgebook.outcomes.desk_columns import joined_columns
from edgebook.outcomes.recorded_columns import given_columns
from edgebook.policy.plan_outcomes import REGIMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.policy.market import Market
    from edgebook.running.live_bars import Key, Window
    from edgebook.settings.desk_section import Desk


def with_newest(
    market: Market, columns: pd.DataFrame, *, windows: Mapping[Key, Window], desk: Desk, units: Mapping[str, float]
) -> Market:
    """The newest bars with a desk's numbers and regimes.

    Parameters
    ----------
    market : Market
        As `live_bars.newest_market` gives it.
    columns : DataFrame
        See `recorded_columns.given_columns`.
    windows : mapping of (pair, timeframe) to Window
        Last bars of each series.
    desk : Desk
    units : mapping of str to float
        Of the columns in the files.

    Returns
    -------
    Market
        What counts at a bar is what the tables will say of it: what was known after its close does not. A pattern of
        the desk's tags no newest bar.

    Raises
    ------
    DataError
        A column of the key is missing, or a value is none of its column.
    """
    closes = [
        (market.pairs[pair], market.timeframes[timeframe], one)
        for pair, timeframe in zip(market.pair, market.timeframe, strict=True)
        for one in windows[market.pairs[pair], market.timeframes[timeframe]].closed_ms[-(desk.carry_bars + 2) :]
    ]
    bars = pd.DataFrame(closes, columns=KEY).assign(date=lambda t: pd.to_datetime(t["date"], unit="ms", utc=True))
    bars = bars.sort_values(KEY, ignore_index=True)
    found = joined_columns(bars, desk, given_columns(columns, desk, units=units))
    last = {key: rows[-1] for key, rows in bars.groupby(["pair", "timeframe"]).indices.items()}
    row = np.array(
        [last[market.pairs[p], market.timeframes[t]] for p, t in zip(market.pair, market.timeframe, strict=True)]
    )
    regimes = dict(market.regimes)
    if found.regimes is not None and "desk" in regimes:
        said = np.array([REGIMES.index(label) if label else -1 for label in found.regimes[row]])
        regimes["desk"] = np.where(said >= 0, said, regimes["desk"]).astype(np.int8)
    names = tuple(found.values)
    if not names:
        return replace(market, regimes=regimes)
    return replace(
        market,
        indicators=(*market.indicators, *names),
        values=np.column_stack([market.values, *(found.values[name][row] for name in names)]).astype(np.float32),
        votes=np.column_stack([market.votes, *(found.votes[name][row] for name in names)]).astype(np.int8),
        regimes=regimes,
    )
