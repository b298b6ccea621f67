"""The loop: one week is one seal, and the next seal is a function of the last one and of what has become known.

`learn_week` reads no clock, no file and no random number. It is folded over the weeks by `edgebook.loop.history`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.arms.arms import Arm, run_week, start_arm
from edgebook.arms.book import trade_orders
from edgebook.arms.column_changes import inputs_read
from edgebook.arms.gate import Trial, baseline_bar, bet, challenge, error_share
from edgebook.errors import SealError, SettingsError
from edgebook.importance.importance_run import kept_in_force
from edgebook.loop.decisions import Inputs, State, admit, decide
from edgebook.loop.drift_week import SEALED_NAME, watch_week
from edgebook.loop.genesis import check_genesis
from edgebook.loop.routing import account_orders
from edgebook.loop.week_rows import account_rows, day_rows, learner_rows, shadow_rows
from edgebook.policy.learners import LEARNER_COLUMNS
from edgebook.policy.market import WEEK_MS, milliseconds
from edgebook.seals.sealed_files import FORMAT
from edgebook.seals.seals import DAY_COLUMNS, GATE_COLUMNS, LEDGER_COLUMNS, SHADOW_COLUMNS, Seal
from edgebook.settings.params import plain
from edgebook.settings.recipe_entries import known_recipe, registered

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Inputs", "begin_history", "learn_week"]


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
    first = pd.Timestamp(int(inputs.market.date[0]), unit="ms", tz="UTC")
    check_genesis(at, first=first, warmup_weeks=inputs.rules.learning.warmup_weeks)
    inputs = replace(inputs, rules=replace(inputs.rules, kept=kept_in_force(inputs.attachments)))
    recipes: dict[str, dict[str, Any]] = {}
    arms = {}
    for name, recipe in inputs.recipes.items():
        if recipe.role == "proposal":
            continue
        recipes[name] = registered(recipe, role=recipe.role, origin="genesis", since=at)
        arms[name] = start_arm(name, recipe, inputs.market, at=moment, rules=inputs.rules)
    champion = next(n for n, r in recipes.items() if r["role"] == "champion")
    challenger = next((n for n, r in recipes.items() if r["role"] == "challenger"), None)
    gate = inputs.rules.gate
    trials = [
        Trial.begin("baseline", arm=champion, against=name, since=at, bar=baseline_bar(gate))
        for name, recipe in recipes.items()
        if recipe["role"] == "baseline"
    ]
    admissions = []
    events = [{"kind": "genesis", "recipe": champion, "text": "the first policy of the history"}]
    if challenger is not None:
        trial = challenge(gate, number=1, weeks=inputs.rules.learning.trial_weeks)
        trials.insert(0, replace(trial, arm=challenger, against=champion, since=at))
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
        learners=pd.DataFrame(columns=LEARNER_COLUMNS),
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
    market = inputs.market
    attachments = previous.attachments | dict(inputs.attachments)
    inputs = replace(inputs, rules=replace(inputs.rules, kept=kept_in_force(attachments)))
    rules = inputs.rules

    # 1, 2: policies fixed before the week score it; books are marked to market.
    recipes = {name: dict(entry) for name, entry in previous.recipes.items()}
    settings = {name: known_recipe(entry, name) for name, entry in recipes.items()}
    weeks = {
        name: run_week(arm, settings[name], market, until=until, rules=rules) for name, arm in previous.arms.items()
    }
    champion, challenger = previous.champion, previous.head["challenger"]
    rival = weeks[challenger].signals if challenger is not None else None
    account = trade_orders(
        previous.account,
        account_orders(weeks[champion].signals, rival, market=market, ab_test=inputs.ab_test),
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
    state = State(
        as_of=as_of,
        champion=champion,
        challenger=challenger,
        recipes=recipes,
        arms={name: week.arm for name, week in weeks.items()},
        trials=trials,
        over=[dict(row) for row in previous.head["over"]],
        admissions=[dict(row) for row in previous.head["admissions"]],
        wealth={id(t): t.wealth(book_share=rules.gate.book_share) for t in trials},
    )
    decide(state, inputs)
    attachments[SEALED_NAME], alarms = watch_week(
        previous.attachments, weeks[champion].seen, champion=champion, successor=state.champion,
        policy=previous.arms[champion].policy, closed=account.closed, market=market, settings=inputs.drift, until=until,
    )  # fmt: skip
    state.events += alarms

    # 5 happened in run_week: every arm has next week's policy. 6: a free slot admits the next proposal.
    study_used = admit(state, inputs, attachments=attachments, used=previous.head["study_used"], until=until)

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
        ledger=account_rows(account, since=until - WEEK_MS),
        shadow=shadow_rows(weeks, since=until - WEEK_MS),
        days=day_rows(weeks, account),
        gate=pd.DataFrame(gate_rows, columns=GATE_COLUMNS),
        learners=learner_rows(weeks, as_of=as_of),
        attachments=attachments,
    )


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
    # Proposals come later and are dated; a history derived again with them must be the same before they came.
    settings |= plain({"ab_test": inputs.ab_test, "drift": inputs.drift})
    settings["recipes"] = {n: plain(r.settings()) for n, r in inputs.recipes.items() if r.role != "proposal"}
    year = as_of[:4]
    admitted = sum(row["week"][:4] == year for row in admissions)
    budget = {
        "year": int(year),
        "admitted": admitted,
        "admissions_per_year": rules.gate.admissions_per_year,
        "alpha_spent": round(sum(error_share(rules.gate, number=n + 1) for n in range(admitted)), 6),
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
        "settings": {name: settings[name] for name in ("sizing", "gate", "cost", "ab_test", "drift")},
        "fingerprints": {"parameters": _fingerprint(settings), "data": data},
        **inputs_read(inputs.market, as_of=as_of),
    }


def _fingerprint(settings: Any) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
