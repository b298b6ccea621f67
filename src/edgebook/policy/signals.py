"""From scores to signals: candidates at or above their threshold, with enough heads behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.outcomes.outcomes import signal_id
from edgebook.policy.market import NEVER, REGIMES, iso
from edgebook.policy.policy import Policy, Scores, score
from edgebook.settings.recipes import HEAD_LETTERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.policy.market import Market, PlanOutcomes


LONGEST_BREAK_MS = 10 * 86_400_000
"""Between the close of a decision bar and its entry, weekends and holidays included."""


@dataclass(frozen=True)
class Signals:
    """Signals of one policy, in the order in which a book would take them.

    Parameters
    ----------
    row : ndarray of int64, shape (n,)
        Decision bar, a row of the market.
    side : ndarray of int64, shape (n,)
        0 long, 1 short.
    at : ndarray of int64, shape (n,)
        Row of `scores`.
    policy : Policy
    scores : Scores
    """

    row: NDArray[np.int64]
    side: NDArray[np.int64]
    at: NDArray[np.int64]
    policy: Policy
    scores: Scores


def week_rows(market: Market, *, since: int, until: int) -> NDArray[np.int64]:
    """Bars decided in [since, until), milliseconds UTC."""
    window = market.decided(since=since, until=until)
    return np.arange(window.start, window.stop)


def entering_rows(market: Market, outcomes: PlanOutcomes, *, since: int, until: int) -> NDArray[np.int64]:
    """Decision bars whose candidates are entered in [since, until), milliseconds UTC.

    A candidate belongs to the week of its entry. Where the market never closes that is the week of the decision; a
    share's Friday close is entered on Monday, and would else belong to no week.

    Parameters
    ----------
    market : Market
    outcomes : PlanOutcomes
    since, until : int
        The week; the policy in force at `since` scores them.
    """
    rows = week_rows(market, since=since - LONGEST_BREAK_MS, until=until)
    entry = outcomes.open_ms[rows, 0]
    entering: NDArray[np.int64] = rows[(entry >= since) & (entry < until)]
    return entering


def find_signals(policy: Policy, market: Market, *, rows: NDArray[np.int64], until: int) -> Signals:
    """Signals among the candidates of some bars.

    Parameters
    ----------
    policy : Policy
    market : Market
    rows : ndarray of int64
        Decision bars.
    until : int
        Milliseconds UTC; a candidate whose entry bar opens at or after it is not known yet, and is no signal.

    Returns
    -------
    Signals
        By time of entry, then confidence, pair, timeframe and side. Where both sides of a bar qualify, the one further
        above its threshold stays.
    """
    scores = score(policy, market, rows=rows)
    entry = market.simulated[policy.exit_plan].open_ms[rows]
    margin = scores.confidence - scores.threshold[:, None]
    # Evidence in favour is asked for: where no head knows anything every candidate has the same confidence, and all of
    # them would stand at the threshold.
    chosen = (margin >= 0) & (scores.consensus > 0) & (scores.agree >= policy.min_heads_agree)
    chosen &= entry < min(until, NEVER)
    both = chosen.all(axis=1)
    chosen[both, np.where(margin[both, 0] >= margin[both, 1], 1, 0)] = False
    at, side = np.nonzero(chosen)
    row = rows[at]
    order = np.lexsort((side, market.timeframe[row], market.pair[row], -scores.confidence[at, side], entry[at, side]))
    return Signals(row=row[order], side=side[order], at=at[order], policy=policy, scores=scores)


def entry_row(signals: Signals, market: Market, *, number: int, cost: float) -> dict[str, Any]:
    """What is known of a signal when it is entered, under the names of the trade columns.

    Parameters
    ----------
    signals : Signals
    market : Market
    number : int
        Which of the signals.
    cost : float
        Fee and slippage of a side, a share of the notional.
    """
    row, side, at = int(signals.row[number]), int(signals.side[number]), int(signals.at[number])
    plan = market.simulated[signals.policy.exit_plan]
    pair, timeframe = market.pairs[market.pair[row]], market.timeframes[market.timeframe[row]]
    heads = signals.scores.heads[at, :, side]
    agreed = "".join(letter for letter, e in zip(HEAD_LETTERS, heads, strict=True) if e >= 0.02)
    return {
        "signal_id": signal_id(
            pair=pair, timeframe=timeframe, date=pd.Timestamp(int(market.date[row]), unit="ms"), is_short=bool(side)
        ),
        "pair": pair,
        "timeframe": timeframe,
        "is_short": bool(side),
        "date": iso(int(market.date[row])),
        "open_date": iso(int(plan.open_ms[row, side])),
        "open_rate": float(plan.open_rate[row, side]),
        "fee_open": cost,
        "fee_close": cost,
        "take_profit_abs": float(plan.take_profit_abs[row, side]),
        "stop_loss_abs": float(plan.stop_loss_abs[row, side]),
        "exit_plan": signals.policy.exit_plan,
        "enter_tag": market.tag_names[market.tag[row, side]],
        "regime": REGIMES[market.regime[row]],
        "confidence": float(signals.scores.confidence[at, side]),
        "threshold": float(signals.scores.threshold[at]),
        "certified": bool(signals.scores.certified[at]),
        "heads_agreed": agreed,
        "head_scores": ";".join(f"{letter}:{e:.4f}" for letter, e in zip(HEAD_LETTERS, heads, strict=True)),
        "model_version": signals.policy.version,
    }
