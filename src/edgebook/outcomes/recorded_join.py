"""Which candidate and which exit plan a desk's trade was: recorded outcomes joined to the engine's candidates.

Nothing is dropped in silence: what does not join is named with the reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.bars.bars import FINER, TIMEFRAMES
from edgebook.outcomes.outcomes import KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.settings.desk_outcomes import Outcomes

NEAR = float(np.log(1.3))
"""A target or stop within this factor of a plan's is taken for it, wherever the fill put the entry."""

_OWN = re.compile(r"(.+)_([^_]+)_(\d{8}T\d{4})_(long|short)")


@dataclass(frozen=True)
class Joined:
    """Recorded outcomes at their candidates.

    Parameters
    ----------
    rows : DataFrame
        Versions that joined: the columns of `recorded.read_recorded` with the candidate's pair, timeframe, date and
        is_short in place of the desk's, `exit_plan` as one of the grid, `entry_date` (the candidate's entry) and
        `risk_ratio` (distance to the stop, a share of the entry price; the plan's where the desk has none).
    unjoined : DataFrame
        signal_id and why, one row a version.
    """

    rows: pd.DataFrame
    unjoined: pd.DataFrame


def join(recorded: pd.DataFrame, candidates: Mapping[str, pd.DataFrame], *, settings: Outcomes) -> Joined:
    """Find the candidate and the exit plan of every version of every recorded outcome.

    Parameters
    ----------
    recorded : DataFrame
        As `recorded.read_recorded` gives it.
    candidates : mapping of str to DataFrame
        The engine's table of each exit plan.
    settings : Outcomes

    Returns
    -------
    Joined

    Notes
    -----
    The candidate is the one that the signal's name says, where it is a name of ours; else the one of `date`, the
    decision bar's close; else the one of pair, timeframe and side whose decision bar had just closed at `open_date`.
    In each case it was entered within one bar of the candidate's own entry.

    The exit plan is that of the column `exit_plan`; else the one whose target and stop are nearest in ATR (where plans
    differ in their time limit alone: the declared one, else the shortest that lasted as long); else the declared one.
    """
    if recorded.empty or not candidates:
        rows = recorded.assign(entry_date=recorded["open_date"], risk_ratio=np.nan)
        none = pd.DataFrame({"signal_id": recorded["signal_id"], "why": "there are no candidates"})
        return Joined(rows.iloc[:0], none.reset_index(drop=True))
    shared = next(iter(candidates.values()))
    ours = recorded["pair"].map(lambda pair: settings.pairs.get(pair, pair)).astype("str")
    placed, why = _at_candidates(recorded.assign(pair=ours).reset_index(drop=True), shared, settings=settings)
    found = placed[why == ""]
    place = pd.Series(found["candidate"].to_numpy(np.int64), index=found.index)
    plans, risk, reason = _plans(found, candidates, place=place, settings=settings)
    why = why.mask(why == "", reason.reindex(why.index, fill_value=""))
    kept = found[reason == ""]
    at = place[kept.index].to_numpy()
    joined = kept.drop(columns="candidate").assign(
        **{name: shared[name].to_numpy()[at] for name in ("pair", "timeframe", "is_short")},
        date=shared["date"].take(at).to_numpy(),
        entry_date=shared["open_date"].take(at).to_numpy(),
        exit_plan=plans[kept.index],
        risk_ratio=risk[kept.index],
    )
    for name in ("date", "entry_date"):
        joined[name] = pd.to_datetime(joined[name], utc=True).astype("datetime64[ms, UTC]")
    joined, second = _one_trade_each(joined)
    why.loc[second.index] = second
    lost = (why != "").to_numpy()
    unjoined = pd.DataFrame({"signal_id": recorded["signal_id"].to_numpy()[lost], "why": why[lost].to_numpy()})
    return Joined(_moved(joined.reset_index(drop=True)), unjoined)


