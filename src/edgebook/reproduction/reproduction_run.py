"""What one run of the reproduction study does, in a process of its own, whose environment was set before it began.

It runs the stages of dvc.yaml in a folder laid out like a repository, and leaves a *control* beside them: results of
arithmetic that nobody rounded, machine code, the order of a set, the local time. Where the control differs and the
product does not, the setting had an effect and the product held against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from edgebook.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Scope = Literal["everything", "tables and seals"]

CONTROL = "control"
OUTPUTS: dict[Scope, tuple[str, ...]] = {
    "everything": ("data", "models", "reports"),
    "tables and seals": (
        "data/bars.parquet", "data/patterns.parquet", "data/indicators.parquet", "data/votes.parquet",
        "data/candidates", "data/outcomes", "data/regimes.parquet", "data/ledger", "models",
    ),
}  # fmt: skip
"""What a run of a scope writes, below its folder."""


def run(folder: Path, *, scope: Scope) -> None:
    """Run the piece in a folder, and leave the control.

    Parameters
    ----------
    folder : Path
        Holds params.yaml, and for `everything` dvc.yaml, notebooks and docs/evidence too.
    scope : {"everything", "tables and seals"}
        All stages of dvc.yaml in their order, with the notebooks and their pages; or the tables, and the seals by
        `backfill` to the same week.
    """
    paths = Paths(folder)
    if scope == "everything":
        _run_stages(paths)
    else:
        _run_tables_and_seals(paths)
    place = folder / CONTROL
    place.mkdir(exist_ok=True)
    for name, measure in CONTROLS.items():
        (place / name).write_bytes(measure(folder))


def _run_stages(paths: Paths) -> None:
    """Every stage, in the order of dvc.yaml."""
    from edgebook.settings.settings_yaml import read_mapping
    from edgebook.stages.stages import run_stage

    for stage in read_mapping(paths.root / "dvc.yaml")["stages"]:
        run_stage(stage, paths=paths)


def _run_tables_and_seals(paths: Paths) -> None:
    """What the notebooks do not write; the seals of all weeks, studies included, by `backfill` alone."""
    from edgebook.files import tables
    from edgebook.loop.history import backfill
    from edgebook.regimes.regime_hmm import label_bars
    from edgebook.settings.loading import load_params
    from edgebook.settings.params import plain
    from edgebook.settings.settings_yaml import read_mapping
    from edgebook.stages.sample import TABLE_STAGES
    from edgebook.stages.stages import MODULE_STAGES

    everything = read_mapping(paths.params)
    params = load_params(paths.params)
    for stage in TABLE_STAGES:
        MODULE_STAGES[stage](everything, paths)
    tables.write(label_bars(tables.read(paths.bars), plain(params.regimes)), paths.regimes)
    backfill(params, paths, until=params.run.as_of)


def _matrix_products(_: Path) -> bytes:
    """Products and solutions by the matrix libraries of NumPy and SciPy."""
    import numpy as np
    from scipy.linalg import cho_factor, cho_solve

    left = np.random.default_rng(1).normal(size=(240, 240))
    square = left @ left.T + np.eye(len(left))
    solved: Any = cho_solve(cho_factor(square), left)
    return b"".join(np.asarray(made).tobytes() for made in (square, np.linalg.solve(square, left), solved))


def _vector_functions(_: Path) -> bytes:
    """Functions and sums of NumPy over arrays."""
    import numpy as np

    x = np.random.default_rng(2).normal(size=(400, 60))
    made = [
        np.exp(x),
        np.log(np.abs(x)),
        np.sin(x),
        np.tanh(x),
        np.abs(x) ** 1.7,
        x.sum(axis=1),
        x.astype("f4").sum(axis=1),
    ]
    return b"".join(values.tobytes() for values in made)


def _scalar_functions(_: Path) -> bytes:
    """Functions of the C library, one number at a time."""
    import math

    import numpy as np

    x = np.random.default_rng(3).normal(size=20_000).tolist()
    return np.array([[math.exp(v), math.sin(v), math.pow(abs(v), 1.7), math.log(abs(v))] for v in x]).tobytes()


def _machine_code(_: Path) -> bytes:
    """What Numba makes of a loop."""
    import numba
    import numpy as np

    def weighted(x: Any, y: Any) -> Any:
        made = np.empty_like(x)
        for i in range(len(x)):
            made[i] = x[i] * y[i] + 0.5 * y[i]
        return made

    compiled = numba.njit(weighted)
    compiled(np.ones(2), np.ones(2))
    (text,) = compiled.inspect_asm().values()
    # Names carry an address; the instructions are what the processor runs.
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    return "\n".join(line.split()[0] for line in lines if line and not line.startswith((".", "_"))).encode()


def _threads(_: Path) -> bytes:
    """Threads that the matrix libraries take."""
    from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

    return repr(sorted((found["internal_api"], found["num_threads"]) for found in threadpool_info())).encode()


def _order_of_a_set(_: Path) -> bytes:
    return repr({f"{letter}{number}" for letter in "ABCDEFGHI" for number in range(8)}).encode()


def _local_time(_: Path) -> bytes:
    import time

    return time.strftime("%H:%M %Z", time.localtime(0)).encode()


def _encoding(_: Path) -> bytes:
    import locale

    return locale.getencoding().encode()


def _workers(folder: Path) -> bytes:
    from edgebook.settings.loading import load_params

    return str(load_params(Paths(folder).params).tuning.workers).encode()


def _folder(folder: Path) -> bytes:
    return str(folder).encode()


CONTROLS: dict[str, Callable[[Path], bytes]] = {
    "matrix products": _matrix_products,
    "array functions": _vector_functions,
    "scalar functions": _scalar_functions,
    "machine code": _machine_code,
    "threads": _threads,
    "order of a set": _order_of_a_set,
    "local time": _local_time,
    "encoding": _encoding,
    "tuning workers": _workers,
    "folder": _folder,
}
"""What a variation may change outside the product."""
