"""What the tuning report says in words: computed from the study, the undecided case too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.pages.report import callout, formatted, interval, prose
from edgebook.tuning.tuning import study_due
from edgebook.tuning.tuning_space import plan_name
from edgebook.reports.tuning_tables import OBJECTIVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.pages.display import Callout, Prose
    from edgebook.tuning.tuning_study import Study
    from edgebook.seals.week import Week

NOTHING = "No study has been run in this history yet."


def window(study: Study | None, *, week: Week, tuning: Mapping[str, Any]) -> Prose:
    """Say when the study was run, on what budget, and when the next one is due."""
    every = int(tuning["every_weeks"])
    following = f"The next study is due on {_next_due(week, every_weeks=every)}." if every else "None is scheduled."
    if study is None:
        return prose(f"{NOTHING} {following}")
    weeks = (pd.Timestamp(week.as_of) - pd.Timestamp(study.as_of)).days // 7
    budget, plan = study.head["budget"], study.head["schedule"]
    age = "This week." if weeks == 0 else f"{_many(weeks, 'week')} ago: nothing was re-run this week."
    folds = plan["folds"]
    return prose(
        f"Study of {study.as_of}. {age} {following}",
        f"Budget: {budget['trials']} trials (the default, {budget['sobol']} Sobol points, {budget['tpe']} of TPE in "
        f"batches of {budget['batch']}), and {budget['grid'] or 'no'} points of a grid as the baseline; heads fitted "
        f"on about {budget['candidates_fitted_per_trial']:,} candidates a trial, every "
        f"{_ordinal(budget['every_bars'])} bar.",
        f"Data from {plan['first']}. Warm-up of weights from {plan['warmup']}; {_many(len(folds), 'fold')} from "
        f"{folds[0][0]} to {folds[-1][1]}, each trained on outcomes known {plan['embargo_hours']} hours before it; "
        f"sealed holdout from {plan['holdout'][0]} to {plan['holdout'][1]}.",
    )


def method(study: Study | None) -> Prose:
    """Say what a trial is scored by, and where that is simpler than the loop."""
    if study is None:
        return prose(NOTHING)
    return prose(
        f"Objective: {OBJECTIVE}. A mean would reward size; the ratio is what the gate's evidence grows with, and a "
        "few lucky trades cannot carry it far.",
        "Simpler than the loop: heads, weights and thresholds are renewed once a fold, not weekly; heads are fitted "
        "on a thinned sample; every threshold is a quantile, none is certified; weights of indicators and effects of "
        "patterns are left out; profit is booked when it is known. "
        "The default is scored in the same way, so differences are fair where levels are not the loop's.",
    )


def history_reading(study: Study | None) -> Prose:
    """Say what the search found, and whether the adaptive part was worth its budget."""
    if study is None:
        return prose(NOTHING)
    trials = study.searched
    best = trials.groupby("kind")["value"].max()
    default, n = float(best["default"]), len(trials)
    beaten = int((trials["value"] > default).sum())
    first = (
        f"{beaten} of {n - 1} points score above the default ({formatted(default, 'number3')}); the best reaches "
        f"{formatted(float(trials['value'].max()), 'number3')}."
    )
    if not {"sobol", "tpe"} <= set(best.index):
        return prose(first)
    gain = float(best["tpe"] - best["sobol"])
    second = (
        f"TPE came to {formatted(float(best['tpe']), 'number3')}, pre-registered points alone to "
        f"{formatted(float(best['sobol']), 'number3')}: "
    )
    second += (
        f"the adaptive part found {formatted(gain, 'number3')} more on the same folds, part of it their noise."
        if gain > 0
        else "the adaptive part found nothing better."
    )
    return prose(first, second)


def importance_reading(study: Study | None) -> Prose:
    """Say which settings matter."""
    if study is None:
        return prose(NOTHING)
    rows = study.head["importance"]
    clear = [row for row in rows if row["share"] > row["null"]]
    expected = 0.05 * len(rows)
    if not clear:
        return prose(
            f"No setting stands out (0 of {len(rows)}): over this budget the levels cannot be told from permuted ones."
        )
    named = ", ".join(f"`{row['setting']}` ({row['share'] * 100:.0f} %)" for row in clear)
    verb = "stands" if len(clear) == 1 else "stand"
    return prose(
        f"{len(clear)} of {len(rows)} settings {verb} out from permutations, where {expected:.1f} would by chance: "
        f"{named}. The others may be set by judgement."
    )


def holdout_reading(study: Study | None) -> Prose:
    """Say what the holdout shows."""
    if study is None:
        return prose(NOTHING)
    if study.head["best"]["number"] == 0:
        return prose("The default is itself the best trial: there is no difference to show.")
    row = study.head["holdout"]["difference"]
    words = (
        f"{formatted(row['mean_r'], 'r')} a day (95 % {interval(row['low'], row['high'], 'r')}, n = {row['days']} days)"
    )
    if row["low"] is not None and row["low"] > 0:
        verdict = "better on weeks that took no part in the choice."
    elif row["high"] is not None and row["high"] < 0:
        verdict = "worse on weeks that took no part in the choice."
    else:
        verdict = f"undecided: {_many(row['weeks'], 'week')} cannot tell the two apart."
    return prose(f"Best less default on the holdout: {words}: {verdict}")


def deflated_reading(study: Study | None) -> Prose:
    """Say whether the best is more than the luckiest."""
    if study is None:
        return prose(NOTHING)
    found = study.head["deflated"]
    if found["probability"] is None:
        return prose("The best trial's daily results do not vary: nothing can be said of them.")
    side = "below" if found["sharpe"] < found["benchmark"] else "above"
    enough = "enough" if found["probability"] >= 0.95 else "not enough"
    return prose(
        f"The best trial's Sharpe ratio of {found['sharpe']:.3f} a day is {side} the {found['benchmark']:.3f} that the "
        f"luckiest of {found['trials']} worthless trials would be expected to show; the probability that its true one "
        f"is higher than that is {formatted(found['probability'], 'percent')}, {enough} by the usual 95 %."
    )


def overfitting_reading(study: Study | None) -> Prose:
    """Say whether what is best in one half of the days stays good in the other."""
    if study is None:
        return prose(NOTHING)
    found = study.head["overfitting"]
    if found["probability"] is None:
        return prose("There are too few days or trials to cut into halves.")
    verdict = "less often than" if found["probability"] < 0.5 else "no less often than"
    return prose(
        f"In {formatted(found['probability'], 'percent')} of {found['ways']} ways to choose one half of the days, the "
        f"trial that is best there is below the median in the other half: {verdict} worthless trials would be (50 %). "
        f"The median logit of its rank is {formatted(found['median_logit'], 'signed')} (0 is the median trial)."
    )


def superior_reading(study: Study | None) -> Prose:
    """Say whether any trial is better than the default, all looks counted."""
    if study is None:
        return prose(NOTHING)
    found = study.head["superior"]
    values = {name: found[name]["consistent"] for name in ("all", "sobol")}
    if None in values.values():
        return prose("No trial differs from the default: there is nothing to test.")
    words = {
        name: f"{'is' if value <= 0.05 else 'is not'} shown ({'p < 0.001' if value == 0 else f'p = {value:.3f}'}, "
        f"{found[name]['trials']} trials, {found[name]['days']} days)"
        for name, value in values.items()
    }
    return prose(
        f"That any of all trials is better than the default {words['all']}; that any of the points fixed in advance is "
        f"{words['sobol'].replace('is ', '', 1)}.",
        "The test takes trials as given in advance, and keeps its level for the Sobol points. TPE's crowd where the "
        "noise was good: on worthless trials in a study's numbers the test of all finds something in about 10 % where "
        "5 % are meant (`benchmarks/superior_trials.py`), so the Sobol points' own is the answer.",
    )


def grid_reading(study: Study | None) -> Prose:
    """Say whether the search was worth more than a grid on the same budget."""
    if study is None:
        return prose(NOTHING)
    grid = study.head["grid"]
    if grid is None:
        return prose("No grid was asked for: what the search is worth above one is not known.")
    budget = study.head["budget"]
    same = (
        f"On the same budget of {budget['grid']} trials"
        if budget["grid"] == budget["trials"] - 1
        else f"With {budget['trials'] - 1} trials against the grid's {budget['grid']}"
    )
    ours, theirs = study.head["best"]["value"], grid["best"]["value"]
    row = grid["holdout_difference"]
    if row["low"] is not None and row["low"] > 0:
        verdict = "better than the grid's, on weeks that took no part in either choice."
    elif row["high"] is not None and row["high"] < 0:
        verdict = "worse than the grid's, on weeks that took no part in either choice."
    else:
        verdict = "not told apart from the grid's by the holdout."
    return prose(
        f"{same} the search came to {formatted(ours, 'number3')} on the folds, the grid to "
        f"{formatted(theirs, 'number3')}. On the holdout the search's best less the grid's is "
        f"{formatted(row['mean_r'], 'r')} a day (95 % {interval(row['low'], row['high'], 'r')}, n = {row['days']} "
        f"days): {verdict}"
    )


def heads_reading(study: Study | None) -> Prose:
    """Say whether a single head would be better with another penalty."""
    if study is None:
        return prose(NOTHING)
    found = study.head["heads"]
    if not found["rows"]:
        return prose("No head can be compared with itself at another penalty.")
    best = max(found["rows"], key=lambda row: row["t"])
    gain, low, high = (formatted(best[name] * 1000, "signed") for name in ("improvement", "low", "high"))
    words = (
        f"HEAD_{best['head']} at shrinkage {best['level']:g} instead of {best['own']:g}: {gain} thousandths of a nat a "
        f"candidate ({low} to {high}, n = {found['weeks']} weeks)"
    )
    n = len(found["rows"])
    if found["chosen"] is None:
        return prose(f"None of {n} alternatives is shown to be better; the nearest is {words}.")
    clear = sum(row["low"] > 0 for row in found["rows"])
    return prose(
        f"{clear} of {n} alternatives {'is' if clear == 1 else 'are'} better, all {n} counted. First: {words}."
    )


def conclusion(study: Study | None) -> Callout:
    """Say what follows: a proposal or none, and what stands behind it."""
    if study is None:
        return callout(NOTHING, "The recipe in force stays, and nothing is proposed.")
    held, found = study.head["holdout"]["difference"], study.head["deflated"]
    if study.head["verdict"] == "default is best":
        return callout(
            f"None of {found['trials'] - 1} other points beats the default on the folds: the search proposes nothing.",
            f"Study of {study.as_of}. {_others(study)}",
        )
    best = study.head["best"]["settings"]
    told = (
        f"{plan_name(best)}, {best['train_weeks']:g} weeks of training, shrinkage {best['shrinkage']:g}, top "
        f"{(1 - best['signal_quantile']) * 100:.3g} % of candidates, at least "
        f"{_many(int(best['min_heads_agree']), 'head')}"
    )
    if study.head["verdict"] == "holdout speaks against it":
        return callout(
            "The best of the folds did worse than the default on the holdout, with its whole interval: the search "
            "proposes nothing.",
            f"It was {told}; best less default {formatted(held['mean_r'], 'r')} a day (95 % "
            f"{interval(held['low'], held['high'], 'r')}, n = {held['days']} days). "
            f"{_others(study)}",
        )
    shown = "also shows on the holdout" if (held["low"] or 0) > 0 else "is not shown by the holdout"
    probability = formatted(found["probability"], "percent")
    return callout(
        f"Proposed for the challenger's slot: {told}.",
        f"It beats the default on the folds; that {shown} ({formatted(held['mean_r'], 'r')} a day, 95 % "
        f"{interval(held['low'], held['high'], 'r')}, n = {held['days']} days), and after {found['trials']} trials its "
        f"deflated Sharpe ratio is {probability}. A proposal is a question, not an answer: it starts with wealth 1 at "
        f"its admission, and only the gate can promote it. {_others(study)}",
    )


def _others(study: Study) -> str:
    """Proposals beside the search's."""
    others = [row for row in study.proposals if row["origin"] != "tuning"]
    if not others:
        return "Nothing else is proposed: neither a keep-list nor a single head."
    named = ", ".join(f"{row['origin']} ({row['title']})" for row in others)
    return f"{_many(len(others), 'other proposal').capitalize()} {'waits' if len(others) == 1 else 'wait'}: {named}."


def _next_due(week: Week, *, every_weeks: int) -> str:
    day = pd.Timestamp(week.as_of) + pd.Timedelta(weeks=1)
    while not study_due(f"{day:%Y-%m-%d}", genesis=week.genesis, every_weeks=every_weeks):
        day += pd.Timedelta(weeks=1)
    return f"{day:%Y-%m-%d}"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _ordinal(number: int) -> str:
    """2 is "2nd", 11 is "11th"."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in (11, 12, 13) else 0, "th")
    return f"{number}{ending}"
