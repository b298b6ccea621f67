"""Table of the heads: what each weighs, and what the signals with which it agreed made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from edgebook.reports.outcome_tables import CELL_NOTE
from edgebook.pages.report import table

if TYPE_CHECKING:
    import pandas as pd

    from edgebook.pages.display import Table

_TONES: Final[dict[str, Literal["good", "bad", "wait", "plain"]]] = {"better": "good", "worse": "bad"}
_RATES = ("win_rate_when_agreed", "shrunk_win_rate")


def heads_table(found: pd.DataFrame) -> Table:
    """Show each head's weight and signals, regime by regime.

    Parameters
    ----------
    found : DataFrame
        As `outcome_weights.heads_by_regime` gives it.
    """
    rates = [name for rate in _RATES for name in (rate, f"{rate}_low", f"{rate}_high")]
    columns = [
        "regime",
        "head",
        "current_weight",
        "suggested_weight",
        "signals_contributed",
        *rates,
        "q_value",
        "badge",
    ]
    return table(
        found.assign(badge=found["badge"].replace("", "–"))[columns],
        caption="Heads by regime: weight in force and suggested, and the signals with which each agreed",
        note="Current: in the policy that was in force in the week. Suggested: what its record of all candidates says "
        "at the end of it, and in force from the next week where the recipe learns weights. A weight is log-odds of "
        f"being right; 0 is not heard. {CELL_NOTE}",
        formats={
            "current_weight": "number3", "suggested_weight": "number3", "win_rate_when_agreed": "percent",
            "shrunk_win_rate": "percent", "q_value": "p",
        },
        labels={"win_rate_when_agreed": "Win rate when agreed", "shrunk_win_rate": "Shrunk", "q_value": "q"},
        intervals={rate: (f"{rate}_low", f"{rate}_high") for rate in _RATES},
        pills={"badge": _TONES},
    )  # fmt: skip
