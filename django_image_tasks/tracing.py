"""Where spans of OpenTelemetry begin and end (docs/reference/metrics.md, "Spans").

They are made in ``spans.py``, which is imported only where ``TRACING`` is set.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from django_image_tasks.conf import conf

if TYPE_CHECKING:
    from django_image_tasks.models import Task


def note_creation(task: Task, retried: Task | None = None) -> None:
    """Have a task that is not saved yet remember the trace of whoever makes it.

    ``retried`` is the failed task that this one does again.
    """
    if conf.TRACING:
        from django_image_tasks import spans

        spans.create(task, retried)


def sending(task_id: object) -> AbstractContextManager[None]:
    """Trace that a ticket is put on the queue, if it is put there on behalf of somebody."""
    if not conf.TRACING:
        return nullcontext()
    from django_image_tasks import spans

    return spans.sending(task_id)


def processing(task: Task) -> AbstractContextManager[None]:
    """Trace an attempt, in the trace of whoever made the task."""
    if not conf.TRACING:
        return nullcontext()
    from django_image_tasks import spans

    return spans.processing(task)
