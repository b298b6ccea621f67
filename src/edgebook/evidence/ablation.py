"""Every learner beside its frozen twin, on every market: log loss, R a trade, trades, R a week, with intervals.

A learner is judged by the full loop with it, less the same loop with that one part frozen: same market, same
candidates, same book, week by week.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.evidence.evidence_cells import Bench, runs_of
from edgebook.evidence.evidence_markets import MarketSpec
from edgebook.evidence.evidence_variants import FROZEN, FULL, LEARNERS, REFIT, Variant, name_of, value_of, variants
from edgebook.importance.importance_clusters import benjamini_hochberg
from edgebook.statistics.intervals import clustered_error, student

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from edgebook.evidence.evidence_cells import Cells
    from edgebook.settings.recipes import Recipe

SEEDS, MORE_SEEDS = 6, 3
"""Markets of each kind of known truth; and, times as many, markets without an edge for the full loop alone."""
QUICK_SEEDS, QUICK_WEEKS = 1, 44
FALSE_DISCOVERIES = 0.1
"""Expected share of false ones among the learners that are said to help or to hurt."""
SHARES_TRAIN_WEEKS = 260
"""Of daily bars a recipe sees five years: a year of them holds as many as ten days of hourly ones."""
PLANTED = MarketSpec(name="planted", kind="planted", heads=("D", "F", "H"), edge=0.15)
SWITCHING = MarketSpec(name="switching", kind="switching", heads=("D",), then=("H",), edge=0.2)
NO_EDGE = MarketSpec(name="no_edge")
CRYPTO = MarketSpec(name="crypto", source="crypto", genesis="2018-04-02", weeks=65, timeframes=("1h", "4h"))
EQUITIES = MarketSpec(name="equities", source="equities", genesis="2006-01-02", weeks=312, timeframes=("1d",))
MARKETS = {spec.name: spec for spec in (PLANTED, SWITCHING, NO_EDGE, CRYPTO, EQUITIES)}
MEASURES = {"log_loss": ("log_loss", "n"), "r_week": ("book_r", None), "top_r": ("top_r", "top_n")}
"""Of a week: summed column, and what it is divided by."""


@dataclass(frozen=True)
class Gain:
    """A paired difference with its 95 % interval; NaN where undefined.

    Parameters
    ----------
    value, low, high : float
    p : float
        Two-sided, that there is no difference.
    """

    value: float
    low: float
    high: float
    p: float


def benches(recipe: Recipe, *, seeds: int = SEEDS, quick: bool = False) -> list[Bench]:
    """Every market with the arms that run on it; those that take longest come first.

    Parameters
    ----------
    recipe : Recipe
        The full loop.
    seeds : int
        Markets of each kind of known truth.
    quick : bool
        One market of each kind of known truth, shorter, and fewer arms: to see that all of it runs.
    """
    arms = tuple(variants(recipe).values())
    blind = _blind(arms)
    if quick:
        few = _only(arms, FULL, FROZEN, REFIT, "head_weights=steps", "head_weights=equal", "told_the_heads", "oracle")
        return [
            Bench(replace(spec, seed=seed, weeks=QUICK_WEEKS), few if spec.kind != "no_edge" else _blind(few))
            for seed in range(1, QUICK_SEEDS + 1)
            for spec in (PLANTED, SWITCHING, NO_EDGE)
        ]
    patient = _blind(tuple(variants(replace(recipe, train_weeks=SHARES_TRAIN_WEEKS)).values()))
    made = [Bench(CRYPTO, blind), Bench(EQUITIES, patient)]
    for seed in range(1, seeds + 1):
        made += [Bench(replace(spec, seed=seed), arms) for spec in (PLANTED, SWITCHING)]
        made.append(Bench(replace(NO_EDGE, seed=seed), blind))
    more = range(seeds + 1, seeds + MORE_SEEDS * seeds + 1)
    return [*made, *(Bench(replace(NO_EDGE, seed=seed), _only(blind, FULL)) for seed in more)]


def make_rows(cells: Cells, recipe: Recipe) -> list[dict[str, Any]]:
    """The ablation table.

    Parameters
    ----------
    cells : dict
        As `evidence_cells.run_benches` returns them.
    recipe : Recipe
        The full loop.

    Returns
    -------
    list of dict
        One row a market, learner and value: market, learner, field, value, in_force (whether the full loop has it),
        markets (seeds), weeks, candidates, trades, log_loss, r_trade with r_trade_low and r_trade_high, r_week, top_r
        (R of the most confident 5 %), and against the frozen twin log_loss_gain, r_week_gain, top_r_gain with their
        intervals, p-values and q-values, and the verdict. A gain above 0 is for the learner, in log loss too.
    """
    rows = []
    for market in dict.fromkeys(name for name, _, _ in cells):
        for learner in LEARNERS:
            twin = runs_of(cells, market, name_of(recipe, learner, learner.frozen))
            for value in learner.values:
                mine = runs_of(cells, market, name_of(recipe, learner, value))
                seeds = sorted(set(mine) & set(twin))
                if seeds:
                    named: dict[str, Any] = {
                        "market": market,
                        "learner": learner.title,
                        "field": learner.field,
                        "value": value,
                    }
                    named["in_force"] = value_of(recipe, learner) == value
                    pairs = [(mine[seed], twin[seed]) for seed in seeds]
                    rows.append(named | level([a for a, _ in pairs]) | gains(pairs))
    for measure in MEASURES:
        q = benjamini_hochberg(np.array([row[f"{measure}_gain_p"] for row in rows], dtype=np.float64))
        for row, adjusted in zip(rows, q, strict=True):
            row[f"{measure}_gain_q"] = float(adjusted)
    for row in rows:
        row["verdict"] = verdict(row)
    return rows


def make_arm_rows(cells: Cells) -> list[dict[str, Any]]:
    """Arms that are no single learner's, on every market, each against the frozen first policy.

    Returns
    -------
    list of dict
        Columns of `make_rows` without learner, field, value, in_force and verdict; `arm` instead.
    """
    rows = []
    for market in dict.fromkeys(name for name, _, _ in cells):
        frozen = runs_of(cells, market, FROZEN)
        for arm in (FROZEN, REFIT, FULL, "told_the_heads", "oracle"):
            mine = runs_of(cells, market, arm)
            seeds = sorted(set(mine) & set(frozen))
            if seeds:
                pairs = [(mine[seed], frozen[seed]) for seed in seeds]
                rows.append({"market": market, "arm": arm} | level([a for a, _ in pairs]) | gains(pairs))
    return rows


def level(frames: Sequence[pd.DataFrame]) -> dict[str, Any]:
    """What an arm did on all markets of a kind.

    Parameters
    ----------
    frames : sequence of DataFrame
        Measured weeks, one a market.
    """
    whole = {name: sum(float(f[name].sum()) for f in frames) for name in frames[0].columns if name not in _WORDS}
    weeks = sum(len(frame) for frame in frames)
    each = [(frame["book_r"].to_numpy(np.float64), frame["trades"].to_numpy(np.float64)) for frame in frames]
    ratio = whole["book_r"] / whole["trades"] if whole["trades"] else np.nan
    trade = _interval([r - ratio * n for r, n in each], scale=whole["trades"] / weeks) if whole["trades"] else _NONE
    return {
        "markets": len(frames),
        "weeks": weeks,
        "candidates": int(whole["n"]),
        "trades": int(whole["trades"]),
        "log_loss": whole["log_loss"] / whole["n"],
        "constant_loss": whole["constant_loss"] / whole["n"],
        "r_trade": ratio,
        "r_trade_low": ratio + trade.low - trade.value,
        "r_trade_high": ratio + trade.high - trade.value,
        "r_week": whole["book_r"] / weeks,
        "top_r": whole["top_r"] / whole["top_n"],
    }


def gains(pairs: Sequence[tuple[pd.DataFrame, pd.DataFrame]]) -> dict[str, float]:
    """Paired gains of one arm over another in every measure, each with its interval and p-value.

    Parameters
    ----------
    pairs : sequence of (DataFrame, DataFrame)
        Measured weeks of both, one pair a market.
    """
    found: dict[str, float] = {}
    for measure in MEASURES:
        gain = gain_of(pairs, measure)
        sign = -1.0 if measure == "log_loss" else 1.0
        ends = sorted((sign * gain.low, sign * gain.high))
        found |= {
            f"{measure}_gain": sign * gain.value,
            f"{measure}_gain_low": ends[0],
            f"{measure}_gain_high": ends[1],
            f"{measure}_gain_p": gain.p,
        }
    return found


def gain_of(pairs: Sequence[tuple[pd.DataFrame, pd.DataFrame]], measure: str) -> Gain:
    """Mean weekly difference of two arms in one measure.

    Notes
    -----
    With several markets each market's mean is one observation, and the interval is Student's over markets: what holds
    for the next market of the kind. With one market it counts weeks, as `edgebook.statistics.intervals` does.
    """
    return _interval([weekly(a, measure) - weekly(b, measure) for a, b in pairs])


def weekly(frame: pd.DataFrame, measure: str) -> NDArray[np.float64]:
    """One measure of every week, shape (weeks,)."""
    column, per = MEASURES[measure]
    values = frame[column].to_numpy(np.float64)
    return values if per is None else values / np.maximum(frame[per].to_numpy(np.float64), 1.0)


def verdict(row: dict[str, Any]) -> str:
    """What the row shows, in a word; log loss and R may say different things."""
    said = []
    for measure, words in (("log_loss", "log loss"), ("r_week", "R a week")):
        q, gain = row[f"{measure}_gain_q"], row[f"{measure}_gain"]
        if np.isfinite(q) and q <= FALSE_DISCOVERIES:
            said.append(f"{'helps' if gain > 0 else 'hurts'} {words}")
    return "; ".join(said) or "not shown"


def ablation_rows(path: Path) -> list[dict[str, Any]]:
    """Rows of the ablation table as they were last measured, empty where they never were.

    Parameters
    ----------
    path : Path
        docs/evidence/ablation.json (`Paths.evidence`).
    """
    if not path.exists():
        return []
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return rows


_WORDS = ("week", "strategy", "leading")
_NONE = Gain(np.nan, np.nan, np.nan, np.nan)


def _interval(series: Sequence[NDArray[np.float64]], *, scale: float = 1.0) -> Gain:
    """Mean of weekly values over `scale`: over markets, or over the weeks of the only one."""
    from scipy import stats

    if len(series) > 1:
        values = np.array([x.mean() for x in series]) / scale
        error, freedom = float(values.std(ddof=1) / np.sqrt(len(values))), float(len(values) - 1)
    else:
        values = series[0] / scale
        error, freedom = clustered_error(values - values.mean(), clusters=np.arange(len(values)))
    mean = float(values.mean())
    if not error > 0:
        return Gain(mean, mean, mean, 1.0 if mean == 0 else np.nan)
    half = student(freedom) * error
    return Gain(mean, mean - half, mean + half, float(2 * stats.t.sf(abs(mean) / error, freedom)))


def _blind(arms: Sequence[Variant]) -> tuple[Variant, ...]:
    """Arms that need not know the truth."""
    return tuple(v for v in arms if not v.needs_truth)


def _only(arms: Sequence[Variant], *names: str) -> tuple[Variant, ...]:
    return tuple(v for v in arms if v.name in names)
