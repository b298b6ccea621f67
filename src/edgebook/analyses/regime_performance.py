"""What the candidates of each side made in each regime."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from edgebook.files.tables import KEY
from edgebook.importance.importance_clusters import benjamini_hochberg
from edgebook.outcomes.outcomes import observed_outcomes
from edgebook.regimes.regimes import REGIMES
from edgebook.statistics.intervals import clustered_error, clusters_of, mean_interval, rate_interval


def outcomes_by_regime(outcomes: pd.DataFrame, regimes: pd.DataFrame, *, at: str) -> pd.DataFrame:
    """What all candidates of each side made in each regime.

    Parameters
    ----------
    outcomes : DataFrame
        One exit plan: pair, timeframe, date, is_short, profit_ratio, r_multiple, known_at.
    regimes : DataFrame
        As `segment` returns it; the regime at the decision bar counts.
    at : str
        Midnight UTC of this day; outcomes known later do not enter.

    Returns
    -------
    DataFrame
        regime, side, n, win_rate with win_low and win_high, break_even_win_rate, mean_r with low and high, against_rest
        (mean R less that of the same side in the other regimes), p and q of that (Benjamini-Hochberg over the cells).
        Intervals and p-values count weeks.
    """
    known = observed_outcomes(outcomes, at=pd.Timestamp(at, tz="UTC")).merge(
        regimes[[*KEY, "regime"]], on=KEY, validate="many_to_one"
    )
    rows = []
    for side, is_short in (("long", False), ("short", True)):
        own = known[known["is_short"] == is_short]
        weeks = clusters_of(own["date"])
        r, won = own["r_multiple"].to_numpy(np.float64), (own["profit_ratio"] > 0).to_numpy(bool)
        for regime in REGIMES:
            inside = (own["regime"] == regime).to_numpy(bool)
            rows.append((regime, side, *_cell(r, won, inside=inside, weeks=weeks)))
    columns = [
        "regime", "side", "n", "win_rate", "win_low", "win_high", "break_even_win_rate", "mean_r", "low", "high",
        "against_rest", "p",
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(q=benjamini_hochberg(table["p"].to_numpy(np.float64))).round(6)


def _cell(r: np.ndarray, won: np.ndarray, *, inside: np.ndarray, weeks: np.ndarray) -> tuple[float, ...]:
    """Figures of one cell, and its mean R against the rest."""
    rate = rate_interval(won[inside], clusters=weeks[inside])
    mean = mean_interval(r[inside], clusters=weeks[inside])
    gains, losses = r[inside & won], -r[inside & ~won]
    even = losses.mean() / (losses.mean() + gains.mean()) if gains.size and losses.size else np.nan
    count, total = int(inside.sum()), len(inside)
    gap = p = np.nan
    if 1 < count < total - 1:
        gap = float(r[inside].mean() - r[~inside].mean())
        influence = np.where(
            inside, (r - r[inside].mean()) * total / count, -(r - r[~inside].mean()) * total / (total - count)
        )
        error, freedom = clustered_error(influence, clusters=weeks)
        p = float(2 * stats.t.sf(abs(gap) / error, freedom)) if freedom > 0 and error > 0 else np.nan
    return (count, rate.value, rate.low, rate.high, float(even), mean.value, mean.low, mean.high, gap, p)
