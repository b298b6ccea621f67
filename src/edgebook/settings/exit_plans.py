"""Exit plans and costs: how a trade ends, and what it pays. Light to import, for settings and recipes name them."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from itertools import product
from typing import TYPE_CHECKING

from edgebook.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Bars held are saved as 16-bit whole numbers.
LONGEST_BARS = 32_767


@dataclass(frozen=True)
class ExitPlan:
    """Where a trade ends: target and stop in multiples of the ATR, and a time limit in bars.

    Parameters
    ----------
    take_profit_atr, stop_loss_atr : float
        Distance from the entry in ATRs of the decision bar, from 0.001 to 1000.
    time_limit_bars : int
        Bars held at most, the entry bar counted; from 1 to 32,767.

    Examples
    --------
    >>> ExitPlan(take_profit_atr=2, stop_loss_atr=1.5, time_limit_bars=24).name
    'tp2.0_sl1.5_t24'
    """

    take_profit_atr: float
    stop_loss_atr: float
    time_limit_bars: int

    def __post_init__(self) -> None:
        """Refuse plans that cannot end."""
        for name in ("take_profit_atr", "stop_loss_atr"):
            value = getattr(self, name)
            if not (_is_number(value) and 0.001 <= value <= 1000):
                raise SettingsError(f"exit plan: {name} is {value!r}; give a number of ATRs from 0.001 to 1000")
            object.__setattr__(self, name, float(value))
        limit = self.time_limit_bars
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= LONGEST_BARS:
            raise SettingsError(f"exit plan: time_limit_bars is {limit!r}; give whole bars from 1 to 32767")

    @property
    def name(self) -> str:
        """Short name that files and recipes use."""
        return f"tp{self.take_profit_atr!r}_sl{self.stop_loss_atr!r}_t{self.time_limit_bars}"

    @classmethod
    def parse(cls, name: str) -> ExitPlan:
        """Read a plan back from its name.

        Parameters
        ----------
        name : str
            As `name` gives it.

        Returns
        -------
        ExitPlan

        Raises
        ------
        SettingsError
            The name does not have that form.

        Examples
        --------
        >>> ExitPlan.parse("tp2.0_sl1.5_t24")
        ExitPlan(take_profit_atr=2.0, stop_loss_atr=1.5, time_limit_bars=24)
        """
        found = re.fullmatch(r"tp(\d+(?:\.\d+)?)_sl(\d+(?:\.\d+)?)_t(\d+)", name)
        if found is None:
            raise SettingsError(f"exit plan: {name!r} is not a plan's name; write it like tp2.0_sl1.5_t24")
        return cls(float(found[1]), float(found[2]), int(found[3]))


def exit_plan_grid(
    *, take_profit_atr: Sequence[float], stop_loss_atr: Sequence[float], time_limit_bars: Sequence[int]
) -> list[ExitPlan]:
    """Every combination of the given targets, stops and limits.

    Parameters
    ----------
    take_profit_atr, stop_loss_atr : sequence of float
        ATR multiples.
    time_limit_bars : sequence of int
        Bars.

    Returns
    -------
    list of ExitPlan
        Target first, then stop, then limit, each in the order given.

    Examples
    --------
    >>> [plan.name for plan in exit_plan_grid(take_profit_atr=[1, 2], stop_loss_atr=[1.5], time_limit_bars=[24])]
    ['tp1.0_sl1.5_t24', 'tp2.0_sl1.5_t24']
    """
    return [ExitPlan(*plan) for plan in product(take_profit_atr, stop_loss_atr, time_limit_bars)]


@dataclass(frozen=True)
class Costs:
    """What trading costs, in basis points of notional.

    Parameters
    ----------
    fee_bps, slippage_bps : float
        Paid on each side: on the notional at entry, and on the notional at exit.
    short_financing_bps_per_day : float
        Borrow or funding of a short position, on the notional at entry, by time held.
    """

    fee_bps: float
    slippage_bps: float
    short_financing_bps_per_day: float

    def __post_init__(self) -> None:
        """Refuse costs that are not costs."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not (_is_number(value) and 0 <= value < 10_000):
                raise SettingsError(f"costs: {field.name} is {value!r}; give basis points from 0 to below 10000")


def _is_number(value: object) -> bool:
    """Tell numbers from text, and from True and False, which Python counts among them."""
    return isinstance(value, int | float) and not isinstance(value, bool)
