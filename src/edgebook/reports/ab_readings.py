"""What the A/B report says in words: computed from its numbers, the empty slot and the undecided case too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.arms.gate import error_share
from edgebook.analyses.power import edge_in_a_year
from edgebook.analyses.repeated_looks import GATE, WIN_RATE
from edgebook.pages.report import formatted, interval, prose

if TYPE_CHECKING:
    import pandas as pd

    from edgebook.analyses.ab_trials import Comparison, Settings
    from edgebook.pages.display import Prose
    from edgebook.settings.params import Gate
    from edgebook.seals.week import Week

ROUTING = {
    "paired": "Both arms trade every day on the same bars, each its own book, and are compared day by day.",
    "randomised": "Live signals go to one arm each, by a hash of the signal; the books below are still paired.",
}


def window(week: Week, found: Comparison, *, settings: Settings) -> Prose:
    """Say which trial is shown, over which days, and how the arms are compared.

    Parameters
    ----------
    week : Week
    found : Comparison
    settings : Settings
    """
    routing = ROUTING[settings.ab_test.routing]
    if not found.arm:
        return prose(f"No arm but the champion {week.champion} has run yet: there is nothing to compare. {routing}")
    titles = [f"**{name}** ({week.seal.recipes[name]['title']})" for name in (found.arm, found.against)]
    days = len(found.days)
    length = f"{days:,} days from {found.since}, looked at every week" if days else "no day has passed yet"
    if found.kind == "baseline":
        what = f"No challenger has been admitted yet. Shown instead is the baseline: {titles[0]} against {titles[1]}, "
        return prose(f"{what}{length}.", routing)
    ended = "it goes on" if found.running else f"it ended on {found.until}: {found.outcome}"
    return prose(f"Challenger {titles[0]} against champion {titles[1]}: {length}; {ended}.", routing)


def baseline(found: Comparison, evidence: pd.DataFrame) -> Prose:
    """Say what the pre-registered baseline shows of learning.

    Parameters
    ----------
    found : Comparison
        The baseline trial.
    evidence : DataFrame
        Of it, as `ab_report.evidence` gives it.
    """
    if not len(found.days):
        return prose("No baseline has run yet: what learning is worth cannot be said.")
    books = evidence.set_index("hypothesis").loc["books"]
    band = interval(books["mean_low"], books["mean_high"], "r")
    if bool((found.days["wealth"] >= found.bar).any()):
        verdict = f"The bar of {found.bar:g} was reached: {found.arm} is the better of the two"
    elif found.wealth > 1:
        chance = formatted(1 / found.wealth, "percent")
        verdict = f"Undecided: without any difference up to {chance} of histories come this far"
    else:
        verdict = f"There is no evidence for {found.arm}: wealth is not above where it began"
    return prose(
        f"{found.arm} against {found.against}, written down before the history began and so judged over all of it: "
        f"{formatted(books['mean'], 'r')} a day (95 % {band}, {len(found.days):,} days), wealth {found.wealth:.2f}. "
        f"{verdict}."
    )


def power_reading(table: pd.DataFrame, *, settings: Settings, observed: int, weeks: int) -> Prose:
    """Say how large an edge must be to show in time.

    Parameters
    ----------
    table : DataFrame
        As `power.power_table` gives it.
    settings : Settings
    observed : int
        Days that the spread comes from.
    weeks : int
        Simulated.
    """
    none, edge = table.iloc[0], edge_in_a_year(table)
    source = f"{observed:,} paired days observed" if observed else "a made-up spread, for want of paired days"
    allowed = error_share(settings.gate, number=1)
    even = f"at least {formatted(edge, 'r')} a day" if np.isfinite(edge) else "larger than any in the table"
    said = [
        f"From {source}: without an edge {formatted(none['full'], 'percent')} of {int(none['n']):,} simulated "
        f"challengers were promoted within a year (95 % {interval(none['full_low'], none['full_high'], 'percent')}; "
        f"allowed are {allowed * 100:.2f} % to the first of a year). For an even chance within a year an edge must be "
        f"{even}."
    ]
    five = table[(table["win_rate"] - 0.05).abs() < 1e-6]
    if len(five):
        row, one = five.iloc[0], table[(table["win_rate"] - 0.01).abs() < 1e-6].iloc[0]
        said.append(
            f"Five points of win rate, worth {formatted(row['edge_r'], 'r')} a day at this number of signals, take "
            f"{_weeks(row['median'], most=weeks)} in the median, one point {_weeks(one['median'], most=weeks)}. A "
            f"trial lasts {settings.learning.trial_weeks} weeks: in them, five points are promoted in "
            f"{formatted(row['trial'], 'percent')} of cases, and retired undecided in the others."
        )
    return prose(*said)


def opinions_reading(opinions: pd.DataFrame, falsely: pd.DataFrame, *, found: Comparison) -> Prose:
    """Say whether the second opinions agree, and what they are worth.

    Parameters
    ----------
    opinions, falsely : DataFrame
        As `second_opinions.opinions` and `repeated_looks.false_promotions` give them.
    found : Comparison
    """
    if not opinions["estimate"].notna().any():
        return prose(f"Too few days ({len(found.days)}) for any of these tests.")
    names = opinions.loc[opinions["promotes"], "method"].tolist()
    known = int(opinions["estimate"].notna().sum())
    said = (
        f"{len(names)} of {known} would promote today ({', '.join(names)})."
        if names
        else f"None of {known} would promote today."
    )
    shares = falsely.set_index("method")["share"]
    if not np.isfinite(shares[GATE]):
        return prose(said, "There are too few weeks to simulate how often each promotes falsely.")
    others = shares[opinions["method"].tolist()]
    low, high, rate = (formatted(share, "percent") for share in (others.min(), others.max(), shares[WIN_RATE]))
    return prose(
        said,
        f"Looked at every week for a year, without an edge, they promote in {low} ({others.idxmin()}) to {high} "
        f'({others.idxmax()}) of simulated years, and "the win rate is higher" in {rate}; the gate in '
        f"{formatted(shares[GATE], 'percent')}. That is why they do not decide.",
    )


def regimes_reading(regimes: pd.DataFrame, found: Comparison) -> Prose:
    """Say in which regimes the arms differ.

    Parameters
    ----------
    regimes : DataFrame
        As `ab_report.by_regime` gives it.
    found : Comparison
    """
    own = regimes[(regimes["regime"] != "all") & regimes["difference"].notna()]
    if own.empty:
        return prose("No regime has signals of both arms yet.")
    apart = own[(own["difference_low"] > 0) | (own["difference_high"] < 0)]
    chance = formatted(1 - 0.95 ** len(own), "percent")
    if apart.empty:
        return prose(f"No regime tells {found.arm} and {found.against} apart: all {len(own)} intervals hold 0.")
    names = "; ".join(
        f"{row['regime'].replace('_', ' ')}, {formatted(row['difference'], 'r')} a signal "
        f"(95 % {interval(row['difference_low'], row['difference_high'], 'r')}, "
        f"n = {row['n_arm'] + row['n_against']:,})"
        for _, row in apart.iterrows()
    )
    return prose(
        f"{len(apart)} of {len(own)} regimes leave 0 out: {names}. A lead to watch, no finding: of {len(own)} "
        f"intervals at 95 %, at least one leaves 0 out by chance in {chance} of cases."
    )


def trials_reading(trials: pd.DataFrame) -> Prose:
    """Count the challengers so far and what became of them.

    Parameters
    ----------
    trials : DataFrame
        As `ab_trials.every_trial` gives it.
    """
    own = trials[trials["kind"] == "promotion"]
    if own.empty:
        return prose("No challenger has been admitted so far.")
    counts = own["outcome"].value_counts(sort=False)
    best = own.iloc[int(own["wealth"].to_numpy().argmax())]
    parts = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    noun = "challenger" if len(own) == 1 else "challengers"
    return prose(
        f"{len(own)} {noun} so far: {parts}. The most evidence is {best['recipe']}'s, {best['wealth']:.2f} of "
        f"{best['bar']:g} after {best['n']:,} days."
    )


def budget_reading(budget: pd.DataFrame, approvals: pd.DataFrame, *, settings: Settings) -> Prose:
    """Say what is left of this year's error budget, and whether a person has to decide.

    Parameters
    ----------
    budget, approvals : DataFrame
        As `ab_report.error_budget` and `ab_report.approvals` give them.
    settings : Settings
    """
    now, gate = budget.iloc[-1], settings.gate
    left = gate.admissions_per_year - int(now["n"])
    waits = approvals.loc[approvals["status"] == "waits", "recipe"].tolist()
    manual = settings.learning.approval == "manual"
    approval = "A promotion needs a recorded approval (`edgebook approve`)." if manual else "Promotion is automatic."
    who = f"Waiting for approval: {', '.join(waits)}." if waits else "No approval is waiting."
    admitted = f"In {now['year']} {int(now['n'])} of {gate.admissions_per_year} challengers have been admitted"
    risk = (
        f"{admitted}: the chance that any of them is promoted falsely is at most "
        f"{now['spent'] * 100:.2f} %, of {now['allowed'] * 100:.0f} % allowed."
    )
    if not now["n"]:
        risk = f"No challenger has been admitted in {now['year']}: none of the {now['allowed'] * 100:.0f} % is spent."
    return prose(
        f"{risk} {_still(left, gate=gate)}",
        f"{approval} {who} After a promotion the former champion is watched for {gate.rollback_weeks} weeks and called "
        f"back at wealth {gate.rollback_bar:g}: a good promotion is undone in at most "
        f"{formatted(1 / gate.rollback_bar, 'percent')} of cases.",
    )


def _still(left: int, *, gate: Gate) -> str:
    """Say how many challengers may still come this year, and what error the next of them has."""
    if left <= 0:
        return "No other may come this year."
    share = error_share(gate, number=gate.admissions_per_year - left + 1)
    return f"{left} may still come this year, the next at {share * 100:.2f} %."


def _weeks(value: float, *, most: int) -> str:
    return f"{value:.0f} weeks" if np.isfinite(value) else f"more than {most} weeks"
