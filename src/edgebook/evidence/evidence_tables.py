"""The ablation as the learning review shows it: what each learner adds, a table a market."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.evidence.ablation import FALSE_DISCOVERIES
from edgebook.pages.display import Prose, prose
from edgebook.pages.report import table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.pages.display import Table

REAL = ("crypto", "equities")


def evidence_table(rows: Sequence[Mapping[str, Any]], *, market: str) -> Table:
    """Show what each learner adds to the full loop on one kind of market.

    Parameters
    ----------
    rows : sequence of mapping
        From `edgebook.evidence.ablation.ablation_rows`.
    market : str
        One of `edgebook.evidence.ablation.MARKETS`.
    """
    names = ["learner", *_ends("log_loss_gain"), *_ends("r_trade"), "trades", *_ends("r_week_gain"), "verdict"]
    shown = pd.DataFrame([_row(row) for row in rows if row["market"] == market], columns=names)
    counts = {int(row["markets"]) for row in rows if row["market"] == market} or {0}
    title = market.replace("_", " ")
    return table(
        shown,
        caption=f"{title[0].upper()}{title[1:]}: each learner in the full loop, less the same loop with that part "
        f"frozen, markets n = {max(counts)}",
        note="As last measured by `make ablation`; docs/evidence/learners.md says what the markets are and what "
        "else was measured. Log loss: thousandths of a nat an outcome, above 0 is better. 95 % intervals over markets, "
        "over weeks where there is one.",
        formats={"log_loss_gain": "number", "r_trade": "r", "trades": "integer", "r_week_gain": "r"},
        labels={"log_loss_gain": "Log loss saved", "r_trade": "R a trade", "r_week_gain": "R a week gained"},
        intervals={name: (f"{name}_low", f"{name}_high") for name in ("log_loss_gain", "r_trade", "r_week_gain")},
    )


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    """One learner, its numbers in the units of the table."""
    name = f"{row['learner']}: {row['value']}" + (" (in force)" if row["in_force"] else "")
    scale = {"log_loss_gain": 1e3, "r_trade": 1.0, "r_week_gain": 1.0}
    ends = {
        f"{measure}{end}": float("nan") if row[f"{measure}{end}"] is None else float(row[f"{measure}{end}"]) * unit
        for measure, unit in scale.items()
        for end in ("", "_low", "_high")
    }
    return {"learner": name, "trades": int(row["trades"]), "verdict": row["verdict"], **ends}


def _ends(name: str) -> list[str]:
    return [name, f"{name}_low", f"{name}_high"]


def evidence_reading(rows: Sequence[Mapping[str, Any]]) -> Prose:
    """Say which learners are shown to help or to hurt, where the truth is known and on the real samples.

    Parameters
    ----------
    rows : sequence of mapping
        From `edgebook.evidence.ablation.ablation_rows`.
    """
    if not rows:
        return prose("The evidence has not been measured yet: `make ablation` does it.")
    said = []
    for where, here in (
        ("Where the truth is known", [row for row in rows if row["market"] not in REAL]),
        ("On the real samples", [row for row in rows if row["market"] in REAL]),
    ):
        sure = [row for row in here if row["verdict"] != "not shown"]
        listed = "; ".join(
            f"{row['learner']} {row['value']} on {row['market'].replace('_', ' ')}: {row['verdict']}"
            for row in sure
            if row["in_force"] or row["market"] in REAL
        )
        said.append(
            f"{where} {len(sure)} of {len(here)} learners are shown to help or to hurt, at a false-discovery rate of "
            f"{FALSE_DISCOVERIES:.0%}" + (f": {listed}." if listed else ".")
        )
    return prose(*said)
