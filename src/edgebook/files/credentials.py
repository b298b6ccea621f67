"""Passwords and addresses with passwords: read by name, never shown.

params.yaml and command lines hold the *name* of a credential. Its value stands in the environment, or in the file
`.env` at the top of the repository, which git ignores.
"""

from __future__ import annotations

import logging
import os
import re
import stat
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from edgebook.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

BLANK = "***"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = r"password|passwd|pwd|passphrase|secret|token|api[-_]?key|access[-_]?key|private[-_]?key"
# The password of an address ends at its last @: people write passwords with @ and / in them, unescaped.
_IN_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^\s:/@?#]*:)[^\s]*(?=@)")
_IN_SETTING = re.compile(rf"(\b[\w-]*(?:{_WORDS})\s*=\s*)('[^']*'|\"[^\"]*\"|[^\s&;,'\")]+)", re.IGNORECASE)
_SHORTEST_BARE = 4  # a shorter secret is blanked within addresses only: "ab" alone would blank half a page

_read: set[str] = set()
"""Secrets that this process has read, so that they can be blanked wherever they turn up."""


def credential(name: str, *, root: Path) -> str:
    """Value of a credential: of the environment variable, else of a line in `.env`.

    Parameters
    ----------
    name : str
        As an environment variable is named, e.g. ``DESK_DATABASE``.
    root : Path
        The repository's top, which holds `.env`, if any: lines ``NAME=value``, optionally quoted, ``#`` for comments.

    Returns
    -------
    str
        Never empty. `hidden` blanks it from now on.

    Raises
    ------
    SettingsError
        `name` is no name (an address, say), nothing has it, a line of `.env` cannot be read, or git tracks `.env`.

    Notes
    -----
    A `.env` that other users of the machine may read is used, but a warning says how to close it.

    Examples
    --------
    >>> from pathlib import Path
    >>> os.environ["EXAMPLE_DATABASE"] = "postgresql://desk:hunter22@localhost/desk"
    >>> address = credential("EXAMPLE_DATABASE", root=Path("."))
    >>> hidden(f"cannot reach {address}: hunter22 was refused")
    'cannot reach postgresql://desk:***@localhost/desk: *** was refused'
    """
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"{hidden(name)!r}: not the name of a credential; put the value into an environment variable or a line "
            "NAME=value of .env, and write NAME here"
        )
    value = os.environ.get(name, "") or _of_file(root / ".env").get(name, "")
    if not value:
        raise SettingsError(
            f"{name}: no such credential; set this environment variable, or add a line {name}=... to .env at the top "
            "of the repository"
        )
    _read.update(_secrets(value))
    return value


def hidden(text: str) -> str:
    """Text without secrets: fit for an error, a report or a log.

    Parameters
    ----------
    text : str
        Anything, an address or an error message of a driver.

    Returns
    -------
    str
        The same with ``***`` for the password of every address, for what follows `password=`, `token=` and the like,
        and for every secret that `credential` has returned in this process.

    Examples
    --------
    >>> hidden("postgresql://desk:p@ss/word@db:5432/desk?sslmode=require")
    'postgresql://desk:***@db:5432/desk?sslmode=require'
    >>> hidden("host=db user=desk password='two words'")
    'host=db user=desk password=***'
    """
    for secret in sorted(_read, key=len, reverse=True):
        text = text.replace(secret, BLANK)
    text = _IN_ADDRESS.sub(rf"\1{BLANK}", text)
    return _IN_SETTING.sub(rf"\1{BLANK}", text)


def _secrets(value: str) -> set[str]:
    """What of a credential must not be seen: an address's password, as written and as meant; else all of it."""
    address = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", value)
    if address is None:
        found = {value, *(match[2].strip("'\"") for match in _IN_SETTING.finditer(value))}
        # A path of a SQLite file or a plain word such as a host is kept readable only when it is no secret by itself;
        # that cannot be told, so all of it is blanked.
        return {secret for secret in found if len(secret) >= _SHORTEST_BARE}
    rest = value[address.end() :]
    user, _, _ = rest.rpartition("@")
    parts = [user.partition(":")[2]]
    try:
        query = urlsplit(value).query
    except ValueError:  # brackets that are no address: the password above is what matters
        query = ""
    parts += [word for key, word in parse_qsl(query) if re.search(_WORDS, key, re.IGNORECASE)]
    return {form for part in parts for form in (part, unquote(part)) if len(form) >= _SHORTEST_BARE}


def _of_file(path: Path) -> dict[str, str]:
    """Lines of a `.env`, once it is sure that git does not have them."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise SettingsError(f".env: could not be read ({why}); it holds lines NAME=value") from None
    if _tracked(path):
        raise SettingsError(
            ".env: git tracks it, so its passwords are in the history; `git rm --cached .env`, commit, and change them"
        )
    if os.name == "posix" and mode & (stat.S_IRGRP | stat.S_IROTH):
        logging.getLogger(__name__).warning(".env: other users of this machine can read it; `chmod 600 .env`")
    values = {}
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip().removeprefix("export ").strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not _NAME.fullmatch(name):
            # The line itself may be a password, so that its number has to do.
            raise SettingsError(f".env: line {number}: not NAME=value; correct it, or begin it with # to leave it out")
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        values[name] = value
    return values


def _tracked(path: Path) -> bool:
    """Whether git has the file; False where there is no git, or no repository."""
    command = ["git", "-C", str(path.parent), "ls-files", "--error-unmatch", "--", path.name]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
