"""What the learning review concludes: the account among random policies, the goals, and the answer to its question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.figures.figures import words
from edgebook.analyses.goals import MET, MIN_WEEKS, NOT_MET, TOO_EARLY
from edgebook.analyses.learning_curve import weekly, weeks_needed
from edgebook.reports.learning_review import side_of_zero, weeks_said, with_band
from edgebook.pages.report import callout, formatted, interval, prose
from edgebook.analyses.tracks import FROZEN, NO_LEARNING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.pages.display import Callout, Prose
    from edgebook.analyses.learning_curve import Paired
    from edgebook.analyses.random_policies import RandomPolicies
    from edgebook.seals.seals import Seal
    from edgebook.analyses.tracks import Track


def chance_reading(chance: Mapping[str, RandomPolicies]) -> Prose:
    """Say where the account stands among random policies, and what each null gives away.

    Parameters
    ----------
    chance : mapping of str to RandomPolicies
        By null, "mix" and "sides".
    """
    mix, sides = chance["mix"], chance["sides"]
    if not mix.n:
        return prose("No signal has closed yet: there is nothing to compare with chance.")
    return prose(
        f"Given the same weeks and timeframes, the account beats {_percentile(mix)} of random policies that choose "
        f"symbol, hour and side, and {_percentile(sides)} of those that are also given its sides. The first credits "
        "the choice of the side; the second only symbol and hour.",
        f"Random policies made {_mean_r(mix)} and {_mean_r(sides)} a signal on average, the account "
        f"{formatted(float(mix.own_r.sum()) / mix.n, 'r')} (n = {mix.n:,}).",
    )


def goals_reading(board: pd.DataFrame) -> Prose:
    """Count the verdicts, and name the goals met.

    Parameters
    ----------
    board : DataFrame
        As `goals.scoreboard` gives it.
    """
    named = {name: board[board["verdict"] == name]["goal"].tolist() for name in (MET, NOT_MET, TOO_EARLY)}
    return prose(
        f"{len(named[MET])} of {len(board)} goals are met ({'; '.join(named[MET]) or 'none'}), {len(named[NOT_MET])} "
        f"are not, and for {len(named[TOO_EARLY])} it is too early."
    )


def conclusion(
    tracks: Mapping[str, Track],
    differences: Mapping[str, Paired],
    *,
    weeks: Sequence[str],
    seal: Seal,
    gate: pd.DataFrame,
    board: pd.DataFrame,
) -> Callout:
    """Answer the question: has it learned, can it show it, and if not, how long until it could.

    Parameters
    ----------
    tracks : mapping of str to Track
    differences : mapping of str to Paired
        The account against the other strategies, by name.
    weeks : sequence of str
        Sealed Mondays.
    seal : Seal
        This week's: its champion, and the trial of it against the frozen policy.
    gate : DataFrame
        Daily evidence of all trials, as `Week.gate` has it.
    board : DataFrame
        As `goals.scoreboard` gives it.
    """
    found = differences.get(FROZEN)
    money = "; ".join(
        f"{words(name)} {formatted(float(made['r'].sum()), 'r')} and {_money(float(made['profit'].sum()))}"
        for name, made in ((name, weekly(track, weeks=weeks)) for name, track in tracks.items())
    )
    verdicts = board["verdict"]
    tally = f"Goals: {int((verdicts == MET).sum())} met, {int((verdicts == NOT_MET).sum())} not met, "
    tally += f"{int((verdicts == TOO_EARLY).sum())} too early."
    closing = [f"Made so far, in R and account currency: {money}.", _floor(differences.get(NO_LEARNING)), tally]
    if found is None:
        return callout("Learning cannot be told from the market: this history has no frozen policy.", *closing)
    if found.mean.n < MIN_WEEKS:
        return callout(f"Too early: {weeks_said(found.mean.n)} cannot tell learning from luck.", *closing)
    if not found.weekly.any():
        return callout("Nothing to tell apart: account and frozen policy have made the same R each week.", *closing)
    said, proved = _wealth(seal, gate)
    return callout(_answer(found, proved=proved), "" if proved else _how_long(found), said, *closing)


def _answer(found: Paired, *, proved: bool) -> str:
    """The headline: what holds at every look comes before what holds at this one."""
    band = f"{with_band(found.mean, 'r')} a week against the frozen first policy"
    side = side_of_zero(found.mean)
    if proved:
        return f"Learning is shown, by evidence that may be looked at every week: {band}."
    if side > 0:
        return f"Learning shows at this look, and is not proved yet: {band}, an interval clear of 0."
    if side < 0:
        return f"Learning has cost money, at this look: {band}."
    return f"Learning is not shown yet: {band}, an interval that holds 0."


def _how_long(found: Paired) -> str:
    """How many more weeks a difference of the seen size would need."""
    if side_of_zero(found.mean):
        return ""
    needed = weeks_needed(found)
    if not np.isfinite(needed):
        return (
            f"A week's difference scatters by {formatted(found.spread, 'r').lstrip('+')}; as it points now, no number "
            "of weeks would show learning."
        )
    more = max(0, int(needed) - found.mean.n)
    return (
        f"A week's difference scatters by {formatted(found.spread, 'r').lstrip('+')}: were the true difference as "
        f"large as the seen one, {more:,} more weeks would show it with 80 % chance, {int(needed):,} in all."
    )


def _wealth(seal: Seal, gate: pd.DataFrame) -> tuple[str, bool]:
    """What the bettor on learning has made of 1, and whether it ever reached the bar."""
    trial = next((t for t in seal.trials if t.kind == "baseline" and t.arm == seal.champion), None)
    if trial is None or gate.empty:
        return "", False
    ours = (gate["kind"] == "baseline") & (gate["arm"] == trial.arm) & (gate["against"] == trial.against)
    own = gate[ours & (gate["date"] >= pd.Timestamp(trial.since, tz="UTC"))].sort_values("date", kind="stable")
    if own.empty:
        return "", False
    now, top = float(own["wealth"].iloc[-1]), float(own["wealth"].max())
    proved = top >= trial.bar
    reached = f"it has reached the bar of {trial.bar:g}" if proved else f"the bar is {trial.bar:g}"
    chance = formatted(min(1.0, 1 / top), "percent")
    return (
        f"A bettor on {trial.arm} against {trial.against}, who may be looked at every week, has turned 1 into "
        f"{formatted(now, 'number')}, {formatted(top, 'number')} at best; {reached}. Were learning worthless, so much "
        f"would ever be made with a chance of at most {chance}."
    ), proved


def _floor(found: Paired | None) -> str:
    """The account against no learning at all."""
    if found is None or found.mean.n < 2 or not np.isfinite(found.mean.low):
        return ""
    verdict = {1: "clear of 0", -1: "below 0"}.get(side_of_zero(found.mean), "not to be told from 0")
    return f"Against textbook votes that never learn: {with_band(found.mean, 'r')} a week, {verdict}."


def _percentile(found: RandomPolicies) -> str:
    band = interval(found.percentile.low / 100, found.percentile.high / 100, "percent")
    return f"{formatted(found.percentile.value / 100, 'percent')} (95 % by redrawing weeks {band})"


def _mean_r(found: RandomPolicies) -> str:
    return formatted(float(found.weekly_r.sum(axis=1).mean()) / found.n, "r")


def _money(value: float) -> str:
    text = formatted(value, "money")
    return f"+{text}" if value > 0 and text != "0" else text
