"""What the comparison of rule and model says in words: computed, the undecided case too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgebook.figures.figures import words
from edgebook.analyses.regime_comparison import HMM, RULE, SMOOTHED
from edgebook.pages.report import callout, formatted, interval, prose

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from edgebook.pages.display import Callout, Prose


def truth_reading(truth: pd.DataFrame) -> Prose:
    """Say which labelling is nearer to the truth, and when."""
    parts = []
    for kind, own in truth.groupby("market", sort=False):
        row = _by_labelling(own)[HMM]
        ends = f"{_points(row['against_low'])} to {_points(row['against_high'])}"
        gap = f"{_points(row['against_rule'])} points ({ends}, n = {row['n']})"
        parts.append(f"On {kind} markets the model's balanced accuracy is {_verdict(row)}: {gap}.")
    trends = truth.set_index(["market", "labelling"])["trend_lag_bars"]
    lags = ", ".join(
        f"{trends[kind, RULE]:.0f} and {trends[kind, HMM]:.0f} bars on {kind} ones" for kind in truth["market"].unique()
    )
    return prose(" ".join(parts), f"Rule and model reach half of the trends that they find within {lags}.")


def steadiness_reading(stability: pd.DataFrame) -> Prose:
    """Say which labelling switches more often."""
    parts = []
    for timeframe, own in stability.groupby("timeframe", sort=False):
        rows = _by_labelling(own)
        rule, model = rows[RULE], rows[HMM]
        clear = model["low"] > rule["high"] or rule["low"] > model["high"]
        parts.append(
            f"At {timeframe} the model switches {model['switches_per_week']:.1f} times a week, the rule "
            f"{rule['switches_per_week']:.1f}{'' if clear else ' (the intervals overlap)'}; half of its spells end "
            f"within {formatted(model['median_bars'], 'integer')} bars, of the rule's within "
            f"{formatted(rule['median_bars'], 'integer')}."
        )
    return prose(" ".join(parts))


def agreement_reading(agreement: pd.DataFrame, counts: pd.DataFrame) -> Prose:
    """Say how often the two agree, and where they most often do not."""
    if agreement.empty:
        return prose("The model has labelled no bar yet: its warm-up is longer than the history.")
    parts = [
        f"{formatted(row['agree'], 'percent')} of the {row['timeframe']} bars "
        f"({interval(row['low'], row['high'], 'percent')}, n = {row['n']:,}; chance {row['by_chance']:.0%})"
        for row in agreement.to_dict("records")
    ]
    n = agreement["n"]
    opposite = float((agreement["opposite"] * n).sum() / n.sum())
    apart = {(r, m): int(counts.loc[r, m]) for r in counts.index for m in counts.columns if r != m}
    (rule, model), most = max(apart.items(), key=lambda one: one[1])
    return prose(
        f"Rule and model agree on {' and '.join(parts)}. They differ most often where the rule says {words(str(rule))} "
        f"and the model {words(str(model))} ({most:,} of {sum(apart.values()):,} bars); one says bullish and the other "
        f"bearish on {formatted(opposite, 'percent')} of all."
    )


def looking_ahead_reading(counts: pd.DataFrame, separation: pd.DataFrame) -> Prose:
    """Say how much the smoothed labels differ, and what they fake."""
    total, differ = int(counts["n"].sum()), int(counts["bars_differing"].sum())
    if not total:
        return prose("There is nothing to compare yet.")
    rows = separation.set_index(["side", "labelling"])["spread_r"]
    sides = [side for side in ("long", "short") if (side, HMM) in rows.index and (side, SMOOTHED) in rows.index]
    faked = ", ".join(f"{side} {rows[side, HMM]:.3f} to {rows[side, SMOOTHED]:.3f} R" for side in sides)
    return prose(
        f"Smoothing changes {differ:,} of {total:,} labels ({differ / total:.1%}), each of them with bars that nobody "
        "had seen. By that alone the regimes' spread in R moves"
        + (f": {faked}." if faked else " by an amount that cannot be told here.")
    )


def separation_reading(separation: pd.DataFrame) -> Prose:
    """Say under which labelling regimes tell outcomes apart."""
    parts = []
    for side, own in separation[separation["labelling"] != SMOOTHED].groupby("side", sort=False):
        rows = _by_labelling(own)
        if {RULE, HMM} <= set(rows):
            rule, model = rows[RULE], rows[HMM]
            parts.append(
                f"{str(side).capitalize()}: the regimes' means spread by {rule['spread_r']:.3f} R under the rule and "
                f"{model['spread_r']:.3f} R under the model (n = {rule['n']:,}); {rule['differ']} and "
                f"{model['differ']} of {rule['cells']} cells differ from the rest."
            )
    return prose(" ".join(parts) if parts else "There are too few candidates to compare the labellings.")


def verdict(truth: pd.DataFrame, stability: pd.DataFrame, separation: pd.DataFrame) -> Callout:
    """Say which labelling there is reason to use."""
    model = truth[truth["labelling"] == HMM]
    better = [str(row["market"]) for row in model.to_dict("records") if row["against_low"] > 0]
    worse = [str(row["market"]) for row in model.to_dict("records") if row["against_high"] < 0]
    rates = stability.groupby("labelling")["switches_per_week"].mean()
    spreads = separation.groupby("labelling")["spread_r"].mean()
    steadier = rates[HMM] < rates[RULE] if {HMM, RULE} <= set(rates.index) else False
    wider = spreads[HMM] > spreads[RULE] if {HMM, RULE} <= set(spreads.index) else False
    if better and not worse and steadier and wider:
        head = "The hidden Markov model is worth a recipe: nearer to the truth, steadier, and outcomes differ more."
    elif worse and not better and not steadier and not wider:
        head = "The rule is the better labelling here on every count."
    else:
        head = "There is no case for leaving the rule: the model is not better on all counts."
    found = [
        *([f"nearer to the truth on {' and '.join(better)} markets"] if better else []),
        *([f"further from the truth on {' and '.join(worse)} markets"] if worse else []),
        *([] if better or worse else ["not shown to be nearer to the truth or further from it"]),
        "steadier" if steadier else "not steadier",
        "outcomes differ more by its regimes" if wider else "outcomes do not differ more by its regimes",
    ]
    return callout(
        head, f"The model is {', '.join(found)}. A recipe chooses by its setting `regimes`, and the gate tests it."
    )


def _by_labelling(rows: pd.DataFrame) -> dict[str, dict[Any, Any]]:
    """Rows as mappings, by their labelling."""
    return {str(row["labelling"]): row for row in rows.to_dict("records")}


def _verdict(row: Mapping[Any, Any]) -> str:
    if row["against_low"] > 0:
        return "above the rule's"
    return "below the rule's" if row["against_high"] < 0 else "not told apart from the rule's"


def _points(share: float) -> str:
    """Percentage points with their sign."""
    return f"{100 * share:+.1f}".replace("-", "−")
