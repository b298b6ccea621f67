"""Section `desk` of params.yaml: what a desk brings beside its outcomes, columns that it computes itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from edgebook.errors import SettingsError
from edgebook.settings.recipes import HEAD_LETTERS
from edgebook.settings.sections import join

COLUMN = re.compile(r"[a-z][a-z0-9_]{0,39}")
"""Name of a column of a desk: it becomes part of the names in tables, seals and reports."""
RESERVED = ("pair", "timeframe", "date", "known_at")
LABELS = ("trending_bullish", "trending_bearish", "ranging", "volatile")


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Columns in ``data/recorded/columns-*``: to which head each belongs, and when it was known."""

    indicators: dict[str, str] = field(default_factory=dict)
    votes: dict[str, str] = field(default_factory=dict)
    patterns: str | None = None
    regimes: str | None = None
    regime_labels: dict[str, str] = field(default_factory=dict)
    known_at: Literal["column", "snapshot", "close"] = "column"
    carry_bars: int = 0
    trusted: tuple[str, ...] = ()

    @property
    def numbers(self) -> dict[str, str]:
        """Letter of the head of each column of numbers, indicators before votes."""
        return {**self.indicators, **self.votes}

    @property
    def columns(self) -> tuple[str, ...]:
        """All declared columns."""
        return (*self.numbers, *(name for name in (self.patterns, self.regimes) if name is not None))


def check_desk(desk: Desk, where: str) -> None:
    """Hold the section to its rules.

    Raises
    ------
    SettingsError
        A column has no possible name, is declared twice or for no head, a label is mapped to none of the regimes, or
        what is trusted is not declared.
    """
    declared = [*desk.indicators, *desk.votes, *(n for n in (desk.patterns, desk.regimes) if n is not None)]
    for name in declared:
        if not COLUMN.fullmatch(name) or name in RESERVED:
            raise SettingsError(
                f"{where}: column {name!r:.60}: a name is up to 40 small letters, digits and _, begins with a letter, "
                f"and is none of {', '.join(RESERVED)}; rename the column"
            )
        if declared.count(name) > 1:
            raise SettingsError(f"{where}: column {name} is declared twice; leave one out")
    for part in ("indicators", "votes"):
        for name, letter in getattr(desk, part).items():
            if letter not in HEAD_LETTERS:
                raise SettingsError(f"{join(where, part)}: {name}: {letter!r} is not a head; heads are A to I")
    for theirs, ours in desk.regime_labels.items():
        if ours not in LABELS:
            raise SettingsError(
                f"{join(where, 'regime_labels')}: {theirs}: {ours!r} is no regime; ours are {', '.join(LABELS)}"
            )
    if not 0 <= desk.carry_bars <= 1000:
        raise SettingsError(f"{join(where, 'carry_bars')}: must be 0 to 1000 bars, is {desk.carry_bars}")
    for name in desk.trusted:
        if name not in desk.numbers:
            raise SettingsError(
                f"{join(where, 'trusted')}: {name}: no such indicator or vote is declared; take it out or declare it"
            )
