"""The ablation table as the learning review shows it: R a week that each learner adds, a column a market."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.ablation import FALSE_DISCOVERIES
from edgebook.display import Prose, prose
from edgebook.report import table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.display import Table

REAL = ("crypto", "equities")


def evidence_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Show what each learner adds to the full loop in R a week, on every market of the evidence.

    Parameters
    ----------
    rows : sequence of mapping
        From `edgebook.ablation.ablation_rows`.
    """
    markets = list(dict.fromkeys(str(row["market"]) for row in rows))
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        shown = found.setdefault((row["learner"], row["value"]), {"learner": row["learner"], "value": row["value"]})
        shown["value"] = f"{row['value']} (in force)" if row["in_force"] else row["value"]
        for end in ("", "_low", "_high"):
            gain = row[f"r_week_gain{end}"]
            shown[f"{row['market']}{end}"] = float("nan") if gain is None else float(gain)
    columns = ["learner", "value", *(f"{market}{end}" for market in markets for end in ("", "_low", "_high"))]
    number = {market: max(row["markets"] for row in rows if row["market"] == market) for market in markets}
    counted = ", ".join(f"{n} {market.replace('_', ' ')}" for market, n in number.items() if n > 1)
    return table(
        pd.DataFrame(list(found.values()), columns=columns),
        caption="R a week that each learner adds to its frozen twin, on known truth and on the real samples",
        note="As last measured by `make ablation`; docs/evidence.md has log loss, R a trade, trades and what the truth "
        f"shows. Markets: {counted or 'none'}; 95 % intervals over markets, over weeks on the real samples.",
        formats=dict.fromkeys(markets, "r"),
        labels={market: market.replace("_", " ") for market in markets},
        intervals={market: (f"{market}_low", f"{market}_high") for market in markets},
    )


def evidence_reading(rows: Sequence[Mapping[str, Any]]) -> Prose:
    """Say which learners are shown to help or to hurt, where the truth is known and on the real samples.

    Parameters
    ----------
    rows : sequence of mapping
        From `edgebook.ablation.ablation_rows`.
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
