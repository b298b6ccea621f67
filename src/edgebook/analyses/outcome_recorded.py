"""The desk's own outcomes beside the simulated ones of the same candidates: what real fills cost beyond the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.files import tables
from edgebook.outcomes.outcomes import KEY, signal_ids
from edgebook.outcomes.recorded_outcomes import recorded_facts
from edgebook.outcomes.recorded_versions import several_orders
from edgebook.policy.loaded_plans import has_recorded
from edgebook.settings.desk_outcomes import Outcomes
from edgebook.settings.loading import section
from edgebook.statistics import intervals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.seals.week import Week

DECIMALS = 6
PRIVATE_TENS = 10
"""In private mode trades are shown in tens: no mean of fewer, and no two weeks whose means differ by one trade."""
GAPS = (
    "group", "name", "n", "recorded_r", "simulated_r", "gap", "gap_low", "gap_high", "side_bps", "side_bps_low",
    "side_bps_high",
)  # fmt: skip


@dataclass(frozen=True)
class Recorded:
    """What the desk recorded up to a week.

    Parameters
    ----------
    pairs : DataFrame
        One row a closed recorded outcome whose simulated one is known too: signal_id (ours), exit_plan, pair, regime,
        week (of the entry), known_at, recorded_r, simulated_r, gap (recorded less simulated, R) and side_ratio (half of
        what the net profit falls short of the simulated one, a share of the notional: what each side cost beyond the
        model).
    arms : dict of str to int
        How many of the recorded outcomes are of trades that an arm's book made too; "account" is the account's.
    traded : DataFrame
        Signals of the account's ledger that the desk traded: `pairs` with signal_id as index.
    findings : DataFrame
        signal_id (the desk's), finding, impossible; of the versions in force.
    unjoined : DataFrame
        signal_id (the desk's) and why.
    held : int
        Trades that the desk holds open.
    private : bool
        Whether no single trade may be shown.
    averaged : int
        Trades of several entries or exits, whose rates are averages.
    """

    pairs: pd.DataFrame
    arms: dict[str, int]
    traded: pd.DataFrame
    findings: pd.DataFrame
    unjoined: pd.DataFrame
    held: int
    private: bool
    averaged: int = 0

    @property
    def empty(self) -> bool:
        """Whether nothing is recorded at all."""
        return self.pairs.empty and self.unjoined.empty and self.findings.empty and self.held == 0


def recorded_of(week: Week, *, outcomes: Mapping[str, Any]) -> Recorded:
    """What the desk recorded, as known in a week.

    Parameters
    ----------
    week : Week
    outcomes : mapping
        Section `outcomes` of params.yaml.
    """
    settings = section(Outcomes, outcomes, where="params.yaml: outcomes")
    columns = ["signal_id", "exit_plan", "pair", "regime", "week", "known_at"]
    columns += ["recorded_r", "simulated_r", "gap", "side_ratio"]
    parts = [_pairs(week, table.stem) for table in sorted(week.paths.outcomes.glob("*.parquet")) if has_recorded(table)]
    pairs = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    facts = None
    if settings.source != "simulated" and week.paths.candidates.is_dir():
        cost = float(week.seal.head["settings"]["cost"])
        facts = recorded_facts(week.paths, recorded=week.paths.recorded, settings=settings, fee=cost, as_of=week.as_of)
    nothing = pd.DataFrame(columns=["signal_id", "finding", "impossible"])
    if facts is None:
        unjoined, findings, held, averaged = pd.DataFrame(columns=["signal_id", "why"]), nothing, 0, 0
    else:
        newest = facts.joined.rows.drop_duplicates("signal_id", keep="last")
        newest = newest[newest["status"] != "deleted"]
        findings = facts.findings[facts.findings["number"].isin(newest.index)].drop(columns="number")
        unjoined = facts.joined.unjoined.drop_duplicates("signal_id", keep="last")
        held, averaged = int((newest["status"] == "open").sum()), several_orders(newest)
    taken = pd.MultiIndex.from_frame(pairs[["signal_id", "exit_plan"]])
    shadow, ledger = week.shadow, week.ledger
    arms = {"account": int(taken.isin(pd.MultiIndex.from_frame(ledger[["signal_id", "exit_plan"]])).sum())}
    for arm, rows in shadow.groupby("arm", sort=True) if len(shadow) else ():
        arms[str(arm)] = int(taken.isin(pd.MultiIndex.from_frame(rows[["signal_id", "exit_plan"]])).sum())
    mine = ledger[["signal_id", "exit_plan"]].merge(pairs, on=["signal_id", "exit_plan"]).set_index("signal_id")
    return Recorded(
        pairs, arms, mine, findings.reset_index(drop=True), unjoined.reset_index(drop=True), held,
        settings.private, averaged,
    )  # fmt: skip


def gaps(recorded: Recorded) -> pd.DataFrame:
    """Recorded less simulated R: over all, by regime, by pair.

    Parameters
    ----------
    recorded : Recorded

    Returns
    -------
    DataFrame
        Columns `GAPS`, intervals with weeks as clusters. side_bps: what each side of a trade cost beyond
        candidates.fee_bps and candidates.slippage_bps, if the whole gap is cost. In private mode over whole tens of
        trades, see Notes.

    Notes
    -----
    One trade could be had from two means that differ by it: of a cell in two weeks, or of a total and its cells. In
    private mode a regime therefore holds the first ten, twenty, … of its trades that became known, the row of all is of
    the same trades, and there are no pairs.
    """
    pairs = recorded.pairs
    if recorded.private:
        pairs = pairs.sort_values(["known_at", "signal_id"], kind="stable")
        place = pairs.groupby("regime").cumcount()
        size = pairs.groupby("regime")["regime"].transform("size")
        pairs = pairs[place < size // PRIVATE_TENS * PRIVATE_TENS]
    groups = [("all", "all", pairs)] if len(pairs) else []
    for column in ("regime",) if recorded.private else ("regime", "pair"):
        groups += [(column, str(name), part) for name, part in pairs.groupby(column, sort=True)]
    return pd.DataFrame([_gap(group, name, part) for group, name, part in groups], columns=list(GAPS))


def counted(n: int, *, private: bool) -> str:
    """How many trades, as a page may say it: in private mode in tens.

    Examples
    --------
    >>> [counted(n, private=True) for n in (0, 3, 10, 1234)], counted(3, private=False)
    (['fewer than 10', 'fewer than 10', '10 or more', '1,230 or more'], '3')
    """
    if not private:
        return f"{n:,}"
    tens = n // PRIVATE_TENS * PRIVATE_TENS
    return f"{tens:,} or more" if tens else f"fewer than {PRIVATE_TENS}"


def _gap(group: str, name: str, part: pd.DataFrame) -> dict[str, Any]:
    clusters = part["week"].to_numpy(np.int64)
    gap = intervals.mean_interval(part["gap"].to_numpy(np.float64), clusters=clusters)
    side = intervals.mean_interval(1e4 * part["side_ratio"].to_numpy(np.float64), clusters=clusters)
    row = {
        "recorded_r": part["recorded_r"].mean(), "simulated_r": part["simulated_r"].mean(), "gap": gap.value,
        "gap_low": gap.low, "gap_high": gap.high, "side_bps": side.value, "side_bps_low": side.low,
        "side_bps_high": side.high,
    }  # fmt: skip
    return {"group": group, "name": name, "n": len(part), **{k: round(float(v), DECIMALS) for k, v in row.items()}}


def _pairs(week: Week, plan: str) -> pd.DataFrame:
    """Recorded outcomes of one exit plan beside the simulated ones."""
    known = week.outcomes(plan)
    mine = known[(known["source"] == "recorded") & (known["known_at"] <= pd.Timestamp(week.as_of, tz="UTC"))]
    simulated = tables.read(
        week.paths.candidates / f"{plan}.parquet",
        columns=[*KEY, "exit_reason", "profit_ratio", "r_multiple"],
    )
    both = mine[[*KEY, "open_date", "known_at", "profit_ratio", "r_multiple"]].merge(
        simulated, on=KEY, suffixes=("", "_simulated")
    )
    both = both[both["exit_reason"] != "open"].merge(week.regimes[[*tables.KEY, "regime"]], on=tables.KEY)
    gap = (both["r_multiple"] - both["r_multiple_simulated"]).round(DECIMALS)
    cost = both["profit_ratio_simulated"] - both["profit_ratio"]
    return pd.DataFrame(
        {
            "signal_id": signal_ids(both),
            "exit_plan": plan,
            "pair": both["pair"],
            "regime": both["regime"],
            "week": intervals.weeks_since_epoch(both["open_date"]),
            "known_at": both["known_at"],
            "recorded_r": both["r_multiple"],
            "simulated_r": both["r_multiple_simulated"],
            "gap": gap,
            "side_ratio": (cost / 2).round(DECIMALS),
        }
    )
