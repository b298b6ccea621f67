"""What `edgebook data check` says of a desk's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgebook.errors import EdgebookError
from edgebook.outcomes.desk_columns import desk_columns, leaking, screened, told_lines
from edgebook.running.data_check_series import Finding

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from edgebook.settings.desk_section import Desk


def column_findings(desk: Desk, bars: pd.DataFrame, *, recorded: Path) -> list[Finding]:
    """One finding a column, and what would stop a run.

    Parameters
    ----------
    desk : Desk
    bars : DataFrame
        The canonical table.
    recorded : Path
        Folder of the snapshots.
    """
    try:
        found = desk_columns(bars, desk, recorded=recorded)
    except EdgebookError as error:
        where, _, says = str(error).partition(": ")
        return [Finding("stops", "column", where, says, "")]
    if found is None:
        return []
    told = screened(found, bars)
    refused = {one.name: one for one in leaking(told, desk)}
    findings = [
        Finding("stops", "column", "data/recorded", str(one), "correct it, or name it in desk.trusted")
        for one in refused.values()
    ]
    for line in told_lines(found, told, bars):
        where, _, says = line.partition(": ")
        kind = "used" if "came again different" in line else "nothing"
        findings.append(Finding(kind, "column", where, says, ""))
    return findings
