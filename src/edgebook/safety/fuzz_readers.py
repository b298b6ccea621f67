"""Every reader of a file that somebody else may have written, with valid files to begin with."""

from __future__ import annotations

import gzip
import json
import shutil
from typing import TYPE_CHECKING

import pandas as pd

from edgebook.paths import Paths
from edgebook.safety.fuzz_reader import Reader
from edgebook.safety.fuzz_sources import readers_of_sources

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def readers(sample: Paths, *, scratch: Path) -> list[Reader]:
    """All of them.

    Parameters
    ----------
    sample : Paths
        Of the committed sample: its settings and its last seal are the valid files.
    scratch : Path
        An empty folder, in which further valid files are made.
    """
    from edgebook.seals.seals import sealed_weeks

    week = sealed_weeks(sample, "main")[-1]
    return [
        Reader("params.yaml", 500, {"params.yaml": sample.params.read_bytes()}, _settings),
        *_of_seal(sample, week=week),
        *_of_tables(scratch),
        *_of_desk(),
        *readers_of_sources(scratch),
    ]


def _settings(root: Path) -> None:
    from edgebook.settings.loading import load_params

    load_params(Paths(root).params)


def _of_seal(sample: Paths, *, week: str) -> list[Reader]:
    """The files of a seal one by one, digests aside, and the whole folder with them."""
    from edgebook.arms.book import Book
    from edgebook.arms.drift import Drift
    from edgebook.importance.importance_run import read_importance
    from edgebook.policy.policy import Policy
    from edgebook.policy.record import Record
    from edgebook.seals.seal_shapes import BOOK, DRIFT, POLICY, RECIPES, SEAL, STATE, sealed_json
    from edgebook.seals.seals import read_seal
    from edgebook.tuning.tuning_study import STUDY_FILE, TRIALS_FILE, Study

    place = sample.seal(history="main", as_of=week)

    def of(name: str) -> dict[str, bytes]:
        return {name: (place / name).read_bytes()}

    def text(root: Path, name: str) -> str:
        from edgebook.errors import SealError

        try:
            return (root / name).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:  # what `sealed_files` says of it
            raise SealError(f"{name}: cannot be read; restore it with `git checkout`") from error

    def policy(root: Path) -> None:
        Policy.from_json(sealed_json(text(root, "policies/r1.json"), POLICY, where="policies/r1.json"))

    def state(root: Path) -> None:
        found = sealed_json(text(root, "state/r1.json"), STATE, where="state/r1.json")
        Record.from_json(found["record"])
        Book.from_json(found["book"])

    def drift(root: Path) -> None:
        Drift.from_json(sealed_json(text(root, "drift.json"), DRIFT, where="drift.json"))

    def head(root: Path) -> None:
        sealed_json(text(root, "seal.json"), SEAL, where="seal.json")

    def small(root: Path) -> None:
        sealed_json(text(root, "recipes.json"), RECIPES, where="recipes.json")
        Book.from_json(sealed_json(text(root, "account.json"), BOOK, where="account.json"))

    def study(root: Path) -> None:
        Study.from_files({name: text(root, name) for name in (STUDY_FILE, TRIALS_FILE)})

    whole = {
        f"models/main/{week}/{file.relative_to(place).as_posix()}": file.read_bytes()
        for file in sorted(place.rglob("*"))
        if file.is_file()
    }
    ledger = sample.ledger(history="main", as_of=week)
    whole[f"data/ledger/main/{week}.csv"] = ledger.read_bytes()

    def folder(root: Path) -> None:
        _forge(root, week=week, original=whole)
        read_seal(Paths(root), history="main", as_of=week)

    return [
        Reader("a policy", 2500, of("policies/r1.json"), policy),
        Reader("a state", 700, of("state/r1.json"), state),
        Reader("seal.json", 2500, of("seal.json"), head),
        Reader("recipes and account", 1200, of("recipes.json") | of("account.json"), small),
        Reader("the watch on drift", 600, of("drift.json"), drift),
        Reader("an importance run", 300, of("keep.json"), lambda root: read_importance(root / "keep.json")),
        Reader("a tuning study", 500, of(STUDY_FILE) | of(TRIALS_FILE) if (place / STUDY_FILE).exists() else {}, study),
        Reader("a seal whose digests were forged", 500, whole, folder),
    ]


