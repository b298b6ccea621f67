"""The adversarial evidence in words and tables, made of its numbers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgebook.evidence.loop_counts import GATE
from edgebook.evidence.loop_words import rate, table
from edgebook.evidence.naive_rules import RULES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GROUPS = {
    "equal": "no better",
    "beyond": "no better, crashes beyond what counts",
    "worse": "worse",
    "better": "better",
}


def adversarial_section(found: Mapping[str, Any]) -> str:
    """The section of docs/evidence.md.

    Parameters
    ----------
    found : mapping
        From `adversarial_evidence.measure`, or read from its JSON file.

    Returns
    -------
    str
        Markdown, from a heading of the second level on.
    """
    gate, allowed = found["pooled"][GATE], found["allowed"]
    kept = gate["upper"] <= allowed
    more = gate["low"] > allowed
    parts = [
        "## Books that would please the gate",
        "Challengers whose true expected gain is known to be 0 or less, each against its champion for a year of "
        f"{found['weeks']} weeks, looked at every week. The gate promotes at wealth {found['bar']:g}: at most "
        f"{allowed:.2%} of challengers falsely. It promoted {gate['k']} of {gate['n']:,} "
        f"({rate(gate)}; one-sided 95 % upper limit {gate['upper']:.2%}), "
        + (
            "which shows the limit kept."
            if kept
            else "more than that: the gate is wrong."
            if more
            else "which does not contradict the limit; these years are too few to show it kept."
        ),
        *(["This is a quick run: it shows that all of it works, and nothing else."] if found["quick"] else []),
        table(
            ["rule", "false promotions of n years", "rate", "R a year that it brought"],
            [
                [rule, f"{row['k']} of {row['n']:,}", rate(row), _r(row["r_after"])]
                for rule, row in found["pooled"].items()
            ],
        ),
        "Share of years promoted, by kind of book; for the gate with its exact 95 % interval. Kinds that are worse or "
        "better, or lose more in a crash than the gate counts "
        f"({found['bound_r'][1]:g} R a day), are not pooled above. Kinds of "
        "books made of the same bars count as if they were independent.",
        _kinds(found["kinds"]),
        "What each promotion brought, R a year: the promoted book less the champion's over the rest of the trial, mean "
        "of all years ± its standard error. Where neither is better it is chance.",
        _brought(found["kinds"]),
        "### Stakes that would please the second score",
        f"All candidates alone, the books standing still. Lags count up to {found['bound_stakes'][1]:g} usual days' "
        f"stakes and leads up to {found['bound_stakes'][0]:g}; a share of {1 - found['book_share']:g} of the wealth "
        "starts here. None of these knows where prices go, except the champion with an edge, of which the twin knows "
        "no more. Means a day, in usual days' stakes, ± standard error; what counts is what is left within the bounds.",
        _stakes(found["stakes"]),
        _pleased(found["stakes"], allowed=allowed),
        "### One after the other",
        _in_a_row(found["in_a_row"]),
        _quarter(found["quarter"], weeks=found["rollback_weeks"]),
        "### False rollbacks",
        f"Every challenger promoted on its first day and watched for {found['rollback_weeks']} weeks; it is rolled "
        f"back when its predecessor's wealth reaches {found['rollback_bar']:g}. Of equals at most "
        f"{1 / found['rollback_bar']:.0%} may be.",
        table(
            ["promoted although it is", "rolled back of n", "rate"],
            [[row["kind"], f"{row['k']} of {row['n']:,}", rate(row)] for row in found["rollbacks"]],
        ),
        "Left to the gate, a rollback needs a promotion first. Promotions by the gate that its watch then took back: "
        + _taken_back(found["taken_back"]),
        "### How soon an edge is promoted",
        _assumptions(found["power_assumes"]),
        _power(found["power"]),
    ]
    return "\n\n".join(parts) + "\n"


def _kinds(rows: Sequence[Mapping[str, Any]]) -> str:
    """Share promoted, a row a kind, a column a rule."""
    cells = []
    for row in rows:
        rules = row["rules"]
        own = [f"{rules[GATE]['k']} of {row['n']}, {rate(rules[GATE])}"]
        cells.append(
            [row["kind"], GROUPS[row["group"]], f"{round(row['gain_r'], 2) + 0.0:+.2f}", f"{row['spread_r']:.1f}"]
            + own
            + [f"{rules[rule]['k'] / row['n']:.0%}" for rule in RULES]
        )
    return table(["challenger", "in truth", "R a day", "spread", GATE, *RULES], cells)


def _brought(rows: Sequence[Mapping[str, Any]]) -> str:
    """R a year after promotion, a row a kind, a column a rule."""
    return table(
        ["challenger", "in truth", GATE, *RULES],
        [
            [row["kind"], GROUPS[row["group"]]]
            + [
                f"{_r(own['r_after'])} ± {own['r_after_error']:.1f}"
                for own in (row["rules"][r] for r in (GATE, *RULES))
            ]
            for row in rows
        ],
    )


def _stakes(rows: Sequence[Mapping[str, Any]]) -> str:
    """A row a kind of stakes."""
    return table(
        ["challenger", "mean", "what counts", "spread", "days cut", "promoted"],
        [
            [row["kind"]]
            + [f"{row[name]:+.3f} ± {row[f'{name}_error']:.3f}" for name in ("mean", "counted")]
            + [f"{row['spread']:.2f}", f"{row['cut']:.1%}", f"{row['k']} of {row['n']}, {rate(row)}"]
            for row in rows
        ],
    )


def _pleased(rows: Sequence[Mapping[str, Any]], *, allowed: float) -> str:
    """Which of them the gate promotes more often than it may, each by its own interval."""
    beyond = [row["kind"] for row in rows if row["low"] > allowed]
    if not beyond:
        return f"Of none does the interval of promotions lie above {allowed:.2%}."
    return (
        f"The interval of promotions lies above {allowed:.2%} for: {'; '.join(beyond)}. What the gate claims does not "
        "cover them: bounds that cut more of the lags than of the leads make a mean where there was none."
    )


def _in_a_row(found: Mapping[str, Any]) -> str:
    """A good challenger, then a useless one."""
    first, second, carried = (found[name] for name in ("first", "second", "carried"))
    return (
        f"A good challenger (+1 R a day) was promoted in {first['k']} of {first['n']} years ({rate(first)}); a "
        f"useless one in the trial after it in {second['k']} ({rate(second)}). Had wealth carried over from one to "
        f"the next, the useless one would have been promoted in {carried['k']} ({rate(carried)})."
    )


def _quarter(found: Mapping[str, Any], *, weeks: int) -> str:
    """A challenger that goes bad."""
    promoted, early = found["promoted"], found["early"]
    text = (
        "A challenger that gains 1 R a day for a quarter and then loses half of one was promoted in "
        f"{promoted['k']} of {promoted['n']} years ({rate(promoted)}), {early['k']} of them while it was better still."
    )
    back = found["rolled_back"]
    if back is None:
        return text
    when = f", by half of them within {found['median']:.0f} weeks" if found["median"] is not None else ""
    return (
        f"{text} Of those promoted, {back['k']} of {back['n']} were rolled back within {weeks} weeks "
        f"({rate(back)}){when}. From its promotion until the rollback, or the end of the watch, a promotion brought "
        f"{found['r_watched']:+.0f} R; left alone for {weeks} weeks, {found['r_unwatched']:+.0f} R."
    )


def _taken_back(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Promotions that the gate itself made and then took back, by what the challengers were."""
    return (
        "; ".join(
            f"{row['k']} of {row['promoted']}, in {row['n']:,} years of challengers that are {GROUPS[group]}, "
            f"or {rate(row)} of years"
            for group, row in found.items()
        )
        + "."
    )


