"""The exit rules in plain Python, one candidate and one exit plan at a time: the twin of `edgebook.outcomes.barriers`.

Nothing calls it but the tests, which hold the compiled pass to it, and a reader who wants to know the rule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgebook.settings.exit_plans import Costs, ExitPlan


@dataclass(frozen=True)
class Bar:
    """One bar; times are milliseconds since 1970, UTC."""

    open: float
    high: float
    low: float
    close: float
    open_ms: int
    close_ms: int


@dataclass(frozen=True)
class Exit:
    """What became of one candidate under one plan; `close_ms` and the ratios are None while it is open."""

    reason: str
    take_profit_abs: float
    stop_loss_abs: float
    close_ms: int | None
    close_rate: float | None
    bars_held: int
    profit_ratio: float | None
    r_multiple: float | None
    mae: float
    mfe: float
    ambiguous: bool


def resolve_plain(ahead: Sequence[Bar], *, atr: float, is_short: bool, plan: ExitPlan, costs: Costs) -> Exit:
    """Follow one candidate to its exit, or to the end of the bars.

    Parameters
    ----------
    ahead : sequence of Bar
        The bars after the decision bar, the first being the entry bar; at least one.
    atr : float
        Known at the decision bar.
    is_short : bool
        Side.
    plan : ExitPlan
        Where it ends.
    costs : Costs
        What it pays.

    Returns
    -------
    Exit
        See `edgebook.outcomes.candidates.label_candidates` for the rules.
    """
    entry = ahead[0].open
    sign = -1.0 if is_short else 1.0
    target = nine_digits(entry + sign * (plan.take_profit_atr * atr), near=entry)
    stop = nine_digits(entry - sign * (plan.stop_loss_atr * atr), near=entry)
    risk = abs(entry - stop)
    best = worst = 0.0
    reason, rate, ambiguous = "open", None, False
    held = 0
    for bar in ahead[: plan.time_limit_bars]:
        held += 1
        touches_stop = bar.high >= stop if is_short else bar.low <= stop
        touches_target = bar.low <= target if is_short else bar.high >= target
        known = [bar.open] if touches_stop or touches_target else [bar.high, bar.low]
        best = max(best, *(sign * (price - entry) for price in known))
        worst = min(worst, *(sign * (price - entry) for price in known))
        if touches_stop:
            gapped = bar.open >= stop if is_short else bar.open <= stop
            reason, rate = "stop_loss", bar.open if gapped else stop
            ambiguous = touches_target and not gapped
            worst = sign * (rate - entry)
            break
        if touches_target:
            reason, rate = "take_profit", target
            best = sign * (rate - entry)
            break
    else:
        if held == plan.time_limit_bars:
            reason, rate = "time_exit", bar.close

    excursions = {"mae": six_decimals(worst / risk), "mfe": six_decimals(best / risk)}
    if rate is None:
        return Exit(reason, target, stop, None, None, held, None, None, **excursions, ambiguous=False)
    growth = rate / entry
    profit = sign * (growth - 1.0) - (costs.fee_bps + costs.slippage_bps) / 1e4 * (1.0 + growth)
    if is_short:
        days = (bar.close_ms - ahead[0].open_ms) / 86_400_000
        profit -= costs.short_financing_bps_per_day / 1e4 * days
    return Exit(
        reason, target, stop, bar.close_ms, rate, held, six_decimals(profit), six_decimals(profit * entry / risk),
        **excursions, ambiguous=ambiguous,
    )  # fmt: skip


def nine_digits(price: float, *, near: float) -> float:
    """Round a price to as many decimals as give `near` nine significant digits.

    Examples
    --------
    >>> nine_digits(4.123456789012, near=9.5), nine_digits(8123.456789012, near=9500.0)
    (4.12345679, 8123.45679)
    """
    digits = 0
    while digits < 22 and (digits < 8 or near * 10.0**digits < 1e8):
        digits += 1
    while digits > 0 and near * 10.0**digits >= 1e9:
        digits -= 1
    return _half_even(price * 10.0**digits) / 10.0**digits


def six_decimals(ratio: float) -> float:
    """Round a ratio as it is saved."""
    return _half_even(ratio * 1e6) / 1e6


def _half_even(number: float) -> float:
    """Nearest whole number, of two the even one; keeps the sign of zero, as the compiled pass does."""
    return math.copysign(float(round(number)), number)
