"""What each indicator's vote had to do with wins and losses, overall and by regime.

A vote agrees with a side, goes against it, or is silent. An indicator earns weight when it agrees with winners more
often than with losers. Sixty-nine indicators in four regimes are many cells: scores lean on each other as far as the
data ask for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy import stats

from edgebook.files.tables import KEY
from edgebook.importance.importance_clusters import benjamini_hochberg
from edgebook.outcomes.outcomes import observed_outcomes
from edgebook.regimes.regimes import REGIMES
from edgebook.statistics.folds import shared_uniqueness
from edgebook.statistics.intervals import student, weeks_since_epoch

if TYPE_CHECKING:
    from numpy.typing import NDArray

OVERALL: Final = "overall"
_PRIOR_VOTES: Final = 20.0


def vote_contributions(
    votes: pd.DataFrame, outcomes: pd.DataFrame, *, regimes: pd.DataFrame, at: pd.Timestamp
) -> pd.DataFrame:
    """Contribution of every indicator's votes, overall and by regime.

    Parameters
    ----------
    votes : DataFrame
        pair, timeframe, date, and one int8 column an indicator in {-1, 0, 1}, known at `date`.
    outcomes : DataFrame
        One exit plan: pair, timeframe, date, is_short, close_date, r_multiple, profit_ratio, known_at (UTC).
    regimes : DataFrame
        pair, timeframe, date, regime.
    at : Timestamp
        UTC; outcomes known later do not enter.

    Returns
    -------
    DataFrame
    One row an indicator and scope, scopes in the order "overall", then `REGIMES`; indicators in catalogue order.
        Columns: indicator, regime (the scope), contribution_to_wins and contribution_to_losses (share of winning and
        of losing candidates whose side the vote agreed with), difference with low and high (wins less losses, 95 %
        interval by week clusters) and q_value (that there is none, after Benjamini and Hochberg: overall over the
        indicators, by regime over all indicators and regimes), importance_score (the difference, shrunk),
        optimal_weight, n (candidates on which it voted) and n_effective (the same, overlapping labels counted once).

    Notes
    -----
    Overlap is counted by `folds.shared_uniqueness`, which favours no kind of ending. ``importance_score`` is the
    empirical-Bayes mean: overall toward 0, a regime's toward the indicator's overall score, ``d tau² / (tau² +
    error²)``, with tau² by moments over the indicators of the scope. ``optimal_weight = max(0, logit((a + 20) / (a +
    b + 40)))`` is the weight of a head in the consensus, from hits a (agreed and won, opposed and lost) and misses b,
    in effective numbers: the best weight of a vote that errs on its own (Nitzan and Paroush 1982); twins share one.

    References
    ----------
    Nitzan and Paroush (1982), International Economic Review 23, 289-297; Morris (1983), Journal of the American
    Statistical Association 78, 47-65.
    """
    names = [column for column in votes.columns if column not in KEY]
    known = observed_outcomes(outcomes, at=at)
    known = known.assign(weight=shared_uniqueness(known))
    joined = known.merge(votes, on=KEY, validate="many_to_one").merge(
        regimes[[*KEY, "regime"]], on=KEY, validate="many_to_one"
    )
    side = np.where(joined["is_short"].to_numpy(bool), -1, 1).astype(np.int8)
    agreement = joined[names].to_numpy(np.int8) * side[:, None]
    won = (joined["profit_ratio"] > 0).to_numpy(bool)
    weight = joined["weight"].to_numpy(np.float64)
    week = weeks_since_epoch(joined["date"])
    scope = joined["regime"].to_numpy(object)
    tables = []
    overall: NDArray[np.float64] | None = None
    for name in (OVERALL, *REGIMES):
        rows = np.arange(len(joined)) if name == OVERALL else np.flatnonzero(scope == name)
        table = _scope(agreement[rows], won[rows], weight=weight[rows], week=week[rows])
        toward = np.zeros(len(names)) if overall is None else overall
        score = shrink_toward(table["difference"].to_numpy(), error=table["error"].to_numpy(), toward=toward)
        overall = score if overall is None else overall
        table.insert(0, "indicator", names)
        table.insert(1, "regime", name)
        tables.append(table.assign(importance_score=np.round(score, 6)))
    found = pd.concat(tables, ignore_index=True)
    whole, p_value = (found["regime"] == OVERALL).to_numpy(bool), found["p_value"].to_numpy(np.float64)
    q_value = np.full(len(found), np.nan)
    q_value[whole], q_value[~whole] = benjamini_hochberg(p_value[whole]), benjamini_hochberg(p_value[~whole])
    columns = [
        "indicator", "regime", "contribution_to_wins", "contribution_to_losses", "difference", "low", "high",
        "q_value", "importance_score", "optimal_weight", "n", "n_effective",
    ]  # fmt: skip
    return found.assign(q_value=np.round(q_value, 6))[columns]


def shrink_toward(
    value: NDArray[np.float64], *, error: NDArray[np.float64], toward: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Empirical-Bayes means of values that scatter around known centres.

    Parameters
    ----------
    value, error : ndarray, shape (k,)
        Estimates and their standard errors; where either is missing the centre stands.
    toward : ndarray, shape (k,)
        Centres.

    Returns
    -------
    ndarray, shape (k,)

    Examples
    --------
    Scatter no larger than the errors is taken for noise:

    >>> shrink_toward(np.array([1.0, -1.0]), error=np.array([1.0, 1.0]), toward=np.zeros(2)).tolist()
    [0.0, 0.0]
    >>> shrink_toward(np.array([2.0, -2.0]), error=np.array([1.0, 1.0]), toward=np.zeros(2)).tolist()
    [1.5, -1.5]
    """
    known = np.isfinite(value) & np.isfinite(error) & (error > 0)
    shrunk = toward.astype(np.float64)
    if known.any():
        away, noise = value[known] - toward[known], error[known] ** 2
        precision = 1 / noise
        between = max(0.0, float(np.sum(precision * (away**2 - noise)) / precision.sum()))
        shrunk[known] += away * between / (between + noise)
    return shrunk


