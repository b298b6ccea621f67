"""A small market with a known truth, its tables, and a short history: what the tests of the loop stand on.

Two pairs, bars of four hours and a day, 24 weeks, of which 13 lie before genesis; an edge in three heads after it.
The folded history ends three weeks before the data do, so that a test can advance.
"""

from __future__ import annotations

import shutil
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from edgebook.bars.synthetic import make_market
from edgebook.loop.history import backfill
from edgebook.loop.pipeline import make_tables
from edgebook.paths import Paths, repository
from edgebook.policy.market import Market, PlanOutcomes, milliseconds
from edgebook.settings.loading import load_params
from edgebook.settings.params import Params

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

GENESIS, LAST, END = "2018-04-02", "2018-05-28", "2018-06-18"
"""First and last week of the folded history, and the Monday on which the data end."""
PLAN, BAR_MS = "tp2.0_sl1.5_t12", 4 * 3_600_000
SETTINGS = """\
run: {history: main, as_of: "2018-05-28", previous: "2018-05-21", genesis: "2018-04-02"}
bars:
  source: synthetic
  timeframes: [4h, 1d]
  synthetic: {kind: planted, pairs: 2, weeks: 24, seed: 5, heads: [D, F, H], edge: 0.15,
    edge_starts: "2018-04-02", start: "2018-01-01"}
candidates:
  take_profit_atr: [2.0, 3.0]
  stop_loss_atr: [1.5]
  time_limit_bars: [12]
  atr_bars: 14
  fee_bps: 7.5
  slippage_bps: 2.5
  short_financing_bps_per_day: 1.0
regimes: {trend_bars: 24, trend_z_enter: 1.0, trend_z_exit: 0.4, volatility_bars: 24, volatility_window_bars: 200,
  volatility_enter: 0.9, volatility_exit: 0.75, min_bars: 6, hmm_window_bars: 400, hmm_refit_weeks: 4}
recipes:
  r1: {role: champion, title: refit every week, exit_plan: tp2.0_sl1.5_t12, signal_quantile: 0.9, min_heads_agree: 2}
  r2: {role: baseline, title: frozen first policy, exit_plan: tp2.0_sl1.5_t12, signal_quantile: 0.9,
    min_heads_agree: 2, refit_weeks: 0}
  r3: {role: challenger, title: wider target, exit_plan: tp3.0_sl1.5_t12, signal_quantile: 0.9, min_heads_agree: 2,
    refit_weeks: 2}
sizing: {start_capital: 100000.0, risk_per_trade: 0.005, max_positions: 6, max_positions_per_pair: 2,
  max_total_risk: 0.02, max_leverage: 3.0}
learning:  # what a person decides is written here
  warmup_weeks: 8
  trial_weeks: 26
  certify_alpha: 0.05
  approval: automatic
  pins: []
  approvals: []
gate: {alpha_per_year: 0.05, admissions_per_year: 4, book_share: 0.7, max_gain_r: 12.0, max_loss_r: 18.0,
  rollback_bar: 4.0, rollback_weeks: 26}
importance: {every_weeks: 500, false_discovery_rate: 0.1, shifts: 19, rows: 400, permutations: 1, seed: 11}
tuning: {every_weeks: 0, trials: 0, sobol: 4, rows: 400, folds: 1, holdout_weeks: 2, embargo_hours: 24, seed: 13}
ab_test: {routing: paired}
goals: {win_rate_gain: 0.05, false_signal_cut: 0.2, win_rate: 0.7, profit_factor: 2.0, sharpe_ratio: 2.0,
  max_drawdown: 0.15, random_percentile: 95.0, random_policies: 20, seed: 17}
"""


@cache
def small_bars() -> pd.DataFrame:
    """All bars of the market that `SETTINGS` names."""
    return make_market(
        kind="planted", pairs=2, weeks=24, seed=5, heads=("D", "F", "H"), edge=0.15, edge_starts=GENESIS,
        start="2018-01-01", timeframes=("4h", "1d"),
    ).bars  # fmt: skip


def write_settings(paths: Paths, *, changes: dict[str, str] | None = None) -> Params:
    """Write params.yaml and dvc.yaml; `changes` replaces pieces of the text, each of which must be there."""
    text = SETTINGS
    for old, new in (changes or {}).items():
        assert old in text, old
        text = text.replace(old, new)
    paths.root.mkdir(parents=True, exist_ok=True)
    paths.params.write_text(text, encoding="utf-8")
    shutil.copy(repository() / "dvc.yaml", paths.root)
    return load_params(paths.params)


