"""The score of all candidates by itself: stakes that would please it without a gain, and how far it is pleased.

Books stand still here, so that what is promoted is promoted by the second score alone. Three things might move it that
are no gain: what is cut off (a difference of many small leads and a few large lags, as of one who buys each fall beside
one who follows each move), what is charged (who stakes against everything would be paid what everything costs, were
candidates charged), and how much is staked (a usual day lags, and a twin of a champion with an edge would lead it on
days on which it stakes more).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.arms.gate import bounded
from edgebook.evidence.adversarial_books import DAYS
from edgebook.evidence.adversarial_labels import (
    HOUR_MS,
    LOG_ODDS,
    START,
    WEEK_MS,
    YEARS_A_MARKET,
    candidate_days,
    guesses,
    labels_of,
)
from edgebook.evidence.adversarial_markets import PLAN, calm, null_bars
from edgebook.evidence.known_truth import counted
from edgebook.evidence.naive_rules import NEVER
from edgebook.evidence.power_curves import crossing_weeks
from edgebook.policy.plan_outcomes import milliseconds
from edgebook.settings.exit_plans import Costs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from edgebook.evidence.adversarial_labels import Labels
    from edgebook.settings.params import Gate

COSTS = Costs(7.5, 2.5, 1.0)
"""Of the default settings."""
AVERAGE_HOURS, SPREAD_HOURS = 24, 72
EDGE = 0.012
"""Added to a guess in the direction that will pay more: a champion that knows a little of what comes."""


def moves(labels: Labels) -> NDArray[np.float64]:
    """How far each bar has gone from its average, in deviations of all of them, known at the bar; shape (bars,)."""
    from scipy.signal import lfilter

    hour = (labels.entry_ms - labels.first_ms) // HOUR_MS
    log = np.log(labels.closes)
    slow, wide = 1 / AVERAGE_HOURS, 1 / SPREAD_HOURS
    average = lfilter([slow], [1, slow - 1], log - log[:, :1]) + log[:, :1]
    square = lfilter([wide], [1, wide - 1], np.diff(log, axis=1, prepend=log[:, :1]) ** 2)
    found = ((log - average) / np.sqrt(square + 1e-10))[labels.pair, hour]
    return np.asarray(np.round(found / found.std(), 6), np.float64)


def stake_differences(
    years: int, seed: int, *, tell: Callable[[int, int], None] | None = None
) -> dict[str, NDArray[np.float64]]:
    """Differences of two arms' scores of all candidates, by kind, shape (years, days).

    Parameters
    ----------
    years : int
        Made in markets of `YEARS_A_MARKET` each.
    seed : int
    tell : callable, optional
        Given the markets done and the markets in all.
    """
    markets = -(-years // YEARS_A_MARKET)
    made: list[dict[str, NDArray[np.float64]]] = []
    for number in range(markets):
        made.append(_one_market(seed, number))
        if tell is not None:
            tell(number + 1, markets)
    return {kind: np.concatenate([one[kind].reshape(-1, DAYS) for one in made])[:years] for kind in made[0]}


def stake_rows(differences: dict[str, NDArray[np.float64]], *, gate: Gate, bar: float, weeks: int) -> list[Any]:
    """What the gate makes of each kind, its books standing still.

    Parameters
    ----------
    differences : dict of str to ndarray
        From `stake_differences`.
    gate : Gate
    bar : float
    weeks : int
        That a trial lasts.

    Returns
    -------
    list of dict
        kind, mean and counted (what of it the gate counts), a day, in usual days' stakes, each with its standard
        error; spread; cut (share of days beyond either bound); promotions k of n with the exact interval.
    """
    rows = []
    for kind, whole in differences.items():
        days = whole[:, : 7 * weeks]
        pair = np.stack([np.zeros_like(days), days], axis=2)
        counts = bounded(pair, gate=gate)[..., 1]
        means = {"mean": days.mean(axis=1), "counted": counts.mean(axis=1)}
        row: dict[str, Any] = {"kind": kind}
        for name, each in means.items():
            row[name] = float(each.mean())
            row[f"{name}_error"] = float(each.std(ddof=1) / np.sqrt(len(each)))
        promoted = crossing_weeks(pair, gate=gate, bar=bar) != NEVER
        row |= {"spread": float(days.std()), "cut": float((counts != days).mean())}
        rows.append(row | counted(promoted.tolist()))
    return rows


def _one_market(seed: int, number: int) -> dict[str, NDArray[np.float64]]:
    """Differences of every kind on one market."""
    rng = np.random.default_rng([seed, number, 1])
    bars = null_bars(seed + 500, number)
    labels, charged = labels_of(bars, PLAN), labels_of(bars, PLAN, costs=COSTS)
    own, gone = guesses(labels, rng), moves(labels)
    guess, paid = candidate_days(labels, own), candidate_days(charged, own)
    trend, cubed = LOG_ODDS * gone, LOG_ODDS / 3 * gone**3
    one = np.full(len(own), LOG_ODDS)
    wild = np.asarray(np.where(calm(labels), -LOG_ODDS, LOG_ODDS), np.float64)
    knowing = own + EDGE * np.sign(labels.r[:, 0] - labels.r[:, 1])
    week = (labels.entry_ms - milliseconds(START)) // WEEK_MS
    sure = np.exp(rng.standard_normal(int(week.max()) + 3))[week]  # weeks before START count from the end
    edge = candidate_days(labels, knowing)
    following = candidate_days(labels, trend)
    return {
        "buys falls, beside one who guesses": candidate_days(labels, -trend) - guess,
        "buys falls, beside one who follows moves": candidate_days(labels, -trend) - following,
        "the same, log-odds by the cube of the move": candidate_days(labels, -cubed) - candidate_days(labels, cubed),
        "as sure as chance has it, another week another sureness": candidate_days(labels, own * sure) - guess,
        "with costs: a guess, a tenth of it against everything": candidate_days(
            charged, own - 0.1 * np.abs(own).mean(), short=-own - 0.1 * np.abs(own).mean()
        )
        - paid,
        "with costs: a guess, a twentieth of its variance by volatility": candidate_days(
            charged, own + 0.23 * wild, short=-own + 0.23 * wild
        )
        - paid,
        "with costs: all by volatility, for both sides or against both": candidate_days(charged, wild, short=wild)
        - paid,
        "with costs: against everything": candidate_days(charged, -one, short=-one) - paid,
        "champion with an edge, twin a third as sure when calm": candidate_days(
            labels, np.where(calm(labels), knowing / 3, knowing)
        )
        - edge,
        "champion with an edge, twin of another sureness every week": candidate_days(labels, knowing * sure) - edge,
    }
