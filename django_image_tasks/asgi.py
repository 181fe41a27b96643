"""An ASGI application that can hold an answer back until a task has ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from django.core import asgi

from django_image_tasks.conf import conf
from django_image_tasks.preference import KEY, Wait, seconds_of

if TYPE_CHECKING:
    from django_image_tasks.lookout import Lookout

__all__ = ["get_asgi_application"]

MOST_AT_ONCE = 10
"""Requests asked again at a time: a thousand may have waited for the same task."""


def get_asgi_application() -> Any:
    """Django's own ASGI application, which also lets clients wait, for up to ``MAX_WAIT``."""
    application = asgi.get_asgi_application()
    # Only now can models be imported.
    from django_image_tasks.lookout import Lookout

    return WaitingApplication(application, Lookout())


class WaitingApplication:
    """Asks the application again instead of sending an answer that the client need not see.

    Between the two there is no request for Django, so that it takes no thread and no connection,
    whatever middleware the project has. Each time the request goes the whole way, and the answer is
    what the caller may see by then.
    """

    def __init__(self, application: Any, lookout: Lookout) -> None:
        self.application = application
        self.lookout = lookout
        self.turnstile = asyncio.Semaphore(MOST_AT_ONCE)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not (seconds := _seconds(scope)):
            await self.application(scope, receive, send)
            return
        now = asyncio.get_running_loop().time
        ends = now() + seconds
        answer = HeldAnswer(scope, Wait(seconds), send)
        await self.application(answer.scope, receive, answer)
        while answer.is_held and await self._waited(answer, receive, ends - now()):
            async with self.turnstile:
                answer = HeldAnswer(scope, Wait(seconds), send, is_last=now() >= ends)
                await self.application(answer.scope, _without_body(receive), answer)

    async def _waited(self, answer: HeldAnswer, receive: Any, seconds: float) -> bool:
        """Wait for this long, or for a change. False if the client has gone meanwhile."""
        change = asyncio.ensure_future(self.lookout.wait(*answer.awaited))
        # The body has been read: all that can come is the end of the connection.
        end = asyncio.ensure_future(receive())
        try:
            await asyncio.wait({change, end}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return not end.done()
        finally:
            change.cancel()
            end.cancel()


class HeldAnswer:
    """Takes an application's answer, and sends it only if it is worth sending."""

    def __init__(self, scope: Any, wait: Wait, send: Any, *, is_last: bool = False) -> None:
        self.scope = {**scope, KEY: wait}
        self.wait, self.send, self.is_last = wait, send, is_last
        self.is_held = False
        self.knows_tag = any(name == b"if-none-match" for name, _ in scope["headers"])

    async def __call__(self, event: Any) -> None:
        if event["type"] == "http.response.start" and self.wait.task and not self.is_last:
            self.is_held = event["status"] == 304 or not self.knows_tag
        if not self.is_held:
            await self.send(event)

    @property
    def awaited(self) -> Any:
        """What the lookout is to wait for: any change, for a client that has seen the task."""
        return self.wait.task, self.wait.seen if self.knows_tag else None


def _seconds(scope: Any) -> int:
    """How long this request may wait; 0 for most."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return 0
    sent = [value.decode("latin-1") for name, value in scope["headers"] if name == b"prefer"]
    return min(seconds_of(",".join(sent)), int(conf.MAX_WAIT)) if sent else 0


def _without_body(receive: Any) -> Any:
    """The same request once more."""
    events = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive_again() -> Any:
        return next(events, None) or await receive()

    return receive_again
