"""The bytes of one file: as large as is sensible, unpacked, and in one encoding."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from edgebook.errors import DataError

LARGEST_BYTES = 1 << 30
"""A file, unpacked, may be so large: a gibibyte is ten million minute bars."""

LARGEST_RATIO = 200
"""A table of numbers shrinks to a fifth; what shrinks to less than this share of itself is none."""

_RATIO_FROM_BYTES = 1 << 24
_STEP_BYTES = 1 << 22


def text_of(path: Path, *, shown: str) -> bytes:
    """Read a text file.

    Parameters
    ----------
    path : Path
        Unpacked where its name ends with ``.gz``.
    shown : str
        How errors name it.

    Returns
    -------
    bytes
        UTF-8 without a byte order mark; UTF-16 with one is turned into it.

    Raises
    ------
    DataError
        It cannot be read, is too large, unpacks to too much, has NUL bytes, or is in another encoding.
    """
    try:
        raw = _unpacked(path, shown=shown) if path.suffix == ".gz" else _plain(path, shown=shown)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DataError(f"{shown}: cannot be read ({' '.join(reason.split())}); write the file again") from error
    return _utf8(raw, shown=shown)


def check_size(path: Path, *, shown: str) -> None:
    """Raise when a file on disk is larger than what is read, or is no file."""
    if not path.is_file():
        raise DataError(f"{shown}: is not a file; take it out of the folder")
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        most = LARGEST_BYTES >> 20
        raise DataError(f"{shown}: {size >> 20:,} MiB; at most {most:,} are read, split the file by date")


def _plain(path: Path, *, shown: str) -> bytes:
    """Read a file that is not packed."""
    check_size(path, shown=shown)
    return path.read_bytes()


def _unpacked(path: Path, *, shown: str) -> bytes:
    """Unpack a file step by step, and stop where it grows beyond reason."""
    check_size(path, shown=shown)
    packed = path.stat().st_size
    parts, size = [], 0
    with gzip.open(path, "rb") as stream:
        while part := stream.read(_STEP_BYTES):
            parts.append(part)
            size += len(part)
            if size > LARGEST_BYTES or (size > _RATIO_FROM_BYTES and size > LARGEST_RATIO * packed):
                raise DataError(
                    f"{shown}: {packed:,} bytes unpack to more than {size >> 20:,} MiB, more than a table of bars does;"
                    " write the file again, or split it by date"
                )
    return b"".join(parts)


def _utf8(raw: bytes, *, shown: str) -> bytes:
    """Take a byte order mark away, and hold the rest to UTF-8 without NUL bytes."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            raw = raw.decode("utf-16").encode()
        except UnicodeDecodeError as error:
            raise DataError(f"{shown}: begins as UTF-16 and is not; save it as UTF-8") from error
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if (at := raw.find(b"\0")) >= 0:
        line = raw.count(b"\n", 0, at) + 1
        raise DataError(f"{shown}: line {line}: a NUL byte; the file is damaged, write it again")
    if not raw.isascii():
        try:
            raw.decode()
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            raise DataError(
                f"{shown}: line {line}: byte {raw[error.start]:#04x} is not UTF-8; save the file as UTF-8"
            ) from error
    return raw
