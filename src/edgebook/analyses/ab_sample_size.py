"""How much data routing asks for beside pairing, from this history's own signals.

Paired, both arms trade every signal they give and what the market did to both cancels out. Routed, a signal has one
arm, and the coin that chose it adds its own noise. Both noises are known exactly where both books were kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from edgebook.analyses.ab_trials import Comparison, Settings, rounded, trades_of
from edgebook.analyses.power import MIN_DAYS, Spread, paths_of_wealth, weeks_to_bar
from edgebook.statistics import intervals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.statistics.intervals import Interval

EDGES_WIN_RATE = (0.01, 0.025, 0.05, 0.1)
EDGES_R = (0.1, 0.25, 0.5, 1.0)
"""R a day; looked at while the worth of a win is unknown."""
POWER, LEVEL = 0.8, 0.05
WEEKS, PATHS, COPIES = 260, 200, 24
DRAWS = 999


@dataclass(frozen=True)
class Flow:
    """What both arms' own books traded in the whole weeks of a trial.

    Parameters
    ----------
    found : Comparison
    signals : DataFrame
        One row a candidate that either arm traded: day (of the trial, of entry), arm_r and against_r (0 where that
        arm did not trade it), of_arm, of_against.
    share : float
        That routing sends to the arm.
    """

    found: Comparison
    signals: pd.DataFrame = field(repr=False)
    share: float

    @property
    def weeks(self) -> int:
        """Whole weeks."""
        return len(self.found.days) // 7

    @property
    def known(self) -> bool:
        """Whether there is enough to measure: both arms traded, over at least `power.MIN_DAYS` days."""
        return 7 * self.weeks >= MIN_DAYS and bool(self.signals["of_arm"].any() and self.signals["of_against"].any())

    @property
    def per_week(self) -> tuple[float, float, float]:
        """Signals a week of the champion, of the challenger, and of an account that is split between them."""
        own, other = (float(self.signals[name].sum()) / max(self.weeks, 1) for name in ("of_against", "of_arm"))
        return own, other, (1 - self.share) * own + self.share * other

    @property
    def overlap(self) -> float:
        """Share of candidates that both arms traded; NaN without any."""
        both = self.signals["of_arm"] & self.signals["of_against"]
        return float(both.mean()) if len(both) else np.nan

    def weekly(self, values: pd.Series) -> NDArray[np.float64]:
        """Sum over the signals of each week, shape (weeks,)."""
        at = self.signals["day"].to_numpy() // 7
        return np.asarray(np.bincount(at, weights=values.to_numpy(dtype=np.float64), minlength=self.weeks), np.float64)

    @property
    def correlation(self) -> float:
        """Of both arms' R a week; NaN where one does not vary."""
        both = np.array([self.weekly(self.signals[name]) for name in ("arm_r", "against_r")])
        return float(np.corrcoef(both)[0, 1]) if self.weeks > 1 and (both.std(axis=1) > 0).all() else np.nan


def flow_of(found: Comparison, trades: pd.DataFrame, *, share: float, fallback: Comparison | None = None) -> Flow:
    """Pair the signals of both arms by candidate.

    Parameters
    ----------
    found : Comparison
    trades : DataFrame
        Trades of every arm's own book, column `arm`.
    share : float
        That routing would send to the arm, between 0 and 1.
    fallback : Comparison, optional
        Used when the flow of `found` is not known: the baseline trial.
    """
    flow = _flow(found, trades, share=share)
    return flow if flow.known or fallback is None else _flow(fallback, trades, share=share)


