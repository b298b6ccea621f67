"""What all bars say up to a time, layer by layer, beside what the bars up to that time say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.arms.arms import FIT_EVERY
from edgebook.audit.audit_compare import Compared, compare_documents, compare_rows
from edgebook.audit.audit_desk import comparable, has_entered, newest_bars
from edgebook.files import tables
from edgebook.indicators import families_of
from edgebook.policy.market import NEVER, WEEK_MS, milliseconds
from edgebook.policy.plan_outcomes import SIDES, UNIQUENESS_WEEKS
from edgebook.settings.recipe_entries import known_recipe
from edgebook.settings.recipes import HEAD_LETTERS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from edgebook.loop.pipeline import Pipeline
    from edgebook.paths import Paths
    from edgebook.policy.heads import Head
    from edgebook.policy.market import Market
    from edgebook.policy.policy import Policy, Scores
    from edgebook.seals.seals import Seal

BARS, INDICATORS, VOTES, PATTERNS = "bars", "indicators", "votes", "patterns"
RULE, HMM = "regimes by the rule", "regimes by the model"
CANDIDATES, OUTCOMES, LABEL_WEIGHTS = "candidates", "outcomes", "label weights"
FITTED_HEADS, HEAD_SCORES = "fitted heads", "head scores"
SCORED_WEEKS = 4
"""Before the time: bars whose scores are compared."""
_SIDE_KEY = [*tables.KEY, "is_short"]
_ENTRY = ["open_date", "open_rate", "take_profit_abs", "stop_loss_abs"]
_HEAD_PARTS = ("mean", "scale", "value_long", "value_short", "vote_long", "vote_short")


@dataclass(frozen=True)
class View:
    """Tables on disk, and the market that the loop reads from them.

    Parameters
    ----------
    paths : Paths
    market : Market
        Nothing in it is hidden.
    """

    paths: Paths
    market: Market


def compare_bars(full: Paths, cut: Paths, *, at: pd.Timestamp) -> Compared:
    """Compare the bars themselves: those made of finer ones may differ."""
    return compare_rows(_until(full.bars, at), tables.read(cut.bars), key=tables.KEY)


def compare_tables(full: Paths, cut: Paths, *, at: pd.Timestamp) -> dict[str, Compared]:
    """Compare every table that the stages before the loop leave.

    Parameters
    ----------
    full, cut : Paths
        Tables made of all bars, with a desk's outcomes in force at `at`, and of the bars up to `at`.
    at : Timestamp
        UTC.

    Returns
    -------
    dict of str to Compared
        By layer. A candidate is compared once its entry bar has closed, an outcome once it is known.
    """
    found = {
        name: compare_rows(_until(getattr(full, name), at), tables.read(getattr(cut, name)), key=tables.KEY)
        for name in (INDICATORS, VOTES)
    }
    pattern_key = [*tables.KEY, "pattern"]
    found[PATTERNS] = compare_rows(_until(full.patterns, at), tables.read(cut.patterns), key=pattern_key)
    rule = [*tables.KEY, "regime", "trend_z", "volatility_quantile"]
    before, after = _until(full.regimes, at), tables.read(cut.regimes)
    found[RULE] = compare_rows(before[rule], after[rule], key=tables.KEY)
    model = [name for name in before.columns if name not in rule[len(tables.KEY) :]]
    found[HMM] = compare_rows(before[model], after[model], key=tables.KEY)
    newest = newest_bars(tables.read(full.bars, columns=tables.KEY), at=at)
    by_plan: dict[str, list[Compared]] = {CANDIDATES: [], OUTCOMES: []}
    for place in sorted(full.candidates.glob("*.parquet")):
        whole = tables.read(place, columns=[*_SIDE_KEY, *_ENTRY])
        whole = whole[has_entered(whole, newest)]
        there = tables.read(cut.candidates / place.name, columns=list(whole.columns))
        by_plan[CANDIDATES].append(_named(place.stem, compare_rows(whole, there, key=_SIDE_KEY)))
        known, there = (comparable(tables.read(side.outcomes / place.name), newest) for side in (full, cut))
        known = known[known["known_at"] <= at]
        by_plan[OUTCOMES].append(_named(place.stem, compare_rows(known, there, key=_SIDE_KEY)))
    return found | {layer: joined(parts) for layer, parts in by_plan.items()}


def compare_learning(full: View, cut: View, *, at: pd.Timestamp, seal: Seal, pipeline: Pipeline) -> dict[str, Compared]:
    """Compare what the loop makes of the tables at a time: label weights, fits, and scores of the policies in force.

    Parameters
    ----------
    full, cut : View
        Of all bars, and of the bars up to `at`.
    at : Timestamp
        UTC.
    seal : Seal
        The last one before `at`; its policies are in force.
    pipeline : Pipeline

    Returns
    -------
    dict of str to Compared
        By layer. Label weights are settled by the first weeks (`edgebook.policy.plan_outcomes`) and compared from then
        on. The champion's heads are fitted on what was known at `at` itself. Scores are those of the last
        `SCORED_WEEKS`, from a call that shows each side all the bars it has of the week under way.
    """
    moment = milliseconds(at)
    plans = sorted({arm.policy.exit_plan for arm in seal.arms.values()})
    weights = [_named(plan, _label_weights(full.market, cut.market, plan=plan, at=moment)) for plan in plans]
    recipe = known_recipe(seal.recipes[seal.champion], seal.champion)
    heads = [
        _document(
            pipeline.fit(
                view.market,
                view.market.plans[recipe.exit_plan],
                recipe=recipe,
                families=families_of(view.market.indicators),
                since=moment - recipe.train_weeks * WEEK_MS,
                at=moment,
                every=FIT_EVERY,
            )
        )
        for view in (full, cut)
    ]
    ends = milliseconds(seal.as_of) + WEEK_MS
    scores = []
    for arm in seal.arms.values():
        sides = [_scores(arm.policy, view.market, at=moment, until=ends, pipeline=pipeline) for view in (full, cut)]
        scores.append(_named(arm.policy.version, compare_rows(*sides, key=tables.KEY)))
    return {
        LABEL_WEIGHTS: joined(weights),
        FITTED_HEADS: _named(f"{seal.champion} at {at:%Y-%m-%d %H:%M}", compare_documents(heads[0], heads[1])),
        HEAD_SCORES: joined(scores),
    }


def joined(parts: Iterable[Compared]) -> Compared:
    """Several comparisons as one: numbers added, the first difference that any found."""
    parts = list(parts)
    first = next((part for part in parts if part.differing), Compared(0))
    return replace(first, values=sum(p.values for p in parts), differing=sum(p.differing for p in parts))


def _named(name: str, found: Compared) -> Compared:
    """Put a name before the key of a difference."""
    return replace(found, key=f"{name} {found.key}") if found.differing else found


def _until(place: Path, at: pd.Timestamp) -> pd.DataFrame:
    frame = tables.read(place)
    return frame[frame["date"] <= at].reset_index(drop=True)


def _label_weights(full: Market, cut: Market, *, plan: str, at: int) -> Compared:
    """What a label counts, of the candidates whose outcome was known."""
    left, right = full.plans[plan], cut.plans[plan]
    early = full.date < full.date[0] + UNIQUENESS_WEEKS * WEEK_MS
    settling = left.known_at[early][left.open_ms[early] != NEVER]
    if settling.size and settling.max() > at:
        return Compared(0)
    frames = []
    for market, outcomes in ((full, left), (cut, right)):
        row, side = np.nonzero(outcomes.known_at <= at)
        named = _names(market, row).assign(is_short=side == 1, label_weight=outcomes.uniqueness[row, side])
        frames.append(named)
    return compare_rows(*frames, key=_SIDE_KEY)


def _scores(policy: Policy, market: Market, *, at: int, until: int, pipeline: Pipeline) -> pd.DataFrame:
    """What a policy says of the bars of the last weeks, one column a number."""
    window = market.decided(since=at - SCORED_WEEKS * WEEK_MS, until=until)
    rows = np.arange(window.start, window.stop)
    said = pipeline.score(policy, market, rows=rows)
    table = _names(market, rows).assign(**_columns(said))
    return table[market.date[rows] <= at].reset_index(drop=True)


def _columns(said: Scores) -> dict[str, NDArray[Any]]:
    """Scores by name: head and side, then what is made of them."""
    found: dict[str, NDArray[Any]] = {}
    for side, name in enumerate(SIDES):
        for number, letter in enumerate(HEAD_LETTERS):
            found[f"head {letter} {name} raw"] = said.raw[:, number, side]
            found[f"head {letter} {name}"] = said.heads[:, number, side]
        for part in ("consensus", "confidence", "effect", "expected", "agree"):
            found[f"{part} {name}"] = getattr(said, part)[:, side]
    return found | {"threshold": said.threshold, "certified": said.certified}


def _names(market: Market, rows: NDArray[np.int64]) -> pd.DataFrame:
    """Key of some rows of a market."""
    return pd.DataFrame(
        {
            "pair": np.array(market.pairs, dtype=object)[market.pair[rows]],
            "timeframe": np.array(market.timeframes, dtype=object)[market.timeframe[rows]],
            "date": pd.to_datetime(market.date[rows], unit="ms", utc=True).as_unit("ms"),
        }
    )


def _document(heads: dict[str, Head]) -> dict[str, Any]:
    """Heads by name, each coefficient by the name of what it is."""
    found: dict[str, Any] = {}
    for letter, head in heads.items():
        told = head.to_json()
        told["indicators"] = {
            name: dict(zip(_HEAD_PARTS, row, strict=True)) for name, row in told["indicators"].items()
        }
        found[f"head {letter}"] = told
    return found
