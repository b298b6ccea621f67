"""One comparison with a peer, as a row of the page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

ANSWERS = Path(__file__).resolve().parent
ROUNDING = 5.001e-7
"""Ratios are saved to six decimals."""
EXACT = 1e-9
"""Relative, of floats that were added up in another order."""


@dataclass(frozen=True)
class Compared:
    """What was compared, and how far apart it is.

    Parameters
    ----------
    quantity, ours : str
        What it is, and which function of Edgebook gives it.
    peer, version : str
        Package, or what stands in for one, and its version.
    cases : int
    difference : float
        The largest absolute one after `rule`, if there is one.
    allowed : float
        More than that is an error.
    rule : str
        Where the two differ by design, and what was done about it; empty where they do not.
    apart, apart_by : int, float
        Cases that the rule is for, and the largest difference without it.
    """

    quantity: str
    ours: str
    peer: str
    version: str
    cases: int
    difference: float
    allowed: float
    rule: str = ""
    apart: int = 0
    apart_by: float = 0.0


def largest(ours: ArrayLike, theirs: ArrayLike) -> float:
    """Largest absolute difference; missing on both sides is none, on one side infinite."""
    a, b = np.asarray(ours, float).ravel(), np.asarray(theirs, float).ravel()
    if a.shape != b.shape or (np.isnan(a) != np.isnan(b)).any():
        return np.inf
    known = ~np.isnan(a)
    return float(np.abs(a[known] - b[known]).max(initial=0.0))


@cache
def recorded(name: str) -> pd.DataFrame:
    """Answers as record.py wrote them: outcomes, metrics, versions."""
    return pd.read_csv(ANSWERS / f"{name}.csv")


def recorded_version(package: str) -> str:
    """Version of the peer that was asked."""
    return str(recorded("versions").set_index("package").loc[package, "version"])


def installed_version(package: str) -> str:
    """Version of a peer that is asked now."""
    return version(package)
