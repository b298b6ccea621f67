"""What is in the bars of the market that params.yaml names, and what a run will do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.bars.bars import utc
from edgebook.errors import EdgebookError
from edgebook.loop.genesis import check_genesis
from edgebook.running.data_check_columns import column_findings
from edgebook.running.data_check_series import EFFECTS, Finding, examine_series
from edgebook.seals.seals import sealed_weeks
from edgebook.settings.universe import declared_universe
from edgebook.sources.known_bars import place_of
from edgebook.sources.sources import bars_table, source_bars

if TYPE_CHECKING:
    from edgebook.folder.folder_file import FileRead
    from edgebook.paths import Paths
    from edgebook.settings.params import Bars, Params

_LAGS = pd.Timedelta(days=7)


def check_data(params: Params, paths: Paths) -> dict[str, Any]:
    """Look at every series of a source, as a run to `run.as_of` reads it; nothing is changed.

    Parameters
    ----------
    params : Params
    paths : Paths

    Returns
    -------
    dict
        `source`; `series`: one row a pair and timeframe; `findings`: worst first, with `effect` (stops, dropped, used,
        nothing), `kind`, `where`, `says`, `does`; `stopped`: how many of them would stop the run.
    """
    bars, as_of = params.bars, params.run.as_of
    folder = bars.source == "folder"
    read, findings = _folder(bars, paths, as_of=as_of) if folder else _other(bars, paths, as_of=as_of)
    rows = []
    for own, done in read:
        row, found = examine_series(own, source=bars.source, files=bars.files, done=done)
        rows.append(row)
        findings += found
    series = [own for own, _ in read]
    findings += _late(series)
    if series and not any(finding.effect == "stops" for finding in findings):
        try:
            table = bars_table(
                series,
                source=bars.source,
                timeframes=bars.timeframes,
                as_of=as_of,
                files=bars.files,
                universe=declared_universe(bars.universe, file=bars.universe_file, root=paths.root),
                holidays=bars.holidays,
            )
            if not sealed_weeks(paths, params.run.history):  # a history that is to begin
                warmup_weeks = params.learning.warmup_weeks
                check_genesis(params.run.genesis, first=table["date"].min(), warmup_weeks=warmup_weeks)
            findings += column_findings(params.desk, table, recorded=paths.recorded)
        except EdgebookError as error:
            findings.append(_stop(error))
    findings.sort(key=lambda finding: EFFECTS.index(finding.effect))
    return {
        "source": bars.source,
        "series": rows,
        "findings": [finding.row() for finding in findings],
        "stopped": sum(finding.effect == "stops" for finding in findings),
    }


Series = list[tuple[pd.DataFrame, dict[str, int]]]
"""Bars of each pair and timeframe, and how many rows each repair moved or dropped."""


def _other(bars: Bars, paths: Paths, *, as_of: str) -> tuple[Series, list[Finding]]:
    """All series of a source that is no folder of files."""
    try:
        place = place_of(bars, root=paths.root)
        found = source_bars(bars.source, folder=place, synthetic=bars.synthetic, as_of=utc(as_of))
    except EdgebookError as error:
        return [], [_stop(error)]
    return [(own, {}) for own in found], []


def _folder(bars: Bars, paths: Paths, *, as_of: str) -> tuple[Series, list[Finding]]:
    """All series of a folder that can be read, and why the others cannot."""
    from edgebook.folder.folder import finished, gathered, read_files, split_factors
    from edgebook.folder.folder_splits import adjusted

    read: Series = []
    findings: list[Finding] = []
    try:
        files = list(read_files(paths.root / bars.folder, files=bars.files))
        findings += [_stop(file.error) for file in files if file.error is not None]
        series = gathered(files)
        factors = split_factors(bars.files)
    except EdgebookError as error:
        return [], [*findings, _stop(error)]
    for key in sorted(series):
        try:
            own, done = finished(series[key], files=bars.files)
        except EdgebookError as error:
            findings.append(_stop(error))
            continue
        read.append((own if factors is None else adjusted(own, factors, as_of=utc(as_of)), done))
    return read, findings + _readings(files)


def _readings(files: list[FileRead]) -> list[Finding]:
    """How the files were read: one line for all that were read alike."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for file in files:
        if file.reading:
            alike.setdefault(tuple(file.reading.values()), []).append(file.shown)
    found = []
    for (dialect, stamps, because, dates, unused), names in alike.items():
        where = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
        whose = "" if dialect in ("", "edgebook") else f"{dialect}; "
        read_as = "dates are whole days" if stamps == "day" else f"stamps are a bar's {stamps}"
        more = f"; column {unused} is not used (bars.files.adjusted_close)" if unused else ""
        reason = "" if stamps == "day" else f" ({because})"
        remedy = "" if stamps == "day" else "bars.files.stamp declares it otherwise"
        found.append(Finding("nothing", "reading", where, f"{whose}{dates}; {read_as}{reason}{more}", remedy))
    return found


def _late(series: list[pd.DataFrame]) -> list[Finding]:
    """Series that end a week and more before the newest."""
    if not series:
        return []
    last = max(own["date"].iloc[-1] for own in series)
    return [
        Finding(
            "nothing",
            "end",
            f"{own['pair'].iloc[0]} {own['timeframe'].iloc[0]}",
            f"ends {own['date'].iloc[-1]:%Y-%m-%d %H:%M}, the newest {last:%Y-%m-%d %H:%M}",
            "no signals after its end",
        )
        for own in series
        if last - own["date"].iloc[-1] > _LAGS
    ]


def _stop(error: EdgebookError) -> Finding:
    """What stops a run."""
    where, _, says = str(error).partition(": ")
    return Finding("stops", "error", where, says, "")
