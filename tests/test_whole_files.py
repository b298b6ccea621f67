"""Files and folders are there whole or not at all: killed before every single step, on a full disk, read-only."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from edgebook.errors import DataError
from edgebook.files import tables
from edgebook.files.whole_files import scratch_of, whole_folder, write_whole
from edgebook.safety.safety_steps import kill_at_each_step

NOBODY = 2**22 + 1
"""No process has this number: it is above the largest that Linux gives."""


def texts(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8")
        for file in sorted(folder.rglob("*"))
        if file.is_file() and ".tmp" not in str(file)
    }


def filled(place: Path, words: dict[str, str]) -> None:
    with whole_folder(place) as folder:
        for name, text in words.items():
            (folder / name).write_text(text, encoding="utf-8")


# --- killed before each step


def test_a_file_that_is_killed_at_any_step_is_old_or_new(tmp_path):
    place = tmp_path / "a" / "one.txt"

    def reset() -> None:
        write_whole({place: "old"})

    def check(step: int) -> None:
        assert place.read_text(encoding="utf-8") in ("old", "new"), step
        write_whole({place: "new"})
        assert [p.name for p in place.parent.iterdir()] == ["one.txt"], step

    assert kill_at_each_step(lambda: write_whole({place: "new"}), reset=reset, check=check) >= 2


def test_of_several_files_the_last_says_that_all_are_there(tmp_path):
    places = [tmp_path / name for name in ("a", "b", "mark")]

    def reset() -> None:
        write_whole(dict.fromkeys(places, "old"))

    def check(step: int) -> None:
        said = [place.read_text(encoding="utf-8") for place in places]
        assert set(said) <= {"old", "new"}, step
        if said[-1] == "new":
            assert set(said) == {"new"}, step

    assert kill_at_each_step(lambda: write_whole(dict.fromkeys(places, "new")), reset=reset, check=check) >= 6


@pytest.mark.parametrize("exchange", [True, False])
def test_a_folder_that_is_killed_at_any_step_is_never_a_mix(tmp_path, monkeypatch, exchange):
    place = tmp_path / "folder"
    old, new = {"a": "1", "b": "1", "gone": "1"}, {"a": "2", "b": "2"}
    if not exchange:
        monkeypatch.setattr("edgebook.files.whole_files.sys.platform", "elsewhere")

    def reset() -> None:
        filled(place, old)

    def check(step: int) -> None:
        # Without an exchange there is a moment without any folder: missing, which every reader says, not mixed.
        assert texts(place) in ((old, new) if exchange else (old, new, {})), step
        filled(place, new)
        assert texts(place) == new
        assert [p.name for p in tmp_path.iterdir()] == ["folder"], step

    assert kill_at_each_step(lambda: filled(place, new), reset=reset, check=check) >= 6


def test_a_folder_of_tables_that_is_killed_at_any_step_is_never_a_mix(tmp_path):
    place = tmp_path / "candidates"

    def fill(value: int) -> None:
        with tables.folder(place) as folder:
            for name in ("a", "b"):
                tables.write(pd.DataFrame({"x": [value]}), folder / f"{name}.parquet")

    def check(step: int) -> None:
        values = {int(tables.read(file)["x"].iloc[0]) for file in place.glob("*.parquet")}
        assert len(values) == 1 and len(list(place.iterdir())) == 2, step
        fill(2)
        assert [p.name for p in tmp_path.iterdir()] == ["candidates"], step

    assert kill_at_each_step(lambda: fill(2), reset=lambda: fill(1), check=check) >= 6


# --- what is left and what fails


def test_what_a_dead_run_left_goes_and_what_a_living_one_writes_stays(tmp_path):
    place = tmp_path / "one.txt"
    alive = os.getppid()
    for process in (NOBODY, alive):
        (tmp_path / f".one.txt.{process}.tmp").write_text("half", encoding="utf-8")
    (tmp_path / f".one.txt.{os.getpid()}.tmp").mkdir()
    (tmp_path / ".another.txt.1.tmp").write_text("not mine", encoding="utf-8")
    assert scratch_of(place).name == f".one.txt.{os.getpid()}.tmp"
    assert {p.name for p in tmp_path.iterdir()} == {f".one.txt.{alive}.tmp", ".another.txt.1.tmp"}


def test_names_with_wildcards_take_only_their_own(tmp_path):
    (tmp_path / f".ab.{NOBODY}.tmp").write_text("another's", encoding="utf-8")
    write_whole({tmp_path / "[ab]*": "mine"})
    assert {p.name for p in tmp_path.iterdir()} == {"[ab]*", f".ab.{NOBODY}.tmp"}


def test_a_block_that_fails_leaves_the_folder_as_it_was(tmp_path):
    place = tmp_path / "folder"
    filled(place, {"a": "1"})
    with pytest.raises(ZeroDivisionError), whole_folder(place) as folder:
        (folder / "a").write_text("2", encoding="utf-8")
        raise ZeroDivisionError
    assert texts(place) == {"a": "1"}
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_a_linked_folder_is_filled_where_it_lies(tmp_path):
    there = tmp_path / "disk" / "folder"
    filled(there, {"a": "1"})
    (tmp_path / "link").symlink_to(there, target_is_directory=True)
    filled(tmp_path / "link", {"a": "2"})
    assert texts(there) == {"a": "2"}
    assert (tmp_path / "link").is_symlink()


def test_the_error_names_the_file_that_the_disk_did_not_take(tmp_path, monkeypatch):
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    write_whole({first: "old", second: "old"})
    real = Path.write_text

    def full(self: Path, text: str, **how: str) -> int:
        if self.name.startswith(".b"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, text, **how)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left on device") as raised:
        write_whole({first: "new", second: "new"})
    assert raised.value.filename == str(second)
    assert texts(tmp_path) == {"a.txt": "old", "b.txt": "old"}


LIMITED = """
import sys, pandas as pd
from pathlib import Path
from edgebook.files import tables
from edgebook.errors import DataError
from edgebook.files.whole_files import write_whole
place = Path(sys.argv[1])
for write in (
    lambda: tables.write(pd.DataFrame({"x": range(200_000)}), place / "t.parquet"),
    lambda: write_whole({place / "t.txt": "new" * 100_000}),
):
    try:
        write()
    except (DataError, OSError) as error:
        print(str(error).splitlines()[0])
"""


def test_a_file_that_outgrows_its_limit_leaves_the_last_good_one(tmp_path):
    """A real limit of the system, not a patched function: the write fails when part of the file is there."""
    tables.write(pd.DataFrame({"x": [1]}), tmp_path / "t.parquet")
    write_whole({tmp_path / "t.txt": "old"})
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        capture_output=True, text=True, check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536)),
    )  # fmt: skip
    first, second = done.stdout.splitlines()
    assert first.endswith("File too large); the last good file is kept")
    assert "t.parquet: could not be written" in first
    assert "File too large" in second
    assert tables.read(tmp_path / "t.parquet")["x"].tolist() == [1]
    assert (tmp_path / "t.txt").read_text(encoding="utf-8") == "old"
    assert {p.name for p in tmp_path.iterdir()} == {"t.parquet", "t.txt"}


def test_a_folder_that_may_not_be_written_is_one_line(tmp_path, monkeypatch):
    def refused(self: Path, **how: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refused)
    said = pytest.raises(DataError, match=r"candidates: could not be written \(Permission denied\); the last good")
    with said, tables.folder(tmp_path / "x" / "candidates"):
        pass
