"""Score a point of the search space: what its recipe would have earned, a day at a time, on weeks it had not seen.

A trial runs the loop's own functions (heads, record, consensus, thresholds) over the folds, with four simplifications
that make it a hundred times cheaper: heads, weights, calibration and thresholds are renewed once a fold, not once a
week; heads are fitted and weights learned on a thinned sample of bars; every regime trades its quantile threshold, none
is certified; and profits are booked on the day they are known, not marked to market before. The default is scored in
the same way, so that the comparison is fair where the level is not the loop's.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edgebook.policy.heads import fit_heads
from edgebook.policy.learned_policy import make_policy
from edgebook.policy.market import NEVER, WEEK_MS, iso
from edgebook.policy.observed import Observed
from edgebook.policy.policy import SPREAD, score
from edgebook.policy.record import Record, update_record
from edgebook.tuning.tuning_book import Outcome, daily_r
from edgebook.tuning.tuning_folds import HOUR_MS
from edgebook.tuning.tuning_space import plan_name, tuned_recipe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edgebook.policy.market import Market
    from edgebook.policy.policy import Policy
    from edgebook.settings.params import Sizing
    from edgebook.settings.recipes import Recipe
    from edgebook.tuning.tuning_folds import Schedule

OBSERVED_EVERY = 5
"""Weights and calibration learn from candidates of every fifth hour, each counted five times: overlapping labels say
little more together, and five has no factor in common with a day or a week."""


@dataclass(frozen=True)
class Scored:
    """Candidates of one step, scored by a policy that had not seen them.

    Parameters
    ----------
    since : int
        When the step begins; its last candidate is decided before the next step begins.
    rows : ndarray of int64, shape (n,)
        Rows of the market.
    confidence, agree : ndarray, shape (n, 2)
    spread : ndarray, shape (regimes, points)
        Confidence of the weeks before at the quantiles `edgebook.policy.policy.SPREAD`: from it the threshold at any
        quantile.
    """

    since: int
    rows: NDArray[np.int64]
    confidence: NDArray[np.float64]
    agree: NDArray[np.int64]
    spread: NDArray[np.float64]


@dataclass
class Bench:
    """A market laid out for trials, and what trials have computed so far.

    Parameters
    ----------
    market : Market
    recipe : Recipe
        The default; its settings that are not searched hold for every trial.
    families : mapping of str to sequence of str
        Indicators of each head, by letter.
    sizing : Sizing
    times : Schedule
    every : int
        Heads are fitted on every n-th bar.
    """

    market: Market
    recipe: Recipe
    families: Mapping[str, Sequence[str]]
    sizing: Sizing
    times: Schedule
    every: int
    _steps: dict[tuple[int, float, str, int], list[Scored]] = field(default_factory=dict, repr=False)

    def key(self, settings: Mapping[str, float]) -> tuple[int, float, str]:
        """What the heads of a trial depend on: trials of one key share nearly all of their work."""
        reach_weeks = -(-(self.times.fits[-1] - self.times.first) // WEEK_MS)
        return min(int(settings["train_weeks"]), reach_weeks), settings["shrinkage"], plan_name(settings)

    def in_folds(self, settings: Mapping[str, float]) -> Outcome:
        """Run a trial over the folds; nothing that became known in the holdout enters."""
        times = self.times
        return self._earned(settings, n_fits=len(times.fits) - 1, since=times.fits[1], until=times.holdout)

    def in_holdout(self, settings: Mapping[str, float]) -> Outcome:
        """Score a recipe on the holdout, its heads, weights and thresholds from before it."""
        times = self.times
        return self._earned(settings, n_fits=len(times.fits), since=times.holdout, until=times.as_of)

    def _earned(self, settings: Mapping[str, float], *, n_fits: int, since: int, until: int) -> Outcome:
        steps = [step for step in self._scored(settings, n_fits=n_fits) if step.since >= since]
        plan = self.market.simulated[plan_name(settings)]
        chosen = [
            choose(
                step.confidence,
                step.agree,
                threshold=_thresholds(step.spread, quantile=settings["signal_quantile"])[self.market.regime[step.rows]],
                min_heads_agree=int(settings["min_heads_agree"]),
            )
            for step in steps
        ]
        row = np.concatenate([step.rows[at] for step, (at, _) in zip(steps, chosen, strict=True)])
        side = np.concatenate([side for _, side in chosen])
        confidence = np.concatenate([step.confidence[at, side] for step, (at, side) in zip(steps, chosen, strict=True)])
        entered = plan.open_ms[row, side] < until
        return daily_r(
            self.market,
            plan_name(settings),
            row=row[entered],
            side=side[entered],
            confidence=confidence[entered],
            sizing=self.sizing,
            since=since,
            until=until,
        )

    def _scored(self, settings: Mapping[str, float], *, n_fits: int) -> list[Scored]:
        """Steps scored before, or now: they depend on three settings only."""
        key = (*self.key(settings), n_fits)
        if key not in self._steps:
            recipe = tuned_recipe(self.recipe, {**settings, "train_weeks": key[0]}, title="")
            self._steps[key] = score_steps(self, recipe, n_fits=n_fits)
        return self._steps[key]


def score_steps(bench: Bench, recipe: Recipe, *, n_fits: int) -> list[Scored]:
    """Score the candidates of every step, learning between steps from what had closed an embargo before.

    Parameters
    ----------
    bench : Bench
    recipe : Recipe
    n_fits : int
        Steps of so many fits, from the first.

    Notes
    -----
    What the first half of the warm-up scored, all weights zero, starts the weights but not the consensus' calibration.
    """
    from sklearn import config_context

    # What learns by the day, from indicators and patterns, or who else may set a threshold, is left out of a trial.
    recipe = replace(recipe, indicator_weights="equal", patterns="off", thresholds="certified")
    if recipe.head_weights == "meta":
        recipe = replace(recipe, head_weights="by_regime")
    market, times = bench.market.labelled(recipe.regimes), bench.times
    plan = market.plans[recipe.exit_plan]
    record, pending = Record.empty(), _nothing_pending()
    scored: list[Scored] = []
    heads, fitted = {}, -1
    before: Policy | None = None
    for number, (since, until, fit) in enumerate(step for step in times.steps() if step[2] < n_fits):
        known = since - times.embargo
        if fit != fitted:
            # scikit-learn takes as long to check these small inputs as to fit them; they are finite by construction.
            with config_context(assume_finite=True, skip_parameter_validation=True):
                heads = fit_heads(
                    market,
                    plan,
                    recipe=recipe,
                    families=bench.families,
                    since=max(times.first, known - recipe.train_weeks * WEEK_MS),
                    at=known,
                    every=bench.every,
                )
            fitted = fit
        closed = plan.known_at[pending.row, pending.side] <= known
        if number > 0:
            weeks = (since - scored[-1].since) / WEEK_MS
            seen = _observed(pending, closed, bench=bench, recipe=recipe, before=before)
            record = update_record(
                record,
                seen,
                half_life_weeks=recipe.half_life_weeks / weeks,
                slopes=before.slopes if before else None,
            )
        if number == 1:
            record = replace(record, consensus=Record.empty().consensus)
        # Thresholds are not used in the warm-up: without bars before it, none are computed.
        learned = since if fit > 0 else times.first
        policy = make_policy(
            heads, record, market, recipe=recipe, name="trial", learned=learned, fitted=iso(since)[:10], alpha=0.0
        )
        before = policy
        window = market.decided(since=since, until=until)
        rows = np.arange(window.start, window.stop)
        scores = score(policy, market, rows=rows)
        heard = (plan.open_ms[rows] < NEVER) & (market.date[rows, None] // HOUR_MS % OBSERVED_EVERY == 0)
        at, side = np.nonzero(heard)
        fresh = _Pending(
            rows[at], side, scores.raw[at, :, side], scores.consensus[at, side], scores.confidence[at, side]
        )
        pending = _Pending(*(np.concatenate([old[~closed], new]) for old, new in zip(pending, fresh, strict=True)))
        # As in find_signals: without evidence in favour there is no signal, however many heads agree.
        agree = np.where(scores.consensus > 0, scores.agree, 0)
        scored.append(Scored(since, rows, scores.confidence, agree, policy.spread))
    return scored


def choose(
    confidence: NDArray[np.float64],
    agree: NDArray[np.int64],
    *,
    threshold: NDArray[np.float64],
    min_heads_agree: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and side of the candidates that are signals, as `edgebook.policy.signals.find_signals` chooses them.

    Parameters
    ----------
    confidence, agree : ndarray, shape (n, 2)
    threshold : ndarray, shape (n,)
    min_heads_agree : int
    """
    margin = confidence - threshold[:, None]
    chosen = (margin >= 0) & (agree >= min_heads_agree)
    both = chosen.all(axis=1)
    chosen[both, np.where(margin[both, 0] >= margin[both, 1], 1, 0)] = False
    at, side = np.nonzero(chosen)
    return at, side


