"""A desk on the small market: which candidates it took, what its database says in a week, how it is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.files import tables
from edgebook.paths import Paths
from small_desk import COLUMNS, HITS, desk_trades
from small_market import GENESIS, PLAN, write_settings

if TYPE_CHECKING:
    from pathlib import Path

SECOND = "2018-04-09"
CHANGES = {
    'as_of: "2018-05-28", previous: "2018-05-21"': f'as_of: "{SECOND}", previous: "{GENESIS}"',
    "candidates:\n": f"""\
outcomes:
  source: database
  database:
    url: SMALL_DESK
    tp_sl_hits: {HITS}
    columns: {COLUMNS}
    timezone: UTC
  exit_words: {{timeout: time_exit}}
candidates:
""",
}
"""Of params.yaml: a second week, and a desk whose address is in SMALL_DESK."""


def at(text: str) -> pd.Timestamp:
    """A date in UTC."""
    return pd.Timestamp(text, tz="UTC")


def connected(small: Paths, root: Path) -> Paths:
    """Tables of the small market and no seals, with a desk in params.yaml; outcomes are a folder of its own."""
    paths = Paths(root)
    write_settings(paths, changes=CHANGES)
    (root / "data").mkdir()
    for name in ("bars", "indicators", "votes", "patterns", "regimes"):
        place = getattr(small, name)
        (root / "data" / place.name).symlink_to(place)
    (root / "data" / "candidates").symlink_to(small.candidates, target_is_directory=True)
    return paths


def taken_candidates(small: Paths) -> pd.DataFrame:
    """Candidates of the champion's plan that the desk took, a third of all."""
    table = tables.read(small.candidates / f"{PLAN}.parquet")
    near = table[(table["open_date"] >= at("2018-02-05")) & (table["open_date"] < at(SECOND))]
    return near[np.random.default_rng(3).random(len(near)) < 0.3]


def told(taken: pd.DataFrame, *, until: str) -> pd.DataFrame:
    """The desk's table at a time: some rows come a week late, some are corrected then, some are gone."""
    trades = desk_trades(taken, slippage=np.where(taken["pair"] == "S01/USD", 0.001, 0.0002))
    name = trades["signal_id"].str
    if until == GENESIS:
        return trades[name[-1] != "3"]
    trades.loc[name[-2:] == "10", "profit_ratio"] -= 0.001
    return trades[name[-2:] != "20"]
