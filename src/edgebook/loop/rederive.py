"""The proof that the past does not change: a history folded again gives the same bytes."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgebook.errors import SealError
from edgebook.loop.history import Progress, backfill
from edgebook.paths import Paths
from edgebook.seals.seals import read_head, sealed_weeks
from edgebook.settings.loading import section
from edgebook.settings.params import AbTest, Params
from edgebook.sources.known_bars import RECEIVED_FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def rederive(params: Params, paths: Paths, *, tell: Callable[[Progress], None] | None = None) -> list[str]:
    """Fold a history again into a scratch folder and compare every byte.

    Parameters
    ----------
    params : Params
    paths : Paths
    tell : callable, optional
        Called after each week.

    Returns
    -------
    list of str
        Files that differ, one line each; empty when the history is reproduced.
    """
    history = params.run.history
    weeks = sealed_weeks(paths, history)
    if not weeks:
        raise SealError(f"models/{history}: there is no history to derive again; `edgebook backfill` writes one")
    with tempfile.TemporaryDirectory(prefix="edgebook-") as scratch:
        again = Paths(Path(scratch))
        for name in ("bars", "indicators", "votes", "patterns", "regimes"):
            place = getattr(again, name)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(getattr(paths, name))
        for name in ("candidates", "outcomes"):
            getattr(again, name).symlink_to(getattr(paths, name), target_is_directory=True)
        # Weeks before a revision or a split are folded on bars, and a desk's outcomes on them, as they were known then.
        recorded = paths.recorded.relative_to(paths.root).as_posix()
        for name in filter(None, (RECEIVED_FOLDER, recorded, params.bars.folder, params.bars.universe_file)):
            there, link = paths.root / name, again.root / name
            if there.exists() and not link.exists():
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(there.resolve(), target_is_directory=there.is_dir())
        genesis = replace(params, run=replace(params.run, genesis=weeks[0]))
        heads = {week: read_head(paths, history=history, as_of=week) for week in weeks}
        backfill(
            genesis,
            again,
            until=weeks[-1],
            tell=tell,
            routing=_routing(heads, history=history),
            unrecorded=[week for week, head in heads.items() if "recorded" not in head],
            columns={week: head.get("desk", []) for week, head in heads.items()},
        )
        return [line for week in weeks for line in _differences(paths, again, history=history, as_of=week)]


def _routing(heads: Mapping[str, dict[str, Any]], *, history: str) -> dict[str, AbTest]:
    """Routing of every sealed week: it may have changed on the way."""
    return {
        week: section(
            AbTest, head["settings"].get("ab_test", {}), where=f"models/{history}/{week}/seal.json: settings.ab_test"
        )
        for week, head in heads.items()
    }


def _differences(paths: Paths, again: Paths, *, history: str, as_of: str) -> list[str]:
    old, new = paths.seal(history=history, as_of=as_of), again.seal(history=history, as_of=as_of)
    names = {p.relative_to(place).as_posix() for place in (old, new) for p in place.rglob("*") if p.is_file()}
    files = [(f"models/{history}/{as_of}/{name}", old / name, new / name) for name in sorted(names)]
    files.append(
        (
            f"data/ledger/{history}/{as_of}.csv",
            paths.ledger(history=history, as_of=as_of),
            again.ledger(history=history, as_of=as_of),
        )
    )
    return [
        f"{name}: {'missing' if not (a.exists() and b.exists()) else 'differs'}"
        for name, a, b in files
        if not (a.exists() and b.exists() and a.read_bytes() == b.read_bytes())
    ]
