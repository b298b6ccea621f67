"""The numbers of a week beside those of the week before, each with the window that it is taken over.

A week alone is mostly noise, and so is its difference from the last: rates are taken over `WINDOW_WEEKS` weeks, and
over the whole history, with their intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from edgebook.files.formats import Format, formatted
from edgebook.seals.seal_lines import book_share
from edgebook.statistics.intervals import UNDEFINED, Interval
from edgebook.statistics.metrics import closed_trades, trade_metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgebook.seals.seals import Seal
    from edgebook.seals.week import Week

WINDOW_WEEKS = 13
CLOSE_TO_EVEN = (
    "Profit factor and break-even weigh each trade by its return in percent, expectancy by its risk, and equity by its "
    "stake: close to even, they may disagree on the sign."
)
"""Why a profit factor above 1 may stand beside a loss."""

_CHANGES: dict[Format, Format] = {"percent": "points", "signed_percent": "points", "number": "signed"}

Window = Literal["the week", "13 weeks", "since genesis", "at the end"]


@dataclass(frozen=True)
class Number:
    """One number of the week.

    Parameters
    ----------
    name : str
    window : str
        What it is taken over: the week alone, `WINDOW_WEEKS` weeks up to its end, the history, or its last moment.
    this, last : float or None
        At the end of this week, and of the week before; None where there is none.
    low, high : float or None
        95 % interval of `this`, where it is an estimate.
    n : int or None
        Observations behind `this`.
    how : Format
    """

    name: str
    window: Window
    this: float | None
    last: float | None
    how: Format
    low: float | None = None
    high: float | None = None
    n: int | None = None

    @property
    def counted(self) -> str:
        """What `n` counts, in words; empty where there is none."""
        if self.n is None:
            return ""
        unit = "day" if self.name.startswith(("wealth", "return")) else "signal"
        return f"{formatted(self.n, 'integer')} {unit}{'' if self.n == 1 else 's'}"

    @property
    def change(self) -> float | None:
        """What this week is more than the last."""
        return None if self.this is None or self.last is None else self.this - self.last


def week_numbers(week: Week) -> list[Number]:
    """What a reviewer compares with last week, by window.

    Parameters
    ----------
    week : Week
        Sealed.

    Returns
    -------
    list of Number
        Windows first, then the state at the week's end; the week alone, which is mostly noise, last. The window of
        `WINDOW_WEEKS` weeks is left out of a history in which it would be all there is.
    """
    seals = week.seals
    recent = has_window(week)
    this, last = _standing(seals, recent=recent), _standing(seals[:-1], recent=recent) if len(seals) > 1 else {}
    rows: list[Number] = []
    for key, (found, how) in this.items():
        name, window = key
        before = last[key][0] if key in last else UNDEFINED
        rows.append(
            Number(
                name, window, _known(found.value), _known(before.value), how, _known(found.low), _known(found.high),
                found.n if found.n else None,
            )
        )  # fmt: skip
    return rows


def has_window(week: Week) -> bool:
    """Whether a history has traded for more than `WINDOW_WEEKS` weeks; the first seal has no trades."""
    return len(week.seals) - 1 > WINDOW_WEEKS


def change_text(number: Number) -> str:
    """Write what changed, with its sign; of a share in percentage points.

    Examples
    --------
    >>> change_text(Number("equity", "at the end", 1250.0, 1000.0, "money"))
    '+250'
    >>> change_text(Number("win rate", "13 weeks", 0.5, 0.52, "percent")), change_text(
    ...     Number("wealth", "at the end", 0.0211, 0.0211, "number3")
    ... )
    ('−2.0 pp', '0.000')
    """
    how: Format = _CHANGES.get(number.how, number.how)
    text = formatted(number.change, how)
    rises = number.change is not None and number.change > 0 and any(digit in text for digit in "123456789")
    return f"+{text}" if rises and text[0] != "+" else text


def window_trades(seals: Sequence[Seal], *, weeks: int | None = None) -> pd.DataFrame:
    """Trades of the account that closed in the last weeks of some seals, or in all of them.

    Parameters
    ----------
    seals : sequence of Seal
        In order.
    weeks : int, optional
        How many of the last; all by default.

    Returns
    -------
    DataFrame
        Ledger rows, closed, in the order in which they closed.
    """
    chosen = seals if weeks is None else seals[-weeks:]
    filled = [seal.ledger for seal in chosen if len(seal.ledger)]
    return closed_trades(pd.concat(filled, ignore_index=True) if filled else seals[-1].ledger)


def _standing(seals: Sequence[Seal], *, recent: bool) -> dict[tuple[str, Window], tuple[Interval, Format]]:
    """Every number as it stood at the end of the last of some seals; of the last weeks too, where asked."""
    seal = seals[-1]
    found: dict[tuple[str, Window], tuple[Interval, Format]] = {}
    if recent:
        found |= _rates(window_trades(seals, weeks=WINDOW_WEEKS), window="13 weeks")
    found |= _rates(window_trades(seals), window="since genesis")
    start = float(seal.head["settings"]["sizing"]["start_capital"])
    equity = _equity(seals)
    peak = max(start, equity.max(initial=start))
    found["equity", "at the end"] = _point(seal.account.equity), "money"
    found["drawdown", "at the end"] = _point(1 - seal.account.equity / peak), "percent"
    found["open positions", "at the end"] = _count(len(seal.account.positions))
    policy = seal.arms[seal.champion].policy
    found["regimes with a certified threshold", "at the end"] = _count(
        sum(threshold.certified for threshold in policy.thresholds.values())
    )
    share = book_share(seal)
    for row in seal.head["over"]:
        if row["until"] == seal.as_of:
            found[_wealth_of(row["arm"], row["against"])] = _point(float(row["wealth"]), n=int(row["days"])), "number3"
    for trial in seal.trials:
        wealth = _point(trial.wealth(book_share=share), n=trial.days)
        found[_wealth_of(trial.arm, trial.against)] = wealth, "number3"
    week, own = window_trades([seal]), seal.days[seal.days["arm"] == "account"]
    opened = seal.ledger["open_date"] >= pd.Timestamp(seal.as_of, tz="UTC") - pd.Timedelta(days=7)
    r_multiple = week["r_multiple"].to_numpy(np.float64)
    returns = own["return_ratio"].to_numpy(np.float64)
    found["signals entered", "the week"] = _count(int(opened.sum()))
    found["signals closed", "the week"] = _count(len(week))
    found["won", "the week"] = _count(int((week["profit_ratio"].to_numpy(np.float64) > 0).sum()))
    found["R of all that closed", "the week"] = _point(float(r_multiple.sum()), n=len(week)), "r"
    found["return of the account", "the week"] = _point(float(np.prod(1 + returns) - 1), n=len(own)), "signed_percent"
    return found


def _wealth_of(arm: str, against: str) -> tuple[str, Window]:
    return f"wealth of {arm} against {against}", "at the end"


def _rates(trades: pd.DataFrame, *, window: Window) -> dict[tuple[str, Window], tuple[Interval, Format]]:
    if trades.empty:
        return {("signals closed", window): _count(0)}
    rows: dict[str, Any] = {row["metric"]: row for row in trade_metrics(trades, days=1.0).to_dict("records")}

    def metric(name: str) -> Interval:
        row = rows[name]
        return Interval(row["value"], row["low"], row["high"], int(row["n"]), np.nan)

    return {
        ("signals closed", window): _count(len(trades)),
        ("win rate", window): (metric("win_rate"), "percent"),
        ("win rate that breaks even", window): (metric("break_even_win_rate"), "percent"),
        ("expectancy a trade", window): (metric("expectancy"), "r"),
        ("profit factor", window): (metric("profit_factor"), "number"),
    }


def _equity(seals: Sequence[Seal]) -> np.ndarray:
    """Daily equity of the account."""
    days = [seal.days.loc[seal.days["arm"] == "account", "equity"].to_numpy(np.float64) for seal in seals]
    return np.concatenate(days)


def _count(value: int) -> tuple[Interval, Format]:
    return _point(float(value)), "integer"


def _point(value: float, *, n: int = 0) -> Interval:
    return Interval(value, np.nan, np.nan, n, np.nan)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
