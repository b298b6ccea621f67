"""What the regime report says in words: computed from its numbers, the undecided case too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgebook.figures.figures import words
from edgebook.pages.report import callout, formatted, interval, prose

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from edgebook.pages.display import Callout, Prose

_RATE = 0.10
_MOST_NAMES = 30


def window(regimes: pd.DataFrame, *, plan: str) -> Prose:
    """Say which bars were labelled."""
    first, last = regimes["date"].min(), regimes["date"].max()
    series = regimes[["pair", "timeframe"]].drop_duplicates()
    names = sorted(series["pair"].unique())
    listed = ", ".join(names) if len(names) <= _MOST_NAMES else f"{names[0]} to {names[-1]}"
    return prose(
        f"{len(regimes):,} bars of {len(names)} symbols ({listed}) "
        f"at {', '.join(sorted(series['timeframe'].unique()))}, {first:%Y-%m-%d} to {last:%Y-%m-%d}. Each label rests "
        f"on bars up to its own. Outcomes are those of exit plan `{plan}`, the middle of the grid."
    )


def now_reading(now: pd.DataFrame) -> Prose:
    """Say what the market is in."""
    counts = now["regime"].value_counts()
    parts = [f"{count} {words(str(regime))}" for regime, count in counts.items()]
    oldest = now.sort_values(["bars", "pair"], ascending=[False, True]).iloc[0]
    return prose(
        f"Of {len(now)} series {', '.join(parts)}. The longest spell is {oldest['pair']} {oldest['timeframe']}, "
        f"{words(str(oldest['regime']))} for {oldest['bars']:,} bars."
    )


def shares_reading(shares: pd.DataFrame) -> Prose:
    """Say how the time is divided."""
    parts = []
    for timeframe, own in shares.groupby("timeframe", sort=False):
        most = own.sort_values("share", ascending=False).iloc[0]
        wild = own[own["regime"] == "volatile"].iloc[0]
        parts.append(
            f"At {timeframe} most bars are {words(str(most['regime']))} ({formatted(most['share'], 'percent')}); "
            f"{formatted(wild['share'], 'percent')} are volatile "
            f"({interval(wild['low'], wild['high'], 'percent')}, n = {int(wild['n']):,})."
        )
    return prose(" ".join(parts))


def durations_reading(durations: pd.DataFrame) -> Prose:
    """Say how long regimes last."""
    known = durations.dropna(subset=["median_bars"])
    if known.empty:
        return prose("No spell is complete yet.")
    ordered = known.sort_values(["median_bars", "regime"])
    short, long = ordered.iloc[0], ordered.iloc[-1]
    return prose(
        f"Half of the spells of {words(str(short['regime']))} at {short['timeframe']} end within "
        f"{short['median_bars']:.0f} bars (the shortest, n = {int(short['n'])}); those of {words(str(long['regime']))} "
        f"at {long['timeframe']} within {long['median_bars']:.0f} (the longest, n = {int(long['n'])})."
    )


def transitions_reading(counts: pd.DataFrame) -> Prose:
    """Say what most often follows a trend."""
    parts = []
    for regime in counts.index:
        total = int(counts.loc[regime].sum())
        if total:
            following = str(counts.loc[regime].idxmax())
            share = formatted(float(counts.loc[regime, following]) / total, "percent")
            parts.append(f"{words(str(regime))} by {words(following)} ({share} of {total})")
    return prose(f"Followed most often: {'; '.join(parts)}." if parts else "No spell has ended yet.")


def stability_reading(stability: pd.DataFrame) -> Prose:
    """Say what hysteresis buys."""
    parts = []
    for timeframe, own in stability.groupby("timeframe", sort=False):
        rule = own.set_index("rule")["switches_per_week"]
        saved = 1 - rule["in force"] / rule["no hysteresis"] if rule["no hysteresis"] > 0 else 0.0
        parts.append(
            f"At {timeframe} a series switches {rule['in force']:.1f} times a week, {saved:.0%} less often than "
            "without hysteresis and least stay."
        )
    return prose(" ".join(parts))


def lag_reading(simulated: pd.DataFrame, hindsight: pd.DataFrame) -> Prose:
    """Say what being causal costs."""
    accuracy = float(simulated["balanced_accuracy"].iloc[0])
    trends = hindsight[hindsight["regime"].str.startswith("trending")]
    n = int(trends["n"].sum())
    found = float((trends["found"] * trends["n"]).sum() / n) if n else float("nan")
    wild = hindsight[hindsight["regime"] == "volatile"].iloc[0]
    return prose(
        f"On simulated markets whose truth is known the label has a balanced accuracy of {accuracy:.2f}; chance gives "
        "0.25.",
        f"On these bars the label reaches {formatted(found, 'percent')} of the trends that hindsight sees (n = {n:,}) "
        f"before they end, and {formatted(wild['found'], 'percent')} of the volatile spells (n = {int(wild['n']):,}), "
        f"half of them within {formatted(float(trends['lag_bars'].max()), 'integer')} and "
        f"{formatted(float(wild['lag_bars']), 'integer')} bars: what not looking ahead costs.",
    )


def performance_reading(performance: pd.DataFrame) -> Prose:
    """Say where candidates did better or worse than elsewhere, after correction."""
    tested = performance.dropna(subset=["q"])
    if tested.empty:
        return prose(f"There are too few candidates to compare regimes (n = {int(performance['n'].sum())}).")
    clear = tested[tested["q"] <= _RATE]
    profitable = performance[performance["low"] > 0]
    named = [
        f"{_cell_name(row)} {formatted(row['against_rest'], 'r')}"
        for row in clear.sort_values("against_rest", ascending=False).to_dict("records")
    ]
    first = (
        f"No regime differs from the others after correction (0 of {len(tested)} at {_RATE:.0%})."
        if clear.empty
        else f"{len(clear)} of {len(tested)} cells differ from the other regimes at {_RATE:.0%}: {'; '.join(named)}."
    )
    earns = [_cell_name(row) for row in profitable.to_dict("records")]
    second = (
        f"In {len(earns)} of {len(performance)} the mean R is above zero with its whole interval: {', '.join(earns)}."
        if earns
        else f"In none of {len(performance)} is the mean R above zero with its whole interval: no edge by regime alone."
    )
    return prose(first, second)


def conclusion(
    shares: pd.DataFrame, stability: pd.DataFrame, simulated: pd.DataFrame, performance: pd.DataFrame
) -> Callout:
    """Say what the regimes are good for."""
    clear = performance.dropna(subset=["q"])
    differing = int((clear["q"] <= _RATE).sum())
    spread = performance.dropna(subset=["mean_r"]).groupby("side")["mean_r"].agg(["min", "max"])
    widest = float((spread["max"] - spread["min"]).max()) if len(spread) else float("nan")
    calm = stability[stability["rule"] == "in force"]["switches_per_week"]
    head = (
        f"Regimes separate outcomes: {differing} of {len(clear)} cells of side and regime differ from the rest at "
        f"{_RATE:.0%}; between best and worst regime lie up to {widest:.2f} R a candidate."
        if differing
        else f"Regimes do not separate outcomes here: 0 of {len(clear)} cells of side and regime differ at {_RATE:.0%}."
    )
    least, most = float(shares["share"].min()), float(shares["share"].max())
    return callout(
        head,
        f"The labels are causal, switch {calm.min():.1f} to {calm.max():.1f} times a week and series, and take up "
        f"{formatted(least, 'percent')} to {formatted(most, 'percent')} of the bars each. Their balanced accuracy on a "
        f"known truth is {float(simulated['balanced_accuracy'].iloc[0]):.2f}.",
    )


def _cell_name(row: Mapping[Any, Any]) -> str:
    """Regime and side."""
    return f"{words(str(row['regime']))} {row['side']}"
