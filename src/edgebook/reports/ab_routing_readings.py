"""What the A/B report says of live routing in words: what is in force, what it costs, what it has shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.analyses.ab_routed import routing_of_weeks
from edgebook.files.formats import more_or_less
from edgebook.pages.report import formatted, interval, prose
from edgebook.loop.routing import PAIRED

if TYPE_CHECKING:
    import pandas as pd

    from edgebook.analyses.ab_sample_size import Flow
    from edgebook.analyses.ab_trials import Settings
    from edgebook.pages.display import Prose
    from edgebook.statistics.intervals import Interval
    from edgebook.settings.params import AbTest
    from edgebook.seals.week import Week


def routing_in_force(week: Week, *, settings: Settings) -> Prose:
    """Say how the account got its signals this week, and in which weeks it was otherwise.

    Parameters
    ----------
    week : Week
    settings : Settings
    """
    sealed = routing_of_weeks(week)
    now = sealed[week.seal.as_of]
    challenger = week.seal.head["challenger"]
    said = [f"**In force in the week to {week.seal.as_of}: {now.routing}.** {_account(now)}"]
    if now.routing != PAIRED and challenger is None:
        said.append("No challenger is on trial, so the champion has every signal until one is admitted.")
    if settings.ab_test != now:
        said.append(f"From the next week on: {_in_short(settings.ab_test)}, by the settings of today.")
    routed = sum(one.routing != PAIRED for one in sealed.values())
    said.append(
        f"{routed} of {len(sealed)} sealed weeks were routed. The gate reads the paired books in either case: each "
        "arm's book takes every signal of its arm."
    )
    return prose(" ".join(said))


def sample_sizes_reading(found: pd.DataFrame, flow: Flow, cost: Interval, *, weeks: int) -> Prose:
    """Say how many times the data routing asks for, and why.

    Parameters
    ----------
    found : DataFrame
        As `ab_sample_size.sample_sizes` gives it.
    flow : Flow
    cost : Interval
        As `ab_sample_size.cost_of_routing` gives it.
    weeks : int
        Simulated.
    """
    if not flow.known:
        return prose("Too few weeks, or no signals of both arms: what routing costs cannot be said yet.")
    said = (
        f"**Routing costs {cost.value:.1f} times the data** (95 % {cost.low:.1f} to {cost.high:.1f}, over {flow.weeks} "
        f"weeks) between {flow.found.arm} and {flow.found.against}. Their R a week correlate at "
        f"{formatted(flow.correlation, 'number')} and {formatted(flow.overlap, 'percent')} of candidates were traded "
        "by both: the more alike two arms are, the more pairing takes out and routing leaves in."
    )
    row = found.iloc[min(2, len(found) - 1)]
    edge = formatted(row["edge_r"], "r") + " a day"
    if np.isfinite(row["win_rate"]):
        edge = f"{formatted(row['win_rate'], 'points')} of win rate ({edge})"
    gate = [
        f"{row[f'{way}_gate']:.0f} weeks {words}" if np.isfinite(row[f"{way}_gate"]) else f"over {weeks} weeks {words}"
        for way, words in (("paired", "paired"), ("routed", "routed"))
    ]
    return prose(
        said,
        f"An edge of {edge} takes {row['paired_weeks']:,.0f} weeks paired and {row['routed_weeks']:,.0f} routed in one "
        f"planned test; by the gate's bets {' and '.join(gate)}.",
    )


def randomised_reading(signals: pd.DataFrame, found: pd.DataFrame, *, settings: Settings) -> Prose:
    """Say what the routed signals show, or that there are none.

    Parameters
    ----------
    signals, found : DataFrame
        As `ab_routed.routed_signals` and `ab_routed.randomised_test` give them.
    settings : Settings
    """
    if signals.empty:
        return prose("No signal of this trial was routed: the randomised test has nothing to read.")
    betting, closed = found.iloc[0], int(signals["closed"].sum())
    band = interval(betting["estimate_low"], betting["estimate_high"], "r")
    seen = f"{len(signals):,} signals were routed, {closed:,} have closed"
    if not np.isfinite(betting["statistic"]):
        return prose(f"{seen}; no day of entry is complete yet.")
    verdict = "reached it" if betting["promotes"] else "has not reached it"
    others = found.iloc[1:]
    named = others.loc[others["promotes"], "method"].tolist()
    known = int(others["statistic"].notna().sum())
    said = f"{', '.join(named)} would promote" if named else f"none of the {known} second opinions would promote"
    if not known:
        said = "there are too few signals of either arm for the second opinions"
    return prose(
        f"{seen}. The challenger's part earned {more_or_less(betting['estimate'])} than the champion's, "
        f"each weighed up to all signals (95 % {band}); wealth {betting['statistic']:.2f}, the bar is "
        f"{settings.bar:g} and it {verdict}. Today {said}. None of this decides."
    )


def _account(routing: AbTest) -> str:
    if routing.routing == PAIRED:
        return "The account takes every signal of the champion; the challenger trades in its shadow book alone."
    return (
        f"A hash of each signal's name sends {formatted(routing.share, 'percent')} to the challenger, the others to "
        "the champion, and the account takes what each of them gives there."
    )


def _in_short(routing: AbTest) -> str:
    if routing.routing == PAIRED:
        return routing.routing
    return f"{routing.routing}, {formatted(routing.share, 'percent')} to the challenger, salt {routing.salt!r}"
