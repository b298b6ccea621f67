"""params.yaml: typed, and checked when it is loaded.

Each stage declares its own sections in dvc.yaml and is handed those alone. A section is a frozen dataclass whose
field types are the check; a rule that types cannot say stands in `edgebook.settings.settings_rules`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from edgebook.settings.bar_database import Database
from edgebook.settings.bar_feed import Feed
from edgebook.settings.bar_files import Files
from edgebook.settings.desk_outcomes import Outcomes
from edgebook.settings.desk_section import Desk
from edgebook.settings.exit_plans import Costs, ExitPlan, exit_plan_grid
from edgebook.settings.recipes import Recipe


@dataclass(frozen=True, kw_only=True)
class Run:
    """Which week of which history; `as_of` is a Monday 00:00 UTC, before which everything is known."""

    history: str
    as_of: str
    previous: str
    genesis: str


@dataclass(frozen=True, kw_only=True)
class Synthetic:
    """A market with a known truth, for the source `synthetic`."""

    kind: Literal["no_edge", "planted", "switching"] = "no_edge"
    pairs: int = 3
    weeks: int = 60
    seed: int = 1
    heads: tuple[str, ...] = ("A", "B", "F")
    edge: float = 0.1
    edge_starts: str | None = None
    start: str = "2017-01-02"


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Where bars come from."""

    source: Literal["crypto", "equities", "synthetic", "folder", "database", "ccxt", "yfinance"]
    timeframes: tuple[str, ...]
    folder: str = "data/raw"
    files: Files = field(default_factory=Files)
    database: Database = field(default_factory=Database)
    feed: Feed = field(default_factory=Feed)
    late: Literal["refuse", "accept"] = "refuse"
    silent: tuple[str, ...] = ()
    universe: dict[str, dict[str, str]] = field(default_factory=dict)
    universe_file: str | None = None
    holidays: tuple[str, ...] = ()
    synthetic: Synthetic = field(default_factory=Synthetic)


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """The grid of exit plans, and what a trade costs a side."""

    take_profit_atr: tuple[float, ...]
    stop_loss_atr: tuple[float, ...]
    time_limit_bars: tuple[int, ...]
    atr_bars: int = 14
    fee_bps: float
    slippage_bps: float
    short_financing_bps_per_day: float

    @property
    def plans(self) -> list[ExitPlan]:
        """Every exit plan of the grid."""
        return exit_plan_grid(
            take_profit_atr=self.take_profit_atr,
            stop_loss_atr=self.stop_loss_atr,
            time_limit_bars=self.time_limit_bars,
        )

    @property
    def costs(self) -> Costs:
        """What a trade pays, in basis points."""
        return Costs(self.fee_bps, self.slippage_bps, self.short_financing_bps_per_day)


@dataclass(frozen=True, kw_only=True)
class Regimes:
    """The rule that names the regime of a bar (`regimes.regimes.segment`), and its alternative (`regime_hmm`)."""

    trend_bars: int
    trend_z_enter: float
    trend_z_exit: float
    volatility_bars: int
    volatility_window_bars: int
    volatility_enter: float
    volatility_exit: float
    min_bars: int
    hmm_window_bars: int = 4320
    hmm_refit_weeks: int = 13
    hmm_switch_margin: float = 0.9


@dataclass(frozen=True, kw_only=True)
class Sizing:
    """How large a position is, and how much may be at risk."""

    start_capital: float
    risk_per_trade: float
    max_positions: int
    max_positions_per_pair: int
    max_total_risk: float
    max_leverage: float


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A rollback by hand: from the week that ends at `week` on, `version` is the champion."""

    week: str
    version: str
    reason: str
    history: str | None = None


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A promotion that the gate recommended at `week` and a person approved."""

    week: str
    recipe: str
    history: str | None = None


@dataclass(frozen=True, kw_only=True)
class Learning:
    """How an arm starts and what a person has decided."""

    warmup_weeks: int
    trial_weeks: int
    certify_alpha: float
    approval: Literal["automatic", "manual"]
    pins: tuple[Pin, ...] = ()
    approvals: tuple[Approval, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The promotion gate and its error budget (see `edgebook.arms.gate`)."""

    alpha_per_year: float
    admissions_per_year: int
    book_share: float
    max_gain_r: float
    max_loss_r: float
    rollback_bar: float
    rollback_weeks: int


@dataclass(frozen=True, kw_only=True)
class Drift:
    """The watch over outcomes, and its false alarms (see `edgebook.arms.drift`)."""

    false_alarms_per_year: float = 1.0
    smallest_fall: float = 0.1
    smallest_count_per_week: float = 5.0


@dataclass(frozen=True, kw_only=True)
class Importance:
    """Feature selection: its schedule and its error rate."""

    every_weeks: int
    false_discovery_rate: float
    shifts: int
    rows: int
    permutations: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """Bayesian tuning: its schedule and its budget."""

    every_weeks: int
    trials: int
    sobol: int
    rows: int
    folds: int
    holdout_weeks: int
    embargo_hours: int
    seed: int
    batch: int = 4
    grid: bool = False
    workers: int = 1


@dataclass(frozen=True, kw_only=True)
class AbTest:
    """How the two arms are compared in live use (see `edgebook.loop.routing`)."""

    routing: Literal["paired", "randomised"] = "paired"
    share: float = 0.5
    salt: str = "edgebook"


@dataclass(frozen=True, kw_only=True)
class Goals:
    """What the learning review holds the system against."""

    win_rate_gain: float
    false_signal_cut: float
    win_rate: float
    profit_factor: float
    sharpe_ratio: float
    max_drawdown: float
    random_percentile: float
    random_policies: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class Params:
    """All of params.yaml."""

    run: Run
    bars: Bars
    candidates: Candidates
    regimes: Regimes
    recipes: dict[str, Recipe]
    sizing: Sizing
    learning: Learning
    gate: Gate
    importance: Importance
    tuning: Tuning
    ab_test: AbTest
    goals: Goals
    drift: Drift = field(default_factory=Drift)
    outcomes: Outcomes = field(default_factory=Outcomes)
    desk: Desk = field(default_factory=Desk)


def plain(value: Any) -> Any:
    """Turn a section back into what YAML and JSON know: mappings, lists, numbers, text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value
