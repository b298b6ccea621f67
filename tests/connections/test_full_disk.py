"""A disk that is full, for real: one line, what was there is there, and with space again the bytes of any other run."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from edgebook.paths import Paths, repository
from edgebook.sources.received import as_known
from small_market import END, copy_history, write_settings


@pytest.fixture
def disk(tmp_path):
    """Mount a disk of so many kilobytes over a folder, whose files are taken along; call again for another size."""
    mounted: list[Path] = []

    def of(place: Path, size: str) -> None:
        if place in mounted:
            subprocess.run(["mount", "-o", f"remount,size={size}", place], check=True)
            return
        kept = tmp_path / "kept"
        place.mkdir(parents=True, exist_ok=True)
        shutil.copytree(place, kept, symlinks=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], capture_output=True)
        if done.returncode:
            pytest.skip(f"may not mount a small disk: {done.stderr.decode().strip()}")
        mounted.append(place)
        shutil.copytree(kept, place, symlinks=True, dirs_exist_ok=True)

    yield of
    for place in mounted:
        subprocess.run(["umount", "-l", place], check=True)


def edgebook(paths: Paths, *words: str) -> subprocess.CompletedProcess[str]:
    """A command, in a process of its own."""
    places = {"EDGEBOOK_ROOT": str(paths.root), "PYTHONPATH": str(repository() / "src")}
    start = [sys.executable, "-c", "from edgebook.cli import main; main()", *words]
    return subprocess.run(start, cwd=paths.root, env={**os.environ, **places}, capture_output=True, text=True)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, with its bytes; a store with its rows."""
    found = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.name.startswith("."):
            content = file.read_bytes()
            if file.suffix == ".sqlite":
                with closing(sqlite3.connect(file)) as base:
                    content = "\n".join(base.iterdump()).encode()
            found[file.relative_to(folder).as_posix()] = content
    return found


@pytest.mark.parametrize(
    ("words", "folder", "size"),
    [
        (("daily", "--date", "2018-05-30"), "data/daily", "200k"),
        (("export", "--to", "store/desk.sqlite"), "store", "40k"),
    ],
)  # fmt: skip
def test_a_full_disk_is_one_line_and_loses_nothing(small, tmp_path, disk, words, folder, size):
    mine, other = (copy_history(small, tmp_path / name) for name in ("mine", "other"))
    assert edgebook(other, *words).returncode == 0
    place = mine.root / folder
    place.mkdir(parents=True, exist_ok=True)
    used = sum(-(-file.stat().st_size // 4096) * 4096 for file in place.rglob("*") if file.is_file())
    before = contents(mine.root / "models") | contents(mine.root / "data" / "ledger")
    disk(place, f"{(used + int(size[:-1]) * 1024) // 1024}k")
    full = edgebook(mine, *words)
    assert full.returncode == 1, full.stdout + full.stderr
    assert len(full.stderr.strip().splitlines()) == 1, full.stderr
    assert full.stderr.startswith("edgebook: "), full.stderr
    kept = contents(mine.root / "models") | contents(mine.root / "data" / "ledger")
    assert {name: kept.get(name) for name in before} == before
    disk(place, "200m")
    assert edgebook(mine, *words).returncode == 0
    for part in ("models", "data/ledger", "data/daily", "store"):
        assert contents(mine.root / part) == contents(other.root / part), part


def test_a_full_disk_leaves_the_tables_of_the_last_run(tmp_path, disk):
    mine = Paths(tmp_path / "mine")
    write_settings(mine)
    assert edgebook(mine, "run", "bars").returncode == 0
    bars = mine.bars.read_bytes()
    mine.params.write_text(
        mine.params.read_text(encoding="utf-8").replace("2018-05-28", END).replace("2018-05-21", "2018-06-11"),
        encoding="utf-8",
    )
    disk(mine.root / "data", f"{len(bars) // 1024 + 60}k")
    full = edgebook(mine, "run", "bars")
    assert (full.returncode, len(full.stderr.strip().splitlines())) == (1, 1), full.stderr
    assert mine.bars.read_bytes() == bars
    disk(mine.root / "data", "50m")
    assert edgebook(mine, "run", "bars").returncode == 0
    assert mine.bars.read_bytes() != bars


def test_what_is_received_before_the_disk_is_full_is_kept(tmp_path, disk, monkeypatch):
    mine = Paths(tmp_path / "mine")
    source = {"source: synthetic": "source: database\n  database: {url: DESK_DATABASE, timeframe: 1h}"}
    write_settings(mine, changes=source)
    with closing(sqlite3.connect(tmp_path / "desk.db")) as base:
        base.execute("create table bars (pair, date, open, high, low, close, volume)")
        rows = [("A", f"2018-01-{d:02d} {h:02d}:00:00", 1.0, 2.0, 1.0, 1.5, d) for d in range(1, 29) for h in range(24)]
        base.executemany("insert into bars values (?, ?, ?, ?, ?, ?, ?)", rows)
        base.commit()
    monkeypatch.setenv("DESK_DATABASE", f"sqlite:///{tmp_path / 'desk.db'}")
    received = mine.root / "data" / "received"
    disk(received, "8k")
    full = edgebook(mine, "data", "fetch", "--until", "2018-02-01")
    assert (full.returncode, len(full.stderr.strip().splitlines())) == (1, 1), full.stderr
    disk(received, "10m")
    assert edgebook(mine, "data", "fetch", "--until", "2018-02-01").returncode == 0
    (bars,) = as_known(received, at=pd.Timestamp.now("UTC"))
    assert bars["volume"].tolist() == [float(row[-1]) for row in rows]
