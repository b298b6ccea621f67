"""Numbers as the dashboard's document holds them: rounded, finite, missing as null."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

DECIMALS = 6
"""Of rates, R multiples and ratios: as the reports' own tables are rounded."""
PRICE_DIGITS = 6
"""Significant digits of a price."""
MINUTE_MS = 60_000


def number(value: Any, digits: int = DECIMALS) -> float | None:
    """One number, or None where there is none.

    Parameters
    ----------
    value : float, int or None
    digits : int
        Decimals that are kept.

    Examples
    --------
    >>> number(0.12345678), number(float("nan")), number(-0.0)
    (0.123457, None, 0.0)
    """
    if value is None or not np.isfinite(float(value)):
        return None
    return round(float(value), digits) + 0.0


def numbers(values: ArrayLike, digits: int = DECIMALS) -> list[float | None]:
    """Round a column, missing ones None.

    Parameters
    ----------
    values : array_like of float, shape (n,)
    digits : int

    Examples
    --------
    >>> numbers([1.23456789, float("inf")], 3)
    [1.235, None]
    """
    found = np.asarray(values, dtype=np.float64)
    return _listed(np.round(found, digits) + 0.0, known=np.isfinite(found))


def prices(values: ArrayLike) -> list[float | None]:
    """Round a column of prices to six significant digits.

    Parameters
    ----------
    values : array_like of float, shape (n,)

    Examples
    --------
    >>> prices([9609.97360648, 0.43572, float("nan")])
    [9609.97, 0.43572, None]
    """
    found = np.asarray(values, dtype=np.float64)
    known = np.isfinite(found)
    return [float(f"{v:.{PRICE_DIGITS}g}") if k else None for v, k in zip(found.tolist(), known.tolist(), strict=True)]


def minutes(dates: pd.Series[Any]) -> list[int | None]:
    """Minutes since 1970-01-01 UTC of a column of dates, missing ones None.

    Parameters
    ----------
    dates : Series of datetime64, UTC
    """
    stamps = dates.to_numpy(dtype="datetime64[ms]")
    known = ~np.isnat(stamps)
    return _listed(np.where(known, stamps.astype(np.int64), 0) // MINUTE_MS, known=known)


def rows_of(*columns: list[Any]) -> list[list[Any]]:
    """Turn columns into rows."""
    return [list(row) for row in zip(*columns, strict=True)]


def row_text(row: list[Any]) -> str:
    """Write a row as it stands in the document.

    Examples
    --------
    >>> row_text([1, [0, 2], 0.5, None, "better"])
    '[1,[0,2],0.5,null,"better"]'
    """
    return json.dumps(row, separators=(",", ":"), allow_nan=False)


def _listed(values: Any, *, known: Any) -> list[Any]:
    """Plain Python values, None where not known."""
    return [v if k else None for v, k in zip(values.tolist(), known.tolist(), strict=True)]
