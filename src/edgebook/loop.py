"""The loop: one week is one seal, and the next seal is a function of the last one and of what has become known.

`learn_week` reads no clock, no file and no random number. It is folded over the weeks by `edgebook.history`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.arms import Arm, ArmWeek, Rules, run_week, start_arm
from edgebook.book import BookWeek, trade_week
from edgebook.errors import SealError, SettingsError
from edgebook.gate import Trial, bet, promotion_bar
from edgebook.market import WEEK_MS, Market, iso, milliseconds
from edgebook.params import plain, section
from edgebook.recipes import Recipe
from edgebook.seals import DAY_COLUMNS, FORMAT, GATE_COLUMNS, LEDGER_COLUMNS, SHADOW_COLUMNS, Seal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.policy import Policy

FUTILE_WEALTH = 0.1
FUTILE_DAYS = 56
"""A challenger whose backer has lost nine tenths after eight weeks is retired: the slot is worth more to the next."""


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
    """

    market: Market
    rules: Rules
    recipes: Mapping[str, Recipe]
    history: str
    source: str
    attachments: Mapping[str, str] = field(default_factory=dict)
    pinned: Mapping[str, Policy] = field(default_factory=dict)


def begin_history(inputs: Inputs, *, at: str) -> Seal:
    """The first seal: arms warmed up on the weeks before, no trade yet.

    Parameters
    ----------
    inputs : Inputs
    at : str
        The Monday of genesis.

    Raises
    ------
    SettingsError
        There is too little data before genesis.
    """
    moment = milliseconds(at)
    first = int(inputs.market.date[0])
    needed = (inputs.rules.learning.warmup_weeks + 4) * WEEK_MS
    if moment - first < needed:
        raise SettingsError(
            f"params.yaml: run.genesis: {at} lies {(moment - first) // WEEK_MS} weeks after the first bar; "
            f"learning.warmup_weeks and four more make {needed // WEEK_MS}; choose a later Monday"
        )
    recipes: dict[str, dict[str, Any]] = {}
    arms = {}
    for name, recipe in inputs.recipes.items():
        if recipe.role == "proposal":
            continue
        recipes[name] = _registered(recipe, role=recipe.role, origin="genesis", since=at)
        arms[name] = start_arm(name, recipe, inputs.market, at=moment, rules=inputs.rules)
    champion = next(n for n, r in recipes.items() if r["role"] == "champion")
    challenger = next((n for n, r in recipes.items() if r["role"] == "challenger"), None)
    bar = promotion_bar(inputs.rules.gate)
    trials = [
        Trial.begin("baseline", arm=champion, against=name, since=at, bar=bar)
        for name, recipe in recipes.items()
        if recipe["role"] == "baseline"
    ]
    admissions = []
    events = [{"kind": "genesis", "recipe": champion, "text": "the first policy of the history"}]
    if challenger is not None:
        trials.insert(0, Trial.begin("promotion", arm=challenger, against=champion, since=at, bar=bar))
        admissions.append({"week": at, "recipe": challenger})
        events.append({"kind": "admitted", "recipe": challenger, "text": "pre-registered at genesis"})
    head = _head(
        inputs,
        as_of=at,
        previous=None,
        week=0,
        champion=champion,
        challenger=challenger,
        decision={"action": "begin", "recipe": champion},
        events=events,
        admissions=admissions,
        over=[],
        arms=arms,
        data=inputs.market.fingerprint(since=0, until=moment, before=""),
        study_used=None,
    )
    return Seal(
        head=head,
        recipes=recipes,
        arms=arms,
        account=arms[champion].book,
        trials=tuple(trials),
        ledger=pd.DataFrame(columns=LEDGER_COLUMNS),
        shadow=pd.DataFrame(columns=SHADOW_COLUMNS),
        days=pd.DataFrame(columns=DAY_COLUMNS),
        gate=pd.DataFrame(columns=GATE_COLUMNS),
        attachments=dict(inputs.attachments),
    )


