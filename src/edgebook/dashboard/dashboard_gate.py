"""The gate's trials, the alarms of the drift watch and the open positions, as the dashboard's document has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.analyses.ab_trials import comparisons
from edgebook.arms.drift_words import alarms_of, kind_of
from edgebook.dashboard.dashboard_numbers import MINUTE_MS, number
from edgebook.seals.seal_lines import book_share, decision_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.arms.gate import Kind
    from edgebook.seals.week import Week
    from edgebook.summary.summary_state import Position

_KINDS: tuple[Kind, ...] = ("promotion", "rollback", "baseline")


def gate_document(week: Week) -> dict[str, Any]:
    """Every trial so far with its wealth and bar, the error budget, and the decision in a sentence.

    Parameters
    ----------
    week : Week

    Returns
    -------
    dict
        trials (by kind, then time; wealth of those that go on as metrics.json has it), budget, words.
    """
    share = book_share(week.seal)
    running = {(t.kind, t.arm, t.against): t.wealth(book_share=share) for t in week.seal.trials}
    trials = []
    for kind in _KINDS:
        for found in comparisons(week, kind=kind):
            wealth = running.get((kind, found.arm, found.against), found.wealth) if found.running else found.wealth
            trials.append(
                {
                    "kind": kind,
                    "arm": found.arm,
                    "title": str(week.seal.recipes[found.arm]["title"]),
                    "against": found.against,
                    "since": found.since,
                    "until": None if found.running else found.until,
                    "days": len(found.days),
                    "wealth": number(wealth),
                    "bar": number(found.bar),
                    "outcome": found.outcome,
                    "words": _words(kind, arm=found.arm, against=found.against),
                }
            )
    budget = week.seal.head["budget"]
    return {"trials": trials, "budget": {str(k): v for k, v in budget.items()}, "words": decision_line(week.seal)}


def alarm_rows(heads: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Alarms of the drift watch, newest week first.

    Parameters
    ----------
    heads : sequence of mapping
        seal.json of some weeks, in order.
    """
    return [
        {
            "as_of": str(head["as_of"]),
            "kind": kind_of(str(alarm["stream"])),
            "stream": str(alarm["stream"]),
            "text": str(alarm["text"]),
            "since": str(alarm["since"]),
            "date": str(alarm["date"]),
        }
        for head in reversed(heads)
        for alarm in alarms_of(head)
    ]


def position_rows(positions: Sequence[Mapping[str, Any]], marked: Sequence[Position]) -> list[dict[str, Any]]:
    """Open positions of the account, marked at the last close.

    Parameters
    ----------
    positions : sequence of mapping
        As `Book` keeps them.
    marked : sequence of Position
        As `summary_state.open_positions` gives them: its order is kept.
    """
    held = {str(one["signal_id"]): one for one in positions}
    rows = []
    for mark in marked:
        one = held[mark.signal_id]
        rows.append(
            {
                "signal_id": mark.signal_id,
                "symbol": mark.symbol,
                "timeframe": mark.timeframe,
                "side": mark.side,
                "opened": int(pd.Timestamp(one["open_date"]).timestamp() * 1000) // MINUTE_MS,
                "entry": mark.entry,
                "target": mark.target,
                "stop": mark.stop,
                "last": mark.mark,
                "r": number(mark.r_so_far),
                "stake": number(one["stake"], 2),
                "confidence": number(one["confidence"], 4),
                "certified": mark.certified,
                "pattern": str(one["enter_tag"]) or "none",
                "regime": str(one["regime"]),
                "version": str(one["model_version"]),
            }
        )
    return rows


def _words(kind: str, *, arm: str, against: str) -> str:
    """What a trial asks."""
    return {
        "promotion": f"Is {arm} better than {against}?",
        "rollback": f"Was it wrong to leave {arm} for {against}?",
        "baseline": f"Is learning worth something: {arm} against {against}, which never refits?",
    }[kind]