def _at_candidates(
    recorded: pd.DataFrame, shared: pd.DataFrame, *, settings: Outcomes
) -> tuple[pd.DataFrame, pd.Series[str]]:
    """Row of the candidate of each version, and why there is none."""
    known = list(dict.fromkeys(shared["timeframe"]))
    named = _by_name(recorded, shared)
    declared = settings.timeframe or (known[0] if len(known) == 1 else "")
    timeframe = named["timeframe"].mask(named["timeframe"] == "", recorded["timeframe"])
    timeframe = timeframe.mask(timeframe == "", declared)
    rows = recorded.assign(timeframe=timeframe, date=named["date"].fillna(recorded["date"]))
    minutes = FINER | TIMEFRAMES
    width = pd.to_timedelta(rows["timeframe"].map(minutes).fillna(0), unit="min")
    keys = pd.MultiIndex.from_frame(shared[KEY])
    exact = pd.Series(keys.get_indexer(pd.MultiIndex.from_frame(rows[KEY])), index=rows.index)
    entered = shared[["pair", "timeframe", "is_short", "open_date"]].assign(candidate=np.arange(len(shared)))
    dated = rows[["pair", "timeframe", "is_short", "open_date"]].assign(number=np.arange(len(rows)))
    merged = pd.merge_asof(
        dated.sort_values("open_date", kind="stable"),
        entered.sort_values("open_date", kind="stable"),
        on="open_date",
        by=["pair", "timeframe", "is_short"],
    ).sort_values("number")
    nearest = pd.Series(merged["candidate"].fillna(-1).to_numpy(np.int64), index=rows.index)
    place = exact.where(rows["date"].notna(), nearest)
    entry = pd.Series(shared["open_date"].take(place.clip(lower=0).to_numpy()).array, index=rows.index)
    apart = (rows["open_date"] - entry).abs()
    side_told = named["is_short"].notna() & (named["is_short"] != rows["is_short"])
    pair_told = (named["pair"] != "") & (named["pair"] != rows["pair"].str.replace("/", "-", regex=False))
    why = pd.Series("", index=rows.index, dtype="str")
    checks = (
        (side_told | pair_told, "its signal_id names another side or pair than its columns"),
        (~rows["pair"].isin(shared["pair"].unique()), "its pair is not in the bars; outcomes.pairs maps names"),
        (rows["timeframe"] == "", "it has no timeframe, and outcomes.timeframe declares none"),
        (~rows["timeframe"].isin(known), "its timeframe is not in the bars"),
        (rows["open_date"] >= shared["open_date"].max() + width, "the bars end before it was opened"),
        (place < 0, "there is no candidate on the bar before its entry"),
        (apart >= width, "it was entered more than one bar from its candidate's entry"),
    )
    for broken, reason in checks:
        why = why.mask((why == "") & broken, reason)
    return rows.assign(candidate=place), why


def _by_name(recorded: pd.DataFrame, shared: pd.DataFrame) -> pd.DataFrame:
    """What a signal_id of ours says: pair, timeframe, date and side; empty for other names."""
    parts = recorded["signal_id"].str.extract(f"^{_OWN.pattern}$")
    own = parts[1].isin(shared["timeframe"].unique())
    date = pd.to_datetime(parts[2].where(own), format="%Y%m%dT%H%M", utc=True, errors="coerce")
    own &= date.notna()
    return pd.DataFrame(
        {
            "pair": parts[0].where(own, "").fillna("").astype("str"),
            "timeframe": parts[1].where(own, "").fillna("").astype("str"),
            "date": date.astype("datetime64[ms, UTC]"),
            "is_short": parts[3].map({"short": True, "long": False}).where(own).astype("boolean"),
        }
    )


