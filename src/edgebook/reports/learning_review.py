"""What the learning review says in words: computed from its numbers, the undecided and the empty case too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.analyses.candidate_scores import ABLATED
from edgebook.statistics.cells import FALSE_DISCOVERY_RATE
from edgebook.figures.figures import words
from edgebook.statistics.metrics import closed_trades
from edgebook.pages.report import formatted, interval, prose
from edgebook.analyses.tracks import ACCOUNT, FROZEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from edgebook.pages.display import Format, Prose
    from edgebook.statistics.intervals import Interval
    from edgebook.analyses.learning_curve import Paired
    from edgebook.analyses.tracks import Track
    from edgebook.seals.week import Week


def history_reading(week: Week, tracks: Mapping[str, Track], *, events: pd.DataFrame) -> Prose:
    """Say which history, which strategies, and what happened to the champion.

    Parameters
    ----------
    week : Week
    tracks : mapping of str to Track
    events : DataFrame
        As `learning_curve.history_events` gives it.
    """
    count = len(week.weeks) - 1
    closed = ", ".join(f"{words(n)} {len(closed_trades(t.trades)):,}" for n, t in tracks.items())
    said = f"History {week.history}: {weeks_said(count)} since {week.weeks[0]}. Closed signals: {closed}."
    compared = "; ".join(f"**{words(name)}**: {track.title}" for name, track in tracks.items())
    if FROZEN not in tracks:
        compared += ". This history has no baseline recipe, so nothing tells learning from the market"
    changes = events[events["change"]]
    listed = "; ".join(f"{row['week']:%Y-%m-%d} {row['recipe']} {row['kind']}" for _, row in changes.iterrows())
    return prose(said, f"{compared}.", f"Changes of champion: {listed or 'none'}. In force: {week.champion_version}.")


def curve_reading(differences: Mapping[str, Paired]) -> Prose:
    """Say how far the account is ahead, and whether that is more than chance.

    Parameters
    ----------
    differences : mapping of str to Paired
        As `learning_curve.against_others` gives them.
    """
    said = []
    for found in differences.values():
        name = words(found.against)
        if found.mean.n < 2:
            said.append(f"Against {name}: {weeks_said(found.mean.n)}, too few for a difference.")
            continue
        if not found.weekly.any():
            said.append(f"Against {name}: the same R in each of {weeks_said(found.mean.n)}, nothing to tell apart yet.")
            continue
        ahead = "ahead" if found.mean.value > 0 else "behind" if found.mean.value < 0 else "level"
        verdict = {1: "more than chance at one look", -1: "less, and more than chance at one look"}.get(
            side_of_zero(found.mean), "not to be told from 0"
        )
        said.append(
            f"Against {name} the account is {formatted(abs(float(found.weekly.sum())), 'number')} R {ahead} after "
            f"{weeks_said(found.mean.n)}: {with_band(found.mean, 'r')} a week, {verdict}."
        )
    return prose(*said or ["There is no other strategy to compare with."])


def windows_reading(found: pd.DataFrame, rolling: Mapping[str, pd.DataFrame]) -> Prose:
    """Say how the win rate has moved.

    Parameters
    ----------
    found : DataFrame
        As `learning_curve.week_table` gives it.
    rolling : mapping of str to DataFrame
        `learning_curve.rolling_win_rate` by strategy.
    """
    own = found[(found["strategy"] == ACCOUNT) & (found["n"] > 0)].drop_duplicates("window")
    if own.empty:
        return prose("No signal has closed yet: every rate is n/a.")
    path = "; ".join(
        f"{row['window']}: {formatted(row['win_rate'], 'percent')} of {row['n']:,}" for _, row in own.iterrows()
    )
    seen = rolling[ACCOUNT].dropna(subset=["value"])
    if len(seen) < 2:
        return prose(f"Share of the account's signals that won: {path}.")
    above = int((seen["low"] > seen["break_even"]).sum())
    return prose(
        f"Share of the account's signals that won: {path}.",
        f"Its rolling win rate ran from {formatted(seen['value'].min(), 'percent')} to "
        f"{formatted(seen['value'].max(), 'percent')}; the whole interval stood above break-even in {above} of "
        f"{len(seen)} weeks.",
    )


def ablation_reading(found: pd.DataFrame) -> Prose:
    """Say which learners carry the result.

    Parameters
    ----------
    found : DataFrame
        As `candidate_scores.ablation` gives it.
    """
    rows = found[found["gain"].notna()]
    own = found.iloc[0]
    if rows.empty or not np.isfinite(own["auc"]):
        return prose("No week with known outcomes yet: nothing to take apart.")
    skill = "above" if own["auc_low"] > 0.5 else "below" if own["auc_high"] < 0.5 else "not to be told from"
    first = (
        f"Over {weeks_said(int(own['weeks']))} the champion's policies reached an AUC of "
        f"{formatted(own['auc'], 'number3')} "
        f"(95 % {interval(own['auc_low'], own['auc_high'], 'number3')}), {skill} 0.5, which is no skill."
    )
    if rows["q_value"].isna().all():
        return prose(f"{first} Weeks are the units: {weeks_said(int(own['weeks']))} are too few to compare learners.")
    sure = rows[rows["q_value"] <= FALSE_DISCOVERY_RATE]
    if sure.empty:
        near = rows.sort_values(["q_value", "name"]).iloc[0]
        return prose(
            f"{first} No learner is shown to add anything to the most confident 5 % (0 of {len(rows)} at a "
            f"false-discovery rate of 10 %). The nearest: less “{ABLATED[str(near['name'])]}”, it is "
            f"{formatted(near['gain'], 'r')} a candidate (95 % {interval(near['gain_low'], near['gain_high'], 'r')}, "
            f"q = {formatted(near['q_value'], 'p')})."
        )
    listed = "; ".join(f"{formatted(r['gain'], 'r')} on “{ABLATED[str(r['name'])]}”" for _, r in sure.iterrows())
    return prose(
        f"{first} Shown on the most confident 5 %, at a false-discovery rate of 10 %: all that was learned makes "
        f"{listed} a candidate."
    )


def calibration_reading(tables: Mapping[str, pd.DataFrame]) -> Prose:
    """Say whether confidence came true, and whether the account's is nearer than the frozen policy's.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        `candidate_scores.calibration` by name.
    """
    said = []
    for name, found in tables.items():
        if found.empty:
            said.append(f"{words(name).capitalize()}: no candidate has closed yet.")
            continue
        inside = int(((found["low"] <= found["predicted"]) & (found["predicted"] <= found["high"])).sum())
        gap = float(np.average(np.abs(found["observed"] - found["predicted"]), weights=found["n"]))
        top = found.iloc[-1]
        said.append(
            f"**{words(name).capitalize()}**: confidence and win rate lie {formatted(gap, 'points').lstrip('+')} apart "
            f"on average; the stated confidence is inside the interval in {inside} of {len(found)} groups. The most "
            f"confident group was given {formatted(top['predicted'], 'percent')} and won "
            f"{formatted(top['observed'], 'percent')} (95 % {interval(top['low'], top['high'], 'percent')})."
        )
    return prose(*said)


def heads_reading(rates: pd.DataFrame, weights: pd.DataFrame, *, strategy: str) -> Prose:
    """Say which heads have shown to know something, and how the weights have moved.

    Parameters
    ----------
    rates : DataFrame
        As `head_record.head_hit_rates` gives it.
    weights : DataFrame
        As `policy_history.weights_over_time` gives it.
    strategy : str
        How the champion's recipe learns head weights.
    """
    known, shown = int(rates["hit_rate"].notna().sum()), int(rates["shown"].sum())
    moved = float(np.abs(weights.iloc[-1].to_numpy() - weights.iloc[0].to_numpy()).mean())
    silent = int((weights.iloc[-1] == 0).sum())
    first = (
        f"{shown} of {known} heads by regime are shown to be right more often than half of the time (false-discovery "
        f"rate of 10 %). A weight has moved by {formatted(moved, 'number')} on average since the first seal; {silent} "
        f"of {len(rates)} are 0."
    )
    if strategy != "by_regime":
        return prose(first)
    claimed = 1 / (1 + np.exp(-rates["weight"]))
    over = int(((rates["weight"] > 0) & (claimed > rates["high"])).sum())
    return prose(
        first,
        f"A weight is the log-odds of a hit rate. {over} of {known} claim more than the 95 % interval of the rate seen "
        "here holds; weights look back a few months, the table over the whole history.",
    )


def best_reading(found: pd.DataFrame) -> Prose:
    """Say what is known of each regime.

    Parameters
    ----------
    found : DataFrame
        As `policy_history.best_of_regimes` gives it.
    """
    said = []
    for _, row in found.iterrows():
        mode = "certified" if row["certified"] else "paper"
        said.append(
            f"- **{words(str(row['regime']))}**: heads shown {row['heads']}, indicators shown {row['indicators']}; "
            f"threshold {formatted(row['threshold'], 'percent')}, {mode}."
        )
    return prose("\n".join(said))


def side_of_zero(found: Interval) -> int:
    """Return 1 when the interval lies above 0, -1 below, 0 when it holds 0 or is unknown."""
    return int(found.low > 0) - int(found.high < 0)


def with_band(found: Interval, how: Format) -> str:
    """Write an estimate with its interval in brackets."""
    return f"{formatted(found.value, how)} (95 % {interval(found.low, found.high, how)})"


def weeks_said(count: int) -> str:
    """Write a number of weeks."""
    return f"{count:,} week" if count == 1 else f"{count:,} weeks"
