"""What a policy says of the newest bars, and what is open in the account."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.arms.book import unrealised_ratio
from edgebook.errors import SealError
from edgebook.loop.routing import signals_to_trade
from edgebook.outcomes.outcomes import signal_id
from edgebook.policy.candidate_marks import last_close
from edgebook.policy.market import REGIMES, SIDES, iso
from edgebook.policy.policy import Policy, score
from edgebook.policy.record import AWAKE
from edgebook.running.versions import resolve_version
from edgebook.seals.seals import sealed_weeks
from edgebook.seals.week import Week
from edgebook.settings.exit_plans import ExitPlan
from edgebook.settings.recipes import HEAD_LETTERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from edgebook.arms.book import Book
    from edgebook.paths import Paths
    from edgebook.policy.market import Market
    from edgebook.settings.params import AbTest, Params, Pin, Sizing

UNIT_DECIMALS = 8
"""Of a number of units: the smallest part of a bitcoin."""


def last_sealed(params: Params, paths: Paths) -> Week:
    """The last sealed week of the history that params.yaml names, at most `run.as_of`.

    Raises
    ------
    SealError
        There is none.
    """
    weeks = [week for week in sealed_weeks(paths, params.run.history) if week <= params.run.as_of]
    if not weeks:
        raise SealError(f"models/{params.run.history}: no week is sealed yet; run `make` or `edgebook backfill`")
    return Week(replace(params.run, as_of=weeks[-1]), paths)


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


def policies_in_force(week: Week, *, pins: Sequence[Pin] = ()) -> tuple[Policy, Policy | None]:
    """The champion's policy and that of the challenger on trial; none beside a pin that waits."""
    champion = policy_in_force(week, pins=pins)
    challenger = week.seal.head["challenger"]
    if challenger is None or champion is not week.seal.arms[week.champion].policy:
        return champion, None
    return champion, week.seal.arms[challenger].policy


def routed(
    champion: Sequence[Mapping[str, Any]], challenger: Sequence[Mapping[str, Any]] | None, *, ab_test: AbTest
) -> list[dict[str, Any]]:
    """Rows of the champion, and those of the challenger that live use acts on.

    Parameters
    ----------
    champion, challenger : sequence of mapping
        As `newest_signals` gives them; None without a challenger on trial.
    ab_test : AbTest

    Returns
    -------
    list of dict
        Each with `act` (it is a signal, and it was routed to the arm that gave it) and `ab_test_version` (the arm;
        empty where there is nothing to act on).
    """
    versions = {
        (row["signal_id"], row["model_version"]): row["ab_test_version"]
        for row in signals_to_trade(champion, challenger, ab_test=ab_test)
    }
    rows = [*champion, *(r for r in challenger or () if (r["signal_id"], r["model_version"]) in versions)]
    found = [versions.get((row["signal_id"], row["model_version"]), "") for row in rows]
    return [dict(row) | {"act": bool(name), "ab_test_version": name} for row, name in zip(rows, found, strict=True)]


def newest_rows(market: Market) -> NDArray[np.int64]:
    """Row of the newest bar of every pair and timeframe, in the order of the tables."""
    series = market.pair.astype(np.int64) * len(market.timeframes) + market.timeframe
    newest = {int(code): row for row, code in enumerate(series)}
    # Timeframes are coded by length, tables are ordered by name.
    names = {
        code: (market.pairs[market.pair[row]], market.timeframes[market.timeframe[row]]) for code, row in newest.items()
    }
    return np.array([newest[code] for code in sorted(newest, key=lambda code: names[code])], dtype=np.int64)


def newest_ranges(bars: pd.DataFrame, market: Market, *, atr_bars: int) -> NDArray[np.float64]:
    """Average true range at each of `newest_rows`.

    Parameters
    ----------
    bars : DataFrame
        Bars in table order; those that `market` does not hold yet are left out.
    market : Market
    atr_bars : int
        Wilder's period.
    """
    import pandas as pd
    import talib

    known = bars[bars["date"] <= pd.Timestamp(int(market.date[-1]), unit="ms", tz="UTC")]
    return np.array(
        [
            talib.ATR(one["high"].to_numpy(), one["low"].to_numpy(), one["close"].to_numpy(), atr_bars)[-1]
            for _, one in known.groupby(["pair", "timeframe"], sort=True)
        ],
        dtype=np.float64,
    )


