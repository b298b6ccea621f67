"""What is in the bars of the market that params.yaml names, and what a run will do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgebook.errors import EdgebookError
from edgebook.sources import source_bars

if TYPE_CHECKING:
    import pandas as pd

    from edgebook.params import Params
    from edgebook.paths import Paths


def check_data(params: Params, paths: Paths) -> dict[str, Any]:
    """Look at every series of a source.

    Parameters
    ----------
    params : Params
    paths : Paths

    Returns
    -------
    dict
        `source`; `series`: one row a pair and timeframe; `findings`: worst first; `stopped`: whether one of them
        would stop the run.
    """
    bars = params.bars
    try:
        series = source_bars(bars.source, folder=paths.root / bars.folder, files=bars.files, synthetic=bars.synthetic)
    except EdgebookError as error:
        stops = {"effect": "stops", "says": str(error)}
        return {"source": bars.source, "series": [], "findings": [stops], "stopped": 1}
    return {"source": bars.source, "series": [_row(own) for own in series], "findings": [], "stopped": 0}


def _row(own: pd.DataFrame) -> dict[str, Any]:
    """One series in a line."""
    first, last = own["date"].iloc[0], own["date"].iloc[-1]
    return {
        "pair": own["pair"].iloc[0],
        "timeframe": own["timeframe"].iloc[0],
        "first": f"{first:%Y-%m-%d %H:%M}",
        "last": f"{last:%Y-%m-%d %H:%M}",
        "n": len(own),
    }
