"""What the files of a seal may say: the shapes of seal.json, policies, states, recipes, the account, the watch.

A policy is numbers and known names. A file that says anything else is refused by its name before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgebook.arms.gate import HYPOTHESES
from edgebook.errors import DataError, SealError
from edgebook.indicators import CATALOGUE
from edgebook.indicators.families import DESK_PATTERN
from edgebook.policy.experts import EXPERTS
from edgebook.policy.plan_outcomes import REGIMES, SIDES
from edgebook.policy.policy import SPREAD
from edgebook.policy.threshold_rules import QUANTILES
from edgebook.policy.vote_strategies import STRATEGIES as WEIGHTED
from edgebook.settings.json_shapes import Fields, Flag, Named, Number, Plain, Rows, Shape, Word, check, parsed
from edgebook.settings.recipes import HEAD_LETTERS
from edgebook.statistics.calibration import EVIDENCE_BINS
from edgebook.statistics.thresholds import GRID, SUMS

if TYPE_CHECKING:
    from collections.abc import Sequence

STRATEGIES = ("equal", *WEIGHTED)
MONDAY = Word(pattern=r"\d{4}-\d{2}-\d{2}")
NAME = Word(pattern=r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
"""Of a recipe: it is part of the name of a file."""
VERSION = Word(pattern=r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}@\d{4}-\d{2}-\d{2}")
HISTORY = Word(pattern=r"[\w-]{1,80}")
INDICATOR = Word(of=frozenset(indicator.name for indicator in CATALOGUE), more=DESK_PATTERN)
"""One of the catalogue, or a desk's."""
PATTERN = Word(pattern=r"[a-z][a-z0-9_]{0,79}")
PLAN = Word(pattern=r"tp[0-9.]{1,8}_sl[0-9.]{1,8}_t[0-9]{1,6}")
LABELS = Word(of=("rule", "hmm", "desk"))
SHARE = Number(0, 1)
COUNT = Number(0, 1e12)
LOG_ODDS = Number(-1e6, 1e6)
FILE = Word(pattern=r"(ledger|[A-Za-z0-9_]+\.(json|csv)|[a-z]+/[A-Za-z0-9][A-Za-z0-9_.-]*\.(json|csv))")
"""A file of a seal: in its folder or one below it, never elsewhere."""


def _each(names: Sequence[str], of: Shape) -> Fields:
    return Fields(dict.fromkeys(names, of))


BY_REGIME = _each(REGIMES, LOG_ODDS)
THRESHOLD = Fields(
    {
        "value": SHARE,
        "certified": Flag(),
        "weeks": Number(0, 1e6),
        "mean_r": Number(-1e6, 1e6, none=True),
        "rule": Word(of=("certified", "quantile", "bandit", "rule")),
        "quantile": Number(0, 1, none=True),
    }
)
HEAD = Fields(
    {
        "base": Rows(SHARE, length=2),
        "intercept": Rows(LOG_ODDS, length=2),
        "indicators": Named(Rows(Number(-1e12, 1e12), length=6), names=INDICATOR),
    }
)
COLUMNS = ("mean", "scale", "value_long", "value_short", "vote_long", "vote_short")


def _columns(value: Any, where: str) -> None:
    if value != list(COLUMNS):
        raise DataError(f"{where}: is {value!r:.60}, must be {', '.join(COLUMNS)}")


def _heads(value: Any, where: str) -> None:
    if not isinstance(value, dict) or not set(value) <= set(HEAD_LETTERS):
        raise DataError(f"{where}: must be heads by letter, {HEAD_LETTERS[0]} to {HEAD_LETTERS[-1]}")


POLICY = Fields(
    {
        "recipe": NAME,
        "learned": MONDAY,
        "fitted": MONDAY,
        "exit_plan": PLAN,
        "min_heads_agree": Number(0, len(HEAD_LETTERS), whole=True),
        "strategy": Word(of=STRATEGIES),
        "regimes": LABELS,
        "thresholds": _each(REGIMES, THRESHOLD),
        "head_weights": _each(REGIMES, _each(HEAD_LETTERS, LOG_ODDS)),
        "head_slopes": _each(HEAD_LETTERS, _each(SIDES, LOG_ODDS)),
        "consensus_slope": _each(SIDES, LOG_ODDS),
        "base_win_rate": _each(REGIMES, _each(SIDES, SHARE)),
        "confidence_spread": _each(REGIMES, Rows(SHARE, length=len(SPREAD))),
        "pattern_effects": Named(BY_REGIME, names=PATTERN),
        "indicator_weights": Named(BY_REGIME, names=INDICATOR),
        "head_columns": _columns,
        "heads": Named(HEAD, names=Word(of=tuple(HEAD_LETTERS))),
    }
)
POSITION = Fields(
    {
        "signal_id": Word(),
        "pair": Word(longest=80),
        "timeframe": Word(longest=8),
        "is_short": Plain(),
        "date": Word(),
        "open_date": Word(),
        "open_rate": Number(0),
        "fee_open": SHARE,
        "fee_close": SHARE,
        "take_profit_abs": Number(),
        "stop_loss_abs": Number(),
        "exit_plan": PLAN,
        "stake": Number(0),
        "risk": Number(0),
    },
    more=True,
)
BOOK = Fields({"cash": Number(), "equity": Number(), "positions": Rows(POSITION, most=100_000)})
_BINS = _each(SIDES, Rows(Number(), length=2 * EVIDENCE_BINS))


def _bins_of_heads(value: Any, where: str) -> None:
    if value != {}:
        check(value, _each(HEAD_LETTERS, _BINS), where=where)


