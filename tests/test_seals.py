"""A seal is whole or not there, is written once, and a damaged one is noticed before anything is built on it."""

from __future__ import annotations

import errno
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebook.errors import SealError
from edgebook.loop.history import backfill, inputs_of
from edgebook.loop.loop import learn_week
from edgebook.paths import Paths
from edgebook.policy.market import iso, load_market, milliseconds
from edgebook.safety.safety_steps import kill_at_each_step
from edgebook.seals.seal_text import csv_text, json_text, read_csv
from edgebook.seals.seals import (
    LEDGER_COLUMNS,
    Seal,
    differing_files,
    read_head,
    read_seal,
    seal_files,
    sealed_weeks,
    write_seal,
)
from edgebook.settings.loading import load_params
from small_market import LAST, copy_history, seal_bytes

NEXT = "2018-06-04"


@pytest.fixture
def paths(small, tmp_path) -> Paths:
    return copy_history(small, tmp_path / "copy")


def learned(small: Paths, *, as_of: str, previous: str) -> Seal:
    """A week's seal as the loop makes it, before it is written."""
    params, market = load_params(small.params), load_market(small, as_of=as_of)
    before = read_seal(small, history="main", as_of=previous)
    inputs = inputs_of(params, small, as_of=as_of, market=market)
    return learn_week(before, inputs, as_of=as_of)


@pytest.fixture(scope="module")
def last(small) -> Seal:
    return learned(small, as_of=LAST, previous="2018-05-21")


@pytest.fixture(scope="module")
def following(small) -> Seal:
    return learned(small, as_of=NEXT, previous=LAST)


# --- written and read back


def test_a_seal_is_the_files_that_it_names(small, last):
    place = small.seal(history="main", as_of=LAST)
    files = seal_files(last)
    assert {p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file()} == set(files)
    for name, text in files.items():
        assert (place / name).read_bytes() == text.encode(), name
    assert small.ledger(history="main", as_of=LAST).read_bytes() == csv_text(last.ledger, LEDGER_COLUMNS).encode()


def test_what_is_read_back_is_what_was_learned(small, last):
    back = read_seal(small, history="main", as_of=LAST)
    assert back.head == json.loads(json.dumps(last.head))
    assert back.recipes == last.recipes
    assert back.account.to_json() == last.account.to_json()
    assert [t.to_json() for t in back.trials] == [t.to_json() for t in last.trials]
    for name, arm in last.arms.items():
        assert back.arms[name].policy.to_json() == arm.policy.to_json()
        assert back.arms[name].to_json() == arm.to_json()
        pd.testing.assert_frame_equal(back.arms[name].pending, arm.pending, check_dtype=False, check_exact=True)
    for name in ("ledger", "shadow"):
        one, other = getattr(back, name), getattr(last, name)
        assert one["signal_id"].tolist() == other["signal_id"].tolist()
        assert one["profit_ratio"].tolist() == pytest.approx(other["profit_ratio"].tolist(), abs=0, nan_ok=True)
        assert [iso(milliseconds(d)) for d in one["open_date"]] == other["open_date"].tolist()


def test_the_same_seal_restores_a_ledger_that_is_gone(paths, last):
    before = seal_bytes(paths)
    paths.ledger(history="main", as_of=LAST).unlink()
    assert write_seal(last, paths) is True
    assert seal_bytes(paths) == before


def test_another_seal_is_refused_also_where_the_ledger_is_gone(paths, last):
    paths.ledger(history="main", as_of=LAST).unlink()
    before = seal_bytes(paths)
    with pytest.raises(SealError, match="the week is sealed"):
        write_seal(replace(last, head=last.head | {"champion": "r2"}), paths)
    assert seal_bytes(paths) == before


def test_writing_the_same_seal_again_changes_nothing(paths, last):
    before = seal_bytes(paths)
    assert write_seal(last, paths) is False
    assert seal_bytes(paths) == before


def test_another_seal_for_the_week_is_refused(paths, last):
    before = seal_bytes(paths)
    other = replace(last, head=last.head | {"champion": "r2"})
    with pytest.raises(SealError, match=f"models/main/{LAST}: the week is sealed, and this run would seal it other"):
        write_seal(other, paths)
    assert seal_bytes(paths) == before


def test_differing_files_are_named(paths, last, following):
    assert differing_files(last, paths) == []
    assert differing_files(following, paths) == []
    other = replace(last, attachments=last.attachments | {"study/study.json": "{}\n"})
    assert differing_files(other, paths) == ["study/study.json", "seal.json"]


def test_a_head_is_what_the_seal_says_of_itself(paths, last):
    head = read_head(paths, history="main", as_of=LAST)
    assert head["champion_version"] == f"r1@{LAST}"
    assert {k: v for k, v in head.items() if k not in ("trials", "files")} == last.head


# --- damage


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: len(file.read_bytes()) // 2])


def not_text(file: Path) -> None:
    file.write_bytes(b"\xff\xfe" + file.read_bytes())


@pytest.mark.parametrize("damage", [flip, truncate, not_text, Path.unlink])
@pytest.mark.parametrize("name", ["policies/r1.json", "state/r2.json", "pending/r1.csv", "days.csv", "recipes.json"])
def test_a_damaged_file_is_named_with_its_remedy(paths, name, damage):
    damage(paths.seal(history="main", as_of=LAST) / name)
    with pytest.raises(SealError, match=rf"^models/main/{LAST}/{name}: .*restore it with `git checkout") as caught:
        read_seal(paths, history="main", as_of=LAST)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", [flip, truncate, Path.unlink])
