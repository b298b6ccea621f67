"""The account's metrics since genesis, and what `reports/metrics.json` holds of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.seals.seal_lines import book_share
from edgebook.statistics.metrics import book_metrics, trade_metrics

if TYPE_CHECKING:
    from edgebook.seals.week import Week


def account_metrics(week: Week) -> pd.DataFrame:
    """Metrics of the account since genesis: metric, value, low, high, n, unit.

    Parameters
    ----------
    week : Week
    """
    daily = week.days[week.days["arm"] == "account"]
    if daily.empty:
        return pd.DataFrame(columns=["metric", "value", "low", "high", "n", "unit"])
    trades = trade_metrics(week.ledger, days=len(daily))
    book = book_metrics(daily, periods_per_year=week.book_days_per_year)
    return pd.concat([trades, book], ignore_index=True)


def metrics_document(week: Week, metrics: pd.DataFrame) -> dict[str, Any]:
    """What `reports/metrics.json` holds: numbers under stable names, missing as null."""
    head = week.seal.head

    def number(value: Any) -> float | None:
        return None if pd.isna(value) else float(value)

    share = book_share(week.seal)
    wealth = {f"{t.kind}_{t.arm}_against_{t.against}": t.wealth(book_share=share) for t in week.seal.trials}
    return {
        "week": head["week"],
        "account": {
            str(row.metric): {
                "value": number(row.value),
                "low": number(row.low),
                "high": number(row.high),
                "n": number(row.n),
            }
            for row in metrics.itertuples()
        },
        "equity": week.seal.account.equity,
        "wealth": wealth,
        "error_budget_spent": head["budget"]["alpha_spent"],
    }
