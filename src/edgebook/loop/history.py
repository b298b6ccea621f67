"""Histories: `learn_week` folded over the weeks, a seal each."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edgebook.arms.arms import Rules
from edgebook.errors import SealError, SettingsError, WeekError
from edgebook.importance.importance_run import SEALED_NAME, importance_in_force, importance_text, kept_in_force
from edgebook.indicators import families_of
from edgebook.loop.epochs import markets_of
from edgebook.loop.loop import Inputs, begin_history, learn_week
from edgebook.paths import Paths
from edgebook.policy.heads import fit_heads
from edgebook.policy.market import DAY_MS, Market, milliseconds
from edgebook.policy.policy import Policy
from edgebook.seals.before_seal import plan_in_force
from edgebook.seals.seals import Seal, read_policy, read_seal, sealed_weeks, write_seal
from edgebook.seals.week import Week
from edgebook.settings.params import Params, Run, plain
from edgebook.settings.recipe_entries import known_recipe
from edgebook.tuning.tuning import study_of_week

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from edgebook.policy.heads import Head
    from edgebook.settings.params import AbTest


@dataclass(frozen=True)
class Progress:
    """What `backfill` tells of a week.

    Parameters
    ----------
    seal : Seal
    number, total : int
        Which of how many.
    """

    seal: Seal
    number: int
    total: int


def rules_of(params: Params, *, indicators: Sequence[str] = ()) -> Rules:
    """What every arm of a history shares, from the settings and from the columns of the table of indicators."""
    grid = params.candidates
    return Rules(
        sizing=params.sizing,
        learning=params.learning,
        gate=params.gate,
        cost=round((grid.fee_bps + grid.slippage_bps) / 1e4, 8),
        families=families_of(indicators),
    )


def inputs_of(
    params: Params,
    paths: Paths,
    *,
    as_of: str,
    market: Market,
    attachments: Mapping[str, str] | None = None,
    fit: Callable[..., dict[str, Head]] = fit_heads,
) -> Inputs:
    """What a week's run is given beside the previous seal.

    Parameters
    ----------
    params : Params
    paths : Paths
        Where the version that a pin names is.
    as_of : str
        The Monday at which the week ends; only a pin of this week names a version that must be there.
    market : Market
    attachments : mapping of str to str, optional
        Text of this week's study and importance run.
    fit : callable
        See `Rules.fit`.
    """
    return Inputs(
        market=market,
        rules=replace(rules_of(params, indicators=market.indicators), fit=fit),
        recipes=params.recipes,
        history=params.run.history,
        source=params.bars.source,
        attachments=attachments or {},
        pinned={
            pin.version: policy_of(paths, params.run.history, pin.version)
            for pin in params.learning.pins
            if pin.week == as_of and "@" in pin.version and pin.history in (None, params.run.history)
        },
        ab_test=params.ab_test,
        drift=params.drift,
    )


def policy_of(paths: Paths, history: str, version: str) -> Policy:
    """Policy of a version such as ``r1@2019-06-24``, or of a pinned one, ``r1-20190506@2019-05-06``.

    Raises
    ------
    SealError
        There is no such version.
    """
    name, _, week = version.partition("@")
    policy = read_policy(paths, history=history, as_of=week, name=name)
    if policy is None:
        recipe, _, pinned = name.rpartition("-")
        if recipe and len(pinned) == 8 and pinned.isdigit():  # it was learned before it got its name
            of_week = f"{pinned[:4]}-{pinned[4:6]}-{pinned[6:]}"
            return replace(policy_of(paths, history, f"{recipe}@{of_week}"), recipe=name)
        raise SealError(f"{version}: no such version in history {history}; `edgebook versions` lists them")
    return policy


def attachments_of(params: Params, week: Week, *, market: Market, previous: Seal | None) -> dict[str, str]:
    """Importance run and tuning study of a week, carried from the last seal while not due; no study at genesis.

    Parameters
    ----------
    params : Params
    week : Week
        The week to come; its own seal is not read.
    market : Market
    previous : Seal or None
    """
    run = importance_in_force(week, importance=plain(params.importance), exit_plan=plan_in_force(week))
    files = {SEALED_NAME: importance_text(run)}
    if previous is None:
        return files
    return files | study_of_week(
        market,
        recipe=known_recipe(previous.recipes[previous.champion], previous.champion),
        families=families_of(market.indicators),
        sizing=params.sizing,
        settings=params.tuning,
        as_of=week.as_of,
        genesis=week.genesis,
        previous=previous.attachments,
        kept=kept_in_force(files),
        journal=week.paths.journal(history=week.history, as_of=week.as_of),
    )


def backfill(
    params: Params,
    paths: Paths,
    *,
    until: str,
    tell: Callable[[Progress], None] | None = None,
    routing: Mapping[str, AbTest] | None = None,
    unrecorded: Collection[str] = (),
    columns: Mapping[str, Sequence[str]] | None = None,
    fit: Callable[..., dict[str, Head]] = fit_heads,
) -> list[str]:
    """Write every seal from genesis to a date that is not there yet.

    Parameters
    ----------
    params : Params
        Their `run` names history and genesis.
    paths : Paths
        Where the tables are.
    until : str
        The last Monday.
    tell : callable, optional
        Called after each week.
    routing : mapping of str to AbTest, optional
        What was in force in weeks that are derived again, by Monday; else that of `params`.
    unrecorded : collection of str
        Weeks that are derived again and were sealed before the desk's outcomes were known.
    columns : mapping of str to sequence of str, optional
        See `epochs.markets_of`.
    fit : callable
        See `Rules.fit`.

    Returns
    -------
    list of str
        Mondays whose seals were written.

    Raises
    ------
    WeekError
        The tables end before `until`.
    SealError
        A seal on the way is damaged or missing in the middle.
    SettingsError
        The history begins at another Monday than run.genesis.
    """
    run = params.run
    weeks = mondays(run.genesis, until)
    done = [week for week in sealed_weeks(paths, run.history) if week <= until]
    if done and done[0] != run.genesis:
        raise SettingsError(
            f"params.yaml: run.genesis: {run.genesis}, but the first seal of history {run.history} is {done[0]}; "
            "put the date back, restore the seals with `git checkout`, or give run.history another name"
        )
    if done != weeks[: len(done)]:
        gap = next(week for week in weeks if week not in done)
        raise SealError(f"models/{run.history}/{gap}: missing between sealed weeks; restore it with `git checkout`")
    _check_reach(paths, until, holidays=params.bars.holidays)
    seal = read_seal(paths, history=run.history, as_of=done[-1]) if done else None
    written: list[str] = []
    for group, place, market in markets_of(
        params, paths, weeks=weeks[len(done) :], unrecorded=unrecorded, columns=columns
    ):
        for as_of in group:
            given = params if routing is None else replace(params, ab_test=routing[as_of])
            seal = seal_week(given, place, as_of=as_of, market=market, previous=seal, fit=fit)
            written.append(as_of)
            if tell is not None:
                tell(Progress(seal, len(done) + len(written), len(weeks)))
    return written


def seal_week(
    params: Params,
    paths: Paths,
    *,
    as_of: str,
    market: Market,
    previous: Seal | None,
    fit: Callable[..., dict[str, Head]] = fit_heads,
) -> Seal:
    """Write the seal of one week, importance and tuning included, and read it back."""
    before = (datetime.date.fromisoformat(as_of) - datetime.timedelta(days=7)).isoformat()
    run = Run(history=params.run.history, as_of=as_of, previous=before, genesis=params.run.genesis)
    week = Week(run, paths)
    attachments = attachments_of(params, week, market=market, previous=previous)
    inputs = inputs_of(params, paths, as_of=as_of, market=market, attachments=attachments, fit=fit)
    seal = begin_history(inputs, at=as_of) if previous is None else learn_week(previous, inputs, as_of=as_of)
    write_seal(seal, paths)
    return read_seal(paths, history=run.history, as_of=as_of)


def mondays(first: str, last: str) -> list[str]:
    """Every Monday from the first to the last, both included.

    Examples
    --------
    >>> mondays("2019-06-24", "2019-07-01")
    ['2019-06-24', '2019-07-01']
    """
    day, end = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last)
    days = []
    while day <= end:
        days.append(day.isoformat())
        day += datetime.timedelta(days=7)
    return days


def _check_reach(paths: Paths, until: str, *, holidays: Sequence[str]) -> None:
    """Refuse a week that the tables do not cover; a market with sessions may have been shut for most of it."""
    from edgebook.bars.sessions import sessions_of
    from edgebook.files import tables

    bars = tables.read(paths.bars, columns=["timeframe", "date"])
    sessions, last = sessions_of(bars, holidays=holidays), bars["date"].max()
    told = sessions.told_until(milliseconds(last))
    if told <= milliseconds(until) - (7 if sessions.ends_before_weekends else 3) * DAY_MS:
        raise WeekError(
            f"data/bars.parquet: ends at {last:%Y-%m-%d %H:%M} UTC, before {until}; "
            "set run.as_of, then `dvc repro bars`"
        )
