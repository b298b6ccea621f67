"""The gate and the naive rules against books that would please them: how often each promotes what is no better.

A promotion is false when the challenger's true expected gain is not above 0; it is known, for the books are made here.
Every rate is of simulated years with one challenger each, and carries its exact interval.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.arms.gate import CANDIDATE_GAIN, CANDIDATE_LOSS, promotion_bar
from edgebook.evidence.adversarial_after import in_a_row, quarter_row, rollback_rows, rollback_weeks
from edgebook.evidence.adversarial_books import CONTROLS, STYLISED, WORSE
from edgebook.evidence.adversarial_labels import YEARS_A_MARKET
from edgebook.evidence.adversarial_markets import market_books
from edgebook.evidence.adversarial_stakes import stake_differences, stake_rows
from edgebook.evidence.known_truth import counted
from edgebook.evidence.loop_counts import GATE, rounded, share
from edgebook.evidence.naive_rules import NEVER, r_after, rule_weeks
from edgebook.evidence.power_curves import (
    AT_TRADES,
    BOOK_SPREAD_R,
    CANDIDATE_GAIN_PER_POINT,
    CANDIDATE_SPREAD,
    LIKENESS,
    LOSS_R,
    TOGETHER,
    TRADES_A_WEEK,
    WIN_R,
    crossing_weeks,
    median_weeks,
    power_curves,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgebook.evidence.adversarial_books import Books
    from edgebook.settings.params import Gate, Learning

YEARS, QUICK_YEARS = 400, 40
TRIAL_WEEKS = 52
CLEARLY_R = 0.05
"""A challenger that loses more than this a day is called worse, not equal."""


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
        Wealth that promotes; by default that of the first challenger of a year (`gate.promotion_bar`).
    seed : int

    Returns
    -------
    dict
        `adversarial_page.adversarial_section` shows it: bar, allowed (rate of false promotions of a challenger), kinds,
        pooled, stakes, rollbacks, taken_back, in_a_row, quarter, power with its assumptions.
    """
    years = QUICK_YEARS if quick else YEARS
    height = promotion_bar(gate) if bar is None else bar
    weeks = min(TRIAL_WEEKS, learning.trial_weeks)
    markets = -(-years // YEARS_A_MARKET)
    kinds = STYLISED | WORSE | CONTROLS
    total, done = 2 * markets + len(kinds) + len(TRADES_A_WEEK) + 2, 0

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
    stakes = stake_rows(stake_differences(years, seed, tell=step), gate=gate, bar=height, weeks=weeks)
    row = in_a_row(years, gate=gate, bar=height, weeks=weeks, seed=seed)
    step()
    quarter = quarter_row(years, gate=gate, bar=height, weeks=weeks, seed=seed)
    step()
    found: dict[str, Any] = rounded(
        {
            "quick": quick,
            "bar": height,
            "allowed": 1 / height,
            "alpha_per_year": gate.alpha_per_year,
            "weeks": weeks,
            "bound_r": [gate.max_gain_r, gate.max_loss_r],
            "bound_stakes": [CANDIDATE_GAIN, CANDIDATE_LOSS],
            "book_share": gate.book_share,
            "kinds": rows,
            "stakes": stakes,
            "pooled": pooled(rows),
            "rollbacks": rollback_rows(watched, gate=gate),
            "taken_back": taken_back(rows),
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
                "together": TOGETHER,
                "candidate_gain_per_point": CANDIDATE_GAIN_PER_POINT,
            },
        }
    )
    return found


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
        kind, group (equal; beyond: equal, with crashes beyond what the gate counts; worse; better), n (years), gain_r
        (true, a day), spread_r (deviation of the books' difference a day), worst_r (its lowest
        day), and `rules`: for the gate and each rule the
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
    group = "better" if gain > 0 else "worse" if gain < -CLEARLY_R else "beyond" if books.beyond else "equal"
    return {
        "kind": kind,
        "group": group,
        "n": len(books),
        "gain_r": gain,
        "spread_r": float(gap.std()),
        "worst_r": float(gap.min()),
        "rules": rules,
    }


def pooled(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """False promotions over all kinds of equals that the gate's claim covers, by rule.

    Returns
    -------
    dict
        By rule: k of n with the exact two-sided 95 % interval, `upper` (one-sided 95 %), r_after (mean a year).
    """
    own = [row for row in rows if row["group"] == "equal"]
    found = {}
    for rule in own[0]["rules"]:
        k = sum(row["rules"][rule]["k"] for row in own)
        n = sum(row["n"] for row in own)
        brought = float(np.average([row["rules"][rule]["r_after"] for row in own], weights=[row["n"] for row in own]))
        found[rule] = share([True] * k + [False] * (n - k)) | {"r_after": brought}
    return found


def taken_back(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """False rollbacks a year: promotions of equals and of better challengers that the watch then took back.

    Returns
    -------
    dict
        For "equal" and "better": promoted, and k of n years in which a promotion was rolled back, with the exact
        interval.
    """
    found = {}
    for group in ("equal", "better"):
        own = [row for row in rows if row["group"] == group]
        k, n = sum(row["rules"][GATE]["rolled_back"] for row in own), sum(row["n"] for row in own)
        promoted = sum(row["rules"][GATE]["k"] for row in own)
        found[group] = {"promoted": promoted, **counted([True] * k + [False] * (n - k))}
    return found