def _flow(found: Comparison, trades: pd.DataFrame, *, share: float) -> Flow:
    """Both arms' signals of one trial, by candidate."""
    columns = ["signal_id", "open_date", "r_multiple"]
    if not found.arm:
        empty = dict.fromkeys(["arm_r", "against_r"], np.float64) | dict.fromkeys(["of_arm", "of_against"], bool)
        signals = pd.DataFrame(columns=["day", *empty]).astype(empty | {"day": np.int64})
        return Flow(found, signals, share)
    arm, against = (trades_of(found, trades, arm=name)[columns] for name in (found.arm, found.against))
    both = arm.merge(against, on="signal_id", how="outer", suffixes=("_arm", "_against"), validate="one_to_one")
    opened = both["open_date_arm"].fillna(both["open_date_against"])
    signals = pd.DataFrame(
        {
            "day": (opened - pd.Timestamp(found.since, tz="UTC")) // pd.Timedelta(days=1),
            "arm_r": both["r_multiple_arm"].fillna(0.0).astype(np.float64),
            "against_r": both["r_multiple_against"].fillna(0.0).astype(np.float64),
            "of_arm": both["r_multiple_arm"].notna(),
            "of_against": both["r_multiple_against"].notna(),
        }
    ).astype({"day": np.int64})
    return Flow(found, signals[signals["day"] < 7 * (len(found.days) // 7)].reset_index(drop=True), share)


def variances(flow: Flow) -> tuple[float, float]:
    """Variance of a week's difference in R, challenger less champion: paired, and routed.

    Parameters
    ----------
    flow : Flow
        Known.

    Notes
    -----
    Paired it is the variance over weeks. Routing adds the coin's: of a signal that is worth b to the arm and a to the
    other, ``q (1 - q) (b / q + a / (1 - q))^2``, q the share; coins are independent, so these add up. A redraw of the
    coins agrees (tests/test_ab_sample_size.py).
    """
    paired = float(np.var(_paired(flow), ddof=1))
    return paired, paired + float(_coins(flow).mean())


def cost_of_routing(flow: Flow, *, seed: int = 23) -> Interval:
    """How many times the data of pairing the randomised test asks for, with an interval over weeks.

    Parameters
    ----------
    flow : Flow
    seed : int
        Of the bootstrap over weeks.

    Returns
    -------
    Interval
        Ratio of both variances, percentile interval; NaN while the flow is not known.
    """
    if not flow.known:
        return intervals.UNDEFINED
    gap, coin = _paired(flow), _coins(flow)
    at = np.random.default_rng(seed).integers(0, flow.weeks, (DRAWS, flow.weeks))
    drawn = 1 + coin[at].mean(axis=1) / np.maximum(np.var(gap[at], axis=1, ddof=1), 1e-9)
    low, high = np.quantile(drawn, [0.025, 0.975])
    paired, routed = variances(flow)
    ratio = routed / paired if paired > 0 else np.nan
    return intervals.Interval(ratio, float(low), float(high), flow.weeks, float(flow.weeks))


def routed_spread(flow: Flow, *, seed: int = 24, copies: int = COPIES) -> Spread:
    """Days of an account that is split between equal arms, to draw from: the observed days under fresh coins.

    Parameters
    ----------
    flow : Flow
        Known.
    seed, copies : int
        How often every day's coins are thrown.

    Returns
    -------
    Spread
        Scores as `ab_routed.routed_days` makes them, less their mean.
    """
    rng = np.random.default_rng(seed)
    day, q = flow.signals["day"].to_numpy(), flow.share
    arm, against = (flow.signals[name].to_numpy() for name in ("arm_r", "against_r"))
    scores = []
    for _ in range(copies):
        to_arm = rng.random(len(day)) < q
        scores.append(np.bincount(day, weights=_score(to_arm, arm, against, share=q), minlength=7 * flow.weeks))
    score = np.round(np.concatenate(scores), 6)
    centred = np.column_stack([score - score.mean(), np.zeros(len(score))])
    return Spread(centred, 7 * flow.weeks)


def sample_sizes(
    flow: Flow, paired: Spread, *, worth_of_a_point: float, settings: Settings, paths: int = PATHS, weeks: int = WEEKS
) -> pd.DataFrame:
    """Signals and weeks that an edge takes, paired and routed, at 80 % power.

    Parameters
    ----------
    flow : Flow
    paired : Spread
        Of the paired daily differences, as `power.spread_of` gives it.
    worth_of_a_point : float
        R a day that one percentage point of win rate is worth; NaN when unknown.
    settings : Settings
    paths, weeks : int
        Size of the simulation of the gate.

    Returns
    -------
    DataFrame
        One row an edge, the smallest first: win_rate (gain; NaN where edges are in R), edge_r (a day, of an arm that
        has every signal), then for paired and routed: `_weeks` and `_signals` of one planned two-sided test at 5 %,
        and `_gate`, the weeks within which the gate promotes in 80 % of `paths` (infinite beyond `weeks`).
        NaN while the flow is not known.

    Notes
    -----
    Planned: ``(z_0.975 + z_0.8)^2 variance / edge^2`` weeks, a week's R as the unit. The gate: the books alone, so
    that both ways go through the same bets; its bar is that of a challenger.
    """
    known = np.isfinite(worth_of_a_point) and worth_of_a_point > 0
    edges = [(p, 100 * p * worth_of_a_point) for p in EDGES_WIN_RATE] if known else [(np.nan, r) for r in EDGES_R]
    reach = float(stats.norm.ppf(1 - LEVEL / 2) + stats.norm.ppf(POWER)) ** 2
    variance = variances(flow) if flow.known else (np.nan, np.nan)
    own, _, split = flow.per_week
    half = 2 * flow.share * (1 - flow.share)  # of an edge that shows in the score of an account that is split
    ways = [
        ("paired", variance[0], own, paired, 1.0),
        ("routed", variance[1], split, routed_spread(flow) if flow.known else paired, half),
    ]
    rows = []
    for win_rate, edge in edges:
        row = {"win_rate": win_rate, "edge_r": edge}
        for name, of_week, rate, spread, scale in ways:
            planned = reach * of_week / (7 * edge) ** 2
            row |= {f"{name}_weeks": planned, f"{name}_signals": planned * rate, f"{name}_gate": np.nan}
            if flow.known:
                found = _gate_weeks(spread, edge_r=edge * scale, settings=settings, paths=paths, weeks=weeks)
                row[f"{name}_gate"] = found
        rows.append(row)
    return rounded(pd.DataFrame(rows))


def _gate_weeks(spread: Spread, *, edge_r: float, settings: Settings, paths: int, weeks: int) -> float:
    """Weeks within which the gate promotes an edge in 80 % of paths, on the books alone."""
    alone = replace(settings, gate=replace(settings.gate, book_share=1.0))
    wealth = paths_of_wealth(spread, edge_r=edge_r, settings=alone, paths=paths, weeks=weeks, seed=25)
    return float(np.quantile(weeks_to_bar(wealth, bar=settings.bar), POWER, method="higher"))


def _score(
    to_arm: NDArray[np.bool_], arm: NDArray[np.float64], against: NDArray[np.float64], *, share: float
) -> NDArray[np.float64]:
    """Each signal's part in the score of an account that is split."""
    return np.where(to_arm, 2 * (1 - share) * arm, -2 * share * against)


def _paired(flow: Flow) -> NDArray[np.float64]:
    """R of each week, challenger less champion."""
    return flow.weekly(flow.signals["arm_r"] - flow.signals["against_r"])


def _coins(flow: Flow) -> NDArray[np.float64]:
    """Variance that the coins add to each week's difference."""
    q = flow.share
    return flow.weekly(q * (1 - q) * (flow.signals["arm_r"] / q + flow.signals["against_r"] / (1 - q)) ** 2)
