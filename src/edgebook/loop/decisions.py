"""What a week decides: pins, rollback, promotion, retirement, and who is admitted to a free slot.

The order is fixed: a person's pin first, then the safety of the champion, then the challenger. Each decision is an
event that the seal keeps.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from edgebook.arms.arms import Arm, Rules, start_arm
from edgebook.arms.gate import Trial, baseline_bar, challenge
from edgebook.errors import SettingsError
from edgebook.loop.proposals import refusal, waiting
from edgebook.policy.market import REGIMES, Market, milliseconds
from edgebook.settings.params import AbTest, Drift
from edgebook.settings.recipe_entries import known_recipe, registered
from edgebook.statistics.thresholds import ThresholdSums

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.policy.policy import Policy
    from edgebook.settings.recipes import Recipe

FUTILE_WEALTH = 0.2
FUTILE_DAYS = 56
"""A challenger whose backer has lost four fifths after eight weeks is retired: the slot is worth more to the next."""


@dataclass(frozen=True)
class Inputs:
    """What a week's run is given beside the previous seal.

    Parameters
    ----------
    market : Market
        All bars, indicators, regimes and outcomes; `learn_week` uses what was known.
    rules : Rules
    recipes : mapping of str to Recipe
        From params.yaml: those of genesis, and proposals by hand.
    history : str
    source : str
        Name of the market, for the reports.
    attachments : mapping of str to str
        Text files of this week's tuning study and importance run; empty when neither was due.
    pinned : mapping of str to Policy
        Policies of versions that a pin names, by version.
    ab_test : AbTest
        Which arm the account follows in this week.
    drift : Drift
        Settings of the watch over the champion's outcomes.
    """

    market: Market
    rules: Rules
    recipes: Mapping[str, Recipe]
    history: str
    source: str
    attachments: Mapping[str, str] = field(default_factory=dict)
    pinned: Mapping[str, Policy] = field(default_factory=dict)
    ab_test: AbTest = field(default_factory=AbTest)
    drift: Drift = field(default_factory=Drift)


@dataclass
class State:
    """What the decisions of a week change, one after the other."""

    as_of: str
    champion: str
    challenger: str | None
    recipes: dict[str, dict[str, Any]]
    arms: dict[str, Arm]
    trials: list[Trial]
    over: list[dict[str, Any]]
    admissions: list[dict[str, Any]]
    wealth: dict[int, float]
    events: list[dict[str, Any]] = field(default_factory=list)
    decision: dict[str, Any] = field(default_factory=lambda: {"action": "keep"})

    def end(self, trial: Trial, outcome: str) -> None:
        """File a trial that is over."""
        self.trials.remove(trial)
        self.over.append(
            {
                "kind": trial.kind,
                "arm": trial.arm,
                "against": trial.against,
                "since": trial.since,
                "until": self.as_of,
                "days": trial.days,
                "wealth": self.wealth[id(trial)],
                "bar": trial.bar,
                "outcome": outcome,
            }
        )

    def retire(self, name: str) -> None:
        """Close an arm; its recipe stays on record."""
        self.recipes[name]["until"] = self.as_of
        self.recipes[name]["role"] = "retired"
        self.arms.pop(name, None)
        for trial in [t for t in self.trials if name in (t.arm, t.against)]:
            self.end(trial, "ended with the arm")

    def event(self, kind: str, recipe: str, text: str) -> None:
        """Write down what happened."""
        self.events.append({"kind": kind, "recipe": recipe, "text": text})


def decide(state: State, inputs: Inputs) -> None:
    """Pins first, then rollback, then the challenger."""
    learning, gate = inputs.rules.learning, inputs.rules.gate
    pins = [p for p in learning.pins if p.week == state.as_of and p.history in (None, inputs.history)]
    if pins:
        pin = pins[-1]  # the last word of the week
        _pin(state, inputs, version=pin.version, reason=pin.reason)
        return
    watch = next((t for t in state.trials if t.kind == "rollback"), None)
    if watch is not None:
        age_weeks = watch.days // 7
        if watch.crossed is not None:
            fallen, back = watch.against, watch.arm
            wealth = state.wealth[id(watch)]
            state.end(watch, "rolled back")
            _crown(state, back, gate_bar=baseline_bar(gate))
            state.retire(fallen)
            state.decision = {"action": "roll back", "recipe": back, "wealth": wealth, "bar": watch.bar}
            state.event("rolled back", back, f"{fallen} did worse than {back} since its promotion: wealth {wealth:.2f}")
            return
        if age_weeks >= gate.rollback_weeks:
            state.end(watch, "promotion held")
            former = watch.arm
            state.retire(former)
            state.event("confirmed", state.champion, f"{former} is no longer kept in shadow")
    trial = next((t for t in state.trials if t.kind == "promotion"), None)
    if trial is None:
        state.decision = {"action": "no challenger"}
        return
    wealth = state.wealth[id(trial)]
    state.decision = {"action": "keep", "recipe": trial.arm, "wealth": wealth, "bar": trial.bar}
    if trial.crossed is not None:
        approved = any(
            a.recipe == trial.arm and a.history in (None, inputs.history) and trial.crossed <= a.week <= state.as_of
            for a in learning.approvals
        )
        if learning.approval == "manual" and not approved:
            if trial.days // 7 >= learning.trial_weeks and trial.crossed < state.as_of:
                _retire(state, trial, f"recommended on {trial.crossed}, not approved by the end of its trial")
                return
            state.decision["action"] = "recommend"
            if trial.crossed == state.as_of:
                state.event("recommended", trial.arm, f"wealth {wealth:.1f} reached {trial.bar:g}; waits for approval")
            return
        _promote(state, trial, wealth=wealth, gate_bar=baseline_bar(gate), rollback_bar=gate.rollback_bar)
        return
    weeks = trial.days // 7
    futile = trial.days >= FUTILE_DAYS and wealth < FUTILE_WEALTH
    if weeks >= learning.trial_weeks or futile:
        why = f"wealth {wealth:.3f} after {weeks} weeks" + (", hopeless" if futile else ", time is up")
        _retire(state, trial, why)


def _retire(state: State, trial: Trial, why: str) -> None:
    """The slot falls free."""
    state.end(trial, "retired")
    state.retire(trial.arm)
    state.challenger = None
    state.decision["action"] = "retire"
    state.event("retired", trial.arm, why)


def _promote(state: State, trial: Trial, *, wealth: float, gate_bar: float, rollback_bar: float) -> None:
    """The challenger takes over; the old champion is kept in shadow to watch over the promotion."""
    new, old = trial.arm, trial.against
    state.end(trial, "promoted")
    for watch in [t for t in state.trials if t.kind == "rollback"]:
        former = watch.arm
        state.end(watch, "superseded")
        state.retire(former)
    _crown(state, new, gate_bar=gate_bar)
    state.recipes[old]["role"] = "former"
    state.trials.append(Trial.begin("rollback", arm=old, against=new, since=state.as_of, bar=rollback_bar))
    state.challenger = None
    state.decision = {"action": "promote", "recipe": new, "wealth": wealth, "bar": trial.bar}
    state.event("promoted", new, f"wealth {wealth:.1f} reached the bar of {trial.bar:g} against {old}")


def _crown(state: State, name: str, *, gate_bar: float) -> None:
    """Make an arm the champion; comparisons with the old one are over."""
    for trial in [t for t in state.trials if t.kind in ("baseline", "promotion")]:
        state.end(trial, "champion changed")
        if trial.kind == "baseline":
            state.trials.append(
                Trial.begin("baseline", arm=name, against=trial.against, since=state.as_of, bar=gate_bar)
            )
    if state.challenger is not None and state.challenger != name:
        state.retire(state.challenger)
    state.challenger = None
    state.champion = name
    state.recipes[name]["role"] = "champion"


def _pin(state: State, inputs: Inputs, *, version: str, reason: str) -> None:
    """A rollback by hand: to a recipe, or to a version, which then stays as it was."""
    name, _, week = version.partition("@")
    if name not in state.recipes:
        raise SettingsError(
            f"params.yaml: learning.pins: {version} is not a recipe of this history; see `edgebook versions`"
        )
    old = state.champion
    target = name
    if week:
        target = f"{name}-{week.replace('-', '')}"
    if week and target not in state.arms:
        policy = inputs.pinned[version]
        frozen = replace(known_recipe(state.recipes[name], name), refit_weeks=0, title=f"{name} as of {week}")
        state.recipes[target] = registered(frozen, role="champion", origin=f"pin to {version}", since=state.as_of)
        warm = start_arm(target, frozen, inputs.market, at=milliseconds(state.as_of), rules=inputs.rules)
        state.arms[target] = replace(warm, policy=replace(policy, recipe=target))
    elif target not in state.arms:
        recipe = known_recipe(state.recipes[name], name)
        state.arms[name] = start_arm(name, recipe, inputs.market, at=milliseconds(state.as_of), rules=inputs.rules)
        state.recipes[name]["until"] = None
    if target != old:
        bar = baseline_bar(inputs.rules.gate)
        for former in [t.arm for t in state.trials if t.kind == "rollback" and t.arm != target]:
            state.retire(former)
        for trial in [t for t in state.trials if target in (t.arm, t.against)]:
            state.end(trial, "pinned")
        _crown(state, target, gate_bar=bar)
        if old in inputs.recipes and inputs.recipes[old].role == "baseline":
            # The claim that learning pays rests on the baseline: it goes back into its shadow book.
            state.recipes[old]["role"] = "baseline"
            state.trials.append(Trial.begin("baseline", arm=target, against=old, since=state.as_of, bar=bar))
        else:
            state.retire(old)
    state.decision = {"action": "pin", "recipe": target, "reason": reason}
    state.event("pinned", target, reason)


def admit(state: State, inputs: Inputs, *, attachments: Mapping[str, str], used: str | None, until: int) -> str | None:
    """Fill a free slot with the next proposal; returns which of the study's has had its turn."""
    written = {name: recipe for name, recipe in inputs.recipes.items() if (recipe.proposed or "") <= state.as_of}
    known = {name: entry["settings"] for name, entry in state.recipes.items()}
    queue = waiting(written, attachments, known=known, champion=state.champion, used=used)
    if state.challenger is not None or not queue:
        return used
    year = state.as_of[:4]
    admitted = sum(row["week"][:4] == year for row in state.admissions)
    if admitted >= inputs.rules.gate.admissions_per_year:
        state.event(
            "waiting", queue[0].name or "proposal", f"the error budget of {year} is spent on {admitted} challengers"
        )
        return used
    for proposal in queue:
        used = proposal.used or used
        refused = refusal(proposal, known=known)
        if refused is None:
            break
        state.event("not admitted", *refused)
    else:
        return used
    name = proposal.name or f"r{1 + max(_number(n) for n in (*state.recipes, *written))}"
    state.recipes[name] = registered(proposal.recipe, role="challenger", origin=proposal.origin, since=state.as_of)
    state.arms[name] = _unproven_arm(name, proposal.recipe, inputs, at=until)
    state.challenger = name
    state.admissions.append({"week": state.as_of, "recipe": name})
    rules, number = inputs.rules, admitted + 1
    trial = challenge(rules.gate, number=number, weeks=rules.learning.trial_weeks)
    state.trials.insert(0, replace(trial, arm=name, against=state.champion, since=state.as_of))
    limit = inputs.rules.gate.admissions_per_year
    state.event("admitted", name, f"{proposal.origin}; number {admitted + 1} of {limit} in {year}")
    return used


def _unproven_arm(name: str, recipe: Recipe, inputs: Inputs, *, at: int) -> Arm:
    """An arm whose thresholds are certified by what comes after its admission alone.

    A proposal was chosen by its outcomes in the weeks before, by a study or by a person: a certificate that counts them
    would be one of the best of many.
    """
    rules = replace(inputs.rules, learning=replace(inputs.rules.learning, certify_alpha=0.0))
    arm = start_arm(name, recipe, inputs.market, at=at, rules=rules)
    return replace(arm, record=replace(arm.record, thresholds=tuple(ThresholdSums.empty() for _ in REGIMES)))


def _number(name: str) -> int:
    digits = name.removeprefix("r").partition("-")[0]
    return int(digits) if digits.isdigit() else 0
