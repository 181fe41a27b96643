"""Tickets: messages on the engine's queue that say that a task waits.

A ticket does not say which: a worker that gets one runs the task whose turn it is. So a lost ticket
costs no task, and any later one makes up for it.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from importlib import import_module
from uuid import UUID

from django.db import router, transaction

from django_image_tasks import tracing
from django_image_tasks.conf import conf
from django_image_tasks.log_lines import with_traceback
from django_image_tasks.models import Task

logger = logging.getLogger(__name__)

NEXT = "next"
"""In the place of a task's id: whoever starts a task for this ticket puts the next one on the queue
at once, as long as tasks wait. So one of them makes up for any number of lost tickets."""


def submit(task: Task) -> None:
    """Put a ticket for a task on the queue when the transaction commits."""
    using = router.db_for_write(Task)
    transaction.on_commit(lambda: publish(task.pk), using=using, robust=True)


def publish(task_id: UUID | str, delay: timedelta = timedelta()) -> bool:
    """Put a ticket for a task on the queue; returns whether it worked. If not, the sweep does it.

    Where the engine cannot delay a message, a delayed one is left to the sweep, too.
    """
    try:
        engine = import_module(conf.ENGINE)
        if delay and not hasattr(engine, "enqueue_later"):
            return True
        with tracing.sending(task_id):
            if delay:
                engine.enqueue_later(str(task_id), delay)
            else:
                engine.enqueue(str(task_id))
    except Exception as error:
        # Each library has errors of its own, and none is worth failing the request for.
        logger.error(with_traceback("task_not_enqueued", error, task=task_id, engine=conf.ENGINE))
        return False
    return True
