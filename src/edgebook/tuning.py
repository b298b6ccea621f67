"""Bayesian tuning of a recipe on a stated budget: search on folds, judge once on a sealed holdout, propose.

The default recipe is scored first, then points of a Sobol sequence that were fixed before any outcome was seen, then
points that Optuna's TPE chooses. The best may become a proposal. A proposal is not a result: the gate decides.
"""

from __future__ import annotations

import datetime
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.deflated import deflated_sharpe, overfitting_probability, sharpe_ratio
from edgebook.errors import SettingsError
from edgebook.market import iso
from edgebook.params import plain
from edgebook.tuning_folds import HOUR_MS, Schedule, schedule, thinning
from edgebook.tuning_importance import importance
from edgebook.tuning_scores import DIGITS, fold_scores, holdout_scores, mean_scores, rounded
from edgebook.tuning_space import Space, search_space, sobol_points, tuned_recipe
from edgebook.tuning_study import STUDY_FILE, TRIALS_FILE, Study, daily_text
from edgebook.tuning_trials import Bench

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from edgebook.market import Market
    from edgebook.params import Sizing, Tuning
    from edgebook.recipes import Recipe
    from edgebook.tuning_book import Outcome

TRADES_A_WEEK = 7
"""A trial with fewer trades is marked down in proportion: what never trades has no losses, and learns nothing."""
PROGRESS_AFTER_SECONDS = 3.0


def tune(
    market: Market,
    *,
    recipe: Recipe,
    families: Mapping[str, Sequence[str]],
    grid_plans: Iterable[str],
    sizing: Sizing,
    settings: Tuning,
    as_of: str,
) -> Study:
    """Run one study.

    Parameters
    ----------
    market : Market
        With the outcomes of every plan of the grid. What became known after `as_of` is not read.
    recipe : Recipe
        The default, and what a proposal differs from.
    families : mapping of str to sequence of str
        Indicators of each head, by letter.
    grid_plans : iterable of str
        Exit plans to choose from.
    sizing : Sizing
        The rule under which trials trade.
    settings : Tuning
        Budget, folds, seed.
    as_of : str
        A Monday.

    Returns
    -------
    Study

    Raises
    ------
    SettingsError
        There are too few weeks, or the grid lacks a plan.

    Notes
    -----
    The objective is the Sharpe ratio of daily net R over all folds, less a penalty below `TRADES_A_WEEK`. A mean would
    reward size and luck; the ratio is what the gate's evidence grows with, and few lucky trades cannot carry it far: k
    equal wins in n quiet days make at most sqrt(k / n). It is rounded before the sampler sees it, so that the search
    takes the same way on every processor. Ties go to the earlier trial, the default first.

    The holdout is opened once, when best and default are fixed. It does not choose: the best is proposed unless the
    holdout speaks against it with its whole 95 % interval, so that the difference shown there stays nearly unbiased.
    """
    times = schedule(market, settings=settings, as_of=as_of)
    space = search_space(recipe, grid_plans=grid_plans)
    longest = max(int(weeks) for weeks in space.levels["train_weeks"])
    every = thinning(market, times=times, train_weeks=longest, rows=settings.rows)
    bench = Bench(market, recipe, families, sizing, times, every)
    rows: list[dict[str, Any]] = []
    series: list[NDArray[np.float64]] = []
    started = time.monotonic()
    for kind, point in _points(space, settings=settings, values=rows):
        outcome = bench.in_folds(point)
        series.append(outcome.daily_r)
        rows.append(_trial(len(rows), kind, point, outcome=outcome, test_weeks=times.test_weeks))
        _show_progress(len(rows), total=1 + settings.sobol + settings.trials, started=started)
    trials = pd.DataFrame(rows)
    best = int(trials["value"].to_numpy().argmax())
    default_point, best_point = space.default, {name: rows[best][name] for name in space.levels}
    held_default = bench.in_holdout(default_point)
    held_best = held_default if best == 0 else bench.in_holdout(best_point)
    difference = mean_scores(held_best.daily_r - held_default.daily_r)
    verdict = _verdict(best, difference)
    proposal = None
    if verdict == "proposed":
        tuned = tuned_recipe(recipe, best_point, title=f"tuned {as_of}")
        proposal = {**plain(tuned.settings()), "title": tuned.title}
    deflated = deflated_sharpe(series[best], sharpe_ratios=trials["sharpe"].to_numpy(np.float64))
    head = {
        "as_of": as_of,
        "budget": {
            "trials": len(rows),
            "default": 1,
            "sobol": settings.sobol,
            "tpe": settings.trials,
            "different": len(trials.drop_duplicates(list(space.levels))),
            "space": space.size,
            "candidates_fitted_per_trial": settings.rows,
            "every_bars": every,
            "trades_a_week": TRADES_A_WEEK,
            "seed": settings.seed,
        },
        "schedule": _schedule_row(times),
        "space": {name: list(levels) for name, levels in space.levels.items()},
        "default": fold_scores(rows[0], series[0]),
        "best": fold_scores(rows[best], series[best]),
        "holdout": {
            "default": holdout_scores(held_default),
            "best": holdout_scores(held_best),
            "difference": difference,
        },
        "deflated": {
            "sharpe": rounded(deflated.sharpe),
            "benchmark": rounded(deflated.benchmark),
            "probability": rounded(deflated.probability),
            "trials": deflated.trials,
            "days": deflated.periods,
            "overfitting_probability": rounded(overfitting_probability(np.column_stack(series))),
        },
        "importance": importance(trials[trials["kind"] == "sobol"], space=space, seed=settings.seed),
        "verdict": verdict,
        "proposal": proposal,
    }
    return Study(head, trials)


