"""Daily and trade metrics against quantstats and empyrical-reloaded, as recorded."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from edgebook.statistics.deflated import probabilistic_sharpe, sharpe_ratio
from edgebook.statistics.metrics import book_metrics, trade_metrics
from peers import cases
from peers.compared import EXACT, ROUNDING, Compared, largest, recorded, recorded_version

# A drawdown is a positive share here, a negative one with both peers.
DAILY = ("sharpe_ratio", "sortino_ratio", "calmar_ratio", "max_drawdown")
TRADES = ("win_rate", "profit_factor", "consecutive_wins", "consecutive_losses")
MOMENTS = "skewness and kurtosis are the sample's here, corrected for bias there; ours is given the corrected ones"


def compare_figures() -> list[Compared]:
    """Ratios, drawdowns, the probabilistic Sharpe ratio, and figures of sets of trades."""
    return [*_daily(), _probabilistic(), *_trades()]


def theirs(peer: str, quantity: str) -> pd.Series:
    """Recorded answers by case."""
    found = recorded("metrics")
    return found[(found["peer"] == peer) & (found["quantity"] == quantity)].set_index("case")["value"]


def _daily() -> list[Compared]:
    returns = cases.daily_cases()
    ours = {}
    for case in returns:
        one = returns[case].dropna().to_numpy()
        book = pd.DataFrame({"return_ratio": one, "equity": np.cumprod(1 + one)})
        ours[case] = book_metrics(book, periods_per_year=cases.YEAR).set_index("metric")["value"]
    table = pd.DataFrame(ours).T
    rows = []
    for peer in ("quantstats", "empyrical-reloaded"):
        for name in DAILY:
            answer = theirs(peer, name).loc[table.index]
            rows.append(
                Compared(
                    name, "metrics.book_metrics", peer, recorded_version(peer), len(table),
                    largest(table[name], -answer if name == "max_drawdown" else answer), ROUNDING,
                )
            )  # fmt: skip
    return rows


def _probabilistic() -> Compared:
    returns = cases.daily_cases()
    asked = theirs("quantstats", "probabilistic_sharpe").loc[returns.columns]
    as_is, adjusted = [], []
    for case in returns:
        one = returns[case].dropna().to_numpy()
        for found, bias in ((as_is, True), (adjusted, False)):
            skewness, kurtosis = stats.skew(one, bias=bias), stats.kurtosis(one, bias=bias) + 3
            found.append(
                probabilistic_sharpe(
                    sharpe_ratio(one), benchmark=0.0, periods=len(one), skewness=skewness, kurtosis=kurtosis
                )
            )
    return Compared(
        "probabilistic Sharpe ratio", "deflated.probabilistic_sharpe", "quantstats", recorded_version("quantstats"),
        len(asked), largest(adjusted, asked), EXACT, MOMENTS, len(asked), largest(as_is, asked),
    )  # fmt: skip


def _trades() -> list[Compared]:
    found = {}
    rows = cases.outcome_cases().rows
    for plan, part in rows[rows["exit_reason"] != "open"].groupby("plan"):
        trades = part.sort_values(["close_date", "pair", "timeframe", "date", "is_short"], ignore_index=True)
        trades = trades.assign(
            signal_id=[f"{place:06}" for place in range(len(trades))],
            fee_open=cases.SIDE_COST,
            fee_close=cases.SIDE_COST,
        )
        found[plan] = trade_metrics(trades, days=728.0).set_index("metric")["value"]
    table = pd.DataFrame(found).T
    return [
        Compared(
            name, "metrics.trade_metrics", "quantstats", recorded_version("quantstats"), len(table),
            largest(table[name], theirs("quantstats", name).loc[table.index]), ROUNDING,
        )
        for name in TRADES
    ]  # fmt: skip
