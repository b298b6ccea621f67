"""What the commands around the data print on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from edgebook.commands.cli_views import table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_SERIES, _MOST_LINES = 30, 40
_WORDS = {"stops": "STOPS", "dropped": "dropped", "used": "used", "nothing": "noted"}


def data_check(found: Mapping[str, Any]) -> None:
    """One line a series and one a finding, the worst first; of many, a summary and the worst."""
    from edgebook.running.data_check_calendar import duration

    rows, findings = found["series"], found["findings"]
    shown = _worst(rows)
    table(
        ["pair", "", "first", "last", "bars", "gaps", "longest", "no volume", "outliers", "calendar"],
        [
            [
                row["pair"],
                row["timeframe"],
                row["first"],
                row["last"],
                f"{row['n']:,}",
                f"{row['gaps']:,}",
                duration(row["longest_gap_hours"]) if row["gaps"] else "",
                f"{row['zero_volume']:,}",
                f"{row['outliers']:,}",
                row["calendar"],
            ]
            for row in shown
        ],
    )
    if len(rows) > len(shown):
        click.echo(f"... and {len(rows) - len(shown)} more series with fewer findings (--json has all)\n")
    lines = _alike(findings) if len(findings) > _MOST_LINES else [*findings]
    table(
        ["", "where", "found", "done"],
        [[_WORDS[row["effect"]], row["where"], row["says"], row["does"]] for row in lines[:_MOST_LINES]],
    )
    if len(lines) > _MOST_LINES:
        click.echo(f"... and {len(lines) - _MOST_LINES} more findings (--json has all)\n")
    bars = sum(row["n"] for row in rows)
    pairs = len({row["pair"] for row in rows})
    stops = found["stopped"]
    verdict = f"{stops} finding{' stops' if stops == 1 else 's stop'} a run" if stops else "nothing stops a run"
    click.echo(f"{found['source']}: {bars:,} bars of {pairs} pair{'s' * (pairs != 1)} in {len(rows)} series; {verdict}")


def _worst(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The series with most to say, where there are more than fit a screen."""
    if len(rows) <= _MOST_SERIES:
        return rows
    order = sorted(
        range(len(rows)),
        key=lambda i: [-rows[i][name] for name in ("suspected_splits", "outliers", "filled", "gaps", "zero_volume")],
    )
    return [rows[i] for i in sorted(order[:_MOST_SERIES])]


def _alike(findings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Findings that stop a run one by one, the others one line a kind."""
    lines = [dict(row) for row in findings if row["effect"] == "stops"]
    kinds: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in findings:
        if row["effect"] != "stops":
            kinds.setdefault((row["effect"], row["kind"]), []).append(row)
    for (_, kind), same in kinds.items():
        first = dict(same[0])
        if len(same) > 1:
            first["says"] = f"{kind} in {len(same)} series, as {first['where']}: {first['says']}"
            first["where"] = f"{len(same)} series"
        lines.append(first)
    return lines
