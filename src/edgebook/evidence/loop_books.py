"""What each arm of a run of the loop earned between two weeks, as far as its record tells, and so what the loop did.

A run keeps, of every arm, its R over all the weeks that it ran, and of every trial what both arms earned in it. Between
these known points an arm's R is taken to grow evenly. A promotion ends a trial, so that it falls on a known point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

NEWEST, FROZEN, REFIT, FIRST = "newest", "frozen", "r2", "r1"
"""In runs with a frozen champion: the two twins that are never promoted, then those that they are the twins of."""
TWINS = {REFIT: NEWEST, FIRST: FROZEN}


def curve(run: Mapping[str, Any], arm: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """R that an arm had earned at each week where the run says so.

    Parameters
    ----------
    run : mapping
        From `edgebook.evidence.evidence_loop.run_loop`.
    arm : str
        A twin is known wherever its recipe is.

    Returns
    -------
    weeks, r : ndarray of float64, shape (k,)
        Weeks since genesis, ascending, from the arm's first; R since then.

    Examples
    --------
    >>> trial = {"arm": "r2", "against": "r1", "since": 0, "weeks": 10, "r": [7.0, 1.0]}
    >>> weeks, r = curve({"trials": [trial], "arms": {"r2": {"weeks": 52.0, "r_week": 0.5}}}, "r2")
    >>> weeks.tolist(), r.tolist()
    ([0.0, 10.0, 52.0], [0.0, 7.0, 26.0])
    """
    recipe = next((one for one, twin in TWINS.items() if twin == arm), arm)
    trials = sorted((t for t in run["trials"] if recipe in (t["arm"], t["against"])), key=lambda t: float(t["since"]))
    admitted = next((float(t["since"]) for t in trials if t["arm"] == recipe), 0.0)
    known = {admitted: 0.0}
    for trial in trials:
        since, earned = float(trial["since"]), trial["r"][0 if trial["arm"] == recipe else 1]
        if since in known:
            known[since + trial["weeks"]] = known[since] + earned
    for name in (recipe, arm):
        if name in run["arms"]:
            own = run["arms"][name]
            known[admitted + own["weeks"]] = own["weeks"] * own["r_week"]
    weeks = sorted(known)
    return np.array(weeks), np.array([known[week] for week in weeks])


def earned(run: Mapping[str, Any], arm: str, *, since: float, until: float) -> float:
    """R of an arm between two weeks in which it ran.

    Parameters
    ----------
    run : mapping
    arm : str
    since, until : float
        Weeks since genesis.
    """
    weeks, r = curve(run, arm)
    return float(np.interp(until, weeks, r) - np.interp(since, weeks, r))


def last_week(run: Mapping[str, Any], arm: str) -> float:
    """Week since genesis at which an arm ended, or the run did."""
    return float(curve(run, arm)[0][-1])


def reigns(run: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    """Who was the champion from which week until which, in order.

    Examples
    --------
    >>> reigns({"weeks": 52, "promoted": [{"week": 9, "recipe": "r2"}], "rolled_back": [{"week": 30, "recipe": "r1"}]})
    [('r1', 0, 9), ('r2', 9, 30), ('r1', 30, 52)]
    """
    changes = sorted((row["week"], row["recipe"]) for row in [*run["promoted"], *run["rolled_back"]])
    begins = [(0, FIRST), *changes]
    ends = [*(week for week, _ in changes), run["weeks"]]
    return [(name, since, until) for (since, name), until in zip(begins, ends, strict=True)]


def loop_r(run: Mapping[str, Any]) -> float:
    """R of the gated loop over a run with a frozen champion: of each champion's book while it was the champion.

    Parameters
    ----------
    run : mapping

    Notes
    -----
    Exact without a rollback. After one, the weeks that the old champion has again are those of its twin `FROZEN` after
    the promotion, spread evenly: the run does not keep the R of a watch.
    """
    return sum(earned(run, TWINS.get(name, name), since=since, until=until) for name, since, until in reigns(run))


def lead(run: Mapping[str, Any], *, since: float, until: float) -> float:
    """R of the newest model always in force, less that of the frozen policy, between two weeks."""
    return earned(run, NEWEST, since=since, until=until) - earned(run, FROZEN, since=since, until=until)


def promotion_r(run: Mapping[str, Any]) -> float:
    """R of everyone whom the gate promoted, less that of whom it replaced, from the promotion on while both ran.

    Parameters
    ----------
    run : mapping
        With any recipes. 0 without a promotion.
    """
    total = 0.0
    for row in run["promoted"]:
        both = (row["recipe"], row["against"])
        until = min(last_week(run, name) for name in both)
        new, old = (earned(run, name, since=row["week"], until=until) for name in both)
        total += new - old
    return total