def learn_week(previous: Seal, inputs: Inputs, *, as_of: str) -> Seal:
    """The next seal.

    Parameters
    ----------
    previous : Seal
        Of the week before; its policies were fixed before this week began.
    inputs : Inputs
    as_of : str
        The Monday at which the week ends. Everything used was known then.

    Returns
    -------
    Seal

    Raises
    ------
    SealError
        The previous seal is not that of the week before.
    SettingsError
        A recipe that the history knows was changed in params.yaml.
    """
    until = milliseconds(as_of)
    if milliseconds(previous.as_of) != until - WEEK_MS:
        raise SealError(f"models/{inputs.history}/{previous.as_of}: is not the seal of the week before {as_of}")
    _check_recipes(previous, inputs)
    market, rules = inputs.market, inputs.rules

    # 1, 2: policies fixed before the week score it; books are marked to market.
    recipes = {name: dict(entry) for name, entry in previous.recipes.items()}
    settings = {name: _recipe(entry, name) for name, entry in recipes.items()}
    weeks = {
        name: run_week(arm, settings[name], market, until=until, rules=rules) for name, arm in previous.arms.items()
    }
    champion = previous.champion
    account = trade_week(
        previous.account,
        weeks[champion].signals,
        market=market,
        sizing=rules.sizing,
        cost=rules.cost,
        since=until - WEEK_MS,
        until=until,
    )

    # 3, 4: the gate takes the week's paired daily scores.
    trials, gate_rows = [], []
    for trial in previous.trials:
        differences = weeks[trial.arm].scores - weeks[trial.against].scores
        after, path = bet(trial, differences, gate=rules.gate)
        if after.crossed is None and path.max() >= after.bar:
            after = replace(after, crossed=as_of)
        trials.append(after)
        gate_rows += [
            {
                "date": day["date"],
                "kind": trial.kind,
                "arm": trial.arm,
                "against": trial.against,
                "book_difference": round(float(difference[0]), 6),
                "candidate_difference": round(float(difference[1]), 6),
                "wealth": float(value),
                "bar": trial.bar,
            }
            for day, difference, value in zip(account.days, differences, path, strict=True)
        ]
    state = _State(
        as_of=as_of,
        champion=champion,
        challenger=previous.head["challenger"],
        recipes=recipes,
        arms={name: week.arm for name, week in weeks.items()},
        trials=trials,
        over=[dict(row) for row in previous.head["over"]],
        admissions=[dict(row) for row in previous.head["admissions"]],
        wealth={id(t): t.wealth(book_share=rules.gate.book_share) for t in trials},
    )
    _decide(state, inputs)

    # 5 happened in run_week: every arm has next week's policy. 6: a free slot admits the next proposal.
    attachments = previous.attachments | dict(inputs.attachments)
    study_used = _admit(state, inputs, attachments=attachments, used=previous.head["study_used"], until=until)

    data = market.fingerprint(since=until - WEEK_MS, until=until, before=previous.head["fingerprints"]["data"])
    head = _head(
        inputs,
        as_of=as_of,
        previous=previous.as_of,
        week=previous.head["week"] + 1,
        champion=state.champion,
        challenger=state.challenger,
        decision=state.decision,
        events=state.events,
        admissions=state.admissions,
        over=state.over,
        arms=state.arms,
        data=data,
        study_used=study_used,
    )
    return Seal(
        head=head,
        recipes=state.recipes,
        arms=state.arms,
        account=account.book,
        trials=tuple(state.trials),
        ledger=_ledger_rows(account, market=market, since=until - WEEK_MS),
        shadow=_shadow_rows(weeks, market=market, champion=champion, since=until - WEEK_MS),
        days=_day_rows(weeks, account),
        gate=pd.DataFrame(gate_rows, columns=GATE_COLUMNS),
        attachments=attachments,
    )


@dataclass
class _State:
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


def _decide(state: _State, inputs: Inputs) -> None:
    """Pins first, then rollback, then the challenger."""
    learning, gate = inputs.rules.learning, inputs.rules.gate
    pin = next((p for p in learning.pins if p.week == state.as_of), None)
    if pin is not None:
        _pin(state, inputs, version=pin.version, reason=pin.reason)
        return
    watch = next((t for t in state.trials if t.kind == "rollback"), None)
    if watch is not None:
        age_weeks = watch.days // 7
        if watch.crossed is not None:
            fallen, back = watch.against, watch.arm
            wealth = state.wealth[id(watch)]
            state.end(watch, "rolled back")
            _crown(state, back, gate_bar=promotion_bar(gate))
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
        approved = any(a.recipe == trial.arm and trial.crossed <= a.week <= state.as_of for a in learning.approvals)
        if learning.approval == "manual" and not approved:
            state.decision["action"] = "recommend"
            if trial.crossed == state.as_of:
                state.event("recommended", trial.arm, f"wealth {wealth:.1f} reached {trial.bar:g}; waits for approval")
            return
        _promote(state, trial, wealth=wealth, gate_bar=promotion_bar(gate), rollback_bar=gate.rollback_bar)
        return
    weeks = trial.days // 7
    futile = trial.days >= FUTILE_DAYS and wealth < FUTILE_WEALTH
    if weeks >= learning.trial_weeks or futile:
        why = f"wealth {wealth:.3f} after {weeks} weeks" + (", hopeless" if futile else ", time is up")
        state.end(trial, "retired")
        state.retire(trial.arm)
        state.challenger = None
        state.decision["action"] = "retire"
        state.event("retired", trial.arm, why)