def _group(value: Any, where: str) -> None:
    check(value, Fields({"voters": Rows(NAME, most=1000), "cross": Rows(Number()), "gram": Rows(Plain())}), where=where)
    size = len(value["voters"])
    check(value["cross"], Rows(Number(), length=size), where=f"{where}.cross")
    check(value["gram"], Rows(Plain(), length=size), where=f"{where}.gram")
    for i, row in enumerate(value["gram"]):
        check(row, Rows(Number(), length=i + 1), where=f"{where}.gram[{i}]")


def _rows_of_grid(value: Any, where: str) -> None:
    row = Rows(Number(-1e18, 1e18), length=SUMS + 1)
    check(value, Fields({"first": Number(0, len(GRID), whole=True), "rows": Rows(row)}), where=where)
    if value["first"] + len(value["rows"]) > len(GRID):
        raise DataError(f"{where}: {len(value['rows'])} rows from {value['first']}, the grid has {len(GRID)}")


_VOTES = Named(Rows(Rows(Number(), length=7), length=len(REGIMES)), names=NAME)
_STACK = Named(_group, names=NAME)
RECORD = Fields(
    {
        "weeks": Number(0, 1e6, whole=True),
        "beliefs": Fields({"leader": Word(of=STRATEGIES), "shares": Named(SHARE, names=Word(of=EXPERTS))}),
        "votes": _VOTES,
        "indicators": _VOTES,
        "names": Rows(INDICATOR, most=1000),
        "head_stack": _STACK,
        "indicator_stack": _STACK,
        "patterns": Named(Rows(Rows(Number(), length=2), length=len(REGIMES)), names=PATTERN),
        "results": _each(REGIMES, _each(SIDES, Rows(Number(0), length=2))),
        "heads": _bins_of_heads,
        "fitted_heads": _bins_of_heads,
        "consensus": Named(_BINS),
        "manager": _each(
            REGIMES,
            Fields(
                {
                    "rewards": Rows(Rows(Number(), length=3), length=len(QUANTILES)),
                    "place": Number(0, len(QUANTILES) - 1, whole=True),
                }
            ),
        ),
        "thresholds": _each(REGIMES, _rows_of_grid),
    }
)
STATE = Fields({"recipe": NAME, "expected_stake": Number(), "book": BOOK, "record": RECORD})
RECIPES = Named(
    Fields(
        {
            "role": Word(),
            "title": Word(),
            "origin": Word(),
            "since": MONDAY,
            "until": Word(pattern=MONDAY.pattern, none=True),
            "settings": Fields({"exit_plan": PLAN}, more=True),
        },
        more=True,
    ),
    names=NAME,
    most=10_000,
)
_WALK = _each(("level", "since", "count", "promised", "shortfall"), Plain())
DRIFT = Fields(
    {
        "champion": NAME,
        "paid": _each(("won", "lost", "gained", "given"), Number()),
        "streams": Named(
            Fields({n: Number() for n in ("age_weeks", "count", "by_day", "by_block", "last")} | {"walk": _WALK}),
            names=Word(pattern=r"[A-Za-z][A-Za-z0-9_ ]{0,99}"),
        ),
    }
)
_NAMES = Rows(Word(pattern=r"[a-z][a-z0-9_]{0,79}"), most=1000)
IMPORTANCE = Fields({"at": MONDAY, "kept": _NAMES, "clusters": Rows(Plain(), most=1000)}, more=True)
"""What every importance run says; of the rest only that it is plain."""
STUDY = Fields(
    {
        "as_of": MONDAY,
        "recipe": Named(Plain()),
        "budget": Named(Plain()),
        "verdict": Word(),
        "proposals": Rows(Fields({"origin": Word(), "title": Word(), "settings": Named(Plain())}, more=True), most=100),
    },
    more=True,
)
"""What every tuning study says."""
ATTACHED = {"drift.json": DRIFT, "keep.json": IMPORTANCE, "study/study.json": STUDY}
"""Files that a seal has where there was something to hand on."""
TRIAL = Fields(
    {
        "kind": Word(of=("promotion", "baseline", "rollback")),
        "arm": NAME,
        "against": NAME,
        "since": MONDAY,
        "bar": Number(0, 1e12),
        "planned_days": Number(0, 1e6),
        "days": Number(0, 1e6),
        "log_wealth": _each(HYPOTHESES, LOG_ODDS),
        "squares": _each(HYPOTHESES, Number(0)),
        "crossed": Word(pattern=MONDAY.pattern, none=True),
    }
)
SEAL = Fields(
    {
        "format": Number(whole=True),
        "history": HISTORY,
        "market": Word(longest=80),
        "as_of": MONDAY,
        "week": Number(0, 1e6, whole=True),
        "champion": NAME,
        "champion_version": VERSION,
        "challenger": Word(pattern=NAME.pattern, none=True),
        "arms": Rows(NAME, most=1000),
        "decision": Fields({"action": Word()}, more=True),
        "events": Rows(Fields({"kind": Word(), "recipe": Word(none=True), "text": Word(longest=4000)}, more=True)),
        "trials": Rows(TRIAL, most=1000),
        "files": Named(Word(pattern=r"[0-9a-f]{24}"), names=FILE, most=10_000),
    },
    more=True,
)


def sealed_json(text: str, shape: Shape, *, where: str) -> Any:
    """Read a file of a seal, held to its shape.

    Raises
    ------
    SealError
        File, key, value and rule, and how to get the file back.
    """
    try:
        return parsed(text, shape, where=where)
    except DataError as error:
        detail = str(error).removeprefix(f"{where}: ")
        raise SealError(f"{where}: is damaged ({detail}); restore it with `git checkout -- {where}`") from error
