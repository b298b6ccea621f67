"""Versions of the policy: what was in force when, and what two of them differ in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.analyses.compare_outcomes import compare_outcomes
from edgebook.errors import SealError
from edgebook.loop.history import policy_of
from edgebook.policy.market import REGIMES
from edgebook.settings.recipes import HEAD_LETTERS
from edgebook.statistics.intervals import clusters_of, mean_interval, rate_interval
from edgebook.statistics.metrics import closed_trades

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.policy.heads import Head
    from edgebook.policy.policy import Policy
    from edgebook.seals.week import Week


def list_versions(week: Week) -> list[dict[str, Any]]:
    """One row a sealed week: the champion's version, the challenger, the decision, the events."""
    return [
        {
            "week": head["as_of"],
            "champion": head["champion_version"],
            "challenger": head["challenger"],
            "decision": head["decision"]["action"],
            "wealth": head["decision"].get("wealth"),
            "events": [f"{e['recipe']} {e['kind']}" for e in head["events"]],
        }
        for head in week.heads
    ]


def compare_versions(week: Week, a: str, *, b: str) -> dict[str, Any]:
    """What differs between two versions, and what it did to outcomes.

    Parameters
    ----------
    week : Week
    a, b : str
        Versions such as ``r1@2019-06-24``, or recipes: then their last version.

    Returns
    -------
    dict
        settings, thresholds, head_weights, heads and the largest changes of coefficients, each with both values;
        outcomes of each recipe's own book over the weeks in which both ran; choices: what one would have chosen and
        the other not, whole and head by head (`compare_outcomes.compare_outcomes`).
    """
    first, second = resolve_version(week, a), resolve_version(week, b)
    recipes = week.seal.recipes
    mine, other = recipes[first.recipe]["settings"], recipes[second.recipe]["settings"]
    return {
        "a": first.version,
        "b": second.version,
        "settings": {k: [mine[k], other[k]] for k in mine if mine[k] != other.get(k)},
        "thresholds": {
            name: [first.thresholds[name].to_json(), second.thresholds[name].to_json()]
            for name in REGIMES
            if first.thresholds[name] != second.thresholds[name]
        },
        "head_weights": {
            regime: {
                letter: [float(x), float(y)]
                for letter, x, y in zip(HEAD_LETTERS, first.weights[i], second.weights[i], strict=True)
                if x != y
            }
            for i, regime in enumerate(REGIMES)
        },
        "heads": head_changes(first, second),
        "coefficients": _largest_changes(first, second),
        "outcomes": _outcomes(week, first.recipe, second.recipe),
        "choices": compare_outcomes(week, first, second),
    }


def resolve_version(week: Week, name: str) -> Policy:
    """Policy of a version, or the last one of a recipe, running or not.

    Raises
    ------
    SealError
        There is no such version or recipe.
    """
    if "@" in name:
        return policy_of(week.paths, week.history, name)
    for sealed in reversed(week.weeks):
        place = week.paths.seal(history=week.history, as_of=sealed) / "policies" / f"{name}.json"
        if place.exists():
            return policy_of(week.paths, week.history, f"{name}@{sealed}")
    raise SealError(f"{name}: no such recipe in history {week.history}; `edgebook versions` lists them")


def head_changes(first: Policy, second: Policy) -> list[dict[str, Any]]:
    """How far each head of one version is from that of another.

    Parameters
    ----------
    first, second : Policy

    Returns
    -------
    list of dict
        By letter: indicators (of both), calibration (mean slope of both), weight (mean over regimes of both), and
        moved: root mean square change of the coefficients, in log-odds per standard deviation or vote. A head that a
        version lacks has 0 indicators.
    """
    rows = []
    for place, letter in enumerate(HEAD_LETTERS):
        heads = [policy.heads.get(letter) for policy in (first, second)]
        names = sorted({name for head in heads if head is not None for name in head.indicators})
        tables = [_coefficients(head, names) for head in heads]
        moved = float(np.sqrt(np.mean((tables[1] - tables[0]) ** 2))) if names else 0.0
        rows.append(
            {
                "head": letter,
                "indicators": [0 if head is None else len(head.indicators) for head in heads],
                "calibration": [round(float(p.slopes[place].mean()), 4) for p in (first, second)],
                "weight": [round(float(p.weights[:, place].mean()), 4) for p in (first, second)],
                "moved": round(moved, 5),
            }
        )
    return rows


def _coefficients(head: Head | None, names: list[str]) -> NDArray[np.float64]:
    """Coefficients of some indicators, values then votes, 0 for one that the head does not read."""
    table = np.zeros((len(names), 4))
    if head is not None:
        at = [names.index(name) for name in head.indicators]
        table[at] = np.concatenate([head.value_weights, head.vote_weights], axis=1)
    return table


def _largest_changes(first: Policy, second: Policy, *, most: int = 12) -> list[dict[str, Any]]:
    """Coefficients of the values, in log-odds per standard deviation, that changed most."""
    rows: list[dict[str, Any]] = []
    for letter in HEAD_LETTERS:
        one, two = first.heads.get(letter), second.heads.get(letter)
        if one is None or two is None:
            continue
        for name in sorted({*one.indicators} | {*two.indicators}):
            values = [
                h.value_weights[h.indicators.index(name)] if name in h.indicators else np.zeros(2) for h in (one, two)
            ]
            for side, words in enumerate(("long", "short")):
                before, after = float(values[0][side]), float(values[1][side])
                rows.append({"head": letter, "indicator": name, "side": words, "a": before, "b": after})
    return sorted(rows, key=lambda r: (-abs(r["b"] - r["a"]), r["indicator"], r["side"]))[:most]


def _outcomes(week: Week, a: str, b: str) -> dict[str, Any]:
    """Trades of each recipe's own book on the days on which both ran."""
    days = week.days
    both = set(days.loc[days["arm"] == a, "date"]) & set(days.loc[days["arm"] == b, "date"])
    found: dict[str, Any] = {"days": len(both)}
    for name in (a, b):
        trades = closed_trades(week.shadow[week.shadow["arm"] == name]) if len(week.shadow) else week.shadow
        trades = trades[trades["open_date"].dt.floor("D").isin(both)] if len(trades) else trades
        if len(trades) == 0:
            found[name] = {"trades": 0}
            continue
        clusters = clusters_of(trades["open_date"])
        rate = rate_interval((trades["profit_ratio"] > 0).to_numpy(), clusters=clusters)
        mean = mean_interval(trades["r_multiple"].to_numpy(), clusters=clusters)
        found[name] = {
            "trades": len(trades),
            "win_rate": [round(float(x), 4) for x in (rate.value, rate.low, rate.high)],
            "mean_r": [round(float(x), 4) for x in (mean.value, mean.low, mean.high)],
        }
    return found
