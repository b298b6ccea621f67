"""The gate and the naive rules against books that would please them: how often each promotes what is no better.

A promotion is false when the challenger's true expected gain is not above 0; it is known, for the books are made here.
Every rate is of simulated years with one challenger each, and carries its exact interval.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.adversarial_books import CONTROLS, QUARTER_DAYS, STYLISED, better_for_a_quarter, good_then_useless
from edgebook.adversarial_markets import YEARS_A_MARKET, market_books
from edgebook.gate import Trial, bet, promotion_bar
from edgebook.known_truth import counted
from edgebook.naive_rules import NEVER, r_after, rule_weeks
from edgebook.power_curves import (
    AT_TRADES,
    BOOK_SPREAD_R,
    CANDIDATE_SHARE,
    CANDIDATE_SPREAD,
    LIKENESS,
    LOSS_R,
    TRADES_A_WEEK,
    WIN_R,
    crossing_weeks,
    median_weeks,
    power_curves,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from edgebook.adversarial_books import Books
    from edgebook.params import Gate, Learning

GATE = "the gate"
YEARS, QUICK_YEARS = 400, 40
TRIAL_WEEKS = 52


def measure(
    gate: Gate,
    learning: Learning,
    *,
    quick: bool = False,
    tell: Callable[[int, int], None] | None = None,
    bar: float | None = None,
    seed: int = 7,
) -> dict[str, Any]:
    """Run every kind of book through the gate and the naive rules.

    Parameters
    ----------
    gate : Gate
    learning : Learning
        For the weeks that a trial lasts, at most 52 here.
    quick : bool
        `QUICK_YEARS` years a kind in place of `YEARS`.
    tell : callable, optional
        Given the steps done and the steps in all.
    bar : float, optional
        Wealth that promotes; by default `gate.promotion_bar`.
    seed : int

    Returns
    -------
    dict
        `adversarial_page.adversarial_section` shows it: bar, allowed (of a challenger's false promotions), kinds, pooled,
        rollbacks, in_a_row, quarter, power with its assumptions.
    """
    years = QUICK_YEARS if quick else YEARS
    height = promotion_bar(gate) if bar is None else bar
    weeks = min(TRIAL_WEEKS, learning.trial_weeks)
    markets = -(-years // YEARS_A_MARKET)
    kinds = STYLISED | CONTROLS
    total, done = markets + len(kinds) + len(TRADES_A_WEEK) + 2, 0

    def step(*_: int) -> None:
        nonlocal done
        done += 1
        if tell is not None:
            tell(done, total)

    rows, watched = [], {}
    for kind, books in market_books(years, seed, tell=step).items():
        rows.append(kind_row(kind, books, gate=gate, bar=height, weeks=weeks))
        watched[kind] = books
    for number, (kind, make) in enumerate(kinds.items()):
        books = make(years, seed + 100 * number)
        rows.append(kind_row(kind, books, gate=gate, bar=height, weeks=weeks))
        watched[kind] = books
        step()
    row = in_a_row(years, gate=gate, bar=height, weeks=weeks, seed=seed)
    step()
    quarter = quarter_row(years, gate=gate, bar=height, weeks=weeks, seed=seed)
    step()
    return rounded(
        {
            "quick": quick,
            "bar": height,
            "allowed": 1 / height,
            "alpha_per_year": gate.alpha_per_year,
            "weeks": weeks,
            "bound_r": [gate.max_gain_r, gate.max_loss_r],
            "kinds": rows,
            "pooled": pooled(rows),
            "rollbacks": rollback_rows(watched, gate=gate),
            "rollback_bar": gate.rollback_bar,
            "rollback_weeks": gate.rollback_weeks,
            "in_a_row": row,
            "quarter": quarter,
            "power": power_curves(gate, bar=height, paths=years, seed=seed + 24, tell=step),
            "power_assumes": {
                "win_r": WIN_R,
                "loss_r": LOSS_R,
                "book_spread_r": BOOK_SPREAD_R,
                "at_trades_a_week": AT_TRADES,
                "likeness": LIKENESS,
                "candidate_spread": CANDIDATE_SPREAD,
                "candidate_share": CANDIDATE_SHARE,
            },
        }
    )


def kind_row(kind: str, books: Books, *, gate: Gate, bar: float, weeks: int) -> dict[str, Any]:
    """What the gate and every naive rule did with one kind of book.

    Parameters
    ----------
    kind : str
    books : Books
    gate : Gate
    bar : float
    weeks : int
        That a trial lasts.

    Returns
    -------
    dict
        kind, n (years), gain_r (true, a day), spread_r (deviation of the books' difference a day), worst_r (its lowest
        day), equal (whether the true gain is at most 0), beyond, and `rules`: for the gate and each rule the
        promotions with their exact interval, the median week, rolled_back (of the gate's promotions) and r_after (what
        a year's promotion brought, mean over all years; R of the promoted less the champion's until the trial's end).
    """
    found = {GATE: crossing_weeks(books.differences[:, : 7 * weeks], gate=gate, bar=bar)}
    weekly = books.weekly_difference_r[:, :weeks]
    found |= rule_weeks(books.signals[:, :weeks], books.wins[:, :weeks], difference_r=weekly)
    rules: dict[str, Any] = {}
    for name, at in found.items():
        brought = r_after(weekly, at)
        rules[name] = counted((at != NEVER).tolist()) | {
            "median": median_weeks(at),
            "r_after": float(brought.mean()),
            "r_after_error": float(brought.std(ddof=1) / np.sqrt(len(brought))),
        }
    fallen = rollback_weeks(books.differences, promoted=found[GATE], gate=gate)
    rules[GATE]["rolled_back"] = int((fallen != NEVER).sum())
    gap = books.differences[..., 0]
    gain = float(books.expected_r[: 7 * weeks].mean())
    return {
        "kind": kind,
        "n": len(books),
        "gain_r": gain,
        "spread_r": float(gap.std()),
        "worst_r": float(gap.min()),
        "equal": bool(gain <= 0),
        "beyond": books.beyond,
        "rules": rules,
    }


def pooled(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """False promotions over all kinds that are no better and within the gate's claim, by rule.

    Returns
    -------
    dict
        By rule: k of n with the exact two-sided 95 % interval, `upper` (one-sided 95 %), r_after (mean a year).
    """
    from scipy.stats import beta

    own = [row for row in rows if row["equal"] and not row["beyond"]]
    found = {}
    for rule in own[0]["rules"]:
        k = sum(row["rules"][rule]["k"] for row in own)
        n = sum(row["n"] for row in own)
        both = counted([True] * k + [False] * (n - k))
        upper = 1.0 if k == n else float(beta.ppf(0.95, k + 1, n - k))
        brought = float(np.average([row["rules"][rule]["r_after"] for row in own], weights=[row["n"] for row in own]))
        found[rule] = both | {"upper": upper, "r_after": brought}
    return found


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
    start = Trial.begin("promotion", arm="", against="", since="", bar=bar)
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
    """A challenger that is better for a quarter and worse from then on: is it promoted, and is it rolled back?

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


def rounded(found: Any) -> Any:
    """Round every float in a tree of mappings and lists to six digits."""
    if isinstance(found, dict):
        return {key: rounded(value) for key, value in found.items()}
    if isinstance(found, list):
        return [rounded(value) for value in found]
    return round(float(found), 6) + 0.0 if isinstance(found, float) else found
