"""Tasks for the clients to find, brought where a test wants them by the model's own verbs."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django_image_tasks.models import Task

MakeTasks = Callable[..., list[Task]]
"""The fixture ``make_tasks``."""

SOURCE = {"import_from": "https://example.com/a.qcow2"}
"""The input of an import that is accepted."""


def ids(tasks: Iterable[Task]) -> list[str]:
    return [str(task.pk) for task in tasks]


def start(task: Task) -> None:
    task.start("worker")


def succeed(task: Task, image_id: str) -> None:
    start(task)
    task.succeed({"image_id": image_id})


def fail(task: Task, message: str) -> None:
    start(task)
    task.fail(message)
