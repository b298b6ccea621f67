"""What each head would say of candidates it had not seen, were its penalty another one.

A recipe may differ from the champion in a single head, so that a better head is deployed by itself. A head is judged
by its own log loss, calibrated as in the loop, on all candidates of the folds, and not by the book, in which one head
of nine hardly shows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.policy.consensus import HEAD_PRIOR_SLOPE, PRIOR_STRENGTH
from edgebook.policy.heads import evidence, fit_heads
from edgebook.policy.market import NEVER, WEEK_MS
from edgebook.settings.recipes import HEAD_LETTERS
from edgebook.statistics.calibration import EVIDENCE_BINS, bin_of, slope
from edgebook.tuning.tuning_folds import HOUR_MS
from edgebook.tuning.tuning_space import LEVELS
from edgebook.tuning.tuning_trials import OBSERVED_EVERY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.settings.recipes import Recipe
    from edgebook.tuning.tuning_trials import Bench
    from edgebook.tuning.tuning_workers import Crew

SIGN_FLIPS = 4999
CONFIDENCE = 0.95
DIGITS = 6
HEADS = len(HEAD_LETTERS)


@dataclass(frozen=True)
class Alternatives:
    """Improvement of every head at every level over its own level, with intervals that hold for all of them at once.

    Parameters
    ----------
    rows : list of mapping
        head, level, own, improvement, low, high (nats a candidate), t; by head, then level.
    weeks : int
        The units of the intervals.
    critical : float or None
        Standard errors at which an interval ends.
    chosen : mapping or None
        The row with the highest t, where its interval lies above zero.
    """

    rows: list[dict[str, Any]]
    weeks: int
    critical: float | None
    chosen: dict[str, Any] | None


def head_alternatives(crew: Crew, *, recipe: Recipe, seed: int) -> Alternatives:
    """Score every head of a recipe at a few penalties, on the folds.

    Parameters
    ----------
    crew : Crew
    recipe : Recipe
        The champion; its own penalties are what the levels are compared with.
    seed : int
        Of the sign flips.

    Notes
    -----
    The levels of all heads are fitted together, one fit of nine heads for a level, so this costs as much as a handful
    of trials.
    """
    own = [recipe.head_shrinkage.get(letter, recipe.shrinkage) for letter in HEAD_LETTERS]
    levels = sorted({*LEVELS["shrinkage"], *own})
    found: list[NDArray[np.float64]] = [np.empty((0, HEADS))] * len(levels)
    for place, weekly in crew.run(weekly_losses, levels, keys=levels):
        found[place] = weekly
    return compared(np.stack(found), levels=levels, own=own, seed=seed)


def compared(losses: NDArray[np.float64], *, levels: list[float], own: list[float], seed: int) -> Alternatives:
    """Paired weekly differences of every head and level, tested together.

    Parameters
    ----------
    losses : ndarray, shape (levels, weeks, heads)
        Log loss a candidate; nan where a head says nothing.
    levels : list of float
        Of the penalty, ascending.
    own : list of float
        Penalty in force, by head: one of `levels`.
    seed : int

    Notes
    -----
    Nine heads times a few levels are many chances to look good. Intervals therefore end at the 95 % quantile of the
    largest absolute t over all of them, from random signs on whole centred weeks: levels of one head move together,
    so this asks for less than Bonferroni's bound and still keeps all intervals right at once in 95 % of cases
    (tests/test_tuning_heads.py measures it). The best is proposed only where its interval lies above zero.

    References
    ----------
    Romano and Wolf (2005), Exact and approximate stepdown methods for multiple hypothesis testing, Journal of the
    American Statistical Association 100, single step.
    """
    cells: list[dict[str, Any]] = []
    columns = []
    for head, letter in enumerate(HEAD_LETTERS):
        base = losses[levels.index(own[head]), :, head]
        for place, level in enumerate(levels):
            better = base - losses[place, :, head]
            if level != own[head] and np.isfinite(better).all() and better.size > 1 and better.std() > 1e-12:
                cells.append({"head": letter, "level": level, "own": own[head]})
                columns.append(better)
    weeks = losses.shape[1]
    if not cells:
        return Alternatives([], weeks, None, None)
    differences = np.column_stack(columns)
    mean, error = differences.mean(axis=0), differences.std(axis=0, ddof=1) / np.sqrt(weeks)
    critical = _critical(differences - mean, seed=seed)
    rows: list[dict[str, Any]] = [
        cell
        | {
            "improvement": round(float(mean[i]), DIGITS) + 0.0,
            "low": round(float(mean[i] - critical * error[i]), DIGITS) + 0.0,
            "high": round(float(mean[i] + critical * error[i]), DIGITS) + 0.0,
            "t": round(float(mean[i] / error[i]), 3) + 0.0,
        }
        for i, cell in enumerate(cells)
    ]
    best = max(rows, key=lambda row: row["t"])
    return Alternatives(rows, weeks, round(critical, 3), best if best["low"] > 0 else None)


def weekly_losses(bench: Bench, level: float) -> NDArray[np.float64]:
    """Log loss a candidate of every head at one penalty, shape (weeks, heads), over the weeks of the folds.

    Parameters
    ----------
    bench : Bench
    level : float
        Penalty of all heads.

    Notes
    -----
    Heads are fitted at the beginning of each fold, on outcomes known an embargo before; what a unit of evidence is
    worth is learned from the scores of earlier steps that had closed by then, as in the loop.
    """
    from sklearn import config_context

    market, times = bench.market, bench.times
    recipe = replace(bench.recipe, shrinkage=level, head_shrinkage={})
    plan = market.plans[recipe.exit_plan]
    column = {name: i for i, name in enumerate(market.indicators)}
    seen: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
    weekly = []
    for since, until, fit in times.steps():
        if fit == len(times.fits) - 1:
            break  # the holdout stays sealed
        known = since - times.embargo
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
        window = market.decided(since=since, until=until)
        rows = np.arange(window.start, window.stop)
        rows = rows[(market.date[rows] // HOUR_MS % OBSERVED_EVERY == 0) & (plan.open_ms[rows] < NEVER).all(axis=1)]
        raw = np.full((len(rows), HEADS, 2), np.nan)
        base = np.full((HEADS, 2), 0.5)
        for letter, head in heads.items():
            chosen = np.ix_(rows, np.array([column[name] for name in head.indicators]))
            place = HEAD_LETTERS.index(letter)
            raw[:, place], base[place] = evidence(head, market.values[chosen], votes=market.votes[chosen]), head.base
        if fit > 0:
            said = _said(raw, base, slopes=_slopes(bench, seen, known=known))
            weekly.append(_loss_by_week(bench, rows, said=said, since=since, until=until))
        seen.append((rows, raw))
    return np.asarray(np.round(np.concatenate(weekly), 9), dtype=np.float64)


def _slopes(
    bench: Bench, seen: list[tuple[NDArray[np.int64], NDArray[np.float64]]], *, known: int
) -> NDArray[np.float64]:
    """What a unit of evidence of each head and side is worth, from what had closed."""
    plan = bench.market.plans[bench.recipe.exit_plan]
    bins = np.zeros((HEADS, 2, EVIDENCE_BINS, 2))
    for rows, raw in seen:
        for side in (0, 1):
            closed = plan.known_at[rows, side] <= known
            won = (plan.profit_ratio[rows, side] > 0).astype(np.int64)
            weight = plan.uniqueness[rows, side] * OBSERVED_EVERY
            for head in range(HEADS):
                used = closed & ~np.isnan(raw[:, head, side])
                np.add.at(bins[head, side], (bin_of(raw[used, head, side]), won[used]), weight[used])
    return np.array(
        [[slope(side, prior=HEAD_PRIOR_SLOPE, strength=PRIOR_STRENGTH) for side in head] for head in np.round(bins, 4)]
    )


def _said(raw: NDArray[np.float64], base: NDArray[np.float64], *, slopes: NDArray[np.float64]) -> NDArray[np.float64]:
    """P(win) that each head says, shape (n, heads, 2); nan where it abstains."""
    base = np.clip(base, 0.001, 0.999)
    odds = np.log(base / (1 - base)) + raw * slopes
    return np.asarray(1 / (1 + np.exp(-odds)))


def _loss_by_week(
    bench: Bench, rows: NDArray[np.int64], *, said: NDArray[np.float64], since: int, until: int
) -> NDArray[np.float64]:
    """Mean log loss of each head over the candidates decided in each week, shape (weeks, heads)."""
    plan = bench.market.plans[bench.recipe.exit_plan]
    closed = plan.known_at[rows] <= bench.times.holdout
    won = (plan.profit_ratio[rows] > 0)[:, None, :]
    loss = np.where(closed[:, None, :], -np.log(np.where(won, said, 1 - said)), np.nan)
    week = (bench.market.date[rows] - since) // WEEK_MS
    weeks = []
    for number in range((until - since) // WEEK_MS):
        mine = loss[week == number]
        count = (~np.isnan(mine)).sum(axis=(0, 2))
        total = np.nansum(mine, axis=(0, 2))
        weeks.append(np.divide(total, count, out=np.full(HEADS, np.nan), where=count > 0))
    return np.array(weeks)


def _critical(centred: NDArray[np.float64], *, seed: int) -> float:
    """95 % quantile of the largest absolute t under random signs of whole weeks."""
    weeks = len(centred)
    signs = np.random.default_rng([seed, 4]).choice([-1.0, 1.0], (SIGN_FLIPS, weeks))
    mean = signs @ centred / weeks
    spread = np.sqrt(((centred**2).mean(axis=0) - mean**2) / (weeks - 1))
    return float(np.quantile(np.abs(mean / spread).max(axis=1), CONFIDENCE))
