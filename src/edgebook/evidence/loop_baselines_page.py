"""The planted runs on the page: what promoting brought, what came after it, and the loop beside its baselines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgebook.evidence.loop_planted import DEAD, HOLDS, MOVED
from edgebook.evidence.loop_words import mean, named, number, table, week

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Rows = Sequence[Mapping[str, Any]]

STATES = {
    HOLDS: "false: the refit knows of an edge that the old champion never saw",
    MOVED: "false once the refit has learned where the edge went",
    DEAD: "right: there is nothing left to know",
}


def planted_rules_table(rows: Rows) -> str:
    """A row a kind of market, a column a rule.

    Parameters
    ----------
    rows : sequence of mapping
        From `edgebook.evidence.loop_planted.planted_rules`.
    """
    if not rows:
        return "No run yet."
    rules = list(rows[0]["rules"])
    return table(
        ["market", "runs", *rules],
        [[named(row["kind"]), f"{row['runs']}", *(_promoted(row["rules"][rule]) for rule in rules)] for row in rows],
    )


def after_table(rows: Rows) -> list[str]:
    """What became of the promotions.

    Parameters
    ----------
    rows : sequence of mapping
        From `edgebook.evidence.loop_planted.after_rows`.
    """
    years = sum(row["rollbacks"]["years"] for row in rows)
    false = next(row for row in rows if row["state"] == HOLDS)
    back = false["rollbacks"]
    words = "No promotion has been watched yet."
    if years > 0:
        words = (
            f"After a promotion the old champion is kept in shadow, and takes over again if it does better. While the "
            f"edge held, {back['k']} of {false['watched']} promotions were rolled back, falsely"
            + (f": {_a_year(back)} a year of watch." if back["rate"] is not None else ".")
        )
    if years == 0:
        return [words]
    body = [
        [row["state"], f"{row['watched']}", number(row["rollbacks"]["years"], digits=1, sign=False),
         f"{row['rollbacks']['k']}", _a_year(row["rollbacks"]), STATES[row["state"]]]
        for row in rows
    ]  # fmt: skip
    head = ["while", "promotions watched", "years of watch", "rollbacks", "a year of watch, 95 %", "a rollback then is"]
    return [words, table(head, body)]


def baselines_table(rows: Rows) -> list[str]:
    """R a week of the loop and of its baselines.

    Parameters
    ----------
    rows : sequence of mapping
        From `edgebook.evidence.loop_planted.baseline_rows`.
    """
    if not rows:
        return ["No run yet."]
    words = (
        "R a week of the book, mean over runs with its 95 % interval. The loop's is that of whoever was the champion: "
        "the frozen policy's book until the promotion, the refit's from then on; after a rollback, the frozen policy's "
        "mean of the weeks after the promotion. It leaves out what positions open at the change of champion cost. The "
        "oracle knows the true signals and their law. Regret: R a year that always having the newest would have "
        "brought more than the loop. Kept: the loop's share of what the newest has over the frozen policy, where "
        "that is shown to be more than 0."
    )
    arms = list(rows[0]["arms"])
    head = ["market", "runs", *(f"{named(arm)}, R a week" for arm in arms), "newest over frozen, R a year",
            "regret, R a year", "kept"]  # fmt: skip
    body = [
        [named(row["kind"]), f"{row['runs']}", *(mean(row["arms"][arm], digits=2) for arm in arms),
         mean(row["gain"], digits=0), mean(row["regret"], digits=0), _kept(row["kept"]) if row["better"] else "n/a"]
        for row in rows
    ]  # fmt: skip
    return [words, table(head, body), _regret(rows)]


def _regret(rows: Rows) -> str:
    """Where the newest is shown to be better, and what waiting for the gate cost there."""
    better = [row for row in rows if row["better"]]
    others = [named(row["kind"]) for row in rows if not row["better"]]
    said = [
        f"with {named(row['kind'])} (n = {row['runs']}) it cost {mean(row['regret'], digits=0, sign=False)} R a year "
        f"of {number(row['gain']['mean'], digits=0, sign=False)}"
        for row in better
    ]
    words = "Where the newest is shown to be better than the frozen policy, waiting for the gate has a price: "
    text = words + "; ".join(said) + "." if said else "The newest is nowhere shown to be better than the frozen policy."
    return text + (f" Not shown to be better: {', '.join(others)}." if others and said else "")


def _promoted(row: Mapping[str, Any]) -> str:
    """What one rule brought, how often it promoted and when."""
    when = "never" if row["k"] == 0 else f"half by week {week(row['median'])}"
    if row["k"] and row["median"] is None:
        when = "less than half"
    return f"{mean(row['r'], digits=0)}; {row['k']} of {row['n']}, {when}"


def _a_year(row: Mapping[str, Any]) -> str:
    if row["rate"] is None:
        return "n/a"
    return f"{row['rate']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"


def _kept(row: Mapping[str, Any]) -> str:
    if row["share"] is None:
        return "n/a"
    return f"{row['share']:.0%}" + ("" if row["low"] is None else f" [{row['low']:.0%}, {row['high']:.0%}]")
