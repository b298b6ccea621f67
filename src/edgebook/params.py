"""params.yaml: typed, and checked when it is loaded.

Each stage declares its own sections in dvc.yaml and is handed those alone. A section is a frozen dataclass whose
field types are the check; a rule that types cannot say stands in `_check_*` below.
"""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from edgebook.errors import SettingsError
from edgebook.recipes import HEAD_LETTERS, Recipe

Section = TypeVar("Section")


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

    source: Literal["crypto", "equities", "synthetic", "folder"]
    timeframes: tuple[str, ...]
    folder: str = "data/raw"
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


@dataclass(frozen=True, kw_only=True)
class Regimes:
    """The rule that names the regime of a bar (see `edgebook.regimes.segment`)."""

    trend_bars: int
    trend_z_enter: float
    trend_z_exit: float
    volatility_bars: int
    volatility_window_bars: int
    volatility_enter: float
    volatility_exit: float
    min_bars: int


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


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A promotion that the gate recommended at `week` and a person approved."""

    week: str
    recipe: str


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
    """The promotion gate and its error budget (see `edgebook.gate`)."""

    alpha_per_year: float
    admissions_per_year: int
    book_share: float
    max_gain_r: float
    max_loss_r: float
    rollback_bar: float
    rollback_weeks: int


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


@dataclass(frozen=True, kw_only=True)
class AbTest:
    """How the two arms are compared in live use."""

    routing: Literal["paired", "randomised"]


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


def load_params(path: Path) -> Params:
    """Read and check the settings.

    Parameters
    ----------
    path : Path
        A YAML 1.2 file (so that ``1e-3`` is a number, as it is to DVC).

    Raises
    ------
    SettingsError
        One line that names the setting, what is wrong, and what to do.
    """
    return section(Params, read_mapping(path), where=path.name)


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a YAML 1.2 file whose top level is a mapping."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if not path.exists():
        raise SettingsError(f"{path}: no such file; run from a checkout of the repository")
    try:
        mapping = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except YAMLError as error:
        detail = " ".join(str(error).split())
        raise SettingsError(f"{path.name}: not valid YAML: {detail}") from error
    if not isinstance(mapping, dict):
        raise SettingsError(f"{path.name}: must be a mapping of sections, is {type(mapping).__name__}")
    return mapping


def section(kind: type[Section], mapping: Mapping[str, Any], *, where: str) -> Section:
    """Build one section and check it.

    Parameters
    ----------
    kind : type
        The section's dataclass.
    mapping : mapping
        Names and plain values, as YAML or a notebook's parameter cell gives them.
    where : str
        How errors name it, e.g. ``params.yaml: tuning``.

    Raises
    ------
    SettingsError
        Unknown or missing setting, wrong type, impossible value.
    """
    built: Section = _build(kind, mapping, where)
    return built


def plain(value: Any) -> Any:
    """Turn a section back into what YAML and JSON know: mappings, lists, numbers, text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value


def _build(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise SettingsError(f"{where}: must be a mapping of settings, is {value!r}")
    hints = typing.get_type_hints(kind)
    fields = {f.name: f for f in dataclasses.fields(kind)}
    for key in value:
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(fields)}"
            raise SettingsError(f"{_join(where, key)}: no such setting; {hint}")
    given = {}
    for name, f in fields.items():
        if name in value:
            given[name] = _convert(hints[name], value[name], _join(where, name))
        elif f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise SettingsError(f"{_join(where, name)}: missing; add it")
    built = kind(**given)
    check = _CHECKS.get(kind)
    if check is not None:
        check(built, where)
    return built


