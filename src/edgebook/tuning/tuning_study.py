"""A finished study: what was tried, what came of it, what it proposes; two text files that give it back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.errors import DataError
from edgebook.seals.seal_shapes import STUDY
from edgebook.settings.json_shapes import parsed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

STUDY_FILE, TRIALS_FILE = "study/study.json", "study/trials.csv"
TRIAL_COLUMNS = [
    "number", "kind", "train_weeks", "shrinkage", "signal_quantile", "min_heads_agree", "take_profit_atr",
    "stop_loss_atr", "time_limit_bars", "value", "sharpe", "mean_r", "trades", "daily_r",
]  # fmt: skip
SETTINGS = tuple(TRIAL_COLUMNS[2:9])
_WHOLE = ("number", "train_weeks", "min_heads_agree", "time_limit_bars", "trades")
_TYPES = {n: np.int64 if n in _WHOLE else np.float64 for n in TRIAL_COLUMNS if n not in ("kind", "daily_r")}


@dataclass(frozen=True)
class Study:
    """One tuning study.

    Parameters
    ----------
    head : mapping
        What study.json says: as_of, recipe, budget, schedule, space, default and best on the folds and on the holdout,
        the grid's best, deflated Sharpe ratio, overfitting, superior ability, importance, heads, verdict, proposals.
    trials : DataFrame
        The ledger: one row a trial by its number: the default, Sobol points, TPE's, the grid. `value` is the objective,
        `sharpe` and `mean_r` are those of `daily_r`, the net R of each day of the folds, separated by blanks.
    """

    head: dict[str, Any]
    trials: pd.DataFrame = field(repr=False)

    @property
    def as_of(self) -> str:
        """The Monday up to which everything was known to it."""
        return str(self.head["as_of"])

    @property
    def proposals(self) -> list[dict[str, Any]]:
        """Recipes that it proposes, in the order in which they are offered the slot: origin, title, settings."""
        queue: list[dict[str, Any]] = self.head["proposals"]
        return queue

    @property
    def searched(self) -> pd.DataFrame:
        """Trials from which the best was chosen: all but those of the grid."""
        return self.trials[self.trials["kind"] != "grid"]

    @property
    def grid(self) -> pd.DataFrame:
        """Trials of the grid, the baseline of the search; empty where none was asked for."""
        return self.trials[self.trials["kind"] == "grid"]

    def daily_r(self) -> NDArray[np.float64]:
        """Net R of every trial of the search on every day of the folds, shape (days, trials)."""
        return np.array([[float(x) for x in text.split()] for text in self.searched["daily_r"]]).T

    def to_files(self) -> dict[str, str]:
        """Both files, by their path in a seal."""
        rows = self.trials[TRIAL_COLUMNS].to_csv(index=False, lineterminator="\n")
        return {
            STUDY_FILE: json.dumps(self.head, indent=1, ensure_ascii=False, allow_nan=False) + "\n",
            TRIALS_FILE: rows,
        }

    @classmethod
    def from_files(cls, files: Mapping[str, str]) -> Study:
        """Rebuild what `to_files` wrote.

        Raises
        ------
        DataError
            A file is missing or damaged.
        """
        for name in (STUDY_FILE, TRIALS_FILE):
            if name not in files:
                raise DataError(f"{name}: is missing; restore it with `git checkout`")
        try:
            head = parsed(files[STUDY_FILE], STUDY, where=STUDY_FILE)
            text = pd.read_csv(StringIO(files[TRIALS_FILE]), dtype=str)
            trials = text.astype({name: kind for name, kind in _TYPES.items() if name in text})
        except DataError as error:
            raise DataError(f"{error}; restore it with `git checkout`") from error
        except (ValueError, OverflowError) as error:
            raise DataError(f"{STUDY_FILE}, {TRIALS_FILE}: are damaged; restore them with `git checkout`") from error
        if list(trials.columns) != TRIAL_COLUMNS:
            raise DataError(f"{STUDY_FILE}, {TRIALS_FILE}: are of another version; a new study writes them again")
        return cls(head, trials)


def daily_text(daily_r: NDArray[np.float64]) -> str:
    """Net R of each day as text, the shortest that gives the numbers back.

    Examples
    --------
    >>> daily_text(np.array([0.0, -1.03, 2.5]))
    '0 -1.03 2.5'
    """
    return " ".join(f"{x:g}" for x in daily_r)
