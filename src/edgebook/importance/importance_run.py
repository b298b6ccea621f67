"""The importance run of a week: measured when it is due, else the last one carried on.

One run is one JSON document: the keep-list with its evidence, and what the report shows beside it. The week in which
it was measured seals it; until the next is due, later weeks show it again and measure nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.errors import DataError
from edgebook.files.whole_files import write_whole
from edgebook.importance.contributions import vote_contributions
from edgebook.importance.importance import gather_evidence, keep_list
from edgebook.importance.importance_decisions import dated_decisions
from edgebook.importance.permutation import permutation_importance
from edgebook.indicators import head_of
from edgebook.seals.seal_shapes import IMPORTANCE
from edgebook.seals.seals import sealed_weeks
from edgebook.settings.json_shapes import parsed
from edgebook.settings.loading import section
from edgebook.settings.params import Importance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from edgebook.paths import Paths
    from edgebook.seals.week import Week

SEALED_NAME = "keep.json"
_FOLDS = 3
_NULLS = 2
_EMBARGO = pd.Timedelta("1D")


def measure_importance(
    indicators: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    votes: pd.DataFrame,
    regimes: pd.DataFrame,
    exit_plan: str,
    at: pd.Timestamp,
    settings: Importance,
    earlier: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Measure every indicator on what was known at a time.

    Parameters
    ----------
    indicators, votes : DataFrame
        pair, timeframe, date, and one column an indicator.
    outcomes : DataFrame
        Candidates of `exit_plan`, each with `known_at`.
    regimes : DataFrame
        pair, timeframe, date, regime.
    exit_plan : str
        Its name, for the record.
    at : Timestamp
        UTC; outcomes known later do not enter.
    settings : Importance
        Rate, shifts, rows, permutations, seed.
    earlier : sequence of mapping
        Decisions of the runs before, which this one carries on.

    Returns
    -------
    dict
        JSON-able: what `importance.keep_list` returns, with decisions (of all runs, as
        `importance_decisions.dated_decisions` returns them), exit_plan, correlation (names and rows, two places),
        permutation (one mapping a cluster) and contributions (columns of `contributions.vote_contributions`).
    """
    evidence = gather_evidence(
        indicators,
        outcomes,
        at=at,
        false_discovery_rate=settings.false_discovery_rate,
        shifts=settings.shifts,
        rows=settings.rows,
        seed=settings.seed,
    )
    heads = {name: head_of(name) for name in evidence.rows.names}
    found = keep_list(evidence, heads=heads)
    shuffled = permutation_importance(
        evidence.rows,
        evidence.clusters,
        permutations=settings.permutations,
        n_folds=_FOLDS,
        embargo=_EMBARGO,
        max_rows=settings.rows,
        n_nulls=_NULLS,
        seed=settings.seed,
    )
    contributions = vote_contributions(votes, outcomes, regimes=regimes, at=at)
    return found | {
        "decisions": dated_decisions(found, earlier=earlier, heads=heads),
        "exit_plan": exit_plan,
        "correlation": {
            "names": list(evidence.rows.names),
            "rows": (evidence.clusters.correlation.round(2) + 0.0).tolist(),
        },
        "permutation": shuffled.to_dict(orient="records"),
        "contributions": contributions.round(4)
        .astype(object)
        .where(contributions.notna(), None)
        .to_dict(orient="list"),
    }


def importance_due(*, as_of: str, last: str | None, every_weeks: int) -> bool:
    """Whether a week measures anew: when none has, or the last did `every_weeks` ago.

    Examples
    --------
    >>> importance_due(as_of="2019-07-01", last="2019-04-08", every_weeks=13)
    False
    >>> importance_due(as_of="2019-07-08", last="2019-04-08", every_weeks=13)
    True
    """
    return last is None or pd.Timestamp(as_of) - pd.Timestamp(last) >= pd.Timedelta(weeks=every_weeks)


def sealed_importance(paths: Paths, *, history: str, before: str) -> dict[str, Any] | None:
    """Last importance run that a week before `before` has sealed; None when there is none."""
    for week in reversed(sealed_weeks(paths, history)):
        place = paths.seal(history=history, as_of=week) / SEALED_NAME
        if week < before and place.exists():
            return read_importance(place)
    return None


