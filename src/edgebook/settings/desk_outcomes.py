"""Section `outcomes` of params.yaml: where the outcomes come from that the loop learns from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from edgebook.errors import SettingsError
from edgebook.settings.sections import join

OURS = (
    "signal_id", "pair", "timeframe", "is_short", "date", "open_date", "close_date", "open_rate", "close_rate",
    "take_profit_abs", "stop_loss_abs", "fee_open", "fee_close", "profit_ratio", "exit_reason", "exit_plan",
    "enter_tag", "status", "recorded_at", "hit", "hit_date", "hit_rate",
)  # fmt: skip
"""Columns that a desk's may be mapped to; the last three are of `tp_sl_hits`."""
REASONS = ("take_profit", "stop_loss", "time_exit")


@dataclass(frozen=True, kw_only=True)
class DeskDatabase:
    """Where a desk keeps its outcomes: `url` names a credential; tables may be queries; columns are theirs to ours."""

    url: str = ""
    signal_outcomes: str = "signal_outcomes"
    tp_sl_hits: str = "tp_sl_hits"
    columns: dict[str, str] = field(default_factory=dict)
    timezone: str = "UTC"


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """Where outcomes come from, and how the desk's own are read (see `data/recorded/README.md`)."""

    source: Literal["simulated", "database", "files"] = "simulated"
    database: DeskDatabase = field(default_factory=DeskDatabase)
    pairs: dict[str, str] = field(default_factory=dict)
    exit_words: dict[str, str] = field(default_factory=dict)
    exit_plan: str | None = None
    timeframe: str | None = None
    profit: Literal["net", "gross"] = "net"
    private: bool = False


def check_outcomes(outcomes: Outcomes, where: str) -> None:
    """Hold the section to its rules.

    Raises
    ------
    SettingsError
        The database has no address, a column or a word is mapped to none of ours, or the time zone is not known.
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    database = outcomes.database
    if outcomes.source == "database" and not database.url:
        raise SettingsError(
            f"{join(where, 'database.url')}: missing; write the name of the environment variable (or of the line of "
            ".env) that holds the address, e.g. DESK_DATABASE"
        )
    if database.url and not database.url.isidentifier():
        raise SettingsError(
            f"{join(where, 'database.url')}: must be the name of a credential such as DESK_DATABASE, never an address"
        )
    for theirs, ours in database.columns.items():
        if ours not in OURS:
            raise SettingsError(
                f"{join(where, 'database.columns')}: {theirs}: {ours!r} is no column of ours; known are "
                f"{', '.join(OURS)}"
            )
    twice = sorted({ours for ours in database.columns.values() if list(database.columns.values()).count(ours) > 1})
    if twice:
        raise SettingsError(f"{join(where, 'database.columns')}: two columns are mapped to {twice[0]}; leave one out")
    for word, reason in outcomes.exit_words.items():
        if reason not in REASONS:
            raise SettingsError(f"{join(where, 'exit_words')}: {word}: {reason!r} is none of {', '.join(REASONS)}")
    try:
        ZoneInfo(database.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(
            f"{join(where, 'database.timezone')}: {database.timezone!r} is no time zone; write one like UTC or "
            "Europe/Berlin"
        ) from None
