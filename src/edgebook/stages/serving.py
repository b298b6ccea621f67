"""The reports in the browser: a server for this machine only, that reads and never writes.

It listens on 127.0.0.1, answers GET and HEAD for files below reports/, and for what it is given as `Pages`: the
dashboards with all trades, and the bars of one trade. A page of another site cannot reach it under a name of its own
(the Host header is looked at, which keeps DNS rebinding out), and nothing that it serves may load or send anything
elsewhere (Content-Security-Policy; scripts only those that stand in the page, by their digest).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from edgebook.errors import BusyError, EdgebookError

if TYPE_CHECKING:
    from pathlib import Path

LOOPBACK = "127.0.0.1"
PORT = 8642
"""Where `edgebook open` listens if no port is named."""
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".ipynb": "application/json; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".csv": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
}
"""Content type by suffix; any other file is bytes to be saved, which a browser does not run."""
_SCRIPT = re.compile(rb"<script\b([^>]*)>(.*?)</script>", re.DOTALL | re.IGNORECASE)
_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


class Pages(Protocol):
    """What is made when it is asked for, instead of read from a file."""

    def page(self, week: str) -> str | None:
        """HTML of a week's dashboard; None where only the file there is can be shown."""

    def bars(self, week: str, *, signal_id: str) -> dict[str, Any] | None:
        """Bars around one trade; None for a signal that is not in the week's ledger."""


class ReportsServer(ThreadingHTTPServer):
    """Serves one reports folder on 127.0.0.1.

    Parameters
    ----------
    reports : Path
        The folder; nothing outside it is served, not through a link either.
    pages : Pages or None
        Dashboards made of the ledger; without it every page is the file that there is.
    port : int
        0 takes any that is free; `address` says which.

    Raises
    ------
    BusyError
        The port is taken, or may not be used.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, reports: Path, *, pages: Pages | None = None, port: int = PORT) -> None:
        self.reports = reports.resolve()
        self.pages = pages
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise BusyError(
                f"port {port}: {reason}; name another, or any that is free: `edgebook open --port 0`"
            ) from error

    @property
    def address(self) -> str:
        """Where a browser finds it, without the last slash."""
        return f"http://{LOOPBACK}:{self.server_port}"

    def server_bind(self) -> None:
        """Bind without asking a name server for this machine's name."""
        self.socket.bind(self.server_address)  # type: ignore[arg-type]
        self.server_name, self.server_port = LOOPBACK, self.socket.getsockname()[1]
        self.server_address = (LOOPBACK, self.server_port)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over a browser that went away; tell the terminal of anything else."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def content_security_policy(body: bytes) -> str:
    """Say what a page may do: run the scripts that stand in it and no other, load nothing from elsewhere.

    Parameters
    ----------
    body : bytes
        The page. Scripts with a ``type`` of data (``application/json``) are not run and need no permission.

    Examples
    --------
    >>> content_security_policy(b"<p>no script</p>").endswith("script-src 'none'")
    True
    >>> "sha256-" in content_security_policy(b"<script>let a = 1</script>")
    True
    """
    digests = [
        base64.b64encode(hashlib.sha256(text).digest()).decode()
        for attributes, text in _SCRIPT.findall(body)
        if b"json" not in attributes.lower()
    ]
    allowed = " ".join(f"'sha256-{digest}'" for digest in dict.fromkeys(digests)) or "'none'"
    return f"{_POLICY}; script-src {allowed}"


def file_below(folder: Path, address: str) -> Path | None:
    """Find the file that the path of an address means, if it lies in a folder.

    Parameters
    ----------
    folder : Path
        Resolved.
    address : str
        Still quoted, ``/2019-07-01/index.html``; one that ends with a slash means index.html there.

    Returns
    -------
    Path or None
        None for what is not there, is hidden (a name that begins with a dot), or leads out of the folder.
    """
    parts = unquote(address, errors="replace").split("/")[1:]
    if parts and not parts[-1]:
        parts[-1] = "index.html"
    if not parts or any(not part or part.startswith(".") or set(part) & set('\\\0:"') for part in parts):
        return None
    try:
        found = folder.joinpath(*parts).resolve()
        return found if found.is_file() and found.is_relative_to(folder) else None
    except OSError:
        return None


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: ReportsServer
    server_version, sys_version = "edgebook", ""
    timeout = 30

    def do_GET(self) -> None:
        """Answer with a file, a dashboard, or bars."""
        names = {f"{name}:{self.server.server_port}" for name in (LOOPBACK, "localhost")}
        if self.headers.get("Host", "") not in names:
            self._refuse(HTTPStatus.FORBIDDEN, f"ask for {self.server.address}/; other names are not answered")
            return
        asked = urlsplit(self.path)
        if asked.path == "/favicon.ico":  # every browser asks; that there is none is not an error on its console
            self._send(b"", kind=TYPES[".ico"], status=HTTPStatus.NO_CONTENT)
            return
        try:
            self._answer(asked.path, asked.query)
        except EdgebookError as error:
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """Refuse: there is nothing to write."""
        self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, "the reports are read only")

    do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_POST

    def _answer(self, path: str, query: str) -> None:
        week, _, name = path.removeprefix("/").partition("/")
        if name == "bars" and self.server.pages is not None:
            signal_id = parse_qs(query).get("signal_id", [""])[0]
            found = self.server.pages.bars(week, signal_id=signal_id)
            if found is None:
                self._refuse(HTTPStatus.NOT_FOUND, "no such signal in the ledger of this week")
            else:
                self._send(json.dumps(found, allow_nan=False).encode(), kind=TYPES[".json"])
            return
        file = file_below(self.server.reports, path)
        if file is None and file_below(self.server.reports, f"{path}/") is not None:
            self._send(b"", kind=TYPES[".html"], status=HTTPStatus.MOVED_PERMANENTLY, location=f"{path}/")
        elif file is None:
            self._refuse(HTTPStatus.NOT_FOUND, "no such report")
        else:
            made = self._made(week) if name in ("", "index.html") else None
            body = file.read_bytes() if made is None else made.encode()
            self._send(body, kind=TYPES.get(file.suffix, "application/octet-stream"))

    def _made(self, week: str) -> str | None:
        return None if self.server.pages is None or not week else self.server.pages.page(week)

    def _refuse(self, status: HTTPStatus, line: str) -> None:
        self._send(f"{line}\n".encode(), kind="text/plain; charset=utf-8", status=status)

    def _send(self, body: bytes, *, kind: str, status: HTTPStatus = HTTPStatus.OK, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", content_security_policy(body if "html" in kind else b""))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Cache-Control", "no-cache")
        if location:
            self.send_header("Location", location)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal shows the address, and errors come to the browser."""