class _Pending(NamedTuple):
    """Scored candidates whose outcomes are not observed yet."""

    row: NDArray[np.int64]
    side: NDArray[np.int64]
    raw: NDArray[np.float64]
    consensus: NDArray[np.float64]
    confidence: NDArray[np.float64]


def _nothing_pending() -> _Pending:
    whole, real = np.empty(0, np.int64), np.empty(0)
    return _Pending(whole, whole, np.empty((0, 9)), real, real)


def _observed(
    pending: _Pending, closed: NDArray[np.bool_], *, bench: Bench, recipe: Recipe, before: Policy | None
) -> Observed:
    """What has closed, as the record takes it."""
    plan = bench.market.plans[recipe.exit_plan]
    row, side = pending.row[closed], pending.side[closed]
    regime = bench.market.labelled(recipe.regimes).regime[row].astype(np.int64)
    still = np.zeros(len(row))
    return Observed(
        row=row,
        day=np.zeros(len(row), np.int64),
        regime=regime,
        side=side,
        raw=pending.raw[closed],
        shares=np.zeros((len(row), 0)),
        consensus=pending.consensus[closed],
        confidence=pending.confidence[closed],
        expected=pending.confidence[closed],
        effect=still,
        base=still + 0.5 if before is None else before.base[regime, side],
        told={recipe.head_weights: pending.consensus[closed]},
        stated={},
        rank=still,
        tag=np.zeros(len(row), np.int64),
        won=plan.profit_ratio[row, side] > 0,
        r_multiple=np.round(plan.r_multiple[row, side], 6),
        weight=plan.uniqueness[row, side] * OBSERVED_EVERY,
    )


def _thresholds(spread: NDArray[np.float64], *, quantile: float) -> NDArray[np.float64]:
    """Confidence by regime above which the top ``1 - quantile`` of the weeks before lay."""
    return np.array([np.interp(quantile, SPREAD, points) for points in spread])
