"""Arms of the evidence: a recipe as it runs every week, and two oracles that know what no recipe can.

The *oracle* knows the true signals and the law by which they move prices, fitted on another market of the same law;
it shares exit plan, threshold rule, calibration and book with the recipe. The arm *told the heads* has the recipe's
own heads, refitted by its schedule, and knows which of them hold the edge in the week to come, but no more. Both are
measured from genesis on, as the recipe is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.arms.arms import run_week, start_arm
from edgebook.errors import DataError
from edgebook.evidence.evidence_markets import START, MarketSpec, prepare_market
from edgebook.policy.heads import Head
from edgebook.policy.learned_policy import make_policy
from edgebook.policy.market import NEVER, WEEK_MS, iso
from edgebook.policy.record import Record
from edgebook.settings.recipes import HEAD_LETTERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from edgebook.arms.arms import Arm, ArmWeek, Rules
    from edgebook.evidence.evidence_markets import EvidenceMarket
    from edgebook.policy.market import Market
    from edgebook.settings.params import Importance, Params
    from edgebook.settings.recipes import Recipe

ORACLE, TOLD = "oracle", "told_the_heads"
TRUTH = ("truth_long", "truth_short")
LAW_SEED, LAW_WEEKS = 9001, 156
"""The market of the oracle's law: a seed that no market of the evidence has, three years."""


def recipe_weeks(known: EvidenceMarket, recipe: Recipe, *, rules: Rules, params: Params) -> Iterator[ArmWeek]:
    """Weeks of an arm with one recipe, from genesis on.

    Parameters
    ----------
    known : EvidenceMarket
    recipe : Recipe
    rules : Rules
    params : Params
        Its section `importance` says how features are selected, for a recipe that asks for it.
    """
    every = params.importance.every_weeks
    arm: Arm | None = None
    for number, since in enumerate([*known.mondays, known.mondays[-1] + WEEK_MS]):
        if recipe.features == "selected" and number % every == 0 and number < len(known.mondays):
            rules = replace(rules, kept=_kept(known, recipe.exit_plan, at=since, settings=params.importance))
        if arm is None:
            arm = start_arm("evidence", recipe, known.market, at=since, rules=rules)
        else:
            week = run_week(arm, recipe, known.market, until=since, rules=rules)
            arm = week.arm
            yield week


def told_weeks(known: EvidenceMarket, recipe: Recipe, *, rules: Rules) -> Iterator[ArmWeek]:
    """Weeks of an arm that is told on every Monday which heads hold the edge in the week to come.

    Parameters
    ----------
    known : EvidenceMarket
        With a known truth.
    recipe : Recipe
        Its heads are refitted by its schedule; only those that hold the edge are listened to, all alike.
    rules : Rules
    """
    plain = replace(without_learners(recipe), min_heads_agree=1)

    def told(at: int) -> Recipe:
        names = [name for head in known.spec.heads_at(at) for name in rules.families[head]]
        return replace(plain, indicators=tuple(names))

    arm = start_arm(TOLD, told(known.spec.at), known.market, at=known.spec.at, rules=rules)
    for since in known.mondays:
        week = run_week(arm, told(since + WEEK_MS), known.market, until=since + WEEK_MS, rules=rules)
        arm = week.arm
        yield week


def oracle_weeks(
    known: EvidenceMarket, recipe: Recipe, *, rules: Rules, params: Params, cache: Path
) -> Iterator[ArmWeek]:
    """Weeks of an arm that knows the true signals and their law.

    Parameters
    ----------
    known : EvidenceMarket
        With a known truth.
    recipe : Recipe
        Exit plan, threshold rule and half-life are the oracle's too; nothing is fitted.
    rules : Rules
    params : Params
    cache : Path
        Where markets are kept.
    """
    market = _told_market(known, _truth_evidence(known, recipe.exit_plan, params=params, cache=cache))
    # No refit, but everything after the score is learned as the recipe learns it.
    mine = replace(without_learners(recipe), min_heads_agree=1, refit_weeks=10_000, indicators=TRUTH)
    cold = replace(
        rules,
        learning=replace(rules.learning, warmup_weeks=0),
        families={letter: TRUTH if letter == "A" else () for letter in HEAD_LETTERS},
    )
    arm = _oracle_arm(market, mine, at=known.spec.at, rules=cold)
    for since in known.mondays:
        week = run_week(arm, mine, market, until=since + WEEK_MS, rules=cold)
        arm = week.arm
        yield week


