"""Handlers that tests run: what they do is written in their input."""

from __future__ import annotations

import time
from typing import Any

from django_image_tasks.exceptions import AttemptFailed, TaskFailed
from django_image_tasks.handlers.base import Context, Handler

runs: list[tuple[str, int]] = []
discarded: list[tuple[str, int]] = []
published: list[str] = []


def enqueue(task_id: str) -> None:
    """As an engine: a queue that no worker reads."""
    published.append(task_id)


class Workload(Handler):
    """Does what ``input["do"]`` says."""

    type = "workload"
    title = "For tests"

    def run(self, context: Context) -> dict[str, Any]:
        runs.append((str(context.task_id), context.attempt))
        getattr(self, context.input.get("do", "nothing"))(context)
        return {"attempt": context.attempt}

    def discard(self, task_id, attempt, input) -> None:
        discarded.append((str(task_id), attempt))

    def nothing(self, context: Context) -> None:
        return

    def fail(self, context: Context) -> None:
        raise TaskFailed("Source answered 404 Not Found")

    def fail_once(self, context: Context) -> None:
        if context.attempt == 1:
            raise AttemptFailed("Source answered 503 Service Unavailable")

    def fail_always(self, context: Context) -> None:
        raise AttemptFailed("Source answered 503 Service Unavailable")

    def crash(self, context: Context) -> None:
        raise KeyError("secret")

    def check(self, context: Context) -> None:
        (context.scratch / "file").write_text("staged")
        context.check()

    def check_late(self, context: Context) -> None:
        time.sleep(0.01)
        context.check()

    def sleep(self, context: Context) -> None:
        for done in range(int(context.input["steps"])):
            time.sleep(float(context.input["step"]))
            context.progress(done + 1, int(context.input["steps"]))


class Callback(Workload):
    """Calls a function that the test has put here."""

    type = "callback"
    during: Any = None

    def run(self, context: Context) -> dict[str, Any]:
        type(self).during(context)
        return super().run(context)


class Large(Handler):
    type = "large"
    title = "Returns as many bytes of JSON as its input says"

    def run(self, context: Context) -> dict[str, Any]:
        return {"a": "é" * ((context.input["size"] - len('{"a":""}')) // 2)}


class Returning(Handler):
    """Returns what a test has put here."""

    type = "returning"
    title = "For tests"
    result: Any = None

    def run(self, context: Context) -> Any:
        return self.result


class Unstorable(Handler):
    type = "unstorable"
    title = "Returns what is not JSON"

    def run(self, context: Context) -> Any:
        return {"at": context.deadline}
