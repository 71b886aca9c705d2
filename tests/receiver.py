"""A receiver of webhooks on this machine: it keeps what came, and answers as a test says.

    with Receiver(lambda request: 500 if request.number == 1 else 200) as receiver: …

An answer is a status, a status with headers, or `SILENT`: none at all until the receiver closes.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self

SILENT = 0
LOST = -1
"""The connection is closed without an answer."""


class Request(NamedTuple):
    """What came, and the how manieth of its id it was, from 1."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    number: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


Answer = int | tuple[int, dict[str, str]]


class Receiver:
    """See the module."""

    def __init__(self, answer: Callable[[Request], Answer] = lambda request: 200, port: int = 0) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver._take(self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base's
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def ids(self) -> list[str]:
        """The ids of what came, in order, every try of it."""
        return [each.id for each in list(self.requests)]

    def _take(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        found = {name.lower(): value for name, value in handler.headers.items()}
        with self._lock:
            number = self._counts[found.get("webhook-id", "")] = (
                self._counts.get(found.get("webhook-id", ""), 0) + 1
            )
            request = Request(handler.path, found, body, number)
            self.requests.append(request)
        answer = self.answer(request)
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        if status == SILENT:
            self._closing.wait()
            return
        if status == LOST:
            handler.close_connection = True
            return
        text = b"" if status == 204 else f"you said {number}".encode()
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