def _join(where: str, name: object) -> str:
    return f"{where}{'.' if ':' in where else ': '}{name}"


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, where)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        return _convert(next(a for a in arguments if a is not type(None)), value, where)
    if origin is Literal:
        if value not in arguments:
            near = difflib.get_close_matches(str(value), [str(a) for a in arguments], n=1)
            hint_text = f"did you mean {near[0]}?" if near else ""
            raise SettingsError(
                f"{where}: {value!r} is not one of {', '.join(map(str, arguments))}; {hint_text}".strip("; ")
            )
        return value
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise SettingsError(f"{where}: must be a list, is {value!r}")
        return tuple(_convert(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, Mapping):
            raise SettingsError(f"{where}: must be a mapping, is {value!r}")
        return {str(key): _convert(arguments[1], item, _join(where, key)) for key, item in value.items()}
    return _scalar(hint, value, where)


def _scalar(hint: Any, value: Any, where: str) -> Any:
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        if value != value or value in (float("inf"), float("-inf")):
            raise SettingsError(f"{where}: must be a finite number, is {value!r}")
        return float(value)
    if hint is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if hint is bool and isinstance(value, bool):
        return value
    if hint is str and isinstance(value, str):
        return value
    if hint is str and isinstance(value, (datetime.date, datetime.datetime)):
        raise SettingsError(f'{where}: put the date in quotes: "{value}"')
    names = {float: "a number", int: "a whole number", bool: "true or false", str: "text"}
    raise SettingsError(f"{where}: must be {names.get(hint, hint)}, is {value!r}")


def _require(condition: bool, where: str, rule: str) -> None:
    if not condition:
        raise SettingsError(f"{where}: {rule}")


def monday(text: str, where: str) -> datetime.date:
    """Read a date that must be a Monday.

    Raises
    ------
    SettingsError
        It is not a date, or not a Monday; the message names the nearest one before it.
    """
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{where}: {text!r} is not a date like 2019-07-01") from error
    if day.weekday() != 0:
        before = day - datetime.timedelta(days=day.weekday())
        raise SettingsError(
            f"{where}: {text} is a {day:%A}; weeks end on a Monday 00:00 UTC, the one before is {before}"
        )
    return day


def _check_run(run: Run, where: str) -> None:
    as_of = monday(run.as_of, _join(where, "as_of"))
    previous = monday(run.previous, _join(where, "previous"))
    genesis = monday(run.genesis, _join(where, "genesis"))
    week = datetime.timedelta(days=7)
    _require(previous == as_of - week, _join(where, "previous"), f"must be the Monday before as_of, {as_of - week}")
    _require(genesis < as_of, _join(where, "genesis"), f"{genesis} must lie before as_of {as_of}")
    _require(
        bool(run.history) and run.history.replace("_", "").replace("-", "").isalnum(),
        _join(where, "history"),
        f"{run.history!r} must be letters, digits, _ and - (it names a folder)",
    )


def _check_bars(bars: Bars, where: str) -> None:
    known = ("1h", "4h", "1d")
    _require(len(bars.timeframes) > 0, _join(where, "timeframes"), "name at least one")
    for timeframe in bars.timeframes:
        _require(timeframe in known, _join(where, "timeframes"), f"{timeframe!r} is not one of {', '.join(known)}")


def _check_candidates(grid: Candidates, where: str) -> None:
    for name in ("take_profit_atr", "stop_loss_atr", "time_limit_bars"):
        values = getattr(grid, name)
        _require(len(values) > 0, _join(where, name), "name at least one value")
        _require(all(v > 0 for v in values), _join(where, name), f"must be above 0, is {list(values)}")
    for name in ("fee_bps", "slippage_bps", "short_financing_bps_per_day"):
        _require(getattr(grid, name) >= 0, _join(where, name), f"must not be negative, is {getattr(grid, name)}")


def _check_recipe(recipe: Recipe, where: str) -> None:
    _require(recipe.train_weeks >= 4, _join(where, "train_weeks"), f"must be at least 4, is {recipe.train_weeks}")
    _require(recipe.refit_weeks >= 0, _join(where, "refit_weeks"), "must be 0 (never) or a number of weeks")
    _require(recipe.shrinkage > 0, _join(where, "shrinkage"), f"must be above 0, is {recipe.shrinkage}")
    _require(
        0.5 <= recipe.signal_quantile < 1,
        _join(where, "signal_quantile"),
        f"must be in [0.5, 1), is {recipe.signal_quantile}",
    )
    _require(0 <= recipe.min_heads_agree <= 9, _join(where, "min_heads_agree"), "must be 0 to 9")
    _require(recipe.half_life_weeks > 0, _join(where, "half_life_weeks"), "must be above 0")
    for letter in recipe.head_shrinkage:
        _require(letter in HEAD_LETTERS, _join(where, "head_shrinkage"), f"{letter!r} is not a head; heads are A to I")


def _check_sizing(sizing: Sizing, where: str) -> None:
    _require(sizing.start_capital > 0, _join(where, "start_capital"), "must be above 0")
    _require(0 < sizing.risk_per_trade <= 0.05, _join(where, "risk_per_trade"), "must be in (0, 0.05]")
    _require(sizing.max_positions >= 1, _join(where, "max_positions"), "must be at least 1")
    _require(
        sizing.max_total_risk >= sizing.risk_per_trade,
        _join(where, "max_total_risk"),
        "must hold at least one risk_per_trade",
    )


def _check_learning(learning: Learning, where: str) -> None:
    _require(learning.warmup_weeks >= 8, _join(where, "warmup_weeks"), "must be at least 8")
    _require(learning.trial_weeks >= 4, _join(where, "trial_weeks"), "must be at least 4")
    _require(0 < learning.certify_alpha <= 0.2, _join(where, "certify_alpha"), "must be in (0, 0.2]")
    for i, pin in enumerate(learning.pins):
        monday(pin.week, f"{where}.pins[{i}].week")
    for i, approval in enumerate(learning.approvals):
        monday(approval.week, f"{where}.approvals[{i}].week")


def _check_gate(gate: Gate, where: str) -> None:
    _require(0 < gate.alpha_per_year <= 0.2, _join(where, "alpha_per_year"), "must be in (0, 0.2]")
    _require(gate.admissions_per_year >= 1, _join(where, "admissions_per_year"), "must be at least 1")
    _require(0 < gate.book_share <= 1, _join(where, "book_share"), "must be in (0, 1]")
    _require(
        gate.max_loss_r >= gate.max_gain_r > 0,
        _join(where, "max_loss_r"),
        "must be at least max_gain_r: lags are bounded less tightly than leads, or a book that picks pennies passes",
    )


def _check_params(params: Params, where: str) -> None:
    champions = [name for name, recipe in params.recipes.items() if recipe.role == "champion"]
    challengers = [name for name, recipe in params.recipes.items() if recipe.role == "challenger"]
    _require(len(champions) == 1, f"{where}: recipes", f"exactly one has role champion at genesis, found {champions}")
    _require(
        len(challengers) <= 1, f"{where}: recipes", f"at most one has role challenger at genesis, found {challengers}"
    )
    grid = params.candidates
    plans = {
        f"tp{tp}_sl{sl}_t{t}" for tp in grid.take_profit_atr for sl in grid.stop_loss_atr for t in grid.time_limit_bars
    }
    for name, recipe in params.recipes.items():
        _require(
            recipe.exit_plan in plans,
            f"{where}: recipes.{name}.exit_plan",
            f"{recipe.exit_plan} is not in the grid of section candidates; the first of it is {min(plans)}",
        )


_CHECKS: dict[Any, Callable[[Any, str], None]] = {
    Run: _check_run,
    Bars: _check_bars,
    Candidates: _check_candidates,
    Recipe: _check_recipe,
    Sizing: _check_sizing,
    Learning: _check_learning,
    Gate: _check_gate,
    Params: _check_params,
}
