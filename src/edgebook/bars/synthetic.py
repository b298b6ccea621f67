"""Markets with a known truth: no edge, an edge planted in named heads, or one that moves between heads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.bars import synthetic_paths as drawn
from edgebook.bars.bars import COLUMNS, PRICES, resample
from edgebook.bars.synthetic_truth import Kind, Regime, Truth, check_heads, edge_spells, monday
from edgebook.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_WEEK = pd.Timedelta(days=7)
_HOUR = pd.Timedelta(hours=1)
_TAIL_FREEDOM = 5
_LARGEST_TAIL = 4.0


@dataclass(frozen=True, kw_only=True)
class Market:
    """Bars, and what they were made of.

    Parameters
    ----------
    bars : DataFrame
        The canonical table: `COLUMNS`, sorted by pair, timeframe, date.
    signals : DataFrame
        One row an hourly bar: pair, date, a column a head of `HEADS` with the signal known at the bar's close, and
        `drift`, the drift of the bar itself in units of its volatility.
    truth : Truth
        What was planted.
    """

    bars: pd.DataFrame
    signals: pd.DataFrame
    truth: Truth


def make_market(
    *,
    kind: Kind,
    pairs: int,
    weeks: int,
    seed: int,
    timeframes: Sequence[str] = ("1h",),
    heads: Sequence[str] = ("A", "B", "F"),
    edge: float = 0.1,
    edge_starts: str | None = None,
    switches: Sequence[tuple[str, Sequence[str]]] | None = None,
    regime: Regime = "all",
    start: str = "2017-01-02",
) -> Market:
    """Make a market of which the truth is known.

    Parameters
    ----------
    kind : {"no_edge", "planted", "switching"}
        No edge ever; an edge in `heads` from `edge_starts` on; or one that moves to other heads at `switches`.
    pairs : int
        They are named S01/USD, S02/USD, …; their shocks are correlated by 0.4.
    weeks : int
        Length of the market.
    seed : int
        Where `edge_starts` is the same, a market of more weeks begins with that of fewer, and one of more pairs
        holds that of fewer, bit by bit.
    timeframes : sequence of str
        "1h" is drawn, coarser ones are made of it.
    heads : sequence of str
        Letters of `HEADS`; see Notes. G, chart patterns, has no signal here: a pattern is a rare event of its own,
        and planting one would mean drawing it.
    edge : float
        Drift a bar, in units of that bar's volatility, for a signal of 1: what the correlation of the signal with the
        next standardised return comes to. 0.05 is strong for a real market, 0.1 for a test.
    edge_starts : str, optional
        Monday from which bars drift, half way by default. Let it come after the warm-up, or the first policy is
        fitted to the edge and there is nothing left to learn.
    switches : sequence of (str, sequence of str), optional
        For "switching": dates and the heads that hold the edge from then on. By default D, H and I from half way
        between `edge_starts` and the end.
    regime : {"all", "volatile", "calm"}
        Whether the edge holds always, or only while latent volatility is high (a fifth of the time) or is not.
    start : str
        Monday 00:00 UTC at which the first bar opens.

    Returns
    -------
    Market
        Bars, signals and truth. The last bar closes at the Monday on which the market ends.

    Raises
    ------
    SettingsError
        A head, date or size that cannot be.

    Notes
    -----
    Without an edge the price is a martingale: each bar opens at the close before and takes eight steps of mean 0,
    from which its high and low come. Volatility is a log-autoregression (half-life 69 bars, 0.8 % an hour on
    average), shared by half between the pairs; a bar's shocks share a scale that makes its return Student-t with 5
    degrees of freedom. Volume grows with volatility and with the size of the return, and takes the side of a latent
    order flow (half-life 23 bars), whether or not that flow moves the price.

    The signals have mean 0, variance 1, are cut at 2 and known at the close:

    - A: sum of standardised returns 21 to 60 bars ago (goes on)
    - B: minus the z-score of the close over 20 bars (comes back)
    - C: closes beyond the range of 48 bars, fading (goes on), less its projection on A and B
    - D: minus log of quick over slow volatility (calm rises, turbulence falls)
    - E: nearness to the low or high of three days (bounces), less its projection on A, B and C
    - F: the order flow that volume shows (is followed)
    - H: a daily sine (rises 00–12 UTC, falls 12–24)
    - I: what the first pair did in six bars and this one did not (is followed); the first pair has none

    Without an edge no two of them correlate by more than 0.04. An edge of 0.1 in one head gives no signal of another
    head a correlation with the next return above 0.03, but for B under A (-0.04): a trend holds against its reversal.
    With A and B planted together that takes B's own from 0.09 to 0.04, and its win rate below from 0.62 to 0.53;
    D, F and H together keep what each has alone. Above 0.15 an edge in A feeds on itself.

    A family of indicators is wider than its head's signal, and price remembers the drift that any edge gave it. AUC on
    the side of the next eight bars, out of sample, of a logistic regression on three to seven textbook indicators of
    each family (rows: edge of 0.1; three pairs, 80 weeks scored): what is planted in A, B or C all three see alike,
    and E nearly so. A test of which heads come to carry the weight does best with D, F and H, where F still
    leads E by 0.006 only. One market (seed 21): a figure is good to about 0.01.

    =======  =====  =====  =====  =====  =====  =====  =====  =====
    planted  A      B      C      D      E      F      H      I
    =======  =====  =====  =====  =====  =====  =====  =====  =====
    none     0.50   0.50   0.50   0.50   0.49   0.49   0.50   0.50
    A        0.63   0.61   0.63   0.53   0.63   0.56   0.50   0.55
    B        0.58   0.58   0.58   0.51   0.57   0.55   0.50   0.57
    C        0.56   0.55   0.55   0.49   0.54   0.53   0.50   0.53
    D        0.53   0.52   0.55   0.60   0.55   0.51   0.50   0.52
    E        0.53   0.53   0.54   0.50   0.55   0.51   0.50   0.52
    F        0.53   0.53   0.53   0.50   0.53   0.58   0.49   0.53
    H        0.53   0.52   0.52   0.50   0.51   0.52   0.62   0.50
    I        0.50   0.50   0.50   0.50   0.50   0.49   0.50   0.54
    A, B, F  0.62   0.59   0.62   0.51   0.60   0.60   0.50   0.52
    D, F, H  0.55   0.55   0.56   0.59   0.57   0.57   0.61   0.53
    =======  =====  =====  =====  =====  =====  =====  =====  =====

    Win rate, before costs, of trades taken at the next open in the direction of the signal while it is beyond 1, with
    target and stop at 1.5 ATR(14) and at most 24 bars (450 weeks of 4 pairs, 50,000 to 200,000 overlapping trades a
    figure; ± 0.01 without an edge):

    ====  =====  =====  =====  =====
    head  0      0.05   0.1    0.2
    ====  =====  =====  =====  =====
    A     0.50   0.58   0.66   0.81
    B     0.50   0.56   0.62   0.72
    C     0.50   0.56   0.63   0.76
    D     0.50   0.57   0.64   0.72
    E     0.50   0.56   0.62   0.72
    F     0.50   0.57   0.64   0.75
    H     0.50   0.54   0.58   0.66
    I     0.50   0.54   0.58   0.65
    ====  =====  =====  =====  =====

    Examples
    --------
    >>> from edgebook.bars.bars import utc
    >>> market = make_market(kind="planted", pairs=2, weeks=4, seed=1, heads=["F"], edge_starts="2017-01-16")
    >>> market.truth.heads(at=utc("2017-01-15")), market.truth.heads(at=utc("2017-01-16"))
    ((), ('F',))
    >>> len(market.bars)
    1344
    """
    _check(pairs=pairs, weeks=weeks, edge=edge, heads=heads)
    begin = monday(start, what="start")
    end = begin + weeks * _WEEK
    spells = edge_spells(kind, heads=heads, edge_starts=edge_starts, switches=switches, begin=begin, end=end)
    n = drawn.BURN_IN_BARS + weeks * 168
    active = np.zeros((n, len(drawn.HEADS)))
    for spell in spells:
        rows = slice(*(drawn.BURN_IN_BARS + int((date - begin) / _HOUR) for date in (spell.starts, spell.ends)))
        active[rows, [drawn.HEADS.index(head) for head in spell.heads]] = 1.0
    truth = Truth(kind=kind, seed=seed, edge=edge if spells else 0.0, regime=regime, spells=spells)
    values, signals, drift = drawn.draw_bars(
        *_draws(pairs, bars=n, seed=seed), active, truth.edge, {"all": 0, "volatile": 1, "calm": -1}[regime]
    )
    kept = slice(drawn.BURN_IN_BARS, None)
    names = [f"S{number:02d}/USD" for number in range(1, pairs + 1)]
    dates = pd.date_range(begin + _HOUR, end, freq="1h").as_unit("ms")
    hourly = [
        pd.DataFrame(values[p, kept], columns=[*PRICES, "volume"]).assign(pair=name, timeframe="1h", date=dates)[
            COLUMNS
        ]
        for p, name in enumerate(names)
    ]
    told = [
        pd.DataFrame(signals[p, kept], columns=list(drawn.HEADS)).assign(pair=name, date=dates, drift=drift[p, kept])
        for p, name in enumerate(names)
    ]
    tables = [
        bars if timeframe == "1h" else resample(bars, timeframe=timeframe, bar_minutes=60)
        for bars in hourly
        for timeframe in sorted(set(timeframes))
    ]
    return Market(
        bars=pd.concat(tables, ignore_index=True),
        signals=pd.concat(told, ignore_index=True)[["pair", "date", *drawn.HEADS, "drift"]],
        truth=truth,
    )


def _draws(pairs: int, *, bars: int, seed: int) -> tuple[NDArray[np.float64], ...]:
    """All that is random, in streams of its own by pair and purpose: more bars or pairs change none of the others."""
    root = np.random.SeedSequence(seed)
    shared, *own = [np.random.SeedSequence(root.entropy, spawn_key=(number,)) for number in range(pairs + 1)]
    common, common_volatility = [np.random.default_rng(stream) for stream in shared.spawn(2)]
    draws: list[list[NDArray[np.float64]]] = [[], [], [], [], []]
    steps = common.standard_normal((bars, drawn.STEPS))
    market_volatility = _autoregression(common_volatility, bars=bars, memory=drawn.VOLATILITY_MEMORY)
    for sequence in own:
        shock, tail, volatility, flow, noise = [np.random.default_rng(stream) for stream in sequence.spawn(5)]
        draws[0].append(shock.standard_normal((bars, drawn.STEPS)))
        freedom = tail.standard_normal((bars, _TAIL_FREEDOM))
        scale = np.sqrt((_TAIL_FREEDOM - 2) / (freedom**2).sum(axis=1))
        draws[1].append(np.minimum(scale, _LARGEST_TAIL))
        lone = _autoregression(volatility, bars=bars, memory=drawn.VOLATILITY_MEMORY)
        draws[2].append(np.sqrt(0.5) * (market_volatility + lone))
        draws[3].append(_autoregression(flow, bars=bars, memory=drawn.FLOW_MEMORY))
        draws[4].append(noise.standard_normal(bars))
    shocks, tails, volatilities, flows, noises = (np.stack(column) for column in draws)
    return shocks, steps, tails, volatilities, flows, noises


def _autoregression(rng: np.random.Generator, *, bars: int, memory: float) -> NDArray[np.float64]:
    """Return a stationary series of mean 0 and variance 1 that keeps `memory` of itself a bar."""
    shocks = rng.standard_normal(bars)
    values = np.empty(bars)
    values[0] = shocks[0]
    fresh = (1.0 - memory**2) ** 0.5
    for t in range(1, bars):
        values[t] = memory * values[t - 1] + fresh * shocks[t]
    return values


def _check(*, pairs: int, weeks: int, edge: float, heads: Sequence[str]) -> None:
    """Raise on a market that cannot be."""
    check_heads(heads)
    if not 1 <= pairs <= 99 or weeks < 1:
        raise SettingsError(f"synthetic market: {pairs} pairs over {weeks} weeks; take 1 to 99 pairs, 1 week or more")
    if not 0 <= edge <= 0.5:
        raise SettingsError(f"synthetic market: edge {edge} is not between 0 and 0.5; 0.1 is already strong")
