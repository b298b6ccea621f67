"""The stages of dvc.yaml: each reads the settings it declares and the tables before it, and writes its own.

A module stage is a function here. A notebook stage hands its sections to the notebook's parameter cell.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, cast, get_type_hints

from edgebook.errors import SettingsError
from edgebook.files import tables
from edgebook.pages.report import ReportHeader
from edgebook.pages.report_names import REPORTS
from edgebook.paths import Paths
from edgebook.seals.seal_lines import decision_line
from edgebook.settings.loading import section
from edgebook.settings.params import Params
from edgebook.settings.recipes import Recipe
from edgebook.settings.settings_yaml import read_mapping

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


WRITING = ("regime_segmentation", "feature_importance", "bayesian_tuning")
"""Notebooks that write a table or a document that later stages read."""


def declared(paths: Paths, stage: str) -> dict[str, Any]:
    """The sections of params.yaml that a stage declares in dvc.yaml, as plain mappings, checked.

    Raises
    ------
    SettingsError
        There is no such stage, or a section does not pass its check.
    """
    stages = read_mapping(paths.root / "dvc.yaml")["stages"]
    if stage not in stages:
        raise SettingsError(f"edgebook run {stage}: no such stage; stages are {', '.join(stages)}")
    everything = read_mapping(paths.params)
    section(Params, everything, where=paths.params.name)
    return {name: everything.get(name, {}) for name in stages[stage].get("params", [])}


def run_stage(stage: str, *, paths: Paths) -> str:
    """Run one stage.

    Parameters
    ----------
    stage : str
        A name of dvc.yaml.
    paths : Paths

    Returns
    -------
    str
        What it did, in one line.
    """
    given = declared(paths, stage)
    if stage in REPORTS:
        return _run_notebook(stage, given, paths=paths)
    return MODULE_STAGES[stage](given, paths)


def _bars(given: Mapping[str, Any], paths: Paths) -> str:
    from edgebook.settings.params import Bars
    from edgebook.sources.known_bars import bars_as_of, late_at, late_words

    settings = section(Bars, given["bars"], where="params.yaml: bars")
    as_of = given["run"]["as_of"]
    bars = bars_as_of(settings, root=paths.root, as_of=as_of)
    late = late_at(settings, root=paths.root, at=as_of)
    tables.write(bars, paths.bars)
    first, last, pairs = bars["date"].min(), bars["date"].max(), bars["pair"].nunique()
    return (
        f"{len(bars):,} bars of {pairs} pair{'s' * (pairs != 1)}, {first:%Y-%m-%d} to {last:%Y-%m-%d %H:%M}"
        f"{late_words(late)}"
    )


def _indicators(given: Mapping[str, Any], paths: Paths) -> str:
    from edgebook.indicators import compute_indicators
    from edgebook.outcomes.desk_columns import (
        desk_columns,
        refuse_leaks,
        screened,
        told_lines,
        with_numbers,
        with_patterns,
    )
    from edgebook.patterns import find_patterns

    bars = tables.read(paths.bars)
    patterns = find_patterns(bars)
    values, votes = compute_indicators(bars, patterns)
    settings = _params(given).desk
    desk = desk_columns(bars, settings, recorded=paths.recorded)
    lines: list[str] = []
    if desk is not None:
        told = screened(desk, bars)
        refuse_leaks(told, settings)
        lines = told_lines(desk, told, bars)
        patterns = with_patterns(patterns, desk)
        values, votes = with_numbers(values, desk.values), with_numbers(votes, desk.votes)
    tables.write(patterns, paths.patterns)
    tables.write(values, paths.indicators)
    tables.write(votes, paths.votes)
    counted = values.shape[1] - len(tables.KEY)
    return "\n".join([f"{counted} indicators and {len(patterns):,} patterns on {len(bars):,} bars", *lines])


def _candidates(given: Mapping[str, Any], paths: Paths) -> str:
    from edgebook.outcomes.candidates import label_candidates
    from edgebook.settings.params import Candidates

    grid = section(Candidates, given["candidates"], where="params.yaml: candidates")
    labelled = label_candidates(tables.read(paths.bars), grid.plans, costs=grid.costs, atr_bars=grid.atr_bars)
    with tables.folder(paths.candidates) as folder:
        for name, frame in labelled.items():
            tables.write(frame, folder / f"{name}.parquet")
    return f"{sum(map(len, labelled.values())):,} outcomes of {len(labelled)} exit plans"


def _outcomes(given: Mapping[str, Any], paths: Paths) -> str:
    from edgebook.files.private_data import refuse_seen
    from edgebook.outcomes.recorded_outcomes import recorded_facts, write_outcomes

    params = _params(given)
    settings, fee = params.outcomes, params.candidates.fee_bps / 1e4
    refuse_seen(paths, private=settings.private)
    facts = recorded_facts(paths, recorded=paths.recorded, settings=settings, fee=fee, as_of=params.run.as_of)
    total, recorded = write_outcomes(paths, facts=facts)
    if facts is None:
        return f"{total:,} known outcomes, all simulated"
    told = f"{total:,} known outcomes, {recorded:,} of them recorded"
    return "\n".join([told, *facts.lines(private=settings.private)])


def _history(given: Mapping[str, Any], paths: Paths) -> str:
    from edgebook.loop.history import backfill
    from edgebook.seals.seals import read_seal, sealed_weeks
    from edgebook.stages.progress import bar

    params = _params(given)
    run = params.run
    if run.previous in sealed_weeks(paths, run.history):
        seal = read_seal(paths, history=run.history, as_of=run.previous)
        return f"{run.history} is sealed up to {run.previous}, champion {seal.head['champion_version']}"
    with bar("sealing weeks") as tell:
        written = backfill(params, paths, until=run.previous, tell=tell)
    return f"{len(written)} weeks of {run.history} sealed, up to {run.previous}"


def _learn(given: Mapping[str, Any], paths: Paths) -> str:
    from edgebook.importance.importance_run import SEALED_NAME, read_importance
    from edgebook.loop.history import inputs_of
    from edgebook.loop.loop import learn_week
    from edgebook.policy.market import load_market
    from edgebook.seals.seals import differing_files, read_seal, write_seal
    from edgebook.tuning.tuning_study import STUDY_FILE, Study

    params = _params(given)
    run = params.run
    read_importance(paths.importance)  # a missing or damaged one ends here, in one line
    attachments = {SEALED_NAME: paths.importance.read_text(encoding="utf-8")}
    for file in sorted(paths.study.glob("*")):
        if file.suffix in (".json", ".csv"):
            attachments[f"study/{file.name}"] = file.read_text(encoding="utf-8")
    if STUDY_FILE in attachments:
        Study.from_files(attachments)
    previous = read_seal(paths, history=run.history, as_of=run.previous)
    market = load_market(paths, as_of=run.as_of)
    inputs = inputs_of(params, paths, as_of=run.as_of, market=market, attachments=attachments)
    seal = learn_week(previous, inputs, as_of=run.as_of)
    differing = differing_files(seal, paths)
    if differing:
        kept = read_seal(paths, history=run.history, as_of=run.as_of)
        return (
            f"{run.history} {run.as_of} was sealed before and stays as it was ({len(differing)} files would differ, "
            f"first {differing[0]}); changed settings, code or bars take effect from the next week, or in a history "
            f"of their own. Champion {kept.head['champion_version']}"
        )
    fresh = write_seal(seal, paths)
    return f"{'sealed' if fresh else 'same seal again:'} {run.history} {run.as_of}: {decision_line(seal)}"


def _summary(given: Mapping[str, Any], paths: Paths) -> str:
    from edgebook.stages.summary import write_summary

    return write_summary(
        given["run"],
        paths,
        goals=given["goals"],
        outcomes=given["outcomes"],
        trial_weeks=given["learning"]["trial_weeks"],
    )


def _run_notebook(stage: str, given: dict[str, Any], *, paths: Paths) -> str:
    """Hand a notebook its sections, execute it, and swap in its report."""
    from edgebook.stages.runner import run_notebook

    run = given["run"]
    folder = paths.report(as_of=run["as_of"])
    # The source of the bars is for the header alone; a notebook reads bars from their table.
    parameters: dict[str, Any] = {"root": ".", **{name: given[name] for name in given if name not in ("bars", "desk")}}
    if stage in WRITING:
        parameters["write"] = True
    run_notebook(
        stage,
        parameters=parameters,
        root=paths.root,
        output=folder / f"{stage}.ipynb",
        html=folder / f"{stage}.html",
        header=report_header(stage, {name: one for name, one in given.items() if name != "desk" or one}, paths=paths),
    )
    if given.get("desk"):
        _desk_regimes(given, paths)
    return f"reports/{run['as_of']}/{stage}.html"


def _desk_regimes(given: Mapping[str, Any], paths: Paths) -> None:
    """Put a desk's labels beside those that the notebook wrote."""
    from edgebook.outcomes.desk_columns import desk_columns, with_regimes

    desk = desk_columns(tables.read(paths.bars), _params(given).desk, recorded=paths.recorded)
    tables.write(with_regimes(tables.read(paths.regimes), desk), paths.regimes)


