"""The catalogue: sixty-nine indicators in nine families, in the order of the columns."""

from __future__ import annotations

from edgebook.indicators import other_rows, price_rows
from edgebook.indicators.indicator import HEADS, Indicator

CATALOGUE: tuple[Indicator, ...] = (
    *price_rows.TREND,
    *price_rows.REVERSION,
    *price_rows.MOMENTUM,
    *price_rows.VOLATILITY,
    *price_rows.LEVELS,
    *other_rows.VOLUME,
    *other_rows.FORMATIONS,
    *other_rows.SEASONALITY,
    *other_rows.CONTEXT,
)
PARAMETERS = {indicator.name: indicator.parameters for indicator in CATALOGUE}
"""Parameters of each indicator, by its name."""


def family(head: str) -> tuple[str, ...]:
    """Names of the indicators of one head, in the order of the columns.

    Parameters
    ----------
    head : str
        A letter of `HEADS`.

    Returns
    -------
    tuple of str
        Six to nine names.

    Raises
    ------
    KeyError
        There is no such head.

    Examples
    --------
    >>> family("B")[:2]
    ('rsi_14', 'rsi_2')
    """
    if head not in HEADS:
        raise KeyError(f"head {head!r}: no such head; the heads are {', '.join(HEADS)}")
    return tuple(indicator.name for indicator in CATALOGUE if indicator.head == head)
