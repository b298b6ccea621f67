"""The audit put to the proof: every planted leak has to be caught, and a hundred audits without one must find nothing.

Markets are small so that a hundred audits take minutes, and of every kind there is: without an edge and with one, the
crypto sample around the clock, the shares with their nights and weekends. Each is folded into a short history by the
repository's own recipes, with importance runs and tuning studies on the way, and audited at random times.
"""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from edgebook.audit.audit import audit
from edgebook.audit.audit_found import LAYERS
from edgebook.bars.synthetic import make_market
from edgebook.evidence.loop_counts import upper_limit
from edgebook.evidence.planted_leaks import LEAKS
from edgebook.loop.history import backfill
from edgebook.loop.pipeline import make_tables
from edgebook.paths import Paths
from edgebook.settings.params import AbTest, Importance, Run, Tuning
from edgebook.sources.sources import load_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edgebook.audit.audit_found import Audit
    from edgebook.evidence.planted_leaks import Leak
    from edgebook.settings.params import Params

WEEK = pd.Timedelta(weeks=1)
SEALED_WEEKS = 5
AUDITS = 10
"""Of each market, each at a time of its own."""
LEAK_TIMES = 2
_PLAN = "tp2.0_sl1.5_t12"


@dataclass(frozen=True, kw_only=True)
class SmallMarket:
    """A market that is folded and audited.

    Parameters
    ----------
    name : str
    source : {"no_edge", "planted", "crypto", "equities"}
    seed : int
        Of a synthetic market, and of the times of its audits.
    start : str
        Monday 00:00 UTC; bars that close after it are taken.
    weeks : int
        Before genesis.
    timeframes : tuple of str
    """

    name: str
    source: Literal["no_edge", "planted", "crypto", "equities"]
    seed: int
    start: str = "2018-01-01"
    weeks: int = 13
    timeframes: tuple[str, ...] = ("4h", "1d")

    @property
    def genesis(self) -> pd.Timestamp:
        """First Monday that is sealed."""
        return pd.Timestamp(self.start, tz="UTC") + self.weeks * WEEK

    @property
    def end(self) -> pd.Timestamp:
        """Monday on which the bars end: one after the last that is sealed."""
        return self.genesis + SEALED_WEEKS * WEEK


MARKETS = (
    *(SmallMarket(name="planted edge", source="planted", seed=seed) for seed in (1, 2, 3)),
    *(SmallMarket(name="no edge", source="no_edge", seed=seed) for seed in (4, 5)),
    SmallMarket(name="no edge, hourly", source="no_edge", seed=6, timeframes=("1h", "4h")),
    SmallMarket(name="crypto sample", source="crypto", seed=7, start="2018-01-01"),
    SmallMarket(name="crypto sample", source="crypto", seed=8, start="2018-10-01"),
    SmallMarket(name="crypto sample, hourly", source="crypto", seed=9, timeframes=("1h", "4h")),
    SmallMarket(name="shares, daily", source="equities", seed=10, start="2008-01-07", weeks=104, timeframes=("1d",)),
)


def measure(params: Params, *, quick: bool, tell: Callable[[int, int], None]) -> dict[str, Any]:
    """Audit the honest pipeline a hundred times, and every planted leak.

    Parameters
    ----------
    params : Params
        Recipes, costs, sizing and gate are taken; markets, exit plan and schedules are small ones of its own.
    quick : bool
        Two markets, two audits each, one time a leak.
    tell : callable
        Called with the number of steps done and of all of them.

    Returns
    -------
    dict
        JSON-able: `honest` (audits, alarms, upper_95: one-sided upper limit of the chance of a false alarm, exact;
        values; markets; layers) and `leaks` (name, what, layer, column, caught, first: the first difference; layers:
        all that differ).
    """
    markets = (MARKETS[0], MARKETS[6]) if quick else MARKETS
    times, leak_times = (2, 1) if quick else (AUDITS, LEAK_TIMES)
    steps = len(markets) * times + len(LEAKS)
    done = 0
    rows: list[dict[str, Any]] = []
    leaks: list[dict[str, Any]] = []
    layers: dict[str, dict[str, Any]] = {
        name: {"layer": name, "audits": 0, "values": 0, "differing": 0} for name in LAYERS
    }
    for market in markets:
        with tempfile.TemporaryDirectory(prefix="edgebook-") as folder:
            paths, given = Paths(Path(folder)), small_settings(params, market)
            make_tables(small_bars(market), given, plans=given.candidates.plans, into=paths)
            backfill(given, paths, until=given.run.as_of)
            found = audit(given, paths, times=times, seed=market.seed, tell=_after(done, tell, steps=steps))
            done += times
            if market is markets[0]:
                for leak in LEAKS:
                    seen = audit(given, paths, times=leak_times, seed=market.seed, pipeline=leak.pipeline)
                    leaks.append(_caught(leak, seen))
                    done += 1
                    tell(done, steps)
        rows.append(
            {
                "market": market.name,
                "seed": market.seed,
                "timeframes": list(market.timeframes),
                "audits": times,
                "alarms": len(found.alarms),
                "unreproduced": len(found.unreproduced),
                "values": sum(layer.values for layer in found.layers),
                "first": str(found.leaks[0]) if found.leaks else "",
            }
        )
        for layer in found.layers:
            for name, number in (("audits", layer.times), ("values", layer.values), ("differing", layer.differing)):
                layers[layer.name][name] += number
    audits, alarms = sum(row["audits"] for row in rows), sum(row["alarms"] for row in rows)
    return {
        "honest": {
            "audits": audits,
            "alarms": alarms,
            "upper_95": round(upper_limit(alarms, audits), 6),
            "values": sum(row["values"] for row in rows),
            "markets": rows,
            "layers": list(layers.values()),
        },
        "leaks": leaks,
    }