def importance_in_force(week: Week, *, importance: Mapping[str, Any], exit_plan: str) -> dict[str, Any]:
    """Measure this week's importance if it is due, else return the last one.

    Parameters
    ----------
    week : Week
        Tables, and the seals before it.
    importance : mapping
        Section `importance` of params.yaml.
    exit_plan : str
        Whose outcomes are measured.

    Returns
    -------
    dict
        As `measure_importance` returns it; `at` says when it was measured.
    """
    settings = section(Importance, importance, where="params.yaml: importance")
    last = sealed_importance(week.paths, history=week.history, before=week.as_of)
    if last is not None and not importance_due(as_of=week.as_of, last=last["at"], every_weeks=settings.every_weeks):
        return last
    return measure_importance(
        week.indicators,
        week.outcomes(exit_plan),
        votes=week.votes,
        regimes=week.regimes,
        exit_plan=exit_plan,
        at=pd.Timestamp(week.as_of, tz="UTC"),
        settings=settings,
        earlier=last["decisions"] if last is not None else [],
    )


def importance_text(found: Mapping[str, Any]) -> str:
    """Write a run as JSON, one line an entry, so that a reviewer can read the difference.

    Examples
    --------
    >>> print(importance_text({"at": "2019-07-01", "clusters": [{"name": "rsi_14", "z": 1.5}]}), end="")
    {
    "at": "2019-07-01",
    "clusters": [
     {"name": "rsi_14", "z": 1.5}
    ]
    }
    """
    return "{\n" + ",\n".join(f"{json.dumps(key)}: {_lines(value)}" for key, value in found.items()) + "\n}\n"


def write_importance(found: Mapping[str, Any], *, paths: Paths) -> None:
    """Write a run where the `learn` stage looks for it, whole or not at all.

    Raises
    ------
    DataError
        The disk did not take the file; the previous one is still in place.
    """
    try:
        write_whole({paths.importance: importance_text(found)})
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"{paths.importance}: could not be written ({reason}); the last good file is kept") from error


def hand_on(found: Mapping[str, Any], *, week: Week, write: bool) -> None:
    """Write the run in force for the later stages, if the notebook is to."""
    if write:
        write_importance(found, paths=week.paths)


def read_importance(path: Path) -> dict[str, Any]:
    """Read a run.

    Raises
    ------
    DataError
        The file is missing or is not one.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; `dvc repro feature_importance` makes it") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read; restore it with `git checkout`") from error
    return _parsed(text, where=str(path))


def kept_in_force(attachments: Mapping[str, str]) -> tuple[str, ...] | None:
    """Indicators that the last importance run keeps: what a recipe with selected features may use.

    Parameters
    ----------
    attachments : mapping of str to str
        Text files of a seal by relative path, as `Seal.attachments` holds them.

    Returns
    -------
    tuple of str or None
        In catalogue order. None for all of them: no run is attached, or the last one dropped nothing.

    Raises
    ------
    DataError
        What is attached is not an importance run.

    Examples
    --------
    >>> run = {"at": "2019-07-01", "clusters": [], "kept": ["rsi_14"], "dropped": ["adx_14"]}
    >>> kept_in_force({"keep.json": importance_text(run)})
    ('rsi_14',)
    >>> kept_in_force({"keep.json": importance_text(run | {"dropped": []})}) is kept_in_force({}) is None
    True
    """
    if SEALED_NAME not in attachments:
        return None
    found = _parsed(attachments[SEALED_NAME], where=SEALED_NAME)
    return tuple(found["kept"]) if found.get("dropped") else None


def _parsed(text: str, *, where: str) -> dict[str, Any]:
    """Run that a text holds."""
    try:
        found: dict[str, Any] = parsed(text, IMPORTANCE, where=where)
    except DataError as error:
        detail = str(error).removeprefix(f"{where}: ")
        said = detail if detail.startswith("not valid JSON") else f"is not an importance run ({detail})"
        raise DataError(f"{where}: {said}; restore it with `git checkout`") from error
    return found


def _lines(value: Any) -> str:
    """JSON of one value: a list of entries line by line, a mapping of columns one column a line."""
    if isinstance(value, dict):
        return "{\n" + ",\n".join(f" {json.dumps(key)}: {_lines(item)}" for key, item in value.items()) + "\n}"
    if isinstance(value, list) and value and isinstance(value[0], (dict, list)):
        return "[\n" + ",\n".join(f" {json.dumps(item, allow_nan=False)}" for item in value) + "\n]"
    return json.dumps(value, allow_nan=False)
