"""Sealed weeks folded once more from tables of one's choice, beside the seals that are there.

A seal is a function of the one before it and of what was known by its Monday. So a week at a time is enough: from the
seal before, with tables made of the bars up to that Monday alone, the same bytes must come.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.audit.audit_compare import Compared, compare_documents, compare_files
from edgebook.audit.audit_desk import as_taught, in_force
from edgebook.loop.history import attachments_of, inputs_of
from edgebook.loop.loop import begin_history, learn_week
from edgebook.paths import Paths
from edgebook.policy.market import load_market
from edgebook.seals.seals import read_head, read_seal, sealed_weeks, write_seal
from edgebook.seals.week import Week
from edgebook.settings.loading import section
from edgebook.settings.params import AbTest, Run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.loop.pipeline import Pipeline
    from edgebook.settings.params import Params

Files = dict[str, bytes]
"""Bytes by name: week, then the path in the folder of the seal, or ``ledger``."""
THRESHOLDS, WEIGHTS, HEADS, RECORD, SEALS = "thresholds", "weights", "fitted heads", "record", "seals"
_OF_THRESHOLDS = ("thresholds", "confidence_spread")
_OF_HEADS = ("heads", "head_columns")


def weeks_before(monday: str, sealed: Sequence[str], *, count: int) -> list[str]:
    """Last sealed weeks up to a Monday.

    Parameters
    ----------
    monday : str
    sealed : sequence of str
        Mondays that have a seal, in order.
    count : int
        At most so many.
    """
    known = [week for week in sealed if week <= monday]
    return known[len(known) - count :] if count < len(known) else known


def fold_again(
    params: Params,
    weeks: Sequence[str],
    *,
    tables: Paths,
    sealed: Paths,
    scratch: Paths,
    pipeline: Pipeline,
    as_of: str | None,
) -> Files:
    """Derive some weeks again from the seal before them.

    Parameters
    ----------
    params : Params
    weeks : sequence of str
        Mondays in a row; the first is that of genesis, or its predecessor is sealed.
    tables : Paths
        Where the tables are.
    sealed : Paths
        Where the seals are; they are read and not touched.
    scratch : Paths
        An empty folder: links to tables and earlier seals, and the weeks that are derived.
    pipeline : Pipeline
        Heads are fitted by its `fit`.
    as_of : str, optional
        Monday after which nothing is known; None to show the loop all that the tables hold but later versions of a
        desk's outcomes, which each week reads as they were known by its end.
    """
    history = params.run.history
    earlier = [week for week in sealed_weeks(sealed, history) if week < weeks[0]]
    genesis = earlier[0] if earlier else weeks[0]
    _link(tables, sealed, scratch=scratch, history=history, weeks=earlier)
    market = load_market(scratch, as_of=as_of)
    seal = read_seal(sealed, history=history, as_of=earlier[-1]) if earlier else None
    found: Files = {}
    for monday in weeks:
        before = (datetime.date.fromisoformat(monday) - datetime.timedelta(days=7)).isoformat()
        run = Run(history=history, as_of=monday, previous=before, genesis=genesis)
        told = in_force(scratch, at=pd.Timestamp(monday, tz="UTC"), into=Paths(scratch.root / f"told-{monday}"))
        if told is not scratch:
            market = load_market(told, as_of=as_of)
        market = as_taught(market, read_head(sealed, history=history, as_of=monday))
        given = replace(params, run=run, ab_test=_routing(sealed, history=history, as_of=monday))
        attachments = attachments_of(given, Week(run, scratch), market=market, previous=seal)
        # A pin names a version of a week that is sealed, and that is linked.
        inputs = inputs_of(given, scratch, as_of=monday, market=market, attachments=attachments)
        inputs = replace(inputs, rules=replace(inputs.rules, fit=pipeline.fit))
        made = begin_history(inputs, at=monday) if seal is None else learn_week(seal, inputs, as_of=monday)
        write_seal(made, scratch)
        seal = read_seal(scratch, history=history, as_of=monday)
        found |= files_of(scratch, monday, history=history)
    return found


def files_of(paths: Paths, monday: str, *, history: str) -> Files:
    """Bytes of one seal and of its ledger rows."""
    place = paths.seal(history=history, as_of=monday)
    files = {p.relative_to(place).as_posix(): p for p in sorted(place.rglob("*")) if p.is_file()}
    files["ledger"] = paths.ledger(history=history, as_of=monday)
    return {f"{monday} {name}": file.read_bytes() for name, file in files.items() if file.exists()}


def compare_seals(full: Files, cut: Files) -> dict[str, Compared]:
    """Compare folded weeks: the bytes of every file, and apart from that what each policy and state holds.

    Parameters
    ----------
    full, cut : mapping of str to bytes
        As `fold_again` gives them.

    Returns
    -------
    dict of str to Compared
        By layer: "fitted heads", "thresholds", "weights", "record", "seals".
    """
    left, right = _parts(full), _parts(cut)
    found = {layer: compare_documents(left[layer], right[layer]) for layer in left}
    return found | {SEALS: compare_files(full, cut)}


def _parts(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """Policies and states by what they are about, then by week and file."""
    parts: dict[str, dict[str, Any]] = {name: {} for name in (HEADS, THRESHOLDS, WEIGHTS, RECORD)}
    for name, text in files.items():
        path = name.partition(" ")[2]
        if path.startswith("state/"):
            parts[RECORD][name] = json.loads(text)
        elif path.startswith("policies/"):
            policy = json.loads(text)
            parts[HEADS][name] = {part: policy.pop(part) for part in _OF_HEADS}
            parts[THRESHOLDS][name] = {part: policy.pop(part) for part in _OF_THRESHOLDS}
            parts[WEIGHTS][name] = policy
    return parts


def _link(tables: Paths, sealed: Paths, *, scratch: Paths, history: str, weeks: Sequence[str]) -> None:
    """Lay out a repository of links: all tables, and the seals of some weeks."""
    for name in ("bars", "indicators", "votes", "patterns", "regimes", "candidates", "outcomes"):
        place, there = getattr(scratch, name), getattr(tables, name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(there, target_is_directory=there.is_dir())
    for week in weeks:
        for place, there in (
            (scratch.seal(history=history, as_of=week), sealed.seal(history=history, as_of=week)),
            (scratch.ledger(history=history, as_of=week), sealed.ledger(history=history, as_of=week)),
        ):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(there, target_is_directory=there.is_dir())


def _routing(sealed: Paths, *, history: str, as_of: str) -> AbTest:
    """Routing that was in force in a sealed week: it may have changed since."""
    found = read_head(sealed, history=history, as_of=as_of)["settings"].get("ab_test", {})
    return section(AbTest, found, where=f"models/{history}/{as_of}/seal.json: settings.ab_test")
