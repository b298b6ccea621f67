"""Seals: what one weekly run leaves in git, never rewritten.

A seal is a folder of text: policies, loop state, the decision, scores that wait for their outcome. It is written
beside its place and moved there in one step, and carries the digest of each of its files, so that a damaged one is
noticed before anything is built on it. What is saved is what is used: the fold reads a seal back from disk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.arms.arms import Arm
from edgebook.arms.book import Book
from edgebook.arms.gate import Trial
from edgebook.arms.pending import PENDING_COLUMNS
from edgebook.errors import SealError
from edgebook.files.whole_files import whole_folder, write_whole
from edgebook.policy.learners import LEARNER_COLUMNS
from edgebook.policy.policy import Policy
from edgebook.policy.record import Record
from edgebook.seals.seal_shapes import ATTACHED, BOOK, RECIPES, STATE, sealed_json
from edgebook.seals.seal_text import csv_text, digest, json_text, read_csv
from edgebook.seals.sealed_files import (
    read_seal_json,
    sealed_mapping,
    sealed_policy,
    sealed_rows,
    sealed_text,
    shown_name,
)

if TYPE_CHECKING:
    from pathlib import Path

    from edgebook.paths import Paths

LEDGER_COLUMNS = [
    "signal_id", "pair", "timeframe", "is_short", "date", "open_date", "close_date", "open_rate", "close_rate",
    "fee_open", "fee_close", "take_profit_abs", "stop_loss_abs", "stake", "profit_ratio", "r_multiple", "exit_reason",
    "bars_held", "mae", "mfe", "enter_tag", "regime", "confidence", "threshold", "certified", "heads_agreed",
    "head_scores", "exit_plan", "model_version", "ab_test_version", "status",
]  # fmt: skip
SHADOW_COLUMNS = ["arm", *LEDGER_COLUMNS]
DAY_COLUMNS = ["date", "arm", "equity", "return_ratio", "positions", "book_score", "candidate_score"]
GATE_COLUMNS = ["date", "kind", "arm", "against", "book_difference", "candidate_difference", "wealth", "bar"]


@dataclass(frozen=True)
class Seal:
    """One week, sealed.

    Parameters
    ----------
    head : mapping
        History, week, champion, challenger, events, trials that are over, fingerprints: seal.json.
    recipes : mapping of str to mapping
        Every recipe of the history: role, title, origin, since, until, settings.
    arms : mapping of str to Arm
        Those that run.
    account : Book
        The account that follows the champion.
    trials : tuple of Trial
        Those that go on.
    ledger, shadow, days, gate, learners : DataFrame
        The week's rows: of the account, of the other arms' books, of the daily marks, of the daily evidence, and of
        every learner beside its frozen twin.
    attachments : mapping of str to str
        Further text files by relative path: the last tuning study and the last importance run.
    """

    head: dict[str, Any]
    recipes: dict[str, dict[str, Any]]
    arms: dict[str, Arm]
    account: Book
    trials: tuple[Trial, ...]
    ledger: pd.DataFrame = field(repr=False)
    shadow: pd.DataFrame = field(repr=False)
    days: pd.DataFrame = field(repr=False)
    gate: pd.DataFrame = field(repr=False)
    learners: pd.DataFrame = field(repr=False)
    attachments: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def as_of(self) -> str:
        """The Monday at which the week ended."""
        return str(self.head["as_of"])

    @property
    def champion(self) -> str:
        """Name of the recipe in force."""
        return str(self.head["champion"])


def seal_files(seal: Seal) -> dict[str, str]:
    """Every file of a seal by its path in the folder, seal.json last."""
    files = {"recipes.json": json_text(seal.recipes), "account.json": json_text(seal.account.to_json())}
    for name, arm in seal.arms.items():
        files[f"policies/{name}.json"] = json_text(arm.policy.to_json())
        files[f"state/{name}.json"] = json_text(arm.to_json())
        files[f"pending/{name}.csv"] = csv_text(arm.pending, PENDING_COLUMNS)
    files["shadow.csv"] = csv_text(seal.shadow, SHADOW_COLUMNS)
    files["days.csv"] = csv_text(seal.days, DAY_COLUMNS)
    files["gate.csv"] = csv_text(seal.gate, GATE_COLUMNS)
    files["learners.csv"] = csv_text(seal.learners, LEARNER_COLUMNS)
    files |= seal.attachments
    digests = {name: digest(text) for name, text in sorted(files.items())}
    digests["ledger"] = digest(csv_text(seal.ledger, LEDGER_COLUMNS))
    head = seal.head | {"trials": [trial.to_json() for trial in seal.trials], "files": digests}
    files["seal.json"] = json_text(head)
    return files


def write_seal(seal: Seal, paths: Paths) -> bool:
    """Write a seal and its ledger rows, whole or not at all.

    Parameters
    ----------
    seal : Seal
    paths : Paths

    Returns
    -------
    bool
        False when the same seal is there already.

    Raises
    ------
    SealError
        Another seal is there for the week, or the disk did not take it. What was there stays.
    """
    history = str(seal.head["history"])
    place, ledger = paths.seal(history=history, as_of=seal.as_of), paths.ledger(history=history, as_of=seal.as_of)
    files = seal_files(seal)
    sealed = place / "seal.json"
    if sealed.exists():
        if sealed.read_bytes() != files["seal.json"].encode():
            raise SealError(
                f"{shown_name(place, paths)}: the week is sealed, and this run would seal it otherwise; changed "
                "settings, code or bars take effect from the next week (`edgebook advance`); for a what-if give "
                "run.history another name"
            )
        if ledger.exists():
            read_seal(paths, history=history, as_of=seal.as_of)
            return False
    try:
        with whole_folder(place) as scratch:
            for name, text in files.items():
                target = scratch / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
            # The folder last: a seal without its ledger cannot be, a ledger without its seal is written again.
            write_whole({ledger: csv_text(seal.ledger, LEDGER_COLUMNS)})
    except OSError as error:
        reason = error.strerror or str(error)
        raise SealError(
            f"{shown_name(place, paths)}: could not be written ({reason}); earlier seals are untouched"
        ) from error
    return True


def differing_files(seal: Seal, paths: Paths) -> list[str]:
    """Files in which a seal that is there already differs from this one; none where there is none."""
    place = paths.seal(history=str(seal.head["history"]), as_of=seal.as_of)
    if not (place / "seal.json").exists():
        return []
    files = seal_files(seal)
    there = {p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file()}
    wrong = sorted(there ^ files.keys())
    return wrong + [n for n in sorted(there & files.keys()) if (place / n).read_bytes() != files[n].encode()]


def read_seal(paths: Paths, *, history: str, as_of: str) -> Seal:
    """Read a seal back, every file held to its digest.

    Raises
    ------
    SealError
        It is missing or damaged; the message names the file.
    """
    place, ledger = paths.seal(history=history, as_of=as_of), paths.ledger(history=history, as_of=as_of)
    head = read_seal_json(place, paths)
    texts = {
        name: sealed_text(ledger if name == "ledger" else place / name, sealed, paths=paths)
        for name, sealed in head["files"].items()
    }
    for name, shape in ATTACHED.items():
        if name in texts:
            sealed_json(texts[name], shape, where=shown_name(place / name, paths))
    arms = {}
    for name in head["arms"]:
        state = sealed_mapping(place / f"state/{name}.json", STATE, texts=texts, paths=paths)
        arms[name] = Arm(
            name=name,
            policy=sealed_policy(place, name, texts=texts, paths=paths),
            record=Record.from_json(state["record"]),
            book=Book.from_json(state["book"]),
            pending=sealed_rows(place / f"pending/{name}.csv", PENDING_COLUMNS, texts=texts, paths=paths),
            expected_stake=state["expected_stake"],
        )
    trials = tuple(Trial.from_json(trial) for trial in head.pop("trials"))
    head.pop("files")
    known = ("shadow.csv", "days.csv", "gate.csv", "learners.csv", "recipes.json", "account.json", "ledger")
    return Seal(
        head=head,
        recipes=sealed_mapping(place / "recipes.json", RECIPES, texts=texts, paths=paths),
        arms=arms,
        account=Book.from_json(sealed_mapping(place / "account.json", BOOK, texts=texts, paths=paths)),
        trials=trials,
        ledger=_trades(ledger, LEDGER_COLUMNS, text=texts["ledger"], paths=paths),
        shadow=_trades(place / "shadow.csv", SHADOW_COLUMNS, text=texts["shadow.csv"], paths=paths),
        days=sealed_rows(place / "days.csv", DAY_COLUMNS, texts=texts, paths=paths),
        gate=sealed_rows(place / "gate.csv", GATE_COLUMNS, texts=texts, paths=paths),
        learners=sealed_rows(place / "learners.csv", LEARNER_COLUMNS, texts=texts, paths=paths),
        attachments={
            n: t for n, t in texts.items() if n not in known and n.split("/")[0] not in ("policies", "state", "pending")
        },
    )


def read_policy(paths: Paths, *, history: str, as_of: str, name: str) -> Policy | None:
    """Read one policy of a seal, held to its digest and its shape; None where the seal has none of that name.

    Raises
    ------
    SealError
        The seal or the policy is missing or damaged; the message names the file.
    """
    if as_of not in sealed_weeks(paths, history):
        return None
    place = paths.seal(history=history, as_of=as_of)
    sealed = read_seal_json(place, paths)["files"].get(f"policies/{name}.json")
    if sealed is None:
        return None
    text = sealed_text(place / f"policies/{name}.json", sealed, paths=paths)
    return sealed_policy(place, name, texts={f"policies/{name}.json": text}, paths=paths)


def sealed_weeks(paths: Paths, history: str) -> list[str]:
    """Mondays that have a seal, in order."""
    folder = paths.history(history)
    if not folder.is_dir():
        return []
    return sorted(p.name for p in folder.iterdir() if (p / "seal.json").exists() and not p.name.startswith("."))


def read_head(paths: Paths, *, history: str, as_of: str) -> dict[str, Any]:
    """Read seal.json alone, for listings."""
    return read_seal_json(paths.seal(history=history, as_of=as_of), paths)


def ledger_frame(text: str) -> pd.DataFrame:
    """Ledger rows from CSV, dates as UTC times."""
    frame = read_csv(text)
    for name in ("date", "open_date", "close_date"):
        frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601").astype("datetime64[ms, UTC]")
    for name in ("is_short", "certified"):
        frame[name] = frame[name].astype(bool)
    for name in ("enter_tag", "heads_agreed"):
        frame[name] = frame[name].fillna("").astype(str)
    return frame


def _trades(file: Path, columns: list[str], *, text: str, paths: Paths) -> pd.DataFrame:
    """Rows of a ledger, held to their columns."""
    try:
        frame = ledger_frame(text)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        reason = " ".join(str(error).split())[:200]
        raise SealError(f"{shown_name(file, paths)}: is no ledger ({reason}); restore it from git") from error
    if list(frame.columns) != columns:
        raise SealError(f"{shown_name(file, paths)}: its columns are not those of a ledger; restore it from git")
    return frame
