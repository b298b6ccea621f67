"""The newest tables there are: those of the last daily run where it is newer than the seal, else those of the seal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgebook.arms.book import Book
from edgebook.files import tables
from edgebook.loop.routing import PAIRED
from edgebook.policy.market import Market, load_market, milliseconds
from edgebook.running.daily import days_done, read_day
from edgebook.running.day_fold import midnight
from edgebook.running.live import (
    last_sealed,
    newest_ranges,
    newest_rows,
    newest_signals,
    open_positions,
    policies_in_force,
    routed,
)

if TYPE_CHECKING:
    import pandas as pd

    from edgebook.paths import Paths
    from edgebook.seals.week import Week
    from edgebook.settings.params import Params


@dataclass(frozen=True)
class Snapshot:
    """Tables and account as last known.

    Parameters
    ----------
    week : Week
        The last that is sealed.
    market : Market
    bars : DataFrame
    account : Book
    as_of : str
        Up to when the bars are known, a midnight UTC.
    """

    week: Week
    market: Market
    bars: pd.DataFrame
    account: Book
    as_of: str

    @property
    def of_daily_run(self) -> bool:
        """A daily run came after the seal."""
        return self.as_of > self.week.as_of

    @property
    def told(self) -> str:
        """Up to when, and by which run, in words."""
        if not self.of_daily_run:
            return f"bars up to {self.as_of}, the last seal"
        return f"bars up to {self.as_of}, of the daily run; the last seal is {self.week.as_of}"


def newest_tables(params: Params, paths: Paths) -> Snapshot:
    """Tables of the last daily run since the seal, or of the seal.

    Parameters
    ----------
    params : Params
    paths : Paths

    Raises
    ------
    SealError
        The history has no seal.
    """
    week = last_sealed(params, paths)
    root = paths.daily(week.history)
    done = days_done(paths, week.seal) if root.bars.exists() else []
    day = read_day(paths.day(history=week.history, date=done[-1])) if done else None
    if day is None:
        return Snapshot(week, week.arrays, week.bars, week.seal.account, week.as_of)
    market = load_market(root, as_of=done[-1])
    return Snapshot(week, market, tables.read(root.bars), Book.from_json(day["account"]), done[-1])


def signals_now(params: Params, paths: Paths) -> tuple[Snapshot, list[dict[str, Any]]]:
    """What the policy in force says of the newest bars, each signal routed to its arm.

    Parameters
    ----------
    params : Params
    paths : Paths

    Returns
    -------
    Snapshot
        The tables that were read.
    list of dict
        As `live.newest_signals`, with `act` and `ab_test_version` of `live.routed`.
    """
    now = newest_tables(params, paths)
    champion, challenger = policies_in_force(now.week, pins=params.learning.pins)
    if params.ab_test.routing == PAIRED:
        challenger = None
    atr = newest_ranges(now.bars, now.market, atr_bars=params.candidates.atr_bars)
    said = [
        newest_signals(
            policy,
            now.market,
            rows=newest_rows(now.market),
            atr=atr,
            sizing=params.sizing,
            equity=now.account.equity,
        )
        for policy in (champion, challenger)
        if policy is not None
    ]
    return now, routed(said[0], said[1] if challenger is not None else None, ab_test=params.ab_test)


def positions_now(params: Params, paths: Paths) -> tuple[Snapshot, list[dict[str, Any]]]:
    """What is open in the account, marked at the last close.

    Parameters
    ----------
    params : Params
    paths : Paths
    """
    now = newest_tables(params, paths)
    moment = midnight(now.as_of) if now.of_daily_run else milliseconds(now.week.as_of)
    return now, open_positions(now.account, now.market, at=moment)
