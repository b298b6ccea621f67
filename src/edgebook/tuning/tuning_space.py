"""The search space of a tuning study: few settings, few levels each, and points drawn from it in advance.

Every setting takes one of a short list of levels. A study of a hundred trials cannot tell a shrinkage of 100 from one
of 110, and levels make trials share their heavy work: heads depend on three of the settings only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.errors import SettingsError
from edgebook.settings.exit_plans import ExitPlan
from edgebook.settings.recipes import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LEVELS: dict[str, tuple[float, ...]] = {
    "train_weeks": (26, 39, 52),
    "shrinkage": (10.0, 30.0, 100.0, 300.0, 1000.0),
    "signal_quantile": (0.9, 0.95, 0.975, 0.99),
    "min_heads_agree": (2, 4, 6),
}
"""Levels beside the exit plans of the grid; a recipe's own value joins where it is not among them."""
SELECTION = ("signal_quantile", "min_heads_agree")
"""Settings that choose among scored candidates; the others change the heads."""
PLAN_PARTS = ("take_profit_atr", "stop_loss_atr", "time_limit_bars")


@dataclass(frozen=True)
class Space:
    """Settings that are searched, each with its levels in ascending order.

    Parameters
    ----------
    levels : mapping of str to tuple
        By name of the setting. An exit plan is searched by its three parts.
    default : mapping of str to number
        Levels of the recipe that is tuned.
    """

    levels: dict[str, tuple[float, ...]]
    default: dict[str, float]

    @property
    def size(self) -> int:
        """Number of distinct recipes in the space."""
        return int(np.prod([len(levels) for levels in self.levels.values()]))


def search_space(recipe: Recipe, *, grid_plans: Iterable[str]) -> Space:
    """Space around a recipe.

    Parameters
    ----------
    recipe : Recipe
        The default: each of its values is a level.
    grid_plans : iterable of str
        Names of exit plans, every combination of some targets, stops and limits.

    Raises
    ------
    SettingsError
        The recipe's plan is not among them, or a combination is missing.

    Examples
    --------
    >>> space = search_space(Recipe(exit_plan="tp2.0_sl1.5_t24", shrinkage=50.0), grid_plans=["tp2.0_sl1.5_t24"])
    >>> space.levels["shrinkage"], space.levels["take_profit_atr"]
    ((10.0, 30.0, 50.0, 100.0, 300.0, 1000.0), (2.0,))
    """
    names = sorted(set(grid_plans))
    if recipe.exit_plan not in names:
        raise SettingsError(f"tuning: the recipe's exit plan {recipe.exit_plan} is not in the grid; add it there")
    plans = [ExitPlan.parse(name) for name in names]
    parts = {part: tuple(sorted({getattr(plan, part) for plan in plans})) for part in PLAN_PARTS}
    for combination in product(*parts.values()):
        if ExitPlan(*combination).name not in names:
            raise SettingsError(
                f"tuning: {ExitPlan(*combination).name} is missing; give every combination of targets, stops, limits"
            )
    own = {name: getattr(recipe, name) for name in LEVELS}
    levels = {name: tuple(sorted({*values, own[name]})) for name, values in LEVELS.items()}
    plan = ExitPlan.parse(recipe.exit_plan)
    return Space(
        levels={**levels, **parts},
        default={**own, **{part: getattr(plan, part) for part in PLAN_PARTS}},
    )


def sobol_points(space: Space, *, n: int, seed: int) -> list[dict[str, float]]:
    """Points that fill the space evenly, written down before any outcome is seen.

    Parameters
    ----------
    space : Space
    n : int
        Number of points.
    seed : int
        Of the scrambling: with the space, all that the points depend on.

    Returns
    -------
    list of mapping
        Points 0 and 1, 2 and 3, … differ in `SELECTION` only and share their heads, which are the costly part.

    Notes
    -----
    Scrambled Sobol sequence (Owen 1998, scipy), each coordinate cut into as many equal parts as the setting has
    levels. A point of the sequence gives the settings of the heads once and those of the selection twice.
    """
    from scipy.stats import qmc

    if n == 0:
        return []
    names = [*space.levels, *SELECTION]
    engine = qmc.Sobol(len(names), scramble=True, rng=np.random.default_rng(seed))
    points = []
    for unit in engine.random_base2(int(np.ceil(np.log2(max(2, n) / 2)))):
        drawn = [space.levels[name][int(u * len(space.levels[name]))] for name, u in zip(names, unit, strict=True)]
        first = dict(zip(space.levels, drawn, strict=False))
        points += [first, first | dict(zip(SELECTION, drawn[len(first) :], strict=True))]
    return points[:n]


def grid_levels(space: Space, *, n: int) -> dict[str, tuple[float, ...]]:
    """Levels of the smallest full factorial of at least `n` points, or of the whole space where it has no more.

    Parameters
    ----------
    space : Space
    n : int

    Notes
    -----
    Setting after setting gets one more level, in the order of the space and as evenly as they divide, until the
    combinations are enough; a setting whose turn does not come stays at the default.

    Examples
    --------
    >>> space = search_space(Recipe(exit_plan="tp2.0_sl1.5_t24"), grid_plans=["tp2.0_sl1.5_t24"])
    >>> {name: levels for name, levels in grid_levels(space, n=4).items() if len(levels) > 1}
    {'train_weeks': (26, 52), 'shrinkage': (30.0, 300.0)}
    """
    count = dict.fromkeys(space.levels, 1)
    while np.prod(list(count.values())) < min(n, space.size):
        for name, levels in space.levels.items():
            if count[name] < len(levels) and np.prod(list(count.values())) < n:
                count[name] += 1
    return {
        name: tuple(levels[int((i + 0.5) * len(levels) / count[name])] for i in range(count[name]))
        if count[name] > 1
        else (space.default[name],)
        for name, levels in space.levels.items()
    }


def grid_points(space: Space, *, n: int, seed: int) -> list[dict[str, float]]:
    """Points of a coarse grid, written down before any outcome is seen.

    Parameters
    ----------
    space : Space
    n : int
        Number of points; the whole space where it has no more.
    seed : int
        Of the draw that leaves points out where the factorial has more than `n`.

    Returns
    -------
    list of mapping
        In the order of the levels, the last setting first.
    """
    levels = grid_levels(space, n=n)
    whole = [dict(zip(levels, combination, strict=True)) for combination in product(*levels.values())]
    kept = np.sort(np.random.default_rng([seed, 3]).permutation(len(whole))[:n])
    return [whole[i] for i in kept]


def tuned_recipe(recipe: Recipe, settings: Mapping[str, float], *, title: str) -> Recipe:
    """Return the recipe at a point of the space.

    Parameters
    ----------
    recipe : Recipe
        What is not searched is taken from it. A recipe that never refits becomes one that does, every week: that is
        how trials are scored.
    settings : mapping of str to number
        A level for each setting.
    title : str
    """
    chosen: dict[str, Any] = {name: settings[name] for name in LEVELS}
    return replace(
        recipe,
        role="proposal",
        proposed=None,
        title=title,
        exit_plan=plan_name(settings),
        refit_weeks=max(1, recipe.refit_weeks),
        **chosen,
    )


def plan_name(settings: Mapping[str, float]) -> str:
    """Name of the exit plan at a point of the space."""
    return ExitPlan(settings["take_profit_atr"], settings["stop_loss_atr"], int(settings["time_limit_bars"])).name
