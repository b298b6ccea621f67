"""Notebook stages: same bytes from every run, refused parameters, and what is left when a run fails or is killed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest

from edgebook.errors import NotebookError
from edgebook.pages.report import ReportHeader
from edgebook.stages.canonical import canonical
from edgebook.stages.runner import parameter_names, refresh_notebook, run_notebook

HEADER = ReportHeader(
    stage="small",
    title="A small report",
    as_of="2019-07-01",
    market="crypto",
    history="main",
    champion="r1@2019-07-01",
    parameters_fingerprint="0a1b2c3d4e",
    data_fingerprint="f0e1d2c3b4",
    links=(("A small report", "small.html"), ("Another", "another.html")),
)
PARAMETERS = {"root": ".", "run": {"as_of": "2019-07-01", "history": "main"}}

RUN = f"""
from pathlib import Path
import sys
from edgebook.pages.report import ReportHeader
from edgebook.stages.runner import run_notebook
root, stage = Path(sys.argv[1]), sys.argv[2]
run_notebook(stage, parameters={PARAMETERS!r}, root=root, output=root / "reports" / f"{{stage}}.ipynb",
             html=root / "reports" / f"{{stage}}.html", header={HEADER!r})
"""


def write_notebook(root: Path, *cells: str, stage: str, parameters: str = 'root = "data/sample"\nrun = {}') -> None:
    made = [nbformat.v4.new_markdown_cell("# Is a small report the same twice?")]
    made.append(nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    made += [nbformat.v4.new_code_cell(cell) for cell in cells]
    folder = root / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata={"title": "Small"}), folder / f"{stage}.ipynb")


def run(root: Path, *, stage: str, parameters: dict[str, Any] | None = None) -> None:
    reports = root / "reports"
    given = PARAMETERS if parameters is None else parameters
    run_notebook(
        stage,
        parameters=given,
        root=root,
        output=reports / f"{stage}.ipynb",
        html=reports / f"{stage}.html",
        header=HEADER,
    )


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Reports of the same notebook, from two folders and two hash seeds."""
    folders = []
    for seed in ("1", "77"):
        root = tmp_path_factory.mktemp(f"seed{seed}")
        write_notebook(
            root,
            "import sys, warnings\nprint({'tp', 'sl', 'time'}, object(), sys.executable)\nwarnings.warn('thin')",
            "import pandas as pd\nfrom edgebook.pages.report import callout, prose, table",
            'rates = pd.DataFrame({"regime": ["ranging"], "rate": [0.5], "low": [0.4], "high": [0.6], "n": [1000]})\n'
            'table(rates, caption="Rates", formats={"rate": "percent"}, intervals={"rate": ("low", "high")})',
            "prose(f\"As of {run['as_of']} the rate is **50 %**; see [the paper](https://example.org/paper).\")",
            'callout("Keep the champion.")',
            "import base64\nfrom IPython.display import Image\nImage(base64.b64decode('iVBORw0KGgo='), format='png')",
            stage="small",
        )
        environment = os.environ | {"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "2"}
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", RUN, str(root), "small"],
            env=environment,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        folders.append(root / "reports")
    return folders


def test_two_folders_and_two_hash_seeds_give_the_same_bytes(twice: list[Path]) -> None:
    first, second = twice
    assert sorted(path.name for path in first.iterdir()) == ["small.html", "small.ipynb"]
    for name in ("small.html", "small.ipynb"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_nothing_of_the_machine_or_the_run_is_saved(twice: list[Path]) -> None:
    text = (twice[0] / "small.ipynb").read_text()
    saved = json.loads(text)
    assert [cell["id"] for cell in saved["cells"]][:3] == ["small-00", "small-01", "small-02"]
    assert saved["metadata"]["title"] == "Small"
    assert set(saved["metadata"]) == {"kernelspec", "language_info", "title"}
    assert {key for cell in saved["cells"] for key in cell["metadata"]} == {"tags"}
    for trace in (str(twice[0].parent), sys.prefix, "papermill", "ipykernel_"):
        assert trace not in text
    assert not re.search(r"0x[0-9a-f]{6}", text)


def test_the_kernel_is_the_interpreter_that_runs_it(twice: list[Path]) -> None:
    assert "<environment>/bin/python" in (twice[0] / "small.ipynb").read_text()


def test_page_shows_header_settings_and_results(twice: list[Path]) -> None:
    text = (twice[0] / "small.html").read_text()
    for shown in (
        *("Is a small report the same twice?", "2019-07-01", "crypto", "r1@2019-07-01", "0a1b2c3d4e", "f0e1d2c3b4"),
        *(
            '<a href="another.html">Another</a>',
            "Settings of this run",
            "40.0 to 60.0 %",
            "<strong>50\N{NO-BREAK SPACE}%</strong>",
        ),
        *("Keep the champion.", "data:image/png;base64,", "Not financial advice"),
    ):
        assert shown in text


def test_page_has_no_script_and_leaves_for_nowhere(twice: list[Path]) -> None:
    text = (twice[0] / "small.html").read_text()
    assert "the paper" in text
    assert not re.search(r"<script|javascript:|@import|<link|<iframe", text, re.IGNORECASE)
    assert not re.search(r"""(?:href|src)=["']?(?:https?:)?//""", text, re.IGNORECASE)
    assert len(text) < 100_000


def test_a_parameter_that_the_cell_does_not_have_is_refused(tmp_path: Path) -> None:
    write_notebook(tmp_path, stage="small")
    with pytest.raises(NotebookError) as refused:
        run(tmp_path, stage="small", parameters=PARAMETERS | {"runs": {}})
    assert str(refused.value) == (
        "notebooks/small.ipynb: the parameter cell has no 'runs' (it has root, run); did you mean 'run'?"
    )


def test_a_parameter_that_the_cell_needs_is_missed(tmp_path: Path) -> None:
    write_notebook(tmp_path, stage="small")
    with pytest.raises(NotebookError, match=r"notebooks/small\.ipynb: the parameter cell needs 'run', which"):
        run(tmp_path, stage="small", parameters={"root": "."})


def test_a_notebook_that_is_missing_damaged_or_untagged_is_named(tmp_path: Path) -> None:
    write_notebook(tmp_path, stage="small")
    with pytest.raises(NotebookError, match=r"^notebooks/smal\.ipynb: no such notebook; there are: small$"):
        run(tmp_path, stage="smal")
    (tmp_path / "notebooks" / "bad.ipynb").write_text("{")
    with pytest.raises(NotebookError, match=r"^notebooks/bad\.ipynb: not a readable notebook \(.*\); restore it"):
        run(tmp_path, stage="bad")
    untagged = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("root = 1")])
    with pytest.raises(NotebookError, match="no cell is tagged 'parameters'"):
        parameter_names(untagged, name="notebooks/untagged.ipynb")


