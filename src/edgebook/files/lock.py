"""One run at a time: a lock that the operating system gives back when its holder dies."""

from __future__ import annotations

import datetime
import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edgebook.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def only_one(place: Path, *, doing: str) -> Iterator[int]:
    """Hold a lock while a block runs.

    Parameters
    ----------
    place : Path
        The lock file; it stays when the lock is given back.
    doing : str
        What the holder does, for whom it keeps waiting.

    Yields
    ------
    int
        The file's descriptor. A child that inherits it holds the lock too: while `dvc repro` goes on after its parent
        was killed, nobody else starts.

    Raises
    ------
    BusyError
        Another process holds it: which, since when, doing what.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(place, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(file, 200).decode(errors="replace").strip() or "another run"
            raise BusyError(f"{place.name}: held by {holder}; wait until it is done") from None
        since = datetime.datetime.now(datetime.UTC)
        os.ftruncate(file, 0)
        os.write(file, f"`edgebook {doing}`, process {os.getpid()}, since {since:%Y-%m-%d %H:%M:%S} UTC\n".encode())
        yield file
        os.ftruncate(file, 0)
    finally:
        os.close(file)
