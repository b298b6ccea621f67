"""The book: a policy's positions under the sizing rule, marked to market daily, net of costs.

Each trade risks the same fraction of equity between entry and stop; caps bound the number of positions, the positions
in one pair, the total risk (crypto moves together) and the leverage. Exits are looked up in the outcome of the
candidate when the clock has reached them, never before. It is the simulated outcome, whoever took the candidate: books
of different arms are compared, and all must be filled alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgebook.policy.candidate_marks import last_close, open_profit
from edgebook.policy.market import DAY_MS, NEVER, REASONS, iso, milliseconds
from edgebook.policy.signals import entry_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.policy.market import Market
    from edgebook.policy.signals import Signals
    from edgebook.settings.params import Sizing

MIN_STAKE_SHARE = 0.5
"""A position for which the leverage cap leaves less than this share of its size is not opened."""

_SAME_SCALE = 1e-6


@dataclass(frozen=True)
class Book:
    """What an account holds.

    Parameters
    ----------
    cash : float
        Starting capital and all realised profit.
    equity : float
        At the last mark, open positions at the last close.
    positions : tuple of mapping
        Open positions: the trade columns known at entry, and `stake`, `risk` in account currency.
    """

    cash: float
    equity: float
    positions: tuple[Mapping[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the book as plain mappings."""
        return {"cash": self.cash, "equity": self.equity, "positions": [dict(p) for p in self.positions]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Book:
        """Rebuild what `to_json` wrote."""
        return cls(data["cash"], data["equity"], tuple(data["positions"]))


@dataclass(frozen=True)
class BookWeek:
    """What a week did to a book.

    Parameters
    ----------
    book : Book
        At the end of the week.
    closed : list of mapping
        Trades that closed in the week, by close date.
    days : list of mapping
        For each day: date, equity, return_ratio, positions.
    """

    book: Book
    closed: list[dict[str, Any]]
    days: list[dict[str, Any]]


@dataclass(frozen=True)
class Order:
    """One signal in the queue of a book.

    Parameters
    ----------
    signals : Signals
        Of the policy that gave it.
    number : int
        Which of them.
    ab_test_version : str
        The arm that it was routed to, e.g. ``B:r3``; empty where signals are not routed.
    """

    signals: Signals
    number: int
    ab_test_version: str = ""


def trade_week(
    book: Book, signals: Signals, *, market: Market, sizing: Sizing, cost: float, since: int, until: int
) -> BookWeek:
    """Run a book through one week of one policy's signals, taken as they come; `trade_orders` says how."""
    orders = [Order(signals, number) for number in range(len(signals.row))]
    return trade_orders(book, orders, market=market, sizing=sizing, cost=cost, since=since, until=until)


def trade_orders(
    book: Book, orders: Sequence[Order], *, market: Market, sizing: Sizing, cost: float, since: int, until: int
) -> BookWeek:
    """Run a book through one week of signals.

    Parameters
    ----------
    book : Book
        At `since`.
    orders : sequence of Order
        Decided in the week, by time of entry.
    market : Market
    sizing : Sizing
    cost : float
        Fee and slippage of a side, a share of the notional.
    since, until : int
        Milliseconds UTC, Monday to Monday.

    Notes
    -----
    Size is ``risk_per_trade * cash / (stop distance / entry)``. A signal for which there is no room is passed over,
    not queued. A day's mark charges an open position the cost of its entry; the exit's cost comes with the exit.
    """
    cash, equity = book.cash, book.equity
    held = [_as_quoted(position, market) for position in book.positions]
    closed: list[dict[str, Any]] = []
    days: list[dict[str, Any]] = []
    number = 0
    for day in range(since, until, DAY_MS):
        while number < len(orders) and entry_ms(orders[number], market) < day + DAY_MS:
            moment = entry_ms(orders[number], market)
            cash, held = _close_until(moment, held, closed=closed, cash=cash, market=market)
            position = _open(orders[number], market, held=held, cash=cash, sizing=sizing, cost=cost)
            if position is not None:
                held.append(position)
            number += 1
        cash, held = _close_until(day + DAY_MS, held, closed=closed, cash=cash, market=market)
        marked = cash + sum(_unrealised(p, market, at=day + DAY_MS) for p in held)
        marked = round(marked, 4)
        days.append(
            {
                "date": iso(day)[:10],
                "equity": marked,
                "return_ratio": round(marked / equity - 1.0, 8) + 0.0,
                "positions": len(held),
            }
        )
        equity = marked
    return BookWeek(Book(round(cash, 4), equity, tuple(held)), closed, days)


def _as_quoted(position: Mapping[str, Any], market: Market) -> dict[str, Any]:
    """Return a position in the prices of its bars as they are known now: a split that came since has divided them."""
    row = market.row(position["pair"], position["timeframe"], date=milliseconds(position["date"]))
    entry = float(market.simulated[position["exit_plan"]].open_rate[row, int(position["is_short"])])
    ratio = entry / position["open_rate"]
    if not abs(ratio - 1.0) > _SAME_SCALE:
        return dict(position)
    return dict(position) | {name: position[name] * ratio for name in ("open_rate", "take_profit_abs", "stop_loss_abs")}


def entry_ms(order: Order, market: Market) -> int:
    """When a signal is entered, milliseconds UTC."""
    signals, number = order.signals, order.number
    return int(market.simulated[signals.policy.exit_plan].open_ms[signals.row[number], signals.side[number]])


def _open(
    order: Order, market: Market, *, held: list[dict[str, Any]], cash: float, sizing: Sizing, cost: float
) -> dict[str, Any] | None:
    """The position a signal becomes, or None where there is no room."""
    row = int(order.signals.row[order.number])
    pair, timeframe = market.pairs[market.pair[row]], market.timeframes[market.timeframe[row]]
    same_pair = [p for p in held if p["pair"] == pair]
    risk = sizing.risk_per_trade * cash
    if (
        len(held) >= sizing.max_positions
        or len(same_pair) >= sizing.max_positions_per_pair
        or any(p["timeframe"] == timeframe for p in same_pair)
        or sum(p["risk"] for p in held) + risk > sizing.max_total_risk * cash * (1 + 1e-9)
    ):
        return None
    entry = entry_row(order.signals, market, number=order.number, cost=cost)
    if order.ab_test_version:
        entry["ab_test_version"] = order.ab_test_version
    distance = abs(entry["open_rate"] - entry["stop_loss_abs"]) / entry["open_rate"]
    wanted = risk / distance
    stake = min(wanted, sizing.max_leverage * cash - sum(p["stake"] for p in held))
    if stake < MIN_STAKE_SHARE * wanted:
        return None
    return entry | {"stake": round(stake, 4), "risk": round(stake * distance, 4)}


def _close_until(
    moment: int, held: list[dict[str, Any]], *, closed: list[dict[str, Any]], cash: float, market: Market
) -> tuple[float, list[dict[str, Any]]]:
    """Close what has reached its exit by `moment`."""
    done, still = [], []
    for position in held:
        exit_ = exit_of(position, market)
        if exit_ is not None and exit_[0] <= moment:
            done.append((exit_[0], position["signal_id"], position | exit_[1]))
        else:
            still.append(position)
    for _, _, trade in sorted(done, key=lambda item: item[:2]):
        cash += trade["stake"] * trade["profit_ratio"]
        closed.append(trade)
    return cash, still


def exit_of(position: Mapping[str, Any], market: Market) -> tuple[int, dict[str, Any]] | None:
    """When a position's outcome became known, and its columns; None while it is open in the data."""
    row = market.row(position["pair"], position["timeframe"], date=milliseconds(position["date"]))
    side = int(position["is_short"])
    plan = market.simulated[position["exit_plan"]]
    known_at = int(plan.known_at[row, side])
    if known_at == NEVER:
        return None
    return known_at, {
        "close_date": iso(known_at),
        "close_rate": float(plan.close_rate[row, side]),
        "profit_ratio": round(float(plan.profit_ratio[row, side]), 6),
        "r_multiple": round(float(plan.r_multiple[row, side]), 6),
        "exit_reason": REASONS[plan.reason[row, side]],
        "bars_held": int(plan.bars_held[row, side]),
        "mae": round(float(plan.mae[row, side]), 6),
        "mfe": round(float(plan.mfe[row, side]), 6),
    }


def unrealised_ratio(position: Mapping[str, Any], *, last: float) -> float:
    """Profit of an open position at a price, a share of its stake, its entry paid for."""
    sign = -1.0 if position["is_short"] else 1.0
    return float(open_profit(last, entry=position["open_rate"], sign=sign, cost=position["fee_open"]))


def _unrealised(position: Mapping[str, Any], market: Market, *, at: int) -> float:
    """Profit of an open position at the last close known at `at`."""
    last = last_close(market, position["pair"], at=at)
    return float(position["stake"] * unrealised_ratio(position, last=last))
