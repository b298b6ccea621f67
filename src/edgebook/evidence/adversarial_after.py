"""What comes after a decision: a promotion watched and taken back, a challenger that turns, the next in line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.arms.gate import Trial, bet
from edgebook.evidence.adversarial_books import QUARTER_DAYS, better_for_a_quarter, good_then_useless
from edgebook.evidence.known_truth import counted
from edgebook.evidence.naive_rules import NEVER
from edgebook.evidence.power_curves import crossing_weeks, median_weeks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edgebook.evidence.adversarial_books import Books
    from edgebook.settings.params import Gate


def rollback_weeks(differences: NDArray[np.float64], *, promoted: NDArray[np.int64], gate: Gate) -> NDArray[np.int64]:
    """Weeks after its promotion at which each challenger is rolled back, `NEVER` for never.

    Parameters
    ----------
    differences : ndarray, shape (paths, days, 2)
        Challenger less champion, from admission on.
    promoted : ndarray of int64, shape (paths,)
        Week of the promotion; `NEVER` is never rolled back.
    gate : Gate
    """
    weeks = np.full(len(differences), NEVER)
    for number in np.flatnonzero(promoted != NEVER):
        first = 7 * int(promoted[number])
        watch = -differences[number : number + 1, first : first + 7 * gate.rollback_weeks]
        weeks[number] = crossing_weeks(watch, gate=gate, bar=gate.rollback_bar, kind="rollback")[0]
    return weeks


def rollback_rows(watched: Mapping[str, Books], *, gate: Gate) -> list[dict[str, Any]]:
    """How often the watch rolls back a promotion that was right or harmless, every challenger promoted at admission.

    Returns
    -------
    list of dict
        One row a kind that is as good as its champion or better: kind, gain_r, k of n watches with the exact interval.
    """
    rows = []
    for kind, books in watched.items():
        gain = float(books.expected_r.mean())
        if gain < 0 or books.beyond:
            continue
        fallen = rollback_weeks(books.differences, promoted=np.zeros(len(books), np.int64), gate=gate)
        rows.append({"kind": kind, "gain_r": gain, **counted((fallen != NEVER).tolist())})
    return rows


def in_a_row(years: int, *, gate: Gate, bar: float, weeks: int, seed: int) -> dict[str, Any]:
    """A good challenger, then a useless one: what the second makes of a trial of its own.

    Returns
    -------
    dict
        first and second (promotions with their exact interval), and carried: those of the second if it had gone on with
        the wealth of the first.
    """
    good, useless = good_then_useless(years, seed)
    start = Trial.begin("promotion", arm="", against="", since="", bar=bar, planned_days=7 * weeks)
    first = crossing_weeks(good.differences[:, : 7 * weeks], gate=gate, bar=bar)
    second = crossing_weeks(useless.differences[:, : 7 * weeks], gate=gate, bar=bar)
    carried = []
    for number, week in enumerate(first):
        until = 7 * int(week) if week != NEVER else 7 * weeks
        trial = bet(start, good.differences[number, :until], gate=gate)[0]
        wealth = bet(trial, useless.differences[number, : 7 * weeks], gate=gate)[1]
        carried.append(bool(wealth.max() >= bar))
    return {
        "first": counted((first != NEVER).tolist()),
        "second": counted((second != NEVER).tolist()),
        "carried": counted(carried),
    }


def quarter_row(years: int, *, gate: Gate, bar: float, weeks: int, seed: int) -> dict[str, Any]:
    """A challenger that is better for a quarter and worse from then on, and whether it is rolled back.

    Returns
    -------
    dict
        promoted, early (within the quarter, when it was better still) and rolled_back (of those promoted), each with
        its exact interval, the median week of the rollback after the promotion, and what the promotions brought in the
        half year after them, mean R each, as watched and unwatched.
    """
    books = better_for_a_quarter(years, seed)
    promoted = crossing_weeks(books.differences[:, : 7 * weeks], gate=gate, bar=bar)
    own = promoted != NEVER
    fallen = rollback_weeks(books.differences, promoted=promoted, gate=gate)
    weekly, at = books.weekly_difference_r, np.arange(books.weekly_difference_r.shape[1])
    held = np.where(fallen == NEVER, gate.rollback_weeks, fallen)
    r = []
    for length in (held, np.full(years, gate.rollback_weeks)):
        kept = (at >= promoted[:, None]) & (at < (promoted + length)[:, None])
        r.append(float((weekly * kept).sum(axis=1)[own].mean()) if own.any() else 0.0)
    return {
        "promoted": counted(own.tolist()),
        "early": counted((own & (promoted <= QUARTER_DAYS // 7)).tolist()),
        "rolled_back": counted((fallen[own] != NEVER).tolist()) if own.any() else None,
        "median": median_weeks(fallen[own]) if own.any() else None,
        "r_watched": r[0],
        "r_unwatched": r[1],
    }
