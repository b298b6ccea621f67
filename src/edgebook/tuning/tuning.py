"""Bayesian tuning of a recipe on a stated budget: search on folds, judge once on a sealed holdout, propose.

The default recipe is scored first, then points of a Sobol sequence that were fixed before any outcome was seen, then
points that Optuna's TPE chooses. The best may become a proposal. A proposal is not a result: the gate decides.
"""

from __future__ import annotations

import datetime
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.errors import SettingsError
from edgebook.policy.market import iso
from edgebook.settings.params import plain
from edgebook.statistics.deflated import sharpe_ratio
from edgebook.tuning.tuning_corrections import against_grid, corrections
from edgebook.tuning.tuning_folds import HOUR_MS, Schedule, schedule, thinning
from edgebook.tuning.tuning_heads import head_alternatives
from edgebook.tuning.tuning_importance import importance
from edgebook.tuning.tuning_journal import Journal, study_digest
from edgebook.tuning.tuning_proposals import proposals, searched
from edgebook.tuning.tuning_scores import DIGITS, fold_scores, holdout_scores, mean_scores
from edgebook.tuning.tuning_search import TRADES_A_WEEK, Trial, search
from edgebook.tuning.tuning_space import grid_levels, search_space, tuned_recipe
from edgebook.tuning.tuning_study import STUDY_FILE, TRIALS_FILE, Study, daily_text
from edgebook.tuning.tuning_trials import Bench
from edgebook.tuning.tuning_workers import crew

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from edgebook.policy.market import Market
    from edgebook.settings.params import Sizing, Tuning
    from edgebook.settings.recipes import Recipe
    from edgebook.tuning.tuning_book import Outcome