def _promote(state: _State, trial: Trial, *, wealth: float, gate_bar: float, rollback_bar: float) -> None:
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


def _crown(state: _State, name: str, *, gate_bar: float) -> None:
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


def _pin(state: _State, inputs: Inputs, *, version: str, reason: str) -> None:
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
        policy = inputs.pinned[version]
        frozen = replace(_recipe(state.recipes[name], name), refit_weeks=0, title=f"{name} as of {week}")
        state.recipes[target] = _registered(frozen, role="champion", origin=f"pin to {version}", since=state.as_of)
        warm = start_arm(target, frozen, inputs.market, at=milliseconds(state.as_of), rules=inputs.rules)
        state.arms[target] = replace(warm, policy=replace(policy, recipe=target))
    elif name not in state.arms:
        recipe = _recipe(state.recipes[name], name)
        state.arms[name] = start_arm(name, recipe, inputs.market, at=milliseconds(state.as_of), rules=inputs.rules)
        state.recipes[name]["until"] = None
    if target != old:
        # A baseline that is called upon stays a shadow of itself no longer.
        for trial in [t for t in state.trials if target in (t.arm, t.against)]:
            state.end(trial, "pinned")
        _crown(state, target, gate_bar=promotion_bar(inputs.rules.gate))
        state.retire(old)
    state.decision = {"action": "pin", "recipe": target, "reason": reason}
    state.event("pinned", target, reason)


def _admit(
    state: _State, inputs: Inputs, *, attachments: Mapping[str, str], used: str | None, until: int
) -> str | None:
    """Fill a free slot with the next proposal; returns the study that has been used."""
    proposals: list[tuple[str | None, str, Recipe]] = [
        (name, "proposed by hand", recipe)
        for name, recipe in inputs.recipes.items()
        if recipe.role == "proposal" and name not in state.recipes
    ]
    study = json.loads(attachments["study/study.json"]) if "study/study.json" in attachments else None
    if study is not None and study["as_of"] != used and study["proposal"] is not None:
        recipe = section(Recipe, study["proposal"], where="study.json: proposal")
        proposals.append((None, f"tuning of {study['as_of']}", recipe))
    if state.challenger is not None or not proposals:
        return used
    year = state.as_of[:4]
    admitted = sum(row["week"][:4] == year for row in state.admissions)
    if admitted >= inputs.rules.gate.admissions_per_year:
        state.event(
            "waiting", proposals[0][0] or "proposal", f"the error budget of {year} is spent on {admitted} challengers"
        )
        return used
    given, origin, recipe = proposals[0]
    if any(entry["settings"] == plain(recipe.settings()) for entry in state.recipes.values()):
        known = next(n for n, e in state.recipes.items() if e["settings"] == plain(recipe.settings()))
        state.event("not admitted", known, f"{origin}: the proposal is {known} again")
        return study["as_of"] if given is None and study is not None else used
    name = given or f"r{1 + max(_number(n) for n in state.recipes)}"
    state.recipes[name] = _registered(recipe, role="challenger", origin=origin, since=state.as_of)
    state.arms[name] = start_arm(name, recipe, inputs.market, at=until, rules=inputs.rules)
    state.challenger = name
    state.admissions.append({"week": state.as_of, "recipe": name})
    bar = promotion_bar(inputs.rules.gate)
    state.trials.insert(0, Trial.begin("promotion", arm=name, against=state.champion, since=state.as_of, bar=bar))
    state.event(
        "admitted", name, f"{origin}; number {admitted + 1} of {inputs.rules.gate.admissions_per_year} in {year}"
    )
    return study["as_of"] if given is None and study is not None else used


def _number(name: str) -> int:
    digits = name.removeprefix("r").partition("-")[0]
    return int(digits) if digits.isdigit() else 0


def _registered(recipe: Recipe, *, role: str, origin: str, since: str) -> dict[str, Any]:
    return {
        "role": role,
        "title": recipe.title,
        "origin": origin,
        "since": since,
        "until": None,
        "settings": plain(recipe.settings()),
    }


