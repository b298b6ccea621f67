"""Studies on markets whose truth is known: what the loop finds, how soon, how much of what could be had, at what cost.

Each study states its bar, what was measured with its interval, and whether the bar is met. Bars were fixed before the
first run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.evidence.ablation import PLANTED, SWITCHING, gain_of, weekly
from edgebook.evidence.evidence_cells import runs_of
from edgebook.evidence.evidence_variants import FROZEN, FULL, HEAD_WEIGHTS, name_of
from edgebook.evidence.known_switch import LAST_WEEKS, SWITCH_WEEK, switch_study
from edgebook.policy.experts import EXPERTS, regret_bound
from edgebook.settings.recipes import HEAD_LETTERS
from edgebook.statistics.intervals import rate_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from edgebook.evidence.evidence_cells import Cells
    from edgebook.settings.recipes import Recipe

HALF = 0.5
CERTIFIED_SHARE = 0.05
RESAMPLES = 2000


def studies(cells: Cells, recipe: Recipe, *, families: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """All studies, as JSON knows them.

    Parameters
    ----------
    cells : dict
        As `evidence_cells.run_benches` returns them.
    recipe : Recipe
        The full loop.
    families : mapping of str to sequence of str
        Indicators of each head, by letter.
    """
    return {
        "leading": leading_study(cells, recipe, families=families),
        "switch": switch_study(cells, recipe),
        "captured": [captured_study(cells, market=name) for name in ("planted", "switching")],
        "no_edge": no_edge_study(cells),
        "certified": certified_study(cells),
    }


def leading_study(cells: Cells, recipe: Recipe, *, families: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Whether heads and indicators with the planted edge come to lead, by strategy of the head weights.

    Returns
    -------
    list of dict
        One row a strategy and question: strategy, what, k of n markets with the exact 95 % interval, and `chance`, the
        share expected of a blind order. Heads: mean weights of the last 13 weeks (before the switch, where it comes
        next) put the heads that hold the edge first. Indicators: more than half of the five that move the consensus
        most belong to those heads.
    """
    asked = [
        ("planted", slice(-LAST_WEEKS, None), PLANTED.heads, "D, F and H hold the edge"),
        ("switching", slice(SWITCH_WEEK - LAST_WEEKS, SWITCH_WEEK), SWITCHING.heads, "D holds it"),
        ("switching", slice(-LAST_WEEKS, None), SWITCHING.then, "H holds it, half a year after D"),
    ]
    rows = []
    for strategy in HEAD_WEIGHTS.values:
        for market, when, heads, what in asked:
            runs = runs_of(cells, market, name_of(recipe, HEAD_WEIGHTS, strategy))
            if not runs:
                continue
            own = {name for head in heads for name in families[head]}
            frames = [frame.iloc[when] for frame in runs.values()]
            first = [_first_heads(frame, len(heads)) == set(heads) for frame in frames]
            named = [[name for text in frame["leading"] for name in str(text).split(";")] for frame in frames]
            most = [bool(np.mean([name in own for name in names]) > HALF) for names in named]
            total = sum(len(names) for names in families.values())
            for of, hits, chance in (
                ("heads", first, 1 / _choose(len(HEAD_LETTERS), len(heads))),
                ("indicators", most, _more_than_half(len(own), total)),
            ):
                rows.append({"strategy": strategy, "of": of, "what": what, "chance": chance} | counted(hits))
    return rows


def captured_study(cells: Cells, *, market: str) -> dict[str, Any]:
    """What the full loop earns more a week than the frozen first policy, and which share of each oracle's gain that is.

    Parameters
    ----------
    cells : dict
    market : {"planted", "switching"}
    """
    full, frozen = runs_of(cells, market, FULL), runs_of(cells, market, FROZEN)
    seeds = sorted(set(full) & set(frozen))
    gain = gain_of([(full[seed], frozen[seed]) for seed in seeds], "r_week")
    found: dict[str, Any] = {
        "market": market,
        "markets": len(seeds),
        "gain": gain.value,
        "gain_low": gain.low,
        "gain_high": gain.high,
        "gain_met": bool(gain.low > 0),
    }
    own = np.array([weekly(full[seed], "r_week").mean() - weekly(frozen[seed], "r_week").mean() for seed in seeds])
    for oracle in ("oracle", "told_the_heads"):
        best = runs_of(cells, market, oracle)
        could = np.array([weekly(best[s], "r_week").mean() - weekly(frozen[s], "r_week").mean() for s in seeds])
        rng = np.random.default_rng(len(seeds))
        picks = rng.integers(0, len(seeds), (RESAMPLES, len(seeds)))
        drawn = own[picks].sum(axis=1) / could[picks].sum(axis=1)
        share = float(own.sum() / could.sum())
        low, high = np.quantile(drawn, (0.025, 0.975))
        found[oracle] = {"gain": float(could.mean()), "share": share, "low": float(low), "high": float(high)}
        found[oracle]["met"] = bool(share >= HALF)
    return found


