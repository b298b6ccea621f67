"""Run a notebook stage: check its parameters, execute, make the bytes canonical, render, swap in.

One process executes (Papermill) and renders (nbconvert). The kernel is the interpreter that runs this module, in an
environment fixed before it starts, so that the same inputs give the same notebook and the same page, byte for byte.
The last good report stays in place until the next one is whole; a notebook that failed is kept outside the reports.
"""

from __future__ import annotations

import ast
import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgebook.errors import NotebookError
from edgebook.paths import Paths
from edgebook.stages.canonical import canonical, neat_injection, notebook_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

    from edgebook.pages.report import ReportHeader

ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "SOURCE_DATE_EPOCH": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "agg",
    "TZ": "UTC",
    "PYTHONUTF8": "1",
    "PYTHONWARNINGS": "",
}
"""What every kernel starts with, whatever the shell says."""


def run_notebook(
    stage: str, *, parameters: Mapping[str, Any], root: Path, output: Path, html: Path, header: ReportHeader
) -> None:
    """Execute ``notebooks/<stage>.ipynb`` of the repository at `root`; leave the notebook and its page.

    Parameters
    ----------
    stage : str
        Name of the notebook, without its ending.
    parameters : mapping
        One value per name of the notebook's parameter cell, no more and no less: a name that were left out would
        silently fall back to the sample.
    root : Path
        Top of the repository whose notebook it is. The kernel works in its notebooks folder.
    output, html : Path
        Where the executed notebook and its page go. Both are replaced together, and only when both are whole.
    header : ReportHeader
        What the page says of itself above the notebook.

    Raises
    ------
    NotebookError
        There is no such notebook, its parameter cell does not match `parameters`, a cell failed, or the disk did not
        take the report. The last good report is still in place.
    """
    from edgebook.pages.report import page, replace_together

    paths = Paths.at(root)
    source = paths.notebooks / f"{stage}.ipynb"
    name = f"notebooks/{stage}.ipynb"
    notebook = _read(source, name=name)
    _check_parameters(parameters, names=parameter_names(notebook, name=name), name=name)
    executed = _execute(notebook, name=name, parameters=dict(parameters), root=paths.root, failed=paths.failed)
    done = canonical(executed, stage=stage, root=paths.root)
    neat_injection(done, parameters=parameters)
    replace_together({output: notebook_text(done), html: page(done, header=header)})


def refresh_notebook(source: Path) -> None:
    """Execute a notebook on the defaults of its own parameter cell and write the outputs back into it.

    The outputs in ``notebooks/`` are what nbval compares with; this is how they are renewed.

    Parameters
    ----------
    source : Path
        The notebook, changed in place, or left as it was when a cell fails.

    Raises
    ------
    NotebookError
        A cell failed.
    """
    from edgebook.pages.report import replace_together

    paths = Paths.at()
    name = f"{source.parent.name}/{source.name}"
    notebook = _read(source, name=name)
    executed = _execute(notebook, name=name, parameters={}, root=source.resolve().parents[1], failed=paths.failed)
    replace_together({source: notebook_text(canonical(executed, stage=source.stem, root=paths.root))})


def parameter_names(notebook: Any, *, name: str) -> list[str]:
    """Names that the cell tagged ``parameters`` assigns, in its order.

    Parameters
    ----------
    notebook : NotebookNode
        A notebook, version 4.
    name : str
        What errors call it.

    Returns
    -------
    list of str
        Every plain top-level assignment of the cell.

    Raises
    ------
    NotebookError
        No cell carries the tag, or the cell is not Python.
    """
    for number, cell in enumerate(notebook.cells, start=1):
        if "parameters" not in cell.metadata.get("tags", []):
            continue
        try:
            body = ast.parse(cell.source).body
        except SyntaxError as error:
            raise NotebookError(
                f"{name}: cell {number}: parameters are not Python ({error.msg}); correct it"
            ) from error
        targets = [t for s in body for t in (s.targets if isinstance(s, ast.Assign) else [getattr(s, "target", None)])]
        return [target.id for target in targets if isinstance(target, ast.Name)]
    raise NotebookError(f"{name}: no cell is tagged 'parameters'; tag the cell that assigns its defaults")


def _read(source: Path, *, name: str) -> Any:
    import nbformat

    try:
        return nbformat.read(source, as_version=4)
    except FileNotFoundError as error:
        known = ", ".join(sorted(path.stem for path in source.parent.glob("*.ipynb"))) or "none"
        raise NotebookError(f"{name}: no such notebook; there are: {known}") from error
    except Exception as error:  # nbformat raises its own, json's and OSError: to the user it is one thing
        detail = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise NotebookError(f"{name}: not a readable notebook ({detail}); restore it from git") from error


