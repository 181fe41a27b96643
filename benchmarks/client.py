"""A client whose requests go through all of Django, middleware included, but not over a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, NamedTuple

from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from benchmarks.processes import HOST
from benchmarks.users import Identity


class Answer(NamedTuple):
    """What a server has sent."""

    status: int
    headers: Mapping[str, str]
    """By their names in lower case."""
    body: str
    seconds: float


async def get(port: int, path: str, **headers: str) -> Answer:
    """Ask a server over a connection of its own. A header's name has ``_`` in place of ``-``."""
    started = perf_counter()
    reader, writer = await asyncio.open_connection(HOST, port)
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}", "Connection: close", *lines, "", ""]
    writer.write("\r\n".join(lines).encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    status, *fields = head.split("\r\n")
    pairs = (field.partition(": ") for field in fields)
    sent = {name.lower(): value for name, _, value in pairs}
    return Answer(int(status.split()[1]), sent, body, perf_counter() - started)


class Client:
    def __init__(self) -> None:
        self.handler = WSGIHandler()
        self.factory = RequestFactory(SERVER_NAME="127.0.0.1")

    def get(self, path: str, identity: Identity) -> Callable[[], bytes]:
        """Return a call that makes this request and returns the response's body."""
        environ = self.factory.get(path, headers=identity.headers).environ
        return lambda: self._call(dict(environ), "200 OK")

    def post(self, path: str, body: bytes, identity: Identity) -> Callable[[], bytes]:
        def call() -> bytes:
            request = self.factory.post(
                path, body, content_type="application/json", headers=identity.headers
            )
            return self._call(request.environ, "201 Created")

        return call

    def _call(self, environ: dict[str, Any], expected: str) -> bytes:
        statuses: list[str] = []
        response = self.handler(environ, lambda status, headers, *_: statuses.append(status))
        body = b"".join(response)
        response.close()
        if statuses != [expected]:
            raise RuntimeError(f"{environ['PATH_INFO']}: {statuses} {body[:500]!r}")
        return body