def report_header(stage: str, given: Mapping[str, Any], *, paths: Paths) -> ReportHeader:
    """What a report says of itself: the week, the champion, and fingerprints of settings and bars."""
    from edgebook.seals.seals import read_head

    run = given["run"]
    if "bars" in given:
        # Regimes are labelled before any seal is asked for: a new history has none yet, and the page is the same.
        champion, market = "not asked here", str(given["bars"]["source"])
    else:
        # A stage before `learn` must not look at a seal that a later stage of the same run writes.
        last = run["previous"] if stage in WRITING else run["as_of"]
        head = read_head(paths, history=run["history"], as_of=last)
        champion, market = head["champion_version"], head["market"]
    settings = json.dumps(given, sort_keys=True, default=str).encode()
    return ReportHeader(
        stage=stage,
        title=REPORTS[stage],
        as_of=run["as_of"],
        market=market,
        history=run["history"],
        champion=champion,
        parameters_fingerprint=hashlib.sha256(settings).hexdigest()[:12],
        data_fingerprint=hashlib.sha256(paths.bars.read_bytes()).hexdigest()[:12],
        links=tuple((title, f"{name}.html") for name, title in REPORTS.items()),
    )


class _Declared:
    """The sections that a stage declares, under the names of `Params`; any other is refused."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        hints = get_type_hints(Params)
        for name, mapping in given.items():
            if name == "recipes":
                made: Any = {
                    key: section(Recipe, one, where=f"params.yaml: recipes.{key}") for key, one in mapping.items()
                }
            else:
                made = section(hints[name], mapping, where=f"params.yaml: {name}")
            setattr(self, name, made)

    def __getattr__(self, name: str) -> Any:
        raise SettingsError(
            f"dvc.yaml: a stage reads section {name} of params.yaml without declaring it; add it to params"
        )


def _params(given: Mapping[str, Any]) -> Params:
    return cast("Params", _Declared(given))


MODULE_STAGES: dict[str, Callable[[Mapping[str, Any], Paths], str]] = {
    "bars": _bars,
    "indicators": _indicators,
    "candidates": _candidates,
    "outcomes": _outcomes,
    "history": _history,
    "learn": _learn,
    "summary": _summary,
}