def _recipe(entry: Mapping[str, Any], name: str) -> Recipe:
    return section(Recipe, dict(entry["settings"]) | {"title": entry["title"]}, where=f"recipes.json: {name}")


def _check_recipes(previous: Seal, inputs: Inputs) -> None:
    """A recipe is immutable once a history has it."""
    for name, recipe in inputs.recipes.items():
        known = previous.recipes.get(name)
        if known is not None and known["settings"] != plain(recipe.settings()):
            changed = [k for k, v in plain(recipe.settings()).items() if known["settings"].get(k) != v]
            raise SettingsError(
                f"params.yaml: recipes.{name}: {', '.join(changed)} differ from the recipe that history "
                f"{inputs.history} knows by that name; recipes are immutable, add the change under a new name"
            )


def _head(
    inputs: Inputs,
    *,
    as_of: str,
    previous: str | None,
    week: int,
    champion: str,
    challenger: str | None,
    decision: dict[str, Any],
    events: list[dict[str, Any]],
    admissions: list[dict[str, Any]],
    over: list[dict[str, Any]],
    arms: Mapping[str, Arm],
    data: str,
    study_used: str | None,
) -> dict[str, Any]:
    """What seal.json says."""
    rules = inputs.rules
    settings = plain({"sizing": rules.sizing, "gate": rules.gate, "learning": rules.learning, "cost": rules.cost})
    settings["learning"] = {k: v for k, v in settings["learning"].items() if k not in ("pins", "approvals")}
    settings["recipes"] = {name: plain(recipe.settings()) for name, recipe in inputs.recipes.items()}
    year = as_of[:4]
    admitted = sum(row["week"][:4] == year for row in admissions)
    budget = {
        "year": int(year),
        "admitted": admitted,
        "admissions_per_year": rules.gate.admissions_per_year,
        "alpha_spent": round(admitted * rules.gate.alpha_per_year / rules.gate.admissions_per_year, 6),
        "alpha_per_year": rules.gate.alpha_per_year,
    }
    return {
        "format": FORMAT,
        "history": inputs.history,
        "market": inputs.source,
        "as_of": as_of,
        "previous": previous,
        "week": week,
        "champion": champion,
        "champion_version": arms[champion].policy.version,
        "challenger": challenger,
        "arms": list(arms),
        "decision": decision,
        "events": events,
        "budget": budget,
        "admissions": admissions,
        "over": over,
        "study_used": study_used,
        "settings": {name: settings[name] for name in ("sizing", "gate", "cost")},
        "fingerprints": {"parameters": _fingerprint(settings), "data": data},
    }


def _fingerprint(settings: Any) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def _ledger_rows(week: BookWeek, *, market: Market, since: int) -> pd.DataFrame:
    """Rows of one book as they became known: what closed in the week, and what was entered in it and is open."""
    rows = [trade | {"status": "closed"} for trade in week.closed]
    start = iso(since)
    rows += [dict(p) | {"status": "open"} for p in week.book.positions if p["open_date"] >= start]
    frame = pd.DataFrame(rows).reindex(columns=LEDGER_COLUMNS) if rows else pd.DataFrame(columns=LEDGER_COLUMNS)
    frame = frame.sort_values(["status", "close_date", "open_date", "signal_id"], na_position="last", kind="stable")
    frame["bars_held"] = frame["bars_held"].astype("Int64")
    return frame.reset_index(drop=True)


def _shadow_rows(weeks: Mapping[str, ArmWeek], *, market: Market, champion: str, since: int) -> pd.DataFrame:
    frames = [_ledger_rows(week.book, market=market, since=since).assign(arm=name) for name, week in weeks.items()]
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        return pd.DataFrame(columns=SHADOW_COLUMNS)
    return pd.concat(frames, ignore_index=True)[SHADOW_COLUMNS]


def _day_rows(weeks: Mapping[str, ArmWeek], account: BookWeek) -> pd.DataFrame:
    rows = [day | {"arm": "account"} for day in account.days]
    for name, week in weeks.items():
        for day, (book, candidate) in zip(week.book.days, week.scores, strict=True):
            rows.append(day | {"arm": name, "book_score": float(book), "candidate_score": float(candidate)})
    frame = pd.DataFrame(rows, columns=DAY_COLUMNS)
    return frame.sort_values(["date", "arm"], kind="stable").reset_index(drop=True)