def _plans(
    found: pd.DataFrame, candidates: Mapping[str, pd.DataFrame], *, place: pd.Series[int], settings: Outcomes
) -> tuple[pd.Series[str], pd.Series[float], pd.Series[str]]:
    """Exit plan, risk as a share of the entry price, and why there is none, of each version at its candidate."""
    names = list(candidates)
    at = place.to_numpy()
    entry = found["open_rate"].to_numpy(np.float64)
    target = np.abs(found["take_profit_abs"].to_numpy(np.float64) / entry - 1.0)
    stop = np.abs(found["stop_loss_abs"].to_numpy(np.float64) / entry - 1.0)
    distance = np.full((len(found), len(names)), np.inf)
    stops = np.full((len(found), len(names)), np.nan)
    limits = np.array([int(name.rpartition("_t")[2]) for name in names])
    for number, table in enumerate(candidates.values()):
        rate = table["open_rate"].to_numpy()[at]
        theirs = np.abs(table["take_profit_abs"].to_numpy()[at] / rate - 1.0)
        stops[:, number] = np.abs(table["stop_loss_abs"].to_numpy()[at] / rate - 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            off = np.maximum(np.abs(np.log(target / theirs)), np.abs(np.log(stop / stops[:, number])))
        distance[:, number] = np.where(np.isfinite(off), off, np.inf)
    chosen = np.full(len(found), -1)
    if len(found):
        nearest = distance.min(axis=1)
        tied = (distance <= nearest[:, None] + 1e-6) & (nearest <= NEAR)[:, None]
        minutes = found["timeframe"].map(FINER | TIMEFRAMES).to_numpy(np.float64)
        lasted = (found["close_date"] - found["open_date"]).dt.total_seconds().to_numpy() / 60 / minutes
        enough = tied & (limits[None, :] >= np.nan_to_num(lasted, nan=0.0)[:, None] - 1)
        shortest = np.where(enough, limits[None, :], np.iinfo(np.int64).max).argmin(axis=1)
        longest = np.where(tied, limits[None, :], -1).argmax(axis=1)
        chosen = np.where(tied.any(axis=1), np.where(enough.any(axis=1), shortest, longest), -1)
        if settings.exit_plan in names:
            number = names.index(settings.exit_plan)
            chosen = np.where(tied[:, number] | (~np.isfinite(nearest)), number, chosen)
    told = pd.Index(names).get_indexer(pd.Index(found["exit_plan"]))
    chosen = np.where(told >= 0, told, chosen)
    why = pd.Series("", index=found.index, dtype="str")
    strange = (found["exit_plan"] != "") & (told < 0)
    why = why.mask((chosen < 0) & strange, "its exit_plan is not in the grid of section candidates")
    none = np.isnan(target) | np.isnan(stop)
    why = why.mask((chosen < 0) & none & ~strange, "it has no exit plan, and outcomes.exit_plan declares none")
    why = why.mask((chosen < 0) & ~none & ~strange, "its target and stop are like those of no exit plan of the grid")
    plan = pd.Series(np.array([*names, ""], dtype=object)[chosen], index=found.index, dtype="str")
    of_plan = stops[np.arange(len(found)), np.maximum(chosen, 0)] if len(found) else np.empty(0)
    risk = pd.Series(np.where(np.isnan(stop), of_plan, stop), index=found.index)
    why = why.mask((why == "") & ~(risk > 0), "its stop is at its entry, so that it has no risk to measure by")
    return plan, risk, why


def _one_trade_each(joined: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series[str]]:
    """The first trade on each candidate, and why the others do not count."""
    key = [*KEY, "exit_plan"]
    first = joined.groupby(key, sort=False)["signal_id"].transform("first")
    second = joined["signal_id"] != first
    why = "the desk's " + first[second] + " is on the same candidate already"
    return joined[~second], why.astype("str")


def _moved(joined: pd.DataFrame) -> pd.DataFrame:
    """The versions, and a deletion where a correction took a trade from one candidate or plan to another."""
    key = [*KEY, "exit_plan"]
    spelled = joined[key].astype("str").agg("|".join, axis=1)
    number = pd.Series(np.arange(len(joined)), index=joined.index)
    before = number.groupby(joined["signal_id"], sort=False).shift()
    was = before.notna()
    place = before[was].to_numpy(np.int64)
    changed = spelled[was].to_numpy() != spelled.to_numpy()[place]
    if not changed.any():
        return joined
    now = joined[was][changed]
    left = joined.iloc[place[changed]].assign(
        status="deleted", **{name: now[name].array for name in ("known_at", "snapshot", "before")}
    )
    whole: pd.DataFrame = pd.concat([left, joined])
    return whole.sort_values("snapshot", kind="stable", ignore_index=True)
