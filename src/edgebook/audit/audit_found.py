"""What an audit found: a line a layer, the first difference of each, and the verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from edgebook.audit.audit_compare import Compared
from edgebook.audit.audit_layers import (
    BARS,
    CANDIDATES,
    FITTED_HEADS,
    HEAD_SCORES,
    HMM,
    INDICATORS,
    LABEL_WEIGHTS,
    OUTCOMES,
    PATTERNS,
    RULE,
    VOTES,
)
from edgebook.audit.audit_seals import RECORD, SEALS, THRESHOLDS, WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

LAYERS = (
    BARS, PATTERNS, INDICATORS, VOTES, RULE, HMM, CANDIDATES, OUTCOMES, LABEL_WEIGHTS, FITTED_HEADS, HEAD_SCORES,
    THRESHOLDS, WEIGHTS, RECORD, SEALS,
)  # fmt: skip
"""In the order in which one is made of another: where several differ, the first is where to look."""


@dataclass(frozen=True)
class Layer:
    """What was compared of one layer, over all times.

    Parameters
    ----------
    name : str
        One of `LAYERS`.
    times : int
        At which it was compared.
    values, differing : int
        Compared values, and those that differ.
    at : str
        First time at which one did; empty where none did.
    key, column, full, cut : str
        Where, and what stood there with all bars and with those up to the time.
    """

    name: str
    times: int
    values: int
    differing: int
    at: str
    key: str
    column: str
    full: str
    cut: str

    def __str__(self) -> str:
        """Name the place in one line."""
        if not self.differing:
            return f"{self.name}: {self.values:,} values at {self.times} times, all the same"
        return (
            f"{self.name}: {self.differing:,} of {self.values:,} values differ; first, with the bars cut at {self.at}: "
            f"{self.key}, {self.column}: {self.full} with all bars, {self.cut} with those up to then"
        )


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Parameters
    ----------
    times : tuple of str
        At which the bars were cut, UTC.
    layers : tuple of Layer
        In the order of `LAYERS`.
    unreproduced : tuple of str
        Mondays whose seal is not what this code and these settings give, whatever bars they see: no look-ahead, and a
        matter for `edgebook rederive`.
    alarms : tuple of str
        Those of the times at which anything differed.
    """

    times: tuple[str, ...]
    layers: tuple[Layer, ...]
    unreproduced: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()

    @property
    def leaks(self) -> tuple[Layer, ...]:
        """Layers in which something differs, the one to look at first."""
        return tuple(layer for layer in self.layers if layer.differing)

    @property
    def line(self) -> str:
        """All of it in one line."""
        if self.leaks:
            return f"Look-ahead: {len(self.leaks)} of {len(self.layers)} layers differ, first in {self.leaks[0]}"
        values = sum(layer.values for layer in self.layers)
        seen = sum(layer.times > 0 for layer in self.layers)
        times = f"{len(self.times)} time{'s' if len(self.times) > 1 else ''}"
        return f"Found no look-ahead: {values:,} values in {seen} layers at {times}"

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain mappings."""
        return {
            "line": self.line,
            "ok": not self.leaks,
            "places": [str(layer) for layer in self.leaks],
            "times": list(self.times),
            "alarms": list(self.alarms),
            "unreproduced": list(self.unreproduced),
            "layers": [asdict(layer) for layer in self.layers],
        }


def added_up(name: str, found: Sequence[tuple[pd.Timestamp, Mapping[str, Compared]]]) -> Layer:
    """Add up one layer over all times.

    Parameters
    ----------
    name : str
        One of `LAYERS`.
    found : sequence of (Timestamp, mapping of str to Compared)
        What was compared at each time, in order; a layer that could not be compared is missing.
    """
    seen = [(at, layers[name]) for at, layers in found if name in layers]
    compared = [(at, one) for at, one in seen if one.values or one.differing]
    first = next(((at, one) for at, one in compared if one.differing), None)
    at, one = first if first is not None else (None, Compared(0))
    return Layer(
        name=name,
        times=len(compared),
        values=sum(each.values for _, each in compared),
        differing=sum(each.differing for _, each in compared),
        at="" if at is None else f"{at:%Y-%m-%d %H:%M}",
        key=one.key,
        column=one.column,
        full=one.full,
        cut=one.cut,
    )
