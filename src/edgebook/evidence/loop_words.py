"""How the page on the runs of the loop writes a rate, a mean, a week, a verdict and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgebook.evidence.loop_summary import POOLED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAMES = {
    "random_walk": "random walk",
    "stochastic_volatility": "stochastic volatility",
    "shuffled": "real bars, shuffled",
    POOLED: "all null markets",
    "block_shuffled": "real bars, weeks shuffled",
    "sign_flipped": "real bars, weeks' signs flipped",
    "switching": "an edge that moves to other heads",
    "dying": "an edge that dies",
    "frozen": "frozen first policy",
    "loop": "the gated loop",
    "newest": "always the newest",
    "oracle": "oracle",
}


def named(kind: str) -> str:
    """Kind of market or arm as a reader says it."""
    return NAMES.get(kind, kind)


def rate(row: Mapping[str, Any]) -> str:
    """Share with its interval.

    Examples
    --------
    >>> rate({"k": 1, "n": 20, "low": 0.0013, "high": 0.2487})
    '5.0% [0.1%, 24.9%]'
    """
    if not row["n"]:
        return "n/a"
    value = row["k"] / row["n"]
    digits = 1 if value < 0.095 else 0
    return f"{value:.{digits}%} [{row['low']:.{digits}%}, {row['high']:.{digits}%}]"


def number(value: float | None, *, digits: int, sign: bool = True) -> str:
    """Write a number, its sign if wanted, never minus nothing.

    Examples
    --------
    >>> number(-0.04, digits=1), number(None, digits=1)
    ('+0.0', 'n/a')
    """
    if value is None:
        return "n/a"
    return f"{round(value, digits) + 0.0:{'+' if sign else ''}.{digits}f}"


def mean(row: Mapping[str, Any], *, digits: int, sign: bool = True) -> str:
    """Mean with its interval, if it has one.

    Examples
    --------
    >>> mean({"n": 2, "mean": 2.0, "low": -10.7, "high": 14.7}, digits=0)
    '+2 [-11, +15]'
    """
    if row["mean"] is None:
        return "n/a"
    value = number(row["mean"], digits=digits, sign=sign)
    if row["low"] is None:
        return value
    return f"{value} [{number(row['low'], digits=digits, sign=sign)}, {number(row['high'], digits=digits, sign=sign)}]"


def week(value: float | None) -> str:
    """Number of a week, or that the year was over."""
    return "not in the year" if value is None else f"{value:.0f}"


def status(verdict: str) -> str:
    """Write what was not met in bold."""
    return "**not met**" if verdict == "not met" else verdict


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
