"""How often Hansen's test finds a better trial where none is better, by the way in which trials were chosen.

Worthless recipes over the space of a study: the daily R of a point is noise that all share, noise that points with a
setting in common share, and noise of its own. Optuna's TPE chooses as in a study, by the Sharpe ratio. The test is the
study's own. `python benchmarks/superior_trials.py 100` runs a hundred markets; the default is few enough to wait for.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import numpy as np

from edgebook.settings.exit_plans import ExitPlan
from edgebook.settings.recipes import Recipe
from edgebook.statistics.deflated import effective_trials, sharpe_ratio
from edgebook.statistics.intervals import wilson
from edgebook.tuning.tuning_book import Outcome
from edgebook.tuning.tuning_search import Chooser, Point, Trial
from edgebook.tuning.tuning_spa import superior_trials
from edgebook.tuning.tuning_space import Space, search_space, sobol_points

MARKETS, DAYS, LEVEL = 20, 168, 0.05
SHARED, BY_SETTING, OWN = 0.3, 0.5, 0.2
BATCH = 4
WAYS = {
    "Sobol alone, 64": (64, 0),
    "8 Sobol, then 104 of TPE": (8, 104),
    "64 Sobol, then 48 of TPE (a study)": (64, 48),
    "256 Sobol, then 48 of TPE": (256, 48),
}


@dataclass
class Market:
    space: Space
    rng: np.random.Generator

    def __post_init__(self) -> None:
        self.shared = self.rng.normal(size=DAYS) * SHARED**0.5
        share = (BY_SETTING / len(self.space.levels)) ** 0.5
        self.by_setting = {
            (name, level): self.rng.normal(size=DAYS) * share
            for name, levels in self.space.levels.items()
            for level in levels
        }

    def trial(self, number: int, kind: str, settings: dict[str, float]) -> Trial:
        own = self.rng.normal(size=DAYS) * OWN**0.5
        daily = self.shared + own + sum(self.by_setting[item] for item in settings.items())
        return Trial(Point(number, kind, settings), Outcome(daily, DAYS), sharpe_ratio(daily))


def chosen(market: Market, *, sobol: int, tpe: int, seed: int) -> list[Trial]:
    points = sobol_points(market.space, n=sobol, seed=seed)
    trials = [market.trial(0, "default", dict(market.space.default))]
    trials += [market.trial(1 + i, "sobol", point) for i, point in enumerate(points)]
    chooser = Chooser.begun(market.space, seed=seed, trials=trials)
    for _ in range(tpe // BATCH):
        batch = [market.trial(len(trials), "tpe", point) for point in chooser.ask(BATCH)]
        chooser.tell(batch)
        trials += batch
    return trials


def main() -> None:
    markets = int(sys.argv[1]) if len(sys.argv) > 1 else MARKETS
    plans = [ExitPlan(t, s, b).name for t in (1.5, 2.0, 3.0) for s in (1.0, 1.5, 2.0) for b in (12, 24)]
    space = search_space(Recipe(exit_plan="tp2.0_sl1.5_t24"), grid_plans=plans)
    print(f"{markets} markets of {DAYS} days without an edge; false alarms at {LEVEL:.0%}, 95 % interval")
    for name, (sobol, tpe) in WAYS.items():
        started = time.perf_counter()
        alarms, alone, effective = 0, 0, []
        for seed in range(markets):
            trials = chosen(Market(space, np.random.default_rng([seed, sobol])), sobol=sobol, tpe=tpe, seed=seed)
            series = np.column_stack([trial.outcome.daily_r for trial in trials])
            found = superior_trials(series[:, 1:], default=series[:, 0], seed=seed, repetitions=500)
            alarms += found.consistent <= LEVEL
            if tpe:
                only = superior_trials(series[:, 1 + sobol :], default=series[:, 0], seed=seed, repetitions=500)
                alone += only.consistent <= LEVEL
            effective.append(effective_trials(series))
        low, high = wilson(alarms / markets, n=markets)
        line = f"{name:36} {alarms / markets:6.1%} ({low:.1%} to {high:.1%})"
        if tpe:
            low, high = wilson(alone / markets, n=markets)
            line += f", TPE's points tested alone {alone / markets:6.1%} ({low:.1%} to {high:.1%})"
        print(f"{line}; {np.mean(effective):.0f} effective trials; {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