def _assumptions(assumed: Mapping[str, float]) -> str:
    """What the power curve stands on."""
    return (
        f"Days are drawn, not observed: a win brings {assumed['win_r']:g} R and a loss costs {assumed['loss_r']:g} R; "
        f"a book's day has a deviation of {assumed['book_spread_r']:g} R at {assumed['at_trades_a_week']:g} trades a "
        f"week, as on the default market, and grows with the root of the trades; both books' days correlate by "
        f"{assumed['likeness']:g}; tails are those of Student's t with 6 degrees of freedom. Books alone: the signals "
        "win more often, and the scores of all candidates show nothing of it. Books and candidates: with each point of "
        f"win rate they gain {assumed['candidate_gain_per_point']:g} usual days' stakes a day, however many trades the "
        f"books make, against a deviation of {assumed['candidate_spread']:g} and a correlation of "
        f"{assumed['together']:g} with the books. Those three are means of 16 simulated years (weekly refits against a "
        "frozen policy, five pairs, an edge planted in three of nine families), among which the gain varied from "
        "none to twice as much: a single year is less certain than the table. Share promoted within 52 weeks, a year's "
        "first challenger, with its exact 95 % interval, and median weeks."
    )


def _power(rows: Sequence[Mapping[str, Any]]) -> str:
    """A row an edge, a column a number of trades."""
    trades = list(dict.fromkeys(row["trades_a_week"] for row in rows))
    cells = []
    for points, also in dict.fromkeys((row["points"], row["candidates"]) for row in rows):
        own = {row["trades_a_week"]: row for row in rows if (row["points"], row["candidates"]) == (points, also)}
        shown = [f"{rate(own[n])}, {_weeks(own[n]['median'])}" for n in trades]
        cells.append([f"+{100 * points:.0f} pp", "books and candidates" if also else "books alone", *shown])
    years = rows[0]["n"]
    head = [f"{n} trades a week" for n in trades]
    return table(["win rate", "what gains", *head], cells) + f"\n\nn = {years} years each."


def _r(value: float) -> str:
    """R with its sign; never minus nothing."""
    return f"{round(value, 1) + 0.0:+.1f}"


def _weeks(median: float | None) -> str:
    return "–" if median is None else f"{median:.0f} weeks"
