"""Databases that a credential names: opened with care, and their errors told in one line without a password."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from edgebook.errors import SettingsError
from edgebook.files.credentials import credential, hidden

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy import URL, Engine

CONNECT_SECONDS = 10
_FOR_EXAMPLE = "postgresql://user:password@host:5432/name, or sqlite:///file.sqlite"


def open_database(name: str, *, root: Path, read_only: bool = False) -> Engine:
    """Engine of the database whose address is a credential; nothing is connected yet.

    Parameters
    ----------
    name : str
        Of the credential: an environment variable, or a line of `.env`. Its value is an SQLAlchemy address.
    root : Path
        The repository's top; a relative SQLite file is taken from there.
    read_only : bool
        Nothing can be written through it: PostgreSQL and SQLite themselves see to that.

    Returns
    -------
    Engine
        Connections are not pooled, so that none is held between two uses. PostgreSQL is spoken to through psycopg,
        whether the address says so or not. Errors of the engine do not show values.

    Raises
    ------
    SettingsError
        There is no such credential, it is not an address, its driver is not installed, or a file that is to be read
        does not exist.
    """
    address = credential(name, root=root)
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise SettingsError(f"{name}: not the address of a database; write {_FOR_EXAMPLE}") from None
    arguments: dict[str, Any] = {}
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg2"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername == "postgresql+psycopg":
        arguments = {"connect_timeout": CONNECT_SECONDS, "application_name": "edgebook", "keepalives_idle": 30}
        if read_only:
            arguments["options"] = "-c default_transaction_read_only=on"
        arguments = {key: value for key, value in arguments.items() if key not in url.query}
    elif url.get_backend_name() == "sqlite":
        url = _sqlite(url, name=name, root=root, read_only=read_only)
    try:
        return create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=arguments)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        missing = f"the package {error.name}" if isinstance(error, ModuleNotFoundError) else "an SQLAlchemy dialect"
        raise SettingsError(f"{name}: {url.drivername} needs {missing}, which is not installed; install it") from None
    except (ArgumentError, TypeError, ValueError) as error:
        raise SettingsError(f"{name}: {one_line(error)}; write {_FOR_EXAMPLE}") from None


def one_line(error: BaseException) -> str:
    """What went wrong, by the words of the database: one line, no statement, no value, no password.

    Parameters
    ----------
    error : exception
        Of SQLAlchemy, of a driver, or any other.

    Returns
    -------
    str
    """
    inner = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    said = getattr(getattr(inner, "diag", None), "message_primary", None) or str(inner)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return hidden(lines[0].rstrip(".:;") if lines else type(inner).__name__)


def _sqlite(url: URL, *, name: str, root: Path, read_only: bool) -> URL:
    """Address of a SQLite file from the repository's top; one that is only read must be there."""
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        return url
    path = (root / Path(url.database).expanduser()).resolve()
    if not read_only:
        return url.set(database=str(path))
    if not path.is_file():
        raise SettingsError(f"{name}: no such file {path.name}; correct its path")
    return url.set(database=f"file:{quote(str(path))}").update_query_dict({"mode": "ro", "uri": "true"})
