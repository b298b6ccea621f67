"""What the week leaves to be read: the text of the pull request, metrics for `dvc metrics`, and the pages."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.all_weeks import all_weeks
from edgebook.all_weeks_page import all_weeks_page
from edgebook.formats import Format, formatted, interval
from edgebook.metrics import BOOK_METRICS, book_metrics, trade_metrics
from edgebook.report import Card, Link, WeekPage, replace_together, week_index
from edgebook.report_names import QUESTIONS, REPORTS
from edgebook.summary_text import gather_facts, summary_text
from edgebook.week import Week, open_week

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.paths import Paths
    from edgebook.summary_text import Facts

SHOWN = ("total_signals", "win_rate", "expectancy", "profit_factor", "sharpe_ratio", "max_drawdown")
FORMATS: dict[str, Format] = {
    "win_rate": "percent",
    "max_drawdown": "percent",
    "total_signals": "integer",
    "expectancy": "r",
}


def write_summary(run: Mapping[str, Any], paths: Paths, *, trial_weeks: int | None = None) -> str:
    """Write summary.md, metrics.json and both index pages, together or not at all.

    Parameters
    ----------
    run : mapping
        Section `run` of params.yaml.
    paths : Paths
    trial_weeks : int, optional
        `learning.trial_weeks`, for what is left of a trial.

    Returns
    -------
    str
        What it did, in one line.
    """
    week = open_week(run, root=str(paths.root))
    metrics = account_metrics(week)
    facts = gather_facts(week, trial_weeks=trial_weeks)
    folder = paths.report(as_of=week.as_of)
    numbers = json.dumps(metrics_document(week, metrics), indent=1, allow_nan=False) + "\n"
    every = all_weeks_page(all_weeks(week), market=week.market, history=week.history, verdict=facts.verdict.title)
    replace_together(
        {
            folder / "summary.md": summary_text(week, facts),
            folder / "metrics.json": numbers,
            paths.reports / "metrics.json": numbers,
            folder / "index.html": week_index(_week_page(week, metrics=metrics, facts=facts)),
            paths.reports / "index.html": every,
        }
    )
    return f"reports/{week.as_of}/summary.md, reports/index.html"


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
    book = book_metrics(daily, periods_per_year=week.periods_per_year)
    return pd.concat([trades, book], ignore_index=True)


def metrics_document(week: Week, metrics: pd.DataFrame) -> dict[str, Any]:
    """What `reports/metrics.json` holds: numbers under stable names, missing as null."""
    head = week.seal.head

    def number(value: Any) -> float | None:
        return None if pd.isna(value) else float(value)

    wealth = {f"{t.kind}_{t.arm}_against_{t.against}": t.wealth(book_share=_book_share(week)) for t in week.seal.trials}
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


def _book_share(week: Week) -> float:
    return float(week.seal.head["settings"]["gate"]["book_share"])


def _week_page(week: Week, *, metrics: pd.DataFrame, facts: Facts) -> WeekPage:
    cards = [
        Card(
            "equity",
            formatted(week.seal.account.equity, "money"),
            f"from {week.days['equity'].iloc[0]:,.0f}" if len(week.days) else "",
        )
    ]
    for row in metrics.to_dict("records"):
        if row["metric"] in SHOWN:
            how: Format = FORMATS.get(row["metric"], "number")
            unit = "days" if row["metric"] in BOOK_METRICS else "trades"
            count = f"n {int(row['n'])} {unit}"
            band = interval(row["low"], row["high"], how)
            small = f"since {week.genesis}" if row["metric"] == "total_signals" else f"95 % {band}, {count}"
            cards.append(Card(row["metric"].replace("_", " "), formatted(row["value"], how), small))
    neighbours = week.weeks
    at = neighbours.index(week.as_of)
    before = neighbours[at - 1] if at else ""
    return WeekPage(
        as_of=week.as_of,
        market=week.market,
        history=week.history,
        champion=week.champion_version,
        parameters_fingerprint=str(week.seal.head["fingerprints"]["parameters"])[:12],
        data_fingerprint=hashlib.sha256(week.paths.bars.read_bytes()).hexdigest()[:12],
        decision=facts.verdict.title,
        reason=f"{facts.verdict.why} {facts.verdict.means}",
        cards=cards,
        changes=[*facts.alarms, *facts.events, *facts.changes],
        reports=[Link(title, f"{name}.html", QUESTIONS[name]) for name, title in REPORTS.items()],
        previous=before if before and (week.paths.report(as_of=before) / "index.html").exists() else "",
        following="",
    )
