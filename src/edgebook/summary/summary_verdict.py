"""The week's verdict in plain words: what was decided, why, what that means, and what a reviewer is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.seals.week import Week

Action = Literal["begin", "keep", "no challenger", "promote", "awaiting approval", "retire", "roll back", "set by hand"]


@dataclass(frozen=True)
class Verdict:
    """What a week decided.

    Parameters
    ----------
    action : str
        In a word or two.
    title : str
        One line.
    why, means : str
        A sentence or two each: the evidence, and what follows from it.
    tone : {"good", "bad", "wait", "plain"}
    """

    action: Action
    title: str
    why: str
    means: str
    tone: Literal["good", "bad", "wait", "plain"] = "plain"


_SINCE = {
    "admitted": "was admitted",
    "retired": "was retired",
    "promoted": "was promoted",
    "rolled back": "came back",
    "pinned": "was set by hand",
}


def verdict_of(week: Week, *, trial_weeks: int | None = None) -> Verdict:
    """Say what the week decided.

    Parameters
    ----------
    week : Week
        Sealed.
    trial_weeks : int, optional
        `learning.trial_weeks`: after so many a challenger that has not been promoted is retired.
    """
    head = week.seal.head
    decision, champion = head["decision"], str(head["champion"])
    action, recipe = decision["action"], str(decision.get("recipe", ""))
    if action == "begin":
        return Verdict(
            "begin",
            f"The history begins with {champion}",
            "Nothing has been traded yet, so there is nothing to decide.",
            f"From this week on the account follows {champion}, and every week leaves a seal.",
        )
    if action == "no challenger":
        return Verdict(
            "no challenger",
            f"Keep {champion}: no challenger is on trial",
            _why_empty(week),
            f"The account goes on following {champion}; it learns on, and nobody can take its place this week.",
        )
    if action == "pin":
        over = [str(row["arm"]) for row in head["over"] if row["kind"] == "promotion" and row["until"] == head["as_of"]]
        ended = f" The trial of {over[0]} against the former champion is over with it, undecided." if over else ""
        return Verdict(
            "set by hand",
            f"Set by hand: {recipe} is the champion",
            f"The reason given: {decision['reason']}.",
            f"A person decided, not the gate. The account follows {recipe} from now on.{ended}",
            "wait",
        )
    said = {"keep": _keep, "promote": _promote, "recommend": _await, "retire": _retire, "roll back": _roll_back}
    return said[action](week, champion=champion, recipe=recipe, trial_weeks=trial_weeks)


def chance_of(bar: float) -> str:
    """How often wealth reaches a bar when there is nothing to find, at most.

    Examples
    --------
    >>> chance_of(80), chance_of(4)
    ('1.25 %', '25 %')
    """
    return f"{round(100 / bar, 2):g} %"


def written_wealth(value: float) -> str:
    """Wealth as sentences write it: two places below 100, none above; a small one keeps two digits.

    Examples
    --------
    >>> written_wealth(3.045314), written_wealth(0.0183), written_wealth(1234.5)
    ('3.05', '0.018', '1,234')
    """
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= 0.1 or value == 0 else f"{value:.2g}"


def _reached(decision: Mapping[str, Any]) -> tuple[str, str]:
    return written_wealth(decision["wealth"]), f"{decision['bar']:g}"


def _keep(week: Week, *, champion: str, recipe: str, trial_weeks: int | None) -> Verdict:
    decision = week.seal.head["decision"]
    wealth, bar = _reached(decision)
    trial = next(t for t in week.seal.trials if t.kind == "promotion")
    factor = decision["bar"] / decision["wealth"] if decision["wealth"] > 0 else float("inf")
    grow = f" It would have to grow {factor:,.1f}-fold" if factor < 1e6 else " It is next to nothing"
    weeks = trial.days // 7
    left = "" if trial_weeks is None else f"; {_weeks(max(0, trial_weeks - weeks))} of the trial are left"
    books, candidates = (written_wealth(trial.wealth(book_share=share)) for share in (1.0, 0.0))
    yet = (
        f"Below 1, the bets on {recipe} have lost so far; that does not show that it is worse"
        if decision["wealth"] < 1
        else f"Not enough yet says nothing against {recipe}"
    )
    return Verdict(
        "keep",
        f"Keep {champion}: {recipe} has not shown enough yet",
        f"The evidence for {recipe} stands at wealth {wealth}; {bar} would promote it. It began at 1 on {trial.since}, "
        f"{_weeks(weeks)} ago.{grow}{left}. Bets on the two books alone stand at {books}, on what both said of all "
        f"candidates at {candidates}.",
        f"The account goes on following {champion}. If {recipe} is no better, its wealth reaches {bar} with a chance "
        f"of at most {chance_of(decision['bar'])}, however often one looks. {yet}.",
    )


def _promote(week: Week, *, champion: str, recipe: str, trial_weeks: int | None) -> Verdict:
    decision = week.seal.head["decision"]
    wealth, bar = _reached(decision)
    watch = next((t for t in week.seal.trials if t.kind == "rollback" and t.against == recipe), None)
    gate = week.seal.head["settings"]["gate"]
    guard = (
        f" {watch.arm} is kept in shadow for {gate['rollback_weeks']} weeks, and comes back by itself if the evidence "
        f"against {recipe} reaches wealth {watch.bar:g}."
        if watch
        else ""
    )
    return Verdict(
        "promote",
        f"Promote {recipe}: it takes over" + (f" from {watch.arm}" if watch else ""),
        f"The evidence for {recipe} reached its bar: wealth {wealth}, and {bar} promotes. Were it no better, that "
        f"would happen with a chance of at most {chance_of(decision['bar'])}.",
        f"From now on the account follows {recipe}.{guard}",
        "good",
    )


def _await(week: Week, *, champion: str, recipe: str, trial_weeks: int | None) -> Verdict:
    decision = week.seal.head["decision"]
    wealth, bar = _reached(decision)
    trial = next(t for t in week.seal.trials if t.kind == "promotion")
    since = f" on {trial.crossed}" if trial.crossed else ""
    until = "" if trial_weeks is None else f" in {_weeks(max(0, trial_weeks - trial.days // 7))}"
    return Verdict(
        "awaiting approval",
        f"Awaiting approval: the gate recommends {recipe}",
        f"The evidence for {recipe} reached its bar of {bar}{since}; wealth is {wealth} now. Were it no better, that "
        f"would happen with a chance of at most {chance_of(decision['bar'])}.",
        f"The account stays with {champion} until somebody runs `edgebook approve`; without it, {recipe} is retired "
        f"when its trial ends{until}.",
        "wait",
    )


def _retire(week: Week, *, champion: str, recipe: str, trial_weeks: int | None) -> Verdict:
    wealth, bar = _reached(week.seal.head["decision"])
    events = week.seal.head["events"]
    said = next((e["text"] for e in events if e["kind"] == "retired" and e["recipe"] == recipe), "")
    following = next((e["recipe"] for e in events if e["kind"] == "admitted"), None)
    after = f" {following} takes the slot." if following else " The slot is free for the next proposal."
    return Verdict(
        "retire",
        f"Keep {champion}: {recipe} is retired",
        f"The trial of {recipe} ended at wealth {wealth}; {bar} would have promoted it{f' ({said})' if said else ''}.",
        f"The account goes on following {champion}.{after}",
    )


def _roll_back(week: Week, *, champion: str, recipe: str, trial_weeks: int | None) -> Verdict:
    wealth, bar = _reached(week.seal.head["decision"])
    over = week.seal.head["over"]
    ended = next((r for r in reversed(over) if r["kind"] == "rollback" and r["arm"] == recipe), None)
    fallen = str(ended["against"]) if ended else "the promoted recipe"
    return Verdict(
        "roll back",
        f"Roll back to {recipe}: {fallen} did worse since its promotion",
        f"The evidence against {fallen} reached wealth {wealth}; {bar} rolls back. The bar is low on purpose: a "
        f"promotion that was right is undone with a chance of at most {chance_of(week.seal.head['decision']['bar'])}.",
        f"The account follows {recipe} again; {fallen} is retired.",
        "bad",
    )


def _why_empty(week: Week) -> str:
    """Why nobody stands in the challenger's slot, from the last event that says so."""
    for head in reversed(week.heads):
        for event in reversed(head["events"]):
            if event["kind"] in ("waiting", "not admitted"):
                text = str(event["text"])
                return f"{text[:1].upper()}{text[1:]} ({head['as_of']})."
            if event["kind"] in _SINCE:
                return f"No proposal has come since {event['recipe']} {_SINCE[event['kind']]} ({head['as_of']})."
    return "No proposal has come yet."


def _weeks(count: int) -> str:
    return f"{count} week" + ("" if count == 1 else "s")
