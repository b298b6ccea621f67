"""Outcomes of candidates against backtesting.py, run here, and vectorbt, as recorded."""

from __future__ import annotations

import numpy as np
import pandas as pd

from peers import cases
from peers.compared import ROUNDING, Compared, installed_version, largest, recorded, recorded_version
from peers.replay import backtested

OURS = "candidates.label_candidates"
RULE = (
    "a target that the bar opens beyond fills at the target here, at the better open there; ours is moved to that open"
)


def answered() -> dict[str, pd.DataFrame]:
    """What each peer says of the same candidates, row by row."""
    rows = cases.outcome_cases().rows
    theirs = recorded("outcomes")
    asked = rows[cases.KEY].assign(date=rows["date"].astype(str)).reset_index(drop=True)
    if not asked.equals(theirs[cases.KEY].assign(date=pd.to_datetime(theirs["date"]).dt.as_unit("ms").astype(str))):
        raise AssertionError("tests/peers/outcomes.csv answers other candidates; run `python tests/peers/record.py`")
    return {"backtesting": backtested(), "vectorbt": theirs}


def compare_outcomes() -> list[Compared]:
    """Which trades end, when, at what price and with what profit: every candidate, none left out."""
    found = cases.outcome_cases()
    versions = {"backtesting": installed_version("backtesting"), "vectorbt": recorded_version("vectorbt")}
    return [row for peer, theirs in answered().items() for row in _compare(found, theirs, peer, versions[peer])]


def _compare(found: cases.OutcomeCases, theirs: pd.DataFrame, peer: str, version: str) -> list[Compared]:
    """The four rows of one peer."""
    rows = found.rows
    is_open = (rows["exit_reason"] == "open").to_numpy()
    closed, gap = ~is_open, rows["gap_target"].to_numpy()
    exit_open = found.bars["open"].to_numpy()[(rows["decision"] + rows["bars_held"]).to_numpy()]
    rate = np.where(gap, exit_open, rows["close_rate"])
    growth, side = rate / rows["open_rate"].to_numpy(), np.where(rows["is_short"], -1, 1)
    profit = np.where(
        gap, side * (growth - 1) - cases.SIDE_COST * (1 + growth), rows["profit_ratio"].to_numpy()
    )  # fmt: skip
    quiet = theirs[closed].reset_index(drop=True)
    ours = rows[closed].reset_index(drop=True)
    n, rare = int(closed.sum()), gap[closed]
    entry = ours["open_rate"].to_numpy()
    return [
        Compared(
            "still open when the data end", OURS, peer, version, len(rows), largest(is_open, theirs["is_open"]), 0
        ),
        Compared("bars held", OURS, peer, version, n, largest(ours["bars_held"], quiet["bars_held"]), 0),
        Compared(
            "exit price, as a share of the entry", OURS, peer, version, n,
            largest(rate[closed] / entry, quiet["exit_rate"] / entry), 1e-12, RULE, int(rare.sum()),
            largest(ours["close_rate"][rare] / entry[rare], quiet["exit_rate"][rare] / entry[rare]),
        ),
        Compared(
            "net profit, as a share of the entry", OURS, peer, version, n,
            largest(profit[closed], quiet["profit_ratio"]), ROUNDING, RULE, int(rare.sum()),
            largest(ours["profit_ratio"][rare], quiet["profit_ratio"][rare]),
        ),
    ]  # fmt: skip


def met() -> dict[str, int]:
    """How often each rule was put to the test."""
    rows = cases.outcome_cases().rows
    reason = rows["exit_reason"]
    return {
        "stops at their price": int(((reason == "stop_loss") & ~rows["gap_stop"]).sum()),
        "stops gapped through": int(rows["gap_stop"].sum()),
        "targets at their price": int(((reason == "take_profit") & ~rows["gap_target"]).sum()),
        "targets gapped through": int(rows["gap_target"].sum()),
        "time limits": int((reason == "time_exit").sum()),
        "still open": int((reason == "open").sum()),
        "with both barriers in one bar": int(rows["ambiguous"].sum()),
        "ended in the entry bar": int(((rows["bars_held"] == 1) & (reason != "open")).sum()),
        "shorts": int(rows["is_short"].sum()),
    }
