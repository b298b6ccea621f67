"""The text of the pull request: the verdict first, then what to do, the numbers, and what changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgebook.arms.drift_words import KIND as DRIFT
from edgebook.arms.drift_words import alarms_of
from edgebook.files.formats import MISSING, formatted, interval
from edgebook.pages.markdown_text import code, escaped, table
from edgebook.pages.report_names import QUESTIONS, REPORTS
from edgebook.seals.seal_lines import book_share
from edgebook.summary.summary_changes import policy_changes
from edgebook.summary.summary_desk import REPORT, desk_lines, desk_week
from edgebook.summary.summary_numbers import CLOSE_TO_EVEN, WINDOW_WEEKS, change_text, has_window, week_numbers
from edgebook.summary.summary_settings import Change, settings_changes, unnamed_change
from edgebook.summary.summary_silence import silence
from edgebook.summary.summary_state import bar_gaps, late_told, open_positions, sleeping_heads
from edgebook.summary.summary_verdict import verdict_of, written_wealth

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from edgebook.arms.gate import Trial
    from edgebook.seals.week import Week
    from edgebook.summary.summary_desk import DeskWeek
    from edgebook.summary.summary_numbers import Number
    from edgebook.summary.summary_state import Gap, Position
    from edgebook.summary.summary_verdict import Verdict

MOST_ALARMS, MOST_GAPS = 8, 8


@dataclass(frozen=True)
class Facts:
    """What the text of a week is made of; every part is computed from seals, ledger and bars.

    Parameters
    ----------
    verdict : Verdict
    alarms : list of str
        Sentences.
    events : list of str
        What happened to recipes, beside the decision.
    numbers : list of Number
    positions : list of Position
    changes : list of str
        In the policies; empty at genesis.
    settings : list of Change
    unnamed : bool
        See `summary_settings.unnamed_change`.
    trials : list of Trial
        Those that show what learning is worth.
    gaps : list of Gap
    desk : DeskWeek, optional
        What the desk told in the week; None without one.
    """

    verdict: Verdict
    alarms: list[str]
    events: list[str]
    numbers: list[Number]
    positions: list[Position]
    changes: list[str]
    settings: list[Change]
    unnamed: bool
    trials: list[Trial]
    gaps: list[Gap]
    desk: DeskWeek | None = None


def gather_facts(week: Week, *, trial_weeks: int | None = None, outcomes: Mapping[str, Any] | None = None) -> Facts:
    """Everything that the summary says of a week.

    Parameters
    ----------
    week : Week
        Sealed.
    trial_weeks : int, optional
        As in `verdict_of`.
    outcomes : mapping, optional
        Section of params.yaml; a desk is spoken of where it names one.
    """
    seal = week.seal
    before = week.seals[-2] if len(week.seals) > 1 else None
    bars = week.bars[["pair", "timeframe", "date", "close"]]
    told = [e for e in seal.head["events"] if e["kind"] != DRIFT]
    return Facts(
        verdict=verdict_of(week, trial_weeks=trial_weeks),
        alarms=[str(alarm["text"]) for alarm in alarms_of(seal.head)],
        events=[
            *late_told(bars, as_of=week.as_of),
            *(f"{event['recipe']} {event['kind']}: {event['text']}." for event in told),
            *sleeping_heads(week.indicators),
            *silence(week),
        ],
        numbers=week_numbers(week),
        positions=open_positions(seal.account.positions, bars, as_of=week.as_of),
        changes=[] if before is None else policy_changes(before, seal),
        settings=[] if before is None else settings_changes(before, seal),
        unnamed=before is not None and unnamed_change(before, seal),
        trials=[trial for trial in seal.trials if trial.kind == "baseline"],
        gaps=bar_gaps(bars, as_of=week.as_of),
        desk=None if outcomes is None else desk_week(week, outcomes=outcomes),
    )


def summary_text(week: Week, facts: Facts) -> str:
    """Text of ``summary.md``.

    Parameters
    ----------
    week : Week
    facts : Facts
    """
    verdict = facts.verdict
    parts = [
        [f"# {escaped(verdict.title)}"],
        [f"{escaped(week.history)}, week to {week.as_of}; market {escaped(week.market)}, champion "
         f"{code(week.champion_version)}. [Dashboard of the week](index.html), [all weeks](../index.html)."],
        [f"**Why.** {escaped(verdict.why)}"],
        [f"**What it means.** {escaped(verdict.means)}"],
        _alarms(facts.alarms),
        ["## For the reviewer"],
        [f"- [ ] {item}" for item in checklist(week, facts)],
        ["## In numbers"],
        _numbers(facts.numbers),
        [f"A week alone is mostly noise: judge by {_judged_by(week)} Everything is net of costs; R is the risk taken "
         "at entry.",
         "",
         CLOSE_TO_EVEN],
        ["## Open positions"],
        _positions(facts.positions),
        *([["## The desk"], desk_lines(facts.desk)] if facts.desk else []),
        ["## What changed since last week"],
        _changes(facts),
        ["## Does learning pay?"],
        _learning(week, facts.trials),
        ["## Settings that changed"],
        _settings(facts),
        ["## Reports"],
        [f"- [{title}]({stage}.html): {QUESTIONS[stage]}" for stage, title in REPORTS.items()],
    ]  # fmt: skip
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def checklist(week: Week, facts: Facts) -> list[str]:
    """What this week asks of a reviewer, Markdown: what applies, and the standing checks.

    Parameters
    ----------
    week : Week
    facts : Facts
    """
    seal, action = week.seal, facts.verdict.action
    recipe = escaped(str(seal.head["decision"].get("recipe", "")))
    items = {
        "awaiting approval": [
            f"Read the [A/B test](ab_test.html): do you believe that {recipe} is better?",
            f"Yes: `edgebook approve`, and commit `params.yaml`; {recipe} takes over next week. No: do nothing.",
        ],
        "promote": [
            f"Read the [A/B test](ab_test.html): {recipe} is in force from now on. To refuse it: `edgebook rollback "
            f"{_former(week)} --reason \"...\"`, and commit `params.yaml`.",
        ],
        "roll back": [
            "Read the [A/B test](ab_test.html): what went wrong after the promotion, and should the recipe come again?",
        ],
        "retire": ["Read the [A/B test](ab_test.html) once more: it is the last word on the retired recipe."],
        "set by hand": ["Is the reason still good? To go back: `edgebook rollback RECIPE --reason \"...\"`."],
        "begin": ["Are market, costs and the recipes of genesis in `params.yaml` the ones you mean? They stay."],
    }.get(action, [])  # fmt: skip
    if facts.alarms:
        items.append(
            "Look at the alarms: [learning review](learning_review.html) for calibration and heads, "
            "[outcome analysis](outcome_analysis.html) for patterns and cells."
        )
    if facts.gaps:
        items.append(
            f"Bars are missing, found of usual: {_gaps(facts.gaps)}. A holiday, or a source to mend before next week?"
        )
    if facts.desk and facts.desk.unlearned:
        items.append(f"Outcomes of the desk that teach nothing: is its table to be mended? {REPORT} lists them.")
    if facts.settings or facts.unnamed:
        items.append("Were the settings below meant to change?")
    return [
        *items,
        "The numbers below are plausible beside last week's; [outcome analysis](outcome_analysis.html) says why.",
        "The checks of this pull request are green. In doubt, `edgebook audit` and `edgebook rederive` compare bytes.",
        "Only this week was added: `models`, `data/ledger` and `reports` of earlier weeks are untouched.",
    ]


def _former(week: Week) -> str:
    watch = next((t for t in week.seal.trials if t.kind == "rollback"), None)
    name = watch.arm if watch else "RECIPE"
    return name if name.replace("-", "").replace("_", "").isalnum() else "RECIPE"


def _alarms(alarms: Sequence[str]) -> list[str]:
    if not alarms:
        return ["No alarm."]
    shown = [f"- {escaped(text[:1].upper() + text[1:])}." for text in alarms[:MOST_ALARMS]]
    rest = len(alarms) - len(shown)
    more = [f"- {rest} more: see the [learning review](learning_review.html)."] if rest else []
    return [f"## {len(alarms)} alarm{'s' if len(alarms) > 1 else ''}", "", *shown, *more]


def _judged_by(week: Week) -> str:
    since = f"what is counted since genesis, {week.genesis}."
    if not has_window(week):
        return since
    return (
        f"the {WINDOW_WEEKS} weeks and by {since} Two windows of {WINDOW_WEEKS} weeks share {WINDOW_WEEKS - 1} of them."
    )


def _numbers(numbers: Sequence[Number]) -> list[str]:
    rows = []
    for number in numbers:
        band = interval(number.low, number.high, number.how)
        rows.append(
            [
                escaped(number.name[:1].upper() + number.name[1:]),
                number.window,
                formatted(number.this, number.how),
                "" if band == MISSING else band,
                formatted(number.last, number.how),
                change_text(number),
            ]
        )
    return table(["", "over", "this week", "95 % interval", "last week", "change"], rows, right=[2, 3, 4, 5])


def _positions(positions: Sequence[Position]) -> list[str]:
    if not positions:
        return ["None."]
    rows = [
        [
            code(p.symbol), code(p.timeframe), p.side, p.opened, f"{p.entry:.8g}", f"{p.target:.8g}", f"{p.stop:.8g}",
            MISSING if p.mark is None else f"{p.mark:.8g}", formatted(p.r_so_far, "r"),
        ]
        for p in positions
    ]  # fmt: skip
    head = ["symbol", "bars", "side", "opened, UTC", "entry", "target", "stop", "last close", "so far"]
    uncertified = sum(not position.certified for position in positions)
    note = f"Paper signals, from a regime without a certified threshold: {uncertified} of {len(positions)}."
    return [*table(head, rows, right=range(4, 9)), *(["", note] if uncertified else [])]


def _changes(facts: Facts) -> list[str]:
    told = [f"- {escaped(line)}" for line in [*facts.events, *facts.changes]]
    return told or ["This is the first week."]


def _learning(week: Week, trials: Sequence[Trial]) -> list[str]:
    """What the champion's bets against its frozen twin have come to, and what the gate has spent."""
    share = book_share(week.seal)
    lines = []
    for trial in trials:
        wealth = written_wealth(trial.wealth(book_share=share))
        shown = f"It was shown on {trial.crossed}." if trial.crossed else "It has not been shown."
        lines.append(
            f"{shown} {trial.arm} against {trial.against}, {week.seal.recipes[trial.against]['title']}, since "
            f"{trial.since}: wealth {wealth} after {trial.days} days; {trial.bar:g} would show that learning pays."
        )
    budget = week.seal.head["budget"]
    lines.append(
        f"Error budget of {budget['year']}: {budget['admitted']} of {budget['admissions_per_year']} challengers "
        f"admitted, {formatted(budget['alpha_spent'], 'percent')} of {formatted(budget['alpha_per_year'], 'percent')} "
        "spent; a challenger counts in the year in which it was admitted."
    )
    return ["\n\n".join(escaped(line) for line in lines)]


def _settings(facts: Facts) -> list[str]:
    if facts.settings:
        rows = [[code(change.key), code(change.before), code(change.now)] for change in facts.settings]
        return table(["setting", "before", "now"], rows)
    if facts.unnamed:
        return ["A setting of `learning` changed whose value the seals do not keep: see `params.yaml` in this request."]
    return ["None."]


def _gaps(gaps: Sequence[Gap]) -> str:
    told = [
        f"{code(gap.symbol) if gap.symbol else 'all symbols'} {code(gap.timeframe)} {gap.found} of {gap.usual}"
        for gap in gaps[:MOST_GAPS]
    ]
    rest = len(gaps) - len(told)
    return ", ".join(told) + (f" and {rest} more" if rest else "")
