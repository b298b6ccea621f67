"""A study's journal: every finished trial, one line each, so that a study that was killed goes on where it was.

It lies outside the seal and outside git, and is gone when the study is complete. A journal of other settings, another
recipe, other data or other code is not this study's: it is begun anew.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.errors import DataError
from edgebook.files.whole_files import write_whole
from edgebook.settings.json_shapes import Fields, Named, Number, Plain, Rows, parsed
from edgebook.settings.params import plain
from edgebook.tuning.tuning_book import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edgebook.policy.market import Market, PlanOutcomes
    from edgebook.settings.params import Tuning
    from edgebook.tuning.tuning_trials import Bench

_ROW = Fields(
    {"number": Number(whole=True), "point": Named(Number()), "trades": Number(whole=True), "daily_r": Rows(Number())}
)


@dataclass
class Journal:
    """What is finished of a study.

    Parameters
    ----------
    place : Path or None
        The file; None keeps no journal.
    digest : str
        Of all that the study depends on.
    """

    place: Path | None
    digest: str
    _lines: dict[int, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def opened(cls, place: Path | None, *, digest: str) -> Journal:
        """Take up the journal of this study, or begin one.

        Raises
        ------
        DataError
            The file cannot be written.
        """
        journal = cls(place, digest)
        if place is not None:
            journal._lines = _read(place, digest=digest)
            # Written again as it was understood: a line that a kill cut off would spoil the next one.
            text = "".join(_line(row) for row in ({"study": digest}, *journal._lines.values()))
            with journal._told():
                write_whole({place: text})
        return journal

    def outcome(self, number: int, *, point: Mapping[str, float]) -> Outcome | None:
        """What a trial earned, if it is finished; None also where another point stands under its number."""
        row = self._lines.get(number)
        if row is None or row["point"] != dict(point):
            return None
        return Outcome(np.array(row["daily_r"], dtype=np.float64), row["trades"])

    def add(self, number: int, outcome: Outcome, *, point: Mapping[str, float]) -> None:
        """Write down a finished trial.

        Raises
        ------
        DataError
            The file cannot be written.
        """
        if self.place is None:
            return
        row = {"number": number, "point": dict(point), "trades": outcome.trades, "daily_r": outcome.daily_r.tolist()}
        self._lines[number] = row
        with self._told(), self.place.open("a", encoding="utf-8", newline="\n") as file:
            file.write(_line(row))

    def close(self) -> None:
        """The study is complete."""
        if self.place is not None:
            self.place.unlink(missing_ok=True)
            with suppress(OSError):  # another study's may lie beside it
                self.place.parent.rmdir()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say in one line that the disk did not take it."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            raise DataError(f"{self.place}: could not be written ({reason}); free space and run again") from error


def study_digest(bench: Bench, *, settings: Tuning, as_of: str) -> str:
    """Digest of all that the outcome of a trial depends on: settings, recipe, data, code.

    Parameters
    ----------
    bench : Bench
    settings : Tuning
        The number of workers does not count.
    as_of : str

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    said = {name: value for name, value in plain(settings).items() if name != "workers"}
    families = {letter: list(names) for letter, names in bench.families.items()}
    digest.update(_line([as_of, said, plain(bench.recipe), families, plain(bench.sizing), bench.every]).encode())
    for file in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(file.read_bytes())
    market = bench.market
    parts: list[Market | PlanOutcomes] = [market, *(market.plans[name] for name in sorted(market.plans))]
    if market.engine is not None:
        parts += [market.engine[name] for name in sorted(market.engine)]
    for part in parts:
        for item in fields(part):
            value = getattr(part, item.name)
            if isinstance(value, np.ndarray):
                digest.update(np.ascontiguousarray(value).view(np.uint8).data)
            elif isinstance(value, tuple):
                digest.update(_line(list(value)).encode())
    return digest.hexdigest()


def _read(place: Path, *, digest: str) -> dict[int, dict[str, Any]]:
    """Trials of a journal, up to the first line that is not whole; none where it is another study's."""
    try:
        lines = place.read_text(encoding="utf-8").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError):
        return {}
    rows: list[Any] = []
    for line in lines:
        try:
            rows.append(parsed(line, _ROW if rows else Plain(), where=place.name))
        except DataError:
            break
        if not line.endswith("\n"):
            break
    if not rows or rows[0] != {"study": digest}:
        return {}
    return {row["number"]: row for row in rows[1:]}


def _line(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"
