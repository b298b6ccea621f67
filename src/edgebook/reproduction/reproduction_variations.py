"""The variations of the reproduction study: what is changed from the first run, one thing at a time."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.reproduction.reproduction_run import Scope

FIRST = {
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
}
"""What the first run is given; the Makefile sets the same seed and threads."""
KERNELS = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "GLIBC_TUNABLES")
"""Settings that choose the code a processor runs; none of them is set in the first run."""
OTHER_MATRIX_KERNELS = {"x86_64": ("Haswell", "Prescott"), "aarch64": ("ARMV8", "NEOVERSEN1")}
WITHOUT_FUSED = "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX2_Usable,-FMA_Usable,-FMA4_Usable"


@dataclass(frozen=True, kw_only=True)
class Variation:
    """One run beside the first.

    Parameters
    ----------
    name : str
    environment : mapping of str to str
        Set beside, or in place of, `FIRST`.
    scope : {"everything", "tables and seals"}
        With the notebooks and their pages or without.
    workers : int
        Tuning workers; the first run has 1.
    elsewhere : bool
        In a folder of another name and length, else in the folder of the first run.
    in_place : bool
        On top of what the run before left, else in an emptied folder.
    """

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    scope: Scope = "tables and seals"
    workers: int = 1
    elsewhere: bool = False
    in_place: bool = False


def variations(*, quick: bool) -> list[Variation]:
    """What is run beside the first run.

    Parameters
    ----------
    quick : bool
        Another folder, another hash seed and all kernels together, without notebooks.
    """
    cores = OTHER_MATRIX_KERNELS.get(platform.machine(), ())
    features = dispatched_features()
    matrix = [Variation(name=f"matrix kernels of {core}", environment={"OPENBLAS_CORETYPE": core}) for core in cores]
    numpy = {"NPY_DISABLE_CPU_FEATURES": " ".join(features)} if features else {}
    numba = {"NUMBA_CPU_NAME": "generic"}
    library = {"GLIBC_TUNABLES": WITHOUT_FUSED}
    oldest = {"OPENBLAS_CORETYPE": cores[-1]} if cores else {}
    folder = Variation(name="another folder", scope="everything", elsewhere=True)
    seed = Variation(name="another hash seed", environment={"PYTHONHASHSEED": "77"}, scope="everything")
    kernels = Variation(
        name="all of these kernels together", environment={**oldest, **numpy, **numba, **library}, scope="everything"
    )
    if quick:
        return [folder, seed, kernels]
    return [
        Variation(name="forced again, in place", scope="everything", in_place=True),
        folder,
        seed,
        Variation(name="two tuning workers", workers=2),
        Variation(
            name="two threads in the matrix libraries",
            environment=dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "2"),
        ),
        *matrix,
        *([Variation(name="NumPy's oldest loops", environment=numpy)] if numpy else []),
        Variation(name="Numba for any processor", environment=numba),
        Variation(name="C library without fused products", environment=library),
        kernels,
        Variation(
            name="another time zone, no locale",
            environment={"TZ": "Asia/Kolkata", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
            scope="everything",
        ),
    ]


def dispatched_features() -> list[str]:
    """Processor features for which NumPy has loops of their own here, and that can be switched off.

    Notes
    -----
    NumPy ignores the names of others, so that a list from another release would switch nothing off; hence it is asked.
    """
    from importlib import import_module

    core = import_module("numpy._core._multiarray_umath")
    return [name for name in core.__cpu_dispatch__ if core.__cpu_features__.get(name)]


def environment_of(variation: Variation | None) -> dict[str, str]:
    """The whole environment of a run: this process's, without kernel settings, `FIRST`, and what is varied."""
    mine = {name: value for name, value in os.environ.items() if name not in KERNELS and not name.startswith("LC_")}
    for name in ("LANG", "LANGUAGE", "PYTHONUTF8", "PYTHONCOERCECLOCALE", "PYTHONWARNINGS"):
        mine.pop(name, None)
    return mine | FIRST | (dict(variation.environment) if variation else {})