def _scope(
    agreement: NDArray[np.int8], won: NDArray[np.bool_], *, weight: NDArray[np.float64], week: NDArray[np.int64]
) -> pd.DataFrame:
    """Raw figures of one scope, one row an indicator."""
    count = agreement.shape[1]
    labels, member = np.unique(week, return_inverse=True)
    agreed, opposed = (agreement > 0).astype(np.float32), (agreement < 0).astype(np.float32)
    shares, influences = [], []
    for side in (won, ~won):
        mass = np.where(side, weight, 0.0)
        total = float(mass.sum())
        by_week = _weekly(agreed, mass, member=member, weeks=len(labels))
        share = by_week.sum(axis=0) / total if total > 0 else np.full(count, np.nan)
        mass_by_week = np.bincount(member, weights=mass, minlength=len(labels))
        influences.append((by_week - mass_by_week[:, None] * share) / total if total > 0 else np.zeros_like(by_week))
        shares.append(share)
    error = _clustered(influences[0] - influences[1], labels)
    difference = shares[0] - shares[1]
    half = student(len(labels) - 1) * error
    with np.errstate(invalid="ignore", divide="ignore"):
        p_value = 2 * stats.t.sf(np.abs(difference / error), max(len(labels) - 1, 1))
    hits = _weekly(agreed, np.where(won, weight, 0.0), member=member, weeks=len(labels)).sum(axis=0)
    hits += _weekly(opposed, np.where(won, 0.0, weight), member=member, weeks=len(labels)).sum(axis=0)
    awake = _weekly(agreed + opposed, weight, member=member, weeks=len(labels)).sum(axis=0)
    rate = (hits + _PRIOR_VOTES) / (awake + 2 * _PRIOR_VOTES)
    return pd.DataFrame(
        {
            "contribution_to_wins": np.round(shares[0], 6),
            "contribution_to_losses": np.round(shares[1], 6),
            "difference": np.round(difference, 6),
            "low": np.round(difference - half, 6),
            "high": np.round(difference + half, 6),
            "error": error,
            "p_value": np.where(error > 0, p_value, np.nan),
            "optimal_weight": np.round(np.maximum(0.0, np.log(rate / (1 - rate))), 6),
            "n": np.count_nonzero(agreement, axis=0),
            "n_effective": np.round(awake, 2),
        }
    )


def _weekly(
    marks: NDArray[np.float32], mass: NDArray[np.float64], *, member: NDArray[np.int64], weeks: int
) -> NDArray[np.float64]:
    """Sum over each week of mark times mass, shape (weeks, k)."""
    order = np.argsort(member, kind="stable")
    sums = np.zeros((weeks, marks.shape[1]))
    if len(order):
        weighted = marks[order] * mass[order, None]
        starts = np.searchsorted(member[order], np.arange(weeks))
        sums[:] = np.add.reduceat(weighted, starts, axis=0)
    return sums


def _clustered(influence: NDArray[np.float64], weeks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Standard error from weekly sums of influence, with half of what neighbours share (as in `intervals`)."""
    count = len(weeks)
    if count < 2:
        return np.full(influence.shape[1], np.nan)
    neighbours = np.diff(weeks) == 1
    shared = np.sum(influence[1:][neighbours] * influence[:-1][neighbours], axis=0)
    total = np.sum(influence**2, axis=0) + np.maximum(0.0, shared)
    return np.asarray(np.sqrt(total * count / (count - 1)))
