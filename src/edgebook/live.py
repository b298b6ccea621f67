"""What the champion says now, what is open, and why a signal was one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.consensus import AWAKE
from edgebook.errors import DataError
from edgebook.exit_plans import ExitPlan
from edgebook.history import policy_of
from edgebook.market import REGIMES, SIDES, Market, iso, milliseconds
from edgebook.outcomes import signal_id
from edgebook.policy import Policy, score
from edgebook.recipes import HEAD_LETTERS
from edgebook.versions import resolve_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgebook.params import Pin, Sizing
    from edgebook.week import Week


def policy_in_force(week: Week, *, pins: Sequence[Pin] = ()) -> Policy:
    """The champion's policy; a pin that waits for the next week is in force at once, being a safety action.

    Parameters
    ----------
    week : Week
    pins : sequence of Pin
        From params.yaml.
    """
    waiting = [pin for pin in pins if pin.week > week.as_of and pin.history in (None, week.history)]
    if waiting:
        return resolve_version(week, waiting[-1].version)
    return week.seal.arms[week.champion].policy


def newest_signals(
    policy: Policy, market: Market, *, bars: pd.DataFrame, atr_bars: int, sizing: Sizing, equity: float
) -> list[dict[str, Any]]:
    """What a policy says of the newest bar of every pair and timeframe.

    Parameters
    ----------
    policy : Policy
    market : Market
    bars : DataFrame
        Bars in table order; those that `market` does not hold yet are left out.
    atr_bars : int
        Period of the ATR that sets the barriers.
    sizing : Sizing
    equity : float
        Of the account, in its currency.

    Returns
    -------
    list of mapping
        One a pair and timeframe: the side that stands better against its threshold, whether it is a signal, the
        entry reference (the last close: the entry itself is the next bar's open), stop, target and stake.
    """
    import talib

    plan = ExitPlan.parse(policy.exit_plan)
    found = []
    bars = bars[bars["date"] <= pd.Timestamp(int(market.date[-1]), unit="ms", tz="UTC")]
    for (pair, timeframe), series in bars.groupby(["pair", "timeframe"], sort=True):
        last = series.iloc[-1]
        row = market.row(str(pair), str(timeframe), date=milliseconds(last["date"]))
        scores = score(policy, market, rows=np.array([row]))
        margin = scores.confidence[0] - scores.threshold[0]
        good = (margin >= 0) & (scores.consensus[0] > 0) & (scores.agree[0] >= policy.min_heads_agree)
        side = int(np.argmax(np.where(good, margin + 1.0, margin)))
        atr = float(
            talib.ATR(series["high"].to_numpy(), series["low"].to_numpy(), series["close"].to_numpy(), atr_bars)[-1]
        )
        close, sign = float(last["close"]), 1 - 2 * side
        heads = scores.heads[0, :, side]
        distance = plan.stop_loss_atr * atr / close if np.isfinite(atr) and atr > 0 else None
        chosen = bool(good[side] and distance)
        found.append(
            {
                "signal_id": signal_id(
                    pair=str(pair), timeframe=str(timeframe), date=last["date"], is_short=bool(side)
                ),
                "pair": pair,
                "timeframe": timeframe,
                "date": iso(milliseconds(last["date"])),
                "is_signal": chosen,
                "side": SIDES[side],
                "confidence": float(scores.confidence[0, side]),
                "threshold": float(scores.threshold[0]),
                "certified": bool(scores.certified[0]),
                "regime": REGIMES[market.regime[row]],
                "enter_tag": market.tag_names[market.tag[row, side]],
                "heads_agreed": "".join(h for h, e in zip(HEAD_LETTERS, heads, strict=True) if e >= AWAKE),
                "head_scores": {h: float(e) for h, e in zip(HEAD_LETTERS, heads, strict=True)},
                "entry_reference": close,
                "take_profit_abs": round(close + sign * plan.take_profit_atr * atr, 8) if distance else None,
                "stop_loss_abs": round(close - sign * plan.stop_loss_atr * atr, 8) if distance else None,
                "time_limit_bars": plan.time_limit_bars,
                "stake": round(sizing.risk_per_trade * equity / distance, 2) if distance else None,
                "model_version": policy.version,
            }
        )
    return found


def open_positions(week: Week) -> list[dict[str, Any]]:
    """Positions of the account at the week's end, each with its profit at the last close, its entry paid for."""
    market = week.arrays
    rows = []
    for position in week.seal.account.positions:
        dates, closes = market.marks[position["pair"]]
        last = float(closes[np.searchsorted(dates, milliseconds(week.as_of), side="right") - 1])
        sign = -1.0 if position["is_short"] else 1.0
        profit = sign * (last / position["open_rate"] - 1.0) - position["fee_open"]
        rows.append(
            {
                "signal_id": position["signal_id"],
                "pair": position["pair"],
                "timeframe": position["timeframe"],
                "side": SIDES[int(position["is_short"])],
                "open_date": position["open_date"],
                "open_rate": position["open_rate"],
                "last_rate": last,
                "stop_loss_abs": position["stop_loss_abs"],
                "take_profit_abs": position["take_profit_abs"],
                "stake": position["stake"],
                "profit_ratio": round(profit, 6),
                "profit_abs": round(profit * position["stake"], 2),
                "confidence": position["confidence"],
                "certified": position["certified"],
                "model_version": position["model_version"],
            }
        )
    return rows


def explain_signal(week: Week, name: str) -> dict[str, Any]:
    """Why a candidate was a signal, and what became of it.

    Parameters
    ----------
    week : Week
    name : str
        A signal_id of the ledger.

    Raises
    ------
    DataError
        The ledger has no such signal.
    """
    from edgebook.indicators import CATALOGUE

    ledger = week.ledger
    hits = ledger[ledger["signal_id"] == name] if len(ledger) else ledger
    if len(hits) == 0:
        raise DataError(f"{name}: not in the ledger of {week.history} up to {week.as_of}; ids stand in data/ledger")
    trade = hits.iloc[0]
    version = str(trade["model_version"])
    policy = policy_of(week.paths, week.history, version)
    market = week.arrays
    row = market.row(trade["pair"], trade["timeframe"], date=milliseconds(trade["date"]))
    side = int(trade["is_short"])
    scores = score(policy, market, rows=np.array([row]))
    weights = policy.weights[market.regime[row]]
    column = {n: i for i, n in enumerate(market.indicators)}
    return {
        "signal_id": name,
        "policy": version,
        "regime": REGIMES[market.regime[row]],
        "pattern": str(trade["enter_tag"]),
        "confidence": float(scores.confidence[0, side]),
        "threshold": float(scores.threshold[0]),
        "certified": bool(scores.certified[0]),
        "base_win_rate": float(policy.base[market.regime[row], side]),
        "heads": [
            {"head": h, "evidence": float(scores.heads[0, i, side]), "weight": float(weights[i])}
            for i, h in enumerate(HEAD_LETTERS)
        ],
        "indicators": [
            {
                "indicator": one.name,
                "head": one.head,
                "value": round(float(market.values[row, column[one.name]]), 5),
                "vote": int(market.votes[row, column[one.name]]),
            }
            for one in CATALOGUE
            if np.isfinite(market.values[row, column[one.name]])
        ],
        "outcome": {
            "status": str(trade["status"]),
            "exit_reason": None if trade["status"] == "open" else str(trade["exit_reason"]),
            "close_date": None if trade["status"] == "open" else iso(milliseconds(trade["close_date"])),
            "profit_ratio": None if trade["status"] == "open" else float(trade["profit_ratio"]),
            "r_multiple": None if trade["status"] == "open" else float(trade["r_multiple"]),
        },
    }
