"""The way from a task to the queue that ``IMAGE_TASKS["ENGINE"]`` names, and back to a worker.

An engine is a module with ``enqueue(task_id: str) -> None``, which puts the id on a queue whose
worker calls :func:`deliver` with it, and raises any error of its library. It may have a ``check()``
that gives system check messages about what it needs of the host's settings.
"""

from __future__ import annotations

import logging
from functools import partial
from importlib import import_module
from uuid import UUID

from django.db import close_old_connections, transaction
from django.utils import timezone

from django_image_tasks import executor
from django_image_tasks.conf import conf
from django_image_tasks.log_lines import with_traceback
from django_image_tasks.models import Task
from django_image_tasks.states import Status

__all__ = ["deliver"]

logger = logging.getLogger(__name__)


def submit(task: Task) -> None:
    """Put a task on the queue when the transaction commits."""
    transaction.on_commit(partial(publish, task), using=task._state.db, robust=True)


def publish(task: Task) -> bool:
    """Put a task on the queue now; returns whether it worked. If not, the sweep tries again."""
    try:
        import_module(conf.ENGINE).enqueue(str(task.pk))
    except Exception as error:
        # Each library has errors of its own, and none is worth failing the request for.
        logger.error(with_traceback("task_not_enqueued", error, task=task.pk, engine=conf.ENGINE))
        return False
    now = timezone.now()
    waiting = Task.objects.filter(pk=task.pk, attempts=task.attempts)
    still_waiting = waiting.filter(status__unindexed=Status.PENDING)
    still_waiting.update(enqueued_at=now, lease_expires_at=now + conf.REQUEUE_AFTER)
    return True


def deliver(task_id: str) -> None:
    """Run a task if it is due and nobody else runs it. May be called as often as a queue likes."""
    close_old_connections()
    try:
        executor.run(UUID(task_id))
    finally:
        close_old_connections()
