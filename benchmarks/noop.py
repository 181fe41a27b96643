"""A task without any work, so that what is measured is what a worker does around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import django

from django_image_tasks.handlers.base import Context, Handler

if django.VERSION >= (6, 0):
    from django.tasks import task
else:
    from django_tasks import task


class NoOp(Handler):
    type: ClassVar[str] = "noop"
    title: ClassVar[str] = "Do nothing"

    def run(self, context: Context) -> Mapping[str, Any]:
        return {}


@task()
def noop(argument: str) -> None:
    """This is a task of the engine's own, with an argument as long as a task's id."""


def enqueue(task_id: str) -> None:
    """This function makes the module an engine, whose queue drops every task."""