def without_learners(recipe: Recipe) -> Recipe:
    """The recipe with heads refitted by its schedule and calibrated, and every other learner frozen.

    Examples
    --------
    >>> from edgebook.settings.recipes import Recipe
    >>> without_learners(Recipe(exit_plan="tp2.0_sl1.5_t24", patterns="effectiveness")).patterns
    'off'
    """
    return replace(
        recipe, head_weights="equal", indicator_weights="equal", patterns="off", features="all", regimes="rule"
    )


def _kept(known: EvidenceMarket, exit_plan: str, *, at: int, settings: Importance) -> tuple[str, ...] | None:
    """Indicators that an importance run at a Monday keeps; None where too little is known for one."""
    from edgebook.files import tables
    from edgebook.importance.importance import gather_evidence, keep_list
    from edgebook.indicators import CATALOGUE

    try:
        evidence = gather_evidence(
            tables.read(known.paths.indicators),
            tables.read(known.paths.outcomes / f"{exit_plan}.parquet"),
            at=pd.Timestamp(at, unit="ms", tz="UTC"),
            false_discovery_rate=settings.false_discovery_rate,
            shifts=settings.shifts,
            rows=settings.rows,
            seed=settings.seed,
        )
    except DataError:
        return None
    return tuple(keep_list(evidence, heads={i.name: i.head for i in CATALOGUE})["kept"])


def _oracle_arm(market: Market, recipe: Recipe, *, at: int, rules: Rules) -> Arm:
    """An arm with one head, that says the true log-odds as they are, and an empty record."""
    arm = start_arm(ORACLE, recipe, market, at=at, rules=rules)
    head = Head(
        indicators=TRUTH,
        mean=np.zeros(2),
        scale=np.ones(2),
        intercept=np.zeros(2),
        value_weights=np.eye(2),
        vote_weights=np.zeros((2, 2)),
        base=np.full(2, 0.5),
    )
    policy = make_policy(
        {"A": head},
        Record.empty(market.indicators),
        market,
        recipe=recipe,
        name=ORACLE,
        learned=at,
        fitted=iso(at)[:10],
        alpha=rules.learning.certify_alpha,
    )
    return replace(arm, policy=policy)


def _told_market(known: EvidenceMarket, evidence: NDArray[np.float64]) -> Market:
    """The market with the truth in place of its indicators, for long and for short."""
    values = np.column_stack([evidence, -evidence]).astype(np.float32)
    return replace(known.market, indicators=TRUTH, values=values, votes=np.zeros(values.shape, np.int8))


def _truth_evidence(known: EvidenceMarket, exit_plan: str, *, params: Params, cache: Path) -> NDArray[np.float64]:
    """True log-odds of a long, relative to the base rate, at every bar; before genesis by the first law."""
    found = np.zeros(len(known.market.date))
    for number, (since, heads) in enumerate(known.spec.spells):
        rows = known.market.date >= (since if number else 0)
        if not heads:  # the edge is dead
            found[rows] = 0.0
            continue
        law = _law(heads, known.spec.edge, exit_plan=exit_plan, params=params, cache=cache)
        found[rows] = known.truth(heads)[rows] @ law
    return found


def _law(heads: tuple[str, ...], edge: float, *, exit_plan: str, params: Params, cache: Path) -> NDArray[np.float64]:
    """Log-odds of a win for each unit of the true state, from three years of another market with the same edge."""
    from sklearn.linear_model import LogisticRegression

    spec = MarketSpec(name="law", kind="planted", heads=heads, edge=edge, seed=LAW_SEED, genesis=START, weeks=LAW_WEEKS)
    other = prepare_market(spec, params, exit_plans=[exit_plan], cache=cache)
    outcomes = other.market.plans[exit_plan]
    done = (outcomes.known_at != NEVER).all(axis=1)
    state, won = other.truth(heads)[done], outcomes.profit_ratio[done] > 0
    model = LogisticRegression(C=1e6, solver="newton-cholesky", tol=1e-8)
    model.fit(np.vstack([state, -state]), won.T.ravel())
    law: NDArray[np.float64] = np.round(model.coef_[0], 4)
    return law
