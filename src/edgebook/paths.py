"""Where things are. No other module builds a path."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


def repository() -> Path:
    """Return the folder that holds params.yaml: EDGEBOOK_ROOT if set, else the checkout the package lies in."""
    named = os.environ.get("EDGEBOOK_ROOT")
    return Path(named).resolve() if named else Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Paths:
    """The folders and files of one repository, or of a sample laid out like one.

    Parameters
    ----------
    root : Path
        Absolute.
    """

    root: Path

    @classmethod
    def at(cls, root: str | Path = ".") -> Paths:
        """Paths under `root`, which is taken from the repository's top when relative."""
        return cls((repository() / root).resolve())

    @property
    def params(self) -> Path:
        """The settings, params.yaml."""
        return self.root / "params.yaml"

    @property
    def bars(self) -> Path:
        """The bars that every stage starts from."""
        return self.root / "data" / "bars.parquet"

    @property
    def indicators(self) -> Path:
        """Values of the 69 indicators, row-aligned with the bars."""
        return self.root / "data" / "indicators.parquet"

    @property
    def votes(self) -> Path:
        """Textbook votes of the 69 indicators, row-aligned with the bars."""
        return self.root / "data" / "votes.parquet"

    @property
    def patterns(self) -> Path:
        """Patterns, one row each, dated by the bar that confirmed them."""
        return self.root / "data" / "patterns.parquet"

    @property
    def candidates(self) -> Path:
        """Folder: one table of candidates per exit plan."""
        return self.root / "data" / "candidates"

    @property
    def outcomes(self) -> Path:
        """Folder: one table of known outcomes per exit plan."""
        return self.root / "data" / "outcomes"

    @property
    def recorded(self) -> Path:
        """Folder: dated, append-only snapshots of a desk's own outcomes; empty by default."""
        return self.root / "data" / "recorded"

    @property
    def regimes(self) -> Path:
        """Regime of every bar, row-aligned with the bars."""
        return self.root / "data" / "regimes.parquet"

    @property
    def importance(self) -> Path:
        """What the importance stage found: keep-list and evidence, as JSON."""
        return self.root / "data" / "importance.json"

    @property
    def study(self) -> Path:
        """Folder: the tuning study that is in force (study.json, trials.csv)."""
        return self.root / "data" / "study"

    def journal(self, *, history: str, as_of: str) -> Path:
        """Return the journal of a tuning study that is running, or was killed; outside git."""
        return self.root / "data" / "journals" / f"{history}-{as_of}.jsonl"

    @property
    def notebooks(self) -> Path:
        """Folder: the notebook of each notebook stage."""
        return self.root / "notebooks"

    @property
    def reports(self) -> Path:
        """Folder: a folder of reports per week, metrics.json, and the index over all."""
        return self.root / "reports"

    def report(self, *, as_of: str) -> Path:
        """Folder: the reports of one week."""
        return self.reports / as_of

    def history(self, history: str) -> Path:
        """Folder: all seals of a history."""
        return self.root / "models" / history

    def seal(self, *, history: str, as_of: str) -> Path:
        """Folder: one seal."""
        return self.history(history) / as_of

    def ledger(self, *, history: str, as_of: str) -> Path:
        """Return the file of one week's ledger rows."""
        return self.root / "data" / "ledger" / history / f"{as_of}.csv"

    def daily(self, history: str) -> Paths:
        """Tables of the days since the last seal and what was said of each, outside git and DVC."""
        return Paths(self.root / "data" / "daily" / history)

    def day(self, *, history: str, date: str) -> Path:
        """Return the file of what was said of one day."""
        return self.daily(history).root / f"{date}.json"

    @property
    def lock(self) -> Path:
        """The lock that a daily or weekly run holds, outside git."""
        return self.root / ".edgebook.lock"

    @property
    def evidence(self) -> Path:
        """Folder: what the learners were worth where it was measured, and its figures; the page lies beside it."""
        return self.root / "docs" / "evidence"

    @property
    def evidence_cache(self) -> Path:
        """Folder, outside git: markets and measured weeks of the evidence."""
        return self.root / "scratch" / "evidence"

    @property
    def failed(self) -> Path:
        """Folder, outside git: notebooks that failed, as they stood."""
        return self.root / "scratch" / "failed"

    @property
    def export(self) -> Path:
        """The exported store, outside git and DVC."""
        return self.root / "export" / "edgebook.sqlite"
