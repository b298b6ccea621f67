"""Markets on which the loop is put to the proof: of known truth, without an edge, and the two real samples.

Each is made once, with the settings of params.yaml, and kept as tables outside git; what the loop sees of it is the
same `Market` that the weekly run reads.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from edgebook.bars.synthetic_paths import HEADS
from edgebook.files import tables
from edgebook.paths import Paths
from edgebook.policy.market import WEEK_MS, Market, load_market, milliseconds
from edgebook.policy.plan_outcomes import to_ms
from edgebook.settings.params import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edgebook.settings.params import Params

REAL_UNTIL = "2019-09-30"
START, GENESIS, SWITCH = "2018-01-01", "2018-07-02", "2018-12-31"
"""First bar, first week and, where it moves, the move of the edge on markets of known truth: half a year apart."""
SIGNALS = "signals"
Null = Literal["random_walk", "stochastic_volatility", "shuffled"]
Stress = Literal["block_shuffled", "sign_flipped"]
NULLS, STRESSES = get_args(Null), get_args(Stress)


@dataclass(frozen=True, kw_only=True)
class MarketSpec:
    """What makes a market of the evidence.

    Parameters
    ----------
    name : str
        Of the kind of market; seeds share it.
    source : {"synthetic", "crypto", "equities"} or one of `NULLS` or `STRESSES`
        Those are of `edgebook.evidence.null_markets` and `edgebook.evidence.null_stress`, the real bars in them the
        crypto sample's.
    kind : {"no_edge", "planted", "switching"}
        Of a synthetic market.
    heads, then : tuple of str
        Heads that hold the edge from genesis on, and from `SWITCH` on, when it may be none.
    edge : float
        As for `edgebook.bars.synthetic.make_market`.
    seed, pairs : int
        Of a synthetic market.
    genesis : str
        Monday on which arms start; the edge starts then, after the warm-up.
    weeks : int
        That are learned.
    timeframes : tuple of str
    """

    name: str
    source: Literal["synthetic", "crypto", "equities"] | Null | Stress = "synthetic"
    kind: Literal["no_edge", "planted", "switching"] = "no_edge"
    heads: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    edge: float = 0.0
    seed: int = 0
    pairs: int = 3
    genesis: str = GENESIS
    weeks: int = 52
    timeframes: tuple[str, ...] = ("1h",)

    @property
    def at(self) -> int:
        """Genesis in milliseconds UTC."""
        return milliseconds(self.genesis)

    @property
    def spells(self) -> tuple[tuple[int, tuple[str, ...]], ...]:
        """From when on, in milliseconds UTC, which heads hold the edge."""
        if self.kind == "no_edge":
            return ()
        first = ((self.at, self.heads),)
        return first if self.kind == "planted" else (*first, (milliseconds(SWITCH), self.then))

    def heads_at(self, at: int) -> tuple[str, ...]:
        """Heads that hold the edge at a time, milliseconds UTC; none before it begins."""
        return next((heads for since, heads in reversed(self.spells) if since <= at), ())


@dataclass(frozen=True)
class EvidenceMarket:
    """A market, and what is known of it.

    Parameters
    ----------
    spec : MarketSpec
    paths : Paths
        Where its tables are.
    market : Market
    signals : ndarray of float64, shape (bars, 8), or None
        The true signal of each of `edgebook.bars.synthetic_paths.HEADS` at the close of the bar; None where no one
        knows.
    """

    spec: MarketSpec
    paths: Paths
    market: Market
    signals: NDArray[np.float64] | None

    @cached_property
    def mondays(self) -> list[int]:
        """Beginning of every learned week, milliseconds UTC."""
        return [self.spec.at + number * WEEK_MS for number in range(self.spec.weeks)]

    def truth(self, heads: Sequence[str]) -> NDArray[np.float64]:
        """True state of some heads at every bar, shape (bars, k): the signal, and for H the hour's cosine too.

        A signal says what moves the next bar; for the daily sine that alone does not say how the hours after it go.
        """
        if self.signals is None:
            raise ValueError(f"{self.spec.name}: the truth of this market is not known")
        columns = [self.signals[:, HEADS.index(head)] for head in heads]
        if "H" in heads:
            hour = (self.market.date // 3_600_000) % 24
            columns.append(np.sqrt(2.0) * np.cos(2.0 * np.pi * (hour + 0.5) / 24.0))
        return np.column_stack(columns)


def prepare_market(spec: MarketSpec, params: Params, *, exit_plans: Sequence[str], cache: Path) -> EvidenceMarket:
    """Make a market, or read it where it was made before.

    Parameters
    ----------
    spec : MarketSpec
    params : Params
        Costs, regimes and ATR as of the repository.
    exit_plans : sequence of str
        Outcomes of these plans alone are made.
    cache : Path
        Folder that keeps the tables of all markets; a market that was made by other code or settings is made again.
    """
    from edgebook.audit.source_digest import source_digest
    from edgebook.loop.pipeline import make_tables
    from edgebook.settings.exit_plans import ExitPlan

    settings = {
        "spec": asdict(spec),
        "plans": list(exit_plans),
        "settings": [plain(params.candidates), plain(params.regimes)],
    }
    words = json.dumps(settings, sort_keys=True, default=str) + source_digest("evidence.evidence_markets")
    paths = Paths(cache / "markets" / hashlib.sha256(words.encode()).hexdigest()[:16])
    if not paths.root.exists():
        building = Paths(paths.root.with_suffix(f".{os.getpid()}.tmp"))
        shutil.rmtree(building.root, ignore_errors=True)
        plans = [ExitPlan.parse(name) for name in exit_plans]
        make_tables(_bars(spec, building), params, plans=plans, into=building)
        if not paths.root.exists():
            building.root.rename(paths.root)
    market = load_market(paths)
    place = paths.root / "data" / f"{SIGNALS}.parquet"
    return EvidenceMarket(spec, paths, market, _aligned(tables.read(place), market) if place.exists() else None)


def _bars(spec: MarketSpec, paths: Paths) -> pd.DataFrame:
    """Bars up to the end of the last week; the truth of a synthetic market is written beside them."""
    from edgebook.bars.synthetic import make_market
    from edgebook.sources.sources import load_bars

    end = pd.Timestamp(spec.at + spec.weeks * WEEK_MS, unit="ms", tz="UTC")
    weeks = int((end - pd.Timestamp(START, tz="UTC")) / pd.Timedelta(weeks=1))
    if spec.source in (*NULLS, *STRESSES):
        return _bars_without_edge(spec, weeks=weeks)
    if spec.source != "synthetic":
        return load_bars(source=spec.source, timeframes=spec.timeframes, as_of=end)
    made = make_market(
        kind=spec.kind,
        pairs=spec.pairs,
        weeks=weeks,
        seed=spec.seed,
        timeframes=spec.timeframes,
        heads=spec.heads or ("A",),
        edge=spec.edge,
        edge_starts=None if spec.kind == "no_edge" else spec.genesis,
        switches=[(SWITCH, spec.then)] if spec.kind == "switching" else None,
        start=START,
    )
    tables.write(made.signals, paths.root / "data" / f"{SIGNALS}.parquet")
    return made.bars


def _bars_without_edge(spec: MarketSpec, *, weeks: int) -> pd.DataFrame:
    """Bars of a null or stress market."""
    from edgebook.evidence import null_markets as null
    from edgebook.evidence import null_stress as stress
    from edgebook.sources.sources import load_bars

    if spec.source in ("random_walk", "stochastic_volatility"):
        walk = null.random_walk if spec.source == "random_walk" else null.stochastic_volatility
        return walk(pairs=spec.pairs, weeks=weeks, seed=spec.seed, start=START, timeframes=spec.timeframes)
    real = load_bars(source="crypto", timeframes=["1h"], as_of=pd.Timestamp(REAL_UNTIL, tz="UTC"))
    made = {
        "shuffled": null.shuffled_bars,
        "block_shuffled": stress.block_shuffled_bars,
        "sign_flipped": stress.block_sign_flipped_bars,
    }[spec.source]
    return made(real, seed=spec.seed, weeks=weeks, start=START, timeframes=spec.timeframes)


def _aligned(signals: pd.DataFrame, market: Market) -> NDArray[np.float64]:
    """Rows of the signals in the order of the market's."""
    pair = pd.Index(market.pairs).get_indexer(pd.Index(signals["pair"]))
    known = pd.MultiIndex.from_arrays([to_ms(signals["date"]), pair])
    rows = known.get_indexer(pd.MultiIndex.from_arrays([market.date, market.pair.astype(np.int64)]))
    return signals[list(HEADS)].to_numpy(np.float64)[rows]
