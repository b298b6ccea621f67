"""The tables of known outcomes, one an exit plan, made of the engine's candidates and of what the desk recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgebook.files import tables
from edgebook.outcomes.outcomes import known_outcomes
from edgebook.outcomes.recorded import read_recorded, snapshots
from edgebook.outcomes.recorded_versions import Facts, find_facts, with_recorded

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from edgebook.paths import Paths
    from edgebook.settings.desk_outcomes import Outcomes

_ENTRY = ("open_rate", "take_profit_abs", "stop_loss_abs")


def recorded_facts(paths: Paths, *, recorded: Path, settings: Outcomes, fee: float, as_of: str) -> Facts | None:
    """What a desk recorded, joined to the candidates and checked; None where nothing is recorded.

    Parameters
    ----------
    paths : Paths
        Where bars and candidates are.
    recorded : Path
        Folder of the snapshots.
    settings : Outcomes
    fee : float
        Of a side, a share of the notional, for rows that do not say theirs.
    as_of : str
        See `read_known`.
    """
    rows = read_known(recorded, settings=settings, as_of=as_of)
    if rows is None:
        return None
    places = sorted(paths.candidates.glob("*.parquet"))
    slim = {place.stem: tables.read(place, columns=_ENTRY) for place in places}
    if places:
        shared = tables.read(places[0], columns=[*tables.KEY, "is_short", "open_date", *_ENTRY])
        slim[places[0].stem] = shared
    return find_facts(rows, slim, bars=tables.read(paths.bars), settings=settings, fee=fee)


def read_known(recorded: Path, *, settings: Outcomes, as_of: str) -> pd.DataFrame | None:
    """Recorded outcomes of the snapshots up to a date, and of the first in any case: it brings the past.

    None where there are none, or where the settings learn from simulated outcomes alone.
    """
    if settings.source == "simulated":
        return None
    dates = [date for date, _ in snapshots(recorded)]
    return read_recorded(recorded, at=max(as_of, dates[0])) if dates else None


def write_outcomes(paths: Paths, *, facts: Facts | None) -> tuple[int, int]:
    """Write the table of every exit plan.

    Parameters
    ----------
    paths : Paths
    facts : Facts or None

    Returns
    -------
    total, recorded : int
        Rows written, and how many of them are the desk's.
    """
    total = recorded = 0
    with tables.folder(paths.outcomes) as folder:
        for place in sorted(paths.candidates.glob("*.parquet")):
            known = outcomes_of(tables.read(place), facts=facts, plan=place.stem)
            tables.write(known, folder / place.name)
            total += len(known)
            recorded += int((known["source"] == "recorded").sum())
    return total, recorded


def outcomes_of(candidates: pd.DataFrame, *, facts: Facts | None, plan: str) -> pd.DataFrame:
    """Known outcomes of one exit plan."""
    return known_outcomes(candidates) if facts is None else with_recorded(candidates, facts, plan=plan)