def _after(done: int, tell: Callable[[int, int], None], *, steps: int) -> Callable[[int, int], None]:
    """Tell of one market's audits as a part of all steps."""
    return lambda number, _: tell(done + number, steps)


def _caught(leak: Leak, seen: Audit) -> dict[str, Any]:
    """Whether a leak was found where it is, and what was said of it."""
    first = seen.leaks[0] if seen.leaks else None
    caught = first is not None and first.name == leak.layer and first.column.startswith(leak.column)
    return {
        "name": leak.name,
        "what": leak.what,
        "layer": leak.layer,
        "column": leak.column,
        "caught": caught,
        "first": None if first is None else asdict(first),
        "layers": [layer.name for layer in seen.leaks],
    }


def _place(first: Mapping[str, Any] | None) -> str:
    """Where the first difference is, and both values."""
    if first is None:
        return "none"
    values = f"{first['full']} with all bars, {first['cut']} with those up to {first['at']}"
    return f"{first['key']}, {first['column']}: {values}"


def audit_section(found: Mapping[str, Any]) -> str:
    """Say in Markdown what `measure` found.

    Parameters
    ----------
    found : mapping
        As `measure` returns it.
    """
    honest, leaks = found["honest"], found["leaks"]
    caught = sum(leak["caught"] for leak in leaks)
    lines = [
        f"Planted leaks caught, each at its layer and column: **{caught} of {len(leaks)}**. "
        f"False alarms in audits of the honest pipeline: **{honest['alarms']} of {honest['audits']}** "
        f"(one-sided 95 % upper limit of the chance of one: {honest['upper_95']:.1%}), "
        f"{honest['values']:,} values compared to the last bit.",
        "",
        "| planted leak | what is wrong | layer named | first difference |",
        "|---|---|---|---|",
        *(
            f"| {leak['name']} | {leak['what']} | {leak['layer'] if leak['caught'] else '**missed**'} "
            f"| {_place(leak['first'])} |"
            for leak in leaks
        ),
        "",
        "| market | bars | audits | values | false alarms |",
        "|---|---|---:|---:|---:|",
        *(
            f"| {row['market']} (seed {row['seed']}) | {', '.join(row['timeframes'])} | {row['audits']} "
            f"| {row['values']:,} | {row['alarms']} |"
            for row in honest["markets"]
        ),
        "",
        "| layer | audits | values | differ |",
        "|---|---:|---:|---:|",
        *(f"| {row['layer']} | {row['audits']} | {row['values']:,} | {row['differing']} |" for row in honest["layers"]),
    ]
    return "\n".join(lines) + "\n"


def small_bars(market: SmallMarket) -> pd.DataFrame:
    """Bars of two pairs of a market, from its start to its end."""
    if market.source in ("no_edge", "planted"):
        made = make_market(
            kind="planted" if market.source == "planted" else "no_edge",
            pairs=2,
            weeks=market.weeks + SEALED_WEEKS,
            seed=market.seed,
            heads=("D", "F", "H"),
            edge=0.15,
            edge_starts=f"{market.genesis:%Y-%m-%d}" if market.source == "planted" else None,
            start=market.start,
            timeframes=market.timeframes,
        )
        return made.bars
    bars = load_bars(source=market.source, timeframes=market.timeframes, as_of=market.end)
    pairs = sorted(bars["pair"].unique())[:2]
    kept = bars["pair"].isin(pairs) & (bars["date"] > pd.Timestamp(market.start, tz="UTC"))
    return bars[kept].reset_index(drop=True)


def small_settings(params: Params, market: SmallMarket) -> Params:
    """Settings of a repository with lengths that fit a small market; importance and tuning come round in its weeks."""
    last = market.end - WEEK
    recipes = {name: replace(recipe, exit_plan=_PLAN) for name, recipe in params.recipes.items()}
    return replace(
        params,
        run=Run(
            history="audited",
            as_of=f"{last:%Y-%m-%d}",
            previous=f"{last - WEEK:%Y-%m-%d}",
            genesis=f"{market.genesis:%Y-%m-%d}",
        ),
        candidates=replace(params.candidates, take_profit_atr=(2.0, 3.0), stop_loss_atr=(1.5,), time_limit_bars=(12,)),
        regimes=replace(
            params.regimes,
            trend_bars=24,
            volatility_bars=24,
            volatility_window_bars=200,
            min_bars=6,
            hmm_window_bars=400,
            hmm_refit_weeks=4,
        ),
        recipes={name: recipe for name, recipe in recipes.items() if recipe.role != "proposal"},
        learning=replace(params.learning, warmup_weeks=8, approval="automatic", pins=(), approvals=()),
        importance=Importance(
            every_weeks=3, false_discovery_rate=0.1, shifts=19, rows=400, permutations=1, seed=market.seed
        ),
        tuning=Tuning(
            every_weeks=3,
            trials=0,
            sobol=4,
            rows=400,
            folds=1,
            holdout_weeks=2,
            embargo_hours=24,
            seed=market.seed,
            workers=1,
        ),
        ab_test=AbTest(),
    )
