"""How a study writes down what a recipe earned: on the folds, on the holdout, with 95 % intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.statistics.deflated import sharpe_ratio
from edgebook.statistics.intervals import mean_interval
from edgebook.statistics.ratios import daily_ratio_interval
from edgebook.tuning.tuning_study import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgebook.tuning.tuning_book import Outcome

DIGITS = 6


def fold_scores(row: Mapping[str, Any], daily_r: NDArray[np.float64]) -> dict[str, Any]:
    """A trial on the folds, with intervals."""
    ratio = daily_ratio_interval(daily_r, periods_per_year=1.0)
    return {
        "number": row["number"],
        "kind": row["kind"],
        "settings": {name: row[name] for name in SETTINGS},
        "value": row["value"],
        "trades": row["trades"],
        "sharpe": row["sharpe"],
        "sharpe_low": rounded(ratio.low),
        "sharpe_high": rounded(ratio.high),
        **mean_scores(daily_r),
    }


def holdout_scores(outcome: Outcome) -> dict[str, Any]:
    """A recipe on the holdout."""
    ratio = rounded(sharpe_ratio(outcome.daily_r))
    return {
        "trades": outcome.trades,
        "sharpe": ratio,
        **mean_scores(outcome.daily_r),
        "daily_r": outcome.daily_r.tolist(),
    }


def mean_scores(daily: NDArray[np.float64]) -> dict[str, Any]:
    """Mean R a day with its 95 % interval, weeks being the clusters."""
    week = np.arange(daily.size) // 7
    mean = mean_interval(daily, clusters=week)
    return {
        "mean_r": rounded(mean.value),
        "low": rounded(mean.low),
        "high": rounded(mean.high),
        "days": int(daily.size),
        "weeks": int(np.unique(week).size),
    }


def rounded(value: float) -> float | None:
    """Rounded, or missing."""
    return round(float(value), DIGITS) + 0.0 if np.isfinite(value) else None
