"""Rows that a week adds to the tables of its seal: trades as they became known, and daily marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from edgebook.loop.routing import unrouted
from edgebook.policy.learners import LEARNER_COLUMNS
from edgebook.policy.market import iso
from edgebook.seals.seals import DAY_COLUMNS, LEDGER_COLUMNS, SHADOW_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.arms.arms import ArmWeek
    from edgebook.arms.book import BookWeek


def ledger_rows(week: BookWeek, *, since: int) -> pd.DataFrame:
    """Rows of one book as they became known: what closed in the week, and what was entered in it and is open."""
    rows = [trade | {"status": "closed"} for trade in week.closed]
    start = iso(since)
    rows += [dict(p) | {"status": "open"} for p in week.book.positions if p["open_date"] >= start]
    frame = pd.DataFrame(rows).reindex(columns=LEDGER_COLUMNS) if rows else pd.DataFrame(columns=LEDGER_COLUMNS)
    frame = frame.sort_values(["status", "close_date", "open_date", "signal_id"], na_position="last", kind="stable")
    frame["bars_held"] = frame["bars_held"].astype("Int64")
    return frame.reset_index(drop=True)


def account_rows(week: BookWeek, *, since: int) -> pd.DataFrame:
    """Ledger rows of the account, each with its `ab_test_version`: written at entry where signals are routed."""
    rows = ledger_rows(week, since=since)
    whole = rows["model_version"].map(unrouted)
    return rows.assign(ab_test_version=rows["ab_test_version"].where(rows["ab_test_version"].notna(), whole))


def shadow_rows(weeks: Mapping[str, ArmWeek], *, since: int) -> pd.DataFrame:
    """Trades of every arm's own book, column `arm`."""
    frames = [ledger_rows(week.book, since=since).assign(arm=name) for name, week in weeks.items()]
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        return pd.DataFrame(columns=SHADOW_COLUMNS)
    return pd.concat(frames, ignore_index=True)[SHADOW_COLUMNS]


def day_rows(weeks: Mapping[str, ArmWeek], account: BookWeek) -> pd.DataFrame:
    """Daily marks of the account and of every arm, by date and arm."""
    rows = [day | {"arm": "account"} for day in account.days]
    for name, week in weeks.items():
        for day, (book, candidate) in zip(week.book.days, week.scores, strict=True):
            rows.append(day | {"arm": name, "book_score": float(book), "candidate_score": float(candidate)})
    frame = pd.DataFrame(rows, columns=DAY_COLUMNS)
    return frame.sort_values(["date", "arm"], kind="stable").reset_index(drop=True)


def learner_rows(weeks: Mapping[str, ArmWeek], *, as_of: str) -> pd.DataFrame:
    """Every learner of every arm beside its frozen twin, for the week that ends at `as_of`."""
    rows = [{"date": as_of, "arm": name, **row} for name, week in weeks.items() for row in week.learners]
    return pd.DataFrame(rows, columns=LEARNER_COLUMNS)
