"""Procrastinate on PostgreSQL. Worker: ``manage.py procrastinate worker``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from math import ceil

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as CheckWarning
from django.db import connections
from procrastinate import JobContext
from procrastinate.contrib.django import app

from django_image_tasks.conf import conf
from django_image_tasks.engines import deliver


@app.task(name="image_tasks.run", pass_context=True)
def run_image_task(context: JobContext, task_id: str) -> None:
    """Run the task whose turn it is, in a worker, which may be told to stop meanwhile."""
    deliver(task_id, context.should_abort)


def enqueue(task_id: str) -> None:
    """Put the id on the queue, which is a table."""
    run_image_task.configure(queue=conf.QUEUE).defer(task_id=task_id)


def enqueue_later(task_id: str, delay: timedelta) -> None:
    """Put the id on the queue for later."""
    job = run_image_task.configure(
        queue=conf.QUEUE, schedule_in={"seconds": ceil(delay.total_seconds())}
    )
    job.defer(task_id=task_id)


def check() -> Iterator[CheckMessage]:
    """Give an error unless the database is PostgreSQL; warn of workers that hear no stop."""
    alias = getattr(settings, "PROCRASTINATE_DATABASE_ALIAS", "default")
    if connections[alias].vendor != "postgresql":
        yield Error(
            f"Procrastinate keeps its queue in PostgreSQL, which the database '{alias}' is not.",
            hint="Set PROCRASTINATE_DATABASE_ALIAS, or name another ENGINE.",
            id="image_tasks.E020",
        )
    if "shutdown_graceful_timeout" not in getattr(settings, "PROCRASTINATE_WORKER_DEFAULTS", {}):
        yield CheckWarning(
            "A worker of Procrastinate that is told to stop waits for its task, for hours perhaps.",
            hint='PROCRASTINATE_WORKER_DEFAULTS = {"shutdown_graceful_timeout": 1}',
            id="image_tasks.W010",
        )
