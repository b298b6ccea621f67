"""The trials of a study, in an order that is fixed: those written down in advance, then those that follow from them.

The default, the Sobol points and the grid depend on no outcome, so they are scored at once, by as many processes as
there are. TPE chooses in batches of a stated size, each from all trials before it: the same points, whoever scores
them.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edgebook.statistics.deflated import sharpe_ratio
from edgebook.tuning.tuning_scores import DIGITS
from edgebook.tuning.tuning_space import grid_points, sobol_points

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tqdm import tqdm

    from edgebook.settings.params import Tuning
    from edgebook.tuning.tuning_book import Outcome
    from edgebook.tuning.tuning_journal import Journal
    from edgebook.tuning.tuning_space import Space
    from edgebook.tuning.tuning_trials import Bench
    from edgebook.tuning.tuning_workers import Crew

TRADES_A_WEEK = 7
"""A trial with fewer trades is marked down in proportion: what never trades has no losses, and learns nothing."""
PROGRESS_AFTER_SECONDS = 3.0
TIE = 1e-9
"""By how many levels trials on the same level are moved apart, the later further."""


class Point(NamedTuple):
    """A trial to run: its number in the ledger, how it was chosen, its settings."""

    number: int
    kind: str
    settings: dict[str, float]


@dataclass(frozen=True)
class Trial:
    """A trial that was run.

    Parameters
    ----------
    point : Point
    outcome : Outcome
    value : float
        The objective.
    """

    point: Point
    outcome: Outcome
    value: float


def search(crew: Crew, *, space: Space, settings: Tuning, journal: Journal) -> list[Trial]:
    """Run all trials of a study.

    Parameters
    ----------
    crew : Crew
    space : Space
    settings : Tuning
        `sobol`, `trials`, `batch`, `grid`, `seed`.
    journal : Journal
        Trials that it holds are not run again.

    Returns
    -------
    list of Trial
        By number: the default, Sobol points, TPE's, and the grid, which TPE does not see.
    """
    sobol = [Point(1 + i, "sobol", point) for i, point in enumerate(_sobol(space, settings))]
    given = [Point(0, "default", dict(space.default)), *sobol]
    budget = min(settings.trials, space.size - len({tuple(point.settings.values()) for point in given}))
    first = len(given) + budget
    grid = [Point(first + i, "grid", point) for i, point in enumerate(planned_grid(space, settings=settings))]
    with _progress(first + len(grid)) as bar:
        done = list(_scored(crew, [*given, *grid], journal=journal, bar=bar))
        known, baseline = done[: len(given)], done[len(given) :]
        chooser = Chooser.begun(space, seed=settings.seed, trials=known) if budget > 0 else None
        while chooser is not None and len(known) < first:
            chosen = chooser.ask(min(settings.batch, first - len(known)))
            points = [Point(len(known) + i, "tpe", point) for i, point in enumerate(chosen)]
            batch = list(_scored(crew, points, journal=journal, bar=bar))
            chooser.tell(batch)
            known += batch
    return [*known, *baseline]


@dataclass
class Chooser:
    """Optuna's TPE over the levels of a space, which never chooses a point twice.

    Parameters
    ----------
    space : Space
    """

    space: Space
    _search: Any
    _open: dict[str, Any]
    _rng: np.random.Generator
    _tried: set[tuple[float, ...]]
    _asked: list[Any] = field(default_factory=list)

    @classmethod
    def begun(cls, space: Space, *, seed: int, trials: Sequence[Trial]) -> Chooser:
        """Begin after trials that were written down in advance."""
        optuna = _optuna()
        before = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=0)
            sampler._parzen_estimator_cls = _without_ties(sampler._parzen_estimator_cls)
            study = optuna.create_study(direction="maximize", sampler=sampler)
        finally:
            optuna.logging.set_verbosity(before)
        free = {n: levels for n, levels in space.levels.items() if len(levels) > 1}
        open_ = {name: optuna.distributions.IntDistribution(0, len(levels) - 1) for name, levels in free.items()}
        for trial in trials:
            places = {name: levels.index(trial.point.settings[name]) for name, levels in free.items()}
            study.add_trial(optuna.create_trial(params=places, distributions=dict(open_), value=trial.value))
        tried = {tuple(trial.point.settings[name] for name in free) for trial in trials}
        return cls(space, study, open_, np.random.default_rng([seed, 2]), tried)

    def ask(self, size: int) -> list[dict[str, float]]:
        """Choose the next points, none of them tried before."""
        return [self._next() for _ in range(size)]

    def tell(self, batch: Sequence[Trial]) -> None:
        """Learn what the points that were asked for are worth, in their order."""
        for asked, trial in zip(self._asked, batch, strict=True):
            self._search.tell(asked, trial.value)
        self._asked.clear()

    def _next(self) -> dict[str, float]:
        levels = self.space.levels
        asked = self._search.ask(dict(self._open))
        places = dict(asked.params)
        while self._point(places) in self._tried:
            name = str(self._rng.choice(list(self._open)))
            places[name] = int(np.clip(places[name] + self._rng.choice([-1, 1]), 0, len(levels[name]) - 1))
        if places != asked.params:
            self._search.tell(asked, state=_optuna().trial.TrialState.FAIL)
            self._search.enqueue_trial(places)
            asked = self._search.ask(dict(self._open))
        self._tried.add(self._point(places))
        self._asked.append(asked)
        return self.space.default | {name: levels[name][place] for name, place in places.items()}

    def _point(self, places: Mapping[str, int]) -> tuple[float, ...]:
        return tuple(self.space.levels[name][place] for name, place in places.items())


def planned_grid(space: Space, *, settings: Tuning) -> list[dict[str, float]]:
    """Points of the baseline: as many as the search has beside the default, so that the budget is the same."""
    return grid_points(space, n=settings.sobol + settings.trials, seed=settings.seed) if settings.grid else []


def objective(outcome: Outcome, *, test_weeks: int) -> float:
    """Sharpe ratio of daily net R, less a penalty in proportion to the trades that are missing."""
    missing = max(0.0, 1.0 - outcome.trades / (TRADES_A_WEEK * test_weeks))
    return round(sharpe_ratio(outcome.daily_r) - missing, DIGITS) + 0.0


def _sobol(space: Space, settings: Tuning) -> list[dict[str, float]]:
    return sobol_points(space, n=settings.sobol, seed=settings.seed)


def _in_folds(bench: Bench, settings: Mapping[str, float]) -> Outcome:
    """What a worker does for a trial."""
    return bench.in_folds(settings)


def _scored(crew: Crew, points: Sequence[Point], *, journal: Journal, bar: tqdm[Any]) -> Iterator[Trial]:
    """Outcomes of points in their order, from the journal or computed and written down."""
    weeks = crew.bench.times.test_weeks
    found = {point.number: journal.outcome(point.number, point=point.settings) for point in points}
    missing = [point for point in points if found[point.number] is None]
    bar.update(len(points) - len(missing))
    keys = [crew.bench.key(point.settings) for point in missing]
    for place, outcome in crew.run(_in_folds, [point.settings for point in missing], keys=keys):
        point = missing[place]
        journal.add(point.number, outcome, point=point.settings)
        found[point.number] = outcome
        bar.update(1)
    for point in points:
        outcome_of = found[point.number]
        assert outcome_of is not None
        yield Trial(point, outcome_of, objective(outcome_of, test_weeks=weeks))


def _progress(total: int) -> tqdm[Any]:
    """A bar on a terminal, where there is something to wait for; silent elsewhere."""
    from tqdm import tqdm

    silent = not sys.stderr.isatty()
    return tqdm(total=total, desc="tuning", unit="trial", delay=PROGRESS_AFTER_SECONDS, leave=False, disable=silent)


def _without_ties(estimator: Any) -> Any:
    """Optuna's density of a setting, of trials of which no two stand at the same place.

    It gives each trial a width by its neighbours, in an order that NumPy sorts by the processor's own instructions:
    of trials on the same level, another one comes first elsewhere, and another point is chosen.
    """

    class WithoutTies(estimator):  # type: ignore[misc]
        def _calculate_numerical_distributions(self, observations: Any, *given: Any) -> Any:
            apart = observations + TIE * np.arange(len(observations))
            return super()._calculate_numerical_distributions(apart, *given)

    return WithoutTies


def _optuna() -> Any:
    """Import Optuna; in a kernel without widgets tqdm would warn of it, and the report would show that."""
    import warnings

    from tqdm import TqdmWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TqdmWarning)
        import optuna
    return optuna
