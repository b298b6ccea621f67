"""The words by which the dashboard groups signals, and every signal of the ledger under them, in numbers.

A value keeps its number from week to week: values are numbered in the order in which they first appeared, so that the
document of the next week differs from this one's by what is new.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.analyses.outcome_cells import described
from edgebook.indicators import HEADS
from edgebook.policy.market import REGIMES
from edgebook.settings.recipes import HEAD_LETTERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

TITLES = {
    "pattern": "Pattern",
    "regime": "Regime",
    "symbol": "Symbol",
    "timeframe": "Timeframe",
    "side": "Side",
    "hour": "Hour of entry, UTC",
    "head": "Head that agreed",
    "head_set": "Heads that agreed, together",
    "indicator": "Indicator that agreed",
    "reason": "Exit reason",
    "version": "Version of the policy",
    "plan": "Exit plan",
}
"""Key of every dimension, in order, and what a reader calls it."""
FIXED: dict[str, tuple[str, ...]] = {
    "regime": REGIMES,
    "side": ("long", "short"),
    "hour": tuple(f"{hour:02d}:00" for hour in range(24)),
    "head": tuple(f"{letter} {HEADS[letter]}" for letter in HEAD_LETTERS),
    "reason": ("take_profit", "stop_loss", "time_exit"),
}
"""Dimensions with values that are known beforehand, in their order; others that turn up come after them."""


@dataclass(frozen=True)
class Signals:
    """Signals of the ledger in the order of the dashboard: closed ones by their closing, then the open ones.

    Parameters
    ----------
    rows : DataFrame
        Ledger rows with pattern, symbol, side, hour and head_set (`outcome_cells.described`), reason, version and
        plan, as text.
    closed : int
        How many of them have closed: the first ones.
    values : mapping of str to tuple of str
        Of every dimension.
    codes : mapping of str to ndarray of int64, shape (signals,)
        Number of each signal's value, of every dimension that has one value a signal; -1 where it has none yet.
    heads : ndarray of bool, shape (signals, heads)
        Which heads agreed, in the order of the dimension's values.
    indicators : ndarray of bool, shape (signals, indicators)
        Whose textbook vote on the decision bar was on the signal's side.
    """

    rows: pd.DataFrame
    closed: int
    values: dict[str, tuple[str, ...]]
    codes: dict[str, NDArray[np.int64]]
    heads: NDArray[np.bool_]
    indicators: NDArray[np.bool_]


def described_signals(ledger: pd.DataFrame, votes: pd.DataFrame) -> Signals:
    """Put the ledger under the words of the dashboard.

    Parameters
    ----------
    ledger : DataFrame
        All trades of the account as known at one time (`Week.ledger`).
    votes : DataFrame
        Key and one column an indicator, -1, 0 or 1.
    """
    rows = _rows(ledger)
    values: dict[str, tuple[str, ...]] = {}
    codes: dict[str, NDArray[np.int64]] = {}
    for key in TITLES:
        if key in ("head", "indicator"):
            continue
        codes[key], values[key] = _numbered(rows[key], fixed=FIXED.get(key, ()))
    values["head"] = FIXED["head"]
    values["indicator"] = tuple(name for name in votes.columns if name not in ("pair", "timeframe", "date"))
    return Signals(
        rows=rows,
        closed=int(rows["close_date"].notna().sum()),
        values={key: values[key] for key in TITLES},
        codes=codes,
        heads=_heads(rows["heads_agreed"]),
        indicators=_agreeing(rows, votes, names=values["indicator"]),
    )


def dimensions(signals: Signals) -> list[dict[str, Any]]:
    """Key, title and values of every dimension, as the document has them."""
    return [{"key": key, "title": title, "values": list(signals.values[key])} for key, title in TITLES.items()]


def _rows(ledger: pd.DataFrame) -> pd.DataFrame:
    """Closed signals by closing, then open ones by entry, with the words of the report."""
    still = ledger[ledger["close_date"].isna()]
    closed = described(ledger)
    rows = closed
    if len(still):
        opened = described(still.assign(close_date=still["open_date"]))
        opened["close_date"] = pd.Series(pd.NaT, index=opened.index, dtype=ledger["close_date"].dtype)
        rows = pd.concat([closed, opened], ignore_index=True) if len(closed) else opened
    reason = rows["exit_reason"].astype(object)
    return rows.assign(
        reason=reason.where(rows["close_date"].notna(), None),
        version=rows["model_version"].astype(object),
        plan=rows["exit_plan"].astype(object),
    )


def _numbered(column: pd.Series[Any], *, fixed: tuple[str, ...]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Number of each row's value, and the values: the fixed ones, then the others as they first appear."""
    found, names = pd.factorize(column.astype(object))
    new = [str(name) for name in names if name not in fixed]
    values = (*fixed, *new)
    place = {name: i for i, name in enumerate(values)}
    number = np.array([*(place[str(name)] for name in names), -1], dtype=np.int64)
    return number[found], values


def _heads(agreed: pd.Series[Any]) -> NDArray[np.bool_]:
    """Whether each head's letter is among those that agreed."""
    sets, which = np.unique(agreed.fillna("").astype(str).to_numpy(dtype=object), return_inverse=True)
    table = np.array([[letter in letters for letter in HEAD_LETTERS] for letters in sets], dtype=bool)
    return np.asarray(table.reshape(len(sets), len(HEAD_LETTERS))[which])


def _agreeing(rows: pd.DataFrame, votes: pd.DataFrame, *, names: tuple[str, ...]) -> NDArray[np.bool_]:
    """Indicators whose vote on the decision bar was on the signal's side."""
    key = ["pair", "timeframe", "date"]
    decided = rows["date"] if "date" in rows else rows["open_date"]
    left = rows[["pair", "timeframe"]].assign(date=decided.astype("datetime64[ms, UTC]"))
    place = votes[key].astype({"date": "datetime64[ms, UTC]"}).assign(place=np.arange(len(votes)))
    at = left.merge(place, on=key, how="left", validate="many_to_one")["place"].to_numpy(dtype=np.float64)
    known = np.isfinite(at)
    table = votes[list(names)].to_numpy(dtype=np.int8)
    found = np.zeros((len(rows), len(names)), dtype=np.int8)
    found[known] = table[at[known].astype(np.int64)]
    side = np.where(rows["is_short"].to_numpy(dtype=bool), -1, 1).astype(np.int8)
    return np.asarray(found * side[:, None] > 0)
