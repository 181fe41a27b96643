"""Requests to an ASGI application, as a server would make them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from django.core.signals import request_finished, request_started
from django.db import connections


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


class Caller:
    """A client with a token."""

    def __init__(self, application: Any, token: str) -> None:
        self.application, self.token = application, token
        self.has_hung_up = False

    async def get(self, path: str, prefer: str = "", **headers: str) -> Answer | None:
        """The answer; None if the client has hung up before it came."""
        sent = {"host": "testserver", "x-auth-token": self.token, **headers}
        sent |= {"prefer": prefer} if prefer else {}
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [
                (name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()
            ],
        }
        received = iter([{"type": "http.request", "body": b"", "more_body": False}])
        events: list[Any] = []

        async def receive() -> Any:
            if event := next(received, None):
                return event
            while not self.has_hung_up:
                await asyncio.sleep(0.05)
            return {"type": "http.disconnect"}

        async def send(event: Any) -> None:
            events.append(event)

        await self.application(scope, receive, send)
        if not events:
            return None
        start, *bodies = events
        found = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], found, b"".join(body["body"] for body in bodies))


async def in_thread(call: Callable[..., Any], *args: Any) -> Any:
    """Let a thread with a connection of its own do this."""

    def run() -> Any:
        try:
            return call(*args)
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)


class Requests:
    """How many requests Django has begun, and how many of them have not ended."""

    def __init__(self) -> None:
        self.begun = self.open = 0

    def __enter__(self) -> Requests:
        request_started.connect(self._begin)
        request_finished.connect(self._end)
        return self

    def __exit__(self, *error: object) -> None:
        request_started.disconnect(self._begin)
        request_finished.disconnect(self._end)

    def _begin(self, **kwargs: Any) -> None:
        self.begun += 1
        self.open += 1

    def _end(self, **kwargs: Any) -> None:
        self.open -= 1
