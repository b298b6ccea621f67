"""What the days since the last seal have brought, by the loop's own functions; nothing of it is sealed.

The policies of the seal were fixed before the week began: a day is scored, traded and marked exactly as the week will
be, over fewer days. What was learned is a preview: it counts from the next week on, when the week is sealed whole.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edgebook.arms.arms import run_week
from edgebook.arms.book import trade_orders
from edgebook.arms.gate import bet
from edgebook.importance.importance_run import kept_in_force
from edgebook.loop.drift_week import watch_week
from edgebook.loop.routing import account_orders
from edgebook.loop.week_rows import account_rows
from edgebook.outcomes.outcomes import signal_id
from edgebook.policy.market import DAY_MS, REGIMES, SIDES, WEEK_MS, iso, milliseconds
from edgebook.running.live import open_positions
from edgebook.settings.recipe_entries import known_recipe
from edgebook.settings.recipes import HEAD_LETTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from edgebook.arms.arms import ArmWeek
    from edgebook.arms.book import BookWeek
    from edgebook.loop.decisions import Inputs
    from edgebook.policy.policy import Policy
    from edgebook.seals.seals import Seal

LEAST_CHANGE = 0.0005
"""A head weight that would move by less is not told."""


@dataclass(frozen=True)
class Days:
    """The days of a week up to one of its midnights.

    Parameters
    ----------
    since, until : int
        Milliseconds UTC: the seal's Monday, and the midnight.
    weeks : mapping of str to ArmWeek
        By recipe; the arms' policies are previews.
    account : BookWeek
    ledger : DataFrame
        Rows of the account as the week's ledger would have them.
    """

    since: int
    until: int
    weeks: Mapping[str, ArmWeek]
    account: BookWeek
    ledger: pd.DataFrame


def fold_days(previous: Seal, inputs: Inputs, *, until: int) -> Days:
    """Run every arm and the account from the seal to a midnight of the week after it.

    Parameters
    ----------
    previous : Seal
    inputs : Inputs
        Its market holds what was known at `until`, and nothing later.
    until : int
        Milliseconds UTC; at the Monday the account is that of the next seal.
    """
    since, rules = milliseconds(previous.as_of), replace(inputs.rules, kept=kept_in_force(previous.attachments))
    weeks = {
        name: run_week(
            arm,
            known_recipe(previous.recipes[name], name),
            inputs.market,
            until=until,
            rules=rules,
            since=since,
        )
        for name, arm in previous.arms.items()
    }
    challenger = previous.head["challenger"]
    account = trade_orders(
        previous.account,
        account_orders(
            weeks[previous.champion].signals,
            weeks[challenger].signals if challenger is not None else None,
            market=inputs.market,
            ab_test=inputs.ab_test,
        ),
        market=inputs.market,
        sizing=rules.sizing,
        cost=rules.cost,
        since=since,
        until=until,
    )
    return Days(since, until, weeks, account, account_rows(account, since=since))


def day_document(previous: Seal, inputs: Inputs, *, until: int) -> dict[str, Any]:
    """What there is to say of a day: `edgebook daily` prints it and writes it down.

    Parameters
    ----------
    previous : Seal
    inputs : Inputs
    until : int
        Milliseconds UTC, the midnight that ends the day.
    """
    days = fold_days(previous, inputs, until=until)
    champion = days.weeks[previous.champion]
    today = iso(until - DAY_MS)
    closed = days.ledger[days.ledger["status"] == "closed"]
    last, first = days.account.days[-1], previous.account.equity
    gate = gate_so_far(previous, inputs, days=days)
    alarms = _alarms(gate) + drift_so_far(previous, inputs, days=days)
    return {
        "history": inputs.history,
        "date": iso(until)[:10],
        "seal": previous.as_of,
        "fingerprints": dict(previous.head["fingerprints"]),
        "champion": previous.arms[previous.champion].policy.version,
        "bars_until": iso(int(inputs.market.date[-1])),
        "signals": _decided(champion, days, inputs=inputs, since=until - DAY_MS),
        "closed_today": _records(closed[closed["close_date"] > today]),
        "closed": _records(closed),
        "open": open_positions(days.account.book, inputs.market, at=until),
        "account": days.account.book.to_json(),
        "return_today": last["return_ratio"],
        "return_since_seal": round(last["equity"] / first - 1.0, 8) + 0.0,
        "arms": {
            name: {"equity": week.book.book.equity, "closed": len(week.book.closed)}
            for name, week in days.weeks.items()
        },
        "gate": gate,
        "alarms": alarms,
        "learned": _learned(previous.arms[previous.champion].policy, champion, since=days.since),
    }


def gate_so_far(previous: Seal, inputs: Inputs, *, days: Days) -> list[dict[str, Any]]:
    """Wealth of every trial after these days; it decides when the week is sealed."""
    rows = []
    for trial in previous.trials:
        differences = days.weeks[trial.arm].scores - days.weeks[trial.against].scores
        _, path = bet(trial, differences, gate=inputs.rules.gate)
        rows.append(
            {
                "kind": trial.kind,
                "arm": trial.arm,
                "against": trial.against,
                "wealth": round(float(path[-1]), 6),
                "bar": trial.bar,
            }
        )
    return rows


def drift_so_far(previous: Seal, inputs: Inputs, *, days: Days) -> list[dict[str, Any]]:
    """Alarms of the drift watch on these days, as the week's seal will have them as events."""
    champion = previous.champion
    _, events = watch_week(
        previous.attachments,
        days.weeks[champion].seen,
        champion=champion,
        successor=champion,
        policy=previous.arms[champion].policy,
        closed=days.account.closed,
        market=inputs.market,
        settings=inputs.drift,
        until=days.since + WEEK_MS,
    )
    return events


