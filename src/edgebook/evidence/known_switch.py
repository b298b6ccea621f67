"""After the edge has moved to another head: how soon an arm has again what an oracle has over the frozen policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.evidence.ablation import weekly
from edgebook.evidence.evidence_cells import runs_of
from edgebook.evidence.evidence_markets import GENESIS, SWITCH
from edgebook.evidence.evidence_variants import FROZEN, FULL, HEAD_WEIGHTS, name_of
from edgebook.policy.market import WEEK_MS, milliseconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.evidence.evidence_cells import Cells
    from edgebook.settings.recipes import Recipe

LAST_WEEKS = 13
ROLLING_WEEKS = 4
REGAINED, WITHIN_WEEKS = 0.8, 12
"""The bar: so much of the oracle's advantage, so many weeks after the move."""
RESAMPLES = 500
SWITCH_WEEK = (milliseconds(SWITCH) - milliseconds(GENESIS)) // WEEK_MS
"""Weeks from genesis to the move of the edge."""


def switch_study(cells: Cells, recipe: Recipe) -> dict[str, Any]:
    """Weeks from the move of the edge until an arm has regained 80 % of what the oracles have over the frozen policy.

    Returns
    -------
    dict
        `rows`: one an arm, measure ("book_r": R a week of the book; "top_r": mean R of the most confident 5 %) and
        oracle: weeks (None: not within the data), weeks_low and weeks_high over resampled markets, regained (share in
        the weeks 13 to 26 after the move). `curves`: rolling share by arm for the figure, oracle of the heads.
    """
    rows, curves = [], {}
    frozen = runs_of(cells, "switching", FROZEN)
    arms = {FULL: FULL}
    arms |= {value: name_of(recipe, HEAD_WEIGHTS, value) for value in (HEAD_WEIGHTS.frozen, *HEAD_WEIGHTS.values)}
    for oracle in ("told_the_heads", "oracle"):
        best = runs_of(cells, "switching", oracle)
        for arm, name in arms.items():
            mine = runs_of(cells, "switching", name)
            seeds = sorted(set(mine) & set(best) & set(frozen))
            if not seeds:
                continue
            for measure in ("r_week", "top_r"):
                of = [np.stack([weekly(runs[seed], measure) for seed in seeds]) for runs in (mine, best, frozen)]
                share = regained_share(*of)
                rng = np.random.default_rng(SWITCH_WEEK)
                drawn = [
                    weeks_to_regain(regained_share(*(values[pick] for values in of)))
                    for pick in rng.integers(0, len(seeds), (RESAMPLES if len(seeds) > 1 else 1, len(seeds)))
                ]
                longest = of[0].shape[1]  # not regained: later than the data end
                low, high = np.quantile([longest if w is None else w for w in drawn], (0.025, 0.975), method="nearest")
                gained = [float(values[:, SWITCH_WEEK + LAST_WEEKS :].mean()) for values in of]
                could = gained[1] - gained[2]
                rows.append(
                    {
                        "arm": arm,
                        "measure": measure,
                        "oracle": oracle,
                        "markets": len(seeds),
                        "weeks": weeks_to_regain(share),
                        "weeks_low": int(low),
                        "weeks_high": None if high >= longest else int(high),
                        "regained": (gained[0] - gained[2]) / could if could > 0 else np.nan,
                    }
                )
                if measure == "top_r" and oracle == "told_the_heads":
                    curves[arm] = [None if np.isnan(x) else float(x) for x in share]
    return {"rows": rows, "curves": curves, "week": int(SWITCH_WEEK)}


def regained_share(
    mine: NDArray[np.float64], best: NDArray[np.float64], frozen: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Share of the oracle's advantage over the frozen policy, mean over markets and the last four weeks.

    Parameters
    ----------
    mine, best, frozen : ndarray, shape (markets, weeks)

    Returns
    -------
    ndarray, shape (weeks,)
        Missing while there are not four weeks, and where the oracle has no advantage.

    Examples
    --------
    >>> mine, best, frozen = np.full((1, 4), 1.0), np.full((1, 4), 2.0), np.zeros((1, 4))
    >>> regained_share(mine, best, frozen).tolist()
    [nan, nan, nan, 0.5]
    """
    window = np.ones(ROLLING_WEEKS) / ROLLING_WEEKS
    ahead, could = (np.convolve((x - frozen).mean(axis=0), window, mode="valid") for x in (mine, best))
    share = np.full(mine.shape[1], np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        share[ROLLING_WEEKS - 1 :] = np.where(could > 0, np.round(ahead / could, 4), np.nan)
    return share


def weeks_to_regain(share: NDArray[np.float64]) -> int | None:
    """Weeks from the move of the edge until the rolling share is at the bar, its window wholly after the move."""
    later = share[SWITCH_WEEK + ROLLING_WEEKS - 1 :]
    reached = np.flatnonzero(np.nan_to_num(later, nan=-1.0) >= REGAINED)
    return int(reached[0]) + ROLLING_WEEKS if reached.size else None
