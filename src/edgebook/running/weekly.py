"""The whole week in one call that cron may repeat: finish what was begun, else run the next week, else do nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgebook.running.data_fetch import fetch_first
from edgebook.running.next_week import is_finished, next_is_complete, repro, set_next_week, why_incomplete
from edgebook.running.settings_file import next_monday
from edgebook.seals.seal_lines import decision_line
from edgebook.seals.seals import read_seal
from edgebook.settings.loading import load_params

if TYPE_CHECKING:
    from edgebook.paths import Paths

ALARMS = ("drift", "rolled back", "recommended")
"""Kinds of events in a seal that ask for a look."""


def run_weekly(paths: Paths, *, lock: int) -> dict[str, Any]:
    """Finish the week that params.yaml names, or run the next one where the data complete it.

    Parameters
    ----------
    paths : Paths
    lock : int
        Descriptor of the lock that is held.

    Returns
    -------
    dict
        history, week, done ("finished", "run" or "nothing"), alarms, and `line`: what was done, in one line.

    Raises
    ------
    WeekError
        A stage failed. What was sealed stays, and running again goes on where it stopped.
    """
    params = load_params(paths.params)
    run = params.run
    if not is_finished(params, paths):
        repro(paths, following=run.as_of, before=None, lock=lock, quiet=True)
        return _told(paths, history=run.history, week=run.as_of, done="finished")
    received = fetch_first(params, paths, at=next_monday(run.as_of))
    missing = why_incomplete(params, paths)
    if missing:
        late = f"{received}; {missing}" if received else ""
        return {
            "history": run.history,
            "week": run.as_of,
            "done": "nothing",
            "alarms": [],
            "line": f"{run.history} {run.as_of}: nothing to do, the data do not complete the week to "
            f"{next_monday(run.as_of)}{' (' + late + ')' if late else ''}",
        }
    following, before = set_next_week(params, paths)
    repro(paths, following=following, before=before, lock=lock, quiet=True)
    told = _told(paths, history=run.history, week=following, done="run")
    return told | {"line": f"{told['line']}; {received}"} if received else told


def alarms_of(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events of a seal that ask for a look: drift, a rollback, a promotion that waits for approval."""
    return [event for event in events if event["kind"] in ALARMS]


def _told(paths: Paths, *, history: str, week: str, done: str) -> dict[str, Any]:
    """What the seal of the week says."""
    seal = read_seal(paths, history=history, as_of=week)
    alarms = alarms_of(seal.head["events"])
    closed = int((seal.ledger["status"] == "closed").sum())
    words = "finished" if done == "finished" else "sealed"
    warned = f"; ALARM: {'; '.join(event['text'] for event in alarms)}" if alarms else ""
    more = "; the week after is complete too, run it again" if _another(paths) else ""
    line = (
        f"{history} {week} {words}: {decision_line(seal)}; {closed} trades closed, {len(seal.account.positions)} open; "
        f"reports/{week}/index.html{warned}{more}"
    )
    return {"history": history, "week": week, "done": done, "alarms": alarms, "line": line}


def _another(paths: Paths) -> bool:
    """Whether the data complete the next week too."""
    return next_is_complete(load_params(paths.params), paths)
