"""Work that takes no time: what is left to measure is what stands around it."""

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
    """The engine's own task, with an argument as long as ours."""


def enqueue(task_id: str) -> None:
    """Makes this module an engine whose queue leads nowhere."""
