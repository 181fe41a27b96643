"""A source that misbehaves on demand, and a context that records its calls."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

from django.utils import timezone

from django_image_tasks.handlers.base import Kept

Answer = Callable[[BaseHTTPRequestHandler], None]


class FakeContext:
    """The context of an attempt that no executor runs."""

    task_id = UUID("11111111-2222-3333-4444-555555555555")

    def __init__(self, scratch: Path, input: Mapping[str, Any], attempt: int = 1) -> None:
        self.scratch = scratch
        self.input = input
        self.attempt = attempt
        self.deadline: datetime = timezone.now() + timedelta(minutes=5)
        self.reports: list[tuple[int, int | None]] = []
        self.checks = 0
        self.stopped = threading.Event()
        self.kept: Kept | None = None
        self.states: list[Mapping[str, Any]] = []

    def progress(self, done: int, total: int | None = None) -> None:
        self.reports.append((done, total))

    def checkpoint(self, state: Mapping[str, Any]) -> None:
        self.states.append(state)

    def check(self) -> None:
        self.checks += 1

    @contextmanager
    def on_stop(self, callback: Callable[[], object]) -> Iterator[None]:
        yield


class SourceServer(ThreadingHTTPServer):
    """Gives one answer per request, and repeats the last one."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SourceRequestHandler)
        self.answers: list[Answer] = []
        self.requests: list[tuple[str, Mapping[str, str]]] = []

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), OSError):  # a client that hung up, or wants no TLS
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    @property
    def origin(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def url(self, path: str = "/image") -> str:
        return f"http://{self.origin}{path}"


class SourceRequestHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: SourceServer

    def do_GET(self) -> None:
        self.server.requests.append((self.path, self.headers))
        self.close_connection = True
        number = min(len(self.server.requests), len(self.server.answers))
        with suppress(ConnectionError):  # the client had enough
            self.server.answers[number - 1](self)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def running(server: SourceServer) -> Iterator[SourceServer]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answer(
    body: bytes = b"",
    status: int = 200,
    *,
    sent: int | None = None,
    length: int | None = None,
    **headers: str,
) -> Answer:
    """Send the first ``sent`` bytes of a body that is said to be of ``length``."""

    def act(request: BaseHTTPRequestHandler) -> None:
        begin(request, status, len(body) if length is None else length, **headers)
        request.wfile.write(body[:sent])

    return act


def begin(
    request: BaseHTTPRequestHandler, status: int = 200, length: int | None = None, **headers: str
) -> None:
    request.send_response(status)
    if length is not None:
        request.send_header("Content-Length", str(length))
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()


def ranged(body: bytes, *, sent: int | None = None, etag: str = '"v1"') -> Answer:
    """Honour Range and If-Range, as RFC 9110 has them; break off after ``sent`` bytes."""

    def act(request: BaseHTTPRequestHandler) -> None:
        asked = request.headers.get("Range")
        if not asked or request.headers.get("If-Range") != etag:
            return answer(body, sent=sent, ETag=etag)(request)
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        content_range = f"bytes {start}-{len(body) - 1}/{len(body)}"
        return answer(body[start:], 206, sent=sent, ETag=etag, Content_Range=content_range)(request)

    return act


def redirect(location: str, body: bytes = b"", **headers: str) -> Answer:
    return answer(body, 302, Location=location, **headers)
