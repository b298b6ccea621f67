"""What changed this week: ten lines for the pull request, metrics for `dvc metrics`, and the pages that lead on."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.drift_words import KIND as DRIFT
from edgebook.drift_words import alarm_lines, alarms_of
from edgebook.formats import Format, formatted, interval
from edgebook.intervals import clusters_of, rate_interval
from edgebook.metrics import BOOK_METRICS, book_metrics, closed_trades, trade_metrics
from edgebook.report import Card, Link, WeekPage, WeekRow, all_index, replace_together, summary_markdown, week_index
from edgebook.report_names import QUESTIONS, REPORTS
from edgebook.seal_lines import decision_line
from edgebook.week import Week, open_week

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.paths import Paths
    from edgebook.seals import Seal

WINDOW_WEEKS = 13
SHOWN = ("total_signals", "win_rate", "expectancy", "profit_factor", "sharpe_ratio", "max_drawdown")
FORMATS: dict[str, Format] = {
    "win_rate": "percent",
    "max_drawdown": "percent",
    "total_signals": "integer",
    "expectancy": "r",
}


def write_summary(run: Mapping[str, Any], paths: Paths) -> str:
    """Write summary.md, metrics.json and both index pages, together or not at all.

    Parameters
    ----------
    run : mapping
        Section `run` of params.yaml.
    paths : Paths

    Returns
    -------
    str
        What it did, in one line.
    """
    week = open_week(run, root=str(paths.root))
    metrics = account_metrics(week)
    lines = summary_lines(week, metrics)
    folder = paths.report(as_of=week.as_of)
    numbers = json.dumps(metrics_document(week, metrics), indent=1, allow_nan=False) + "\n"
    rows = [_row(week, seal, number=i) for i, seal in enumerate(week.seals)]
    note = f"Win rate of the signals that closed in the {WINDOW_WEEKS} weeks up to the week, 95 % interval by weeks."
    replace_together(
        {
            folder / "summary.md": summary_markdown(lines, title=f"{week.history}, week to {week.as_of}"),
            folder / "metrics.json": numbers,
            paths.reports / "metrics.json": numbers,
            folder / "index.html": week_index(_week_page(week, metrics=metrics, lines=lines)),
            paths.reports / "index.html": all_index(rows, market=week.market, history=week.history, note=note),
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


def summary_lines(week: Week, metrics: pd.DataFrame) -> list[str]:
    """The week in ten lines or fewer, each a finding with its n."""
    seal, head = week.seal, week.seal.head
    closed, opened = _closed_this_week(seal), _opened_this_week(week)
    account = week.days[week.days["arm"] == "account"]
    this_week = account.tail(7) if len(seal.days) else account.iloc[:0]
    change = float(np.prod(1 + this_week["return_ratio"].to_numpy(np.float64)) - 1)
    named: dict[str, Any] = {row["metric"]: row for row in metrics.to_dict("records")}
    lines = [f"Decision: {decision_line(seal)}."]
    lines += alarm_lines(head)
    changes = [event for event in head["events"] if event["kind"] != DRIFT]
    lines += [f"Event: {event['recipe']} {event['kind']}, {event['text']}." for event in changes[:2]]
    lines.append(
        f"Signals: {len(opened)} entered, {len(closed)} closed, {len(seal.account.positions)} open; "
        f"equity {seal.account.equity:,.0f} ({change:+.2%} this week)."
    )
    if len(closed):
        won, total_r = int((closed["profit_ratio"] > 0).sum()), float(closed["r_multiple"].sum())
        lines.append(f"This week's trades: {won} of {len(closed)} won, {total_r:+.1f} R after costs.")
    if named and not pd.isna(named["win_rate"]["value"]):
        rate, even = named["win_rate"], named["break_even_win_rate"]
        lines.append(
            f"Win rate since {week.genesis}: {formatted(rate['value'], 'percent')} "
            f"(95 % {interval(rate['low'], rate['high'], 'percent')}, n {int(rate['n'])}), "
            f"break-even {formatted(even['value'], 'percent')}."
        )
        mean = named["expectancy"]
        lines.append(f"Expectancy: {mean['value']:+.3f} R a trade (95 % {mean['low']:+.3f} to {mean['high']:+.3f}).")
    lines += _evidence_lines(week)
    policy = seal.arms[seal.champion].policy
    certified = [name for name, threshold in policy.thresholds.items() if threshold.certified]
    lines.append(
        f"Thresholds: certified in {len(certified)} of {len(policy.thresholds)} regimes"
        + (f" ({', '.join(certified)})." if certified else "; every signal is a paper signal.")
    )
    budget = head["budget"]
    lines.append(
        f"Error budget {budget['year']}: {budget['admitted']} of {budget['admissions_per_year']} challengers admitted, "
        f"{budget['alpha_spent']:.2%} of {budget['alpha_per_year']:.0%} spent."
    )
    return lines[:10]


def _evidence_lines(week: Week) -> list[str]:
    share = _book_share(week)
    return [
        f"Does learning pay? {t.arm} against {t.against} since {t.since}: wealth {t.wealth(book_share=share):.2f}, "
        f"{'shown' if t.crossed else 'not shown yet'} (the bar is {t.bar:g}, {t.days} days)."
        for t in week.seal.trials
        if t.kind == "baseline"
    ][:1]


def _book_share(week: Week) -> float:
    return float(week.seal.head["settings"]["gate"]["book_share"])


def _closed_this_week(seal: Seal) -> pd.DataFrame:
    return seal.ledger[seal.ledger["status"] == "closed"]


def _opened_this_week(week: Week) -> pd.DataFrame:
    since = pd.Timestamp(week.as_of, tz="UTC") - pd.Timedelta(days=7)
    ledger = week.ledger
    return ledger[ledger["open_date"] >= since] if len(ledger) else ledger


def _row(week: Week, seal: Seal, *, number: int) -> WeekRow:
    """One week of the index, with the win rate of the weeks up to it."""
    recent = [s.ledger for s in week.seals[max(0, number - WINDOW_WEEKS + 1) : number + 1] if len(s.ledger)]
    trades = closed_trades(pd.concat(recent, ignore_index=True)) if recent else pd.DataFrame()
    rate = low = high = None
    if len(trades):
        found = rate_interval((trades["profit_ratio"] > 0).to_numpy(), clusters=clusters_of(trades["open_date"]))
        rate, low, high = found.value, found.low, found.high
    action = seal.head["decision"]["action"]
    tone = {"promote": "good", "roll back": "bad", "recommend": "wait", "pin": "wait"}.get(action, "plain")
    words = {"begin": "history begins", "keep": "keep", "no challenger": "keep, no challenger"}
    there = (week.paths.report(as_of=seal.as_of) / "outcome_analysis.html").exists()
    decision = words.get(action) or f"{action} {seal.head['decision'].get('recipe', '')}".strip()
    alarms = len(alarms_of(seal.head))
    if alarms:
        decision += f", {alarms} drift alarm{'s' if alarms > 1 else ''}"
        tone = "bad"
    return WeekRow(
        as_of=seal.as_of,
        champion=str(seal.head["champion_version"]),
        decision=decision,
        signals=int((seal.ledger["status"] == "closed").sum()) if len(seal.ledger) else 0,
        win_rate=rate,
        win_rate_low=low,
        win_rate_high=high,
        equity=seal.account.equity,
        address=f"{seal.as_of}/index.html" if there else "",
        tone=tone,  # type: ignore[arg-type]
    )


def _week_page(week: Week, *, metrics: pd.DataFrame, lines: list[str]) -> WeekPage:
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
    decision, _, reason = decision_line(week.seal).partition("; ")
    before = neighbours[at - 1] if at else ""
    return WeekPage(
        as_of=week.as_of,
        market=week.market,
        history=week.history,
        champion=week.champion_version,
        parameters_fingerprint=str(week.seal.head["fingerprints"]["parameters"])[:12],
        data_fingerprint=hashlib.sha256(week.paths.bars.read_bytes()).hexdigest()[:12],
        decision=f"Champion {decision}" if decision.endswith(" stays") else decision,
        reason=reason,
        cards=cards,
        changes=lines,
        reports=[Link(title, f"{name}.html", QUESTIONS[name]) for name, title in REPORTS.items()],
        previous=before if before and (week.paths.report(as_of=before) / "index.html").exists() else "",
        following="",
    )
