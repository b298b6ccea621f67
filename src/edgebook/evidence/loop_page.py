"""The runs of the complete loop in words and tables, made of their summary alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgebook.evidence.loop_baselines_page import after_table, baselines_table, planted_rules_table
from edgebook.evidence.loop_words import mean, named, number, rate, status, table, week

if TYPE_CHECKING:
    from collections.abc import Mapping


def loop_section(found: Mapping[str, Any], *, folder: str = "evidence") -> str:
    """The section of docs/evidence.md.

    Parameters
    ----------
    found : mapping
        From `loop_summary.summarised`, or read from its JSON file.
    folder : str
        Of the pictures, as the page links to them.

    Returns
    -------
    str
        Markdown, from a heading of the second level on.
    """
    pictures = _pictures(found, folder=folder)
    parts = [
        "## The complete loop",
        _what_ran(found),
        *(["This is a quick run: it shows that all of it works, and nothing else."] if found["quick"] else []),
        "\n".join(f"- {line}" for line in loop_bars(found)),
        "### False promotions",
        "On a null market no challenger can be better, and nothing costs anything, so that one that trades less saves "
        "nothing: every promotion is false. A run counts once however often it promotes; it goes "
        "from July to July and may draw on the error of two calendar years. The upper limit is one-sided; "
        "allowed is the largest count that a true "
        f"{found['wanted']['rate']:.0%} a year leaves within its central 95 %. Markets of shuffled bars share their "
        "bars and count as if they were independent. Stress markets keep some structure that could be learned: they "
        "are shown, and not counted.",
        _false_promotions(found["null"]),
        "### What simpler rules promote on the same runs",
        "Each rule sees the trials that the gate held, week by week, and promotes at the first look that pleases it. "
        "Share of runs with at least one promotion, with its exact 95 % interval. Always the newest promotes every "
        "challenger on the day that it is made.",
        _null_rules(found["null_rules"]),
        pictures["loop_false"],
        "What the promotions brought, R a run: the promoted book less the champion's over the rest of its trial, each "
        "trial by itself, summed over a run; for the gate, from the promotion on for as long as both ran. Means over "
        "runs with 95 % intervals; on a null market what is not 0 is chance.",
        _null_cost(found["null_rules"]),
        "### How soon an edge is promoted",
        _power_words(found["power"]),
        _power(found["power"]),
        pictures["loop_power"],
        _bins_words(found["power"]),
        _bins(found["power"]),
        "### What promoting brought where there was something to promote",
        "R a year more than the frozen policy, mean over runs with its 95 % interval, beside the runs promoted and the "
        "week by which half of them were. A rule looks while the gate's trial goes on, and so no longer than until the "
        "gate promotes; its promotion then holds to the end of the year. What the gate brought counts its rollbacks.",
        planted_rules_table(found["planted_rules"]),
        "### After the promotion",
        *after_table(found["after"]),
        "### Beside the baselines",
        *baselines_table(found["baselines"]),
        pictures["loop_baselines"],
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def loop_bars(found: Mapping[str, Any]) -> list[str]:
    """Every bar, whether it is met, and the number, one line each.

    Parameters
    ----------
    found : mapping
        From `loop_summary.summarised`.
    """
    null, wanted, power = found["null"], found["wanted"], found["power"]
    pooled = null["pooled"]
    short = [row for row in null["kinds"] if row["runs"] < wanted["a_kind"]]
    missing = f"not yet: {pooled['runs']} of {wanted['runs']} runs"
    if short:
        missing += "; " + ", ".join(f"{row['runs']} of {wanted['a_kind']} {named(row['kind'])}" for row in short)
    if not null["whole_years"]:
        missing += "; some runs are shorter than a year"
    verdict = missing if null["status"] == "not yet" else status(null["status"])
    over = [named(row["kind"]) for row in null["kinds"] if not row["within"]]
    lines = [
        f"False promotions a year: {pooled['k']} of {pooled['n']} null runs, {rate(pooled)}, one-sided 95 % upper "
        f"limit {pooled['upper']:.1%} ({verdict}: at most {wanted['rate']:.0%}, and in each kind no more than it "
        "allows" + (f"; above it: {', '.join(over)})." if over else ")."),
    ]
    nearest = power["nearest"]
    if nearest is None:
        lines.append("Power: no run on a market with an edge that stays yet.")
        return lines
    row = next(row for row in power["edges"] if row["kind"] == nearest["kind"])
    near = power["bar"]["near"]
    lines.append(
        f"An edge of +{power['bar']['points']:g} points of win rate is promoted within a year in at least "
        f"{power['bar']['share']:.0%} of runs: {_promoted(row)}, at {named(row['kind'])}, whose gain "
        f"is nearest to it ({mean(row['gain'], digits=1)} points; {_verdict(nearest['status'], row, power)})."
    )
    own = power["own"]
    lines.append(
        f"Second reading, all runs of edges that stay and whose own gain is between {near[0]:g} and {near[1]:g} "
        f"points: {_promoted(own)} ({_verdict(own['status'], own, power)})."
    )
    return lines


def _what_ran(found: Mapping[str, Any]) -> str:
    least, most = found["weeks"]
    weeks = f"{most}" if least == most else f"{least} to {most}"
    null, power = found["null"], found["power"]
    planted = sum(row["n"] for row in power["edges"])
    stress = sum(row["runs"] for row in null["stress"])
    return (
        f"{found['runs']} runs of {weeks} weeks of everything that a week does: weights, thresholds, importance, "
        f"studies, refits, gate and watch. {null['pooled']['runs']} on markets without an edge and without costs, "
        f"{stress} on stress markets, {planted} on markets with an edge that begins at genesis, with costs. There the "
        "champion is the frozen first policy and its challenger the weekly refit; a twin of each, which is never "
        "promoted, runs beside them."
    )


def _false_promotions(null: Mapping[str, Any]) -> str:
    rows = [*null["kinds"], null["pooled"], *null["stress"]]
    head = [
        "market", "runs", "years", "challengers admitted", "runs with a promotion", "a year, 95 % interval",
        "upper limit", "allowed", "rollbacks, a year of watch",
    ]  # fmt: skip
    return table(
        head,
        [
            [
                named(row["kind"]) + (" (stress)" if row in null["stress"] else ""), f"{row['runs']}",
                f"{row['years']:.0f}", f"{row['admitted']}", _with_all(row), rate(row),
                f"{row['upper']:.1%}" if row["n"] else "n/a", "" if row in null["stress"] else _allowed(row),
                _rollbacks(row),
            ]
            for row in rows
        ],
    )  # fmt: skip


def _with_all(row: Mapping[str, Any]) -> str:
    """Runs that promoted, and promotions where there were more."""
    return f"{row['k']}" + (f" ({row['promotions']} promotions)" if row["promotions"] > row["k"] else "")


def _allowed(row: Mapping[str, Any]) -> str:
    return f"{row['allowed']}" + ("" if row["within"] else ", **exceeded**")


def _rollbacks(row: Mapping[str, Any]) -> str:
    """Rollbacks after promotions on markets where neither is better."""
    back = row["rollbacks"]
    if not row["watches"]:
        return "nothing watched"
    return f"{back['k']} of {row['watches']} watched, {number(back['rate'], digits=1, sign=False)} " + (
        f"[{back['low']:.1f}, {back['high']:.1f}]"
    )


def _null_rules(rows: list[Mapping[str, Any]]) -> str:
    rules = list(rows[0]["rules"])
    return table(
        ["market", "runs, trials", *rules],
        [
            [_kind(row), f"{row['runs']}, {row['trials']}", *(rate(row["rules"][rule]) for rule in rules)]
            for row in rows
        ],
    )


def _null_cost(rows: list[Mapping[str, Any]]) -> str:
    rules = list(rows[0]["rules"])
    return table(
        ["market", "runs", *rules],
        [[_kind(row), f"{row['runs']}", *(mean(row["rules"][rule]["r"], digits=1) for rule in rules)] for row in rows],
    )


def _kind(row: Mapping[str, Any]) -> str:
    return named(row["kind"]) + (" (stress)" if row["stress"] else "")


def _power_words(power: Mapping[str, Any]) -> str:
    return (
        "Gain: win rate of the newest model always in force less that of the frozen policy, in points over the whole "
        "year, mean over runs with its 95 % interval; one run's gain is uncertain by the standard error beside it, its "
        "trades taken as independent. Weeks: by which a quarter, half and three quarters of the runs were promoted, a "
        "run never promoted being later than any week."
    )


def _power(power: Mapping[str, Any]) -> str:
    return table(
        ["market", "runs", "gain, points", "error of a run", "trades a week", "promoted in a year", "weeks: ¼, ½, ¾"],
        [
            [
                named(row["kind"]), f"{row['n']}", mean(row["gain"], digits=1),
                f"± {row['error']:.1f}", mean(row["trades_week"], digits=0, sign=False), f"{row['k']}, {rate(row)}",
                ", ".join(week(row[name]) for name in ("first_quarter", "median", "third_quarter")),
            ]
            for row in power["edges"]
        ],
    )  # fmt: skip


def _bins_words(power: Mapping[str, Any]) -> str:
    rows = [row for row in power["edges"] if row["stays"]]
    if not power["bins"]:
        return ""
    error = sum(row["error"] * row["n"] for row in rows) / sum(row["n"] for row in rows)
    return (
        "Promotion against the gain that each run itself had, edges that stay, all sizes together. A run's own gain is "
        f"part luck (standard error {error:.1f} points), and luck moves the gate too: it is not the curve of the true "
        "edge."
    )


def _bins(power: Mapping[str, Any]) -> str:
    if not power["bins"]:
        return ""
    rows = [
        [_between(row["above"], row["below"]), f"{row['gain']:+.1f}", f"{row['k']} of {row['n']}", rate(row)]
        for row in power["bins"]
    ]
    return table(["own gain, points", "mean", "promoted of n runs", "share"], rows)


def _between(above: float | None, below: float | None) -> str:
    if above is None:
        return f"below {below:g}"
    return f"{above:g} and more" if below is None else f"{above:g} to {below:g}"


def _promoted(row: Mapping[str, Any]) -> str:
    if not row["n"]:
        return "no such run"
    half = "less than half of them in the year" if row["median"] is None else f"half within {week(row['median'])} weeks"
    return f"{row['k']} of {row['n']}, {rate(row)}, {half}"


def _verdict(verdict: str, row: Mapping[str, Any], power: Mapping[str, Any]) -> str:
    if verdict == "not yet":
        return f"not yet: {row['n']} of {power['bar']['runs']} runs"
    near = power["bar"]["near"]
    if verdict == "not tested":
        return f"not tested: the gain is not between {near[0]:g} and {near[1]:g} points"
    if verdict == "met" and row["low"] < power["bar"]["share"]:
        return "met, but the interval reaches below"
    if verdict == "not met" and row["high"] >= power["bar"]["share"]:
        return "**not met**, but the interval reaches it"
    return status(verdict)


def _pictures(found: Mapping[str, Any], *, folder: str) -> dict[str, str]:
    from edgebook.evidence.figures_loops import loop_captions

    return {name: f"![{text}]({folder}/{name}.png)\n\n{text}" for name, text in loop_captions(found).items()}
