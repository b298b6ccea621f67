"""Tables of the learning review: the frames of its modules, dressed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from edgebook.analyses.candidate_scores import ABLATED
from edgebook.figures.figures import words
from edgebook.files.formats import MISSING
from edgebook.analyses.goals import MIN_WEEKS, NOW_WEEKS, START_WEEKS
from edgebook.settings.recipes import HEAD_LETTERS
from edgebook.pages.report import formatted, interval, table

if TYPE_CHECKING:
    import pandas as pd

    from edgebook.pages.display import Table

Tone = Literal["good", "bad", "wait", "plain"]
VERDICTS: dict[str, dict[str, Tone]] = {"verdict": {"met": "good", "not met": "bad", "too early": "wait"}}
SHOWN: dict[str, Tone] = {"shown": "good", "certified": "good", "paper": "wait", "not shown": "wait"}


def windows_table(found: pd.DataFrame) -> Table:
    """Show account and frozen policy in week 1, by week 4, by week 12, lately, and over all weeks.

    Parameters
    ----------
    found : DataFrame
        As `learning_curve.week_table` gives it.
    """
    bps = {name: found[name].astype(float) * 1e4 for name in _ends("avg_profit_per_trade")}
    columns = ["window", "strategy", "n", *_ends("win_rate"), *_ends("signals_per_day"),
               *_ends("avg_profit_per_trade")]  # fmt: skip
    return table(
        _unbroken(found.assign(**bps)[columns]),
        caption="Week 1, 4 and 12: account and frozen first policy",
        note="Signals by week of entry; n counts those that have closed. Weeks are the units of the intervals, days in "
        "fewer than eight; a window that is not over, or has no signal, reads n/a.",
        formats={"signals_per_day": "number", "win_rate": "percent", "avg_profit_per_trade": "bps"},
        labels={"signals_per_day": "Signals a day", "avg_profit_per_trade": "Average profit"},
        intervals=_bands("signals_per_day", "win_rate", "avg_profit_per_trade"),
    )


def profits_table(found: pd.DataFrame) -> Table:
    """Show the same windows in R and in account currency.

    Parameters
    ----------
    found : DataFrame
        As `learning_curve.week_table` gives it.
    """
    return table(
        _unbroken(found[["window", "strategy", "n", *_ends("expectancy"), "profit"]].astype({"profit": float})),
        caption="The same weeks in R and in account currency",
        note="Profit is the change of the book's equity, positions still open marked to market.",
        formats={"expectancy": "r", "profit": "money"},
        labels={"expectancy": "R a signal"},
        intervals=_bands("expectancy"),
    )


def strategies_table(found: pd.DataFrame) -> Table:
    """Show all strategies side by side.

    Parameters
    ----------
    found : DataFrame
        As `strategies.compare_strategies` gives it.
    """
    columns = ["strategy", "weeks", "n", *_ends("expectancy"), "total_r", "profit", *_ends("ahead")]
    titles = ", ".join(f"{words(str(s))}: {t}" for s, t in zip(found["strategy"], found["title"], strict=True))
    return table(
        _unbroken(found.assign(strategy=found["strategy"].map(words))[columns]),
        caption="Strategies, each with a book of its own, over the weeks in which it ran",
        note=f"{titles}. Ahead: R a week more than the frozen first policy on the same weeks, paired. Profit in "
        "account currency, positions still open marked to market.",
        formats={"expectancy": "r", "total_r": "r", "profit": "money", "ahead": "r"},
        labels={"expectancy": "R a signal", "total_r": "Sum of R",
                "ahead": "Ahead, a week"},
        intervals=_bands("expectancy", "ahead"),
        strong=[0],
    )  # fmt: skip


def ablation_table(found: pd.DataFrame) -> Table:
    """Show what each learner adds, on all candidates.

    Parameters
    ----------
    found : DataFrame
        As `candidate_scores.ablation` gives it.
    """
    shown = _unbroken(found.assign(name=found["name"].map(ABLATED)))
    weeks = int(found["weeks"].max()) if len(found) else 0
    return table(
        shown[["name", *_ends("auc"), *_ends("top_r"), *_ends("gain"), "q_value"]],
        caption="Each learner against its frozen twin: one part of the champion's policies put back at a time, "
        f"weeks n = {weeks:,}",
        note="On every candidate that has closed, traded or not, each week scored by a policy that had not seen it. "
        "AUC: chance that a winner had more confidence than a loser of its week. Top 5 %: the week's most confident "
        "candidates. Lost without it: top 5 % of the whole policy less that of the row, paired by week; q corrects for "
        "the number of rows.",
        formats={"auc": "number3", "top_r": "r", "gain": "r", "q_value": "p"},
        labels={"name": "Policy", "auc": "AUC", "top_r": "R of the top 5 %", "gain": "Lost without it", "q_value": "q"},
        intervals=_bands("auc", "top_r", "gain"),
        strong=[0],
    )


def best_table(found: pd.DataFrame) -> Table:
    """Show what is known of each regime: best head, best indicator.

    Parameters
    ----------
    found : DataFrame
        As `policy_history.best_of_regimes` gives it.
    """
    shown = found.assign(
        head=[_head(letter) for letter in found["head"]],
        head_is=_shown(found["head_known"]),
        indicator=[words(name) if isinstance(name, str) else MISSING for name in found["indicator"]],
        indicator_difference=found["indicator_difference"].astype(float),
        indicator_is=_shown(found["indicator_known"]),
        regime=found["regime"].map(words),
    ).astype({name: float for name in ("head_rate", "head_low", "head_high", "indicator_low", "indicator_high")})
    columns = ["regime", "head", "head_rate", "head_low", "head_high", "head_is", "indicator", "indicator_difference",
               "indicator_low", "indicator_high", "indicator_is"]  # fmt: skip
    return table(
        shown[columns],
        caption="The best head and the best indicator of each regime, so far",
        note="The highest after shrinking. Head: share of its votes that were right, out of sample, 50 % when it knows "
        "nothing. Indicator: how much more often its textbook vote was with winners than with losers. Shown: above "
        "chance at a false-discovery rate of 10 % over all heads (indicators) and regimes; otherwise a lead to watch.",
        formats={"head_rate": "percent", "indicator_difference": "points"},
        labels={"head": "Best head", "head_rate": "Hit rate", "head_is": "Head is", "indicator": "Best indicator",
                "indicator_difference": "With winners", "indicator_is": "Indicator is"},
        intervals={"head_rate": ("head_low", "head_high"), "indicator_difference": ("indicator_low", "indicator_high")},
        pills={"head_is": SHOWN, "indicator_is": SHOWN},
    )  # fmt: skip


def heads_table(rates: pd.DataFrame, *, top: int = 3) -> Table:
    """Show hit rate and weight of the best heads of every regime.

    Parameters
    ----------
    rates : DataFrame
        As `head_record.head_hit_rates` gives it.
    top : int
        Heads a regime, the highest after shrinking first.
    """
    shown = rates.sort_values(["regime", "shrunk", "head"], ascending=[True, False, True])
    order = {regime: place for place, regime in enumerate(dict.fromkeys(rates["regime"]))}
    shown = shown.groupby("regime", sort=False).head(top)
    shown = shown.sort_values("regime", key=lambda names: names.map(order), kind="stable")
    return table(
        shown.assign(regime=shown["regime"].map(words), head=[_head(letter) for letter in shown["head"]])[
            ["regime", "head", "hit_rate", "low", "high", "shrunk", "n", "weeks", "q_value", "weight"]
        ],
        caption=f"The {top} best heads of each regime: out-of-sample hit rate and today's weight",
        note=f"Out of {len(HEAD_LETTERS)} heads a regime, all of which q counts. A vote is a hit when it favoured a "
        "winner or opposed a loser; winners and losers weigh the same, so that "
        "50 % is chance. n counts votes; intervals count weeks. Shrunk toward the head's rate over all regimes.",
        formats={"hit_rate": "percent", "shrunk": "percent", "q_value": "p"},
        labels={"hit_rate": "Hit rate", "q_value": "q"},
        intervals={"hit_rate": ("low", "high")},
    )


def thresholds_table(found: pd.DataFrame) -> Table:
    """Show thresholds in force and what candidates above them made.

    Parameters
    ----------
    found : DataFrame
        As `policy_history.threshold_evidence` gives it.
    """
    shown = found.assign(regime=found["regime"].map(words), status=np.where(found["certified"], "certified", "paper"))
    return table(
        shown[["regime", "value", "status", "weeks_certified", "mean_r", "low", "high", "n", "weeks"]],
        caption="Thresholds in force, and what candidates at or above them have made",
        note="Every candidate of the regime, traded or not, with the confidence given before its outcome, warm-up "
        "included; weeks are the units. Certified: mean R above 0 at the level that params.yaml sets, all starts of "
        "the search accounted for. Paper: a quantile of recent confidence, not yet shown to earn.",
        formats={"value": "percent", "mean_r": "r"},
        labels={"value": "Threshold", "weeks_certified": "Seals certified", "mean_r": "R a candidate",
                "n": "Candidates", "weeks": "Weeks"},
        intervals={"mean_r": ("low", "high")},
        pills={"status": SHOWN},
    )  # fmt: skip


def regimes_table(found: pd.DataFrame) -> Table:
    """Show the account's profit in each regime.

    Parameters
    ----------
    found : DataFrame
        As `goal_values.regime_profit` gives it.
    """
    return table(
        found.assign(regime=found["regime"].map(words))[
            [
                "regime",
                "n",
                "n_effective",
                "mean_r",
                "low",
                "high",
                "shrunk_r",
                "total_r",
                "win_rate",
                "win_low",
                "win_high",
            ]
        ],
        caption="The account by regime",
        note="Shrunk: the R of a signal, pulled toward that of all regimes as far as the data ask for it.",
        formats={"mean_r": "r", "shrunk_r": "r", "total_r": "r", "win_rate": "percent"},
        labels={"mean_r": "R a signal", "shrunk_r": "Shrunk", "total_r": "Sum of R"},
        intervals={"mean_r": ("low", "high"), "win_rate": ("win_low", "win_high")},
    )


def goals_table(board: pd.DataFrame) -> Table:
    """Show every goal with value, interval, n and verdict.

    Parameters
    ----------
    board : DataFrame
        As `goals.scoreboard` gives it.
    """
    shown = board[["goal", "target"]].assign(
        value=[goal_value(row) for _, row in board.iterrows()],
        band=[goal_band(row) for _, row in board.iterrows()],
        n=[goal_count(row) for _, row in board.iterrows()],
        verdict=board["verdict"],
    )
    return table(
        shown,
        caption="The goals of params.yaml",
        note="Met: the whole 95 % interval reaches the goal. Not met: none of it does. Too early: the interval holds "
        f"the goal, or fewer than {MIN_WEEKS} weeks have passed. A drawdown that has happened and an intervention are "
        f"counted, not estimated. The start is the first {START_WEEKS} weeks, now the last {NOW_WEEKS} that do not "
        "overlap it. Random policies draw as many candidates from each week and timeframe, under the same exit plan; "
        "their percentile is redrawn over weeks.",
        labels={"band": "95 % interval", "n": "n"},
        pills=VERDICTS,
    )


def goal_value(row: pd.Series[Any]) -> str:
    """Write the value of one row of `goals.scoreboard`."""
    if row["unit"] == "regimes":
        return f"{row['value']:.0f} of {row['n']}"
    if row["how"] == "percentile":
        return formatted(row["value"] / 100, "percent").removesuffix(" %")
    return formatted(row["value"], row["how"])


def goal_band(row: pd.Series[Any]) -> str:
    """Write both ends of one row of `goals.scoreboard`."""
    if row["how"] == "percentile":
        return interval(row["low"] / 100, row["high"] / 100, "percent").removesuffix(" %")
    return interval(row["low"], row["high"], row["how"])


def goal_count(row: pd.Series[Any]) -> str:
    """Write how many observations are behind one row of `goals.scoreboard`, and against how many."""
    against = "" if row["n_against"] != row["n_against"] else f" against {row['n_against']:,.0f}"
    unit = str(row["unit"]).removesuffix("s") if row["n"] == 1 and not against else row["unit"]
    return f"{row['n']:,}{against} {unit}"


def _shown(known: pd.Series[bool]) -> list[str]:
    return ["shown" if one is True or one == True else "not shown" for one in known]  # noqa: E712 numpy bools


def _head(letter: object) -> str:
    return f"{letter} {words(f'HEAD_{letter}')}" if isinstance(letter, str) else MISSING


def _unbroken(found: pd.DataFrame) -> pd.DataFrame:
    """Keep the words of the first two columns on one line."""
    names = [name for name in found.columns[:2] if found[name].dtype.kind not in "if"]
    return found.assign(**{name: found[name].astype(str).str.replace(" ", "\u00a0") for name in names})


def _ends(name: str) -> list[str]:
    return [name, f"{name}_low", f"{name}_high"]


def _bands(*names: str) -> dict[str, tuple[str, str]]:
    return {name: (f"{name}_low", f"{name}_high") for name in names}
