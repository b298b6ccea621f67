"""A desk's outcomes in an audit: what had been told of them by a time, on the way to the tables and in them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.files import tables
from edgebook.outcomes.outcomes import as_known
from edgebook.outcomes.recorded_versions import Facts, find_facts
from edgebook.policy.loaded_plans import has_recorded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.paths import Paths
    from edgebook.policy.market import Market
    from edgebook.settings.params import Params

_SERIES = ["pair", "timeframe"]
_OF_THE_PATH = ("bars_held", "mae", "mfe")


def facts_told(
    rows: pd.DataFrame,
    candidates: Mapping[str, pd.DataFrame],
    *,
    bars: pd.DataFrame,
    params: Params,
    at: pd.Timestamp | None,
) -> Facts:
    """Join to the candidates what a desk had told by a time.

    Parameters
    ----------
    rows : DataFrame
        As `recorded.read_recorded` gives them.
    candidates : mapping of str to DataFrame
        The engine's table of each exit plan.
    bars : DataFrame
        The canonical bars.
    params : Params
    at : Timestamp, optional
        UTC; by default all that the rows tell.

    Notes
    -----
    Snapshots after `at` are not read, except the first, which brings the past: what became known after `at` is open in
    it. It is joined as it stands, before that: the desk knew from the entry which plan a trade was on, and we may have
    to tell it by how the trade ended.
    """
    if at is not None:
        rows = rows[rows["before"].isna() | (rows["snapshot"] <= at)].reset_index(drop=True)
    fee = params.candidates.fee_bps / 1e4
    facts = find_facts(rows, candidates, bars=bars, settings=params.outcomes, fee=fee)
    if at is None:
        return facts
    joined = facts.joined.rows
    ahead = (joined["status"] == "closed") & (joined["known_at"] > at)
    told = joined.assign(status=joined["status"].mask(ahead, "open"))
    return replace(facts, joined=replace(facts.joined, rows=told))


def in_force(paths: Paths, *, at: pd.Timestamp, into: Paths) -> Paths:
    """Tables whose recorded outcomes are those that were in force at a time; nothing else is cut.

    Parameters
    ----------
    paths : Paths
    at : Timestamp
        UTC.
    into : Paths
        A folder that is not there yet: outcomes, and links to the other tables.

    Returns
    -------
    Paths
        `paths` itself where nothing is recorded.

    Notes
    -----
    A desk may be in and out of a trade before the bar of its entry has closed. There is no such candidate yet, and its
    outcome is left out.
    """
    places = sorted(paths.outcomes.glob("*.parquet"))
    if not any(has_recorded(place) for place in places):
        return paths
    for name in ("bars", "indicators", "votes", "patterns", "regimes", "candidates"):
        link, there = getattr(into, name), getattr(paths, name)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(there.resolve(), target_is_directory=there.is_dir())
    newest = newest_bars(tables.read(paths.bars, columns=tables.KEY), at=at)
    for place in places:
        frame = tables.read(place)
        if "revised_at" in frame.columns:
            early = (frame["source"] == "recorded") & (frame["known_at"] <= at) & ~has_entered(frame, newest)
            frame = frame[~(frame["revised_at"] > at) & ~early].reset_index(drop=True)
        tables.write(frame, into.outcomes / place.name)
    return into


def comparable(outcomes: pd.DataFrame, newest: pd.Series[Any]) -> pd.DataFrame:
    """One row a candidate, without what the bars say of a trade that the desk closed in a bar that is still open.

    Parameters
    ----------
    outcomes : DataFrame
        A table of outcomes; the table itself is the answer where nothing is recorded.
    newest : Series
        As `newest_bars` gives it.
    """
    known = as_known(outcomes)
    within = (known["source"] == "recorded").to_numpy() & (pd.DatetimeIndex(known["close_date"]) > _last(known, newest))
    if not within.any():
        return known
    return known.assign(**{name: known[name].mask(within, 0) for name in _OF_THE_PATH})


def newest_bars(bars: pd.DataFrame, *, at: pd.Timestamp) -> pd.Series[Any]:
    """Close of the last bar of each pair and timeframe up to a time, UTC."""
    known: pd.Series[Any] = bars[bars["date"] <= at].groupby(_SERIES)["date"].max()
    return known


def has_entered(candidates: pd.DataFrame, newest: pd.Series[Any]) -> pd.Series[bool]:
    """Whether the entry bar of each candidate, the one after the decision, had closed."""
    return pd.Series(pd.DatetimeIndex(candidates["date"]) < _last(candidates, newest), index=candidates.index)


def as_taught(market: Market, head: Mapping[str, Any]) -> Market:
    """A market as a sealed week learned from it, by its ``seal.json``: up to which snapshot, or from no desk at all."""
    if "recorded" in head:
        return replace(market, snapshots=(head["recorded"],))
    return market if market.engine is None else replace(market, plans=market.engine, engine=None, snapshots=())


def _last(rows: pd.DataFrame, newest: pd.Series[Any]) -> pd.DatetimeIndex:
    """Close of the last bar of the series of each row."""
    return pd.DatetimeIndex(newest.reindex(pd.MultiIndex.from_frame(rows[_SERIES])).array)
