"""Outcome tables with a desk's own outcomes in them, each version dated by when it came into force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.outcomes.outcomes import KEY, known_outcomes
from edgebook.outcomes.recorded_bars import paths_of
from edgebook.outcomes.recorded_check import check_recorded, contradicting, orders_of
from edgebook.outcomes.recorded_join import Joined, join

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edgebook.settings.desk_outcomes import Outcomes

WEEK = pd.Timedelta(days=7)
_MONDAY = pd.Timestamp("1970-01-05", tz="UTC")
_DECIMALS = 6
_EXPLAINED = 5


@dataclass(frozen=True)
class Facts:
    """What became of a desk's outcomes on their way into the tables.

    Parameters
    ----------
    joined : Joined
    findings : DataFrame
        As `recorded_check.check_recorded` gives them.
    paths : DataFrame
        As `recorded_bars.paths_of` gives them, on the index of ``joined.rows``.
    """

    joined: Joined
    findings: pd.DataFrame
    paths: pd.DataFrame

    @property
    def learned(self) -> pd.DataFrame:
        """Versions that are learned from: those that joined and do not contradict themselves."""
        impossible = self.findings.loc[self.findings["impossible"].astype(bool), "number"]
        return self.joined.rows[~self.joined.rows.index.isin(impossible)]

    def lines(self, *, private: bool = False) -> Iterator[str]:
        """What did not join and what was found, a line each; with `private` only how many."""
        unjoined, findings = self.joined.unjoined, self.findings
        for group, words in ((unjoined, "did not join a candidate"), (findings, "findings against the bars")):
            if len(group):
                yield f"{group['signal_id'].nunique():,} recorded outcomes: {words}{':' if not private else ''}"
                if not private:
                    text = "why" if "why" in group.columns else "finding"
                    shown = group.drop_duplicates(["signal_id", text])
                    for name, why in zip(shown["signal_id"][:_EXPLAINED], shown[text][:_EXPLAINED], strict=True):
                        yield f"  {name}: {why}"
                    if len(shown) > _EXPLAINED:
                        yield f"  ... and {len(shown) - _EXPLAINED:,} more"
        averaged = several_orders(self.joined.rows)
        if averaged:
            yield f"{averaged:,} are of several entries or exits: their rates are averages"
        impossible = contradicting(findings)
        if impossible:
            yield f"{impossible:,} of them contradict themselves and are not learned from"


def several_orders(rows: pd.DataFrame) -> int:
    """Signals of which several entries or several exits made the trade."""
    entries, exits = orders_of(rows)
    return int(rows.loc[(entries > 1) | (exits > 1), "signal_id"].nunique())


def find_facts(
    recorded: pd.DataFrame,
    candidates: Mapping[str, pd.DataFrame],
    *,
    bars: pd.DataFrame,
    settings: Outcomes,
    fee: float,
) -> Facts:
    """Join recorded outcomes to candidates and hold them against the bars.

    Parameters
    ----------
    recorded : DataFrame
        As `recorded.read_recorded` gives it.
    candidates : mapping of str to DataFrame
        The engine's table of each exit plan.
    bars : DataFrame
        The canonical bars.
    settings : Outcomes
    fee : float
        Of a side, a share of the notional, for rows that do not say theirs.
    """
    joined = join(recorded, candidates, settings=settings)
    paths = paths_of(joined.rows, bars)
    return Facts(joined, check_recorded(joined.rows, paths, cost=fee), paths)


def with_recorded(candidates: pd.DataFrame, facts: Facts, *, plan: str) -> pd.DataFrame:
    """Known outcomes of one exit plan: the desk's where it took the candidate, with all their versions.

    Parameters
    ----------
    candidates : DataFrame
        The engine's table of the plan.
    facts : Facts
    plan : str
        Its name.

    Returns
    -------
    DataFrame
        `outcomes.known_outcomes` where the desk took no candidate of the plan. Else the same with rows of the desk
        (source "recorded", its own dates, rates, profit and R; exit_reason "open" while it holds the candidate, without
        `known_at`) and two more columns: `revised_at`, from when on the row is read (missing: from the first), and
        `snapshot`, which told of it.

    Notes
    -----
    The first snapshot brings the past with it: its rows hold from the first. A row of a later one holds from the date
    of its snapshot, and what was read before that stays what it was.

    `known_at` of a version is that of the snapshot's row, except that

    - where the version before it was known by the Monday before the snapshot, its `known_at` is kept: that week's
      learners have counted the candidate;
    - what is told as known by that Monday, and was not known then, is known from the date of the snapshot,
    - and none is known before its candidate is: a trade that was over before the bar of its entry had closed is known
      when that has. A day of FX runs over Monday 00:00, and no week may find later what it could not read.

    A row that the desk deleted gives the candidate its simulated outcome back.
    """
    simulated = known_outcomes(candidates)
    mine = facts.learned[facts.learned["exit_plan"] == plan]
    if mine.empty:
        return simulated
    places = pd.MultiIndex.from_frame(candidates[KEY])
    rows = _as_outcomes(mine, candidates.iloc[places.get_indexer(pd.MultiIndex.from_frame(mine[KEY]))], facts.paths)
    before = simulated.assign(
        revised_at=_empty_dates(simulated.index),
        snapshot=_empty_dates(simulated.index),
    )
    taken = pd.MultiIndex.from_frame(rows[KEY])
    known = before.set_index(pd.MultiIndex.from_frame(before[KEY]))
    versions: list[pd.DataFrame] = []
    for number in np.unique(rows["version"].to_numpy()):
        # The n-th version of every candidate at once; what is in force before it stands in `known`.
        part = rows[rows["version"] == number].drop(columns="version")
        part = _dated(part, known)
        versions.append(part)
        known = pd.concat([known, part.set_index(pd.MultiIndex.from_frame(part[KEY]))])
        known = known[~known.index.duplicated(keep="last")]
    replaced = taken[rows["revised_at"].isna()]
    kept = before[~pd.MultiIndex.from_frame(before[KEY]).isin(replaced)]
    table = pd.concat([kept, *versions], ignore_index=True)[list(before.columns)]
    return table.sort_values([*KEY, "snapshot"], kind="stable", na_position="first", ignore_index=True)


def _as_outcomes(mine: pd.DataFrame, at: pd.DataFrame, paths: pd.DataFrame) -> pd.DataFrame:
    """Versions under the columns of the outcome tables, in the order in which they came; `version` counts from 0."""
    path = paths.loc[mine.index]
    closed = (mine["status"] == "closed").to_numpy()
    profit = mine["profit_ratio"].to_numpy(np.float64)
    r_multiple = profit / mine["risk_ratio"].to_numpy(np.float64)
    held = np.clip(path["bars_held"].to_numpy(), 0, np.iinfo(np.int16).max).astype(np.int16)
    first = mine["before"].isna()
    entered = pd.to_datetime(path["exit_at"].where(path["bars_held"] == 1), unit="ms", utc=True).dt.as_unit("ms")
    out = pd.DataFrame(
        {
            **{name: at[name].array for name in KEY},
            "open_date": mine["open_date"].array,
            "open_rate": mine["open_rate"].array,
            **{
                name: mine[name].where(mine[name].notna(), at[name].set_axis(mine.index)).array
                for name in ("take_profit_abs", "stop_loss_abs")
            },
            "close_date": mine["close_date"].where(closed).array,
            "close_rate": mine["close_rate"].where(closed).array,
            "exit_reason": mine["exit_reason"].where(closed, "open").array,
            "bars_held": held,
            "profit_ratio": np.where(closed, np.round(profit, _DECIMALS), np.nan),
            "r_multiple": np.where(closed, np.round(r_multiple, _DECIMALS), np.nan),
            "mae": np.where(closed, np.round(path["mae"].to_numpy(np.float64), _DECIMALS), np.nan),
            "mfe": np.where(closed, np.round(path["mfe"].to_numpy(np.float64), _DECIMALS), np.nan),
            "ambiguous": False,
            "known_at": mine["known_at"].where(~(mine["known_at"] < entered), entered).array,
            "source": "recorded",
            "revised_at": mine["snapshot"].mask(first).array,
            "snapshot": mine["snapshot"].array,
            "deleted": (mine["status"] == "deleted").to_numpy(),
        }
    )
    gone = out["deleted"].to_numpy()
    if gone.any():
        out = pd.concat([out[~gone], _simulated_again(out[gone], at[gone])])
    out["version"] = out.sort_values("snapshot", kind="stable").groupby(KEY, sort=False).cumcount()
    return out.drop(columns="deleted").reset_index(drop=True)


def _simulated_again(gone: pd.DataFrame, at: pd.DataFrame) -> pd.DataFrame:
    """The simulated outcome of candidates whose trade was deleted, from the date of the snapshot that lacks it."""
    back = at.set_axis(gone.index).assign(source="simulated")
    return back.assign(
        known_at=back["close_date"], **{name: gone[name] for name in ("revised_at", "snapshot", "deleted")}
    )


def _dated(part: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """`known_at` of a version, by what was in force before it."""
    index = pd.MultiIndex.from_frame(part[KEY])
    earlier = known["known_at"].reindex(index).set_axis(part.index)
    monday = _monday_before(part["revised_at"])
    later = part["revised_at"].notna()
    known_at = part["known_at"]
    known_at = known_at.mask(later & (known_at <= monday), part["revised_at"])
    known_at = known_at.where(~(later & (earlier <= monday)), earlier)
    known_at = known_at.mask(part["exit_reason"] == "open")
    return part.assign(known_at=known_at)


def _monday_before(dates: pd.Series) -> pd.Series:
    """The last Monday before each date; missing where it is."""
    passed = (dates - _MONDAY - pd.Timedelta(milliseconds=1)) // WEEK
    found = _MONDAY + passed * WEEK
    return found.astype("datetime64[ms, UTC]")


def _empty_dates(index: pd.Index) -> pd.Series:
    return pd.Series(pd.NaT, index=index, dtype="datetime64[ms, UTC]")
