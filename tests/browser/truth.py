"""What a page must say, worked out from the committed files with as little of the package as possible."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

WORDS = {
    "pattern": "enter_tag", "regime": "regime", "symbol": "pair", "timeframe": "timeframe", "side": "side",
    "hour": "hour", "head_set": "heads_agreed", "reason": "exit_reason",
}  # fmt: skip
"""Dimension of the dashboard, and the column of the ledger that it is made of."""
SHARES = ("win_low_win_high",)
"""Intervals of rates whose unit stands in the heading of their column."""
_NUMBER = re.compile(r"([−+<-]?)(\d[\d,]*(?:\.(\d+))?)\s?(%|pp|R)?")


def ledger_of(folder: Path, *, as_of: str) -> pd.DataFrame:
    """All signals up to a week: the closed rows of every week's file, the open rows of the last.

    Parameters
    ----------
    folder : Path
        data/ledger/<history>.
    as_of : str
        The Monday; its file is the last that is read.
    """
    files = [file for file in sorted(folder.glob("*.csv")) if file.stem <= as_of]
    assert files[-1].stem == as_of, f"{folder} has no week {as_of}"
    parts = [pd.read_csv(file, keep_default_na=False) for file in files]
    rows = pd.concat(
        [*(part[part["status"] == "closed"] for part in parts), parts[-1][parts[-1]["status"] == "open"]],
        ignore_index=True,
    )
    number = rows.replace("", np.nan)
    for name in ("profit_ratio", "r_multiple", "open_rate", "close_rate", "bars_held", "mae", "mfe", "confidence"):
        rows[name] = pd.to_numeric(number[name])
    rows["side"] = np.where(rows["is_short"].astype(str) == "True", "short", "long")
    rows["hour"] = rows["open_date"].str[11:13] + ":00"
    rows["enter_tag"] = rows["enter_tag"].replace("", "none")
    rows["heads_agreed"] = rows["heads_agreed"].replace("", "none")
    return rows


def closed_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that have closed."""
    return rows[rows["status"] == "closed"]


def cell_numbers(trades: pd.DataFrame) -> dict[str, float]:
    """What the table of cells says of some closed trades, unrounded; nan where it is not defined."""
    profit = trades["profit_ratio"].to_numpy(float)
    gains, losses = profit[profit > 0].sum(), -profit[profit <= 0].sum()
    return {
        "n": float(len(trades)),
        "win_rate": float((profit > 0).mean()),
        "profit_factor": float(gains / losses) if losses > 0 and gains > 0 else float("nan"),
        "mean_r": float(trades["r_multiple"].mean()),
    }


def groups(trades: pd.DataFrame, keys: list[str]) -> dict[str, pd.DataFrame]:
    """Trades by the values of some dimensions, named as the rows of the table are: `breakout|ranging`."""
    if keys == ["head"]:
        letters = sorted(set("".join(trades["heads_agreed"].replace("none", ""))))
        return {letter: trades[trades["heads_agreed"].str.contains(letter)] for letter in letters}
    columns = [WORDS[key] for key in keys]
    return {"|".join(map(str, name)): part for name, part in trades.groupby(columns, sort=False)}


def numbers_in(text: str) -> list[tuple[float, float]]:
    """Each number that a text shows and half a unit of its last place, in the unit of the data (per cent as shares)."""
    found = []
    unit_after = ""
    for sign, digits, places, unit in reversed(_NUMBER.findall(text)):
        unit_after = unit or unit_after
        scale = 0.01 if unit_after in ("%", "pp") else 1.0
        value = float(digits.replace(",", "")) * (-1 if sign in ("−", "-") else 1)
        found.append((value * scale, 0.5 * 10.0 ** -len(places) * scale))
    return found[::-1]


def disagreeing(shown: Iterable[tuple[str, str, str]]) -> list[str]:
    """Numbers whose visible text is not their value, rounded.

    Parameters
    ----------
    shown : iterable of (metric, value, text)
        `data-metric`, `data-value` (two values with ``;`` between for an interval, empty for none) and what is read.
    """
    wrong = []
    for metric, value, text in shown:
        values = [float(part) for part in value.split(";") if part not in ("", "NaN", "null")]
        said = numbers_in(f"{text} %" if metric in SHARES else text)
        if metric == "badge":
            fits = (value == "") == (text.strip() == "–") and value in text
        elif not values:
            fits = not said
        else:
            near = (abs(a - b) <= half * (1 + 1e-9) + 1e-12 for a, (b, half) in zip(values, said, strict=False))
            fits = len(said) >= len(values) and all(near)
        if not fits:
            wrong.append(f"{metric}: {value!r} is shown as {text!r}")
    return wrong
