"""dvc.lock as DVC left it: what a run that was killed may have torn, and how it comes back.

DVC writes this file in place: a kill, or a disk that is full at that moment, leaves its beginning. What is cut between
two stages does no harm (the stages that are missing run again), the rest DVC refuses to read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgebook.errors import WeekError

if TYPE_CHECKING:
    from edgebook.paths import Paths


def check_lock(paths: Paths) -> None:
    """Raise where DVC could not read dvc.lock.

    Raises
    ------
    WeekError
        It is torn: how it comes back.
    """
    lock = paths.root / "dvc.lock"
    if not lock.exists():
        return
    if not is_whole(lock.read_bytes()):
        raise WeekError(
            "dvc.lock: is not whole, as a run that was killed while DVC wrote it leaves it; restore it with `git "
            "checkout -- dvc.lock` and run again: what it does not name is made again, with the same bytes"
        )


def is_whole(content: bytes) -> bool:
    """Whether DVC would read it, by its own rules."""
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from dvc.utils.serialize import parse_yaml

    try:
        COMPILED_LOCKFILE_SCHEMA(parse_yaml(content.decode("utf-8"), "dvc.lock"))
    except Exception:  # of its own, of voluptuous, of ruamel: all of them this
        return False
    return True
