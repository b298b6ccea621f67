"""Tables of the A/B report: the frames of `ab_report`, `power` and `second_opinions`, dressed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.analyses.ab_trials import WAITING
from edgebook.pages.display import MISSING
from edgebook.analyses.repeated_looks import GATE, WIN_RATE
from edgebook.pages.report import formatted, table
from edgebook.analyses.second_opinions import METHODS

if TYPE_CHECKING:
    from edgebook.analyses.ab_trials import Comparison, Settings
    from edgebook.pages.display import Table

KINDS = {"promotion": "challenger", "rollback": "watch", "baseline": "baseline"}


def evidence_table(found: pd.DataFrame, *, settings: Settings, bar: float) -> Table:
    """Show what each hypothesis saw and what wealth it made.

    Parameters
    ----------
    found : DataFrame
        As `ab_report.evidence` gives it.
    settings : Settings
    bar : float
    """
    gate = settings.gate
    return table(
        found[["hypothesis", "n", "mean", "mean_low", "mean_high", "deviation", "cut", "counted", "share", "wealth"]],
        caption="Evidence of the paired days, and the wealth it made",
        note="Difference a day: books in R, the risk of one trade; all candidates in a usual day's stakes. n counts "
        f"days, the interval weeks. A lead counts up to {gate.max_gain_r:g} R a day, a lag up to {gate.max_loss_r:g}. "
        f"Wealth starts at 1; the bar for both together is {bar:g}.",
        formats={
            "mean": "signed", "deviation": "number", "cut": "percent", "counted": "signed", "share": "percent",
            "wealth": "number",
        },
        intervals={"mean": ("mean_low", "mean_high")},
        labels={"mean": "Mean a day", "cut": "Days cut", "counted": "Mean counted", "share": "Share of error"},
        strong=[len(found) - 1],
    )  # fmt: skip


def books_table(found: pd.DataFrame) -> Table:
    """Show both books over the days of a trial.

    Parameters
    ----------
    found : DataFrame
        As `ab_report.books` gives it.
    """
    shown = found[found["recipe"] != ""]
    return table(
        shown.assign(arm=shown["role"] + " " + shown["recipe"])[
            ["arm", "n", *_ends("mean_r"), *_ends("sharpe_ratio"), "max_drawdown", "signals", *_ends("win_rate")]
        ],
        caption="Both books, net of costs, over the same days",
        note="n counts days, signals those entered and closed in them. The gate uses the paired difference above, in "
        "which what the market did to both cancels out.",
        formats={"mean_r": "r", "sharpe_ratio": "number", "max_drawdown": "percent", "win_rate": "percent"},
        intervals={name: (f"{name}_low", f"{name}_high") for name in ("mean_r", "sharpe_ratio", "win_rate")},
        labels={"mean_r": "A day", "sharpe_ratio": "Sharpe", "max_drawdown": "Drawdown"},
    )


def power_table(found: pd.DataFrame, *, weeks: int, observed: int) -> Table:
    """Show when an edge of each size would be promoted.

    Parameters
    ----------
    found : DataFrame
        As `power.power_table` gives it.
    weeks : int
        Simulated; a median beyond it is written so.
    observed : int
        Days that the spread comes from; 0 when it is made up.
    """
    source = f"{observed:,} paired days observed" if observed else "paired days made up, for want of observed ones"
    columns = ["edge_r", "win_rate", "half", "half_low", "half_high", "full", "full_low", "full_high"]
    medians = {name: [weeks_text(value, most=weeks) for value in found[name]] for name in ("median", "median_both")}
    return table(
        found[columns].assign(**medians, n=found["n"]),
        caption="How long an edge takes to show",
        note=f"Simulated challengers: {source}, centred, drawn anew in blocks of a week, an edge added to every day of "
        "the books. With candidates: the scores of all candidates gain by the same multiple of their "
        "spread. n counts paths.",
        formats={"edge_r": "r", "win_rate": "points", "half": "percent", "full": "percent"},
        intervals={"half": ("half_low", "half_high"), "full": ("full_low", "full_high")},
        labels={
            "edge_r": "Edge a day", "win_rate": "As win rate", "half": "In 26 weeks", "full": "In 52 weeks",
            "median": "Median weeks", "median_both": "With candidates",
        },
    )  # fmt: skip


def opinions_table(opinions: pd.DataFrame, falsely: pd.DataFrame, *, found: Comparison) -> Table:
    """Show what other tests say, beside how often each promotes falsely when looked at weekly.

    Parameters
    ----------
    opinions : DataFrame
        As `second_opinions.opinions` gives it.
    falsely : DataFrame
        As `repeated_looks.false_promotions` gives it.
    found : Comparison
    """
    rates = float(opinions.set_index("method")["estimate"][METHODS[3]])
    rows = [
        {
            "method": row["method"],
            "of": row["of"],
            "n": f"{row['n']:,} {row['unit'][:-1] if row['n'] == 1 else row['unit']}",
            "estimate": _estimate(row, "estimate"),
            "band": _band(_estimate(row, "estimate_low"), _estimate(row, "estimate_high")),
            "test": _test(row),
            "today": _today(bool(row["promotes"]), known=bool(np.isfinite(row["estimate"]))),
        }
        for _, row in opinions.iterrows()
    ]
    days, reached = len(found.days), found.outcome in ("promoted", WAITING)
    gate = {"method": GATE, "of": "bounded scores", "n": f"{days:,} days", "estimate": MISSING, "band": MISSING}
    gate["test"] = f"wealth {found.wealth:.2f}, bar {found.bar:g}" if days else MISSING
    gate["today"] = _today(reached, known=days > 0)
    higher = rows[-1] | {"method": WIN_RATE, "test": "above 0"}
    higher["today"] = _today(rates > 0, known=bool(np.isfinite(rates)))
    shown = pd.DataFrame([gate, *rows, higher]).merge(falsely.drop(columns="n"), on="method", validate="one_to_one")
    return table(
        shown,
        caption="Second opinions, which never decide",
        note=f"Falsely: share of {int(falsely['n'].max()):,} simulated years without an edge in which a weekly look, "
        "from the fourth on, ever said promote: the weeks of this trial drawn anew, a coin deciding each day which "
        "arm is the challenger. The tests are two-sided at 5 %. Ledoit–Wolf in the simulation: its error by Newey and "
        "West, not bootstrapped. The interval of O'Brien–Fleming is the repeated one.",
        formats={"share": "percent"},
        intervals={"share": ("share_low", "share_high")},
        labels={"of": "Difference of", "band": "95 % interval", "test": "Statistic", "share": "Falsely in a year"},
        pills={"today": {"promote": "good", "keep": "plain"}},
        strong=[0],
    )


def regimes_table(found: pd.DataFrame, comparison: Comparison) -> Table:
    """Show the difference of R a signal by regime of entry.

    Parameters
    ----------
    found : DataFrame
        As `ab_report.by_regime` gives it.
    comparison : Comparison
    """
    arm, against = comparison.arm or "challenger", comparison.against or "champion"
    columns = ["regime", "n_arm", "arm_r", "n_against", "against_r", "difference", "difference_low", "difference_high"]
    return table(
        found[[*columns, "n"]].assign(regime=found["regime"].str.replace("_", " ")),
        caption=f"Mean R a signal by regime of entry: {arm} less {against}",
        note="Closed signals of both arms' own books. Signals of one week are one cluster in both arms; n weeks.",
        formats={"arm_r": "r", "against_r": "r", "difference": "r"},
        intervals={"difference": ("difference_low", "difference_high")},
        labels={
            "n_arm": f"Signals {arm}", "arm_r": f"R {arm}", "n_against": f"Signals {against}",
            "against_r": f"R {against}", "n": "Weeks",
        },
        strong=[len(found) - 1],
    )  # fmt: skip


def trials_table(found: pd.DataFrame) -> Table:
    """Show every trial so far.

    Parameters
    ----------
    found : DataFrame
        As `ab_trials.every_trial` gives it.
    """
    shown = found.assign(
        kind=found["kind"].map(KINDS),
        recipe=[f"{name} / {other}" for name, other in zip(found["recipe"], found["against"], strict=True)],
        wealth=[f"{value:,.2f} of {bar:g}" for value, bar in zip(found["wealth"], found["bar"], strict=True)],
        since=pd.to_datetime(found["since"]),
        until=pd.to_datetime(found["until"].replace("", None)),
    )
    columns = ["recipe", "title", "kind", "since", "until", "n", "difference", "difference_low", "difference_high"]
    tones = {"promoted": "good", "rolled back": "bad", "retired": "plain", "on trial": "wait", WAITING: "wait"}
    return table(
        shown[[*columns, "wealth", "outcome"]],
        caption="Every challenger so far, and the baselines",
        note="Difference: R a day of the books, 95 % interval over weeks; n counts days. Each trial starts at wealth "
        "1; nothing carries over. A watch stands over a promotion; a baseline never decides.",
        formats={"difference": "r"},
        intervals={"difference": ("difference_low", "difference_high")},
        labels={"recipe": "Trial", "difference": "Difference", "n": "Days", "title": "What it is"},
        pills={"outcome": tones},  # type: ignore[dict-item]
    )


def budget_table(found: pd.DataFrame) -> Table:
    """Show the error spent in each year.

    Parameters
    ----------
    found : DataFrame
        As `ab_report.error_budget` gives it.
    """
    return table(
        found.assign(**{name: [_percent(value) for value in found[name]] for name in ("spent", "allowed", "left")}),
        caption="Chance of a false promotion: spent and left, by calendar year",
        note="Spent at admission, whatever becomes of the challenger. A bound, not an estimate: it has no interval.",
        labels={"n": "Admitted", "recipes": "Challengers"},
        strong=[len(found) - 1],
    )


def approvals_table(found: pd.DataFrame) -> Table:
    """Show promotions that wait for a person.

    Parameters
    ----------
    found : DataFrame
        As `ab_report.approvals` gives it.
    """
    return table(
        found,
        caption="Promotions recommended, and what became of them",
        labels={"n": "Days on trial"},
        pills={"status": {"waits": "wait", "approved": "good", "lapsed": "plain"}},
    )


def weeks_text(value: float, *, most: int) -> str:
    """Write a median number of weeks, or that the simulation ended before.

    Examples
    --------
    >>> weeks_text(39.0, most=104), weeks_text(float("inf"), most=104)
    ('39', '>104')
    """
    return f"{value:.0f}" if np.isfinite(value) else f">{most}"


def _ends(name: str) -> list[str]:
    return [name, f"{name}_low", f"{name}_high"]


def _percent(value: float) -> str:
    return f"{value * 100:.2f} %"


def _today(promotes: bool, *, known: bool) -> str:
    """What a test says today."""
    return ("promote" if promotes else "keep") if known else "n/a"


def _band(low: str, high: str) -> str:
    """Both ends with the unit once, as `report.interval` writes them."""
    if MISSING in (low, high):
        return MISSING
    number, _, unit = low.partition(" ")
    return f"{number} to {high}" if unit else f"{low} to {high}"


def _estimate(row: pd.Series, end: str) -> str:
    """An estimate or one end of its interval in its own unit."""
    how = {"R a week": "r", "win rate": "points"}.get(str(row["of"]), "signed")
    return formatted(float(row[end]), how)  # type: ignore[arg-type]


def _test(row: pd.Series) -> str:
    """Statistic beside its limit, as text."""
    value, limit = float(row["statistic"]), float(row["limit"])
    if not np.isfinite(value):
        return "n/a"
    if str(row["method"]).startswith("Ledoit"):
        return f"p {formatted(value, 'p')}, limit {limit:.2f}"
    letter = "t" if str(row["method"]).endswith("t") else "z"
    return f"{letter} {formatted(value, 'number')}, limit {limit:.2f}"