def newest_signals(
    policy: Policy,
    market: Market,
    *,
    rows: NDArray[np.int64],
    atr: NDArray[np.float64],
    sizing: Sizing,
    equity: float,
) -> list[dict[str, Any]]:
    """What a policy says of some bars, as a live system needs it.

    Parameters
    ----------
    policy : Policy
    market : Market
    rows : ndarray of int64, shape (n,)
        Newest bars.
    atr : ndarray of float64, shape (n,)
        Average true range at each, of the period that sets the barriers.
    sizing : Sizing
    equity : float
        Of the account, in its currency.

    Returns
    -------
    list of mapping
        One a row. Of its two sides the one that stands better against its threshold: whether it is a signal,
        confidence, threshold and who set it, the heads' evidence, weight and vote, the entry reference (the last
        close: the entry itself is the next bar's open), stop, target, stake and units. ``docs/live.md`` has them all.
    """
    plan, market = ExitPlan.parse(policy.exit_plan), market.labelled(policy.regimes)
    scores = score(policy, market, rows=rows)
    margins = scores.confidence - scores.threshold[:, None]
    good = (margins >= 0) & (scores.consensus > 0) & (scores.agree >= policy.min_heads_agree)
    as_of = iso(int(market.date.max()))
    found = []
    for i, row in enumerate(rows):
        side = int(np.argmax(np.where(good[i], margins[i] + 1.0, margins[i])))
        pair, timeframe = market.pairs[market.pair[row]], market.timeframes[market.timeframe[row]]
        regime, close, sign = REGIMES[market.regime[row]], float(market.close[row]), 1 - 2 * side
        tradable = bool(np.isfinite(atr[i]) and atr[i] > 0)
        distance = plan.stop_loss_atr * float(atr[i]) / close if tradable else None
        stake = sizing.risk_per_trade * equity / distance if distance else None
        heads = head_votes(policy, scores.heads[i, :, side], regime=int(market.regime[row]))
        found.append(
            {
                "signal_id": _name(pair, timeframe, date_ms=int(market.date[row]), side=side),
                "pair": pair,
                "timeframe": timeframe,
                "date": iso(int(market.date[row])),
                "as_of": as_of,
                "is_signal": bool(good[i, side] and tradable),
                "side": SIDES[side],
                "confidence": float(scores.confidence[i, side]),
                "threshold": float(scores.threshold[i]),
                "certified": bool(scores.certified[i]),
                "rule": threshold_rule(policy, regime),
                "regime": regime,
                "pattern": market.tag_names[market.tag[row, side]],
                "heads_agreed": "".join(h["head"] for h in heads if h["vote"] > 0),
                "heads": heads,
                "entry_reference": close,
                "stop_loss_abs": round(close - sign * plan.stop_loss_atr * float(atr[i]), 8) if tradable else None,
                "take_profit_abs": round(close + sign * plan.take_profit_atr * float(atr[i]), 8) if tradable else None,
                "time_limit_bars": plan.time_limit_bars,
                "stake": None if stake is None else round(stake, 2),
                "units": None if stake is None else round(stake / close, UNIT_DECIMALS),
                "model_version": policy.version,
            }
        )
    return found


def head_votes(policy: Policy, evidence: NDArray[np.float64], *, regime: int) -> list[dict[str, Any]]:
    """Evidence, weight and vote of each head.

    Parameters
    ----------
    policy : Policy
    evidence : ndarray, shape (heads,)
        Calibrated, for one side of one bar; within ±`consensus.AWAKE` a head abstains.
    regime : int
        Of the bar.
    """
    return [
        {
            "head": letter,
            "evidence": float(said),
            "weight": float(weight),
            "vote": int(said >= AWAKE) - int(said <= -AWAKE),
        }
        for letter, said, weight in zip(HEAD_LETTERS, evidence, policy.weights[regime], strict=True)
    ]


def threshold_rule(policy: Policy, regime: str) -> str:
    """Who set the threshold of a regime: certified, quantile, bandit or rule."""
    threshold = policy.thresholds[regime]
    return getattr(threshold, "rule", "certified" if threshold.certified else "quantile")


def open_positions(book: Book, market: Market, *, at: int) -> list[dict[str, Any]]:
    """Positions of a book, each with its profit at the last close, its entry paid for.

    Parameters
    ----------
    book : Book
    market : Market
    at : int
        Milliseconds UTC; closes up to then are known.
    """
    rows = []
    for position in book.positions:
        last = last_close(market, position["pair"], at=at)
        profit = unrealised_ratio(position, last=last)
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
                "as_of": iso(at),
            }
        )
    return rows


def _name(pair: str, timeframe: str, *, date_ms: int, side: int) -> str:
    import pandas as pd

    return signal_id(pair=pair, timeframe=timeframe, date=pd.Timestamp(date_ms, unit="ms"), is_short=bool(side))
