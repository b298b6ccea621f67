"""A desk's own columns at the newest bars, as a live system hands them over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.files.tables import KEY
from edgebook.outcomes.desk_columns import joined_columns
from edgebook.outcomes.recorded_columns import given_columns
from edgebook.policy.market_tags import PATTERN_BARS
from edgebook.policy.plan_outcomes import REGIMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edgebook.outcomes.desk_columns import DeskColumns
    from edgebook.policy.market import Market
    from edgebook.running.live_bars import Key, Window
    from edgebook.settings.desk_section import Desk


def newest_columns(
    columns: pd.DataFrame,
    *,
    windows: Mapping[Key, Window],
    asked: Iterable[Key],
    desk: Desk,
    units: Mapping[str, float],
) -> tuple[DeskColumns, dict[Key, int]]:
    """A desk's columns at the last bars of some series, and the row of the newest of each.

    Parameters
    ----------
    columns : DataFrame
        See `recorded_columns.given_columns`.
    windows : mapping of (pair, timeframe) to Window
        Last bars of each series.
    asked : iterable of (pair, timeframe)
    desk : Desk
    units : mapping of str to float
        Of the columns in the files.

    Returns
    -------
    found : DeskColumns
        What counts at a bar is what the tables will say of it: what was known after its close does not.
    rows : dict of (pair, timeframe) to int

    Raises
    ------
    DataError
        A column of the key is missing, or a value is none of its column.
    """
    # As far back as a value or a pattern reaches, and a bar more: the first one of a series has no bar before it.
    reach = max(desk.carry_bars + 1, PATTERN_BARS) + 1
    closes = [(*key, one) for key in asked for one in windows[key].closed_ms[-reach:]]
    bars = pd.DataFrame(closes, columns=KEY).assign(date=lambda t: pd.to_datetime(t["date"], unit="ms", utc=True))
    bars = bars.sort_values(KEY, ignore_index=True)
    rows = {key: row for row, key in enumerate(zip(bars["pair"], bars["timeframe"], strict=True))}  # the last stays
    return joined_columns(bars, desk, given_columns(columns, desk, units=units)), rows


def with_newest(market: Market, found: DeskColumns, *, rows: Mapping[Key, int]) -> Market:
    """The newest bars with a desk's numbers and regimes; its patterns are tags of the market already.

    Parameters
    ----------
    market : Market
        As `live_bars.newest_market` gives it.
    found : DeskColumns
    rows : mapping of (pair, timeframe) to int
        Both as `newest_columns` gives them.
    """
    row = np.array(
        [rows[market.pairs[p], market.timeframes[t]] for p, t in zip(market.pair, market.timeframe, strict=True)]
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
