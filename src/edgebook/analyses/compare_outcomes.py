"""What two versions would have chosen, and what became of it: whole, and head by head.

Both score the same candidates, each before it could know their outcomes. What one chose and the other did not tells
them apart; to see which head made the difference, a single head of the second is put into the first.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.analyses.head_record import overall_hit_rates, vote_counts
from edgebook.policy.market import NEVER, milliseconds
from edgebook.policy.policy import Policy, Scores, score
from edgebook.policy.signals import entering_rows
from edgebook.settings.recipes import HEAD_LETTERS
from edgebook.statistics.intervals import Interval, clusters_of, mean_interval, rate_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgebook.policy.market import Market
    from edgebook.seals.week import Week

DIGITS = 4


def compared_weeks(week: Week, first: Policy, second: Policy) -> list[tuple[str, str, Policy, Policy]]:
    """Weeks on which two versions can be compared fairly, and the policy that each has in them.

    Parameters
    ----------
    week : Week
    first, second : Policy

    Returns
    -------
    list of tuple
        Monday at which the week began, Monday at which it ended, and both policies. Of two recipes, each week's own
        policies, fixed before it, in the weeks in which both ran. Of one recipe, both versions as they stood, in the
        weeks after the later one: none where that is the last.
    """
    pairs = list(pairwise(week.seals))
    if first.recipe != second.recipe:
        return [
            (seal.as_of, after.as_of, seal.arms[first.recipe].policy, seal.arms[second.recipe].policy)
            for seal, after in pairs
            if {first.recipe, second.recipe} <= seal.arms.keys()
        ]
    later = max(first.learned, second.learned)
    return [(seal.as_of, after.as_of, first, second) for seal, after in pairs if seal.as_of >= later]


def compare_outcomes(week: Week, first: Policy, second: Policy) -> dict[str, Any]:
    """What the first would have chosen and the second not, and the reverse; whole and head by head.

    Parameters
    ----------
    week : Week
    first, second : Policy

    Returns
    -------
    dict
        names: what each is called, a recipe or a version as it stood; weeks (first, last, n); chosen: only_a, both,
        only_b, each with n, win_rate and mean_r (value, low, high; None where undefined) under the exit plan of the
        version that chose; heads: by letter the balanced hit rates of both versions' head on all candidates that
        closed, and what the second's head put into the first would have added to its choice and dropped from it.

    Notes
    -----
    Choices are before room in a book: confidence at the threshold, evidence in favour, enough heads. Intervals count
    weeks, or days where there are few.
    """
    market = week.arrays
    taken: dict[str, list[pd.DataFrame]] = {}
    counts: tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]] = ([], [])
    weeks = compared_weeks(week, first, second)
    for begin, end, a, b in weeks:
        rows = entering_rows(market, market.plans[a.exit_plan], since=milliseconds(begin), until=milliseconds(end))
        scores = score(a, market, rows=rows), score(b, market, rows=rows)
        one, other = _chosen(a, scores[0]), _chosen(b, scores[1])
        for name, mask, policy in (
            ("only_a", one & ~other, a),
            ("both", one & other, a),
            ("only_b", other & ~one, b),
        ):
            taken.setdefault(name, []).append(_outcomes_of(mask, policy, market, rows=rows))
        for letter in HEAD_LETTERS:
            mixed = with_head(a, letter, of=b)
            then = _chosen(mixed, score(mixed, market, rows=rows))
            for name, mask in ((f"added {letter}", then & ~one), (f"dropped {letter}", one & ~then)):
                taken.setdefault(name, []).append(_outcomes_of(mask, a, market, rows=rows))
        for found, policy, said in zip(counts, (a, b), scores, strict=True):
            found.append(vote_counts(said, policy, market=market, rows=rows))
    names = [one.recipe if first.recipe != second.recipe else one.version for one in (first, second)]
    if not weeks:
        return {"names": names, "weeks": {"n": 0, "first": None, "last": None}, "chosen": {}, "heads": []}
    rates = [overall_hit_rates(np.stack(found)) for found in counts]
    return {
        "names": names,
        "weeks": {"n": len(weeks), "first": weeks[0][1], "last": weeks[-1][1]},
        "chosen": {name: _earned(taken[name]) for name in ("only_a", "both", "only_b")},
        "heads": [
            {
                "head": letter,
                "hit_rate_a": _plain(rates[0][i]),
                "hit_rate_b": _plain(rates[1][i]),
                "votes_a": rates[0][i].n,
                "votes_b": rates[1][i].n,
                "added": _earned(taken[f"added {letter}"]),
                "dropped": _earned(taken[f"dropped {letter}"]),
            }
            for i, letter in enumerate(HEAD_LETTERS)
        ],
    }


def with_head(policy: Policy, letter: str, *, of: Policy) -> Policy:
    """A policy with one head of another: its coefficients, indicator weights, calibration and weight.

    Parameters
    ----------
    policy : Policy
    letter : str
    of : Policy
        Whose head it gets; a head that this one lacks is taken out.
    """
    place = HEAD_LETTERS.index(letter)
    heads = {name: head for name, head in policy.heads.items() if name != letter}
    if letter in of.heads:
        heads[letter] = of.heads[letter]
    slopes, weights = policy.slopes.copy(), policy.weights.copy()
    slopes[place], weights[:, place] = of.slopes[place], of.weights[:, place]
    names = {name for one in (policy, of) if letter in one.heads for name in one.heads[letter].indicators}
    kept = {name: row for name, row in policy.indicator_weights.items() if name not in names}
    kept |= {name: row for name, row in of.indicator_weights.items() if name in names}
    return replace(policy, heads=heads, slopes=slopes, weights=weights, indicator_weights=kept)


def _chosen(policy: Policy, scores: Scores) -> NDArray[np.bool_]:
    """Candidates that are signals, room in the book apart, shape (n, 2)."""
    return np.asarray(
        (scores.confidence >= scores.threshold[:, None])
        & (scores.consensus > 0)
        & (scores.agree >= policy.min_heads_agree)
    )


def _outcomes_of(mask: NDArray[np.bool_], policy: Policy, market: Market, *, rows: NDArray[np.int64]) -> pd.DataFrame:
    """Entry, result and R of the chosen candidates that have closed."""
    plan = market.simulated[policy.exit_plan]
    at, side = np.nonzero(mask & (plan.known_at[rows] != NEVER))
    row = rows[at]
    return pd.DataFrame(
        {
            "entry": pd.to_datetime(plan.open_ms[row, side], unit="ms", utc=True),
            "won": plan.profit_ratio[row, side] > 0,
            "r_multiple": plan.r_multiple[row, side],
        }
    )


def _earned(parts: Sequence[pd.DataFrame]) -> dict[str, Any]:
    """Number, win rate and mean R of candidates, with their intervals."""
    rows = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    if rows.empty:
        return {"n": 0, "win_rate": [None] * 3, "mean_r": [None] * 3}
    clusters = clusters_of(rows["entry"])
    return {
        "n": len(rows),
        "win_rate": _plain(rate_interval(rows["won"].to_numpy(dtype=bool), clusters=clusters)),
        "mean_r": _plain(mean_interval(rows["r_multiple"].to_numpy(dtype=np.float64), clusters=clusters)),
    }


def _plain(found: Interval) -> list[float | None]:
    """Value, low and high; None where undefined."""
    return [None if np.isnan(x) else round(float(x), DIGITS) for x in (found.value, found.low, found.high)]
