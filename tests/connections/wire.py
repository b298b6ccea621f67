"""A small HTTP server on loopback that answers as it is told, and now and then as badly as the internet does."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = Callable[[str, dict[str, str]], Any]

FAULTS = ("429", "429 after 0.01", "500", "503 page", "cut short", "half", "reset", "stall", "text")
"""What may happen to any request."""

STALL_SECONDS = 0.8


class Server:
    """Answers requests with JSON, from a thread of its own each.

    `answer(path, query)` gives what is to be sent as JSON, or (status, that). `plan` says what happens to the next
    requests whose path holds `faulty`: a word of `FAULTS` each, "" for nothing; what it does not say goes well.
    """

    def __init__(self, answer: Answer, *, faulty: str = "") -> None:
        self.answer, self.faulty = answer, faulty
        self.plan: list[str] = []
        self.asked: list[str] = []
        self.clock_ahead_seconds = 0.0
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def misbehave(self, seed: int, *, requests: int = 200, in_a_row: int = 3, faults: tuple[str, ...] = FAULTS) -> None:
        """Let about half of the next requests go wrong, a few in a row at most."""
        draw = random.Random(seed)
        self.plan, row = [], 0
        for _ in range(requests):
            wrong = row < in_a_row and draw.random() < 0.5
            row = row + 1 if wrong else 0
            self.plan.append(draw.choice(faults) if wrong else "")

    def next_fault(self, path: str) -> str:
        with self._lock:
            self.asked.append(path)
            return self.plan.pop(0) if self.plan and self.faulty in path else ""


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            fault = server.next_fault(parts.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            answer = server.answer(parts.path, query)
            status, said = answer if isinstance(answer, tuple) else (200, answer)
            body = said.encode() if isinstance(said, str) else json.dumps(said).encode()
            headers = {"Content-Type": "application/json"}
            if fault == "429":
                status, body = 429, b'{"code":-1003,"msg":"Too many requests"}'
            elif fault.startswith("429 after"):
                status, body, headers["Retry-After"] = 429, b"Too Many Requests", fault.split()[-1]
            elif fault == "500":
                status, body = 500, b"Internal Server Error"
            elif fault == "503 page":
                status, body = 503, b"<html><body><h1>We will be right back</h1></body></html>"
            elif fault == "cut short":  # a whole message, of which the JSON ends too early
                body = body[: len(body) * 2 // 3]
            elif fault == "text":
                body = b"upstream connect error"
            elif fault == "reset":
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
                self.connection.close()
                return
            elif fault == "stall":
                time.sleep(STALL_SECONDS)
            self._send(status, headers, body, half=fault == "half", drip=fault == "drip")

        def _send(self, status: int, headers: dict[str, str], body: bytes, *, half: bool, drip: bool) -> None:
            try:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if half:  # the connection ends in mid-body
                    self.wfile.write(body[: len(body) // 2])
                    self.close_connection = True
                elif drip:
                    for i in range(len(body)):
                        self.wfile.write(body[i : i + 1])
                        self.wfile.flush()
                        time.sleep(0.1)
                else:
                    self.wfile.write(body)
            except OSError:  # the other side has given up, as it should
                self.close_connection = True

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string((timestamp or time.time()) + server.clock_ahead_seconds)

        def log_message(self, *args: object) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except (OSError, ValueError):  # a connection that was reset
                self.close_connection = True

        def finish(self) -> None:
            with contextlib.suppress(OSError, ValueError):
                super().finish()

    return Handler
