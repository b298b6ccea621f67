"""What the number of trials takes from the best of them, and what a plain grid would have found."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.statistics.deflated import deflated_sharpe, effective_trials, overfitting, sharpe_ratio
from edgebook.tuning.tuning_scores import fold_scores, holdout_scores, mean_scores, rounded
from edgebook.tuning.tuning_spa import BLOCK_DAYS, REPETITIONS, superior_trials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.tuning.tuning_book import Outcome
    from edgebook.tuning.tuning_search import Trial


def corrections(trials: Sequence[Trial], *, best: Trial, seed: int) -> dict[str, Any]:
    """Deflated Sharpe ratio of the best, probability of overfitting, tests of superior ability.

    Parameters
    ----------
    trials : sequence of Trial
        All that the best was chosen from, the default first.
    best : Trial
    seed : int
        Of the bootstrap.
    """
    series = np.column_stack([trial.outcome.daily_r for trial in trials])
    ratios = np.array([round(sharpe_ratio(trial.outcome.daily_r), 6) for trial in trials])
    deflated = deflated_sharpe(best.outcome.daily_r, sharpe_ratios=ratios)
    halves = overfitting(series)
    sobol = np.array([trial.point.kind == "sobol" for trial in trials])
    tests = {"all": series[:, 1:], "sobol": series[:, sobol]}
    return {
        "deflated": {
            "sharpe": rounded(deflated.sharpe),
            "benchmark": rounded(deflated.benchmark),
            "probability": rounded(deflated.probability),
            "trials": deflated.trials,
            "days": deflated.periods,
            "effective_trials": rounded(effective_trials(series)),
        },
        "overfitting": {
            "probability": rounded(halves.probability),
            "ways": len(halves.logits),
            "blocks": halves.blocks,
            "median_logit": rounded(float(np.median(halves.logits))) if len(halves.logits) else None,
        },
        "superior": {
            "block_days": BLOCK_DAYS,
            "repetitions": REPETITIONS,
            "seed": seed,
            **{
                name: {
                    key: rounded(value) if isinstance(value, float) else value
                    for key, value in asdict(superior_trials(returns, default=series[:, 0], seed=seed)).items()
                }
                for name, returns in tests.items()
            },
        },
    }


def against_grid(
    best: Trial,
    rival: Trial,
    *,
    rows: Sequence[Mapping[str, Any]],
    holdout: Mapping[int, Outcome],
    levels: Mapping[str, Sequence[float]],
) -> dict[str, Any]:
    """The best of the search beside the best of a grid of as many trials.

    Parameters
    ----------
    best, rival : Trial
        Of the search, of the grid.
    rows : sequence of mapping
        The ledger, by number.
    holdout : mapping of int to Outcome
        What both earned there, by number.
    levels : mapping of str to sequence of float
        Of the grid.
    """
    ours, theirs = holdout[best.point.number], holdout[rival.point.number]
    return {
        "levels": {name: list(values) for name, values in levels.items()},
        "best": fold_scores(rows[rival.point.number], rival.outcome.daily_r),
        "holdout": holdout_scores(theirs),
        "folds_difference": mean_scores(best.outcome.daily_r - rival.outcome.daily_r),
        "holdout_difference": mean_scores(ours.daily_r - theirs.daily_r),
    }