def study_of_week(
    market: Market,
    *,
    recipe: Recipe,
    families: Mapping[str, Sequence[str]],
    sizing: Sizing,
    settings: Tuning,
    as_of: str,
    genesis: str,
    previous: Mapping[str, str],
) -> dict[str, str]:
    """The study in force in a week: a new one on its schedule, else that of the previous seal, letter by letter.

    Parameters
    ----------
    market : Market
        With the outcomes of every plan of the grid; in weeks that are not due it is not read.
    recipe : Recipe
        Of the champion.
    families, sizing, settings
        As for `tune`.
    as_of, genesis : str
        Mondays.
    previous : mapping of str to str
        Attachments of the previous seal; empty before the first study.

    Returns
    -------
    dict of str to str
        ``study/study.json`` and ``study/trials.csv``; empty before the first study.

    Raises
    ------
    SettingsError
        As `tune`, except that a study for which there are too few weeks of data waits for the next date.
    """
    carried = {name: previous[name] for name in (STUDY_FILE, TRIALS_FILE) if name in previous}
    if not study_due(as_of, genesis=genesis, every_weeks=settings.every_weeks):
        return carried
    try:
        schedule(market, settings=settings, as_of=as_of)
    except SettingsError:
        return carried
    plans = list(market.plans)
    return tune(
        market, recipe=recipe, families=families, grid_plans=plans, sizing=sizing, settings=settings, as_of=as_of
    ).to_files()


def study_due(as_of: str, *, genesis: str, every_weeks: int) -> bool:
    """Whether a study is run in a week: every so many weeks, not at genesis, never when that is 0.

    Examples
    --------
    >>> study_due("2018-07-02", genesis="2018-04-02", every_weeks=13)
    True
    >>> study_due("2018-04-02", genesis="2018-04-02", every_weeks=13)
    False
    """
    days = (datetime.date.fromisoformat(as_of) - datetime.date.fromisoformat(genesis)).days
    return every_weeks > 0 and days > 0 and days // 7 % every_weeks == 0


def _points(space: Space, *, settings: Tuning, values: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, float]]]:
    """Points to try, in order; `values` holds the trials so far when the next one is asked for."""
    import warnings

    from tqdm import TqdmWarning

    with warnings.catch_warnings():
        # In a kernel without widgets tqdm says so, and the report would show it.
        warnings.simplefilter("ignore", TqdmWarning)
        import optuna
    from optuna.distributions import IntDistribution

    yield "default", dict(space.default)
    for point in sobol_points(space, n=settings.sobol, seed=settings.seed):
        yield "sobol", point
    if settings.trials == 0:
        return
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        search = optuna.create_study(
            direction="maximize", sampler=optuna.samplers.TPESampler(seed=settings.seed, n_startup_trials=0)
        )
    finally:
        optuna.logging.set_verbosity(before)
    open_ = {name: IntDistribution(0, len(levels) - 1) for name, levels in space.levels.items() if len(levels) > 1}
    for row in values:
        places = {name: space.levels[name].index(row[name]) for name in open_}
        search.add_trial(optuna.create_trial(params=places, distributions=dict(open_), value=row["value"]))
    rng = np.random.default_rng([settings.seed, 2])
    tried = {tuple(row[name] for name in open_) for row in values}
    for _ in range(min(settings.trials, space.size - len(tried))):
        trial = search.ask(dict(open_))
        places = dict(trial.params)
        while tuple(space.levels[name][place] for name, place in places.items()) in tried:
            name = str(rng.choice(list(open_)))
            places[name] = int(np.clip(places[name] + rng.choice([-1, 1]), 0, len(space.levels[name]) - 1))
        if places != trial.params:
            search.tell(trial, state=optuna.trial.TrialState.FAIL)
            search.enqueue_trial(places)
            trial = search.ask(dict(open_))
        tried.add(tuple(space.levels[name][place] for name, place in places.items()))
        yield "tpe", space.default | {name: space.levels[name][place] for name, place in places.items()}
        search.tell(trial, values[-1]["value"])


def _trial(number: int, kind: str, point: Mapping[str, float], *, outcome: Outcome, test_weeks: int) -> dict[str, Any]:
    sharpe = sharpe_ratio(outcome.daily_r)
    missing = max(0.0, 1.0 - outcome.trades / (TRADES_A_WEEK * test_weeks))
    return {
        "number": number,
        "kind": kind,
        **point,
        "value": round(sharpe - missing, DIGITS) + 0.0,
        "sharpe": round(sharpe, DIGITS) + 0.0,
        "mean_r": round(float(np.mean(outcome.daily_r)), DIGITS) + 0.0,
        "trades": outcome.trades,
        "daily_r": daily_text(outcome.daily_r),
    }


def _verdict(best: int, difference: Mapping[str, Any]) -> str:
    if best == 0:
        return "default is best"
    against = difference["high"] is not None and difference["high"] < 0
    return "holdout speaks against it" if against else "proposed"


def _schedule_row(times: Schedule) -> dict[str, Any]:
    return {
        "first": iso(times.first)[:10],
        "warmup": iso(times.fits[0])[:10],
        "folds": [[iso(since)[:10], iso(until)[:10]] for since, until in times.folds],
        "holdout": [iso(times.holdout)[:10], iso(times.as_of)[:10]],
        "embargo_hours": times.embargo // HOUR_MS,
    }


def _show_progress(done: int, *, total: int, started: float) -> None:
    """One line that renews itself, on a terminal only, and only when there is something to wait for."""
    if sys.stderr.isatty() and time.monotonic() - started > PROGRESS_AFTER_SECONDS:
        sys.stderr.write(f"\rtuning: trial {done} of {total}" + ("\n" if done == total else ""))
        sys.stderr.flush()