def test_a_failing_cell_is_named_and_the_last_good_report_stays(tmp_path: Path) -> None:
    write_notebook(tmp_path, "rate = 1", 'raise ValueError("no trades in the week\\nsecond line")', stage="small")
    reports = tmp_path / "reports"
    reports.mkdir()
    (reports / "small.html").write_text("last good page")
    (reports / "small.ipynb").write_text("last good notebook")
    with pytest.raises(NotebookError) as failed:
        run(tmp_path, stage="small")
    assert str(failed.value) == (
        "notebooks/small.ipynb: cell 4: ValueError: no trades in the week; see scratch/failed/small.ipynb"
    )
    assert (reports / "small.html").read_text() == "last good page"
    assert (reports / "small.ipynb").read_text() == "last good notebook"
    assert sorted(path.name for path in reports.iterdir()) == ["small.html", "small.ipynb"]
    assert "no trades in the week" in (tmp_path / "scratch" / "failed" / "small.ipynb").read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_killed_run_takes_its_kernel_with_it_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    write_notebook(
        tmp_path,
        "import os, time, pathlib\npathlib.Path('../pid').write_text(str(os.getpid()))\ntime.sleep(600)",
        stage="small",
    )
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    running = subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path), "small"],
        env=os.environ | {"TMPDIR": str(scratch)},
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in the background are born deaf to it
    )
    pid = tmp_path / "pid"
    deadline = time.monotonic() + 120  # a guard against waiting for the cell to end, not a measure of speed
    while not (pid.exists() and pid.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    kernel = int(pid.read_text())
    # A signal that meets the run between two awaits may be taken for one to the kernel; a person would press again.
    while running.poll() is None and time.monotonic() < deadline:
        running.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(timeout=10)
    assert running.poll() not in (None, 0)
    running.communicate()
    while Path(f"/proc/{kernel}/cmdline").exists() and Path(f"/proc/{kernel}/cmdline").read_bytes():
        assert time.monotonic() < deadline, "the kernel outlived its run"
        time.sleep(0.05)
    assert not (tmp_path / "reports").exists()
    assert not list(scratch.iterdir())


def test_refreshed_outputs_pass_nbval_and_a_changed_word_does_not(tmp_path: Path) -> None:
    write_notebook(
        tmp_path,
        "from edgebook.figures.figures import canvas, picture\n"
        "from edgebook.figures.figures_equity import draw_equity\n"
        "import pandas as pd\ndays = pd.date_range('2019-01-01', periods=3, tz='UTC')",
        "figure, (ax,) = canvas()\ndraw_equity(pd.DataFrame({'champion': [1, 2, 3]}, index=days), ax=ax, start=1)",
        "picture(figure, caption='n 3 days')",
        "print(object(), 0.1234567891, pd.Timestamp.now())",
        "1 + 1",
        stage="small",
    )
    source = tmp_path / "notebooks" / "small.ipynb"
    notebook = nbformat.read(source, as_version=4)
    notebook.cells[5].metadata["tags"] = ["nbval-ignore-output"]
    nbformat.write(notebook, source)
    refresh_notebook(source)
    saved = nbformat.read(source, as_version=4)
    assert saved.cells[4].outputs[0].data["text/plain"].startswith("Figure: Equity of the books")
    saved.cells[4].outputs[0].data["image/svg+xml"] = "<svg width=1>\n</svg>"  # pictures may differ, words may not
    saved.cells[6].outputs[0].data["text/plain"] = "3"
    nbformat.write(saved, source)
    sanitize = Path(__file__).with_name("nbval_sanitize.cfg")
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--nbval", "--nbval-current-env"]
    compared = subprocess.run(
        [sys.executable, *command, f"--nbval-sanitize-with={sanitize}", str(source.parent)],
        capture_output=True,
        text=True,
    )
    failed = [line for line in compared.stdout.splitlines() if line.startswith("FAILED")]
    assert len(failed) == 1, compared.stdout
    assert "Cell 5" in failed[0]


def test_canonical_text_keeps_words_and_drops_places(tmp_path: Path) -> None:
    printed = f"{tmp_path}/data/bars.parquet at 0x7f3a5c2b1d90, /tmp/ipykernel_81/2290.py:1, colour 0x1f"
    output = nbformat.v4.new_output("stream", name="stdout", text=printed)
    cell = nbformat.v4.new_code_cell("1", outputs=[output], metadata={"execution": {"a": "1"}, "tags": ["keep"]})
    made = canonical(nbformat.v4.new_notebook(cells=[cell], metadata={"papermill": {}}), stage="s", root=tmp_path)
    assert made.cells[0].outputs[0].text == "./data/bars.parquet at 0x…, <cell>:1, colour 0x1f"
    assert made.cells[0].metadata == {"tags": ["keep"]}
    assert "papermill" not in made.metadata
    assert cell.metadata == {"execution": {"a": "1"}, "tags": ["keep"]}, "the notebook given is not changed"
