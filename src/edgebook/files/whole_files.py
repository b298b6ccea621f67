"""Files and folders that come into being whole or not at all, whatever ends the run.

What is written lies beside its place first, under a hidden name that git and DVC ignore, and is moved there in one
step. A run that is killed leaves the old or the new; what it left beside goes when the same place is written again.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HERE = -100
_EXCHANGE = 2


def write_whole(files: Mapping[Path, str], *, durable: bool = False) -> None:
    """Write text files so that none is replaced before all are whole on the disk.

    Parameters
    ----------
    files : mapping of Path to str
        Missing folders are made. They are replaced in this order: the last is the one by which a reader knows that
        all are there.
    durable : bool
        Wait until the disk has the bytes, so that a name does not outlive a power cut without them: for what nothing
        else can make again. It costs milliseconds a file.

    Raises
    ------
    OSError
        The disk did not take one of them: `filename` says which. All earlier files are still in place.
    """
    scratch: dict[Path, Path] = {}
    path = Path()
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            scratch[path] = scratch_of(path)
            scratch[path].write_text(text, encoding="utf-8", newline="\n")
            if durable:
                with scratch[path].open("rb") as file:
                    os.fsync(file.fileno())
        for path, written in scratch.items():
            written.replace(path)
    except OSError as error:
        error.filename = str(path)  # not the scratch file's, and a full disk names none
        raise
    finally:
        for written in scratch.values():
            with suppress(OSError):
                written.unlink(missing_ok=True)


@contextmanager
def whole_folder(place: Path) -> Iterator[Path]:
    """Fill a folder that takes the place of another at the end, in one step.

    Parameters
    ----------
    place : Path
        Stays as it is until the block ends, and for good where the block fails.

    Yields
    ------
    Path
        The folder to fill: new, empty, beside `place`.
    """
    place = place.resolve() if place.is_symlink() else place
    place.parent.mkdir(parents=True, exist_ok=True)
    scratch = scratch_of(place)
    scratch.mkdir()
    try:
        yield scratch
        if place.exists():
            _exchange(scratch, place)
        else:
            scratch.replace(place)
    finally:
        _remove(scratch)


def scratch_of(place: Path) -> Path:
    """Where what is to stand at `place` is made; what killed runs left of it is taken away."""
    for left in place.parent.glob(f".{escape(place.name)}.*.tmp"):
        process = left.name.split(".")[-2]
        if process == str(os.getpid()) or not (process.isdigit() and _runs(int(process))):
            _remove(left)
    return place.with_name(f".{place.name}.{os.getpid()}.tmp")


def _exchange(scratch: Path, place: Path) -> None:
    """Let two folders change places: in one step where the system can, else in two."""
    if sys.platform == "linux":
        rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
        if rename and rename(_HERE, os.fsencode(scratch), _HERE, os.fsencode(place), _EXCHANGE) == 0:
            return
    old = scratch.with_name(f"{scratch.name[:-4]}.old.{os.getpid()}.tmp")
    place.rename(old)
    scratch.rename(place)
    _remove(old)


def _runs(process: int) -> bool:
    """Whether a process is alive."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another user's
        return True
    return True


def _remove(left: Path) -> None:
    """Take away a scratch file or folder, if it can be."""
    with suppress(OSError):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink(missing_ok=True)