def tune(
    market: Market,
    *,
    recipe: Recipe,
    families: Mapping[str, Sequence[str]],
    grid_plans: Iterable[str],
    sizing: Sizing,
    settings: Tuning,
    as_of: str,
    kept: Sequence[str] | None = None,
    journal: Path | None = None,
) -> Study:
    """Run one study.

    Parameters
    ----------
    market : Market
        With the outcomes of every plan of the grid. What became known after `as_of` is not read.
    recipe : Recipe
        The champion's: the default, and what a proposal differs from.
    families : mapping of str to sequence of str
        Indicators of each head, by letter.
    grid_plans : iterable of str
        Exit plans to choose from.
    sizing : Sizing
        The rule under which trials trade.
    settings : Tuning
        Budget, folds, seed, workers.
    as_of : str
        A Monday.
    kept : sequence of str, optional
        Indicators that the importance run in force keeps; None for all of them.
    journal : Path, optional
        Where finished trials are written down while the study runs; gone when it is complete. A study that was killed
        goes on from there.

    Returns
    -------
    Study
        The same whatever the number of workers, and however often it was killed.

    Raises
    ------
    SettingsError
        There are too few weeks, or the grid lacks a plan.
    DataError
        The journal cannot be written, or a worker process has died.

    Notes
    -----
    The objective is the Sharpe ratio of daily net R over all folds, less a penalty below `TRADES_A_WEEK`. A mean would
    reward size and luck; the ratio is what the gate's evidence grows with, and few lucky trades cannot carry it far: k
    equal wins in n quiet days make at most sqrt(k / n). It is rounded before the sampler sees it, so that the search
    takes the same way on every processor. Ties go to the earlier trial, the default first. A grid is a baseline for
    the search: its points are shown beside it and are never proposed.

    The holdout is opened once, when default, best and best of the grid are fixed. It does not choose: the best is
    proposed unless the holdout speaks against it with its whole 95 % interval, so that the difference shown there stays
    nearly unbiased.
    """
    market = market.labelled(recipe.regimes)
    times = schedule(market, settings=settings, as_of=as_of)
    space = search_space(recipe, grid_plans=grid_plans)
    longest = max(int(weeks) for weeks in space.levels["train_weeks"])
    every = thinning(market, times=times, train_weeks=longest, rows=settings.rows)
    bench = Bench(market, searched(recipe, kept=kept), families, sizing, times, every)
    digest = study_digest(bench, settings=settings, as_of=as_of) if journal is not None else ""
    diary = Journal.opened(journal, digest=digest)
    with crew(bench, workers=settings.workers) as those:
        trials = search(those, space=space, settings=settings, journal=diary)
        own = [trial for trial in trials if trial.point.kind != "grid"]
        grid = [trial for trial in trials if trial.point.kind == "grid"]
        best, rival = _best(own), _best(grid) if grid else None
        opened = dict.fromkeys(t.point.number for t in (trials[0], best, rival) if t is not None)
        points = [trials[number].point.settings for number in opened]
        held = dict(those.run(_in_holdout, points, keys=[bench.key(point) for point in points]))
        heads = head_alternatives(those, recipe=bench.recipe, seed=settings.seed)
    holdout = dict(zip(opened, (held[place] for place in range(len(points))), strict=True))
    difference = mean_scores(holdout[best.point.number].daily_r - holdout[0].daily_r)
    verdict = _verdict(best.point.number, difference)
    tuned = tuned_recipe(recipe, best.point.settings, title=f"tuned {as_of}") if verdict == "proposed" else None
    rows = [_row(trial) for trial in trials]
    ledger = pd.DataFrame(rows)
    searched_rows = ledger[ledger["kind"] != "grid"]
    head = {
        "as_of": as_of,
        "recipe": plain(recipe.settings()),
        "budget": {
            "trials": len(own),
            "default": 1,
            "sobol": settings.sobol,
            "tpe": settings.trials,
            "batch": settings.batch,
            "grid": len(grid),
            "different": len(searched_rows.drop_duplicates(list(space.levels))),
            "space": space.size,
            "candidates_fitted_per_trial": settings.rows,
            "every_bars": every,
            "trades_a_week": TRADES_A_WEEK,
            "seed": settings.seed,
        },
        "schedule": _schedule_row(times),
        "space": {name: list(levels) for name, levels in space.levels.items()},
        "default": fold_scores(rows[0], trials[0].outcome.daily_r),
        "best": fold_scores(rows[best.point.number], best.outcome.daily_r),
        "holdout": {
            "default": holdout_scores(holdout[0]),
            "best": holdout_scores(holdout[best.point.number]),
            "difference": difference,
        },
        "grid": None
        if rival is None
        else against_grid(
            best, rival, rows=rows, holdout=holdout, levels=grid_levels(space, n=settings.sobol + settings.trials)
        ),
        **corrections(own, best=best, seed=settings.seed),
        "importance": importance(ledger[ledger["kind"] == "sobol"], space=space, seed=settings.seed),
        "heads": asdict(heads),
        "verdict": verdict,
        "proposals": proposals(recipe, tuned=tuned, kept=kept, head=heads.chosen, as_of=as_of),
    }
    diary.close()
    return Study(head, ledger)


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
    kept: Sequence[str] | None = None,
    journal: Path | None = None,
) -> dict[str, str]:
    """The study in force in a week: a new one on its schedule, else that of the previous seal, letter by letter.

    Parameters
    ----------
    market : Market
        With the outcomes of every plan of the grid; in weeks that are not due it is not read.
    recipe : Recipe
        Of the champion.
    families, sizing, settings, kept, journal
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
        market,
        recipe=recipe,
        families=families,
        grid_plans=plans,
        sizing=sizing,
        settings=settings,
        as_of=as_of,
        kept=kept,
        journal=journal,
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


def _in_holdout(bench: Bench, settings: Mapping[str, float]) -> Outcome:
    """What a worker does for a recipe that is fixed."""
    return bench.in_holdout(settings)


def _best(trials: Sequence[Trial]) -> Trial:
    """The first of those with the highest value."""
    return max(trials, key=lambda trial: (trial.value, -trial.point.number))


def _row(trial: Trial) -> dict[str, Any]:
    daily, point = trial.outcome.daily_r, trial.point
    return {
        "number": point.number,
        "kind": point.kind,
        **point.settings,
        "value": trial.value,
        "sharpe": round(sharpe_ratio(daily), DIGITS) + 0.0,
        "mean_r": round(float(np.mean(daily)), DIGITS) + 0.0,
        "trades": trial.outcome.trades,
        "daily_r": daily_text(daily),
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
