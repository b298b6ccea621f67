"""docs/indicators.md, written from the catalogue."""

from __future__ import annotations

from edgebook.indicators.catalogue import CATALOGUE, family
from edgebook.indicators.indicator import HEADS, Indicator

_INTRODUCTION = f"""# Indicators

Generated from the catalogue in `src/edgebook/indicators` by `indicators_page()`; a test holds this file to it.

Edgebook computes {len(CATALOGUE)} indicators at every bar, in {len(HEADS)} families, one for each head. A value at t
uses bars that closed by t, nothing later, and depends on no price or volume unit. It is missing while it warms up, and
has its neutral middle where there is nothing to measure (no range). What is made of volume is missing up to the first
bar that has any, and so in a market without. Values are rounded to five decimals.

The vote is what the source says to do with the value: +1 buy, -1 sell, 0 neither. Where the source gives no rule, the
vote says "chosen", and what was chosen. Votes are not forecasts: whether one was ever worth following is what the
reports measure. ATR is Wilder's average true range of 14 bars.
"""

_PATTERNS = """
## Patterns

What head G counts. A chart pattern is dated by the close that confirms it, and nothing about it is known before.
Swings are confirmed by a close two ATR back from the extreme.

| pattern | what it is |
|---|---|
"""

_CANDLESTICKS = """
Beside them stand TA-Lib's {count} candlesticks, dated by their last bar, with TA-Lib's sign as direction
(`gravestone_doji` is turned: TA-Lib signs every doji +100). {late} count when they are confirmed, up to three bars
after TA-Lib first announces them. {reach} keep TA-Lib's default for how far a close must reach into an earlier body.
{undecided} are names of indecision and count towards no indicator.

| candlestick | TA-Lib function |
|---|---|
"""


def indicators_page() -> str:
    """Page that documents every indicator and pattern, one row each.

    Returns
    -------
    str
        Markdown, ending in a line break.
    """
    from edgebook.patterns import CANDLESTICKS, CHART_PATTERNS, CONFIRMED_LATER, PENETRATION, UNDECIDED

    page = _INTRODUCTION
    by_name = {indicator.name: indicator for indicator in CATALOGUE}
    for head, name in HEADS.items():
        page += f"\n## {head} {name}\n\n| indicator | parameters | value | vote | source |\n|---|---|---|---|---|\n"
        page += "".join(_row(by_name[member]) for member in family(head))
    page += _PATTERNS + "".join(f"| `{name}` | {words} |\n" for name, words in CHART_PATTERNS.items())
    page += _CANDLESTICKS.format(
        count=len(CANDLESTICKS),
        late=_names(CONFIRMED_LATER),
        reach=_names(PENETRATION),
        undecided=_names(UNDECIDED),
    )
    return page + "".join(f"| `{name}` | {function} |\n" for name, function in CANDLESTICKS.items())


def _row(indicator: Indicator) -> str:
    """One line of a family's table."""
    parameters = ", ".join(f"{name} {value:g}" for name, value in indicator.parameters.items())
    name = f"`{indicator.name}`<br>{indicator.title}"
    return f"| {name} | {parameters} | {indicator.value} | {indicator.vote} | {indicator.source} |\n"


def _names(names: tuple[str, ...]) -> str:
    """Names in code font, joined by commas and an "and"."""
    quoted = [f"`{name}`" for name in names]
    return ", ".join(quoted[:-1]) + " and " + quoted[-1]