def _forge(root: Path, *, week: str, original: Mapping[str, bytes]) -> None:
    """Give seal.json the digest of the file that was made hostile, as one who forges would."""
    from edgebook.seals.seal_text import digest, json_text

    place = f"models/main/{week}/"
    head = json.loads(original[f"{place}seal.json"])
    for name, content in original.items():
        file = root / name
        if name.endswith("seal.json") or file.read_bytes() == content:
            continue
        own = "ledger" if name.startswith("data/ledger") else name.removeprefix(place)
        head["files"][own] = digest(file.read_bytes().decode("utf-8", errors="replace"))
        (root / place / "seal.json").write_text(json_text(head), encoding="utf-8")


def _of_tables(scratch: Path) -> list[Reader]:
    """Bars of a folder, tables of the stages, received parts."""
    from edgebook.files import tables
    from edgebook.folder.folder import folder_bars
    from edgebook.sources import received

    dates = pd.date_range("2018-01-01 01:00", periods=72, freq="h", tz="UTC").as_unit("ms")
    bars = pd.DataFrame(
        {"pair": "BTC/USD", "timeframe": "1h", "date": dates, "open": 100.0, "high": 102.5, "low": 99.5,
         "close": 101.0, "volume": 12.5}
    )  # fmt: skip
    csv = bars.drop(columns=["pair", "timeframe"]).to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%SZ").encode()
    tables.write(bars, scratch / "bars.parquet")
    parquet = (scratch / "bars.parquet").read_bytes()
    received.append(bars, folder=scratch / "received", known_at=pd.Timestamp("2018-01-05", tz="UTC"))
    parts = {f"data/received/{p.name}": p.read_bytes() for p in sorted((scratch / "received").glob("*.parquet"))}
    shutil.rmtree(scratch / "received")

    def known(root: Path) -> None:
        received.as_known(root / "data" / "received", at=pd.Timestamp("2018-01-08", tz="UTC"))

    return [
        Reader("bars in CSV", 1000, {"data/raw/BTC-USD_1h.csv": csv}, lambda root: folder_bars(root / "data" / "raw")),
        Reader("bars in CSV, packed", 200, {"data/raw/BTC-USD_1h.csv.gz": gzip.compress(csv, mtime=0)},
               lambda root: folder_bars(root / "data" / "raw")),
        Reader("bars in Parquet", 400, {"data/raw/BTC-USD_1h.parquet": parquet},
               lambda root: folder_bars(root / "data" / "raw")),
        Reader("a table of a stage", 400, {"data/bars.parquet": parquet}, lambda root: tables.read(Paths(root).bars)),
        Reader("received parts", 300, parts, known),
    ]  # fmt: skip


def _of_desk() -> list[Reader]:
    """What a desk recorded, and tables of trades of other tools."""
    from edgebook.outcomes.recorded import read_recorded
    from edgebook.outcomes.recorded_rows import COLUMNS
    from edgebook.trade_files.imports import read_trades

    row = {
        "signal_id": "s1", "pair": "BTC/USD", "timeframe": "1h", "is_short": "False", "date": "2018-01-01T01:00:00Z",
        "open_date": "2018-01-01T01:00:00Z", "close_date": "2018-01-01T05:00:00Z", "open_rate": "100",
        "close_rate": "102", "take_profit_abs": "102", "stop_loss_abs": "99", "fee_open": "0.001",
        "fee_close": "0.001", "profit_ratio": "0.018", "exit_reason": "take_profit", "exit_word": "roi",
        "exit_plan": "", "enter_tag": "", "orders": "", "status": "closed", "known_at": "2018-01-01T05:00:00Z",
    }  # fmt: skip
    snapshot = f"{','.join(COLUMNS)}\n{','.join(row[name] for name in COLUMNS)}\n".encode()
    trades = (
        b"Size,EntryBar,ExitBar,EntryPrice,ExitPrice,SL,TP,PnL,ReturnPct,EntryTime,ExitTime,Duration,Tag\n"
        b"10,3,9,100,102,99,102,20,0.02,2018-01-01 03:00:00,2018-01-01 09:00:00,0 days 06:00:00,\n"
    )

    def imported(root: Path) -> None:
        read_trades(root / "trades.csv", tool="backtesting", pair="BTC/USD", timeframe="1h")

    return [
        Reader("a desk's snapshot", 600, {"data/recorded/outcomes-2018-01-02.csv": snapshot},
               lambda root: read_recorded(root / "data" / "recorded")),
        Reader("trades to import", 600, {"trades.csv": trades}, imported),
    ]  # fmt: skip
