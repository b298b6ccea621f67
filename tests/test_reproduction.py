"""The reproduction study sees a difference where there is one, and finds none in a small piece of the product."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from edgebook.errors import DataError
from edgebook.files import tables
from edgebook.paths import Paths, repository
from edgebook.reproduction import reproduction
from edgebook.reproduction.reproduction import measure, reproduction_section, small_piece
from edgebook.reproduction.reproduction_compare import bytes_that_differ, compare
from edgebook.reproduction.reproduction_run import OUTPUTS
from edgebook.reproduction.reproduction_variations import FIRST, KERNELS, Variation, environment_of, variations
from edgebook.settings.loading import load_params
from edgebook.settings.params import Params
from small_market import write_settings

ROW = {
    "variation": "another folder",
    "environment": {},
    "scope": "everything",
    "files": 3,
    "bytes": 4_000,
    "files_differ": 0,
    "bytes_differ": 0,
    "first_differing": None,
    "explained": [],
    "control": {"matrix products": 77, "folder": 5},
}


def write_run(root: Path, *, price: float = 1.25, line: str = "r1,0.5") -> None:
    tables.write(pd.DataFrame({"pair": ["A", "A"], "close": [1.0, price]}), root / "data" / "bars.parquet")
    (root / "models" / "main").mkdir(parents=True)
    (root / "models" / "main" / "gate.csv").write_text(f"arm,wealth\n{line}\n", encoding="utf-8")
    (root / "params.yaml").write_text(f"not an output of {root.name}", encoding="utf-8")


# --- the comparison


def test_equal_runs_differ_in_nothing_and_every_byte_is_counted(tmp_path):
    for name in ("a", "b"):
        write_run(tmp_path / name)
    found = compare(tmp_path / "a", tmp_path / "b", parts=OUTPUTS["everything"])
    sizes = [(tmp_path / "a" / name).stat().st_size for name in ("data/bars.parquet", "models/main/gate.csv")]
    assert (found.files, found.bytes_compared, found.bytes_differ, found.first) == (2, sum(sizes), 0, None)


def test_a_planted_difference_is_counted_and_named(tmp_path):
    write_run(tmp_path / "a")
    write_run(tmp_path / "b", price=1.2500000000000002, line="r1,0.512")
    found = compare(tmp_path / "a", tmp_path / "b", parts=OUTPUTS["everything"])
    assert found.first == "data/bars.parquet"
    assert found.differing["models/main/gate.csv"] == bytes_that_differ(b"\n", b"12\n") == 3
    assert found.bytes_differ == sum(found.differing.values()) > 3
    assert "close in 1 of 2 rows, row 1" in found.explained[0]
    assert "1.2500000000000002" in found.explained[0]
    assert found.explained[1] == "models/main/gate.csv: line 2: 'r1,0.5', 'r1,0.512'"


def test_a_file_that_one_run_alone_has_counts_whole(tmp_path):
    for name in ("a", "b"):
        write_run(tmp_path / name)
    (tmp_path / "b" / "data" / ".left.tmp").write_bytes(b"12345")
    (tmp_path / "b" / "models" / "main" / "gate.csv").unlink()
    found = compare(tmp_path / "a", tmp_path / "b", parts=OUTPUTS["everything"])
    length = (tmp_path / "a" / "models" / "main" / "gate.csv").stat().st_size
    assert found.differing == {"data/.left.tmp": 5, "models/main/gate.csv": length}
    assert found.files == 3
    again = compare(tmp_path / "b", tmp_path / "a", parts=OUTPUTS["everything"])
    assert again.differing == found.differing


def test_tables_with_the_same_values_written_otherwise_differ(tmp_path):
    frame = pd.DataFrame({"pair": ["A", "A"], "close": [1.0, 2.0]})
    for name in ("a", "b"):
        (tmp_path / name / "data").mkdir(parents=True)
    tables.write(frame, tmp_path / "a" / "data" / "bars.parquet")
    frame.to_parquet(tmp_path / "b" / "data" / "bars.parquet", compression=None)
    found = compare(tmp_path / "a", tmp_path / "b", parts=("data",))
    assert found.bytes_differ > 0
    assert found.explained == ("data/bars.parquet: the same values, written otherwise",)


# --- what is varied


def test_kernels_of_the_shell_do_not_reach_the_first_run(monkeypatch):
    for name in (*KERNELS, "LC_NUMERIC", "TZ", "PYTHONHASHSEED"):
        monkeypatch.setenv(name, "of the shell")
    first = environment_of(None)
    assert "of the shell" not in first.values()
    assert first | FIRST == first
    varied = environment_of(Variation(name="x", environment={"OPENBLAS_CORETYPE": "Haswell", "TZ": "Asia/Kolkata"}))
    assert {name for name in first | varied if first.get(name) != varied.get(name)} == {"OPENBLAS_CORETYPE", "TZ"}


def test_everything_that_the_issue_names_is_varied():
    planned = variations(quick=False)
    settings = {name for variation in planned for name in variation.environment}
    assert {"PYTHONHASHSEED", "OMP_NUM_THREADS", "NUMBA_CPU_NAME", "TZ", "LC_ALL"} <= settings
    assert any(v.elsewhere for v in planned) and any(v.in_place for v in planned)
    assert {v.workers for v in planned} == {1, 2}
    assert len({v.name for v in planned}) == len(planned)
    assert {v.name for v in variations(quick=True)} < {v.name for v in planned}


def test_the_piece_has_an_importance_run_and_a_tuning_study():
    for quick in (False, True):
        params = small_piece(Paths(repository()), quick=quick)
        weeks = (pd.Timestamp(params.run.as_of) - pd.Timestamp(params.run.genesis)).days // 7
        assert 0 < params.tuning.every_weeks <= weeks
        assert params.tuning.trials > 0 and params.importance.every_weeks > 0


# --- the study


@pytest.fixture
def tiny(tmp_path) -> tuple[Params, Paths]:
    paths = Paths(tmp_path / "repository")
    changes = {
        'as_of: "2018-05-28", previous: "2018-05-21"': 'as_of: "2018-04-09", previous: "2018-04-02"',
        "timeframes: [4h, 1d]": "timeframes: [4h]",
        "rows: 400, permutations: 1, seed: 11": "rows: 100, permutations: 1, seed: 11",
        "take_profit_atr: [2.0, 3.0]": "take_profit_atr: [2.0]",
        "exit_plan: tp3.0_sl1.5_t12": "exit_plan: tp2.0_sl1.5_t12",
    }
    return write_settings(paths, changes=changes), paths


@pytest.mark.slow  # `make evidence-quick` runs the study itself; this one plants a leak into it
def test_another_folder_and_hash_seed_give_the_same_bytes_and_a_leak_of_them_is_found(tiny, monkeypatch):
    params, paths = tiny
    leaks = Variation(name="leaks", environment={"EDGEBOOK_TEST_LEAK": "1"}, in_place=True)
    both = Variation(name="folder and seed", environment={"PYTHONHASHSEED": "77"}, elsewhere=True)
    monkeypatch.setattr(reproduction, "variations", lambda quick: [both, leaks])
    monkeypatch.setattr(
        reproduction,
        "PROGRAM",
        f"{reproduction.PROGRAM}; import os; folder = Path(sys.argv[1]);"
        "leak = os.environ.get('EDGEBOOK_TEST_LEAK') and (folder / 'data' / 'ledger' / 'main' / '2018-04-02.csv');"
        "leak and leak.write_text(leak.read_text() + 'x')",
    )
    told = []
    found = measure(params, paths, quick=True, tell=lambda done, total: told.append((done, total)))
    same, leaked = found["rows"]
    assert (same["bytes_differ"], same["files_differ"], same["first_differing"]) == (0, 0, None)
    assert same["files"] > 15 and same["bytes"] > 100_000
    assert set(same["control"]) == {"folder", "order of a set"}
    assert (leaked["bytes_differ"], leaked["first_differing"]) == (1, "data/ledger/main/2018-04-02.csv")
    assert told == [(1, 3), (2, 3), (3, 3)]
    kept = paths.evidence_cache / "reproduction" / "differing"
    assert [place.name for place in kept.iterdir()] == ["leaks"]
    page = reproduction_section(found)
    assert page.startswith("**1 of ")
    assert "leaks: data/ledger/main/2018-04-02.csv: " in page


def test_a_run_that_fails_is_one_line(tiny, monkeypatch):
    params, paths = tiny
    monkeypatch.setattr(reproduction, "PROGRAM", "import sys; print('first', file=sys.stderr); sys.exit('no bars')")
    with pytest.raises(
        DataError, match=r"^reproduction: the first run: failed \(no bars\); the folder is kept"
    ) as failed:
        measure(params, paths, quick=True)
    assert "\n" not in str(failed.value)
    assert (paths.evidence_cache / "reproduction" / "run" / "params.yaml").exists()


# --- the section


def test_the_section_counts_all_rows_and_shows_the_control():
    other = {**ROW, "variation": "old kernels", "environment": {"NUMBA_CPU_NAME": "generic"}, "bytes_differ": 12}
    other |= {"files_differ": 2, "first_differing": "models/a.json", "explained": ["models/a.json: line 1: 'x', 'y'"]}
    market = {"source": "synthetic", "pairs": 2, "timeframes": ["1h", "4h"]}
    found = {"market": market, "weeks": ["2018-04-02", "2018-05-21"], "first": FIRST, "rows": [ROW, other]}
    page = reproduction_section(found)
    assert page.startswith("**12 of 8,000 bytes differ** between a first run and 2 others")
    assert "| another folder | everything | 3 | 4,000 | 0 | 0 | 77 | folder |" in page
    assert "| old kernels | everything | 3 | 4,000 | 12 | 2, first `models/a.json` | 77 | folder |" in page
    assert "`NUMBA_CPU_NAME=generic`" in page
    assert reproduction_section({**found, "rows": [ROW]}).startswith("**0 of 4,000 bytes differ**")
    assert not re.search(r"/(tmp|home|root)/", page)


def test_settings_written_for_a_run_are_those_that_were_given(tiny):
    params, paths = tiny
    folder = paths.root / "run"
    reproduction._lay_out(folder, params=params, paths=paths)
    assert load_params(folder / "params.yaml") == params
