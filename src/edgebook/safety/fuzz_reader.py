"""A reader that is given hostile files, with valid ones to begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Reader:
    """What reads a file.

    Parameters
    ----------
    name : str
    cases : int
        How many hostile files it gets: the fast ones more.
    files : mapping of str to bytes
        Valid files by their path in the repository; each case makes one of them hostile.
    read : callable
        Called with the repository's top.
    kinds : mapping of str to str
        How a file is made hostile, by its ending.
    """

    name: str
    cases: int
    files: Mapping[str, bytes]
    read: Callable[[Path], object]

    def kind(self, path: str) -> str:
        """How a file is made hostile."""
        end = path.rsplit(".", 1)[-1]
        return {"json": "json", "csv": "csv", "yaml": "yaml"}.get(end, "binary")