def _check_parameters(parameters: Mapping[str, Any], *, names: list[str], name: str) -> None:
    from difflib import get_close_matches

    unknown = [given for given in parameters if given not in names]
    missing = [needed for needed in names if needed not in parameters]
    if unknown:
        near = get_close_matches(unknown[0], names, n=1)
        hint = f"did you mean '{near[0]}'?" if near else "add it to the cell tagged 'parameters'"
        listed = ", ".join(f"'{one}'" for one in unknown)
        raise NotebookError(f"{name}: the parameter cell has no {listed} (it has {', '.join(names)}); {hint}")
    if missing:
        listed = ", ".join(f"'{one}'" for one in missing)
        raise NotebookError(f"{name}: the parameter cell needs {listed}, which the stage does not give; declare it")


def _execute(notebook: Any, *, name: str, parameters: dict[str, Any], root: Path, failed: Path) -> Any:
    """Execute a copy of `notebook` in a kernel of this interpreter; keep it under `failed` when a cell fails."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    logging.getLogger("papermill").addHandler(logging.NullHandler())  # what goes wrong is said once, by the error
    scratch = Path(tempfile.mkdtemp(prefix="eb"))
    written = scratch / "executed.ipynb"
    try:
        with _kernel_manager(scratch) as manager, _terminated():
            return papermill.execute_notebook(
                notebook,
                str(written),
                parameters=parameters,
                kernel_name="python3",
                language="python",
                progress_bar=sys.stderr.isatty(),
                request_save_on_cell_execute=False,
                autosave_cell_every=0,
                record_timing=False,
                coalesce_streams=True,
                shutdown_kernel="immediate",
                kernel_manager_class=manager,
                resources={"metadata": {"path": str(root / "notebooks")}},
            )
    except PapermillExecutionError as error:
        number = error.cell_index + 1 - bool(parameters)  # as in the notebook, without the injected cell
        reason = (str(error.evalue).splitlines() or [""])[0]
        kept = _keep(written, failed=failed / Path(name).name)
        raise NotebookError(f"{name}: cell {number}: {error.ename}: {reason}; {kept}") from error
    except RuntimeError as error:  # nbclient: the kernel died or never started
        reason = (str(error).splitlines() or [""])[0]
        raise NotebookError(
            f"{name}: the kernel stopped ({reason}); is there memory left? run `edgebook doctor`"
        ) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise NotebookError(f"{name}: could not be executed in {scratch} ({reason}); free space, run again") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _keep(written: Path, *, failed: Path) -> str:
    """Move the notebook that failed to `failed`; say where it is."""
    try:
        failed.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(written, failed)
    except OSError as error:
        return f"it could not be kept ({error.strerror or error})"
    return f"see {failed.parent.parent.name}/{failed.parent.name}/{failed.name}"


@contextmanager
def _kernel_manager(scratch: Path) -> Iterator[type]:
    """Yield a manager whose kernel is this very interpreter, with sockets and profile in `scratch`.

    The installed "python3" kernel may be missing or may start another Python, so its specification is not asked for.
    """
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpec

    short = len(str(scratch)) < 80  # a socket's path may have 104 characters on some systems
    specification = KernelSpec(
        argv=[
            sys.executable,
            "-m",
            "ipykernel_launcher",
            "-f",
            "{connection_file}",
            "--HistoryManager.enabled=False",
            "--IPKernelApp.log_level=40",
        ],
        display_name="Python 3",
        language="python",
        env=ENVIRONMENT | {"IPYTHONDIR": str(scratch / "ipython")},
    )
    started: list[AsyncKernelManager] = []

    class ThisInterpreter(AsyncKernelManager):  # type: ignore[misc]  # jupyter_client is not followed
        def __init__(self, **settings: Any) -> None:
            settings |= {"transport": "ipc" if short else "tcp", "connection_file": str(scratch / "k.json")}
            super().__init__(**settings)
            started.append(self)

        @property
        def kernel_spec(self) -> KernelSpec:
            return specification

    try:
        yield ThisInterpreter
    finally:
        for manager in started:  # nothing to do unless the run was cut short between start and clean-up
            pid = getattr(manager.provisioner, "pid", None)
            if pid and manager.has_kernel:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@contextmanager
def _terminated() -> Iterator[None]:
    """Turn SIGTERM into an exit that runs the clean-up; signals can only be caught in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
