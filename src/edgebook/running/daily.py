"""One more day: bars up to a midnight, what became of the positions, the day's signals, a preview of the learning.

The day works on tables of its own under ``data/daily``, outside git and DVC. It reads the last seal and writes none:
seven days and then a week leave the same bytes as the week alone.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from edgebook.errors import DataError, SettingsError, WeekError
from edgebook.files.whole_files import write_whole
from edgebook.loop.history import inputs_of
from edgebook.policy.market import DAY_MS, iso, load_market, milliseconds
from edgebook.running.day_fold import day_document, midnight, next_week_of
from edgebook.running.live import last_sealed
from edgebook.seals.seal_shapes import BOOK
from edgebook.settings.json_shapes import Fields, Named, Plain, Word, parsed
from edgebook.sources.known_bars import bars_as_of, end_of, late_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgebook.paths import Paths
    from edgebook.seals.seals import Seal
    from edgebook.settings.params import Params

_DAY = Fields({"date": Word(), "seal": Word(), "fingerprints": Named(Plain()), "account": BOOK}, more=True)


def run_daily(params: Params, paths: Paths, *, date: str | None = None) -> list[dict[str, Any]]:
    """Run the day that ends at `date` and those before it that were missed.

    Parameters
    ----------
    params : Params
    paths : Paths
    date : str, optional
        A midnight UTC, 2019-07-02: everything before it is known. By default that after the last daily run, or after
        the last seal.

    Returns
    -------
    list of dict
        What was said of each day that was run, the last one last; each is in ``data/daily`` too. None for a day that
        is sealed already: there is nothing to do.

    Raises
    ------
    WeekError
        The data do not cover the day, or it lies after a week that is not sealed yet.
    SettingsError
        `date` is no date.
    """
    week = last_sealed(params, paths)
    seal = week.seal
    done = days_done(paths, seal)
    last = date or iso(milliseconds(done[-1] if done else seal.as_of) + DAY_MS)[:10]
    if _is_sealed(last, seal=seal):
        return []
    _check_day(last, params, paths, seal=seal)
    missed = [day for day in _days_between(seal.as_of, last) if day not in done or day == last]
    root = paths.daily(params.run.history)
    make_tables(params, paths, until=max([last, *done]))
    documents = []
    for day in missed:
        market = load_market(root, as_of=day)
        inputs = inputs_of(params, paths, as_of=day, market=market)
        document = day_document(seal, inputs, until=midnight(day))
        _write(document, paths.day(history=params.run.history, date=day))
        documents.append(document)
    return documents


def days_done(paths: Paths, seal: Seal) -> list[str]:
    """Days that were run since a seal, in order; those that stand on another seal do not count."""
    folder = paths.daily(str(seal.head["history"])).root
    found = []
    for file in sorted(folder.glob("*.json")):
        document = read_day(file)
        if document and document["seal"] == seal.as_of and document["fingerprints"] == seal.head["fingerprints"]:
            found.append(file.stem)
    return found


def read_day(file: Path) -> dict[str, Any] | None:
    """What was said of a day; None where the file is damaged, as it can be made again."""
    try:
        document: dict[str, Any] = parsed(file.read_text(encoding="utf-8"), _DAY, where=file.name)
        return document
    except (OSError, ValueError, DataError):
        return None


def make_tables(params: Params, paths: Paths, *, until: str) -> None:
    """Make the tables that the loop reads, of bars up to a midnight, by the functions of the stages.

    Parameters
    ----------
    params : Params
    paths : Paths
        The repository's; what is written goes below `paths.daily`.
    until : str
        A midnight UTC.
    """
    from edgebook.loop.remaking import remake_tables
    from edgebook.settings.exit_plans import ExitPlan

    bars = bars_as_of(params.bars, root=paths.root, as_of=until)
    seal = last_sealed(params, paths).seal
    # The account may hold a trade of an arm that has left since: of a challenger to which it was routed.
    held = {position["exit_plan"] for position in seal.account.positions}
    plans = sorted({arm.policy.exit_plan for arm in seal.arms.values()} | held)
    exits = [ExitPlan.parse(name) for name in plans]
    remake_tables(params, bars, plans=exits, into=paths.daily(params.run.history), recorded=paths.recorded, as_of=until)


def day_line(documents: Sequence[dict[str, Any]]) -> str:
    """What the daily run did, in one line."""
    last = documents[-1]
    entered = sum(row["entered"] for row in last["signals"])
    earned = sum(row["r_multiple"] for row in last["closed_today"])
    learned = last["learned"]
    parts = [
        f"{len(last['signals'])} signal{'' if len(last['signals']) == 1 else 's'}, {entered} entered",
        f"{len(last['closed_today'])} closed ({earned:+.2f} R)",
        f"{len(last['open'])} open",
        f"account {last['account']['equity']:,.0f} ({last['return_today']:+.2%} today)",
        f"{learned['outcomes']:,} outcomes to learn from, in force from {learned['in_force_from']}",
    ]
    caught = f" ({len(documents)} days)" if len(documents) > 1 else ""
    alarms = f"; ALARM: {'; '.join(a['text'] for a in last['alarms'])}" if last["alarms"] else ""
    return f"{last['history']} {last['date']}{caught}: {', '.join(parts)}{alarms}"


def _is_sealed(date: str, *, seal: Seal) -> bool:
    """Whether a day lies in the sealed past."""
    try:
        return midnight(date) <= milliseconds(seal.as_of)
    except ValueError:
        raise SettingsError(f"--date: {date!r} is no date; write it like 2019-07-02") from None


def _check_day(date: str, params: Params, paths: Paths, *, seal: Seal) -> None:
    """Refuse a day after a week that is not sealed yet, and one that the data do not cover."""
    moment = midnight(date)
    end = next_week_of(seal)
    if moment > milliseconds(end):
        raise WeekError(f"the week to {end} is over and not sealed yet; run `edgebook weekly` before the day to {date}")
    bars = params.bars
    late_at(bars, root=paths.root, at=date)
    known = end_of(bars, root=paths.root)
    if f"{known:%Y-%m-%d %H:%M}" < date:
        raise WeekError(
            f"the data of {bars.source} end at {known:%Y-%m-%d %H:%M} UTC; the day to {date} is not complete"
        )


def _days_between(after: str, last: str) -> list[str]:
    """Midnights after one and up to another."""
    return [iso(moment)[:10] for moment in range(milliseconds(after) + DAY_MS, midnight(last) + 1, DAY_MS)]


def _write(document: dict[str, Any], place: Path) -> None:
    """Write a day whole or not at all."""
    try:
        write_whole({place: json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"})
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"{place}: could not be written ({reason}); the days before it are kept") from error
