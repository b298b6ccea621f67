"""One week as a notebook sees it: the tables, the seals up to it, and what follows from them.

Everything is read when it is first asked for, and nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.bars.sessions import days_per_year
from edgebook.files import tables
from edgebook.outcomes.outcomes import as_known, known_outcomes
from edgebook.paths import Paths
from edgebook.policy.market import Market, load_market
from edgebook.seals.seals import Seal, read_head, read_seal, sealed_weeks
from edgebook.settings.loading import section
from edgebook.settings.params import Run
from edgebook.settings.recipe_entries import known_recipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.settings.recipes import Recipe


def open_week(run: Mapping[str, Any], *, root: str = ".") -> Week:
    """The week that the section `run` of params.yaml names.

    Parameters
    ----------
    run : mapping
        Keys history, as_of, previous, genesis.
    root : str
        Top of the repository, or of a sample laid out like one; relative to the repository.

    Raises
    ------
    SettingsError
        A key is unknown or missing, or a date is not a Monday.
    """
    return Week(section(Run, run, where="params.yaml: run"), Paths.at(root))


@dataclass(frozen=True)
class Week:
    """Tables and seals of one history, as known at one Monday.

    Parameters
    ----------
    run : Run
    paths : Paths
    """

    run: Run
    paths: Paths

    @property
    def as_of(self) -> str:
        """The Monday up to which everything is known."""
        return self.run.as_of

    @property
    def history(self) -> str:
        """Name of the chain of seals."""
        return self.run.history

    @property
    def genesis(self) -> str:
        """Monday of the first seal."""
        return self.run.genesis

    @cached_property
    def weeks(self) -> list[str]:
        """Sealed Mondays up to this week, in order."""
        return [week for week in sealed_weeks(self.paths, self.history) if week <= self.as_of]

    @cached_property
    def seal(self) -> Seal:
        """Seal of this week; the last one before it while this week is not sealed yet."""
        return read_seal(self.paths, history=self.history, as_of=self.weeks[-1])

    @cached_property
    def previous_seal(self) -> Seal:
        """The seal that this week starts from."""
        return read_seal(self.paths, history=self.history, as_of=self.run.previous)

    @cached_property
    def heads(self) -> list[dict[str, Any]]:
        """seal.json of every week: champion, decision, events, trials, error budget."""
        return [read_head(self.paths, history=self.history, as_of=week) for week in self.weeks]

    @property
    def source(self) -> str:
        """Name of the market."""
        return str(self.heads[-1]["market"])

    @property
    def market(self) -> str:
        """Name of the market."""
        return self.source

    @property
    def champion(self) -> str:
        """Name of the recipe in force."""
        return self.seal.champion

    @property
    def champion_version(self) -> str:
        """Recipe and week of the policy in force."""
        return str(self.seal.head["champion_version"])

    @property
    def champion_plan(self) -> str:
        """Exit plan of the recipe in force."""
        return self.recipe(self.champion).exit_plan

    @property
    def periods_per_year(self) -> int:
        """Days a year on which the market trades."""
        return days_per_year(self.bars)

    @property
    def book_days_per_year(self) -> int:
        """Days a year of a book: it has a row for each day of the calendar, whether the market trades or not."""
        return 365

    def recipe(self, name: str) -> Recipe:
        """A recipe of this history."""
        return known_recipe(self.seal.recipes[name], name)

    @cached_property
    def bars(self) -> pd.DataFrame:
        """Bars, sorted by pair, timeframe and date."""
        return tables.read(self.paths.bars)

    @cached_property
    def indicators(self) -> pd.DataFrame:
        """Values of the 69 indicators, row-aligned with the bars."""
        return tables.read(self.paths.indicators)

    @cached_property
    def votes(self) -> pd.DataFrame:
        """Textbook votes of the 69 indicators, row-aligned with the bars."""
        return tables.read(self.paths.votes)

    @cached_property
    def patterns(self) -> pd.DataFrame:
        """Patterns, dated by their confirming bar."""
        return tables.read(self.paths.patterns)

    @cached_property
    def regimes(self) -> pd.DataFrame:
        """Regime of every bar, row-aligned with the bars."""
        return tables.read(self.paths.regimes)

    def outcomes(self, plan: str) -> pd.DataFrame:
        """Known outcomes of every candidate under an exit plan: the desk's where it took one, as known in this week."""
        return as_known(tables.read(self.paths.outcomes / f"{plan}.parquet"), at=pd.Timestamp(self.as_of, tz="UTC"))

    def simulated(self, plan: str) -> pd.DataFrame:
        """Outcomes of every candidate under an exit plan as the engine fills them, as the ledger's trades were."""
        known = tables.read(self.paths.outcomes / f"{plan}.parquet")
        if "revised_at" not in known.columns:
            return known
        return known_outcomes(tables.read(self.paths.candidates / f"{plan}.parquet"))

    @cached_property
    def arrays(self) -> Market:
        """The arrays that the loop works on, cut at this week."""
        return load_market(self.paths, as_of=self.as_of)

    @cached_property
    def seals(self) -> list[Seal]:
        """Every seal up to this week, each held to its digests."""
        return [read_seal(self.paths, history=self.history, as_of=week) for week in self.weeks]

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """All trades of the account as known at this week: the closed ones, and those still open."""
        return _trades([seal.ledger for seal in self.seals])

    @cached_property
    def shadow(self) -> pd.DataFrame:
        """All trades of every arm's own book, column `arm`."""
        rows = _stack([seal.shadow for seal in self.seals])
        parts = [_trades([part]).assign(arm=arm) for arm, part in rows.groupby("arm", sort=True)]
        return pd.concat(parts, ignore_index=True) if parts else rows

    @cached_property
    def days(self) -> pd.DataFrame:
        """Daily marks of the account ("account") and of every arm: date, arm, equity, return_ratio, scores."""
        rows = _stack([seal.days for seal in self.seals])
        return rows.assign(date=pd.to_datetime(rows["date"], utc=True).astype("datetime64[ms, UTC]"))

    @cached_property
    def gate(self) -> pd.DataFrame:
        """Daily evidence of every trial: kind, arm, against, differences, wealth, bar."""
        rows = _stack([seal.gate for seal in self.seals])
        return rows.assign(date=pd.to_datetime(rows["date"], utc=True).astype("datetime64[ms, UTC]"))

    @cached_property
    def learners(self) -> pd.DataFrame:
        """Every learner of every arm beside its frozen twin, by week: date, arm, learner, log_loss, top_r, ..."""
        rows = _stack([seal.learners for seal in self.seals])
        return rows.assign(date=pd.to_datetime(rows["date"], utc=True).astype("datetime64[ms, UTC]"))


def _stack(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Rows of all weeks, the empty ones left out so that they do not blur the types."""
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else frames[-1]


def _trades(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """One row a signal: closed if it has closed, else open."""
    rows = _stack(frames)
    closed = rows[rows["status"] == "closed"]
    still = rows[(rows["status"] == "open") & ~rows["signal_id"].isin(closed["signal_id"])]
    filled = [part for part in (closed, still) if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else rows