def no_edge_study(cells: Cells) -> list[dict[str, Any]]:
    """Log loss above the constant's where there is nothing to learn, of every arm, beside the bound.

    Returns
    -------
    list of dict
        One row an arm: arm, markets, excess with excess_low and excess_high (Student's over markets), bound, met
        (whether the excess is at most the bound) and shown (whether its whole interval is).

    Notes
    -----
    Per candidate, in nats. The bound is that of Fixed-Share for the mixture over the strategies and the constant, with
    no change of the best expert (`edgebook.policy.experts.regret_bound`), spread over the year's outcomes that do not
    overlap. It is a promise for the mixture; that a single learner stays within it is measured, not proved.
    """
    rows = []
    for arm in dict.fromkeys(name for market, _, name in cells if market == "no_edge"):
        runs = runs_of(cells, "no_edge", arm)
        frames = list(runs.values())
        pairs = [(frame, frame.assign(log_loss=frame["constant_loss"])) for frame in frames]
        excess = gain_of(pairs, "log_loss")
        days = 7 * len(frames[0])
        bound = regret_bound(days, changes=0) / float(np.mean([frame["n_effective"].sum() for frame in frames]))
        rows.append(
            {
                "arm": arm,
                "markets": len(frames),
                "experts": len(EXPERTS),
                "excess": excess.value,
                "excess_low": excess.low,
                "excess_high": excess.high,
                "bound": bound,
                "met": bool(excess.value <= bound),
                "shown": bool(excess.high <= bound),
            }
        )
    return rows


def certified_study(cells: Cells) -> dict[str, Any]:
    """How often the full loop certifies a threshold where there is nothing to certify.

    Returns
    -------
    dict
        Of all weekly looks those at which any regime's threshold stood certified, its interval counting markets; and
        of all markets those in which it ever happened in a year of looks, with the exact interval.
    """
    runs = runs_of(cells, "no_edge", FULL)
    looks = np.concatenate([frame["certified"].to_numpy() > 0 for frame in runs.values()])
    market = np.repeat(2 * np.arange(len(runs)), [len(frame) for frame in runs.values()])  # no two are neighbours
    rate = rate_interval(looks, clusters=market)
    ever = counted([bool((frame["certified"] > 0).any()) for frame in runs.values()])
    return {
        "looks": int(looks.size),
        "certified": int(looks.sum()),
        "rate": rate.value,
        "rate_low": rate.low,
        "rate_high": rate.high,
        "bar": CERTIFIED_SHARE,
        "met": bool(rate.value <= CERTIFIED_SHARE),
        "markets": ever,
    }


def counted(hits: Sequence[bool]) -> dict[str, Any]:
    """Number of hits with the exact (Clopper-Pearson 1934) 95 % interval of their rate.

    Examples
    --------
    >>> counted([True] * 8)
    {'k': 8, 'n': 8, 'low': 0.6306, 'high': 1.0}
    """
    from scipy.stats import beta

    k, n = int(np.sum(hits)), len(hits)
    low = 0.0 if k == 0 else float(beta.ppf(0.025, k, n - k + 1))
    high = 1.0 if k == n else float(beta.ppf(0.975, k + 1, n - k))
    return {"k": k, "n": n, "low": round(low, 4), "high": round(high, 4)}


def _first_heads(frame: pd.DataFrame, number: int) -> set[str]:
    """Heads with the largest mean weights; an empty set where the first are not ahead of the next."""
    means = np.round([frame[f"weight_{letter}"].mean() for letter in HEAD_LETTERS], 4)
    order = np.argsort(-means, kind="stable")
    ahead = means[order[number - 1]] > means[order[number]]
    return {HEAD_LETTERS[i] for i in order[:number]} if ahead else set()


def _choose(n: int, k: int) -> int:
    from math import comb

    return comb(n, k)


def _more_than_half(own: int, total: int) -> float:
    """Chance that of five indicators drawn blindly three or more are among `own` of `total`."""
    from scipy.stats import hypergeom

    return float(round(hypergeom.sf(2, total, own, 5), 4))
