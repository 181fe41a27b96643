"""A client whose requests go through all of Django, middleware included, but not over a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from benchmarks.users import Identity


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
