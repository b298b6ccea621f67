"""Alarms of the drift watch in plain words, as events of a seal: which stream, since when, how far, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgebook.arms.drift_streams import CANDIDATES, TRADES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.arms.drift import Alarm

KIND = "drift"
"""Of the event in a seal."""
HEAD_NAMES = {
    "A": "trend following", "B": "mean reversion", "C": "momentum and breakout", "D": "volatility",
    "E": "support and resistance", "F": "volume flow", "G": "chart patterns", "H": "cycle and seasonality",
    "I": "market context",
}  # fmt: skip
ADVICE = {
    TRADES: "if it goes on, lower sizing.risk_per_trade or go back with `edgebook rollback`",
    CANDIDATES: "see the calibration in the learning review; if it goes on, go back with `edgebook rollback`",
    "head": "see its weight in the learning review; to do without it, propose a recipe without its indicators",
    "pattern": "see its cells in the outcome analysis before trusting it",
}
"""What to do, by kind of stream."""


def kind_of(stream: str) -> str:
    """Return "trades", "candidates", "head" or "pattern"."""
    return stream.partition(" ")[0]


def stream_words(stream: str) -> str:
    """What a stream is called in a sentence.

    Examples
    --------
    >>> stream_words("head D"), stream_words("pattern double_top")
    ('head D (volatility)', 'candidates with pattern double top')
    """
    kind, _, name = stream.partition(" ")
    if kind == "head":
        return f"head {name} ({HEAD_NAMES[name]})"
    if kind == "pattern":
        return f"candidates with pattern {name.replace('_', ' ')}"
    return {TRADES: "the account's trades", CANDIDATES: "the most confident fifth of candidates"}[stream]


def alarm_text(alarm: Alarm) -> str:
    """Return the alarm as a sentence without its full stop.

    Examples
    --------
    >>> from edgebook.arms.drift import Alarm
    >>> alarm_text(Alarm("pattern double_top", "2019-03-20", "2019-02-01", 61.4, 0.52, 0.41, 5.2))[:95]
    'candidates with pattern double top have won 11 points less often than promised since 2019-02-01'
    """
    kind, short = kind_of(alarm.stream), alarm.promised - alarm.observed
    if kind == TRADES:
        found = (
            f"have earned {short:.2f} R each less than promised since {alarm.since} ({alarm.promised:+.2f} R promised, "
            f"{alarm.observed:+.2f} R earned, n {alarm.count:.0f} trades)"
        )
    else:
        done, has = ("been right", "has") if kind == "head" else ("won", "have")
        unit = "votes" if kind == "head" else "outcomes"
        found = (
            f"{has} {done} {100 * short:.0f} points less often than promised since {alarm.since} "
            f"({alarm.promised:.0%} promised, {alarm.observed:.0%} came, n {alarm.count:.0f} effective {unit})"
        )
    return f"{stream_words(alarm.stream)} {found}, noticed on {alarm.date}; {ADVICE[kind]}"


def alarm_events(alarms: Sequence[Alarm], *, champion: str) -> list[dict[str, Any]]:
    """Return the alarms as events of a seal, the numbers beside the words."""
    return [{"kind": KIND, "recipe": champion, "text": alarm_text(alarm)} | vars(alarm) for alarm in alarms]


def alarms_of(head: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the drift alarms among the events of a seal.json."""
    return [event for event in head["events"] if event["kind"] == KIND]


def alarm_lines(head: Mapping[str, Any], *, most: int = 3) -> list[str]:
    """The alarms of a seal.json as lines of the summary, the first of them in full.

    Parameters
    ----------
    head : mapping
        Of one week.
    most : int
        Lines, the last of which counts what is left.
    """
    alarms = alarms_of(head)
    full = alarms if len(alarms) <= most else alarms[: most - 1]
    lines = [f"Alarm: {alarm['text']}." for alarm in full]
    if len(alarms) > len(full):
        rest = ", ".join(stream_words(alarm["stream"]) for alarm in alarms[len(full) :])
        lines.append(f"Alarm, too: {rest}; the learning review has them all.")
    return lines
