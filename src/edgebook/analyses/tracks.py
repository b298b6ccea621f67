"""Strategies that a history can be held against: the account, the frozen first policy, and no learning at all.

A *track* is what one strategy did: its signals and its book, under the same sizing rule and costs. The account and
the arms are read from the seals. "No learning" is run here, through the same functions as an arm: in every family the
textbook votes are averaged, the families weigh the same, and nothing is ever fitted.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.arms.book import Book, trade_week
from edgebook.indicators import family
from edgebook.policy.heads import Head
from edgebook.policy.learned_policy import make_policy
from edgebook.policy.market import milliseconds
from edgebook.policy.policy import Policy
from edgebook.policy.record import Record
from edgebook.policy.signals import find_signals, week_rows
from edgebook.seals.seals import DAY_COLUMNS, LEDGER_COLUMNS
from edgebook.settings.loading import section
from edgebook.settings.params import Sizing
from edgebook.settings.recipes import HEAD_LETTERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.seals.seals import Seal
    from edgebook.seals.week import Week

ACCOUNT, FROZEN, NO_LEARNING = "account", "frozen", "no_learning"


@dataclass(frozen=True)
class Track:
    """What one strategy did over a history.

    Parameters
    ----------
    name, title : str
        Short, and in a few words.
    trades : DataFrame
        Its signals as known at one time, closed and open, under the ledger's columns.
    days : DataFrame
        One row a day on which it ran: date, equity (at the day's end), return_ratio, net.
    """

    name: str
    title: str
    trades: pd.DataFrame = field(repr=False)
    days: pd.DataFrame = field(repr=False)


def frozen_recipe(seals: Sequence[Seal]) -> str | None:
    """Name of the recipe that the first seal registered as baseline and that never refits; None without one.

    The first seal is asked, because a baseline that was pinned has another role since.
    """
    baselines = {name: entry for name, entry in seals[0].recipes.items() if entry["role"] == "baseline"}
    frozen = [name for name, entry in baselines.items() if entry["settings"]["refit_weeks"] == 0]
    return next(iter([*frozen, *baselines]), None)


def strategy_tracks(week: Week, textbook: Sequence[Policy], *, sizing: Mapping[str, Any]) -> dict[str, Track]:
    """Tracks of the account, of the frozen first policy where the history has one, and of no learning.

    Parameters
    ----------
    week : Week
    textbook : sequence of Policy
        As `textbook_policies` gives them.
    sizing : mapping
        Section `sizing` of params.yaml, for the book of no learning.
    """
    found = {ACCOUNT: Track(ACCOUNT, "follows the champion", week.ledger, _days(week, ACCOUNT))}
    frozen = frozen_recipe(week.seals)
    if frozen is not None:
        found[FROZEN] = replace(arm_track(week, frozen), name=FROZEN, title=f"{frozen}, as first fitted")
    found[NO_LEARNING] = _textbook_track(week, textbook, sizing=section(Sizing, sizing, where="params.yaml: sizing"))
    return found


def arm_track(week: Week, name: str) -> Track:
    """Track of one arm's own book, from its admission to its end."""
    shadow = week.shadow
    trades = shadow[shadow["arm"] == name].drop(columns="arm").reset_index(drop=True)
    return Track(name, str(week.seal.recipes[name]["title"]), trades, _days(week, name))


def textbook_policies(week: Week) -> list[Policy]:
    """Policies that never learn, one for each week of the history, as they stood before the week began.

    Parameters
    ----------
    week : Week

    Returns
    -------
    list of Policy
        In the order of ``week.weeks[:-1]``. Exit plan, quantile and number of heads are those of the champion then in
        force, so that only the choice of signals differs. What is high and low is a quantile of the policy's own last
        weeks, as for every uncertified threshold; no outcome is read.
    """
    market = week.arrays
    heads = {letter: _textbook_head(tuple(family(letter))) for letter in HEAD_LETTERS}
    return [
        make_policy(
            heads,
            Record.empty(),
            market,
            recipe=replace(week.recipe(seal.champion), head_weights="equal"),
            name="textbook",
            learned=milliseconds(seal.as_of),
            fitted=seal.as_of,
            alpha=0.0,
        )
        for seal in week.seals[:-1]
    ]


def _textbook_head(indicators: tuple[str, ...]) -> Head:
    """A head whose evidence is the average textbook vote."""
    count = len(indicators)
    vote = np.full(count, np.round(1 / count, 5))
    return Head(
        indicators=indicators,
        mean=np.zeros(count),
        scale=np.ones(count),
        intercept=np.zeros(2),
        value_weights=np.zeros((count, 2)),
        vote_weights=np.column_stack([vote, -vote]),
        base=np.full(2, 0.5),
    )


def _textbook_track(week: Week, policies: Sequence[Policy], *, sizing: Sizing) -> Track:
    """Trade the textbook policies through a book of their own, week by week."""
    market, cost = week.arrays, _cost(week)
    book = Book(sizing.start_capital, sizing.start_capital)
    closed: list[Mapping[str, Any]] = []
    days: list[Mapping[str, Any]] = []
    for (begin, end), policy in zip(pairwise(week.weeks), policies, strict=True):
        since, until = milliseconds(begin), milliseconds(end)
        rows = week_rows(market, since=since, until=until)
        signals = find_signals(policy, market, rows=rows, until=until)
        done = trade_week(book, signals, market=market, sizing=sizing, cost=cost, since=since, until=until)
        book = done.book
        closed += done.closed
        days += done.days
    trades = pd.DataFrame([*closed, *book.positions]).reindex(columns=LEDGER_COLUMNS)
    trades["status"] = ["closed"] * len(closed) + ["open"] * len(book.positions)
    for name in ("date", "open_date", "close_date"):
        trades[name] = pd.to_datetime(trades[name], utc=True).astype("datetime64[ms, UTC]")
    for name in ("profit_ratio", "r_multiple"):
        trades[name] = trades[name].astype(np.float64)
    return Track(NO_LEARNING, "textbook votes, equal weights", trades, _dated(pd.DataFrame(days, columns=DAY_COLUMNS)))


def _cost(week: Week) -> float:
    """Fee and slippage of a side, as the history's own signals were charged."""
    fees = pd.concat([week.ledger["fee_open"], week.shadow["fee_open"]]).dropna()
    return float(fees.iloc[-1]) if len(fees) else 0.0


def _days(week: Week, name: str) -> pd.DataFrame:
    """Daily marks of one arm, in order."""
    days = week.days
    return _dated(days[days["arm"] == name])


def _dated(days: pd.DataFrame) -> pd.DataFrame:
    dates = pd.to_datetime(days["date"], utc=True).astype("datetime64[ms, UTC]")
    kept = days.assign(date=dates)[["date", "equity", "return_ratio"]]
    return kept.sort_values("date", ignore_index=True).astype({"equity": float, "return_ratio": float})
