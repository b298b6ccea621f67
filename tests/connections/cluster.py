"""A PostgreSQL cluster of its own: made, started, stopped and broken by the tests, and by nothing else.

It listens on loopback at a free port, lies in a temporary folder, and never runs as root.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

NO_SERVER = (
    "no PostgreSQL server programs (initdb, pg_ctl) found; install them (Debian: apt-get install postgresql), or set "
    "EDGEBOOK_NO_POSTGRES=1 to leave these tests out"
)


def find_programs() -> Path | None:
    """Folder of the newest initdb, which Debian keeps out of PATH."""
    on_path = shutil.which("initdb")
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda place: int(place.parts[-3]))
    found = [Path(on_path), *places] if on_path else places
    return found[-1].resolve().parent if found else None


def unprivileged() -> dict[str, Any]:
    """How to run a program as somebody else than root, as arguments of `subprocess.run`."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            who = pwd.getpwnam(name)
            return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
    raise LookupError("neither a user postgres nor nobody; PostgreSQL does not run as root")


class Cluster:
    """A cluster and the one superuser it has.

    Parameters
    ----------
    programs : Path
        Folder of initdb and pg_ctl.
    """

    user = "desk"

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        self.who = unprivileged()
        self.folder = Path(tempfile.mkdtemp(prefix="edgebook-postgres-"))
        # What an address must escape and a log must not show.
        self.password = f"p@ss/wörd:{secrets.token_hex(8)}"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        password_file = self.folder / "password"
        password_file.write_text(self.password, encoding="utf-8")
        if self.who:
            for path in (self.folder, password_file):
                os.chown(path, self.who["user"], self.who["group"])
        self._run(
            "initdb", "-D", self.data, "-U", self.user, "-A", "scram-sha-256", f"--pwfile={password_file}",
            "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions",
        )  # fmt: skip
        password_file.unlink()
        # Whoever made it may be killed: when this pipe ends, the cluster goes.
        last_words = 'read _; "$0" stop -m immediate -D "$1/data"; rm -rf "$1"'
        self.guard = subprocess.Popen(
            ["sh", "-c", last_words, str(programs / "pg_ctl"), str(self.folder)], **self.who, cwd="/",
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self.start()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> str:
        """What the server has logged."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def url(self, database: str = "postgres", *, password: str | None = None) -> str:
        """Address of a database, as a desk would write it: no driver named, the password escaped."""
        word = quote(self.password if password is None else password, safe="")
        return f"postgresql://{self.user}:{word}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        # Without fsync: a killed server must find its files whole, the machine itself does not fail here.
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._run("pg_ctl", "start", "-w", "-D", self.data, "-l", self.folder / "log", "-o", options)

    def stop(self, mode: str = "fast") -> None:
        """Stop: "fast" ends all sessions, "immediate" is a crash."""
        self._run("pg_ctl", "stop", "-w", "-m", mode, "-D", self.data)

    def restart(self, mode: str = "immediate") -> None:
        self.stop(mode)
        self.start()

    def execute(self, statement: str, *parameters: object, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement by itself, and return its rows."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement, parameters or None)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def new_database(self) -> str:
        """Name of an empty database."""
        name = f"test_{secrets.token_hex(6)}"
        self.execute(f"create database {name}")
        return name

    def remove(self) -> None:
        """Stop it, running or not, and leave nothing."""
        self.guard.communicate(timeout=120)

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self.programs / program), *map(str, arguments)]
        done = subprocess.run(
            command, **self.who, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env={"PATH": os.defpath, "LC_ALL": "C"}, timeout=120, check=False,
        )  # fmt: skip
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, program, stderr=done.stderr.strip())