def next_week_of(seal: Seal) -> str:
    """The Monday that ends the week after a seal."""
    return iso(milliseconds(seal.as_of) + WEEK_MS)[:10]


def midnight(date: str) -> int:
    """Milliseconds UTC of a day written like 2019-07-02.

    Raises
    ------
    ValueError
        It is no date.
    """
    return milliseconds(datetime.date.fromisoformat(date).isoformat())


def _alarms(gate: list[dict[str, Any]]) -> list[dict[str, str]]:
    """What would make the sealed week roll back."""
    return [
        {
            "kind": "rollback",
            "text": f"{row['arm']} leads {row['against']} by wealth {row['wealth']:.2f}, the bar is {row['bar']:g}: "
            "the week would roll back",
        }
        for row in gate
        if row["kind"] == "rollback" and row["wealth"] >= row["bar"]
    ]


def _decided(champion: ArmWeek, days: Days, *, inputs: Inputs, since: int) -> list[dict[str, Any]]:
    """Signals of the champion entered in the day, and whether the account had room for them."""
    import pandas as pd

    signals, market = champion.signals, inputs.market
    plan = market.simulated[signals.policy.exit_plan]
    held = set(days.ledger["signal_id"]) | {p["signal_id"] for p in days.account.book.positions}
    rows = []
    for row, side, at in zip(signals.row.tolist(), signals.side.tolist(), signals.at.tolist(), strict=True):
        if plan.open_ms[row, side] < since:
            continue
        pair, timeframe = market.pairs[market.pair[row]], market.timeframes[market.timeframe[row]]
        moment = pd.Timestamp(int(market.date[row]), unit="ms")
        name = signal_id(pair=pair, timeframe=timeframe, date=moment, is_short=bool(side))
        rows.append(
            {
                "signal_id": name,
                "side": SIDES[side],
                "open_date": iso(int(plan.open_ms[row, side])),
                "confidence": float(signals.scores.confidence[at, side]),
                "threshold": float(signals.scores.threshold[at]),
                "certified": bool(signals.scores.certified[at]),
                "entered": name in held,
            }
        )
    return rows


def _learned(now: Policy, champion: ArmWeek, *, since: int) -> dict[str, Any]:
    """What the champion would know next week if the week ended here, beside what it knows."""
    then = champion.arm.policy
    weights = {
        f"{regime} {letter}": [float(now.weights[i, k]), float(then.weights[i, k])]
        for i, regime in enumerate(REGIMES)
        for k, letter in enumerate(HEAD_LETTERS)
        if abs(then.weights[i, k] - now.weights[i, k]) >= LEAST_CHANGE
    }
    return {
        "outcomes": len(champion.seen.won),
        "won": int(champion.seen.won.sum()),
        "mean_r": round(float(champion.seen.r_multiple.mean()), 4) if len(champion.seen.won) else None,
        "in_force_from": iso(since + WEEK_MS)[:10],
        "head_weights": weights,
        "thresholds": {
            name: [now.thresholds[name].value, then.thresholds[name].value]
            for name in REGIMES
            if now.thresholds[name].value != then.thresholds[name].value
        },
    }


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Ledger rows as plain mappings, what is missing as null."""
    found: list[dict[str, Any]] = json.loads(rows.to_json(orient="records", double_precision=15))
    return found
