"""docs/evidence/peers.json and docs/evidence/peers.md, from the comparisons."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from peers import figures, inference, outcomes, sheets
from peers.compared import EXACT, Compared

SECTIONS = {
    "outcomes": outcomes.compare_outcomes,
    "metrics": figures.compare_figures,
    "tear sheet": sheets.compare_sheets,
    "inference": inference.compare_inference,
}
TITLES = {
    "outcomes": "Outcomes of candidates",
    "metrics": "Metrics of days and of trades",
    "tear sheet": "The tear sheet",
    "inference": "Errors, bootstraps, corrections, folds, filter",
}
INTRODUCTION = """# Peers as oracles

What Edgebook computes, computed once more by another library, or by plain loops where none is kept up. Every case that
is drawn is compared; where the two differ by design, the row says so, in how many cases, by how much, and what the
difference is once the rule is applied to ours. `make test` compares all of it each time
(`tests/test_peers_outcomes.py`, `tests/test_peers_metrics.py`, `tests/test_peers_tear_sheet.py`,
`tests/test_peers_inference.py`).

backtesting.py, arch, statsmodels and hmmlearn run in those tests. vectorbt, quantstats, empyrical-reloaded and
ml4t-diagnostic have an environment of their own (`requirements-peers.lock`), for bottleneck, which comes with one of
them, changes how pandas adds up; their answers are recorded in `tests/peers/`. `make peers` asks them again and writes
this page; `python tests/peers/record.py --page` writes it from the answers as they stand.
"""
NOTES = {
    "outcomes": """Crypto sample to 2019-09-30, 1h and 4h bars of five pairs, three exit plans: every 701st candidate,
every one with a gap at its exit, every 29th that holds both barriers in one bar, and the last two of each series. Among
them: {met}. Costs are 10 bps a side.

Financing of shorts and the excursions are not compared, for neither peer has them (by hand in
`tests/test_candidates.py`). The open of the entry bar stands once more before that bar, so that both peers fill there
and then watch the entry bar with both barriers. vectorbt trades each candidate in a column of its own; backtesting.py
trades all of a series together, overlapping, with hedging.
""",
    "metrics": """Daily returns of the five pairs and of a fifth of each, over 728 days, and over the first and the last
182 of them; a year has 365. Trades are the closed candidates above, a plan a case. Figures are saved to six decimals.
""",
    "tear sheet": """The same daily returns; the market is a fifth of each pair. Drawdowns: the three deepest of each
case. Both peers take the sample's days as they are dated, so a day at the wrong end of a month would show.
""",
    "inference": """Daily returns as above; the trials are forty trend followers on them (five pairs, eight lengths)
over 673 days. "Plain loops" are written in `tests/peers/inference.py` from the papers that the function names.

arch 8.0 takes `studentize=True` for its test of superior ability and does not act on it: it compares the largest mean,
where Hansen (2005) compares the largest t-value. Its p values are those of the plain loops without the division, and up
to {superior} away from those with it.
""",
}


def measure() -> dict[str, list[dict[str, Any]]]:
    """Rows of every section, ready to be saved."""
    return {name: [saved(row) for row in compare()] for name, compare in SECTIONS.items()}


def saved(row: Compared) -> dict[str, Any]:
    """Turn a row into what another processor gives as well: a difference below 1e-9 is only that."""
    return asdict(row) | {
        "difference": shown(row.difference, row.allowed),
        "allowed": f"{row.allowed:.0e}" if row.allowed else "0",
        "apart_by": shown(row.apart_by, row.allowed, digits=2) if row.apart else "",
    }


def shown(difference: float, allowed: float, *, digits: int = 1) -> str:
    """Few digits; nothing at all where nothing is allowed, and no more than a limit for what the last bits do."""
    if allowed == 0:
        return f"{difference:.0f}"
    limit = min(allowed, EXACT)
    return f"< {limit:.0e}" if difference <= limit else f"{difference:.{digits}g}"


def peers_section(found: dict[str, list[dict[str, Any]]]) -> str:
    """Put the rows into Markdown, a table a section."""
    met = ", ".join(f"{count} {name}" for name, count in outcomes.met().items())
    superior = next(row["apart_by"] for row in found["inference"] if "Hansen" in row["quantity"])
    parts = [INTRODUCTION]
    for name, rows in found.items():
        lines = [
            "| quantity | ours | peer | cases | largest difference | allowed | by design |",
            "|---|---|---|--:|--:|--:|---|",
        ]
        for row in rows:
            apart = f"{row['apart']:,} apart by up to {row['apart_by']}: " if row["apart"] else ""
            cells = [
                row["quantity"].replace("_", " "), f"`{row['ours']}`", f"{row['peer']} {row['version']}",
                f"{row['cases']:,}", row["difference"], row["allowed"], apart + row["rule"],
            ]  # fmt: skip
            lines.append(f"| {' | '.join(cells)} |")
        note = NOTES[name].format(met=met, superior=superior)
        parts.append(f"## {TITLES[name]}\n\n{note}\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def write(folder: Path) -> None:
    """Write both files."""
    found = measure()
    (folder / "peers.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "peers.md").write_text(peers_section(found), encoding="utf-8")
