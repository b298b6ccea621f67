"""The numbers behind the goals: gains over another set of signals, profit by regime, interventions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from edgebook.policy.market import REGIMES
from edgebook.statistics import intervals
from edgebook.statistics.cells import cell_table
from edgebook.statistics.intervals import UNDEFINED, Interval
from edgebook.statistics.metrics import closed_trades

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

Gain = Literal["win_rate", "false_signal_cut"]


def rate_gain(now: pd.DataFrame, start: pd.DataFrame, *, kind: Gain) -> Interval:
    """How much better one set of signals did than another.

    Parameters
    ----------
    now, start : DataFrame
        Ledger rows; open ones are left out. Signals of one week are one cluster, in whichever set they are.
    kind : {"win_rate", "false_signal_cut"}
        Difference of win rates, or the share by which the rate of false signals fell (its interval on the log scale).

    Returns
    -------
    Interval
        Undefined when a set is empty, or a rate of false signals is 0.
    """
    sets = [closed_trades(part) for part in (now, start)]
    if min(map(len, sets)) == 0:
        return UNDEFINED
    both = pd.concat(sets, ignore_index=True)
    profit = both["profit_ratio"].to_numpy(dtype=np.float64)
    hit = (profit > 0 if kind == "win_rate" else profit < 0).astype(np.float64)
    mine = [np.arange(len(both)) < len(sets[0]), np.arange(len(both)) >= len(sets[0])]
    clusters = intervals.clusters_of(both["open_date"])
    rates = [float(hit[part].mean()) for part in mine]
    if kind == "win_rate":
        influence = _centred(hit, mine[0], rate=rates[0]) - _centred(hit, mine[1], rate=rates[1])
        return intervals.smooth_interval(rates[0] - rates[1], influence=influence, clusters=clusters)
    if min(rates) == 0:
        return UNDEFINED
    influence = _centred(hit, mine[0], rate=rates[0]) / rates[0] - _centred(hit, mine[1], rate=rates[1]) / rates[1]
    ratio = intervals.smooth_interval(rates[0] / rates[1], influence=influence, clusters=clusters, log=True)
    return Interval(1 - ratio.value, 1 - ratio.high, 1 - ratio.low, ratio.n, ratio.n_effective)


def regime_profit(trades: pd.DataFrame) -> pd.DataFrame:
    """What the account made in each regime.

    Parameters
    ----------
    trades : DataFrame
        Ledger rows; open ones are left out.

    Returns
    -------
    DataFrame
        One row a regime: regime, n, n_effective, mean_r with low and high, total_r, win_rate with win_low and win_high,
        shrunk_r (mean_r shrunk toward that of all regimes, as `cells` does it).
    """
    closed = closed_trades(trades)
    rows = []
    for regime in REGIMES:
        part = closed[closed["regime"] == regime]
        clusters = intervals.clusters_of(part["open_date"]) if len(part) else np.zeros(0, dtype=np.int64)
        r = intervals.mean_interval(part["r_multiple"].to_numpy(dtype=np.float64), clusters=clusters)
        won = intervals.rate_interval((part["profit_ratio"] > 0).to_numpy(dtype=bool), clusters=clusters)
        total = part["r_multiple"].sum()
        rows.append((regime, len(part), r.n_effective, r.value, r.low, r.high, total, won.value, won.low, won.high))
    columns = ["regime", "n", "n_effective", "mean_r", "low", "high", "total_r", "win_rate", "win_low", "win_high"]
    found = pd.DataFrame(rows, columns=columns).round(6)
    shrunk = cell_table(closed, groupings=[["regime"]]).set_index("regime")["shrunk_r"]
    return found.assign(shrunk_r=found["regime"].map(shrunk).astype(float))


def manual_interventions(heads: Sequence[Mapping[str, Any]]) -> int:
    """Count pins, and promotions that had waited for an approval.

    Parameters
    ----------
    heads : sequence of mapping
        seal.json of every week.
    """
    recommended: set[str] = set()
    count = 0
    for event in (event for head in heads for event in head["events"]):
        if event["kind"] == "recommended":
            recommended.add(event["recipe"])
        count += event["kind"] == "pinned" or (event["kind"] == "promoted" and event["recipe"] in recommended)
    return count


def _centred(hit: NDArray[np.float64], mine: NDArray[np.bool_], *, rate: float) -> NDArray[np.float64]:
    """Influence of each signal of both sets on the rate of one set."""
    return np.where(mine, (hit - rate) * hit.size / mine.sum(), 0.0)
