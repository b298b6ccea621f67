"""The truth of a synthetic market: which heads hold an edge, when, and how large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd

from edgebook.bars.bars import utc
from edgebook.bars.synthetic_paths import HEADS
from edgebook.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["no_edge", "planted", "switching"]
Regime = Literal["all", "volatile", "calm"]

_WEEK = pd.Timedelta(days=7)
_AFTERWARDS = ("D", "H", "I")


@dataclass(frozen=True, kw_only=True)
class Spell:
    """A time during which the same heads hold an edge.

    Parameters
    ----------
    starts, ends : Timestamp
        UTC. Bars that open in ``[starts, ends)`` drift.
    heads : tuple of str
        Whose signals they drift by.
    """

    starts: pd.Timestamp
    ends: pd.Timestamp
    heads: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What a market was made to be.

    Parameters
    ----------
    kind : {"no_edge", "planted", "switching"}
        How the edge was planted.
    seed : int
        Of every draw.
    edge : float
        Drift a bar, in units of that bar's volatility, for a signal of 1. 0 where there is no edge.
    regime : {"all", "volatile", "calm"}
        Where the edge holds: always, or by latent volatility, which is high a fifth of the time.
    spells : tuple of Spell
        When which heads hold it; empty without an edge.
    """

    kind: Kind
    seed: int
    edge: float
    regime: Regime
    spells: tuple[Spell, ...]

    def heads(self, *, at: pd.Timestamp) -> tuple[str, ...]:
        """Heads whose edge moves the bar that opens `at`; none when there is no edge then."""
        return next((spell.heads for spell in self.spells if spell.starts <= at < spell.ends), ())


def edge_spells(
    kind: Kind,
    *,
    heads: Sequence[str],
    edge_starts: str | None,
    switches: Sequence[tuple[str, Sequence[str]]] | None,
    begin: pd.Timestamp,
    end: pd.Timestamp,
) -> tuple[Spell, ...]:
    """Say when which heads hold the edge.

    Parameters
    ----------
    kind, heads, edge_starts, switches
        As for `edgebook.bars.synthetic.make_market`.
    begin, end : Timestamp
        UTC, of the market.

    Returns
    -------
    tuple of Spell
        In order of time, each beginning where the one before ends; none without an edge.

    Raises
    ------
    SettingsError
        A head that cannot hold an edge, or a date that is no Monday of the market or out of order.
    """
    if kind == "no_edge":
        return ()
    weeks = int((end - begin) / _WEEK)
    first = begin + weeks // 2 * _WEEK if edge_starts is None else monday(edge_starts, what="edge_starts")
    turns = [(first, tuple(heads))]
    if kind == "switching":
        weeks_left = int((end - first) / _WEEK)
        turns += (
            [(first + weeks_left // 2 * _WEEK, _AFTERWARDS)]
            if switches is None
            else [(monday(date, what="switch"), tuple(then)) for date, then in switches]
        )
    dates = [date for date, _ in turns] + [end]
    if dates != sorted(set(dates)) or dates[0] < begin:
        told = ", ".join(f"{date:%Y-%m-%d}" for date in dates[:-1])
        raise SettingsError(
            f"synthetic market: the edge begins and switches on {told}; put the dates in order between"
            f" {begin:%Y-%m-%d} and {end:%Y-%m-%d}"
        )
    for _, then in turns:
        check_heads(then)
    return tuple(Spell(starts=date, ends=ends, heads=then) for (date, then), ends in zip(turns, dates[1:], strict=True))


def monday(date: str, *, what: str) -> pd.Timestamp:
    """Read a Monday, 00:00 UTC.

    Parameters
    ----------
    date : str
        As `run.as_of` is written.
    what : str
        What the message calls it.

    Returns
    -------
    Timestamp
        UTC.

    Raises
    ------
    SettingsError
        It is another day or hour.
    """
    stamp = utc(date)
    if stamp != stamp.normalize() or stamp.day_of_week != 0:
        raise SettingsError(f"synthetic market: {what} {date} is not a Monday, 00:00 UTC; take the Monday before")
    return stamp


def check_heads(heads: Sequence[str]) -> None:
    """Raise unless an edge can be planted in each head.

    Parameters
    ----------
    heads : sequence of str
        Letters.

    Raises
    ------
    SettingsError
        The first that is not one of `HEADS`.
    """
    for head in heads:
        if head not in HEADS:
            raise SettingsError(
                f"synthetic market: no edge can be planted in head {head!r}; the heads are {', '.join(HEADS)}"
            )