def test_a_damaged_ledger_is_named(paths, damage):
    damage(paths.ledger(history="main", as_of=LAST))
    with pytest.raises(SealError, match=rf"^data/ledger/main/{LAST}.csv: .*restore it"):
        read_seal(paths, history="main", as_of=LAST)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"format": 2}', '{"format": 2, "files": 3}'])
def test_a_damaged_head_is_named(paths, text):
    (paths.seal(history="main", as_of=LAST) / "seal.json").write_text(text, encoding="utf-8")
    with pytest.raises(SealError, match=rf"^models/main/{LAST}/seal.json: is damaged"):
        read_seal(paths, history="main", as_of=LAST)


def test_a_format_of_another_version_is_said(paths):
    file = paths.seal(history="main", as_of=LAST) / "seal.json"
    head = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json_text(head | {"format": 99}), encoding="utf-8")
    with pytest.raises(SealError, match="format 99, this version reads 2"):
        read_seal(paths, history="main", as_of=LAST)


def test_a_week_without_a_seal_is_said(paths):
    with pytest.raises(SealError, match=r"models/main/2018-07-02: there is no seal of that week; `edgebook backfill`"):
        read_seal(paths, history="main", as_of="2018-07-02")


def test_nothing_is_built_on_a_damaged_seal(paths):
    flip(paths.seal(history="main", as_of=LAST) / "state" / "r1.json")
    before = seal_bytes(paths)
    with pytest.raises(SealError, match="is not what was sealed"):
        backfill(load_params(paths.params), paths, until=NEXT)
    assert seal_bytes(paths) == before


# --- a disk that is full, a run that is killed


def leftovers(paths: Paths) -> list[str]:
    return [p.name for p in paths.root.rglob("*.tmp")]


@pytest.mark.parametrize("write", range(1, 19, 3))
def test_a_full_disk_leaves_the_last_good_seal_and_nothing_else(paths, following, monkeypatch, write):
    before, real, count = seal_bytes(paths), Path.write_text, [0]

    def full(self: Path, *args: object, **kwargs: object) -> int:
        count[0] += 1
        if count[0] >= write:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(SealError, match=rf"^models/main/{NEXT}: could not be written \(No space left on device\)"):
        write_seal(following, paths)
    monkeypatch.undo()
    assert seal_bytes(paths) == before
    assert leftovers(paths) == []
    assert sealed_weeks(paths, "main")[-1] == LAST
    assert write_seal(following, paths) is True


def test_a_full_disk_while_the_ledger_is_written_leaves_no_scrap(paths, following, monkeypatch):
    before, real = seal_bytes(paths), Path.write_text

    def full(self: Path, *args: object, **kwargs: object) -> int:
        if self.parent.name == "main" and self.suffix == ".tmp":
            real(self, "half a ro", encoding="utf-8")
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(SealError, match="could not be written"):
        write_seal(following, paths)
    monkeypatch.undo()
    assert seal_bytes(paths) == before
    assert leftovers(paths) == []


def test_a_kill_at_any_step_leaves_what_is_written_again(paths, following):
    """Killed before every single change to the file system, no handler runs: the week is not sealed, or it is."""
    before, after = seal_bytes(paths, until=LAST), {}
    place, ledger = paths.seal(history="main", as_of=NEXT), paths.ledger(history="main", as_of=NEXT)

    def reset() -> None:
        shutil.rmtree(place, ignore_errors=True)
        ledger.unlink(missing_ok=True)

    def check(step: int) -> None:
        assert seal_bytes(paths, until=LAST) == before, step
        if sealed_weeks(paths, "main")[-1] == NEXT:
            assert read_seal(paths, history="main", as_of=NEXT).as_of == NEXT, step
        write_seal(following, paths)
        assert seal_bytes(paths) == after, step
        assert leftovers(paths) == [], step

    write_seal(following, paths)
    after = seal_bytes(paths)
    assert kill_at_each_step(lambda: write_seal(following, paths), reset=reset, check=check) > 20


def test_folders_that_are_no_seals_are_not_counted(paths):
    history = paths.history("main")
    shutil.copytree(history / LAST, history / f".{LAST}.123.tmp")
    (history / NEXT).mkdir()
    (history / "notes.txt").write_text("mine", encoding="utf-8")
    assert sealed_weeks(paths, "main")[-1] == LAST
    assert len(sealed_weeks(paths, "main")) == 9
    assert sealed_weeks(paths, "another") == []


# --- text

leaf = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | st.text()
trees = st.recursive(leaf, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))


@settings(max_examples=40)
@given(st.dictionaries(st.text(), trees, max_size=5))
def test_json_text_gives_everything_back(data):
    text = json_text(data)
    assert json.loads(text) == data
    assert json_text(json.loads(text)) == text


@given(st.lists(st.tuples(st.floats(allow_nan=True, allow_infinity=False), st.integers(-5, 5)), min_size=1, max_size=9))
def test_csv_gives_each_number_back(rows):
    frame = pd.DataFrame(rows, columns=["x", "n"])
    text = csv_text(frame, ["x", "n"])
    pd.testing.assert_frame_equal(read_csv(text), frame, check_exact=True)
    assert csv_text(read_csv(text), ["x", "n"]) == text
