"""The way back from the queue that ``IMAGE_TASKS["ENGINE"]`` names to a worker of ours.

An engine is a module with ``enqueue(task_id: str) -> None``, which puts the id on a queue whose
worker calls :func:`deliver` with it, and raises any error of its library. It may have these too:
``enqueue_later(task_id: str, delay: timedelta) -> None``, if its queue can keep a message so long,
and ``check()``, which gives system check messages about what it needs of the host's settings.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import close_old_connections

from django_image_tasks import executor, tickets
from django_image_tasks.log_lines import line
from django_image_tasks.unmigrated import names_missing_migrations

__all__ = ["deliver"]

logger = logging.getLogger(__name__)


def deliver(task_id: str, should_stop: Callable[[], bool] | None = None) -> None:
    """Run the task whose turn it is, if one is due. May be called as often as a queue likes.

    ``task_id`` names the task that the message was made for, which may have run already.
    ``should_stop`` is asked once a second, in a thread of its own, whether the worker was told to
    stop; a running task is then handed over. Where the task runs in the main thread, SIGTERM and
    SIGINT say so without it.
    """
    close_old_connections()
    try:
        with names_missing_migrations():
            is_run = executor.run_next(should_stop, goes_on=task_id == tickets.NEXT)
        if not is_run:
            logger.info(line("task_skipped", task=task_id, reason="nothing_due"))
    finally:
        close_old_connections()