def write_tables(bars: pd.DataFrame, params: Params, *, paths: Paths) -> None:
    """Everything that the stages before the loop leave, made of these bars alone."""
    make_tables(bars, params, plans=params.candidates.plans, into=paths)


def fold_small_history(root: Path) -> Paths:
    """Tables to `END` and seals to `LAST`."""
    paths = Paths(root)
    params = write_settings(paths)
    write_tables(small_bars(), params, paths=paths)
    backfill(params, paths, until=LAST)
    return paths


def copy_history(small: Paths, root: Path, *, links: bool = True) -> Paths:
    """A repository of one's own: seals, ledger and settings copied, tables linked (or copied, to be changed)."""
    root.mkdir(parents=True, exist_ok=True)
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(small.root / name, root)
    shutil.copytree(small.root / "models", root / "models")
    shutil.copytree(small.root / "data" / "ledger", root / "data" / "ledger")
    for place in (small.root / "data").iterdir():
        if place.name == "ledger":
            continue
        if links:
            (root / "data" / place.name).symlink_to(place, target_is_directory=place.is_dir())
        elif place.is_dir():
            shutil.copytree(place, root / "data" / place.name)
        else:
            shutil.copy(place, root / "data")
    return Paths(root)


def seal_bytes(paths: Paths, *, until: str = "9999") -> dict[str, bytes]:
    """Every file of every seal and ledger up to a week, by its path."""
    found = {}
    for file in sorted(paths.history("main").rglob("*")):
        week = file.relative_to(paths.history("main")).parts[0]
        if file.is_file() and week <= until and not week.startswith("."):
            found[file.relative_to(paths.root).as_posix()] = file.read_bytes()
    for file in sorted((paths.root / "data" / "ledger" / "main").glob("*.csv")):
        if file.stem <= until:
            found[file.relative_to(paths.root).as_posix()] = file.read_bytes()
    return found


def coin_market(
    seed: int,
    *,
    bars: int = 840,
    pairs: int = 2,
    edge: float = 0.0,
    indicators: tuple[str, ...] = ("a1", "a2", "b1"),
    win_rate: float = 0.5,
) -> Market:
    """Arrays without tables: 4-hour bars, outcomes known 1 to 8 bars later, won by a coin that `indicators[0]` bends.

    A win earns 1 R, a loss costs it; longs win more often by `edge` for each standard deviation of the indicator,
    shorts less often.
    """
    rng = np.random.default_rng(seed)
    n = bars * pairs
    date = np.repeat(milliseconds(GENESIS) + np.arange(1, bars + 1) * BAR_MS, pairs)
    values = rng.normal(size=(n, len(indicators))).astype(np.float32)
    side = np.array([1.0, -1.0])
    won = rng.random((n, 2)) < win_rate + edge * values[:, :1] * side
    r_multiple = np.where(won, 1.0, -1.0)
    held = rng.integers(1, 9, (n, 2))
    entry = np.full((n, 2), 100.0)
    plan = PlanOutcomes(
        open_ms=np.repeat(date[:, None], 2, axis=1),
        known_at=date[:, None] + held * BAR_MS,
        uniqueness=np.full((n, 2), 0.5),
        open_rate=entry,
        take_profit_abs=entry + side,
        stop_loss_abs=entry - side,
        close_rate=entry + side * r_multiple,
        profit_ratio=0.01 * r_multiple,
        r_multiple=r_multiple,
        mae=np.minimum(r_multiple, 0),
        mfe=np.maximum(r_multiple, 0),
        bars_held=held.astype(np.int16),
        reason=np.where(won, 1, 2).astype(np.int8),
    )
    return Market(
        pairs=tuple(f"P{i}/USD" for i in range(pairs)),
        timeframes=("4h",),
        indicators=indicators,
        tag_names=("none",),
        date=date,
        pair=np.tile(np.arange(pairs), bars).astype(np.int8),
        timeframe=np.zeros(n, np.int8),
        regime=rng.integers(0, 4, n).astype(np.int8),
        close=np.full(n, 100.0),
        values=values,
        votes=np.sign(values).astype(np.int8),
        tag=np.zeros((n, 2), np.int16),
        bars_digest_rows=np.zeros(n, "V8"),
        plans={PLAN: plan},
    )
